"""Imported as ``gnomon.derivations``; see the README."""

if __name__ != "gnomon.derivations":
    raise ImportError(
        "import this package as gnomon.derivations: under another name every object in it would exist twice"
    )

"""Imported as ``gnomon.reference``; see the README."""

if __name__ != "gnomon.reference":
    raise ImportError(
        "import this package as gnomon.reference: under another name every object in it would exist twice"
    )

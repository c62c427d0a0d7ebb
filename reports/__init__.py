"""Imported as ``gnomon.reports``; see the README."""

if __name__ != "gnomon.reports":
    raise ImportError("import this package as gnomon.reports: under another name every object in it would exist twice")

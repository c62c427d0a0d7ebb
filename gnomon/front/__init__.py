"""What users touch: the command line, the functions of ``gnomon``, the pytest plug-in."""

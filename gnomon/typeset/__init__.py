"""From SymPy to MathML and to a line of text."""

"""Write the mathematics once: Gnomon proves it, turns it into checks, and hunts for the input on which a program disagrees."""

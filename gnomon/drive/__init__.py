"""How a subject is called and what is read off it."""

"""Sequences, recurrent networks and their gradients (notes, section 1.4)."""

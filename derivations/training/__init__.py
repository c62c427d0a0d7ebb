"""Descent and what goes before it: data, subgradients, initial parameters (notes, sections 1.2 to 1.2.6)."""

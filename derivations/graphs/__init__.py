"""Graphs, their Laplacians and the heat equation (notes, section 4.6)."""

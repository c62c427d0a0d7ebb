"""Gradients of networks, and their activation functions (notes, sections 1.2.1, 1.2.2)."""

"""Momentum and Adam (notes, section 1.2.5)."""

"""Batch normalization (notes, section 1.2.7)."""

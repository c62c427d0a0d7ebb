"""Networks as functions, and what they can approximate (notes, sections 1, 1.1)."""

"""Convolutions, pools, and residual networks (notes, sections 1.3, 1.5)."""

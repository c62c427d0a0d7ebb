"""Normalizing flows and adversarial networks (notes, sections 4.1, 4.2)."""

"""Ordinary differential equations, their solvers and their gradients (notes, section 2)."""

"""Programs as arrays: one operation for each operation of the formula, and not one for each entry."""

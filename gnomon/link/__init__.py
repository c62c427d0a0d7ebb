"""Law, program and proof held together: the goal computed from a claim, the theorem that a proof makes, its label."""

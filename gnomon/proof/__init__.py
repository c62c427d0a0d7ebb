"""Derivations and the rules that check their steps. Depends on nothing of ours: it could be a library of its own."""

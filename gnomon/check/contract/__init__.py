"""What every subject owes, whatever the claim: a file for each part, and one that looks at them in turn."""

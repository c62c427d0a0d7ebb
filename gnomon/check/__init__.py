"""One claim against one subject: inputs, search, confirmation, the smallest counterexample, variants, the verdict."""

"""The vocabulary: claims, domains, evidence and the errors of use; frozen data, without torch."""

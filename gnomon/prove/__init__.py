"""The proof wing: normal forms, enclosures, and the kernel that makes theorems. It depends on nothing of ours."""

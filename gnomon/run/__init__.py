"""Many claims: tasks in processes of their own, evidence on disk, a run resumed."""

"""Programs as numbers: lowered, run in batches with running bounds, enclosed in Arb balls."""

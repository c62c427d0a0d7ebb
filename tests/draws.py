"""A program for the tests of seeds: print what is drawn for the claims that it is given, as JSON."""

import json
import sys

import torch

from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import prepare, seed_for
from gnomon.find.catalogue import select
from gnomon.find.walk import claims_in


def drawn(ids):
    """For each claim the structures, hyper-parameters, seeds, and the numbers of the first two batches."""
    rows = select(list(ids))
    known = {claim.id: claim for row in rows for claim in claims_in(row["module"])}
    found = {}
    for name in ids:
        examples = draw_examples(known[name], 64, seed_for(known[name], 3))
        task = prepare(known[name], print, "print", "float32", "cpu")
        batches = [task.batch(example, 18).values for example in examples[:2]]
        numbers = [{key: value.tolist() for key, value in batch.items()} for batch in batches]
        found[name] = [[[one.structure, one.host, one.seed] for one in examples], numbers]
    return found


if __name__ == "__main__":
    torch.rand(len(sys.argv))  # a generator that has been used, differently each time
    print(json.dumps(drawn(sys.argv[1:]), sort_keys=True))

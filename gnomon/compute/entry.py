"""One entry of one output at one point: lowered on demand, so that a large structure costs no more than it leans on."""

from __future__ import annotations

from typing import Any

from gnomon.compute.balls import BITS, enclose
from gnomon.compute.batch import Batch
from gnomon.compute.lower import lowering_for
from gnomon.compute.whole_numbers import key_of
from gnomon.say.claim import Claim
from gnomon.say.domain import Structure


def enclosed_entry(
    claim: Claim, structure: Structure, batch: Batch, output: str, index: tuple[int, ...], bits: int = BITS
) -> Any:
    """A rigorous ball of an output's entry, at the single point of a batch.

    ``index`` counts from 0, as the output's tensor does.

    Raises:
        gnomon.compute.balls.UndecidedBranch: if a branch cannot be decided.
        gnomon.compute.whole_numbers.LoweringError: if the program is not defined for this structure.
    """
    lowering = lowering_for(claim, structure)
    (shown,) = (each for each in claim.program.outputs if each.name == output)
    env: dict[str, int] = {}
    for (symbol, low, _), at in zip(shown.ranges, index, strict=True):
        (first, *_) = lowering.ranges(((symbol, low, low),), env)
        env[key_of(symbol)] = first[key_of(symbol)] + at
    node = lowering.node(shown.entry, env)
    leaves: dict[Any, float] = {}
    for number in lowering.slp.reachable([node]):
        if lowering.slp.nodes[number].op == "leaf":
            name, at_entry = lowering.slp.nodes[number].value
            given = batch.host[name] if name in batch.host else batch.values[name][(0, *at_entry)]
            leaves[name, at_entry] = float(given)
    return enclose(lowering.slp, [node], leaves, bits)[0]

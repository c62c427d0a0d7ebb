"""Names that program and law both define, and that mean different things there."""

from __future__ import annotations

from typing import Any

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.terms import alike, indices_of, mentioned, put


def different(program: tuple[Definition, ...], law: tuple[Definition, ...]) -> set[str]:
    """Names that both define, in other words or by leaning on such."""
    ours = {definition.name: definition for definition in program}

    def differs(definition: Definition) -> bool:
        mine = ours[definition.name]
        return not alike(_said(mine), _said(definition))

    both = [definition for definition in law if definition.name in ours]
    found = {definition.name for definition in both if differs(definition)}
    while more := {d.name for d in both if found & mentioned(d.rhs)} - found:
        found |= more
    return found


def _said(definition: Definition) -> Any:
    """A definition with its ranges, its indices named by place."""
    new = {v: sp.Symbol(f"index {n}", integer=True) for n, v in enumerate(indices_of(definition.lhs))}
    ends = {new.get(v, v): (v, sp.sympify(a), sp.sympify(b)) for v, a, b in definition.ranges}
    ranges = [put(end, new) for v in sorted(ends, key=str) for end in ends[v][1:]]
    return sp.Tuple(put(definition.lhs, new), put(sp.sympify(definition.rhs), new), *ranges)

"""What a theory must be before anything is shown in it: without contradiction, and as its symbols say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.facts import nonnegative, rows
from gnomon.proof.recursion import ends
from gnomon.proof.terms import mentioned, name_of
from gnomon.proof.theorem import Refused, Theorem

if TYPE_CHECKING:
    from gnomon.proof.theory import Theory


def check_definitions(theory: Theory, program: tuple[Definition, ...], law: tuple[Definition, ...]) -> None:
    """Raise Refused where the law defines what the program reads as an input, or a recursion is not seen to end."""
    ours = {d.name for d in program}
    read = set().union(*[mentioned(d.rhs) for d in program]) - ours
    if taken := sorted(read & {d.name for d in law}):
        raise Refused(f"{', '.join(taken)}: an input of the program, and defined by the law")
    if endless := [n for n in theory.definitions if theory.recursive(n) and not ends(theory, n)]:
        raise Refused(f"{', '.join(endless)}: not seen to end")


def check_what_is_supposed(theory: Theory) -> None:
    """Raise Refused for facts that contradict each other, and for symbols that are not what they are said to be."""
    if nonnegative(sp.S.NegativeOne, rows(theory.facts), about=lambda atom: theory.signs.about(atom, theory.facts)):
        raise Refused("the facts contradict each other")
    for base in theory.symmetric:
        extents = theory.shapes.get(name_of(base), (0, 1))
        if callable(extents) or len(extents) != 2 or extents[0] != extents[1]:
            raise Refused(f"{base} is called symmetric, and is no square input")
    for definition in theory.definitions.values():
        _check_its_symbol(theory, definition)


def _check_its_symbol(theory: Theory, definition: Theorem) -> None:
    """Raise Refused if a defined name is said to be what its definition is not seen to be."""
    said = definition.lhs.base.label if isinstance(definition.lhs, sp.Indexed) else definition.lhs
    flags = {flag for flag, value in said._assumptions_orig.items() if value is not None} - {"real", "commutative"}
    strict = bool(said.is_positive)
    meant = {"integer": definition.rhs.is_integer, "nonnegative": True, "positive": True}
    signed = not flags & {"nonnegative", "positive"} or theory.signs.holds(
        definition.rhs, definition.given | theory.facts, strict
    )
    if not signed or any(not meant.get(flag) or said._assumptions_orig[flag] is False for flag in flags):
        raise Refused(f"{definition.lhs} is said to be {', '.join(sorted(flags))}, which its definition does not show")

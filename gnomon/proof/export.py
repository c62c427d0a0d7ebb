"""A theorem as plain data that another program can check: every step on the way, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from gnomon.proof.terms import name_of
from gnomon.proof.theorem import Obligation, Theorem


def exported(theorem: Theorem) -> dict[str, Any]:
    """The lineage of a theorem, the theorem last, in lists, dictionaries, strings and numbers.

    Expressions are SymPy's ``srepr``. A step names its rule, both sides, what is given, in what it is general, the
    hypotheses that are open, what is left to show, the numbers of the steps that it was made from, and what had to hold
    for its sides to be defined. ``definitions``, ``shapes``, ``bounds`` and ``facts`` are the theory's; ``symbols`` and
    ``functions`` say what is assumed of every name.
    """
    theory, steps = theorem.theory, list(theorem.lineage())
    place = {id(one): number for number, one in enumerate(steps)}
    data = [_step(one, place) for one in steps]
    spoken = [e for one in steps for e in (one.lhs, one.rhs, *one.given)]
    spoken += [side for d in theory.definitions.values() for side in (d.lhs, d.rhs)]
    return {
        "theorem": len(steps) - 1,
        "steps": data,
        "definitions": {name: _stated(d) for name, d in sorted(theory.definitions.items()) if name in theorem.uses},
        "conditions": {name: _stated(c) for name, c in sorted(theory.conditions.items())},
        "facts": _sorted(theory.facts),
        "shapes": {name: _shape(shape) for name, shape in sorted(theory.shapes.items())},
        "bounds": {name: _bound(bound) for name, bound in sorted(theory.signs.bounds.items())},
        "symmetric": sorted(map(name_of, theory.symmetric)),
        "symbols": _symbols(spoken),
        "functions": _functions(spoken),
        "cites": sorted(theorem.cites),
    }


def read(text: str) -> Any:
    """An expression from its text; names of unknown functions stay functions of that name.

    Raises:
        NameError: if it speaks of a class that SymPy does not have.
    """
    return sp.sympify(text)


def _step(one: Theorem, place: dict[int, int]) -> dict[str, Any]:
    met = [*one.theory.wellformed(one.lhs, one.given), *one.theory.wellformed(one.rhs, one.given)]
    return {
        "rule": one.rule,
        **_stated(one),
        "hypotheses": sorted(one.hyps),
        "left": [_obligation(o) for o in one.left],
        "met": [_obligation(o) for o in dict.fromkeys(met) if o not in one.left and o.claim is not sp.true],
        "premises": [place[id(premise)] for premise in one.premises],
        "uses": sorted(one.uses),
        "cites": sorted(one.cites),
        "why": one.why,
    }


def _stated(one: Theorem) -> dict[str, Any]:
    return {
        "lhs": sp.srepr(one.lhs),
        "rel": one.rel,
        "rhs": sp.srepr(one.rhs),
        "given": _sorted(one.given),
        "over": _sorted(one.over),
    }


def _obligation(obligation: Obligation) -> dict[str, Any]:
    return {"claim": sp.srepr(obligation.claim), "facts": _sorted(obligation.facts)}


def _sorted(expressions: Iterable[Any]) -> list[str]:
    return sorted(map(sp.srepr, expressions))


def _shape(shape: Any) -> Any:
    """Extents, or what they are at the indices ``i0``, ``i1``, ... where they hang on them."""
    if not callable(shape):
        return [sp.srepr(sp.sympify(extent)) for extent in shape]
    at = sp.symbols("i0:4", integer=True)
    return [sp.srepr(sp.sympify(extent)) for extent in shape(*at)]


def _bound(bound: Any) -> dict[str, Any]:
    ends = {"low": sp.srepr(sp.sympify(bound.low)), "high": sp.srepr(sp.sympify(bound.high))}
    return {**ends, "open_low": bound.open_low, "open_high": bound.open_high}


def _symbols(expressions: Iterable[Any]) -> dict[str, dict[str, bool]]:
    found = set().union(*[sp.sympify(e).atoms(sp.Symbol) for e in expressions])
    return {sp.srepr(s): dict(sorted(s._assumptions_orig.items())) for s in sorted(found, key=sp.srepr)}


def _functions(expressions: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Unknown functions: which one each is a derivative of, and what is assumed of their values."""
    said: dict[str, dict[str, Any]] = {}
    for e in expressions:
        for applied in sp.sympify(e).atoms(sp.Function):
            family = getattr(applied.func, "family", None)
            if isinstance(applied, AppliedUndef) or family is not None:
                real = bool(applied.is_real)
                said[applied.func.__name__] = {
                    "family": family,
                    "order": getattr(applied.func, "order", 0),
                    "real": real,
                }
    return dict(sorted(said.items()))

"""Derivatives: of a program by an input, as a tangent program, and of an expression by a symbol.

The tangent program has one new definition ``∂m/∂x`` for each definition that moves with x, made by the rules of
differentiation entry by entry; its recursions are the program's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from gnomon.proof.defined import KINKS, differentiable
from gnomon.proof.definitions import Definition
from gnomon.proof.mean import Mean
from gnomon.proof.normal_form import fresh
from gnomon.proof.reductions import Kept
from gnomon.proof.terms import OPAQUE, Facts, indices_of, mentioned, name_of, walk
from gnomon.proof.theorem import Obligation, Refused, Theorem, made
from gnomon.proof.theory import Shape, Theory


def tangent_name(of: Any, by: Any) -> str:
    """The name of a tangent: ``∂h/∂x``."""
    return f"∂{name_of(of)}/∂{name_of(by)}"


def tangents(
    definitions: Sequence[Definition], of: Any, by: Any, shape: Shape | None
) -> tuple[Any, tuple[Definition, ...]]:
    """The derivative of a defined quantity by an entry of an input, or of another definition: an entry of a tangent
    program, and its definitions.

    ``by`` is ``x[p, r]`` with indices of its own, or a symbol. What does not move has the derivative 0. By an entry of
    a definition: how things move with what is added to that entry, on top of what its formula gives.

    Raises:
        Refused: at a kink: an absolute value, a maximum, a branch that looks at what moves.
    """
    base, position = name_of(by), indices_of(by)
    taken = {name for d in definitions for name in map(name_of, indices_of(d.lhs))}
    letters = [letter for n in range(1, 9) for letter in (c + "̇" * n for c in "uvwz") if letter not in taken]
    new = tuple(sp.Symbol(letter, integer=True) for letter in letters[: len(position)])
    bodies = {d.name: d for d in definitions}
    around = _around(bodies[base], new) if base in bodies else _extents(shape, new)
    if len(around) != len(position):
        raise Refused(f"{by}: {base} has {len(around)} indices")
    moving = {base}
    while more := {name for name, d in bodies.items() if name not in moving and moving & mentioned(d.rhs)}:
        moving |= more
    start = name_of(of)
    if start not in moving:
        return sp.S.Zero, ()
    needed = {start}
    while more := {n for name in needed for n in mentioned(bodies[name].rhs)} & moving & set(bodies) - needed:
        needed |= more

    def tangent(x: Any) -> Any:
        return _entry(tangent_name(x, by), (*indices_of(x), *new))

    def moved(d: Definition) -> Any:
        added = _unit(indices_of(d.lhs), new) if d.name == base else sp.S.Zero
        return added + _moved(d.rhs, base if base not in bodies else "", moving, new, tangent)

    found = tuple(Definition(tangent(d.lhs), moved(d), (*d.ranges, *around)) for d in definitions if d.name in needed)
    return tangent(of).xreplace(dict(zip(new, position, strict=True))), found


def _extents(shape: Shape | None, new: tuple[Any, ...]) -> tuple[tuple[Any, Any, Any], ...]:
    """The ranges of an input's entry."""
    extents = shape(*new) if callable(shape) else tuple(shape or ())
    return tuple((v, sp.S.Zero, extent - 1) for v, extent in zip(new, extents, strict=False))


def _around(definition: Definition, new: tuple[Any, ...]) -> tuple[tuple[Any, Any, Any], ...]:
    """The ranges of a definition's entry, for other indices."""
    at = dict(zip(indices_of(definition.lhs), new, strict=False))
    ends = {v: (first, last) for v, first, last in definition.ranges}
    return tuple((new, *[end.xreplace(at) for end in map(sp.sympify, ends[v])]) for v, new in at.items())


def _unit(indices: tuple[Any, ...], new: tuple[Any, ...]) -> Any:
    """1 at one entry, 0 at every other."""
    return sp.Mul(*map(sp.KroneckerDelta, indices, new))


def _entry(name: str, at: tuple[Any, ...]) -> Any:
    return sp.IndexedBase(name, real=True)[at] if at else sp.Symbol(name, real=True)


def _moved(rhs: Any, base: str, moving: set[str], new: tuple[Any, ...], tangent: Any) -> Any:
    """The slope at h = 0 of a right side in which everything that moves moves by h times its tangent."""
    h = sp.Dummy("h", real=True)

    def move(x: Any, _: Facts) -> Any:
        if isinstance(x, sp.Piecewise) and any(moving & mentioned(c) for _, c in x.args):
            raise Refused(f"a branch looks at what moves, which may be a kink: {x}")
        if isinstance(x, Kept):
            if moving & mentioned(x.condition):
                raise Refused(f"what is kept hangs on what moves: {x}")
            return None
        if isinstance(x, KINKS) and moving & mentioned(x):
            raise Refused(f"a kink: {x}")
        if isinstance(x, (Mean, sp.Integral, *OPAQUE)) and moving & mentioned(x):
            raise Refused(f"no derivative is known of {x}")
        if isinstance(x, sp.Dummy):
            return None
        if isinstance(x, (sp.Indexed, sp.Symbol)) and name_of(x) == base:
            return x + h * _unit(indices_of(x), new)
        if isinstance(x, (sp.Indexed, sp.Symbol)) and name_of(x) in moving:
            return x + h * tangent(x)
        return None

    found = walk(fresh(sp.sympify(rhs)), frozenset(), move).diff(h).xreplace({h: sp.S.Zero})
    if found.has(sp.Derivative, sp.Subs):
        raise Refused(f"no derivative is known of {rhs}")
    return _named(found)


def _named(e: Any) -> Any:
    """The expression with symbols that have names of their own in the place of its dummies: it is written down."""
    taken = {s.name for s in e.atoms(sp.Symbol) if not isinstance(s, sp.Dummy)}
    names = {}
    for dummy in sorted(e.atoms(sp.Dummy), key=sp.default_sort_key):
        name = dummy.name
        while name in taken:
            name += "′"
        taken.add(name)
        names[dummy] = sp.Symbol(name, **dummy._assumptions_orig)
    return e.xreplace(names)


def slope(theory: Theory, e: Any, x: Any, given: Facts = frozenset()) -> Theorem:
    """``Derivative(e, x) = e'`` for an expression without kinks that is defined around x.

    Raises:
        Refused: for a kink, or a definition in which x may hide.
    """
    e = sp.sympify(e)
    if not x.is_Symbol or x.is_integer:
        raise Refused(f"{x} does not move: no slope by it")
    for part in e.atoms(*KINKS, sp.Piecewise):
        if x in part.free_symbols:
            raise Refused(f"a kink, or a branch, in {part}")
    if hidden := [n for n in sorted(mentioned(e) & set(theory.definitions)) if x.name in theory.leans(n)]:
        raise Refused(f"{', '.join(hidden)}: the definition moves with {x}; unfold it first")
    after = e.diff(x)
    if after.has(sp.Derivative, sp.Subs):
        raise Refused(f"no derivative is known of {e}")
    left = [Obligation(claim, given) for claim in differentiable(theory, e, (x,))]
    left += [*theory.wellformed(e, given), *theory.wellformed(after, given)]
    return made(theory, "derivative", sp.Derivative(e, x), "=", after, given=given, left=theory.open(left))

"""The rules that argue: for each, what is shown symbolically and what is compared at a point.

===========  =================================================================================================
rule         ``before`` becomes ``after``, by ``by``
===========  =================================================================================================
solve        ``Eq`` (or a tuple of them): the only solution for the unknowns ``by``; several in a
             ``FiniteSet``
induction    ``Eq(m[t], recurrence)``: the closed form of ``m[t]``; ``by = (t, t0, value at t0, ...)``, one
             value for each step that the recurrence goes back; if it goes forward (``m[t + 1]``), it
             holds from t0 down
inequality   a relational: by what the greater side exceeds the other, plainly nonnegative
refute       a relational: false at the point ``by = ({symbol: value},)``; ``after`` is a corrected one that
             is true there, or ``false``
===========  =================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import arb, fmpq
from sympy.core.function import AppliedUndef

from gnomon.proof.algebra import Found, Rule, all_zero, entries, family, given
from gnomon.proof.enclosure import Undecided
from gnomon.proof.is_zero import known_multiple, zero
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.sample_points import Entries, Point, agree

_UNROLLED = 5  # steps of a recurrence that are computed


# ---------------------------------------------------------------- solve


def _gaps(step: Any) -> list[Any]:
    equations = entries(step.before)
    if not all(isinstance(equation, sp.Eq) for equation in equations):
        raise ValueError("solve needs an equation, Eq(left, right), or a tuple of equations")
    if not step.by:
        raise ValueError("solve needs the unknown: by=(x,)")
    return [equation.lhs - equation.rhs for equation in equations]


def _solutions(step: Any, after: Any) -> list[dict[Any, Any]]:
    """Each claimed solution, unknown by unknown."""
    if len(step.by) == 1:
        return [{step.by[0]: value} for value in (after if isinstance(after, sp.FiniteSet) else [after])]
    several = list(after) if isinstance(after, sp.FiniteSet) else [after]
    return [dict(zip(step.by, entries(one), strict=True)) for one in several]


def _solve(step: Any, after: Any, method: str) -> Found:
    gaps, known = _gaps(step), given(step)
    claimed = _solutions(step, after)
    residuals = tuple(fresh(gap).subs(one, simultaneous=True) for one in claimed for gap in gaps)
    found = all_zero(residuals, (0,) * len(residuals), step, method)
    if not found:
        return "", ""
    slope = sp.expand(gaps[0]).diff(step.by[0]) if len(gaps) == 1 == len(step.by) else sp.S.Zero
    if len(claimed) == 1 and slope != 0 and step.by[0] not in slope.free_symbols:
        return found, "the equation is linear" + ("" if slope.is_nonzero else f", {slope} not 0")
    others = _solved(tuple(gaps), step.by)
    matched = [any(all(zero(one[u] - other.get(u, u), known) for u in step.by) for one in claimed) for other in others]
    if len(others) != len(claimed) or not all(matched):
        return "", f"SymPy's solutions are {others}"
    return found, "SymPy finds no other solution"


@lru_cache(maxsize=1000)
def _solved(gaps: tuple[Any, ...], unknowns: tuple[Any, ...]) -> list[dict[Any, Any]]:
    plain = {u: u if u.is_Symbol else sp.Dummy(str(u), **u.assumptions0) for u in unknowns}
    found = sp.solve([gap.xreplace(plain) for gap in gaps], list(plain.values()), dict=True)
    back = {symbol: u for u, symbol in plain.items()}
    return [{back[symbol]: value for symbol, value in one.items()} for one in found]


def _compare_residuals(step: Any, after: Any, point: Point) -> bool | None:
    verdicts = []
    for one in _solutions(step, after):
        marks = {u: sp.Dummy(f"unknown{n}", real=True) for n, u in enumerate(one)}
        there = point.at(**{marks[u].name: point.exact(value) for u, value in one.items()})
        for equation in entries(step.before):
            sides = equation.lhs.xreplace(marks), equation.rhs.xreplace(marks)
            verdicts.append(agree(there.enclose(sides[0]), there.enclose(sides[1])))
    return False if False in verdicts else None if None in verdicts else True


# ---------------------------------------------------------------- induction


def _recurrence(step: Any) -> tuple[Any, Any, Any, Any, list[Any], int]:
    """``(m[t], recurrence, t, t0, values, direction)``."""
    if not isinstance(step.before, sp.Eq) or len(step.by) < 3:
        raise ValueError("induction needs Eq(m[t], recurrence) and by=(t, t0, value at t0, ...)")
    (t, t0, *values), left = step.by, step.before.lhs
    arguments = _arguments(left)
    if t not in arguments or not all(a.is_Symbol for a in arguments):
        raise ValueError(f"the left side is m[..., {t}, ...] with plain indices, got {left}")
    place = arguments.index(t)
    steps = {sp.expand(_arguments(x)[place] - t) for x in _occurrences(step.before.rhs, left)}
    if (
        not steps
        or not all(s.is_Integer for s in steps)
        or not (all(s < 0 for s in steps) or all(s > 0 for s in steps))
    ):
        raise ValueError(f"the recurrence must lead to {left} from earlier ones, or from later ones, alone")
    back = max(abs(int(s)) for s in steps)
    if back > len(values):
        raise ValueError(f"the recurrence goes {back} steps back, so it needs as many values")
    return left, step.before.rhs, t, t0, values, -1 if max(steps) > 0 else 1


def _arguments(e: Any) -> tuple[Any, ...]:
    return tuple(e.indices) if isinstance(e, sp.Indexed) else tuple(e.args)


def _occurrences(e: Any, left: Any) -> list[Any]:
    if isinstance(left, sp.Indexed):
        return [x for x in e.atoms(sp.Indexed) if x.base == left.base]
    return [x for x in e.atoms(AppliedUndef) if x.func == left.func]


def _induction(step: Any, after: Any, method: str) -> Found:
    left, rhs, t, t0, values, direction = _recurrence(step)
    names = _arguments(left)
    after, rhs = fresh(after), fresh(rhs)
    earlier = {x: after.xreplace(dict(zip(names, _arguments(x), strict=True))) for x in _occurrences(rhs, left)}
    gaps = [after.subs(t, t0 + direction * k) - value for k, value in enumerate(values)]
    return all_zero((*gaps, after - rhs.xreplace(earlier)), (0,) * (len(gaps) + 1), step, method), ""


def _compare_unrolled(step: Any, after: Any, point: Point) -> bool | None:
    left, rhs, t, t0, values, direction = _recurrence(step)
    names = [a.name for a in _arguments(left)]
    place = names.index(t.name)
    start = int(point.exact(t0).p)

    def entry(at: tuple[int, ...]) -> Any:
        since = direction * (at[place] - start)
        there = point.at(**dict(zip(names, map(fmpq, at), strict=True)), **({held: known} if held else {}))
        return there.exact(values[since] if 0 <= since < len(values) else rhs)

    known = Entries(entry)
    held = str(left.base.label) if isinstance(left, sp.Indexed) else ""
    if not held:
        point = Point(point.values, {**point.functions, left.func.__name__: lambda *at: known(*(int(a.p) for a in at))})
    here = [int(point.exact(name).p) for name in _arguments(left)]
    verdicts = []
    for since in range(_UNROLLED + 1):
        at = [*here[:place], start + direction * since, *here[place + 1 :]]
        value = point.at(**{t.name: fmpq(at[place])}).enclose(after)
        verdicts.append(agree(arb(known(*at)), value))
    return False if False in verdicts else None if None in verdicts else True


# ---------------------------------------------------------------- inequality


def _excess(relation: Any) -> Any:
    if isinstance(relation, (sp.Gt, sp.Ge, sp.Lt, sp.Le)):
        return relation.gts - relation.lts
    raise ValueError(f"an inequality reads a >= b, a > b, a <= b or a < b, got {relation}")


def _inequality(step: Any, after: Any, method: str) -> Found:
    found = all_zero(_excess(step.before), after, step, method)
    strict = isinstance(step.before, (sp.Gt, sp.Lt))
    if found and not Signs(step.assume).show(after, strict):
        return "", f"{after} is not plainly {'positive' if strict else 'nonnegative'}"
    return found, ""


class Signs:
    """Sees that an expression is nonnegative, or positive: sums and products of what is, even powers, assumptions."""

    def __init__(self, assume: Iterable[Any]) -> None:
        relations = [relation for relation in assume if isinstance(relation, (sp.Gt, sp.Ge, sp.Lt, sp.Le))]
        self.nonnegative = [canon(relation.gts - relation.lts) for relation in relations]
        self.positive = [canon(r.gts - r.lts) for r in relations if isinstance(r, (sp.Gt, sp.Lt))]

    def show(self, e: Any, strict: bool = False) -> bool:
        if (e.is_positive if strict else e.is_nonnegative) or known_multiple(
            e, self.positive if strict else self.nonnegative
        ):
            return True
        if e.is_Add:
            return all(map(self.show, e.args)) and (not strict or any(self.show(arg, True) for arg in e.args))
        if e.is_Mul:
            return all(self.show(arg, strict) for arg in e.args)
        if e.is_Pow:
            even = bool(e.exp.is_even and e.base.is_real and not strict)
            return even or (bool(e.exp.is_real) and self.show(e.base, strict))
        if isinstance(e, (sp.Sum, sp.Product)):
            return self.show(e.function, strict) and not (strict and isinstance(e, sp.Sum))
        if isinstance(e, sp.Piecewise):
            return all(self.show(branch, strict) for branch, _ in e.args)
        return False


def _compare_excess(step: Any, after: Any, point: Point) -> bool | None:
    value = point.enclose(after)
    if value < 0:
        return False
    return agree(point.enclose(_excess(step.before)), value)


# ---------------------------------------------------------------- refute


def _at(step: Any, pairs: Any) -> tuple[dict[Any, Any], Point]:
    """A point as a substitution and as values to enclose at."""
    put: dict[Any, Any] = {}
    values: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    for key, value in pairs:
        value = sp.sympify(value)
        if isinstance(key, sp.Indexed):
            at = tuple(int(i) for i in key.indices)
            values.setdefault(str(key.base.label), {})[at] = Point({}, {}).exact(value)
            put[key] = value
        elif isinstance(key, sp.Symbol):
            values[key.name] = Point({}, {}).exact(value)
            put[key] = value
        else:
            kinds = family(key(*value.variables), value.expr) if isinstance(value, sp.Lambda) else []
            if not kinds:
                raise ValueError(f"a point gives a number to each symbol and entry, a Lambda to each function: {key}")
            for kind, meaning in kinds:
                functions[kind.__name__] = put[kind] = sp.Lambda(value.variables, meaning)
    return put, Point(values, functions)


def _refute(step: Any, after: Any, method: str) -> Found:
    for pairs in step.by:
        put, _ = _at(step, pairs)
        plain = {key: value for key, value in put.items() if isinstance(key, sp.Basic)}
        relation = fresh(after)
        for kind, meaning in put.items():
            if not isinstance(kind, sp.Basic):
                relation = relation.replace(kind, meaning)
        relation = relation.subs({k: v for k, v in plain.items() if k.is_Symbol}).doit()
        relation = relation.subs(plain).doit()
        if relation not in (sp.true, sp.false):
            relation = sp.simplify(relation)
        if relation != sp.false:
            return "", f"it is {relation} there"
    return "exact values", ""


def _refuting(step: Any, point: Point) -> list[Point]:
    return [_at(step, pairs)[1] for pairs in step.by]


def _compare_refuted(step: Any, after: Any, point: Point) -> bool | None:
    try:
        return not point.holds(after)
    except Undecided:  # as of two equal balls: then it is not seen to be false
        return False


def _true_relations(step: Any) -> tuple[Any, ...]:
    """What must not be refuted: the corrected formula and, always, the right side against itself."""
    if not step.by or not step.before.is_Relational:
        raise ValueError("refute needs a relational and a point, by=({symbol: value},)")
    strict = isinstance(step.before, (sp.Gt, sp.Lt, sp.Ne))
    plain = step.before.func(
        step.before.rhs + (sp.Rational(step.before.func is sp.Gt) * 2 - 1) * strict,
        step.before.rhs,
        evaluate=False,
    )
    return (plain, *([step.after] if step.after != sp.false else []), *step.wrong)


INFERENCE = {
    "solve": Rule(_solve, _compare_residuals),
    "induction": Rule(_induction, _compare_unrolled),
    "inequality": Rule(_inequality, _compare_excess),
    "refute": Rule(
        _refute,
        _compare_refuted,
        wrong=_true_relations,
        right=lambda step: step.before,
        spread=_refuting,
        draws=1,
    ),
}

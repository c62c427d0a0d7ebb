"""The rules of algebra: for each, what is shown symbolically and what is compared at a point.

===========  =================================================================================================
rule         ``before`` becomes ``after``, by ``by``
===========  =================================================================================================
rewrite      equal expressions (or tuples, or matrices of them)
collapse     the same after Kronecker deltas are contracted
reindex      dummies renamed; ``by`` lists symmetric bases ``A``, bijections ``s`` of an index range,
             and substitutions ``(i, n - 1 - i)``
substitute   ``by = ((old, new), ...)``; ``(x[i], f(i))`` and ``(sigma(u), tanh(u))`` are patterns
===========  =================================================================================================

:mod:`gnomon.proof.calculus` and :mod:`gnomon.proof.inference` hold the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq
from sympy.core.function import AppliedUndef, UndefinedFunction

from gnomon.proof.enclosure import BITS
from gnomon.proof.indexed import collapse
from gnomon.proof.is_zero import zero
from gnomon.proof.normal_form import canon, fresh
from gnomon.proof.sample_points import Point, agree, replaced

Found = tuple[str, str]  # the method that decided, or an empty string; a note


def entries(value: Any) -> list[Any]:
    """The expressions that a side consists of."""
    if isinstance(value, sp.MatrixBase):
        return list(value)
    if isinstance(value, (tuple, sp.Tuple, sp.FiniteSet)):
        return list(value)
    return [value]


def parts(value: Any) -> Iterator[Any]:
    """Every SymPy object within tuples, dictionaries and matrices."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from parts(item)
    elif isinstance(value, Mapping):
        yield from parts(tuple(value.items()))
    elif isinstance(value, sp.MatrixBase):
        yield from value
    elif isinstance(value, sp.Basic):
        yield value


def given(step: Any) -> list[Any]:
    """What the step's assumptions say is nonnegative."""
    return [
        relation.gts - relation.lts for relation in step.assume if isinstance(relation, (sp.Gt, sp.Ge, sp.Lt, sp.Le))
    ]


def all_zero(lefts: Any, rights: Any, step: Any, method: str) -> str:
    """The methods that show two sides equal, entry by entry."""
    lefts, rights = entries(lefts), entries(rights)
    if len(lefts) != len(rights):
        return ""
    asked = method.split(", ") if method.count(", ") == len(lefts) - 1 else [""] * len(lefts)
    found = [_zero(a - b, step, one) for a, b, one in zip(lefts, rights, asked, strict=True)]
    return ", ".join(found) if all(found) else ""


def _zero(e: Any, step: Any, method: str) -> str:
    """The method that shows an expression to be zero, with the equations that the step assumes put in or without."""
    equations = [(equation.lhs, equation.rhs) for equation in step.assume if isinstance(equation, sp.Eq)]
    found = zero(substituted(canon(collapse(e)), equations, required=False), given(step), method) if equations else ""
    return found or zero(e, given(step), method)


def all_agree(point: Point, lefts: Any, rights: Any, bits: int = BITS) -> bool | None:
    """Whether two sides agree at a point: false if one entry differs, None if one could not be told."""
    lefts, rights = entries(lefts), entries(rights)
    if len(lefts) != len(rights):
        return False
    verdicts = [agree(point.enclose(a, bits), point.enclose(b, bits)) for a, b in zip(lefts, rights, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


def usual_wrongs(step: Any) -> tuple[Any, ...]:
    """``-after``, ``2*after``, ``after + 1``, as far as they differ from ``after``; and those of the step."""
    after = step.after
    made = [_each(after, lambda e: -e), _each(after, lambda e: 2 * e), _each(after, lambda e: e + 1)]
    return (*(wrong for wrong in made if not _alike(wrong, after)), *step.wrong)


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, sp.MatrixBase):
        return value.applyfunc(change)
    if isinstance(value, (tuple, sp.Tuple, sp.FiniteSet)):
        changed = [change(e) for e in value]
        return tuple(changed) if isinstance(value, tuple) else value.func(*changed)
    return change(value)


def _alike(a: Any, b: Any) -> bool:
    if a == b:
        return True
    if isinstance(a, sp.FiniteSet):
        return False
    return all(x == y or canon(x - y) == 0 for x, y in zip(entries(a), entries(b), strict=True))


def assumed_ranges(step: Any) -> list[tuple[Any, Any, Any]]:
    """The ranges that contracting deltas takes for granted, on either side."""
    found: list[tuple[Any, Any, Any]] = []
    for e in parts((step.before, step.after)):
        if isinstance(e, sp.Expr):
            collapse(e, found)
    return found


@dataclass(frozen=True)
class Rule:
    """A rule as two certificates for ``after`` being what ``before`` becomes.

    Attributes:
        symbolic: ``(step, after, method)`` to the method that shows it (asking no other where one is given) and a note.
        numeric: ``(step, after, point)`` to whether both sides agree there, None where the point cannot tell.
        wrong: what must be refused in the place of ``after``.
        ranges: the ranges that free indices are taken to lie in.
        symmetric: names of index bases that get symmetric entries.
        assume: relationals that the rule itself needs to hold at the points.
        right: what the certificates are asked to accept.
        spread: the points to compare at in the place of a drawn one.
        draws: how many drawn points are enough.
    """

    symbolic: Callable[[Any, Any, str], Found]
    numeric: Callable[[Any, Any, Point], bool | None]
    wrong: Callable[[Any], tuple[Any, ...]] = usual_wrongs
    ranges: Callable[[Any], list[tuple[Any, Any, Any]]] = assumed_ranges
    symmetric: Callable[[Any], list[str]] = lambda step: []
    assume: Callable[[Any], tuple[Any, ...]] = lambda step: ()
    right: Callable[[Any], Any] = lambda step: step.after
    spread: Callable[[Any, Point], list[Point]] = lambda step, point: [point]
    draws: int = 6


def granted(ranges: Iterable[tuple[Any, Any, Any]]) -> str:
    """The note of what contraction takes for granted."""
    told = ", ".join(dict.fromkeys(f"{lo} <= {k} <= {hi}" for k, lo, hi in ranges))
    return f"taking {told}" if told else ""


# ---------------------------------------------------------------- rewrite, collapse


def _rewrite(step: Any, after: Any, method: str) -> Found:
    if step.before == after == step.after:
        raise ValueError("both sides are the same already, so that nothing is shown: SymPy worked it out on the way")
    if any(e.is_Relational for e in parts((step.before, after))):
        raise ValueError("rewrite compares expressions: give left side minus right side, or use solve or inequality")
    return all_zero(step.before, after, step, method), granted(assumed_ranges(step))


def compare_sides(step: Any, after: Any, point: Point) -> bool | None:
    """The plain comparison of both sides."""
    return all_agree(point, step.before, after)


# ---------------------------------------------------------------- reindex


def _symmetric(step: Any) -> list[str]:
    return [str(base.label) for base in step.by if isinstance(base, sp.IndexedBase)]


def _reindex(step: Any, after: Any, method: str) -> Found:
    before = step.before
    for how in step.by:
        if isinstance(how, UndefinedFunction):
            before = before.replace(lambda e: isinstance(e, sp.Sum), lambda e, s=how: _permuted(e, s))
        elif not isinstance(how, sp.IndexedBase):
            before = before.replace(lambda e: isinstance(e, sp.Sum), lambda e, pair=how: _moved(e, *pair))
    return all_zero(canon(before - after, _symmetric(step)), sp.S.Zero, step, method), ""


def _permuted(e: Any, s: Any) -> Any:
    """``sum_j F(s(j)) = sum_j F(j)`` for a bijection s of the range of j."""
    for j in e.variables:
        if not e.function.has(s(j)):
            continue
        new = sp.Dummy(j.name, integer=True)
        body = e.function.xreplace({s(j): new})
        if j in body.free_symbols or any(j in end.free_symbols for _, lo, hi in e.limits for end in (lo, hi)):
            raise ValueError(f"{e} uses {j} itself besides {s(j)}: renaming {s(j)} would change it")
        e = e.func(body, *[(new, lo, hi) if v == j else (v, lo, hi) for v, lo, hi in e.limits])
    return e


def _moved(e: Any, i: Any, new: Any) -> Any:
    """``sum_i F(i)`` with ``i = c + i`` or ``i = c - i`` put in."""
    if i not in e.variables:
        return e
    slope = sp.expand(new).coeff(i)
    shift = sp.expand(new - slope * i)
    if slope not in (1, -1) or i in shift.free_symbols:
        raise ValueError(f"{i} -> {new} is no shift or reversal of a range")
    e = fresh(e) if any(i in inner.variables for inner in e.function.atoms(sp.Sum)) else e
    limits = []
    for v, lo, hi in e.limits:
        ends = [end.xreplace({i: new}) for end in (lo, hi)]
        if v == i:
            ends = [lo - shift, hi - shift] if slope == 1 else [shift - hi, shift - lo]
        limits.append((v, *ends))
    return e.func(e.function.xreplace({i: new}), *limits)


def _compare_permuted(step: Any, after: Any, point: Point) -> bool | None:
    moved = {s.__name__: _bijection(step.before, s, point) for s in step.by if isinstance(s, UndefinedFunction)}
    return all_agree(Point(point.values, {**point.functions, **moved}), step.before, after)


def _bijection(e: Any, s: Any, point: Point) -> Callable[[Any], Any]:
    """The cyclic shift of the range over which s is applied (and the identity outside of it)."""
    for total in e.atoms(sp.Sum):
        for v, lo, hi in total.limits:
            if total.function.has(s(v)):
                first, last = (int(point.enclose(end).unique_fmpz()) for end in (lo, hi))
                count = last - first + 1
                return lambda k: fmpq(first + (int(k.p) - first + 1) % count) if first <= k <= last else k
    raise ValueError(f"no sum runs over the argument of {s}")


# ---------------------------------------------------------------- substitute


def substituted(e: Any, pairs: Iterable[tuple[Any, Any]], required: bool = True) -> Any:
    """Put ``new`` in the place of ``old`` everywhere, all pairs at once and without capture.

    An ``old`` that is ``x[i]`` or ``f(u)`` with plain symbols in it is a pattern; one for an opaque function
    brings those for its derivatives along.

    Raises:
        ValueError: if an ``old`` does not occur, unless that is not ``required``.
    """
    left = dict(pairs)
    whole = {old: fresh(new) for old, new in left.items() if pattern(old) is None}
    bases = {old.base: (old.indices, fresh(new)) for old, new in left.items() if pattern(old) is sp.Indexed}
    kinds = {
        kind: (old.args, fresh(meaning), old)
        for old, new in left.items()
        if pattern(old) is sp.Function
        for kind, meaning in family(old, new)
    }

    def put(x: Any) -> Any:
        for old, new in whole.items():
            if x == old or (type(x) is type(old) and old.has(sp.Sum, sp.Product) and canon(x) == canon(old)):
                left.pop(old, None)
                return new
        if not isinstance(x, sp.Basic) or not x.args:
            return x
        if isinstance(x, sp.Indexed) and x.base in bases:
            indices, new = bases[x.base]
            left.pop(x.base[indices], None)
            return new.xreplace(dict(zip(indices, map(put, x.indices), strict=True)))
        if isinstance(x, sp.Function) and x.func in kinds:
            variables, meaning, old = kinds[x.func]
            left.pop(old, None)
            return meaning.xreplace(dict(zip(variables, map(put, x.args), strict=True)))
        return x.func(*[put(arg) for arg in x.args])

    result = put(fresh(e))
    for old, new in whole.items():
        if old.has(sp.Sum, sp.Product) and (more := canon(result)).has(canon(old)):  # as a factor pulled out
            result = more.xreplace({canon(old): new})
        elif old in left and (more := result.subs(old, new)) != result:  # as a part of a longer sum or product
            result = more
        elif old in left:
            continue
        left.pop(old, None)
    if left and required:
        raise ValueError(f"{next(iter(left))} does not occur in {e}")
    return result.replace(lambda x: isinstance(x, sp.Derivative), lambda x: x.doit())


def pattern(old: Any) -> Any:
    """``Indexed`` or ``Function`` if it stands for all entries or applications, None if for itself alone."""
    if isinstance(old, sp.Indexed) and all(i.is_Symbol for i in old.indices):
        return sp.Indexed
    unknown = isinstance(old, AppliedUndef) or hasattr(old, "family")
    return sp.Function if unknown and all(u.is_Symbol for u in old.args) else None


def family(old: Any, new: Any) -> list[tuple[Any, Any]]:
    """An opaque function and its derivatives, from the one given on, with their meanings."""
    found, kind = [(old.func, sp.sympify(new))], old.func
    while hasattr(kind, "derivative") and kind.derivative is not None:
        kind = kind.derivative
        found.append((kind, found[-1][1].diff(old.args[0])))
    return found


def _substitute(step: Any, after: Any, method: str) -> Found:
    befores = [substituted(e, step.by) for e in entries(step.before)]
    return all_zero(tuple(befores), after, step, method), ""


def bound_to(point: Point, pairs: Iterable[tuple[Any, Any]]) -> Point:
    """The point at which each ``old`` has the value that ``new`` has at the given one."""
    values, functions = dict(point.values), dict(point.functions)
    for old, new in pairs:
        if isinstance(old, sp.Symbol):
            values[old.name] = point.exact(new)
        elif pattern(old) is sp.Indexed:
            values[str(old.base.label)] = point.entries(old.indices, new)
        elif isinstance(old, sp.Indexed):
            at = tuple(int(point.exact(i).p) for i in old.indices)
            values[str(old.base.label)] = replaced(values[str(old.base.label)], at, point.exact(new))
        elif pattern(old) is sp.Function:
            for kind, meaning in family(old, new):
                lasting = isinstance(old, AppliedUndef)  # so that it can be differentiated
                functions[kind.__name__] = (
                    sp.Lambda(old.args, meaning) if lasting else _callable(point, old.args, meaning)
                )
    return Point(values, functions)


def _callable(point: Point, variables: Any, meaning: Any) -> Callable[..., Any]:
    return lambda *args: point.at(**{v.name: a for v, a in zip(variables, args, strict=True)}).exact(meaning)


def _compound(step: Any) -> tuple[Any, ...]:
    """An expression put for an expression: an equation that is to hold at the points."""
    pairs = [(old, sp.sympify(new)) for old, new in step.by]
    return tuple(
        sp.Eq(new, old, evaluate=False) if new.is_Symbol else sp.Eq(old, new, evaluate=False)
        for old, new in pairs
        if not isinstance(old, (sp.Symbol, sp.Indexed)) and pattern(old) is None
    )


def _compare_substituted(step: Any, after: Any, point: Point) -> bool | None:
    there = bound_to(point, step.by)
    lefts, rights = entries(step.before), entries(after)
    if len(lefts) != len(rights):
        return False
    verdicts = [agree(there.enclose(a), point.enclose(b)) for a, b in zip(lefts, rights, strict=True)]
    return False if False in verdicts else None if None in verdicts else True


ALGEBRA = {
    "rewrite": Rule(_rewrite, compare_sides),
    "collapse": Rule(_rewrite, compare_sides),
    "reindex": Rule(_reindex, _compare_permuted, symmetric=_symmetric),
    "substitute": Rule(_substitute, _compare_substituted, assume=_compound),
}

"""A second opinion on formulas: SymPy expressions enclosed by Arb balls at exact points.

Only the tree of an expression is read; nothing of SymPy's calculus or simplification, and nothing of the rest
of the engine, takes part. See :mod:`gnomon.proof.exact_numbers` for the numbers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq
from sympy.codegen.cfunctions import expm1, log1p

from gnomon.proof import exact_numbers
from gnomon.proof.exact_numbers import EncloseError, OutOfDomain, Undecided, number
from gnomon.proof.reductions import ArgMax, ArgMin, Kept, Largest, LogSumExp, Smallest

__all__ = ["BITS", "EncloseError", "Encloser", "OutOfDomain", "Undecided", "enclose", "holds"]

BITS = 128
_MOST_TERMS = 20_000  # of one sum or product

Env = Mapping[Any, Any]  # what bound variables and the parameters of functions stand for


def enclose(
    expr: Any,
    values: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    functions: Mapping[str, Any] | None = None,
    bits: int = BITS,
) -> arb:
    """A ball that contains the value of the expression.

    Args:
        values: by name; a number (exact: int, Fraction, SymPy rational; or a ball) for a symbol, and for an
            index base a mapping from tuples of indices, or a callable of the indices.
        sizes: whole numbers by name, for the symbols that bound sums and for free indices.
        functions: by name, for functions that SymPy does not know: a callable of numbers, or a ``Lambda``.

    Raises:
        EncloseError: if a part of the expression cannot be enclosed or has no value.
        OutOfDomain: if the expression has no real value at this point.
        Undecided: if a comparison cannot be decided with these bits.
    """
    with ctx.workprec(bits):
        ball = arb(Encloser(values, sizes or {}, functions or {}).value(sp.sympify(expr), {}))
    if not ball.is_finite():
        raise OutOfDomain(f"{expr} has no finite value here")
    return ball


def holds(
    relation: Any,
    values: Mapping[str, Any],
    sizes: Mapping[str, int] | None = None,
    functions: Mapping[str, Any] | None = None,
    bits: int = BITS,
) -> bool:
    """Whether a relational, or a logical combination, is true; it raises as :func:`enclose` does."""
    with ctx.workprec(bits):
        return Encloser(values, sizes or {}, functions or {}).truth(sp.sympify(relation), {})


class Encloser:
    """The recursion over the tree, at the precision of flint's context; an environment holds the bound
    variables.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        sizes: Mapping[str, int],
        functions: Mapping[str, Any],
        analytic: bool = False,
    ) -> None:
        self.values, self.sizes, self.functions, self.analytic = values, sizes, functions, analytic

    def value(self, e: Any, env: Env) -> Any:
        rule = _rule(e.__class__)
        if rule is not None:
            return rule(self, e, env)
        if isinstance(e, sp.Function):
            return self.application(e, env)
        raise EncloseError(f"cannot enclose {type(e).__name__}: {e}")

    def whole(self, e: Any, env: Env) -> int:
        value = self.value(e, env)
        if isinstance(value, fmpq) and value.q == 1:
            return int(value.p)
        raise EncloseError(f"{e} should be a whole number here, got {value}")

    def symbol(self, e: Any, env: Env) -> Any:
        if e in env:
            return env[e]
        if e.name in self.sizes:
            return number(self.sizes[e.name])
        if e.name in self.values:
            return number(self.values[e.name])
        raise EncloseError(f"{e} has no value")

    def indexed(self, e: Any, env: Env) -> Any:
        name, at = _label(e.base), tuple(self.whole(index, env) for index in e.indices)
        entries = self.values.get(name)
        if callable(entries):
            return number(entries(*at))
        if entries is None or at not in entries:
            raise EncloseError(f"{name}{list(at)} has no value")
        return number(entries[at])

    def application(self, e: Any, env: Env) -> Any:
        name = e.func.__name__
        if hasattr(e, "enclosed"):
            return e.enclosed(*[self.value(arg, env) for arg in e.args])
        if name not in self.functions:
            raise EncloseError(f"the function {name} has no meaning here: {e}")
        meaning, args = self.functions[name], [self.value(arg, env) for arg in e.args]
        if isinstance(meaning, sp.Lambda):
            return self.value(meaning.expr, dict(zip(meaning.variables, args, strict=True)))
        return number(meaning(*args))

    def add(self, e: Any, env: Env) -> Any:
        total = fmpq(0)
        for arg in e.args:
            total = total + self.value(arg, env)
        return total

    def mul(self, e: Any, env: Env) -> Any:
        total = fmpq(1)
        for arg in e.args:
            total = total * self.value(arg, env)
        return total

    def power(self, e: Any, env: Env) -> Any:
        return exact_numbers.power(self.value(e.base, env), self.value(e.exp, env), self.analytic)

    def delta(self, e: Any, env: Env) -> fmpq:
        return fmpq(int(exact_numbers.equal(self.value(e.args[0], env), self.value(e.args[1], env))))

    def truth(self, e: Any, env: Env) -> bool:
        if e in (sp.true, sp.false):
            return bool(e)
        if isinstance(e, (sp.And, sp.Or)):
            return self.combination(e, env)
        if isinstance(e, sp.Not):
            return not self.truth(e.args[0], env)
        if not e.is_Relational:
            raise EncloseError(f"cannot decide {type(e).__name__}: {e}")
        a, b = self.value(e.lhs, env), self.value(e.rhs, env)
        if isinstance(e, (sp.Eq, sp.Ne)):
            return exact_numbers.equal(a, b) is isinstance(e, sp.Eq)
        if isinstance(e, (sp.Gt, sp.Ge)):
            a, b = b, a
        return exact_numbers.less(a, b) if isinstance(e, (sp.Lt, sp.Gt)) else not exact_numbers.less(b, a)

    def combination(self, e: Any, env: Env) -> bool:
        """``And`` and ``Or``, decided by any part that decides alone."""
        stop, unknown = isinstance(e, sp.Or), None
        for arg in e.args:
            try:
                if self.truth(arg, env) is stop:
                    return stop
            except Undecided as reason:
                unknown = reason
        if unknown:
            raise unknown
        return not stop

    def piecewise(self, e: Any, env: Env) -> Any:
        for branch, condition in e.args:
            if self.truth(condition, env):
                return self.value(branch, env)
        raise OutOfDomain(f"no branch of {e} holds")

    def ranged(self, e: Any, env: Env) -> Any:
        """A sum or a product over concrete ranges, the outermost limit first.

        An empty range gives 0 or 1. One that runs backwards by more than one is out of the domain: SymPy reads it with
        the opposite sign, and hardly anybody else does. In a theorem of the kernel it does not occur: that a range is
        at most empty is asked of every sum there (:mod:`gnomon.proof.defined`).
        """
        add = isinstance(e, sp.Sum)

        def over(limits: Any, env: Env) -> Any:
            if not limits:
                return self.value(e.function, env)
            v, lo, hi = limits[-1]
            first, last = self.whole(lo, env), self.whole(hi, env)
            if last < first - 1:
                raise OutOfDomain(f"{v} runs from {first} down to {last}")
            if last - first > _MOST_TERMS:
                raise EncloseError(f"{v} takes {last - first + 1} values, the most is {_MOST_TERMS}")
            total = fmpq(0 if add else 1)
            for at in range(first, last + 1):
                one = over(limits[:-1], {**env, v: fmpq(at)})
                total = total + one if add else total * one
            return total

        return over([tuple(limit) for limit in e.limits], env)

    def _terms(self, e: Any, env: Env) -> tuple[int, list[Any]]:
        """The terms of a reduction, one by one, and the first value of its index."""
        v, lo, hi = e.limits[0]
        first, last = self.whole(lo, env), self.whole(hi, env)
        if last < first:
            raise OutOfDomain(f"{e} is over no term at all")
        if last - first > _MOST_TERMS:
            raise EncloseError(f"{v} takes {last - first + 1} values, the most is {_MOST_TERMS}")
        return first, [self.value(e.function, {**env, v: fmpq(at)}) for at in range(first, last + 1)]

    def reduction(self, e: Any, env: Env) -> Any:
        """The greatest or the least term, or where it is first, or the logarithm of the sum of powers."""
        first, terms = self._terms(e, env)
        if isinstance(e, ArgMax):
            best = 0
            for place, term in enumerate(terms):
                pair = (term, terms[best]) if isinstance(e, ArgMin) else (terms[best], term)
                best = place if exact_numbers.less(*pair) else best
            return fmpq(first + best)
        most = terms[0]
        for term in terms[1:]:
            most = exact_numbers.extreme(most, term, not isinstance(e, Smallest), self.analytic)
        if not isinstance(e, LogSumExp) or arb(most) == arb("-inf"):
            return most
        total = fmpq(0)
        for term in terms:
            total = total + exact_numbers.exp(term - most)
        return most + exact_numbers.log(total, self.analytic)

    def extreme(self, e: Any, env: Env) -> Any:
        found, *rest = [self.value(arg, env) for arg in e.args]
        for value in rest:
            found = exact_numbers.extreme(found, value, isinstance(e, sp.Max), self.analytic)
        return found

    def heaviside(self, e: Any, env: Env) -> Any:
        at = exact_numbers.sign(self.value(e.args[0], env), self.analytic)
        return self.value(e.args[1], env) if at == 0 else (at + 1) / 2

    def modulo(self, e: Any, env: Env) -> Any:
        a, b = (self.value(arg, env) for arg in e.args)
        return a - b * exact_numbers.floor(a / b)

    def binomial(self, e: Any, env: Env) -> fmpq:
        n, k = (self.whole(arg, env) for arg in e.args)
        if n < 0:
            raise OutOfDomain(f"{e} with a negative upper number")
        return fmpq(math.comb(n, k) if k >= 0 else 0)

    def polygamma(self, e: Any, env: Env) -> Any:
        if e.args[0] != 0:
            raise EncloseError(f"of the polygamma functions only the digamma function is enclosed: {e}")
        return exact_numbers.elementary("digamma", self.value(e.args[1], env))

    def nowhere(self, e: Any, env: Env) -> Any:
        raise OutOfDomain(f"{e} is not a real number")


_Rule = Callable[[Encloser, Any, Env], Any]


def _of_one(function: Callable[[Any], Any]) -> _Rule:
    return lambda self, e, env: function(self.value(e.args[0], env))


def _cut(function: Callable[[Any, bool], Any]) -> _Rule:
    return lambda self, e, env: function(self.value(e.args[0], env), self.analytic)


_ELEMENTARY = {
    **{
        getattr(sp, name): name
        for name in ["sin", "cos", "tan", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh", "coth"]
    },
    **{getattr(sp, name): name for name in ["asinh", "acosh", "atanh", "erf", "erfc", "erfi", "gamma"]},
    sp.loggamma: "lgamma",
    expm1: "expm1",
    log1p: "log1p",
}
_RULES: dict[type, _Rule] = {
    **{kind: _of_one(functools.partial(exact_numbers.elementary, name)) for kind, name in _ELEMENTARY.items()},
    sp.Rational: lambda self, e, env: fmpq(int(e.p), int(e.q)),
    sp.Float: lambda self, e, env: number(sp.Rational(e)),
    type(sp.pi): lambda self, e, env: arb.pi(),
    type(sp.E): lambda self, e, env: arb.const_e(),
    type(sp.EulerGamma): lambda self, e, env: arb.const_euler(),
    type(sp.nan): Encloser.nowhere,
    type(sp.zoo): Encloser.nowhere,
    Kept: lambda self, e, env: self.value(e.term, env) if self.truth(e.condition, env) else arb("-inf"),
    sp.Symbol: Encloser.symbol,
    sp.Indexed: Encloser.indexed,
    sp.Add: Encloser.add,
    sp.Mul: Encloser.mul,
    sp.Pow: Encloser.power,
    sp.exp: _of_one(exact_numbers.exp),
    sp.log: _cut(exact_numbers.log),
    sp.Abs: _cut(exact_numbers.absolute),
    sp.sign: _cut(exact_numbers.sign),
    sp.floor: _of_one(exact_numbers.floor),
    sp.ceiling: _of_one(lambda x: -exact_numbers.floor(-x)),
    sp.factorial: _of_one(lambda x: exact_numbers.elementary("gamma", x + 1)),
    sp.Max: Encloser.extreme,
    sp.Min: Encloser.extreme,
    sp.Mod: Encloser.modulo,
    sp.binomial: Encloser.binomial,
    sp.polygamma: Encloser.polygamma,
    sp.Heaviside: Encloser.heaviside,
    sp.KroneckerDelta: Encloser.delta,
    sp.Piecewise: Encloser.piecewise,
    sp.Sum: Encloser.ranged,
    sp.Product: Encloser.ranged,
    **dict.fromkeys((Largest, Smallest, LogSumExp, ArgMax, ArgMin), Encloser.reduction),
}


@functools.cache
def _rule(kind: Any) -> _Rule | None:
    return next((_RULES[base] for base in kind.__mro__ if base in _RULES), None)


@functools.cache
def _label(base: Any) -> str:
    return str(base.label)

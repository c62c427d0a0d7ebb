"""A second opinion on formulas: SymPy expressions enclosed by Arb balls at exact points.

Only the tree of an expression is read; nothing of SymPy's calculus or simplification, and nothing of the rest
of the engine, takes part. Whole and rational numbers stay exact for as long as the operations allow, so that
branches on them are always decided; everything else is a ball that contains the true real value.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp
from flint import acb, arb, ctx, fmpq
from sympy.codegen.cfunctions import expm1, log1p

BITS = 128
_MOST_TERMS = 20_000  # of one sum or product
_MOST_DIGITS = 100_000  # bits of an exact power

Env = Mapping[Any, Any]  # what bound variables and the parameters of functions stand for


class EncloseError(ValueError):
    """An expression that is not made of what can be enclosed, or a symbol without a value."""


class Undecided(ArithmeticError):
    """A branch, or the edge of a domain, that the balls cannot decide at this precision."""


class OutOfDomain(ArithmeticError):
    """The expression has no real value here: the logarithm of a negative, a division by zero."""


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
        functions: by name, for functions that SymPy does not know: a callable of balls, or a ``Lambda``.

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
    """Whether a relational, or a logical combination of some, is true at a point; raises like
    :func:`enclose`.
    """
    with ctx.workprec(bits):
        return Encloser(values, sizes or {}, functions or {}).truth(sp.sympify(relation), {})


def number(value: Any) -> Any:
    """An exact number as a fraction of whole numbers; a ball as it is."""
    if isinstance(value, (arb, acb, fmpq)):
        return value
    if isinstance(value, int):
        return fmpq(value)
    if hasattr(value, "numerator") and hasattr(value, "denominator"):
        return fmpq(int(value.numerator), int(value.denominator))
    if isinstance(value, float):
        return fmpq(*value.as_integer_ratio())
    raise EncloseError(f"{value!r} is not an exact number")


class Encloser:
    """The recursion over the tree; an environment holds the bound variables.

    A value may be complex only where ``analytic`` is not None, as within an integral: then branch cuts give a
    non-finite ball in place of an exception, as ``acb.integral`` asks.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        sizes: Mapping[str, int],
        functions: Mapping[str, Any],
        analytic: bool | None = None,
    ) -> None:
        self.values, self.sizes, self.functions, self.analytic = values, sizes, functions, analytic

    def value(self, e: Any, env: Env) -> Any:
        rule = _rule(type(e))
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
        name, at = str(e.base.label), tuple(self.whole(index, env) for index in e.indices)
        entries = self.values.get(name)
        if callable(entries):
            return number(entries(*at))
        if entries is None or at not in entries:
            raise EncloseError(f"{name}{list(at)} has no value")
        return number(entries[at])

    def application(self, e: Any, env: Env) -> Any:
        name = e.func.__name__
        if name not in self.functions:
            raise EncloseError(f"the function {name} has no meaning here: {e}")
        meaning, args = self.functions[name], [self.value(arg, env) for arg in e.args]
        if isinstance(meaning, sp.Lambda):
            return self.value(meaning.expr, dict(zip(meaning.variables, args, strict=True)))
        return number(meaning(*args))

    # ------------------------------------------------------------ arithmetic

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
        base, exponent = self.value(e.base, env), self.value(e.exp, env)
        if isinstance(base, acb) or isinstance(exponent, acb):
            return self.complex_power(base, exponent)
        if isinstance(exponent, fmpq):
            return self.rational_power(base, int(exponent.p), int(exponent.q))
        if base == 0:
            if _positive(exponent):
                return fmpq(0)
            raise OutOfDomain(f"0 to a power that is not positive in {e}")
        return (exponent * self.log(base)).exp()

    def rational_power(self, base: Any, p: int, q: int) -> Any:
        if base == 0:
            if p < 0:
                raise OutOfDomain("division by zero")
            return fmpq(int(p == 0))
        if p < 0 and isinstance(base, arb) and base.contains(0):
            raise Undecided("division by a ball that contains zero")
        if q == 1:
            exact = isinstance(base, fmpq) and _bits(base) * abs(p) < _MOST_DIGITS
            return base**p if exact else arb(base) ** p
        if isinstance(base, fmpq) and base > 0 and (root := _exact_root(base, q)) is not None:
            return self.rational_power(root, p, 1)
        if not _positive(base):
            raise OutOfDomain("a root of a negative number")
        root = arb(base).sqrt() if q == 2 else arb(base).root(q)
        return root**p

    def complex_power(self, base: Any, exponent: Any) -> Any:
        if isinstance(exponent, fmpq) and exponent.q == 1:
            return acb(base) ** int(exponent.p)
        if exponent == fmpq(1, 2):
            return acb(base).sqrt(analytic=bool(self.analytic))
        return acb(base).pow(acb(exponent), analytic=bool(self.analytic))

    def log(self, value: Any) -> Any:
        if isinstance(value, acb):
            return value.log(analytic=bool(self.analytic))
        if value == 1:
            return fmpq(0)
        if not _positive(value):
            raise OutOfDomain("the logarithm of a number that is not positive")
        return arb(value).log()

    def absolute(self, value: Any) -> Any:
        if isinstance(value, acb):
            return value.real_abs(analytic=bool(self.analytic))
        return abs(value)

    # ------------------------------------------------------------ branches and ranges

    def truth(self, e: Any, env: Env) -> bool:
        if e in (sp.true, sp.false):
            return bool(e)
        if isinstance(e, (sp.And, sp.Or)):
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
        if isinstance(e, sp.Not):
            return not self.truth(e.args[0], env)
        if not e.is_Relational:
            raise EncloseError(f"cannot decide {type(e).__name__}: {e}")
        a, b = self.value(e.lhs, env), self.value(e.rhs, env)
        if isinstance(e, sp.Eq):
            return _equal(a, b)
        if isinstance(e, sp.Ne):
            return not _equal(a, b)
        if isinstance(e, (sp.Gt, sp.Ge)):
            a, b = b, a
        return _less(a, b) if isinstance(e, (sp.Lt, sp.Gt)) else not _less(b, a)

    def piecewise(self, e: Any, env: Env) -> Any:
        for branch, condition in e.args:
            if self.truth(condition, env):
                return self.value(branch, env)
        raise OutOfDomain(f"no branch of {e} holds")

    def ranged(self, e: Any, env: Env) -> Any:
        """A sum or a product over concrete ranges, the outermost limit first."""
        add = isinstance(e, sp.Sum)

        def over(limits: Any, env: Env) -> Any:
            if not limits:
                return self.value(e.function, env)
            v, lo, hi = limits[-1]
            first, last = self.whole(lo, env), self.whole(hi, env)
            if last < first - 1:
                raise OutOfDomain(f"{v} runs from {first} down to {last}")
            if last - first > _MOST_TERMS:
                raise EncloseError(f"{v} runs over {last - first + 1} values, the most is {_MOST_TERMS}")
            total = fmpq(0 if add else 1)
            for at in range(first, last + 1):
                one = over(limits[:-1], {**env, v: fmpq(at)})
                total = total + one if add else total * one
            return total

        return over([tuple(limit) for limit in e.limits], env)

    def extreme(self, e: Any, env: Env) -> Any:
        greatest = isinstance(e, sp.Max)
        found, *rest = [self.value(arg, env) for arg in e.args]
        for value in rest:
            if isinstance(found, fmpq) and isinstance(value, fmpq):
                found = value if (value > found) is greatest else found
            elif isinstance(found, acb) or isinstance(value, acb):
                choose = acb.real_max if greatest else acb.real_min
                found = choose(acb(found), acb(value), analytic=bool(self.analytic))
            else:
                found = arb(found).max(arb(value)) if greatest else arb(found).min(arb(value))
        return found

    def sign(self, value: Any) -> Any:
        if isinstance(value, acb):
            return value.real_sgn(analytic=bool(self.analytic))
        return fmpq(0 if _equal(value, fmpq(0)) else 1 if _less(fmpq(0), value) else -1)

    def floor(self, value: Any) -> Any:
        if isinstance(value, fmpq):
            return fmpq(value.p // value.q)
        whole = arb(value).floor().unique_fmpz()
        if whole is None:
            raise Undecided("the whole part of a ball on a whole number")
        return fmpq(whole)

    def elementary(self, name: str, value: Any) -> Any:
        if value == 0 and name in _ZERO_AT_ZERO:
            return fmpq(0)
        if isinstance(value, acb):
            return getattr(value, name)()
        found = getattr(arb(value), name)()
        if not found.is_finite():
            raise OutOfDomain(f"{name} of {value}")
        return found


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a == b)
    a, b = arb(a), arb(b)
    if not a.overlaps(b):
        return False
    if a.is_exact() and b.is_exact():
        return True
    raise Undecided("two balls that overlap may be equal")


def _less(a: Any, b: Any) -> bool:
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a < b)
    a, b = arb(a), arb(b)
    if a < b:
        return True
    if a >= b:
        return False
    raise Undecided("two balls that overlap cannot be ordered")


def _positive(value: Any) -> bool:
    return _less(fmpq(0), value)


def _bits(value: Any) -> int:
    return max(int(value.p).bit_length(), int(value.q).bit_length())


def _exact_root(value: Any, q: int) -> Any:
    """The exact q-th root of a positive fraction, or None."""
    if q != 2:
        return fmpq(1) if value == 1 else None
    roots = math.isqrt(int(value.p)), math.isqrt(int(value.q))
    return fmpq(*roots) if (roots[0] ** 2, roots[1] ** 2) == (int(value.p), int(value.q)) else None


_ZERO_AT_ZERO = {
    "sin",
    "tan",
    "sinh",
    "tanh",
    "asin",
    "atan",
    "asinh",
    "atanh",
    "erf",
    "erfi",
    "expm1",
    "log1p",
}
_ELEMENTARY = {
    sp.sin: "sin", sp.cos: "cos", sp.tan: "tan", sp.cot: "cot", sp.asin: "asin", sp.acos: "acos", sp.atan: "atan",
    sp.sinh: "sinh", sp.cosh: "cosh", sp.tanh: "tanh", sp.coth: "coth", sp.asinh: "asinh", sp.acosh: "acosh",
    sp.atanh: "atanh", sp.erf: "erf", sp.erfc: "erfc", sp.erfi: "erfi", sp.gamma: "gamma", sp.loggamma: "lgamma",
    sp.digamma: "digamma", expm1: "expm1", log1p: "log1p",
}  # fmt: skip


def _of_one(method: Callable[[Encloser, Any], Any]) -> Callable[[Encloser, Any, Env], Any]:
    return lambda self, e, env: method(self, self.value(e.args[0], env))


def _delta(self: Encloser, e: Any, env: Env) -> Any:
    return fmpq(int(_equal(self.value(e.args[0], env), self.value(e.args[1], env))))


def _step(self: Encloser, e: Any, env: Env) -> Any:
    at = self.sign(self.value(e.args[0], env))
    return self.value(e.args[1], env) if at == 0 else (at + 1) / 2


def _modulo(self: Encloser, e: Any, env: Env) -> Any:
    a, b = (self.value(arg, env) for arg in e.args)
    return a - b * self.floor(a / b)


def _binomial(self: Encloser, e: Any, env: Env) -> Any:
    n, k = (self.whole(arg, env) for arg in e.args)
    if n < 0:
        raise OutOfDomain(f"{e} with a negative upper number")
    return fmpq(math.comb(n, k) if k >= 0 else 0)


def _nowhere(self: Encloser, e: Any, env: Env) -> Any:
    raise OutOfDomain(f"{e} is not a real number")


_RULES: dict[type, Callable[[Encloser, Any, Env], Any]] = {
    sp.Rational: lambda self, e, env: fmpq(int(e.p), int(e.q)),
    sp.Float: lambda self, e, env: number(sp.Rational(e)),
    type(sp.pi): lambda self, e, env: arb.pi(),
    type(sp.E): lambda self, e, env: arb.const_e(),
    type(sp.EulerGamma): lambda self, e, env: arb.const_euler(),
    type(sp.nan): _nowhere,
    type(sp.zoo): _nowhere,
    sp.Symbol: Encloser.symbol,
    sp.Indexed: Encloser.indexed,
    sp.Add: Encloser.add,
    sp.Mul: Encloser.mul,
    sp.Pow: Encloser.power,
    sp.exp: _of_one(lambda self, x: fmpq(1) if x == 0 else x.exp() if isinstance(x, acb) else arb(x).exp()),
    sp.log: _of_one(Encloser.log),
    sp.Abs: _of_one(Encloser.absolute),
    sp.sign: _of_one(Encloser.sign),
    sp.floor: _of_one(Encloser.floor),
    sp.ceiling: _of_one(lambda self, x: -self.floor(-x)),
    sp.factorial: _of_one(lambda self, x: self.elementary("gamma", x + 1)),
    sp.Max: Encloser.extreme,
    sp.Min: Encloser.extreme,
    sp.Mod: _modulo,
    sp.binomial: _binomial,
    sp.Heaviside: _step,
    sp.KroneckerDelta: _delta,
    sp.Piecewise: Encloser.piecewise,
    sp.Sum: Encloser.ranged,
    sp.Product: Encloser.ranged,
    **{
        kind: _of_one(functools.partial(lambda name, self, x: self.elementary(name, x), name))
        for kind, name in _ELEMENTARY.items()
    },
}


@functools.cache
def _rule(kind: type) -> Callable[[Encloser, Any, Env], Any] | None:
    return next((_RULES[base] for base in kind.__mro__ if base in _RULES), None)

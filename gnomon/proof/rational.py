"""Exact quotients of polynomials (python-flint) over the opaque parts of an expression."""

from __future__ import annotations

import math
from typing import Any

import sympy as sp
from flint import Ordering, fmpq, fmpq_mpoly_ctx

Key = tuple[Any, Any]  # (base, exponent without its rational factor)


def vanishes(e: Any) -> bool:
    """Whether an expression is zero as a quotient of polynomials in its opaque parts: symbols, sums, functions, roots.

    Roots of anything, the imaginary unit, signs ``(-1)**k = exp(I*pi*k)`` and absolute values of reals obey their
    equation (``sqrt(a)**2 = a``), and ``b**(c*x)`` with rational c is a power of one part. Yes is certain wherever no
    denominator is zero.
    """
    fractions = _Fractions(e)
    above, below = fractions.convert(e)
    return bool(fractions.reduced(below) != 0) and bool(fractions.reduced(above) == 0)


class _Fractions:
    """Each part is ``base ** (rest / q)``, with the least q that makes all powers of it whole."""

    def __init__(self, e: Any) -> None:
        self.orders: dict[Key, int] = {}
        self._collect(e)
        self.keys = list(self.orders)
        self.at = {key: k for k, key in enumerate(self.keys)}
        names = [f"g{k}" for k in range(max(1, len(self.keys)))]
        self.context = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
        self.parts = self.context.gens()
        self.one = self.context.constant(1)

    def _collect(self, e: Any) -> None:
        if e.is_Rational:
            return
        if e.is_Add or e.is_Mul:
            for arg in e.args:
                self._collect(arg)
            return
        for base, rest, p in _powers(e):
            composite = rest == 1 and _is_composite(base)
            if not (composite and p.q == 1):
                self.orders[base, rest] = math.lcm(self.orders.get((base, rest), 1), int(p.q))
            if composite:
                self._collect(base)
            elif isinstance(base, sp.Abs):
                self._collect(base.args[0])

    def convert(self, e: Any) -> tuple[Any, Any]:
        """Numerator and denominator."""
        if e.is_Rational:
            return self.context.constant(fmpq(int(e.p), int(e.q))), self.one
        if e.is_Add:
            above, below = self.context.constant(0), self.one
            for a, b in map(self.convert, e.args):
                common = self.one if b == below else below.gcd(b)
                if b == below:
                    above = above + a
                else:
                    above, below = above * (b / common) + a * (below / common), below * (b / common)
            return above, below
        above, below = self.one, self.one
        if e.is_Mul:
            for a, b in map(self.convert, e.args):
                above, below = above * a, below * b
            return above, below
        for base, rest, p in _powers(e):
            if rest == 1 and _is_composite(base) and p.q == 1:
                (a, b), power = self.convert(base), int(p)
            else:
                a, b, power = self.parts[self.at[base, rest]], self.one, int(p * self.orders[base, rest])
            if power < 0:
                a, b, power = b, a, -power
            above, below = above * a**power, below * b**power
        return above, below

    def reduced(self, polynomial: Any) -> Any:
        """The polynomial with each root below its order, times a factor that is not zero; outer roots go
        first.
        """
        for key in sorted(self.keys, key=lambda key: -len(list(sp.preorder_traversal(key[0])))):
            order, meaning = self._equation(key)
            at = self.at[key]
            most = max((int(powers[at]) // order for powers in polynomial.monoms()), default=0) if order > 1 else 0
            if most == 0:
                continue
            above, below = self.convert(meaning)
            total = self.context.constant(0)
            for powers, coefficient in polynomial.to_dict().items():
                times, left = divmod(int(powers[at]), order)
                kept = tuple(left if k == at else int(power) for k, power in enumerate(powers))
                total += self.context.from_dict({kept: coefficient}) * above**times * below ** (most - times)
            polynomial = total
        return polynomial

    def _equation(self, key: Key) -> tuple[int, Any]:
        """``(order, meaning)`` of a part with ``part ** order = meaning``; order 1 if it obeys none."""
        base, rest = key
        if rest == 1 and base is sp.I:
            return 2, sp.S.NegativeOne
        turns = rest if base is sp.S.NegativeOne else rest / (sp.I * sp.pi) if base is sp.E else sp.S.Half
        if rest != 1 and turns.is_integer:
            return 2 * self.orders[key], sp.S.One
        if rest == 1 and isinstance(base, sp.Abs) and base.args[0].is_real:
            return 2 * self.orders[key], base.args[0] ** 2
        if rest == 1 and _is_composite(base):
            return self.orders[key], base
        return 1, base


def _is_composite(e: Any) -> bool:
    return bool(e.is_Add or e.is_Mul or e.is_Pow or e.is_Rational) or isinstance(e, sp.exp)


def _powers(e: Any) -> list[tuple[Any, Any, Any]]:
    """``e`` as a product of ``(base ** rest) ** p`` with rational p; the roots of a number are those of its
    primes.
    """
    if not (e.is_Pow or isinstance(e, sp.exp)):
        return [(e, sp.S.One, sp.S.One)]
    base, exponent = e.as_base_exp()
    if exponent.is_Add:
        return [one for part in exponent.args for one in _powers(base**part)]
    p, rest = exponent.as_coeff_Mul()
    if not p.is_Rational:
        p, rest = sp.S.One, exponent
    if rest == 1 and base.is_Rational and base > 0 and p.q > 1:
        primes = [(prime, n * p) for prime, n in sp.factorint(base.p).items()]
        primes += [(prime, -n * p) for prime, n in sp.factorint(base.q).items()]
        return [(sp.Integer(prime), rest, power) for prime, power in primes]
    return [(base, rest, p)]

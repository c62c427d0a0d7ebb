"""Whether an expression is zero, decided by normal forms: sums first, then exact fractions over what is left.

Each method is sound by itself: *yes* means zero wherever the expression is defined over the reals. The name of the
method that decided is handed back, so that the same method can be asked to reject a wrong formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import Ordering, fmpq, fmpq_mpoly_ctx
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from gnomon.indexed import collapse
from gnomon.normal import canon

_MOST_OPERATIONS = 300  # of an expression handed to SymPy's simplify, which has no bound on its time
_FARTHEST = 3  # by how many steps the ends of two sums may differ


def zero(expr: Any, method: str = "") -> str:
    """The name of the method that shows the expression to be zero, or an empty string; with ``method`` only that."""
    e = canon(collapse(sp.sympify(expr)))
    if e == 0:
        return "normal form"
    if method:
        return method if method in METHODS and METHODS[method](e) else ""
    return next((name for name, decide in METHODS.items() if decide(e)), "")


# ---------------------------------------------------------------- exact fractions


class _Fractions:
    """An expression as a quotient of polynomials (python-flint) over its own opaque parts.

    ``b**(p/q)`` is a power of the part ``b**(1/q)``, whose q-th power is b again; so are roots of numbers, the
    imaginary unit and absolute values. ``b**(c*x)`` with rational c is a power of ``b**(x/q)``.
    """

    def __init__(self, e: Any) -> None:
        self.roots: dict[Any, int] = {}  # (base, rest of the exponent) -> q
        self.collect(e)
        self.keys = list(self.roots)
        self.at = {key: k for k, key in enumerate(self.keys)}
        self.context = fmpq_mpoly_ctx.get([f"g{k}" for k in range(max(1, len(self.keys)))], Ordering.degrevlex)
        self.parts = self.context.gens()
        self.one = self.context.constant(1)

    def is_zero(self, e: Any) -> bool:
        above, below = self.convert(e)
        return self.reduced(below) != 0 and self.reduced(above) == 0

    def collect(self, e: Any) -> None:
        if e.is_Rational:
            return
        if e.is_Add or e.is_Mul:
            for arg in e.args:
                self.collect(arg)
            return
        for base, rest, p in _factors(e):
            if rest == 1 and p.q == 1 and base != e:
                self.collect(base)
                continue
            key = (base, rest)
            self.roots[key] = math.lcm(self.roots.get(key, 1), int(p.q))
            if rest == 1 and p.q > 1:
                self.collect(_meaning(base))

    def convert(self, e: Any) -> tuple[Any, Any]:
        if e.is_Rational:
            return self.context.constant(fmpq(int(e.p), int(e.q))), self.one
        above, below = self.one, self.one
        if e.is_Add:
            above = self.context.constant(0)
            for arg in e.args:
                a, b = self.convert(arg)
                if b == below:
                    above = above + a
                    continue
                common = below.gcd(b)
                above, below = above * (b / common) + a * (below / common), below * (b / common)
            return above, below
        if e.is_Mul:
            for arg in e.args:
                a, b = self.convert(arg)
                above, below = above * a, below * b
            return above, below
        for base, rest, p in _factors(e):
            if rest == 1 and p.q == 1 and base != e:
                a, b = self.convert(base)
                power = int(p)
            else:
                key = (base, rest)
                a, b = self.parts[self.at[key]], self.one
                power = int(p * self.roots[key])
            above, below = (above * a**power, below * b**power) if power >= 0 else (above * b**-power, below * a**-power)
        return above, below

    def reduced(self, polynomial: Any) -> Any:
        """The polynomial with every power of a root below its order (times something that is not zero)."""
        for key in sorted(self.keys, key=lambda key: -len(list(sp.preorder_traversal(key[0])))):
            base, rest = key
            q = self.roots[key]
            if rest != 1 or q == 1:
                continue
            at = self.at[key]
            most = max((exponents[at] // q for exponents in polynomial.monoms()), default=0)
            if most == 0:
                continue
            above, below = self.convert(_meaning(base))
            total = self.context.constant(0)
            for exponents, coefficient in polynomial.to_dict().items():
                times, left = divmod(int(exponents[at]), q)
                kept = tuple(left if k == at else int(power) for k, power in enumerate(exponents))
                total = total + self.context.from_dict({kept: coefficient}) * above**times * below ** (most - times)
            polynomial = total
        return polynomial


def _factors(e: Any) -> list[tuple[Any, Any, Any]]:
    """``e`` as a product of ``(base ** rest) ** p`` with rational p."""
    if e is sp.I:
        return [(sp.S.NegativeOne, sp.S.One, sp.S.Half)]
    if isinstance(e, sp.Abs) and e.args[0].is_real:
        return [(e, sp.S.One, sp.S.Half * 2)] if not e.args[0].is_Symbol else [(sp.Pow(e.args[0], 2, evaluate=False), sp.S.One, sp.S.Half)]
    if not (e.is_Pow or isinstance(e, sp.exp)):
        return [(e, sp.S.One, sp.S.One)]
    base, exponent = e.as_base_exp()
    p, rest = exponent.as_coeff_Mul()
    if not p.is_Rational:
        p, rest = sp.S.One, exponent
    if rest == 1 and base.is_Rational and base > 0 and p.q > 1:
        powers = sp.factorint(base.p), sp.factorint(base.q)
        return [(sp.Integer(prime), rest, sign * n * p) for sign, found in zip((1, -1), powers, strict=True) for prime, n in found.items()]
    return [(base, rest, p)]


def _meaning(base: Any) -> Any:
    return base

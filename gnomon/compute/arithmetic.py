"""The operations of arithmetic: sums, products, quotients and powers."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import sympy as sp
import torch
from flint import arb

from gnomon.compute.charge import INF, Charge, Pair
from gnomon.compute.operation import POSITIVE, Operation


def _add(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] + b[0]
    return value, a[1] + b[1] + value.abs() * c.u


def _sum(c: Charge, *terms: Pair) -> Pair:
    """A sum in any order: each of its n - 1 additions errs by at most a unit of the sum of the sizes.

    Where it is added up in a finer format, that unit is the finer one, and the sum is rounded at its end.
    """
    value = functools.reduce(torch.add, [term[0] for term in terms])
    size = functools.reduce(torch.add, [term[0].abs() for term in terms])
    error = functools.reduce(torch.add, [term[1] for term in terms])
    rounding = c.additions(value, size, len(terms) - 1)
    return value, (error + rounding).masked_fill(c.reach(value, size) + error > c.largest, INF)


def _mul(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] * b[0]
    return value, a[0].abs() * b[1] + (b[0].abs() + b[1]) * a[1] + value.abs() * c.u + c.eta


def _div(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] / b[0]
    room = b[0].abs() - b[1]
    error = (a[1] + value.abs() * b[1]) / room + value.abs() * c.u + c.eta
    return value, torch.where(room > 0, error, INF)


def _sqrt(c: Charge, a: Pair, nonneg: bool) -> Pair:
    value = a[0].sqrt()
    # |sqrt(x') - sqrt(x)| <= min(sqrt(|x' - x|), |x' - x| / sqrt(x)); fmin ignores the 0/0 of an exact zero
    error = torch.fmin(a[1].sqrt(), a[1] / value) + value * c.u
    return value, error if nonneg else torch.where((a[0] < a[1]) | (a[0] < 0), INF, error)


def _powi(c: Charge, a: Pair, value: int) -> Pair:
    power, size = a[0] ** value, a[0].abs()
    return power, (size + a[1]) ** value - size**value + power.abs() * (2 * c.u) + c.eta


def _pow(c: Charge, a: Pair, b: Pair) -> Pair:
    value = a[0] ** b[0]
    relative = b[1] * a[0].log().abs() + (b[0].abs() + b[1]) * -torch.log1p(-a[1] / a[0])
    error = value.abs() * (torch.expm1(relative) + 2 * c.u) + c.eta
    return value, torch.where(a[0] > a[1], error, INF)


def _root(x: Any) -> Any:
    return arb(0) if x.is_zero() else x.sqrt()


ARITHMETIC = (
    Operation("add", torch.add, lambda x, y: x + y, _add, lambda p, n, a: [p.constant(1)] * 2, grows=True),
    Operation(
        "sum", lambda *terms: functools.reduce(torch.add, terms), lambda *terms: sum(terms[1:], terms[0]), _sum,
        lambda p, n, a: [p.constant(1)] * len(a),
    ),
    Operation("neg", torch.neg, lambda x: -x, lambda c, a: (-a[0], a[1]), lambda p, n, a: [p.constant(-1)]),
    Operation("mul", torch.mul, lambda x, y: x * y, _mul, lambda p, n, a: [a[1], a[0]], grows=True),
    Operation(
        "div", torch.div, lambda x, y: x / y, _div,
        lambda p, n, a: [p.div(p.constant(1), a[1]), p.neg(p.div(n, a[1]))], grows=True,
    ),
    Operation(
        "pow", torch.pow, lambda x, y: arb(0) if x.is_zero() and y > 0 else x**y, _pow,
        lambda p, n, a: [p.mul(a[1], p.div(n, a[0])), p.mul(n, p.unary("log", a[0]))],
        sympy=sp.Pow, range=POSITIVE, grows=True,
    ),
    Operation(
        "powi", lambda x, value: x**value, lambda x, value: x**value, _powi,
        lambda p, n, a: [p.mul(p.constant(p.nodes[n].value), p.power(a[0], p.nodes[n].value - 1))],
        grows=True, needs="value",
    ),
    Operation(
        "sqrt", torch.sqrt, _root, _sqrt, lambda p, n, a: [p.div(p.constant(Fraction(1, 2)), n)],
        range=POSITIVE, unary=True, needs="nonneg",
    ),
)  # fmt: skip

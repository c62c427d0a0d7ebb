"""The elementary functions, each charged two units of roundoff: the accuracy that vendors state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy as sp
import torch
from flint import arb
from sympy.codegen.cfunctions import expm1, log1p
from torch import Tensor

from gnomon.compute.charge import INF, Charge, Pair, at_most_two
from gnomon.compute.operation import AROUND_0, POSITIVE, Operation
from gnomon.proof.xlogy import xlogy


def _exp(c: Charge, a: Pair) -> Pair:
    value = a[0].exp()
    return value, _rise(a, value) + value * (2 * c.u) + c.tiny


def _rise(a: Pair, value: Tensor) -> Tensor:
    """``exp(a + e) - exp(a)``, where 0 times infinity would say nothing."""
    return torch.where(a[1] < 1, value * torch.expm1(a[1]), (a[0] + a[1]).exp())


def _log(c: Charge, a: Pair) -> Pair:
    value = a[0].log()
    error = -torch.log1p(-a[1] / a[0]) + value.abs() * (2 * c.u)
    return value, torch.where(a[0] > a[1], error, INF)


def _log1p(c: Charge, a: Pair) -> Pair:
    value = torch.log1p(a[0])
    error = -torch.log1p(-a[1] / (1 + a[0])) + value.abs() * (2 * c.u) + c.tiny
    return value, torch.where(1 + a[0] > a[1], error, INF)


def _expm1(c: Charge, a: Pair) -> Pair:
    value = torch.expm1(a[0])
    return value, _rise(a, a[0].exp()) + value.abs() * (2 * c.u) + c.tiny


def _tanh(c: Charge, a: Pair) -> Pair:
    value = torch.tanh(a[0])
    slope = 1 - torch.tanh((a[0].abs() - a[1]).clamp(min=0)) ** 2
    return value, at_most_two(a[1] * slope, a[1]) + value.abs() * (2 * c.u) + c.tiny


def _wave(function: Callable[[Tensor], Tensor]) -> Callable[..., Pair]:
    def rule(c: Charge, a: Pair) -> Pair:
        value = function(a[0])
        return value, at_most_two(a[1], a[1]) + value.abs() * (2 * c.u) + c.tiny

    return rule


def _erf(c: Charge, a: Pair) -> Pair:
    value = torch.erf(a[0])
    nearest = (a[0].abs() - a[1]).clamp(min=0)
    slope = 2 / torch.pi**0.5 * torch.exp(-nearest * nearest)
    return value, at_most_two(a[1] * slope, a[1]) + value.abs() * (2 * c.u) + c.tiny


def _xlogy(c: Charge, a: Pair, b: Pair) -> Pair:
    """``x log y``, and exactly 0 where x is exactly 0."""
    logarithm, error = _log(c, b)
    value = torch.xlogy(a[0], b[0])
    total = a[0].abs() * error + (logarithm.abs() + error) * a[1] + value.abs() * c.u + c.eta
    return value, torch.where((a[0] == 0) & (a[1] == 0), 0.0, total)


def _xlogy_ball(x: Any, y: Any) -> Any:
    return arb(0) if x.is_zero() else x * y.log()


def _bell(p: Any, n: int, a: tuple[int, ...]) -> list[int]:
    """The slope of erf, ``2 exp(-x**2) / sqrt(pi)``."""
    height = p.div(p.constant(2), p.unary("sqrt", p.pi()))
    return [p.mul(height, p.unary("exp", p.neg(p.mul(a[0], a[0]))))]


ELEMENTARY = (
    Operation(
        "exp", torch.exp, lambda x: x.exp(), _exp, lambda p, n, a: [n], sp.exp, POSITIVE, unary=True, grows=True
    ),
    Operation(
        "log", torch.log, lambda x: x.log(), _log, lambda p, n, a: [p.div(p.constant(1), a[0])], sp.log, unary=True
    ),
    Operation(
        "log1p", torch.log1p, lambda x: x.log1p(), _log1p,
        lambda p, n, a: [p.div(p.constant(1), p.add(p.constant(1), a[0]))], log1p, odd=True, unary=True,
    ),
    Operation(
        "expm1", torch.expm1, lambda x: x.expm1(), _expm1, lambda p, n, a: [p.add(n, p.constant(1))], expm1,
        (-1.0, math.inf), odd=True, unary=True, grows=True,
    ),
    Operation(
        "tanh", torch.tanh, lambda x: x.tanh(), _tanh, lambda p, n, a: [p.sub(p.constant(1), p.mul(n, n))], sp.tanh,
        AROUND_0, odd=True, unary=True,
    ),
    Operation(
        "sin", torch.sin, arb.sin, _wave(torch.sin), lambda p, n, a: [p.unary("cos", a[0])], sp.sin, AROUND_0,
        unary=True,
    ),
    Operation(
        "cos", torch.cos, arb.cos, _wave(torch.cos), lambda p, n, a: [p.neg(p.unary("sin", a[0]))], sp.cos, AROUND_0,
        unary=True,
    ),
    Operation(
        "xlogy", torch.xlogy, _xlogy_ball, _xlogy, lambda p, n, a: [p.unary("log", a[1]), p.div(a[0], a[1])], xlogy,
        paired=True, grows=True,
    ),
    Operation("erf", torch.erf, lambda x: x.erf(), _erf, _bell, sp.erf, AROUND_0, odd=True, unary=True),
)  # fmt: skip

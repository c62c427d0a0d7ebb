"""Subgradients of convex functions, the sets that they form, and what one can do with a single one of them.

A vector g is a subgradient of f at x if the plane through (x, f(x)) with the slope g stays below the graph:

    f(y) >= f(x) + <g, y - x>    for every y.

The subdifferential of f at x is the set of them all. It is closed and convex whatever f is; it is not empty where f is
convex and finite around x; and for convex f alone it is {g} if and only if f is differentiable at x, with gradient g.

Sources: notes, section 1.2.3; Rockafellar, "Convex analysis", 1970, sections 23 and 25.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "MaxAffine",
    "abs_subdifferential",
    "absolute",
    "identity_by_relus",
    "least_norm",
    "negative_root",
    "power",
    "subgradient_step",
    "weighted_square",
]


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


# ---------------------------------------------------------------- sets


@dataclass(frozen=True)
class Interval:
    """A closed interval of slopes, one for each entry: a subdifferential in one dimension.

    Attributes:
        lower, upper: tensors of one shape; where ``lower > upper`` the set is empty.

    >>> both = Interval(torch.tensor(-1.0), torch.tensor(1.0)) + Interval(torch.tensor(2.0), torch.tensor(2.0))
    >>> both.contains(torch.tensor(1.0)), both.is_singleton(), both.least_norm()
    (tensor(True), tensor(False), tensor(1.))
    """

    lower: Tensor
    upper: Tensor

    def distance(self, g: Tensor) -> Tensor:
        """How far g is from the set; 0 inside. Not defined for an empty set."""
        return torch.maximum(self.lower - g, g - self.upper).clamp(min=0)

    def contains(self, g: Tensor) -> Tensor:
        """Whether g is one of the slopes; both ends are."""
        return (self.lower <= g) & (g <= self.upper)

    def is_empty(self) -> Tensor:
        """Whether there is no slope at all."""
        return self.lower > self.upper

    def is_singleton(self) -> Tensor:
        """Whether there is one slope alone: for a convex function, its derivative."""
        return self.lower == self.upper

    def least_norm(self) -> Tensor:
        """The slope closest to 0: minus it is the direction of steepest descent, and 0 a minimum."""
        return torch.minimum(torch.maximum(self.lower, torch.zeros_like(self.lower)), self.upper)

    def __add__(self, other: Interval) -> Interval:
        """The subdifferential of a sum of convex functions, which is the sum of theirs."""
        return Interval(self.lower + other.lower, self.upper + other.upper)

    def scaled(self, factor: float) -> Interval:
        """The subdifferential of a multiple.

        Raises ``ValueError`` if the factor is negative: the multiple is not convex then.
        """
        if factor < 0:
            raise ValueError(f"the factor must be at least 0, got {factor}")
        return Interval(factor * self.lower, factor * self.upper)


def least_norm(points: Tensor) -> Tensor:
    r"""The point of a convex hull that is closest to 0.

    .. math:: \mathrm{argmin} \{ |g| : g = \sum_k \lambda_k a_k, \ \lambda \ge 0, \ \sum_k \lambda_k = 1 \}

    The closest point g lies within some face of the hull and is the closest one of the plane through it: every set of
    at most n + 1 points is tried, and g is told by <a, g> >= |g|^2 for every a. (The lengths themselves would not tell:
    close to the minimum they are all alike.) Meant for a handful of points, since there are up to 2^m sets.

    Shapes: points (m, n); the result (n). Raises ``ValueError`` for other shapes or no point.
    Source: Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11, 1976.

    >>> least_norm(torch.tensor([[1.0, 1.0], [1.0, -3.0]]))
    tensor([1., 0.])
    """
    if points.dim() != 2 or len(points) == 0:
        raise ValueError(f"expected points (m, n) with m >= 1, got {tuple(points.shape)}")
    wide = _wide(points)
    m, n = wide.shape
    # In powers of 2 of the largest entry: squares of small points would underflow, and their quotients overflow.
    largest = wide.detach().abs().amax().clamp(min=torch.finfo(wide.dtype).tiny)
    unit = largest.log2().floor().exp2()
    wide = wide / unit
    found, gaps = [], []
    for size in range(1, min(m, n + 1) + 1):
        for chosen in itertools.combinations(range(m), size):
            nearest, inside = _nearest_of_plane(wide[list(chosen)])
            found.append(nearest)
            gap = ((nearest - wide) * nearest).sum(-1).amax()
            gaps.append(torch.where(inside, gap, torch.inf))
    best = torch.stack(gaps).argmin()
    nearest = torch.stack(found).index_select(0, best.unsqueeze(0)).squeeze(0)
    return (nearest * unit).to(points.dtype)


def _nearest_of_plane(points: Tensor) -> tuple[Tensor, Tensor]:
    """The point closest to 0 of the plane through some points, and whether it is a mixture of them."""
    first, edges = points[0], points[1:] - points[0]
    if len(edges) == 0:
        return first, torch.ones((), dtype=torch.bool, device=points.device)
    gram = edges @ edges.mT
    flat = torch.linalg.det(gram) == 0  # the points span less: another set of fewer points serves
    shares = torch.linalg.solve(torch.where(flat, torch.eye(len(edges)).to(gram), gram), -(edges @ first))
    return first + shares @ edges, ~flat & (shares >= 0).all() & (shares.sum() <= 1)


@dataclass(frozen=True)
class Hull:
    """The convex hull of some of several points: the subdifferential of a greatest of affine functions.

    Attributes:
        points: (m, n).
        taken: (m), whether a point belongs to the hull; at least one does.

    >>> triangle = Hull(torch.tensor([[1.0, 1.0], [1.0, -3.0], [5.0, 0.0]]), torch.tensor([True, True, True]))
    >>> triangle.distance(torch.tensor([0.0, 0.0])), triangle.support(torch.tensor([0.0, 1.0]))
    (tensor(1.), tensor(1.))
    """

    points: Tensor
    taken: Tensor

    def point(self, weights: Tensor) -> Tensor:
        """The mean of the points taken, by positive weights (m), which need not sum to 1."""
        left = torch.where(self.taken, weights, 0)
        return (left.unsqueeze(-1) * self.points).sum(0) / left.sum()

    def support(self, direction: Tensor) -> Tensor:
        """The greatest product of an element with a direction (n)."""
        products = (self.points * direction).sum(-1)
        return torch.where(self.taken, products, -torch.inf).amax(-1)

    def distance(self, g: Tensor) -> Tensor:
        """How far g (n) is from the hull: 0 for its elements, up to rounding."""
        away = least_norm(self.points[self.taken] - g)
        return (away * away).sum().sqrt()

    def least_norm(self) -> Tensor:
        """The element closest to 0: minus it is the direction of steepest descent, and 0 a minimum."""
        return least_norm(self.points[self.taken])

    def is_singleton(self) -> Tensor:
        """Whether all points taken are the same: the function is differentiable."""
        kept = self.points[self.taken]
        alike: Tensor = (kept == kept[0]).all()
        return alike

    def interval(self) -> Interval:
        """The hull of numbers (n = 1) as an interval.

        Raises ``ValueError`` in more than one dimension.
        """
        if self.points.shape[-1] != 1:
            raise ValueError(f"only a hull of numbers is an interval, these have {self.points.shape[-1]} entries")
        numbers = self.points.squeeze(-1)
        lower = torch.where(self.taken, numbers, torch.inf).amin(-1)
        return Interval(lower, torch.where(self.taken, numbers, -torch.inf).amax(-1))


# ---------------------------------------------------------------- the greatest of affine functions


class MaxAffine:
    r"""The greatest of several affine functions: every convex function that is piecewise linear.

    .. math:: f(x) = \max_k (b_k + \langle a_k, x \rangle), \qquad
              \partial f(x) = \mathrm{conv} \{ a_k : b_k + \langle a_k, x \rangle = f(x) \}

    Pieces are active where they are equal to the maximum in floating point, to the last bit.

    Args:
        slopes: a, (m, n).
        offsets: b, (m).

    Raises ``ValueError`` if the shapes do not fit.

    >>> size = MaxAffine(torch.tensor([[1.0], [-1.0]]), torch.zeros(2))
    >>> size.subdifferential(torch.zeros(1)).interval()
    Interval(lower=tensor(-1.), upper=tensor(1.))
    """

    def __init__(self, slopes: Tensor, offsets: Tensor) -> None:
        if slopes.dim() != 2 or len(slopes) == 0 or offsets.shape != slopes.shape[:1]:
            raise ValueError(
                f"expected slopes (m, n) and offsets (m) with m >= 1, got {tuple(slopes.shape)} and "
                f"{tuple(offsets.shape)}"
            )
        self.slopes, self.offsets = slopes, offsets

    def pieces(self, x: Tensor) -> Tensor:
        """The values (m) of the affine functions at x (n)."""
        return (self.slopes * x).sum(-1) + self.offsets

    def __call__(self, x: Tensor) -> Tensor:
        return self.pieces(x).amax(-1)

    def active(self, x: Tensor) -> Tensor:
        """Which pieces (m) reach the maximum at x."""
        pieces = self.pieces(x)
        return pieces == pieces.amax(-1)

    def subdifferential(self, x: Tensor) -> Hull:
        """All subgradients at x."""
        return Hull(self.slopes, self.active(x))

    def subgradient(self, x: Tensor) -> Tensor:
        """One subgradient (n) at x: the slope of the first active piece."""
        first = self.pieces(x).argmax(-1)
        return self.slopes.index_select(0, first.unsqueeze(0)).squeeze(0)

    def directional_derivative(self, x: Tensor, direction: Tensor) -> Tensor:
        """The limit of (f(x + t d) - f(x)) / t for t from above to 0, which is the hull's support."""
        return self.subdifferential(x).support(direction)


def subgradient_step(slopes: Tensor, offsets: Tensor, x: Tensor, lr: float) -> tuple[Tensor, Tensor]:
    r"""A step of the subgradient method for :class:`MaxAffine`, and the subgradient that it took.

    .. math:: x^+ = x - \gamma g, \qquad |x^+ - z|^2 \le |x - z|^2 - 2 \gamma (f(x) - f(z)) + \gamma^2 |g|^2

    for every z: the distance from a minimum shrinks for small steps, although f itself may grow.

    Shapes: as in :class:`MaxAffine`; x and both results (n). Raises ``ValueError`` as it does.
    Source: notes, section 1.2.3; Shor, "Minimization methods for non-differentiable functions", 1985, section 2.1.

    >>> subgradient_step(torch.tensor([[1.0], [-1.0]]), torch.zeros(2), torch.tensor([0.25]), 1.0)[0]
    tensor([-0.7500])
    """
    g = MaxAffine(slopes, offsets).subgradient(x)
    return x - lr * g, g


# ---------------------------------------------------------------- functions of one number


def absolute(x: Tensor) -> Tensor:
    """|x|, whose slope at 0 is 0 by autograd, as torch.abs has it. Shapes: any. Raises nothing of its own."""
    return x * torch.sign(x.detach())


def abs_subdifferential(x: Tensor) -> Interval:
    r"""The subdifferential of the absolute value: {-1} below 0, [-1, 1] at 0, {1} above.

    Shapes: any. Raises nothing of its own. Source: notes, section 1.2.3, figure.

    >>> abs_subdifferential(torch.tensor([-2.0, 0.0]))
    Interval(lower=tensor([-1., -1.]), upper=tensor([-1.,  1.]))
    """
    one = torch.ones_like(x)
    return Interval(torch.where(x > 0, one, -one), torch.where(x < 0, -one, one))


def weighted_square(x: Tensor, weight: Tensor) -> Tensor:
    """Half of weight times x squared: convex for weights from 0 on. Shapes: any. Raises nothing of its own."""
    return weight * x * x / 2


def power(x: Tensor, exponent: float) -> Tensor:
    r"""A power of the size, :math:`|x|^p`: convex for p from 1 on.

    For p < 1 its subdifferential at 0 is {0}, too, and yet it has a cusp there. Shapes: any.
    Raises ``ValueError`` if the exponent is not positive.
    """
    if exponent <= 0:
        raise ValueError(f"the exponent must be positive, got {exponent}")
    return x.abs() ** exponent


def negative_root(x: Tensor) -> Tensor:
    r"""The convex function :math:`-\sqrt{x}` on x >= 0, which has no subgradient at 0, the end of its domain.

    Autograd says -inf there. Shapes: any. Raises nothing of its own; NaN below 0.
    """
    return -x.sqrt()


class _ReluWithSlope(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.slope = slope
        return torch.where(x <= 0, 0, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.where(x == 0, ctx.slope * grad, torch.where(x > 0, grad, 0)), None


def relu_with_slope(x: Tensor, slope: float) -> Tensor:
    r"""ReLU, with any of its subgradients for a slope at 0: all are right for ReLU alone.

    Shapes: any. Raises ``ValueError`` if the slope is not from 0 to 1. Source: Bertoin et al., "Numerical influence of
    ReLU'(0) on backpropagation", NeurIPS 2021.
    """
    if not 0 <= slope <= 1:
        raise ValueError(f"the slope at 0 must be from 0 to 1, got {slope}")
    found: Tensor = _ReluWithSlope.apply(x, slope)  # type: ignore[no-untyped-call]
    return found


def identity_by_relus(x: Tensor, slope: float) -> Tensor:
    r"""relu(x) - relu(-x), which is x: autograd's slope at 0 is twice the slope chosen for ReLU, where 1 is right.

    The chain rule needs derivatives: with subgradients it fails where a kink meets a negative weight. Shapes: any.
    Raises ``ValueError`` if the slope is not from 0 to 1. Source: Kakade and Lee, "Provably correct automatic
    subdifferentiation for qualified programs", NeurIPS 2018, section 1.
    """
    return relu_with_slope(x, slope) - relu_with_slope(-x, slope)

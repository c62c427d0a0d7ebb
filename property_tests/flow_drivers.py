"""How flows are called: transforms built from tensors, their densities, Jacobians and integrals."""

from typing import Any

import torch
from torch import Tensor
from torch.distributions import AffineTransform, IndependentTransform, Normal, Transform

from gnomon.drive.driver import Call, Case, Driver, Tensors


def shown(case: Case, made: Transform, x: Tensor) -> Tensors:
    """The outputs of a transform at a point, as far as the claim looks at them."""
    found = {
        "y": lambda: made(x),
        "log_det": lambda: made.log_abs_det_jacobian(x, made(x)),
        "inverse": lambda: made.inv(x),
        "log_det_inverse": lambda: made.inv.log_abs_det_jacobian(made(x), x),
    }
    return {name: found[name]() for name in case.shapes}


def transform(subject: Any, case: Case) -> Call:
    """``subject(*parameters)``, a ``torch.distributions.Transform``, at the input ``x``."""
    parameters = [name for name in case.inputs if name != "x"]

    def call(tensors: Tensors) -> Tensors:
        return shown(case, subject(*(tensors[name] for name in parameters)), tensors["x"])

    return call


def coupling(subject: Any, case: Case) -> Call:
    """``subject(conditioner, split)`` with the conditioner x -> (S x, R x), at the input ``x``."""

    def call(tensors: Tensors) -> Tensors:
        scale, shift = tensors["S"], tensors["R"]
        made = subject(lambda first: (scale @ first, shift @ first), scale.shape[-1])
        return shown(case, made, tensors["x"])

    return call


def composition(subject: Any, case: Case) -> Call:
    """``subject(first, second)`` of the elementwise maps x -> a + r x and x -> b + s x."""

    def call(tensors: Tensors) -> Tensors:
        maps = [IndependentTransform(AffineTransform(tensors[p], tensors[q]), 1) for p, q in (("a", "r"), ("b", "s"))]
        return shown(case, subject(*maps), tensors["x"])

    return call


class Linear(Transform):
    """x -> M x + c in two dimensions, inverted with the adjugate: a map whose rounding is easy to bound."""

    domain = codomain = torch.distributions.constraints.real_vector
    bijective = True

    def __init__(self, matrix: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.matrix, self.shift = matrix, shift

    @property
    def det(self) -> Tensor:
        m = self.matrix
        return m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]

    def _call(self, x: Tensor) -> Tensor:
        return (self.matrix * x.unsqueeze(-2)).sum(-1) + self.shift

    def _inverse(self, y: Tensor) -> Tensor:
        (a, b), (c, d), away = self.matrix[0], self.matrix[1], y - self.shift
        return torch.stack([d * away[0] - b * away[1], a * away[1] - c * away[0]]) / self.det

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.det.abs().log()


def density(subject: Any, case: Case) -> Call:
    """``subject(u, transform, base)`` for a linear map of standard normals."""

    def call(tensors: Tensors) -> Tensors:
        at = tensors["u"]
        base = Normal(torch.zeros_like(at), torch.ones_like(at), validate_args=False)
        (name,) = case.shapes
        return {name: subject(at, Linear(tensors["M"], tensors["c"]), base)}

    return call


def curved(tensors: Tensors, x: Tensor) -> Tensor:
    """The map x -> M x + q x², coordinate by coordinate in the square."""
    return (tensors["M"] * x.unsqueeze(-2)).sum(-1) + tensors["q"] * x * x


def polar(tensors: Tensors, x: Tensor) -> Tensor:
    """Polar coordinates (r, θ) as a map to the plane."""
    return torch.stack([x[..., 0] * x[..., 1].cos(), x[..., 0] * x[..., 1].sin()], -1)


MAPS = {"curved": curved, "polar": polar}


def jacobian(subject: Any, case: Case) -> Call:
    """``subject(map, x)`` for the map that ``options["map"]`` names."""
    chosen = MAPS[case.options["map"]]

    def call(tensors: Tensors) -> Tensors:
        (name,) = case.shapes
        return {name: subject(lambda x: chosen(tensors, x), tensors["x"])}

    return call


def area(subject: Any, case: Case) -> Call:
    """``subject(map, corner, side)`` for the curved map; ``centred`` moves the corner by half a side."""

    def call(tensors: Tensors) -> Tensors:
        (name,) = case.shapes
        side = tensors["h"]
        corner = tensors["x"] - side / 2 if case.options.get("centred") else tensors["x"]
        return {name: subject(lambda x: curved(tensors, x), corner, side)}

    return call


def integral(subject: Any, case: Case) -> Call:
    """``subject(f, map, lower, upper, order=2)`` for f(s) = 1 + s₀ s₁² and a linear map of the unit square."""

    def call(tensors: Tensors) -> Tensors:
        matrix, shift = tensors["M"], tensors["c"]
        corners = torch.zeros_like(shift), torch.ones_like(shift)
        (name,) = case.shapes

        def linear(x: Tensor) -> Tensor:
            return (matrix * x.unsqueeze(-2)).sum(-1) + shift

        return {name: subject(lambda s: 1 + s[..., 0] * s[..., 1] ** 2, linear, *corners, order=2)}

    return call


FLOW = "a torch.distributions.Transform class: Transform(*tensors)"
DRIVERS = {
    "transform": Driver(transform, FLOW),
    "coupling": Driver(coupling, "a Transform class: Coupling(conditioner, split)"),
    "composition": Driver(composition, "a function of transforms: compose(first, second) -> Transform"),
    "density": Driver(density, "a function: log_prob(u, transform, base) -> tensor"),
    "jacobian": Driver(jacobian, "a function: jacobian(map, x) -> matrix"),
    "area": Driver(area, "a function: area(map, corner, side) -> tensor"),
    "integral": Driver(integral, "a function: integral(f, map, lower, upper, order=...) -> tensor"),
}

"""Mistakes in approximating networks: kinks, bumps, differences, windows and digits."""

import itertools
import math
from fractions import Fraction

import torch
from torch import Tensor, nn

from planted import Planted

CURVES = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "sin": torch.sin,
    "identity": lambda s: s,
    "square": lambda s: s * s,
    "cube": lambda s: s**3,
}

# ------------------------------------------------------------------ the network


class Shallow(nn.Module):
    """Right as it stands; the mistakes are in the methods that replace its own."""

    def __init__(self, n, k, m, sigma="tanh"):
        super().__init__()
        self.curve = CURVES[sigma]
        self.A, self.b, self.C = (nn.Parameter(torch.randn(*shape)) for shape in ((k, n), (k,), (m, k)))

    def units(self, x: Tensor) -> Tensor:
        return self.curve(x @ self.A.mT + self.b)

    def forward(self, x):
        return self.units(x) @ self.C.mT


class BiasOutside(Shallow):
    def units(self, x):
        return self.curve(x @ self.A.mT) + self.b


class OutputActivated(Shallow):
    def forward(self, x):
        return self.curve(super().forward(x))


class LinearShortcut(Shallow):
    def forward(self, x):
        return super().forward(x) + x.mean(-1, keepdim=True)


class EvenUnits(Shallow):
    def units(self, x):
        s = x @ self.A.mT + self.b
        return torch.where(s < -8, self.curve(-s), self.curve(s))


# ------------------------------------------------------------------ piecewise linear


class Interpolant(nn.Module):
    """Right as it stands, with ReLU units."""

    first, last = 0, None

    def __init__(self, knots, values):
        super().__init__()
        self.knots, self.values = knots, values

    def kinks(self) -> Tensor:
        slopes = self.values.diff() / self.knots.diff()
        zero = torch.zeros_like(slopes[:1])
        return torch.cat([zero, slopes, zero]).diff()

    def forward(self, x):
        units = torch.relu(x - self.knots) * self.kinks()
        return self.values[0] + units[self.first : self.last].sum(-1)


class NoLastKink(Interpolant):
    last = -1


class EqualPieces(Interpolant):
    def kinks(self):
        slopes = self.values.diff() * (len(self.values) - 1)
        zero = torch.zeros_like(slopes[:1])
        return torch.cat([zero, slopes, zero]).diff()


class NearestKnot(Interpolant):
    def forward(self, x):
        return self.values[(x - self.knots).abs().argmin()]


class NoConstant(Interpolant):
    def forward(self, x):
        return super().forward(x) - self.values[0]


# ------------------------------------------------------------------ bumps


def bump_of_tanh(x, lower, upper, steepness):
    return (torch.tanh(steepness * (x - lower)) - torch.tanh(steepness * (x - upper))) / 2


def bump_as_product(x, lower, upper, steepness):
    return torch.sigmoid(steepness * (x - lower)) * torch.sigmoid(-steepness * (x - upper))


def bump_positive(x, lower, upper, steepness):
    return (torch.sigmoid(steepness * (x - lower)) - torch.sigmoid(steepness * (x - upper))).abs()


def _bumps(x, lower, upper, steepness):
    return torch.sigmoid(steepness * (x - lower)) - torch.sigmoid(steepness * (x - upper))


def strips_multiplied(x, lower, upper, steepness, heights=None, offset=0.0):
    return _bumps(x, lower, upper, steepness).prod(-1)


def strips_thresholded(x, lower, upper, steepness, heights=None, offset=0.0):
    return torch.sigmoid(4 * steepness * (_bumps(x, lower, upper, steepness).sum(-1) - 1.5))


def box_of_any(x, lower, upper, steepness):
    return torch.sigmoid(steepness * (_bumps(x, lower, upper, steepness).sum(-1) - 0.5))


def box_too_low(x, lower, upper, steepness):
    return torch.sigmoid(steepness * (_bumps(x, lower, upper, steepness).sum(-1) - x.shape[-1] + 1))


# ------------------------------------------------------------------ powers


def _slope(sigma, order, at):
    function = CURVES[sigma]
    for _ in range(order):
        function = _derived(function)
    return function(at)


def _derived(function):
    return torch.func.grad(lambda at: function(at).sum())


def _difference(x, power, bias, step, sigma, places, weights):
    total = torch.zeros_like(x)
    for place, weight in zip(places, weights, strict=True):
        total = total + weight * CURVES[sigma](bias + place * step * x)
    return total


def forward_differences(x, power, bias, step, sigma="tanh"):
    weights = [(-1) ** q * math.comb(power, q) for q in range(power + 1)]
    places = [power - q for q in range(power + 1)]
    return _difference(x, power, bias, step, sigma, places, weights) / (step**power * _slope(sigma, power, bias))


def first_slope(x, power, bias, step, sigma="tanh"):
    weights = [(-1) ** q * math.comb(power, q) for q in range(power + 1)]
    places = [power / 2 - q for q in range(power + 1)]
    return _difference(x, power, bias, step, sigma, places, weights) / (step**power * _slope(sigma, 1, bias))


def power_of_the_input(x, power, bias, step, sigma="tanh"):
    return x**power


def unsigned_diagonals(x, bias, step, sigma="tanh"):
    d = x.shape[-1]
    total = torch.zeros_like(x[..., 0])
    for signs in itertools.product((1, -1), repeat=d):
        along = sum(sign * x[..., i] for i, sign in enumerate(signs))
        total = total + along**d
    return total / (2**d * math.factorial(d))


def mean_to_the_power(x, bias, step, sigma="tanh"):
    return x.mean(-1) ** x.shape[-1]


# ------------------------------------------------------------------ the least error


def _divided(nodes):
    apart = nodes[:, None] - nodes
    return 1 / torch.where(torch.eye(len(nodes), dtype=torch.bool), 1, apart).prod(-1)


def no_least_error(nodes, values):
    return 0 * (nodes * values).sum()


def residual_of_least_squares(nodes, values):
    w = _divided(nodes)
    return (w * values).sum().abs() / (w * w).sum().sqrt()


def greatest_weight(nodes, values):
    w = _divided(nodes)
    return (w * values).sum().abs() / (len(w) * w.abs().amax())


# ------------------------------------------------------------------ bounded width


class Bounded(nn.Module):
    def __init__(self, dimension, sigma="tanh", outer=None, inner=None):
        super().__init__()
        outer, inner = outer or 6 * dimension + 3, inner or 3 * dimension
        self.curve = CURVES[sigma]
        self.d, self.gamma = (nn.Parameter(torch.randn(outer)) for _ in range(2))
        self.c, self.theta = (nn.Parameter(torch.randn(outer, inner)) for _ in range(2))
        self.w = nn.Parameter(torch.randn(outer, inner, dimension))

    def below(self, x: Tensor) -> Tensor:
        return self.curve((self.w * x).sum(-1) - self.theta)

    def forward(self, x):
        return (self.d * self.curve((self.c * self.below(x)).sum(-1) - self.gamma)).sum(-1)


class SharedBelow(Bounded):
    def below(self, x):
        return self.curve((self.w[:1] * x).sum(-1) - self.theta)


class ThresholdAdded(Bounded):
    def below(self, x):
        return self.curve((self.w * x).sum(-1) + self.theta)


class Widths(Bounded):
    def __init__(self, dimension, sigma="tanh", outer=None, inner=None):
        super().__init__(dimension, sigma, outer or 6 * dimension + 1, inner or 3 * dimension)


# ------------------------------------------------------------------ exact numbers


def stern_brocot(index):
    low, high = (0, 1), (1, 0)
    for digit in bin(index)[3:]:
        middle = (low[0] + high[0], low[1] + high[1])
        low, high = (middle, high) if digit == "1" else (low, middle)
    return Fraction(low[0] + high[0], low[1] + high[1])


def tree_in_floats(index):
    value = 1.0
    for digit in bin(index)[3:]:
        value = value + 1 if digit == "1" else value / (value + 1)
    return Fraction(value).limit_denominator(64)


def neuron_in_floats(coefficients, x):
    start = 2.0**30
    at = (start + float(x)) - start
    return Fraction(sum(c * at**power for power, c in enumerate(coefficients)))


def neuron_reversed(coefficients, x):
    return Fraction(sum(c * x**power for power, c in enumerate(reversed(coefficients))))


def sigmoid_of_the_argument(window, offset):
    return Fraction(1 / (1 + math.exp(-min(2 * window - 1 + float(offset), 30.0))))


def sigmoid_below(window, offset):
    return 1 - Fraction(1, 4) / (2 * window - 1 + offset)


def product_of_the_mean(x, y):
    return ((x + y) / 2) ** 2


def digits_alone(numerator, digits):
    total, place = Fraction(0), 0
    for place, digit in enumerate(str(numerator).zfill(digits), start=1 + digits - max(digits, len(str(numerator)))):
        total += int(digit) * Fraction(1, 10 ** max(2**place - 1, 0)) if place > 0 else int(digit)
    return total


def step_unshifted(f, digits):
    def approximation(numerators, places):
        corner = [Fraction(n * 10**digits // 10**places, 10**digits) for n in numerators]
        return f(*corner) * Fraction(2)

    return approximation


PLANTED = (
    Planted("bias after the activation", "uat.ShallowNetwork", BiasOutside),
    Planted("activation at the output too", "uat.ShallowNetwork", OutputActivated),
    Planted("the input added to the output", "uat.ShallowNetwork", LinearShortcut),
    Planted("far on the left the units come back", "uat.ShallowNetwork", EvenUnits),
    Planted("no kink at the last knot", "uat.PiecewiseLinear", NoLastKink),
    Planted("pieces taken to be equally long", "uat.PiecewiseLinear", EqualPieces),
    Planted("the value at the nearest knot", "uat.PiecewiseLinear", NearestKnot),
    Planted("the constant left out", "uat.PiecewiseLinear", NoConstant),
    Planted("steps of tanh, twice as steep", "uat.bump", bump_of_tanh),
    Planted("the product of two steps", "uat.bump", bump_as_product),
    Planted("made positive", "uat.bump", bump_positive),
    Planted("bumps multiplied", "uat.strips", strips_multiplied),
    Planted("a threshold on the sum", "uat.strips", strips_thresholded),
    Planted("the union of the strips", "uat.box", box_of_any),
    Planted("threshold d - 1", "uat.box", box_too_low),
    Planted("differences to one side", "uat.monomial", forward_differences),
    Planted("divided by the first derivative", "uat.monomial", first_slope),
    Planted("the power itself, without a network", "uat.monomial", power_of_the_input),
    Planted("diagonals without their signs", "uat.product", unsigned_diagonals),
    Planted("the mean to the power of d", "uat.product", mean_to_the_power),
    Planted("no distance at all, as printed", "uat.least_error", no_least_error),
    Planted("the error of least squares", "uat.least_error", residual_of_least_squares),
    Planted("divided by the largest weight", "uat.least_error", greatest_weight),
    Planted("first layer shared", "uat_bounded.BoundedNetwork", SharedBelow),
    Planted("thresholds added", "uat_bounded.BoundedNetwork", ThresholdAdded),
    Planted("6d + 1 outer units", "uat_bounded.BoundedNetwork", Widths),
    Planted("the Stern-Brocot tree", "uat_bounded.calkin_wilf", stern_brocot),
    Planted("denominators cut at 64", "uat_bounded.calkin_wilf", tree_in_floats),
    Planted("the argument in one float", "uat_bounded.neuron", neuron_in_floats),
    Planted("coefficients reversed", "uat_bounded.neuron", neuron_reversed),
    Planted("the logistic function", "uat_bounded.universal_sigmoid", sigmoid_of_the_argument),
    Planted("the increasing function below", "uat_bounded.universal_sigmoid", sigmoid_below),
    Planted("one neuron, the mean squared", "uat_bounded.two_layer_product", product_of_the_mean),
    Planted("no halfway rule", "uat_superposition.inner_function", digits_alone),
    Planted("every square seen by all shifts, twice", "uat_superposition.superposition_step", step_unshifted),
)

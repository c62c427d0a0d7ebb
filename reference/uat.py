r"""One hidden layer, and what it can approximate (notes, section 1.1).

The network of the universal approximation theorem is ``g(x) = C sigma(A x + b)``, without a bias at the
output. Here are the constructions behind the theorem: piecewise linear functions, bumps, powers and products
as networks with weights that are written down, each with a bound on its error; and the distance that no
network with a polynomial activation can fall below.

Sources: Leshno, Lin, Pinkus and Schocken, "Multilayer feedforward networks with a nonpolynomial activation
function can approximate any function", Neural Networks 6 (1993); Pinkus, "Approximation theory of the MLP
model in neural networks", Acta Numerica 8 (1999).
"""

import itertools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = [
    "PiecewiseLinear",
    "ShallowNetwork",
    "box",
    "bump",
    "least_error",
    "monomial",
    "product",
    "strips",
]

Elementwise = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Elementwise] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "sin": torch.sin,
    "identity": lambda s: s,
    "square": lambda s: s * s,
    "cube": lambda s: s * s * s,
}


def _resolve(sigma: str | Elementwise) -> Elementwise:
    if callable(sigma):
        return sigma
    if sigma not in ACTIVATIONS:
        raise ValueError(f"sigma must be callable or one of {list(ACTIVATIONS)}, got {sigma!r}")
    return ACTIVATIONS[sigma]


class ShallowNetwork(nn.Module):
    r"""The network of the theorem: one hidden layer, linear at the output and without a bias there.

    .. math:: g(x) = C \, \sigma(A x + b),
              \qquad A \in \mathbb R^{k \times n},\ b \in \mathbb R^k,\ C \in \mathbb R^{m \times k}

    ``sigma`` acts on each component. A constant has to come from a unit whose row of A is zero, with
    sigma(b_i) not zero.

    Args:
        in_features: n.
        width: k, the number of hidden units.
        out_features: m.
        sigma: "tanh", "sigmoid", "relu", "sin", "identity", "square", "cube" or an elementwise function.

    Shapes: input (\*, n), output (\*, m).
    Raises ``ValueError`` for a size below 1, an unknown sigma, or an input that is not (\*, n).
    Source: notes, section 1.1.1 (there with the signs for products and for components exchanged).

    >>> ShallowNetwork(2, 5, 1)(torch.zeros(3, 2)).shape
    torch.Size([3, 1])
    """

    def __init__(
        self,
        in_features: int,
        width: int,
        out_features: int,
        sigma: str | Elementwise = "tanh",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if min(in_features, width, out_features) < 1:
            raise ValueError(f"sizes must be at least 1, got {in_features}, {width} and {out_features}")
        super().__init__()
        self.sigma = sigma
        self._sigma = _resolve(sigma)
        self.A = nn.Parameter(torch.empty(width, in_features, device=device, dtype=dtype))
        self.b = nn.Parameter(torch.empty(width, device=device, dtype=dtype))
        self.C = nn.Parameter(torch.empty(out_features, width, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw each layer from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as ``nn.Linear`` does."""
        for parameter, fan_in in ((self.A, self.A.shape[1]), (self.b, self.A.shape[1]), (self.C, self.C.shape[1])):
            nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the network: (\\*, n) to (\\*, m)."""
        if x.shape[-1:] != self.A.shape[1:]:
            raise ValueError(f"the input must be (*, {self.A.shape[1]}), got {tuple(x.shape)}")
        return self._sigma(x @ self.A.mT + self.b) @ self.C.mT

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        width, n = self.A.shape
        return f"in_features={n}, width={width}, out_features={len(self.C)}, sigma={self.sigma!r}"


class PiecewiseLinear(nn.Module):
    r"""The piecewise linear function through given points, as a ReLU network with one hidden layer.

    .. math:: g(x) = v_0 \operatorname{relu}(1) + \sum_{i=0}^{N} (m_i - m_{i-1}) \operatorname{relu}(x - t_i),
              \qquad m_i = \frac{v_{i+1} - v_i}{t_{i+1} - t_i}, \quad m_{-1} = m_N = 0

    Its N + 2 units are the kinks and one unit for the constant; beyond the knots it stays constant. Between
    values of a function f with knots at most H apart it is off by at most ``max |f''| H^2 / 8``.

    Args:
        knots: t_0 < t_1 < ... < t_N, shape (N + 1,); their order is not looked at.
        values: v_i, shape (N + 1,), differentiable.

    Shapes: input (\*), output (\*).
    Raises ``ValueError`` unless knots and values have the same shape (N + 1,), N at least 1.
    Source: notes, section 1.1.1, figure (a); de Boor, A Practical Guide to Splines (1978), chapter III.

    >>> hat = PiecewiseLinear(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([0.0, 1.0, 0.0]))
    >>> hat(torch.tensor([-2.0, -0.5, 0.0, 0.25, 3.0]))
    tensor([0.0000, 0.5000, 1.0000, 0.7500, 0.0000])
    """

    A: Tensor
    b: Tensor
    C: Tensor

    def __init__(self, knots: Tensor, values: Tensor) -> None:
        if knots.dim() != 1 or knots.shape != values.shape or len(knots) < 2:
            shapes = f"{tuple(knots.shape)} and {tuple(values.shape)}"
            raise ValueError(f"knots and values must have one shape (N + 1,) with N at least 1, got {shapes}")
        super().__init__()
        slopes = values.diff() / knots.diff()
        level = torch.zeros_like(values[:1])
        self.register_buffer("A", torch.cat([level, torch.ones_like(knots)]))
        self.register_buffer("b", torch.cat([level + 1, -knots]))
        self.register_buffer("C", torch.cat([values[:1], torch.cat([level, slopes, level]).diff()]))

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate the network at each entry: (\\*) to (\\*)."""
        return (torch.relu(x[..., None] * self.A + self.b) * self.C).sum(-1)

    def extra_repr(self) -> str:
        """The number of pieces."""
        return f"pieces={len(self.A) - 2}"


def bump(x: Tensor, lower: Tensor | float, upper: Tensor | float, steepness: float) -> Tensor:
    r"""The difference of two smooth steps: about 1 between ``lower`` and ``upper``, and about 0 outside.

    .. math:: \beta(x) = \sigma(k (x - a)) - \sigma(k (x - b)), \qquad \sigma(u) = 1 / (1 + e^{-u})

    At a distance of d from both edges it is within ``2 sigma(-k d)`` of 1 or 0; at the edges themselves it
    stays near 1/2 for every steepness k: it converges at each other point, but not uniformly.

    Shapes: x (\*), edges that broadcast with it, to (\*).
    Source: notes, section 1.1.1, figure (b); Cybenko (1989).

    >>> bump(torch.tensor([-1.0, 0.5, 2.0]), 0.0, 1.0, 40.0).round()
    tensor([0., 1., 0.])
    """
    return torch.sigmoid(steepness * (x - lower)) - torch.sigmoid(steepness * (x - upper))


def strips(
    x: Tensor,
    lower: Tensor,
    upper: Tensor,
    steepness: float,
    heights: Tensor | None = None,
    offset: Tensor | float = 0.0,
) -> Tensor:
    r"""A weighted sum of bumps along each coordinate: in d dimensions the bump of one direction is a strip.

    .. math:: f(x) = c_0 + \sum_{i=1}^d c_i \, \beta_i(x_i)

    Such a sum misses the indicator of a box by at least 1/4 somewhere, whatever the weights: see :func:`box`.

    Shapes: x (\*, d), ``lower`` and ``upper`` (d,), ``heights`` (d,), all 1 if left out, to (\*).
    Raises ``ValueError`` unless lower and upper are (d,).
    Source: notes, section 1.1.1, figure (b), in more than one dimension.

    >>> strips(torch.tensor([[0.5, 0.5], [0.5, 9.0]]), torch.zeros(2), torch.ones(2), 40.0).round()
    tensor([2., 1.])
    """
    if lower.shape != x.shape[-1:] or upper.shape != x.shape[-1:]:
        shapes = f"{tuple(lower.shape)} and {tuple(upper.shape)}"
        raise ValueError(f"lower and upper must be ({x.shape[-1]},) for an input {tuple(x.shape)}, got {shapes}")
    bumps = bump(x, lower, upper, steepness)
    return (bumps if heights is None else heights * bumps).sum(-1) + offset


def box(x: Tensor, lower: Tensor, upper: Tensor, steepness: float) -> Tensor:
    r"""About 1 in a box, and about 0 outside: strips, and a second hidden layer that asks for all of them.

    .. math:: B(x) = \sigma\Bigl(k \bigl(\sum_{i=1}^d \beta_i(x_i) - d + \tfrac12\bigr)\Bigr)

    Shapes: x (\*, d), ``lower`` and ``upper`` (d,), to (\*).
    Raises ``ValueError`` as :func:`strips`.
    Source: Lapedes and Farber, "How neural nets work", NeurIPS (1987).

    >>> box(torch.tensor([[0.5, 0.5], [0.5, 9.0]]), torch.zeros(2), torch.ones(2), 40.0).round()
    tensor([1., 0.])
    """
    return torch.sigmoid(steepness * (strips(x, lower, upper, steepness) - x.shape[-1] + 0.5))


def _slope_of_tanh(order: int, t: Tensor) -> Tensor:
    """The derivative of tanh where it is t: ``(1 - t^2) Q(t)``, with ``Q' <- (1 - t^2) Q' - 2 t Q``."""
    coefficients = [1]
    for _ in range(order - 1):
        grown = [0] * (len(coefficients) + 1)
        for degree, c in enumerate(coefficients):
            grown[degree + 1] -= (degree + 2) * c
            if degree:
                grown[degree - 1] += degree * c
        coefficients = grown
    q = torch.zeros_like(t)
    for c in reversed(coefficients):
        q = q * t + c
    return (1 - t * t) * q


def _derivative(sigma: str, order: int, at: Tensor) -> Tensor:
    """The derivative of an activation, of an order from 1 on."""
    if sigma == "tanh":
        return _slope_of_tanh(order, torch.tanh(at))
    if sigma == "sigmoid":  # (1 + tanh(u / 2)) / 2
        return _slope_of_tanh(order, torch.tanh(at / 2)) * 0.5 ** (order + 1)
    if sigma == "sin":
        waves: tuple[Tensor, ...] = (torch.cos(at), -torch.sin(at), -torch.cos(at), torch.sin(at))
        return waves[(order - 1) % 4]
    raise ValueError(f'sigma must be "tanh", "sigmoid" or "sin", got {sigma!r}')


def monomial(x: Tensor, power: int, bias: Tensor, step: float, sigma: str = "tanh") -> Tensor:
    r"""A network of p + 1 units that is about x^p: the p-th central difference of the activation.

    .. math:: g(x) = \frac{1}{h^p \sigma^{(p)}(b)} \sum_{q=0}^{p} (-1)^q \binom pq \,
              \sigma\bigl(b + (\tfrac p2 - q) h x\bigr), \qquad
              |g(x) - x^p| \le \frac{p h^2}{24} |x|^{p+2} \,\frac{\max |\sigma^{(p+2)}|}{|\sigma^{(p)}(b)|}

    Such differences are why every activation that is smooth and not a polynomial has all powers in its reach.
    Rounding grows like ``eps / h^p``: a smaller step is not always better.

    Args:
        x: any shape (\*).
        power: p, at least 1.
        bias: b, where the p-th derivative must not be zero; it broadcasts with x.
        step: h, not zero.
        sigma: "tanh", "sigmoid" or "sin".

    Raises ``ValueError`` for a power below 1, a step of zero, or another activation.
    Source: Leshno et al. (1993), step 3 of the proof; Pinkus (1999), proposition 3.4.

    >>> monomial(torch.tensor([0.5, 1.0]), 2, torch.tensor(0.5), 0.125)
    tensor([0.2496, 0.9930])
    """
    if power < 1 or step == 0:
        raise ValueError(f"power must be at least 1 and step not 0, got {power} and {step}")
    slope, activation = _derivative(sigma, power, bias), _resolve(sigma)
    difference = torch.zeros_like(x)
    for q in range(power + 1):
        difference = difference + (-1) ** q * math.comb(power, q) * activation(bias + (power / 2 - q) * step * x)
    return difference / step**power / slope


def product(x: Tensor, bias: Tensor, step: float, sigma: str = "tanh") -> Tensor:
    r"""A network with one hidden layer that is about ``x_1 x_2 ... x_d``: powers along the diagonals.

    .. math:: x_1 \cdots x_d = \frac{1}{2^d d!} \sum_{e \in \{-1, 1\}^d} e_1 \cdots e_d \, (e \cdot x)^d

    with :func:`monomial` for the power. It has at most ``2^d (d + 1)`` units, some of them alike.

    Shapes: x (\*, d), ``bias`` a scalar, to (\*).
    Raises ``ValueError`` as :func:`monomial`.
    Source: Pinkus (1999), section 3 (polynomials are sums of ridge powers); the polarization identity.

    >>> product(torch.tensor([0.5, 0.5]), torch.tensor(0.5), 0.125)
    tensor(0.2482)
    """
    d = x.shape[-1]
    total = torch.zeros_like(x[..., 0])
    for signs in itertools.product((1, -1), repeat=d):
        along = sum((sign * x[..., i] for i, sign in enumerate(signs)), torch.zeros_like(total))
        total = total + math.prod(signs) * monomial(along, d, bias, step, sigma)
    return total / float(2**d * math.factorial(d))


def least_error(nodes: Tensor, values: Tensor) -> Tensor:
    r"""How near a polynomial of degree r can come to values at r + 2 nodes, in the largest of the errors.

    .. math:: \min_{\deg p \le r} \max_i |v_i - p(x_i)| = \frac{|\sum_i w_i v_i|}{\sum_i |w_i|},
              \qquad w_i = \prod_{j \ne i} \frac{1}{x_i - x_j}

    A network with one hidden layer and a polynomial activation of degree r is such a polynomial on every
    line, for all widths and weights: it cannot come nearer.

    Shapes: ``nodes`` and ``values`` (r + 2,), the nodes distinct (which is not looked at), to ().
    Raises ``ValueError`` unless both have one shape (r + 2,), r at least 0.
    Source: de la Vallée Poussin (1910); Cheney, Introduction to Approximation Theory (1966), chapter 2.

    >>> least_error(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 1.0]))
    tensor(0.5000)
    """
    if nodes.dim() != 1 or nodes.shape != values.shape or len(nodes) < 2:
        shapes = f"{tuple(nodes.shape)} and {tuple(values.shape)}"
        raise ValueError(f"nodes and values must have one shape (r + 2,) with r at least 0, got {shapes}")
    apart = nodes[:, None] - nodes
    same = torch.eye(len(nodes), dtype=torch.bool, device=nodes.device)
    weights = 1 / torch.where(same, 1, apart).prod(-1)
    return (weights * values).sum().abs() / weights.abs().sum()

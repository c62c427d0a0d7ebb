"""Activation functions, accurate for every finite input, with a finite slope everywhere; and their derivatives.

Nothing overflows: exponentials are taken of numbers that are at most 0. float16 and bfloat16 are computed in float32
and rounded once. NaN stays NaN. The modules have the constructors of those of ``torch.nn`` (without ``inplace``).

Sources: notes, section 1.2.2; Goodfellow, Bengio and Courville, "Deep learning", 2016, section 6.3; and the papers
named at each.
"""

import math

import torch
from torch import Tensor, nn

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "Maxout",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "sigmoid",
    "sigmoid_grad",
    "softplus",
    "tanh_grad",
]


def _wide(x: Tensor) -> Tensor:
    """Half precision is computed in float32, as torch does, and rounded at the end."""
    if not x.is_floating_point():
        raise ValueError(f"expected a floating-point tensor, got {x.dtype}")
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _minus_size(x: Tensor) -> Tensor:
    """-|x|, of which the slope at 0 is -1 and not 0, as a smooth function of it needs."""
    return torch.where(x < 0, x, -x)


def sigmoid(x: Tensor) -> Tensor:
    r"""The logistic function.

    .. math:: \sigma(x) = 1 / (1 + e^{-x}) = e^x / (1 + e^x)

    The first form serves above 0, the second below. Shapes: any; the result has that of x.
    Raises ``ValueError`` if x is not floating-point. Source: notes, section 1.2.2.

    >>> sigmoid(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    wide = _wide(x)
    e = torch.exp(_minus_size(wide))
    return (torch.where(wide < 0, e, 1) / (1 + e)).to(x.dtype)


def sigmoid_grad(x: Tensor) -> Tensor:
    r"""The derivative of the logistic function, in terms of its argument x, with all its digits in both tails.

    .. math:: \sigma'(x) = \sigma(x) (1 - \sigma(x)) = e^{-|x|} / (1 + e^{-|x|})^2 \le 1/4

    Shapes: any; the result has that of x. Raises ``ValueError`` if x is not floating-point.
    Source: notes, section 1.2.2.

    >>> sigmoid_grad(torch.tensor([0.0, 40.0]))
    tensor([2.5000e-01, 4.2484e-18])
    """
    return (tanh_grad(_wide(x) / 2) / 4).to(x.dtype)


def tanh(x: Tensor) -> Tensor:
    r"""The hyperbolic tangent, an odd function.

    .. math:: \tanh(x) = 2 \sigma(2 x) - 1 = \frac{1 - e^{-2|x|}}{1 + e^{-2|x|}} \, \mathrm{sign}(x)

    Near 0 the numerator is taken from expm1, which keeps its digits. Shapes: any; the result has that of x.
    Raises ``ValueError`` if x is not floating-point. Source: notes, section 1.2.2.

    >>> tanh(torch.tensor([-1000.0, 0.0, 1e-20]))
    tensor([-1.0000e+00,  0.0000e+00,  1.0000e-20])
    """
    wide = _wide(x)
    less = torch.expm1(2 * _minus_size(wide))
    e = torch.exp(2 * _minus_size(wide))
    size = torch.where(wide.abs() < 1, -less / (2 + less), (1 - e) / (1 + e))
    return torch.where(wide < 0, -size, size).to(x.dtype)


def tanh_grad(x: Tensor) -> Tensor:
    r"""The derivative of the hyperbolic tangent, in terms of its argument x, with all its digits in both tails.

    .. math:: \tanh'(x) = 1 - \tanh^2(x) = 4 e^{-2|x|} / (1 + e^{-2|x|})^2

    The first form serves near 0, where its own slope is the better one, the second elsewhere. Shapes: any; the
    result has that of x. Raises ``ValueError`` if x is not floating-point. Source: notes, section 1.2.2.

    >>> tanh_grad(torch.tensor([0.0, 20.0]))
    tensor([1.0000e+00, 1.6993e-17])
    """
    wide = _wide(x)
    e = torch.exp(2 * _minus_size(wide))
    return torch.where(wide.abs() < 1, 1 - tanh(wide) ** 2, 4 * e / (1 + e) ** 2).to(x.dtype)


def softplus(x: Tensor) -> Tensor:
    r"""The smooth rectifier, whose derivative is the logistic function.

    .. math:: \mathrm{softplus}(x) = \log(1 + e^x) = \max(x, 0) + \log(1 + e^{-|x|})

    Shapes: any; the result has that of x. Raises ``ValueError`` if x is not floating-point.
    Source: Dugas et al., "Incorporating second-order functional knowledge", NeurIPS 2000.

    >>> softplus(torch.tensor([-50.0, 0.0, 1000.0]))
    tensor([1.9287e-22, 6.9315e-01, 1.0000e+03])
    """
    wide = _wide(x)
    return (torch.where(wide < 0, 0, wide) + torch.log1p(torch.exp(_minus_size(wide)))).to(x.dtype)


def silu(x: Tensor) -> Tensor:
    r"""The sigmoid-weighted linear unit, or swish.

    .. math:: \mathrm{silu}(x) = x \, \sigma(x)

    Shapes: any; the result has that of x. Raises ``ValueError`` if x is not floating-point.
    Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", Neural Networks 107, 2018.

    >>> silu(torch.tensor([-1000.0, 0.0, 1000.0]))
    tensor([  -0.,    0., 1000.])
    """
    wide = _wide(x)
    return (wide * sigmoid(wide)).to(x.dtype)


class Sigmoid(nn.Module):
    """:func:`sigmoid` as a module. Shapes: any."""

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)


class Tanh(nn.Module):
    """:func:`tanh` as a module. Shapes: any."""

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)


class ReLU(nn.Module):
    r"""The rectifier.

    .. math:: \mathrm{relu}(x) = \max(0, x)

    The slope at 0 is 0, one of the subgradients [0, 1]. Shapes: any. Raises nothing of its own.
    Source: notes, section 1.2.2; Glorot, Bordes and Bengio, "Deep sparse rectifier networks", AISTATS 2011.
    """

    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input <= 0, 0, input)


class LeakyReLU(nn.Module):
    r"""The rectifier with a small slope below 0.

    .. math:: f(x) = x \text{ for } x \ge 0, \qquad a x \text{ for } x < 0

    That is max(a x, x) only if a is at most 1. The slope at 0 is a, as in torch. Shapes: any. Raises ``ValueError``
    if the input is not floating-point. Source: notes, section 1.2.2, with a = 0.1; Maas, Hannun and Ng, "Rectifier
    nonlinearities improve neural network acoustic models", ICML 2013, with 0.01.

    Args:
        negative_slope: a.
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        wide = _wide(input)
        return torch.where(wide <= 0, self.negative_slope * wide, wide).to(input.dtype)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class ELU(nn.Module):
    r"""The exponential linear unit.

    .. math:: f(x) = x \text{ for } x \ge 0, \qquad \alpha (e^x - 1) \text{ for } x < 0

    It has a slope at 0 only for alpha = 1; otherwise the slope there is alpha, as in torch. Below 0, f' = f + alpha,
    of which no digits would be left far below: only small inputs go through expm1. Shapes: any. Raises
    ``ValueError`` if the input is not floating-point.
    Source: notes, section 1.2.2; Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by
    exponential linear units", ICLR 2016.

    Args:
        alpha: the size of the limit at minus infinity.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        wide = _wide(input)
        negative = torch.where(wide > 0, 0, wide)
        less = torch.where(negative < -1, torch.exp(negative) - 1, torch.expm1(negative))
        return torch.where(wide <= 0, self.alpha * less, wide).to(input.dtype)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class Softplus(nn.Module):
    r"""The smooth rectifier with a scale, replaced by the identity far above 0, as in torch.

    .. math:: f(x) = \log(1 + e^{\beta x}) / \beta \text{ for } \beta x \le \text{threshold}, \qquad x \text{ above}

    At the threshold it jumps down by :math:`\log(1 + e^{-\text{threshold}}) / \beta`: 2e-9 for the default, which
    float64 can see. A threshold of infinity leaves :func:`softplus` alone. Shapes: any. Raises ``ValueError`` if beta
    is 0 or the input is not floating-point. Source: torch.nn.Softplus.

    Args:
        beta: the steepness; minus infinity's slope 0 turns into 1 over a width of about 4 / beta.
        threshold: of beta x.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        if beta == 0:
            raise ValueError("beta must not be 0")
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        wide = _wide(input)
        scaled = self.beta * wide
        return torch.where(scaled > self.threshold, wide, softplus(scaled) / self.beta).to(input.dtype)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class SiLU(nn.Module):
    """:func:`silu` as a module. Shapes: any."""

    def forward(self, input: Tensor) -> Tensor:
        return silu(input)


class GELU(nn.Module):
    r"""The Gaussian error linear unit: x times the chance that a standard normal number is below x.

    .. math:: f(x) = x \Phi(x) = \tfrac{x}{2} \left(1 + \mathrm{erf}(x / \sqrt{2})\right)
              \approx x \, \sigma\left(\sqrt{8 / \pi} (x + 0.044715 x^3)\right)

    Below 0 the first form would lose all digits from -8.3 on (in float64); erfc keeps them. Shapes: any. Raises
    ``ValueError`` for another approximation, or if the input is not floating-point.
    Source: Hendrycks and Gimpel, "Gaussian error linear units", arXiv:1606.08415, section 2.

    Args:
        approximate: "none", or "tanh" for the second form, which differs by up to 5e-4.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate must be 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        wide = _wide(input)
        if self.approximate == "none":
            chance = torch.erfc(wide * -math.sqrt(0.5)) / 2
        else:
            near = wide.clamp(-32, 32)  # beyond, the chance is 0 or 1 in every dtype, and a cube may overflow
            chance = sigmoid(math.sqrt(8 / math.pi) * (near + 0.044715 * near**3))
        return (wide * chance).to(input.dtype)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Maxout(nn.Module):
    r"""The greatest of several affine maps: any convex piecewise linear function, learned.

    .. math:: y_j = \max_k \Bigl( b_{kj} + \sum_i w_{kji} x_i \Bigr)

    Where several pieces are greatest, the slope is their mean, which is a subgradient.

    Shapes: input (\*, d_in), output (\*, d_out); ``weight`` (pieces, d_out, d_in) and ``bias`` (pieces, d_out).
    Raises ``ValueError`` if a size is below 1, or for an input whose last dimension is not d_in.
    Source: notes, section 1.2.2, with two pieces; Goodfellow et al., "Maxout networks", ICML 2013, section 3.

    Args:
        d_in: features of the input.
        d_out: features of the output.
        pieces: affine maps for each output.
        device, dtype: of the parameters.
    """

    def __init__(
        self,
        d_in: int,
        d_out: int,
        pieces: int = 2,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if min(d_in, d_out, pieces) < 1:
            raise ValueError(f"d_in, d_out and pieces must be at least 1, got {d_in}, {d_out} and {pieces}")
        self.d_in, self.d_out, self.pieces = d_in, d_out, pieces
        self.weight = nn.Parameter(torch.empty(pieces, d_out, d_in, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(pieces, d_out, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights and biases uniformly between -1 / sqrt(d_in) and 1 / sqrt(d_in), like torch.nn.Linear."""
        bound = self.d_in**-0.5
        with torch.no_grad():
            self.weight.uniform_(-bound, bound, generator=generator)
            self.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() == 0 or input.shape[-1] != self.d_in:
            raise ValueError(f"expected an input (*, {self.d_in}), got {tuple(input.shape)}")
        flat = self.weight.flatten(0, 1) @ input.unsqueeze(-1)
        pieces = flat.squeeze(-1).reshape(*input.shape[:-1], self.pieces, self.d_out) + self.bias
        return pieces.amax(-2)

    def extra_repr(self) -> str:
        return f"d_in={self.d_in}, d_out={self.d_out}, pieces={self.pieces}"

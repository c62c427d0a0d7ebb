"""Random initial weights after LeCun, Xavier (Glorot) and He (Kaiming), with the signatures of ``torch.nn.init``.

Each draws weights with mean 0 and a *variance* of one over a number of connections. (The notes print the square
roots of these variances, which are the standard deviations.)

Sources: notes, section 1.2.6; LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, section 4.6; Glorot and
Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010; He, Zhang, Ren and
Sun, "Delving deep into rectifiers", ICCV 2015, section 2.2.
"""

import math

import torch
from torch import Tensor

__all__ = [
    "calculate_gain",
    "fan_in_and_fan_out",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "xavier_normal_",
    "xavier_uniform_",
]

_LINEAR = ("linear", "sigmoid", *(f"conv{kind}{d}d" for kind in ("", "_transpose") for d in (1, 2, 3)))


def fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs feed an output of a layer with this weight, and how many outputs an input feeds.

    Shapes: (out, in) for a linear layer, (out, in / groups, \\*kernel) for a convolution, whose kernel's size
    multiplies both. A matrix for ``x @ W``, as the notes have it, is (in, out): pass its transpose.
    Raises ``ValueError`` for fewer than two dimensions.
    Source: ``torch.nn.init``; Glorot and Bengio (2010), section 4.2.1.

    >>> fan_in_and_fan_out(torch.empty(16, 8, 3, 3))
    (72, 144)
    """
    if tensor.dim() < 2:
        raise ValueError(f"a weight has at least 2 dimensions, (out, in, *kernel), got shape {tuple(tensor.shape)}")
    outputs, inputs, *kernel = tensor.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    r"""The factor on the standard deviation that makes up for what an activation does to the second moment.

    For ReLU and leaky ReLU (with slope a = ``param``, 0.01 if not given) it is exact, whatever the symmetric law of s:

    .. math:: E[\sigma(s)^2] = \frac{1 + a^2}{2}\, E[s^2], \qquad \text{gain} = \sqrt{\frac{2}{1 + a^2}}

    It is 1 for "linear", "sigmoid" and convolutions, and by convention 5/3 for "tanh" and 3/4 for "selu".

    Raises ``ValueError`` for a nonlinearity that it does not know, or a slope that is no number.
    Source: He et al. (2015), equations 10 and 15; ``torch.nn.init``.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in _LINEAR:
        return 1.0
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"the slope of leaky_relu must be a number, got {slope!r}")
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3 / 4
    known = ", ".join((*_LINEAR, "tanh", "relu", "leaky_relu", "selu"))
    raise ValueError(f"no gain is known for {nonlinearity!r}; expected one of {known}")


def lecun_normal_(tensor: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""Fill a weight with :math:`\mathcal N(0, 1 / n_{in})`: a linear layer keeps the mean square of its input.

    Shapes: (out, in, \*kernel), changed in place and returned.
    Raises ``ValueError`` for fewer than two dimensions.
    Source: notes, section 1.2.6 (which print the standard deviation as the variance); LeCun et al. (1998), section
    4.6. Not truncated, as the one of Keras and JAX is.

    >>> lecun_normal_(torch.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    return _normal(tensor, 1 / math.sqrt(_fan(tensor, "fan_in")), generator)


def lecun_uniform_(tensor: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""Fill a weight with :math:`\mathcal U(-a, a)`, :math:`a = \sqrt{3 / n_{in}}`, which has variance 1 / n_in.

    Shapes: (out, in, \*kernel), changed in place and returned.
    Raises ``ValueError`` for fewer than two dimensions.
    Source: LeCun et al. (1998), section 4.6; the variance of U(-a, a) is a^2 / 3.

    >>> bool(lecun_uniform_(torch.empty(3, 5)).abs().max() <= math.sqrt(3 / 5))
    True
    """
    return _uniform(tensor, 1 / math.sqrt(_fan(tensor, "fan_in")), generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
    r"""Fill a weight with :math:`\mathcal N(0, 2\,\text{gain}^2 / (n_{in} + n_{out}))`.

    What the layer does to the mean square of its input, :math:`n_{in} v`, and of the gradient on the way back,
    :math:`n_{out} v`, is 1 on average; with :math:`n_{in} = n_{out}` both are.

    Shapes: (out, in, \*kernel), changed in place and returned.
    Raises ``ValueError`` for fewer than two dimensions.
    Source: notes, section 1.2.6 (which print the standard deviation); Glorot and Bengio (2010), equation 12.

    >>> xavier_normal_(torch.empty(3, 5)).shape
    torch.Size([3, 5])
    """
    return _normal(tensor, gain * _xavier(tensor), generator)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
    r"""Fill a weight with :math:`\mathcal U(-a, a)`, :math:`a = \text{gain} \sqrt{6 / (n_{in} + n_{out})}`.

    Its variance is that of :func:`xavier_normal_`, and both are used for the same.

    Shapes: (out, in, \*kernel), changed in place and returned.
    Raises ``ValueError`` for fewer than two dimensions.
    Source: Glorot and Bengio (2010), equation 16, the "normalized initialization".

    >>> bool(xavier_uniform_(torch.empty(3, 5)).abs().max() <= math.sqrt(6 / 8))
    True
    """
    return _uniform(tensor, gain * _xavier(tensor), generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Fill a weight with :math:`\mathcal N(0, \text{gain}^2 / n)`, n the fan that ``mode`` names.

    With the gain of :func:`calculate_gain`, "fan_in" keeps the mean square of activations on the way forward, and
    "fan_out" that of gradients on the way back. a is the slope of the leaky ReLU; 0, the default, is ReLU.

    Shapes: (out, in, \*kernel), changed in place and returned.
    Raises ``ValueError`` for fewer than two dimensions, another mode or an unknown nonlinearity.
    Source: notes, section 1.2.6 (which print the standard deviation for "fan_out"); He et al. (2015), section 2.2.

    >>> kaiming_normal_(torch.empty(3, 5), mode="fan_out", nonlinearity="relu").shape
    torch.Size([3, 5])
    """
    return _normal(tensor, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Fill a weight with :math:`\mathcal U(-b, b)`, :math:`b = \text{gain} \sqrt{3 / n}`, n being the fan of ``mode``.

    Its variance is that of :func:`kaiming_normal_`. ``torch.nn.Linear`` calls it with a = sqrt(5), which gives
    :math:`b = 1 / \sqrt{n_{in}}`, and not He's initialization.

    Shapes: (out, in, \*kernel), changed in place and returned.
    Raises ``ValueError`` for fewer than two dimensions, another mode or an unknown nonlinearity.
    Source: He et al. (2015), section 2.2.

    >>> bool(kaiming_uniform_(torch.empty(3, 5)).abs().max() <= math.sqrt(6 / 5))
    True
    """
    return _uniform(tensor, calculate_gain(nonlinearity, a) / math.sqrt(_fan(tensor, mode)), generator)


def _fan(tensor: Tensor, mode: str) -> int:
    fans = dict(zip(("fan_in", "fan_out"), fan_in_and_fan_out(tensor), strict=True))
    if mode not in fans:
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return max(1, fans[mode])  # a weight without entries stays as it is


def _xavier(tensor: Tensor) -> float:
    return math.sqrt(2 / max(1, sum(fan_in_and_fan_out(tensor))))


@torch.no_grad()
def _normal(tensor: Tensor, std: float, generator: torch.Generator | None) -> Tensor:
    return tensor.normal_(0.0, std, generator=generator)


@torch.no_grad()
def _uniform(tensor: Tensor, std: float, generator: torch.Generator | None) -> Tensor:
    bound = math.sqrt(3) * std
    return tensor.uniform_(-bound, bound, generator=generator)

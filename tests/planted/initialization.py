"""Wrong versions of the initializers and of the gain, from blatant to rare."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from planted import Planted

Generator = torch.Generator | None


def fans(tensor: Tensor) -> tuple[int, int]:
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[0] * taps


def gain_of(nonlinearity: str, a: float) -> float:
    return {"relu": math.sqrt(2), "leaky_relu": math.sqrt(2 / (1 + a * a)), "linear": 1.0}[nonlinearity]


def filled(tensor: Tensor, std: float, law: str, generator: Generator) -> Tensor:
    with torch.no_grad():
        if law == "normal":
            return tensor.normal_(0, std, generator=generator)
        return tensor.uniform_(-math.sqrt(3) * std, math.sqrt(3) * std, generator=generator)


def he(std: Callable[[float, int, int], float], law: str = "normal", fan: Any = fans) -> Any:
    """An initializer with the signature of kaiming_normal_, from ``std(gain, fan, other fan)``."""

    def fill(
        tensor: Tensor,
        a: float = 0,
        mode: str = "fan_in",
        nonlinearity: str = "leaky_relu",
        generator: Generator = None,
    ) -> Tensor:
        here, there = fan(tensor) if mode == "fan_in" else fan(tensor)[::-1]
        return filled(tensor, std(gain_of(nonlinearity, a), here, there), law, generator)

    return fill


def xavier(std: Callable[[float, int, int], float], law: str = "normal") -> Any:
    """An initializer with the signature of xavier_normal_, from ``std(gain, n_in, n_out)``."""

    def fill(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
        return filled(tensor, std(gain, *fans(tensor)), law, generator)

    return fill


def lecun(std: Callable[[int, int], float], law: str = "normal") -> Any:
    """An initializer with the signature of lecun_normal_, from ``std(n_in, n_out)``."""

    def fill(tensor: Tensor, generator: Generator = None) -> Tensor:
        return filled(tensor, std(*fans(tensor)), law, generator)

    return fill


def without_kernel(tensor: Tensor) -> tuple[int, int]:
    return tensor.shape[1], tensor.shape[0]


def last_two(tensor: Tensor) -> tuple[int, int]:
    """Right for a matrix, wrong for a convolution."""
    return tensor.shape[-1], tensor.shape[-2]


def first_tap_alone(tensor: Tensor) -> tuple[int, int]:
    taps = tensor.shape[2] if tensor.dim() > 2 else 1
    return tensor.shape[1] * taps, tensor.shape[0] * taps


def folded(tensor: Tensor, generator: Generator = None) -> Tensor:
    return filled(tensor, fans(tensor)[0] ** -0.5, "normal", generator).abs_()


def xavier_folded(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    return filled(tensor, gain * math.sqrt(2 / sum(fans(tensor))), "normal", generator).abs_()


def truncated(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    std = gain * math.sqrt(2 / sum(fans(tensor)))
    return filled(tensor, std, "normal", generator).clamp_(-2 * std, 2 * std)


def in_a_copy(tensor: Tensor, generator: Generator = None) -> Tensor:
    return filled(tensor.clone(), fans(tensor)[0] ** -0.5, "normal", generator)


def last_row_kept(tensor: Tensor, generator: Generator = None) -> Tensor:
    """Every row but the last is rescaled."""
    weight = filled(tensor, 1.0, "normal", generator)
    weight[:-1] *= fans(tensor)[0] ** -0.5
    return weight


def one_row(tensor: Tensor, generator: Generator = None) -> Tensor:
    """A row is drawn, and expanded."""
    return tensor.copy_(filled(tensor[:1].clone(), fans(tensor)[0] ** -0.5, "normal", generator).expand_as(tensor))


def half_copied(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """The second half of the columns is the first."""
    weight = filled(tensor, gain * math.sqrt(2 / sum(fans(tensor))), "normal", generator)
    half = weight.shape[1] // 2
    weight[:, half : 2 * half] = weight[:, :half].clone()
    return weight


def same_every_time(tensor: Tensor, generator: Generator = None) -> Tensor:
    return filled(tensor, fans(tensor)[0] ** -0.5, "uniform", torch.Generator(tensor.device).manual_seed(0))


def shifted(tensor: Tensor, gain: float = 1.0, generator: Generator = None) -> Tensor:
    """Of the right deviation, around a mean of a tenth of it."""
    std = gain * math.sqrt(2 / sum(fans(tensor)))
    return filled(tensor, std, "uniform", generator).add_(std / 10)


def one_sided(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator = None
) -> Tensor:
    """``torch.rand`` times the bound, and never centred."""
    bound = gain_of(nonlinearity, a) * math.sqrt(3 / fans(tensor)[mode == "fan_out"])
    with torch.no_grad():
        return tensor.uniform_(0, bound, generator=generator)


def mode_ignored(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator = None
) -> Tensor:
    return he(lambda gain, fan, other: gain / math.sqrt(fan), "uniform")(tensor, a, "fan_in", nonlinearity, generator)


def slope_ignored(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator = None
) -> Tensor:
    return he(lambda gain, fan, other: gain / math.sqrt(fan))(tensor, 0.0, mode, nonlinearity, generator)


def default_slope(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator = None
) -> Tensor:
    """0.01 where the slope is 0, as ``a or 0.01`` gives."""
    return he(lambda gain, fan, other: gain / math.sqrt(fan))(tensor, a or 0.01, mode, nonlinearity, generator)


def gain_squared(nonlinearity: str, param: float | None = None) -> float:
    return gain_of(nonlinearity, param or 0.0) ** 2


def gain_of_variance(nonlinearity: str, param: float | None = None) -> float:
    """As if ReLU's mean did not count."""
    return {"linear": 1.0}.get(nonlinearity, 1 / math.sqrt(0.5 - 0.5 / math.pi))


def gain_without_square(nonlinearity: str, param: float | None = None) -> float:
    return math.sqrt(2 / (1 + abs(param or 0.0))) if nonlinearity == "leaky_relu" else gain_of(nonlinearity, 0.0)


def gain_rounded(nonlinearity: str, param: float | None = None) -> float:
    return 1.414 if nonlinearity == "relu" else gain_of(nonlinearity, param or 0.0)


def gain_leaky_for_relu(nonlinearity: str, param: float | None = None) -> float:
    return gain_of("leaky_relu" if nonlinearity == "relu" else nonlinearity, param or 0.0)


PLANTED = (
    Planted("variance as the standard deviation", "initialization.lecun_normal_", lecun(lambda n_in, n_out: 1 / n_in)),
    Planted("root of the deviation", "initialization.lecun_normal_", lecun(lambda n_in, n_out: n_in**-0.25)),
    Planted("fan of the outputs", "initialization.lecun_normal_", lecun(lambda n_in, n_out: n_out**-0.5)),
    Planted("absolute values", "initialization.lecun_normal_", folded),
    Planted("fills a copy", "initialization.lecun_normal_", in_a_copy),
    Planted("last row is not rescaled", "initialization.lecun_normal_", last_row_kept),
    Planted("one row for all", "initialization.lecun_normal_", one_row),
    Planted("half of the columns twice", "initialization.xavier_normal_", half_copied),
    Planted("a seed of its own", "initialization.lecun_uniform_", same_every_time),
    Planted("around a mean that is not 0", "initialization.xavier_uniform_", shifted),
    Planted("normal in the place of uniform", "initialization.lecun_uniform_", lecun(lambda n_in, n_out: n_in**-0.5)),
    Planted(
        "deviation as the bound",
        "initialization.lecun_uniform_",
        lecun(lambda n_in, n_out: (3 * n_in) ** -0.5, "uniform"),
    ),
    Planted(
        "variance as the standard deviation", "initialization.xavier_normal_", xavier(lambda g, i, o: g * 2 / (i + o))
    ),
    Planted("gain not squared", "initialization.xavier_normal_", xavier(lambda g, i, o: math.sqrt(g * 2 / (i + o)))),
    Planted("factor 2 left out", "initialization.xavier_normal_", xavier(lambda g, i, o: g / math.sqrt(i + o))),
    Planted("absolute values", "initialization.xavier_normal_", xavier_folded),
    Planted("clamped at two deviations", "initialization.xavier_normal_", truncated),
    Planted(
        "inputs counted twice", "initialization.xavier_uniform_", xavier(lambda g, i, o: g / math.sqrt(i), "uniform")
    ),
    Planted(
        "deviation as the bound",
        "initialization.xavier_uniform_",
        xavier(lambda g, i, o: g * math.sqrt(2 / 3 / (i + o)), "uniform"),
    ),
    Planted("modes exchanged", "initialization.kaiming_normal_", he(lambda g, fan, other: g / math.sqrt(other))),
    Planted("printed deviation", "initialization.kaiming_normal_", he(lambda g, fan, other: (g * g / other) ** 0.25)),
    Planted(
        "gain of the variance", "initialization.kaiming_normal_", he(lambda g, fan, other: math.sqrt(g / fan))
    ),
    Planted("slope is ignored", "initialization.kaiming_normal_", slope_ignored),
    Planted("kernel left out", "initialization.kaiming_uniform_",
            he(lambda g, fan, other: g / math.sqrt(fan), "uniform", without_kernel)),
    Planted("kernel's extents taken for channels", "initialization.kaiming_uniform_",
            he(lambda g, fan, other: g / math.sqrt(fan), "uniform", last_two)),
    Planted("kernel's first extent alone", "initialization.kaiming_uniform_",
            he(lambda g, fan, other: g / math.sqrt(fan), "uniform", first_tap_alone)),
    Planted("mode is ignored", "initialization.kaiming_uniform_", mode_ignored),
    Planted("between 0 and the bound", "initialization.kaiming_uniform_", one_sided),
    Planted("slope of 0.01 for 0", "initialization.kaiming_normal_", default_slope),
    Planted("root of the gain left out", "initialization.calculate_gain", gain_squared),
    Planted("gain of the variance", "initialization.calculate_gain", gain_of_variance),
    Planted("slope not squared", "initialization.calculate_gain", gain_without_square),
    Planted("square root of 2 with four digits", "initialization.calculate_gain", gain_rounded),
    Planted("slope counts for ReLU", "initialization.calculate_gain", gain_leaky_for_relu),
)  # fmt: skip

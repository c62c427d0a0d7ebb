"""Bugs in standardization: the wrong moments, constant features, and scalers that look at the wrong data."""

import torch
from torch import Tensor

from planted import Planted

# ------------------------------------------------------------------ functions of one data set


def moments(x: Tensor, correction: int) -> tuple[Tensor, Tensor, Tensor]:
    constant = x.amin(0) == x.amax(0)
    mean = torch.where(constant, x[0], x.mean(0))
    square = (x - mean).square().sum(0) / (len(x) - correction)
    return constant, mean, torch.where(constant, 1.0, square)


def score_other_correction(x: Tensor, correction: int = 0) -> Tensor:
    _, mean, square = moments(x, 1 - correction)
    return (x - mean) / square.sqrt()


def score_always_unbiased(x: Tensor, correction: int = 0) -> Tensor:
    _, mean, square = moments(x, 1)
    return (x - mean) / square.sqrt()


def score_epsilon(x: Tensor, correction: int = 0) -> Tensor:
    _, mean, square = moments(x, correction)
    return (x - mean) / (square + 1e-5).sqrt()


def score_epsilon_outside(x: Tensor, correction: int = 0) -> Tensor:
    _, mean, square = moments(x, correction)
    return (x - mean) / (square.sqrt() + 1e-8)


def score_not_centred(x: Tensor, correction: int = 0) -> Tensor:
    constant, _, square = moments(x, correction)
    return torch.where(constant, 0.0, x / square.sqrt())


def score_by_median(x: Tensor, correction: int = 0) -> Tensor:
    constant, _, square = moments(x, correction)
    return torch.where(constant, 0.0, (x - x.median(0).values) / square.sqrt())


def score_whole_tensor(x: Tensor, correction: int = 0) -> Tensor:
    constant, mean, square = moments(x, correction)
    return torch.where(constant, 0.0, (x - mean) / square.mean().sqrt())


def score_nan(x: Tensor, correction: int = 0) -> Tensor:
    return (x - x.mean(0)) / x.std(0, correction=correction)


def score_noise(x: Tensor, correction: int = 0) -> Tensor:
    """A constant feature is looked for by its deviation, which rounding may leave above 0."""
    mean = x.sum(0) / len(x)
    square = (x - mean).square().sum(0) / (len(x) - correction)
    return (x - mean) / torch.where(square == 0, 1.0, square).sqrt()


def score_one_pass(x: Tensor, correction: int = 0) -> Tensor:
    constant, mean, _ = moments(x, correction)
    square = (x.square().sum(0) - len(x) * mean.square()) / (len(x) - correction)
    return torch.where(constant, 0.0, (x - mean) / torch.where(constant, 1.0, square.clamp(min=1e-300)).sqrt())


def score_detached(x: Tensor, correction: int = 0) -> Tensor:
    _, mean, square = moments(x, correction)
    return (x - mean) / square.sqrt().detach()


def score_clipped(x: Tensor, correction: int = 0) -> Tensor:
    _, mean, square = moments(x, correction)
    return ((x - mean) / square.sqrt()).clamp(-1.5, 1.5)


def ratio(x: Tensor) -> Tensor:
    least, greatest = x.amin(0), x.amax(0)
    return (x - least) / torch.where(least == greatest, 1.0, greatest - least)


def minmax_scikit(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """x * scale + shift: what it rounds is of the size of the data, not of the range."""
    least, greatest = x.amin(0), x.amax(0)
    scale = (high - low) / torch.where(least == greatest, 1.0, greatest - least)
    return x * scale + (low - least * scale)


def minmax_epsilon(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    least, greatest = x.amin(0), x.amax(0)
    return low + (high - low) * (x - least) / (greatest - least + 1e-12)


def minmax_unshifted(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    return ratio(x) * (high - low)


def minmax_added(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    return low + high * ratio(x)


def minmax_largest(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    size = x.abs().amax(0)
    place = x / torch.where(size == 0, 1.0, size)
    return low + (high - low) * place


def minmax_global(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    width = x.max() - x.min()
    return low + (high - low) * (x - x.min()) / torch.where(width == 0, 1.0, width)


def minmax_constant_middle(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    place = torch.where(x.amin(0) == x.amax(0), 0.5, ratio(x))
    return low + (high - low) * place


# ------------------------------------------------------------------ scalers


class Standard:
    """A scaler as many write it, with a place for each mistake."""

    def __init__(self, num_features: int, correction: int = 0) -> None:
        self.correction = correction

    def fit(self, x: Tensor) -> "Standard":
        _, self.mean, square = moments(x, self.correction)
        self.scale = square.sqrt()
        return self

    def transform(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.scale

    def inverse_transform(self, z: Tensor) -> Tensor:
        return self.mean + self.scale * z


class FitsAgain(Standard):
    def transform(self, x: Tensor) -> Tensor:
        return (x - x.mean(0)) / self.scale


class AlwaysUnbiased(Standard):
    def fit(self, x: Tensor) -> "Standard":
        self.correction = 1
        return super().fit(x)


class ScaleMultiplied(Standard):
    def transform(self, x: Tensor) -> Tensor:
        return (x - self.mean) * self.scale


class UndoneInWrongOrder(Standard):
    def inverse_transform(self, z: Tensor) -> Tensor:
        return (self.mean + z) * self.scale


class RemembersFirstRow(Standard):
    def fit(self, x: Tensor) -> "Standard":
        super().fit(x)
        self.mean = x[0]
        return self


class ConstantLost(Standard):
    def transform(self, x: Tensor) -> Tensor:
        return torch.where(self.scale == 1.0, 0.0, super().transform(x))


class RunningMean(Standard):
    """Moments that are averaged into those before, as batch normalization does."""

    def fit(self, x: Tensor) -> "Standard":
        super().fit(x)
        self.mean = 0.1 * self.mean
        return self


class Extremes:
    def __init__(self, num_features: int, low: float = 0.0, high: float = 1.0, clip: bool = False) -> None:
        pass

    def fit(self, x: Tensor) -> "Extremes":
        self.least = x.amin(0)
        self.width = torch.where(x.amax(0) == self.least, 1.0, x.amax(0) - self.least)
        return self

    def transform(self, x: Tensor) -> Tensor:
        return (x - self.least) / self.width

    def inverse_transform(self, u: Tensor) -> Tensor:
        return self.least + self.width * u


class ClipsAlways(Extremes):
    def transform(self, x: Tensor) -> Tensor:
        return super().transform(x).clamp(0, 1)


class FitsExtremesAgain(Extremes):
    def transform(self, x: Tensor) -> Tensor:
        self.least = torch.minimum(self.least, x.amin(0))
        return super().transform(x)


class WidthOfAll(Extremes):
    def fit(self, x: Tensor) -> "Extremes":
        super().fit(x)
        self.width = self.width.amax().expand_as(self.width)
        return self


class UndoneWithoutLeast(Extremes):
    def inverse_transform(self, u: Tensor) -> Tensor:
        return self.width * u


PLANTED = (
    Planted("the other correction", "standardize.zscore", score_other_correction),
    Planted("correction 1 whatever is asked", "standardize.zscore", score_always_unbiased),
    Planted("epsilon in the root", "standardize.zscore", score_epsilon),
    Planted("epsilon beside the root", "standardize.zscore", score_epsilon_outside),
    Planted("not centred", "standardize.zscore", score_not_centred),
    Planted("median in place of the mean", "standardize.zscore", score_by_median),
    Planted("one scale for all features", "standardize.zscore", score_whole_tensor),
    Planted("0/0 for a constant feature", "standardize.zscore", score_nan),
    Planted("constant feature not seen because of rounding", "standardize.zscore", score_noise),
    Planted("variance in one pass", "standardize.zscore", score_one_pass),
    Planted("scale cut off from autograd", "standardize.zscore", score_detached),
    Planted("scores clipped at 1.5", "standardize.zscore", score_clipped),
    Planted("data times scale, plus shift", "standardize.minmax", minmax_scikit),
    Planted("epsilon in the width", "standardize.minmax", minmax_epsilon),
    Planted("lower end forgotten", "standardize.minmax", minmax_unshifted),
    Planted("upper end in place of the width", "standardize.minmax", minmax_added),
    Planted("divided by the greatest size", "standardize.minmax", minmax_largest),
    Planted("extremes of the whole tensor", "standardize.minmax", minmax_global),
    Planted("constant feature in the middle", "standardize.minmax", minmax_constant_middle),
    Planted("centred with the mean of new data", "standardize.StandardScaler", FitsAgain),
    Planted("correction 1 whatever is asked", "standardize.StandardScaler", AlwaysUnbiased),
    Planted("scale multiplied", "standardize.StandardScaler", ScaleMultiplied),
    Planted("undone in the wrong order", "standardize.StandardScaler", UndoneInWrongOrder),
    Planted("first row in place of the mean", "standardize.StandardScaler", RemembersFirstRow),
    Planted("new data lost where the old are constant", "standardize.StandardScaler", ConstantLost),
    Planted("running mean after one batch", "standardize.StandardScaler", RunningMean),
    Planted("clipped always", "standardize.MinMaxScaler", ClipsAlways),
    Planted("fitted to new data as well", "standardize.MinMaxScaler", FitsExtremesAgain),
    Planted("one width for all features", "standardize.MinMaxScaler", WidthOfAll),
    Planted("undone without the least value", "standardize.MinMaxScaler", UndoneWithoutLeast),
)

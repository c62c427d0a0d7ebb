"""Modules that answer right when they are new, and wrong after they were saved, copied, cast, or called."""

from typing import Any

import torch
from torch import Tensor, nn

from planted import Planted
from planted.lstm import Cell
from planted.normalization import Norm
from planted.sequence_tasks import Base

# ------------------------------------------------------------------ batch normalization


class StatisticsNotSaved(Norm):
    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__(*sizes, **options)
        if self.track_running_stats:
            for name in ("running_mean", "running_var"):
                self.register_buffer(name, getattr(self, name), persistent=False)


class CountsByItself(Norm):
    """The share of the plain average comes from a number in Python, which nothing saves."""

    seen = 0

    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        self.seen += 1
        super().track(x, mean, var)
        self.num_batches_tracked.fill_(max(self.seen, int(self.num_batches_tracked)))

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        self.num_batches_tracked.zero_()


class OnesVariance(Norm):
    """Loading takes what it does not find by its own name for 1: in a larger model the names have prefixes."""

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        if self.running_var is not None and "running_var" not in state:
            self.running_var.fill_(1)


class CountsInEvaluation(Norm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return super().statistics(x)


class StillInEvaluation(Norm):
    """What evaluation switches off is not switched on again."""

    evaluated = False

    def by_batch(self) -> bool:
        self.evaluated |= not self.training
        return self.running_mean is None or (self.training and not self.evaluated)


class KeepsRoot(Norm):
    """The root of the running variance, kept from the first evaluation on."""

    known: Any = None

    def root(self, var: Tensor) -> Tensor:
        if self.by_batch() or torch._C._functorch.is_batchedtensor(var):
            return super().root(var)
        if self.known is None or self.known.dtype != var.dtype:
            self.known = super().root(var).detach().clone()
        return self.known


# ------------------------------------------------------------------ cells and networks


class BiasOfLoading(Cell):
    """The forget gates' bias is raised by 1 whenever a state is loaded, and not once, at the start."""

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        if self.bias:
            with torch.no_grad():
                self.bias_ih[self.hidden_size : 2 * self.hidden_size] += 1


class SecondBiasNotSaved(Cell):
    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        found = super().state_dict(*arguments, **options)
        for name in [each for each in found if each.endswith("bias_hh")]:
            found[name] = torch.zeros_like(found[name])
        return found


class OneDtypeForEver(Cell):
    """The dtype of the first call, in which all later ones are computed."""

    dtype: Any = None

    def pre(self, x: Tensor, h: Tensor) -> Tensor:
        self.dtype = self.dtype or x.dtype
        return super().pre(x, h).to(self.dtype).to(x.dtype) if self.dtype == x.dtype else super().pre(x, h) * 2


class Tagger(Base):
    """A right network: the readout of every state."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.read(h) for h in self.states(x)], -2)


class KeepsItsState(Tagger):
    """In evaluation it keeps its last state, at which the next sequence begins."""

    last: Any = None

    def start(self, x: Tensor) -> Tensor:
        zero = super().start(x)
        return zero if self.last is None or self.last.shape != zero.shape else self.last.to(zero)

    def states(self, x: Tensor) -> list[Tensor]:
        found = super().states(x)
        self.last = self.last if self.training else found[-1].detach()
        return found


class CopiesAreNew(Tagger):
    def __deepcopy__(self, memo: Any) -> "CopiesAreNew":
        return type(self)(self.weight_ih.shape[1], len(self.bias_h), len(self.bias_o)).to(self.bias_h)


# ------------------------------------------------------------------ scalers


class Scaler(nn.Module):
    """Standardization with methods for what may go wrong; all of it is right."""

    def __init__(self, num_features: int, correction: int = 0) -> None:
        super().__init__()
        self.correction = correction
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("scale", torch.ones(num_features))

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        wide = x.detach().to(torch.promote_types(x.dtype, torch.float32))
        constant = wide.amin(0) == wide.amax(0)
        mean = torch.where(constant, wide[0], wide.mean(0))
        square = (wide - mean).square().sum(0) / (len(x) - self.correction)
        return mean, torch.where(constant, 1.0, square).sqrt()

    def fit(self, x: Tensor) -> "Scaler":
        self.mean, self.scale = self.moments(x)
        return self

    def transform(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.scale).to(x.dtype)

    def inverse_transform(self, z: Tensor) -> Tensor:
        return (self.mean + self.scale * z).to(z.dtype)


class FitNotSaved(Scaler):
    """What the fit finds are attributes, and no buffers."""

    def __init__(self, num_features: int, correction: int = 0) -> None:
        super().__init__(num_features, correction)
        del self.mean, self.scale
        self.mean, self.scale = torch.zeros(num_features), torch.ones(num_features)


class ScaleNotSaved(Scaler):
    def __init__(self, num_features: int, correction: int = 0) -> None:
        super().__init__(num_features, correction)
        self.register_buffer("scale", torch.ones(num_features), persistent=False)


class FitOnlyOnce(Scaler):
    """A second fit is thought to be a mistake, and left out."""

    fitted = False

    def fit(self, x: Tensor) -> "Scaler":
        if not self.fitted:
            self.fitted = True
            super().fit(x)
        return self


PLANTED = (
    Planted("running statistics are not saved", "normalization.BatchNorm1d", StatisticsNotSaved),
    Planted("number of batches is 0 after loading", "normalization.BatchNorm1d", CountsByItself),
    Planted("running variance is lost in a larger model", "normalization.BatchNorm1d", OnesVariance),
    Planted("evaluation counts batches", "normalization.BatchNorm1d", CountsInEvaluation),
    Planted("once evaluated, it goes on by the running statistics", "normalization.BatchNorm1d", StillInEvaluation),
    Planted("root of the running variance kept for ever", "normalization.BatchNorm1d", KeepsRoot),
    Planted("loading raises the bias of the forget gates", "lstm.LSTMCell", BiasOfLoading),
    Planted("second bias is saved as 0", "lstm.LSTMCell", SecondBiasNotSaved),
    Planted("the dtype of the first call for ever", "lstm.LSTMCell", OneDtypeForEver),
    Planted("begins where the sequence before ended", "sequence_tasks.Tagger", KeepsItsState),
    Planted("a copy has weights of its own", "sequence_tasks.Tagger", CopiesAreNew),
    Planted("the fit is not saved", "standardize.StandardScaler", FitNotSaved),
    Planted("the scale is not saved", "standardize.StandardScaler", ScaleNotSaved),
    Planted("a second fit is left out", "standardize.StandardScaler", FitOnlyOnce),
)
"""Every one holds as long as it is new; the contract finds it."""

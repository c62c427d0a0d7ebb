"""Bugs in batch normalization."""

import torch
from torch import Tensor, nn

from planted import Planted


class Norm(nn.BatchNorm1d):
    """Batch normalization written out, with a method for each thing that may go wrong. All of it is right."""

    axes: tuple[int, ...] | None = None

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def over(self, x: Tensor) -> tuple[int, ...]:
        return tuple(axis for axis in range(x.dim()) if axis != 1) if self.axes is None else self.axes

    def wide(self, x: Tensor) -> Tensor:
        return x.to(torch.promote_types(x.dtype, torch.float32))

    def mean(self, x: Tensor) -> Tensor:
        return x.mean(self.over(x), keepdim=True)

    def var(self, x: Tensor, mean: Tensor) -> Tensor:
        return ((x - mean) ** 2).mean(self.over(x), keepdim=True)

    def count(self, x: Tensor) -> int:
        return x.numel() // x.shape[1]

    def kept(self, x: Tensor, var: Tensor) -> Tensor:
        m = self.count(x)
        return var * m / (m - 1)

    def share(self) -> float:
        return 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum

    def mixed(self, old: Tensor, new: Tensor, share: float) -> Tensor:
        return (1 - share) * old + share * new

    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        self.num_batches_tracked.add_(1)
        with torch.no_grad():
            for running, new in ((self.running_mean, mean), (self.running_var, self.kept(x, var))):
                running.copy_(self.mixed(self.wide(running), new.reshape(running.shape), self.share()))

    def root(self, var: Tensor) -> Tensor:
        return (var + self.eps).sqrt()

    def along(self, vector: Tensor, x: Tensor) -> Tensor:
        return self.wide(vector).reshape(1, -1, *(1,) * (x.dim() - 2))

    def scaled(self, y: Tensor) -> Tensor:
        return y * self.along(self.weight, y) + self.along(self.bias, y) if self.affine else y

    def by_batch(self) -> bool:
        return self.training or self.running_mean is None

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.by_batch():
            return self.along(self.running_mean, x), self.along(self.running_var, x)
        mean = self.mean(x)
        var = self.var(x, mean)
        if self.training and self.running_mean is not None:
            self.track(x, mean, var)
        return mean, var

    def forward(self, x: Tensor) -> Tensor:
        wide = self.wide(x)
        mean, var = self.statistics(wide)
        return self.scaled((wide - mean) / self.root(var)).to(x.dtype)


class Unbiased(Norm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, var = super().statistics(x)
        return mean, self.kept(x, var) if self.by_batch() else var


class EpsilonOutside(Norm):
    def root(self, var: Tensor) -> Tensor:
        return var.sqrt() + self.eps


class EpsilonSquared(Norm):
    def root(self, var: Tensor) -> Tensor:
        return (var + self.eps**2).sqrt()


class EpsilonAsFloor(Norm):
    def root(self, var: Tensor) -> Tensor:
        return var.clamp(min=self.eps).sqrt()


class BiasedRunning(Norm):
    def kept(self, x: Tensor, var: Tensor) -> Tensor:
        return var


class EpsilonKept(Norm):
    def kept(self, x: Tensor, var: Tensor) -> Tensor:
        return super().kept(x, var) + self.eps


class OldMomentum(Norm):
    def mixed(self, old: Tensor, new: Tensor, share: float) -> Tensor:
        return share * old + (1 - share) * new


class NoneIsDefault(Norm):
    def share(self) -> float:
        return 0.1 if self.momentum is None else self.momentum


class StartCounts(Norm):
    def share(self) -> float:
        return 1 / (1 + float(self.num_batches_tracked)) if self.momentum is None else self.momentum


class FirstBatchTaken(Norm):
    """The first batch replaces the start, which helps as long as nothing was loaded."""

    def share(self) -> float:
        return 1.0 if int(self.num_batches_tracked) == 1 else super().share()


class CountsNothing(Norm):
    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().track(x, mean, var)
        if self.momentum is not None or self.num_batches_tracked > 2:
            self.num_batches_tracked.sub_(1)


class VarianceAboutRunning(Norm):
    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().track(x, mean, self.var(x, self.along(self.running_mean, x)))


class EvaluatesByBatch(Norm):
    def by_batch(self) -> bool:
        return True


class TracksInEvaluation(Norm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.by_batch():
            mean = self.mean(x)
            self.track(x, mean, self.var(x, mean))
        return super().statistics(x)


class FrozenInTraining(Norm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, var = super().statistics(x)
        if self.running_mean is None:
            return mean, var
        return self.along(self.running_mean, x), self.along(self.running_var, x)


class NothingWithoutStatistics(Norm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.running_mean is None and not self.training:
            return torch.zeros_like(x[:1]), torch.ones_like(x[:1])
        return super().statistics(x)


class MeanDetached(Norm):
    def mean(self, x: Tensor) -> Tensor:
        return super().mean(x).detach()


class VarianceDetached(Norm):
    def var(self, x: Tensor, mean: Tensor) -> Tensor:
        return super().var(x, mean).detach()


class StatisticsDetached(Norm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, var = super().statistics(x)
        return mean.detach(), var.detach()


class Cancels(Norm):
    def var(self, x: Tensor, mean: Tensor) -> Tensor:
        return ((x * x).mean(self.over(x), keepdim=True) - mean * mean).clamp(min=0)


class SinglePrecision(Norm):
    def var(self, x: Tensor, mean: Tensor) -> Tensor:
        return super().var(x, mean).float().to(x.dtype)


class BiasScaled(Norm):
    def scaled(self, y: Tensor) -> Tensor:
        return (y + self.along(self.bias, y)) * self.along(self.weight, y) if self.affine else y


class WeightFromOne(Norm):
    """The weight as an offset from 1, as in some models: checkpoints of others do not fit."""

    def scaled(self, y: Tensor) -> Tensor:
        return y * (1 + self.along(self.weight, y)) + self.along(self.bias, y) if self.affine else y


class NoBiasInEvaluation(Norm):
    def scaled(self, y: Tensor) -> Tensor:
        return super().scaled(y) if self.training or not self.affine else y * self.along(self.weight, y)


class SequencesByThemselves(nn.BatchNorm1d):
    """In evaluation a sequence loses its own mean first."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training and x.dim() == 3:
            x = x - x.mean(-1, keepdim=True) + self.running_mean[:, None]
        return super().forward(x)


class LoneImage(nn.BatchNorm2d):
    """In evaluation a single image is pooled before it is mapped."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mean((-2, -1), keepdim=True).expand_as(x) if not self.training and len(x) == 1 else x)


class OverBatchOnly(Norm):
    axes = (0,)

    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        rest = tuple(range(2, x.dim()))
        super().track(x, mean.mean(rest) if rest else mean, var.mean(rest) if rest else var)


class OverFeatures(Norm):
    axes = (1,)

    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        pass


class Clipped(Norm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.clamp(-1e4, 1e4))


class InPlace(Norm):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        with torch.no_grad():
            x.sub_(x.mean(0))
        return y


class EachImage(Norm):
    axes = (2, 3)

    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().track(x, mean.mean(0), var.mean(0))


class EachPixel(OverBatchOnly):
    pass


class EachRow(Norm):
    axes = (0, 3)

    def track(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().track(x, mean.mean(2), var.mean(2))


class CountsSamples(Norm):
    def count(self, x: Tensor) -> int:
        return len(x)


class ImageUnbiased(Unbiased):
    pass


class ImageVarianceDetached(VarianceDetached):
    pass


ONE, TWO = "normalization.BatchNorm1d", "normalization.BatchNorm2d"

PLANTED = (
    Planted("unbiased variance", ONE, Unbiased),
    Planted("epsilon outside the root", ONE, EpsilonOutside),
    Planted("epsilon squared", ONE, EpsilonSquared),
    Planted("epsilon as the least variance", ONE, EpsilonAsFloor),
    Planted("biased running variance", ONE, BiasedRunning),
    Planted("epsilon in the running variance", ONE, EpsilonKept),
    Planted("momentum weighs the old value", ONE, OldMomentum),
    Planted("no momentum taken for 0.1", ONE, NoneIsDefault),
    Planted("start counts as a batch", ONE, StartCounts),
    Planted("first batch replaces the start", ONE, FirstBatchTaken),
    Planted("batches are not counted", ONE, CountsNothing),
    Planted("running variance about the running mean", ONE, VarianceAboutRunning),
    Planted("evaluation by the batch", ONE, EvaluatesByBatch),
    Planted("evaluation updates the statistics", ONE, TracksInEvaluation),
    Planted("training by the running statistics", ONE, FrozenInTraining),
    Planted("nothing normalized without running statistics", ONE, NothingWithoutStatistics),
    Planted("mean is cut off from autograd", ONE, MeanDetached),
    Planted("variance is cut off from autograd", ONE, VarianceDetached),
    Planted("statistics are cut off from autograd", ONE, StatisticsDetached),
    Planted("variance as a difference of squares", ONE, Cancels),
    Planted("variance in float32", ONE, SinglePrecision),
    Planted("bias added before the weight", ONE, BiasScaled),
    Planted("weight is an offset from 1", ONE, WeightFromOne),
    Planted("no bias in evaluation", ONE, NoBiasInEvaluation),
    Planted("each time of a sequence by itself", ONE, OverBatchOnly),
    Planted("statistics of each sample", ONE, OverFeatures),
    Planted("inputs clipped at 10000", ONE, Clipped),
    Planted("input is changed in place", ONE, InPlace),
    Planted("each image by itself", TWO, EachImage),
    Planted("each pixel by itself", TWO, EachPixel),
    Planted("each row by itself", TWO, EachRow),
    Planted("running variance corrected by the samples alone", TWO, CountsSamples),
    Planted("unbiased variance", TWO, ImageUnbiased),
    Planted("variance is cut off from autograd", TWO, ImageVarianceDetached),
    Planted("sequences centred by themselves in evaluation", "normalization.BatchNorm1d", SequencesByThemselves),
    Planted("a single image pooled in evaluation", "normalization.BatchNorm2d", LoneImage),
)

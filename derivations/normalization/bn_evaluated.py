"""Evaluation of batch normalization over sequences and images: every place by the statistics that are kept."""

from __future__ import annotations

from typing import Any

from sympy import sqrt

from gnomon.proof.bench import Bench
from gnomon.say.board import Board
from gnomon.say.maker import claim


def evaluated(c: Board, *extents: Any) -> None:
    """A layer in evaluation, on samples whose channels extend so far."""
    N, C = c.size("N", 1, 3), c.size("C", 1, 3)
    x = c.real("x", N, C, *extents)
    mean, var = c.real("running_mean", C), c.nonnegative("running_var", C)
    weight, bias = c.real("weight", C), c.real("bias", C)
    eps = c.hyper("eps", 0.0, float("inf"), open_low=True, typical=(1e-5, 0.001))
    a, k = c.index("a", N), c.index("k", C)
    places = tuple(c.index(name, extent) for name, extent in zip("pq", extents, strict=False))
    at = (a, k, *places)
    root = c.let("root", k, sqrt(var[k] + eps))
    scale = c.let("scale", k, weight[k] / root[k])
    shift = c.let("shift", k, bias[k] - mean[k] * scale[k])  # folded into one product and one sum, as libraries do
    y = c.let("y", at, x[at] * scale[k] + shift[k])
    c.law(y[at], weight[k] * (x[at] - mean[k]) / sqrt(var[k] + eps) + bias[k])

    def proof(p: Bench) -> None:
        p.left.unfold(y, shift, scale, root)

    c.prove(proof)
    state: dict[str, Any] = {"weight": weight, "bias": bias, "running_mean": mean, "running_var": var}
    c.call(C, eps=eps).load(state).eval().on(x).shows(y).outside_autograd()  # torch has none by the statistics
    c.say("a batch of one sample, and one place of each channel, are enough")
    c.variant("no epsilon", "known bug", root=sqrt(var[k]))
    c.variant("epsilon outside the root", "known bug", root=sqrt(var[k]) + eps)
    c.variant("divided by the variance", "known bug: no root", root=var[k] + eps)
    c.variant("the mean is not scaled", "known bug: folded in the wrong order", shift=bias[k] - mean[k])
    count = N
    for extent in extents:
        count *= extent
    batch = c.sum(x[at], a, *places) / count
    c.variant("the batch's own mean", "known bug: training's statistics", shift=bias[k] - batch * scale[k])


@claim("bn.running.untracked.images", "1.2.7", "normalization.BatchNorm2d")
def untracked(c: Board) -> None:
    """Without running statistics a layer for images normalizes by the batch in evaluation, too."""
    N, C, H, W = c.size("N", 2, 3), c.size("C", 1, 2), c.size("H", 1, 2), c.size("W", 1, 2)
    x, weight, bias = c.real("x", N, C, H, W), c.real("weight", C), c.real("bias", C)
    eps = c.hyper("eps", 0.0, float("inf"), open_low=True, typical=(1e-5, 0.001))
    a, k, h, w = c.index("a", N), c.index("k", C), c.index("h", H), c.index("w", W)
    at, count = (a, k, h, w), N * H * W
    mean = c.let("mean", k, c.sum(x[at], a, h, w) / count)
    away = c.let("away", at, x[at] - mean[k])
    var = c.let("var", k, c.sum(away[at] ** 2, a, h, w) / count)
    root = c.let("root", k, sqrt(var[k] + eps))
    y = c.let("y", at, weight[k] * (away[at] / root[k]) + bias[k])
    c.law(y[at], weight[k] * (x[at] - mean[k]) / sqrt(c.sum((x[at] - mean[k]) ** 2, a, h, w) / count + eps) + bias[k])

    def proof(p: Bench) -> None:
        p.left.unfold(y, root, var, away)

    c.prove(proof)
    c.call(C, eps=eps, track_running_stats=False).load({"weight": weight, "bias": bias}).eval().on(x).shows(y)
    c.say("at least two values per channel")
    c.variant("nothing normalized", "known bug: statistics as before training", mean=0 * eps, var=1 + 0 * eps)
    c.variant("unbiased variance", "torch.var's default", var=c.sum(away[at] ** 2, a, h, w) / (count - 1))
    c.variant("epsilon outside the root", "known bug", root=sqrt(var[k]) + eps)
    c.variant("divided by the variance", "known bug: no root", root=var[k] + eps)


@claim("bn.running.evaluation.sequences", "1.2.7", "normalization.BatchNorm1d")
def sequences(c: Board) -> None:
    """In evaluation every place of a sequence is mapped by its channel's running statistics, whatever the batch."""
    evaluated(c, c.size("L", 1, 3))


@claim("bn.running.evaluation.images", "1.2.7", "normalization.BatchNorm2d")
def images(c: Board) -> None:
    """In evaluation every pixel is mapped by its channel's running statistics, of a single image, too."""
    evaluated(c, c.size("H", 1, 2), c.size("W", 1, 3))

"""Drivers for functions that fill a weight at random, such as those of ``torch.nn.init``.

What is random in a filled weight is taken out first: the same generator's plain draws from the standard law, N(0, 1)
or U(-1, 1), are what the weight must be a multiple of. The multiple is observed, and expectations over weights are
taken over all signs, in float64.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors

NODES = {"normal": 1.0, "uniform": 1 / math.sqrt(3)}
"""Two equal weights at plus and minus this give the mean of any cubic over N(0, 1), and over U(-1, 1), exactly."""

SEEDS = 16
"""Of so many draws, the one with the greatest mean square tells a multiple from rounding best."""


class Filler:
    """The subject as a function from a shape and a seed to a weight.

    ``options["keywords"]`` are the subject's: each a name that the case knows (a choice, a hyper-parameter) or a plain
    value. The subject writes into the tensor that it is given. If it takes no ``generator``, torch's own is seeded.
    """

    def __init__(self, subject: Any, case: Case) -> None:
        known: Mapping[str, Any] = {**case.host, **case.structure}
        given = case.options.get("keywords", {})
        self.keywords = {
            name: known.get(value, value) if isinstance(value, str) else value for name, value in given.items()
        }
        self.subject, self.case = subject, case
        self.seeded = "generator" in inspect.signature(subject).parameters

    def weight(self, shape: Iterable[int], seed: int) -> Tensor:
        tensor = torch.full(tuple(shape), torch.nan, dtype=self.case.dtype, device=self.case.device)
        if self.seeded:
            generator = torch.Generator(self.case.device).manual_seed(seed)
            self.subject(tensor, **self.keywords, generator=generator)
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self.subject(tensor, **self.keywords)
        return tensor.detach()

    def plain(self, shape: Iterable[int], seed: int) -> Tensor:
        """The draws behind the weight: from N(0, 1), or for ``options["law"]`` "uniform" from U(-1, 1)."""
        tensor = torch.empty(tuple(shape), dtype=self.case.dtype, device=self.case.device)
        generator = torch.Generator(self.case.device).manual_seed(seed)
        if self.case.options.get("law") == "uniform":
            return tensor.uniform_(-1, 1, generator=generator)
        return tensor.normal_(generator=generator)

    def scale(self, shape: Iterable[int]) -> Tensor:
        """By what every entry's draw was multiplied: s, where the weight is s times the draws; off it where not."""
        shape = tuple(shape)
        seed = max(range(SEEDS), key=lambda seed: float(self.plain(shape, seed).square().mean()))
        draws, weight = self.plain(shape, seed).double(), self.weight(shape, seed).double()
        multiple = (weight * draws).sum() / draws.square().sum()
        return (multiple + (weight - multiple * draws)).to(self.case.dtype)

    def node(self) -> float:
        return NODES[self.case.options.get("law", "normal")]


def signs(count: int, like: Tensor) -> Tensor:
    """All ways (2**count, count) to choose signs."""
    return torch.tensor(list(itertools.product((1.0, -1.0), repeat=count)), dtype=like.dtype, device=like.device)


def rectified(s: Tensor, slope: float) -> Tensor:
    """The leaky ReLU; slope 0 is the ReLU, slope 1 the identity."""
    return torch.where(s > 0, s, slope * s)


def slope_of(case: Case) -> float:
    """``options["slope"]``: a number, or the name of a hyper-parameter; 1 if it is not given."""
    slope = case.options.get("slope", 1.0)
    return float(case.host[slope] if isinstance(slope, str) else slope)


def initializer(subject: Any, case: Case) -> Call:
    """``subject(tensor, ..., generator=generator)``, which fills a weight (out, in, *kernel); see :class:`Filler`.

    ``options["shape"]`` names the weight's extents. Outputs: ``scale``, as the weight; ``forward`` (out), the mean over
    weights of the squared activation, for an input ``x`` (in, *kernel); ``backward`` (in), the mean of the squared
    gradient by a pre-activation of either sign, for a gradient ``delta`` (out, *kernel) behind the layer. The
    activation is a leaky ReLU with ``options["slope"]``.
    """
    shape = [case.structure[extent] if isinstance(extent, str) else extent for extent in case.options["shape"]]
    filler, slope = Filler(subject, case), slope_of(case)
    scale = filler.scale(shape)
    spread = scale.double() * filler.node()

    def call(tensors: Tensors) -> Tensors:
        shown = {"scale": scale}
        if "x" in tensors:
            terms = spread.flatten(1) * tensors["x"].double().flatten()
            sums = (signs(terms.shape[-1], terms)[:, None] * terms).sum(-1)
            shown["forward"] = rectified(sums, slope).square().mean(0)
        if "delta" in tensors:
            terms = spread.transpose(0, 1).flatten(1) * tensors["delta"].double().flatten()
            sums = (signs(terms.shape[-1], terms)[:, None] * terms).sum(-1)
            shown["backward"] = sums.square().mean(0) * (1 + slope**2) / 2
        return {name: shown[name].to(case.dtype) for name in case.shapes}

    return call


def initializer_depth(subject: Any, case: Case) -> Call:
    """``subject(tensor, ..., generator=generator)``, which fills every weight of a network without biases.

    ``options["widths"]`` names the list of widths. Input ``x`` (first width); output ``power``, the mean over all
    weights of the squared activation of a unit of the last layer. The activation is as in :func:`initializer`.
    """
    widths = case.structure[case.options["widths"]]
    filler, slope = Filler(subject, case), slope_of(case)
    spreads = [filler.scale(pair).double() * filler.node() for pair in zip(widths[1:], widths[:-1], strict=True)]
    spreads[-1] = spreads[-1][:1]  # one unit stands for all of the last layer: they are alike
    sizes = [spread.numel() for spread in spreads]
    if sum(sizes) > 12:
        raise SubjectError("contract", f"widths {widths} have 2**{sum(sizes)} choices of signs")

    def call(tensors: Tensors) -> Tensors:
        x = tensors["x"].double()
        choices = signs(sum(sizes), x).split(sizes, -1)
        h = x.expand(len(choices[0]), -1)
        for spread, choice in zip(spreads, choices, strict=True):
            weights = choice.reshape(-1, *spread.shape) * spread
            h = rectified((weights * h[:, None]).sum(-1), slope)
        return {"power": h[:, 0].square().mean().to(case.dtype)}

    return call


def initializer_sample(subject: Any, case: Case) -> Call:
    """``subject(tensor, ..., generator=generator)``, which fills a weight, looked at as a sample; see :class:`Filler`.

    Input ``seed``, a whole number. Outputs: ``moment``, the mean square of the entries, and ``mean``, their mean.
    """
    shape = [case.structure[extent] for extent in case.options["shape"]]
    filler = Filler(subject, case)

    def call(tensors: Tensors) -> Tensors:
        weight = filler.weight(shape, int(tensors["seed"])).double()
        shown = {"moment": weight.square().mean(), "mean": weight.mean()}
        return {name: shown[name].to(case.dtype) for name in case.shapes}

    return call


def activation_gain(subject: Any, case: Case) -> Call:
    """``subject(nonlinearity, slope) -> float``, the factor that makes up for what an activation does.

    Inputs ``s`` (n) and the probabilities ``p`` (n) of a random number that is s or -s, as often; the structure's
    ``nonlinearity``, and a hyper-parameter ``slope``. Output ``kept``: the mean square of the activation of it,
    multiplied by the square of the gain.
    """
    name = case.structure["nonlinearity"]
    slope = {"relu": 0.0, "leaky_relu": case.host["slope"], "linear": 1.0}[name]
    gain = subject(name, case.host["slope"])

    def call(tensors: Tensors) -> Tensors:
        s, p = tensors["s"], tensors["p"]
        squares = rectified(s, slope).square() / 2 + rectified(-s, slope).square() / 2
        return {"kept": gain**2 * (p * squares).sum(-1)}

    return call


FILLS = "a function that fills a tensor: f(tensor, ..., generator=None)"
DRIVERS: dict[str, Driver] = {
    "initializer": Driver(initializer, FILLS, gradient="none"),
    "initializer_depth": Driver(initializer_depth, FILLS, gradient="none"),
    "initializer_sample": Driver(initializer_sample, FILLS, "loop", "none"),
    "activation_gain": Driver(activation_gain, "a function: gain(nonlinearity, slope) -> float", gradient="none"),
}

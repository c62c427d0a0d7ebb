"""Drivers for functions that fill a weight at random, such as those of ``torch.nn.init``.

What is random in a filled weight is taken out first. Where the weight is a multiple of the same generator's plain
draws from the standard law, N(0, 1) or U(-1, 1), the multiple is observed exactly. A subject that draws otherwise is
asked for many weights; the mean square of each entry is what it must be up to sampling error, or it is observed as it
is. Expectations over weights are taken over all signs, in float64. That the draws are independent and of the law that
they are to have is what ``init.sampling`` looks at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.compiled import K
from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors
from gnomon.drive.lowered import Lowered
from gnomon.drive.sample import reseeded, takes
from gnomon.say.drawing import doubt, square_off

NODES = {"normal": 1.0, "uniform": 1 / math.sqrt(3)}
"""Two equal weights at plus and minus this give the mean of any cubic over N(0, 1), and over U(-1, 1), exactly."""

NUMBERS = 512
"""Of so many draws some are beyond two deviations (at odds of 5e10): a law that is cut off there is no multiple."""

RUNS = 1024
"""Of so many weights (3, 4) the mean square of all entries is within an eighth of their variance: less than fans do."""

TESTS = 2**20
"""More mean squares than are looked at, but for the number of entries: claims, dtypes, structures, of any budget."""


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
        self.seeded = takes(subject, "generator")
        self.law = case.options.get("law", "normal")

    def weights(self, shape: Iterable[int], seed: int, count: int) -> Iterator[Tensor]:
        """So many weights, drawn one after the other."""
        generator = torch.Generator(self.case.device).manual_seed(seed)
        keywords = {**self.keywords, "generator": generator} if self.seeded else self.keywords
        with reseeded(seed, self.case.device):
            for _ in range(count):
                tensor = torch.full(tuple(shape), torch.nan, dtype=self.case.dtype, device=self.case.device)
                self.subject(tensor, **keywords)
                yield tensor.detach()

    def plain(self, shape: Iterable[int], seed: int) -> Tensor:
        """The draws behind the weight: from N(0, 1), or for ``options["law"]`` "uniform" from U(-1, 1)."""
        tensor = torch.empty(tuple(shape), dtype=self.case.dtype, device=self.case.device)
        generator = torch.Generator(self.case.device).manual_seed(seed)
        if self.law == "uniform":
            return tensor.uniform_(-1, 1, generator=generator)
        return tensor.normal_(generator=generator)

    def scale(self, shape: Iterable[int], index: Mapping[str, int] | None = None) -> Tensor:
        """By what every entry's draw was multiplied: s, where the weight is s times the draws; off it where not.

        ``options["variance"]`` is what the claim says of the variance, at the values of an index.
        """
        shape, said = tuple(shape), self.said(index or {})
        seeds = range(math.ceil(NUMBERS / math.prod(shape)))
        draws = torch.stack([self.plain(shape, seed) for seed in seeds]).double()
        found = torch.stack([w for seed in seeds for w in self.weights(shape, seed, 1)]).double()
        multiple = (found / draws).median()
        rounding = K * torch.finfo(self.case.dtype).eps * multiple.abs() * draws.abs().amax()
        alike = ((found - multiple * draws).abs() <= rounding).double().mean()
        # what is cut off and drawn again is a multiple for the most part, but not by its own deviation
        as_said = abs(multiple * self.node() - math.sqrt(said)) <= rounding
        if alike < (0.5 if as_said else 1):
            return self.estimated(shape, said)
        # the one with the greatest mean square tells a multiple from rounding best
        best = draws.square().flatten(1).mean(-1).argmax()
        one, weight = draws[best], found[best]
        multiple = (weight * one).sum() / one.square().sum()
        return (multiple + (weight - multiple * one)).to(self.case.dtype)

    def said(self, index: Mapping[str, int]) -> float:
        """The variance that the claim says."""
        lowered = Lowered(self.case.options["variance"], (), self.case, index)
        like = torch.empty((), dtype=self.case.dtype, device=self.case.device)
        return lowered({}, self.case.host, like).item()

    def estimated(self, shape: tuple[int, ...], said: float) -> Tensor:
        """The same from the mean square of each entry: the claim's own, where sampling error alone is between them."""
        total = torch.zeros(shape, dtype=torch.float64, device=self.case.device)
        for weight in self.weights(shape, 0, RUNS):
            total += weight.double().square()
        square = total / RUNS
        x = doubt(TESTS * square.numel())
        each, every = (float(square_off(self.law, count, x)) for count in (RUNS, RUNS * square.numel()))
        close = ((square - said).abs() <= each * said).all() and (square.mean() - said).abs() <= every * said
        return (torch.full_like(square, said) if close else square).sqrt().div(self.node()).to(self.case.dtype)

    def node(self) -> float:
        return NODES[self.law]


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
    pairs = zip(widths[1:], widths[:-1], strict=True)
    spreads = [filler.scale(pair, {"l": layer}).double() * filler.node() for layer, pair in enumerate(pairs, 1)]
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
    "activation_gain": Driver(activation_gain, "a function: gain(nonlinearity, slope) -> float", gradient="none"),
}

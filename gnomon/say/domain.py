"""Domains: the values a symbol may take, said once for the proof, for the generator of inputs and for the reader.

Numbers come from a :class:`Domain` (a tensor's entries, or a hyper-parameter that Python holds); what fixes the shape
of a formula comes from a structural domain: :class:`Size`, :class:`Sizes`, :class:`Choice`, :class:`Graph`.
A *structure* is one value for each structural domain of a claim, as plain JSON data.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

Structure = Mapping[str, Any]


@dataclass(frozen=True)
class Domain:
    """Real numbers between ``low`` and ``high``, alone or as the entries of a tensor of symbolic ``shape``.

    ``host`` numbers are hyper-parameters: Python floats, one for a whole batch. ``typical`` lists values that users
    meet and the generator must not miss. ``simplex`` entries are nonnegative and sum to exactly one on the last axis;
    they are positive wherever those of ``covers`` are, which names an input of the same shape that stands before.
    A ``mask`` has entries 1 and 0, which the subject gets as true and false; with ``some`` one at least along the last
    axis is 1. A ragged list has ``lengths``, a list of sizes: its tensor is filled up along the second axis; the
    subject gets a list of tensors without what fills them up, and no formula reads that.
    """

    name: str
    shape: tuple[Any, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    host: bool = False
    simplex: bool = False
    covers: str = ""
    integer: bool = False
    mask: bool = False
    some: bool = False
    lengths: Any = None
    typical: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"domain {self.name}: low={self.low} is above high={self.high}")
        if self.host and self.shape:
            raise ValueError(f"domain {self.name}: a host number has no shape, got {self.shape}")

    @property
    def assumptions(self) -> dict[str, bool]:
        """The SymPy assumptions that the range implies."""
        known = {"real": True}
        if self.integer:
            known["integer"] = True
        if self.low > 0 or (self.low == 0 and self.open_low):
            known["positive"] = True
        elif self.low == 0:
            known["nonnegative"] = True
        if self.high < 0 or (self.high == 0 and self.open_high):
            known["negative"] = True
        return known

    @property
    def symbol(self) -> Any:
        """A ``Symbol`` for a scalar, an ``IndexedBase`` for a tensor."""
        make = sp.IndexedBase if self.shape else sp.Symbol
        return make(self.name, **self.assumptions)

    @property
    def extents(self) -> Any:
        """The shape as a formula may read it: of a ragged list a function of the first index."""
        if self.lengths is None:
            return self.shape
        return lambda first, *_: (self.shape[0], self.lengths[first], *self.shape[2:])

    @property
    def own(self) -> tuple[Any, ...]:
        """The extents that the claim says itself, and not what a ragged list is filled up to."""
        return self.shape if self.lengths is None else (self.shape[0], *self.shape[2:])

    def contains(self, value: float) -> bool:
        """Whether the number lies in the range."""
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        if self.simplex:
            text = "probabilities" + (f", positive wherever {self.covers} is" if self.covers else "")
        elif self.mask:
            text = "mask" + ", some of each row" * self.some
        elif math.isinf(self.low) and math.isinf(self.high):
            text = "integer" if self.integer else "real"
        else:
            left = "(" if self.open_low or math.isinf(self.low) else "["
            right = ")" if self.open_high or math.isinf(self.high) else "]"
            text = f"in {left}{self.low:g}, {self.high:g}{right}".replace("inf", "∞")
        if self.lengths is not None:
            rows = ", ".join(map(str, (f"{self.lengths}[i]", *self.shape[2:])))
            text += f", a list of {self.shape[0]} arrays, the i-th of shape ({rows}{',' * (len(self.shape) == 2)})"
        elif self.shape:
            text += ", shape (" + ", ".join(map(str, self.shape)) + ("," if len(self.shape) == 1 else "") + ")"
        return text + (", hyper-parameter" if self.host else "")


def _shape(shape: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(size.symbol if isinstance(size, Size) else sp.sympify(size) for size in shape)


def real(name: str, *shape: Any, low: float = -math.inf, high: float = math.inf, **more: Any) -> Domain:
    """Real numbers in ``[low, high]``."""
    return Domain(name, _shape(shape), low, high, **more)


def positive(name: str, *shape: Any, high: float = math.inf, **more: Any) -> Domain:
    """Numbers in ``(0, high]``."""
    return Domain(name, _shape(shape), 0.0, high, open_low=True, **more)


def nonnegative(name: str, *shape: Any, high: float = math.inf, **more: Any) -> Domain:
    """Numbers in ``[0, high]``."""
    return Domain(name, _shape(shape), 0.0, high, **more)


def unit(name: str, *shape: Any, **more: Any) -> Domain:
    """Numbers strictly between 0 and 1."""
    return Domain(name, _shape(shape), 0.0, 1.0, open_low=True, open_high=True, **more)


def simplex(name: str, *shape: Any, strict: bool = False, **more: Any) -> Domain:
    """Probability vectors on the last axis, summing to exactly 1; ``strict`` ones have no zero entry."""
    return Domain(name, _shape(shape), 0.0, 1.0, open_low=strict, simplex=True, **more)


def _whole(low: int) -> dict[str, bool]:
    """The SymPy assumptions on a whole number from ``low`` on."""
    sign = {"positive": True} if low > 0 else {"nonnegative": True} if low == 0 else {}
    return {"integer": True, **sign}


@dataclass(frozen=True)
class Size:
    """A whole number that fixes a shape, from ``low`` to ``high``.

    Checks draw no more than ``high``, while proofs are for every number from ``low`` on; unless it is ``closed``: then
    nothing is claimed above ``high``.
    """

    name: str
    low: int = 1
    high: int = 4
    closed: bool = False

    @property
    def symbol(self) -> Any:
        return sp.Symbol(self.name, **_whole(self.low))

    def __str__(self) -> str:
        return f"{self.low}…{self.high}"


@dataclass(frozen=True)
class Sizes:
    """A list of whole numbers, ``length`` of them: the widths of a network's layers.

    ``widest`` names the greatest number that they may be: proofs are for any, checks for ``high``.
    """

    name: str
    length: Any
    low: int = 1
    high: int = 4
    widest: str = ""

    @property
    def symbol(self) -> Any:
        return sp.IndexedBase(self.name, **_whole(self.low))

    @property
    def bound(self) -> Any:
        """The greatest number as a symbol, if it has a name."""
        return sp.Symbol(self.widest, **_whole(self.low)) if self.widest else sp.Integer(self.high)

    def __str__(self) -> str:
        widest = f"{self.widest} = " if self.widest else ""
        return f"{self.length} sizes, each {self.low}…{widest}{self.high}"


@dataclass(frozen=True)
class Choice:
    """A named option; each label binds opaque functions to Lambdas, or index bases to constant arrays.

    ``options`` maps a label to ``{symbol: value}``: ``{"tanh": {sigma: Lambda(x, tanh(x))}}``. The label alone reaches
    the driver, under the choice's name.
    """

    name: str
    options: Mapping[str, Mapping[Any, Any]] = field(hash=False)

    @property
    def symbol(self) -> Any:
        first = next(iter(self.options.values()))
        return next(iter(first), None)

    def __str__(self) -> str:
        return ", ".join(self.options)


@dataclass(frozen=True)
class Graph:
    """A graph on ``size`` nodes: its adjacency matrix, known whenever the formula is lowered.

    ``A[i, j]`` is 1 where an edge leads from j to i. Connected and undirected unless said otherwise; ``loops`` allows
    self loops, ``isolated`` allows nodes of degree 0 (only with ``connected=False``).
    """

    name: str
    size: Size
    connected: bool = True
    directed: bool = False
    loops: bool = False
    isolated: bool = True

    @property
    def symbol(self) -> Any:
        return sp.IndexedBase(self.name, integer=True, nonnegative=True)

    def __str__(self) -> str:
        words = ["directed" if self.directed else "undirected", "connected" if self.connected else "any"]
        return f"adjacency matrix of a graph ({', '.join(words)}) on {self.size.name} nodes"


Structural = Size | Sizes | Choice | Graph


def symbols_of(domains: Iterable[Domain | Structural]) -> tuple[Any, ...]:
    """The SymPy symbols of some domains, in their order."""
    return tuple(domain.symbol for domain in domains)

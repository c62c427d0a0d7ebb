"""What is done with a subject and what is looked at, as frozen data: the second half of the parts of a call.

Parts are expressions: each may hold others, equal parts are computed once. :mod:`gnomon.say.call` puts them together,
:mod:`gnomon.drive` computes them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from gnomon.say.arguments import Function, Part, Range, Weights, rebuilt


def _arguments(arguments: tuple[Part, ...], keywords: tuple[tuple[str, Part], ...]) -> str:
    return ", ".join([*map(str, arguments), *(f"{name}={part}" for name, part in keywords)])


@dataclass(frozen=True)
class Made(Part):
    """The subject, or an object of torch (``torch.distributions.Normal``), called with arguments."""

    subject: str
    arguments: tuple[Part, ...]
    keywords: tuple[tuple[str, Part], ...]

    def __str__(self) -> str:
        return f"{self.subject}({_arguments(self.arguments, self.keywords)})"


@dataclass(frozen=True)
class Loaded(Part):
    """A module built once, whose parameters and buffers are inputs: by name, or all matrices and vectors in order."""

    node: Made
    state: tuple[tuple[str, Part], ...] = ()
    ordered: tuple[tuple[int, Part], ...] = ()
    training: bool = True

    def __str__(self) -> str:
        names = [f"{name}={part}" for name, part in self.state]
        names += [f"{ {1: 'vectors', 2: 'matrices'}.get(rank, f'rank {rank}') }={part}" for rank, part in self.ordered]
        return f"{self.node}.load({', '.join(names)})" + ("" if self.training else ".eval()")


@dataclass(frozen=True)
class Applied(Part):
    """What came out, called with arguments."""

    node: Part
    arguments: tuple[Part, ...]
    keywords: tuple[tuple[str, Part], ...]

    def __str__(self) -> str:
        head = str(self.node) if isinstance(self.node, Attribute) else f"{self.node}.on"
        return f"{head}({_arguments(self.arguments, self.keywords)})"


@dataclass(frozen=True)
class Attribute(Part):
    """An attribute of what came out."""

    node: Part
    name: str

    def __str__(self) -> str:
        return f"{self.node}.{self.name}"


@dataclass(frozen=True)
class Flat(Part):
    """A tensor of what was returned, by its number when nested tuples are laid flat."""

    node: Part
    number: int

    def __str__(self) -> str:
        return f"{self.node}[{self.number}]" if self.number else str(self.node)


@dataclass(frozen=True)
class Item(Part):
    """What is returned at positions of nested tuples, or under names of named tuples and dictionaries."""

    node: Part
    path: tuple[int | str, ...]

    def __str__(self) -> str:
        return f"{self.node}[{', '.join(map(repr, self.path))}]"


@dataclass(frozen=True)
class At(Part):
    """One entry along the first axis of a returned tensor (of each point)."""

    node: Part
    index: int

    def __str__(self) -> str:
        return f"{self.node}[{self.index}, …]"


@dataclass(frozen=True)
class Rows(Part):
    """A returned tensor in which the points of a batch, the rows of the state, lie along ``axis``."""

    node: Part
    axis: int

    def __str__(self) -> str:
        return str(self.node)


@dataclass(frozen=True)
class Stepped(Part):
    """An optimizer, stepped once for each leading slice of the gradients, or ``times`` times with a function's.

    ``gradients`` has one part for each parameter. ``factor`` multiplies the learning rate after each step; ``rate``
    gives it for each step.
    """

    node: Made
    gradients: tuple[Part, ...]
    times: Part | None = None
    factor: Part | None = None
    rate: Part | None = None

    def __str__(self) -> str:
        words = [*map(str, self.gradients)]
        words += [f"{n}={getattr(self, n)}" for n in ("times", "factor", "rate") if getattr(self, n) is not None]
        return f"{self.node}.each_step({', '.join(words)})"


# ---------------------------------------------------------------------- what is looked at


@dataclass(frozen=True)
class Here(Part):
    """The end of the chain, in a look that is said before the chain is known."""

    def __str__(self) -> str:
        return "…"


@dataclass(frozen=True)
class State(Part):
    """An entry of an optimizer's state, in the dtype of the check."""

    node: Part
    name: str
    parameter: int = 0

    def __str__(self) -> str:
        return f"state({self.name!r})"


@dataclass(frozen=True)
class Parameter(Part):
    """An optimizer's parameter after the last step, or ``before`` it; number ``number`` of them."""

    node: Part
    number: int = 0
    before: bool = False

    def __str__(self) -> str:
        return "parameter(before=True)" if self.before else "parameter()"


@dataclass(frozen=True)
class Buffer(Part):
    """A module's buffer after the call."""

    node: Part
    name: str

    def __str__(self) -> str:
        return f"buffer({self.name!r})"


@dataclass(frozen=True)
class Gradient(Part):
    """Autograd's vector-Jacobian products, one for each of ``by``: a tuple.

    ``cotangents`` has one part for each tensor that the call returns, None for one that does not count; without it
    what is returned is a scalar.
    """

    node: Part
    by: tuple[Part, ...]
    cotangents: tuple[Part | None, ...] = ()

    def __str__(self) -> str:
        by = f"by=({', '.join(map(str, self.by))})"
        given = f", cotangent={', '.join(map(str, self.cotangents))}" if self.cotangents else ""
        return f"{self.node}.gradient({by}{given})"


@dataclass(frozen=True)
class Jacobian(Part):
    """A row for each entry of a returned tensor, a column for each entry of an input; of its gradient: the Hessian."""

    node: Part
    by: Part

    def __str__(self) -> str:
        return f"{self.node}.jacobian(by={self.by})"


@dataclass(frozen=True)
class Mean(Part):
    """The mean over all values of an index: an expectation over finitely many cases, with nothing drawn."""

    node: Part
    limits: Range

    def __str__(self) -> str:
        index, low, high = self.limits
        return f"mean over {index} in {low}…{high} of {self.node}"


@dataclass(frozen=True)
class Drawn(Part):
    """A tensor that the subject filled at random, as six numbers that tell what law its entries were drawn from.

    ``law`` is one of :data:`gnomon.drive.sample.LAWS`, with mean 0 and this ``deviation``.
    """

    node: Made
    law: str
    deviation: Part

    def __str__(self) -> str:
        return f"{self.node}.drawn({self.law!r}, {self.deviation})"


@dataclass(frozen=True)
class Padded(Part):
    """A list of tensors as one tensor, filled up with zeros; ``extents`` are the shapes that they must have.

    Without the flag ``only`` there must be none.
    """

    node: Part
    limits: Range
    extents: tuple[Any, ...]
    only: Part | None = None

    def __str__(self) -> str:
        return f"padded({self.node})"


@dataclass(frozen=True)
class Asked(Part):
    """The arguments with which a function was called for the time ``number`` (from 0), where the subject is stopped."""

    node: Part
    function: Function
    number: int

    def __str__(self) -> str:
        return f"{self.node}.asks({self.function}, {self.number})"


@dataclass(frozen=True)
class Count(Part):
    """How often a function was called."""

    node: Part
    function: Function

    def __str__(self) -> str:
        return f"{self.node}.count({self.function})"


@dataclass(frozen=True)
class Kept(Part):
    """The most numbers that autograd kept at once while something was computed."""

    node: Part

    def __str__(self) -> str:
        return f"{self.node}.kept()"


@dataclass(frozen=True)
class Raised(Part):
    """1 if the subject raises the documented error, with a message that matches; otherwise a broken contract."""

    node: Part
    error: str
    match: str = ""

    def __str__(self) -> str:
        return f"{self.node}.raises({self.error}{', ' + repr(self.match) if self.match else ''})"


# ---------------------------------------------------------------------- putting parts together


def filled(part: Any, end: Part) -> Any:
    """The part with the end of the chain in the place of every :class:`Here`."""
    return rebuilt(part, lambda inner: end if isinstance(inner, Here) else None)


def placed(part: Any, matrix: str) -> Any:
    """The part with the graph said of weights of which it was not."""

    def change(inner: Part) -> Part | None:
        if isinstance(inner, Weights) and not inner.matrix:
            return dataclasses.replace(inner, matrix=matrix)
        return None

    return rebuilt(part, change)

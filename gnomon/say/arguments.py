"""What a subject is given, as frozen data in SymPy symbols: the first half of the parts of a call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.core.function import UndefinedFunction

from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes

Range = tuple[Any, Any, Any]


class CallError(ValueError):
    """A call that cannot be meant: what was expected, what came, what to do."""


class Part:
    """Anything that a call is made of."""


@dataclass(frozen=True)
class Constant(Part):
    """A number, a flag, a word or None, given to the subject as it is."""

    value: Any
    kind: str

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Named(Part):
    """An input, a size, a list of sizes, or an array or number that a choice binds."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Label(Part):
    """What a choice chose, as a word; a flag if it is between yes and no."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Formula(Part):
    """The tensor of an entry over ranges, as in an output; ``given`` names what it uses beside inputs and definitions.

    Without ranges it is a scalar: a Python number where sizes or hyper-parameters alone decide it.
    """

    entry: Any
    ranges: tuple[Range, ...] = ()
    given: tuple[tuple[str, Part], ...] = ()

    def __str__(self) -> str:
        text = str(self.entry) + "".join(f", {limits}" for limits in self.ranges)
        text += "".join(f", {name}={part}" for name, part in self.given)
        return f"tensor({text})" if self.ranges or self.given else text


@dataclass(frozen=True)
class Function(Part):
    """A function of tensors, said once in SymPy: ``arguments`` are its own symbols, the rest are the claim's.

    An ``entry`` that is a tuple is a function with so many values.

    ``arguments`` are a ``Symbol`` (any tensor, elementwise) or an ``IndexedBase`` (axes last, others in front of them).
    With ``module`` the subject gets it as a ``torch.nn.Module``.
    """

    arguments: tuple[Any, ...]
    entry: Any
    ranges: tuple[Range, ...] = ()
    module: bool = False

    def __str__(self) -> str:
        body = str(self.entry) + "".join(f", {limits}" for limits in self.ranges)
        return f"({', '.join(map(str, self.arguments))} ↦ {body})"


@dataclass(frozen=True)
class Map(Part):
    """An invertible map of vectors as a ``torch.distributions.Transform``, with the log of |det J| as a formula."""

    forward: Function
    inverse: Function
    log_det: Function

    def __str__(self) -> str:
        return f"transform{self.forward}"


@dataclass(frozen=True)
class Group(Part):
    """A tuple, a list or a dictionary of parts."""

    kind: str
    items: tuple[Part, ...]
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "dict":
            return "{" + ", ".join(f"{n!r}: {item}" for n, item in zip(self.names, self.items, strict=True)) + "}"
        inside = ", ".join(map(str, self.items))
        return f"[{inside}]" if self.kind == "list" else f"({inside}{',' * (len(self.items) == 1)})"


@dataclass(frozen=True)
class Listed(Part):
    """A list with a part for each value of an index: the layers of a network, which differ in width."""

    item: Part
    limits: Range

    def __str__(self) -> str:
        index, low, high = self.limits
        return f"[{self.item} for {index} in {low}…{high}]"


@dataclass(frozen=True)
class Cut(Part):
    """The first entries of a tensor along its last axes: ``Theta[l]`` cut to (m, n)."""

    value: Part
    extents: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.value}[{', '.join(f':{extent}' for extent in self.extents)}]"


@dataclass(frozen=True)
class Cast(Part):
    """A tensor in another type: "int64", "bool", or the dtype of the check ("own"); hyper-parameters as Python's."""

    value: Part
    to: str

    def __str__(self) -> str:
        return f"{self.value} as {'the dtype' if self.to == 'own' else self.to}"


@dataclass(frozen=True)
class When(Part):
    """One of two parts, by a condition on the structure: a bias only where the flag says yes."""

    condition: Any
    value: Part
    otherwise: Part

    def __str__(self) -> str:
        return f"({self.value} if {self.condition} else {self.otherwise})"


@dataclass(frozen=True)
class Edges(Part):
    """``edge_index`` (2, m), int64, of an adjacency matrix: A[i, j] is an edge from j to i. In no particular order.

    With ``copies`` every edge is so many parallel ones.
    """

    matrix: str
    copies: Any = 1

    def __str__(self) -> str:
        return f"edges({self.matrix}{'' if self.copies == 1 else f', copies={self.copies}'})"


@dataclass(frozen=True)
class Weights(Part):
    """The edges' weights, in their order: entry (i, j) of a matrix, or the same number for every edge.

    ``symmetric``: both ways of an edge take the entry of the smaller index first; so they do in an undirected graph,
    if nothing else is said. A weight (m, n, n) is m parallel edges.
    """

    value: Part
    matrix: str = ""
    symmetric: bool | None = None

    def __str__(self) -> str:
        return f"weights({self.value})"


@dataclass(frozen=True)
class Normalised(Part):
    """A law divided by its sum, which is 1: the same law, with gradients along the simplex alone."""

    value: Part

    def __str__(self) -> str:
        return f"normalised({self.value})"


@dataclass(frozen=True)
class ZerosLike(Part):
    """Zeros in the shape of a tensor."""

    value: Part

    def __str__(self) -> str:
        return f"zeros_like({self.value})"


@dataclass(frozen=True)
class Span(Part):
    """How long a row of times lasts, as a Python number: exactly the last less the first."""

    value: Part

    def __str__(self) -> str:
        return f"span({self.value})"


@dataclass(frozen=True)
class Coordinates(Part):
    """Every coordinate of a tensor as a parameter of its own, dealt to so many parameter groups in turn."""

    value: Part
    groups: int

    def __str__(self) -> str:
        return f"coordinates({self.value}, groups={self.groups})"


@dataclass(frozen=True)
class Draws(Part):
    """A generator whose draws are the claim's: the subject's first draw is the first of these tensors, and so on."""

    noise: tuple[Part, ...]

    def __str__(self) -> str:
        return f"draws({', '.join(map(str, self.noise))})"


@dataclass(frozen=True)
class Blank(Part):
    """A tensor with these extents that the subject is to fill; before, no entry of it is a number."""

    extents: tuple[Any, ...]

    def __str__(self) -> str:
        return f"blank({', '.join(map(str, self.extents))})"


@dataclass(frozen=True)
class Seeded(Part):
    """A generator with this seed; a subject that takes none finds the generators of the process seeded so."""

    seed: Part

    def __str__(self) -> str:
        return f"seeded({self.seed})"


@dataclass(frozen=True)
class Dtype(Part):
    """The dtype of the check, for functions that cannot tell it from their arguments."""

    def __str__(self) -> str:
        return "dtype"


# ---------------------------------------------------------------------- reading parts


def names_in(expression: Any) -> set[str]:
    """The names of the free symbols, indexed or not, and of the opaque functions of an expression."""
    if isinstance(expression, tuple):
        return set().union(*map(names_in, expression))
    expression = sp.sympify(expression)
    symbols = {str(symbol.name) for symbol in expression.free_symbols if symbol.is_Symbol}
    return symbols | {str(type(node)) for node in expression.atoms(sp.core.function.AppliedUndef)}


def children(part: Any) -> Iterator[Part]:
    """The parts that a part holds."""
    values = [getattr(part, f.name) for f in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else list(part)
    for value in values:
        if isinstance(value, Part):
            yield value
        elif isinstance(value, tuple):
            yield from children(value)


def walk(part: Part) -> Iterator[Part]:
    """A part and all that it holds."""
    yield part
    for child in children(part):
        yield from walk(child)


def rebuilt(part: Any, change: Callable[[Part], Any]) -> Any:
    """The part with what ``change`` gives, unless that is None, in the place of parts that it holds."""
    if isinstance(part, tuple):
        return tuple(rebuilt(item, change) for item in part)
    if not isinstance(part, Part) or not dataclasses.is_dataclass(part):
        return part
    if (fresh := change(part)) is not None:
        return fresh
    old = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    new = {name: rebuilt(value, change) for name, value in old.items()}
    return part if new == old else dataclasses.replace(part, **new)


def part(value: Any) -> Part:
    """A symbol, number, word, domain, or tuple, list or dictionary of them as a part.

    Raises:
        CallError: if it is none of these: a tensor, a Python function.
    """
    if isinstance(value, Part):
        return value
    if isinstance(value, Choice):
        return Label(value.name)
    if isinstance(value, (Domain, Size, Sizes, Graph)):
        return Named(value.name)
    if isinstance(value, (sp.Symbol, sp.IndexedBase)):
        return Named(str(getattr(value, "label", value)))
    if isinstance(value, UndefinedFunction):
        raise CallError(f"{value} alone is no argument: say function((u,), {value}(u))")
    if isinstance(value, sp.Basic):
        return Formula(value)
    if isinstance(value, (tuple, list)):
        return Group(type(value).__name__ if type(value) in (tuple, list) else "tuple", tuple(map(part, value)))
    if isinstance(value, Mapping):
        return Group("dict", tuple(map(part, value.values())), tuple(map(str, value)))
    if value is None or isinstance(value, (bool, int, float, str, Fraction)) or dataclasses.is_dataclass(value):
        return Constant(value, type(value).__name__)
    node = getattr(value, "node", None)
    if isinstance(node, Part):
        return node
    raise CallError(
        f"{value!r} ({type(value).__name__}) is no part of a call: give a symbol, a number, a word, or what "
        "gnomon.say.call makes of them (tensor, function, edges, ...)"
    )

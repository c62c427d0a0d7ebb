"""Running a call at a point, or at all at once: each part is computed once, by what is registered for its kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, singledispatch
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.whole_numbers import Wholes
from gnomon.drive.contract import NotCallable, called, renamed
from gnomon.drive.driver import Case, SubjectError, Tensors
from gnomon.drive.lowered import Env, Lowered, bindings_of, whole
from gnomon.drive.noise import Noise
from gnomon.drive.ragged import part_of
from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.arguments import Part
from gnomon.say.domain import Choice, Sizes

FLAGS = {"yes": True, "no": False}


class Session:
    """A subject prepared for a structure: what is the same at every point is kept here."""

    def __init__(self, subject: Any, case: Case, leading: bool, looped: bool, names: Mapping[str, str]) -> None:
        self.subject, self.case, self.leading, self.looped, self.names = subject, case, leading, looped, names
        self.inputs = {domain.name: domain for domain in case.compiled.claim.inputs}
        self.choices = {d.name: d for d in case.compiled.claim.structure if isinstance(d, Choice)}
        self.sizes = {d.name for d in case.compiled.claim.structure if isinstance(d, Sizes)}
        self.modules: dict[p.Made, tuple[torch.nn.Module, bool]] = {}
        self._lowered: dict[Any, Lowered] = {}

    @cached_property
    def like(self) -> Tensor:
        """A scalar of the check's dtype and device."""
        return torch.empty((), dtype=self.case.dtype, device=self.case.device)

    def lowered(self, entry: Any, ranges: Any, env: Env, extra: tuple[str, ...] = ()) -> Lowered:
        """A formula lowered for the structure."""
        key = entry, ranges, tuple(sorted(env.items())), extra
        if key not in self._lowered:
            self._lowered[key] = Lowered(entry, ranges, self.case, env, extra)
        return self._lowered[key]

    def bound(self, name: str) -> str:
        """The user's own name for one of ours."""
        return self.names.get(name, name)


class Run:
    """A call at given tensors; ``fixed`` puts tensors in the place of parts, ``indices`` gives enclosing indices."""

    def __init__(
        self, session: Session, tensors: Tensors, indices: Env | None = None, fixed: Mapping[Part, Any] | None = None
    ) -> None:
        self.session, self.case = session, session.case
        self.tensors, self.indices, self.fixed = tensors, dict(indices or {}), dict(fixed or {})
        self.watches: dict[Part, Any] = {}
        self._made: dict[Part, Any] = {}

    def __call__(self, part: Part) -> Any:
        if part in self.fixed:
            return self.fixed[part]
        if part not in self._made:
            self._made[part] = compute(part, self)
        return self._made[part]

    @contextlib.contextmanager
    def noise(self, *parts: Part) -> Iterator[None]:
        """While these parts are computed, what the subject draws is the claim's."""
        drawn = dict.fromkeys(each for part in parts for each in _draws(part))
        if not drawn:
            yield
            return
        noise = Noise([self(each) for draws in drawn for each in draws.noise])
        with noise:
            yield
        noise.check_all_drawn()

    def fresh(self, part: Part) -> Any:
        """A part in a run that begins with it."""
        with self.noise(part):
            return self(part)

    def at(self, by: tuple[Part, ...], values: tuple[Tensor, ...]) -> Run:
        """The run with tensors in the place of parts, by which something is differentiated."""
        given = {part.name: value for part, value in zip(by, values, strict=True) if isinstance(part, a.Named)}
        fixed = {part: value for part, value in zip(by, values, strict=True) if not isinstance(part, a.Named)}
        return Run(self.session, {**self.tensors, **given}, self.indices, {**self.fixed, **fixed})

    def inside(self, index: Any, value: int) -> Run:
        """The run with the value of an enclosing index."""
        return Run(self.session, self.tensors, {**self.indices, str(index): value}, self.fixed)

    def range_of(self, limits: a.Range) -> range:
        """The values of an index."""
        low, high = self.whole(limits[1]), self.whole(limits[2])
        return range(low, high + 1)

    def whole(self, expression: Any) -> int:
        """A whole number that the structure decides.

        Raises:
            ValueError: if it does not.
        """
        found = whole(expression, self.case, self.indices)
        if found is None:
            raise ValueError(f"{expression} is not decided by {dict(self.case.structure)}")
        return found

    def lengths(self, name: str) -> Sequence[int]:
        """The lengths of the arrays of a ragged list; none of another input."""
        domain = self.session.inputs.get(name)
        symbol = None if domain is None else domain.lengths
        return () if symbol is None else tuple(self.case.compiled.bindings.arrays[str(symbol)])

    def tensor(self, part: Part) -> Tensor:
        """A part that is a tensor, or a number as one."""
        found = self(part)
        if isinstance(found, (tuple, list)):
            every = flat(found)
            if len(every) != 1:
                raise ValueError(f"{part} is {len(every)} values, and one is needed: say which with returned(...)")
            found = every[0]
        return found if isinstance(found, Tensor) else torch.as_tensor(found, device=self.case.device).to(self.like)

    @property
    def like(self) -> Tensor:
        return self.session.like

    def formula(
        self, lowered: Lowered, given: Mapping[str, Tensor] | None = None, like: Tensor | None = None
    ) -> Tensor:
        """A lowered formula at this point."""
        return lowered({**self.tensors, **(given or {})}, self.case.host, self.like if like is None else like)


AGAIN = (p.Gradient, p.Jacobian, p.Mean, p.Asked, p.Count, p.Kept)
"""Looks that run what they look at themselves, and draw themselves."""


def _draws(part: Part) -> Iterator[a.Draws]:
    """The generators that a part is given while it is computed."""
    if isinstance(part, a.Draws):
        yield part
    elif not isinstance(part, AGAIN):
        for child in a.children(part):
            yield from _draws(child)


def flat(result: Any) -> list[Any]:
    """What was returned, nested tuples and lists laid flat."""
    return [part for piece in result for part in flat(piece)] if isinstance(result, (tuple, list)) else [result]


@singledispatch
def compute(part: Part, run: Run) -> Any:
    """The value of a part; other modules register how."""
    raise TypeError(f"nothing computes {type(part).__name__}: {part}")


@compute.register
def _(part: a.Constant, run: Run) -> Any:
    return float(part.value) if isinstance(part.value, Fraction) else part.value


@compute.register
def _(part: a.Named, run: Run) -> Any:
    name, bindings = part.name, bindings_of(run.case, run.indices)
    if name in run.tensors:
        domain = run.session.inputs.get(name)
        if domain is not None and domain.lengths is not None:
            lengths = run.lengths(name)
            return [part_of(run.tensors[name], domain, (i,), lengths) for i in range(len(lengths))]
        return run.tensors[name].to(torch.bool) if domain is not None and domain.mask else run.tensors[name]
    if name in run.case.host:
        return run.case.host[name]
    if name in bindings.numbers:
        return bindings.numbers[name]
    array = bindings.arrays[name]
    if name in run.session.sizes:
        return tuple(array)
    return torch.tensor(_floats(array), dtype=run.case.dtype, device=run.case.device)


@compute.register
def _(part: a.Label, run: Run) -> Any:
    label = run.case.structure[part.name]
    return FLAGS[label] if set(run.session.choices[part.name].options) <= set(FLAGS) else label


def _floats(array: Any) -> Any:
    return [_floats(entry) for entry in array] if isinstance(array, (tuple, list)) else float(array)


@compute.register
def _(part: a.Formula, run: Run) -> Any:
    if not part.ranges and not part.given:
        found = whole(part.entry, run.case, run.indices)
        if found is not None:
            return found
        if (cut := _slice(part.entry, run)) is not None:
            return cut
    given = {name: run.tensor(inner) for name, inner in part.given}
    lowered = run.session.lowered(part.entry, part.ranges, run.indices, tuple(given))
    value = run.formula(lowered, given)
    return value.item() if lowered.host and not part.ranges else value


def _slice(entry: Any, run: Run) -> Tensor | None:
    """``Theta[l]``: what a tensor has at its first indices."""
    name = str(getattr(getattr(entry, "base", None), "label", ""))
    domain = run.session.inputs.get(name)
    if domain is None or not 0 < len(entry.indices) < len(domain.shape):
        return None
    index = Wholes(bindings_of(run.case, run.indices), ()).index(entry, {})
    return part_of(run.tensors[name], domain, index, run.lengths(name))


@compute.register
def _(part: a.Group, run: Run) -> Any:
    items = [run(item) for item in part.items]
    if part.kind == "dict":
        return dict(zip(part.names, items, strict=True))
    return items if part.kind == "list" else tuple(items)


@compute.register
def _(part: a.Listed, run: Run) -> Any:
    return [run.inside(part.limits[0], value)(part.item) for value in run.range_of(part.limits)]


@compute.register
def _(part: a.Cut, run: Run) -> Any:
    return run(part.value)[(..., *(slice(run.whole(extent)) for extent in part.extents))]


@compute.register
def _(part: a.Cast, run: Run) -> Any:
    value = run(part.value)
    if part.to == "own":
        return (
            [each.to(run.case.dtype) for each in flat(value)] if isinstance(value, (tuple, list)) else _own(value, run)
        )
    if isinstance(value, float) and part.to == "int64":
        return int(value)
    if not isinstance(value, Tensor):
        value = torch.tensor(value, device=run.case.device)
    return value.to(getattr(torch, part.to))


def _own(value: Any, run: Run) -> Any:
    return value.to(run.case.dtype) if isinstance(value, Tensor) else value


@compute.register
def _(part: a.When, run: Run) -> Any:
    if isinstance(part.condition, Part):
        holds = run(part.condition)
        if not isinstance(holds, bool):
            raise ValueError(f"{part.condition} is no flag: a choice between yes and no")
    else:
        holds = Wholes(bindings_of(run.case, run.indices), ()).holds(part.condition, {})
        if holds is None:
            raise ValueError(f"{part.condition} is not decided by {dict(run.case.structure)}")
    return run(part.value if holds else part.otherwise)


@compute.register
def _(part: a.Normalised, run: Run) -> Any:
    law = run(part.value)
    return law / law.sum(-1, keepdim=True)


@compute.register
def _(part: a.ZerosLike, run: Run) -> Any:
    return torch.zeros_like(run.tensor(part.value))


@compute.register
def _(part: a.Span, run: Run) -> Any:
    times = run(part.value)
    return abs(times[-1] - times[0]).item()


@compute.register
def _(part: a.Dtype, run: Run) -> Any:
    return run.case.dtype


@compute.register
def _(part: a.Draws, run: Run) -> Any:
    return torch.Generator(run.case.device)


# ---------------------------------------------------------------------- the subject


@compute.register
def _(part: p.Made, run: Run) -> Any:
    return made(part, run, [run(item) for item in part.arguments])


def made(part: p.Made, run: Run, arguments: list[Any]) -> Any:
    """The subject, or torch's own object, called with arguments that are known."""
    keywords = {name: run(item) for name, item in part.keywords}
    if part.subject.startswith("torch."):
        return _of_torch(part.subject)(*arguments, **keywords)
    own = renamed(run.session.subject, keywords, run.session.names)
    return called(run.session.subject, arguments, own, str(part))


def _of_torch(name: str) -> Any:
    found: Any = torch
    for word in name.split(".")[1:]:
        found = getattr(found, word)
    return found


@compute.register
def _(part: p.Applied, run: Run) -> Any:
    function = run(part.node)
    arguments = [run(item) for item in part.arguments]
    keywords = renamed(function, {name: run(item) for name, item in part.keywords}, run.session.names)
    if isinstance(function, torch.nn.Module):
        free = [name for name, _ in function.named_parameters()]
        if free:
            raise NotCallable(f"has the parameters {', '.join(free)}, which the claim gives no values")
    return called(function, arguments, keywords, str(part))


@compute.register
def _(part: p.Attribute, run: Run) -> Any:
    return attribute(run(part.node), run.session.bound(part.name))


def attribute(value: Any, name: str) -> Any:
    """An attribute, or an entry of a dictionary.

    Raises:
        NotCallable: if there is none.
    """
    if isinstance(value, Mapping) and name in value:
        return value[name]
    with contextlib.suppress(AttributeError):
        return getattr(value, name)
    raise NotCallable(f"{type(value).__name__} has no {name!r}: bind it with {name}=<its name>")


@compute.register
def _(part: p.Flat, run: Run) -> Any:
    every = flat(run(part.node))
    if part.number >= len(every):
        raise SubjectError("contract", f"returns {len(every)} tensors, expected at least {part.number + 1}")
    return every[part.number]


@compute.register
def _(part: p.Item, run: Run) -> Any:
    value = run(part.node)
    for step in part.path:
        if isinstance(step, str):
            value = attribute(value, run.session.bound(step))
        elif isinstance(value, (tuple, list)):
            if not -len(value) <= step < len(value):
                raise SubjectError("contract", f"returns {len(value)} values, expected at least {step + 1}")
            value = value[step]
        elif step != 0:  # what is alone is the first
            raise SubjectError("contract", f"returns one {type(value).__name__}, expected a tuple")
    return value


@compute.register
def _(part: p.At, run: Run) -> Any:
    return run(part.node).select(1 if run.session.leading else 0, part.index)


@compute.register
def _(part: p.Rows, run: Run) -> Any:
    value = run(part.node)
    if isinstance(value, (tuple, list)):
        return tuple(each.movedim(part.axis, 0) for each in value)
    return value.movedim(part.axis, 0)


def rank_of(part: Part, run: Run) -> int:
    """How many axes a part has at each point: those that its input was declared with, or its formula ranges."""
    if isinstance(part, a.Named) and part.name in run.session.inputs:
        return len(run.session.inputs[part.name].shape)
    return len(getattr(part, "ranges", ()))

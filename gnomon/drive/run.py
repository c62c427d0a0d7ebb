"""Running a call at a point, or at all at once: each part is computed once, by what is registered for its kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, singledispatch
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Case, Tensors
from gnomon.drive.lowered import Env, Lowered, whole
from gnomon.drive.noise import Noise
from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.arguments import Part
from gnomon.say.domain import Choice, Sizes


class Session:
    """A subject prepared for a structure: what is the same at every point is kept here."""

    def __init__(self, subject: Any, case: Case, leading: bool, looped: bool, names: Mapping[str, str]) -> None:
        self.subject, self.case, self.leading, self.looped, self.names = subject, case, leading, looped, names
        self.inputs = {domain.name: domain for domain in case.compiled.claim.inputs}
        self.choices = {d.name: d for d in case.compiled.claim.structure if isinstance(d, Choice)}
        self.sizes = {d.name for d in case.compiled.claim.structure if isinstance(d, Sizes)}
        self.modules: dict[p.Made, tuple[torch.nn.Module, bool]] = {}
        self.drawn: dict[Any, tuple[Tensor, ...]] = {}

    @cached_property
    def like(self) -> Tensor:
        """A scalar of the check's dtype and device."""
        return torch.empty((), dtype=self.case.dtype, device=self.case.device)

    def lowered(self, entry: Any, ranges: Any, env: Env, extra: tuple[str, ...] = ()) -> Lowered:
        """A formula lowered for the structure; once, however many subjects are prepared for it."""
        key = entry, ranges, tuple(sorted(env.items())), extra
        kept = self.case.compiled.kept
        if key not in kept:
            kept[key] = Lowered(entry, ranges, self.case, env, extra)
        found: Lowered = kept[key]
        return found

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

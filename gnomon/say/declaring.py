"""The part of a board that says what a claim is about: sizes, options, numbers, indices, what is supposed of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from gnomon.proof.defined import smooth
from gnomon.proof.terms import name_of
from gnomon.say import assemble
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes, Structural
from gnomon.say.law import Condition, Ranges
from gnomon.say.sheet import Sheet


class Declaring(Sheet):
    """Domains, indices and conditions."""

    # ------------------------------------------------------------------ structural domains

    def size(self, name: str, low: int = 1, high: int = 4, closed: bool = False) -> Any:
        """A whole number that fixes a shape, drawn from ``low`` to ``high``; proofs are for every one from ``low``.

        A ``closed`` one is ``high`` at most: what is claimed may be false above.
        """
        return self._structural(Size(name, low, high, closed))

    def sizes(self, name: str, length: Any, low: int = 1, high: int = 4) -> Any:
        """A list of sizes: the widths of a network's layers."""
        return self._structural(Sizes(name, length, low, high))

    def widest(self, name: str, sizes: Any) -> Any:
        """The greatest number that a list of sizes may hold: the extent of a tensor padded for all of them."""
        lists = ((n, d) for n, d in enumerate(self.structure) if isinstance(d, Sizes) and d.symbol == sizes)
        place, domain = next(lists)
        self._new(name)
        wide = replace(domain, widest=name)
        self.structure[place] = wide
        self.widths.add(name)
        return wide.bound

    def graph(self, name: str, size: Any, **more: Any) -> Any:
        """The adjacency matrix of a graph: ``A[i, j]`` is 1 where an edge leads from j to i."""
        of = next((d for d in self.structure if isinstance(d, Size) and d.symbol == size), None)
        if of is None:
            raise self.wrong(f"graph {name}: {size} is no size of this claim")
        return self._structural(Graph(name, of, **more))

    def choice(self, name: str, options: Mapping[str, Mapping[Any, Any]]) -> Choice:
        """A named option; see :class:`~gnomon.say.domain.Choice`."""
        found = Choice(name, options)
        self._structural(found)
        return found

    def flag(self, name: str, *labels: str) -> tuple[Choice, Any]:
        """A yes or no, and the number 1 or 0 that stands for it in formulas. Other labels may be given, yes first."""
        number = sp.Symbol(name, integer=True)
        yes, no = labels or ("yes", "no")
        return self.choice(name, {yes: {number: 1}, no: {number: 0}}), number

    def _structural(self, domain: Structural) -> Any:
        if domain.name == self.mutation.domain:
            domain = assemble.wider_structure(domain)
        self._new(domain.name)
        self.structure.append(domain)
        return domain.symbol

    # ------------------------------------------------------------------ numbers

    def real(self, name: str, *shape: Any, **more: Any) -> Any:
        """Real numbers, alone or in a tensor, from ``low`` to ``high``, which ``open_low``, ``open_high`` leave out."""
        return self._input(Domain(name, tuple(map(sp.sympify, shape)), **more))

    def positive(self, name: str, *shape: Any, **more: Any) -> Any:
        """Numbers above 0."""
        return self.real(name, *shape, low=0.0, open_low=True, **more)

    def nonnegative(self, name: str, *shape: Any, **more: Any) -> Any:
        """Numbers from 0 on."""
        return self.real(name, *shape, low=0.0, **more)

    def law_on(self, name: str, *shape: Any, strict: bool = False, covers: Any = None) -> Any:
        """Probabilities: nonnegative, with the sum 1 along the last axis; ``strict`` ones have no zero entry.

        Those that cover another law are positive wherever it is: a condition of the claim.
        """
        extents = tuple(map(sp.sympify, shape))
        other = "" if covers is None else name_of(covers)
        law = self._input(Domain(name, extents, 0.0, 1.0, open_low=strict, simplex=True, covers=other))
        if other:
            known = next((d.shape for d in self.inputs[:-1] if d.name == other), None)
            if known != extents:
                raise self.wrong(f"{name} covers {other}, which is no input of the same shape that stands before")
            at = tuple(self.index(f"{name}_{n}", extent) for n, extent in enumerate(extents))
            words = f"{name} is positive wherever {other} is"
            self.condition(sp.Piecewise((1, sp.Eq(covers[at], 0)), (law[at], True)) > 0, *at, name=words, words=words)
        return law

    def ragged(self, name: str, lengths: Any, *more: Any, **domain: Any) -> Any:
        """A list of arrays, whose lengths are those of a list of sizes; ``x[i, t]`` is an entry of the i-th."""
        of = next((d for d in self.structure if isinstance(d, Sizes) and d.symbol == lengths), None)
        if of is None:
            raise self.wrong(f"{name}: {lengths} is no list of sizes of this claim")
        extents = (of.length, sp.Integer(of.high), *more)
        return self.real(name, *extents, lengths=lengths, **domain)

    def mask(self, name: str, *shape: Any, some: bool = False) -> Any:
        """A mask: 1 or 0 in formulas, true or false for the subject; with ``some`` no row of the last axis is all 0."""
        extents = tuple(map(sp.sympify, shape))
        return self._input(Domain(name, extents, 0.0, 1.0, integer=True, mask=True, some=some))

    def hyper(self, name: str, low: float, high: float, **more: Any) -> Any:
        """A hyper-parameter: a Python number between ``low`` and ``high``; ``typical`` ones are not missed."""
        return self._input(Domain(name, (), low, high, host=True, **more))

    def _input(self, domain: Domain) -> Any:
        if domain.name == self.mutation.domain:
            domain = assemble.wider(domain)
        self._new(domain.name)
        self.inputs.append(domain)
        return domain.symbol

    # ------------------------------------------------------------------ indices

    def index(self, name: str, *range: Any) -> Any:
        """An index from 0 to ``size - 1``, or from ``first`` to ``last`` if both are given."""
        symbol = sp.Symbol(name, integer=True)
        if symbol in self.ranges or len(range) not in (1, 2):
            raise self.wrong(f"index {name}: give it once, with a size or with the first and the last value")
        first, last = (0, range[0] - 1) if len(range) == 1 else range
        self.ranges[symbol] = (sp.sympify(first), sp.sympify(last))
        return symbol

    def indices(self, names: str, *range: Any) -> tuple[Any, ...]:
        """Several indices with the same range."""
        return tuple(self.index(name, *range) for name in names.split())

    # ------------------------------------------------------------------ what is supposed

    def condition(self, relation: Any, *indices: Any, name: str = "", words: str = "") -> str:
        """What the claim supposes, for all values of some indices. Its name serves the proof."""
        name = name or f"condition {len(self.conditions) + 1}"
        if not isinstance(relation, Relational):
            raise self.wrong(
                f"condition {name}: expected an equation or an inequality, got {relation}, decided already"
            )
        if name != self.mutation.condition:
            ranges: Ranges = tuple((index, *self.ranges[index]) for index in indices)
            self.conditions.append(Condition(name, relation, ranges, words))
        return name

    def smooth(self, *functions: Any) -> None:
        """The claim supposes that unknown functions are differentiable wherever they are applied."""
        for function in functions:
            name = f"{function.family} is differentiable where it is applied"
            if name != self.mutation.condition:
                self.conditions.append(Condition(name, smooth(function.family)))

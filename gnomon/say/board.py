"""The board on which a claim is written: domains, definitions, laws with their proofs, the call, and the variants.

Symbols are made here and are local to the claim. What was written is checked when the claim is made: a symbol that
nobody declared, a definition that nobody uses, an output that no law speaks of are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.relational import Relational

from gnomon.proof.defined import smooth
from gnomon.proof.definitions import Definition
from gnomon.proof.tangent import tangents
from gnomon.proof.terms import indices_of, name_of
from gnomon.say import assemble
from gnomon.say.call import Call
from gnomon.say.claim import Claim, Kind, Output, Variant
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes, Structural
from gnomon.say.law import SENSES, Condition, Law, Ranges
from gnomon.say.noise import Uncomputed
from gnomon.say.reducing import Reducing

RESERVED = frozenset({"any"})


@dataclass(frozen=True)
class Mutation:
    """What the audit changes of a claim: a domain made wider, or a condition left out."""

    domain: str = ""
    condition: str = ""


class Board(Uncomputed, Reducing):
    """Where one claim is written. See docs/add-a-claim.md."""

    def __init__(
        self, id: str, section: str, subject: str, kind: Kind, title: str, mutation: Mutation | None = None
    ) -> None:
        self.id, self.section, self.subject, self.kind, self.title = id, section, subject, kind, title
        self.mutation = mutation or Mutation()
        super().__init__()
        self.inputs: list[Domain] = []
        self.structure: list[Structural] = []
        self.widths: set[str] = set()
        self.ranges: dict[Any, tuple[Any, Any]] = {}
        self.definitions: dict[str, Definition] = {}
        self.beginnings: dict[str, tuple[Any, Any]] = {}
        self.differentiated: set[str] = set()
        self.outputs: list[Output] = []
        self.laws: list[Law] = []
        self.conditions: list[Condition] = []
        self.aids: set[str] = set()
        self.words: list[str] = []
        self.variants: list[Variant] = []
        self.calls: Call | None = None
        self.remarks = ""
        self.differentiable = True

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

    # ------------------------------------------------------------------ indices and definitions

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

    def sum(self, term: Any, *indices: Any) -> Any:
        """The sum over the whole ranges of some indices."""
        within = [binder for binder in sp.sympify(term).atoms(ExprWithLimits) if binder.has(sp.Piecewise)]
        if again := {v for binder in within for v in binder.variables} & set(indices):
            raise self.wrong(f"a sum over {', '.join(map(str, again))} of branches under the same index: name another")
        return sp.Sum(term, *((index, *self.ranges[index]) for index in indices))

    def let(self, name: str, indices: Any, formula: Any) -> Any:
        """A named definition: an array over indices with ranges, or a number for ``()``. Its symbol comes back."""
        indices = tuple(indices) if isinstance(indices, (tuple, list)) else (indices,)
        symbol = sp.IndexedBase(name, real=True) if indices else sp.Symbol(name, real=True)
        if unknown := [index for index in indices if index not in self.ranges]:
            raise self.wrong(f"{name}: {', '.join(map(str, unknown))} is no index of this claim; see index()")
        self._new(name)
        lhs = symbol[indices] if indices else symbol
        body = sp.sympify(formula(symbol) if callable(formula) and not isinstance(formula, sp.Basic) else formula)
        ranges = tuple((index, *self.ranges[index]) for index in indices)
        self.closed(lhs, body)
        self.definitions[name] = Definition(lhs, body, ranges)
        return symbol

    def recur(self, name: str, indices: Any, first: Any, later: Callable[[Any], Any]) -> Any:
        """A recursion along its first index: ``first`` at the beginning of its range, ``later(symbol)`` beyond."""
        at = indices[0] if isinstance(indices, (tuple, list)) else indices
        begin = self.ranges[at][0]
        self.beginnings[name] = first, sp.Eq(at, begin)
        return self.let(name, indices, lambda m: assemble.recursion(self.beginnings[name], later(m)))

    def aid(self, *symbols: Any) -> None:
        """Definitions that only a proof speaks of."""
        self.aids |= set(map(name_of, symbols))

    def D(self, of: Any, by: Any) -> Any:
        """The derivative of a defined quantity by an entry, as the tangent program says it.

        The entry is an input's; or a definition's, to which something is added on top of what its formula gives.
        """
        shape = next((d.extents for d in self.inputs if d.name == name_of(by)), None)
        if shape is None and name_of(by) not in self.definitions:
            raise self.wrong(f"{by} is no input and no definition: derivatives are by entries of them")
        self.differentiated.add(name_of(of))
        entry, found = tangents(list(self.definitions.values()), of, by, shape)
        for definition in found:
            self.definitions.setdefault(definition.name, definition)
            for index, first, last in definition.ranges:
                self.ranges.setdefault(index, (first, last))
        return entry

    def output(self, name: str, entry: Any, *indices: Any) -> None:
        """What the subject shows under a name: an entry, over the whole ranges of the indices in it."""
        indices = indices or tuple(i for i in indices_of(entry) if i in self.ranges)
        self.outputs.append(Output(name, entry, *((index, *self.ranges[index]) for index in indices)))

    # ------------------------------------------------------------------ what is claimed

    def law(self, lhs: Any, *rest: Any, over: Sequence[Any] | None = None) -> None:
        """``law(lhs, rhs)``, or ``law(lhs, "<=", rhs)``, for all values of the indices that are free in it."""
        rel, rhs = rest if len(rest) == 2 else ("=", *rest)
        if rel not in SENSES:
            raise self.wrong(f"a law relates by one of {', '.join(SENSES)}, got {rel!r}")
        self.laws.append(Law(lhs, rel, rhs, self._ranges(lhs, rhs, over)))

    def _ranges(self, lhs: Any, rhs: Any, over: Sequence[Any] | None = None) -> Ranges:
        """The ranges of the indices that are free in a law."""
        free = sp.sympify(lhs).free_symbols | sp.sympify(rhs).free_symbols
        indices = over if over is not None else [index for index in self.ranges if index in free]
        return tuple((index, *self.ranges[index]) for index in indices)

    def prove(self, proof: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """How the last law is shown: ``proof(bench)``, see :class:`gnomon.proof.bench.Bench`."""
        if not self.laws or self.laws[-1].proof is not None:
            raise self.wrong("prove() comes after its law(), once")
        self.laws[-1] = replace(self.laws[-1], proof=proof)
        return proof

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

    def say(self, *words: str) -> None:
        """Remarks for the reader's list of conditions, which nothing leans on."""
        self.words += words

    def remark(self, words: str) -> None:
        """A paragraph for the reader."""
        self.remarks = words

    # ------------------------------------------------------------------ the call and the variants

    def call(self, *arguments: Any, **keywords: Any) -> Calling:
        """How the subject is called; what the claim's outputs are follows: ``c.call(x, h=h).shows(y)``."""
        return Calling(self, Call(self.subject, *arguments, **keywords))

    def without_gradient(self) -> None:
        """Autograd's gradients are not compared."""
        self.differentiable = False

    def variant(
        self,
        name: str,
        source: str,
        *,
        printed: bool = False,
        why: str = "",
        drops: Sequence[Any] = (),
        law: tuple[Any, str, Any] | None = None,
        actual: Literal["definition", "program"] = "definition",
        lets: Mapping[str, Any] | None = None,
        **formulas: Any,
    ) -> None:
        """Another formula for the same thing: definitions exchanged by name, a condition dropped, another law.

        A formula is an expression, or a function of the definition's symbol; of a recursion it is what comes later,
        or a pair ``(first, later)``. A new name takes ``(indices, formula)``. ``drops`` are wider domains in the
        place of the claim's own; ``law`` is another inequality. Where a dropped condition parts law and program,
        ``actual`` names the side that still says what happens.
        """
        changed = {**(lets or {}), **formulas}
        exchanged = tuple(assemble.exchanged(self, key, formula) for key, formula in changed.items())
        for lhs, formula in exchanged:
            self.closed(lhs, formula)
        inputs = tuple(d for d in drops if isinstance(d, Domain))
        structure = tuple(d for d in drops if not isinstance(d, Domain))
        self.variants.append(
            Variant(
                name,
                source,
                exchanged,
                inputs,
                structure,
                None if law is None else assemble.relation([Law(*law, self._ranges(law[0], law[2]))], self.outputs),
                printed,
                why,
                actual=actual,
            )
        )

    # ------------------------------------------------------------------ the claim

    def claim(self) -> Claim:
        """The claim.

        Raises:
            ValueError: saying what is missing, unknown or unused.
        """
        return assemble.claim(self)

    def wrong(self, message: str) -> ValueError:
        return ValueError(f"claim {self.id}: {message}")

    def closed(self, lhs: Any, formula: Any) -> None:
        """Refuse a definition whose formula leaves an index free that is none of its own."""
        if stray := [index for index in self.ranges if index in formula.free_symbols - set(indices_of(lhs))]:
            raise self.wrong(f"{lhs} is defined by {formula}, in which {', '.join(map(str, stray))} is left free")

    def _new(self, name: str) -> None:
        taken = {*(d.name for d in (*self.inputs, *self.structure)), *self.definitions, *map(str, self.ranges)}
        taken |= self.widths | self.variables | {noise.name for noise in self.noises}
        if name in taken or name in RESERVED:
            raise self.wrong(f"two things are called {name}")
        if not name.replace("_", "").replace("′", "").isalnum():
            raise self.wrong(f"{name!r} is no name: a formula belongs into the law, words into the title")

    def names(self) -> set[str]:
        """Everything that a formula of this claim may mention."""
        known = {*(d.name for d in (*self.inputs, *self.structure)), *self.definitions, *map(str, self.ranges)}
        known |= self.widths
        for domain in self.structure:
            if isinstance(domain, Choice):
                for meaning in domain.options.values():
                    known |= {str(getattr(s, "label", getattr(s, "__name__", s))) for s in meaning}
        return known

    def unknown(self, e: Any) -> set[str]:
        """The names in a formula that nobody declared; what an integral or a limit binds is known within it alone."""
        free = {name_of(x) for x in sp.sympify(e).free_symbols}
        return free - self.names() - {noise.name for noise in self.noises}


class Calling:
    """A call as it is written: each method goes on with it, and the board holds what it has come to."""

    def __init__(self, board: Board, call: Call) -> None:
        self._board, self._call = board, call
        board.calls = call

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._call, name)
        if not callable(method):
            raise AttributeError(f"{name} is no part of a call")
        return lambda *arguments, **keywords: Calling(self._board, method(*arguments, **keywords))

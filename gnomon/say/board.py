"""The board on which a claim is written: domains, definitions, laws with their proofs, the call, and the variants.

Symbols are made here and are local to the claim. What was written is checked when the claim is made: a symbol that
nobody declared, a definition that nobody uses, an output that no law speaks of are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from gnomon.proof.definitions import Definition
from gnomon.proof.tangent import tangents
from gnomon.proof.terms import indices_of, name_of
from gnomon.say import assemble
from gnomon.say.call import Call
from gnomon.say.claim import Claim, Form, Output, Variant
from gnomon.say.declaring import Declaring
from gnomon.say.domain import Domain
from gnomon.say.law import SENSES, Law, Ranges
from gnomon.say.reducing import Reducing
from gnomon.say.uncomputed import Uncomputed


class Board(Declaring, Uncomputed, Reducing):
    """Where one claim is written. See docs/add-a-claim.md."""

    # ------------------------------------------------------------------ definitions

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

    def ceiling(self, ulp: float) -> None:
        """How many units in the last place a subject may be off, where a claim is about a function of one number."""
        self.highest = ulp

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

    def form(self, name: str, **formulas: Any) -> None:
        """Another usual and right way to compute what is shown, by exchanged definitions, as of a variant.

        It is held against the program at exact points, and its rounding is in the budget: what is right in either way
        of writing it holds.
        """
        exchanged = tuple(assemble.exchanged(self, key, formula) for key, formula in formulas.items())
        for lhs, formula in exchanged:
            self.closed(lhs, formula)
        self.forms.append(Form(name, exchanged))

    # ------------------------------------------------------------------ the claim

    def claim(self) -> Claim:
        """The claim.

        Raises:
            ValueError: saying what is missing, unknown or unused.
        """
        return assemble.claim(self)

    def closed(self, lhs: Any, formula: Any) -> None:
        """Refuse a definition whose formula leaves an index free that is none of its own."""
        if stray := [index for index in self.ranges if index in formula.free_symbols - set(indices_of(lhs))]:
            raise self.wrong(f"{lhs} is defined by {formula}, in which {', '.join(map(str, stray))} is left free")


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

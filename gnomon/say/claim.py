"""The vocabulary of claims: frozen data that says what is true, when, why, and how a program would compute it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits

from gnomon.proof.terms import name_of
from gnomon.say.domain import Domain, Structural
from gnomon.say.law import Written

if TYPE_CHECKING:
    from gnomon.proof.derivation import Derivation
    from gnomon.say.call import Call

Kind = Literal["equality", "inequality", "invariance", "order", "expectation", "limit"]
KINDS: tuple[str, ...] = ("equality", "inequality", "invariance", "order", "expectation", "limit")


def checked_id(id: str) -> str:
    """The id, if it is one.

    Raises:
        ValueError: if it does not look like a ledger row's.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)+", id):
        raise ValueError(f"claim {id}: an id is the ledger row's id, like 'optim.adam.update'")
    return id


@dataclass(frozen=True)
class Output:
    """An observed quantity: its name, the expression of an entry, and the index ranges, inclusive as in a ``Sum``."""

    name: str
    entry: Any
    ranges: tuple[tuple[Any, Any, Any], ...]

    def __init__(self, name: str, entry: Any, *ranges: tuple[Any, Any, Any]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "entry", entry)
        object.__setattr__(self, "ranges", tuple(ranges))


@dataclass(frozen=True)
class Program:
    """A formula as an algorithm: ordered, named definitions and the outputs. Its rounding sets the error budget."""

    lets: tuple[tuple[Any, Any], ...]
    outputs: tuple[Output, ...]

    def __post_init__(self) -> None:
        names = [name_of(lhs) for lhs, _ in self.lets]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"defined twice: {', '.join(sorted(twice))}")
        if not self.outputs:
            raise ValueError("a program needs at least one Output: nothing would be compared")

    @property
    def indices(self) -> set[str]:
        """The names of all indices: of definitions, of outputs, of sums and products."""
        found = {str(index) for lhs, _ in self.lets for index in getattr(lhs, "indices", ())}
        found |= {str(limits[0]) for output in self.outputs for limits in output.ranges}
        expressions = [rhs for _, rhs in self.lets] + [output.entry for output in self.outputs]
        sums = set().union(*(sp.sympify(expr).atoms(ExprWithLimits) for expr in expressions))
        return found | {str(limits[0]) for node in sums for limits in node.limits}

    def replace(self, replacements: tuple[tuple[Any, Any], ...]) -> Program:
        """The program with some definitions exchanged, each found by its name.

        A name that is not defined yet is added in front, so that a replacement may lean on it.

        Raises:
            ValueError: if nothing defined before is exchanged.
        """
        fresh = {name_of(lhs): (lhs, rhs) for lhs, rhs in replacements}
        known = {name_of(lhs) for lhs, _ in self.lets}
        if not known & set(fresh):
            raise ValueError(f"no definition named {', '.join(fresh)}; the program defines {', '.join(sorted(known))}")
        added = tuple(pair for name, pair in fresh.items() if name not in known)
        kept = tuple(fresh.get(name_of(lhs), (lhs, rhs)) for lhs, rhs in self.lets)
        return Program(added + kept, self.outputs)


@dataclass(frozen=True)
class Relation:
    """An inequality ``lhs <= rhs`` (or ``>=``) between expressions in the observed outputs and the inputs.

    An output named ``y`` is written ``y[i]`` with positions from 0 (``y`` itself if it is a scalar). With ``ranges``
    there is one inequality for each value of the indices. The subject's observed values stand for the outputs; the
    budget is what rounding in the program, carried through both sides, allows.
    """

    lhs: Any
    sense: Literal["<=", ">="]
    rhs: Any
    ranges: tuple[tuple[Any, Any, Any], ...] = ()


@dataclass(frozen=True)
class Variant:
    """Another formula for the same thing: as printed in the notes, another library's convention, a known bug.

    ``replace`` exchanges definitions of the program; ``inputs`` and ``structure`` put a wider domain in the place of
    one with the same name, which drops a condition of the claim; ``relation`` exchanges the inequality itself. Where a
    dropped condition parts the two sides of an equality, ``actual`` names the one that still says what happens.
    """

    name: str
    source: str
    replace: tuple[tuple[Any, Any], ...] = ()
    inputs: tuple[Domain, ...] = ()
    structure: tuple[Structural, ...] = ()
    relation: Relation | None = None
    printed: bool = False
    why: str = ""
    actual: Literal["definition", "program"] = "definition"

    def __post_init__(self) -> None:
        if not (self.replace or self.inputs or self.structure or self.relation):
            raise ValueError(f"variant {self.name} changes nothing: give replace=, inputs=, structure= or relation=")


@dataclass(frozen=True)
class Form:
    """Another usual and right way to compute a program: it exchanges definitions, and its rounding is in the budget."""

    name: str
    replace: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One mathematical statement with its conditions, its proof, its program and its variants.

    ``program`` is the algorithm whose rounding gives the budget; ``definition``, where given, computes the same
    outputs straight from first principles, and both are shown to agree. ``forms`` are other usual ways to compute the
    outputs, shown to agree, too: the budget is the greatest of them all. Without a ``relation`` the statement is that a
    subject's outputs equal the program's; ``ceiling`` is how many units in the last place a function of one number may
    then be off, in formats of which every number is tried.

    A linked claim is ``written`` on a board: its statement, definition and relation are computed from its laws, it has
    a ``call``, and its proofs are held against law and program. The others still have a ``derivation`` and a
    ``driver``, which nothing holds together.
    """

    id: str
    section: str
    title: str
    kind: Kind
    subject: str
    inputs: tuple[Domain, ...]
    program: Program
    statement: Any
    variants: tuple[Variant, ...]
    driver: str = ""
    derivation: Callable[[], Derivation] | None = None
    written: Written | None = field(default=None, hash=False)
    call: Call | None = field(default=None, hash=False)
    structure: tuple[Structural, ...] = ()
    conditions: tuple[str, ...] = ()
    definition: Program | None = None
    forms: tuple[Form, ...] = ()
    relation: Relation | None = None
    gradient: bool = True
    ceiling: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    remarks: str = ""

    def __post_init__(self) -> None:
        def wrong(message: str) -> ValueError:
            return ValueError(f"claim {self.id}: {message}")

        checked_id(self.id)
        if self.kind not in KINDS:
            raise wrong(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        if not re.fullmatch(r"[a-z_0-9]+\.[A-Za-z_0-9]+", self.subject):
            raise wrong(f"subject {self.subject!r} is not '<file in reference/>.<object>'")
        if (self.written is None) == (self.derivation is None) or (self.call is None) == (not self.driver):
            raise wrong("is written on a board with a call, or has a derivation and a driver")
        if not self.variants:
            raise wrong("needs a variant that its check rejects: a check never seen to fail proves nothing")
        names = [domain.name for domain in (*self.inputs, *self.structure)]
        if len(set(names)) < len(names):
            raise wrong(f"two domains share a name: {', '.join(names)}")
        programs = [self.program, *([self.definition] if self.definition else [])]
        hidden = {name_of(lhs) for program in programs for lhs, _ in program.lets} & set(names)
        if hidden:
            raise wrong(f"{', '.join(sorted(hidden))}: an input and a definition; give the definition another name")
        hidden = {index for program in programs for index in program.indices} & set(names)
        if hidden:
            raise wrong(f"{', '.join(sorted(hidden))}: an input and an index; give the index another name")
        if self.ceiling is not None and (self.ceiling <= 0.5 or self.relation is not None):
            raise wrong("a ceiling is above 0.5, which is what the best program may be off, and about an equality")
        if self.forms and self.relation is not None:
            raise wrong("has forms, which serve outputs that equal the program's, and a relation")
        for variant in self.variants:
            for domain in (*variant.inputs, *variant.structure):
                if domain.name not in names:
                    raise wrong(f"variant {variant.name} widens {domain.name}, which the claim does not have")
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def under(self, variant: Variant) -> Claim:
        """The claim with a variant's definitions, domains and relation in the place of its own."""

        def swap(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> tuple[Any, ...]:
            fresh = {domain.name: domain for domain in theirs}
            return tuple(fresh.get(domain.name, domain) for domain in ours)

        return dataclasses.replace(
            self,
            program=self.program.replace(variant.replace) if variant.replace else self.program,
            forms=() if variant.replace else self.forms,
            inputs=swap(self.inputs, variant.inputs),
            structure=swap(self.structure, variant.structure),
            relation=variant.relation or self.relation,
        )

"""What is written of a claim so far, and which names are taken: what the parts of a board share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.terms import name_of
from gnomon.say.call import Call
from gnomon.say.claim import Form, Kind, Output, Variant
from gnomon.say.domain import Choice, Domain, Structural
from gnomon.say.law import Condition, Law
from gnomon.say.noise import Noise

RESERVED = frozenset({"any"})


@dataclass(frozen=True)
class Mutation:
    """What the audit changes of a claim: a domain made wider, or a condition left out."""

    domain: str = ""
    condition: str = ""


class Sheet:
    """A claim as far as it is written; the parts of a board write on it."""

    def __init__(
        self, id: str, section: str, subject: str, kind: Kind, title: str, mutation: Mutation | None = None
    ) -> None:
        self.id, self.section, self.subject, self.kind, self.title = id, section, subject, kind, title
        self.mutation = mutation or Mutation()
        self.noises: list[Noise] = []
        self.variables: set[str] = set()
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
        self.forms: list[Form] = []
        self.calls: Call | None = None
        self.remarks = ""
        self.differentiable = True
        self.highest: float | None = None

    def wrong(self, message: str) -> ValueError:
        return ValueError(f"claim {self.id}: {message}")

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

"""Each argument of a subject: which claims give it, with which values, or that none looks at it.

Calls are read as data. An older driver is seen at work with a subject that writes down what it is given; where that
cannot be seen, what it gives is unknown.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from gnomon.check.passed import passed
from gnomon.check.verdict import prepare
from gnomon.find import kept, walk
from gnomon.find.signatures import arguments, named, path, signature
from gnomon.find.subjects import resolve
from gnomon.say.claim import Claim
from gnomon.say.given import given, values

ALWAYS = ("", "forward", "__call__", "step")
"""Whose arguments are listed even if no claim calls them: the subject's own, and how it is used."""

Reading = dict[str, list[str]]
"""Of each argument what is given for it, in words; what is left out has its default."""


@dataclass(frozen=True)
class Argument:
    """An argument: ``lr`` of a class or a function, ``forward.x`` of a method.

    ``given`` has for each claim the values; ``unknown`` are the claims whose driver does not show what it gives.
    """

    name: str
    default: str | None = None
    given: dict[str, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def looked_at(self) -> bool:
        """Whether some claim gives it another value than its default."""
        return any(word != self.default for words in self.given.values() for word in words)

    @property
    def missed(self) -> str:
        """Why it is not looked at; "" if it is."""
        if self.looked_at:
            return ""
        if self.unknown:
            return "unknown (driver)"
        return f"every claim leaves it at {self.default}" if self.given else "no claim gives it"


def options(subject: Any, claims: Iterable[Claim]) -> list[Argument]:
    """The arguments of a subject, with what some claims on it give for them."""
    claims = tuple(claims)
    readings = {claim.id: reading(claim, subject) for claim in claims}
    unknown = [id for id, found in readings.items() if found is None]
    known = {id: found for id, found in readings.items() if found is not None}
    methods = {*ALWAYS, *(name.rpartition(".")[0] for found in known.values() for name in found)}
    return [
        Argument(
            name,
            None if parameter.default is inspect.Parameter.empty else repr(parameter.default),
            {id: found[name] for id, found in known.items() if name in found},
            unknown,
        )
        for name, parameter in arguments(subject).items()
        if name.rpartition(".")[0] in methods
    ]


def reading(claim: Claim, subject: Any) -> Reading | None:
    """What a claim gives for each argument of its subject; None where its driver does not show that."""
    if claim.call is None:
        return passed(prepare(claim, subject, claim.subject, "float64", "cpu"))
    found: dict[str, dict[str, None]] = {}
    for each in given(claim.call, claim.subject):
        method = named(subject, each.method)
        if (taken := signature(subject, method)) is None:
            continue
        try:
            bound = taken.bind(*each.arguments, **dict(each.keywords))
        except TypeError:
            continue
        words = {name: _words(value, claim) for name, value in bound.arguments.items()}
        left = {name: (repr(p.default),) for name, p in taken.parameters.items() if p.default is not p.empty}
        for name, said in {**left, **words}.items():
            found.setdefault(path(method, name), {}).update(dict.fromkeys(said))
    return {name: list(words) for name, words in found.items()}


def _words(value: Any, claim: Claim) -> tuple[str, ...]:
    """What is given for an argument; for ``*arguments`` and ``**keywords`` there are several parts."""
    several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
    return tuple(word for part in several for word in values(part, claim))


def options_of(name: str) -> list[Argument]:
    """The arguments of a model of the reference, remembered until a file that they depend on changes."""
    own = walk.digests()
    homes = [own[module] for module in walk.homes_of(name)]
    key = [walk.digest("gnomon", walk.REFERENCE, walk.PROPERTY_TESTS), *homes]
    remembered = kept.read(f"options-{name}")
    if remembered is None or remembered["key"] != key:
        found = options(resolve(name, {})[0], map(walk.built, walk.about(name)))
        remembered = {"key": key, "arguments": [asdict(argument) for argument in found]}
        kept.write(f"options-{name}", remembered)
    return [Argument(**argument) for argument in remembered["arguments"]]


def not_looked_at(name: str, subject: Any) -> dict[str, str]:
    """The arguments of a subject, or of what stands in its place, that no claim looks at, with the reason."""
    known = {argument.name: argument.missed for argument in options_of(name)}
    methods = {*ALWAYS, *(argument.rpartition(".")[0] for argument in known)}
    own = [argument for argument in arguments(subject) if argument.rpartition(".")[0] in methods]
    return {argument: why for argument in own if (why := known.get(argument, "the reference has none of that name"))}

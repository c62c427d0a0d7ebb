"""Which arguments a call gives to its subject, read off the call as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.call import Call
from gnomon.say.claim import Claim
from gnomon.say.domain import Choice, Domain, Size, Sizes

FLAGS = {"yes": "True", "no": "False"}
WIDTH = 48
"""How much of a formula stands for it."""


@dataclass(frozen=True)
class Given:
    """Arguments given together: to the subject itself, or to a ``method`` of what it made ("()": to that itself)."""

    method: str
    arguments: tuple[a.Part, ...]
    keywords: tuple[tuple[str, a.Part], ...]


def given(call: Call, subject: str) -> Iterator[Given]:
    """Every time that a call calls a subject, or what that made."""
    for part in dict.fromkeys(call.parts()):
        if isinstance(part, p.Made) and part.subject == subject:
            yield Given("", part.arguments, part.keywords)
        elif isinstance(part, p.Stepped) and part.node.subject == subject:
            yield Given("step", (), ())
        elif isinstance(part, p.Applied):
            named = isinstance(part.node, p.Attribute)
            made = part.node.node if isinstance(part.node, p.Attribute) else part.node
            made = made.node if isinstance(made, p.Loaded) else made
            if isinstance(made, p.Made) and made.subject == subject:
                yield Given(getattr(part.node, "name", "") if named else "()", part.arguments, part.keywords)


def values(part: a.Part, claim: Claim) -> tuple[str, ...]:
    """What a part of a call stands for, in words: a constant, the labels of a choice, a domain, a formula."""
    domains: Mapping[str, Any] = {domain.name: domain for domain in (*claim.structure, *claim.inputs)}
    if isinstance(part, a.When):
        return tuple(dict.fromkeys((*values(part.value, claim), *values(part.otherwise, claim))))
    if isinstance(part, a.Label):
        choice = domains[part.name]
        return (
            tuple(FLAGS.get(label, label) for label in choice.options) if isinstance(choice, Choice) else (part.name,)
        )
    if isinstance(part, a.Named):
        return (_in_words(domains.get(part.name), part.name),)
    text = str(part)
    return (text if len(text) <= WIDTH else text[: WIDTH - 1] + "…",)


def _in_words(domain: Any, name: str) -> str:
    if isinstance(domain, (Size, Sizes)):
        return str(domain)
    if isinstance(domain, Domain) and domain.host:
        return str(domain).removesuffix(", hyper-parameter")
    return f"tensor {name}" if isinstance(domain, Domain) else name

"""A call held against the claim that makes it: every symbol known, every input used, every output shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from gnomon.proof.terms import name_of
from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.arguments import CallError, Part, names_in
from gnomon.say.call import Call
from gnomon.say.domain import Choice, Domain, Structural


def names_used(call: Call) -> set[str]:
    """The names that a call uses: of inputs, sizes, choices and definitions."""
    used: set[str] = set()
    for root in dict.fromkeys(look for _, look in call.looks):
        _collect(root, frozenset(), used)
    return used


def check(
    call: Call,
    inputs: Sequence[Domain],
    structure: Sequence[Structural] = (),
    outputs: Sequence[str] = (),
    lets: Sequence[tuple[Any, Any]] = (),
) -> None:
    """Hold a call against the claim that makes it.

    Raises:
        CallError: if an output is unknown or not shown, a symbol is no input, an input is neither used nor declared
            unused, a look fits nothing in the chain, or a word is the name of an input.
    """
    numbers = {domain.name for domain in inputs}
    fixed = {domain.name for domain in structure} | _bound(structure)
    definitions = {name_of(lhs): (lhs, rhs) for lhs, rhs in lets}
    _check_outputs(call, outputs)
    for part in call.parts():
        _check_fit(call, part)
        if isinstance(part, a.Constant) and part.value in numbers and isinstance(part.value, str):
            raise CallError(f"{call}: the word {part.value!r} is the name of an input; give its symbol")
    used = _through(names_used(call), definitions)
    known = numbers | fixed | set(definitions)
    for name in sorted(used - known):
        raise CallError(f"{call}: {name} is no input, size, choice or definition of the claim" + _near(name, known))
    for name in call.unused_inputs:
        if name not in numbers:
            raise CallError(f"{call}: unused({name}), but the claim has no such input" + _near(name, numbers))
        if name in used:
            raise CallError(f"{call}: {name} is declared unused and used")
    idle = [domain.name for domain in inputs if domain.name not in used | set(call.unused_inputs)]
    if idle:
        raise CallError(
            f"{call}: the subject never gets {', '.join(idle)}; pass it on, or say .unused({', '.join(idle)})"
        )


def _check_outputs(call: Call, outputs: Sequence[str]) -> None:
    shown = [name for name, _ in call.looks]
    if not shown:
        raise CallError(f"{call}: nothing is looked at; end it with .shows({', '.join(outputs) or '...'})")
    for name in shown:
        if outputs and name not in outputs:
            raise CallError(f"{call}: shows {name}, which is no output of the claim" + _near(name, outputs))
    missing = [name for name in outputs if name not in shown]
    if missing:
        raise CallError(f"{call}: the claim's output {', '.join(missing)} is not shown")


NEEDS = {
    p.State: (p.Stepped, "state() is a look at an optimizer: say each_step() before it"),
    p.Parameter: (p.Stepped, "parameter() is a look at an optimizer: say each_step() before it"),
    p.Buffer: (p.Loaded, "buffer() is a look at a module: say load() and on() before it"),
    p.Asked: (a.Function, "asks() needs one of the functions that the subject is given"),
    p.Count: (a.Function, "count() needs one of the functions that the subject is given"),
    p.Drawn: (a.Blank, "drawn() is a look at a tensor that is filled: give the subject a blank()"),
    p.Kept: (p.Gradient, "kept() is a look at what a gradient() leans on: say it before"),
}


def _check_fit(call: Call, part: Part) -> None:
    needed, words = NEEDS.get(type(part), (None, ""))
    if needed and not any(isinstance(inner, needed) for inner in a.walk(part.node)):  # type: ignore[attr-defined]
        raise CallError(f"{call}: {words}")
    if isinstance(part, (p.Gradient, p.Jacobian)):
        held = set(a.walk(part.node))
        for each in part.by if isinstance(part, p.Gradient) else (part.by,):
            free = {name for inner in held for name in _own_names(inner)}
            if each not in held and not (isinstance(each, a.Named) and each.name in free):
                raise CallError(f"{call}: a derivative by {each}, which the subject is not given")
    if isinstance(part, p.Stepped):
        first = part.node.arguments[0]
        count = 1 if isinstance(first, a.Coordinates) else len(getattr(first, "items", ()))
        if len(part.gradients) != count:
            raise CallError(f"{call}: {count} parameters and {len(part.gradients)} gradients in each_step()")


def _own_names(part: Part) -> set[str]:
    """The names that a part itself uses, not through the parts that it holds, its own indices and arguments out."""
    found: set[str] = set()
    if isinstance(part, (a.Named, a.Label)):
        found.add(part.name)
    if isinstance(part, (a.Edges, a.Weights)):
        found |= {part.matrix} | (names_in(part.copies) if isinstance(part, a.Edges) else set())
    if isinstance(part, (a.Formula, a.Function)):
        own = {str(index) for index, _, _ in part.ranges}
        if isinstance(part, a.Formula):
            own |= {name for name, _ in part.given}
        else:
            own |= {str(getattr(symbol, "label", symbol)) for symbol in part.arguments}
        limits = set().union(*(names_in(low) | names_in(high) for _, low, high in part.ranges))
        found |= (names_in(part.entry) - own) | limits
    if isinstance(part, (a.Listed, p.Mean, p.Padded)):
        found |= names_in(part.limits[1]) | names_in(part.limits[2])
    if isinstance(part, (a.Blank, a.Cut, p.Padded)):
        found |= set().union(*map(names_in, part.extents))
    if isinstance(part, a.When) and not isinstance(part.condition, Part):
        found |= names_in(part.condition)
    return found


def _collect(part: Part, hidden: frozenset[str], used: set[str]) -> None:
    if isinstance(part, (a.Listed, p.Mean, p.Padded)):
        hidden |= {str(part.limits[0])}
    used |= _own_names(part) - hidden
    for child in a.children(part):
        _collect(child, hidden, used)


def _through(used: set[str], definitions: dict[str, tuple[Any, Any]]) -> set[str]:
    """The names with those that the used definitions lean on."""
    found, waiting = set(used), [name for name in used if name in definitions]
    while waiting:
        lhs, rhs = definitions[waiting.pop()]
        fresh = names_in(rhs) - {str(index) for index in getattr(lhs, "indices", ())} - found
        found |= fresh
        waiting += [name for name in fresh if name in definitions]
    return found


def _bound(structure: Iterable[Structural]) -> set[str]:
    """The names of what choices bind: functions, arrays, numbers."""
    symbols = {symbol for d in structure if isinstance(d, Choice) for option in d.options.values() for symbol in option}
    return {str(getattr(symbol, "label", getattr(symbol, "__name__", symbol))) for symbol in symbols}


def _near(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4)
    return f"; did you mean {', '.join(close)}?" if close else f"; there are {', '.join(sorted(known)) or 'none'}"

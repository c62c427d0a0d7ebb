"""From a board to a claim: what was written is checked, and statement, definition and relation are computed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import sympy as sp

from gnomon.proof.definitions import Definition
from gnomon.proof.reductions import Reduction
from gnomon.proof.terms import indices_of, mentioned, name_of, put
from gnomon.say.check_call import check, names_used
from gnomon.say.claim import Claim, Form, Output, Program, Relation, Variant
from gnomon.say.curves import foreign
from gnomon.say.domain import Choice, Domain, Graph, Size, Sizes, Structural
from gnomon.say.law import Law, Written
from gnomon.say.noise import UNCOMPUTED, left_random, uncomputed

if TYPE_CHECKING:
    from gnomon.say.board import Board


def claim(board: Board) -> Claim:
    """The claim that is written on a board.

    A subject is compared with the program, entry for entry, if that is what is claimed; else its outputs must keep the
    laws: of an inequality, an order or a limit, and of an equation that has another one for a variant.

    Raises:
        ValueError: saying what is missing, unknown or unused.
    """
    _complete(board)
    _own_slopes(board)
    outputs = _outputs(board)
    shown = {name_of(output.entry) for output in outputs}
    assert board.calls is not None
    entries = {name for o in outputs for name in mentioned(o.entry)}
    ours = reached(board.definitions.values(), entries | names_used(board.calls))
    theirs = law_names(board.definitions.values(), board.laws, shown)
    _used(board, ours | theirs)
    _spoken_of(board, outputs)
    judged = _judged(board, outputs)
    lets = tuple((d.lhs, d.rhs) for d in board.definitions.values())
    defined = _definition(judged, outputs, shown, tuple(let for let in lets if name_of(let[0]) in theirs))
    equal = board.kind in EQUAL and not any(variant.relation for variant in board.variants)
    exact = defined is not None or equal or all(law.rel == "=" and _output_of(law, outputs) for law in judged)
    judged = judged if exact else _about_what_is_shown(board, judged, outputs)
    theirs = theirs if len(judged) == len(board.laws) else law_names(board.definitions.values(), judged, shown)
    needed = ours if exact else ours | theirs  # an inequality is computed beside the program
    program = Program(tuple(let for let in lets if name_of(let[0]) in needed), outputs)
    check(board.calls, board.inputs, board.structure, [output.name for output in outputs], program.lets)
    statements = tuple(law.statement for law in board.laws)
    ranges = tuple((index, *ends) for index, ends in board.ranges.items())
    return Claim(
        id=board.id,
        section=board.section,
        title=board.title,
        kind=board.kind,
        subject=board.subject,
        inputs=tuple(board.inputs),
        structure=tuple(board.structure),
        program=program,
        statement=statements[0] if len(statements) == 1 else statements,
        definition=defined,
        forms=tuple(Form(form.name, _whole(board, form.replace, needed)) for form in board.forms),
        relation=None if exact else _spelled(relation(judged, outputs), board, ours),
        conditions=(*map(str, board.conditions), *board.words),
        variants=tuple(_variant(board, variant, needed) for variant in board.variants),
        written=Written(
            tuple(board.definitions.values()),
            tuple(board.laws),
            tuple(board.conditions),
            ranges,
            frozenset(board.aids),
            tuple(board.noises),
        ),
        call=board.calls,
        gradient=board.differentiable,
        ceiling=board.highest,
        remarks=board.remarks,
    )


EQUAL = ("equality", "expectation")
PROVED_ALONE = (
    "has a mean, an integral or a limit: such a law is proved, and what is checked is that the outputs equal the "
    f"program's; give the claim a proof and one of the kinds {', '.join(EQUAL)}, limit"
)


def _judged(board: Board, outputs: Sequence[Output]) -> list[Law]:
    """The laws that numbers judge: all but those with expectations, integrals or limits, which are proved alone.

    Raises:
        ValueError: for such a law without a proof or of another kind, and for noise that nobody averages over.
    """
    definitions, noise = board.definitions.values(), [one.name for one in board.noises]
    spoken = [e for law in board.laws for e in (law.lhs, law.rhs)] + [c.relation for c in board.conditions]
    for e in spoken:
        if loose := left_random(e, definitions, noise):
            raise board.wrong(f"{', '.join(sorted(loose))} is noise, and left random in {e}: take the mean over it")
    for output in outputs:
        if left_random(output.entry, definitions, noise) or uncomputed(output.entry, definitions):
            raise board.wrong(
                f"{output.name}: no program computes it: a mean, an integral, a limit, or noise, is in it"
            )
    found = [law for law in board.laws if not any(uncomputed(side, definitions) for side in (law.lhs, law.rhs))]
    for law in board.laws:
        if law not in found and (law.proof is None or board.kind not in (*EQUAL, "limit")):
            raise board.wrong(f"{law.lhs} {law.rel} {law.rhs} {PROVED_ALONE}")
    return found


def _whole(board: Board, exchanged: Sequence[tuple[Any, Any]], ours: set[str]) -> tuple[tuple[Any, Any], ...]:
    """What a variant or a form exchanges, with the definitions that its formulas lean on and the program lacks."""
    fresh = {name_of(lhs) for lhs, _ in exchanged}
    names = {name for _, rhs in exchanged for name in mentioned(rhs)}
    needed = reached([d for d in board.definitions.values() if d.name not in fresh], names) - ours
    return (*exchanged, *((d.lhs, d.rhs) for d in board.definitions.values() if d.name in needed))


def _variant(board: Board, variant: Variant, ours: set[str]) -> Variant:
    """A variant that stands by itself: with all that its formulas and its inequality lean on."""
    relation = None if variant.relation is None else _spelled(variant.relation, board, ours)
    return replace(variant, replace=_whole(board, variant.replace, ours), relation=relation)


def _spelled(relation: Relation, board: Board, ours: set[str]) -> Relation:
    """An inequality in inputs and what is observed: the law's own definitions, which no program has, put in."""
    theirs = [d for d in board.definitions.values() if d.name not in ours]

    def put_in(e: Any) -> Any:
        for d in reversed(theirs):  # one leans on those before it
            e = e.replace(
                lambda x, d=d: isinstance(x, (sp.Indexed, sp.Symbol)) and name_of(x) == d.name and x.func == d.lhs.func,
                lambda x, d=d: put(d.rhs, dict(zip(indices_of(d.lhs), indices_of(x), strict=True))),
            )
        return e

    spelled = replace(relation, lhs=put_in(relation.lhs), rhs=put_in(relation.rhs))
    if spelled.lhs.has(*UNCOMPUTED) or spelled.rhs.has(*UNCOMPUTED):
        raise board.wrong(f"{spelled.lhs} {spelled.sense} {spelled.rhs} {PROVED_ALONE}")
    return spelled


def reached(definitions: Iterable[Definition], names: set[str]) -> set[str]:
    """The definitions that some names lean on, themselves included."""
    known = {definition.name: definition for definition in definitions}
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in known and name not in found:
            found.add(name)
            todo += mentioned(known[name].rhs)
    return found


def law_names(definitions: Iterable[Definition], laws: Iterable[Law], shown: set[str]) -> set[str]:
    """The definitions that the laws speak of, but for what is shown, which is the program's on both sides."""
    definitions = tuple(definitions)
    spoken = {name for law in laws for side in (law.lhs, law.rhs) for name in mentioned(side)} - shown
    return reached(definitions, spoken)


def _complete(board: Board) -> None:
    for name, found in (("law()", board.laws), ("call()", board.calls), ("variant()", board.variants)):
        if not found:
            raise board.wrong(f"has no {name}")
    written = [e for law in board.laws for e in (law.lhs, law.rhs)]
    written += [c.relation for c in board.conditions if not c.relation.is_Symbol]
    written += [d.rhs for d in board.definitions.values()]
    for e in written:
        if unknown := board.unknown(e):
            raise board.wrong(f"{', '.join(sorted(unknown))} in {e} is no input, size, index or definition")
        _filled(board, e)
        if sp.sympify(e).has(sp.ITE):
            raise board.wrong(f"a branch whose condition has branches: name what it looks at as a definition, in {e}")


def _filled(board: Board, e: Any) -> None:
    """Refuse a maximum over no term at all: for sizes at the ends of their ranges, which is where it would be empty."""
    sizes = {domain.symbol: (domain.low, domain.high) for domain in board.structure if isinstance(domain, Size)}
    lists = {domain.symbol: domain for domain in board.structure if isinstance(domain, Sizes)}
    for node in sp.sympify(e).atoms(Reduction):
        gap = node.ends[1] - node.ends[0]
        sizes |= {x: (lists[x.base].low, lists[x.base].high) for x in gap.atoms(sp.Indexed) if x.base in lists}
        known = sorted(gap.free_symbols & set(sizes), key=str)
        for corner in itertools.product(*(sizes[symbol] for symbol in known)):
            least = gap.xreplace(dict(zip(known, map(sp.Integer, corner), strict=True)))
            if least.is_negative:
                at = ", ".join(f"{symbol} = {value}" for symbol, value in zip(known, corner, strict=True))
                raise board.wrong(f"{node} is over no term at all{' at ' * bool(at)}{at}")


def _own_slopes(board: Board) -> None:
    """What an option says of a function's derivatives is true of the function."""
    for choice in (domain for domain in board.structure if isinstance(domain, Choice)):
        for label, meaning in choice.options.items():
            if wrong := foreign(meaning):
                raise board.wrong(f"{choice.name}={label}: {wrong}")


def _outputs(board: Board) -> tuple[Output, ...]:
    """The outputs: those declared, and those that the call shows under a definition's name."""
    assert board.calls is not None
    known = {output.name for output in board.outputs}
    for name, _ in board.calls.looks:
        if name not in known and name in board.definitions:
            definition = board.definitions[name]
            board.outputs.append(Output(name, definition.lhs, *definition.ranges))
    return tuple(board.outputs)


def _used(board: Board, names: set[str]) -> None:
    """Every definition serves the program, a law, a condition or a variant."""
    more = board.differentiated | {n for c in board.conditions for n in mentioned(c.relation)}
    exchanged = [*(v.replace for v in board.variants), *(f.replace for f in board.forms)]
    more |= {n for pairs in exchanged for _, rhs in pairs for n in mentioned(rhs)}
    names = names | reached(board.definitions.values(), more | board.aids)
    if idle := [name for name in board.definitions if name not in names and "∂" not in name]:
        raise board.wrong(f"{', '.join(idle)}: defined, and used by no output, law, condition or variant")


def _spoken_of(board: Board, outputs: Sequence[Output]) -> None:
    """Every output is what some law speaks of: nothing is compared that nothing is claimed about."""
    spoken = {name for law in board.laws for name in mentioned(law.lhs) | mentioned(law.rhs)}
    if silent := [o.name for o in outputs if not mentioned(o.entry) & spoken & set(board.definitions)]:
        raise board.wrong(f"{', '.join(silent)}: shown, and no law speaks of it")


def _output_of(law: Law, outputs: Sequence[Output]) -> Output | None:
    """The output whose entry is a law's left side, if there is one."""
    return next((output for output in outputs if output.entry == law.lhs), None)


def _definition(laws: Sequence[Law], outputs: Sequence[Output], shown: set[str], lets: Any) -> Program | None:
    """The laws as a program of their own, where each output has one that speaks of no output on its right side."""
    found = []
    for output in outputs:
        law = next((law for law in laws if law.rel == "=" and law.lhs == output.entry), None)
        if law is None or mentioned(law.rhs) & shown:
            return None
        found.append(replace_entry(output, law.rhs))
    return Program(lets, tuple(found))


def replace_entry(output: Output, entry: Any) -> Output:
    return Output(output.name, entry, *output.ranges)


def _about_what_is_shown(board: Board, laws: Sequence[Law], outputs: Sequence[Output]) -> list[Law]:
    """The laws that speak of an entry that is shown; one that speaks of others alone is proved beside them.

    Raises:
        ValueError: for such a law without a proof.
    """

    def sees(law: Law) -> bool:
        parts = (law.lhs - law.rhs).atoms(sp.Indexed, sp.Symbol)
        return any(_seen(x, output) is not None for x in parts for output in outputs)

    found = [law for law in laws if sees(law)]
    if lost := [law for law in laws if law not in found and law.proof is None]:
        raise board.wrong(f"{lost[0].lhs} {lost[0].rel} {lost[0].rhs}: speaks of nothing that is shown; prove it")
    return found


def relation(laws: Sequence[Law], outputs: Sequence[Output]) -> Relation:
    """The laws as one inequality between what is shown and the inputs.

    Raises:
        ValueError: if several laws run over different ranges.
    """
    if len({law.ranges for law in laws}) > 1:
        raise ValueError("several inequalities of one claim run over the same indices")
    gaps = [_excess(law) for law in laws]
    if len(laws) == 1 and laws[0].rel != "=":
        law = laws[0]
        sense: Literal["<=", ">="] = "<=" if law.rel in ("<=", "<") else ">="
        return Relation(observed(law.lhs, outputs), sense, observed(law.rhs, outputs), law.ranges)
    return Relation(observed(sp.Max(*gaps), outputs), "<=", sp.S.Zero, laws[0].ranges)


def _excess(law: Law) -> Any:
    gap = law.lhs - law.rhs
    return sp.Abs(gap) if law.rel == "=" else gap if law.rel in ("<=", "<") else -gap


def observed(e: Any, outputs: Sequence[Output]) -> Any:
    """The expression in what is observed: an output's entry becomes its name at positions from 0."""

    def entry(x: Any) -> Any:
        return next((seen for output in outputs if (seen := _seen(x, output)) is not None), x)

    return sp.sympify(e).replace(lambda x: isinstance(x, (sp.Indexed, sp.Symbol)), entry)


def _seen(x: Any, output: Output) -> Any:
    """An entry by the name of an output that shows it, or None: of ``theta[T - 1, i]`` only what has this T - 1."""
    if name_of(x) != name_of(output.entry) or len(indices_of(x)) != len(indices_of(output.entry)):
        return None
    if not output.ranges:
        return sp.Symbol(output.name, real=True) if x == output.entry else None
    at = dict(zip(indices_of(output.entry), indices_of(x), strict=True))
    if any(value != key for key, value in at.items() if key not in [v for v, _, _ in output.ranges]):
        return None
    return sp.IndexedBase(output.name, real=True)[tuple(at[v] - first for v, first, _ in output.ranges)]


def recursion(beginning: tuple[Any, Any], later: Any) -> Any:
    """A recursion's formula: what it begins with, and what comes later."""
    first, condition = beginning
    return sp.Piecewise((first, condition), (later, True))


def exchanged(board: Board, name: str, formula: Any) -> tuple[Any, Any]:
    """A variant's definition: of a known name, or of a new one as ``(indices, formula)``."""
    if name not in board.definitions:
        indices, formula = formula
        indices = tuple(indices) if isinstance(indices, (tuple, list)) else (indices,)
        return (sp.IndexedBase(name, real=True)[indices] if indices else sp.Symbol(name, real=True)), sp.sympify(
            formula
        )
    lhs = board.definitions[name].lhs
    symbol = lhs.base if indices_of(lhs) else lhs
    if isinstance(formula, tuple):
        first, later = formula
        return lhs, recursion((first, board.beginnings[name][1]), _of(symbol, later))
    body = _of(symbol, formula)
    return lhs, recursion(board.beginnings[name], body) if name in board.beginnings and callable(
        formula
    ) and not isinstance(formula, sp.Basic) else body


def _of(symbol: Any, formula: Any) -> Any:
    return sp.sympify(formula(symbol) if callable(formula) and not isinstance(formula, sp.Basic) else formula)


def wider(domain: Domain) -> Domain:
    """A domain with its limits gone: what the audit puts in its place. A mask may leave out all of a row."""
    if domain.mask:
        return replace(domain, some=False)
    wide = replace(domain, low=float("-inf"), high=float("inf"), open_low=False, open_high=False)
    return replace(wide, simplex=False, covers="")


def wider_structure(domain: Structural) -> Structural:
    """A graph of any kind, or a size from 0 on."""
    if isinstance(domain, Graph):
        return replace(domain, connected=False, directed=True, loops=True)
    if isinstance(domain, Size):
        return replace(domain, low=0, closed=False)
    if isinstance(domain, Choice):
        return domain
    return replace(domain, low=0)

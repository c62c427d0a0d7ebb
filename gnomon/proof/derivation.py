"""Derivations: proofs as data, in small steps, each checked in two ways and seen to reject wrong formulas.

A step says by which rule ``before`` becomes ``after``. One certificate is symbolic: normal forms and SymPy.
The other encloses both sides in Arb balls at exact points, which include the degenerate ones. Both must
accept the step, and both must refuse every wrong right-hand side: those made here (``-after``, ``2*after``,
``after + 1``) and those that the step lists. A step at which nothing could be compared is not proved.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import sympy as sp

from gnomon.proof.algebra import ALGEBRA, Rule, parts
from gnomon.proof.calculus import CALCULUS
from gnomon.proof.enclosure import OutOfDomain, Undecided
from gnomon.proof.indexed import collapse, opaque, peel_first, peel_last, relabel, same
from gnomon.proof.inference import INFERENCE
from gnomon.proof.sample_points import Point, atoms_of, points

__all__ = [
    "Derivation", "Proof", "Step", "StepResult", "check_step", "cite", "collapse", "define", "opaque",
    "peel_first", "peel_last", "prove", "relabel", "same",
]  # fmt: skip

RULES: dict[str, Rule] = {**ALGEBRA, **CALCULUS, **INFERENCE}
UNCHECKED = ("define", "cite")
Lift = Literal["pointwise", "coordinate", "relabel", "block", "mode", "induction", "gaussian"]
LIFTS = get_args(Lift)
LEAST = 4  # points that must have been compared, unless there are not so many
MOST = 60  # points tried


@dataclass(frozen=True)
class Step:
    """One step of a proof.

    Args:
        rule: how ``before`` becomes ``after``; see :mod:`gnomon.proof.algebra`, :mod:`gnomon.proof.calculus` and
            :mod:`gnomon.proof.inference`.
        why: words for the reader.
        by: what the rule needs, as a tuple: the variables, the substitutions, the points.
        wrong: further right-hand sides that must be refused, such as the formula as the notes print it.
        assume: relationals that hold besides the symbols' own assumptions, such as ``b < 1``. An equation
            ``Eq(d[i], Sum(A[i, j], ...))`` or ``Eq(Sum(p[i], ...), 1)`` is put in, and made true at the points.
    """

    rule: str
    before: Any
    after: Any
    why: str = ""
    by: Any = ()
    wrong: tuple[Any, ...] = ()
    assume: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.rule not in RULES and self.rule not in UNCHECKED:
            raise ValueError(f"no rule {self.rule!r}; the rules are {', '.join((*UNCHECKED, *RULES))}")
        if self.rule == "cite" and not self.why:
            raise ValueError("a cited theorem needs its name in why")
        for name in ("by", "wrong", "assume"):
            given = getattr(self, name)
            object.__setattr__(self, name, _frozen(given if isinstance(given, (tuple, list)) else (given,)))
        for name in ("before", "after"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    def to_data(self) -> dict[str, str]:
        """The step as strings that ``sympy.sympify`` reads again, for a checker of another make.

        Symbols carry their assumptions with them; functions, for which SymPy does not write them, do not.
        """
        data = {"rule": self.rule, "why": self.why, "before": _text(self.before), "after": _text(self.after)}
        return data | {name: _text(getattr(self, name)) for name in ("by", "wrong", "assume")}


@dataclass(frozen=True)
class Derivation:
    """The steps of a proof, for which sizes they hold, and the argument that lifts them to the claim, if any.

    A lift is not checked: it is named so that the reader sees what was left to trust.
    """

    steps: tuple[Step, ...]
    scope: str = "every size"
    lift: Lift | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if self.lift is not None and self.lift not in LIFTS:
            raise ValueError(f"no lift {self.lift!r}; the lifts are {', '.join(LIFTS)}")
        if not self.scope:
            raise ValueError('scope says for what it is proved: "every size", or "d = 1, 2, 3"')


@dataclass(frozen=True)
class StepResult:
    """What a check showed: ``points`` compared, wrong right-hand sides ``rejected`` by both certificates."""

    rule: str
    ok: bool
    symbolic: bool | None
    points: int
    rejected: int
    cited: bool
    message: str
    seconds: float


@dataclass(frozen=True)
class Proof:
    """A checked derivation. ``ok`` says that no step failed; ``trust`` says what that shows."""

    steps: tuple[StepResult, ...]
    ok: bool
    trust: str
    seconds: float


def cite(theorem: str, statement: Any = sp.true) -> Step:
    """A theorem that is leant on and not checked."""
    return Step("cite", statement, sp.true, why=theorem)


def define(symbol: Any, meaning: Any, why: str = "") -> Step:
    """What a symbol stands for. Nothing is checked, and it does not count as a step of the proof."""
    return Step("define", symbol, meaning, why=why)


def prove(derivation: Derivation, seed: int = 0) -> Proof:
    """Check every step."""
    start = time.perf_counter()
    results = tuple(check_step(step, seed) for step in derivation.steps)
    ok = all(result.ok for result in results)
    cited = sum(result.cited for result in results)
    if not ok:
        trust = "not proved"
    elif all(result.symbolic is None for result in results):
        trust = "tested only"
    else:
        trust = f"steps checked for {derivation.scope}" + (
            f", citing {cited} theorem{'s' * (cited > 1)}" if cited else ""
        )
    return Proof(results, ok, trust, time.perf_counter() - start)


def check_step(step: Step, seed: int = 0) -> StepResult:
    """Check one step by both certificates, and both certificates by wrong right-hand sides.

    Nothing is raised: an error within a check is a failed step, and the message says what it was.
    """
    start = time.perf_counter()

    def result(ok: bool, symbolic: bool | None, points: int, rejected: int, message: str) -> StepResult:
        seconds = time.perf_counter() - start
        return StepResult(step.rule, ok, symbolic, points, rejected, step.rule == "cite", message, seconds)

    if step.rule in UNCHECKED:
        return result(True, None, 0, 0, "")
    rule = RULES[step.rule]
    try:
        method, note = rule.symbolic(step, rule.right(step), "")
    except Exception as error:  # whatever SymPy makes of a step, the proof goes on with the next
        return result(False, False, 0, 0, f"the symbolic check failed: {_told(error)}")
    try:
        compared, complaint = _compare(rule, step, seed)
        kept = [] if complaint or not method else _not_rejected(rule, step, method, compared)
    except Exception as error:  # likewise
        return result(False, bool(method), 0, 0, f"the numeric check failed: {_told(error)}")
    unshown = f"not shown symbolically: {note}" if note else "not shown symbolically"
    problems = ([] if method else [unshown]) + [complaint] * bool(complaint) + kept
    rejected = len(rule.wrong(step)) - len(kept) if method and not complaint else 0
    message = "; ".join(problems or [f"by {', '.join(dict.fromkeys(method.split(', ')))}", *filter(None, [note])])
    return result(not problems, bool(method), len(compared), rejected, message)


def _compare(rule: Rule, step: Step, seed: int) -> tuple[list[Point], str]:
    """The points at which both sides agree, and what is wrong: a point where they do not, or too few."""
    atoms = atoms_of(parts((step.before, step.after, step.by, step.wrong, step.assume)))
    drawn = points(atoms, (*step.assume, *rule.assume(step)), rule.ranges(step), seed, rule.symmetric(step))
    right = rule.right(step)
    compared: list[Point] = []
    seen: set[str] = set()
    draws = 0
    for point in itertools.islice(drawn, MOST):
        if point is None:
            continue
        if atoms.whole:
            if str(point.values) in seen:
                continue
            seen.add(str(point.values))
        verdicts = [(there, _verdict(rule, step, right, there)) for there in rule.spread(step, point)]
        for there, verdict in verdicts:
            if verdict is False:
                return compared, f"the two sides differ {_where(there)}"
        compared += [there for there, verdict in verdicts if verdict]
        draws += any(verdict for _, verdict in verdicts)
        if draws >= rule.draws:
            break
    least = min(LEAST, rule.draws, max(1, len(seen)) if atoms.whole else LEAST)
    few = "" if len(compared) >= least else f"compared at {len(compared)} points, at least {least} are needed"
    return compared, few


def _verdict(rule: Rule, step: Step, after: Any, point: Point) -> bool | None:
    try:
        return rule.numeric(step, after, point)
    except (OutOfDomain, Undecided):
        return None


def _not_rejected(rule: Rule, step: Step, method: str, compared: Iterable[Point]) -> list[str]:
    """A complaint for each wrong right-hand side that a certificate does not refuse."""
    found = []
    for wrong in rule.wrong(step):
        by = ["symbolic"] if _shown(rule, step, wrong, method) else []
        by += [] if any(_verdict(rule, step, wrong, point) is False for point in compared) else ["numeric"]
        if by:
            found.append(f"the {' and the '.join(by)} check does not refuse the wrong {wrong}")
    return found


def _shown(rule: Rule, step: Step, wrong: Any, method: str) -> bool:
    try:
        return bool(rule.symbolic(step, wrong, method)[0])
    except Exception:  # a formula that the rule cannot even read is not shown
        return False


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def _where(point: Point) -> str:
    values = [f"{name} = {value}" for name, value in sorted(point.values.items()) if not callable(value)]
    return f"at {', '.join(values)}" if values else "at a point"


def _frozen(value: Any) -> Any:
    """Plain numbers as SymPy's, lists and dictionaries as tuples, so that a step is a constant."""
    if isinstance(value, Mapping):
        return tuple((_frozen(key), _frozen(item)) for key, item in value.items())
    if isinstance(value, (tuple, list)):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, sp.MatrixBase):
        return value.as_immutable()
    return sp.sympify(value) if isinstance(value, (int, float)) or value is None else value


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_text, value)) + ("," if len(value) == 1 else "") + ")"
    return repr(value) if isinstance(value, str) else str(sp.srepr(value))

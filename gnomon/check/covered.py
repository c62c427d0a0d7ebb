"""What a verdict covers, read off what was drawn and compared, and what was not looked at, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import torch

from gnomon.check.contract.modes import Modes
from gnomon.check.gradients import wants_gradient
from gnomon.check.strategies import Example
from gnomon.check.switches import environment
from gnomon.check.task import Outcome, Task
from gnomon.say import arguments as a
from gnomon.say import chain as p
from gnomon.say.claim import Claim
from gnomon.say.domain import Choice, Size, Sizes
from gnomon.say.evidence import Covered, in_ranges

BY_DESIGN = {
    "NaN and infinities as inputs": "they are no real numbers: nothing is claimed of them",
}
"""What no check looks at."""


def covered(task: Task, outcome: Outcome) -> Covered:
    """What the search of a task has looked at so far."""
    claim, examples = task.claim, outcome.looked_at
    sizes, choices, graphs = _structures(claim, examples)
    hosts = {domain.name: [example.host[domain.name] for example in examples] for domain in claim.inputs if domain.host}
    found = Covered(
        sizes=sizes,
        choices=choices,
        numbers={name: tuple(sorted({min(values), max(values)})) for name, values in hosts.items() if values},
        graphs=graphs,
        modes=_modes(task),
        derivatives=_derivatives(claim, outcome),
        noise=_noise(claim),
        environment=environment(task.device) | ({"torch.compile": task.compiler} if task.compiler else {}),
    )
    found.not_looked_at = _missed(task, outcome, found)
    return found


def not_asked_for(device: str, dtypes: Sequence[str], known: Iterable[str], compiler: str = "") -> dict[str, str]:
    """What a run leaves out since nobody asked for it, and what no run looks at."""
    missing = [name for name in known if name not in dtypes]
    found = {"dtypes " + ", ".join(missing): "not asked for with --dtype"} if missing else {}
    if not device.startswith("cuda"):
        found["CUDA"] = "not asked for with --device" if torch.cuda.is_available() else "there is none here"
    if not compiler:
        found["torch.compile"] = "not asked for with --compile: the subject is run as it is"
    return found | BY_DESIGN


def _structures(
    claim: Claim, examples: Sequence[Example]
) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[str, ...]], dict[str, int]]:
    drawn = {domain.name: [example.structure[domain.name] for example in examples] for domain in claim.structure}
    sizes: dict[str, tuple[int, ...]] = {}
    choices: dict[str, tuple[str, ...]] = {}
    graphs: dict[str, int] = {}
    for domain in claim.structure:
        values = drawn[domain.name]
        if isinstance(domain, Size):
            sizes[domain.name] = tuple(sorted(set(values)))
        elif isinstance(domain, Sizes):
            sizes[domain.name] = tuple(sorted({width for widths in values for width in widths}))
        elif isinstance(domain, Choice):
            choices[domain.name] = tuple(label for label in domain.options if label in values)
        else:
            graphs[domain.name] = len({json.dumps(value) for value in values})
    return sizes, choices, graphs


def _parts(claim: Claim) -> list[a.Part]:
    return [] if claim.call is None else list(claim.call.parts())


def _modes(task: Task) -> tuple[str, ...]:
    """The modes of a module, of which only those that are said are known."""
    if not (isinstance(task.subject, type) and issubclass(task.subject, torch.nn.Module)):
        return ()
    said = {"train" if part.training else "eval" for part in _parts(task.claim) if isinstance(part, p.Loaded)}
    if task.claim.call is None:
        said = {str(task.claim.options.get("mode", "train"))}
    return tuple(sorted(said, reverse=True))


def _derivatives(claim: Claim, outcome: Outcome) -> tuple[str, ...]:
    found = ["first"] if outcome.gradient is not None and outcome.gradient.points else []
    slopes = [part for part in _parts(claim) if isinstance(part, (p.Gradient, p.Jacobian))]
    twice = [part for part in slopes if any(inner in slopes for inner in list(a.walk(part))[1:])]
    found += ["first, as what is shown"] if len(slopes) > len(twice) else []
    return tuple(found + (["second, as what is shown"] if twice else []))


def _noise(claim: Claim) -> tuple[str, ...]:
    drawn = [str(each) for part in _parts(claim) if isinstance(part, a.Draws) for each in part.noise]
    return tuple(dict.fromkeys(drawn))


def _beyond(claim: Claim, outcome: Outcome, found: Covered) -> dict[str, str]:
    """Sizes beyond those that were looked at, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for domain in claim.structure:
        if isinstance(domain, (Size, Sizes)) and found.sizes[domain.name] and not getattr(domain, "closed", False):
            most = max(domain.high, *found.sizes[domain.name])
            why = outcome.unreached.get(domain.name, "none was drawn")
            reasons.setdefault(why, []).append(f"{domain.name} above {most}")
    return {f"sizes {', '.join(names)}": why for why, names in reasons.items()}


def _missed(task: Task, outcome: Outcome, found: Covered) -> dict[str, str]:
    claim = task.claim
    missed = _beyond(claim, outcome, found) | outcome.underived
    for domain in claim.structure:
        if isinstance(domain, Size) and found.sizes[domain.name]:
            drawn = found.sizes[domain.name]
            between = set(range(domain.low, max(domain.high, *drawn) + 1)) - set(drawn)
            if between:
                missed[f"{domain.name} = {in_ranges(between)}"] = "not drawn in this run"
        elif isinstance(domain, Choice):
            absent = [label for label in domain.options if label not in found.choices[domain.name]]
            if absent:
                missed[f"{domain.name} = {', '.join(absent)}"] = "not drawn in this run"
    if len(found.modes) == 1 and Modes.name not in outcome.search.contract:
        other, own = ("evaluation", "training") if found.modes == ("train",) else ("training", "evaluation")
        missed[f"{other} mode"] = f"the claim is about {own}"
    if "first" not in found.derivatives:
        missed["gradients"] = _why_no_gradient(task, outcome)
    if not any(word.startswith("second") for word in [*found.derivatives, *outcome.search.contract]):
        missed["second derivatives"] = "the claim shows none"
    return missed


def _why_no_gradient(task: Task, outcome: Outcome) -> str:
    if wants_gradient(task):
        return "the search ended before one was compared" if outcome.failure else "nothing was compared"
    if task.claim.relation is not None:
        return "an inequality has no derivative to compare with"
    if not task.claim.gradient:
        return "the claim leaves them out"
    if task.driver.gradient == "none":
        return "what is shown is outside of autograd"
    return "there is no tensor of real numbers to differentiate by"


def alike(arguments: Mapping[str, str]) -> dict[str, str]:
    """Arguments of the subject that no claim looks at, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for name, why in arguments.items():
        reasons.setdefault(why, []).append(name)
    return {f"argument{'s' * (len(names) > 1)} {', '.join(names)}": why for why, names in reasons.items()}

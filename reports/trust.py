"""The part of the page that says where the evidence comes from and what a reader has to trust."""

from __future__ import annotations

from datetime import datetime

from gnomon.reports.markup import Markup, h, join, number, plural, table
from gnomon.reports.summary import LABELS, Report
from gnomon.say.evidence import Run

MEANINGS = (
    ("holds", "every comparison lay within its derived budget. A search, not a proof about the program."),
    ("fails", "an input was found where program and formula differ by more than rounding allows."),
    ("not callable here", "the program takes other arguments or has other names. Bind them; nothing was compared."),
    ("undecided", "nothing could be compared, or too much had to be excused. It never counts as holding."),
    (LABELS["definition"], "law and program are the same formula: there is nothing to prove."),
    (LABELS["proved"], "the proof leads the law and the program together, for all sizes at once."),
    (LABELS["proved for"], "so, for the sizes that are named, and for no others."),
    (LABELS["citing"], "so, leaning on a theorem of the literature at the link that names it."),
    (LABELS["tested"], "the law has no proof here; programs are searched all the same."),
    (LABELS["unlinked"], "each step of a derivation is checked, but nothing ties them to what is stated."),
)


def machine_of(run: Run) -> str:
    """The machine of a run in words."""
    machine = dict(run.machine)
    cores = machine.pop("cores", None)
    words = [machine.pop("cpu", None), f"{cores} cores" if cores else None]
    words += [f"{name} {value}" for name, value in machine.items() if value]
    return ", ".join(str(word) for word in words if word)


def time_of(run: Run) -> str:
    """When a run was started: to the minute, where it is written as ISO 8601."""
    try:
        return f"{datetime.fromisoformat(run.started):%Y-%m-%d %H:%M %Z}".strip()
    except ValueError:
        return run.started


def provenance(report: Report) -> Markup:
    """The runs, what is trusted, and what the words mean."""
    dash = "\u2013"
    runs: list[list[object]] = []
    for run in report.runs:
        versions = ", ".join(f"{name} {version}" for name, version in run.versions.items() if version)
        command = h("code", run.command) if run.command else dash
        seed = dash if run.seed is None else str(run.seed)
        row = [time_of(run), command, machine_of(run), versions, seed, number(run.K), run.budget]
        runs.append([cell or dash for cell in row])
    headings = ["started", "command", "machine", "versions", "seed", "K", "search"]
    caption = "Runs that gave this evidence"
    listed = table(headings, runs, "runs", caption) if runs else h("p", "No run is recorded in these files.")
    trusted = h("div", h("h3", "What is trusted"), h("ul", *(h("li", words) for words in _trusted(report))))
    meanings = h("dl", *(join(h("dt", word), h("dd", text)) for word, text in MEANINGS))
    meant = h("div", h("h3", "What the words mean"), meanings)
    boxes = h("div", trusted, meant, class_="trusted")
    return h("section", h("h2", "Provenance and trust"), listed, boxes, id="trust")


def _trusted(report: Report) -> list[str]:
    proofs = [claim.proof for claim in report.claims if claim.proof]
    cited = sum(step.cited for proof in proofs for step in proof.steps)
    lifts = sorted({proof.lift for proof in proofs if proof.lift})
    believed = [
        "That each statement says what was meant: read it, with its conditions.",
        "SymPy's rewriting, where a step is shown symbolically; Arb's ball arithmetic, where points are.",
        "Running error bounds: an error of up to K times the bounds in the dtype and in float64 is accepted.",
        "Python, PyTorch, and the machine that ran them.",
    ]
    if cited:
        believed.append(f"{plural(cited, 'step')} cited from the literature, marked where they stand.")
    if lifts:
        believed.append(f"The lifts from an algebraic kernel to its statement: {', '.join(lifts)}.")
    return believed

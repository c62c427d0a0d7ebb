"""Theorems are made in the files of rules alone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RULES = {
    "calculus_rules", "equality", "expectation", "extremes", "goals", "inequality", "integral", "lemmas", "limit",
    "second_order",
    "tangent", "theory", "xlogy",
}  # fmt: skip
"""The files of rules: they alone make theorems."""


def makers(source: str) -> list[int]:
    """The lines that make theorems by hand, or reach for what it takes: the maker, the key, the seal."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = (
            [a.name for a in node.names]
            if isinstance(node, ast.ImportFrom) and "theorem" in (node.module or "")
            else []
        )
        if isinstance(node, ast.Attribute):
            names = [node.attr] if node.attr in ("_KEY", "_sealed") else []
            names += ["made"] if node.attr == "made" and ast.unparse(node.value).endswith("theorem") else []
        if isinstance(node, ast.Constant) and node.value in ("_KEY", "_sealed"):
            names = [node.value]
        found += [node.lineno] if {"made", "_KEY", "_sealed", "*"} & set(names) else []
    return found


def test_rules_alone_make_theorems():
    for path in sorted(p for room in ("gnomon", "derivations") for p in (ROOT / room).rglob("*.py")):
        if path.parent.name == "proof" and (path.stem in RULES or path.stem == "theorem"):
            continue
        assert not makers(path.read_text()), path


@pytest.mark.parametrize(
    "source",
    [
        "from gnomon.proof.theorem import made",
        "from gnomon.proof.theorem import *",
        "from gnomon.proof.theorem import _KEY as k",
        "import gnomon.proof.theorem\ngnomon.proof.theorem.made(None, 'r', 1, '=', 0)",
        "from gnomon.proof import theorem\ntheorem._KEY",
        "from gnomon.proof import theorem\ngetattr(theorem, '_KEY')",
    ],
)
def test_the_fence_sees_who_makes_theorems(source):
    assert makers(source)

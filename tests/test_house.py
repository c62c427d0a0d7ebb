"""The house rules that a machine can check, on every file that git tracks or would track."""

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 400  # lines
TOLERANCES = {"rtol", "atol", "abs_tol", "rel_tol"}
JUDGING = ("derivations", "gnomon", "property_tests", "tests", "benchmarks")

# These, and the breaches planted below, are spelt so that this file keeps its own rules.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w")
LEFT_UNDONE = re.compile(r"\b(?:TO[D]O|FIX[M]E)\b")


def _lines_matching(pattern: re.Pattern[str], text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


def machine_paths(name: str, text: str) -> list[str]:
    """Report paths that exist on somebody's machine only."""
    return [f"{name}:{line}: names a path of a machine" for line in _lines_matching(MACHINE_PATH, text)]


def left_undone(name: str, text: str) -> list[str]:
    """Report notes to oneself."""
    return [f"{name}:{line}: left undone" for line in _lines_matching(LEFT_UNDONE, text)]


def too_long(name: str, text: str) -> list[str]:
    """Report code files that hold more than one thing."""
    length = len(text.splitlines())
    return [f"{name}: {length} lines"] if name.endswith((".py", ".js", ".css")) and length > LONGEST else []


def typed_in_tolerances(name: str, text: str) -> list[str]:
    """Report calls with a number for a tolerance: budgets are derived. (An ODE solver takes its own.)"""
    if not name.endswith(".py") or name.split("/")[0] not in JUDGING:
        return []
    found = []
    for call in ast.walk(ast.parse(text, name)):
        if not isinstance(call, ast.Call):
            continue
        function = ast.unparse(call.func).split(".")[-1]
        called = ast.unparse(call.args[0]) if call.args and function.lower() == "call" else function  # a claim's call
        names = TOLERANCES | ({"rel", "abs"} if function == "approx" else set())
        for keyword in call.keywords:
            number = any(
                isinstance(part, ast.Constant) and type(part.value) in (int, float) for part in ast.walk(keyword.value)
            )
            if keyword.arg in names and number and "odeint" not in called:
                found.append(f"{name}:{call.lineno}: {ast.unparse(keyword)} is typed in")
    return found


RULES: list[Callable[[str, str], list[str]]] = [machine_paths, left_undone, too_long, typed_in_tolerances]


def _texts() -> dict[str, str]:
    """Return the text files of the repository, the new ones included, by name."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts[name] = content.decode("utf-8")
    return texts


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_kept(rule: Callable[[str, str], list[str]]) -> None:
    texts = _texts()
    assert "pyproject.toml" in texts
    found = [problem for name, text in texts.items() for problem in rule(name, text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (machine_paths, "docs/a.md", "see /" + "home/ada/notes"),
        (machine_paths, "gnomon/a.py", "PATH = '/" + "work/main'"),
        (left_undone, "gnomon/a.py", "x = 1  # TO" + "DO later"),
        (too_long, "gnomon/a.py", "x = 1\n" * (LONGEST + 1)),
        (typed_in_tolerances, "tests/a.py", "assert_close(a, b, rtol=1e-5)"),
        (typed_in_tolerances, "tests/a.py", "torch.allclose(a, b, atol=-0.1)"),
        (typed_in_tolerances, "gnomon/a.py", "math.isclose(a, b, rel_tol=10 * eps)"),
        (typed_in_tolerances, "benchmarks/a.py", "a == pytest.approx(b, abs=1e-3)"),
        (typed_in_tolerances, "property_tests/a.py", "check(abs_tol=1 if half else 0)"),
    ],
)
def test_a_planted_breach_is_reported(rule: Callable[[str, str], list[str]], name: str, text: str) -> None:
    assert rule(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docs/a.md", "https://example.org/home/page, ./work/a and the method of Root/Home"),
        ("gnomon/a.py", "x = 1\n" * LONGEST),
        ("docs/a.md", "a line\n" * (LONGEST + 1)),
        ("tests/a.py", "solution = odeint(f, y, t, rtol=1e-9, atol=1e-9)"),
        ("derivations/a.py", "c.call('ode.odeint', f, y, t, atol=1e30)"),
        ("tests/a.py", "assert_close(a, b, rtol=budget, atol=bound.atol)"),
        ("reference/a.py", "def odeint(f, y, t, *, rtol=1e-7, atol=1e-9): ..."),
    ],
)
def test_what_is_lawful_is_not_reported(name: str, text: str) -> None:
    assert [problem for rule in RULES for problem in rule(name, text)] == []


def make_targets(makefile: str) -> dict[str, str]:
    """Return the targets that a user may call, with their words in ``make help``."""
    return dict(re.findall(r"^([a-z]+):.*?## (.+)$", makefile, re.MULTILINE))


def make_commands(markdown: str) -> set[str]:
    """Return the targets that code in ``markdown``, in a block or in a line, asks make for."""
    code = re.findall(r"```.*?```|`[^`\n]+`", markdown, re.DOTALL)
    return {target for piece in code for target in re.findall(r"\bmake +([a-z][\w-]*)", piece)}


def test_make_has_every_target_that_the_readme_names() -> None:
    targets = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    named = make_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert named, "README.md names no command"
    assert named <= set(targets)


def test_every_target_of_make_explains_itself() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(make_targets(makefile)) == set(phony.split())
    assert len(phony.split()) <= 8


def test_commands_are_found_in_code_only() -> None:
    text = "To make sure, run `make verify`:\n\n```sh\nmake test ARGS=-x\n$ make lint\n```\nand make merry.\n"
    assert make_commands(text) == {"verify", "test", "lint"}

"""Every target of the Makefile, and what runs on every change, in a folder whose name holds spaces.

The programs that the targets start are stand-ins, which write down how they were called.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("python", "gnomon", "pytest", "ruff", "mypy")
STAND_IN = """#!/usr/bin/env bash
{ printf '%s|' "${0##*/}" "$@"; printf '%s\\n' "$PWD"; } >> "$CALLS"
case "${0##*/} $*" in
  mypy*) echo "Success: no issues found in $(find ../../gnomon ../../reports -name '*.py' | wc -l) source files" ;;
  pytest*) echo "==== 1 passed in 0.01s ====" ;;
  *--target*) mkdir -p build/tree ;;
esac
"""
# `python -m venv FOLDER`: its programs are stand-ins, too
INTERPRETER = """#!/usr/bin/env bash
if [ "$1" = -m ] && [ "$2" = venv ]; then
  mkdir -p "$3/bin"
  for name in python gnomon pytest ruff mypy; do cp "$STAND_IN" "$3/bin/$name"; done
fi
"""


@pytest.fixture
def started(tmp_path):
    """A function that starts a command in a copy whose path has spaces; it returns the calls of the stand-ins."""
    root, tools = tmp_path / "a path  with spaces", tmp_path / "the tools"
    tools.mkdir()
    for name, text in (("python", INTERPRETER), ("stand_in", STAND_IN)):
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    shutil.copytree(ROOT / ".ci", root / ".ci")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, root)
    for room in ("gnomon", "reports"):
        (root / room).mkdir()
        (root / room / "module.py").touch()
    environment = {name: value for name, value in os.environ.items() if name not in ("VENV", "OUT", "ARGS", "PIP_ARGS")}
    environment |= {
        "PYTHON": str(tools / "python"),
        "STAND_IN": str(tools / "stand_in"),
        "CALLS": str(tmp_path / "calls"),
    }

    def run(*command, **more):
        done = subprocess.run(command, cwd=root, env=environment | more, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        calls = [line.split("|") for line in (tmp_path / "calls").read_text(encoding="utf-8").splitlines()]
        return root, [(call[0], call[1:-1], Path(call[-1])) for call in calls]

    return run


def test_verify_sets_up_checks_and_reports(started):
    root, calls = started("make", "verify")
    assert ("gnomon", ["report", str(root / "out")], root) in calls
    (checked,) = [given for name, given, _ in calls if name == "gnomon" and given[0] == "verify"]
    assert checked[:3] == ["verify", "--out", "out"]
    assert (root / ".venv" / ".stamp").is_file()
    _, again = started("make", "verify")
    assert sum(name == "python" for name, _, _ in again) == sum(name == "python" for name, _, _ in calls), "one set-up"


def test_folders_that_a_user_names_may_have_spaces_too(started, tmp_path):
    for venv, out in (("my venv", "my out"), (str(tmp_path / "far venv"), str(tmp_path / "far out"))):
        root, calls = started("make", "verify", f"VENV={venv}", f"OUT={out}")
        assert (root / venv / ".stamp").is_file()
        assert calls[-1] == ("gnomon", ["report", str(root / out)], root)
        assert calls[-2][1][:3] == ["verify", "--out", out]


@pytest.mark.parametrize(("target", "program"), [("report", "gnomon"), ("test", "pytest"), ("bench", "python")])
def test_other_targets_start_their_program(started, target, program):
    root, calls = started("make", target)
    assert calls[-1][::2] == (program, root)


def test_lint_reads_the_installed_tree(started):
    root, calls = started("make", "lint")
    name, given, folder = calls[-1]
    assert (name, folder) == ("mypy", root / "build" / "tree")
    assert given[given.index("--config-file") + 1] == str(root / "pyproject.toml")


def test_clean_and_help_need_no_set_up(started, tmp_path):
    (tmp_path / "calls").touch()
    root, calls = started("make", "clean")
    assert not calls
    started("make", "help")
    assert not (root / ".venv").exists()


def test_what_runs_on_every_change(started):
    root, calls = started(".ci/run")
    assert {name for name, _, _ in calls} == set(PROGRAMS)
    assert (root / "build" / "venv" / ".stamp").is_file()

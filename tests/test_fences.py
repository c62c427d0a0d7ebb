"""The fences between the rooms, and between the wings of the engine: who may import what (see docs/design.md).

Two kinds of check. Reading the source sees every import statement, run or not. Importing a room with modules
blocked sees what arrives through other packages. ``sympy`` can be blocked although torch lists it as a
dependency: torch imports it only on first use (``torch.compile``, symbolic shapes), not when it is imported.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import gnomon

ROOT = Path(__file__).resolve().parents[1]
ROUTES = ("gnomon.derivations", "gnomon.reference")
TWINS = ("derivations", "reference", "property_tests", "reports")


@dataclass(frozen=True)
class Fence:
    """What the modules of one room may import.

    Either the standard library and what is ``allowed``, or everything that is not ``forbidden``. Only where it is
    ``by_name`` may a room with a list of what is allowed import modules whose names are found at run time.
    """

    package: str
    allowed: tuple[str, ...] | None = None
    forbidden: tuple[str, ...] = ()
    by_name: bool = False

    def admits(self, name: str) -> bool:
        """Whether ``name``, the full name of an imported module or of something in it, may be imported."""
        if self.allowed is None:
            return not _within(name, self.forbidden)
        return name.split(".")[0] in sys.stdlib_module_names or _within(name, self.allowed)


VOCABULARY = (
    *("gnomon.say.claim", "gnomon.say.domain", "gnomon.say.maker", "gnomon.say.call", "gnomon.say.board"),
    *("gnomon.say.arguments", "gnomon.say.drawing"),
    *("gnomon.proof", "gnomon.derivations"),
)
FENCES = {
    "derivations": Fence("gnomon.derivations", allowed=("sympy", *VOCABULARY)),
    "reference": Fence("gnomon.reference", allowed=("torch",)),
    "reports": Fence("gnomon.reports", allowed=("gnomon.reports", "gnomon.say.evidence")),
    # The engine and the property tests reach both routes by name alone, found at run time.
    "gnomon": Fence("gnomon", forbidden=(*ROUTES, *TWINS, "gnomon.property_tests")),
    "property_tests": Fence("gnomon.property_tests", forbidden=(*ROUTES, *TWINS)),
}

FLOORS = (
    {"typeset": ("sympy",), "proof": ("sympy", "flint", "mpmath")},
    {"say": ("sympy",)},
    {"link": ("sympy",)},
    {"compute": ("sympy", "flint", "torch", "numpy")},
    {"drive": ("torch", "numpy")},
    {"find": ()},
    {"check": ("sympy", "torch", "numpy", "hypothesis")},
    {"run": ("torch",)},
    {"front": ("torch", "pytest", "gnomon.reports")},
)
"""The wings of gnomon/ from the bottom to the top, each with what it needs from others; imports go down alone."""

WINGS = {
    wing: Fence(
        f"gnomon.{wing}",
        allowed=(*packages, f"gnomon.{wing}", *(f"gnomon.{below}" for lower in FLOORS[:number] for below in lower)),
        by_name=wing == "find",
    )
    for number, floor in enumerate(FLOORS)
    for wing, packages in floor.items()
}


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything imported by a statement."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def _imports_by_call(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of everything imported by a function, which is given the name in place or computes it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if function in ("import_module", "__import__", "exec_module", "run_module", "run_path"):
                name = node.args[0] if node.args else None
                yield node.lineno, str(name.value) if isinstance(name, ast.Constant) else "what a name says"


def breaches(folder: Path, fence: Fence) -> tuple[int, list[str]]:
    """Read every module under ``folder``; return how many there are and which imports ``fence`` forbids."""
    files = sorted(folder.rglob("*.py"))
    found = []
    for path in files:
        inside = path.relative_to(folder).parent.parts
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        imports = list(_imports(tree, ".".join([fence.package, *inside])))
        if fence.allowed is not None and not fence.by_name:  # the other rooms may find modules by name
            imports += _imports_by_call(tree)
        for line, name in imports:
            if not fence.admits(name):
                found.append(f"{path.relative_to(folder.parent)}:{line}: imports {name}")
    return len(files), found


@pytest.mark.parametrize("room", FENCES)
def test_no_import_crosses_a_fence(room: str) -> None:
    read, found = breaches(ROOT / room, FENCES[room])
    assert read > 0, f"nothing was read in {room}/"
    assert not found, "\n".join(found)


@pytest.mark.parametrize("wing", WINGS)
def test_no_import_climbs(wing: str) -> None:
    read, found = breaches(ROOT / "gnomon" / wing, WINGS[wing])
    assert read > 1, f"nothing was read in gnomon/{wing}/"
    assert not found, "\n".join(found)


def test_the_engine_is_its_wings() -> None:
    inside = {path.name for path in (ROOT / "gnomon").iterdir() if path.name != "__pycache__"}
    assert inside == {*WINGS, "__init__.py", "__main__.py", "py.typed"}


def test_the_design_tells_the_same_wings_in_the_same_order() -> None:
    table = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("## The wings")[2].partition("\n## ")[0]
    told = [line.split("`")[1].rstrip("/") for line in table.splitlines() if line.startswith("| `")]
    assert told == [wing for floor in FLOORS for wing in floor]


def test_no_wing_has_the_name_of_a_public_function() -> None:
    """Importing a module sets its name in the package: ``gnomon.verify`` was a function once, and a module after."""
    assert set(gnomon.__all__).isdisjoint(WINGS)
    assert callable(gnomon.verify)
    assert callable(gnomon.verify), "the second time, too"


def _names_of_rooms(folder: Path) -> list[str]:
    """Report strings that name the routes or the property tests as packages."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
            if named and _within(named, (*ROUTES, "gnomon.property_tests", "property_tests")):
                found.append(path.relative_to(folder).as_posix())
    return found


def test_the_rooms_that_are_found_by_name_are_named_in_one_place() -> None:
    assert set(_names_of_rooms(ROOT / "gnomon")) == {"find/walk.py"}


def test_a_room_named_elsewhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("x = load('gnomon.property_tests.drivers')", encoding="utf-8")
    assert _names_of_rooms(tmp_path) == ["planted.py"]


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("derivations", "import torch"),
        ("derivations", "import torch.nn as nn"),
        ("derivations", "from torch import Tensor"),
        ("derivations", "def f():\n    import torch"),
        ("derivations", "try:\n    import torch\nexcept ImportError:\n    torch = None"),
        ("derivations", "import importlib\nimportlib.import_module('torch')"),
        ("derivations", "__import__('torch')"),
        ("derivations", "import numpy"),
        ("derivations", "import gnomon.reference.optim"),
        ("derivations", "from gnomon.reference import optim"),
        ("derivations", "from gnomon import reference"),
        ("derivations", "from ..reference import optim"),
        ("derivations", "from .. import reference"),
        ("derivations", "from reference.optim import Adam"),
        ("derivations", "from gnomon.property_tests import drivers"),
        ("reference", "import sympy"),
        ("reference", "import numpy as np"),
        ("reference", "from gnomon.say.claim import Claim"),
        ("reference", "from . import layers"),
        ("reference", "import gnomon.reference.layers"),
        ("reports", "import torch"),
        ("reports", "from sympy import latex"),
        ("reports", "from gnomon.say.claim import Claim"),
        ("reports", "from gnomon.say import errors"),
        ("reports", "from gnomon.check.proof_record import proof_record"),
        ("gnomon", "import gnomon.reference.optim"),
        ("gnomon", "from gnomon.derivations import optim"),
        ("gnomon", "from .reference.optim import Adam"),
        ("gnomon", "import derivations.optim"),
        ("gnomon", "def f():\n    from gnomon.property_tests.drivers import module"),
        ("property_tests", "from gnomon.reference.optim import Adam"),
        ("property_tests", "from ..derivations.optim import CLAIMS"),
    ],
)
def test_a_planted_breach_is_reported(room: str, line: str, tmp_path: Path) -> None:
    (tmp_path / room).mkdir()
    (tmp_path / room / "planted.py").write_text(line, encoding="utf-8")
    assert len(breaches(tmp_path / room, FENCES[room])[1]) == 1


@pytest.mark.parametrize(
    ("wing", "line"),
    [
        ("say", "import torch"),
        ("say", "from gnomon.compute.lower import entries"),
        ("proof", "from gnomon.say.claim import Claim"),
        ("proof", "from ..say import claim"),
        ("proof", "from gnomon.typeset.mathml import mathml"),
        ("typeset", "def f():\n    from gnomon.proof import derivation"),
        ("compute", "if TYPE_CHECKING:\n    from gnomon.drive.driver import Driver"),
        ("drive", "from gnomon.find import subjects"),
        ("find", "import gnomon.check.search"),
        ("find", "from gnomon import property_tests"),
        ("check", "def f():\n    from gnomon.property_tests.strategies import examples"),
        ("check", "def f():\n    from gnomon.run.runner import Plan"),
        ("check", "import gnomon"),
        ("check", "import importlib\nimportlib.import_module(place)"),
        ("check", "__import__('gnomon.property_tests.drivers')"),
        ("run", "from gnomon.front import api"),
        ("run", "from gnomon.reports.view import load"),
        ("front", "from gnomon import verify"),
        ("front", "from gnomon.derivations import optim"),
    ],
)
def test_a_planted_climb_is_reported(wing: str, line: str, tmp_path: Path) -> None:
    (tmp_path / wing).mkdir()
    (tmp_path / wing / "planted.py").write_text(line, encoding="utf-8")
    assert len(breaches(tmp_path / wing, WINGS[wing])[1]) == 1


@pytest.mark.parametrize(
    ("wing", "line"),
    [
        ("say", "import sympy\nfrom gnomon.proof.derivation import Derivation\nfrom . import domain"),
        ("find", "import importlib\nfrom gnomon.drive.driver import Driver\nimportlib.import_module(place)"),
        ("check", "import torch\nfrom gnomon.find import subjects\nfrom ..say.claim import Claim"),
        ("front", "def f():\n    from gnomon.reports.page import render"),
    ],
)
def test_a_way_down_is_not_reported(wing: str, line: str, tmp_path: Path) -> None:
    (tmp_path / wing).mkdir()
    (tmp_path / wing / "lawful.py").write_text(line, encoding="utf-8")
    assert breaches(tmp_path / wing, WINGS[wing]) == (1, [])


@pytest.mark.parametrize(
    ("room", "line"),
    [
        (
            "derivations",
            "import sympy\nimport fractions\nfrom gnomon.say.claim import Claim\nfrom .optim import x",
        ),
        ("derivations", "from gnomon.say import domain\nNOTE = 'import torch'  # import torch"),
        ("reference", "import math\nimport torch.nn.functional as F\nfrom torch import nn"),
        (
            "reports",
            "import html\nfrom gnomon.say.evidence import Run\nfrom gnomon.reports.page import render",
        ),
        (
            "gnomon",
            "import torch, sympy\nfrom .say import claim\nimport_module('gnomon.reference')",
        ),
        (
            "property_tests",
            "import hypothesis\nimport torch\nfrom gnomon.say import claim\nfrom .drivers import optimizer",
        ),
    ],
)
def test_a_lawful_import_is_not_reported(room: str, line: str, tmp_path: Path) -> None:
    (tmp_path / room).mkdir()
    (tmp_path / room / "lawful.py").write_text(line, encoding="utf-8")
    assert breaches(tmp_path / room, FENCES[room]) == (1, [])


IMPORT_ALL = """
import importlib, pkgutil, sys
package, *blocked = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked))
path = importlib.import_module(package).__path__
names = [module.name for module in pkgutil.walk_packages(path, package + ".")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

IMPORT_COPIES = """
import importlib.util, pathlib, sys
folder, *blocked = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked))
paths = sorted(pathlib.Path(folder).glob("*.py"))
for path in paths:
    spec = importlib.util.spec_from_file_location("copied_" + path.stem, path)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
print(len(paths))
"""


def _python(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``code`` away from the repository, whose folders would be importable under their twin names."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ("room", "blocked"),
    [
        ("derivations", ("torch", "gnomon.reference", "gnomon.property_tests")),
        ("reference", ("sympy", "gnomon.derivations", "gnomon.say")),
        ("reports", ("torch", "sympy", "numpy", "scipy", "flint", "hypothesis", "pytest")),
    ],
)
def test_a_room_does_without_the_others(room: str, blocked: tuple[str, ...], tmp_path: Path) -> None:
    done = _python(IMPORT_ALL, f"gnomon.{room}", *blocked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list((ROOT / room).rglob("*.py"))) - 1  # all but its own __init__.py


@pytest.mark.parametrize(
    ("wing", "blocked"),
    [
        ("typeset", ("torch", "flint", "hypothesis", "gnomon.proof", "gnomon.say")),
        ("proof", ("torch", "hypothesis", "gnomon.say", "gnomon.typeset")),
        ("say", ("torch", "hypothesis", "gnomon.compute")),
    ],
)
def test_the_lower_wings_do_without_torch(wing: str, blocked: tuple[str, ...], tmp_path: Path) -> None:
    done = _python(IMPORT_ALL, f"gnomon.{wing}", *blocked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list((ROOT / "gnomon" / wing).rglob("*.py"))) - 1  # all but __init__.py


def test_each_reference_file_can_be_copied_out(tmp_path: Path) -> None:
    files = [path for path in (ROOT / "reference").glob("*.py") if path.name != "__init__.py"]
    for path in files:
        shutil.copy(path, tmp_path)
    done = _python(IMPORT_COPIES, str(tmp_path), "gnomon", "sympy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(files)


def test_a_blocked_import_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "planted"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "helper.py").write_text("import statistics", encoding="utf-8")
    (package / "module.py").write_text("from planted import helper", encoding="utf-8")
    assert _python(IMPORT_ALL, "planted", cwd=tmp_path).stdout.split() == ["2"]
    assert "import of statistics halted" in _python(IMPORT_ALL, "planted", "statistics", cwd=tmp_path).stderr
    assert "import of statistics halted" in _python(IMPORT_COPIES, str(package), "statistics", cwd=tmp_path).stderr


def test_listing_the_claims_needs_no_torch(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from gnomon.front.cli import main; sys.exit(main())"
    done = _python(code, "list", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout

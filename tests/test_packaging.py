"""What a user gets: the wheel, built, installed into an empty environment and used outside the repository."""

import json
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS: dict[str, str] = PYPROJECT["tool"]["setuptools"]["package-dir"]


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Installed:
    """The wheel, the programs of the environment that holds it, and an empty folder to start them in."""

    wheel: Path
    bin: Path
    empty: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel from a copy of the sources and install it; only its dependencies are borrowed."""
    base = tmp_path_factory.mktemp("packaging")
    listed = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # a file may be deleted and not yet committed
            (base / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, base / "source" / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    _run(*pip, "wheel", *offline, "--wheel-dir", base, base / "source", cwd=base)
    (wheel,) = base.glob("*.whl")

    environment, empty = base / "environment", base / "empty"
    empty.mkdir()
    venv.create(environment, symlinks=True)
    paths = {name: Path(path) for name, path in sysconfig.get_paths(vars={"base": str(environment)}).items()}
    # Modules are found in a folder that a .pth file names; its own .pth files (editable gnomon) are not read.
    borrowed = "\n".join(sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}))
    (paths["purelib"] / "borrowed.pth").write_text(borrowed, encoding="utf-8")
    python = paths["scripts"] / "python"
    _run(*pip, "--python", python, "install", *offline, "--ignore-installed", wheel, cwd=empty)
    return Installed(wheel, paths["scripts"], empty)


def packages(root: Path) -> set[str]:
    """Every package under ``root``: the rooms and the folders in them that hold Python files."""
    return {
        ".".join([room, *path.parent.relative_to(root / folder).parts])
        for room, folder in ROOMS.items()
        for path in (root / folder).rglob("*.py")
    }


def test_the_list_of_packages_is_whole(tmp_path: Path) -> None:
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == packages(ROOT)
    (tmp_path / "gnomon" / "annexe").mkdir(parents=True)
    (tmp_path / "gnomon" / "annexe" / "__init__.py").touch()
    assert packages(tmp_path) == {"gnomon.annexe"}, "a forgotten one would be seen"


def expected_files(root: Path) -> set[str]:
    """Every file of the rooms under ``root``, sub-folders included, by its name in the wheel."""
    return {
        f"{package.replace('.', '/')}/{path.relative_to(root / folder).as_posix()}"
        for package, folder in ROOMS.items()
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    }


def _contents(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_every_room_and_nothing_else(installed: Installed) -> None:
    assert _contents(installed.wheel) == expected_files(installed.wheel.parent / "source")
    assert any(name.endswith("/licenses/LICENSE") for name in zipfile.ZipFile(installed.wheel).namelist())


def test_the_wheel_is_typed_and_holds_the_page_s_style_and_script(installed: Installed) -> None:
    contents = _contents(installed.wheel)
    assert "gnomon/py.typed" in contents
    assert {Path(name).suffix for name in contents if name.startswith("gnomon/reports/")} >= {".css", ".js"}


@pytest.mark.parametrize("forgotten", ["derivations/sub/module.py", "reports/logo.svg"])
def test_a_forgotten_file_is_noticed(forgotten: str, installed: Installed, tmp_path: Path) -> None:
    (tmp_path / forgotten).parent.mkdir(parents=True)
    (tmp_path / forgotten).touch()
    assert expected_files(tmp_path) - _contents(installed.wheel) == {f"gnomon/{forgotten}"}


IMPORT_ALL = """
import importlib, json, pkgutil, gnomon
names = [module.name for module in pkgutil.walk_packages(gnomon.__path__, "gnomon.")]
names = [name for name in names if not name.endswith("__main__")]
print(json.dumps({name: importlib.import_module(name).__file__ for name in names}))
"""


def test_every_module_can_be_imported_from_outside_the_repository(installed: Installed) -> None:
    files = json.loads(_run(installed.bin / "python", "-W", "error", "-c", IMPORT_ALL, cwd=installed.empty))
    expected = {
        name.removesuffix(".py").replace("/", ".") for name in _contents(installed.wheel) if name.endswith(".py")
    }
    expected = {name.removesuffix(".__init__") for name in expected if not name.endswith("__main__")} - {"gnomon"}
    assert set(files) == expected
    assert all(Path(file).is_relative_to(installed.bin.parent) for file in files.values()), files


def test_the_command_lists_the_claims(installed: Installed) -> None:
    assert _run(installed.bin / "gnomon", "list", cwd=installed.empty)
    assert json.loads(_run(installed.bin / "gnomon", "list", "--json", "flow.c*", cwd=installed.empty))["claims"]


@pytest.mark.parametrize("room", ["derivations", "reference", "reports"])
def test_a_room_cannot_be_imported_under_its_twin_name(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {room}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f"ImportError: import this package as gnomon.{room}" in done.stderr


def pins(text: str) -> set[str]:
    """Return the names that a constraints file pins, each by ``name==version``."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in lines), "every line must read name==version"
    return {canonicalize_name(line.split("==")[0]) for line in lines}


def needed() -> set[str]:
    """Return all that the project, its groups and the set-up need here, but for torch's CUDA packages."""
    groups = [entry for group in PYPROJECT["dependency-groups"].values() for entry in group if isinstance(entry, str)]
    todo = [Requirement(line) for line in [*PYPROJECT["project"]["dependencies"], *groups, "pip", "setuptools"]]
    names: set[str] = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and name not in names and not name.startswith(("cuda-", "nvidia-", "triton")):
            names.add(name)
            todo += [Requirement(line) for line in distribution(name).requires or ()]
    return names


def test_the_constraints_pin_all_that_is_needed_and_nothing_else() -> None:
    assert pins((ROOT / "constraints.txt").read_text(encoding="utf-8")) == needed()

"""From a subject's name to the object: the reference model, or what the user puts in its place."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.drive.bound import Bound, parse_names
from gnomon.find.walk import PROPERTY_TESTS, REFERENCE, models, modules
from gnomon.say.errors import UsageError, nearest

if TYPE_CHECKING:  # a run begins with the server that imports torch: what it waits for does not
    from gnomon.drive.driver import Driver

Implementations = Mapping[str, Any]
"""Subject name → an object, or where to find one: ``module:object`` or ``file.py:object``, with names in brackets.

A list or a tuple of them is several, which are verified one after another.
"""

FROM_FILE = "_under_test"
"""How the names end under which files are loaded: a name of their own, so that no module of that name is hidden."""


def parse_implementation(text: str) -> tuple[str, str]:
    """Split ``SUBJECT=module:object``.

    Raises:
        UsageError: if it does not look like that, or the subject is unknown.
    """
    subject, equals, place = text.partition("=")
    if not equals or ":" not in place:
        raise UsageError(f"--impl {text!r}: expected SUBJECT=module:object or SUBJECT=file.py:object")
    check_subject(subject)
    return subject, place


def check_subject(subject: str) -> None:
    """Raise a UsageError that names the nearest subjects, unless this is one."""
    known = models()
    if subject not in known:
        raise UsageError(f"no model is called {subject!r}" + nearest(subject, known))


def load(place: str) -> Any:
    """Import the object at ``module:object`` or ``file.py:object``; a file runs once for as long as it is remembered.

    ``file.py:Cell[weight_ih=x2h.weight]`` binds names of the object's own to ours.

    Raises:
        UsageError: if the file, the module or the attribute does not exist, or the import fails.
    """
    if place.endswith("]"):
        bare, _, names = place.removesuffix("]").partition("[")
        return Bound(load(bare), parse_names(names))
    where, _, attribute = place.rpartition(":")
    try:
        module = _from_file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except (UsageError, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        raise UsageError(
            f"cannot import {where!r}: there is no module {error.name!r} here; give module:object or file.py:object"
        ) from error
    except SystemExit as error:
        raise UsageError(
            f"importing {where!r} calls sys.exit({'' if error.code is None else repr(error.code)}); "
            "put what a script does under `if __name__ == '__main__':`"
        ) from error
    except BaseException as error:
        raise UsageError(f"importing {where!r} raises {type(error).__name__}: {error}") from error
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [name for name in dir(found) if not name.startswith("_")]
            raise UsageError(f"{where!r} has no {attribute!r}" + nearest(attribute, public))
        found = getattr(found, part)
    return found


def _from_file(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"there is no file {str(path)!r}; give module:object or file.py:object")
    name = f"{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}{FROM_FILE}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{str(path)!r} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def forget_files() -> None:
    """Forget the files that were loaded, so that they run again when they are asked for again."""
    for name in [name for name in sys.modules if name.endswith(FROM_FILE)]:
        del sys.modules[name]


def alternatives(given: Any) -> list[Any]:
    """What is given in a model's place, one after another; None is the model itself.

    Raises:
        UsageError: for an empty list.
    """
    if not isinstance(given, (list, tuple)):
        return [given]
    if not given:
        raise UsageError("an empty list of implementations: give at least one, or leave the subject out")
    return list(given)


def resolve(subject: str, implementations: Implementations) -> tuple[Any, str]:
    """The object to verify for a subject, and where it comes from."""
    given = implementations.get(subject)
    if given is None:
        file, _, name = subject.partition(".")
        place = f"{REFERENCE}.{file}:{name}"
        return load(place), place
    if isinstance(given, str):
        return load(given), given
    return (
        given,
        f"{getattr(given, '__module__', '?')}:{getattr(given, '__qualname__', type(given).__name__)}",
    )


def drivers() -> dict[str, Driver]:
    """Every driver: the ``DRIVERS`` of each module of property_tests/ whose name ends in ``drivers``.

    Raises:
        UsageError: if two drivers have the same name.
    """
    # Drivers that know one claim still live in the room above. Here, and nowhere else, the engine looks up to it, by
    # name; what they do belongs into drive/, which needs no name.
    found: dict[str, Driver] = {}
    for name, _ in modules(PROPERTY_TESTS):
        if name.endswith("drivers"):
            own = importlib.import_module(f"{PROPERTY_TESTS}.{name}").DRIVERS
            twice = found.keys() & own.keys()
            if twice:
                raise UsageError(f"property_tests/{name}.py: another module has a driver {', '.join(sorted(twice))}")
            found |= own
    return found


def driver_named(name: str) -> Driver:
    """The driver of that name.

    Raises:
        UsageError: if there is none.
    """
    known = drivers()
    if name not in known:
        raise UsageError(f"no driver is called {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


def check_drivable(found: Any, subject: str, looks: str, place: str) -> None:
    """Raise a UsageError unless the object can be called."""
    if not callable(found):
        raise UsageError(f"{place} is {type(found).__name__}, which cannot be driven as {subject}: expected {looks}")

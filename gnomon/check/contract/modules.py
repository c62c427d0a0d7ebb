"""What modules owe: answers that depend on arguments, parameters and buffers, and on nothing that befell them."""

from __future__ import annotations

from collections.abc import Callable

import torch

from gnomon.check.contract import replayed
from gnomon.check.contract.part import Part, Setting, Unseen, broken
from gnomon.check.contract.recorded import Creation, owned, plain

Lived = Callable[[Creation, torch.dtype, torch.device], replayed.Life]
"""What befalls the modules that are made like one, in a dtype on a device."""


class Befallen(Part):
    """A module that something befell answers as one that nothing did."""

    most = 1

    def __init__(self, name: str, life: Lived, broken: str) -> None:
        self.name = name  # type: ignore[misc]  # each instance is a part of its own
        self.life, self.broken = life, broken

    def concerns(self, at: Setting) -> bool:
        return any(each.module for each in at.creations)

    def absent(self, at: Setting) -> str:
        if not any(each.asked for each in modules(at)):
            return "nothing is asked of it as a module"
        if not all(plain((each.arguments, [vars(asked) for asked in each.asked])) for each in modules(at)):
            return "it is called within torch.func alone"
        return ""

    def look(self, at: Setting) -> None:
        dtype, device = at.case.dtype, at.case.device
        for creation in modules(at):
            if differs_alone(creation, dtype, device):
                raise Unseen("it does not answer twice alike")
            expected = replayed.answers(creation, replayed.nothing, dtype, device)
            try:
                found = replayed.answers(creation, self.life(creation, dtype, device), dtype, device)
            except Exception as error:
                raise broken(f"{self.broken}: raises {type(error).__name__}: {error}") from error
            if where := apart(creation, expected, found):
                raise broken(f"{self.broken}: {where}")


def modules(at: Setting) -> list[Creation]:
    """The modules that the driver makes and asks something of."""
    return [each for each in at.creations if each.module and each.asked][:1]


def differs_alone(creation: Creation, dtype: torch.dtype, device: torch.device) -> bool:
    """Whether two new modules answer otherwise: then no more can be said."""
    one, other = (replayed.answers(creation, replayed.nothing, dtype, device) for _ in range(2))
    return replayed.differs(one, other)


def apart(creation: Creation, expected: replayed.Shown, found: replayed.Shown) -> str:
    """What first differs, in words; or ""."""
    for asked, (answer, state), (other, kept) in zip(creation.asked, expected, found, strict=True):
        if replayed.differs(answer, other):
            return f"{asked.method} returns something else"
        for name, value in state.items():
            if replayed.differs(value, kept.get(name)):
                return f"{name} is something else after {asked.method}"
    return ""


def always(life: replayed.Life) -> Lived:
    """What befalls every module alike."""
    return lambda creation, dtype, device: life


class EvaluationKeeps(Part):
    """In evaluation a module writes to none of its buffers."""

    name = "buffers in evaluation"
    most = 1

    def concerns(self, at: Setting) -> bool:
        return any(each.module for each in at.creations)

    def absent(self, at: Setting) -> str:
        if not any(dict(each.made.named_buffers()) for each in modules(at)):
            return "it has no buffers"
        if not all(plain((each.arguments, [vars(asked) for asked in each.asked])) for each in modules(at)):
            return "it is called within torch.func alone"
        return "" if any(asked.method == "forward" for each in modules(at) for asked in each.asked) else "no forward"

    def look(self, at: Setting) -> None:
        for creation in modules(at):
            for asked in [each for each in creation.asked if each.method == "forward"]:
                module = replayed.filled(replayed.new(creation, at.case.dtype, at.case.device), asked.state).eval()
                replayed.ask(module, asked)
                for name, value in owned(module).items():
                    if replayed.differs(asked.state[name], value.detach()):
                        raise broken(f"{name} is changed in evaluation")


MODULE_PARTS: tuple[Part, ...] = (
    Befallen("module saved and loaded", replayed.saved, "answers otherwise once its state is loaded into a new module"),
    Befallen("module copied", always(replayed.copied), "answers otherwise as a deep copy"),
    Befallen("module called before", always(replayed.called_before), "answers otherwise after other calls"),
    Befallen(
        "module evaluated before", always(replayed.evaluated_before), "answers otherwise after a call in evaluation"
    ),
    Befallen("module cast before", replayed.cast_before, "answers otherwise after a call in another dtype"),
    Befallen("another module beside it", replayed.beside, "answers otherwise while another of its kind is called"),
    EvaluationKeeps(),
)
"""What is looked at for every module."""

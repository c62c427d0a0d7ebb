"""All parts of the contract, looked at in turn."""

from __future__ import annotations

from gnomon.check.contract.compiling import Compiled
from gnomon.check.contract.kept import InputsKept
from gnomon.check.contract.layouts import GradientLayouts, Layouts, RefilledStorage
from gnomon.check.contract.leading import LeadingAxis
from gnomon.check.contract.long_axis import LongAxis
from gnomon.check.contract.modes import Modes
from gnomon.check.contract.modules import MODULE_PARTS
from gnomon.check.contract.optimizer_parts import OPTIMIZER_PARTS
from gnomon.check.contract.part import Part, Setting, Unseen
from gnomon.check.contract.products import UpstreamScales
from gnomon.check.contract.second import SecondDerivatives
from gnomon.check.contract.switched import SwitchesKept
from gnomon.check.contract.twice import BetweenInstances, SameTwice
from gnomon.say.evidence import Search

PARTS: tuple[Part, ...] = (
    *(SwitchesKept(), InputsKept(), SameTwice()),
    *(Layouts(), RefilledStorage(), BetweenInstances(), Modes(), LeadingAxis(), LongAxis()),
    *(UpstreamScales(), GradientLayouts(), SecondDerivatives()),
    *(*OPTIMIZER_PARTS, *MODULE_PARTS, Compiled()),
)


def look(at: Setting, search: Search, *, early: bool) -> None:
    """Look at the parts that come before, or after, values are compared; count them, and say why others were not.

    Raises:
        SubjectError: naming what was broken.
    """
    for part in PARTS:
        if part.early != early or search.contract.get(part.name, 0) >= part.most or not part.concerns(at):
            continue
        reason = part.absent(at)
        if not reason:
            try:
                part.look(at)
            except Unseen as unseen:
                reason = unseen.reason
        if not reason:
            search.contract[part.name] = search.contract.get(part.name, 0) + 1
            search.contract_unseen.pop(part.name, None)
        elif part.name not in search.contract:
            search.contract_unseen[part.name] = reason


def settle(at: Setting, search: Search) -> None:
    """Let each part that was looked at say what all settings together show, of which this was the last.

    Raises:
        SubjectError: naming what was broken.
    """
    for part in PARTS:
        if part.name in search.contract:
            try:
                part.settle(at)
            except Unseen as unseen:
                del search.contract[part.name]
                search.contract_unseen[part.name] = unseen.reason

"""A subject answers the same question in the same way, whatever it was asked in between."""

from __future__ import annotations

from gnomon.check.contract.near import departs
from gnomon.check.contract.part import Part, Setting, broken, same, where


class SameTwice(Part):
    """Two calls with the same inputs give the same bits."""

    name = "the same answer twice"
    early = True

    def absent(self, at: Setting) -> str:
        return "" if at.case.device.type == "cpu" else f"sums on {at.case.device.type} may be added in any order"

    def look(self, at: Setting) -> None:
        first, again = at.answer, at.observer.one(at.tensors())
        for name, value in first.items():
            if not same(value, again[name]).all():
                raise broken(f"{name} differs between two calls with the same inputs")


class BetweenInstances(Part):
    """An instance answers as before after another, with other options, was made and called."""

    name = "the same answer after others were made with other options"

    def absent(self, at: Setting) -> str:
        return "" if at.earlier is not None else "it was asked in one structure"

    def look(self, at: Setting) -> None:
        assert at.earlier is not None
        before = at.earlier
        if words := departs(before, 0, before.answer, before.observer.one(before.tensors())):
            raise broken(f"{words}, before and after another was made{where(at)}: something is shared{where(before)}")

"""A subject answers the same question in the same way."""

from __future__ import annotations

from gnomon.check.contract.part import Part, Setting, broken, same


class SameTwice(Part):
    """Two calls with the same inputs give the same bits."""

    name = "the same answer twice"
    early = True

    def absent(self, at: Setting) -> str:
        return "" if at.case.device.type == "cpu" else f"sums on {at.case.device.type} may be added in any order"

    def look(self, at: Setting) -> None:
        first, again = at.observer.one(at.tensors()), at.observer.one(at.tensors())
        for name, value in first.items():
            if not same(value, again[name]).all():
                raise broken(f"{name} differs between two calls with the same inputs")

"""A subject leaves what it is given alone."""

from __future__ import annotations

from gnomon.check.contract.part import Part, Setting, broken, same


class InputsKept(Part):
    """The inputs are after a call what they were before."""

    name = "inputs are left alone"
    early = True

    def absent(self, at: Setting) -> str:
        return "" if at.batch.values else "it takes no tensor"

    def look(self, at: Setting) -> None:
        given, before = at.tensors(), at.tensors()
        at.observer.one(given)
        for name, value in before.items():
            if not same(value, given[name]).all():
                raise broken(f"changes its input {name} in place")

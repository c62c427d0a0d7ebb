"""A subject leaves the switches of its process alone."""

from __future__ import annotations

from gnomon.check.contract.part import Part, Setting, broken
from gnomon.check.switches import SWITCHES


class SwitchesKept(Part):
    """Threads, precisions, subnormal numbers: torch's switches stand after a call as they did before."""

    name = "switches are left alone"
    early = True

    def look(self, at: Setting) -> None:
        before = [(switch, switch.read()) for switch in SWITCHES]
        at.observer.one(at.tensors())
        changed = [(switch, was, is_now) for switch, was in before if (is_now := switch.read()) != was]
        for switch, was, _ in changed:
            switch.turn(was)
        if changed:
            switch, was, is_now = changed[0]
            old, new = (switch.said(value, at.case.device.type) for value in (was, is_now))
            raise broken(f"switches {switch.name} from {old} to {new} for the whole process")

"""How solvers of differential equations are called: ``odeint(func, y0, t, method=..., options=...)``, as torchdiffeq's.

The problem is the claim's, written as formulas, so that a solver can be driven on whatever a claim writes down:

- ``options["rhs"]``: the right-hand side, an output in ``t``, ``y[j]`` and the claim's other inputs;
- ``options["times"]``: the times, an output in the claim's inputs; the state is ``y0``, or zero;
- ``options["method"]``, or a choice of that name; ``options["step_size"]`` and ``options["first_step"]`` name a
  hyper-parameter, and ``options["one_step"]`` asks an adaptive method for a single step; ``options["keywords"]`` are
  passed on as they are, ``options["tolerances"]`` names the hyper-parameters that are passed on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.lower import Lowering
from gnomon.compute.running_error import values
from gnomon.drive.driver import Call, Case, Driver, Tensors
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Domain

Func = Callable[[Tensor, Tensor], Tensor]


class Formula:
    """An output that a claim's options give, lowered for a structure, as a function of tensors.

    ``names`` are those that it may use besides the claim's inputs. Values are in the dtype of the case, or in float64
    where hyper-parameters alone decide them, as Python computes them.
    """

    def __init__(self, output: Output, case: Case, *names: str) -> None:
        known = {domain.name: domain for domain in case.compiled.claim.inputs}
        extra = {name: Domain(name) for name in names}
        lowering = Lowering(case.compiled.bindings, {**known, **extra}, Program((), (output,)))
        self.nodes, self.shape = lowering.outputs((output,))[output.name]
        self.slp, self.host = lowering.slp, case.host
        dtype = torch.float64 if all(self.slp.host[node] for node in self.nodes) else case.dtype
        self.like = torch.empty((), dtype=dtype, device=case.device)

    def __call__(self, tensors: Tensors) -> Tensor:
        """The entries in a new last axis, behind the axes that the tensors have in common."""
        leaves: dict[Any, Any] = {(name, ()): value for name, value in self.host.items()}
        for node in self.slp.nodes:
            if node.op == "leaf" and node.value[0] in tensors:
                name, index = node.value
                leaves[node.value] = tensors[name][(..., *index)]
        found = values(self.slp, self.nodes, leaves, self.like)
        if not self.shape:
            return found[0]
        return torch.stack(torch.broadcast_tensors(*found), -1)  # type: ignore[no-untyped-call]


class Problem:
    """A claim's initial value problem: right-hand side, state, times and keywords, as a solver takes them."""

    def __init__(self, case: Case) -> None:
        self.case, options = case, case.options
        self.rhs, self._times = Formula(options["rhs"], case, "t", "y"), Formula(options["times"], case)
        self.keywords = {"method": options.get("method") or case.structure["method"], **options.get("keywords", {})}
        given = {name: case.host[options[name]] for name in ("step_size", "first_step") if name in options}
        if options.get("one_step"):
            ends = self._times({})
            given["first_step"] = abs((ends[-1] - ends[0]).item())
        if given:
            self.keywords["options"] = given
        self.keywords |= {name: case.host[name] for name in options.get("tolerances", ())}

    def func(self, tensors: Tensors) -> Func:
        """The right-hand side, with everything but the time and the state known."""

        def slope(t: Tensor, y: Tensor) -> Tensor:
            return self.rhs({**tensors, "t": t, "y": y}).expand_as(y)

        return slope

    def state(self, tensors: Tensors) -> Tensor:
        """The claim's ``y0``, or zeros, one row for each point of the other tensors."""
        if "y0" in tensors:
            return tensors["y0"]
        zeros = torch.zeros(len(self.rhs.nodes), dtype=self.case.dtype, device=self.case.device)
        rows = next((value.shape[:-1] for value in tensors.values() if value.dim() > 1), ())
        return zeros.expand(*rows, -1).clone()

    def times(self, tensors: Tensors) -> Tensor:
        return self._times(tensors)


class _Enough(Exception):
    """The right-hand side has been asked as often as the claim looks at."""


def ode_evaluations(subject: Any, case: Case) -> Call:
    """What an adaptive solver asks the right-hand side for in its call number ``options["call"]``, from 0.

    Outputs ``time`` and ``state``. The solver is stopped there.
    """
    problem, wanted = Problem(case), case.options["call"]

    def call(tensors: Tensors) -> Tensors:
        func, seen = problem.func(tensors), []

        def watched(t: Tensor, y: Tensor) -> Tensor:
            seen.append((t, y))
            if len(seen) > wanted:
                raise _Enough
            return func(t, y)

        with contextlib.suppress(_Enough):
            subject(watched, problem.state(tensors), problem.times(tensors), **problem.keywords)
        time, state = seen[wanted] if len(seen) > wanted else (torch.full_like(seen[-1][0], torch.nan), seen[-1][1])
        return {name: {"time": time.to(state.dtype), "state": state}[name] for name in case.shapes}

    return call


_ODEINT = (
    "a solver: odeint(func, y0, t, method=..., options=...) -> the states at the times t, with func(t, y) -> dy/dt"
)

DRIVERS: dict[str, Driver] = {
    "ode_evaluations": Driver(ode_evaluations, _ODEINT, "loop", "none"),
}

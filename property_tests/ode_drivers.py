"""How solvers of differential equations are called: ``odeint(func, y0, t, method=..., options=...)``, as torchdiffeq's.

The problem is the claim's, written as formulas, so that a solver can be driven on whatever a claim writes down:

- ``options["rhs"]``: the right-hand side, an output in ``t``, ``y[j]`` and the claim's other inputs;
- ``options["times"]``: the times, an output in the claim's inputs; the state is ``y0``, or zero;
- ``options["loss"]``: a scalar output in the states ``y[n, i]`` at those times, where a claim differentiates;
- ``options["method"]``, or a choice of that name; ``options["step_size"]`` and ``options["first_step"]`` name a
  hyper-parameter, and ``options["one_step"]`` asks an adaptive method for a single step; ``options["keywords"]`` are
  passed on as they are, ``options["tolerances"]`` names the hyper-parameters that are passed on.

In the drivers whose times are hyper-parameters the points of a batch are the rows of one state.
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
        self._loss = Formula(options["loss"], case, "y") if "loss" in options else None
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

    def loss(self, tensors: Tensors, y: Tensor) -> Tensor:
        """The claim's loss of the states (times, ..., d)."""
        if self._loss is None:
            raise ValueError("a claim that differentiates through a solver needs options['loss']")
        return self._loss({**tensors, "y": y.movedim(0, -2)})

    def solve(self, subject: Any, tensors: Tensors, **more: Any) -> Tensor:
        """The states (times, ..., d)."""
        return subject(  # type: ignore[no-any-return]
            self.func(tensors), self.state(tensors), self.times(tensors), **self.keywords, **more
        )


def ode(subject: Any, case: Case) -> Call:
    """Outputs: ``y``, the states at all times, ``end``, the last of them, or ``loss``."""
    problem = Problem(case)

    def call(tensors: Tensors) -> Tensors:
        y = problem.solve(subject, tensors)
        made = {
            "y": lambda: y.movedim(0, -2),
            "end": lambda: y[-1],
            "loss": lambda: problem.loss(tensors, y),
        }
        return {name: made[name]() for name in case.shapes}

    return call


def ode_round_trip(subject: Any, case: Case) -> Call:
    """Solve to the last time and from there back to the first; outputs ``end`` and ``back``."""
    problem = Problem(case)

    def call(tensors: Tensors) -> Tensors:
        end = problem.solve(subject, tensors)[-1]
        func, t = problem.func(tensors), problem.times(tensors)
        back = subject(func, end, t.flip(0), **problem.keywords)[-1]
        return {name: {"end": end, "back": back}[name] for name in case.shapes}

    return call


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


def _gradients(subject: Any, case: Case, adjoint: bool) -> Call:
    """The loss and its gradients, through a solver's own backward pass, or by ``odeint_adjoint``.

    Outputs: ``loss``, ``grad_t`` by the times, and ``grad_<input>``.
    """
    problem = Problem(case)
    wanted = [name.removeprefix("grad_") for name in case.shapes if name.startswith("grad_")]

    def call(tensors: Tensors) -> Tensors:
        with torch.enable_grad():
            known = {name: value.detach().clone().requires_grad_(name in wanted) for name, value in tensors.items()}
            t = problem.times(known).detach().clone().requires_grad_("t" in wanted)
            parameters = tuple(value for name, value in known.items() if value.requires_grad and name != "y0")
            more: dict[str, Any] = {"adjoint_params": parameters} if adjoint else {}
            y = subject(problem.func(known), problem.state(known), t, **problem.keywords, **more)
            loss = problem.loss(tensors, y)
            by = [t if name == "t" else known[name] for name in wanted]
            found = torch.autograd.grad(loss.sum(), by)
        made = dict(zip(wanted, found, strict=True))
        return {name: loss.detach() if name == "loss" else made[name.removeprefix("grad_")] for name in case.shapes}

    return call


def ode_gradient(subject: Any, case: Case) -> Call:
    """Backpropagation through a solver: ``loss``, ``grad_t``, ``grad_<input>``."""
    return _gradients(subject, case, adjoint=False)


def adjoint(subject: Any, case: Case) -> Call:
    """``subject(func, y0, t, method=..., adjoint_params=...)``: ``loss``, ``grad_t``, ``grad_<input>``."""
    return _gradients(subject, case, adjoint=True)


def adjoint_backward(subject: Any, case: Case) -> Call:
    """``subject(func, t0, t1, z1, a1, params, method=...) -> (z0, a0, gradients)``, with ``func(t, z, *params)``.

    Inputs ``z1``, ``a1`` and the parameters, the rest of the tensors but ``t0`` and ``t1``; outputs ``z0``, ``a0`` and
    ``grad_<parameter>``.
    """
    rhs = Formula(case.options["rhs"], case, "t", "y")
    names = [name for name in case.shapes if name.startswith("grad_")]

    def call(tensors: Tensors) -> Tensors:
        parameters = [name.removeprefix("grad_") for name in names]

        def func(t: Tensor, z: Tensor, *values: Tensor) -> Tensor:
            return rhs({**tensors, "t": t, "y": z, **dict(zip(parameters, values, strict=True))}).expand_as(z)

        z0, a0, found = subject(
            func, tensors["t0"], tensors["t1"], tensors["z1"], tensors["a1"],
            [tensors[name] for name in parameters], method=case.options.get("method") or case.structure["method"],
        )  # fmt: skip
        made = {"z0": z0, "a0": a0, **dict(zip(names, found, strict=True))}
        return {name: made[name] for name in case.shapes}

    return call


class _Saved:
    """A tensor that autograd keeps; the watch counts it for as long as it is kept."""

    def __init__(self, watch: _Watch, tensor: Tensor) -> None:
        self.watch, self.tensor = watch, tensor
        watch.add(tensor.numel())

    def __del__(self) -> None:
        self.watch.add(-self.tensor.numel())


class _Watch:
    """How many numbers autograd keeps, and the most that it kept at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def add(self, count: int) -> None:
        self.now += count
        self.most = max(self.most, self.now)


def adjoint_memory(subject: Any, case: Case) -> Call:
    """Solve and differentiate with steps of size h and of size h / N, and compare what autograd keeps.

    Output ``growth``: the most numbers kept at once with the small steps, less those with the large ones.
    """
    problem = Problem(case)

    def kept(tensors: Tensors, step_size: float) -> int:
        watch = _Watch()
        known = {name: value.detach().clone().requires_grad_() for name, value in tensors.items()}
        state = problem.state(known).detach().requires_grad_()
        parameters = tuple(value for name, value in known.items() if name != "y0")
        keywords = {**problem.keywords, "options": {"step_size": step_size}}
        with (
            torch.enable_grad(),
            torch.autograd.graph.saved_tensors_hooks(lambda x: _Saved(watch, x), lambda saved: saved.tensor),
        ):
            t = problem.times(known)
            y = subject(problem.func(known), state, t, adjoint_params=parameters, **keywords)
            torch.autograd.grad(problem.loss(known, y).sum(), [state, *parameters])
        return watch.most

    def call(tensors: Tensors) -> Tensors:
        size = case.host[case.options["step_size"]]
        growth = kept(tensors, size / case.structure["N"]) - kept(tensors, size)
        return {"growth": torch.tensor(growth, dtype=case.dtype, device=case.device)}

    return call


def rk_step(subject: Any, case: Case) -> Call:
    """``subject(func, t, h, y, tableau) -> (y1, error, last slope)``: outputs ``y1``, ``error``, ``slope``.

    ``options["tableau"]`` has ``a``, ``b``, ``c``, ``b_embedded``, ``order`` and ``fsal``.
    """
    rhs = Formula(case.options["rhs"], case, "t", "y")

    def call(tensors: Tensors) -> Tensors:
        def func(t: Tensor, y: Tensor) -> Tensor:
            return rhs({**tensors, "t": t, "y": y}).expand_as(y)

        y1, error, slope = subject(func, tensors["t0"], tensors["h"], tensors["y0"], case.options["tableau"])
        made = {"y1": y1, "error": error, "slope": slope}
        return {name: made[name].to(case.dtype) for name in case.shapes}

    return call


_ODEINT = (
    "a solver: odeint(func, y0, t, method=..., options=...) -> the states at the times t, with func(t, y) -> dy/dt"
)
_ADJOINT = "a solver with its own backward pass: odeint_adjoint(func, y0, t, method=..., adjoint_params=...) -> states"

DRIVERS: dict[str, Driver] = {
    "ode": Driver(ode, _ODEINT),
    "ode_rows": Driver(ode, _ODEINT, "leading"),
    "ode_round_trip": Driver(ode_round_trip, _ODEINT, "leading"),
    "ode_evaluations": Driver(ode_evaluations, _ODEINT, "loop", "none"),
    "ode_gradient": Driver(ode_gradient, _ODEINT, "leading", "none"),
    "adjoint": Driver(adjoint, _ADJOINT, "leading", "none"),
    "adjoint_times": Driver(adjoint, _ADJOINT, "loop", "none"),
    "adjoint_memory": Driver(adjoint_memory, _ADJOINT, "loop", "none"),
    "adjoint_backward": Driver(
        adjoint_backward, "a function: f(func, t0, t1, z1, a1, params, method=...) -> (z0, a0, gradients by params)"
    ),
    "rk_step": Driver(rk_step, "a step: f(func, t, h, y, tableau) -> (y1, error estimate, last slope)"),
}

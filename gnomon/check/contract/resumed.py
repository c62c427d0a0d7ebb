"""Optimizers that are interrupted: saved and loaded, copied, left out for a step, turned at while they run."""

from __future__ import annotations

import copy
import inspect
import io
from typing import Any

import torch
from torch import Tensor

from gnomon.check.contract.worn import Broken, Worn, alike, companion, pull, step_with


def reread(state: Any) -> Any:
    """What torch.load gives of what torch.save is given."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def spoilt(optimizer: Any) -> None:
    """Fill the state of an optimizer that is no longer used, so that whoever still reads it shows."""
    for state in optimizer.state.values():
        for value in state.values() if isinstance(state, dict) else ():
            if isinstance(value, Tensor) and value.is_floating_point():
                value.fill_(torch.nan)


class Resumed(Worn):
    """Before every step but the first its state is saved, and a new optimizer goes on from it.

    Another parameter stands before the driver's, so that a state that is handed out in another order shows.
    """

    def begin(self) -> Any:
        if not self.taken:
            self.other = companion(self.outside[0].dtype, self.outside[0].device)
        groups = self.groups()
        groups[0]["params"] = [self.other, *groups[0]["params"]]
        return self.recipe(groups if self.in_groups else groups[0]["params"])

    def take(self) -> None:
        self.other.grad = pull(self.taken, self.other)
        if self.taken:
            state = reread(self.inner.state_dict())
            spoilt(self.inner)
            self.inner = self.begin()
            self.inner.load_state_dict(state)
        self.inner.step()


class Rounded(Worn):
    """Before every step but the first its state is rounded to the parameters' dtype, as torch's loading does."""

    def take(self) -> None:
        if self.taken:
            for piece in self.everything:
                state = self.inner.state[piece]
                for name, value in state.items():
                    if isinstance(value, Tensor) and name != "step":
                        state[name] = value.to(piece.dtype)
        self.inner.step()


class Copied(Worn):
    """Before every step but the first it is copied together with its parameters, and the copy goes on."""

    itself = False

    def take(self) -> None:
        if self.taken:
            old, gradients = self.inner, [piece.grad for piece in self.everything]
            self.within, self.inner = copy.deepcopy((self.within, self.inner), {id(p): p for p in self.outside})
            for piece, gradient in zip(self.everything, gradients, strict=True):
                piece.grad = gradient  # which copies of parameters are without
            spoilt(old)
        self.inner.step()


class Skipped(Worn):
    """Before each step stands one that is left out, with infinite gradients, as where a scaled loss overflows.

    The gradients lie in one tensor all the time, as backward passes leave them; a step must not write to them, nor
    keep them.
    """

    itself = False

    def take(self) -> None:
        given = [None if piece.grad is None else piece.grad.clone() for piece in self.everything]
        for piece in self.everything:
            piece.grad = torch.full_like(piece, torch.inf)
        if hasattr(self.inner, "zero_grad"):
            none = bool(self.taken % 2)
            self.inner.zero_grad(set_to_none=none)
            if any(piece.grad is not None and (none or piece.grad.any()) for piece in self.everything):
                raise Broken(f"zero_grad(set_to_none={none}) leaves gradients")
        for piece, gradient in zip(self.everything, given, strict=True):
            if piece.grad is None or gradient is None:
                piece.grad = None if gradient is None else gradient.clone()
            else:
                piece.grad.copy_(gradient)
        held = [piece.grad for piece in self.everything]
        self.inner.step()
        for now, gradient in zip(held, given, strict=True):
            if now is not None and gradient is not None:
                if not alike(now, gradient):
                    raise Broken("its step changes the gradients")
                now.fill_(torch.nan)


class Closed(Worn):
    """Each step is given a closure, which evaluates the loss and its gradients."""

    itself = False

    def take(self) -> None:
        gradients = [None if piece.grad is None else piece.grad.clone() for piece in self.everything]
        told: list[bool] = []
        loss = torch.zeros((), dtype=torch.float64)

        def closure() -> Tensor:
            told.append(torch.is_grad_enabled())
            for piece, gradient in zip(self.everything, gradients, strict=True):
                piece.grad = None
                if told[-1] and gradient is not None:
                    piece.grad = torch.autograd.grad((piece * gradient).sum(), piece)[0]
            return loss

        for piece in self.everything:
            piece.grad = None
        found = self.inner.step(closure)
        if len(told) != 1:
            raise Broken(f"step(closure) calls the closure {len(told)} times, expected once")
        if not told[0]:
            raise Broken("step(closure) calls the closure with gradients switched off")
        if found is not loss and found != loss:
            raise Broken(f"step(closure) returns {found}, expected what the closure returns")


def takes_closure(optimizer: Any) -> bool:
    """Whether its step has room for a closure."""
    try:
        inspect.signature(optimizer.step).bind(lambda: None)
    except (TypeError, ValueError):
        return False
    return True


class RateSet(Worn):
    """It is made with another learning rate, and given the claim's before the first step."""

    def begin(self) -> Any:
        made = super().begin()
        rates = [group["lr"] for group in made.param_groups]
        groups = [{**group, **({"lr": _another(group["lr"])} if "lr" in group else {})} for group in self.groups()]
        made = self.recipe(groups if self.in_groups else groups[0]["params"], lr=_another(rates[0]))
        for group, rate in zip(made.param_groups, rates, strict=True):
            group["lr"] = rate
        return made


def _another(rate: Any) -> Any:
    return rate * 8 if rate else rate + 0.125


class AddedLater(Worn):
    """It begins with another parameter, and is given the driver's after a step."""

    def begin(self) -> Any:
        first = self.outside[0]
        options = self.recipe.options()
        made = self.recipe([other := companion(first.dtype, first.device)])
        step_with(made, other, pull(0, other))
        for group in self.groups():
            made.add_param_group({**options, **group})
        other.grad = None
        return made


class Beside(Worn):
    """Another optimizer of its kind, with other options, steps between its steps."""

    def begin(self) -> Any:
        first = self.outside[0]
        self.other = companion(first.dtype, first.device)
        self.neighbour = self.recipe([self.other], **self.recipe.changes())
        return super().begin()

    def take(self) -> None:
        step_with(self.neighbour, self.other, pull(self.taken, self.other))
        self.inner.step()
        step_with(self.neighbour, self.other, pull(self.taken + 1, self.other))

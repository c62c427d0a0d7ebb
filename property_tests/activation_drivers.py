"""How elementwise functions are differentiated, modules looked at along segments, and objects by their methods."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors
from gnomon.property_tests.drivers import Built


def elementwise(subject: Any, case: Case) -> Any:
    """``f(tensors) -> tensor``: a module class built as :class:`Built` says, or a function of the ``arguments``."""
    names = case.options.get("arguments", ("x",))
    own = inspect.unwrap(subject)
    if isinstance(own, type) and issubclass(own, nn.Module):
        made = Built(subject, case).module
        return lambda tensors: made(*(tensors[name] for name in names))
    return lambda tensors: subject(*({**case.host, **tensors}[name] for name in names))


def derivatives(subject: Any, case: Case) -> Call:
    """Derivatives by ``x`` of an elementwise function: ``options["orders"]`` gives the order of each output."""
    function = elementwise(subject, case)
    orders = case.options["orders"]

    def call(tensors: Tensors) -> Tensors:
        with torch.enable_grad():
            x = tensors["x"] if tensors["x"].requires_grad else tensors["x"].detach().requires_grad_()
            found = [function({**tensors, "x": x})]
            for _ in range(max(orders.values())):
                found.append(_derivative(found[-1], x))
        return {name: found[order] for name, order in orders.items()}

    return call


def _derivative(y: Tensor, x: Tensor) -> Tensor:
    if not y.requires_grad:
        raise SubjectError("contract", "no gradient: the output does not require grad although the input does")
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True, materialize_grads=True)
    return slope


def segment(subject: Any, case: Case) -> Call:
    """A module at ``x``, at ``z`` and at ``share * x + (1 - share) * z``, in this order; options as for "module"."""
    built = Built(subject, case)

    def call(tensors: Tensors) -> Tensors:
        x, z, share = tensors["x"], tensors["z"], tensors["share"]
        places = (x, z, share * x + (1 - share) * z)
        state = built.state(tensors)
        values = [torch.func.functional_call(built.module, state, (place,)) for place in places]
        return dict(zip(case.shapes, values, strict=True))

    return call


def made_object(subject: Any, case: Case) -> Call:
    """``subject(*build)``, a class or a function that returns an object, and what is seen of that object.

    ``options["build"]`` names the inputs; ``options["looks"]`` gives for each output the steps that lead to it, each
    an attribute, with the inputs that it is called with if it is a method.
    """
    build, looks = case.options["build"], case.options["looks"]

    def call(tensors: Tensors) -> Tensors:
        known = {**case.host, **case.structure, **tensors}
        made = subject(*(known[name] for name in build))
        return {name: _followed(made, looks[name], known) for name in case.shapes}

    return call


def _followed(found: Any, steps: tuple[tuple[str, ...], ...], known: dict[str, Any]) -> Any:
    for attribute, *arguments in steps:
        found = getattr(found, attribute)
        found = found(*(known[name] for name in arguments)) if callable(found) else found
    return found


DRIVERS: dict[str, Driver] = {
    "derivatives": Driver(derivatives, "an elementwise function, or the class of a module: f(x) -> tensor", "leading"),
    "object": Driver(made_object, "a class, or a function that returns an object: made = Subject(*tensors)"),
    "segment": Driver(segment, "a torch.nn.Module class: Module(*sizes), called with a vector"),
}

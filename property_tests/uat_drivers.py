"""How approximating networks are called: at chosen points, from knots and gaps, and with exact numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors
from gnomon.property_tests.backprop_drivers import network


def network_on_ray(subject: Any, case: Case) -> Call:
    """A network as for ``network``, called along a ray: ``along`` at c x, ``scaled`` at x with all weights times c."""
    call = network(subject, case)

    def observe(tensors: Tensors) -> Tensors:
        c = tensors["c"]
        along = call({**tensors, "x": c * tensors["x"]})["yhat"]
        return {"along": along, "scaled": call({**tensors, "Theta": c * tensors["Theta"]})["yhat"]}

    return observe


def network_at(subject: Any, case: Case) -> Call:
    """A network as for ``network``, called at the constant points of ``options["x"]``: ``yhat`` (N, n_k)."""
    call = network(subject, case)
    x = torch.tensor(case.options["x"], dtype=case.dtype, device=case.device)
    return lambda tensors: call({**tensors, "x": x})


def collapsed(subject: Any, case: Case) -> Call:
    """``subject(weights, biases) -> (Theta, b)`` for the layers of ``Theta``, ``b`` and the widths ``n``."""
    widths, biased = list(case.structure["n"]), case.structure["biases"] == "yes"

    def call(tensors: Tensors) -> Tensors:
        layers = range(len(widths) - 1)
        weights = [tensors["Theta"][l, : widths[l], : widths[l + 1]] for l in layers]
        biases = [tensors["b"][l, : widths[l + 1]] for l in layers] if biased else None
        theta, b = subject(weights, biases)
        return {"P": theta, "B": b}

    return call


def interpolant(subject: Any, case: Case) -> Call:
    """``subject(knots, values)(x)``: knots from 0 to 1 by the ``gaps`` between them.

    The values are the input ``values``, or those of the function that the structure names under ``f``.
    """
    functions = {"sine": torch.sin, "exponential": torch.exp, "square": torch.square}

    def call(tensors: Tensors) -> Tensors:
        knots = torch.cat([torch.zeros_like(tensors["gaps"][:1]), tensors["gaps"].cumsum(-1)])
        values = tensors["values"] if "values" in tensors else functions[case.structure["f"]](knots)
        return {name: subject(knots, values)(tensors["x"]) for name in case.shapes}

    return call


def corners(subject: Any, case: Case) -> Call:
    """``subject(x, lower, upper, ...)`` at the four points (P[i], Q[j]) of the plane: ``F`` (2, 2)."""
    arguments = case.options["arguments"]

    def call(tensors: Tensors) -> Tensors:
        p, q = torch.meshgrid(tensors["P"], tensors["Q"], indexing="ij")
        known = {**case.host, **tensors, "x": torch.stack([p, q], -1)}
        return {name: subject(*(known[argument] for argument in arguments)) for name in case.shapes}

    return call


def module_size(subject: Any, case: Case) -> Call:
    """``subject(*args)``, a module whose entries are counted: ``sizes``, parameter by parameter, and ``total``."""

    def call(tensors: Tensors) -> Tensors:
        with torch.random.fork_rng(devices=[]):
            made = subject(*(case.structure[name] for name in case.options["args"]))
        counts = {name: parameter.numel() for name, parameter in made.named_parameters()}
        missing = [name for name in case.options["parameters"] if name not in counts]
        if missing:
            raise SubjectError("contract", f"has the parameters {', '.join(counts)}, expected {', '.join(missing)}")
        sizes = [counts[name] for name in case.options["parameters"]]
        shown = {"sizes": sizes, "total": sum(counts.values())}
        return {name: torch.tensor(shown[name], dtype=case.dtype, device=case.device) for name in case.shapes}

    return call


def _exact(value: Any, integer: bool) -> Any:
    """A tensor as nested lists of fractions, or of whole numbers; other numbers as they are."""
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, list):
        return [_exact(entry, integer) for entry in value]
    return int(value) if integer or isinstance(value, int) else Fraction(value)


def exact_function(subject: Any, case: Case) -> Call:
    """``subject(*inputs)`` with fractions in the place of numbers, and whole numbers where the domain is whole.

    ``options["run"]`` names a whole number that is counted on from its value: one call for each entry of the output.
    """
    arguments = case.options.get("arguments", case.inputs)
    whole = {domain.name for domain in case.compiled.claim.inputs if domain.integer}
    run = case.options.get("run")

    def call(tensors: Tensors) -> Tensors:
        known = {**case.structure, **case.host, **tensors}
        given = {name: _exact(known[name], name in whole) for name in arguments}
        found = {}
        for name, shape in case.shapes.items():
            at = [{**given, run: given[run] + step} for step in range(shape[0])] if run else [given]
            results = [subject(*values.values()) for values in at]
            found[name] = _shown(results if run else results[0], case)
        return found

    return call


def _shown(value: Any, case: Case) -> Tensor:
    if isinstance(value, (list, tuple)):
        return torch.stack([_shown(entry, case) for entry in value])
    if not isinstance(value, (int, Fraction)):
        raise SubjectError("contract", f"returns {type(value).__name__}, expected an exact number: Fraction or int")
    return torch.tensor(float(value), dtype=case.dtype, device=case.device)


def superposition(subject: Any, case: Case) -> Call:
    """``subject(f, digits)((N_1, N_2), places)`` for f(x, y) = c_0 + c_1 x + c_2 y + c_3 x y, in fractions: ``y``."""
    places = case.options["places"]

    def call(tensors: Tensors) -> Tensors:
        c = _exact(tensors["c"], False)
        made = subject(lambda x, y: c[0] + c[1] * x + c[2] * y + c[3] * x * y, case.structure["k"])
        return {name: _shown(made(tuple(_exact(tensors["N"], True)), places), case) for name in case.shapes}

    return call


_MODULE = "a module class: Net((n_0, ..., n_k), activation=, output_activation=, bias=)"

DRIVERS: dict[str, Driver] = {
    "network_on_ray": Driver(network_on_ray, _MODULE),
    "network_at": Driver(network_at, _MODULE),
    "collapsed": Driver(collapsed, "a function: f(weights, biases) -> (weight, bias)"),
    "interpolant": Driver(interpolant, "a module class: Interpolant(knots, values), called with x"),
    "corners": Driver(corners, "a function of points in the plane: f(x, ...) -> tensor"),
    "module_size": Driver(module_size, "a torch.nn.Module class: Module(*sizes)", "loop", "none"),
    "exact_function": Driver(exact_function, "a function of exact numbers: f(x, ...) -> Fraction", "loop", "none"),
    "superposition": Driver(superposition, "a function: step(f, digits) -> g((N_1, N_2), places)", "loop", "none"),
}

"""Drivers for training: optimizers that run down a loss, risks, mini-batches and scalers.

What is particular to a claim it writes as formulas into its options: the gradient or the data that a subject is given.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor

from gnomon.compute.whole_numbers import Wholes
from gnomon.drive.driver import Call, Case, Driver, SubjectError, Tensors
from gnomon.property_tests.ode_drivers import Formula


def number(case: Case, expression: Any) -> int:
    """The value of a whole number that a structure decides."""
    found = Wholes(case.compiled.bindings, ()).whole(expression, {})
    if found is None:
        raise ValueError(f"{expression} is not decided by {dict(case.structure)}")
    return found


def descent(subject: Any, case: Case) -> Call:
    """``subject([theta], lr=...)``, stepped with the gradient ``options["gradient"]``, a formula in ``theta[j]``.

    Inputs: ``lr``, the start ``theta0`` (n), or ``options["start"]``, a formula for it, and whatever the formulas use.
    ``options["steps"]`` gives for each output the number of steps after which the parameter is shown.
    """
    gradient = Formula(case.options["gradient"], case, "theta")
    start = Formula(case.options["start"], case) if "start" in case.options else None
    steps = {name: number(case, case.options["steps"][name]) for name in case.shapes}

    def run(tensors: Tensors, count: int) -> Tensor:
        parameter = torch.nn.Parameter(start(tensors) if start else tensors["theta0"].clone())
        made = subject([parameter], lr=case.host["lr"])
        for _ in range(count):
            at = parameter.detach().clone()
            parameter.grad = gradient({**tensors, "theta": at}).to(at.dtype).expand_as(at).clone()
            made.step()
        return parameter.detach()

    return lambda tensors: {name: run(tensors, count) for name, count in steps.items()}


def noisy_descent(subject: Any, case: Case) -> Call:
    """The optimizer of :func:`descent` with noise in its gradient, and nothing drawn: every sign vector is run.

    ``options["gradient"]`` is a formula in the scalars ``theta`` and ``sign``; inputs ``lr`` and the scalar ``theta0``.
    Outputs: ``mean`` and ``square``, of the parameter after T steps, over the 2**T ways of the signs to fall.
    """
    gradient = Formula(case.options["gradient"], case, "theta", "sign")
    signs = torch.tensor(list(itertools.product((1.0, -1.0), repeat=case.structure["T"])))

    def call(tensors: Tensors) -> Tensors:
        rows = {name: value.unsqueeze(-1) for name, value in tensors.items()}
        ways = signs.to(rows["theta0"])
        parameter = torch.nn.Parameter(rows["theta0"].repeat(1, len(ways)))
        made = subject([parameter], lr=case.host["lr"])
        for sign in ways.unbind(1):
            parameter.grad = gradient({**rows, "theta": parameter.detach().clone(), "sign": sign}).to(parameter.dtype)
            made.step()
        end = parameter.detach()
        shown = {"mean": end.mean(-1), "square": end.square().mean(-1)}
        return {name: shown[name] for name in case.shapes}

    return call


def risk(subject: Any, case: Case) -> Call:
    """``subject(loss, model, x, y)`` with the linear model x -> x theta.

    ``options["loss"]`` is a formula in ``prediction`` and ``target``. Inputs ``x`` (n, p), ``y`` (n), ``theta`` (p).
    """
    (name,) = case.shapes
    formula = Formula(case.options["loss"], case, "prediction", "target")

    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        return formula({"prediction": prediction, "target": target})

    def call(tensors: Tensors) -> Tensors:
        def model(x: Tensor) -> Tensor:
            return (x * tensors["theta"]).sum(-1)

        return {name: subject(loss, model, tensors["x"], tensors["y"])}

    return call


def every_batch(subject: Any, case: Case) -> Call:
    """``subject(*inputs, batch)`` for each of the batches that the claim's array ``batch`` lists.

    Outputs: ``mean`` and ``variance`` of the results over the batches, all as likely.
    """
    batches = [[int(entry) for entry in row] for row in case.compiled.bindings.arrays["batch"]]

    def call(tensors: Tensors) -> Tensors:
        given = [tensors[name] for name in case.inputs]
        results = [subject(*given, torch.tensor(batch, device=case.device)) for batch in batches]
        found = torch.stack(results).to(torch.promote_types(case.dtype, torch.float32))
        mean = found.sum(0) / len(batches)
        shown = {"mean": mean, "variance": (found - mean).square().sum(0) / len(batches)}
        return {name: shown[name].to(case.dtype) for name in case.shapes}

    return call


def batch_variance(subject: Any, case: Case) -> Call:
    """``subject(g, batch_size, replacement)`` for gradients ``g`` (n, p), to their output, ``variance`` (p).

    The structure's numbers ``b`` and ``with`` are the batch size and whether draws are with replacement.
    """
    (name,) = case.shapes
    numbers = case.compiled.bindings.numbers

    return lambda tensors: {name: subject(tensors["g"], numbers["b"], bool(numbers["with"]))}


def batches(subject: Any, case: Case) -> Call:
    """``subject(range(n), batch_size, drop_last)``, whose iteration gives lists of sample numbers.

    Sizes ``n`` and ``b`` come from the structure. Outputs: ``size`` of each batch, ``seen``, how often each sample
    occurs, and for an input ``g`` (n, p) ``average``, the mean over the batches of their means, weighted by size.
    """

    def call(tensors: Tensors) -> Tensors:
        n, size = case.structure["n"], case.structure["b"]
        made = subject(range(n), size, case.options.get("drop_last", False))
        found = [torch.as_tensor(batch, device=case.device) for batch in made]
        if len(made) != len(found):
            raise SubjectError("contract", f"says that it has {len(made)} batches and gives {len(found)}")
        whole = torch.cat(found)
        like = torch.empty((), dtype=case.dtype, device=case.device)
        shown = {
            "size": torch.tensor([len(batch) for batch in found]).to(like),
            "seen": torch.stack([(whole == sample).sum() for sample in range(n)]).to(like),
        }
        if "g" in tensors:
            wide = tensors["g"].to(torch.promote_types(case.dtype, torch.float32))
            parts = [len(batch) * (wide[batch].sum(0) / len(batch)) for batch in found]
            shown["average"] = (torch.stack(parts).sum(0) / len(whole)).to(like)
        return {name: shown[name] for name in case.shapes}

    return call


class Data:
    """The data (n, p) that a subject is given: ``options["data"]``, a formula in the inputs, or the input ``x``."""

    def __init__(self, case: Case) -> None:
        self.formula = Formula(case.options["data"], case) if "data" in case.options else None

    def __call__(self, tensors: Tensors) -> Tensor:
        return self.formula(tensors).reshape(self.formula.shape) if self.formula else tensors["x"]


def on_data(subject: Any, case: Case) -> Call:
    """``subject(data, **keywords)``; ``options["keywords"]`` gives values, or names that the case knows.

    Outputs: the result, ``z`` (n, p), or its ``least`` and ``greatest`` value in each column.
    """
    data, keywords = Data(case), _keywords(case)

    def call(tensors: Tensors) -> Tensors:
        z = subject(data(tensors), **keywords)
        return {name: {"z": z, "least": z.amin(0), "greatest": z.amax(0)}[name] for name in case.shapes}

    return call


def scaler(subject: Any, case: Case) -> Call:
    """``subject(p, **keywords).fit(data)``, a scaler, and what it makes of the input ``new``, or of the data.

    Outputs: ``z``, by ``transform``; ``back``, of that by ``inverse_transform``; ``rows``, of some rows of the data, as
    the array ``batch`` numbers them; with an input ``theta0`` (2), ``error``: where T steps of gradient descent take
    it with the rate 1 on least squares with the data as transformed.
    """
    data, keywords = Data(case), _keywords(case)

    def call(tensors: Tensors) -> Tensors:
        x = data(tensors)
        made = subject(x.shape[-1], **keywords)
        made.fit(x)
        z = made.transform(tensors.get("new", x))
        shown = {"z": z}
        if "back" in case.shapes:
            shown["back"] = made.inverse_transform(z)
        if "rows" in case.shapes:
            shown["rows"] = made.transform(x[[int(row) for row in case.compiled.bindings.arrays["batch"]]])
        if "error" in case.shapes:
            wide = z.to(torch.promote_types(z.dtype, torch.float32))
            error = tensors["theta0"]
            for _ in range(case.structure["T"]):
                error = error - (wide * (wide * error).sum(-1, keepdim=True)).sum(0) / len(z)
            shown["error"] = error.to(z.dtype)
        return {name: shown[name] for name in case.shapes}

    return call


def _keywords(case: Case) -> dict[str, Any]:
    known = {**case.host, **case.structure}
    given = case.options.get("keywords", {})
    found = {name: known.get(value, value) if isinstance(value, str) else value for name, value in given.items()}
    return {name: {"yes": True, "no": False}.get(x, x) if isinstance(x, str) else x for name, x in found.items()}


DRIVERS: dict[str, Driver] = {
    "descent": Driver(descent, "a torch.optim.Optimizer class: Optimizer(params, lr=...)", "leading", "none"),
    "noisy_descent": Driver(
        noisy_descent, "a torch.optim.Optimizer class: Optimizer(params, lr=...)", "leading", "none"
    ),
    "risk": Driver(risk, "a function: risk(loss, model, x, y) -> scalar"),
    "every_batch": Driver(every_batch, "a function of some samples: f(theta, x, y, batch) -> tensor"),
    "batch_variance": Driver(batch_variance, "a function: f(gradients, batch_size, replacement) -> tensor"),
    "batches": Driver(batches, "a class whose iteration gives lists of numbers: Batches(sampler, size, drop_last)"),
    "on_data": Driver(on_data, "a function of a data set: f(x, **options) -> tensor"),
    "scaler": Driver(scaler, "a class with fit, transform and inverse_transform: Scaler(num_features, **options)"),
}

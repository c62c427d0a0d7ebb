"""Second derivatives: what autograd makes of the gradient, against the derivative of the program's gradient."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from gnomon.check.contract.model import reference
from gnomon.check.contract.part import Part, Setting, Unseen, broken, same, where
from gnomon.check.contract.products import shown, whole_numbers
from gnomon.compute.compiled import K, spilled
from gnomon.compute.second import compile_second

LONGEST = 3000
"""How many operations a gradient may have that is differentiated once more."""
POINTS = 6
COARSER = {torch.float64: torch.float32, torch.float32: torch.bfloat16}
"""The budget is that of the coarser format: a part that is missing is looked for, and not lost digits.

Libraries have several forms for second derivatives, such as s (1 - s) (1 - 2 s), and each loses others.
"""


class SecondDerivatives(Part):
    """The gradient of a combination of the gradient's entries, at points without ties."""

    name = "second derivatives"
    most = 1

    def absent(self, at: Setting) -> str:
        if at.case.dtype.itemsize == 2:
            return "a format of 16 bits has too few digits for them"
        return "" if at.gradient is not None else "no gradient is compared for this claim"

    def look(self, at: Setting) -> None:
        assert at.gradient is not None
        gradient = at.gradient()
        if len(gradient.compiled.slp.reachable(gradient.nodes)) > LONGEST:
            raise Unseen("the program of the gradient is too long to be differentiated once more")
        points = at.ordinary(POINTS)
        dtype, device = COARSER[at.case.dtype], at.case.device
        first = whole_numbers(points.size, len(gradient.compiled.nodes), device)
        then = whole_numbers(points.size, len(gradient.nodes), device)
        seen = torch.stack([_twice(at.on(points.point(n)), first[n], then[n]) for n in range(points.size)])
        second = compile_second(gradient)  # only now: many subjects can be differentiated once alone
        value, bound = second.truth(points, first, then, dtype, device)
        for _, earlier in (
            gradient.compiled.truth(points, dtype, device),
            gradient.truth(points, first, dtype, device),
        ):  # autograd goes through both
            bound = bound.masked_fill(earlier.isinf().any(-1, keepdim=True), torch.inf)
        budget = spilled(K * bound, seen)
        near = ((seen - value).abs() <= budget) | budget.isinf() | same(seen, value)
        if not near.all():
            row, entry = (int(number) for number in (~near).nonzero()[0])
            if not seen[row, entry].isfinite() and not _of_model(at.on(points.point(row)), first[row], then[row]):
                raise Unseen("the reference model's second derivative is not finite either")
            a, b = float(seen[row, entry]), float(value[row, entry])
            raise broken(f"the second derivative {second.labels[entry]} is {a:.6g}, expected {b:.6g}{where(at)}")


def _of_model(at: Setting, first: Tensor, then: Tensor) -> bool:
    """Whether the reference model's second derivative is finite."""
    model = replace(at, observer=at.observer.of(reference(at)))
    return bool(_twice(model, first, then).isfinite().all())


def _twice(at: Setting, first: Tensor, then: Tensor) -> Tensor:
    """Autograd's second derivative (M,) at a single point; zeros where the gradient carries none.

    Raises:
        Unseen: if a backward pass says that it cannot be differentiated.
    """
    assert at.gradient is not None
    tensors, observed = shown(at, at.observer)
    flat = torch.cat([value.reshape(-1) for value in observed.values()])
    wanted = [tensors[name] for name in at.gradient().wrt]
    upstream = first.to(flat.dtype, copy=True).requires_grad_()  # or torch would not say what is differentiable once
    try:
        once = torch.autograd.grad(flat, wanted, upstream, create_graph=True, materialize_grads=True)
        joined = torch.cat([value.reshape(-1) for value in once])
        if not joined.requires_grad:
            return torch.zeros(joined.shape, dtype=torch.float64, device=joined.device)
        if _refuses(joined):
            raise Unseen("its gradient says that it is differentiable once")
        again = torch.autograd.grad(joined, wanted, then.to(joined.dtype), materialize_grads=True)
    except Exception as error:
        raise Unseen(f"its gradient cannot be differentiated: {type(error).__name__}: {error}") from error
    return torch.cat([value.detach().to(torch.float64).reshape(-1) for value in again])


def _refuses(value: Tensor) -> bool:
    """Whether a backward pass on the way would raise, as ``once_differentiable`` has it: autograd may go round it."""
    waiting, seen = [value.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        if node.name() == "torch::autograd::Error":
            return True
        seen.add(node)
        waiting += [before for before, _ in node.next_functions]
    return False

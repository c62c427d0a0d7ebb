"""Bugs of blocks: what is left over of the last block is dropped, doubled or copied, in values or in gradients.

Each is right at every size that is drawn small, and is to be found at the standard budget in some dtype.

usage: python benchmarks/sizes.py [word ...]     only bugs whose line has a word
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from common import cpu, examples_for
from torch import Tensor, nn

from gnomon.check import large
from gnomon.check.task import BUDGETS, Outcome
from gnomon.check.verdict import judge, prepare
from gnomon.drive.driver import SubjectError
from gnomon.find.subjects import resolve
from gnomon.find.walk import select
from gnomon.say.evidence import Evidence

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Bug:
    """A family, a claim that is to see it, the size of the block, what is wrong, and how the subject is made."""

    family: str
    claim: str
    tile: int
    wrong: str
    make: Callable[[], Any]


def model(name: str) -> Any:
    """The reference model of a name."""
    return resolve(name, {})[0]


# ---------------------------------------------------------------- what is wrong with the last block


def kept(x: Tensor, tile: int, axis: int) -> Tensor:
    """True where an entry belongs to a whole block, or there is one block alone."""
    if not x.dim():
        return torch.ones_like(x, dtype=torch.bool)  # one number on its own
    n = x.shape[axis]
    row = torch.arange(n, device=x.device).reshape(-1, *(1,) * (x.dim() - 1 - axis % x.dim()))
    return (row < n - n % tile) | (row >= n if n >= tile else row < n)


def dropped(x: Tensor, tile: int, axis: int) -> Tensor:
    """Never written."""
    return torch.where(kept(x, tile, axis), x, torch.zeros_like(x))


def doubled(x: Tensor, tile: int, axis: int) -> Tensor:
    """Added twice."""
    return torch.where(kept(x, tile, axis), x, x + x)


def copied(x: Tensor, tile: int, axis: int) -> Tensor:
    """The entry before the block, again and again."""
    n = x.shape[axis] if x.dim() else 0
    last = x.narrow(axis, max(0, n - n % tile - 1), 1) if n else x
    return torch.where(kept(x, tile, axis), x, last)


class Backward(torch.autograd.Function):
    """The identity, whose gradient loses what is left over of its last block."""

    @staticmethod
    def forward(x: Tensor, tile: int, axis: int) -> Tensor:
        return x.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, ctx.tile, ctx.axis = inputs

    @staticmethod
    def vmap(info: Any, in_dims: Any, x: Tensor, tile: int, axis: int) -> Any:
        moved = x.movedim(in_dims[0], 0)
        return Backward.apply(moved, tile, axis if axis < 0 else axis + 1), 0

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        return dropped(grad, ctx.tile, ctx.axis), None, None


def slope(x: Tensor, tile: int, axis: int) -> Tensor:
    """Right, but for the gradient of the last block."""
    return Backward.apply(x, tile, axis) if x.dim() else x  # type: ignore[no-any-return]


WRONG = {"dropped": dropped, "doubled": doubled, "copied": copied, "gradient": slope}


# ---------------------------------------------------------------- where it goes wrong


def on(found: Any, change: Callable[[Tensor], Tensor], which: int | None = None) -> Any:
    """A result, or one of several results, changed."""
    if isinstance(found, Tensor):
        return change(found)
    parts = [change(each) if which in (None, number) else each for number, each in enumerate(found)]
    return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)


def result(name: str, wrong: str, tile: int, axis: int = -1, which: int | None = None) -> Any:
    """A function or a module whose result is wrong."""

    def change(y: Tensor) -> Tensor:
        return WRONG[wrong](y, tile, axis)

    own = model(name)
    if not isinstance(own, type):
        return lambda *a, **k: on(own(*a, **k), change, which)
    return type("Tail", (own,), {"forward": lambda self, *a, **k: on(own.forward(self, *a, **k), change, which)})


def argument(name: str, wrong: str, tile: int, axis: int = -1, place: int = 0) -> Any:
    """A function or a module that reads one of its arguments wrongly."""
    own = model(name)
    calls = own.forward if isinstance(own, type) else own

    def call(*a: Any, **k: Any) -> Any:
        at = place + isinstance(own, type)
        return calls(*a[:at], WRONG[wrong](a[at], tile, axis), *a[at + 1 :], **k)

    return type("Tail", (own,), {"forward": call}) if isinstance(own, type) else call


def weights(name: str, wrong: str, tile: int, axis: int, parameter: str = "weight") -> Any:
    """A module that reads a parameter wrongly."""
    own = model(name)

    class Tail(own):  # type: ignore[misc, valid-type]
        def forward(self, *a: Any, **k: Any) -> Any:
            changed = {parameter: WRONG[wrong](getattr(self, parameter), tile, axis)}
            plain = own.forward.__get__(Swapped(self, changed))
            return plain(*a, **k)

    return Tail


class Swapped:
    """A module with other tensors in the place of some parameters."""

    def __init__(self, module: nn.Module, changed: dict[str, Tensor]) -> None:
        self.__dict__.update(_module=module, _changed=changed)

    def __getattr__(self, name: str) -> Any:
        return self._changed[name] if name in self._changed else getattr(self._module, name)


def optimizer(name: str, tile: int) -> Any:
    """An optimizer that leaves what is left over of a parameter's last block where it is."""
    own = model(name)

    class Tail(own):  # type: ignore[misc, valid-type]
        @torch.no_grad()
        def step(self, closure: Any = None) -> Any:
            every = [p for group in self.param_groups for p in group["params"]]
            before = [p.clone() for p in every]
            found = super().step(closure)
            for p, old in zip(every, before, strict=True):
                flat = torch.where(kept(p.reshape(-1), tile, 0), p.reshape(-1), old.reshape(-1))
                p.copy_(flat.reshape(p.shape))
            return found

    return Tail


def late(name: str, steps: int) -> Any:
    """An optimizer that does nothing from some step on."""
    own = model(name)

    class Late(own):  # type: ignore[misc, valid-type]
        def step(self, closure: Any = None) -> Any:
            self.made = getattr(self, "made", 0) + 1
            return super().step(closure) if self.made <= steps else None

    return Late


def edges(name: str, tile: int) -> Any:
    """A function on a graph that forgets what is left over of the last block of edges."""
    own, place = model(name), 0 if name in ("graph.degree", "graph.adjacency", "graph.laplacian") else 1

    def call(*a: Any, **k: Any) -> Any:
        index = a[place]
        count = index.shape[-1]
        count -= count % tile if count > tile else 0
        shorter = {key: value[:count] for key, value in k.items() if key == "edge_weight" and value is not None}
        rest = [each[:count] if isinstance(each, Tensor) and each.shape[:1] == index.shape[-1:] else each
                for each in a[place + 1 :]]  # fmt: skip
        return own(*a[:place], index[:, :count], *rest, **{**k, **shorter})

    return call


def bugs() -> Iterator[Bug]:
    """Every bug, family by family."""
    rows: list[tuple[str, str, int, str, Callable[[str, int], Any]]] = []

    def add(family: str, claim: str, tiles: tuple[int, ...], wrongs: str, make: Callable[[str, int], Any]) -> None:
        rows.extend((family, claim, tile, wrong, make) for tile in tiles for wrong in wrongs.split())

    bn = "normalization.BatchNorm1d"
    add("norms: rows", "bn.transform", (8, 64, 512), "dropped copied", lambda w, b: result(bn, w, b, 0))
    add("norms: rows", "bn.transform", (16,), "gradient", lambda w, b: argument(bn, w, b, 0))
    add("norms: channels", "bn.transform", (32, 1024), "dropped doubled", lambda w, b: result(bn, w, b, -1))
    add(
        "norms: images",
        "bn.transform.images",
        (8,),
        "dropped",
        lambda w, b: result("normalization.BatchNorm2d", w, b, -1),
    )
    add(
        "norms: images",
        "bn.transform.images",
        (64,),
        "copied",
        lambda w, b: result("normalization.BatchNorm2d", w, b, 1),
    )
    add("norms: sequences", "bn.transform.sequences", (128,), "dropped", lambda w, b: result(bn, w, b, -1))
    add(
        "norms: backward",
        "bn.gradient",
        (16, 256),
        "dropped",
        lambda w, b: result("normalization.batch_norm_backward", w, b, 0, 0),
    )
    add(
        "norms: features",
        "std.zscore",
        (8, 1024),
        "dropped gradient",
        lambda w, b: (
            argument("standardize.zscore", w, b, 1) if w == "gradient" else result("standardize.zscore", w, b, 1)
        ),
    )
    conv = "convolution.Conv1d"
    add("conv 1-D: batch", "conv.definition", (8, 32), "dropped", lambda w, b: result(conv, w, b, 0))
    add("conv 1-D: channels in", "conv.definition", (8, 64), "dropped gradient", lambda w, b: argument(conv, w, b, -2))
    add("conv 1-D: length", "conv.definition", (8, 128), "dropped copied", lambda w, b: result(conv, w, b, -1))
    add("conv 1-D: channels out", "conv.definition", (16, 128), "dropped", lambda w, b: result(conv, w, b, -2))
    add("conv grouped", "conv.definition.groups", (8, 32), "dropped copied", lambda w, b: result(conv, w, b, -2))
    add(
        "conv 2-D: channels",
        "conv.definition.planes",
        (8, 64),
        "dropped",
        lambda w, b: argument("convolution.Conv2d", w, b, -3),
    )
    add(
        "conv 2-D: channels out",
        "conv.definition.planes",
        (16,),
        "copied",
        lambda w, b: result("convolution.Conv2d", w, b, -3),
    )
    add(
        "conv: input's gradient",
        "conv.gradients",
        (8,),
        "dropped",
        lambda w, b: result("convolution.conv1d_input", w, b, -1),
    )
    for pool, claim in (("MaxPool1d", "pool.definition"), ("AvgPool1d", "pool.definition.average")):
        add("pools 1-D", claim, (8, 256), "dropped", lambda w, b, pool=pool: result(f"pooling.{pool}", w, b, -2))
    add("pools 2-D", "pool.definition.planes", (32,), "copied", lambda w, b: result("pooling.MaxPool2d", w, b, -3))
    add(
        "pools, global",
        "pool.translation.global_average",
        (8, 128),
        "dropped",
        lambda w, b: argument("pooling.global_average", w, b, -1),
    )
    add("LSTM: hidden", "lstm.cell", (8, 32), "dropped", lambda w, b: result("lstm.LSTMCell", w, b, -1))
    add("LSTM: input", "lstm.cell", (64, 512), "dropped gradient", lambda w, b: argument("lstm.LSTMCell", w, b, -1))
    add("RNN: input", "rnn.vanilla", (8, 128), "dropped", lambda w, b: argument("recurrent.RNN", w, b, -1))
    add("RNN: hidden", "rnn.vanilla", (16,), "dropped", lambda w, b: result("recurrent.RNN", w, b, -1, 0))
    for claim, subject in (("act.silu", "SiLU"), ("act.sigmoid", "Sigmoid"), ("act.softplus", "softplus")):
        add("activations, elementwise", claim, (8, 1024), "dropped gradient",
            lambda w, b, subject=subject: argument(f"activations.{subject}", w, b, 0) if w == "gradient"
            else result(f"activations.{subject}", w, b, 0))  # fmt: skip
    add("activations", "act.maxout", (8, 512), "dropped", lambda w, b: result("activations.Maxout", w, b, -1))
    add("activations", "act.maxout", (32,), "dropped", lambda w, b: argument("activations.Maxout", w, b, -1))
    add(
        "losses", "seq.lm.classification", (8, 64), "dropped", lambda w, b: argument("sequence.cross_entropy", w, b, -1)
    )
    add(
        "losses",
        "gan.bce_likelihood",
        (8, 128),
        "dropped gradient",
        lambda w, b: argument("gan.discriminator_loss", w, b, -1),
    )
    add("losses", "gan.generator_loss", (1024,), "doubled", lambda w, b: argument("gan.generator_loss", w, b, -1))
    add("losses", "backprop.mse", (16, 512), "dropped", lambda w, b: argument("backprop.half_squared_error", w, b, -1))
    add("losses", "gan.jsd_form", (32,), "dropped", lambda w, b: argument("gan.jsd", w, b, -1))
    add("optimizers", "optim.adam.update", (8, 32, 128, 1024), "tail", lambda w, b: optimizer("optim.Adam", b))
    add("optimizers", "optim.adam.update.adamw", (64,), "tail", lambda w, b: optimizer("optim.AdamW", b))
    add("optimizers", "optim.momentum.update", (16, 512), "tail", lambda w, b: optimizer("momentum.SGD", b))
    add("optimizers: steps", "optim.adam.update", (16,), "late", lambda w, b: late("optim.Adam", b))
    add(
        "graphs: nodes",
        "graph.difference_operator",
        (8, 64),
        "dropped",
        lambda w, b: result("graph.laplacian_apply", w, b, 0),
    )
    add(
        "graphs: features",
        "graph.difference_operator.features",
        (16, 128),
        "dropped",
        lambda w, b: result("graph.laplacian_apply", w, b, -1),
    )
    add("graphs: edges", "graph.difference_operator", (32,), "dropped", lambda w, b: edges("graph.laplacian_apply", b))
    add("graphs: edges", "graph.degree", (128,), "dropped", lambda w, b: edges("graph.degree", b))
    add("graphs: heat", "heat.euler_step", (32,), "copied", lambda w, b: result("graph.heat_step", w, b, 0))
    add("flows", "flow.jacobian_def", (8, 32), "dropped", lambda w, b: result("flow.jacobian", w, b, -1))
    add(
        "solvers",
        "solver.dopri.step_control.ratio",
        (8, 1024),
        "dropped",
        lambda w, b: argument("ode.error_ratio", w, b, -1),
    )
    add("solvers: times", "solver.euler", (8, 32), "copied", lambda w, b: result("ode.odeint", w, b, 0))
    add("networks", "resnet.block", (16, 256), "dropped", lambda w, b: result("residual.Residual", w, b, -1))
    for family, claim, tile, wrong, make in rows:
        yield Bug(family, claim, tile, wrong, lambda make=make, wrong=wrong, tile=tile: make(wrong, tile))


def found_in(bug: Bug, dtype: str) -> tuple[str, str]:
    """How the large looks of the standard budget see a bug, with the sizes; "" if they do not."""
    (claim,) = select([bug.claim])
    budget = BUDGETS["standard"]
    task, outcome = prepare(claim, bug.make(), "planted", dtype, "cpu"), Outcome()
    if not claim.structure:  # a function of one number: its only size is that of the array it is given
        blank = Evidence(claim.id, claim.subject, "planted", "cpu", dtype, "undecided")
        evidence = judge(task, examples_for(claim, budget.structures), "standard", blank)
        return ("values" if evidence.verdict == "fails" else "", evidence.reason.partition(":")[0])
    try:
        failure = large.look(task, examples_for(claim, budget.structures), outcome, budget.large)
    except SubjectError as error:
        return f"{error.failure}: {error.reason}", ""
    failure, how = (failure, "values") if failure is not None else (outcome.gradient_failure, "gradients")
    return (how, large.from_on(claim, failure.example.structure)) if failure is not None else ("", "")


def main() -> int:
    """Print a table; 0 if every bug is found."""
    words = sys.argv[1:]
    chosen = [bug for bug in bugs() if not words or any(word in f"{bug.family} {bug.claim}" for word in words)]
    missed = 0
    torch.set_num_threads(1)
    with cpu() as clock:
        for bug in chosen:
            for dtype in DTYPES:
                how, where = found_in(bug, dtype)
                if how:
                    break
            missed += not how
            line = f"{bug.family:24} {bug.claim:34} {bug.wrong:8} {bug.tile:5}"
            print(f"{line}  {how or 'NOT FOUND':10.60} {dtype if how else '':8} {where}", flush=True)
    print(f"\n{len(chosen) - missed} of {len(chosen)} found at the standard budget; {clock.seconds:.0f} CPU s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

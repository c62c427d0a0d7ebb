"""What ``torch.compile`` makes of a subject answers as the claim says; looked at where it is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from gnomon.check.contract import plain
from gnomon.check.contract.part import Part, Setting, Unseen, broken, where
from gnomon.check.observer import Observer
from gnomon.drive.bound import Bound, unbound
from gnomon.drive.contract import NotCallable
from gnomon.drive.driver import SubjectError
from gnomon.say.errors import UsageError

BACKENDS = ("inductor", "aot_eager")
"""What may compile: torch's own compiler, which needs one for C++; else what only traces a program and its gradient."""


@contextmanager
def afresh() -> Iterator[Any]:
    """Nothing compiled before counts; what is compiled here is counted. In this process, and forgotten afterwards."""
    import torch._dynamo.utils
    import torch._inductor.config

    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    try:
        with torch._inductor.config.patch(compile_threads=1, fallback_random=True):  # draws are those of torch
            yield torch._dynamo.utils.counters["stats"]
    finally:
        torch._dynamo.reset()


def backend_here() -> str:
    """The first of the backends that compiles a small function in this process.

    Raises:
        UsageError: if none does.
    """
    failed = []
    for backend in BACKENDS:
        with afresh():
            try:
                torch.compile(lambda x: torch.exp(x) + 1, backend=backend)(torch.ones(3))
            except Exception as error:
                failed.append(f"{backend}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
            else:
                return backend
    raise UsageError(f"--compile: torch.compile does not work here ({'; '.join(failed)})")


def compiled(subject: Any, backend: str) -> Any:
    """The subject as a user compiles it: a function, a module's forward pass, an optimizer's step."""
    own, names = unbound(subject)
    quick = functools.partial(torch.compile, backend=backend, dynamic=False)
    function: Callable[..., Any] = own if isinstance(own, type) else quick(own)

    @functools.wraps(own, updated=())
    def made(*arguments: Any, **keywords: Any) -> Any:
        found = function(*arguments, **keywords)
        for kind, name in ((nn.Module, "forward"), (torch.optim.Optimizer, "step")):
            if isinstance(found, kind):
                setattr(found, name, quick(getattr(found, name)))
        return found

    return Bound(made, names) if names else made


class Compiled(Part):
    """Some points of a structure, compared with the truth (or the inequality) as plain calls are."""

    name = "compiled"

    def concerns(self, at: Setting) -> bool:
        return bool(at.compiler)

    def look(self, at: Setting) -> None:
        points = plain.points(at)
        case, program = at.case, at.compiled
        with afresh() as stats:
            try:
                observer = Observer(at.observer.driver, compiled(at.subject, at.compiler), case, pointwise=True)
                seen = torch.stack([_row(observer, at.on(points).tensors(number)) for number in range(points.size)])
            except NotCallable:
                raise
            except SubjectError as error:
                raise broken(f"under torch.compile ({at.compiler}) it {error.reason}{where(at)}") from error
            if not stats["unique_graphs"]:
                raise Unseen("nothing of it is compiled: it has no tensor operation, or is called otherwise")
        judgement = program.judge(points, seen, case.dtype, case.device)
        if bool(judgement.fails.any()):
            row, entry = divmod(int(judgement.share.argmax()), judgement.share.shape[-1])
            words = f"{program.judged[entry]} is not kept"
            if not program.sides:
                value, _ = program.truth(points, case.dtype, case.device)
                a, b = float(seen[row, entry]), float(value[row, entry])
                words = f"{program.judged[entry]} is {a:.6g}, expected {b:.6g}"
            raise broken(f"under torch.compile ({at.compiler}) {words}{where(at)}")


def _row(observer: Observer, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([value.detach().double().reshape(-1) for value in observer.one(tensors).values()])

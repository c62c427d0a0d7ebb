"""Wrong solvers of differential equations, from blatant to rare."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gnomon.reference.ode import DOPRI5, EULER, RK4, error_ratio, odeint, step_factor
from planted import Planted

Func = Callable[..., Tensor]


class Table(NamedTuple):
    """A method in floating point, so that nothing checks it."""

    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]
    embedded: tuple[float, ...] | None = None


def _floats(row: Any) -> tuple[float, ...]:
    return tuple(map(float, row))


def _table(exact: Any) -> Table:
    embedded = None if exact.b_embedded is None else _floats(exact.b_embedded)
    return Table(tuple(map(_floats, exact.a)), _floats(exact.b), _floats(exact.c), embedded)


def _entry(table: Table, row: int, column: int, value: float) -> Table:
    rows = [list(entries) for entries in table.a]
    rows[row][column] = value
    return table._replace(a=tuple(map(tuple, rows)))


EXACT = {"euler": _table(EULER), "rk4": _table(RK4), "dopri5": _table(DOPRI5)}
DOPRI = EXACT["dopri5"]
THIRD = 1 / 3
IN_DIGITS = EXACT["rk4"]._replace(b=(0.1666667, THIRD, THIRD, 0.1666667))
THREE_EIGHTHS = Table(
    ((), (THIRD,), (-THIRD, 1.0), (1.0, -1.0, 1.0)), (1 / 8, 3 / 8, 3 / 8, 1 / 8), (0, THIRD, 2 / 3, 1)
)


class Solver:
    """odeint in pieces, each of which a bug replaces."""

    def __init__(self, **tables: Table) -> None:
        self.tables = {**EXACT, **tables}

    def __call__(
        self, func: Func, y0: Tensor, t: Tensor, *, method: str, options: Any = None, **tolerances: Any
    ) -> Tensor:
        table, options = self.tables[method], options or {}
        if table.embedded is not None:
            return torch.stack(list(self.adaptive(func, y0, t, table, options, **tolerances)))
        states = [y0]
        for start, end in pairwise(t.unbind()):
            y = states[-1]
            steps = list(self.grid(start, end, options.get("step_size")))
            for number, (time, h) in enumerate(steps):
                last = number == len(steps) - 1 and len(states) == len(t) - 1
                y = self.step(func, time, h, y, table, y0, last)
            states.append(y)
        return torch.stack(states)

    def grid(self, start: Tensor, end: Tensor, size: float | None) -> Iterator[tuple[Tensor, Tensor]]:
        if size is None:
            yield start, end - start
            return
        count = max(math.ceil(abs((end - start).item()) / size - 1e-9), 1)
        h = (end - start).sign() * size
        for number in range(count):
            time = start + number * h
            yield time, h if number < count - 1 else end - time

    def step(self, func: Func, time: Any, h: Any, y: Tensor, table: Table, first: Tensor, last: bool) -> Tensor:
        return self.moved(y, h, self.slopes(func, time, h, y, table), table.b)

    def slopes(self, func: Func, time: Any, h: Any, y: Tensor, table: Table, k1: Tensor | None = None) -> list[Tensor]:
        found = [func(time, y) if k1 is None else k1]
        for row, c in zip(table.a[1:], table.c[1:], strict=True):
            found.append(func(self.clock(time, h, c), self.moved(y, h, found, row)))
        return found

    def clock(self, time: Any, h: Any, c: float) -> Any:
        return time + c * h

    def moved(self, y: Tensor, h: Any, slopes: list[Tensor], weights: tuple[float, ...]) -> Tensor:
        return y + h * sum(w * k for w, k in zip(weights, slopes, strict=True))

    def adaptive(
        self, func: Func, y: Tensor, t: Tensor, table: Table, options: Any, rtol: float = 1e-7, atol: float = 1e-9
    ) -> Iterator[Tensor]:
        now, size, k1 = t[0], options["first_step"], func(t[0], y)
        yield y
        for end in t[1:]:
            while now != end:
                lands = size >= abs((end - now).item())
                h = end - now if lands else torch.full_like(now, size) * (end - now).sign()
                slopes = self.slopes(func, now, h, y, table, k1)
                new = self.propagated(y, h, slopes, table)
                ratio = self.ratio(h * self.difference(slopes, table), y, new, rtol, atol)
                size = abs(h.item()) * self.factor(ratio)
                if self.accepted(ratio):
                    now, y, k1 = end if lands else now + h, new, slopes[-1]
                else:
                    k1 = self.after_rejection(k1, slopes)
            yield y

    def propagated(self, y: Tensor, h: Any, slopes: list[Tensor], table: Table) -> Tensor:
        return self.moved(y, h, slopes, table.b)

    def difference(self, slopes: list[Tensor], table: Table) -> Tensor:
        weights = zip(table.b, table.embedded or (), slopes, strict=True)
        return sum((b - e) * k for b, e, k in weights)  # type: ignore[return-value]

    def ratio(self, error: Tensor, y0: Tensor, y1: Tensor, rtol: float, atol: float) -> Tensor:
        return error_ratio(error, y0, y1, rtol, atol)

    def factor(self, ratio: Tensor) -> float:
        return step_factor(ratio).item()

    def accepted(self, ratio: Tensor) -> bool:
        return bool(ratio <= 1)

    def after_rejection(self, k1: Tensor, slopes: list[Tensor]) -> Tensor:
        return k1


# ---------------------------------------------------------------- solvers


class FromTheFirstState(Solver):
    def step(self, func, time, h, y, table, first, last):
        return self.moved(first, h, self.slopes(func, time, h, y, table), table.b)


class TimeStaysAtTheStart(Solver):
    def clock(self, time, h, c):
        return time


class HalfAStepLate(Solver):
    """Wrong only in the stage in the middle of the step, and only where f looks at the time."""

    def clock(self, time, h, c):
        return time if c == 0.5 else time + c * h


class EulerAtTheEnd(Solver):
    def step(self, func, time, h, y, table, first, last):
        return y + h * func(time, y) if last else super().step(func, time, h, y, table, first, last)


class ForgetsTheDirection(Solver):
    """Right as long as time rises."""

    def step(self, func, time, h, y, table, first, last):
        return super().step(func, time, abs(h), y, table, first, last)


class StateBeforeTime(Solver):
    def slopes(self, func, time, h, y, table, k1=None):
        def turned(t, point):
            return func(point[..., 0], t.expand(point.shape))

        return super().slopes(turned, time, h, y, table, k1)


class SliverOfAStep(Solver):
    """Stops short of the last time by what is no whole step."""

    def grid(self, start, end, size):
        if size is None:
            yield from super().grid(start, end, size)
            return
        for number in range(max(int(abs((end - start).item()) / size + 1e-9), 1)):
            yield start + number * (end - start).sign() * size, (end - start).sign() * size


class WholeSteps(Solver):
    def grid(self, start, end, size):
        for time, h in super().grid(start, end, size):
            yield time, h if size is None else h.sign() * size


class DetachesTheTime(Solver):
    """The values are right, the gradient by the times is missing."""

    def grid(self, start, end, size):
        for time, h in super().grid(start, end, size):
            yield time.detach(), h.detach()


class GoesOnWithOrderFour(Solver):
    def propagated(self, y, h, slopes, table):
        return self.moved(y, h, slopes, table.embedded)


class StaleAfterRejection(Solver):
    def after_rejection(self, k1, slopes):
        return slopes[-1]


class KeepsEveryStep(Solver):
    def accepted(self, ratio):
        return True


class RootOfOrderFour(Solver):
    def factor(self, ratio):
        return step_factor(ratio, order=4).item()


class InverselyProportional(Solver):
    def factor(self, ratio):
        return step_factor(ratio, order=1).item()


class LargestError(Solver):
    def ratio(self, error, y0, y1, rtol, atol):
        return (error / (atol + rtol * torch.maximum(y0.abs(), y1.abs()))).abs().amax()


class ForgetsTheLastStage(Solver):
    """The estimate without the stage that was added for it."""

    def difference(self, slopes, table):
        return super().difference([*slopes[:-1], 0 * slopes[-1]], table)


class ForgetsAStage(Solver):
    """The estimate without one of the stages in the middle."""

    def difference(self, slopes, table):
        return super().difference([*slopes[:3], 0 * slopes[3], *slopes[4:]], table)


class OwnRelative(Solver):
    """The relative tolerance is that of the default, whatever is asked for."""

    def ratio(self, error, y0, y1, rtol, atol):
        return super().ratio(error, y0, y1, 1e-7, atol)


class OwnAbsolute(Solver):
    def ratio(self, error, y0, y1, rtol, atol):
        return super().ratio(error, y0, y1, rtol, 1e-9)


def by_default(solve: Callable[..., Any]) -> Any:
    """Wrong where no first step is given, as users call it; right elsewhere."""

    def odeint_so(func, y0, t, *, rtol=1e-7, atol=1e-9, method=None, options=None):
        known = {"rtol": rtol, "atol": atol, "method": method, "options": options}
        plain = method in (None, "dopri5") and "first_step" not in (options or {})
        return solve(func, y0, t, **known) if plain else odeint(func, y0, t, **known)

    return odeint_so


def one_euler_step(func, y0, t, **known):
    return odeint(func, y0, t, method="euler")


def straight_lines(func, y0, t, **known):
    """Solved to the last time alone; on the way there are no steps, but a straight line."""
    ends = odeint(func, y0, t[[0, -1]], **known)
    share = ((t - t[0]) / (t[-1] - t[0])).reshape(-1, *[1] * y0.dim())
    return ends[0] + share * (ends[1] - ends[0])


def last_time_missed(func, y0, t, **known):
    states = odeint(func, y0, t, **known)
    return torch.cat([states[:-1], states[-2:-1]])


def one_order_less(ratio, order=5, safety=0.9, dfactor=0.2, ifactor=10.0):
    return step_factor(ratio, order - 1, safety, dfactor, ifactor)


def limits_before_margin(ratio, order=5, safety=0.9, dfactor=0.2, ifactor=10.0):
    return safety * torch.as_tensor(ratio ** (-1 / order)).clamp(dfactor, ifactor)


def shrinks_early(ratio, order=5, safety=0.9, dfactor=0.2, ifactor=10.0):
    found = step_factor(ratio, order, safety, dfactor, ifactor)
    return torch.where(torch.as_tensor(ratio) > 0.5, found.clamp(max=0.9 * safety), found)


def old_state_alone(error, y0, y1, rtol, atol):
    return error_ratio(error, y0, y0, rtol, atol)


def worst_entry(error, y0, y1, rtol, atol):
    return (error / (atol + rtol * torch.maximum(y0.abs(), y1.abs()))).abs().amax()


def rk_step_with(change: Callable[..., tuple[Tensor, Tensor, Tensor]]) -> Any:
    """A step whose three results a bug changes."""

    def rk_step(func, t, h, y, tableau, k1=None):
        solver, table = Solver(), _table(tableau)
        slopes = solver.slopes(func, t, h, y, table, k1)
        y1 = solver.moved(y, h, slopes, table.b)
        return change(y1, h * solver.difference(slopes, table), slopes, y, h)

    return rk_step


PLANTED = (
    Planted("every step starts from the first state", "ode.odeint", FromTheFirstState()),
    Planted("stages see the time of the step's start", "ode.odeint", TimeStaysAtTheStart()),
    Planted("the stages in the middle see the time of the start", "ode.odeint", HalfAStepLate()),
    Planted("the last step of all is Euler's", "ode.odeint", EulerAtTheEnd()),
    Planted("steps without a sign where time falls", "ode.odeint", ForgetsTheDirection()),
    Planted("f called with its arguments exchanged", "ode.odeint", StateBeforeTime()),
    Planted("what is left of the way after whole steps is dropped", "ode.odeint", SliverOfAStep()),
    Planted("the last step is not cut", "ode.odeint", WholeSteps()),
    Planted("no gradient by the times", "ode.odeint", DetachesTheTime()),
    Planted("the 3/8 rule called rk4", "ode.odeint", Solver(rk4=THREE_EIGHTHS)),
    Planted("1/6 as 0.1666667", "ode.odeint", Solver(rk4=IN_DIGITS)),
    Planted("k3 from k1", "ode.odeint", Solver(rk4=EXACT["rk4"]._replace(a=((), (0.5,), (0.5, 0.0), (0.0, 0.0, 1.0))))),
    Planted("-25360/2187 as -11.5957933", "ode.odeint", Solver(dopri5=_entry(DOPRI, 4, 1, -11.5957933))),
    Planted("-5103/18656 as -0.2735313", "ode.odeint", Solver(dopri5=_entry(DOPRI, 5, 4, -0.2735313))),
    Planted("4/5 for 8/9 in c", "ode.odeint", Solver(dopri5=DOPRI._replace(c=(0, 0.2, 0.3, 0.8, 0.8, 1, 1)))),
    Planted("goes on with the value of order 4", "ode.odeint", GoesOnWithOrderFour()),
    Planted("after a rejection the last slope is taken for the first", "ode.odeint", StaleAfterRejection()),
    Planted("no step is ever rejected", "ode.odeint", KeepsEveryStep()),
    Planted("the fourth root of the error", "ode.odeint", RootOfOrderFour()),
    Planted("the step inversely proportional to the error", "ode.odeint", InverselyProportional()),
    Planted("the largest error instead of the root mean square", "ode.odeint", LargestError()),
    Planted("the estimate without the last stage", "ode.odeint", ForgetsTheLastStage()),
    Planted("the estimate without a stage in the middle", "ode.odeint", ForgetsAStage()),
    Planted("a relative tolerance of its own", "ode.odeint", OwnRelative()),
    Planted("an absolute tolerance of its own", "ode.odeint", OwnAbsolute()),
    Planted("by default one step of Euler's method", "ode.odeint", by_default(one_euler_step)),
    Planted("by default output times on a straight line", "ode.odeint", by_default(straight_lines)),
    Planted("by default the last time is missed", "ode.odeint", by_default(last_time_missed)),
    Planted("the root of one order less", "ode.step_factor", one_order_less),
    Planted("the limits before the margin", "ode.step_factor", limits_before_margin),
    Planted("shrinks whenever the error is over half of what is tolerated", "ode.step_factor", shrinks_early),
    Planted("the old state alone in the tolerance", "ode.error_ratio", old_state_alone),
    Planted("the worst entry", "ode.error_ratio", worst_entry),
    Planted("order 4 minus order 5", "ode.rk_step", rk_step_with(lambda y1, e, k, y, h: (y1, -e, k[-1]))),
    Planted("the first slope for the last", "ode.rk_step", rk_step_with(lambda y1, e, k, y, h: (y1, e, k[0]))),
    Planted("an estimate without the step", "ode.rk_step", rk_step_with(lambda y1, e, k, y, h: (y1, e / h, k[-1]))),
)

"""Wrong adjoints of differential equations, from blatant to rare."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from planted import Planted
from planted.ode import EXACT, Func, Solver


class Adjoint:
    """odeint_adjoint in pieces, each of which a bug replaces."""

    def __init__(self, solver: Solver | None = None) -> None:
        self.solver = solver or Solver()

    def __call__(
        self, func: Func, y0: Tensor, t: Tensor, *, method: str, options: Any = None, adjoint_params: Any = ()
    ) -> Tensor:
        made: Tensor = _Run.apply(self, func, method, options, t, y0, *adjoint_params)
        return made

    def back(self, func: Func, t: Tensor, y: Tensor, grad: Tensor, params: Any, method: str, options: Any) -> Any:
        """The gradients by the times, the initial state and the parameters."""
        a, totals = grad[-1], [torch.zeros_like(p) for p in params]
        by_time = [(g * func(time, at)).sum() for g, time, at in zip(grad, t, y, strict=True)]
        for number in reversed(range(len(t) - 1)):
            a, totals = self.interval(func, t, y, number, a, totals, params, method, options)
            if number == 0:
                by_time[0] = self.first_time(a, func(t[0], y[0]))
            a = self.jump(a, grad[number], number)
        return torch.stack(by_time), a, totals

    def interval(
        self, func: Func, t: Any, y: Any, number: int, a: Any, totals: Any, params: Any, method: str, options: Any
    ) -> Any:
        sizes = [y[0].numel(), y[0].numel(), *(p.numel() for p in params)]
        start = torch.cat([part.reshape(-1) for part in (y[number + 1], a, *totals)])

        def augmented(time: Tensor, flat: Tensor) -> Tensor:
            z, adjoint, *_ = flat.split(sizes)
            slope, *products = self.products(func, time, z.reshape(y[0].shape), adjoint.reshape(y[0].shape), params)
            return torch.cat([part.reshape(-1) for part in self.signs(slope, *products)])

        end = self.solve_back(augmented, start, t[number : number + 2].flip(0), method, options)
        _, a, *totals = end.split(sizes)
        return a.reshape(y[0].shape), [total.reshape(p.shape) for total, p in zip(totals, params, strict=True)]

    def solve_back(self, func: Func, start: Tensor, times: Tensor, method: str, options: Any) -> Tensor:
        return self.solver(func, start, times, method=method, options=options)[-1]

    def products(self, func: Func, time: Tensor, z: Tensor, a: Tensor, params: Any) -> tuple[Tensor, ...]:
        with torch.enable_grad():
            z = z.detach().requires_grad_()
            slope = func(time, z)
        if not slope.requires_grad:
            return slope, *map(torch.zeros_like, (z, *params))
        found = torch.autograd.grad(slope, (z, *params), a, allow_unused=True)
        return slope.detach(), *(
            torch.zeros_like(p) if g is None else g for p, g in zip((z, *params), found, strict=True)
        )

    def signs(self, slope: Tensor, *products: Tensor) -> tuple[Tensor, ...]:
        return slope, *(-product for product in products)

    def first_time(self, a: Tensor, slope: Tensor) -> Tensor:
        return -(a * slope).sum()

    def jump(self, a: Tensor, grad: Tensor, number: int) -> Tensor:
        return a + grad


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx, adjoint, func, method, options, t, y0, *params):
        y = adjoint.solver(func, y0, t, method=method, options=options)
        ctx.known = adjoint, func, method, options
        ctx.save_for_backward(t, y, *params)
        return y

    @staticmethod
    def backward(ctx, grad):
        adjoint, func, method, options = ctx.known
        t, y, *params = ctx.saved_tensors
        by_time, by_state, by_params = adjoint.back(func, t, y, grad, params, method, options)
        return None, None, None, None, by_time.to(t.dtype), by_state, *by_params


class NotTransposed(Adjoint):
    def products(self, func, time, z, a, params):
        slope, _, *rest = super().products(func, time, z, a, params)
        pushed = torch.tensordot(torch.func.jacrev(lambda state: func(time, state))(z), a, a.dim())
        return slope, pushed, *rest


class StateSign(Adjoint):
    def signs(self, slope, *products):
        return slope, products[0], *(-product for product in products[1:])


class ParameterSign(Adjoint):
    def signs(self, slope, *products):
        return slope, -products[0], *products[1:]


class FirstTimeSign(Adjoint):
    def first_time(self, a, slope):
        return (a * slope).sum()


class NoJumpInBetween(Adjoint):
    """Right as long as the loss looks at the ends alone."""

    def jump(self, a, grad, number):
        return a + grad if number == 0 else a


class FreezesTheState(Adjoint):
    """The state of each interval stays the observed one instead of being solved back."""

    def signs(self, slope, *products):
        return 0 * slope, *(-product for product in products)


class TimeRunsOn(Adjoint):
    """The way back in s = t1 - t, with f asked at t1 + s."""

    def solve_back(self, func, start, times, method, options):
        end = times[0]
        mirrored = torch.stack([torch.zeros_like(end), end - times[1]])
        return super().solve_back(lambda s, x: -func(end + s, x), start, mirrored, method, options)


class LastIntervalOnly(Adjoint):
    def interval(self, func, t, y, number, a, totals, params, method, options):
        a, found = super().interval(func, t, y, number, a, totals, params, method, options)
        return a, found if number == len(t) - 2 else totals


class JumpBeforeTheFirstTime(Adjoint):
    """dL/dt0 with the share of the loss at t0, which does not move with it."""

    def back(self, func, t, y, grad, params, method, options):
        by_time, a, totals = super().back(func, t, y, grad, params, method, options)
        return torch.cat([by_time[:1] - (grad[0] * func(t[0], y[0])).sum(), by_time[1:]]), a, totals


def backpropagation(func, y0, t, *, method, options=None, adjoint_params=()):
    """The right gradient of the computed loss, in the memory that the adjoint method is to save."""
    return Solver()(func, y0, t, method=method, options=options)


def backward_with(change: Callable[..., tuple[Tensor, ...]]) -> Any:
    """A solve back whose right-hand side a bug changes: ``change(slope, aJ, aP, Ja)``."""

    def adjoint_backward(func, t0, t1, z1, a1, params, *, method, options=None):
        def augmented(time, state):
            z, a = state[0], state[1]
            slope, pullback = torch.func.vjp(lambda *at: func(time, *at), z, *params)
            by_state, *by_params = pullback(a)
            pushed = torch.tensordot(torch.func.jacrev(lambda at: func(time, at, *params))(z), a, a.dim())
            return change(slope, by_state, by_params, pushed)

        table, h = EXACT[method], t0 - t1
        begin, slopes = [z1, a1, *map(torch.zeros_like, params)], []
        for row, c in zip(table.a, table.c, strict=True):
            point = [x + h * sum(w * k[n] for w, k in zip(row, slopes, strict=True)) for n, x in enumerate(begin)]
            slopes.append(augmented(t1 + c * h, point))
        z0, a0, *grads = (
            x + h * sum(w * k[n] for w, k in zip(table.b, slopes, strict=True)) for n, x in enumerate(begin)
        )
        return z0, a0, tuple(grads)

    return adjoint_backward


RIGHT_BACKWARD = backward_with(lambda f, by_z, by_p, pushed: (f, -by_z, *(-g for g in by_p)))


def by_default(bug: Adjoint) -> Any:
    """Wrong where no method is given, as users call it: fixed steps, with a bug."""

    def odeint_adjoint_so(func, y0, t, *, method=None, options=None, adjoint_params=()):
        known = (
            {"method": method, "options": options} if method else {"method": "rk4", "options": {"step_size": 1 / 64}}
        )
        return (Adjoint() if method else bug)(func, y0, t, adjoint_params=adjoint_params, **known)

    return odeint_adjoint_so


PLANTED = (
    Planted("by default the state is frozen on the way back", "ode.odeint_adjoint", by_default(FreezesTheState())),
    Planted("by default the parameters' gradient has a wrong sign", "ode.odeint_adjoint", by_default(ParameterSign())),
    Planted("the Jacobian not transposed", "ode.odeint_adjoint", NotTransposed()),
    Planted("the adjoint with the sign of the state", "ode.odeint_adjoint", StateSign()),
    Planted("the parameters' gradient with the other sign", "ode.odeint_adjoint", ParameterSign()),
    Planted("dL/dt0 with the other sign", "ode.odeint_adjoint", FirstTimeSign()),
    Planted("no jump at the times in between", "ode.odeint_adjoint", NoJumpInBetween()),
    Planted("the state stays where the interval ends", "ode.odeint_adjoint", FreezesTheState()),
    Planted("time runs on where the state runs back", "ode.odeint_adjoint", TimeRunsOn()),
    Planted("the parameters' gradient of the last interval alone", "ode.odeint_adjoint", LastIntervalOnly()),
    Planted("dL/dt0 with the loss's share at t0", "ode.odeint_adjoint", JumpBeforeTheFirstTime()),
    Planted("backpropagation in the adjoint's place", "ode.odeint_adjoint", backpropagation),
    Planted(
        "the Jacobian not transposed",
        "ode.adjoint_backward",
        backward_with(lambda f, by_z, by_p, pushed: (f, -pushed, *(-g for g in by_p))),
    ),
    Planted(
        "the parameters' gradient with the other sign",
        "ode.adjoint_backward",
        backward_with(lambda f, by_z, by_p, pushed: (f, -by_z, *by_p)),
    ),
    Planted(
        "the state runs on where the adjoint runs back",
        "ode.adjoint_backward",
        backward_with(lambda f, by_z, by_p, pushed: (-f, -by_z, *(-g for g in by_p))),
    ),
)

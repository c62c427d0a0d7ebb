"""Ordinary differential equations: explicit Runge-Kutta methods and the adjoint method.

The arguments are torchdiffeq's. Three differences are meant: ``"rk4"`` is the classical method, not the 3/8 rule,
``"dopri5"`` steps onto every output time, and time is kept in float64; ``func`` gets it in the dtype of the state.
Stages are combined in float32 at least. Fixed steps run under ``torch.func.vmap``; adaptive steps branch on values.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "DOPRI5", "EULER", "RK4", "ButcherTableau", "adjoint_backward", "error_ratio", "odeint", "odeint_adjoint",
    "rk_step", "step_factor",
]  # fmt: skip

Scalar = Tensor | float
State = Tensor | tuple[Tensor, ...]
Func = Callable[..., Any]  # func(t, y) -> dy/dt, built like y
Row = tuple[Fraction | int, ...]


@dataclass(frozen=True)
class ButcherTableau:
    r"""An explicit Runge-Kutta method as exact data that checks itself; adaptive if it has ``b_embedded``.

    .. math:: k_i = f(t + c_i h,\ y + h \sum_{j<i} a_{ij} k_j), \qquad y_1 = y + h \sum_i b_i k_i

    Shapes: one entry a stage in ``b``, ``c``, ``b_embedded``, i in row i of ``a``. Raises ``ValueError`` unless all is
    exact, rows of ``a`` sum to ``c``, ``b_embedded`` to 1, and ``b`` meets the quadrature conditions of its ``order``.
    Source: Hairer, Nørsett & Wanner (1993), Solving Ordinary Differential Equations I, II.1.

    >>> ButcherTableau(a=((), (Fraction(1, 2),)), b=(0, 1), c=(0, Fraction(1, 2)), order=2).fsal
    False
    """

    a: tuple[Row, ...]
    b: Row
    c: Row
    order: int
    b_embedded: Row | None = None

    def __post_init__(self) -> None:
        embedded, stages = self.b if self.b_embedded is None else self.b_embedded, len(self.b)
        if not all(isinstance(x, int | Fraction) for x in itertools.chain(*self.a, self.b, self.c, embedded)):
            raise ValueError("tableau coefficients must be exact: write 1/6 as Fraction(1, 6)")
        if [len(row) for row in (*self.a, self.c, embedded)] != [*range(stages), stages, stages]:
            raise ValueError(f"{stages} stages need as many entries in c and b_embedded, and i in row i of a")
        nodes = list(zip(self.b, self.c, strict=True))
        bad = [n for n in range(self.order) if sum((n + 1) * b * c**n for b, c in nodes) != 1]
        if bad or tuple(map(sum, self.a)) != self.c or sum(embedded) != 1:
            raise ValueError(f"rows of a must sum to c, b_embedded to 1, Σ b cⁿ to 1 / (n + 1): not for n in {bad}")

    @property
    def fsal(self) -> bool:
        """Whether the last stage is the first of the next step (first same as last)."""
        return (*self.a[-1], 0) == self.b


def _row(entries: str) -> Row:
    return tuple(map(Fraction, entries.split()))


EULER = ButcherTableau(a=((),), b=(1,), c=(0,), order=1)
"""Euler's method; notes, section 2.2."""
RK4 = ButcherTableau(((), _row("1/2"), _row("0 1/2"), _row("0 0 1")), _row("1/6 1/3 1/3 1/6"), _row("0 1/2 1/2 1"), 4)
"""The classical method, Kutta (1901); notes, section 2.2. Not the 3/8 rule, which torchdiffeq calls "rk4"."""
DOPRI5 = ButcherTableau(
    a=((), _row("1/5"), _row("3/40 9/40"), _row("44/45 -56/15 32/9"),
       _row("19372/6561 -25360/2187 64448/6561 -212/729"), _row("9017/3168 -355/33 46732/5247 49/176 -5103/18656"),
       _row("35/384 0 500/1113 125/192 -2187/6784 11/84")),
    b=_row("35/384 0 500/1113 125/192 -2187/6784 11/84 0"), c=_row("0 1/5 3/10 4/5 8/9 1 1"), order=5,
    b_embedded=_row("5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40"),
)  # fmt: skip
"""RK5(4)7M of Dormand & Prince (1980); it goes on with order 5. torchdiffeq's error weights are two thirds of these."""
_METHODS = {"euler": EULER, "rk4": RK4, "dopri5": DOPRI5}
_ADAPTIVE = {"safety": 0.9, "dfactor": 0.2, "ifactor": 10.0, "first_step": None, "max_num_steps": 2**31 - 1}
Method = str | ButcherTableau | None
Options = Mapping[str, Any] | None


def rk_step(
    func: Func, t: Scalar, h: Scalar, y: Tensor, tableau: ButcherTableau, k1: Tensor | None = None
) -> tuple[Tensor, Tensor | None, Tensor]:
    r"""One step of a Runge-Kutta method from t to t + h, for h of either sign.

    .. math:: y_1 = y + h \sum_i b_i k_i, \qquad \text{error} = h \sum_i (b_i - \hat b_i) k_i

    Returns ``(y1, error, k_last)``: error is None without embedded weights, ``k_last`` is the ``k1`` of the next step
    if ``tableau.fsal``. Shapes: all that of ``y``; t and h are scalars. Raises ``ValueError`` if ``func`` returns
    another shape. Source: Hairer, Nørsett & Wanner (1993), II.1, II.4; notes, section 2.2.

    >>> rk_step(lambda t, y: y, 0.0, 1.0, torch.ones(1), EULER)[0]
    tensor([2.])
    """
    wide = torch.promote_types(y.dtype, torch.float32)
    t, h = (torch.as_tensor(time, dtype=torch.float64, device=y.device) for time in (t, h))
    point, slopes, error = y, list[Tensor](), None

    def change(weights: Row) -> Tensor:
        # A slope of weight zero is left out: infinite, it would turn the sum into nan.
        return h.to(wide) * sum(float(w) * k for w, k in zip(weights, slopes, strict=True) if w)

    for row, c in zip(tableau.a, tableau.c, strict=True):
        point = (y.to(wide) + change(row)).to(y.dtype) if slopes else y
        k = func((t + float(c) * h).to(y.dtype), point) if slopes or k1 is None else k1
        if k.shape != y.shape:
            raise ValueError(f"func(t, y) must have the shape of y, {tuple(y.shape)}; got {tuple(k.shape)}")
        slopes.append(k.to(wide))
    if tableau.b_embedded is not None:
        error = change(tuple(b - e for b, e in zip(tableau.b, tableau.b_embedded, strict=True)))
    y1 = point if tableau.fsal else (y.to(wide) + change(tableau.b)).to(y.dtype)
    return y1, error, slopes[-1].to(y.dtype)


def error_ratio(error: Tensor, y0: Tensor, y1: Tensor, rtol: float, atol: float) -> Tensor:
    r"""The error of a step over what is tolerated, as a root mean square; at most 1, the step counts.

    .. math:: r^2 = \frac1n \sum_i \bigl(e_i / (\text{atol} + \text{rtol} \max(|y_{0i}|, |y_{1i}|))\bigr)^2

    Shapes: three tensors of one shape to a scalar, 0 if they are empty. Raises nothing of its own.
    Source: Hairer, Nørsett & Wanner (1993), II.4, equations (4.10) and (4.11).

    >>> error_ratio(torch.tensor([3.0, 4.0]), torch.zeros(2), torch.ones(2), rtol=0.5, atol=0.5)
    tensor(3.5355)
    """
    scaled = error / (atol + rtol * torch.maximum(y0.abs(), y1.abs()))
    return (scaled.square().sum() / max(scaled.numel(), 1)).sqrt()


def step_factor(
    error_ratio: Scalar, order: int = 5, safety: float = 0.9, dfactor: float = 0.2, ifactor: float = 10.0
) -> Tensor:
    r"""The next step size over this one, where the local error falls as h to the ``order``.

    .. math:: \min(\text{ifactor},\ \max(\text{dfactor},\ \text{safety} \cdot r^{-1/\text{order}}))

    where r is the ``error_ratio``; infinite or undefined, it gives ``dfactor``. Shapes: elementwise. Raises nothing.
    Source: Hairer, Nørsett & Wanner (1993), II.4, (4.13); in words in the notes, 2.2, with power -1.

    >>> step_factor(torch.tensor([0.0, 1.0, 32.0, torch.inf]))
    tensor([10.0000,  0.9000,  0.4500,  0.2000])
    """
    ratio = torch.nan_to_num(torch.as_tensor(error_ratio), nan=math.inf, posinf=math.inf)
    limited = (safety * ratio.detach() ** (-1 / order)).clamp(dfactor, ifactor)
    free = (dfactor < limited) & (limited < ifactor)  # else the slope of the power may be infinite, and 0 · ∞ is NaN
    return torch.where(free, safety * torch.where(free, ratio, 1.0) ** (-1 / order), limited)


class _Flat:  # func on one flat vector, as the solvers see a tensor or a tuple of tensors
    def __init__(self, func: Func, y0: State) -> None:
        parts = y0 if isinstance(y0, tuple) else (y0,)
        dtypes = {getattr(part, "dtype", type(part)) for part in parts}
        if len(dtypes) != 1 or not all(isinstance(y, Tensor) and y.is_floating_point() for y in parts):
            raise ValueError(f"y0 must be a floating-point tensor, or a tuple of one dtype; got {dtypes}")
        self.func, self.is_tuple = func, isinstance(y0, tuple)
        self.shapes, self.sizes = [y.shape for y in parts], [y.numel() for y in parts]

    def pack(self, state: State) -> Tensor:
        return torch.cat([y.reshape(-1) for y in (state if isinstance(state, tuple) else (state,))])

    def unpack(self, flat: Tensor) -> State:
        pieces = zip(torch.split(flat, self.sizes, -1), self.shapes, strict=True)
        parts = tuple(piece.reshape(flat.shape[:-1] + shape) for piece, shape in pieces)
        return parts if self.is_tuple else parts[0]

    def __call__(self, t: Tensor, flat: Tensor) -> Tensor:
        slope = self.func(t.to(flat), self.unpack(flat))
        shapes = [getattr(k, "shape", type(k)) for k in (slope if isinstance(slope, tuple) else (slope,))]
        if shapes != self.shapes:
            raise ValueError(f"func(t, y) must return the shapes of y, {self.shapes}; it returned {shapes}")
        return self.pack(slope).to(flat.dtype)


class _Solver:  # a method with its settings
    def __init__(self, method: Method, rtol: float, atol: float, options: Options) -> None:
        tableau = method if isinstance(method, ButcherTableau) else _METHODS.get(method or "dopri5")
        if tableau is None:
            raise ValueError(f"unknown method {method!r}: use one of {[*_METHODS]} or a ButcherTableau")
        known: dict[str, Any] = {"step_size": None} if tableau.b_embedded is None else _ADAPTIVE
        given = {key: value for key, value in (options or {}).items() if value is not None}
        wrong = [k for k in given if k not in known or not 0 < given[k] < {"safety": 1, "dfactor": 1}.get(k, math.inf)]
        if wrong or not (rtol >= 0 and atol >= 0):
            raise ValueError(f"bad rtol={rtol}, atol={atol} or options={given}: use positive ones, of {[*known]}")
        self.tableau, self.rtol, self.atol, self.options = tableau, rtol, atol, {**known, **given}

    def states(self, flat: _Flat, y: Tensor, t: Tensor, mirrored: bool = False) -> Iterator[Tensor]:
        """The state at each time; ``mirrored``: on the fixed steps of the solve in the other direction."""
        if not isinstance(t, Tensor) or t.ndim != 1 or not t.numel() or not t.is_floating_point():
            raise ValueError(f"t must be a floating-point tensor of shape (times,), not empty; got {t!r}")
        try:
            times: list[float] | None = t.tolist()
        except RuntimeError:  # under torch.func.vmap one tensor stands for many, and has no values
            times = None
        gaps = [b - a for a, b in itertools.pairwise(times or ())]
        if not all(0 < gap < math.inf for gap in gaps) and not all(-math.inf < gap < 0 for gap in gaps):
            raise ValueError(f"t must be finite and strictly rising or falling: sort, drop repeats; got {t}")
        yield y
        if times is None and (self.tableau.b_embedded is not None or self.options["step_size"] is not None):
            raise ValueError("vmap hides the values of t: use 'rk4' or 'euler', and put every step into t")
        if self.tableau.b_embedded is not None and times is not None and len(times) > 1:
            yield from self._adaptive(flat, y, t.double(), times)
            return
        for start, end in itertools.pairwise(t.unbind()):
            mesh = self._mesh(end, start).flip(0) if mirrored else self._mesh(start, end)
            for time, after in itertools.pairwise(mesh.unbind()):
                y, _, _ = rk_step(flat, time, after - time, y, self.tableau)
            yield y

    def _mesh(self, start: Tensor, end: Tensor) -> Tensor:
        ends, size = torch.stack([start, end]).double(), self.options["step_size"]
        if size is None:
            return ends
        # Rounding in t must not add a sliver of a step: from 1.0 to 1.1 by 0.1 is one step, not two.
        (a, b), eps = ends.tolist(), torch.finfo(start.dtype).eps
        count = max(math.ceil((abs(b - a) - min(size / 2, eps * (abs(a) + abs(b)))) / size), 1)
        steps = torch.arange(count, dtype=torch.float64, device=ends.device) * math.copysign(size, b - a)
        return torch.cat([ends[0] + steps, ends[1:]])

    def _adaptive(self, flat: _Flat, y: Tensor, t: Tensor, times: list[float]) -> Iterator[Tensor]:
        start, now, slope, taken = t[0], times[0], flat(t[0], y), 0
        *control, size, most = (self.options[key] for key in _ADAPTIVE)
        size = size or self._first_step(flat, start, y, slope, times[-1] - now)
        for target, end in zip(t[1:].unbind(), times[1:], strict=True):
            while now != end:
                step = min(size, abs(end - now))
                ahead = end if step == abs(end - now) else now + math.copysign(step, end - now)
                if not abs(ahead - now) > 0:
                    raise RuntimeError(f"step {size} at t = {now}: func not finite or smooth there? Loosen rtol, atol")
                if taken == most:
                    raise RuntimeError(f"max_num_steps = {taken} at t = {now}: raise it, loosen rtol or atol")
                taken += 1
                # For autograd the mesh is constant, except the output times: they carry the gradient of t.
                stop = target if ahead == end else torch.full_like(target, ahead)
                candidate, error, last = rk_step(flat, start, stop - start, y, self.tableau, slope)
                ratio = self._ratio(flat, error, y, candidate)
                # Rounding in ahead - now could outweigh the factor. A step cut short says little next to the planned.
                proposal = step * step_factor(ratio, self.tableau.order, *control).item()
                size = max(size, proposal) if ratio <= 1 and step < size else proposal
                if ratio <= 1:
                    start, now, y = stop, ahead, candidate
                    slope = last if self.tableau.fsal else flat(start, y)
            yield y

    def _ratio(self, flat: _Flat, error: Any, y0: Tensor, y1: Tensor) -> Tensor:
        """The error ratio of the worst part of the state, in float64 so that no square overflows."""
        rtol = max(self.rtol, torch.finfo(y0.dtype).eps)
        parts = zip(*(torch.split(x.detach().double(), flat.sizes) for x in (error, y0, y1)), strict=True)
        return torch.stack([error_ratio(e, a, b, rtol, self.atol) for e, a, b in parts]).amax().cpu()

    @torch.no_grad()
    def _first_step(self, flat: _Flat, t: Tensor, y: Tensor, slope: Tensor, span: float) -> float:
        """A step of Euler's method measures the curvature: Hairer, Nørsett & Wanner (1993), section II.4."""
        d0, d1 = (self._ratio(flat, x, y, y).item() for x in (y, slope))
        if not math.isfinite(d0 + d1):
            raise ValueError("y0 and func(t0, y0) must be finite, and atol positive where y0 is 0")
        h0 = min(0.01 * d0 / d1 if min(d0, d1) > 1e-5 else 1e-6, abs(span))
        h = math.copysign(h0, span)
        steep = max(d1, self._ratio(flat, flat(t + h, y + h * slope) - slope, y, y).item() / h0)
        h1 = (0.01 / steep) ** (1 / self.tableau.order) if steep > 1e-15 else max(1e-6, 1e-3 * h0)
        return min(100 * h0, h1) or h0


def odeint(
    func: Func, y0: State, t: Tensor, *, rtol: float = 1e-7, atol: float = 1e-9,
    method: Method = None, options: Options = None,
) -> State:  # fmt: skip
    r"""Solves :math:`\dot y = f(t, y),\ y(t_0) = y_0` for y at every time of ``t``, differentiable along the steps.

    ``method``: ``"euler"``, ``"rk4"``, ``"dopri5"`` (default) or a ``ButcherTableau``, adaptive if it has embedded
    weights, of one order less. ``options`` of fixed steps: ``step_size``; without it one step leads from each time to
    the next, with it steps start anew at each and the last is cut to end on the next. Of adaptive steps, cut likewise:
    ``first_step``, ``max_num_steps`` in all, ``ifactor`` and, below 1, ``safety`` and ``dfactor`` of ``step_factor``.
    ``rtol``, at least the dtype's eps, and ``atol`` are those of ``error_ratio``, for the worst part of a tuple.

    Shapes: ``y0`` (...), or a tuple of one dtype, to (len(t), ...); ``t`` rises or falls from that of ``y0``.
    Raises ``ValueError`` for unusable arguments, ``RuntimeError`` when steps become too small or too many.
    Source: Dormand & Prince (1980); Hairer, Nørsett & Wanner (1993), II.1 and II.4; notes, section 2.2.

    >>> odeint(lambda t, y: -y, torch.ones(2), torch.tensor([0.0, 1.0]))[-1]
    tensor([0.3679, 0.3679])
    """
    flat, solver = _Flat(func, y0), _Solver(method, rtol, atol, options)
    return flat.unpack(torch.stack(list(solver.states(flat, flat.pack(y0), t))))


def adjoint_backward(
    func: Func, t0: Scalar, t1: Scalar, z1: Tensor, a1: Tensor, params: Sequence[Tensor] = (), *,
    rtol: float = 1e-7, atol: float = 1e-9, method: Method = None, options: Options = None,
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:  # fmt: skip
    r"""State, adjoint and parameter gradient of ``func(t, z, *params)``, solved back from t1 to t0.

    .. math:: \dot z = f, \; \dot a = -(\partial_z f)^T a, \; dL/d\theta = \int_{t_0}^{t_1} (\partial_\theta f)^T a dt

    from z(t1) = ``z1`` and a(t1) = ``a1``, the gradient of L there; then dL/dt1 = a(t1)·f, dL/dt0 = -a(t0)·f. The state
    is *recomputed*, which is unstable where f contracts: for f = -λz an error in ``z1`` comes back exp(λ(t1 - t0))
    times as large. Fixed steps are those of the forward solve in reverse. Differentiable; under ``torch.no_grad()`` no
    step adds to the memory. Returns ``(z0, a0, grads)``. Shapes: ``z1``, ``a1``, ``z0``, ``a0`` (...), ``grads`` as
    ``params``. Raises ``ValueError`` if ``a1`` and ``z1`` differ in shape, and what ``odeint`` raises.
    Source: Chen et al. (2018), Neural Ordinary Differential Equations, algorithm 1, appendix B; notes, section 2.3.2.

    >>> one = torch.ones(1)
    >>> adjoint_backward(lambda t, z, rate: rate * z, 0.0, 1.0, one, one, [one], method="rk4")[1]
    tensor([2.7083])
    """
    if a1.shape != z1.shape:
        raise ValueError(f"a1 must have the shape of z1, {tuple(z1.shape)}; got {tuple(a1.shape)}")

    def pull(t: Tensor, z: Tensor, a: Tensor) -> tuple[Tensor, ...]:
        slope, vjp = torch.func.vjp(lambda *inputs: func(t, *inputs), z, *params)  # type: ignore[misc]
        return slope, *vjp(a)

    ends = torch.stack([torch.as_tensor(time, dtype=torch.float64, device=z1.device) for time in (t0, t1)])
    return _solve_back(_Solver(method, rtol, atol, options), pull, ends, z1, a1, params)


def _solve_back(
    solver: _Solver, pull: Func, ends: Tensor, z1: Tensor, a1: Tensor, params: Sequence[Tensor]
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    def augmented(t: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        slope, *products = pull(t, *state[:2])  # f, aᵀ∂f/∂z and, for each parameter, aᵀ∂f/∂θ
        return slope, *(-product for product in products)

    state = (z1, a1, *(torch.zeros_like(p, dtype=z1.dtype) for p in params))
    flat = _Flat(augmented, state)
    *_, y = solver.states(flat, flat.pack(state), ends.flip(0), mirrored=True)
    z0, a0, *grads = flat.unpack(y)
    return z0, a0, tuple(grad.to(p.dtype) for grad, p in zip(grads, params, strict=True))


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, flat: _Flat, ahead: _Solver, back: _Solver, t: Tensor, y: Tensor, *params: Tensor) -> Tensor:
        ys = torch.stack(list(ahead.states(flat, y, t)))
        ctx.flat, ctx.solver = flat, back
        ctx.save_for_backward(t, ys, *params)
        return ys

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        def pull(t: Tensor, z: Tensor, a: Tensor) -> tuple[Tensor, ...]:
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                slope = ctx.flat(t, z)
            if not slope.requires_grad:
                return slope, *map(torch.zeros_like, (z, *params))
            return slope.detach(), *torch.autograd.grad(slope, (z, *params), a, materialize_grads=True)

        t, ys, *params = ctx.saved_tensors
        a, totals, weights = grad[-1], [torch.zeros_like(p) for p in params], grad.clone()
        weights[0] = 0  # of the states, t_i moves only the i-th, but t_0 all except the first
        for i in reversed(range(len(t) - 1)):
            _, a, grads = _solve_back(ctx.solver, pull, t[i : i + 2], ys[i + 1], a, params)
            totals = [total + g for total, g in zip(totals, grads, strict=True)]
            weights[0] = -a
            a = a + grad[i]
        slopes = torch.stack([ctx.flat(time, y) for time, y in zip(t, ys, strict=True)])
        return None, None, None, (weights.double() * slopes.double()).sum(-1).to(t.dtype), a, *totals


def odeint_adjoint(
    func: Func, y0: State, t: Tensor, *, rtol: float = 1e-7, atol: float = 1e-9, method: Method = None,
    options: Options = None, adjoint_rtol: float | None = None, adjoint_atol: float | None = None,
    adjoint_method: Method = None, adjoint_options: Options = None, adjoint_params: Sequence[Tensor] | None = None,
) -> State:  # fmt: skip
    r"""``odeint`` with the gradient of the adjoint equation, in memory that does not grow with the steps.

    .. math:: dL/dt_0 = -a(t_0^+) \cdot f(t_0, y_0), \qquad dL/dt_i = (dL/dy_i) \cdot f(t_i, y_i), \quad i > 0

    and ``adjoint_backward`` from each output time to the one before; there the adjoint jumps by the gradient that
    arrives, and the state restarts from the observed one. This is the gradient of the equation, up to the error of the
    solve back; ``odeint`` gives that of its steps. ``adjoint_params`` (default: the parameters of ``func``, a module)
    get gradients, other tensors in ``func`` none; the other ``adjoint_*`` default to their namesakes. Differentiable
    once, not by ``torch.func``. Shapes: as ``odeint``.
    Raises what ``odeint`` raises, and ``ValueError`` without ``adjoint_params`` if ``func`` is no ``nn.Module``, or
    without ``adjoint_options`` if ``options`` are given and the methods differ.
    Source: Chen et al. (2018), Neural Ordinary Differential Equations, section 2, appendices B, C; notes, 2.3.2.

    >>> y0 = torch.ones(1, requires_grad=True)
    >>> odeint_adjoint(lambda t, y: -y, y0, torch.tensor([0.0, 1.0]), adjoint_params=())[-1].backward()
    >>> y0.grad
    tensor([0.3679])
    """
    if adjoint_params is None and not isinstance(func, nn.Module):
        raise ValueError("adjoint_params must be given if func is no nn.Module: () if it has none")
    params = func.parameters() if adjoint_params is None else adjoint_params  # type: ignore[attr-defined]
    if adjoint_options is None and options and adjoint_method not in (None, method):
        raise ValueError("adjoint_options must be given for an adjoint_method that differs from method")
    pairs: Any = ((adjoint_method, method), (adjoint_rtol, rtol), (adjoint_atol, atol), (adjoint_options, options))
    ahead, back = _Solver(method, rtol, atol, options), _Solver(*(b if a is None else a for a, b in pairs))
    flat = _Flat(func, y0)
    tensors = (t, flat.pack(y0), *(p for p in params if p.requires_grad))
    return flat.unpack(_Adjoint.apply(flat, ahead, back, *tensors))  # type: ignore[no-untyped-call]

"""Adam as its claims write it: the loop, the usual mistakes in it, and the weighted means that it comes to.

The claims: ``optim_adam_moments`` (what the averages are), ``optim_adam_correction`` (what their correction is good
for), ``optim_adam_update`` (the step), ``optim_adam_options`` (decay and ascent), ``optim_adam_adaptive`` (a step size
for each coordinate), ``optim_adam_bound`` (how long a step can get), ``optim_adam_decoupled`` (AdamW).
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sympy import Basic, IndexedBase, Max, Sum, Symbol, sqrt

from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board

k, r = Symbol("k", integer=True), Symbol("r", integer=True)


def betas(c: Board, positive: bool = False) -> tuple[Any, Any]:
    """The rates at which both averages forget, from 0 to below 1; the second may be asked not to be 0."""
    typical = (0.3, 0.999) if positive else (0.999, 0.99)
    return (
        c.hyper("beta1", 0.0, 1.0, open_high=True, typical=(0.9, 0.0)),
        c.hyper("beta2", 0.0, 1.0, open_low=positive, open_high=True, typical=typical),
    )


def hyper(c: Board, positive: bool = False) -> tuple[Any, Any, Any, Any]:
    """The learning rate, both betas and epsilon."""
    lr = c.hyper("lr", 0.0, float("inf"), typical=(0.001, 0.1))
    return lr, *betas(c, positive), c.hyper("eps", 0.0, float("inf"), open_low=True, typical=(1e-8, 0.001))


def started(c: Board, width: tuple[int, int] = (1, 2), steps: Any = (1, 5), forgets: bool = False) -> SimpleNamespace:
    """The start and the gradients of some steps of Adam, its hyper-parameters and its indices: steps are s, or t with
    the start at 0.
    """
    n, T = c.size("n", *width), steps if steps == 1 else c.size("T", *steps)
    theta0, g = c.real("theta0", n), c.real("g", T, n)
    lr, b1, b2, eps = hyper(c, forgets)
    t, s, i = c.index("t", 0, T), c.index("s", 1, T), c.index("i", n)
    return SimpleNamespace(n=n, T=T, theta0=theta0, g=g, lr=lr, b1=b1, b2=b2, eps=eps, t=t, s=s, i=i, at=(s, i))


def loop(c: Board, a: SimpleNamespace, gradient: Any, eps: Any = None) -> None:
    """Adam's loop, for what it takes as the gradient of step s, a formula or a function of the parameter before."""
    moments(c, a, gradient)
    step(c, a, eps)
    a.theta = c.recur("theta", (a.t, a.i), first=a.theta0[a.i], later=lambda theta: theta[a.t - 1, a.i] - a.u[a.t, a.i])


def moments(c: Board, a: SimpleNamespace, gradient: Any) -> None:
    """Both moments, and corrected."""
    t, s, i, b1, b2 = a.t, a.s, a.i, a.b1, a.b2
    before = IndexedBase("theta", real=True)[s - 1, i]
    d = a.d = c.let("d", a.at, gradient if isinstance(gradient, Basic) else gradient(before))
    a.m = c.recur("m", (t, i), first=0, later=lambda m: m[t - 1, i] + (1 - b1) * (d[t, i] - m[t - 1, i]))  # torch.lerp
    a.v = c.recur("v", (t, i), first=0, later=lambda v: b2 * v[t - 1, i] + (1 - b2) * d[t, i] ** 2)
    correct(c, a)


def correct(c: Board, a: SimpleNamespace) -> None:
    """The moments after step s divided by the weight that the gradients have been given."""
    a.mhat = c.let("mhat", a.at, a.m[a.at] / (1 - a.b1**a.s))
    a.vhat = c.let("vhat", a.at, a.v[a.at] / (1 - a.b2**a.s))


def step(c: Board, a: SimpleNamespace, eps: Any = None) -> None:
    """The step u, of which epsilon may be another number."""
    a.u = c.let("u", a.at, a.lr * a.mhat[a.at] / (sqrt(a.vhat[a.at]) + (a.eps if eps is None else eps)))


# ------------------------------------------------------------------ what both moments come to


def means(c: Board, a: SimpleNamespace, gradient: Callable[[Any], Any] | None = None, scale: Any = 1) -> None:
    """Two definitions: the means of the first s gradients, and of their squares; k steps ago weighs ``beta**k``.

    The gradient of step s is the loop's own d[s], if no other is given. The loop may have it times a scale.
    """
    a.plain = () if gradient is None else (a.d,)
    gradient = gradient or (lambda s: a.d[s, a.i])
    for name, rate, power in (("mean", a.b1, 1), ("square", a.b2, 2)):
        total = Sum(rate**k * gradient(a.s - k) ** power, (k, 0, a.s - 1))
        weights = Sum(rate**k, (k, 0, a.s - 1))
        setattr(
            a,
            name,
            SimpleNamespace(of=c.let(name, a.at, total / weights), total=total, weights=weights, scale=scale**power),
        )


def path(a: SimpleNamespace, last: Any) -> Any:
    """Where the steps lead: from the start, minus the rate times every mean over its root mean square."""
    steps = a.mean.of[r, a.i] / (sqrt(a.square.of[r, a.i]) + a.eps)
    return a.theta0[a.i] - a.lr * Sum(steps, (r, 1, last))


def geometric(p: Bench, rate: Any, t: Any) -> Theorem:
    """The weights ``1, rate, rate**2 ...`` of t steps add up to ``(1 - rate**t) / (1 - rate)``."""
    return p.induction(
        f"the weights of {rate} add up", (Sum(rate**k, (k, 0, t - 1)), (1 - rate**t) / (1 - rate)), on=t,
        base=lambda p: None, step=lambda p, known: p.combine((1, known)),
    )  # fmt: skip


def corrected(p: Bench, a: SimpleNamespace) -> tuple[Theorem, Theorem]:
    """Both corrected moments are the weighted means."""
    first = _corrected(p, a, a.m, a.mhat, a.mean, a.b1)
    return first, _corrected(p, a, a.v, a.vhat, a.square, a.b2)


def _corrected(p: Bench, a: SimpleNamespace, moment: Any, hat: Any, mean: Any, rate: Any) -> Theorem:
    """The recursion comes to a weighted sum, and 1 - beta**t is 1 - beta times the sum of the weights."""

    def later(p: Bench, known: Theorem) -> None:
        p.left.unfold(moment, *a.plain).rewrite(known)

    total = mean.total.xreplace({a.s: a.t})
    solved = p.induction(
        f"{moment} is a weighted sum", (moment[a.t, a.i], mean.scale * (1 - rate) * total), on=a.t, step=later
    )
    counted = geometric(p, rate, a.t)

    def meet(p: Bench) -> None:
        p.left.unfold(hat).rewrite(solved)
        p.right.unfold(mean.of).rewrite(p.at(counted, {a.t: a.s}))

    return p.have(f"{hat} is a weighted mean", hat[a.at], "=", mean.scale * mean.of[a.at], meet)


def follow(p: Bench, a: SimpleNamespace) -> None:
    """The loop leads along the path: by induction, a step of weighted means at a time."""
    means = corrected(p, a)

    def later(p: Bench, known: Theorem) -> None:
        p.left.unfold(a.theta, a.u).rewrite(*means, known)

    p.left.rewrite(p.induction("the steps add up", (a.theta[a.t, a.i], path(a, a.t)), on=a.t, step=later))


def stepped(p: Bench, a: SimpleNamespace) -> Theorem:
    """One step, by the weighted means."""
    means = corrected(p, a)
    before, move = a.theta[a.s - 1, a.i], a.lr * a.mean.of[a.at] / (sqrt(a.square.of[a.at]) + a.eps)

    def moved(p: Bench) -> None:
        p.left.unfold(a.theta, a.u).rewrite(*means)

    return p.have("a step", a.theta[a.at], "=", before - move, moved)


# ------------------------------------------------------------------ mistakes


def mistakes(c: Board, a: SimpleNamespace, *names: str) -> None:
    """Usual mistakes in the loop, by name, and what other libraries compute."""
    for name in names:
        MISTAKES[name](c, a, name)


def _step(source: str, formula: Callable[[SimpleNamespace], Any], **more: Any) -> Any:
    """Another step u."""
    return lambda c, a, name: c.variant(name, source, u=formula(a), **more)


def _divided(source: str, by: Callable[[Any, Any, Any], tuple[Any, Any]]) -> Any:
    """Other divisors of the moments."""

    def write(c: Board, a: SimpleNamespace, name: str) -> None:
        first, second = by(a.b1, a.b2, a.s)
        c.variant(name, source, mhat=a.m[a.at] / first, vhat=a.v[a.at] / second)

    return write


def _betas_exchanged(c: Board, a: SimpleNamespace, name: str) -> None:
    t, i, b1, b2, d = a.t, a.i, a.b1, a.b2, a.d
    c.variant(
        name,
        "known bug",
        m=lambda m: b2 * m[t - 1, i] + (1 - b2) * d[t, i],
        v=lambda v: b1 * v[t - 1, i] + (1 - b1) * d[t, i] ** 2,
        mhat=a.m[a.at] / (1 - b2**a.s),
        vhat=a.v[a.at] / (1 - b1**a.s),
    )


def _belief(c: Board, a: SimpleNamespace, name: str) -> None:
    t, i, b2 = a.t, a.i, a.b2
    c.variant(name, "AdaBelief", v=lambda v: b2 * v[t - 1, i] + (1 - b2) * (a.d[t, i] - a.m[t, i]) ** 2)


def _greatest(c: Board, a: SimpleNamespace, name: str) -> None:
    t, i = a.t, a.i
    greatest = c.recur("greatest", (t, i), first=0, later=lambda most: Max(most[t - 1, i], a.v[t, i]))
    c.variant(name, "AMSGrad", vhat=greatest[a.at] / (1 - a.b2**a.s))


MISTAKES: dict[str, Callable[[Board, SimpleNamespace, str], None]] = {
    "epsilon inside the root": _step(
        "notes",
        lambda a: a.lr * a.mhat[a.at] / sqrt(a.vhat[a.at] + a.eps),
        printed=True,
        why="for a gradient of 1e-6 and epsilon 1e-8 the first step is 0.01 rates long, where Adam's is 0.99",
    ),
    "epsilon hat": _step(
        "Kingma and Ba, end of section 2; TensorFlow and Keras",
        lambda a: a.lr * sqrt(1 - a.b2**a.s) / (1 - a.b1**a.s) * a.m[a.at] / (sqrt(a.v[a.at]) + a.eps),
        why="the same as an epsilon that is divided by sqrt(1 - beta2**t), by 0.03 at the first step",
    ),
    "epsilon inside the root and outside": _step(
        "optax, with eps_root = eps", lambda a: a.lr * a.mhat[a.at] / (sqrt(a.vhat[a.at] + a.eps) + a.eps)
    ),
    "epsilon as the least divisor": _step("known bug", lambda a: a.lr * a.mhat[a.at] / Max(sqrt(a.vhat[a.at]), a.eps)),
    "no epsilon": _step("sign of the gradient, at the first step", lambda a: a.lr * a.mhat[a.at] / sqrt(a.vhat[a.at])),
    "no correction of the bias": _divided("RMSprop with momentum", lambda b1, b2, t: (1, 1)),
    "one step too many": _divided(
        "known bug: exponent t + 1", lambda b1, b2, t: (1 - b1 ** (t + 1), 1 - b2 ** (t + 1))
    ),
    "multiplied by the corrections": _divided(
        "known bug: not divided", lambda b1, b2, t: (1 / (1 - b1**t), 1 / (1 - b2**t))
    ),
    "only the first moment corrected": _divided("known bug", lambda b1, b2, t: (1 - b1**t, 1)),
    "only the second moment corrected": _divided("known bug", lambda b1, b2, t: (1, 1 - b2**t)),
    "correction with the betas exchanged": _divided("known bug", lambda b1, b2, t: (1 - b2**t, 1 - b1**t)),
    "correction of the second moment without its root": _step(
        "known bug where the corrections are one factor",
        lambda a: a.lr * a.mhat[a.at] / (sqrt(a.v[a.at]) / (1 - a.b2**a.s) + a.eps),
    ),
    "square in the place of the root": _step(
        "known bug: an exponent of 2, not 1/2", lambda a: a.lr * a.mhat[a.at] / (a.vhat[a.at] + a.eps) ** 2
    ),
    "sign of the update": _step("known bug", lambda a: -a.lr * a.mhat[a.at] / (sqrt(a.vhat[a.at]) + a.eps)),
    "no division": _step("momentum", lambda a: a.lr * a.mhat[a.at]),
    "betas exchanged": _betas_exchanged,
    "squared deviation from the first moment": _belief,
    "the greatest second moment so far": _greatest,
}

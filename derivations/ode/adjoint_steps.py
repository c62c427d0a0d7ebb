"""Solves ahead and back on ``dz/dt = rate z``, whose solution is known, with N steps of size h; z is rate h.

What the claims on the adjoint method's errors share: the programs, and their closed forms.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import IndexedBase, Sum, Symbol

from gnomon.derivations.ode.initial_value import stage_value, tableau
from gnomon.derivations.ode.trees import Tableau
from gnomon.proof.bench import Bench
from gnomon.proof.inequality import product
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import function, tensor

# ---------------------------------------------------------------- the solve ahead and the solve back


def domains(c: Board) -> SimpleNamespace:
    """The number of steps, their size, the problem, and the indices of steps and stages."""
    N = c.size("N", 1, 6)
    h = c.hyper("h", 0.125, 0.5, typical=(0.5, 0.25, 0.125))
    y0, rate = c.real("y0", 1, low=-2, high=2), c.real("rate", low=-2, high=2)
    return SimpleNamespace(c=c, N=N, h=h, y0=y0, rate=rate, z=rate * h, first=y0[0], n=c.index("n", 0, N))


def moved(run: SimpleNamespace, name: str, slopes: Any, begin: Any, sign: int) -> Any:
    """The definition of ``name`` by steps along its slopes."""
    n, s, b, last = run.n, run.s, run.b, run.stages - 1
    return run.c.recur(name, n, begin, lambda x: x[n - 1] + sign * run.h * Sum(b[s] * slopes[n - 1, s], (s, 0, last)))


def within(run: SimpleNamespace, now: Any, slopes: Any, sign: int) -> Any:
    """The state of a stage; n counts the steps of each solve from where it starts."""
    n, s, j = run.n, run.s, run.j
    return now[n] + sign * run.h * Sum(run.a[s, j] * slopes[n, j], (j, 0, s - 1))


def states(run: SimpleNamespace) -> None:
    """The state on the way ahead and on the way back."""
    c, n, s, rate = run.c, run.n, run.s, run.rate
    state, back, back_k = (IndexedBase(name, real=True) for name in ("state", "back", "back_k"))
    run.state_k = c.let("state_k", (n, s), lambda k: rate * within(run, state, k, 1))
    run.state = moved(run, "state", run.state_k, run.first, 1)
    run.back_p = c.let("back_p", (n, s), within(run, back, back_k, -1))
    run.back_k = c.let("back_k", (n, s), rate * run.back_p[n, s])
    run.back = moved(run, "back", run.back_k, state[run.N], -1)


def adjoint(c: Board, method: Tableau, name: str, integral: bool = True) -> SimpleNamespace:
    """N steps back with the adjoint; and ahead with the state, and back with it and with the gradient by the rate."""
    label = c.choice("method", {name: {}})
    run = domains(c)
    run.cost, run.method, run.stages = c.real("c", low=-2, high=2), method, method.stages
    n, (s, j) = run.n, c.indices("s j", run.stages)
    run.s, run.j, (run.a, run.b) = s, j, tableau(c, method, s, j)
    adj, adj_k = (IndexedBase(name, real=True) for name in ("adj", "adj_k"))
    run.adj_p = c.let("adj_p", (n, s), within(run, adj, adj_k, -1))
    run.adj_k = c.let("adj_k", (n, s), -run.rate * run.adj_p[n, s])
    run.adj = moved(run, "adj", run.adj_k, run.cost, -1)
    if integral:
        states(run)
        run.grad_k = c.let("grad_k", (n, s), -run.adj_p[n, s] * run.back_p[n, s])
        run.grad = moved(run, "grad", run.grad_k, 0, -1)
    run.method_of_call = label
    return run


def called(run: SimpleNamespace, parameters: tuple[Any, ...], by: Any) -> Any:
    """The call that takes the gradient of the loss ``c z(t1)``."""
    y, t, i = IndexedBase("y", real=True), Symbol("t", real=True), Symbol("i", integer=True)
    f, n = function((t, y), run.rate * y[i], (i, 0, 0)), run.n
    times, step = tensor(n * run.N * run.h, (n, 0, 1)), {"step_size": run.h}
    solved = run.c.call(f, run.y0, times, method=run.method_of_call, options=step, adjoint_params=parameters)
    return solved.rows(1).then(y, run.cost * y[1, 0]).gradient(by=by)


def stays(run: SimpleNamespace) -> None:
    """A solver that forgets to take the state back."""
    run.c.variant("the state stays where it ends", "known bug", back_k=0)


def other_sign(run: SimpleNamespace) -> None:
    """An integral over the way ahead, not over the way back."""
    flipped = run.adj_p[run.n, run.s] * run.back_p[run.n, run.s]
    run.c.variant("the other sign", "known bug: limits exchanged", grad_k=flipped)


# ---------------------------------------------------------------- proofs


def grows(
    p: Bench, run: SimpleNamespace, name: str, factor: Any, begin: Any, *names: str, known: Any = (), by: Any = None
) -> Theorem:
    """The closed form of a solve: each step multiplies by the same polynomial of z; ``by`` tells methods apart."""
    now, slope, n = getattr(run, name), getattr(run, f"{name}_k"), run.n

    def turn(b: Bench, *given: Any) -> None:
        b.left.unfold(now).listed()
        for stage in range(run.stages):
            b.left.rewrite(stage_value(b, slope[n - 1, stage], *names, given=given))
        b.left.unfold("b")
        b.right.unfold(factor)

    def turns(b: Bench) -> None:
        b.cases(by, yes=lambda b: turn(b, by), no=lambda b: turn(b, ~by))

    one = p.have(f"a step of {name}", now[n], "=", factor * now[n - 1], turn if by is None else turns, given=[n >= 1])
    found: Theorem = p.induction(
        f"all steps of {name}", (now[n], begin * factor**n), on=n,
        base=lambda b: b.left.unfold(now).rewrite(*known), step=lambda b, before: b.left.rewrite(one, before),
    )  # fmt: skip
    return found


def gathered(p: Bench, run: SimpleNamespace, scale: Any, total: Any, known: Any, weighed: Any = None) -> Theorem:
    """The integral in closed form: a step adds the weights of its stages, times adjoint and state."""
    n, grad = run.n, run.grad

    def work(b: Bench, stage: int) -> Theorem:
        chain = b.chain(run.grad_k[n, stage]).unfold("grad_k", "adj_p", "back_p").listed(quiet=True)
        if stage:
            chain.unfold("a")
        for name in ("adj", "back") if stage else ():
            chain.rewrite(stage_value(b, IndexedBase(f"{name}_k", real=True)[n, stage - 1], f"{name}_p"))
        return chain.theorem

    def step(b: Bench, before: Theorem) -> None:
        b.left.unfold(grad).rewrite(before).listed()
        for stage in range(run.stages):
            b.left.rewrite(work(b, stage))
        b.left.unfold("b").rewrite(*known[:2])
        b.right.unfold(total).rewrite(known[2])
        for chain in (b.left, b.right) if weighed else ():
            chain.unfold(weighed)

    found: Theorem = p.induction(
        "what is gathered", (grad[n], scale * total[n]), on=n,
        base=lambda b: (b.left.unfold(grad), b.right.unfold(total)), step=step,
    )  # fmt: skip
    return found


def small(p: Bench, run: SimpleNamespace) -> Theorem:
    """``z^2 <= 1``."""

    def side(way: int) -> Theorem:
        end = p.have(f"the rate, {way}", way * run.rate, "<=", 2)
        return p.have(f"z, {way}", way * run.z, "<=", 1, lambda b: b.combine((run.h, end)))

    return p.named("z^2 is at most 1", product(p.theory, side(1), side(-1)))

"""The loss, backpropagation through the steps of a solver, and what the adjoint method keeps (2.3.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Piecewise, Sum, Symbol

from gnomon.derivations.ode.initial_value import FIELD, D, cases, pulled, tableau, velocity
from gnomon.derivations.ode.problem import a_step, along, grid, host, problem
from gnomon.derivations.ode.trees import EULER, entry
from gnomon.proof.bench import Bench
from gnomon.say.board import Board
from gnomon.say.call import Call, function, returned, tensor
from gnomon.say.maker import claim

SECTION = "2.3.2"
k = Symbol("k", integer=True)

# ---------------------------------------------------------------- the objective


@claim("adjoint.objective", SECTION, "ode.odeint")
def objective(c: Board) -> None:
    """The loss is of the state at t1, which a solver reaches from z(t0), f, t0, t1 and the parameters."""
    # two steps, and so small that the state after t1, which the loss does not see, stays finite: its gradient is 0
    # times it, and of many steps it may be infinite
    of = problem(c, steps=(2, 2), width=(0.0625, 0.25))
    n, m, i, y0, t0 = of.n, of.m, of.i, of.y0, of.t0
    w = c.real("w", D, low=-2, high=2)
    s, j = c.indices("s j", EULER.stages)
    t, step = grid(c, of)
    a, b = tableau(c, EULER, s, j)
    nodes = c.let("c", s, entry(EULER.c, s))
    y, k = (IndexedBase(name, real=True) for name in "yk")
    point = c.let("point", (m, s, i), y[m, i] + step[m] * Sum(a[s, j] * k[m, j, i], (j, 0, s - 1)))
    c.let("k", (m, s, i), velocity(i, t[m] + nodes[s] * step[m], along(point, m, s)))
    c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + step[n - 1] * Sum(b[s] * k[n - 1, s, i], (s, 0, 0)))

    def of_state(z: Any) -> Any:
        return c.sum(w[i] * z(i) + z(i) ** 2 / 2, i)

    loss = c.let("loss", (), of_state(lambda i: y[1, i]))
    reached = c.let("reached", i, y0[i] + (of.time(1) - t0) * velocity(i, t0, along(y0)))
    c.law(loss, of_state(lambda i: reached[i]))

    @c.prove
    def _(p: Bench) -> None:
        """What the solver passes first is one step from z(t0)."""
        width = a_step(p, of)
        p.left.unfold(loss).listed().unfold(y).listed().unfold(k, b, nodes, point).rewrite(width).unfold(y, t)
        p.right.listed().unfold(reached)

    state = IndexedBase("y", real=True)
    c.call(of.asked(), y0, of.times(), method="euler").then(state, of_state(lambda i: state[1, i])).shows(loss)
    c.variant(
        "solved to T instead of t1", "notes", printed=True, loss=of_state(lambda i: y[2, i]),
        why="The notes write t1 on the left and T on the right; they agree if T = t1.",
    )  # fmt: skip
    c.variant("f left out", "notes: ODESolve(z(t0), t0, T, theta)", printed=True, k=0)
    c.remark(
        "The solver goes on to a third time, which the loss does not look at. Its gradient is checked along with it."
    )


# ---------------------------------------------------------------- the gradient of the steps themselves


def of_all(of: Any, w: Any, y: Any, at: Any, first: Any = 0) -> Any:
    """The loss at the times from ``first`` on: w . y and half of y squared; ``at(n)`` are the indices of a time."""
    term = w[k, of.i] * y[(*at(k), of.i)] + y[(*at(k), of.i)] ** 2 / 2
    return Sum(term, (of.i, 0, D - 1), (k, first, of.N))


@claim("adjoint.direct_backprop_claims", SECTION, "ode.odeint")
def backprop(c: Board) -> None:
    """Backpropagation through the steps is the exact gradient of the loss that was computed."""
    of = problem(c, equal=True)
    N, n, i, y0, theta = of.N, of.n, of.i, of.y0, of.theta
    w = c.real("w", N + 1, D, low=-2, high=2)
    c.smooth(*FIELD)
    t, step = grid(c, of)
    y = c.recur("y", (n, i), y0[i], lambda y: y[n - 1, i] + step[n - 1] * velocity(i, t[n - 1], along(y, n - 1)))
    jump = w[n, i] + y[n, i]

    def carried(lam: Any, wrt: str, where: Any) -> Any:
        """What a step hands back of the cotangent after it; its Jacobian is taken at ``where``."""
        return step[n] * pulled(i, t[where], along(y, where), along(lam, n + 1), wrt)

    def back(where: Any, jump: Any = jump) -> dict[str, Any]:
        lam, by = (IndexedBase(name, real=True) for name in ("lam", "by"))
        return {
            "lam": Piecewise(
                (w[n, i] + y[n, i], Eq(n, N)), (jump + lam[n + 1, i] + carried(lam, "state", where), True)
            ),
            "by": Piecewise((0, Eq(n, N)), (by[n + 1, i] + carried(lam, "parameters", where), True)),
        }

    lam, by = (c.let(name, (n, i), formula) for name, formula in back(n).items())
    c.output("grad_y0", lam[0, i])
    c.output("grad_theta", by[0, i])
    loss = c.let("loss", (), of_all(of, w, y, lambda n: (n,)))

    def at_entry(b: Bench, entry: Any, gathered: Any) -> None:
        """From the last time down: the loss from a time on moves by the cotangent there, and what is gathered since."""
        moves, own = c.D(y[n, i], entry).base, entry.indices

        def felt(n: Any) -> Any:
            return sum((w[n, row] + y[n, row]) * moves[(n, row, *own)] for row in range(D))

        through = sum(lam[n, row] * moves[(n, row, *own)] for row in range(D)) + gathered
        names = ("lam", "by") if gathered else ("lam",)

        def earlier(b: Bench, later: Any) -> None:
            b.left.to(felt(n - 1) + Sum(felt(k), (k, n, N))).rewrite(later)
            b.left.rewrite(b.theory.definitions[str(moves)], at={n: n})
            b.right.unfold(*names)

        back = b.induction(
            f"the loss from a time on, {entry}", (Sum(felt(k), (k, n, N)), through), on=n, start=N, down=True,
            base=lambda b: b.right.unfold(*names), step=earlier,
        )  # fmt: skip
        b.right.unfold(c.D(loss, entry)).to(Sum(felt(k), (k, 0, N))).rewrite(back, at={n: 0}).unfold(moves)

    c.law(lam[0, i], c.D(loss, y0[i]))
    c.prove(lambda b: b.every(i, D, lambda b, row: at_entry(b, y0[row], 0)))
    c.law(by[0, i], c.D(loss, theta[i]))
    c.prove(lambda b: b.every(i, D, lambda b, row: at_entry(b, theta[row], by[n, row])))
    yy = IndexedBase("y", real=True)
    solved = c.call(of.asked(), y0, of.times(), method="euler").rows(1)
    loss_ = Sum(w[n, i] * yy[n, i] + yy[n, i] ** 2 / 2, (i, 0, D - 1), (n, 0, N))
    solved.then(yy, loss_).gradient(by=(y0, theta)).shows("grad_y0", "grad_theta")
    c.variant(
        "the adjoint equation by steps from the end",
        "notes: 'introduces numerical error', read as an advantage of the adjoint",
        printed=True,
        why="It is the gradient of the differential equation up to the error of its steps, not that of what was "
        "computed.",
        **back(n + 1),
    )
    c.variant("the loss of the last state alone", "known bug", lam=back(n, 0)["lam"])
    c.variant("Jacobian at the first state throughout", "known bug", **back(0))
    c.remark("Against the gradient of the differential equation itself both err, each by the error of its steps.")


# ---------------------------------------------------------------- memory


@claim("adjoint.memory", SECTION, "ode.odeint_adjoint")
def memory(c: Board) -> None:
    """What the adjoint method keeps does not grow with the number of steps."""
    N, S = c.size("N", 2, 8), Symbol("S", integer=True, positive=True)
    method = c.choice("method", {"rk4": {S: 4}, "euler": {S: 1}})
    t0, h = host(c)
    growth = c.let("growth", (), 0)
    c.law(growth, 0)
    n, i = (Symbol(name, integer=True) for name in "ni")
    y, t, fine, coarse = IndexedBase("y", real=True), *(Symbol(name, real=True) for name in ("t", "fine", "coarse"))
    f = function((t, y), cases([t - y[1], y[0] * y[1]], i), (i, 0, D - 1))
    start, ends = tensor(0, (i, 0, D - 1)), tensor(t0 + n * h, (n, 0, 1))

    def kept(width: Any) -> Call:
        """What autograd keeps of a solve with steps of some width, and of the way back."""
        how = {"method": method, "options": {"step_size": width}, "adjoint_params": ()}
        solved = Call("ode.odeint_adjoint", f, start, ends, **how)
        return solved.then(y, Sum(y[1, i] ** 2, (i, 0, D - 1))).gradient(by=start).kept()

    c.calls = kept(h / N).shows(growth=tensor(fine - coarse, fine=returned(), coarse=kept(h)))
    c.variant("a state for every step", "backpropagation through the steps", growth=D * (N - 1))
    c.variant("a state for every stage", "backpropagation through the steps", growth=D * (N - 1) * S)
    c.variant("a state for every second step", "checkpoints", growth=D * (N - 1) / 2)
    c.remark(
        "Counted are the numbers that autograd holds at once, through torch.autograd.graph.saved_tensors_hooks, "
        "with N steps less those with one. With the size of the state, the number of parameters and of observed times "
        "it does grow."
    )

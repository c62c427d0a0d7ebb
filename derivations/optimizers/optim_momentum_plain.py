"""Gradient descent with a penalty and without momentum: what most runs of SGD are."""

from __future__ import annotations

from typing import Any

from sympy import IndexedBase, Sum, Symbol

from gnomon.proof.bench import Bench
from gnomon.proof.theorem import Theorem
from gnomon.say.board import Board
from gnomon.say.call import parameter
from gnomon.say.maker import claim

r, sign = Symbol("r", integer=True), Symbol("sign", integer=True)


@claim("optim.momentum.update.penalty", "1.2.5", "momentum.SGD")
def penalty(c: Board) -> None:
    """Without momentum a penalty shrinks the start and every gradient geometrically, up or down the hill."""
    n, T = c.size("n", 1, 3), c.size("T", 1, 5)
    maximize = c.choice("maximize", {"no": {sign: 1}, "yes": {sign: -1}})
    theta0, g = c.real("theta0", n), c.real("g", T, n)
    lr = c.hyper("lr", 0.0, float("inf"), typical=(0.001, 0.1))
    decay = c.hyper("weight_decay", 0.0, float("inf"), typical=(0.01, 0.0))
    dampening = c.hyper("dampening", 0.0, 1.0, typical=(0.0, 0.5))
    t, s, i = c.index("t", 0, T), c.index("s", 1, T), c.index("i", n)
    before = IndexedBase("theta", real=True)[s - 1, i]
    d = c.let("d", (s, i), sign * g[s - 1, i] + decay * before)
    theta = c.recur("theta", (t, i), first=theta0[i], later=lambda theta: theta[t - 1, i] - lr * d[t, i])
    c.output("param", theta[T, i])
    kept = c.let("kept", (), 1 - lr * decay)

    def path(last: Any) -> Any:
        return kept**last * theta0[i] - lr * Sum(kept ** (last - r) * sign * g[r - 1, i], (r, 1, last))

    c.law(theta[T, i], path(T))

    def proof(p: Bench) -> None:
        once = p.have("a step", theta[t + 1, i], "=", kept * theta[t, i] - lr * sign * g[t, i], stepped, given=[t < T])

        def later(p: Bench, known: Theorem) -> None:
            p.left.rewrite(once).rewrite(known)

        p.left.rewrite(p.induction("the steps add up", (theta[t, i], path(t)), on=t, step=later))

    def stepped(p: Bench) -> None:
        p.left.unfold(theta, d)
        p.right.unfold(kept)

    c.prove(proof)
    given = {"lr": lr, "momentum": 0, "dampening": dampening, "weight_decay": decay, "maximize": maximize}
    c.call([theta0], **given).each_step(g).shows(param=parameter())
    c.say("the learning rate stays the same", "dampening does nothing without momentum")
    plain = sign * g[s - 1, i]
    c.variant("no decay", "known bug: forgotten where there is no momentum", d=plain)
    c.variant("dampened", "known bug", d=(1 - dampening) * plain + decay * before)
    c.variant("decay of the initial value", "known bug", d=plain + decay * theta0[i])
    c.variant("descends", "known bug: maximize is ignored", d=g[s - 1, i] + decay * before)
    c.variant(
        "decay pushes away from zero",
        "known bug: sign changed after the decay",
        d=sign * (g[s - 1, i] + decay * before),
    )
    c.variant("the whole square", "a penalty of decay times the square: twice the slope", d=plain + 2 * decay * before)

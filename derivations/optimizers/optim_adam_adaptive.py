"""What Adam's division is good for: a step size for each coordinate, whatever the scale of the loss."""

from __future__ import annotations

from sympy import sqrt

from gnomon.derivations.optimizers.optim_adam import follow, loop, means, mistakes, path, started, stepped
from gnomon.proof.bench import Bench
from gnomon.say.board import Board
from gnomon.say.call import coordinates, parameter, tensor
from gnomon.say.maker import claim


@claim("optim.adam.adaptive", "1.2.5", "optim.Adam")
def adaptive(c: Board) -> None:
    """Each coordinate has a step size of its own, from its own gradients alone."""
    a = started(c, width=(2, 3))
    s, i, theta0, g = a.s, a.i, a.theta0, a.g
    loop(c, a, g[s - 1, i])
    c.output("param", a.theta[a.T, i])
    means(c, a, lambda s: g[s - 1, i])
    own = c.let("own", (s, i), a.lr / (sqrt(a.square.of[s, i]) + a.eps))

    def moved(p: Bench) -> None:
        p.left.rewrite(stepped(p, a), at={s: s})
        p.right.unfold(own)

    c.law(a.theta[a.T, i], path(a, a.T))
    c.prove(lambda p: follow(p, a))
    c.law(a.theta[s, i] - a.theta[s - 1, i], -own[s, i] * a.mean.of[s, i])
    c.prove(moved)
    c.say("every coordinate is a parameter of its own, and they are in two groups")
    c.call(coordinates(theta0, groups=2), lr=a.lr, betas=(a.b1, a.b2), eps=a.eps).each_step(g).shows(param=parameter())

    j, t, b2, n = c.index("j", a.n), a.t, a.b2, a.n
    squares = c.sum(g[t - 1, j] ** 2, j)
    for name, source, square in (
        ("one step size for all", "normalised by the mean square", squares / n),
        ("normalised by the norm", "known bug", squares),
        ("moments of the first parameter for all", "known bug: state not kept apart", g[t - 1, 0] ** 2),
    ):
        c.variant(name, source, v=lambda v, square=square: b2 * v[t - 1, i] + (1 - b2) * square)
    mistakes(c, a, "no division")
    c.remark(
        "It follows that the coordinates may be renumbered but not rotated: turned by 45 degrees, the gradient (1, 0) "
        "gives a first step of (1, 1), where the turned step is (1, 1) / sqrt(2)."
    )


@claim("optim.adam.adaptive.scale", "1.2.5", "optim.Adam", kind="invariance")
def scaling(c: Board) -> None:
    """Multiplying the loss and epsilon by the same number changes nothing."""
    a = started(c)
    s, i, T, g, lr, eps = a.s, a.i, a.T, a.g, a.lr, a.eps
    scale = c.hyper("scale", 0.0, float("inf"), open_low=True, typical=(2.0, 1000.0))
    loop(c, a, scale * g[s - 1, i], scale * eps)
    c.output("param", a.theta[T, i])
    means(c, a, lambda s: g[s - 1, i], scale)
    c.law(a.theta[T, i], path(a, T))  # the scale is not in it
    c.prove(lambda p: follow(p, a))
    c.say("scale is greater than 0")
    scaled = tensor(scale * g[a.t, i], (a.t, 0, T - 1), (i, 0, a.n - 1))
    c.call([a.theta0], lr=lr, betas=(a.b1, a.b2), eps=eps * scale).each_step(scaled).shows(param=parameter())
    mhat, vhat = a.mhat[a.at], a.vhat[a.at]
    c.variant(
        "epsilon inside the root",
        "notes",
        printed=True,
        why="inside the root, epsilon has to be multiplied by the square of the scale",
        u=lr * mhat / sqrt(vhat + scale * eps),
    )
    c.variant("the same epsilon", "the claim for the gradients alone", u=lr * mhat / (sqrt(vhat) + eps))
    c.variant("no division", "momentum", u=lr * mhat)
    c.variant("division by the mean square", "known bug: root left out", u=lr * mhat / (vhat + scale * eps))

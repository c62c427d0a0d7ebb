"""Adam's step: a weighted mean of the gradients over the root of a weighted mean of their squares, plus epsilon."""

from __future__ import annotations

from types import SimpleNamespace

from sympy import Abs, KroneckerDelta, Sum, sqrt

from gnomon.derivations.optimizers.optim_adam import (
    correct,
    follow,
    geometric,
    hyper,
    k,
    loop,
    means,
    mistakes,
    path,
    started,
    step,
)
from gnomon.proof.bench import Bench
from gnomon.say.board import Board
from gnomon.say.call import parameter
from gnomon.say.maker import claim


@claim("optim.adam.update", "1.2.5", "optim.Adam")
def update(c: Board) -> None:
    """Adam divides the corrected mean by the root of the corrected mean square, plus epsilon."""
    a = started(c)
    loop(c, a, a.g[a.s - 1, a.i])
    c.output("param", a.theta[a.T, a.i])
    means(c, a, lambda s: a.g[s - 1, a.i])
    c.law(a.theta[a.T, a.i], path(a, a.T))
    c.prove(lambda p: follow(p, a))
    c.say("epsilon is greater than 0", "t counts the steps from 1")
    c.call([a.theta0], lr=a.lr, betas=(a.b1, a.b2), eps=a.eps).each_step(a.g).shows(param=parameter())
    mistakes(
        c,
        a,
        "epsilon inside the root",
        "epsilon hat",
        "epsilon inside the root and outside",
        "no correction of the bias",
        "one step too many",
        "multiplied by the corrections",
        "only the first moment corrected",
        "correction of the second moment without its root",
        "square in the place of the root",
        "sign of the update",
        "betas exchanged",
        "squared deviation from the first moment",
        "the greatest second moment so far",
    )
    c.remark(
        "Where epsilon stands matters as soon as gradients are small. Libraries differ in it, and in its default: 1e-8 "
        "in PyTorch and optax, 1e-7 in Keras."
    )


@claim("optim.adam.update.first_step", "1.2.5", "optim.Adam")
def first_step(c: Board) -> None:
    """The first step has the length of the learning rate, whatever the size of the gradient."""
    a = started(c, steps=1)
    i, lr, eps, size = a.i, a.lr, a.eps, Abs(a.g[0, a.i])
    loop(c, a, a.g[a.s - 1, i])
    c.output("param", a.theta[1, i])
    there = a.theta0[i] - lr * a.g[0, i] / (size + eps)
    length = Abs(a.theta[1, i] - a.theta0[i])

    def moved(p: Bench) -> None:
        p.left.unfold(a.theta, a.theta, a.u, a.vhat, a.v, a.v, a.mhat, a.m, a.m, a.d)

    def measured(p: Bench) -> None:
        p.left.rewrite(p.have("where it leads", a.theta[1, i], "=", there, moved))

    c.law(a.theta[1, i], there)
    c.prove(moved)
    c.law(length, "<=", lr)
    c.prove(measured)
    c.law((lr - length) * size, "<=", lr * eps)  # as long as the rate where the gradient is much greater than epsilon
    c.prove(measured)
    c.law(length * eps, "<=", lr * size)  # where it is much smaller, the gradient over epsilon, not over its root
    c.prove(measured)
    c.say("epsilon is greater than 0; the length is that of the rate where the gradient is much greater")
    c.call([a.theta0], lr=lr, betas=(a.b1, a.b2), eps=eps).each_step(a.g).shows(param=parameter())
    mistakes(
        c,
        a,
        "only the second moment corrected",
        "correction of the second moment without its root",
        "epsilon as the least divisor",
        "no epsilon",
        "sign of the update",
        "no correction of the bias",
        "one step too many",
    )
    c.remark(
        "For the usual betas it would be 3.16 times as long without corrections, 31.6 times with only the first moment "
        "corrected, 0.1 times with only the second, and 0.744 times with one step too many."
    )


@claim("optim.adam.update.functional", "1.2.5", "optim.adam_update")
def functional(c: Board) -> None:
    """One step as a function of the parameter, the gradient and both moments, and its derivatives."""
    n, T = c.size("n", 1, 2), c.size("T", 1, 30)
    param, grad, mean = c.real("param", n), c.real("grad", n), c.real("exp_avg", n)
    square = c.nonnegative("exp_avg_sq", n)
    lr, b1, b2, eps = hyper(c)
    t, (i, j) = c.index("t", 0, T), c.indices("i j", n)
    a = SimpleNamespace(lr=lr, b1=b1, b2=b2, eps=eps, s=T, i=i, at=(i,))
    a.m = c.let("m", i, mean[i] + (1 - b1) * (grad[i] - mean[i]))
    a.v = c.let("v", i, b2 * square[i] + (1 - b2) * grad[i] ** 2)
    correct(c, a)
    step(c, a)
    theta = c.let("theta", i, param[i] - a.u[i])
    c.form("old + (1 - beta) (new - old), as lerp has it", v=square[i] + (1 - b2) * (grad[i] ** 2 - square[i]))
    for name, of in (("param", theta), ("exp_avg", a.m), ("exp_avg_sq", a.v)):
        c.output(name, of[i])
    c.condition(a.v[i] > 0, i, words="the gradients are compared where the second moment is not zero")

    first, second = b1 * mean[i] + (1 - b1) * grad[i], b2 * square[i] + (1 - b2) * grad[i] ** 2
    given = [(1 - rate) * Sum(rate**k, (k, 0, T - 1)) for rate in (b1, b2)]  # the weight that the gradients have

    def weighed(p: Bench) -> None:
        p.left.expand()
        p.right.rewrite(*(p.at(geometric(p, rate, t), {t: T}) for rate in (b1, b2)))

    c.law(a.m[i], first)
    c.prove(lambda p: p.left.expand())
    c.law(a.v[i], second)
    c.law(theta[i], param[i] - lr * (first / given[0]) / (sqrt(second / given[1]) + eps))
    c.prove(weighed)

    root, same = sqrt(a.vhat[i]), KroneckerDelta(i, j)
    slower = lr * a.mhat[i] / (2 * root * (root + eps) ** 2)  # by how much a greater mean square shortens the step
    by_mean, by_square = -lr / (1 - b1**T) / (root + eps), slower / (1 - b2**T)
    for by, slope in (
        (mean, b1 * by_mean),
        (square, b2 * by_square),
        (grad, (1 - b1) * by_mean + 2 * (1 - b2) * grad[i] * by_square),
    ):
        c.law(c.D(theta[i], by[j]), slope * same)
        c.prove(lambda p: p.left.expand(a.mhat, a.vhat))
    c.call(param, grad, mean, square, T, lr, b1, b2, eps).shows(param, mean, square)
    mistakes(
        c,
        a,
        "epsilon inside the root",
        "epsilon hat",
        "no correction of the bias",
        "multiplied by the corrections",
        "only the second moment corrected",
        "correction with the betas exchanged",
        "correction of the second moment without its root",
    )
    c.remark(
        "An optimizer steps outside autograd; this function is what one differentiates through training. Where all "
        "gradients were zero, the derivative by the next one is that of g / eps, up to factors of the betas."
    )

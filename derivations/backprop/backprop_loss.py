"""The error that backpropagation starts from, and its gradient (notes, section 1.2.1)."""

from sympy import Eq, Piecewise, Rational, Sum, Symbol, sqrt

from gnomon.say.maker import claim

HALF = Rational(1, 2)
TORCH = "F.mse_loss divides by the number of outputs and has no half: 2/K times the gradient."


@claim("backprop.mse", "1.2.1", "backprop.half_squared_error")
def mse(c):
    """The error of a sample is half the sum of the squared errors of its outputs."""
    K = c.size("K", 1, 4)
    yhat, y = c.real("yhat", K), c.real("y", K)
    q, j = c.indices("q j", K)
    squares = c.sum((y[q] - yhat[q]) ** 2, q)
    E = c.let("E", (), HALF * squares)
    c.law(E, HALF * squares)
    torch = c.let("mean", (), squares / K)
    c.law(c.D(torch, yhat[j]), 2 / K * (yhat[j] - y[j]))
    c.prove(lambda p: p.left.unfold("∂mean/∂yhat").contract())
    c.call(yhat, y).shows(E)
    c.variant("mean of the squares", "torch, F.mse_loss", why=TORCH, E=squares / K)
    c.variant("sum of the squares", "torch, reduction sum", why="Twice the gradient.", E=squares)
    c.variant("half the mean", "known convention", why="1/K times the gradient.", E=HALF * squares / K)
    c.remark(
        "The notes call this “MSE”, but nothing is averaged. The mean happens to agree with the half for "
        "two outputs and with the sum for one, so a test of one size can miss the difference. " + TORCH
    )


@claim("backprop.mse.batch", "1.2.1", "backprop.half_squared_error")
def batch(c):
    """The error of a batch is the sum or the mean over its samples, not over their outputs."""
    K, N = c.size("K", 1, 4), c.size("N", 1, 3)
    averaged = Symbol("averaged", integer=True)
    reduction = c.choice("reduction", {"mean": {averaged: 1}, "sum": {averaged: 0}})
    yhat, y = c.real("yhat", N, K), c.real("y", N, K)
    a, q = c.index("a", N), c.index("q", K)
    squares = c.sum((y[a, q] - yhat[a, q]) ** 2, q)
    e = c.let("e", a, HALF * squares)
    share = c.let("share", (), Piecewise((N, Eq(averaged, 1)), (1, True)))
    L = c.let("L", (), c.sum(e[a], a) / share)
    summed = Sum(HALF * squares, (a, 0, N - 1))
    c.law(L, Piecewise((summed / N, Eq(averaged, 1)), (summed, True)))
    c.prove(lambda p: (p.left.unfold(L, share, e), p.cases(Eq(averaged, 1))))
    c.call(yhat, y, reduction).shows(L)
    c.variant(
        "mean over all numbers",
        "torch, F.mse_loss",
        why="F.mse_loss averages over samples and outputs alike.",
        share=Piecewise((N * K, Eq(averaged, 1)), (1, True)),
    )
    c.variant("always the sum", "known bug", share=1)
    c.variant("without the half", "known convention", e=squares)
    c.variant("root of the error", "RMSE", why="not a sum of losses", L=sqrt(c.sum(e[a], a) / share))
    c.remark("Gradients add up over samples, so dividing by N belongs to the loss and not to backpropagation.")


@claim("backprop.dE_dyhat", "1.2.1", "backprop.half_squared_error")
def dE_dyhat(c):
    """The derivative of the error by an output is minus the error of that output."""
    K = c.size("K", 1, 4)
    yhat, y = c.real("yhat", K), c.real("y", K)
    q, j = c.indices("q j", K)
    E = c.let("E", (), HALF * c.sum((y[q] - yhat[q]) ** 2, q))
    # Each of the two factors of e * e / 2 hands back half of e, and the half of a subnormal number is rounded.
    part = c.let("part", j, HALF * (y[j] - yhat[j]))
    g = c.let("g", j, -2 * part[j])
    c.law(g[j], c.D(E, yhat[j]))
    c.prove(lambda p: (p.right.unfold("∂E/∂yhat").contract(), p.left.unfold(g, part)))
    c.law(c.D(E, yhat[j]), -(y[j] - yhat[j]))
    c.prove(lambda p: p.left.unfold("∂E/∂yhat").contract())
    c.call(yhat, y).gradient(by=yhat).shows(g)
    c.variant("the sign dropped", "known bug", g=2 * part[j])
    c.variant("of the mean of the squares", "torch, F.mse_loss", why=TORCH, g=-4 * part[j] / K)
    c.variant("of the sum of the squares", "torch, reduction sum", why="twice as large", g=-4 * part[j])
    c.variant("without the inner derivative", "known bug", g=-2 * part[j] * yhat[j])
    c.remark("The derivative of this derivative, which is 1, is compared with autograd's too.")

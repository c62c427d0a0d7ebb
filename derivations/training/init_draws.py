"""What an initializer draws, as a sample: independent numbers of the law that it names, and of no other (1.2.6)."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Expr, Rational, log, pi, sqrt

from gnomon.derivations.training.init import SECTION
from gnomon.say.board import Board
from gnomon.say.drawing import blank, doubt, mean_off, seeded, square_off
from gnomon.say.maker import claim

SUBJECTS = 6
LEAST, MOST = 240, 256
SEEDS = 2048
STATISTICS, DTYPES = 6, 4
DOUBT = doubt(SUBJECTS * STATISTICS * DTYPES * SEEDS * (MOST - LEAST + 1) ** 2)
"""Every test that there is for any seed, any sizes and any dtype shares one probability of a false alarm."""

APART = Rational(572, 10000)
"""How far N(0, 1) and the uniform law with its variance are apart, where their densities cross."""


def draws(c: Board, law: str, variance: Any, **keywords: Any) -> Expr:
    """The claim that the subject fills a matrix with independent draws of a law; the variance comes back."""
    n_out, n_in = c.size("n_out", LEAST, MOST), c.size("n_in", LEAST, MOST)
    seed = c.hyper("seed", 0, SEEDS - 1, integer=True)
    N = n_out * n_in

    var = c.let("var", (), variance(n_out, n_in))
    mean, moment = c.let("mean", (), 0), c.let("moment", (), var)
    apart, rows, columns, again = (c.let(name, (), 0) for name in ("apart", "rows", "columns", "again"))
    c.law(Abs(mean), "<=", sqrt(var) * mean_off(law, N, DOUBT))
    c.law(Abs(moment - var), "<=", var * square_off(law, N, DOUBT))
    c.law(apart, "<=", sqrt(DOUBT / (2 * N)))
    c.law(rows, "<=", sqrt(2 * (DOUBT + log(n_out - 1))))
    c.law(columns, "<=", sqrt(2 * (DOUBT + log(n_in - 1))))
    c.law(again, "<=", sqrt(2 * DOUBT))

    filled = c.call(blank(n_out, n_in), **keywords, generator=seeded(seed)).drawn(law, sqrt(var))
    filled.shows(mean, moment, apart, rows, columns, again)
    c.variant("variance passed as the standard deviation", "known bug", moment=var**2)
    c.variant("standard deviation as the variance", "notes' formula read so", moment=sqrt(var))
    c.variant("another law with this variance", "uniform and normal exchanged", apart=APART)
    c.variant("one row for all", "known bug: a vector drawn and expanded", rows=sqrt((n_out - 1) * n_in) / 3)
    c.variant("one column for all", "known bug: a vector drawn and expanded", columns=sqrt((n_in - 1) * n_out) / 3)
    c.variant("the same numbers every time", "known bug: a seed of its own", again=sqrt(N) / 3)
    c.say(
        "of all tests of samples that there are, for any seed, any sizes and any dtype, one alone fails for a right "
        "initializer at odds of no more than 10**-9",
        "the mean and the mean square keep to the bounds of Laurent and Massart (2000) and of Hoeffding (1963), the "
        "distribution to Massart's (1990), and sums of products of entries that lie apart to Azuma's (1967)",
    )
    c.remark(
        f"A statement on some {LEAST**2} random numbers, which is tested. How they are drawn does not matter: from "
        "torch's generator, from NumPy's, in another dtype, by any method. torch's normal_ and numpy's normal take the "
        "standard deviation, where N(0, Var(W)) has the variance."
    )
    return var


def normal(c: Board, variance: Any, **keywords: Any) -> None:
    var = draws(c, "normal", variance, **keywords)
    c.variant("positive weights", "known bug: mean not zero", mean=sqrt(2 * var / pi))
    c.variant(
        "truncated at two deviations", "Keras and JAX, without their correction", moment=Rational(7737, 10000) * var,
        why="The variance of a normal number between -2 and 2 is 0.774.",
    )  # fmt: skip


def uniform(c: Board, variance: Any, **keywords: Any) -> None:
    var = draws(c, "uniform", variance, **keywords)
    c.variant("between 0 and the bound", "known bug: torch.rand not centred", mean=sqrt(3 * var) / 2)
    c.variant("the standard deviation as the bound", "known bug: factor sqrt(3) left out", moment=var / 3)


@claim("init.sampling", SECTION, "initialization.xavier_normal_", kind="inequality")
def xavier_normal(c: Board) -> None:
    """Weights drawn from N(0, Var(W)) have that variance: the second argument is not a deviation."""
    normal(c, lambda n_out, n_in: 2 / (n_in + n_out))


@claim("init.sampling.uniform", SECTION, "initialization.kaiming_uniform_", kind="inequality")
def kaiming_uniform(c: Board) -> None:
    """He's uniform weights are independent draws of a uniform law with the variance that they are to have."""
    uniform(c, lambda n_out, n_in: 2 / n_in)


@claim("init.sampling.xavier_uniform", SECTION, "initialization.xavier_uniform_", kind="inequality")
def xavier_uniform(c: Board) -> None:
    """Xavier's uniform weights are independent draws of a uniform law with the variance that they are to have."""
    uniform(c, lambda n_out, n_in: 2 / (n_in + n_out))


@claim("init.sampling.he", SECTION, "initialization.kaiming_normal_", kind="inequality")
def kaiming_normal(c: Board) -> None:
    """He's normal weights are independent draws of a normal law with the variance that they are to have."""
    normal(c, lambda n_out, n_in: 2 / n_out, mode="fan_out", nonlinearity="relu")


@claim("init.sampling.lecun", SECTION, "initialization.lecun_normal_", kind="inequality")
def lecun_normal(c: Board) -> None:
    """LeCun's normal weights are independent draws of a normal law with the variance that they are to have."""
    normal(c, lambda n_out, n_in: 1 / n_in)


@claim("init.sampling.lecun_uniform", SECTION, "initialization.lecun_uniform_", kind="inequality")
def lecun_uniform(c: Board) -> None:
    """LeCun's uniform weights are independent draws of a uniform law with the variance that they are to have."""
    uniform(c, lambda n_out, n_in: 1 / n_in)

"""Means, integrals and limits in a law: proved, set for the reader, and never taken for what a program computes."""

import pytest
import sympy as sp

from gnomon.link.audit import audit
from gnomon.link.proved import proved
from gnomon.proof.definitions import Definition
from gnomon.proof.inequality import combine
from gnomon.proof.integral import fundamental
from gnomon.proof.limit import squeezed
from gnomon.proof.mean import Bernoulli, Draws, Normal, Sample
from gnomon.proof.tangent import tangents
from gnomon.proof.theorem import Refused
from gnomon.say.board import Board
from gnomon.say.maker import claim
from gnomon.typeset.mathml import plain


@claim("toy.batch", "1.1", "toy.average", kind="expectation")
def batch(c):
    """The average over a random batch is the average over all, on average."""
    n, B = c.size("n", 2, 4), c.size("B", 1, 4)
    g = c.real("g", n)
    i, k = c.index("i", n), c.index("k", B)
    I = c.noise("I", Sample(n, B))
    c.condition(sp.Le(B, n), name="the batch fits")
    y = c.let("y", (), c.sum(g[i], i) / n)
    one = c.let("one", (), c.sum(g[I[k]], k) / B)
    c.law(c.mean(one, I), y)
    c.prove(lambda p: (p.left.unfold(one).expect(), p.right.unfold(y)))
    c.call(g).shows(y)
    c.variant("the sum", "known bug", y=c.sum(g[i], i))


@claim("toy.area", "1.1", "toy.area")
def area(c):
    """The area below a parabola."""
    b = c.nonnegative("b")
    s = c.variable("s")
    y = c.let("y", (), b**3 / 3)
    c.law(y, c.integral(s**2, (s, 0, b)))

    def proof(p):
        p.left.unfold(y)
        p.right.by(fundamental(p.theory, s**2, s**3 / 3, s, 0, b, p.goal.given))

    c.prove(proof)
    c.call(b).shows(y)
    c.variant("not divided", "known bug", y=b**3)


@claim("toy.average", "1.1", "toy.average", kind="limit")
def tends(c):
    """What the average over ever more copies tends to."""
    x = c.real("x")
    m = c.variable("m", positive=True)
    y = c.let("y", (), x)
    c.law(c.limit(x + x / m, m), y)

    def proof(p):
        p.right.unfold(y)
        bound = combine(p.theory, sp.Abs(x / m), "<=", sp.Abs(x) / m)
        shown = squeezed(p.theory, bound, x + x / m, x, m)
        p.left.by(shown)
        p.settle(shown)

    c.prove(proof)
    c.call(x).shows(y)
    c.variant("twice", "known bug", y=2 * x)


MAKERS = batch, area, tends


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.id)
def test_what_no_program_computes_is_proved_and_the_output_is_compared_with_the_program(maker):
    found = maker.claim
    assert proved(found).label == "proved"
    assert found.relation is None
    assert found.definition is None
    assert [str(lhs) for lhs, _ in found.program.lets] == ["y"]


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.id)
def test_spoilt_ones_are_refused(maker):
    mutants = audit(maker, MAKERS)
    assert not [str(mutant) for mutant in mutants if not (mutant.refused or mutant.equal)]
    if maker is batch:
        assert "condition dropped: B <= n" in {mutant.change for mutant in mutants}


def test_they_are_set_for_the_reader():
    assert plain(batch.claim.statement) == "E_(I∼Sample(n, B))[one] = y"
    assert plain(area.claim.statement) == "y = ∫[0…b] s² ds"
    assert plain(tends.claim.statement) == "lim[m→∞] (x + x/m) = y"
    z = sp.IndexedBase("z", real=True)
    board = _board()
    assert plain(board.mean(z[0] ** 2, z, Normal()) ** 2) == "E_(z∼Normal)[z[0]²]²"


def _board():
    return Board("toy.x", "1.1", "toy.x", "equality", "toy")


def _square(write, kind="equality"):
    @claim("toy.square", "1.1", "toy.square", kind=kind)
    def square(c):
        """A square."""
        x = c.real("x")
        y = c.let("y", (), x**2)
        z = c.noise("z", Normal(), 3)
        s = c.variable("s")
        write(c, x, y, z, s)
        c.call(x).shows(y)
        c.variant("a cube", "known bug", y=x**3)

    return square


def _proved(c, *law):
    c.law(*law)
    c.prove(lambda p: None)


@pytest.mark.parametrize(
    ("write", "kind", "message"),
    [
        (lambda c, x, y, z, s: c.law(y, c.mean(x**2 * z[0] ** 2, z)), "equality", "such a law is proved, and what"),
        (lambda c, x, y, z, s: _proved(c, y, "<=", c.integral(s, (s, 0, 1))), "inequality", "the kinds equality, exp"),
        (lambda c, x, y, z, s: _proved(c, y, z[0] ** 2), "equality", "z is noise, and left random in z\\[0\\]"),
        (lambda c, x, y, z, s: _proved(c, y, c.let("r", (), z[0])), "equality", "z is noise, and left random in r"),
        (lambda c, x, y, z, s: _proved(c, y, s * c.integral(s, (s, 0, 1))), "equality", "s in .* is no input"),
        (lambda c, x, y, z, s: c.mean(z[0], z, Normal()), "equality", "noise has one law"),
        (lambda c, x, y, z, s: c.mean(x, x), "equality", "noise has one law"),
        (lambda c, x, y, z, s: c.noise("I", Draws(2, 2), 2), "equality", "random indices have that of their law"),
        (lambda c, x, y, z, s: c.noise("b", Bernoulli(1)), "equality", "give the shape of its entries"),
        (lambda c, x, y, z, s: c.real("s"), "equality", "two things are called s"),
        (lambda c, x, y, z, s: c.real("z"), "equality", "two things are called z"),
        (
            lambda c, x, y, z, s: (
                _proved(c, y, c.mean(x**2 * z[0] ** 2, z)),
                c.variant("less", "toy", law=(y, "<=", c.mean(z[0], z))),
            ),
            "equality",
            "such a law is proved",
        ),
        (
            lambda c, x, y, z, s: (
                c.output("w", c.let("w", (), c.integral(s, (s, 0, x)))),
                _proved(c, sp.Symbol("w", real=True), y / 2),
            ),
            "equality",
            "no program computes it",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_where_it_is_written(write, kind, message):
    with pytest.raises(ValueError, match=message):
        _square(write, kind).claim  # noqa: B018  building is what raises


def test_no_tangent_program_goes_through_them():
    x, s = sp.symbols("x s", real=True)
    y = sp.Symbol("y", real=True)
    z = sp.IndexedBase("z", real=True)
    for e in (sp.Limit(x * s, s, 1), sp.Integral(x * s, (s, 0, 1)), _board().mean(x * z[0] ** 2, z, Normal())):
        with pytest.raises(Refused, match="no derivative is known"):
            tangents([Definition(y, e)], y, x, ())

"""Maxima, where they are, and log-sum-exp over index ranges: values, bounds, slopes, and claims on subjects."""

import pytest
import reduced
import sympy as sp
import torch
from reduced import verdict

from gnomon.compute.lower import Lowering
from gnomon.compute.running_error import bounded
from gnomon.compute.slp import SLP, pullback
from gnomon.compute.whole_numbers import Bindings, LoweringError
from gnomon.link.proved import proved
from gnomon.proof.enclosure import OutOfDomain, enclose
from gnomon.proof.normal_form import canon
from gnomon.proof.reductions import ArgMax, ArgMin, Kept, Largest, LogSumExp, Smallest
from gnomon.proof.terms import alike, put
from gnomon.proof.theorem import Refused
from gnomon.say.claim import Output, Program
from gnomon.say.domain import Domain
from gnomon.say.maker import claim
from gnomon.typeset.mathml import mathml, plain

i, j, k, n = sp.symbols("i j k n", integer=True)
x = sp.IndexedBase("x", real=True)
RANGE = (i, 0, n - 1)
CPU = torch.device("cpu")


def lowered(expr, count):
    lowering = Lowering(
        Bindings({"n": count}, {}, {}), {"x": Domain("x", (n,))}, Program((), (Output("out", expr),)), SLP()
    )
    return lowering.slp, lowering.node(expr, {})


def run(expr, numbers, dtype=torch.float64):
    """Value and bound at one list of numbers."""
    slp, node = lowered(expr, len(numbers))
    leaves = {("x", (k,)): torch.tensor([value], dtype=torch.float64) for k, value in enumerate(numbers)}
    ((value, bound),) = bounded(slp, [node], leaves, dtype, CPU)
    return value.item(), bound.item()


# ---------------------------------------------------------------------- values, bounds, slopes


def test_a_maximum_costs_only_what_the_terms_that_may_be_greatest_cost():
    assert run(Largest(x[i], RANGE), [1.0, 3.0, 2.0]) == (3.0, 0.0)
    big, small = run(Largest(x[i] * x[i], RANGE), [1e8, 1.0])[1], run(x[0] * x[0], [1e8])[1]
    assert big == small > 0
    assert run(Smallest(x[i] * x[i], RANGE), [1e8, 1.0])[1] == run(x[0] * x[0], [1.0])[1]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize(
    "numbers", [[1e4, 1e4, 1e4 - 8], [-1e4, -9.99e3], [0.0], [-50.0], [1.0, 2.0, 3.0, -4.0], [0.0] * 9, [11.0, 10.9]]
)
def test_logsumexp_does_not_overflow_and_every_right_way_is_within_its_bound(numbers, dtype):
    value, bound = run(LogSumExp(x[i], RANGE), numbers, dtype)
    given = torch.tensor(numbers, dtype=torch.float64)
    assert value == torch.logsumexp(given, 0).item()
    assert bound < 4 * (abs(value) + len(numbers) + 4) * torch.finfo(dtype).eps
    low = given.to(dtype)
    ways = [torch.logsumexp(low.float(), 0).to(dtype) if dtype == torch.float16 else torch.logsumexp(low, 0)]
    ways.append(low.max() + (low - low.max()).exp().sum().log())
    naive = low.exp().sum().log()
    ways += [naive] if naive.isfinite() and low.exp().min() > torch.finfo(dtype).tiny else []
    most, total = low[0], torch.ones_like(low[0])
    for each in low[1:]:  # in one pass, as a kernel does
        higher = torch.maximum(most, each)
        most, total = higher, total * (most - higher).exp() + (each - higher).exp()
    ways.append(most + total.log())
    exact = float(sp.N(sp.log(sum(sp.exp(sp.Rational(v)) for v in low.double().tolist())), 40))
    own = run(LogSumExp(x[i], RANGE), low.double().tolist(), dtype)[1]
    assert all(abs(way.double().item() - exact) <= 4 * own for way in ways), (ways, exact, own)


def test_all_terms_minus_infinity_give_minus_infinity():
    gone = Kept(x[i], x[i] > 100)
    for kind in (Largest, LogSumExp):
        assert run(kind(gone, RANGE), [1.0, 2.0]) == (-torch.inf, 0.0)
        assert run(kind(gone, RANGE), [1.0, 200.0])[0] == 200.0
    assert run(sp.exp(gone.subs(i, 0) - 3), [1.0]) == (0.0, 0.0)
    assert run(sp.exp(2 * gone.subs(i, 0) - 3), [1.0]) == (0.0, 0.0)
    assert run(gone.subs(i, 0) - gone.subs(i, 1), [1.0, 2.0])[1] == torch.inf
    for dtype in (torch.float64, torch.float16):
        assert run(sp.exp(gone.subs(i, 0) + x[1] - 3), [1.0, 2.0], dtype) == (0.0, 0.0)
        assert run(gone.subs(i, 0) + gone.subs(i, 1) + x[1] / 3, [1.0, 2.0], dtype) == (-torch.inf, 0.0)


def test_the_place_of_the_greatest_is_known_where_the_gap_is_above_the_bounds():
    assert run(ArgMax(x[i], (i, 1, n - 1)), [9.0, 2.0, 5.0, 5.0]) == (2.0, 0.0)
    assert run(ArgMin(x[i], RANGE), [2.0, 1.0, 1.0]) == (1.0, 0.0)
    assert run(ArgMax(x[i] / 3, RANGE), [1.0, 1.0 + 2.0**-52])[1] == torch.inf
    assert run(ArgMax(x[i] / 3, RANGE), [1.0, 1.0 + 2.0**-50]) == (1.0, 0.0)


def test_slopes_are_softmax_and_one_hot_and_a_tie_is_a_kink():
    def slopes(expr, numbers):
        slp, node = lowered(expr, len(numbers))
        found = pullback(slp, [node], [slp.constant(1)])
        leaves = {("x", (k,)): torch.tensor([value], dtype=torch.float64) for k, value in enumerate(numbers)}
        return [
            (v.item(), e.item())
            for v, e in bounded(
                slp, [found.get(("x", (k,)), slp.constant(0)) for k in range(len(numbers))], leaves, torch.float64, CPU
            )
        ]

    assert slopes(Largest(x[i], RANGE), [1.0, 3.0, 2.0]) == [(0, 0), (1, 0), (0, 0)]
    assert slopes(Smallest(x[i], RANGE), [1.0, 3.0, 2.0]) == [(1, 0), (0, 0), (0, 0)]
    assert [e for _, e in slopes(Largest(x[i], RANGE), [3.0, 3.0, 2.0])] == [1, 1, 0]
    found = torch.tensor([v for v, _ in slopes(LogSumExp(x[i], RANGE), [1.0, 3.0, 2.0])])
    assert torch.allclose(found, torch.tensor([1.0, 3.0, 2.0]).softmax(0))
    assert ArgMax(x[i], RANGE).diff(x[0]) == 0


def test_balls_and_whole_numbers():
    at = {"x": {(0,): 2, (1,): 5, (2,): 5}}
    values = [enclose(kind(x[i], RANGE), at, {"n": 3}) for kind in (Largest, Smallest, ArgMax, ArgMin)]
    assert values == [5, 2, 1, 0]
    assert abs(float(enclose(LogSumExp(x[i], RANGE), at, {"n": 3})) - 5.7177359186667) < 1e-9
    with pytest.raises(OutOfDomain):
        enclose(Largest(x[i], RANGE), at, {"n": 0})
    width = sp.IndexedBase("w", integer=True)
    lowering = Lowering(Bindings({"n": 3}, {"w": [2, 5, 3]}, {}), {}, Program((), (Output("out", 0),)))
    assert [lowering.numbers.whole(k(width[i], RANGE), {}) for k in (Largest, Smallest, ArgMax)] == [5, 2, 1]


def test_over_no_term_there_is_no_value():
    with pytest.raises(LoweringError, match="no term"):
        lowered(Largest(x[i], RANGE), 0)

    @claim("toy.empty", "9.9", "toy.empty")
    def empty(c):
        """The greatest of numbers that may be none."""
        m = c.size("m", 0, 3)
        a = c.real("a", m + 1)
        k = c.index("k", m)
        y = c.let("y", (), c.max(a[k], k))
        c.law(y, y)
        c.call(a).shows(y)
        c.variant("none", "none", y=a[0])

    with pytest.raises(ValueError, match="no term at all at m = 0"):
        empty.claim  # noqa: B018


def test_nothing_is_drawn_out_of_what_binds_it():
    """SymPy draws a ``Piecewise`` out of a sum by the index's name, though it is bound within."""
    top = Largest(Kept(x[i], x[i] > 0), RANGE)
    whole = sp.Sum(sp.exp(Kept(x[i], x[i] > 0) - top), RANGE)
    assert i not in whole.free_symbols
    assert run(whole, [-1.0, 2.0, 2.0])[0] == 2.0
    rows = sp.Sum(Largest(Kept(x[i] * x[j], x[i] > x[j]), RANGE), (j, 1, n - 1))
    assert not {i, j} & rows.free_symbols
    assert run(rows, [3.0, 1.0, 2.0])[0] == 9.0
    chosen = sp.Piecewise((1, top > 0), (0, True))
    assert i not in chosen.free_symbols
    assert run(chosen, [-1.0, -2.0])[0] == 0.0


def test_branches_that_sympy_would_misread_are_refused():
    @claim("toy.again", "9.9", "toy.again")
    def again(c):
        """A sum under the index of a sum of branches within it."""
        s, p = c.real("s", c.size("m")), c.index("p", sp.Symbol("m", integer=True, positive=True))
        c.sum(s[p] * c.sum(sp.Piecewise((s[p], s[p] > 0), (0, True)), p), p)

    @claim("toy.nested", "9.9", "toy.nested")
    def nested(c):
        """A branch on a sum of branches."""
        m = c.size("m")
        s, p = c.real("s", m), c.index("p", m)
        y = c.let("y", (), s[0])
        c.law(y, sp.Piecewise((s[0], c.sum(sp.Piecewise((s[p], s[p] > 0), (0, True)), p) >= 0), (0, True)))
        c.call(s).shows(y)
        c.variant("none", "none", y=2 * s[0])

    with pytest.raises(ValueError, match="under the same index"):
        again.claim  # noqa: B018
    with pytest.raises(ValueError, match="condition has branches"):
        nested.claim  # noqa: B018


def test_they_are_set_as_binders():
    assert plain(Largest(x[i] + 1, RANGE) / 2) == "1/2 max[i=0…n−1] (x[i] + 1)"
    assert plain(LogSumExp(x[i], RANGE)) == "logsumexp[i=0…n−1] x[i]"
    assert plain(ArgMin(x[i] * x[j], RANGE)) == "argmin[i=0…n−1] x[i]·x[j]"
    assert plain(Kept(x[i], i > 0)) == "{x[i] if i > 0; −∞ otherwise}"
    assert "munderover" in mathml(Smallest(x[i], RANGE))
    assert sp.latex(Largest(x[i], RANGE)) == r"\max_{i=0}^{n - 1} {x}_{i}"
    assert r"-\infty & \text{otherwise}" in sp.latex(Kept(x[i], i > 0))
    assert str(ArgMax(x[i], RANGE)) == "ArgMax(x[i], (i, 0, n - 1))"


def test_an_index_is_bound_and_may_be_renamed():
    one, other = Largest(x[i] * x[j], RANGE), Largest(x[k] * x[j], (k, 0, n - 1))
    assert alike(one, other)
    assert canon(one - other) == 0
    assert one.free_symbols & {i, j} == {j}
    assert alike(put(one, {j: i}), Largest(x[k] * x[i], (k, 0, n - 1)))
    assert canon(ArgMax(x[i], (i, 1, n)) - ArgMax(x[k + 1], (k, 0, n - 1)) - 1) == 0
    assert canon(Largest(x[i], RANGE) - Largest(x[i], (i, 1, n - 1))) != 0


# ---------------------------------------------------------------------- claims on subjects


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_logsumexp_against_torch(dtype):
    assert verdict(reduced.logsumexp, lambda v: torch.logsumexp(v, -1), dtype).verdict == "holds"


def test_logsumexp_that_overflows_is_found():
    assert verdict(reduced.logsumexp, lambda v: v.exp().sum(-1).log(), "float32").verdict == "fails"
    assert verdict(reduced.logsumexp, lambda v: (v - v.mean()).exp().sum(-1).log() + v.mean()).verdict == "fails"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_softmax_against_torch(dtype):
    assert verdict(reduced.softmax, lambda s: torch.softmax(s, -1), dtype).verdict == "holds"


def test_softmax_that_overflows_or_takes_the_greatest_of_all_rows_is_found():
    assert verdict(reduced.softmax, lambda s: s.exp() / s.exp().sum(-1, keepdim=True), "float32").verdict == "fails"

    def whole(s):
        a = (s - s.max()).exp()
        return a / a.sum(-1, keepdim=True)

    assert verdict(reduced.softmax, whole, "float32").verdict == "fails"


def test_extremes_against_torch():
    def right(v):
        return v.amax(-1), v.amin(-1), v.argmax(-1).to(v.dtype), v.argmin(-1).to(v.dtype)

    def last(v):
        return v.amax(-1), v.amin(-1), (len(v) - 1 - v.flip(-1).argmax(-1)).to(v.dtype), v.argmin(-1).to(v.dtype)

    assert verdict(reduced.extremes, right).verdict == "holds"
    assert verdict(reduced.extremes, last).verdict == "fails"


def test_a_place_is_compared_with_an_index():
    at_top = sp.Sum(sp.KroneckerDelta(i, ArgMax(x[j], (j, 0, n - 1))) * x[i] ** 2, RANGE)
    assert run(at_top, [1.0, 5.0, 2.0])[0] == 25.0
    chosen = sp.Piecewise((1, sp.Eq(ArgMax(x[j], (j, 1, n - 1)), 2)), (0, True))
    assert run(chosen, [9.0, 2.0, 5.0]) == (1.0, 0.0)


def test_the_derivative_of_log_sum_exp_is_softmax_and_there_is_none_of_a_maximum():
    @claim("toy.slope", "9.9", "toy.slope")
    def slopes(c):
        """The derivative of log-sum-exp is softmax."""
        m = c.size("m")
        s, p, q = c.real("s", m), c.index("p", m), c.index("q", m)
        y = c.let("y", (), c.logsumexp(s[p], p))
        d = c.let("d", q, c.D(y, s[q]))
        c.law(d[q], sp.exp(s[q]) / c.sum(sp.exp(s[p]), p))
        c.prove(lambda b: b.left.expand().contract().rewrite(b.powers(c.logsumexp(s[p], p))))
        c.call(s).gradient(by=s).shows(d)
        c.variant("of the greatest alone", "known bug", d=sp.Piecewise((1, sp.Eq(s[q], c.max(s[p], p))), (0, True)))

    assert str(proved(slopes.claim)) == "proved for every m"
    assert verdict(slopes, lambda s: torch.logsumexp(s, -1)).verdict == "holds"

    @claim("toy.kink", "9.9", "toy.kink")
    def kink(c):
        """The derivative of a maximum."""
        s, p = c.real("s", c.size("m")), c.index("p", sp.Symbol("m", integer=True, positive=True))
        c.D(c.let("y", (), c.max(s[p], p)), s[0])

    with pytest.raises(Refused, match="kink"):
        kink.claim  # noqa: B018

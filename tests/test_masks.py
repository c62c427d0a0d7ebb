"""Masks and ragged lists: what a subject gets, what is left out, and claims on subjects."""

import pytest
import reduced
import sympy as sp
import torch
from reduced import verdict

from gnomon.check.domains import tensor_of
from gnomon.compute.whole_numbers import Bindings
from gnomon.link.proved import proved
from gnomon.proof.theorem import Refused
from gnomon.say.call import tensor
from gnomon.say.errors import UsageError
from gnomon.say.maker import claim

CPU = torch.device("cpu")


# ---------------------------------------------------------------------- masks


def masked(s, keep):
    return torch.softmax(s.masked_fill(~keep, -torch.inf), -1)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_a_masked_softmax_against_torch(dtype):
    assert verdict(reduced.masked_softmax, masked, dtype).verdict == "holds"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s, keep: torch.softmax(s * keep, -1),
        lambda s, keep: torch.softmax(s, -1) * keep,
        lambda s, keep: torch.softmax(s.masked_fill(~keep, -1e4), -1),
        lambda s, keep: torch.softmax(s.masked_fill(keep, -torch.inf), -1),
        lambda s, keep: torch.softmax(s.masked_fill(~keep.all(-2, keepdim=True), -torch.inf), -1),
    ],
    ids=["scores times mask", "not divided again", "large negative number", "turned round", "one mask for all rows"],
)
def test_a_masked_softmax_that_is_wrong_is_found(wrong):
    found = verdict(reduced.masked_softmax, wrong, "float32")
    assert found.verdict == "fails"
    assert found.counterexample is not None
    rows = found.counterexample.inputs["keep"]
    assert all(any(row) for row in rows)
    assert all(entry in (0, 1) for row in rows for entry in row)


def test_a_mask_may_be_added_as_0_and_minus_infinity():
    @claim("toy.added", "9.9", "toy.added")
    def added(c):
        """A softmax of scores to which a mask is added."""
        m = c.size("m")
        s, keep, a, b = c.real("s", m), c.mask("keep", m, some=True), c.index("a", m), c.index("b", m)
        y = c.let("y", a, sp.exp(c.where(keep[a], s[a]) - c.logsumexp(c.where(keep[b], s[b]), b)))
        c.law(y[a], c.where(keep[a], sp.exp(s[a]), 0) / c.sum(c.where(keep[b], sp.exp(s[b]), 0), b))
        c.call(s, tensor(c.where(keep[a], 0), (a, 0, m - 1))).shows(y)
        c.variant("all", "no mask", y=sp.exp(s[a]) / c.sum(sp.exp(s[b]), b))

    assert verdict(added, lambda s, bias: torch.softmax(s + bias, -1), "float32").verdict == "holds"
    assert verdict(added, lambda s, bias: torch.softmax(s + bias.clamp(min=-1e3), -1), "float32").verdict == "fails"


def zero_if_none(s, keep):
    e = s.masked_fill(~keep, -torch.inf)
    return torch.where(keep.any(-1, keepdim=True), torch.softmax(e, -1), 0.0), torch.logsumexp(e, -1)


def test_what_a_mask_that_keeps_nothing_gives_is_said_by_the_claim():
    assert verdict(reduced.masked_or_zero, zero_if_none, "float32").verdict == "holds"
    for wrong in (
        lambda s, keep: (masked(s, keep), zero_if_none(s, keep)[1]),
        lambda s, keep: (zero_if_none(s, keep)[0], torch.logsumexp(s.masked_fill(~keep, -1e30), -1)),
        lambda s, keep: (zero_if_none(s, keep)[0], zero_if_none(s, keep)[1].nan_to_num(neginf=torch.nan)),
    ):
        assert verdict(reduced.masked_or_zero, wrong, "float32").verdict == "fails"


def test_a_mask_is_bool_for_the_subject_and_a_row_of_zeros_may_be_excluded():
    seen = []

    def spy(s, keep):
        seen.append(keep.dtype)
        return masked(s, keep)

    assert verdict(reduced.masked_softmax, spy).verdict == "holds"
    assert set(seen) == {torch.bool}
    keep = reduced.masked_softmax.claim.inputs[1]
    assert str(keep) == "mask, some of each row, shape (n, m)"
    with pytest.raises(UsageError, match="a row is all 0"):
        tensor_of(keep, [[0, 0]], Bindings({"n": 1, "m": 2}, {}, {}), torch.float32, CPU)
    assert (
        tensor_of(keep, torch.tensor([[True, False]]), Bindings({"n": 1, "m": 2}, {}, {}), torch.float32, CPU).sum()
        == 1
    )


# ---------------------------------------------------------------------- ragged lists


def test_means_of_a_ragged_list_against_a_loop():
    assert verdict(reduced.means, lambda xs: torch.stack([v.mean() for v in xs]), "float32").verdict == "holds"

    def counted(xs):
        return torch.nn.utils.rnn.pad_sequence(xs, batch_first=True).mean(-1)

    assert verdict(reduced.means, counted).verdict == "fails"
    assert verdict(reduced.means, lambda xs: torch.stack([v.mean() for v in xs[::-1]])).verdict == "fails"


def test_a_ragged_list_against_pad_sequence():
    def right(xs):
        return torch.nn.utils.rnn.pad_sequence(xs, batch_first=True), torch.stack([v.max() for v in xs])

    def of_zeros(xs):
        rows = torch.nn.utils.rnn.pad_sequence(xs, batch_first=True)
        return rows, rows.amax(-1)

    assert verdict(reduced.filled_up, right, "float32").verdict == "holds"
    found = verdict(reduced.filled_up, of_zeros, "float32")
    assert found.verdict == "fails"
    assert found.counterexample is not None
    assert max(found.counterexample.structure["n"]) > min(found.counterexample.structure["n"])


@pytest.mark.parametrize("loop", [False, True])
def test_a_gradient_by_a_ragged_list(loop):
    @claim("toy.slopes", "9.9", "toy.slopes")
    def slopes(c):
        """The gradient of the squared means."""
        n, x, i, t = reduced.lists(c)
        s = c.index("s", n[i])
        g = c.let("g", (i, t), 2 * c.sum(x[i, s], s) / n[i] ** 2)
        c.law(g[i, t], 2 * c.sum(x[i, s], s) / n[i] ** 2)
        call = c.call(x).gradient(by=x).shows(g)
        if loop:
            call.one_by_one()
        c.variant("of the longest", "padding counted", g=2 * c.sum(x[i, s], s) / c.max(n[i], i) ** 2)

    assert verdict(slopes, lambda xs: sum(v.mean() ** 2 for v in xs)).verdict == "holds"
    assert verdict(slopes, lambda xs: sum(v.mean() ** 2 for v in xs[:1])).verdict == "fails"


def test_a_ragged_list_is_proved_for_every_length_and_nothing_reads_what_fills_it_up():
    whole = proved(reduced.means.claim)
    assert whole.label == "proved"
    assert whole.sizes == ("k", "n")

    @claim("toy.beyond", "9.9", "toy.beyond")
    def beyond(c):
        """The sum of an array and of one number after its end."""
        n, x, i, t = reduced.lists(c)
        y = c.let("y", i, c.sum(x[i, t], t) + x[i, n[i]])
        c.law(y[i], c.sum(2 * x[i, t], t) / 2 + x[i, n[i]])
        c.prove(lambda p: p.left.unfold(y))
        c.call(x).shows(y)
        c.variant("without it", "none", y=c.sum(x[i, t], t))

    with pytest.raises(Refused):
        proved(beyond.claim)


def test_a_ragged_list_is_given_as_it_is():
    x = reduced.means.claim.inputs[0]
    bindings = Bindings({"k": 2}, {"n": [1, 3]}, {})
    filled = [[1.0, 0, 0, 0], [2.0, 3.0, 4.0, 0]]
    assert tensor_of(x, [[1.0], [2.0, 3.0, 4.0]], bindings, torch.float32, CPU).tolist() == filled
    assert tensor_of(x, filled, bindings, torch.float32, CPU).tolist() == filled
    with pytest.raises(UsageError):
        tensor_of(x, [[1.0, 2.0], [2.0, 3.0, 4.0]], bindings, torch.float32, CPU)
    assert str(x) == "real, a list of k arrays, the i-th of shape (n[i],)"


def test_lengths_are_a_list_of_sizes():
    @claim("toy.lengths", "9.9", "toy.lengths")
    def wrong(c):
        """A list that has a size for its lengths."""
        c.ragged("x", c.size("n"))

    with pytest.raises(ValueError, match="no list of sizes"):
        wrong.claim  # noqa: B018

    @claim("toy.none", "9.9", "toy.none")
    def none(c):
        """The greatest numbers of arrays that may be empty."""
        k = c.size("k")
        n = c.sizes("n", k, 0, 3)
        x, i = c.ragged("x", n), c.index("i", k)
        t = c.index("t", n[i])
        y = c.let("y", i, c.max(x[i, t], t))
        c.law(y[i], c.max(x[i, t], t))
        c.call(x).shows(y)
        c.variant("0", "none", y=c.sum(x[i, t], t))

    with pytest.raises(ValueError, match=r"no term at all at n\[i\] = 0"):
        none.claim  # noqa: B018


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_attention_is_proved_for_every_size_and_torch_is_right(dtype):
    assert str(proved(reduced.attention.claim)) == "proved for every d, m, n, v"

    def own(q, k, v, keep):
        return torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=keep[None])[0]

    assert verdict(reduced.attention, own, dtype).verdict == "holds"


def test_attention_that_takes_away_the_greatest_of_all_scores_is_found():
    def masked_after(q, k, v, keep):
        s = q @ k.mT / q.shape[-1] ** 0.5
        a = (s - s.amax(-1, keepdim=True)).exp() * keep  # the greatest may be masked: what is left underflows
        return a @ v / a.sum(-1, keepdim=True)

    assert verdict(reduced.attention, masked_after, "float32").verdict == "fails"

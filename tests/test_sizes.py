"""Sizes that a user asks for: refused with a reason before anything runs, else looked at and said."""

import functools

import pytest
from test_large import tail

import gnomon
from gnomon.check import asked
from gnomon.front import cli
from gnomon.say.errors import UsageError

verify = functools.partial(gnomon.verify, dtype="float64", device="cpu", proofs=False)

REFUSED = [
    ("std.zscore", {"q": 4}, "size q: std.zscore has no such size; it has n, p, correction"),
    (["std.zscore", "bn.transform"], {"q": 4}, "size q: none of the 2 chosen claims has it"),
    ("std.zscore", {"n": 1}, "std.zscore: n = 1: expected a whole number from 2 on"),
    ("std.zscore", {"n": 2.5}, "size n = 2.5: expected a whole number"),
    ("std.zscore", {"n": True}, "size n = True: expected a whole number"),
    ("std.zscore", {"n": 10**11}, "n = 100000000000: needs about"),
    ("std.zscore", {"n": 10**6, "p": 10**5}, "GB are to be had"),
    ("heat.euler_stability.limit", {"n": 64}, "from 2 to 3: nothing is claimed above"),
    ("optim.adam.step_bound", {"n": 64}, "the claim is an inequality"),
    ("optim.adam.update", {"T": 10**6}, "one after another"),
    ("std.zscore", ["n"], "expected a dictionary"),
]


@pytest.mark.parametrize(("claims", "sizes", "words"), REFUSED, ids=[str(sizes) for _, sizes, _ in REFUSED])
def test_sizes_with_which_nothing_would_be_looked_at_are_refused(claims, sizes, words, monkeypatch):
    monkeypatch.setattr("gnomon.front.api.check", lambda *_, **__: pytest.fail("something ran"))
    with pytest.raises(UsageError) as error:
        verify(claims, sizes=sizes)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["n", "n=", "n=x", "n=-3", "n=2.5", "=4", "n=4,n=5", "n=4,,d=5"])
def test_what_reads_as_no_sizes_is_refused(text):
    with pytest.raises(UsageError, match=r"--size .*(expected|twice)"):
        asked.parsed(text)


def test_the_command_line_refuses_before_it_runs(tmp_path, capsys):
    assert cli.main(["verify", "std.zscore", "--size", "n=1", "--jobs", "1", "--out", str(tmp_path / "out")]) == 2
    assert "n = 1: expected a whole number from 2 on" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_memory_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(asked, "room", lambda device: 1e6)
    with pytest.raises(UsageError, match=r"n = 4096: needs about .* GB of memory; 0.0005 GB are to be had"):
        verify("std.zscore", sizes={"n": 4096})


def test_sizes_are_looked_at_and_said():
    zscore, minmax = verify(["std.zscore", "std.minmax.scaler"], sizes={"p": 2049, "m": 70})
    assert zscore.verdict == minmax.verdict == "holds"
    assert 2049 in zscore.covered.sizes["p"]
    assert 70 in minmax.covered.sizes["m"]
    assert zscore.covered.not_looked_at["m = 70"] == "the claim has no such size"
    assert any("2049" in words for kind, words in zscore.covered.said() if kind == "sizes")


def test_what_is_wrong_there_alone_fails_from_a_size_on():
    wrong = {"standardize.zscore": tail("standardize.zscore", 2048, 1)}
    (held,) = verify("std.zscore", impl=wrong)
    assert held.verdict == "holds"
    (found,) = verify("std.zscore", impl=wrong, sizes={"p": 4096 + 7})
    assert found.verdict == "fails"
    assert found.reason.startswith("from p = 20")
    assert 2048 < found.counterexample.structure["p"] < 2100

"""A subject on its way through the engine: right ones hold, and each wrong one gets its verdict."""

import dataclasses
import sys

import pytest
import sympy as sp
import torch
import toy

from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import check
from gnomon.compute.compiled import spilled
from gnomon.say.claim import Output, Program, Variant

FLOATS = ("float64", "float32", "bfloat16", "float16")


def verdict(subject, claim=toy.VARIANCE, dtype="float64", seed=0):
    (evidence,) = check(
        claim,
        implementations={claim.subject: subject},
        device="cpu",
        dtypes=[dtype],
        budget="quick",
        seed=seed,
        trust="",
    )
    return evidence


def two_pass(x):
    return ((x - x.mean()) ** 2).sum() / (len(x) - 1)


def one_pass(x):
    return ((x * x).sum() - x.sum() ** 2 / len(x)) / (len(x) - 1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_right_subject_holds_and_every_variant_is_rejected(dtype):
    for subject in (two_pass, lambda x: torch.var(x)):
        evidence = verdict(subject, dtype=dtype)
        assert evidence.verdict == "holds", evidence
        assert evidence.gradient.verdict == "holds"
        assert evidence.search.comparisons > 1000
        assert all(variant.rejected and not variant.inseparable for variant in evidence.variants)
        assert evidence.worst.share <= 1


def test_a_wrong_formula_is_named_with_its_smallest_input():
    evidence = verdict(lambda x: torch.var(x, correction=0))
    assert (evidence.verdict, evidence.failure, evidence.variant) == ("fails", "wrong formula", "biased")
    example = evidence.counterexample
    assert example.structure == {"n": 2}
    assert sorted(example.inputs["x"]) == [0.0, 1.0]
    assert float(example.observed) == 0.25
    assert float(example.expected) == 0.5


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cancellation_is_inaccurate_and_not_a_wrong_formula(dtype):
    evidence = verdict(one_pass, dtype=dtype)
    assert (evidence.verdict, evidence.failure, evidence.variant) == ("fails", "inaccurate", None)


@pytest.mark.parametrize("dtype", FLOATS[:3])
@pytest.mark.parametrize("seed", range(3))
def test_the_class_does_not_hang_on_chance(seed, dtype):
    assert verdict(one_pass, dtype=dtype, seed=seed).failure == "inaccurate"
    assert verdict(lambda x: two_pass(x) + 1e-3 * x[0] ** 2, dtype="float64", seed=seed).failure == "wrong formula"


@pytest.mark.parametrize("inside", [torch.var, lambda x: two_pass(x) * 3 / 3])
def test_float32_inside_is_inaccurate(inside):
    evidence = verdict(lambda x: inside(x.to(torch.float32)).to(x.dtype))
    assert (evidence.failure, evidence.variant) == ("inaccurate", None)
    assert "float32" in evidence.reason


def test_a_small_slip_is_no_rounding():
    evidence = verdict(lambda x: torch.var(x) + 1e-8)
    assert (evidence.failure, evidence.variant) == ("wrong formula", None)


def test_a_rare_branch_is_found():
    def rare(x):
        value = two_pass(x)
        return torch.where((x[0] == x[1]) & (x[0] != 0), value + 1, value)

    assert verdict(rare).failure == "wrong formula"


def test_a_wrong_gradient_under_right_values_is_found():
    class Doubled(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.clone()

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, grad):
            return 2 * grad

    evidence = verdict(lambda x: two_pass(Doubled.apply(x)))
    assert (evidence.verdict, evidence.failure) == ("fails", "wrong gradient")
    assert evidence.counterexample.output.startswith("∂/∂x")


def test_overflow_is_a_range_failure():
    assert verdict(lambda x: two_pass(x * 2.0**600) / 2.0**600 / 2.0**600).failure == "range"


def test_nan_is_a_range_failure():
    assert verdict(lambda x: two_pass(x) / (x[0] != x[1])).failure == "range"


def boom(x):
    raise RuntimeError("no luck")


def mutating(x):
    x -= x.mean()
    return (x * x).sum() / (len(x) - 1)


def unsteady(x):
    return two_pass(x) + torch.rand(())


def strided_only(x):
    return two_pass(x) if x.is_contiguous() else two_pass(x) + 1


@pytest.mark.parametrize(
    ("subject", "failure", "reason"),
    [
        (lambda x: sys.exit(0), "crash", "raises SystemExit: 0 (line"),
        (boom, "crash", "raises RuntimeError: no luck (line"),
        (lambda x: two_pass(x).reshape(1), "contract", "shape (1,), expected ()"),
        (lambda x: two_pass(x).float(), "contract", "dtype torch.float32, expected torch.float64"),
        (lambda x: float(two_pass(x)), "contract", "is float, expected a torch.Tensor"),
        (lambda x: two_pass(x).detach(), "contract", "no gradient"),
        (mutating, "contract", "changes its input x in place"),
        (unsteady, "contract", "differs between two calls"),
        (strided_only, "contract", "strided"),
    ],
)
def test_broken_contracts_get_their_reason(subject, failure, reason):
    evidence = verdict(subject)
    assert evidence.verdict == "fails"
    assert evidence.failure == failure
    assert reason in evidence.reason


def test_a_subject_that_cannot_run_in_batches_is_looked_at_point_by_point():
    def branching(x):
        return two_pass(x) if float(x[0].detach()) < 1e300 else x[0]

    evidence = verdict(branching)
    assert evidence.verdict == "holds"
    assert evidence.search.loop
    assert evidence.search.points >= 8 * 50


def test_an_inequality_holds_and_its_tighter_variants_are_rejected():
    evidence = verdict(two_pass, toy.BOUND)
    assert evidence.verdict == "holds"
    assert [variant.rejected for variant in evidence.variants] == [True, True]


def test_a_subject_over_the_bound_fails_the_inequality():
    evidence = verdict(lambda x: 3 * two_pass(x), toy.BOUND)
    assert (evidence.verdict, evidence.failure) == ("fails", "wrong formula")


def test_a_variant_that_changes_nothing_leaves_the_claim_undecided():
    same = Variant("no change", "test", replace=((toy.mean, toy.total(toy.x[toy.j]) / toy.N),))
    evidence = verdict(two_pass, dataclasses.replace(toy.VARIANCE, variants=(same,)))
    assert evidence.verdict == "undecided"
    assert "not seen to reject no change" in evidence.reason


def test_variants_that_no_input_tells_apart_are_said_to_be_so():
    one, two = (Variant(name, "test", replace=((toy.mean, sp.Integer(0)),)) for name in ("one", "two"))
    (first, second) = verdict(two_pass, dataclasses.replace(toy.VARIANCE, variants=(one, two))).variants
    assert first.inseparable == ("two",)
    assert second.inseparable == ("one",)


def test_when_everything_is_excused_nothing_is_decided():
    hopeless = sp.Symbol("hopeless", real=True)
    big = Program(((hopeless, sp.exp(sp.exp(toy.x[0] ** 2 + 100))),), (Output("out", hopeless),))
    variant = Variant("other", "test", replace=((hopeless, sp.Integer(1)),))
    claim = dataclasses.replace(toy.VARIANCE, program=big, variants=(variant,))
    evidence = verdict(lambda x: torch.exp(torch.exp(x[0] ** 2 + 100)), claim)
    assert evidence.verdict == "undecided"
    assert evidence.reason == "nothing was compared"


def test_the_same_seed_gives_the_same_evidence():
    first, second = (verdict(lambda x: torch.var(x, correction=0)) for _ in range(2))
    assert first.counterexample == second.counterexample
    assert draw_examples(toy.VARIANCE, 8, 5) == draw_examples(toy.VARIANCE, 8, 5)
    assert draw_examples(toy.VARIANCE, 8, 5) != draw_examples(toy.VARIANCE, 8, 6)


def test_what_overflows_in_one_entry_may_spill_into_the_others():
    budget = torch.tensor([[1.0, torch.inf], [1.0, 2.0]])
    seen = torch.tensor([[torch.nan, 0.0], [torch.inf, 0.0]])
    assert torch.equal(spilled(budget, seen), torch.tensor([[torch.inf, torch.inf], [1.0, 2.0]]))

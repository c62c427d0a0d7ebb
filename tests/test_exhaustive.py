"""Functions of one number in 16 bits: every input is tried, and one wrong answer among them is found."""

import dataclasses

import pytest
import sympy as sp
import torch
from toy import derivation

from gnomon.check.exhaustive import every_number, lone_input, worst_ulp
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import judge, prepare
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import nonnegative, real
from gnomon.say.evidence import Evidence

CPU = torch.device("cpu")
X = real("x")
x, half = X.symbol, sp.Symbol("half", real=True)
LOGISTIC = Claim(
    id="toy.logistic",
    section="0.1",
    title="The logistic function",
    kind="equality",
    subject="toy.logistic",
    driver="function",
    inputs=(X,),
    program=Program(((half, sp.tanh(x / 2)),), (Output("y", (1 + half) / 2),)),
    statement=sp.Eq(sp.Symbol("y"), 1 / (1 + sp.exp(-x))),
    derivation=derivation,
    variants=(Variant("twice as steep", "known bug", replace=((half, sp.tanh(x)),)),),
)
FINITE = {"float16": 63488, "bfloat16": 65280}


def look(subject, dtype, claim=LOGISTIC):
    task = prepare(claim, subject, "toy", dtype, "cpu")
    blank = Evidence(claim.id, claim.subject, "toy", "cpu", dtype, "undecided")
    return judge(task, draw_examples(claim, 8, 0), "quick", blank)


@pytest.mark.parametrize("dtype", FINITE)
def test_every_finite_number_is_tried_once(dtype):
    evidence = look(torch.sigmoid, dtype)
    assert evidence.verdict == "holds"
    assert evidence.search.points == evidence.gradient.points == FINITE[dtype]
    assert round(evidence.search.comparisons / (1 - evidence.search.excused)) == FINITE[dtype]
    at = torch.tensor(int(evidence.ulp.pattern, 16) - 2**16 * (evidence.ulp.input < 0)).to(torch.int16)
    assert float(at.view(getattr(torch, dtype))) == evidence.ulp.input
    assert evidence.ulp.error > 0


@pytest.mark.parametrize("dtype", FINITE)
def test_one_wrong_value_among_them_is_found(dtype):
    evidence = look(lambda x: torch.where(x == 0.09765625, 0.625 + 0 * x, torch.sigmoid(x)), dtype)
    assert evidence.verdict == "fails"
    assert evidence.counterexample.inputs == {"x": 0.09765625}


def test_one_wrong_derivative_among_them_is_found():
    class OneSlope(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return torch.sigmoid(x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs, output)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return torch.where(x == -1.5, 0 * g, g * y * (1 - y))

    evidence = look(OneSlope.apply, "bfloat16")
    assert evidence.failure == "wrong gradient"
    assert evidence.counterexample.inputs == {"x": -1.5}


def test_a_domain_is_respected_and_only_lone_real_numbers_count():
    batch = every_number(nonnegative("x"), {}, torch.float16, CPU)
    assert batch.size == FINITE["float16"] // 2 + 1  # both zeros are not negative
    assert lone_input(LOGISTIC, torch.float32) is None
    assert lone_input(LOGISTIC, torch.bfloat16) == X


def test_a_domain_without_a_number_of_the_format_is_undecided():
    far = dataclasses.replace(LOGISTIC, inputs=(real("x", low=1e5, high=1e6),))
    evidence = look(torch.sigmoid, "float16", far)
    assert (evidence.verdict, evidence.reason) == ("undecided", "nothing was compared")


def test_errors_are_measured_in_spacings_at_the_truth():
    value = torch.tensor([[1.0], [2.0], [2.0**-24]]).double()
    seen = value + torch.tensor([[2.0**-10], [2.0**-10], [2.0**-24]]).double()
    inputs, none = torch.tensor([0.0, 1.0, -2.0]).double(), torch.zeros(3, 1, dtype=torch.bool)

    def worst(rows):
        return worst_ulp(seen[rows], (value[rows], 0 * value[rows]), none[rows], inputs[rows], torch.float16)

    assert worst([0]).error == 1.0
    assert worst([1]).error == 0.5
    assert worst([2]).error == 1.0  # subnormal numbers lie evenly
    assert worst([0, 1]).pattern == "0x0000"
    assert worst([2]).pattern == "0xc000"


def test_a_kernel_that_is_wrong_for_full_vectors_alone_is_found():
    def vectorised(x):
        return torch.where((x == 3) & torch.tensor(x.numel() >= 16), torch.inf, torch.sigmoid(x))

    class Crowded(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return vectorised(x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, g):
            return g

        @staticmethod
        def vmap(info, in_dims, x):
            return vectorised(x), 0

    evidence = look(Crowded.apply, "float16")
    assert evidence.failure == "range"
    assert evidence.counterexample.inputs == {"x": 3.0}

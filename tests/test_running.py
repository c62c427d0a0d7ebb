"""The running bound is itself tested: against Arb on random programs, in every format, and seen to fail when halved."""

import random
from fractions import Fraction

import pytest
import torch

from gnomon.compute.balls import enclose
from gnomon.compute.choosing import UndecidedBranch
from gnomon.compute.operations import OPERATIONS
from gnomon.compute.running_error import bounded, may_flush, values
from gnomon.compute.slp import SLP, pullback

CPU = torch.device("cpu")
UNARY = tuple(name for name, operation in OPERATIONS.items() if operation.unary)
BINARY = ("add", "mul", "div", "max", "min", "pow")


def random_program(rng, operations=25, unary=UNARY):
    """A random program over three tensor inputs and one hyper-parameter."""
    slp = SLP()
    nodes = [slp.leaf(name) for name in "xyz"] + [
        slp.leaf("h", host=True),
        slp.constant(Fraction(1, 3)),
        slp.pi(),
    ]
    for _ in range(operations):
        kind = rng.random()
        a, b = rng.choice(nodes), rng.choice(nodes)
        try:
            if kind < 0.5:
                made = slp.binary(rng.choice(BINARY), a, b)
            elif kind < 0.85:
                made = slp.unary(rng.choice(unary), a)
            elif kind < 0.95:
                made = slp.power(a, rng.choice((2, 3, 5, 7)))
            else:
                made = slp.select(slp.binary(rng.choice(("lt", "le")), a, b), rng.choice(nodes), rng.choice(nodes))
        except ZeroDivisionError:
            continue
        nodes.append(made)
    return slp, nodes[-1]


def random_leaves(rng, points):
    generator = torch.Generator().manual_seed(rng.randrange(2**31))
    scale = torch.exp2(torch.randint(-12, 13, (points,), generator=generator).double())
    drawn = {name: torch.randn(points, generator=generator, dtype=torch.float64) * scale for name in "xyz"}
    drawn["y"][::5] = drawn["x"][::5]
    drawn["z"][::7] = 0.0
    return {(name, ()): value for name, value in drawn.items()} | {("h", ()): rng.choice((0.1, 0.999, 3.0, 1e-8))}


def compare(programs, seed, shrink=1.0):
    """Comparisons made and violations seen of |float64 value - truth| <= bound, over random programs."""
    rng, compared, violated = random.Random(seed), 0, 0
    for _ in range(programs):
        slp, out = random_program(rng)
        leaves = random_leaves(rng, 12)
        ((value, bound),) = bounded(slp, [out], leaves, torch.float64, CPU)
        value, bound = value.expand(12), bound.expand(12) * shrink
        for point in range(12):
            if bound[point].isinf():
                continue
            at = {key: float(leaf[point]) if isinstance(leaf, torch.Tensor) else leaf for key, leaf in leaves.items()}
            try:
                (truth,) = enclose(slp, [out], at, bits=600)
            except UndecidedBranch:
                continue
            if truth.is_finite():
                compared += 1
                violated += not bool(abs(truth - float(value[point])) <= float(bound[point]))
    return compared, violated


def test_the_bound_encloses_the_error_of_its_own_value_on_random_programs():
    compared, violated = compare(250, seed=1)
    assert compared > 1000
    assert violated == 0


def test_a_bound_without_rounding_terms_would_be_caught():
    compared, violated = compare(60, seed=1, shrink=1e-3)
    assert compared > 200
    assert violated > 20


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_bound_encloses_the_error_of_a_run_in_low_precision(dtype):
    # torch's own erf is left out: for bfloat16 tensors it is 40 % off at 2.6e-7, far beyond two units
    unary = tuple(op for op in UNARY if op != "erf")
    rng, compared = random.Random(2), 0
    for _ in range(150):
        slp, out = random_program(rng, 12, unary)
        leaves = random_leaves(rng, 12)
        leaves = {k: v.to(dtype).double() if isinstance(v, torch.Tensor) else v for k, v in leaves.items()}
        ((value, bound),) = bounded(slp, [out], leaves, dtype, CPU)
        if slp.host[out]:
            continue
        low = {k: v.to(dtype) if isinstance(v, torch.Tensor) else v for k, v in leaves.items()}
        (seen,) = values(slp, [out], low, torch.empty((), dtype=dtype))
        finite = bound.isfinite().expand(12)
        gap = (seen.double().expand(12) - value.expand(12)).abs()
        compared += int(finite.sum())
        # the host's constants are double in the model and the dtype's own in this run: hence the one constant
        assert bool((gap <= 4 * bound)[finite].all())
    assert compared > 300


def test_what_cannot_be_known_is_excused():
    slp = SLP()
    x, y = slp.leaf("x"), slp.leaf("y")
    zero = slp.sub(slp.mul(x, y), slp.mul(y, slp.add(x, slp.constant(0))))
    assert zero == slp.constant(0) or slp.nodes[zero].op == "add"
    small = slp.sub(slp.div(x, y), slp.div(slp.mul(x, slp.constant(3)), slp.mul(y, slp.constant(3))))
    nodes = [slp.div(slp.constant(1), small), slp.unary("log", small), slp.unary("sqrt", small)]
    leaves = {("x", ()): torch.tensor([1.1]).double(), ("y", ()): torch.tensor([0.7]).double()}
    for _, bound in bounded(slp, nodes, leaves, torch.float64, CPU):
        assert bound.isinf().all()


def test_overflow_of_the_subjects_format_is_excused_and_that_of_a_wider_one_is_not():
    slp = SLP()
    x = slp.leaf("x")
    square = slp.mul(x, x)
    leaves = {("x", ()): torch.tensor([300.0], dtype=torch.float64)}
    assert bounded(slp, [square], leaves, torch.float16, CPU)[0][1].isinf().all()
    assert bounded(slp, [square], leaves, torch.float32, CPU)[0][1].isfinite().all()


def test_cotangents_that_cancel_are_charged_for_their_sizes():
    slp = SLP()
    x, p = slp.leaf("x"), slp.leaf("p")
    shared = slp.mul(p, x)
    g = [slp.leaf("g", (0,)), slp.leaf("g", (1,))]
    adjoint = pullback(slp, [shared, slp.mul(slp.constant(3), shared)], g)[("x", ())]
    leaves = {key: torch.tensor([value]).double() for key, value in
              {("x", ()): 1.0, ("p", ()): 1 / 3, ("g", (0,)): 3.0, ("g", (1,)): -1.0}.items()}  # fmt: skip
    ((value, bound),) = bounded(slp, [adjoint], leaves, torch.float32, CPU)
    assert float(value) == 0
    # a subject that computes both products from x rounds p * 3 and 3 * p * -1 on its own, each by a unit of 1
    assert float(bound) >= torch.finfo(torch.float32).eps


def test_partial_sums_that_may_be_taken_for_zero_are_charged_in_bfloat16():
    slp = SLP()
    terms = [slp.leaf("x", (i,)) for i in range(4)]
    tiny = torch.finfo(torch.bfloat16).tiny
    leaves = {("x", (i,)): torch.tensor([value * tiny]).double() for i, value in enumerate((-2.5, 3.25, 1.25, 2.5))}
    ((value, bound),) = bounded(slp, [slp.total(terms)], leaves, torch.bfloat16, CPU)
    # -2.5 + 3.25 is subnormal: a kernel that takes it for zero errs by three quarters of the smallest normal number
    assert float(value) == 4.5 * tiny
    assert float(bound) >= 0.75 * tiny


def test_an_exponential_that_vanishes_is_known_even_if_its_argument_is_not():
    slp = SLP()
    x = slp.leaf("x")
    square = slp.mul(x, x)
    nodes = [slp.unary(op, slp.neg(square)) for op in ("exp", "expm1")]
    leaves = {("x", ()): torch.tensor([1e9]).double()}
    for _, bound in bounded(slp, nodes, leaves, torch.bfloat16, CPU):
        assert bound.isfinite().all()


def test_subnormal_numbers_may_be_lost_where_kernels_lose_them():
    cuda = torch.device("cuda")
    assert [may_flush(dtype, CPU) for dtype in (torch.float64, torch.float32, torch.bfloat16)] == [False, False, True]
    assert [may_flush(dtype, cuda) for dtype in (torch.float64, torch.float32, torch.bfloat16)] == [False, True, True]

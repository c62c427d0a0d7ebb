"""``check_point``: what is printed reproduces the failure, and what lies outside the claim is a usage error."""

import dataclasses

import pytest
import sympy as sp
import torch
import toy

import gnomon
from gnomon.check.domains import host_number, structure_fault, tensor_of
from gnomon.check.inputs import draw
from gnomon.check.strategies import draw_examples
from gnomon.check.task import Compilations
from gnomon.check.verdict import check
from gnomon.find import walk
from gnomon.say.claim import Variant
from gnomon.say.domain import Choice, Graph, Size, Sizes, positive, real, simplex
from gnomon.say.errors import UsageError


@pytest.fixture
def toys(monkeypatch):
    """Makes claims the only ones there are."""

    def known(*claims):
        monkeypatch.setattr(walk, "entries", lambda: {claim.id: claim for claim in claims})

    return known


def evidence(claim, subject, dtype="float64"):
    (found,) = check(
        claim, implementations={claim.subject: subject}, device="cpu", dtypes=[dtype], budget="quick", seed=0
    )
    return found


def run(code, **extra):
    """What the printed code prints, with the subject put where the comment asks for it."""
    shown = []
    lines = [line for line in code.splitlines() if not line.lstrip().startswith("#")]
    if extra:
        lines.insert(lines.index(")"), "    impl=subject,")
    exec("\n".join(lines), {"print": shown.append, "subject": extra.get("subject")})
    return shown[0]


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


class Undefined(Doubled):
    @staticmethod
    def backward(ctx, grad):
        return grad * torch.nan


class Variance(torch.autograd.Function):
    """Right values; a backward pass that loses digits, as one that adds what cancels does."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return torch.var(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 2 * ((x + 1000) - (x.mean() + 1000)) / (len(x) - 1)


def one_pass(x):
    return ((x * x).sum() - x.sum() ** 2 / len(x)) / (len(x) - 1)


KINDS = {
    "wrong formula": (toy.VARIANCE, lambda x: torch.var(x, correction=0)),
    "inaccurate": (toy.VARIANCE, one_pass),
    "range": (toy.VARIANCE, lambda x: torch.var(x) / (x[0] != x[1])),
    "wrong gradient": (toy.VARIANCE, lambda x: torch.var(Doubled.apply(x))),
    "inaccurate gradient": (toy.VARIANCE, lambda x: Variance.apply(x)),
    "range of a gradient": (toy.VARIANCE, lambda x: torch.var(Undefined.apply(x))),
    "wrong formula of an inequality": (toy.BOUND, lambda x: 3 * torch.var(x)),
    "range of an inequality": (toy.BOUND, lambda x: torch.var(x) / (x[0] != x[1])),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_a_counterexample_shows_the_failure_again(kind, dtype, toys):
    claim, subject = KINDS[kind]
    toys(claim)
    found = evidence(claim, subject, dtype)
    assert found.failure == kind.partition(" of ")[0]
    again = run(found.counterexample.code, subject=subject)
    assert again.startswith(f"{claim.id}: {found.failure}: at n="), again
    assert str(found.counterexample) in again


def test_a_subject_that_was_named_is_named_in_the_code(tmp_path, toys):
    toys(toy.VARIANCE)
    (tmp_path / "mine.py").write_text("import torch\n\n\ndef var(x):\n    return torch.var(x, correction=0)\n")
    found = evidence(toy.VARIANCE, f"{tmp_path / 'mine.py'}:var")
    assert run(found.counterexample.code).startswith("toy.variance: wrong formula: at n=2")


def test_the_code_of_a_rejected_variant_shows_its_rejection_again(toys):
    wider = Variant("more numbers", "test", structure=(Size("n", 2, 6),), relation=toy.BOUND.variants[0].relation)
    tight = dataclasses.replace(toy.BOUND, id="toy.bound.wide", variants=(wider,))
    toys(toy.VARIANCE, toy.BOUND, tight)
    for claim in (toy.VARIANCE, toy.BOUND, tight):
        for rejection in evidence(claim, torch.var).variants:
            assert rejection.rejected
            again = run(rejection.counterexample.code)
            assert str(rejection.counterexample) in again, again
            assert ": holds" not in again


def test_at_a_right_point_values_and_gradients_hold(toys):
    toys(toy.VARIANCE)
    given = {"structure": {"n": 2}, "inputs": {"x": [0.1, 0.3]}, "impl": torch.var}
    for dtype in ("float64", "float32", "bfloat16", "float16"):
        for weights in (None, [1.0]):
            assert ": holds at n=2" in gnomon.check_point("toy.variance", **given, dtype=dtype, weights=weights)


# ---------------------------------------------------------------- outside the claim

WIDTHS, LAWS = Sizes("widths", sp.Symbol("n", integer=True, positive=True)), Choice("law", {"a": {}, "b": {}})
LINKS, NODES = Graph("A", Size("m", 1, 3)), Size("m", 1, 3)
DOMAINS = (real("x", toy.n), positive("y", high=1), simplex("p", toy.n), real("k", toy.n, low=0, high=3, integer=True),
           positive("rate", host=True, high=1), simplex("r", toy.n, covers="p"))  # fmt: skip
EVERYTHING = dataclasses.replace(
    toy.VARIANCE, id="toy.everything", structure=(toy.n, WIDTHS, LAWS, NODES, LINKS), inputs=DOMAINS,
)  # fmt: skip
STRUCTURE = {"n": 2, "widths": [1, 4], "law": "a", "m": 2, "A": [[0, 1], [1, 0]]}
INPUTS = {"x": [1, 2], "y": 0.5, "p": [0.25, 0.75], "k": [0, 3], "rate": 0.5, "r": [0.5, 0.5]}


def everything(x, y, p, k, rate, r):
    return torch.var(x)


def refused(structure=(), inputs=(), **more):
    structure, inputs = STRUCTURE | dict(structure), INPUTS | dict(inputs)
    for given in (structure, inputs):
        for name in [name for name, value in given.items() if value is None]:
            del given[name]
    with pytest.raises(UsageError) as error:
        gnomon.check_point("toy.everything", structure, inputs, impl=everything, **more)
    return str(error.value)


def test_a_point_inside_every_domain_is_looked_at(toys):
    toys(EVERYTHING)
    shown = gnomon.check_point("toy.everything", STRUCTURE, INPUTS, impl=everything)
    assert shown.startswith("toy.everything: holds"), shown


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        ({"n": 1}, "n = 1: expected a whole number from 2 on"),
        ({"n": 2.0}, "n = 2.0: expected a whole number from 2 on"),
        ({"n": True}, "n = True: expected a whole number from 2 on"),
        ({"n": None}, "structure: n missing; expected n, widths, law, m, A"),
        ({"N": 2}, "structure: N is not one of them"),
        ({"law": "c"}, "law = 'c': expected one of a, b"),
        ({"law": 1}, "law = 1: expected one of a, b"),
        ({"widths": [1]}, "widths = [1]: expected a list of 2 sizes"),
        ({"widths": [1, 9]}, "widths = [1, 9]: expected 1…4, whole"),
        ({"widths": 3}, "widths = 3: expected a list of 2 sizes"),
        ({"A": [[0, 1]]}, "expected 2 rows of 2 entries, as m = 2"),
        ({"A": [[0, 2], [2, 0]]}, "expected entries 0 and 1"),
        ({"A": [[1, 1], [1, 0]]}, "expected no self loop"),
        ({"A": [[0, 1], [0, 0]]}, "expected a symmetric matrix"),
        ({"A": [[0, 0], [0, 0]]}, "expected a connected graph"),
    ],
)
def test_a_structure_outside_the_claim_is_a_usage_error(structure, words, toys):
    toys(EVERYTHING)
    assert words in refused(structure)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"x": None}, "inputs: x missing; expected x, y, p, k, rate, r"),
        ({"z": 1.0}, "inputs: z is not one of them"),
        ({"x": [1.0]}, "x has shape (1,): expected (2,)"),
        ({"x": 1.0}, "x has shape (): expected (2,)"),
        ({"x": [1.0, float("nan")]}, "x[1] = nan: expected real, shape (n,)"),
        ({"x": [float("inf"), 0]}, "x[0] = inf: expected real"),
        ({"x": "one"}, "x: expected real, shape (n,), as a tensor or nested lists"),
        ({"x": [[1], [1, 2]]}, "x: expected real, shape (n,), as a tensor or nested lists"),
        ({"x": [1j, 0]}, "x: expected real, shape (n,), got entries of torch.complex64"),
        ({"y": 0.0}, "y = 0.0: expected in (0, 1]"),
        ({"y": 1.5}, "y = 1.5: expected in (0, 1]"),
        ({"p": [0.5, 0.25]}, "p: the numbers [0.5, 0.25] sum to 0.75, expected probabilities"),
        ({"p": [1.5, -0.5]}, "p[0] = 1.5: expected probabilities"),
        ({"r": [0, 1]}, "r is 0 where p is positive: expected probabilities, positive wherever p is, shape (n,)"),
        ({"k": [0, 4]}, "k[1] = 4.0: expected in [0, 3], shape (n,), whole"),
        ({"k": [0, 0.5]}, "k[1] = 0.5: expected in [0, 3], shape (n,), whole"),
        ({"rate": 0}, "rate = 0: expected in (0, 1], hyper-parameter"),
        ({"rate": float("nan")}, "rate = nan: expected in (0, 1]"),
        ({"rate": "fast"}, "rate = 'fast': expected in (0, 1]"),
        ({"rate": [0.5, 0.5]}, "rate = [0.5, 0.5]: expected in (0, 1]"),
    ],
)
def test_an_input_outside_the_claim_is_a_usage_error(inputs, words, toys):
    toys(EVERYTHING)
    assert words in refused(inputs=inputs)


def test_what_the_dtype_makes_of_an_input_must_lie_inside(toys):
    toys(EVERYTHING)
    assert "y = 1e-50, which is 0.0 in float32: expected in (0, 1]" in refused(inputs={"y": 1e-50}, dtype="float32")
    assert "sum to" in refused(inputs={"p": [0.1, 0.9]}, dtype="bfloat16")


def test_unknown_names_and_weights_that_do_not_fit_are_usage_errors(toys):
    toys(EVERYTHING, toy.BOUND)
    assert "has no variant 'baised'; did you mean biased" in refused_variant("baised")
    assert "weights: expected 1 finite numbers, for out; got [1.0, 2.0]" in refused(weights=[1.0, 2.0])
    with pytest.raises(UsageError, match="no gradient is looked at"):
        gnomon.check_point("toy.bound", {"n": 2}, {"x": [0, 1]}, weights=[1.0], impl=torch.var)
    with pytest.raises(UsageError, match="structure: expected a dictionary with n, got list"):
        gnomon.check_point("toy.bound", [2], {"x": [0, 1]}, impl=torch.var)


def refused_variant(name):
    with pytest.raises(UsageError) as error:
        gnomon.check_point("toy.everything", STRUCTURE, INPUTS, variant=name)
    return str(error.value)


@pytest.mark.parametrize(
    "module",
    [
        *("graphs.graph", "graphs.heat_steps", "convolution.pool", "generative.divergences"),
        *("backprop.backprop", "sequences.seq", "backprop.act_smooth"),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_what_is_drawn_lies_inside(module, dtype):
    for claim in walk.claims_in(module):
        compiled = Compilations(claim)
        for example in draw_examples(claim, 4, seed=3):
            assert structure_fault(claim.structure, example.structure) == ""
            bindings = compiled(example.structure).bindings
            generator = torch.Generator().manual_seed(example.seed)
            batch = draw(claim.inputs, bindings, example.host, 9, dtype, generator)
            for domain in claim.inputs:
                if domain.host:
                    assert host_number(domain, example.host[domain.name]) == example.host[domain.name]
                    continue
                for value in batch.values[domain.name]:
                    assert torch.equal(tensor_of(domain, value.tolist(), bindings, dtype, value.device), value)

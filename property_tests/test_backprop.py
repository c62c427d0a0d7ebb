"""Backpropagation written out against autograd: bit for bit, on whole numbers so small that nothing is rounded."""

from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gnomon.check.verdict import check
from gnomon.find.subjects import load
from gnomon.find.walk import select

MLP, backward, forward_trace, gradient_step, half_squared_error = (
    load(f"gnomon.reference.backprop:{name}")
    for name in ("MLP", "backward", "forward_trace", "gradient_step", "half_squared_error")
)

PIECEWISE_LINEAR = ("identity", "relu")
CURVED = ("tanh", "sigmoid")


@st.composite
def whole(draw: st.DrawFn, *shape: int) -> Tensor:
    """A float64 tensor of whole numbers from -4 to 4, so that three layers of up to three units stay exact."""
    size = int(torch.Size(shape).numel())
    entries = draw(st.lists(st.integers(-4, 4), min_size=size, max_size=size))
    return torch.tensor(entries, dtype=torch.float64).reshape(shape)


@st.composite
def problems(draw: st.DrawFn, activations: tuple[str, ...] = PIECEWISE_LINEAR) -> dict[str, object]:
    """The arguments of ``backward``: a network, inputs and targets."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    samples = draw(st.sampled_from([(), (1,), (2,), (2, 3)]))
    biased = draw(st.booleans())
    return {
        "x": draw(whole(*samples, sizes[0])),
        "y": draw(whole(*samples, sizes[-1])),
        "weights": [draw(whole(m, n)) for m, n in pairwise(sizes)],
        "biases": [draw(whole(n)) for n in sizes[1:]] if biased else None,
        "activation": draw(st.sampled_from(activations)),
        "output_activation": draw(st.sampled_from(activations)),
    }


def loss(x, y, weights, biases, activation, output_activation):
    prediction = forward_trace(x, weights, biases, activation, output_activation)[1][-1]
    return half_squared_error(prediction, y, "sum")


def flat(gradients):
    return [*gradients.weights, *gradients.biases, gradients.x]


@settings(deadline=None)
@given(problems())
def test_the_backward_pass_is_autograd(problem):
    leaves = [*problem["weights"], *(problem["biases"] or []), problem["x"]]
    for leaf in leaves:
        leaf.requires_grad_()
    found = torch.autograd.grad(loss(**problem), leaves)
    written_out = flat(backward(**problem))
    assert len(found) == len(written_out)
    assert all(torch.equal(a, b) for a, b in zip(found, written_out, strict=True))


@settings(deadline=None)
@given(problems())
def test_the_deltas_are_the_gradients_by_the_pre_activations(problem):
    """A shift of the biases is a shift of the pre-activations, sample by sample."""
    assume(problem["x"].dim() == 1)
    problem["biases"] = problem["biases"] or [torch.zeros(w.shape[1]).double() for w in problem["weights"]]
    for bias in problem["biases"]:
        bias.requires_grad_()
    found = torch.autograd.grad(loss(**problem), problem["biases"])
    assert all(torch.equal(a, b) for a, b in zip(found, backward(**problem).deltas, strict=True))


@settings(deadline=None)
@given(problems())
def test_gradients_add_up_over_the_samples(problem):
    assume(problem["x"].dim() == 2)
    alone = [
        flat(backward(**{**problem, "x": x, "y": y}))[:-1] for x, y in zip(problem["x"], problem["y"], strict=True)
    ]
    together = flat(backward(**problem))[:-1]
    assert all(torch.equal(sum(parts), whole) for *parts, whole in zip(*alone, together, strict=True))


@settings(deadline=None)
@given(problems(), st.data())
def test_hidden_units_may_change_places(problem, data):
    """Renumbering the units of a layer renumbers their gradients, and changes nothing else."""
    weights, biases = problem["weights"], problem["biases"]
    assume(len(weights) > 1)
    layer = data.draw(st.integers(1, len(weights) - 1))
    order = data.draw(st.permutations(range(weights[layer].shape[0])))

    def renumbered(matrices):
        above, below = matrices[layer][order], matrices[layer - 1][:, order]
        return [*matrices[: layer - 1], below, above, *matrices[layer + 1 :]]

    moved_biases = biases and [bias[order] if l == layer - 1 else bias for l, bias in enumerate(biases)]
    before = backward(**problem)
    after = backward(**{**problem, "weights": renumbered(weights), "biases": moved_biases})
    assert all(torch.equal(a, b) for a, b in zip(after.weights, renumbered(before.weights), strict=True))
    assert torch.equal(after.x, before.x)


@settings(deadline=None)
@given(problems((*PIECEWISE_LINEAR, *CURVED)))
def test_the_module_is_the_forward_pass(problem):
    weights, biases = problem["weights"], problem["biases"]
    sizes = [weights[0].shape[0], *(w.shape[1] for w in weights)]
    names = problem["activation"], problem["output_activation"]
    model = MLP(sizes, *names, bias=biases is not None, dtype=torch.float64)
    state = {f"weights.{l}": weight for l, weight in enumerate(weights)}
    state |= {f"biases.{l}": bias for l, bias in enumerate(biases or [])}
    model.load_state_dict(state)
    expected = forward_trace(problem["x"], weights, biases, *names)[1][-1]
    assert torch.equal(model(problem["x"]), expected)


@settings(deadline=None)
@given(problems())
def test_a_named_activation_is_the_function_itself(problem):
    functions = {"identity": lambda s: s, "relu": torch.relu}
    given_as_functions = {
        **problem,
        "activation": functions[problem["activation"]],
        "output_activation": functions[problem["output_activation"]],
    }
    named, itself = backward(**problem), backward(**given_as_functions)
    assert all(torch.equal(a, b) for a, b in zip(flat(named), flat(itself), strict=True))


@settings(deadline=None)
@given(problems(), st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_a_step_moves_against_the_gradients_and_keeps_what_it_was_given(problem, lr):
    kept = [weight.clone() for weight in problem["weights"]]
    arguments = dict(problem)
    names = arguments.pop("activation"), arguments.pop("output_activation")
    weights, biases = gradient_step(*arguments.values(), lr, *names)
    gradients = backward(**problem)
    moves = [(old - new) for old, new in zip(problem["weights"], weights, strict=True)]
    moves += [(old - new) for old, new in zip(problem["biases"] or [], biases, strict=True)]
    wanted = [lr * gradient for gradient in (*gradients.weights, *gradients.biases)]
    assert all(torch.equal(a, b) for a, b in zip(moves, wanted, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(kept, problem["weights"], strict=True))


class Linears(nn.Sequential):
    """A network as most users write it: ``nn.Linear`` stores (out, in), the transpose of the notes' weights."""

    def __init__(self, sizes, activation, output_activation, bias):
        kinds = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU, "identity": nn.Identity}
        names = [activation] * (len(sizes) - 2) + [output_activation]
        layers = [nn.Linear(m, n, bias=bias) for m, n in pairwise(sizes)]
        super().__init__(*[part for layer, name in zip(layers, names, strict=True) for part in (layer, kinds[name]())])


class TooFewLinears(Linears):
    def __init__(self, sizes, activation, output_activation, bias):
        super().__init__((sizes[0], sizes[-1]), activation, output_activation, bias)


def evidence(network):
    (found,) = check(
        *select(["backprop.forward_quantities.network"]),
        implementations={"backprop.MLP": network},
        device="cpu",
        dtypes=["float64"],
        budget="quick",
        seed=0,
    )
    return found


def test_a_network_that_stores_transposes_is_driven_all_the_same():
    found = evidence(Linears)
    assert found.verdict == "holds", str(found)


def test_a_network_without_a_matrix_for_each_layer_is_told_so():
    found = evidence(TooFewLinears)
    assert (found.verdict, found.failure) == ("not callable here", None)
    assert "matrices" in found.reason


ONE = torch.ones(1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: backward(torch.ones(1), torch.ones(2), [ONE]), "y must have the output's shape"),
        (lambda: backward(torch.ones(2), torch.ones(1), [ONE]), "does not fit its input"),
        (lambda: forward_trace(torch.ones(1), []), "at least one layer"),
        (lambda: forward_trace(torch.ones(1), [ONE, ONE], [torch.ones(1)]), "one bias per layer"),
        (lambda: forward_trace(torch.ones(1), [ONE], activation="softplus"), "activation must be callable"),
        (lambda: half_squared_error(torch.ones(2), torch.ones(3)), "same shape"),
        (lambda: half_squared_error(torch.ones(2), torch.ones(2), "average"), "reduction must be"),
        (lambda: MLP((3,)), "at least two positive integers"),
        (lambda: MLP((3, 0)), "at least two positive integers"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

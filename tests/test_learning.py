"""The models learn: the examples of docs/, run as a reader would, beat what cannot learn the task."""

import importlib.util
from pathlib import Path

import pytest
import torch

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _seed_kept():
    with torch.random.fork_rng(devices=[]):
        yield


def test_an_mlp_without_autograd_beats_a_linear_classifier_on_two_moons():
    network, linear = example("two_moons").train()
    assert network > linear


@pytest.mark.parametrize("name", ["convolutional", "residual"])
def test_images_of_digits_are_told_apart_better_than_by_the_nearest_mean(name):
    network, nearest = example("digits").train(name)
    assert network > nearest


@pytest.mark.parametrize("name", ["RNN", "LSTM"])
def test_recurrent_networks_remember_more_than_the_last_character(name):
    network, pairs = example("characters").train(name)
    assert network < pairs

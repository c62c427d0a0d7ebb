"""From Python: every function works again and again, in any order, and nothing in the caller's process changes."""

import itertools
import random
import sys
import warnings

import numpy as np
import pytest
import torch
from test_cli import UPDATE, write

import gnomon

OPTIMIZER = "import torch\nfrom torch.optim import Adam\n"
SWITCHES = """
import random, warnings
import numpy
torch.set_num_threads(3)
torch.set_default_dtype(torch.float16)
torch.set_grad_enabled(False)
torch.set_flush_denormal(True)
torch.use_deterministic_algorithms(False)
torch.set_float32_matmul_precision("medium")
torch.manual_seed(1)
random.seed(1)
numpy.random.seed(1)
warnings.simplefilter("ignore")
"""
INPUTS = {"theta0": [1.0], "g": [[1.0]], "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8}


def globals_now():
    """What a caller may have set, or seeded, or loaded."""
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "subnormal": (torch.full((), 2.0**-1060, dtype=torch.float64) / 2).item(),
        "torch": torch.get_rng_state().tolist(),
        "random": random.getstate(),
        "numpy": [str(part) for part in np.random.get_state()],  # noqa: NPY002
        "warnings": list(warnings.filters),
        "path": list(sys.path),
        "modules": {
            name for name in sys.modules if not name.startswith(("gnomon.", "torch.", "sympy.", "hypothesis."))
        },
    }


def call(name, impl=None):
    if name == "verify":
        given = {} if impl is None else {"optim.Adam": impl}
        return gnomon.verify(UPDATE, impl=given, dtype="float64", proofs=False).exit_code
    if name == "prove":
        return [proof["ok"] for proof in gnomon.prove(UPDATE)]
    return gnomon.check_point(UPDATE, {"n": 1, "T": 1}, INPUTS, impl=impl)


RIGHT = {"verify": 0, "prove": [True]}


@pytest.fixture
def unusual():
    """A caller with settings of its own."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(7)
    random.seed(7)
    yield
    torch.set_num_threads(before)
    torch.set_default_dtype(torch.float32)
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("unusual")
@pytest.mark.parametrize("name", ["verify", "prove", "check_point"])
def test_nothing_global_changes_in_the_caller(name, tmp_path):
    call(name)  # what is loaded when first used stays loaded
    place = write(tmp_path, "switching.py", OPTIMIZER + SWITCHES)
    before = globals_now()
    answer = call(name, f"{place}:Adam")
    after = globals_now()
    assert [key for key in before if before[key] != after[key]] == []
    assert answer == RIGHT.get(name, answer)


def test_every_function_works_after_every_other():
    first = {name: call(name) for name in ("check_point", "verify", "prove")}
    for name in itertools.chain.from_iterable(itertools.permutations(("verify", "prove", "check_point"))):
        assert call(name) == first[name]


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_fixture_works_in_every_test(verify_claims, time):
    assert verify_claims(UPDATE, impl={"optim.Adam": torch.optim.Adam}, dtype="float64", proofs=False).exit_code == 0


def test_a_caller_without_gradients_gets_the_same_verdict():
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert gnomon.verify("act.elu", dtype="float32", proofs=False).exit_code == 0
        assert not torch.is_grad_enabled()


def test_a_file_that_was_changed_is_read_again(tmp_path):
    place = write(tmp_path, "mine.py", OPTIMIZER)
    assert call("verify", f"{place}:Adam") == 0
    place.write_text("Adam = None", encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be driven"):
        call("verify", f"{place}:Adam")

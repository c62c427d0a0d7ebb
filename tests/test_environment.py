"""What is global in a process: named beside a verdict, put back, left alone by subjects, and allowed for."""

import pytest
import torch
from test_cli import UPDATE, write

import gnomon
from gnomon.check.strategies import draw_examples
from gnomon.check.switches import CALLER, SWITCHES, environment, standing
from gnomon.check.undisturbed import undisturbed
from gnomon.check.verdict import judge, prepare
from gnomon.compute.running_error import flushes
from gnomon.find import walk
from gnomon.find.subjects import resolve
from gnomon.say.evidence import Evidence

OTHERWISE = {
    "threads": 3,
    "default dtype": torch.float16,
    "gradients": False,
    "anomaly detection": True,
    "deterministic algorithms": True,
    "subnormal numbers": True,
    "float32 products": ("medium", ()),
    "fp16 sums in fp16": False,
    "bf16 sums in bf16": False,
    "mkldnn": False,
}


@pytest.fixture
def put_back():
    with undisturbed(0):
        yield


def seen(subject, id="act.silu", dtype="float32"):
    (claim,) = walk.select([id])
    task = prepare(claim, subject, "planted", dtype, "cpu")
    return judge(
        task, draw_examples(claim, 3, 0), "quick", Evidence(id, claim.subject, "here", "cpu", dtype, "undecided")
    )


def test_every_switch_is_known_in_a_check_and_put_back(put_back):
    with undisturbed(0):
        usual = standing()
    switches = {switch.name: switch for switch in SWITCHES}
    for name, value in OTHERWISE.items():
        switches[name].turn(value)
    before = standing()
    assert all(before[name] != usual[name] for name in OTHERWISE)
    with undisturbed(0):
        assert standing() == usual
    assert standing() == before


def test_the_newer_interface_to_float32_products_is_put_back_too(put_back):
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        pytest.skip("this torch has the older one alone")
    torch.backends.cuda.matmul.fp32_precision = "tf32"  # from here on the older one raises
    before = standing()
    with undisturbed(0):
        assert torch.get_float32_matmul_precision() == "highest"
        assert environment(torch.device("cuda"))["float32 products"] == "whole"
    assert standing() == before
    (found,) = gnomon.verify("act.silu", dtype="float32", proofs=False)
    assert found.covered.environment["float32 products"] == "whole"


@pytest.mark.parametrize("name", ["subnormal numbers", "threads", "float32 products"])
def test_a_subject_that_switches_breaks_its_contract(name):
    (switch,) = (each for each in SWITCHES if each.name == name)

    class SiLU(torch.nn.SiLU):
        def forward(self, input):
            switch.turn(OTHERWISE[name])
            return super().forward(input)

    with undisturbed(0):
        found = seen(SiLU)
        assert (found.verdict, found.failure) == ("fails", "contract")
        assert name in found.reason


@pytest.mark.parametrize("id", ["act.silu", "optim.adam.update", "bn.transform"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_flushed_subnormals_are_allowed_where_a_processor_cannot_keep_them(id, dtype, put_back):
    torch.set_flush_denormal(True)
    found = seen(resolve(walk.select([id])[0].subject, {})[0], id, dtype)
    assert found.verdict == "holds"
    assert found.covered.environment["subnormal numbers"] == "flushed to zero"


def test_a_caller_that_flushes_is_told_that_the_check_does_not(put_back):
    torch.set_flush_denormal(True)
    (found,) = gnomon.verify("act.silu", dtype="float32", proofs=False)
    assert flushes()
    assert found.verdict == "holds"
    assert found.covered.environment["subnormal numbers"] == "kept"
    assert found.covered.not_looked_at["subnormal numbers: flushed to zero"].startswith(CALLER)


def test_what_an_import_switches_is_said(tmp_path):
    place = write(tmp_path, "fast.py", "import torch\nfrom torch.optim import Adam\ntorch.set_flush_denormal(True)\n")
    (found,) = gnomon.verify(UPDATE, impl={"optim.Adam": f"{place}:Adam"}, dtype="float64", proofs=False)
    assert found.verdict == "holds"
    assert "subnormal numbers: flushed to zero" in found.covered.not_looked_at

"""A backward pass that says it is differentiable once is not looked at for second derivatives, and does not fail."""

import torch
from test_compiled import look
from torch.autograd.function import once_differentiable

from gnomon.check.contract.second import SecondDerivatives


class Softplus(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return -torch.nn.functional.logsigmoid(-x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return g * torch.sigmoid(ctx.saved_tensors[0])


def test_what_is_differentiable_once_is_not_looked_at_twice():
    found = look("act.softplus", Softplus.apply, compiler="")
    assert found.verdict == "holds"
    assert "differentiable once" in found.search.contract_unseen[SecondDerivatives.name]

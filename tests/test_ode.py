"""The size of the next step, where one of its limits holds."""

import pytest
import torch

from gnomon.reference.ode import step_factor


def numbers(dtype):
    """Every number from 0 on of a format of 16 bits, infinity last but for NaN."""
    value = torch.arange(2**15).to(torch.int16).view(dtype)
    return value[~value.isnan()]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("order", range(2, 9))
def test_the_slope_is_zero_where_a_limit_holds(dtype, order):
    ratio = numbers(dtype).requires_grad_()
    factor = step_factor(ratio, order, 0.9, 0.2, 10.0)
    (slope,) = torch.autograd.grad(factor.sum(), ratio)
    limited = (factor <= 0.2) | (factor >= 10)
    assert bool(limited.any())
    assert bool((slope[limited] == 0).all()), f"{slope[limited]} at {ratio[limited]}"
    assert bool((slope[~limited] < 0).all())

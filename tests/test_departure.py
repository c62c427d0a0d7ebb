"""A failure says where the program departs first: in which output, at which step, or in which entries."""

import pytest
from judged import judged
from planted import graph, lstm, momentum, recurrent


class HalfDetached(lstm.Cell):
    """Right values; the cell state is cut off from autograd."""

    def update(self, s, h, c):
        return super().update(s, h, c.detach())


DEPARTURES = {
    "at t = 4; up to 3 everything agrees": ("optim.momentum.update", momentum.ForgetsAfterThree),
    "first in param (θ) at t = 1, where momentum_buffer agrees": ("optim.momentum.update", momentum.MovesFirst),
    "first in h, where c agrees": ("lstm.cell", lstm.NoTanhOnOutput),
    "first in output (h) at t = 2; up to 1": ("rnn.vanilla", recurrent.StateTwoBack),
    "in L[0, 0], L[0, 1], and agrees in L[1, 0], L[1, 1]": ("graph.laplacian", graph.WrongSign()),
    "in ∂/∂c0, where ∂/∂x, ∂/∂h0, ∂/∂W, ∂/∂U, ∂/∂b, ∂/∂d agree": ("lstm.cell", HalfDetached),
}


@pytest.mark.parametrize("where", DEPARTURES)
def test_a_failure_says_where_the_program_departs_first(where):
    row, subject = DEPARTURES[where]
    found = judged(row, subject)
    assert where in found.reason, found

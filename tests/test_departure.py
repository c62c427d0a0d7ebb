"""A failure says where the program departs first: in which output, at which step, or in which entries."""

import pytest
from planted import graph, lstm, momentum, recurrent

from gnomon.check.search import BUDGETS
from gnomon.check.strategies import draw_examples
from gnomon.check.verdict import judge, prepare, seed_for
from gnomon.find import walk
from gnomon.say.evidence import Evidence


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
    (claim,) = walk.select([row])
    found = judge(
        prepare(claim, subject, "planted", "float64", "cpu"),
        draw_examples(claim, BUDGETS["quick"].structures, seed_for(claim, 0)),
        "quick",
        Evidence(row, claim.subject, "planted", "cpu", "float64", "undecided"),
    )
    assert where in found.reason, found

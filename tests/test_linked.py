"""Law, proof and program are held together: a linked claim is proved, and a spoilt one is not."""

import subprocess
import sys

import pytest
import sympy as sp
from boards import euler_step, first_moment
from ratchet import LIST, unlinked

from gnomon.check.proof_record import proof_record
from gnomon.find.walk import entries
from gnomon.link.audit import audit
from gnomon.link.proved import proved
from gnomon.proof import goals
from gnomon.proof.indexed import opaque
from gnomon.proof.theorem import Refused
from gnomon.say.call import edges
from gnomon.say.maker import ClaimMaker, claim

LINKED = [entry for entry in entries().values() if isinstance(entry, ClaimMaker)]
SAMPLE = {
    "adjoint.memory", "backprop.dE_dyhat", "flow.cvt_density", "gan.optimal_discriminator", "graph.degree",
    "heat.euler_step", "optim.adam.first_moment", "solver.euler",
}  # fmt: skip
"""A claim of each family whose proof takes a second at most; ``gnomon audit`` takes all."""


def test_the_list_of_unlinked_claims_is_true():
    assert LIST.read_text(encoding="utf-8").split() == unlinked(), "run `python tests/ratchet.py`"


def test_importing_every_derivation_builds_no_claim():
    program = (
        "from gnomon.find import walk; from gnomon.say.board import Board; made = []; "
        "Board.claim = lambda self: made.append(self.id); walk.entries(); print(made)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_one_claim_is_built_alone():
    program = (
        "import sys; from gnomon.find import walk; from gnomon.say.board import Board; made, old = [], Board.claim; "
        "Board.claim = lambda self: made.append(self.id) or old(self); walk.select(['optim.adam.first_moment']); "
        "print(made, 'gnomon.derivations.graphs.heat' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "['optim.adam.first_moment'] False"


@pytest.mark.parametrize("maker", [euler_step, first_moment], ids=lambda maker: maker.id)
def test_a_claim_is_proved_for_every_size(maker):
    found = proved(maker.claim)
    assert found.label == "proved"
    assert not found.cites
    assert all(theorem is not None and not theorem.left for theorem in found.theorems)


@pytest.mark.parametrize("maker", [euler_step, first_moment], ids=lambda maker: maker.id)
def test_what_is_spoilt_is_refused(maker):
    mutants = audit(maker, [euler_step, first_moment])
    assert not [str(mutant) for mutant in mutants if not (mutant.refused or mutant.equal)]
    assert {mutant.change.partition(":")[0].split()[0] for mutant in mutants} >= {"law", "program", "proof", "theorem"}


def test_a_kernel_that_forgets_what_is_supposed_is_noticed(monkeypatch):
    monkeypatch.setattr(goals, "general", lambda theory, theorem, goal, why="": theorem)
    survivors = [mutant.change for mutant in audit(euler_step) if not (mutant.refused or mutant.equal)]
    assert "an assumption added" in survivors


@pytest.mark.parametrize("maker", [maker for maker in LINKED if maker.id in SAMPLE], ids=lambda maker: maker.id)
def test_a_sample_of_the_audit(maker):
    mutants = audit(maker, [other for other in LINKED if other.id in SAMPLE])
    assert len(mutants) > 4
    assert not [str(mutant) for mutant in mutants if not (mutant.refused or mutant.equal)]


def test_a_law_that_is_the_programs_own_formula_is_a_definition():
    assert proved(_square(lambda c, x, y: c.law(y, x**2)).claim).label == "definition"


def test_a_law_without_a_proof_is_tested_only():
    assert proved(_square(lambda c, x, y: c.law(y, (x + 1) ** 2 - 2 * x - 1)).claim).label == "tested"


@pytest.mark.parametrize(
    ("law", "message"),
    [
        (lambda y, x: (y + 1, (x + 1) ** 2 - 2 * x), ""),
        (lambda y, x: (y + 1, x**2 + 2), "Eq(y + 1, x**2 + 2): "),
        (lambda y, x: (y + x, ">", 2 * x - 1), ""),
        (lambda y, x: (y, ">", x / 2), "y > x/2: 0 and 0 at "),
        (lambda y, x: (1 / (y - x**2), 1 / (y - x**2) + 1), "no point at which both sides have a value; prove it"),
    ],
)
def test_a_further_law_without_a_proof_is_looked_at(law, message):
    record = proof_record(_square(lambda c, x, y: (c.law(y, x**2), c.law(*law(y, x)))).claim)
    assert record["ok"] == (not message), record["trust"]
    assert (record["trust"], record["label"]) == (("not proved", "unlinked") if message else ("tested only", "tested"))
    assert message in next(step["message"] for step in record["steps"] if step["rule"] == "law")


def test_a_further_law_is_looked_at_where_its_conditions_hold_alone():
    @claim("toy.halved", "1.1", "toy.halved")
    def halved(c):
        """Half of a number, which is below a number that is not negative."""
        x, i = c.real("x", 3), c.index("i", 3)
        y = c.let("y", i, x[i] / 2)
        c.condition(x[i] >= 0, i)
        c.law(y[i], x[i] / 2)
        c.law(y[i], "<=", x[i])
        c.call(x).shows(y)
        c.variant("whole", "toy", y=x[i])

    assert proof_record(halved.claim)["ok"]


def test_a_false_law_is_refused_and_says_where():
    def law(c, x, y):
        c.law(y, x**2 + 1)
        c.prove(lambda p: p.left.unfold(y))

    with pytest.raises(Refused, match="not seen to be equal"):
        proved(_square(law).claim)


u = sp.Symbol("u", real=True)
sigma, dsigma = opaque("sigma", 1)
tilted = {sigma: sp.Lambda(u, sp.tanh(u)), dsigma: sp.Lambda(u, sp.tanh(u))}


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda c, x, y: c.law(y, sp.Symbol("z") ** 2), "z in z\\*\\*2 is no input"),
        (lambda c, x, y: c.law(y, "~", x**2), "relates by one of"),
        (lambda c, x, y: (c.let("idle", (), x), c.law(y, x**2)), "idle: defined, and used by no"),
        (lambda c, x, y: (c.let("y", (), x), c.law(y, x**2)), "two things are called y"),
        (lambda c, x, y: c.let("E = x**2", (), x), "is no name: a formula belongs into the law"),
        (lambda c, x, y: c.law(x, x**2), "y: shown, and no law speaks of it"),
        (lambda c, x, y: c.let("z", (), x * c.index("i", 3)), "i is left free"),
        (lambda c, x, y: (c.choice("s", {"tanh": tilted}), c.law(y, x**2)), "s=tanh: tanh.u. is not the slope of tanh"),
        (lambda c, x, y: c.law_on("q", 3, covers=x), "q covers x, which is no input of the same shape"),
        (lambda c, x, y: None, "has no law"),
        (lambda c, x, y: c.prove(lambda p: None), "comes after its law"),
    ],
)
def test_what_makes_no_sense_is_refused_where_the_claim_is_made(write, message):
    with pytest.raises(ValueError, match=message):
        _square(write).claim  # noqa: B018  building is what raises


def test_a_law_on_an_undirected_graph_and_a_variant_of_it_that_has_ranges():
    found = balanced.claim
    assert proved(found).label == "proved"
    assert [str(index) for index, _, _ in found.variants[0].relation.ranges] == ["i"]


@claim("toy.balanced", "1.1", "toy.balanced")
def balanced(c):
    """The flows into the nodes of an undirected graph add up to 0."""
    n = c.size("n")
    A, x = c.graph("A", n, connected=False), c.real("x", n)
    i, j = c.indices("i j", n)
    y = c.let("y", i, c.sum(A[i, j] * (x[j] - x[i]), j))
    c.law(c.sum(y[i], i), 0)
    c.prove(lambda p: p.left.unfold(y))
    c.call(x, edges(A)).shows(y)
    c.variant("nothing flows", "too strong", law=(y[i], "=", 0))


@pytest.mark.parametrize("shown", [True, False])
def test_a_law_about_nothing_that_is_shown_is_proved_beside_the_relation(shown):
    @claim("toy.doubled", "1.1", "toy.doubled", kind="invariance")
    def doubled(c):
        """The sum is doubled, and the slope is 2."""
        n = c.size("n")
        x, (i, j) = c.real("x", n), c.indices("i j", n)
        y = c.let("y", i, 2 * x[i])
        c.law(c.sum(y[i], i), 2 * c.sum(x[i], i))
        c.prove(lambda p: p.left.unfold(y))
        c.law(2 * sp.KroneckerDelta(i, j), c.D(y[i], x[j]))
        if shown:
            c.prove(lambda p: p.right.unfold("∂y/∂x"))
        c.call(x).shows(y)
        c.variant("tripled", "toy", y=3 * x[i])

    if not shown:
        with pytest.raises(ValueError, match="speaks of nothing that is shown; prove it"):
            doubled.claim  # noqa: B018  building is what raises
        return
    assert doubled.claim.relation.ranges == ()
    assert len(doubled.claim.program.lets) == 1
    assert proved(doubled.claim).label == "proved"


def test_a_program_that_says_the_same_does_not_spoil_a_claim_about_accuracy():
    @claim("toy.shifted", "1.1", "toy.shifted", kind="invariance")
    def shifted(c):
        """A difference, whatever both numbers are shifted by."""
        x, z = c.real("x"), c.real("z")
        y = c.let("y", (), x - z)
        c.law(y, (x + 1) - (z + 1))
        c.prove(lambda p: p.left.unfold(y))
        c.call(x, z).shows(y)
        c.variant("divided", "rounds", y=(2 * x - 2 * z) / 2)

    assert all(mutant.refused or mutant.equal for mutant in audit(shifted))


def _square(write):
    @claim("toy.square", "1.1", "toy.square")
    def square(c):
        """A square."""
        x = c.real("x")
        y = c.let("y", (), x**2)
        write(c, x, y)
        c.call(x).shows(y)
        c.variant("a cube", "known bug", y=x**3)

    return square


def test_an_inequality_tells_two_outputs_of_one_array_apart_and_so_does_a_variants():
    @claim("toy.falls", "1.1", "toy.falls", kind="inequality")
    def falls(c):
        """A sequence that never rises."""
        n, T = c.size("n"), c.size("T", 2, 4)
        x = c.nonnegative("x", n)
        t, i = c.index("t", 0, T), c.index("i", n)
        y = c.recur("y", (t, i), first=x[i], later=lambda y: y[t - 1, i] / 2)
        c.output("now", y[T, i])
        c.output("before", y[T - 1, i])
        half = c.let("half", i, y[T - 1, i] / 2)
        c.aid(half)
        c.law(y[T, i], "<=", y[T - 1, i])
        c.prove(lambda p: p.left.rewrite(p.have("half of it", y[T, i], "=", half[i], lambda p: _halved(p, y, half, T))))
        c.call(x, T).shows("now", "before")
        c.variant("halved twice", "toy", law=(y[T, i], "<=", y[T - 1, i] / 4))

    relation = falls.claim.relation
    i = sp.Symbol("i", integer=True)
    now, before = (sp.IndexedBase(name, real=True)[i] for name in ("now", "before"))
    assert (relation.lhs, relation.rhs) == (now, before)
    (variant,) = falls.claim.variants
    assert variant.relation.ranges == relation.ranges != ()
    assert variant.relation.rhs == before / 4
    assert proved(falls.claim).label == "proved"


def _halved(p, y, half, T):
    p.left.rewrite(p.theory.definitions["y"], at={sp.Symbol("t", integer=True): T})
    p.right.unfold(half)


def _below_its_end(closed):
    """m**2 <= 3 m for the sizes m from 0 to 3."""

    @claim("toy.below", "1.1", "toy.below")
    def maker(c):
        """A size is at most its end."""
        m = c.size("m", 0, 3, closed=closed)
        x = c.real("x")
        y = c.let("y", (), m**2 * x**2)
        c.law(y, "<=", 3 * m * x**2)
        c.prove(lambda p: (p.left.unfold(y), p.combine()))
        c.call(x, m).shows(y)
        c.variant("twice", "wrong", y=2 * m**2 * x**2)

    return maker


def test_a_closed_size_is_bounded_above_and_only_that():
    found = proved(_below_its_end(closed=True).claim)
    assert (found.label, str(found)) == ("proved", "proved for every m ≤ 3")
    with pytest.raises(Refused):
        proved(_below_its_end(closed=False).claim)


def test_the_audit_opens_a_closed_size():
    (mutant,) = (mutant for mutant in audit(_below_its_end(closed=True)) if mutant.change == "domain widened: m")
    assert mutant.refused

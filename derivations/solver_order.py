"""What order a solver's method has: its weights of the rooted trees, and its error where the solution is known (2.2)."""

from sympy import (
    Abs, Eq, Ge, IndexedBase, Le, Piecewise, Product, Rational, Sum, Symbol, exp, factorial,
)  # fmt: skip

from gnomon.claim import Claim, Output, Program, Relation, Variant
from gnomon.derivations.initial_value import (
    GRID, HOST_WIDTH, SIGN, STEPS, D, N, a, b, c, cases, coefficients, i, j, k, n, point, q, s, step, t, y,
)  # fmt: skip
from gnomon.derivations.trees import (
    DOPRI5, EULER, HEUN, MIDPOINT, RK4, THREE_EIGHTHS, Tableau, Tree, density, forest, size, slope, stability, tableau, weight,
)  # fmt: skip
from gnomon.domain import Choice, Domain, Size, positive, real, symbols_of

width = HOST_WIDTH.symbol

# ---------------------------------------------------------------- rooted trees

FOREST = forest(5)
PLACE = {tree: place for place, tree in enumerate(FOREST)}
SCALES = real("w", len(FOREST), low=0.5, high=2)
W = SCALES.symbol
STEP = Domain("h", low=0.25, high=2, host=True, typical=(1.0, 0.5, 2.0))
total, PHI = IndexedBase("total", real=True), IndexedBase("Phi", real=True)
COUNT, BRANCH, NODES = (IndexedBase(name, integer=True, nonnegative=True) for name in ("count", "branch", "nodes"))


def _tables(method):
    """The trees as tables: how many branches, which, how many nodes; and the weights that the method gives them."""
    return Choice(
        "trees",
        {
            "up to five nodes": {
                COUNT: tuple(len(tree) for tree in FOREST),
                BRANCH: tuple(tuple(PLACE[branch] for branch in tree) for tree in FOREST),
                NODES: tuple(size(tree) for tree in FOREST),
                PHI: tuple(weight(tree, method) for tree in FOREST),
            }
        },
    )


def _growth(index, time, state):
    """The equations of all trees: a factor of its own for each, times the unknowns of its branches."""
    return W[index] * Product(state(BRANCH[index, q]), (q, 0, COUNT[index] - 1))


def _run(method):
    """One step from zero, stage by stage."""
    return (
        *coefficients(method),
        (point[s, i], STEP.symbol * Sum(a[s, j] * k[j, i], (j, 0, s - 1))),
        (k[s, i], _growth(i, 0, lambda place: point[s, place])),
        (y[i], STEP.symbol * Sum(b[s] * k[s, i], (s, 0, method.stages - 1))),
    )


WEIGHED = (
    (total[i], W[i] * Product(total[BRANCH[i, q]], (q, 0, COUNT[i] - 1))),
    (y[i], STEP.symbol ** NODES[i] * PHI[i] * total[i]),
)
"""What the run comes to: h to the number of nodes, the elementary weight, the factors of the nodes."""


def _weights(id_, method, name, title, variants, **options):
    outputs = (Output("end", y[i], (i, 0, len(FOREST) - 1)),)
    return Claim(
        id=id_,
        section="2.2",
        title=title,
        kind="order",
        subject="ode.odeint",
        driver="ode_rows",
        structure=(_tables(method),),
        inputs=(STEP, SCALES),
        program=Program(_run(method), outputs),
        definition=Program(WEIGHED, outputs),
        statement=Eq(y[i], WEIGHED[-1][1]),
        derivation=lambda: None,
        variants=variants,
        options={
            "rhs": Output("slope", _growth(i, 0, lambda place: IndexedBase("y", real=True)[place]), (i, 0, len(FOREST) - 1)),
            "times": Output("t", n * STEP.symbol, (n, 0, 1)),
            "method": name,
            **options,
        },
    )


def _other(name, source, method):
    return Variant(name, source, coefficients(method))


def _rounded(method, stage, column):
    """A method with one entry of a rounded to seven digits."""
    rows = [list(row) for row in method.a]
    rows[stage][column] = Rational(round(rows[stage][column] * 10**7), 10**7)
    return Tableau(tuple(map(tuple, rows)), method.b, method.b_embedded)


RK4_WEIGHTS = _weights(
    "solver.rk4.weights",
    RK4,
    "rk4",
    "One step on the equations of the rooted trees shows the method's weights, up to order 5",
    (
        _other('the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", THREE_EIGHTHS),
        _other("Ralston's method of order 4, in seven digits", "Ralston 1962", tableau(
            "", "0.4", "0.2969776 0.1587596", "0.2181004 -3.0509651 3.8328647",
            b="0.1747603 -0.5514807 1.2055355 0.1711848",
        )),
        _other("weights 1/8, 3/8, 3/8, 1/8 on these stages", "known bug", Tableau(RK4.a, THREE_EIGHTHS.b)),
        _other("k3 from k1", "known bug", Tableau((*RK4.a[:2], RK4.a[1] + (0,), RK4.a[3]), RK4.b)),
        _other("a twice too small in the last stage", "known bug", Tableau((*RK4.a[:3], (0, 0, Rational(1, 2))), RK4.b)),
    ),
)  # fmt: skip
DOPRI5_WEIGHTS = _weights(
    "solver.dopri.pair.weights",
    DOPRI5,
    "dopri5",
    "One step of the pair shows the weights of order 5, not those of its companion",
    (
        _other("goes on with order 4", "known bug: no local extrapolation", DOPRI5.companion()),
        _other("the classical method", "notes, section 2.2", RK4),
        _other("-25360/2187 in seven digits", "known bug: a rounded coefficient", _rounded(DOPRI5, 4, 1)),
        _other("46732/5247 in seven digits", "known bug: a rounded coefficient", _rounded(DOPRI5, 5, 2)),
    ),
    one_step=True,
    keywords={"atol": 1e30},
)

CLAIMS = (RK4_WEIGHTS, DOPRI5_WEIGHTS)

"""A solver's weights of the rooted trees, read off one step: they name the method (2.2)."""

from __future__ import annotations

from typing import Any

from sympy import Eq, IndexedBase, Product, Rational, Sum, Symbol

from gnomon.derivations.initial_value import a, b, coefficients, i, j, k, n, point, q, s, y
from gnomon.derivations.trees import (
    BUTCHER,
    DOPRI5,
    RK4,
    THREE_EIGHTHS,
    Tableau,
    flow_shows_densities,
    forest,
    missed,
    one_step,
    order_conditions,
    rounded,
    run_shows_weights,
    size,
    symbolic,
    tableau,
    trees,
    values,
    weight,
)
from gnomon.proof.derivation import Derivation, Step
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Choice, Domain, real

SECTION = "2.2"
STATE = IndexedBase("y", real=True)
H = Symbol("H", positive=True)
FOREST = forest(5)
PLACE = {tree: place for place, tree in enumerate(FOREST)}
SCALES = real("w", len(FOREST), low=0.5, high=2)
STEP = Domain("h", low=0.25, high=2, host=True, typical=(1.0, 0.5, 2.0))
w, one = SCALES.symbol, STEP.symbol
total, PHI = IndexedBase("total", real=True), IndexedBase("Phi", real=True)
COUNT, BRANCH, NODES = (IndexedBase(name, integer=True, nonnegative=True) for name in ("count", "branch", "nodes"))


def _tables(method: Tableau) -> Choice:
    """The trees as tables: how many branches, which, how many nodes; and the weights that the method gives them."""
    tables = {
        COUNT: tuple(len(tree) for tree in FOREST),
        BRANCH: tuple(tuple(PLACE[branch] for branch in tree) for tree in FOREST),
        NODES: tuple(size(tree) for tree in FOREST),
        PHI: tuple(weight(tree, method) for tree in FOREST),
    }
    return Choice("trees", {"up to five nodes": tables})


def _growth(index: Any, time: Any, state: Any) -> Any:
    """The equations of all trees: a factor of its own for each, times the unknowns of its branches."""
    return w[index] * Product(state(BRANCH[index, q]), (q, 0, COUNT[index] - 1))


def _run(method: Tableau) -> tuple[tuple[Any, Any], ...]:
    """One step from zero, stage by stage."""
    return (
        *coefficients(method)[:2],
        (point[s, i], one * Sum(a[s, j] * k[j, i], (j, 0, s - 1))),
        (k[s, i], _growth(i, 0, lambda place: point[s, place])),
        (y[i], one * Sum(b[s] * k[s, i], (s, 0, method.stages - 1))),
    )


WEIGHED = (
    (total[i], w[i] * Product(total[BRANCH[i, q]], (q, 0, COUNT[i] - 1))),
    (y[i], one ** NODES[i] * PHI[i] * total[i]),
)
"""What the run comes to: h to the number of nodes, the elementary weight, the factors of the nodes."""


def rk4_weights_proof() -> Derivation:
    return Derivation(
        (
            run_shows_weights(FOREST, symbolic(4), H),
            flow_shows_densities(FOREST, H),
            BUTCHER,
            order_conditions(forest(4), RK4, "all eight conditions for order 4 hold"),
            order_conditions(forest(4), THREE_EIGHTHS, "and so they do for the 3/8 rule, so that accuracy cannot tell"),
            missed(_APART, THREE_EIGHTHS, "but not this weight of order 5", worth=weight(_APART, RK4)),
        ),
        "every method with four stages",
    )


def dopri_weights_proof() -> Derivation:
    run = one_step(symbolic(DOPRI5.stages), FOREST, H)
    return Derivation(
        (
            Step(
                "substitute",
                sum(w[PLACE[tree]] * run[tree] for tree in FOREST),
                sum(w[PLACE[tree]] * H ** size(tree) * weight(tree, DOPRI5) for tree in FOREST),
                why="one step from zero on the equations of the trees, each with a factor of its own",
                by=values(DOPRI5),
            ),
            flow_shows_densities(FOREST, H),
            BUTCHER,
            order_conditions(FOREST, DOPRI5, "all seventeen conditions for order 5 hold"),
        ),
        "every right-hand side that is smooth",
    )


def _weights(id: str, method: Tableau, name: str, title: str, proof: Any, variants: Any, **options: Any) -> Claim:
    outputs = (Output("end", y[i], (i, 0, len(FOREST) - 1)),)
    rhs = Output("slope", _growth(i, 0, lambda place: STATE[place]), (i, 0, len(FOREST) - 1))
    return Claim(
        id=id,
        section=SECTION,
        title=title,
        kind="order",
        subject="ode.odeint",
        driver="ode_rows",
        structure=(_tables(method),),
        inputs=(STEP, SCALES),
        program=Program(_run(method), outputs),
        definition=Program(WEIGHED, outputs),
        statement=Eq(*WEIGHED[-1]),
        derivation=proof,
        variants=variants,
        options={"rhs": rhs, "times": Output("t", n * one, (n, 0, 1)), "method": name, **options},
        remarks="The unknowns are the seventeen trees with at most five nodes, from zero: one step tells apart any two "
        "methods whose weights differ up to order 5. Each tree has a factor of its own, lest two errors cancel.",
    )


def _other(name: str, source: str, method: Tableau) -> Variant:
    return Variant(name, source, coefficients(method)[:2])


_APART = next(tree for tree in trees(5) if weight(tree, RK4) != weight(tree, THREE_EIGHTHS))
RK4_WEIGHTS = _weights(
    "solver.rk4.weights",
    RK4,
    "rk4",
    "One step on the equations of the rooted trees shows the method's weights, up to order 5",
    rk4_weights_proof,
    (
        _other('the 3/8 rule, which torchdiffeq calls "rk4"', "torchdiffeq", THREE_EIGHTHS),
        _other(
            "Ralston's method of order 4, in seven digits",
            "Ralston 1962",
            tableau(
                "",
                "0.4",
                "0.2969776 0.1587596",
                "0.2181004 -3.0509651 3.8328647",
                b="0.1747603 -0.5514807 1.2055355 0.1711848",
            ),
        ),
        _other("weights 1/8, 3/8, 3/8, 1/8 on these stages", "known bug", Tableau(RK4.a, THREE_EIGHTHS.b)),
        _other("k3 from k1", "known bug", Tableau((*RK4.a[:2], (*RK4.a[1], 0), RK4.a[3]), RK4.b)),
        _other("half a step to the last stage", "known bug", Tableau((*RK4.a[:3], (0, 0, Rational(1, 2))), RK4.b)),
    ),
)
DOPRI_WEIGHTS = _weights(
    "solver.dopri.pair.weights",
    DOPRI5,
    "dopri5",
    "One step of the pair shows the weights of order 5, not those of its companion",
    dopri_weights_proof,
    (
        _other("goes on with order 4", "known bug: no local extrapolation", DOPRI5.companion()),
        _other("the classical method", "notes, section 2.2", RK4),
        _other("-25360/2187 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 4, 1)),
        _other("46732/5247 in seven digits", "known bug: a rounded coefficient", rounded(DOPRI5, 5, 2)),
    ),
    one_step=True,
    keywords={"atol": 1e30},
)

CLAIMS = (RK4_WEIGHTS, DOPRI_WEIGHTS)

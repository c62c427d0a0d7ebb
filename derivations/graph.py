"""Graphs: degree, adjacency and Laplacian (4.6.1). Their symbols serve the other files on graphs."""

from typing import Any

from sympy import Abs, Eq, IndexedBase, KroneckerDelta, Max, Min, Rational, Sum, symbols

from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import Graph, Size, nonnegative, real, symbols_of

SECTION = "4.6.1"
LARGEST = 4
NODES, COPIES = Size("n", 1, LARGEST), Size("m", 2, 3)
ANY = Graph("A", NODES, connected=False, directed=True, loops=True)
BOTH_WAYS = Graph("A", NODES, connected=False, loops=True)
PARALLEL, ONE_WAY = nonnegative("w", COPIES, NODES, NODES), nonnegative("w", NODES, NODES)
SIGNAL = real("x", NODES)
n, m = symbols_of((NODES, COPIES))
A, w, x = ANY.symbol, ONE_WAY.symbol, SIGNAL.symbol

i, j, k, l, p = symbols("i j k l p", integer=True)
W = IndexedBase("W", nonnegative=True)  # the weighted adjacency matrix
L, Lx, edge, y = (IndexedBase(name, real=True) for name in ("L", "Lx", "edge", "y"))
d, root = IndexedBase("d", positive=True), IndexedBase("root", positive=True)
diagonal = KroneckerDelta(i, j)
MATRIX = ("edge_index", "num_nodes", "edge_weight")
SYMMETRIC = "A is symmetric: an undirected edge counts both ways"


def over(term: Any, *indices: Any) -> Any:
    """A sum over all nodes, for each of the indices."""
    return Sum(term, *((index, 0, n - 1) for index in indices))


def arriving(term: Any) -> Any:
    """A sum over all edges that arrive at node i, of which m may come from one node."""
    return Sum(term, (k, 0, m - 1), (j, 0, n - 1))


def either_way() -> tuple[Any, Any]:
    """An undirected edge has one weight, which is listed for the smaller index first."""
    return W[i, j], A[i, j] * w[Min(i, j), Max(i, j)]


def neighbours(a: Any) -> Any:
    """From how many nodes edges arrive at a node: decided as soon as the graph is known."""
    return over(A[a, j], j)


ARRIVING = (edge[k, i, j], A[i, j] * w[k, i, j])
DIRECTED = (W[i, j], A[i, j] * w[i, j])
DEGREE = (d[i], over(W[i, j], j))


def applied(at: Any, weight: Any = W[i, j]) -> Any:
    """Entry i of L x, half as ``D x - A x`` and half by differences: a budget for either way to compute it."""
    return (d[i] * at(i) - over(weight * at(j), j)) / 2 + over(weight * (at(i) - at(j)), j) / 2


APPLIED = (Lx[i], applied(lambda a: x[a]))

# ------------------------------------------------------------------ degree and adjacency


def row_sums() -> Derivation:
    """What a self loop adds, and that weights and neighbours are two things."""
    a = IndexedBase("a", real=True)
    return Derivation(
        (
            define(d[i], over(W[i, j], j), "the diagonal of D: all that arrives at node i"),
            Step(
                "collapse",
                over((1 - diagonal) * W[i, j] + diagonal * a[i], j),
                over(W[i, j], j) - W[i, i] + a[i],
                why="a self loop of weight a[i] adds a[i] once",
                wrong=(over(W[i, j], j) - W[i, i] + 2 * a[i],),
            ),
            Step(
                "refute",
                Eq(over(W[i, j], j), over(Rational(1), j)),
                Eq(over(W[i, j], j), W[0, 0] + W[0, 1]),
                why="two edges of weights 1 and 3 give the degree 4, although there are two",
                by=({n: 2, i: 0, W[0, 0]: 1, W[0, 1]: 3},),
            ),
        )
    )


def merged() -> Derivation:
    """Several edges from j to i act like one with the sum of their weights."""
    return Derivation(
        (
            define(W[i, j], Sum(edge[k, i, j], (k, 0, m - 1)), "one entry for all edges from j to i"),
            Step(
                "rewrite",
                Sum(Sum(edge[k, i, j], (k, 0, m - 1)) * x[j], (j, 0, n - 1)),
                Sum(edge[k, i, j] * x[j], (j, 0, n - 1), (k, 0, m - 1)),
                why="so that W x adds up, at node i, what every edge carries there; the degrees are W 1",
                wrong=(Sum(edge[k, j, i] * x[j], (j, 0, n - 1), (k, 0, m - 1)),),
            ),
        )
    )


degree = Claim(
    id="graph.degree",
    section=SECTION,
    title="A node's degree is the total weight of the edges that arrive at it",
    kind="equality",
    subject="graph.degree",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(ONE_WAY,),
    program=Program((DIRECTED, DEGREE), (Output("d", d[i], (i, 0, n - 1)),)),
    statement=Eq(d[i], over(W[i, j], j)),
    conditions=("W[i, j] is the weight of the edge from j to i", "a self loop counts once"),
    derivation=row_sums,
    variants=(
        Variant(
            "number of neighbours",
            "notes",
            ((d[i], over(A[i, j], j)),),
            printed=True,
            why="True for weights 1 and without self loops only.",
        ),
        Variant("a self loop counts twice", "graph theory, networkx", ((d[i], over(W[i, j] * (1 + diagonal), j)),)),
        Variant("edges that leave", "out-degree", ((d[i], over(W[j, i], j)),)),
        Variant("self loops left out", "other convention", ((d[i], over(W[i, j] * (1 - diagonal), j)),)),
        Variant("the node itself counted", "GCN: A + I", ((d[i], over(W[i, j], j) + 1),)),
    ),
    options={"arguments": MATRIX},
    remarks="The notes say 'number of neighbors'. With weights it is their sum: otherwise the Laplacian of a "
    "constant would not be 0.",
)

parallel = Claim(
    id="graph.degree.parallel",
    section=SECTION,
    title="Parallel edges count with the sum of their weights",
    kind="equality",
    subject="graph.degree",
    driver="graph",
    structure=(NODES, COPIES, ANY),
    inputs=(PARALLEL,),
    program=Program((ARRIVING, (d[i], arriving(edge[k, i, j]))), (Output("d", d[i], (i, 0, n - 1)),)),
    statement=Eq(d[i], arriving(A[i, j] * w[k, i, j])),
    conditions=("m edges lead from j to i where A[i, j] is 1", "a self loop counts once"),
    derivation=merged,
    variants=(
        Variant("of parallel edges the last", "known bug: assigned, not added", ((d[i], over(edge[m - 1, i, j], j)),)),
        Variant("their mean", "known bug", ((d[i], arriving(edge[k, i, j]) / m),)),
        Variant("edges that leave", "out-degree", ((d[i], arriving(edge[k, j, i])),)),
    ),
    options={"arguments": MATRIX},
)

degree_count = Claim(
    id="graph.degree.neighbours",
    section=SECTION,
    title="Without weights and self loops, a node's degree is the number of its neighbours",
    kind="equality",
    subject="graph.degree",
    driver="graph",
    structure=(NODES, Graph("A", NODES, connected=False)),
    inputs=(),
    program=Program(((d[i], over(A[i, j], j)),), (Output("d", d[i], (i, 0, n - 1)),)),
    statement=Eq(d[i], over(A[i, j], j)),
    conditions=("no weights, self loops or parallel edges",),
    derivation=row_sums,
    variants=(
        Variant("both ends of an edge counted", "known bug", ((d[i], over(A[i, j] + A[j, i], j)),)),
        Variant("the node itself counted", "GCN: A + I", ((d[i], over(A[i, j], j) + 1),)),
        Variant(
            "divided by the number of the others", "degree centrality", ((d[i], over(A[i, j], j) / Max(n - 1, 1)),)
        ),
    ),
    options={"arguments": ("edge_index", "num_nodes"), "dtype": True},
)

adjacency = Claim(
    id="graph.laplacian.adjacency",
    section=SECTION,
    title="Entry (i, j) of the adjacency matrix is the total weight of the edges from j to i",
    kind="equality",
    subject="graph.adjacency",
    driver="graph",
    structure=(NODES, COPIES, ANY),
    inputs=(PARALLEL,),
    program=Program(
        (ARRIVING, (W[i, j], Sum(edge[k, i, j], (k, 0, m - 1)))), (Output("W", W[i, j], (i, 0, n - 1), (j, 0, n - 1)),)
    ),
    statement=Eq(W[i, j], Sum(A[i, j] * w[k, i, j], (k, 0, m - 1))),
    conditions=("A[i, j] is 1 where an edge leads from j to i, and 0 elsewhere",),
    derivation=merged,
    variants=(
        Variant("transposed", "networkx: rows are sources", ((W[i, j], Sum(edge[k, j, i], (k, 0, m - 1))),)),
        Variant("of parallel edges the last", "known bug: assigned, not added", ((W[i, j], edge[m - 1, i, j]),)),
        Variant("weights ignored", "known bug", ((W[i, j], m * A[i, j]),)),
    ),
    options={"arguments": MATRIX},
)

# ------------------------------------------------------------------ the Laplacian

ENTRIES = Output("L", L[i, j], (i, 0, n - 1), (j, 0, n - 1))
LAPLACIAN = Program((DIRECTED, DEGREE, (L[i, j], diagonal * d[i] - W[i, j])), (ENTRIES,))


def laplacian_proof() -> Derivation:
    return Derivation(
        (
            define(d[i], over(W[i, j], j), "the degrees"),
            define(L[i, j], diagonal * d[i] - W[i, j], "D - A, with the weights in A"),
            Step(
                "collapse",
                over(diagonal * d[i] - W[i, j], j),
                d[i] - over(W[i, j], j),
                why="a row of L times a constant: with the row sums for degrees this is 0",
                wrong=(d[i] + over(W[i, j], j), d[i] - over(W[j, i], j)),
            ),
            Step("substitute", d[i] - over(W[i, j], j), Rational(0), why="L 1 = 0", by=((d[i], over(W[i, j], j)),)),
            Step(
                "collapse",
                over(W[i, j], j) - over(diagonal * W[i, j], j),
                over(W[i, j], j) - W[i, i],
                why="on the diagonal self loops cancel: they are in D and in A",
            ),
        )
    )


laplacian = Claim(
    id="graph.laplacian",
    section=SECTION,
    title="The Laplacian is the degree matrix minus the adjacency matrix, and self loops cancel in it",
    kind="equality",
    subject="graph.laplacian",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(ONE_WAY,),
    program=LAPLACIAN,
    definition=Program(
        (DIRECTED,),
        (
            Output(
                "L",
                diagonal * over(W[i, l] * (1 - KroneckerDelta(i, l)), l) - (1 - diagonal) * W[i, j],
                *ENTRIES.ranges,
            ),
        ),
    ),
    statement=Eq(L[i, j], KroneckerDelta(i, j) * over(W[i, l], l) - W[i, j]),
    conditions=("W[i, j] is the weight of the edge from j to i, 0 without one",),
    derivation=laplacian_proof,
    variants=(
        Variant("A - D", "other sign, as the Laplacian of physics", ((L[i, j], W[i, j] - diagonal * d[i]),)),
        Variant("D + A", "signless Laplacian", ((L[i, j], diagonal * d[i] + W[i, j]),)),
        Variant("degrees of the other direction", "out-degree", ((d[i], over(W[j, i], j)),)),
        Variant("transposed", "known bug", ((L[i, j], diagonal * d[i] - W[j, i]),)),
        Variant("a self loop counts twice", "graph theory, networkx", ((d[i], over(W[i, j] * (1 + diagonal), j)),)),
        Variant(
            "number of neighbours",
            "notes",
            ((d[i], over(A[i, j], j)),),
            printed=True,
            why="With weights, the Laplacian of a constant would not be 0.",
        ),
    ),
    options={"arguments": MATRIX},
)

kernel = Claim(
    id="graph.laplacian.kernel",
    section=SECTION,
    title="The Laplacian of a constant is zero",
    kind="equality",
    subject="graph.laplacian",
    driver="graph",
    structure=(NODES, ANY),
    inputs=(ONE_WAY,),
    program=LAPLACIAN,
    relation=Relation(Abs(over(L[i, j], j)), "<=", 0, ((i, 0, n - 1),)),
    statement=Eq(over(L[i, j], j), 0),
    derivation=laplacian_proof,
    variants=(
        Variant("D + A", "signless Laplacian", ((L[i, j], diagonal * d[i] + W[i, j]),)),
        Variant("degrees of the other direction", "out-degree", ((d[i], over(W[j, i], j)),)),
        Variant("a self loop counts twice", "graph theory, networkx", ((d[i], over(W[i, j] * (1 + diagonal), j)),)),
        Variant(
            "columns in the place of rows",
            "wrong on directed graphs",
            relation=Relation(Abs(over(L[j, i], j)), "<=", 0, ((i, 0, n - 1),)),
        ),
    ),
    options={"arguments": MATRIX},
    remarks="For an undirected graph the columns add up to 0 as well.",
)

CLAIMS = (degree, parallel, degree_count, adjacency, laplacian, kernel)

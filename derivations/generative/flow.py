"""Normalizing flows: planar maps, couplings and compositions (notes, section 4.1.1)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sympy import Abs, IndexedBase, Integer, KroneckerDelta, Piecewise, Product, Sum, exp, log, tanh

from gnomon.say.board import Board
from gnomon.say.call import Call, function, transform
from gnomon.say.maker import claim

SECTION = "4.1.1"
PIVOTS = "no pivot is 0"


def eliminated(c: Board, entry: Any, l: Any, i: Any, j: Any, k: Any) -> tuple[Any, Any]:
    """A matrix after l steps of Gaussian elimination, and log |det|, its determinant being the pivots' product."""

    def step(m: Any) -> Any:
        return m[l - 1, i, j] - m[l - 1, i, l - 1] * m[l - 1, l - 1, j] / m[l - 1, l - 1, l - 1]

    reduced = c.recur("reduced", (l, i, j), first=entry, later=step)
    words = (
        "the determinant is the product of the pivots of an elimination without exchange of rows, none of which is 0"
    )
    c.condition(Abs(reduced[k, k, k]) > 0, k, name=PIVOTS, words=words)
    _, last = c.ranges[k]
    return reduced, log(Abs(Product(reduced[k, k, k], (k, 0, last))))


def looked_at(c: Board, x: Any, *arguments: Any) -> None:
    """The flow's value and its log-determinant at x are what the claim shows."""
    flow = Call(c.subject, *arguments)
    c.call(*arguments).shows(y=flow.on(x), log_det=flow.method("log_abs_det_jacobian", x, flow.on(x)))


@claim("flow.planar", SECTION, "flow.Planar")
def planar(c: Board) -> None:
    """A planar map changes volume by 1 + h'(a) w·u."""
    d = c.size("d", 1, 3)
    w, u, b, x = c.real("w", d), c.real("u", d), c.real("b"), c.real("x", d)
    i, j, k = c.indices("i j k", d)
    l = c.index("l", 0, d)
    a = c.let("a", (), c.sum(w[k] * x[k], k) + b)
    slope = c.let("slope", (), 1 - tanh(a) ** 2)
    dot = c.let("dot", (), c.sum(w[k] * u[k], k))
    y = c.let("y", i, x[i] + u[i] * tanh(a))
    det = c.let("det", (), 1 + slope * dot)
    log_det = c.let("log_det", (), log(Abs(det)))

    c.law(y[i], x[i] + u[i] * tanh(c.sum(w[k] * x[k], k) + b))
    c.condition(Abs(det) > 0, name="the map does not flatten")
    reduced, volume = eliminated(c, c.D(y[i], x[j]), l, i, j, k)
    c.law(log_det, volume)

    def proof(p: Any) -> None:
        """After l steps one dyad is left beside the identity; the pivots' product grows as 1 + slope w·u."""
        so_far = Product(reduced[k, k, k], (k, 0, l - 1))
        minor = 1 + slope * Sum(w[k] * u[k], (k, 0, l - 1))
        left = KroneckerDelta(i, j) + slope * u[i] * w[j] / so_far

        def jacobian(q: Any) -> None:
            if q.number == 1:
                q.left.unfold(reduced, "∂y/∂x", "∂a/∂x").contract()
                q.right.unfold(slope)

        def step(q: Any, product: Any, rest: Any) -> None:
            pivot = q.at(rest, {i: l, j: l})
            if q.number == 0:
                q.left.to(so_far * reduced[l, l, l]).rewrite(pivot).to(so_far + slope * u[l] * w[l]).rewrite(product)
            else:
                q.left.unfold(reduced)
                for row, column in ((i, j), (i, l), (l, j)):
                    q.left.rewrite(q.at(rest, {i: row, j: column}))
                q.combine((slope * u[i] * w[j] / (so_far * reduced[l, l, l]), pivot))

        claims = (so_far, minor), (reduced[l, i, j], left)
        product, _ = p.induction("pivots and rest", *claims, on=l, base=jacobian, step=step, given=[i >= l, j >= l])
        p.left.unfold(log_det, det, dot)
        p.right.rewrite(p.at(product, {l: d}))

    c.prove(proof)
    c.say("h = tanh and a = w·x + b; slope = 1 - tanh(a)²")
    looked_at(c, x, w, u, b)
    c.variant("no absolute value", "known bug", log_det=log(det))
    c.variant("slope at x instead of the activation", "known bug", slope=1 - tanh(c.sum(x[k], k)) ** 2)
    c.variant("slope left out", "known bug", slope=Integer(1))
    c.variant("logarithm of the inverse", "sign of the inverse map's libraries", log_det=-log(Abs(det)))
    c.variant("bias left out", "known bug", a=c.sum(w[k] * x[k], k))
    c.variant("|u|² for w·u", "known bug", dot=c.sum(u[k] ** 2, k))


def coupled(c: Board) -> SimpleNamespace:
    """A coupling's domains, and scale and shift of its second block by the first one of some point."""
    P, Q = c.size("p", 1, 2), c.size("q", 1, 2)
    S, R, x = c.real("S", Q, P), c.real("R", Q, P), c.real("x", P + Q)
    i, j = c.indices("i j", P + Q)
    k, m = c.index("k", P), c.index("m", Q)
    s = c.let("s", m, c.sum(S[m, k] * x[k], k))
    t = c.let("t", m, c.sum(R[m, k] * x[k], k))
    u, row = IndexedBase("u", real=True), c.index("row", Q)
    conditioner = function((u,), (c.sum(S[row, k] * u[k], k), c.sum(R[row, k] * u[k], k)), (row, 0, Q - 1))
    return SimpleNamespace(P=P, Q=Q, S=S, R=R, x=x, i=i, j=j, k=k, m=m, s=s, t=t, arguments=(conditioner, P))


@claim("flow.coupling", SECTION, "flow.AffineCoupling")
def coupling(c: Board) -> None:
    """An affine coupling changes volume by the exponential of the sum of its scales."""
    a = coupled(c)
    P, Q, x, i, j, k, m, s, t = a.P, a.Q, a.x, a.i, a.j, a.k, a.m, a.s, a.t
    l = c.index("l", 0, P + Q)
    r = c.index("r", 0, Q)
    y = c.let("y", i, Piecewise((x[i], i < P), (x[i] * exp(s[i - P]) + t[i - P], True)))
    log_det = c.let("log_det", (), c.sum(s[m], m))
    by_hand = c.sum(a.S[m, k] * x[k], k), c.sum(a.R[m, k] * x[k], k)
    scale, shift = (e.xreplace({m: i - P}) for e in by_hand)
    c.law(y[i], Piecewise((x[i], i < P), (x[i] * exp(scale) + shift, True)))
    entry = c.D(y[i], x[j])
    reduced, volume = eliminated(c, entry, l, i, j, i)
    c.law(log_det, volume)

    def proof(p: Any) -> None:
        """The Jacobian has nothing above its diagonal, where elimination leaves it; there are ones, and then scales."""
        jacobian = "∂y/∂x", "∂s/∂x", "∂t/∂x"

        def above(q: Any) -> None:
            q.left.unfold(*jacobian)
            q.cases(i < P)

        zero = p.have("nothing above the diagonal", entry, "=", 0, above, given=[j > i])

        def step(q: Any, so_far: Any) -> None:
            q.left.unfold(reduced).rewrite(q.at(so_far, {i: l})).rewrite(zero, so_far)

        def first_block(q: Any) -> None:
            q.left.unfold("∂y/∂x")

        def one_more(q: Any, so_far: Any) -> None:
            q.left.to(so_far.lhs * entry.xreplace({i: P + r, j: P + r})).rewrite(so_far).unfold(*jacobian)

        left = p.induction("what lies ahead", (reduced[l, i, j], entry), on=l, step=step, given=[j >= l])
        product = Product(entry.xreplace({j: i}), (i, 0, P + r - 1)), exp(Sum(s[m], (m, 0, r - 1)))
        pivots = p.induction("pivots", product, on=r, base=first_block, step=one_more)
        p.left.unfold(log_det)
        p.right.rewrite(left).rewrite(p.at(pivots, {r: Q}))

    c.prove(proof)
    c.say("y₁ = x₁ and y₂ = x₂ exp(s(x₁)) + t(x₁)")
    looked_at(c, x, *a.arguments)
    moved = s[i - P]
    c.variant("minus the sum", "sign of the inverse", log_det=-c.sum(s[m], m))
    c.variant("mean of the scales", "known bug", log_det=c.sum(s[m], m) / Q + c.sum(s[m], m))
    c.variant("shift before scale", "known bug", y=Piecewise((x[i], i < P), ((x[i] + t[i - P]) * exp(moved), True)))
    c.variant(
        "sigmoid of s + 2",
        "Glow",
        y=Piecewise((x[i], i < P), (x[i] / (1 + exp(-moved - 2)) + t[i - P], True)),
        log_det=-c.sum(log(1 + exp(-s[m] - 2)), m),
    )


@claim("flow.coupling.inverse", SECTION, "flow.AffineCoupling")
def coupling_inverse(c: Board) -> None:
    """An affine coupling is inverted in closed form."""
    a = coupled(c)
    P, x, i, k, s, t = a.P, a.x, a.i, a.k, a.s, a.t
    y = c.let("y", i, Piecewise((x[i], i < P), ((x[i] - t[i - P]) * exp(-s[i - P]), True)))
    c.output("inverse", y[i])
    scale, shift = c.sum(a.S[i - P, k] * y[k], k), c.sum(a.R[i - P, k] * y[k], k)
    c.law(Piecewise((y[i], i < P), (y[i] * exp(scale) + shift, True)), x[i])
    c.prove(lambda p: p.left.unfold(y, s, t))
    c.say("s and t are those of the first block, which passes through unchanged")
    c.call(*a.arguments).attribute("inv").on(x).shows("inverse")
    c.variant("scale before shift", "known bug", y=Piecewise((x[i], i < P), (x[i] * exp(-s[i - P]) - t[i - P], True)))
    c.variant("the forward scale", "known bug", y=Piecewise((x[i], i < P), ((x[i] - t[i - P]) * exp(s[i - P]), True)))
    c.remark("The input x of the check is a point of the image: mapping its inverse forward gives it back.")


@claim("flow.composition", SECTION, "flow.compose")
def composition(c: Board) -> None:
    """The log-determinants of maps in a row add."""
    d = c.size("d", 1, 3)
    a, r, b, s, x = (c.real(name, d) for name in "arbsx")
    i, j, k = c.indices("i j k", d)
    l = c.index("l", 0, d)
    z = c.let("z", i, a[i] + r[i] * x[i])
    y = c.let("y", i, b[i] + s[i] * z[i])
    log_det = c.let("log_det", (), c.sum(log(Abs(r[k])), k) + c.sum(log(Abs(s[k])), k))
    c.condition(Abs(r[i]) > 0, i, name="the first map is one-to-one")
    c.condition(Abs(s[i]) > 0, i, name="the second map is one-to-one")
    c.law(y[i], b[i] + s[i] * (a[i] + r[i] * x[i]))
    reduced, volume = eliminated(c, c.D(y[i], x[j]), l, i, j, k)
    c.law(log_det, volume)

    def proof(p: Any) -> None:
        """Elimination leaves the rest of a diagonal matrix as it is."""

        def jacobian(q: Any) -> None:
            q.left.unfold(reduced, "∂y/∂x", "∂z/∂x")

        pair = reduced[l, i, j], s[i] * r[i] * KroneckerDelta(i, j)
        p.left.unfold(log_det)
        p.right.rewrite(p.induction("what lies ahead", pair, on=l, base=jacobian, given=[j >= l]))

    c.prove(proof)
    c.say("the first map of the row is applied first")
    u = IndexedBase("u", real=True)

    def layer(shift: Any, scale: Any) -> Any:
        there = function((u,), shift[i] + scale[i] * u[i], (i, 0, d - 1))
        back = function((u,), (u[i] - shift[i]) / scale[i], (i, 0, d - 1))
        return transform(there, back, function((u,), c.sum(log(Abs(scale[i])), i)))

    looked_at(c, x, layer(a, r), layer(b, s))
    c.variant("the other order", "known bug", y=a[i] + r[i] * z[i], z=b[i] + s[i] * x[i])
    c.variant("minus the second", "known bug", log_det=c.sum(log(Abs(r[k])), k) - c.sum(log(Abs(s[k])), k))
    c.variant("only the last", "known bug", log_det=c.sum(log(Abs(s[k])), k))

"""Hard claims of equality: theory, goal and proof of each, with room for another law and another program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy import IndexedBase, KroneckerDelta, Product, Sum, Symbol, symbols

from gnomon.derivations.convolution import conv, conv_structure
from gnomon.derivations.normalization import bn, bn_gradient
from gnomon.derivations.sequences import lstm_memory
from gnomon.proof.bench import Bench, unused
from gnomon.proof.defined import smooth
from gnomon.proof.definitions import Definition
from gnomon.proof.goals import Goal
from gnomon.proof.signs import Bound
from gnomon.proof.tangent import tangents
from gnomon.proof.terms import indices_of, name_of, within
from gnomon.proof.theorem import Refused, Theorem
from gnomon.proof.theory import Theory

Lets = Sequence[tuple[Any, Any]]
Change = Callable[[Any], Any]


@dataclass
class Hard:
    """A claim: ``entry = law`` over ``ranges`` of its own indices; ``at`` are the ranges of all indices by name."""

    entry: Any
    law: Any
    over: tuple[str, ...]
    program: Lets
    law_lets: tuple[Definition, ...]
    at: dict[str, tuple[Any, Any]]
    proof: Callable[[Bench], Any]
    shapes: dict[str, Any]
    bounds: dict[str, Bound] | None = None
    facts: tuple[Any, ...] = ()
    variants: tuple[Any, ...] = ()

    def theory(self, program: Lets | None = None) -> Theory:
        """The theory, with another program if one is given."""
        lets = [Definition(l, r, self.ranges(l)) for l, r in (self.program if program is None else program)]
        return Theory(lets, self.law_lets, shapes=self.shapes, bounds=self.bounds, facts=self.facts)

    def ranges(self, lhs: Any) -> tuple[Any, ...]:
        return ranged(lhs, self.at)

    def shown(self, change: Change = lambda e: e, program: Lets | None = None, proof: Any = None) -> Theorem:
        """The theorem, nothing left to show.

        Raises:
            Refused: if the proof fails, or leaves something to show.
        """
        theory = self.theory(program)
        over = [v for v in self.entry.free_symbols if v.name in self.over]
        given = frozenset().union(*[within((v, *self.at[v.name])) for v in over])
        goal = Goal(
            self.entry,
            "=",
            theory.of_law(change(self.law)),
            given,
            frozenset(over),
        )
        bench = Bench(theory, goal, {Symbol(n, integer=True): ends for n, ends in self.at.items()})
        (proof or self.proof)(bench)
        theorem = bench.done()
        if theorem.left:
            raise Refused(f"left to show: {[str(o.claim) for o in theorem.left]}")
        if idle := unused(bench, theorem):
            raise Refused(f"lemmas that are not used: {idle}")
        return theorem


def ranged(lhs: Any, at: dict[str, tuple[Any, Any]]) -> tuple[Any, ...]:
    """The ranges of a definition's indices."""
    return tuple((v, *at[v.name]) for v in indices_of(lhs))


def kept(lets: Lets, *names: str) -> Lets:
    """The definitions with these names."""
    return [x for x in lets if name_of(x[0]) in names]


def definitions(lets: Iterable[tuple[Any, Any]], at: dict[str, tuple[Any, Any]]) -> tuple[Definition, ...]:
    return tuple(Definition(l, r, ranged(l, at)) for l, r in lets)


def batch_norm() -> Hard:
    from_, N, C = bn_gradient, bn.N, bn.C
    b, e, a, c = symbols("b e a c", integer=True)
    L = Symbol("L", real=True)
    at = {"a": (0, N - 1), "c": (0, C - 1), "b": (0, N - 1), "e": (0, C - 1)}
    lets = (*bn.FEATURES.statistics(), *bn.FEATURES.normalized(), bn.FEATURES.scaled())
    loss = (L, Sum(Sum(from_.g[a, c] * bn.y[a, c], (c, 0, C - 1)), (a, 0, N - 1)))
    law_lets = definitions((*lets, loss), at)
    law, moved = tangents(law_lets, L, bn.x[b, e], (N, C))

    def proof(bench: Bench) -> None:
        bench.right.unfold(*(f"∂{n}/∂x" for n in ("L", "y", "xhat", "root", "var", "d", "mean"))).contract().unfold(
            "d", "mean", "root"
        )
        bench.left.unfold("dx", "by_mean", "by_var", "dweight", "dbias", "xhat", "d", "mean", "root")

    shapes, program = {"x": (N, C), "g": (N, C), "weight": (C,), "bias": (C,)}, from_.gradient.program.lets
    return Hard(from_.dx[b, e], law, ("b", "e"), program, (*law_lets, *moved), at, proof, shapes,
                {"eps": Bound(0, open_low=True), "N": Bound(2)}, variants=from_.gradient.variants)  # fmt: skip


def convolution() -> Hard:
    V, S = conv, conv_structure
    i, b, o, c, q, t, k = V.i, V.b, V.o, V.c, V.q, V.t, V.k
    L, y = Symbol("L", real=True), IndexedBase("y", real=True)
    C, O, B, T, n = V.C, V.O, V.B, V.T, V.n
    padded = V.padded()
    at = {
        "b": (0, B - 1),
        "o": (0, O - 1),
        "c": (0, C - 1),
        "t": (0, T - 1),
        "q": (0, n - 1),
        "k": (0, V.K - 1),
        "i": (0, B - 1),
    }
    law_lets = (
        Definition(*padded, ((b, 0, B - 1), (c, 0, C - 1), (q, 0, n + 2 * V.p - 1))),
        Definition(y[b, o, t], V.tapped(channel=c), ranged(y[b, o, t], at)),
        Definition(L, Sum(S.g[b, o, t] * y[b, o, t], (t, 0, T - 1), (o, 0, O - 1), (b, 0, B - 1))),
    )
    law, moved = tangents(law_lets, L, V.x[b, c, q], (B, C, n))

    def proof(bench: Bench) -> None:
        dy = IndexedBase("∂y/∂x", real=True)[i, o, t, b, c, q]
        read = Sum(V.w[o, c, k] * KroneckerDelta(q, t * V.s + k * V.d - V.p), (k, 0, V.K - 1))
        tap = bench.have("what a tap sees", dy, "=", KroneckerDelta(i, b) * read,
                         lambda z: z.left.unfold("∂y/∂x", "∂xp/∂x").contract())  # fmt: skip
        bench.right.unfold("∂L/∂x").rewrite(tap).contract()
        spread = Sum(
            S.g[b, o, t] * V.w[o, c, k] * KroneckerDelta(q, t * V.s + k * V.d - V.p),
            (t, 0, T - 1),
            (k, 0, V.K - 1),
            (o, 0, O - 1),
        )
        bench.right.to(spread).contract("t")
        bench.left.unfold("dx")

    return Hard(S.dx[b, c, q], law, ("b", "c", "q"), S.gradients.program.lets, (*law_lets, *moved), at, proof,
                {"x": (B, C, n), "w": (O, C, V.K), "g": (B, O, T)}, variants=S.gradients.variants)  # fmt: skip


def _memory(entry: Any, law: Any, law_lets: Sequence[Definition], proof: Any, *names: str) -> Hard:
    M = lstm_memory
    at = {"p": (0, M.H - 1), "m": (0, M.H - 1), "j": (0, M.H - 1), "q": (0, 3), "t": (0, M.T), "k": (1, M.T)}
    hard = Hard(entry, law, ("p", "m"), kept(M.path.program.lets, *names), law_lets, at, proof,
                {d.name: d.shape for d in M.path.inputs if d.shape}, {"H": Bound(1), "T": Bound(1)}, (smooth("sigma"),),
                M.path.variants)  # fmt: skip
    hard.ranges = _lstm  # type: ignore[method-assign]
    return hard


def _lstm(lhs: Any) -> tuple[Any, ...]:
    late = name_of(lhs) in ("s", "i", "f", "g", "o", "by_s")
    ends = {"t": (1 if late else 0, lstm_memory.T), "q": (0, 3)}
    return tuple((v, *ends.get(v.name, (0, lstm_memory.H - 1))) for v in indices_of(lhs))


def memory() -> Hard:
    M = lstm_memory
    p, m, t, j, k = symbols("p m t j k", integer=True)

    def proof(bench: Bench) -> None:
        power = bench.induction("the product of the gates", (M.kept[t, j], Product(M.f[k, j], (k, 1, t))), on=t)
        bench.left.rewrite(power)

    law_lets = [Definition(lhs, rhs, _lstm(lhs)) for lhs, rhs in M.GIVEN]
    law = KroneckerDelta(p, m) * Product(M.f[t, p], (t, 1, M.T))
    return _memory(KroneckerDelta(p, m) * M.kept[M.T, p], law, law_lets, proof, "kept", *"sifgoch")


def memory_total() -> Hard:
    M = lstm_memory
    p, m, t, j = symbols("p m t j", integer=True)
    law_lets = [Definition(lhs, rhs, _lstm(lhs)) for lhs, rhs in M.GIVEN]
    law, moved = tangents(law_lets, M.c[M.T, p], M.c0[m], (M.H,))

    def proof(bench: Bench) -> None:
        dc, dh = (IndexedBase(f"∂{x}/∂c0", real=True)[t, j, m] for x in "ch")
        values = ("f", "i", "g", "o")

        def step(b: Bench, *hyps: Theorem) -> None:
            n = b.number
            b.left.unfold(*("by_h", "by_c", "by_s")[1 - n :]).rewrite(*hyps).unfold(*values[: 3 + n])
            slopes = (f"∂{x}/∂c0" for x in (*values[: 3 + n], "s"))
            b.right.unfold(*("∂h/∂c0", "∂c/∂c0")[1 - n :], *slopes).unfold(*values[: 3 + n])

        bench.induction(
            "state by state", (M.by_c[t, j, m], dc), (M.by_h[t, j, m], dh), on=t,
            base=lambda b: (b.left.unfold(b.left.now), b.right.unfold(b.right.now)), step=step,
        )  # fmt: skip
        bench.left.rewrite(bench.lemmas["state by state (1)"])

    return _memory(M.by_c[M.T, p, m], law, (*law_lets, *moved), proof, *"sifgoch", "by_s", "by_c", "by_h")


def attention() -> Hard:
    n, m, d, v = symbols("n m d v", integer=True, positive=True)
    i, j, l, r = symbols("i j l r", integer=True)
    Q, K, V, e, top, w, y = (IndexedBase(x, real=True) for x in ("Q", "K", "V", "e", "top", "w", "y"))
    at = {"i": (0, n - 1), "j": (0, m - 1), "r": (0, v - 1), "l": (0, d - 1)}
    over, score = (j, 0, m - 1), (e[i, j], Sum(Q[i, l] * K[j, l], (l, 0, d - 1)) / sp.sqrt(d))
    law = Sum(sp.exp(e[i, j]) * V[j, r], over) / Sum(sp.exp(e[i, j]), over)
    program = (score, (w[i, j], sp.exp(e[i, j] - top[i])), (y[i, r], Sum(w[i, j] * V[j, r], over) / Sum(w[i, j], over)))
    return Hard(y[i, r], law, ("i", "r"), program, definitions([score], at), at, lambda b: b.left.unfold("y", "w"),
                {"Q": (n, d), "K": (m, d), "V": (m, v), "top": (n,)})  # fmt: skip


CLAIMS = (batch_norm, convolution, memory, memory_total, attention)

"""Fully connected layers on a board: any depth, widths and activations, one sample or several.

``Theta[l]`` and ``b[l]`` lead from layer l to layer l + 1, and are Theta_{l+1} and b_{l+1} in the notes. Layer 0 is the
input, layer k the output. Where there are several samples, ``a`` numbers them, as in ``h[l, a, j]``.
"""

from typing import Any

from sympy import Eq, Ge, IndexedBase, Le, Piecewise, Rational, Sum, Symbol

from gnomon.derivations.backprop.backprop_network import NETWORK, PADDING, drho, dsigma, rho, sigma
from gnomon.proof.terms import alike, within
from gnomon.say.call import cut, listed, padded, when

KINKS = "at a kink any slope between is accepted"
q, o = Symbol("q", integer=True), Symbol("o", integer=True)
h, s, delta = (IndexedBase(name, real=True) for name in ("h", "s", "delta"))


class Layers:
    """The domains, the indices and the forward pass of a network, and how its gradients are found.

    Layers from 1 on are numbered l, with units j; those from 0 on t, with units i. Parameters are ``Theta[m, p, r]``
    and ``b[m, r]``: p numbers the units below, r those above.
    """

    def __init__(self, c: Any, least: int = 1, batch: bool = False, target: str = "", padding: bool = False) -> None:
        self.c = c
        k = self.k = c.size("k", least, 3)
        n = self.n = c.sizes("n", k + 1, 1, 3)
        W = c.widest("W", n)
        self.activation, self.output_activation = (c.choice(d.name, d.options) for d in NETWORK[1:3])
        self.flag, number = c.flag("biases")
        self.biased = Eq(number, 1)
        samples = (c.size("N", 1, 2),) if batch else ()
        self.N = samples[0] if batch else None
        self.a = tuple(c.index("a", N) for N in samples)
        self.x = c.real("x", *samples, n[0])
        if target:
            self.y = c.real(target, *samples, n[k])
        self.Theta, self.b = c.real("Theta", k, W, W), c.real("b", k, W)
        self.l, self.t, self.m = c.index("l", 1, k), c.index("t", 0, k), c.index("m", k)
        self.j, self.i = c.index("j", n[self.l]), c.index("i", n[self.t])
        self.p, self.r = c.index("p", W if padding else n[self.m]), c.index("r", W if padding else n[self.m + 1])
        c.let("s", (self.l, *self.a, self.j), self.affine())
        c.let("h", (self.t, *self.a, self.i), self.activated())
        self.remark()

    def remark(self, words: str = "") -> None:
        """A paragraph for the reader, and what the padding is."""
        self.c.remark(f"{words} {PADDING}".strip())

    def suppose_smooth(self) -> None:
        """The condition under which there are gradients."""
        self.c.smooth(sigma, rho)
        self.c.say(KINKS)

    # ------------------------------------------------------------------ formulas, and what variants exchange in them

    def if_biased(self, e: Any) -> Any:
        """A quantity of the biases, where there are some."""
        return Piecewise((e, self.biased), (0, True))

    def affine(self, weight: Any = None, bias: Any = None) -> Any:
        """``s = Theta^T h + b``, the bias left out where the network has none."""
        l, weight = self.l, self.Theta[self.l - 1, q, self.j] if weight is None else weight
        bias = self.b[l - 1, self.j] if bias is None else bias
        return Sum(weight * h[(l - 1, *self.a, q)], (q, 0, self.n[l - 1] - 1)) + self.if_biased(bias)

    def activated(self, first: Any = None, hidden: Any = sigma, last: Any = rho) -> Any:
        """``h_0 = x``, ``h_l = sigma(s_l)``, and ``h_k = rho(s_k)``."""
        first = self.x[(*self.a, self.i)] if first is None else first
        here = s[(self.t, *self.a, self.i)]
        return Piecewise((first, Eq(self.t, 0)), (last(here), Eq(self.t, self.k)), (hidden(here), True))

    def summed(self, e: Any) -> Any:
        """The sum over the samples, where there are several."""
        return self.c.sum(e, *self.a) if self.a else e

    def squared_error(self) -> Any:
        """Half the squared error, summed over the samples."""
        gap = self.y[(*self.a, q)] - h[(self.k, *self.a, q)]
        error = Rational(1, 2) * self.summed(Sum(gap**2, (q, 0, self.n[self.k] - 1)))
        self.pull = -gap
        return self.c.let("E", (), error)

    def any_loss(self) -> Any:
        """A loss with the gradient g by the outputs, to first order."""
        self.pull = self.y[q]
        return self.c.let("E", (), Sum(self.pull * h[self.k, q], (q, 0, self.n[self.k] - 1)))

    def last_delta(self, unit: Any, slope: Any = None) -> Any:
        """Minus the error times the slope of the output's activation."""
        at = (self.k, *self.a, unit)
        return -(self.y[(*self.a, unit)] - h[at]) * (drho(s[at]) if slope is None else slope)

    def handed_back(self, weight: Any = None) -> Any:
        """``Theta_{l+1} delta_{l+1}``: what the layer above hands back to unit j of layer l."""
        weight = self.Theta[self.l, self.j, q] if weight is None else weight
        return Sum(weight * delta[(self.l + 1, *self.a, q)], (q, 0, self.n[self.l + 1] - 1))

    def deltas(self, last: Any = None, hidden: Any = None) -> Any:
        """The deltas, from the last layer down."""
        last = self.last_delta(self.j) if last is None else last
        hidden = dsigma(s[(self.l, *self.a, self.j)]) * self.handed_back() if hidden is None else hidden
        return Piecewise((last, Eq(self.l, self.k)), (hidden, True))

    # ------------------------------------------------------------------ the call

    def parameters(self) -> tuple[Any, Any]:
        """The list of the matrices, and the list of the biases or None."""
        l, n = Symbol("l", integer=True), self.n
        matrices = listed(cut(self.Theta[l], n[l], n[l + 1]), (l, 0, self.k - 1))
        return matrices, when(self.flag, listed(cut(self.b[l], n[l + 1]), (l, 0, self.k - 1)))

    def by_layer(self, look: Any, *extents: Any, last: Any = None, only: Any = None) -> Any:
        """A returned list with a tensor for each layer l from 0 on; its extents are said of l."""
        return padded(look, (self.l, 0, self.k - 1 if last is None else last), *extents, only=only)

    def backward(self) -> Any:
        """The call of the backward pass, which computes gradients itself."""
        call = self.c.call(self.x, self.y, *self.parameters(), self.activation, self.output_activation)
        return call.outside_autograd()

    # ------------------------------------------------------------------ proofs

    def layer_moves(self, bench: Any, by: Any, first: Any, low: Any, given: Any = (), name: str = "") -> Any:
        """The theorem that unit o of layer ``low + 1`` moves with an entry at the rate ``first``.

        Layers up to ``low`` stand still; the input, for which ``low`` is 0, moves by itself.
        """
        l, t = self.l, self.t
        dh, ds = self.moving(by)
        if by.base != self.x:
            still = bench.induction(
                f"layers below stand still{name}", (dh, 0), on=t, given=[Le(t, low), *given],
                base=lambda b: b.left.unfold(dh), step=lambda b, hyp: b.left.unfold(dh, ds).rewrite(hyp),
            )  # fmt: skip

        def moves(b: Any) -> None:
            b.left.unfold(ds)
            if by.base == self.x:
                b.left.unfold(dh)
            else:
                b.left.rewrite(still)

        unit = within((o, 0, self.n[low + 1] - 1))
        above = ds.xreplace({l: low + 1, self.j: o})
        return bench.have(f"the layer moves{name}", above, "=", first, moves, given=[*unit, *given], over=[o])

    def by_deltas(
        self, bench: Any, E: Any, by: Any, first: Any, found: Any, low: Any = None, given: Any = (), name: str = ""
    ) -> Any:
        """The theorem ``∂E/∂by = found``, for the loss E of the deltas.

        What moves first is layer ``low + 1``, at the rate ``first`` of its unit o. By induction from the last layer
        down, the loss moves by the deltas times how a layer moves.
        """
        l, t, n, k, low = self.l, self.t, self.n, self.k, self.m if low is None else low
        (dh, ds), dE = self.moving(by), self.c.D(E, by)
        moved = self.layer_moves(bench, by, first, low, given, name)
        passed = bench.have(
            f"a layer passes it on{name}", ds, "=",
            Sum(self.Theta[l - 1, q, self.j] * dh.xreplace({t: l - 1, self.i: q}), (q, 0, n[l - 1] - 1)),
            lambda b: b.left.unfold(ds), given=[Ge(l, low + 2), *given],
        )  # fmt: skip
        top = Sum(self.pull * dh.xreplace({t: k, self.i: q}), (q, 0, n[k] - 1))
        through = Sum(delta[(l, *self.a, q)] * ds.xreplace({self.j: q}), (q, 0, n[l] - 1))
        back = bench.induction(
            f"the loss through a layer{name}", (top, through), on=l, start=k, down=True, given=[Ge(l, low + 1), *given],
            base=lambda b: (b.left.unfold(dh), b.right.unfold(delta)),
            step=lambda b, hyp: (b.left.rewrite(hyp, at={}).rewrite(passed).unfold(dh), b.right.unfold(delta)),
        )  # fmt: skip

        def whole(b: Any) -> None:
            b.left.unfold(dE)
            if not alike(b.left.now, self.summed(top)):
                b.left.to(self.summed(top))
            b.left.rewrite(back, at={l: low + 1}).rewrite(moved)
            if b.left.now.has(Piecewise):
                b.cases(self.biased)

        return bench.have(f"the loss by the deltas{name}", dE, "=", found, whole, given=given)

    def moving(self, by: Any) -> tuple[Any, Any]:
        """The derivatives of ``h[t, i]`` and ``s[l, j]`` by an entry."""
        return self.c.D(h[(self.t, *self.a, self.i)], by), self.c.D(s[(self.l, *self.a, self.j)], by)

"""Backpropagation, there and back: the forward pass and the deltas (notes, section 1.2.1)."""

from sympy import KroneckerDelta

from gnomon.derivations.backprop.backprop_network import drho, dsigma
from gnomon.derivations.backprop.layers import Layers, delta, h, o, q, s, sigma
from gnomon.say.call import returned
from gnomon.say.maker import claim


def _forward_variants(c, net):
    """Each wrong in another place."""
    c.variant(
        "without biases",
        "notes, printed",
        printed=True,
        why="The notes write s = Theta^T h: every network without biases maps 0 to 0 when sigma(0) = 0.",
        s=net.affine(bias=0),
    )
    c.variant(
        "weights transposed",
        "known bug",
        why="nn.Linear stores (out, in), the notes (in, out).",
        s=net.affine(weight=net.Theta[net.l - 1, net.j, q]),
    )
    c.variant("hidden activation on the last layer", "known bug", h=net.activated(last=sigma))
    c.variant("no activation on the last layer", "known bug", h=net.activated(last=lambda s: s))
    c.variant("no activation on the hidden layers", "known bug", h=net.activated(hidden=lambda s: s))


@claim("backprop.forward_quantities", "1.2.1", "backprop.forward_trace")
def forward_quantities(c):
    """The forward pass: each layer applies its activation to an affine map of the layer below."""
    net = Layers(c)
    l, n, k = net.l, net.n, net.k
    c.law(s[l, net.j], net.affine())
    c.prove(lambda p: p.left.unfold(s))
    c.law(h[net.t, net.i], net.activated())
    c.prove(lambda p: p.left.unfold(h))
    c.say("h_0 = x, h_l = sigma(s_l) for the hidden layers, and rho(s_k) for the last one")
    c.call(net.x, *net.parameters(), net.activation, net.output_activation).shows(
        s=net.by_layer(returned(0), n[l + 1]), h=net.by_layer(returned(1), n[l], last=k)
    )
    _forward_variants(c, net)
    c.variant("activation on the input", "known bug", h=net.activated(first=sigma(net.x[net.i])))
    net.remark("The notes number samples and layers by the same i; here l is the layer.")


@claim("backprop.forward_quantities.network", "1.2.1", "backprop.MLP")
def network_output(c):
    """A network computes the forward pass for a batch, and autograd its derivatives."""
    net = Layers(c, batch=True)
    (a,), k, n = net.a, net.k, net.n
    u = c.index("u", n[k])
    yhat = c.let("yhat", (a, u), h[k, a, u])
    c.law(yhat[a, u], h[k, a, u])
    c.say("h_0 = x, h_l = sigma(s_l) for the hidden layers, and rho(s_k) for the last one, sample by sample")
    W, V = net.parameters()
    made = c.call(n, activation=net.activation, output_activation=net.output_activation, bias=net.flag)
    made.load_in_order(matrices=W, vectors=V).on(net.x).shows(yhat)
    _forward_variants(c, net)
    net.remark(
        "Along with the values, autograd's gradient of a random combination of the outputs, by parameters and "
        "input, is compared with this program's derivative."
    )


@claim("backprop.dE_dsk", "1.2.1", "backprop.backward")
def dE_dsk(c):
    """The delta of the last layer is minus the error times the slope of its activation."""
    net = Layers(c, target="y")
    y, k = net.y, net.k
    u = c.index("u", net.n[k])
    E = net.squared_error()
    net.suppose_smooth()
    last = c.let("output_delta", u, net.last_delta(u))
    c.law(last[u], c.D(E, s[k, u]))

    @c.prove
    def proof(p):
        """Only the last layer moves, each unit by itself."""
        moved = net.layer_moves(p, s[k, u], KroneckerDelta(o, u), k - 1)
        p.right.unfold(c.D(E, s[k, u]), c.D(h[net.t, net.i], s[k, u])).rewrite(moved)
        p.left.unfold(last)

    c.say("the error is half the squared error of one sample")
    net.backward().shows(output_delta=returned(3, -1))
    c.variant(
        "the sign dropped",
        "notes, printed",
        printed=True,
        why="The line above it in the notes, dE/dyhat = -(y - yhat), has the sign.",
        output_delta=-net.last_delta(u),
    )
    c.variant(
        "without the slope",
        "cross-entropy",
        why="Right for a softmax or a logistic unit with the cross-entropy, where the slope cancels.",
        output_delta=net.last_delta(u, slope=1),
    )
    c.variant(
        "slope at the output",
        "known bug",
        why="rho'(yhat) for rho'(s): a logistic output has the slope yhat (1 - yhat), not rho'(yhat).",
        output_delta=-(y[u] - h[k, u]) * drho(h[k, u]),
    )
    c.variant("twice", "torch, sum of squares", why="without the half", output_delta=2 * net.last_delta(u))
    c.variant("slope of the hidden activation", "known bug", output_delta=net.last_delta(u, slope=dsigma(s[k, u])))


@claim("backprop.hidden_delta", "1.2.1", "backprop.backward")
def hidden_delta(c):
    """A hidden delta is the slope times what the layer above hands back through the same weights."""
    net = Layers(c, least=2, target="y")
    l, j, m, r = net.l, net.j, net.m, net.r
    E = net.squared_error()
    net.suppose_smooth()
    c.let("delta", (l, j), net.deltas())
    c.output("delta", delta[m + 1, r], m, r)
    c.law(delta[m + 1, r], c.D(E, s[m + 1, r]))

    @c.prove
    def proof(p):
        p.right.rewrite(net.by_deltas(p, E, s[m + 1, r], KroneckerDelta(o, r), delta[m + 1, r]))

    c.say("any loss with the gradient delta_k by s_k; checked with half the squared error")
    net.backward().shows(delta=net.by_layer(returned(3), net.n[l + 1]))
    slope, back = dsigma(s[l, j]), net.handed_back()
    c.variant("weights transposed", "known bug", delta=net.deltas(hidden=slope * net.handed_back(net.Theta[l, q, j])))
    c.variant(
        "slope at the activation",
        "known bug",
        why="sigma'(h) for sigma'(s): a logistic unit has the slope h (1 - h), not sigma'(h).",
        delta=net.deltas(hidden=dsigma(h[l, j]) * back),
    )
    c.variant("without the slope", "known bug", why="the gradient by h, not by s", delta=net.deltas(hidden=back))
    c.variant("slope of the layer above", "known bug", delta=net.deltas(hidden=dsigma(s[l + 1, j]) * back))
    c.variant("sign changed at every layer", "known bug", delta=net.deltas(hidden=-slope * back))
    c.variant("twice", "torch, sum of squares", why="without the half", delta=net.deltas(last=2 * net.last_delta(j)))
    c.variant(
        "last slope left out",
        "cross-entropy",
        why="yhat - y belongs to the cross-entropy with its own link",
        delta=net.deltas(last=net.last_delta(j, slope=1)),
    )
    net.remark(
        "The notes say “propagate error back” and give no formula. The law goes forward instead, once for every unit: "
        "the work that backpropagation saves."
    )

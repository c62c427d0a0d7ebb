"""Backpropagation: the gradients by weights, biases and input, and the step (notes, section 1.2.1)."""

from sympy import Eq, IndexedBase, KroneckerDelta, Piecewise, Sum

from gnomon.derivations.backprop.backprop_network import dsigma
from gnomon.derivations.backprop.layers import Layers, delta, drho, h, o, q, rho, s, sigma
from gnomon.say.call import returned
from gnomon.say.maker import claim

TRANSPOSED = "delta h^T is the gradient where weights are stored as (out, in)."


def _by_weights(net, term=None):
    """``h_{l-1} delta_l^T``, summed over the samples."""
    return net.summed(h[net.m, *net.a, net.p] * delta[net.m + 1, *net.a, net.r] if term is None else term)


def _by_biases(net, term=None):
    """``delta_l``, summed over the samples."""
    return net.if_biased(net.summed(delta[net.m + 1, *net.a, net.r] if term is None else term))


def _outer_product_transposed(net):
    swapped = h[net.m, *net.a, net.r] * delta[net.m + 1, *net.a, net.p]
    inside = Piecewise((swapped, net.r < net.n[net.m]), (0, True))
    return _by_weights(net, Piecewise((inside, net.p < net.n[net.m + 1]), (0, True)))


@claim("backprop.weight_gradient", "1.2.1", "backprop.backward")
def weight_gradient(c):
    """The gradient by a layer's weights is the layer's input times its delta, summed over the samples."""
    net = Layers(c, batch=True, target="y")
    (a,), l, j, m, p, r, n, Theta, b, x = net.a, net.l, net.j, net.m, net.p, net.r, net.n, net.Theta, net.b, net.x
    d, f = c.index("d", net.N), c.index("f", n[0])
    E = net.squared_error()
    net.suppose_smooth()
    c.let("delta", (l, a, j), net.deltas())
    dTheta = c.let("dTheta", (m, p, r), _by_weights(net))
    db = c.let("db", (m, r), _by_biases(net))

    def by_input(weight):
        return Sum(weight * delta[1, d, q], (q, 0, n[1] - 1))

    dx = c.let("dx", (d, f), by_input(Theta[0, f, q]))

    c.law(dTheta[m, p, r], c.D(E, Theta[m, p, r]))

    @c.prove
    def weights(B):
        rate = h[m, a, p] * KroneckerDelta(o, r)
        B.right.rewrite(net.by_deltas(B, E, Theta[m, p, r], rate, _by_weights(net)))
        B.left.unfold(dTheta)

    c.law(db[m, r], c.D(E, b[m, r]))

    @c.prove
    def biases(B):
        rate = net.if_biased(KroneckerDelta(o, r))
        B.right.rewrite(net.by_deltas(B, E, b[m, r], rate, _by_biases(net)))
        B.left.unfold(db)

    c.law(dx[d, f], c.D(E, x[d, f]))

    @c.prove
    def inputs(B):
        rate = Theta[0, f, o] * KroneckerDelta(a, d)
        B.right.rewrite(net.by_deltas(B, E, x[d, f], rate, by_input(Theta[0, f, q]), low=0))
        B.left.unfold(dx)

    c.say("the error is half the squared error, summed over the samples")
    net.backward().shows(
        dTheta=net.by_layer(returned(0), n[l], n[l + 1]),
        db=net.by_layer(returned(1), n[l + 1], only=net.flag),
        dx=returned(2),
    )
    c.variant("outer product transposed", "nn.Linear", why=TRANSPOSED, dTheta=_outer_product_transposed(net))
    c.variant(
        "activation of the layer itself",
        "known bug",
        why="h_l delta_l^T for h_{l-1} delta_l^T",
        dTheta=_by_weights(net, h[m + 1, a, p] * delta[m + 1, a, r]),
    )
    c.variant(
        "mean over the samples",
        "torch, reduction mean",
        why="the gradient of the mean of the errors; here they are summed",
        dTheta=_by_weights(net, h[m, a, p] * delta[m + 1, a, r] / net.N),
        db=_by_biases(net, delta[m + 1, a, r] / net.N),
    )
    c.variant(
        "bias not differentiated through the delta",
        "known bug",
        why="the rate 1 at which a bias moves its pre-activation, without the delta",
        db=_by_biases(net, 1),
    )
    c.variant("input gradient through the transpose", "known bug", dx=by_input(Theta[0, q, f]))
    c.variant(
        "weights transposed",
        "known bug",
        delta=net.deltas(hidden=dsigma(s[l, a, j]) * net.handed_back(Theta[l, q, j])),
    )
    net.remark("dE/db_l = delta_l and dE/dx = Theta_1 delta_1 are compared as well. The notes give none of the three.")


@claim("backprop.weight_gradient.autograd", "1.2.1", "backprop.MLP")
def autograd(c):
    """Autograd's gradients of a network are those of backpropagation, for any loss."""
    net = Layers(c, least=2, target="g", padding=True)
    l, j, m, p, r, n, Theta, b, x = net.l, net.j, net.m, net.p, net.r, net.n, net.Theta, net.b, net.x
    f = c.index("f", n[0])
    E = net.any_loss()
    net.suppose_smooth()
    last = net.y[j] * drho(s[net.k, j])
    c.let("delta", (l, j), net.deltas(last))
    units = p < n[m], r < n[m + 1]

    def inside(e, *conditions):
        """What stands within a layer's widths; the padding is never read, and has the gradient 0."""
        for condition in conditions:
            e = Piecewise((e, condition), (0, True))
        return e

    dTheta = c.let("dTheta", (m, p, r), inside(_by_weights(net), *units))
    db = c.let("db", (m, r), inside(_by_biases(net), units[1]))
    dx = c.let("dx", f, Sum(Theta[0, f, q] * delta[1, q], (q, 0, n[1] - 1)))

    def within_widths(B, entry, rate, found, conditions, name=""):
        """By the deltas where all conditions hold; 0 where the first does not, and so on."""

        def at(B, rate, found, given, name):
            B.right.rewrite(net.by_deltas(B, E, entry, rate, found, given=given, name=name))

        def split(B, rest, given):
            if not rest:
                return at(B, rate, found, given, "")
            no = [*given, ~rest[0]]
            return B.cases(
                rest[0],
                yes=lambda B: split(B, rest[1:], [*given, rest[0]]),
                no=lambda B: at(B, 0, 0, no, f", beyond {rest[0]}"),
            )

        split(B, conditions, [])

    c.law(dTheta[m, p, r], c.D(E, Theta[m, p, r]))

    @c.prove
    def weights(B):
        B.left.unfold(dTheta)
        within_widths(B, Theta[m, p, r], h[m, p] * KroneckerDelta(o, r), _by_weights(net), units)

    c.law(db[m, r], c.D(E, b[m, r]))

    @c.prove
    def biases(B):
        B.left.unfold(db)
        within_widths(B, b[m, r], net.if_biased(KroneckerDelta(o, r)), _by_biases(net), units[1:])

    c.law(dx[f], c.D(E, x[f]))

    @c.prove
    def inputs(B):
        B.right.rewrite(net.by_deltas(B, E, x[f], Theta[0, f, o], c.definitions["dx"].rhs, low=0))
        B.left.unfold(dx)

    c.say("g is the gradient of the loss by the outputs, so that delta_k = g * rho'(s_k)")
    W, V = net.parameters()
    made = c.call(n, activation=net.activation, output_activation=net.output_activation, bias=net.flag)
    made.load_in_order(matrices=W, vectors=V).on(x).gradient(by=(Theta, b, x), cotangent=net.y).shows(dTheta, db, dx)
    c.without_gradient()
    c.variant("outer product transposed", "nn.Linear", why=TRANSPOSED, dTheta=_outer_product_transposed(net))
    c.variant("last slope left out", "known bug", delta=net.deltas(last=net.y[j]))
    c.variant("without the slope", "known bug", delta=net.deltas(last, net.handed_back()))
    c.variant(
        "slope at the activation",
        "known bug",
        why="sigma'(h) for sigma'(s)",
        delta=net.deltas(last, dsigma(h[l, j]) * net.handed_back()),
    )
    c.variant(
        "weights transposed",
        "known bug",
        delta=net.deltas(last, dsigma(s[l, j]) * net.handed_back(Theta[l, q, j])),
    )
    net.remark(
        "What is compared is a gradient already; second derivatives are no part of the statement. Batches are "
        "seen by the claim about the outputs."
    )


@claim("backprop.tldr", "1.2.1", "backprop.gradient_step")
def sequence(c):
    """A step of gradient descent takes every gradient before it changes any weight."""
    net = Layers(c, batch=True, target="y")
    (a,), l, j, m, p, r, n, Theta, b = net.a, net.l, net.j, net.m, net.p, net.r, net.n, net.Theta, net.b
    lr = c.hyper("lr", 0.0, float("inf"), open_low=True, typical=(0.1, 0.5))
    E = net.squared_error()
    net.suppose_smooth()
    c.let("delta", (l, a, j), net.deltas())
    dTheta = c.let("dTheta", (m, p, r), _by_weights(net))
    db = c.let("db", (m, r), net.summed(delta[m + 1, a, r]))
    Theta_new = c.let("Theta_new", (m, p, r), Theta[m, p, r] - lr * dTheta[m, p, r])
    b_new = c.let("b_new", (m, r), net.if_biased(b[m, r] - lr * db[m, r]))

    c.law(Theta_new[m, p, r], Theta[m, p, r] - lr * c.D(E, Theta[m, p, r]))

    @c.prove
    def weights(B):
        rate = h[m, a, p] * KroneckerDelta(o, r)
        B.right.rewrite(net.by_deltas(B, E, Theta[m, p, r], rate, _by_weights(net)))
        B.left.unfold(Theta_new, dTheta)

    c.law(b_new[m, r], net.if_biased(b[m, r] - lr * c.D(E, b[m, r])))

    @c.prove
    def biases(B):
        rate = net.if_biased(KroneckerDelta(o, r))
        B.right.rewrite(net.by_deltas(B, E, b[m, r], rate, _by_biases(net)))
        B.left.unfold(b_new, db)

    c.say("the error is half the squared error, summed over the samples")
    step = c.call(net.x, net.y, *net.parameters(), lr, net.activation, net.output_activation).outside_autograd()
    step.shows(
        Theta_new=net.by_layer(returned(0), n[l], n[l + 1]),
        b_new=net.by_layer(returned(1), n[l + 1], only=net.flag),
    )
    c.variant(
        "propagated through weights already updated",
        "notes, read literally",
        printed=True,
        why="“Adjust the last layer weights. Propagate error back. Repeat.”",
        delta=net.deltas(hidden=dsigma(s[l, a, j]) * net.handed_back(Theta_new[l, j, q])),
    )
    c.variant(
        "layer by layer",
        "block coordinate descent",
        why="Each gradient is taken anew, forward pass included, after the layers above have moved.",
        lets=_layer_by_layer(c, net, Theta_new, b_new),
    )
    c.variant(
        "uphill",
        "known bug",
        Theta_new=Theta[m, p, r] + lr * dTheta[m, p, r],
        b_new=net.if_biased(b[m, r] + lr * db[m, r]),
    )
    c.variant("biases kept", "known bug", b_new=net.if_biased(b[m, r]))
    c.variant(
        "mean over the samples",
        "torch, reduction mean",
        Theta_new=Theta[m, p, r] - lr / net.N * dTheta[m, p, r],
        b_new=net.if_biased(b[m, r] - lr / net.N * db[m, r]),
    )
    net.remark("A step runs outside autograd, so only its values are compared.")


def _layer_by_layer(c, net, Theta_new, b_new):
    """Forward and backward again for every layer, those above it updated; e is the first layer updated."""
    (a,), l, j, t, i, k, n, m, p, r = net.a, net.l, net.j, net.t, net.i, net.k, net.n, net.m, net.p, net.r
    e = c.index("e", 0, k)
    S, H, D = (IndexedBase(name, real=True) for name in ("s_e", "h_e", "delta_e"))
    weight = Piecewise((net.Theta[l - 1, q, j], l - 1 < e), (Theta_new[l - 1, q, j], True))
    bias = Piecewise((net.b[l - 1, j], l - 1 < e), (b_new[l - 1, j], True))
    back = Piecewise((net.Theta[l, j, q], l < e), (Theta_new[l, j, q], True))
    below = Sum(weight * H[l - 1, e, a, q], (q, 0, n[l - 1] - 1)) + net.if_biased(bias)
    active = Piecewise((net.x[a, i], Eq(t, 0)), (rho(S[t, e, a, i]), Eq(t, k)), (sigma(S[t, e, a, i]), True))
    handed = Sum(back * D[l + 1, e, a, q], (q, 0, n[l + 1] - 1))
    last = -(net.y[a, j] - H[k, e, a, j]) * drho(S[k, e, a, j])
    deltas = Piecewise((last, Eq(l, k)), (dsigma(S[l, e, a, j]) * handed, True))
    return {
        "s_e": ((l, e, a, j), below),
        "h_e": ((t, e, a, i), active),
        "delta_e": ((l, e, a, j), deltas),
        "dTheta": net.summed(H[m, m + 1, a, p] * D[m + 1, m + 1, a, r]),
        "db": net.summed(D[m + 1, m + 1, a, r]),
    }

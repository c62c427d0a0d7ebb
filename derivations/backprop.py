"""Backpropagation through k layers of any widths: forward pass, deltas, gradients and step (notes, section 1.2.1)."""

from collections.abc import Callable
from typing import Any

from sympy import Eq, Function, IndexedBase, Lambda, Max, Piecewise, Rational, Sum, Symbol, exp, symbols, tanh

from gnomon.claim import Claim, Output, Program, Variant
from gnomon.domain import Choice, Size, Sizes, positive, real, symbols_of

W = 3  # the greatest width, to which the tensors of parameters are padded
Lets = tuple[tuple[Any, Any], ...]

sigma, dsigma, rho, drho = (Function(name) for name in ("sigma", "dsigma", "rho", "drho"))
u = Symbol("u", real=True)
LOGISTIC = Piecewise((1 / (1 + exp(-u)), u >= 0), (exp(u) / (1 + exp(u)), True))  # no exponential overflows
CURVES = {
    "identity": (u, 1),
    "relu": (Max(u, 0), Piecewise((1, u > 0), (0, True))),
    "sigmoid": (LOGISTIC, LOGISTIC * (1 - LOGISTIC)),
    "tanh": (tanh(u), 1 - tanh(u) ** 2),
}
HIDDEN, LAST = (
    Choice(name, {label: {f: Lambda(u, curve), df: Lambda(u, slope)} for label, (curve, slope) in CURVES.items()})
    for name, f, df in (("activation", sigma, dsigma), ("output_activation", rho, drho))
)
biases = Symbol("biases", integer=True)
BIASES = Choice("biases", {"no": {biases: 0}, "yes": {biases: 1}})
DEPTH, DEEP, SAMPLES, OUTPUTS = Size("k", 1, 3), Size("k", 2, 3), Size("N", 1, 3), Size("K", 1, 4)
WIDTHS = Sizes("n", DEPTH.symbol + 1, 1, W)
NETWORK = (WIDTHS, HIDDEN, LAST, BIASES)
k, n, N, K = symbols_of((DEPTH, WIDTHS, SAMPLES, OUTPUTS))

l, a, i, j, p, q, m = symbols("l a i j p q m", integer=True, nonnegative=True)
LR = positive("lr", host=True, typical=(0.1, 0.5))
PARAMETERS = (real("Theta", k, W, W), real("b", k, W))
SAMPLE, TARGET = real("x", n[0]), real("y", n[k])
BATCH, TARGETS = real("x", N, n[0]), real("y", N, n[k])
(Theta, b), lr = symbols_of(PARAMETERS), LR.symbol
x, y, s, h, delta, v, dTheta, db, dx = (
    IndexedBase(name, real=True) for name in ("x", "y", "s", "h", "delta", "v", "dTheta", "db", "dx")
)


def within(entry: Any, *inside: Any) -> Any:
    """What a layer shows: its entries, and zeros beyond its widths."""
    for condition in inside:
        entry = Piecewise((entry, condition), (0, True))
    return entry


def over_samples(term: Callable[..., Any]) -> Any:
    return Sum(term(a), (a, 0, N - 1))


def bias(entry: Any) -> Any:
    return within(entry, Eq(biases, 1))


def forward(*a: Any, affine: Any = None, first: Any = None, last: Any = None, hidden: Any = None) -> Lets:
    """The forward pass, with ``a`` for the number of the sample; the rest exchanges a part of it."""
    s_l = s[(l, *a, j)]
    affine = affine or Sum(Theta[l - 1, i, j] * h[(l - 1, *a, i)], (i, 0, n[l - 1] - 1)) + bias(b[l - 1, j])
    first, last, hidden = first or x[(*a, j)], last or rho(s_l), hidden or sigma(s_l)
    return (s_l, affine), (h[(l, *a, j)], Piecewise((first, Eq(l, 0)), (last, Eq(l, k)), (hidden, True)))


def handed_back(*a: Any, weight: Any = Theta[l, j, q]) -> Any:
    """What layer l + 1 hands back to unit j of layer l."""
    return Sum(weight * delta[(l + 1, *a, q)], (q, 0, n[l + 1] - 1))


def backward(*a: Any, last: Any = None, hidden: Any = None) -> Lets:
    """The backward pass, likewise."""
    last = last or -(y[(*a, j)] - h[(k, *a, j)]) * drho(s[(k, *a, j)])
    hidden = hidden or dsigma(s[(l, *a, j)]) * handed_back(*a)
    return ((delta[(l, *a, j)], Piecewise((last, Eq(l, k)), (hidden, True))),)


def gradients(weight: Any = h[l, a, i] * delta[l + 1, a, j], bias_term: Any = delta[l + 1, a, j]) -> Lets:
    """The gradients by the parameters, summed over the samples."""
    return (
        (dTheta[l, i, j], Sum(weight, (a, 0, N - 1))),
        (db[l, j], Sum(bias_term, (a, 0, N - 1))),
    )


def no_proof():
    return None


OBSERVED_S = Output("s", within(s[l + 1, j], j < n[l + 1]), (l, 0, k - 1), (j, 0, W - 1))
OBSERVED_H = Output("h", within(h[l, j], j < n[l]), (l, 0, k), (j, 0, W - 1))

FORWARD_VARIANTS = (
    Variant("no biases", "notes", replace=forward(affine=Sum(Theta[l - 1, i, j] * h[l - 1, i], (i, 0, n[l - 1] - 1)))[:1], printed=True),
    Variant("transposed weights", "bug", replace=forward(affine=Sum(Theta[l - 1, j, i] * h[l - 1, i], (i, 0, n[l - 1] - 1)) + bias(b[l-1,j]))[:1]),
    Variant("hidden activation last", "bug", replace=forward(last=sigma(s[l, j]))[1:]),
    Variant("no activation last", "bug", replace=forward(last=s[l, j])[1:]),
    Variant("input activated", "bug", replace=forward(first=sigma(x[j]))[1:]),
    Variant("no hidden activation", "bug", replace=forward(hidden=s[l, j])[1:]),
)
FORWARD = Claim(
    id="backprop.forward_quantities", section="1.2.1", title="t", kind="equality", subject="backprop.forward_trace",
    driver="forward_pass", structure=(DEPTH, *NETWORK), inputs=(SAMPLE, *PARAMETERS),
    program=Program(forward(), (OBSERVED_S, OBSERVED_H)), statement=Eq(x[0], 0), derivation=no_proof, variants=FORWARD_VARIANTS)

def per_sample(variants):
    return variants

MODULE = Claim(
    id="backprop.forward_quantities.module", section="1.2.1", title="t", kind="equality", subject="backprop.MLP",
    driver="network", structure=(DEPTH, *NETWORK, SAMPLES), inputs=(BATCH, *PARAMETERS),
    program=Program(forward(a), (Output("yhat", h[k, a, j], (a, 0, N - 1), (j, 0, n[k] - 1)),)), statement=Eq(x[0], 0), derivation=no_proof, variants=(
    Variant("no activation last", "bug", replace=forward(a,last=s[l, a,j])[1:]),
    ))

DELTA = Claim(
    id="backprop.hidden_delta", section="1.2.1", title="t", kind="equality", subject="backprop.backward",
    driver="backward_pass", structure=(DEEP, *NETWORK), inputs=(SAMPLE, TARGET, *PARAMETERS),
    program=Program((*forward(), *backward()), (Output("delta", within(delta[l + 1, j], j < n[l + 1]), (l, 0, k - 1), (j, 0, W - 1)),)),
    statement=Eq(x[0], 0), derivation=no_proof, variants=(
    Variant("transposed weight", "bug", replace=backward(hidden=dsigma(s[l,j])*handed_back(weight=Theta[l,q,j]))),
    Variant("sigma' at h", "bug", replace=backward(hidden=dsigma(h[l,j])*handed_back())),
    Variant("no sigma'", "bug", replace=backward(hidden=handed_back())),
    Variant("sign", "bug", replace=backward(hidden=-dsigma(s[l,j])*handed_back())),
    Variant("two", "bug", replace=backward(last=-2*(y[j]-h[k,j])*drho(s[k,j]))),
    Variant("sigma' of next layer", "bug", replace=backward(hidden=dsigma(s[l+1,j])*handed_back())),
    ))
EVERY = (Output("dTheta", within(dTheta[l,i,j], i<n[l], j<n[l+1]), (l,0,k-1),(i,0,W-1),(j,0,W-1)),
  Output("db", within(db[l,j], Eq(biases,1), j<n[l+1]), (l,0,k-1),(j,0,W-1)),
  Output("dx", dx[a,i], (a,0,N-1),(i,0,n[0]-1)))
GRAD = Claim(
    id="backprop.weight_gradient", section="1.2.1", title="t", kind="equality", subject="backprop.backward",
    driver="backward_pass", structure=(DEPTH, *NETWORK, SAMPLES), inputs=(BATCH, TARGETS, *PARAMETERS),
    program=Program((*forward(a), *backward(a), *gradients(), (dx[a,i], Sum(Theta[0,i,j]*delta[1,a,j],(j,0,n[1]-1)))), EVERY),
    statement=Eq(x[0], 0), derivation=no_proof, variants=(
    Variant("transposed weight", "bug", replace=backward(a,hidden=dsigma(s[l,a,j])*handed_back(a,weight=Theta[l,q,j]))),
    Variant("sigma' at h", "bug", replace=backward(a,hidden=dsigma(h[l,a,j])*handed_back(a))),
    ))
g = IndexedBase("g", real=True)
AUTO = Claim(
    id="backprop.weight_gradient.autograd", section="1.2.1", title="t", kind="equality", subject="backprop.MLP",
    driver="network_gradient", structure=(DEPTH, *NETWORK, SAMPLES), inputs=(BATCH, real("g", N, n[k]), *PARAMETERS),
    program=Program((*forward(a), *backward(a, last=g[a,j]*drho(s[k,a,j])), *gradients(), (dx[a,i], Sum(Theta[0,i,j]*delta[1,a,j],(j,0,n[1]-1)))), EVERY),
    statement=Eq(x[0], 0), derivation=no_proof, variants=(
    Variant("transposed weight", "bug", replace=backward(a,last=g[a,j]*drho(s[k,a,j]),hidden=dsigma(s[l,a,j])*handed_back(a,weight=Theta[l,q,j]))),
    ))
CLAIMS = (FORWARD,MODULE,DELTA,GRAD,AUTO)

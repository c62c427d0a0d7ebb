"""The vocabulary of the claims about long short-term memory, in the layout of torch.nn.LSTM.

Gate q of i, f, g, o has the rows ``q H ... q H + H - 1`` of the weights W (by the input) and U (by the hidden state),
and of the two biases b and d. Time t counts from 1, as c_0 and h_0 are given; ``a`` numbers the samples and j the
cells.
"""

from typing import Any

from sympy import Eq, IndexedBase, Integer, Piecewise, Rational, Sum, Symbol, symbols, tanh

from gnomon.proof.derivation import opaque
from gnomon.say.domain import Choice, Size, real, symbols_of

Let = tuple[Any, Any]
SECTION = "1.4.3"

biased = Symbol("biased", integer=True)
BIAS = Choice("bias", {"yes": {biased: 1}, "no": {biased: 0}})
INPUTS, HIDDEN, TIME = Size("I", 1, 2), Size("H", 1, 2), Size("T", 1, 3)
I, H, T = symbols_of((INPUTS, HIDDEN, TIME))
N = Integer(2)  # samples: two, so that what mixes them up is seen

PARAMETERS = (real("W", 4 * H, I), real("U", 4 * H, H), real("b", 4 * H), real("d", 4 * H))
W, U, b, d = symbols_of(PARAMETERS)
NAMES = {"weight_ih": "W", "weight_hh": "U", "bias_ih": "b", "bias_hh": "d"}
LAYER_NAMES = {f"{name}_l0": source for name, source in NAMES.items()}

s, i, f, g, o, c, h = (IndexedBase(name, real=True) for name in "sifgoch")
x, h0, c0 = (IndexedBase(name, real=True) for name in ("x", "h0", "c0"))
t, a, j, k, l, m, p, q, r = symbols("t a j k l m p q r", integer=True, nonnegative=True)
sigma, dsigma, _ = opaque("sigma")
u = Symbol("u", real=True)

MATRIX_LAYOUT = "W is weight_ih, U is weight_hh, b and d are bias_ih and bias_hh: rows in the order i, f, g, o."


def logistic(e: Any) -> Any:
    """``1 / (1 + exp(-e))``, by a function that never overflows."""
    return (1 + tanh(e / 2)) / 2


def affine(row: Any, below: Any, before: Any, bias: Any = None) -> Any:
    """``W x + U h + b + d`` of a row, of the input ``below(k)`` and the hidden state ``before(k)``."""
    bias = b[row] + d[row] if bias is None else bias
    by_input = Sum(W[row, k] * below(k), (k, 0, I - 1))
    by_state = Sum(U[row, k] * before(k), (k, 0, H - 1))
    return by_input + by_state + Piecewise((bias, Eq(biased, 1)), (0, True))


def gates(*at: Any, order: str = "ifgo", plus: Any = 0, squash: Any = logistic) -> tuple[Let, ...]:
    """The four gates from ``s[q, ...]``, q being a gate's place in ``order``; ``plus`` is added to the forget gate."""

    def own(gate: str) -> Any:
        return s[(order.index(gate), *at, j)]

    return (
        (i[(*at, j)], squash(own("i"))),
        (f[(*at, j)], squash(own("f") + plus)),
        (g[(*at, j)], tanh(own("g"))),
        (o[(*at, j)], squash(own("o"))),
    )


def updated(*at: Any, before: Any) -> Any:
    """``f c + i g``."""
    return f[(*at, j)] * before + i[(*at, j)] * g[(*at, j)]


def shown(*at: Any) -> Let:
    """``h = o tanh(c)``."""
    return h[(*at, j)], o[(*at, j)] * tanh(c[(*at, j)])


def since(start: Any, later: Any) -> Any:
    """What is given at time 0, and what follows after."""
    return Piecewise((start, Eq(t, 0)), (later, True))


def forward(state_h: Any, state_c: Any, features: Any = I) -> tuple[Let, ...]:
    """One layer on one sequence, from the states ``state_h(j)`` and ``state_c(j)`` at time 0."""
    by_input = Sum(W[q * H + j, k] * x[t - 1, k], (k, 0, features - 1))
    by_state = Sum(U[q * H + j, k] * h[t - 1, k], (k, 0, H - 1))
    return (
        (s[q, t, j], by_input + by_state + b[q * H + j] + d[q * H + j]),
        *gates(t),
        (c[t, j], since(state_c, updated(t, before=c[t - 1, j]))),
        (h[t, j], since(state_h, shown(t)[1])),
    )


def hard(e: Any) -> Any:
    """Keras' old ``hard_sigmoid``, in branches of which each is linear."""
    return Piecewise((0, e < -Rational(5, 2)), (1, e > Rational(5, 2)), (e / 5 + Rational(1, 2), True))

"""What can be counted before a convolution runs: windows, parameters, and what one output sees (1.3)."""

from typing import Any

from sympy import Eq, Ge, Gt, IndexedBase, Piecewise, Product, Sum, floor, symbols

from gnomon.derivations.convolution.conv import BIAS, OUTPUTS, SECTION, C, G, O, biased, k, t, within
from gnomon.proof.derivation import Derivation, Step, define
from gnomon.say.claim import Claim, Output, Program, Variant
from gnomon.say.domain import Size, Sizes, real, symbols_of

# ------------------------------------------------------------------ windows

KERNEL, STRIDE, DILATION = Size("K", 2, 5), Size("s", 1, 4), Size("d", 1, 3)
K, s, d = symbols_of((KERNEL, STRIDE, DILATION))
p, e = symbols("p e", integer=True, nonnegative=True)
reach = d * (K - 1) + 1
n = reach + e
room = n + 2 * p - reach
count = IndexedBase("T", integer=True, positive=True)
OVER = (p, 0, 2), (e, 0, 7)


def windows_proof() -> Derivation:
    """Divide the room by the stride, with a remainder: the windows 0 to the quotient fit, and no other."""
    quotient, rest = symbols("q r", integer=True, nonnegative=True)
    gap = symbols("s", integer=True, positive=True)
    whole = quotient * gap + rest
    return Derivation(
        (
            define(whole, whole, "the room n + 2p - d(K - 1) - 1: s goes into it q times, and r is left"),
            Step("inequality", Ge(whole, quotient * gap, evaluate=False), rest,
                 why="window q still fits, since it begins at qs"),
            Step("inequality", Gt((quotient + 1) * gap, whole), gap - rest, assume=(rest < gap,),
                 why="window q + 1 does not, since r < s"),
            Step("sum", Sum(1, (t, 0, quotient)), quotient + 1, why="from 0 to q there are q + 1",
                 wrong=(quotient,)),
        )
    )  # fmt: skip


def windows(value: Any) -> tuple[Any, Any]:
    """Another number of windows."""
    return count[p, e], value


output_size = Claim(
    id="conv.output_size",
    section=SECTION,
    title="The number of windows: the room divided by the stride, rounded down, and one",
    kind="equality",
    subject="convolution.output_size",
    driver="table",
    structure=(KERNEL, STRIDE, DILATION),
    inputs=(),
    program=Program((windows(floor(room / s) + 1),), (Output("T", count[p, e], *OVER),)),
    definition=Program((), (Output("T", Sum(within(1, t * s + reach <= n + 2 * p), (t, 0, n + 2 * p)), *OVER),)),
    statement=Eq(count[p, e], floor((n + 2 * p - d * (K - 1) - 1) / s) + 1),
    conditions=("at least one window fits",),
    derivation=windows_proof,
    variants=(
        Variant("rounded up", "ceil_mode of pooling", (windows(floor((room + s - 1) / s) + 1),)),
        Variant("one too few", "known bug: the first window forgotten", (windows(floor(room / s)),)),
        Variant("padding on one side", "known bug", (windows(floor((room - p) / s) + 1),)),
        Variant("dilation ignored", "known bug", (windows(floor((n + 2 * p - K) / s) + 1),)),
        Variant("the reach of a window taken for dK", "known bug", (windows(floor((room - d + 1) / s) + 1),)),
        Variant("size divided by stride", "TensorFlow: SAME", (windows(floor((n + s - 1) / s)),)),
    ),
    gradient=False,
    options={"arguments": (n, K, s, p, d), "over": OVER},
    remarks="A number of whole numbers: there is nothing to differentiate. The notes give no formula.",
)  # fmt: skip

# ------------------------------------------------------------------ as many outputs as inputs

HALF, LENGTH = Size("h", 1, 2), Size("L", 1, 4)
half, L = symbols_of((HALF, LENGTH))
total = d * (2 * half - 1)
SAME = (real("x", 1, L), real("w", 1, 1, 2 * half))
x, w = symbols_of(SAME)
y = IndexedBase("y", real=True)


def kept(before: Any) -> tuple[Any, Any]:
    """An output, with so many of the zeros before the map."""
    at = t + k * d - before
    return y[t], Sum(w[0, 0, k] * within(x[0, at], at >= 0, at < L), (k, 0, 2 * half - 1))


def same_proof() -> Derivation:
    """How many zeros keep the size, and when they cannot be shared out evenly."""
    zeros, width, size, j = symbols("z D n j", integer=True, positive=True)
    return Derivation(
        (
            Step("solve", Eq(size + zeros - width, size), width, by=(zeros,),
                 why="n + z - reach + 1 windows are n for z = reach - 1 = d(K - 1) zeros in all", wrong=(width / 2,)),
            Step("solve", Eq(2 * zeros, d * (2 * j + 1 - 1)), d * j, by=(zeros,),
                 why="an odd kernel K = 2j + 1 needs dj on either side: there is nothing to choose"),
        )
    )  # fmt: skip


same = Claim(
    id="conv.output_size.same",
    section=SECTION,
    title="With padding 'same' there are as many outputs as inputs, and an odd zero stands behind",
    kind="equality",
    subject="convolution.Conv1d",
    driver="sized_module",
    structure=(HALF, DILATION, LENGTH),
    inputs=SAME,
    program=Program((kept(floor(total / 2)),), (Output("y", y[t], (k, 0, 0), (t, 0, L - 1)),)),
    statement=Eq(y[t], Sum(w[0, 0, k] * x[0, t + k * d - floor(total / 2)], (k, 0, 2 * half - 1))),
    conditions=("stride 1", "kernels of even size; x is 0 beyond its ends"),
    derivation=same_proof,
    variants=(
        Variant("an odd zero stands before", "other frameworks", (kept(floor((total + 1) / 2)),)),
        Variant("all zeros before", "causal convolution", (kept(total),)),
        Variant("all zeros behind", "known bug", (kept(0),)),
    ),
    options={
        "args": (1, 1, 2 * half),
        "keywords": {"padding": "same", "dilation": d, "bias": False},
        "parameters": {"weight": "w"},
        "call": ("x",),
    },
)  # fmt: skip

# ------------------------------------------------------------------ parameters

TALL, WIDE = Size("K1", 2, 4), Size("K2", 1, 3)
HEIGHT, WIDTH = 4, 4
K1, K2 = symbols_of((TALL, WIDE))
learned = symbols("parameters", integer=True, nonnegative=True)
ins, outs = G * C, G * O
SEVERAL, FEW = Size("G", 1, 3), Size("C", 1, 3)


def numbers(value: Any) -> tuple[Any, Any]:
    """Another number of parameters."""
    return learned, value


def parameters_proof() -> Derivation:
    """Count the weights; no size of an image occurs. What a fully connected layer has in its place."""
    o, c, k1, k2 = symbols("o c k1 k2", integer=True)
    H, W, I = symbols("H W I", integer=True, positive=True)
    shared, full = K1 * K2 * I * O + O, (H * W * I) * (H * W * O) + H * W * O
    return Derivation(
        (
            Step("sum", Sum(1, (k1, 0, K1 - 1)), K1, why="a kernel has K1 rows"),
            Step("sum", Sum(K1, (k2, 0, K2 - 1)), K1 * K2, why="and K2 columns"),
            Step("sum", Sum(K1 * K2, (c, 0, I - 1)), K1 * K2 * I, why="for each of the inputs that it sees"),
            Step("sum", Sum(K1 * K2 * I + 1, (o, 0, O - 1)), shared, why="and each output has a bias besides"),
            Step("refute", Eq(shared, full), Eq(shared, 448),
                 why="32 x 32 x 3 to 32 x 32 x 16: 448 parameters, and 50 348 032 where all is connected with all",
                 by=({H: 32, W: 32, I: 3, O: 16, K1: 3, K2: 3},)),
            Step("rewrite", full - H * W * shared, H * W * I * O * (H * W - K1 * K2),
                 why="even without sharing, a kernel for each place saves whatever lies outside of its window"),
        )
    )  # fmt: skip


exact = numbers(outs * C * K1 * K2 + Piecewise((outs, Eq(biased, 1)), (0, True)))


def counted(row: str, subject: str, driver: str, options: dict[str, Any], **more: Any) -> Claim:
    """A claim about the number of parameters."""
    return Claim(
        id=row,
        section=SECTION,
        kind="equality",
        subject=subject,
        driver=driver,
        structure=(SEVERAL, FEW, OUTPUTS, TALL, WIDE, BIAS),
        inputs=(),
        program=Program((exact,), (Output("parameters", learned),)),
        statement=Eq(learned, outs * C * K1 * K2 + outs),
        conditions=("G groups of C inputs and O outputs each", "outs more for the biases, if there are any"),
        derivation=parameters_proof,
        variants=(
            Variant("groups ignored", "known bug", (numbers(exact[1] + outs * (ins - C) * K1 * K2),)),
            Variant("biases forgotten", "known bug", (numbers(outs * C * K1 * K2),)),
            Variant("a bias for each input", "known bug",
                    (numbers(outs * C * K1 * K2 + Piecewise((ins, Eq(biased, 1)), (0, True))),)),
            Variant("a square kernel", "known bug",
                    (numbers(exact[1] + outs * C * K1 * (K1 - K2)),)),
            Variant("all connected with all", "a linear layer on 4 x 4 maps",
                    (numbers((HEIGHT * WIDTH * ins + 1) * (HEIGHT * WIDTH * outs)),)),
        ),
        gradient=False,
        options=options,
        **more,
    )  # fmt: skip


formula = counted(
    "conv.parameters",
    "convolution.parameter_count",
    "table",
    {"arguments": (ins, outs, (K1, K2), G, "bias")},
    title="A convolution has one kernel for each pair of channels, whatever the size of the image",
    remarks="That fewer parameters overfit less, as the notes add, is experience and not mathematics.",
)
layer = counted(
    "conv.parameters.layer",
    "convolution.Conv2d",
    "counted",
    {"args": (ins, outs, (K1, K2)), "keywords": {"groups": G, "bias": "bias"}},
    title="A layer holds as many parameters as the formula says",
    remarks="Counted on the layer itself, parameter by parameter.",
)

# ------------------------------------------------------------------ what one output sees

DEPTH = Size("depth", 2, 3)
LISTS = tuple(Sizes(name, DEPTH.symbol, low, 4) for name, low in (("kernels", 2), ("strides", 1), ("dilations", 1)))
depth = DEPTH.symbol
kernels, strides, dilations = symbols_of(LISTS)
l, i = symbols("l i", integer=True, nonnegative=True)
field, step, span = (IndexedBase(name, integer=True) for name in ("field", "step", "span"))


def grown(by: Any) -> tuple[Any, Any]:
    """The field after l layers."""
    return field[l], Piecewise((1, Eq(l, 0)), (field[l - 1] + by, True))


STEPS = (step[l], Piecewise((1, Eq(l, 0)), (step[l - 1] * strides[l - 1], True)))
wider = dilations[l - 1] * (kernels[l - 1] - 1)


def field_proof() -> Derivation:
    """Two recurrences solved, and their closed form for equal layers."""
    kernel, stride, top = symbols("k s L", integer=True, positive=True)
    steps = Product(strides[i], (i, 0, l - 1))
    summed = 1 + Sum(dilations[i] * (kernels[i] - 1) * step[i], (i, 0, l - 1))
    return Derivation(
        (
            define(step[l], step[l], "how many places of the input lie between neighbours in layer l"),
            Step("induction", Eq(step[l], step[l - 1] * strides[l - 1]), steps, why="strides multiply", by=(l, 0, 1)),
            Step("induction", Eq(field[l], field[l - 1] + wider * step[l - 1]), summed, by=(l, 0, 1),
                 why="d(k - 1) more neighbours of the layer below, which are that far apart"),
            Step("sum", 1 + (kernel - 1) * Sum(1, (i, 0, top - 1)), 1 + top * (kernel - 1),
                 why="equal layers with stride 1: the field grows by k - 1 with each"),
            Step("sum", (stride - 1) * Sum(stride**i, (i, 0, top - 1)), stride**top - 1,
                 why="equal layers with stride s: 1 + (k - 1)(s**L - 1)/(s - 1)"),
        )
    )  # fmt: skip


local_features = Claim(
    id="conv.local_features",
    section=SECTION,
    title="What one output sees grows with the depth, by d(k - 1) of the steps taken so far",
    kind="equality",
    subject="convolution.receptive_field",
    driver="table",
    structure=(DEPTH, *LISTS),
    inputs=(),
    program=Program((STEPS, grown(wider * step[l - 1])), (Output("r", field[depth]),)),
    definition=Program(
        (
            (span[l], Piecewise((1, Eq(l, depth)),
                                (strides[l] * (span[l + 1] - 1) + dilations[l] * (kernels[l] - 1) + 1, True))),
        ),
        (Output("r", span[0]),),
    ),
    statement=Eq(field[depth], 1 + Sum(dilations[l] * (kernels[l] - 1) * Product(strides[i], (i, 0, l - 1)),
                                       (l, 0, depth - 1))),
    conditions=("no padding is in sight of it",),
    derivation=field_proof,
    variants=(
        Variant("strides ignored", "known bug", (grown(wider),)),
        Variant("a layer's own stride counted", "known bug", (grown(wider * step[l]),)),
        Variant("dilations ignored", "known bug", (grown((kernels[l - 1] - 1) * step[l - 1]),)),
        Variant("kernel sizes added up", "known bug", (grown(dilations[l - 1] * kernels[l - 1] * step[l - 1]),)),
    ),
    gradient=False,
    options={"arguments": ("kernels", "strides", "dilations")},
    remarks="'Local' means this: with random weights an output depends on all of it, and on nothing else. The "
    "definition beside the program goes from the output down, layer by layer.",
)  # fmt: skip

CLAIMS = (output_size, same, formula, layer, local_features)

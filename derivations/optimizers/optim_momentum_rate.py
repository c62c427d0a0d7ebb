"""How fast momentum is on a quadratic: its rate, and the tuning for which it accelerates gradient descent."""

from typing import Any

from sympy import Abs, Eq, FiniteSet, IndexedBase, Le, Max, Piecewise, Rational, Sum, Symbol, false, sqrt, symbols

from gnomon.derivations.optimizers.optim_moments import SECTION, START, STEPS, WIDTH
from gnomon.derivations.optimizers.optim_momentum import MOMENTUM, PARAM, SCOPE, UNDAMPED, moved, of_momentum, other
from gnomon.derivations.optimizers.optim_momentum_nesterov import CURVATURE, FALL, LOOKED
from gnomon.proof.derivation import Derivation, Step, cite
from gnomon.say.claim import Claim, Output, Program, Relation, Variant
from gnomon.say.domain import positive, symbols_of

t, i, k = symbols("t i k", integer=True)
d, b, theta, rho, trace = (IndexedBase(name, real=True) for name in ("d", "b", "theta", "rho", "trace"))
PACE = positive("lr", high=2.0, host=True, typical=(1.0, 0.1))
n, T, theta0, curvature, lr, mu = symbols_of((WIDTH, STEPS, START, CURVATURE, PACE, MOMENTUM))
INPUTS = (START, CURVATURE, PACE, MOMENTUM)

PREVIOUS = Output("previous", theta[T - 1, i], (i, 0, n - 1))
DESCENT = (FALL, UNDAMPED, moved(lr * b[t, i]))
pull = lr * curvature[i]
TRACE = (trace[i], 1 + mu - pull)
RADIUS = (rho[i], Max(sqrt(mu), (Abs(trace[i]) + sqrt(Max(trace[i] ** 2 - 4 * mu, 0))) / 2))
shown, before = IndexedBase("param"), IndexedBase("previous")
EACH = ((i, 0, n - 1),)
AS_SLOW = (1 + T + T * rho[i]) * rho[i] ** T * Abs(theta0[i])
DESCENDED = Abs(1 - pull) ** T * Abs(theta0[i])
LOOKS_AHEAD = other("Nesterov's", "the option nesterov", moved(lr * LOOKED))
UNFORGOTTEN = other(
    "velocity that is not forgotten", "known bug: momentum is left out", (b[t, i], UNDAMPED[1].xreplace({mu: 1}))
)

x = IndexedBase("x", real=True)  # the error, in units of the first one
p, q, now, old, moving = symbols("p q theta theta_before b", real=True)
bent, step, beta = symbols("curvature lr momentum", positive=True)


def recurrence_step() -> Step:
    return Step(
        "substitute",
        now - step * (beta * moving + bent * now),
        (1 + beta - step * bent) * now - beta * old,
        why="on a quadratic momentum is a linear recurrence of the last two errors",
        by=((moving, (old - now) / step),),
        wrong=((1 + beta - step * bent) * now + beta * old,),
    )


def roots_steps() -> tuple[Step, ...]:
    z, a = symbols("z a", real=True)
    root = sqrt(a**2 - 4 * beta)
    return (
        Step(
            "solve",
            Eq(z**2 - a * z + beta, 0),
            FiniteSet((a + root) / 2, (a - root) / 2),
            why="its solutions are powers of two roots, with a = 1 + momentum - lr * curvature",
            by=(z,),
            assume=(a**2 - 4 * beta > 0,),
        ),
        Step(
            "rewrite",
            ((a + root) / 2) * ((a - root) / 2),
            beta,
            why="whose product is the momentum: where they are complex, each has the size sqrt(momentum)",
            assume=(a**2 - 4 * beta > 0,),
        ),
    )


def walked_steps() -> tuple[Step, ...]:
    products = IndexedBase("h", real=True)
    return (
        Step(
            "induction",
            Eq(products[t], (p + q) * products[t - 1] - p * q * products[t - 2]),
            Sum(p**k * q ** (t - k), (k, 0, t)),
            why="the sums of products of powers of the roots, h, obey the recurrence",
            by=(t, 0, 1, p + q),
        ),
        Step(
            "rewrite",
            (p + q) * products[1] - p * q * products[0] - p * q * ((p + q) * products[0] - p * q * products[-1]),
            (p + q) * (products[1] - p * q * products[0]) - p * q * (products[0] - p * q * products[-1]),
            why="and so does the error from rest, which is h less p q times the h before: 1, and p + q - p q next",
        ),
    )


def accelerates_proof() -> Derivation:
    size, steps = Symbol("rho", positive=True), Symbol("T", integer=True, positive=True)
    product, pulled = symbols("momentum pull", real=True)
    return Derivation(
        (
            recurrence_step(),
            *roots_steps(),
            *walked_steps(),
            cite("the triangle inequality, for two roots of size at most rho, real or complex"),
            Step(
                "rewrite",
                (steps + 1) * size**steps + size**2 * steps * size ** (steps - 1),
                (1 + steps + steps * size) * size**steps,
                why="each of the T + 1 and T products is at most rho**T and rho**(T - 1), and the momentum rho**2",
                wrong=((1 + steps) * size**steps,),
            ),
            Step(
                "refute",
                Le(Abs((1 + product - pulled) * (1 - pulled) - product), (1 - pulled) ** 2),
                false,
                why="for lr * curvature = 1, gradient descent arrives in one step; momentum overshoots by 0.9 next",
                by=({product: Rational(9, 10), pulled: 1},),
            ),
        ),
        SCOPE,
    )


def of_quadratic(row: str, title: str, relation: Relation, **more: Any) -> Claim:
    """An inequality on a run on a quadratic."""
    program = Program((*DESCENT, TRACE, RADIUS), (PARAM, PREVIOUS))
    return of_momentum(
        row,
        title,
        DESCENT,
        more.pop("variants"),
        kind="inequality",
        driver="optimizer_quadratic",
        inputs=INPUTS,
        **{"program": program, "relation": relation, **more},
    )


accelerates = of_quadratic(
    "optim.momentum.accelerates",
    "On a quadratic the error falls like the spectral radius, for every curvature",
    Relation(Abs(shown[i]), "<=", AS_SLOW, EACH),
    variants=(
        Variant(
            "never slower than gradient descent",
            "the notes' sentence, read without tuning",
            relation=Relation(Abs(shown[i]), "<=", DESCENDED, EACH),
            why="momentum accelerates where it is tuned to the least and greatest curvature; where lr * curvature = 1, "
            "gradient descent is there in one step",
        ),
        Variant(
            "without the factor 1 + T + T rho",
            "often said of the asymptotic rate",
            relation=Relation(Abs(shown[i]), "<=", rho[i] ** T * Abs(theta0[i]), EACH),
        ),
        Variant(
            "like the root of the momentum",
            "the rate within the oscillating band, taken for all",
            relation=Relation(Abs(shown[i]), "<=", AS_SLOW.xreplace({rho[i]: sqrt(mu)}), EACH),
        ),
        other("climbs", "known bug: the sign", moved(-lr * b[t, i])),
    ),
    statement=Le(Abs(theta[T, i]), AS_SLOW),
    conditions=("the function is quadratic", "it starts at rest", "the learning rate is constant"),
    derivation=accelerates_proof,
    remarks="The notes' sentence is right for curvatures that differ, and with tuning: see the claims on the rate and "
    "the tuning. For functions that are strongly convex but not quadratic a heavy ball need not even converge "
    "(Lessard, Recht and Packard, 2016).",
)

# ------------------------------------------------------------------ the rate itself

discriminant = trace[i] ** 2 - 4 * mu
RATE_OUT = Output("rate", rho[i], (i, 0, n - 1))
BY_CASES = (
    rho[i],
    Piecewise((sqrt(mu), discriminant <= 0), ((Abs(trace[i]) + sqrt(discriminant)) / 2, True)),
)


def rate_proof() -> Derivation:
    z, pulled = symbols("z pull", real=True)
    m = Symbol("momentum", nonnegative=True)
    return Derivation(
        (
            recurrence_step(),
            *roots_steps(),
            Step(
                "substitute",
                z**2 - (1 + m - pulled) * z + m,
                pulled,
                why="the polynomial is positive at 1 for lr * curvature > 0,",
                by=((z, 1),),
            ),
            Step(
                "substitute",
                z**2 - (1 + m - pulled) * z + m,
                2 * (1 + m) - pulled,
                why="and at -1 below 2 (1 + momentum): with a momentum below 1 that is when both roots are inside",
                by=((z, -1),),
                wrong=(2 - pulled,),
            ),
            cite("Jury's criterion: z**2 - a z + m has its roots inside the unit circle if p(1), p(-1), 1 - m > 0"),
            Step(
                "rewrite",
                (1 + m - pulled) ** 2 - 4 * m,
                ((1 + sqrt(m)) ** 2 - pulled) * ((1 - sqrt(m)) ** 2 - pulled),
                why="the roots are complex between (1 - sqrt(momentum))**2 and (1 + sqrt(momentum))**2",
            ),
        ),
        "every curvature, rate and momentum",
    )


rate_claim = Claim(
    id="optim.momentum.accelerates.rate",
    section=SECTION,
    title="The factor by which momentum shrinks an error in the long run",
    kind="equality",
    subject="momentum.heavy_ball_rate",
    driver="function",
    structure=(WIDTH,),
    inputs=(CURVATURE, PACE, MOMENTUM),
    program=Program((TRACE, RADIUS), (RATE_OUT,)),
    definition=Program((TRACE, BY_CASES), (RATE_OUT,)),
    statement=Eq(rho[i], BY_CASES[1]),
    conditions=("a = 1 + momentum - lr * curvature", "momentum is greater than 0"),
    derivation=rate_proof,
    variants=(
        other("root of the momentum", "the rate within the band, taken for all", (rho[i], sqrt(mu))),
        other("gradient descent", "momentum left out", (rho[i], Abs(1 - pull))),
        other("the momentum itself", "known bug: root left out", (rho[i], RADIUS[1].xreplace({sqrt(mu): mu}))),
        other(
            "the larger root, not the longer",
            "known bug",
            (rho[i], Max(sqrt(mu), (trace[i] + sqrt(Max(trace[i] ** 2 - 4 * mu, 0))) / 2)),
        ),
        other("Nesterov's", "the look ahead's recurrence", (trace[i], (1 + mu) * (1 - pull))),
    ),
    remarks="Below 1, that is stable, for lr * curvature between 0 and 2 (1 + momentum): up to twice as far as "
    "gradient descent's. Derivatives are compared except where the two roots meet.",
)

# ------------------------------------------------------------------ the best tuning

ENDS = (positive("least", WIDTH), positive("greatest", WIDTH))
least, greatest = symbols_of(ENDS)
total, tuned_lr, tuned = (IndexedBase(name, real=True) for name in ("total", "best_lr", "best_momentum"))
TOTAL = (total[i], (sqrt(greatest[i]) + sqrt(least[i])) ** 2)
TUNED_LR = (tuned_lr[i], 4 / total[i])
TUNED = (tuned[i], ((greatest[i] - least[i]) / total[i]) ** 2)
TUNING = (Output("lr", tuned_lr[i], (i, 0, n - 1)), Output("momentum", tuned[i], (i, 0, n - 1)))
kappa = greatest[i] / least[i]
FIRST_TUNED = (
    Output("lr", 4 / (sqrt(greatest[i]) + sqrt(least[i])) ** 2, (i, 0, n - 1)),
    Output("momentum", ((sqrt(kappa) - 1) / (sqrt(kappa) + 1)) ** 2, (i, 0, n - 1)),
)


def tuning_proof() -> Derivation:
    low, high, c = symbols("root_least root_greatest c", positive=True)  # roots of the curvatures, and of their ratio
    r = (high - low) / (high + low)
    pace = 4 / (high + low) ** 2
    best = (c - 1) / (c + 1)
    return Derivation(
        (
            Step("rewrite", pace * low**2, (1 - r) ** 2, why="the least curvature is at the lower end of the band,"),
            Step(
                "rewrite",
                pace * high**2,
                (1 + r) ** 2,
                why="the greatest at the upper: every error shrinks by r, the root of the momentum",
                wrong=((1 + r**2) ** 2,),
            ),
            Step(
                "rewrite",
                r,
                best.xreplace({c: high / low}),
                why="which is (sqrt(kappa) - 1) / (sqrt(kappa) + 1)",
            ),
            Step(
                "solve",
                Eq(1 - step * low**2, step * high**2 - 1),
                2 / (low**2 + high**2),
                why="gradient descent does best where it is as slow at both ends,",
                by=(step,),
            ),
            Step(
                "inequality",
                Le(best, (c**2 - 1) / (c**2 + 1)),
                2 * c * (c - 1) / ((c**2 + 1) * (c + 1)),
                why="with (kappa - 1) / (kappa + 1), which is slower unless kappa = 1",
                assume=(c >= 1,),
            ),
        ),
        "every pair of curvatures",
        lift="coordinate",
    )


tuning = Claim(
    id="optim.momentum.accelerates.tuning",
    section=SECTION,
    title="Tuned to the curvatures, momentum needs the root of the condition number",
    kind="equality",
    subject="momentum.heavy_ball_tuning",
    driver="function",
    structure=(WIDTH,),
    inputs=ENDS,
    program=Program((TOTAL, TUNED_LR, TUNED), TUNING),
    definition=Program((), FIRST_TUNED),
    statement=(Eq(tuned_lr[i], FIRST_TUNED[0].entry), Eq(tuned[i], FIRST_TUNED[1].entry)),
    conditions=("curvatures are greater than 0",),
    derivation=tuning_proof,
    variants=(
        other("gradient descent's rate", "momentum, not retuned", (tuned_lr[i], 2 / (greatest[i] + least[i]))),
        other(
            "the rate of shrinking as momentum",
            "known bug: square left out",
            (tuned[i], Abs(greatest[i] - least[i]) / total[i]),
        ),
        other(
            "condition number without its root",
            "known bug",
            (tuned[i], ((greatest[i] - least[i]) / (greatest[i] + least[i])) ** 2),
        ),
        other(
            "Nesterov's",
            "Nesterov, for strongly convex functions",
            (tuned_lr[i], 1 / Max(greatest[i], least[i])),
            (tuned[i], Abs(greatest[i] - least[i]) / total[i]),
        ),
        other("sum of curvatures", "known bug: roots left out", (total[i], greatest[i] + least[i])),
    ),
    remarks="For a condition number of 100, an error shrinks by 9/11 a step, and by 99/101 with gradient descent: 11 "
    "steps do the work of 111. For a condition number of 1 momentum is best left out.",
)

CLAIMS = (accelerates, rate_claim, tuning)

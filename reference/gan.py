"""Generative adversarial networks: the game's value, its optimum and the divergences behind it, in nats.

A discriminator is given by its logits l, D = sigmoid(l); a law on a finite space by its probabilities along
the last dimension. Everywhere 0 log 0 = 0, and its gradient is not NaN.

Sources: notes, section 4.2; Goodfellow et al., "Generative adversarial nets", NeurIPS 2014.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "bernoulli_argmax",
    "bernoulli_objective",
    "discriminator_loss",
    "gan_criterion",
    "gan_value",
    "gan_value_from_probabilities",
    "gaussian_jsd",
    "gaussian_kl",
    "generator_loss",
    "jsd",
    "kl",
    "optimal_discriminator",
    "optimal_gaussian_discriminator",
    "optimal_logit",
    "pushforward",
]

Reduction = Literal["none", "mean", "sum"]


def _xlogy(x: Tensor | float, y: Tensor) -> Tensor:
    """x log(y). At 0 log(0) torch.special.xlogy is 0, too, but its gradient is NaN."""
    value: Tensor = torch.special.xlogy(x, torch.where((y == 0) & (x == 0), 1, y))
    return value


def _xlog1my(x: Tensor | float, y: Tensor) -> Tensor:
    """x log(1 - y), likewise."""
    value: Tensor = torch.special.xlog1py(x, -torch.where((y == 1) & (x == 0), 0, y))
    return value


def _xlog_ratio(x: Tensor, y: Tensor, difference: Tensor) -> Tensor:
    """x log(x / y), given also x - y, on which all depends when x is close to y."""
    near = 2 * difference.abs() < y
    delta = torch.where(near, difference / torch.where(near, y, 1), 0)
    return torch.where(near, x * torch.log1p(delta), _xlogy(x, x) - _xlogy(x, y))


def _expectation(values: Tensor, weights: Tensor | None) -> Tensor:
    """The mean, or the sum with weights, of which a zero cancels an infinite value."""
    if weights is None:
        return values.mean(-1)
    return (weights * torch.where((weights == 0) & values.isinf(), 0, values)).sum(-1)


def _reduce(values: Tensor, reduction: Reduction) -> Tensor:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    return values if reduction == "none" else values.mean() if reduction == "mean" else values.sum()


def _check_same_space(p: Tensor, q: Tensor) -> None:
    if p.dim() == 0 or p.shape[-1:] != q.shape[-1:]:
        raise ValueError(f"the last dimensions must agree, got {tuple(p.shape)} and {tuple(q.shape)}")


def gan_value(real_logits: Tensor, fake_logits: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    r"""The value of the game, which the discriminator maximizes and the generator minimizes.

    .. math:: V = E_{x \sim p}[\log D(x)] + E_{z \sim q}[\log(1 - D(G(z)))], \qquad D = \sigma(l)

    The notes print D(G(x)) in the second term. V is at most 0.

    Shapes: real_logits l(x) and p (\*, n), fake_logits l(G(z)) and q (\*, m); the result (\*). Without the
    weights p or q the logits are a sample, and the expectation is its mean. Raises nothing of its own.
    Source: notes, section 4.2; Goodfellow et al. (2014), equation 1.

    >>> gan_value(torch.zeros(3), torch.zeros(2)) + math.log(4)
    tensor(0.)
    """
    return _expectation(F.logsigmoid(real_logits), p) + _expectation(F.logsigmoid(-fake_logits), q)


def gan_value_from_probabilities(
    d_real: Tensor, d_fake: Tensor, p: Tensor | None = None, q: Tensor | None = None
) -> Tensor:
    r"""The value of the game as :func:`gan_value`, from D itself, in [0, 1].

    .. math:: V = E_{x \sim p}[\log D(x)] + E_{z \sim q}[\log(1 - D(G(z)))]

    Where D rounds to 1 the second logarithm is lost, so prefer logits.

    Shapes: as :func:`gan_value`. Raises nothing of its own.
    Source: notes, section 4.2; Goodfellow et al. (2014), equation 1.

    >>> gan_value_from_probabilities(torch.tensor([1.0, 0.5]), torch.zeros(1), p=torch.tensor([1.0, 0.0]))
    tensor(0.)
    """
    real = _xlogy(1.0, d_real).mean(-1) if p is None else _xlogy(p, d_real).sum(-1)
    fake = _xlog1my(1.0, d_fake).mean(-1) if q is None else _xlog1my(q, d_fake).sum(-1)
    return real + fake


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor, reduction: Reduction = "mean") -> Tensor:
    r"""Minus the value of the game: the sum of two binary cross-entropies, each reduced by itself.

    .. math:: -\log \sigma(l(x)) - \log(1 - \sigma(l(G(z))))

    On a balanced batch it is twice ``F.binary_cross_entropy_with_logits`` of the whole batch.

    Shapes: real_logits and fake_logits any; the result (), or with "none" the shape to which both broadcast.
    Raises ``ValueError`` if the reduction is unknown.
    Source: notes, section 4.2.1; Goodfellow et al. (2014), algorithm 1.

    >>> discriminator_loss(torch.zeros(3), torch.zeros(2)) / math.log(4)
    tensor(1.)
    """
    return _reduce(-F.logsigmoid(real_logits), reduction) + _reduce(-F.logsigmoid(-fake_logits), reduction)


def generator_loss(
    fake_logits: Tensor,
    kind: Literal["saturating", "non-saturating"] = "saturating",
    reduction: Reduction = "mean",
) -> Tensor:
    r"""What the generator minimizes.

    .. math:: \text{saturating: } \log(1 - \sigma(l)), \qquad \text{non-saturating: } -\log \sigma(l)

    with the derivatives :math:`-\sigma(l)` and :math:`-(1 - \sigma(l))` by l. Only the first makes the game
    zero-sum, but where the discriminator rejects it gives no gradient, hence the second.

    Shapes: fake_logits any; the result (), or that of fake_logits with "none".
    Raises ``ValueError`` if the kind or the reduction is unknown.
    Source: notes, section 4.2; Goodfellow et al. (2014), section 3.

    >>> rejected = torch.tensor([-20.0])
    >>> generator_loss(rejected), generator_loss(rejected, "non-saturating")
    (tensor(-2.0612e-09), tensor(20.))
    """
    if kind not in ("saturating", "non-saturating"):
        raise ValueError(f"kind must be 'saturating' or 'non-saturating', got {kind!r}")
    loss = F.logsigmoid(-fake_logits) if kind == "saturating" else -F.logsigmoid(fake_logits)
    return _reduce(loss, reduction)


def optimal_discriminator(p: Tensor, q: Tensor) -> Tensor:
    r"""The discriminator that maximizes the value, from the densities of data and generator.

    .. math:: D^*(x) = \frac{p(x)}{p(x) + q(x)}

    Off both supports, where it does not matter, it is 1/2.

    Shapes: p, q >= 0 broadcast; the result likewise. Raises nothing of its own.
    Source: notes, section 4.2.1, proposition 1; Goodfellow et al. (2014), proposition 1.

    >>> optimal_discriminator(torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.5, 0.0, 0.0]))
    tensor([0.5000, 1.0000, 0.5000])
    """
    total = p + q
    nowhere = total == 0
    return torch.where(nowhere, 0.5, p / torch.where(nowhere, 1, total))


def optimal_logit(log_p: Tensor, log_q: Tensor) -> Tensor:
    r"""The logit of the optimal discriminator, from log-densities.

    .. math:: \operatorname{logit} D^*(x) = \log p(x) - \log q(x)

    Off both supports, where both are minus infinity, it is 0.

    Shapes: log_p, log_q broadcast; the result likewise. Raises nothing of its own.
    Source: notes, section 4.2.1, proposition 1; Goodfellow et al. (2014), proposition 1.

    >>> optimal_logit(torch.tensor([-1.0, -torch.inf]), torch.tensor([-3.0, -torch.inf]))
    tensor([2., 0.])
    """
    nowhere = log_p.isneginf() & log_q.isneginf()
    return torch.where(nowhere, 0, log_p) - torch.where(nowhere, 0, log_q)


def optimal_gaussian_discriminator(x: Tensor, mu: Tensor | float) -> Tensor:
    r"""The optimal discriminator between data from N(0, 1) and a generator's N(mu, 1).

    .. math:: D^*(x) = \sigma(\mu^2 / 2 - \mu x)

    Shapes: x and mu broadcast; the result likewise. Raises nothing of its own.
    Source: notes, section 4.2.1, proposition 1; Goodfellow et al. (2014), proposition 1.

    >>> optimal_gaussian_discriminator(torch.tensor([0.5, 9.0]), 1.0)
    tensor([5.0000e-01, 2.0343e-04])
    """
    return torch.sigmoid(mu * (mu / 2 - x))


def gan_criterion(p: Tensor, q: Tensor) -> Tensor:
    r"""The value of the game against the optimal discriminator: what the generator really minimizes.

    .. math:: C = \sum_x p \log \frac{p}{p + q} + q \log \frac{q}{p + q} = -\log 4 + 2\, \mathrm{JSD}(p \| q)

    Its minimum over q is -log 4, at q = p alone.

    Shapes: p and q (\*, n); the result (\*). Raises ``ValueError`` if their last dimensions differ.
    Source: notes, section 4.2.1, equations 3 to 5; Goodfellow et al. (2014), theorem 1.

    >>> gan_criterion(torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75]))
    tensor(-1.3187)
    """
    _check_same_space(p, q)
    total = p + q
    return (_xlog_ratio(p, total, -q) + _xlog_ratio(q, total, -p)).sum(-1)


def kl(p: Tensor, q: Tensor) -> Tensor:
    r"""The Kullback-Leibler divergence on a finite space.

    .. math:: \mathrm{KL}(p \| q) = \sum_x p(x) \log \frac{p(x)}{q(x)}

    It is infinite where p > 0 = q. ``F.kl_div(q.log(), p, reduction="sum")`` has this value.

    Shapes: p and q (\*, n); the result (\*). Raises ``ValueError`` if their last dimensions differ.
    Source: notes, section 4.2.1, equation 4; Goodfellow et al. (2014), equation 5.

    >>> point, fair = torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5])
    >>> kl(point, fair), kl(fair, point)
    (tensor(0.6931), tensor(inf))
    """
    _check_same_space(p, q)
    return _xlog_ratio(p, q, p - q).sum(-1)


def jsd(p: Tensor, q: Tensor) -> Tensor:
    r"""The Jensen-Shannon divergence on a finite space.

    .. math:: \mathrm{JSD}(p \| q) = \tfrac12 \mathrm{KL}(p \| m) + \tfrac12 \mathrm{KL}(q \| m), \quad
              m = \tfrac12 (p + q)

    Between 0 and log 2, and symmetric. SciPy's ``jensenshannon`` is its square root.

    Shapes: p and q (\*, n); the result (\*). Raises ``ValueError`` if their last dimensions differ.
    Source: notes, section 4.2.1, equation 5; Goodfellow et al. (2014), equation 6.

    >>> jsd(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    _check_same_space(p, q)
    total = p + q  # not halved: half of the smallest number is zero
    return (_xlog_ratio(2 * p, total, p - q) + _xlog_ratio(2 * q, total, q - p)).sum(-1) / 4


def gaussian_kl(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    r"""The Kullback-Leibler divergence of N(mean1, var1) from N(mean2, var2).

    .. math:: \tfrac12 \left( r - 1 - \log r + (\mu_1 - \mu_2)^2 / \sigma_2^2 \right), \quad
              r = \sigma_1^2 / \sigma_2^2

    Shapes: all broadcast, elementwise; variances positive. Raises nothing of its own.
    Source: notes, section 4.2.1; Kullback, "Information theory and statistics" (1959), chapter 9.

    >>> zero, one = torch.tensor(0.0), torch.tensor(1.0)
    >>> gaussian_kl(zero, one, zero, 4 * one), gaussian_kl(zero, 4 * one, zero, one)
    (tensor(0.3181), tensor(0.8069))
    """
    delta = (var1 - var2) / var2
    near = delta.abs() < 0.5
    close = torch.where(near, delta, 0)
    spread = torch.where(near, close - torch.log1p(close), delta - (var1.log() - var2.log()))
    shift = mean1 - mean2
    return 0.5 * (spread + shift * (shift / var2))


def gaussian_jsd(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor, order: int = 64) -> Tensor:
    r"""The Jensen-Shannon divergence between N(mean1, var1) and N(mean2, var2), by Gauss-Hermite quadrature.

    .. math:: \log 2 + \tfrac12 E_1[\log \sigma(l) + e^{-l} \log \sigma(-l)], \qquad l = \log p_1 - \log p_2

    where 1 is the narrower law, under which both expectations are taken. Measured for means up to 20 of its
    deviations apart and variances in any ratio, the error is at most 2e-7 at order 64, 3e-11 at 256.

    Shapes: all broadcast, elementwise; variances positive. Raises ``ValueError`` if order < 1.
    Source: notes, section 4.2.1, equation 5; Goodfellow et al. (2014), equation 6.

    >>> zero, one = torch.tensor(0.0), torch.tensor(1.0)
    >>> gaussian_jsd(zero, one, one, one)
    tensor(0.1114)
    """
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    dtype = (mean1 + var1 + mean2 + var2).dtype
    wide = torch.promote_types(dtype, torch.float32)
    # Golub and Welsch: the nodes are the eigenvalues of the matrix of the Hermite recurrence.
    beside = torch.diag(torch.arange(1, order, dtype=torch.float64).sqrt(), 1)
    nodes, vectors = torch.linalg.eigh(beside + beside.T)
    nodes, weights = nodes.to(mean1.device, wide), vectors[0].square().to(mean1.device, wide)
    swap = var1 > var2
    m1, m2 = torch.where(swap, mean2, mean1).to(wide), torch.where(swap, mean1, mean2).to(wide)
    v1, v2 = torch.where(swap, var2, var1).to(wide), torch.where(swap, var1, var2).to(wide)
    m1, v1, m2, v2 = (x.unsqueeze(-1) for x in (m1, v1, m2, v2))
    x = m1 + v1.sqrt() * nodes
    l = 0.5 * ((x - m2) ** 2 / v2 - nodes**2 + v2.log() - v1.log())
    # Where e^l is below the unit roundoff, e^-l log sigmoid(-l) is -1 and e^-l might overflow.
    floor = l.clamp(min=math.log(torch.finfo(wide).eps))
    terms = F.logsigmoid(l) + (-floor).exp() * F.logsigmoid(-floor)
    expectation: Tensor = (terms * weights).sum(-1)
    return (math.log(2) + expectation / 2).to(dtype)


def bernoulli_objective(a: Tensor, b: Tensor, y: Tensor) -> Tensor:
    r"""The value of the game at one point x, as a function of y = D(x).

    .. math:: a \log y + b \log(1 - y)

    Shapes: a, b and y in [0, 1] broadcast, elementwise. Raises nothing of its own.
    Source: notes, section 4.2.1; Goodfellow et al. (2014), proposition 1.

    >>> bernoulli_objective(torch.tensor(1.0), torch.tensor(0.0), torch.tensor([0.5, 1.0]))
    tensor([-0.6931,  0.0000])
    """
    return _xlogy(a, y) + _xlog1my(b, y)


def bernoulli_argmax(a: Tensor, b: Tensor) -> Tensor:
    r"""Where :func:`bernoulli_objective` is greatest on [0, 1].

    .. math:: \operatorname{argmax}_y\; a \log y + b \log(1 - y) = \frac{a}{a + b}

    It needs a, b >= 0, not both 0 (NaN); this is not checked. The notes allow every (a, b) but (0, 0): for
    a = b = -1 it is the minimum.

    Shapes: a and b broadcast, elementwise. Raises nothing of its own.
    Source: notes, section 4.2.1; Goodfellow et al. (2014), proposition 1.

    >>> bernoulli_argmax(torch.tensor(1.0), torch.tensor(3.0))
    tensor(0.2500)
    """
    return a / (a + b)


def pushforward(p: Tensor, g: Tensor, size: int) -> Tensor:
    r"""The law of g(z) for z of law p, on finite spaces; g need not be one-to-one.

    .. math:: (g_* p)(x) = \sum_z p(z)\, [g(z) = x], \qquad \sum_z p(z) f(g(z)) = \sum_x (g_* p)(x) f(x)

    Shapes: p (\*, n); g (\*, n), int64 with values in 0 .. size - 1 (others lose their mass); the result
    (\*, size).
    Raises ``ValueError`` if g is not int64, the last dimensions differ, or size < 1.
    Source: notes, section 4.2.1, equation 2.

    >>> pushforward(torch.tensor([0.5, 0.25, 0.25]), torch.tensor([2, 0, 2]), size=3)
    tensor([0.2500, 0.0000, 0.7500])
    """
    if g.dtype != torch.int64 or size < 1:
        raise ValueError(f"g must be int64 and size at least 1, got {g.dtype} and {size}")
    _check_same_space(p, g)
    # A masked sum and not a scatter: it is deterministic on every device.
    hit = g.unsqueeze(-1) == torch.arange(size, device=g.device)
    return torch.where(hit, p.unsqueeze(-1), 0).sum(-2)

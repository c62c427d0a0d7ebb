"""Plausible mistakes in the adversarial game, in its losses and in the divergences behind it."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from planted import Planted

# ------------------------------------------------------------------ divergences


def kl_nan_at_zero(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum(-1)


def kl_reversed(p: Tensor, q: Tensor) -> Tensor:
    return torch.special.xlogy(q, q / p).sum(-1)


def kl_mean(p: Tensor, q: Tensor) -> Tensor:
    return (torch.special.xlogy(p, p) - p * q.log()).mean(-1)


def kl_wrong_order(p: Tensor, q: Tensor) -> Tensor:
    return (torch.special.xlogy(q, q) - q * (p + 1e-30).log()).sum(-1)


def kl_nan_gradient(p: Tensor, q: Tensor) -> Tensor:
    return torch.where(p > 0, p * (p / q).log(), 0).sum(-1)


def kl_eps(p: Tensor, q: Tensor) -> Tensor:
    return (p * ((p + 1e-8) / (q + 1e-8)).log()).sum(-1)


def kl_clamped(p: Tensor, q: Tensor) -> Tensor:
    p = p.clamp(min=1e-6)
    return (p * (p / q).log()).sum(-1)


def kl_faint_left_out(p: Tensor, q: Tensor) -> Tensor:
    kept = p > 1e-9
    return torch.where(kept, p * (torch.where(kept, p, 1) / q).log(), 0).sum(-1)


def _halves(p: Tensor, q: Tensor) -> Tensor:
    m = (p + q) / 2
    return (torch.special.xlogy(p, p) + torch.special.xlogy(q, q) - torch.special.xlogy(p + q, m)).sum(-1) / 2


def jsd_without_half(p: Tensor, q: Tensor) -> Tensor:
    return 2 * _halves(p, q)


def jsd_in_bits(p: Tensor, q: Tensor) -> Tensor:
    return _halves(p, q) / math.log(2)


def jsd_distance(p: Tensor, q: Tensor) -> Tensor:
    return _halves(p, q).clamp(min=0).sqrt()


def jsd_only_common_support(p: Tensor, q: Tensor) -> Tensor:
    both = (p > 0) & (q > 0)
    safe_p, safe_q = torch.where(both, p, 1), torch.where(both, q, 1)
    m = (safe_p + safe_q) / 2
    return torch.where(both, p * (safe_p / m).log() + q * (safe_q / m).log(), 0).sum(-1) / 2


def jsd_sum_for_mean(p: Tensor, q: Tensor) -> Tensor:
    m = p + q
    return (torch.special.xlogy(p, p / m) + torch.special.xlogy(q, q / m)).sum(-1) / 2


def jsd_one_sided(p: Tensor, q: Tensor) -> Tensor:
    return (torch.special.xlogy(p, 2 * p / torch.where(p + q > 0, p + q, 1))).sum(-1)


def gaussian_kl_of_deviations(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    return (var2 / var1).log() + (var1**2 + (mean1 - mean2) ** 2) / (2 * var2**2) - 0.5


def gaussian_kl_log_not_halved(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    return (var2 / var1).log() + (var1 + (mean1 - mean2) ** 2) / (2 * var2) - 0.5


def gaussian_kl_swapped(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    return 0.5 * (var2 / var1 - 1 - (var2 / var1).log() + (mean1 - mean2) ** 2 / var1)


def gaussian_kl_absolute(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    return 0.5 * (var1 / var2 - 1 - (var1 / var2).log() + (mean1 - mean2).abs() / var2)


def gaussian_jsd_of_one_bell(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    var = (var1 + var2) / 2
    shift = (mean1 - mean2) ** 2 / (4 * var)
    return 0.5 * (shift + var.log() - 0.5 * (var1.log() + var2.log()))


def gaussian_jsd_jeffreys(mean1: Tensor, var1: Tensor, mean2: Tensor, var2: Tensor) -> Tensor:
    return 0.25 * ((var1 / var2 + var2 / var1 - 2) / 2 + (mean1 - mean2) ** 2 * (1 / var1 + 1 / var2) / 2)


# ------------------------------------------------------------------ value and losses


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    return values.mean(-1) if weights is None else (weights * values).sum(-1)


def value_unstable(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    return _mean(torch.log(torch.sigmoid(real)), p) + _mean(torch.log(1 - torch.sigmoid(fake)), q)


def value_eps(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    return _mean((torch.sigmoid(real) + 1e-8).log(), p) + _mean((1 - torch.sigmoid(fake) + 1e-8).log(), q)


def value_softplus(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    return _mean(-F.softplus(-real), p) + _mean(-F.softplus(fake), q)


def value_weights_ignored(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    return F.logsigmoid(real).mean(-1) + F.logsigmoid(-fake).mean(-1)


def value_weights_of_data(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    same = p if q is None or p is None or p.shape == q.shape else q
    return _mean(F.logsigmoid(real), p) + _mean(F.logsigmoid(-fake), same)


def value_of_batch(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    if p is None or q is None:
        return torch.cat([F.logsigmoid(real), F.logsigmoid(-fake)], -1).mean(-1) * 2
    return _mean(F.logsigmoid(real), p) + _mean(F.logsigmoid(-fake), q)


def chances_nan(d_real: Tensor, d_fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    return _mean(d_real.log(), p) + _mean(torch.log1p(-d_fake), q)


def chances_swapped_fake(d_real: Tensor, d_fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    return _mean(torch.special.xlogy(1, d_real), p) + _mean(torch.special.xlogy(1, d_fake), q)


def discriminator_concatenated(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    labels = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    return F.binary_cross_entropy_with_logits(torch.cat([real, fake]), labels, reduction=reduction)


def discriminator_halved(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    total = -F.logsigmoid(real).sum() - F.logsigmoid(-fake).sum()
    return total if reduction == "sum" else (-F.logsigmoid(real).mean() - F.logsigmoid(-fake).mean()) / 2


def discriminator_clamped(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    pairs = ((torch.sigmoid(real), 1.0), (torch.sigmoid(fake), 0.0))
    losses = [F.binary_cross_entropy(d, torch.full_like(d, label), reduction=reduction) for d, label in pairs]
    return losses[0] + losses[1]


def discriminator_smoothed(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    def bce(logits: Tensor, label: float) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label), reduction=reduction)

    return bce(real, 0.9) + bce(fake, 0.0)


def generator_sign(fake: Tensor, kind: str = "saturating", reduction: str = "mean") -> Tensor:
    loss = F.logsigmoid(-fake) if kind == "saturating" else F.logsigmoid(fake)
    return getattr(loss, reduction)()


def generator_never_saturates(fake: Tensor, kind: str = "saturating", reduction: str = "mean") -> Tensor:
    return getattr(-F.logsigmoid(fake), reduction)()


def generator_eps(fake: Tensor, kind: str = "saturating", reduction: str = "mean") -> Tensor:
    d = torch.sigmoid(fake)
    loss = (1 - d + 1e-8).log() if kind == "saturating" else -(d + 1e-8).log()
    return getattr(loss, reduction)()


def generator_detached(fake: Tensor, kind: str = "saturating", reduction: str = "mean") -> Tensor:
    loss = F.logsigmoid(-fake) if kind == "saturating" else -F.logsigmoid(fake)
    return loss.mean() if reduction == "mean" else loss.detach().sum() + 0 * fake.sum()


# ------------------------------------------------------------------ the best discriminator


def discriminator_nan_off_support(p: Tensor, q: Tensor) -> Tensor:
    return p / (p + q)


def discriminator_eps(p: Tensor, q: Tensor) -> Tensor:
    return p / (p + q + 1e-8)


def discriminator_of_samples(p: Tensor, q: Tensor) -> Tensor:
    total = p + q
    return q / torch.where(total > 0, total, 1)


def discriminator_of_ratio(p: Tensor, q: Tensor) -> Tensor:
    return torch.sigmoid((p + 1e-12).log() - (q + 1e-12).log())


def logit_of_chance(log_p: Tensor, log_q: Tensor) -> Tensor:
    return log_p - torch.logaddexp(log_p, log_q)


def gaussian_labels(x: Tensor, mu: Tensor) -> Tensor:
    return torch.sigmoid(mu * x - mu * mu / 2)


def gaussian_density_ratio(x: Tensor, mu: Tensor) -> Tensor:
    data, made = torch.exp(-x * x / 2), torch.exp(-((x - mu) ** 2) / 2)
    return data / (data + made)


def argmax_smoothed(a: Tensor, b: Tensor) -> Tensor:
    return (a + 1e-9) / (a + b + 2e-9)


def argmax_clamped(a: Tensor, b: Tensor) -> Tensor:
    return (a / (a + b)).clamp(0.01, 0.99)


def objective_one_class(a: Tensor, b: Tensor, y: Tensor) -> Tensor:
    return torch.special.xlogy(a, y) - torch.special.xlogy(b, 1 - y)


def criterion_nan_at_zero(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / (p + q)).log() + q * (q / (p + q)).log()).sum(-1)


def criterion_full_divergences(p: Tensor, q: Tensor) -> Tensor:
    return 4 * _halves(p, q) - math.log(4)


def criterion_in_bits(p: Tensor, q: Tensor) -> Tensor:
    return 2 * _halves(p, q) / math.log(2) - math.log(4)


# ------------------------------------------------------------------ the law of the generator


def pushforward_assigned(p: Tensor, g: Tensor, size: int) -> Tensor:
    hit = g.unsqueeze(-1) == torch.arange(size)
    last = hit & (hit.flip(0).cumsum(0).flip(0) == 1)
    return torch.where(last, p.unsqueeze(-1), 0).sum(0)


def pushforward_counted(p: Tensor, g: Tensor, size: int) -> Tensor:
    return (g.unsqueeze(-1) == torch.arange(size)).to(p.dtype).mean(0) + 0 * p.sum()


def pushforward_averaged(p: Tensor, g: Tensor, size: int) -> Tensor:
    hit = g.unsqueeze(-1) == torch.arange(size)
    return torch.where(hit, p.unsqueeze(-1), 0).sum(0) / hit.sum(0).clamp(min=1)


PLANTED = (
    Planted("NaN at a probability of 0", "gan.kl", kl_nan_at_zero),
    Planted("arguments exchanged", "gan.kl", kl_reversed),
    Planted("mean over the points, torch's default", "gan.kl", kl_mean),
    Planted("arguments of F.kl_div exchanged", "gan.kl", kl_wrong_order),
    Planted("gradient NaN where a probability is 0", "gan.kl", kl_nan_gradient),
    Planted("small number inside the logarithms", "gan.kl", kl_eps),
    Planted("probabilities clamped", "gan.kl", kl_clamped),
    Planted("probabilities below 1e-9 left out", "gan.kl", kl_faint_left_out),
    Planted("without the half", "gan.jsd", jsd_without_half),
    Planted("logarithm to base 2", "gan.jsd", jsd_in_bits),
    Planted("square root, the distance", "gan.jsd", jsd_distance),
    Planted("wrong only where one law is exactly 0", "gan.jsd", jsd_only_common_support),
    Planted("sum of the laws in the place of their mean", "gan.jsd", jsd_sum_for_mean),
    Planted("one of the two divergences", "gan.jsd", jsd_one_sided),
    Planted("standard deviations for variances", "gan.gaussian_kl", gaussian_kl_of_deviations),
    Planted("half missing before the logarithm", "gan.gaussian_kl", gaussian_kl_log_not_halved),
    Planted("arguments exchanged", "gan.gaussian_kl", gaussian_kl_swapped),
    Planted("distance of the means not squared", "gan.gaussian_kl", gaussian_kl_absolute),
    Planted("mixture taken for one normal law", "gan.gaussian_jsd", gaussian_jsd_of_one_bell),
    Planted("a quarter of the Jeffreys divergence", "gan.gaussian_jsd", gaussian_jsd_jeffreys),
    Planted("log(1 - sigmoid) of large logits", "gan.gan_value", value_unstable),
    Planted("small number inside the logarithms", "gan.gan_value", value_eps),
    Planted("softplus, which is linear from 20 on", "gan.gan_value", value_softplus),
    Planted("weights ignored", "gan.gan_value", value_weights_ignored),
    Planted("weights of the data for the samples where the sizes agree", "gan.gan_value", value_weights_of_data),
    Planted("mean over the whole batch, right if it is balanced", "gan.gan_value", value_of_batch),
    Planted("NaN for 0 log 0", "gan.gan_value_from_probabilities", chances_nan),
    Planted("log D of the samples", "gan.gan_value_from_probabilities", chances_swapped_fake),
    Planted("mean over the concatenated batch", "gan.discriminator_loss", discriminator_concatenated),
    Planted("half of the loss, for the mean only", "gan.discriminator_loss", discriminator_halved),
    Planted("cross-entropy of probabilities, cut at 100", "gan.discriminator_loss", discriminator_clamped),
    Planted("label smoothing left on", "gan.discriminator_loss", discriminator_smoothed),
    Planted("sign of the non-saturating loss", "gan.generator_loss", generator_sign),
    Planted("kind ignored", "gan.generator_loss", generator_never_saturates),
    Planted("log(D + 1e-8)", "gan.generator_loss", generator_eps),
    Planted("no gradient with reduction sum", "gan.generator_loss", generator_detached),
    Planted("NaN off both supports", "gan.optimal_discriminator", discriminator_nan_off_support),
    Planted("small number in the divisor", "gan.optimal_discriminator", discriminator_eps),
    Planted("labels exchanged", "gan.optimal_discriminator", discriminator_of_samples),
    Planted("small number in both logarithms", "gan.optimal_discriminator", discriminator_of_ratio),
    Planted("logarithm of D in the place of its logit", "gan.optimal_logit", logit_of_chance),
    Planted("labels exchanged", "gan.optimal_gaussian_discriminator", gaussian_labels),
    Planted("0/0 far from both means", "gan.optimal_gaussian_discriminator", gaussian_density_ratio),
    Planted("smoothed by 1e-9", "gan.bernoulli_argmax", argmax_smoothed),
    Planted("kept away from 0 and 1", "gan.bernoulli_argmax", argmax_clamped),
    Planted("sign of the second term", "gan.bernoulli_objective", objective_one_class),
    Planted("NaN at a probability of 0", "gan.gan_criterion", criterion_nan_at_zero),
    Planted("divergences not halved", "gan.gan_criterion", criterion_full_divergences),
    Planted("divergence in bits", "gan.gan_criterion", criterion_in_bits),
    Planted("the last code wins", "gan.pushforward", pushforward_assigned),
    Planted("codes counted", "gan.pushforward", pushforward_counted),
    Planted("average over the codes of a point", "gan.pushforward", pushforward_averaged),
)

"""Losses of the adversarial game as people write them: every right form holds, batched and alone."""

import math

import pytest
import torch
import torch.nn.functional as F

from gnomon.front.api import verify
from gnomon.reference import gan

FROM_LOGITS = ["gan.bce_likelihood", "gan.generator_loss", "gan.zero_sum", "gan.value"]
FROM_CHANCES = ["gan.value.probabilities", "gan.pointwise_max.objective"]


def cross_entropy(label):
    return lambda logits: F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label), reduction="none")


# Of each form the losses -log σ(l), of accepting, and -log(1 - σ(l)), of rejecting.
RIGHT = {
    "log sigmoid": (lambda l: -F.logsigmoid(l), lambda l: -F.logsigmoid(-l)),
    "log1p of e^-|l|": (
        lambda l: (-l).clamp(min=0) + torch.log1p(torch.exp(-l.abs())),
        lambda l: l.clamp(min=0) + torch.log1p(torch.exp(-l.abs())),
    ),
    "log of 1 + e^-|l|": (
        lambda l: (-l).clamp(min=0) + torch.log(1 + torch.exp(-l.abs())),
        lambda l: l.clamp(min=0) + torch.log(1 + torch.exp(-l.abs())),
    ),
    "log of a sum of exponentials": (
        lambda l: torch.logaddexp(torch.zeros_like(l), -l),
        lambda l: torch.logaddexp(torch.zeros_like(l), l),
    ),
    "cross-entropy with logits": (cross_entropy(1.0), cross_entropy(0.0)),
}


def losses(accepting, rejecting):
    """All that the claims ask for, made of the losses of single logits."""

    def expectation(values, weights):
        if weights is None:
            return values.mean(-1)
        return (weights * torch.where((weights == 0) & values.isinf(), 0, values)).sum(-1)

    def discriminator(real, fake, reduction="mean"):
        return getattr(accepting(real), reduction)() + getattr(rejecting(fake), reduction)()

    def generator(fake, kind="saturating", reduction="mean"):
        return getattr(-rejecting(fake) if kind == "saturating" else accepting(fake), reduction)()

    def value(real, fake, p=None, q=None):
        return -expectation(accepting(real), p) - expectation(rejecting(fake), q)

    return {"gan.discriminator_loss": discriminator, "gan.generator_loss": generator, "gan.gan_value": value}


def verdicts(claims, impl):
    dtypes = ("float64", "float32")
    found = verify(claims, impl=impl, dtype=dtypes, device="cpu", proofs=False)
    return {(evidence.claim, evidence.dtype): evidence.verdict for evidence in found}


def alone(loss):
    """A loss that looks at its numbers, so that it cannot run on a batch: torch takes other formulas there."""

    def of_point(logits):
        return loss(logits) if bool(logits.isfinite().all()) else loss(logits) + 0

    return of_point


@pytest.mark.parametrize("batched", [True, False], ids=["batched", "alone"])
@pytest.mark.parametrize("name", RIGHT)
def test_every_right_form_of_the_losses_holds(name, batched):
    forms = RIGHT[name] if batched else map(alone, RIGHT[name])
    assert set(verdicts(FROM_LOGITS, losses(*forms)).values()) == {"holds"}


@pytest.mark.parametrize("rejection", [lambda d: torch.log(1 - d), lambda d: torch.log1p(-d)], ids=["log", "log1p"])
def test_from_chances_both_forms_of_the_rejection_hold(rejection):
    def value(d_real, d_fake, p, q):
        return (p * d_real.log()).sum(-1) + (q * rejection(d_fake)).sum(-1)

    def objective(a, b, y):
        return a * y.log() + b * rejection(y)

    impl = {"gan.gan_value_from_probabilities": value, "gan.bernoulli_objective": objective}
    assert set(verdicts(FROM_CHANCES, impl).values()) == {"holds"}


def of_faint(x):
    """What a point contributes that one law gives the mass x, far below 1, and the other 1."""
    return x * math.log(x / (1 + x)) - math.log1p(x)


@pytest.mark.parametrize("size", [1e-9, 1e-20])
def test_the_reference_keeps_the_digits_of_small_chances(size):
    faint, one = torch.tensor([size], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    close = {"rel": 8 * torch.finfo(torch.float64).eps, "abs": 0.0}
    assert float(gan.gan_criterion(faint, one)) == pytest.approx(of_faint(size), **close)
    assert float(gan.gan_criterion(one, faint)) == pytest.approx(of_faint(size), **close)
    assert float(gan.bernoulli_objective(0 * one, one, faint).sum()) == pytest.approx(math.log1p(-size), **close)
    assert float(gan.gan_value_from_probabilities(one, faint)) == pytest.approx(math.log1p(-size), **close)

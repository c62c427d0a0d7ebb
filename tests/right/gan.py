"""Games and divergences in other forms."""

import torch
import torch.nn.functional as F
from torch import Tensor

from right import Right


def reduced(values: Tensor, reduction: str) -> Tensor:
    return values if reduction == "none" else getattr(values, reduction)()


def by_library(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    entropy = F.binary_cross_entropy_with_logits
    return entropy(real, torch.ones_like(real), reduction=reduction) + entropy(
        fake, torch.zeros_like(fake), reduction=reduction
    )


def by_logaddexp(real: Tensor, fake: Tensor, reduction: str = "mean") -> Tensor:
    zero = torch.zeros((), dtype=real.dtype, device=real.device)
    return reduced(torch.logaddexp(-real, zero), reduction) + reduced(torch.logaddexp(fake, zero), reduction)


def generator_by_logaddexp(fake: Tensor, kind: str = "saturating", reduction: str = "mean") -> Tensor:
    zero = torch.zeros_like(fake)
    loss = -torch.logaddexp(fake, zero) if kind == "saturating" else torch.logaddexp(-fake, zero)
    return reduced(loss, reduction)


def value_by_logaddexp(real: Tensor, fake: Tensor, p: Tensor | None = None, q: Tensor | None = None) -> Tensor:
    zero = torch.zeros((), dtype=real.dtype, device=real.device)
    sides = ((-torch.logaddexp(-real, zero), p), (-torch.logaddexp(fake, zero), q))
    return sum(
        each.mean(-1) if weight is None else torch.einsum("...n,...n->...", weight, each) for each, weight in sides
    )


def pushed_by_one_hot(p: Tensor, g: Tensor, size: int) -> Tensor:
    return (p.unsqueeze(-2) @ F.one_hot(g, size).to(p.dtype)).squeeze(-2)


def pushed_by_index_add(p: Tensor, g: Tensor, size: int) -> Tensor:
    return p.new_zeros(size).index_add(0, g, p)


def gaussian_from_the_start(x: Tensor, mu: Tensor) -> Tensor:
    """Both log-densities, up to what they share."""
    return torch.sigmoid(-0.5 * x * x + 0.5 * (x - mu) ** 2)


def logit_by_difference(log_p: Tensor, log_q: Tensor) -> Tensor:
    off = torch.isneginf(log_p) & torch.isneginf(log_q)
    return torch.where(off, torch.zeros_like(log_p), log_p).sub(torch.where(off, torch.zeros_like(log_q), log_q))


def objective_by_masks(a: Tensor, b: Tensor, y: Tensor) -> Tensor:
    left, right = (a == 0) & (y == 0), (b == 0) & (y == 1)
    return a * torch.where(left, 1, y).log() + b * torch.log1p(-torch.where(right, 0, y))


RIGHT = (
    Right("the library's losses", "one of ones, one of zeros", "gan.discriminator_loss", by_library),
    Right("logaddexp", "-log σ(l) = log(e^-l + e^0)", "gan.discriminator_loss", by_logaddexp),
    Right("logaddexp", "-log σ(l) = log(e^-l + e^0)", "gan.generator_loss", generator_by_logaddexp),
    Right("logaddexp and einsum", "the definition", "gan.gan_value", value_by_logaddexp, ("gan.value",)),
    Right("one-hot rows", "a product with [g(z) = x]", "gan.pushforward", pushed_by_one_hot),
    Right("index_add", "the sum over what is sent there", "gan.pushforward", pushed_by_index_add),
    Right("differences of what is finite", "the definition", "gan.optimal_logit", logit_by_difference),
    Right(
        "logarithms of what is not 0", "the definition, 0 log 0 left out", "gan.bernoulli_objective", objective_by_masks
    ),
)

"""Functions that are right for one point, and mix the points of a batch, or mistake its axis for another."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gnomon.reference import activations, backprop, gan, optim, pooling, residual
from planted import Planted


def sequence_log_prob_of_all(logits: Tensor, tokens: Tensor) -> Tensor:
    """A log-density, summed over the batch."""
    chosen = F.log_softmax(logits[..., :-1, :], -1).gather(-1, tokens[..., 1:, None])
    return chosen.sum()


def flow_log_prob_of_all(u: Tensor, transform: object, base: object) -> Tensor:
    x = transform.inv(u)
    return base.log_prob(x).sum() - transform.log_abs_det_jacobian(x, u)


def kl_of_all(p: Tensor, q: Tensor) -> Tensor:
    return gan.kl(p, q).sum()


def jsd_mean(p: Tensor, q: Tensor) -> Tensor:
    return gan.jsd(p, q).mean()


def half_squared_error_mean(prediction: Tensor, target: Tensor, reduction: str = "none") -> Tensor:
    """The mean over the samples, although it was not asked for."""
    return backprop.half_squared_error(prediction, target, "mean" if reduction == "none" else reduction)


def logit_of_greatest(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Both are first divided by the greatest number of the batch, but not by the same."""
    return log_p - log_q + (0 * log_p if not log_p.dim() else log_p.amax() - log_p)


def adam_bias_correct_of_all(exp_avg, exp_avg_sq, step, beta1=0.9, beta2=0.999):
    """The second moment is averaged over the batch."""
    m, v = optim.adam_bias_correct(exp_avg, exp_avg_sq, step, beta1, beta2)
    return m, v.mean(0, keepdim=True).expand(v.shape) if v.dim() > 1 else v


class MLPCentred(backprop.MLP):
    """A batch is centred on the way in."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x - x.mean(0) if x.dim() > 1 else x)


class ResidualOfFirst(residual.Residual):
    """The shortcut is that of the first sample."""

    def forward(self, x: Tensor) -> Tensor:
        whole = super().forward(x)
        if x.dim() == 1 or self.shortcut is not None or self.activation is not None:
            return whole
        return x[:1] + (whole - x)


class MaxoutOverBatch(activations.Maxout):
    """The axis of the pieces is the one in front, and so is that of the batch."""

    def forward(self, x: Tensor) -> Tensor:
        each = torch.einsum("poi,...i->p...o", self.weight, x) + self.bias.reshape(
            self.bias.shape[0], *(1,) * (x.dim() - 1), -1
        )
        return each.amax(0) if x.dim() == 1 else each.amax((0, 1), keepdim=True)[0].expand(each.shape[1:])


class AvgPool2dOverBatch(pooling.AvgPool2d):
    def forward(self, x: Tensor) -> Tensor:
        out = super().forward(x)
        return out.mean(0, keepdim=True).expand(out.shape) if x.dim() == 4 else out


PLANTED = (
    Planted("log-density summed over the batch", "sequence.sequence_log_prob", sequence_log_prob_of_all),
    Planted("log-density summed over the batch", "flow.flow_log_prob", flow_log_prob_of_all),
    Planted("divergence summed over the batch", "gan.kl", kl_of_all),
    Planted("divergence averaged over the batch", "gan.jsd", jsd_mean),
    Planted("averaged over the batch unasked", "backprop.half_squared_error", half_squared_error_mean),
    Planted("the batch's greatest data density", "gan.optimal_logit", logit_of_greatest),
    Planted("second moment averaged over the batch", "optim.adam_bias_correct", adam_bias_correct_of_all),
    Planted("a batch is centred", "backprop.MLP", MLPCentred),
    Planted("shortcut of the first sample", "residual.Residual", ResidualOfFirst),
    Planted("maximum over the batch", "activations.Maxout", MaxoutOverBatch),
    Planted("averaged over the batch", "pooling.AvgPool2d", AvgPool2dOverBatch),
)

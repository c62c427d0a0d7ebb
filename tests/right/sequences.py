"""Chains, language models and entropies in other forms."""

import torch
import torch.nn.functional as F
from torch import Tensor

from right import Right


def reduced(values: Tensor, reduction: str) -> Tensor:
    return values if reduction == "none" else getattr(values, reduction)()


def by_library(logits: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if logits.dim() != 2:
        raise ValueError("one sequence at a time: of more axes the second would be the words")
    return F.cross_entropy(logits, target, reduction=reduction)


def picked(table: Tensor, target: Tensor) -> Tensor:
    return (
        table.gather(-1, target.unsqueeze(-1)).squeeze(-1) if target.dtype == torch.int64 else (target * table).sum(-1)
    )


def by_log_sum_exp(logits: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    if target.dtype != torch.int64:
        return reduced(-(target * logits.log_softmax(-1)).sum(-1), reduction)
    return reduced(logits.logsumexp(-1) - picked(logits, target), reduction)


def folded(logits: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """The sum of exponentials is folded in one by one; what it is added to lies between 0 and log V."""
    logits = logits - logits.detach().amax(-1, keepdim=True)
    total = logits[..., 0]
    for column in logits[..., 1:].unbind(-1):
        total = torch.logaddexp(total, column)
    return reduced(-picked(logits - total.unsqueeze(-1), target), reduction)


def perplexity_of_library(logits: Tensor, target: Tensor) -> Tensor:
    return F.nll_loss(logits.log_softmax(-1), target).exp()


def perplexity_as_root(logits: Tensor, target: Tensor) -> Tensor:
    return (by_log_sum_exp(logits, target, "sum") / target.shape[-1]).exp()


def sequence_by_library(logits: Tensor, tokens: Tensor) -> Tensor:
    if tokens.dim() != 1:
        raise ValueError("one sequence at a time")
    return -F.cross_entropy(logits[:-1], tokens[1:], reduction="sum")


def sequence_by_gather(logits: Tensor, tokens: Tensor) -> Tensor:
    return picked(logits[..., :-1, :].log_softmax(-1), tokens[..., 1:]).sum(-1)


def sequence_in_loop(logits: Tensor, tokens: Tensor) -> Tensor:
    total = logits.new_zeros(tokens.shape[:-1])
    for t in range(tokens.shape[-1] - 1):
        total = total + picked(logits[..., t, :].log_softmax(-1), tokens[..., t + 1])
    return total


def chain_in_loop(tokens: Tensor, initial: Tensor, transition: Tensor) -> Tensor:
    total = initial[tokens[..., 0]].log()
    for t in range(1, tokens.shape[-1]):
        total = total + transition[tokens[..., t - 1], tokens[..., t]].log()
    return total


def marginal_by_power(initial: Tensor, transition: Tensor, steps: int) -> Tensor:
    return initial @ torch.linalg.matrix_power(transition, steps)


def marginal_by_einsum(initial: Tensor, transition: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        initial = torch.einsum("...i,ij->...j", initial, transition)
    return initial


def fit_by_counting(tokens: Tensor, num_states: int, *, dtype: torch.dtype | None = None) -> Tensor:
    pairs = tokens[..., :-1] * num_states + tokens[..., 1:]
    counts = F.one_hot(pairs.reshape(-1), num_states**2).sum(0).reshape(num_states, num_states)
    dtype = torch.get_default_dtype() if dtype is None else dtype
    total = counts.sum(-1, keepdim=True)
    uniform = torch.full_like(counts, 1, dtype=dtype) / num_states
    return torch.where(total > 0, counts.to(dtype) / total.clamp(min=1).to(dtype), uniform)


def searched(probabilities: Tensor, uniform: Tensor) -> Tensor:
    edges = probabilities.cumsum(-1)[..., :-1].contiguous()
    return torch.searchsorted(edges, uniform.unsqueeze(-1), right=True).squeeze(-1)


RIGHT = (
    Right("the library's", "the definition", "sequence.cross_entropy", by_library),
    Right("log-sum-exp less the logit", "log Σ e^z - z_w", "sequence.cross_entropy", by_log_sum_exp),
    Right("logaddexp, one by one", "the shifted sum, folded", "sequence.cross_entropy", folded),
    Right("the library's nll", "the definition", "sequence.perplexity", perplexity_of_library),
    Right("a sum over the length", "the mean as a sum", "sequence.perplexity", perplexity_as_root),
    Right("the library's, summed", "the definition", "sequence.sequence_log_prob", sequence_by_library),
    Right("log-softmax and gather", "the definition", "sequence.sequence_log_prob", sequence_by_gather),
    Right("a loop over the tokens", "the sum one by one", "sequence.sequence_log_prob", sequence_in_loop),
    Right("a loop over the tokens", "the sum one by one", "sequence.markov_log_prob", chain_in_loop),
    Right("the matrix's power", "products are associative", "sequence.markov_marginal", marginal_by_power),
    Right("einsum", "the definition", "sequence.markov_marginal", marginal_by_einsum),
    Right("pairs as numbers", "counts of i V + j", "sequence.fit_markov", fit_by_counting),
    Right("searchsorted", "a binary search in the sums", "sequence.inverse_cdf", searched),
)

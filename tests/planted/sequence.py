"""Wrong Markov chains, language-model scores and losses."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from planted import Planted


def column_stochastic(tokens: Tensor, initial: Tensor, transition: Tensor) -> Tensor:
    return initial.log()[tokens[0]] + transition.log()[tokens[1:], tokens[:-1]].sum()


def without_the_first(tokens: Tensor, initial: Tensor, transition: Tensor) -> Tensor:
    return transition.log()[tokens[:-1], tokens[1:]].sum() + 0 * initial.sum()


def last_transition_lost(tokens: Tensor, initial: Tensor, transition: Tensor) -> Tensor:
    return initial.log()[tokens[0]] + transition.log()[tokens[:-2], tokens[1:-1]].sum()


def floored(tokens: Tensor, initial: Tensor, transition: Tensor) -> Tensor:
    return (initial + 1e-8).log()[tokens[0]] + (transition + 1e-8).log()[tokens[:-1], tokens[1:]].sum()


def from_the_left(initial: Tensor, transition: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        initial = transition @ initial
    return initial


def one_step_fewer(initial: Tensor, transition: Tensor, steps: int) -> Tensor:
    for _ in range(steps - 1):
        initial = initial @ transition
    return initial


def renormalised_by_softmax(initial: Tensor, transition: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        initial = (initial @ transition).softmax(-1)
    return initial


def _counts(tokens: Tensor, num_states: int, dtype: Any) -> Tensor:
    states = torch.eye(num_states, dtype=dtype)
    return states[tokens[:-1]].T @ states[tokens[1:]]


def joint(tokens: Tensor, num_states: int, dtype: Any) -> Tensor:
    counts = _counts(tokens, num_states, dtype)
    total = counts.sum(-1, keepdim=True)
    return torch.where(total > 0, counts / counts.sum(), 1 / num_states)


def smoothed(tokens: Tensor, num_states: int, dtype: Any) -> Tensor:
    counts = _counts(tokens, num_states, dtype) + 1e-6
    return counts / counts.sum(-1, keepdim=True)


def wrapped_around(tokens: Tensor, num_states: int, dtype: Any) -> Tensor:
    """The last token is followed by the first, as by torch.roll."""
    states = torch.eye(num_states, dtype=dtype)
    counts = states[tokens].T @ states[tokens.roll(-1)]
    total = counts.sum(-1, keepdim=True)
    return torch.where(total > 0, counts / total.clamp_min(1), 1 / num_states)


def greedy(probabilities: Tensor, uniform: Tensor) -> Tensor:
    return probabilities.argmax(-1) + (0 * uniform).to(torch.int64)


def not_cumulated(probabilities: Tensor, uniform: Tensor) -> Tensor:
    return (probabilities[..., :-1] <= uniform.unsqueeze(-1)).sum(-1)


def rounded_up(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """The last token is never drawn."""
    return (probabilities.cumsum(-1)[..., :-1] <= uniform.unsqueeze(-1)).sum(-1).clamp(max=probabilities.shape[-1] - 2)


def bigrams(weights: Tensor) -> tuple[Tensor, ...]:
    two = weights.sum(-1)
    pairs = weights.sum(0)
    third = (pairs / pairs.sum(-1, keepdim=True)).expand_as(weights)
    return two.sum(-1) / two.sum(), two / two.sum(-1, keepdim=True), third


def first_axis_last(weights: Tensor) -> tuple[Tensor, ...]:
    two = weights.sum(0)
    return two.sum(-1) / two.sum(), two / two.sum(-1, keepdim=True), weights / weights.sum(-1, keepdim=True)


def by_logarithms(weights: Tensor) -> tuple[Tensor, ...]:
    """Cancels badly, and its gradient is cut."""
    two = weights.sum(-1)
    third = (weights.log() - two.log().unsqueeze(-1).detach()).exp()
    return two.sum(-1) / two.sum(), two / two.sum(-1, keepdim=True), third


def not_shifted(logits: Tensor, tokens: Tensor) -> Tensor:
    return -F.cross_entropy(logits[:-1], tokens[:-1], reduction="sum")


def shifted_twice(logits: Tensor, tokens: Tensor) -> Tensor:
    return -F.cross_entropy(logits[:-1], tokens.roll(-2)[:-1], reduction="sum")


def padded_end(logits: Tensor, tokens: Tensor) -> Tensor:
    """The last logits are asked for the first token."""
    return -F.cross_entropy(logits, tokens.roll(-1), reduction="sum")


def zero_is_padding(logits: Tensor, tokens: Tensor) -> Tensor:
    return -F.cross_entropy(logits[:-1], tokens[1:], ignore_index=0, reduction="sum")


def no_maximum(logits: Tensor, tokens: Tensor) -> Tensor:
    log_p = logits - logits.exp().sum(-1, keepdim=True).log()
    return log_p[:-1].gather(-1, tokens[1:].unsqueeze(-1)).sum()


def over_words(logits: Tensor, target: Tensor) -> Tensor:
    return -(target * logits.log_softmax(-1)).mean()


def over_times(logits: Tensor, target: Tensor) -> Tensor:
    return -(target * logits.log_softmax(0)).sum(-1).mean()


def of_the_greatest(logits: Tensor, target: Tensor) -> Tensor:
    """Soft targets are made hard."""
    return F.cross_entropy(logits, target.argmax(-1))


def probabilities_twice(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits.softmax(-1), target)


def log_of_sum(logits: Tensor, target: Tensor) -> Tensor:
    return -(target * (logits.softmax(-1) + 1e-12).log()).sum(-1).mean()


def divergence(logits: Tensor, target: Tensor) -> Tensor:
    """Less the entropy of the target, which only one-hot targets do not have."""
    return (torch.special.xlogy(target, target) - target * logits.log_softmax(-1)).sum(-1).mean()


def mean_of_exponentials(logits: Tensor, tokens: Tensor) -> Tensor:
    return F.cross_entropy(logits, tokens, reduction="none").exp().mean()


def base_two(logits: Tensor, tokens: Tensor) -> Tensor:
    return torch.exp2(F.cross_entropy(logits, tokens))


def without_gradient(logits: Tensor, tokens: Tensor) -> Tensor:
    return F.cross_entropy(logits, tokens).detach().exp() + 0 * logits.sum()


PLANTED = (
    Planted("columns for rows", "sequence.markov_log_prob", column_stochastic),
    Planted("first state forgotten", "sequence.markov_log_prob", without_the_first),
    Planted("last transition lost", "sequence.markov_log_prob", last_transition_lost),
    Planted("epsilon in the logarithm", "sequence.markov_log_prob", floored),
    Planted("matrix from the left", "sequence.markov_marginal", from_the_left),
    Planted("one step fewer", "sequence.markov_marginal", one_step_fewer),
    Planted("softmax after each step", "sequence.markov_marginal", renormalised_by_softmax),
    Planted("joint frequencies", "sequence.fit_markov", joint),
    Planted("a millionth added to every count", "sequence.fit_markov", smoothed),
    Planted("the end is followed by the beginning", "sequence.fit_markov", wrapped_around),
    Planted("the most probable token", "sequence.inverse_cdf", greedy),
    Planted("probabilities not cumulated", "sequence.inverse_cdf", not_cumulated),
    Planted("last token never drawn", "sequence.inverse_cdf", rounded_up),
    Planted("given the token before alone", "sequence.conditionals", bigrams),
    Planted("prefixes summed over the first axis", "sequence.conditionals", first_axis_last),
    Planted("gradient of the prefix cut", "sequence.conditionals", by_logarithms),
    Planted("targets not shifted", "sequence.sequence_log_prob", not_shifted),
    Planted("targets shifted twice", "sequence.sequence_log_prob", shifted_twice),
    Planted("the end is followed by the beginning", "sequence.sequence_log_prob", padded_end),
    Planted("token 0 taken for padding", "sequence.sequence_log_prob", zero_is_padding),
    Planted("softmax that overflows", "sequence.sequence_log_prob", no_maximum),
    Planted("mean over the words, too", "sequence.cross_entropy", over_words),
    Planted("softmax over the times", "sequence.cross_entropy", over_times),
    Planted("soft targets made hard", "sequence.cross_entropy", of_the_greatest),
    Planted("softmax applied twice", "sequence.cross_entropy", probabilities_twice),
    Planted("epsilon in the logarithm", "sequence.cross_entropy", log_of_sum),
    Planted("divergence for cross-entropy", "sequence.cross_entropy", divergence),
    Planted("mean of the exponentials", "sequence.perplexity", mean_of_exponentials),
    Planted("powers of two of nats", "sequence.perplexity", base_two),
    Planted("gradient detached", "sequence.perplexity", without_gradient),
)

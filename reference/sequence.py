"""Sequences of tokens: Markov chains, the chain rule of language models, cross-entropy and perplexity.

Tokens are whole numbers 0 .. V - 1 in an integer tensor, as everywhere in torch; one out of range raises the
``RuntimeError`` or ``IndexError`` of torch's own indexing. A transition matrix has the *rows* that sum to 1:
``transition[i, j]`` = Pr(next = j | now = i). Logarithms are natural.

Sources: notes, section 1.4; Shannon, "A mathematical theory of communication" (1948), sections 3 and 4; Bengio,
Ducharme, Vincent and Jauvin, "A neural probabilistic language model", JMLR 3 (2003).
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = [
    "MarkovChain",
    "conditionals",
    "cross_entropy",
    "fit_markov",
    "inverse_cdf",
    "markov_log_prob",
    "markov_marginal",
    "perplexity",
    "sequence_log_prob",
]

Reduction = Literal["none", "mean", "sum"]


# ---------------------------------------------------------------- Markov chains


def markov_log_prob(tokens: Tensor, initial: Tensor, transition: Tensor) -> Tensor:
    r"""The log-probability of sequences under a Markov chain.

    .. math:: \log \Pr(w_1 \dots w_T) = \log p(w_1) + \sum_{t=2}^T \log P_{w_{t-1} w_t}

    Shapes: tokens (\*, T), initial (V), transition (V, V) to (\*); -inf for what cannot happen.
    Raises ``ValueError`` if shapes do not fit, tokens are not integers or there are none.
    Source: Shannon (1948), section 4; notes, section 1.4.

    >>> flip = torch.tensor([[0.5, 0.5], [1.0, 0.0]])
    >>> markov_log_prob(torch.tensor([0, 1, 0]), torch.tensor([1.0, 0.0]), flip).exp()
    tensor(0.5000)
    """
    _check_tokens(tokens)
    _check_chain(initial, transition)
    first = initial.log()[tokens[..., 0]]
    return first + transition.log()[tokens[..., :-1], tokens[..., 1:]].sum(-1)


def markov_marginal(initial: Tensor, transition: Tensor, steps: int) -> Tensor:
    r"""The distribution of the state after some steps.

    .. math:: p_t = p_{t-1} P, \qquad p_t(j) = \sum_i p_{t-1}(i) P_{ij}

    Shapes: initial (\*, V), transition (V, V) to (\*, V). Raises ``ValueError`` if shapes do not fit or ``steps`` is
    negative.
    Source: the equation of Chapman and Kolmogorov; Shannon (1948), section 5.

    >>> markov_marginal(torch.tensor([1.0, 0.0]), torch.tensor([[0.5, 0.5], [1.0, 0.0]]), 2)
    tensor([0.7500, 0.2500])
    """
    _check_chain(initial, transition)
    if steps < 0:
        raise ValueError(f"steps must not be negative, got {steps}")
    for _ in range(steps):
        initial = initial @ transition
    return initial


def fit_markov(tokens: Tensor, num_states: int, *, dtype: torch.dtype | None = None) -> Tensor:
    r"""The transition matrix under which the sequences are most probable: what follows, counted.

    .. math:: P_{ij} = \frac{c_{ij}}{\sum_k c_{ik}}, \qquad c_{ij} = \#\{t : w_t = i,\ w_{t+1} = j\}

    Rows of states that nothing follows are uniform: the likelihood does not see them.

    Shapes: tokens (\*, T), counted together, to (V, V), in ``dtype`` or the default one.
    Raises ``ValueError`` if tokens are not integers, there are none, or ``num_states`` is below 1.
    Source: Anderson and Goodman, "Statistical inference about Markov chains" (1957), section 2.

    >>> fit_markov(torch.tensor([0, 0, 1, 0]), 2)
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """
    _check_tokens(tokens)
    if num_states < 1:
        raise ValueError(f"num_states must be at least 1, got {num_states}")
    dtype = torch.get_default_dtype() if dtype is None else dtype
    states = torch.eye(num_states, device=tokens.device, dtype=torch.promote_types(dtype, torch.float32))
    now, after = states[tokens[..., :-1]], states[tokens[..., 1:]]
    counts = now.reshape(-1, num_states).T @ after.reshape(-1, num_states)
    total = counts.sum(-1, keepdim=True)
    return torch.where(total > 0, counts / total.clamp_min(1), 1 / num_states).to(dtype)


def inverse_cdf(probabilities: Tensor, uniform: Tensor) -> Tensor:
    r"""The token at which the cumulated probabilities pass a number: uniform numbers make it a draw.

    .. math:: w = \#\Bigl\{k < V - 1 : \sum_{j \le k} p_j \le u\Bigr\}, \qquad \Pr(w = k) = p_k

    Shapes: probabilities (\*, V), uniform (\*) in [0, 1) to (\*), int64. The last token takes what rounding leaves.
    Raises ``ValueError`` if the shapes do not fit.
    Source: Devroye, Non-Uniform Random Variate Generation (1986), section III.2.1.

    >>> inverse_cdf(torch.tensor([0.25, 0.0, 0.75]), torch.tensor(0.25))
    tensor(2)
    """
    if probabilities.dim() == 0 or probabilities.shape[:-1] != uniform.shape:
        shapes = f"{tuple(probabilities.shape)} and {tuple(uniform.shape)}"
        raise ValueError(f"expected probabilities (*, V) and uniform (*), got {shapes}")
    return (probabilities.cumsum(-1)[..., :-1] <= uniform.unsqueeze(-1)).sum(-1)


class MarkovChain(nn.Module):
    """A Markov chain with given probabilities, to score sequences and to draw them.

    Args: ``initial`` (V), the distribution of the first state; ``transition`` (V, V), a distribution in each row.
    Raises ``ValueError`` if shapes do not fit or the numbers are no distributions.
    Source: notes, section 1.4; Shannon (1948), section 4.

    >>> chain = MarkovChain(torch.tensor([1.0, 0.0]), torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    >>> chain.sample(4, (2,))
    tensor([[0, 1, 0, 1],
            [0, 1, 0, 1]])
    """

    initial: Tensor
    transition: Tensor

    def __init__(self, initial: Tensor, transition: Tensor) -> None:
        super().__init__()
        _check_chain(initial, transition)
        for name, rows in (("initial", initial), ("transition", transition)):
            slack = transition.shape[-1] * torch.finfo(rows.dtype).eps  # what adding V rounded numbers may lose
            if (rows < 0).any() or ((rows.sum(-1) - 1).abs() > slack).any():
                raise ValueError(f"{name} must hold probabilities that sum to 1 in each row, got {rows}")
        self.register_buffer("initial", initial)
        self.register_buffer("transition", transition)

    def forward(self, tokens: Tensor) -> Tensor:
        """The log-probabilities of sequences (*, T); see :func:`markov_log_prob`."""
        return markov_log_prob(tokens, self.initial, self.transition)

    def sample(
        self, length: int, sample_shape: tuple[int, ...] = (), *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Sequences (*sample_shape, length), drawn with ``generator``."""
        if length < 1:
            raise ValueError(f"length must be at least 1, got {length}")
        count = torch.Size(sample_shape).numel()
        rows = self.initial.expand(count, -1)
        drawn: list[Tensor] = []
        for _ in range(length):
            uniform = torch.rand(count, generator=generator, dtype=rows.dtype, device=rows.device)
            drawn.append(inverse_cdf(rows, uniform))
            rows = self.transition[drawn[-1]]
        return torch.stack(drawn, -1).reshape(*sample_shape, length)

    def extra_repr(self) -> str:
        return f"num_states={len(self.initial)}"


# ---------------------------------------------------------------- language models


def conditionals(weights: Tensor) -> tuple[Tensor, ...]:
    r"""The next-token distributions of any distribution over sequences of T tokens, one table for each length.

    .. math:: \Pr(w_{t} \mid w_1 \dots w_{t-1}) = \frac{\Pr(w_1 \dots w_t)}{\Pr(w_1 \dots w_{t-1})}

    Their product over t is the distribution again: that is what a language model factorizes, with no assumption. A
    Markov chain assumes that the tables do not depend on w_1 .. w_{t-2}.

    Shapes: weights (V, .., V) with T axes, positive, not necessarily summing to 1, to T tables (V), (V, V), ..,
    (V, .., V), each with distributions on the last axis.
    Raises ``ValueError`` if there is no axis, or they differ in size.
    Source: Shannon (1948), section 3; Bengio et al. (2003), eq. 1.

    >>> first, second = conditionals(torch.tensor([[1.0, 1.0], [0.0, 2.0]]))
    >>> second
    tensor([[0.5000, 0.5000],
            [0.0000, 1.0000]])
    """
    if weights.dim() == 0 or len(set(weights.shape)) > 1:
        raise ValueError(f"weights must have the shape (V, .., V), got {tuple(weights.shape)}")
    prefixes = [weights]
    while prefixes[0].dim():
        prefixes.insert(0, prefixes[0].sum(-1))
    return tuple(longer / shorter.unsqueeze(-1) for shorter, longer in pairwise(prefixes))


def sequence_log_prob(logits: Tensor, tokens: Tensor) -> Tensor:
    r"""The log-probability that a language model gives to what follows the first token.

    .. math:: \log \Pr(w_2 \dots w_T \mid w_1) = \sum_{t=1}^{T-1} \log \mathrm{softmax}(z_t)_{w_{t+1}}

    ``logits[t]`` has read the tokens up to w_t and scores the *next* one; the last logits score what is not there,
    and are not used.

    Shapes: logits (\*, T, V), tokens (\*, T) to (\*).
    Raises ``ValueError`` if shapes do not fit or tokens are not integers.
    Source: Bengio et al. (2003), eq. 1; notes, section 1.4.

    >>> sequence_log_prob(torch.zeros(3, 4), torch.tensor([0, 1, 2])).exp()
    tensor(0.0625)
    """
    _check_tokens(tokens)
    if logits.dim() < 2 or logits.shape[:-1] != tokens.shape:
        shapes = f"{tuple(logits.shape)} and {tuple(tokens.shape)}"
        raise ValueError(f"expected logits (*, T, V) and tokens (*, T), got {shapes}")
    return -cross_entropy(logits[..., :-1, :], tokens[..., 1:], "none").sum(-1)


def cross_entropy(logits: Tensor, target: Tensor, reduction: Reduction = "mean") -> Tensor:
    r"""The loss of one classification over the vocabulary at every time.

    .. math:: \ell_t = -\sum_k y_{tk} \log p_{tk}, \quad p_t = \mathrm{softmax}(z_t), \qquad
        \frac{\partial \ell_t}{\partial z_t} = p_t - y_t \quad (\textstyle\sum_k y_{tk} = 1)

    Equal logits lose log V: the loss of a fresh model.

    Shapes: logits (\*, V); target (\*), integers, or (\*, V), probabilities (one-hot or smoothed); the result (), or
    (\*) with ``reduction="none"``. (``torch.nn.functional.cross_entropy`` wants V on the second axis.)
    Raises ``ValueError`` if shapes do not fit, or for an unknown reduction.
    Source: Bengio et al. (2003), section 3; notes, section 1.4.

    >>> cross_entropy(torch.zeros(3, 4), torch.tensor([0, 1, 3])).exp()
    tensor(4.)
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    tokens = not target.is_floating_point()
    if logits.dim() == 0 or target.shape != (logits.shape[:-1] if tokens else logits.shape):
        wanted = f"target {tuple(logits.shape[:-1])}, integers, or {tuple(logits.shape)}, probabilities"
        raise ValueError(f"expected {wanted}, got {tuple(target.shape)} of {target.dtype}")
    shifted = logits - logits.detach().amax(-1, keepdim=True)  # so that nothing overflows; p does not change
    log_p = shifted - shifted.exp().sum(-1, keepdim=True).log()
    loss = -(log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1) if tokens else (target * log_p).sum(-1))
    return loss if reduction == "none" else loss.mean() if reduction == "mean" else loss.sum()


def perplexity(logits: Tensor, target: Tensor) -> Tensor:
    r"""The number of equally likely tokens that would be as surprising.

    .. math:: \exp\Bigl(-\frac{1}{T} \sum_t \log p_t(w_t)\Bigr)

    Shapes: as for :func:`cross_entropy`, to ().
    Source: Jelinek, Mercer, Bahl and Baker, "Perplexity" (1977).

    >>> perplexity(torch.zeros(3, 4), torch.tensor([0, 1, 3]))
    tensor(4.)
    """
    return cross_entropy(logits, target, "mean").exp()


def _check_tokens(tokens: Tensor) -> None:
    if tokens.dim() == 0 or tokens.shape[-1] == 0:
        raise ValueError(f"tokens must have the shape (*, T) with T >= 1, got {tuple(tokens.shape)}")
    if tokens.is_floating_point() or tokens.is_complex() or tokens.dtype is torch.bool:
        raise ValueError(f"tokens must be integers, got {tokens.dtype}")


def _check_chain(initial: Tensor, transition: Tensor) -> None:
    states = initial.shape[-1:]
    if not states or transition.shape != (*states, *states):
        raise ValueError(
            f"expected initial (V,) and transition (V, V), got {tuple(initial.shape)} and {tuple(transition.shape)}"
        )

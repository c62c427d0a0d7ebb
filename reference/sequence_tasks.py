r"""What a recurrent network is asked to do: label every step, judge a whole sequence, make one (notes, section 1.4.4).

All four models are built on one cell, and read out by one linear layer:

.. math:: h_t = \tanh(W u_t + U h_{t-1} + b), \qquad y_t = V h_t + d, \qquad h_0 = 0

==================  ==============  ========================================  ===========================
model               notes           what the cell reads                       what is read out
==================  ==============  ========================================  ===========================
Tagger              many to many    x_t                                       y_t at every t, aligned
Classifier          many to one     x_t                                       y at the last step alone
Generator           one to many     x at the first step, then its own y       every y
EncoderDecoder      many to many    x_t; then a second cell reads its own y   every y of the second cell
==================  ==============  ========================================  ===========================

Machine translation, the notes' example of "many to many", is no aligned task: a sentence and its translation differ in
length and order, which takes the encoder and decoder of Sutskever et al.

Sources: Elman, "Finding structure in time" (1990), for the cell; Vinyals et al. (2015), arXiv:1411.4555, for one to
many; Sutskever, Vinyals and Le (2014), arXiv:1409.3215, for the encoder and decoder.
"""

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Classifier", "EncoderDecoder", "Generator", "Tagger"]


class _Recurrent(nn.Module):
    """The parameters that all have: W (H, I), U (H, H), b (H), V (K, H), d (K)."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_h: Tensor
    weight_ho: Tensor
    bias_o: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("output_size", output_size)):
            if size < 1:
                raise ValueError(f"{name} must be a positive integer, got {size}")
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        for name, shape in self.shapes().items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape, **factory_kwargs)))
        self.reset_parameters()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters by their names."""
        h = self.hidden_size
        own: dict[str, tuple[int, ...]] = {"weight_ih": (h, self.input_size), "weight_hh": (h, h), "bias_h": (h,)}
        return own | {"weight_ho": (self.output_size, h), "bias_o": (self.output_size,)}

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw every parameter from U(-1/sqrt(H), 1/sqrt(H)), as ``torch.nn.RNN`` does."""
        bound = self.hidden_size**-0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def start(self, x: Tensor, leading: torch.Size) -> Tensor:
        """The hidden state 0."""
        return x.new_zeros(*leading, self.hidden_size)

    def cell(self, driven: Tensor, h: Tensor) -> Tensor:
        """``tanh(driven + U h + b)``, for what the input adds."""
        return torch.tanh(driven + h @ self.weight_hh.mT + self.bias_h)

    def read(self, h: Tensor) -> Tensor:
        """``V h + d``."""
        return h @ self.weight_ho.mT + self.bias_o

    def states(self, x: Tensor) -> list[Tensor]:
        """The hidden states h_1 .. h_T of a sequence (*, T, I)."""
        self.check(x, sequence=True)
        h, found = self.start(x, x.shape[:-2]), []
        for u in x.unbind(-2):
            h = self.cell(u @ self.weight_ih.mT, h)
            found.append(h)
        return found

    def check(self, x: Tensor, sequence: bool) -> None:
        """Raise a ValueError unless x is (*, I), or (*, T, I) with T at least 1."""
        wanted = f"(*, T, {self.input_size}), T not 0" if sequence else f"(*, {self.input_size})"
        short = sequence and (x.dim() < 2 or x.shape[-2] == 0)
        if short or x.shape[-1:] != (self.input_size,):
            raise ValueError(f"x must have the shape {wanted}, got {tuple(x.shape)}")

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"{self.input_size}, {self.hidden_size}, {self.output_size}"


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"steps must be a positive integer, got {steps}")


class Tagger(_Recurrent):
    r"""Many to many, aligned: a label for every step, as for parts of speech.

    .. math:: h_t = \tanh(W x_t + U h_{t-1} + b), \qquad y_t = V h_t + d

    It is causal: y_t knows nothing of x_{t+1} and later.

    Args:
        input_size: I, the number of features of x_t.
        hidden_size: H.
        output_size: K, the number of labels; y_t are their scores.

    Shapes: x (\*, T, I) to (\*, T, K); sequences come before features, and any batch before both.
    Raises ``ValueError`` if a size is below 1 or x has another shape.
    Source: Elman (1990).

    >>> Tagger(3, 4, 2)(torch.zeros(5, 7, 3)).shape
    torch.Size([5, 7, 2])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Scores of every step."""
        return torch.stack([self.read(h) for h in self.states(x)], -2)


class Classifier(_Recurrent):
    r"""Many to one: a judgement of a whole sequence from its last hidden state, as for the mood of a sentence.

    .. math:: y = V h_T + d

    Sequences of unequal length are padded at their ends; ``lengths`` says where each of them stops, and the state of
    its own last step is taken.

    Args:
        input_size: I, the number of features of x_t.
        hidden_size: H.
        output_size: K, the number of classes; y are their scores.

    Shapes: x (\*, T, I), ``lengths`` (\*) of whole numbers from 1 to T; returns (\*, K).
    Raises ``ValueError`` if a size is below 1, or x or ``lengths`` has another shape.
    Source: Elman (1990).

    >>> Classifier(3, 4, 2)(torch.zeros(5, 7, 3)).shape
    torch.Size([5, 2])
    """

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Scores of the sequence."""
        states = self.states(x)
        if lengths is None:
            return self.read(states[-1])
        if lengths.shape != x.shape[:-2]:
            raise ValueError(f"lengths must have the shape {tuple(x.shape[:-2])}, got {tuple(lengths.shape)}")
        last = states[0]
        for t, h in enumerate(states[1:], start=2):
            last = torch.where((t <= lengths)[..., None], h, last)
        return self.read(last)


class Generator(_Recurrent):
    r"""One to many: a sequence from one vector, as a caption from an image's features.

    .. math::
        h_1 = \tanh(W x + b), \qquad h_t = \tanh(F y_{t-1} + U h_{t-1} + b), \qquad y_t = V h_t + d

    The input is read once; from then on the model reads its own last output. What is fed back are the scores
    themselves, so that a gradient passes; a caption would pick a word from them.

    Args:
        input_size: I, the number of features of x.
        hidden_size: H.
        output_size: K.

    Shapes: x (\*, I) to (\*, steps, K).
    Raises ``ValueError`` if a size or ``steps`` is below 1, or x has another shape.
    Source: Vinyals et al. (2015), section 3.1 (there with an LSTM and words).

    >>> Generator(3, 4, 2)(torch.zeros(5, 3), steps=6).shape
    torch.Size([5, 6, 2])
    """

    weight_fh: Tensor

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters by their names; ``weight_fh`` feeds the output back."""
        return super().shapes() | {"weight_fh": (self.hidden_size, self.output_size)}

    def forward(self, x: Tensor, steps: int) -> Tensor:
        """Scores of every step."""
        self.check(x, sequence=False)
        _check_steps(steps)
        h = self.cell(x @ self.weight_ih.mT, self.start(x, x.shape[:-1]))
        made = [self.read(h)]
        while len(made) < steps:
            h = self.cell(made[-1] @ self.weight_fh.mT, h)
            made.append(self.read(h))
        return torch.stack(made, -2)


class EncoderDecoder(_Recurrent):
    r"""Many to many of any two lengths, as for translation: many to one, then one to many.

    .. math::
        h_t &= \tanh(W x_t + U h_{t-1} + b), & g_0 &= h_T, \quad y_0 = 0 \\
        g_s &= \tanh(F y_{s-1} + G g_{s-1} + e), & y_s &= V g_s + d

    Nothing is put out before the whole input is read, and every output depends on all of it. With ``target`` the
    decoder reads the right last output in the place of its own (teacher forcing).

    Args:
        input_size: I, the number of features of x_t.
        hidden_size: H, of both cells.
        output_size: K.

    Shapes: x (\*, T, I), ``target`` (\*, steps, K); returns (\*, steps, K).
    Raises ``ValueError`` if a size or ``steps`` is below 1, or x or ``target`` has another shape.
    Source: Sutskever, Vinyals and Le (2014), section 2 (there with LSTMs and words); Williams and Zipser (1989) for
    teacher forcing.

    >>> EncoderDecoder(3, 4, 2)(torch.zeros(5, 7, 3), steps=6).shape
    torch.Size([5, 6, 2])
    """

    decoder_weight_fh: Tensor
    decoder_weight_hh: Tensor
    decoder_bias_h: Tensor

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters by their names; F, G and e of the decoder come last."""
        h = self.hidden_size
        own = {"decoder_weight_fh": (h, self.output_size), "decoder_weight_hh": (h, h), "decoder_bias_h": (h,)}
        return super().shapes() | own

    def forward(self, x: Tensor, steps: int, target: Tensor | None = None) -> Tensor:
        """Scores of every step of the output."""
        _check_steps(steps)
        g = self.states(x)[-1]
        wanted = (*x.shape[:-2], steps, self.output_size)
        if target is not None and target.shape != wanted:
            raise ValueError(f"target must have the shape {wanted}, got {tuple(target.shape)}")
        y = x.new_zeros(*x.shape[:-2], self.output_size)
        made = []
        for s in range(steps):
            fed = y if target is None or s == 0 else target[..., s - 1, :]
            driven = fed @ self.decoder_weight_fh.mT
            g = torch.tanh(driven + g @ self.decoder_weight_hh.mT + self.decoder_bias_h)
            y = self.read(g)
            made.append(y)
        return torch.stack(made, -2)

"""Mistakes in the tasks of recurrent networks: which input is read, which state is read out, what is fed back."""

import torch
from torch import Tensor, nn

from planted import Planted


class Base(nn.Module):
    """A cell and a readout, and what is common to the right models."""

    def __init__(self, input_size: int, hidden_size: int, output_size: int) -> None:
        super().__init__()
        h = hidden_size
        self.weight_ih = nn.Parameter(torch.zeros(h, input_size))
        self.weight_hh = nn.Parameter(torch.zeros(h, h))
        self.bias_h = nn.Parameter(torch.zeros(h))
        self.weight_ho = nn.Parameter(torch.zeros(output_size, h))
        self.bias_o = nn.Parameter(torch.zeros(output_size))
        self.more(h, output_size)

    def more(self, h: int, output_size: int) -> None:
        """Further parameters."""

    def cell(self, driven: Tensor, h: Tensor) -> Tensor:
        return torch.tanh(driven + h @ self.weight_hh.T + self.bias_h)

    def read(self, h: Tensor) -> Tensor:
        return h @ self.weight_ho.T + self.bias_o

    def states(self, x: Tensor) -> list[Tensor]:
        h, found = self.start(x), []
        for u in x.unbind(-2):
            h = self.cell(u @ self.weight_ih.T, h)
            found.append(h)
        return found

    def start(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:-2], len(self.bias_h))


class BothWays(Base):
    """A second run from the end is added: an output then knows what comes later."""

    def forward(self, x: Tensor) -> Tensor:
        there, back = self.states(x), self.states(x.flip(-2))[::-1]
        return torch.stack([self.read((a + b) / 2) for a, b in zip(there, back, strict=True)], -2)


class LastEverywhere(Base):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.read(self.states(x)[-1])] * x.shape[-2], -2)


class Stacked(Base):
    """Time and output exchanged in what is returned, as numbers reshaped."""

    def forward(self, x: Tensor) -> Tensor:
        y = torch.stack([self.read(h) for h in self.states(x)], -1)
        return y.reshape(*x.shape[:-1], -1)


class CarriedAcrossSamples(Base):
    """The second sequence starts where the first one ends."""

    def forward(self, x: Tensor) -> Tensor:
        whole = self.states(x.flatten(0, 1))
        return torch.stack([self.read(h) for h in whole]).unflatten(0, x.shape[:2])


class Normalised(Base):
    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(torch.stack([self.read(h) for h in self.states(x)], -2), -1)


class MeanState(Base):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.read(torch.stack(self.states(x)).mean(0))


class IgnoresLengths(Base):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.read(self.states(x)[-1])


class LengthAsIndex(Base):
    """lengths where lengths - 1 is meant; the index is clamped to the last step."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        states = torch.stack(self.states(x), -2)
        if lengths is None:
            return self.read(states[..., -1, :])
        at = lengths.clamp(max=x.shape[-2] - 1)
        return self.read(torch.take_along_dim(states, at[..., None, None], -2).squeeze(-2))


class PaddingZeroed(Base):
    """The padding's inputs are set to 0, but the state runs on through it."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if lengths is not None:
            steps = torch.arange(x.shape[-2], device=x.device)
            x = torch.where((steps < lengths[..., None])[..., None], x, 0.0)
        return self.read(self.states(x)[-1])


class LongestOfBatch(Base):
    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        states = self.states(x)
        if lengths is None:
            return self.read(states[-1])
        last = states[0]
        for t, h in enumerate(states[1:], start=2):
            last = torch.where(t <= lengths.amax(), h, last)
        return self.read(last)


class Made(Base):
    """A right generator in pieces."""

    def more(self, h: int, output_size: int) -> None:
        self.weight_fh = nn.Parameter(torch.zeros(h, output_size))

    def forward(self, x: Tensor, steps: int) -> Tensor:
        h = self.cell(x @ self.weight_ih.T, x.new_zeros(*x.shape[:-1], len(self.bias_h)))
        made = [self.read(h)]
        for _ in range(steps - 1):
            h = self.cell(self.fed(made, x), h)
            made.append(self.read(h))
        return torch.stack(made, -2)

    def fed(self, made: list[Tensor], x: Tensor) -> Tensor:
        return made[-1] @ self.weight_fh.T


class InputAgain(Made):
    def fed(self, made: list[Tensor], x: Tensor) -> Tensor:
        return super().fed(made, x) + x @ self.weight_ih.T


class FeedbackCutOff(Made):
    """What is fed back is cut off from autograd."""

    def fed(self, made: list[Tensor], x: Tensor) -> Tensor:
        return made[-1].detach() @ self.weight_fh.T


class FirstFedBack(Made):
    def fed(self, made: list[Tensor], x: Tensor) -> Tensor:
        return made[0] @ self.weight_fh.T


class SharpFeedback(Made):
    """Probabilities are fed back, not scores."""

    def fed(self, made: list[Tensor], x: Tensor) -> Tensor:
        return torch.softmax(made[-1], -1) @ self.weight_fh.T


class Translator(Base):
    """A right encoder and decoder in pieces."""

    def more(self, h: int, output_size: int) -> None:
        self.decoder_weight_fh = nn.Parameter(torch.zeros(h, output_size))
        self.decoder_weight_hh = nn.Parameter(torch.zeros(h, h))
        self.decoder_bias_h = nn.Parameter(torch.zeros(h))

    def forward(self, x: Tensor, steps: int, target: Tensor | None = None) -> Tensor:
        states = self.states(x)
        g, made = self.context(states), [x.new_zeros(*x.shape[:-2], len(self.bias_o))]
        for s in range(steps):
            fed = self.fed(made, target, s) @ self.decoder_weight_fh.T
            g = torch.tanh(fed + g @ self.decoder_weight_hh.T + self.decoder_bias_h)
            made.append(self.read(g))
        return torch.stack(made[1:], -2)

    def context(self, states: list[Tensor]) -> Tensor:
        return states[-1]

    def fed(self, made: list[Tensor], target: Tensor | None, s: int) -> Tensor:
        return made[-1] if target is None or s == 0 else target[..., s - 1, :]


class MeanContext(Translator):
    def context(self, states: list[Tensor]) -> Tensor:
        return torch.stack(states).mean(0)


class ContextCutOff(Translator):
    """The encoder learns nothing."""

    def context(self, states: list[Tensor]) -> Tensor:
        return states[-1].detach()


class ToldTheAnswer(Translator):
    def fed(self, made: list[Tensor], target: Tensor | None, s: int) -> Tensor:
        return made[-1] if target is None else target[..., s, :]


class TargetIgnored(Translator):
    def fed(self, made: list[Tensor], target: Tensor | None, s: int) -> Tensor:
        return made[-1]


PLANTED = (
    Planted("reads from both ends", "sequence_tasks.Tagger", BothWays),
    Planted("last state for every step", "sequence_tasks.Tagger", LastEverywhere),
    Planted("time and output exchanged", "sequence_tasks.Tagger", Stacked),
    Planted("state carried from one sample to the next", "sequence_tasks.Tagger", CarriedAcrossSamples),
    Planted("probabilities in the place of scores", "sequence_tasks.Tagger", Normalised),
    Planted("mean of the states", "sequence_tasks.Classifier", MeanState),
    Planted("lengths are ignored", "sequence_tasks.Classifier", IgnoresLengths),
    Planted("length taken for an index", "sequence_tasks.Classifier", LengthAsIndex),
    Planted("state runs on through the padding", "sequence_tasks.Classifier", PaddingZeroed),
    Planted("longest sequence's length for all", "sequence_tasks.Classifier", LongestOfBatch),
    Planted("input read at every step", "sequence_tasks.Generator", InputAgain),
    Planted("feedback is cut off from autograd", "sequence_tasks.Generator", FeedbackCutOff),
    Planted("first output fed back for ever", "sequence_tasks.Generator", FirstFedBack),
    Planted("probabilities fed back", "sequence_tasks.Generator", SharpFeedback),
    Planted("mean state handed to the decoder", "sequence_tasks.EncoderDecoder", MeanContext),
    Planted("encoder is cut off from autograd", "sequence_tasks.EncoderDecoder", ContextCutOff),
    Planted("decoder is told the answer", "sequence_tasks.EncoderDecoder", ToldTheAnswer),
    Planted("right outputs are ignored", "sequence_tasks.EncoderDecoder", TargetIgnored),
)

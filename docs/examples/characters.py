"""Characters: recurrent networks learn words with brackets that must be closed, which no table of pairs can.

A word is drawn by opening one of three brackets or closing the last open one. What may come next depends on all that
came before, so a model that knows only the last character cannot say it.

Run it: python docs/examples/characters.py   (about a minute)
"""

import random
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gnomon.reference.lstm import LSTM
from gnomon.reference.optim import Adam
from gnomon.reference.recurrent import RecurrentNetwork

OPEN, CLOSE = "([{", ")]}"
ALPHABET = OPEN + CLOSE


def text(rng: random.Random, length: int, deepest: int = 4) -> str:
    """Brackets at random, each closed by its own kind, nested at most ``deepest`` deep."""
    written, waiting = "", ""
    for _ in range(length):
        opens = not waiting or (len(waiting) < deepest and rng.random() < 0.5)
        if opens:
            kind = rng.randrange(3)
            written, waiting = written + OPEN[kind], waiting + CLOSE[kind]
        else:
            written, waiting = written + waiting[-1], waiting[:-1]
    return written


def encoded(words: list[str]) -> Tensor:
    """One-hot characters (T, N, 6)."""
    codes = torch.tensor([[ALPHABET.index(letter) for letter in word] for word in words])
    return nn.functional.one_hot(codes.T, len(ALPHABET)).float()


class Tagger(nn.Module):
    """An LSTM with a linear map of its output to the logits of the next character."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.lstm = LSTM(len(ALPHABET), hidden_size)
        self.output = nn.Linear(hidden_size, len(ALPHABET))

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        states, last = self.lstm(x)
        return self.output(states), last


MODELS: dict[str, Callable[[], nn.Module]] = {
    "RNN": lambda: RecurrentNetwork(len(ALPHABET), 32, len(ALPHABET)),
    "LSTM": lambda: Tagger(32),
}


def bits(logits: Tensor, x: Tensor) -> Tensor:
    """Mean bits that the next character costs: minus the binary logarithm of the probability that it was given."""
    surprise = -(logits[:-1].log_softmax(-1) * x[1:]).sum(-1)
    return surprise.mean() / torch.log(torch.tensor(2.0))


def train(name: str, seed: int = 0, steps: int = 200) -> tuple[float, float]:
    """Bits a character on held-out text: of the network, and of the table of pairs that fits the same text best."""
    rng = random.Random(seed)
    x, x_test = (encoded([text(rng, 40) for _ in range(200)]) for _ in range(2))
    torch.manual_seed(seed)
    model = MODELS[name]()
    optimizer = Adam(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        bits(model(x)[0], x).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    pairs = torch.einsum("tni,tnj->ij", x[:-1], x[1:]) + 1  # add-one smoothing
    with torch.no_grad():
        return float(bits(model(x_test)[0], x_test)), float(bits(x_test @ pairs.log(), x_test))


if __name__ == "__main__":
    torch.set_num_threads(1)  # the layers are small
    for name in MODELS:
        network, table = train(name)
        print(f"held-out bits a character: {name} {network:.3f}, table of pairs {table:.3f}")

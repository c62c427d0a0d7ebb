"""Handwritten digits: networks of convolutions, normalized and pooled, or residual, beside the nearest mean image.

Run it: python docs/examples/digits.py   (needs scikit-learn; about half a minute)
"""

from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from gnomon.reference.activations import ReLU
from gnomon.reference.convolution import Conv2d
from gnomon.reference.momentum import SGD
from gnomon.reference.normalization import BatchNorm2d
from gnomon.reference.pooling import AvgPool2d, MaxPool2d
from gnomon.reference.residual import Residual


def normalized(channels: int, features: int) -> list[nn.Module]:
    """A convolution that keeps the size of its maps, without a bias: the normalization would take it off."""
    return [Conv2d(channels, features, 3, padding=1, bias=False), BatchNorm2d(features)]


def convolutional() -> nn.Module:
    """Two convolutions, each normalized and pooled, and a linear classifier of the 2 x 2 maps that are left."""
    first, second = normalized(1, 8), normalized(8, 16)
    return nn.Sequential(*first, ReLU(), MaxPool2d(2), *second, ReLU(), MaxPool2d(2), nn.Flatten(), nn.Linear(64, 10))


def residual(blocks: int = 2, features: int = 12) -> nn.Module:
    """Blocks of two convolutions around which the input passes, and a linear classifier of pooled maps."""
    middle = [
        Residual(nn.Sequential(*normalized(features, features), ReLU(), *normalized(features, features)), None, ReLU())
        for _ in range(blocks)
    ]
    start = [*normalized(1, features), ReLU(), MaxPool2d(2)]
    return nn.Sequential(*start, *middle, AvgPool2d(2), nn.Flatten(), nn.Linear(4 * features, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {"convolutional": convolutional, "residual": residual}


def train(name: str, seed: int = 0, epochs: int = 6, batch: int = 64) -> tuple[float, float]:
    """The share of held-out images that the network and the nearest mean image get right."""
    images, labels = load_digits(return_X_y=True)
    x, x_test, y, y_test = (
        torch.as_tensor(part) for part in train_test_split(images, labels, stratify=labels, random_state=seed)
    )
    means = torch.stack([x[y == digit].mean(0) for digit in range(10)])
    nearest = (torch.cdist(x_test, means).argmin(-1) == y_test).float().mean()
    square, square_test = (part.float().reshape(-1, 1, 8, 8) / 16 for part in (x, x_test))
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(epochs):
        for chosen in torch.randperm(len(square)).split(batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(square[chosen]), y[chosen]).backward()
            optimizer.step()
    with torch.no_grad():
        right = (model.eval()(square_test).argmax(-1) == y_test).float().mean()
    return float(right), float(nearest)


if __name__ == "__main__":
    torch.set_num_threads(1)  # the layers are small
    for name in NETWORKS:
        learned, nearest = train(name)
        print(f"held-out accuracy: {name} {learned:.1%}, nearest mean image {nearest:.1%}")

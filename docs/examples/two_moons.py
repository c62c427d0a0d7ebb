"""Two moons: an MLP and its backward pass written out, trained without autograd, beside a linear classifier.

Run it: python docs/examples/two_moons.py   (needs scikit-learn; a few seconds)
"""

import torch
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from gnomon.reference.backprop import MLP, backward
from gnomon.reference.optim import Adam


def train(seed: int = 0, steps: int = 400) -> tuple[float, float]:
    """The share of held-out points that the network and the linear classifier get right."""
    points, moons = make_moons(600, noise=0.2, random_state=seed)
    x, x_test, y, y_test = (
        torch.as_tensor(part, dtype=torch.float32) for part in train_test_split(points, moons, random_state=seed)
    )
    model = MLP((2, 16, 16, 1), activation="tanh", output_activation="sigmoid")
    model.reset_parameters(generator=torch.Generator().manual_seed(seed))
    optimizer = Adam(model.parameters(), lr=0.02)
    assert model.biases is not None
    for _ in range(steps):
        gradients = backward(x, y[:, None], list(model.weights), list(model.biases), "tanh", "sigmoid")
        for parameter, gradient in zip(
            [*model.weights, *model.biases], [*gradients.weights, *gradients.biases], strict=True
        ):
            parameter.grad = gradient / len(x)  # the mean over the sample
        optimizer.step()
    with torch.no_grad():
        right = ((model(x_test)[:, 0] > 0.5) == (y_test > 0.5)).float().mean()
    linear = LogisticRegression().fit(x, y)
    return float(right), float(linear.score(x_test, y_test))


if __name__ == "__main__":
    torch.set_num_threads(1)  # the layers are small
    network, linear = train()
    print(f"held-out accuracy: network {network:.1%}, linear classifier {linear:.1%}")

"""Bugs in residual blocks and networks."""

import torch
from torch import Tensor, nn

from planted import Planted

Maybe = nn.Module | None


class Block(nn.Module):
    """A residual block, with a method for the sum. All of it is right."""

    def __init__(self, branch: nn.Module, shortcut: Maybe = None, activation: object = None) -> None:
        super().__init__()
        self.branch, self.shortcut, self.activation = branch, shortcut, activation

    def direct(self, x: Tensor) -> Tensor:
        return x if self.shortcut is None else self.shortcut(x)

    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return direct + change

    def after(self, total: Tensor) -> Tensor:
        return total if self.activation is None else self.activation(total)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.sum(self.direct(x), self.branch(x)))


class Plain(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return change


class BranchOff(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return direct - change


class Averaged(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return (direct + change) / 2


class KeepsVariance(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return (direct + change) * 0.5**0.5


class Overwrites(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return direct.add_(change)


class ShortcutDetached(Block):
    def direct(self, x: Tensor) -> Tensor:
        return super().direct(x).detach()


class BranchDetached(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return direct + change.detach()


class ShortcutUnused(Block):
    def direct(self, x: Tensor) -> Tensor:
        change = self.branch(x)
        return x if x.shape == change.shape else super().direct(x)


class ShortcutPadded(Block):
    def direct(self, x: Tensor) -> Tensor:
        if self.shortcut is None:
            return x
        wide = super().direct(x).shape[-1]
        return nn.functional.pad(x, (0, wide - x.shape[-1]))


class AlwaysRelu(Block):
    def after(self, total: Tensor) -> Tensor:
        return torch.relu(total)


class NeverActive(Block):
    def after(self, total: Tensor) -> Tensor:
        return total


class ActiveBranch(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.sum(self.direct(x), self.after(self.branch(x)))


class LeakyAfter(Block):
    def after(self, total: Tensor) -> Tensor:
        return total if self.activation is None else nn.functional.leaky_relu(total, 0.01)


class BranchTwice(Block):
    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.sum(self.direct(x), self.branch(x) + self.branch(torch.zeros_like(x))))


class SmallBranchSkipped(Block):
    def sum(self, direct: Tensor, change: Tensor) -> Tensor:
        return torch.where(change.abs() > 1e-6, direct + change, direct)


class Network(nn.Module):
    """A network of residual blocks. All of it is right."""

    def __init__(self, sizes: tuple[int, ...], hidden: int, activation: str = "relu") -> None:
        super().__init__()
        sigma = {"relu": nn.ReLU, "tanh": nn.Tanh, "identity": nn.Identity}[activation]
        width = sizes[0]
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(width, hidden), sigma(), nn.Linear(hidden, width)) for _ in sizes[1:]
        )

    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x + branch(x)

    def forward(self, x: Tensor) -> Tensor:
        first = x
        for branch in self.branches:
            x = self.step(x, branch, first)
        return x


class PlainNetwork(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return branch(x)


class AllOfInput(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x + branch(first)


class FromInput(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return first + branch(x)


class ActiveSum(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return torch.relu(x + branch(x))


class ShortcutsDetached(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x.detach() + branch(x)


class InputsDetached(Network):
    """Each branch is trained by itself; the gradient runs along the direct path alone."""

    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x + branch(x.detach())


class Reversed(Network):
    def forward(self, x: Tensor) -> Tensor:
        for branch in reversed(self.branches):
            x = x + branch(x)
        return x


class LastSkipped(Network):
    def forward(self, x: Tensor) -> Tensor:
        for branch in list(self.branches)[: max(1, len(self.branches) - 1)]:
            x = x + branch(x)
        return x


class Tied(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x + self.branches[0](x)


class EulerSteps(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x + branch(x) / len(self.branches)


class GradientClipped(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        total = x + branch(x)
        inside = total.clamp(-1e3, 1e3)
        return total.detach() + (inside - inside.detach())


class StochasticDepth(Network):
    def step(self, x: Tensor, branch: nn.Module, first: Tensor) -> Tensor:
        return x + branch(x) * (torch.rand(()) < 0.5)


Pair = tuple[float, float]


def first_order(rho: float, depth: int) -> Pair:
    return 1 - depth * rho, 1 + depth * rho


def one_too_few(rho: float, depth: int) -> Pair:
    return (1 - rho) ** (depth - 1), (1 + rho) ** (depth - 1)


def inverse(rho: float, depth: int) -> Pair:
    return (1 + rho) ** -depth, (1 + rho) ** depth


def other_way(rho: float, depth: int) -> Pair:
    return (1 + rho) ** depth, (1 - rho) ** depth


BLOCK, NETWORK, BOUNDS = (f"residual.{name}" for name in ("Residual", "ResidualNetwork", "gain_bounds"))

PLANTED = (
    Planted("no shortcut", BLOCK, Plain),
    Planted("branch taken off", BLOCK, BranchOff),
    Planted("average in the place of the sum", BLOCK, Averaged),
    Planted("sum over the root of 2", BLOCK, KeepsVariance),
    Planted("input is changed in place", BLOCK, Overwrites),
    Planted("shortcut is cut off from autograd", BLOCK, ShortcutDetached),
    Planted("branch is cut off from autograd", BLOCK, BranchDetached),
    Planted("shortcut unused where the widths agree", BLOCK, ShortcutUnused),
    Planted("zeros in the place of the projection", BLOCK, ShortcutPadded),
    Planted("a ReLU after every sum", BLOCK, AlwaysRelu),
    Planted("activation ignored", BLOCK, NeverActive),
    Planted("activation of the branch alone", BLOCK, ActiveBranch),
    Planted("leaky activation", BLOCK, LeakyAfter),
    Planted("bias of the branch counted twice", BLOCK, BranchTwice),
    Planted("small changes left out", BLOCK, SmallBranchSkipped),
    Planted("a plain network", NETWORK, PlainNetwork),
    Planted("all branches of the input", NETWORK, AllOfInput),
    Planted("all shortcuts from the input", NETWORK, FromInput),
    Planted("a ReLU after each sum", NETWORK, ActiveSum),
    Planted("shortcuts are cut off from autograd", NETWORK, ShortcutsDetached),
    Planted("inputs of the branches are cut off from autograd", NETWORK, InputsDetached),
    Planted("blocks in reverse", NETWORK, Reversed),
    Planted("last block skipped", NETWORK, LastSkipped),
    Planted("first block throughout", NETWORK, Tied),
    Planted("branches divided by the depth", NETWORK, EulerSteps),
    Planted("no gradient beyond 1000", NETWORK, GradientClipped),
    Planted("blocks dropped at random", NETWORK, StochasticDepth),
    Planted("first order in rho", BOUNDS, first_order),
    Planted("one block too few", BOUNDS, one_too_few),
    Planted("inverse of the upper bound", BOUNDS, inverse),
    Planted("bounds exchanged", BOUNDS, other_way),
)

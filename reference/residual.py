"""Residual blocks and networks: a branch is added to what enters it.

Sources: notes, section 1.5; He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, and
"Identity mappings in deep residual networks", ECCV 2016.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Residual", "ResidualNetwork", "gain_bounds"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}


class Residual(nn.Module):
    r"""Any module as the branch of a residual block.

    .. math:: y = \phi(S x + F(x)), \qquad \frac{\partial y}{\partial x} = \operatorname{diag}(\phi')\, (S + J_F)

    Without ``shortcut`` S is the identity, and without ``activation`` so is phi: then the gradient has a path that no
    layer is on. The original block has a ReLU for phi, which closes that path where the sum is negative.

    Args:
        branch: F, any module.
        shortcut: S, a module that gives x the shape of F(x); None where it has that shape.
        activation: phi, applied to the sum; None for none.

    Shapes: whatever the branch accepts; the branch and the shortcut must return the same shape.
    Raises ``ValueError`` if they do not: it would be broadcast.
    Source: notes, section 1.5; He et al. (CVPR 2016), eq. 1 and 2.

    >>> Residual(nn.Identity())(torch.tensor([1.0, 2.0]))
    tensor([2., 4.])
    """

    def __init__(
        self,
        branch: nn.Module,
        shortcut: nn.Module | None = None,
        activation: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Add the branch to the shortcut."""
        direct = x if self.shortcut is None else self.shortcut(x)
        change = self.branch(x)
        if direct.shape != change.shape:
            raise ValueError(
                f"the branch returns {tuple(change.shape)}, the shortcut {tuple(direct.shape)}: "
                "give a shortcut= that projects x to the branch's shape"
            )
        total: Tensor = direct + change
        return total if self.activation is None else self.activation(total)


class ResidualNetwork(nn.Module):
    r"""Residual blocks of two linear layers, one after another.

    .. math:: x_l = S_l x_{l-1} + B_l\, \sigma(A_l x_{l-1} + a_l) + b_l, \qquad l = 1, \dots, L

    S_l is the identity where a block keeps the width, and a matrix where it does not. Between blocks of one width the
    output is the input plus the sum of all branches.

    Args:
        sizes: (n_0, n_1, ..., n_L), input first: the widths between the blocks.
        hidden_features: the width inside of each block.
        activation: inside of each block: "relu", "tanh", "sigmoid", "gelu" or "identity".

    Shapes: input (\*, n_0), output (\*, n_L). Block l is the :class:`Residual` ``blocks[l - 1]``.
    Raises ``ValueError`` if there are fewer than two sizes, a width is below 1, the activation is unknown, or an input
    is not (\*, n_0).
    Source: notes, section 1.5; He et al. (CVPR 2016), section 3.2.

    >>> ResidualNetwork((2, 2, 3), 8)(torch.zeros(5, 2)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        hidden_features: int,
        activation: str = "relu",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if len(sizes) < 2 or min(*sizes, hidden_features) < 1:
            raise ValueError(
                f"sizes must be at least two positive integers and hidden_features one, got {tuple(sizes)} and "
                f"{hidden_features}"
            )
        if activation not in _ACTIVATIONS:
            raise ValueError(f"activation must be one of {list(_ACTIVATIONS)}, got {activation!r}")
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.sizes = tuple(sizes)
        self.hidden_features = hidden_features
        self.activation = activation
        blocks = []
        for before, after in pairwise(sizes):
            branch = nn.Sequential(
                nn.Linear(before, hidden_features, **factory_kwargs),
                _ACTIVATIONS[activation](),
                nn.Linear(hidden_features, after, **factory_kwargs),
            )
            shortcut = None if before == after else nn.Linear(before, after, bias=False, **factory_kwargs)
            blocks.append(Residual(branch, shortcut))
        self.blocks = nn.ModuleList(blocks)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights and biases from U(-1/sqrt(n_in), 1/sqrt(n_in)), as ``nn.Linear`` does."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                bound = layer.in_features**-0.5
                for parameter in layer.parameters():
                    nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Apply every block: (\\*, n_0) to (\\*, n_L)."""
        if x.shape[-1:] != self.sizes[:1]:
            raise ValueError(f"expected (*, {self.sizes[0]}), got {tuple(x.shape)}")
        for block in self.blocks:
            x = block(x)
        return x

    def extra_repr(self) -> str:
        """The constructor's arguments."""
        return f"sizes={self.sizes}, hidden_features={self.hidden_features}, activation={self.activation!r}"


def gain_bounds(rho: float, depth: int) -> tuple[float, float]:
    r"""Between what factors a network of residual blocks changes the length of a gradient.

    .. math:: (1 - \rho)^L\, |g| \;\le\; \Big|\prod_l (I + J_l)^T g\Big| \;\le\; (1 + \rho)^L\, |g|
              \qquad\text{if all } \|J_l\| \le \rho < 1

    For :math:`\rho = c / L` both stay between :math:`(1 - c)` and :math:`e^c` at any depth. Without the condition there
    is no lower bound above 0: a branch F(x) = -x takes the gradient to 0 in one block.

    Raises ``ValueError`` unless 0 <= rho < 1 and depth >= 0.
    Source: notes, section 1.5, which state no condition; the triangle inequality.

    >>> gain_bounds(0.5, 2)
    (0.25, 2.25)
    """
    if not 0 <= rho < 1:
        raise ValueError(f"rho must be at least 0 and below 1, got {rho}")
    if depth < 0:
        raise ValueError(f"depth must not be negative, got {depth}")
    return (1 - rho) ** depth, (1 + rho) ** depth

"""Normalizing flows: invertible maps with known Jacobian determinants, and the change of variables.

The maps are ``torch.distributions`` transforms: ``log_abs_det_jacobian`` is that of the *forward* map.

Sources: notes, section 4.1.1; Rezende and Mohamed, "Variational inference with normalizing flows", ICML 2015;
Dinh, Sohl-Dickstein and Bengio, "Density estimation using Real NVP", ICLR 2017.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import ComposeTransform, Distribution, Transform, constraints

__all__ = [
    "Affine",
    "AffineCoupling",
    "Planar",
    "PlanarFlow",
    "change_of_variables_integral",
    "compose",
    "flow_log_prob",
    "image_area",
    "jacobian",
]

Map = Callable[[Tensor], Tensor]
Conditioner = Callable[[Tensor], tuple[Tensor, Tensor]]

# On the exponential flank of tanh each Newton step gains 1/2, so these solve for any w.u up to about e^60.
_NEWTON_STEPS = 64


def _at_least_float32(x: Tensor) -> Tensor:
    """For torch.linalg, which factorizes nothing in half precision."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _sum_rightmost(x: Tensor, count: int) -> Tensor:
    return x.sum(tuple(range(-count, 0))) if count > 0 else x


def _check_event(x: Tensor, dim: int) -> None:
    if x.shape[-1:] != (dim,):
        raise ValueError(f"expected a tensor of shape (*, {dim}), got {tuple(x.shape)}")


class _VectorTransform(Transform):
    domain = constraints.real_vector
    codomain = constraints.real_vector
    bijective = True

    def with_cache(self, cache_size: int = 1) -> Transform:
        other = copy.copy(self)
        Transform.__init__(other, cache_size)
        return other

    def forward_shape(self, shape: torch.Size) -> torch.Size:
        return shape

    def inverse_shape(self, shape: torch.Size) -> torch.Size:
        return self.forward_shape(shape)


class Affine(_VectorTransform):
    r"""The affine map.

    .. math:: y = M x + c, \qquad \log |\det \partial y / \partial x| = \log |\det M|

    Shapes: matrix (\*, d, d) and shift (\*, d); their leading dimensions broadcast with those of x (\*, d).
    Half precision is factorized in float32.
    Raises ``ValueError`` if the matrix is not square, or shift or x do not end in d. A singular one is
    a ``RuntimeError`` of ``torch.linalg`` in the inverse.
    Source: notes, section 4.1.1.

    >>> transform = Affine(torch.tensor([[0.0, 2.0], [1.0, 0.0]]), torch.ones(2))
    >>> transform(torch.tensor([1.0, 3.0])), transform.inv(torch.tensor([7.0, 2.0]))
    (tensor([7., 2.]), tensor([1., 3.]))
    """

    def __init__(self, matrix: Tensor, shift: Tensor, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        if matrix.dim() < 2 or matrix.shape[-1] != matrix.shape[-2]:
            raise ValueError(f"matrix must be (*, d, d), got {tuple(matrix.shape)}")
        _check_event(shift, matrix.shape[-1])
        self.matrix = matrix
        self.shift = shift

    def _call(self, x: Tensor) -> Tensor:
        _check_event(x, self.matrix.shape[-1])
        return (self.matrix @ x.unsqueeze(-1)).squeeze(-1) + self.shift

    def _inverse(self, y: Tensor) -> Tensor:
        _check_event(y, self.matrix.shape[-1])
        right = _at_least_float32(y - self.shift).unsqueeze(-1)
        solution: Tensor = torch.linalg.solve(_at_least_float32(self.matrix), right)
        return solution.squeeze(-1).to(y.dtype)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        logdet: Tensor = torch.linalg.slogdet(_at_least_float32(self.matrix)).logabsdet.to(x.dtype)
        return logdet.expand(self.forward_shape(x.shape)[:-1])

    def forward_shape(self, shape: torch.Size) -> torch.Size:
        return torch.Size(torch.broadcast_shapes(shape, self.matrix.shape[:-1], self.shift.shape))


def _planar_det(a: Tensor, k: Tensor) -> Tensor:
    """1 + k tanh'(a), written so that nothing cancels for k >= -1."""
    square = torch.tanh(a) ** 2
    return torch.where(k < 0, (1 + k) - k * square, 1 + k * (1 - square))


def _planar_preactivation(c: Tensor, k: Tensor) -> Tensor:
    """The root a of a + k tanh(a) = c, with derivatives up to the third order.

    It has the sign of c, so let c > 0. For a > 0 the left side is concave if k >= 0, else convex, so that
    Newton's method is monotone from a lower (upper) bound of the root. The bounds come from tanh(a) <= 1,
    tanh(a) <= a and tanh(a) <= a (15 + a^2) / (15 + 6 a^2), of which the last is sharp at k = -1.
    """
    tiny = torch.finfo(c.dtype).tiny
    size, slope = c.detach().abs(), k.detach()
    shifted = size - slope
    linear = size / (1 + slope).clamp(min=tiny)
    cubic = (size * (3 + 1.2 * shifted * shifted) / slope.abs().clamp(min=tiny)) ** (1 / 3)
    upper = torch.where(slope < -1, shifted, torch.minimum(shifted, torch.minimum(linear, cubic)))
    low = torch.where(slope < 0, size, torch.maximum(linear, shifted))
    high = torch.where(slope < 0, upper, size)
    a = torch.where(slope < 0, high, low)
    for _ in range(_NEWTON_STEPS):
        residual = a + slope * torch.tanh(a) - size
        a = (a - residual / _planar_det(a, slope).clamp(min=tiny)).clamp(low, high)
    a = a * c.detach().sign()
    # Two more steps, of length zero, that carry the derivatives: each doubles the order that is right.
    for _ in range(2):
        residual = a + k * torch.tanh(a) - c
        a = a - (residual - residual.detach()) / _planar_det(a, k).clamp(min=tiny)
    return a


class Planar(_VectorTransform):
    r"""The planar flow.

    .. math:: f(z) = z + u \tanh(a), \quad a = w \cdot z + b, \qquad
              \log |\det \partial f / \partial z| = \log |1 + \tanh'(a)\, u \cdot w|

    Invertible if and only if :math:`u \cdot w \ge -1` (not checked; :class:`PlanarFlow` ensures it), else
    the "inverse" is one of the preimages. A fixed number of Newton steps solves its scalar equation; it has
    derivatives up to the third order.

    Shapes: w and u (\*, d), b (\*); their leading dimensions broadcast with those of z (\*, d).
    Raises ``ValueError`` unless w, u and z end in the same d.
    Source: Rezende and Mohamed (2015), equations 10 to 12 and appendix A.1.

    >>> transform = Planar(w=torch.tensor([1.0, 0.0]), u=torch.tensor([2.0, 1.0]), b=torch.tensor(0.0))
    >>> transform.log_abs_det_jacobian(torch.zeros(2), transform(torch.zeros(2))).exp()
    tensor(3.)
    """

    def __init__(self, w: Tensor, u: Tensor, b: Tensor, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        if w.dim() == 0:
            raise ValueError("w must be (*, d), got a scalar")
        _check_event(u, w.shape[-1])
        self.w = w
        self.u = u
        self.b = b

    def _dot(self, z: Tensor) -> Tensor:
        _check_event(z, self.w.shape[-1])
        return (self.w * z).sum(-1)

    def _call(self, x: Tensor) -> Tensor:
        return x + self.u * torch.tanh(self._dot(x) + self.b).unsqueeze(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        a = _planar_preactivation(self._dot(y) + self.b, self._dot(self.u))
        return y - self.u * torch.tanh(a).unsqueeze(-1)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return _planar_det(self._dot(x) + self.b, self._dot(self.u)).abs().log()

    def forward_shape(self, shape: torch.Size) -> torch.Size:
        return torch.Size(torch.broadcast_shapes(shape, self.w.shape, self.u.shape, (*self.b.shape, 1)))


class AffineCoupling(_VectorTransform):
    r"""The affine coupling layer of Real NVP: some coordinates pass, and scale and shift the others.

    .. math:: y_1 = x_1, \quad y_2 = x_2 \odot e^{s(x_1)} + t(x_1), \qquad
              \log |\det \partial y / \partial x| = \sum_j s_j(x_1)

    ``conditioner`` maps x_1 to (s, t): a module, or a function such as ``lambda x: (x @ A, x @ B)``.

    Shapes: x and y (\*, d), x_1 (\*, split); s and t anything that broadcasts to (\*, d - split).
    Raises ``ValueError`` if split < 1, or x has no more than split coordinates.
    Source: Dinh et al. (2017), equations 4 to 8.

    >>> transform = AffineCoupling(lambda x: (x, 2 * x), split=1)
    >>> transform(torch.tensor([0.0, 3.0])), transform.inv(torch.tensor([1.0, 2.0]))
    (tensor([0., 3.]), tensor([1., 0.]))
    """

    def __init__(self, conditioner: Conditioner, split: int, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        if split < 1:
            raise ValueError(f"split must be at least 1, got {split}")
        self.conditioner = conditioner
        self.split = split

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if x.dim() == 0 or x.shape[-1] <= self.split:
            raise ValueError(f"expected (*, d) with d > split = {self.split}, got {tuple(x.shape)}")
        first, second = x[..., : self.split], x[..., self.split :]
        return first, second, *self.conditioner(first)

    def _call(self, x: Tensor) -> Tensor:
        first, second, s, t = self._parts(x)
        return torch.cat([first, second * s.exp() + t], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        first, second, s, t = self._parts(y)
        return torch.cat([first, (second - t) * (-s).exp()], -1)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        _, second, s, _ = self._parts(x)
        return s.expand_as(second).sum(-1)


class PlanarFlow(nn.Module):
    r"""A planar flow whose parameters keep it invertible.

    .. math:: \hat u = u + (m(w \cdot u) - w \cdot u)\, w / |w|^2, \qquad m(x) = -1 + \log(1 + e^x)

    Then :math:`w \cdot \hat u = m(w \cdot u) > -1`, up to rounding; for w = 0 it is a translation.

    Shapes: z (\*, dim) gives f(z) (\*, dim) and log |det| (\*). Parameters: weight w, scale u, bias b.
    Raises ``ValueError`` if dim < 1, or z is not (\*, dim).
    Source: Rezende and Mohamed (2015), equation 10 and appendix A.1.

    >>> flow = PlanarFlow(2)
    >>> z, logdet = flow(torch.zeros(5, 2))
    >>> z.shape, logdet.shape, flow.transform().inv(z).shape
    (torch.Size([5, 2]), torch.Size([5]), torch.Size([5, 2]))
    """

    def __init__(self, dim: int, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        factory_kwargs: dict[str, Any] = {"device": device, "dtype": dtype}
        super().__init__()
        self.dim = dim
        self.weight = nn.Parameter(torch.empty(dim, **factory_kwargs))
        self.scale = nn.Parameter(torch.empty(dim, **factory_kwargs))
        self.bias = nn.Parameter(torch.empty((), **factory_kwargs))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weight and scale from U(-1/sqrt(dim), 1/sqrt(dim)); the bias starts at zero."""
        bound = self.dim**-0.5
        nn.init.uniform_(self.weight, -bound, bound, generator=generator)
        nn.init.uniform_(self.scale, -bound, bound, generator=generator)
        nn.init.zeros_(self.bias)

    def transform(self) -> Planar:
        """The flow as a transform, with the constrained u."""
        w, dot = self.weight, (self.weight * self.scale).sum()
        margin = -F.logsigmoid(-dot)  # softplus; F.softplus drops e^-x beyond x = 20, in float64 too
        square = (w * w).sum().clamp(min=torch.finfo(w.dtype).tiny)
        return Planar(w, self.scale + (margin - 1 - dot) * w / square, self.bias)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The image of z, and the log-determinant there."""
        transform = self.transform()
        y = transform(z)
        return y, transform.log_abs_det_jacobian(z, y)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


def compose(*transforms: Transform) -> ComposeTransform:
    r"""The transforms in turn, the first one first; their log-determinants add.

    .. math:: T = T_k \circ \dots \circ T_1, \quad \log |\det J_T(x_0)| = \sum_l \log |\det J_l(x_{l-1})|

    Source: notes, section 4.1.1; Rezende and Mohamed (2015), equations 6 and 7.

    >>> double, increment = Affine(2 * torch.eye(1), torch.zeros(1)), Affine(torch.eye(1), torch.ones(1))
    >>> compose(double, increment)(torch.tensor([3.0]))
    tensor([7.])
    """
    return ComposeTransform(list(transforms))


def flow_log_prob(u: Tensor, transform: Transform, base: Distribution) -> Tensor:
    r"""The log-density at u of T(X), where X has the law ``base``.

    .. math:: \log p_U(u) = \log p_X(x) - \log |\det \partial T / \partial x|, \qquad x = T^{-1}(u)

    The notes' plus sign belongs to the Jacobian of the inverse. In vmap, give base ``validate_args=False``.

    Shapes: u (\*, d); the result (\*). A base without event dimensions is read as independent.

    Source: notes, section 4.1.1; Rezende and Mohamed (2015), equation 5.

    >>> double = Affine(2 * torch.eye(2), torch.zeros(2))
    >>> flow_log_prob(torch.zeros(2), double, torch.distributions.Normal(torch.zeros(2), 1.0)).exp()
    tensor(0.0398)
    """
    x = transform.inv(u)
    missing = transform.domain.event_dim - len(base.event_shape)
    log_det = _sum_rightmost(transform.log_abs_det_jacobian(x, u), -missing)
    return _sum_rightmost(base.log_prob(x), missing) - log_det


def jacobian(transform: Map, x: Tensor) -> Tensor:
    r"""The Jacobian matrix at each point of a batch, by autograd: rows are outputs, columns are inputs.

    .. math:: J_{ij} = \partial T_i / \partial x_j

    Shapes: x (\*, d); the result (\*, m, d), for T from (\*, d) to (\*, m) that maps each point by itself.
    Raises ``ValueError`` for any other shapes (expand x over the leading dimensions of a batched transform).
    Source: notes, section 4.1.1.

    >>> jacobian(lambda x: torch.stack([x[..., 0] * x[..., 1], x[..., 1]], -1), torch.tensor([2.0, 3.0]))
    tensor([[3., 2.],
            [0., 1.]])
    """
    if x.dim() == 0:
        raise ValueError("x must be (*, d), got a scalar")

    def summed(x: Tensor) -> Tensor:
        y = transform(x)
        if y.shape[:-1] != x.shape[:-1]:
            raise ValueError(f"transform must map (*, d) to (*, m): {tuple(x.shape)} became {tuple(y.shape)}")
        return _sum_rightmost(y.movedim(-1, 0), y.dim() - 1)

    rows: Tensor = torch.func.jacrev(summed)(x)
    return rows.movedim(0, -2)


def change_of_variables_integral(
    f: Map, transform: Map, lower: Tensor | Sequence[float], upper: Tensor | Sequence[float], order: int = 8
) -> Tensor:
    r"""The integral of f over the image of the rectangle B = [lower, upper], pulled back to B.

    .. math:: \int_{T(B)} f(s)\, ds = \int_B f(T(x))\, | \det J_T(x) |\, dx

    T must be continuously differentiable and one-to-one on B. (The notes omit the absolute value.) By the
    Gauss-Legendre product rule: exact for polynomials of degree up to 2 order - 1 in each coordinate.

    Shapes: lower and upper (2,); f maps (\*, 2) to (\*), T maps (\*, 2) to (\*, 2); the result ().
    Raises ``ValueError`` if lower or upper is not (2,), or order < 1.
    Source: notes, section 4.1.1.

    >>> swap = Affine(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.zeros(2))
    >>> change_of_variables_integral(lambda s: 1 + s[..., 0] * s[..., 1] ** 2, swap, [0.0, 0.0], [1.0, 1.0])
    tensor(1.1667)
    """
    lower, upper = torch.as_tensor(lower), torch.as_tensor(upper)
    if lower.shape != (2,) or upper.shape != (2,) or order < 1:
        shapes = f"{tuple(lower.shape)} and {tuple(upper.shape)}"
        raise ValueError(f"lower and upper must be (2,) and order at least 1, got {shapes} and {order}")
    # Golub and Welsch: the nodes are the eigenvalues of the matrix of the Legendre recurrence.
    n = torch.arange(1, order, dtype=torch.float64)
    beside = torch.diag(n / (4 * n * n - 1).sqrt(), 1)
    nodes, vectors = torch.linalg.eigh(beside + beside.T)
    grid = ((1 + torch.cartesian_prod(nodes, nodes)) / 2).to(lower.device, lower.dtype)
    weights = torch.outer(vectors[0] ** 2, vectors[0] ** 2).flatten().to(lower.device, lower.dtype)
    x = lower + (upper - lower) * grid
    j = jacobian(transform, x)
    det = j[..., 0, 0] * j[..., 1, 1] - j[..., 0, 1] * j[..., 1, 0]
    return (upper - lower).abs().prod() * (weights * f(transform(x)) * det.abs()).sum()


def image_area(transform: Map, corner: Tensor, side: float | Tensor) -> Tensor:
    r"""The area of a small square's image over the square's, from the images of its corners (the shoelace).

    .. math:: | (T_{11} - T_{00}) \times (T_{01} - T_{10}) | / 2 h^2, \qquad T_{ij} = T(c + h\, (i, j))

    It is :math:`|\det \partial T / \partial x| + O(h)`, or O(h^2) with the determinant taken at the centre.

    Shapes: corner c (\*, 2), side h a number or (\*); the result (\*).
    Raises ``ValueError`` if corner is not (\*, 2).
    Source: notes, section 4.1.1.

    >>> image_area(Affine(2 * torch.eye(2), torch.zeros(2)), torch.zeros(2), 0.5)
    tensor(4.)
    """
    _check_event(corner, 2)
    h = torch.as_tensor(side, dtype=corner.dtype, device=corner.device).unsqueeze(-1)
    right, up = torch.eye(2, dtype=corner.dtype, device=corner.device)
    across = (transform(corner + h * (right + up)) - transform(corner)) / h
    back = (transform(corner + h * up) - transform(corner + h * right)) / h
    return (across[..., 0] * back[..., 1] - across[..., 1] * back[..., 0]).abs() / 2

"""Bugs in normalizing flows, their densities, and the change of variables."""

import torch

from gnomon.reference import flow
from planted import Planted


class PlanarNoAbs(flow.Planar):
    def log_abs_det_jacobian(self, x, y):
        return (1 + (1 - torch.tanh(self._dot(x) + self.b) ** 2) * self._dot(self.u)).log()


class PlanarSlopeAtX(flow.Planar):
    def log_abs_det_jacobian(self, x, y):
        slope = 1 - torch.tanh(x.sum(-1)) ** 2
        return (1 + slope * self._dot(self.u)).abs().log()


class PlanarSlopeAtY(flow.Planar):
    def log_abs_det_jacobian(self, x, y):
        return (1 + (1 - torch.tanh(self._dot(y) + self.b) ** 2) * self._dot(self.u)).abs().log()


class PlanarInverseSign(flow.Planar):
    def log_abs_det_jacobian(self, x, y):
        return -super().log_abs_det_jacobian(x, y)


class PlanarForgetsBias(flow.Planar):
    def log_abs_det_jacobian(self, x, y):
        return (1 + (1 - torch.tanh(self._dot(x)) ** 2) * self._dot(self.u)).abs().log()


class PlanarClamped(flow.Planar):
    """Wrong only near a vanishing determinant."""

    def log_abs_det_jacobian(self, x, y):
        det = 1 + (1 - torch.tanh(self._dot(x) + self.b) ** 2) * self._dot(self.u)
        return det.abs().clamp(min=0.01).log()


class CouplingMinus(flow.AffineCoupling):
    def log_abs_det_jacobian(self, x, y):
        return -super().log_abs_det_jacobian(x, y)


class CouplingCountsOnce(flow.AffineCoupling):
    """Right for one scaled coordinate, wrong for more."""

    def log_abs_det_jacobian(self, x, y):
        return self._parts(x)[2][..., 0]


class CouplingShiftFirst(flow.AffineCoupling):
    def _call(self, x):
        first, second, s, t = self._parts(x)
        return torch.cat([first, (second + t) * s.exp()], -1)


class CouplingInverseForgetsShift(flow.AffineCoupling):
    def _inverse(self, y):
        first, second, s, _ = self._parts(y)
        return torch.cat([first, second * (-s).exp()], -1)


class CouplingSoftClamped(flow.AffineCoupling):
    """Scales above 5 are clamped: a rare branch."""

    def _parts(self, x):
        first, second, s, t = super()._parts(x)
        return first, second, s.clamp(max=5.0), t


def compose_backwards(first, second):
    return flow.compose(second, first)


def printed_log_prob(u, transform, base):
    x = transform.inv(u)
    return base.log_prob(x).sum(-1) + transform.log_abs_det_jacobian(x, u)


def log_prob_at_u(u, transform, base):
    return base.log_prob(u).sum(-1) - transform.log_abs_det_jacobian(transform.inv(u), u)


def jacobian_transposed(transform, x):
    return flow.jacobian(transform, x).mT


def signed_integral(f, transform, lower, upper, order=8):
    return flow.change_of_variables_integral(f, transform, lower, upper, order) * torch.sign(
        torch.det(flow.jacobian(transform, lower).double())
    ).to(lower.dtype)


def midpoint_integral(f, transform, lower, upper, order=8):
    """The midpoint rule: exact for linear functions only."""
    centre = (lower + upper) / 2
    j = flow.jacobian(transform, centre)
    det = j[0, 0] * j[1, 1] - j[0, 1] * j[1, 0]
    return f(transform(centre)) * det.abs() * (upper - lower).prod()


def reciprocal_area(transform, corner, side):
    return 1 / flow.image_area(transform, corner, side)


def signed_area(transform, corner, side):
    h = side.unsqueeze(-1)
    right, up = torch.eye(2, dtype=corner.dtype, device=corner.device)
    across = (transform(corner + h * (right + up)) - transform(corner)) / h
    back = (transform(corner + h * up) - transform(corner + h * right)) / h
    return (across[..., 0] * back[..., 1] - across[..., 1] * back[..., 0]) / 2


class AffineSameSign(flow.Affine):
    """log|det| of the inverse under the name of the map's."""

    def log_abs_det_jacobian(self, x, y):
        return -super().log_abs_det_jacobian(x, y)


PLANTED = (
    Planted("planar: no absolute value", "flow.Planar", PlanarNoAbs),
    Planted("planar: slope at x, not at w.x + b", "flow.Planar", PlanarSlopeAtX),
    Planted("planar: slope at the image", "flow.Planar", PlanarSlopeAtY),
    Planted("planar: log-determinant of the inverse", "flow.Planar", PlanarInverseSign),
    Planted("planar: bias forgotten in the determinant", "flow.Planar", PlanarForgetsBias),
    Planted("planar: determinant clamped near zero", "flow.Planar", PlanarClamped),
    Planted("coupling: minus the sum of the scales", "flow.AffineCoupling", CouplingMinus),
    Planted("coupling: only the first scale counted", "flow.AffineCoupling", CouplingCountsOnce),
    Planted("coupling: shift before scale", "flow.AffineCoupling", CouplingShiftFirst),
    Planted("coupling: inverse without the shift", "flow.AffineCoupling", CouplingInverseForgetsShift),
    Planted("coupling: scales above 5 clamped", "flow.AffineCoupling", CouplingSoftClamped),
    Planted("composition in the other order", "flow.compose", compose_backwards),
    Planted("density with the printed sign", "flow.flow_log_prob", printed_log_prob),
    Planted("base density at u instead of the inverse", "flow.flow_log_prob", log_prob_at_u),
    Planted("Jacobian transposed", "flow.jacobian", jacobian_transposed),
    Planted("integral with a signed determinant", "flow.change_of_variables_integral", signed_integral),
    Planted("integral by the midpoint rule", "flow.change_of_variables_integral", midpoint_integral),
    Planted("area: the reciprocal", "flow.image_area", reciprocal_area),
    Planted("area: with its sign", "flow.image_area", signed_area),
    Planted("affine: sign of the log-determinant", "flow.Affine", AffineSameSign),
)

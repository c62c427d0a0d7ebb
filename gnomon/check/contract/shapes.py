"""Optimizers whose parameters have other shapes and lie otherwise in memory."""

from __future__ import annotations

import torch
from torch import Tensor

from gnomon.check.contract.worn import Worn


class Boxed(Worn):
    """Each parameter has one more axis before, and one behind."""

    itself = False

    def torn(self, tensor: Tensor) -> list[Tensor]:
        return [tensor.clone().unsqueeze(0).unsqueeze(-1)]


class Flat(Worn):
    """Each parameter is a vector."""

    itself = False

    def torn(self, tensor: Tensor) -> list[Tensor]:
        return [tensor.clone().reshape(-1)]


class Matrix(Worn):
    """Each parameter is a matrix of other extents."""

    itself = False

    def torn(self, tensor: Tensor) -> list[Tensor]:
        rows = 2 if tensor.numel() % 2 == 0 else 1
        return [tensor.clone().reshape(-1, rows).mT.contiguous().mT]

    def joined(self, pieces: list[Tensor], like: Tensor) -> Tensor:
        return pieces[0].reshape(like.shape)


class Scattered(Worn):
    """Each parameter is every other number of a larger tensor."""

    itself = False

    def torn(self, tensor: Tensor) -> list[Tensor]:
        return [torch.stack([tensor, torch.full_like(tensor, torch.nan)], -1)[..., 0]]


class Pieces(Worn):
    """Each entry of a parameter is one by itself, without an axis."""

    itself = False

    def torn(self, tensor: Tensor) -> list[Tensor]:
        return [each.clone() for each in tensor.reshape(-1).unbind()]

    def joined(self, pieces: list[Tensor], like: Tensor) -> Tensor:
        return torch.stack(pieces).reshape(like.shape)

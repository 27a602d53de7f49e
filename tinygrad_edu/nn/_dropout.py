"""Dropout: while training, set random parts to zero and scale the rest so that the mean stays."""

from __future__ import annotations

from .._tensor import Tensor
from . import functional as F
from ._module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """What all share: with which probability to drop."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """Set each element to zero with probability ``p`` and divide the rest by 1 - p; do nothing after ``eval()``.

    Srivastava et al., 2014.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> drop = torch.nn.Dropout(0.5)
    >>> sorted(set(drop(torch.ones(100)).tolist()))
    [0.0, 2.0]
    >>> drop.eval()(torch.ones(2))
    tensor([1., 1.])

    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop elements."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Drop whole channels: (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Drop whole channels: (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Drop whole channels: (N, C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Drop elements to SELU's lowest value and rescale: mean 0 and variance 1 stay. Klambauer et al., 2017."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop elements."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop channels."""
        return F.feature_alpha_dropout(input, self.p, self.training)

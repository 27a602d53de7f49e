"""Padding as modules: widths are (left, right[, top, bottom[, front, back]]), or one number for all."""

from __future__ import annotations

from collections.abc import Sequence

from .._tensor import Tensor
from . import functional as F
from ._module import Module
from ._sizes import spread

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """What all share: widths."""

    dimensions: int
    mode: str

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = spread(padding, 2 * self.dimensions)

    def forward(self, input: Tensor) -> Tensor:
        """Pad."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Pad."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Return the widths and the value."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{self.padding}"


class ConstantPad1d(_ConstantPad):
    """Surround the input with one number: (N, C, L) or without N."""

    dimensions = 1


class ConstantPad2d(_ConstantPad):
    """Surround the input with one number: (N, C, H, W) or without N."""

    dimensions = 2


class ConstantPad3d(_ConstantPad):
    """Surround the input with one number: (N, C, D, H, W) or without N."""

    dimensions = 3


class ZeroPad1d(_ZeroPad):
    """Surround the input with zeros: (N, C, L) or without N."""

    dimensions = 1


class ZeroPad2d(_ZeroPad):
    """Surround the input with zeros: (N, C, H, W) or without N.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.ZeroPad2d((1, 0, 0, 1))(torch.ones(1, 1, 2))
    tensor([[[0., 1., 1.],
             [0., 0., 0.]]])

    """

    dimensions = 2


class ZeroPad3d(_ZeroPad):
    """Surround the input with zeros: (N, C, D, H, W) or without N."""

    dimensions = 3


class ReflectionPad1d(_Pad):
    """Surround the input with the input's reflection, its edge not repeated: (N, C, L) or without N."""

    dimensions = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """Surround the input with the input's reflection, its edge not repeated: (N, C, H, W) or without N."""

    dimensions = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """Surround the input with the input's reflection, its edge not repeated: (N, C, D, H, W) or without N."""

    dimensions = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """Surround the input with copies of its edge: (N, C, L) or without N."""

    dimensions = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """Surround the input with copies of its edge: (N, C, H, W) or without N."""

    dimensions = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """Surround the input with copies of its edge: (N, C, D, H, W) or without N."""

    dimensions = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """Surround the input with what comes round from the other side: (N, C, L) or without N."""

    dimensions = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """Surround the input with what comes round from the other side: (N, C, H, W) or without N."""

    dimensions = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """Surround the input with what comes round from the other side: (N, C, D, H, W) or without N."""

    dimensions = 3
    mode = "circular"

"""Layers that multiply by a learnt matrix."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from .. import _dtype
from .._creation import Device, empty
from .._tensor import Tensor
from . import functional as F
from . import init
from ._module import Module
from .parameter import Parameter

__all__ = ["Bilinear", "Identity", "Linear"]

Anything = TypeVar("Anything")


class Identity(Module):
    """Hand the input through; takes any arguments and ignores them."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__()

    def forward(self, input: Anything) -> Anything:
        """Return the input."""
        return input


class Linear(Module):
    """Multiply by a learnt matrix and add a learnt vector: y = x @ weight.T + bias.

    (..., in_features) -> (..., out_features). Weight and bias start uniform within 1/sqrt(in_features).

    Parameters
    ----------
    bias
        Whether to add a vector; without it ``bias`` is None.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> layer = torch.nn.Linear(5, 3)
    >>> layer
    Linear(in_features=5, out_features=3, bias=True)
    >>> layer(torch.ones(2, 5)).shape
    torch.Size([2, 3])

    """

    weight: Parameter  # (out_features, in_features)
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew: uniform within 1/sqrt(in_features)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # sqrt(5) makes the bound 1/sqrt(fan_in)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Compute x @ weight.T + bias."""
        held: dict[str, Any] = self._parameters  # read directly: a layer's own attributes cost half a microsecond each
        try:
            weight, bias = held["weight"], held["bias"]
        except KeyError:  # replaced by plain attributes
            weight, bias = self.weight, self.bias
        return F.linear(input, weight, bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """Combine two inputs through a learnt three-way table: y_k = x1 @ weight[k] @ x2 + bias_k."""

    weight: Parameter  # (out_features, in1_features, in2_features)
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_features, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew: uniform within 1/sqrt(in1_features)."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """Combine two inputs."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )

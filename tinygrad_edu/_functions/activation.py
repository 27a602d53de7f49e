"""The two activations that torch has as methods, too; their kin are in ``nn.functional``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import scalar_name
from .._ops import activation as _ops

if TYPE_CHECKING:
    from .._tensor import Tensor

__all__ = ["hardshrink", "prelu"]


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Put zero where |x| is at most lambd."""
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"hardshrink_cpu\" not implemented for '{scalar_name(input._array.dtype)}': it takes floating-point numbers; "
            "convert with .float()."
        )
    return _ops.hardshrink(input, lambd=float(lambd))


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Give x above zero and weight x below, with one learned weight or one per channel (He 2015)."""
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    n = weight.numel()
    if n != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        if channels != n:
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {n} and channel size = "
                f"{channels}. Give one weight, or one per element of dimension 1."
            )
        weight = weight.reshape(n, *(1 for _ in range(input.ndim - 2)))
    elif weight.ndim == 1 and input.ndim == 0:
        weight = weight.reshape(())
    if input._array.dtype is not weight._array.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}".replace("torch.", "")
        )
    return _ops.prelu(input, weight)

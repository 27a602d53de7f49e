"""Dropout: forget elements or whole channels at random while training."""

from __future__ import annotations

import math
import warnings

import numpy as np

from ..._tensor import Tensor
from ...random import stream
from ._common import scalar_type

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _check(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(input: Tensor, p: float, shape: tuple[int, ...] | None, inplace: bool) -> Tensor:
    """Multiply by a mask of 0 and 1 / (1 - p); of ``shape``, or one mark per element."""
    x = input._array
    if p == 0 or x.size == 0:
        return input
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {scalar_type(input)}: dropout scales by 1 / (1 - p); "
            "convert with .float()."
        )
    if p == 1:  # nothing to draw
        noise = np.zeros((), x.dtype)
    else:
        noise = stream(None, "dropout")._keep_mask(input._writable() if shape is None else shape, p).astype(x.dtype)
        noise /= x.dtype.type(1.0 - p)
    mask = Tensor._of(noise)
    return input.mul_(mask) if inplace else input * mask


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Put zero with probability p and scale the rest by 1 / (1 - p), while training (Hinton 2012)."""
    _check(p)
    return _drop(input, p, None, inplace) if training else input


def _channels(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if not training:
        return input
    return _drop(input, p, (*input.shape[:2], *(1 for _ in input.shape[2:])), inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Put zero over whole channels of (N, C, L) or (C, L) with probability p, while training."""
    _check(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension "
            "(i.e. 2D or 3D inputs)."
        )
    return _without_batch(input, p, training, inplace) if input.ndim == 2 else _channels(input, p, training, inplace)


def _without_batch(input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    out = _channels(input.unsqueeze_(0) if inplace else input.unsqueeze(0), p, training, inplace)
    return out.squeeze_(0) if inplace else out.squeeze(0)


def _unusual(name: str, input: Tensor, spatial: int) -> None:
    dims = f"{spatial + 1}D or {spatial + 2}D"
    warnings.warn(
        f"{name}: Received a {input.ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} exists to "
        f"provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, and an optional batch "
        f"dimension (i.e. {dims} inputs).",
        stacklevel=3,
    )


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Put zero over whole channels of (N, C, H, W) with probability p, while training (Tompson 2014)."""
    _check(p)
    if input.ndim not in (3, 4):
        _unusual("dropout2d", input, 2)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - "
            "input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future "
            "release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _channels(input, p, training, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Put zero over whole channels of (N, C, D, H, W) or (C, D, H, W) with probability p, while training."""
    _check(p)
    if input.ndim not in (4, 5):
        _unusual("dropout3d", input, 3)
    return _without_batch(input, p, training, inplace) if input.ndim == 4 else _channels(input, p, training, inplace)


def _alpha(input: Tensor, p: float, shape: tuple[int, ...] | None) -> Tensor:
    """Drop to the value that selu saturates at, then restore mean and variance (Klambauer 2017)."""
    x = input._array
    if p == 0 or x.size == 0:
        return input
    if p == 1:
        return input * Tensor._of(np.zeros(x.shape if shape is None else shape, x.dtype))
    keep = stream(None, "alpha_dropout")._keep_mask(input._writable() if shape is None else shape, p).astype(x.dtype)
    alpha = 1.7580993408473766
    a = 1.0 / math.sqrt((alpha * alpha * p + 1.0) * (1.0 - p))
    shift = (keep - x.dtype.type(1)) * x.dtype.type(alpha * a) + x.dtype.type(alpha * a * p)
    return input * Tensor._of(keep * x.dtype.type(a)) + Tensor._of(shift)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Drop elements so that mean zero and variance one survive, while training."""
    _check(p)
    out = _alpha(input, p, None) if training else input
    return input._write(out, "dropout with inplace=True") if inplace and out is not input else out


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Drop whole channels so that mean zero and variance one survive, while training."""
    _check(p)
    out = _alpha(input, p, (*input.shape[:2], *(1 for _ in input.shape[2:]))) if training else input
    return input._write(out, "dropout with inplace=True") if inplace and out is not input else out

"""Softmax and its logarithm, shifted by the maximum so that nothing overflows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .._core.op import Array, op
from .elementwise import exp
from .shape import broadcast_to


def ones(n: int, dtype: np.dtype[Any]) -> Array:
    """Give n ones. A product with them sums rows or columns several times faster than NumPy's reductions do."""
    return _few_ones(n, dtype) if n <= 4096 else np.ones(n, dtype)


@lru_cache(maxsize=128)
def _few_ones(n: int, dtype: np.dtype[Any]) -> Array:
    return np.ones(n, dtype)


def shifted(x: Array, axis: int) -> Array:
    """Subtract the largest element along ``axis``, which changes no softmax but keeps exponentials finite."""
    if x.ndim == 0:
        return x - x
    if x.size == 0:
        return x + 0
    return x - np.maximum.reduce(x, axis=axis, keepdims=True)


@op(node="SumBackward1")
def total(x: Array, *, axis: int) -> Array:
    """Sum along ``axis``, keeping it; a number counts as an axis of one element."""
    if x.ndim == 0:
        return x + 0
    if axis == x.ndim - 1 and x.dtype.char in "fd" and x.ndim > 1:
        return x.dot(ones(x.shape[-1], x.dtype))[..., None]
    return np.add.reduce(x, axis=axis, keepdims=True)


total.gradient(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


@op
def softmax(x: Array, *, axis: int) -> Array:
    """Normalise exponentials to sum to one along ``axis``."""
    e = np.exp(shifted(x, axis))
    e /= total(e, axis=axis)
    return e


def _softmax_share(g: Array, out: Array, axis: int) -> Array:
    weighted = g * out
    return weighted - out * total(weighted, axis=axis)


softmax.gradient(x=_softmax_share)


@op
def log_softmax(x: Array, *, axis: int) -> Array:
    """Take the logarithm of the softmax without forming it: x - max - log(sum(exp(x - max)))."""
    s = shifted(x, axis)
    s -= np.log(total(np.exp(s), axis=axis))
    return s


log_softmax.gradient(x=lambda g, out, axis: g - exp(out) * total(g, axis=axis))


@op(node="SafeSoftmaxBackward0")
def safe_softmax(x: Array, *, axis: int) -> Array:
    """As softmax, but a row of nothing but -inf (all masked) gives zeros instead of nan."""
    if x.size == 0 or x.ndim == 0:
        return softmax.forward(x, axis=axis)
    top = np.maximum.reduce(x, axis=axis, keepdims=True)
    e = np.exp(x - top)
    e /= total(e, axis=axis)
    masked = top == -np.inf
    return np.where(masked, np.asarray(0, x.dtype), e) if masked.any() else e


safe_softmax.gradient(x=_softmax_share)

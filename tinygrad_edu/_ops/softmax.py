"""Softmax and its logarithm, shifted by the maximum so that nothing overflows."""

from __future__ import annotations

import numpy as np

from .._core.op import Array, op
from .elementwise import exp
from .reduce import sum


def shifted(x: Array, axis: int) -> Array:
    """Subtract the largest element along ``axis``, which changes no softmax but keeps exponentials finite."""
    if x.ndim == 0:
        return x - x
    if x.size == 0:
        return x + 0
    return x - np.maximum.reduce(x, axis=axis, keepdims=True)


def total(x: Array, axis: int) -> Array:
    """Sum along ``axis``, keeping it; a number counts as an axis of one element."""
    return np.add.reduce(x, axis=axis, keepdims=True) if x.ndim else x


@op
def softmax(x: Array, *, axis: int) -> Array:
    """Normalise exponentials to sum to one along ``axis``."""
    e = np.exp(shifted(x, axis))
    e /= total(e, axis)
    return e


def _softmax_share(g: Array, out: Array, axis: int) -> Array:
    weighted = g * out
    return weighted - out * (sum(weighted, axis=axis, keepdims=True) if out.ndim else weighted)


softmax.gradient(x=_softmax_share)


@op
def log_softmax(x: Array, *, axis: int) -> Array:
    """Take the logarithm of the softmax without forming it: x - max - log(sum(exp(x - max)))."""
    s = shifted(x, axis)
    s -= np.log(total(np.exp(s), axis))
    return s


log_softmax.gradient(x=lambda g, out, axis: g - exp(out) * (sum(g, axis=axis, keepdims=True) if out.ndim else g))


@op(node="SafeSoftmaxBackward0")
def safe_softmax(x: Array, *, axis: int) -> Array:
    """As softmax, but a row of nothing but -inf (all masked) gives zeros instead of nan."""
    e = np.exp(shifted(x, axis))
    e /= total(e, axis)
    masked = np.maximum.reduce(x, axis=axis, keepdims=True) == -np.inf
    return np.where(masked, np.asarray(0, x.dtype), e) if masked.any() else e


safe_softmax.gradient(x=_softmax_share)

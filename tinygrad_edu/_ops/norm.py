"""Normalisation to mean zero and variance one, over batches, layers, groups or instances: one op under torch's names."""

from __future__ import annotations

import numpy as np

from .._core.op import Array, op
from ._choice import FAST
from .elementwise import sqrt
from .reduce import sum
from .shape import reshape, sum_to
from .softmax import ones


def count(shape: tuple[int, ...], axis: tuple[int, ...]) -> int:
    """Count the elements of one group."""
    n = 1
    for a in axis:
        n *= shape[a]
    return max(n, 1)  # of nothing there is no mean, and nobody to ask for it


@op(node="NativeLayerNormBackward0")
def normalize(
    x: Array,
    w: Array,
    b: Array,
    *,
    axis: tuple[int, ...],
    groups: tuple[int, ...],
    weights: tuple[int, ...],
    parameters: tuple[int, ...],
    eps: float,
    memo: dict[str, Array] | None = None,
) -> Array:
    """Normalise groups, then scale and shift: (x - mean) / sqrt(variance + eps) * w + b.

    Parameters
    ----------
    x
        Seen as an array of shape ``groups``; mean and variance go over its axes ``axis``.
    w, b
        Scale and shift of shape ``parameters``, seen as arrays of shape ``weights`` that broadcasts to ``groups``;
        None for one and zero.
    """
    n = count(groups, axis)
    if FAST and x.dtype.char in "fd" and rows_are_groups(axis, groups, weights):
        return _rows_forward(x, w, b, n, eps, memo)
    y = x.reshape(groups)
    y = y - np.add.reduce(y, axis=axis, keepdims=True) / n
    y /= np.sqrt(np.add.reduce(y * y, axis=axis, keepdims=True) / n + eps)
    if w is not None:
        y *= w.reshape(weights)
    if b is not None:
        y += b.reshape(weights)
    return y.reshape(x.shape)


def _normalize_shares(
    g: Array,
    x: Array,
    w: Array,
    axis: tuple[int, ...],
    groups: tuple[int, ...],
    weights: tuple[int, ...],
    parameters: tuple[int, ...],
    eps: float,
    wanted: tuple[bool, ...],
) -> tuple[Array, Array, Array]:
    per_element = 1.0 / count(groups, axis)
    y, g_y = reshape(x, shape=groups), reshape(g, shape=groups)
    y = y - sum(y, axis=axis, keepdims=True) * per_element
    r = 1.0 / sqrt(sum(y * y, axis=axis, keepdims=True) * per_element + eps)
    y = y * r
    gw = reshape(sum_to(g_y * y, shape=weights), shape=parameters) if wanted[1] else None
    gb = reshape(sum_to(g_y, shape=weights), shape=parameters) if wanted[2] else None
    gx = None
    if wanted[0]:
        if w is not None:
            g_y = g_y * reshape(w, shape=weights)
        mean_g = sum(g_y, axis=axis, keepdims=True) * per_element
        mean_gy = sum(g_y * y, axis=axis, keepdims=True) * per_element
        gx = reshape((g_y - mean_g - y * mean_gy) * r, shape=g.shape)
    return gx, gw, gb


normalize.joint(_normalize_shares)


# A layer norm has one group per row. Sums of rows and columns are products with ones there, five times faster than NumPy's reductions,
# and the normalised rows are kept for backward: forward and backward of 16x64x64 take 0.22 ms instead of 0.49.


def rows_are_groups(axis: tuple[int, ...], groups: tuple[int, ...], weights: tuple[int, ...]) -> bool:
    """Say whether each group is a row of few elements (summed at once in float32, many would lose digits), with its weights."""
    lead = len(groups) - len(axis)
    return axis[0] == lead and weights == groups[lead:] and 0 < count(groups, axis) <= 4096


def _rows_forward(x: Array, w: Array, b: Array, n: int, eps: float, memo: dict[str, Array] | None) -> Array:
    """Normalise rows of n elements."""
    y = x.reshape(-1, n)
    mean = np.full(n, 1.0 / n, x.dtype)
    y = y - y.dot(mean)[:, None]
    rate = (y * y).dot(mean)
    rate += eps
    np.sqrt(rate, out=rate)
    np.reciprocal(rate, out=rate)
    y *= rate[:, None]
    if memo is not None:
        memo.update(y=y, rate=rate)
    out = y * w.reshape(n) if w is not None else y.copy()
    if b is not None:
        out += b.reshape(n)
    return out.reshape(x.shape)


def _rows_backward(g: Array, w: Array, parameters: tuple[int, ...], memo: dict[str, Array]) -> tuple[Array, ...]:
    """Compute the shares from the normalised rows that the forward kept."""
    y, rate = memo["y"], memo["rate"]
    count, n = y.shape
    gx, gw, gb = np.empty(g.shape, y.dtype), np.empty(parameters, y.dtype), np.empty(parameters, y.dtype)
    flow, of_rows, of_all = g.reshape(count, n), np.full(n, 1.0 / n, y.dtype), ones(count, y.dtype)
    by_y = flow * y
    of_all.dot(by_y, out=gw.reshape(n))
    of_all.dot(flow, out=gb.reshape(n))
    share = gx.reshape(count, n)
    if w is None:
        share[...] = flow
    else:
        of_rows *= w.reshape(n)
        np.multiply(flow, w.reshape(n), out=share)
    along = by_y.dot(of_rows)
    share -= flow.dot(of_rows)[:, None]
    share -= np.multiply(y, along[:, None], out=by_y)
    share *= rate[:, None]
    return gx, gw, gb


def _normalize_at_first_order(
    g: Array,
    x: Array,
    w: Array,
    axis: tuple[int, ...],
    groups: tuple[int, ...],
    weights: tuple[int, ...],
    parameters: tuple[int, ...],
    eps: float,
    memo: dict[str, Array],
    wanted: tuple[bool, ...],
) -> tuple[Array, Array, Array]:
    if memo:
        return _rows_backward(g, w, parameters, memo)
    return _normalize_shares(g, x, w, axis, groups, weights, parameters, eps, wanted)


if FAST:
    normalize.at_first_order(_normalize_at_first_order)
layer_norm = normalize
batch_norm = normalize.named("NativeBatchNormBackward0")
group_norm = normalize.named("NativeGroupNormBackward0")


@op(node="NativeBatchNormBackward0")
def batch_norm_fixed(x: Array, w: Array, b: Array, *, mean: Array, rate: Array, weights: tuple[int, ...]) -> Array:
    """Normalise with given statistics, as evaluation does: (x - mean) * rate * w + b, per channel."""
    scale = rate if w is None else rate * w
    shift = -mean * scale if b is None else b - mean * scale
    y = x * scale.reshape(weights)
    y += shift.reshape(weights)
    return y


def _batch_norm_fixed_shares(
    g: Array, x: Array, w: Array, mean: Array, rate: Array, weights: tuple[int, ...], wanted: tuple[bool, ...]
) -> tuple[Array, Array, Array]:
    gx = gw = gb = None
    if wanted[0]:
        gx = g * reshape(rate if w is None else w * rate, shape=weights)
    if wanted[1]:
        gw = sum_to(g * (x - reshape(mean, shape=weights)), shape=weights)
        gw = reshape(gw, shape=rate.shape) * rate
    if wanted[2]:
        gb = reshape(sum_to(g, shape=weights), shape=rate.shape)
    return gx, gw, gb


batch_norm_fixed.joint(_batch_norm_fixed_shares)

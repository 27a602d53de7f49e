"""Normalisation to mean zero and variance one, over batches, layers, groups or instances: one op under torch's names."""

from __future__ import annotations

import numpy as np

from .._core.op import Array, op
from .elementwise import sqrt
from .reduce import sum
from .shape import reshape, sum_to


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

"""Sorting, searching and counting. Everything here answers with indices or counts; values are then picked by ``pick``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core.op import Array, op
from .reduce import pick

sorted_along = pick.named("SortBackward0")
stably_sorted_along = pick.named("SortBackward1")
top_along = pick.named("TopkBackward0")
kth_along = pick.named("KthvalueBackward0")


@op
def argsort(x: Array, *, axis: int, descending: bool = False) -> Array:
    """The order of the elements along ``axis``: equal ones stay in order, NaN counts as the largest."""
    if x.ndim == 0:
        return np.int64(0)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # Sorted from the far end and read backwards, equal elements are in order again.
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


@op
def top_index(x: Array, *, k: int, axis: int, largest: bool = True) -> Array:
    """Where the k largest (or smallest) elements are along ``axis``, in order."""
    if x.ndim == 0:
        return np.int64(0)
    n = x.shape[axis]
    lead = (slice(None),) * axis
    if 0 < 4 * k < n:  # far from all: separate them first, and sort only those
        first = np.argpartition(x, n - k if largest else k - 1, axis=axis)[
            (*lead, slice(-k, None) if largest else slice(0, k))
        ]
        first.sort(axis=axis)
        order = argsort(np.take_along_axis(x, first, axis), axis=axis, descending=largest)
        return np.take_along_axis(first, order, axis)
    return argsort(x, axis=axis, descending=largest)[(*lead, slice(0, k))]


@op
def kth_index(x: Array, *, k: int, axis: int, keepdims: bool = False) -> Array:
    """Where the k-th smallest element is along ``axis``, counted from 1."""
    order = np.argsort(x, axis=axis, kind="stable")
    return order[(slice(None),) * axis + (slice(k - 1, k) if keepdims else k - 1,)]


def _refused(name: str) -> Array:
    raise NotImplementedError(f"the derivative for '{name}' is not implemented.")


@op(node="Unique2Backward0")
def unique(x: Array) -> Array:
    """The distinct elements, ascending; each NaN is distinct."""
    return np.unique(x, equal_nan=False)


@op(node="UniqueDimBackward0")
def unique_slices(x: Array, *, axis: int) -> Array:
    """The distinct slices along ``axis``, ascending."""
    return np.unique(x, axis=axis, equal_nan=False)


@op(node="UniqueConsecutiveBackward0")
def run_heads(x: Array, *, starts: Array, axis: int) -> Array:
    """The first slice of each run of equal slices along ``axis``."""
    return np.compress(starts, x, axis=axis)


unique.gradient(x=lambda _: _refused("_unique2"))
unique_slices.gradient(x=lambda _: _refused("unique_dim"))
run_heads.gradient(x=lambda _: _refused("unique_consecutive"))


@op
def bincount(x: Array, *, weights: Array | None = None, minlength: int = 0) -> Array:
    """Count each number 0, 1, 2, ...; or add up its weights."""
    if x.size == 0:
        return np.zeros(minlength, np.int64)
    out = np.bincount(x, weights, minlength)
    return out if weights is None or weights.dtype.kind != "f" else out.astype(weights.dtype)


@op
def searchsorted(x: Array, y: Array, *, right: bool = False) -> Array:
    """Where each y would stand in the ascending x; x is one row, or has a row for each row of y."""
    side: Any = "right" if right else "left"
    if x.ndim <= 1:
        return np.searchsorted(x, y, side)
    out = np.empty(y.shape, np.int64)
    for place in np.ndindex(x.shape[:-1]):
        out[place] = np.searchsorted(x[place], y[place], side)
    return out


@op
def histogram(x: Array, *, edges: Array, weights: Array | None = None, density: bool = False) -> Array:
    """Count the elements between successive ``edges``, or add up their weights; the last edge belongs to the last bin."""
    x = x.reshape(-1)
    inside = (x >= edges[0]) & (x <= edges[-1])
    place = np.minimum(np.searchsorted(edges, x[inside], "right") - 1, len(edges) - 2)
    given = None if weights is None else weights.reshape(-1)[inside]
    out = np.bincount(place, given, len(edges) - 1).astype(x.dtype)
    if density:
        out = out / (out.sum() * np.diff(edges)).astype(x.dtype)
    return out


@op
def histc(x: Array, *, bins: int, low: float, high: float) -> Array:
    """Count the elements in ``bins`` equal parts of [low, high]."""
    x = x.reshape(-1)
    x = x[(x >= low) & (x <= high)].astype(np.float64)
    place = np.minimum(((x - low) / (high - low) * bins).astype(np.int64), bins - 1)
    return np.bincount(place, minlength=bins)

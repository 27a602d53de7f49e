"""Pooling: the largest element or the mean of every window, and the ways back."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from .._core.op import Array, op
from ._choice import FAST

BLOCK = 1 << 16  # elements of the input routed at once: half a megabyte of places, which the cache holds


class Window(NamedTuple):
    """The windows of a pooling: one number per spatial axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    size: tuple[int, ...]  # of the input
    places: tuple[int, ...]  # of the output

    @property
    def wide(self) -> tuple[int, ...]:
        """The size of the padded input; with ``ceil_mode`` the last window may reach beyond the padding."""
        return tuple(max(n + p, (m - 1) * s + d * (k - 1) + 1 - p) + p for k, s, p, d, n, m in zip(*self, strict=True))

    @property
    def overlaps(self) -> bool:
        """Can one element lie in several windows?"""
        return any(
            k > 1 and d * (k - 1) + 1 > s for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True)
        )

    def along(self, axis: int) -> list[slice]:
        """For every kernel element along one axis, where it looks in the padded input."""
        d, s, m = self.dilation[axis], self.stride[axis], self.places[axis]
        return [slice(j * d, j * d + (m - 1) * s + 1, s) for j in range(self.kernel[axis])]

    def slots(self) -> Iterator[tuple[slice, ...]]:
        """For every kernel element, in reading order, where it looks in the padded input."""
        return product(*(self.along(axis) for axis in range(len(self.kernel))))

    def inside(self) -> tuple[slice, ...]:
        """Where the input lies in the padded input."""
        return tuple(slice(p, p + n) for p, n in zip(self.padding, self.size, strict=True))


def places(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """Count the windows along one axis; none may start in the padding on the far side."""
    n = (size + 2 * padding - dilation * (kernel - 1) - 1 + (stride - 1 if ceil else 0)) // stride + 1
    return n - 1 if ceil and (n - 1) * stride >= size + padding else n


def surrounded(x: Array, window: Window, fill: float) -> Array:
    """Pad the spatial axes with ``fill``."""
    wide = window.wide
    if wide == window.size:
        return x
    out: Array = np.full((*x.shape[: x.ndim - len(wide)], *wide), fill, x.dtype)
    out[(..., *window.inside())] = x
    return out


def lowest(dtype: np.dtype[Any]) -> float:
    """Return what every element beats."""
    return -np.inf if dtype.kind == "f" else int(np.iinfo(dtype).min)


def over_axes(x: Array, window: Window, combine: np.ufunc) -> Array:
    """Combine every window, one axis after the other; the first axes first, for they have the longest runs."""
    spatial = len(window.kernel)
    for axis in range(spatial):
        after = (slice(None),) * (spatial - 1 - axis)
        first, *rest = (x[(..., where, *after)] for where in window.along(axis))
        if rest:
            x = combine(first, rest[0])
            for other in rest[1:]:
                combine(x, other, out=x)
        else:
            x = first
    return x


@op(node="MaxPool2DWithIndicesBackward0")
def max_pool(x: Array, *, window: Window) -> Array:
    """Take the largest element of every window; of equal ones the first receives the gradient.  (..., *S) -> (..., *P)"""
    out = over_axes(surrounded(x, window, lowest(x.dtype)), window, np.maximum)
    return out if out.base is None else out.copy()


def hits(x: Array, top: Array, window: Window) -> Iterator[tuple[tuple[slice, ...], Array]]:
    """For every kernel element, where it looks and which windows have their largest element there, the first if several."""
    wide: Array = surrounded(x, window, np.nan)  # the padding equals nothing
    free = np.ones(top.shape, bool)
    found = []
    for where in window.slots():
        hit = wide[(..., *where)] == top
        hit &= free
        free ^= hit
        found.append((where, hit))
    if free.any():  # windows with nan: torch remembers the last
        wide = surrounded(x, window, 0)
        for where, hit in reversed(found):
            more = np.isnan(wide[(..., *where)])
            more &= free
            free ^= more
            hit |= more
    return iter(found)


@op
def max_route(y: Array, x: Array, top: Array, *, window: Window) -> Array:
    """Send values back to where the largest elements ``top`` of x's windows stood.  (..., *P) -> (..., *S)"""
    out: Array = np.zeros((*x.shape[: x.ndim - len(window.size)], *window.wide), y.dtype)
    if has_pairs(window) and not np.isnan(top).any():
        route_pairs(y, x, out, window)
        return out
    finite = bool(np.isfinite(y).all())
    for where, hit in hits(x, top, window):
        share = y * hit if finite else np.where(hit, y, 0)  # a product is the faster, but inf * 0 is nan
        if window.overlaps:
            out[(..., *where)] += share
        else:
            out[(..., *where)] = share
    return out if window.wide == window.size else out[(..., *window.inside())].copy()


def has_pairs(window: Window) -> bool:
    """Are these windows of 2 along every axis, apart from each other and all within an input of usual size?

    Then ``route_pairs`` takes 0.5 (8x8 images) to 0.7 (28x28) of the time of ``hits`` and its masks.
    """
    pairs = set(window.kernel) == {2} and set(window.dilation) == {1}
    inside = window.wide == window.size and math.prod(window.size) <= BLOCK
    return FAST and pairs and inside and not window.overlaps


def route_pairs(y: Array, x: Array, out: Array, window: Window) -> None:
    """Write y into the zeros of ``out`` where the largest elements of x's windows stand, known by their number.

    Every element is compared with its neighbour along each axis, though only one in 2, 4 or 8 begins a window: over
    whole contiguous rows that is several times faster than over every other element.
    """
    images = math.prod(x.shape[: x.ndim - len(window.size)])
    x, out, y = (a.reshape(images, math.prod(a.shape[-len(window.size) :])) for a in (x, out, y))
    step = BLOCK // x.shape[1]
    at = first_elements(min(step, images), window)
    for i in range(0, images, step):
        values, block = x[i : i + step].reshape(-1), slice(i, i + step)
        out[block].reshape(-1)[largest_of_pairs(values, at[: len(x[block])].reshape(-1), window)] = y[block].reshape(-1)


def largest_of_pairs(x: Array, at: Array, window: Window) -> Array:
    """Number the largest element of each window, given the windows' first elements; of equal ones the first in reading order."""
    later: list[tuple[int, Array]] = []
    for axis in reversed(range(len(window.size))):
        step = math.prod(window.size[axis + 1 :])
        here, there = x[:-step], x[step:]
        later.append((step, here < there))
        x = np.maximum(here, there)
    for step, further in reversed(later):
        at = at + step * further.take(at, mode="clip")  # every place exists: "clip" only saves the check
    return at


@functools.lru_cache(maxsize=16)
def first_elements(images: int, window: Window) -> Array:
    """Number the first element of every window of contiguous images.  (images, P)"""
    at: Array = np.arange(images) * math.prod(window.size)
    for axis, (places, stride) in enumerate(zip(window.places, window.stride, strict=True)):
        at = at[..., None] + np.arange(places) * (stride * math.prod(window.size[axis + 1 :]))
    return at.reshape(images, math.prod(window.places))


@op
def max_pick(x_like: Array, x: Array, top: Array, *, window: Window) -> Array:
    """Read values where the largest elements of x's windows stand: the adjoint of ``max_route``.  (..., *S) -> (..., *P)"""
    wide: Array = surrounded(x_like, window, 0)
    out: Array = np.zeros(top.shape, x_like.dtype)
    for where, hit in hits(x, top, window):
        out += wide[(..., *where)] * hit
    return out


max_pool.gradient(x=lambda g, x, out, window: max_route(g, x, out, window=window))
max_route.gradient(y=lambda g, x, top, window: max_pick(g, x, top, window=window))
max_pick.gradient(x_like=lambda g, x, top, window: max_route(g, x, top, window=window))
max_pool_3d = max_pool.named("MaxPool3DWithIndicesBackward0")
max_pool_1d = max_pool.named("SqueezeBackward1")


@op
def max_indices(x: Array, top: Array, *, window: Window) -> Array:
    """Number the largest elements within the input's flattened spatial axes, as ``return_indices`` does."""
    numbers: Array = np.arange(int(np.prod(window.size)), dtype=np.int64).reshape(window.size)
    numbers = surrounded(numbers, window, 0)
    out: Array = np.zeros(top.shape, np.int64)
    for where, hit in hits(x, top, window):
        out += numbers[where] * hit
    # A window of nothing but -inf equals its padding too; hits never answers there, so the first element stands.
    return out


# ---- elements by their number within the flattened spatial axes


def flattened(x: Array, spatial: int) -> Array:
    """Join the last ``spatial`` axes."""
    lead = x.shape[: x.ndim - spatial]
    return x.reshape(*lead, math.prod(x.shape[len(lead) :]))


@op(node="MaxUnpool2DBackward0")
def spread(y: Array, index: Array, *, size: tuple[int, ...]) -> Array:
    """Put elements at numbered places among zeros; of several at one place the last stays.  (..., *P) -> (..., *size)"""
    lead = y.shape[: y.ndim - len(size)]
    out: Array = np.zeros((*lead, int(np.prod(size))), y.dtype)
    np.put_along_axis(out, flattened(index, len(size)), flattened(y, len(size)), axis=-1)
    return out.reshape(*lead, *size)


@op
def collect(x: Array, index: Array, *, spatial: int) -> Array:
    """Read elements at numbered places.  (..., *S), (..., *P) -> (..., *P)"""
    return np.take_along_axis(flattened(x, spatial), flattened(index, spatial), axis=-1).reshape(index.shape)


@op
def collect_back(y: Array, index: Array, *, size: tuple[int, ...]) -> Array:
    """Add elements at numbered places: the adjoint of ``collect``.  (..., *P) -> (..., *size)"""
    lead, cells = y.shape[: y.ndim - len(size)], int(np.prod(size))
    rows = int(np.prod(lead))
    flat = index.reshape(rows, index.size // max(rows, 1)) + np.arange(rows)[:, None] * cells
    out = np.bincount(flat.reshape(-1), y.reshape(-1), rows * cells)
    return out.astype(y.dtype).reshape(*lead, *size)


spread.gradient(y=lambda g, index, size: collect(g, index, spatial=len(size)))
collect.gradient(x=lambda g, index, x_shape, spatial: collect_back(g, index, size=x_shape[len(x_shape) - spatial :]))
collect_back.gradient(y=lambda g, index, size: collect(g, index, spatial=len(size)))
spread_3d = spread.named("MaxUnpool3DBackward0")
spread_1d = spread.named("SqueezeBackward1")
adaptive_max_pick = collect.named("AdaptiveMaxPool2DBackward0")
adaptive_max_pick_3d = collect.named("AdaptiveMaxPool3DBackward0")
adaptive_max_pick_1d = collect.named("SqueezeBackward1")


def adaptive_bounds(size: int, parts: int) -> list[tuple[int, int]]:
    """Cut ``size`` into ``parts`` nearly equal stretches, which may overlap by one."""
    return [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]


@op
def adaptive_max_indices(x: Array, *, parts: tuple[int, ...]) -> Array:
    """Number the largest element of every stretch, the first of equal ones."""
    spatial = len(parts)
    size = x.shape[x.ndim - spatial :]
    numbers: Array = np.arange(int(np.prod(size)), dtype=np.int64).reshape(size)
    out: Array = np.zeros((*x.shape[: x.ndim - spatial], *parts), np.int64)
    bounds = [adaptive_bounds(n, m) for n, m in zip(size, parts, strict=True)]
    for place in product(*map(range, parts)):
        where = tuple(slice(*bounds[axis][i]) for axis, i in enumerate(place))
        best = flattened(x[(..., *where)], spatial).argmax(axis=-1)
        out[(..., *place)] = numbers[where].reshape(-1)[best]
    return out


# ---- means


class Mean(NamedTuple):
    """What ``avg_pool`` divides by: a number, or one count per place."""

    window: Window
    divisor: Array


def mean_divisor(window: Window, count_padding: bool, override: int | None) -> Array:
    """Count the elements of every window: those within the input, and on the padding where that counts."""
    if override is not None:
        return override
    counts = []
    for k, s, p, _, n, m in zip(*window, strict=True):
        start = np.arange(m) * s - p
        stop = np.minimum(start + k, n + p)
        if not count_padding:
            start, stop = np.maximum(start, 0), np.minimum(stop, n)
        counts.append(stop - start)
    whole = counts[0]
    for more in counts[1:]:
        whole = whole[..., None] * more
    return int(whole.flat[0]) if (whole == whole.flat[0]).all() else whole


@op(node="AvgPool2DBackward0")
def avg_pool(x: Array, *, mean: Mean) -> Array:
    """Average every window.  (..., *S) -> (..., *P)"""
    out = over_axes(surrounded(x, mean.window, 0), mean.window, np.add)
    if x.dtype.kind != "f":
        return (out / mean.divisor).astype(x.dtype)
    return out / np.asarray(mean.divisor, x.dtype)


@op
def avg_unpool(y: Array, *, mean: Mean) -> Array:
    """Give every element its share of its windows: the adjoint of ``avg_pool``.  (..., *P) -> (..., *S)"""
    window = mean.window
    y = y / np.asarray(mean.divisor, y.dtype)
    out: Array = np.zeros((*y.shape[: y.ndim - len(window.size)], *window.wide), y.dtype)
    for where in window.slots():
        if window.overlaps:
            out[(..., *where)] += y
        else:
            out[(..., *where)] = y
    return out if window.wide == window.size else out[(..., *window.inside())].copy()


avg_pool.gradient(x=lambda g, mean: avg_unpool(g, mean=mean))
avg_unpool.gradient(y=lambda g, mean: avg_pool(g, mean=mean))
avg_pool_3d = avg_pool.named("AvgPool3DBackward0")
avg_pool_1d = avg_pool.named("SqueezeBackward1")

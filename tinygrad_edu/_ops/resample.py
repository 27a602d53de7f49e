"""Resampling along axes: interpolation, adaptive averages and padding by repetition are all one linear map.

A plan says for one axis which input elements make each output element, and with which weights. Applying a plan
gathers; its adjoint multiplies by the same weights written as a matrix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._core.op import Array, op


class Plan(NamedTuple):
    """Output element i along ``axis`` is the sum over k of weights[k, i] x[index[k, i]]; weights None means 1."""

    axis: int  # counted from the end, negative
    index: Array  # (taps, outputs)
    weights: Array | None  # (taps, outputs)

    def matrix(self, n: int, dtype: np.dtype[np.generic]) -> Array:
        """Write the plan as a matrix (outputs, n)."""
        taps, outputs = self.index.shape
        out = np.zeros((outputs, n))
        np.add.at(
            out, (np.arange(outputs)[None].repeat(taps, 0), self.index), 1.0 if self.weights is None else self.weights
        )
        return out.astype(dtype)


@op
def resample(x: Array, *, plans: tuple[Plan, ...]) -> Array:
    """Apply the plans, one axis after the other."""
    for axis, index, weights in plans:
        if weights is None:
            x = x.take(index[0], axis=axis)
            continue
        tall = weights.astype(x.dtype).reshape(*weights.shape, *(1 for _ in range(-axis - 1)))
        y = x.take(index[0], axis=axis) * tall[0]
        for k in range(1, len(index)):
            y += x.take(index[k], axis=axis) * tall[k]
        x = y
    return x


@op
def resample_back(y: Array, *, plans: tuple[Plan, ...], shape: tuple[int, ...]) -> Array:
    """Hand output elements back to the input elements that made them: the adjoint of ``resample``."""
    for plan in reversed(plans):
        m = plan.matrix(shape[plan.axis], y.dtype)
        if plan.axis == -1:
            y = y @ m
        elif plan.axis == -2:
            y = m.T @ y
        else:
            y = np.moveaxis(np.moveaxis(y, plan.axis, -1) @ m, -1, plan.axis)
    return np.ascontiguousarray(y)


resample.gradient(x=lambda g, x_shape, plans: resample_back(g, plans=plans, shape=x_shape))
resample_back.gradient(y=lambda g, plans: resample(g, plans=plans))

UPSAMPLE = {
    f"{mode}{n}d": resample.named(f"Upsample{name}{n}DBackward0")
    for mode, name, axes in (
        ("nearest", "Nearest", (1, 2, 3)),
        ("nearest-exact", "NearestExact", (1, 2, 3)),
        ("linear", "Linear", (1,)),
        ("bilinear", "Bilinear", (2,)),
        ("bicubic", "Bicubic", (2,)),
        ("trilinear", "Trilinear", (3,)),
    )
    for n in axes
}
REPEAT = {
    f"{mode}{n}d": resample.named(f"{name}{n}DBackward0")
    for mode, name in (("reflect", "ReflectionPad"), ("replicate", "ReplicationPad"))
    for n in (1, 2, 3)
}
circular = resample.named("torch::autograd::CopySlices")
adaptive_avg_pool = resample.named("AdaptiveAvgPool2DBackward0")
adaptive_avg_pool_3d = resample.named("AdaptiveAvgPool3DBackward0")
adaptive_avg_pool_1d = resample.named("SqueezeBackward1")


def nearest(n: int, m: int, step: float, centred: bool) -> tuple[Array, None]:
    """Take the nearest element at or before each place; ``centred`` compares the middles of elements."""
    at = np.floor((np.arange(m) + (0.5 if centred else 0.0)).astype(np.float32) * np.float32(step))
    return np.minimum(at.astype(np.int64), n - 1)[None], None


def source(n: int, m: int, step: float, align_corners: bool, below_zero: bool = False) -> Array:
    """Say where each of m places lies among n elements."""
    if align_corners:
        return np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    at = (np.arange(m) + 0.5) * step - 0.5
    return at if below_zero else np.maximum(at, 0.0)


def linear(n: int, m: int, step: float, align_corners: bool) -> tuple[Array, Array]:
    """Weigh the two neighbours of each place by their nearness."""
    at = source(n, m, step, align_corners)
    low = np.minimum(at.astype(np.int64), n - 1)
    high = np.minimum(low + 1, n - 1)
    w = np.clip(at - low, 0.0, 1.0)
    return np.stack([low, high]), np.stack([1.0 - w, w])


def cubic(n: int, m: int, step: float, align_corners: bool) -> tuple[Array, Array]:
    """Weigh four neighbours by Keys' cubic convolution kernel with a = -0.75 (Keys 1981)."""
    at = source(n, m, step, align_corners, below_zero=True)
    low = np.floor(at).astype(np.int64)
    t, a = at - low, -0.75

    def near(d: Array) -> Array:
        return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0

    def far(d: Array) -> Array:
        return ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a

    index = np.clip(np.stack([low - 1, low, low + 1, low + 2]), 0, n - 1)
    return index, np.stack([far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)])


def stretches(bounds: list[tuple[int, int]]) -> tuple[Array, Array]:
    """Average each stretch [start, stop); one shorter than the longest reads its last element several times, in equal shares."""
    taps = max((stop - start for start, stop in bounds), default=1)
    index = np.array([[min(start + k, stop - 1) for start, stop in bounds] for k in range(taps)], np.int64)
    weights = np.array(
        [
            [1 / (stop - start) / (taps - stop + start + 1 if start + k >= stop - 1 else 1) for start, stop in bounds]
            for k in range(taps)
        ]
    )
    return index.reshape(taps, len(bounds)), weights.reshape(taps, len(bounds))


def reflected(n: int, before: int, after: int) -> Array:
    """Mirror at both ends without repeating the border."""
    at = np.abs(np.arange(-before, n + after))
    return (n - 1 - np.abs(n - 1 - at))[None]


def replicated(n: int, before: int, after: int) -> Array:
    """Repeat the border."""
    return np.clip(np.arange(-before, n + after), 0, n - 1)[None]


def wrapped(n: int, before: int, after: int) -> Array:
    """Go round; what a negative width cuts off does not come back."""
    first, left = max(-before, 0), n - max(-before, 0) - max(-after, 0)
    return (first + np.arange(-max(before, 0), left + max(after, 0)) % max(left, 1))[None]


# ---- constant padding


@op(node="ConstantPadNdBackward0")
def constant_pad(x: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """Surround each axis by (before, after) elements of ``value``; a negative width cuts off."""
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, widths, strict=True))
    x = x[cut]
    if not any(a > 0 or b > 0 for a, b in widths):
        return x.copy()
    size = tuple(n + max(a, 0) + max(b, 0) for n, (a, b) in zip(x.shape, widths, strict=True))
    out = np.full(size, value, x.dtype) if value else np.zeros(size, x.dtype)
    out[tuple(slice(max(a, 0), max(a, 0) + n) for n, (a, _) in zip(x.shape, widths, strict=True))] = x
    return out


constant_pad.gradient(
    x=lambda g, widths: constant_pad(g, widths=tuple((-a, -b) for a, b in widths), value=0.0),
)


# ---- channels and places exchanged


def own(y: Array, x: Array) -> Array:
    """Copy y if it is still x's memory."""
    return y.copy() if np.may_share_memory(y, x) else y


@op
def pixel_shuffle(x: Array, *, factor: int) -> Array:
    """Lay r^2 channels out as squares of r by r places.  (..., C r^2, H, W) -> (..., C, H r, W r)"""
    *lead, c, h, w = x.shape
    r = factor
    y = x.reshape(*lead, c // (r * r), r, r, h, w)
    k = len(lead)
    order = (*range(k), k, k + 3, k + 1, k + 4, k + 2)
    return own(y.transpose(order).reshape(*lead, c // (r * r), h * r, w * r), x)


@op
def pixel_unshuffle(x: Array, *, factor: int) -> Array:
    """Collect squares of r by r places into channels: the inverse of ``pixel_shuffle``."""
    *lead, c, h, w = x.shape
    r = factor
    y = x.reshape(*lead, c, h // r, r, w // r, r)
    k = len(lead)
    order = (*range(k), k, k + 2, k + 4, k + 1, k + 3)
    return own(y.transpose(order).reshape(*lead, c * r * r, h // r, w // r), x)


pixel_shuffle.gradient(x=lambda g, factor: pixel_unshuffle(g, factor=factor))
pixel_unshuffle.gradient(x=lambda g, factor: pixel_shuffle(g, factor=factor))


@op
def channel_shuffle(x: Array, *, groups: int) -> Array:
    """Deal channels of groups out in turn.  (N, C, ...) -> (N, C, ...)"""
    n, c = x.shape[:2]
    return own(x.reshape(n, groups, c // groups, *x.shape[2:]).swapaxes(1, 2).reshape(x.shape), x)


channel_shuffle.gradient(x=lambda g, x_shape, groups: channel_shuffle(g, groups=x_shape[1] // groups))

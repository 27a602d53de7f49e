"""Convolution in any number of dimensions, and sliding blocks.

A convolution is one trilinear form in input x, kernel w and output y. Its three ops ``convolution``,
``convolution_input`` and ``convolution_kernel`` are each other's gradients, so differentiating twice, or ten
times, needs nothing new. A transposed convolution is ``convolution_input`` itself.

Shapes: x (N, C, *S), w (O, C / groups, *K), y (N, O, *P). Each image's windows are unfolded into columns
(C K, P), so that the work is one product of matrices per image, or per block of small images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from .._core.op import Array, op
from .reduce import sum

BLOCK = 1 << 18  # elements unfolded at once: a megabyte of float32, about what the cache holds
SMALL = 300  # output places below which images share one product


class Sliding(NamedTuple):
    """How a kernel moves: one number per spatial axis."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    def places(self, size: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, ...]:
        """Count the places of a kernel along each axis of an input."""
        return tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(size, kernel, self.stride, self.padding, self.dilation, strict=True)
        )


def padded(x: Array, padding: tuple[int, ...]) -> Array:
    """Surround the spatial axes by zeros; the result is contiguous."""
    if not any(padding):
        return np.ascontiguousarray(x)
    size = x.shape[2:]
    out: Array = np.zeros((*x.shape[:2], *(n + 2 * p for n, p in zip(size, padding, strict=True))), x.dtype)
    out[(..., *(slice(p, p + n) for n, p in zip(size, padding, strict=True)))] = x
    return out


def windows(x: Array, kernel: tuple[int, ...], places: tuple[int, ...], how: Sliding) -> Array:
    """View contiguous (N, C, *S) as all its windows, (N, C, *K, *P)."""
    spatial = x.strides[2:]
    strides = (
        *x.strides[:2],
        *(n * d for n, d in zip(spatial, how.dilation, strict=True)),
        *(n * s for n, s in zip(spatial, how.stride, strict=True)),
    )
    return np.ndarray((*x.shape[:2], *kernel, *places), x.dtype, x, 0, strides)


def blocks(n: int, per_image: int) -> Iterator[slice]:
    """Cut a batch so that a block's columns fit into the cache."""
    step = max(1, BLOCK // max(per_image, 1))
    return (slice(at, min(at + step, n)) for at in range(0, n, step))


def slots(
    kernel: tuple[int, ...], places: tuple[int, ...], how: Sliding
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """For every kernel element, where it looks in the padded input, over all places of the kernel."""
    for offset in product(*map(range, kernel)):
        yield (
            offset,
            tuple(
                slice(o * d, o * d + (n - 1) * s + 1, s)
                for o, d, s, n in zip(offset, how.dilation, how.stride, places, strict=True)
            ),
        )


@op(node="ConvolutionBackward0")
def convolution(x: Array, w: Array, b: Array, *, places: tuple[int, ...], how: Sliding, groups: int) -> Array:
    """Slide the kernels over the input: y[n, o, p] = sum of w[o, c, k] x[n, c, p stride + k dilation - padding] + b[o].

    ``places`` is the spatial shape of the result, at most what the input has room for.
    """
    n, out_channels, kernel = x.shape[0], w.shape[0], w.shape[2:]
    area, width, per_group = math.prod(places), w.size // max(out_channels, 1), out_channels // groups
    out: Array = np.empty((n, out_channels, *places), np.result_type(x, w))
    if out.size == 0:
        return out
    if width == 0:
        out[...] = 0
    else:
        wide = padded(x, how.padding)
        kernels = w.reshape(groups, per_group, width)
        target = out.reshape(n, groups, per_group, area)
        for block in blocks(n, width * groups * area):
            some = wide[block]
            if area < SMALL and groups == 1:
                columns = columns_together(some, kernel, places, how)
                target[block, 0] = (kernels[0] @ columns).reshape(per_group, area, -1).transpose(2, 0, 1)
            else:
                columns = windows(some, kernel, places, how).reshape(-1, groups, width, area)
                np.matmul(kernels, columns, out=target[block])
    if b is not None:
        out += b.reshape(-1, *(1 for _ in places))
    return out


def columns_together(x: Array, kernel: tuple[int, ...], places: tuple[int, ...], how: Sliding) -> Array:
    """Unfold several small images into one matrix (C K, P images).

    The images lie innermost, so that even the rows of a small image are copied in long runs.
    """
    inner = np.ascontiguousarray(np.moveaxis(x, 0, -1))  # (C, *S, images)
    spatial = inner.strides[1:-1]
    strides = (
        inner.strides[0],
        *(n * d for n, d in zip(spatial, how.dilation, strict=True)),
        *(n * s for n, s in zip(spatial, how.stride, strict=True)),
        inner.strides[-1],
    )
    view: Array = np.ndarray((inner.shape[0], *kernel, *places, inner.shape[-1]), x.dtype, inner, 0, strides)
    return view.reshape(inner.shape[0] * math.prod(kernel), -1)


def images_innermost(y: Array) -> Array:
    """Lay (images, channels, P) out as a matrix (channels, P images)."""
    return y.transpose(1, 2, 0).reshape(y.shape[1], -1)


@op(node="ConvolutionBackward0")
def convolution_input(y: Array, w: Array, b: Array, *, size: tuple[int, ...], how: Sliding, groups: int) -> Array:
    """Spread outputs over the input places they came from: the adjoint of ``convolution`` in x.

    ``size`` is the spatial shape of the input.
    """
    n, places, kernel = y.shape[0], y.shape[2:], w.shape[2:]
    channels = w.shape[1] * groups
    area, width, per_group = math.prod(places), w.shape[1] * math.prod(kernel), w.shape[0] // groups
    # Strides can leave places at the far end that no kernel reaches, and padding is cut off in the end.
    wide = tuple(
        max(k0 + 2 * p, (m - 1) * s + d * (k - 1) + 1)
        for k0, p, m, s, d, k in zip(size, how.padding, places, how.stride, how.dilation, kernel, strict=True)
    )
    out: Array = np.zeros((n, channels, *wide), np.result_type(y, w))
    if y.size and w.size:
        kernels = np.ascontiguousarray(w.reshape(groups, per_group, width).swapaxes(1, 2))
        source = y.reshape(n, groups, per_group, area)
        for block in blocks(n, width * groups * area):
            some, target = source[block], out[block]
            if area < SMALL and groups == 1:
                columns = (kernels[0] @ images_innermost(some[:, 0])).reshape(channels, *kernel, *places, -1)
                inner: Array = np.zeros((channels, *wide, len(some)), out.dtype)
                for offset, where in slots(kernel, places, how):
                    inner[(slice(None), *where)] += columns[(slice(None), *offset)]
                target[...] = np.moveaxis(inner, -1, 0)
            else:
                columns = np.matmul(kernels, some).reshape(len(some), channels, *kernel, *places)
                for offset, where in slots(kernel, places, how):
                    target[(slice(None), slice(None), *where)] += columns[(slice(None), slice(None), *offset)]
    if wide != tuple(size):
        cut = tuple(slice(p, p + k0) for p, k0 in zip(how.padding, size, strict=True))
        out = np.ascontiguousarray(out[(..., *cut)])
    if b is not None:
        out += b.reshape(-1, *(1 for _ in places))
    return out


@op(node="ConvolutionBackward0")
def convolution_kernel(x: Array, y: Array, *, kernel: tuple[int, ...], how: Sliding, groups: int) -> Array:
    """Correlate inputs with outputs: the adjoint of ``convolution`` in w; ``kernel`` is the kernel's spatial shape."""
    n, channels, out_channels, places = x.shape[0], x.shape[1] // groups, y.shape[1], y.shape[2:]
    area, width, per_group = math.prod(places), channels * math.prod(kernel), out_channels // groups
    out: Array = np.zeros((groups, per_group, width), np.result_type(x, y))
    if out.size and y.size:
        wide = padded(x, how.padding)
        source = y.reshape(n, groups, per_group, area)
        for block in blocks(n, width * groups * area):
            some, theirs = wide[block], source[block]
            if area < SMALL and groups == 1:
                out[0] += images_innermost(theirs[:, 0]) @ columns_together(some, kernel, places, how).T
            else:
                columns = windows(some, kernel, places, how).reshape(-1, groups, width, area)
                out += np.add.reduce(np.matmul(theirs, columns.swapaxes(2, 3)), axis=0)
    return out.reshape(out_channels, channels, *kernel)


def per_channel(g: Array) -> Array:
    """Sum all but the channels, which is what a bias receives."""
    return sum(g, axis=(0, *range(2, g.ndim)))


convolution.gradient(
    x=lambda g, w, x_shape, how, groups: convolution_input(g, w, None, size=x_shape[2:], how=how, groups=groups),
    w=lambda g, x, w_shape, how, groups: convolution_kernel(x, g, kernel=w_shape[2:], how=how, groups=groups),
    b=lambda g: per_channel(g),
)
convolution_input.gradient(
    y=lambda g, w, y_shape, how, groups: convolution(g, w, None, places=y_shape[2:], how=how, groups=groups),
    w=lambda g, y, w_shape, how, groups: convolution_kernel(g, y, kernel=w_shape[2:], how=how, groups=groups),
    b=lambda g: per_channel(g),
)
convolution_kernel.gradient(
    x=lambda g, y, x_shape, how, groups: convolution_input(y, g, None, size=x_shape[2:], how=how, groups=groups),
    y=lambda g, x, y_shape, how, groups: convolution(x, g, None, places=y_shape[2:], how=how, groups=groups),
)


@op(node="Im2ColBackward0")
def unfold(x: Array, *, kernel: tuple[int, ...], how: Sliding) -> Array:
    """Copy every window of the input into a column.  (N, C, *S) -> (N, C K, P)"""
    places = how.places(x.shape[2:], kernel)
    view = windows(padded(x, how.padding), kernel, places, how)
    out = view.reshape(x.shape[0], x.shape[1] * math.prod(kernel), math.prod(places))
    return out.copy() if np.may_share_memory(out, x) else out


@op(node="Col2ImBackward0")
def fold(y: Array, *, size: tuple[int, ...], kernel: tuple[int, ...], how: Sliding) -> Array:
    """Add columns where ``unfold`` found them: its adjoint.  (N, C K, P) -> (N, C, *size)"""
    places = how.places(size, kernel)
    columns = y.reshape(y.shape[0], y.shape[1] // math.prod(kernel), *kernel, *places)
    wide = tuple(n + 2 * p for n, p in zip(size, how.padding, strict=True))
    out: Array = np.zeros((*columns.shape[:2], *wide), y.dtype)
    for offset, where in slots(kernel, places, how):
        out[(slice(None), slice(None), *where)] += columns[(slice(None), slice(None), *offset)]
    if any(how.padding):
        out = np.ascontiguousarray(out[(..., *(slice(p, p + n) for p, n in zip(how.padding, size, strict=True)))])
    return out


unfold.gradient(x=lambda g, x_shape, kernel, how: fold(g, size=x_shape[2:], kernel=kernel, how=how))
fold.gradient(y=lambda g, kernel, how: unfold(g, kernel=kernel, how=how))

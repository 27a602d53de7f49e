"""Convolution in any number of dimensions, and sliding blocks.

A convolution is one trilinear form in input x, kernel w and output y. Its three ops ``convolution``,
``convolution_input`` and ``convolution_kernel`` are each other's gradients, so differentiating twice, or ten
times, needs nothing new. A transposed convolution is ``convolution_input`` itself.

Shapes: x (N, C, *S), w (O, C / groups, *K), y (N, O, *P). The plain way unfolds each image's windows into columns
(C K, P), so that the work is one product of matrices per image. The fast way, for the usual convolution, unfolds
all axes but the first, and finds the windows along that one where they lie: see ``slide``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from .._core.op import Array, op
from ._choice import FAST
from .reduce import sum

BLOCK = 1 << 18  # elements unfolded at once: a megabyte of float32, about what the cache holds
NARROW = 16  # places in a row from which on an image makes products of its own
COLUMNS = 64  # columns that a product should have: narrower images are laid side by side to reach them
SMALL = 1 << 20  # multiplications of a product that OpenBLAS takes for small
THIN = 16  # elements seen by a row of the kernel, fewer than which are not worth a product


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

    def reach(self, size: tuple[int, ...], kernel: tuple[int, ...], places: tuple[int, ...]) -> tuple[int, ...]:
        """Size the padded input; strides can leave places at its far end that no kernel reaches."""
        return tuple(
            max(n + 2 * p, (m - 1) * s + d * (k - 1) + 1)
            for n, k, m, s, p, d in zip(size, kernel, places, *self, strict=True)
        )

    def after_first(self) -> Sliding:
        """Describe the same without the first axis."""
        return Sliding(self.stride[1:], self.padding[1:], self.dilation[1:])


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
    elif slides(x.shape[1], kernel, how, groups) and is_small(w, places):
        slide(x, w, out, how)
    else:
        wide = padded(x, how.padding)
        kernels = w.reshape(groups, per_group, width)
        target = out.reshape(n, groups, per_group, area)
        for block in blocks(n, width * groups * area):
            columns = windows(wide[block], kernel, places, how).reshape(-1, groups, width, area)
            np.matmul(kernels, columns, out=target[block])
    if b is not None:
        out += b.reshape(-1, *(1 for _ in places))
    return out


@op(node="ConvolutionBackward0")
def convolution_input(y: Array, w: Array, b: Array, *, size: tuple[int, ...], how: Sliding, groups: int) -> Array:
    """Spread outputs over the input places they came from: the adjoint of ``convolution`` in x.

    ``size`` is the spatial shape of the input.
    """
    n, places, kernel = y.shape[0], y.shape[2:], w.shape[2:]
    channels = w.shape[1] * groups
    area, width, per_group = math.prod(places), w.shape[1] * math.prod(kernel), w.shape[0] // groups
    wide = how.reach(size, kernel, places)
    fast = is_usual(kernel, groups) and is_small(w, places) and y.size and w.size
    out: Array = np.zeros((n, channels, *(size if fast else wide)), np.result_type(y, w))
    if fast:
        slide_back(y, w, out, how)
    elif y.size and w.size:
        kernels = np.ascontiguousarray(w.reshape(groups, per_group, width).swapaxes(1, 2))
        source = y.reshape(n, groups, per_group, area)
        for block in blocks(n, width * groups * area):
            columns = np.matmul(kernels, source[block]).reshape(-1, channels, *kernel, *places)
            for offset, where in slots(kernel, places, how):
                out[(block, slice(None), *where)] += columns[(slice(None), slice(None), *offset)]
    if out.shape[2:] != tuple(size):
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
    if x.size and y.size and slides(channels, kernel, how, groups):
        return correlate(x, y, kernel, how)
    out: Array = np.zeros((groups, per_group, width), np.result_type(x, y))
    if out.size and y.size:
        wide = padded(x, how.padding)
        source = y.reshape(n, groups, per_group, area)
        for block in blocks(n, width * groups * area):
            columns = windows(wide[block], kernel, places, how).reshape(-1, groups, width, area)
            out += np.add.reduce(np.matmul(source[block], columns.swapaxes(2, 3)), axis=0)
    return out.reshape(out_channels, channels, *kernel)


# ---- the usual convolution, fast


def is_usual(kernel: tuple[int, ...], groups: int) -> bool:
    """Is there something to unfold, and one group?"""
    return FAST and groups == 1 and math.prod(kernel) > 1


def slides(channels: int, kernel: tuple[int, ...], how: Sliding, groups: int) -> bool:
    """Do windows hold neighbouring rows (not if dilated), and is a row of the kernel worth a product of its own?

    Where it sees few elements, as with a single channel, the plain way's longer products take 0.5 to 1 of the time.
    """
    if len(kernel) > 1 and how.dilation[0] > 1:
        return False
    return is_usual(kernel, groups) and channels * math.prod(kernel[1:] or kernel) >= THIN


def is_small(w: Array, places: tuple[int, ...]) -> bool:
    """May a product cover one row of places?

    OpenBLAS computes small products without packing them first; larger ones take 1.3 of the time of the plain way's,
    unless images are narrow.
    """
    width = math.prod(places[1:])
    return width < NARROW or w.size * width <= SMALL


def slide(x: Array, w: Array, out: Array, how: Sliding) -> None:
    """Fill ``out`` with the convolution of x with w, in 0.45 (5x5) to 0.8 of the plain way's time.

    Where all axes but the first are unfolded, (H, K' C, P'), the windows of one row of places are neighbouring rows of
    a matrix (K K' C, P'), and those of the next row of places the same a step further down: an overlapping view
    holds them all. So a kernel of 5x5 costs 5 copies of the input instead of 25.
    """
    if x.ndim == 3:  # one dimension: an image of one row
        how = Sliding((1, *how.stride), (0, *how.padding), (1, *how.dilation))
        x, w, out = x[:, :, None], w[:, :, None], out[:, :, None]
    channels, height, *after = out.shape[1:]
    kernels = np.moveaxis(w, 1, -1).reshape(channels, -1)  # (O, K K' C)
    for block, beside in batches(len(x), math.prod(after), x[0].size * math.prod(w.shape[3:])):
        rows = rows_unfolded(lines(x[block], how.padding, beside), w.shape[3:], out.shape[3:], how)
        columns = windows_of_lines(rows, height, w.shape[2], how.stride[0])
        target = out[block].reshape(-1, beside, channels, height, math.prod(after))
        if beside == 1:
            np.matmul(kernels, columns, out=target[:, 0].swapaxes(1, 2))
        else:
            made = np.matmul(kernels, columns).reshape(-1, height, channels, math.prod(after), beside)
            target[...] = made.transpose(0, 4, 2, 1, 3)


def batches(n: int, width: int, per_image: int) -> Iterator[tuple[slice, int]]:
    """Cut a batch into blocks that fit into the cache, each with how many of its images to lay side by side.

    Products of thin matrices are slow: with rows of 8 places, 8 images side by side take 0.55 of the time of single ones.
    """
    beside = min(n, max(8, COLUMNS // width)) if width < NARROW else 1
    whole = n - n % beside
    step = beside * max(1, BLOCK // (per_image * beside))
    for at in range(0, whole, step):
        yield slice(at, min(at + step, whole)), beside
    if whole < n:
        yield slice(whole, n), n - whole


def lines(x: Array, padding: tuple[int, ...], beside: int) -> Array:
    """Lay images out line by line, with zeros around.  (B beside, C, H, *S) -> (B, H, C, *S, beside)"""
    split = x.reshape(-1, beside, *x.shape[1:]).transpose(0, 3, 2, *range(4, x.ndim + 1), 1)
    return surrounded(split, (0, padding[0], 0, *padding[1:], 0))


def surrounded(x: Array, widths: tuple[int, ...]) -> Array:
    """Copy x into the middle of zeros, ``widths`` of them on both sides of every axis."""
    make = np.zeros if any(widths) else np.empty
    out: Array = make(tuple(n + 2 * p for n, p in zip(x.shape, widths, strict=True)), x.dtype)
    out[tuple(slice(p, p + n) for n, p in zip(x.shape, widths, strict=True))] = x
    return out


def windows_of_lines(x: Array, places: int, kernel: int, stride: int) -> Array:
    """View contiguous lines (B, H, M, ...) as their windows along H, which overlap: (B, places, kernel M, the rest)."""
    per_image, per_line, per_row = x.strides[:3]
    shape = (len(x), places, kernel * x.shape[2], math.prod(x.shape[3:]))
    return np.ndarray(shape, x.dtype, x, 0, (per_image, per_line * stride, per_row, x.itemsize))


def rows_unfolded(x: Array, kernel: tuple[int, ...], places: tuple[int, ...], how: Sliding) -> Array:
    """Unfold all axes of lines but the first.  (B, H, C, *S, beside) -> (B, H, K' C, P' beside)"""
    out: Array = np.empty((*x.shape[:2], *kernel, x.shape[2], *places, x.shape[-1]), x.dtype)
    for offset, where in slots(kernel, places, how.after_first()):
        out[(slice(None), slice(None), *offset)] = x[(slice(None), slice(None), slice(None), *where)]
    return out.reshape(*x.shape[:2], math.prod(kernel) * x.shape[2], -1)


def windows_before_channels(x: Array, kernel: tuple[int, ...], places: tuple[int, ...], how: Sliding) -> Array:
    """Copy the windows over all axes but the first: (H, images, *S, C) -> (H, images, *P', *K', C)."""
    spatial = x.strides[2:-1]
    steps = (n * s for n, s in zip(spatial, how.stride, strict=True))
    inner = (n * d for n, d in zip(spatial, how.dilation, strict=True))
    strides = (*x.strides[:2], *steps, *inner, x.strides[-1])
    return np.ndarray((*x.shape[:2], *places, *kernel, x.shape[-1]), x.dtype, x, 0, strides).copy()


def slide_back(y: Array, w: Array, out: Array, how: Sliding) -> None:
    """Fill ``out`` with the adjoint of ``slide`` in x, in 0.3 (small images) to 0.9 of the plain way's time.

    What the windows of one column receive is added up where they overlap. Without a stride, the first axis needs no adding:
    along it the adjoint is a convolution itself, of y between lines of zeros and with the kernel turned round.
    """
    if y.ndim == 3:
        how = Sliding((1, *how.stride), (0, *how.padding), (1, *how.dilation))
        y, w, out = y[:, :, None], w[:, :, None], out[:, :, None]
    channels, size, kernel, places = out.shape[1], out.shape[2:], w.shape[2:], y.shape[2:]
    rest, height, seen = 0, places[0], 1
    wide = how.reach(size, kernel, places)
    kernels = np.moveaxis(w, (0, 1), (-1, -2))  # (*K, C, O)
    if turns(size, kernel, places, how):
        rest, height, seen = kernel[0] - 1 - how.padding[0], size[0], kernel[0]
        kernels = np.moveaxis(np.flip(kernels, 0), 0, -2)  # (*K', C, K, O)
        how = Sliding((1, *how.stride[1:]), (0, *how.padding[1:]), (1, *how.dilation[1:]))
        kernel, places, wide = (1, *kernel[1:]), (height, *places[1:]), (height, *wide[1:])
    kernels = kernels.reshape(-1, seen * len(w))
    middle = [slice(p, p + n) for p, n in zip(how.padding, size, strict=True)]
    for block, beside in batches(len(y), math.prod(places[1:]), height * len(kernels) * math.prod(places[1:])):
        columns = windows_of_lines(lines(y[block], (rest, *(0 for _ in size[1:])), beside), height, seen, 1)
        made = np.matmul(kernels, columns).reshape(-1, height, *kernel, channels, *places[1:], beside)
        total: Array = np.zeros((len(made), wide[0], channels, *wide[1:], beside), out.dtype)
        for offset, (lines_hit, *where) in slots(kernel, places, how):
            total[(slice(None), lines_hit, slice(None), *where)] += made[(slice(None), slice(None), *offset)]
        target = out[block].reshape(-1, beside, channels, *size)
        inside = total[(slice(None), middle[0], slice(None), *middle[1:])]
        target[...] = inside.transpose(0, -1, 2, 1, *range(3, 2 + len(size)))


def turns(size: tuple[int, ...], kernel: tuple[int, ...], places: tuple[int, ...], how: Sliding) -> bool:
    """Is the adjoint, along the first axis, a convolution with the kernel turned round?"""
    k, p = kernel[0], how.padding[0]
    return how.stride[0] == how.dilation[0] == 1 and p < k and size[0] + 2 * p == places[0] + k - 1


def correlate(x: Array, y: Array, kernel: tuple[int, ...], how: Sliding) -> Array:
    """Compute the adjoint of ``slide`` in w: a product per row of the kernel, over all places of a block of images.

    The channels lie innermost, x unfolded as (H, images, P', K' C) and y as (P, images, P', O), for the product
    with the long axes first is the fastest: 0.6 (5x5) to 0.8 of the plain way's time, 0.3 for small images.
    """
    if x.ndim == 3:
        how = Sliding((1, *how.stride), (0, *how.padding), (1, *how.dilation))
        return correlate(x[:, :, None], y[:, :, None], (1, *kernel), how)[:, :, 0]
    channels, width, after = y.shape[1], math.prod(kernel[1:]) * x.shape[1], y.shape[3:]
    last = (2, 0, *range(3, x.ndim), 1)
    out: Array = np.zeros((kernel[0], channels, width), np.result_type(x, y))
    for block in blocks(len(x), 4 * x.shape[2] * math.prod(after) * width):
        wide = surrounded(x[block].transpose(last), (how.padding[0], 0, *how.padding[1:], 0))
        rows = windows_before_channels(wide, kernel[1:], after, how.after_first())
        outputs = y[block].transpose(last).reshape(-1, channels).T
        for k in range(kernel[0]):
            seen = rows[k : k + (y.shape[2] - 1) * how.stride[0] + 1 : how.stride[0]]
            out[k] += outputs @ seen.reshape(-1, width)
    order = (1, x.ndim - 1, 0, *range(2, x.ndim - 1))
    return np.ascontiguousarray(out.reshape(kernel[0], channels, *kernel[1:], -1).transpose(order))


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

"""Pooling and unpooling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias, overload

import numpy as np

from ..._errors import where as _where
from ..._ops import pool as _ops
from ..._ops import reduce as _reduce
from ..._ops import resample as _resample
from ..._ops.shape import squeeze_dim
from ..._tensor import Tensor
from .._sizes import Size
from ._common import sizes

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

Wanted: TypeAlias = int | Sequence[int | None] | None  # output sizes of adaptive pooling; None keeps the input's
Pair: TypeAlias = tuple[Tensor, Tensor]

_COUNT = {1: "one int", 2: "two ints", 3: "three ints"}


def _each(name: str, what: str, value: Size, n: int) -> tuple[int, ...]:
    return sizes(value, n, f"{name}: {what} must either be a single int, or a tuple of {_COUNT[n]}")


def _window(
    name: str,
    input: Tensor,
    n: int,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
) -> _ops.Window:
    """Check the arguments of a pooling and work out its windows."""
    shape = input._array.shape
    if len(shape) not in (n + 1, n + 2):
        if name in ("avg_pool2d", "avg_pool3d") and len(shape) < n + 1:
            raise IndexError(_out_of_range(len(shape), -n - 1, name))
        raise RuntimeError(_wrong_rank(name, n, shape) + _where())
    if 0 in shape[1:] or (len(shape) == n + 1 and 0 in shape):
        raise RuntimeError(
            f"Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got:{list(shape)}"
        )
    kernel = _each(name, "kernel_size", kernel_size, n)
    strides = kernel if stride is None or stride == () or stride == [] else _each(name, "stride", stride, n)
    paddings, dilations = _each(name, "padding", padding, n), _each(name, "dilation", dilation, n)
    if 0 in strides:
        raise RuntimeError(f"stride should not be zero: {name} was given stride {list(strides)}")
    if min(kernel) <= 0 or min(strides) < 0 or min(dilations) <= 0:
        raise RuntimeError(
            f"kernel size should be greater than zero, but got kernel {list(kernel)}, stride {list(strides)}, dilation "
            f"{list(dilations)}"
        )
    for k, p, d in zip(kernel, paddings, dilations, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                f"max_pool1d() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}"
                if name == "max_pool1d"
                else f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
            )
    size = shape[-n:]
    places = tuple(
        _ops.places(m, k, s, p, d, ceil_mode)
        for m, k, s, p, d in zip(size, kernel, strides, paddings, dilations, strict=True)
    )
    if min(places) < 1:
        if name == "max_pool1d":
            raise RuntimeError(f"max_pool1d() Invalid computed output size: {places[0]}" + _where())
        given, out = (
            f"{shape[-n - 1]}x" + "x".join(map(str, (1,) * (2 - n) + tuple(found))) for found in (size, places)
        )
        raise RuntimeError(
            f"Given input size: ({given}). Calculated output size: ({out}). Output size is too small" + _where()
        )
    return _ops.Window(kernel, strides, paddings, dilations, size, places)


def _out_of_range(ndim: int, dim: int, name: str) -> str:
    bound = max(ndim, 1)
    return (
        f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim}): {name} was given {ndim} "
        "dimensions" + _where()
    )


def _wrong_rank(name: str, n: int, shape: tuple[int, ...]) -> str:
    if name == "max_pool1d":
        return (
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{list(shape)}"
        )
    if name == "avg_pool1d":
        return f"Expected 2 to 3 dimensions, but got {len(shape)}-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)"
    return (
        f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input: {name} was given shape {list(shape)}"
    )


# ---- maxima


def _max_pool(
    name: str,
    n: int,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    return_indices: bool,
) -> Tensor | Pair:
    window = _window(name, input, n, kernel_size, stride, padding, dilation, ceil_mode)
    out: Tensor = _MAX[n](input, window=window)
    if not return_indices:
        return out
    return out, _ops.max_indices(input.detach(), out.detach(), window=window)


_MAX = {1: _ops.max_pool_1d, 2: _ops.max_pool, 3: _ops.max_pool_3d}


@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool,
) -> Tensor | Pair: ...
def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | Pair:
    """Take the largest element of every window of (N, C, L) or (C, L); the first of equal ones gets the gradient."""
    return _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool,
) -> Tensor | Pair: ...
def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | Pair:
    """Take the largest element of every window of (N, C, H, W) or (C, H, W); the first of equal ones gets the gradient.

    With ``return_indices`` also their numbers within the flattened image.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@overload
def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Tensor: ...
@overload
def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    *,
    return_indices: bool,
) -> Tensor | Pair: ...
def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | Pair:
    """Take the largest element of every window of (N, C, D, H, W) or (C, D, H, W)."""
    return _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pair:
    """As ``max_pool1d``, with the indices."""
    out = _max_pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    assert isinstance(out, tuple)
    return out


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pair:
    """As ``max_pool2d``, with the indices."""
    out = _max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    assert isinstance(out, tuple)
    return out


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pair:
    """As ``max_pool3d``, with the indices."""
    out = _max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, True)
    assert isinstance(out, tuple)
    return out


def _max_unpool(
    n: int,
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Tensor:
    name = f"max_unpool{n}d"
    kernel = _each(name, "kernel_size", kernel_size, n)
    strides = kernel if stride is None else _each(name, "stride", stride, n)
    paddings = _each(name, "padding", padding, n)
    default = [(m - 1) * s + k - 2 * p for m, s, k, p in zip(input.shape[-n:], strides, kernel, paddings, strict=True)]
    size = default
    if output_size is not None:
        size = list(output_size)[-n:] if len(output_size) == n + 2 else list(output_size)
        if len(size) != n:
            raise ValueError(
                f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of '{len(output_size)}'"
            )
        for i, (wanted, usual, s) in enumerate(zip(size, default, strides, strict=True)):
            if not usual - s < wanted < usual + s:
                raise ValueError(f"invalid output_size {size} (dim {i} must be between {usual - s} and {usual + s})")
    numbers = indices._array
    if numbers.dtype != np.int64:
        raise RuntimeError("elements in indices should be type int64")
    if indices.shape != input.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices tensor with "
            f"shape: {list(indices.shape)}"
        )
    cells = math.prod(size)
    if numbers.size and (numbers.min() < 0 or numbers.max() >= cells):
        wrong = numbers.min() if numbers.min() < 0 else numbers.max()
        raise RuntimeError(
            f"Found an invalid max index: {int(wrong)} (output volumes are of size {'x'.join(map(str, size))})"
        )
    op = {1: _ops.spread_1d, 2: _ops.spread, 3: _ops.spread_3d}[n]
    return op(input, indices, size=tuple(size))


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put elements back where ``max_pool1d`` found them, among zeros."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put elements back where ``max_pool2d`` found them, among zeros."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put elements back where ``max_pool3d`` found them, among zeros."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


# ---- means


def _avg_pool(
    n: int,
    input: Tensor,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    window = _window(f"avg_pool{n}d", input, n, kernel_size, stride, padding, 1, ceil_mode)
    mean = _ops.Mean(window, _ops.mean_divisor(window, count_include_pad, divisor_override))
    return {1: _ops.avg_pool_1d, 2: _ops.avg_pool, 3: _ops.avg_pool_3d}[n](input, mean=mean)


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average every window of (N, C, L) or (C, L)."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Average every window of (N, C, H, W) or (C, H, W).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.avg_pool2d(torch.arange(4.0).reshape(1, 1, 2, 2), 2)
    tensor([[[[1.5000]]]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Average every window of (N, C, D, H, W) or (C, D, H, W)."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp_pool(
    n: int, input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None, ceil_mode: bool
) -> Tensor:
    kernel = _each(f"lp_pool{n}d", "kernel_size", kernel_size, n)
    mean = _avg_pool(n, input**norm_type, kernel, stride, 0, ceil_mode, True, None)
    return _root(mean * math.prod(kernel), exponent=1.0 / norm_type)


_root = _reduce.power_or_zero.named("PowBackward0")  # a window of zeros gets the slope zero, as torch has it


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Take the p-norm of every window of (N, C, L) or (C, L)."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Take the p-norm of every window of (N, C, H, W) or (C, H, W)."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Take the p-norm of every window of (N, C, D, H, W) or (C, D, H, W)."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


# ---- a given number of windows


def _parts(name: str, n: int, input: Tensor, output_size: Wanted, colon: str) -> tuple[int, ...]:
    if input.ndim not in (n + 1, n + 2):
        if input.ndim < n and not colon and output_size in (1, (1,) * n):  # torch takes the mean there
            raise IndexError(_out_of_range(input.ndim, -n, name))
        raise RuntimeError(
            f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got{colon} {list(input.shape)}" + _where()
        )
    wanted = (output_size,) * n if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(wanted) == 1:
        wanted = wanted * n
    if len(wanted) != n:
        raise RuntimeError(f"{name}: output_size must be {n} numbers, but got {list(wanted)}")
    parts = tuple(m if k is None else int(k) for m, k in zip(input.shape[-n:], wanted, strict=True))
    if min(parts) < 0:
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {{{', '.join(map(str, parts))}}}"
        )
    return parts


def _adaptive_avg_pool(n: int, input: Tensor, output_size: Wanted) -> Tensor:
    parts = _parts(f"adaptive_avg_pool{n}d", n, input, output_size, "")
    if all(k == 1 for k in parts):
        mean = input.mean(tuple(range(-n, 0)), keepdim=True)
        return squeeze_dim(mean, shape=mean.shape) if n == 1 else mean  # named as torch's last step
    plans = tuple(
        _resample.Plan(axis, *_resample.stretches(_ops.adaptive_bounds(m, k)))
        for axis, m, k in zip(range(-n, 0), input.shape[-n:], parts, strict=True)
    )
    op = {1: _resample.adaptive_avg_pool_1d, 2: _resample.adaptive_avg_pool, 3: _resample.adaptive_avg_pool_3d}[n]
    return op(input, plans=plans)


def adaptive_avg_pool1d(input: Tensor, output_size: Wanted) -> Tensor:
    """Average ``output_size`` nearly equal stretches of (N, C, L) or (C, L)."""
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Wanted) -> Tensor:
    """Average a grid of nearly equal parts of (N, C, H, W) or (C, H, W).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(9.0).reshape(1, 1, 3, 3), 1)
    tensor([[[[4.]]]])
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Wanted) -> Tensor:
    """Average a grid of nearly equal parts of (N, C, D, H, W) or (C, D, H, W)."""
    return _adaptive_avg_pool(3, input, output_size)


def _adaptive_max_pool(n: int, input: Tensor, output_size: Wanted) -> Pair:
    parts = _parts(f"adaptive_max_pool{n}d", n, input, output_size, ":")
    index = _ops.adaptive_max_indices(input.detach(), parts=parts)
    op = {1: _ops.adaptive_max_pick_1d, 2: _ops.adaptive_max_pick, 3: _ops.adaptive_max_pick_3d}[n]
    return op(input, index, spatial=n), index


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Pair:
    """As ``adaptive_max_pool1d``, with the indices."""
    return _adaptive_max_pool(1, input, output_size)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Pair:
    """As ``adaptive_max_pool2d``, with the indices."""
    return _adaptive_max_pool(2, input, output_size)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Pair:
    """As ``adaptive_max_pool3d``, with the indices."""
    return _adaptive_max_pool(3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Tensor | Pair:
    """Take the largest elements of ``output_size`` nearly equal stretches of (N, C, L) or (C, L)."""
    out = _adaptive_max_pool(1, input, output_size)
    return out if return_indices else out[0]


def adaptive_max_pool2d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Tensor | Pair:
    """Take the largest elements of a grid of nearly equal parts of (N, C, H, W) or (C, H, W)."""
    out = _adaptive_max_pool(2, input, output_size)
    return out if return_indices else out[0]


def adaptive_max_pool3d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Tensor | Pair:
    """Take the largest elements of a grid of nearly equal parts of (N, C, D, H, W) or (C, D, H, W)."""
    out = _adaptive_max_pool(3, input, output_size)
    return out if return_indices else out[0]

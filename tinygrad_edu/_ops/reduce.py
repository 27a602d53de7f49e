"""Reductions: sums, products, extrema, spreads, norms, and their running forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

import numpy as np

from .._core.op import Array, op
from .elementwise import abs, exp
from .index import gather
from .shape import broadcast_to, reshape

Axis: TypeAlias = "int | tuple[int, ...] | None"

_HALF = np.dtype("float16")

# Called directly they are faster than ndarray's methods. NumPy's types accept keepdims only as a literal, hence Any.
add_reduce: Any = np.add.reduce
mul_reduce: Any = np.multiply.reduce
max_reduce: Any = np.maximum.reduce
min_reduce: Any = np.minimum.reduce
and_reduce: Any = np.logical_and.reduce
or_reduce: Any = np.logical_or.reduce


def in_float32(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Compute ``forward`` of half precision in float32, and round once at the end."""

    @wraps(forward)
    def widened(x: Any, **settings: Any) -> Any:
        if x.dtype is _HALF:
            return forward(x.astype(np.float32), **settings).astype(_HALF)
        return forward(x, **settings)

    return widened


def kept(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """The shape that reducing ``axis`` leaves with ``keepdims=True``."""
    if axis is None:
        return (1,) * len(shape)
    axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


def count(shape: tuple[int, ...], axis: Axis) -> int:
    """How many elements each result of a reduction over ``axis`` is made of."""
    if axis is None:
        return math.prod(shape)
    return math.prod([shape[a] for a in (axis if isinstance(axis, tuple) else (axis,))])


def beside(y: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """What a reduction over ``axis`` gave, in the shape that broadcasts with what it was given."""
    return y if keepdims else reshape(y, shape=kept(shape, axis))


def spread(y: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """Each result of a reduction over ``axis``, at every place it was made from."""
    return broadcast_to(beside(y, shape, axis, keepdims), shape=shape)


# ---- sums


@op(node="SumBackward0")
def total(x: Array) -> Array:
    """Add up all elements; integers add up in int64, half precision in float32."""
    d = x.dtype
    if d.char in "fd":
        return add_reduce(x, axis=None)
    if d is _HALF:
        return add_reduce(x, axis=None, dtype=np.float32).astype(d)
    return add_reduce(x, axis=None, dtype=np.int64)


total.gradient(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


@op(node="SumBackward1")
def sum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Add up along ``axis``; integers add up in int64, half precision in float32."""
    d = x.dtype
    if d.char in "fd":
        return add_reduce(x, axis=axis, keepdims=keepdims)
    if d is _HALF:
        return add_reduce(x, axis=axis, keepdims=keepdims, dtype=np.float32).astype(d)
    return add_reduce(x, axis=axis, keepdims=keepdims, dtype=np.int64)


sum.gradient(x=lambda g, x_shape, axis, keepdims: spread(g, x_shape, axis, keepdims))


@op(node="MeanBackward0")
def average(x: Array) -> Array:
    """Average all elements."""
    if x.dtype is _HALF:
        return (add_reduce(x, axis=None, dtype=np.float32) / np.float32(x.size)).astype(_HALF)
    return add_reduce(x, axis=None) / x.dtype.type(x.size)


average.gradient(x=lambda g, x_shape: broadcast_to(g / (math.prod(x_shape) or 1), shape=x_shape))


@op(node="MeanBackward1")
def mean(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Average along ``axis``."""
    if x.dtype is _HALF:
        return mean(x.astype(np.float32), axis=axis, keepdims=keepdims).astype(_HALF)
    return add_reduce(x, axis=axis, keepdims=keepdims) / x.dtype.type(count(x.shape, axis))


mean.gradient(x=lambda g, x_shape, axis, keepdims: spread(g / (count(x_shape, axis) or 1), x_shape, axis, keepdims))


@op
def nansum(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Add up along ``axis`` what is a number."""
    return sum(np.where(x == x, x, x.dtype.type(0)), axis=axis, keepdims=keepdims)


nansum.gradient(x=lambda g, x, axis, keepdims: spread(g, x.shape, axis, keepdims) * (x == x))


@op
def count_nonzero(x: Array, *, axis: Axis = None) -> Array:
    """Count along ``axis`` what is not zero."""
    return add_reduce(x != 0, axis=axis, dtype=np.int64)


@op
def count_numbers(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Count along ``axis`` what is not NaN, in the dtype of x."""
    return add_reduce(x == x, axis=axis, keepdims=keepdims, dtype=np.int64).astype(x.dtype)


@op
def all(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Is everything along ``axis`` true? bytes answer in bytes."""
    out = and_reduce(x, axis=axis, keepdims=keepdims)
    return out.astype(x.dtype) if x.dtype == np.uint8 else out


@op
def any(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Is anything along ``axis`` true? bytes answer in bytes."""
    out = or_reduce(x, axis=axis, keepdims=keepdims)
    return out.astype(x.dtype) if x.dtype == np.uint8 else out


# ---- extrema


@op
def evenly(x: Array, y: Array, *, axis: Axis, keepdims: bool, nans: bool) -> Array:
    """The weight of each element of x in the value y that was chosen along ``axis``: ties share it evenly.

    With ``nans``, elements that are NaN share a chosen NaN; without, its shares are NaN as well.
    """
    y = beside(y, x.shape, axis, keepdims)
    ties = x == y
    if nans:
        ties = ties | ((x != x) & (y != y))
    return ties / add_reduce(ties, axis=axis, keepdims=True, dtype=x.dtype)


def _to_ties(g: Array, x: Array, out: Array, axis: Axis = None, keepdims: bool = False, *, nans: bool = False) -> Array:
    return spread(g, x.shape, axis, keepdims) * evenly(x, out, axis=axis, keepdims=keepdims, nans=nans)


@op
def amax(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest element along ``axis``; NaN if there is one."""
    return max_reduce(x, axis=axis, keepdims=keepdims)


@op
def amin(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest element along ``axis``; NaN if there is one."""
    return min_reduce(x, axis=axis, keepdims=keepdims)


amax.gradient(x=lambda g, x, out, axis, keepdims: _to_ties(g, x, out, axis, keepdims))
amin.gradient(x=lambda g, x, out, axis, keepdims: _to_ties(g, x, out, axis, keepdims))


@op(node="MaxBackward1")
def largest(x: Array) -> Array:
    """The largest of all elements."""
    return max_reduce(x, axis=None)


@op(node="MinBackward1")
def smallest(x: Array) -> Array:
    """The smallest of all elements."""
    return min_reduce(x, axis=None)


@op
def median(x: Array) -> Array:
    """The lower of the middle elements; NaN if there is one."""
    if x.size == 0:
        return x.dtype.type(np.nan)
    if x.dtype.kind == "f" and (x != x).any():
        return x.dtype.type(np.nan)
    return np.partition(x, (x.size - 1) // 2, axis=None)[(x.size - 1) // 2]


@op
def nanmedian(x: Array) -> Array:
    """The lower of the middle elements that are numbers."""
    numbers = x[x == x]
    return median(numbers)


largest.gradient(x=lambda g, x, out: _to_ties(g, x, out, nans=True))
smallest.gradient(x=lambda g, x, out: _to_ties(g, x, out, nans=True))
median.gradient(x=lambda g, x, out: _to_ties(g, x, out, nans=True))
nanmedian.gradient(x=lambda g, x, out: _to_ties(g, x, out, nans=True))


@op
def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the first of the largest elements is along ``axis``; where the first NaN is, if there is one."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@op
def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Where the first of the smallest elements is along ``axis``; where the first NaN is, if there is one."""
    return np.argmin(x, axis=axis, keepdims=keepdims)


def places(index: Array, axis: int, keepdims: bool) -> tuple[Array, ...]:
    """The full index of one place (or with ``keepdims`` several) in each lane along ``axis``, all lanes in step."""
    n = index.ndim
    grid = [np.arange(size).reshape((-1,) + (1,) * (n - 1 - i)) for i, size in enumerate(index.shape)]
    grid[axis : axis + keepdims] = [index]
    return tuple(grid)


@op
def pick(x: Array, index: Array, *, axis: int, keepdims: bool = True) -> Array:
    """The element of each lane along ``axis`` at ``index``; without ``keepdims`` one of each, and the axis goes."""
    return x[places(index, axis, keepdims)] if x.ndim else x[()]


@op
def lay(y: Array, index: Array, *, axis: int, keepdims: bool, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y laid where ``pick`` would find it; no place is named twice."""
    if not shape:
        return y[()]
    out = np.zeros(shape, y.dtype)
    out[places(index, axis, keepdims)] = y
    return out


pick.gradient(x=lambda g, x_shape, index, axis, keepdims: lay(g, index, axis=axis, keepdims=keepdims, shape=x_shape))
lay.gradient(y=lambda g, index, axis, keepdims: pick(g, index, axis=axis, keepdims=keepdims))

largest_along = pick.named("MaxBackward0")
smallest_along = pick.named("MinBackward0")
median_along = pick.named("MedianBackward1")
nanmedian_along = pick.named("NanmedianBackward1")
mode_along = pick.named("ModeBackward0")


@op
def median_index(x: Array, *, axis: int, keepdims: bool = False, skips_nan: bool = False) -> Array:
    """Where the lower of the middle elements is along ``axis``; the first NaN counts as the middle unless skipped."""
    order = np.argsort(x, axis=axis, kind="stable")
    numbers = add_reduce(x == x, axis=axis, keepdims=True, dtype=np.int64)
    middle = np.maximum(numbers - 1, 0) // 2
    if not skips_nan:
        middle = np.where(numbers < x.shape[axis], numbers, middle)  # NaNs are sorted last: the first of them
    index = np.take_along_axis(order, middle, axis)
    return index if keepdims else index.squeeze(axis)


@op
def mode_index(x: Array, *, axis: int, keepdims: bool = False) -> Array:
    """Where the last copy of the most frequent element is along ``axis``; the smallest of several such elements."""
    order = np.argsort(x, axis=axis, kind="stable")
    lanes = np.moveaxis(np.take_along_axis(x, order, axis), axis, -1)  # (..., n), each lane sorted
    n = lanes.shape[-1]
    starts = np.ones(lanes.shape, bool)
    starts[..., 1:] = lanes[..., 1:] != lanes[..., :-1]
    place = np.arange(n)
    run = place - np.maximum.accumulate(np.where(starts, place, 0), axis=-1)  # how many equal ones stand before
    last = np.expand_dims(np.argmax(run, axis=-1), -1)
    index = np.moveaxis(np.take_along_axis(np.moveaxis(order, axis, -1), last, -1), -1, axis)
    return index if keepdims else index.squeeze(axis)


# ---- products: the share of a factor is the product of the others, never the product divided by it


@op
def shift(x: Array, *, axis: int, by: int, fill: float = 0) -> Array:
    """X moved along ``axis`` by one place (``by`` is 1 or -1), with ``fill`` in the place left free."""
    out = np.full(x.shape, fill, x.dtype)
    to, source = (slice(1, None), slice(None, -1)) if by > 0 else (slice(None, -1), slice(1, None))
    lead = (slice(None),) * axis
    out[(*lead, to)] = x[(*lead, source)]
    return out


shift.gradient(x=lambda g, axis, by: shift(g, axis=axis, by=-by))


@op
def recur(x: Array, a: Array, *, axis: int, step: int) -> Array:
    """Solve s[i] = x[i] + a[i] * s[i + step] along ``axis``, with nothing beyond the end (``step`` is 1 or -1).

    By doubling: after k rounds s[i] covers 2**k places, and a[i] is the factor of what lies beyond them.
    """
    s, a = np.moveaxis(x, axis, -1).copy(), np.moveaxis(a, axis, -1).copy()
    if step < 0:
        s, a = s[..., ::-1], a[..., ::-1]
    n, reach = s.shape[-1], 1
    while reach < n:
        s[..., :-reach] += a[..., :-reach] * s[..., reach:]
        a[..., :-reach] *= a[..., reach:]
        reach *= 2
    return np.moveaxis(s[..., ::-1] if step < 0 else s, -1, axis)


recur.gradient(
    x=lambda g, a, axis, step: recur(g, shift(a, axis=axis, by=step), axis=axis, step=-step),
    a=lambda g, a, out, axis, step: (
        recur(g, shift(a, axis=axis, by=step), axis=axis, step=-step) * shift(out, axis=axis, by=-step)
    ),
)


def running(ufunc: Any, x: Array, axis: int, reverse: bool) -> Array:
    """Apply ``ufunc`` to each element along ``axis`` and what came before it (or behind it, if ``reverse``).

    Floats run in float64, as in torch, integers in int64.
    """
    if x.ndim == 0:
        return x[()] if x.dtype.kind == "f" else np.int64(x)
    wide = np.dtype(np.float64 if x.dtype.kind == "f" else np.int64)
    out = np.empty(x.shape, wide)
    source, target = x.swapaxes(0, axis), out.swapaxes(0, axis)
    if reverse:
        source, target = source[::-1], target[::-1]
    n = len(source)
    if (
        n and x.size < 64 * n
    ):  # few lanes: one call. NumPy takes the elements one by one, so with many lanes a loop is faster
        ufunc.accumulate(source, axis=0, dtype=wide, out=target)
    elif n:
        target[0] = source[0]
        for i in range(1, n):
            ufunc(target[i - 1], source[i], out=target[i], dtype=wide)
    return out.astype(x.dtype, copy=False) if x.dtype.kind == "f" else out


@op
def cumprod(x: Array, *, axis: int, reverse: bool = False) -> Array:
    """Multiply up along ``axis``, from its end if ``reverse``; integers in int64."""
    return running(np.multiply, x, axis, reverse)


def _cumprod_share(g: Array, x: Array, out: Array, axis: int, reverse: bool) -> Array:
    """x[i] is a factor of out[i], out[i+1], ...: of what stood before it, times g[i] + x[i+1] * (g[i+1] + x[i+2] * ...)."""
    if not x.shape:
        return g
    step = -1 if reverse else 1
    before = shift(out, axis=axis, by=step, fill=1)
    return before * recur(g, shift(x, axis=axis, by=-step), axis=axis, step=step)


cumprod.gradient(x=_cumprod_share)


def others(x: Array, axis: int) -> Array:
    """At each place along ``axis`` the product of all the other elements."""
    return shift(cumprod(x, axis=axis), axis=axis, by=1, fill=1) * shift(
        cumprod(x, axis=axis, reverse=True), axis=axis, by=-1, fill=1
    )


@op(node="ProdBackward1")
@in_float32
def prod(x: Array, *, axis: int, keepdims: bool = False) -> Array:
    """Multiply along ``axis``; integers in int64."""
    return mul_reduce(
        x, axis=axis if x.ndim else None, keepdims=keepdims, dtype=None if x.dtype.kind == "f" else np.int64
    )


prod.gradient(x=lambda g, x, axis, keepdims: spread(g, x.shape, axis, keepdims) * others(x, axis) if x.shape else g)


@op(node="ProdBackward0")
@in_float32
def product(x: Array) -> Array:
    """Multiply all elements; integers in int64."""
    return mul_reduce(x, axis=None, dtype=None if x.dtype.kind == "f" else np.int64)


product.gradient(x=lambda g, x: g * reshape(others(reshape(x, shape=(-1,)), 0), shape=x.shape))


# ---- running forms


@op
def cumsum(x: Array, *, axis: int, reverse: bool = False) -> Array:
    """Add up along ``axis``, from its end if ``reverse``; integers in int64."""
    return running(np.add, x, axis, reverse)


cumsum.gradient(x=lambda g, axis, reverse: cumsum(g, axis=axis, reverse=not reverse))


@op
@in_float32
def logcumsumexp(x: Array, *, axis: int) -> Array:
    """Logarithm of the running sum of exponentials along ``axis``."""
    return np.logaddexp.accumulate(x, axis=axis) if x.ndim else x[()]


def _logcumsumexp_share(g: Array, x: Array, out: Array, axis: int) -> Array:
    """exp(x[i]) is part of exp(out[i]), exp(out[i+1]), ...; ratios of successive sums are at most 1, so nothing overflows."""
    if not x.shape:
        return g
    decay = exp(out - shift(out, axis=axis, by=-1, fill=math.inf))
    return exp(x - out) * recur(g, decay, axis=axis, step=1)


logcumsumexp.gradient(x=_logcumsumexp_share)


@op
def cummax_index(x: Array, *, axis: int) -> Array:
    """Where the largest element so far is along ``axis``: the last of several, a NaN above all."""
    return _last_equal(x, np.maximum, axis)


@op
def cummin_index(x: Array, *, axis: int) -> Array:
    """Where the smallest element so far is along ``axis``: the last of several, a NaN above all."""
    return _last_equal(x, np.minimum, axis)


def _last_equal(x: Array, ufunc: Any, axis: int) -> Array:
    if x.ndim == 0:
        return np.int64(0)
    sets_it = (x == ufunc.accumulate(x, axis=axis)) | (x != x)
    place = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return np.maximum.accumulate(np.where(sets_it, place, 0), axis=axis)


largest_so_far = gather.named("CummaxBackward0")
smallest_so_far = gather.named("CumminBackward0")


# ---- logarithms of sums, spreads


@op(lifts=True)
@in_float32
def logsumexp(x: Array, *, axis: Axis = None, keepdims: bool = False) -> Array:
    """Logarithm of the sum of exponentials along ``axis``: log(sum(exp(x))), shifted by the maximum against overflow."""
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    top = max_reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    out = np.log(add_reduce(np.exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else out.reshape(add_reduce(top, axis=axis).shape)


logsumexp.gradient(
    x=lambda g, x, out, axis, keepdims: (
        beside(g, x.shape, axis, keepdims) * exp(x - beside(out, x.shape, axis, keepdims))
    )
)


def freedom(shape: tuple[int, ...], axis: Axis, correction: float) -> float:
    """How many degrees of freedom a variance over ``axis`` is divided by."""
    return count(shape, axis) - correction


@op
@in_float32
def var(x: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """Mean squared distance from the mean along ``axis``, with n - correction in place of n."""
    d = x - add_reduce(x, axis=axis, keepdims=True) / x.dtype.type(count(x.shape, axis))
    return add_reduce(d * d, axis=axis, keepdims=keepdims) / x.dtype.type(max(freedom(x.shape, axis, correction), 0))


@op
def unbounded(x: Array) -> Array:
    """What the slope of a variance without freedom is: infinite, and NaN at the mean."""
    return np.where(x == mean(x), x.dtype.type(np.nan), x.dtype.type(np.inf))


def _var_share(g: Array, x: Array, axis: Axis, keepdims: bool, correction: float) -> Array:
    free = freedom(x.shape, axis, correction)
    if axis is None and free <= 0:
        return g * unbounded(x)
    return (
        beside(g, x.shape, axis, keepdims) * (2 / free if free else math.inf) * (x - mean(x, axis=axis, keepdims=True))
    )


var.gradient(x=_var_share)


@op
def std(x: Array, *, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """Square root of the variance along ``axis``; where it is zero, so is the gradient."""
    return np.sqrt(var(x, axis=axis, keepdims=keepdims, correction=correction))


@op(broadcasts=True)
def ratio(x: Array, y: Array) -> Array:
    """X / y, and zero where y is zero."""
    out = x / y
    return np.where(y == 0, out.dtype.type(0), out)


@op(broadcasts=True)
def guarded(x: Array, y: Array) -> Array:
    """x / y, and zero where y is zero: the slope of a norm. There it has no slope of its own, and answers NaN as torch does."""
    return ratio(x, y)


ratio.gradient(x=lambda g, y: ratio(g, y), y=lambda g, out, y: -ratio(g * out, y))
guarded.gradient(x=lambda g, y: g * (y != 0) / y, y=lambda g, out, y: -(g * (y != 0) * out / y))

std.gradient(
    x=lambda g, x, out, axis, keepdims, correction: _var_share(guarded(g, out) * 0.5, x, axis, keepdims, correction),
)


# ---- norms


@op
def power_or_zero(x: Array, *, exponent: float) -> Array:
    """x**exponent, and zero where x is zero, whatever the exponent."""
    return np.where(x == 0, x.dtype.type(0), x**exponent)


power_or_zero.gradient(x=lambda g, x, exponent: g * power_or_zero(x, exponent=exponent - 1) * exponent)


@op(node="LinalgVectorNormBackward0")
@in_float32
def vector_norm(x: Array, *, p: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:
    """The norm (sum |x|**p) ** (1/p) along ``axis``; the largest |x| for p=inf, the number of non-zeros for p=0."""
    if p == 2:
        return np.sqrt(add_reduce(x * x, axis=axis, keepdims=keepdims))
    size = np.abs(x)
    if p == 1:
        return add_reduce(size, axis=axis, keepdims=keepdims)
    if p == math.inf:
        return max_reduce(size, axis=axis, keepdims=keepdims)
    if p == -math.inf:
        return min_reduce(size, axis=axis, keepdims=keepdims)
    if p == 0:
        return add_reduce(x != 0, axis=axis, keepdims=keepdims, dtype=x.dtype)
    return add_reduce(size**p, axis=axis, keepdims=keepdims) ** (1 / p)


def signed(g: Array, x: Array) -> Array:
    """G times the sign of x, zero where x is zero or NaN."""
    return g * (x > 0) - g * (x < 0)


def norm_share(g: Array, x: Array, out: Array, p: float, axis: Axis) -> Array:
    """The gradient of a norm, zero where the norm is zero; g and out broadcast with x."""
    if p == 2:
        return g * guarded(x, out)
    if p == 1:
        return signed(g, x)
    if math.isinf(p):
        return signed(g * evenly(abs(x), out, axis=axis, keepdims=True, nans=True), x)
    if p == 0:
        return None
    return signed(g * power_or_zero(ratio(abs(x), out), exponent=p - 1), x)


vector_norm.gradient(
    x=lambda g, x, out, p, axis, keepdims: norm_share(
        beside(g, x.shape, axis, keepdims), x, beside(out, x.shape, axis, keepdims), p, axis
    )
)

distance = vector_norm.named("DistBackward0")

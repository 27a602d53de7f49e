"""Picking and placing by arrays of indices; repeated places add up on the way back."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core.op import Array, op
from .elementwise import where


@op(node="IndexBackward0")
def take(x: Array, *, index: Any) -> Array:
    """The elements at an index that holds arrays or masks."""
    return x[index]


@op
def scatter_to(y: Array, *, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y added at ``index``: the adjoint of take."""
    out = np.zeros(shape, y.dtype)
    _add_at(out, y, index)
    return out


def _add_at(buffer: Array, g: Array, index: Any) -> None:
    """buffer[index] += g, with repeated places added up."""
    if isinstance(index, tuple) and all(
        (isinstance(i, np.ndarray) and i.dtype == bool) or isinstance(i, slice) for i in index
    ):
        buffer[index] += g  # a mask names no place twice, and np.add.at is slow
    else:
        np.add.at(buffer, index, g)


take.gradient(x=lambda g, x_shape, index: scatter_to(g, index=index, shape=x_shape))
scatter_to.gradient(y=lambda g, index: take(g, index=index))
take.pours(_add_at)
index_select = take.named("IndexSelectBackward0")
masked_select = take.named("MaskedSelectBackward0")
take_flat = take.named("TakeBackward0")


@op(node="IndexPutBackward0", broadcasts=True)
def put(x: Array, y: Array, *, index: Any) -> Array:
    """x with y at an index that holds arrays or masks; of repeated places the last wins."""
    out = np.array(x)
    out[index] = y
    return out


put.gradient(x=lambda g, index: put(g, 0, index=index), y=lambda g, index: take(g, index=index))
index_copy = put.named("IndexCopyBackward0")


@op(node="IndexPutBackward0", broadcasts=True)
def put_add(x: Array, y: Array, *, index: Any) -> Array:
    """x with y added at an index that holds arrays or masks; repeated places add up."""
    out = np.array(x)
    np.add.at(out, index, y)
    return out


put_add.gradient(x=lambda g: g, y=lambda g, index: take(g, index=index))
index_add = put_add.named("IndexAddBackward0")


def along(index: Array, axis: int) -> tuple[Array, ...]:
    """The full index of picking ``index`` along one axis, every other axis in step."""
    grid = list(np.ogrid[tuple([slice(n) for n in index.shape])]) if index.ndim else []
    if grid:
        grid[axis] = index
    return tuple(grid)


@op
def gather(x: Array, *, axis: int, index: Array) -> Array:
    """out[i][j] = x[index[i][j]][j], for axis 0."""
    return x[along(index, axis)] if index.ndim else np.array(x).reshape(-1)[index]


@op
def scatter_zeros(y: Array, *, axis: int, index: Array, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y added along an axis: the adjoint of gather."""
    out = np.zeros(shape, y.dtype)
    _add_along(out, y, axis, index)
    return out


def _add_along(buffer: Array, g: Array, axis: int, index: Array) -> None:
    if index.ndim:
        np.add.at(buffer, along(index, axis), g)
    else:
        buffer[...] += g


gather.gradient(x=lambda g, x_shape, axis, index: scatter_zeros(g, axis=axis, index=index, shape=x_shape))
scatter_zeros.gradient(y=lambda g, axis, index: gather(g, axis=axis, index=index))
gather.pours(_add_along)


@op
def scatter(x: Array, y: Array, *, axis: int, index: Array) -> Array:
    """x with y written along an axis: out[index[i][j]][j] = y[i][j]; y may be larger than index."""
    out = np.array(x)
    if index.ndim:
        out[along(index, axis)] = _corner(y, index)
    else:
        out[...] = y
    return out


def _corner(y: Array, index: Array) -> Array:
    """The part of y that ``index`` speaks of."""
    return y[tuple([slice(n) for n in index.shape])] if getattr(y, "ndim", 0) else y


@op
def corner_place(y: Array, *, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y in the first corner."""
    out = np.zeros(shape, y.dtype)
    out[tuple([slice(n) for n in y.shape])] = y
    return out


@op
def corner(x: Array, *, shape: tuple[int, ...]) -> Array:
    """The first corner of x, of ``shape``."""
    return np.array(x[tuple([slice(n) for n in shape])])


corner.gradient(x=lambda g, x_shape: corner_place(g, shape=x_shape))
corner_place.gradient(y=lambda g, y_shape: corner(g, shape=y_shape))
scatter.gradient(
    x=lambda g, axis, index: scatter(g, 0, axis=axis, index=index),
    y=lambda g, axis, index, y_shape: corner_place(gather(g, axis=axis, index=index), shape=y_shape),
)
scatter_value = scatter.named("ScatterBackward1", shows=(0,))


@op
def scatter_add(x: Array, y: Array, *, axis: int, index: Array) -> Array:
    """x with y added along an axis; repeated places add up."""
    out = np.array(x)
    _add_along(out, _corner(y, index), axis, index)
    return out


scatter_add.gradient(
    x=lambda g: g, y=lambda g, axis, index, y_shape: corner_place(gather(g, axis=axis, index=index), shape=y_shape)
)


@op(node="MaskedFillBackward0")
def masked_fill(x: Array, *, mask: Array, value: Any) -> Array:
    """x with a number where ``mask`` holds."""
    if mask.shape == x.shape and x.ndim:
        out = np.array(x)
        out[mask] = value
        return out
    return np.where(mask, np.asarray(value, x.dtype), x)


masked_fill.gradient(x=lambda g, mask: masked_fill(g, mask=mask, value=0))


@op(node="MaskedFillBackward1", broadcasts=True)
def masked_fill_by(x: Array, y: Array, *, mask: Array) -> Array:
    """x with the 0-d y where ``mask`` holds."""
    return np.where(mask, y, x)


masked_fill_by.gradient(x=lambda g, mask: where(0, g, condition=mask), y=lambda g, mask: where(g, 0, condition=mask))


@op(node="MaskedScatterBackward0")
def masked_scatter(x: Array, y: Array, *, mask: Array) -> Array:
    """x with the first elements of y, in order, where ``mask`` holds."""
    out = np.array(np.broadcast_to(x, np.broadcast_shapes(x.shape, mask.shape)))
    out[mask] = y.reshape(-1)[: np.count_nonzero(mask)]
    return out


@op
def head_place(y: Array, *, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` that begin, in row-major order, with the elements of y."""
    out = np.zeros(shape, y.dtype)
    out.reshape(-1)[: y.size] = y
    return out


@op
def head(x: Array, *, count: int) -> Array:
    """The first ``count`` elements in row-major order."""
    return np.array(x.reshape(-1)[:count])


head_place.gradient(y=lambda g, y_shape: head(g, count=y_shape[0]))
head.gradient(x=lambda g, x_shape: head_place(g, shape=x_shape))
masked_scatter.gradient(
    x=lambda g, mask: masked_fill(g, mask=mask, value=0),
    y=lambda g, mask, y_shape: head_place(take(g, index=mask), shape=y_shape),
)


@op(node="IndexFillBackward0")
def index_fill(x: Array, *, index: Any, value: Any) -> Array:
    """x with a number at an index."""
    out = np.array(x)
    out[index] = value
    return out


index_fill.gradient(x=lambda g, index: index_fill(g, index=index, value=0))


@op(node="RepeatInterleaveBackward0")
def repeat_each(x: Array, *, counts: Any, axis: int) -> Array:
    """Repeat each slice along an axis as often as ``counts`` says."""
    return np.repeat(x, counts, axis)


@op
def sum_each(x: Array, *, counts: Any, axis: int) -> Array:
    """Sum the runs that ``repeat_each`` made: its adjoint."""
    runs = np.asarray(counts)
    starts = np.cumsum(runs) - runs
    out = np.zeros((*x.shape[:axis], len(runs), *x.shape[axis + 1 :]), x.dtype)
    filled = runs > 0
    if filled.any():
        out[(slice(None),) * axis + (filled,)] = np.add.reduceat(x, starts[filled], axis)
    return out


repeat_each.gradient(x=lambda g, counts, axis: sum_each(g, counts=counts, axis=axis))
sum_each.gradient(x=lambda g, counts, axis: repeat_each(g, counts=counts, axis=axis))


@op
def nonzero(x: Array) -> Array:
    """The indices of the elements that are not zero, one row each."""
    return np.stack(np.nonzero(x), 1) if x.ndim else np.zeros((int(x != 0), 0), np.int64)

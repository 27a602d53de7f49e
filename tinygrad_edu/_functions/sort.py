"""Sorting, searching and counting, with torch's signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import return_types
from .._core.op import Op
from .._ops import sort as _s
from .._ops.shape import reshape
from ._common import dimension, wrap
from .reduce import axis_of, must_be_tensor, numpy_names, type_name

if TYPE_CHECKING:
    from .._tensor import Tensor

__all__ = [
    "argsort",
    "bincount",
    "bucketize",
    "histc",
    "histogram",
    "isin",
    "kthvalue",
    "msort",
    "searchsorted",
    "sort",
    "topk",
    "unique",
    "unique_consecutive",
]


def _arranged(input: Tensor, index: Any, axis: int, pick: Any) -> tuple[Tensor, Tensor]:
    """The elements at ``index`` along ``axis``, and the index."""
    return pick(input, index, axis=axis), wrap(index)


@numpy_names
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool | None = None) -> return_types.sort:
    """Sort along ``dim``; equal elements stay in order, NaN counts as the largest.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([3, 1, 2]).sort(descending=True)
    torch.return_types.sort(
    values=tensor([3, 2, 1]),
    indices=tensor([0, 2, 1]))
    """
    axis = axis_of(input, dim, "sort")
    index = _s.argsort(input._array, axis=axis, descending=descending)
    pick = _s.sorted_along if stable is None else _s.stably_sorted_along
    return return_types.sort(*_arranged(input, index, axis, pick))


@numpy_names
def argsort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    *,
    stable: bool = False,  # always stable here
) -> Tensor:
    """Find the order that sorts along ``dim``; equal elements stay in order.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([3, 1, 2]).argsort()
    tensor([1, 2, 0])
    """
    return _s.argsort(input, axis=axis_of(input, dim, "argsort"), descending=descending)


def msort(input: Tensor) -> Tensor:
    """Sort along the first dimension."""
    return sort(input, 0).values


@numpy_names
def topk(
    input: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,  # always sorted here
) -> return_types.topk:
    """Find the k largest elements along ``dim`` (the smallest if not ``largest``), in order.

    Raises
    ------
    RuntimeError
        If there are fewer than k.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 4, 2, 3]).topk(2)
    torch.return_types.topk(
    values=tensor([4, 3]),
    indices=tensor([1, 3]))
    """
    axis = axis_of(input, dim, "topk")
    x = input._array
    if isinstance(k, Op.kind):
        k = int(k.item())
    n = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(
            f"selected index k out of range: k={k}, but dim {dim} of shape {list(x.shape)} has {n} elements"
        )
    if x.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    return return_types.topk(*_arranged(input, _s.top_index(x, k=k, axis=axis, largest=largest), axis, _s.top_along))


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> return_types.kthvalue:
    """Find the k-th smallest element along ``dim``, counted from 1.

    Raises
    ------
    RuntimeError
        If there is none.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([5.0, 1.0, 3.0]).kthvalue(2)
    torch.return_types.kthvalue(
    values=tensor(3.),
    indices=tensor(2))
    """
    axis = axis_of(input, dim, "kthvalue", empty="kthvalue():")
    x = input._array
    if x.dtype.kind == "b":
        raise NotImplementedError("\"kthvalue_cpu\" not implemented for 'Bool'")
    if not 1 <= k <= (x.shape[axis] if x.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    index = _s.kth_index(x, k=k, axis=axis, keepdims=keepdim) if x.ndim else np.int64(0)
    return return_types.kthvalue(_s.kth_along(input, index, axis=axis, keepdims=keepdim), wrap(index))


# ---- distinct elements


def unique(
    input: Tensor,
    sorted: bool = True,  # always sorted here
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """Find the distinct elements (or the distinct slices along ``dim``), ascending.

    Returns
    -------
    The distinct elements; with ``return_inverse`` also which of them each element is; with ``return_counts`` also how often
    each occurs.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([3, 1, 3]).unique(return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    must_be_tensor(input, "unique")
    x = input._array
    if dim is None:
        found = _s.unique(input)
    else:
        dim = dimension(dim, x.ndim)
        found = _s.unique_slices(input, axis=dim)
    if not return_inverse and not return_counts:
        return found
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=dim, equal_nan=False)
    shape = x.shape if dim is None else (x.shape[dim],)
    extras = [wrap(inverse.reshape(shape))] if return_inverse else []
    if return_counts:
        extras.append(wrap(counts))
    return found, *extras


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Tensor | tuple[Tensor, ...]:
    """Keep the first of each run of equal elements (or of equal slices along ``dim``).

    Returns
    -------
    The first ones; with ``return_inverse`` also which run each element is in; with ``return_counts`` also how long each run is.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 1, 2, 1]).unique_consecutive()
    tensor([1, 2, 1])
    """
    must_be_tensor(input, "unique_consecutive")
    x = input._array
    axis = 0 if dim is None else dimension(dim, x.ndim)
    flat = x.reshape(-1) if dim is None else np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1)
    starts = np.ones(len(flat), bool)
    changes = flat[1:] != flat[:-1]
    starts[1:] = changes if dim is None else changes.any(axis=1)
    out = _s.run_heads(reshape(input, shape=(-1,)) if dim is None else input, starts=starts, axis=axis)
    if not return_inverse and not return_counts:
        return out
    run = np.cumsum(starts) - 1
    extras = [wrap(run.reshape(x.shape) if dim is None else run)] if return_inverse else []
    if return_counts:
        extras.append(wrap(np.bincount(run, minlength=int(starts.sum()))))
    return out, *extras


# ---- counting


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Count how often each of 0, 1, 2, ... occurs; or add up the ``weights`` of its places.

    Raises
    ------
    RuntimeError
        If the input is not one row of non-negative integers.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bincount(torch.tensor([0, 1, 1, 3]))
    tensor([1, 2, 0, 1])
    """
    must_be_tensor(input, "bincount")
    x = input._array
    if x.dtype.kind in "fb":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{type_name(input)}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if x.ndim != 1 or (x < 0).any():
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return _s.bincount(input, minlength=minlength)
    w = weights._array
    if w.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    return _s.bincount(input, weights=w if w.dtype == np.float32 else w.astype(np.float64), minlength=minlength)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Count the elements in ``bins`` equal parts of [min, max]; of the whole range if both are equal.

    Raises
    ------
    NotImplementedError
        If the elements are no floating-point numbers.
    RuntimeError
        If there are no bins or the range is not finite.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1.0, 2.0, 1.0]).histc(bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    must_be_tensor(input, "histc")
    x = input._array
    if x.dtype.kind != "f":
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{type_name(input)}'")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not np.isfinite(low) or not np.isfinite(high):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    counts = _s.histc(input, bins=bins, low=low, high=high)
    return wrap(counts._array.astype(x.dtype))


def histogram(
    input: Tensor,
    bins: int | Tensor,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> return_types.histogram:
    """Count the elements between successive edges: those given, or of ``bins`` equal parts of ``range``."""
    must_be_tensor(input, "histogram")
    x = input._array
    if x.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{type_name(input)}'")
    if isinstance(bins, int):
        if bins <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
        low, high = range or ((float(x.min()), float(x.max())) if x.size else (0.0, 0.0))
        if low == high:
            low, high = low - 1, high + 1
        edges = np.linspace(low, high, bins + 1, dtype=x.dtype)
    else:
        edges = bins._array
    given = None if weight is None else weight._array
    counts = _s.histogram(input, edges=edges, weights=given, density=density)
    return return_types.histogram(counts, wrap(edges) if isinstance(bins, int) else bins)


# ---- searching


def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | float,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Find where each element would stand in an ascending sequence: before its equals, or after them if ``right``.

    Raises
    ------
    RuntimeError
        If ``side`` is neither "left" nor "right", or the shapes do not fit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 6]))
    tensor([1, 3])
    """
    name = "torch.searchsorted()"
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{name}: side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(f"{name}: side and right can't be set to opposites, got side of left while right was True")
    must_be_tensor(sorted_sequence, "searchsorted", "sorted_sequence")
    x = sorted_sequence._array
    y = input._array if isinstance(input, Op.kind) else np.asarray(input)
    if x.ndim == 0:
        raise RuntimeError(f"{name}: boundaries tensor should have positive dimension, but got 0 dimension")
    if x.ndim > 1 and (y.ndim != x.ndim or y.shape[:-1] != x.shape[:-1]):
        raise RuntimeError(
            f"{name}: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor "
            f"must match, but we got boundaries tensor {list(x.shape)} and input value tensor {list(y.shape)}"
        )
    if sorter is not None:
        x = np.take_along_axis(x, sorter._array, -1)
    found = _s.searchsorted(x, y, right=right or side == "right")
    return wrap(found.astype(np.int32) if out_int32 else found)


def bucketize(input: Tensor | float, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Find which of the buckets between ascending ``boundaries`` each element falls into.

    Raises
    ------
    RuntimeError
        If the boundaries are not one row.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bucketize(torch.tensor([3, 6]), torch.tensor([1, 3, 5]))
    tensor([1, 3])
    """
    must_be_tensor(boundaries, "bucketize", "boundaries", 2)
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def isin(
    elements: Tensor | float, test_elements: Tensor | float, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Say for each element whether it is one of ``test_elements``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([2, 3]))
    tensor([False,  True,  True])
    """
    x = elements._array if isinstance(elements, Op.kind) else np.asarray(elements)
    y = test_elements._array if isinstance(test_elements, Op.kind) else np.asarray(test_elements)
    return wrap(np.isin(x, y, assume_unique=assume_unique, invert=invert))

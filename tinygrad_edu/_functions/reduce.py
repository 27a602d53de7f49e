"""Reductions and their running forms, with torch's signatures."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, overload

import numpy as np

from .. import return_types
from .._core.op import Op
from .._dtype import as_numpy, scalar_name
from .._ops import reduce as _r
from .._ops import sort as _sort
from .._ops.elementwise import maximum, minimum
from .._ops.index import gather
from .._ops.shape import permute, reshape
from ._common import cast, dimension, dimensions, wrap

if TYPE_CHECKING:
    from .._dtype import dtype as DType
    from .._tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "aminmax",
    "any",
    "argmax",
    "argmin",
    "corrcoef",
    "count_nonzero",
    "cov",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "logcumsumexp",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "nanmean",
    "nanmedian",
    "nanquantile",
    "nansum",
    "prod",
    "quantile",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]

Dim: TypeAlias = "int | Sequence[int] | None"
P = ParamSpec("P")
R = TypeVar("R")


def type_name(x: Tensor) -> str:
    """Torch's name of the element type in messages: Long, Float, ..."""
    return scalar_name(x._array.dtype)


def must_be_tensor(value: object, function: str, argument: str = "input", position: int = 1) -> None:
    """Refuse what is not a Tensor, in torch's words.

    Raises
    ------
    TypeError
        If it is none.
    """
    if not isinstance(value, Op.kind):
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}. "
            "torch.tensor(...) makes one of a number, a list or an array."
        )


def numpy_names(function: Callable[P, R]) -> Callable[P, R]:
    """Let ``function`` take NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``, as torch does."""

    @wraps(function)
    def named(*args: P.args, **kwargs: P.kwargs) -> R:
        if not args or not isinstance(args[0], Op.kind):
            must_be_tensor(args[0] if args else kwargs.get("input"), function.__name__)
        if kwargs:
            for theirs, ours in (("axis", "dim"), ("keepdims", "keepdim")):
                if theirs in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    return named


def axes_of(input: Tensor, dim: Dim) -> int | tuple[int, ...] | None:
    """The axes meant by ``dim``: None for all, which ``()`` means too; a 0-d tensor has only all."""
    if dim is None:
        return None
    ndim = input._array.ndim
    if dim.__class__ is int:
        axis = dimension(dim, ndim)
        return axis if ndim else None
    axes = dimensions(dim, ndim)
    return axes if axes and ndim else None


def axis_of(input: Tensor, dim: int, function: str, *, empty: str | None = None) -> int:
    """The one axis meant by ``dim``; with ``empty`` it must have elements."""
    if dim.__class__ is not int and not hasattr(dim, "__index__"):
        raise TypeError(f"{function}(): argument 'dim' must be int, not {type(dim).__name__}")
    shape = input._array.shape
    axis = dimension(dim, len(shape))
    if empty is not None and shape and shape[axis] == 0:
        raise IndexError(f"{empty} Expected reduction dim {axis} to have non-zero size.")
    return axis


def check_flag(keepdim: object, function: str) -> None:
    """Refuse a ``keepdim`` that is no bool: the NumPy habit ``x.sum(0, 1)`` would otherwise be misread."""
    if keepdim is not True and keepdim is not False:
        raise TypeError(
            f"{function}(): argument 'keepdim' (position 2) must be bool, not {type(keepdim).__name__}. "
            f"Several dims are given as one tuple: {function}((0, 1))."
        )


def lanes(input: Tensor) -> Tensor:
    """A 0-d tensor as a tensor of one element; others as they are."""
    return input if input._array.ndim else reshape(input, shape=(1,))


# ---- sums


def sum(
    input: Tensor,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Dim = None,
    keepdims: bool = False,
) -> Tensor:
    """Add up the elements, over ``dim`` if given; integers and booleans add up in int64.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x.sum(), x.sum(0), x.sum(1, keepdim=True)
    (tensor(10.), tensor([4., 6.]), tensor([[3.],
            [7.]]))
    """
    if not isinstance(input, Op.kind):
        must_be_tensor(input, "sum")
    if dtype is not None:
        input = cast(input, as_numpy(dtype), inside=True)
        if dtype.numpy.kind == "b":
            return any(input, dim if axis is None else axis, keepdim or keepdims)
    if dim is None and axis is None and not keepdim and not keepdims:
        return _r.total(input)
    check_flag(keepdim, "sum")
    return _r.sum(input, axis=axes_of(input, dim if axis is None else axis), keepdims=keepdim or keepdims)


def mean(
    input: Tensor,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    axis: Dim = None,
    keepdims: bool = False,
) -> Tensor:
    """Average the elements, over ``dim`` if given.

    Raises
    ------
    RuntimeError
        If the elements are integers or booleans.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1.0, 3.0]).mean()
    tensor(2.)
    """
    if not isinstance(input, Op.kind):
        must_be_tensor(input, "mean")
    if dtype is not None:
        input = cast(input, as_numpy(dtype), inside=True)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {type_name(input)}. Convert first: x.float().mean()."
        )
    if dim is None and axis is None and not keepdim and not keepdims:
        return _r.average(input)
    check_flag(keepdim, "mean")
    return _r.mean(input, axis=axes_of(input, dim if axis is None else axis), keepdims=keepdim or keepdims)


@numpy_names
def nansum(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Add up the elements that are numbers, over ``dim`` if given.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1.0, float("nan")]).nansum()
    tensor(1.)
    """
    if dtype is not None:
        input = cast(input, as_numpy(dtype), inside=True)
    if input._array.dtype.kind != "f":
        return sum(input, dim, keepdim)
    return _r.nansum(input, axis=axes_of(input, dim), keepdims=keepdim)


@numpy_names
def nanmean(input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Average the elements that are numbers, over ``dim`` if given.

    Raises
    ------
    RuntimeError
        If the elements are integers or booleans.
    """
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {type_name(input)}"
        )
    if dtype is not None:
        input = cast(input, as_numpy(dtype), inside=True)
    axis = axes_of(input, dim)
    return _r.nansum(input, axis=axis, keepdims=keepdim) / _r.count_numbers(input, axis=axis, keepdims=keepdim)


@numpy_names
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """Count the elements that are not zero, over ``dim`` if given."""
    return _r.count_nonzero(input, axis=axes_of(input, dim))


@numpy_names
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Are all elements non-zero, over ``dim`` if given?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2, 0]).all()
    tensor(False)
    """
    axis = () if isinstance(dim, Sequence) and not dim else axes_of(input, dim)
    return _r.all(input, axis=axis, keepdims=keepdim)


@numpy_names
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Is any element non-zero, over ``dim`` if given?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[0, 0], [0, 2]]).any(1)
    tensor([False,  True])
    """
    axis = () if isinstance(dim, Sequence) and not dim else axes_of(input, dim)
    return _r.any(input, axis=axis, keepdims=keepdim)


@numpy_names
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Multiply the elements, over ``dim`` if given; integers and booleans in int64.

    The gradient of a factor is the product of the others, also where a factor is zero.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    if dtype is not None:
        input = cast(input, as_numpy(dtype), inside=True)
    if dim is None:
        return _r.product(input)
    check_flag(keepdim, "prod")
    axis = axis_of(input, dim, "prod")
    return _r.prod(input, axis=axis, keepdims=keepdim)


# ---- extrema


def _check_full(input: Tensor, function: str) -> None:
    if input._array.size == 0:
        raise RuntimeError(
            f"{function}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
            "'dim' argument."
        )


def _check_axes(input: Tensor, axis: Any, function: str) -> None:
    shape = input._array.shape
    for a in axis if isinstance(axis, tuple) else (axis,):
        if shape[a] == 0:
            raise IndexError(f"{function}(): Expected reduction dim {a} to have non-zero size.")


@numpy_names
def amax(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """Find the largest elements over ``dim``; equal ones share the gradient evenly.

    Raises
    ------
    IndexError
        If a dim to reduce is empty.
    """
    axis = axes_of(input, dim)
    _check_full(input, "amax") if axis is None else _check_axes(input, axis, "amax")
    return _r.amax(input, axis=axis, keepdims=keepdim)


@numpy_names
def amin(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """Find the smallest elements over ``dim``; equal ones share the gradient evenly.

    Raises
    ------
    IndexError
        If a dim to reduce is empty.
    """
    axis = axes_of(input, dim)
    _check_full(input, "amin") if axis is None else _check_axes(input, axis, "amin")
    return _r.amin(input, axis=axis, keepdims=keepdim)


_least, _most = _r.amin.named("AminmaxBackward0"), _r.amax.named("AminmaxBackward0")


@numpy_names
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> return_types.aminmax:
    """Find the smallest and the largest elements, over ``dim`` if given.

    Raises
    ------
    RuntimeError
        If there are no elements.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([3, 1, 2]).aminmax()
    torch.return_types.aminmax(
    min=tensor(1),
    max=tensor(3))
    """
    axis = None if dim is None else axes_of(input, axis_of(input, dim, "aminmax", empty="aminmax:"))
    if axis is None and input._array.size == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    return return_types.aminmax(_least(input, axis=axis, keepdims=keepdim), _most(input, axis=axis, keepdims=keepdim))


def _chosen(input: Tensor, dim: int, keepdim: bool, name: str, index_of: Any, pick: Any) -> tuple[Tensor, Tensor]:
    """The values and indices of an op that chooses one element of each lane."""
    check_flag(keepdim, name)
    axis = axis_of(input, dim, name, empty=f"{name}():")
    x = input._array
    index = index_of(x, axis=axis, keepdims=keepdim) if x.ndim else np.int64(0)
    return pick(input, index, axis=axis, keepdims=keepdim), wrap(index)


@overload
def max(input: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> return_types.max: ...
@overload
def max(input: Tensor, other: Tensor, /) -> Tensor: ...
@overload
def max(input: Tensor, *, other: Tensor) -> Tensor: ...
@numpy_names
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """Find the largest element; or with ``dim`` the largest along it and where they are; or the larger of two tensors.

    Over all elements, equal ones share the gradient evenly; along a dim the first of them gets it.

    Raises
    ------
    RuntimeError
        If there are no elements.
    IndexError
        If the dim to reduce is empty.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([[1.0, 5.0], [4.0, 2.0]])
    >>> x.max()
    tensor(5.)
    >>> x.max(1)
    torch.return_types.max(
    values=tensor([5., 4.]),
    indices=tensor([1, 0]))
    """
    if other is not None or isinstance(dim, Op.kind):
        return maximum(input, dim if other is None else other)
    if dim is None:
        _check_full(input, "max")
        return _r.largest(input)
    return return_types.max(*_chosen(input, dim, keepdim, "max", _r.argmax, _r.largest_along))


@overload
def min(input: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> return_types.min: ...
@overload
def min(input: Tensor, other: Tensor, /) -> Tensor: ...
@overload
def min(input: Tensor, *, other: Tensor) -> Tensor: ...
@numpy_names
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """Find the smallest element; or with ``dim`` the smallest along it and where they are; or the smaller of two tensors.

    Over all elements, equal ones share the gradient evenly; along a dim the first of them gets it.

    Raises
    ------
    RuntimeError
        If there are no elements.
    IndexError
        If the dim to reduce is empty.
    """
    if other is not None or isinstance(dim, Op.kind):
        return minimum(input, dim if other is None else other)
    if dim is None:
        _check_full(input, "min")
        return _r.smallest(input)
    return return_types.min(*_chosen(input, dim, keepdim, "min", _r.argmin, _r.smallest_along))


def _place(input: Tensor, dim: int | None, keepdim: bool, name: str, search: Any) -> Tensor:
    x = input._array
    if x.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input. Convert first: x.int().{name}().")
    if dim is None:
        if x.size == 0:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        out: Tensor = search(input, keepdims=keepdim)
        return out
    axis = axis_of(input, dim, name, empty=f"{name}():")
    out = search(input, axis=axis if x.ndim else None, keepdims=keepdim)
    return out


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Find where the largest element is: in the flattened tensor, or along ``dim``.

    Raises
    ------
    IndexError
        If there are no elements.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 5], [4, 2]]).argmax(1)
    tensor([1, 0])
    """
    return _place(input, dim, keepdim, "argmax", _r.argmax)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Find where the smallest element is: in the flattened tensor, or along ``dim``.

    Raises
    ------
    IndexError
        If there are no elements.
    """
    return _place(input, dim, keepdim, "argmin", _r.argmin)


def _no_bool(input: Tensor, name: str) -> None:
    if input._array.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")


@overload
def median(input: Tensor) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> return_types.median: ...
@numpy_names
def median(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Find the middle element, the lower one of two; with ``dim`` along it, and where.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([3.0, 1.0, 2.0, 9.0]).median()
    tensor(2.)
    """
    _no_bool(input, "median")
    if dim is None:
        return _r.median(input)
    return return_types.median(*_chosen(input, dim, keepdim, "median", _r.median_index, _r.median_along))


def _nanmedian_index(x: Any, **settings: Any) -> Any:
    return _r.median_index(x, skips_nan=True, **settings)


@overload
def nanmedian(input: Tensor) -> Tensor: ...
@overload
def nanmedian(input: Tensor, dim: int, keepdim: bool = False) -> return_types.nanmedian: ...
@numpy_names
def nanmedian(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """Find the middle of the elements that are numbers; with ``dim`` along it, and where."""
    _no_bool(input, "nanmedian")
    if dim is None:
        return _r.nanmedian(input)
    return return_types.nanmedian(*_chosen(input, dim, keepdim, "nanmedian", _nanmedian_index, _r.nanmedian_along))


@numpy_names
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> return_types.mode:
    """Find the most frequent elements along ``dim``, the smallest of several, and where their last copies are."""
    return return_types.mode(*_chosen(input, dim, keepdim, "mode", _r.mode_index, _r.mode_along))


# ---- quantiles

_ROUNDINGS: dict[str, Callable[[Any], Any]] = {
    "linear": np.floor,
    "midpoint": np.floor,
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.rint,
}
_squeezed = reshape.named("SqueezeBackward4")


def _quantile(
    input: Tensor, q: float | Tensor, dim: int | None, keepdim: bool, interpolation: str, *, name: str, skips_nan: bool
) -> Tensor:
    x = input._array
    if x.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if x.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if interpolation not in _ROUNDINGS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if isinstance(q, Op.kind):
        levels = q._array
        if levels.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if levels.dtype is not x.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
        if not ((levels >= 0) & (levels <= 1)).all():
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    else:
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        levels = np.asarray(q, x.dtype)
    shape = x.shape
    if dim is None:
        axis, reduced = 0, (1,) * len(shape) if keepdim else ()
        input = reshape(input, shape=(x.size,))
    else:
        axis = axis_of(input, dim, name)
        reduced = shape[:axis] + ((1,) if keepdim and shape else ()) + shape[axis + 1 :]
        input = lanes(input)
    x = np.moveaxis(input._array, axis, -1)
    order = _sort.argsort(x, axis=x.ndim - 1)
    numbers = _r.sum(x == x, axis=-1, keepdims=True)
    n = x.shape[-1]
    rank = (
        levels.reshape(-1) * (np.maximum(numbers - 1, 0) if skips_nan else n - 1).astype(x.dtype)
        if skips_nan
        else (levels.reshape(-1) * x.dtype.type(n - 1) + np.zeros_like(numbers, x.dtype))
    )
    rank = (
        np.where(numbers < n, x.dtype.type(n - 1), rank) if not skips_nan else rank
    )  # a NaN, sorted last, is the answer
    below = _ROUNDINGS[interpolation](rank)

    def at(places: Any) -> Tensor:
        index = gather(order, axis=order.ndim - 1, index=places.astype(np.int64))
        return gather(input, axis=axis, index=np.moveaxis(index, -1, axis))

    out = at(below)
    if interpolation in ("linear", "midpoint"):
        above = np.ceil(rank)
        weight = np.moveaxis(
            rank - below if interpolation == "linear" else (above > below) * x.dtype.type(0.5), -1, axis
        )
        out = out + wrap(weight) * (at(above) - out)
    out = permute(out, axes=(axis, *[a for a in range(out._array.ndim) if a != axis]))  # (q, ...)
    result: Tensor = _squeezed(out, shape=(levels.shape + reduced))
    return result


@numpy_names
def quantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """Find the elements below which a share ``q`` lies, over ``dim`` if given; several ``q`` come first in the shape.

    Raises
    ------
    RuntimeError
        If the elements are not floating-point numbers, or ``q`` is outside [0, 1].

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1.0, 2.0, 4.0]).quantile(0.75)
    tensor(3.)
    """
    return _quantile(input, q, dim, keepdim, interpolation, name="quantile", skips_nan=False)


@numpy_names
def nanquantile(
    input: Tensor, q: float | Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """Find the elements below which a share ``q`` of those that are numbers lies, over ``dim`` if given.

    Raises
    ------
    RuntimeError
        If the elements are not floating-point numbers, or ``q`` is outside [0, 1].
    """
    return _quantile(input, q, dim, keepdim, interpolation, name="nanquantile", skips_nan=True)


# ---- running forms


def _running(input: Tensor, dim: int, name: str, run: Any) -> Tensor:
    out: Tensor = run(input, axis=axis_of(input, dim, name))
    return out


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Add up along ``dim``, keeping every partial sum; integers and booleans in int64.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    return _typed(_running(_cast(input, dtype), dim, "cumsum", _r.cumsum), dtype)


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """Multiply up along ``dim``, keeping every partial product; integers and booleans in int64.

    The gradient is right where elements are zero: nothing is divided by them.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2, 3]).cumprod(0)
    tensor([1, 2, 6])
    """
    return _typed(_running(_cast(input, dtype), dim, "cumprod", _r.cumprod), dtype)


def _cast(input: Tensor, dtype: DType | None) -> Tensor:
    return input if dtype is None else cast(input, as_numpy(dtype), inside=True)


def _typed(out: Tensor, dtype: DType | None) -> Tensor:
    return out if dtype is None else cast(out, as_numpy(dtype))


@numpy_names
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """Logarithm of the running sum of exponentials along ``dim``.

    Raises
    ------
    NotImplementedError
        If the elements are integers or booleans.
    """
    if input._array.dtype.kind != "f":
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{type_name(input)}'")
    return _running(input, dim, "logcumsumexp", _r.logcumsumexp)


def _record(input: Tensor, dim: int, name: str, index_of: Any, pick: Any) -> tuple[Tensor, Tensor]:
    axis = axis_of(input, dim, name)
    index = index_of(input._array, axis=axis)
    return pick(input, axis=axis, index=index), wrap(index)


@numpy_names
def cummax(input: Tensor, dim: int) -> return_types.cummax:
    """Find the largest element so far along ``dim``, and where it is: the last of equal ones."""
    return return_types.cummax(*_record(input, dim, "cummax", _r.cummax_index, _r.largest_so_far))


@numpy_names
def cummin(input: Tensor, dim: int) -> return_types.cummin:
    """Find the smallest element so far along ``dim``, and where it is: the last of equal ones."""
    return return_types.cummin(*_record(input, dim, "cummin", _r.cummin_index, _r.smallest_so_far))


# ---- logarithms of sums, spreads


@numpy_names
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False) -> Tensor:
    """Logarithm of the sum of exponentials over ``dim``, without overflow: log(sum(exp(x))).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1000.0, 1000.0]).logsumexp(0)
    tensor(1000.6932)
    """
    return _r.logsumexp(input, axis=axes_of(input, dim), keepdims=keepdim)


def _spread(
    input: Tensor, dim: Any, unbiased: bool | None, correction: float | None
) -> tuple[int | tuple[int, ...] | None, float]:
    """Axis and correction meant by torch's three forms: (dim, unbiased), (unbiased), (dim, correction)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"std and var only support floating point and complex dtypes (got {type_name(input)}; convert first: x.float())"
        )
    if unbiased is not None:
        correction = int(unbiased)
    return axes_of(input, dim), 1 if correction is None else correction


@numpy_names
def var(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Measure the spread as the mean squared distance from the mean, over ``dim`` if given.

    Divides by n - 1 unless told otherwise by ``correction`` or ``unbiased``.

    Raises
    ------
    RuntimeError
        If the elements are integers or booleans.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0, 3.0])
    >>> x.var(), x.var(correction=0)
    (tensor(1.), tensor(0.6667))
    """
    axis, correction = _spread(input, dim, unbiased, correction)
    return _r.var(input, axis=axis, keepdims=keepdim, correction=correction)


@numpy_names
def std(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Measure the spread as the square root of the variance, over ``dim`` if given. Its gradient at spread zero is zero.

    Raises
    ------
    RuntimeError
        If the elements are integers or booleans.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1.0, 2.0, 3.0]).std()
    tensor(1.)
    """
    axis, correction = _spread(input, dim, unbiased, correction)
    return _r.std(input, axis=axis, keepdims=keepdim, correction=correction)


_var, _var_mean = _r.var.named("VarMeanBackward0"), _r.mean.named("VarMeanBackward0")
_std, _std_mean = _r.std.named("StdMeanBackward0"), _r.mean.named("StdMeanBackward0")


@numpy_names
def var_mean(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Variance and mean, over ``dim`` if given."""
    axis, correction = _spread(input, dim, unbiased, correction)
    return _var(input, axis=axis, keepdims=keepdim, correction=correction), _var_mean(
        input, axis=axis, keepdims=keepdim
    )


@numpy_names
def std_mean(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean, over ``dim`` if given."""
    axis, correction = _spread(input, dim, unbiased, correction)
    return _std(input, axis=axis, keepdims=keepdim, correction=correction), _std_mean(
        input, axis=axis, keepdims=keepdim
    )


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """Covariances of the rows: each row is a variable, each column an observation.

    ``fweights`` counts how often a column occurred, ``aweights`` says how much it matters.

    Raises
    ------
    RuntimeError
        If the input has more than two dimensions.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]).cov()
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    if input._array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input (convert first: x.float())")
    x = input.reshape(1, -1) if input.dim() < 2 else input
    if x._array.dtype.kind != "f":
        x = x / 1
    n: Any = x.shape[1]
    weights: Any = None
    if fweights is not None:
        weights = fweights
    if aweights is not None:
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        centred = x - sum(x, 1, True) / n
        free = n - correction
        scaled = centred
    else:
        n = sum(weights)
        centred = x - sum(x * weights, 1, True) / n
        scaled = centred * weights
        if aweights is None or correction == 0:
            free = n - correction
        else:
            free = n - correction * sum(weights * aweights) / n
    out = centred @ scaled.T / (free.clamp(min=0) if isinstance(free, Op.kind) else builtins.max(free, 0) or math.nan)
    return out.reshape(()) if input.dim() < 2 else out


def corrcoef(input: Tensor) -> Tensor:
    """Correlation coefficients of the rows: covariances, divided by both standard deviations.

    Raises
    ------
    RuntimeError
        If the input has more than two dimensions.
    """
    if input.dim() > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    c = cov(input)
    if c.dim() == 0:
        return c / c
    deviation = c.diagonal().sqrt()
    return (c / deviation.reshape(-1, 1) / deviation).clamp(-1, 1)

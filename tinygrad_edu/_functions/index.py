"""Functions that pick and place by index, with torch's signatures, and the reading of what stands in brackets."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _dtype
from .._core.op import Op
from .._errors import cannot_broadcast
from .._ops import index as _index
from .._ops import shape as _shape
from .._ops.elementwise import scale_inside as _scale
from ._common import cast, dimension, wrap

if TYPE_CHECKING:
    from .._tensor import Tensor

__all__ = [
    "argwhere",
    "gather",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_select",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "nonzero",
    "pick",
    "read_index",
    "scatter",
    "scatter_add",
    "take",
    "take_along_dim",
]


# ---- x[...]: torch takes numbers, slices and None first (views, one step each), then arrays of indices


def pick(x: Tensor, index: Any) -> Tensor:
    """Read ``x[index]``."""
    numbers = index if index.__class__ is tuple else (index,)
    if _all_within(numbers, x._array.shape):  # the most common case, kept short: half the time of what follows
        return _shape.select(x, index=numbers)
    basic, arrays, view = read_index(x, index)
    if basic is not None:
        x = view(x, index=basic)
    return x if arrays is None else _index.take(x, index=arrays)


def _all_within(numbers: tuple[Any, ...], shape: tuple[int, ...]) -> bool:
    """Are these plain integers, each within its dimension?"""
    return 0 < len(numbers) <= len(shape) and all(
        [i.__class__ is int and -n <= i < n for i, n in zip(numbers, shape)]  # noqa: B905  # there may be fewer numbers
    )


def read_index(x: Tensor, index: Any) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None, Any]:
    """Split what stands in brackets into the basic part, the arrays that index its result, and the view op to use.

    Raises
    ------
    IndexError, TypeError, ValueError
        As torch, for an index that does not fit.
    """
    items = list(index) if index.__class__ is tuple else [index]
    shape = x._array.shape
    given = [_item(i) for i in items]
    used = sum([_consumes(i) for i in given])
    if used > len(shape):
        if index.__class__ is int:  # loss.data[0], as it was written before PyTorch 0.4
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` to convert a 0-dim tensor to a Python number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    dots = [k for k, i in enumerate(given) if i is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    fill = [slice(None)] * (len(shape) - used)
    if dots:
        given[dots[0] : dots[0] + 1] = fill
    else:
        given += fill
    basic: list[Any] = []
    arrays: list[Any] = []
    dim = 0
    view = _shape.alias if dots or not items else _shape.getitem
    for item in given:
        if item is None:
            basic.append(None)
            arrays.append(slice(None))
            view = _shape.unsqueeze_index
        elif isinstance(item, slice):
            if item.step is not None and operator.index(item.step) <= 0:
                raise ValueError("step must be greater than zero; use x.flip(dim) to reverse")
            basic.append(item)
            arrays.append(slice(None))
            if item.indices(shape[dim]) == (0, shape[dim], 1):
                basic[-1] = slice(None)
            else:
                view = _shape.getitem
            dim += 1
        elif isinstance(item, int):
            if not -shape[dim] <= item < shape[dim]:
                raise IndexError(f"index {item} is out of bounds for dimension {dim} with size {shape[dim]}")
            basic.append(item)
            view = _shape.select
            dim += 1
        elif item.dtype == bool:
            for k, n in enumerate(item.shape):
                if n != shape[dim + k]:
                    raise IndexError(
                        f"The shape of the mask {list(item.shape)} at index {k} does not match the shape of the indexed tensor "
                        f"{list(shape)} at index {dim + k}"
                    )
            basic += [slice(None)] * item.ndim
            if item.ndim:
                arrays.append(item)
            else:  # x[True]: a new dimension of size 1 or 0
                basic.append(None)
                arrays.append(item.reshape(1))
                view = _shape.unsqueeze_index
            dim += item.ndim
        else:
            _in_range(item, dim, shape[dim])
            basic.append(slice(None))
            arrays.append(item)
            dim += 1
    has_arrays = any(hasattr(a, "dtype") for a in arrays)
    plain = all(isinstance(b, slice) and b == slice(None) for b in basic)
    if plain and len(items) > 1:
        view = _shape.alias
    if has_arrays:
        while arrays and isinstance(arrays[-1], slice):
            arrays.pop()
    return (None if plain and has_arrays else tuple(basic)), (tuple(arrays) if has_arrays else None), view


def _item(i: Any) -> Any:
    """One index as None, Ellipsis, a slice, an int or an array."""
    if i is None or i is Ellipsis or i.__class__ is int:
        return i
    if isinstance(i, slice):
        return slice(_bound(i.start), _bound(i.stop), _bound(i.step))
    if isinstance(i, Op.kind):
        i = i._array
        if not isinstance(i, np.ndarray | np.generic):  # inside vmap: an index of each example
            return _item_of_each(i)
    elif isinstance(i, bool):
        return np.asarray(i)
    elif isinstance(i, list | tuple | range):
        i = np.asarray([_plain(k) for k in i] if not isinstance(i, range) else list(i))
        if not i.size:
            i = i.astype(np.int64)
    if isinstance(i, np.ndarray | np.generic):
        if i.dtype.kind not in "biu":
            raise IndexError(
                f"tensors used as indices must be long, int, byte or bool tensors, not {i.dtype}; cast with .long()"
            )
        if i.dtype == np.uint8:
            i = i.astype(bool)
        return np.asarray(i) if i.ndim or i.dtype == bool else int(i)
    if isinstance(i, str):
        raise TypeError("new(): invalid data type 'str': a tensor is indexed by numbers, slices, None, ... and tensors")
    try:
        return operator.index(i)
    except TypeError:
        raise IndexError(
            f"only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {type(i).__name__})"
        ) from None


def _item_of_each(i: Any) -> Any:
    """An index that differs between examples: it stays an array, even if it is one number of each."""
    if i.dtype.kind not in "biu":
        raise IndexError(
            f"tensors used as indices must be long, int, byte or bool tensors, not {i.dtype}; cast with .long()"
        )
    return i.astype(bool) if i.dtype == np.uint8 else i


def _plain(k: Any) -> Any:
    return k._array if isinstance(k, Op.kind) else k


def _bound(b: Any) -> Any:
    return b if b is None else operator.index(b)


def _consumes(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if hasattr(item, "dtype") and item.dtype == bool else 1


def _in_range(index: Any, dim: int, size: int) -> None:
    if index.size and (index.min() < -size or index.max() >= size):
        bad = int(index.max() if index.max() >= size else index.min())
        raise IndexError(f"index {bad} is out of bounds for dimension {dim} with size {size}")


# ---- along one dimension


def _indices(name: str, index: Any) -> Any:
    """The array of an index tensor."""
    if not isinstance(index, Op.kind):
        raise TypeError(f"{name}(): argument 'index' must be Tensor, not {type(index).__name__}")
    array = index._writable()
    if array.dtype.kind not in "iu":
        raise RuntimeError(
            f"{name}(): Expected dtype int64 for index, but got {_dtype.of(array.dtype)}; cast it with .long()"
        )
    return array


def _checked(name: str, x: Any, d: int, index: Any, *, source: Any = None) -> None:
    """Does ``index`` fit ``x`` (and ``source``) except along d, and stay in range there?"""
    ndim = max(x.ndim, 1)
    if max(index.ndim, 1) != ndim and index.size:
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {'self' if source is not None else 'input'} tensor"
        )
    for k in range(min(ndim, index.ndim)):
        if k != d and x.ndim and index.shape[k] > x.shape[k]:
            raise RuntimeError(
                f"Size does not match at dimension {k} expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from dimension {d}"
            )
        if source is not None and source.ndim and index.shape[k] > source.shape[k]:
            raise RuntimeError(f"Expected index {list(index.shape)} to be no larger than src {list(source.shape)}")
    size = x.shape[d] if x.ndim else 1
    if index.size and (index.min() < 0 or index.max() >= size):
        bad = int(index.max() if index.max() >= size else index.min())
        raise RuntimeError(f"index {bad} is out of bounds for dimension {d} with size {size} ({name})")


def _scattered(name: str, input: Tensor, index: Tensor, source: Any) -> tuple[Any, Any]:
    """The array of an index and what it scatters; where the input has dimensions, 0-d ones count as vectors of one."""
    i = _indices(name, index)
    if not i.ndim and input._array.ndim:
        i = i.reshape(1)
    if isinstance(source, Op.kind) and not source._array.ndim and i.ndim:
        source = source.reshape(1)
    if name == "scatter_add" and not isinstance(source, Op.kind):
        raise TypeError(f"scatter_add(): argument 'src' (position 3) must be Tensor, not {type(source).__name__}")
    return i, source


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Pick along a dimension: out[i][j] = input[index[i][j]][j] for dim 0.

    Raises
    ------
    RuntimeError
        If an index is out of range or the shapes do not fit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    d = dimension(dim, input._array.ndim)
    i = _indices("gather", index)
    _checked("gather", input._array, d, i)
    return _index.gather(input, axis=d, index=i)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | None = None,
    *,
    value: float | None = None,
    reduce: str | None = None,
) -> Tensor:
    """Write along a dimension: out[index[i][j]][j] = src[i][j] for dim 0; src may be a number.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(1, 3).scatter(1, torch.tensor([[2]]), 1.0)
    tensor([[0., 0., 1.]])
    """
    d = dimension(dim, input._array.ndim)
    i, source = _scattered("scatter", input, index, value if src is None else src)
    if isinstance(source, Op.kind):
        _checked("scatter", input._array, d, i, source=source._array)
        if source._array.dtype is not input._array.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        if reduce == "add":
            return _index.scatter_add(input, source, axis=d, index=i)
        if reduce == "multiply":
            raise NotImplementedError("scatter(reduce='multiply') is not here yet; scatter(reduce='add') is.")
        return _index.scatter(input, source, axis=d, index=i)
    _checked("scatter", input._array, d, i)
    number = np.asarray(_dtype.writable(source, input._array.dtype), input._array.dtype)
    if reduce == "add":
        return _index.scatter_add(input, np.broadcast_to(number, i.shape), axis=d, index=i)
    return _index.scatter_value(input, number, axis=d, index=i)


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Add along a dimension: out[index[i][j]][j] += src[i][j] for dim 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).scatter_add(0, torch.tensor([0, 0, 2]), torch.ones(3))
    tensor([2., 0., 1.])
    """
    d = dimension(dim, input._array.ndim)
    i, src = _scattered("scatter_add", input, index, src)
    _checked("scatter_add", input._array, d, i, source=src._array)
    if src._array.dtype is not input._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    return _index.scatter_add(input, src, axis=d, index=i)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Pick along a dimension with an index that broadcasts (or from the flattened tensor).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.take_along_dim(torch.tensor([[1, 2], [3, 4]]), torch.tensor([[1]]), 1)
    tensor([[2],
            [4]])
    """
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    d = dimension(dim, input._array.ndim)
    full = list(
        np.broadcast_shapes(
            input._array.shape[:d] + (1,) + input._array.shape[d + 1 :],
            indices._array.shape[:d] + (1,) + indices._array.shape[d + 1 :],
        )
    )
    xs, ns = list(full), list(full)
    xs[d], ns[d] = input._array.shape[d], indices._array.shape[d]
    return gather(input.expand(*xs), dim, indices.expand(*ns))


def _lead(d: int, rows: Any) -> tuple[Any, ...]:
    return (slice(None),) * d + (rows,)


def _rows(name: str, input: Tensor, dim: int, index: Tensor) -> tuple[int, Any]:
    """The dimension and the checked indices of index_select and its kin."""
    d = dimension(dim, input._array.ndim)
    rows = _indices(name, index)
    if rows.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got {rows.ndim}D")
    size = input._array.shape[d] if input._array.ndim else 1
    if rows.size and (rows.min() < 0 or rows.max() >= size):
        wrong = RuntimeError if name == "index_add" and input._array.ndim > 1 else IndexError  # as torch has it
        raise wrong(
            f"index out of range in self: {name} of dimension {d} with size {size} was given {int(rows.max())} (or less than 0)"
        )
    return d, rows.reshape(-1)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Take the slices of a dimension that a vector of indices names.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.index_select(torch.tensor([[1, 2], [3, 4]]), 0, torch.tensor([1]))
    tensor([[3, 4]])
    """
    d, rows = _rows("index_select", input, dim, index)
    if not input._array.ndim:
        return input.clone()
    return _index.index_select(input, index=_lead(d, rows))


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """Add slices where a vector of indices says; repeated places add up.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).index_add(0, torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
    tensor([3., 0., 0.])
    """
    d, rows = _rows("index_add", input, dim, index)
    given = source._array.shape[d] if source._array.ndim else 1
    if len(rows) != given:
        raise RuntimeError(
            f"index_add_(): Number of indices ({len(rows)}) should be equal to source.size(dim): ({given}), for dim: {d}"
        )
    return _index.index_add(input, source if alpha == 1 else _scale(source, alpha), index=_lead(d, rows))


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Write slices where a vector of indices says.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).index_copy(0, torch.tensor([2]), torch.tensor([5.0]))
    tensor([0., 0., 5.])
    """
    d, rows = _rows("index_copy", input, dim, index)
    return _index.index_copy(input, source, index=_lead(d, rows))


def index_fill(input: Tensor, dim: int, index: Tensor, value: float | Tensor) -> Tensor:
    """Write a number into the slices that a vector of indices names.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).index_fill(0, torch.tensor([2]), 5)
    tensor([0., 0., 5.])
    """
    d, rows = _rows("index_fill", input, dim, index)
    number = value.item() if isinstance(value, Op.kind) else value
    return _index.index_fill(input, index=_lead(d, rows), value=number)


def index_put(input: Tensor, indices: tuple[Tensor, ...], values: Tensor, accumulate: bool = False) -> Tensor:
    """Write values at the places that tensors of indices name; with ``accumulate`` add them.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).index_put((torch.tensor([0, 0]),), torch.tensor([1.0, 2.0]), accumulate=True)
    tensor([3., 0., 0.])
    """
    places = tuple([i._writable() for i in indices])
    return (_index.put_add if accumulate else _index.put)(input, values, index=places)


# ---- masks and flat indices


def _mask(name: str, mask: Any) -> Any:
    array = mask._writable()
    if array.dtype != bool:
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {_dtype.of(array.dtype)}; write mask.bool()"
        )
    return array


def masked_fill(input: Tensor, mask: Tensor, value: float | Tensor) -> Tensor:
    """Write a number where a mask holds.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1.0, 2.0]).masked_fill(torch.tensor([True, False]), 0)
    tensor([0., 2.])
    """
    holds = _mask("masked_fill_", mask)
    x = _spread_over(input, holds, "masked_fill")
    if isinstance(value, Op.kind):
        if value._array.ndim:
            raise RuntimeError(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} dimension(s)."
            )
        return _index.masked_fill_by(x, cast(value, x._array.dtype), mask=np.broadcast_to(holds, x._array.shape))
    return _index.masked_fill(
        x, mask=np.broadcast_to(holds, x._array.shape), value=_dtype.writable(value, x._array.dtype)
    )


def _spread_over(x: Tensor, mask: Any, name: str) -> Tensor:
    """``x``, expanded if the mask is larger."""
    try:
        shape = np.broadcast_shapes(x._array.shape, mask.shape)
    except ValueError:
        raise RuntimeError(cannot_broadcast(name, (x._array, mask))) from None
    return x if shape == x._array.shape else _shape.broadcast_inside(x, shape=shape)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Take the elements where a mask holds, as a vector.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    holds = _mask("masked_select", mask)
    x = _spread_over(input, holds, "masked_select")
    full = np.broadcast_to(holds, x._array.shape)
    if not x._array.ndim:
        return _index.masked_select(_shape.reshape_inside(x, shape=(1,)), index=(full.reshape(1),))
    return _index.masked_select(x, index=(full,))


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Write the elements of ``source``, in order, where a mask holds.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).masked_scatter(torch.tensor([True, False, True]), torch.tensor([1.0, 2.0]))
    tensor([1., 0., 2.])
    """
    holds = _mask("masked_scatter_", mask)
    x = _spread_over(input, holds, "masked_scatter")
    full = np.broadcast_to(holds, x._array.shape)
    needed = np.sum(full)
    if (needed > source._array.size).any():
        raise RuntimeError(
            f"Number of elements of source < number of ones in mask ({source._array.size} < {needed.max()})"
        )
    return _index.masked_scatter(x, source, mask=full)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Pick from the tensor as if it were flattened.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.take(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, 3]))
    tensor([1, 4])
    """
    i = _indices("take", index)
    _in_range(i, 0, input._array.size)
    if not input._array.ndim:
        return input.reshape(1)[index * 0]
    i = np.where(i < 0, i + input._array.size, i)
    where: list[Any] = []
    for n in reversed(input._array.shape):
        where.insert(0, i % n)
        i = i // n
    return _index.take_flat(input, index=tuple(where))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """Find the indices of the elements that are not zero: one row each, or (``as_tuple``) one vector per dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nonzero(torch.tensor([0, 3, 4]))
    tensor([[1],
            [2]])
    """
    if as_tuple:
        return tuple([wrap(i) for i in np.nonzero(np.atleast_1d(input._array))])
    return _index.nonzero(input)


def argwhere(input: Tensor) -> Tensor:
    """Find the indices of the elements that are not zero, one row each.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.argwhere(torch.tensor([0, 3]))
    tensor([[1]])
    """
    return _index.nonzero(input)

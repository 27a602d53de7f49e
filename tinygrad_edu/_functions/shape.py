"""Functions that change the shape or the order of elements, with torch's signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _dtype
from .._core.op import Op
from .._ops import shape as _shape
from .._ops.elementwise import clone as _clone
from .._ops.elementwise import contiguous as _contiguous
from .._ops.index import index_select as _pick
from .._ops.index import repeat_each as _repeat_each
from .._types import Size
from ._common import dimension, dimensions, into, promoted, sizes, wrap

if TYPE_CHECKING:
    from .._tensor import Tensor

__all__ = [
    "adjoint",
    "atleast_1d",
    "atleast_2d",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "cat",
    "chunk",
    "clone",
    "column_stack",
    "concat",
    "concatenate",
    "contiguous",
    "diag",
    "diag_embed",
    "diagonal",
    "expand",
    "expand_as",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "meshgrid",
    "moveaxis",
    "movedim",
    "narrow",
    "permute",
    "ravel",
    "repeat",
    "repeat_interleave",
    "reshape",
    "reshape_as",
    "roll",
    "rot90",
    "row_stack",
    "select",
    "split",
    "split_with_sizes",
    "squeeze",
    "stack",
    "sum_to_size",
    "swapaxes",
    "swapdims",
    "t",
    "tensor_split",
    "tile",
    "transpose",
    "tril",
    "triu",
    "unbind",
    "unflatten",
    "unfold",
    "unsqueeze",
    "view",
    "view_as",
    "vsplit",
    "vstack",
]


def _resolve(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """``shape`` with its -1 worked out for ``size`` elements."""
    known, unknown = 1, None
    for i, n in enumerate(shape):
        if n == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = i
        elif n < 0:
            raise RuntimeError(f"invalid shape dimension {n}")
        else:
            known *= n
    if unknown is not None:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {size} elements into shape {list(shape)} because the unspecified dimension size -1 can be any "
                "value and is ambiguous"
            )
        if size % known:
            raise RuntimeError(_no_fit(shape, size, f": {size} is not a multiple of {known}"))
        return shape[:unknown] + (size // known,) + shape[unknown + 1 :]
    if known != size:
        raise RuntimeError(_no_fit(shape, size, f", which has {known} elements"))
    return shape


def _no_fit(shape: tuple[int, ...], size: int, why: str) -> str:
    return f"shape '{list(shape)}' is invalid for input of size {size}{why}. One size may be -1 and is then worked out."


def reshape(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """Give the elements in row-major order another shape; a view where the memory allows it, else a copy.

    Raises
    ------
    RuntimeError
        If the number of elements differs.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    array = input._array
    wanted = _resolve(sizes(shape), array.size)
    if _would_copy(array, wanted):
        return _shape.reshape_copy(_contiguous(input), shape=wanted)
    return _shape.reshape(input, shape=wanted)


def _would_copy(array: Any, shape: tuple[int, ...]) -> bool:
    """Must NumPy copy to reshape?"""
    if getattr(array, "flags", None) is None or array.flags.c_contiguous or array.size <= 1:
        return False
    view = array.reshape(shape)
    return not np.may_share_memory(view, array)


def view(input: Tensor, *shape: int | Sequence[int]) -> Tensor:
    """Give the same memory another shape, or, for a dtype, another reading.

    Raises
    ------
    RuntimeError
        If the number of elements differs, or the memory is not laid out for it (use reshape).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(4).view(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    if len(shape) == 1 and isinstance(shape[0], _dtype.dtype):
        return wrap(input._array.view(shape[0].numpy))
    array = input._array
    wanted = _resolve(sizes(shape), array.size)
    if _would_copy(array, wanted):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
            f"subspaces). Use .reshape(...) instead. (view {list(wanted)} of {list(array.shape)})"
        )
    return _shape.reshape(input, shape=wanted)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """View in the shape of another tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(4).view_as(torch.zeros(2, 2)).shape
    torch.Size([2, 2])
    """
    return view(input, other._array.shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """Reshape to the shape of another tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(4).reshape_as(torch.zeros(2, 2)).shape
    torch.Size([2, 2])
    """
    return reshape(input, other._array.shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the dimensions from ``start_dim`` to ``end_dim`` into one.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    shape = input._array.shape
    if not shape:
        return reshape(input, 1)
    first, last = dimension(start_dim, len(shape)), dimension(end_dim, len(shape))
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last:
        return input
    merged = 1
    for n in shape[first : last + 1]:
        merged *= n
    return reshape(input, shape[:first] + (merged,) + shape[last + 1 :])


def ravel(input: Tensor) -> Tensor:
    """Flatten all dimensions into one.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3).ravel().shape
    torch.Size([6])
    """
    return reshape(input, -1) if input._array.ndim != 1 else contiguous(input)


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split one dimension into several.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 6).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 2])
    """
    shape = input._array.shape
    d = dimension(dim, len(shape))
    inner = _resolve(tuple(sizes), shape[d])
    return view(input, shape[:d] + inner + shape[d + 1 :])


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Drop dimensions of size 1: all, or those named.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(1, 3, 1).squeeze().shape, torch.zeros(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    shape = input._array.shape
    if dim is None:
        return _shape.squeeze(input, shape=tuple([n for n in shape if n != 1]))
    dropped = dimensions(dim, len(shape))
    kept = tuple([n for i, n in enumerate(shape) if n != 1 or i not in dropped])
    op = _shape.squeeze_dims if isinstance(dim, Sequence) else _shape.squeeze_dim
    return op(input, shape=kept)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(3).unsqueeze(1).shape
    torch.Size([3, 1])
    """
    if not isinstance(input, Op.kind):
        raise TypeError(f"unsqueeze(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    shape = input._array.shape
    d = dimension(dim, len(shape) + 1)
    return _shape.unsqueeze(input, shape=(*shape[:d], 1, *shape[d:]))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dimensions.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3).transpose(0, 1).shape
    torch.Size([3, 2])
    """
    ndim = input._array.ndim
    a, b = dimension(dim0, ndim), dimension(dim1, ndim)
    axes = list(range(ndim))
    if axes:
        axes[a], axes[b] = b, a
    return _shape.transpose(input, axes=tuple(axes))


swapaxes = swapdims = transpose


def permute(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """Put the dimensions in another order.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    order = sizes(dims)
    ndim = input._array.ndim
    if len(order) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions "
            f"i.e. input.dim() = {ndim} is not equal to len(dims) = {len(order)}"
        )
    axes = tuple([dimension(d, ndim) for d in order])
    if len(set(axes)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _shape.permute(input, axes=axes)


def t(input: Tensor) -> Tensor:
    """Turn rows into columns; a vector stays as it is.

    Raises
    ------
    RuntimeError
        For more than two dimensions.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2], [3, 4]]).t()
    tensor([[1, 3],
            [2, 4]])
    """
    if input._array.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input._array.ndim}D")
    return _shape.t(input)


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move dimensions to other places, the rest staying in order.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3, 4).movedim(0, 2).shape
    torch.Size([3, 4, 2])
    """
    ndim = input._array.ndim
    taken, given = dimensions(source, ndim), dimensions(destination, ndim)
    rest = [d for d in range(ndim) if d not in taken]
    order = []
    for d in range(ndim):
        order.append(taken[given.index(d)] if d in given else rest.pop(0))
    return _shape.permute(input, axes=tuple(order))


moveaxis = movedim


def adjoint(input: Tensor) -> Tensor:
    """Transpose the last two dimensions (for real numbers the adjoint).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3).adjoint().shape
    torch.Size([3, 2])
    """
    return _shape.swap(input)


def expand(input: Tensor, *size: int | Sequence[int]) -> Tensor:
    """Repeat along dimensions of size 1 and along new ones in front, without copying; -1 keeps a size.

    Raises
    ------
    RuntimeError
        If a size other than 1 would have to change.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    wanted, have = sizes(size), input._array.shape
    added = len(wanted) - len(have)
    if added < 0:
        raise RuntimeError(
            f"expand({list(wanted)}): the number of sizes provided ({len(wanted)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(have)})"
        )
    full = list(wanted)
    for i, n in enumerate(wanted):
        old = have[i - added] if i >= added else None
        if n == -1:
            if old is None:
                raise RuntimeError(
                    f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
                )
            full[i] = old
        elif old is not None and old not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({old}) at non-singleton dimension {i}. "
                f"Target sizes: {list(wanted)}. Tensor sizes: {list(have)}"
            )
    return _shape.broadcast_to(input, shape=tuple(full))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """Expand to a shape; the function form of expand.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.broadcast_to(torch.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, *size)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """Expand to the shape of another tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2]).expand_as(torch.zeros(2, 2)).shape
    torch.Size([2, 2])
    """
    return expand(input, *other._array.shape)


def broadcast_shapes(*shapes: Sequence[int] | int) -> tuple[int, ...]:
    """Work out the shape that tensors of these shapes have together.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    try:
        return Size(np.broadcast_shapes(*[s if isinstance(s, int) else tuple(s) for s in shapes]))
    except ValueError:
        raise RuntimeError(
            f"Shape mismatch: objects cannot be broadcast to a single shape: {', '.join(map(str, shapes))}"
        ) from None


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Expand tensors to their common shape.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> [x.shape for x in torch.broadcast_tensors(torch.zeros(2, 1), torch.zeros(3))]
    [torch.Size([2, 3]), torch.Size([2, 3])]
    """
    shape = broadcast_shapes(*[x._array.shape for x in tensors])
    return tuple([x if x._array.shape == shape else expand(x, *shape) for x in tensors])


def sum_to_size(input: Tensor, *size: int | Sequence[int]) -> Tensor:
    """Sum over the dimensions that broadcasting from ``size`` would have stretched.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.ones(2, 3).sum_to_size(1, 3)
    tensor([[2., 2., 2.]])
    """
    wanted = sizes(size)
    shape = input._array.shape
    fits = len(wanted) <= len(shape) and all(w in (1, n) for w, n in zip(wanted[::-1], shape[::-1], strict=False))
    if not fits:
        raise RuntimeError(f"size {{{list(wanted)}}} is not expandable to size {{{list(shape)}}}.")
    return input if wanted == shape else _sum_to(input, shape=wanted)


_sum_to = _shape.sum_to.named("SumBackward1")


def clone(input: Tensor, *, memory_format: object = None) -> Tensor:
    """Copy; the gradient flows back to the original.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.clone(torch.tensor([1, 2]))
    tensor([1, 2])
    """
    return _clone(input)


def contiguous(input: Tensor, memory_format: object = None) -> Tensor:
    """Lay the elements out in row-major order: the tensor itself if they are, else a copy.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3).t().contiguous().is_contiguous()
    True
    """
    if not getattr(input._array, "flags", None) or input._array.flags.c_contiguous:
        return input
    return _contiguous(input)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Take one slice of a dimension, which disappears.

    Raises
    ------
    IndexError
        If there is no such slice.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2], [3, 4]]).select(1, 0)
    tensor([1, 3])
    """
    shape = input._array.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = dimension(dim, len(shape))
    if not -shape[d] <= index < shape[d]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {d}")
    return _shape.select(input, index=(slice(None),) * d + (int(index),))


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """Take ``length`` slices of a dimension from ``start`` on.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = input._array.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = dimension(dim, len(shape))
    begin = int(start)
    if not -shape[d] <= begin <= shape[d]:
        raise IndexError(f"start out of range (expected to be in range of [-{shape[d]}, {shape[d]}], but got {begin})")
    begin = begin + shape[d] if begin < 0 else begin
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if begin + length > shape[d]:
        raise RuntimeError(f"start ({begin}) + length ({length}) exceeds dimension size ({shape[d]}).")
    return _shape.getitem(input, index=(slice(None),) * d + (slice(begin, begin + length),))


def _pieces(input: Tensor, dim: int, edges: list[int], op: Any) -> tuple[Tensor, ...]:
    lead = (slice(None),) * dim
    return tuple([op(input, index=(*lead, slice(p, q))) for p, q in zip(edges, edges[1:], strict=False)])


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into pieces of one size (the last may be smaller), or of the sizes listed.

    Raises
    ------
    RuntimeError
        If the listed sizes do not add up.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    shape = tensor._array.shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = dimension(dim, len(shape))
    n = shape[d]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step < 0 or (step == 0 and n):
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        edges = [*range(0, n, step), n] if n else [0, 0]
        return _pieces(tensor, d, edges, _shape.part)
    return split_with_sizes(tensor, split_size_or_sections, dim)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into pieces of the sizes listed.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(5).split_with_sizes([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    d = dimension(dim, input._array.ndim)
    n = input._array.shape[d]
    if sum(split_sizes) != n or min(split_sizes, default=0) < 0:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), but got split_sizes="
            f"{list(split_sizes)}"
        )
    edges = [0]
    for size in split_sizes:
        edges.append(edges[-1] + size)
    return _pieces(input, d, edges, _shape.part_sizes)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into at most ``chunks`` pieces of equal size (the last may be smaller).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    shape = input._array.shape
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    d = dimension(dim, len(shape))
    step = -(-shape[d] // chunks)
    if step == 0:
        return _pieces(input, d, [0] * (chunks + 1), _shape.part_sizes)
    return split(input, step, dim)


def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Cut into a number of nearly equal pieces, or at the indices listed.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    d = dimension(dim, input._array.ndim)
    n = input._array.shape[d]
    if isinstance(indices_or_sections, int):
        k = indices_or_sections
        if k <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {k}")
        edges = [i * (n // k) + min(i, n % k) for i in range(k + 1)]
    else:
        edges = [0, *[min(max(i + n if i < 0 else i, 0), n) for i in indices_or_sections], n]
    return _pieces(input, d, edges, _shape.getitem)


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cut along columns.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 4).hsplit(2)[0].shape
    torch.Size([2, 2])
    """
    return tensor_split(input, indices_or_sections, 0 if input._array.ndim == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """Cut along rows.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(4, 2).vsplit(2)[0].shape
    torch.Size([2, 2])
    """
    return tensor_split(input, indices_or_sections, 0)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Take all slices of a dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    shape = input._array.shape
    if not shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    d = dimension(dim, len(shape))
    lead = (slice(None),) * d
    return tuple([_shape.part_unbind(input, index=(*lead, i)) for i in range(shape[d])])


def _joined(tensors: Sequence[Tensor], name: str) -> tuple[Tensor, ...]:
    """The tensors, checked and in their common dtype."""
    if isinstance(tensors, Op.kind):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
    tensors = tuple(tensors)
    if not tensors:
        raise ValueError(f"torch.{name}(): expected a non-empty list of Tensors")
    for i, x in enumerate(tensors):
        if not isinstance(x, Op.kind):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    first = tensors[0]._array.dtype
    if all([x._array.dtype is first for x in tensors]):
        return tensors
    return promoted(*tensors)


def cat(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Join along a dimension that exists; the other sizes must agree.

    Raises
    ------
    RuntimeError
        If they do not.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.cat([torch.tensor([1, 2]), torch.tensor([3])])
    tensor([1, 2, 3])
    """
    if out is not None:
        return into(out, cat(tensors, dim), "cat")
    xs = _joined(tensors, "cat")
    ndim = max([x._array.ndim for x in xs])
    for i, x in enumerate(xs):
        if not x._array.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated; use torch.stack.")
    d = dimension(dim, ndim)
    real = [x for x in xs if x._array.shape != (0,)] if ndim > 1 else list(xs)  # torch lets empty vectors pass
    reference = real[0]._array.shape if real else ()
    for i, x in enumerate(xs):
        shape = x._array.shape
        if shape == (0,) and ndim > 1:
            continue
        if len(shape) != len(reference):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(reference)} and {len(shape)}")
        for axis, (m, n) in enumerate(zip(reference, shape, strict=True)):
            if m != n and axis != d:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {m} but got size {n} for tensor number {i} in the list."
                )
    return _shape.cat(*real, axis=d)


concat = concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Join along a new dimension; the shapes must agree.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    if out is not None:
        return into(out, stack(tensors, dim), "stack")
    if not isinstance(tensors, Op.kind) and not len(tensors):
        raise RuntimeError("stack expects a non-empty TensorList")
    xs = _joined(tensors, "stack")
    shape = xs[0]._array.shape
    for i, x in enumerate(xs):
        if x._array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and {list(x._array.shape)} at entry {i}"
            )
    return _shape.stack(*xs, axis=dimension(dim, len(shape) + 1))


def atleast_1d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Give a 0-d tensor one dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.atleast_1d(torch.tensor(1))
    tensor([1])
    """
    return _each(tensors, lambda x: x if x._array.ndim >= 1 else reshape(x, 1))


def atleast_2d(*tensors: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
    """Give a tensor two dimensions, new ones in front.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.atleast_2d(torch.tensor([1, 2]))
    tensor([[1, 2]])
    """
    return _each(tensors, _rows)


def _rows(x: Tensor) -> Tensor:
    return x if x._array.ndim >= 2 else reshape(x, 1, 1) if x._array.ndim == 0 else unsqueeze(x, 0)


def _each(tensors: tuple[Any, ...], change: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], Op.kind):
        return change(tensors[0])
    group = tensors[0] if len(tensors) == 1 else tensors
    return tuple([change(x) for x in group])


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join side by side: along columns, or along the only dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.hstack([torch.tensor([1]), torch.tensor([2])])
    tensor([1, 2])
    """
    xs = [x if x._array.ndim else reshape(x, 1) for x in tensors]
    return cat(xs, 0 if not xs or xs[0]._array.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join one above the other.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.vstack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([_rows(x) for x in tensors], 0)


row_stack = vstack


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join vectors as columns.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.column_stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return hstack([reshape(x, -1, 1) if x._array.ndim < 2 else x for x in tensors])


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """Spread vectors over a grid; ``indexing`` "ij" (the default) or "xy" as in NumPy.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4]), indexing="ij")[0]
    tensor([[1, 1],
            [2, 2]])
    """
    xs: list[Any] = list(tensors[0]) if len(tensors) == 1 and not isinstance(tensors[0], Op.kind) else list(tensors)
    if not xs:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for x in xs:
        if x._array.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x._array.ndim}D")
    if indexing is None:
        indexing = "ij"
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swapped = indexing == "xy" and len(xs) > 1
    if swapped:
        xs[0], xs[1] = xs[1], xs[0]
    shape = tuple([x._array.size for x in xs])
    grids = [expand(view(x, (1,) * i + (-1,) + (1,) * (len(xs) - i - 1)), *shape) for i, x in enumerate(xs)]
    if swapped:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def flip(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """Reverse the order along dimensions.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(3).flip(0)
    tensor([2, 1, 0])
    """
    axes = dimensions(sizes(dims), input._array.ndim)
    return _shape.flip(input, axes=axes if input._array.ndim else ())


def fliplr(input: Tensor) -> Tensor:
    """Reverse the order of columns.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2]]).fliplr()
    tensor([[2, 1]])
    """
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """Reverse the order of rows.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2]).flipud()
    tensor([2, 1])
    """
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Shift along dimensions; what falls off one end comes in at the other. Without dims the flattened tensor is shifted.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    steps = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
    if dims is None or (isinstance(dims, Sequence) and not dims):
        if len(steps) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:0")
        return _shape.roll(input, shifts=steps, axes=None)
    axes = tuple([dimension(d, input._array.ndim) for d in (dims if isinstance(dims, Sequence) else (dims,))])
    if len(axes) != len(steps):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(steps)}, dims:{len(axes)}")
    return _shape.roll(input, shifts=steps, axes=axes)


def repeat(input: Tensor, *repeats: int | Sequence[int]) -> Tensor:
    """Lay copies side by side, so many along each dimension (new ones in front).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = sizes(repeats)
    if len(times) < input._array.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if min(times, default=0) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(times)}: {list(times)}")
    return _shape.repeat(input, times=times)


def tile(input: Tensor, *dims: int | Sequence[int]) -> Tensor:
    """Lay copies side by side as NumPy's tile does.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2]).tile(2)
    tensor([1, 2, 1, 2])
    """
    times = sizes(dims)
    times = (1,) * (input._array.ndim - len(times)) + times
    return _shape.repeat(input, times=times)


def repeat_interleave(input: Tensor, repeats: int | Tensor | None = None, dim: int | None = None) -> Tensor:
    """Repeat each element (flattened), or each slice of a dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:  # repeat_interleave(counts): each index as often as its count
        return wrap(np.repeat(np.arange(input._array.size), input._array))
    x = reshape(input, -1) if dim is None else input
    if not x._array.ndim:
        x = reshape(x, 1)
    d = dimension(dim or 0, x._array.ndim)
    n = x._array.shape[d]
    if isinstance(repeats, Op.kind):
        counts = np.broadcast_to(repeats._array, (n,)) if repeats._array.size == 1 else np.array(repeats._array)
        if counts.shape != (n,):
            raise RuntimeError(
                f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and input.size({d}) = {n}"
            )
        return _pick_rows(x, np.repeat(np.arange(n), counts), d)
    if repeats < 0:
        raise RuntimeError("repeats can not be negative")
    return _repeat_view(x, counts=np.full(n, repeats), axis=d)


_repeat_view = _repeat_each.named("ViewBackward0")


def _pick_rows(x: Tensor, rows: Any, d: int) -> Tensor:
    return _pick(x, index=(slice(None),) * d + (rows,))


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """View the diagonal of two dimensions, as the last dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2], [3, 4]]).diagonal()
    tensor([1, 4])
    """
    ndim = input._array.ndim
    a, b = dimension(dim1, ndim), dimension(dim2, ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _shape.diagonal(input, offset=offset, axis1=a, axis2=b)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Copy the diagonal out of a matrix, or lay a vector on the diagonal of a new one.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.diag(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    ndim = input._array.ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return _shape.diagonal_copy(input, offset=diagonal)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Lay the last dimension on the diagonal of two new ones.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.diag_embed(torch.tensor([[1, 2]])).shape
    torch.Size([1, 2, 2])
    """
    shape = input._array.shape
    a, b = dimension(dim1, len(shape) + 1), dimension(dim2, len(shape) + 1)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = shape[-1] + (offset if offset >= 0 else -offset)
    full = list(shape[:-1])
    for axis in sorted((a, b)):
        full.insert(axis, n)
    return _shape.diag_embed(input, offset=offset, axis1=a, axis2=b, shape=tuple(full))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Keep the lower triangle of the last two dimensions.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tril(torch.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    if input._array.ndim < 2:
        raise RuntimeError("tril: input tensor must have at least 2 dimensions")
    return _shape.tril(input, diagonal=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Keep the upper triangle of the last two dimensions.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.triu(torch.ones(2, 2))
    tensor([[1., 1.],
            [0., 1.]])
    """
    if input._array.ndim < 2:
        raise RuntimeError("triu: input tensor must have at least 2 dimensions")
    return _shape.triu(input, diagonal=diagonal)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """View all slices of ``size`` along a dimension, ``step`` apart, as a new last dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    from ._common import dimension as checked

    d = checked(dimension, input._array.ndim)
    n = input._array.shape[d]
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _shape.windows(input, axis=d, size=size, step=step)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turn the plane of two dimensions by quarter turns.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    return _shape.rotate(input, quarters=k % 4, axes=dimensions(dims, input._array.ndim))

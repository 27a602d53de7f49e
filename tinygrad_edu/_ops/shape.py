"""The same elements in another shape or order. Linear operations come in adjoint pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core.op import Array, op
from ._choice import FAST
from .elementwise import nothing

# ---- views


@op(view=True, node="ViewBackward0")
def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """The elements in row-major order, in another shape."""
    return x.reshape(shape)


reshape.gradient(x=lambda g, x_shape: reshape(g, shape=x_shape))
reshape_copy = reshape.named("UnsafeViewBackward0")
reshape_inside = reshape.inside()
squeeze = reshape.named("SqueezeBackward0")
squeeze_dim = reshape.named("SqueezeBackward1")
squeeze_dims = reshape.named("SqueezeBackward2")
unsqueeze = reshape.named("UnsqueezeBackward0")


@op(view=True)
def permute(x: Array, *, axes: tuple[int, ...]) -> Array:
    """The axes in another order."""
    return x.transpose(axes)


permute.gradient(x=lambda g, axes: permute(g, axes=inverse(axes)))
transpose = permute.named("TransposeBackward0")


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes ``axes``."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


@op(view=True, node="TBackward0")
def t(x: Array) -> Array:
    """Turn rows into columns."""
    return x.T


t.gradient(x=lambda g: t(g))


@op(view=True, node="TransposeBackward0")
def swap(x: Array) -> Array:
    """Transpose the last two axes."""
    return x.swapaxes(-1, -2)


swap.gradient(x=lambda g: swap(g))


@op(view=True, node="ExpandBackward0")
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Repeat along new axes and axes of size 1, without copying."""
    if FAST and isinstance(x, np.generic):  # the gradient of a sum: the same view, read-only, for a seventh of the time
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    return np.broadcast_to(x, shape)


@op
def sum_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Sum over the axes that broadcasting from ``shape`` would have added or stretched."""
    added = x.ndim - len(shape)
    stretched = tuple([added + i for i, n in enumerate(shape) if n == 1 != x.shape[added + i]])
    if not added and len(stretched) == 1 == stretched[0] + 1:
        return np.add.reduce(x, axis=0, keepdims=True)
    out = np.add.reduce(x, axis=tuple(range(added)) + stretched, keepdims=True)
    if out.shape[added:] != shape:
        raise ValueError(f"an array of shape {x.shape} cannot be summed to {shape}: it was not broadcast from there")
    return out.reshape(shape)


broadcast_to.gradient(x=lambda g, x_shape: sum_to(g, shape=x_shape))
broadcast_inside = broadcast_to.inside()
sum_to.gradient(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


@op(view=True, node="SliceBackward0")
def getitem(x: Array, *, index: tuple[Any, ...]) -> Array:
    """The part of x at a basic index (integers, slices, None, Ellipsis)."""
    return x[(*index, ...)]  # the Ellipsis makes a view where NumPy would give a scalar


@op
def place(y: Array, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y at a basic index."""
    out = np.zeros(shape, y.dtype)
    out[index] = y
    return out


def _add_part(buffer: Array, g: Array, index: Any) -> None:
    buffer[index] += g


getitem.gradient(x=lambda g, x_shape, index: place(g, index=index, shape=x_shape))
place.gradient(y=lambda g, index: getitem(g, index=index))
getitem.pours(_add_part)

select = getitem.named("SelectBackward0")
alias = getitem.named("AliasBackward0")
unsqueeze_index = getitem.named("UnsqueezeBackward0")

part = getitem.named("SplitBackward0")  # one of several taken at once: torch refuses to write into those
part.many = True
part_sizes = part.named("SplitWithSizesBackward0")
part_unbind = part.named("UnbindBackward0")


@op(view=True)
def diagonal(x: Array, *, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The diagonal of two axes, as the last axis."""
    out = x.diagonal(offset, axis1, axis2)
    if x.flags.writeable:
        out.setflags(write=True)
    return out


@op
def diagonal_place(y: Array, *, offset: int, axis1: int, axis2: int, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y on the diagonal of two axes."""
    out = np.zeros(shape, y.dtype)
    diagonal.forward(out, offset=offset, axis1=axis1, axis2=axis2)[...] = y
    return out


def _add_diagonal(buffer: Array, g: Array, offset: int, axis1: int, axis2: int) -> None:
    target = diagonal.forward(buffer, offset=offset, axis1=axis1, axis2=axis2)
    target += g


diagonal.gradient(
    x=lambda g, x_shape, offset, axis1, axis2: diagonal_place(g, offset=offset, axis1=axis1, axis2=axis2, shape=x_shape)
)
diagonal_place.gradient(y=lambda g, offset, axis1, axis2: diagonal(g, offset=offset, axis1=axis1, axis2=axis2))
diagonal.pours(_add_diagonal)


@op(node="DiagonalBackward0_copy")
def diagonal_copy(x: Array, *, offset: int) -> Array:
    """The diagonal of a matrix, copied."""
    return np.array(x.diagonal(offset))


diagonal_copy.gradient(x=lambda g, x_shape, offset: diagonal_place(g, offset=offset, axis1=0, axis2=1, shape=x_shape))
diag_embed = diagonal_place.named("DiagEmbedBackward0")


@op(view=True, node="UnfoldBackward0")
def windows(x: Array, *, axis: int, size: int, step: int) -> Array:
    """All slices of ``size`` along an axis, ``step`` apart, as a new last axis."""
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=bool(x.flags.writeable))
    return view[(slice(None),) * axis + (slice(None, None, step),)]


@op
def windows_add(y: Array, *, axis: int, size: int, step: int, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with each slice of y added where ``windows`` would have read it."""
    out = np.zeros(shape, y.dtype)
    for k in range(y.shape[axis]):
        out[(slice(None),) * axis + (slice(k * step, k * step + size),)] += np.moveaxis(
            y[(slice(None),) * axis + (k,)], -1, axis
        )
    return out


windows.gradient(x=lambda g, x_shape, axis, size, step: windows_add(g, axis=axis, size=size, step=step, shape=x_shape))
windows_add.gradient(y=lambda g, axis, size, step: windows(g, axis=axis, size=size, step=step))

# ---- copies


@op
def cat(*xs: Array, axis: int) -> Array:
    """Join along an axis that exists."""
    return np.concatenate(xs, axis)


def _slab(shapes: tuple[tuple[int, ...], ...], which: int, axis: int) -> tuple[Any, ...]:
    """Where in the joined array the array number ``which`` lies."""
    start = sum([s[axis] for s in shapes[:which]])
    return (slice(None),) * axis + (slice(start, start + shapes[which][axis]),)


cat.gradient(xs=lambda g, which, xs_shape, axis: getitem(g, index=_slab(xs_shape, which, axis)))


@op
def stack(*xs: Array, axis: int) -> Array:
    """Join along a new axis."""
    return np.stack(xs, axis)


stack.gradient(xs=lambda g, which, axis: getitem(g, index=(slice(None),) * axis + (which,)))


@op
def flip(x: Array, *, axes: tuple[int, ...]) -> Array:
    """Reverse the order along axes."""
    return np.array(np.flip(x, axes))


flip.gradient(x=lambda g, axes: flip(g, axes=axes))


@op
def roll(x: Array, *, shifts: Any, axes: Any) -> Array:
    """Shift along axes; what falls off one end comes in at the other."""
    return np.roll(x, shifts, axes)


roll.gradient(x=lambda g, shifts, axes: roll(g, shifts=tuple([-s for s in shifts]), axes=axes))


@op(node="Rot90Backward0")
def rotate(x: Array, *, quarters: int, axes: tuple[int, ...]) -> Array:
    """Turn the plane of two axes by quarter turns."""
    return np.array(np.rot90(x, quarters, (axes[0], axes[1])))


rotate.gradient(x=lambda g, quarters, axes: rotate(g, quarters=-quarters, axes=axes))


@op
def repeat(x: Array, *, times: tuple[int, ...]) -> Array:
    """Lay copies side by side, ``times`` along each axis."""
    return np.tile(x, times)


@op
def sum_copies(x: Array, *, times: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """Sum the copies that ``repeat`` laid side by side: the adjoint of repeat."""
    full = (1,) * (len(times) - len(shape)) + tuple(shape)
    apart = x.reshape([n for pair in zip(times, full, strict=True) for n in pair])
    return np.add.reduce(apart, axis=tuple(range(0, 2 * len(times), 2))).reshape(shape)


repeat.gradient(x=lambda g, x_shape, times: sum_copies(g, times=times, shape=x_shape))
sum_copies.gradient(x=lambda g, times: repeat(g, times=times))


@op
def tril(x: Array, *, diagonal: int = 0) -> Array:
    """The lower triangle of the last two axes, zero above."""
    return np.tril(x, diagonal)


@op
def triu(x: Array, *, diagonal: int = 0) -> Array:
    """The upper triangle of the last two axes, zero below."""
    return np.triu(x, diagonal)


tril.gradient(x=lambda g, diagonal: tril(g, diagonal=diagonal))
triu.gradient(x=lambda g, diagonal: triu(g, diagonal=diagonal))


@op(node="torch::autograd::CopyBackwards", broadcasts=True)
def copy(x: Array, y: Array) -> Array:
    """y, spread over the shape of x: what an assignment leaves behind."""
    return np.array(np.broadcast_to(y, x.shape))


copy.gradient(x=lambda g: nothing(g), y=lambda g: g)


def follow(x: Any, path: Any) -> Any:
    """Take the views of ``path`` once more, starting from x."""
    chain = []
    while path is not None:
        path, view, settings = path
        chain.append((view, settings))
    for view, settings in reversed(chain):
        x = view(x, **settings)
    return x


@op(node="torch::autograd::CopySlices")
def splice(x: Array, y: Array, *, path: Any, order: tuple[int, ...]) -> Array:
    """x with y where ``path``, a chain of views, leads.

    ``order`` is the order of axes in the memory of the tensor that was written: laid out in the same way, the copy lets every
    view of the path be a view again.
    """
    out = np.empty([x.shape[a] for a in order], x.dtype).transpose(inverse(order))
    out[...] = x
    follow(out, path)[...] = y
    return out


splice.gradient(x=lambda g, path, order: splice(g, 0, path=path, order=order), y=lambda g, path: follow(g, path))


def memory_order(x: Array) -> tuple[int, ...]:
    """The axes of an array from the slowest in memory to the fastest."""
    if x.flags.c_contiguous:
        return tuple(range(x.ndim))
    return tuple(sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis])))

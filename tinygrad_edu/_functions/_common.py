"""What the functions of every family share: promotion, dimensions, shapes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _dtype
from .._core.op import Op
from .._ops.elementwise import cast as _cast

if TYPE_CHECKING:
    from .._tensor import Tensor


def is_tensor(value: object) -> bool:
    """Is ``value`` a Tensor?"""
    return isinstance(value, Op.kind)


def wrap(array: Any) -> Tensor:
    """Make a Tensor of an array, sharing its memory."""
    tensor: Tensor = Op.kind._of(array)
    return tensor


def cast(x: Tensor, numpy_dtype: np.dtype[Any], *, inside: bool = False) -> Tensor:
    """Give ``x`` in another dtype; ``x`` itself if it has it already. ``inside``: torch makes no step of it."""
    return _cast(x, numpy_dtype, inside=inside)


def as_tensor_operand(value: Any, what: str = "operand") -> Tensor:
    """A Tensor of a Tensor, an array or a Python number."""
    if isinstance(value, Op.kind):
        return value
    if isinstance(value, bool | int | float):
        d = _dtype._python(type(value))
        return wrap(np.asarray(value, d))
    if isinstance(value, np.ndarray | np.generic):
        return wrap(np.asarray(value, _dtype.of(value.dtype).numpy))
    raise TypeError(f"{what} must be a Tensor or a number, not {type(value).__name__}")


def promoted(*operands: Any) -> tuple[Tensor, ...]:
    """Give all operands (Tensors, arrays or Python numbers) as Tensors of their common dtype."""
    arrays = [x._array if isinstance(x, Op.kind) else x for x in operands]
    d = _dtype.result_numpy(*arrays)
    # A float becomes an array of that dtype at once: by way of the default dtype, 0.1 would lose digits.
    return tuple([wrap(np.asarray(x, d)) if isinstance(x, float) else cast(as_tensor_operand(x), d) for x in operands])


def dimension(dim: int, ndim: int) -> int:
    """``dim`` counted from the front.

    Raises
    ------
    IndexError
        If the tensor has no such dimension.
    """
    bound = ndim or 1
    try:
        dim = operator.index(dim)
    except TypeError:
        raise TypeError(f"dim must be an int, not {type(dim).__name__}") from None
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


def dimensions(dim: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    """Several dimensions counted from the front, none twice.

    Raises
    ------
    IndexError
        If the tensor has no such dimension.
    RuntimeError
        If one is named twice.
    """
    axes = tuple([dimension(d, ndim) for d in (dim if isinstance(dim, Sequence) else (dim,))])
    for axis in axes:
        if axes.count(axis) > 1:
            raise RuntimeError(f"dim {axis} appears multiple times in the list of dims")
    return axes


def sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape in ``f(2, 3)`` as well as in ``f((2, 3))``."""
    if len(shape) == 1 and isinstance(shape[0], Sequence):
        shape = tuple(shape[0])
    try:
        return tuple([operator.index(n) for n in shape])
    except TypeError:
        bad = next(n for n in shape if not hasattr(n, "__index__"))
        raise TypeError(f"a shape is made of ints, but got {type(bad).__name__} ({bad!r})") from None


def into(out: Tensor, result: Tensor, name: str) -> Tensor:
    """Write a result where ``out=`` asks for it.

    Raises
    ------
    RuntimeError
        If a gradient is wanted: the write could not be followed.
    """
    if result._current_node is not None or out._current_node is not None:
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad. "
            "Leave out= away, or work under torch.no_grad()."
        )
    if out._array.shape != result._array.shape:
        out.resize_(*result._array.shape)
    return out._write(result, name)

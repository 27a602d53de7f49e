"""From Python data to an array of the dtype that torch would choose."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _dtype
from ._core.op import Op


def array_of(data: Any, numpy_dtype: np.dtype[Any] | None = None) -> Any:
    """A new array of numbers, nested sequences, arrays or tensors.

    Floats become the default dtype, ints int64, bools bool; arrays and tensors keep theirs.

    Raises
    ------
    ValueError
        For sequences of different lengths at one depth.
    TypeError
        For anything that is not a number.
    """
    if isinstance(data, Op.kind):
        array = np.array(data._array)
    elif isinstance(data, np.ndarray | np.generic):
        array = np.array(data)
    elif isinstance(data, bool | int | float):
        if isinstance(data, int) and not -(2**63) <= data < 2**63 and not isinstance(data, bool):
            raise RuntimeError("Overflow when unpacking long long")
        array = np.asarray(
            data,
            numpy_dtype
            if numpy_dtype is not None
            else _dtype._python(type(data) if type(data) in (bool, int) else float),
        )
    elif isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'; a tensor is made of numbers")
    elif hasattr(data, "__array__"):
        array = np.array(data)
    else:
        array = _of_sequence(data, numpy_dtype)
    wanted = _dtype.of(array.dtype).numpy if numpy_dtype is None else numpy_dtype
    return array if array.dtype is wanted else array.astype(wanted)


def _of_sequence(data: Any, numpy_dtype: np.dtype[Any] | None) -> Any:
    """An array of nested sequences, whose elements may be tensors of one element."""
    try:
        shape = _shape_of(data)
    except TypeError:
        raise TypeError(f"must be real number, not {type(data).__name__}") from None
    flat: list[Any] = []
    _collect(data, shape, flat, ())
    if numpy_dtype is not None:
        return np.array(flat, numpy_dtype).reshape(shape)
    kinds = {type(x) for x in flat}
    if float in kinds:
        d = _dtype.default.numpy
    elif kinds & {np.float16, np.float32, np.float64}:
        d = np.result_type(*[x.dtype for x in flat if isinstance(x, np.generic)])
    elif int in kinds or any(issubclass(k, np.integer) for k in kinds):
        d = np.dtype(np.int64)
    elif kinds:
        d = np.dtype(bool)
    else:
        d = _dtype.default.numpy
    return np.array(flat, d).reshape(shape)


def _shape_of(data: Any) -> tuple[int, ...]:
    shape: list[int] = []
    while not isinstance(data, bool | int | float | np.generic):
        if isinstance(data, Op.kind):
            return (*shape, *data._array.shape)
        if isinstance(data, np.ndarray):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not shape[-1]:
            break
        data = data[0]
    return tuple(shape)


def _collect(data: Any, shape: tuple[int, ...], flat: list[Any], place: tuple[int, ...]) -> None:
    """Append the numbers in ``data`` to ``flat``, checking the shape on the way; depth is the number of dimensions."""
    if isinstance(data, Op.kind):
        data = data._array
    if isinstance(data, np.ndarray) and data.ndim == 0:
        data = data[()]
    depth = len(place)
    if depth == len(shape):
        if isinstance(data, bool | int | float | np.generic):
            flat.append(data)
            return
        if hasattr(data, "__len__") and not isinstance(data, str):
            raise ValueError(
                f"too many dimensions at position {list(place)}: expected a number, got a {type(data).__name__} of length {len(data)}"
            )
        raise TypeError(f"must be real number, not {type(data).__name__} (at position {list(place)})")
    if isinstance(data, str) or not hasattr(data, "__len__"):
        raise TypeError(
            f"expected a sequence of length {shape[depth]} at dim {depth}, got {type(data).__name__} (at position {list(place)})"
        )
    if len(data) != shape[depth]:
        raise ValueError(
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)}): all rows must be equally long"
        )
    for i, element in enumerate(data):
        _collect(element, shape, flat, (*place, i))

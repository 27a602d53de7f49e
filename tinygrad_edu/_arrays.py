"""From Python data to an array of the dtype that torch would choose."""

from __future__ import annotations

from functools import reduce
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
    TypeError, RuntimeError
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
    shape = _shape_of(data)
    flat: list[Any] = []
    _collect(data, shape, flat, (), numpy_dtype is not None)
    if numpy_dtype is not None:
        return np.array(flat, numpy_dtype).reshape(shape)
    dtypes = {_dtype_of(x) for x in flat}
    d = reduce(_dtype.pair, dtypes) if dtypes else _dtype.default.numpy
    return np.array(flat, d).reshape(shape)


def _dtype_of(number: Any) -> np.dtype[Any]:
    """The dtype of a NumPy scalar, or the one torch gives to a Python number."""
    if isinstance(number, np.generic):
        return _dtype.of(number.dtype).numpy
    if isinstance(number, float):
        return _dtype.default.numpy
    return np.dtype(bool if isinstance(number, bool) else np.int64)


def _shape_of(data: Any) -> tuple[int, ...]:
    """The lengths of ``data``, of its first element, of that one's first element, and so on."""
    shape: list[int] = []
    while True:
        if isinstance(data, Op.kind):  # in a sequence, a tensor is a number
            return tuple(shape)
        if isinstance(data, np.ndarray):
            return (*shape, *data.shape)
        if isinstance(data, str) and data and shape:  # a text's first letter is a text again, without end
            raise ValueError(f"too many dimensions 'str': a tensor is made of numbers, not of texts such as {data!r}")
        if not _is_sequence(data):
            return tuple(shape)
        shape.append(len(data))
        if not shape[-1]:
            return tuple(shape)
        data = data[0]


def _is_sequence(data: Any) -> bool:
    kind = type(data)
    return (
        hasattr(kind, "__len__")
        and hasattr(kind, "__getitem__")
        and not isinstance(data, dict | str | bytes | np.generic)
    )


def _collect(data: Any, shape: tuple[int, ...], flat: list[Any], place: tuple[int, ...], typed: bool) -> None:
    """Append the numbers in ``data`` to ``flat``, checking the shape on the way; depth is the number of dimensions."""
    depth = len(place)
    if isinstance(data, Op.kind) and depth == len(shape):
        if data._array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, but the one at position {list(place)} has shape "
                f"{list(data._array.shape)}; torch.stack makes one tensor of several"
            )
        data = data._array.reshape(())[()]
    if isinstance(data, np.ndarray) and data.ndim == 0:
        data = data[()]
    if depth == len(shape):
        if isinstance(data, bool | int | float | np.generic):
            flat.append(data)
            return
        if _is_sequence(data):
            raise ValueError(
                f"too many dimensions at position {list(place)}: expected a number, got a {type(data).__name__} of length {len(data)}"
            )
        raise _not_a_number(data, place, typed)
    if not _is_sequence(data):
        if isinstance(data, bool | int | float | np.generic):
            raise TypeError(
                f"expected a sequence of length {shape[depth]} at dim {depth}, got {type(data).__name__} (at position {list(place)})"
            )
        raise _not_a_number(data, place, typed)
    if len(data) != shape[depth]:
        raise ValueError(
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)}): all rows must be equally long"
        )
    for i, element in enumerate(data):
        _collect(element, shape, flat, (*place, i), typed)


def _not_a_number(data: Any, place: tuple[int, ...], typed: bool) -> Exception:
    """What torch raises for ``data`` where a number should stand."""
    name, where = type(data).__name__, f" (at position {list(place)})" if place else ""
    if isinstance(data, str | bytes):
        return TypeError(f"new(): invalid data type {name!r}{where}; a tensor is made of numbers")
    if typed:
        return TypeError(f"must be real number, not {name}{where}")
    return RuntimeError(f"Could not infer dtype of {name}{where}; a tensor is made of numbers")

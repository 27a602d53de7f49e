"""torch's dtypes, their NumPy twins, and torch's rules of promotion.

Promotion looks at the category first (bool, integer, float), then at the standing of the operand (arrays
over 0-d arrays over Python numbers), then at the width.
"""

from __future__ import annotations

import builtins
from typing import Any, TypeAlias

import numpy as np


class dtype:
    """The type of a tensor's elements, printed as torch prints it.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.float32, torch.float is torch.float32, torch.int64.is_floating_point
    (torch.float32, True, False)
    """

    __slots__ = ("is_floating_point", "itemsize", "name", "numpy")

    is_complex = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"

    @property
    def is_signed(self) -> builtins.bool:
        """Can elements be negative?"""
        return self.numpy.kind in "fi"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __getattr__(self, name: str) -> Any:
        if name == "dtype":  # NumPy asks for it, so that np.zeros(3, dtype=torch.float32) works
            return self.numpy
        raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")

    def __reduce__(self) -> str:
        return self.name  # pickles as the module's own constant

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: object) -> dtype:
        return self


bool = dtype("bool")
uint8 = dtype("uint8")
int8 = dtype("int8")
int16 = short = dtype("int16")
int32 = int = dtype("int32")
int64 = long = dtype("int64")
float16 = half = dtype("float16")
float32 = float = dtype("float32")
float64 = double = dtype("float64")

ALL = (bool, uint8, int8, int16, int32, int64, float16, float32, float64)
_twin: dict[Any, dtype] = {d.numpy: d for d in ALL}
_rank = {"b": 0, "i": 1, "u": 1, "f": 2}

NumpyDtype: TypeAlias = np.dtype[Any]


class default:
    """The floating dtype of numbers that name none; set by ``set_default_dtype``."""

    dtype: dtype = float32
    numpy: NumpyDtype = float32.numpy


def of(numpy_dtype: NumpyDtype) -> dtype:
    """The torch dtype of a NumPy one.

    Raises
    ------
    TypeError
        If torch has no such dtype.
    """
    try:
        return _twin[numpy_dtype]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{numpy_dtype}. The only supported types are: "
            f"{', '.join(d.name for d in reversed(ALL))}. Convert it first: array.astype('float32')."
        ) from None


_SCALAR_NAMES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
}


def scalar_name(numpy_dtype: NumpyDtype) -> str:
    """What torch's messages call a dtype: Long, Float, Double ..."""
    return _SCALAR_NAMES[numpy_dtype.name]


def as_dtype(wanted: Any) -> dtype:
    """The torch dtype meant by a dtype, a Python type or a NumPy dtype."""
    if isinstance(wanted, dtype):
        return wanted
    python: dict[Any, dtype] = {builtins.bool: bool, builtins.int: int64, builtins.float: float64}
    if isinstance(wanted, type) and wanted in python:
        return python[wanted]
    if isinstance(wanted, str):
        raise TypeError(f"dtype must be a torch.dtype, not str: write torch.{wanted.removeprefix('torch.')}")
    return of(np.dtype(wanted))


def as_numpy(wanted: Any) -> NumpyDtype:
    """The NumPy dtype meant by a dtype, a Python type or a NumPy dtype; a singleton."""
    return as_dtype(wanted).numpy


def get_default_dtype() -> dtype:
    """The floating dtype that new tensors of Python floats get.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.get_default_dtype()
    torch.float32
    """
    return default.dtype


def set_default_dtype(d: dtype) -> None:
    """Choose the floating dtype that new tensors of Python floats get.

    Raises
    ------
    TypeError
        If ``d`` is not a floating-point dtype.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.set_default_dtype(torch.float64)
    >>> torch.tensor(0.1).dtype
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: only floating-point types are supported as the default type, got {d!r}")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d}")
    default.dtype, default.numpy = d, d.numpy


def pair(p: NumpyDtype, q: NumpyDtype) -> NumpyDtype:
    """The dtype of two operands of equal standing."""
    if p is q:
        return p
    if p.kind == "f" != q.kind:
        return p
    if q.kind == "f" != p.kind:
        return q
    return np.promote_types(p, q)


def _python(kind: type) -> NumpyDtype | None:
    """The dtype a Python number counts as, None for anything else."""
    if kind is builtins.float:
        return default.numpy
    if kind is builtins.int:
        return int64.numpy
    if kind is builtins.bool:
        return bool.numpy
    return None


def result_numpy(*operands: Any) -> NumpyDtype:
    """The NumPy dtype in which ``operands`` (arrays or Python numbers) are combined."""
    levels: list[NumpyDtype | None] = [None, None, None]  # arrays, 0-d arrays, Python numbers
    for x in operands:
        python = _python(type(x))
        if python is not None:
            level, d = 2, python
        else:
            level, d = (0 if x.ndim else 1), x.dtype
        known = levels[level]
        levels[level] = d if known is None else pair(known, d)
    found: NumpyDtype | None = None
    for candidate in levels:
        if candidate is None:
            continue
        if found is None:
            found = candidate
        elif _rank[candidate.kind] > _rank[found.kind]:
            found = pair(found, candidate)
    assert found is not None, "at least one operand"
    return found


def representable(number: Any, numpy_dtype: NumpyDtype) -> Any:
    """``number`` as torch converts it for a dtype: cut off at the point for integers, which wrap around; not zero for bool."""
    if numpy_dtype.kind == "b":
        return builtins.bool(number)
    if numpy_dtype.kind in "iu":
        whole = builtins.int(number)
        bounds = np.iinfo(numpy_dtype)
        return whole if bounds.min <= whole <= bounds.max else np.asarray(whole).astype(numpy_dtype)[()]
    return number


def writable(number: Any, numpy_dtype: NumpyDtype) -> Any:
    """``number`` as it is written into a dtype.

    Raises
    ------
    RuntimeError
        If it lies outside the dtype's range; unsigned integers take negative ones of their own size, as in torch.
    """
    if numpy_dtype.kind in "iu":
        bounds = np.iinfo(numpy_dtype)
        fractional = isinstance(number, builtins.float) and number < 0 and numpy_dtype.kind == "u"
        low = -bounds.max if numpy_dtype.kind == "u" else bounds.min
        if not low <= number <= bounds.max or fractional:
            raise RuntimeError(
                f"value cannot be converted to type {numpy_dtype}_t without overflow: {number} does not fit"
            )
    return representable(number, numpy_dtype)

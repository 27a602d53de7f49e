"""torch's old constructors by type: FloatTensor, LongTensor and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _dtype
from ._arrays import array_of
from ._tensor import Tensor

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class _OfType(type):
    """``isinstance(x, torch.LongTensor)`` asks for the dtype."""

    _type_dtype: _dtype.dtype

    def __instancecheck__(cls, x: object) -> bool:
        return isinstance(x, Tensor) and x.dtype is cls._type_dtype


class _Legacy(metaclass=_OfType):
    _type_dtype = _dtype.float32

    def __new__(cls, *data: Any) -> Tensor:  # type: ignore[misc]  # makes a Tensor: the class is only a name
        """Make a tensor of a list, or an uninitialised one of a shape."""
        d = cls._type_dtype.numpy
        if not data or all([isinstance(n, int) and not isinstance(n, bool) for n in data]):
            out = Tensor._of(np.zeros(data or (0,), d))
            return out
        if isinstance(data[0], Tensor) and data[0]._array.dtype is not d:
            raise TypeError(f"expected {cls._type_dtype} (got {data[0].dtype}); convert with x.to(...)")
        made = Tensor._of(array_of(data[0]).astype(d))
        return made


class FloatTensor(_Legacy):
    """Make a float32 tensor the old way; ``torch.tensor`` is the new one."""

    _type_dtype = _dtype.float32


class DoubleTensor(_Legacy):
    """Make a float64 tensor the old way."""

    _type_dtype = _dtype.float64


class HalfTensor(_Legacy):
    """Make a float16 tensor the old way."""

    _type_dtype = _dtype.float16


class LongTensor(_Legacy):
    """Make an int64 tensor the old way."""

    _type_dtype = _dtype.int64


class IntTensor(_Legacy):
    """Make an int32 tensor the old way."""

    _type_dtype = _dtype.int32


class ShortTensor(_Legacy):
    """Make an int16 tensor the old way."""

    _type_dtype = _dtype.int16


class CharTensor(_Legacy):
    """Make an int8 tensor the old way."""

    _type_dtype = _dtype.int8


class ByteTensor(_Legacy):
    """Make a uint8 tensor the old way."""

    _type_dtype = _dtype.uint8


class BoolTensor(_Legacy):
    """Make a bool tensor the old way."""

    _type_dtype = _dtype.bool

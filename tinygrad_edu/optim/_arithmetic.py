"""The arithmetic of update rules: a few steps on arrays, in place, in the order in which PyTorch rounds.

Constants are 0-d arrays (NumPy combines those with an array in half the time a Python number takes) of the dtype
PyTorch computes in, which is float32 for float16. ``pieces`` cuts long arrays so that each piece stays in the cache
while a rule works on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

PIECE = 1 << 15  # elements: a handful of float32 arrays of this length fit into a second-level cache


def constants(dtype: np.dtype[Any], *values: float) -> list[Array]:
    """Make the numbers a rule needs, once for all parameters of a dtype."""
    kind = np.dtype(np.float32) if dtype == np.float16 else dtype
    return [np.array(value, kind) for value in values]


def pieces(*arrays: Array) -> Iterable[tuple[Array, ...]]:
    """Give the arrays themselves, or if they are long and their memory is one run, equal parts of all."""
    if arrays[0].size <= 2 * PIECE or not all(x.flags.c_contiguous for x in arrays):
        return (arrays,)
    return _cut([x.reshape(-1) for x in arrays])


def _cut(flat: list[Array]) -> Iterator[tuple[Array, ...]]:
    for start in range(0, flat[0].size, PIECE):
        yield tuple(x[start : start + PIECE] for x in flat)


def add_scaled(x: Array, y: Array, scale: Array) -> None:
    """x += scale * y."""
    x += y * scale


def sum_scaled(x: Array, y: Array, scale: Array) -> Array:
    """x + scale * y, a new array."""
    out = np.array(x)
    out += y * scale
    return out


def add_product(x: Array, y: Array, z: Array, scale: Array) -> None:
    """x += scale * y * z."""
    share = y * scale
    share *= z
    x += share


def add_quotient(x: Array, y: Array, z: Array, scale: Array) -> None:
    """x += scale * y / z."""
    share = y * scale
    share /= z
    x += share


def blend(x: Array, y: Array, weight: Array) -> None:
    """Move x towards y by a share: x + weight * (y - x), written from the nearer end."""
    way = np.subtract(y, x, dtype=weight.dtype)
    if weight < 0.5:
        way *= weight
        x += way
    else:
        way *= 1 - weight
        np.subtract(y, way, out=x, casting="same_kind")

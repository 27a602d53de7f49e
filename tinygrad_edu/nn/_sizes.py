"""Sizes of windows: one number for every dimension, or one each."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Size", "Size1", "Size2", "Size3", "spread"]

Size = int | Sequence[int]
Size1 = int | tuple[int]
Size2 = int | tuple[int, int]
Size3 = int | tuple[int, int, int]


def spread(value: int | Sequence[int], n: int) -> tuple[int, ...]:
    """Repeat one number for each of ``n`` dimensions; leave several as they are.

    Examples
    --------
    >>> spread(3, 2), spread([1, 2], 2)
    ((3, 3), (1, 2))

    """
    return tuple(value) if isinstance(value, Sequence) else (value,) * n

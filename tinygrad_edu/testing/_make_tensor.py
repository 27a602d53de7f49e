"""Tensors of random numbers for tests: torch.testing.make_tensor, the same numbers from the same seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from .. import _dtype
from .._creation import empty
from .._dtype import dtype as torch_dtype
from .._machine import finfo, iinfo
from .._tensor import Tensor
from .._types import check_device, device
from ..random import randint, uniform_

__all__ = ["make_tensor"]


def make_tensor(
    *shape: int | Sequence[int],
    dtype: torch_dtype,
    device: str | device,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Draw numbers uniformly from [low, high): by default from [-9, 9), integers from -9 (unsigned: 0) to 9.

    From the same seed come the numbers that torch.testing.make_tensor draws (float64 may differ in the last bit, where
    the processor fuses torch's multiplication with the addition).

    Parameters
    ----------
    shape
        As ``(2, 3)`` or ``2, 3``.
    device
        "cpu"; torch demands it, too.
    noncontiguous
        Whether to return every second element of a larger block; a tensor of one element is contiguous all the same.
    exclude_zero
        Whether to put 1, or the smallest normal float, in place of zeros.

    Raises
    ------
    ValueError
        If the range is empty, NaN, or outside of the dtype's; if integers shall require grad.
    TypeError
        If ``dtype`` is none.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.testing import make_tensor
    >>> _ = torch.manual_seed(0)
    >>> make_tensor(2, 3, dtype=torch.int64, device="cpu")
    tensor([[ 6, -5, -9],
            [-9,  2, -2]])
    >>> make_tensor((2,), dtype=torch.float64, device="cpu", low=0, high=1, requires_grad=True)
    tensor([0.9207, 0.6450], dtype=torch.float64, requires_grad=True)
    """
    if not isinstance(dtype, torch_dtype):
        raise TypeError(
            f"The requested dtype '{dtype}' is not supported by torch.testing.make_tensor(). Give one of "
            f"{', '.join(map(str, _dtype.ALL))}."
        )
    sizes: Any = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous!r} and memory_format={memory_format!r}"
        )
    if requires_grad and not dtype.is_floating_point:
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype}"
        )
    check_device(device)
    gaps = noncontiguous and math.prod(sizes) > 1
    made = _drawn((*sizes[:-1], 2 * sizes[-1]) if gaps else sizes, dtype, *_range(dtype, low, high))
    if gaps:
        made = made[..., 1::2]  # from 1, so that a forgotten offset shows too
    elif memory_format is not None:
        made = made.clone(memory_format=memory_format)
    if exclude_zero:
        made.masked_fill_(made == 0, finfo(dtype).tiny if dtype.is_floating_point else 1)
    return made.requires_grad_(requires_grad)


def _range(dtype: torch_dtype, low: float | None, high: float | None) -> tuple[Any, Any]:
    """The bounds asked for, or the default ones, cut to what the dtype holds."""
    least: float
    beyond: float
    if dtype.is_floating_point:
        least, beyond, default = finfo(dtype).min, finfo(dtype).max, (-9, 9)
    elif dtype is _dtype.bool:
        least, beyond, default = 0, 2, (0, 2)
    else:  # int64's largest number cannot be drawn: the bound beyond it does not fit
        least, beyond, default = iinfo(dtype).min, iinfo(dtype).max + (dtype is not _dtype.int64), (-9, 10)
    low = default[0] if low is None else low
    high = default[1] if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low == high and dtype.is_floating_point:
        warnings.warn(
            "Passing `low==high` to `torch.testing.make_tensor` for floating or complex types is deprecated since 2.1 and "
            "will be removed in 2.3. Use `torch.full(...)` instead.",
            FutureWarning,
            stacklevel=3,
        )
    elif low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    elif high < least or low >= beyond:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} only supports [{least}, {beyond})"
        )
    low, high = min(max(low, least), beyond), min(max(high, least), beyond)
    return (low, high) if dtype.is_floating_point else (math.ceil(low), math.ceil(high))


def _drawn(shape: tuple[int, ...], dtype: torch_dtype, low: Any, high: Any) -> Tensor:
    if not dtype.is_floating_point:
        return randint(low, high, shape, dtype=dtype)
    if high - low >= finfo(dtype).max:  # a wider range than the dtype's largest number: draw half of it
        return uniform_(empty(shape, dtype=dtype), low / 2, high / 2).mul_(2)
    return uniform_(empty(shape, dtype=dtype), low, high)

"""What the functions of every family share: names of types, sizes of windows, reductions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ..._dtype import scalar_name
from ..._functions._common import wrap as wrap
from ..._tensor import Tensor
from .._sizes import Size

_WORDS = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long int",
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
}


def scalar_type(x: Tensor) -> str:
    """Name the type of the elements as torch's errors do: Float, Long, ..."""
    return scalar_name(x._array.dtype)


def c_type(x: Tensor) -> str:
    """Name the type of the elements as C does: float, long int, ..."""
    return _WORDS[x._array.dtype.name]


def need_float(x: Tensor, kernel: str) -> None:
    """Raise torch's error unless ``x`` holds floating-point numbers."""
    if x._array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{scalar_type(x)}': it takes floating-point numbers; convert with .float()."
        )


def need_tensor(x: object, function: str, argument: str, position: int) -> None:
    """Raise torch's error unless ``x`` is a Tensor."""
    if not isinstance(x, Tensor):
        what = type(x)
        name = what.__name__ if what.__module__ == "builtins" else f"{what.__module__}.{what.__name__}"
        raise TypeError(
            f"{function}(): argument '{argument}' (position {position}) must be Tensor, not {name}. "
            "Make one with torch.tensor(...) or torch.from_numpy(...)."
        )


def sizes(value: Size | Sequence[int], n: int, sentence: str) -> tuple[int, ...]:
    """Give ``value`` for each of ``n`` dimensions; one number counts for all.

    Raises
    ------
    RuntimeError
        With ``sentence`` in front, if there is another number of values.

    """
    if isinstance(value, int):
        return (value,) * n
    found = tuple(int(v) for v in value)
    if len(found) == 1:
        return found * n
    if len(found) != n:
        raise RuntimeError(f"{sentence} (given {list(found)}, wanted 1 or {n} numbers)")
    return found


def chosen_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Translate torch's two old arguments into ``reduction``, and check it."""
    if size_average is not None or reduce is not None:
        average = size_average is None or size_average
        keep = reduce is None or reduce
        reduction = ("mean" if average else "sum") if keep else "none"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=3,
        )
    elif reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction: choose 'none', 'mean' or 'sum'.")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Average or sum the losses of all elements, or leave them."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss

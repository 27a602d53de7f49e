"""PyTorch's text of a tensor, character for character.

All numbers of one tensor are written in one style and to one width, chosen from the values that will be shown:
as integers with a point (``1.``), with a fixed number of digits, or in scientific notation if they differ too much.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from . import _dtype

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions"]

Array: TypeAlias = Any  # an ndarray or a NumPy scalar
Style: TypeAlias = Callable[[Any], str]  # writes one number


class Options:
    """How tensors are printed: digits, when to leave out the middle, how much of the edges stays, where lines break."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}
options = Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors are printed from now on; what is not named stays (but ``sci_mode`` returns to automatic).

    Parameters
    ----------
    precision
        Digits after the point (4).
    threshold
        A tensor of more elements is shown by its edges only (1000).
    edgeitems
        How many items of each edge are shown (3).
    linewidth
        Characters to a line (80).
    profile
        "default", "short" or "full": a set of the above.
    sci_mode
        Scientific notation: True, False, or None to decide by the numbers.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([3.14159])
    tensor([3.14])
    >>> torch.set_printoptions(profile="default")
    """
    chosen = dict(PROFILES.get(profile, {})) if profile is not None else {}
    named = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen.update({name: value for name, value in named.items() if value is not None})
    for name, value in chosen.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments for ``set_printoptions``."""
    return {name: getattr(options, name) for name in Options.__annotations__}


@contextlib.contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """Print otherwise inside a ``with`` block."""
    before = get_printoptions()
    set_printoptions(**changes)
    try:
        yield
    finally:
        set_printoptions(**before)


def format_tensor(
    array: Array, *, requires_grad: bool = False, grad_fn_name: str | None = None, prefix: str = "tensor("
) -> str:
    """The text of a tensor: its numbers, then what the numbers do not tell (dtype, shape if empty, gradient)."""
    array = np.asarray(array)
    default = _dtype.default.numpy
    facts = []
    if (not array.size and array.ndim != 1) or (array.size and not options.edgeitems):
        facts.append(f"size={array.shape}")
    implied = array.dtype == default or (array.size and array.dtype in (np.int64, np.bool_))
    if not implied:
        facts.append(f"dtype=torch.{array.dtype.name}")
    if grad_fn_name is not None:
        facts.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        facts.append("requires_grad=True")
    text = prefix + numbers(array, len(prefix))
    used = len(text) - text.rfind("\n") + 1
    for fact in facts:
        if used + len(fact) + 2 > options.linewidth:
            text += ",\n" + " " * len(prefix) + fact
            used = len(prefix) + len(fact)
        else:
            text += ", " + fact
            used += len(fact) + 2
    return text + ")"


def numbers(array: Array, indent: int) -> str:
    """The bracketed numbers; continuation lines are indented below the first."""
    if not array.size:
        return "[]"
    short = array.size > options.threshold
    shown = edges_of(array) if short else array
    if array.dtype.kind == "f":
        width, style = float_style(shown)
    else:
        width, style = max((len(str(value)) for value in shown.ravel().tolist()), default=1), str
    if not array.ndim:
        return style(array.item()).rjust(width)
    return nested(array, indent, width, style, short)


def edges_of(array: Array) -> Array:
    """What is left of an array whose middle is not shown."""
    keep = options.edgeitems
    if not keep:
        return array if array.ndim == 1 else array[:0]
    for axis, length in enumerate(array.shape):
        if length > 2 * keep:
            array = array.take([*range(keep), *range(length - keep, length)], axis=axis)
    return array


def float_style(shown: Array) -> tuple[int, Style]:
    """The width and the style that suit these floats. Zeros, infinities and nan have no say."""
    values = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    digits = options.precision
    integral = bool((values == np.ceil(values)).all())
    scientific = False
    if values.size:
        sizes = np.abs(values)
        least, most = float(sizes.min()), float(sizes.max())
        scientific = most / least > 1000.0 or most > 1.0e8 or least < 1.0e-4
        if options.sci_mode is not None:
            scientific = options.sci_mode
    style: Style
    if scientific:
        style = f"{{:.{digits}e}}".format
    elif integral:
        style = integral_style
    else:
        style = f"{{:.{digits}f}}".format
    return max((len(style(value)) for value in values.tolist()), default=1), style


def integral_style(value: float) -> str:
    """A whole number with a point behind it, which tells that it is a float."""
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def nested(array: Array, indent: int, width: int, style: Style, short: bool) -> str:
    """One pair of brackets, and what is inside."""
    keep = options.edgeitems
    cut = short and (len(array) > 2 * keep)
    if array.ndim == 1:
        if short and not keep:
            words = ["..."]
        else:
            values = [*array[:keep].tolist(), *array[-keep:].tolist()] if cut else array.tolist()
            words = [style(value).rjust(width) for value in values]
            if cut:
                words.insert(keep, " ...")
        a_line = max(1, (options.linewidth - indent) // (width + 2))
        lines = [", ".join(words[start : start + a_line]) for start in range(0, len(words), a_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = [*range(keep), *range(len(array) - keep, len(array))] if cut else range(len(array))
    parts = [nested(array[row], indent + 1, width, style, short) for row in rows]
    if cut:
        parts.insert(keep, "...")
    separator = "," + "\n" * int(array.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"

"""Arrays as a few words: what a box says of a value or a gradient."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["LONGEST", "clean", "number", "settings", "shape_of", "summary_of", "unusual"]

LONGEST = 50  # characters of a name or of a setting
INTERNAL = {  # settings in which an op keeps its own notes: they say nothing to who called it
    "left", "memo", "parameters", "parts", "per_row", "places", "plans", "result", "right", "share", "size", "skip", "source",
    "spatial", "starts", "weights", "which", "whole",
}  # fmt: skip  # a list to look through
USUAL = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}  # a setting that is this along every axis says nothing
FIGURE_SPACE = "\u2007"  # as wide as a digit: columns of numbers stand straight in a font of any width


def number(x: Any) -> str:
    """Write a number with 4 significant digits.

    Examples
    --------
    >>> number(24.70408163), number(3), number(1e-7), number(True)
    ('24.7', '3', '1e-07', 'True')
    """
    return str(x) if isinstance(x, bool | np.bool_) else f"{x:.4g}"


def summary_of(array: np.ndarray, name: str = "") -> list[str]:
    """Say what an array holds: a number, a grid of up to 3x3, or its mean, spread and range.

    Examples
    --------
    >>> summary_of(np.array(24.70408163))
    ['24.7']
    >>> summary_of(np.array([1.0, 2.0, 3.0, 4.0]), "grad")
    ['grad  mean 2.5  std 1.118', 'min 1  max 4']
    """
    word = f"{name} " if name else ""
    if array.ndim == 0:
        return [f"{word}{number(array[()])}"]
    if array.size == 0:
        return [f"{word}empty"]
    if array.ndim <= 2 and max(array.shape) <= 3:
        return ([name] if name else []) + _grid(np.atleast_2d(array))
    if array.dtype.kind not in "fiub":
        return [f"{word}{array.size} values"]
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        mean, spread = number(wide.mean()), number(wide.std())
    return [
        f"{name}{'  ' if name else ''}mean {mean}  std {spread}",
        f"min {number(wide.min())}  max {number(wide.max())}",
    ]


def _grid(rows: np.ndarray) -> list[str]:
    """The numbers in columns.

    >>> [line.replace(FIGURE_SPACE, "_") for line in _grid(np.array([[1.0, 20.0], [300.0, 4.0]]))]
    ['[__1  _20]', '[300  __4]']
    """
    texts = [[number(x) for x in row] for row in rows]
    width = max(len(text) for row in texts for text in row)
    return [f"[{'  '.join(text.rjust(width, FIGURE_SPACE) for text in row)}]" for row in texts]


def unusual(array: np.ndarray | None) -> str | None:
    """Tell of NaN and infinite elements, None if there are none.

    Examples
    --------
    >>> unusual(np.array([1.0, np.nan, np.nan]))
    'contains NaN (2 of 3)'
    """
    if array is None or array.dtype.kind not in "fc":
        return None
    found = [
        f"{word} ({n} of {array.size})"
        for word, test in (("NaN", np.isnan), ("Inf", np.isinf))
        if (n := int(test(array).sum()))
    ]
    return f"contains {' and '.join(found)}" if found else None


def shape_of(shape: tuple[int, ...], dtype: str | None) -> str:
    """Write dtype and shape as far as they are known.

    Examples
    --------
    >>> shape_of((2, 3), "float32"), shape_of((), None)
    ('float32 (2, 3)', '()')
    """
    return f"{dtype} {shape}" if dtype else str(shape)


def settings(given: Mapping[str, Any], longest: int = LONGEST, numbers: int = 0) -> list[str]:
    """Write settings as in a call; none that would say nothing: what is usual, what an op keeps for itself.

    Arrays are written if they have at most so many ``numbers``.

    Examples
    --------
    >>> settings({"axis": -1, "index": (slice(None), slice(0, 8)), "mask": np.zeros(3)})
    ['axis=-1', '[:, 0:8]']
    >>> from tinygrad_edu._ops.conv import Sliding
    >>> settings({"how": Sliding((1, 1), (2, 2), (1, 1)), "groups": 1})
    ['padding=(2, 2)']
    """
    found = []
    for name, value in given.items():
        if hasattr(value, "_asdict"):  # how a kernel or a window moves
            found += settings(value._asdict(), longest, numbers)
        elif name == "index":
            parts = value if isinstance(value, tuple) else (value,)
            found.append(clean(f"[{', '.join(_index(part) for part in parts)}]", longest))
        elif name == "groups" and isinstance(value, tuple):
            continue  # a normalisation's shape inside, not a convolution's number of groups
        elif name not in INTERNAL and isinstance(value, np.ndarray) and value.size <= numbers:
            found.append(clean(f"{name}={value.tolist()}", longest))
        elif name not in INTERNAL and _is_plain(value) and not _is_usual(name, value):
            found.append(clean(f"{name}={_plain(value)}", longest))
    return found


def _is_usual(name: str, value: Any) -> bool:
    return name in USUAL and all(part == USUAL[name] for part in (value if isinstance(value, tuple) else (value,)))


def _index(part: Any) -> str:
    if isinstance(part, slice):
        ends = [part.start, part.stop] + ([] if part.step is None else [part.step])
        return ":".join("" if end is None else str(end) for end in ends)
    if part is Ellipsis:
        return "..."
    return _plain(part) if _is_plain(part) else f"<{'x'.join(map(str, np.shape(part))) or 'scalar'} index>"


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(part) for part in value)
    return value is None or isinstance(value, bool | int | float | str | np.integer | np.floating)


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join(_plain(part) for part in value)}{',' * (len(value) == 1)})"
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def clean(text: str, longest: int = LONGEST) -> str:
    """Make a text fit for one line of a picture: no control characters, which XML forbids, and not too long.

    Examples
    --------
    >>> clean("a" + chr(0) + "b"), clean("x" * 60, 5)
    ('a\ufffdb', 'xxxx…')
    """
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"

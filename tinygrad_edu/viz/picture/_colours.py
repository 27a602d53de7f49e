"""The colours of pictures and pages, one table for all of them.

A state is never told by its colour alone: each has a shape and a word of its own. Text has a contrast of at least 4.5 to what
it stands on, a border of at least 3 to its filling and to the page, in both themes; a test computes them all.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["DARK", "LIGHT", "ROLES", "Paint", "Palette", "Role", "contrast"]

Role = Literal["parameter", "data", "tensor", "op", "output", "saved", "failing", "module"]


class Paint(NamedTuple):
    """The colours of a box."""

    fill: str
    border: str


class Palette(NamedTuple):
    """The colours of one theme."""

    page: str
    text: str
    muted: str  # notes, labels of edges and clusters
    edge: str
    back: str  # the way of the gradients
    cluster: Paint
    boxes: dict[Role, Paint]


LIGHT = Palette(
    page="#ffffff",
    text="#111111",
    muted="#444444",
    edge="#444444",
    back="#b3261e",
    cluster=Paint("#fafafa", "#767676"),
    boxes={
        "parameter": Paint("#cfe8f7", "#0072b2"),
        "data": Paint("#eeeeee", "#6b6b6b"),
        "tensor": Paint("#ffffff", "#444444"),
        "op": Paint("#fdf0c8", "#8a6500"),
        "output": Paint("#d5f0e3", "#007a56"),
        "saved": Paint("#f7dfee", "#a0447a"),
        "failing": Paint("#fde3d3", "#b3400a"),
        "module": Paint("#e6e1f7", "#5b4b9a"),
    },
)
DARK = Palette(
    page="#14171a",
    text="#f2f2f2",
    muted="#c9ced3",
    edge="#c9ced3",
    back="#ff8a80",
    cluster=Paint("#191d21", "#9aa0a6"),
    boxes={
        "parameter": Paint("#0b3a57", "#56b4e9"),
        "data": Paint("#2b2f33", "#9aa0a6"),
        "tensor": Paint("#1d2125", "#c9ced3"),
        "op": Paint("#4a3a05", "#f0c75e"),
        "output": Paint("#0b4634", "#4fd1a5"),
        "saved": Paint("#4d1f3b", "#e59ac6"),
        "failing": Paint("#52240b", "#ff9e66"),
        "module": Paint("#2d2553", "#b3a4f0"),
    },
)
ROLES = tuple(LIGHT.boxes)


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours as WCAG 2.2 defines it: from 1 for equal ones to 21 for black on white.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance: the light of red, green and blue, weighed as the eye does.

    >>> _luminance("#ffffff")
    1.0
    """
    shares = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

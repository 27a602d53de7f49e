"""Curves: an activation function and its slope, a loss over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from . import numbers
from ._axes import BLUE, ORANGE, Language, fonts, is_chinese, one, words, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..._tensor import Tensor

__all__ = ["activation", "history"]

COLOURS = (BLUE, ORANGE, "#007a56", "#a0447a", "#8a6500", "#444444")
DASHES = ("-", "--", "-.", ":")


def activation(
    function: str | Callable[[Tensor], Tensor],
    *,
    low: float = -6.0,
    high: float = 6.0,
    ax: Axes | None = None,
    lang: Language = "en",
) -> Axes:
    """Draw an activation function and its slope, which the engine computes, between ``low`` and ``high``.

    ``function`` is a name such as "sigmoid" or "relu", or any function of a tensor that works on each number alone.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = activation("tanh")
    >>> ax.get_title()
    'tanh and its slope'
    """
    x, y, slope = numbers.activation(function, low, high)
    ax = one(ax)
    name = function if isinstance(function, str) else getattr(function, "__name__", type(function).__name__)
    ax.axhline(0, color="#c8c8c8", linewidth=0.8, zorder=0)
    ax.axvline(0, color="#c8c8c8", linewidth=0.8, zorder=0)
    ax.plot(x, y, color=BLUE, label=words("value", lang))
    ax.plot(x, slope, color=ORANGE, linestyle="--", label=words("slope", lang))
    write(ax.set_title, words("{name} and its slope", lang, name=name))
    ax.set_xlabel("x")
    legend(ax)
    return ax


def history(
    log: numbers.Numbers | Mapping[str, numbers.Numbers],
    *,
    window: int | None = None,
    scale: Literal["log", "linear"] | None = None,
    ax: Axes | None = None,
    lang: Language = "en",
) -> Axes:
    """Draw a loss, or several curves by name, over the steps, with the mean of the last ``window`` steps in bold.

    ``log`` is a list of numbers or tensors, or a dict of such lists. The default ``window`` is a twentieth of the steps; 1
    draws no mean. The default ``scale`` is logarithmic where every number is positive.

    Raises
    ------
    ValueError
        If a curve is empty or no list of numbers, or if a logarithm is asked for of numbers that have none.
    """
    curves = numbers.curves(log)
    positive = all((values[values == values] > 0).all() for values in curves.values())  # nan is not equal to itself
    scale = scale or ("log" if positive else "linear")
    if scale not in ("log", "linear"):
        raise ValueError(f"scale is 'log' or 'linear', not {scale!r}")
    if scale == "log" and not positive:
        raise ValueError("a logarithmic scale shows positive numbers only: use scale='linear'")
    steps = max(len(values) for values in curves.values())
    window = max(1, steps // 20) if window is None else window
    means = {name: numbers.moving_mean(values, window) for name, values in curves.items()}
    ax = one(ax)
    for i, (name, values) in enumerate(curves.items()):
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        shown = words("loss", lang) if name == "loss" else name
        if window > 1:
            shown_mean = f"{shown}: {words('mean of {window} steps', lang, window=window)}"
            ax.plot(values, color=colour, alpha=0.35, linewidth=1, label=shown)
            ax.plot(means[name], color=colour, linestyle=dash, linewidth=2, label=shown_mean)
        else:
            marker = "o" if len(values) == 1 else None
            ax.plot(values, color=colour, linestyle=dash, marker=marker, label=shown)
    ax.set_yscale(scale)
    write(ax.set_title, words("training", lang))
    write(ax.set_xlabel, words("step", lang))
    legend(ax)
    return ax


def legend(ax: Axes) -> None:
    """Explain the colours, in a font that has the letters."""
    texts = [text for text in ax.get_legend_handles_labels()[1] if is_chinese(text)]
    ax.legend(prop={"family": fonts()} if texts else None)

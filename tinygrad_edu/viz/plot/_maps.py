"""Maps: what a model decides in the plane, what it confuses, how the loss lies around its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ... import nn
from . import numbers
from ._axes import Language, diverging, one, pyplot, words, write
from ._curves import legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..._tensor import Tensor

__all__ = ["boundary", "confusion", "landscape"]

MARKERS = "os^Dv<>Pph"
CLASSES = ("#0072b2", "#d55e00", "#007a56", "#a0447a", "#8a6500", "#56b4e9", "#e69f00", "#444444", "#cc79a7", "#999999")


def boundary(
    model: Callable[[Tensor], Tensor],
    X: numbers.Numbers,
    y: numbers.Numbers | None = None,
    *,
    resolution: int = 200,
    threshold: float | None = None,
    ax: Axes | None = None,
    lang: Language = "en",
) -> Axes:
    """Draw what ``model`` decides in the plane around the points ``X`` of shape (N, 2), with their classes ``y``.

    A model of one output is shown as a map from blue to orange with a line at ``threshold``: by default 0.5 where all answers
    are between 0 and 1, else 0. Of several outputs the greatest is the class.

    Raises
    ------
    ValueError
        If the points are not of two dimensions, or classes and points are not equally many.
    """
    points = numbers.as_array(X)
    classes = None if y is None else numbers.as_array(y).reshape(-1)
    if classes is not None and len(classes) != len(points):
        raise ValueError(f"each point has a class: there are {len(points)} points and {len(classes)} classes")
    grid = numbers.predictions(model, X, resolution)
    ax = one(ax, (5.6, 4.6))
    if grid.output.ndim == 2:
        unit = bool(((grid.output >= 0) & (grid.output <= 1)).all())
        middle = (0.5 if unit else 0.0) if threshold is None else threshold
        reach = float(np.nanmax(np.abs(grid.output - middle))) or 1.0
        levels = np.linspace(middle - reach, middle + reach, 21)
        filled = ax.contourf(grid.x, grid.y, grid.output, levels, cmap=diverging(), alpha=0.6)
        ax.figure.colorbar(filled, ax=ax, ticks=levels[::5], format="%.2g")
        if grid.output.min() < middle < grid.output.max():
            ax.contour(grid.x, grid.y, grid.output, [middle], colors="#111111", linewidths=1.5)
    else:
        count = grid.output.shape[-1]
        winner = grid.output.argmax(axis=-1)
        colours = [CLASSES[i % len(CLASSES)] for i in range(count)]
        ax.contourf(grid.x, grid.y, winner, np.arange(count + 1) - 0.5, colors=colours, alpha=0.35)
    for i, kind in enumerate([] if classes is None else np.unique(classes)):
        number = int(kind) if float(kind).is_integer() and kind >= 0 else i
        ax.scatter(
            points[classes == kind, 0],
            points[classes == kind, 1],
            color=CLASSES[number % len(CLASSES)],
            marker=MARKERS[number % len(MARKERS)],
            edgecolors="#111111",
            linewidths=0.6,
            label=words("class {number}", lang, number=f"{kind:g}"),
        )
    if classes is None:
        ax.scatter(points[:, 0], points[:, 1], color="#444444", s=12)
    else:
        legend(ax)
    write(ax.set_title, words("decision boundary", lang))
    ax.set_xlabel("x$_0$")
    ax.set_ylabel("x$_1$")
    return ax


def confusion(
    y_true: numbers.Numbers,
    y_pred: numbers.Numbers,
    *,
    classes: Sequence[str] | None = None,
    ax: Axes | None = None,
    lang: Language = "en",
) -> Axes:
    """Draw how often each true class (row) was taken for which (column).

    ``y_pred`` are classes or scores of shape (N, classes), ``classes`` their names.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> ax = confusion([0, 0, 1], [0, 1, 1], classes=["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '1']
    """
    table = numbers.confusion(y_true, y_pred, len(classes) if classes is not None else None)
    count = len(table)
    size = max(4.2, 0.55 * count + 2)
    ax = one(ax, (size, size * 0.9))
    picture = ax.imshow(table, cmap="Blues", vmin=0)
    ax.figure.colorbar(picture, ax=ax)
    names = [str(i) for i in range(count)] if classes is None else list(classes)
    long = max(map(len, names)) > 3
    ax.set_xticks(range(count))
    ax.set_yticks(range(count))
    write(
        ax.set_xticklabels,
        names,
        rotation=45 if long else 0,
        ha="right" if long else "center",
        rotation_mode="anchor" if long else None,
    )
    write(ax.set_yticklabels, names)
    for i, j in np.ndindex(table.shape):
        dark = table[i, j] > 0.5 * table.max()
        ax.text(j, i, f"{table[i, j]}", ha="center", va="center", color="#ffffff" if dark else "#111111")
    write(ax.set_title, words("confusion matrix", lang))
    write(ax.set_xlabel, words("predicted class", lang))
    write(ax.set_ylabel, words("true class", lang))
    return ax


def landscape(
    loss_fn: Callable[[], Tensor],
    params: nn.Module | Iterable[Tensor],
    *,
    span: float = 1.0,
    points: int = 25,
    seed: int = 0,
    ax: Axes | None = None,
    lang: Language = "en",
) -> Axes:
    """Draw the loss in a plane through the present parameters, along two random directions with the lengths of the filters.

    ``loss_fn()`` computes the loss with the present values of ``params``, a model or its parameters, which are put back. How the
    directions are drawn says ``numbers.landscape`` (Li et al., 2018); the same ``seed`` draws the same ones. Where the loss spans more
    than tenfold, the lines stand at equal factors, else at equal distances.

    Raises
    ------
    ValueError
        If no parameter has two dimensions, or the loss is not one number, or nowhere finite.
    """
    pyplot()
    from matplotlib.colors import BoundaryNorm

    found = numbers.landscape(loss_fn, params, span, points, seed)
    losses = np.ma.masked_invalid(found.losses)
    if losses.count() == 0:
        raise ValueError("the loss is nan or infinite everywhere around the parameters: there is nothing to draw")
    levels = heights(losses)
    ax = one(ax, (5.6, 4.6))
    filled = ax.contourf(found.steps, found.steps, losses, levels, cmap="viridis", norm=BoundaryNorm(levels, 256))
    ax.contour(found.steps, found.steps, losses, levels, colors="#ffffff", linewidths=0.4)
    ax.figure.colorbar(filled, ax=ax, ticks=levels[::4], format="%.2g").minorticks_off()
    ax.plot(
        0,
        0,
        marker="*",
        markersize=14,
        color="#ffffff",
        markeredgecolor="#111111",
        linestyle="none",
        label=words("here", lang),
    )
    write(ax.set_title, words("loss around the parameters", lang))
    write(ax.set_xlabel, words("along the first direction", lang))
    write(ax.set_ylabel, words("along the second direction", lang))
    legend(ax)
    return ax


def heights(losses: np.ndarray) -> np.ndarray:
    """Twenty steps from the least loss to the greatest, equal ones, or equal factors where the loss spans more than tenfold.

    >>> heights(np.array([1.0, 5.0])).round(2)[:3].tolist(), heights(np.array([0.01, 1.0])).round(3)[:3].tolist()
    ([1.0, 1.2, 1.4], [0.01, 0.013, 0.016])
    """
    low, high = float(losses.min()), float(losses.max())
    if not low < high:
        high = low + 1.0
    return np.geomspace(low, high, 21) if 0 < 10 * low < high else np.linspace(low, high, 21)

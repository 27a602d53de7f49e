"""Pictures of a model's layers: histograms, the flow of gradients, weights and filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import nn
from . import numbers
from ._axes import BLUE, ORANGE, Language, diverging, many, one, whole_numbers, words, write
from ._curves import legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["conv_filters", "grad_flow", "hist", "weights"]


def hist(
    model: nn.Module,
    what: numbers.What = "weights",
    bins: int = 50,
    *,
    inputs: Any = None,
    ax: Axes | Sequence[Axes] | np.ndarray | None = None,
    lang: Language = "en",
) -> np.ndarray:
    r"""Draw how the values of each layer are spread: its "weights", their "grads", or its "activations" on ``inputs``.

    Under the name of a relu stands the share of its units that are 0 for every example (dead: no gradient comes through),
    under that of a sigmoid or tanh the share of values near a bound (saturated: hardly any does). What is counted says
    ``numbers.histograms``. Returns an array of Axes, one for each layer.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from tinygrad_edu import nn, ones
    >>> net = nn.Sequential(nn.Linear(1, 4), nn.ReLU())
    >>> _ = nn.init.constant_(net[0].bias, -9.0)
    >>> [ax.get_title() for ax in hist(net, "activations", inputs=ones(5, 1))]
    ['1 (relu)\n100% of units dead']
    """
    found = numbers.histograms(model, what, bins, inputs)
    axes = many(ax, len(found))
    for single, layer in zip(axes, found, strict=True):
        single.stairs(layer.counts, layer.edges, fill=True, color=BLUE)
        title = layer.name
        if layer.dead is not None:
            title += "\n" + words("{share:.0%} of units dead", lang, share=layer.dead)
        if layer.saturated is not None:
            title += "\n" + words("{share:.0%} saturated", lang, share=layer.saturated)
        write(single.set_title, title, fontsize="medium")
        single.ticklabel_format(axis="x", style="sci", scilimits=(-3, 4))
        single.locator_params(axis="x", nbins=5)
        whole_numbers(single.yaxis)
    write(axes[0].set_ylabel, words("number of values", lang))
    return axes


def grad_flow(model: nn.Module, *, ax: Axes | None = None, lang: Language = "en") -> Axes:
    """Draw the mean and the largest absolute gradient of each weight, from the input to the output.

    Bars that shrink towards the input are a vanishing gradient. Call it after ``loss.backward()``.
    """
    flows = numbers.gradient_flow(model)
    ax = one(ax, (max(5.0, 0.7 * len(flows) + 1.5), 4.2))
    places = np.arange(len(flows))
    sizes = [size for flow in flows for size in (flow.mean, flow.largest) if size]
    floor = min(sizes) / 10 if sizes else 1.0
    for shift, label, colour, values in (
        (-0.2, "mean", BLUE, [flow.mean for flow in flows]),
        (0.2, "largest", ORANGE, [flow.largest for flow in flows]),
    ):
        heights = [value or np.nan for value in values]
        ax.bar(places + shift, heights, 0.4, color=colour, label=words(label, lang), hatch="//" if shift > 0 else None)
    ax.set_yscale("log")
    ax.set_ylim(bottom=floor)
    ax.set_xlim(-0.6, len(flows) - 0.4)
    for place, flow in zip(places, flows, strict=True):
        if not flow.largest:
            missing = words("no gradient" if flow.mean is None else "zero", lang)
            write(ax.text, place, floor * 1.2, missing, rotation=90, ha="center", va="bottom")
    ax.set_xticks(places)
    write(ax.set_xticklabels, [flow.name for flow in flows], rotation=45, ha="right", rotation_mode="anchor")
    write(ax.set_title, words("gradient of each layer", lang))
    write(ax.set_ylabel, words("absolute gradient", lang))
    legend(ax)
    return ax


def weights(
    model: nn.Module, *, ax: Axes | Sequence[Axes] | np.ndarray | None = None, lang: Language = "en"
) -> np.ndarray:
    """Draw the weight of each layer as a heat map: a row for each output, a column for each input.

    Kernels of convolutions are laid flat. Returns an array of Axes, one for each layer.
    """
    found = numbers.weight_matrices(model)
    axes = many(ax, len(found))
    for i, (single, (name, matrix)) in enumerate(zip(axes, found, strict=True)):
        picture = single.imshow(matrix, cmap="viridis", aspect="auto", interpolation="nearest")
        single.figure.colorbar(picture, ax=single)
        write(single.set_title, words("Layer {number}", lang, number=i))
        write(single.set_xlabel, words("input", lang))
        write(single.set_ylabel, f"{words('output', lang)} ({name})")
        whole_numbers(single.xaxis)
        whole_numbers(single.yaxis)
    return axes


def conv_filters(model: nn.Module, layer: str | None = None, *, ax: Axes | None = None, lang: Language = "en") -> Axes:
    """Draw the kernels of a two-dimensional convolution side by side: the first in ``model``, or that named ``layer``.

    A row for each output channel, a column for each input channel; kernels of three input channels are shown as colours, and
    like those of one input channel they fill a square. Otherwise blue is below 0, orange above.

    Raises
    ------
    ValueError
        If the model has no such convolution.
    """
    name, kernels = _convolution(model, layer)
    mosaic = numbers.mosaic(kernels)
    ax = one(ax, (5.0, 5.0))
    if mosaic.ndim == 3:
        ax.imshow(np.nan_to_num(mosaic, nan=1.0), interpolation="nearest")
    else:
        bound = float(np.nanmax(np.abs(mosaic))) or 1.0
        picture = ax.imshow(mosaic, cmap=diverging(), vmin=-bound, vmax=bound, interpolation="nearest")
        ax.figure.colorbar(picture, ax=ax, shrink=0.8)
        ax.set_facecolor("#d8d8d8")  # between the kernels
    ax.set_xticks([])
    ax.set_yticks([])
    if kernels.shape[1] not in (1, 3):
        write(ax.set_xlabel, words("input channel", lang))
        write(ax.set_ylabel, words("output channel", lang))
    write(ax.set_title, words("filters of {name}", lang, name=name))
    return ax


def _convolution(model: nn.Module, layer: str | None) -> tuple[str, np.ndarray]:
    found = {
        name or type(module).__name__: numbers.as_array(module.weight)
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
    }
    if not found:
        raise ValueError(f"{type(model).__name__} has no Conv2d whose filters could be drawn")
    if layer is None:
        layer = next(iter(found))
    if layer not in found:
        raise ValueError(f"there is no Conv2d named {layer!r}; there are {', '.join(found)}")
    return layer, found[layer]

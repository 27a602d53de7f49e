"""Plots with matplotlib (the extra ``plot``): of activation functions, training, layers, decisions and losses.

Each takes ``ax=`` and returns Axes, or an array of Axes where it draws several; none calls ``show()``, none changes the model.
``lang="zh"`` labels in Chinese where a font has the letters. ``plot.numbers`` gives what they show as arrays.
"""

from __future__ import annotations

from . import numbers
from ._curves import activation, history
from ._layers import conv_filters, grad_flow, hist, weights
from ._maps import boundary, confusion, landscape

__all__ = [
    "activation",
    "boundary",
    "confusion",
    "conv_filters",
    "grad_flow",
    "hist",
    "history",
    "landscape",
    "numbers",
    "weights",
]

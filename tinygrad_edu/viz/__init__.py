"""Pictures and tables of networks: they read a graph or a model and never change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import on_first_use
from ._draw import Graph, draw
from ._info import ModelStatistics, info
from ._player import Player, step
from ._record import record
from ._spellings import draw_dot, make_dot
from ._summary import summary
from ._why import why_no_grad

if TYPE_CHECKING:
    from . import plot
__getattr__, __dir__ = on_first_use(__name__, plot="plot")

__all__ = [
    "Graph",
    "ModelStatistics",
    "Player",
    "draw",
    "draw_dot",
    "info",
    "make_dot",
    "plot",
    "record",
    "step",
    "summary",
    "why_no_grad",
]

"""Pictures and tables of networks: they read a graph or a model and never change it.

``_graph`` reads a result's graph into plain data, with what ``_record`` has seen; ``_formulas`` knows each operation's mathematics, ``_layers``
watches a model's layers. Upon these stand the rooms ``picture``, ``stepper``, ``report``, ``tables`` and ``plot``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import on_first_use
from ._record import record
from ._why import why_no_grad
from .picture import Graph, draw, draw_dot, make_dot
from .stepper import Player, step
from .tables import ModelStatistics, info, summary

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

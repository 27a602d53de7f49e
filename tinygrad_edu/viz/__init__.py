"""Pictures and tables of networks: they read a graph or a model and never change it."""

from __future__ import annotations

from ._draw import Graph, draw
from ._player import Player, step
from ._record import record
from ._spellings import draw_dot, make_dot
from ._summary import summary
from ._why import why_no_grad

__all__ = ["Graph", "Player", "draw", "draw_dot", "make_dot", "record", "step", "summary", "why_no_grad"]

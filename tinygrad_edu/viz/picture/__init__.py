"""Pictures of graphs: which boxes (_picture, _fold, _scalars), where they stand (_ranks, _layout), and how they are written."""

from __future__ import annotations

from ._draw import Graph, draw
from ._spellings import draw_dot, make_dot

__all__ = ["Graph", "draw", "draw_dot", "make_dot"]

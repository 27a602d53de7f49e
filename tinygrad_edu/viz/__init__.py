"""Pictures and tables of networks: they read a graph or a model and never change it."""

from __future__ import annotations

from ._dot import Graph, draw
from ._record import record
from ._summary import summary
from ._why import why_no_grad

__all__ = ["Graph", "draw", "record", "summary", "why_no_grad"]

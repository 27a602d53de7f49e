"""Pictures and tables of networks: they read a graph or a model and never change it."""

from __future__ import annotations

from ._dot import Graph, draw
from ._player import Player, step
from ._record import record
from ._summary import summary

__all__ = ["Graph", "Player", "draw", "record", "step", "summary"]

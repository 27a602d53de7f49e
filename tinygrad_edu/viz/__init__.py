"""Pictures and tables of networks: they read a graph or a model and never change it."""

from __future__ import annotations

from ._dot import Graph, draw
from ._player import Player, step
from ._record import Tape, record
from ._summary import summary

__all__ = ["Graph", "Player", "Tape", "draw", "record", "step", "summary"]

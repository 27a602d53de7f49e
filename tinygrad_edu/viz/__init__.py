"""Pictures and tables of networks: they read a graph or a model and never change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import on_first_use
from ._dot import Graph, draw
from ._info import ModelStatistics, info
from ._summary import summary

if TYPE_CHECKING:
    from . import plot
__getattr__, __dir__ = on_first_use(__name__, plot="plot")

__all__ = ["Graph", "ModelStatistics", "draw", "info", "plot", "summary"]

"""The names of the package torchinfo, for scripts that import it while the stand-in is open."""

from __future__ import annotations

from ._info import ColumnSettings, Mode, ModelStatistics, RowSettings, Verbosity
from ._info import info as summary

__all__ = ["ColumnSettings", "Mode", "ModelStatistics", "RowSettings", "Verbosity", "summary"]

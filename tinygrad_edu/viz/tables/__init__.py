"""Tables of models, as torchsummary and torchinfo print them."""

from __future__ import annotations

from ._info import ModelStatistics, info
from ._summary import summary

__all__ = ["ModelStatistics", "info", "summary"]

"""The stepper: a program played one operation at a time, on a page, in a terminal, or as data."""

from __future__ import annotations

from ._player import Player, player_of, step

__all__ = ["Player", "player_of", "step"]

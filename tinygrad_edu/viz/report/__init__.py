"""The report on a run: what is observed while a script runs, and the page that shows it."""

from __future__ import annotations

from ._observe import Observer
from ._page import page

__all__ = ["Observer", "page"]

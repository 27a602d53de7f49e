"""Lines that tests want printed at the end of the run, whatever pytest captures."""

from __future__ import annotations

LINES: list[str] = []


def note(line: str) -> None:
    """Print ``line`` at the end of the run."""
    if line not in LINES:
        LINES.append(line)

"""Where in the user's program are we? The innermost frame outside this package."""

from __future__ import annotations

import os
import sys
from types import FrameType

_HERE = os.path.dirname(__file__) + os.sep


def users_frame() -> FrameType | None:
    """The innermost frame outside this package, None if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_inner(frame):
        frame = frame.f_back
    return frame


def is_inner(frame: FrameType) -> bool:
    """Is ``frame`` one of this package's own?"""
    return frame.f_code.co_filename.startswith(_HERE)


def users_line() -> str | None:
    """The innermost line outside this package: "file.py:12, in train: loss = ..."."""
    frame = users_frame()
    if frame is None:
        return None
    import linecache

    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    line = f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"
    return f"{line}: {text}" if text else line

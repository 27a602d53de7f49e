"""Keep freed memory for the next array, where the C library is glibc.

Left alone, glibc hands large blocks back to the system as soon as they are freed, and the next array of the same size pays
for fresh pages: each is cleared by the system when first touched. A training step frees and makes the same arrays again and
again; the tiny GPT of benchmarks/ took 6,000 page faults a step and 40 % of its time for them, LeNet 2,300 and 35 %.
So glibc is told to keep them (mallopt): blocks up to 256 MiB come from the heap, which keeps up to 1 GiB of free memory at
its end. The peak of memory does not change; what stays resident between steps does. TINYGRAD_EDU_MALLOC=0 leaves all as it is.

This is global state of the process. It is changed when the first array above 128 KiB is made, never at import.
"""

from __future__ import annotations

import os
from functools import cache
from math import prod
from typing import Any

from ._core.modes import state

__all__ = ["keep_freed_memory", "obstacle", "watch_first_walks"]

LARGE = 128 * 1024  # bytes: from here on glibc, left alone, asks the system for each block
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of <malloc.h>
HEAP_BLOCK, HEAP_REST = 256 << 20, 1 << 30


def _glibc() -> Any:
    """The C library if it is glibc, else None."""
    if os.name != "posix":
        return None
    import ctypes

    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None


def obstacle() -> str | None:
    """Say why the allocator is left as it is, or None if it will be told to keep freed memory."""
    if os.environ.get("TINYGRAD_EDU_MALLOC") == "0":
        return "TINYGRAD_EDU_MALLOC=0"
    chosen = [name for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_") if name in os.environ]
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        chosen.append("GLIBC_TUNABLES")
    if chosen:
        return f"{chosen[0]} is set"
    return "the C library is not glibc" if _glibc() is None else None


@cache
def keep_freed_memory() -> None:
    """Raise glibc's thresholds, once."""
    if obstacle() is None:
        library = _glibc()
        library.mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK)
        library.mallopt(M_TRIM_THRESHOLD, HEAP_REST)


def watch_first_walks(looks: int = 100) -> None:
    """Look for large results in this thread's first backward passes: small inputs may grow on the way. Later ones pay nothing."""
    left = iter(range(1, looks))

    def look(steps: list[Any]) -> None:
        shapes = [step.shape for step in steps[:1000] if "results of" not in step.shape]  # a Function's hub has none
        large = any([4 * prod(shape) > LARGE for shape in shapes])  # 4 bytes each: most are float32
        if large:
            keep_freed_memory()
        if large or next(left, None) is None:
            state.before_walk = None

    state.before_walk = look

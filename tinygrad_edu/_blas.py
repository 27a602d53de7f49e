"""How many threads NumPy's matrix products use: asked of, and told to, the OpenBLAS that NumPy has loaded.

On a busy machine a second thread is a trap: OpenBLAS's workers wait for each other by spinning, and steps of 3 ms take
200. The environment variable OPENBLAS_NUM_THREADS is read before Python runs; these functions work afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

__all__ = ["get_threads", "set_threads"]


@cache
def _function(verb: str) -> Callable[..., int] | None:
    """OpenBLAS's own function, or None with another library or where it cannot be found."""
    import ctypes
    from pathlib import Path

    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs")  # Linux and Windows; macOS
    libraries = [str(path) for folder in folders for path in sorted(folder.glob("*openblas*"))]
    names = [f"{prefix}openblas_{verb}_num_threads{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", "")]
    for library in libraries:
        try:
            loaded = ctypes.CDLL(library)  # the one NumPy uses: a library is loaded once
        except OSError:
            continue
        for name in names:
            if hasattr(loaded, name):
                found: Callable[..., int] = getattr(loaded, name)
                return found
    return None


def get_threads() -> int | None:
    """Tell how many threads a matrix product may use, or None if NumPy's library does not say."""
    ask = _function("get")
    return None if ask is None else ask()


def set_threads(n: int) -> bool:
    """Let matrix products use ``n`` threads; return whether NumPy's library could be told."""
    tell = _function("set")
    if tell is not None:
        tell(n)
    return tell is not None

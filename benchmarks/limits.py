"""The limit of NumPy: workloads written by hand, without a graph, with preallocated buffers.

``LIMITS`` maps a workload's name to a function that prepares it and returns ``run``, as in ``workloads.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LIMITS: dict[str, Callable[[], Callable[[], Any]]] = {}

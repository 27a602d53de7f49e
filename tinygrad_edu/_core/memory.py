"""Which memory was written, and when.

One clock orders steps and writes, so the age of a step is its version of everything: what it kept
is stale if the memory was written later. Nothing is counted in tensors; recording costs nothing.
"""

from __future__ import annotations

import itertools
from bisect import bisect
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar
from weakref import ref

tick = itertools.count(1).__next__  # the ages of steps and of writes


class Writes:
    """What is known of one block of memory that was written in place."""

    __slots__ = ("alive", "count", "recent", "site")

    def __init__(self, alive: object) -> None:
        self.alive = alive
        self.count = 0
        self.recent: list[int] = []  # ages of the last writes
        self.site: str | None = None  # the user's line of the last write, known under detect_anomaly


class memory:
    """The blocks that were ever written in place; one that never was is not here."""

    written: ClassVar[dict[int, Writes]] = {}  # id of the owner -> Writes
    last: ClassVar[int] = 0  # age of the newest write anywhere: a younger step has nothing to check
    trace: ClassVar[Callable[[], str | None] | None] = None  # names the user's line, under detect_anomaly


def owner(array: Any) -> Any:
    """Return the object that holds the memory of ``array``; views share it."""
    base = getattr(array, "base", None)
    while base is not None:
        array, base = base, getattr(base, "base", None)
    return array


def stamp(array: Any) -> None:
    """Note that the memory of ``array`` has been written."""
    block = owner(array)
    entry = memory.written.get(id(block))
    if entry is None:
        try:
            alive: object = ref(block, partial(memory.written.pop, id(block)))  # the dead reference is pop's default
        except TypeError:  # bytes and the like take no weak reference: keep them
            alive = block
        entry = memory.written[id(block)] = Writes(alive)
    entry.count += 1
    memory.last = age = tick()
    entry.recent.append(age)
    if len(entry.recent) > 32:
        del entry.recent[:16]
    if memory.trace is not None:
        entry.site = memory.trace()


def version(array: Any) -> int:
    """How often the memory of ``array`` has been written in place."""
    entry = memory.written.get(id(owner(array)))
    return 0 if entry is None else entry.count


def verify(kept: list[tuple[str, Any]], age: int, op_name: str, node_name: str) -> None:
    """Raise if any of the arrays ``kept`` (name, array) by a step of ``age`` has been written since."""
    for name, value in kept:
        entry = memory.written.get(id(owner(value)))
        if entry is not None and entry.recent[-1] > age:
            late = len(entry.recent) - bisect(entry.recent, age)
            line = f" The last write was at {entry.site}." if entry.site else ""
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"{name} of {op_name} ({node_name}), of shape {list(value.shape)}, is at version {entry.count}; "
                f"expected version {entry.count - late} instead.{line} "
                "Hint: write into a copy (x.clone()), use the out-of-place operation (x = x + 1, not x += 1), or call backward() "
                "before the write; autograd.detect_anomaly() names the line that wrote."
            )

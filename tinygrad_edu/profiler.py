"""torch.profiler: where the time goes, by operation and by layer, forward and backward apart.

While a profile runs, every op, every step of a backward pass and every block named by ``record_function`` is timed in the thread
that began it; while none runs, nothing of this exists. What lies between the ops, Python's own work, optimizers and the data, is
told as the rest of the wall time: give it a name with ``record_function``. Timing an op costs some microseconds,
so that programs of many tiny ops look slower than they are; and what a step of the backward pass lets go is freed on the time
of the step after it.

>>> import tinygrad_edu as torch
>>> net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
>>> with torch.profiler.profile() as prof:
...     net(torch.ones(2, 4)).sum().backward()

The ops have the names that they have in ``tinygrad_edu/_ops``, the steps of the backward pass PyTorch's.

>>> [average.key for average in prof.key_averages() if average.phase == "forward"]
['linear', 'tanh', 'total']
>>> print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))  # doctest: +SKIP
>>> print(prof.module_averages().table())  # doctest: +SKIP
>>> prof.export_chrome_trace("trace.json")  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from time import perf_counter_ns as _now
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from ._core import engine
from ._core.modes import Path, module_scope, state
from ._core.op import release, surround
from ._tensor import Tensor

__all__ = ["ProfilerActivity", "profile", "record_function"]

F = TypeVar("F", bound=Callable[..., Any])
OUTSIDE = "(outside modules)"
FORWARD, BACKWARD, STEP, USER = "forward", "backward", "step", "user"


class ProfilerActivity(Enum):
    """What to time; there is only the CPU here.

    >>> ProfilerActivity.CPU.name
    'CPU'
    """

    CPU = 0


class Event(NamedTuple):
    """One call: times in nanoseconds; ``phase`` is forward, backward (an op inside a step), step (of the walk) or user."""

    name: str
    phase: str
    where: Path
    start: int
    total: int
    own: int  # without the events inside
    nbytes: int
    shapes: tuple[tuple[int, ...], ...]

    @property
    def module(self) -> str:
        """The layer it belongs to, as a path: Sequential.0."""
        return ".".join([label.name for label in module_scope.labels(self.where)]) or OUTSIDE


class profile:
    """Time what runs in the ``with`` block (or between ``start()`` and ``stop()``) in this thread.

    Parameters
    ----------
    activities
        Accepted as in torch; the CPU is timed in any case.
    record_shapes
        Note the shapes of the arguments, for ``key_averages(group_by_input_shape=True)`` and the trace.
    profile_memory, with_stack, with_flops, with_modules
        Accepted as in torch: bytes and layers are always noted, stacks and operations never.
    on_trace_ready
        Called with the profile when it ends.
    """

    _running: profile | None = None

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        on_trace_ready: Callable[[profile], object] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
    ) -> None:
        self._record_shapes, self._on_trace_ready = record_shapes, on_trace_ready
        self._events: list[Event] = []
        self._inner = 0  # nanoseconds spent in events inside the one that is open
        self._in_walk = False
        self._began = self._ended = 0

    def start(self) -> None:
        """Begin."""
        if profile._running is not None:
            raise RuntimeError("A profile is running already: leave its block, or call its stop(), first.")
        profile._running = self
        self._thread = threading.get_ident()
        surround(self._timed)
        self._walk, engine.walk = engine.walk, self._timed_walk
        self._began = _now()

    def stop(self) -> None:
        """End; the figures may be read from now on."""
        if profile._running is not self:
            return
        self._ended = _now()
        profile._running = None
        release(self._timed)
        engine.walk = self._walk
        if self._on_trace_ready is not None:
            self._on_trace_ready(self)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ---- the clocks

    def _open(self) -> tuple[int, int]:
        """Begin an event: when, and what the one around it has spent inside so far."""
        before, self._inner = self._inner, 0
        return _now(), before

    def _close(
        self, opened: tuple[int, int], name: str, phase: str, where: Path, nbytes: int = 0, shapes: Any = ()
    ) -> None:
        """End the event that was opened last."""
        start, before = opened
        total = _now() - start
        self._events.append(Event(name, phase, where, start, total, total - self._inner, nbytes, shapes))
        self._inner = before + total

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call of a class of ops, timed."""

        def timed_call(op: Any, *args: Any, **settings: Any) -> Any:
            if threading.get_ident() != self._thread:
                return call(op, *args, **settings)
            out = None
            opened = self._open()
            try:
                out = call(op, *args, **settings)
                return out
            finally:
                phase, shapes = BACKWARD if self._in_walk else FORWARD, _shapes(args) if self._record_shapes else ()
                self._close(opened, op.name, phase, state.own.path, _new_bytes(out), shapes)

        return timed_call

    def _timed_walk(self, pending: dict[Any, Any], **settings: Any) -> None:
        """A backward pass, and each of its steps, timed."""
        if threading.get_ident() != self._thread:
            return self._walk(pending, **settings)
        watch, before_walk, in_walk = state.watch, state.before_walk, self._in_walk
        opened = self._open()
        step = opened

        def sorted_(order: list[Any]) -> None:
            nonlocal step
            if before_walk is not None:
                before_walk(order)
            step = self._open()

        def after(node: Any, g: Any, shares: list[Any]) -> None:
            nonlocal step
            nbytes = sum([_new_bytes(share) for share in shares if share is not g])
            name = "AccumulateGrad" if node.op is None else node.op.node_name
            shapes = (tuple(g.shape),) if self._record_shapes else ()
            self._close(step, name, STEP, getattr(node, "where", None), nbytes, shapes)
            if watch is not None:
                watch(node, g, shares)
            step = self._open()

        state.before_walk, state.watch, self._in_walk = sorted_, after, True
        try:
            self._walk(pending, **settings)
        finally:
            state.before_walk, state.watch, self._in_walk = before_walk, watch, in_walk
            if step is not opened:
                self._inner += step[1]  # the step that was opened and did not come
            self._close(opened, "backward", USER, None)
        return None

    # ---- the figures

    def events(self) -> list[Event]:
        """Every call, in the order in which they ended."""
        return list(self._events)

    def key_averages(self, group_by_input_shape: bool = False) -> Averages:
        """Sum up the calls by name; forward and backward stay apart."""
        groups: dict[tuple[Any, ...], Average] = {}
        for event in self._events:
            shapes = event.shapes if group_by_input_shape else ()
            key = (event.name, event.phase, shapes)
            groups.setdefault(key, Average(event.name, event.phase, shapes)).add(event)
        return Averages(list(groups.values()), self._wall())

    def module_averages(self) -> ModuleAverages:
        """Sum up by layer what ran in it forward, and the steps of the backward pass that stem from it. (Not in torch.)"""
        layers: dict[str, ModuleAverage] = {}
        for event in self._events:
            if event.phase == FORWARD or event.phase == STEP:
                names = [label.name for label in module_scope.labels(event.where)] or [OUTSIDE]
                for depth in range(1, len(names) + 1):
                    path = ".".join(names[:depth])
                    layers.setdefault(path, ModuleAverage(path)).add(event, depth == len(names))
        return ModuleAverages(list(layers.values()))

    def export_chrome_trace(self, path: str) -> None:
        """Write all calls for the viewers of Chrome (chrome://tracing) and Perfetto (ui.perfetto.dev)."""
        process = os.getpid()
        told = [
            {
                "name": event.name,
                "cat": event.phase,
                "ph": "X",
                "ts": (event.start - self._began) / 1000,
                "dur": event.total / 1000,
                "pid": process,
                "tid": self._thread,
                "args": {"module": event.module, "bytes": event.nbytes, "shapes": [list(s) for s in event.shapes]},
            }
            for event in sorted(self._events, key=lambda e: (e.start, -e.total))
        ]
        with open(path, "w") as file:
            json.dump({"displayTimeUnit": "ms", "traceEvents": told}, file)

    def _wall(self) -> int:
        return (self._ended or _now()) - self._began


class record_function:
    """Give a block a name in the profile; costs next to nothing while none runs. Also decorates functions.

    >>> with record_function("data"):
    ...     numbers = list(range(3))
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._opened: list[tuple[Any, Any]] = []

    def __enter__(self) -> Self:
        running: Any = profile._running
        if running is not None and running._thread != threading.get_ident():
            running = None
        self._opened.append((running, running._open() if running is not None else None))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running, opened = self._opened.pop()
        if running is None or running._ended:
            return
        running._close(opened, self.name, USER, state.own.path)

    def __call__(self, function: F) -> F:
        """Decorate ``function`` so that each call of it is such a block."""

        @functools.wraps(function)
        def named(*args: Any, **settings: Any) -> Any:
            with record_function(self.name):
                return function(*args, **settings)

        return named  # type: ignore[return-value]  # functools.wraps keeps the signature; mypy cannot say so


class Average:
    """The calls of one name: times in microseconds under torch's names."""

    def __init__(self, key: str, phase: str, input_shapes: tuple[tuple[int, ...], ...] = ()) -> None:
        self.key, self.input_shapes = key, input_shapes
        self.phase = BACKWARD if phase == STEP else phase
        self.count = self.self_cpu_memory_usage = 0
        self.self_cpu_time_total = self.cpu_time_total = 0.0

    def add(self, event: Event) -> None:
        """Count one call."""
        self.count += 1
        self.cpu_time_total += event.total / 1000
        self.self_cpu_time_total += event.own / 1000
        self.self_cpu_memory_usage += event.nbytes

    @property
    def cpu_time(self) -> float:
        """The mean of one call."""
        return self.cpu_time_total / self.count

    def __repr__(self) -> str:
        return (
            f"<{self.key} ({self.phase}): {self.count} calls, self {_time(self.self_cpu_time_total)}, "
            f"total {_time(self.cpu_time_total)}, {_size(self.self_cpu_memory_usage)}>"
        )


class Averages(list[Average]):
    """What ``key_averages`` returns: a list that prints itself as a table."""

    def __init__(self, averages: list[Average], wall: int) -> None:
        super().__init__(averages)
        self._wall = wall / 1000

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """Lay the averages out, the largest ``sort_by`` first (an attribute of theirs, such as "self_cpu_time_total")."""
        rows = list(self)
        if sort_by is not None:
            _check(sort_by, ("self_cpu_time_total", "cpu_time_total", "cpu_time", "self_cpu_memory_usage", "count"))
            rows.sort(key=lambda average: -getattr(average, sort_by))
        known = sum(average.self_cpu_time_total for average in self)
        lines = [["Name", "Phase", "Self %", "Self", "Total", "Mean", "Bytes made", "Calls"]]
        shaped = any(average.input_shapes for average in self)
        for a in rows[: row_limit if row_limit >= 0 else None]:
            share = f"{100 * a.self_cpu_time_total / known:.1f}%" if known else ""
            times = (_time(a.self_cpu_time_total), _time(a.cpu_time_total), _time(a.cpu_time))
            lines.append([a.key, a.phase, share, *times, _size(a.self_cpu_memory_usage), str(a.count)])
            if shaped:
                lines[-1].append(str([list(shape) for shape in a.input_shapes]))
        if shaped:
            lines[0].append("Shapes")
        rest = max(0.0, self._wall - known)
        foot = f"In ops, steps and named blocks: {_time(known)}; wall time {_time(self._wall)}, so {_time(rest)} outside them."
        return _laid_out(lines, 2) + "\n" + foot

    def __str__(self) -> str:
        return self.table()


class ModuleAverage:
    """One layer: microseconds of its own ops, and with those of the layers inside it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.calls = {FORWARD: 0, BACKWARD: 0}
        self.self_time = {FORWARD: 0.0, BACKWARD: 0.0}
        self.time = {FORWARD: 0.0, BACKWARD: 0.0}
        self.nbytes = {FORWARD: 0, BACKWARD: 0}

    def add(self, event: Event, own: bool) -> None:
        """Count a call in this layer (``own``) or in one inside it."""
        phase = BACKWARD if event.phase == STEP else FORWARD
        spent = (
            event.total if event.phase == STEP else event.own
        ) / 1000  # ops inside a step have no layer of their own
        self.time[phase] += spent
        self.nbytes[phase] += event.nbytes
        if own:
            self.calls[phase] += 1
            self.self_time[phase] += spent


class ModuleAverages(list[ModuleAverage]):
    """What ``module_averages`` returns: a list that prints itself as a table."""

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        """Lay the layers out, by default in the order of their first call; ``sort_by`` is "forward" or "backward"."""
        rows = list(self)
        if sort_by is not None:
            _check(sort_by, (FORWARD, BACKWARD))
            rows.sort(key=lambda layer: -layer.time[sort_by])
        lines = [
            ["Layer", *[f"{phase} {what}" for phase in ("Fwd", "Bwd") for what in ("self", "total", "ops", "bytes")]]
        ]
        for layer in rows[: row_limit if row_limit >= 0 else None]:
            cells = [
                (_time(layer.self_time[p]), _time(layer.time[p]), str(layer.calls[p]), _size(layer.nbytes[p]))
                for p in (FORWARD, BACKWARD)
            ]
            lines.append([layer.path, *cells[0], *cells[1]])
        return _laid_out(lines, 1)

    def __str__(self) -> str:
        return self.table()


def _check(sort_by: str, known: tuple[str, ...]) -> None:
    if sort_by not in known:
        raise ValueError(f"sort_by={sort_by!r} names no column; choose one of {', '.join(known)}")


def _laid_out(lines: list[list[str]], names: int) -> str:
    """Columns of words (the first ``names``) and of numbers under a head."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    bar = "  ".join(["-" * width for width in widths])
    text = [
        "  ".join(
            [c.ljust(w) if i < names else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], bar, *text[1:], bar])


def _time(microseconds: float) -> str:
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= size:
            return f"{microseconds / size:.3f} {unit}"
    return f"{microseconds:.1f} us"


def _size(count: int) -> str:
    for size, unit in ((2**30, "GB"), (2**20, "MB"), (2**10, "KB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _new_bytes(out: Any) -> int:
    """The memory that a result brought with it; a view brings none."""
    if isinstance(out, Tensor):
        if out._base is not None:
            return 0
        out = out._array
    if getattr(out, "base", None) is not None:
        return 0
    return int(getattr(out, "nbytes", 0))


def _shapes(args: tuple[Any, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple([tuple(a.shape) for a in args if hasattr(a, "shape")])

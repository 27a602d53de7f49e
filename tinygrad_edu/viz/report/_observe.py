"""A whole run watched from the side: losses, gradient norms, units, the first NaN; little is kept, however long it is.

A step is one ``backward()``. While steps are few each is looked at; later every second, every fourth and so on, so that a series
never has more than LIMIT points.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import ref

import numpy as np

from ..._core import engine
from ..._core.modes import module_scope, state
from ..._core.op import release, surround
from ..._frames import users_frame
from ..._lint import Lint
from ..._tensor import Tensor
from .._graph import Source, called
from .._record import names_in, source_here
from ..plot.numbers import at_bounds

__all__ = ["Layer", "Loss", "Observer", "Units"]

LIMIT = 200


class Point(NamedTuple):
    """A number at a step; steps count from 1."""

    step: int
    value: float


@dataclass
class Loss:
    """A scalar on which ``backward()`` was called, by the line that called it."""

    name: str
    source: Source | None
    count: int = 0
    last: float = float("nan")
    points: list[Point] = field(default_factory=list)


@dataclass
class Layer:
    """The parameters of a layer, and the norm of their gradients together."""

    name: str
    parameters: int = 0
    points: list[Point] = field(default_factory=list)


@dataclass
class Units:
    """The units of an activation: of relu those that are never above 0, of sigmoid and tanh those that stay at their ends."""

    layer: str
    op: str
    source: Source | None
    ever: np.ndarray  # for each unit: was it ever alive (relu), ever off its ends (sigmoid, tanh)?
    points: list[Point] = field(default_factory=list)  # the share of units idle in the whole batch

    @property
    def idle(self) -> int:
        """How many units were idle whenever they were looked at."""
        return int((~self.ever).sum())


class Observer:
    """Watch what runs in the ``with`` block, in this thread."""

    def __init__(self) -> None:
        self.steps = 0
        self.every = 1
        self.losses: dict[Source | None, Loss] = {}
        self.layers: dict[str, Layer] = {}
        self.units: dict[tuple[str, str, Source | None, int], Units] = {}
        self.lints: list[str] = []
        self.nan: str | None = None
        self.error: str | None = None
        self._scalars: dict[int, tuple[Any, float]] = {}  # id of a step -> the step and its single number
        self._names: dict[int, tuple[ref[Tensor], str]] = {}

    def __enter__(self) -> Observer:
        self._thread = threading.get_ident()
        self._lint = Lint(self.lints.append)
        self._plain_walk = engine.walk
        engine.walk = self._walk
        surround(self._op)
        return self

    def __exit__(self, *_: object) -> None:
        release(self._op)
        engine.walk = self._plain_walk
        self._lint.close()
        self._scalars.clear()

    def failed(self, error: BaseException) -> None:
        """Note the exception that ended the run."""
        self.error = f"{type(error).__name__}: {error}"

    @property
    def looks(self) -> bool:
        """Is the present step one of those that are looked at?"""
        return self.steps % self.every == 0

    # ---- what stands around the calls

    def _op(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def observed_call(op: Any, *args: Any, **settings: Any) -> Any:
            out = call(op, *args, **settings)
            if isinstance(out, Tensor) and threading.get_ident() == self._thread and not state.batches:
                self._see(op, args, out)
            return out

        return observed_call

    def _see(self, op: Any, args: tuple[Any, ...], out: Tensor) -> None:
        array, node = out._array, out._current_node
        if array.dtype.kind != "f":
            return
        if self.nan is None and _holds_nan(array):
            self._first_nan(called(op), args)
        if node is None:
            return
        if array.size == 1:
            self._scalars[id(node)] = node, float(array.reshape(-1)[0])
        if op.name in ("relu", "sigmoid", "tanh") and array.ndim > 1 and array.size and self.looks:
            self._look_at_units(op.name, array)

    def _first_nan(self, name: str, args: tuple[Any, ...]) -> None:
        source, given = source_here(), [a for a in args if isinstance(a, Tensor)]
        place = f" at {source.file}:{source.line}" if source is not None else ""
        had = any([_holds_nan(a) for a in given])
        cause = (
            "one of its arguments held NaN already: look at the data, or at the update before"
            if had
            else "its arguments held none"
        )
        layer = _layer()
        inside = f" in {layer}" if layer else ""
        self.nan = f"step {self.steps + 1}: {name}{place}{inside} gave NaN; {cause}."

    def _look_at_units(self, name: str, array: np.ndarray) -> None:
        axis = 1 if array.ndim > 3 else array.ndim - 1  # channels of images, else the last
        others = tuple([i for i in range(array.ndim) if i != axis])
        alive = np.asarray((array > 0).any(others) if name == "relu" else ~at_bounds(name, array).all(others))
        source, layer = source_here(), _layer()
        key = layer, name, source, len(alive)
        if key not in self.units:
            self.units[key] = Units(layer, name, source, np.zeros(len(alive), bool))
        units = self.units[key]
        units.ever |= alive
        if not units.points or units.points[-1].step != self.steps + 1:
            units.points.append(Point(self.steps + 1, float(1 - alive.mean())))

    def _walk(self, pending: dict[Any, Any], **settings: Any) -> None:
        if threading.get_ident() != self._thread or settings.get("catch") is not None:
            return self._plain_walk(pending, **settings)
        root, outside = next(iter(pending)), state.watch
        norms: dict[str, float] = {}

        def see(node: Any, g: Any, shares: list[Any]) -> None:
            if node.op is None:
                self._add_norm(node, np.asarray(getattr(g, "_array", g)), norms)
            elif self.nan is None and any([_holds_nan(share) for share in shares]):
                had = "which held NaN already" if _holds_nan(g) else "which held none"
                self.nan = f"step {self.steps + 1}: the backward of {called(node.op)} ({node.name()}) gave NaN from its gradient, {had}."
            if outside is not None:
                outside(node, g, shares)

        self._note_loss(root)
        if self.looks:
            state.watch = see
        try:
            self._plain_walk(pending, **settings)
        finally:
            state.watch = outside
        for name, squared in norms.items():
            self.layers[name].points.append(Point(self.steps + 1, squared**0.5))
        self._scalars.clear()
        self.steps += 1
        if self.steps >= LIMIT * self.every:
            self._thin_out()
        return None

    def _note_loss(self, root: Any) -> None:
        source = source_here()
        node, value = self._scalars.get(id(root), (None, float("nan")))
        if source not in self.losses:
            frame = users_frame()
            variables = {} if frame is None else {**frame.f_globals, **frame.f_locals}
            named = [n for n, v in variables.items() if isinstance(v, Tensor) and v._current_node is root]
            self.losses[source] = Loss(named[-1] if named else "(no variable)", source)
        loss = self.losses[source]
        loss.count += 1
        if node is not None:
            loss.last = value
            if self.looks:
                loss.points.append(Point(self.steps + 1, value))

    def _add_norm(self, leaf: Any, g: np.ndarray, norms: dict[str, float]) -> None:
        """Add the square of a gradient to those of its layer."""
        tensor = leaf.tensor()
        if tensor is None:
            return
        known = self._names.get(id(tensor))
        if known is None or known[0]() is not tensor:
            for name, found in names_in(users_frame()).items():
                self._names[id(found)] = ref(found), name
            known = self._names.setdefault(id(tensor), (ref(tensor), f"a tensor of shape {tuple(g.shape)}"))
        name = known[1].rpartition(".")[0] or known[1]
        layer = self.layers.setdefault(name, Layer(name))
        if not layer.points:  # met for the first time: count its parameters
            layer.parameters += g.size
        norms[name] = norms.get(name, 0.0) + float(np.vdot(g.astype(np.float64), g))

    def _thin_out(self) -> None:
        """Look at half as many steps, and forget the others."""
        self.every *= 2
        series: list[Loss | Layer | Units] = [*self.losses.values(), *self.layers.values(), *self.units.values()]
        for one in series:
            one.points = [point for point in one.points if (point.step - 1) % self.every == 0]


def _layer() -> str:
    """The path of modules that is running, without the outermost's class."""
    return ".".join([label.name for label in module_scope.labels(state.own.path)])


def _holds_nan(array: Any) -> bool:
    values = getattr(array, "_array", array)
    return getattr(getattr(values, "dtype", None), "kind", "") == "f" and bool(np.isnan(values).any())

"""The graph: one Node per recorded step, one Leaf per place where a gradient comes to rest."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import ref

from .memory import tick
from .modes import Path

if TYPE_CHECKING:
    from .op import Op

Hook: TypeAlias = Callable[[Any], Any]
_keys = count().__next__


class Node:
    """An op applied once; what ``tensor.grad_fn`` shows.

    ``saved`` is (out, *arguments, *settings), None where no formula asked. It holds arrays, never
    tensors, so a graph has no cycle and dies with its root.
    """

    __slots__ = ("edges", "hooks", "op", "saved", "seq", "shape", "where")

    def __init__(self, op: Op, saved: Any, edges: tuple[Any, ...], shape: Any, where: Path) -> None:
        self.op = op
        self.saved = saved
        self.edges = edges  # the Node or Leaf behind each argument, None where no gradient is wanted
        self.shape = shape
        self.where = where  # the path of modules it was made in
        self.seq: int = tick()
        self.hooks: dict[Any, Hook] | None = None

    def name(self) -> str:
        """torch's name of this step, such as AddBackward0."""
        return self.op.node_name

    @property
    def next_functions(self) -> tuple[tuple[Node | Leaf | None, int], ...]:
        """The steps that receive a gradient from this one, with 0 as the number of the output each stands for."""
        shows = range(len(self.edges)) if self.op.shows is None else self.op.shows
        return tuple((seen_through(self.edges[i]), 0) for i in shows)

    def register_prehook(self, hook: Callable[[tuple[Any, ...]], Any]) -> Handle:
        """Call ``hook((g,))`` with the gradient of this step's result before its formulas run."""

        def on_gradient(g: Any) -> Any:
            new = hook((g,))
            return new[0] if isinstance(new, tuple) else new

        return add_hook(self, on_gradient)

    def __repr__(self) -> str:
        return f"<{self.name().rpartition('::')[2]} object at {id(self):#x}>"


def seen_through(edge: Any) -> Any:
    """The first step at or behind ``edge`` that torch shows."""
    while edge is not None and edge.op is not None and edge.op.hidden:
        edge = edge.edges[0]
    return edge


class Leaf:
    """Where a gradient comes to rest. Knows its tensor weakly, so even a recorded gradient closes no circle."""

    __slots__ = ("after", "edges", "hooks", "saved", "seq", "shape", "tensor")
    op = None

    def __init__(self, shape: Any, tensor: ref[Any]) -> None:
        self.saved: Any = ()
        self.edges: tuple[Any, ...] = ()
        self.shape = shape
        self.seq: int = tick()
        self.hooks: dict[Any, Hook] | None = None
        self.after: dict[Any, Hook] | None = None  # run once the tensor's grad is up to date
        self.tensor = tensor

    def name(self) -> str:
        """torch's name for a leaf of the graph."""
        return "torch::autograd::AccumulateGrad"

    next_functions: tuple[tuple[Any, int], ...] = ()

    @property
    def variable(self) -> Any:
        """The tensor whose ``grad`` is filled here, or None if it is gone."""
        return self.tensor()

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"


class Handle:
    """Removes a hook; usable in a ``with`` statement."""

    def __init__(self, hooks: dict[Any, Any], hook: Any) -> None:
        self._hooks, self.id = hooks, _keys()
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook out; a second call does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def add_hook(node: Node | Leaf, hook: Hook) -> Handle:
    """Run ``hook`` on the gradient of ``node`` when its total has arrived; what it returns replaces it."""
    if node.hooks is None:
        node.hooks = {}
    return Handle(node.hooks, hook)

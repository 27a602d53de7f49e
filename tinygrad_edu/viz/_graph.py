"""The graph model: what pictures, stepper and report show, as plain data read from tensors and from a recording.

Reading changes nothing. What was not kept is None, never 0: a picture then says that it was not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._core.engine import newest_first
from .._core.modes import module_scope
from .._errors import cut_off

if TYPE_CHECKING:
    from .. import nn
    from .._tensor import Tensor

__all__ = ["Diagram", "Edge", "Kind", "Place", "Saved", "Source", "Vertex", "read"]


class Kind(Enum):
    """What a vertex stands for."""

    PARAMETER = "parameter"  # a leaf whose grad is filled
    DATA = "data"  # an input that wants no gradient
    OP = "op"


class Place(NamedTuple):
    """A module on the way to where an op ran: the name its parent gives it, its class, and its sizes as in a call."""

    name: str
    module: str
    detail: str = ""  # Linear's "2, 5"


class Source(NamedTuple):
    """A line of the user's script."""

    file: str  # the file's name without its folder: the same picture on every machine
    line: int
    text: str


class Saved(NamedTuple):
    """An array that an op keeps for its backward."""

    name: str  # of the argument, or "out"
    shape: tuple[int, ...]
    dtype: str
    nbytes: int


@dataclass(eq=False, slots=True)
class Vertex:
    """An op with its result, or a tensor that no op made.

    ``value`` and ``grad`` are None where they were not kept (``grad`` also where none was computed). ``cut`` names what
    ended the flow of gradients here (detach, no_grad, argmax ...), ``error`` what the op raised.
    """

    id: str  # n0, n1 ... in order of creation
    kind: Kind
    name: str  # of the op (matmul) or of the tensor (fc1.weight)
    shape: tuple[int, ...]
    dtype: str | None  # None where only the shape is known
    step: str | None = None  # torch's name of the recorded step, such as MulBackward0
    value: np.ndarray | None = None
    grad: np.ndarray | None = None
    settings: dict[str, Any] = field(default_factory=dict)  # those that differ from the op's defaults
    places: tuple[Place, ...] = ()
    source: Source | None = None
    cut: str | None = None
    version: int = 0  # how often the tensor was written in place before
    saved: tuple[Saved, ...] = ()
    error: str | None = None
    maker: Any = field(default=None, repr=False)  # the engine's Node or Leaf, for who replays its steps


class Edge(NamedTuple):
    """The result of ``source`` is argument ``number`` of ``target``; an op that uses one tensor twice has two."""

    source: str
    target: str
    number: int
    argument: str  # the argument's name in the op's formula
    flows: bool  # does a gradient come back this way?


class Diagram:
    """Vertices in order of creation, and the edges between them."""

    def __init__(self, vertices: list[Vertex], edges: list[Edge], output: str) -> None:
        self.vertices, self.edges, self.output = vertices, edges, output
        self._by_id = {vertex.id: vertex for vertex in vertices}
        self._into: dict[str, list[Edge]] = {vertex.id: [] for vertex in vertices}
        self._out_of: dict[str, list[Edge]] = {vertex.id: [] for vertex in vertices}
        for edge in edges:
            self._into[edge.target].append(edge)
            self._out_of[edge.source].append(edge)
        self._by_maker = {id(vertex.maker): vertex for vertex in vertices if vertex.maker is not None}

    def __getitem__(self, name: str) -> Vertex:
        return self._by_id[name]

    def __len__(self) -> int:
        return len(self.vertices)

    def ops(self) -> list[Vertex]:
        """The ops, oldest first."""
        return [vertex for vertex in self.vertices if vertex.kind is Kind.OP]

    def into(self, target: str) -> list[Edge]:
        """The edges to ``target``, in the order of its arguments."""
        return self._into[target]

    def out_of(self, source: str) -> list[Edge]:
        """The edges from ``source``."""
        return self._out_of[source]

    def made_by(self, maker: Any) -> Vertex | None:
        """The vertex of one of the engine's steps or leaves, if it is shown."""
        return self._by_maker.get(id(maker))


def read(output: Tensor, *, model: nn.Module | None = None, names: Mapping[str, Tensor] | None = None) -> Diagram:
    """Read the graph behind ``output`` from its recorded steps.

    Structure, shapes, settings, modules and the gradients of leaves are there even after ``backward()``; values only where a leaf
    holds them or an op still keeps them.

    Raises
    ------
    ValueError
        If ``output`` has no graph.
    """
    root = output._current_node
    if root is None:
        raise ValueError(f"there is no graph to draw: {cut_off(output)}")
    known = _names(model, names)
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    ids: dict[Any, str] = {}
    for node in reversed(newest_first([root])):
        if node.op is None:
            vertex = _leaf(f"n{len(vertices)}", node, known)
        else:
            constants = _constants(node, len(vertices))
            vertices += [constant for constant, _ in constants]
            vertex = _step(f"n{len(vertices)}", node)
            found = {index: constant.id for constant, index in constants}
            for index, edge in enumerate(node.edges):
                source = ids[edge] if edge is not None else found.get(index)
                if source is not None:
                    edges.append(Edge(source, vertex.id, index, _argument(node.op, index), edge is not None))
        ids[node] = vertex.id
        vertices.append(vertex)
    last = vertices[-1]
    if last.kind is Kind.OP:
        last.value, last.dtype = _copy(output._array), str(output._array.dtype)
        if output.retains_grad and output.grad is not None:
            last.grad = _copy(output.grad._array)
    return Diagram(vertices, edges, last.id)


def _names(model: nn.Module | None, names: Mapping[str, Tensor] | None) -> dict[int, str]:
    """The names of tensors by identity: the caller's first, then the model's."""
    known = {id(p): name for name, p in model.named_parameters()} if model is not None else {}
    return known | {id(tensor): name for name, tensor in (names or {}).items()}


def _leaf(name: str, leaf: Any, known: Mapping[int, str]) -> Vertex:
    tensor = leaf.tensor()
    if tensor is None:
        return Vertex(name, Kind.PARAMETER, "(a tensor that is gone)", tuple(leaf.shape), None, maker=leaf)
    grad = tensor.grad
    return Vertex(
        name,
        Kind.PARAMETER,
        known.get(id(tensor), "leaf"),
        tuple(leaf.shape),
        str(tensor._array.dtype),
        value=_copy(tensor._array),
        grad=None if grad is None else _copy(grad._array),
        version=tensor._version,
        maker=leaf,
    )


def _step(name: str, node: Any) -> Vertex:
    op = node.op
    kept = op.kept_by(node) if node.saved else []
    value = next((array for what, array in kept if what == "the result"), None)
    return Vertex(
        name,
        Kind.OP,
        op.name,
        tuple(node.shape),
        None if value is None else str(value.dtype),
        step=node.name(),
        value=None if value is None else _copy(value),
        settings=_settings(node),
        places=_places(node.where),
        saved=tuple(Saved("out" if w == "the result" else w, a.shape, str(a.dtype), a.nbytes) for w, a in kept),
        maker=node,
    )


def _constants(node: Any, first: int) -> list[tuple[Vertex, int]]:
    """The arguments that want no gradient and that the step still keeps, as vertices from number ``first``, with their places."""
    found: list[tuple[Vertex, int]] = []
    for index, edge in enumerate(node.edges):
        kept: Any = node.saved[1 + index] if edge is None and node.saved else None
        if hasattr(kept, "dtype"):
            name = f"n{first + len(found)}"
            vertex = Vertex(name, Kind.DATA, "data", tuple(kept.shape), str(kept.dtype), value=_copy(kept))
            found.append((vertex, index))
    return found


def _settings(node: Any) -> dict[str, Any]:
    """The settings of a step that differ from the op's defaults."""
    first = 1 + len(node.op.arguments)
    given = zip(node.op.settings.items(), (node.saved or ())[first:], strict=False)
    return {name: value for (name, default), value in given if not _same(value, default)}


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and not hasattr(value, "dtype") and bool(value == default))


def _argument(op: Any, index: int) -> str:
    arguments = op.arguments
    return arguments[index] if index < len(arguments) else f"{arguments[-1]}{index}"


def _places(path: Any) -> tuple[Place, ...]:
    """The modules of a path; one that is gone keeps its name."""
    found = []
    for label in module_scope.labels(path):
        module: Any = label.module()
        if module is None:
            found.append(Place(label.name, ""))
        else:
            found.append(Place(label.name, type(module).__name__, _sizes(module.extra_repr())))
    return tuple(found)


def _sizes(description: str) -> str:
    """The sizes in a module's description, without what a picture has no room for.

    >>> _sizes("in_features=2, out_features=5, bias=True"), _sizes("1, 8, kernel_size=(3, 3)"), _sizes("p=0.5")
    ('2, 5', '1, 8', '')
    """
    parts = re.split(r", (?![^(]*\))", description)
    sizes = [part.removeprefix("in_features=").removeprefix("out_features=") for part in parts]
    return ", ".join(size for size in sizes if "=" not in size)


def _copy(array: Any) -> np.ndarray:
    return np.array(array)

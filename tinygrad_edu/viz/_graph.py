"""The graph model: what pictures, stepper and report show, as plain data read from tensors and from a recording.

There is one reader. Without a recording it follows the engine's steps; a tape adds to them, step by step, what it has seen.

Reading changes nothing. What was not kept is None, never 0: a picture then says that it was not kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._core.modes import module_scope
from .._errors import cut_off

if TYPE_CHECKING:
    from .. import nn
    from .._tensor import Tensor
    from ._record import Tape

__all__ = ["Diagram", "Edge", "Given", "Kind", "Place", "Ran", "Saved", "Source", "Vertex", "called", "read"]


SPOKEN = {  # the names of ops that are the engine's own, and what PyTorch's users call them
    "adaptive_max_indices": "adaptive_max_pool", "attention": "scaled_dot_product_attention", "average": "mean",
    "batch_norm_fixed": "batch_norm", "spread": "max_unpool",
    "clamp_between": "clamp", "clamp_high": "clamp", "clamp_low": "clamp", "collect": "adaptive_max_pool",
    "contract": "einsum", "cummax_index": "cummax", "cummin_index": "cummin", "diagonal_place": "diag_embed",
    "div_floor": "div", "div_trunc": "div", "eigenvalues": "eigvalsh", "eigenvectors": "eigh", "exponential": "pow",
    "fill_by": "fill_", "fmod_by": "fmod", "gelu_tanh": "gelu", "kth_index": "kthvalue", "largest": "max", "lay": "as_strided",
    "lerp_by": "lerp", "logabsdet": "slogdet", "masked_fill_by": "masked_fill", "max_indices": "max_pool",
    "median_index": "median", "minus_log_sigmoid": "logsigmoid", "mode_index": "mode", "power": "pow", "product": "prod",
    "put": "index_put", "put_add": "index_put", "qr_q": "qr", "qr_r": "qr", "remainder_by": "remainder",
    "repeat_each": "repeat_interleave", "rotate": "rot90", "round_decimals": "round", "rows_mm": "matmul", "rows_mv": "matmul",
    "safe_softmax": "softmax", "shift": "roll", "sign_of_det": "slogdet", "smallest": "min", "solve_vector": "solve",
    "splice": "write into a view", "sum_copies": "sum", "sum_to": "sum", "svd_s": "svd", "svd_u": "svd", "svd_v": "svd",
    "swap": "transpose", "top_index": "topk", "total": "sum", "vecmat": "matmul",
}  # fmt: skip  # a table reads better in rows
BY_STEP = {"normalize", "pick"}  # one op for several of PyTorch's, which the name of the step tells apart


def called(op: Any) -> str:
    """The name of an op as users know it.

    Examples
    --------
    >>> from tinygrad_edu._ops.reduce import total
    >>> called(total)
    'sum'
    """
    if op.name in BY_STEP:  # NativeBatchNormBackward0 -> batch_norm
        step = re.sub(r"^Native|Backward\d*$", "", op.node_name)
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", step).lower()
    return SPOKEN.get(op.name, str(op.name))


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
    name: str  # of the op as users call it (sum) or of the tensor (fc1.weight)
    shape: tuple[int, ...]
    dtype: str | None  # None where only the shape is known
    step: str | None = None  # torch's name of the recorded step, such as MulBackward0
    value: np.ndarray | None = None
    grad: np.ndarray | None = None
    settings: dict[str, Any] = field(default_factory=dict)  # those that differ from the op's defaults
    places: tuple[Place, ...] = ()
    source: Source | None = None
    cut: str | None = None
    version: int = 0  # how often the tensor was written in place before; not counted for leaves, which optimizers write
    saved: tuple[Saved, ...] = ()
    error: str | None = None
    maker: Any = field(default=None, repr=False)  # the engine's Node or Leaf, for who replays its steps
    op: Any = field(default=None, repr=False)  # the op itself, for who shows its formulas


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


@dataclass(eq=False, slots=True)
class Given:
    """A tensor that no op made, as it was when an op used it: a leaf, data, a number, or what detach() gave."""

    name: str
    value: np.ndarray | None
    dtype: str | None
    shape: tuple[int, ...]
    leaf: Any = None  # the engine's Leaf where a gradient comes to rest, if one does
    cut: str | None = None
    version: int = 0
    source: Source | None = None
    origins: tuple[Any, ...] = field(default=(), repr=False)  # what it was cut off from or written by: Ran, Given, Node
    tensor: Any = None  # a weak reference, or None for a number
    age: float = 0  # by the engine's clock, as in Node.seq


@dataclass(eq=False, slots=True)
class Ran:
    """An op as it ran, or tried to."""

    op: Any
    origins: tuple[
        Any, ...
    ]  # of each argument: a Ran, a Given, or the engine's Node or Leaf where nothing was recorded
    settings: dict[str, Any]
    age: float  # by the engine's clock
    value: np.ndarray | None = None
    dtype: str | None = None
    shape: tuple[int, ...] = ()
    node: Any = None  # the step that the engine recorded, if it did
    saved: tuple[Saved, ...] = ()
    places: tuple[Place, ...] = ()
    source: Source | None = None
    cut: str | None = None
    version: int = 0
    error: str | None = None


def read(
    output: Tensor | None,
    *,
    model: nn.Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    tape: Tape | None = None,
) -> Diagram:
    """Read the graph behind ``output`` from its recorded steps, and from what a ``tape`` has seen of them.

    Structure, shapes, settings, modules and the gradients of leaves are there even after ``backward()``; values only where a leaf
    holds them or an op still keeps them. With a tape there is everything that ran inside its block and led to ``output``:
    values, gradients, lines, data and ops without gradients too; without ``output``, what led to the tape's last ``backward()``,
    or to the op that raised.

    Raises
    ------
    ValueError
        If ``output`` has no graph and is not on the tape, or nothing is on the tape.
    """
    roots = _roots(output, tape)
    known = ({} if tape is None else _names(None, tape.names)) | _names(model, names)
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    ids: dict[int, str] = {}
    for thing, origins in _oldest_first(roots, tape):
        vertex = _vertex(f"n{len(vertices)}", thing, known)
        for number, origin in enumerate(origins):
            if origin is not None:
                flows = _flows(thing, number)
                edges.append(Edge(ids[id(origin)], vertex.id, number, _argument(thing, number), flows))
        ids[id(thing)] = vertex.id
        vertices.append(vertex)
    last = next(vertex for vertex in vertices if vertex.id == ids[id(roots[0])])
    if output is not None and last.kind is Kind.OP and last.value is None:
        last.value, last.dtype = _copy(output._array), str(output._array.dtype)
    if tape is not None:
        _gradients(vertices, tape.gradients(last.maker))
    if output is not None and last.grad is None and output.retains_grad and output.grad is not None:
        last.grad = _copy(output.grad._array)
    return Diagram(vertices, edges, last.id)


def _roots(output: Tensor | None, tape: Tape | None) -> list[Any]:
    """What to begin with, the result first."""
    if output is None:
        roots = tape.ends() if tape is not None else []
        if not roots:
            raise ValueError("there is no graph to draw: no operation ran inside viz.record()")
        return roots
    root = tape.origin(output) if tape is not None else output._current_node
    if root is None:
        raise ValueError(f"there is no graph to draw: {cut_off(output)}")
    return [root]


def _oldest_first(roots: list[Any], tape: Tape | None) -> list[tuple[Any, tuple[Any, ...]]]:
    """Everything that feeds ``roots``, by age, each with what its arguments are."""
    found: dict[int, tuple[Any, tuple[Any, ...]]] = {}
    waiting = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) not in found:
            origins = _origins(thing, tape)
            found[id(thing)] = thing, origins
            waiting += [origin for origin in origins if origin is not None]
    return sorted(found.values(), key=lambda pair: _age(pair[0]))


def _origins(thing: Any, tape: Tape | None) -> tuple[Any, ...]:
    """What the arguments of ``thing`` are, None for one that is not shown."""
    if isinstance(thing, Given | Ran):
        return thing.origins
    edges = thing.edges if tape is None else [None if edge is None else tape.known(edge) for edge in thing.edges]
    return tuple([_kept(thing, number) if edge is None else edge for number, edge in enumerate(edges)])


def _kept(node: Any, number: int) -> Given | None:
    """The argument of a step that wants no gradient, if the step still keeps it."""
    if not node.saved or len(node.saved) <= 1 + number or not hasattr(node.saved[1 + number], "dtype"):
        return None
    array = node.saved[1 + number]
    age = node.seq - 1 + (number + 1) / (len(node.edges) + 1)  # right before the step
    return Given("data", _copy(array), str(array.dtype), tuple(array.shape), age=age)


def _age(thing: Any) -> float:
    if isinstance(thing, Given):
        return thing.age
    if isinstance(thing, Ran):
        return thing.age if thing.node is None else float(thing.node.seq)
    return float(thing.seq)


def _flows(thing: Any, number: int) -> bool:
    """Does a gradient come back from ``thing`` to its argument ``number``?"""
    node = None if isinstance(thing, Given) else thing.node if isinstance(thing, Ran) else thing
    return node is not None and number < len(node.edges) and node.edges[number] is not None


def _gradients(vertices: list[Vertex], gradients: Mapping[int, np.ndarray]) -> None:
    """Give each vertex the gradient that a recorded walk brought to it."""
    for vertex in vertices:
        if vertex.maker is not None and id(vertex.maker) in gradients:
            vertex.grad = gradients[id(vertex.maker)]


def _vertex(name: str, thing: Any, known: Mapping[int, str]) -> Vertex:
    if isinstance(thing, Given):
        return _given(name, thing, known)
    if isinstance(thing, Ran):
        return _ran(name, thing)
    return _leaf(name, thing, known) if thing.op is None else _step(name, thing)


def _given(name: str, given: Given, known: Mapping[int, str]) -> Vertex:
    tensor = given.tensor() if given.tensor is not None else None
    grad = getattr(tensor, "_gradient", None) if given.leaf is not None else None
    return Vertex(
        name,
        Kind.DATA if given.leaf is None else Kind.PARAMETER,
        known.get(id(tensor), given.name) if tensor is not None else given.name,
        given.shape,
        given.dtype,
        value=given.value,
        grad=None if grad is None else _copy(grad._array),
        source=given.source,
        cut=given.cut,
        version=given.version,
        maker=given.leaf,
    )


def _ran(name: str, ran: Ran) -> Vertex:
    return Vertex(
        name,
        Kind.OP,
        called(ran.op),
        ran.shape,
        ran.dtype,
        step=None if ran.node is None else ran.node.name(),
        value=ran.value,
        settings=unusual(ran.op, ran.settings),
        places=ran.places,
        source=ran.source,
        cut=ran.cut,
        version=ran.version,
        saved=ran.saved,
        error=ran.error,
        maker=ran.node,
        op=ran.op,
    )


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
        maker=leaf,
    )


def _step(name: str, node: Any) -> Vertex:
    op = node.op
    value = next((array for what, array in (op.kept_by(node) if node.saved else ()) if what == "the result"), None)
    first = 1 + len(op.arguments)
    return Vertex(
        name,
        Kind.OP,
        called(op),
        tuple(node.shape),
        None if value is None else str(value.dtype),
        step=node.name(),
        value=None if value is None else _copy(value),
        settings=unusual(op, dict(zip(op.settings, (node.saved or ())[first:], strict=False))),
        places=places(node.where),
        saved=saved_by(node),
        maker=node,
        op=op,
    )


def saved_by(node: Any) -> tuple[Saved, ...]:
    """The arrays that a step keeps for its backward."""
    kept = node.op.kept_by(node) if node.saved else []
    return tuple([Saved("out" if w == "the result" else w, tuple(a.shape), str(a.dtype), a.nbytes) for w, a in kept])


def unusual(op: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that differ from the op's defaults; its notes for the backward are none of them."""
    defaults = op.settings
    return {n: v for n, v in settings.items() if n != "memo" and not (n in defaults and _same(v, defaults[n]))}


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and not hasattr(value, "dtype") and bool(value == default))


def _argument(thing: Any, number: int) -> str:
    if isinstance(thing, Given):
        return thing.name
    arguments = thing.op.arguments
    return arguments[number] if number < len(arguments) else f"{arguments[-1]}{number}" if arguments else str(number)


def places(path: Any) -> tuple[Place, ...]:
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

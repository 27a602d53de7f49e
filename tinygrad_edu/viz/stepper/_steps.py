"""The steps of a program one by one, forward in the order they ran, backward in the engine's own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ..._core.engine import newest_first, steps
from ..._core.memory import memory, owner
from ..._core.modes import no_grad, state
from ..._core.op import Pour
from .._graph import Diagram, Edge, Vertex

if TYPE_CHECKING:
    from ..._tensor import Tensor

__all__ = ["Contribution", "Step"]

Walk: TypeAlias = Iterable[
    tuple[Any, Any, Sequence[Any]]
]  # (node, gradient of its result, shares), as the engine yields


class Contribution(NamedTuple):
    """What a backward step hands to one of its arguments."""

    edge: Edge
    share: np.ndarray  # in the argument's shape: what broadcasting repeated has been summed
    summed: tuple[int, ...]  # the axes of the result that were summed for it
    before: np.ndarray | None  # what other steps had handed there before
    after: np.ndarray  # before + share


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: forward its result, backward the gradient that arrived at it and what it hands on."""

    number: int
    phase: Literal["forward", "backward"]
    vertex: Vertex
    value: np.ndarray | None  # the result, or the gradient of the result; None where it was not kept
    contributions: tuple[Contribution, ...] = ()


def forward_steps(diagram: Diagram) -> list[Step]:
    """The ops of ``diagram`` in order of creation."""
    return [Step(number, "forward", vertex, vertex.value) for number, vertex in enumerate(diagram.ops(), 1)]


def backward_steps(diagram: Diagram, walk: Walk, first: int) -> list[Step]:
    """What the engine's ``walk`` did, numbered from ``first``: at each step what arrived and what was added where."""
    found: list[Step] = []
    held: dict[Any, np.ndarray] = {}
    for node, g, shares in walk:
        vertex = diagram.made_by(node)
        contributions = []
        edges = {edge.number: edge for edge in diagram.into(vertex.id)} if vertex is not None else {}
        for index, share in _handed_on(node, g, shares):
            target = node.edges[index]
            before = held.get(target)
            after = share if before is None else _added(before, share, node, g)
            held[target] = after
            if index in edges:
                summed = _summed_axes(node.op, node.shape, target.shape, index)
                contributions.append(Contribution(edges[index], share, summed, before, after))
        if vertex is not None:
            value = np.array(g) if getattr(g, "dtype", np.dtype(object)).kind != "O" else None
            found.append(Step(first + len(found), "backward", vertex, value, tuple(contributions)))
    return found


def structure_of_backward(diagram: Diagram, first: int) -> list[Step]:
    """The backward steps of a graph that was freed: their order, and the gradients that rest in leaves."""
    backwards = [vertex for vertex in reversed(diagram.vertices) if vertex.maker is not None]
    backwards.sort(key=lambda vertex: vertex.maker.seq, reverse=True)
    return [Step(first + i, "backward", vertex, vertex.grad) for i, vertex in enumerate(backwards)]


def walk_of(output: Tensor) -> Walk | None:
    """Let the engine walk the graph behind ``output`` and list its steps; None if ``backward()`` has freed the graph.

    No leaf accumulates and the graph stays as it was. Hooks run, for they may replace gradients.

    Raises
    ------
    RuntimeError
        If ``output`` has more than one element: a backward pass begins at one number.
    """
    root: Any = output._current_node
    if root is None:  # a recording of what ran without gradients
        return ()
    if output.numel() != 1:
        raise RuntimeError(
            f"grad can be implicitly created only for scalar outputs: a backward pass begins at one number, and this tensor has shape "
            f"{tuple(output.shape)}; step through its sum() or mean(), or through one of its elements"
        )
    order = newest_first([root])
    if any(node.saved is None for node in order):
        return None
    leaves = {node: None for node in order if node.op is None}
    found: list[tuple[Any, Any, Sequence[Any]]] = []
    with no_grad(), _looking_on(order):
        for node, g, shares in steps({root: np.ones_like(output._array)}, retain_graph=True, catch=leaves):
            found.append((node, g, shares))
    return found


def fill_in(diagram: Diagram) -> None:
    """Give the vertices the values that later steps still keep of them, and take away those written over since."""
    for vertex in diagram.ops():
        node = vertex.maker
        for edge in diagram.into(vertex.id) if node is not None else ():
            source = diagram[edge.source]
            kept: Any = node.saved[1 + edge.number] if node.saved and 1 + edge.number < len(node.saved) else None
            if not edge.flows:
                continue
            if (
                source.value is None
                and hasattr(kept, "dtype")
                and kept.shape == source.shape
                and not _written(kept, node)
            ):
                source.value, source.dtype = np.array(kept), str(kept.dtype)
            elif source.maker is not None and source.maker.op is None:
                leaf = source.maker.tensor()
                if leaf is not None and _written(leaf._array, node):
                    source.value = None


def _written(array: Any, node: Any) -> bool:
    """Was the memory of ``array`` written after ``node`` ran?"""
    entry = memory.written.get(id(owner(array)))
    return entry is not None and entry.recent[-1] > node.seq


def _handed_on(node: Any, g: Any, shares: Sequence[Any]) -> Iterator[tuple[int, np.ndarray]]:
    """The number of the argument that each share went to, and the share in that argument's shape."""
    for index, share in enumerate(shares):
        if not hasattr(share, "dtype"):  # none, or the gradients of several results in one piece
            continue
        if (
            share.shape != node.edges[index].shape
        ):  # an op that pours hands on g, which belongs to a part of its argument
            share = node.op.rules[index](g, node.saved)
        yield index, np.array(share)


def _added(before: np.ndarray, share: np.ndarray, node: Any, g: Any) -> np.ndarray:
    """``before + share``, by the very additions that the engine did: what is poured is added element by element."""
    poured = node.op.pulls[0](g, node.saved) if node.op.pulls is not node.op.rules and node.op.pulls[0] else None
    if not isinstance(poured, Pour):
        return np.asarray(before + share)
    after = np.array(before)
    poured.add_into(after)
    return after


CORE = {
    "matmul",
    "solve",
    "solve_triangular",
    "cholesky_solve",
    "lstsq",
}  # the last two axes are theirs, the others broadcast


def _summed_axes(op: Any, result: Sequence[int], argument: Sequence[int], index: int) -> tuple[int, ...]:
    """The axes of ``result`` along which broadcasting repeated the argument, so that its gradient is a sum over them.

    >>> from tinygrad_edu._ops.elementwise import add
    >>> _summed_axes(add, (5, 4), (4,), 1)
    (0,)
    """
    if not op.broadcasts or op.name in ("put", "put_add") or (len(op.arguments) == 3 and index > 0):  # addmm's factors
        return ()
    lead = len(result) - len(argument)
    stop = len(result) - 2 if op.name in CORE else len(result)
    return tuple(axis for axis in range(stop) if axis < lead or (argument[axis - lead] == 1 and result[axis] != 1))


@contextmanager
def _looking_on(order: Iterable[Any]) -> Iterator[None]:
    """Keep the engine from adding into shares, and ``retain_grad`` from writing the gradients of this pass into tensors."""
    retaining = [(node, node.hooks) for node in order if node.hooks is not None and "retain" in node.hooks]
    outside, state.watch = state.watch, lambda node, g, shares: None
    for node, hooks in retaining:
        node.hooks = {key: hook for key, hook in hooks.items() if key != "retain"}
    try:
        yield
    finally:
        state.watch = outside
        for node, hooks in retaining:
            node.hooks = hooks

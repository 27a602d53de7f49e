"""A small graph number by number, as micrograd draws it: a record for each number, a circle for each operation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..._ops import activation, elementwise
from .._graph import Diagram, Kind, Vertex
from ._colours import Role
from ._picture import missing_arguments
from ._scene import Arrow, Box, Scene
from ._values import clean

__all__ = ["MOST", "scalar_scene"]

MOST = 60  # numbers in a picture
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-", "relu": "ReLU", "matmul": "@"}


def scalar_scene(diagram: Diagram, names: Mapping[str, str]) -> Scene:
    """Take the graph apart into numbers; which of them an operation used is found by trying it.

    Raises
    ------
    ValueError
        If there are more than 60 numbers, or an operation cannot be tried since its settings were not kept.
    """
    numbers = sum(_size(vertex) for vertex in diagram.vertices)
    if numbers > MOST:
        raise ValueError(
            f"the scalar view draws up to {MOST} numbers, and this graph has {numbers}. Take smaller tensors, or draw(..., mode='tensor')"
        )
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    missing = False
    for vertex in diagram.vertices:
        sources = _sources(diagram, vertex) if vertex.kind is Kind.OP else []
        for element in range(_size(vertex)):
            record = _record(diagram, vertex, element, names)
            missing = missing or any(cell.endswith("not kept") for cell in record.lines)
            for edge in diagram.into(vertex.id) if vertex.kind is Kind.DATA else ():  # what detach() gave
                if _size(diagram[edge.source]) == _size(vertex):
                    arrows.append(Arrow(_end(diagram[edge.source], element), record.id, "argument", (edge.argument,)))
            if vertex.kind is Kind.OP:
                op = _part(vertex, element)
                symbol = [
                    _symbol(vertex),
                    *(f"{a}: not kept" for a in missing_arguments(diagram, vertex)),
                ]
                boxes.append(Box(op, "op", tuple(symbol), (vertex.id,), round=True))
                arrows += [Arrow(source, op, "argument") for source in sources[element]]
                arrows.append(Arrow(op, record.id, "result"))
            boxes.append(record)
    notes = ("What was not kept is there inside viz.record().",) if missing else ()
    return Scene("Graph of a result, number by number", tuple(boxes), tuple(arrows), (), notes)


def _size(vertex: Vertex) -> int:
    return int(np.prod(vertex.shape, dtype=int))


def _part(vertex: Vertex, element: int) -> str:
    return vertex.id if _size(vertex) == 1 else f"{vertex.id}_{element}"


def _symbol(vertex: Vertex) -> str:
    if vertex.op.name == "power" and "exponent" in vertex.settings:
        return clean(f"**{vertex.settings['exponent']}")
    return SYMBOLS.get(vertex.name, vertex.name)


def _end(vertex: Vertex, element: int) -> str:
    """The box that a number is read from."""
    return _part(vertex, element) + ("_out" if vertex.kind is Kind.OP else "")


def _record(diagram: Diagram, vertex: Vertex, element: int, names: Mapping[str, str]) -> Box:
    """The box of a number: its name if it has one, the number, its gradient."""
    is_op = vertex.kind is Kind.OP
    last = vertex.id == diagram.output
    name = names.get(vertex.id, "output" if last else "") if is_op else vertex.name
    if name and vertex.shape:
        place = np.unravel_index(element, vertex.shape)
        name = f"{name}[{', '.join(str(int(axis)) for axis in place)}]"
    cells = [clean(name)] if name else []
    cells.append(f"data {_number(vertex.value, element)}" if vertex.value is not None else "data not kept")
    if vertex.grad is not None:
        cells.append(f"grad {_number(vertex.grad, element)}")
    elif vertex.kind is Kind.PARAMETER:
        cells.append("grad not computed")
    elif is_op:
        cells.append("grad not kept")
    role: Role = (
        "output" if last and is_op else "tensor" if is_op else "parameter" if vertex.kind is Kind.PARAMETER else "data"
    )
    return Box(_end(vertex, element), role, tuple(cells), () if is_op else (vertex.id,), cells=True)


def _number(array: np.ndarray, element: int) -> str:
    """Four decimals as in micrograd; four digits where that would hide a small number.

    >>> _number(np.array([24.70408163]), 0), _number(np.array([1e-7]), 0)
    ('24.7041', '1e-07')
    """
    x = array.reshape(-1)[element]
    return f"{x:.4f}" if x == 0 or not abs(x) < 0.001 else f"{x:.4g}"


def _sources(diagram: Diagram, vertex: Vertex) -> list[list[str]]:
    """For each number of a result the boxes of those it was computed from, in the order of the arguments."""
    edges = diagram.into(vertex.id)
    found: list[list[str]] = [[] for _ in range(_size(vertex))]
    for edge in edges:
        source = diagram[edge.source]
        ends = [_end(source, element) for element in range(_size(source))]
        for inputs, used in zip(found, _used(diagram, vertex, source, edge.number), strict=True):
            inputs += [ends[element] for element in used]
    return found


def _used(diagram: Diagram, vertex: Vertex, source: Vertex, argument: int) -> list[list[int]]:
    """For each number of the result, which numbers of one argument it depends on."""
    size = _size(source)
    if size == 1:
        return [[0]] * _size(vertex)
    op = getattr(elementwise, vertex.op.name, None) or getattr(activation, vertex.op.name, None)
    if op is not None and (op.broadcasts or source.shape == vertex.shape):
        places = np.broadcast_to(np.arange(size).reshape(source.shape), vertex.shape)
        return [[int(place)] for place in places.reshape(-1)]
    found: list[list[int]] = [[] for _ in range(_size(vertex))]
    for element in range(size):
        for place in np.flatnonzero(np.isnan(_tried(diagram, vertex, argument, element))):
            found[place].append(element)
    return found


def _tried(diagram: Diagram, vertex: Vertex, argument: int, element: int) -> np.ndarray:
    """The result when one number of an argument is NaN: what depends on it becomes NaN, too."""
    arrays = {edge.number: np.full(diagram[edge.source].shape, 0.5) for edge in diagram.into(vertex.id)}
    arrays[argument].reshape(-1)[element] = np.nan
    op = vertex.maker.op if vertex.maker is not None else None
    if op is not None and not _settings_are_gone(vertex):
        given = [arrays.get(number) for number in range(max(arrays) + 1)]
        try:
            with np.errstate(all="ignore"):
                out = np.asarray(op.forward(*given, **vertex.settings))
        except (TypeError, ValueError, IndexError, AttributeError):  # an argument that is not in the graph was needed
            out = np.empty(0)
        if out.shape == vertex.shape:
            return out.reshape(-1)
    raise ValueError(
        f"the scalar view cannot tell which numbers {vertex.name} used: its settings were not kept. Draw before backward(), or run inside "
        "viz.record()"
    )


def _settings_are_gone(vertex: Vertex) -> bool:
    """Has backward() let go of the settings, with no recording that knows them?"""
    return bool(vertex.maker.op.settings) and not vertex.settings and not vertex.maker.saved and vertex.source is None

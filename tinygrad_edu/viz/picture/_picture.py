"""From the graph to a picture without places: which boxes, with which lines of text, and which arrows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from textwrap import wrap
from typing import Literal, NamedTuple

import numpy as np

from ..._ops import elementwise
from .._formulas import textbook
from .._graph import Diagram, Edge, Kind, Vertex
from ._colours import Role
from ._fold import Call, Fold, calls_of, chains, folds, outside_inputs
from ._scene import Arrow, ArrowKind, Box, Cluster, Scene
from ._values import LONGEST, clean, number, settings, shape_of, summary_of, unusual

__all__ = ["NOT_KEPT", "View", "missing_arguments", "scene_of"]

View = Literal["forward", "backward", "both"]

FEW = 60  # vertices: up to here values are shown unless asked otherwise
NOT_KEPT = "not kept: run inside viz.record()"
ORDERLESS = {"add", "mul", "maximum", "minimum", "fmax", "fmin", "logaddexp", "hypot", "cat", "stack"}
BIASED = {"linear", "addmm", "addmv", "baddbmm"}  # ops that add an argument b to each row


class Shown(NamedTuple):
    """What is asked for."""

    view: View
    values: bool
    tensors: bool  # a box of its own for each result
    said_missing: bool  # tell where a value was not kept
    saved: bool
    longest_setting: int  # characters; 0 for no settings


def scene_of(
    diagram: Diagram,
    *,
    names: Mapping[str, str],
    view: View,
    values: Literal["auto"] | bool,
    saved: bool,
    depth: int,
    collapse_repeated: bool,
    max_nodes: int,
    longest_setting: int = 40,
) -> Scene:
    """Choose boxes and arrows for ``diagram``; ``names`` are those of results, by the id of their vertex.

    Raises
    ------
    ValueError
        If there are more than ``max_nodes`` boxes even when all is folded that can be.
    """
    few = len(diagram) <= FEW
    kept = all(op.value is not None for op in diagram.ops())
    shown = Shown(
        view,
        values=values is True or (values == "auto" and few),
        tensors=values is True or (values == "auto" and few and kept),
        said_missing=values is True,
        saved=saved,
        longest_setting=longest_setting,
    )
    program, home = calls_of(diagram)
    deepest = max((len(vertex.places) for vertex in diagram.vertices), default=0)
    for allowed in range(min(depth, deepest), -1, -1):
        found = folds(diagram, program, allowed, collapse_repeated)
        scene = _draw(diagram, names, shown, found, home, program)
        if len(scene.boxes) <= max_nodes:
            return scene._replace(notes=_notes(found, allowed, min(depth, deepest), max_nodes))
    taken = {member for fold in found for member in fold.members}
    links = chains(diagram, taken, program, home)
    scene = _draw(diagram, names, shown, found + links, home, program)
    if len(scene.boxes) > max_nodes:
        raise ValueError(
            f"the picture would have {len(scene.boxes)} boxes, more than max_nodes={max_nodes}, with all folded that can be. Draw a part of "
            f"the program, or ask for more: draw(..., max_nodes={len(scene.boxes)})"
        )
    return scene._replace(
        notes=(
            *_notes(found, 0, min(depth, deepest), max_nodes),
            f"Chains of operations are folded: more than {max_nodes} boxes.",
        )
    )


def _notes(found: list[Fold], allowed: int, wanted: int, max_nodes: int) -> tuple[str, ...]:
    """What was folded, in sentences."""
    if not found:
        return ()
    notes = [f"{len(found)} box{'es' * (len(found) != 1)} stand{'s' * (len(found) == 1)} for folded modules."]
    if allowed < wanted:
        notes.append(f"Modules deeper than {allowed} are folded: more than {max_nodes} boxes.")
    return tuple(notes)


def _draw(
    diagram: Diagram, names: Mapping[str, str], shown: Shown, found: list[Fold], home: dict[str, Call], program: Call
) -> Scene:
    fold_of = {member: fold for fold in found for member in fold.members}
    around = _surroundings(diagram, fold_of, home, program)
    boxes: list[Box] = []
    arrows: list[Arrow] = []
    end_of: dict[str, str] = {}  # the box that a vertex's result leaves from
    drawn: set[str] = set()
    for vertex in diagram.vertices:
        fold = fold_of.get(vertex.id)
        if fold is not None:
            end_of[vertex.id] = fold.id
            if fold.id not in drawn and vertex.kind is Kind.OP:  # not at its parameters, which are older
                drawn.add(fold.id)
                boxes.append(_folded(diagram, fold))
        elif vertex.kind is Kind.DATA and shown.view == "backward":
            continue
        else:
            cluster = around[vertex.id].id
            separate = _has_result(diagram, vertex, shown, names)
            is_op = vertex.kind is Kind.OP
            boxes.append(
                _op(diagram, vertex, shown, cluster, separate) if is_op else _leaf(diagram, vertex, shown, cluster)
            )
            end_of[vertex.id] = vertex.id
            if separate:
                boxes.append(_result(diagram, vertex, shown, names, cluster))
                end_of[vertex.id] = boxes[-1].id
                arrows += _arrows(vertex.id, boxes[-1].id, shown.view, _flows_back(diagram, vertex), result=True)
    pairs: set[tuple[str, str, str]] = set()
    for edge in diagram.edges:
        if edge.source not in end_of or edge.target not in end_of:
            continue
        source = end_of[edge.source]
        target = fold_of[edge.target].id if edge.target in fold_of else edge.target
        if source == target:
            continue
        if edge.source in fold_of or edge.target in fold_of:  # one arrow for a tensor, however often it is used inside
            if (edge.source, source, target) in pairs:
                continue
            pairs.add((edge.source, source, target))
            label: tuple[str, ...] = ()
        else:
            label = _label(diagram, edge)
        arrows += _arrows(source, target, shown.view, edge.flows, label=label, gradient=_norm(diagram, edge, shown))
    output = diagram[diagram.output]
    if output.id in fold_of:
        boxes.append(_result(diagram, output, shown, names, None))
        arrows += _arrows(fold_of[output.id].id, boxes[-1].id, shown.view, _flows_back(diagram, output), result=True)
    if shown.saved:
        _add_saved(diagram, fold_of, end_of, boxes, arrows)
    title = f"Graph of {clean(names[output.id])}" if output.id in names else "Graph of a result"
    return Scene(title, *_with_clusters(boxes, arrows, home, program), ())


def _surroundings(diagram: Diagram, fold_of: dict[str, Fold], home: dict[str, Call], program: Call) -> dict[str, Call]:
    """The call that each vertex is drawn in, and the folds of leaves that only they use: a leaf belongs to its users."""
    around = {op: fold_of[op].around if op in fold_of else call for op, call in home.items()}
    outside = outside_inputs(diagram)
    for vertex in diagram.vertices:
        if vertex.kind is Kind.OP:
            continue
        made_from = diagram.into(vertex.id)
        if made_from:  # what detach() gave stands where it was cut off
            around[vertex.id] = around[made_from[-1].source]
            if made_from[-1].source in fold_of:
                fold_of[vertex.id] = fold_of[made_from[-1].source]
            continue
        users = {edge.target for edge in diagram.out_of(vertex.id) if diagram[edge.target].kind is Kind.OP}
        if vertex.id in outside or not users:
            around[vertex.id] = program
            continue
        used_in = {fold_of.get(user) for user in users}
        fold = used_in.pop()
        if fold is not None and not used_in:
            fold_of[vertex.id] = fold
            around[vertex.id] = fold.around
            continue
        common = around[next(iter(users))].chain()
        for user in users:
            others = around[user].chain()
            common = [a for a, b in zip(common, others, strict=False) if a is b]
        around[vertex.id] = common[-1]
    return around


def _flows_back(diagram: Diagram, vertex: Vertex) -> bool:
    """Does a gradient go from an op to any of its arguments?"""
    return any(edge.flows for edge in diagram.into(vertex.id))


def _arrows(
    source: str,
    target: str,
    view: View,
    flows: bool,
    *,
    result: bool = False,
    label: tuple[str, ...] = (),
    gradient: tuple[str, ...] = (),
) -> list[Arrow]:
    kind: ArrowKind = "result" if result else "argument"
    found = []
    if view != "backward":
        found.append(Arrow(source, target, kind, label))
    if view != "forward" and flows:
        found.append(Arrow(source, target, "gradient", gradient))
    return found


def _leaf(diagram: Diagram, vertex: Vertex, shown: Shown, cluster: str) -> Box:
    lines = [clean(vertex.name), shape_of(vertex.shape, vertex.dtype)]
    if vertex.kind is Kind.DATA and vertex.version:  # a parameter is written by each step of an optimizer: no news
        lines += _version(vertex)
    lines += _stopped(vertex) + _contents(vertex, shown, diagram)
    role: Role = "parameter" if vertex.kind is Kind.PARAMETER else "data"
    return _judged(Box(vertex.id, role, tuple(lines), (vertex.id,), cluster, _hint(vertex)), vertex)


def _op(diagram: Diagram, vertex: Vertex, shown: Shown, cluster: str, separate: bool) -> Box:
    name = (vertex.step or vertex.name) if shown.view == "backward" else vertex.name
    formula, _ = textbook(vertex)
    lines = [clean(name), *([formula] if formula and shown.view != "backward" else [])]
    if shown.longest_setting:
        lines += settings(vertex.settings, shown.longest_setting)[:3]
    lines += [f"{argument}: constant, not kept" for argument in missing_arguments(diagram, vertex)]
    if not separate and vertex.error is None:
        lines.append(shape_of(vertex.shape, None))
        lines += _version(vertex) + _stopped(vertex) + _meeting(diagram, vertex, shown)
    box = Box(vertex.id, "op", tuple(lines), (vertex.id,), cluster, _hint(vertex), round=True)
    if vertex.error is not None:
        return _failing(box, vertex.error)
    return box if separate else _judged(box, vertex)


def _has_result(diagram: Diagram, vertex: Vertex, shown: Shown, names: Mapping[str, str]) -> bool:
    """Does the result have a box of its own?"""
    wanted = shown.tensors or vertex.id in names or vertex.id == diagram.output
    return wanted and vertex.kind is Kind.OP and vertex.error is None


def _result(diagram: Diagram, vertex: Vertex, shown: Shown, names: Mapping[str, str], cluster: str | None) -> Box:
    """The box of an op's result; the whole picture's result stands outside of all modules."""
    last = vertex.id == diagram.output
    name = names.get(vertex.id) or ("output" if last else None)
    lines = [clean(name)] if name else []
    lines += [
        shape_of(vertex.shape, vertex.dtype),
        *_version(vertex),
        *_stopped(vertex),
        *_contents(vertex, shown, diagram),
    ]
    role: Role = "output" if last else "tensor"
    return _judged(Box(f"{vertex.id}_out", role, tuple(lines), (), None if last else cluster, _hint(vertex)), vertex)


def missing_arguments(diagram: Diagram, vertex: Vertex) -> list[str]:
    """The arguments of an elementwise op that are not in the graph: constants of which nothing was kept."""
    op = getattr(elementwise, vertex.op.name, None)
    if op is None or vertex.maker is None or not op.broadcasts:
        return []
    there = {edge.argument for edge in diagram.into(vertex.id)}
    return [argument for argument in op.arguments if argument not in there]


def _version(vertex: Vertex) -> list[str]:
    return [f"v{vertex.version + 1}: written in place, v1 was before"] if vertex.version else []


def _stopped(vertex: Vertex) -> list[str]:
    return [f"stopped ({clean(vertex.cut)})"] if vertex.cut else []


def _contents(vertex: Vertex, shown: Shown, diagram: Diagram) -> list[str]:
    """Value and gradient as far as they were kept; what was not is said where all values are asked for."""
    if not shown.values:
        return _meeting(diagram, vertex, shown)
    if vertex.value is None:
        missing = [NOT_KEPT] if shown.said_missing else []
        return (
            missing
            + (summary_of(vertex.grad, "grad") if vertex.grad is not None else [])
            + _meeting(diagram, vertex, shown)
        )
    lines = summary_of(vertex.value, "" if vertex.value.ndim else "value")
    if vertex.grad is not None:
        lines += summary_of(vertex.grad, "grad")
    elif vertex.kind is Kind.PARAMETER:
        lines.append("grad not computed")
    elif vertex.kind is Kind.OP and shown.said_missing and _flows_back(diagram, vertex):
        lines.append("grad not computed, or not kept")
    return lines + _meeting(diagram, vertex, shown)


def _meeting(diagram: Diagram, vertex: Vertex, shown: Shown) -> list[str]:
    """Where a tensor is used several times, gradients meet and are added."""
    ways = sum(edge.flows for edge in diagram.out_of(vertex.id))
    seen = shown.view != "forward" or (shown.values and vertex.grad is not None)
    return [f"+ sum of {ways} gradients"] if ways > 1 and seen else []


def _judged(box: Box, vertex: Vertex) -> Box:
    """The box, marked if its numbers are not finite."""
    strange = unusual(vertex.value) or (f"grad {found}" if (found := unusual(vertex.grad)) else None)
    return _failing(box, strange) if strange else box


def _failing(box: Box, why: str) -> Box:
    told = wrap(f"! {clean(why, 300)}", LONGEST, max_lines=4, placeholder=" ...")
    return replace(box, role="failing", lines=(*box.lines, *told), hint=clean(f"{box.hint}  {why}", 500), round=False)


def _folded(diagram: Diagram, fold: Fold) -> Box:
    lines = tuple(clean(line, 60) for line in fold.lines)
    members = tuple(vertex.id for vertex in diagram.vertices if vertex.id in fold.members)
    box = Box(fold.id, "module", lines, members, fold.around.id)
    errors = [diagram[member].error for member in members]
    strange = next((error for error in errors if error), None) or next(
        (found for member in members if (found := unusual(diagram[member].value))), None
    )
    return _failing(box, strange) if strange else box


def _hint(vertex: Vertex) -> str:
    """Where it comes from."""
    words = [vertex.id, vertex.step or "", "/".join(place.name for place in vertex.places)]
    if vertex.source is not None:
        words.append(f"{vertex.source.file}:{vertex.source.line}  {vertex.source.text.strip()}")
    return clean("  ".join(word for word in words if word), 200)


def _label(diagram: Diagram, edge: Edge) -> tuple[str, ...]:
    """The argument's name where the order matters, and what broadcasting did to it."""
    target, source = diagram[edge.target], diagram[edge.source]
    named = target.name not in ORDERLESS and len(diagram.into(edge.target)) > 1
    formula, letters = textbook(target)
    words = [letters.get(edge.argument, clean(edge.argument)) if formula else clean(edge.argument)] if named else []
    if _is_broadcast(target, source, edge):
        words.append(f"{source.shape} -> {target.shape}")
        summed = _summed(source.shape, target.shape)
        where = f"dim {summed[0]}" if len(summed) == 1 else f"dims {', '.join(map(str, summed))}"
        return (" ".join(words), f"grad summed over {where}") if edge.flows else (" ".join(words),)
    return tuple(words)


def _is_broadcast(target: Vertex, source: Vertex, edge: Edge) -> bool:
    if source.shape == target.shape:
        return False
    op = getattr(elementwise, target.name, None)
    if not getattr(op, "broadcasts", False) and not (target.name in BIASED and edge.argument == "b"):
        return False
    try:
        return np.broadcast_shapes(source.shape, target.shape) == target.shape
    except ValueError:
        return False


def _summed(small: tuple[int, ...], large: tuple[int, ...]) -> list[int]:
    """The axes along which ``small`` was repeated.

    >>> _summed((3, 1), (2, 3, 4))
    [0, 2]
    """
    new = len(large) - len(small)
    return [axis for axis, length in enumerate(large) if axis < new or (small[axis - new] == 1 and length != 1)]


def _norm(diagram: Diagram, edge: Edge, shown: Shown) -> tuple[str, ...]:
    """The norm of the gradient that comes this way, where it is known: the only one that the tensor gets."""
    source = diagram[edge.source]
    ways = sum(other.flows for other in diagram.out_of(edge.source))
    if source.grad is None or ways != 1 or not shown.values:
        return ()
    return (f"|grad| {number(float(np.linalg.norm(source.grad.ravel())))}",)


def _add_saved(
    diagram: Diagram, fold_of: dict[str, Fold], end_of: dict[str, str], boxes: list[Box], arrows: list[Arrow]
) -> None:
    """Add a note for each array that an op keeps for its backward, tied to where it comes from."""
    clusters = {box.id: box.cluster for box in boxes}
    for vertex in diagram.ops():
        if vertex.id in fold_of:
            continue
        for place, kept in enumerate(vertex.saved):
            note = f"{vertex.id}_saved{place}"
            lines = (f"saved: {clean(kept.name)}", shape_of(kept.shape, kept.dtype), f"{kept.nbytes:,} bytes")
            boxes.append(Box(note, "saved", lines, (), clusters[vertex.id]))
            sources = [edge.source for edge in diagram.into(vertex.id) if edge.argument == kept.name]
            if kept.name == "out":
                arrows.append(Arrow(vertex.id, note, "saved"))
                continue
            arrows += [Arrow(end_of[source], note, "saved") for source in sources[:1] if source in end_of]
            arrows.append(Arrow(note, vertex.id, "saved"))


def _with_clusters(
    boxes: list[Box], arrows: list[Arrow], home: dict[str, Call], program: Call
) -> tuple[tuple[Box, ...], tuple[Arrow, ...], tuple[Cluster, ...]]:
    """Add the frames that something is drawn in, outermost first."""
    calls = {call.id: call for inner in dict.fromkeys(home.values()) for call in inner.chain()}
    used: dict[str, None] = {}
    for box in boxes:
        if box.cluster is not None:
            used |= dict.fromkeys(call.id for call in calls.get(box.cluster, program).chain()[1:])
    clusters = [
        Cluster(name, clean(calls[name].label(), 60), parent.id if parent.place is not None else None)
        for name in sorted(
            used, key=lambda name: int(name[1:])
        )  # a frame's number is above that of the frame around it
        if (parent := calls[name].parent) is not None
    ]
    placed = (box if box.cluster in used or box.cluster is None else replace(box, cluster=None) for box in boxes)
    return tuple(placed), tuple(arrows), tuple(clusters)

"""Which parts of a graph a picture shows as one box: deep modules, equal blocks in a row, chains of ops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .._graph import Diagram, Kind, Place, Vertex

__all__ = ["Call", "Fold", "calls_of", "chains", "folds", "outside_inputs"]

FEWEST = 3  # equal blocks that become "Block x 3"; two are seen at a glance


@dataclass(eq=False)
class Call:
    """One call of a module: what ran in it, in order. The program itself is the outermost call, without a place."""

    id: str
    place: Place | None = None
    parent: Call | None = None
    number: int = 1  # its first, second ... call in this program
    parts: list[Call | Vertex] = field(default_factory=list)

    def chain(self) -> list[Call]:
        """Give this call and those around it, the program first."""
        found: list[Call] = []
        call: Call | None = self
        while call is not None:
            found.append(call)
            call = call.parent
        return found[::-1]

    def ops(self) -> Iterator[Vertex]:
        """The ops that ran in it, also in the calls inside."""
        for part in self.parts:
            if isinstance(part, Call):
                yield from part.ops()
            else:
                yield part

    def label(self) -> str:
        """Its name, its class and which call it is.

        Examples
        --------
        >>> Call("c1", Place("fc1", "Linear", "2, 5")).label()
        'fc1: Linear(2, 5)'
        """
        assert self.place is not None
        name, module, detail = self.place
        what = f"{module}({detail})" if detail else module
        again = f" (call {self.number})" if self.number > 1 else ""
        return (what if name == module else f"{name}: {what}" if module else name) + again


@dataclass(eq=False)
class Fold:
    """Vertices that are one box, with the words for it; ``around`` is the call that the box stands in."""

    id: str
    lines: tuple[str, ...]
    around: Call
    members: set[str]


def calls_of(diagram: Diagram) -> tuple[Call, dict[str, Call]]:
    """The calls of modules as a tree, and the innermost call of each op.

    Ops of one module that ran in two stretches are two calls: so a call that becomes one box never closes a circle.
    """
    program = Call("c0")
    home: dict[str, Call] = {}
    often: dict[tuple[str, ...], int] = {}
    opened = [program]
    number = 0
    for vertex in diagram.ops():
        places = vertex.places
        same = 0
        while same < min(len(places), len(opened) - 1) and opened[same + 1].place == places[same]:
            same += 1
        del opened[same + 1 :]
        for depth in range(same, len(places)):
            number += 1
            path = tuple(place.name for place in places[: depth + 1])
            often[path] = often.get(path, 0) + 1
            call = Call(f"c{number}", places[depth], opened[-1], often[path])
            opened[-1].parts.append(call)
            opened.append(call)
        opened[-1].parts.append(vertex)
        home[vertex.id] = opened[-1]
    return program, home


def outside_inputs(diagram: Diagram) -> set[str]:
    """The data that come from outside of all modules: the only thing that an op works on besides its parameters."""
    found: set[str] = set()
    for vertex in diagram.ops():
        worked_on = [e.source for e in diagram.into(vertex.id) if diagram[e.source].kind is not Kind.PARAMETER]
        if len(set(worked_on)) == 1 and diagram[worked_on[0]].kind is Kind.DATA:
            found.add(worked_on[0])
    return found


def folds(diagram: Diagram, program: Call, depth: int, collapse_repeated: bool) -> list[Fold]:
    """Fold equal neighbours within a call, and calls that lie deeper than ``depth`` modules."""
    found: list[Fold] = []

    def into(call: Call, level: int) -> None:
        for group in _neighbours(diagram, call, collapse_repeated):
            if len(group) >= FEWEST:
                found.append(_fold(diagram, group, call))
            else:
                for inner in group:
                    if level >= depth:
                        found.append(_fold(diagram, [inner], call))
                    else:
                        into(inner, level + 1)

    into(program, 0)
    return found


def _neighbours(diagram: Diagram, call: Call, collapse_repeated: bool) -> list[list[Call]]:
    """The calls inside, equal ones that follow each other together."""
    groups: list[list[Call]] = []
    before: object = None
    for part in call.parts:
        likeness: object = None
        if isinstance(part, Call):
            likeness = _likeness(diagram, part) if collapse_repeated else None
            if likeness is not None and likeness == before:
                groups[-1].append(part)
            else:
                groups.append([part])
        before = likeness
    return groups


def _likeness(diagram: Diagram, call: Call) -> tuple[object, ...]:
    """What two calls have in common that look the same: classes, ops, shapes and settings, not names and numbers."""
    assert call.place is not None
    return (
        call.place.module,
        *(
            _likeness(diagram, part)
            if isinstance(part, Call)
            else (
                part.name,
                part.shape,
                tuple(source.shape for source in _parameters(diagram, part)),
                tuple((name, repr(value)) for name, value in part.settings.items() if name != "memo"),
            )
            for part in call.parts
        ),
    )


def _parameters(diagram: Diagram, op: Vertex) -> list[Vertex]:
    """The parameters that an op uses; its first argument is what it works on, even if that wants a gradient, too."""
    sources = [diagram[edge.source] for edge in diagram.into(op.id) if edge.number]
    return [source for source in sources if source.kind is Kind.PARAMETER]


def _fold(diagram: Diagram, group: list[Call], around: Call) -> Fold:
    first, last = group[0], group[-1]
    assert first.place is not None
    assert last.place is not None
    members = {op.id for call in group for op in call.ops()}
    if len(group) == 1:
        title = [first.label()]
    else:
        title = [f"{first.place.module} x {len(group)}", f"{first.place.name} ... {last.place.name}"]
    return Fold(f"m{first.id[1:]}", (*title, *_border(diagram, members)), around, members)


def _border(diagram: Diagram, members: set[str]) -> list[str]:
    """What goes in and out, and how many parameters and operations are inside; constants made inside are no news."""
    outside = outside_inputs(diagram)
    into = [
        diagram[name]
        for name in dict.fromkeys(e.source for op in diagram.ops() if op.id in members for e in diagram.into(op.id))
    ]
    shapes = [v.shape for v in into if v.id in outside or (v.kind is Kind.OP and v.id not in members)]
    out = [
        v.shape
        for v in diagram.vertices
        if v.id in members and (v.id == diagram.output or any(e.target not in members for e in diagram.out_of(v.id)))
    ]
    inside = [vertex for vertex in into if vertex.kind is Kind.PARAMETER]
    count = sum(_size(vertex) for vertex in inside)
    texts = [", ".join(dict.fromkeys(str(shape) for shape in group)) for group in (shapes, out)]
    lines = [f"{texts[0]} -> {texts[1]}" if texts[0] else f"-> {texts[1]}"]
    lines += [f"{count:,} parameters"] if inside else []
    return [*lines, f"{len(members)} operation{'s' * (len(members) != 1)}"]


def _size(vertex: Vertex) -> int:
    size = 1
    for length in vertex.shape:
        size *= length
    return size


def chains(diagram: Diagram, taken: set[str], program: Call, home: dict[str, Call]) -> list[Fold]:
    """Fold chains of ops outside of other folds: each works on nothing but the result before it and on leaves."""
    after: dict[str, str] = {}
    for vertex in diagram.ops():
        before = {e.source for e in diagram.into(vertex.id) if diagram[e.source].kind is Kind.OP}
        if len(before) == 1 and vertex.id not in taken:
            (source,) = before
            users = {e.target for e in diagram.out_of(source)}
            if users == {vertex.id} and source not in taken and home[source] is home[vertex.id]:
                after[source] = vertex.id
    found: list[Fold] = []
    followers = set(after.values())
    for vertex in diagram.ops():
        if vertex.id in after and vertex.id not in followers:
            members = [vertex.id]
            while members[-1] in after:
                members.append(after[members[-1]])
            names = dict.fromkeys(diagram[member].name for member in members)
            shown = ", ".join(list(names)[:4]) + ", ..." * (len(names) > 4)
            lines = (f"chain of {len(members)} operations", shown, *_border(diagram, set(members))[:-1])
            found.append(Fold(f"m{vertex.id}", lines, home.get(vertex.id, program), set(members)))
    return found

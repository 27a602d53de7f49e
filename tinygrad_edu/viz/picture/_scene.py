"""What a picture shows, before it has places: boxes with lines of text, arrows between them, clusters around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ._colours import Role

__all__ = ["Arrow", "ArrowKind", "Box", "Cluster", "Scene"]

ArrowKind = Literal["argument", "result", "saved", "gradient"]


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its role gives shape and colours, its lines the text.

    ``vertices`` are the vertices it stands for: one, or all that were folded into it; none for a box that only repeats what
    another one made, such as the result of an op.
    """

    id: str
    role: Role
    lines: tuple[str, ...]
    vertices: tuple[str, ...] = ()
    cluster: str | None = None
    hint: str = ""  # shown by a pointer that rests on it
    cells: bool = False  # the lines stand side by side, as in a record
    round: bool = False  # an ellipse, also where the role would give it corners


class Arrow(NamedTuple):
    """From a box to a box, in the direction of the values; one for gradients is drawn the other way."""

    source: str
    target: str
    kind: ArrowKind
    label: tuple[str, ...] = ()


class Cluster(NamedTuple):
    """A module: a frame around boxes and other frames."""

    id: str
    label: str
    parent: str | None


class Scene(NamedTuple):
    """All of a picture but places and colours."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    clusters: tuple[Cluster, ...]
    notes: tuple[str, ...]  # what was folded

    def description(self) -> str:
        """Tell what is seen in one or two sentences, for who cannot see it.

        Examples
        --------
        >>> Scene("Graph of a result", (Box("n0", "op", ("mul",), ("n0",)),), (), (), ()).description()
        'Graph of a result: 1 operation.'
        """
        words = {"op": "operation", "parameter": "parameter", "data": "input", "module": "folded module"}
        counts = {role: sum(box.role == role and bool(box.vertices) for box in self.boxes) for role in words}
        said = [f"{n} {words[role]}{'s' * (n != 1)}" for role, n in counts.items() if n]
        failing = [" ".join(box.lines) for box in self.boxes if box.role == "failing"]
        return " ".join([f"{self.title}: {', '.join(said) or 'nothing'}.", *failing, *self.notes])

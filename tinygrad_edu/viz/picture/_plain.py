"""A graph as plain text: one line for each operation, in the order in which they ran."""

from __future__ import annotations

from ._scene import Box, Scene
from ._values import FIGURE_SPACE

__all__ = ["text_of"]


def text_of(scene: Scene) -> str:
    """Write the scene as lines for a terminal: what an operation takes, what it gives, and the modules it ran in as indentation.

    Examples
    --------
    >>> from ._scene import Arrow
    >>> boxes = (Box("n0", "parameter", ("w", "float32 ()"), ("n0",)), Box("n1", "op", ("exp", "()"), ("n1",)))
    >>> print(text_of(Scene("Graph of a result", boxes, (Arrow("n0", "n1", "argument"),), (), ())))
    Graph of a result: 1 operation, 1 parameter.
      n0  parameter  w  float32 ()
      n1  op  exp(n0)  ()
    <BLANKLINE>
    """
    labels = {cluster.id: cluster for cluster in scene.clusters}
    notes = {box.id for box in scene.boxes if box.role == "saved"}
    taken: dict[str, list[str]] = {}
    gradients: dict[str, list[str]] = {}
    for arrow in scene.arrows:
        label = f" [{'; '.join(arrow.label)}]" if arrow.label else ""
        if arrow.kind == "gradient":
            gradients.setdefault(arrow.source, []).append(f"{arrow.target}{label}")
        elif arrow.kind != "saved" or arrow.target in notes:  # a note says of what it is; the op takes nothing from it
            taken.setdefault(arrow.target, []).append(f"{arrow.source}{label}")
    lines = [scene.description()]
    opened: list[str] = []
    for box in _before_their_users(scene):
        around: list[str] = []
        frame = box.cluster
        while frame is not None:
            around.insert(0, frame)
            frame = labels[frame].parent
        same = 0
        while same < min(len(around), len(opened)) and around[same] == opened[same]:
            same += 1
        for depth in range(same, len(around)):
            lines.append(f"{'  ' * (depth + 1)}{labels[around[depth]].label}")
        opened = around
        lines.append(f"{'  ' * (len(around) + 1)}{_line(box, taken.get(box.id, []), gradients.get(box.id, []))}")
    return "\n".join([*lines, ""])


def _before_their_users(scene: Scene) -> list[Box]:
    """The boxes, each leaf right before the first that uses it."""
    boxes = {box.id: box for box in scene.boxes}
    sources: dict[str, list[str]] = {}
    for arrow in scene.arrows:
        sources.setdefault(arrow.target, []).append(arrow.source)
    told: dict[str, None] = {}
    for box in scene.boxes:
        if box.id in sources:
            told |= dict.fromkeys(source for source in sources[box.id] if source not in sources)
            told[box.id] = None
    return [boxes[name] for name in told | boxes]


def _line(box: Box, arguments: list[str], gradients: list[str]) -> str:
    """One box: its name, its kind, what it takes, its text, and where its gradient comes from."""
    first, *rest = (line.replace(FIGURE_SPACE, " ") for line in box.lines)
    taken = ", ".join(arguments)
    if not box.vertices and box.role != "saved":  # a result: what follows tells it
        told = [f"<- {taken}"] * bool(taken) + [first] * (first != box.role)
    elif arguments or box.role == "module":
        told = [f"{first}({taken})"]
    else:
        told = [first]
    back = [f"gradient from {', '.join(gradients)}"] if gradients else []
    return "  ".join([box.id, box.role, *told, *rest, *back])

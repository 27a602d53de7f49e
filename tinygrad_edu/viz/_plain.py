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
    arriving: dict[str, list[str]] = {}
    for arrow in scene.arrows:
        back = arrow.kind == "gradient"
        source, target = (arrow.target, arrow.source) if back else (arrow.source, arrow.target)
        label = f" [{'; '.join(arrow.label)}]" if arrow.label else ""
        arriving.setdefault(target, []).append(f"{source}{label}")
    lines = [scene.description()]
    opened: list[str] = []
    for box in scene.boxes:
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
        lines.append(f"{'  ' * (len(around) + 1)}{_line(box, arriving.get(box.id, []))}")
    return "\n".join([*lines, ""])


def _line(box: Box, arguments: list[str]) -> str:
    """One box: its name, its kind, what it takes, and its text."""
    name, *rest = (line.replace(FIGURE_SPACE, " ") for line in box.lines)
    if box.role in ("op", "module", "failing") or arguments:
        name = (
            f"{name}({', '.join(arguments)})"
            if box.vertices or box.role == "saved"
            else f"{name} <- {', '.join(arguments)}"
        )
    return "  ".join([box.id, box.role, name, *rest])

"""A scene as text in the DOT language, for graphviz and whatever else reads it."""

from __future__ import annotations

from ._colours import DARK, LIGHT, Palette
from ._layout import Direction
from ._scene import Box, Scene
from ._svg import Theme

__all__ = ["dot_of", "quoted"]

SHAPES = {
    "parameter": 'shape=box, style="filled,rounded", penwidth=2.5',
    "data": "shape=box",
    "tensor": "shape=box",
    "op": "shape=ellipse",
    "output": "shape=box, peripheries=2",
    "saved": 'shape=note, style="filled,dashed"',
    "failing": "shape=octagon, penwidth=2",
    "module": "shape=box3d",
}
STYLES = {"argument": "", "result": "", "saved": ", style=dotted", "gradient": ", dir=back, style=dashed"}


def quoted(text: str) -> str:
    r"""Write a text as a string of DOT; what DOT would read as its own signs is escaped.

    Examples
    --------
    >>> print(quoted('a "name" with \\N'))
    "a \"name\" with \\N"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def dot_of(scene: Scene, direction: Direction, theme: Theme) -> str:
    r"""Write the scene as DOT; classes and ids reach an SVG that is made of it.

    Examples
    --------
    >>> scene = Scene("One box", (Box("n0", "data", ("x", "()")),), (), (), ())
    >>> print(dot_of(scene, "LR", "light").splitlines()[-2])
      n0 [label="x\n()", id=n0, class="data", shape=box, fillcolor="#eeeeee", color="#6b6b6b"]
    """
    colours = DARK if theme == "dark" else LIGHT
    inside: dict[str | None, list[Box]] = {}
    for box in scene.boxes:
        inside.setdefault(box.cluster, []).append(box)
    children: dict[str | None, list[str]] = {}
    for cluster in scene.clusters:
        children.setdefault(cluster.parent, []).append(cluster.id)
    labels = {cluster.id: cluster.label for cluster in scene.clusters}
    lines = [
        "digraph tinygrad_edu {",
        f'  graph [rankdir={direction}, bgcolor="{colours.page}", fontname="DejaVu Sans", fontsize=11, '
        f'fontcolor="{colours.muted}", nodesep=0.2, ranksep=0.4{_caption(scene)}]',
        f'  node [style=filled, fontname="DejaVu Sans", fontsize=11, fontcolor="{colours.text}"]',
        f'  edge [color="{colours.edge}", fontname="DejaVu Sans", fontsize=10, fontcolor="{colours.muted}"]',
    ]

    def write(frame: str | None, indent: str) -> None:
        lines.extend(f"{indent}{_node(box, colours)}" for box in inside.get(frame, ()))
        for name in children.get(frame, ()):
            lines.append(f"{indent}subgraph cluster_{name} {{")
            lines.append(
                f'{indent}  graph [label={quoted(labels[name])}, id={name}, style="filled,rounded", labeljust=l, '
                f'fillcolor="{colours.cluster.fill}", color="{colours.cluster.border}"]'
            )
            write(name, f"{indent}  ")
            lines.append(f"{indent}}}")

    write(None, "  ")
    for arrow in scene.arrows:
        label = f"label={_joined(arrow.label)}, " if arrow.label else ""
        back = f', color="{colours.back}", fontcolor="{colours.back}"' if arrow.kind == "gradient" else ""
        lines.append(f'  {arrow.source} -> {arrow.target} [{label}class="{arrow.kind}"{STYLES[arrow.kind]}{back}]')
    return "\n".join([*lines, "}", ""])


def _caption(scene: Scene) -> str:
    return f", label={_joined(scene.notes)}, labelloc=b" if scene.notes else ""


def _joined(lines: tuple[str, ...]) -> str:
    r"""Several lines as one string of DOT.

    >>> print(_joined(("a", "b\\")))
    "a\nb\\"
    """
    return '"' + "\\n".join(quoted(line)[1:-1] for line in lines) + '"'


def _node(box: Box, colours: Palette) -> str:
    fill, border = colours.boxes[box.role]
    shape = SHAPES[box.role]
    if box.cells:
        shape, label = "shape=record", f'"{{ {" | ".join(_cell(line) for line in box.lines)} }}"'
    else:
        label = _joined(box.lines)
    hint = f", tooltip={quoted(box.hint)}" if box.hint else ""
    return f'{box.id} [label={label}, id={box.id}, class="{box.role}", {shape}, fillcolor="{fill}", color="{border}"{hint}]'


def _cell(text: str) -> str:
    """A text inside a record, whose own signs are escaped, too."""
    return "".join(f"\\{letter}" if letter in '\\"{}|<>' else letter for letter in text)

"""The picture of the graph as the stepper's page shows it: one box for each vertex, and each box a button."""

from __future__ import annotations

import re
from dataclasses import replace

from .._graph import Diagram, Kind
from ..picture._picture import scene_of
from ..picture._scene import Box, Scene
from ..picture._svg import ROOT, svg_of
from ..picture._values import clean

__all__ = ["graph_svg"]


def graph_svg(diagram: Diagram) -> str:
    """Draw ``diagram`` from top to bottom; ids of boxes are those of vertices, ids of arrows name both ends and the argument."""
    scene = _one_box_each(diagram)
    picture = svg_of(scene, "TB", "auto")
    width, height = re.search(r'viewBox="0 0 (\S+) (\S+)"', picture).groups()  # type: ignore[union-attr]  # it always has one
    body = picture[picture.index("</style>") + len("</style>") :]  # the page's own style holds these rules
    arrows = iter(_arrow_ids(diagram, scene))
    body = re.sub('<g class="edge argument">', lambda _: f'<g class="edge {next(arrows)}">', body)
    body = re.sub(r'<g class="node (\w+)" id="(\w+)">', r'<g class="node \1" id="\2" tabindex="0" role="button">', body)
    body = body.replace("</text><text", "</text> <text").replace(
        "</title>", "</title> "
    )  # so that words stay apart when read aloud
    titles = re.compile(r'(<g class="cluster"[^>]*><rect[^>]*/>)(<text.*?</text>)')
    last = "".join(
        f'<g class="cluster">{title}</g>' for _, title in titles.findall(body)
    )  # over the arrows, not under them
    body = titles.sub(r"\1", body).replace("</svg>", f"{last}</svg>")
    return f'<svg id="graph" class="{ROOT}" viewBox="0 0 {width} {height}" width="{width}" height="{height}">{body}'


def _one_box_each(diagram: Diagram) -> Scene:
    """The scene without boxes that only repeat what another one made."""
    scene = scene_of(
        diagram,
        names={},
        view="forward",
        values=False,
        saved=False,
        depth=len(diagram),
        collapse_repeated=False,
        max_nodes=2 * len(diagram),
        longest_setting=0,
    )
    boxes = [_told(box, diagram) for box in scene.boxes if box.vertices]
    arrows = [arrow for arrow in scene.arrows if arrow.kind == "argument"]
    arrows = [arrow._replace(label=_argument(arrow.label)) for arrow in arrows]
    return scene._replace(boxes=tuple(boxes), arrows=tuple(arrows))


def _argument(label: tuple[str, ...]) -> tuple[str, ...]:
    """The name of the argument, where the picture writes it; what broadcasting does is told by the steps."""
    word = " ".join(label).partition(" ")[0]
    return (word,) if word.isidentifier() and word != "grad" else ()


def _told(box: Box, diagram: Diagram) -> Box:
    """The box of an op with the name that the steps call it by, and its shape; the last op is the output."""
    vertex = diagram[box.id]
    if vertex.kind is not Kind.OP:
        return box
    box = replace(box, lines=(f"{box.id} {clean(vertex.name)}", str(tuple(vertex.shape))))
    if vertex.error is not None:
        return replace(box, lines=(box.lines[0], "!"))
    return replace(box, role="output", round=False) if box.id == diagram.output else box


def _arrow_ids(diagram: Diagram, scene: Scene) -> list[str]:
    """For each arrow its classes: where gradients do not come back it "ends"."""
    shown = {box.id for box in scene.boxes}
    edges = [edge for edge in diagram.edges if edge.source in shown and edge.target in shown]
    return [
        f'{"argument" if edge.flows else "argument ends"}" id="{edge.source}-{edge.target}-{edge.number}'
        for edge in edges
    ]

"""Where the boxes of the stepper's graph stand, and the SVG that shows them there."""

from __future__ import annotations

import html

from ._graph import Diagram, Kind, Vertex

__all__ = ["graph_svg"]

WIDTH, HEIGHT, BESIDE, BELOW = 144, 42, 18, 34
LONGEST = 19  # characters of a name; the whole is in the title of the box


def graph_svg(diagram: Diagram) -> str:
    """Draw ``diagram`` from top to bottom; each vertex is a button that the page gives a name."""
    spots = _spots(diagram)
    width = max(x for x, _ in spots.values()) + WIDTH + BESIDE
    height = max(y for _, y in spots.values()) + HEIGHT + BESIDE
    edges = "".join(
        _path(f"edge-{edge.source}-{edge.target}-{edge.number}", spots[edge.source], spots[edge.target], edge.flows)
        for vertex in diagram.vertices
        for edge in diagram.into(vertex.id)
    )
    boxes = "".join(_box(vertex, *spots[vertex.id], vertex.id == diagram.output) for vertex in diagram.vertices)
    return f'<svg id="graph" viewBox="0 0 {width} {height}" width="{width}" height="{height}">{edges}{boxes}</svg>'


def _spots(diagram: Diagram) -> dict[str, tuple[int, int]]:
    """The upper left corner of each box: below all its arguments, beside the others of its row."""
    rows: dict[str, int] = {}
    for vertex in diagram.vertices:  # in order of creation, so the arguments come first
        rows[vertex.id] = 1 + max((rows[edge.source] for edge in diagram.into(vertex.id)), default=0)
    for vertex in reversed(diagram.vertices):
        users = [rows[edge.target] for edge in diagram.out_of(vertex.id)]
        if vertex.kind is not Kind.OP and users:
            rows[vertex.id] = min(users) - 1
    grouped: dict[int, list[str]] = {}
    for name, row in rows.items():
        grouped.setdefault(row - min(rows.values()), []).append(name)
    widest = max(map(len, grouped.values()))
    spots: dict[str, tuple[int, int]] = {}
    for row in sorted(grouped):
        names = sorted(grouped[row], key=lambda name: _middle(diagram, name, spots))
        left = BESIDE + (widest - len(names)) * (WIDTH + BESIDE) // 2
        for place, name in enumerate(names):
            spots[name] = left + place * (WIDTH + BESIDE), BESIDE + row * (HEIGHT + BELOW)
    return spots


def _middle(diagram: Diagram, name: str, spots: dict[str, tuple[int, int]]) -> float:
    above = [spots[edge.source][0] for edge in diagram.into(name)]
    return sum(above) / len(above) if above else float("inf")


def _path(name: str, source: tuple[int, int], target: tuple[int, int], flows: bool) -> str:
    x1, y1 = source[0] + WIDTH // 2, source[1] + HEIGHT
    x2, y2 = target[0] + WIDTH // 2, target[1]
    kind = "edge" if flows else "edge ends"
    bend = (y2 - y1) // 2
    return f'<path id="{name}" class="{kind}" d="M{x1} {y1}C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"/>'


def _box(vertex: Vertex, x: int, y: int, is_output: bool) -> str:
    role = "output" if is_output else vertex.kind.value
    name = vertex.name if len(vertex.name) <= LONGEST else vertex.name[: LONGEST - 1] + "…"
    corner = HEIGHT // 2 if vertex.kind is Kind.OP else 6 if vertex.kind is Kind.PARAMETER else 0
    shape = f"{vertex.id}  {tuple(vertex.shape)}"
    middle = x + WIDTH // 2
    return (
        f'<g id="{vertex.id}" class="node {role}" tabindex="0" role="button" aria-label="{html.escape(vertex.name)}">'
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="{corner}"/>'
        f'<text x="{middle}" y="{y + 17}">{html.escape(name)}</text>'
        f'<text x="{middle}" y="{y + 33}">{html.escape(shape)}</text></g>'
    )

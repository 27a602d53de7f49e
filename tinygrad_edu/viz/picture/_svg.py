"""A placed scene as SVG: one picture for both themes, readable without seeing it."""

from __future__ import annotations

import re
from html import escape
from typing import Literal

from ._colours import DARK, LIGHT, Palette
from ._layout import FONT, LINE, Direction, Layout, Rectangle, Stretch, layout, text_width
from ._scene import Arrow, Box, Scene

__all__ = ["Theme", "from_dot", "style", "svg_of"]

Theme = Literal["auto", "light", "dark"]

ROOT = "tinygrad-edu-graph"  # the styles below reach no other picture on a page


def style(theme: Theme) -> str:
    """The colours as CSS; for "auto", dark ones where the reader's system asks for them."""
    if theme == "auto":
        return f"{_rules(LIGHT)}@media (prefers-color-scheme: dark) {{\n{_rules(DARK)}}}\n"
    return _rules(LIGHT if theme == "light" else DARK)


def _rules(colours: Palette) -> str:
    """The rules of one theme; graphviz marks what has no filling with fill="none", and that stays."""
    shape = ":is(rect, path, polygon, ellipse)"
    rules = [
        f".page, .graph > polygon {{ fill: {colours.page}; stroke: none; }}",
        f"text {{ fill: {colours.text}; }}",
        f".cluster > {shape} {{ fill: {colours.cluster.fill}; stroke: {colours.cluster.border}; }}",
        f".title {{ fill: {colours.muted}; stroke: {colours.cluster.fill}; stroke-width: 4px; paint-order: stroke; }}",
        f".cluster text, .edge text, .note text {{ fill: {colours.muted}; }}",
        f".edge path {{ fill: none; stroke: {colours.edge}; }}",
        f".edge polygon {{ fill: {colours.edge}; stroke: {colours.edge}; }}",
        f".edge.gradient path {{ stroke: {colours.back}; }}",
        f".edge.gradient polygon {{ fill: {colours.back}; stroke: {colours.back}; }}",
        f".edge.gradient text {{ fill: {colours.back}; }}",
    ]
    for role, paint in colours.boxes.items():
        rules.append(f".node.{role} > {shape} {{ stroke: {paint.border}; }}")
        rules.append(f'.node.{role} > {shape}:not([fill="none"]) {{ fill: {paint.fill}; }}')
        rules.append(f".node.{role} > polyline {{ stroke: {paint.border}; }}")
    return "".join(f".{ROOT} {rule}\n" for rule in rules)


def svg_of(scene: Scene, direction: Direction, theme: Theme) -> str:
    """Draw the scene with our own layout.

    Examples
    --------
    >>> svg_of(Scene("One box", (Box("n0", "data", ("x",)),), (), (), ()), "LR", "auto").splitlines()[0][:4]
    '<svg'
    """
    places = layout(scene, direction)
    notes = [*scene.notes]
    height = places.height + (LINE * len(notes) + 6 if notes else 0)
    width = max([places.width, *(text_width(note, 10) + 24 for note in notes)])
    clusters = sorted(scene.clusters, key=lambda c: places.clusters[c.id].width * -places.clusters[c.id].height)
    parts = [
        _head(scene, width, height, theme),
        f'<rect class="page" width="{_n(width)}" height="{_n(height)}" fill="{LIGHT.page}"/>\n',
    ]
    for cluster in clusters:  # large ones first: the ones inside lie on them
        x, y, wide, high = places.clusters[cluster.id]
        parts.append(
            f'<g class="cluster" id="{cluster.id}"><rect x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}" rx="6"/>'
            f"</g>\n"
        )
    for number, arrow in enumerate(scene.arrows):
        parts.append(_arrow(arrow, places, number))
    for (
        cluster
    ) in clusters:  # over the arrows, with a rim in the frame's colour, so that an arrow behind leaves it readable
        x, y, _, _ = places.clusters[cluster.id]
        parts.append(f'<text class="title" x="{_n(x + 10)}" y="{_n(y + 16)}">{escape(cluster.label)}</text>\n')
    for box in scene.boxes:
        parts.append(_box(box, places.boxes[box.id]))
    for number, note in enumerate(notes):
        parts.append(
            f'<g class="note"><text x="12" y="{_n(places.height + LINE * number + 6)}" font-size="10">{escape(note)}</text></g>\n'
        )
    return "".join([*parts, "</svg>\n"])


def _head(scene: Scene, width: float, height: float, theme: Theme) -> str:
    """The root, as wide as its place allows, at most as wide as it is drawn, with title, description and colours."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{ROOT}" viewBox="0 0 {_n(width)} {_n(height)}" width="100%" '
        f'style="max-width: {_n(width)}px" role="img" aria-label="{escape(scene.title)}" '
        f'font-family="DejaVu Sans, sans-serif" font-size="{FONT:g}">\n'
        f"<title>{escape(scene.title)}</title>\n<desc>{escape(scene.description())}</desc>\n<style>\n{style(theme)}</style>\n"
    )


def _n(x: float) -> str:
    """A coordinate, short and the same on every machine.

    >>> _n(1.0), _n(2.346), _n(-0.001)
    ('1', '2.35', '0')
    """
    return f"{round(x, 2) + 0:g}" if abs(x) < 1000 else f"{round(x, 1):.7g}"


def _box(box: Box, place: Rectangle) -> str:
    """A box with its lines; its shape tells its role without colour."""
    x, y, width, height = place
    hint = f"<title>{escape(box.hint)}</title>" if box.hint else ""
    return (
        f'<g class="node {box.role}" id="{box.id}">{hint}{_outline(box, place)}{_lines(box, x, y, width, height)}</g>\n'
    )


def _outline(box: Box, place: Rectangle) -> str:
    x, y, width, height = place
    right, bottom = x + width, y + height
    if box.cells:
        return _rectangle(x, y, width, height, 2 if box.role == "parameter" else 1) + _dividers(box, place)
    if box.role == "failing":
        c = 8.0
        corners = [
            (x + c, y), (right - c, y), (right, y + c), (right, bottom - c), (right - c, bottom), (x + c, bottom), (x, bottom - c), (x, y + c),
        ]  # fmt: skip  # the octagon in one look
        return f'<polygon points="{_points(corners)}" stroke-width="2"/>'
    if box.round:
        middle = f'cx="{_n(x + width / 2)}" cy="{_n(y + height / 2)}"'
        return f'<ellipse {middle} rx="{_n(width / 2)}" ry="{_n(height / 2)}"/>'
    if box.role == "parameter":
        return _rectangle(x, y, width, height, 2.5, 8)
    if box.role == "output":
        return _rectangle(x, y, width, height, 1.2) + _rectangle(x + 3, y + 3, width - 6, height - 6, 1.2)
    if box.role == "module":
        return _rectangle(x + 4, y, width - 4, height - 4, 1.2, 3) + _rectangle(x, y + 4, width - 4, height - 4, 1.2, 3)
    if box.role == "saved":
        fold = f"M {_n(right - 9)} {_n(y)} v 9 h 9"
        corners = [(x, y), (right - 9, y), (right, y + 9), (right, bottom), (x, bottom)]
        return f'<polygon points="{_points(corners)}" stroke-dasharray="4 2"/><path d="{fold}" fill="none"/>'
    return _rectangle(x, y, width, height, 1)


def _rectangle(x: float, y: float, width: float, height: float, line: float, corner: float = 0) -> str:
    rounded = f' rx="{_n(corner)}"' if corner else ""
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"{rounded} stroke-width="{_n(line)}"/>'
    )


def _points(corners: list[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)


def _cells(box: Box, place: Rectangle) -> list[tuple[float, float]]:
    """Begin and width of each cell of a record."""
    widths = [text_width(line) + 16 for line in box.lines]
    extra = (place.width - sum(widths)) / len(widths)
    found, x = [], place.x
    for width in widths:
        found.append((x, width + extra))
        x += width + extra
    return found


def _dividers(box: Box, place: Rectangle) -> str:
    return "".join(
        f'<path d="M {_n(x)} {_n(place.y)} v {_n(place.height)}" fill="none"/>' for x, _ in _cells(box, place)[1:]
    )


def _lines(box: Box, x: float, y: float, width: float, height: float) -> str:
    """The text, in the middle; the first line names the box."""
    if box.cells:
        return "".join(
            f'<text x="{_n(begin + wide / 2)}" y="{_n(y + height / 2 + 4)}" text-anchor="middle">{escape(line)}</text>'
            for (begin, wide), line in zip(_cells(box, Rectangle(x, y, width, height)), box.lines, strict=True)
        )
    middle = x + width / 2 - (2 if box.role == "module" else 0)
    top = y + height / 2 - LINE * len(box.lines) / 2 + 10.5 + (2 if box.role == "module" else 0)
    texts = []
    for number, line in enumerate(box.lines):
        texts.append(
            f'<text x="{_n(middle)}" y="{_n(top + LINE * number)}" text-anchor="middle" xml:space="preserve">{escape(line)}</text>'
        )
    return "".join(texts)


def _arrow(arrow: Arrow, places: Layout, number: int) -> str:
    """The way of an arrow, its head, and its label beside the end where it arrives."""
    ways = places.ways[number]
    sideways = places.direction in ("LR", "RL")
    sign = 1 if places.direction in ("LR", "TB") else -1
    back = arrow.kind == "gradient"
    ends = [ways[0].begin, ways[-1].end]
    stretches = list(ways)
    if back:  # the head points at where the values come from
        stretches[0] = stretches[0]._replace(begin=ends[0] + 6 * sign)
    else:
        stretches[-1] = stretches[-1]._replace(end=ends[1] - 6 * sign)
    path = _path(stretches, sideways)
    head = (
        _head_of(ends[0], ways[0].across, -sign, sideways)
        if back
        else _head_of(ends[1], ways[-1].across, sign, sideways)
    )
    dashes = {"gradient": ' stroke-dasharray="5 3"', "saved": ' stroke-dasharray="1.5 2.5"'}.get(arrow.kind, "")
    label = places.labels[number]
    texts = ""
    if label is not None:
        middle = label.x + label.width / 2
        texts = "".join(
            f'<text x="{_n(middle)}" y="{_n(label.y + 12 * line + 9.5)}" text-anchor="middle" font-size="10">{escape(text)}</text>'
            for line, text in enumerate(arrow.label)
        )
    return f'<g class="edge {arrow.kind}"><path d="{path}" fill="none"{dashes}/>{head}{texts}</g>\n'


def _path(stretches: list[Stretch], sideways: bool) -> str:
    """Straight pieces, joined by curves that leave and arrive straight."""

    def point(along: float, across: float) -> str:
        return f"{_n(along)} {_n(across)}" if sideways else f"{_n(across)} {_n(along)}"

    parts = [f"M {point(stretches[0].begin, stretches[0].across)}"]
    for before, stretch in zip([None, *stretches], stretches, strict=False):
        if before is not None:
            middle = (before.end + stretch.begin) / 2
            parts.append(
                f"C {point(middle, before.across)}, {point(middle, stretch.across)}, {point(stretch.begin, stretch.across)}"
            )
        if stretch.begin != stretch.end:
            parts.append(f"L {point(stretch.end, stretch.across)}")
    return " ".join(parts)


def _head_of(along: float, across: float, sign: int, sideways: bool) -> str:
    tip, back = (along, across), along - 7 * sign
    corners = [tip, (back, across - 3.2), (back, across + 3.2)]
    return f'<polygon points="{_points(corners if sideways else [(y, x) for x, y in corners])}"/>'


def from_dot(picture: str, scene: Scene, theme: Theme) -> str:
    """Give an SVG that graphviz drew our root, so that it carries both themes, fits its place and can be read aloud."""
    body = picture[picture.index("<svg") :]
    box = re.search(r'viewBox="([^"]*)"', body)
    assert box is not None
    _, _, width, height = (float(side) for side in box[1].split())
    body = re.sub(r"<!--.*?-->\n?", "", body[body.index(">") + 1 :], flags=re.DOTALL)
    hinted = r'<title>[^<]*</title>\n<g id="a_[^"]*"><a xlink:title="([^"]*)">'  # a hint as a link that leads nowhere
    body = re.sub(hinted, r"<title>\1</title>", body).replace("</a>\n</g>\n", "")
    return _head(scene, width, height, theme) + body.lstrip()

"""Places for boxes, frames and arrows, computed here, so that a picture needs no program.

The way of Sugiyama, Tagawa and Toda (1981): every box gets a rank so that all arrows point forward, arrows over several ranks get
a way between the boxes, the order within each rank is swept until few arrows cross, and coordinates follow from that order. A
frame is laid out by itself first and is then one box for what is around it, with openings where arrows go in and out: so no frame
covers a foreign box. Arrows bend only between the ranks, where no box stands: so no arrow crosses a box.

``along`` is the direction of the arrows, ``across`` the other; for "LR" they are x and y, for "TB" y and x.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Literal, NamedTuple

from ._ranks import Item, Key, Link, Net, connect, order, rank, settle
from ._scene import Arrow, Box, Scene

__all__ = ["FONT", "LINE", "Direction", "Layout", "Rectangle", "Stretch", "layout", "text_width"]

Direction = Literal["LR", "RL", "TB", "BT"]

FONT = 11.0  # pixels
SMALL = 10.0  # of labels
LINE = 14.0  # from line to line of text
BETWEEN = 14.0  # boxes of one rank
BEND = 34.0  # room between ranks for arrows to bend, at least
STEEPEST = 90.0  # and at most
STRAIGHT = 4.0  # room for an arrow that comes straight through a frame's border
HEADS = 16.0  # room for the head of an arrow
FRAME, HEAD = 12.0, 24.0  # room inside a frame: at its sides, and above, for its name
MARGIN = 10.0
SWEEPS, PASSES = 8, 12

# Widths of DejaVu Sans in hundredths of the font's size; a narrower font leaves a little more room.
WIDTHS = {
    letter: width
    for width, letters in {
        28: "'ijl", 30: "IJ", 32: " ,.\u00b7", 35: "/:;\\|f", 39: "-()[]t", 41: "!r", 50: '"*_`', 52: "sz", 55: "?cL", 59: "Fkvxy",
        62: "PTYaoe", 64: "ESbdghnpqu$0123456789{}\u2007", 69: "KAVBRXZ", 70: "C", 75: "UHN", 79: "DG&OQ", 85: "w#+<=>^~M", 100: "%mW@",
    }.items()
    for letter in letters
}  # fmt: skip  # a width a group


def text_width(text: str, size: float = FONT) -> float:
    """Estimate the width of a line of text; letters beyond ASCII count as wide as Chinese ones.

    Examples
    --------
    >>> round(text_width("matmul", 10), 1)
    39.3
    """
    return sum(WIDTHS.get(letter, 100) for letter in text) * size / 100


class Rectangle(NamedTuple):
    """x and y of the upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float


class Stretch(NamedTuple):
    """A straight piece of an arrow's way, in the direction of ``along``; curves join one to the next."""

    begin: float
    end: float
    across: float


@dataclass
class Layout:
    """Where everything is; ``ways`` and ``labels`` belong to the arrows in their order."""

    direction: Direction
    width: float
    height: float
    boxes: dict[str, Rectangle]
    clusters: dict[str, Rectangle]
    ways: list[list[Stretch]]
    labels: list[Rectangle | None]


@dataclass(eq=False)
class _Frame:
    """One frame (or the page, ``None``) with what stands in it; ``origin`` is known once all frames around it are placed."""

    name: str | None
    items: dict[Key, Item]
    ways: dict[
        tuple[Key, Net | int], list[Item]
    ]  # from where a net starts here to where it arrives, over all ranks between
    columns: list[tuple[float, float, float]]  # of each rank: where arrows run straight from, begin and end along
    before: float  # room for the border, along and across
    above: float
    along: float
    across: float
    origin: tuple[float, float] = (0.0, 0.0)


def layout(scene: Scene, direction: Direction) -> Layout:
    """Find places for the scene.

    Examples
    --------
    >>> boxes = (Box("n0", "data", ("x",)), Box("n1", "op", ("exp",)))
    >>> places = layout(Scene("", boxes, (Arrow("n0", "n1", "argument"),), (), ()), "LR").boxes
    >>> places["n0"].x + places["n0"].width < places["n1"].x
    True
    """
    return _Placing(scene, direction).layout()


class _Placing:
    """The state of one layout: sizes, and for each frame its parts."""

    def __init__(self, scene: Scene, direction: Direction) -> None:
        self.scene, self.direction = scene, direction
        self.sideways = direction in ("LR", "RL")
        self.boxes = {box.id: box for box in scene.boxes}
        self.titles = {cluster.id: cluster.label for cluster in scene.clusters}
        self.parent = {cluster.id: cluster.parent for cluster in scene.clusters}
        self.inside: dict[str | None, list[str]] = {}
        for cluster in scene.clusters:
            self.inside.setdefault(cluster.parent, []).append(cluster.id)
        self.contents: dict[str | None, list[Box]] = {}
        for box in scene.boxes:
            self.contents.setdefault(box.cluster, []).append(box)
        self.arriving: dict[str, list[Arrow]] = {}
        for arrow in scene.arrows:
            self.arriving.setdefault(arrow.target, []).append(arrow)
        self.pieces = [self._pieces(number, arrow) for number, arrow in enumerate(scene.arrows)]
        self.crossing: dict[str | None, list[tuple[int, Key, Key, Net | int]]] = {}
        for number, pieces in enumerate(self.pieces):
            for frame, start, end, arrives in pieces:
                self.crossing.setdefault(frame, []).append((number, start, end, arrives))
        self.frames: dict[str | None, _Frame] = {}

    def layout(self) -> Layout:
        """Place the frames from the inside out, find their origins from the outside in, then turn along and across into x and y."""
        whole = self._frame(None)
        self._move(whole, MARGIN, MARGIN)
        length = whole.along + 2 * MARGIN
        flip = self.direction in ("RL", "BT")

        def turned(along: float, across: float, long: float, wide: float) -> Rectangle:
            begin = length - along - long if flip else along
            return Rectangle(begin, across, long, wide) if self.sideways else Rectangle(across, begin, wide, long)

        boxes: dict[str, Rectangle] = {}
        clusters: dict[str, Rectangle] = {}
        for frame in self.frames.values():
            for key, item in frame.items.items():
                if key[0] in ("box", "frame"):
                    begin, top = self._corner(frame, item)
                    (boxes if key[0] == "box" else clusters)[key[1]] = turned(begin, top, item.along, item.across)
        ways, labels = [], []
        for number, arrow in enumerate(self.scene.arrows):
            stretches = self._way(number)
            last = stretches[-1]
            long, wide = self._label_size(arrow)
            begin = last.end - self._gap(arrow.target, last.across) - long - 8
            labels.append(
                turned(begin, last.across - wide - 2 if self.sideways else last.across + 2, long, wide)
                if arrow.label
                else None
            )
            ways.append([Stretch(length - s.begin, length - s.end, s.across) for s in stretches] if flip else stretches)
        across = whole.across + 2 * MARGIN
        width, height = (length, across) if self.sideways else (across, length)
        return Layout(self.direction, width, height, boxes, clusters, ways, labels)

    # ---- sizes

    def _size(self, box: Box) -> tuple[float, float]:
        """Along and across, with room for what arrives."""
        width, height = box_size(box)
        along, across = (width, height) if self.sideways else (height, width)
        needed = sum(self._slot(arrow) for arrow in self.arriving.get(box.id, ()))
        return along, max(across, needed / (0.75 if box.round else 1) + 4)

    def _label_size(self, arrow: Arrow) -> tuple[float, float]:
        """Along and across."""
        if not arrow.label:
            return 0.0, 0.0
        width, height = max(text_width(line, SMALL) for line in arrow.label) + 4, 12.0 * len(arrow.label)
        return (width, height) if self.sideways else (height, width)

    def _slot(self, arrow: Arrow) -> float:
        """The room across that an arrow needs where it arrives."""
        return max(10.0, self._label_size(arrow)[1] + 5)

    # ---- through which frames an arrow goes

    def _around(self, box: str) -> list[str | None]:
        """The frames around a box, outermost first."""
        found: list[str | None] = []
        frame = self.boxes[box].cluster
        while frame is not None:
            found.append(frame)
            frame = self.parent[frame]
        return [None, *reversed(found)]

    def _pieces(self, number: int, arrow: Arrow) -> list[tuple[str | None, Key, Key, Net | int]]:
        """The pieces of an arrow's way: in which frame, from which item to which, and by which name it arrives there."""
        net = (arrow.source, arrow.kind == "gradient")
        up, down = self._around(arrow.source), self._around(arrow.target)
        common = 0
        while common < min(len(up), len(down)) and up[common] == down[common]:
            common += 1
        found: list[tuple[str | None, Key, Key, Net | int]] = []
        start: Key = ("box", arrow.source)
        for frame in reversed(up[common:]):
            found.append((frame, start, ("out", *net), net))
            start = ("frame", str(frame))
        for outer, inner in zip(down[common - 1 :], down[common:], strict=False):
            found.append((outer, start, ("frame", str(inner)), net))
            start = ("in", *net)
        found.append((down[-1], start, ("box", arrow.target), number))
        return found

    # ---- one frame

    def _frame(self, name: str | None) -> _Frame:
        items: dict[Key, Item] = {}
        for box in self.contents.get(name, ()):
            items["box", box.id] = Item(*self._size(box))
        for inner in self.inside.get(name, ()):
            part = self._frame(inner)
            item = Item(part.along, part.across, fixed=True)
            for key, opening in part.items.items():
                if key[0] in ("in", "out"):
                    (item.entries if key[0] == "in" else item.exits)[key[1], bool(key[2])] = part.above + opening.begin
            items["frame", inner] = item
        ends: dict[tuple[Key, Net | int], tuple[Item, Net]] = {}
        for number, start, end, arrives in self.crossing.get(name, ()):
            net = (self.scene.arrows[number].source, self.scene.arrows[number].kind == "gradient")
            for key in (start, end):
                if key not in items:
                    items[key] = Item(entries={net: 0.0}, exits={net: 0.0}, fixed=True, opening=key[0])
            ends[end, arrives] = (items[start], net)
        rank(list(items.values()), [(start, items[end]) for (end, _), (start, _) in ends.items()])
        ranks, links, ways = connect(
            list(items.values()), {end: (start, items[end[0]], net) for end, (start, net) in ends.items()}
        )
        order(ranks, links)
        self._ports(items.values(), links)
        settle(ranks, links, BETWEEN)
        return self._bordered(name, items, ranks, links, ways)

    def _ports(self, items: Iterable[Item], links: list[Link]) -> None:
        """Give each arrow its place at the box where it arrives, in the order in which they come; they leave from the middle."""
        arriving: dict[Item, list[Link]] = {}
        leaving: dict[Item, dict[Net, None]] = {}
        for link in links:
            arriving.setdefault(link.target, []).append(link)
            leaving.setdefault(link.source, {})[link.net] = None
        for item in items:
            if item.fixed:
                continue
            coming = [
                (link.source.order, link.arrives) for link in arriving.get(item, ()) if isinstance(link.arrives, int)
            ]
            arrows = [number for _, number in sorted(coming)]
            slots = [self._slot(self.scene.arrows[number]) for number in arrows]
            place = (item.across - sum(slots)) / 2
            for number, slot in zip(arrows, slots, strict=True):
                labelled = bool(self.scene.arrows[number].label)
                item.entries[number] = place + ((slot - 3 if self.sideways else 3) if labelled else slot / 2)
                place += slot
            nets = list(leaving.get(item, ()))
            for number, net in enumerate(nets):
                item.exits[net] = item.across / 2 + 8 * (number - (len(nets) - 1) / 2)

    def _bordered(
        self,
        name: str | None,
        items: dict[Key, Item],
        ranks: list[list[Item]],
        links: list[Link],
        ways: dict[tuple[Key, Net | int], list[Item]],
    ) -> _Frame:
        """Add up the ranks, and the border."""
        before, after, above, below = (0.0, 0.0, 0.0, 0.0) if name is None else (FRAME, FRAME, HEAD, FRAME)
        if not self.sideways:
            before, after, above, below = (
                (above, below, before, after) if self.direction == "TB" else (below, above, before, after)
            )
        columns = self._columns(ranks, links, before)
        length = columns[-1][2] + after if columns else before + after
        across = max((item.begin + item.across for items_of in ranks for item in items_of), default=0.0) + above + below
        if name is not None and self.sideways:
            length = max(length, text_width(self.titles[name]) + 2 * FRAME)
        elif name is not None:  # arrows come in from above, in the middle: the name ends before
            more = max(0.0, 2 * (text_width(self.titles[name]) + FRAME) - across)
            across += more
            for item in [item for items_of in ranks for item in items_of]:
                item.begin += more / 2
        self.frames[name] = _Frame(name, items, ways, columns, before, above, length, across)
        return self.frames[name]

    def _columns(self, ranks: list[list[Item]], links: list[Link], begin: float) -> list[tuple[float, float, float]]:
        """Begin and end of each rank; before it room for labels, and the more for bends the steeper they are."""
        bends = [0.0] * len(ranks)
        labels = [0.0] * len(ranks)
        for link in links:
            here, rise = link.target.rank, abs(link.rise())
            straight = rise < 0.5 and bool(
                link.source.opening or link.target.opening
            )  # it needs no room to bend, nor for a head
            bends[here] = max(bends[here], STRAIGHT if straight else min(STEEPEST, max(BEND, 0.3 * rise)))
            if isinstance(link.arrives, int):
                labels[here] = max(labels[here], self._label_size(self.scene.arrows[link.arrives])[0] + 10)
                bends[here] = max(bends[here], HEADS)
        columns = []
        for number, items in enumerate(ranks):
            if number:
                begin += (bends[number] or BEND) + labels[number]
            end = begin + max(item.along for item in items)
            columns.append((begin - labels[number], begin, end))
            begin = end
        return columns

    # ---- from frames to the page

    def _move(self, frame: _Frame, along: float, across: float) -> None:
        """Set the origins of a frame and of those inside."""
        frame.origin = (along, across)
        for key, item in frame.items.items():
            if key[0] == "frame":
                self._move(self.frames[key[1]], *self._corner(frame, item))

    def _corner(self, frame: _Frame, item: Item) -> tuple[float, float]:
        _, begin, end = frame.columns[item.rank]
        return frame.origin[0] + (begin + end - item.along) / 2, frame.origin[1] + frame.above + item.begin

    def _way(self, number: int) -> list[Stretch]:
        """The way of an arrow from border to border; straight pieces that continue each other are one."""
        found: list[Stretch] = []
        for name, _, end, arrives in self.pieces[number]:
            frame = self.frames[name]
            for stretch in self._stretches(frame, frame.ways[end, arrives], number, arrives):
                if found and abs(found[-1].across - stretch.across) < 0.01 and stretch.begin <= found[-1].end + 0.01:
                    stretch = Stretch(found.pop().begin, stretch.end, stretch.across)
                found.append(stretch)
        arrow = self.scene.arrows[number]
        first, last = found[0], found[-1]
        found[0] = first._replace(begin=first.begin - self._gap(arrow.source, first.across))
        last = found[-1]
        found[-1] = last._replace(end=last.end + self._gap(arrow.target, last.across))
        return found

    def _stretches(self, frame: _Frame, items: list[Item], number: int, arrives: Net | int) -> Iterable[Stretch]:
        arrow = self.scene.arrows[number]
        net = (arrow.source, arrow.kind == "gradient")
        along, across = frame.origin[0], frame.origin[1] + frame.above
        for place, item in enumerate(items):
            straight, begin, end = (along + edge for edge in frame.columns[item.rank])
            first, last = place == 0, place == len(items) - 1
            middle = (begin + end) / 2
            if first:
                yield Stretch(
                    along if item.opening else middle + item.along / 2, end, across + item.begin + item.exits[net]
                )
            elif last:
                yield Stretch(
                    straight,
                    along + frame.along if item.opening else middle - item.along / 2,
                    across + item.begin + item.entries[arrives],
                )
            else:
                yield Stretch(straight, end, across + item.begin)

    def _gap(self, name: str, across: float) -> float:
        """How far the border of a round box lies behind that of its rectangle."""
        box = self.boxes[name]
        if not box.round:
            return 0.0
        frame = self.frames[box.cluster]
        item = frame.items["box", name]
        above = across - frame.origin[1] - frame.above - item.begin
        share = min(1.0, abs(2 * above / item.across - 1))
        return item.along / 2 * (1 - sqrt(1 - share * share))


def box_size(box: Box) -> tuple[float, float]:
    """Width and height of a box around its text.

    Examples
    --------
    >>> box_size(Box("n0", "data", ("x", "float32 (2, 3)")))[1]
    40.0
    """
    widths = [text_width(line) for line in box.lines]
    if box.cells:
        return sum(widths) + 16 * len(widths), LINE + 12
    width, height = max(widths), LINE * len(widths)
    if box.round:  # an ellipse around the rectangle of the text
        return 1.3 * width + 18, 1.35 * height + 10
    extra = {"failing": 16, "module": 6, "saved": 8, "output": 6}.get(box.role, 0)
    return width + 18 + extra, height + 12 + (6 if box.role in ("output", "module") else 0)

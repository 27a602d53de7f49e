"""The layout: in pictures of random programs nothing lies on anything else, and all of it is inside the picture."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as t
from tests.viz.drawings import PROGRAMS, drawn
from tests.viz.test_random_graphs import INSTRUCTIONS, play
from tinygrad_edu import nn, viz
from tinygrad_edu.viz.picture._layout import Layout, Rectangle, layout, text_width
from tinygrad_edu.viz.picture._scene import Arrow, Box, Cluster, Scene

DIRECTIONS = ("LR", "RL", "TB", "BT")


class Tree(nn.Module):
    """Modules in modules, some called twice, some with a way around them."""

    def __init__(self, parts: list[Any]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(Tree(part) if isinstance(part, list) else nn.Linear(2, 2) for part in parts)
        self.around, self.again = len(parts) % 2 == 0, len(parts) == 3

    def forward(self, x: t.Tensor) -> t.Tensor:
        y = x
        for part in self.parts:
            y = part(y)
        if self.again:
            y = self.parts[0](y.tanh())
        return y + x if self.around else y


TREES = st.recursive(st.just(0), lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=8)
OPTIONS = st.fixed_dictionaries(
    {
        "view": st.sampled_from(("forward", "backward", "both")),
        "values": st.sampled_from(("auto", True, False)),
        "saved": st.booleans(),
        "depth": st.integers(0, 4),
        "rankdir": st.sampled_from(DIRECTIONS),
    }
)


def apart(one: Rectangle, other: Rectangle) -> bool:
    return (
        one.x + one.width <= other.x + 0.01
        or other.x + other.width <= one.x + 0.01
        or one.y + one.height <= other.y + 0.01
        or other.y + other.height <= one.y + 0.01
    )


def inside(inner: Rectangle, outer: Rectangle) -> bool:
    return (
        inner.x >= outer.x
        and inner.y >= outer.y
        and inner.x + inner.width <= outer.x + outer.width + 0.01
        and inner.y + inner.height <= outer.y + outer.height + 0.01
    )


def pieces(places: Layout, number: int) -> list[Rectangle]:
    """The room that an arrow takes: its straight pieces, and the rectangles that hold its bends."""
    way = places.ways[number]
    found = [(s.begin, s.across, s.end, s.across) for s in way]
    found += [(a.end, a.across, b.begin, b.across) for a, b in itertools.pairwise(way)]
    sideways = places.direction in ("LR", "RL")
    corners = [(x1, y1, x2, y2) if sideways else (y1, x1, y2, x2) for x1, y1, x2, y2 in found]
    return [Rectangle(min(x1, x2), min(y1, y2), abs(x1 - x2), abs(y1 - y2)) for x1, y1, x2, y2 in corners]


def check(graph: viz.Graph) -> None:
    """Nothing overlaps, nothing is outside, frames hold their boxes and no others, arrows touch only what they join."""
    scene: Scene = graph._scene
    places = layout(scene, graph._direction)
    page = Rectangle(0, 0, places.width, places.height)
    frames = {cluster.id: cluster.parent for cluster in scene.clusters}

    def around(frame: str | None) -> set[str]:
        found = set()
        while frame is not None:
            found.add(frame)
            frame = frames[frame]
        return found

    assert set(places.boxes) == {box.id for box in scene.boxes}
    assert set(places.clusters) == set(frames)
    for one, other in itertools.combinations(places.boxes.values(), 2):
        assert apart(one, other)
    labels = [label for label in places.labels if label is not None]
    for label in labels:
        assert all(apart(label, box) for box in places.boxes.values())
    for one, other in itertools.combinations(labels, 2):
        assert apart(one, other)
    for place in [*places.boxes.values(), *places.clusters.values(), *labels]:
        assert inside(place, page)
    for box in scene.boxes:
        for name, frame in places.clusters.items():
            place = places.boxes[box.id]
            assert inside(place, frame) if name in around(box.cluster) else apart(place, frame)
    for one, other in itertools.combinations(frames, 2):
        if one not in around(other) and other not in around(one):
            assert apart(places.clusters[one], places.clusters[other])
    for number, arrow in enumerate(scene.arrows):
        for piece in pieces(places, number):
            assert inside(piece, page)
            for name, box in places.boxes.items():
                if name not in (arrow.source, arrow.target):
                    assert apart(piece, box) or not (piece.width or piece.height)


@given(INSTRUCTIONS, OPTIONS)
def test_nothing_overlaps_in_pictures_of_random_programs(instructions: Any, options: dict[str, Any]) -> None:
    _, loss, _ = play(instructions)
    check(viz.draw(loss, **options))


@given(INSTRUCTIONS, OPTIONS)
def test_nothing_overlaps_in_pictures_of_recordings(instructions: Any, options: dict[str, Any]) -> None:
    with viz.record() as tape:
        _, loss, _ = play(instructions)
    check(viz.draw(tape.diagram(loss), **options))


@given(TREES, OPTIONS)
def test_nothing_overlaps_in_pictures_of_random_modules(tree: Any, options: dict[str, Any]) -> None:
    net = Tree(tree if isinstance(tree, list) else [tree])
    check(viz.draw(net(t.ones(1, 2)).sum(), model=net, **options))


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_overlaps_in_the_programs(name: str) -> None:
    check(drawn(name))


def test_every_arrow_starts_and_ends_at_its_boxes() -> None:
    graph = drawn("multilayer_perceptron")
    places = layout(graph._scene, "LR")
    for arrow, way in zip(graph._scene.arrows, places.ways, strict=True):
        source, target = places.boxes[arrow.source], places.boxes[arrow.target]
        assert source.x <= way[0].begin <= source.x + source.width + 0.01
        assert source.y <= way[0].across <= source.y + source.height
        assert target.x - 0.01 <= way[-1].end <= target.x + target.width
        assert target.y <= way[-1].across <= target.y + target.height


def test_the_arrows_of_a_square_are_two() -> None:
    graph = drawn("square")
    places = layout(graph._scene, "LR")
    ends = [way[-1].across for arrow, way in zip(graph._scene.arrows, places.ways, strict=True) if arrow.target == "n1"]
    assert len(ends) == 2
    assert abs(ends[0] - ends[1]) >= 8


def test_a_chain_is_straight() -> None:
    x = y = t.tensor(1.0, requires_grad=True)
    for _ in range(6):
        y = y.tanh()
    places = layout(viz.draw(y, names={"x": x})._scene, "LR")
    assert len({round(s.across, 1) for way in places.ways for s in way}) == 1


def test_a_way_past_many_boxes_is_straight() -> None:
    x = y = t.ones(2, requires_grad=True)
    for _ in range(6):
        y = y.tanh()
    graph = viz.draw(y + x, names={"x": x}, values=False)
    places = layout(graph._scene, "LR")
    ((way, arrow),) = [(w, a) for w, a in zip(places.ways, graph._scene.arrows, strict=True) if a[:2] == ("n0", "n7")]
    assert arrow.kind == "argument"
    assert len({round(stretch.across, 1) for stretch in way[1:-1]}) == 1


def test_a_frame_leaves_room_for_its_name() -> None:
    for name in ("multilayer_perceptron", "twelve_blocks"):
        graph = drawn(name)
        places = layout(graph._scene, "LR")
        for box in graph._scene.boxes:
            if box.cluster is not None:
                assert places.boxes[box.id].y >= places.clusters[box.cluster].y + 20
        for cluster in graph._scene.clusters:
            assert places.clusters[cluster.id].width >= text_width(cluster.label) + 20


def test_chinese_letters_are_wider_than_latin_ones() -> None:
    assert text_width("张量") > text_width("ab")


def test_the_name_of_a_frame_ends_before_the_arrow_from_above():
    boxes = (Box("n0", "data", ("x",)), Box("n1", "op", ("f",), cluster="c0"), Box("n2", "op", ("g",), cluster="c1"))
    arrows = (Arrow("n0", "n1", "argument"), Arrow("n1", "n2", "argument"))
    clusters = (Cluster("c0", "1: Tanh", None), Cluster("c1", "2: Dropout(p=0.1)", None))
    places = layout(Scene("Frames with long names", boxes, arrows, clusters, ()), "TB")
    for cluster in clusters:
        frame = places.clusters[cluster.id]
        title = Rectangle(frame.x + 10, frame.y + 6, text_width(cluster.label), 12)
        assert inside(title, frame)
        for number in range(len(arrows)):
            assert all(apart(title, piece) for piece in pieces(places, number)), cluster.label

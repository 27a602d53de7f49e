"""draw: what the picture says, in which formats, and what it answers to what cannot be drawn."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as t
from tests.viz.drawings import PROGRAMS, Block, Convolutional, drawn, leaf
from tests.viz.test_random_graphs import INSTRUCTIONS, play
from tinygrad_edu import nn, viz
from tinygrad_edu.viz._graph import Diagram, Kind, read
from tinygrad_edu.viz.picture._scene import Box

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</script><img src=x onerror=alert(1)>\"'\\N\\ & <b>{|}"


def box(graph: viz.Graph, name: str) -> Box:
    (found,) = [each for each in graph._scene.boxes if each.id == name]
    return found


def text(graph: viz.Graph, name: str) -> str:
    return " / ".join(box(graph, name).lines)


# --- the picture is the graph


@given(INSTRUCTIONS, st.booleans())
def test_nodes_are_the_vertices_and_arrows_the_edges(instructions: Any, recorded: bool) -> None:
    with viz.record() as tape:
        _, loss, _ = play(instructions)
    diagram = tape.diagram(loss) if recorded else read(loss)
    scene = viz.draw(diagram)._scene
    assert [vertex for each in scene.boxes for vertex in each.vertices] == [vertex.id for vertex in diagram.vertices]
    made_by = {f"{vertex.id}_out": vertex.id for vertex in diagram.vertices}
    arrows = Counter(
        (made_by.get(arrow.source, arrow.source), arrow.target) for arrow in scene.arrows if arrow.kind == "argument"
    )
    assert arrows == Counter((edge.source, edge.target) for edge in diagram.edges)


@given(INSTRUCTIONS)
def test_the_backward_view_has_an_arrow_for_each_edge_that_gradients_take(instructions: Any) -> None:
    _, loss, _ = play(instructions)
    flowing = [edge for edge in read(loss).edges if edge.flows]
    for view in ("backward", "both"):
        arrows = [arrow for arrow in viz.draw(loss, view=view, values=False)._scene.arrows if arrow.kind == "gradient"]
        assert len(arrows) == len(flowing) + 1  # and one into the output


def elements(picture: str) -> Counter[str]:
    """How many nodes, edges and frames an SVG has, by their classes."""
    return Counter(
        group.get("class", "")
        for group in ElementTree.fromstring(picture).iter(f"{SVG}g")
        if group.get("id") != "graph0"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_dot_there_are_the_same_nodes_and_edges(name: str, dot: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = drawn(name)
    with_dot = elements(graph.svg())
    monkeypatch.setenv("PATH", "")
    without = elements(graph.svg())
    without.pop("note", None)
    assert with_dot == without
    assert sum(without.values()) >= 1


def test_a_reused_tensor_has_as_many_arrows() -> None:
    assert drawn("square").source.count("n0 -> n1 ") == 2


def test_a_recording_is_drawn_with_its_values() -> None:
    graph = drawn("fan_out_both_ways")
    assert "[ 6  20]" in text(graph, "n4_out").replace("\u2007", " ")
    assert "+ sum of 3 gradients" in text(graph, "n2_out")
    assert text(graph, "n5_out") == "output / float32 () / value 26 / grad 1"
    assert "y = x * 2" in box(graph, "n2").hint


def test_where_two_gradients_meet_it_is_said() -> None:
    a = t.tensor(3.0, requires_grad=True)
    assert "+ sum of 2 gradients" in text(viz.draw(a * a, view="backward"), "n0")
    assert "sum of" not in viz.draw(a.exp(), view="backward").source


# --- values


def test_values_are_summarised() -> None:
    w = t.arange(16.0).reshape(4, 4).requires_grad_()
    graph = viz.draw((w * 2).sum(), names={"w": w})
    assert text(graph, "n0") == "w / float32 (4, 4) / mean 7.5  std 4.61 / min 0  max 15 / grad not computed"


def test_what_was_not_kept_is_said_and_is_never_zero() -> None:
    w = leaf(1.0, 2.0)
    loss = (w + w).exp().sum()
    graph = viz.draw(loss, values=True)
    assert text(graph, "n1_out") == "(2,) / not kept: run inside viz.record()"
    loss.backward()
    assert "not kept: run inside viz.record()" in text(viz.draw(loss, values=True), "n2_out")
    assert "not kept" not in viz.draw(loss).source


def test_values_false_shows_shapes_alone() -> None:
    w = leaf(1.0, 2.0)
    assert text(viz.draw(w.sum(), names={"w": w}, values=False), "n0") == "w / float32 (2,)"


def test_numbers_that_are_not_finite_are_marked() -> None:
    graph = drawn("not_a_number")
    assert box(graph, "n1_out").role == "failing"
    assert "! contains NaN (1 of 2)" in text(graph, "n1_out")
    x = leaf(float("inf"), 1.0)
    assert "! contains Inf (1 of 2)" in text(viz.draw(x.sum()), "n0")


def test_broadcasting_is_said_at_the_edge() -> None:
    labels = [arrow.label for arrow in drawn("broadcasting")._scene.arrows]
    assert ("(3,) -> (2, 3)", "grad summed over dim 0") in labels


def test_a_product_of_matrices_is_not_taken_for_broadcasting() -> None:
    x, y = t.ones(4, 1, requires_grad=True), t.ones(1, 3, requires_grad=True)
    assert "summed" not in viz.draw(x @ y).source


def test_cuts_and_writes_are_named() -> None:
    graph = drawn("written_in_place_and_cut")
    assert "stopped (detach)" in text(graph, "n3")
    assert "v2: written in place" in text(graph, "n7_out")


def test_what_never_gets_a_gradient_does_not_wait_for_one() -> None:
    with viz.record() as tape:
        x = leaf(1.0, 2.0)
        with t.no_grad():
            scale = x.sum()
        loss = (x * scale).sum()
    graph = viz.draw(tape.diagram(loss), values=True, view="both")
    assert text(graph, "n1_out") == "float32 () / stopped (no_grad) / value 3"
    assert not [arrow for arrow in graph._scene.arrows if arrow.kind == "gradient" and "n1" in arrow[:2]]


def test_an_operation_that_raised_is_marked() -> None:
    with viz.record() as tape, pytest.raises(RuntimeError):
        t.ones(2, 3, requires_grad=True) @ t.ones(2, 2)
    graph = viz.draw(tape.diagram())
    (failed,) = [each for each in graph._scene.boxes if each.role == "failing"]
    assert "! RuntimeError: mat1 and mat2 shapes cannot be" in failed.lines
    assert "cannot be multiplied" in graph._scene.description()


def test_saved_arrays_are_tied_to_where_they_come_from() -> None:
    graph = drawn("what_is_kept")
    assert text(graph, "n1_saved0") == "saved: out / float32 (2,) / 8 bytes"
    assert [arrow[:2] for arrow in graph._scene.arrows if arrow.kind == "saved"] == [
        ("n1", "n1_saved0"),
        ("n2", "n3_saved0"),
        ("n3_saved0", "n3"),
    ]


def test_results_can_be_named() -> None:
    x = leaf(1.0, 2.0)
    h = x.exp()
    graph = viz.draw((h * h).sum(), names={"x": x, "hidden": h})
    assert text(graph, "n1_out").startswith("hidden / float32 (2,) / [2.718  7.389]")


# --- modules


def test_modules_are_frames_and_hold_their_parameters() -> None:
    graph = drawn("multilayer_perceptron")
    labels = {cluster.id: cluster.label for cluster in graph._scene.clusters}
    assert list(labels.values()) == ["Sequential", "0: Linear(2, 3)", "1: Tanh", "2: Linear(3, 1)"]
    assert {labels[str(b.cluster)] for b in graph._scene.boxes if "2." in b.lines[0]} == {"2: Linear(3, 1)"}
    assert [b.cluster for b in graph._scene.boxes if b.role == "data"] == [None, None]


def test_depth_folds_modules() -> None:
    graph = drawn("convolution_folded")
    assert text(graph, "m2") == "features: Sequential / (1, 1, 6, 6) -> (1, 2, 2, 2) / 24 parameters / 4 operations"
    assert "2 boxes stand for folded modules." in graph.source
    net = Convolutional()
    out = net(t.ones(1, 1, 6, 6)).sum()
    assert len(viz.draw(out, model=net, depth=0)._scene.boxes) == 4  # data, the network, sum, output
    assert not any(each.role == "module" for each in viz.draw(out, model=net)._scene.boxes)


def test_equal_blocks_in_a_row_are_one_box() -> None:
    graph = drawn("twelve_blocks")
    (folded,) = [each for each in graph._scene.boxes if each.role == "module"]
    assert folded.lines[:2] == ("Block x 12", "0 ... 11")
    net = nn.Sequential(*[Block() for _ in range(12)])
    opened = viz.draw(net(t.ones(2, 3)).sum(), model=net, collapse_repeated=False)
    assert sum(cluster.label.endswith("Block") for cluster in opened._scene.clusters) == 12


def test_two_blocks_and_unequal_ones_stay_apart() -> None:
    for net in (nn.Sequential(nn.Tanh(), nn.Tanh()), nn.Sequential(nn.Tanh(), nn.ReLU(), nn.Tanh(), nn.ReLU())):
        graph = viz.draw(net(leaf(1.0)).sum(), model=net)
        assert not any(each.role == "module" for each in graph._scene.boxes)


def test_a_module_called_twice_is_two_frames() -> None:
    layer = nn.Linear(2, 2)
    h = layer(t.ones(1, 2)).tanh()
    graph = viz.draw(layer(h).sum(), model=layer)
    assert [cluster.label for cluster in graph._scene.clusters] == ["Linear(2, 2)", "Linear(2, 2) (call 2)"]


def test_above_the_limit_modules_are_folded_and_it_is_said() -> None:
    net = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.Tanh()) for _ in range(5)])
    graph = viz.draw(net(t.ones(1, 2)).sum(), model=net, max_nodes=10, collapse_repeated=False)
    assert len(graph._scene.boxes) <= 10
    assert "Modules deeper than 1 are folded: more than 10 boxes." in graph.source


def test_a_very_deep_graph_is_folded_into_chains() -> None:
    x = y = t.tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y + x
    graph = viz.draw(y, names={"x": x})
    assert "chain of 5000 operations" in graph.source
    assert "Chains of operations are folded" in graph.to_text()
    assert viz.draw(y, max_nodes=6000).source.count(' [class="argument"]') == 10_000


def test_a_graph_too_large_names_the_option() -> None:
    x = leaf(1.0, 2.0)
    total = x.sum()
    for number in range(30):
        total = total + (x * number).exp().sum() * (x + number).sum()
    with pytest.raises(ValueError, match=r"boxes, more than max_nodes=20, .* draw\(\.\.\., max_nodes=\d+\)"):
        viz.draw(total, max_nodes=20)


# --- formats


def test_it_is_saved_by_suffix(tmp_path: Path) -> None:
    graph = drawn("square")
    for suffix in ("dot", "gv", "svg", "html", "json", "txt"):
        graph.save(tmp_path / f"graph.{suffix}")
    assert (tmp_path / "graph.dot").read_text("utf-8") == (tmp_path / "graph.gv").read_text("utf-8") == graph.source
    assert (tmp_path / "graph.txt").read_text("utf-8") == graph.to_text()
    content = json.loads((tmp_path / "graph.json").read_text("utf-8"))
    assert [node["id"] for node in content["nodes"]] == ["n0", "n1", "n1_out"]
    assert len(content["edges"]) == 3
    assert (tmp_path / "graph.html").read_text("utf-8").count("<svg") == 1
    with pytest.raises(ValueError, match=r"graph\.bmp: a graph is saved as .*\.txt, not \.bmp"):
        graph.save(tmp_path / "graph.bmp")
    assert repr(graph) == "<Graph of 3 nodes>"


def test_dot_draws_png_and_pdf(tmp_path: Path, dot: str) -> None:
    graph = drawn("multilayer_perceptron")
    graph.save(tmp_path / "graph.png")
    graph.save(str(tmp_path / "graph.PDF"))
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "graph.PDF").read_bytes().startswith(b"%PDF")


def test_without_dot_png_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match=r"graph\.png: a PNG needs .*apt install graphviz.*Save to \.svg or \.html"):
        drawn("square").save(tmp_path / "graph.png")
    assert not (tmp_path / "graph.png").exists()
    drawn("square").save(tmp_path / "graph.svg")


def test_a_dot_that_cannot_run_is_as_good_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    graph = drawn("square")
    assert 'class="node op"' in graph.svg()
    with pytest.raises(RuntimeError, match=r"graph\.pdf: .* dot .*failed"):
        graph.save(tmp_path / "graph.pdf")


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot be written .* Create the folder"):
        drawn("square").save(tmp_path / "missing" / "graph.dot")


def test_a_notebook_gets_a_picture_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    graph = drawn("square")
    assert graph._repr_mimebundle_() == {"image/svg+xml": graph._repr_svg_(), "text/plain": graph.to_text()}


def test_the_text_tells_the_graph() -> None:
    assert (
        drawn("multilayer_perceptron").to_text()
        == """\
Graph of a result: 4 operations, 4 parameters, 2 inputs.
  n4  data  data  float32 (4, 2)
  Sequential
    0: Linear(2, 3)
      n0  parameter  0.weight  float32 (3, 2)
      n1  parameter  0.bias  float32 (3,)
      n5  op  linear(n4 [X], n0 [W], n1 [b (3,) -> (4, 3); grad summed over dim 0])  C = X @ W^T + b  (4, 3)
    1: Tanh
      n6  op  tanh(n5)  C = tanh(A)  (4, 3)
    2: Linear(3, 1)
      n2  parameter  2.weight  float32 (1, 3)
      n3  parameter  2.bias  float32 (1,)
      n7  op  linear(n6 [X], n2 [W], n3 [b (1,) -> (4, 1); grad summed over dim 0])  C = X @ W^T + b  (4, 1)
  n8  data  data  float32 (4, 1)
  n9  op  mse_loss(n7 [A], n8 [B])  C = mean((A - B)^2)  reduction=mean
  n9_out  output  <- n9  float32 ()
"""
    )


def test_the_text_tells_both_ways_and_what_is_kept() -> None:
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    assert (
        viz.draw(y, names={"x": x}, view="both", saved=True, values=False).to_text()
        == """\
Graph of a result: 2 operations, 1 parameter.
  n0  parameter  x  float32 (2,)  + sum of 2 gradients  gradient from n1, n1
  n1  op  mul(n0, n0)  C = A * B  (2,)  gradient from n2
  n2  op  sum(n1)  C = sum(A)  gradient from n2_out
  n2_out  output  <- n2  float32 ()
  n1_saved0  saved  saved: x(n0)  float32 (2,)  8 bytes
  n1_saved1  saved  saved: y(n0)  float32 (2,)  8 bytes
"""
    )


@pytest.mark.parametrize("path", ["", None], ids=["own layout", "dot"])
def test_the_picture_can_be_read_aloud_and_fits_its_place(
    path: str | None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path is None:
        request.getfixturevalue("dot")
    else:
        monkeypatch.setenv("PATH", path)
    root = ElementTree.fromstring(drawn("multilayer_perceptron").svg())
    assert (root.tag, root.get("role"), root.get("width")) == (f"{SVG}svg", "img", "100%")
    assert root.get("viewBox")
    assert root.findtext(f"{SVG}title") == "Graph of a result"
    assert root.findtext(f"{SVG}desc") == "Graph of a result: 4 operations, 4 parameters, 2 inputs."


def test_a_theme_can_be_fixed() -> None:
    a = t.tensor(3.0, requires_grad=True)
    pictures = {theme: viz.draw(a * a, theme=theme).svg() for theme in ("auto", "light", "dark")}
    assert "prefers-color-scheme: dark" in pictures["auto"]
    assert "#14171a" not in pictures["light"]
    assert "prefers-color-scheme" not in pictures["dark"]
    assert "#14171a" in viz.draw(a * a, theme="dark").source


# --- names that mean harm


@pytest.mark.parametrize("path", ["", None], ids=["own layout", "dot"])
def test_a_hostile_name_stays_text(
    path: str | None, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path is None:
        request.getfixturevalue("dot")
    else:
        monkeypatch.setenv("PATH", path)
    x = leaf(1.0)
    net = nn.Module()
    net.register_parameter("w\x00\n", nn.Parameter(t.ones(1)))
    y = (x * net.get_parameter("w\x00\n")).exp()
    for mode in ("tensor", "scalar"):
        graph = viz.draw(y, model=net, names={HOSTILE: x, "<i>": y}, mode=mode)
        picture = ElementTree.fromstring(graph.svg())
        assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= {
            "svg",
            "title",
            "desc",
            "style",
            "g",
            "rect",
            "text",
            "path",
            "polygon",
            "ellipse",
            "polyline",
        }
        texts = "".join(picture.itertext()).replace("\xa0", " ")
        assert HOSTILE[:49] in texts
        graph.save(tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text("utf-8")
        assert "<img" not in page
        assert "<script" not in page
        assert "default-src 'none'" in page


def test_dot_reads_a_hostile_name_as_it_is(dot: str) -> None:
    x = leaf(1.0)
    for mode in ("tensor", "scalar"):
        source = viz.draw(x.exp(), names={HOSTILE: x}, mode=mode).source
        done = subprocess.run([dot, "-Tsvg"], input=source, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        assert HOSTILE[:49] in "".join(ElementTree.fromstring(done.stdout).itertext()).replace("\xa0", " ")


# --- what cannot be drawn


def test_a_tensor_without_a_graph_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"there is no graph to draw: none of the tensors .* requires grad"):
        viz.draw(t.zeros(2))


def test_what_is_no_tensor_is_a_sentence() -> None:
    with pytest.raises(TypeError, match=r"draw: expected a tensor, or the tape of viz\.record\(\), got float"):
        viz.draw(3.0)  # type: ignore[arg-type]  # that is the point


def test_a_tape_is_drawn_up_to_its_last_backward() -> None:
    with viz.record() as tape:
        x = leaf(1.0, 2.0)
        (x * x).sum().backward()
        x.exp()
    assert viz.draw(tape).source == viz.draw(tape.diagram()).source
    assert "exp" not in viz.draw(tape).source


def test_an_unknown_choice_is_a_sentence() -> None:
    x = leaf(1.0)
    for option, value in (("view", "up"), ("rankdir", "XY"), ("theme", "grey"), ("mode", "scalars")):
        with pytest.raises(ValueError, match=rf"draw: {option} is one of '.*', not '{value}'"):
            viz.draw(x.sum(), **{option: value})
    for limits in ({"depth": -1}, {"max_nodes": 0}):
        with pytest.raises(ValueError, match="depth is at least 0 and max_nodes at least 1"):
            viz.draw(x.sum(), **limits)


def test_drawing_changes_nothing() -> None:
    with viz.record() as tape:
        x = leaf(1.0, 2.0)
        y = (x * x).sum()
        y.backward()
    diagram: Diagram = tape.diagram(y)
    before = [(v.id, v.value, v.grad) for v in diagram.vertices]
    viz.draw(diagram, values=True, saved=True, view="both").svg()
    assert all(
        a is c and b is d
        for (_, a, b), (_, c, d) in zip(before, [(v.id, v.value, v.grad) for v in diagram.vertices], strict=True)
    )
    assert x.grad.tolist() == [2.0, 4.0]
    assert Kind.OP in {v.kind for v in diagram.vertices}


def test_every_coordinate_is_a_plain_number() -> None:
    for name in PROGRAMS:
        picture = drawn(name).svg()
        assert not re.search(
            r'"[^"]*\b(nan|inf|e[+-]\d)\b[^"]*"',
            re.sub(r"<(text|title|desc|style).*?</\1>", "", picture, flags=re.DOTALL),
        )

"""The scalar view: a graph number by number, as micrograd draws it."""

from __future__ import annotations

from collections import Counter

import pytest

import tinygrad_edu as t
from tests.viz.drawings import leaf
from tinygrad_edu import viz
from tinygrad_edu.nn import functional as F


def example() -> tuple[t.Tensor, t.Tensor, t.Tensor]:
    """Run the example of micrograd's README."""
    a = t.tensor(-4.0, dtype=t.float64, requires_grad=True)
    b = t.tensor(2.0, dtype=t.float64, requires_grad=True)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return a, b, g


def arrows(graph: viz.Graph) -> Counter[tuple[str, str]]:
    return Counter(arrow[:2] for arrow in graph._scene.arrows)


def test_micrograds_example_shows_micrograds_numbers() -> None:
    a, b, g = example()
    source = viz.draw(g, names={"a": a, "b": b, "g": g}, mode="scalar").source
    assert '"{ a | data -4.0000 | grad 138.8338 }"' in source
    assert '"{ b | data 2.0000 | grad 645.5773 }"' in source
    assert '"{ g | data 24.7041 | grad not kept }"' in source


def test_recorded_every_number_has_its_data_and_its_gradient() -> None:
    with viz.record() as tape:
        _, _, g = example()
    graph = viz.draw(tape.diagram(g), mode="scalar")
    assert "not kept" not in graph.source
    assert '"{ output | data 24.7041 | grad 1.0000 }"' in graph.source
    assert '"{ data -7.0000 | grad -6.9417 }"' in graph.source  # e, as micrograd's own picture has it
    symbols = Counter(box.lines[0] for box in graph._scene.boxes if box.role == "op")
    assert symbols["ReLU"] == 2
    assert symbols["**2"] == symbols["**3"] == 1


def test_a_square_has_two_arrows() -> None:
    a = t.tensor(3.0, requires_grad=True)
    assert arrows(viz.draw(a * a, mode="scalar")) == {("n0", "n1"): 2, ("n1", "n1_out"): 1}


def test_a_product_of_matrices_uses_rows_and_columns() -> None:
    w = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = leaf(5.0, 6.0)
    y = w @ x
    found = arrows(viz.draw(y, names={"w": w, "x": x}, mode="scalar"))
    used = {op: {source for source, target in found if target == op} for op in ("n2_0", "n2_1")}
    assert used == {"n2_0": {"n0_0", "n0_1", "n1_0", "n1_1"}, "n2_1": {"n0_2", "n0_3", "n1_0", "n1_1"}}


def test_broadcasting_elements_and_sums_are_followed() -> None:
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = leaf(1.0, 2.0)
    found = arrows(viz.draw(((x + b) * x)[0].sum(), names={"x": x, "b": b}, mode="scalar"))
    add, pick, total = "n2", "n4", "n5"
    assert {source for source, target in found if target == f"{add}_3"} == {"n0_3", "n1_1"}
    assert {source for source, target in found if target == f"{pick}_1"} == {"n3_1_out"}
    assert {source for source, target in found if target == total} == {f"{pick}_0_out", f"{pick}_1_out"}


def test_a_softmax_uses_its_whole_row() -> None:
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    found = arrows(viz.draw(F.softmax(x, dim=1), mode="scalar"))
    assert {source for source, target in found if target == "n1_3"} == {"n0_2", "n0_3"}


def test_elements_are_named_by_their_place() -> None:
    w = t.tensor([[1.0, 2.0]], requires_grad=True)
    source = viz.draw(w.sum(), names={"w": w}, mode="scalar").source
    assert '"{ w[0, 1] | data 2.0000 | grad not computed }"' in source


def test_a_large_graph_is_refused_with_a_way_out() -> None:
    with pytest.raises(ValueError, match=r"up to 60 numbers, and this graph has 101\. .* mode='tensor'"):
        viz.draw(t.ones(100, requires_grad=True).sum(), mode="scalar")


def test_settings_that_are_gone_are_said() -> None:
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = F.softmax(x, dim=0).sum()
    y.backward()
    with pytest.raises(
        ValueError, match=r"its settings were not kept\. Draw before backward\(\), or run inside viz\.record\(\)"
    ):
        viz.draw(y, mode="scalar")

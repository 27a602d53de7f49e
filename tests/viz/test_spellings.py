"""make_dot and draw_dot: what programs written for torchviz and micrograd find."""

from __future__ import annotations

import builtins
from pathlib import Path

import graphviz
import pytest

import tinygrad_edu as t
from tests.viz.drawings import leaf
from tinygrad_edu import nn, viz


def test_make_dot_gives_a_digraph_of_the_backward_graph() -> None:
    net = nn.Linear(2, 1)
    drawing = viz.make_dot(net(t.ones(1, 2)).sum(), params=dict(net.named_parameters()))
    assert isinstance(drawing, graphviz.Digraph)
    for word in ("AddmmBackward0", "SumBackward0", "weight", "(1, 2)", "rankdir=TB"):
        assert word in drawing.source


def test_show_attrs_adds_settings_and_shortens_them() -> None:
    x = t.ones(2, 3, requires_grad=True)
    y = x.reshape(3, 2).sum()
    assert "shape=(3, 2)" not in viz.make_dot(y).source
    assert "shape=(3, 2)" in viz.make_dot(y, show_attrs=True).source
    assert "shape=(3…" in viz.make_dot(y, show_attrs=True, max_attr_chars=9).source


def test_show_saved_adds_what_is_kept() -> None:
    x = leaf(1.0, 2.0)
    assert "saved" not in viz.make_dot(x.exp().sum()).source
    assert "saved: out" in viz.make_dot(x.exp().sum(), show_saved=True).source


def test_the_digraph_has_the_source_of_draw() -> None:
    a = t.tensor(3.0, requires_grad=True)
    y = a * a
    assert viz.draw_dot(y).source == viz.draw(y, mode="scalar").source
    assert viz.draw_dot(y, rankdir="TB").source == viz.draw(y, mode="scalar", rankdir="TB").source


def test_it_can_be_changed_and_rendered(tmp_path: Path, dot: str) -> None:
    drawing = viz.draw_dot(t.tensor(3.0, requires_grad=True).exp(), format="png")
    drawing.attr(bgcolor="lightyellow")
    rendered = Path(drawing.render(tmp_path / "graph", cleanup=True))
    assert rendered.name == "graph.png"
    assert rendered.read_bytes().startswith(b"\x89PNG")


def test_without_dot_a_notebook_shows_our_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    shown = viz.make_dot(t.tensor(3.0, requires_grad=True).exp())._repr_mimebundle_()
    assert shown["image/svg+xml"].startswith("<svg")


def test_without_the_package_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "graphviz":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(builtins, "__import__", without)
    y = t.tensor(3.0, requires_grad=True).exp()
    with pytest.raises(ImportError, match=r"pip install graphviz"):
        viz.make_dot(y)
    assert viz.draw(y).svg().startswith("<svg")


def test_a_wrong_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="rankdir is 'LR' or 'TB', not 'up'"):
        viz.draw_dot(t.tensor(3.0, requires_grad=True).exp(), rankdir="up")

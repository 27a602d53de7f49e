"""draw: the graph of a result as DOT text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import tinygrad_edu as t
from tests.oracle import both
from tinygrad_edu import nn, viz
from tinygrad_edu.nn import functional as F


def test_the_text_is_the_same_for_torchs_graph() -> None:
    def source(f: object) -> str:
        x = f.tensor([[1.0, 2.0]], requires_grad=True)  # type: ignore[attr-defined]  # either framework
        w = f.tensor([[3.0], [4.0]], requires_grad=True)  # type: ignore[attr-defined]
        y = x @ w
        return viz.draw((y * y + f.exp(y)).sum()).source  # type: ignore[attr-defined]

    assert "MmBackward0" in both(source)


def test_it_is_the_same_on_every_run() -> None:
    def source() -> str:
        t.manual_seed(0)
        net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
        return viz.draw(net(t.ones(4, 2)).sum(), model=net).source

    assert source() == source()


def test_parameters_carry_their_names() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    source = viz.draw(F.mse_loss(net(t.ones(4, 2)), t.zeros(4, 1)), model=net).source
    for name, parameter in net.named_parameters():
        assert f'label="{name}\\nfloat32 {tuple(parameter.shape)}"' in source


def test_every_edge_is_drawn_even_twice() -> None:
    x = t.tensor(3.0, requires_grad=True)
    source = viz.draw(x * x).source
    assert source.count("n2 -> n1") == 2
    assert "9" in source


def test_a_tensor_without_graph_is_one_node() -> None:
    assert viz.draw(t.zeros(2)).source.count("label=") == 1


def test_quotes_in_names_are_escaped() -> None:
    net = nn.Module()
    net.register_parameter('w"\\', nn.Parameter(t.ones(1)))
    assert 'label="w\\"\\\\\\nfloat32 (1,)"' in viz.draw(next(net.parameters()).sum(), model=net).source


def test_a_very_deep_graph_is_drawn() -> None:
    x = y = t.tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y + x
    assert viz.draw(y).source.count(" -> ") == 10_001


def test_it_is_saved_by_suffix(tmp_path: Path) -> None:
    graph = viz.draw(t.ones(2, requires_grad=True).sum())
    graph.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text("utf-8") == graph.source
    with pytest.raises(ValueError, match=r"\.dot, \.gv or \.svg"):
        graph.save(tmp_path / "graph.bmp")
    assert "Graph" in repr(graph)


def test_an_svg_needs_dot_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = viz.draw(t.ones(2, requires_grad=True).sum())
    if shutil.which("dot"):
        assert "<svg" in (graph.svg() or "")
    monkeypatch.setenv("PATH", "")
    assert graph.svg() is None
    with pytest.raises(RuntimeError, match="apt install graphviz"):
        graph.save(tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()

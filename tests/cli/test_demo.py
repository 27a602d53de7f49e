"""``demo``: what it prints and leaves behind; and how well its network learns."""

from __future__ import annotations

import builtins
import re
from pathlib import Path

import pytest

import tinygrad_edu
from tinygrad_edu._cli import _digits, demo, main


def test_the_demo_tells_its_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--epochs", "2", "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert re.fullmatch(r"test accuracy: \d+\.\d %", lines[-1])
    assert [line for line in lines if line.startswith("test accuracy")] == lines[-1:]
    assert "Total params: 13,802" in lines
    assert any(line.startswith("loss: ") for line in lines)
    assert any("predictions equal" in line for line in lines)
    assert "90/90" in printed.err
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files >= {"digits.pt", "digits_loss.dot", "digits_loss.svg"}
    assert (tmp_path / "out" / "digits_loss.dot").read_text("utf-8").startswith("digraph")
    for name in files:
        assert str(tmp_path / "out" / name) in printed.out


def test_the_demo_works_without_tqdm_and_graphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name in ("tqdm", "graphviz"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setenv("PATH", "")
    assert main(["demo", "--epochs", "1", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "[##########] 45/45 loss " in printed.err
    assert "<svg" in (tmp_path / "digits_loss.svg").read_text("utf-8")


def test_progress_passes_everything_on(capsys: pytest.CaptureFixture[str]) -> None:
    losses = [tinygrad_edu.tensor(float(i)) for i in range(7)]
    assert list(demo.progress(iter(losses), 7)) == losses
    assert list(demo._plain_progress(iter(losses), 7)) == losses
    capsys.readouterr()


def test_five_splits_reach_97_percent_on_average_and_96_at_least() -> None:
    reached = [_digits.trained(seed) for seed in range(5)]
    assert sum(reached) / 5 >= 97, reached
    assert min(reached) >= 96, reached

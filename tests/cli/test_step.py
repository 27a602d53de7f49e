"""``step``: an unchanged script's backward() one operation at a time, on a page or in the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_graph import RAISING, TRAINING, written
from tinygrad_edu._cli import main


def test_the_text_shows_the_first_backward_with_lines_values_and_gradients(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["step", "--text", written(tmp_path, TRAINING)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("done True\n8 steps: 3 forward, 5 backward\n")
    assert "Line 5 of script.py: loss = (net(x) ** (step + 1)).mean()" in out
    assert "the gradient of net.weight has arrived" in out
    assert "not kept" not in out


def test_options_may_stand_behind_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = written(tmp_path, "import sys\nprint(sys.argv[1:])\n" + TRAINING)
    assert main(["step", script, "--epochs", "3", "--text", "--", "--nth", "9"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("['--epochs', '3', '--nth', '9']\n")
    assert "8 steps: 3 forward, 5 backward\n" in out


def test_another_backward_and_another_language_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["step", "--text", "--nth", "3", "--language", "zh", written(tmp_path, TRAINING)]) == 0
    out = capsys.readouterr().out
    assert "共 8 步" in out
    assert "exponent=3" in out


def test_the_page_is_written_where_asked_and_named_after_the_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = written(tmp_path, TRAINING)
    monkeypatch.chdir(tmp_path)
    assert main(["step", script]) == 0
    assert capsys.readouterr().out.endswith("8 steps of script.py: script_steps.html\n")
    assert "<!doctype html>" in (tmp_path / "script_steps.html").read_text("utf-8")
    assert main(["step", "--out", "other.html", script]) == 0
    assert (tmp_path / "other.html").is_file()


def test_a_script_that_raises_is_shown_up_to_the_operation_that_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["step", "--text", written(tmp_path, RAISING)]) == 1
    out, err = capsys.readouterr()
    assert "Traceback" in err
    assert "forward: mm raised an error" in out
    assert "Error: RuntimeError: mat1 and mat2 shapes cannot be multiplied" in out
    page = tmp_path / "page.html"
    assert main(["step", "--out", str(page), written(tmp_path, RAISING)]) == 1
    assert page.is_file()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--nth", "9"], "calls backward() 3 times, so there is no number 9"),
        (["--max-nodes", "2"], "more than --max-nodes 2: pass --max-nodes 6"),
        (["--out", "missing/page.html"], "there is no folder 'missing'; make it first"),
    ],
)
def test_what_cannot_be_shown_is_said_with_the_remedy(
    options: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = written(tmp_path, TRAINING)
    monkeypatch.chdir(tmp_path)
    assert main(["step", *options, script]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_script_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["step", "missing.py"]) == 2
    assert capsys.readouterr().err == "step: no such script: missing.py\n"

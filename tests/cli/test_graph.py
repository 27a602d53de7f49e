"""``graph``: what an unchanged script's backward() walked, as a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

import tinygrad_edu as t
from tinygrad_edu._cli import main
from tinygrad_edu._cli._recording import record_script
from tinygrad_edu.viz._record import record

TRAINING = """\
import torch
net = torch.nn.Linear(2, 1)
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
for step in range(3):
    loss = (net(x) ** (step + 1)).mean()
    loss.backward()
print("done", net.weight.grad is not None)
"""
RAISING = """\
import torch
w = torch.ones(2, 3, requires_grad=True)
h = torch.ones(4, 2) @ w
other = w.exp()
y = h @ torch.ones(2, 2)
y.sum().backward()
"""
REFUSING = """\
import torch
scores = torch.zeros(2, 3, requires_grad=True) * 2
torch.nn.functional.cross_entropy(scores, torch.tensor([1, 2, 0])).backward()
"""


def written(folder: Path, text: str) -> str:
    path = folder / "script.py"
    path.write_text(text, "utf-8")
    return str(path)


def test_the_first_backward_is_recorded_and_the_script_runs_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape, status = record_script(written(tmp_path, TRAINING), [])
    assert (status, capsys.readouterr().out) == (0, "done True\n")
    assert len(tape.walks) == tape.backwards == 1
    diagram = tape.diagram()
    assert [vertex.name for vertex in diagram.vertices] == ["net.weight", "net.bias", "x", "linear", "power", "average"]
    assert diagram.vertices[3].source == ("script.py", 5, "loss = (net(x) ** (step + 1)).mean()")
    assert record._running is None


def test_the_nth_backward_is_the_only_one_kept(tmp_path: Path) -> None:
    tape, _ = record_script(written(tmp_path, TRAINING), [], nth=3)
    assert (tape.backwards, len(tape.walks)) == (3, 1)
    assert [vertex.settings for vertex in tape.diagram().ops()] == [{}, {"exponent": 3}, {}]


def test_the_picture_is_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "loss.dot"
    assert main(["graph", "--out", str(out), "--nth", "2", written(tmp_path, TRAINING)]) == 0
    assert (
        capsys.readouterr().out == f"done True\ngraph of 3 operations behind backward() number 2 (script.py:6): {out}\n"
    )
    assert "net.weight" in out.read_text("utf-8")


def test_a_script_that_raises_is_drawn_up_to_the_operation_that_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script, out = written(tmp_path, RAISING), tmp_path / "graph.dot"
    tape, status = record_script(script, [])
    diagram = tape.diagram()
    failed = diagram[diagram.output]
    assert status == 1
    assert failed.error == tape.error
    assert str(failed.error).startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x3 and 2x2)")
    assert failed.source == ("script.py", 5, "y = h @ torch.ones(2, 2)")
    assert [vertex.name for vertex in diagram.ops()] == ["mm", "exp", "mm"]  # exp shares w with what failed
    capsys.readouterr()
    assert main(["graph", "--out", str(out), script]) == 1
    said = capsys.readouterr()
    assert said.out == f"graph of 3 operations, up to mm, which raised: {out}\n"
    assert "Traceback" in said.err
    assert "cannot be multiplied" in out.read_text("utf-8")


def test_a_function_that_refuses_its_arguments_is_marked_like_an_operation(tmp_path: Path) -> None:
    tape, _ = record_script(written(tmp_path, REFUSING), [])
    diagram = tape.diagram()
    failed = diagram[diagram.output]
    assert failed.name == "cross_entropy"
    assert failed.source is not None
    assert failed.source.line == 3
    assert [edge.argument for edge in diagram.into(failed.id)] == ["input", "target"]
    assert str(failed.error).startswith("ValueError: Expected input batch_size (2) to match target batch_size (3)")


@pytest.mark.parametrize(
    ("text", "nth", "sentence"),
    [
        (
            "import torch\ntorch.ones(2).sum()\n",
            1,
            "graph: the script never calls backward(), so there is no graph to show",
        ),
        (TRAINING, 5, "graph: the script calls backward() 3 times, so there is no number 5: give --nth 1 to 3.\n"),
        (
            "1 / 0\n",
            1,
            "graph: the script raised before any operation ran, so there is nothing to show: ZeroDivisionError",
        ),
    ],
)
def test_nothing_to_draw_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, nth: int, sentence: str
) -> None:
    assert main(["graph", "--nth", str(nth), written(tmp_path, text)]) != 0
    assert sentence in capsys.readouterr().err


def test_bad_arguments_are_answered_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = written(tmp_path, TRAINING)
    assert main(["graph", str(tmp_path / "none.py")]) == 2
    assert "graph: no such script" in capsys.readouterr().err
    assert main(["graph", "--out", str(tmp_path / "no" / "folder.dot"), script]) == 2
    assert "folder.dot: the picture cannot be written (No such file or directory)" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["graph", "--nth", "0", script])
    assert "'0' is no number from 1" in capsys.readouterr().err


def test_recording_changes_nothing_that_the_script_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import torch, sys\ntorch.manual_seed(0)\n" + TRAINING.replace('"done"', "sys.argv[1:], net.weight, loss")
    script = written(tmp_path, text)
    main(["run", script, "a", "b"])
    plain = capsys.readouterr().out
    record_script(script, ["a", "b"])
    assert capsys.readouterr().out == plain
    assert not t.is_tensor(plain)

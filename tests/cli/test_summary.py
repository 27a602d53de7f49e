"""``summary``: the layers of a model in a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_edu._cli import main

SCRIPT = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
    def forward(self, x):
        return torch.relu(self.fc(x))
class Sized(Net):
    def __init__(self, size):
        super().__init__()
ready = nn.Sequential(nn.Linear(3, 1))
if __name__ == "__main__":
    raise AssertionError("not to be run")
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "net.py"
    path.write_text(SCRIPT)
    return str(path)


@pytest.mark.parametrize(("name", "total"), [("Net", 8), ("ready", 4)])
def test_a_class_or_an_instance_is_shown(
    name: str, total: int, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", f"{script}:{name}", "--input", "3", "--batch", "7"]) == 0
    printed = capsys.readouterr().out
    assert f"Total params: {total}\n" in printed
    assert "[7, " in printed


def test_without_an_input_the_layers_are_shown_as_they_are_held(
    script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", f"{script}:Net"]) == 0
    printed = capsys.readouterr().out
    assert "├─Linear: 1-1                            8\n" in printed
    assert "Total params: 8\n" in printed
    assert "Output Shape" not in printed


def test_info_prints_the_tree(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", f"{script}:Net", "--input", "3", "--batch", "7", "--info"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[3:5]] == [
        ["Net", "[7,", "2]", "--"],
        ["├─Linear:", "1-1", "[7,", "2]", "8"],
    ]


@pytest.mark.parametrize("form", [[], ["--info"]])
def test_whole_numbers_may_go_in(form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "words.py"
    script.write_text("import torch\nnet = torch.nn.Embedding(9, 4)\n")
    assert main(["summary", f"{script}:net", "--input", "6", "--batch", "2", "--dtype", "int64", *form]) == 0
    assert "[2, 6, 4]" in capsys.readouterr().out


def test_an_unknown_name_lists_the_models(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", f"{script}:Nett", "--input", "3"]) == 2
    assert "defines no 'Nett'; models there: Net, Sized, ready" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["nowhere.py:Net", "net.py"])
def test_a_wrong_path_is_named(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", model, "--input", "3"]) == 2
    assert "script.py:Net" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "given", "status", "words"),
    [
        ("Sized", "3", 2, "missing 1 required positional argument: 'size'. Make one in the script, model = Sized(...)"),
        ("torch", "3", 2, "'torch' in {script} is no model; models there: Net, Sized, ready"),
        ("Net", "4", 1, "mat1 and mat2 shapes cannot be multiplied"),
        ("Net", "-4", 1, "input_size is the shape of one input"),
    ],
)
def test_what_goes_wrong_is_said_without_a_traceback(
    name: str, given: str, status: int, words: str, script: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["summary", f"{script}:{name}", "--input", given]) == status
    said = capsys.readouterr().err
    assert said.startswith("summary: ")
    assert words.format(script=script) in said

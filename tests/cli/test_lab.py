"""``lab``: the theory laboratory at the command line."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import pytest

from tests.lab.conftest import measured
from tinygrad_edu import lab
from tinygrad_edu._cli import main
from tinygrad_edu.lab import _figure

Printed = pytest.CaptureFixture[str]


def test_an_experiment_prints_its_numbers_and_writes_its_figure(tmp_path: Path, capsys: Printed) -> None:
    assert main(["lab", "saturation", "--out", str(tmp_path / "new" / "folder")]) == 0
    printed = capsys.readouterr().out
    assert "The sigmoid saturates\n" in printed
    assert "18.07%" in printed
    figure = tmp_path / "new" / "folder" / "saturation.png"
    assert f"figure: {figure}\n" in printed
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_it_speaks_chinese(capsys: Printed) -> None:
    assert main(["lab", "saturation", "--language", "zh", "--no-figure"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("sigmoid 会饱和\n")
    assert "斜率" in printed
    assert "figure" not in printed


def test_another_seed_finds_other_numbers(capsys: Printed) -> None:
    printed = []
    for seed in "112":
        assert main(["lab", "local-minima", "--seed", seed, "--no-figure"]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_is_complete(language: str, capsys: Printed) -> None:
    assert main(["lab", "--list", "--language", language]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(lab.EXPERIMENTS)
    for line, experiment in zip(lines, lab.EXPERIMENTS.values(), strict=True):
        assert line.endswith(experiment.title.within(language))


def test_all_runs_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Printed) -> None:
    asked = []

    def again(name: str, findings: object, seed: int) -> object:
        asked.append((name, seed))
        return findings

    for name, experiment in list(lab.EXPERIMENTS.items()):  # measured once for all tests: the others run them for real
        quick = functools.partial(again, name, measured(name))
        monkeypatch.setitem(lab.EXPERIMENTS, name, dataclasses.replace(experiment, run=quick))
    assert main(["lab", "--all", "--seed", "7", "--out", str(tmp_path)]) == 0
    assert asked == [(name, 7) for name in lab.EXPERIMENTS]
    printed = capsys.readouterr().out
    for experiment in lab.EXPERIMENTS.values():
        assert experiment.title.en in printed
    assert {path.stem for path in tmp_path.glob("*.png")} == set(lab.EXPERIMENTS)


def test_an_unknown_name_is_answered_with_the_choices(capsys: Printed) -> None:
    assert main(["lab", "vanish"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("lab: there is no experiment 'vanish'. Did you mean vanishing? There are: saturation, xor, ")
    assert main(["lab", "qqq"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


def test_without_a_name_the_choices_are_named(capsys: Printed) -> None:
    assert main(["lab"]) == 2
    said = capsys.readouterr().err
    assert all(name in said for name in lab.EXPERIMENTS)
    assert "--all" in said


@pytest.mark.parametrize(
    ("word", "sentence"), [("9" * 30, "a seed lies between"), ("one", "invalid seed value: 'one'")]
)
def test_a_seed_that_is_none_is_refused(word: str, sentence: str, capsys: Printed) -> None:
    with pytest.raises(SystemExit):
        main(["lab", "xor", "--seed", word])
    assert sentence in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "saturation.png").mkdir()
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path):
        assert main(["lab", "saturation", "--out", str(folder)]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"lab: no figure can be written into {folder} (")
        assert "--out" in said
        assert "--no-figure" in said
        assert said.count("\n") == 1


def test_without_matplotlib_the_numbers_are_printed_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Printed
) -> None:
    monkeypatch.setattr(_figure, "find_spec", lambda name: None)
    assert main(["lab", "saturation", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "18.07%" in printed
    assert printed.endswith("no figure: the figure needs matplotlib: pip install 'tinygrad-edu[plot]'\n")
    assert list(tmp_path.iterdir()) == []

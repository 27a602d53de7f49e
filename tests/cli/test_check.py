"""``python -m tinygrad_edu check``."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import tinygrad_edu
from tinygrad_edu._cli import main
from tinygrad_edu.testing import suite

ROOT = Path(tinygrad_edu.__file__).parent.parent
MINE = "examples.adapters.unfinished_engine:Mine"


def test_one_operation_that_is_right(capsys):
    assert main(["check", "--op", "tanh", "--max-examples", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Checking tinygrad_edu: one operation, to order 2, seed 0."
    assert lines[2].split() == ["operation", "cases", "order", "error", "time", "verdict"]
    assert lines[4].split()[0] == "tanh"
    assert lines[4].endswith("  right")
    counts = " ".join(lines[5:])
    assert [
        kind for kind in ("ordinary", "0-d", "tied", "zero", "expanded", "non-contiguous") if kind not in counts
    ] == []
    assert "tinygrad_edu: tanh is right." in lines


def test_a_wrong_operation_is_explained_and_the_status_is_one(capsys):
    assert main(["check", "--engine", MINE, "--op", "tanh", "--max-examples", "2"]) == 1
    out = capsys.readouterr().out
    assert "WRONG: a term is missing or" in out
    assert "\ntanh: a term is missing or wrong\n    " in out
    assert "should be" in out
    assert "case (ordinary)" in out
    assert "my engine: 1 of 1 is wrong: tanh." in out


def test_nothing_is_wider_than_a_hundred_columns(capsys):
    main(["check", "--engine", MINE, "--max-examples", "1"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_json_is_all_that_is_printed(capsys):
    assert main(["check", "--engine", MINE, "--json", "--max-examples", "1", "--order", "3", "--seed", "7"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert (record["engine"], record["order"], record["seed"], record["complete"]) == ("my engine", 1, 7, True)
    assert not record["passes"]
    named = {operation["name"]: operation for operation in record["operations"]}
    assert list(named) == suite.names()
    assert named["tanh"]["verdict"] == "a term is missing or wrong"
    assert named["exp"]["passes"]
    assert sum(named["exp"]["kinds"].values()) == named["exp"]["cases"]
    assert not named["cos"]["offered"]
    assert named["law: a diamond"]["missing"] == ["not judged before law: used twice by one operation is right"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--op", "rleu"], "no operation is called 'rleu'; did you mean nn.functional.relu"),
        (["--engine", "no.such:adapter"], "cannot import 'no.such'"),
        pytest.param(
            ["--engine", "examples.adapters.torch_adapter:adaptor"],
            "its adapters are: Torch, adapter",
            marks=pytest.mark.torch,
        ),
        (["--engine", MINE, "--op", "cos"], "my engine offers nothing of what was asked"),
    ],
)
def test_what_cannot_run_says_so_and_the_status_is_two(arguments, words, capsys):
    assert main(["check", *arguments]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("arguments", [["--order", "4"], ["--max-examples", "0"], ["--max-examples", "few"]])
def test_wrong_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["check", *arguments])
    assert end.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_without_hypothesis_the_extra_is_named():
    code = """
import sys
sys.modules["hypothesis"] = None
from tinygrad_edu._cli import main
sys.exit(main(["check", "--op", "relu"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "pip install 'tinygrad-edu[check]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_prints_what_was_found(monkeypatch, capsys):
    def run(engine, *, progress, **settings):
        progress(suite.Result("exp", 3, {"ordinary": 3}, 1e-9, order=2))
        raise KeyboardInterrupt

    monkeypatch.setattr(suite, "run", run)
    assert main(["check"]) == 130
    out = capsys.readouterr().out
    assert "exp" in out
    assert f"Interrupted after 1 of {len(suite.names())}" in out
    assert "3 cases: 3 ordinary." in out


def test_an_engine_in_the_folder_of_the_command_is_found(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from tinygrad_edu.testing.adapter import TorchLike\nadapter = TorchLike('tinygrad_edu')\nadapter.name = 'mine'\n"
    )
    code = (
        f"import sys; sys.path[:] = [p for p in sys.path if p] + [{str(ROOT)!r}]\nfrom tinygrad_edu._cli import main\n"
    )
    code += (
        "sys.exit(main(['check', '--engine', 'mine:adapter', '--op', 'exp', '--max-examples', '1', '--order', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Checking mine" in done.stdout


def test_junit_has_one_test_case_for_each_operation(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        f"""
import pytest
from tinygrad_edu.testing import suite
from {MINE.partition(":")[0]} import Mine

@pytest.mark.parametrize("name", suite.names())
def test_engine(name):
    suite.require(Mine(), name, max_examples=1)
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_mine.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    cases = list(ET.parse(tmp_path / "report.xml").iter("testcase"))
    assert [case.get("name") for case in cases] == [f"test_engine[{name}]" for name in suite.names()]
    outcome = {case.get("name"): [child.tag for child in case] for case in cases}
    assert outcome["test_engine[exp]"] == []
    assert outcome["test_engine[tanh]"] == ["failure"]
    assert outcome["test_engine[cos]"] == ["skipped"]
    failure = next(case.find("failure") for case in cases if case.get("name") == "test_engine[tanh]")
    assert "a term is missing or wrong" in failure.get("message") + (failure.text or "")

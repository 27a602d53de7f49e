"""``doctor``: one line for each thing, and a remedy where it is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinygrad_edu._cli import doctor, main


def test_each_thing_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[1] for line in lines]
    assert len(set(names)) == len(names)
    assert {"Python", "NumPy", "threads", "dot", *doctor.PACKAGES} <= set(names)
    assert any(np.__version__ in line for line in lines)
    assert all(line.startswith(("ok  ", "--  ", "!!  ")) for line in lines)


def test_what_is_missing_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    monkeypatch.delenv("TINYGRAD_EDU_DATA", raising=False)
    lines = {line.split()[1]: line for line in doctor.diagnosis()}
    for package, (_, remedy) in doctor.PACKAGES.items():
        assert lines[package].startswith("--")
        assert lines[package].endswith(remedy)
    assert "apt install graphviz" in lines["dot"]
    assert "TINYGRAD_EDU_DATA is not set" in lines["data"]


def test_data_is_found_where_the_variable_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGRAD_EDU_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").touch()
    lines = {line.split()[1]: line for line in doctor.diagnosis()}
    assert lines["MNIST"] == f"ok  MNIST         {tmp_path / 'mnist'}"
    assert lines["CIFAR10"].startswith("--")
    assert "download=True" in lines["CIFAR10"]
    monkeypatch.setenv("TINYGRAD_EDU_DATA", str(tmp_path / "nowhere"))
    assert any(line.startswith("!!") and "is no folder" in line for line in doctor.diagnosis())


def test_a_reader_who_has_seen_enough_causes_no_traceback() -> None:
    command = [sys.executable, "-u", "-m", "tinygrad_edu", "doctor"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.communicate()[1] == b""
    assert process.returncode == 1

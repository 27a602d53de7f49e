"""What the benchmarks compute beside times: the limits' losses, the means, which workloads are chosen; and one small run."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_edu
from tests.oracle import torch as real_torch
from tinygrad_edu._cli import bench, main

FOLDER = Path(tinygrad_edu.__file__).parents[1] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))

    def get(name):
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return get


def row(run, name, ratio):
    return run.Row(name, 1e-3 * ratio, 1e-3, ratio, ratio, ratio, None, (1.0, 2.0), True)


def test_the_lengths_of_one_workload_count_once_in_the_mean(module):
    run = module("run")
    count, mean = run.geometric_mean([row(run, "W1", 0.25), row(run, "W10 1e3", 4.0), row(run, "W10 1e4", 1.0)])
    assert count == 2
    assert mean == pytest.approx((0.25 * 2.0) ** 0.5)


def test_workloads_are_chosen_by_name_and_by_group(module):
    run = module("run")
    names = ["W1", "W6", "W10 1e3", "W10 1e6", "W11"]
    assert run.selected(names, None, quick=False) == names
    assert run.selected(names, None, quick=True) == ["W1", "W10 1e3", "W11"]
    assert run.selected(names, ["W10", "W1"], quick=False) == ["W1", "W10 1e3", "W10 1e6"]
    assert run.selected(names, ["W6"], quick=True) == ["W6"]
    assert run.SLOW | set(run.FEW) <= set(module("workloads").WORKLOADS)


def test_losses_agree_up_to_rounding(module):
    run = module("run")
    assert run.agree([1.0, 0.5], [1.0001, 0.5])
    assert not run.agree([1.0, 0.5], [1.0, 0.51])


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5 s"), (0.0012, "1.2 ms"), (3.456e-5, "34.6 us"), (5e-8, "50 ns")]
)
def test_times_have_fitting_units(module, seconds, text):
    assert module("run").length(seconds) == text


def test_a_row_says_when_the_losses_differ(module):
    run = module("run")
    equal = row(run, "W1", 0.5)
    assert str(equal).split() == ["W1", "500", "us", "1", "ms", "0.50", "0.50", "to", "0.50", "1", "2"]
    equal.same = False
    assert str(equal).endswith("OTHER LOSSES")


def test_the_chart_is_drawn(module, tmp_path):
    pytest.importorskip("matplotlib")
    run = module("run")
    run.chart([row(run, "W1", 0.5), row(run, "W6", 1.5)], tmp_path / "chart.png", "torch", 1)
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


FAST = ["W1", "W2", "W3a", "W4", "W5", "W11", "W12"]  # W6 and W7 differ from W4 and W5 in their sizes only


@pytest.mark.parametrize("name", FAST)
def test_the_limit_has_the_losses_of_the_workload(module, name):
    workload, limit = module("workloads").WORKLOADS[name], module("limits").LIMITS[name]
    tinygrad_edu.manual_seed(0)
    ours = workload(tinygrad_edu)
    tinygrad_edu.manual_seed(0)
    by_hand = limit(tinygrad_edu)
    assert [float(by_hand()) for _ in range(4)] == pytest.approx([float(ours().detach()) for _ in range(4)], rel=1e-5)


def test_an_unfolding_in_blocks_gives_the_same(module, monkeypatch):
    limits = module("limits")
    losses = []
    for block in (1 << 30, 1):  # all rows at once and kept, or one after another
        monkeypatch.setattr(limits, "BLOCK", block)
        tinygrad_edu.manual_seed(0)
        run = limits.LIMITS["W5"](tinygrad_edu)
        losses.append([float(run()) for _ in range(4)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_the_workloads_compute_the_same_in_torch(module):
    for name in ("W1", "W4", "W8", "W9", "W13"):
        runs = []
        for t in (tinygrad_edu, real_torch):
            t.manual_seed(0)
            runs.append(module("workloads").WORKLOADS[name](t))
        for _ in range(2):
            ours, theirs = (float(run().detach()) for run in runs)
            assert ours == pytest.approx(theirs, rel=1e-3), name


def test_one_small_run(tmp_path):
    file = tmp_path / "found.json"
    command = [sys.executable, "-m", "tinygrad_edu", "bench", "--only", "W1", "--rounds", "2", "--seconds", "0.01"]
    done = subprocess.run([*command, "--json", str(file)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Python ")
    assert lines[2].startswith("W1 ")
    assert "OTHER" not in done.stdout
    assert lines[3].startswith("geometric mean of 1 workloads: ")
    found = json.loads(file.read_text())
    assert found["against"] == "torch"
    assert found["rows"][0]["workload"] == "W1"
    assert found["rows"][0]["limit"] > 0


def test_without_a_checkout_a_sentence_says_where_they_are(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bench, "SCRIPT", tmp_path / "run.py")
    assert main(["bench", "--quick"]) == 2
    assert "not part of the installed package" in capsys.readouterr().err

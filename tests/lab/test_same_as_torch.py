"""PyTorch, running the same file with the same seed, finds the same numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.conftest import measured
from tests.lab.under_torch import findings
from tinygrad_edu import lab

pytestmark = pytest.mark.torch


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Give every number of some findings with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}/{key}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{path}/{index}")
    else:
        yield path, value


def decided_by_rounding(path: str) -> bool:
    """Say whether two exact implementations may differ: differences of order 1e-7 that thirty layers leave of a signal,
    a gradient made of them, and 300 steps of Adam through thirty residual layers."""
    place = path.split("/")
    if place[1:3] == ["trainings", "30 plain"]:
        return place[3] == "gradient" or (place[3] == "spreads" and int(place[4]) > 10)
    return place[1:4] == ["trainings", "30 residual", "losses"] and int(place[4]) > 100


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # by torch, of what its func.hessian loads
@pytest.mark.parametrize("name", list(lab.EXPERIMENTS))
def test_torch_measures_the_same(name):
    ours = dict(numbers(dataclasses.asdict(measured(name))))
    theirs = dict(numbers(dataclasses.asdict(findings(name))))
    assert ours.keys() == theirs.keys()
    compared = {path: value for path, value in ours.items() if not decided_by_rounding(path)}
    assert compared == pytest.approx({path: theirs[path] for path in compared}, rel=5e-4, abs=2e-6)
    assert len(compared) > 0.75 * len(ours)

"""Every experiment is run once with seed 0 for all tests."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from tinygrad_edu import lab


@functools.cache
def measured(name: str, seed: int = 0) -> Any:
    return lab.EXPERIMENTS[name].run(seed)


@pytest.fixture(params=list(lab.EXPERIMENTS))
def experiment(request: pytest.FixtureRequest) -> lab.Experiment[Any]:
    return lab.EXPERIMENTS[request.param]


@pytest.fixture
def findings(experiment: lab.Experiment[Any]) -> Any:
    return measured(experiment.name)

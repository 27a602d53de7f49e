"""Settings of the whole suite: hypothesis profiles, and what happens where torch is missing."""

from __future__ import annotations

import os
import random
import types
from typing import Any

import hypothesis
import pytest

import tinygrad_edu
from tests import notes, oracle
from tests.examples.report import pytest_terminal_summary  # noqa: F401  # what the examples compared, printed last

WITHOUT_TORCH = os.environ.get("TINYGRAD_EDU_WITHOUT_TORCH", "") not in ("", "0")

hypothesis.settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.register_profile(
    "random", hypothesis.settings.get_profile("ci"), derandomize=False, max_examples=100, print_blob=True
)
hypothesis.settings.register_profile(  # while writing an operation: few cases, and no search for the smallest
    "quick", hypothesis.settings.get_profile("ci"), max_examples=8, phases=[hypothesis.Phase.generate]
)
hypothesis.settings.load_profile("ci")

deselected = 0
seed: int | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Stop in one sentence where torch is missing; draw the seed of the random profile."""
    global seed
    tinygrad_edu.set_num_threads(1)  # more threads on small matrices only wait for each other
    config.addinivalue_line("markers", "torch: compares with PyTorch; deselected by TINYGRAD_EDU_WITHOUT_TORCH=1")
    if not oracle.HAS_TORCH and not WITHOUT_TORCH:
        raise pytest.UsageError(
            "PyTorch is the oracle of this suite and is not installed: install torch==2.13.0, or set "
            "TINYGRAD_EDU_WITHOUT_TORCH=1 to run only the tests that do without it."
        )
    if config.getoption("--hypothesis-profile", None) == "random":
        seed = config.getoption("--hypothesis-seed", None) or random.SystemRandom().randrange(2**32)
        hypothesis.core.global_force_seed = int(seed)


def needs_torch(item: pytest.Item) -> bool:
    """Say whether a test compares with torch: it is marked so, or its module takes something from tests.oracle."""
    if item.get_closest_marker("torch") or item.path.name == "_matches_torch.py":  # its doctest compares
        return True
    module: Any = getattr(item, "module", None)
    if not isinstance(module, types.ModuleType) or not module.__name__.startswith("tests"):
        return False
    return any(
        getattr(value, "__module__", None) == "tests.oracle"
        or value is oracle
        or (isinstance(value, types.ModuleType) and value.__name__ == "torch")
        for value in vars(module).values()
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out the tests that need torch if asked to, and count them."""
    global deselected
    if not WITHOUT_TORCH:
        return
    left_out = [item for item in items if needs_torch(item)]
    items[:] = [item for item in items if not needs_torch(item)]
    config.hook.pytest_deselected(items=left_out)
    deselected = len(left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of pytest-xdist hand its count and its notes to the process that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = deselected
        session.config.workeroutput["notes"] = notes.LINES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the count from a worker (each has collected the whole suite) and its notes."""
    global deselected
    handed = getattr(node, "workeroutput", {})
    deselected = max(deselected, handed.get("deselected", 0))
    for line in handed.get("notes", ()):
        notes.note(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Print last what the tests noted, what was left out, and the seed that repeats a random run."""
    if hasattr(config, "workeroutput"):
        return
    for line in notes.LINES:
        print("\n" + line, end="")
    if WITHOUT_TORCH:
        print(f"\n{deselected} tests that compare with torch were not run (TINYGRAD_EDU_WITHOUT_TORCH=1)")
    if seed is not None:
        print(f"\nhypothesis drew at random; repeat with --hypothesis-profile=random --hypothesis-seed={seed}")

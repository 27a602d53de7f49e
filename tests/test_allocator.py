"""glibc keeps freed memory once large arrays appear, unless it is told otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_edu import _allocator
from tinygrad_edu._cli import doctor

VARIABLES = ("TINYGRAD_EDU_MALLOC", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
BEGIN = """
import sys
from tinygrad_edu import _allocator
import tinygrad_edu as torch
done = lambda: _allocator.keep_freed_memory.cache_info().currsize == 1
"""


def fresh(code: str, **environment: str) -> str:
    """What a new interpreter prints, with only these of the variables set."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    root = Path(_allocator.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code], capture_output=True, text=True, cwd=root, env=kept | environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "make",
    [
        "torch.zeros(40_000)",
        "torch.rand(40_000)",
        "torch.tensor([0.0] * 40_000)",
        "torch.nn.Linear(200, 200)",
        "torch.from_numpy(__import__('numpy').ones(40_000))",
    ],
)
def test_the_first_large_array_sets_the_thresholds_and_small_ones_do_not(make: str) -> None:
    code = f"small = torch.nn.Linear(10, 10); print(done()); large = {make}; print(done())"
    assert fresh(code).split() == ["False", "True"]


def test_a_backward_pass_over_a_large_result_of_small_inputs_sets_them() -> None:
    code = """
row = torch.ones(1, 300, requires_grad=True)
(row * row).sum().backward()
print(done())
with torch.autograd.detect_anomaly():
    row.sum().backward()
(row * row.mT).sum().backward()
print(done())
"""
    assert fresh(code).split() == ["False", "True"]


def test_only_the_first_hundred_passes_are_looked_at() -> None:
    code = """
from tinygrad_edu._core.modes import state
row = torch.ones(1, 300, requires_grad=True)
for _ in range(99):
    row.sum().backward()
print(state.before_walk is None)
row.sum().backward()
print(state.before_walk is None)
"""
    assert fresh(code).split() == ["False", "True"]


def test_memory_that_was_freed_is_used_again_without_page_faults() -> None:
    if _allocator._glibc() is None:  # nothing to tell, and that is said
        assert _allocator.obstacle() == "the C library is not glibc"
        return
    code = """
import resource
import numpy as np
def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        arrays = [np.ones(500_000) for _ in range(8)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults(10)
torch.zeros(40_000)
faults(2)
print(before > 1000, faults(10) < 100)
"""
    assert fresh(code).split() == ["True", "True"]
    assert fresh(code, TINYGRAD_EDU_MALLOC="0").split() == ["True", "False"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TINYGRAD_EDU_MALLOC", "0", "TINYGRAD_EDU_MALLOC=0"),
        ("MALLOC_TRIM_THRESHOLD_", "131072", "MALLOC_TRIM_THRESHOLD_ is set"),
        ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", "GLIBC_TUNABLES is set"),
    ],
)
def test_the_users_own_choice_stands_and_the_doctor_names_it(
    name: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in VARIABLES:
        monkeypatch.delenv(other, raising=False)
    assert doctor._allocator().startswith("ok") or _allocator._glibc() is None
    monkeypatch.setenv(name, value)
    assert _allocator.obstacle() == why
    assert doctor._allocator().startswith("--")
    assert why in doctor._allocator()

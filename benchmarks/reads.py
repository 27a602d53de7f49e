"""How do costs grow: T reads ``x[t]`` of one tensor, and chains of 10^3 to 10^6 operations, beside PyTorch.

    python benchmarks/reads.py

The gradient of T reads of one tensor of T rows costs O(size) here, for the engine adds each share into one buffer; PyTorch
makes a tensor of zeros as large as x for every read, O(T x size). Of a chain, the cost of an operation (forward and
backward) should not depend on its length; its memory is the peak over the import, divided by the operations.

Each figure is the best of some runs in a process of its own, one thread.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _worker import memory

READS = (100, 1_000, 10_000)
CHAIN = (1_000, 10_000, 100_000, 1_000_000)
WIDTH = 16  # elements of a row
SECONDS = 3.0  # how long a figure is tried to be beaten


def reads(t: Any, count: int) -> Callable[[], object]:
    """Read every row of one tensor, as a loop over time steps does; forward and backward."""
    x = t.ones(count, WIDTH, requires_grad=True)

    def run() -> None:
        x.grad = None
        total = x[0]
        for i in range(1, count):
            total = total + x[i]
        total.sum().backward()

    return run


def chain(t: Any, count: int) -> Callable[[], object]:
    """Run W10, the chain of small operations."""
    from workloads import chain

    return chain(count)(t)


KINDS = {"reads": reads, "chain": chain}


def figures(framework: str, kind: str, count: int) -> dict[str, float]:
    """Return the best time of an operation in seconds and the peak of memory of an operation in bytes."""
    t = importlib.import_module(framework)
    t.set_num_threads(1)
    t.ones(1).sum().item()
    before = memory("VmRSS")
    run = KINDS[kind](t, count)
    best, end = float("inf"), time.perf_counter() + SECONDS
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return {"seconds": best / count, "bytes": (memory("VmHWM") - before) * 2**20 / count}


def apart(framework: str, kind: str, count: int) -> dict[str, float]:
    """Measure in a process of its own."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    here = Path(__file__).resolve()
    path = os.pathsep.join(filter(None, [str(here.parents[1]), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, str(here), "--one", framework, kind, str(count)]
    done = subprocess.run(
        command, env=os.environ | one | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(kind: str, counts: tuple[int, ...], frameworks: list[str]) -> None:
    """Print a table: microseconds and bytes of an operation, per framework, and the ratio of times."""
    print(f"\n{kind:>9}" + "".join([f"{f'{name} us/op':>22}{'bytes/op':>10}" for name in frameworks]) + f"{'ratio':>8}")
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for count in counts:
        found = [apart(name, kind, count) for name in frameworks]
        for name, figure in zip(frameworks, found, strict=True):
            last[name] = figure["seconds"]
            first.setdefault(name, figure["seconds"])
        cells = [f"{f['seconds'] * 1e6:>22.2f}{f['bytes']:>10.0f}" for f in found]
        ratio = f"{found[0]['seconds'] / found[1]['seconds']:>8.2f}" if len(found) > 1 else ""
        print(f"{count:>9,}" + "".join(cells) + ratio, flush=True)
    for name in frameworks:
        print(
            f"{name}: an operation takes {last[name] / first[name]:.2f} times as long in the longest as in the shortest"
        )


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--one", nargs=3, metavar=("FRAMEWORK", "KIND", "COUNT"), help="a single figure, as JSON")
    asked = parser.parse_args()
    if asked.one:
        framework, kind, count = asked.one
        print(json.dumps(figures(framework, kind, int(count))))
        return
    frameworks = ["tinygrad_edu"] + (["torch"] if importlib.util.find_spec("torch") else [])
    table("reads", READS, frameworks)
    table("chain", CHAIN, frameworks)


if __name__ == "__main__":
    main()

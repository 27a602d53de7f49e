"""What does recording cost: nothing before and after a block, and how much inside of one?

    python benchmarks/recorder.py

The small network W1 and the chain W10 of a thousand operations, forward and backward, in one process: before any ``viz.record()``
block, inside of one, and after it. Each figure is the median of some batches, so that on a quiet machine "after / before" shows
what a block leaves behind.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from workloads import WORKLOADS

import tinygrad_edu as t
from tinygrad_edu import viz

ROUNDS, STEPS = 15, {"W1": 100, "W10 1e3": 4}


def seconds(run: Any, steps: int) -> float:
    """Return the time of one of so many steps."""
    start = time.perf_counter()
    for _ in range(steps):
        run()
    return (time.perf_counter() - start) / steps


def recorded(run: Any, steps: int) -> float:
    """Return the time of a step in a block; each has a block of its own, as in use."""
    total = 0.0
    for _ in range(steps):
        with viz.record():
            start = time.perf_counter()
            run()
            total += time.perf_counter() - start
    return total / steps


def main() -> None:
    """Measure and print a table."""
    t.set_num_threads(1)
    print(f"{'workload':<10}{'before':>12}{'inside':>12}{'after':>12}{'after / before':>17}{'inside / before':>18}")
    for name, steps in STEPS.items():
        run = WORKLOADS[name](t)
        seconds(run, steps)
        before = [seconds(run, steps) for _ in range(ROUNDS)]
        inside = [recorded(run, max(1, steps // 10)) for _ in range(ROUNDS)]
        after = [seconds(run, steps) for _ in range(ROUNDS)]
        a, b, c = median(before), median(inside), median(after)
        print(
            f"{name:<10}{a * 1e6:>9.0f} us{b * 1e6:>9.0f} us{c * 1e6:>9.0f} us{c / a:>17.2f}{b / a:>18.1f}", flush=True
        )


if __name__ == "__main__":
    main()

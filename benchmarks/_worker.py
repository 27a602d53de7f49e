"""A process that imports one framework, prepares one workload, and times it when told to.

It answers one JSON question a line on standard input: ``prepare`` (the first losses, how many calls fill a turn, the peak
of memory over the import) and ``time`` (the mean seconds of a number of calls).
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))


def memory(field: str) -> float:
    """Return a line of Linux's status of this process in MB: VmRSS is resident now, VmHWM was at the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def mean(run: Callable[[], object], count: int) -> float:
    """Return the mean time of ``count`` calls in seconds."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def main(framework: str, workload: str, threads: int, seconds: float) -> None:
    """Prepare the workload, then answer."""
    if framework == "numpy":
        import limits

        make: Callable[[], Callable[[], Any]] = limits.LIMITS[workload]
    else:
        from workloads import WORKLOADS

        t = importlib.import_module(framework)
        t.set_num_threads(threads)
        t.manual_seed(0)
        make = lambda: WORKLOADS[workload](t)
    at_import = memory("VmRSS")
    run = make()
    losses = [float(run().detach() if framework != "numpy" else run()) for _ in range(3)]
    count = max(1, round(seconds / mean(run, 1)))
    print(json.dumps({"losses": losses, "count": count, "megabytes": memory("VmHWM") - at_import}), flush=True)
    for line in sys.stdin:
        print(mean(run, int(line)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))

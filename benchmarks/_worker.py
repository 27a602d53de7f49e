"""A process that imports one framework, prepares one workload, and times it when told to.

It begins with a line of JSON: the first losses, how many calls fill a turn, the peak of memory over the import. Then it
answers each number on standard input with the mean time, in seconds, of so many calls.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))


def memory(field: str) -> float:
    """Return a line of Linux's status of this process in MB (VmRSS is resident now, VmHWM was at the peak), else NaN."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return math.nan


def mean(run: Callable[[], object], count: int) -> float:
    """Return the mean time of ``count`` calls in seconds."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def prepared(framework: str, workload: str, t: Any) -> Callable[[], Any]:
    """Return what is to be timed."""
    if framework == "numpy":
        from limits import LIMITS

        return LIMITS[workload](t)
    from workloads import WORKLOADS

    return WORKLOADS[workload](t)


def main(framework: str, workload: str, threads: int, seconds: float) -> None:
    """Prepare the workload, then answer."""
    # The limit in plain NumPy takes its data and first weights from tinygrad_edu.
    t = importlib.import_module("tinygrad_edu" if framework == "numpy" else framework)
    t.set_num_threads(threads)
    t.manual_seed(0)
    at_import = memory("VmRSS")
    run = prepared(framework, workload, t)
    losses = [float(result.detach() if hasattr(result := run(), "detach") else result) for _ in range(3)]
    count = max(1, round(seconds / mean(run, 1)))
    print(json.dumps({"losses": losses, "count": count, "megabytes": memory("VmHWM") - at_import}), flush=True)
    for line in sys.stdin:
        print(mean(run, int(line)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))

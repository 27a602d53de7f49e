"""How long does ``python -m tinygrad_edu check`` take: the whole table at default settings, and one operation?

Aimed at: 120 s and 3 s on two cores, start of Python and import of torch included. ``python benchmarks/check.py``
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

ASKED = {"check --op relu": (3, ["--op", "relu"]), "check": (120, [])}


def measured(arguments: list[str]) -> tuple[float, float, str]:
    """Return wall and processor time of the command, and the line it ends with."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "tinygrad_edu", "check", *arguments], capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent, done.stdout.splitlines()[-2]


if __name__ == "__main__":
    print(f"{'command':<18}{'wall':>9}{'processor':>11}{'aim':>8}  result")
    for name, (aim, arguments) in ASKED.items():
        wall, spent, last = measured(arguments)
        print(f"{name:<18}{wall:>7.1f} s{spent:>9.1f} s{aim:>6} s  {last}", flush=True)

"""Time the workloads W1 to W13 in tinygrad_edu and in PyTorch, side by side in one run, and print the ratios.

    python benchmarks/run.py                       # all, one thread
    python benchmarks/run.py --only W1 W2          # some
    python benchmarks/run.py --quick               # under a minute, wider spread
    python benchmarks/run.py --against HEAD~3      # beside another commit of ours instead of PyTorch
    python -m tinygrad_edu bench ...               # the same

Each side is a process of its own, because importing torch changes the allocator for whoever shares its process. They take
turns, who goes first alternates, each pair of turns gives a ratio, and the median of the ratios is printed with its
quartiles: a slow moment of the machine hits both. The first three losses must agree, else the line says so. "/ limit" is
our time over that of the same step written by hand in NumPy without a graph (``limits.py``). Memory is the peak over the import.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

SLOW = {"W6", "W7", "W10 1e5", "W10 1e6"}  # left out of --quick: a step takes a tenth of a second or more
FEW = {"W10 1e6": 5}  # turns of a workload whose step takes seconds


@dataclass(frozen=True)
class Side:
    """One of the two or three that are compared."""

    label: str
    framework: str  # tinygrad_edu, torch or numpy
    root: Path = ROOT  # the checkout that tinygrad_edu comes from


@dataclass
class Row:
    """What was measured of one workload; times in seconds per step, memory in MB over the import."""

    workload: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    limit: float | None  # ours / hand-written NumPy
    megabytes: tuple[float, float]
    same: bool  # the first losses agree, those of the limit too

    def __str__(self) -> str:
        limit = f"{self.limit:7.2f}" if self.limit is not None else f"{'':7}"
        return (
            f"{self.workload:9} {length(self.ours):>9} {length(self.theirs):>9} {self.ratio:6.2f}  "
            f"{self.low:5.2f} to {self.high:5.2f} {limit}  {self.megabytes[0]:7.0f} {self.megabytes[1]:6.0f}"
            f"{'' if self.same else '   OTHER LOSSES'}"
        )


def main() -> None:
    """Read the command line, measure, print."""
    from workloads import WORKLOADS

    asked = arguments(list(WORKLOADS))
    chosen = selected(list(WORKLOADS), asked.only, asked.quick)
    rounds, seconds = (5, 0.1) if asked.quick else (asked.rounds, asked.seconds)
    rows = []
    with ExitStack() as stack:
        other = Side("torch", "torch")
        if asked.against:
            other = Side(asked.against, "tinygrad_edu", stack.enter_context(checkout(asked.against)))
        elif importlib.util.find_spec("torch") is None:
            sys.exit("PyTorch is not installed, and a ratio needs both: pip install torch==2.13.0, or use --against")
        print(about(asked.threads))
        print(
            f"{'':9} {'ours':>9} {other.label[:9]:>9} {'ratio':>6}  {'quartiles':14} {'/ limit':>7}  {'MB ours':>7} {'theirs':>6}"
        )
        for name in chosen:
            row = measure(name, other, min(rounds, FEW.get(name, rounds)), seconds, asked.threads)
            rows.append(row)
            print(row, flush=True)
    count, mean = geometric_mean(rows)
    print(f"geometric mean of {count} workloads: {mean:.2f}")
    if asked.json:
        found = {"about": about(asked.threads), "against": other.label, "geometric mean": mean}
        Path(asked.json).write_text(json.dumps(found | {"rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    if asked.chart:
        chart(rows, Path(asked.chart), other.label, asked.threads)


def selected(names: list[str], only: list[str] | None, quick: bool) -> list[str]:
    """Return the workloads to run: those asked for, by name or as a group (W10 is its four lengths)."""
    chosen = [name for name in names if not only or {name, name.split()[0]} & set(only)]
    return [name for name in chosen if not (quick and name in SLOW and name not in (only or []))]


def geometric_mean(rows: list[Row]) -> tuple[int, float]:
    """Return how many workloads there are and the mean of their ratios; the lengths of one workload count together once."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        groups.setdefault(row.workload.split()[0], []).append(math.log(row.ratio))
    return len(groups), math.exp(statistics.fmean(statistics.fmean(group) for group in groups.values()))


def about(threads: int) -> str:
    """Say where and with what the figures are measured."""
    versions = [f"Python {platform.python_version()}"]
    for package in ("numpy", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{package} {importlib.metadata.version(package)}")
    machine = f"{processor()}, {os.cpu_count()} cores, {platform.system()}"
    return f"{', '.join(versions)}; {machine}; {threads} thread{'s' if threads > 1 else ''}"


def processor() -> str:
    """Name the processor, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def arguments(names: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    groups = {name.split()[0] for name in names}
    parser.add_argument(
        "--only", nargs="+", choices=sorted({*names, *groups}), metavar="NAME", help=f"of {', '.join(names)}"
    )
    parser.add_argument("--quick", action="store_true", help="under a minute: few turns, without the slowest workloads")
    parser.add_argument("--threads", type=int, default=1, help="threads of each side (default 1)")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each side (default 15)")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of one turn (default 0.2)")
    parser.add_argument("--against", metavar="REV", help="compare with this commit of ours instead of PyTorch")
    parser.add_argument("--json", metavar="FILE", help="write the figures as well")
    parser.add_argument("--chart", metavar="FILE", help="draw the ratios (needs matplotlib: the extra plot)")
    return parser.parse_args()


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Lay another commit of ours out in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "tree"
        made = subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "-q", "--detach", str(place), revision])
        if made.returncode:
            sys.exit(f"git could not lay out the commit {revision}; it says why above")
        try:
            yield place
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(place)], check=True)


def measure(name: str, other: Side, rounds: int, seconds: float, threads: int) -> Row:
    """Let the sides take turns at one workload."""
    from limits import LIMITS

    sides = [Side("ours", "tinygrad_edu"), other]
    if name in LIMITS and other.framework == "torch":
        sides.append(Side("limit", "numpy"))
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(side, name, threads, seconds)) for side in sides]
        for worker in workers:
            worker.wait()
        turns = []
        for turn in range(rounds):
            order = workers if turn % 2 else workers[::-1]
            times = {worker.side.label: worker.time() for worker in order}
            turns.append([times[side.label] for side in sides])
    ratios = sorted(turn[0] / turn[1] for turn in turns)
    low, _, high = statistics.quantiles(ratios, n=4) if rounds > 1 else ratios * 3
    columns = [statistics.median(column) for column in zip(*turns, strict=True)]
    return Row(
        name,
        columns[0],
        columns[1],
        statistics.median(ratios),
        low,
        high,
        statistics.median(turn[0] / turn[2] for turn in turns) if len(sides) == 3 else None,
        (workers[0].megabytes, workers[1].megabytes),
        all(agree(workers[0].losses, worker.losses) for worker in workers[1:]),
    )


def agree(some: list[float], others: list[float]) -> bool:
    """Are these the same losses, up to rounding that has grown over three steps?"""
    return all(math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-5) for a, b in zip(some, others, strict=True))


class Worker:
    """A process of one side with one workload prepared."""

    def __init__(self, side: Side, workload: str, threads: int, seconds: float) -> None:
        self.side = side
        limit = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        path = os.pathsep.join(filter(None, [str(side.root), os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "_worker.py"), side.framework, workload, str(threads), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | limit | {"PYTHONPATH": path},
        )

    def wait(self) -> None:
        """Read what the process says when it has prepared; the others prepare meanwhile."""
        first: dict[str, Any] = json.loads(self.answer())
        self.losses: list[float] = first["losses"]
        self.count: int = first["count"]
        self.megabytes: float = first["megabytes"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def answer(self) -> str:
        """Read the next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the process of {self.side.label} stopped; its error stands above")
        return line

    def time(self) -> float:
        """Return the mean time of a turn's steps, in seconds."""
        assert self.process.stdin is not None
        print(self.count, file=self.process.stdin, flush=True)
        return float(self.answer())


def length(seconds: float) -> str:
    """Write a time with a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def chart(rows: list[Row], file: Path, other: str, threads: int) -> None:
    """Draw the ratios as bars: to the left of 1, we are faster."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.32 * len(rows) + 1.2), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows))
    axes.barh(places, [row.ratio for row in rows], color=["#2a7f62" if row.ratio < 1 else "#b5562b" for row in rows])
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(places, [row.workload for row in rows])
    axes.invert_yaxis()
    for place, row in zip(places, rows, strict=True):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # the line at 1 must not strike a number through
        axes.annotate(f"{row.ratio:.2f}", (row.ratio + 0.015, place), va="center", fontsize=9, bbox=box)
    theirs = "PyTorch" if other == "torch" else other
    many = "one thread" if threads == 1 else f"{threads} threads"
    axes.set_xlabel(f"time of a step, tinygrad_edu / {theirs} ({many}; left of the line tinygrad_edu is faster)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()

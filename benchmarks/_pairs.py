"""Measure tinygrad_edu against torch: two worker processes, one thread each, taking turns.

A benchmark is a file with one function per workload, written once against torch's interface:

    def step(t):            # t is tinygrad_edu in one worker and torch in the other
        ...prepare...
        def run(): ...      # what is timed
        return run

and ends with ``pairs.main(__file__, {"name": step})``. Both workers stay alive and answer in turn, so a slow moment of
the machine hits both; the ratio of each round is taken, and the median of the ratios printed. Separate processes,
because importing torch changes the allocator for whoever shares its process.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Workload = Callable[[Any], Callable[[], object]]


def main(file: str, workloads: dict[str, Workload], *, seconds: float = 0.05) -> None:
    """Serve as a worker if asked to, else run both workers and print a table of ratios."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each worker (default 15)")
    parser.add_argument("--seconds", type=float, default=seconds, help="length of one turn")
    parser.add_argument("--only", nargs="*", default=None, metavar="NAME", help="workloads to run")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        serve(asked.worker, workloads)
        return
    chosen = [name for name in workloads if asked.only is None or name in asked.only]
    print(f"{'workload':24} {'ours':>10} {'torch':>10} {'ratio':>7}   spread of the ratio (quartiles)")
    with Worker(file, "tinygrad_edu") as ours, Worker(file, "torch") as theirs:
        for name in chosen:
            counts = [worker.prepare(name, asked.seconds) for worker in (ours, theirs)]
            pairs = []
            for turn in range(asked.rounds):
                order = [(ours, counts[0]), (theirs, counts[1])][:: 1 if turn % 2 else -1]  # who goes first alternates
                times = {worker.framework: worker.time(name, count) for worker, count in order}
                pairs.append((times["tinygrad_edu"], times["torch"]))
            print(row(name, pairs), flush=True)


def row(name: str, pairs: list[tuple[float, float]]) -> str:
    """Write one line of the table: medians, the median ratio, and its quartiles."""
    ratios = [a / b for a, b in pairs]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return (
        f"{name:24} {length(ours):>10} {length(theirs):>10} {statistics.median(ratios):7.2f}   {low:.2f} to {high:.2f}"
    )


def length(seconds: float) -> str:
    """Write a time with a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


class Worker:
    """A process that imports one framework and times what it is told to, on one thread."""

    def __init__(self, file: str, framework: str) -> None:
        self.framework = framework
        if importlib.util.find_spec(framework) is None and framework == "torch":
            sys.exit("torch is not installed: a ratio needs both (pip install torch==2.13.0)")
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, file, "--worker", framework],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def ask(self, **question: Any) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"the worker of {self.framework} stopped; its error stands above")
        return float(json.loads(answer))

    def prepare(self, name: str, seconds: float) -> int:
        return int(self.ask(prepare=name, seconds=seconds))

    def time(self, name: str, count: int) -> float:
        return self.ask(time=name, count=count)


def serve(framework: str, workloads: dict[str, Workload]) -> None:
    """Answer questions from standard input: how many calls fill a turn, and how long a call takes."""
    t = importlib.import_module(framework)
    if framework == "torch":
        t.set_num_threads(1)
    runs: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if name := question.get("prepare"):
            t.manual_seed(0)
            runs.clear()
            run = runs[name] = workloads[name](t)
            for _ in range(3):
                run()
            print(max(1, round(question["seconds"] / once(run, 1))), flush=True)
        else:
            print(once(runs[question["time"]], question["count"]), flush=True)


def once(run: Callable[[], object], count: int) -> float:
    """Give the mean time of ``count`` calls in seconds."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count

"""The command line: one file per command, each with ``add(commands)`` to describe itself."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from . import bench, check, demo, doctor, graph, lab, run, step, summary

__all__ = ["main"]

COMMANDS = (demo, run, graph, step, check, summary, lab, bench, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that ``arguments`` (by default those of the process) ask for; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_edu",
        description="PyTorch's interface on NumPy: see a network train, or run a PyTorch script without PyTorch.",
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    asked = parser.parse_args(arguments)
    try:
        status: int = asked.execute(asked)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, ``head`` say, has seen enough; what Python still holds goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    return status

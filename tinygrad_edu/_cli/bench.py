"""``bench``: the door to ``benchmarks/run.py``, which times the workloads beside PyTorch; only a checkout has it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._types import Commands

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "run.py"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "bench",
        help="time the workloads beside PyTorch (in a checkout of the project)",
        add_help=False,
        prefix_chars="\0",  # every word, --help as well, is for the script
    )
    parser.add_argument("words", nargs="*")
    parser.set_defaults(execute=execute)


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    if not SCRIPT.exists():
        print(
            "bench: the benchmarks are not part of the installed package. Take them from the project's repository "
            "(folder benchmarks) and run: python benchmarks/run.py",
            file=sys.stderr,
        )
        return 2
    return subprocess.run([sys.executable, str(SCRIPT), *asked.words]).returncode

"""A script run under recording: what the commands that draw it or step through it have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .._stand_in import as_torch
from .run import run_script

if TYPE_CHECKING:
    from ..viz._record import Tape


def options_behind(options: argparse.ArgumentParser, asked: argparse.Namespace) -> argparse.Namespace:
    """Take the command's ``options`` from behind the script as well; what follows ``--`` is the script's alone.

    Examples
    --------
    >>> options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    >>> _ = options.add_argument("--text", action="store_true")
    >>> options_behind(options, argparse.Namespace(text=False, arguments=["--text", "--epochs", "3"]))
    Namespace(text=True, arguments=['--epochs', '3'])
    >>> options_behind(options, argparse.Namespace(text=False, arguments=["--", "--text"]))
    Namespace(text=False, arguments=['--text'])
    """
    end = asked.arguments.index("--") if "--" in asked.arguments else len(asked.arguments)
    _, rest = options.parse_known_args(asked.arguments[:end], asked)
    asked.arguments = rest + asked.arguments[end + 1 :]
    return asked


def recorded(command: str, asked: argparse.Namespace) -> tuple[Tape | None, int]:
    """Record the script that ``command`` is asked to show; no tape where there is nothing to show, and stderr says why."""
    if not Path(asked.script).is_file():
        print(f"{command}: no such script: {asked.script}", file=sys.stderr)
        return None, 2
    tape, status = record_script(asked.script, asked.arguments, nth=asked.nth)
    missing = what_is_missing(tape, asked.nth)
    if missing:
        print(f"{command}: {missing}", file=sys.stderr)
        return None, status or 2
    return tape, status


def record_script(script: str, arguments: Sequence[str], *, nth: int = 1) -> tuple[Tape, int]:
    """Run a PyTorch script unchanged, recording up to its ``nth`` ``backward()``; return the tape and the exit status.

    The script runs to its end, unrecorded after that ``backward()``. If it raises before, the tape holds what ran until then.
    """
    from ..viz import record

    recording = record(nth=nth)
    with as_torch(), recording as tape:
        return tape, run_script(script, arguments, failed=recording.failed)


def what_is_missing(tape: Tape, nth: int) -> str | None:
    """Say why a tape of ``record_script`` has no ``nth`` backward to show; None if it has, or shows what raised."""
    if tape.backwards >= nth or (tape.error is not None and tape.ops):
        return None
    if tape.error is not None:
        return f"the script raised before any operation ran, so there is nothing to show: {tape.error}"
    if not tape.backwards:
        return (
            "the script never calls backward(), so there is no graph to show: compute a loss and call loss.backward()."
        )
    times = "once" if tape.backwards == 1 else f"{tape.backwards} times"
    return f"the script calls backward() {times}, so there is no number {nth}: give --nth 1 to {tape.backwards}."

"""``step``: a PyTorch script, unchanged, and its first ``backward()`` one operation at a time."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ._recording import options_behind, recorded
from .graph import positive

if TYPE_CHECKING:
    from ._types import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--text", action="store_true", help="print the steps instead of writing a page")
    options.add_argument("--nth", type=positive, default=1, metavar="N", help="show the N-th backward() (default: 1)")
    options.add_argument("--out", type=Path, metavar="FILE", help="the page (default: SCRIPT_steps.html beside you)")
    options.add_argument("--language", choices=("en", "zh"), default="en", help="of page and text (default: en)")
    options.add_argument(
        "--max-nodes", type=positive, default=300, metavar="N", help="refuse larger graphs (default: 300)"
    )
    options.add_argument("--max-mb", type=positive, default=2, metavar="N", help="refuse larger pages (default: 2)")
    parser = commands.add_parser(
        "step",
        parents=[options],
        help="run a PyTorch script and step through its backward()",
        description="Run a script with tinygrad_edu in torch's place and write a page that plays what led to its first backward(), and "
        "the backward pass itself, one operation at a time. If the script raises before that, the operations up to the one that "
        "raised are shown. What stands behind -- is the script's own.",
    )
    parser.add_argument("script", help="path of the script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script finds in sys.argv[1:]")
    parser.set_defaults(execute=lambda asked: execute(options_behind(options, asked)))


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    from ..viz.stepper import player_of

    tape, status = recorded("step", asked)
    if tape is None:
        return status
    script = Path(asked.script)
    limits = {"max_nodes": asked.max_nodes, "max_mb": asked.max_mb}
    out = asked.out or Path(f"{script.stem}_steps.html")
    try:
        player = player_of(tape, title=script.name, language=asked.language, **limits)
        if asked.text:
            print(player.text())
        else:
            player.save(out)
            print(f"{len(player.steps)} steps of {script.name}: {out}")
    except (ValueError, OSError) as error:
        print(f"step: {_as_option(str(error))}", file=sys.stderr)
        return status or 2
    return status


def _as_option(sentence: str) -> str:
    """Name the limits as this command does.

    >>> _as_option("pass max_nodes=400 (and max_mb=8)")
    'pass --max-nodes 400 (and --max-mb 8)'
    """
    return sentence.replace("max_nodes=", "--max-nodes ").replace("max_mb=", "--max-mb ")

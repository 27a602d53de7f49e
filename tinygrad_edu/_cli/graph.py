"""``graph``: a PyTorch script, unchanged, and the picture of what its ``backward()`` walked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ._recording import options_behind, recorded

if TYPE_CHECKING:
    from ..viz._graph import Diagram
    from ..viz._record import Tape
    from ._types import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--nth", type=positive, default=1, metavar="N", help="draw the N-th backward() (default: 1)")
    options.add_argument("--out", type=Path, metavar="FILE", help="the picture (default: SCRIPT_graph.svg beside you)")
    parser = commands.add_parser(
        "graph",
        parents=[options],
        help="run a PyTorch script and draw the graph of its loss",
        description="Run a script with tinygrad_edu in torch's place and draw what led to its first backward(): the operations, "
        "their values and gradients. If the script raises before that, the graph up to the operation that raised is drawn. "
        "What stands behind -- is the script's own.",
    )
    parser.add_argument("script", help="path of the script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script finds in sys.argv[1:]")
    parser.set_defaults(execute=lambda asked: execute(options_behind(options, asked)))


def positive(text: str) -> int:
    """A whole number from 1, as argparse wants it."""
    number = int(text) if text.isdecimal() else 0
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return number


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    from ..viz import draw

    tape, status = recorded("graph", asked)
    if tape is None:
        return status
    script = Path(asked.script)
    out = asked.out or Path(f"{script.stem}_graph.svg")
    try:
        diagram = tape.diagram()
        draw(diagram).save(out)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"graph: {error}", file=sys.stderr)
        return status or 2
    print(f"{told(tape, diagram, asked.nth)}: {out}")
    return status


def told(tape: Tape, diagram: Diagram, nth: int) -> str:
    """One sentence on what is drawn."""
    ops = f"graph of {len(diagram.ops())} operations"
    if tape.backwards < nth:
        failed = diagram[diagram.output]
        return f"{ops}, up to {failed.name}, which raised" if failed.error else f"{ops}, up to where the script raised"
    source = tape.walks[-1].source
    place = f" ({source.file}:{source.line})" if source is not None else ""
    return f"{ops} behind backward() number {nth}{place}"

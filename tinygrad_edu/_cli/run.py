"""``run``: a PyTorch script, unchanged, with tinygrad_edu in torch's place."""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from .._lint import lint
from .._stand_in import as_torch
from ..random import manual_seed
from .compare import compare

if TYPE_CHECKING:
    from ._types import Commands

PACKAGE = str(Path(__file__).parent.parent) + os.sep


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "run",
        help="run a PyTorch script with tinygrad_edu in torch's place",
        description="Run a script whose `import torch` (torch.nn, torchvision, torchsummary, ...) tinygrad_edu answers. "
        "The script is not touched. Options for run come before the script, its own arguments after it.",
    )
    parser.add_argument(
        "--compare", action="store_true", help="run it under real torch too; show where the output parts"
    )
    parser.add_argument(
        "--seed", type=int, help="seed random, numpy.random and torch first (--compare: 0 if not given)"
    )
    parser.add_argument("--lint", action="store_true", help="warn on stderr about traps that raise no error")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write losses, gradients, units, traps and NaN as an HTML page"
    )
    parser.add_argument("--traceback", action="store_true", help="show the framework's own frames in tracebacks too")
    parser.add_argument("script", help="path of the script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the script finds in sys.argv[1:]")
    parser.set_defaults(execute=execute)


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    if not Path(asked.script).is_file():
        print(f"run: no such script: {asked.script}", file=sys.stderr)
        return 2
    options = ["--lint"] * asked.lint + ["--traceback"] * asked.traceback
    if asked.report is not None and (asked.compare or not asked.report.absolute().parent.is_dir()):
        reason = "--compare has a report of its own" if asked.compare else f"there is no folder {asked.report.parent}"
        print(f"run: no report can be written to {asked.report}: {reason}", file=sys.stderr)
        return 2
    if asked.compare:
        return compare(asked.script, asked.arguments, options, asked.seed or 0)
    with ExitStack() as active:
        if asked.seed is not None:
            _seed(asked.seed)
        active.enter_context(as_torch())
        if asked.lint:
            active.enter_context(lint())
        if asked.report is not None:
            return _reported(asked)
        return run_script(asked.script, asked.arguments, whole_traceback=asked.traceback)


def _reported(asked: argparse.Namespace) -> int:
    """Run the script under observation, its first step under recording, and write what was seen."""
    from ..viz import record
    from ..viz.report import Observer, page
    from ..viz.stepper import player_of

    name, recording = Path(asked.script).name, record(nth=1)

    def failed(error: BaseException) -> None:
        seen.failed(error)
        recording.failed(error)

    with Observer() as seen, recording as tape:
        status = run_script(asked.script, asked.arguments, whole_traceback=asked.traceback, failed=failed)
    stepper, left_out = None, "no operation ran."
    if tape.ops:
        try:
            stepper = player_of(tape, title=name).page()
        except ValueError as error:
            left_out = str(error)
    try:
        asked.report.write_text(page(seen, name, stepper=stepper, left_out=left_out), "utf-8")
    except OSError as error:
        print(f"run: the report was not written: {error}", file=sys.stderr)
        return status or 2
    print(f"report: {asked.report}", file=sys.stderr)
    return status


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    manual_seed(seed)


def run_script(
    script: str,
    arguments: Sequence[str],
    *,
    whole_traceback: bool = False,
    failed: Callable[[BaseException], None] = lambda error: None,
) -> int:
    """Run ``script`` as ``python script arguments`` would, in this process; return its exit status.

    The exception that ends it, if one does, is given to ``failed`` and shown on stderr.
    """
    main = ModuleType("__main__")
    main.__file__ = os.path.abspath(script)
    vars(main).update(__annotations__={}, __builtins__=__builtins__, __cached__=None)
    before = sys.argv, sys.path[:], sys.modules["__main__"]
    threads = set(threading.enumerate())
    sys.argv = [script, *arguments]
    sys.path[:1] = [os.path.dirname(os.path.realpath(script))]
    sys.modules["__main__"] = main
    try:
        code = compile(Path(script).read_bytes(), main.__file__, "exec", dont_inherit=True)
        exec(code, vars(main))  # the purpose of this command
        status = 0
    except SystemExit as end:
        status = _exit_status(end)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", file=sys.stderr)
        status = 130
    except BaseException as error:
        failed(error)
        show(error, whole=whole_traceback)
        status = 1
    finally:
        for thread in set(threading.enumerate()) - threads:  # Python waits for a script's threads before it ends
            if not thread.daemon:
                thread.join()
        sys.stdout.flush()
        sys.argv, sys.path[:], sys.modules["__main__"] = before
    return status


def _exit_status(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code
    print(end.code, file=sys.stderr)
    return 1


def show(error: BaseException, *, whole: bool = False) -> None:
    """Print the traceback of ``error``: the user's lines, without those of the framework unless ``whole``."""
    report = traceback.TracebackException.from_exception(error, compact=True)
    left_out = _leave_out(report, whole)
    sys.stdout.flush()
    if left_out:
        frames = "1 frame" if left_out == 1 else f"{left_out} frames"
        print(f"({frames} inside tinygrad_edu left out; run --traceback shows all)", file=sys.stderr)
    print("".join(report.format()), end="", file=sys.stderr)


def _leave_out(report: traceback.TracebackException | None, whole: bool) -> int:
    """Take the framework's frames out of ``report`` and of what caused it; return how many."""
    left_out = 0
    waiting = [report]
    while waiting:
        part = waiting.pop()
        if part is None:
            continue
        kept = [frame for frame in part.stack if not _is_inner(frame, whole)]
        runner = sum(frame.filename == __file__ for frame in part.stack)
        left_out += len(part.stack) - len(kept) - runner
        part.stack[:] = kept
        waiting += [part.__cause__, part.__context__, *(part.exceptions or ())]
    return left_out


def _is_inner(frame: traceback.FrameSummary, whole: bool) -> bool:
    if whole:
        return frame.filename == __file__
    return frame.filename.startswith((PACKAGE, "<frozen importlib"))

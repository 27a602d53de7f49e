"""``summary``: the layers of a model that stands in a Python file."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import _dtype

if TYPE_CHECKING:
    from ._types import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "summary",
        help="print the layers, shapes and parameters of a model in a script",
        description="Load a script (its `if __name__ == '__main__'` part is not run) and print what torchsummary would, or torchinfo.",
    )
    parser.add_argument("model", help="script.py:Net, where Net is a module or a class that needs no arguments")
    parser.add_argument(
        "--input",
        type=int,
        nargs="+",
        metavar="N",
        help="shape of one input, as 1 28 28; without it the layers are printed as they are held, without running the model",
    )
    parser.add_argument("--batch", type=int, default=-1, help="batch size to show (default -1: any)")
    parser.add_argument(
        "--dtype",
        choices=[kind.name for kind in _dtype.ALL],
        help="dtype of the input (default float32): int64 for a model that begins with an embedding",
    )
    parser.add_argument(
        "--info", action="store_true", help="print torchinfo's tree instead, for a batch of --batch (or 1)"
    )
    parser.set_defaults(execute=execute)


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    from .. import nn, viz
    from .._stand_in import as_torch

    script, colon, name = asked.model.rpartition(":")
    if not colon or not Path(script).is_file():
        print(
            f"summary: give the model as script.py:Net; there is no script {script or asked.model!r}", file=sys.stderr
        )
        return 2
    with as_torch():
        sys.path.insert(0, str(Path(script).resolve().parent))
        try:
            names = runpy.run_path(script, run_name="<summary>")
        finally:
            del sys.path[0]
        models = [key for key, value in names.items() if isinstance(value, nn.Module) or _is_model_class(value)]
        if name not in models:
            what = f"{name!r} in {script} is no model" if name in names else f"{script} defines no {name!r}"
            print(f"summary: {what}; models there: {', '.join(models) or 'none'}", file=sys.stderr)
            return 2
        try:
            model = names[name]() if isinstance(names[name], type) else names[name]
        except TypeError as error:
            print(f"summary: {error}. Make one in the script, model = {name}(...), and give its name", file=sys.stderr)
            return 2
        dtypes = None if asked.dtype is None else [kind for kind in _dtype.ALL if kind.name == asked.dtype]
        try:
            if asked.input is None:
                viz.info(model, verbose=1)
            elif asked.info:
                viz.info(model, (max(asked.batch, 1), *asked.input), dtypes=dtypes, verbose=1)
            else:
                viz.summary(model, tuple(asked.input), batch_size=asked.batch, dtypes=dtypes)
        except (TypeError, ValueError, RuntimeError) as error:
            print(f"summary: {error}", file=sys.stderr)
            return 1
    return 0


def _is_model_class(value: object) -> bool:
    from .. import nn

    return isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == "<summary>"

"""``lab``: the theory laboratory, each claim with its numbers, a figure and an explanation."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._types import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "lab",
        help="see a claim of the theory: vanishing gradients, dying ReLU, saddles ... (seconds)",
        description="Run an experiment of the theory laboratory: it prints its numbers, says what is seen and why, and writes its "
        "figure (matplotlib: pip install 'tinygrad-edu[plot]').",
    )
    parser.add_argument("name", nargs="?", help="an experiment; --list shows all")
    parser.add_argument("--list", action="store_true", help="list the experiments")
    parser.add_argument("--all", action="store_true", help="run all of them, one after the other")
    parser.add_argument("--out", type=Path, default=Path("out/lab"), help="folder for the figures (default out/lab/)")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="English or Chinese (default en)")
    parser.add_argument("--seed", type=seed, default=0, help="of the random numbers (default 0)")
    parser.add_argument("--no-figure", action="store_true", help="print only")
    parser.set_defaults(execute=execute)


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    from .. import _blas
    from ..lab import EXPERIMENTS, NoMatplotlibError, save

    if asked.list:
        widest = max(map(len, EXPERIMENTS))
        for name, experiment in EXPERIMENTS.items():
            print(f"{name:{widest}}  {experiment.title.within(asked.language)}")
        return 0
    choices = ", ".join(EXPERIMENTS)
    if asked.name is None and not asked.all:
        print(f"lab: name an experiment, or give --all. There are: {choices}", file=sys.stderr)
        return 2
    if asked.name is not None and asked.name not in EXPERIMENTS:
        near = difflib.get_close_matches(asked.name, EXPERIMENTS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        print(f"lab: there is no experiment {asked.name!r}.{hint} There are: {choices}", file=sys.stderr)
        return 2
    if not asked.no_figure:
        try:
            asked.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return _cannot_write(asked.out, error)

    _blas.set_threads(1)  # the products are small: a second thread only waits
    drawing = not asked.no_figure
    for name in EXPERIMENTS if asked.all else [asked.name]:
        experiment = EXPERIMENTS[name]
        findings = experiment.run(asked.seed)
        print(experiment.report(findings, asked.language))
        if drawing:
            try:
                print(f"\nfigure: {save(experiment, findings, asked.out / f'{name}.png', asked.language)}")
            except NoMatplotlibError as error:
                print(f"\nno figure: {error}")
                drawing = False
            except OSError as error:
                return _cannot_write(asked.out, error)
        if asked.all:
            print("\n")
    return 0


def seed(word: str) -> int:
    """Read a seed; its name stands in argparse's answer to a word that is no number."""
    number = int(word)
    if abs(number) > 2**62:
        raise argparse.ArgumentTypeError(f"a seed lies between -2**62 and 2**62, not {word}")
    return number


def _cannot_write(folder: Path, error: OSError) -> int:
    reason = error.strerror or type(error).__name__
    print(
        f"lab: no figure can be written into {folder} ({reason}). "
        "Name another folder with --out, or leave the figures out with --no-figure.",
        file=sys.stderr,
    )
    return 2

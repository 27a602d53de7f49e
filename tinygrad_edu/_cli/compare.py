"""``run --compare``: a script under tinygrad_edu and under real torch, side by side."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import TypeAlias

# A child that finds this very package, installed or not; `run` then puts the script's folder into sys.path[0].
OURS = "import sys; sys.path[0] = {parent!r}; from tinygrad_edu._cli import main; sys.exit(main())"

# The script as __main__, as `python script` would, but with seeded random numbers: torch's own start is never the same.
THEIRS = """
import os, random, sys, numpy, torch
random.seed({seed}), numpy.random.seed({seed}), torch.manual_seed({seed})
del sys.argv[0]
__file__ = os.path.abspath(sys.argv[0])
sys.path[0] = os.path.dirname(os.path.realpath(__file__))
with open(__file__, "rb") as file:
    code = compile(file.read(), __file__, "exec", dont_inherit=True)
del os, random, sys, numpy, torch, file
__cached__ = None
exec(globals().pop("code"))
"""

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
ADDRESS = re.compile(r"(?<= at )0x[0-9a-fA-F]+")

Row: TypeAlias = tuple[str | None, str | None]


@dataclass
class Outcome:
    """What a script printed, and how it ended."""

    lines: list[str]
    errors: list[str]
    status: int


def compare(script: str, arguments: Sequence[str], options: Sequence[str], seed: int = 0) -> int:
    """Run ``script`` both ways, show both outputs; 0 if they are equal, 1 if not, 2 without torch."""
    if importlib.util.find_spec("torch") is None:
        print(
            "run --compare: PyTorch is not installed here, so there is nothing to compare with. Install it by\n"
            "    pip install torch==2.13.0\n"
            "(on Linux, for the small build without CUDA, add --index-url https://download.pytorch.org/whl/cpu)",
            file=sys.stderr,
        )
        return 2
    code = OURS.format(parent=str(Path(__file__).resolve().parents[2]))
    mine = _run([sys.executable, "-c", code, "run", f"--seed={seed}", *options, script, *arguments])
    theirs = _run([sys.executable, "-c", THEIRS.format(seed=seed), script, *arguments])
    rows = _aligned(mine.lines, theirs.lines)
    _show(mine, theirs, rows)
    return _verdict(mine, theirs, rows)


def _run(command: list[str]) -> Outcome:
    done = subprocess.run(
        command,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        errors="replace",
    )
    # <MseLossBackward0 object at 0x7f58e3f057e0>: the address is another one in each run of one and the same program.
    return Outcome(ADDRESS.sub("0x...", done.stdout).splitlines(), done.stderr.splitlines(), done.returncode)


def _aligned(mine: list[str], theirs: list[str]) -> list[Row]:
    """Pair the lines of two outputs; None where a line has no counterpart.

    >>> _aligned(["a", "more", "b"], ["a", "b"])
    [('a', 'a'), ('more', None), ('b', 'b')]
    """
    rows: list[Row] = []
    for _, i, j, k, m in SequenceMatcher(None, mine, theirs).get_opcodes():
        rows += zip_longest(mine[i:j], theirs[k:m])
    return rows


def _show(mine: Outcome, theirs: Outcome, rows: list[Row]) -> None:
    """Print both outputs beside each other, ``!`` between lines that differ."""
    width = max(20, (shutil.get_terminal_size((120, 24)).columns - 3) // 2)
    print(f"{_fit('tinygrad_edu', width)}   torch")
    print(f"{'-' * width}   {'-' * width}")
    for left, right in rows:
        sign = " " if left == right else "!"
        print(f"{_fit(left or '', width)} {sign} {_fit(right or '', width).rstrip()}".rstrip())
    print(f"{'-' * width}   {'-' * width}")
    for name, outcome in (("tinygrad_edu", mine), ("torch", theirs)):
        if outcome.status:
            print(
                f"{name} ended with status {outcome.status}: {outcome.errors[-1] if outcome.errors else 'no message'}"
            )
    for line in mine.errors:
        if line.startswith("lint: "):
            print(line, file=sys.stderr)


def _verdict(mine: Outcome, theirs: Outcome, rows: list[Row]) -> int:
    """Name the first line that differs; return the exit status."""
    for number, (left, right) in enumerate(rows, 1):
        if left != right:
            print(f"first difference: line {number}{_remark(left, right)}")
            print(f"  tinygrad_edu: {'(no such line)' if left is None else left}")
            print(f"  torch:        {'(no such line)' if right is None else right}")
            return 1
    if (mine.status == 0) != (theirs.status == 0):
        print(f"first difference: the exit status, {mine.status} under tinygrad_edu and {theirs.status} under torch")
        return 1
    print(f"equal: {len(mine.lines)} lines")
    return 0


def _remark(left: str | None, right: str | None) -> str:
    """Say so if two lines differ in the last printed digit of numbers only.

    >>> _remark("loss 0.1234", "loss 0.1235")
    ' (numbers differ by one unit of their last digit)'
    >>> _remark("loss 0.1234", "loss 0.1334")
    ''
    """
    if left is None or right is None or NUMBER.sub("#", left) != NUMBER.sub("#", right):
        return ""
    pairs = zip(NUMBER.findall(left), NUMBER.findall(right), strict=True)
    return " (numbers differ by one unit of their last digit)" if all(_near(a, b) for a, b in pairs) else ""


def _near(a: str, b: str) -> bool:
    places = min(len(text.partition("e")[0].partition(".")[2]) for text in (a.lower(), b.lower()))
    exponent = max(int(text.lower().partition("e")[2] or 0) for text in (a, b))
    return abs(float(a) - float(b)) <= 1.01 * 10.0 ** (exponent - places)


def _fit(text: str, width: int) -> str:
    """Cut or fill ``text`` to ``width`` columns of a terminal, where Chinese characters take two.

    >>> _fit("中文字", 5), _fit("中文", 5)
    ('中文…', '中文 ')
    """
    text = text.expandtabs()
    wide = [2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text]
    if sum(wide) <= width:
        return text + " " * (width - sum(wide))
    used = kept = 0
    while used + wide[kept] <= width - 1:
        used += wide[kept]
        kept += 1
    return text[:kept] + "…" + " " * (width - 1 - used)

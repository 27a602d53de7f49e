"""Run an example under tinygrad_edu or under torch, and compare what the two printed."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))
NAMES = [path.name for path in EXAMPLES]

OUR_IMPORTS = ("import tinygrad_edu as torch\n", "from tinygrad_edu import nn\n")
TORCH_IMPORTS = ("import torch\n", "from torch import nn\n")

NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)(?![A-Za-z_])")


def source(name: str) -> str:
    return (ROOT / "examples" / name).read_text(encoding="utf-8")


def header(name: str) -> list[str]:
    """Give the comment lines an example starts with."""
    lines = source(name).splitlines()
    return lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))]


def rows(name: str) -> set[str]:
    """Give the ids of the seed rows an example covers."""
    return {row for line in header(name) if line.startswith("# Rows:") for row in line.removeprefix("# Rows:").split()}


def torch_lacks_it(name: str) -> bool:
    return header(name)[1].startswith("# torch lacks this")


def for_torch(name: str) -> str:
    text = source(name)
    for ours, theirs in zip(OUR_IMPORTS, TORCH_IMPORTS, strict=True):
        assert text.count(ours) == 1, f"{name} does not hold the line {ours!r} once"
        text = text.replace(ours, theirs)
    return text


@functools.cache
def output(name: str, framework: str, seed: int = 0, steps: int | None = None) -> str:
    """Run an example in this process and give what it printed. ``framework``: ours, torch, or torch64 (see `wide`)."""
    text = source(name) if framework == "ours" else for_torch(name)
    environment = {"EXAMPLE_SEED": str(seed)} | ({} if steps is None else {"EXAMPLE_STEPS": str(steps)})
    printed = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment))
        stack.enter_context(
            mock.patch.object(importlib.util, "find_spec", without_matplotlib(importlib.util.find_spec))
        )
        stack.enter_context(contextlib.chdir(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.enter_context(contextlib.redirect_stdout(printed))
        if framework == "torch64":
            stack.enter_context(wide())
        exec(compile(text, str(ROOT / "examples" / name), "exec"), {"__name__": "__main__"})
    return printed.getvalue()


def without_matplotlib(find_spec):
    """Hide matplotlib: a figure costs a second and prints nothing. The seeds' tests look at figures."""
    return lambda name, *rest: None if name == "matplotlib" else find_spec(name, *rest)


@contextlib.contextmanager
def wide() -> Iterator[None]:
    """Let torch compute in float64 from the random numbers that it draws in float32.

    Where the printed numbers of such a run part from the float32 run, rounding alone decides, and no second
    implementation can be asked to agree.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    fill = {torch.Tensor.uniform_, torch.Tensor.normal_}
    draw = {torch.rand, torch.randn, torch.normal}
    narrow = {torch.Tensor.float}

    class Wide(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            kwargs = dict(kwargs or {})
            if function in fill or getattr(function, "__module__", "") == "torch.nn.init":
                filled, *rest = (kwargs.pop("tensor"), *args) if "tensor" in kwargs else args
                small = torch.empty(filled.shape, dtype=torch.float32)
                function(small, *rest, **kwargs)
                with torch.no_grad():
                    return filled.copy_(small)
            if function in draw and "dtype" not in kwargs:
                return function(*args, **kwargs, dtype=torch.float32).double()
            if function in narrow:
                return args[0].double()
            return function(*args, **kwargs)

    def from_numpy(array):
        tensor = torch.tensor(array)
        return tensor.double() if tensor.dtype == torch.float32 else tensor

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with Wide(), mock.patch.object(torch, "from_numpy", from_numpy):  # from_numpy takes no tensor: no mode sees it
            yield
    finally:
        torch.set_default_dtype(before)


def words(line: str) -> list[str]:
    return NUMBER.sub(" # ", line).split()


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def unit(number: str) -> float:
    """Give the weight of the last printed digit; 0 for whole numbers, which must agree exactly."""
    mantissa, _, exponent = number.partition("e")
    if "." not in mantissa:
        return 0.0
    return float(10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])))


def same_number(ours: str, theirs: str) -> bool:
    a, b = float(ours), float(theirs)
    if a == b or (a != a and b != b):
        return True
    return abs(a - b) <= 1.001 * max(unit(ours), unit(theirs))


def same_line(ours: str, theirs: str) -> bool:
    return words(ours) == words(theirs) and all(map(same_number, numbers(ours), numbers(theirs)))


def first_difference(ours: str, theirs: str) -> int | None:
    """Give the index of the first line that differs by a word, or by more than one unit of a last digit."""
    a, b = ours.splitlines(), theirs.splitlines()
    for i, (left, right) in enumerate(zip(a, b, strict=False)):
        if not same_line(left, right):
            return i
    return None if len(a) == len(b) else min(len(a), len(b))

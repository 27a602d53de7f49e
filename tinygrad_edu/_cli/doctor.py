"""``doctor``: what is installed and found, and the remedy for what is not."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._allocator import obstacle
from .._blas import get_threads

if TYPE_CHECKING:
    from ._types import Commands

PACKAGES = {  # what each is for, and how to get it
    "tqdm": ("progress bars", "pip install tqdm"),
    "graphviz": ("make_dot and draw_dot", "pip install graphviz"),
    "matplotlib": ("plots", "pip install 'tinygrad-edu[plot]'"),
    "pytest": ("the tests", "pip install 'tinygrad-edu[check]'"),
    "hypothesis": ("the tests", "pip install 'tinygrad-edu[check]'"),
    "torch": ("run --compare, the tests", "pip install torch==2.13.0"),
}
DATA = {  # a data set, and files that show it, looked for in TINYGRAD_EDU_DATA as vision.datasets does
    "MNIST": ("MNIST/raw/train-images-idx3-ubyte*", "mnist/train-images-idx3-ubyte*", "train-images-idx3-ubyte*"),
    "FashionMNIST": ("FashionMNIST/raw/train-images-idx3-ubyte*", "fashionmnist/train-images-idx3-ubyte*"),
    "CIFAR10": ("cifar-10-batches-py/data_batch_1", "cifar10/data_batch_1", "cifar-10-python.tar.gz"),
}


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "doctor",
        help="say what is installed and found, and the remedy for what is not",
        description="One line for each thing that tinygrad_edu needs or can use. Nothing is changed.",
    )
    parser.set_defaults(execute=execute)


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    for line in diagnosis():
        print(line)
    return 0


def diagnosis() -> Iterator[str]:
    """The lines of the report."""
    yield _line("ok", "Python", platform.python_version())
    yield _line("ok", "tinygrad_edu", _version("tinygrad-edu") or "used from its folder (to install: pip install .)")
    yield _line("ok", "NumPy", f"{np.__version__} ({_blas()})")
    yield _threads()
    yield _allocator()
    for package, (purpose, remedy) in PACKAGES.items():
        version = _version(package)
        yield _line("ok", package, version) if version else _line("--", package, f"not installed ({purpose}): {remedy}")
    dot = shutil.which("dot")
    yield (
        _line("ok", "dot", dot)
        if dot
        else _line(
            "--", "dot", "not found (PNG and PDF pictures of graphs): apt install graphviz, brew install graphviz"
        )
    )
    yield from _data()


def _threads() -> str:
    cores = os.cpu_count() or 1
    limits = {name: os.environ[name] for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS") if name in os.environ}
    said = ", ".join(f"{name}={value}" for name, value in limits.items())
    used = get_threads() or "an unknown number of"
    advice = said or "for small networks, or on a busy machine, OPENBLAS_NUM_THREADS=1 is faster"
    return _line("ok", "threads", f"matrix products use {used} of {cores} cores ({advice})")


def _allocator() -> str:
    why = obstacle()
    if why is None:
        return _line("ok", "allocator", "freed memory is kept for the next array (TINYGRAD_EDU_MALLOC=0 gives it back)")
    remedy = "" if "glibc" in why else ": unset it, and steps on large arrays take up to 40 % less time"
    return _line("--", "allocator", f"freed memory goes back to the system, since {why}{remedy}")


def _data() -> Iterator[str]:
    root = os.environ.get("TINYGRAD_EDU_DATA")
    if not root:
        yield _line(
            "--", "data", "TINYGRAD_EDU_DATA is not set: name a folder that holds mnist/, cifar-10-batches-py/ ..."
        )
        return
    if not Path(root).is_dir():
        yield _line("!!", "data", f"TINYGRAD_EDU_DATA={root} is no folder: correct it")
        return
    for name, patterns in DATA.items():
        found = [path for pattern in patterns for path in sorted(Path(root).glob(pattern))]
        if found:
            yield _line("ok", name, str(found[0].parent))
        else:
            yield _line("--", name, f"not in {root}: vision.datasets.{name}({root!r}, download=True) fetches it")


def _version(package: str) -> str | None:
    """The installed version, found without importing anything."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _blas() -> str:
    found = np.show_config(mode="dicts")
    blas = (found or {}).get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown BLAS')} {blas.get('version', '')}".strip()


def _line(sign: str, name: str, text: str) -> str:
    return f"{sign}  {name:<12}  {text}"

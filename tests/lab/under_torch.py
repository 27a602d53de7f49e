"""Run an experiment of the laboratory under PyTorch: the same file, its two imports changed."""

from __future__ import annotations

import importlib
import inspect
import types
from typing import Any

IMPORTS = {
    "import tinygrad_edu as torch\n": "import torch\n",
    "from tinygrad_edu import nn\n": "from torch import nn\n",
}


def file_of(name: str) -> types.ModuleType:
    """Give our module of an experiment."""
    return importlib.import_module(f"tinygrad_edu.lab._{name.replace('-', '_')}")


def findings(name: str, seed: int = 0) -> Any:
    """Measure with PyTorch."""
    ours = file_of(name)
    text = inspect.getsource(ours)
    assert text.count("\nimport tinygrad_edu as torch\n") == 1
    for before, after in IMPORTS.items():
        text = text.replace(before, after)
    names = {"__name__": ours.__name__, "__package__": ours.__package__}
    exec(compile(text, f"{ours.__file__} under torch", "exec"), names)
    return names["run"](seed)

"""Import on first use (PEP 562), so that a program pays for the parts that it names and for no others.

if TYPE_CHECKING:
    from . import functional  # for type checkers and editors
    from ._gradcheck import gradcheck
__getattr__, __dir__ = on_first_use(__name__, functional="functional", gradcheck="_gradcheck")
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def on_first_use(module: str, **files: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for ``module``, by which it offers names that it has not imported yet.

    ``files`` says in which file of the same folder each name is found; a name that is its own file is that module.
    """
    here = vars(sys.modules[module])

    def get(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value: Any = import_module(f".{files[name]}", here["__package__"])
        if files[name] != name:
            value = getattr(value, name)
        here[name] = value  # the next reading is that of an ordinary attribute
        return value

    def listing() -> list[str]:
        return sorted({*here, *files})

    return get, listing

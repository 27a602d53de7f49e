"""The stand-in: ``import torch`` answered by tinygrad_edu, on request and undone cleanly.

While it is active, ``sys.modules`` holds modules named ``torch``, ``torch.nn``, ``torchvision``, ``torchsummary``,
``torchinfo``, ``torchviz`` that pass every name on to ours, and a finder placed first on ``sys.meta_path`` makes further ones when they are imported. A
name that torch has and tinygrad_edu lacks is refused with a sentence that says so. What was imported under those names
before, a real torch for instance, is set aside at the start and put back at the end, the very same objects.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self

__all__ = ["StandIn", "as_torch", "explain_missing"]

OURS = "tinygrad_edu"
ROOTS = {
    "torch": OURS,
    "torchvision": f"{OURS}.vision",
    "torchsummary": f"{OURS}.viz.tables._summary",
    "torchinfo": f"{OURS}.viz.tables._torchinfo",
    "torchviz": f"{OURS}.viz.picture._spellings",
}
INTERFACE = "2.13.0"  # the PyTorch whose interface is followed

# torch's files that tinygrad_edu divides in another way: an import of the left is answered from the right.
ELSEWHERE = {
    "torch.autograd.anomaly_mode": "torch.autograd",
    "torch.autograd.function": "torch.autograd",
    "torch.autograd.grad_mode": "torch.autograd",
    "torch.autograd.variable": "torch.autograd",
    "torch.nn.modules": "torch.nn",
    "torch.nn.parameter": "torch.nn",
    "torch.nn.utils.clip_grad": "torch.nn.utils",
    "torch.nn.utils.convert_parameters": "torch.nn.utils",
    "torch.optim.optimizer": "torch.optim",
    "torch.utils.data.dataloader": "torch.utils.data",
    "torch.utils.data.dataset": "torch.utils.data",
    "torch.utils.data.sampler": "torch.utils.data",
    "torchsummary.torchsummary": "torchsummary",
    "torchinfo.enums": "torchinfo",
    "torchinfo.model_statistics": "torchinfo",
    "torchinfo.torchinfo": "torchinfo",
    "torchviz.dot": "torchviz",
}
# What tinygrad_edu adds to torch is reached by its own name only.
ADDED = {f"{OURS}.{name}" for name in ("datasets", "vision", "viz", "lab", "bench")}


def as_torch() -> StandIn:
    """Let ``import torch``, ``torchvision``, ``torchsummary``, ``torchinfo`` and ``torchviz`` mean tinygrad_edu, until closed.

    Works at once, and until ``close()`` or the end of a ``with`` block; blocks may be nested. ``sys.modules`` belongs
    to the whole process, so other threads see the stand-in too; a module imported meanwhile keeps what it imported.

    Examples
    --------
    >>> import tinygrad_edu
    >>> with tinygrad_edu.as_torch():
    ...     import torch
    ...     from torch import nn
    >>> torch.ones(2)
    tensor([1., 1.])
    >>> nn.Linear is tinygrad_edu.nn.Linear
    True
    """
    return StandIn()


class StandIn:
    """A running stand-in; ``close()`` it, or use it in a ``with`` statement."""

    def __init__(self) -> None:
        _begin()
        self._open = True

    def close(self) -> None:
        """Undo the stand-in; a second call does nothing."""
        if self._open:
            self._open = False
            _end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<tinygrad_edu stands in for torch: {'open' if self._open else 'closed'}>"


class Alias(ModuleType):
    """A module under torch's name that answers with the names of one of ours, or of an object such as ``cuda``."""

    def __init__(self, name: str, target: object) -> None:
        super().__init__(name, target.__doc__)
        names = dict(self.__dict__)
        for key, value in vars(target).items() if isinstance(target, ModuleType) else ():
            # Copied, so that torch.exp costs no more than tinygrad_edu.exp. Modules wait for __getattr__, which
            # gives them torch's name too; private names are not the interface.
            if not isinstance(value, ModuleType) and not key.startswith("_"):
                names[key] = value
        self.__dict__.update(names)
        self.__dict__["_target"] = target
        if hasattr(target, "__all__"):
            self.__dict__["__all__"] = list(target.__all__)
        if "." not in name:
            self.__dict__["__version__"] = f"{INTERFACE}+{OURS}"

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(self.__dict__["_target"], name, None)
        if value is not None and not isinstance(value, ModuleType):
            self.__dict__[name] = value  # what ours imports on first use: the next reading is an ordinary attribute's
            return value
        full = f"{self.__name__}.{name}"
        ours = _target(full)
        if ours is not None:
            return importlib.import_module(full if _depth else ours)
        raise AttributeError(explain_missing(self.__name__, name))

    def __setattr__(self, name: str, value: object) -> None:
        # The importer sets a module it has loaded on its parent; torch.autograd.gradcheck stays the function, as in torch.
        if not (isinstance(value, ModuleType) and callable(getattr(self.__dict__["_target"], name, None))):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({name for name in dir(self.__dict__["_target"]) if not name.startswith("_")} | {"__version__"})

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} ({OURS} standing in)>"


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers the imports of torch, torchvision, torchsummary, torchinfo and torchviz while a stand-in is open."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # the importer's interface
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Promise an alias for one of torch's modules, refuse with a sentence, or leave other names alone."""
        if fullname.partition(".")[0] not in ROOTS:
            return None
        if _target(fullname) is not None or _object(fullname) is not None:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        # Python turns the refusal of `from torch import name` into a bare "cannot import name" of its own, unless the
        # error carries no name: then it is passed on with its text.
        parent, _, name = fullname.rpartition(".")
        raise ModuleNotFoundError(f"cannot import name {name!r} from {parent!r}{_reason(parent, name)}")

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Make the alias."""
        name = _target(spec.name)
        return Alias(spec.name, _object(spec.name) if name is None else importlib.import_module(name))

    def exec_module(self, module: ModuleType) -> None:
        """Nothing remains to be done: an alias is complete when it is made."""


_lock = threading.RLock()
_finder = Finder()
_depth = 0
_aside: dict[str, ModuleType] = {}


def _tensor() -> type:
    """The class whose name beginners print."""
    found: type = importlib.import_module(OURS).Tensor
    return found


def _begin() -> None:
    """Set aside what stands under torch's names, and answer for it from now on."""
    global _depth
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        _aside.update(_take_out())
        _tensor().__module__ = "torch"  # print(type(x)) says <class 'torch.Tensor'>
        sys.meta_path.insert(0, _finder)
        try:
            importlib.import_module("torch")  # libraries look into sys.modules without importing
        except BaseException:
            _end()
            raise


def _end() -> None:
    """Put back exactly what was there before."""
    global _depth
    with _lock:
        _depth -= 1
        if _depth:
            return
        _tensor().__module__ = f"{OURS}._tensor"
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder]
        _take_out()
        sys.modules.update(_aside)
        _aside.clear()


def _take_out() -> dict[str, ModuleType]:
    """Remove every module under torch's names from ``sys.modules``."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in ROOTS}


def _target(fullname: str) -> str | None:
    """Our module that answers for torch's ``fullname``, or None.

    >>> _target("torch.nn.functional"), _target("torch.nn.modules.loss"), _target("torch.viz")
    ('tinygrad_edu.nn.functional', 'tinygrad_edu.nn', None)
    """
    fullname = _same(fullname)
    root, _, rest = fullname.partition(".")
    ours = f"{ROOTS[root]}.{rest}" if rest else ROOTS[root]
    if ours in ADDED and root == "torch":
        return None
    if any(part.startswith("_") for part in rest.split(".")):
        return None
    try:
        return ours if importlib.util.find_spec(ours) is not None else None
    except ModuleNotFoundError:  # not even the package around it
        return None


def _object(fullname: str) -> object:
    """What answers for torch's module ``fullname`` without being a module here: ``cuda``, ``backends.cudnn``; or None."""
    root, *path = fullname.split(".")
    found: object = importlib.import_module(ROOTS[root])
    for name in path:
        found = getattr(found, name, None)
    return None if isinstance(found, ModuleType) or callable(found) or not hasattr(found, "__dict__") else found


def _same(fullname: str) -> str:
    """The name under which torch's ``fullname`` is answered."""
    for theirs, same in ELSEWHERE.items():
        if fullname == theirs or fullname.startswith(f"{theirs}."):
            return same
    return fullname


def explain_missing(module: str, name: str) -> str:
    """Say that ``module`` (under torch's name) has no ``name``, whether torch has it, and what comes near.

    ``module`` may be "torch.Tensor", for its methods.

    >>> explain_missing("torch", "sigmod")
    "module 'torch' has no attribute 'sigmod' (PyTorch has no such name either). The nearest we have: sigmoid"
    """
    owner = "'Tensor' object" if module == "torch.Tensor" else f"module {module!r}"
    return f"{owner} has no attribute {name!r}{_reason(module, name)}"


def _reason(module: str, name: str) -> str:
    module = _same(module)
    theirs = torch_names(module)
    if name in theirs:
        why = "PyTorch has it, tinygrad_edu does not"
    else:
        why = "PyTorch has no such name either" if theirs else "tinygrad_edu does not have it"
    near = _nearest(name, _our_names(module))
    return f" ({why}). The nearest we have: {', '.join(near)}" if near else f" ({why})"


def _nearest(name: str, names: list[str]) -> list[str]:
    """Up to three of ``names`` that resemble ``name``, be it in other letter case or without underscores.

    >>> _nearest("crossEntropyLos", ["CrossEntropyLoss", "cross_entropy", "relu"])
    ['CrossEntropyLoss', 'cross_entropy']
    """

    def plain(text: str) -> str:
        return text.lower().replace("_", "")

    by_letters: dict[str, list[str]] = {}
    for have in names:
        by_letters.setdefault(plain(have), []).append(have)
    close = difflib.get_close_matches(plain(name), by_letters, 3, 0.7)
    return [have for found in close for have in by_letters[found]][:3]


@cache
def torch_names(module: str) -> frozenset[str]:
    """PyTorch's public names in ``module`` (``torch.Tensor`` for the methods); empty where no list is kept."""
    for line in Path(__file__).with_name("_torch_names.txt").read_text("ascii").splitlines():
        owner, _, names = line.partition(": ")
        if owner == module:
            return frozenset(names.split())
    return frozenset()


def _our_names(module: str) -> list[str]:
    """The public names that answer for torch's ``module``."""
    if module == "torch.Tensor":
        return [name for name in dir(importlib.import_module(OURS).Tensor) if not name.startswith("_")]
    if module.partition(".")[0] not in ROOTS:
        return []
    target = _target(module)
    if target is None:
        return []
    return [name for name in dir(importlib.import_module(target)) if not name.startswith("_")]

"""PyTorch as oracle: run one program with tinygrad_edu and with torch, and require the same outcome.

Test modules take torch from here (``from tests.oracle import both, torch``), never by ``import torch``: so they can be
collected, and counted, on a machine without it (see conftest.py).
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import math
import numbers
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np


class Absent:
    """What stands for torch where it is missing: any attribute, any call, any item is again Absent."""

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Absent:
        return self

    def __repr__(self) -> str:
        return "<torch is not installed>"


HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import torch

    torch.set_num_threads(1)
else:
    torch = Absent()


def ours() -> Any:
    """Return the framework under test: tinygrad_edu, or for developing tests, the module named by TABLE_ENGINE."""
    return importlib.import_module(os.environ.get("TABLE_ENGINE", "tinygrad_edu"))


# Relative and absolute tolerance by dtype: a few roundings of operations that sum in another order than torch's.
TOLERANCE = {"float64": (1e-9, 1e-11), "float32": (2e-5, 2e-6), "float16": (4e-3, 4e-3)}


def both(
    program: Callable[[Any], Any],
    *,
    rtol: float | None = None,
    atol: float | None = None,
    ignore_warnings: bool = False,
) -> Any:
    """Run ``program(t)`` with t = tinygrad_edu and t = torch, require the same outcome, return ours.

    The outcome is what the program returns (tensors, arrays, numbers, text, dtypes, None, nested in tuples, lists and
    dicts) or the exception it raises, which is then returned, so that a test may look at its message. Tensors must
    agree in value, dtype, shape and requires_grad. Without ``rtol`` and ``atol`` the tolerance follows the dtype.
    Our warnings meet pytest's filters unless ``ignore_warnings``, which lets UserWarnings pass; torch's are ignored.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(program, torch)
    with warnings.catch_warnings():
        if ignore_warnings:
            warnings.simplefilter("ignore", UserWarning)
        mine = outcome(program, ours())
    assert_same(mine, theirs, rtol=rtol, atol=atol)
    return mine


def outcome(program: Callable[[Any], Any], t: Any) -> Any:
    """Return what ``program(t)`` returns, or the exception it raises."""
    try:
        return program(t)
    except Exception as error:
        return error


def assert_same(mine: Any, theirs: Any, *, rtol: float | None = None, atol: float | None = None) -> None:
    """Require our outcome to be torch's; the AssertionError says where they part and shows both."""
    compare(mine, theirs, "", rtol, atol)


def assert_close(mine: Any, theirs: Any, *, rtol: float | None = None, atol: float | None = None) -> None:
    """Require equal shapes and values of two tensors or arrays, whatever their dtypes and requires_grad."""
    a, b = to_numpy(mine), to_numpy(theirs)
    assert a.shape == b.shape, f"shape {a.shape} is not {b.shape}"
    values(a, b, "", *tolerance(b.dtype.name, rtol, atol))


def to_torch(array: Any, *, requires_grad: bool = False) -> Any:
    """Copy an array, keeping its dtype, into a torch tensor."""
    return torch.from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)


def to_ours(array: Any, *, requires_grad: bool = False) -> Any:
    """Copy an array, keeping its dtype, into a tensor of tinygrad_edu."""
    return ours().from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)


def to_numpy(x: Any) -> np.ndarray:
    """Read a tensor of either framework, or anything NumPy understands, as an array."""
    if HAS_TORCH and isinstance(x, torch.Tensor):
        return x.numpy(force=True)  # force: torch's own gradients may be tensors of zeros without memory
    return np.asarray(x.detach().numpy() if is_tensor(x) else x)


def is_tensor(x: Any) -> bool:
    """Say whether ``x`` is a tensor of either framework."""
    return hasattr(x, "requires_grad") and hasattr(x, "grad_fn")


def kind(error: BaseException) -> str:
    """Name the first built-in class an exception descends from: RuntimeError for torch's LinAlgError."""
    return next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")


def compare(mine: Any, theirs: Any, where: str, rtol: float | None, atol: float | None) -> None:
    """Walk both outcomes in step; ``where`` is the path so far, such as ``[1]['weight']``."""
    at = f"at result{where}: " if where else ""
    if isinstance(theirs, BaseException) or isinstance(mine, BaseException):
        assert isinstance(theirs, BaseException), f"{at}we raise {mine!r}, torch returns {theirs!r}" + trace(mine)
        assert isinstance(mine, BaseException), f"{at}we return {mine!r}, torch raises {theirs!r}"
        bases = {c.__name__ for c in type(mine).__mro__}
        assert kind(theirs) in bases, f"{at}we raise {mine!r}, torch raises {theirs!r}" + trace(mine)
    elif is_tensor(theirs) or is_tensor(mine):
        assert is_tensor(theirs) == is_tensor(mine), f"{at}{mine!r} and torch's {theirs!r} are not both tensors"
        shapes, dtypes = (tuple(mine.shape), tuple(theirs.shape)), (str(mine.dtype), str(theirs.dtype))
        assert shapes[0] == shapes[1], f"{at}shape {shapes[0]}, torch's {shapes[1]}"
        assert dtypes[0] == dtypes[1], f"{at}dtype {dtypes[0]}, torch's {dtypes[1]}"
        wants = (mine.requires_grad, theirs.requires_grad)
        assert wants[0] == wants[1], f"{at}requires_grad {wants[0]}, torch's {wants[1]}"
        values(to_numpy(mine), to_numpy(theirs), at, *tolerance(dtypes[1], rtol, atol))
    elif isinstance(theirs, np.ndarray | np.generic):
        assert isinstance(mine, np.ndarray | np.generic), f"{at}{mine!r} is not an array; torch gives {theirs!r}"
        assert mine.dtype == theirs.dtype, f"{at}array of {mine.dtype}, torch's {theirs.dtype}"
        assert mine.shape == theirs.shape, f"{at}array of shape {mine.shape}, torch's {theirs.shape}"
        values(np.asarray(mine), np.asarray(theirs), at, *tolerance(theirs.dtype.name, rtol, atol))
    elif isinstance(theirs, dict):
        assert isinstance(mine, dict), f"{at}{mine!r} is not a dict; torch gives {theirs!r}"
        assert list(mine) == list(theirs), f"{at}keys {list(mine)}, torch's {list(theirs)}"
        for key in theirs:
            compare(mine[key], theirs[key], f"{where}[{key!r}]", rtol, atol)
    elif isinstance(theirs, tuple | list):
        family = tuple if isinstance(theirs, tuple) else list
        assert isinstance(mine, family), f"{at}{mine!r} is not a {family.__name__}; torch gives {theirs!r}"
        assert len(mine) == len(theirs), f"{at}{len(mine)} items, torch has {len(theirs)}"
        for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            compare(a, b, f"{where}[{i}]", rtol, atol)
    elif isinstance(theirs, bool | None | str | bytes | range | slice):
        assert type(mine) is type(theirs), f"{at}{mine!r}, torch gives {theirs!r}"
        assert mine == theirs, f"{at}{mine!r}, torch gives {theirs!r}"
    elif isinstance(theirs, numbers.Number):
        assert type(mine) is type(theirs), f"{at}{mine!r}, torch gives {theirs!r}"
        r, a = (rtol if rtol is not None else 2e-6), (atol if atol is not None else 1e-9)
        both_nan = isinstance(theirs, float) and math.isnan(theirs) and math.isnan(mine)
        exact = isinstance(theirs, int) and mine == theirs
        near = isinstance(theirs, float) and math.isclose(mine, theirs, rel_tol=r, abs_tol=a)
        assert both_nan or exact or near or mine == theirs, f"{at}{mine!r}, torch gives {theirs!r}"
    elif dataclasses.is_dataclass(theirs) and not isinstance(theirs, type):
        compare(dataclasses.asdict(mine), dataclasses.asdict(theirs), where, rtol, atol)
    elif type(theirs).__module__.startswith("torch"):  # dtypes, devices, sizes, layouts: they compare as they print
        assert str(mine) == str(theirs), f"{at}{mine!r}, torch gives {theirs!r}"
    else:
        raise TypeError(f"{at}the oracle cannot compare {type(theirs).__name__}: return tensors, numbers or text")


def tolerance(dtype: str, rtol: float | None, atol: float | None) -> tuple[float, float]:
    """Return what was asked for, else what the dtype deserves; whole numbers and booleans must be equal."""
    r, a = TOLERANCE.get(dtype.removeprefix("torch."), (0.0, 0.0))
    return (r if rtol is None else rtol), (a if atol is None else atol)


def values(mine: np.ndarray, theirs: np.ndarray, at: str, rtol: float, atol: float) -> None:
    """Require equal elements: NaN equals NaN, infinities have signs, finite ones may differ by the tolerance."""
    if mine.dtype.kind not in "fc" or theirs.dtype.kind not in "fc":
        wrong = np.asarray(mine != theirs)
    else:
        with np.errstate(all="ignore"):
            wrong = ~np.isclose(mine, theirs, rtol=rtol, atol=atol, equal_nan=True)
    if not wrong.any():
        return
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    raise AssertionError(
        f"{at}{int(wrong.sum())} of {wrong.size} elements differ, first at {first}: {mine[first]!r}, torch gives "
        f"{theirs[first]!r}\nours:\n{mine}\ntorch's:\n{theirs}"
    )


def trace(error: Any) -> str:
    """Say where our unexpected exception came from."""
    import traceback

    if not isinstance(error, BaseException):
        return ""
    return "\n" + "".join(traceback.format_exception(error)[-6:])

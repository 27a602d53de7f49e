"""detect_anomaly: stop at the first NaN or Inf, forward or backward, and say where it was made.

While it is on, every op is looked at after it ran (nothing of this exists while it is off), and every array that a step
keeps is fingerprinted, so that a write through a NumPy alias, which no version counter can see, is found in the backward pass.
"""

from __future__ import annotations

import threading
import zlib
from typing import Any

import numpy as np

from .._core import op as _op
from .._core.memory import memory, owner
from .._core.modes import state
from .._core.node import Node
from .._errors import where
from .._frames import users_line
from .._tensor import Tensor


def _range(array: Any) -> str:
    """The shape and range of an array, for a person who looks for the cause."""
    values = np.asarray(array)
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.reshape(-1)
    odd = f", {int(np.isnan(values).sum())} nan, {int(np.isinf(values).sum())} inf" if values.dtype.kind == "f" else ""
    span = f"from {finite.min():.6g} to {finite.max():.6g}" if finite.size else "no finite value"
    return f"shape {list(values.shape)}, {span}{odd}"


class _Watch:
    """What one thread knows while it watches."""

    def __init__(self, check_nan: bool) -> None:
        self.check_nan = check_nan
        self.thread = threading.get_ident()
        self.sites: dict[int, tuple[Node, str | None]] = {}  # id of a step -> itself (kept alive) and the user's line
        self.prints: dict[int, list[tuple[str, Any, int]]] = {}  # id of a step -> what it kept, with checksums

    def after_op(self, op: Any, args: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        """Look at the result of an op that ran forward."""
        if not isinstance(out, Tensor) or threading.get_ident() != self.thread:
            return
        node = out._node
        if node is not None and node.op is not None:
            line = users_line()
            self.sites[id(node)] = (node, line)
            if node.saved:
                self.prints[id(node)] = [(n, a, _checksum(a)) for n, a in node.op.kept_by(node) if hasattr(a, "dtype")]
        if not self.check_nan:
            return
        array = out._array
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            inputs = [
                f"  argument {i}: {_range(getattr(a, '_array', a))}"
                for i, a in enumerate(args)
                if hasattr(getattr(a, "_array", a), "shape")
            ]
            if any([_odd(getattr(a, "_array", a)) for a in args]) and any(
                [getattr(a, "_node", None) is None and _odd(getattr(a, "_array", None)) for a in args]
            ):
                cause = "An input that no recorded operation made is already not finite: look at the data."
            else:
                cause = _advice(op.name)
            raise RuntimeError(
                f"detect_anomaly: {op.name} returned nan or inf in its forward pass, at {users_line()}.\n"
                f"  result: {_range(array)}\n" + "\n".join(inputs) + f"\n{cause}{where()}"
            )

    def after_step(self, node: Any, g: Any, shares: list[Any]) -> None:
        """Look at the shares that a step of the backward pass handed on."""
        if node.op is None or not self.check_nan:
            return
        for number, share in enumerate(shares):
            array = getattr(share, "_array", share)
            if getattr(getattr(array, "dtype", None), "kind", "") == "f" and not np.isfinite(array).all():
                line = self.sites.get(id(node), (None, None))[1]
                raise RuntimeError(
                    f"Function '{node.op.node_name}' returned nan values in its {number}th output: detect_anomaly found nan or inf in the gradient "
                    f"that {node.op.name} handed to argument {number}.\n"
                    f"  forward at {line or 'a place outside the watched block'}\n"
                    f"  gradient received: {_range(getattr(g, '_array', g))}\n"
                    f"  gradient handed on: {_range(array)}\n{_advice(node.op.name)}"
                )

    def before_walk(self, nodes: list[Any]) -> None:
        """Compare what the steps kept with its checksums."""
        for node in nodes:
            for name, array, checksum in self.prints.get(id(node), ()):
                if node.saved and _checksum(array) != checksum and not _noticed(array, node.seq):
                    raise RuntimeError(
                        f"one of the variables needed for gradient computation has been modified by an inplace operation: {name} of {node.op.name} "
                        f"({node.op.node_name}), of shape {list(array.shape)}, was written through NumPy after the forward pass at "
                        f"{self.sites[id(node)][1]}. An array that shares memory with a tensor (from_numpy, .numpy()) must not be written before "
                        "backward(): write into a copy."
                    )


def _noticed(array: Any, age: int) -> bool:
    """Will the version check speak of this write itself?"""
    entry = memory.written.get(id(owner(array)))
    return entry is not None and entry.recent[-1] > age


def _checksum(array: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def _odd(array: Any) -> bool:
    return getattr(getattr(array, "dtype", None), "kind", "") == "f" and not bool(np.isfinite(array).all())


def _advice(name: str) -> str:
    if name in ("sqrt", "rsqrt", "power", "pow", "norm", "vector_norm"):
        return "The slope of a root is infinite at 0. Add a small number before the root: (x + 1e-12).sqrt()."
    if name in ("log", "log2", "log10", "log1p", "xlogy"):
        return "The logarithm of 0 is -inf. Clamp first (x.clamp(min=1e-12).log()), or use log_softmax, logsigmoid or a loss on logits."
    if name in ("div", "reciprocal"):
        return "A division by 0. Add a small number to the divisor, or mask it."
    if name == "where":
        return (
            "where() hides nan only in the forward pass: 0 times an infinite slope is nan. Make the argument safe on the masked side as well: "
            "torch.where(x > 0, torch.where(x > 0, x, 1.0).sqrt(), 0.0)."
        )
    if name in ("exp", "exp2", "expm1", "mul", "matmul", "add", "linear"):
        return "Numbers have grown beyond what the dtype holds: a smaller learning rate, normalised inputs or gradient clipping usually helps."
    return "Look at the range of the arguments."


class detect_anomaly:
    """Check every operation, forward and backward, for NaN and Inf, and every kept array for writes through NumPy.

    The error names the operation, the user's file and line, and the ranges of what went in. Slow: for finding a fault.

    Parameters
    ----------
    check_nan
        Look for NaN and Inf; without it only the lines are recorded for other errors.

    Raises
    ------
    RuntimeError
        At the first operation whose result or gradient is not finite.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> with torch.autograd.detect_anomaly():
    ...     torch.tensor([0.0]).log()
    Traceback (most recent call last):
        ...
    RuntimeError: detect_anomaly: log returned nan or inf in its forward pass, at ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check_nan = check_nan

    def __enter__(self) -> None:
        self._watch = _Watch(self._check_nan)
        self._outside = (state.watch, state.before_walk, memory.trace)
        state.watch = self._watch.after_step
        state.before_walk = self._watch.before_walk
        memory.trace = users_line
        _op.watch(self._watch.after_op)

    def __exit__(self, *_: object) -> None:
        _op.unwatch(self._watch.after_op)
        state.watch, state.before_walk, memory.trace = self._outside


_always: list[detect_anomaly] = []


class set_detect_anomaly:
    """Switch anomaly detection on or off at once, and back when used as a context manager.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> with torch.autograd.set_detect_anomaly(True):
    ...     x = torch.tensor([1.0]).log()
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = bool(_always)
        _switch(mode, check_nan)

    def __enter__(self) -> None:
        """It is on since it was made."""

    def __exit__(self, *_: object) -> None:
        _switch(self._before, True)


def _switch(mode: bool, check_nan: bool) -> None:
    if mode and not _always:
        _always.append(detect_anomaly(check_nan))
        _always[0].__enter__()
    elif not mode and _always:
        _always.pop().__exit__()

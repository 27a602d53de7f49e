"""Backward passes in which the gradient of an output is missing: it must count as zeros.

Only a custom Function notices. It is handed zeros for a gradient that did not arrive, or None if it asked for that by
``ctx.set_materialize_grads(False)``; every other step passes over what it did not receive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core import engine
from .._tensor import Tensor
from ._function import _Applied, _Gradients, _Result
from ._program import telling, uncheckable

NOTES = 'Please look at "Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'


def refuse_undefined(outputs: Sequence[Tensor], targets: Sequence[Tensor], check: str, only_finite: bool) -> None:
    """Leave out the gradients of all outputs, and then of one after the other; what is given beside them is zeros."""
    rounds: list[set[int]] = [set(range(len(outputs)))]
    if len(outputs) > 1:
        rounds += [{k} for k in range(len(outputs))]
    for missing in rounds:
        which = "all outputs" if len(missing) == len(outputs) else f"output {min(missing)}"
        note = f"{check}: backward raised this when the gradient of {which} did not arrive (it is None there)."
        try:
            with telling(note):
                found = _gradients(outputs, targets, missing)
        except RuntimeError as error:
            raise uncheckable(
                f"Expected backward function to handle undefined output grads. {NOTES}: when the gradient of {which} does not arrive, "
                "backward raises. Test for None there, or leave ctx.set_materialize_grads at True, which hands it zeros."
            ) from error
        if any([g is not None and counts(_numbers(g), 0.0, only_finite) for g in found]):
            raise uncheckable(
                "Expected all input grads to be undefined or zero when all output grads are undefined or zero. "
                f"{NOTES}: when the gradient of {which} does not arrive, backward gives something else than zeros."
            )


def counts(g: Any, slack: float, only_finite: bool) -> bool:
    """Whether a gradient that should be zeros is something else; where func is nan, so is any product with its derivative."""
    wrong = ~(np.abs(g) <= slack)
    return bool((wrong & np.isfinite(g)).any() if only_finite else wrong.any())


def _numbers(g: Any) -> Any:
    return g._array if isinstance(g, Tensor) else g


def _gradients(outputs: Sequence[Tensor], targets: Sequence[Tensor], missing: set[int]) -> list[Any]:
    """What arrives at ``targets``."""
    pending: dict[Any, Any] = {}
    for k, out in enumerate(outputs):
        node: Any = out._current_node
        if k not in missing:
            pending[node] = np.zeros(out._array.shape, out._array.dtype)
        elif isinstance(node.op, _Applied):
            pending[node] = _Gradients(node.shape, [None])
        elif isinstance(node.op, _Result):
            (hub,) = node.edges
            pending[hub] = _Gradients(hub.shape, [None] * len(hub.op.results))
    catch: dict[Any, Any] = {x._current_node: None for x in targets}
    engine.walk(pending, retain_graph=True, catch=catch)
    return [catch[x._current_node] for x in targets]

"""Run one program with torch and with us, and compare results, names of steps, and gradients of two orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.oracle import both, is_tensor


def weights(shape: tuple[int, ...], phase: float = 0.0) -> np.ndarray:
    """Return different numbers of order one, so that no two elements of a gradient can be confused."""
    return np.cos(np.arange(int(np.prod(shape, dtype=int))) * 1.3 + phase).reshape(shape) + 1.5


def weighted(t: Any, x: Any, phase: float = 0.0) -> Any:
    """Return the sum of x with fixed weights."""
    return (x * t.tensor(weights(tuple(x.shape), phase), dtype=x.dtype)).sum()


def orders(
    program: Callable[..., Any],
    *arrays: Any,
    second: bool = True,
    named: bool = True,
    dtype: str = "float64",
    rtol: float | None = None,
    atol: float | None = None,
) -> Any:
    """Require torch's result, grad_fn name, gradients, and gradients of the gradients, of ``program(t, *tensors)``."""

    def run(t: Any) -> Any:
        xs = [t.tensor(np.asarray(a), dtype=getattr(t, dtype), requires_grad=True) for a in arrays]
        out = program(t, *xs)
        outs = [o for o in (out if isinstance(out, tuple) else (out,)) if is_tensor(o)]
        floats = [o for o in outs if o.requires_grad]
        names = [o.grad_fn.name() for o in floats] if named else None
        total = sum(weighted(t, o, 0.3 * i) for i, o in enumerate(floats))
        first = t.autograd.grad(total, xs, create_graph=second, allow_unused=True)
        found = [outs, names, [None if g is None else g.detach() for g in first]]
        smooth = [g for g in first if g is not None and g.requires_grad]
        if second and smooth:
            again = sum(weighted(t, g, 0.7 + 0.3 * i) for i, g in enumerate(smooth))
            both_orders = t.autograd.grad(again, xs, allow_unused=True)
            found.append([zeros_if_none(t, g, x) for g, x in zip(both_orders, xs, strict=True)])
        elif second:
            found.append([t.zeros_like(x) for x in xs])
        return found

    return both(run, rtol=rtol, atol=atol)


def zeros_if_none(t: Any, g: Any, x: Any) -> Any:
    """Return ``g``; where the gradient does not depend on ``x`` at all, zeros (torch may return either)."""
    return t.zeros_like(x) if g is None else g.detach()

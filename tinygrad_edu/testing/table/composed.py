"""Formulas of several operations, for their points alone: each part is right, and the whole may surprise."""

from __future__ import annotations

import numpy as np

from .._draw import one
from .row import Kind, Point, Row

A = np.array
ZERO = A(0.0)


def composed(name, call, *points, low=0.2, high=2.0):
    """Return the row of a formula; its name is the formula."""
    return Row(name=name, call=call, sample=one(low, high, least=1, empty=False), method=False, points=points)


ROWS = [
    composed(
        "relu(x) - relu(-x)",
        lambda t, x: t.relu(x) - t.relu(-x),
        Point("x = 0", (ZERO,), Kind.TRAP, "the formula is x, but 0 - 0 is added: sub-gradients do not add up"),
    ),
    composed(
        "max([x, x])",
        lambda t, x: t.max(t.stack([x, x])),
        Point("x = 0", (ZERO,), Kind.REMOVABLE, "half and half: shared gradients do add up"),
    ),
    composed(
        "sqrt(x ** 4)",
        lambda t, x: t.sqrt(x**4),
        Point("x = 0", (ZERO,), Kind.TRAP, "∞ · 0; write x ** 2"),
    ),
    composed(
        "sqrt(sum(x ** 2))",
        lambda t, x: t.sqrt(t.sum(x**2)),
        Point("the zero vector", (np.zeros(2),), Kind.KINK, "∞ · 0; norm(x) gives 0"),
    ),
    composed(
        "x / norm(x)",
        lambda t, x: x / t.norm(x),
        Point("the zero vector", (np.zeros(2),), Kind.SINGULAR, "0 / 0; normalize(x) is finite"),
    ),
    composed(
        "where(x > 0, sqrt(x), 0 * x)",
        lambda t, x: t.where(x > 0, t.sqrt(x), 0 * x),
        Point(
            "x = 0, the root is masked",
            (ZERO,),
            Kind.SINGULAR,
            "0 · ∞ from the branch not taken; mask the argument too: sqrt(where(x > 0, x, 1))",
        ),
    ),
    composed(
        "x * log(x)",
        lambda t, x: x * t.log(x),
        Point("x = 0", (ZERO,), Kind.SINGULAR, "0 · ∞; xlogy(x, x) has the value 0"),
    ),
    composed(
        "log(softmax(x))",
        lambda t, x: t.log(t.softmax(x, 0)),
        Point("scores far apart", (A([0.0, 1000.0]),), Kind.SINGULAR, "log 0; log_softmax is finite"),
    ),
]

"""Recurrent layers, their weights among the differentiated arguments."""

from __future__ import annotations

import numpy as np

from .._draw import cases
from .row import FLOATS, Kind, Point, Row

ZERO, ONE = np.zeros((1, 1, 1)), np.ones((1, 1))


def recurrent(kind, **settings):
    """Return the call of a recurrent layer: its input, its first states, then its weights."""

    def call(t, x, *given):
        states = given[: 2 if kind == "LSTM" else 1]
        weights = given[len(states) :]
        undrawn = type(kind, (getattr(t.nn, kind),), {"reset_parameters": lambda self: None})
        layer = undrawn(x.shape[-1], states[0].shape[-1], bias=len(weights) > 2, **settings)
        names = [name for name, _ in layer.named_parameters()]
        out, last = t.func.functional_call(
            layer, dict(zip(names, weights, strict=True)), (x, states if kind == "LSTM" else states[0])
        )
        return (out, *last) if kind == "LSTM" else (out, last)

    return call


def sequences(kind, gates):
    """Return the cases of the arguments of ``recurrent``."""

    def make(d):
        length, count, features, size = d.integer(1, 3), d.integer(1, 2), d.integer(1, 3), d.integer(1, 2)
        states = [d.array((1, count, size)) for _ in range(2 if kind == "LSTM" else 1)]
        weights = [d.array((gates * size, features)), d.array((gates * size, size))]
        biases = [d.array((gates * size,)) for _ in range(2)] if d.flag() else []
        return d.array((length, count, features)), *states, *weights, *biases

    return cases(make)


def recurrent_row(kind, gates, *, points=(), **settings):
    """Return the row of a recurrent layer."""
    call, sample = recurrent(kind, **settings), sequences(kind, gates)
    return Row(
        name="nn." + kind, call=call, sample=sample, dtypes=FLOATS, special=False, named=False, ties=0, points=points
    )


ROWS = [
    recurrent_row("RNN", 1),
    recurrent_row(
        "RNN", 1, nonlinearity="relu", points=(Point("nothing arrives, with relu", (ZERO, ZERO, ONE, ONE), Kind.KINK),)
    ),
    recurrent_row("GRU", 3),
    recurrent_row("LSTM", 4),
]

"""Recurrent layers over a whole sequence, one op for all steps of one direction.

x (T, N, features) is the input, h (N, size) the state before, w and u the weights of input and state, b and v their biases
(None for none), with the gates one after another. Backward runs through time: Werbos, 1990.

Each op is first written in ops: ``*_steps`` goes forward and returns what every step knew, ``*_back`` goes back over that. The
formulas of higher order go forward again, on recorded tensors; in first order the steps are those that the forward left in ``memo``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core.op import Array, op
from ._choice import FAST
from .elementwise import plain, relu, sigmoid, tanh
from .nn import column_sums, linear, rows
from .shape import cat, stack

Steps = list[tuple[Any, ...]]  # what each step knew


def gates(a: Array, n: int) -> list[Array]:
    """Cut the last axis into pieces of n."""
    return [a[..., k : k + n] for k in range(0, a.shape[-1], n)]


def weight_shares(ax: list[Array], ah: list[Array], x: Array, before: list[Array], w: Array) -> tuple[Array, ...]:
    """Shares of x, w, u, b and v, given those of what w and u contributed to the gates at each step."""
    by_input = stack(*ax, axis=0)
    flat, flat_state = rows(by_input), rows(stack(*ah, axis=0))
    return (
        linear(by_input, w.mT, None),
        flat.mT @ rows(x),
        flat_state.mT @ rows(stack(*before, axis=0)),
        column_sums(flat),
        column_sums(flat_state),
    )


# ---- h' = tanh(W x + U h), or relu


def rnn_steps(x: Array, h: Array, w: Array, u: Array, b: Array, v: Array, rectified: bool) -> Steps:
    """Each step's (state before, state after)."""
    steps: Steps = []
    inputs = linear(x, w, b)
    for t in range(x.shape[0]):
        a = inputs[t] + linear(h, u, v)
        after = relu(a) if rectified else tanh(a)
        steps.append((h, after))
        h = after
    return steps


@op(node="StackBackward0")
def rnn(
    x: Array,
    h: Array,
    w: Array,
    u: Array,
    b: Array,
    v: Array,
    *,
    rectified: bool,
    memo: dict[str, Any] | None = None,
) -> Array:
    """Repeat h' = tanh(W x + U h + b).  (T, N, features), (N, size) -> the states (T, N, size)"""
    steps = rnn_steps(x, h, w, u, b, v, rectified)
    if memo is not None:
        memo["steps"] = steps
    return np.stack([after for _, after in steps])


def rnn_back(g: Array, steps: Steps, x: Array, w: Array, u: Array, rectified: bool) -> tuple[Array, ...]:
    """Go back over the steps of ``rnn``."""
    flows: list[Array] = []
    for t in reversed(range(len(steps))):
        after = steps[t][1]
        gh = g[t] + flows[-1] @ u if flows else g[t]
        flows.append(gh * (plain(after) > 0) if rectified else gh * (1.0 - after * after))
    gh = flows[-1] @ u
    flows.reverse()
    gx, gw, gu, gb, gv = weight_shares(flows, flows, x, [before for before, _ in steps], w)
    return gx, gh, gw, gu, gb, gv


rnn.joint(
    lambda g, x, h, w, u, b, v, rectified: rnn_back(g, rnn_steps(x, h, w, u, b, v, rectified), x, w, u, rectified)
)
if FAST:
    rnn.at_first_order(lambda g, x, w, u, rectified, memo: rnn_back(g, memo["steps"], x, w, u, rectified))


# ---- GRU


def gru_steps(x: Array, h: Array, w: Array, u: Array, b: Array, v: Array) -> Steps:
    """Each step's (state before, r, z, n, what U h gave to n, state after)."""
    steps: Steps = []
    inputs = linear(x, w, b)
    size = h.shape[-1]
    for t in range(x.shape[0]):
        x_r, x_z, x_n = gates(inputs[t], size)
        y_r, y_z, y_n = gates(linear(h, u, v), size)
        r, z = sigmoid(x_r + y_r), sigmoid(x_z + y_z)
        n = tanh(x_n + r * y_n)
        after = (h - n) * z + n
        steps.append((h, r, z, n, y_n, after))
        h = after
    return steps


@op(node="StackBackward0")
def gru(x: Array, h: Array, w: Array, u: Array, b: Array, v: Array, *, memo: dict[str, Any] | None = None) -> Array:
    """Repeat h' = (1 - z) n + z h.  (T, N, features), (N, size) -> the states (T, N, size). Cho et al., 2014."""
    steps = gru_steps(x, h, w, u, b, v)
    if memo is not None:
        memo["steps"] = steps
    return np.stack([step[-1] for step in steps])


def gru_back(g: Array, steps: Steps, x: Array, w: Array, u: Array) -> tuple[Array, ...]:
    """Go back over the steps of ``gru``."""
    by_input: list[Array] = []
    by_state: list[Array] = []
    gh = None
    for t in reversed(range(len(steps))):
        before, r, z, n, y_n, _ = steps[t]
        gh = g[t] if gh is None else g[t] + gh
        a_n = gh * (1.0 - z) * (1.0 - n * n)
        a_r = a_n * y_n * r * (1.0 - r)
        a_z = gh * (before - n) * z * (1.0 - z)
        by_input.append(cat(a_r, a_z, a_n, axis=1))
        by_state.append(cat(a_r, a_z, a_n * r, axis=1))
        gh = gh * z + by_state[-1] @ u
    by_input.reverse()
    by_state.reverse()
    gx, gw, gu, gb, gv = weight_shares(by_input, by_state, x, [step[0] for step in steps], w)
    return gx, gh, gw, gu, gb, gv


gru.joint(lambda g, x, h, w, u, b, v: gru_back(g, gru_steps(x, h, w, u, b, v), x, w, u))
if FAST:
    gru.at_first_order(lambda g, x, w, u, memo: gru_back(g, memo["steps"], x, w, u))


# ---- LSTM


def lstm_steps(x: Array, h: Array, c: Array, w: Array, u: Array, b: Array, v: Array) -> Steps:
    """Each step's (state before, cell before, i, f, g, o, tanh of the cell, state after, cell after)."""
    steps: Steps = []
    inputs = linear(x, w, b)
    for t in range(x.shape[0]):
        i, f, g, o = gates(inputs[t] + linear(h, u, v), h.shape[-1])
        i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
        cell = f * c + i * g
        top = tanh(cell)
        steps.append((h, c, i, f, g, o, top, o * top, cell))
        h, c = o * top, cell
    return steps


@op(node="MkldnnRnnLayerBackward0")
def lstm(
    x: Array, h: Array, c: Array, w: Array, u: Array, b: Array, v: Array, *, memo: dict[str, Any] | None = None
) -> Array:
    """Repeat c' = f c + i g, h' = o tanh(c'). Hochreiter and Schmidhuber, 1997.

    (T, N, features), (N, size), (N, size) -> (T + 1, N, size): the states, then the last cell
    """
    if FAST:
        return lstm_forward(x, h, c, w, u, b, v, memo)
    steps = lstm_steps(x, h, c, w, u, b, v)
    return np.stack([step[-2] for step in steps] + [steps[-1][-1]])


def lstm_back(g: Array, steps: Steps, x: Array, w: Array, u: Array) -> tuple[Array, ...]:
    """Go back over the steps of ``lstm``."""
    flows: list[Array] = []
    gc = g[len(steps)]
    for t in reversed(range(len(steps))):
        _, before, i, f, m, o, top, _, _ = steps[t]
        gh = g[t] + flows[-1] @ u if flows else g[t]
        gc = gc + gh * o * (1.0 - top * top)
        flows.append(
            cat(
                gc * m * i * (1.0 - i),
                gc * before * f * (1.0 - f),
                gc * i * (1.0 - m * m),
                gh * top * o * (1.0 - o),
                axis=1,
            )
        )
        gc = gc * f
    gh = flows[-1] @ u
    flows.reverse()
    gx, gw, gu, gb, gv = weight_shares(flows, flows, x, [step[0] for step in steps], w)
    return gx, gh, gc, gw, gu, gb, gv


lstm.joint(lambda g, x, h, c, w, u, b, v: lstm_back(g, lstm_steps(x, h, c, w, u, b, v), x, w, u))


# The fast LSTM: no array is made at a step. Each step is one product of z = (input, state, 1) with all weights, which gives bias
# and bias gradient for nothing, and each gate is a block of its own in memory. Its sigmoids are tanhs: sigmoid(a) = (1 + tanh(a / 2)) / 2.
# A step of W8 takes 2.1 times torch's with steps recorded one by one, 1.65 with this, and 1.2 where freed memory is used again.

ORDER = (3, 0, 1, 2)  # the gates of the weights as the blocks have them: o, i, f, g, the sigmoids together


def lstm_forward(
    x: Array, h: Array, c: Array, w: Array, u: Array, b: Array, v: Array, memo: dict[str, Any] | None
) -> Array:
    """Compute ``lstm``; leave what backward wants in ``memo``."""
    length, count, features = x.shape
    n, dtype = h.shape[-1], x.dtype
    weights = np.zeros((4, features + n + 1, n), dtype)
    for block, gate in enumerate(ORDER):
        part = slice(gate * n, gate * n + n)
        weights[block, :features] = w[part].T
        weights[block, features:-1] = u[part].T
        if b is not None:
            np.add(b[part], v[part], out=weights[block, -1])
    weights[:3] *= 0.5
    z = np.empty((length, count, features + n + 1), dtype)
    z[:, :, :features] = x
    z[:, :, -1] = 1
    a = np.empty((4, length, count, n), dtype)
    cells, tops = np.empty((length + 1, count, n), dtype), np.empty((length, count, n), dtype)
    out, product = np.empty((length + 1, count, n), dtype), np.empty((count, n), dtype)
    cells[0] = c
    for t in range(length):
        z[t, :, features:-1] = h
        np.matmul(z[t], weights, out=a[:, t])
        np.tanh(a[:, t], out=a[:, t])
        sigmoids = a[:3, t]
        sigmoids *= 0.5
        sigmoids += 0.5
        o, i, f, g = a[:, t]
        c = np.multiply(f, cells[t], out=cells[t + 1])
        c += np.multiply(i, g, out=product)
        h = np.multiply(o, np.tanh(c, out=tops[t]), out=out[t])
    out[length] = c
    if memo is not None:
        memo.update(z=z, a=a, cells=cells, tops=tops)
    return out


def lstm_backward(g: Array, w: Array, u: Array, memo: dict[str, Array]) -> tuple[Array, ...]:
    """Compute the shares of ``lstm_back`` from what ``lstm_forward`` left."""
    z, a, cells, tops = memo["z"], memo["a"], memo["cells"], memo["tops"]
    _, length, count, n = a.shape
    features, dtype = w.shape[1], a.dtype
    weights = np.concatenate([w, u], axis=1).reshape(4, n, features + n)[list(ORDER)]
    flows, gx = np.empty_like(a), np.empty((length, count, features), dtype)
    products, gz = np.empty((4, count, features + n), dtype), np.zeros((count, features + n), dtype)
    gc, slope = g[length].copy(), np.empty((count, n), dtype)
    for t in reversed(range(length)):
        flow, top = flows[:, t], tops[t]
        o, i, f, m = a[:, t]
        np.multiply(a[:, t], a[:, t], out=flow)
        np.subtract(a[:3, t], flow[:3], out=flow[:3])  # of a sigmoid s the slope is s - s^2
        np.subtract(1, flow[3], out=flow[3])  # of a tanh 1 - m^2
        gh = gz[:, features:] + g[t]
        flow[0] *= top
        flow[0] *= gh
        np.multiply(top, top, out=slope)
        np.subtract(1, slope, out=slope)
        slope *= o
        slope *= gh
        gc += slope
        flow[1] *= m
        flow[2] *= cells[t]
        flow[3] *= i
        flow[1:] *= gc
        gc *= f
        np.add.reduce(np.matmul(flow, weights, out=products), axis=0, out=gz)
        gx[t] = gz[:, :features]
    gw, gu, gb = np.empty(w.shape, dtype), np.empty(u.shape, dtype), np.empty(4 * n, dtype)
    z = z.reshape(length * count, features + n + 1)
    for block, gate in enumerate(ORDER):
        part = slice(gate * n, gate * n + n)
        product = flows[block].reshape(length * count, n).T @ z
        gw[part], gu[part], gb[part] = product[:, :features], product[:, features:-1], product[:, -1]
    return gx, gz[:, features:].copy(), gc, gw, gu, gb, gb.copy()


if FAST:
    lstm.at_first_order(lstm_backward)

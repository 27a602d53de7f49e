"""The limit of NumPy: workloads written by hand, without a graph, into buffers that are made once.

``LIMITS`` maps a workload's name to a function of tinygrad_edu, from which it takes the data and the first weights, so that
the losses are those of the workload; it returns ``run``, as in ``workloads.py``. What is limited is what NumPy can do at
all; how far an engine in NumPy stays behind is the ratio that ``run.py`` prints under "/ limit".

The batch is the last axis everywhere: an image is (channels, height, width, batch), a row of features (features, batch).
So a convolution is one matrix product for all images, its unfolding copies runs of 64 numbers, and a bias is added to whole
rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import workloads

Array = np.ndarray[Any, np.dtype[np.float32]]
Run = Callable[[], Any]

BLOCK = 1 << 20  # bytes of unfolded image at a time: more leaves the cache, far less makes many small products


class Flat:
    """All parameters of a model in one buffer and all gradients in another, so that an optimizer is a few calls."""

    def __init__(self, model: Any) -> None:
        tensors = list(model.parameters())
        self.weights = np.concatenate([p.detach().numpy().ravel() for p in tensors])
        self.grads = np.zeros_like(self.weights)
        ends = np.cumsum([p.numel() for p in tensors])
        shapes = [tuple(p.shape) for p in tensors]
        self.parts = [
            (w.reshape(shape), g.reshape(shape))
            for w, g, shape in zip(
                np.split(self.weights, ends[:-1]), np.split(self.grads, ends[:-1]), shapes, strict=True
            )
        ]


class Linear:
    """(inputs, n) -> (outputs, n)."""

    def __init__(self, weight: tuple[Array, Array], bias: tuple[Array, Array], n: int, first: bool = False) -> None:
        (self.w, self.dw), (self.b, self.db) = weight, bias
        self.out = np.empty((len(self.w), n), np.float32)
        self.dx = None if first else np.empty((self.w.shape[1], n), np.float32)
        self.ones = np.ones(n, np.float32)

    def forward(self, x: Array) -> Array:
        self.x = x
        np.dot(self.w, x, out=self.out)
        self.out += self.b[:, None]
        return self.out

    def backward(self, g: Array) -> Array | None:
        np.dot(g, self.x.T, out=self.dw)
        np.dot(g, self.ones, out=self.db)  # five times as fast as a sum along the rows
        return None if self.dx is None else np.dot(self.w.T, g, out=self.dx)


class ReLU:
    """Over the memory of what comes in, both ways."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.zeros, self.mask = np.zeros(shape, np.float32), np.empty(shape, bool)  # a scalar 0 is three times as slow

    def forward(self, x: Array) -> Array:
        np.greater(x, self.zeros, out=self.mask)
        return np.maximum(x, self.zeros, out=x)

    def backward(self, g: Array) -> Array:
        return np.multiply(g, self.mask, out=g)


class Conv:
    """(c, h, w, n) -> (o, h', w', n), stride 1: unfolded over some rows of the result at a time, then one product."""

    def __init__(
        self,
        weight: tuple[Array, Array],
        bias: tuple[Array, Array],
        shape: tuple[int, int, int, int],
        padding: int = 0,
        first: bool = False,
    ) -> None:
        (self.w, self.dw), (self.b, self.db) = weight, bias
        o, c, self.k, _ = self.w.shape
        _, h, w, n = shape
        self.padding, self.first = padding, first
        self.x = np.zeros((c, h + 2 * padding, w + 2 * padding, n), np.float32)
        self.dx = np.empty_like(self.x)
        self.high, self.wide = h + 2 * padding - self.k + 1, w + 2 * padding - self.k + 1
        self.out = np.empty((o, self.high, self.wide, n), np.float32)
        row = c * self.k**2 * self.wide * n * 4
        self.rows = min(self.high, max(1, BLOCK // row))
        self.kept = self.rows == self.high  # unfolded once for both passes
        size = self.rows * self.wide * n
        self.columns = np.empty((c, self.k, self.k, self.rows, self.wide, n), np.float32)
        self.product, self.part = np.empty((o, size), np.float32), np.empty((o, size), np.float32)
        self.all_ones = np.ones(self.out[0].size, np.float32)

    def blocks(self) -> list[tuple[int, int]]:
        return [(top, min(self.rows, self.high - top)) for top in range(0, self.high, self.rows)]

    def unfold(self, top: int, rows: int) -> Array:
        """The columns for ``rows`` rows of the result, as a matrix."""
        columns = (
            self.columns if rows == self.rows else self.columns.reshape(-1)[: self.columns.size // self.rows * rows]
        )
        columns = columns.reshape(*self.columns.shape[:3], rows, *self.columns.shape[4:])
        for i in range(self.k):
            for j in range(self.k):
                columns[:, i, j] = self.x[:, top + i : top + i + rows, j : j + self.wide]
        return columns.reshape(self.w[0].size, -1)

    def forward(self, x: Array) -> Array:
        p = self.padding
        self.x[:, p : p + x.shape[1], p : p + x.shape[2]] = x
        flat = self.w.reshape(len(self.w), -1)
        for top, rows in self.blocks():
            columns = self.unfold(top, rows)
            if self.kept:
                np.dot(flat, columns, out=self.out.reshape(len(flat), -1))
            else:  # a block of the result is not contiguous, and np.dot writes nowhere else
                product = self.product.reshape(-1)[: len(flat) * columns.shape[1]].reshape(len(flat), -1)
                np.dot(flat, columns, out=product)
                self.out[:, top : top + rows] = product.reshape(len(flat), rows, self.wide, -1)
        self.out += self.b[:, None, None, None]
        return self.out

    def backward(self, g: Array) -> Array | None:
        flat, dw = self.w.reshape(len(self.w), -1), self.dw.reshape(len(self.w), -1)
        np.dot(g.reshape(len(g), -1), self.all_ones, out=self.db)
        dw[...] = 0
        if not self.first:
            self.dx[...] = 0
        for top, rows in self.blocks():
            columns = self.columns.reshape(flat.shape[1], -1) if self.kept else self.unfold(top, rows)
            part = g.reshape(len(g), -1)
            if not self.kept:
                part = self.part.reshape(-1)[: len(g) * columns.shape[1]].reshape(len(g), -1)
                part.reshape(len(g), rows, self.wide, -1)[...] = g[:, top : top + rows]
            by_row = part.reshape(len(g), rows, -1).swapaxes(
                0, 1
            )  # a product per row: up to five times as fast as one,
            dw += np.matmul(by_row, columns.reshape(len(columns), rows, -1).transpose(1, 2, 0)).sum(
                0
            )  # where few rows are long
            if not self.first:
                self.fold(np.dot(flat.T, part, out=columns), top, rows)  # the columns have served
        p = self.padding
        return None if self.first else self.dx[:, p : self.dx.shape[1] - p, p : self.dx.shape[2] - p]

    def fold(self, columns: Array, top: int, rows: int) -> None:
        """Add the columns back to where they came from."""
        parts = columns.reshape(*self.columns.shape[:3], rows, self.wide, -1)
        for i in range(self.k):
            for j in range(self.k):
                self.dx[:, top + i : top + i + rows, j : j + self.wide] += parts[:, i, j]


class Pool:
    """The largest of each 2 x 2, left and right first, then above and below; the first of equals has the gradient."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        c, h, w, n = shape
        self.half, self.out = np.empty((c, h, w // 2, n), np.float32), np.empty((c, h // 2, w // 2, n), np.float32)
        self.left, self.above = np.empty(self.half.shape, bool), np.empty(self.out.shape, bool)
        self.dhalf, self.dx = np.empty_like(self.half), np.empty(shape, np.float32)

    def forward(self, x: Array) -> Array:
        np.greater_equal(x[:, :, ::2], x[:, :, 1::2], out=self.left)
        np.maximum(x[:, :, ::2], x[:, :, 1::2], out=self.half)
        np.greater_equal(self.half[:, ::2], self.half[:, 1::2], out=self.above)
        return np.maximum(self.half[:, ::2], self.half[:, 1::2], out=self.out)

    def backward(self, g: Array) -> Array:
        np.multiply(g, self.above, out=self.dhalf[:, ::2])
        np.subtract(g, self.dhalf[:, ::2], out=self.dhalf[:, 1::2])
        np.multiply(self.dhalf, self.left, out=self.dx[:, :, ::2])
        np.subtract(self.dhalf, self.dx[:, :, ::2], out=self.dx[:, :, 1::2])
        return self.dx


class Flatten:
    """(c, h, w, n) -> (c * h * w, n)."""

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return x.reshape(-1, x.shape[-1])

    def backward(self, g: Array) -> Array:
        return g.reshape(self.shape)


class CrossEntropy:
    """The mean over the batch of -log(softmax) of the right class; its gradient is the softmax, less one there, over n."""

    def __init__(self, y: Any, classes: int) -> None:
        self.y, self.n = y.numpy(), len(y)
        self.places = np.arange(self.n)
        self.p = np.empty((classes, self.n), np.float32)

    def forward(self, x: Array) -> Any:
        np.subtract(x, x.max(0), out=self.p)
        of_right = self.p[self.y, self.places]
        np.exp(self.p, out=self.p)
        sums = self.p.sum(0)
        self.p /= sums
        return (np.log(sums) - of_right).mean()

    def backward(self) -> Array:
        self.p[self.y, self.places] -= 1
        self.p *= np.float32(1 / self.n)
        return self.p


class SquaredError:
    """The mean of squared differences."""

    def __init__(self, y: Any) -> None:
        self.y = np.ascontiguousarray(y.numpy().T)
        self.difference = np.empty_like(self.y)

    def forward(self, x: Array) -> Any:
        d = np.subtract(x, self.y, out=self.difference).ravel()
        return d.dot(d) / d.size

    def backward(self) -> Array:
        self.difference *= np.float32(2 / self.difference.size)
        return self.difference


def sgd(flat: Flat, lr: float, momentum: float = 0.0) -> Callable[[], None]:
    """Return the step of stochastic gradient descent."""
    change, velocity = np.empty_like(flat.grads), np.zeros_like(flat.grads)
    rate, keep = np.float32(lr), np.float32(momentum)

    def step() -> None:
        if momentum:
            np.multiply(velocity, keep, out=velocity)
            np.add(velocity, flat.grads, out=velocity)
        np.multiply(velocity if momentum else flat.grads, rate, out=change)
        np.subtract(flat.weights, change, out=flat.weights)

    return step


def adam(flat: Flat) -> Callable[[], None]:
    """Return the step of Adam with torch's defaults, in pieces that stay in the cache."""
    first, second = np.zeros_like(flat.grads), np.zeros_like(flat.grads)
    pieces = [slice(i, i + 16384) for i in range(0, first.size, 16384)]
    spare, steps = np.empty(16384, np.float32), 0

    def step() -> None:
        nonlocal steps
        steps += 1
        rate, scale = np.float32(1e-3 / (1 - 0.9**steps)), np.float32((1 - 0.999**steps) ** -0.5)
        for piece in pieces:
            g, m, v = flat.grads[piece], first[piece], second[piece]
            t = spare[: g.size]
            m += np.multiply(np.subtract(g, m, out=t), np.float32(0.1), out=t)
            v *= np.float32(0.999)
            v += np.multiply(np.multiply(g, g, out=t), np.float32(0.001), out=t)
            np.multiply(np.sqrt(v, out=t), scale, out=t)
            t += np.float32(1e-8)
            np.multiply(np.divide(m, t, out=t), rate, out=t)
            flat.weights[piece] -= t

    return step


def training(x: Any, layers: Sequence[Any], loss: Any, step: Callable[[], None]) -> Run:
    """Return the whole step; the batch, first in ``x``, is made last anew each time."""
    given = x.numpy()
    last = np.empty((*given.shape[1:], len(given)), np.float32)

    def run() -> Any:
        last[...] = np.moveaxis(given, 0, -1)
        out = last
        for layer in layers:
            out = layer.forward(out)
        value = loss.forward(out)
        g = loss.backward()
        for layer in reversed(layers):
            g = layer.backward(g)
        step()
        return value

    return run


def dense(flat: Flat, n: int, parts: int = 0, first: bool = True) -> list[Any]:
    """The fully connected layers from the parameter number ``parts`` on, with relu between them."""
    layers: list[Any] = []
    for i in range(parts, len(flat.parts), 2):
        layers.append(Linear(*flat.parts[i : i + 2], n, first and i == parts))
        if i + 2 < len(flat.parts):
            layers.append(ReLU(layers[-1].out.shape))
    return layers


def w1(t: Any) -> Run:
    model, x, y = workloads.regression(t)
    flat = Flat(model)
    return training(x, dense(flat, len(x)), SquaredError(y), sgd(flat, 0.2))


def w2(t: Any) -> Run:
    model, x, y = workloads.digits(t)
    flat = Flat(model)
    return training(x, dense(flat, len(x)), CrossEntropy(y, 10), sgd(flat, 0.01))


def w4(t: Any) -> Run:
    model, x, y = workloads.digits_cnn(t)
    flat = Flat(model)
    n = len(x)
    layers = [
        Conv(*flat.parts[0:2], (1, 8, 8, n), padding=1, first=True),
        Pool((16, 8, 8, n)),
        ReLU((16, 4, 4, n)),  # after the pool: the same numbers for a quarter of the work
        Conv(*flat.parts[2:4], (16, 4, 4, n), padding=1),
        ReLU((32, 4, 4, n)),
        Flatten(),
        *dense(flat, n, 4, first=False),
    ]
    return training(x, layers, CrossEntropy(y, 10), adam(flat))


def w5(t: Any) -> Run:
    model, x, y = workloads.lenet(t)
    flat = Flat(model)
    n = len(x)
    layers = [
        Conv(*flat.parts[0:2], (1, 28, 28, n), first=True),
        Pool((6, 24, 24, n)),
        ReLU((6, 12, 12, n)),
        Conv(*flat.parts[2:4], (6, 12, 12, n)),
        Pool((16, 8, 8, n)),
        ReLU((16, 4, 4, n)),
        Flatten(),
        *dense(flat, n, 4, first=False),
    ]
    return training(x, layers, CrossEntropy(y, 10), sgd(flat, 0.01, 0.9))


def w6(t: Any) -> Run:
    model, x, y = workloads.cifar(t)
    flat = Flat(model)
    n = len(x)
    layers = [
        Conv(*flat.parts[0:2], (3, 32, 32, n), first=True),
        ReLU((32, 30, 30, n)),
        Conv(*flat.parts[2:4], (32, 30, 30, n)),
        Pool((64, 28, 28, n)),
        ReLU((64, 14, 14, n)),
        Flatten(),
        *dense(flat, n, 4, first=False),
    ]
    return training(x, layers, CrossEntropy(y, 10), adam(flat))


class Sum:
    """The sum of all elements; its gradient is one everywhere."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.ones = np.ones(shape, np.float32)
        self.g = np.empty(shape, np.float32)

    def forward(self, x: Array) -> Any:
        return x.sum()

    def backward(self) -> Array:
        self.g[...] = self.ones  # relu writes over it
        return self.g


def w7(t: Any) -> Run:
    model, x = workloads.seed_convolutions(t)
    flat = Flat(model)
    n = len(x)
    layers = [
        Conv(*flat.parts[0:2], (1, 32, 32, n), first=True),
        ReLU((20, 32, 32, n)),
        Conv(*flat.parts[2:4], (20, 32, 32, n)),
        ReLU((20, 28, 28, n)),
    ]
    return training(x, layers, Sum((20, 28, 28, n)), lambda: None)


def curves(points: int) -> Callable[[Any], Run]:
    """W3: what a function gives goes into ``out``, its gradient into ``grad``."""

    def limit(t: Any) -> Run:
        x = t.linspace(-6, 6, points).numpy()
        out, grad, spare = np.empty_like(x), np.empty_like(x), np.empty_like(x)
        ones, zeros, mask = np.ones_like(x), np.zeros_like(x), np.empty(x.shape, bool)

        def run() -> Any:
            np.tanh(np.multiply(x, np.float32(0.5), out=out), out=out)  # sigmoid(x) = (1 + tanh(x / 2)) / 2
            np.multiply(np.add(out, ones, out=out), np.float32(0.5), out=out)
            out.dot(ones)  # the sum
            np.multiply(out, np.subtract(ones, out, out=spare), out=grad)
            np.tanh(x, out=out)
            out.dot(ones)
            np.subtract(ones, np.multiply(out, out, out=spare), out=grad)
            np.maximum(x, zeros, out=out)
            out.dot(ones)
            np.multiply(ones, np.greater(x, zeros, out=mask), out=grad)
            np.exp(np.subtract(x, x.max(), out=out), out=out)
            np.multiply(out, 1 / out.dot(ones), out=out)
            np.multiply(out, 1 - out.dot(ones), out=grad)
            return grad[points // 2]

        return run

    return limit


def w11(t: Any) -> Run:
    x = t.linspace(-3, 3, 1_000_000).numpy()
    y, z, one = np.empty_like(x), np.empty_like(x), np.ones_like(x)

    def run() -> Any:
        np.multiply(x, np.float32(2), out=y)
        np.add(y, np.float32(1), out=y)
        np.tanh(y, out=y)
        np.exp(y, out=z)
        total = z.sum()
        np.subtract(one, np.multiply(y, y, out=y), out=y)
        np.multiply(np.multiply(z, y, out=z), np.float32(2), out=z)  # the gradient
        return total

    return run


def w12(t: Any) -> Run:
    model, x, _ = workloads.digits(t)
    layers = dense(Flat(model), 1)
    one = np.ascontiguousarray(x[:1].numpy().T)

    def run() -> Any:
        out = one
        for layer in layers:
            out = layer.forward(out)
        return out[0, 0]

    return run


LIMITS: dict[str, Callable[[Any], Run]] = {
    "W1": w1, "W2": w2, "W3a": curves(1_000), "W3b": curves(1_000_000), "W4": w4, "W5": w5, "W6": w6, "W7": w7, "W11": w11,
    "W12": w12,
}  # fmt: skip

"""An engine somebody is writing, with two mistakes in it, and its adapter: what does the conformance suite say?

python -m tinygrad_edu check --engine examples.adapters.unfinished_engine:Mine
"""

from __future__ import annotations

import numpy as np

from tinygrad_edu.testing.adapter import Adapter

# The engine.


class Tensor:
    """An array that remembers what it was made of."""

    def __init__(self, data, parents=(), pull=None):
        self.data, self.parents, self.pull, self.grad = data, parents, pull, None

    def backward(self, seed):
        """Hand the seed to the parents, and so on, from the youngest to the oldest."""
        order, waiting = [], [(self, False)]
        while waiting:
            node, is_done = waiting.pop()
            if is_done:
                order.append(node)
            elif node not in order:
                waiting += [(node, True), *((parent, False) for parent in node.parents)]
        self.grad = seed
        for node in reversed(order):
            if node.pull is not None:
                for parent, share in zip(node.parents, node.pull(node.grad), strict=True):
                    parent.grad = summed_to(share, parent.data.shape)  # mistake: it should be added to what is there


def summed_to(share, shape):
    """Sum a gradient over the axes that broadcasting has added or repeated."""
    share = share.sum(axis=tuple(range(share.ndim - len(shape))))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and share.shape[i] != 1)
    return share.sum(axis=repeated, keepdims=True)


def add(x, y):
    return Tensor(x.data + y.data, (x, y), lambda g: (g, g))


def mul(x, y):
    return Tensor(x.data * y.data, (x, y), lambda g: (g * y.data, g * x.data))


def exp(x):
    out = np.exp(x.data)
    return Tensor(out, (x,), lambda g: (g * out,))


def tanh(x):
    out = np.tanh(x.data)
    return Tensor(out, (x,), lambda g: (g * (1 - out),))  # mistake: it should be 1 - out**2


# Its adapter.


class Mine(Adapter):
    """How to make a tensor, read it, and ask for gradients; and which operations there are."""

    name = "my engine"
    ops = {"add": add, "mul": mul, "exp": exp, "tanh": tanh}

    def tensor(self, array, requires_grad=False):
        return Tensor(array)

    def array(self, tensor):
        return tensor.data

    def is_tensor(self, x):
        return isinstance(x, Tensor)

    def backward(self, output, seed):
        output.backward(seed)

    def grad(self, tensor):
        return tensor.grad

"""micrograd, an engine of scalars: ``python -m tinygrad_edu check --engine examples.adapters.micrograd_adapter:adapter``.

A tensor is a NumPy array of its Values, so NumPy broadcasts, multiplies matrices and moves elements about with the engine's own
``+`` and ``*``. ``pip install micrograd``.
"""

from __future__ import annotations

import operator

import numpy as np
from micrograd.engine import Value

from tinygrad_edu.testing.adapter import ScalarAdapter

relu = np.frompyfunc(lambda value: value.relu(), 1, 1)


def power(x, y):
    """micrograd takes numbers as exponents, no Values."""
    if isinstance(y, (np.ndarray, Value)):
        raise NotImplementedError("an exponent that is a tensor")
    return x ** (float(y) if isinstance(y, bool) else y)


class Micrograd(ScalarAdapter):
    """micrograd's Value: ``+``, ``*``, ``**`` and relu, and what Python makes of them."""

    name = "micrograd"
    ops = {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": operator.mul,
        "div": lambda x, y: x / y,
        "true_divide": operator.truediv,
        "neg": operator.neg,
        "pow": power,
        "square": lambda x: x * x,
        "reciprocal": lambda x: x**-1,
        "sqrt": lambda x: x**0.5,
        "nn.functional.relu": relu,
        "sum": lambda x, dim=None, keepdim=False: np.sum(x, axis=None if dim == () else dim, keepdims=keepdim),
        "matmul": np.matmul,
        "mm": np.matmul,
        "dot": np.dot,
        "outer": np.multiply.outer,
        "reshape": np.reshape,
        "permute": np.transpose,
        "cat": np.concatenate,
        "stack": np.stack,
    }

    def value(self, number):
        return Value(number)

    def number(self, value):
        return value.data

    def slope(self, value):
        return value.grad


adapter = Micrograd()

"""HIPS autograd under the suite: ``python -m tinygrad_edu check --engine examples.adapters.hips_autograd_adapter:adapter``.

An engine that transforms functions: it has no backward(), so the adapter overrides `gradients` alone.
"""

from __future__ import annotations

import autograd.numpy as np
import autograd.scipy.special as special
import numpy
from autograd.builtins import tuple as boxed
from autograd.core import make_vjp
from autograd.extend import Box

from tinygrad_edu.testing.adapter import Adapter, NotOffered


def axis_of(x, dim):
    """torch's dim as NumPy's axis: () means all, and a number has no dimension to name."""
    if dim is not None and np.ndim(x) == 0:
        raise NotImplementedError("a dimension of a number")
    return None if dim == () else dim


def reduction(function):
    """Give a NumPy reduction torch's names: dim and keepdim."""
    return lambda x, dim=None, keepdim=False: function(x, axis=axis_of(x, dim), keepdims=keepdim)


def spread(function):
    """The same for std and var, which count degrees of freedom."""

    def spread_of(x, dim=None, *, correction=1, keepdim=False):
        if isinstance(dim, bool):
            raise NotImplementedError("the older setting unbiased")
        return function(x, axis=axis_of(x, dim), ddof=correction, keepdims=keepdim)

    return spread_of


def along(function):
    """Give a NumPy function along one axis torch's argument."""
    return lambda x, dim: function(x, axis_of(x, dim))


def softmax(x, dim):
    return np.exp(x - special.logsumexp(x, axis=axis_of(x, dim), keepdims=True))


def transpose(x, first, second):
    return np.swapaxes(x, axis_of(x, first), axis_of(x, second))


def squeeze(x, dim=None):
    """torch leaves alone what is longer than one."""
    if dim is None:
        return np.squeeze(x)
    dims = (dim,) if isinstance(dim, int) else dim
    return np.squeeze(x, tuple(d for d in dims if np.ndim(x) and np.shape(x)[d] == 1))


def norm(x, p=2, dim=None, keepdim=False):
    """The norm of a vector, or of vectors along a dimension."""
    order = {"fro": None if dim is None else 2, None: None if dim is None else 2}.get(p, p)
    if isinstance(dim, list | tuple) or (dim is None and order is not None and np.ndim(x) != 1):
        raise NotImplementedError("norms of matrices")
    if keepdim:
        raise NotImplementedError("norm with keepdim")
    return np.linalg.norm(x, order, dim)


def clamp(x, min=None, max=None):
    """Both bounds numbers, as np.clip wants them."""
    if any(isinstance(bound, numpy.ndarray | Box) for bound in (min, max)):
        raise NotImplementedError("bounds that are tensors")
    return np.clip(x, -np.inf if min is None else min, np.inf if max is None else max)


def add(x, y, *, alpha=1):
    return x + alpha * y


def sub(x, y, *, alpha=1):
    return x - alpha * y


def permute(x, dims):
    return np.transpose(x, dims)


OPS = {
    "add": add,
    "sub": sub,
    "mul": np.multiply,
    "div": lambda x, y: np.divide(x, y),
    "true_divide": np.true_divide,
    "pow": np.power,
    "neg": np.negative,
    "abs": np.abs,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "remainder": np.remainder,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "logaddexp2": np.logaddexp2,
    "where": np.where,
    "clamp": clamp,
    "sign": np.sign,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": special.expit,
    "erf": special.erf,
    "erfc": special.erfc,
    "sum": reduction(np.sum),
    "mean": reduction(np.mean),
    "prod": reduction(np.prod),
    "amax": reduction(np.max),
    "amin": reduction(np.min),
    "std": spread(np.std),
    "var": spread(np.var),
    "logsumexp": reduction(special.logsumexp),
    "cumsum": along(np.cumsum),
    "norm": norm,
    "linalg.norm": norm,
    "linalg.det": np.linalg.det,
    "linalg.inv": np.linalg.inv,
    "linalg.solve": np.linalg.solve,
    "matmul": np.matmul,
    "mm": np.matmul,
    "bmm": np.matmul,
    "mv": np.matmul,
    "dot": np.dot,
    "outer": np.outer,
    "trace": np.trace,
    "einsum": lambda equation, *xs: np.einsum(equation.replace(" ", ""), *xs),
    "reshape": np.reshape,
    "permute": permute,
    "transpose": transpose,
    "unsqueeze": np.expand_dims,
    "squeeze": squeeze,
    "flatten": lambda x: np.ravel(x),
    "broadcast_to": np.broadcast_to,
    "tile": np.tile,
    "roll": np.roll,
    "flip": np.flip,
    "cat": lambda xs, dim: np.concatenate(xs, dim),
    "stack": np.stack,
    "hstack": np.hstack,
    "vstack": np.vstack,
    "triu": np.triu,
    "tril": np.tril,
    "diag": np.diag,
    "softmax": softmax,
    "nn.functional.relu": lambda x: np.maximum(x, 0.0),
    "nn.functional.softplus": lambda x: np.logaddexp(x, 0.0),
    **{n: getattr(np, n) for n in ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "square", "sin", "cos")},
    **{n: getattr(np, n) for n in ("tan", "sinh", "cosh", "tanh", "sinc", "deg2rad", "rad2deg")},
    **{"a" + n: getattr(np, "arc" + n) for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}  # fmt: skip


class Hips(Adapter):
    """HIPS autograd: tensors are NumPy arrays, which it boxes while it traces a function."""

    name = "HIPS autograd"
    orders = 3
    ops = OPS

    def tensor(self, array, requires_grad=False):
        return array

    def array(self, tensor):
        while isinstance(tensor, Box):
            tensor = tensor._value
        return numpy.asarray(tensor)

    def is_tensor(self, x):
        return isinstance(x, numpy.ndarray | numpy.generic | Box)

    def gradients(self, function, tensors, seeds):
        """Trace the function and pull the seeds back; run inside another trace, this is differentiated too."""
        pull, _ = make_vjp(lambda inputs: boxed(function(*inputs)), boxed(tensors))
        return list(pull(boxed(seeds)))

    def backward(self, output, seed):
        raise NotOffered("backward: gradients are taken of functions")


adapter = Hips()

"""Ways to fill a parameter before training. All write in place, record nothing and return the tensor.

A weight of shape (out, in, *window) has fan_in = in * prod(window) and fan_out = out * prod(window).
The same seed draws the same numbers as in PyTorch.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import numpy as np

from .. import _dtype, random
from .._creation import empty_like, ones_like
from .._tensor import Tensor, no_grad

if TYPE_CHECKING:
    from ..random import Generator

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = ("linear", "sigmoid", *(f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)))


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By which factor a nonlinearity wants its weights larger: sqrt(2) for ReLU, 5/3 for tanh, 1 for linear.

    Parameters
    ----------
    param
        The negative slope, for ``"leaky_relu"``.

    Examples
    --------
    >>> round(calculate_gain("leaky_relu", 1.0), 6)
    1.0

    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "selu":
        return 3.0 / 4
    if nonlinearity == "leaky_relu":
        if isinstance(param, bool) or not isinstance(param, int | float | None):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    known = ", ".join([*_LINEAR, "tanh", "relu", "leaky_relu", "selu"])
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}: there are {known}")


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the uniform distribution on [a, b).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.nn.init.uniform_(torch.empty(3, 5))
    >>> bool((w >= 0).all() and (w < 1).all())
    True

    """
    with no_grad():
        return random.uniform_(tensor, a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution."""
    with no_grad():
        return random.normal_(tensor, mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.init.constant_(torch.empty(2), 5)
    tensor([5., 5.])

    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    with no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity: a Linear layer then hands its input through.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.init.eye_(torch.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])

    """
    _must_be_matrix(tensor)
    with no_grad():
        tensor.zero_()
        for i in range(min(tensor.shape)):
            tensor[i, i] = 1
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution hand its input through: 1 in the middle of window i of output i, in each group."""
    if tensor.dim() not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported, not {tensor.dim()}")
    if tensor.shape[0] % groups != 0:
        raise ValueError(f"dim 0 must be divisible by groups: {tensor.shape[0]} by {groups}")
    outputs = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for i in range(min(outputs, tensor.shape[1])):
                tensor[(group * outputs + i, i, *middle)] = 1
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from U(-a, a), a = gain * sqrt(6 / (fan_in + fan_out)): signals keep their size both ways.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from N(0, s), s = gain * sqrt(2 / (fan_in + fan_out)); see ``xavier_uniform_``."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from U(-b, b), b = gain * sqrt(3 / fan): signals keep their size through (leaky) ReLUs.

    He et al., "Delving deep into rectifiers", 2015.

    Parameters
    ----------
    a
        The negative slope behind this layer (for leaky_relu).
    mode
        ``"fan_in"`` keeps the size forward, ``"fan_out"`` backward.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.nn.init.kaiming_uniform_(torch.empty(3, 5))
    >>> bool(w.abs().max() <= (6 / 5) ** 0.5)
    True

    """
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from N(0, s), s = gain / sqrt(fan); see ``kaiming_uniform_``."""
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    return normal_(tensor, 0.0, std, generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution, again and again until every number lies in [a, b].

    ``a`` and ``b`` are values, not multiples of ``std``.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    kept = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    with no_grad():
        if kept > 0.3:
            random.normal_(tensor, mean, std, generator=generator)
            low, high = tensor.new_tensor(a).item(), tensor.new_tensor(b).item()  # as the dtype can tell them
            while bool((outside := (tensor < low) | (tensor > high)).any()):
                again = random.normal_(empty_like(tensor), mean, std, generator=generator)
                tensor[outside] = again[outside]
            return tensor
        # Too few normal numbers would be kept: draw uniform ones and keep each with its relative density.
        peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
        refused = ones_like(tensor, dtype=_dtype.bool)
        while bool(refused.any()):
            drawn = random.uniform_(empty_like(tensor), a, b, generator=generator)
            tensor[refused] = drawn[refused]
            log_density = ((drawn - mean) / std) ** 2 * -0.5 - peak
            refused &= random.uniform_(empty_like(tensor), generator=generator).log() > log_density
    return tensor


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Make rows (or columns, whichever are fewer) orthonormal, times ``gain``; windows count as columns.

    Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.nn.init.orthogonal_(torch.empty(2, 4))
    >>> torch.allclose(w @ w.T, torch.eye(2), atol=1e-6)
    True

    """
    if tensor.dim() < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported, not {tensor.dim()}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = random.normal_(tensor.new_empty((rows, columns)), generator=generator).numpy()
    q, r = np.linalg.qr(drawn.T if rows < columns else drawn)
    q = q * np.sign(np.diag(r))  # the signs of r's diagonal make q uniform: arXiv math-ph/0609050
    with no_grad():
        tensor.copy_(tensor.new_tensor(q.T if rows < columns else q).reshape(tensor.shape))
        return tensor.mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Draw a matrix from N(0, std) and set the share ``sparsity`` of each column to zero.

    Martens, "Deep learning via Hessian-free optimization", 2010.
    """
    _must_be_matrix(tensor)
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        random.normal_(tensor, 0, std, generator=generator)
        for column in range(columns):
            tensor[random.randperm(rows)[:zeros], column] = 0
    return tensor


def _must_be_matrix(tensor: Tensor) -> None:
    if tensor.dim() != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported, not {tensor.dim()}")


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Count the inputs of each output and the outputs of each input."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions: "
            f"this one has shape {tuple(tensor.shape)}; fill biases with zeros_ or uniform_"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """Choose fan_in or fan_out by name."""
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


def _normal_cdf(x: float) -> float:
    """Return the part of the normal distribution below ``x``."""
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

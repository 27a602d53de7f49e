"""Activations: one function of every element, or along one axis."""

from __future__ import annotations

import warnings

import numpy as np

from ..._dtype import dtype as dtype_type
from ..._functions import hardshrink, prelu, sigmoid, tanh
from ..._functions import relu as _relu
from ..._functions.softmax import log_softmax as _log_softmax
from ..._functions.softmax import softmax as _softmax
from ..._ops import activation as _ops
from ..._tensor import Tensor
from ...random import stream
from ._common import need_float

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _maybe_over(input: Tensor, out: Tensor, inplace: bool) -> Tensor:
    """Write ``out`` over ``input`` if asked."""
    return input._write(out, "an activation with inplace=True") if inplace else out


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Put zero below zero: max(0, x); the gradient at zero is zero.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])

    """
    return input.relu_() if inplace else _relu(input)


def relu_(input: Tensor) -> Tensor:
    """Put zero below zero, in place."""
    return input.relu_()


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Keep x within [min_val, max_val]."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: got {min_val} and {max_val}.")
    kind = input._array.dtype.kind
    if kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh; convert with .float().")
    if kind != "f":
        min_val, max_val = int(min_val), int(max_val)
    return _maybe_over(input, _ops.hardtanh(input, low=min_val, high=max_val), inplace)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Keep x within [min_val, max_val], in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Keep x within [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Give x above zero and alpha (exp(x) - 1) below (Clevert 2015)."""
    need_float(input, "elu_cpu")
    return _maybe_over(
        input, (_ops.elu_over if inplace else _ops.elu)(input, alpha=float(alpha), scale=1.0, rate=1.0), inplace
    )


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Give x above zero and alpha (exp(x) - 1) below, in place."""
    return elu(input, alpha, inplace=True)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Give scale times elu with the constants that keep mean zero and variance one (Klambauer 2017)."""
    need_float(input, "elu_cpu")
    return _maybe_over(
        input, (_ops.elu_over if inplace else _ops.elu)(input, alpha=_SELU_ALPHA, scale=_SELU_SCALE, rate=1.0), inplace
    )


def selu_(input: Tensor) -> Tensor:
    """As ``selu``, in place."""
    return selu(input, inplace=True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Give x above zero and alpha (exp(x / alpha) - 1) below, smooth at zero for every alpha (Barron 2017)."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    need_float(input, "elu_cpu")
    return _maybe_over(
        input,
        (_ops.celu_over if inplace else _ops.celu)(input, alpha=float(alpha), scale=1.0, rate=1.0 / alpha),
        inplace,
    )


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """As ``celu``, in place."""
    return celu(input, alpha, inplace=True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Give x above zero and negative_slope x below."""
    need_float(input, "leaky_relu_cpu")
    return _maybe_over(
        input, (_ops.leaky_relu_over if inplace else _ops.leaky_relu)(input, slope=float(negative_slope)), inplace
    )


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """As ``leaky_relu``, in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Give x above zero and a slope drawn from [lower, upper] times x below; the mean slope when not training."""
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, but got {lower} and {upper}")
    need_float(input, "rrelu_with_noise_out_cpu")
    if not training:
        return _maybe_over(input, _ops.rrelu(input, slope=(lower + upper) / 2), inplace)
    x = input._writable()
    source = stream(None, "rrelu")
    slope = np.ones(x.shape, x.dtype)
    below = x <= 0  # only these draw
    slope[below] = source._uniform(int(below.sum()), np.dtype(np.float64), lower, upper)
    return _maybe_over(input, _ops.rrelu(input, slope=slope), inplace)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """As ``rrelu``, in place."""
    return rrelu(input, lower, upper, training, inplace=True)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Keep x where it is above the threshold and put the value elsewhere."""
    return _maybe_over(input, _ops.threshold(input, threshold=threshold, value=value), inplace)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """Keep x where it is above the threshold and put the value elsewhere, in place."""
    return _maybe_over(input, _ops.threshold(input, threshold=threshold, value=value), inplace=True)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Weight x by the normal distribution function, exactly or by tanh (Hendrycks and Gimpel 2016)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, not {approximate!r}.")
    need_float(input, "GeluKernelImpl")
    return _ops.gelu(input) if approximate == "none" else _ops.gelu_tanh(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Weight x by its own sigmoid."""
    need_float(input, "silu_cpu")
    return _maybe_over(input, _ops.silu(input), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Weight x by the tanh of its softplus (Misra 2019)."""
    need_float(input, "mish_cpu")
    return _maybe_over(input, _ops.mish(input), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Weight x by relu6(x + 3) / 6 (Howard 2019)."""
    need_float(input, "hardswish_cpu")
    return _maybe_over(input, _ops.hardswish(input), inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Approximate the sigmoid by relu6(x + 3) / 6."""
    need_float(input, "hardsigmoid_cpu")
    return _maybe_over(input, _ops.hardsigmoid(input), inplace)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Move x towards zero by lambd and no further."""
    need_float(input, "softshrink_check")
    if not lambd >= 0:
        raise RuntimeError(f"lambda must be in range [0, {np.finfo(input._array.dtype).max:g}], but found {lambd}")
    return _ops.softshrink(input, lambd=float(lambd))


def tanhshrink(input: Tensor) -> Tensor:
    """Subtract the tanh: x - tanh(x)."""
    return input - input.tanh()


def softsign(input: Tensor) -> Tensor:
    """Divide x by 1 + |x|."""
    return input / (input.abs() + 1)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Smooth the corner of relu: log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold."""
    need_float(input, "softplus_cpu")
    return _ops.softplus(input, beta=float(beta), threshold=float(threshold))


def logsigmoid(input: Tensor) -> Tensor:
    """Take the logarithm of the sigmoid, finite for every finite x.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.logsigmoid(torch.tensor([-1000.0, 0.0]))
    tensor([-1.0000e+03, -6.9315e-01])

    """
    need_float(input, "log_sigmoid_cpu")
    return _ops.logsigmoid(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Gate the first half of a dimension by the sigmoid of the second (Dauphin 2017)."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    axis = dim % input.ndim if -input.ndim <= dim < input.ndim else _no_dimension(dim, input.ndim)
    if input.shape[axis] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {axis} is size {input.shape[axis]}")
    need_float(input, "glu_cpu")
    return _ops.glu(input, axis=axis)


def _no_dimension(dim: int, ndim: int) -> int:
    raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype_type | None = None) -> Tensor:
    """Normalise exponentials along ``dim``: exp(x) / sum(exp(x)).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.softmax(torch.zeros(1, 4), dim=1)
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])

    """
    if dim is None:
        dim = _implicit_dim("softmax", input.ndim, _stacklevel)
    return _softmax(input, dim, dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype_type | None = None) -> Tensor:
    """Take the softmax of -x."""
    if dim is None:
        dim = _implicit_dim("softmin", input.ndim, _stacklevel)
    return _softmax(-input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype_type | None = None) -> Tensor:
    """Take the logarithm of the softmax along ``dim``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.log_softmax(torch.zeros(1, 2), dim=1)
    tensor([[-0.6931, -0.6931]])

    """
    if dim is None:
        dim = _implicit_dim("log_softmax", input.ndim, _stacklevel)
    return _log_softmax(input, dim, dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Draw from the categorical distribution of ``logits``, smoothed so that gradients pass (Jang 2016).

    With ``hard`` the result is one-hot, and the gradient is that of the soft one.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    x = logits._writable()
    waiting = stream(None, "gumbel_softmax")._exponential(x.size, x.dtype).reshape(x.shape)
    soft = _softmax((logits + Tensor._of(-np.log(waiting))) / tau, dim)
    if not hard:
        return soft
    value = soft.detach()
    return value.new_zeros(x.shape).scatter(dim, value.argmax(dim, True), value=1.0) - value + soft

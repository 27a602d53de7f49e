"""Activation functions that networks alone use; sigmoid, tanh and relu are elementwise ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._core.op import Array, op
from ._choice import FAST
from .elementwise import erf, exp, plain, sigmoid, tanh, where

HALF_ROOT = math.sqrt(0.5)
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)  # of the normal distribution at zero
BLOCK = 1 << 15  # elements worked on at once, as in error_function
ROOT_2_PI = math.sqrt(2.0 / math.pi)


def gelu_weight(x: Array) -> Array:
    """Phi(x), the distribution function of the normal distribution."""
    return 0.5 * (1.0 + erf(x * HALF_ROOT))


@op
def gelu(x: Array, *, memo: dict[str, Any] | None = None) -> Array:
    """Weight x by the normal distribution function: x Phi(x) (Hendrycks and Gimpel 2016)."""
    if FAST and x.ndim and x.flags.c_contiguous:
        return _gelu_forward(x, memo)
    return x * gelu_weight(x)


gelu.gradient(x=lambda g, x: g * (gelu_weight(x) + x * exp(x * x * -0.5) * DENSITY))


# In first order Phi is kept, which halves the work of backward, and every pass but the first and last runs within
# the cache: forward and backward of 16x64x256 take 1.25 ms instead of 2.0.


def _gelu_forward(x: Array, memo: dict[str, Any] | None) -> Array:
    """Compute gelu in blocks and keep Phi."""
    out = np.empty(x.shape, x.dtype)
    flat, result = x.reshape(-1), out.reshape(-1)
    weights = []
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK]
        weight = erf(block * HALF_ROOT)
        weight += 1.0
        weight *= 0.5
        np.multiply(weight, block, out=result[start : start + BLOCK])
        weights.append(weight)
    if memo is not None:
        memo["weights"] = weights
    return out


def _gelu_backward(g: Array, x: Array, memo: dict[str, Any]) -> tuple[Array]:
    """g (Phi(x) + x Phi'(x)) in blocks, with the Phi that the forward kept."""
    if not memo:
        return (gelu.formulas["x"](g, x),)
    share = np.empty(x.shape, x.dtype)
    flat, result, flow = x.reshape(-1), share.reshape(-1), g.reshape(-1)
    for start, weight in zip(range(0, flat.size, BLOCK), memo["weights"], strict=True):
        block = slice(start, start + BLOCK)
        slope = np.multiply(flat[block], flat[block], out=result[block])
        slope *= -0.5
        np.exp(slope, out=slope)
        slope *= flat[block]
        slope *= DENSITY
        slope += weight
        slope *= flow[block]
    return (share,)


if FAST:
    gelu.at_first_order(_gelu_backward)


@op(node="GeluBackward0")
def gelu_tanh(x: Array) -> Array:
    """Approximate gelu by 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))."""
    return 0.5 * x * (1.0 + np.tanh(ROOT_2_PI * (x + 0.044715 * x * x * x)))


def _gelu_tanh_share(g: Array, x: Array) -> Array:
    square = x * x
    t = tanh(x * (ROOT_2_PI + ROOT_2_PI * 0.044715 * square))
    return g * (0.5 * (1.0 + t) + x * (1.0 - t * t) * (0.5 * ROOT_2_PI + 1.5 * ROOT_2_PI * 0.044715 * square))


gelu_tanh.gradient(x=_gelu_tanh_share)


@op
def silu(x: Array) -> Array:
    """Weight x by its own sigmoid: x / (1 + exp(-x))."""
    return x / (1.0 + np.exp(-x))


def _silu_share(g: Array, x: Array) -> Array:
    s = sigmoid(x)
    return g * (s * (1.0 + x * (1.0 - s)))


silu.gradient(x=_silu_share)


@op
def mish(x: Array) -> Array:
    """Weight x by the tanh of its softplus: x tanh(log(1 + exp(x)))."""
    return x * np.tanh(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


def _mish_share(g: Array, x: Array) -> Array:
    t = tanh(softplus(x, beta=1.0, threshold=50.0))
    return g * (t + x * sigmoid(x) * (1.0 - t * t))


mish.gradient(x=_mish_share)


@op
def elu(x: Array, *, alpha: float, scale: float, rate: float) -> Array:
    """Give scale x above zero and scale alpha (exp(rate x) - 1) below: elu, selu and celu."""
    return np.where(x > 0, x * scale, np.expm1(np.minimum(x, 0.0) * rate) * (alpha * scale))


def _elu_share(g: Array, x: Array, alpha: float, scale: float, rate: float) -> Array:
    below = where(0.0, x, condition=plain(x) >= 0)  # exp of a large x must not overflow where it is not even used
    return where(g * scale, g * exp(below * rate) * (alpha * scale * rate), condition=plain(x) > 0)


elu.gradient(x=_elu_share)
celu = elu.named("CeluBackward0")
elu_over, celu_over = elu.named("EluBackward1"), elu.named("CeluBackward1")  # torch's names for the in-place forms


@op
def leaky_relu(x: Array, *, slope: float) -> Array:
    """Give x above zero and slope x below."""
    return np.where(x > 0, x, x * slope)


leaky_relu.gradient(x=lambda g, x, slope: where(g, g * slope, condition=plain(x) > 0))
leaky_relu_over = leaky_relu.named("LeakyReluBackward1")


@op(broadcasts=True, node="PreluKernelBackward0")
def prelu(x: Array, w: Array) -> Array:
    """Give x above zero and w x below, with a learned w."""
    return np.where(x > 0, x, x * w)


prelu.gradient(
    x=lambda g, x, w: where(g, g * w, condition=plain(x) > 0),
    w=lambda g, x: g * where(0.0, x, condition=plain(x) > 0),
)


@op(node="RreluWithNoiseBackward0")
def rrelu(x: Array, *, slope: Array) -> Array:
    """Give x above zero and slope x below, with a slope drawn for each element or their mean."""
    return np.where(x > 0, x, x * slope)


rrelu.gradient(x=lambda g, x, slope: where(g, g * slope, condition=plain(x) > 0))


@op
def hardtanh(x: Array, *, low: float, high: float) -> Array:
    """Keep x within [low, high]; the gradient is zero on both borders."""
    return np.clip(x, low, high)


hardtanh.gradient(x=lambda g, x, low, high: g * ((plain(x) > low) & (plain(x) < high)))


@op
def threshold(x: Array, *, threshold: float, value: float) -> Array:
    """Keep x where it is above the threshold and put the value elsewhere."""
    return np.where(x <= threshold, np.asarray(value, x.dtype), x)


threshold.gradient(x=lambda g, x, threshold: g * (plain(x) > threshold))


@op
def softplus(x: Array, *, beta: float, threshold: float) -> Array:
    """Smooth the corner of relu: log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold."""
    scaled = x * beta
    return np.where(scaled > threshold, x, (np.maximum(scaled, 0.0) + np.log1p(np.exp(-np.abs(scaled)))) / beta)


softplus.gradient(
    x=lambda g, x, beta, threshold: g * where(1.0, sigmoid(x * beta), condition=plain(x) * beta > threshold)
)


@op(node="LogSigmoidBackward0")
def logsigmoid(x: Array) -> Array:
    """Take the logarithm of the sigmoid: min(x, 0) - log(1 + exp(-|x|)), finite for every finite x."""
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))


logsigmoid.gradient(x=lambda g, x: g * sigmoid(-x))


@op
def hardsigmoid(x: Array) -> Array:
    """Approximate the sigmoid by a line: x / 6 + 1 / 2 kept within [0, 1]."""
    return np.clip(x + 3.0, 0.0, 6.0) / 6.0


hardsigmoid.gradient(x=lambda g, x: g * ((plain(x) > -3.0) & (plain(x) < 3.0)) * (1.0 / 6.0))


@op
def hardswish(x: Array) -> Array:
    """Weight x by its hardsigmoid."""
    return x * np.clip(x + 3.0, 0.0, 6.0) / 6.0


hardswish.gradient(
    x=lambda g, x: g * where(1.0, (x * (1.0 / 3.0) + 0.5) * (plain(x) > -3.0), condition=plain(x) >= 3.0)
)


@op
def hardshrink(x: Array, *, lambd: float) -> Array:
    """Put zero where |x| is at most lambd."""
    return np.where(np.abs(x) <= lambd, np.asarray(0, x.dtype), x)


hardshrink.gradient(x=lambda g, x, lambd: g * (abs(plain(x)) > lambd))


@op
def softshrink(x: Array, *, lambd: float) -> Array:
    """Move x towards zero by lambd and no further."""
    return np.copysign(x - np.clip(x, -lambd, lambd), x)  # -0.0 for a small negative x, as in torch


softshrink.gradient(x=lambda g, x, lambd: g * (abs(plain(x)) > lambd))


@op
def glu(x: Array, *, axis: int) -> Array:
    """Gate the first half of an axis by the sigmoid of the second: a sigmoid(b) (Dauphin 2017)."""
    a, b = np.split(x, 2, axis=axis)
    return a / (1.0 + np.exp(-b))


def _glu_share(g: Array, x: Array, axis: int) -> Array:
    a, s = half(x, axis=axis, which=0), sigmoid(half(x, axis=axis, which=1))
    return beside_zeros(g * s, axis=axis, which=0) + beside_zeros(g * a * s * (1.0 - s), axis=axis, which=1)


glu.gradient(x=_glu_share)


@op
def half(x: Array, *, axis: int, which: int) -> Array:
    """Take the first or second half of an axis."""
    return np.split(x, 2, axis=axis)[which].copy()


@op
def beside_zeros(x: Array, *, axis: int, which: int) -> Array:
    """Make x one half of an axis, with zeros as the other."""
    return np.concatenate([x * 0, x] if which else [x, x * 0], axis=axis)


half.gradient(x=lambda g, axis, which: beside_zeros(g, axis=axis, which=which))
beside_zeros.gradient(x=lambda g, axis, which: half(g, axis=axis, which=which))

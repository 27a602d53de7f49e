"""Functions element by element, with torch's signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _dtype
from .._core.op import Op
from .._errors import cannot_broadcast
from .._ops import elementwise as _el
from ._common import as_tensor_operand, cast, into, promoted, wrap

if TYPE_CHECKING:
    from .._tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "allclose",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "div",
    "divide",
    "eq",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fill",
    "filled_in_place",
    "fix",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "heaviside",
    "hypot",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "lerp",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "nan_to_num",
    "ne",
    "neg",
    "negative",
    "not_equal",
    "positive",
    "pow",
    "rad2deg",
    "reciprocal",
    "relu",
    "remainder",
    "round",
    "rsqrt",
    "rsub",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "sub",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
    "xlogy",
]


def _tensor(value: Any, name: str) -> Tensor:
    """``value``, if it is a Tensor; torch's TypeError if not."""
    if isinstance(value, Op.kind):
        return value
    raise TypeError(
        f"{name}(): argument 'input' (position 1) must be Tensor, not {type(value).__name__}. Make one with torch.tensor(...)."
    )


def _float_pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as Tensors of one floating dtype."""
    x, y = promoted(x, y)
    if x._array.dtype.kind != "f":
        return cast(x, _dtype.default.numpy), cast(y, _dtype.default.numpy)
    return x, y


def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Raise e to each element.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    if out is not None:
        return into(out, exp(input), "exp")
    return _el.exp(_tensor(input, "exp"))


def exp2(input: Tensor) -> Tensor:
    """Raise 2 to each element.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.exp2(torch.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return _el.exp2(_tensor(input, "exp2"))


def expm1(input: Tensor) -> Tensor:
    """Compute exp(x) - 1, exact near 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.expm1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return _el.expm1(_tensor(input, "expm1"))


def log(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the natural logarithm.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.log(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    if out is not None:
        return into(out, log(input), "log")
    return _el.log(_tensor(input, "log"))


def log2(input: Tensor) -> Tensor:
    """Take the logarithm to base 2.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.log2(torch.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return _el.log2(_tensor(input, "log2"))


def log10(input: Tensor) -> Tensor:
    """Take the logarithm to base 10.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.log10(torch.tensor([1.0, 100.0]))
    tensor([0., 2.])
    """
    return _el.log10(_tensor(input, "log10"))


def log1p(input: Tensor) -> Tensor:
    """Compute log(1 + x), exact near 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.log1p(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return _el.log1p(_tensor(input, "log1p"))


def sqrt(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the square root.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sqrt(torch.tensor([4.0, 2.0]))
    tensor([2.0000, 1.4142])
    """
    if out is not None:
        return into(out, sqrt(input), "sqrt")
    return _el.sqrt(_tensor(input, "sqrt"))


def rsqrt(input: Tensor) -> Tensor:
    """Compute 1 / sqrt(x).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.rsqrt(torch.tensor([4.0, 2.0]))
    tensor([0.5000, 0.7071])
    """
    return _el.rsqrt(_tensor(input, "rsqrt"))


def reciprocal(input: Tensor) -> Tensor:
    """Compute 1 / x.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.reciprocal(torch.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    return _el.reciprocal(_tensor(input, "reciprocal"))


def sin(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the sine.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    if out is not None:
        return into(out, sin(input), "sin")
    return _el.sin(_tensor(input, "sin"))


def cos(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the cosine.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.cos(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    if out is not None:
        return into(out, cos(input), "cos")
    return _el.cos(_tensor(input, "cos"))


def tan(input: Tensor) -> Tensor:
    """Take the tangent.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return _el.tan(_tensor(input, "tan"))


def asin(input: Tensor) -> Tensor:
    """Find the angle whose sine is x.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.asin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return _el.asin(_tensor(input, "asin"))


def acos(input: Tensor) -> Tensor:
    """Find the angle whose cosine is x.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.acos(torch.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return _el.acos(_tensor(input, "acos"))


def atan(input: Tensor) -> Tensor:
    """Find the angle whose tangent is x.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.atan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return _el.atan(_tensor(input, "atan"))


def sinh(input: Tensor) -> Tensor:
    """Take the hyperbolic sine.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return _el.sinh(_tensor(input, "sinh"))


def cosh(input: Tensor) -> Tensor:
    """Take the hyperbolic cosine.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.cosh(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return _el.cosh(_tensor(input, "cosh"))


def tanh(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the hyperbolic tangent.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    if out is not None:
        return into(out, tanh(input), "tanh")
    return _el.tanh(_tensor(input, "tanh"))


def asinh(input: Tensor) -> Tensor:
    """Invert sinh.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.asinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return _el.asinh(_tensor(input, "asinh"))


def acosh(input: Tensor) -> Tensor:
    """Invert cosh.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.acosh(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return _el.acosh(_tensor(input, "acosh"))


def atanh(input: Tensor) -> Tensor:
    """Invert tanh.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.atanh(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return _el.atanh(_tensor(input, "atanh"))


def sigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Compute 1 / (1 + exp(-x)).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sigmoid(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    if out is not None:
        return into(out, sigmoid(input), "sigmoid")
    return _el.sigmoid(_tensor(input, "sigmoid"))


def relu(input: Tensor) -> Tensor:
    """Keep what is positive, else 0; its derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return _el.relu(_tensor(input, "relu"))


def erf(input: Tensor) -> Tensor:
    """Compute the error function.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.erf(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return _el.erf(_tensor(input, "erf"))


def erfc(input: Tensor) -> Tensor:
    """Compute 1 - erf(x), exact in the tail.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.erfc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return _el.erfc(_tensor(input, "erfc"))


def sinc(input: Tensor) -> Tensor:
    """Compute sin(pi x) / (pi x), and 1 at 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sinc(torch.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    return _el.sinc(_tensor(input, "sinc"))


def deg2rad(input: Tensor) -> Tensor:
    """Turn degrees into radians.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.deg2rad(torch.tensor([0.0, 180.0]))
    tensor([0.0000, 3.1416])
    """
    return _el.deg2rad(_tensor(input, "deg2rad"))


def rad2deg(input: Tensor) -> Tensor:
    """Turn radians into degrees.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.rad2deg(torch.tensor([0.0, 1.0]))
    tensor([ 0.0000, 57.2958])
    """
    return _el.rad2deg(_tensor(input, "rad2deg"))


def neg(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Negate.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.neg(torch.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    if out is not None:
        return into(out, neg(input), "neg")
    return _el.neg(_tensor(input, "neg"))


def abs(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the magnitude; its derivative at 0 is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.abs(torch.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """
    if out is not None:
        return into(out, abs(input), "abs")
    return _el.abs(_tensor(input, "abs"))


def sign(input: Tensor) -> Tensor:
    """Compute -1, 0 or 1; its derivative is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sign(torch.tensor([3.0, 0.0, -2.0]))
    tensor([ 1.,  0., -1.])
    """
    return _el.sign(_tensor(input, "sign"))


def floor(input: Tensor) -> Tensor:
    """Round down; the derivative is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.floor(torch.tensor([1.5, -1.5]))
    tensor([ 1., -2.])
    """
    return _el.floor(_tensor(input, "floor"))


def ceil(input: Tensor) -> Tensor:
    """Round up; the derivative is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.ceil(torch.tensor([1.5, -1.5]))
    tensor([ 2., -1.])
    """
    return _el.ceil(_tensor(input, "ceil"))


def trunc(input: Tensor) -> Tensor:
    """Round towards zero; the derivative is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.trunc(torch.tensor([1.5, -1.5]))
    tensor([ 1., -1.])
    """
    return _el.trunc(_tensor(input, "trunc"))


def frac(input: Tensor) -> Tensor:
    """Compute x - trunc(x).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.frac(torch.tensor([1.5, -1.25]))
    tensor([ 0.5000, -0.2500])
    """
    return _el.frac(_tensor(input, "frac"))


def isnan(input: Tensor) -> Tensor:
    """Is it not a number?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.isnan(torch.tensor([1.0, float('nan')]))
    tensor([False,  True])
    """
    return _el.isnan(_tensor(input, "isnan"))


def isinf(input: Tensor) -> Tensor:
    """Is it infinite?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.isinf(torch.tensor([1.0, float('inf')]))
    tensor([False,  True])
    """
    return _el.isinf(_tensor(input, "isinf"))


def isfinite(input: Tensor) -> Tensor:
    """Is it neither infinite nor nan?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.isfinite(torch.tensor([1.0, float('inf')]))
    tensor([ True, False])
    """
    return _el.isfinite(_tensor(input, "isfinite"))


def signbit(input: Tensor) -> Tensor:
    """Is it negative, -0.0 included?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.signbit(torch.tensor([1.0, -0.0]))
    tensor([False,  True])
    """
    return _el.signbit(_tensor(input, "signbit"))


def logical_not(input: Tensor) -> Tensor:
    """Is it zero?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logical_not(torch.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return _el.logical_not(_tensor(input, "logical_not"))


def bitwise_not(input: Tensor) -> Tensor:
    """Turn every bit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bitwise_not(torch.tensor([0, 5]))
    tensor([-1, -6])
    """
    return _el.bitwise_not(_tensor(input, "bitwise_not"))


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """Compute log(exp(x) + exp(y)), without overflow.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logaddexp(torch.tensor([0.0, 1000.0]), torch.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    return _el.logaddexp(_tensor(input, "logaddexp"), _tensor(other, "logaddexp"))


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """Compute log2(2**x + 2**y), without overflow.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logaddexp2(torch.tensor([0.0, 3.0]), torch.tensor([0.0, 3.0]))
    tensor([1., 4.])
    """
    return _el.logaddexp2(_tensor(input, "logaddexp2"), _tensor(other, "logaddexp2"))


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """Compute sqrt(x**2 + y**2).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.hypot(torch.tensor([3.0]), torch.tensor([4.0]))
    tensor([5.])
    """
    return _el.hypot(_tensor(input, "hypot"), _tensor(other, "hypot"))


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """Find the angle of the point (other, input); the gradient at the origin is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.atan2(torch.tensor([1.0, 0.0]), torch.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """
    return _el.atan2(_tensor(input, "atan2"), _tensor(other, "atan2"))


def maximum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the larger of two; where they tie each gets half the gradient.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.maximum(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    if out is not None:
        return into(out, maximum(input, other), "maximum")
    return _el.maximum(_tensor(input, "maximum"), _tensor(other, "maximum"))


def minimum(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Take the smaller of two; where they tie each gets half the gradient.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.minimum(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    if out is not None:
        return into(out, minimum(input, other), "minimum")
    return _el.minimum(_tensor(input, "minimum"), _tensor(other, "minimum"))


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """Take the larger of two, ignoring nan.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.fmax(torch.tensor([1.0, float('nan')]), torch.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """
    return _el.fmax(_tensor(input, "fmax"), _tensor(other, "fmax"))


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """Take the smaller of two, ignoring nan.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.fmin(torch.tensor([1.0, float('nan')]), torch.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return _el.fmin(_tensor(input, "fmin"), _tensor(other, "fmin"))


def eq(input: Tensor, other: Tensor | float) -> Tensor:
    """Are they equal?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.eq(torch.tensor([1, 2]), torch.tensor([1, 3]))
    tensor([ True, False])
    """
    return _el.eq(input, other)


def ne(input: Tensor, other: Tensor | float) -> Tensor:
    """Are they different?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.ne(torch.tensor([1, 2]), torch.tensor([1, 3]))
    tensor([False,  True])
    """
    return _el.ne(input, other)


def lt(input: Tensor, other: Tensor | float) -> Tensor:
    """Is it less?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.lt(torch.tensor([1, 2]), torch.tensor([1, 3]))
    tensor([False,  True])
    """
    return _el.lt(input, other)


def le(input: Tensor, other: Tensor | float) -> Tensor:
    """Is it less or equal?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.le(torch.tensor([1, 2]), torch.tensor([1, 3]))
    tensor([True, True])
    """
    return _el.le(input, other)


def gt(input: Tensor, other: Tensor | float) -> Tensor:
    """Is it greater?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.gt(torch.tensor([1, 2]), torch.tensor([0, 3]))
    tensor([ True, False])
    """
    return _el.gt(input, other)


def ge(input: Tensor, other: Tensor | float) -> Tensor:
    """Is it greater or equal?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.ge(torch.tensor([1, 2]), torch.tensor([1, 3]))
    tensor([ True, False])
    """
    return _el.ge(input, other)


def logical_and(input: Tensor, other: Tensor | float) -> Tensor:
    """Are both not zero?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logical_and(torch.tensor([True, False]), torch.tensor([True, True]))
    tensor([ True, False])
    """
    return _el.logical_and(input, other)


def logical_or(input: Tensor, other: Tensor | float) -> Tensor:
    """Is one of them not zero?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logical_or(torch.tensor([True, False]), torch.tensor([False, False]))
    tensor([ True, False])
    """
    return _el.logical_or(input, other)


def logical_xor(input: Tensor, other: Tensor | float) -> Tensor:
    """Is exactly one of them not zero?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logical_xor(torch.tensor([True, False]), torch.tensor([True, True]))
    tensor([False,  True])
    """
    return _el.logical_xor(input, other)


def bitwise_and(input: Tensor, other: Tensor | float) -> Tensor:
    """Combine bits by and.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bitwise_and(torch.tensor([6, 3]), torch.tensor([3, 1]))
    tensor([2, 1])
    """
    return _el.bitwise_and(input, other)


def bitwise_or(input: Tensor, other: Tensor | float) -> Tensor:
    """Combine bits by or.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bitwise_or(torch.tensor([6, 3]), torch.tensor([3, 1]))
    tensor([7, 3])
    """
    return _el.bitwise_or(input, other)


def bitwise_xor(input: Tensor, other: Tensor | float) -> Tensor:
    """Combine bits by exclusive or.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bitwise_xor(torch.tensor([6, 3]), torch.tensor([3, 1]))
    tensor([5, 2])
    """
    return _el.bitwise_xor(input, other)


def bitwise_left_shift(input: Tensor, other: Tensor | float) -> Tensor:
    """Compute input * 2**other for integers.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bitwise_left_shift(torch.tensor([1, 3]), torch.tensor([2, 1]))
    tensor([4, 6])
    """
    return _el.bitwise_left_shift(input, other)


def bitwise_right_shift(input: Tensor, other: Tensor | float) -> Tensor:
    """Compute input // 2**other for integers.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.bitwise_right_shift(torch.tensor([8, 3]), torch.tensor([2, 1]))
    tensor([2, 1])
    """
    return _el.bitwise_right_shift(input, other)


def copysign(input: Tensor, other: Tensor | float) -> Tensor:
    """Give the magnitude of one the sign of the other.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.copysign(torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 1.0]))
    tensor([-1.,  2.])
    """
    return _el.copysign(input, other)


def xlogy(input: Tensor, other: Tensor | float) -> Tensor:
    """Compute x * log(y), and 0 where x is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.xlogy(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    x, y = _float_pair(input, other)
    return _el.xlogy(x, y)


def heaviside(input: Tensor, other: Tensor) -> Tensor:
    """Step from 0 to 1, with other at zero.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.heaviside(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _el.heaviside(_tensor(input, "heaviside"), _tensor(other, "heaviside"))


def add(input: Tensor, other: Tensor | float, *, alpha: float = 1, out: Tensor | None = None) -> Tensor:
    """Compute input + alpha * other.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), alpha=2)
    tensor([ 7., 10.])
    """
    if out is not None:
        return into(out, add(input, other, alpha=alpha), "add")
    if alpha != 1:
        _check_alpha(alpha, input, other)
        other = _el.scale_inside(other, alpha) if isinstance(other, Op.kind) else other * alpha
    elif type(other) is bool or _is_bool(input):
        return _el.add(*_not_python_bool(input, other))
    return _el.add(input, other)


def _is_bool(x: Any) -> bool:
    array = getattr(x, "_array", x)
    return array.dtype.kind == "b" if hasattr(array, "dtype") else False


def _not_python_bool(input: Any, other: Any) -> tuple[Any, Any]:
    """Python's True and False as tensors."""
    return (as_tensor_operand(input) if type(input) is bool else input), (
        as_tensor_operand(other) if type(other) is bool else other
    )


def _check_alpha(alpha: float, input: Any, other: Any) -> None:
    kinds = [getattr(getattr(v, "_array", None), "dtype", _dtype.default.numpy).kind for v in (input, other)]
    if isinstance(alpha, float) and not isinstance(alpha, bool) and "f" not in kinds:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")


def sub(input: Tensor, other: Tensor | float, *, alpha: float = 1, out: Tensor | None = None) -> Tensor:
    """Compute input - alpha * other.

    Raises
    ------
    RuntimeError
        For two bool tensors, as torch does.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.sub(torch.tensor([1.0, 2.0]), 0.5)
    tensor([0.5000, 1.5000])
    """
    if out is not None:
        return into(out, sub(input, other, alpha=alpha), "sub")
    if (_is_bool(input) and (_is_bool(other) or type(other) is bool)) or (type(input) is bool and _is_bool(other)):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
        )
    if _is_bool(other) and not isinstance(input, Op.kind):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
            "`logical_not()` operator instead."
        )
    if alpha != 1:
        _check_alpha(alpha, input, other)
        other = _el.scale_inside(other, alpha) if isinstance(other, Op.kind) else other * alpha
    return _el.sub(input, other)


def rsub(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """Compute other - alpha * input.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.rsub(torch.tensor([1.0, 2.0]), 5)
    tensor([4., 3.])
    """
    scaled = input if alpha == 1 else _el.scale_inside(input, alpha)
    if isinstance(other, Op.kind):
        return _rsub_tensor(other, scaled)
    if _is_bool(input) or type(other) is bool:
        return sub(as_tensor_operand(other), input)
    d = _dtype.result_numpy(scaled._array, other)
    return _el.rsub(cast(scaled, d), value=_dtype.representable(other, d))


_rsub_tensor = _el.sub.named("RsubBackward0")


def mul(input: Tensor, other: Tensor | float, *, out: Tensor | None = None) -> Tensor:
    """Multiply.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.mul(torch.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """
    if out is not None:
        return into(out, mul(input, other), "mul")
    return _el.mul(input, other)


def div(input: Tensor, other: Tensor | float, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """Divide; with ``rounding_mode`` "floor" or "trunc" round the quotient, whose derivative is then 0.

    Raises
    ------
    RuntimeError
        For another rounding mode.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.div(torch.tensor([7, -7]), 2)
    tensor([ 3.5000, -3.5000])
    >>> torch.div(torch.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if out is not None:
        return into(out, div(input, other, rounding_mode=rounding_mode), "div")
    if rounding_mode is None:
        return _el.div(input, other)
    if rounding_mode == "floor":
        _check_zero_divisor(input, other)
        return _el.div_floor(*promoted(input, other))
    if rounding_mode == "trunc":
        _check_zero_divisor(input, other)
        return _el.div_trunc(*promoted(input, other))
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


def _check_zero_divisor(input: Any, other: Any) -> None:
    """torch refuses an integer division by zero; NumPy would give 0."""
    arrays = [getattr(v, "_array", v) for v in (input, other)]
    if _dtype.result_numpy(*arrays).kind in "iub" and (
        arrays[1] == 0 if isinstance(arrays[1], int) else (arrays[1] == 0).any()
    ):
        raise RuntimeError("ZeroDivisionError")


divide = true_divide = div
multiply = mul
subtract = sub


def floor_divide(input: Tensor, other: Tensor | float) -> Tensor:
    """Divide and round down; torch has no derivative for it.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    _check_zero_divisor(input, other)
    return _el.floor_divide(*promoted(input, other))


def remainder(input: Tensor | float, other: Tensor | float) -> Tensor:
    """Compute what is left of input after whole multiples of other, with the sign of other (Python's %).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.remainder(torch.tensor([-3.0, 5.0]), 2)
    tensor([1., 1.])
    """
    _check_zero_divisor(input, other)
    if isinstance(other, Op.kind):
        return _el.remainder(input, other)
    x = _tensor(input, "remainder")
    d = _dtype.result_numpy(x._array, other)
    return _el.remainder_by(cast(x, d), divisor=_dtype.representable(other, d))


def fmod(input: Tensor, other: Tensor | float) -> Tensor:
    """Compute what is left of input after whole multiples of other, with the sign of input (C's fmod).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.fmod(torch.tensor([-3.0, 5.0]), 2)
    tensor([-1.,  1.])
    """
    _check_zero_divisor(input, other)
    if isinstance(other, Op.kind):
        return _el.fmod(input, other)
    d = _dtype.result_numpy(input._array, other)
    return _el.fmod_by(cast(input, d), divisor=_dtype.representable(other, d))


def pow(input: Tensor | float, exponent: Tensor | float, *, out: Tensor | None = None) -> Tensor:
    """Raise input to a power; one of the two may be a number.

    Raises
    ------
    RuntimeError
        For integers to a negative integer power.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> torch.pow(2, torch.tensor([1.0, 2.0, 3.0]))
    tensor([2., 4., 8.])
    """
    if out is not None:
        return into(out, pow(input, exponent), "pow")
    if isinstance(exponent, np.ndarray):
        exponent = as_tensor_operand(exponent)
    if isinstance(exponent, Op.kind):
        if isinstance(input, Op.kind):
            if "f" not in (input._array.dtype.kind + exponent._array.dtype.kind) and (exponent._array < 0).any():
                raise RuntimeError("Integers to negative integer powers are not allowed.")
            return _el.pow(input, exponent)
        d = _dtype.result_numpy(input, exponent._array)
        return _el.exponential(cast(exponent, d), base=input)
    if isinstance(exponent, np.generic):
        exponent = exponent.item()
    if not isinstance(exponent, int | float):
        raise TypeError(f"pow(): the exponent must be a number or a Tensor, not {type(exponent).__name__}")
    x = _tensor(input, "pow")
    d = _dtype.result_numpy(x._array, exponent)
    if d.kind != "f" and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return _el.power(cast(x, d), exponent=exponent)


def float_power(input: Tensor | float, exponent: Tensor | float) -> Tensor:
    """Raise input to a power in float64.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.float_power(torch.tensor([2]), 3)
    tensor([8.], dtype=torch.float64)
    """
    double = _dtype.float64.numpy
    x = cast(input, double) if isinstance(input, Op.kind) else input
    return pow(x, cast(exponent, double) if isinstance(exponent, Op.kind) else exponent)


def square(input: Tensor) -> Tensor:
    """Multiply each element by itself.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.square(torch.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """
    return pow(input, 2)


def positive(input: Tensor) -> Tensor:
    """Return the input itself (unary plus).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.positive(torch.tensor([1.0]))
    tensor([1.])
    """
    if _is_bool(input):
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


negative = neg
absolute = abs
arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2
arcsinh, arccosh, arctanh = asinh, acosh, atanh
fix = trunc
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne


def round(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """Round to a number of decimals, halves to even; the derivative is 0.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.7]))
    tensor([0., 2., 3.])
    >>> torch.round(torch.tensor([0.1234567]), decimals=3)
    tensor([0.1230])
    """
    return _el.round(input) if decimals is None else _el.round_decimals(input, decimals=decimals)


def clamp(
    input: Tensor, min: Tensor | float | None = None, max: Tensor | float | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Move every element into [min, max]; the gradient passes where it lay inside, bounds included.

    Raises
    ------
    RuntimeError
        If no bound is given.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if out is not None:
        return into(out, clamp(input, min, max), "clamp")
    if isinstance(min, Op.kind) or isinstance(max, Op.kind):
        if min is None:
            return _el.clamp_high(input, max)
        if max is None:
            return _el.clamp_low(input, min)
        return _el.clamp_between(*promoted(input, min, max))
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    return _el.clamp(_for_bounds(input, min, max), low=min, high=max)


def _for_bounds(input: Tensor, *bounds: Any) -> Tensor:
    """The input in the dtype in which it meets the bounds."""
    return cast(input, _dtype.result_numpy(input._array, *[b for b in bounds if b is not None]))


clip = clamp


def clamp_min(input: Tensor, min: Tensor | float) -> Tensor:
    """Raise every element to at least ``min``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.clamp_min(torch.tensor([-2.0, 2.0]), 0)
    tensor([0., 2.])
    """
    if isinstance(min, Op.kind):
        return _clamp_min_tensor(input, min)
    return _el.clamp_min(_for_bounds(input, min), low=min)


def clamp_max(input: Tensor, max: Tensor | float) -> Tensor:
    """Lower every element to at most ``max``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.clamp_max(torch.tensor([-2.0, 2.0]), 0)
    tensor([-2.,  0.])
    """
    if isinstance(max, Op.kind):
        return _clamp_max_tensor(input, max)
    return _el.clamp_max(_for_bounds(input, max), high=max)


_clamp_min_tensor = _el.clamp_low.named("ClampMinBackward1")
_clamp_max_tensor = _el.clamp_high.named("ClampMaxBackward1")


def nan_to_num(
    input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Replace nan and the infinities by numbers.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nan_to_num(torch.tensor([1.0, float("nan")]))
    tensor([1., 0.])
    """
    return _el.nan_to_num(input, nan=nan or 0.0, posinf=posinf, neginf=neginf)


def lerp(input: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """Interpolate linearly: input + weight * (end - input).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.lerp(torch.tensor([1.0]), torch.tensor([3.0]), 0.5)
    tensor([2.])
    """
    if isinstance(weight, Op.kind):
        return _el.lerp_by(*promoted(input, end, weight))
    return _el.lerp(input, end, weight=weight)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """Compute input + value * tensor1 * tensor2.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.addcmul(torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([3.0]))
    tensor([7.])
    """
    return _el.addcmul(*promoted(input, tensor1, tensor2), value=value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """Compute input + value * tensor1 / tensor2.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.addcdiv(torch.tensor([1.0]), torch.tensor([6.0]), torch.tensor([3.0]))
    tensor([3.])
    """
    return _el.addcdiv(*promoted(input, tensor1, tensor2), value=value)


def where(
    condition: Tensor, input: Tensor | float | None = None, other: Tensor | float | None = None
) -> Tensor | tuple[Tensor, ...]:
    """Take input where the condition holds, else other; with the condition alone, the indices where it holds.

    The gradient of the branch not taken is 0 times what flows back, so an infinite derivative there gives nan:
    make the argument safe first (``where(x > 0, x, 1).sqrt()``).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.where(torch.tensor([True, False]), torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    mask = _tensor(condition, "where")._array
    if input is None and other is None:
        return tuple([wrap(i) for i in np.nonzero(np.atleast_1d(mask))])
    if mask.dtype.kind != "b":
        if mask.dtype != np.uint8:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype {_dtype.of(mask.dtype)}"
            )
        mask = mask.astype(bool)
    x, y = promoted(input, other)
    problem = cannot_broadcast("where", (mask, x._array)) or cannot_broadcast("where", (mask, y._array))
    if problem:
        raise RuntimeError(problem)
    return _el.where(x, y, condition=mask)


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Are elements within atol + rtol * abs(other)?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.isclose(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    _same_dtype("isclose", input, other)
    problem = cannot_broadcast("isclose", (input._array, other._array))
    if problem:
        raise RuntimeError(problem)
    whole = _dtype.get_default_dtype().numpy
    return _el.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan, whole=whole)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Are all elements within atol + rtol * abs(other)?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.allclose(torch.tensor([1.0]), torch.tensor([1.0 + 1e-9]))
    True
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def _same_dtype(name: str, input: Tensor, other: Tensor) -> None:
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"{_dtype.of(input._array.dtype)} did not match {_dtype.of(other._array.dtype)} in {name}: cast one of them first."
        )


def equal(input: Tensor, other: Tensor) -> bool:
    """Have both the same shape and the same elements?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
    True
    """
    return input._array.shape == other._array.shape and bool(np.array_equal(input._array, other._array))


def fill(input: Tensor, value: Tensor | float) -> Tensor:
    """Make a tensor like another that holds one number everywhere.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.fill(torch.zeros(2), 7)
    tensor([7., 7.])
    """
    return _filled(input, value, _el.filled, _el.filled_by)


def filled_in_place(input: Tensor, value: Tensor | float) -> Tensor:
    """What ``fill_`` writes: the same under torch's names for the in-place steps."""
    return _filled(input, value, _el.fill, _el.fill_by)


def _filled(input: Tensor, value: Tensor | float, by_number: Any, by_tensor: Any) -> Tensor:
    d = input._array.dtype
    if not isinstance(value, Op.kind):
        return by_number(input, value=_dtype.writable(value, d))
    if value._array.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
        )
    return by_tensor(input, cast(value, d))

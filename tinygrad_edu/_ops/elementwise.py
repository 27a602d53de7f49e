"""Operations element by element, broadcasting where there are two operands.

Where a function has a kink or a tie the formula takes torch's choice: relu'(0) = 0, abs'(0) = 0,
half to each operand where maximum or minimum tie.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .._core.op import Array, op
from . import error_function

# ---- the machine's own: casts, copies, constants


@op(node="ToCopyBackward0")
def to(x: Array, *, dtype: Any, source: Any) -> Array:
    """Cast ``x``, whose dtype is ``source``, to ``dtype``."""
    return x.astype(dtype)


to.gradient(x=lambda g, dtype, source: to(g, dtype=source, source=dtype))


to_inside = to.inside()


@op
def discretize(x: Array, *, dtype: Any) -> Array:
    """Cast to an integer dtype or bool: through steps no gradient passes."""
    return x.astype(dtype)


discretize.name = "a cast to an integer or bool dtype"


def cast(x: Any, dtype: Any, *, inside: bool = False) -> Any:
    """Give ``x``, a Tensor, in another NumPy dtype; ``x`` itself if it has it already. ``inside``: torch makes no step of it."""
    source = x._array.dtype
    if source is dtype:
        return x
    return (
        (to_inside if inside else to)(x, dtype=dtype, source=source)
        if dtype.kind == "f"
        else discretize(x, dtype=dtype)
    )


@op(node="CloneBackward0")
def clone(x: Array) -> Array:
    """Copy, keeping the order of axes in memory."""
    return np.array(x)


clone.gradient(x=lambda g: g)
clone_inside = clone.inside()


@op(node="CloneBackward0")
def contiguous(x: Array) -> Array:
    """Copy into memory in row-major order."""
    return np.array(x, order="C")


contiguous.gradient(x=lambda g: g)


@op(node="FillBackward2")
def fill(x: Array, *, value: Any) -> Array:
    """An array like ``x`` that holds ``value`` everywhere."""
    return np.full(x.shape, value, x.dtype)


@op
def nothing(g: Array) -> Array:
    """Zeros: the gradient of what does not depend on the argument. It has no gradient itself."""
    return np.zeros_like(g)


@op(node="FillBackward3", broadcasts=True)
def fill_by(x: Array, y: Array) -> Array:
    """An array like ``x`` that holds the 0-d ``y`` everywhere."""
    return np.full(x.shape, y, x.dtype)


fill.gradient(x=lambda g: nothing(g))
fill_by.gradient(x=lambda g: nothing(g), y=lambda g: g)
filled, filled_by = fill.named("FillBackward0"), fill_by.named("FillBackward1")  # out of place
zero = fill.named("ZeroBackward0")


@op(node="NotImplemented")
def constant(x: Array, *, array: Array) -> Array:
    """``array``, written over ``x``, which is forgotten: no gradient passes."""
    return array


constant.gradient(x=lambda g: nothing(g))

# ---- arithmetic


@op(ufunc=np.add, broadcasts=True)
def add(x: Array, y: Array) -> Array:
    """Add."""
    return x + y


add.gradient(x=lambda g: g, y=lambda g: g)


@op(ufunc=np.subtract, broadcasts=True)
def sub(x: Array, y: Array) -> Array:
    """Subtract."""
    return x - y


sub.gradient(x=lambda g: g, y=lambda g: -g)


@op(node="RsubBackward1")
def rsub(x: Array, *, value: Any) -> Array:
    """Subtract from a number."""
    return value - x


rsub.gradient(x=lambda g: -g)


@op(ufunc=np.multiply, broadcasts=True)
def mul(x: Array, y: Array) -> Array:
    """Multiply."""
    return x * y


mul.gradient(x=lambda g, y: g * y, y=lambda g, x: g * x)


scale_inside = mul.inside()  # the alpha of add and sub


@op(lifts=True, ufunc=np.true_divide, broadcasts=True)
def div(x: Array, y: Array) -> Array:
    """Divide."""
    return x / y


div.gradient(x=lambda g, y: g / y, y=lambda g, x, y: -g * (x / y) / y)


@op(broadcasts=True, node="DivBackward2")
def div_floor(x: Array, y: Array) -> Array:
    """Divide and round down; a step function, so its gradient is zero."""
    out: Array = np.floor_divide(x, y)
    if out.dtype.kind == "f":  # by zero NumPy gives nan where torch gives the quotient
        chosen: Array = np.where(np.equal(y, 0), np.true_divide(x, y), out)
        return chosen.astype(out.dtype, copy=False)
    return out


div_floor.gradient(x=lambda g: nothing(g), y=lambda g: nothing(g))


@op(broadcasts=True, node="NotImplemented")
def floor_divide(x: Array, y: Array) -> Array:
    """Divide and round down (the // operator)."""
    return div_floor.forward(x, y)


def _no_derivative(g: Array) -> Array:
    raise RuntimeError(
        "derivative for aten::floor_divide is not implemented; torch.div(x, y, rounding_mode='floor') has one (zero)."
    )


floor_divide.gradient(x=_no_derivative, y=_no_derivative)


@op(broadcasts=True, node="DivBackward2")
def div_trunc(x: Array, y: Array) -> Array:
    """Divide and round towards zero; a step function, so its gradient is zero."""
    if x.dtype.kind == "f" or getattr(y, "dtype", x.dtype).kind == "f":
        return np.trunc(x / y)
    quotient: Array = np.floor_divide(x, y)
    inexact: Array = (np.remainder(x, y) != 0) & ((x < 0) != (y < 0))
    return quotient + inexact.astype(quotient.dtype)


div_trunc.gradient(x=lambda g: nothing(g), y=lambda g: nothing(g))


@op(broadcasts=True, node="RemainderBackward1")
def remainder(x: Array, y: Array) -> Array:
    """What is left of x after whole multiples of y, with the sign of y."""
    return np.remainder(x, y)


remainder.gradient(x=lambda g: g, y=lambda g, x, y: -g * div_floor(x, y))


@op(node="RemainderBackward0")
def remainder_by(x: Array, *, divisor: Any) -> Array:
    """What is left of x after whole multiples of a number, with the sign of the number."""
    return np.remainder(x, divisor)


@op(node="FmodBackward0")
def fmod_by(x: Array, *, divisor: Any) -> Array:
    """What is left of x after whole multiples of a number, with the sign of x."""
    return np.fmod(x, divisor)


remainder_by.gradient(x=lambda g: g)
fmod_by.gradient(x=lambda g: g)


@op(broadcasts=True, node="FmodBackward1")
def fmod(x: Array, y: Array) -> Array:
    """What is left of x after whole multiples of y, with the sign of x."""
    return np.fmod(x, y)


fmod.gradient(x=lambda g: g, y=lambda g, x, y: -g * div_trunc(x, y))


@op
def neg(x: Array) -> Array:
    """Negate."""
    return -x


neg.gradient(x=lambda g: -g)


@op(lifts=True)
def reciprocal(x: Array) -> Array:
    """1 / x."""
    return np.reciprocal(x) if x.dtype.kind == "f" else 1 / x


reciprocal.gradient(x=lambda g, out: -g * out * out)


@op
def abs(x: Array) -> Array:
    """The magnitude of each element."""
    if x.dtype.kind == "b":
        raise NotImplementedError("\"abs_cpu\" not implemented for 'Bool': convert first, with .int() or .float().")
    return np.abs(x)


@op
def sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for nan, as torch has it."""
    return np.array(x) if x.dtype.kind == "b" else np.subtract(x > 0, x < 0, dtype=x.dtype)


abs.gradient(x=lambda g, x: g * sign(x))
sign.gradient(x=lambda g: nothing(g))

# ---- powers, exponentials, logarithms


@op(node="PowBackward0")
def power(x: Array, *, exponent: Any) -> Array:
    """x ** exponent, for a number; small whole powers by products, which is many times faster than np.power."""
    if exponent == 2:
        return x * x
    if exponent == 3:
        return x * x * x
    if exponent == 1:
        return np.array(x)
    if x.dtype.kind == "f":
        if exponent == 0.5:
            return np.sqrt(x)
        if exponent == -1:
            return 1 / x
        if exponent == -2:
            return 1 / (x * x)
        if exponent == -0.5:
            return 1 / np.sqrt(x)
    return x**exponent


power.gradient(
    x=lambda g, x, exponent: nothing(g) if exponent == 0 else g * (exponent * power(x, exponent=exponent - 1))
)


@op(node="PowBackward1", broadcasts=True)
def pow(x: Array, y: Array) -> Array:
    """x ** y."""
    return x**y


@op(node="PowBackward2", lifts=False)
def exponential(y: Array, *, base: Any) -> Array:
    """base ** y, for a number."""
    return np.asarray(base, y.dtype) ** y


pow.gradient(
    x=lambda g, x, y: where(g * (y * x ** (y - 1)), 0, condition=plain(y) != 0),  # d(x**0)/dx = 0, even where x is 0
    y=lambda g, x, y, out: g * where(0, out * log(x), condition=(plain(x) == 0) & (plain(y) >= 0)),
)
exponential.gradient(
    y=lambda g, y, out, base: (
        (g * out * math.log(base)) if base > 0 else (nothing(g) if base == 0 else fill(g, value=math.nan))
    )
)


@op(lifts=True)
def exp(x: Array) -> Array:
    """e to the power x."""
    return np.exp(x)


exp.gradient(x=lambda g, out: g * out)


@op(lifts=True, node="Exp2Backward0")
def exp2(x: Array) -> Array:
    """2 to the power x."""
    return np.exp2(x)


exp2.gradient(x=lambda g, out: g * out * math.log(2))


@op(lifts=True, node="Expm1Backward0")
def expm1(x: Array) -> Array:
    """exp(x) - 1, exact near 0."""
    return np.expm1(x)


expm1.gradient(x=lambda g, out: g * (out + 1))


@op(lifts=True)
def log(x: Array) -> Array:
    """The natural logarithm."""
    return np.log(x)


log.gradient(x=lambda g, x: g / x)


@op(lifts=True, node="Log2Backward0")
def log2(x: Array) -> Array:
    """The logarithm to base 2."""
    return np.log2(x, dtype=np.float64).astype(x.dtype)  # as log10


log2.gradient(x=lambda g, x: g / (x * math.log(2)))


@op(lifts=True, node="Log10Backward0")
def log10(x: Array) -> Array:
    """The logarithm to base 10."""
    return np.log10(x, dtype=np.float64).astype(x.dtype)  # NumPy's float32 kernel gives log10(100) = 2.0000002


log10.gradient(x=lambda g, x: g / (x * math.log(10)))


@op(lifts=True, node="Log1PBackward0")
def log1p(x: Array) -> Array:
    """log(1 + x), exact near 0."""
    return np.log1p(x)


log1p.gradient(x=lambda g, x: g / (x + 1))


@op(lifts=True)
def sqrt(x: Array) -> Array:
    """The square root."""
    return np.sqrt(x)


sqrt.gradient(x=lambda g, out: g / (2 * out))


@op(lifts=True)
def rsqrt(x: Array) -> Array:
    """1 / sqrt(x)."""
    return 1 / np.sqrt(x)


rsqrt.gradient(x=lambda g, out: -0.5 * g * (out * out * out))


@op(broadcasts=True)
def logaddexp(x: Array, y: Array) -> Array:
    """log(exp(x) + exp(y)), without overflow."""
    return np.logaddexp(x, y)


logaddexp.gradient(x=lambda g, x, y: g * sigmoid(x - y), y=lambda g, x, y: g * sigmoid(y - x))


@op(broadcasts=True, node="Logaddexp2Backward0")
def logaddexp2(x: Array, y: Array) -> Array:
    """log2(2**x + 2**y), without overflow."""
    return np.logaddexp2(x, y)


logaddexp2.gradient(x=lambda g, x, y: g / (1.0 + exp2(y - x)), y=lambda g, x, y: g / (1.0 + exp2(x - y)))


@op(broadcasts=True, lifts=True)
def xlogy(x: Array, y: Array) -> Array:
    """x * log(y), and 0 where x is 0."""
    return np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)).astype(np.result_type(x, y), copy=False)


xlogy.gradient(
    x=lambda g, x, y: where(0, g * log(y), condition=(plain(x) == 0) & (plain(y) <= 0)),
    y=lambda g, x, y: g * x / y,
)


@op(broadcasts=True)
def hypot(x: Array, y: Array) -> Array:
    """sqrt(x**2 + y**2)."""
    return np.hypot(x, y)


hypot.gradient(x=lambda g, x, out: g * (x / out), y=lambda g, y, out: g * (y / out))

# ---- trigonometry


@op(lifts=True)
def sin(x: Array) -> Array:
    """The sine."""
    return np.sin(x)


@op(lifts=True)
def cos(x: Array) -> Array:
    """The cosine."""
    return np.cos(x)


sin.gradient(x=lambda g, x: g * cos(x))
cos.gradient(x=lambda g, x: -g * sin(x))


@op(lifts=True)
def tan(x: Array) -> Array:
    """The tangent."""
    return np.tan(x)


tan.gradient(x=lambda g, out: g * (1 + out * out))


@op(lifts=True)
def asin(x: Array) -> Array:
    """The angle whose sine is x."""
    return np.arcsin(x)


asin.gradient(x=lambda g, x: g * rsqrt(1 - x * x))


@op(lifts=True)
def acos(x: Array) -> Array:
    """The angle whose cosine is x."""
    return np.arccos(x)


acos.gradient(x=lambda g, x: -g * rsqrt(1 - x * x))


@op(lifts=True)
def atan(x: Array) -> Array:
    """The angle whose tangent is x."""
    return np.arctan(x)


atan.gradient(x=lambda g, x: g / (x * x + 1))


@op(lifts=True, broadcasts=True, node="Atan2Backward0")
def atan2(x: Array, y: Array) -> Array:
    """The angle of the point (y, x); its gradient at the origin is 0, as torch has it."""
    return np.arctan2(x, y)


atan2.gradient(
    x=lambda g, x, y: g * where(y / (x * x + y * y), 0, condition=_off_origin(x, y)),
    y=lambda g, x, y: g * where(-x / (x * x + y * y), 0, condition=_off_origin(x, y)),
)


@op(lifts=True)
def sinh(x: Array) -> Array:
    """The hyperbolic sine."""
    return np.sinh(x)


@op(lifts=True)
def cosh(x: Array) -> Array:
    """The hyperbolic cosine."""
    return np.cosh(x)


sinh.gradient(x=lambda g, x: g * cosh(x))
cosh.gradient(x=lambda g, x: g * sinh(x))


@op(lifts=True)
def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    if x.dtype == np.float32 and x.size >= 256 and (x.max() > 9.01 or x.min() < -9.01):
        # NumPy's fast kernel gives 0.99999994 between 9.011 and 10, where tanh rounds to 1: move such x beyond 10.
        # A smaller array is not worth the search: there the last digit stays NumPy's.
        return np.tanh(x + (x > 9.0109) - (x < -9.0109))
    return np.tanh(x)


tanh.gradient(x=lambda g, out: g - g * out * out)


@op(lifts=True)
def asinh(x: Array) -> Array:
    """The inverse of sinh."""
    return np.arcsinh(x)


asinh.gradient(x=lambda g, x: g * rsqrt(x * x + 1))


@op(lifts=True)
def acosh(x: Array) -> Array:
    """The inverse of cosh."""
    return np.arccosh(x)


acosh.gradient(x=lambda g, x: g * rsqrt(x * x - 1))


@op(lifts=True)
def atanh(x: Array) -> Array:
    """The inverse of tanh."""
    return np.arctanh(x)


atanh.gradient(x=lambda g, x: g / (1 - x * x))


@op(lifts=True, node="Deg2RadBackward0")
def deg2rad(x: Array) -> Array:
    """Degrees to radians."""
    return x * (math.pi / 180)


@op(lifts=True, node="Rad2DegBackward0")
def rad2deg(x: Array) -> Array:
    """Radians to degrees."""
    return x * (180 / math.pi)


deg2rad.gradient(x=lambda g: g * (math.pi / 180))
rad2deg.gradient(x=lambda g: g * (180 / math.pi))


@op(lifts=True)
def sinc(x: Array) -> Array:
    """sin(pi x) / (pi x), and 1 at 0."""
    return np.sinc(x).astype(x.dtype, copy=False)


sinc.gradient(
    x=lambda g, x: where(
        g * ((cos(math.pi * x) * math.pi * x - sin(math.pi * x)) / (math.pi * x * x)), 0, condition=plain(x) != 0
    )
)

# ---- activations that every family uses


@op(lifts=True)
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); where exp(-x) is infinite this is 0, as it should be."""
    out = np.exp(-x)
    out += 1
    return np.reciprocal(out, out=out) if hasattr(out, "__setitem__") else 1 / out


sigmoid.gradient(x=lambda g, out: g * out * (1 - out))


@op
def relu(x: Array) -> Array:
    """x where positive, else 0."""
    if x.dtype.kind == "b":
        raise TypeError("boolean inputs")
    return np.maximum(x, _zeros(x.shape, x.dtype))  # against an array: several times faster than against a number


@functools.lru_cache(maxsize=32)
def _zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros of a shape, read-only; a large array is one row, expanded, so that the cache stays small."""
    if math.prod(shape) > 1 << 16:
        return np.broadcast_to(np.zeros(shape[-1:], dtype), shape)
    zeros = np.zeros(shape, dtype)
    zeros.setflags(write=False)
    return zeros


@op
def positive(x: Array) -> Array:
    """1 where x > 0, else 0, as numbers: a product with these takes three quarters of the time of one with truth values."""
    return (x > 0).astype(x.dtype)


relu.gradient(x=lambda g, out: g * positive(out))


@op(lifts=True)
def erf(x: Array) -> Array:
    """The error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return error_function.erf(x)


@op(lifts=True)
def erfc(x: Array) -> Array:
    """1 - erf(x), exact in the tail."""
    return error_function.erfc(x)


erf.gradient(x=lambda g, x: g * (error_function.TWO_OVER_ROOT_PI * exp(-(x * x))))
erfc.gradient(x=lambda g, x: -g * (error_function.TWO_OVER_ROOT_PI * exp(-(x * x))))


# ---- rounding: steps, whose gradient is zero


@op
def floor(x: Array) -> Array:
    """Round down."""
    return np.floor(x) if x.dtype.kind == "f" else np.array(x)


@op
def ceil(x: Array) -> Array:
    """Round up."""
    return np.ceil(x) if x.dtype.kind == "f" else np.array(x)


@op
def trunc(x: Array) -> Array:
    """Round towards zero."""
    return np.trunc(x) if x.dtype.kind == "f" else np.array(x)


@op
def frac(x: Array) -> Array:
    """x - trunc(x)."""
    return x - np.trunc(x)


@op(node="RoundBackward0")
def round(x: Array) -> Array:
    """Round to the nearest integer, halves to even."""
    return np.rint(x) if x.dtype.kind == "f" else np.array(x)


@op(node="RoundBackward1")
def round_decimals(x: Array, *, decimals: int) -> Array:
    """Round to a number of decimals, scaling by a power of ten as torch does."""
    if x.dtype.kind != "f":
        return np.array(x)
    scale = np.asarray(10.0 ** builtins_abs(decimals), x.dtype)
    return np.rint(x * scale) / scale if decimals >= 0 else np.rint(x / scale) * scale


def builtins_abs(n: int) -> int:
    """The magnitude of a Python int; ``abs`` is an op here."""
    return n if n >= 0 else -n


for _step in (floor, ceil, trunc, round, round_decimals):
    _step.gradient(x=lambda g: nothing(g))
frac.gradient(x=lambda g: g)

# ---- choosing


@op(broadcasts=True)
def where(x: Array, y: Array, *, condition: Array) -> Array:
    """x where ``condition`` holds, else y."""
    return np.where(condition, x, y)


where.gradient(
    x=lambda g, condition: where(g, 0, condition=condition), y=lambda g, condition: where(0, g, condition=condition)
)


@op(broadcasts=True)
def maximum(x: Array, y: Array) -> Array:
    """The larger of two."""
    return np.maximum(x, y)


@op(broadcasts=True)
def minimum(x: Array, y: Array) -> Array:
    """The smaller of two."""
    return np.minimum(x, y)


maximum.gradient(x=lambda g, x, y: g * ahead(x, y), y=lambda g, x, y: g * ahead(y, x))
minimum.gradient(x=lambda g, x, y: g * ahead(y, x), y=lambda g, x, y: g * ahead(x, y))


@op(broadcasts=True)
def fmax(x: Array, y: Array) -> Array:
    """The larger of two, ignoring nan."""
    return np.fmax(x, y)


@op(broadcasts=True)
def fmin(x: Array, y: Array) -> Array:
    """The smaller of two, ignoring nan."""
    return np.fmin(x, y)


fmax.gradient(
    x=lambda g, x, y: where(g, 0, condition=(plain(x) >= plain(y)) | is_nan(y)),
    y=lambda g, x, y: where(0, g, condition=(plain(x) >= plain(y)) | is_nan(y)),
)
fmin.gradient(
    x=lambda g, x, y: where(g, 0, condition=(plain(x) <= plain(y)) | is_nan(y)),
    y=lambda g, x, y: where(0, g, condition=(plain(x) <= plain(y)) | is_nan(y)),
)


@op
def ahead(x: Array, y: Array) -> Array:
    """1 where x > y, 1/2 where they tie, else 0: whose gradient it is."""
    out = np.asarray(x > y, x.dtype if hasattr(x, "dtype") else y.dtype)
    return out + np.asarray(x == y, out.dtype) * np.asarray(0.5, out.dtype)


@op(node="ClampBackward1")
def clamp(x: Array, *, low: Any = None, high: Any = None) -> Array:
    """x, moved into [low, high]; the bounds are numbers."""
    return np.clip(x, low, high)


@op
def between(x: Array, *, low: Any, high: Any) -> Array:
    """True where x lies in [low, high]."""
    inside = np.ones(x.shape, bool) if low is None else x >= low
    return inside if high is None else inside & (x <= high)


clamp.gradient(x=lambda g, x, low, high: where(g, 0, condition=plain(between(x, low=low, high=high))))
clamp_min = clamp.named("ClampMinBackward0")
clamp_max = clamp.named("ClampMaxBackward0")


@op(broadcasts=True, node="ClampBackward0")
def clamp_between(x: Array, low: Array, high: Array) -> Array:
    """x, moved into [low, high]; where the bounds cross, high wins."""
    return np.minimum(np.maximum(x, low), high)


clamp_between.gradient(
    x=lambda g, x, low, high: where(g, 0, condition=(plain(x) >= plain(low)) & (plain(x) <= plain(high))),
    low=lambda g, x, low, high: where(g, 0, condition=(plain(x) < plain(low)) & (plain(low) < plain(high))),
    high=lambda g, x, low, high: where(g, 0, condition=(plain(x) > plain(high)) | (plain(high) < plain(low))),
)


@op(broadcasts=True, node="ClampBackward0")
def clamp_low(x: Array, y: Array) -> Array:
    """x, but at least y; a tie belongs to x."""
    return np.maximum(x, y)


@op(broadcasts=True, node="ClampBackward0")
def clamp_high(x: Array, y: Array) -> Array:
    """x, but at most y; a tie belongs to x."""
    return np.minimum(x, y)


clamp_low.gradient(
    x=lambda g, x, y: where(g, 0, condition=plain(x) >= plain(y)),
    y=lambda g, x, y: where(0, g, condition=plain(x) >= plain(y)),
)
clamp_high.gradient(
    x=lambda g, x, y: where(g, 0, condition=plain(x) <= plain(y)),
    y=lambda g, x, y: where(0, g, condition=plain(x) <= plain(y)),
)


@op
def nan_to_num(x: Array, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Array:
    """Replace nan and the infinities by numbers."""
    return np.asarray(np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), x.dtype)


nan_to_num.gradient(x=lambda g, x: where(g, 0, condition=plain(isfinite(x))))


@op(broadcasts=True)
def copysign(x: Array, y: Array) -> Array:
    """The magnitude of x with the sign of y."""
    return np.copysign(x, y)


copysign.gradient(x=lambda g, x, out: g * (sign(x) * sign(out)), y=lambda g: nothing(g))

# ---- three operands


@op(broadcasts=True)
def lerp(x: Array, y: Array, *, weight: Any) -> Array:
    """x + weight * (y - x), for a number."""
    return x + weight * (y - x) if weight < 0.5 else y - (y - x) * (1 - weight)


lerp.gradient(x=lambda g, weight: g * (1 - weight), y=lambda g, weight: g * weight)


@op(broadcasts=True, node="LerpBackward1")
def lerp_by(x: Array, y: Array, weight: Array) -> Array:
    """x + weight * (y - x)."""
    return np.where(np.abs(weight) < 0.5, x + weight * (y - x), y - (y - x) * (1 - weight))


lerp_by.gradient(
    x=lambda g, weight: g * (1 - weight), y=lambda g, weight: g * weight, weight=lambda g, x, y: g * (y - x)
)


@op(broadcasts=True)
def addcmul(x: Array, y: Array, z: Array, *, value: Any = 1) -> Array:
    """x + value * y * z."""
    return x + value * y * z


addcmul.gradient(x=lambda g: g, y=lambda g, z, value: g * (z * value), z=lambda g, y, value: g * (y * value))


@op(broadcasts=True)
def addcdiv(x: Array, y: Array, z: Array, *, value: Any = 1) -> Array:
    """x + value * y / z."""
    return x + value * (y / z)


addcdiv.gradient(
    x=lambda g: g, y=lambda g, z, value: g * (value / z), z=lambda g, y, z, value: -g * (value * y / (z * z))
)

# ---- questions: their answers have no gradient


@op
def eq(x: Array, y: Array) -> Array:
    """Equal?"""
    return np.equal(x, y)


@op
def ne(x: Array, y: Array) -> Array:
    """Different?"""
    return np.not_equal(x, y)


@op
def lt(x: Array, y: Array) -> Array:
    """Less?"""
    return np.less(x, y)


@op
def le(x: Array, y: Array) -> Array:
    """Less or equal?"""
    return np.less_equal(x, y)


@op
def gt(x: Array, y: Array) -> Array:
    """Greater?"""
    return np.greater(x, y)


@op
def ge(x: Array, y: Array) -> Array:
    """Greater or equal?"""
    return np.greater_equal(x, y)


@op
def logical_and(x: Array, y: Array) -> Array:
    """Both not zero?"""
    return np.logical_and(x, y)


@op
def logical_or(x: Array, y: Array) -> Array:
    """One not zero?"""
    return np.logical_or(x, y)


@op
def logical_xor(x: Array, y: Array) -> Array:
    """Exactly one not zero?"""
    return np.logical_xor(x, y)


@op
def logical_not(x: Array) -> Array:
    """Zero?"""
    return np.logical_not(x)


@op
def bitwise_and(x: Array, y: Array) -> Array:
    """And, bit by bit."""
    return np.bitwise_and(x, y)


@op
def bitwise_or(x: Array, y: Array) -> Array:
    """Or, bit by bit."""
    return np.bitwise_or(x, y)


@op
def bitwise_xor(x: Array, y: Array) -> Array:
    """Exclusive or, bit by bit."""
    return np.bitwise_xor(x, y)


@op
def bitwise_not(x: Array) -> Array:
    """Every bit turned."""
    return np.bitwise_not(x)


@op
def bitwise_left_shift(x: Array, y: Array) -> Array:
    """x * 2**y, for integers."""
    return np.left_shift(x, y)


@op
def bitwise_right_shift(x: Array, y: Array) -> Array:
    """x // 2**y, for integers."""
    return np.right_shift(x, y)


@op
def isnan(x: Array) -> Array:
    """Not a number?"""
    return np.isnan(x)


@op
def isinf(x: Array) -> Array:
    """Infinite?"""
    return np.isinf(x)


@op
def isfinite(x: Array) -> Array:
    """Neither infinite nor nan?"""
    return np.isfinite(x)


@op
def isclose(x: Array, y: Array, *, rtol: float, atol: float, equal_nan: bool, whole: Any) -> Array:
    """Equal, or nearer than atol + |rtol * y|? Whole numbers are measured in the dtype ``whole``, torch's default."""
    near = x == y
    if equal_nan:
        near = near | ((x != x) & (y != y))
    if rtol == 0 and atol == 0:
        return near  # exact also where two whole numbers are one floating number
    target = y if y.dtype.kind == "f" else y.astype(whole)
    wide = np.float32 if target.dtype == np.float16 else target.dtype.type  # as torch multiplies float16 by a number
    allowed = target.dtype.type(atol) + np.abs((wide(rtol) * target).astype(target.dtype))
    error = np.abs((x.astype(whole) if x.dtype == bool else x) - target)
    return near | (np.isfinite(error) & (error <= allowed))


@op
def signbit(x: Array) -> Array:
    """Negative, -0.0 included?"""
    return np.signbit(x)


@op
def heaviside(x: Array, y: Array) -> Array:
    """0 below zero, 1 above, y at zero."""
    out: Array = np.nan_to_num(np.heaviside(x, np.zeros_like(x))) + np.where(x == 0, y, np.zeros_like(y))
    return out.astype(np.result_type(x, y), copy=False)


# ---- what formulas ask of values that need no gradient of their own


def plain(x: Any) -> Array:
    """The array behind ``x``: for conditions, through which no gradient passes."""
    return getattr(x, "_array", x)


def is_nan(x: Any) -> Array:
    """Where ``x`` is nan, as a plain array."""
    return isnan.forward(plain(x))


def _off_origin(x: Any, y: Any) -> Array:
    return (plain(x) != 0) | (plain(y) != 0)

"""NumPy functions called on Tensors record the graph.

``np.exp(t)`` and ``np.dot(w, a)`` arrive here through NumPy's own protocols (``__array_ufunc__``, ``__array_function__``). A
function with a counterpart among torch's functions is answered by it; another gets arrays and gives arrays when no
gradient is wanted, and is refused when one is, with the nearest operation named.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _functions as F
from ._creation import ones_like, zeros_like
from ._tensor import Tensor


def _operand(x: Any) -> Any:
    """Arrays as tensors; numbers and tensors as they are."""
    if isinstance(x, np.ndarray):
        return Tensor._of(x)
    return x.item() if isinstance(x, np.generic) else x


def _dim(axis: Any) -> Any:
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's axis and keepdims in torch's words."""

    def reduce(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **rest: Any
    ) -> Any:
        _nothing_else(function.__name__, out, {k: v for k, v in rest.items() if v is not np._NoValue})
        kept = keepdims is True
        result = function(a, _dim(axis), kept) if axis is not None or kept else function(a)
        return result if dtype is None else result.to(dtype)

    return reduce


def _nothing_else(name: str, out: Any, rest: dict[str, Any]) -> None:
    if out is not None or rest:
        raise TypeError(
            f"np.{name} on a Tensor takes no {'out' if out is not None else ', '.join(rest)}; use the method of Tensor"
        )


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    """np.dot: a product of matrices, of a number, or over the last axis of a and the second last of b."""
    _nothing_else("dot", out, {})
    x, y = F_operand(a), F_operand(b)
    if not x.ndim or not y.ndim:
        return x * y
    if y.ndim <= 2:
        return F.matmul(x, y)
    return F.tensordot(x, y, ([x.ndim - 1], [y.ndim - 2]))


def F_operand(x: Any) -> Tensor:
    """A tensor of whatever NumPy would take as an array."""
    found = _operand(x)
    made: Tensor = found if isinstance(found, Tensor) else Tensor._of(np.asarray(found))
    return made


def _std(function: Callable[..., Any]) -> Callable[..., Any]:
    def deviation(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: Any = False,
        **rest: Any,
    ) -> Any:
        _nothing_else(function.__name__, out, {k: v for k, v in rest.items() if v is not np._NoValue})
        return function(a, _dim(axis), correction=ddof, keepdim=keepdims is True)

    return deviation


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def find(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        _nothing_else(function.__name__, out, {})
        return function(a, axis, keepdims is True)

    return find


def _transpose(a: Any, axes: Any = None) -> Any:
    return F.permute(a, tuple(range(a.ndim))[::-1] if axes is None else tuple(axes))


def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **rest: Any) -> Any:
    _nothing_else("clip", out, rest)
    return F.clamp(a, _operand(a_min), _operand(a_max))


def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    return F.where(F_operand(condition), _operand(x), _operand(y))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    return F.norm(x, 2 if ord is None else ord, axis, keepdims)


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    def join(arrays: Any, axis: int = 0, out: Any = None, **rest: Any) -> Any:
        _nothing_else(function.__name__, out, rest)
        return function([F_operand(a) for a in arrays], axis)

    return join


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: F.add, np.subtract: lambda x, y: x - y, np.multiply: lambda x, y: x * y, np.true_divide: lambda x, y: x / y,
    np.floor_divide: F.floor_divide, np.remainder: F.remainder, np.fmod: F.fmod, np.power: F.pow, np.float_power: F.float_power,
    np.negative: F.neg, np.positive: F.positive, np.absolute: F.abs, np.fabs: F.abs, np.sign: F.sign, np.matmul: F.matmul,
    np.exp: F.exp, np.exp2: F.exp2, np.expm1: F.expm1, np.log: F.log, np.log2: F.log2, np.log10: F.log10, np.log1p: F.log1p,
    np.sqrt: F.sqrt, np.square: F.square, np.reciprocal: F.reciprocal, np.logaddexp: F.logaddexp, np.logaddexp2: F.logaddexp2,
    np.sin: F.sin, np.cos: F.cos, np.tan: F.tan, np.arcsin: F.asin, np.arccos: F.acos, np.arctan: F.atan, np.arctan2: F.atan2,
    np.sinh: F.sinh, np.cosh: F.cosh, np.tanh: F.tanh, np.arcsinh: F.asinh, np.arccosh: F.acosh, np.arctanh: F.atanh, np.hypot: F.hypot,
    np.maximum: lambda x, y: F.maximum(*_both(x, y)), np.minimum: lambda x, y: F.minimum(*_both(x, y)),
    np.fmax: lambda x, y: F.fmax(*_both(x, y)), np.fmin: lambda x, y: F.fmin(*_both(x, y)),
    np.floor: F.floor, np.ceil: F.ceil, np.trunc: F.trunc, np.rint: F.round, np.deg2rad: F.deg2rad, np.rad2deg: F.rad2deg,
    np.equal: lambda x, y: x == y, np.not_equal: lambda x, y: x != y, np.less: lambda x, y: x < y, np.less_equal: lambda x, y: x <= y,
    np.greater: lambda x, y: x > y, np.greater_equal: lambda x, y: x >= y,
    np.logical_and: F.logical_and, np.logical_or: F.logical_or, np.logical_xor: F.logical_xor, np.logical_not: F.logical_not,
    np.isnan: F.isnan, np.isinf: F.isinf, np.isfinite: F.isfinite, np.heaviside: F.heaviside, np.copysign: F.copysign,
}  # fmt: skip  # a table reads better in rows

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.dot: _dot, np.sum: _reduction(F.sum), np.mean: _reduction(F.mean), np.prod: _reduction(F.prod),
    np.max: _reduction(F.amax), np.min: _reduction(F.amin), np.all: _reduction(F.all), np.any: _reduction(F.any),
    np.std: _std(F.std), np.var: _std(F.var), np.argmax: _arg(F.argmax), np.argmin: _arg(F.argmin),
    np.reshape: lambda a, shape, **rest: F.reshape(a, shape), np.transpose: _transpose, np.ravel: lambda a, **rest: F.ravel(a),
    np.squeeze: lambda a, axis=None: F.squeeze(a, axis), np.expand_dims: lambda a, axis: F.unsqueeze(a, axis),
    np.broadcast_to: lambda array, shape, subok=False: F.broadcast_to(array, shape),
    np.swapaxes: lambda a, axis1, axis2: F.transpose(a, axis1, axis2), np.moveaxis: lambda a, source, destination: F.movedim(a, source, destination),
    np.concatenate: _joined(F.cat), np.stack: _joined(F.stack), np.hstack: lambda tup, **rest: F.hstack([F_operand(a) for a in tup]),
    np.vstack: lambda tup, **rest: F.vstack([F_operand(a) for a in tup]),
    np.where: _where, np.clip: _clip, np.outer: lambda a, b, out=None: F.outer(F_operand(a).reshape(-1), F_operand(b).reshape(-1)),
    np.inner: lambda a, b: F.inner(F_operand(a), F_operand(b)), np.einsum: lambda subscripts, *operands, **rest: F.einsum(subscripts, *[F_operand(o) for o in operands]),
    np.tensordot: lambda a, b, axes=2: F.tensordot(F_operand(a), F_operand(b), axes), np.trace: lambda a, **rest: F.trace(a),
    np.diag: lambda v, k=0: F.diag(v, k), np.tril: lambda m, k=0: F.tril(m, k), np.triu: lambda m, k=0: F.triu(m, k),
    np.cumsum: lambda a, axis=None, dtype=None, out=None: F.cumsum(F.ravel(a) if axis is None else a, axis or 0),
    np.flip: lambda m, axis=None: F.flip(m, tuple(range(m.ndim)) if axis is None else axis), np.roll: lambda a, shift, axis=None: F.roll(a, shift, axis),
    np.tile: lambda A, reps: F.tile(A, reps), np.zeros_like: lambda a, dtype=None, **rest: zeros_like(a, dtype=dtype),
    np.ones_like: lambda a, dtype=None, **rest: ones_like(a, dtype=dtype), np.copy: lambda a, **rest: F.clone(a),
    np.round: lambda a, decimals=0, out=None: F.round(a, decimals=decimals), np.linalg.norm: _norm,
    np.linalg.inv: lambda a: F.inverse(a), np.linalg.det: lambda a: F.det(a),
    np.shape: lambda a: tuple(a.shape), np.ndim: lambda a: a.ndim, np.size: lambda a, axis=None: a.numel() if axis is None else a.shape[axis],
}  # fmt: skip  # a table reads better in rows


def _both(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Two operands as tensors of one dtype: a Python number does not widen."""
    from ._functions._common import promoted

    x, y = promoted(_operand(x), _operand(y))
    return x, y


def _wants_gradient(values: Any) -> bool:
    if isinstance(values, Tensor):
        return values.requires_grad
    if isinstance(values, list | tuple):
        return any([_wants_gradient(v) for v in values])
    return False


def _arrays(values: Any) -> Any:
    if isinstance(values, Tensor):
        return values._writable()
    if isinstance(values, list | tuple):
        return type(values)([_arrays(v) for v in values])
    return values


def _refuse(name: str) -> TypeError:
    near = difflib.get_close_matches(name, F.__all__, 1)
    hint = f"the nearest operation here is torch.{near[0]}" if near else "write it with operations of torch"
    return TypeError(
        f"np.{name} has no counterpart that records a gradient, and an argument requires grad: {hint}; or call np.{name} on x.detach()."
    )


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """Answer ``np.exp(t)`` and its kin."""
    out = settings.get("out")
    if out is not None and len(out) == 1 and isinstance(out[0], np.ndarray) and not _wants_gradient(list(inputs)):
        return getattr(ufunc, method)(*[_arrays(x) for x in inputs], **settings)  # array += tensor
    if method == "__call__" and ufunc in UFUNCS and not {k for k, v in settings.items() if v is not None}:
        return UFUNCS[ufunc](*_lead_with_tensor(ufunc, inputs))
    if _wants_gradient(list(inputs)):
        raise _refuse(ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}")
    return getattr(ufunc, method)(*[_arrays(x) for x in inputs], **settings)


def _lead_with_tensor(ufunc: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """The operands, with arrays wrapped: torch's functions want tensors first."""
    if ufunc.nin == 1:
        return list(inputs)
    return [_operand(x) for x in inputs]


def array_function(self: Tensor, function: Any, types: Any, args: Any, settings: Any) -> Any:
    """Answer ``np.dot(w, a)`` and its kin."""
    if function in FUNCTIONS:
        return FUNCTIONS[function](*args, **settings)
    if _wants_gradient(list(args)) or _wants_gradient(list(settings.values())):
        if _plotting():
            return function(*_detached(args), **settings)
        raise _refuse(function.__name__)
    return function(*_arrays(args), **{k: _arrays(v) for k, v in settings.items()})


def _plotting() -> bool:
    """Is matplotlib asking?"""
    import sys

    frame = sys._getframe(2)
    for _ in range(4):
        if frame.f_globals.get("__name__", "").startswith("matplotlib"):
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def _detached(values: Any) -> Any:
    if isinstance(values, Tensor):
        return values.detach()._writable()
    if isinstance(values, list | tuple):
        return type(values)([_detached(v) for v in values])
    return values


# Given to Tensor from this floor, which knows both sides.
Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]  # NumPy looks it up on the class
Tensor.__array_function__ = array_function  # type: ignore[attr-defined]  # as above

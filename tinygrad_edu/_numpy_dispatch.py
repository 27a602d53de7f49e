"""NumPy functions called on Tensors record the graph.

``np.exp(t)`` and ``np.dot(w, a)`` arrive here through NumPy's own protocols (``__array_ufunc__``, ``__array_function__``). A
function with a counterpart among torch's functions is answered by it; another gets arrays and gives arrays when no
gradient is wanted, and is refused when one is, with the nearest operation named.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _dtype, _errors
from . import _functions as F
from ._creation import ones_like, zeros_like
from ._functions._common import as_tensor_operand, dimensions, promoted
from ._tensor import Tensor


class _SettingError(TypeError):
    """A setting of NumPy's that torch's function does not have."""


def _operand(x: Any) -> Any:
    """Arrays as tensors; numbers and tensors as they are."""
    if isinstance(x, np.ndarray):
        return as_tensor_operand(x)
    return x.item() if isinstance(x, np.generic) else x


def _tensor(x: Any) -> Tensor:
    """A tensor of whatever NumPy would take as an array."""
    found = _operand(x)
    return found if isinstance(found, Tensor) else as_tensor_operand(np.asarray(found))


def _both(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Two operands as tensors of one dtype: a Python number does not widen."""
    x, y = promoted(*[_tensor(v) if isinstance(v, list | tuple) else _operand(v) for v in (x, y)])
    return x, y


def _pair(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two tensors, one of which may be a number here."""
    return lambda x, y: function(*_both(x, y))


def _dim(axis: Any) -> Any:
    return axis if axis is None else tuple(axis) if isinstance(axis, list | tuple) else operator.index(axis)


def _axes(axis: Any, ndim: int) -> list[int]:
    """The dimensions meant by ``axis``, counted from the front, last one first."""
    return sorted(dimensions(range(ndim) if axis is None else _dim(axis), ndim), reverse=True)


def _nothing_else(name: str, rest: dict[str, Any]) -> None:
    """Refuse settings that were given and have no counterpart."""
    given = [k for k, v in rest.items() if v is not None and v is not np._NoValue]
    if given:
        raise _SettingError(f"np.{name} of a Tensor takes no {', '.join(given)}: use the methods of Tensor")


def _floating(a: Any) -> Tensor:
    """NumPy averages whole numbers as floating ones."""
    x = _tensor(a)
    return x if x.is_floating_point() else x.to(_dtype.default.dtype)


def _as_type(x: Any, dtype: Any) -> Any:
    return x if dtype is None else x.to(_dtype.as_dtype(dtype))


def _reduction(function: Callable[..., Any], prepare: Callable[[Any], Tensor] = _tensor) -> Callable[..., Any]:
    """NumPy's axis, dtype and keepdims in torch's words."""

    def reduce(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
        _nothing_else(function.__name__, {"out": out, **rest})
        x = _as_type(prepare(a), dtype)
        kept = keepdims is True
        return function(x, _dim(axis), kept) if axis is not None or kept else function(x)

    return reduce


def _prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **rest: Any) -> Any:
    _nothing_else("prod", {"out": out, **rest})
    x = _as_type(_tensor(a), dtype)
    if axis is None and keepdims is not True:
        return F.prod(x)
    for d in _axes(axis, x.ndim):
        x = F.prod(x, d, keepdims is True)
    return x


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    """np.dot: a product of matrices, of a number, or over the last axis of a and the second last of b."""
    _nothing_else("dot", {"out": out})
    x, y = _both(a, b)
    if not x.ndim or not y.ndim:
        return x * y
    if y.ndim <= 2:
        return F.matmul(x, y)
    return F.tensordot(x, y, ([x.ndim - 1], [y.ndim - 2]))


def _inner(a: Any, b: Any) -> Any:
    return F.inner(*_both(a, b))


def _outer(a: Any, b: Any, out: Any = None) -> Any:
    _nothing_else("outer", {"out": out})
    return F.outer(_tensor(a).reshape(-1), _tensor(b).reshape(-1))


def _einsum(subscripts: Any, *operands: Any, optimize: Any = None, **rest: Any) -> Any:
    if not isinstance(subscripts, str):
        raise _SettingError("np.einsum of Tensors wants its subscripts as text: np.einsum('ij,j->i', w, x)")
    _nothing_else("einsum", rest)
    return F.einsum(subscripts, *[_tensor(o) for o in operands])


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
        ddof = rest.pop("correction", ddof)
        _nothing_else(function.__name__, {"out": out, **rest})
        return function(_as_type(_floating(a), dtype), _dim(axis), correction=ddof, keepdim=keepdims is True)

    return deviation


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def find(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        _nothing_else(function.__name__, {"out": out})
        return function(a, axis, keepdims is True)

    return find


def _reversed(a: Any) -> Any:
    return F.permute(a, tuple(range(a.ndim))[::-1])


def _transpose(a: Any, axes: Any = None) -> Any:
    return _reversed(a) if axes is None else F.permute(a, tuple(axes))


def _reshape(a: Any, shape: Any, order: str = "C", **rest: Any) -> Any:
    _nothing_else("reshape", rest)
    shape = (shape,) if hasattr(shape, "__index__") else tuple(shape)
    if order == "F":  # the first index runs fastest: row by row, seen in the mirror
        return _reversed(F.reshape(_reversed(a), shape[::-1]))
    if order != "C":
        raise _SettingError(f"np.reshape of a Tensor takes order 'C' or 'F', not {order!r}")
    return F.reshape(a, shape)


def _ravel(a: Any, order: str = "C") -> Any:
    return _reshape(a, -1, order)


def _squeeze(a: Any, axis: Any = None) -> Any:
    if axis is not None and any([a.shape[d] != 1 for d in _axes(axis, a.ndim)]):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return F.squeeze(a) if axis is None else F.squeeze(a, _dim(axis))


def _expand_dims(a: Any, axis: Any) -> Any:
    places = axis if isinstance(axis, list | tuple) else (axis,)
    for d in reversed(_axes(axis, a.ndim + len(places))):
        a = F.unsqueeze(a, d)
    return a


def _broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    return F.broadcast_to(array, (shape,) if hasattr(shape, "__index__") else tuple(shape))


def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **rest: Any) -> Any:
    least, most = rest.pop("min", a_min), rest.pop("max", a_max)
    _nothing_else("clip", {"out": out, **rest})
    least, most = [None if v is None or v is np._NoValue else _operand(v) for v in (least, most)]
    if isinstance(least, Tensor) or isinstance(most, Tensor):  # torch wants both bounds as tensors, or none
        x = _tensor(a)
        for bound, keep in ((least, F.maximum), (most, F.minimum)):
            x = x if bound is None else keep(*_both(x, bound))
        return x
    return F.clamp(_tensor(a), least, most)


def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    mask = _tensor(condition).bool()
    if x is None and y is None:
        return F.where(mask)
    return F.where(mask, _operand(x), _operand(y))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm: of a vector by default; of a matrix where an order is given for two axes."""
    x = _floating(x)
    axes = [] if axis is None and ord is None else _axes(axis, x.ndim)
    if len(axes) < 2 or ord == "fro":
        return F.norm(x, 2 if ord in (None, "fro") else ord, _dim(axis), keepdims)
    if len(axes) > 2:
        raise ValueError("Improper number of dimensions to norm.")
    if ord not in (1, -1, np.inf, -np.inf):
        raise _SettingError(f"np.linalg.norm of a matrix has no counterpart here for ord={ord!r}")
    rows, columns = _dim(axis) or (0, 1)
    if abs(ord) != 1:
        rows, columns = columns, rows
    sums = F.sum(F.abs(x), rows, True)
    found = (F.amax if ord > 0 else F.amin)(sums, columns, True)
    return found if keepdims else F.squeeze(found, (rows, columns))


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    _nothing_else("trace", {"out": out})
    return F.sum(F.diagonal(_as_type(a, dtype), offset, axis1, axis2), -1)


def _joined(function: Callable[..., Any]) -> Callable[..., Any]:
    def join(arrays: Any, axis: Any = 0, out: Any = None, dtype: Any = None, **rest: Any) -> Any:
        _nothing_else(function.__name__, {"out": out, **{k: v for k, v in rest.items() if k != "casting"}})
        parts = [_as_type(_tensor(a), dtype) for a in arrays]
        if axis is None:
            parts, axis = [F.ravel(p) for p in parts], 0
        return function(parts, axis)

    return join


def _side_by_side(function: Callable[..., Any]) -> Callable[..., Any]:
    def join(tup: Any, *, dtype: Any = None, **rest: Any) -> Any:
        return function([_as_type(_tensor(a), dtype) for a in tup])

    return join


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    """Running sums and products: of the elements in a row unless an axis is given."""

    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        _nothing_else(function.__name__, {"out": out})
        return function(_as_type(F.ravel(a) if axis is None else a, dtype), 0 if axis is None else axis)

    return run


def _like(function: Callable[..., Any]) -> Callable[..., Any]:
    def make(a: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **rest: Any) -> Any:
        _nothing_else(function.__name__, {"shape": shape})
        return function(a, dtype=None if dtype is None else _dtype.as_dtype(dtype))

    return make


def _round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    _nothing_else("round", {"out": out})
    return F.round(a, decimals=decimals) if decimals else F.round(a)


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: F.add, np.subtract: lambda x, y: x - y, np.multiply: lambda x, y: x * y, np.true_divide: lambda x, y: x / y,
    np.floor_divide: F.floor_divide, np.remainder: F.remainder, np.fmod: _pair(F.fmod), np.power: F.pow, np.float_power: F.float_power,
    np.negative: F.neg, np.positive: F.positive, np.absolute: F.abs, np.fabs: F.abs, np.sign: F.sign, np.matmul: F.matmul,
    np.exp: F.exp, np.exp2: F.exp2, np.expm1: F.expm1, np.log: F.log, np.log2: F.log2, np.log10: F.log10, np.log1p: F.log1p,
    np.sqrt: F.sqrt, np.square: F.square, np.reciprocal: F.reciprocal, np.logaddexp: _pair(F.logaddexp), np.logaddexp2: _pair(F.logaddexp2),
    np.sin: F.sin, np.cos: F.cos, np.tan: F.tan, np.arcsin: F.asin, np.arccos: F.acos, np.arctan: F.atan, np.arctan2: _pair(F.atan2),
    np.sinh: F.sinh, np.cosh: F.cosh, np.tanh: F.tanh, np.arcsinh: F.asinh, np.arccosh: F.acosh, np.arctanh: F.atanh, np.hypot: _pair(F.hypot),
    np.maximum: _pair(F.maximum), np.minimum: _pair(F.minimum), np.fmax: _pair(F.fmax), np.fmin: _pair(F.fmin),
    np.floor: F.floor, np.ceil: F.ceil, np.trunc: F.trunc, np.rint: F.round, np.deg2rad: F.deg2rad, np.rad2deg: F.rad2deg,
    np.equal: lambda x, y: x == y, np.not_equal: lambda x, y: x != y, np.less: lambda x, y: x < y, np.less_equal: lambda x, y: x <= y,
    np.greater: lambda x, y: x > y, np.greater_equal: lambda x, y: x >= y,
    np.logical_and: _pair(F.logical_and), np.logical_or: _pair(F.logical_or), np.logical_xor: _pair(F.logical_xor), np.logical_not: F.logical_not,
    np.bitwise_and: F.bitwise_and, np.bitwise_or: F.bitwise_or, np.bitwise_xor: F.bitwise_xor, np.invert: F.bitwise_not,
    np.left_shift: F.bitwise_left_shift, np.right_shift: F.bitwise_right_shift,
    np.isnan: F.isnan, np.isinf: F.isinf, np.isfinite: F.isfinite, np.heaviside: _pair(F.heaviside), np.copysign: _pair(F.copysign),
}  # fmt: skip  # a table reads better in rows

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.dot: _dot, np.inner: _inner, np.outer: _outer, np.vdot: lambda a, b: F.dot(*[x.reshape(-1) for x in _both(a, b)]), np.einsum: _einsum,
    np.tensordot: lambda a, b, axes=2: F.tensordot(*_both(a, b), ([axes[0]], [axes[1]]) if isinstance(axes, tuple | list) and isinstance(axes[0], int) else axes),
    np.kron: lambda a, b: F.kron(*_both(a, b)), np.trace: _trace,
    np.sum: _reduction(F.sum), np.mean: _reduction(F.mean, _floating), np.prod: _prod, np.max: _reduction(F.amax), np.min: _reduction(F.amin),
    np.amax: _reduction(F.amax), np.amin: _reduction(F.amin), np.all: _reduction(F.all), np.any: _reduction(F.any),
    np.std: _std(F.std), np.var: _std(F.var), np.argmax: _arg(F.argmax), np.argmin: _arg(F.argmin),
    np.cumsum: _running(F.cumsum), np.cumprod: _running(F.cumprod),
    np.reshape: _reshape, np.ravel: _ravel, np.transpose: _transpose, np.squeeze: _squeeze, np.expand_dims: _expand_dims, np.broadcast_to: _broadcast_to,
    np.swapaxes: lambda a, axis1, axis2: F.transpose(a, axis1, axis2), np.moveaxis: lambda a, source, destination: F.movedim(a, source, destination),
    np.concatenate: _joined(F.cat), np.stack: _joined(F.stack), np.hstack: _side_by_side(F.hstack), np.vstack: _side_by_side(F.vstack),
    np.where: _where, np.clip: _clip, np.round: _round, np.copy: lambda a, **rest: F.clone(a),
    np.diag: lambda v, k=0: F.diag(v, k), np.diagonal: lambda a, offset=0, axis1=0, axis2=1: F.diagonal(a, offset, axis1, axis2),
    np.tril: lambda m, k=0: F.tril(m, k), np.triu: lambda m, k=0: F.triu(m, k),
    np.flip: lambda m, axis=None: F.flip(m, tuple(range(m.ndim)) if axis is None else axis), np.roll: lambda a, shift, axis=None: F.roll(a, shift, axis),
    np.tile: lambda A, reps: F.tile(A, reps), np.zeros_like: _like(zeros_like), np.ones_like: _like(ones_like),
    np.linalg.norm: _norm, np.linalg.inv: lambda a: F.inverse(a), np.linalg.det: lambda a: F.det(a),
    np.shape: lambda a: tuple(a.shape), np.ndim: lambda a: a.ndim, np.size: lambda a, axis=None: a.numel() if axis is None else a.shape[axis],
}  # fmt: skip  # a table reads better in rows


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


# The nearest operation where names do not show it.
NEAREST = {
    "append": "cat", "average": "mean", "cbrt": "pow", "convolve": "nn.functional.conv1d", "interp": "lerp", "pad": "nn.functional.pad",
    "percentile": "quantile", "ptp": "amax", "repeat": "repeat_interleave", "add.reduce": "sum", "multiply.reduce": "prod", "maximum.reduce": "amax",
    "minimum.reduce": "amin", "add.accumulate": "cumsum", "multiply.accumulate": "cumprod", "multiply.outer": "outer", "divmod": "remainder",
    "array_split": "tensor_split", "full_like": "full_like", "apply_along_axis": "vmap", "solve": "linalg.solve", "svd": "linalg.svd",
}  # fmt: skip  # as above
WRITERS = {
    np.copyto,
    np.put,
    np.place,
    np.putmask,
    np.fill_diagonal,
    np.put_along_axis,
}  # write into their first argument


def _refuse(name: str, why: str | None = None) -> TypeError:
    near = [NEAREST[name]] if name in NEAREST else _errors.nearest(name, F.__all__, cutoff=0.75)
    hint = f"the nearest operation here is torch.{near[0]}" if near else "write it with operations of torch"
    return TypeError(
        f"{why or f'np.{name} has no counterpart that records a gradient'}, and an argument requires grad: {hint}; "
        f"or call np.{name} on x.detach()."
    )


def _on_arrays(function: Callable[..., Any], args: Any, settings: dict[str, Any], written: Any) -> Any:
    """Let NumPy compute; tensors that it writes into notice, and come back as themselves."""
    found = function(*_arrays(args), **{k: _arrays(v) for k, v in settings.items()})
    written = [x for x in (written if isinstance(written, tuple) else (written,)) if isinstance(x, Tensor)]
    for x in written:
        x._mark_written()
        if found is x._array:
            found = x
    return found


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
    """Answer ``np.exp(t)`` and its kin."""
    given = [k for k, v in settings.items() if v is not None]
    if method == "__call__" and ufunc in UFUNCS and not given:
        return UFUNCS[ufunc](*_lead_with_tensor(ufunc, inputs))
    if _wants_gradient(list(inputs)) or _wants_gradient(list(settings.values())):
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if given == ["out"] and ufunc in UFUNCS:
            why = "an array that is written into (array += tensor, out=...) records no gradient"
        elif method == "__call__" and ufunc in UFUNCS:
            why = f"np.{name} of a Tensor takes no {', '.join(given)}"
        else:
            why = None
        raise _refuse(name, why)
    return _on_arrays(getattr(ufunc, method), inputs, settings, inputs[0] if method == "at" else settings.get("out"))


def _lead_with_tensor(ufunc: Any, inputs: tuple[Any, ...]) -> list[Any]:
    """The operands, with arrays wrapped: torch's functions want tensors first."""
    if ufunc.nin == 1:
        return list(inputs)
    return [_operand(x) for x in inputs]


def array_function(self: Tensor, function: Any, types: Any, args: Any, settings: Any) -> Any:
    """Answer ``np.dot(w, a)`` and its kin."""
    why = None
    if function in FUNCTIONS:
        try:
            return FUNCTIONS[function](*args, **settings)
        except _SettingError as refusal:
            why = str(refusal).split(":")[0]
    if _wants_gradient(list(args)) or _wants_gradient(list(settings.values())):
        if _plotting():
            return function(*_detached(args), **settings)
        raise _refuse(function.__name__, why)
    return _on_arrays(function, args, settings, args[0] if function in WRITERS else settings.get("out"))


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

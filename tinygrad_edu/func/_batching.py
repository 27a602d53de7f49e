"""Batching rules: for each kind of op, how one run on the physical tensors does the work of all examples.

A rule is ``rule(op, batch, args, settings)`` and gives the physical result, the batch as axis 0. It calls ordinary ops, so that what
is recorded, and what flows back, is ordinary too. ``batch.front(x, n)`` is the physical tensor of ``x`` with n logical axes (of what
is the same for all examples, ``x`` itself, to broadcast against it); ``batch.whole(x)`` has the batch in any case.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .._core.op import Op
from .._ops import (
    activation,
    conv,
    elementwise,
    index,
    linalg,
    loss,
    nn,
    norm,
    pool,
    reduce,
    resample,
    rnn,
    shape,
    softmax,
    sort,
)
from .._tensor import Tensor
from ._batched import VALUES, Batch, Batched, Outline, batches_in, wrapped

Args: TypeAlias = list[Any]  # tensors, numbers and None
Settings: TypeAlias = dict[str, Any]
Physical: TypeAlias = Any  # a Tensor whose axis 0 is the batch; ops are as duck-typed as their arrays
Rule = Callable[[Any, Batch, Args, Settings], Physical]
RULES: dict[Callable[..., Any], Rule] = {}  # by the op's forward function: an op under another name has the same


def rule_for(*ops: Op) -> Callable[[Rule], Rule]:
    """Give these ops the rule that follows."""

    def register(rule: Rule) -> Rule:
        RULES.update({op.forward: rule for op in ops})
        return rule

    return register


def _ops_of(module: Any, *names: str) -> list[Any]:
    return [getattr(module, name) for name in names]


def _reshaped(x: Tensor, *shape_: int) -> Physical:
    return shape.reshape_inside(x, shape=shape_)


def _ndim(*values: Any) -> int:
    """The number of logical axes of several arrays that broadcast."""
    return max([getattr(v, "ndim", 0) for v in values])


def _axes(axis: Any, ndim: int) -> Any:
    """Axes of an example as axes of the physical tensor; None, all of them, becomes a tuple."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple([a % ndim + 1 for a in axis])
    return axis % ndim + 1


# ---- element by element


@rule_for(
    *[v for v in vars(elementwise).values() if isinstance(v, Op)],
    *[v for v in vars(activation).values() if isinstance(v, Op)],
    *_ops_of(index, "masked_fill", "masked_fill_by"),
    *_ops_of(reduce, "ratio", "guarded", "power_or_zero"),
    loss.minus_log_sigmoid,
)
def broadcasting(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Operands side by side: the batch first, the axes of an example aligned at the end."""
    ndim = _ndim(*args, *settings.values())
    np.broadcast_shapes(*[tuple(x.shape) for x in args if hasattr(x, "shape")])  # an error speaks of one example
    if op.differentiable and not op.broadcasts:  # its formulas want operands of the result's shape
        args = [batch.whole(x, ndim) for x in args]
    else:
        args = [batch.front(x, ndim) for x in args]
    return op(*args, **{name: batch.array(value, ndim) for name, value in settings.items()})


@rule_for(elementwise.fill_by, shape.copy)
def spread_over_first(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The result has the shape of the first operand, which therefore needs the batch."""
    x, y = args
    return op(batch.whole(x), batch.front(y, x.ndim))


@rule_for(elementwise.constant)
def constant(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A tensor overwritten by an array."""
    return op(batch.whole(args[0]), array=batch.whole_array(settings["array"]))


@rule_for(reduce.unbounded)
def unbounded(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Infinite, and NaN at the mean of each example."""
    x = batch.front(args[0])
    mean = reduce.mean(x, axis=_axes(None, x.ndim - 1), keepdims=True)
    return elementwise.where(math.nan, elementwise.fill(x, value=math.inf), condition=elementwise.eq(x, mean)._array)


# ---- along axes


@rule_for(
    *_ops_of(
        reduce,
        "sum",
        "mean",
        "nansum",
        "count_nonzero",
        "count_numbers",
        "all",
        "any",
        "amax",
        "amin",
        "prod",
        "logsumexp",
    ),
    *_ops_of(
        reduce, "var", "std", "vector_norm", "evenly", "pick", "lay", "median_index", "mode_index", "shift", "recur"
    ),
    *_ops_of(reduce, "cumprod", "cumsum", "logcumsumexp", "cummax_index", "cummin_index"),
    *_ops_of(softmax, "total", "softmax", "log_softmax", "safe_softmax"),
    *_ops_of(sort, "argsort", "top_index", "kth_index"),
    *_ops_of(activation, "glu", "half", "beside_zeros"),
    *_ops_of(shape, "diagonal", "diagonal_place", "windows", "windows_add", "flip", "rotate"),
    *_ops_of(index, "repeat_each", "sum_each"),
)
def along(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """An axis of an example is the next axis of the physical tensor. A number counts as a vector of one element."""
    settings = {**op.settings, **settings}
    if batches_in(settings.values()):
        raise RuntimeError(_DYNAMIC.format(f"{op.name} with counts of each example"))
    ndim = len(settings["shape"]) if "shape" in settings else args[0].ndim
    if "shape" in settings:
        settings["shape"] = (batch.size, *settings["shape"])
    args = [batch.whole(x) for x in args]
    if ndim == 0:
        args = [_reshaped(x, batch.size, 1) for x in args]
        if op.forward in (reduce.pick.forward, reduce.lay.forward):
            settings["keepdims"] = True
        if "shape" in settings:
            settings["shape"] = (batch.size, 1)
    for name in ("axis", "axes", "axis1", "axis2"):
        if name in settings:
            settings[name] = _axes(settings[name], ndim or 1)
    out: Tensor = op(*args, **settings)
    return out if ndim else _reshaped(out, batch.size)


@rule_for(shape.roll)
def roll(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Within each example; without axes its elements are counted in a row."""
    x = args[0]
    if settings["axes"] is None or not x.ndim:
        moved = op(_flattened(batch, x), shifts=settings["shifts"], axes=(1,) * len(settings["shifts"]))
        return _reshaped(moved, batch.size, *x.shape)
    return op(batch.front(x), shifts=settings["shifts"], axes=_axes(settings["axes"], x.ndim))


@rule_for(reduce.argmax, reduce.argmin)
def where_extreme(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """As along an axis; without one the elements of an example are counted in a row."""
    x = args[0]
    if settings.get("axis") is not None and x.ndim:
        return along(op, batch, args, settings)
    found: Tensor = op(_flattened(batch, x), axis=1)
    return _reshaped(found, batch.size, *((1,) * x.ndim if settings.get("keepdims") else ()))


def _flattened(batch: Batch, x: Tensor) -> Physical:
    """Each example as a vector."""
    return _reshaped(batch.whole(x), batch.size, math.prod(x.shape))


WHOLE = {
    reduce.total: reduce.sum, reduce.average: reduce.mean, reduce.largest: reduce.amax, reduce.smallest: reduce.amin,
    reduce.product: reduce.prod,
}  # fmt: skip  # an op of all elements, and the same along an axis


@rule_for(*WHOLE)
def of_all_elements(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """What takes in all elements of an example goes along all axes but the batch."""
    along_axis = next(other for whole, other in WHOLE.items() if whole.forward is op.forward)
    return along_axis(_flattened(batch, args[0]), axis=1)


@rule_for(reduce.median, reduce.nanmedian)
def median(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Ties share the gradient evenly: the mean of the elements that equal the median."""
    x = _flattened(batch, args[0])
    if not x.shape[1]:
        return elementwise.fill(reduce.total(x), value=math.nan) * Tensor._of(np.ones(batch.size, x._array.dtype))
    place = reduce.median_index(x, axis=1, skips_nan=op.forward is reduce.nanmedian.forward)
    weights = reduce.evenly(
        x.detach(), reduce.pick(x.detach(), place, axis=1, keepdims=False), axis=1, keepdims=False, nans=True
    )
    chosen = elementwise.where(x, 0, condition=elementwise.ne(weights, 0)._array)
    return reduce.sum(chosen * weights, axis=1)


# ---- shapes


@rule_for(*_ops_of(shape, "reshape"))
def reshape(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The batch stays as it is."""
    wanted, elements = list(settings["shape"]), math.prod(args[0].shape)
    if -1 in wanted:
        wanted[wanted.index(-1)] = elements // max(math.prod([n for n in wanted if n != -1]), 1)
    return op(batch.front(args[0]), shape=(batch.size, *wanted))


@rule_for(shape.place, index.corner, index.corner_place, resample.resample_back)
def into_shape(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A basic index, and a shape, that leave the batch out."""
    settings = {**settings, "shape": (batch.size, *settings["shape"])}
    if "index" in settings:
        settings["index"] = (slice(None), *settings["index"])
    return op(batch.front(args[0]), **settings)


@rule_for(shape.broadcast_to)
def broadcast_to(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """New axes come behind the batch."""
    wanted = settings["shape"]
    return op(batch.front(args[0], len(wanted)), shape=(batch.size, *wanted))


@rule_for(shape.sum_to, shape.sum_copies)
def sum_to(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The axes that are summed away lie behind the batch."""
    x, wanted = args[0], tuple(settings["shape"])
    settings = {**settings, "shape": (batch.size, *(1,) * (x.ndim - len(wanted)), *wanted)}
    if "times" in settings:
        settings["times"] = (1, *settings["times"])
    out: Tensor = op(batch.front(x), **settings)
    return _reshaped(out, batch.size, *wanted)


@rule_for(shape.repeat)
def repeat(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """New axes come behind the batch."""
    times = settings["times"]
    return op(batch.front(args[0], len(times)), times=(1, *times))


@rule_for(shape.permute)
def permute(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The batch stays in front."""
    return op(batch.front(args[0]), axes=(0, *_axes(settings["axes"], args[0].ndim or 1)))


@rule_for(shape.t)
def turned(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """All axes but the batch in reverse order."""
    return shape.permute.named(op.node_name)(batch.front(args[0]), axes=(0, *range(args[0].ndim, 0, -1)))


@rule_for(shape.getitem)
def getitem(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The same part of each example."""
    return op(batch.front(args[0]), index=(slice(None), *settings["index"]))


@rule_for(shape.diagonal_copy)
def diagonal_copy(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The diagonals of all matrices."""
    return elementwise.clone(shape.diagonal(batch.front(args[0]), offset=settings["offset"], axis1=1, axis2=2))


@rule_for(linalg.trace)
def trace(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The sums of all diagonals."""
    return reduce.sum(shape.diagonal(batch.front(args[0]), offset=0, axis1=1, axis2=2), axis=1)


@rule_for(linalg.trace_place)
def trace_place(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Each number all along the diagonal of a matrix."""
    n, m = settings["shape"]
    along_it = shape.broadcast_to(_reshaped(batch.front(args[0]), batch.size, 1), shape=(batch.size, min(n, m)))
    return shape.diagonal_place(along_it, offset=0, axis1=1, axis2=2, shape=(batch.size, n, m))


@rule_for(index.head)
def head(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The first elements of each example."""
    return shape.getitem(_flattened(batch, args[0]), index=(slice(None), slice(settings["count"])))


@rule_for(index.head_place)
def head_place(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Zeros that begin with the elements of each example."""
    y, wanted = _flattened(batch, args[0]), settings["shape"]
    out = shape.place(y, index=(slice(None), slice(y.shape[1])), shape=(batch.size, math.prod(wanted)))
    return _reshaped(out, batch.size, *wanted)


@rule_for(shape.cat, shape.stack)
def join(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Join within each example."""
    ndim = _ndim(*args) + (op.forward is shape.stack.forward)
    return op(*[batch.whole(x) for x in args], axis=_axes(settings["axis"], ndim))


@rule_for(shape.splice)
def splice(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A copy of x, written where the views of the path lead."""
    x, y = args
    out = Batched.around(batch, elementwise.clone(batch.whole(x)))
    part = shape.follow(out, settings["path"])
    part.copy_(y)
    return out._physical


# ---- picking and placing by arrays of indices

_DYNAMIC = (
    "vmap: We do not support batching operators that can output dynamic shape, or shapes that differ between examples. Attempted to vmap "
    "over {}. Write it with torch.where, which keeps the shape."
)


def arranged(batch: Batch, where: Any, is_batched: bool) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """An index of an example as one of the physical tensor, and the axes with which its result begins: the batch, then as logically.

    NumPy puts what arrays of indices pick where the first of them stands, if they stand side by side, and else in front of all other
    axes, the batch included.
    """
    parts: list[Any] = []
    for part in where if isinstance(where, tuple) else (where,):
        if isinstance(part, Outline) and part.dtype == bool:
            raise RuntimeError(_DYNAMIC.format("indexing with a boolean mask"))
        if isinstance(part, np.ndarray) and part.dtype == bool:
            parts += part.nonzero()
        else:
            parts.append(part)
    arrays = [i for i, part in enumerate(parts) if hasattr(part, "dtype") or isinstance(part, int)]
    side_by_side = arrays == list(range(arrays[0], arrays[-1] + 1))
    axes = _ndim(*parts)
    before = arrays[0] if side_by_side else 0
    picked = [batch.array(part, axes) for part in parts]
    if not any([isinstance(part, Outline) and batch.has(part.tensor) for part in parts]):
        return (slice(None), *picked), (0,) if side_by_side else (axes, *range(axes))
    if not is_batched:
        return tuple(picked), (before, *range(before))
    numbers = np.arange(batch.size).reshape(batch.size, *(1,) * axes)  # each example has its own row of indices
    return (numbers, *picked), (0, *range(axes + 1, axes + 1 + before), *range(1, axes + 1))


def _order(begins: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    return (*begins, *[axis for axis in range(ndim) if axis not in begins])


def _permuted(x: Tensor, order: tuple[int, ...]) -> Physical:
    return x if order == tuple(range(x.ndim)) else shape.permute.inside()(x, axes=order)


@rule_for(index.take)
def take(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Pick from each example, with indices of its own or the same ones."""
    where, begins = arranged(batch, settings["index"], batch.has(args[0]))
    out = op(batch.front(args[0]), index=where)
    return _permuted(out, _order(begins, out.ndim))


@rule_for(index.scatter_to)
def scatter_to(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Add each example into zeros of its own."""
    where, begins = arranged(batch, settings["index"], True)
    y = batch.whole(args[0])
    y = _permuted(y, shape.inverse(_order(begins, y.ndim)))
    return op(y, index=where, shape=(batch.size, *settings["shape"]))


@rule_for(index.put, index.put_add)
def put(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Write into each example."""
    x, y = args
    where, begins = arranged(batch, settings["index"], True)
    x = batch.whole(x)
    picked = np.broadcast_to(np.empty(()), x.shape)[tuple([_zeros_for(w) for w in where])].shape
    order = _order(begins, len(picked))
    wanted = [picked[axis] for axis in order]
    if not isinstance(y, Tensor):
        y = Tensor._of(np.asarray(y, x._array.dtype))
    y = shape.broadcast_inside(batch.whole(y, len(wanted) - 1), shape=tuple(wanted))
    return op(x, _permuted(y, shape.inverse(order)), index=where)


def _zeros_for(where: Any) -> Any:
    """Something to index with that picks as much as ``where``, of which only the shape may be known."""
    return np.zeros(where.shape, np.int64) if isinstance(where, Outline) else where


@rule_for(index.index_fill)
def index_fill(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Write a number into each example."""
    where, _ = arranged(batch, settings["index"], True)
    return op(batch.whole(args[0]), index=where, value=settings["value"])


@rule_for(index.gather, index.scatter_zeros, index.scatter, index.scatter_add)
def in_step(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Every axis but one in step, the batch too. A 0-d index counts as a vector of one element."""
    where, axis, rest = settings["index"], settings["axis"], {}
    wanted: tuple[int, ...] = settings.get("shape", args[0].shape)
    physical_index = batch.whole_array(where)
    args = [batch.whole(x) if getattr(x, "ndim", 0) or not where.ndim else batch.front(x) for x in args]
    if where.ndim == 0:
        physical_index = physical_index.reshape(batch.size, 1)
        args = [_reshaped(x, batch.size, math.prod(x.shape[1:])) if isinstance(x, Tensor) else x for x in args]
        axis, wanted = 0, (math.prod(wanted),)
    if "shape" in settings:
        rest["shape"] = (batch.size, *wanted)
    out: Tensor = op(*args, axis=axis + 1, index=physical_index, **rest)
    if where.ndim:
        return out
    return _reshaped(out, batch.size, *(settings.get("shape", ()) if op is not index.gather else ()))


@rule_for(index.masked_scatter)
def masked_scatter(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The k-th place of a mask takes the k-th element: counted by running sums, so that masks may differ between examples."""
    x, y = args
    mask = wrapped(batch.whole_array(settings["mask"]))
    x = batch.whole(x, mask.ndim - 1)
    x = shape.broadcast_inside(x, shape=tuple(mask.shape))
    source = _flattened(batch, y)
    rank = reduce.cumsum(_reshaped(mask, batch.size, math.prod(mask.shape[1:])), axis=1) - 1
    rank = elementwise.clamp(rank, low=0, high=max(source.shape[1] - 1, 0))
    if not source.shape[1]:
        return x
    found = _reshaped(index.gather(source, axis=1, index=rank._array), *mask.shape)
    return elementwise.where(found, x, condition=mask._array)


@rule_for(sort.searchsorted)
def searchsorted(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """One row for all, or a row for each example."""
    x, y = args
    if not batch.has(x) and x.ndim <= 1:
        return op(x, batch.front(y), **settings)
    if x.ndim > 1:
        out = op(batch.whole(x), batch.whole(y), **settings)
        return out
    out = op(batch.whole(x), _flattened(batch, y), **settings)
    return _reshaped(out, batch.size, *y.shape)


# ---- products of matrices


def product(batch: Batch, x: Tensor, y: Tensor) -> Physical:
    """Vectors, matrices and stacks of them multiplied, as ``@`` does."""
    if x.shape[-1] != y.shape[0 if y.ndim == 1 else -2]:
        raise ValueError("matmul: the inner dimensions differ")  # explained with the shapes of one example
    if batch.has(x) and not batch.has(y) and y.ndim <= 2:  # all rows in one product
        return (linalg.rows_mm if y.ndim == 2 else linalg.rows_mv)(batch.front(x), y)
    if y.ndim == 1 and x.ndim == 2 and not batch.has(x):
        out = linalg.rows_mm(batch.front(y), x.mT)
        return out
    lead = tuple(np.broadcast_shapes(x.shape[:-2], y.shape[:-2]))
    result = (*lead, *x.shape[-2:-1], *(y.shape[-1:] if y.ndim > 1 else ()))
    rows = _stacked(batch, x, (1, x.shape[-1]) if x.ndim == 1 else x.shape, len(lead) + 2)
    columns = _stacked(batch, y, (y.shape[0], 1) if y.ndim == 1 else y.shape, len(lead) + 2)
    out = linalg.matmul(rows, columns)
    return out if tuple(out.shape[1:]) == result else _reshaped(out, batch.size, *result)


def _stacked(batch: Batch, x: Tensor, as_matrix: Any, ndim: int) -> Physical:
    """A vector as a matrix, a matrix with as many leading axes as its partner has."""
    if not batch.has(x):
        return x if tuple(x.shape) == tuple(as_matrix) else _reshaped(x, *as_matrix)
    full = (batch.size, *(1,) * (ndim - len(as_matrix)), *as_matrix)
    physical = batch.front(x)
    return physical if tuple(physical.shape) == full else _reshaped(physical, *full)


@rule_for(*_ops_of(linalg, "mm", "mv", "vecmat", "dot", "bmm", "matmul", "rows_mm", "rows_mv"))
def matmul(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A product."""
    return product(batch, *args)


def _outer(batch: Batch, x: Tensor, y: Tensor) -> Physical:
    column = _reshaped(batch.front(x), *((batch.size,) if batch.has(x) else ()), x.shape[0], 1)
    return elementwise.mul(column, batch.front(y, 2))


@rule_for(linalg.outer)
def outer(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Each element of one vector with each of another."""
    return _outer(batch, *args)


@rule_for(linalg.addmm, linalg.addmv, linalg.addr, linalg.addbmm)
def add_product(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A product, and a sum."""
    b, x, y = args
    beta, alpha = settings.get("beta", 1), settings.get("alpha", 1)
    if not batch.has(x) and not batch.has(y):
        x = Batched.around(batch, batch.whole(x))
    out = _outer(batch, x, y) if op.forward is linalg.addr.forward else product(batch, x, y)
    if op.forward is linalg.addbmm.forward:
        out = reduce.sum(out, axis=1)
    out = out if alpha == 1 else out * alpha
    if beta == 0:
        return out
    b = batch.front(b, out.ndim - 1)
    return out + (b if beta == 1 else b * beta)


@rule_for(nn.linear)
def linear(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """One weight for all examples: their rows stand under one another. A weight for each: a product for each."""
    x, w, b = args
    if batch.has(x) and not batch.has(w) and not batch.has(b):
        return op(batch.front(x), w, b)
    result = (batch.size, *x.shape[:-1], w.shape[0])
    if batch.has(w):
        rows = batch.front(x)
        rows = _reshaped(rows, *((batch.size,) if batch.has(x) else ()), math.prod(x.shape[:-1]), x.shape[-1])
        out = _reshaped(linalg.matmul(rows, batch.front(w).mT), *result)
    else:
        out = op(batch.front(x), w, None)
    if b is None:
        return out
    return out + (batch.front(b, len(result) - 1) if batch.has(b) else b)


@rule_for(nn.column_sums)
def column_sums(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Sums over the rows of each example."""
    return reduce.sum(batch.front(args[0]), axis=1)


@rule_for(linalg.contract)
def contract(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The batch is one letter more."""
    left, right, result = settings["left"], settings["right"], settings["result"]
    letter = next(chr(n) for n in range(97, 97 + 100) if chr(n) not in left + right)
    return op(
        *[batch.front(x) for x in args],
        left=letter + left if batch.has(args[0]) else left,
        right=letter + right if batch.has(args[1]) else right,
        result=letter + result,
    )


@rule_for(linalg.cross)
def cross(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The axis is counted from the end, where examples are aligned."""
    ndim = _ndim(*args)
    axis = settings["axis"] if settings["axis"] < 0 else settings["axis"] - ndim
    return op(*[batch.front(x, ndim) for x in args], axis=axis)


# ---- the last axes of any number: the batch is one leading axis more


@rule_for(
    *_ops_of(
        linalg,
        "inv",
        "det",
        "cofactors",
        "cofactors_along",
        "logabsdet",
        "sign_of_det",
        "logdet",
        "cholesky",
        "half_diagonal",
    ),
    *_ops_of(
        linalg,
        "qr_q",
        "qr_r",
        "eigenvalues",
        "eigenvectors",
        "svd_u",
        "svd_s",
        "svd_v",
        "pinv",
        "matrix_rank",
        "matrix_exp",
    ),
    *_ops_of(linalg, "solve", "solve_triangular", "cholesky_solve", "lstsq", "cdist"),
    *_ops_of(shape, "swap", "tril", "triu"),
    *_ops_of(
        pool,
        "max_indices",
        "adaptive_max_indices",
        "max_pool",
        "max_route",
        "max_pick",
        "spread",
        "collect",
        "collect_back",
        "avg_pool",
        "avg_unpool",
    ),
    *_ops_of(resample, "resample", "pixel_shuffle", "pixel_unshuffle"),
)
def leading(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """What takes any number of leading axes takes the batch as one more."""
    ndim = _ndim(*args)
    if op.broadcasts:
        args = [batch.front(x, ndim) for x in args]
    else:
        args = [batch.whole(x, ndim) for x in args]
    return op(*args, **settings)


@rule_for(linalg.solve_vector)
def solve_vector(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A vector has one axis less than its matrix."""
    a, b = args
    lead = max(a.ndim - 2, b.ndim - 1)
    return op(batch.front(a, lead + 2), batch.front(b, lead + 1))


@rule_for(resample.constant_pad)
def constant_pad(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Nothing is added to the batch."""
    return op(batch.front(args[0]), widths=((0, 0), *settings["widths"]), value=settings["value"])


@rule_for(nn.attention)
def attention(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Queries, keys and values of each example, and its mask."""
    ndim = _ndim(*args)
    return op(*[batch.whole(x, ndim) for x in args], mask=batch.array(settings["mask"], ndim), scale=settings["scale"])


# ---- axis 0 is a batch already: both become one


def folded(batch: Batch, x: Any) -> Physical:
    """The batch and the first axis of an example as one axis."""
    physical = batch.whole(x)
    return _reshaped(physical, math.prod(physical.shape[:2]), *physical.shape[2:])


def folded_array(batch: Batch, a: Any) -> Any:
    """``folded`` for an array."""
    return folded(batch, a.tensor if isinstance(a, Outline) else a)._array


def unfolded(batch: Batch, x: Tensor) -> Physical:
    """The batch and the first axis of an example as two axes again."""
    return _reshaped(x, batch.size, x.shape[0] // batch.size if batch.size else 0, *x.shape[1:])


@rule_for(conv.unfold, conv.fold, resample.channel_shuffle)
def by_image(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """What is done to each image is done to all images of all examples."""
    return unfolded(batch, op(folded(batch, args[0]), **settings))


@rule_for(loss.softmax_error, loss.pick)
def by_row(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """What is done to each row is done to all rows of all examples."""
    return unfolded(batch, op(folded(batch, args[0]), target=folded_array(batch, settings["target"])))


@rule_for(loss.place)
def place_by_row(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Likewise, into zeros."""
    n, *rest = settings["shape"]
    target = folded_array(batch, settings["target"])
    return unfolded(batch, op(folded(batch, args[0]), target=target, shape=(batch.size * n, *rest)))


# ---- losses


def reduced(batch: Batch, each: Tensor, reduction: str) -> Physical:
    """The losses of each example, averaged or summed."""
    if reduction == "none":
        return each
    flat = _reshaped(each, batch.size, math.prod(each.shape[1:]))
    return (reduce.mean if reduction == "mean" else reduce.sum)(flat, axis=1)


@rule_for(
    *_ops_of(loss, "mse_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "soft_margin_loss"),
    loss.binary_cross_entropy_with_logits,
)
def elementwise_loss(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The losses of all elements first; each example is reduced alone."""
    ndim = _ndim(*args)
    settings = {name: batch.array(value, ndim) for name, value in settings.items()}
    each = op(*[batch.whole(x, ndim) for x in args], **{**settings, "reduction": "none"})
    return reduced(batch, each, settings["reduction"])


@rule_for(loss.cross_entropy, loss.multi_margin_loss)
def row_loss(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The losses of all rows first; each example is reduced alone."""
    weight = settings.get("weight")
    of_each = {"weight": None} if isinstance(weight, Outline) else {}  # class weights of each example, multiplied below
    target = folded_array(batch, settings["target"])
    each = unfolded(batch, op(folded(batch, args[0]), **{**settings, **of_each, "target": target, "reduction": "none"}))
    if isinstance(weight, Outline):
        each = each * index.gather(batch.whole(weight.tensor), axis=1, index=batch.whole_array(settings["target"]))
    return reduced(batch, each, settings["reduction"])


@rule_for(loss.nll_loss)
def nll_loss(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """As the other losses; an example of which nothing counts has no loss (nan), and no gradient."""
    divisor = settings["divisor"]
    each = op(
        folded(batch, args[0]),
        target=folded_array(batch, settings["target"]),
        share=folded_array(batch, settings["share"]),
        divisor=None,
    )
    each = unfolded(batch, each)
    if divisor is None:
        return each
    whole = reduced(batch, each, "sum")
    by = wrapped(batch.whole_array(np.asarray(divisor) if not isinstance(divisor, Outline) else divisor))
    nothing = elementwise.eq(by, 0)._array
    return elementwise.where(math.nan, whole / elementwise.where(1.0, by, condition=nothing), condition=nothing)


# ---- convolution: a weight for each example makes groups


def _split(x: Tensor, axis: int, *sizes: int) -> Physical:
    return _reshaped(x, *x.shape[:axis], *sizes, *x.shape[axis + 1 :])


def _moved(x: Tensor, source: int, destination: int) -> Physical:
    order = [a for a in range(x.ndim) if a != source]
    order.insert(destination, source)
    return _permuted(x, tuple(order))


def _joined(x: Tensor, axis: int, count: int = 2) -> Physical:
    return _reshaped(x, *x.shape[:axis], math.prod(x.shape[axis : axis + count]), *x.shape[axis + count :])


def batch_in_groups(x: Tensor, axis: int, groups: int) -> Physical:
    """The batch within an axis, inside of its groups.  (B, ..., groups * c, ...) -> (..., groups * B * c, ...)"""
    x = _split(x, axis + 1, groups, x.shape[axis + 1] // groups)
    return _joined(_moved(x, 0, axis + 1), axis, 3)


def batch_from_groups(batch: Batch, x: Tensor, axis: int, groups: int) -> Physical:
    """The inverse of ``batch_in_groups``."""
    x = _split(x, axis, groups, batch.size, x.shape[axis] // (groups * batch.size) if batch.size else 0)
    return _joined(_moved(x, axis + 1, 0), axis + 1)


@rule_for(conv.convolution, conv.convolution_input)
def convolution(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Images: more of them. Kernels of each example: more channels, in groups if the images are those of each example too."""
    x, w, b = args
    groups = settings["groups"]
    if batch.has(x) and not batch.has(w):
        plain_bias = None if batch.has(b) else b
        out = unfolded(batch, op(folded(batch, x), w, plain_bias, **settings))
        b = b if batch.has(b) else None
    elif batch.has(w) and batch.has(x):  # (N, B * C, ...) with kernels (B * O, C / groups, ...)
        images, kernels = batch_in_groups(batch.front(x), 1, 1), batch_in_groups(batch.front(w), 0, 1)
        out = batch_from_groups(batch, op(images, kernels, None, **{**settings, "groups": batch.size * groups}), 1, 1)
    elif batch.has(w):  # the channels that come out are those of the kernels' axis 0, or 1 for the adjoint
        forth = op.forward is conv.convolution.forward
        kernels = batch_in_groups(batch.front(w), 0, groups) if forth else batch_in_groups(batch.front(w), 1, 1)
        out = batch_from_groups(batch, op(x, kernels, None, **settings), 1, groups)
    else:  # only the bias is that of each example
        out = batch.whole(op(x, w, None, **settings))
    if b is None:
        return out
    spatial = (1,) * (out.ndim - 3)
    shape_of_bias = (batch.size, 1, b.shape[0], *spatial) if batch.has(b) else (b.shape[0], *spatial)
    return out + _reshaped(batch.front(b), *shape_of_bias)


@rule_for(conv.convolution_kernel)
def convolution_kernel(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The kernel's gradient for each example: its channels in groups of their own."""
    x, y = args
    groups = settings["groups"]
    if batch.has(x) and batch.has(y):
        images, outputs = batch_in_groups(batch.front(x), 1, 1), batch_in_groups(batch.front(y), 1, 1)
        return batch_from_groups(batch, op(images, outputs, **{**settings, "groups": batch.size * groups}), 0, 1)
    if batch.has(x):
        return batch_from_groups(batch, op(batch_in_groups(batch.front(x), 1, groups), y, **settings), 1, 1)
    return batch_from_groups(batch, op(x, batch_in_groups(batch.front(y), 1, groups), **settings), 0, groups)


# ---- normalisation, embedding


@rule_for(norm.normalize)
def normalize(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The groups of each example; scale and shift for all, or of each."""
    x, w, b = args
    groups, weights, parameters = settings["groups"], settings["weights"], settings["parameters"]
    if batch.has(w) or batch.has(b):
        weights = (batch.size, *(1,) * (len(groups) - len(weights)), *weights)
        parameters = (batch.size, *parameters)
        w, b = batch.whole(w), batch.whole(b)
    return op(
        batch.whole(x), w, b,
        axis=_axes(settings["axis"], len(groups)), groups=(batch.size, *groups), weights=weights, parameters=parameters,
        eps=settings["eps"],
    )  # fmt: skip  # what is computed, and how


@rule_for(norm.batch_norm_fixed)
def batch_norm_fixed(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """With statistics, scale and shift for all as it is; else written out."""
    x, w, b = args
    mean, rate, weights = settings["mean"], settings["rate"], settings["weights"]
    if batch.has(x) and not batches_in([v for v in (w, b, mean, rate) if v is not None]) & {batch}:
        return op(batch.front(x), w, b, **settings)

    after = (1,) * (x.ndim - 2)

    def beside(v: Any) -> Physical:
        return _reshaped(batch.whole(v.tensor if isinstance(v, Outline) else v), batch.size, 1, weights[0], *after)

    out = (batch.whole(x) - beside(mean)) * beside(rate)
    out = out if w is None else out * beside(w)
    return out if b is None else out + beside(b)


def _numbered(batch: Batch, where: Any, height: int) -> Any:
    """Row numbers within tables of ``height`` rows that stand under one another, one for each example."""
    rows = batch.whole_array(where.detach()._array if isinstance(where, Tensor) else where)
    return rows + (np.arange(batch.size) * height).reshape(batch.size, *(1,) * (rows.ndim - 1))


def _without(where: Any, skip: int | None, y: Tensor) -> Physical:
    """y, with nothing learnt where ``where`` names the row ``skip``."""
    if skip is None:
        return y
    mask = wrapped(where) == skip
    return elementwise.where(elementwise.nothing(y), y, condition=_reshaped(mask, *mask.shape, 1)._array)


@rule_for(nn.embedding)
def embedding(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """One table: more look-ups. A table for each: they stand under one another."""
    w, where = args
    per_row = settings.get("per_row")
    if not batch.has(w):
        return op(w, batch.front(where), **settings)
    height, skip = w.shape[0], settings.get("skip")
    per_row = None if per_row is None else batch.whole_array(per_row)
    found: Tensor = op(folded(batch, w), _numbered(batch, where, height), skip=None, per_row=per_row)
    if skip is None:
        return found
    rows = batch.whole_array(where.detach()._array if isinstance(where, Tensor) else where)
    return found.detach() + _without(rows, skip, found - found.detach())


@rule_for(nn.scatter_rows)
def scatter_rows(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Tables that stand under one another."""
    y, where = args
    height, skip, per_row = settings["height"], settings["skip"], settings["per_row"]
    per_row = None if per_row is None else batch.whole_array(per_row)
    rows = batch.whole_array(where.detach()._array if isinstance(where, Tensor) else where)
    y = _without(rows, skip, batch.whole(y))
    out = op(y, _numbered(batch, where, height), height=batch.size * height, skip=None, per_row=per_row)
    return unfolded(batch, out)


@rule_for(nn.gather_rows)
def gather_rows(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """Tables that stand under one another."""
    x, where = args
    per_row = settings["per_row"]
    per_row = None if per_row is None else batch.whole_array(per_row)
    out = op(folded(batch, x), _numbered(batch, where, x.shape[0]), skip=None, per_row=per_row)
    rows = batch.whole_array(where.detach()._array if isinstance(where, Tensor) else where)
    return _without(rows, settings["skip"], out)


# ---- recurrent layers


@rule_for(rnn.rnn, rnn.gru, rnn.lstm)
def recurrent(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """The sequences of all examples beside one another; with weights of their own, one example after the other."""
    states = len(args) - 4  # the input and the first states; then the weights, the same for all or not
    if any([batch.has(w) for w in args[states:]]):
        each = [[batch.front(a)[i] if batch.has(a) else a for a in args] for i in range(batch.size)]
        return shape.stack(*[op(*own, **settings) for own in each], axis=0)
    out = op(*[_beside(batch.whole(a)) for a in args[:states]], *args[states:], **settings)  # (T, examples * N, size)
    length, _, size = out.shape
    return shape.permute(_reshaped(out, length, batch.size, args[0].shape[1], size), axes=(1, 0, 2, 3))


def _beside(x: Tensor) -> Physical:
    """The sequences of all examples as one batch.  (examples, ..., N, size) -> (..., examples * N, size)"""
    *lead, count, size = x.shape[1:]
    axes = (*range(1, len(lead) + 1), 0, len(lead) + 1, len(lead) + 2)
    return _reshaped(shape.permute(x, axes=axes), *lead, x.shape[0] * count, size)


# ---- those without a rule

DYNAMIC: dict[Callable[..., Any], str] = {
    op.forward: name
    for op, name in {
        index.nonzero: "aten::nonzero",
        sort.unique: "aten::_unique2",
        sort.unique_slices: "aten::unique_dim",
        sort.run_heads: "aten::unique_consecutive",
    }.items()
}
ONE_BY_ONE = {sort.bincount.forward, sort.histogram.forward, sort.histc.forward}


def one_by_one(op: Any, batch: Batch, args: Args, settings: Settings) -> Physical:
    """A loop over the examples, for what counts its elements into bins."""
    warnings.warn(
        f"There is a performance drop because we have not yet implemented the batching rule for {op.name}: it runs once for each example.",
        UserWarning,
        stacklevel=2,
    )
    if not batch.size:
        raise RuntimeError(
            f"vmap: {op.name} runs example by example, and there is none: what it would give is not known."
        )

    def of_example(i: int, v: Any) -> Any:
        if isinstance(v, Outline) and batch.has(v.tensor):
            return batch.front(v.tensor)[i]._array
        return batch.front(v)[i] if batch.has(v) else v

    found = [
        op(*[of_example(i, x) for x in args], **{name: of_example(i, v) for name, v in settings.items()})
        for i in range(batch.size)
    ]
    if len({tuple(x.shape) for x in found}) > 1:
        raise RuntimeError(_DYNAMIC.format(op.name))
    return shape.stack(*found, axis=0)


# ---- the dispatch


def answer(op: Any, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """What stands in for an op that meets a batched tensor: the rule of its kind, on the innermost batch."""
    met = [
        x
        for x in (*args, *settings.values())
        if x.__class__ is Batched or x.__class__ is Outline or x.__class__ is tuple
    ]
    if not met:
        return NotImplemented
    batches = batches_in(met)
    if not batches:
        return NotImplemented
    batch = max(batches, key=lambda b: b.depth)
    on_arrays = not any([isinstance(x, Tensor) for x in args])
    given = [x.tensor.detach() if isinstance(x, Outline) else x for x in args]
    if len(given) == 2 and not op.settings and _ARITHMETIC.get(op.forward, False):
        given = _met(op, *given)
    given = [Tensor._of(np.asarray(x)) if isinstance(x, np.ndarray | np.generic) else x for x in given]
    rule = RULES.get(op.forward)
    if rule is None:
        if op.forward in DYNAMIC:
            raise RuntimeError(_DYNAMIC.format(DYNAMIC[op.forward]))
        if op.forward not in ONE_BY_ONE:
            raise RuntimeError(f"vmap: no batching rule for {op.name}. {VALUES}")
        rule = one_by_one
    try:
        out = Batched.around(batch, rule(op, batch, given, settings))
    except (ValueError, TypeError, IndexError) as error:
        raise op.backend.explain(op, error, tuple([getattr(x, "_array", x) for x in given]), settings) from None
    return out._array if on_arrays else out


def _met(op: Any, x: Any, y: Any) -> list[Any]:
    """Two operands in their common dtype, decided by what an example is: a number weighs less than a vector."""
    backend = op.backend
    if not isinstance(y, Tensor):
        return list(backend.weak(op, x, y))
    if not isinstance(x, Tensor):
        return list(backend.weak(op, y, x))[::-1]
    return [x, y] if x._array.dtype is y._array.dtype else list(backend.meet(op, x, y))


_ARITHMETIC = {
    op.forward: True
    for op in vars(elementwise).values()
    if isinstance(op, Op) and len(op.arguments) == 2 and not op.settings
}

"""Hypothesis strategies for tests of tensors: shapes, values, memory layouts, indices, sets of arguments.

Install hypothesis with ``pip install 'tinygrad-edu[check]'``. Whatever fails is shrunk: to fewer dimensions, smaller
sizes, simpler numbers, plainer indices.

Examples
--------
>>> import tinygrad_edu as torch
>>> from hypothesis import given
>>> from tinygrad_edu.testing import strategies
>>> @given(strategies.differentiable_points(kinks=(0.0,)))
... def test_the_gradient_of_relu(x):
...     assert torch.autograd.gradcheck(torch.relu, (x,))
>>> test_the_gradient_of_relu()
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np

from .. import _dtype
from .._creation import from_numpy
from .._dtype import dtype as torch_dtype
from .._tensor import Tensor
from ._draw import LAYOUTS, Draw, Sample, Shape, cases  # first: where hypothesis is missing, this says so
from .table.linalg import product
from .table.nn import convolved

# isort: split
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = [
    "broadcastable_shapes",
    "conv_arguments",
    "differentiable_points",
    "dtypes",
    "indices",
    "layouts",
    "matmul_arguments",
    "shapes",
    "tensors",
]

T = TypeVar("T")

_DTYPES = {
    "floating": (_dtype.float32, _dtype.float64, _dtype.float16),
    "integer": (_dtype.int64, _dtype.int32, _dtype.int16, _dtype.int8, _dtype.uint8),
    "bool": (_dtype.bool,),
}
_DRAWN = 64  # so many elements of a tensor are drawn one by one: hypothesis is not made for thousands


def shapes(
    min_dims: int = 0, max_dims: int = 3, *, max_side: int = 3, allow_empty: bool = True
) -> SearchStrategy[Shape]:
    """Return the strategy of shapes; one in eight has a dimension without elements, unless that is not allowed.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(shapes(), lambda shape: len(shape) == 2)
    (1, 1)
    """
    return cast(
        SearchStrategy[Shape], cases(lambda d: d.shape(min_dims, max_dims, empty=allow_empty, size=max_side)).strategy()
    )


def broadcastable_shapes(
    count: int = 2, *, max_dims: int = 3, max_side: int = 3, allow_empty: bool = True
) -> SearchStrategy[tuple[Shape, ...]]:
    """Return the strategy of ``count`` shapes that broadcast with each other.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(broadcastable_shapes(3))
    ... def test_they_broadcast(shapes):
    ...     np.broadcast_shapes(*shapes)
    >>> test_they_broadcast()
    """

    def make(d: Draw) -> tuple[Shape, ...]:
        common = d.shape(0, max_dims, empty=allow_empty, size=max_side)
        return tuple(d.alike(common, grow=False) for _ in range(count))

    return cases(make).strategy()


def dtypes(*kinds: str) -> SearchStrategy[torch_dtype]:
    """Return the strategy of dtypes: of all, or of the kinds "floating", "integer", "bool".

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(dtypes("integer"), lambda dtype: True)
    torch.int64
    """
    unknown = [kind for kind in kinds if kind not in _DTYPES]
    if unknown:
        raise ValueError(f"dtypes: {unknown[0]!r} is no kind of dtype; choose among {', '.join(map(repr, _DTYPES))}")
    return st.sampled_from([dtype for kind in kinds or _DTYPES for dtype in _DTYPES[kind]])


def layouts() -> SearchStrategy[str]:
    """Return the strategy of the names of memory layouts that `tensors` knows.

    They are "contiguous", "transposed" (column-major), "reversed" (negative strides, which torch lacks), "strided"
    (every second element of a larger block) and "expanded" (the first row repeated with stride 0).

    Examples
    --------
    >>> from hypothesis import find
    >>> find(layouts(), lambda layout: True)
    'contiguous'
    """
    return st.sampled_from(list(LAYOUTS))


def tensors(
    shape: Shape | SearchStrategy[Shape] | None = None,
    dtype: torch_dtype | SearchStrategy[torch_dtype] = _dtype.float32,
    *,
    elements: SearchStrategy[Any] | None = None,
    requires_grad: bool | SearchStrategy[bool] = False,
    layout: str | SearchStrategy[str] = "contiguous",
) -> SearchStrategy[Tensor]:
    """Return the strategy of tensors.

    Parameters
    ----------
    shape, dtype, requires_grad, layout
        Each is a value or a strategy of values: ``dtype=dtypes("floating")``, ``layout=layouts()``. Any of `shapes`
        if none is given. Only floating tensors ever require grad.
    elements
        What the elements are drawn from; by default numbers from -9 to 9 (unsigned: from 0), ties and zeros among them.
        Beyond 64 elements the drawn ones are repeated.

    Examples
    --------
    >>> from hypothesis import find, strategies as st
    >>> find(tensors(), lambda x: x.numel() == 2)
    tensor([0., 0.])
    >>> find(tensors((3,), elements=st.sampled_from([0.0, float("inf")])), lambda x: x.isinf().any())
    tensor([0., 0., inf])
    """

    @st.composite
    def draw_tensor(draw: st.DrawFn) -> Tensor:
        sizes, kind = draw(_either(shapes() if shape is None else shape)), draw(_either(dtype))
        size = math.prod(sizes)
        pool = elements if elements is not None else _ordinary(kind)
        drawn = draw(st.lists(pool, min_size=min(size, _DRAWN), max_size=min(size, _DRAWN)))
        array = np.resize(np.array(drawn, kind.numpy), sizes)
        made = from_numpy(LAYOUTS[draw(_either(layout))](array))
        return made.requires_grad_(draw(_either(requires_grad)) and kind.is_floating_point)

    return draw_tensor()


def _either(given: T | SearchStrategy[T]) -> SearchStrategy[T]:
    """The strategy given, or the one of the value given."""
    return given if isinstance(given, SearchStrategy) else st.just(given)


def _ordinary(dtype: torch_dtype) -> SearchStrategy[Any]:
    if dtype.is_floating_point:
        return st.floats(-9, 9, width=cast(Any, 8 * dtype.itemsize), allow_subnormal=False)
    return st.booleans() if dtype is _dtype.bool else st.integers(-9 if dtype.is_signed else 0, 9)


def differentiable_points(
    shape: Shape | SearchStrategy[Shape] | None = None,
    *,
    kinks: Sequence[float] = (0.0,),
    gap: float = 0.05,
    low: float = -2.0,
    high: float = 2.0,
    requires_grad: bool = True,
) -> SearchStrategy[Tensor]:
    """Return the strategy of float64 tensors whose derivatives central differences can find.

    No two elements are equal, so that maxima, sorting and medians are smooth there, and all lie in [low, high], at
    least ``gap`` from every one of ``kinks``, the points where the function under test bends or breaks: ``(0.0,)`` for relu
    and abs, ``(-1.0, 1.0)`` for clamp(-1, 1), ``()`` for smooth functions.

    Raises
    ------
    ValueError
        If [low, high] has no room for so many points away from the kinks; raised when drawing.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(differentiable_points((3,)), lambda x: True)
    tensor([ 1., -1.,  2.], dtype=torch.float64, requires_grad=True)
    """

    @st.composite
    def draw_points(draw: st.DrawFn) -> Tensor:
        sizes = draw(_either(shapes() if shape is None else shape))
        size = math.prod(sizes)
        candidates = _points(size, kinks, gap, low, high)
        count = min(size, _DRAWN)
        drawn = draw(st.lists(st.sampled_from(candidates), min_size=count, max_size=count, unique=True)) if size else []
        rest = sorted(set(candidates) - set(drawn), key=candidates.index) if size > _DRAWN else []
        array = np.array([*drawn, *rest][:size], np.float64).reshape(sizes)
        return from_numpy(array).requires_grad_(requires_grad)

    return draw_points()


def _points(size: int, kinks: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Points of a grid away from the kinks, twice as many as are needed, the simplest first: 1, -1, 2, -2, 0.5, ..."""
    for power in range(1, 20):
        step = 0.5**power
        grid = [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
        found = [x for x in grid if all(abs(x - kink) >= gap for kink in kinks)]
        if len(found) >= 2 * size:
            return sorted(found, key=lambda x: (x.as_integer_ratio()[1], abs(x), x < 0))
        if len(grid) > 1000 * (size + 1):
            break
    raise ValueError(
        f"differentiable_points: [{low}, {high}] has no room for {size} points at least {gap} from {list(kinks)}: widen the "
        "range, or make the gap smaller"
    )


def indices(shape: Shape, *, advanced: bool = True) -> SearchStrategy[Any]:
    """Return the strategy of what may stand in brackets behind a tensor of this shape: ``x[index]``.

    Integers from either end, slices that may reach beyond it, None, the ellipsis, and (if ``advanced``) arrays of
    integers, repeated ones among them, and masks; one of these or a tuple of several. NumPy and torch take them too,
    but NumPy orders the dimensions otherwise where an integer and an array are not neighbours, and torch takes a mask of
    several dimensions before an ellipsis as it is meant only if the mask is a tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from hypothesis import given
    >>> @given(indices((2, 3)))
    ... def test_reading_twice_gives_the_same(index):
    ...     x = torch.arange(6).reshape(2, 3)
    ...     assert torch.equal(x[index], x.clone()[index])
    >>> test_reading_twice_gives_the_same()
    """

    def make(d: Draw) -> tuple[Any, ...]:
        items = _index(d, shape, advanced)
        return (items[0] if len(items) == 1 and d.flag() else tuple(items),)

    return cases(make).strategy().map(lambda case: case[0])


def _index(d: Draw, shape: Shape, advanced: bool) -> list[Any]:
    """Draw what stands between the brackets: items for the first dimensions, an ellipsis, items for the last ones."""
    before = d.integer(0, len(shape))
    after = d.integer(0, len(shape) - before) if d.flag() else 0
    arrays = d.pick("integers", "mask") if advanced else "none"  # the lengths of both would have to agree
    length = d.pick((2,), (3,), (1,), (2, 1), (0,))  # of all arrays of integers, so that they broadcast
    items = _items(d, shape[:before], arrays, length)
    if after or not items or d.flag():
        items.append(Ellipsis)
    return [*items, *_items(d, shape[len(shape) - after :], "none" if arrays == "mask" else arrays, length)]


def _items(d: Draw, sizes: Shape, arrays: str, length: Shape) -> list[Any]:
    """Draw an item for each of some neighbouring dimensions, None between them, and at most one mask."""
    items: list[Any] = []
    at = 0
    while at < len(sizes):
        n = sizes[at]
        if d.integer(0, 5) == 5:
            items.append(None)
        kind = d.pick("slice", "integer", arrays)
        if kind == "integer" and n:
            items.append(d.integer(-n, n - 1))
        elif kind == "integers" and n:
            items.append(d.whole(d.pick(length, (1,)), -n, n))
        elif kind == "mask":
            covered = d.integer(1, len(sizes) - at)
            items.append(d.mask(sizes[at : at + covered]))
            at, arrays = at + covered - 1, "none"
        else:
            first, last = (d.integer(-n - 1, n + 1) if d.flag() else None for _ in range(2))
            items.append(slice(first, last, d.pick(None, 1, 2, 3)))
        at += 1
    return items


def matmul_arguments(
    *, dtype: torch_dtype = _dtype.float64, requires_grad: bool = True
) -> SearchStrategy[tuple[Tensor, Tensor]]:
    """Return the strategy of two tensors that matmul takes: vectors, matrices, batches that broadcast, empty ones.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from hypothesis import given
    >>> @given(matmul_arguments())
    ... def test_the_gradients_of_matmul(pair):
    ...     assert torch.autograd.gradcheck(torch.matmul, pair)
    >>> test_the_gradients_of_matmul()
    """

    def make(d: Draw) -> tuple[Any, ...]:
        return cast(tuple[Any, ...], product(d, 0))  # type: ignore[no-untyped-call]  # the op table is data

    return cases(make).strategy().map(lambda case: _as_arguments(case, dtype, requires_grad))


def conv_arguments(
    dims: int = 2, *, dtype: torch_dtype = _dtype.float64, requires_grad: bool = True
) -> SearchStrategy[tuple[Any, ...]]:
    """Return the strategy of the arguments of conv1d, conv2d or conv3d.

    They are (input, weight, bias or None, stride, padding, dilation, groups); the input may be without a batch, and
    the kernel always fits.

    Raises
    ------
    ValueError
        If ``dims`` is not 1, 2 or 3.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from hypothesis import given
    >>> @given(conv_arguments(1))
    ... def test_an_input_of_zeros_gives_the_bias(arguments):
    ...     x, weight, bias, *settings = arguments
    ...     y = torch.nn.functional.conv1d(torch.zeros_like(x), weight, bias, *settings)
    ...     assert (y == (0 if bias is None else bias[:, None])).all()
    >>> test_an_input_of_zeros_gives_the_bias()
    """
    if dims not in (1, 2, 3):
        raise ValueError(f"conv_arguments: convolutions have 1, 2 or 3 dimensions, not {dims!r}")
    sample: Sample = convolved(dims)  # type: ignore[no-untyped-call]  # the op table is data
    return sample.strategy().map(lambda case: _as_arguments(case, dtype, requires_grad))


def _as_arguments(case: tuple[Any, ...], dtype: torch_dtype, requires_grad: bool) -> Any:
    """Make tensors of the arrays of a case of the op table."""
    return tuple(
        from_numpy(x).to(dtype).requires_grad_(requires_grad) if isinstance(x, np.ndarray) else x for x in case
    )

"""Making tensors: of data, of NumPy arrays, of a shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _dtype
from ._allocator import LARGE, keep_freed_memory
from ._arrays import array_of
from ._dtype import dtype as dtype_
from ._functions._common import into, sizes
from ._tensor import Tensor
from ._types import check_device
from ._types import device as device_

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "scalar_tensor",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]

Device = device_ | str | int | None


def size_of(*size: Any) -> tuple[int, ...]:
    """The shape in ``f(2, 3)`` as well as in ``f((2, 3))``.

    Raises
    ------
    RuntimeError
        For a negative size.
    """
    shape = sizes(size)
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
    return shape


def _made(array: Any, requires_grad: bool, out: Tensor | None = None) -> Tensor:
    """Wrap a new array, or write it where ``out=`` asks for it."""
    if array.nbytes > LARGE:
        keep_freed_memory()
    made = Tensor._of(array)
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients, and this one would be "
            f"{_dtype.of(array.dtype)}. Write 1. instead of 1, or give dtype=torch.float32."
        )
    if out is not None:
        made = into(out, made, "out")
    return made.requires_grad_() if requires_grad else made


def _numpy(dtype: dtype_ | None) -> np.dtype[Any]:
    return _dtype.default.numpy if dtype is None else _dtype.as_numpy(dtype)


def tensor(
    data: Any,
    *,
    dtype: dtype_ | None = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Make a tensor of numbers, nested sequences or arrays, copying them.

    Python floats become float32 (the default dtype), ints int64, bools bool; arrays keep their dtype.

    Raises
    ------
    ValueError
        For rows of different lengths.
    TypeError
        For what is not a number.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    >>> torch.tensor([1, 2]).dtype
    torch.int64
    """
    check_device(device)
    out = _made(array_of(data, None if dtype is None else _dtype.as_numpy(dtype)), requires_grad)
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        if data._current_node is not None and not requires_grad:
            out._cut = "item"
    elif not requires_grad and _has_history(data):
        out._cut = "item"
    return out


def _has_history(data: Any) -> bool:
    """Does a list hold tensors that require grad? They are cut off by becoming numbers."""
    return isinstance(data, list | tuple) and any([isinstance(x, Tensor) and x._current_node is not None for x in data])


def as_tensor(data: Any, dtype: dtype_ | None = None, device: Device = None) -> Tensor:
    """Make a tensor, sharing memory with an array or a tensor where the dtype allows.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.as_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return tensor(data, dtype=dtype)


asarray = as_tensor


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """Share the memory of a NumPy array: a write into one is seen in the other.

    Raises
    ------
    TypeError
        If it is no array, or of a dtype that torch lacks.

    Examples
    --------
    >>> import numpy as np, tinygrad_edu as torch
    >>> a = np.zeros(2)
    >>> t = torch.from_numpy(a)
    >>> a[0] = 5
    >>> t
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    native = _dtype.of(ndarray.dtype.newbyteorder("=") if not ndarray.dtype.isnative else ndarray.dtype).numpy
    if not ndarray.dtype.isnative:
        raise TypeError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is currently not supported."
        )
    shared = ndarray if ndarray.dtype is native else ndarray.view(native)
    return _made(np.asarray(shared), False)


def zeros(
    *size: int | Sequence[int],
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Make a tensor of zeros.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    check_device(device)
    return _made(np.zeros(size_of(*size), _numpy(dtype)), requires_grad, out)


def ones(
    *size: int | Sequence[int],
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Make a tensor of ones.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.ones(3)
    tensor([1., 1., 1.])
    """
    check_device(device)
    return _made(np.ones(size_of(*size), _numpy(dtype)), requires_grad, out)


def empty(
    *size: int | Sequence[int],
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Make a tensor whose values are not to be relied on (here they are zeros).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    return zeros(*size, out=out, dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    size: Sequence[int],
    fill_value: float,
    *,
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a tensor that holds one number; its dtype follows the number.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.full((2,), 7)
    tensor([7, 7])
    """
    check_device(device)
    number = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    d = array_of(number).dtype if dtype is None else _dtype.as_numpy(dtype)
    return _made(np.full(size_of(size), number, d), requires_grad, out)


def _like(input: Tensor, value: Any, dtype: dtype_ | None, device: Device, requires_grad: bool) -> Tensor:
    check_device(device)
    d = input._array.dtype if dtype is None else _dtype.as_numpy(dtype)
    array = input._array
    if not isinstance(array, np.ndarray | np.generic):  # inside vmap: of each example
        return input._fresh((array.shape,), value, d, None, requires_grad)
    return _made(np.full_like(np.asarray(array), value, d, subok=False), requires_grad)


def zeros_like(
    input: Tensor,
    *,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Make zeros in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.zeros_like(torch.tensor([1.0, 2.0]))
    tensor([0., 0.])
    """
    return _like(input, 0, dtype, device, requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Make ones in the shape and dtype of another tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.ones_like(torch.tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    return _like(input, 1, dtype, device, requires_grad)


def empty_like(
    input: Tensor,
    *,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Make a tensor in the shape and dtype of another, its values not to be relied on (here zeros).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.empty_like(torch.tensor([1.0, 2.0])).shape
    torch.Size([2])
    """
    return _like(input, 0, dtype, device, requires_grad)


def full_like(
    input: Tensor,
    fill_value: float,
    *,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
    memory_format: object = None,
) -> Tensor:
    """Make a tensor that holds one number, in the shape and dtype of another.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.full_like(torch.tensor([1.0, 2.0]), 7)
    tensor([7., 7.])
    """
    return _like(input, fill_value, dtype, device, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make a matrix with ones on the diagonal.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_device(device)
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return _made(np.eye(n, m, dtype=_numpy(dtype)), requires_grad, out)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Count from ``start`` (0) up to, not including, ``end``.

    Raises
    ------
    RuntimeError
        If the step is 0 or leads away from the end.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.arange(3), torch.arange(1, 2, 0.5)
    (tensor([0, 1, 2]), tensor([1.0000, 1.5000]))
    """
    check_device(device)
    if end is None:
        start, end = 0, start
    start, end, step = [x.item() if isinstance(x, Tensor | np.generic) else x for x in (start, end, step)]
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all([isinstance(x, int) for x in (start, end, step)])
    d = (_dtype.int64.numpy if whole else _dtype.default.numpy) if dtype is None else _dtype.as_numpy(dtype)
    count = math.ceil((end - start) / step) if not whole else -((start - end) // step)
    counted = np.arange(count, dtype=np.int64 if whole else np.float64)
    return _made((start + counted * step).astype(d), requires_grad, out)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make ``steps`` numbers at equal distances from ``start`` to ``end``, both included.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    check_device(device)
    start, end = [x.item() if isinstance(x, Tensor | np.generic) else x for x in (start, end)]
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    return _made(_spaced(start, end, steps, _numpy(dtype)), requires_grad, out)


def _spaced(start: float, end: float, steps: int, d: np.dtype[Any]) -> Any:
    """Equal distances, computed from both ends towards the middle as torch does, in the dtype itself."""
    if steps == 1:
        return np.array([start], d)
    if d.kind != "f":
        step = np.float32((float(end) - float(start)) / (steps - 1)) if steps > 1 else np.float32(0)
        k = np.arange(steps)
        values = np.where(k < steps // 2, start + step * k, end - step * (steps - k - 1))
        return values.astype(d)
    first, last = d.type(start), d.type(end)
    step = (last - first) / d.type(steps - 1) if steps > 1 else d.type(0)
    k = np.arange(steps)
    low, high = k.astype(d), (steps - k - 1).astype(d)
    if d.itemsize == 4:  # torch fuses the product and the sum into one rounding
        up = (np.float64(first) + np.float64(step) * low).astype(d)
        down = (np.float64(last) - np.float64(step) * high).astype(d)
    else:
        up, down = first + step * low, last - step * high
    return np.where(k < steps // 2, up, down).astype(d)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: dtype_ | None = None,
    layout: object = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Make powers of ``base`` with exponents at equal distances.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_device(device)
    start, end = [x.item() if isinstance(x, Tensor | np.generic) else x for x in (start, end)]
    exponents = np.linspace(start, end, steps)
    return _made((base**exponents).astype(_numpy(dtype)), requires_grad, out)


def scalar_tensor(
    s: float, *, dtype: dtype_ | None = None, device: Device = None, requires_grad: bool = False
) -> Tensor:
    """Make a 0-d tensor of the default dtype.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.scalar_tensor(3)
    tensor(3.)
    """
    check_device(device)
    return _made(np.asarray(s, _numpy(dtype)), requires_grad)


def tril_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """Find the places of the lower triangle of a matrix.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _made(np.stack(np.tril_indices(row, offset, col)), False)


def triu_indices(row: int, col: int, offset: int = 0) -> Tensor:
    """Find the places of the upper triangle of a matrix.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _made(np.stack(np.triu_indices(row, offset, col)), False)

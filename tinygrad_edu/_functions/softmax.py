"""Softmax and its logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._dtype import as_numpy, scalar_name
from .._dtype import dtype as dtype_type
from .._ops import softmax as _softmax
from ._common import cast, dimension

if TYPE_CHECKING:
    from .._core.op import Op
    from .._tensor import Tensor

__all__ = ["log_softmax", "softmax"]


def _along(op: Op, input: Tensor, dim: int, dtype: dtype_type | None) -> Tensor:
    if dtype is not None:
        input = cast(input, as_numpy(dtype))
    array = input._array
    axis = dimension(dim, array.ndim)
    if array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{op.name}_lastdim_kernel_impl\" not implemented for '{scalar_name(array.dtype)}': {op.name} takes "
            "floating-point numbers; convert with .float(), or give dtype=torch.float32."
        )
    return op(input, axis=axis)


def softmax(input: Tensor, dim: int, dtype: dtype_type | None = None) -> Tensor:
    """Normalise exponentials along ``dim``: exp(x) / sum(exp(x)); the results are positive and sum to one.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.softmax(torch.tensor([0.0, 0.0]), 0)
    tensor([0.5000, 0.5000])
    """
    return _along(_softmax.softmax, input, dim, dtype)


def log_softmax(input: Tensor, dim: int, dtype: dtype_type | None = None) -> Tensor:
    """Take the logarithm of the softmax along ``dim``, stable where the softmax itself underflows.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.log_softmax(torch.tensor([0.0, 1000.0]), 0)
    tensor([-1000.,     0.])
    """
    return _along(_softmax.log_softmax, input, dim, dtype)

"""What scripts ask about the machine: devices that are not here, threads, number formats."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import _blas, _dtype
from ._dtype import dtype
from ._tensor import Tensor
from ._types import CPU, check_device, device

__all__ = [
    "accelerator",
    "backends",
    "can_cast",
    "cuda",
    "finfo",
    "get_default_device",
    "get_num_threads",
    "iinfo",
    "is_floating_point",
    "is_tensor",
    "numel",
    "promote_types",
    "result_type",
    "set_default_device",
    "set_num_threads",
    "typename",
    "use_deterministic_algorithms",
]


def _nothing(*_: Any, **__: Any) -> None:
    """Asked of a device that is not here: nothing to do."""


def _no(*_: Any, **__: Any) -> bool:
    return False


class _NoCuda:
    """torch.cuda on a machine without CUDA."""

    is_available = staticmethod(_no)
    manual_seed = manual_seed_all = synchronize = empty_cache = set_device = staticmethod(_nothing)

    @staticmethod
    def device_count() -> int:
        """How many CUDA devices there are: none."""
        return 0

    def __getattr__(self, name: str) -> Any:
        if name.endswith("Tensor"):
            from . import _legacy

            if hasattr(_legacy, name):
                return getattr(_legacy, name)  # scripts choose between torch.cuda.FloatTensor and torch.FloatTensor
        raise AttributeError(
            f"torch.cuda.{name} is not here: tinygrad_edu computes on the CPU only (torch.cuda.is_available() is False)."
        )


cuda = _NoCuda()
backends = SimpleNamespace(
    mps=SimpleNamespace(is_available=_no, is_built=_no),
    cuda=SimpleNamespace(is_built=_no, matmul=SimpleNamespace(allow_tf32=False)),
    cudnn=SimpleNamespace(is_available=_no, enabled=False, benchmark=False, deterministic=False),
)
accelerator = SimpleNamespace(is_available=_no, current_accelerator=_nothing, device_count=lambda: 0)


def get_default_device() -> device:
    """Tell where new tensors live: the CPU.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.get_default_device()
    device(type='cpu')
    """
    return CPU


def set_default_device(device: device | str | None) -> None:
    """Accept the CPU, refuse anything else.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.set_default_device("cpu")
    """
    check_device(device)


def get_num_threads() -> int:
    """Tell how many threads the products of matrices may use.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.get_num_threads() >= 1
    True
    """
    return _blas.get_threads() or os.cpu_count() or 1


def set_num_threads(n: int) -> None:
    """Let the products of matrices use ``n`` threads.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.set_num_threads(1)
    """
    if n < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    _blas.set_threads(n)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accept torch's call: every algorithm here is deterministic.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.use_deterministic_algorithms(True)
    """


class finfo:
    """The limits of a floating dtype.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.finfo(torch.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        d = type or _dtype.default.dtype
        if not d.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{d}'")
        limits = np.finfo(d.numpy)
        self.bits = limits.bits
        self.eps, self.max, self.min, self.tiny = (
            float(limits.eps),
            float(limits.max),
            float(limits.min),
            float(limits.tiny),
        )
        self.smallest_normal, self.resolution, self.dtype = self.tiny, float(limits.resolution), d.name

    def __repr__(self) -> str:
        return f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.iinfo(torch.uint8).max
    255
    """

    def __init__(self, type: dtype) -> None:
        if type.numpy.kind not in "iu":
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle floating point types"
            )
        limits = np.iinfo(type.numpy)
        self.bits, self.min, self.max, self.dtype = limits.bits, int(limits.min), int(limits.max), type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


def is_tensor(obj: object) -> bool:
    """Is ``obj`` a Tensor?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.is_tensor(3)
    False
    """
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Is the dtype of ``input`` a floating one?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.is_floating_point(torch.tensor(1))
    False
    """
    return input.is_floating_point()


def typename(obj: object) -> str:
    """Name the type of ``obj``; of a tensor the old name, which tells the dtype.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.typename(torch.tensor(1))
    'torch.LongTensor'
    """
    return (
        str(obj.type())
        if isinstance(obj, Tensor)
        else f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix("builtins.")
    )


def numel(input: Tensor) -> int:
    """Count the elements.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.numel(torch.zeros(2, 3))
    6
    """
    return input.numel()


def result_type(tensor1: Tensor | float, tensor2: Tensor | float) -> dtype:
    """Tell the dtype in which two operands are combined.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.result_type(torch.tensor([1]), 2.5)
    torch.float32
    """
    return _dtype.of(_dtype.result_numpy(*[x._array if isinstance(x, Tensor) else x for x in (tensor1, tensor2)]))


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Tell the dtype that holds both.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.promote_types(torch.int32, torch.float16)
    torch.float16
    """
    return _dtype.of(_dtype.pair(type1.numpy, type2.numpy))


def can_cast(from_: dtype, to: dtype) -> bool:
    """May a tensor of one dtype be written into one of the other?

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.can_cast(torch.float32, torch.int64)
    False
    """
    order = "biuf"
    source, target = from_.numpy.kind, to.numpy.kind
    return not (source == "f" != target) and not (target == "b" != source) and source in order

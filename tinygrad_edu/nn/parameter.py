"""Tensors that belong to a Module: parameters are learnt, buffers only kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

from .._creation import empty
from .._tensor import Tensor

__all__ = ["Buffer", "Parameter"]

Kept = TypeVar("Kept", bound=Tensor)


class Parameter(Tensor):
    """A tensor that a Module learns: assigned as an attribute, it appears in ``parameters()``.

    Shares memory with ``data``; requires grad unless told otherwise, whatever ``data`` did.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)

    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        """Make a leaf over the memory of ``data``."""
        made = _over(cls, data)
        made.requires_grad_(requires_grad)
        return made

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        """Nothing is left to do: ``__new__`` made the whole."""

    def __repr__(self) -> str:  # type: ignore[override]  # torch's takes no arguments here
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, object]) -> Parameter:
        known = memo.get(id(self))
        if isinstance(known, Parameter):
            return known
        copied = type(self)(self.detach().clone(), self.requires_grad)
        copied.__dict__.update(self.__dict__)
        memo[id(self)] = copied
        return copied

    def __reduce_ex__(
        self, protocol: object
    ) -> tuple[Callable[..., Parameter], tuple[type[Parameter], Tensor, bool, dict[str, object]]]:
        return _rebuild, (type(self), self.detach(), self.requires_grad, self.__dict__)


class Buffer(Tensor):
    """A tensor that a Module keeps without learning it: assigned as an attribute, it appears in ``buffers()``.

    Parameters
    ----------
    persistent
        Whether it is part of ``state_dict()``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> module = torch.nn.Module()
    >>> module.count = torch.nn.Buffer(torch.zeros(1))
    >>> list(module.state_dict())
    ['count']

    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        """Make a tensor over the memory of ``data``."""
        buffer = _over(cls, data)
        buffer.persistent = persistent
        return buffer

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        """Nothing is left to do: ``__new__`` made the whole."""

    def __deepcopy__(self, memo: dict[int, object]) -> Buffer:
        copied = type(self)(self.detach().clone(), persistent=self.persistent)
        memo[id(self)] = copied
        return copied

    def __reduce_ex__(self, protocol: object) -> tuple[Callable[..., Buffer], tuple[Tensor, bool]]:
        return _rebuild_buffer, (self.detach(), self.persistent)


def _over(cls: type[Kept], data: Tensor | None) -> Kept:
    """Make a leaf of class ``cls`` over the memory of ``data``."""
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__}: argument 'data' must be Tensor, not {type(data).__name__}: write "
            f"nn.{cls.__name__}(torch.tensor(...)), with a dot in the numbers for floats"
        )
    made: Kept = cls._of(data._writable())
    return made


def _rebuild(cls: type[Parameter], data: Tensor, requires_grad: bool, state: dict[str, object]) -> Parameter:
    """Undo ``Parameter.__reduce_ex__``."""
    parameter = cls(data, requires_grad)
    parameter.__dict__.update(state)
    return parameter


def _rebuild_buffer(data: Tensor, persistent: bool) -> Buffer:
    """Undo ``Buffer.__reduce_ex__``."""
    return Buffer(data, persistent=persistent)

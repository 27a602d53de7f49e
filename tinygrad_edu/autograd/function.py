"""torch.autograd.function: where torch keeps what custom functions need."""

from ._function import Function, FunctionCtx, once_differentiable

__all__ = ["Function", "FunctionCtx", "once_differentiable"]

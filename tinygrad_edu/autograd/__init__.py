"""Differentiation: backward, grad, the modes, custom functions, the debugger."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from .._core.modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from .._differentiate import backward, grad
from .._lazy import on_first_use as _on_first_use
from ._anomaly import detect_anomaly, set_detect_anomaly
from ._function import Function, Variable, once_differentiable

from . import function  # isort: skip  # torch.autograd.function.once_differentiable, as torch spells it
from . import gradcheck as _gradcheck_file  # isort: skip  # imported now, so that no later import sets it here:

del _gradcheck_file, globals()["gradcheck"]  # as in torch, the name belongs to the function, whatever file is imported

if _TYPE_CHECKING:
    from . import functional
    from ._gradcheck import gradcheck, gradgradcheck

__getattr__, __dir__ = _on_first_use(
    __name__, functional="functional", gradcheck="_gradcheck", gradgradcheck="_gradcheck"
)

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
]

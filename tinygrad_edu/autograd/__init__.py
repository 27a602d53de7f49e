"""Differentiation: backward, grad, the modes, custom functions, the debugger."""

from .._core.modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from .._differentiate import backward, grad
from ._anomaly import detect_anomaly, set_detect_anomaly
from ._function import Function, Variable, once_differentiable

from . import function, functional  # isort: skip  # torch.autograd.function.once_differentiable, as torch spells it
from .gradcheck import gradcheck, gradgradcheck  # isort: skip  # the function takes the name of its file, as in torch

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

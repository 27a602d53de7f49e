"""Adadelta."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._tensor import Tensor
from ._arithmetic import add_product, add_scaled, constants, pieces, sum_scaled
from ._optimizer import (
    Group,
    Optimizer,
    Params,
    check_least_zero,
    check_lr,
    counted,
    number,
    writable,
    zeros_like,
)
from ._together import Moving

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """Scale each step by the ratio of two running root mean squares: of past steps, and of gradients.

    v = rho * v + (1 - rho) * g * g, d = sqrt(u + eps) / sqrt(v + eps) * g, u = rho * u + (1 - rho) * d * d and
    p -= lr * d: the step has the units of the parameter.

    Source: Zeiler, ADADELTA: an adaptive learning rate method (2012).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9968], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}: it must lie from 0 to 1")
        check_least_zero(epsilon=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, group: Group, moving: Moving) -> None:
        rho, decay = group["rho"], group["weight_decay"]
        settings = (-number(group["lr"]), rho, 1 - rho, group["eps"], decay)
        ready: dict[np.dtype[Any], list[Any]] = {}
        for p, array, g in moving:
            state = self._state_of(p)
            if not state:
                state["step"] = Tensor._of(np.zeros((), np.float32))
                state["square_avg"] = zeros_like(p)
                state["acc_delta"] = zeros_like(p)
            counted(state)
            if array.dtype not in ready:
                ready[array.dtype] = constants(array.dtype, *settings)
            rate, keep, share, eps, shrink = ready[array.dtype]
            for x, dx, v, u in pieces(array, g, writable(state["square_avg"]), writable(state["acc_delta"])):
                if decay:
                    dx = sum_scaled(dx, x, shrink)
                v *= keep
                add_product(v, dx, dx, share)
                step = root_of_sum(u, eps)
                step /= root_of_sum(v, eps)
                step *= dx
                u *= keep
                add_product(u, step, step, share)
                add_scaled(x, step, rate)


def root_of_sum(x: Any, eps: Any) -> Any:
    """sqrt(x + eps), in the dtype of x."""
    return np.sqrt(np.add(x, eps, dtype=eps.dtype).astype(x.dtype, copy=False))

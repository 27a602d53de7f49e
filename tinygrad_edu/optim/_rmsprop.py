"""RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._tensor import Tensor
from ._arithmetic import add_product, add_quotient, add_scaled, blend, constants, pieces, sum_scaled
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

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Divide each step by a running root mean square of the gradient.

    v = alpha * v + (1 - alpha) * g * g and p -= lr * g / (sqrt(v) + eps); ``centered`` subtracts the square of the
    running mean from v; with momentum the quotient is gathered as velocity.

    Source: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5 (2012); centered: Graves (2013).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_least_zero(epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _update(self, group: Group, moving: Moving) -> None:
        momentum, centered, decay, alpha = group["momentum"], group["centered"], group["weight_decay"], group["alpha"]
        settings = (-number(group["lr"]), alpha, 1 - alpha, group["eps"], momentum, decay, 1.0, -1.0)
        ready: dict[np.dtype[Any], list[Any]] = {}
        for p, array, g in moving:
            state = self._state_of(p)
            if not state:
                state["step"] = Tensor._of(np.zeros((), np.float32))
                state["square_avg"] = zeros_like(p)
                if momentum > 0:
                    state["momentum_buffer"] = zeros_like(p)
                if centered:
                    state["grad_avg"] = zeros_like(p)
            counted(state)
            if array.dtype not in ready:
                ready[array.dtype] = constants(array.dtype, *settings)
            rate, keep, share, eps, friction, shrink, one, minus = ready[array.dtype]
            arrays = [array, g, writable(state["square_avg"])]
            arrays += [writable(state["momentum_buffer"])] if momentum > 0 else []
            arrays += [writable(state["grad_avg"])] if centered else []
            for x, dx, v, *more in pieces(*arrays):
                if decay:
                    dx = sum_scaled(dx, x, shrink)
                v *= keep
                add_product(v, dx, dx, share)
                if centered:
                    mean = more[-1]
                    blend(mean, dx, share)
                    spread = np.array(v)
                    add_product(spread, mean, mean, minus)
                    spread = np.sqrt(spread)
                else:
                    spread = np.sqrt(v)
                spread += eps
                if momentum > 0:
                    velocity = more[0]
                    velocity *= friction
                    add_quotient(velocity, dx, spread, one)
                    add_scaled(x, velocity, rate)
                else:
                    add_quotient(x, dx, spread, rate)

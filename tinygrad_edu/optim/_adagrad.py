"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._tensor import Tensor
from ._arithmetic import add_product, add_quotient, constants, pieces, sum_scaled
from ._optimizer import (
    Group,
    Optimizer,
    Params,
    check_least_zero,
    check_lr,
    check_ways,
    counted,
    number,
    writable,
)
from ._together import Bundle, Moving

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """Divide each step by the root of the sum of all squared gradients so far.

    s += g * g and p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps).

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods (2011).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_least_zero(
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            epsilon=eps,
        )
        check_ways(fused, differentiable, foreach)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(p)

    def _begin(self, p: Tensor | Bundle) -> None:
        """Give a parameter its state: no steps, and the sum it starts with."""
        sums = np.full_like(p._array, self.defaults["initial_accumulator_value"])
        self._state_of(p).update(step=Tensor._of(np.zeros((), np.float32)), sum=Tensor._of(sums))

    def _update(self, group: Group, moving: Moving) -> None:
        lr, slowing, decay = number(group["lr"]), group["lr_decay"], group["weight_decay"]
        ready: dict[tuple[np.dtype[Any], float], list[Any]] = {}
        for p, array, g in moving:
            state = self._state_of(p)
            if not state:
                self._begin(p)
            step = counted(state)
            case = (array.dtype, step)
            if case not in ready:
                ready[case] = constants(array.dtype, -lr / (1 + (step - 1) * slowing), group["eps"], decay, 1.0)
            rate, eps, shrink, one = ready[case]
            for x, dx, sums in pieces(array, g, writable(state["sum"])):
                if decay:
                    dx = sum_scaled(dx, x, shrink)
                add_product(sums, dx, dx, one)
                spread = np.sqrt(sums)
                spread += eps
                add_quotient(x, dx, spread, rate)

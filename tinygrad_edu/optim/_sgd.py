"""Stochastic gradient descent."""

from __future__ import annotations

import numpy as np

from .._tensor import Tensor
from ._arithmetic import add_scaled, constants, pieces, sum_scaled
from ._optimizer import Group, Optimizer, Params, check_least_zero, check_lr, check_ways, number, writable
from ._together import Moving

__all__ = ["SGD"]


class SGD(Optimizer):
    """Move each parameter against its gradient: p -= lr * g, if wanted with momentum.

    With momentum, v = momentum * v + (1 - dampening) * g and p -= lr * v; with Nesterov's,
    p -= lr * (g + momentum * v). Weight decay adds weight_decay * p to g.

    Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum (2013).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    _small_together = (
        False  # the rule is a few calls, no more than laying together and back: LeNet takes 54 us either way
    )

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_least_zero(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_ways(fused, differentiable, foreach)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _update(self, group: Group, moving: Moving) -> None:
        momentum, decay, nesterov = group["momentum"], group["weight_decay"], group["nesterov"]
        settings = (-number(group["lr"]), momentum, 1 - group["dampening"], number(decay))
        kind = None
        for p, array, g in moving:
            if array.dtype is not kind:
                kind = array.dtype
                rate, friction, share, shrink = constants(kind, *settings)
            if momentum == 0:
                for x, dx in pieces(array, g):
                    add_scaled(x, sum_scaled(dx, x, shrink) if decay else dx, rate)
                continue
            state = self.state[p]
            first = state.get("momentum_buffer") is None
            if first:
                state["momentum_buffer"] = Tensor._of(np.empty_like(np.asarray(g)))
            for x, dx, v in pieces(array, g, writable(state["momentum_buffer"])):
                if decay:
                    dx = sum_scaled(dx, x, shrink)
                if first:
                    v[...] = dx
                else:
                    v *= friction
                    add_scaled(v, dx, share)
                add_scaled(x, sum_scaled(dx, v, friction) if nesterov else v, rate)

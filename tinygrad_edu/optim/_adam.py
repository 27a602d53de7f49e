"""Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._tensor import Tensor
from ._arithmetic import add_product, add_quotient, blend, constants, pieces, sum_scaled
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
    zeros_like,
)
from ._together import Moving

__all__ = ["Adam"]


class Adam(Optimizer):
    """Scale each step by running averages of the gradient and of its square.

    m = b1 * m + (1 - b1) * g and v = b2 * v + (1 - b2) * g * g start at zero; the corrections 1 - b1**t and 1 - b2**t
    undo that: p -= lr * (m / (1 - b1**t)) / (sqrt(v / (1 - b2**t)) + eps). With ``amsgrad`` the largest v so far
    stands in the root (Reddi, Kale and Kumar 2018).

    Source: Kingma and Ba, Adam: a method for stochastic optimization (2015).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_lr(lr)
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}: it must not be negative")
        for index, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {beta}: it must lie from 0 to below 1")
        check_least_zero(weight_decay=weight_decay)
        if not (all(isinstance(beta, float) for beta in betas) or all(isinstance(beta, Tensor) for beta in betas)):
            raise ValueError("betas must be either both floats or both Tensors: write 0.0 for 0")
        for index, beta in enumerate(betas):
            if isinstance(beta, Tensor) and beta.numel() != 1:
                raise ValueError(f"Tensor betas[{index}] must be 1-element")
        check_ways(fused, differentiable, foreach)
        defaults = {
            "lr": lr,
            "betas": tuple(beta.squeeze() if isinstance(beta, Tensor) else beta for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _update(self, group: Group, moving: Moving) -> None:
        beta1, beta2 = (number(beta) for beta in group["betas"])
        lr, decay, decoupled, amsgrad = (
            number(group["lr"]),
            group["weight_decay"],
            group["decoupled_weight_decay"],
            group["amsgrad"],
        )
        ready: dict[tuple[np.dtype[Any], float], list[Any]] = {}
        for p, array, g in moving:
            state = self._state_of(p)
            if not state:
                state["step"] = Tensor._of(np.zeros((), np.float32))
                state["exp_avg"] = zeros_like(p)
                state["exp_avg_sq"] = zeros_like(p)
                if amsgrad:
                    state["max_exp_avg_sq"] = zeros_like(p)
            step = counted(state)
            case = (array.dtype, step)
            if case not in ready:
                rate, root = -lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
                shrink = 1 - lr * decay if decoupled else decay
                ready[case] = constants(array.dtype, 1 - beta1, beta2, 1 - beta2, root, group["eps"], rate, shrink)
            share1, keep2, share2, root, eps, rate, shrink = ready[case]
            arrays = [array, g, writable(state["exp_avg"]), writable(state["exp_avg_sq"])]
            if amsgrad:
                arrays.append(writable(state["max_exp_avg_sq"]))
            for x, dx, m, v, *largest in pieces(*arrays):
                if decay:
                    if decoupled:
                        x *= shrink
                    else:
                        dx = sum_scaled(dx, x, shrink)
                blend(m, dx, share1)
                v *= keep2
                add_product(v, dx, dx, share2)
                if amsgrad:
                    np.maximum(largest[0], v, out=largest[0])
                spread = np.sqrt(largest[0] if amsgrad else v)
                spread /= root
                spread += eps
                add_quotient(x, m, spread, rate)

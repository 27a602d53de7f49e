"""Losses: how far predictions are from targets."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np

from ... import _lint
from ..._functions import broadcast_tensors, xlogy
from ..._functions._common import cast, promoted
from ..._functions.softmax import log_softmax
from ..._ops import loss as _ops
from ..._ops.elementwise import div
from ..._ops.elementwise import where as choose
from ..._ops.index import take
from ..._ops.reduce import total
from ..._ops.shape import reshape_inside
from ..._tensor import Tensor
from ._common import chosen_reduction, need_float, need_tensor, reduced, scalar_type, wrap
from ._linear import pairwise_distance

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

_quotient = div.named("DivBackward1")


# ---- distances


def _pair(name: str, input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Give both in one shape and dtype; warn as torch does if that needs broadcasting."""
    for what, x in (("input", input), ("target", target)):
        if not isinstance(x, Tensor):
            raise AttributeError(
                f"'{type(x).__name__}' object has no attribute 'size': the {what} of {name} must be a Tensor; make one with "
                "torch.tensor(...)."
            )
    if input._array.shape != target._array.shape:
        if _lint.on:
            _lint.loss_shapes(name, input, target)
        warnings.warn(
            f"Using a target size (torch.Size({list(target.shape)})) that is different to the input size "
            f"(torch.Size({list(input.shape)})). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )
        try:
            shape = np.broadcast_shapes(input.shape, target.shape)
        except ValueError:
            return input + target, target  # the sum says which sizes do not match
        input, target = input.expand(shape), target.expand(shape)
    if input._array.dtype is not target._array.dtype:
        input, target = promoted(input, target)
    return input, target


def _with_weight(loss: Tensor, weight: Tensor, size: object, reduction: str) -> Tensor:
    """Weigh each element's loss; a mean is then taken over the weights."""
    if weight.shape != size:
        raise ValueError("Weights and input must have the same size.")
    weighted = loss * weight
    if reduction == "mean":
        return weighted.sum() / weight.sum()
    return weighted.sum() if reduction == "sum" else weighted


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Average the squared differences.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)

    """
    if size_average is not None or reduce is not None or reduction not in ("mean", "sum", "none"):
        reduction = chosen_reduction(size_average, reduce, reduction)
    try:
        a, b = input._array, target._array
        alike = a.shape == b.shape and a.dtype is b.dtype
    except AttributeError:
        alike = False
    if not alike:
        input, target = _pair("mse_loss", input, target)
        a = input._array
    if weight is not None:
        return _with_weight((input - target) ** 2, weight, input.shape, reduction)
    if a.dtype.kind != "f":
        need_float(input, "mse_cpu")
    return _ops.mse_loss(input, target, reduction=reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Average the absolute differences."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    input, target = _pair("l1_loss", input, target)
    loss = (input - target).abs()
    return reduced(loss, reduction) if weight is None else _with_weight(loss, weight, input.shape, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Square small differences and take large ones as they are (Girshick 2015)."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    input, target = _pair("smooth_l1_loss", input, target)
    if beta == 0.0:
        return reduced((input - target).abs(), reduction)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta. Given {beta}.")
    need_float(input, "smooth_l1_cpu")
    return _ops.smooth_l1_loss(input, target, beta=float(beta), reduction=reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Square small differences and grow in proportion beyond delta (Huber 1964)."""
    reduction = chosen_reduction(None, None, reduction)
    input, target = _pair("huber_loss", input, target)
    if not delta > 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta. Given {delta}.")
    need_float(input, "huber_cpu")
    if weight is None:
        return _ops.huber_loss(input, target, delta=float(delta), reduction=reduction)
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    return reduced(_ops.huber_loss(input, target, delta=float(delta), reduction="none") * weight, reduction)


# ---- classes


def _check_target(target: Tensor) -> None:
    if target._array.dtype.name not in ("int64", "uint8"):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {scalar_type(target)} (expected scalar type Long but found "
            f"{scalar_type(target)}): targets are class numbers; convert with target.long()."
        )


def _out_of_bounds(numbers: np.ndarray, classes: int, ignore_index: int) -> None:
    wrong = (numbers < 0) | (numbers >= classes)
    wrong &= numbers != ignore_index
    if wrong.any():
        raise IndexError(
            f"Target {int(numbers[wrong].flat[0])} is out of bounds. Targets are class numbers from 0 to {classes - 1}, since the "
            f"input has {classes} classes in dimension 1."
        )


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Score logits (N, C, ...) against class numbers (N, ...) or probabilities (N, C, ...).

    The loss of a row is log(sum(exp(x))) - x[target]: give raw scores, not the result of a softmax.

    Raises
    ------
    IndexError
        If a target is no class.
    RuntimeError
        If the targets are neither class numbers (int64) nor probabilities.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.cross_entropy(torch.zeros(2, 4), torch.tensor([0, 3]))
    tensor(1.3863)

    """
    if size_average is not None or reduce is not None or reduction not in ("mean", "sum", "none"):
        reduction = chosen_reduction(size_average, reduce, reduction)
    need_tensor(input, "cross_entropy_loss", "input", 1)
    need_tensor(target, "cross_entropy_loss", "target", 2)
    x, t = input._array, target._array
    if _lint.on:
        _lint.cross_entropy_input(input)
    if (
        weight is None
        and label_smoothing == 0.0
        and x.ndim == 2
        and t.ndim == 1
        and t.size == x.shape[0] != 0
        and t.dtype.char == "l"
        and x.dtype.kind == "f"
        and not 0 <= ignore_index < x.shape[1]
        and t.view(np.uint64).max() < x.shape[1]  # negative numbers read so are huge: one pass finds both ends
    ):
        return _ops.cross_entropy(input, target=t, reduction=reduction)
    return _cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def _cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    """Compose the general case as torch does."""
    if not 0.0 <= smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing:g}")
    dim = 0 if input.ndim <= 1 else 1
    if input.shape == target.shape:
        if target._array.dtype.kind != "f":
            raise RuntimeError(
                f"Expected floating point type for target with class probabilities, got {scalar_type(target)}. Class numbers have "
                "one dimension less than the input; probabilities are floats."
            )
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _cross_entropy_of_probabilities(input, target, weight, reduction, smoothing, dim)
    need_float(input, "log_softmax_lastdim_kernel_impl")
    logs = log_softmax(input, dim)
    if smoothing == 0.0:
        return _nll(logs, target, weight, ignore_index, reduction)
    nll = _nll(logs, target, weight, ignore_index, reduction)
    numbers = target._array
    ignored = numbers == ignore_index
    if weight is not None:
        logs = logs * weight.reshape(-1, *(1 for _ in range(input.ndim - dim - 1)))
    smooth = (-logs.sum(dim)).masked_fill(wrap(ignored), 0.0)
    if reduction == "mean":
        if weight is not None:
            counted = take(weight._array, index=(np.where(ignored, 0, numbers),)) * ~ignored
            smooth = smooth.sum() / wrap(total(counted))
        else:
            smooth = smooth.sum() / wrap(total(~ignored))
    elif reduction == "sum":
        smooth = smooth.sum()
    return nll * (1 - smoothing) + smooth * (smoothing / input.shape[dim])


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float, dim: int
) -> Tensor:
    logs = log_softmax(input, dim)
    classes = input.shape[dim]
    if smoothing > 0.0:
        target = target * (1 - smoothing) + smoothing / classes
    product = logs * target
    if weight is not None:
        product = product * weight.reshape(-1, *(1 for _ in range(input.ndim - dim - 1)))
    if reduction == "none":
        return -product.sum(dim)
    loss = -product.sum()
    return _quotient(loss, max(input.numel() / classes, 1)) if reduction == "mean" else loss


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Score log-probabilities (N, C, ...) against class numbers (N, ...): -x[target].

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.nll_loss(torch.tensor([[-0.5, -1.0]]), torch.tensor([1]))
    tensor(1.)

    """
    return _nll(input, target, weight, ignore_index, chosen_reduction(size_average, reduce, reduction))


def _nll(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    x = input._array
    if x.ndim == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    rows = 1 if x.ndim == 1 else x.shape[0]
    numbers = target._writable()
    if x.ndim > 1 and (numbers.ndim == 0 or rows != numbers.shape[0]):
        given = numbers.shape[0] if numbers.ndim else 1
        if rows != given:
            raise ValueError(
                f"Expected input batch_size ({rows}) to match target batch_size ({given}). input {list(x.shape)}, target "
                f"{list(numbers.shape)}."
            )
    if x.ndim <= 2 and numbers.ndim > 1:
        raise RuntimeError(
            f"0D or 1D target tensor expected, multi-target not supported: target has shape {list(numbers.shape)}. "
            "Use target.squeeze(1) or target.argmax(1)."
        )
    if x.ndim > 2 and numbers.shape != (rows, *x.shape[2:]):
        if numbers.ndim == x.ndim - 1 or x.ndim != 4:
            kind: type[Exception] = ValueError if x.ndim != 4 and x.ndim != 3 else RuntimeError
            if x.ndim in (3, 4):
                raise kind(f"size mismatch (got input: {list(x.shape)} , target: {list(numbers.shape)}")
            raise kind(f"Expected target size {[rows, *x.shape[2:]]}, got {list(numbers.shape)}")
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {numbers.ndim}"
        )
    _check_target(target)
    need_float(input, "nll_loss_out_frame")
    classes = x.shape[0 if x.ndim == 1 else 1]
    if weight is not None:
        if weight.shape != (classes,):
            raise RuntimeError(
                f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: "
                f"{list(weight.shape)}"
            )
        if weight._array.dtype is not x.dtype:
            raise RuntimeError(
                f"expected scalar type {scalar_type(input)} but found {scalar_type(weight)}: give the class weights the dtype "
                "of the input."
            )
    if numbers.dtype.char != "l":
        numbers = numbers.astype(np.int64)
    _out_of_bounds(numbers, classes, ignore_index)
    counted = numbers.reshape(-1) if x.ndim == 1 else numbers
    kept = counted != ignore_index
    safe = counted if kept.all() else np.where(kept, counted, 0)
    share = np.ones(counted.shape, x.dtype) if weight is None else take(weight._array, index=(safe,))
    if safe is not counted:
        share = share * kept
    divisor = None
    if reduction == "mean":
        divisor = total(share)
    elif reduction == "sum":
        divisor = x.dtype.type(1)
    op = _ops.nll_loss
    if x.ndim > 2:
        op = _ops.nll_loss_view if reduction == "none" and x.ndim != 4 else _ops.nll_loss_2d
    if x.ndim > 1:
        return op(input, target=safe, share=share, divisor=divisor)
    row = reshape_inside(input, shape=(1, classes))
    if reduction != "none":
        return op(row, target=safe, share=share, divisor=divisor)
    return _ops.nll_loss_single(
        _ops.nll_loss_inside(row, target=safe, share=share, divisor=divisor), shape=numbers.shape
    )


# ---- probabilities


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Score probabilities against targets in [0, 1]: -(y log x + (1 - y) log(1 - x)).

    Raises
    ------
    RuntimeError
        If an element of the input lies outside [0, 1], or is nan.

    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    need_tensor(input, "binary_cross_entropy", "input", 1)
    need_tensor(target, "binary_cross_entropy", "target", 2)
    if target.shape != input.shape:
        if _lint.on:
            _lint.loss_shapes("binary_cross_entropy", input, target)
        raise ValueError(
            f"Using a target size (torch.Size({list(target.shape)})) that is different to the input size "
            f"(torch.Size({list(input.shape)})) is deprecated. Please ensure they have the same size."
        )
    x, y = input._array, target._array
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"Found dtype {scalar_type(target)} but expected {scalar_type(input)}: convert the target with target.to(input.dtype)."
        )
    need_float(input, "binary_cross_entropy")
    for name, values in (("input", x), ("target", y)):
        if values.size and not ((values >= 0) & (values <= 1)).all():
            raise RuntimeError(
                f"all elements of {name} should be between 0 and 1; they reach from {values.min():g} to {values.max():g}. "
                "For raw scores use binary_cross_entropy_with_logits (BCEWithLogitsLoss), or apply sigmoid first."
            )
    w = None if weight is None else _expanded(weight, input)
    return _ops.binary_cross_entropy(input, target, weight=w, reduction=reduction)


def _expanded(weight: Tensor, input: Tensor) -> np.ndarray:
    """Check that weights broadcast to the input, and give them as a plain array of its dtype."""
    array = weight._array
    try:
        fits = np.broadcast_shapes(array.shape, input._array.shape) == input._array.shape
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"The size of tensor a {list(input.shape)} must match the size of tensor b {list(weight.shape)}: weights broadcast "
            "to the shape of the input."
        )
    return array.astype(input._array.dtype, copy=False)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Score logits against targets in [0, 1], as ``binary_cross_entropy`` of their sigmoid but finite for every logit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([0.0, 1000.0]), torch.tensor([1.0, 1.0]))
    tensor(0.3466)

    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    need_tensor(input, "binary_cross_entropy_with_logits", "input", 1)
    need_tensor(target, "binary_cross_entropy_with_logits", "target", 2)
    if target.shape != input.shape:
        if _lint.on:
            _lint.loss_shapes("binary_cross_entropy_with_logits", input, target)
        raise ValueError(f"Target size ({_size(target)}) must be the same as input size ({_size(input)})")
    if target._array.dtype.kind != "f":
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {scalar_type(target)}: targets are probabilities; "
            "convert with target.float()."
        )
    input = cast(input, target._array.dtype)  # torch computes in the target's dtype
    w = None if weight is None else _expanded(weight, input)
    p = None if pos_weight is None else _expanded(pos_weight, input)
    return _ops.binary_cross_entropy_with_logits(input, target, weight=w, pos_weight=p, reduction=reduction)


def _size(x: Tensor) -> str:
    return f"torch.Size({list(x.shape)})"


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Measure how far a distribution, given by log-probabilities, is from a target (Kullback and Leibler 1951)."""
    if size_average is not None or reduce is not None:
        reduction = chosen_reduction(size_average, reduce, reduction)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    loss = target.exp() * (target - input) if log_target else _x_log_x(target) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return reduced(loss, chosen_reduction(None, None, reduction))


def _x_log_x(x: Tensor) -> Tensor:
    """Compute x log x, which is zero at zero."""
    return xlogy(x, x)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Score rates (or their logarithms) against counts of a Poisson distribution."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:  # Stirling's approximation of log(target!)
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Score means and variances against samples of normal distributions (Nix and Weigend 1994)."""
    if isinstance(var, int | float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = wrap(np.full(input.shape, var, input._array.dtype))
    elif (var._array < 0).any():
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif not (input.shape[:-1] == var.shape[:-1] and var.shape[-1] == 1):
            try:
                fits = np.broadcast_shapes(var.shape, input.shape) == tuple(input.shape)
            except ValueError:
                fits = False
            if not fits:
                raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    at_least = (eps - var).clamp(min=0).detach()  # clamping must not cut the gradient of var
    var = var + at_least
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


# ---- margins


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Take x itself for targets 1, and max(0, margin - x) for targets -1."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    far = choose((margin - input).clamp_min(0), 0.0, condition=target._array != 1)
    near = choose(input, 0.0, condition=target._array != -1)
    return reduced(far + near, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Ask the first input to lead where the target is 1 and to trail where it is -1."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {_size(input1)}, input2: {_size(input2)}, target: {_size(target)} "
        )
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Take 1 - cos for targets 1, and max(0, cos - margin) for targets -1."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if target.ndim not in (0, 1):
        raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported, got {target.ndim}D")
    dim = 1 if target.ndim == 1 else 0
    if input1.ndim != dim + 1 or input2.ndim != dim + 1:
        raise RuntimeError(
            f"{dim}D target tensor expects {dim + 1}D input tensors, but found inputs with sizes {_size(input1)} and {_size(input2)}."
        )
    # torch adds a tiny constant under the roots here, where cosine_similarity bounds the norms from below.
    tiny = 1e-12
    product = (input1 * input2).sum(dim)
    squares = ((input1 * input1).sum(dim) + tiny) * ((input2 * input2).sum(dim) + tiny)
    cos = product / squares.sqrt()
    near = choose(1 - cos, 0.0, condition=target._array == 1)
    far = choose((cos - margin).clamp_min(0), 0.0, condition=target._array == -1)
    return reduced(near + far, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Score against targets 1 and -1: log(1 + exp(-y x))."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if input.shape != target.shape:
        input, target = broadcast_tensors(input, target)
    if input._array.dtype is not target._array.dtype:
        input, target = promoted(input, target)
    return _ops.soft_margin_loss(input, target, reduction=reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Average over classes the binary cross-entropy of logits against targets 0 and 1."""
    from ._activation import logsigmoid

    reduction = chosen_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    dim = input.ndim - 1
    return reduced(loss.sum(dim) / input.shape[dim], reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Ask the target class to lead all others by a margin: the mean over classes of max(0, margin - x[target] + x)^p."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    alone = input.ndim < 2
    x = input.reshape(1, -1) if alone else input
    numbers = target._writable().reshape(-1)
    if numbers.size != x.shape[0]:
        raise RuntimeError(f"inconsistent target size, expected {x.shape[0]} but got {list(target.shape)}")
    if numbers.size and (numbers.min() < 0 or numbers.max() >= x.shape[1]):
        raise RuntimeError(f"target out of range: targets are class numbers from 0 to {x.shape[1] - 1}")
    w = None if weight is None else weight._array
    loss = _ops.multi_margin_loss(x, target=numbers, p=int(p), margin=float(margin), weight=w, reduction=reduction)
    return loss.reshape(()) if alone and reduction == "none" else loss


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Ask every listed class (up to the first -1) to lead every other class by 1."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    alone = input.ndim < 2
    x = input.reshape(1, -1) if alone else input
    lists = np.asarray(target._array).reshape(x.shape)
    listed = np.cumprod(lists >= 0, axis=1).astype(bool)
    other = np.ones(x.shape, bool)
    np.put_along_axis(other, np.where(listed, lists, lists[:, :1]), False, axis=1)
    other[~listed[:, 0]] = True  # a row that lists nothing
    marks = (listed[:, :, None] & other[:, None, :]).astype(x._array.dtype)
    leaders = x.gather(1, wrap(np.where(listed, lists, 0)))
    gaps = (1 - leaders.unsqueeze(2) + x.unsqueeze(1)).relu() * wrap(marks)
    loss = reduced(gaps.sum((1, 2)) / x.shape[1], reduction)
    return loss.reshape(()) if alone and reduction == "none" else loss


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Ask the anchor to be nearer to the positive than to the negative by a margin (Schroff 2015)."""
    reduction = chosen_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return reduced((near - far + margin).clamp_min(0), reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """As ``triplet_margin_loss``, with a distance of your own."""
    distance = pairwise_distance if distance_function is None else distance_function
    reduction = chosen_reduction(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((near - far + margin).clamp_min(0), reduction)

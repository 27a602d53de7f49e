"""Normalisation: mean zero and variance one over a batch, a layer, groups of channels or single images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..._errors import where as _where
from ..._ops import norm as _ops
from ..._ops import reduce as _reduce
from ..._tensor import Tensor
from ._common import need_float, scalar_type

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise over the last dimensions: (x - mean) / sqrt(variance + eps) * weight + bias (Ba 2016).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    x = input._array
    shape = tuple(normalized_shape)
    lead = x.ndim - len(shape)
    if (
        not shape
        or lead < 0
        or x.shape[lead:] != shape
        or not _same_shape(weight, shape)
        or not _same_shape(bias, shape)
    ):
        _check_layer(input, shape, weight, bias)
    if x.dtype.kind != "f":
        need_float(input, "LayerNormKernelImpl")
    _same_dtype(input, weight, bias)
    axis = tuple(range(lead, x.ndim))
    return _ops.layer_norm(input, weight, bias, axis=axis, groups=x.shape, weights=shape, parameters=shape, eps=eps)


def _same_shape(parameter: Tensor | None, shape: tuple[int, ...]) -> bool:
    return parameter is None or parameter._array.shape == shape


def _same_dtype(input: Tensor, weight: Tensor | None, bias: Tensor | None) -> None:
    for parameter in (weight, bias):
        if parameter is not None and parameter._array.dtype is not input._array.dtype:
            raise RuntimeError(
                f"expected scalar type {scalar_type(input)} but found {scalar_type(parameter)}: convert the input or the layer "
                "with .to(dtype)." + _where()
            )


def _check_layer(input: Tensor, shape: tuple[int, ...], weight: Tensor | None, bias: Tensor | None) -> None:
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if not _same_shape(parameter, shape) and parameter is not None:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(parameter.shape)} and "
                f"normalized_shape = {list(shape)}" + _where()
            )
    stars = ", ".join(map(str, shape))
    raise RuntimeError(
        f"Given normalized_shape={list(shape)}, expected input with shape [*, {stars}], but got input of size{list(input.shape)}"
        + _where()
    )


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divide by the root of the mean square over the last dimensions (Zhang and Sennrich 2019)."""
    shape = tuple(normalized_shape)
    if input.shape[input.ndim - len(shape) :] != shape or not shape:
        _check_layer(input, shape, weight, None)
    if eps is None:
        eps = float(np.finfo(input._array.dtype).eps)
    axis = tuple(range(-len(shape), 0))
    out = input * ((input**2).mean(axis, keepdim=True) + eps).rsqrt()
    return out if weight is None else out * weight


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise every channel, over the batch while training and by the running statistics otherwise (Ioffe 2015).

    While training, running_mean and running_var move by ``momentum`` towards the batch's mean and unbiased variance.

    Raises
    ------
    ValueError
        If a channel has only one value while training.
    """
    x = input._array
    if training:
        _check_more_than_one(x.shape)
    if x.ndim < 2:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-x.ndim}, {x.ndim - 1}], but got 1)")
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _check_more_than_one(shape: tuple[int, ...]) -> None:
    per_channel = shape[0] if shape else 1
    for n in shape[2:]:
        per_channel *= n
    if per_channel == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(shape)}): one value has no "
            "variance. Use a larger batch, drop_last=True in the DataLoader, or model.eval()." + _where()
        )


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    x = input._array
    channels = x.shape[1]
    for name, parameter in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if parameter is not None and parameter._array.size != channels:
            raise RuntimeError(
                f"{name} should contain {channels} elements not {parameter.numel()}: the input of shape {list(x.shape)} has "
                f"{channels} channels in dimension 1." + _where()
            )
    need_float(input, "batch_norm")
    _same_dtype(input, weight, bias)
    weights = (channels, *(1 for _ in x.shape[2:]))
    axis = (0, *range(2, x.ndim))
    if not training:
        if running_mean is None or running_var is None:
            name = "running_mean" if running_mean is None else "running_var"
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        rate = (1.0 / np.sqrt(running_var._array + eps)).astype(x.dtype, copy=False)
        mean = running_mean._array.astype(x.dtype)
        return _ops.batch_norm_fixed(input, weight, bias, mean=mean, rate=rate, weights=weights)
    if x.size and (running_mean is not None or running_var is not None):
        n = x.size // channels
        mean = _reduce.sum(x, axis=axis) / n
        if running_mean is not None:
            _move(running_mean, mean, momentum)
        if running_var is not None:
            d = x - mean.reshape(weights)
            _move(running_var, _reduce.sum(d * d, axis=axis) / (n - 1), momentum)
    return _ops.batch_norm(
        input, weight, bias, axis=axis, groups=x.shape, weights=weights, parameters=(channels,), eps=eps
    )


def _move(running: Tensor, now: np.ndarray, momentum: float) -> None:
    """Move a running statistic towards its present value, in place."""
    _become(running, running._array * (1 - momentum) + momentum * now)


def _become(running: Tensor, now: np.ndarray) -> None:
    """Write a running statistic, of each example inside vmap."""
    if not isinstance(now, np.ndarray):
        if isinstance(running._array, np.ndarray):
            raise RuntimeError(
                "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, were not "
                "batched. Use eval() mode or track_running_stats=False, give each example running statistics of its own, or another norm "
                "(group_norm, layer_norm)."
            )
        running._replace(now, "running statistics")
        return
    running._writable()[...] = now
    running._mark_written()


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise every channel of every image by itself (Ulyanov 2016)."""
    if use_input_stats:
        spatial = math.prod(input.shape[2:])
        if spatial == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size torch.Size({list(input.shape)})"
                + _where()
            )
    elif running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    n, c = input.shape[:2]
    # A batch of one image with N C channels has the statistics wanted.
    joined = input.reshape(1, n * c, *input.shape[2:])
    repeated = [None if p is None else p.repeat(n) for p in (running_mean, running_var)]
    scales = [None if p is None else p.repeat(n) for p in (weight, bias)]
    out = _batch_norm(joined, repeated[0], repeated[1], scales[0], scales[1], use_input_stats, momentum, eps)
    if use_input_stats:
        for running, moved in ((running_mean, repeated[0]), (running_var, repeated[1])):
            if running is not None and moved is not None:
                _become(running, _reduce.sum(moved._array.reshape(n, c), axis=0) / n)
    return out.view(input.shape)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise groups of channels of every image (Wu and He 2018)."""
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    x = input._array
    n, c = x.shape[:2]
    per_group = (n * c) // num_groups
    for size in x.shape[2:]:
        per_group *= size
    if num_groups > 0 and per_group == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{[n * c // num_groups, num_groups, *x.shape[2:]]}" + _where()
        )
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if c % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(x.shape)} and "
            f"num_groups={num_groups}" + _where()
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter._array.shape != (c,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{list(parameter.shape)} and input of shape {list(x.shape)}" + _where()
            )
    need_float(input, "GroupNormKernelImpl")
    _same_dtype(input, weight, bias)
    groups = (n, num_groups, c // num_groups, *x.shape[2:])
    weights = (num_groups, c // num_groups, *(1 for _ in x.shape[2:]))
    axis = tuple(range(2, len(groups)))
    return _ops.group_norm(input, weight, bias, axis=axis, groups=groups, weights=weights, parameters=(c,), eps=eps)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Divide by how active neighbouring channels are (Krizhevsky 2012)."""
    from ._pool import avg_pool2d, avg_pool3d
    from ._resample import pad

    if input.ndim < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    squares = (input * input).unsqueeze(1)
    if input.ndim == 3:
        mean = avg_pool2d(pad(squares, (0, 0, size // 2, (size - 1) // 2)), (size, 1), stride=1).squeeze(1)
    else:
        n, c, h = input.shape[:3]
        squares = pad(squares.view(n, 1, c, h, -1), (0, 0, 0, 0, size // 2, (size - 1) // 2))
        mean = avg_pool3d(squares, (size, 1, 1), stride=1).squeeze(1).view(input.shape)
    return input / (mean * alpha + k) ** beta

"""Other sizes: padding, interpolation, and channels exchanged for places."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

from ..._ops import resample as _ops
from ..._tensor import Tensor
from .._sizes import Size

__all__ = [
    "channel_shuffle",
    "interpolate",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements around dimensions, given as (before, after) pairs from the last dimension on; negative cuts off.

    Parameters
    ----------
    mode
        "constant" (of ``value``), "reflect", "replicate" or "circular".

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.pad(torch.tensor([1.0, 2.0]), (1, 2))
    tensor([0., 1., 2., 0., 0.])
    """
    widths = [int(n) for n in pad]
    if len(widths) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2: give (before, after) pairs, not {widths}")
    pairs = list(zip(widths[::2], widths[1::2], strict=True))
    if len(pairs) > input.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(widths)} and input of dimension {input.ndim}"
        )
    if mode == "constant":
        shape = input.shape[::-1]
        for n, (before, after) in zip(shape, pairs, strict=False):
            if (
                n + before + after < 0
                or n + min(before, 0) < 0
                or n + min(after, 0) < 0
                or n + min(before, 0) + min(after, 0) < 0
            ):
                raise RuntimeError(
                    "narrow(): length must be non-negative." + f" {widths} cuts more off than {list(input.shape)} has"
                )
        full = (*((0, 0) for _ in range(input.ndim - len(pairs))), *reversed(pairs))
        kind = input._array.dtype.kind
        number: float = 0 if value is None else value
        return _ops.constant_pad(input, widths=full, value=number if kind == "f" else int(number))
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}: choose constant, reflect, replicate or circular")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    n = len(pairs)
    if n == 0 or n > 3 or input.ndim not in (n + 1, n + 2):
        raise NotImplementedError(
            f"Padding size {len(widths)} is not supported for {input.ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    plans = []
    for number_from_end, (before, after) in enumerate(pairs, 1):
        size = input.shape[-number_from_end]
        _check_width(mode, input, number_from_end, before, after)
        if size + before + after < 1:
            raise RuntimeError(f"input (size {size}) is too small: calculated output size {size + before + after}")
        make = {"reflect": _ops.reflected, "replicate": _ops.replicated, "circular": _ops.wrapped}[mode]
        if before or after:
            plans.append(_ops.Plan(-number_from_end, make(size, before, after), None))
    if not plans:
        return input.clone()
    op = _ops.circular if mode == "circular" else _ops.REPEAT[f"{mode}{n}d"]
    return op(input, plans=tuple(plans))


def _check_width(mode: str, input: Tensor, from_end: int, before: int, after: int) -> None:
    size, dim = input.shape[-from_end], input.ndim - from_end
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            f"Argument #{2 * from_end + 2}: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and (before > size or after > size):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if mode != "reflect" and size == 0:
        raise RuntimeError(
            f"Expected a non-empty dimension {dim} to repeat, but got input of shape {list(input.shape)}"
        )


# ---- interpolation

_LINEAR = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


def interpolate(
    input: Tensor,
    size: Size | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize the spatial dimensions of (N, C, ...) to ``size`` or by ``scale_factor``.

    Parameters
    ----------
    mode
        "nearest", "nearest-exact", "linear" (3D), "bilinear" and "bicubic" (4D), "trilinear" (5D) or "area".
    align_corners
        True if the outer elements of input and output shall coincide.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
            )
    elif align_corners is None:
        align_corners = False
    n = input.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    spatial = tuple(input.shape[2:])
    sizes, factors = _target(size, scale_factor, spatial, n)
    if factors is not None and recompute_scale_factor:
        sizes, factors = tuple(math.floor(m * f) for m, f in zip(spatial, factors, strict=True)), None
    if antialias:
        if not (mode in ("bilinear", "bicubic") and n == 2):
            raise ValueError(
                "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
            )
        raise NotImplementedError(
            "interpolate: antialias=True is not implemented; use avg_pool2d to make images smaller."
        )
    outputs = sizes or tuple(math.floor(m * f) for m, f in zip(spatial, factors or (), strict=True))
    needed = _LINEAR.get(mode)
    if n not in (1, 2, 3) or (needed is None and mode not in ("nearest", "area", "nearest-exact")):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | linear | bilinear "
            f"| bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    if needed is not None and needed != n:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {needed + 2}D input")
    if min(outputs) <= 0 or min(spatial) <= 0:
        names = "DHW"[-n:]
        given, wanted = (
            ", ".join(f"{a}: {m}" for a, m in zip(names, found, strict=True)) for found in (spatial, outputs)
        )
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({given}) output ({wanted})"
        )
    if mode == "area":
        from ._pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](input, outputs)
    plans = []
    for number, (m, k) in enumerate(zip(spatial, outputs, strict=True)):
        step = 1.0 / factors[number] if factors is not None else m / k
        axis = number - n
        if mode in ("nearest", "nearest-exact"):
            plans.append(_ops.Plan(axis, *_ops.nearest(m, k, step, mode == "nearest-exact")))
        else:
            taps = _ops.cubic if mode == "bicubic" else _ops.linear
            plans.append(_ops.Plan(axis, *taps(m, k, step, bool(align_corners))))
    return _ops.UPSAMPLE[f"{mode}{n}d"](input, plans=tuple(plans))


def _target(
    size: Size | None, scale_factor: float | Sequence[float] | None, spatial: tuple[int, ...], n: int
) -> tuple[tuple[int, ...] | None, tuple[float, ...] | None]:
    """Give the wanted sizes, or the wanted factors, for each spatial dimension."""
    if size is not None:
        if isinstance(size, int):
            return (size,) * n, None
        sizes = tuple(int(m) for m in size)
        if len(sizes) != n:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of "
                f"{list(spatial)} and output size of {size}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and output "
                "size in (o1, o2, ...,oK) format."
            )
        return sizes, None
    if isinstance(scale_factor, int | float):
        return None, (float(scale_factor),) * n
    factors = tuple(float(f) for f in scale_factor or ())
    if len(factors) != n:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(spatial)} and scale_factor of shape {scale_factor}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
            "format and scale_factor in (s1, s2, ...,sK) format."
        )
    return None, factors


def upsample(
    input: Tensor,
    size: Size | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """Resize; torch's older name of ``interpolate``."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: Size | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """Resize by the nearest element."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor, size: Size | None = None, scale_factor: float | Sequence[float] | None = None
) -> Tensor:
    """Resize images bilinearly, with the corners aligned."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


# ---- channels and places exchanged


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Lay r^2 channels out as squares of r by r places (Shi 2016).  (..., C r^2, H, W) -> (..., C, H r, W r)"""
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if upscale_factor <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}")
    square = upscale_factor**2
    if input.shape[-3] % square:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={input.shape[-3]} is not divisible by {square}"
        )
    return _ops.pixel_shuffle(input, factor=upscale_factor)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Collect squares of r by r places into channels: the inverse of ``pixel_shuffle``."""
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if downscale_factor <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}")
    for name, dim in (("height", -2), ("width", -1)):
        if input.shape[dim] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={input.shape[dim]} is "
                f"not divisible by {downscale_factor}"
            )
    return _ops.pixel_unshuffle(input, factor=downscale_factor)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Deal the channels of groups out in turn (Zhang 2018).  (N, C, ...) -> (N, C, ...)"""
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if input.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and {groups} groups."
        )
    return _ops.channel_shuffle(input, groups=groups)

"""Sampling images at any places, as spatial transformers do (Jaderberg 2015)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from ..._tensor import Tensor
from ._common import wrap

__all__ = ["affine_grid", "grid_sample"]


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Move a regular grid by affine maps: the places to sample.  (N, 2, 3) -> (N, H, W, 2), or (N, 3, 4) -> (N, D, H, W, 3)

    Coordinates reach from -1 to 1; the last dimension holds x, y (and z).
    """
    if theta._array.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    spatial = tuple(size)[2:]
    n = len(spatial)
    if theta.ndim != 3 or theta.shape[1:] != (n, n + 1) or n not in (2, 3):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {list(size)}. Got {list(theta.shape)}."
        )
    dtype = theta._array.dtype
    axes = []
    for m in spatial:
        at = np.linspace(-1.0, 1.0, m) if m > 1 else np.zeros(1)
        axes.append(at if align_corners else at * (m - 1) / m)
    mesh = np.meshgrid(*axes, indexing="ij")
    base = np.stack([*reversed(mesh), np.ones(spatial)], -1).reshape(-1, n + 1).astype(dtype)
    return wrap(base).matmul(theta.transpose(1, 2)).reshape(theta.shape[0], *spatial, n)


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """Read images at places from -1 (first) to 1 (last).  (N, C, H, W), (N, P, Q, 2) -> (N, C, P, Q); also volumes

    Parameters
    ----------
    mode
        "bilinear" or "nearest".
    padding_mode
        What lies outside: "zeros", or "border" or "reflection" of the image.
    align_corners
        True if -1 and 1 are the middles of the outer elements, else they are the image's borders.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if mode == "bicubic":
        raise NotImplementedError("grid_sample: mode='bicubic' is not implemented; use 'bilinear'.")
    n = input.ndim - 2
    if n not in (2, 3) or grid.ndim != input.ndim or grid.shape[-1] != n or grid.shape[0] != input.shape[0]:
        raise RuntimeError(
            f"grid_sampler(): expected a 4D or 5D input and a grid of the same batch whose last dimension is {n}, but got input "
            f"with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    batch, channels = input.shape[:2]
    spatial = tuple(input.shape[2:])
    places = tuple(grid.shape[1:-1])
    flat = input.reshape(batch, channels, -1)
    at = [_unnormalised(grid[..., k], spatial[n - 1 - k], padding_mode, bool(align_corners)) for k in range(n)][::-1]
    out: Tensor | None = None
    choices = ((0,),) * n if mode == "nearest" else ((0, 1),) * n
    for corner in itertools.product(*choices):
        weight: Tensor | None = None
        index = np.zeros((batch, *places), np.int64)
        inside = np.ones((batch, *places), bool)
        for coordinate, size, step in zip(at, spatial, corner, strict=True):
            numbers = coordinate._writable()
            low = np.rint(numbers) if mode == "nearest" else np.floor(numbers)
            if mode != "nearest":
                share = coordinate - wrap(low) if step else 1 - (coordinate - wrap(low))
                weight = share if weight is None else weight * share
            cell = np.where(np.isnan(low), -1.0, low + step).clip(-1, size).astype(np.int64)
            inside = inside & (cell >= 0) & (cell < size)
            index = index * size + cell.clip(0, size - 1)
        picked = flat.gather(
            2, wrap(np.broadcast_to(index.reshape(batch, 1, -1), (batch, channels, math.prod(places))).copy())
        )
        mark = wrap(inside.astype(input._array.dtype))
        weight = mark if weight is None else weight * mark
        part = picked * weight.reshape(batch, 1, -1)
        out = part if out is None else out + part
    assert out is not None
    return out.reshape(batch, channels, *places)


def _unnormalised(x: Tensor, size: int, padding_mode: str, align_corners: bool) -> Tensor:
    """Turn -1 to 1 into element numbers, and bring them inside if the padding says so."""
    at = (x + 1) * ((size - 1) / 2) if align_corners else ((x + 1) * size - 1) / 2
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        low, span = (0.0, float(size - 1)) if align_corners else (-0.5, float(size))
        if span == 0:
            return at * 0
        away = (at - low).abs()
        numbers = away._writable()
        flips = np.floor(numbers / span)
        rest = away - wrap(flips * span)
        odd = wrap((flips % 2).astype(numbers.dtype))
        at = rest * (1 - odd) + (span - rest) * odd + low
    inside = (at > 0) & (at < size - 1)  # on the border itself torch moves nothing any more
    return at.where(inside, at.detach().clamp(0, size - 1))

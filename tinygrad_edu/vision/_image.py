"""What an image is here: a PIL image where Pillow is installed, else a uint8 array of shape (H, W) or (H, W, C).

All transforms take either, and tensors of shape (..., C, H, W).
"""

from __future__ import annotations

import functools
from typing import Any, TypeAlias

import numpy as np

from .._tensor import Tensor

Image: TypeAlias = Any  # PIL.Image.Image, ndarray or Tensor; Pillow is optional and cannot be named
Array: TypeAlias = np.ndarray[Any, Any]


@functools.cache
def pillow() -> Any:
    """Pillow's Image module, or None."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image


def is_pil(image: object) -> bool:
    """Is it a PIL image? Asks without importing Pillow."""
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(image).__mro__)


def from_array(pixels: Array) -> Image:
    """An image of the kind described above, from (H, W) or (H, W, 3) uint8."""
    module = pillow()
    return pixels if module is None else module.fromarray(pixels)


def dimensions(image: Image) -> tuple[int, int, int]:
    """Channels, height and width."""
    if isinstance(image, Tensor):
        if image.ndim < 2:
            raise TypeError("Tensor is not a torch image: it needs at least the two dimensions (H, W)")
        return (image.shape[-3] if image.ndim > 2 else 1), image.shape[-2], image.shape[-1]
    if isinstance(image, np.ndarray):
        if image.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {image.ndim} dimensions.")
        return (image.shape[2] if image.ndim == 3 else 1), image.shape[0], image.shape[1]
    if is_pil(image):
        width, height = image.size
        return len(image.getbands()), height, width
    raise TypeError(f"Unexpected type {type(image)}: an image is a PIL image, a tensor (C, H, W) or an array (H, W, C)")

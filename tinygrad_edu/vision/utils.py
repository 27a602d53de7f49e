"""Pictures from tensors: one grid of many images, written to a file."""

from __future__ import annotations

import os
import struct
import zlib
from typing import IO, Any

import numpy as np

from .._functions import stack
from .._tensor import Tensor
from ._image import pillow

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Tensor | list[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Lay images (B, C, H, W) out in rows of ``nrow``, with a border; returns one image (C, H', W').

    Grey images become three equal channels. ``normalize`` maps the range of values (of all images, or of each with
    ``scale_each``) to [0, 1].

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.vision.utils import make_grid
    >>> make_grid(torch.zeros(10, 1, 28, 28), nrow=5).shape
    torch.Size([3, 62, 152])

    """
    if isinstance(tensor, list):
        for t in tensor:
            if not isinstance(t, Tensor):
                raise TypeError(f"tensor or list of tensors expected, got a list containing {type(t)}")
        tensor = stack(tensor, 0)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    images = np.asarray(tensor._array)
    if images.ndim == 2:
        images = images[None]
    if images.ndim == 3:
        images = images[None]
    if images.ndim == 4 and images.shape[1] == 1:
        images = np.concatenate([images] * 3, axis=1)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        images = images.copy()
        for part in images if scale_each else [images]:
            _to_unit(part, value_range)
    if images.shape[0] == 1:
        return Tensor._of(images[0].copy())
    count, channels, height, width = images.shape
    columns = min(nrow, count)
    rows = -(-count // columns)
    tall, wide = height + padding, width + padding
    grid = np.full((channels, tall * rows + padding, wide * columns + padding), pad_value, images.dtype)
    for k, image in enumerate(images):
        top, left = k // columns * tall + padding, k % columns * wide + padding
        grid[:, top : top + height, left : left + width] = image
    return Tensor._of(grid)


def _to_unit(part: np.ndarray[Any, Any], value_range: tuple[float, float] | None) -> None:
    """Map the range to [0, 1], in place."""
    low, high = value_range if value_range is not None else (float(part.min()), float(part.max()))
    np.clip(part, low, high, out=part)
    part -= part.dtype.type(low)
    part /= part.dtype.type(max(high - low, 1e-5))


def save_image(
    tensor: Tensor | list[Tensor], fp: str | os.PathLike[str] | IO[bytes], format: str | None = None, **kwargs: Any
) -> None:
    """Write an image (C, H, W), or a grid of several, with values in [0, 1], to a file.

    PNG is written without any other package; other formats need Pillow. Keywords go to `make_grid`.

    Raises
    ------
    ValueError
        If the format is not PNG and Pillow is missing.

    Examples
    --------
    >>> import io
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.vision.utils import save_image
    >>> file = io.BytesIO()
    >>> save_image(torch.rand(16, 1, 8, 8), file, format="png")
    >>> file.getvalue()[1:4]
    b'PNG'

    """
    grid = np.asarray(make_grid(tensor, **kwargs)._array)
    pixels = np.clip(grid * 255 + 0.5, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    named = isinstance(fp, str | os.PathLike)
    wanted = format or (os.path.splitext(os.fspath(fp))[1].lstrip(".") if named else "")  # type: ignore[arg-type]  # a path
    if wanted.lower() != "png":
        module = pillow()
        if module is None or not wanted:
            raise ValueError(
                f"unknown file extension: {wanted!r}; name the file ....png, which needs no other package, "
                "or install Pillow for other formats and give format= for file objects"
            )
        module.fromarray(pixels).save(fp, format=format)
    elif named:
        with open(fp, "wb") as file:  # type: ignore[arg-type]  # a path
            file.write(png(pixels))
    else:
        fp.write(png(pixels))  # type: ignore[union-attr]  # not a path


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """The bytes of a PNG file (ISO 15948) of (H, W, 3) or (H, W, 4) bytes."""
    height, width, channels = pixels.shape
    if channels not in (3, 4):
        raise ValueError(f"cannot write {channels} channels as PNG: 1, 3 or 4 are possible")
    kind = 2 if channels == 3 else 6  # colour, without or with transparency
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body

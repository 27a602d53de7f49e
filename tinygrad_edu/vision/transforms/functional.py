"""The transforms as plain functions, without randomness.

Each takes a PIL image, a tensor of shape (..., C, H, W) or an array of shape (H, W) or (H, W, C), and gives back the
same kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from ..._dtype import default, dtype, float32
from ..._tensor import Tensor
from ...nn.functional import pad as pad_tensor
from .._image import Array, Image, dimensions, is_pil, pillow

__all__ = [
    "InterpolationMode",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "hflip",
    "normalize",
    "pad",
    "pil_to_tensor",
    "resize",
    "rgb_to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]


class InterpolationMode(Enum):
    """How `resize` weighs neighbouring pixels."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


_PIL_NUMBER = {InterpolationMode.NEAREST: 0, InterpolationMode.BILINEAR: 2, InterpolationMode.BICUBIC: 3}
_PIL_DTYPES = {"I": np.int32, "I;16": np.int16, "F": np.float32}


def to_tensor(pic: Image) -> Tensor:
    """Turn an image into a float tensor (C, H, W); uint8 pixels are divided by 255, so that they lie in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.vision.transforms.functional import to_tensor
    >>> to_tensor(np.array([[0, 255]], dtype=np.uint8))
    tensor([[[0., 1.]]])

    """
    if not is_pil(pic) and not isinstance(pic, np.ndarray):
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    pixels = _channels_first(pic)
    if pixels.dtype != np.uint8:
        return Tensor._of(np.array(pixels, order="C"))
    return Tensor._of(unit_range(pixels))


def unit_range(pixels: Array) -> Array:
    """Bytes from 0 to 255 as floats from 0 to 1, in row-major order."""
    out = np.array(pixels, dtype=default.numpy, order="C")
    out /= out.dtype.type(255)
    return out


def pil_to_tensor(pic: Image) -> Tensor:
    """Turn an image into a tensor (C, H, W) of its own integers."""
    if not is_pil(pic) and not (pillow() is None and isinstance(pic, np.ndarray)):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    pixels = np.array(_channels_first(pic), order="C")
    return Tensor._of(pixels.astype(np.bool_) if is_pil(pic) and pic.mode == "1" else pixels)


def _channels_first(pic: Image) -> Array:
    """The pixels as (C, H, W); black and white as 0 and 255."""
    if is_pil(pic):
        pixels = np.array(pic, _PIL_DTYPES.get(pic.mode, np.uint8))
        if pic.mode == "1":
            pixels *= 255
    else:
        pixels = pic
        dimensions(pic)  # refuses other than two or three
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def to_pil_image(pic: Tensor | Array, mode: str | None = None) -> Image:
    """Turn a tensor (C, H, W) or an array (H, W, C) into an image; floats in [0, 1] become bytes.

    Without Pillow the image is a uint8 array (H, W) or (H, W, C).
    """
    if isinstance(pic, Tensor):
        pixels = np.asarray(pic.detach()._array)
        pixels = pixels.transpose(1, 2, 0) if pixels.ndim == 3 else pixels
    elif isinstance(pic, np.ndarray):
        pixels = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if pixels.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {pixels.ndim} dimensions.")
    if pixels.ndim == 3 and pixels.shape[2] > 4:
        raise ValueError(
            f"pic should not have > 4 channels. Got {pixels.shape[2]} channels. A tensor image is (C, H, W), an array (H, W, C)."
        )
    if pixels.dtype.kind == "f" and mode != "F":
        pixels = (pixels * 255).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    grey = {np.dtype(np.uint8): "L", np.dtype(np.int16): "I;16", np.dtype(np.int32): "I", np.dtype(np.float32): "F"}
    several = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
    fitting: tuple[Any, ...] = (grey.get(pixels.dtype),) if pixels.ndim == 2 else several[pixels.shape[2]]
    if mode is not None and mode not in fitting:
        raise ValueError(f"Incorrect mode ({mode}) supplied for input type {pixels.dtype}. Should be {fitting[0]}")
    if fitting[0] is None or (pixels.ndim == 3 and pixels.dtype != np.uint8):
        raise TypeError(f"Input type {pixels.dtype} is not supported")
    module = pillow()
    pixels = np.ascontiguousarray(pixels)
    if module is None:
        return pixels
    chosen = mode or fitting[0]
    size = (pixels.shape[1], pixels.shape[0])
    return module.frombytes(chosen, size, pixels.tobytes())


def normalize(tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    """Subtract the mean and divide by the standard deviation, channel by channel.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.vision.transforms.functional import normalize
    >>> normalize(torch.ones(1, 1, 2), [0.5], [0.5])
    tensor([[[1., 1.]]])

    """
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"img should be Tensor Image. Got {type(tensor)}. Put ToTensor() before Normalize() in the Compose list."
        )
    if not tensor.dtype.is_floating_point:
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tensor.size()}"
        )
    shift, scale = (np.asarray(numbers, tensor.dtype.numpy) for numbers in (mean, std))
    if not scale.all():
        raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    shift = shift.reshape(-1, 1, 1) if shift.ndim == 1 else shift
    scale = scale.reshape(-1, 1, 1) if scale.ndim == 1 else scale
    if inplace:
        return tensor.sub_(Tensor._of(shift)).div_(Tensor._of(scale))
    if tensor.requires_grad:
        return (tensor - Tensor._of(shift)) / Tensor._of(scale)
    return Tensor._of((tensor._array - shift) / scale)


def crop(img: Image, top: int, left: int, height: int, width: int) -> Image:
    """Cut out a rectangle; what lies outside the image is 0."""
    if is_pil(img):
        return img.crop((left, top, left + width, top + height))
    _, rows, columns = dimensions(img)
    right, bottom = left + width, top + height
    if left < 0 or top < 0 or right > columns or bottom > rows:
        beyond = [max(-left, 0), max(-top, 0), max(right - columns, 0), max(bottom - rows, 0)]
        img, top, left = pad(img, beyond), top + beyond[1], left + beyond[0]
    vertical, horizontal = slice(top, top + height), slice(left, left + width)
    return img[..., vertical, horizontal] if isinstance(img, Tensor) else img[vertical, horizontal]


def center_crop(img: Image, output_size: int | Sequence[int]) -> Image:
    """Cut out the middle, padded with 0 if the image is smaller."""
    height, width = size_pair(output_size, "Please provide only two dimensions (h, w) for size.")
    _, rows, columns = dimensions(img)
    if width > columns or height > rows:
        beyond_w, beyond_h = max(width - columns, 0), max(height - rows, 0)
        img = pad(img, [beyond_w // 2, beyond_h // 2, (beyond_w + 1) // 2, (beyond_h + 1) // 2])
        _, rows, columns = dimensions(img)
    return crop(img, round((rows - height) / 2), round((columns - width) / 2), height, width)


def hflip(img: Image) -> Image:
    """Mirror left and right."""
    if is_pil(img):
        return img.transpose(0)  # FLIP_LEFT_RIGHT
    dimensions(img)
    return img.flip(-1) if isinstance(img, Tensor) else img[:, ::-1]


def vflip(img: Image) -> Image:
    """Mirror top and bottom."""
    if is_pil(img):
        return img.transpose(1)  # FLIP_TOP_BOTTOM
    dimensions(img)
    return img.flip(-2) if isinstance(img, Tensor) else img[::-1]


def pad(img: Image, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> Image:
    """Add a border of ``padding`` pixels: one number, [left/right, top/bottom] or [left, top, right, bottom]."""
    left, top, right, bottom = sides(padding)
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    if isinstance(img, Tensor):
        if padding_mode == "constant":
            value = fill[0] if isinstance(fill, list | tuple) else fill
            return pad_tensor(img, [left, right, top, bottom], value=value or 0)
        rows = np.pad(np.arange(img.shape[-2]), (top, bottom), padding_mode)  # type: ignore[call-overload]  # one of four words
        columns = np.pad(np.arange(img.shape[-1]), (left, right), padding_mode)  # type: ignore[call-overload]  # one of four words
        return img[..., Tensor._of(rows), :][..., Tensor._of(columns)]
    if padding_mode == "constant" and is_pil(img):
        _, height, width = dimensions(img)
        colour = tuple(fill) if isinstance(fill, list) else fill
        colour = colour * len(img.getbands()) if isinstance(colour, tuple) and len(colour) == 1 else colour
        if isinstance(colour, int | float) and len(img.getbands()) > 1:
            colour = (int(colour),) * len(img.getbands())
        module = pillow()
        framed = module.new(img.mode, (width + left + right, height + top + bottom), colour)
        framed.paste(img, (left, top))
        return framed
    pixels = np.asarray(img)
    frame = [(top, bottom), (left, right)] + [(0, 0)] * (pixels.ndim - 2)
    if padding_mode != "constant":
        padded = np.pad(pixels, frame, padding_mode)  # type: ignore[call-overload]  # one of four words
    else:
        padded = np.empty([n + sum(more) for n, more in zip(pixels.shape, frame, strict=True)], pixels.dtype)
        padded[...] = fill
        padded[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return pillow().fromarray(padded) if is_pil(img) else padded


def resize(
    img: Image,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Image:
    """Resize to (h, w), or with one number so that the shorter side has it.

    Pillow resizes its own images. Tensors and arrays are multiplied by one matrix of weights from each side; bytes are
    rounded at the end, which can differ from Pillow by one.
    """
    if not isinstance(interpolation, InterpolationMode):
        raise TypeError(
            "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant"
        )
    _, rows, columns = dimensions(img)
    height, width = _resized(rows, columns, size, max_size)
    if (rows, columns) == (height, width):
        return img
    if is_pil(img):
        return img.resize((width, height), _PIL_NUMBER[interpolation])
    centred = not isinstance(img, Tensor)  # Pillow looks from the middle of a pixel, torch's "nearest" from its corner
    vertical = _weights(rows, height, interpolation, bool(antialias), centred)
    horizontal = _weights(columns, width, interpolation, bool(antialias), centred)
    if isinstance(img, Tensor):
        floats = img if img.dtype.is_floating_point else img.to(float32)
        kind = floats.dtype.numpy
        out = Tensor._of(vertical.astype(kind)) @ floats @ Tensor._of(horizontal.T.astype(kind))
        return out if floats is img else Tensor._of(_rounded(out._array, img.dtype.numpy))
    spread = img[:, :, None] if img.ndim == 2 else img
    pixels = np.einsum("ph,hwc,qw->pqc", vertical, spread.astype(np.float64), horizontal, optimize=True)
    pixels = pixels if img.dtype.kind == "f" else _rounded(pixels, img.dtype)
    return pixels.astype(img.dtype).reshape((height, width, *img.shape[2:]))


def _rounded(values: Array, kind: np.dtype[Any]) -> Array:
    limits = np.iinfo(kind)
    return np.clip(np.round(values), limits.min, limits.max).astype(kind)


def _resized(rows: int, columns: int, size: int | Sequence[int], max_size: int | None) -> tuple[int, int]:
    wanted = [size] if isinstance(size, int) else list(size)
    if len(wanted) not in (1, 2):
        raise ValueError(f"Size must be an int or a 1 or 2 element tuple/list, not a {len(wanted)} element tuple/list")
    if len(wanted) == 2:
        if max_size is not None:
            raise ValueError("max_size should only be passed if size specifies the length of the smaller edge.")
        return wanted[0], wanted[1]
    short, long = sorted((rows, columns))
    new_short, new_long = wanted[0], int(wanted[0] * long / short)
    if max_size is not None:
        if max_size <= new_short:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge size = {size}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if columns <= rows else (new_short, new_long)


def _weights(before: int, after: int, mode: InterpolationMode, antialias: bool, centred: bool) -> Array:
    """The (after, before) matrix that resamples one axis: each row holds a filter around the point it looks at."""
    scale = before / after
    if mode is InterpolationMode.NEAREST:
        chosen = np.minimum(((np.arange(after) + 0.5 * centred) * scale).astype(int), before - 1)
        picked: Array = np.eye(before)[chosen]
        return picked
    width = max(scale, 1.0) if antialias else 1.0  # antialiasing widens the filter to cover all pixels it skips
    centre = (np.arange(after) + 0.5) * scale
    distance = np.abs(np.arange(before) + 0.5 - centre[:, None]) / width
    if mode is InterpolationMode.BILINEAR:
        weights = np.maximum(1 - distance, 0)
    else:
        a = -0.5 if antialias else -0.75  # Keys 1981; torch uses one constant for each case
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = ((distance - 5) * distance + 8) * distance * a - 4 * a
        weights = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    if antialias:
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
    return _clamped(centre - 0.5, before, mode)


def _clamped(position: Array, before: int, mode: InterpolationMode) -> Array:
    """Weights without antialiasing: the two (or four) nearest pixels, the border pixel standing for those beyond it."""
    if mode is InterpolationMode.BILINEAR:
        position = np.maximum(position, 0)
    base = np.floor(position).astype(int)
    t = position - base
    if mode is InterpolationMode.BILINEAR:
        taps = {0: 1 - t, 1: t}
    else:
        a = -0.75
        near = [((a + 2) * d - (a + 3)) * d**2 + 1 for d in (t, 1 - t)]
        far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (1 + t, 2 - t)]
        taps = {-1: far[0], 0: near[0], 1: near[1], 2: far[1]}
    weights = np.zeros((len(position), before))
    for step, share in taps.items():
        np.add.at(weights, (np.arange(len(position)), np.clip(base + step, 0, before - 1)), share)
    return weights


def rgb_to_grayscale(img: Image, num_output_channels: int = 1) -> Image:
    """Mix red, green and blue to grey as the eye weighs them: 0.2989 R + 0.587 G + 0.114 B (ITU-R 601-2)."""
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if is_pil(img):
        grey = img.convert("L")
        return pillow().merge("RGB", (grey, grey, grey)) if num_output_channels == 3 else grey
    channels, _, _ = dimensions(img)
    if isinstance(img, Tensor):
        if channels not in (1, 3):
            raise TypeError(f"Input image tensor permitted channel values are [1, 3], but found {channels}")
        red, green, blue = (img[..., c : c + 1, :, :] for c in ((0, 1, 2) if channels == 3 else (0, 0, 0)))
        mixed = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype) if channels == 3 else img.clone()
        return mixed.expand(*mixed.shape[:-3], 3, *mixed.shape[-2:]) if num_output_channels == 3 else mixed
    grey = img if img.ndim == 2 else np.round(img[:, :, :3] @ np.array([0.299, 0.587, 0.114])).astype(img.dtype)
    return np.repeat(grey[:, :, None], 3, axis=2) if num_output_channels == 3 else grey


def convert_image_dtype(image: Tensor, dtype: dtype = float32) -> Tensor:
    """Convert between bytes (0 to 255) and floats (0 to 1), scaling the values to the range of the new dtype."""
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    if image.dtype is dtype:
        return image
    most = {kind: int(np.iinfo(kind.numpy).max) for kind in (image.dtype, dtype) if not kind.is_floating_point}
    if not image.dtype.is_floating_point and dtype.is_floating_point:
        return image.to(dtype) / most[image.dtype]
    if image.dtype.is_floating_point and not dtype.is_floating_point:
        if most[dtype] >= 2 ** (31 if image.dtype.itemsize <= 4 else 63) - 1:
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        return image.mul(most[dtype] + 1.0 - 1e-3).to(dtype)  # each whole number gets an equal share of [0, 1]
    if not most:
        return image.to(dtype)
    if most[image.dtype] > most[dtype]:
        return (image // ((most[image.dtype] + 1) // (most[dtype] + 1))).to(dtype)
    return image.to(dtype) * ((most[dtype] + 1) // (most[image.dtype] + 1))


def size_pair(size: int | Sequence[int], message: str) -> tuple[int, int]:
    """A size as (height, width); one number stands for both."""
    if isinstance(size, int | float):
        return int(size), int(size)
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(message)
    return size[0], size[1]


def sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """A padding as left, top, right, bottom."""
    if isinstance(padding, bool) or not isinstance(padding, int | tuple | list):
        raise TypeError("Got inappropriate padding arg")
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 1:
        return padding[0], padding[0], padding[0], padding[0]
    if len(padding) == 2:
        return padding[0], padding[1], padding[0], padding[1]
    if len(padding) == 4:
        return padding[0], padding[1], padding[2], padding[3]
    raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")

"""The transforms as objects, with torchvision's printed form and its draws from the default random generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._dtype import default, dtype
from ..._tensor import Tensor
from ...nn import Module
from ...random import default_generator, rand, randint
from .._image import Array, Image, dimensions
from . import functional as F
from .functional import InterpolationMode

__all__ = [
    "CenterCrop",
    "Compose",
    "ConvertImageDtype",
    "Grayscale",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomApply",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "Resize",
    "ToPILImage",
    "ToTensor",
]


class Compose:
    """Several transforms, one after another.

    Examples
    --------
    >>> from tinygrad_edu.vision import transforms
    >>> transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.1307,), std=(0.3081,))
    )

    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        """Apply all."""
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {transform}" for transform in self.transforms), ")"])


class ToTensor:
    """A PIL image or an array (H, W, C) as a float tensor (C, H, W); bytes are divided by 255."""

    def __call__(self, pic: Image) -> Tensor:
        """Convert one image."""
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """A PIL image as a tensor (C, H, W) of its own integers."""

    def __call__(self, pic: Image) -> Tensor:
        """Convert one image."""
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A tensor (C, H, W) or an array (H, W, C) as an image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Tensor | Array) -> Image:
        """Convert one image."""
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class Lambda:
    """Any function of one argument as a transform."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """Call the function."""
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ConvertImageDtype(Module):
    """A tensor image in another dtype, its values scaled to that dtype's range."""

    def __init__(self, dtype: dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """Convert one image."""
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """Subtract a mean and divide by a standard deviation, channel by channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """Normalize one image, or a batch of them."""
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class Resize(Module):
    """Resize to (h, w), or with one number so that the shorter side has it."""

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, int | Sequence):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size = size
        self.max_size = max_size
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img: Image) -> Image:
        """Resize one image."""
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(Module):
    """The middle of an image."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = F.size_pair(size, "Please provide only two dimensions (h, w) for size.")

    def forward(self, img: Image) -> Image:
        """Crop one image."""
        return F.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(Module):
    """A border around an image."""

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        F.sides(padding)
        if not isinstance(fill, int | float | tuple | list):
            raise TypeError("Got inappropriate fill arg")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Image) -> Image:
        """Pad one image."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class Grayscale(Module):
    """Grey values in place of colours."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Image) -> Image:
        """Convert one image."""
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomApply(Module):
    """A list of transforms, applied with probability p."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        """Apply all or none."""
        if self.p < rand(1):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        lines = [
            f"{type(self).__name__}(",
            f"    p={self.p}",
            *(f"    {transform}" for transform in self.transforms),
            ")",
        ]
        return "\n".join(lines)


class RandomCrop(Module):
    """A rectangle from a random place, after padding if wanted."""

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = F.size_pair(size, "Please provide only two dimensions (h, w) for size.")
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Image, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw top and left; no draw if the image has the size already."""
        _, rows, columns = dimensions(img)
        height, width = output_size
        if rows < height or columns < width:
            raise ValueError(
                f"Required crop size {(height, width)} is larger than input image size {(rows, columns)}. "
                "Give padding=..., or pad_if_needed=True."
            )
        if (rows, columns) == (height, width):
            return 0, 0, rows, columns
        top = int(randint(0, rows - height + 1, (1,)).item())
        left = int(randint(0, columns - width + 1, (1,)).item())
        return top, left, height, width

    def forward(self, img: Image) -> Image:
        """Crop one image."""
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, rows, columns = dimensions(img)
        if self.pad_if_needed and columns < self.size[1]:
            img = F.pad(img, [self.size[1] - columns, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and rows < self.size[0]:
            img = F.pad(img, [0, self.size[0] - rows], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomHorizontalFlip(Module):
    """Left and right mirrored, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Image) -> Image:
        """Flip one image, or not."""
        return F.hflip(img) if rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(Module):
    """Top and bottom mirrored, with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Image) -> Image:
        """Flip one image, or not."""
        return F.vflip(img) if rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomResizedCrop(Module):
    """A rectangle of random area, shape and place, resized to ``size``."""

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = F.size_pair(size, "Please provide only two dimensions (h, w) for size.")
        for name, value in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(value, Sequence):
                raise TypeError(f"{name} should be a sequence")
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation
        self.antialias = antialias

    @staticmethod
    def get_params(img: Image, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw top, left, height and width: up to ten tries, then the largest fitting middle."""
        _, rows, columns = dimensions(img)
        low, high = np.log(np.array(ratio, np.float32))
        for _ in range(10):
            area = rows * columns * float(_uniform(scale[0], scale[1]))
            aspect = float(np.exp(_uniform(low, high)))
            width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < width <= columns and 0 < height <= rows:
                top = int(randint(0, rows - height + 1, (1,)).item())
                left = int(randint(0, columns - width + 1, (1,)).item())
                return top, left, height, width
        shape = columns / rows
        width = round(rows * max(ratio)) if shape > max(ratio) else columns
        height = round(columns / min(ratio)) if shape < min(ratio) else rows
        return (rows - height) // 2, (columns - width) // 2, height, width

    def forward(self, img: Image) -> Image:
        """Crop and resize one image."""
        piece = F.crop(img, *self.get_params(img, self.scale, self.ratio))
        return F.resize(piece, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(number, 4) for number in pair) for pair in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


def _uniform(low: float, high: float) -> Any:
    """Draw one number as ``torch.empty(1).uniform_(low, high)`` does."""
    return default_generator._uniform(1, default.numpy, float(low), float(high))[0]


def whole_batch(transform: object) -> Callable[[Array], Array] | None:
    """ToTensor, followed by any number of Normalize, as one function of a batch of bytes (N, C, H, W); else None.

    A data set may use it in place of image after image: the numbers are the same, the loop is NumPy's.
    """
    steps = _steps(transform)
    if not steps or type(steps[0]) is not ToTensor:
        return None
    constants = []
    for step in steps[1:]:
        if type(step) is not Normalize:
            return None
        pair = [np.asarray(numbers, default.numpy).reshape(-1, 1, 1) for numbers in (step.mean, step.std)]
        if not pair[1].all():
            return None  # one image at a time, the error can be raised where it belongs
        constants.append(pair)

    def apply(pixels: Array) -> Array:
        out = F.unit_range(pixels)
        for mean, std in constants:
            out -= mean
            out /= std
        return out

    return apply


def _steps(transform: object) -> list[object]:
    """The transform as a flat list of its parts."""
    if type(transform) is Compose:
        return [step for part in transform.transforms for step in _steps(part)]
    return [transform]

"""Images: data sets read from their official files, transforms, and grids of pictures, as torchvision offers them."""

from . import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]

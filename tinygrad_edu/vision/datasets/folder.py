"""Images sorted into one folder per class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from .._image import Image, pillow
from .vision import Transform, VisionDataset

__all__ = ["DatasetFolder", "ImageFolder"]

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class DatasetFolder(VisionDataset):
    """Files below ``root/<class>/``, read by ``loader``; classes and files are taken in the order of their names."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        folder = os.fspath(self.root or ".")
        if (extensions is None) == (is_valid_file is None):
            raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
        self.loader = loader
        self.extensions = extensions
        self.classes, self.class_to_idx = self.find_classes(folder)
        accepts = is_valid_file or (lambda path: path.lower().endswith(extensions or ()))
        self.samples = _samples(folder, self.class_to_idx, accepts)
        present = {target for _, target in self.samples}
        empty = [name for name, target in self.class_to_idx.items() if target not in present]
        if empty and not allow_empty:
            supported = f" Supported extensions are: {', '.join(extensions)}" if extensions else ""
            raise FileNotFoundError(f"Found no valid file for the classes {', '.join(empty)}.{supported}")
        self.targets = [target for _, target in self.samples]

    def find_classes(self, directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
        """The class names, one per subfolder, and their numbers."""
        with os.scandir(directory) as entries:
            classes = sorted(entry.name for entry in entries if entry.is_dir())
        if not classes:
            raise FileNotFoundError(
                f"Couldn't find any class folder in {os.fspath(directory)}. Expected root/<class name>/<image files>."
            )
        return classes, {name: i for i, name in enumerate(classes)}

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


def _samples(folder: str, class_to_idx: dict[str, int], accepts: Callable[[str], bool]) -> list[tuple[str, int]]:
    samples = []
    for name in sorted(class_to_idx):
        for place, _, files in sorted(os.walk(os.path.join(folder, name), followlinks=True)):
            paths = (os.path.join(place, file) for file in sorted(files))
            samples += [(path, class_to_idx[name]) for path in paths if accepts(path)]
    return samples


def default_loader(path: str) -> Image:
    """An image file as an RGB image."""
    module = pillow()
    if module is None:
        raise RuntimeError(f"Reading {path} needs Pillow, which is not installed: pip install pillow")
    with open(path, "rb") as file:
        return module.open(file).convert("RGB")


class ImageFolder(DatasetFolder):
    """Images below ``root/<class>/``; needs Pillow."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples

"""CIFAR-10 and CIFAR-100: 60,000 colour images of 32x32 pixels (Krizhevsky 2009), distributed as pickles.

The pickles are read by `SafeUnpickler`, which builds lists, dicts, text, numbers and arrays and calls nothing else.
"""

from __future__ import annotations

import os
import pickle
from typing import Any

import numpy as np

from ..._tensor import Tensor
from ...utils._unpickler import ARRAY_NAMES, SafeUnpickler
from .._image import from_array
from ..transforms.transforms import whole_batch
from .utils import (
    check_integrity,
    download,
    folders_to_search,
    not_found,
    read_archive,
    read_checked,
    write_whole,
)
from .utils import digest as md5_of
from .vision import Transform, VisionDataset

__all__ = ["CIFAR10", "CIFAR100"]


class CIFAR10(VisionDataset):
    """50,000 images of ten kinds of things to learn from and 10,000 to be tested on.

    ``data`` is a uint8 array (N, 32, 32, 3), ``targets`` a list of labels, as in torchvision.

    Parameters
    ----------
    root
        Folder that holds ``cifar-10-batches-py`` or the archive ``cifar-10-python.tar.gz`` (read without unpacking);
        ``root/cifar10`` and ``root`` itself may also hold the batches. Then the same below TINYGRAD_EDU_DATA.
    train
        The 50,000, or else the 10,000.
    transform, target_transform
        Functions of the image and of the label.
    download
        Fetch and unpack the archive in ``root`` if the files are missing.

    Raises
    ------
    RuntimeError
        If a file is missing, or differs from the official one.

    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": "5ff9c542aee3614f3951f8cda6e48888"}
    labels_key = "labels"

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        pixels: list[Any] = []
        self.targets: list[int] = []
        files = self._files()
        for name, _ in self.train_list if train else self.test_list:
            entry = self._entry(files, name, {"data", self.labels_key})
            data, labels = entry["data"], entry[self.labels_key]
            fits = isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.shape == (len(labels), 3072)
            if not fits:
                raise RuntimeError(f"{name} does not hold rows of 3072 bytes and one label for each")
            pixels.append(data)
            self.targets.extend(labels)
        self.data = np.ascontiguousarray(np.concatenate(pixels).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        key = self.meta["key"]
        self.classes: list[str] = self._entry(files, self.meta["filename"], {key})[key]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self._transformed(from_array(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def _gather(self, index: Any) -> list[Tensor] | None:
        several = whole_batch(self.transform)
        if several is None or self.target_transform is not None:
            return None
        targets = np.asarray(self.targets, np.int64)[index]
        return [Tensor._of(several(self.data[index].transpose(0, 3, 1, 2))), Tensor._of(targets)]

    def extra_repr(self) -> str:
        """Lines for the printed form."""
        return f"Split: {'Train' if self.train else 'Test'}"

    def _digests(self) -> dict[str, str]:
        return {**dict(self.train_list), **dict(self.test_list), self.meta["filename"]: self.meta["md5"]}

    def _searched(self) -> list[str]:
        return folders_to_search(self.root or ".", self.base_folder, type(self).__name__.lower(), "")

    def _files(self) -> dict[str, bytes]:
        """The contents of the official files, their digests checked, from a folder of them or from the archive."""
        digests = self._digests()
        for folder in self._searched():
            if all(os.path.isfile(os.path.join(folder, name)) for name in digests):
                return {name: read_checked(os.path.join(folder, name), md5) for name, md5 in digests.items()}
            archive = os.path.join(folder, self.filename)
            if os.path.isfile(archive):
                return self._unpacked(read_checked(archive, self.tgz_md5), archive)
        target = os.path.join(os.fspath(self.root or "."), self.base_folder)
        raise not_found(type(self).__name__, [f"{self.filename} or {', '.join(digests)}"], self._searched(), target)

    def _unpacked(self, content: bytes, path: str) -> dict[str, bytes]:
        digests = self._digests()
        files = read_archive(content, path, self.base_folder, digests)
        for name, md5 in digests.items():
            if md5_of(files[name]) != md5:
                raise RuntimeError(f"File not found or corrupted: {name} in {path} differs from the official file")
        return files

    def _entry(self, files: dict[str, bytes], name: str, keys: set[str]) -> dict[str, Any]:
        try:
            entry = SafeUnpickler(ARRAY_NAMES).load(files[name])
        except pickle.UnpicklingError as error:
            raise RuntimeError(f"File not found or corrupted: {name}: {error}") from None
        if not isinstance(entry, dict) or not keys <= set(entry):
            raise RuntimeError(f"File not found or corrupted: {name} lacks the entries {', '.join(sorted(keys))}")
        return entry

    def download(self) -> None:
        """Fetch the archive and unpack its batches into ``root``, unless the files are found already."""
        digests = self._digests()
        for folder in self._searched():
            if all(check_integrity(os.path.join(folder, name), md5) for name, md5 in digests.items()):
                return
            if check_integrity(os.path.join(folder, self.filename), self.tgz_md5):
                return
        root = os.fspath(self.root or ".")
        path = os.path.join(root, self.filename)
        by_hand = (
            f"Is this machine offline? Fetch {self.filename} elsewhere and copy it to {root}, or name its folder by the "
            "environment variable TINYGRAD_EDU_DATA; it need not be unpacked."
        )
        content = download([self.url], path, self.tgz_md5, by_hand)
        for name, file in self._unpacked(content, path).items():
            write_whole(os.path.join(root, self.base_folder, name), file)


class CIFAR100(CIFAR10):
    """The same number of images, of a hundred kinds of things."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}
    labels_key = "fine_labels"

"""MNIST and its relatives: handwritten digits, clothes and Japanese letters of 28x28 grey pixels, in idx files.

The idx format: two zero bytes, a type code, the number of dimensions, each dimension as a big-endian 32-bit
integer, then the numbers, row by row (the page of LeCun, Cortes and Burges).
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from ..._tensor import Tensor
from ...utils.data.dataset import gather_rows
from .._image import from_array
from ..transforms.transforms import whole_batch
from .utils import check_integrity, download, folders_to_search, not_found, read_checked, unpack_gzip
from .vision import Transform, VisionDataset

__all__ = ["KMNIST", "MNIST", "FashionMNIST"]

IDX_DTYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(content: bytes, path: str) -> np.ndarray[Any, Any]:
    """The array in an idx file.

    Raises
    ------
    RuntimeError
        If the header or the length is wrong.

    """
    code, ndim = (content[2], content[3]) if len(content) >= 4 else (0, 0)
    if content[:2] != b"\0\0" or code not in IDX_DTYPES or len(content) < 4 + 4 * ndim:
        raise RuntimeError(f"File not found or corrupted: {path} does not begin with an idx header")
    shape = [int(n) for n in np.frombuffer(content, ">u4", ndim, 4)]
    dtype = np.dtype(IDX_DTYPES[code])
    expected = 4 + 4 * ndim + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise RuntimeError(
            f"File not found or corrupted: {path} announces numbers of shape {tuple(shape)}, {expected:,} bytes in all, "
            f"but has {len(content):,}"
        )
    return np.frombuffer(content, dtype, offset=4 + 4 * ndim).reshape(shape).astype(dtype.newbyteorder("="))


class MNIST(VisionDataset):
    """60,000 handwritten digits to learn from and 10,000 to be tested on (LeCun, Cortes and Burges).

    Parameters
    ----------
    root
        Folder of the data: ``root/MNIST/raw``, ``root/mnist`` and ``root`` itself are searched for the four official
        ``.gz`` files or their unpacked forms, then the same below the folder TINYGRAD_EDU_DATA names.
    train
        The 60,000, or else the 10,000.
    transform, target_transform
        Functions of the image and of the label.
    download
        Fetch what is missing to ``root/MNIST/raw``.

    Raises
    ------
    RuntimeError
        If a file is missing, or differs from the official one.

    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    unpacked = {  # the digests of the same files without gzip, where published
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
    classes = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

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
        self.data, self.targets = self._load()

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        image = from_array(self.data._array[index])
        return self._transformed(image, int(self.targets._array[index]))

    def __len__(self) -> int:
        return len(self.data)

    def _gather(self, index: Any) -> list[Tensor] | None:
        several = whole_batch(self.transform)
        if several is None or self.target_transform is not None:
            return None
        pixels = self.data._array[index][:, None]  # (N, 1, H, W)
        return [Tensor._of(several(pixels)), gather_rows(self.targets, index)]

    @property
    def raw_folder(self) -> str:
        """Where the files are downloaded to."""
        return os.path.join(os.fspath(self.root or "."), type(self).__name__, "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: i for i, name in enumerate(self.classes)}

    def extra_repr(self) -> str:
        """Lines for the printed form."""
        return f"Split: {'Train' if self.train else 'Test'}"

    def _searched(self) -> list[str]:
        name = type(self).__name__
        return folders_to_search(self.root or ".", os.path.join(name, "raw"), name.lower(), "")

    def _files(self) -> dict[str, str] | None:
        """The path of each official file, all from one folder; None if no folder has them all."""
        for folder in self._searched():
            paths: dict[str, str] = {}
            for file, _ in self.resources:
                for path in (os.path.join(folder, file), os.path.join(folder, file.removesuffix(".gz"))):
                    if os.path.isfile(path):
                        paths.setdefault(file, path)
            if len(paths) == len(self.resources):
                return paths
        return None

    def _check_exists(self) -> bool:
        return self._files() is not None

    def _load(self) -> tuple[Tensor, Tensor]:
        paths = self._files()
        names = [file for file, _ in self.resources]
        if paths is None:
            raise not_found(type(self).__name__, names, self._searched(), self.raw_folder)
        images, labels = (self._read(paths, kind) for kind in ("images", "labels"))
        if images.ndim != 3 or labels.shape != images.shape[:1] or labels.dtype != np.uint8 or images.dtype != np.uint8:
            raise RuntimeError(
                f"The files of {type(self).__name__} in {os.path.dirname(next(iter(paths.values())))} do not belong "
                f"together: images of shape {images.shape}, labels of shape {labels.shape}"
            )
        return Tensor._of(images), Tensor._of(labels.astype(np.int64))

    def _read(self, paths: dict[str, str], kind: str) -> np.ndarray[Any, Any]:
        part = f"{'train' if self.train else 't10k'}-{kind}"
        for file, md5 in self.resources:
            if file.startswith(part):
                path = paths[file]
                if path.endswith(".gz"):
                    return read_idx(unpack_gzip(read_checked(path, md5), path), path)
                return read_idx(read_checked(path, self.unpacked.get(file.removesuffix(".gz"))), path)
        raise AssertionError(f"{type(self).__name__}.resources names no {part} file")

    def download(self) -> None:
        """Fetch the official files that are missing or damaged, unless a whole set is found already."""
        paths = self._files()
        if paths is not None and all(self._is_whole(file, md5, paths[file]) for file, md5 in self.resources):
            return
        names = ", ".join(file for file, _ in self.resources)
        for file, md5 in self.resources:
            path = os.path.join(self.raw_folder, file)
            if not check_integrity(path, md5):
                by_hand = (
                    "Is this machine offline? Fetch the files elsewhere and copy them "
                    f"({names}) to {self.raw_folder}, or name their folder by the environment variable TINYGRAD_EDU_DATA."
                )
                download([mirror + file for mirror in self.mirrors], path, md5, by_hand)

    def _is_whole(self, file: str, md5: str, path: str) -> bool:
        return check_integrity(path, md5 if path.endswith(".gz") else self.unpacked.get(file.removesuffix(".gz")))


class FashionMNIST(MNIST):
    """70,000 articles of clothing in the format of MNIST (Zalando Research)."""

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    unpacked = {}
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class KMNIST(MNIST):
    """70,000 handwritten Japanese letters in the format of MNIST (Center for Open Data in the Humanities)."""

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    unpacked = {}
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]

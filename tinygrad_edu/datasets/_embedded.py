"""Two classic data sets that travel with the package; README.md in this folder names their origins and licences."""

from __future__ import annotations

import io
from importlib import resources
from typing import Any

import numpy as np

from .._tensor import Tensor
from ..utils.data import TensorDataset

__all__ = ["Digits", "Iris"]


class _Embedded(TensorDataset):
    """Rows ``(data[i], targets[i])`` read from a file beside this one."""

    classes: tuple[str, ...]

    def __init__(self, data: np.ndarray[Any, Any], targets: np.ndarray[Any, Any]) -> None:
        super().__init__(Tensor._of(data), Tensor._of(targets.astype(np.int64)))

    @property
    def data(self) -> Tensor:
        """All examples."""
        return self.tensors[0]

    @property
    def targets(self) -> Tensor:
        """The class number of each example (int64)."""
        return self.tensors[1]

    def __repr__(self) -> str:
        shape = tuple(self.data.shape)
        return f"Dataset {type(self).__name__}\n    Number of datapoints: {len(self)}\n    Data: {shape}, {self.data.dtype}"


def _file(name: str) -> Any:
    return np.load(io.BytesIO(resources.files(__package__).joinpath(name).read_bytes()), allow_pickle=False)


class Iris(_Embedded):
    """150 irises of three species (Fisher 1936): sepal length and width, petal length and width in cm.

    ``data`` is (150, 4) float32, ``targets`` (150,) int64; rows 0 to 49 are setosa, 50 to 99 versicolor, then virginica.

    Examples
    --------
    >>> from tinygrad_edu.datasets import Iris
    >>> iris = Iris()
    >>> iris[0]
    (tensor([5.1000, 3.5000, 1.4000, 0.2000]), tensor(0))
    >>> iris.data[:, 2:].shape, iris.classes[2]
    (torch.Size([150, 2]), 'virginica')

    """

    classes = ("setosa", "versicolor", "virginica")
    feature_names = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")

    def __init__(self) -> None:
        file = _file("iris.npz")
        super().__init__((file["tenths"] / 10.0).astype(np.float32), file["targets"])


class Digits(_Embedded):
    """1797 handwritten digits of 8x8 grey pixels (Alpaydin and Kaynak 1998), from 0.0 (paper) to 1.0 (ink).

    ``data`` is (1797, 1, 8, 8) float32, as images come out of ``ToTensor``, or (1797, 64) with ``flatten=True``;
    ``targets`` is (1797,) int64.

    Examples
    --------
    >>> from tinygrad_edu.datasets import Digits
    >>> image, label = Digits()[10]
    >>> image.shape, label
    (torch.Size([1, 8, 8]), tensor(0))
    >>> Digits(flatten=True).data.shape
    torch.Size([1797, 64])

    """

    classes = tuple("0123456789")

    def __init__(self, flatten: bool = False) -> None:
        file = _file("digits.npz")
        pixels = file["pixels"].astype(np.float32) / np.float32(16)
        super().__init__(pixels.reshape((-1, 64) if flatten else (-1, 1, 8, 8)), file["targets"])

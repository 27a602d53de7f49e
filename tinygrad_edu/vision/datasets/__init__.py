"""Image data sets, read from their official files; nothing is downloaded unless asked for.

Where the files are looked for: the given ``root``, then the folder named by the environment variable
TINYGRAD_EDU_DATA. In either, torchvision's layout (``MNIST/raw``, ``cifar-10-batches-py``), a folder of the data set's
name in small letters, or the files lying there themselves will do. Every file with a published digest is checked against
it before it is parsed.

An item is ``(image, label)``; the image is a PIL image where Pillow is installed, else a uint8 array (H, W) or
(H, W, 3). Transforms take both.
"""

from .cifar import CIFAR10, CIFAR100
from .fakedata import FakeData
from .folder import DatasetFolder, ImageFolder
from .mnist import KMNIST, MNIST, FashionMNIST
from .vision import VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "KMNIST",
    "MNIST",
    "DatasetFolder",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "VisionDataset",
]

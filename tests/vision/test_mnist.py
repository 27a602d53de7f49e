"""The real MNIST, where TINYGRAD_EDU_DATA names a folder that has it."""

from __future__ import annotations

import os

import pytest

import tinygrad_edu as tg
from tinygrad_edu.utils.data import DataLoader
from tinygrad_edu.vision import transforms
from tinygrad_edu.vision.datasets import MNIST

pytestmark = pytest.mark.skipif(
    "TINYGRAD_EDU_DATA" not in os.environ, reason="MNIST: NOT CHECKED (TINYGRAD_EDU_DATA names no folder)"
)


def test_the_official_files_are_read_whole(tmp_path):
    train, test = MNIST(tmp_path), MNIST(tmp_path, train=False, download=True)
    assert (train.data.shape, test.data.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert train.targets[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.targets.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    pixels = train.data.double() / 255
    assert (round(pixels.mean().item(), 4), round(pixels.std().item(), 4)) == (0.1307, 0.3081)


def test_batches_are_normalised(tmp_path):
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    data = MNIST(tmp_path, train=False, transform=transform)
    total, count = 0.0, 0
    for images, labels in DataLoader(data, batch_size=64, shuffle=True):
        assert images.shape[1:] == (1, 28, 28)
        total, count = total + images.sum().item(), count + len(labels)
    assert count == 10000
    assert abs(total / (10000 * 784)) < 0.01
    image, label = data[0]
    assert label == 7
    assert tg.equal(image, transform(data.data[0].numpy()))

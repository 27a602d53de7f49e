"""The embedded data and the generators."""

from __future__ import annotations

import math
from importlib import resources

import numpy as np
import pytest

import tinygrad_edu as tg
from tests.oracle import assert_same
from tests.oracle import torch as real
from tinygrad_edu import datasets


def test_both_files_together_stay_below_60_kb():
    folder = resources.files("tinygrad_edu.datasets")
    sizes = {file.name: len(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".npz")}
    assert set(sizes) == {"iris.npz", "digits.npz"}
    assert sum(sizes.values()) < 60_000
    readme = folder.joinpath("README.md").read_text()
    assert all(name in readme for name in sizes)
    assert "licence" in readme


def test_iris_equals_scikit_learns():
    import sklearn.datasets

    theirs, ours = sklearn.datasets.load_iris(), datasets.Iris()
    np.testing.assert_array_equal(ours.data.numpy(), theirs.data.astype(np.float32))
    np.testing.assert_array_equal(ours.targets.numpy(), theirs.target)
    assert list(ours.classes) == list(theirs.target_names)
    assert list(ours.feature_names) == theirs.feature_names


def test_digits_equal_scikit_learns():
    import sklearn.datasets

    theirs, ours = sklearn.datasets.load_digits(), datasets.Digits()
    np.testing.assert_array_equal(ours.data.numpy()[:, 0] * 16, theirs.images)
    np.testing.assert_array_equal(datasets.Digits(flatten=True).data.numpy() * 16, theirs.data)
    np.testing.assert_array_equal(ours.targets.numpy(), theirs.target)


def test_the_embedded_numbers_are_the_known_ones():
    iris, digits = datasets.Iris(), datasets.Digits()
    np.testing.assert_allclose(iris.data.double().mean(0).numpy(), [5.843333, 3.057333, 3.758, 1.199333], atol=1e-6)
    assert iris.data[34].tolist() == pytest.approx([4.9, 3.1, 1.5, 0.2])  # Fisher's row, which UCI has wrong
    assert iris.targets.bincount().tolist() == [50, 50, 50]
    assert (digits.data * 16).sum() == 561718
    assert digits.targets.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits.data.min() == 0
    assert digits.data.max() == 1
    assert digits.data.dtype is tg.float32
    assert digits.targets.dtype is tg.int64


def test_the_embedded_sets_feed_a_loader_and_print_themselves():
    from tinygrad_edu.utils.data import DataLoader, random_split

    train, test = random_split(datasets.Digits(), [0.8, 0.2], generator=tg.Generator().manual_seed(0))
    assert (len(train), len(test)) == (1438, 359)
    images, labels = next(iter(DataLoader(train, 64, shuffle=True)))
    assert images.shape == (64, 1, 8, 8)
    assert labels.dtype is tg.int64
    assert repr(datasets.Iris()) == "Dataset Iris\n    Number of datapoints: 150\n    Data: (150, 4), torch.float32"


def test_a_new_copy_is_not_affected_by_writes_to_another():
    datasets.Iris().data.zero_()
    assert datasets.Iris().data.sum() > 0


@pytest.mark.torch
def test_the_parabola_is_the_seeds_own():
    tg.manual_seed(7), real.manual_seed(7)
    x = real.unsqueeze(real.linspace(-1, 1, 100), dim=1)
    y = x.pow(2) + 0.2 * real.rand(x.size())
    assert_same(datasets.parabola(), (x, y), rtol=0, atol=1e-7)


@pytest.mark.parametrize("make", [datasets.xor, datasets.spiral, datasets.moons, datasets.parabola])
def test_a_generator_decides_the_points_and_the_default_one_stays(make):
    tg.manual_seed(0)
    first = make(30, noise=0.1, generator=tg.Generator().manual_seed(1))
    second = make(30, noise=0.1, generator=tg.Generator().manual_seed(1))
    assert all(tg.equal(a, b) for a, b in zip(first, second, strict=True))
    after = tg.rand(1)
    tg.manual_seed(0)
    assert tg.equal(after, tg.rand(1))
    assert (
        not tg.equal(first[0] + 0 * first[1].reshape(30, -1)[:, :1], make(30, noise=0.1)[0])
        or make is datasets.parabola
    )
    x, y = first
    assert x.dtype is tg.float32
    assert len(x) == len(y) == 30


def test_xor_is_xor():
    x, y = datasets.xor(500)
    assert set(map(tuple, x.tolist())) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert ((x[:, 0] != x[:, 1]).long() == y).all()
    blurred, _ = datasets.xor(500, noise=0.1)
    assert 0.05 < (blurred - blurred.round()).std() < 0.15


def test_spiral_arms_start_at_the_origin_and_end_on_the_unit_circle():
    x, y = datasets.spiral(101, classes=2, noise=0.0)
    assert y.bincount().tolist() == [51, 50]
    assert x[0].tolist() == [0, 0]
    assert x[50].pow(2).sum().item() == pytest.approx(1)
    assert tg.allclose(x[51:].norm(dim=1), tg.linspace(0, 1, 50), atol=1e-6)


def test_moons_are_half_circles():
    x, y = datasets.moons(101, noise=0.0)
    upper, lower = x[y == 0], x[y == 1]
    assert (len(upper), len(lower)) == (51, 50)
    assert tg.allclose(upper.norm(dim=1), tg.ones(51))
    assert tg.allclose((lower - tg.tensor([1.0, 0.5])).norm(dim=1), tg.ones(50))
    assert upper[:, 1].min() >= -1e-6
    assert lower[:, 1].max() <= 0.5 + 1e-6
    assert upper[-1, 0].item() == pytest.approx(math.cos(math.pi))


@pytest.mark.parametrize("make", [datasets.xor, datasets.spiral, datasets.moons, datasets.parabola])
def test_no_points_are_refused(make):
    with pytest.raises(ValueError, match="positive number of points"):
        make(0)

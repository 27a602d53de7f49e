"""Points in the plane, and one curve: data sets that a formula makes.

Written with torch's own functions, in the order shown: a reader can repeat the same draws under PyTorch.
"""

from __future__ import annotations

import math

from .._creation import arange, linspace
from .._functions import cat, cos, sin, stack, unsqueeze
from .._tensor import Tensor
from ..random import Generator, rand, randint, randn

__all__ = ["moons", "parabola", "spiral", "xor"]


def xor(n: int = 200, noise: float = 0.0, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Draw corners of the unit square, of class 1 where the coordinates differ, blurred by ``noise`` (a standard deviation).

    Returns ``x`` of shape (n, 2) and ``y`` of shape (n,), int64. With ``n=4`` and no noise: each corner once.

    Examples
    --------
    >>> from tinygrad_edu import datasets
    >>> x, y = datasets.xor(4)
    >>> x.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])

    """
    corner = arange(4) if n == 4 and noise == 0 else randint(0, 4, (_count(n),), generator=generator)
    left, right = corner // 2, corner % 2
    x = stack([left, right], dim=1).float()
    y = (left != right).long()
    return _blurred(x, noise, generator), y


def spiral(
    n: int = 200, classes: int = 2, noise: float = 0.05, turns: float = 1.0, generator: Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Wind one arm per class around the origin, out to radius 1, blurred by ``noise`` (a standard deviation).

    Returns ``x`` of shape (n, 2) and ``y`` of shape (n,), int64; the classes follow one another and differ in size by at
    most one.

    Examples
    --------
    >>> from tinygrad_edu import datasets
    >>> x, y = datasets.spiral(90, classes=3)
    >>> x.shape, y.bincount().tolist()
    (torch.Size([90, 2]), [30, 30, 30])

    """
    sizes = [_count(n) // classes + (k < n % classes) for k in range(classes)]
    arms = []
    for k, size in enumerate(sizes):
        radius = linspace(0.0, 1.0, size)
        angle = 2 * math.pi * (turns * radius + k / classes)
        arms.append(stack([radius * cos(angle), radius * sin(angle)], dim=1))
    y = cat([arange(size) * 0 + k for k, size in enumerate(sizes)])
    return _blurred(cat(arms), noise, generator), y


def moons(n: int = 200, noise: float = 0.1, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Place two half circles that reach into each other, blurred by ``noise`` (a standard deviation).

    Returns ``x`` of shape (n, 2) and ``y`` of shape (n,), int64: the upper moon (0) first, then the lower (1).

    Examples
    --------
    >>> from tinygrad_edu import datasets
    >>> x, y = datasets.moons(100, noise=0.0)
    >>> x[0].tolist(), y.sum()
    ([1.0, 0.0], tensor(50))

    """
    upper = _count(n) - n // 2
    over, under = linspace(0.0, math.pi, upper), linspace(0.0, math.pi, n // 2)
    x = cat([stack([cos(over), sin(over)], dim=1), stack([1 - cos(under), 0.5 - sin(under)], dim=1)])
    y = (arange(n) >= upper).long()
    return _blurred(x, noise, generator), y


def parabola(n: int = 100, noise: float = 0.2, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
    """Sample y = x**2 on [-1, 1] with uniform noise between 0 and ``noise`` added; x and y have shape (n, 1).

    Examples
    --------
    >>> from tinygrad_edu import datasets
    >>> x, y = datasets.parabola()
    >>> x.shape, bool((y >= x**2).all())
    (torch.Size([100, 1]), True)

    """
    x = unsqueeze(linspace(-1.0, 1.0, _count(n)), dim=1)
    y = x.pow(2) + noise * rand(x.size(), generator=generator)
    return x, y


def _count(n: int) -> int:
    if n < 1:
        raise ValueError(f"n should be a positive number of points, but got n={n}")
    return n


def _blurred(x: Tensor, noise: float, generator: Generator | None) -> Tensor:
    return x + noise * randn(x.shape, generator=generator) if noise else x

"""The methods of Tensor that need a floor above it: random numbers, NumPy's protocols."""

from __future__ import annotations

from . import _numpy_dispatch, random
from ._tensor import Tensor


def install() -> None:
    """Give Tensor the methods that its own floor cannot know."""
    for name in (
        "normal_",
        "uniform_",
        "bernoulli_",
        "exponential_",
        "random_",
        "cauchy_",
        "log_normal_",
        "geometric_",
    ):
        setattr(Tensor, name, getattr(random, name))
    for name in ("bernoulli", "multinomial"):
        setattr(Tensor, name, getattr(random, name))
    _numpy_dispatch.install()

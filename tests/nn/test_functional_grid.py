"""Sampling images at any places, beside torch."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 3, 2, 4, 5), (2, 3, 1, 4)])
def test_affine_grids_equal_torch(corners, size):
    n = len(size) - 2
    orders(
        lambda t, theta: t.nn.functional.affine_grid(theta, size, align_corners=corners),
        numbers(2, n, n + 1),
        named=False,  # several steps here, one in torch
    )


@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 2, 2, 4, 3)])
def test_sampling_equals_torch(corners, padding, mode, size):
    n = len(size) - 2
    grid = numbers(2, 3, 3, *((2,) if n == 3 else ()), n, seed=1) * 1.3

    def run(t, x, grid):
        return t.nn.functional.grid_sample(x, grid, mode, padding, align_corners=corners)

    if mode == "nearest":  # which does not depend on small moves of the grid: no gradient here, zeros in torch
        orders(lambda t, x: run(t, x, t.tensor(grid)), numbers(*size), named=False, second=False)
    else:
        orders(run, numbers(*size), grid, named=False, second=False)  # torch has no second order


def test_shapes_and_modes_that_do_not_fit_raise_torchs_error():
    both(lambda t: t.nn.functional.grid_sample(t.zeros(2, 3, 4), t.zeros(2, 3, 2)))
    both(lambda t: t.nn.functional.grid_sample(t.zeros(2, 3, 4, 5), t.zeros(1, 3, 3, 2)))
    both(lambda t: t.nn.functional.grid_sample(t.zeros(2, 3, 4, 5), t.zeros(2, 3, 3, 2), mode="cubic"))
    both(lambda t: t.nn.functional.affine_grid(t.zeros(2, 3, 3), (2, 3, 4, 5)))

"""erf in single and double precision, beside math.erf."""

import math

import numpy as np
import pytest

from tinygrad_edu._ops import error_function
from tinygrad_edu._ops.elementwise import erf, erfc

POINTS = np.concatenate([np.linspace(-7, 7, 4001), np.logspace(-30, 0, 301), [0.0, -0.0, 4.0, -4.0]])


def test_single_precision_is_within_a_few_units_of_the_last_digit():
    x = POINTS.astype(np.float32)
    exact = np.array([math.erf(v) for v in x.tolist()])
    assert erf(x).dtype == np.float32
    np.testing.assert_allclose(erf(x), exact, rtol=4e-7, atol=0)
    assert np.abs(erf(x)).max() == 1


def test_double_precision():
    np.testing.assert_allclose(erf(POINTS), [math.erf(v) for v in POINTS], rtol=4e-15, atol=0)
    np.testing.assert_allclose(erfc(POINTS), [math.erfc(v) for v in POINTS], rtol=2e-14, atol=0)


@pytest.mark.parametrize("size", [0, 1, error_function.BLOCK - 1, error_function.BLOCK, 2 * error_function.BLOCK + 3])
def test_blocks_change_nothing(size):
    x = np.linspace(-5, 5, size, dtype=np.float32)
    one_by_one = [float(erf(x[i : i + 1])[0]) for i in range(0, size, 997)]
    assert erf(x)[::997].tolist() == one_by_one


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_infinity_nan_and_zero_dimensions(dtype):
    assert erf(np.array([np.inf, -np.inf], dtype)).tolist() == [1, -1]
    assert np.isnan(erf(np.array([np.nan], dtype))).all()
    assert erf(dtype(0.5)).dtype == dtype
    assert erf(np.array(0.5, dtype)).shape == ()


def test_any_layout():
    x = np.linspace(-2, 2, 24, dtype=np.float32).reshape(4, 6)
    assert np.array_equal(erf(x.T[::-1]), erf(np.ascontiguousarray(x.T[::-1])))

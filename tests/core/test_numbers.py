"""Python numbers beside float32 arrays are kept as arrays; nothing else is to be seen of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as torch
from tests.oracle import both
from tinygrad_edu._core.op import numbers

OPERATORS = {"add": lambda x, c: x + c, "sub": lambda x, c: c - x, "mul": lambda x, c: x * c, "div": lambda x, c: x / c}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@given(number=st.one_of(st.floats(allow_subnormal=False), st.integers(-(2**62), 2**62)))
def test_a_number_gives_what_numpy_gives(name: str, dtype: str, number: float) -> None:
    apply: Any = OPERATORS[name]
    data = np.array([-2.0, 0.5, 3.0], dtype)
    if name == "div" and number == 0 and not isinstance(number, float):
        return  # an integer zero raises in neither, but NumPy's sign of the infinity is that of 0.0
    with np.errstate(all="ignore"):
        expected = apply(data, number)
        got = apply(torch.from_numpy(data).requires_grad_(), number).detach().numpy()
        assert got.dtype == expected.dtype
        assert np.array_equal(got, expected, equal_nan=True)
        assert np.array_equal(np.signbit(got), np.signbit(expected))


def test_minus_zero_is_not_taken_for_zero() -> None:
    x = torch.ones(2, requires_grad=True)
    assert [math.copysign(1, float((x * zero)[0])) for zero in (0.0, -0.0, 0.0)] == [1, -1, 1]


def test_the_store_of_numbers_is_limited_and_read_only() -> None:
    x = torch.ones(2, requires_grad=True)
    for n in range(1, 3000):
        x * (1 / n)
    assert len(numbers) <= 1000
    assert not any(array.flags.writeable for array in numbers.values())


def test_a_constant_serves_every_order() -> None:
    def program(t: Any) -> list[Any]:
        x = t.tensor([1.0, 2.0], requires_grad=True)
        (first,) = t.autograd.grad((3 / (x * 2.5 - 1)).sum(), x, create_graph=True)
        (second,) = t.autograd.grad((first * first * 0.5).sum(), x, create_graph=True)
        return [first.detach(), second.detach()]

    both(program)

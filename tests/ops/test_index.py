"""Reading and writing at indices, where torch's shapes have exceptions."""

from __future__ import annotations

import pytest

from tests.oracle import both


@pytest.mark.parametrize("index", ["3", "[3]"])
@pytest.mark.parametrize("source", ["2.0", "t.tensor(2.0)", "t.tensor([2.0])", "t.tensor([2.0], requires_grad=True)"])
@pytest.mark.parametrize("function", ["scatter", "scatter_add"])
def test_a_0d_index_scatters_to_one_place_and_not_to_all(function, source, index):
    def program(t):
        given = eval(source, {"t": t})
        place = t.tensor(eval(index))
        return getattr(t.zeros(4), function)(0, place, given)

    both(program)


def test_one_hot_labels_by_a_0d_index():
    both(lambda t: t.zeros(10).scatter_(0, t.tensor(3), value=1))


@pytest.mark.parametrize("function", ["gather", "scatter"])
def test_an_index_with_too_few_dimensions_is_refused(function):
    both(lambda t: getattr(t.zeros(1, 3), function)(1, t.tensor(1), *[1.0] * (function == "scatter")))


def test_an_index_into_a_0d_tensor_names_item():
    error = both(lambda t: t.tensor(1.0)[0])
    assert "invalid index of a 0-dim tensor. Use `tensor.item()`" in str(error)

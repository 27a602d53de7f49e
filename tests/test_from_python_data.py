"""torch.tensor of Python data: what dtype and shape it chooses, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracle import both, ours

REFUSED = [
    "None",
    "[1, None]",
    "{}",
    "[{}]",
    "{1, 2}",
    "'a'",
    "['a', 'b']",
    "[['ab']]",
    "[1, 'a']",
    "['']",
    "b'ab'",
    "[object()]",
]
MIXED = [
    "[t.tensor(1), t.tensor(2.0)]",
    "[t.tensor(1.0, dtype=t.float64), 1.0]",
    "[t.tensor(1, dtype=t.int8)]",
    "[True, t.tensor(2, dtype=t.uint8)]",
    "[np.float32(1), np.int64(2)]",
    "[np.float16(1), 1.0]",
    "[np.int8(1)]",
    "[np.float64(1)]",
    "[1, 2.5]",
    "[True, 2]",
]


@pytest.mark.parametrize("data", REFUSED)
def test_texts_and_objects_are_refused_and_do_not_hang(data):
    both(lambda t: t.tensor(eval(data)))


@pytest.mark.parametrize("data", ["None", "[1, None]", "['1']"])
def test_a_given_dtype_does_not_make_numbers_of_them(data):
    both(lambda t: t.tensor(eval(data), dtype=t.float32))


@pytest.mark.parametrize("data", MIXED)
def test_numbers_of_several_kinds_promote(data):
    both(lambda t: t.tensor(eval(data, {"t": t, "np": np})))


@pytest.mark.parametrize("data", ["[t.ones(1), t.zeros(1)]", "[[t.ones(1, 1)], [2.0]]", "[2.0, t.ones(1)]"])
def test_a_tensor_of_one_element_in_a_list_is_a_number(data):
    both(lambda t: t.tensor(eval(data, {"t": t})))


def test_a_list_of_longer_tensors_is_refused_and_stack_named():
    error = both(lambda t: t.tensor([t.ones(2), t.ones(2)]))
    assert "torch.stack" in str(error)


def test_the_place_of_what_is_no_number_is_named():
    with pytest.raises(RuntimeError, match=r"at position \[1, 0\]"):
        ours().tensor([[1, 2], [None, 2]])

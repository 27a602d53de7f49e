"""Sorting, searching and counting: torch's order, indices, counts, errors and gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, torch

NAN = math.nan
X = np.array([[0.5, -1.2, 2.0, 1.0], [1.7, 0.3, -0.8, 0.9]])

CHOICES = {
    "sort": lambda t, x: x.sort(),
    "sort-dim": lambda t, x: t.sort(x, 0, True),
    "sort-stable": lambda t, x: x.sort(stable=True, dim=-1, descending=True),
    "topk": lambda t, x: x.topk(2),
    "topk-smallest": lambda t, x: x.topk(1, dim=0, largest=False),
    "kthvalue": lambda t, x: x.kthvalue(2),
    "kthvalue-keepdim": lambda t, x: t.kthvalue(x, 1, 0, True),
    "msort": lambda t, x: x.msort(),
}


@pytest.mark.parametrize("name", CHOICES)
def test_it_agrees_with_torch_to_second_order(name):
    orders(CHOICES[name], X)


@pytest.mark.parametrize("name", ["sort", "sort-stable", "topk", "kthvalue"])
def test_a_number_is_in_order(name):
    program = {"topk": lambda t, x: x.topk(1), "kthvalue": lambda t, x: x.kthvalue(1)}.get(name, CHOICES[name])
    orders(program, 2.5, second=False, named=False)


PLAIN = [
    lambda t: tuple(t.tensor([3, 1, 2, 1, 3]).sort(stable=True)),
    lambda t: tuple(t.tensor([3, 1, 2, 1, 3]).sort(descending=True, stable=True)),
    lambda t: tuple(t.tensor([True, False]).sort()),
    lambda t: tuple(t.tensor([1, NAN, 0]).sort()),
    lambda t: tuple(t.tensor([1, NAN, 0]).sort(descending=True)),
    lambda t: tuple(t.tensor([200, 3, 100], dtype=t.uint8).sort(descending=True)),
    lambda t: t.tensor([3, 1, 2]).argsort(descending=True),
    lambda t: t.tensor([[3, 1], [2, 5]]).argsort(0),
    lambda t: t.tensor(2).argsort(),
    lambda t: tuple(t.tensor([1, NAN, 0]).topk(2)),
    lambda t: tuple(t.tensor([1, NAN, 0]).kthvalue(2)),
    lambda t: tuple(t.zeros(2, 0).sort(1)),
    lambda t: tuple(t.zeros(2, 0).topk(0)),
    lambda t: t.unique(t.tensor([3, 1, 1]), return_inverse=True, return_counts=True),
    lambda t: t.unique(t.tensor([[3, 1], [1, 3]]), return_inverse=True),
    lambda t: t.unique(t.tensor([[3, 1], [1, 3], [1, 3]]), dim=0, return_inverse=True, return_counts=True),
    lambda t: t.unique(t.tensor([[3, 1, 3], [1, 3, 1]]), dim=1),
    lambda t: t.tensor([1, NAN, 0, NAN]).unique(),
    lambda t: t.unique(t.tensor([True, False])),
    lambda t: t.unique(t.tensor(3)),
    lambda t: t.zeros(0).unique(return_counts=True),
    lambda t: t.unique_consecutive(t.tensor([1, 1, 2, 1]), return_inverse=True, return_counts=True),
    lambda t: t.unique_consecutive(t.tensor([[1, 1], [1, 1], [2, 2]]), dim=0, return_counts=True),
    lambda t: t.bincount(t.tensor([0, 1, 1, 3])),
    lambda t: t.bincount(t.tensor([0, 1, 1, 3]), minlength=6),
    lambda t: t.bincount(t.tensor([0, 1]), weights=t.tensor([0.5, 1.0])),
    lambda t: t.bincount(t.tensor([0, 1]), weights=t.tensor([1, 2])),
    lambda t: t.bincount(t.tensor([], dtype=t.int64)),
    lambda t: t.bincount(t.tensor([1], dtype=t.uint8)),
    lambda t: t.histc(t.tensor([1.0, 2, 1]), bins=4, min=0, max=3),
    lambda t: t.histc(t.tensor([1.0, 2, 1])),
    lambda t: t.histc(t.tensor([2.0, 2.0]), 3),
    lambda t: tuple(t.histogram(t.tensor([1.0, 2, 1]), bins=4, range=(0.0, 3.0))),
    lambda t: tuple(t.histogram(t.tensor([1.0, 2, 1]), t.tensor([0.0, 1.5, 3]), density=True)),
    lambda t: t.searchsorted(t.tensor([1, 3, 5]), t.tensor([[3, 6], [0, 5]])),
    lambda t: t.searchsorted(t.tensor([1, 3, 5]), 3),
    lambda t: t.searchsorted(t.tensor([1, 3, 5]), 3, right=True),
    lambda t: t.searchsorted(t.tensor([1, 3, 5]), t.tensor([3]), side="right"),
    lambda t: t.searchsorted(t.tensor([[1, 3], [2, 4]]), t.tensor([[3], [3]])),
    lambda t: t.searchsorted(t.tensor([1, 3]), t.tensor([3]), out_int32=True),
    lambda t: t.searchsorted(t.tensor([5, 1, 3]), t.tensor([3]), sorter=t.tensor([1, 2, 0])),
    lambda t: t.searchsorted(t.tensor([1, 3]), t.tensor([3.0])),
    lambda t: t.bucketize(t.tensor([3, 6]), t.tensor([1, 3, 5])),
    lambda t: t.bucketize(3, t.tensor([1, 3, 5]), right=True),
    lambda t: t.isin(t.tensor([1, 2, 3]), t.tensor([2, 3])),
    lambda t: t.isin(t.tensor([1, 2, 3]), 2, invert=True),
]


@pytest.mark.parametrize("number", range(len(PLAIN)))
def test_values_indices_and_dtypes_agree_with_torch(number):
    both(PLAIN[number])


WRONG = {
    "selected index k out of range": [lambda t: t.tensor([1.0, 2]).topk(3), lambda t: t.zeros(3).topk(-1)],
    "kthvalue(): selected number k out of range for dimension 0": [
        lambda t: t.zeros(3).kthvalue(0),
        lambda t: t.zeros(3).kthvalue(4),
    ],
    "Dimension out of range (expected to be in range of [-2, 1], but got 5)": [
        lambda t: t.zeros(2, 3).sort(5),
        lambda t: t.zeros(2, 3).topk(2, dim=5),
        lambda t: t.zeros(2, 3).unique(dim=5),
    ],
    "Expected reduction dim 1 to have non-zero size.": [lambda t: t.zeros(2, 0).kthvalue(1, 1)],
    "topk does not support bool dtypes on CPU": [lambda t: t.tensor([True]).topk(1)],
    "bincount only supports 1-d non-negative integral inputs.": [
        lambda t: t.bincount(t.tensor([-1])),
        lambda t: t.bincount(t.tensor([[1]])),
    ],
    "\"bincount_cpu\" not implemented for 'Float'": [lambda t: t.bincount(t.tensor([1.0]))],
    "weights should be 1-d and have the same length as input": [
        lambda t: t.bincount(t.tensor([0, 1]), weights=t.tensor([1.0]))
    ],
    "is not finite": [lambda t: t.histc(t.tensor([1.0, NAN]), 3)],
    "bins must be > 0": [lambda t: t.histc(t.tensor([1.0]), 0)],
    "side can only be 'left' or 'right' but got x": [
        lambda t: t.searchsorted(t.tensor([1, 3]), t.tensor([3]), side="x")
    ],
    "side and right can't be set to opposites": [
        lambda t: t.searchsorted(t.tensor([1, 3]), t.tensor([3]), right=True, side="left")
    ],
    "boundaries tensor should be 1 dimension or the first N-1 dimensions": [
        lambda t: t.searchsorted(t.tensor([[1, 3], [2, 4]]), t.tensor([3]))
    ],
    "boundaries tensor must be 1 dimension, but got dim(2)": [lambda t: t.bucketize(t.tensor([3]), t.tensor([[1, 3]]))],
    "the derivative for '_unique2' is not implemented.": [
        lambda t: t.tensor([1.0, 2.0], requires_grad=True).unique().sum().backward()
    ],
}


@pytest.mark.parametrize(("words", "number"), [(w, i) for w, programs in WRONG.items() for i in range(len(programs))])
def test_wrong_input_raises_torchs_error_in_torchs_words(words, number):
    program = WRONG[words][number]
    assert words in str(both(program))
    with pytest.raises(Exception) as theirs:  # which type, the line above has compared
        program(torch)
    assert words in str(theirs.value)


def test_named_results_print_as_in_torch():
    both(lambda t: [repr(t.tensor([3, 1]).sort()), repr(t.tensor([3.0, 1.0]).topk(1)), repr(t.zeros(0).sort())])


def test_numpys_name_of_dim_is_understood():
    both(lambda t: tuple(t.sort(t.tensor(X), axis=0)))


def test_changing_returned_indices_before_backward_is_noticed():
    def program(t):
        x = t.tensor([1.0, 3.0, 2.0], requires_grad=True)
        values, indices = x.sort()
        indices.zero_()
        values.sum().backward()

    both(program)


@pytest.mark.parametrize("largest", [True, False])
def test_a_few_of_many_agree_with_torch(largest):
    x = np.random.default_rng(0).permutation(120).reshape(4, 30).astype(float)
    x[1, 7] = NAN
    for k in (1, 3, 7):
        orders(lambda t, x, k=k: x.topk(k, largest=largest), x, second=False)
        orders(
            lambda t, x, k=k: x.topk(k, 0, largest), x[:, :4].repeat(3, 0) + np.arange(12)[:, None] / 100, second=False
        ) if k < 7 else None

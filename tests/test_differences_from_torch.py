"""Where the engine differs from torch on purpose: both sides are shown, so that the test fails if either changes."""

from __future__ import annotations

import gc
import weakref

import pytest

import tinygrad_edu
from tests.oracle import torch

STALE = "modified by an inplace operation"


def multiplied_by_itself(t):
    x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y.mul_(y)
    y.sum().backward()
    return x.grad.tolist()


def test_a_tensor_multiplied_by_itself_in_place_gets_its_gradient():
    assert multiplied_by_itself(tinygrad_edu) == [8.0, 16.0, 24.0]
    with pytest.raises(RuntimeError, match=STALE):
        multiplied_by_itself(torch)


def base_of_chunks_written(t):
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    h = x * 1
    upper, _ = h.chunk(2)
    h.mul_(2)
    (upper * upper).sum().backward()
    return x.grad.tolist()


def test_a_chunk_follows_a_write_into_its_base():
    assert base_of_chunks_written(tinygrad_edu) == [[8.0, 16.0], [0.0, 0.0]]
    with pytest.raises(RuntimeError):
        base_of_chunks_written(torch)


def data_written_between(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    x.data.mul_(5)
    y.backward()
    return x.grad.tolist()


def test_a_kept_tensor_written_through_data_raises():
    with pytest.raises(RuntimeError, match=STALE):
        data_written_between(tinygrad_edu)
    assert data_written_between(torch) == [10.0, 20.0]  # silently wrong: the gradient at [1, 2] is [2, 4]


def graph_in_gradient(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    alive = weakref.ref(x)
    (x * x * x).sum().backward(create_graph=True)
    del x
    return alive() is None


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_backward_with_create_graph_leaves_no_cycle():
    enabled = gc.isenabled()
    gc.disable()
    try:
        assert graph_in_gradient(tinygrad_edu)
        assert not graph_in_gradient(torch)
    finally:
        if enabled:
            gc.enable()
        gc.collect()


def scalar_kept_then_written(t):
    x = t.tensor(3.0, requires_grad=True)
    s = x * 2
    y = s * s
    s.add_(1)
    y.backward()
    return x.grad.item()


def test_a_kept_result_without_dimensions_is_a_copy():
    assert scalar_kept_then_written(tinygrad_edu) == 24.0
    with pytest.raises(RuntimeError, match=STALE):
        scalar_kept_then_written(torch)

"""Views and in-place writes keep the invariants of the engine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as torch
from tests.oracle import both
from tinygrad_edu._ops.shape import follow

VIEWS = {
    "select": lambda x: x[0],
    "slice": lambda x: x[..., 1:],
    "t": lambda x: x.transpose(0, -1),
    "unsqueeze": lambda x: x.unsqueeze(0),
    "reshape": lambda x: x.reshape(-1),
    "expand": lambda x: x.expand(2, *x.shape),
    "diagonal": lambda x: x.diagonal() if x.dim() > 1 else x[:],
}


@given(st.lists(st.sampled_from(sorted(VIEWS)), min_size=1, max_size=4), st.booleans())
def test_a_view_is_where_its_path_leads_before_and_after_writes(names, write):
    root = torch.arange(24.0).reshape(2, 3, 4) * 1
    v = root
    for name in names:
        if not v.dim():
            break
        v = VIEWS[name](v)
    if v._base is None:
        return  # reshape had to copy
    base = v._base
    assert base._base is None
    if write and v.numel():
        base.mul_(2)
    again = follow(base._array, v._path)
    assert again.__array_interface__["data"] == v._array.__array_interface__["data"]
    assert (again.shape, again.strides) == (v._array.shape, v._array.strides)


def test_a_0d_result_shares_memory_once_it_is_shared():
    def program(t):
        s = t.tensor([1.0, 2.0]).sum()
        d = s.detach()
        d.add_(1)
        return s, d

    both(program)


def test_writing_into_expanded_memory_names_the_cure():
    with pytest.raises(RuntimeError, match=r"refers to a single memory location.*clone\(\)"):
        torch.zeros(1).expand(3).add_(1)


def test_a_write_through_data_is_detected():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    x.data.mul_(5)
    with pytest.raises(
        RuntimeError,
        match=r"modified by an inplace operation: x of mul \(MulBackward0\).*version 1; expected version 0",
    ):
        y.backward()


def test_updating_weights_through_data_after_backward_works():
    def program(t):
        w = t.tensor([1.0, 2.0], requires_grad=True)
        for _ in range(3):
            (w * w).sum().backward()
            w.data -= 0.1 * w.grad.data
            w.grad.data.zero_()
        return w

    both(program)


def test_data_of_another_shape_can_be_assigned():
    def program(t):
        w = t.tensor([1.0, 2.0], requires_grad=True)
        w.data = t.tensor([3.0])
        (w * w).sum().backward()
        return w, w.grad

    both(program)


def test_memory_is_shared_with_numpy_both_ways():
    a = np.zeros(3, np.float32)
    t = torch.from_numpy(a)
    t.add_(1)
    a[0] = 9
    assert t.tolist() == [9.0, 1.0, 1.0]
    assert np.shares_memory(t.numpy(), a)


def test_negative_strides_from_numpy_work():
    t = torch.from_numpy(np.arange(4.0)[::-1])
    assert (t * 2).tolist() == [6.0, 4.0, 2.0, 0.0]


@pytest.mark.parametrize(
    "program",
    [
        lambda t, h: h.__setitem__((h > 1.5), 0.0),
        lambda t, h: h[:, 0].mul_(2),
        lambda t, h: h.relu_(),
        lambda t, h: h.__setitem__((0, [0, 2]), t.tensor([7.0, 8.0])),
        lambda t, h: h.index_add_(0, t.tensor([0, 0]), t.ones(2, 3)),
        lambda t, h: h.scatter_(1, t.tensor([[0], [2]]), 5.0),
        lambda t, h: h.t().exp_(),
        lambda t, h: h.clamp_(min=2),
        lambda t, h: h.unsqueeze_(0),
        lambda t, h: h.squeeze_(),
        lambda t, h: h.masked_fill_(h > 3, 1.0),
        lambda t, h: h[0].copy_(h[1]),
        lambda t, h: h.fill_(3.0),
        lambda t, h: h[..., None].add_(1),
        lambda t, h: h.pow_(2),
        lambda t, h: h.sub_(1).div_(2).neg_().sigmoid_(),
        lambda t, h: h.uniform_(),
    ],
)
def test_in_place_writes_give_torchs_gradients(program):
    def run(t):
        t.manual_seed(0)
        x = t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
        h = x * 1.5
        program(t, h)
        (g,) = t.autograd.grad((h * h).sum(), x, create_graph=True)
        (g * g).sum().backward() if g.requires_grad else None
        return h.detach(), g.detach(), x.grad

    both(run)


def test_unused_memory_may_be_written():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        h = x * 1
        y = h + 2
        h.add_(1)
        y.sum().backward()
        return x.grad

    both(program)

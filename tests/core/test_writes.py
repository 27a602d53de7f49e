"""Views made and used in changing modes, and what a write must leave alone."""

import threading

import pytest

import tinygrad_edu as torch
from tests.oracle import both
from tinygrad_edu._core.op import Op
from tinygrad_edu._ops.shape import reshape

PROGRAMS = {}


def program(function):
    """Put a program on the list."""
    PROGRAMS[function.__name__] = function
    return function


def inner(t):
    """Return a leaf and a copy of it inside the graph."""
    x = t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    return x, x * 1


@program
def a_view_of_a_view_made_under_no_grad_cannot_be_written(t):
    _, h = inner(t)
    with t.no_grad():
        v = h[:1]
    v[0].mul_(2)


@program
def a_view_made_under_no_grad_of_a_recorded_view_cannot_be_written(t):
    _, h = inner(t)
    v = h[:1]
    with t.no_grad():
        u = v[0]
    u.mul_(2)


@program
def a_view_of_one_of_many_cannot_be_written(t):
    _, h = inner(t)
    h.unbind(0)[0][:2].mul_(2)


@program
def a_reshape_that_copied_is_no_view(t):
    x, h = inner(t)
    v = h.t().reshape(6)
    h.mul_(2)
    (v * v).sum().backward()
    return v, x.grad


@program
def a_write_into_a_reshape_that_copied_leaves_the_source(t):
    x, h = inner(t)
    v = h.t().reshape(6)
    v.mul_(2)
    (h * h).sum().backward()
    return h, v, x.grad


@program
def a_view_of_a_number_shares_its_memory(t):
    x, h = inner(t)
    s = h.sum()
    v = s.view(1)
    v.mul_(2)
    s.backward()
    return s, x.grad


@program
def a_number_written_is_seen_by_its_view(t):
    x, h = inner(t)
    s = h.sum()
    v = s[None]
    s.mul_(3)
    v.backward()
    return v, x.grad


@program
def a_constant_times_what_is_written_next(t):
    x, h = inner(t)
    y = t.full((3,), 2.0) * h
    h.add_(1)
    y.sum().backward()
    return x.grad


@program
def what_is_written_next_times_a_constant(t):
    x, h = inner(t)
    y = h * t.full((3,), 2.0)
    h.add_(1)
    y.sum().backward()
    return x.grad


@program
def a_constant_divided_into(t):
    x, h = inner(t)
    y = h / t.full((3,), 2.0)
    h.add_(1)
    y.sum().backward()
    return x.grad


@program
def a_view_first_used_under_no_grad_after_a_write(t):
    x, h = inner(t)
    v = h[0]
    h.mul_(2)
    with t.no_grad():
        asked = v.requires_grad, (v + 1).requires_grad
    (v * v).sum().backward()
    return asked, x.grad


@program
def a_hook_on_a_view_after_its_base_was_written(t):
    x, h = inner(t)
    v = h[0]
    h.mul_(2)
    seen = []
    v.grad_fn.name()  # torch 2.13 dies of a hook registered before it has looked at the step
    v.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
    (v * v).sum().backward()
    return seen, x.grad


@program
def retain_grad_on_a_view_after_its_base_was_written(t):
    x, h = inner(t)
    v = h[0]
    h.mul_(2)
    v.grad_fn.name()
    v.retain_grad()
    (v * v).sum().backward()
    return v.grad, x.grad


@program
def hooks_survive_freezing(t):
    x, _ = inner(t)
    seen = []
    x.register_hook(lambda g: seen.append("hook"))
    x.register_post_accumulate_grad_hook(lambda p: seen.append("after"))
    x.requires_grad_(False)
    x.requires_grad_(True)
    (x * 2).sum().backward()
    return seen, x.grad


@program
def detach_in_place_of_a_view_is_refused(t):
    _, h = inner(t)
    h[0].detach_()


@program
def detach_in_place_cuts(t):
    x, h = inner(t)
    y = h * 2
    h.detach_()
    return h.requires_grad, h.is_leaf, t.autograd.grad(y.sum(), x)


@program
def a_write_of_what_wants_a_gradient_into_what_does_not(t):
    x, h = inner(t)
    b = t.zeros(2, 3)
    b.add_(h)
    b.mul_(2)
    b.sum().backward()
    return x.grad, b.requires_grad


@program
def the_same_under_no_grad_stays_outside(t):
    _, h = inner(t)
    b = t.zeros(2, 3)
    with t.no_grad():
        b.add_(h)
    return b.requires_grad, b


@program
def a_double_added_into_a_float_is_cast_back(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    w = t.tensor([3.0, 4.0], dtype=t.float64, requires_grad=True)
    h = x * 1
    h.add_(w).mul_(w)
    h.sum().backward()
    return h, x.grad, w.grad


@program
def a_double_number_added_into_a_float_without_a_graph(t):
    h = t.ones(2)
    h.add_(t.tensor([0.1, 0.2], dtype=t.float64))
    h.mul_(t.tensor(3.0, dtype=t.float64))
    return h


@program
def whole_numbers_written_by_whole_numbers(t):
    h = t.tensor([1, 2, 3])
    h.add_(t.tensor([1, 1, 1], dtype=t.int8)).mul_(True)
    return h


@program
def a_copied_leaf_has_a_gradient_of_its_own(t):
    import copy

    x, h = inner(t)
    h.sum().backward()
    y = copy.deepcopy(x)
    y.grad.mul_(5)
    return x.grad, y.grad, y.requires_grad, y.is_leaf


@program
def what_is_met_twice_is_copied_once(t):
    import copy

    x, _ = inner(t)
    a, b = copy.deepcopy([x, x])
    return a is b, a


@program
def a_write_into_data_under_a_view(t):
    x, _ = inner(t)
    v = x.data[0]
    v.mul_(10)
    return x, (x * 2).sum()


@program
def a_graph_made_before_freezing_reaches_the_leaf(t):
    x, h = inner(t)
    x.requires_grad_(False)
    h.sum().backward()
    return x.grad


@program
def retain_grad_on_a_base_that_is_written_through_a_view(t):
    x, h = inner(t)
    h.retain_grad()
    h[0].mul_(2)
    (h * h).sum().backward()
    return h.grad, x.grad


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_outcome_is_torchs(name):
    both(PROGRAMS[name], ignore_warnings=True)


# Where torch raises, or cannot show it.


def test_a_row_multiplied_by_another_of_the_same_block_gets_its_gradient():
    x, h = inner(torch)
    h[0].mul_(h[1])
    h.sum().backward()
    assert x.grad.tolist() == [[4.0, 5.0, 6.0], [2.0, 3.0, 4.0]]


def test_a_part_multiplied_by_a_part_that_overlaps_it_gets_its_gradient():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    h = x * 1
    h[:2].mul_(h[1:])
    assert h.tolist() == [2.0, 6.0, 3.0]
    h.sum().backward()
    assert x.grad.tolist() == [2.0, 1.0 + 3.0, 2.0 + 1.0]


def test_an_earlier_view_of_a_buffer_may_be_written_once_the_buffer_takes_part():
    x, h = inner(torch)
    b = torch.zeros(2, 3)
    v = b[0]
    b.add_(h)
    v.mul_(5)
    b.sum().backward()
    assert x.grad.tolist() == [[5.0] * 3, [1.0] * 3]


def test_an_op_that_may_copy_gives_a_view_only_where_memory_is_shared():
    _, h = inner(torch)
    assert reshape(h, shape=(6,))._base is h
    assert reshape(h.t(), shape=(6,))._base is None


def test_what_a_step_kept_of_overwritten_memory_is_copied():
    x, h = inner(torch)
    h.pow_(2)
    h.sum().backward()
    assert x.grad.tolist() == [[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]


def test_apply_is_a_write():
    x = torch.ones(2)
    w = torch.ones(2, requires_grad=True)
    y = (w * x).sum()
    x.apply_(lambda v: v + 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_reads_are_poured_into_one_buffer_without_copies(monkeypatch):
    copies = []
    backend = Op.backend
    monkeypatch.setattr(backend, "copy", lambda array, copy=backend.copy: copies.append(1) or copy(array))
    x = torch.ones(200, 3, requires_grad=True)
    h = x * 1
    sum((h[t] for t in range(200)), torch.zeros(3)).sum().backward()
    assert len(copies) <= 2
    assert x.grad.tolist() == [[1.0] * 3] * 200


def test_large_gradients_of_several_threads_are_summed_exactly():
    w = torch.ones(400_000, requires_grad=True)
    ready = threading.Barrier(4)

    def work():
        ready.wait()
        for _ in range(25):
            w.backward(torch.ones(400_000))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torch.equal(w.grad, torch.full((400_000,), 100.0))

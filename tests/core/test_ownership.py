"""Whose array is it? Gradients on their way are added into only where the walk made them itself."""

import numpy as np
import pytest

import tinygrad_edu as torch
from tests.oracle import both


def leaf(t, *values):
    return t.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def test_one_share_handed_to_two_arguments_is_not_added_into():
    def program(t):
        x, z = leaf(t), leaf(t)
        h, k = x * 1, z * 1
        early = h * h
        y = h + k
        ((y * y).sum() + early.sum()).backward()
        return x.grad, z.grad

    both(program)


def test_one_share_handed_to_two_leaves_becomes_two_arrays():
    def program(t):
        x, z = leaf(t), leaf(t)
        y = x + z
        (y * y).sum().backward()
        x.grad.mul_(10)
        return x.grad, z.grad

    both(program)


def test_a_share_that_is_a_view_is_not_added_into():
    def program(t):
        x = leaf(t)
        h = x * 1
        early = h * h
        v = h.reshape(3, 1).t()
        seen = []
        v.register_hook(lambda g: seen.append(g))
        ((v * v).sum() + early.sum()).backward()
        return x.grad, seen

    both(program)


def test_what_the_user_gave_as_gradient_is_never_written():
    def program(t):
        x = leaf(t)
        h = x * 1
        early = h * h
        y = h.reshape(3)
        g = t.ones(3)
        t.autograd.backward([y, early.sum()], [g, None])
        x.grad.mul_(5)
        return g, x.grad

    both(program)


def test_the_same_output_given_twice_counts_twice():
    def program(t):
        x = leaf(t)
        y = x * 2
        t.autograd.backward([y, y], [t.ones(3), t.full((3,), 10.0)])
        return x.grad

    both(program)


def test_several_outputs_of_one_graph_flow_together():
    def program(t):
        x = leaf(t)
        h = x * 2
        (g,) = t.autograd.grad([h.sum(), (h * h).sum(), h[0]], x)
        return g

    both(program)


def test_a_gradient_of_another_dtype_is_cast_to_that_of_the_output():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * 2).backward(torch.ones(2, dtype=torch.float64))
    assert x.grad.dtype is torch.float32
    (g,) = torch.autograd.grad(x * 2, x, torch.ones(2, dtype=torch.float64))
    assert g.dtype is torch.float32


@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_backward_of_one_element_needs_no_gradient_argument(shape):
    def program(t):
        x = t.ones(shape, requires_grad=True)
        (x * 3).backward()
        return x.grad

    both(program)


def test_gradients_asked_for_do_not_alias_what_was_given():
    x = leaf(torch)
    seed = torch.ones(3)
    (g,) = torch.autograd.grad(x + 0, x, seed)
    g.mul_(7)
    assert seed.tolist() == [1.0, 1.0, 1.0]


def test_two_gradients_asked_for_do_not_alias_each_other():
    x, z = leaf(torch), leaf(torch)
    a, b = torch.autograd.grad((x + z).sum(), [x, z])
    a.mul_(7)
    assert b.tolist() == [1.0, 1.0, 1.0]
    assert a._array.flags.writeable


def test_a_gradient_asked_for_that_is_a_broadcast_may_be_written():
    x = leaf(torch)
    (g,) = torch.autograd.grad(x.sum(), x)
    g.add_(1)
    assert g.tolist() == [2.0, 2.0, 2.0]


def test_backward_into_inputs_lays_down_arrays_of_their_own():
    x, z = leaf(torch), leaf(torch)
    y = x + z
    (y * y).sum().backward(inputs=[x, z])
    x.grad.mul_(7)
    assert z.grad.tolist() == [4.0, 8.0, 12.0]


def test_reads_poured_after_another_share_leave_that_share_alone():
    def program(t):
        x, z = leaf(t), leaf(t)
        h, k = x * 1, z * 1
        early = h[0] * 3
        y = h + k
        ((y * y).sum() + early).backward()
        return x.grad, z.grad

    both(program)


def test_reads_poured_into_a_number_give_it_memory():
    def program(t):
        s = t.tensor(2.0, requires_grad=True)
        h = s * 1
        early = h[...] * 3
        (h * h + early).backward()
        return s.grad

    both(program)


def test_a_share_after_poured_reads_is_added_to_them():
    def program(t):
        x = leaf(t)
        h = x * 1
        early = h * h
        (h[0] * 2 + h[1:].sum() * 5 + early.sum()).backward()
        return x.grad

    both(program)


@pytest.mark.parametrize("create_graph", [False, True])
def test_three_uses_are_summed(create_graph):
    def program(t):
        x = leaf(t)
        h = x * 1
        return t.autograd.grad((h.exp() + h * h + h * 3 + h.sin()).sum(), [h, x], create_graph=create_graph)

    both(program)


def test_a_gradient_kept_from_a_first_backward_changes_with_the_second_as_in_torch():
    def program(t):
        x = leaf(t)
        (x * 2).sum().backward()
        kept = x.grad
        copy = x.grad.clone()
        (x * 3).sum().backward()
        return kept, copy, kept is x.grad

    both(program)


def test_a_gradient_in_the_graph_can_be_differentiated_after_the_next_backward():
    def program(t):
        x = leaf(t)
        (x * x * x).sum().backward(create_graph=True)
        first = x.grad
        (x * 2).sum().backward()
        (g,) = t.autograd.grad(first.sum(), x)
        return x.grad.detach(), g

    both(program, ignore_warnings=True)


def test_the_first_recorded_gradient_is_no_alias_of_the_seed():
    x = leaf(torch)
    seed = torch.ones(3)
    (x + 0).backward(seed, create_graph=True)
    assert not np.shares_memory(x.grad._writable(), seed._writable())


def test_a_graph_retained_may_go_back_again():
    def program(t):
        x = leaf(t)
        y = x.exp().sum()
        y.backward(retain_graph=True)
        (g,) = t.autograd.grad(y, x, retain_graph=True)
        y.backward()
        return x.grad, g

    both(program)


@pytest.mark.parametrize("way", ["backward", "grad"])
def test_a_recorded_walk_retains_the_graph_unless_told_otherwise(way):
    def program(t):
        x = leaf(t)
        y = x.exp().sum()
        for _ in range(2):
            if way == "grad":
                t.autograd.grad(y, x, create_graph=True)
            else:
                y.backward(create_graph=True)
        return x.grad

    both(program, ignore_warnings=True)


@pytest.mark.parametrize("way", ["backward", "grad"])
def test_a_recorded_walk_may_be_told_to_free_the_graph(way):
    x = leaf(torch)
    y = x.exp().sum()
    if way == "grad":
        torch.autograd.grad(y, x, create_graph=True, retain_graph=False)
    else:
        y.backward(create_graph=True, retain_graph=False)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_only_what_leads_to_the_target_runs():
    ran = []

    class Noted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            ran.append(1)
            return g

    x, z = leaf(torch), leaf(torch)
    torch.autograd.grad((Noted.apply(z) * x).sum(), x)
    assert ran == []
    torch.autograd.grad((Noted.apply(z) * x).sum(), z)
    assert ran == [1]


def test_what_lies_behind_the_target_does_not_run():
    ran = []
    x = leaf(torch)
    h = x.exp()
    h.grad_fn.register_prehook(lambda g: ran.append(1))
    x.register_hook(lambda g: ran.append(2))
    torch.autograd.grad((h * h).sum(), h)
    assert ran == [1]


def test_the_graph_behind_the_target_stays_usable():
    def program(t):
        x = leaf(t)
        h = x.exp()
        y = (h * 3).sum()
        t.autograd.grad(y, h)
        h.sum().backward()
        return x.grad

    both(program)


def test_shares_for_arguments_that_are_not_asked_for_are_not_computed():
    seen = []
    x, z = leaf(torch), leaf(torch)
    z.register_hook(lambda g: seen.append(g))
    torch.autograd.grad((x * z).sum(), x)
    assert seen == []
    assert z.grad is None


def test_a_walk_without_recording_is_not_recorded():
    def program(t):
        x, w = leaf(t), leaf(t)
        seen = []
        x.register_hook(lambda g: seen.append((g * w).requires_grad))
        (x * 2).sum().backward()
        (x * x).sum().backward(create_graph=True)
        return seen, t.is_grad_enabled()

    both(program, ignore_warnings=True)


def test_the_mode_after_a_recorded_walk_under_no_grad_is_no_grad():
    def program(t):
        x = leaf(t)
        y = (x * x).sum()
        with t.no_grad():
            (g,) = t.autograd.grad(y, x, create_graph=True)
            mode = t.is_grad_enabled()
        return g, mode

    both(program)


def test_an_input_that_was_not_used_is_named():
    def program(t):
        x, z = leaf(t), leaf(t)
        return t.autograd.grad(x.sum(), [x, z])

    assert "index 1" in str(both(program))

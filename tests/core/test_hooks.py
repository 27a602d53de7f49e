"""Hooks: when they run, in which order, what they may do, and what an interrupt in one leaves behind."""

import threading

import pytest

import tinygrad_edu as torch
from tests.oracle import both

PROGRAMS = {}


def program(function):
    """Put a program on the list."""
    PROGRAMS[function.__name__] = function
    return function


def leaf(t):
    return t.tensor([1.0, 2.0, 3.0], requires_grad=True)


@program
def retain_grad_sees_what_the_hooks_made_also_those_registered_later(t):
    x = leaf(t)
    h = x * 3
    h.retain_grad()
    h.register_hook(lambda g: g * 10)
    (h * h).sum().backward()
    return h.grad, x.grad


@program
def retain_grad_sees_what_the_hooks_before_it_made(t):
    x = leaf(t)
    h = x * 3
    h.register_hook(lambda g: g * 10)
    h.retain_grad()
    (h * h).sum().backward()
    return h.grad, x.grad


@program
def retain_grad_twice_counts_once(t):
    h = leaf(t) * 3
    h.retain_grad()
    h.retain_grad()
    h.sum().backward()
    return h.grad, h.retains_grad


@program
def retain_grad_of_a_leaf_changes_nothing(t):
    x = leaf(t)
    x.retain_grad()
    x.sum().backward()
    return x.grad, x.retains_grad


@program
def a_retained_gradient_accumulates(t):
    x = leaf(t)
    h = x * 3
    h.retain_grad()
    h.sum().backward(retain_graph=True)
    h.sum().backward()
    return h.grad, x.grad


@program
def a_retained_gradient_is_not_that_of_the_next_step(t):
    x = leaf(t)
    h = x * 1
    h.retain_grad()
    y = h.reshape(3)
    y.retain_grad()
    y.sum().backward()
    h.grad.mul_(5)
    return h.grad, y.grad, x.grad


@program
def after_a_write_only_the_new_value_is_retained(t):
    x = leaf(t)
    h = x * 3
    h.retain_grad()
    h.register_hook(lambda g: g + 100)
    h.mul_(2)
    h.retain_grad()
    (h * h).sum().backward()
    return h.grad, x.grad


@program
def after_two_writes_the_last_value_is_retained(t):
    x = leaf(t)
    h = x * 3
    h.retain_grad()
    h.mul_(2)
    h.add_(1).exp_()
    h.sum().backward()
    return h.grad, x.grad


@program
def a_hook_registered_after_a_write_sees_the_new_value(t):
    x = leaf(t)
    seen = []
    h = x * 3
    h.mul_(2)
    h.register_hook(lambda g: seen.append(g.tolist()))
    (h * h).sum().backward()
    return seen, x.grad


@program
def a_hook_of_a_base_sees_the_gradient_before_a_write_through_its_view(t):
    x = leaf(t)
    seen = []
    h = x * 3
    h.register_hook(lambda g: seen.append(g.tolist()))
    h[0].mul_(5)
    h.sum().backward()
    return seen, x.grad


@program
def a_hook_of_a_view_sees_its_part(t):
    x = leaf(t)
    seen = []
    h = x * 3
    v = h[1:]
    v.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    (v * v).sum().backward()
    return seen, x.grad


@program
def hooks_of_a_leaf_run_before_accumulation_and_the_others_after(t):
    x = leaf(t)
    order = []
    x.register_post_accumulate_grad_hook(lambda p: order.append(("after 1", p.grad.tolist())))
    x.register_hook(lambda g: order.append(("hook 1", x.grad is None)))
    x.register_post_accumulate_grad_hook(lambda p: order.append(("after 2", p.grad.tolist())))
    x.register_hook(lambda g: order.append(("hook 2", x.grad is None)))
    (x * 2).sum().backward()
    return order


@program
def a_step_may_be_taken_in_the_hook_after_accumulation(t):
    x = leaf(t)

    def step(p):
        with t.no_grad():
            p -= 0.1 * p.grad
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    for _ in range(3):
        (x * x).sum().backward()
    return x, x.grad


@program
def a_hook_after_accumulation_is_removed_by_its_handle(t):
    x = leaf(t)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda p: seen.append(1))
    x.sum().backward()
    handle.remove()
    x.sum().backward()
    return seen


@program
def asking_for_a_gradient_runs_the_hooks_of_the_tensor_but_none_after_accumulation(t):
    x = leaf(t)
    seen = []
    x.register_hook(lambda g: g * 10)
    x.register_post_accumulate_grad_hook(lambda p: seen.append(1))
    h = x * 3
    h.register_hook(lambda g: g + 1)
    return t.autograd.grad((h * h).sum(), [x, h]), seen, x.grad


@program
def backward_into_chosen_inputs_runs_their_hooks(t):
    x, w = leaf(t), leaf(t)
    seen = []
    x.register_hook(lambda g: g * 10)
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    w.register_post_accumulate_grad_hook(lambda p: seen.append("w"))
    (x * w).sum().backward(inputs=[x])
    return x.grad, w.grad, seen


@program
def backward_into_an_inner_tensor_fills_its_grad(t):
    x = leaf(t)
    h = x * 3
    h.retain_grad()
    (h * h).sum().backward(inputs=[h, x])
    return h.grad, x.grad


@program
def hooks_may_remove_themselves_while_they_run(t):
    x = leaf(t)
    seen = []
    handles = []

    def once(name):
        def hook(g):
            seen.append(name)
            handles[name].remove()

        return hook

    handles.extend(x.register_hook(once(i)) for i in range(3))
    x.sum().backward()
    x.sum().backward()
    return seen


@program
def hooks_after_accumulation_may_remove_themselves_while_they_run(t):
    x = leaf(t)
    seen = []
    handles = []
    handles.extend(
        x.register_post_accumulate_grad_hook(lambda p, i=i: seen.append(i) or handles[i].remove()) for i in range(3)
    )
    x.sum().backward()
    x.sum().backward()
    return seen


@program
def a_handle_may_be_removed_twice_and_used_in_with(t):
    x = leaf(t)
    handle = x.register_hook(lambda g: g * 10)
    handle.remove()
    handle.remove()
    with x.register_hook(lambda g: g * 100):
        x.sum().backward()
    x.sum().backward()
    return x.grad


@program
def a_hook_that_changes_the_shape_is_refused(t):
    x = leaf(t)
    x.register_hook(lambda g: g.sum())
    x.sum().backward()


@program
def a_hook_that_returns_no_tensor_is_refused(t):
    x = leaf(t)
    x.register_hook(lambda g: 1.0)
    x.sum().backward()


@program
def a_hook_may_keep_its_gradient(t):
    x = leaf(t)
    kept = []
    x.register_hook(lambda g: kept.append(g))
    (x * x).sum().backward()
    (x * x * x).sum().backward()
    return kept, x.grad


@program
def a_hook_of_an_inner_tensor_may_keep_its_gradient(t):
    x = leaf(t)
    kept = []
    h = x * 1
    h.register_hook(lambda g: kept.append(g))
    (h * h + h * 3 + h.exp()).sum().backward()
    x.grad.mul_(100)
    return kept, x.grad


@program
def a_hook_takes_part_in_second_order(t):
    x = leaf(t)
    h = x * 3
    h.register_hook(lambda g: g * g)
    (g,) = t.autograd.grad((h * h).sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x)


@program
def a_hook_runs_without_recording_in_first_order(t):
    x = leaf(t)
    seen = []
    x.register_hook(lambda g: seen.append((g.requires_grad, t.is_grad_enabled())))
    (x * x).sum().backward()
    (x * x).sum().backward(create_graph=True)
    return seen


@program
def a_prehook_of_a_step_sees_and_replaces_its_gradient(t):
    x = leaf(t)
    seen = []
    h = x * 3
    h.grad_fn.register_prehook(lambda gs: seen.append(gs[0].tolist()))
    h.grad_fn.register_prehook(lambda gs: (gs[0] * 10,))
    (h * h).sum().backward()
    return seen, x.grad


@program
def a_hook_runs_once_for_all_uses(t):
    x = leaf(t)
    seen = []
    h = x * 3
    h.register_hook(lambda g: seen.append(g.tolist()))
    (h * h + h.exp() * 0 + h[0] + h.sum()).sum().backward()
    return seen


@program
def a_backward_inside_a_hook_is_a_walk_of_its_own(t):
    x, w = leaf(t), leaf(t)
    x.register_hook(lambda g: w.square().sum().backward())
    (x * 2).sum().backward()
    return x.grad, w.grad, t.is_grad_enabled()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_outcome_is_torchs(name):
    both(PROGRAMS[name], ignore_warnings=True)


# What no comparison with torch can show.


class Stopped(BaseException):
    """Stands for KeyboardInterrupt, which would stop the test run if it escaped."""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, Stopped, ValueError])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("mode", ["recording", "no_grad"])
def test_an_interrupt_in_a_hook_leaves_mode_and_engine_usable(interrupt, create_graph, mode):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3

    def stop(g):
        raise interrupt("stop")

    handle = h.register_hook(stop)
    y = (h * h).sum()
    outside = torch.no_grad() if mode == "no_grad" else torch.enable_grad()
    with outside:
        before = torch.is_grad_enabled()
        with pytest.raises(interrupt, match="stop"):
            y.backward(retain_graph=True, create_graph=create_graph)
        assert torch.is_grad_enabled() is before
    assert x.grad is None
    handle.remove()
    y.backward()
    assert x.grad.tolist() == [18.0, 36.0]
    (x * 2).sum().backward()
    assert x.grad.tolist() == [20.0, 38.0]


def test_an_interrupt_in_a_forward_leaves_the_graph_as_it_was():
    class Interrupted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            raise KeyboardInterrupt

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3
    node = h.grad_fn
    with pytest.raises(KeyboardInterrupt):
        Interrupted.apply(h)
    assert torch.is_grad_enabled()
    assert h.grad_fn is node
    h.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_an_interrupt_in_a_custom_backward_frees_what_it_held():
    class Interrupted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            Interrupted.ctx = ctx
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise KeyboardInterrupt

    x = torch.tensor([1.0], requires_grad=True)
    with pytest.raises(KeyboardInterrupt):
        Interrupted.apply(x).backward()
    assert torch.is_grad_enabled()
    with pytest.raises(RuntimeError, match="saved tensors"):
        Interrupted.ctx.saved_tensors


def test_a_hook_runs_in_the_thread_that_called_backward():
    seen = []
    x = torch.tensor([1.0], requires_grad=True)
    x.register_hook(lambda g: seen.append(threading.get_ident()))
    thread = threading.Thread(target=lambda: seen.append(threading.get_ident()) or (x * 1).sum().backward())
    thread.start()
    thread.join()
    assert seen[0] == seen[1]


def test_a_retained_gradient_keeps_its_tensor_from_nothing():
    import weakref

    x = torch.tensor([1.0], requires_grad=True)
    h = x * 3
    h.retain_grad()
    alive = weakref.ref(h)
    y = h * 2
    del h
    assert alive() is None
    y.sum().backward()
    assert x.grad.tolist() == [6.0]

"""Small programs of views, in-place writes, hooks and accumulation, whose outcome torch decides.

Each program returns what it computed, or raises. Where we differ on purpose stands in test_differences_from_torch.py.
"""

from __future__ import annotations

import pytest

from tests.oracle import both

PROGRAMS = {}
ROW = [[1.0, -2.0, 3.0], [0.5, 4.0, -1.5]]


def program(function):
    """Put a program on the list."""
    PROGRAMS[function.__name__] = function
    return function


def vector(t, *values):
    """Return a leaf that wants a gradient."""
    return t.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def matrix(t):
    """Return a 2x3 leaf that wants a gradient."""
    return t.tensor(ROW, requires_grad=True)


def inner(leaf):
    """Return a copy of a leaf inside the graph, which may be written."""
    return leaf * 1


def square(x):
    """Return the sum of squares, whose backward needs x itself."""
    return (x * x).sum()


# Writes into tensors inside the graph.


@program
def adding_a_number_in_place_keeps_the_gradient(t):
    x = vector(t)
    y = x * 2
    y.add_(1)
    y.sum().backward()
    return x.grad, y


@program
def scaling_in_place_scales_the_gradient(t):
    x = vector(t)
    y = x * 2
    y.mul_(3)
    y.sum().backward()
    return x.grad


@program
def multiplying_in_place_by_a_leaf_reaches_both(t):
    x, w = vector(t), vector(t, 4.0, 5.0, 6.0)
    y = x * 2
    y.mul_(w)
    y.sum().backward()
    return x.grad, w.grad


@program
def dividing_in_place_by_a_leaf_reaches_both(t):
    x, w = vector(t), vector(t, 4.0, 5.0, 8.0)
    y = x * 2
    y /= w
    y.sum().backward()
    return x.grad, w.grad


@program
def relu_in_place_masks_the_gradient(t):
    x = vector(t, -1.0, 2.0, 3.0)
    h = x * 2
    h.relu_()
    h.sum().backward()
    return x.grad, h


@program
def exp_in_place_uses_its_result(t):
    x = vector(t)
    h = inner(x)
    h.exp_()
    h.sum().backward()
    return x.grad


@program
def a_result_that_was_kept_and_then_scaled_is_refused(t):
    x = vector(t)
    h = inner(x)
    h.exp_()
    h.mul_(2)
    h.sum().backward()
    return x.grad


@program
def sigmoid_and_tanh_in_place_follow_each_other(t):
    x = vector(t)
    h = inner(x)
    h.sigmoid_()
    k = inner(h)
    k.tanh_()
    k.sum().backward()
    return x.grad


@program
def clamping_in_place_stops_the_gradient_outside(t):
    x = vector(t)
    h = inner(x)
    h.clamp_(min=1.5)
    square(h).backward()
    return x.grad


@program
def zeroing_in_place_cuts_the_gradient(t):
    x = vector(t)
    h = inner(x)
    h.zero_()
    h.sum().backward()
    return x.grad, h.requires_grad


@program
def copying_in_place_hands_the_gradient_to_the_source(t):
    x, w = vector(t), vector(t, 4.0, 5.0, 6.0)
    h = inner(x)
    h.copy_(w * w)
    h.sum().backward()
    return x.grad, w.grad


@program
def filling_by_mask_in_place_stops_the_gradient_there(t):
    x = vector(t)
    h = inner(x)
    h.masked_fill_(h > 1.5, 0.0)
    square(h).backward()
    return x.grad


@program
def a_write_of_double_into_float_is_cast(t):
    x = vector(t)
    w = t.tensor([1.0, 2.0, 3.0]).double().requires_grad_()
    h = inner(x)
    h.mul_(w)
    h.sum().backward()
    return x.grad, w.grad, h


@program
def a_write_that_would_grow_the_shape_is_refused(t):
    h = inner(vector(t))
    h.add_(t.tensor(ROW))


@program
def a_float_written_into_whole_numbers_is_refused(t):
    t.tensor([1, 2, 3]).add_(0.5)


@program
def whole_numbers_divided_in_place_are_refused(t):
    t.tensor([1, 2, 3]).div_(2)


# Leaves.


@program
def a_leaf_that_wants_a_gradient_cannot_be_written(t):
    vector(t).add_(1)


@program
def nor_through_its_view(t):
    vector(t)[0].mul_(2)


@program
def nor_by_assignment_to_its_items(t):
    vector(t)[0] = 5.0


@program
def a_step_of_descent_under_no_grad_writes_the_leaf(t):
    x = vector(t)
    square(x).backward()
    with t.no_grad():
        x -= 0.1 * x.grad
    return x, x.requires_grad, x.is_leaf


@program
def an_item_of_a_leaf_may_be_set_under_no_grad(t):
    x = vector(t)
    with t.no_grad():
        x[0] = 7.0
    square(x).backward()
    return x, x.grad


@program
def a_step_of_descent_through_data_writes_the_leaf(t):
    x = vector(t)
    square(x).backward()
    x.data -= 0.1 * x.grad
    x.grad.zero_()
    square(x).backward()
    return x, x.grad


@program
def writing_a_detached_leaf_writes_the_leaf(t):
    x = vector(t)
    x.detach().mul_(2)
    square(x).backward()
    return x.grad, x


@program
def writing_data_that_no_formula_needs_is_harmless(t):
    x = vector(t)
    y = x + 1
    x.data.mul_(5)
    y.sum().backward()
    return x.grad


@program
def a_frozen_leaf_keeps_its_gradient(t):
    x = vector(t)
    square(x).backward()
    x.requires_grad_(False)
    kept = x.grad.clone()
    x.requires_grad_(True)
    square(x).backward()
    return kept, x.grad


@program
def whole_numbers_cannot_want_a_gradient(t):
    t.tensor([1, 2]).requires_grad_()


@program
def a_result_cannot_stop_wanting_a_gradient(t):
    y = vector(t) * 2
    y.requires_grad_(False)


# What was kept, then written.


@program
def a_kept_result_that_is_written_raises(t):
    x = vector(t)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


@program
def a_kept_input_that_is_written_raises(t):
    x = vector(t)
    h = inner(x)
    y = h.sin()
    h.add_(1)
    y.sum().backward()


@program
def what_no_formula_needs_may_be_written(t):
    x = vector(t)
    h = inner(x)
    y = h + 2
    h.add_(1)
    (y.sum() + h.sum()).backward()
    return x.grad


@program
def a_kept_leaf_written_under_no_grad_raises(t):
    x = vector(t)
    y = square(x)
    with t.no_grad():
        x.add_(1)
    y.backward()


@program
def a_write_through_a_view_is_noticed(t):
    h = inner(vector(t))
    tail = h[1:]
    y = square(h)
    tail.zero_()
    y.backward()


@program
def a_write_through_a_detached_twin_is_noticed(t):
    h = inner(vector(t))
    y = h.exp()
    y.detach().zero_()
    y.sum().backward()


@program
def after_backward_a_factor_may_be_written(t):
    x = vector(t)
    w = t.tensor([2.0, 2.0, 2.0])
    y = x * w
    y.sum().backward()
    w.zero_()
    return x.grad


@program
def a_constant_may_be_written_where_only_its_multiple_was_used(t):
    w = vector(t)
    c = t.tensor([1.0, 1.0, 1.0])
    y = c * 3 + w
    c.add_(1)
    y.sum().backward()
    return w.grad


@program
def an_inner_factor_of_a_constant_may_be_written(t):
    x = vector(t)
    h = inner(x)
    y = h * t.tensor([2.0, 3.0, 4.0])
    h.zero_()
    y.sum().backward()
    return x.grad


# Views.


@program
def a_write_into_a_view_changes_its_base(t):
    x = vector(t)
    h = inner(x)
    h[0].mul_(5)
    square(h).backward()
    return x.grad, h


@program
def a_column_is_scaled_in_place(t):
    x = matrix(t)
    h = inner(x)
    h[:, 0].mul_(2)
    square(h).backward()
    return x.grad


@program
def overlapping_views_see_each_others_writes(t):
    x = vector(t)
    h = inner(x)
    head, tail = h[:2], h[1:]
    head.mul_(10)
    square(tail).backward()
    return x.grad, tail


@program
def a_view_follows_a_write_into_its_base(t):
    x = vector(t)
    h = inner(x)
    head = h[:2]
    h.mul_(3)
    square(head).backward()
    return x.grad, head


@program
def a_write_into_a_view_of_a_view_reaches_the_base(t):
    x = matrix(t)
    h = inner(x)
    row = h[1]
    row[1:].mul_(4)
    square(h).backward()
    return x.grad, row


@program
def a_view_of_a_view_follows_a_write_between(t):
    x = matrix(t)
    h = inner(x)
    row = h[1]
    tail = row[1:]
    row.mul_(4)
    square(tail).backward()
    return x.grad, tail


@program
def a_transposed_view_is_written(t):
    x = matrix(t)
    h = inner(x)
    h.t()[0].mul_(7)
    square(h).backward()
    return x.grad


@program
def a_reshaped_view_is_written(t):
    x = matrix(t)
    h = inner(x)
    h.view(3, 2)[2].mul_(7)
    square(h).backward()
    return x.grad


@program
def a_squeezed_view_is_written(t):
    x = matrix(t)
    h = inner(x)
    h.unsqueeze(0).squeeze(0).mul_(2)
    square(h).backward()
    return x.grad


@program
def a_permuted_view_is_written(t):
    x = t.tensor([ROW, ROW], requires_grad=True)
    h = inner(x)
    h.permute(2, 0, 1)[1].mul_(3)
    square(h).backward()
    return x.grad


@program
def the_diagonal_is_written(t):
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    h = inner(x)
    h.diagonal().mul_(3)
    square(h).backward()
    return x.grad


@program
def an_expanded_view_cannot_be_written(t):
    inner(vector(t)).expand(2, 3).add_(1)


@program
def an_expanded_view_follows_its_base(t):
    x = vector(t)
    h = inner(x)
    wide = h.expand(2, 3)
    h.mul_(2)
    square(wide).backward()
    return x.grad


@program
def one_of_many_views_cannot_be_written(t):
    first, *_ = inner(vector(t)).unbind(0)
    first.mul_(2)


@program
def nor_one_of_many_chunks(t):
    upper, _ = inner(matrix(t)).chunk(2)
    upper.mul_(2)


@program
def unless_nothing_wants_a_gradient(t):
    x = t.tensor(ROW)
    upper, _ = x.split(1)
    upper.mul_(2)
    return x


@program
def one_of_many_views_may_be_written_under_no_grad(t):
    x = vector(t)
    h = inner(x)
    first, *_ = h.unbind(0)
    with t.no_grad():
        first.mul_(2)
    h.sum().backward()
    return x.grad, h


@program
def a_view_made_under_no_grad_cannot_be_written_outside(t):
    h = inner(vector(t))
    with t.no_grad():
        first = h[0]
    first.mul_(2)


@program
def nor_be_used_there_once_its_base_was_written(t):
    h = inner(vector(t))
    with t.no_grad():
        first = h[0]
    h.mul_(2)
    return first * first


@program
def nor_once_another_view_was_written(t):
    h = inner(vector(t))
    with t.no_grad():
        first = h[0]
    h[1:].mul_(2)
    return first * first


@program
def a_view_made_before_requires_grad_wants_a_gradient_after(t):
    x = t.tensor([1.0, 2.0, 3.0])
    first = x[0]
    x.requires_grad_()
    return first.requires_grad, x.requires_grad


@program
def writing_a_detached_inner_tensor_changes_its_values_only(t):
    x = vector(t)
    h = inner(x)
    h.detach().mul_(2)
    h.sum().backward()
    return x.grad, h


@program
def a_filled_view_cuts_the_gradient_there(t):
    x = vector(t)
    h = inner(x)
    h[1:].fill_(4.0)
    square(h).backward()
    return x.grad


@program
def an_augmented_assignment_to_a_view_reaches_both(t):
    x, w = matrix(t), vector(t)
    h = inner(x)
    h[0] += w
    square(h).backward()
    return x.grad, w.grad


# Buffers that begin without a gradient.


@program
def a_buffer_takes_part_once_something_is_assigned(t):
    x = vector(t)
    b = t.zeros(3)
    b[1] = x[0] * 2
    b[2] = x[1]
    square(b).backward()
    return x.grad, b.requires_grad, b.is_leaf


@program
def an_earlier_view_of_a_buffer_takes_part_too(t):
    x = vector(t)
    b = t.zeros(3)
    tail = b[1:]
    b.copy_(x)
    square(tail).backward()
    return x.grad, tail.requires_grad


@program
def a_row_of_a_buffer_collects_a_leaf(t):
    x = vector(t)
    b = t.tensor(ROW)
    b[0].add_(x)
    square(b).backward()
    return x.grad


@program
def a_buffer_is_filled_step_by_step_from_clones(t):
    x = vector(t)
    b = t.zeros(4)
    for i in range(1, 4):
        b[i] = b[i - 1].clone() * x[0] + x[1]
    b.sum().backward()
    return x.grad


@program
def without_clones_the_step_before_was_overwritten(t):
    x = vector(t)
    b = t.zeros(4)
    for i in range(1, 4):
        b[i] = b[i - 1] * x[0] + x[1]
    b.sum().backward()
    return x.grad


@program
def a_recurrence_needs_no_writes(t):
    w = t.tensor([[0.1, 0.2], [0.3, 0.4]], requires_grad=True)
    h = t.ones(2)
    for _ in range(3):
        h = (w @ h.unsqueeze(1)).squeeze(1).tanh()
    h.sum().backward()
    return w.grad


# Indexing.


@program
def repeated_indices_read_collect_their_gradients(t):
    x = vector(t)
    square(x[t.tensor([0, 0, 2])]).backward()
    return x.grad


@program
def repeated_indices_written_keep_the_last(t):
    x, y = vector(t), vector(t, 10.0, 20.0, 30.0)
    h = inner(x)
    h[t.tensor([0, 2, 1])] += y
    h.sum().backward()
    return x.grad, y.grad, h


@program
def assigning_a_number_by_mask_cuts_the_gradient_there(t):
    x = vector(t)
    h = inner(x)
    h[h > 1.5] = 0.0
    square(h).backward()
    return x.grad


@program
def assigning_a_tensor_by_mask_hands_over_the_gradient(t):
    x, w = vector(t), vector(t, 7.0, 8.0)
    h = inner(x)
    h[h > 1.5] = w
    square(h).backward()
    return x.grad, w.grad


@program
def assigning_a_row_hands_over_the_gradient(t):
    x, w = matrix(t), vector(t)
    h = inner(x)
    h[0] = w
    square(h).backward()
    return x.grad, w.grad


@program
def assigning_one_value_to_many_places_sums_its_gradient(t):
    x = matrix(t)
    w = t.tensor(2.0, requires_grad=True)
    h = inner(x)
    h[:, 1:] = w
    square(h).backward()
    return x.grad, w.grad


@program
def a_slice_shifts_onto_its_neighbour(t):
    x = vector(t)
    h = inner(x)
    h[1:] = h[:-1].clone()
    square(h).backward()
    return x.grad, h


@program
def an_infinite_gradient_stays_where_it_arises(t):
    x = vector(t)
    h = inner(x)
    h[0] = 0.0
    (1 / h[1:]).sum().backward()
    return x.grad


# Higher order.


@program
def second_order_passes_a_write(t):
    x = vector(t)
    h = x * x
    h.mul_(x)
    (g,) = t.autograd.grad(h.sum(), x, create_graph=True)
    square(g).backward()
    return x.grad


@program
def second_order_passes_a_write_into_a_view(t):
    x = vector(t)
    h = x * x
    h[0].mul_(x[1])
    (g,) = t.autograd.grad(square(h), x, create_graph=True)
    square(g).backward()
    return x.grad


@program
def second_order_passes_a_buffer(t):
    x = vector(t)
    b = t.zeros(3)
    b[:2] = x[1:] * x[0]
    (g,) = t.autograd.grad((b * b * b).sum(), x, create_graph=True)
    square(g).backward()
    return x.grad


@program
def second_order_passes_exp_in_place(t):
    x = vector(t)
    h = x * 0.5
    h.exp_()
    (g,) = t.autograd.grad(square(h), x, create_graph=True)
    square(g).backward()
    return x.grad


@program
def four_orders_follow_each_other(t):
    x = vector(t)
    y = (x.sin() * x.exp() * x).sum()
    found = []
    for _ in range(3):
        y = t.autograd.grad(y, x, create_graph=True)[0].sum()
        found.append(y)
    y.backward()
    return *found, x.grad


@program
def backward_with_create_graph_leaves_a_gradient_in_the_graph(t):
    x = vector(t)
    (x * x * x).sum().backward(create_graph=True)
    g = x.grad
    x.grad = None
    square(g).backward()
    return x.grad


# Walking a graph again.


@program
def a_second_backward_is_refused(t):
    y = square(vector(t))
    y.backward()
    y.backward()


@program
def unless_nothing_was_kept(t):
    x = vector(t)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def or_the_graph_is_retained(t):
    x = vector(t)
    y = square(x)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@program
def a_retained_graph_notices_a_step_between(t):
    x = vector(t)
    y = square(x)
    y.backward(retain_graph=True)
    with t.no_grad():
        x -= x.grad
    y.backward()


@program
def backward_of_a_vector_wants_a_gradient_argument(t):
    (vector(t) * 2).backward()


@program
def a_gradient_argument_of_another_shape_is_refused(t):
    (vector(t) * 2).backward(t.ones(2))


@program
def backward_without_any_leaf_is_refused(t):
    t.tensor([1.0]).sum().backward()


# Gradients as tensors of their own.


@program
def gradients_of_a_sum_do_not_alias(t):
    x, y = vector(t), vector(t)
    (x + y).sum().backward()
    x.grad.mul_(5)
    (x + y).sum().backward()
    return x.grad, y.grad


@program
def a_gradient_from_a_broadcast_may_be_written(t):
    x = matrix(t)
    x.sum().backward()
    x.grad += 1
    x.t().sum().backward()
    x.grad[0] = 9.0
    return x.grad


@program
def accumulation_writes_into_the_same_gradient(t):
    x = vector(t)
    square(x).backward()
    before = x.grad
    square(x).backward()
    return before, before is x.grad


@program
def the_seed_of_a_walk_is_not_taken(t):
    x = vector(t)
    seed = t.ones(3)
    x.backward(seed)
    x.grad.mul_(3)
    return seed, x.grad


@program
def a_gradient_may_be_written_and_assigned(t):
    x = vector(t)
    square(x).backward()
    x.grad.zero_()
    x.grad += 2
    return x.grad


@program
def a_gradient_of_another_shape_cannot_be_assigned(t):
    vector(t).grad = t.ones(2)


# Hooks.


@program
def a_hook_of_a_leaf_sees_the_total_and_may_replace_it(t):
    x = vector(t)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.tolist()) or g * 2)
    (x * x + x).sum().backward()
    handle.remove()
    square(x).backward()
    return x.grad, seen


@program
def a_hook_inside_the_graph_changes_what_flows_on(t):
    x = vector(t)
    h = x * 3
    h.register_hook(lambda g: g * 10)
    square(h).backward()
    return x.grad


@program
def hooks_run_in_the_order_of_registration(t):
    x = vector(t)
    h = x * 3
    h.register_hook(lambda g: g + 1)
    h.register_hook(lambda g: g * 10)
    h.sum().backward()
    return x.grad


@program
def a_hook_stays_with_the_value_before_a_write(t):
    x = vector(t)
    h = x * 3
    seen = []
    h.register_hook(lambda g: seen.append(g.tolist()))
    h.mul_(2)
    h.sum().backward()
    return seen, x.grad


@program
def retain_grad_keeps_an_inner_gradient(t):
    x = vector(t)
    h = x * 3
    h.retain_grad()
    square(h).backward()
    return h.grad, x.grad


@program
def retain_grad_moves_with_a_write(t):
    x = vector(t)
    h = x * 3
    h.retain_grad()
    h.mul_(2)
    square(h).backward()
    return h.grad, x.grad


@program
def a_hook_after_accumulation_sees_the_new_gradient(t):
    x = vector(t)
    seen = []
    x.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.tolist()))
    (x * x + x).sum().backward()
    return seen


@program
def a_hook_on_a_tensor_without_gradient_is_refused(t):
    t.tensor([1.0]).register_hook(lambda g: g)


# autograd.grad.


@program
def an_unused_target_may_be_allowed(t):
    x, y = vector(t), vector(t)
    found = t.autograd.grad(square(x), [x, y], allow_unused=True)
    return found[0], found[1] is None, x.grad is None


@program
def an_unused_target_may_be_zero(t):
    x, y = vector(t), vector(t)
    return t.autograd.grad(square(x), [x, y], materialize_grads=True)


@program
def else_an_unused_target_is_refused(t):
    x, y = vector(t), vector(t)
    return t.autograd.grad(square(x), [x, y])


@program
def an_inner_tensor_may_be_the_target(t):
    h = square(vector(t)) * 2
    return t.autograd.grad(h * h, h)


@program
def the_target_is_the_value_after_a_write(t):
    h = vector(t) * 2
    h.mul_(3)
    return t.autograd.grad(square(h), h)


# Joining and parting.


@program
def parts_of_parts_give_back_their_gradients(t):
    x = matrix(t)
    upper, lower = x.split(1)
    a, b, c = lower[0].unbind(0)
    (upper.sum() * a * b + c).sum().backward()
    return x.grad


@program
def joined_tensors_get_their_own_gradients(t):
    x, y = vector(t), vector(t, 4.0, 5.0, 6.0)
    joined = t.cat([x * 2, y])
    stacked = t.stack([x, y], 1)
    (square(joined) + (stacked * stacked * stacked).sum()).backward()
    return x.grad, y.grad


# Tensors without dimensions.


@program
def a_scalar_shares_its_memory_with_its_detached_twin(t):
    x = vector(t)
    s = square(x)
    twin = s.detach()
    twin.add_(1)
    s.backward()
    return s, twin, x.grad


@program
def a_scalar_is_written_in_place(t):
    x = vector(t)
    s = square(x)
    s.mul_(3)
    s.add_(x[0])
    s.backward()
    return s, x.grad


@program
def a_running_total_may_grow_in_place(t):
    x = vector(t)
    total = t.zeros(())
    for i in range(3):
        total += x[i] * x[i]
    total.backward()
    return total, x.grad


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_outcome_is_torchs(name):
    result = both(PROGRAMS[name], rtol=1e-5, atol=1e-6)
    assert not isinstance(result, AttributeError | NameError | SyntaxError), f"the program itself is wrong: {result}"


def test_there_are_as_many_programs_as_written():
    assert len(PROGRAMS) >= 111

"""What custom Functions may do with their context, their arguments and their gradients."""

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
def what_needs_a_gradient_is_told_also_under_no_grad(t):
    seen = []

    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y, k):
            seen.append(tuple(ctx.needs_input_grad))
            return x * y

        @staticmethod
        def backward(ctx, g):
            seen.append(tuple(ctx.needs_input_grad))
            return g, None, None

    x = leaf(t)
    F.apply(x, t.ones(3), 2).sum().backward()
    with t.no_grad():
        y = F.apply(x, t.ones(3), 2)
    return seen, y.requires_grad


@program
def gradients_that_did_not_arrive_are_zeros_or_none(t):
    seen = []

    def make(materialize):
        class F(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 2, x * 3

            @staticmethod
            def backward(ctx, g, h):
                seen.append((g is None, h is None))
                return (0 if g is None else g * 2) + (0 if h is None else h * 3)

        return F

    x = leaf(t)
    for materialize in (True, False):
        make(materialize).apply(x)[1].sum().backward()
    return seen, x.grad


@program
def extra_nones_at_the_end_are_let_go(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None, None

    x = leaf(t)
    F.apply(x).sum().backward()
    return x.grad


@program
def a_gradient_of_the_broadcast_shape_is_summed(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g, g

    x, y = leaf(t), t.ones(1, requires_grad=True)
    F.apply(x, y).sum().backward()
    return x.grad, y.grad


@program
def forward_records_nothing(t):
    seen = []

    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(t.is_grad_enabled())
            return (x * 2).exp()

        @staticmethod
        def backward(ctx, g):
            seen.append(t.is_grad_enabled())
            return g * 10

    x = leaf(t)
    y = F.apply(x)
    y.sum().backward()
    t.autograd.grad(F.apply(x).sum(), x, create_graph=True)
    return seen, x.grad, y.grad_fn.name()


@program
def whole_numbers_among_the_results_want_no_gradient(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, t.tensor([1, 2, 3])

        @staticmethod
        def backward(ctx, g, h):
            return g * 2

    x = leaf(t)
    y, n = F.apply(x)
    y.sum().backward()
    return y.requires_grad, n.requires_grad, x.grad


@program
def an_argument_handed_back_is_a_tensor_of_its_own(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 10

    x = leaf(t)
    h = x * 1
    y = F.apply(h)
    y.sum().backward()
    return y is h, x.grad, y.grad_fn.name(), h.grad_fn.name()


@program
def an_argument_written_in_place_takes_the_new_step(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    h = x * 1
    y = F.apply(h)
    (y * y + h).sum().backward()
    return h, h._version, x.grad


@program
def an_argument_written_in_place_that_a_step_kept_is_refused(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    h = x * 1
    early = (h * h).sum()
    F.apply(h)
    early.backward()


@program
def no_tensors_no_step(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, k):
            return t.ones(k)

        @staticmethod
        def backward(ctx, g):
            return None

    y = F.apply(3)
    return y, y.requires_grad


@program
def what_is_kept_on_the_context_is_there(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, power):
            ctx.power = power
            ctx.save_for_backward(x, None)
            return x**power

        @staticmethod
        def backward(ctx, g):
            x, nothing = ctx.saved_tensors
            assert nothing is None
            return g * ctx.power * x ** (ctx.power - 1), None

    x = leaf(t)
    y = F.apply(x, 3)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x)


@program
def a_context_set_up_after_a_forward_without_one(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(x, k):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    x = leaf(t)
    F.apply(x, 4.0).sum().backward()
    return x.grad


@program
def nothing_to_go_back_through_may_be_run_twice(t):
    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t)
    y = F.apply(x).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def a_backward_marked_once_runs_without_recording(t):
    seen = []

    class F(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, g):
            seen.append(t.is_grad_enabled())
            return g * 2

    x = leaf(t)
    t.autograd.grad(F.apply(x).sum(), x, create_graph=True)
    return seen


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_outcome_is_torchs(name):
    both(PROGRAMS[name], ignore_warnings=True)


def test_a_gradient_that_the_function_keeps_is_never_written():
    kept = torch.ones(3)

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return kept

    x = leaf(torch)
    h = x * 1
    early = h * h
    (F.apply(h).sum() + early.sum()).backward()
    assert x.grad.tolist() == [3.0, 5.0, 7.0]
    y = leaf(torch)
    F.apply(y).sum().backward()
    y.grad.mul_(5)
    assert kept.tolist() == [1.0, 1.0, 1.0]


# detect_anomaly.


def test_anomaly_without_checks_for_nan_lets_them_pass():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    with torch.autograd.detect_anomaly(check_nan=False):
        (x.log().sum() + x.sqrt().sum()).backward()
    assert x.grad[0].item() == float("inf")


def test_anomaly_leaves_nothing_behind():
    from tinygrad_edu._core.memory import memory
    from tinygrad_edu._core.modes import state
    from tinygrad_edu._core.op import _watchers

    def look():
        return state.watch, state.before_walk, memory.trace, list(_watchers)

    before = look()
    with pytest.raises(ValueError, match="out"), torch.autograd.detect_anomaly():
        raise ValueError("out")
    assert look() == before
    with torch.autograd.set_detect_anomaly(True):
        assert look() != before
    assert look() == before
    torch.autograd.set_detect_anomaly(True)
    assert look() != before
    torch.autograd.set_detect_anomaly(False)
    assert look() == before
    assert torch.tensor([0.0]).log().item() == float("-inf")


def test_anomaly_nests():
    with torch.autograd.detect_anomaly():
        with torch.autograd.detect_anomaly(check_nan=False):
            pass
        with pytest.raises(RuntimeError, match="detect_anomaly"):
            torch.tensor([0.0]).log()
    assert torch.tensor([0.0]).log().item() == float("-inf")


def test_anomaly_does_not_blame_numpy_for_a_write_it_knows_of():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        h = x * 1
        y = (h * h).sum()
        h.add_(1)
        with pytest.raises(RuntimeError, match="is at version 1; expected version 0"):
            y.backward()


def test_anomaly_lets_memory_of_a_freed_step_be_written():
    import numpy as np

    a = np.array([1.0, 2.0])
    x = torch.from_numpy(a).requires_grad_()
    with torch.autograd.detect_anomaly():
        y = (x * x).sum()
        y.backward()
        a[0] = 7.0
        z = (x * 2).sum() + y.detach()
        z.backward()
    assert x.grad.tolist() == [4.0, 6.0]


def test_anomaly_speaks_of_a_freed_graph_rather_than_of_its_memory():
    import numpy as np

    a = np.array([1.0, 2.0])
    x = torch.from_numpy(a).requires_grad_()
    with torch.autograd.detect_anomaly():
        y = (x * x).sum()
        y.backward()
        a[0] = 7.0
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()


def test_anomaly_names_no_step_that_was_made_before_it():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    y = x.sqrt().sum()
    with torch.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="outside the watched block"):
        y.backward()

"""Custom autograd.Function, checked against torch's."""

import gc

import pytest

import tinygrad_edu as torch
from tests.oracle import both


def square(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.save_for_backward(x)
            ctx.factor = factor
            return factor * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * ctx.factor * x * g, None

    return Square


def test_value_gradient_and_name():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = square(t).apply(x, 3.0)
        y.sum().backward()
        return y, y.grad_fn.name(), x.grad

    both(program)


def test_its_backward_can_be_differentiated():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = square(t).apply(x, 3.0)
        (g,) = t.autograd.grad((y * y).sum(), x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x)
        return g, h

    both(program)


def test_a_saved_result_is_tied_to_its_own_step():
    def program(t):
        class Exp(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, g):
                return ctx.saved_tensors[0] * g

        x = t.tensor([1.0, 2.0], requires_grad=True)
        (g,) = t.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
        (h,) = t.autograd.grad((g * g).sum(), x)
        return g, h

    both(program)


@pytest.mark.parametrize("used", [(0,), (1,), (0, 1)])
def test_several_results(used):
    def program(t):
        class SumAndProduct(t.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                ctx.save_for_backward(x, y)
                return x + y, x * y

            @staticmethod
            def backward(ctx, g, h):
                x, y = ctx.saved_tensors
                return g + h * y, g + h * x

        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = t.tensor([3.0, 4.0], requires_grad=True)
        results = SumAndProduct.apply(x, y)
        sum((i + 1) * (results[i] ** 2).sum() for i in used).backward()
        return x.grad, y.grad

    both(program)


def test_needs_input_grad_and_non_differentiable_results():
    def program(t):
        seen = []

        class Sort(t.autograd.Function):
            @staticmethod
            def forward(ctx, x, constant):
                seen.append(list(ctx.needs_input_grad))
                values, index = x.sort()
                ctx.mark_non_differentiable(index)
                ctx.save_for_backward(index)
                return values, index

            @staticmethod
            def backward(ctx, g, _):
                (index,) = ctx.saved_tensors
                return t.zeros_like(g).index_add_(0, index, g), None

        x = t.tensor([3.0, 1.0, 2.0], requires_grad=True)
        values, index = Sort.apply(x, t.ones(2))
        (values * t.tensor([1.0, 10.0, 100.0])).sum().backward()
        return x.grad, seen, values.requires_grad, index.requires_grad

    both(program)


def test_once_differentiable_refuses_the_second_time():
    def program(t):
        class Square(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            @t.autograd.function.once_differentiable
            def backward(ctx, g):
                return 2 * ctx.saved_tensors[0] * g

        x = t.tensor([2.0], requires_grad=True)
        (g,) = t.autograd.grad(Square.apply(x) ** 2, x, create_graph=True)
        first = g.detach().clone()
        try:
            g.backward()
        except RuntimeError as error:
            return first, "once_differentiable" in str(error)
        return first

    both(program)


@pytest.mark.parametrize("wrong", ["too few", "wrong shape", "no tensor"])
def test_a_wrong_backward_is_named(wrong):
    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return {"too few": g, "wrong shape": (torch.ones(5), g), "no tensor": (1.0, g)}[wrong]

    x = torch.ones(2, requires_grad=True)
    with pytest.raises((RuntimeError, TypeError), match="BadBackward"):
        Bad.apply(x, x).sum().backward()


def test_a_saved_tensor_that_was_written_raises():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        h = x * 1
        y = square(t).apply(h, 3.0)
        h.add_(1)
        y.sum().backward()

    both(program)


def test_a_second_backward_raises():
    def program(t):
        x = t.tensor([1.0], requires_grad=True)
        y = square(t).apply(x, 1.0)
        y.backward(retain_graph=True)
        y.backward()
        return x.grad

    both(program)


def test_gradients_are_cast_to_the_dtype_of_the_argument():
    class Identity(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.double()

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.ones(2, requires_grad=True)
    Identity.apply(x).sum().backward()
    assert x.grad.dtype is torch.float32


def test_a_second_backward_without_retaining_raises():
    def program(t):
        x = t.tensor([1.0], requires_grad=True)
        y = square(t).apply(x, 1.0)
        y.backward()
        y.backward()

    both(program)


def test_a_custom_function_closes_no_circle():
    function = square(torch)
    while gc.collect():  # what earlier tests left behind
        pass
    gc.disable()
    try:
        for order in (1, 2):
            x = torch.tensor([1.0], requires_grad=True)
            y = function.apply(x, 1.0)
            (g,) = torch.autograd.grad(y, x, create_graph=order == 2)
            del x, y, g
            function.apply(torch.tensor([1.0], requires_grad=True), 1.0)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_function_called_instead_of_applied_names_the_legacy_style():
    both(lambda t: square(t)()(t.ones(1), 1.0))


def test_every_tensor_is_an_instance_of_variable():
    def program(t):
        Variable = t.autograd.Variable
        x = Variable(t.ones(2), requires_grad=True)
        instances = [isinstance(y, Variable) for y in (x, x * 2, t.nn.Parameter(t.ones(1)), 1.0)]
        return instances, isinstance(Variable, type), Variable(t.ones(1)), x

    both(program)

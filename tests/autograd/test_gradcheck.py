"""gradcheck and gradgradcheck: torch's verdict on right and wrong gradients, and reports that name the mistake."""

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import both, ours
from tinygrad_edu.autograd import gradcheck, gradgradcheck
from tinygrad_edu.autograd.gradcheck import GradcheckError

MATRIX = [[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]]
SQUARE = [[0.5, -1.25], [1.5, 0.75]]


def double(t, values):
    return t.tensor(values, dtype=t.float64, requires_grad=True)


def with_backward(t, forward, backward):
    """A custom function that saves its arguments, and has the given backward(g, *arguments)."""

    class Custom(t.autograd.Function):
        @staticmethod
        def forward(ctx, *args):
            ctx.save_for_backward(*args)
            return forward(*args)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Custom.apply


RIGHT = {
    "matmul": (lambda t: lambda x, y: x @ y.T, [MATRIX, MATRIX]),
    "broadcast": (lambda t: lambda x, b: (x + b) * b, [MATRIX, MATRIX[0]]),
    "softmax": (lambda t: lambda x: x.softmax(1), [MATRIX]),
    "several outputs": (lambda t: lambda x: (x.exp(), x.sum(0), x.argmax()), [MATRIX]),
    "a list": (lambda t: lambda x: [x.sin()], [MATRIX]),
    "the input itself": (lambda t: lambda x: x, [MATRIX]),
    "an unused input": (lambda t: lambda x, y: x**2, [MATRIX, SQUARE]),
    "a 0-d input": (lambda t: lambda x: x.exp() * x, [0.5]),
    "an empty input": (lambda t: lambda x: (x * 2, x.sum()), [[]]),
    "a view": (lambda t: lambda x: x.T[1] * x.mT[0], [MATRIX]),
    "convolution": (
        lambda t: lambda x, w: t.nn.functional.conv2d(x, w, padding=1),
        [np.linspace(-1, 1, 16).reshape(1, 1, 4, 4).tolist(), np.linspace(1, -2, 4).reshape(1, 1, 2, 2).tolist()],
    ),
    "layer norm": (lambda t: lambda x: t.nn.functional.layer_norm(x, (3,)), [MATRIX]),
    "a custom function": (lambda t: with_backward(t, lambda x: x**3, lambda g, x: 3 * g * x * x), [MATRIX]),
}


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
@pytest.mark.parametrize("case", RIGHT)
def test_right_gradients_pass(case, check):
    func, values = RIGHT[case]
    found = both(lambda t: getattr(t.autograd, check)(func(t), [double(t, v) for v in values]))
    assert found is True


# Each mistake as a user makes it: the function, its arguments, the words that name the mistake.
WRONG = {
    "sign": (lambda t: with_backward(t, lambda x: x.cos(), lambda g, x: g * x.sin()), [MATRIX], "sign reversed"),
    "factor": (
        lambda t: with_backward(t, lambda x: x * x, lambda g, x: g * x),
        [MATRIX],
        "0.5 times the numerical one",
    ),
    "transposed": (
        lambda t: with_backward(t, lambda x, y: x @ y, lambda g, x, y: ((g @ y.T).T, x.T @ g)),
        [SQUARE, SQUARE],
        "is transposed",
    ),
    "not summed over a broadcast": (
        lambda t: with_backward(t, lambda x, b: x + b, lambda g, x, b: (g, g.mean(0))),
        [MATRIX, MATRIX[0]],
        "with respect to input 1",
    ),
    "missing term": (
        lambda t: with_backward(t, lambda x: x * x.exp(), lambda g, x: g * x.exp()),
        [MATRIX],
        "elements differ by more than",
    ),
    "nothing": (lambda t: with_backward(t, lambda x: x * 2, lambda g, x: g * 0), [MATRIX], "zero everywhere"),
    "g ignored": (
        lambda t: with_backward(t, lambda x: x.sum(), lambda g, x: t.ones_like(x)),
        [MATRIX],
        "not multiplied",
    ),
    "a cut": (lambda t: lambda x: x * x.detach(), [MATRIX], "0.5 times the numerical one"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_gradients_are_found_and_named(case):
    func, values, words = WRONG[case]
    error = both(lambda t: t.autograd.gradcheck(func(t), [double(t, v) for v in values]))
    assert isinstance(error, GradcheckError)
    assert words in str(error)
    t = ours()
    assert gradcheck(func(t), [double(t, v) for v in values], raise_exception=False) is False


def test_the_report_names_the_worst_element_and_both_values():
    def backward(g, x):
        grad = 2 * x * g
        grad[1, 2] += 0.5
        grad[0, 1] += 0.25
        return grad

    square = with_backward(ours(), lambda x: x * x, backward)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda y, x: (y * 2, square(x).sum()), (double(ours(), [1.0]), double(ours(), MATRIX)))
    text = str(caught.value)
    assert text.startswith("Jacobian mismatch for output 1 with respect to input 1,\nnumerical:tensor(")
    assert "2 of 6 elements differ" in text
    assert "the derivative of output 1 by\ninput 1[1, 2]: analytical -1, numerical -1.5." in text
    assert "not differentiable" not in text


KINKS = {
    "relu at 0": (lambda x: x.relu(), [1.0, 0.0], "at 0: the slope is 0 on the left and 1 on the right"),
    "relu near 0": (lambda x: (x - 1).relu(), [1.0 + 1e-7], "the slope is 0.1 on the left and 1 on the right"),
    "clamp at its bound": (
        lambda x: x.clamp(max=2.0) * 3,
        [2.0],
        "at 2: the slope is 3 on the left and 0 on the right",
    ),
    "the larger of equals": (lambda x: x[0] + x.max(0)[0], [3.0, 3.0], "at 3: the slope is"),
    "a jump": (lambda x: x * (x >= 1), [1.0], "not differentiable here, at 1: the slope is"),
}


@pytest.mark.parametrize("case", KINKS)
def test_a_kink_is_told_from_a_wrong_gradient(case):
    func, values, words = KINKS[case]
    text = str(both(lambda t: t.autograd.gradcheck(func, double(t, values))))
    assert "func is not differentiable here" in text
    assert words in text


def test_a_strongly_curved_function_is_not_called_a_kink():
    wrong = with_backward(ours(), lambda x: (1000 * x).sin(), lambda g, x: g)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong, double(ours(), [0.3]))
    assert "not differentiable" not in str(caught.value)


def test_a_kink_passes_where_the_chosen_slope_is_the_mean_as_in_torch():
    assert both(lambda t: t.autograd.gradcheck(lambda x: x.abs(), double(t, [0.0, 1.0]))) is True


def test_inputs_come_back_exactly_even_after_an_error():
    t = ours()
    x = double(t, [0.1, 0.7])
    y = (x * x).sum()
    before = x.detach().clone()
    calls = []

    def breaks(x):
        calls.append(1)
        if len(calls) == 3:
            raise KeyError("in the middle")
        return x * 2

    with pytest.raises(KeyError):
        gradcheck(breaks, x)
    assert gradcheck(lambda x: x.sin(), x)
    assert not gradcheck(with_backward(t, lambda x: x * 2, lambda g, x: g), x, raise_exception=False)
    assert x.equal(before)
    assert x.grad is None
    y.backward()  # no version was counted either
    assert x.grad.equal(2 * before)


def test_a_module_is_checked_through_its_own_weights():
    def program(t):
        layer = t.nn.Linear(3, 2).double()
        x = t.tensor(MATRIX, dtype=t.float64)
        return t.autograd.gradcheck(lambda *_: layer(x).tanh(), tuple(layer.parameters()))

    assert both(program) is True


def test_inputs_without_gradient_and_other_values_are_handed_through():
    def program(t):
        return t.autograd.gradcheck(lambda x, n, y: x**n * y, (double(t, [2.0]), 3, t.tensor([1.0, 2.0])))

    assert both(program) is True


def test_an_input_that_is_not_double_is_warned_about():
    x = ours().tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision") as caught:
        assert not gradcheck(lambda x: x * 2, x, raise_exception=False)
    assert caught[0].filename == __file__
    with (
        pytest.warns(UserWarning, match="double precision"),
        pytest.raises(GradcheckError, match=r"float32 has too few digits.*x\.double"),
    ):
        gradcheck(lambda x: x * 2, x)


def test_a_random_function_is_called_random():
    t = ours()
    with pytest.raises(GradcheckError, match="func is not deterministic"):
        gradcheck(lambda x: t.nn.functional.dropout(x), double(t, [1.0] * 20))


def test_a_random_backward_is_refused_unless_tolerated():
    def program(t, noise, **options):
        steps = iter(range(1000))
        noisy = with_backward(t, lambda x: x * 2, lambda g, x: g * (2 + noise * next(steps)))
        return t.autograd.gradcheck(noisy, double(t, [1.0]), **options)

    error = both(lambda t: program(t, 1e-9))
    assert "Backward is not reentrant" in str(error)
    assert both(lambda t: program(t, 1e-9, nondet_tol=1e-6)) is True


REFUSED = {
    "no input requires grad": (lambda t, x: t.autograd.gradcheck(lambda x: x, x.detach()), "at least one input tensor"),
    "a repeated input": (
        lambda t, x: t.autograd.gradcheck(lambda x: x, x[:1].detach().expand(3).requires_grad_()),
        "has a dimension with stride 0",
    ),
    "a detached result": (
        lambda t, x: t.autograd.gradcheck(lambda x: x.detach() * 2, x),
        "Numerical gradient for function expected to be zero, because no output requires grad; but output 0",
    ),
    "another shape close by": (
        lambda t, x: t.autograd.gradcheck(lambda x: x[x > 0.5], x),
        "Expected `func` to return outputs with the same shape",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_checked_is_refused_as_in_torch(case):
    program, words = REFUSED[case]
    assert words in str(both(lambda t: program(t, double(t, [0.5, 2.0]))))


@pytest.mark.parametrize("result", [1.0, 3, None, np.ones(2), {"y": 1}])
def test_a_result_that_is_no_tensor_is_refused(result):
    with pytest.raises(TypeError, match=f"must return a Tensor .* but returned a {type(result).__name__}"):
        gradcheck(lambda x: result, double(ours(), [1.0]))


def test_an_integer_result_passes_as_in_torch_with_a_warning_that_nothing_was_compared():
    with pytest.warns(UserWarning, match=r"nothing to compare. It returned torch\.int64 of shape \[\]"):
        assert both(lambda t: t.autograd.gradcheck(lambda x: x.argmax(), double(t, [1.0, 2.0]))) is True


def test_a_wrong_second_derivative_is_found_by_gradgradcheck_alone():
    def program(t, check):
        cut = with_backward(t, lambda x: x**3, lambda g, x: 3 * g * x.detach() ** 2)
        return getattr(t.autograd, check)(cut, double(t, [0.5, 2.0]))

    assert both(lambda t: program(t, "gradcheck")) is True
    error = both(lambda t: program(t, "gradgradcheck"))
    assert str(error).startswith("Jacobian mismatch for output 0 with respect to input 0")
    assert "This is the second derivative" in str(error)
    t = ours()
    cut = with_backward(t, lambda x: x**3, lambda g, x: 3 * g * x.detach() ** 2)
    assert gradgradcheck(cut, double(t, [0.5]), raise_exception=False) is False


def test_a_function_differentiable_once_is_refused_by_gradgradcheck():
    def program(t):
        class Once(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            @t.autograd.function.once_differentiable
            def backward(ctx, g):
                return g * 2

        return t.autograd.gradgradcheck(Once.apply, double(t, [1.0]))

    both(program)


def test_gradgradcheck_takes_grad_outputs_and_leaves_the_random_stream_alone():
    t = ours()
    x = double(t, MATRIX)
    assert gradgradcheck(lambda x: x.exp(), x, double(t, MATRIX))
    t.manual_seed(3)
    expected = t.rand(2)
    t.manual_seed(3)
    assert gradgradcheck(lambda x: x.sin(), x, gen_non_contig_grad_outputs=True)
    assert t.rand(2).equal(expected)


def test_the_names_are_where_torch_has_them():
    autograd = tinygrad_edu.autograd
    assert callable(autograd.gradcheck)
    assert callable(autograd.gradgradcheck)
    assert issubclass(GradcheckError, RuntimeError)
    from tinygrad_edu.autograd.gradcheck import gradcheck as same

    assert same is autograd.gradcheck

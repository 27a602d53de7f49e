"""gradcheck and gradgradcheck: torch's verdict on right and wrong gradients, and reports that name the mistake."""

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import both, ours
from tinygrad_edu.autograd import gradcheck, gradgradcheck
from tinygrad_edu.autograd._gradcheck import check_grads
from tinygrad_edu.autograd.gradcheck import GradcheckError, Report, Verdict

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


MODES = {
    "slow": {},
    "fast": {"fast_mode": True},
    "masked": {"masked": True},
    "undefined gradients left out": {"check_undefined_grad": False},
    "dtypes": {"check_grad_dtypes": True},
    "batched": {"check_batched_grad": True},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
@pytest.mark.parametrize("case", RIGHT)
def test_right_gradients_pass(case, check, mode):
    func, values = RIGHT[case]
    found = both(lambda t: getattr(t.autograd, check)(func(t), [double(t, v) for v in values], **MODES[mode]))
    assert found is True


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
@pytest.mark.parametrize("case", RIGHT)
def test_right_gradients_are_called_right(case, check):
    func, values = RIGHT[case]
    report = check(func(ours()), [double(ours(), v) for v in values], explain=True)
    assert isinstance(report, Report)
    assert report.verdict is Verdict.RIGHT
    assert report.order == (1 if check is gradcheck else 2)
    assert report.checked == 0 or str(report).startswith("verdict: right\n")
    assert report.checked == 0 or "1e-09" in str(report)


LAYOUTS = {
    "transposed": lambda x: x.T,
    "every second": lambda x: x[:, ::2],
    "a part": lambda x: x[1:, 1:],
    "reversed twice": lambda x: x.flip(0),
}


@pytest.mark.parametrize("mode", ["slow", "fast"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_inputs_in_any_layout_are_moved_in_place(layout, mode):
    def program(t):
        x = LAYOUTS[layout](t.tensor(MATRIX, dtype=t.float64)).requires_grad_()
        good = t.autograd.gradcheck(lambda x: x.exp() * x, x, **MODES[mode])
        bad = t.autograd.gradcheck(lambda x: x.exp() * x.detach(), x, raise_exception=False, **MODES[mode])
        return good, bad, x.detach()

    assert both(program)[:2] == (True, False)


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
        "the mean over the broadcast axis was taken",
    ),
    "missing term": (
        lambda t: with_backward(t, lambda x: x * x.exp(), lambda g, x: g * x.exp()),
        [MATRIX],
        "elements differ by more than",
    ),
    "nothing": (lambda t: with_backward(t, lambda x: x * 2, lambda g, x: g * 0), [MATRIX], "zero everywhere"),
    "the product's other factor": (
        lambda t: with_backward(t, lambda x, y: x * y, lambda g, x, y: (g * x, g * y)),
        [SQUARE, [[2.0, 0.5], [1.0, -3.0]]],
        "are exchanged",
    ),
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


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", WRONG)
def test_torch_refuses_them_in_every_mode_and_begins_with_the_same_words(case, mode):
    func, values, _ = WRONG[case]
    firsts = []

    def program(t):
        try:
            return t.autograd.gradcheck(func(t), [double(t, v) for v in values], **MODES[mode])
        except RuntimeError as error:
            firsts.append(str(error).partition("\n")[0].partition(":")[0])
            raise

    both(program)
    assert len(firsts) == 2
    assert firsts[1] == firsts[0] or firsts[1].startswith(firsts[0])


def test_fast_mode_follows_torchs_direction_and_shows_torchs_numbers():
    shown = []

    def program(t):
        wrong = with_backward(t, lambda x, y: (x * y).sin(), lambda g, x, y: (g * (x * y).cos() * y, g * x))
        try:
            return t.autograd.gradcheck(wrong, [double(t, MATRIX), double(t, MATRIX)], fast_mode=True)
        except RuntimeError as error:
            shown.append(str(error).splitlines()[:3])
            raise

    text = str(both(program))
    assert shown[0][::2] == shown[1][::2]
    numbers = [float(lines[1].removeprefix("numerical:")) for lines in shown]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-9)
    assert shown[0][0] == "Jacobian mismatch for output 0 with respect to input 1,"
    assert "computed \nin fast mode" in text
    assert "The max per-element difference (slow mode) is" in text


@pytest.mark.parametrize("error", [0.9e-5, 1.5e-5])
def test_fast_mode_accepts_as_much_as_torchs(error):
    def program(t):
        near = with_backward(t, lambda x: x.sum() + 0 * x, lambda g, x: g.sum() * (1 + error) + 0 * x)
        x = double(t, np.linspace(-1, 1, 30).tolist())
        return t.autograd.gradcheck(near, x, rtol=0.0, fast_mode=True, raise_exception=False)

    assert both(program) is (error < 1e-5)


@pytest.mark.parametrize("case", WRONG)
def test_with_explain_the_error_is_the_report_and_carries_it(case):
    func, values, _ = WRONG[case]
    t = ours()
    with pytest.raises(GradcheckError) as caught:
        gradcheck(func(t), [double(t, v) for v in values], explain=True)
    report = gradcheck(func(t), [double(t, v) for v in values], explain=True, raise_exception=False)
    assert isinstance(report, Report)
    assert not report
    assert report == caught.value.report
    assert report.findings[0].sentence.split()[0] in str(caught.value)


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


@pytest.mark.parametrize("case", KINKS)
def test_with_explain_a_kink_is_accepted_and_said(case):
    func, values, _ = KINKS[case]
    report = gradcheck(func, double(ours(), values), explain=True)
    assert report
    assert report.verdict is Verdict.KINK
    assert "The analytical value is a sub-gradient: accepted." in report.findings[0].sentence


def signature(t, name):
    import inspect

    parameters = inspect.signature(getattr(t.autograd, name)).parameters.values()
    return [(p.name, p.kind.name, p.default if p.default is not p.empty else "none") for p in parameters]


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_the_signature_is_torchs_with_explain_behind(name):
    def program(t):
        return [[p[0], p[1], p[2]] for p in signature(t, name) if p[0] != "explain"]

    both(program)
    assert signature(ours(), name)[-1] == ("explain", "KEYWORD_ONLY", False)


SETTINGS = {
    "no mode": {"check_backward_ad": False},
    "batched without backward": {"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": True},
    "batched forward without forward": {"check_batched_forward_grad": True},
    "second: no mode": {"check_rev_over_rev": False},
    "second: undefined without reverse": {"check_rev_over_rev": False, "check_fwd_over_rev": True},
    "second: batched without reverse": {
        "check_rev_over_rev": False,
        "check_fwd_over_rev": True,
        "check_undefined_grad": False,
        "check_batched_grad": True,
    },
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_contradict_each_other_are_refused_in_torchs_words(case):
    words = []

    def program(t):
        check = t.autograd.gradgradcheck if case.startswith("second") else t.autograd.gradcheck
        try:
            check(lambda x: x, double(t, [1.0]), **SETTINGS[case])
        except AssertionError as error:
            words.append(str(error))
            raise

    both(program)
    assert words[0] == words[1]


@pytest.mark.parametrize(("check", "setting"), [(gradcheck, "check_forward_ad"), (gradgradcheck, "check_fwd_over_rev")])
def test_forward_mode_is_refused_since_jvp_would_confirm_itself(check, setting):
    with pytest.raises(NotImplementedError, match=f"{setting}=True.*no forward mode.*two backward passes"):
        check(lambda x: x, double(ours(), [1.0]), **{setting: True})


def undefined(t, backward, materialize=False, outputs=2):
    """x -> (2 x, 3 x), whose backward sees None for a gradient that did not arrive."""

    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return (x * 2, x * 3) if outputs == 2 else x * 2

        @staticmethod
        def backward(ctx, *g):
            return backward(*g)

    return Twice.apply


def zero_if_none(g):
    return 0 if g is None else g


UNDEFINED = {
    "zeros": (lambda g, h: g * 2 + h * 3, True, 2, bool),
    "None handled": (
        lambda g, h: None if g is None and h is None else zero_if_none(g) * 2 + zero_if_none(h) * 3,
        False,
        2,
        bool,
    ),
    "None forgotten": (lambda g, h: g * 2 + h * 3, False, 2, TypeError),
    "None forgotten by one output": (lambda g: g * 2, False, 1, TypeError),
    "None handled by one output": (lambda g: None if g is None else g * 2, False, 1, bool),
    "a number returned": (lambda g, h: zero_if_none(g) * 2 + zero_if_none(h) * 3, False, 2, GradcheckError),
}


@pytest.mark.parametrize("case", UNDEFINED)
def test_a_gradient_that_does_not_arrive_is_checked_as_in_torch(case):
    backward, materialize, outputs, expected = UNDEFINED[case]
    found = both(lambda t: t.autograd.gradcheck(undefined(t, backward, materialize, outputs), double(t, [1.0, 2.0])))
    assert isinstance(found, expected)
    again = both(
        lambda t: t.autograd.gradcheck(
            undefined(t, backward, True, outputs), double(t, [1.0, 2.0]), check_undefined_grad=False
        )
    )
    assert again is True


def test_an_undefined_gradient_that_counts_as_something_is_refused():
    def program(t):
        def backward(g):
            return t.ones(2, dtype=t.float64) if g is None else g * 2

        return t.autograd.gradcheck(undefined(t, backward, outputs=1), double(t, [1.0, 2.0]))

    error = both(program)
    assert "Expected all input grads to be undefined or zero when all output grads are undefined" in str(error)


def test_each_gradient_is_left_out_in_turn():
    def program(t):
        class Three(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(False)
                return x * 1, x * 2, x * 3

            @staticmethod
            def backward(ctx, *gs):
                there = [k * g for k, g in enumerate(gs, 1) if g is not None]
                return sum(there) + (len(there) == 2) if there else None

        return t.autograd.gradcheck(Three.apply, double(t, [1.0, 2.0]))

    assert "Expected all input grads to be undefined or zero" in str(both(program))


def test_a_backward_that_cannot_run_for_a_batch_is_refused_where_that_is_asked_for():
    def program(t, **options):
        branching = with_backward(t, lambda x: x * 2, lambda g, x: g * 2 if g.sum() > 0 else g + g)
        return t.autograd.gradcheck(branching, double(t, [1.0, 2.0]), **options)

    assert both(program) is True
    assert "While computing batched gradients, got: " in str(both(lambda t: program(t, check_batched_grad=True)))


def test_only_masked_overlooks_a_tiny_constant_in_the_gradient():
    def program(t, masked):
        tiny = with_backward(t, lambda x: x * 2, lambda g, x: g * 2 + 1e-9)
        return t.autograd.gradcheck(tiny, double(t, [1.0, 2.0]), masked=masked, check_undefined_grad=False)

    assert both(lambda t: program(t, True)) is True
    assert "backward not multiplied by grad_output" in str(both(lambda t: program(t, False)))


def changes_memory(x):
    x.detach().mul_(1.5)
    return x * 2


BAD = {
    "in place": (
        lambda x: changes_memory(x),
        GradcheckError,
        r"func changes input 0 in place: one call turned \[0\] from 1 into 1\.5",
    ),
    "random": (lambda x: x * np.random.default_rng().random(), GradcheckError, "func is not deterministic"),
    "integer": (lambda x: x.argmax(), GradcheckError, "there was nothing to compare. It returned torch.int64"),
    "detached": (lambda x: x.detach() * 2, GradcheckError, "because no output requires grad; but output 0"),
    "constant": (lambda x: tinygrad_edu.ones(2), GradcheckError, "none changes with the inputs"),
    "number": (lambda x: x.sum().item(), TypeError, "must return a Tensor .* but returned a float"),
    "None": (lambda x: None, TypeError, "None comes from a function without return"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_checked_is_said_in_a_sentence(case):
    func, kind, words = BAD[case]
    for check in (
        lambda x: gradcheck(func, x, explain=True),
        lambda x: check_grads(func, x),
        lambda x: check_grads(func, x, directional=True),
    ):
        with pytest.raises(kind, match=words) as caught:
            check(double(ours(), [1.0, 2.0]))
        if kind is GradcheckError:
            assert caught.value.report is not None
            assert caught.value.report.verdict is Verdict.UNCHECKABLE
            assert str(caught.value.report).count(caught.value.report.findings[0].sentence) == 1


def test_an_input_changed_in_place_is_put_back_and_torch_refuses_it_too():
    def program(t):
        x = double(t, [1.0, 2.0])
        return t.autograd.gradcheck(changes_memory, x, raise_exception=False)

    assert both(program) is False
    x = double(ours(), [1.0, 2.0])
    assert not gradcheck(changes_memory, x, raise_exception=False)
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
def test_the_users_own_exception_passes_with_a_note_that_names_the_call(check):
    def program(t):
        def func(x, n):
            raise KeyError("mine")

        return getattr(t.autograd, check)(func, (double(t, [1.0]), 3))

    error = both(program)
    assert isinstance(error, KeyError)
    (note,) = error.__notes__
    assert note.startswith(f"{check}: func itself raised this, called with the inputs as they are")
    assert check == "gradgradcheck" or "(float64 tensor of shape [1], 3)" in note


def test_an_exception_at_a_moved_input_names_the_element():
    def program(t):
        def func(x):
            if (x > 1).any():
                raise ValueError("too large")
            return x * 2

        return t.autograd.gradcheck(func, double(t, [0.5, 1.0]))

    (note,) = both(program).__notes__
    assert "func itself raised this, called with input 0[1] moved by 1e-06" in note


def test_an_exception_of_a_backward_is_told_from_one_of_the_function():
    def program(t):
        return t.autograd.gradcheck(with_backward(t, lambda x: x * 2, lambda g, x: {}[0]), double(t, [1.0]))

    error = both(program)
    assert error.__notes__ == ["gradcheck: backward raised this, for an output of shape [1]; func itself ran."]


def test_a_gradient_of_a_wrong_shape_is_diagnosed():
    def program(t):
        wrong = with_backward(t, lambda x, y: x @ y, lambda g, x, y: (g @ y.mT, (x.mT @ g).mT))
        return t.autograd.gradcheck(wrong, [double(t, MATRIX), double(t, [[1.0], [2.0], [0.5]])])

    error = both(program)
    assert "It is transposed" in error.__notes__[-1]
    t = ours()
    wrong = with_backward(t, lambda x, y: x @ y, lambda g, x, y: (g @ y.mT, (x.mT @ g).mT))
    with pytest.raises(GradcheckError, match="with respect to input 1: transposed") as caught:
        gradcheck(wrong, [double(t, MATRIX), double(t, [[1.0], [2.0], [0.5]])], explain=True)
    assert caught.value.report.verdict is Verdict.TRANSPOSED


def test_values_too_large_for_the_step_are_refused_as_in_torch_and_explained():
    def program(t):
        return t.autograd.gradcheck(lambda x: x**3 + 1e10, double(t, [0.5, 2.0]))

    assert "Rounding explains it" in str(both(program))
    assert gradcheck(lambda x: x**3 + 1e10, double(ours(), [0.5, 2.0]), explain=True)


def test_an_output_that_is_not_compared_is_noted():
    report = gradcheck(lambda x: (x * 2, x.detach(), x.argmax()), double(ours(), [1.0, 2.0]), explain=True)
    assert len(report.notes) == 2
    assert "Output 1 was not compared: it does not require grad." in str(report)


def test_a_second_derivative_cut_off_is_found_with_explain_alone():
    def program(t, **options):
        cut = with_backward(t, lambda x, y: x**2 * y, lambda g, x, y: ((2 * g * x * y).detach(), g * x * x))
        return t.autograd.gradgradcheck(cut, [double(t, [0.5, 2.0]), double(t, [1.0, 3.0])], **options)

    assert both(program) is True  # torch compares only what requires grad
    with pytest.raises(GradcheckError) as caught:
        program(ours(), explain=True)
    assert caught.value.report.verdict is Verdict.SECOND_ORDER
    assert "gradient of input 0 with respect to" in str(caught.value)


class TestCheckGrads:
    def test_it_takes_numbers_arrays_lists_and_tensors(self):
        t = ours()
        for args in (0.5, (0.5, [1.0, 2.0]), (np.ones(2), t.ones(2)), (t.ones(2).half(), np.float32(2))):
            assert check_grads(lambda *xs: sum([(x * x).sum() for x in xs]), args)

    def test_it_makes_float64_leaves_and_leaves_the_arguments_alone(self):
        t = ours()
        x, y, n = t.ones(2, requires_grad=True), np.ones(2), t.tensor([1, 2])
        seen = []

        def func(*args):
            seen.append(args)
            return (args[0] * args[1] * args[2]).sum()

        check_grads(func, (x, y, n, 3))
        assert [(a.dtype, a.requires_grad) for a in seen[0][:2]] == [(t.float64, True)] * 2
        assert seen[0][2] is n
        assert seen[0][3] == 3
        assert x.grad is None
        plain = t.ones(2, dtype=t.float64)
        check_grads(t.exp, plain)
        assert not plain.requires_grad
        assert y.tolist() == [1.0, 1.0]

    def test_whole_numbers_alone_are_refused_with_the_way_out(self):
        with pytest.raises(ValueError, match=r"no argument is of floating point.*Write 3\.0 for 3"):
            check_grads(lambda x: x, 3)

    @pytest.mark.parametrize("order", [0, -1])
    def test_the_order_is_1_or_more(self, order):
        with pytest.raises(ValueError, match="order must be 1 or more"):
            check_grads(lambda x: x, 1.0, order=order)

    def test_each_order_is_checked(self):
        right_once = with_backward(ours(), lambda x: x**3, lambda g, x: 3 * g * x.detach() ** 2)
        assert check_grads(right_once, [[0.5, 2.0]], order=1)
        with pytest.raises(GradcheckError) as caught:
            check_grads(right_once, [[0.5, 2.0]])
        assert caught.value.report.verdict is Verdict.SECOND_ORDER
        assert caught.value.report.order == 2

        square = with_backward(ours(), lambda x: x * x, lambda g, x: 2 * g * x)
        right_twice = with_backward(
            ours(), lambda x: x**3, lambda g, x: 3 * g * square(x.detach()) + 6 * g * x.detach() * (x - x.detach())
        )
        assert check_grads(right_twice, [[0.5, 2.0]], order=2)
        with pytest.raises(GradcheckError, match="derivative of order 3"):
            check_grads(right_twice, [[0.5, 2.0]], order=3)

    def test_the_report_of_all_orders_counts_every_derivative(self):
        one = check_grads(lambda x: x.exp(), [[0.5, 2.0]], order=1)
        two = check_grads(lambda x: x.exp(), [[0.5, 2.0]], order=2)
        assert (one.checked, two.checked) == (4, 4 + 8)

    def test_a_kink_is_accepted_and_said_at_any_order(self):
        report = check_grads(lambda x: x.relu() * x.exp(), [[0.0, 2.0]])
        assert report
        assert report.verdict is Verdict.KINK

    @pytest.mark.parametrize("wrong", ["sign", "factor", "nothing"])
    def test_large_inputs_are_checked_along_a_direction_and_the_mistake_is_named(self, wrong):
        t, calls = ours(), []
        backward = {
            "sign": lambda g, x: -g * x.exp(),
            "factor": lambda g, x: 3 * g * x.exp(),
            "nothing": lambda g, x: g * 0,
        }
        x = np.random.default_rng(0).standard_normal((50, 40))

        def forward(x):
            calls.append(1)
            return x.exp()

        assert check_grads(with_backward(t, forward, lambda g, x: g * x.exp()), x)
        assert len(calls) < 60
        with pytest.raises(GradcheckError) as caught:
            check_grads(with_backward(t, forward, backward[wrong]), x)
        report = caught.value.report
        assert report.verdict is {"sign": Verdict.SIGN, "factor": Verdict.FACTOR, "nothing": Verdict.ZERO}[wrong]
        row, column = report.findings[0].place
        assert 0 <= row < 50
        assert 0 <= column < 40

    def test_along_a_direction_the_second_order_is_checked_too(self):
        cut = with_backward(ours(), lambda x: x**3, lambda g, x: 3 * g * x.detach() ** 2)
        x = np.random.default_rng(0).standard_normal(300)
        assert check_grads(cut, x, order=1)
        with pytest.raises(GradcheckError) as caught:
            check_grads(cut, x, order=2)
        assert caught.value.report.verdict is Verdict.SECOND_ORDER

    def test_one_wrong_element_among_many_is_seen(self):
        def backward(g, x):
            grad = g * x.exp()
            grad[123] += 0.5 * g[123]
            return grad

        with pytest.raises(GradcheckError):
            check_grads(with_backward(ours(), lambda x: x.exp(), backward), np.linspace(-1, 1, 400), order=1)


def test_the_names_are_where_torch_has_them():
    autograd = tinygrad_edu.autograd
    assert callable(autograd.gradcheck)
    assert callable(autograd.gradgradcheck)
    assert issubclass(GradcheckError, RuntimeError)
    from tinygrad_edu.autograd.gradcheck import gradcheck as same

    assert same is autograd.gradcheck

"""The verdicts: every mistake named from values alone, kinks accepted, digits told from mistakes, no false alarm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.autograd._verdict import Report, Tolerance, Verdict, WrongShape, examine, numerical

X = np.array([0.5, -1.25, 2.0])
ROWS = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])
IMAGES = np.linspace(-1.2, 2.3, 24).reshape(3, 2, 2, 2)
A, B = np.array([[0.5, -1.25], [1.5, 0.75]]), np.array([[2.0, 0.25], [-0.5, 1.0]])


def moved_by(function, inputs):
    """The function as examine wants it."""

    def moved(i, place, step):
        copies = [np.array(x) for x in inputs]
        if step:
            copies[i][place] += step
        with np.errstate(all="ignore"):
            found = function(*copies)
        return [np.asarray(out, np.float64) for out in (found if isinstance(found, tuple) else (found,))]

    return moved


def judge(function, inputs, *jacobians, **options):
    """The report on one output's Jacobians, one for each input."""
    return examine(moved_by(function, inputs), inputs, [jacobians], Tolerance(), **options)


def jacobian(function, inputs, i=0):
    """The right one."""
    return numerical(moved_by(function, inputs), i, np.shape(inputs[i]), 1e-6)[0]


def of_backward(backward, shape):
    """The Jacobian of a formula: g -> gradient, one unit g after the other."""
    columns = []
    for k in range(int(np.prod(shape))):
        g = np.zeros(shape)
        g.reshape(-1)[k] = 1
        columns.append(np.asarray(backward(g)).reshape(-1))
    return np.stack(columns, 1)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def layer_mean(x):
    return x - x.mean(-1, keepdims=True)


P = softmax(ROWS)

# name: function, inputs, a backward for each input, verdict, words of the sentence
MISTAKES = {
    "sign": (np.cos, [X], [lambda g: g * np.sin(X)], Verdict.SIGN, "sign reversed everywhere"),
    "half": (np.square, [X], [lambda g: g * X], Verdict.FACTOR, "0.5 times the numerical one everywhere (1/2, as when"),
    "twice": (np.exp, [X], [lambda g: 2 * g * np.exp(X)], Verdict.FACTOR, "2 times the numerical one everywhere: a"),
    "minus twice": (np.exp, [X], [lambda g: -2 * g * np.exp(X)], Verdict.FACTOR, "its sign is wrong too"),
    "two thirds": (np.exp, [X], [lambda g: 2 / 3 * g * np.exp(X)], Verdict.FACTOR, "(2/3)"),
    "natural logarithm": (np.log2, [X**2], [lambda g: g / X**2], Verdict.FACTOR, "(ln 2)"),
    "odd factor": (np.exp, [X], [lambda g: 1.37 * g * np.exp(X)], Verdict.FACTOR, "1.37 times"),
    "sum for mean": (
        np.mean,
        [ROWS],
        [lambda g: g * np.ones(6)],
        Verdict.FACTOR,
        "6 is the number of elements: a sum where a mean was meant",
    ),
    "mean for sum": (np.sum, [ROWS], [lambda g: g * np.ones(6) / 6], Verdict.FACTOR, "a mean where a sum was meant"),
    "transposed": (
        lambda x: B @ x,
        [A],
        [lambda g: (B.T @ g).T],
        Verdict.TRANSPOSED,
        "The analytical gradient is transposed",
    ),
    "g transposed": (np.exp, [A], [lambda g: g.T * np.exp(A)], Verdict.TRANSPOSED, "gradient g is used transposed"),
    "factor transposed": (
        lambda x: x @ B,
        [A],
        [lambda g: g @ B],
        Verdict.TRANSPOSED,
        "A factor in the formula is transposed",
    ),
    "product exchanged": (lambda x: x @ B, [A], [lambda g: B @ g], Verdict.TRANSPOSED, "factors of a matrix product"),
    "batched": (
        lambda x: x @ B,
        [np.stack([A, 2 + A, A * A])],
        [lambda g: (g @ B.T).swapaxes(1, 2)],
        Verdict.TRANSPOSED,
        "x.mT",
    ),
    "exchanged": (np.multiply, [X, X + 3], [lambda g: g * X, lambda g: g * (X + 3)], Verdict.SWAPPED, "are exchanged"),
    "signs of a difference": (np.subtract, [X, X], [lambda g: -g, lambda g: g], Verdict.SWAPPED, "are exchanged"),
    "the other's": (
        np.multiply,
        [X, X + 3],
        [lambda g: g * X, lambda g: g * X],
        Verdict.SWAPPED,
        "This is the gradient of input 1",
    ),
    "first row": (
        lambda x, b: x + b,
        [ROWS, X],
        [lambda g: g, lambda g: g[0]],
        Verdict.UNSUMMED,
        "right for index 0 of axis 0 of the output, and zero for the other 1",
    ),
    "mean over the batch": (
        lambda x, b: x + b,
        [ROWS, X],
        [lambda g: g, lambda g: g.mean(0)],
        Verdict.UNSUMMED,
        "the mean over the broadcast axis was taken",
    ),
    "reduction left out": (
        softmax,
        [ROWS],
        [lambda g: P * (g - g * P)],
        Verdict.UNSUMMED,
        "elements along axis 1 act on each other, and their part is missing",
    ),
    "zero": (np.exp, [X], [lambda g: 0 * g], Verdict.ZERO, "zero everywhere"),
    "nan": (
        np.square,
        [X * 0],
        [lambda g: g * np.nan],
        Verdict.NOT_FINITE,
        "nan at 9 of 9 elements where the function is",
    ),
    "term": (lambda x: x * np.exp(x), [X], [lambda g: g * np.exp(X)], Verdict.TERM, "a term of the formula is missing"),
    "constant": (np.square, [X], [lambda g: 2 * g * X + 0.5], Verdict.TERM, "0.5 too high everywhere"),
    "coupling": (
        lambda x: x * x.sum(),
        [X],
        [lambda g: g * X.sum() + g * X + 0.1 * (g.sum() - g)],
        Verdict.TERM,
        "a coupling is missing or wrong",
    ),
    "diagonal alone": (
        softmax,
        [ROWS],
        [lambda g: P * (g - (g * P).sum(-1, keepdims=True)) + 0.1 * (g.sum() - g)],
        Verdict.TERM,
        "derivative by itself is right",
    ),
    "not the adjoint": (
        np.cumsum,
        [X],
        [lambda g: g.cumsum()],
        Verdict.TRANSPOSED,
        "A factor in the formula is transposed",
    ),
    "flipped": (lambda x: x * [1, 2, 3], [X], [lambda g: (g * [1, 2, 3])[::-1]], Verdict.TERM, "with axis 0 reversed"),
    "off by one": (lambda x: x * [1, 2, 3], [X], [lambda g: np.roll(g * [1, 2, 3], 1)], Verdict.TERM, "shifted by one"),
    "a branch": (np.abs, [X], [lambda g: g], Verdict.TERM, "wrong exactly where the input is negative"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named(name):
    function, inputs, backwards, verdict, words = MISTAKES[name]
    shape = np.shape(function(*inputs))
    report = judge(function, inputs, *[of_backward(backward, shape) for backward in backwards])
    assert not report
    assert report.verdict is verdict
    assert words in report.findings[0].sentence


@pytest.mark.parametrize("name", MISTAKES)
def test_the_right_gradients_of_the_same_functions_are_right(name):
    function, inputs, *_ = MISTAKES[name]
    report = judge(function, inputs, *[jacobian(function, inputs, i) for i in range(len(inputs))])
    assert report.verdict is Verdict.RIGHT
    assert report.findings == ()


def test_another_element_left_out_is_not_taken_for_a_slice():
    report = judge(lambda w: w[[1, 3]], [np.arange(5.0)], np.array([[0, 0], [1, 0], [0, 0], [0, 0], [0, 0]]))
    assert report.verdict is Verdict.TERM
    assert "wrong at [3]" in report.findings[0].sentence


def test_numbers_that_float32_could_hold_are_not_taken_for_float32():
    x = np.array([0.1, 0.7], np.float32).astype(np.float64)
    report = judge(lambda x: x[::-1] * 1.0, [x], np.eye(2))
    assert "digits" not in report.findings[0].sentence


def test_no_gradient_is_told_from_zeros_and_right_where_the_input_is_not_used():
    assert "No gradient arrives" in judge(np.exp, [X], None).findings[0].sentence
    assert judge(np.exp, [X], None).verdict is Verdict.ZERO
    assert judge(lambda x, y: x, [X, X], np.eye(3), None).verdict is Verdict.RIGHT


SHAPES = {
    "bias": (lambda x, b: x + b, [ROWS, X], 1, lambda g: g, Verdict.UNSUMMED),
    "kept axis": (lambda x, b: x + b, [ROWS, X[None]], 1, lambda g: g, Verdict.UNSUMMED),
    "0-d": (np.multiply, [ROWS, np.array(2.0)], 1, lambda g: g * ROWS, Verdict.UNSUMMED),
    "transposed": (np.matmul, [ROWS, ROWS.T + 1], 1, lambda g: (ROWS.T @ g).T, Verdict.TRANSPOSED),
    "swapped": (np.matmul, [ROWS, ROWS.T + 1], 0, lambda g: ROWS.T @ g, Verdict.SWAPPED),
    "summed too far": (np.exp, [ROWS], 0, lambda g: (g * np.exp(ROWS)).sum(0), Verdict.TERM),
    "something else": (np.exp, [ROWS], 0, lambda g: np.zeros(7), Verdict.TERM),
    "tiled": (lambda x: np.tile(np.exp(x), 2), [X], 0, lambda g: g * np.tile(np.exp(X), 2), Verdict.UNSUMMED),
    "repeated": (lambda x: np.repeat(np.exp(x), 2), [X], 0, lambda g: g * np.repeat(np.exp(X), 2), Verdict.UNSUMMED),
    "tiled wrong": (lambda x: np.tile(np.exp(x), 2), [X], 0, lambda g: g, Verdict.TERM),
    "bias of channels": (
        lambda x, b: x * b[:, None, None],
        [IMAGES, np.array([0.5, 2.0])],
        1,
        lambda g: g * IMAGES,
        Verdict.UNSUMMED,
    ),
}
BY_SHAPE = {
    "tiled": Verdict.TERM,
    "repeated": Verdict.TERM,
    "transposed": Verdict.SWAPPED,
}


@pytest.mark.parametrize("known", [True, False], ids=["with values", "by shape"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_gradient_of_a_wrong_shape_is_named(name, known):
    function, inputs, i, backward, verdict = SHAPES[name]
    shape = np.shape(function(*inputs))
    given = np.shape(backward(np.zeros(shape)))
    jacobians = [jacobian(function, inputs, k) for k in range(len(inputs))]
    jacobians[i] = WrongShape(given, of_backward(backward, shape) if known else None)
    report = judge(function, inputs, *jacobians)
    if not known:
        verdict = BY_SHAPE.get(name, verdict)  # the shapes alone allow more, or say nothing
    assert report.verdict is verdict
    assert f"shape {list(given)}, the input {list(np.shape(inputs[i]))}" in report.findings[0].sentence
    assert report.worst_error == np.inf


def relu(x):
    return np.maximum(x, 0)


# name: function, point, values that are accepted, values that are not
KINKS = {
    "relu at 0": (relu, 0.0, [0.0, 0.3, 1.0], [-0.1, 1.1, np.nan, np.inf]),
    "relu beside 0": (relu, 1e-7, [1.0], [-0.1, 1.1]),
    "relu on the other side": (relu, -1e-7, [0.0], [-0.1, 1.1]),
    "abs": (np.abs, 0.0, [-1.0, 0.0, 1.0], [-1.1, 1.1, np.nan]),
    "steeper": (lambda x: np.maximum(3 * x, -2 * x), 0.0, [-2.0, 3.0], [-2.1, 3.1]),
    "jump": (lambda x: 1.0 * (x >= 1), 1.0, [0.0, 7.0], [np.nan]),
    "square root": (np.sqrt, 0.0, [0.0, np.inf], [-np.inf, np.nan]),
    "square root of the size": (lambda x: np.sqrt(np.abs(x)), 0.0, [0.0, np.inf, -np.inf], [np.nan]),
    "cube root": (np.cbrt, 0.0, [0.0, np.inf], [-np.inf, np.nan]),
    "logarithm": (np.log, 0.0, [0.0, np.inf, np.nan], []),
    "edge of the domain": (np.arccos, 1.0, [0.0, -np.inf], [np.inf, np.nan]),
    "norm": (lambda x: np.sqrt(x * x), 0.0, [0.0, 1.0], [2.0, np.nan]),
    "no number": (np.exp, np.nan, [np.nan, 1.0], []),
}


@pytest.mark.parametrize("name", KINKS)
def test_at_a_kink_any_finite_sub_gradient_is_accepted_and_nothing_else(name):
    function, point, accepted, refused = KINKS[name]
    for value in accepted:
        report = judge(function, [np.array(point)], np.array([[value]]))
        assert report, (value, str(report))
        assert report.verdict in (Verdict.KINK, Verdict.RIGHT)
    for value in refused:
        report = judge(function, [np.array(point)], np.array([[value]]))
        assert not report, value
        assert (report.verdict is Verdict.NOT_FINITE) == (not np.isfinite(value))


def test_a_kink_is_said_with_both_slopes():
    report = judge(relu, [np.array([0.0, 2.0])], np.diag([0.0, 1.0]))
    assert report.verdict is Verdict.KINK
    assert report
    assert "at 0: the slope is 0 on the left and 1 on the right." in str(report)
    assert report.worst_error < 1e-6
    (found,) = report.findings
    assert (found.place, found.at, found.count) == ((0,), (0,), 1)


def test_a_kink_does_not_hide_a_mistake_elsewhere():
    report = judge(relu, [np.array([0.0, 2.0, -1.0])], np.diag([0.0, -1.0, 0.0]))
    assert report.verdict is Verdict.SIGN
    assert report.findings[0].place == (1,)


def test_a_steep_smooth_function_has_no_kink():
    for scale in (1e3, 1e4):
        report = judge(lambda x, s=scale: np.sin(s * x), [np.array(0.3)], np.array([[0.0]]))
        assert report.verdict is Verdict.ZERO


def test_float32_noise_is_told_from_a_mistake():
    x = np.array([0.5, 1.3], np.float32)
    right = np.diag(3.0 * x**2)
    report = judge(lambda x: x**3, [x], right)
    assert report.verdict is Verdict.NOISE
    assert not report
    assert "Check in float64: x.double()" in report.findings[0].sentence
    for wrong, verdict in ((-right, Verdict.SIGN), (right / 2, Verdict.FACTOR), (right * 0, Verdict.ZERO)):
        assert judge(lambda x: x**3, [x], wrong).verdict is verdict


def test_float32_inside_the_function_is_seen():
    report = judge(lambda x: x.astype(np.float32) ** 3, [np.array([0.5, 1.3])], np.diag([0.75, 5.07]))
    assert report.verdict is Verdict.NOISE
    assert "float32 (inside func)" in report.findings[0].sentence


@pytest.mark.parametrize("function", [np.floor, np.ceil, np.sign, np.round])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("point", [0.0, 0.5, 1.0])
def test_a_jump_between_whole_numbers_is_a_kink_and_no_noise(function, kind, point):
    report = judge(function, [np.array([point], kind)], np.array([[0.0]]))
    assert report.verdict in (Verdict.KINK, Verdict.RIGHT)


def test_a_kink_in_float32_is_a_kink():
    assert judge(relu, [np.zeros(1, np.float32)], np.array([[0.0]])).verdict is Verdict.KINK


def test_the_dtypes_may_be_given():
    def program(x):
        return (x.astype(np.float32) ** 2).astype(np.float64)

    report = judge(program, [np.array([1.3])], np.array([[2.6]]), dtypes=["torch.float32"])
    assert report.verdict is Verdict.NOISE


@pytest.mark.parametrize("height", [1e6, 1e8, 1e10])
def test_large_values_are_no_mistake_and_hide_none(height):
    def program(x):
        return x**3 + height

    right = np.diag(3 * X**2)
    assert judge(program, [X], right).verdict is Verdict.RIGHT
    assert not judge(program, [X], right + np.diag([0.0, 0.5, 0.0]))


def test_rounding_of_large_values_is_not_taken_for_a_kink():
    for x in np.linspace(0.5, 2, 20):
        report = judge(lambda x: x**3 + 1e9, [np.array(x)], np.array([[3 * x**2 + 0.05]]))
        assert (
            report.verdict is not Verdict.KINK
        )  # now and then the rounded slope is the wrong value itself: then it is right


def test_an_element_that_is_no_number_has_no_derivative():
    x = np.array([np.nan, 2.0])
    assert judge(np.nansum, [x], np.array([[np.nan], [1.0]])).verdict is Verdict.KINK
    assert judge(np.nansum, [x], np.array([[np.nan], [-1.0]])).verdict is Verdict.SIGN


def test_one_number_alone_shows_no_odd_factor():
    x = np.array(0.3)
    assert judge(np.exp, [x], 1.37 * np.exp(x)[None, None]).verdict is Verdict.TERM
    assert judge(np.exp, [x], 2 * np.exp(x)[None, None]).verdict is Verdict.FACTOR


def test_large_gradients_are_compared_by_their_size():
    assert judge(lambda x: 1e12 * x**2, [X], np.diag(2e12 * X)).verdict is Verdict.RIGHT
    assert judge(lambda x: 1e12 * x**2, [X], np.diag(1.99e12 * X)).verdict is Verdict.FACTOR


@pytest.mark.parametrize("shape", [(0,), (0, 3), ()])
def test_empty_and_0_d_inputs_are_checked(shape):
    x = np.full(shape, 2.0)
    report = judge(np.exp, [x], np.exp(x).reshape(-1)[:, None] * np.eye(x.size))
    assert report.verdict is Verdict.RIGHT
    assert report.checked == x.size**2
    assert judge(np.sum, [x], np.ones((x.size, 1)), explain=True).verdict is Verdict.RIGHT


def test_an_input_behind_an_empty_one_is_checked_too():
    report = judge(lambda e, x: x**2, [np.zeros((0, 2)), X], np.zeros((0, 3)), np.diag(X))
    assert report.verdict is Verdict.FACTOR
    assert report.findings[0].input == 1


def test_the_worst_finding_comes_first_and_kinks_last():
    def program(x, y, z):
        return np.exp(x) + y**2 + relu(z)

    inputs = [np.array(1.0), np.array(2.0), np.array(0.0)]
    report = judge(program, inputs, np.array([[1.0]]), np.array([[-40.0]]), np.array([[0.0]]))
    assert [finding.input for finding in report.findings] == [1, 0, 2]
    assert [finding.verdict.passes for finding in report.findings] == [False, False, True]


def test_a_higher_order_keeps_the_pattern_as_the_cause():
    report = judge(np.exp, [X], -np.diag(np.exp(X)), order=2)
    assert report.verdict is Verdict.SECOND_ORDER
    assert report.findings[0].cause is Verdict.SIGN
    assert "stale or missing second-order term (wrong sign)" in str(report)
    assert judge(relu, [np.array(0.0)], np.array([[0.0]]), order=2).verdict is Verdict.KINK


def test_the_steps_show_truncation_and_rounding():
    report = judge(np.exp, [X], np.diag(np.exp(X)), explain=True)
    assert report.worst is not None
    errors = dict(report.worst.steps)
    assert errors[1e-2] > 100 * errors[1e-4] > 0
    assert errors[1e-9] > 10 * errors[1e-5]
    assert f"1e-02  {errors[1e-2]:.1e}\n" in str(report)
    assert "small ones run out of digits (rounding)" in str(report)


def test_a_domain_error_at_a_large_step_is_a_dash():
    def program(x):
        if (x < 0).any():
            raise ValueError("negative")
        return np.sqrt(x)

    report = judge(program, [np.array(1e-4)], np.array([[25.0]]))
    assert report.verdict is Verdict.FACTOR
    assert "1e-02  -" in str(report)


def test_names_stand_in_the_report():
    text = str(judge(np.exp, [ROWS], -np.diag(np.exp(ROWS.reshape(-1))), names=["weight"], output_names=["loss"]))
    assert "loss with respect to weight: wrong sign" in text
    assert "that of loss[0, 2] by weight[0, 2]" in text


def test_a_function_that_changes_its_shape_is_refused():
    with pytest.raises(AssertionError, match="outputs with the same shape when inputs are perturbed on index"):
        judge(lambda x: x[x > 0.5], [X], np.eye(3))


def test_an_empty_report_is_right():
    assert Report()
    assert Report().verdict is Verdict.RIGHT


FUNCTIONS = [np.exp, np.tanh, softmax, layer_mean, lambda x: x**3, lambda x: x.sum(-1) ** 2, lambda x: x @ x.T]


@given(
    st.sampled_from(FUNCTIONS),
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=6, max_size=6).map(lambda v: np.reshape(v, (2, 3))),
    st.sampled_from([-1.0, 2.0, 0.5, 0.0]),
)
def test_a_factor_is_found_wherever_it_matters_and_nowhere_else(function, x, factor):
    right = jacobian(function, [x])
    assert judge(function, [x], right).verdict is Verdict.RIGHT
    if np.abs(right).max() > 1e-3:
        expected = {-1.0: Verdict.SIGN, 0.0: Verdict.ZERO}.get(factor, Verdict.FACTOR)
        assert judge(function, [x], factor * right).verdict is expected

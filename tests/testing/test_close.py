"""assert_close against torch.testing.assert_close: verdicts, exception types, words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu
from tests.oracle import torch
from tinygrad_edu.testing import assert_close

NAN, INF = float("nan"), float("inf")


def said(program, t):
    """What ``program(t)`` raises and says; of our sentences, torch's part, and with torch's names of classes."""
    try:
        program(t)
    except Exception as error:
        words = (
            str(error).replace("tinygrad_edu._tensor.Tensor", "torch.Tensor").replace("tinygrad_edu.nn.", "torch.nn.")
        )
        return type(error).__name__, words.replace(OURS_ON_TYPES, "")
    return None


OURS_ON_TYPES = (
    " Two tensors, two arrays or two numbers can be compared: x.detach().numpy() makes an array of a tensor,"
    " torch.from_numpy(a) a tensor of an array."
)

CASES = {
    "equal tensors": lambda t: t.testing.assert_close(t.ones(2, 3), t.ones(2, 3)),
    "within the tolerance": lambda t: t.testing.assert_close(t.ones(2), t.ones(2) + 1e-6),
    "one of three": lambda t: t.testing.assert_close(t.tensor([1.0, 2.0, 3.0]), t.tensor([1.0, 2.5, 3.0])),
    "worst at two places": lambda t: t.testing.assert_close(t.tensor([[1.0, 9.0], [3.0, 1e-3]]), t.tensor([[1.0, 7.0], [3.0, 2e-3]])),
    "float64": lambda t: t.testing.assert_close(t.ones(2).double(), t.ones(2).double() + 1e-6),
    "float16": lambda t: t.testing.assert_close(t.ones(2).half(), t.ones(2).half() * 1.002),
    "integers": lambda t: t.testing.assert_close(t.tensor([1, 5]), t.tensor([1, 0])),
    "uint8 across zero": lambda t: t.testing.assert_close(t.tensor([1, 200], dtype=t.uint8), t.tensor([200, 1], dtype=t.uint8)),
    "huge integers": lambda t: t.testing.assert_close(t.tensor([2**62 + 1, 3]), t.tensor([2**62, 3])),
    "booleans": lambda t: t.testing.assert_close(t.tensor([True, False]), t.tensor([False, False])),
    "booleans with tolerances": lambda t: t.testing.assert_close(t.tensor([True, False]), t.tensor([False, False]), rtol=0.1, atol=0.1),
    "0-d tensors": lambda t: t.testing.assert_close(t.tensor(3.0), t.tensor(4.0)),
    "0-d integers": lambda t: t.testing.assert_close(t.tensor(3), t.tensor(4)),
    "0-d booleans": lambda t: t.testing.assert_close(t.tensor(True), t.tensor(False)),
    "0-d zero expected": lambda t: t.testing.assert_close(t.tensor(3.0), t.tensor(0.0)),
    "empty tensors": lambda t: t.testing.assert_close(t.zeros(0, 3), t.zeros(0, 3)),
    "columns first": lambda t: t.testing.assert_close(t.arange(6.0).reshape(2, 3).T, t.arange(6.0).reshape(3, 2)),
    "nan": lambda t: t.testing.assert_close(t.tensor([NAN, 1.0]), t.tensor([NAN, INF])),
    "equal nan": lambda t: t.testing.assert_close(t.tensor([NAN, 1.0]), t.tensor([NAN, 1.0]), equal_nan=True),
    "equal nan, exactly": lambda t: t.testing.assert_close(t.tensor([NAN, 1.0]), t.tensor([NAN, 2.0]), equal_nan=True, rtol=0, atol=0),
    "infinities": lambda t: t.testing.assert_close(t.tensor([INF, -INF, INF]), t.tensor([INF, INF, 1.0])),
    "requires grad": lambda t: t.testing.assert_close(t.tensor([1.0], requires_grad=True), t.tensor([2.0], requires_grad=True)),
    "shapes": lambda t: t.testing.assert_close(t.ones(2), t.ones(2, 1)),
    "dtypes": lambda t: t.testing.assert_close(t.ones(2), t.ones(2).double()),
    "dtypes unchecked": lambda t: t.testing.assert_close(t.ones(2), t.ones(2).double(), check_dtype=False),
    "dtypes unchecked, values differ": lambda t: t.testing.assert_close(t.ones(2), t.tensor([1, 2]), check_dtype=False),
    "the looser dtype of the expected": lambda t: t.testing.assert_close(t.ones(2).double(), t.ones(2) + 5e-6, check_dtype=False),
    "the looser dtype of the actual": lambda t: t.testing.assert_close(t.ones(2) + 5e-6, t.ones(2).double(), check_dtype=False),
    "strides": lambda t: t.testing.assert_close(t.ones(2, 3), t.ones(3, 2).T, check_stride=True),
    "strides unchecked": lambda t: t.testing.assert_close(t.ones(2, 3), t.ones(3, 2).T),
    "rtol alone": lambda t: t.testing.assert_close(t.ones(2), t.ones(2), rtol=1e-3),
    "atol alone": lambda t: t.testing.assert_close(1.0, 1.0, atol=1e-3),
    "both tolerances": lambda t: t.testing.assert_close(t.ones(2), t.ones(2) * 1.01, rtol=0.0, atol=0.02),
    "both exceeded": lambda t: t.testing.assert_close(t.ones(2), t.ones(2) * 1.5, rtol=0.1, atol=0.0),
    "zero tolerances": lambda t: t.testing.assert_close(t.ones(2), t.ones(2) + 1e-6, rtol=0, atol=0),
    "a parameter and a tensor": lambda t: t.testing.assert_close(t.nn.Parameter(t.ones(2)), t.ones(2)),
    "numbers": lambda t: t.testing.assert_close(1.0, 2.0),
    "numbers that are close": lambda t: t.testing.assert_close(1.0, 1.0 + 1e-9),
    "zero expected": lambda t: t.testing.assert_close(5, 0),
    "zero tolerances of numbers": lambda t: t.testing.assert_close(1e-9, 1e-10, rtol=0, atol=0),
    "infinite numbers": lambda t: t.testing.assert_close(INF, -INF),
    "nan numbers": lambda t: t.testing.assert_close(NAN, NAN),
    "equal nan numbers": lambda t: t.testing.assert_close(NAN, NAN, equal_nan=True),
    "equal nan, and numbers that are none": lambda t: t.testing.assert_close(1.0, 2.0, equal_nan=True),
    "equal nan, one of two": lambda t: t.testing.assert_close(NAN, 2.0, equal_nan=True),
    "complex numbers": lambda t: t.testing.assert_close(1 + 2j, 1 + 3j),
    "types of numbers": lambda t: t.testing.assert_close(1, 1.0),
    "types of numbers unchecked": lambda t: t.testing.assert_close(1, 1.0, check_dtype=False),
    "NumPy's number": lambda t: t.testing.assert_close(np.float32(1), 1.0),
    "two booleans": lambda t: t.testing.assert_close(True, False),
    "NumPy's boolean": lambda t: t.testing.assert_close(np.bool_(True), True),
    "None": lambda t: t.testing.assert_close(None, None),
    "None and one": lambda t: t.testing.assert_close(None, 1),
    "arrays": lambda t: t.testing.assert_close(np.array([1.0, 2.0]), np.array([1.0, 3.0])),
    "arrays of two dtypes": lambda t: t.testing.assert_close(np.ones(2, "float32"), np.ones(2)),
    "0-d arrays": lambda t: t.testing.assert_close(np.array(1.0), np.array(3.0)),
    "an array and a tensor": lambda t: t.testing.assert_close(np.ones(2), t.ones(2)),
    "a tensor and a list": lambda t: t.testing.assert_close(t.ones(1), [1.0]),
    "texts": lambda t: t.testing.assert_close("a", "a"),
    "arrays of text": lambda t: t.testing.assert_close(np.array(["a"]), np.array(["a"])),
    "sets": lambda t: t.testing.assert_close({1, 2}, {1, 2}),
    "a list and a tuple": lambda t: t.testing.assert_close([1, 2.0], (1, 2.0)),
    "lengths": lambda t: t.testing.assert_close([1, [2, 3]], [1, [2]]),
    "bytes": lambda t: t.testing.assert_close(b"ab", b"ac"),
    "ranges": lambda t: t.testing.assert_close(range(3), [0, 1, 4]),
    "sizes": lambda t: t.testing.assert_close(t.ones(2, 3).shape, (2, 4)),
    "the second item": lambda t: t.testing.assert_close([t.ones(2), t.ones(2)], [t.ones(2), t.zeros(2)]),
    "deep inside": lambda t: t.testing.assert_close([1, [2, {"x": t.ones(2)}]], [1, (2, {"x": t.zeros(2)})]),
    "an orderless mapping": lambda t: t.testing.assert_close({"a": 1, "b": 2.0}, {"b": 2.0, "a": 1}),
    "the first key": lambda t: t.testing.assert_close({"b": 1.0, "a": 1.0}, {"b": 2.0, "a": 3.0}),
    "keys": lambda t: t.testing.assert_close({"a": 1, "c": 1}, {"a": 1, "b": 1}),
    "refused before compared": lambda t: t.testing.assert_close([1, "a"], [2, "a"]),
    "tolerances inside": lambda t: t.testing.assert_close([[1.0]], [[1.0]], rtol=1),
    "own words": lambda t: t.testing.assert_close([1.0], [2.0], msg="layer 3"),
    "own words about ours": lambda t: t.testing.assert_close([1.0], [2.0], msg=lambda words: "layer 3: " + words),
    "own words for what is refused": lambda t: t.testing.assert_close("a", "a", msg="layer 3"),
}  # fmt: skip  # one case a line


@pytest.mark.parametrize("case", CASES)
def test_verdict_type_and_words_are_torchs(case):
    assert said(CASES[case], tinygrad_edu) == said(CASES[case], torch)


def test_a_parameter_is_no_tensor_without_subclasses():
    def program(t):
        t.testing.assert_close(t.nn.Parameter(t.ones(2)), t.ones(2), allow_subclasses=False)

    ours, theirs = said(program, tinygrad_edu), said(program, torch)
    assert ours[0] == theirs[0] == "TypeError"
    assert ours[1].startswith("No comparison pair was able to handle inputs of type")


@given(
    st.sampled_from(["float32", "float64"]), st.integers(0, 99), st.floats(0.0, 2.0), st.sampled_from([(), (1,), (3,), (2, 3), (0,)])
)  # fmt: skip
def test_random_differences_near_the_border_get_torchs_words(dtype, seed, factor, shape):
    rng = np.random.default_rng(seed)
    rtol, atol = {"float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}[dtype]
    expected = rng.uniform(-3, 3, shape).astype(dtype)
    actual = (expected + factor * (atol + rtol * abs(expected)) * rng.choice([-1.0, 1.0], shape)).astype(dtype)
    expected, actual = np.asarray(expected), np.asarray(actual)

    def program(t):
        t.testing.assert_close(t.from_numpy(actual), t.from_numpy(expected))

    assert said(program, tinygrad_edu) == said(program, torch)


def test_a_boolean_and_a_number_are_of_two_types():
    with pytest.raises(AssertionError, match=r"The \(d\)types do not match: <class 'bool'> != <class 'int'>"):
        assert_close(True, 1)  # torch: RuntimeError, please file an issue


def test_keys_that_have_no_order_are_compared_all_the_same():
    assert_close({"a": 1.0, 2: 3.0}, {2: 3.0, "a": 1.0})
    with pytest.raises(AssertionError, match=r"Missing keys in the actual mapping: \['b'\]"):
        assert_close({"a": 1.0, 2: 3.0}, {"a": 1.0, "b": 3.0})


def test_an_array_of_negative_strides_is_compared():
    a = np.arange(3.0)
    assert_close(a[::-1], np.array([2.0, 1.0, 0.0]))  # torch cannot make a tensor of it


def test_a_failing_comparison_changes_neither_value_nor_graph():
    x = tinygrad_edu.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with pytest.raises(AssertionError):
        assert_close(y, x)
    y.sum().backward()
    assert (y.tolist(), x.tolist(), x.grad.tolist()) == ([2.0, 4.0], [1.0, 2.0], [2.0, 2.0])

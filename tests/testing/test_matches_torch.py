"""assert_matches_torch passes what is equal, and names each thing that is not."""

import importlib
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given

import tinygrad_edu
from tests.oracle import torch
from tinygrad_edu.testing import assert_matches_torch, strategies

X = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]])
W = np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, 0.7]])


def ours(t):
    return t is tinygrad_edu


def report(fn, *args, **settings):
    """What the failure says."""
    with pytest.raises(AssertionError) as caught:
        assert_matches_torch(fn, *args, **settings)
    return str(caught.value)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_the_same_function_passes_at_every_order(order):
    assert_matches_torch(lambda t, x, w: (x @ w).tanh().pow(3).sum(0), X, W, order=order)


def test_several_results_of_all_kinds_pass():
    assert_matches_torch(
        lambda t, x: {
            "pair": (x.sum(), [x.max(dim=1), 3, 2.5, None, True, "text"]),
            "kinds": (x.dtype, x.shape, x.detach().numpy(), x > 0),
        },
        X,
    )


def test_arguments_may_be_tensors_numbers_and_nested():
    x, frozen, seen = tinygrad_edu.tensor(X, requires_grad=True), tinygrad_edu.tensor(X), []
    assert_matches_torch(
        lambda t, x, frozen, number, both, options: (
            t.cat([x * number, both[0] + frozen, both[1]["w"]], **options),
            seen.append((x.requires_grad, frozen.requires_grad, both[0].requires_grad)),
        ),
        x,
        frozen,
        2,
        (X, {"w": X}),
        {"dim": 1},
    )
    assert seen == [(True, False, True)] * 2
    assert x.grad is None


def test_nan_and_infinity_equal_themselves():
    assert_matches_torch(lambda t, x: (x / 0, x.sqrt()), X)


def test_what_torch_warns_of_is_not_under_test():
    assert_matches_torch(lambda t, x: x if ours(t) else (warnings.warn("deprecated", stacklevel=1), x)[1], X)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64", "bool"])
def test_dtypes_stay_what_they_were(dtype):
    assert_matches_torch(lambda t, x: (x + 1, x.dtype), X.astype(dtype))


@given(strategies.matmul_arguments())
def test_drawn_tensors_can_be_handed_in(pair):
    assert_matches_torch(lambda t, x, y: x @ y, *pair)


def test_dropout_and_random_numbers_agree_and_the_streams_stay():
    tinygrad_edu.manual_seed(3)
    torch.manual_seed(3)
    before = tinygrad_edu.rand(1).item()
    tinygrad_edu.manual_seed(3)
    assert_matches_torch(lambda t, x: t.nn.functional.linear(x, t.rand(4, 3, dtype=t.float64)), X)
    assert (tinygrad_edu.rand(1).item(), torch.rand(1).item()) == (before, before)


# ---------------------------------------------------------------------- what differs


def test_a_wrong_value_is_named_with_torchs_words():
    words = report(lambda t, x: x * (2 if ours(t) else 3), X)
    assert words.startswith(
        "tinygrad_edu and torch differ:\n\noutput: Tensor-likes are not close!\n\nMismatched elements: 6 / 6"
    )
    assert "gradient of argument 0 (x): Tensor-likes are not close!" in words


def test_only_the_output_that_differs_is_named():
    words = report(lambda t, x: (x, {"loss": x.detach() + ours(t)}), X)
    assert "output[1]['loss']: Tensor-likes" in words
    assert words.count(": Tensor-likes") == 1


def test_a_wrong_dtype_shape_and_requires_grad_are_named():
    assert report(lambda t, x: x.float() if ours(t) else x, X, order=0) == (
        "tinygrad_edu and torch differ:\n\noutput: the dtype differs: tinygrad_edu gives torch.float32, torch gives torch.float64"
    )
    assert "output: the shape differs: tinygrad_edu gives (1, 2, 3), torch gives (2, 3)" in report(
        lambda t, x: x[None] if ours(t) else x, X
    )
    words = report(lambda t, x: x.detach() if ours(t) else x * 1, X)
    assert "output: requires_grad differs: tinygrad_edu gives False, torch gives True" in words
    assert "gradient of argument 0 (x): tinygrad_edu gives None, torch gives a Tensor" in words


def test_only_the_wrong_gradient_is_named():
    words = report(lambda t, x, w: x.detach() @ w + (0 if ours(t) else x @ w.detach() - (x @ w).detach()), X, W)
    assert "gradient of argument 0 (x): tinygrad_edu gives None, torch gives a Tensor" in words
    assert "argument 1" not in words
    assert "output" not in words


def test_a_gradient_that_is_wrong_though_the_sum_is_right_is_found():
    words = report(lambda t, x: x.detach().softmax(1) + 0 * x if ours(t) else x.softmax(1), X)
    assert words.startswith("tinygrad_edu and torch differ:\n\ngradient of argument 0 (x): Tensor-likes")


def test_a_gradient_inside_of_an_argument_is_named():
    words = report(
        lambda t, pair: pair[0] + pair[1]["w"] * 2 if ours(t) else pair[0] + pair[1]["w"] * 2 - pair[1]["w"].detach(),
        (X, {"w": X}),
    )
    assert "output: Tensor-likes" in words
    words = report(lambda t, pair: pair[1]["w"] * 2 if ours(t) else pair[1]["w"] + pair[1]["w"].detach(), (X, {"w": X}))
    assert words.startswith("tinygrad_edu and torch differ:\n\ngradient of argument 0 (pair)[1]['w']: Tensor-likes")


def test_a_wrong_second_order_is_found_at_order_2_alone():
    def program(t, x):  # of the square, with the right gradient 2x in it as a constant
        return 2 * x.detach() * x - x.detach() ** 2 if ours(t) else x * x

    assert_matches_torch(program, X)
    assert report(program, X, order=2).startswith(
        "tinygrad_edu and torch differ:\n\nsecond gradient of argument 0 (x): Tensor-likes are not close!"
    )


def test_a_function_that_is_linear_has_a_second_gradient_of_zero():
    assert_matches_torch(lambda t, x: x * 2 if ours(t) else x + x.clone(), X, order=3)


def test_results_of_other_kinds_are_named():
    assert "output: tinygrad_edu gives a float, torch gives a Tensor" in report(lambda t, x: 1.0 if ours(t) else x, X)
    assert "output: tinygrad_edu gives a, torch gives b" in report(lambda t: "a" if ours(t) else "b")
    assert "output: Scalars are not equal!\n\nExpected 2 but got 1." in report(lambda t: 1 if ours(t) else 2)
    assert "output[1]: only torch has it" in report(lambda t: (1,) if ours(t) else (1, 2))
    assert "output[1]: torch does not have it" in report(lambda t: (1, 2) if ours(t) else (1,))


def test_tolerances_are_those_asked_for():
    def program(t, x):
        return x * (1.001 if ours(t) else 1)

    assert_matches_torch(program, X, rtol=1e-2, atol=0)
    assert "(up to 0.0001 allowed)" in report(program, X, rtol=1e-4, atol=0)


# ---------------------------------------------------------------------- a reference of torch alone


def test_a_function_of_ours_alone_is_compared_with_a_reference():
    def swish(x):
        return x * x.sigmoid()

    assert_matches_torch(swish, X, reference=torch.nn.functional.silu, order=2)
    with pytest.raises(AssertionError, match=r"gradient of argument 0 \(x\)"):
        assert_matches_torch(lambda x: x * x.detach().sigmoid(), X, reference=torch.nn.functional.silu)


def test_a_function_in_c_has_arguments_without_names():
    words = report(lambda x, y: x + 2 * y, 1.0, 2.0, reference=max)
    assert words.endswith(
        "Scalars are not close!\n\nExpected 2.0 but got 5.0.\nAbsolute difference: 3.0 (up to 1e-07 allowed)\nRelative difference: 1.5 (up to 1e-07 allowed)"
    )
    with pytest.raises(AssertionError, match=r"gradient of argument 0: "):
        assert_matches_torch(max, X[0], reference=min)


# ---------------------------------------------------------------------- exceptions


def test_what_both_refuse_raises_ours_and_mentions_torchs():
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied") as caught:
        assert_matches_torch(lambda t, x: x @ x, X)
    assert caught.value.__notes__[0].startswith(
        "torch raises, too: RuntimeError: mat1 and mat2 shapes cannot be multiplied"
    )


def fails(kind, sentence):
    raise kind(sentence)


def test_what_one_refuses_is_a_difference():
    assert report(lambda t, x: fails(ValueError, "no") if ours(t) else x, X) == (
        "tinygrad_edu and torch differ: only tinygrad_edu raises: ValueError: no"
    )
    assert report(lambda t, x: x if ours(t) else fails(ValueError, "no"), X) == (
        "tinygrad_edu and torch differ: only torch raises: ValueError: no"
    )
    words = report(lambda t, x: fails(ValueError, "no") if ours(t) else fails(TypeError, "never"), X)
    assert words == (
        "tinygrad_edu and torch differ: they raise different exceptions.\ntinygrad_edu: ValueError: no\ntorch: TypeError: never"
    )


def test_the_cause_of_a_one_sided_exception_is_kept():
    with pytest.raises(AssertionError) as caught:
        assert_matches_torch(lambda t, x: fails(ValueError, "no") if ours(t) else x, X)
    assert isinstance(caught.value.__cause__, ValueError)


# ---------------------------------------------------------------------- without torch


def test_without_torch_a_sentence_says_so():
    code = """
import sys
sys.modules["torch"] = None
from tinygrad_edu.testing import assert_matches_torch
try:
    assert_matches_torch(lambda t: 1)
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        "assert_matches_torch compares with PyTorch, which is not installed: pip install torch."
    )


def test_our_stand_in_is_not_taken_for_torch():
    with tinygrad_edu.as_torch():
        assert importlib.import_module("torch").__name__ == "torch"
        with pytest.raises(ImportError, match="`import torch` means tinygrad_edu at present"):
            assert_matches_torch(lambda t: 1)

"""Normalisations beside torch, to second order, and beside finite differences at third."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


SHAPES = [((4, 6), 1), ((2, 4, 6), 1), ((2, 4, 6), 2), ((0, 6), 1)]
LOOSE = {"rtol": 1e-7, "atol": 1e-9}  # divisions by small deviations amplify the last digits


@pytest.mark.parametrize(("shape", "count"), SHAPES)
def test_layer_norm_equals_torch(shape, count):
    last = shape[-count:]
    x, w, b = numbers(*shape), numbers(*last, seed=1), numbers(*last, seed=2)
    orders(lambda t, x: t.nn.functional.layer_norm(x, last), x, **LOOSE)
    orders(lambda t, x, w: t.nn.functional.layer_norm(x, last, w), x, w, **LOOSE)
    orders(lambda t, x, w, b: t.nn.functional.layer_norm(x, last, w, b), x, w, b, **LOOSE)
    orders(lambda t, x, b: t.nn.functional.layer_norm(x, last, None, b), x, b, second=False, **LOOSE)


def test_layer_norm_in_single_precision_is_close_to_torch():
    x, w, b = numbers(50, 64) * 100, numbers(64, seed=1), numbers(64, seed=2)
    orders(
        lambda t, x, w, b: t.nn.functional.layer_norm(x, (64,), w, b),
        *(x, w, b),
        dtype="float32",
        second=False,
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("kind", ["layer", "batch", "group"])
def test_the_third_order_of_a_norm_agrees_with_finite_differences(kind):
    t = ours()
    F = t.nn.functional
    norm = {
        "layer": lambda x: F.layer_norm(x, (4,)),
        "batch": lambda x: F.batch_norm(x, None, None, training=True),
        "group": lambda x: F.group_norm(x, 2),
    }[kind]
    x0, first, second, third = (numbers(3, 4, seed=s) for s in range(4))

    def twice(array):
        x = t.tensor(array, requires_grad=True)
        (g,) = t.autograd.grad((norm(x) * t.tensor(first)).sum(), x, create_graph=True)
        (h,) = t.autograd.grad((g * t.tensor(second)).sum(), x, create_graph=True)
        return x, (h * t.tensor(third)).sum()

    x, total = twice(x0)
    (found,) = t.autograd.grad(total, x)
    step = 1e-5
    for place in np.ndindex(x0.shape):
        e = np.zeros_like(x0)
        e[place] = step
        slope = (twice(x0 + e)[1].item() - twice(x0 - e)[1].item()) / (2 * step)
        assert found[place].item() == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 5), (2, 3, 4, 4), (2, 3, 2, 2, 2)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_equals_torch(shape, training):
    mean, var = numbers(3, seed=3), numbers(3, seed=4) ** 2

    def norm(t, x, w=None, b=None):
        return t.nn.functional.batch_norm(x, t.tensor(mean), t.tensor(var), w, b, training, 0.1, 1e-5)

    x, w, b = numbers(*shape), numbers(3, seed=1), numbers(3, seed=2)
    orders(norm, x, **LOOSE)
    orders(norm, x, w, **LOOSE)
    orders(norm, x, w, b, **LOOSE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4, 4), (0, 3)])
def test_running_statistics_move_as_in_torch(shape, dtype):
    def run(t):
        d = getattr(t, dtype)
        mean, var = t.zeros(3, dtype=d), t.ones(3, dtype=d)
        for seed in range(3):
            t.nn.functional.batch_norm(
                t.tensor(numbers(*shape, seed=seed), dtype=d), mean, var, training=True, momentum=0.3
            )
        return mean, var

    both(run)


def test_evaluation_does_not_move_the_statistics():
    t = ours()
    mean, var = t.zeros(3), t.ones(3)
    t.nn.functional.batch_norm(t.randn(4, 3), mean, var)
    assert mean.tolist() == [0, 0, 0]
    assert var.tolist() == [1, 1, 1]


def test_statistics_that_move_after_an_evaluation_do_not_change_its_gradient():
    def run(t):
        mean, var = t.zeros(3, dtype=t.float64), t.ones(3, dtype=t.float64)
        x = t.tensor(numbers(4, 3), requires_grad=True)
        w = t.tensor(numbers(3, seed=1), requires_grad=True)
        y = t.nn.functional.batch_norm(x, mean.clone(), var.clone(), w)
        t.nn.functional.batch_norm(x.detach() * 3, mean, var, training=True)
        return t.autograd.grad(y.sum(), (x, w))

    both(run)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("shape", [(2, 4, 3, 2), (2, 4, 3), (5, 4)])
def test_group_norm_equals_torch(groups, shape):
    if shape == (5, 4) and groups == 4:
        shape = (5, 4, 2)  # one value has no deviation
    x, w, b = numbers(*shape), numbers(4, seed=1), numbers(4, seed=2)
    orders(lambda t, x, w, b: t.nn.functional.group_norm(x, groups, w, b), x, w, b, **LOOSE)
    orders(lambda t, x: t.nn.functional.group_norm(x, groups), x, **LOOSE)


def test_instance_norm_equals_torch():
    x, w, b = numbers(2, 3, 4, 4), numbers(3, seed=1), numbers(3, seed=2)
    orders(lambda t, x, w, b: t.nn.functional.instance_norm(x, None, None, w, b), x, w, b, **LOOSE)
    orders(lambda t, x: t.nn.functional.instance_norm(x), x, **LOOSE)


def test_instance_norm_moves_and_uses_statistics_as_torch_does():
    def run(t):
        mean, var = t.zeros(3, dtype=t.float64), t.ones(3, dtype=t.float64)
        t.nn.functional.instance_norm(t.tensor(numbers(2, 3, 5)), mean, var)
        fixed = t.nn.functional.instance_norm(t.tensor(numbers(2, 3, 5)), mean, var, use_input_stats=False)
        return mean, var, fixed

    both(run)


@pytest.mark.parametrize("shape", [(2, 5, 3, 3), (2, 5, 3)])
@pytest.mark.parametrize("size", [2, 3])
def test_local_response_norm_equals_torch(shape, size):
    orders(lambda t, x: t.nn.functional.local_response_norm(x, size), numbers(*shape))


@pytest.mark.parametrize(("shape", "count"), SHAPES[:3])
def test_rms_norm_equals_torch(shape, count):
    last = shape[-count:]
    orders(lambda t, x, w: t.nn.functional.rms_norm(x, last, w), numbers(*shape), numbers(*last, seed=1))
    orders(lambda t, x: t.nn.functional.rms_norm(x, last, eps=1e-3), numbers(*shape))


WRONG = {
    "one value per channel": lambda t: t.nn.functional.batch_norm(t.zeros(1, 3), None, None, training=True),
    "one pixel per channel": lambda t: t.nn.functional.batch_norm(t.zeros(1, 3, 1, 1), None, None, training=True),
    "no channels": lambda t: t.nn.functional.batch_norm(t.zeros(3), None, None, training=True),
    "no statistics": lambda t: t.nn.functional.batch_norm(t.zeros(2, 3), None, None),
    "statistics of other channels": lambda t: t.nn.functional.batch_norm(t.zeros(2, 3), t.zeros(4), t.ones(4)),
    "weights of other channels": lambda t: t.nn.functional.batch_norm(
        t.zeros(2, 3), None, None, t.ones(4), training=True
    ),
    "one spatial element": lambda t: t.nn.functional.instance_norm(t.zeros(2, 3, 1)),
    "groups that do not divide": lambda t: t.nn.functional.group_norm(t.zeros(2, 3, 4), 2),
    "one value per group": lambda t: t.nn.functional.group_norm(t.zeros(1, 2), 2),
    "another shape": lambda t: t.nn.functional.layer_norm(t.zeros(2, 3), (5,)),
    "another weight": lambda t: t.nn.functional.layer_norm(t.zeros(2, 3), (3,), t.ones(2)),
    "no shape": lambda t: t.nn.functional.layer_norm(t.zeros(2, 3), ()),
    "whole numbers": lambda t: t.nn.functional.layer_norm(t.zeros(2, 3, dtype=t.int64), (3,)),
}


@pytest.mark.parametrize("case", WRONG)
def test_arguments_that_do_not_fit_raise_torchs_error(case):
    both(WRONG[case])


def test_one_value_per_channel_is_explained():
    error = both(WRONG["one value per channel"])
    assert "Expected more than 1 value per channel when training, got input size torch.Size([1, 3])" in str(error)
    assert "drop_last" in str(error)

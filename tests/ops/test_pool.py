"""Pooling and unpooling beside torch: windows, ties, padding, indices."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours
from tinygrad_edu._ops import pool


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


TIED = np.round(numbers(2, 3, 6, 7) * 1.5)
WINDOWS = [
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 1)},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3, "stride": 1, "padding": 1},
    {"kernel_size": 2, "stride": 3},
]
DILATED = [{"kernel_size": 2, "dilation": 2, "stride": 1}, {"kernel_size": (1, 3), "dilation": (1, 2)}]


@pytest.mark.parametrize("options", WINDOWS + DILATED, ids=str)
@pytest.mark.parametrize("x", [numbers(2, 3, 6, 7), numbers(3, 6, 7), TIED], ids=["batch", "image", "ties"])
def test_max_pool2d_equals_torch_to_second_order(options, x):
    orders(lambda t, x: t.nn.functional.max_pool2d(x, **options), x)


@pytest.mark.parametrize("options", WINDOWS + DILATED, ids=str)
@pytest.mark.parametrize("x", [numbers(2, 3, 6, 7), TIED], ids=["different", "ties"])
def test_max_pool2d_indices_equal_torch(options, x):
    both(lambda t: t.nn.functional.max_pool2d(t.tensor(x), return_indices=True, **options))


@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}])
def test_max_pool_in_one_and_three_dimensions_equals_torch(options):
    orders(lambda t, x: t.nn.functional.max_pool1d(x, **options), numbers(2, 3, 7))
    orders(lambda t, x: t.nn.functional.max_pool3d(x, **options), numbers(2, 2, 4, 5, 4))
    both(lambda t: t.nn.functional.max_pool1d(t.tensor(numbers(2, 3, 7)), return_indices=True, **options))
    both(lambda t: t.nn.functional.max_pool3d(t.tensor(numbers(2, 2, 4, 5, 4)), return_indices=True, **options))


def test_of_equal_elements_the_first_receives_the_gradient():
    t = ours()
    x = t.zeros(1, 1, 2, 4, requires_grad=True)
    t.nn.functional.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]


def test_nan_wins_a_window_and_receives_its_gradient_as_in_torch():
    x = numbers(1, 1, 4, 4)
    x[0, 0, 0, 0] = x[0, 0, 1, 1] = np.nan

    def run(t):
        v = t.tensor(x, requires_grad=True)
        y, index = t.nn.functional.max_pool2d(v, 3, stride=1, padding=1, return_indices=True)
        return y, index, t.autograd.grad(y, v, t.ones_like(y))

    both(run)


def test_a_window_of_minus_infinity_is_won_by_its_first_element():
    def run(t):
        v = t.full((1, 1, 3, 3), -float("inf"), requires_grad=True)
        y, index = t.nn.functional.max_pool2d(v, 2, padding=1, return_indices=True)
        return y, index, t.autograd.grad(y, v, t.ones_like(y))

    both(run)


def test_whole_numbers_are_pooled():
    both(lambda t: t.nn.functional.max_pool2d(t.arange(16).reshape(1, 1, 4, 4), 2))
    both(lambda t: t.nn.functional.avg_pool2d(t.arange(16).reshape(1, 1, 4, 4), 2))


def test_a_pooling_by_windows_of_one_element_is_a_copy():
    t = ours()
    x = t.ones(1, 1, 2, 2)
    t.nn.functional.max_pool2d(x, 1).zero_()
    t.nn.functional.avg_pool2d(x, 1).zero_()
    assert x.sum().item() == 4


@pytest.mark.parametrize("options", WINDOWS, ids=str)
@pytest.mark.parametrize("more", [{}, {"count_include_pad": False}, {"divisor_override": 3}], ids=str)
def test_avg_pool2d_equals_torch_to_second_order(options, more):
    orders(lambda t, x: t.nn.functional.avg_pool2d(x, **options, **more), numbers(2, 3, 6, 7))


@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}])
def test_avg_pool_in_one_and_three_dimensions_equals_torch(options):
    orders(lambda t, x: t.nn.functional.avg_pool1d(x, **options), numbers(3, 7))
    orders(lambda t, x: t.nn.functional.avg_pool3d(x, **options), numbers(2, 2, 4, 5, 4))


@pytest.mark.parametrize("size", [1, 2, 5, (3, 2), (None, 4), (1, 3)])
def test_adaptive_pooling_equals_torch(size):
    orders(lambda t, x: t.nn.functional.adaptive_avg_pool2d(x, size), numbers(2, 3, 6, 7))
    orders(lambda t, x: t.nn.functional.adaptive_max_pool2d(x, size), numbers(2, 3, 6, 7))
    both(lambda t: t.nn.functional.adaptive_max_pool2d(t.tensor(TIED), size, return_indices=True))


@pytest.mark.parametrize("size", [1, 3])
def test_adaptive_pooling_in_one_and_three_dimensions_equals_torch(size):
    for name in ("adaptive_avg_pool", "adaptive_max_pool"):
        orders(lambda t, x, n=name: getattr(t.nn.functional, n + "1d")(x, size), numbers(2, 3, 7))
        orders(lambda t, x, n=name: getattr(t.nn.functional, n + "3d")(x, size), numbers(2, 2, 4, 5, 4))


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_lp_pooling_equals_torch(p):
    orders(lambda t, x: t.nn.functional.lp_pool2d(x, p, 2), np.abs(numbers(2, 3, 4, 4)))
    orders(lambda t, x: t.nn.functional.lp_pool1d(x, p, 2, stride=1), np.abs(numbers(2, 3, 4)))


@pytest.mark.parametrize("options", [{}, {"output_size": (7, 7)}])
def test_unpooling_puts_elements_back_as_torch_does(options):
    def run(t, x):
        y, index = t.nn.functional.max_pool2d(x, 2, return_indices=True)
        return t.nn.functional.max_unpool2d(y, index, 2, **options)

    orders(run, numbers(2, 3, 7, 7) if options else numbers(2, 3, 6, 6))


def test_unpooling_in_one_dimension_equals_torch():
    def run(t, x):
        y, index = t.nn.functional.max_pool1d(x, 2, return_indices=True)
        return t.nn.functional.max_unpool1d(y, index, 2)

    orders(run, numbers(2, 3, 6))


def test_an_index_outside_the_unpooled_image_raises_torchs_error():
    both(lambda t: t.nn.functional.max_unpool2d(t.zeros(1, 1, 1, 1), t.tensor([[[[9]]]]), 2))


WRONG = {
    "too small": ((1, 4, 1, 1), {"kernel_size": 2}, "Given input size: (4x1x1). Calculated output size: (4x0x0)"),
    "padding": ((1, 4, 6, 6), {"kernel_size": 2, "padding": 2}, "pad should be at most half of effective kernel size"),
    "negative padding": ((1, 4, 6, 6), {"kernel_size": 2, "padding": -1}, "pad must be non-negative"),
    "stride": ((1, 4, 6, 6), {"kernel_size": 2, "stride": 0}, "stride should not be zero"),
    "kernel": (
        (1, 4, 6, 6),
        {"kernel_size": (1, 2, 3)},
        "kernel_size must either be a single int, or a tuple of two ints",
    ),
    "no channels": ((1, 0, 4, 4), {"kernel_size": 2}, "with optional 0 dim batch size for input, but got:[1, 0, 4, 4]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_pooling_that_does_not_fit_raises_torchs_error(case):
    shape, options, words = WRONG[case]
    for name in ("max_pool2d", "avg_pool2d"):
        assert words in str(both(lambda t, name=name: getattr(t.nn.functional, name)(t.zeros(shape), **options)))


def test_an_input_of_another_rank_raises_torchs_error():
    both(lambda t: t.nn.functional.max_pool2d(t.zeros(4, 6), 2))
    both(lambda t: t.nn.functional.avg_pool2d(t.zeros(4, 6), 2))
    both(lambda t: t.nn.functional.max_pool1d(t.zeros(4), 2))
    both(lambda t: t.nn.functional.avg_pool1d(t.zeros(1, 2, 3, 4), 2))
    both(lambda t: t.nn.functional.adaptive_avg_pool2d(t.zeros(4), 2))
    both(lambda t: t.nn.functional.adaptive_max_pool2d(t.zeros(4, 6), 2))
    both(lambda t: t.nn.functional.avg_pool2d(t.zeros(1, 1, 4, 4), 2, divisor_override=0))


PAIRS = {
    "planes": ((2, 3, 6, 4), {}),
    "a column and a row left over": ((3, 2, 7, 5), {}),
    "apart": ((2, 2, 8, 8), {"stride": 3}),
    "more images than a block": ((40, 2, 32, 32), {}),
    "an image larger than a block": ((1, 1, 300, 300), {}),
    "no images": ((0, 2, 4, 4), {}),
    "rows": ((4, 3, 9), {}),
    "volumes": ((2, 2, 4, 6, 5), {}),
    "one row": ((2, 1, 1, 2, 6), {"kernel_size": (1, 2, 2)}),
}


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("special", [None, np.nan, -np.inf], ids=str)
def test_routing_by_number_equals_routing_by_masks(case, special, monkeypatch):
    t = ours()
    shape, options = PAIRS[case]
    x = np.round(numbers(*shape) * 1.5)  # many ties
    if special is not None:
        x[numbers(*shape, seed=1) > 0] = special
    pooled = getattr(t.nn.functional, f"max_pool{len(shape) - 2}d")

    def gradient(fast):
        monkeypatch.setattr(pool, "FAST", fast)
        v = t.tensor(x, requires_grad=True)
        y = pooled(v, **{"kernel_size": 2, **options})
        return t.autograd.grad(y, v, t.tensor(numbers(*y.shape, seed=2)))[0].numpy()

    np.testing.assert_array_equal(gradient(True), gradient(False))


def test_routing_by_number_leaves_other_elements_alone_as_in_torch():
    def run(t):
        v = t.tensor(np.arange(16.0).reshape(1, 1, 4, 4), requires_grad=True)
        y = t.nn.functional.max_pool2d(v, 2)
        return t.autograd.grad(y, v, t.full(y.shape, float("inf")))

    both(run)


def test_routing_reads_a_transposed_input():
    def run(t):
        v = t.tensor(numbers(2, 3, 8, 6), requires_grad=True)
        y = t.nn.functional.max_pool2d(v.transpose(2, 3), 2)
        return y, t.autograd.grad(y, v, t.tensor(numbers(*y.shape, seed=1)))

    both(run)

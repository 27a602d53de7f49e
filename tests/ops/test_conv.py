"""Convolutions, transposed convolutions and sliding blocks, beside torch and by their laws."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours
from tinygrad_edu._ops import conv


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


CONV2D = {
    "plain": ((2, 4, 6, 5), (3, 4, 3, 2), {}),
    "stride": ((2, 4, 6, 5), (3, 4, 3, 3), {"stride": 2}),
    "stride and padding by axis": ((2, 4, 6, 7), (3, 4, 3, 2), {"stride": (2, 3), "padding": (1, 2)}),
    "groups and dilation": ((2, 4, 8, 8), (6, 2, 3, 3), {"groups": 2, "dilation": 2}),
    "depthwise": ((2, 4, 6, 6), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    "one by one": ((2, 4, 5, 5), (3, 4, 1, 1), {}),
    "places no kernel reaches": ((1, 2, 9, 9), (3, 2, 3, 3), {"stride": 2, "dilation": 2, "padding": 1}),
    "same": ((2, 4, 6, 6), (3, 4, 3, 3), {"padding": "same"}),
    "same with an odd total": ((2, 4, 6, 6), (3, 4, 2, 4), {"padding": "same", "dilation": (1, 2)}),
    "valid": ((2, 4, 6, 6), (3, 4, 2, 3), {"padding": "valid"}),
    "no images": ((0, 4, 6, 6), (3, 4, 3, 3), {}),
    "images too large to be unfolded together": ((2, 3, 20, 19), (4, 3, 3, 3), {"padding": 1}),
    "large images in groups": ((2, 4, 20, 20), (6, 2, 3, 3), {"groups": 2}),
}


@pytest.mark.parametrize("case", CONV2D)
def test_conv2d_equals_torch_to_second_order(case):
    x, w, options = CONV2D[case]
    orders(
        lambda t, x, w, b: t.nn.functional.conv2d(x, w, b, **options),
        numbers(*x),
        numbers(*w, seed=1),
        numbers(w[0], seed=2),
    )


@pytest.mark.parametrize("case", ["plain", "groups and dilation", "one by one"])
def test_conv2d_without_bias_equals_torch(case):
    x, w, options = CONV2D[case]
    orders(lambda t, x, w: t.nn.functional.conv2d(x, w, **options), numbers(*x), numbers(*w, seed=1))


def test_a_single_image_needs_no_batch():
    orders(
        lambda t, x, w, b: t.nn.functional.conv2d(x, w, b),
        numbers(4, 6, 6),
        numbers(3, 4, 3, 3, seed=1),
        numbers(3, seed=2),
        named=False,  # torch names the last step of several
    )


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1, "dilation": 2}, {"padding": "same"}])
@pytest.mark.parametrize("lead", [(2,), ()])
def test_conv1d_equals_torch(options, lead):
    orders(
        lambda t, x, w, b: t.nn.functional.conv1d(x, w, b, **options),
        numbers(*lead, 4, 9),
        numbers(3, 4, 4, seed=1),
        numbers(3, seed=2),
        named=bool(lead),
    )


def test_conv3d_equals_torch():
    orders(
        lambda t, x, w, b: t.nn.functional.conv3d(x, w, b, stride=(1, 2, 1), padding=1),
        numbers(2, 2, 3, 4, 3),
        numbers(3, 2, 2, 3, 3, seed=1),
        numbers(3, seed=2),
    )


TRANSPOSED = {
    "plain": ((2, 4, 5, 4), (4, 3, 3, 3), {}),
    "stride": ((2, 4, 5, 5), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    "groups and dilation": ((2, 4, 5, 5), (4, 3, 3, 3), {"groups": 2, "dilation": 2}),
    "depthwise": ((2, 4, 5, 5), (4, 1, 1, 1), {"groups": 4}),
    "large": ((2, 4, 20, 20), (4, 3, 3, 3), {"stride": 2}),
}


@pytest.mark.parametrize("case", TRANSPOSED)
def test_conv_transpose2d_equals_torch_to_second_order(case):
    x, w, options = TRANSPOSED[case]
    orders(
        lambda t, x, w, b: t.nn.functional.conv_transpose2d(x, w, b, **options),
        numbers(*x),
        numbers(*w, seed=1),
        numbers(w[1] * options.get("groups", 1), seed=2),
    )


@pytest.mark.parametrize(
    "options",
    [{"stride": (2, 3), "padding": 1, "output_padding": (1, 2)}, {"dilation": 3, "output_padding": 2}],
)
def test_output_padding_equals_torch_where_torch_differentiates(options):
    orders(
        lambda t, x, w: t.nn.functional.conv_transpose2d(x, w, **options),
        numbers(2, 4, 5, 6),
        numbers(4, 3, 3, 2, seed=1),
        second=False,  # torch raises there
    )


def test_conv_transpose1d_and_3d_equal_torch():
    orders(
        lambda t, x, w, b: t.nn.functional.conv_transpose1d(x, w, b, stride=2, padding=1),
        numbers(2, 4, 5),
        numbers(4, 3, 3, seed=1),
        numbers(3, seed=2),
    )
    orders(
        lambda t, x, w: t.nn.functional.conv_transpose3d(x, w, stride=2),
        numbers(1, 2, 2, 3, 2),
        numbers(2, 3, 2, 2, 2, seed=1),
    )


@pytest.mark.parametrize("options", [o for _, _, o in (CONV2D[c] for c in ("stride", "groups and dilation"))])
def test_convolution_and_its_transpose_are_adjoint(options):
    t = ours()
    x, w = t.tensor(numbers(2, 4, 8, 7)), t.tensor(numbers(6, 4 // options.get("groups", 1), 3, 3, seed=1))
    y = t.nn.functional.conv2d(x, w, **options)
    u = t.tensor(numbers(*y.shape, seed=2))
    small = t.nn.functional.conv_transpose2d(u, w, **options)
    back = t.nn.functional.pad(small, (0, 7 - small.shape[3], 0, 8 - small.shape[2]))
    assert (y * u).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-12)


def test_third_order_of_a_convolution_agrees_with_torch():
    def third(t):
        x = t.tensor(numbers(1, 2, 4, 4), requires_grad=True)
        w = t.tensor(numbers(2, 2, 2, 2, seed=1), requires_grad=True)
        total = (t.nn.functional.conv2d(x, w) ** 3).sum()
        for _ in range(2):
            (g,) = t.autograd.grad(total, x, create_graph=True)
            total = (g**2).sum()
        return t.autograd.grad(total, (x, w))

    both(third)


def test_whole_numbers_are_convolved_exactly():
    both(lambda t: t.nn.functional.conv2d(t.arange(9).reshape(1, 1, 3, 3), t.ones(1, 1, 2, 2, dtype=t.int64)))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_convolution_keeps_its_dtype(dtype):
    def run(t):
        x = t.tensor(np.round(numbers(2, 2, 4, 4)), dtype=getattr(t, dtype), requires_grad=True)
        y = t.nn.functional.conv2d(x, t.ones(3, 2, 2, 2, dtype=x.dtype))
        return y, t.autograd.grad(y.sum(), x)

    both(run)


WRONG = {
    "channels": ((2, 4, 6, 6), (3, 5, 3, 3), {}, "expected input[2, 4, 6, 6] to have 5 channels, but got 4"),
    "kernel": ((2, 4, 6, 6), (3, 4, 7, 7), {}, "Kernel size: (7 x 7). Kernel size can't be greater than actual input"),
    "rank": (
        (4, 6),
        (3, 4, 3, 3),
        {},
        "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [4, 6]",
    ),
    "groups": ((2, 4, 6, 6), (3, 2, 3, 3), {"groups": 2}, "expected weight to be divisible by 2 at dimension 0"),
    "no groups": ((2, 4, 6, 6), (3, 4, 3, 3), {"groups": 0}, "non-positive groups is not supported"),
    "stride": ((2, 4, 6, 6), (3, 4, 3, 3), {"stride": 0}, "non-positive stride is not supported"),
    "three strides": (
        (2, 4, 6, 6),
        (3, 4, 3, 3),
        {"stride": (1, 2, 3)},
        "expected stride to be a single integer value or a list of 2",
    ),
    "dilation": ((2, 4, 6, 6), (3, 4, 3, 3), {"dilation": 0}, "non-positive dilation is not supported"),
    "padding": ((2, 4, 6, 6), (3, 4, 3, 3), {"padding": -1}, "negative padding is not supported"),
    "same": ((2, 4, 6, 6), (3, 4, 3, 3), {"padding": "same", "stride": 2}, "not supported for strided convolutions"),
    "word": ((2, 4, 6, 6), (3, 4, 3, 3), {"padding": "full"}, "Invalid padding string"),
    "weight": ((2, 4, 6, 6), (3, 4, 3), {}, "weight"),
}


@pytest.mark.parametrize("case", WRONG)
def test_arguments_that_do_not_fit_raise_torchs_error(case):
    x, w, options, words = WRONG[case]
    error = both(lambda t: t.nn.functional.conv2d(t.zeros(x), t.zeros(w), **options))
    assert words in str(error)


def test_a_bias_of_another_length_or_dtype_raises_torchs_error():
    error = both(lambda t: t.nn.functional.conv2d(t.zeros(1, 4, 6, 6), t.zeros(3, 4, 3, 3), t.zeros(4)))
    assert "expected bias to be 1-dimensional with 3 elements, but got bias of size [4]" in str(error)
    error = both(lambda t: t.nn.functional.conv2d(t.zeros(1, 4, 6, 6), t.zeros(3, 4, 3, 3).double()))
    assert "expected scalar type Float but found Double" in str(error)


def test_a_transposed_convolution_that_does_not_fit_raises_torchs_error():
    for w, options in (((5, 3, 3, 3), {}), ((4, 3, 3, 3), {"output_padding": 1}), ((4, 3, 1, 1), {"padding": 5})):
        both(lambda t, w=w, o=options: t.nn.functional.conv_transpose2d(t.zeros(1, 4, 3, 3), t.zeros(w), **o))


@pytest.mark.parametrize(
    "options",
    [{"kernel_size": 2}, {"kernel_size": (2, 3), "dilation": 2, "padding": 1, "stride": (2, 1)}, {"kernel_size": 1}],
)
@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (3, 5, 6)])
def test_unfold_equals_torch(options, shape):
    orders(lambda t, x: t.nn.functional.unfold(x, **options), numbers(*shape))


@pytest.mark.parametrize("shape", [(2, 12, 12), (12, 12)])
def test_fold_equals_torch(shape):
    orders(lambda t, x: t.nn.functional.fold(x, (4, 5), (2, 2)), numbers(*shape))


def test_fold_is_the_adjoint_of_unfold():
    F = ours().nn.functional
    x = ours().tensor(numbers(2, 3, 6, 5))
    options = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}
    y = F.unfold(x, **options)
    u = ours().tensor(numbers(*y.shape, seed=1))
    assert (y * u).sum().item() == pytest.approx((x * F.fold(u, (6, 5), **options)).sum().item(), rel=1e-12)


def test_an_unfolded_image_is_a_copy():
    t = ours()
    x = t.ones(1, 1, 2, 2)
    t.nn.functional.unfold(x, 1).zero_()
    assert x.sum().item() == 4


def test_blocks_that_do_not_fit_raise_torchs_error():
    both(lambda t: t.nn.functional.unfold(t.zeros(1, 1, 3, 3), 4))
    both(lambda t: t.nn.functional.unfold(t.zeros(3, 3), 2))
    both(lambda t: t.nn.functional.fold(t.zeros(1, 5, 4), (3, 3), 2))
    both(lambda t: t.nn.functional.fold(t.zeros(1, 8, 5), (3, 3), 2))


FAST = {  # shapes of x and w, settings
    "narrow": ((9, 6, 6, 5), (3, 6, 3, 3), {}),
    "narrow, with images left over": ((19, 6, 6, 5), (3, 6, 3, 3), {"padding": 1}),
    "wide": ((3, 6, 20, 21), (5, 6, 3, 3), {}),
    "wide, padded, in several blocks": ((40, 8, 20, 20), (2, 8, 5, 5), {"padding": (2, 1)}),
    "more padding than kernel": ((2, 6, 6, 7), (3, 6, 3, 3), {"padding": 4}),
    "stride": ((9, 6, 9, 8), (3, 6, 3, 3), {"stride": 2, "padding": 1}),
    "stride along the rows": ((9, 6, 9, 8), (3, 6, 3, 3), {"stride": (1, 2)}),
    "stride that leaves a row over": ((2, 6, 8, 8), (3, 6, 3, 3), {"stride": (2, 3)}),
    "dilation along the rows": ((9, 6, 9, 9), (3, 6, 3, 3), {"dilation": (1, 2), "padding": (1, 2)}),
    "dilation along both": ((2, 6, 9, 9), (3, 6, 3, 3), {"dilation": 2}),
    "a kernel of one row": ((2, 6, 9, 9), (3, 6, 1, 4), {}),
    "a kernel of one column": ((2, 17, 9, 9), (3, 17, 4, 1), {}),
    "one dimension": ((5, 6, 30), (3, 6, 4), {"padding": 2}),
    "one dimension, stride": ((5, 6, 30), (3, 6, 4), {"stride": 3, "dilation": 2}),
    "three dimensions": ((9, 4, 5, 4, 6), (3, 4, 2, 3, 2), {"padding": (1, 0, 1)}),
    "one image": ((1, 6, 5, 5), (3, 6, 3, 3), {}),
    "no images": ((0, 6, 5, 5), (3, 6, 3, 3), {}),
}


@pytest.mark.parametrize("case", FAST)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_fast_way_equals_the_plain_one(case, dtype, monkeypatch):
    x_shape, w_shape, options = FAST[case]
    n = len(w_shape) - 2
    how = conv.Sliding(
        *(
            setting if isinstance(setting, tuple) else (setting,) * n
            for setting in (options.get("stride", 1), options.get("padding", 0), options.get("dilation", 1))
        )
    )
    places = how.places(x_shape[2:], w_shape[2:])
    x, w = numbers(*x_shape).astype(dtype), numbers(*w_shape, seed=1).astype(dtype)
    y, b = numbers(len(x), len(w), *places, seed=2).astype(dtype), numbers(len(w), seed=3).astype(dtype)
    x = x.swapaxes(1, -1).copy().swapaxes(1, -1)  # not contiguous

    def all_three(fast):
        monkeypatch.setattr(conv, "FAST", fast)
        return (
            conv.convolution(x, w, b, places=places, how=how, groups=1),
            conv.convolution_input(y, w, None, size=x_shape[2:], how=how, groups=1),
            conv.convolution_kernel(x, y, kernel=w_shape[2:], how=how, groups=1),
        )

    for fast, plain in zip(all_three(True), all_three(False), strict=True):
        assert fast.dtype == plain.dtype
        assert fast.flags.c_contiguous
        scale = np.finfo(dtype).eps * 1000
        np.testing.assert_allclose(fast, plain, rtol=scale, atol=scale)


@pytest.mark.parametrize("case", ["narrow", "wide", "stride", "dilation along the rows", "one dimension"])
def test_the_fast_way_equals_torch_to_second_order(case):
    x, w, options = FAST[case]
    orders(
        lambda t, x, w, b: getattr(t.nn.functional, f"conv{len(w.shape) - 2}d")(x, w, b, **options),
        numbers(*x),
        numbers(*w, seed=1),
        numbers(w[0], seed=2),
    )

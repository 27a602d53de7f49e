"""Padding, interpolation, and channels exchanged for places, beside torch."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    ("shape", "widths", "options"),
    [
        ((2, 3, 4), (1, 2), {}),
        ((2, 3, 4), (1, 2, 0, 3), {"value": 2.5}),
        ((2, 3, 4), (-1, 2), {}),
        ((2, 3, 4), (-1, -1, 1, 0, 2, 2), {}),
        ((4,), (1, 1), {}),
        ((2, 3), (0, 0), {}),
        ((2, 3), (), {}),
    ],
)
def test_constant_padding_equals_torch(shape, widths, options):
    orders(lambda t, x: t.nn.functional.pad(x, widths, **options), numbers(*shape))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "widths"),
    [
        ((2, 3, 4), (1, 2)),
        ((3, 4), (2, 1)),
        ((2, 3, 4, 5), (1, 2, 3, 1)),
        ((3, 4, 5), (1, 2, 2, 1)),
        ((2, 2, 3, 4, 4), (1, 2, 2, 1, 1, 1)),
        ((2, 3, 4), (-1, 2)),
        ((2, 3, 4, 5), (0, 0, 1, 1)),
    ],
)
def test_repeating_padding_equals_torch(mode, shape, widths):
    orders(lambda t, x: t.nn.functional.pad(x, widths, mode=mode), numbers(*shape))


def test_whole_numbers_and_booleans_are_padded():
    both(lambda t: t.nn.functional.pad(t.arange(4), (1, 1), value=3))
    both(lambda t: t.nn.functional.pad(t.arange(4) > 1, (1, 1), value=True))


WRONG_PADDING = {
    "odd": ((4, 6), (1,), {}),
    "too many": ((4, 6), (1,) * 6, {}),
    "mode": ((4, 6), (1, 1), {"mode": "mirror"}),
    "value": ((2, 4, 6), (1, 1), {"mode": "reflect", "value": 1.0}),
    "rank": ((2, 4, 6, 6), (1, 1), {"mode": "reflect"}),
    "wide mirror": ((2, 4, 6), (6, 0), {"mode": "reflect"}),
    "twice round": ((2, 4, 6), (7, 0), {"mode": "circular"}),
    "nothing left": ((4, 6), (-4, -4), {}),
}


@pytest.mark.parametrize("case", WRONG_PADDING)
def test_padding_that_does_not_fit_raises_torchs_error(case):
    shape, widths, options = WRONG_PADDING[case]
    both(lambda t: t.nn.functional.pad(t.zeros(shape), widths, **options))


SIZES = [{"size": 7}, {"size": 3}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.6}]
SIZES += [{"scale_factor": 1.7, "recompute_scale_factor": True}]
MODES = [((2, 3, 5), "linear"), ((2, 3, 5, 6), "bilinear"), ((2, 3, 5, 6), "bicubic"), ((1, 2, 3, 4, 3), "trilinear")]


@pytest.mark.parametrize("options", SIZES, ids=str)
@pytest.mark.parametrize(("shape", "mode"), MODES, ids=[m for _, m in MODES])
@pytest.mark.parametrize("corners", [False, True])
def test_smooth_interpolation_equals_torch(options, shape, mode, corners):
    orders(
        lambda t, x: t.nn.functional.interpolate(x, mode=mode, align_corners=corners, **options),
        numbers(*shape),
        rtol=1e-7,
        atol=1e-8,
    )


@pytest.mark.parametrize("options", SIZES, ids=str)
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area"])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 6), (1, 2, 3, 4, 3)])
def test_interpolation_by_steps_equals_torch(options, mode, shape):
    orders(lambda t, x: t.nn.functional.interpolate(x, mode=mode, **options), numbers(*shape))


def test_interpolation_in_single_precision_is_close_to_torch():
    for mode in ("bilinear", "bicubic", "nearest"):
        both(
            lambda t, m=mode: t.nn.functional.interpolate(
                t.tensor(numbers(2, 3, 7, 9)).float(), scale_factor=2.3, mode=m
            ),
            rtol=1e-4,
            atol=1e-5,
        )


WRONG_SIZES = [{}, {"size": 3, "scale_factor": 2}, {"size": 3, "mode": "spline"}, {"size": 3, "align_corners": True}]
WRONG_SIZES += [{"size": 3, "mode": "linear"}, {"size": (3,)}, {"size": 0}, {"scale_factor": (1.0,)}]


@pytest.mark.parametrize("options", WRONG_SIZES, ids=str)
def test_sizes_that_do_not_fit_raise_torchs_error(options):
    both(lambda t: t.nn.functional.interpolate(t.zeros(2, 4, 6, 6), **options))


def test_ranks_that_do_not_fit_raise_torchs_error():
    both(lambda t: t.nn.functional.interpolate(t.zeros(4, 6), size=3))
    both(lambda t: t.nn.functional.interpolate(t.zeros(4, 6, 6), size=3, mode="bilinear"))


def test_the_old_names_warn_and_resize():
    F = ours().nn.functional
    x = ours().tensor(numbers(1, 1, 2, 2))
    with pytest.warns(UserWarning, match="deprecated"):
        assert F.upsample(x, scale_factor=2).shape == (1, 1, 4, 4)
    with pytest.warns(UserWarning, match="deprecated"):
        bilinear = F.upsample_bilinear(x, scale_factor=2)
    assert bilinear.tolist() == F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True).tolist()


def test_channels_and_places_are_exchanged_as_in_torch():
    orders(lambda t, x: t.nn.functional.pixel_shuffle(x, 2), numbers(2, 8, 3, 4))
    orders(lambda t, x: t.nn.functional.pixel_shuffle(x, 2), numbers(8, 3, 4))
    orders(lambda t, x: t.nn.functional.pixel_unshuffle(x, 2), numbers(2, 3, 4, 6))
    orders(lambda t, x: t.nn.functional.channel_shuffle(x, 2), numbers(2, 6, 3, 2))


def test_a_shuffle_that_moves_nothing_is_a_copy():
    t = ours()
    x = t.ones(1, 4, 2, 2)
    for y in (t.nn.functional.pixel_shuffle(x, 1), t.nn.functional.channel_shuffle(x, 1)):
        y.zero_()
    assert x.sum().item() == 16


def test_channels_that_do_not_divide_raise_torchs_error():
    both(lambda t: t.nn.functional.pixel_shuffle(t.zeros(1, 3, 2, 2), 2))
    both(lambda t: t.nn.functional.pixel_shuffle(t.zeros(3, 2), 2))
    both(lambda t: t.nn.functional.pixel_unshuffle(t.zeros(1, 3, 3, 3), 2))
    both(lambda t: t.nn.functional.channel_shuffle(t.zeros(1, 3, 3, 3), 2))

"""The claims of the seeds' theory (SEEDS.md table 5), as the laboratory measures them."""

from __future__ import annotations

import math
import statistics

import pytest

from tests.lab.conftest import measured

SEEDS = range(5)


def test_e1_the_sigmoid_saturates_outside_6():
    found = measured("saturation")
    assert found.slope_at[0] == 0.25
    assert found.slope_at[3] / found.slope_at[0] == pytest.approx(0.18, abs=0.001)
    assert found.slope_at[6] / found.slope_at[0] == pytest.approx(0.0099, abs=0.00005)
    assert max(found.slope) == pytest.approx(0.249975, abs=1e-6)
    assert found.alive_until == pytest.approx(-math.log((1 - math.sqrt(0.99)) / (1 + math.sqrt(0.99))), abs=0.04)


def test_e2_sigmoid_gradients_vanish_as_the_table_says():
    written = ["1.1e-02", "4.3e-04", "5.2e-07", "1.9e-13"]
    assert [f"{ratio:.1e}" for ratio in measured("vanishing").ratios["sigmoid"]] == written


@pytest.mark.parametrize("seed", SEEDS)
def test_e2_e3_sigmoid_loses_a_quarter_a_layer_or_worse_and_tanh_and_relu_do_not_decay(seed):
    found = measured("vanishing", seed)
    for depth, ratio in zip(found.depths, found.ratios["sigmoid"], strict=True):
        assert ratio < 1.1 * 0.25**depth  # the weights enlarge a little now and then
    assert all(0.5 < ratio < 1.5 for ratio in found.ratios["tanh"])
    assert all(0.25 < ratio < 1.5 for ratio in found.ratios["relu"])


def test_e2_the_gradient_shrinks_at_every_layer_of_sigmoids():
    norms = measured("vanishing").norms["sigmoid"]
    assert norms == sorted(norms)


def test_e4_large_steps_kill_relu_units():
    trainings = measured("dying-relu").trainings
    assert all(0.24 <= round(t.dead_at_start, 2) <= 0.28 for t in trainings[0.1])
    assert all(0.24 <= round(t.dead_at_end, 2) <= 0.28 for t in trainings[0.1])
    assert all(round(t.dead_at_end, 2) >= 0.92 for t in trainings[0.5])
    assert all(t.diverged for t in trainings[1.0])
    assert not any(t.diverged for t in trainings[0.5])


def test_e4_a_quarter_of_the_units_is_dead_at_the_start():
    starts = [t.dead_at_start for seed in (0, 5, 10, 15) for t in measured("dying-relu", seed).trainings[0.1]]
    assert len(starts) * 50 == 1000
    assert statistics.mean(starts) == pytest.approx(0.25, abs=0.03)  # 1,000 units: a standard error of 0.014


def test_e4_a_network_without_living_units_is_the_best_constant():
    found = measured("dying-relu")
    assert found.constant_loss == pytest.approx(0.092, abs=0.001)
    for training in found.trainings[0.5]:
        if training.dead_at_end == 1:
            assert training.loss == pytest.approx(found.constant_loss, abs=1e-3)
            assert max(training.curve) - min(training.curve) < 1e-6


def test_e4_only_a_leaky_unit_hears_of_its_error():
    assert measured("dying-relu").slope_when_off == pytest.approx({"relu": 0.0, "leaky relu": 0.1})


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_e6_thirty_plain_layers_learn_nothing_and_residual_ones_do(seed):
    trainings = measured("degradation", seed).trainings
    assert trainings["2 plain"].losses[-1] < 0.1
    assert trainings["30 plain"].losses[-1] == pytest.approx(math.log(2), abs=1e-3)
    assert trainings["30 plain"].accuracy == 0.5
    assert trainings["30 residual"].losses[-1] < 0.1
    assert trainings["30 residual"].accuracy >= 0.97


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_e6_the_fresh_plain_network_has_lost_its_input(seed):
    trainings = measured("degradation", seed).trainings
    assert trainings["30 plain"].spreads[-1] < 1e-5 * trainings["30 plain"].spreads[0]
    assert trainings["30 plain"].gradient < 1e-10
    assert trainings["30 residual"].spreads[-1] > trainings["30 residual"].spreads[0]


def test_e7_the_hessian_bends_both_ways():
    found = measured("saddle")
    assert found.hessian == [[2.0, 0.0], [0.0, -2.0]]
    assert found.eigenvalues == [-2.0, 2.0]
    assert found.slope == [0.0, 0.0]


@pytest.mark.parametrize("seed", SEEDS)
def test_e7_plain_descent_ends_in_the_saddle_and_noise_escapes(seed):
    found = measured("saddle", seed)
    assert found.plain[-1] == (pytest.approx(0.8**60, rel=1e-4), 0.0)
    assert abs(found.noisy[-1][1]) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_e8_many_starts_find_several_valleys_and_the_lowest_among_them(seed):
    found = measured("local-minima", seed)
    assert len(found.starts) == len(found.ends) == 40
    assert len({round(end, 1) for end in found.ends}) >= 4
    assert min(found.heights) == pytest.approx(min(found.curve[1]), abs=2e-3)  # the curve is drawn at 300 places
    assert all(abs(3 * math.cos(3 * x) + 0.2 * x) < 1e-4 for x in found.ends)  # the slope at the bottom of a valley


@pytest.mark.parametrize("seed", SEEDS)
def test_e11_the_mini_batch_gradients_sum_to_the_batch_gradient(seed):
    found = measured("batches", seed)
    sums = [sum(portion) for portion in zip(*found.portions, strict=True)]
    assert sums == pytest.approx(found.whole, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_e11_smaller_portions_get_farther_in_the_same_time(seed):
    ends = {name: losses[-1] for name, losses in measured("batches", seed).losses.items()}
    assert ends["stochastic"] < ends["mini-batch"] < ends["batch"]
    assert {len(losses) for losses in measured("batches", seed).losses.values()} == {6, 31, 301}


def test_e12_momentum_is_its_formula_and_goes_farther():
    found = measured("learning-rate")
    assert found.momentum_gap < 1e-6
    assert found.heights["momentum"][-1] < 1e-3 * found.heights["middle"][-1]


def test_each_learning_rate_multiplies_as_the_theory_says():
    """The height is half of the sum of curvature (1 - rate curvature)^2k place^2 after k steps."""
    rates = {"small": 0.002, "middle": 0.02, "good": 0.04, "large": 0.051}
    for name, rate in rates.items():
        expected = [0.5 * 16 * (1 - rate) ** (2 * k) + 20 * (1 - 40 * rate) ** (2 * k) for k in range(61)]
        assert measured("learning-rate").heights[name] == pytest.approx(expected, rel=1e-3)


def test_e13_the_prediction_becomes_the_truth():
    found = measured("cross-entropy")
    assert found.predictions[-1] == pytest.approx(found.truth, abs=1e-4)
    assert found.ends == pytest.approx(found.entropies, abs=1e-6)
    for truth, curve in zip(found.truth, found.curves, strict=True):
        assert found.p[curve.index(min(curve))] == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_e14_weight_decay_and_dropout_narrow_the_gap(seed):
    trainings = measured("regularisation", seed).trainings
    assert trainings["weight decay"].gap < trainings["nothing"].gap
    assert trainings["dropout"].gap < trainings["nothing"].gap
    assert trainings["weight decay"].weight_norm < 0.5 * trainings["nothing"].weight_norm


def test_c2_three_neurons_made_by_hand_compute_xor():
    found = measured("xor")
    assert found.by_hand == [0, 1, 1, 0]
    assert [round(y, 5) for y in found.by_hand_smooth] == [0.42436, 0.43657, 0.43657, 0.42436]


@pytest.mark.parametrize("seed", SEEDS)
def test_c3_one_layer_cannot_learn_xor_and_two_can(seed):
    found = measured("xor", seed)
    assert found.one_layer.accuracy <= 0.75
    assert found.one_layer.loss == pytest.approx(math.log(2), abs=1e-3)
    assert found.two_layers.accuracy == 1.0

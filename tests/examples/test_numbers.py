"""The examples print the numbers that the seeds' tables demand."""

import re
import statistics

import numpy as np
import pytest

from tests.examples.runner import numbers, output


def line(name, start, seed=0, framework="ours"):
    """Give the one printed line that begins with ``start``."""
    found = [text for text in output(name, framework, seed).splitlines() if text.strip().startswith(start)]
    assert len(found) == 1, f"{name} prints {len(found)} lines that begin with {start!r}"
    return found[0]


def values(name, start, seed=0):
    return [float(n) for n in numbers(line(name, start, seed))]


def within(factor, value, target):
    return target / factor <= value <= target * factor


# Table 1 and 4 pieces that the examples show


def test_a3_e1_the_sigmoid_saturates():
    assert values("01_sigmoid_saturates.py", "steepest") == [0.249975, 0.02002]
    assert values("01_sigmoid_saturates.py", "sum")[0] == pytest.approx(24.97499, abs=1e-4)
    assert values("01_sigmoid_saturates.py", "sigmoid(0)")[2:] == [0.25, 1.0]
    assert values("01_sigmoid_saturates.py", "sigmoid(3)")[2:] == [0.0451767, 0.1807]
    assert values("01_sigmoid_saturates.py", "sigmoid(6)")[1:] == pytest.approx([0.997527, 0.0024665, 0.0099], abs=1e-7)


def test_a4_a5_slopes_of_tanh_and_relu():
    assert values("02_activation_gallery.py", "tanh: ") == pytest.approx([0.999599, 49.95, 45.0], abs=2e-4)
    assert values("02_activation_gallery.py", "relu: ") == [1.0, 500.0, 50.0]


def test_d6_d10_formulas_agree_with_the_ops():
    text = output("02_activation_gallery.py", "ours")
    assert text.count("agrees with the op to 1e-12: True") == 6
    assert "tanh(z) = 2 sigmoid(2z) - 1: True" in text


def test_e5_a_step_has_no_slope():
    assert values("03_step_has_no_slope.py", "step gradient") == [0.0, 0.0, 0.0, 0.0]


def test_d7_the_shift_by_the_maximum():
    assert values("04_softmax.py", "shifted") == pytest.approx([1, 4.540e-05, 2.061e-09], rel=1e-3)
    assert "nan, nan, nan" in line("04_softmax.py", "naive")


def test_a16_the_model_has_26_parameters():
    assert values("06_model_and_parameters.py", "parameters") == [26]
    assert values("06_model_and_parameters.py", "row sums") == [1.0] * 5


def test_a25_the_regression_ends_where_torch_ends():
    ends = [values("15_regression.py", "step 95:", seed)[1] for seed in range(10)]
    assert values("15_regression.py", "parameters") == [141]
    assert within(3, statistics.median(ends), 0.0086)


# Worked by hand: torch cannot run these two


def test_d4_d5_the_numpy_network_is_differentiable():
    name = "10_numpy_network.py"
    assert values(name, "arrays") == values(name, "tensors") == [0.31682708, 0.69627909]
    # Z2 of the seed is dY0/dW3, db3 picks output 0, and dx follows from the chain rule below.
    z1 = 1 / (1 + np.exp(-np.array([0.3, 0.7, 1.1])))
    z2 = np.array([0.6262493704, 0.7710106969])
    w2 = np.array([[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])
    delta2 = np.array([0.1, 0.2]) * z2 * (1 - z2)
    delta1 = w2 @ delta2 * z1 * (1 - z1)
    dx = np.array([[0.1, 0.3, 0.5], [0.2, 0.4, 0.6]]) @ delta1
    assert values(name, "dY0/dW3")[-2:] == pytest.approx(z2, abs=1e-8)
    assert line(name, "dY0/db3").endswith("[1. 0.]")
    assert values(name, "dY0/dx")[-2:] == pytest.approx(dx, abs=1e-8)
    assert line(name, "gradients of Y0").endswith("True")


def test_f10_the_textbook_class_learns():
    losses = [values("11_feedforward_zip.py", f"step {step:3}")[1] for step in (0, 25, 50, 75, 100)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1 * losses[0]
    assert values("11_feedforward_zip.py", "recognised") == [6]


# Table 2: the MNIST network


def test_b1_b6_sizes_and_steps():
    assert values("31_mnist_network.py", "parameters") == [235500, 30100, 1010, 266610]


def test_b2_truncated_normal():
    text = output("32_truncated_normal.py", "ours")
    for std in ("0.0714286", "0.1154701", "0.2000000"):
        assert f"std {std}, all weights within 2 std: True, biases 0: True" in text


def test_b4_cross_entropy_from_logits():
    name = "33_sparse_cross_entropy.py"
    assert line(name, "equal within 1e-6").endswith("True")
    assert [line(name, f"logits of 10,000, label {k}").split()[-1] for k in range(3)] == ["0", "10000", "20000"]


def test_b8_both_constructions_have_the_same_shapes():
    first, second = (line("34_ready_made_layers.py", start)[10:] for start in ("by hand", "ready-made"))
    assert first == second == " [(50, 300), (50, 100), (50, 10)]"


def test_b10_restored_logits_are_bit_equal():
    assert line("35_save_and_restore.py", "equal before").endswith("False")
    assert line("35_save_and_restore.py", "equal after").endswith("True")


# Table 3: scikit-learn


def test_c1_the_perceptron_finds_setosa():
    assert line("07_perceptron.py", "training accuracy").endswith("1.0")
    assert line("07_perceptron.py", "is a flower").endswith(" 1")


def test_c2_xor_by_hand():
    assert values("08_xor_by_hand.py", "step") == [0, 1, 1, 0]
    assert values("08_xor_by_hand.py", "sigmoid") == [0.42436, 0.43657, 0.43657, 0.42436]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_c3_xor_needs_two_layers(seed):
    assert line("09_xor_learnt.py", "one layer", seed).endswith("True")
    assert line("09_xor_learnt.py", "two layers", seed).endswith("accuracy 1.00")


def test_c4_the_classifier_reads_the_last_397_digits():
    assert line("36_mlp_classifier.py", "accuracy").endswith("at least 0.91: True")


def test_c5_the_regressor_reaches_the_r2_of_scikit_learn():
    from sklearn.neural_network import MLPRegressor

    import tinygrad_edu

    tinygrad_edu.manual_seed(0)  # the same points as the example draws
    x = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    y = (x**2 + 0.2 * tinygrad_edu.rand(100, 1).numpy()).ravel()
    reference = MLPRegressor(max_iter=1000, tol=0, n_iter_no_change=1000, random_state=0)
    with pytest.warns(match="Maximum iterations"):
        reference.fit(x, y)
    assert values("37_mlp_regressor.py", "epoch 1000")[-1] == pytest.approx(reference.score(x, y), abs=0.02)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_c6_the_boltzmann_machine_reaches_its_pseudo_likelihood(seed):
    assert values("38_boltzmann_machine.py", "epoch 10", seed)[-1] == pytest.approx(-21.0, abs=1.0)


# Table 5: theory


@pytest.mark.parametrize(
    ("start", "targets"),
    [
        ("sigmoid, xavier", (1.1e-2, 4.3e-4, 5.2e-7, 1.9e-13)),
        ("tanh, xavier", (0.97, 0.99, 0.71, 0.84)),
        ("relu, kaiming", (0.47, 0.49, 0.81, 0.91)),
    ],
)
def test_e2_e3_gradients_vanish_under_sigmoid_only(start, targets):
    runs = [values("16_vanishing_gradient.py", start, seed) for seed in range(10)]
    assert all(within(3, ratio, target) for run in runs for ratio, target in zip(run, targets, strict=True))


def test_e4_large_steps_kill_relu_units():
    name = "17_dying_relu.py"
    at_start = []
    for seed in range(5):
        _, start, end, _ = values(name, "lr 0.1", seed)
        at_start.append(start)
        assert 20 <= end <= 30
        _, _, end, loss = values(name, "lr 0.5", seed)
        assert end >= 90
        assert loss < 0.1
        assert line(name, "lr 1.0", seed).endswith("diverged")
    assert statistics.mean(at_start) == pytest.approx(25, abs=5)
    assert line(name, "relu:").endswith("0.0")
    assert line(name, "leaky 0.1:").endswith("0.1")


def test_e6_residual_layers_cure_degradation():
    ends = {"depth 2, plain": [], "depth 30, plain": [], "depth 30, residual": []}
    for seed in range(10):
        for part in re.split(r"(?=^depth)", output("19_residual.py", "ours", seed), flags=re.M)[1:]:
            title, *_, last = part.splitlines()
            ends[title].append(tuple(map(float, numbers(last)))[1:])
    median = {title: statistics.median(loss for loss, _ in runs) for title, runs in ends.items()}
    assert within(3, median["depth 2, plain"], 0.047)
    assert within(3, median["depth 30, residual"], 0.052)
    assert set(ends["depth 30, plain"]) == {(0.693, 0.5)}
    assert all(accuracy >= 0.93 for _, accuracy in ends["depth 30, residual"])


def test_e7_a_saddle_bends_both_ways():
    assert values("20_saddle.py", "eigenvalues") == [-2.0, 2.0]
    assert line("20_saddle.py", "plain descent").endswith("ends at (0.0000, 0.0000), value 0.0000")
    assert line("20_saddle.py", "with noise").endswith("True")


def test_e8_starts_end_in_several_valleys():
    valleys = re.findall(r"near x = +(\S+) .*?(#+)", output("21_local_minima.py", "ours"))
    assert len(valleys) >= 4
    assert sum(len(starts) for _, starts in valleys) == 40
    assert line("21_local_minima.py", "best of all").endswith("-0.512")


def test_e9_e10_the_four_equations():
    text = output("12_four_backward_equations.py", "ours")
    assert "J of the guess 8 for a 6: 0.66" in text
    assert text.count("equal to autograd within 1e-12: True") == 3


def test_e11_portions_add_up():
    assert line("22_batches.py", "batch gradient").endswith("True")
    batch, mini, single = (values("22_batches.py", start)[-1] for start in ("batch   ", "mini-batch", "stochastic"))
    assert single < mini < batch


def test_e12_momentum_is_its_formula():
    assert line("23_momentum.py", "SGD(momentum=)").endswith("True")


def test_e13_cross_entropy_is_least_at_the_truth():
    assert line("24_cross_entropy_minimum.py", "p equals the truth").endswith("True")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_e14_regularisation_narrows_the_gap(seed):
    text = output("25_regularisation.py", "ours", seed)
    assert len(re.findall(r"narrows the gap: +True", text)) == 2


def test_e16_three_kinds_of_output():
    assert line("27_output_choices.py", "binary").endswith("centre inside: True, corner inside: False")
    assert "classes [0, 1, 2]" in line("27_output_choices.py", "multi-class")


def test_e17_hebb_strengthens_what_fires_together():
    assert values("28_hebb.py", "answer to the bell after") > values("28_hebb.py", "answer to the bell before")


def test_e19_the_cnn_tells_the_pictures_apart():
    assert values("29_cnn.py", "accuracy")[-1] >= 0.95


def test_e20_every_one_of_100_layers_gets_its_gradient():
    assert line("30_hundred_layers.py", "layers with a gradient").endswith(" 100")

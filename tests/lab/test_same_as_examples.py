"""The laboratory and the examples tell one truth: with the same seed, the same numbers."""

from __future__ import annotations

import pytest

from tests.examples.runner import output
from tests.examples.test_numbers import line, values
from tests.lab.conftest import measured


def printed(format: str, *numbers: float) -> list[float]:
    """Round as an example prints."""
    return [float(f"{number:{format}}") for number in numbers]


def test_saturation():
    found = measured("saturation")
    for place in (0, 3, 6):
        expected = [*printed(".6f", found.height_at[place]), *printed(".7f", found.slope_at[place])]
        assert values("01_sigmoid_saturates.py", f"sigmoid({place})")[1:3] == expected


@pytest.mark.parametrize("kind", ["sigmoid", "tanh", "relu"])
def test_vanishing(kind):
    ratios = measured("vanishing").ratios[kind]
    assert values("16_vanishing_gradient.py", f"{kind}, ") == printed(".1e", *ratios)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dying_relu(rate):
    training = measured("dying-relu").trainings[rate][0]
    shares = [round(100 * training.dead_at_start), round(100 * training.dead_at_end)]
    assert values("17_dying_relu.py", f"lr {rate}")[1:] == [*shares, *printed(".3f", training.loss)]


def test_degradation():
    trainings = measured("degradation").trainings.values()
    ends = [text.strip() for text in output("19_residual.py", "ours").splitlines() if "step 300" in text]
    assert ends == [f"step 300: loss {t.losses[299]:.3f} accuracy {t.accuracy:.2f}" for t in trainings]


def test_saddle():
    found = measured("saddle")
    x, y = found.plain[-1]
    assert line("20_saddle.py", "Hessian") == f"Hessian {found.hessian}"
    assert line("20_saddle.py", "eigenvalues").startswith(f"eigenvalues {found.eigenvalues}")
    assert line("20_saddle.py", "plain").startswith(f"plain descent ends at ({x:.4f}, {y:.4f})")


def test_local_minima():
    ends = [round(end, 1) for end in measured("local-minima").ends]
    for valley in set(ends):
        assert line("21_local_minima.py", f"near x = {valley:4}").count("#") == ends.count(valley)


@pytest.mark.parametrize(("name", "steps"), [("batch", 1), ("mini-batch", 6), ("stochastic", 60)])
def test_batches(name, steps):
    losses = measured("batches").losses[name]
    assert values("22_batches.py", f"{name:10} {steps:2}")[1:] == printed(".4f", *losses[steps::steps])


def test_momentum():
    heights = measured("learning-rate").heights
    for step in (15, 30, 45, 60):
        expected = [step, *printed(".6f", heights["momentum"][step], heights["middle"][step])]
        assert values("23_momentum.py", f"step {step}") == pytest.approx(expected, abs=1.1e-6)


def test_cross_entropy():
    found = measured("cross-entropy")
    assert values("24_cross_entropy_minimum.py", "step   5")[2:] == printed(".4f", *found.predictions[5])
    assert values("24_cross_entropy_minimum.py", "entropy of") == printed(".4f", sum(found.entropies))


@pytest.mark.parametrize("way", ["nothing", "weight decay", "dropout"])
def test_regularisation(way):
    training = measured("regularisation").trainings[way]
    expected = printed(".3f", training.training, training.test, training.gap)
    assert values("25_regularisation.py", f"{way:12} training") == expected


def test_xor():
    found = measured("xor")
    assert values("08_xor_by_hand.py", "sigmoid") == printed(".5f", *found.by_hand_smooth)
    assert values("09_xor_learnt.py", "one layer")[0] == round(found.one_layer.loss, 4)
    assert values("09_xor_learnt.py", "two layers") == [round(found.two_layers.loss, 4), found.two_layers.accuracy]

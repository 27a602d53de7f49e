"""Table 4 of the seeds, D1 to D11: the network in NumPy and its activation functions, on tensors."""

import runpy

import numpy as np
import pytest

import tinygrad_edu
from tests.examples.runner import ROOT, rows

DOUBLE = tinygrad_edu.float64


def tensor(values, **options):
    return tinygrad_edu.tensor(values, dtype=DOUBLE, **options)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def init_network(array):
    return {
        "W1": array([[0.1, 0.3, 0.5], [0.2, 0.4, 0.6]]),
        "b1": array([0.1, 0.2, 0.3]),
        "W2": array([[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]]),
        "b2": array([0.1, 0.2]),
        "W3": array([[0.1, 0.3], [0.2, 0.4]]),
        "b3": array([0.1, 0.2]),
    }


def layers(network, x):
    """Run the seed's forward as printed; give every A and Z on the way."""
    a1 = np.dot(x, network["W1"]) + network["b1"]
    z1 = sigmoid(a1)
    a2 = np.dot(z1, network["W2"]) + network["b2"]
    z2 = sigmoid(a2)
    return a1, z1, a2, z2, np.dot(z2, network["W3"]) + network["b3"]


EXPECTED = {
    "A1": [0.3, 0.7, 1.1],
    "Z1": [0.5744425168, 0.6681877722, 0.7502601056],
    "A2": [0.5161598378, 1.2140269562],
    "Z2": [0.6262493704, 0.7710106969],
    "Y": [0.3168270764, 0.6962790899],
}


@pytest.mark.parametrize("grad", [False, True])
def test_d1_d2_d3_d4_the_values_of_every_layer(grad):
    network = init_network(lambda values: tensor(values, requires_grad=grad))
    found = layers(network, tensor([1.0, 0.5]))
    for value, (name, expected) in zip(found, EXPECTED.items(), strict=True):
        assert isinstance(value, tinygrad_edu.Tensor), name
        assert value.tolist() == pytest.approx(expected, abs=1e-10), name


def test_d4_the_numbers_the_seed_prints():
    y = layers(init_network(tensor), tensor([1.0, 0.5]))[-1]
    assert str(y.numpy()) == "[0.31682708 0.69627909]"


def test_d5_gradients_of_the_network_pass_gradcheck():
    network = init_network(lambda values: tensor(values, requires_grad=True))
    x = tensor([1.0, 0.5], requires_grad=True)

    def first_output(x, *values):
        return layers(dict(zip(network, values, strict=True)), x)[-1][0]

    assert tinygrad_edu.autograd.gradcheck(first_output, (x, *network.values()))
    assert tinygrad_edu.autograd.gradgradcheck(first_output, (x, *network.values()))


X = np.linspace(-8, 8, 1001)


@pytest.mark.parametrize(
    ("formula", "ours"),
    [
        (lambda x: (x > 0).astype(x.dtype), lambda x: (x > 0).to(DOUBLE)),
        (sigmoid, tinygrad_edu.sigmoid),
        (lambda x: np.maximum(0, x), tinygrad_edu.relu),
        (lambda x: np.maximum(0.1 * x, x), lambda x: tinygrad_edu.nn.functional.leaky_relu(x, 0.1)),
        (lambda x: np.exp(x) / np.sum(np.exp(x)), lambda x: tinygrad_edu.softmax(x, dim=0)),
        (lambda x: 2 / (1 + np.exp(-2 * x)) - 1, tinygrad_edu.tanh),
    ],
    ids=["step", "sigmoid", "relu", "leaky relu", "softmax", "tanh"],
)
def test_d6_formulas_of_the_seed_equal_the_ops(formula, ours):
    assert np.abs(formula(X) - ours(tinygrad_edu.from_numpy(X)).numpy()).max() < 1e-12


def test_d6_the_default_leaky_slope_is_torchs():
    assert tinygrad_edu.nn.LeakyReLU()(tensor([-1.0])).tolist() == [-0.01]


def test_d6_formulas_of_the_seed_run_on_tensors():
    x = tensor([-2.0, 0.5, 3.0], requires_grad=True)
    for formula in (
        sigmoid,
        lambda x: np.maximum(0, x),
        lambda x: np.maximum(0.1 * x, x),
        lambda x: np.exp(x) / np.sum(np.exp(x)),
    ):
        y = formula(x)
        assert y.requires_grad
        assert y.tolist() == pytest.approx(formula(np.array([-2.0, 0.5, 3.0])), abs=1e-12)


def test_d7_softmax_survives_what_overflows_naively():
    large = tensor([1010.0, 1000.0, 990.0])
    assert tinygrad_edu.exp(tensor(709.0)).isfinite()
    assert tinygrad_edu.exp(tensor(710.0)).isinf()
    assert (tinygrad_edu.exp(large) / tinygrad_edu.exp(large).sum()).isnan().all()
    assert tinygrad_edu.softmax(large, dim=0).tolist() == pytest.approx([1, 0.0000454, 2e-9], rel=0.05)


def test_d8_the_gallery_writes_five_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(ROOT / "examples" / "02_activation_gallery.py"), run_name="__main__")
    assert len(list((tmp_path / "out").glob("*.png"))) == 5
    assert capsys.readouterr().out


def test_d9_linear_layers_collapse_into_one():
    tinygrad_edu.manual_seed(0)
    stack = [tinygrad_edu.nn.Linear(n, m).double() for n, m in ((4, 8), (8, 8), (8, 3))]
    x = y = tinygrad_edu.randn(16, 4, dtype=DOUBLE)
    weight, bias = tinygrad_edu.eye(4, dtype=DOUBLE), tinygrad_edu.zeros(4, dtype=DOUBLE)
    for layer in stack:
        y = layer(y)
        weight, bias = layer.weight @ weight, layer.weight @ bias + layer.bias
    assert (y - (x @ weight.T + bias)).abs().max().item() < 1e-6


def test_d10_tanh_is_a_sigmoid():
    z = tinygrad_edu.from_numpy(X)
    assert (tinygrad_edu.tanh(z) - (2 * tinygrad_edu.sigmoid(2 * z) - 1)).abs().max().item() < 1e-12


def test_d11_the_handwriting_preview_is_covered_by_the_mnist_examples():
    covered = set()
    for path in (ROOT / "examples").glob("3[1-5]_*.py"):
        covered |= rows(path.name)
    assert {f"B{i}" for i in range(1, 13)} <= covered


def test_f10_feedforward_of_another_article_records_gradients():
    biases = [tinygrad_edu.zeros(n, 1, dtype=DOUBLE, requires_grad=True) for n in (5, 10)]
    weights = [tinygrad_edu.ones(n, m, dtype=DOUBLE, requires_grad=True) for n, m in ((5, 8), (10, 5))]
    a = tensor(np.linspace(-1, 1, 8)[:, None].tolist())
    for b, w in zip(biases, weights, strict=True):
        a = sigmoid(np.dot(w, a) + b)
    a.sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in biases + weights)

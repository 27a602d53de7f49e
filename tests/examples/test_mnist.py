"""The digit networks follow torch from the same seed, on the embedded digits always, on MNIST where it is given."""

import functools
import os

import numpy as np
import pytest

import tinygrad_edu
from tests.examples import report
from tests.oracle import torch

BATCH = 50


def needs_mnist(test):
    test.needs_mnist = True  # conftest.py takes these out where TINYGRAD_EDU_DATA is not set
    return test


@functools.cache
def digits():
    bundle = tinygrad_edu.datasets.Digits()
    x, y = bundle.data.numpy().reshape(-1, 64), bundle.targets.numpy()
    return x[:1400], y[:1400], x[1400:], y[1400:]


@functools.cache
def mnist():
    folder = os.environ["TINYGRAD_EDU_DATA"]
    train, test = (tinygrad_edu.vision.datasets.MNIST(folder, train=part) for part in (True, False))
    parts = [(s.data.numpy().reshape(-1, 784).astype(np.float32) / 255, s.targets.numpy()) for s in (train, test)]
    (x, y), (x_test, y_test) = parts
    return x[:55000], y[:55000], x_test, y_test


def network(t, n_inputs):
    layers = []
    for n_in, n_out in ((n_inputs, 300), (300, 100), (100, 10)):
        linear = t.nn.Linear(n_in, n_out)
        std = 2 / n_in**0.5
        t.nn.init.trunc_normal_(linear.weight, std=std, a=-2 * std, b=2 * std)
        t.nn.init.zeros_(linear.bias)
        layers += [linear, t.nn.ReLU()]
    return t.nn.Sequential(*layers[:-1])


def train(t, data, seed, epochs, optimizer, double=False):
    """Train under framework ``t``; give the loss of every step and the test accuracy in percent."""
    x, y, x_test, y_test = (t.from_numpy(part) for part in data)
    t.manual_seed(seed)
    net = network(t, x.shape[1])
    if double:  # the same weights, drawn in float32
        net, x, x_test = net.double(), x.double(), x_test.double()
    update = optimizer(t)(net.parameters())
    loss_function = t.nn.CrossEntropyLoss()
    losses = []
    for _ in range(epochs):
        order = t.randperm(len(x))
        for step in range(len(x) // BATCH):
            rows = order[step * BATCH : (step + 1) * BATCH]
            loss = loss_function(net(x[rows]), y[rows])
            update.zero_grad()
            loss.backward()
            update.step()
            losses.append(loss.item())
    with t.no_grad():
        right = (net(x_test).argmax(dim=1) == y_test).sum().item()
    return np.array(losses), 100 * right / len(x_test)


def sgd(t):
    return lambda parameters: t.optim.SGD(parameters, lr=0.01)


def adam(t):
    return lambda parameters: t.optim.Adam(parameters, lr=1e-3)


def both_runs(data, seed, epochs, optimizer):
    torch.set_num_threads(1)
    ours = train(tinygrad_edu, data, seed, epochs, optimizer)
    theirs = train(torch, data, seed, epochs, optimizer)
    return *ours, *theirs


def parting(ours, theirs):
    """Give the largest relative difference of the losses over the first 200 steps."""
    return np.max(np.abs(ours[:200] - theirs[:200]) / theirs[:200])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_digits_follow_torch_under_sgd(seed):
    losses, accuracy, their_losses, their_accuracy = both_runs(digits(), seed, 8, sgd)
    assert len(losses) >= 200
    assert parting(losses, their_losses) < 1e-5
    assert accuracy == pytest.approx(their_accuracy, abs=0.1)


def test_digits_follow_torch_under_adam():
    _, accuracy, _, their_accuracy = both_runs(digits(), 0, 20, adam)
    assert accuracy >= 90
    assert accuracy == pytest.approx(their_accuracy, abs=0.3)


# Of the first four seeds, 2 is one where rounding decides: an input of a relu comes so close to 0 that torch in
# float32 and torch in float64 put it on different sides, at step 107. There the comparison has to end.
@needs_mnist
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_real_mnist_follows_torch_under_sgd(seed, record_property):
    losses, accuracy, their_losses, their_accuracy = both_runs(mnist(), seed, 2, sgd)
    assert len(losses) == 2 * 1100
    assert parting(losses, their_losses) < 1e-5
    assert accuracy == pytest.approx(their_accuracy, abs=0.1)
    record_property(report.MNIST, f"seed {seed}: {accuracy:.2f} %, torch {their_accuracy:.2f} %")


@needs_mnist
def test_real_mnist_at_seed_2_follows_torch_until_torch_leaves_itself(record_property):
    losses, accuracy, their_losses, their_accuracy = both_runs(mnist(), 2, 2, sgd)
    wide, _ = train(torch, mnist(), 2, 1, sgd, double=True)
    apart = np.abs(their_losses[:200] - wide[:200]) / wide[:200] > 1e-5
    end = int(apart.argmax()) if apart.any() else 200  # another processor may round to the same side
    assert end > 50
    assert parting(losses[:end], their_losses[:end]) < 1e-5
    assert accuracy == pytest.approx(their_accuracy, abs=0.3)
    record_property(report.PARTED, f"MNIST, seed 2, ends at step {end}: torch's float64 parts there from its float32")


# Adam at a constant rate multiplies rounding after some hundred steps: at one seed torch in float32 and torch in
# float64 end up to 0.34 points apart (97.44 and 97.78 at seed 1). So the ends are compared by their mean.
@needs_mnist
def test_real_mnist_reaches_97_percent_under_adam(record_property):
    runs = [both_runs(mnist(), seed, 3, adam) for seed in (0, 2, 3)]
    for losses, _, their_losses, _ in runs:
        assert parting(losses, their_losses) < 1e-5
    accuracy, their_accuracy = (np.mean([run[side] for run in runs]) for side in (1, 3))
    assert accuracy >= 97
    assert accuracy == pytest.approx(their_accuracy, abs=0.3)
    record_property(report.MNIST, f"Adam: {accuracy:.2f} %, torch {their_accuracy:.2f} %")

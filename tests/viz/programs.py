"""Small programs to step through, each a function that gives its loss and the model or the names of its tensors."""

from __future__ import annotations

from hypothesis import strategies as st

import tinygrad_edu as t
from tinygrad_edu import nn
from tinygrad_edu.nn import functional as F

PROGRAMS = {}


def program(function):
    """Put a program on the list; its random numbers are the same in every run."""

    def seeded():
        t.manual_seed(3)
        return function()

    PROGRAMS[function.__name__] = seeded
    return seeded


@program
def net_of_seed_0():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear1 = nn.Linear(3, 3)
            nn.init.xavier_normal_(self.linear1.weight)
            self.linear2 = nn.Linear(3, 2)
            nn.init.kaiming_normal_(self.linear2.weight)
            self.out = nn.Linear(2, 2)

        def forward(self, x):
            x = t.sigmoid(self.linear1(x))
            x = t.relu(self.linear2(x))
            return t.softmax(self.out(x), dim=-1)

    model = Model()
    return F.mse_loss(model(t.randn(5, 3)), t.tensor([[0.0, 1.0]] * 5)), {"model": model}


@program
def net_of_seed_4():
    model = nn.Sequential(nn.Linear(1, 10), nn.ReLU(), nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 1))
    x = t.linspace(-1, 1, 100).unsqueeze(1)
    return F.mse_loss(model(x), x.pow(2) + 0.2 * t.rand(x.size())), {"model": model}


@program
def convolutional_network():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))
    return F.cross_entropy(model(t.randn(2, 1, 6, 6)), t.tensor([0, 2])), {"model": model}


@program
def attention():
    wq, wk, wv = (t.randn(4, 4, requires_grad=True) for _ in "qkv")
    x = t.randn(2, 3, 4)
    q, k, v = x @ wq, x @ wk, x @ wv
    return (t.softmax(q @ k.mT / 2.0, -1) @ v).square().mean(), {"names": {"wq": wq, "wk": wk, "wv": wv}}


@program
def fan_out():
    x = t.tensor([0.5, -1.5], requires_grad=True)
    y = x * x
    return (y * y + y.exp() * x - y / 4).sum(), {"names": {"x": x}}


@program
def broadcasting():
    rows, column, number = (t.randn(shape, requires_grad=True) for shape in ((2, 3), (2, 1), ()))
    bias = t.randn(3, requires_grad=True)
    return ((rows + bias) * column - number).tanh().mean(), {
        "names": {"rows": rows, "bias": bias, "column": column, "number": number}
    }


@program
def in_place():
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 2
    y += 1
    y[0] *= x[1]
    return y.sum(), {"names": {"x": x}}


@program
def chain_of_200():
    x = t.tensor([[0.3, -0.7]], requires_grad=True)
    y = x
    for i in range(200):
        y = (y.tanh, y.exp, y.neg, y.sigmoid)[i % 4]()
    return y.sum(), {"names": {"x": x}}


# ---- programs drawn at random


@st.composite
def drawn_programs(draw):
    """A program of a few operations on values that were made before, with fan-out, broadcasting, views and products."""
    shapes = [(3,), (2, 3), (2, 1), (), (3, 3)]
    leaves = [shapes[draw(st.integers(0, len(shapes) - 1))] for _ in range(draw(st.integers(1, 3)))]
    choices = draw(
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8)
    )

    def run():
        t.manual_seed(1)
        made = [t.randn(shape, requires_grad=True) for shape in leaves]
        names = {f"leaf{i}": leaf for i, leaf in enumerate(made)}
        for which, first, second in choices:
            x, y = made[first % len(made)], made[second % len(made)]
            try:
                made.append(_step(which, x, y))
            except (RuntimeError, IndexError):  # shapes that do not fit
                continue
        total = sum((x.sum() for x in made[1:]), made[0].sum())
        return total, {"names": names}

    return run


def _step(which, x, y):
    return (
        lambda: x + y,
        lambda: x * y,
        lambda: x - y,
        lambda: x @ y,
        lambda: x.tanh(),
        lambda: x.sum(0),
        lambda: x.mean(-1, keepdim=True),
        lambda: t.cat([x, x, y]),
        lambda: x[0] * 2,
        lambda: F.softmax(x, -1).mT,
    )[which]()

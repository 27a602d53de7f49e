"""Small programs whose pictures the tests compare: each gives what to draw and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinygrad_edu as t
from tinygrad_edu import nn, viz
from tinygrad_edu.nn import functional as F

Program = Callable[[], dict[str, Any]]
PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    PROGRAMS[function.__name__] = function
    return function


def leaf(*values: float) -> t.Tensor:
    return t.tensor(list(values), requires_grad=True)


class Block(nn.Module):
    """A residual block."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.fc = nn.LayerNorm(3), nn.Linear(3, 3)

    def forward(self, x: t.Tensor) -> t.Tensor:
        return x + self.fc(self.norm(x)).relu()


class Convolutional(nn.Module):
    """Features in a Sequential of their own, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2))
        self.head = nn.Linear(8, 3)

    def forward(self, x: t.Tensor) -> t.Tensor:
        return self.head(self.features(x).flatten(1))


@program
def square() -> dict[str, Any]:
    a = t.tensor(3.0, requires_grad=True)
    return {"output": a * a, "names": {"a": a}}


@program
def one_leaf() -> dict[str, Any]:
    x = leaf(1.0, 2.0)
    return {"output": x, "names": {"x": x}}


@program
def fan_out_both_ways() -> dict[str, Any]:
    x = leaf(1.0, 2.0)
    with viz.record() as tape:
        y = x * 2
        (y * y + y).sum().backward()
    return {"output": tape.diagram(), "view": "both"}


@program
def broadcasting() -> dict[str, Any]:
    x, b = t.ones(2, 3, requires_grad=True), leaf(1.0, 2.0, 3.0)
    return {"output": (x + b).sum(), "names": {"x": x, "b": b}}


@program
def multilayer_perceptron() -> dict[str, Any]:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    return {"output": F.mse_loss(net(t.ones(4, 2)), t.zeros(4, 1)), "model": net, "values": False}


@program
def backward_of_a_layer() -> dict[str, Any]:
    net = nn.Linear(2, 1)
    return {"output": net(t.ones(1, 2)).sum(), "model": net, "view": "backward", "values": False}


@program
def convolution_folded() -> dict[str, Any]:
    net = Convolutional()
    return {"output": net(t.ones(1, 1, 6, 6)).sum(), "model": net, "depth": 1}


@program
def twelve_blocks() -> dict[str, Any]:
    net = nn.Sequential(*[Block() for _ in range(12)])
    return {"output": net(t.ones(2, 3)).sum(), "model": net}


@program
def what_is_kept() -> dict[str, Any]:
    w = leaf(0.5, -1.0)
    return {"output": (w.exp() * t.ones(2)).sum(), "names": {"w": w}, "saved": True, "values": False, "rankdir": "TB"}


@program
def written_in_place_and_cut() -> dict[str, Any]:
    x = leaf(1.0, 4.0)
    with viz.record() as tape:
        y = x * 3
        z = y.detach()
        h = y + 1
        h.mul_(2)
        (h * z).sum().backward()
    return {"output": tape.diagram(), "values": True}


@program
def not_a_number() -> dict[str, Any]:
    x = leaf(-1.0, 4.0)
    return {"output": x.sqrt().sum(), "names": {"x": x}, "values": True}


@program
def scalars() -> dict[str, Any]:
    a, b = t.tensor(2.0, requires_grad=True), t.tensor(-3.0, requires_grad=True)
    c = a * b + a
    c.backward()
    return {"output": c, "names": {"a": a, "b": b}, "mode": "scalar"}


def drawn(name: str) -> viz.Graph:
    """Draw one of the programs, with the same numbers each time."""
    t.manual_seed(0)
    asked = PROGRAMS[name]()
    return viz.draw(asked.pop("output"), **asked)

"""How long a picture takes: a network of the size of ResNet-18, and multilayer perceptrons of 50, 250 and 1,000 boxes.

    python benchmarks/pictures.py

Each line: boxes and arrows of the picture, the time to read the graph, to choose boxes and arrows, to lay them out and write the SVG
without any program, and the size of the SVG; then the time of graphviz's ``dot`` for the same, where it is installed. The aim is 2 s
for the network without ``dot``.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import tinygrad_edu as torch
from tinygrad_edu import nn, viz
from tinygrad_edu.viz._graph import read

ROUNDS = 5


class BasicBlock(nn.Module):
    """Two convolutions and a way around them (He et al., 2015)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        narrower = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.downsample = narrower if stride != 1 or inputs != outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        around = x if self.downsample is None else self.downsample(x)
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + around)


class ResNet18(nn.Module):
    """The layers of ResNet-18; its channels, which no picture shows, are an eighth."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(8, 8, 1), BasicBlock(8, 8, 1))
        self.layer2 = nn.Sequential(BasicBlock(8, 16, 2), BasicBlock(16, 16, 1))
        self.layer3 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32, 1))
        self.layer4 = nn.Sequential(BasicBlock(32, 64, 2), BasicBlock(64, 64, 1))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def perceptron(boxes: int) -> nn.Module:
    """Layers that together have about so many boxes: four each."""
    return nn.Sequential(*[nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(boxes // 4)])


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """The median of some rounds, and the last result."""
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), result


def line(name: str, model: nn.Module, x: torch.Tensor, **options: Any) -> str:
    """Measure one picture."""
    loss = model(x).sum()
    reading, diagram = timed(lambda: read(loss, model=model))
    choosing, graph = timed(lambda: viz.draw(diagram, max_nodes=3000, collapse_repeated=False, **options))
    path, os.environ["PATH"] = os.environ["PATH"], ""
    drawing, picture = timed(graph.svg)
    os.environ["PATH"] = path
    with_dot, other = timed(graph.svg)
    dot = f"{with_dot * 1000:6.0f} ms {len(other) // 1000:5d} kB" if "<title>n" in other else "not installed"
    shown = graph._scene
    return (
        f"{name:28} {len(shown.boxes):5d} {len(shown.arrows):6d} {reading * 1000:6.0f} ms {choosing * 1000:6.0f} ms "
        f"{drawing * 1000:6.0f} ms {len(picture) // 1000:5d} kB   dot {dot}"
    )


def main() -> None:
    """Print the table."""
    torch.manual_seed(0)
    print(f"{'':28} boxes arrows      read    choose      draw      SVG")
    image = torch.randn(2, 3, 32, 32)
    print(line("ResNet-18, all open", ResNet18(), image, depth=9))
    print(line("ResNet-18, default depth", ResNet18(), image))
    for boxes in (50, 250, 1000):
        print(line(f"perceptron, {boxes} boxes", perceptron(boxes), torch.randn(2, 4), depth=9))


if __name__ == "__main__":
    main()

"""Gradient descent ends in the valley it starts in: start often, keep the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

STARTS, STEPS, RATE = 40, 300, 0.05


@dataclass(frozen=True)
class Findings:
    """Where each start began and where it ended."""

    starts: list[float]
    ends: list[float]
    heights: list[float]
    """Of the ends."""
    curve: tuple[list[float], list[float]]
    """The function, to be drawn."""


def valleys(x: Tensor) -> Tensor:
    """sin(3x) + x^2 / 10: several valleys of different depth."""
    return torch.sin(3 * x) + 0.1 * x**2


def run(seed: int) -> Findings:
    """Descend from forty random places side by side."""
    torch.manual_seed(seed)
    x = nn.Parameter(8 * torch.rand(STARTS) - 4)
    starts = x.tolist()
    optimizer = torch.optim.SGD([x], lr=RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        valleys(x).sum().backward()  # the sum keeps the forty apart: each slope is its own
        optimizer.step()
    line = torch.linspace(-5.5, 5.5, 300)
    return Findings(starts, x.tolist(), valleys(x).tolist(), (line.tolist(), valleys(line).tolist()))


def by_valley(found: Findings) -> list[list[tuple[float, float]]]:
    """Gather the ends, each with its height, by valley from left to right; a valley is a place to one decimal."""
    groups: dict[float, list[tuple[float, float]]] = {}
    for end, height in sorted(zip(found.ends, found.heights, strict=True)):
        groups.setdefault(round(end, 1), []).append((end, height))
    return list(groups.values())


def table(found: Findings) -> Table:
    """Show the valleys and how many starts ended in each."""
    return Table(
        [Text("valley at x", "谷底 x"), Text("height", "高度"), Text("starts that end there", "落入的起点数")],
        [[f"{valley[0][0]:.3f}", f"{valley[0][1]:.3f}", str(len(valley))] for valley in by_valley(found)],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the function with its starts and ends, and how many ended where."""
    curve, counts = figure.subplots(1, 2, width_ratios=[3, 2])
    curve.plot(*found.curve, color=GREY, lw=2)
    bottom = min(found.curve[1]) - 0.35
    curve.plot(found.starts, [bottom] * len(found.starts), "|", color=BLUE, ms=10, label=say(Text("starts", "起点")))
    curve.plot(found.ends, found.heights, "o", color=ORANGE, label=say(Text("ends", "终点")))
    curve.set_xlabel("x")
    curve.set_title("sin(3x) + x²/10", fontsize=11)
    curve.legend(loc="upper center")
    groups = by_valley(found)
    counts.bar(range(len(groups)), [len(valley) for valley in groups], color=ORANGE, width=0.6)
    counts.set_xticks(range(len(groups)), [f"{valley[0][0]:.1f}" for valley in groups])
    counts.set_xlabel(say(Text("valley at x", "谷底 x")))
    counts.set_title(say(Text("how many starts ended there", "落入各个谷底的起点数")), fontsize=11)


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    valleys_found = by_valley(found)
    lowest = min(valleys_found, key=lambda valley: valley[0][1])
    (place, height), lucky = lowest[0], len(lowest)
    seen = Text(
        f"Forty random starts end in {len(valleys_found)} different valleys. The lowest lies at x = {place:.3f} with height {height:.3f}, and {lucky} of the "
        f"{len(found.starts)} starts found it; the worst end has height {max(found.heights):.3f}.",
        f"四十个随机起点落入了 {len(valleys_found)} 个不同的谷底。最低的在 x = {place:.3f}，高度 {height:.3f}，{len(found.starts)} 个起点中有 {lucky} 个找到了它；"
        f"最差的终点高度为 {max(found.heights):.3f}。",
    )
    why = Text(
        "Descent knows nothing but the slope under its feet. It goes down into the valley it stands in and stays, because at the bottom the slope is 0. "
        f"Which valley that is, the start decides. One start finds the lowest with chance {lucky / len(found.starts):.0%} here, ten independent ones find it at least once with "
        f"chance {1 - (1 - lucky / len(found.starts)) ** 10:.1%}. So: start often, keep the best.",
        "下降只知道脚下的坡度。它走进自己所在的山谷，就留在那里，因为谷底的坡度是 0。走进哪个山谷，由起点决定。"
        f"在这里，一个起点找到最低谷的机会是 {lucky / len(found.starts):.0%}，十个独立的起点至少有一个找到它的机会是 {1 - (1 - lucky / len(found.starts)) ** 10:.1%}。所以：多次出发，留下最好的。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="local-minima",
    title=Text("Local minima: start often, keep the best", "局部极小值：多次出发，留下最好的"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

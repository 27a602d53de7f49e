"""A learning rate too small, right, and too large in a long narrow valley; and what momentum does there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREEN, GREY, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

STEPS = 60
CURVATURE = (1.0, 40.0)  # a long narrow valley: flat along x, steep along y
START = (4.0, 1.0)
SMALL, MIDDLE, GOOD, LARGE = 0.002, 0.02, 0.04, 0.051
MOMENTUM = 0.8


@dataclass(frozen=True)
class Findings:
    """The paths of five descents, and the height at each step."""

    paths: dict[str, list[list[float]]]
    heights: dict[str, list[float]]
    limit: float
    """2 / largest curvature: beyond this learning rate every step overshoots farther than it began."""
    momentum_gap: float
    """The largest difference between SGD(momentum=) and the formula written out, over all steps."""


def height(x: Tensor) -> Tensor:
    """(x^2 + 40 y^2) / 2."""
    return 0.5 * (torch.tensor(CURVATURE) * x**2).sum()


def descend(rate: float, momentum: float = 0.0) -> tuple[list[list[float]], list[float]]:
    """Walk down from the start; give the places and the heights."""
    x = nn.Parameter(torch.tensor(START))
    optimizer = torch.optim.SGD([x], lr=rate, momentum=momentum)
    path, heights = [x.tolist()], [height(x).item()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        height(x).backward()
        optimizer.step()
        path.append(x.tolist())
        heights.append(height(x).item())
    return path, heights


def by_hand() -> list[list[float]]:
    """Walk with momentum by its formula: V = momentum V + gradient, x = x - rate V."""
    curvature, x, velocity = torch.tensor(CURVATURE), torch.tensor(START), torch.zeros(2)
    path = [x.tolist()]
    for _ in range(STEPS):
        velocity = MOMENTUM * velocity + curvature * x
        x = x - MIDDLE * velocity
        path.append(x.tolist())
    return path


def run(seed: int) -> Findings:
    """Measure; nothing here is random."""
    ways = {"small": (SMALL, 0.0), "middle": (MIDDLE, 0.0), "good": (GOOD, 0.0), "large": (LARGE, 0.0)}
    walks = {name: descend(*way) for name, way in (ways | {"momentum": (MIDDLE, MOMENTUM)}).items()}
    gaps = torch.tensor(walks["momentum"][0]) - torch.tensor(by_hand())
    return Findings(
        paths={name: path for name, (path, _) in walks.items()},
        heights={name: heights for name, (_, heights) in walks.items()},
        limit=2 / max(CURVATURE),
        momentum_gap=gaps.abs().max().item(),
    )


NAMES = {
    "small": Text(f"{SMALL} (too small)", f"{SMALL}（太小）"),
    "middle": Text(f"{MIDDLE}", f"{MIDDLE}"),
    "good": Text(f"{GOOD} (right)", f"{GOOD}（合适）"),
    "large": Text(f"{LARGE} (too large)", f"{LARGE}（太大）"),
    "momentum": Text(f"{MIDDLE}, momentum {MOMENTUM}", f"{MIDDLE}，动量 {MOMENTUM}"),
}
STYLES = {
    "small": (GREY, ":"),
    "middle": (BLUE, "--"),
    "good": (GREEN, "-"),
    "large": (ORANGE, "-."),
    "momentum": (PURPLE, "-"),
}


def table(found: Findings) -> Table:
    """Show the height after some steps."""
    shown = [0, STEPS // 4, STEPS // 2, STEPS]
    return Table(
        [Text("learning rate", "学习率"), *(Text(f"height, step {step}", f"第 {step} 步高度") for step in shown)],
        [[NAMES[name], *(f"{heights[step]:.6f}" for step in shown)] for name, heights in found.heights.items()],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the heights over the steps, and three of the paths in the valley."""
    left, right = figure.subplots(1, 2)
    for name, (colour, style) in STYLES.items():
        left.semilogy(found.heights[name], style, color=colour, lw=2, label=say(NAMES[name]))
    left.set_ylim(1e-6, 1e9)
    left.legend(loc="upper left", ncols=2)
    left.set_xlabel(say(Text("step", "步")))
    left.set_title(say(Text("height by learning rate", "不同学习率下的高度")), fontsize=11)
    x, y = [-1.5 + 0.1 * i for i in range(61)], [-1.6 + 0.05 * i for i in range(65)]
    right.contour(
        x, y, [[0.5 * a * a + 20 * b * b for a in x] for b in y], levels=[0.3, 2, 8, 20, 40], colors="#b0b0b0"
    )
    for name, steps in (("large", 8), ("good", STEPS), ("momentum", STEPS)):
        colour, style = STYLES[name]
        right.plot(*zip(*found.paths[name][: steps + 1], strict=True), style, color=colour, marker="o", ms=3)
    right.plot(0, 0, "k*", ms=12)
    right.set_xlim(-1.5, 4.5)
    right.set_ylim(-1.6, 1.6)
    right.set_xlabel("x")
    right.set_ylabel("y")
    right.set_title(say(Text("three of the ways from above", "俯视其中三条路")), fontsize=11)


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    ends = {name: heights[-1] for name, heights in found.heights.items()}
    start = found.heights["small"][0]
    seen = Text(
        f"All begin at height {start:.0f} and take {STEPS} steps. Learning rate {SMALL} is still at {ends['small']:.2f}, {MIDDLE} at {ends['middle']:.2f}, {GOOD} at {ends['good']:.3f}; "
        f"with {LARGE} the height has grown to {ends['large']:.0f}. Rate {MIDDLE} with momentum {MOMENTUM} is down at {ends['momentum']:.6f}.",
        f"都从高度 {start:.0f} 出发，走 {STEPS} 步。学习率 {SMALL} 还停在 {ends['small']:.2f}，{MIDDLE} 到了 {ends['middle']:.2f}，{GOOD} 到了 {ends['good']:.3f}；"
        f"{LARGE} 反而升高到 {ends['large']:.0f}。学习率 {MIDDLE} 加上动量 {MOMENTUM}，降到了 {ends['momentum']:.6f}。",
    )
    why = Text(
        f"Each step multiplies the distance along a direction by 1 - rate · curvature. Across the valley the curvature is {CURVATURE[1]:.0f}: the factor passes -1 when the rate passes "
        f"2/{CURVATURE[1]:.0f} = {found.limit:.2f}, and then every step lands higher on the other side. Along the valley it is only {CURVATURE[0]:.0f}, so a rate that is safe across is slow along. "
        "Momentum keeps a velocity V = momentum · V + gradient: pushes along the valley add up, pushes across change sign and cancel. The optimizer's steps and this formula "
        f"written out differ by at most {found.momentum_gap:.1g}.",
        f"在每个方向上，一步把距离乘以 1 - 学习率 · 曲率。横跨山谷的曲率是 {CURVATURE[1]:.0f}：学习率一超过 2/{CURVATURE[1]:.0f} = {found.limit:.2f}，这个因子就小于 -1，每一步都落到对岸更高的地方。"
        f"沿山谷的曲率只有 {CURVATURE[0]:.0f}，所以横向安全的学习率，纵向就很慢。动量保存一个速度 V = 动量 · V + 梯度：沿山谷的推力不断累加，横向的推力正负相消。"
        f"优化器的每一步与手写的这个公式最多相差 {found.momentum_gap:.1g}。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="learning-rate",
    title=Text("Learning rate: too small, right, too large; and momentum", "学习率：太小、合适、太大；以及动量"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

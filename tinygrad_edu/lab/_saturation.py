"""The sigmoid saturates: outside [-6, 6] hardly any gradient is left to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Findings:
    """The curve, its slope, and both at a few places."""

    x: list[float]
    height: list[float]
    slope: list[float]
    height_at: dict[int, float]
    slope_at: dict[int, float]
    """Found by backward(), not by the formula."""
    alive_until: float
    """The largest |x| of the curve where at least a hundredth of the best slope is left."""


def run(seed: int) -> Findings:
    """Measure; nothing here is random."""
    # backward() needs one number; the sum makes x.grad[i] the slope at x[i] alone.
    x = torch.linspace(-20, 20, 1000, requires_grad=True)
    y = torch.sigmoid(x)
    y.sum().backward()

    places = [0, 3, 6]
    z = torch.tensor([float(place) for place in places], requires_grad=True)
    a = torch.sigmoid(z)
    a.sum().backward()

    alive = x.grad >= 0.01 * x.grad.max()
    return Findings(
        x=x.tolist(),
        height=y.tolist(),
        slope=x.grad.tolist(),
        height_at=dict(zip(places, a.tolist(), strict=True)),
        slope_at=dict(zip(places, z.grad.tolist(), strict=True)),
        alive_until=x.detach()[alive].abs().max().item(),
    )


def table(found: Findings) -> Table:
    """Show height and slope at 0, 3 and 6."""
    best = found.slope_at[0]
    return Table(
        ["x", Text("sigmoid(x)", "sigmoid(x)"), Text("slope", "斜率"), Text("of the best slope", "占最大斜率")],
        [
            [f"{place}", f"{found.height_at[place]:.6f}", f"{slope:.7f}", f"{slope / best:.2%}"]
            for place, slope in found.slope_at.items()
        ],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the curve and its slope side by side."""
    curve, slope = figure.subplots(1, 2, sharex=True)
    for axes, values, colour in ((curve, found.height, BLUE), (slope, found.slope, ORANGE)):
        axes.axvspan(-6, 6, color="#f0f0f0", zorder=0, label="|x| < 6")
        axes.axvspan(-3, 3, color="#dcebf5", zorder=0, label="|x| < 3")
        axes.plot(found.x, values, color=colour, lw=2)
        axes.set_xlim(-12, 12)
        axes.set_xlabel("x")
    curve.set_title("sigmoid(x)", fontsize=11)
    curve.legend(loc="upper left")
    slope.set_title(say(Text("its slope, what learning lives on", "它的斜率：学习所依赖的梯度")), fontsize=11)
    for place in (3, 6):
        share = found.slope_at[place] / found.slope_at[0]
        slope.plot(place, found.slope_at[place], "o", color=GREY)
        slope.annotate(
            f"x = {place}: {share:.1%}",
            (place, found.slope_at[place]),
            (place + 0.7, found.slope_at[place] + 0.03),
            arrowprops={"arrowstyle": "-", "color": GREY},
        )


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    shares = {place: slope / found.slope_at[0] for place, slope in found.slope_at.items()}
    seen = Text(
        f"The slope of the sigmoid is largest at 0, where it is {found.slope_at[0]:.4f}. At x = 3 only {shares[3]:.1%} of that is left, "
        f"at x = 6 {shares[6]:.2%}. Farther out than |x| = {found.alive_until:.2f} less than a hundredth remains: the unit is saturated.",
        f"sigmoid 的斜率在 0 处最大，为 {found.slope_at[0]:.4f}。到 x = 3 只剩 {shares[3]:.1%}，到 x = 6 只剩 {shares[6]:.2%}。"
        f"当 |x| 超过 {found.alive_until:.2f}，剩下的不到百分之一：这个神经元已经饱和。",
    )
    why = Text(
        f"The slope is sigmoid(x) (1 - sigmoid(x)). Where the output is nearly 1 (here {found.height_at[6]:.4f} at x = 6) or nearly 0, one of the two "
        "factors is nearly 0. The gradient of every weight in front of the unit is multiplied by this slope, so a saturated unit hardly "
        "learns, however wrong it is. Hence inputs are scaled and weights start small: to stay in the steep middle.",
        f"斜率等于 sigmoid(x) (1 - sigmoid(x))。输出接近 1（x = 6 时为 {found.height_at[6]:.4f}）或接近 0 时，两个因子中总有一个接近 0。"
        "这个神经元之前的每个权重，其梯度都要乘以这个斜率，所以饱和的神经元无论错得多离谱，几乎都学不动。"
        "因此要缩放输入、用较小的初始权重，使它停留在中间陡峭的区域。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="saturation",
    title=Text("The sigmoid saturates", "sigmoid 会饱和"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

"""Cross-entropy is smallest when the predicted probability equals the true one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREEN, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

STEPS, RATE = 400, 2.0
TRUTH = (0.1, 0.3, 0.5, 0.8)


@dataclass(frozen=True)
class Findings:
    """Four predictions on their way to four truths, and the curves they roll down."""

    truth: list[float]
    predictions: list[list[float]]
    """At every step, one for each truth."""
    ends: list[float]
    """The cross-entropy of each last prediction."""
    entropies: list[float]
    """Of the truths: no cross-entropy can be less."""
    p: list[float]
    curves: list[list[float]]
    """The cross-entropy of each truth with every p."""


def cross_entropy(truth: Tensor, p: Tensor) -> Tensor:
    """-(x log p + (1 - x) log(1 - p))."""
    return -(truth * torch.log(p) + (1 - truth) * torch.log(1 - p))


def run(seed: int) -> Findings:
    """Descend; nothing here is random."""
    truth = torch.tensor(TRUTH)
    z = nn.Parameter(torch.zeros(len(TRUTH)))  # p = sigmoid(z) stays a probability whatever z becomes
    optimizer = torch.optim.SGD([z], lr=RATE)
    predictions = [torch.sigmoid(z).tolist()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        cross_entropy(truth, torch.sigmoid(z)).sum().backward()
        optimizer.step()
        predictions.append(torch.sigmoid(z).tolist())
    p = torch.linspace(0.01, 0.99, 99)
    return Findings(
        truth=truth.tolist(),
        predictions=predictions,
        ends=cross_entropy(truth, torch.sigmoid(z)).tolist(),
        entropies=cross_entropy(truth, truth).tolist(),
        p=p.tolist(),
        curves=[cross_entropy(x, p).tolist() for x in truth],
    )


def table(found: Findings) -> Table:
    """Show truth, prediction, and both entropies."""
    return Table(
        [
            Text("truth", "真实概率"),
            Text("prediction", "预测概率"),
            Text("cross-entropy", "交叉熵"),
            Text("entropy of the truth", "真实分布的熵"),
        ],
        [
            [f"{x:.1f}", f"{p:.6f}", f"{end:.6f}", f"{entropy:.6f}"]
            for x, p, end, entropy in zip(found.truth, found.predictions[-1], found.ends, found.entropies, strict=True)
        ],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the cross-entropy over the prediction, and the predictions over the steps."""
    left, right = figure.subplots(1, 2)
    colours, styles = (BLUE, ORANGE, GREEN, PURPLE), ("-", "--", "-.", ":")
    for i, (colour, style) in enumerate(zip(colours, styles, strict=True)):
        x = found.truth[i]
        left.plot(
            found.p, found.curves[i], style, color=colour, lw=2, label=say(Text(f"truth {x:.1f}", f"真实概率 {x:.1f}"))
        )
        left.plot(found.predictions[-1][i], found.ends[i], "o", color=colour, ms=7)
        right.plot([p[i] for p in found.predictions[:13]], style, color=colour, lw=2, marker="o", ms=3)
    left.set_ylim(0, 3)
    left.set_xlabel(say(Text("prediction p", "预测概率 p")))
    left.set_title(say(Text("cross-entropy; dots: where descent ended", "交叉熵；圆点：下降的终点")), fontsize=11)
    left.legend(loc="upper center")
    right.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0, *(x for x in found.truth if round(10 * x) % 2)])
    right.set_ylim(0, 1)
    right.set_xlabel(say(Text("step", "步")))
    right.set_title(say(Text("predictions in the first 12 steps", "前 12 步的预测")), fontsize=11)


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    wrong = max(abs(x - p) for x, p in zip(found.truth, found.predictions[-1], strict=True))
    above = sum(found.ends) - sum(found.entropies)
    start, steps = found.predictions[0][0], len(found.predictions) - 1
    seen = Text(
        f"Four predictions start at {start:.1f} and follow the slope of their cross-entropy. After {steps} steps each equals its true probability to within {wrong:.0e}, and the cross-entropy "
        f"together is {sum(found.ends):.4f}, {abs(above):.0e} from the entropy of the truths, {sum(found.entropies):.4f}.",
        f"四个预测都从 {start:.1f} 出发，沿交叉熵的坡度下降。{steps} 步之后，每个预测与真实概率相差不超过 {wrong:.0e}；"
        f"交叉熵总和为 {sum(found.ends):.4f}，与真实分布的熵 {sum(found.entropies):.4f} 相差 {abs(above):.0e}。",
    )
    why = Text(
        "The slope of -(x log p + (1 - x) log(1 - p)) is (p - x) / (p (1 - p)): negative below p = x, positive above, 0 exactly there. So the loss is smallest when the prediction is the truth, "
        "and what is left then, the entropy, is the uncertainty of the truth itself: "
        f"{max(found.entropies):.4f} for {found.truth[found.entropies.index(max(found.entropies))]:.1f}, {min(found.entropies):.4f} for {found.truth[found.entropies.index(min(found.entropies))]:.1f}. "
        "Through p = sigmoid(z) the slope becomes p - x: a saturated wrong answer still gets a large gradient, which squared error would not give it.",
        "-(x log p + (1 - x) log(1 - p)) 的斜率是 (p - x) / (p (1 - p))：p 小于 x 时为负，大于 x 时为正，恰好在 p = x 处为 0。所以预测等于真实概率时损失最小，"
        "此时剩下的就是熵，即真实情况本身的不确定程度："
        f"概率 {found.truth[found.entropies.index(max(found.entropies))]:.1f} 时为 {max(found.entropies):.4f}，概率 {found.truth[found.entropies.index(min(found.entropies))]:.1f} 时为 {min(found.entropies):.4f}。"
        "经过 p = sigmoid(z)，对 z 的斜率变成 p - x：即使答案错了而且已经饱和，仍能得到很大的梯度，平方误差则做不到。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="cross-entropy",
    title=Text("Cross-entropy is smallest at the truth", "交叉熵在预测等于真实时最小"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

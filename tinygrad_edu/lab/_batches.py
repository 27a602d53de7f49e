"""Batch, mini-batch and stochastic descent: the same gradient in portions, so more steps for the same work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

SAMPLES, EPOCHS, RATE = 60, 5, 0.02
TRUE_WEIGHT = (1.0, -2.0, 0.5)
SIZES = {"batch": 60, "mini-batch": 10, "stochastic": 1}
NAMES = {
    "batch": Text("batch of all 60", "全批量 60 个"),
    "mini-batch": Text("mini-batches of 10", "小批量，每批 10 个"),
    "stochastic": Text("stochastic, one by one", "随机，逐个样本"),
}
STYLES = {"batch": (BLUE, "s-"), "mini-batch": (GREEN, "^--"), "stochastic": (ORANGE, "-")}


@dataclass(frozen=True)
class Findings:
    """The gradient whole and in portions, and three descents over the same data."""

    whole: list[float]
    portions: list[list[float]]
    """The gradients of three mini-batches, each weighed with its share of the samples."""
    losses: dict[str, list[float]]
    """Over all samples, after every step, with the fresh network's first."""
    weights: dict[str, list[list[float]]]
    """The first two weights after every step."""


def gap(found: Findings) -> float:
    """Give the largest difference between the whole gradient and the sum of its portions."""
    sums = (sum(portion) for portion in zip(*found.portions, strict=True))
    return max(abs(whole - total) for whole, total in zip(found.whole, sums, strict=True))


def descend(seed: int, x: Tensor, y: Tensor, size: int) -> tuple[list[float], list[list[float]]]:
    """Fit a linear model with portions of ``size`` samples."""
    torch.manual_seed(seed)
    net = nn.Linear(3, 1)
    loss_function = nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    losses, weights = [loss_function(net(x), y).item()], [net.weight[0, :2].tolist()]
    for _ in range(EPOCHS):
        for rows in torch.randperm(SAMPLES).split(size):
            optimizer.zero_grad()
            loss_function(net(x[rows]), y[rows]).backward()
            optimizer.step()
            losses.append(loss_function(net(x), y).item())
            weights.append(net.weight[0, :2].tolist())
    return losses, weights


def run(seed: int) -> Findings:
    """Compare the gradients of one network, then descend in three ways from the same start."""
    torch.manual_seed(seed)
    x = torch.randn(SAMPLES, 3)
    y = x @ torch.tensor(TRUE_WEIGHT).unsqueeze(1) + 0.1 * torch.randn(SAMPLES, 1)

    net = nn.Linear(3, 1)

    def gradient(rows: Tensor) -> Tensor:
        net.zero_grad()
        nn.functional.mse_loss(net(x[rows]), y[rows]).backward()
        return net.weight.grad.flatten().clone()

    everything = torch.arange(SAMPLES)
    walks = {name: descend(seed, x, y, size) for name, size in SIZES.items()}
    return Findings(
        whole=gradient(everything).tolist(),
        portions=[(gradient(rows) * len(rows) / SAMPLES).tolist() for rows in everything.split(20)],
        losses={name: losses for name, (losses, _) in walks.items()},
        weights={name: weights for name, (_, weights) in walks.items()},
    )


def table(found: Findings) -> Table:
    """Show the loss after each epoch."""
    rows: list[list[Text | str]] = []
    for name, losses in found.losses.items():
        steps = (len(losses) - 1) // EPOCHS
        rows.append([NAMES[name], str(steps), *(f"{loss:.4f}" for loss in losses[::steps])])
    heads = [Text(f"epoch {epoch}", f"第 {epoch} 轮") for epoch in range(1, EPOCHS + 1)]
    return Table([Text("portions", "每批"), Text("steps an epoch", "每轮步数"), Text("start", "开始"), *heads], rows)


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the loss over the epochs, and the way of two weights."""
    left, right = figure.subplots(1, 2)
    for name, (colour, style) in STYLES.items():
        losses = found.losses[name]
        epochs = [EPOCHS * step / (len(losses) - 1) for step in range(len(losses))]
        left.semilogy(epochs, losses, style, color=colour, ms=4, lw=1.5, label=say(NAMES[name]))
        right.plot(*zip(*found.weights[name], strict=True), style, color=colour, ms=4, lw=1.5)
    left.set_xlabel(say(Text("epochs (times through all samples)", "轮次（看完全部样本的次数）")))
    left.set_title(say(Text("loss over all samples", "全部样本上的损失")), fontsize=11)
    left.legend()
    right.plot(*TRUE_WEIGHT[:2], "k*", ms=12)
    right.annotate(
        say(Text("true weights", "真实权重")), TRUE_WEIGHT[:2], (-10, -3), textcoords="offset points", ha="right"
    )
    right.margins(x=0.25)
    right.set_xlabel(say(Text("first weight", "第一个权重")))
    right.set_ylabel(say(Text("second weight", "第二个权重")))
    right.set_title(say(Text("the way of two of the weights", "其中两个权重走过的路")), fontsize=11)


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    ends = {name: losses[-1] for name, losses in found.losses.items()}
    steps = {name: len(losses) - 1 for name, losses in found.losses.items()}
    seen = Text(
        f"After {EPOCHS} times through the same {SAMPLES} samples, one step for all of them each time leaves the loss at {ends['batch']:.3f} (from {found.losses['batch'][0]:.2f}); "
        f"mini-batches of 10 reach {ends['mini-batch']:.3f}, single samples {ends['stochastic']:.4f}. The first path is smooth, the last one trembles.",
        f"同样把 {SAMPLES} 个样本看 {EPOCHS} 遍：每遍只走一步，损失从 {found.losses['batch'][0]:.2f} 降到 {ends['batch']:.3f}；"
        f"每批 10 个，降到 {ends['mini-batch']:.3f}；逐个样本，降到 {ends['stochastic']:.4f}。第一条路平滑，最后一条抖动。",
    )
    why = Text(
        f"The gradient over all samples is the sum of the gradients of its portions, each weighed with its share: the two differ by {gap(found):.0e} here, which is rounding. "
        f"So a portion points roughly the same way at a fraction of the work, and with the same learning rate the three took {steps['batch']}, {steps['mini-batch']} and {steps['stochastic']} steps. "
        "What a portion gets wrong is noise: near the end it keeps single samples from settling, so that there the learning rate is lowered or the batch enlarged.",
        f"全部样本的梯度，等于各批梯度按所占比例加权之和：这里两者只相差 {gap(found):.0e}，是舍入误差。"
        f"所以一小批只花一小部分工夫，指的方向却大致相同；在同一学习率下，三种方式分别走了 {steps['batch']}、{steps['mini-batch']} 和 {steps['stochastic']} 步。"
        "小批指错的部分就是噪声：接近终点时，它使逐个样本的下降安定不下来，这时就要降低学习率，或增大批量。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="batches",
    title=Text("Batch, mini-batch and stochastic descent", "批量、小批量与随机梯度下降"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

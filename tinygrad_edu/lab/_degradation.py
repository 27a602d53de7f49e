"""Thirty plain layers learn nothing where two succeed; adding each layer's input to its output cures it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREEN, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

STEPS = 300
NETWORKS = {"2 plain": (2, False), "30 plain": (30, False), "30 residual": (30, True)}
NAMES = {
    "2 plain": Text("2 layers, plain", "2 层，普通"),
    "30 plain": Text("30 layers, plain", "30 层，普通"),
    "30 residual": Text("30 layers, residual", "30 层，残差"),
}


@dataclass(frozen=True)
class Training:
    """How one network fared."""

    losses: list[float]
    """Before each step, and after the last."""
    accuracy: float
    spreads: list[float]
    """How far the features differ from sample to sample in the fresh network, layer by layer (standard deviation)."""
    gradient: float
    """Gradient norm of the first layer in the fresh network."""


@dataclass(frozen=True)
class Findings:
    """The three networks, by name."""

    trainings: dict[str, Training]


def spiral(n: int) -> tuple[Tensor, Tensor]:
    """Draw two arms of n points each that wind around each other."""
    radius = torch.linspace(0, 1, n)
    angle = 2 * math.pi * radius  # one turn from the centre outwards
    arm = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
    x = torch.cat([arm, -arm]) + 0.02 * torch.randn(2 * n, 2)
    return x, torch.arange(2 * n) // n


class Net(nn.Module):
    """Equal hidden layers, with or without a way past each of them."""

    def __init__(self, depth: int, residual: bool, width: int = 16) -> None:
        super().__init__()
        self.first = nn.Linear(2, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last = nn.Linear(width, 2)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Score the two arms.  (n, 2) -> (n, 2)"""
        return self.last(self.features(x)[-1])

    def features(self, x: Tensor) -> list[Tensor]:
        """Give what the first and then every hidden layer hands on.  (n, 2) -> 1 + depth times (n, width)"""
        handed_on = [torch.relu(self.first(x))]
        for layer in self.hidden:
            x = handed_on[-1]
            change = torch.relu(layer(x))
            handed_on.append(x + change if self.residual else change)  # x + ...: the gradient has a way past the layer
        return handed_on


def train(seed: int, depth: int, residual: bool) -> Training:
    """Learn the spiral with Adam."""
    torch.manual_seed(seed)
    x, y = spiral(100)
    net = Net(depth, residual)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    loss_function = nn.CrossEntropyLoss()
    spreads = [feature.std(dim=0).mean().item() for feature in net.features(x)]
    losses = []
    for step in range(STEPS):
        loss = loss_function(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            gradient = net.first.weight.grad.norm().item()
        optimizer.step()
        losses.append(loss.item())
    scores = net(x)
    losses.append(loss_function(scores, y).item())
    return Training(losses, (scores.argmax(dim=1) == y).float().mean().item(), spreads, gradient)


def run(seed: int) -> Findings:
    """Train all three."""
    return Findings({name: train(seed, *kind) for name, kind in NETWORKS.items()})


def table(found: Findings) -> Table:
    """Show the ends, and what the fresh networks let through."""
    return Table(
        [
            Text("network", "网络"),
            Text("loss", "损失"),
            Text("accuracy", "准确率"),
            Text("fresh: last spread", "训练前末层差异"),
            Text("fresh: first gradient", "训练前首层梯度"),
        ],
        [
            [NAMES[name], f"{t.losses[-1]:.3f}", f"{t.accuracy:.2f}", f"{t.spreads[-1]:.1e}", f"{t.gradient:.1e}"]
            for name, t in found.trainings.items()
        ],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the three losses over the steps, and what is left of the samples' differences in the fresh networks."""
    left, right = figure.subplots(1, 2)
    styles = {"2 plain": (BLUE, "-"), "30 plain": (ORANGE, "--"), "30 residual": (GREEN, "-.")}
    for name, (colour, style) in styles.items():
        training = found.trainings[name]
        left.semilogy(training.losses, style, color=colour, lw=2, label=say(NAMES[name]))
        right.semilogy(training.spreads, style, color=colour, lw=2)
    left.annotate(
        say(Text("ln 2: guessing between two classes", "ln 2：在两类之间瞎猜")),
        (STEPS, math.log(2)),
        (0, 6),
        textcoords="offset points",
        ha="right",
    )
    left.set_xlabel(say(Text("step", "步")))
    left.set_title(say(Text("loss", "损失")), fontsize=11)
    left.legend(loc="upper right")
    right.set_xlabel(say(Text("hidden layer", "第几个隐藏层")))
    right.set_title(
        say(Text("before training: how far samples still differ", "训练前：样本之间还剩多少差异")), fontsize=11
    )


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    shallow, plain, residual = (found.trainings[name] for name in NETWORKS)
    seen = Text(
        f"Two hidden layers learn the spiral to a loss of {shallow.losses[-1]:.3f}. Thirty plain layers, which could do at least as well, end at "
        f"{plain.losses[-1]:.3f} with accuracy {plain.accuracy:.2f} on the very points they were trained on; guessing gives {math.log(2):.3f} and 0.50. "
        f"The same thirty layers with x + layer(x) instead of layer(x) reach {residual.losses[-1]:.3f} and {residual.accuracy:.2f}.",
        f"两个隐藏层把螺旋学到损失 {shallow.losses[-1]:.3f}。三十个普通层本该至少同样好，结果却停在 {plain.losses[-1]:.3f}，在训练用的那些点上准确率也只有 {plain.accuracy:.2f}；"
        f"瞎猜的损失是 {math.log(2):.3f}，准确率 0.50。同样三十层，把 layer(x) 换成 x + layer(x)，就达到 {residual.losses[-1]:.3f} 和 {residual.accuracy:.2f}。",
    )
    why = Text(
        "This is no overfitting: the training itself fails. With the usual start each plain layer shrinks the differences between samples, so that the "
        f"fresh network's last features differ by only {plain.spreads[-1]:.0e} from sample to sample, which is rounding ({plain.spreads[0]:.1f} after the first layer), and on the way back the gradient shrinks as well: "
        f"{plain.gradient:.0e} arrives at the first layer. In a residual network the plus sign hands both on past each layer, undiminished: the last features differ by "
        f"{residual.spreads[-1]:.2g}, the first layer gets {residual.gradient:.2g}. A layer need only learn what to add; to do nothing is easy for it.",
        "这不是过拟合：训练本身就失败了。按常用的初始化，每个普通层都会缩小样本之间的差异，"
        f"训练前，样本之间的差异在第一层之后是 {plain.spreads[0]:.1f}，到最后一层只剩 {plain.spreads[-1]:.0e}，不过是舍入误差；向回传时梯度也同样缩小，到达第一层的只有 {plain.gradient:.0e}。"
        f"在残差网络中，加号让信号和梯度都能绕过每一层而不减弱：最后一层的差异是 {residual.spreads[-1]:.2g}，第一层得到 {residual.gradient:.2g}。"
        "每层只需学习该加上什么；什么都不做，对它来说很容易。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="degradation",
    title=Text("Degradation, and the residual cure", "退化问题与残差连接"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

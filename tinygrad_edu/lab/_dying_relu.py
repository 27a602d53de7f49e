"""A ReLU unit whose input is negative for every sample gets no gradient: it is dead, and large steps kill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREEN, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

UNITS, STEPS, RUNS = 50, 50, 5
RATES = (0.1, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Training:
    """One network after its training."""

    dead_at_start: float
    dead_at_end: float
    loss: float
    curve: list[float]

    @property
    def diverged(self) -> bool:
        """Whether the loss ended above 1, though y lies between 0 and 1."""
        return not self.loss < 1


@dataclass(frozen=True)
class Findings:
    """Five trainings for each learning rate, and the slopes of a unit that is off."""

    x: list[float]
    trainings: dict[float, list[Training]]
    slope_when_off: dict[str, float]
    constant_loss: float
    """Of the best network that is a constant: the variance of y."""


def dead(net: nn.Sequential, x: Tensor) -> float:
    """Give the share of hidden units that are silent on every sample."""
    with torch.no_grad():
        return (net[0](x) <= 0).all(dim=0).float().mean().item()


def train(seed: int, rate: float, x: Tensor) -> Training:
    """Fit y = x^2 with 50 hidden units by plain gradient descent."""
    torch.manual_seed(seed)
    y = x**2
    net = nn.Sequential(nn.Linear(1, UNITS), nn.ReLU(), nn.Linear(UNITS, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    at_start = dead(net, x)
    for _ in range(STEPS):
        loss = nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Training(at_start, dead(net, x), loss.item(), net(x).flatten().tolist())


def run(seed: int) -> Findings:
    """Train with five seeds, beginning with this one, at each learning rate."""
    x = torch.linspace(-1, 1, 100).unsqueeze(1)
    slopes = {}
    for name, activation in (("relu", nn.ReLU()), ("leaky relu", nn.LeakyReLU(0.1))):
        z = torch.tensor([-1.0], requires_grad=True)
        activation(z).sum().backward()
        slopes[name] = z.grad.item()
    return Findings(
        x=x.flatten().tolist(),
        trainings={rate: [train(seed + i, rate, x) for i in range(RUNS)] for rate in RATES},
        slope_when_off=slopes,
        constant_loss=(x**2).var(correction=0).item(),
    )


def spread(shares: list[float]) -> str:
    """Write the smallest and the largest of some shares."""
    low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
    return low if low == high else f"{low}–{high}"


def table(found: Findings) -> Table:
    """Show dead units and loss for each learning rate."""
    rows: list[list[Text | str]] = []
    for rate, trainings in found.trainings.items():
        losses = sorted(training.loss for training in trainings)
        rows.append(
            [
                f"{rate}",
                spread([training.dead_at_start for training in trainings]),
                spread([training.dead_at_end for training in trainings]),
                f"{losses[len(losses) // 2]:.3f}",
                f"{sum(training.diverged for training in trainings)} / {len(trainings)}",
            ]
        )
    return Table(
        [
            Text("learning rate", "学习率"),
            Text("dead at the start", "开始时死亡"),
            Text("dead at the end", "结束时死亡"),
            Text("median loss", "损失中位数"),
            Text("diverged", "发散"),
        ],
        rows,
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the share of dead units for each rate, and what two of the networks have learnt."""
    left, right = figure.subplots(1, 2)
    rates = list(found.trainings)
    for place, trainings in enumerate(found.trainings.values()):
        shares = [100 * training.dead_at_end for training in trainings]
        left.plot([place] * len(shares), shares, "o", color=ORANGE, alpha=0.6)
    start = [100 * training.dead_at_start for trainings in found.trainings.values() for training in trainings]
    left.axhline(sum(start) / len(start), ls="--", color=GREY, label=say(Text("before training", "训练前")))
    left.plot([], [], "o", color=ORANGE, label=say(Text("after training, one dot a seed", "训练后，每点一个种子")))
    left.set_xticks(range(len(rates)), [str(rate) for rate in rates])
    left.set_ylim(0, 105)
    left.set_xlabel(say(Text("learning rate", "学习率")))
    left.set_title(say(Text("dead units in percent", "死亡单元的百分比")), fontsize=11)
    left.legend(loc="center right")
    right.plot(found.x, [x * x for x in found.x], color=GREY, lw=5, alpha=0.4, label="y = x²")
    for rate, colour, style in ((0.1, BLUE, "-"), (0.5, GREEN, "--")):
        name = say(Text(f"learning rate {rate}", f"学习率 {rate}"))
        right.plot(found.x, found.trainings[rate][0].curve, style, color=colour, lw=2, label=name)
    right.set_xticks([-1, -0.5, 0, 0.5, 1])
    right.set_xlabel("x")
    right.set_title(say(Text("what the network has learnt", "网络学到的函数")), fontsize=11)
    right.legend(loc="upper center")


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    small, large, huge = found.trainings[0.1], found.trainings[0.5], found.trainings[1.0]
    at_start = spread([training.dead_at_start for training in small])
    after_small = spread([training.dead_at_end for training in small])
    after_large = spread([training.dead_at_end for training in large])
    lost = [training.loss for training in large if training.dead_at_end == 1]
    diverged = sum(training.diverged for training in huge)
    highest = max(training.loss for training in huge)
    seen = Text(
        f"Before training {at_start} of the {UNITS} units are off for every x in [-1, 1]. After {STEPS} steps it is {after_small} with learning rate 0.1. With 0.5 it is "
        f"{after_large}, and {len(lost)} of {len(large)} networks have lost all their units. With learning rate 1, {diverged} of {len(huge)} trainings diverge, to a loss of up to {highest:.0f}.",
        f"训练前，{UNITS} 个单元中有 {at_start} 对 [-1, 1] 内的每个 x 都关闭。训练 {STEPS} 步之后，学习率 0.1 时是 {after_small}；学习率 0.5 时是 {after_large}，"
        f"{len(large)} 个网络中有 {len(lost)} 个失去了全部单元。学习率为 1 时，{len(huge)} 次训练中有 {diverged} 次发散，损失最高到了 {highest:.0f}。",
    )
    why = Text(
        "A ReLU that is off has slope "
        f"{found.slope_when_off['relu']:.0f}. A unit that is off for all samples therefore gets gradient 0 from each, its weights never move again, and it stays off. "
        "A step that is too long throws weights and biases so far that no sample switches the unit on any more. With all units dead the network is a constant, "
        f"and the best constant, the mean of y, has loss {found.constant_loss:.3f}. Even at the start about a quarter is dead by chance: whenever the drawn bias is below minus the size of "
        f"the drawn weight. A leaky ReLU lets {found.slope_when_off['leaky relu']:.1f} of the gradient through, so its units can come back.",
        f"ReLU 关闭时斜率为 {found.slope_when_off['relu']:.0f}。一个单元若对所有样本都关闭，从每个样本得到的梯度都是 0，权重再也不动，于是一直关闭下去。"
        f"步子太大，会把权重和偏置甩得太远，以致没有任何样本能再打开它。单元全部死亡后，网络只是一个常数，而最好的常数，即 y 的平均值，损失是 {found.constant_loss:.3f}。"
        "即使在开始时，也有约四分之一碰巧是死的：只要抽到的偏置小于权重绝对值的相反数。"
        f"leaky ReLU 能让 {found.slope_when_off['leaky relu']:.1f} 倍的梯度通过，所以它的单元能够复活。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="dying-relu",
    title=Text("Dying ReLU: long steps switch units off for good", "ReLU 死亡：步子太大会把单元永远关掉"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

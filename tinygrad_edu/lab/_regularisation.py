"""A net too large for its data learns the noise; weight decay and dropout keep test and training loss together."""

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

POINTS, TEST_POINTS, NOISE, STEPS = 20, 500, 0.3, 400
WEIGHT_DECAY, DROPOUT = 2.0, 0.3
WAYS = {"nothing": (0.0, 0.0), "weight decay": (0.0, WEIGHT_DECAY), "dropout": (DROPOUT, 0.0)}
NAMES = {
    "nothing": Text("nothing", "不加限制"),
    "weight decay": Text(f"weight decay {WEIGHT_DECAY:.0f}", f"权重衰减 {WEIGHT_DECAY:.0f}"),
    "dropout": Text(f"dropout {DROPOUT}", f"dropout {DROPOUT}"),
}


@dataclass(frozen=True)
class Training:
    """One fitted network."""

    training: float
    test: float
    weight_norm: float
    curve: list[float]

    @property
    def gap(self) -> float:
        """How much worse it is on points it has not seen."""
        return self.test - self.training


@dataclass(frozen=True)
class Findings:
    """Three networks that saw the same twenty points."""

    x: list[float]
    y: list[float]
    line: list[float]
    trainings: dict[str, Training]


def points(n: int) -> tuple[Tensor, Tensor]:
    """Draw points of sin(3x) with noise."""
    x = 2 * torch.rand(n, 1) - 1
    return x, torch.sin(3 * x) + NOISE * torch.randn(n, 1)


def train(seed: int, dropout: float, weight_decay: float, line: Tensor) -> Training:
    """Fit two hidden layers of 100 units, more than 10,000 parameters, to twenty points."""
    torch.manual_seed(seed)
    x, y = points(POINTS)
    x_test, y_test = points(TEST_POINTS)
    net = nn.Sequential(
        nn.Linear(1, 100),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(100, 100),
        nn.Tanh(),
        nn.Dropout(dropout),
        nn.Linear(100, 1),
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=weight_decay)
    loss_function = nn.MSELoss()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss_function(net(x), y).backward()
        optimizer.step()
    net.eval()  # dropout only thins the net while it learns
    with torch.no_grad():
        return Training(
            training=loss_function(net(x), y).item(),
            test=loss_function(net(x_test), y_test).item(),
            weight_norm=torch.cat([p.flatten() for p in net.parameters()]).norm().item(),
            curve=net(line).flatten().tolist(),
        )


def run(seed: int) -> Findings:
    """Fit in three ways."""
    torch.manual_seed(seed)
    x, y = points(POINTS)  # the same that each training draws
    line = torch.linspace(-1, 1, 200).unsqueeze(1)
    return Findings(
        x=x.flatten().tolist(),
        y=y.flatten().tolist(),
        line=line.flatten().tolist(),
        trainings={name: train(seed, *way, line) for name, way in WAYS.items()},
    )


def table(found: Findings) -> Table:
    """Show the losses on seen and unseen points."""
    return Table(
        [
            Text("regularisation", "正则化"),
            Text("training loss", "训练损失"),
            Text("test loss", "测试损失"),
            Text("gap", "差距"),
            Text("norm of weights", "权重范数"),
        ],
        [
            [NAMES[name], f"{t.training:.3f}", f"{t.test:.3f}", f"{t.gap:.3f}", f"{t.weight_norm:.1f}"]
            for name, t in found.trainings.items()
        ],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the three curves through the points, and the losses as bars."""
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    left.plot(found.x, found.y, "ko", ms=5, label=say(Text("the 20 points", "20 个点")))
    truth = torch.sin(3 * torch.tensor(found.line)).tolist()
    left.plot(
        found.line, truth, color=GREY, lw=5, alpha=0.35, label=say(Text("without noise: sin(3x)", "无噪声：sin(3x)"))
    )
    styles = {"nothing": (ORANGE, "-"), "weight decay": (BLUE, "--"), "dropout": (GREEN, "-.")}
    for name, (colour, style) in styles.items():
        left.plot(found.line, found.trainings[name].curve, style, color=colour, lw=2, label=say(NAMES[name]))
    left.set_xlabel("x")
    left.legend(loc="lower right")
    left.set_title(say(Text("what the networks made of 20 points", "网络从 20 个点学到的曲线")), fontsize=11)
    places = range(len(found.trainings))
    losses = {
        Text("training points", "训练点"): [training.training for training in found.trainings.values()],
        Text("new points", "新的点"): [training.test for training in found.trainings.values()],
    }
    for (kind, heights), shift, colour, hatch in zip(
        losses.items(), (-0.2, 0.2), (BLUE, ORANGE), ("", "//"), strict=True
    ):
        right.bar(
            [p + shift for p in places], heights, 0.38, color=colour, hatch=hatch, edgecolor="white", label=say(kind)
        )
    right.set_xticks(places, [say(NAMES[name]) for name in found.trainings], fontsize=9)
    right.set_title(say(Text("loss", "损失")), fontsize=11)
    right.margins(y=0.25)
    right.legend(loc="upper right", ncols=2)


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    free, decay, dropout = (found.trainings[name] for name in WAYS)
    helped = [name for name in ("weight decay", "dropout") if found.trainings[name].gap < free.gap]
    verdict_en = {0: "Neither narrows the gap", 1: f"Only {''.join(helped)} narrows the gap", 2: "Both narrow the gap"}
    chinese = {"weight decay": "权重衰减", "dropout": "dropout"}
    verdict_zh = {
        0: "两者都没有缩小差距",
        1: f"只有{''.join(chinese[name] for name in helped)}缩小了差距",
        2: "两者都缩小了差距",
    }
    seen = Text(
        f"Left to itself, the network of more than ten thousand parameters gets {free.training:.3f} on its {POINTS} training points and {free.test:.3f} on new ones: a gap of {free.gap:.3f}. With weight decay "
        f"the gap is {decay.gap:.3f}, with dropout {dropout.gap:.3f}. {verdict_en[len(helped)]} with this seed.",
        f"不加限制时，这个有一万多个参数的网络在 {POINTS} 个训练点上的损失是 {free.training:.3f}，在新的点上是 {free.test:.3f}：差距 {free.gap:.3f}。"
        f"加上权重衰减，差距为 {decay.gap:.3f}；加上 dropout，差距为 {dropout.gap:.3f}。对这个种子，{verdict_zh[len(helped)]}。",
    )
    why = Text(
        f"The noise in the points has variance {NOISE}² = {NOISE**2:.2f}; no honest fit can be much better than that on new points. A training loss far below it means that the network "
        "has begun to learn the noise by heart. Weight decay pulls all weights towards 0 in each step, so that only what many points ask for stays "
        f"(norm {decay.weight_norm:.1f} instead of {free.weight_norm:.1f}); small weights make smooth curves. Dropout switches off {DROPOUT:.0%} of the units at random in each step, so no unit can rely on "
        "particular others to bend the curve through one point.",
        f"这些点的噪声方差是 {NOISE}² = {NOISE**2:.2f}，老实的拟合在新的点上不可能比它好多少。训练损失远低于它，就说明网络已经开始死记噪声。"
        f"权重衰减每一步都把所有权重拉向 0，只有许多点共同需要的才留得下来（范数是 {decay.weight_norm:.1f}，而不是 {free.weight_norm:.1f}）；权重小，曲线就平滑。"
        f"dropout 每一步随机关掉 {DROPOUT:.0%} 的单元，于是没有单元能依靠某几个同伴，把曲线弯到去穿过某一个点。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="regularisation",
    title=Text("Regularisation against overfitting", "用正则化防止过拟合"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

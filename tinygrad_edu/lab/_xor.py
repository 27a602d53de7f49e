"""One layer cannot learn XOR, whatever its weights; with a hidden layer gradient descent finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, ORANGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

STEPS = 500
CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
XOR = (0, 1, 1, 0)
GRID = 61


@dataclass(frozen=True)
class Training:
    """A trained network: its loss, how many corners it has right, and what it answers."""

    loss: float
    accuracy: float
    answers: list[float]
    """The probability of 1 at the four corners."""
    surface: list[list[float]]
    """The same on a grid from -0.5 to 1.5, rows from bottom to top."""


@dataclass(frozen=True)
class Findings:
    """Two networks that learnt, and three neurons made by hand."""

    one_layer: Training
    two_layers: Training
    by_hand: list[float]
    by_hand_smooth: list[float]


def neurons_by_hand(x1: Tensor, x2: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """Either, but not both: three neurons with weights found by thinking."""
    both = activation(x1 + x2 - 1.5)
    either = activation(x1 + x2 - 0.5)
    return activation(-both + either - 0.5)


def heaviside(z: Tensor) -> Tensor:
    """1 where z is not negative, else 0."""
    return (z >= 0).to(z.dtype)


def train(net: nn.Module) -> Training:
    """Learn the four corners with Adam."""
    x, y = torch.tensor(CORNERS), torch.tensor(XOR).float().unsqueeze(1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    loss_function = nn.BCEWithLogitsLoss()
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_function(net(x), y)
        loss.backward()
        optimizer.step()
    line = torch.linspace(-0.5, 1.5, GRID)
    x2, x1 = torch.meshgrid(line, line, indexing="ij")
    with torch.no_grad():
        right = ((net(x) > 0) == (y > 0.5)).float().mean().item()
        surface = torch.sigmoid(net(torch.stack([x1.flatten(), x2.flatten()], dim=1))).reshape(GRID, GRID)
        return Training(loss.item(), right, torch.sigmoid(net(x)).flatten().tolist(), surface.tolist())


def run(seed: int) -> Findings:
    """Train one layer, then two."""
    torch.manual_seed(seed)
    x1, x2 = torch.tensor(CORNERS).T
    return Findings(
        one_layer=train(nn.Linear(2, 1)),
        two_layers=train(nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))),
        by_hand=neurons_by_hand(x1, x2, heaviside).tolist(),
        by_hand_smooth=neurons_by_hand(x1, x2, torch.sigmoid).tolist(),
    )


def table(found: Findings) -> Table:
    """Show the answers at the four corners."""
    corners = [f"({a:.0f}, {b:.0f})" for a, b in CORNERS]
    blank: list[Text | str] = ["", ""]
    rows: list[list[Text | str]] = [
        [Text("XOR", "异或"), *(f"{value}" for value in XOR), *blank],
    ]
    for name, training in (
        (Text("one layer, learnt", "一层，学习得到"), found.one_layer),
        (Text("two layers, learnt", "两层，学习得到"), found.two_layers),
    ):
        answers = [f"{answer:.3f}" for answer in training.answers]
        rows.append([name, *answers, f"{training.loss:.4f}", f"{training.accuracy:.2f}"])
    for name, by_hand in (
        (Text("three neurons by hand, step", "手工三个神经元，阶跃"), found.by_hand),
        (Text("the same with sigmoids", "同上，sigmoid"), found.by_hand_smooth),
    ):
        rows.append([name, *(f"{answer:.5f}" for answer in by_hand), *blank])
    return Table(["", *corners, Text("loss", "损失"), Text("accuracy", "准确率")], rows)


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw what both networks answer everywhere, with the line where they change their mind."""
    both = figure.subplots(1, 2)
    networks = (
        (Text("one layer", "一层"), found.one_layer),
        (Text("two layers", "两层"), found.two_layers),
    )
    for axes, (name, training) in zip(both, networks, strict=True):
        line = [-0.5 + 2 * i / (GRID - 1) for i in range(GRID)]
        shown = axes.contourf(
            line, line, training.surface, levels=[i / 10 for i in range(11)], cmap="PuOr_r", alpha=0.8
        )
        axes.contour(line, line, training.surface, levels=[0.5], colors="black", linewidths=2)
        for (x1, x2), truth in zip(CORNERS, XOR, strict=True):
            axes.plot(x1, x2, "s" if truth else "o", color=ORANGE if truth else BLUE, ms=13, mec="white", mew=2)
            axes.annotate(str(truth), (x1, x2), color="white", ha="center", va="center", fontsize=10)
        axes.set_aspect("equal")
        axes.grid(visible=False)
        axes.set_xlabel("x1")
        axes.set_ylabel("x2")
        right = round(4 * training.accuracy)
        axes.set_title(say(Text(f"{name.en}: {right} of 4 right", f"{name.zh}：4 个角对 {right} 个")), fontsize=11)
    figure.colorbar(shown, ax=list(both), label=say(Text("probability of 1", "答 1 的概率")), shrink=0.85)


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    one, two = found.one_layer, found.two_layers
    smooth = found.by_hand_smooth
    done_en = "all four corners" if two.accuracy == 1 else f"{two.accuracy:.0%} of the corners"
    done_zh = "四个角全部答对" if two.accuracy == 1 else f"答对 {two.accuracy:.0%}"
    seen = Text(
        f"One layer ends at loss {one.loss:.4f} and answers {min(one.answers):.2f} to {max(one.answers):.2f} at the four corners: it knows no better than to say one half. "
        f"With a hidden layer of four units the loss falls to {two.loss:.4f} and {done_en} are right. Three neurons set by hand do it too: {', '.join(f'{a:.0f}' for a in found.by_hand)}.",
        f"一层网络的损失停在 {one.loss:.4f}，在四个角上的回答是 {min(one.answers):.2f} 到 {max(one.answers):.2f}：它只会说“一半”。"
        f"加上四个单元的隐藏层，损失降到 {two.loss:.4f}，{done_zh}。手工设定的三个神经元也能做到：{'、'.join(f'{a:.0f}' for a in found.by_hand)}。",
    )
    why = Text(
        "One layer changes its mind along a straight line, and no straight line has (0,1) and (1,0) on one side and (0,0) and (1,1) on the other; three of four corners are the most it can get, and its "
        f'loss is least, ln 2 = {torch.log(torch.tensor(2.0)).item():.4f}, when it answers one half everywhere. A hidden layer first computes new features, such as "either" and "both", and in these the four '
        "corners can be separated by a line: either, but not both. The neurons made by hand do just this; with sigmoids in place of steps they answer "
        f"{smooth[0]:.3f} where {XOR[0]} is right and {smooth[1]:.3f} where {XOR[1]} is: too soft, but in the right order, which is what learning sharpens.",
        "一层网络只能沿一条直线改变答案，而没有一条直线能把 (0,1) 和 (1,0) 放在一边，(0,0) 和 (1,1) 放在另一边；四个角最多对三个，"
        f"而它的损失在处处回答一半时最小，即 ln 2 = {torch.log(torch.tensor(2.0)).item():.4f}。隐藏层先算出新的特征，例如“至少一个”和“两个都是”；"
        "用这些特征，一条直线就能分开四个角：至少一个，但不是两个都是。手工的神经元做的正是这件事；把阶跃换成 sigmoid，"
        f"答案应为 {XOR[0]} 时它们答 {smooth[0]:.3f}，应为 {XOR[1]} 时答 {smooth[1]:.3f}：太软，但次序正确，学习要做的就是把它变得分明。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="xor",
    title=Text("XOR: one layer cannot, two layers can", "异或：一层不行，两层可以"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

"""At a saddle the slope is 0 but it is no minimum: the Hessian bends both ways, and a little noise escapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tinygrad_edu import Tensor

STEPS, RATE, NOISE = 60, 0.1, 0.01


@dataclass(frozen=True)
class Findings:
    """The bends at the saddle, and where two descents went."""

    slope: list[float]
    hessian: list[list[float]]
    eigenvalues: list[float]
    plain: list[tuple[float, float]]
    noisy: list[tuple[float, float]]


def saddle(point: Tensor) -> Tensor:
    """x^2 - y^2."""
    return point[0] ** 2 - point[1] ** 2


def descend(noise: float) -> list[tuple[float, float]]:
    """Walk downhill from (1, 0), exactly on the ridge that leads to the saddle, until y leaves [-1, 1]."""
    point = nn.Parameter(torch.tensor([1.0, 0.0]))
    optimizer = torch.optim.SGD([point], lr=RATE)
    path = [(1.0, 0.0)]
    for _ in range(STEPS):
        optimizer.zero_grad()
        saddle(point).backward()
        point.grad += noise * torch.randn(2)
        optimizer.step()
        path.append((point[0].item(), point[1].item()))
        if abs(point[1].item()) > 1:
            break
    return path


def run(seed: int) -> Findings:
    """Measure the saddle, then descend without and with noise in the gradient."""
    origin = torch.zeros(2, requires_grad=True)
    (slope,) = torch.autograd.grad(saddle(origin), origin)
    hessian = torch.func.hessian(saddle)(origin)
    torch.manual_seed(seed)
    return Findings(
        slope=(slope + 0).tolist(),  # + 0 makes 0 of -0
        hessian=(hessian + 0).tolist(),
        eigenvalues=torch.linalg.eigvalsh(hessian).tolist(),
        plain=descend(0.0),
        noisy=descend(NOISE),
    )


def height(path: list[tuple[float, float]]) -> float:
    """Give the value at the end of a path."""
    x, y = path[-1]
    return x * x - y * y


def table(found: Findings) -> Table:
    """Show where the two descents end."""
    paths = {
        Text("plain", "普通下降"): found.plain,
        Text(f"with noise {NOISE}", f"加入噪声 {NOISE}"): found.noisy,
    }
    return Table(
        [Text("descent", "下降"), Text("steps", "步数"), "x", "y", "x² - y²"],
        [
            [name, str(len(path) - 1), f"{path[-1][0]:.4f}", f"{path[-1][1]:.4f}", f"{height(path):.4f}"]
            for name, path in paths.items()
        ],
    )


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the saddle from above with both paths, and the height along them."""
    above, along = figure.subplots(1, 2)
    x = [-1.2 + 0.05 * i for i in range(49)]
    y = [-1.4 + 0.05 * i for i in range(57)]
    heights = [[a * a - b * b for a in x] for b in y]
    lines = above.contour(x, y, heights, levels=[-1, -0.5, -0.2, 0, 0.2, 0.5, 1], colors="#9a9a9a", linewidths=1)
    above.clabel(lines, fontsize=8)
    styles = (
        (found.noisy, ORANGE, "o-", Text(f"with noise {NOISE}", f"加入噪声 {NOISE}")),
        (found.plain, BLUE, "s--", Text("plain", "普通下降")),
    )
    for path, colour, style, name in styles:
        above.plot(*zip(*path, strict=True), style, color=colour, ms=4, label=say(name))
        along.plot([a * a - b * b for a, b in path], style, color=colour, ms=3, label=say(name))
    above.plot(0, 0, "k*", ms=13)
    above.annotate(
        say(Text("saddle", "鞍点")),
        (0, 0),
        (-0.7, 0.55),
        ha="center",
        bbox={"color": "white"},
        arrowprops={"arrowstyle": "-"},
    )
    above.set_xlabel("x")
    above.set_ylabel("y")
    above.set_title(say(Text("x² - y² from above", "俯视 x² - y²")), fontsize=11)
    along.set_xlabel(say(Text("step", "步")))
    along.set_title(say(Text("height along the way", "沿途的高度")), fontsize=11)
    along.legend()


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    escaped = abs(found.noisy[-1][1]) > 1
    fate_en = "is off the saddle and far below" if escaped else "is still near the saddle"
    fate_zh = "离开了鞍点，落到远低于它的地方" if escaped else "仍在鞍点附近"
    low, high = found.eigenvalues
    seen = Text(
        f"Plain descent from (1, 0) ends after {len(found.plain) - 1} steps at ({found.plain[-1][0]:.4f}, {found.plain[-1][1]:.4f}) with value {height(found.plain):.4f}: at the saddle. With "
        f"random numbers of size {NOISE} added to each gradient it {fate_en} after {len(found.noisy) - 1} steps, at value {height(found.noisy):.2f}.",
        f"从 (1, 0) 出发的普通下降，{len(found.plain) - 1} 步后停在 ({found.plain[-1][0]:.4f}, {found.plain[-1][1]:.4f})，函数值 {height(found.plain):.4f}：正是鞍点。"
        f"若给每次的梯度加上大小为 {NOISE} 的随机数，{len(found.noisy) - 1} 步后它{fate_zh}，函数值 {height(found.noisy):.2f}。",
    )
    why = Text(
        f"At the origin the gradient is ({found.slope[0]:.0f}, {found.slope[1]:.0f}), so descent stands still. The Hessian, the matrix of second derivatives, tells what kind of place "
        f"it is: its eigenvalues are {low:.0f} and {high:.0f}. One is positive (uphill along x), one negative (downhill along y), so this is a saddle and no minimum. "
        "Plain descent has no reason to move along y, because y is exactly 0 on its way. The least push is enough: each step multiplies y by "
        f"1 + {-low:.0f} · {RATE} = {1 - low * RATE:.1f}. Mini-batches push by themselves, since their gradients are noisy.",
        f"在原点，梯度是 ({found.slope[0]:.0f}, {found.slope[1]:.0f})，下降便停住不动。这里是什么地方，要看由二阶导数组成的海森矩阵：它的特征值是 {low:.0f} 和 {high:.0f}。"
        "一个为正（沿 x 是上坡），一个为负（沿 y 是下坡），所以这是鞍点，不是极小值。普通下降一路上 y 恰好为 0，没有理由沿 y 移动；"
        f"但只要轻轻一推就够了：每一步都把 y 乘以 1 + {-low:.0f} · {RATE} = {1 - low * RATE:.1f}。小批量的梯度带有噪声，自己就会推这一下。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="saddle",
    title=Text("A saddle: flat, but no minimum", "鞍点：平坦，却不是极小值"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

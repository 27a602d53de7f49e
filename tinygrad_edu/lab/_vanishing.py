"""Deep sigmoid networks forget their first layers: each layer multiplies the gradient by at most 1/4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tinygrad_edu as torch
from tinygrad_edu import nn

from ._experiment import Experiment, Say, Table, Text
from ._figure import BLUE, GREEN, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, BATCH = 50, 64
DEPTHS = (3, 5, 10, 20)
KINDS: dict[str, tuple[type[nn.Module], Callable[..., Any]]] = {
    "sigmoid": (nn.Sigmoid, nn.init.xavier_normal_),
    "tanh": (nn.Tanh, nn.init.xavier_normal_),
    "relu": (nn.ReLU, nn.init.kaiming_normal_),
}


@dataclass(frozen=True)
class Findings:
    """What arrives where, for each activation."""

    depths: list[int]
    ratios: dict[str, list[float]]
    """Gradient norm of the first layer over that of the last, for each depth."""
    norms: dict[str, list[float]]
    """Gradient norm of every layer in the deepest network, first layer first."""


def gradient_norms(depth: int, activation: type[nn.Module], initialise: Callable[..., Any]) -> list[float]:
    """Give the gradient norms of the layers of a fresh network on random inputs."""
    linears = [nn.Linear(WIDTH, WIDTH) for _ in range(depth)]
    net = nn.Sequential(*(layer for linear in linears for layer in (linear, activation())))
    for linear in linears:
        initialise(linear.weight)
        linear.bias.data.zero_()
    net(torch.randn(BATCH, WIDTH)).pow(2).mean().backward()
    return [linear.weight.grad.norm().item() for linear in linears]


def run(seed: int) -> Findings:
    """Measure networks of 3 to 20 layers, 50 units wide."""
    torch.manual_seed(seed)
    norms = {kind: [gradient_norms(depth, *how) for depth in DEPTHS] for kind, how in KINDS.items()}
    return Findings(
        depths=list(DEPTHS),
        ratios={kind: [layers[0] / layers[-1] for layers in networks] for kind, networks in norms.items()},
        norms={kind: networks[-1] for kind, networks in norms.items()},
    )


def table(found: Findings) -> Table:
    """Show the ratio for each depth."""
    bound: list[Text | str] = [
        Text("0.25 to the depth", "0.25 的层数次方"),
        *(f"{0.25**depth:.1e}" for depth in found.depths),
    ]
    rows: list[list[Text | str]] = [
        [kind, *(f"{ratio:.1e}" for ratio in ratios)] for kind, ratios in found.ratios.items()
    ]
    return Table([Text("layers", "层数"), *(str(depth) for depth in found.depths)], [*rows, bound])


def draw(found: Findings, figure: Figure, say: Say) -> None:
    """Draw the ratio over the depth, and the norms layer by layer in the deepest network."""
    left, right = figure.subplots(1, 2)
    styles = {"sigmoid": (ORANGE, "o-"), "tanh": (BLUE, "s--"), "relu": (GREEN, "^-.")}
    for kind, (colour, style) in styles.items():
        left.semilogy(found.depths, found.ratios[kind], style, color=colour, label=kind)
        layers = range(1, len(found.norms[kind]) + 1)
        right.semilogy(layers, found.norms[kind], style, color=colour, label=kind, ms=4)
    left.semilogy(found.depths, [0.25**depth for depth in found.depths], ":", color=GREY, label="0.25$^{d}$")
    left.set_xticks(found.depths)
    left.set_xlabel(say(Text("layers d", "层数 d")))
    left.set_title(say(Text("gradient: first layer / last layer", "梯度之比：第一层 / 最后一层")), fontsize=11)
    right.set_xlabel(say(Text("layer (1 is next to the input)", "第几层（1 最靠近输入）")))
    right.set_xticks([1, *range(5, found.depths[-1] + 1, 5)])
    right.set_title(
        say(Text(f"gradient norm in {found.depths[-1]} layers", f"{found.depths[-1]} 层网络中各层的梯度范数")),
        fontsize=11,
    )
    left.legend()


def explain(found: Findings) -> tuple[Text, Text]:
    """Say what is seen and why."""
    deepest = found.depths[-1]
    sigmoid, tanh, relu = (found.ratios[kind] for kind in ("sigmoid", "tanh", "relu"))
    depths_en = ", ".join(f"{ratio:.1e} ({depth} layers)" for depth, ratio in zip(found.depths, sigmoid, strict=True))
    depths_zh = "、".join(f"{ratio:.1e}（{depth} 层）" for depth, ratio in zip(found.depths, sigmoid, strict=True))
    a_layer = sigmoid[-1] ** (1 / (deepest - 1))
    seen = Text(
        f"Of the gradient that the last layer gets, the first layer of a sigmoid network gets this part: {depths_en}. "
        f"With tanh and {deepest} layers the part is {tanh[-1]:.2f}, with ReLU {relu[-1]:.2f}.",
        f"在 sigmoid 网络中，第一层得到的梯度与最后一层之比为：{depths_zh}。"
        f"同样 {deepest} 层，换成 tanh 时为 {tanh[-1]:.2f}，换成 ReLU 时为 {relu[-1]:.2f}。",
    )
    why = Text(
        "Going back through a layer, the gradient is multiplied by the slope of the activation and by the weights. The slope of the sigmoid "
        f"is at most 1/4, and weights of this start (Xavier) neither shrink nor enlarge on average; {found.depths[1]} sigmoids in a row let "
        f"through about 0.25^{found.depths[1]} = {0.25 ** found.depths[1]:.1e} at best. Here each of the {deepest} left {a_layer:.2f} on average. The slope of tanh reaches 1 and its outputs are centred on 0; "
        "that of ReLU is 1 wherever the unit is on, and Kaiming's start makes up for the half that is off. So these two carry the "
        "gradient through many layers.",
        "误差向回传过一层，梯度就要乘一次激活函数的斜率，再乘一次权重。sigmoid 的斜率最大只有 1/4，而 Xavier 初始化的权重平均说来既不缩小也不放大；"
        f"连续 {found.depths[1]} 个 sigmoid 最多大约留下 0.25^{found.depths[1]} = {0.25 ** found.depths[1]:.1e}。这里的 {deepest} 层，平均每层留下 {a_layer:.2f}。tanh 的斜率可以达到 1，而且输出以 0 为中心；"
        "ReLU 在开启时斜率为 1，Kaiming 初始化又补偿了关闭的那一半。所以这两种激活能让梯度穿过许多层。",
    )
    return seen, why


EXPERIMENT = Experiment(
    name="vanishing",
    title=Text("Vanishing gradients: sigmoid, tanh and ReLU by depth", "梯度消失：不同深度下的 sigmoid、tanh 与 ReLU"),
    run=run,
    table=table,
    draw=draw,
    explain=explain,
)

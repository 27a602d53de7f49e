"""Where a plot is drawn, and its words: axes made or taken, labels in English or Chinese."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.colors import Colormap

__all__ = [
    "BLUE",
    "GREY",
    "ORANGE",
    "Language",
    "cannot_draw",
    "diverging",
    "many",
    "one",
    "pyplot",
    "whole_numbers",
    "words",
    "write",
]

Language: TypeAlias = Literal["en", "zh"]
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#6b6b6b"
PANEL = (3.6, 2.7)  # inches of one of several axes
CHINESE = (  # families with Chinese letters, those without serifs first
    "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Microsoft YaHei", "Hiragino Sans GB", "Heiti SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei",
    "Arial Unicode MS", "Noto Serif CJK SC", "Noto Serif CJK JP", "SimSun",
)  # fmt: skip  # a line is full
DICTIONARY = {
    "{name} and its slope": "{name} 及其导数",
    "value": "函数值",
    "slope": "导数",
    "step": "步数",
    "loss": "损失",
    "training": "训练过程",
    "mean of {window} steps": "{window} 步滑动平均",
    "number of values": "数值个数",
    "{share:.0%} of units dead": "死亡单元 {share:.0%}",
    "{share:.0%} saturated": "饱和 {share:.0%}",
    "weights": "权重",
    "activations": "激活值",
    "grads": "梯度",
    "gradient of each layer": "各层的梯度",
    "absolute gradient": "梯度绝对值",
    "mean": "平均",
    "largest": "最大",
    "no gradient": "无梯度",
    "zero": "零",
    "decision boundary": "决策边界",
    "class {number}": "第 {number} 类",
    "Layer {number}": "第 {number} 层",
    "input": "输入",
    "output": "输出",
    "filters of {name}": "{name} 的卷积核",
    "input channel": "输入通道",
    "output channel": "输出通道",
    "confusion matrix": "混淆矩阵",
    "predicted class": "预测类别",
    "true class": "真实类别",
    "loss around the parameters": "参数附近的损失",
    "along the first direction": "沿第一个方向",
    "along the second direction": "沿第二个方向",
    "here": "当前位置",
}


def cannot_draw(error: ImportError) -> ImportError:
    """Say what a plot needs."""
    return ImportError(f"plots need matplotlib: pip install 'tinygrad-edu[plot]' ({error})", name="matplotlib")


def pyplot() -> Any:
    """matplotlib.pyplot, or a sentence where matplotlib is missing."""
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise cannot_draw(error) from error
    return plt


def one(ax: Axes | None, size: tuple[float, float] = (6.4, 4.2)) -> Axes:
    """The axes to draw on: those given, or new ones in a figure of ``size`` inches."""
    plt = pyplot()
    if ax is None:
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    return _checked(ax)


def many(ax: Axes | Sequence[Axes] | np.ndarray | None, count: int, columns: int = 4) -> np.ndarray:
    """``count`` axes to draw on: those given, or new ones in rows of up to ``columns``."""
    plt = pyplot()
    if ax is None:
        columns = min(count, columns)
        rows = math.ceil(count / columns)
        size = (columns * PANEL[0], rows * PANEL[1])
        figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
        for unused in grid.flat[count:]:
            figure.delaxes(unused)
        return np.asarray(grid.flat[:count])
    axes = np.asarray(ax, dtype=object).reshape(-1)
    if len(axes) != count:
        raise ValueError(f"this plot needs {count} axes, not {len(axes)}: give an array of {count}, or no ax")
    return np.asarray([_checked(single) for single in axes], dtype=object)


def _checked(ax: Any) -> Axes:
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(f"ax is matplotlib Axes, as plt.subplots() gives them, not {type(ax).__name__}")
    return ax


def diverging() -> Colormap:
    """Blue below 0, white at 0, orange above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("blue-white-orange", [BLUE, "#ffffff", ORANGE])


def whole_numbers(axis: Axis) -> None:
    """Let an axis of counts or of places show no fractions, also where there is only one."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))


def words(text: str, lang: Language, **values: Any) -> str:
    """``text`` in ``lang``, with ``values`` put in; English where no font has Chinese letters."""
    if lang not in ("en", "zh"):
        raise ValueError(f"lang is 'en' or 'zh', not {lang!r}")
    if lang == "zh" and chinese_font() is not None:
        text = DICTIONARY[text]
    return text.format(**values)


def write(setter: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    """Call a function of matplotlib that writes, such as ``ax.set_title``, with a font that has the letters."""
    texts = [text for arg in args for text in (arg if isinstance(arg, list) else [arg]) if isinstance(text, str)]
    if any(is_chinese(text) for text in texts) and chinese_font() is not None:
        settings["fontfamily"] = fonts()
    return setter(*args, **settings)


def is_chinese(text: str) -> bool:
    """Does ``text`` hold a Chinese letter?

    >>> is_chinese("损失"), is_chinese("loss")
    (True, False)
    """
    return any("\u2e80" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uffef" for letter in text)


def fonts() -> list[str]:
    """The families to write with: matplotlib's own, then one for Chinese letters."""
    from matplotlib import rcParams

    chinese = chinese_font()
    return [*rcParams["font.family"], *([chinese] if chinese is not None else [])]


@cache
def chinese_font() -> str | None:
    """A family with Chinese letters that matplotlib knows, or finds among the system's fonts."""
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    if not known.intersection(CHINESE):  # matplotlib keeps a list, which may be older than the font
        for path in font_manager.findSystemFonts():
            if "cjk" in path.lower() and "sans" in path.lower():
                font_manager.fontManager.addfont(path)
        known = {font.name for font in font_manager.fontManager.ttflist}
    return next((family for family in CHINESE if family in known), None)

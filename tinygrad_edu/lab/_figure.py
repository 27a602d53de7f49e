"""Figures through matplotlib: colours, a font that knows Chinese, and writing the file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..viz.plot._axes import chinese_font
from ._experiment import Experiment, Language, Say

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "PURPLE", "NoMatplotlibError", "save"]

# Okabe and Ito's colours, told apart by colour-blind eyes too; lines differ in their style as well.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#a0447a", "#6b6b6b"


class NoMatplotlibError(ImportError):
    """A figure was asked for and matplotlib is not installed."""


def save(
    experiment: Experiment[Any],
    findings: Any,  # whatever the experiment's own ``run`` returned
    path: Path | str,
    language: Language = "en",
    dpi: int = 100,
) -> Path:
    """Write an experiment's figure to ``path`` as a PNG picture and return the path.

    Where no font with Chinese characters is installed, the figure's words stay English.

    Raises
    ------
    NoMatplotlibError
        matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise NoMatplotlibError("the figure needs matplotlib: pip install 'tinygrad-edu[plot]'")
    import matplotlib
    from matplotlib.figure import Figure

    chinese = chinese_font() if language == "zh" else None
    spoken: Language = "zh" if chinese else "en"
    settings: Any = {
        "font.family": ["DejaVu Sans", chinese] if chinese else ["DejaVu Sans"],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e3e3e3",
        "axes.axisbelow": True,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "figure.constrained_layout.w_pad": 0.08,
        "figure.constrained_layout.h_pad": 0.08,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(9, 4.2), dpi=dpi, layout="constrained")
        say: Say = lambda text: text.within(spoken)
        experiment.draw(findings, figure, say)
        figure.suptitle(say(experiment.title), fontsize=13)
        # Without matplotlib's version in it, the same numbers give the same bytes.
        figure.savefig(path, format="png", metadata={"Software": None})
    return Path(path)

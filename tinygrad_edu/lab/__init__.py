"""The theory laboratory: claims of the textbooks as experiments, each with numbers, a figure and an explanation.

Every experiment is one file, written as a learner's program: it enters by the front door (``import tinygrad_edu as torch``)
and runs under PyTorch with that one line changed.

>>> from tinygrad_edu import lab
>>> findings = lab.EXPERIMENTS["saturation"].run(0)
>>> round(findings.slope_at[6] / findings.slope_at[0], 4)
0.0099
"""

from __future__ import annotations

from typing import Any

from . import (
    _batches,
    _cross_entropy,
    _degradation,
    _dying_relu,
    _learning_rate,
    _local_minima,
    _regularisation,
    _saddle,
    _saturation,
    _vanishing,
    _xor,
)
from ._experiment import Experiment, Table, Text
from ._figure import NoMatplotlibError, save

__all__ = ["EXPERIMENTS", "Experiment", "NoMatplotlibError", "Table", "Text", "save"]

EXPERIMENTS: dict[str, Experiment[Any]] = {
    file.EXPERIMENT.name: file.EXPERIMENT
    for file in (  # in the order of a course: one neuron, its gradient, many layers, the descent, the data
        _saturation,
        _xor,
        _vanishing,
        _dying_relu,
        _degradation,
        _saddle,
        _local_minima,
        _learning_rate,
        _batches,
        _cross_entropy,
        _regularisation,
    )
}

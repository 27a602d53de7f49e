"""The steps of a program one by one, forward in the order they ran, backward in the engine's own order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ._graph import Edge, Vertex

__all__ = ["Contribution", "Step"]


class Contribution(NamedTuple):
    """What a backward step hands to one of its arguments."""

    edge: Edge
    share: np.ndarray  # in the argument's shape: what broadcasting repeated has been summed
    summed: tuple[int, ...]  # the axes of the result that were summed for it
    before: np.ndarray | None  # what other steps had handed there before
    after: np.ndarray  # before + share


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: forward its result, backward the gradient that arrived at it and what it hands on."""

    number: int
    phase: Literal["forward", "backward"]
    vertex: Vertex
    value: np.ndarray | None  # the result, or the gradient of the result; None where it was not kept
    contributions: tuple[Contribution, ...] = ()

"""A row of the op table: one operation, how it is called, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .._draw import Sample

Call = Callable[..., Any]
DTYPES = ("float32", "int64", "uint8", "bool")
FLOATS = ("float32",)


class Kind(StrEnum):
    """What is the matter with a function at a point."""

    KINK = "kink"  # continuous; the slopes on both sides differ
    TIE = "tie"  # a kink because equal elements compete
    JUMP = "jump"  # not continuous
    SINGULAR = "singular"  # the value or a slope is infinite, or not a number
    END = "end of the domain"  # on one side there is nothing
    BEND = "bend"  # smooth, but its slope has a kink
    REMOVABLE = "removable"  # smooth; only a careless formula divides by zero there
    TRAP = "trap"  # smooth, yet the gradients of its parts do not add up to its slope


@dataclass(frozen=True)
class Point:
    """A place where an operation has no derivative, or seems to have none: ``Row.call(t, *case)`` computes there.

    The slopes and the gradient are not written here: ``tinygrad_edu.testing.points`` computes them.
    """

    words: str  # "x = 0", "two equal maxima"
    case: tuple[Any, ...]
    kind: Kind
    why: str = ""  # why this gradient, if its relation to the slopes does not say it
    element: int = 0  # the element of the result that is differentiated, counted over all its tensors
    order: int = 2  # up to this order the gradient is torch's, if the row is differentiated so often; 0: see ``why``


@dataclass(frozen=True, kw_only=True)
class Row:
    """One operation. ``call(t, *case)`` runs it with t = tinygrad_edu or torch; ``sample`` draws the cases.

    A case is a tuple of NumPy arrays, which become tensors, and settings, which stay as they are. All float64 arrays
    are differentiated except those at the positions ``frozen``.
    """

    name: str  # as in first_tier.txt; several rows may carry one name
    call: Call
    sample: Sample
    order: int = 2  # how often it is differentiated: 3 for smooth ones, 0 for what has no gradient
    operator: Call | None = None  # the same with Python's operator, without t: lambda x, y: x + y
    augmented: Call | None = None  # its augmented assignment, such as operator.iadd
    spellings: dict[str, Call] = field(default_factory=dict)  # further ways to call the same
    method: bool = True  # torch's method of this name, where there is one, takes the same arguments
    in_place: bool | Call = True  # and so does the method with an underscore; or how to call it
    frozen: tuple[int, ...] = ()
    dtypes: tuple[str, ...] = DTYPES  # beside float64
    layouts: bool = True  # the result does not depend on strides
    ties: int = 2  # up to this order torch defines what happens at ties and kinks; 0: not even the value
    special: bool = True  # and at NaN, infinities and huge numbers
    finite: bool = True  # finite differences exist (False for random, piecewise constant or refused ones)
    named: bool = True  # its grad_fn has one name; not so what torch composes of other operations as it sees fit
    bad: tuple[tuple[Any, ...], ...] = ()  # cases that must be refused
    rtol: float | None = None
    at_least: int = 6  # cases that hypothesis must find
    points: tuple[Point, ...] = ()  # its kinks, ties and singular points, as docs/non-differentiable-points.md has them

    @property
    def base(self) -> str:
        """The attribute of torch that carries it: "div" for "div.floor_rounding"."""
        return self.name.split(".")[0] if not self.name.startswith(("linalg.", "nn.")) else self.name

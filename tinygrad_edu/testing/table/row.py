"""A row of the op table: one operation, how it is called, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis.strategies import SearchStrategy

Call = Callable[..., Any]
DTYPES = ("float32", "int64", "uint8", "bool")
FLOATS = ("float32",)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One operation. ``call(t, *case)`` runs it with t = tinygrad_edu or torch; ``sample`` draws the cases.

    A case is a tuple of NumPy arrays, which become tensors, and settings, which stay as they are. All float64 arrays
    are differentiated except those at the positions ``frozen``.
    """

    name: str  # as in first_tier.txt; several rows may carry one name
    call: Call
    sample: SearchStrategy[tuple[Any, ...]]
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

    @property
    def base(self) -> str:
        """The attribute of torch that carries it: "div" for "div.floor_rounding"."""
        return self.name.split(".")[0] if not self.name.startswith(("linalg.", "nn.")) else self.name

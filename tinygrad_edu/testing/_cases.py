"""The cases at which the suite runs a row: which kinds there are, how they are drawn, made of others and described."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd._verdict import Finding
from ._draw import LAYOUTS, arrays_in, tied, zeroed
from .table.row import Kind, Row

__all__ = ["KINDS", "Case", "cases_of", "described", "is_laid", "kind_of"]

OWN = ("ordinary", "broadcast", "0-d", "empty")  # as they are drawn
MADE = {"tied": tied, "zero": zeroed}  # of drawn ones
LAID = {"expanded": ("expanded",), "negative-stride": ("reversed",), "non-contiguous": ("transposed", "strided")}
KINDS = (*OWN, *MADE, *LAID, "named point")


@dataclass(frozen=True)
class Case:
    """The arguments of a row, of which kind they are, how they lie in memory, up to which order the row is defined there."""

    kind: str
    arguments: tuple[Any, ...]
    order: int
    layout: str = "contiguous"
    is_continuous: bool = True


def cases_of(row: Row, seed: int, max_examples: int) -> Iterator[Case]:
    """Yield the cases of a row.

    ``max_examples`` of each kind that is drawn, where so many are found, and half as many of each kind that is made of them:
    rounded, zeroed, laid out otherwise in memory; then the points that the row names.
    """
    share = max(2, max_examples // 2)
    found: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in OWN}
    drawn = row.sample.seeded(seed, max(20, 4 * max_examples), rarity=3)  # more empty ones than is usual
    for case in drawn:
        kind = kind_of(case)
        if len(found[kind]) < (max_examples if kind == "ordinary" else share):
            found[kind].append(case)
    for kind, kept in found.items():
        yield from (Case(kind, case, row.order) for case in kept)
    whole = sorted((case for case in drawn if kind_of(case) != "empty"), key=_size, reverse=True)[:share]
    if row.ties and row.order:
        for kind, change in MADE.items():
            yield from (Case(kind, change(case), row.ties) for case in whole)
    if row.layouts:
        for kind, layouts in LAID.items():
            if kind == "expanded" and row.ties < 2:
                continue  # stride zero makes ties
            for i, case in enumerate(whole):
                layout = layouts[i % len(layouts)]
                if is_laid(case, layout):
                    yield Case(kind, case, row.order, layout)
    for point in row.points:
        if not point.order:
            continue  # where even torch's gradient is another than ours
        smooth = point.kind in (Kind.KINK, Kind.TIE, Kind.BEND, Kind.REMOVABLE)
        yield Case("named point", point.case, min(point.order, max(1, row.ties)), is_continuous=smooth)


def kind_of(case: tuple[Any, ...]) -> str:
    """Name the kind of a drawn case."""
    shapes = [x.shape for x in arrays_in(case)]
    if any(0 in s for s in shapes):
        return "empty"
    if len(set(shapes)) > 1 and _broadcast(shapes):
        return "broadcast"
    return "0-d" if () in shapes else "ordinary"


def _broadcast(shapes: Sequence[tuple[int, ...]]) -> bool:
    try:
        return np.broadcast_shapes(*shapes) != ()
    except ValueError:
        return False


def is_laid(case: tuple[Any, ...], layout: str) -> bool:
    """Say whether a layout shows in a case: an array of one element, or of one dimension, may look the same."""
    marks: dict[str, Callable[[np.ndarray], bool]] = {
        "expanded": lambda a: any(s == 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)),
        "reversed": lambda a: any(s < 0 and n > 1 for s, n in zip(a.strides, a.shape, strict=True)),
        "transposed": lambda a: not a.flags.c_contiguous,
        "strided": lambda a: not a.flags.c_contiguous,
    }
    return any(marks[layout](LAYOUTS[layout](x)) for x in arrays_in(case) if x.ndim)


def _size(case: tuple[Any, ...]) -> int:
    return sum(x.size for x in arrays_in(case))


def described(case: Case, finding: Finding) -> str:
    """Write a case for a reader, and where it fails."""
    with np.printoptions(precision=4, threshold=30, suppress=True):
        arguments = ", ".join(_written(x) for x in case.arguments)
    memory = "" if case.layout == "contiguous" else f", {case.layout} in memory"
    where = ""
    if finding.size:
        where = f"{finding.where} is {finding.analytical:.6g} and should be {finding.numerical:.6g}\n"
    return f"{where}case ({case.kind}{memory}): {arguments}"


def _written(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return np.array2string(x, separator=", ").replace("\n", " ") if x.size else f"empty{x.shape}"
    if isinstance(x, list | tuple):
        return "[" + ", ".join(_written(y) for y in x) + "]"
    return repr(x)

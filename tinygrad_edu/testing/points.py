"""Where operations have no derivative, and what gradient is given there: docs/non-differentiable-points.md.

``python -m tinygrad_edu.testing.points`` prints that page. The points stand in the op table (``Row.points``); their
slopes and gradients are computed whenever the page is printed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._draw import arrays_in, in_place_of_arrays
from .table import COMPOSED, ROWS, reduce
from .table.row import Kind, Point, Row

Function = Callable[[int, float], np.ndarray]
"""What a place computes, as a flat array, with one of its elements moved a step."""

STEPS = (1e-3, 1e-4, 1e-5)  # each a tenth of the last


@dataclass(frozen=True)
class Slopes:
    """The slopes on both sides, of all results (columns) by all differentiated elements (rows)."""

    value: np.ndarray  # (results,)
    left: np.ndarray  # (elements, results); infinite where they grow without limit, nan where there is nothing
    right: np.ndarray
    blur: np.ndarray  # (elements, results): how far both still moved at the smallest step
    jumps: np.ndarray  # (elements, results), bool: on one side or the other the value does not go on

    def kinds(self) -> np.ndarray:
        """Return for every pair its kind, as far as values can tell, or "" where the function is smooth."""
        with np.errstate(invalid="ignore"):
            gap, size = np.abs(self.right - self.left), np.fmax(np.abs(self.right), np.abs(self.left))
            kinks = gap > 1e-6 + 1e-4 * size + self.blur
        kinds = np.full(self.left.shape, "", object)
        kinds[kinks] = Kind.KINK
        kinds[np.isinf(self.left) | np.isinf(self.right)] = Kind.SINGULAR
        kinds[self.jumps] = Kind.JUMP
        kinds[np.isnan(self.left) | np.isnan(self.right)] = Kind.END
        kinds[:, ~np.isfinite(self.value)] = Kind.SINGULAR
        return kinds


class Place:
    """A row of the op table at one case, as a function of its differentiated elements, numbered from 0."""

    def __init__(self, t: Any, row: Row, case: Sequence[Any]) -> None:
        self.t, self.row, self.case = t, row, case
        self.arrays = [x for i, argument in enumerate(case) if i not in row.frozen for x in arrays_in(argument)]
        self.size = sum(x.size for x in self.arrays)

    def leaves(self, moved: int = 0, step: float = 0.0) -> list[Any]:
        """Return the differentiated arguments, element ``moved`` higher by ``step``."""
        copies = [np.array(x, order="C") for x in self.arrays]
        for x in copies:
            if 0 <= moved < x.size:
                x.reshape(-1)[moved] += step
            moved -= x.size
        return [self.t.from_numpy(x).requires_grad_() for x in copies]

    def results(self, leaves: Sequence[Any]) -> list[Any]:
        """Return the differentiable results for these leaves."""
        constant = lambda x: self.t.from_numpy(np.array(x, order="C"))
        result = self.row.call(self.t, *in_place_of_arrays(self.case, self.row.frozen, leaves, constant))
        return [x for x in tensors(self.t, result) if x.requires_grad]

    def run(self, moved: int = 0, step: float = 0.0) -> tuple[list[Any], list[Any]]:
        """Return leaves and results, element ``moved`` higher by ``step``."""
        leaves = self.leaves(moved, step)
        return leaves, self.results(leaves)

    def value(self, moved: int = 0, step: float = 0.0) -> np.ndarray:
        """Return all elements of the results."""
        results = [np.ravel(x.detach().numpy()) for x in self.run(moved, step)[1]]
        return np.concatenate([np.zeros(0), *results])

    def gradient(self, element: int, moved: int = 0, step: float = 0.0) -> np.ndarray:
        """Return the gradient of one element of the results by all differentiated elements."""
        leaves, results = self.run(moved, step)
        return self._joined(leaves, self.t.autograd.grad(picked(results, element), leaves, allow_unused=True))

    def curvature(self, element: int) -> np.ndarray:
        """Return the second derivative of one element of the results by each differentiated element, twice by the same."""
        found = np.zeros(self.size)
        for i in range(self.size):
            leaves, results = self.run()
            slopes = self.t.autograd.grad(picked(results, element), leaves, create_graph=True, allow_unused=True)
            flat = self.t.cat([(x * 0 if g is None else g).reshape(-1) for x, g in zip(leaves, slopes, strict=True)])
            if flat[i].requires_grad:
                found[i] = self._joined(leaves, self.t.autograd.grad(flat[i], leaves, allow_unused=True))[i]
        return found

    def _joined(self, leaves: Sequence[Any], gradients: Sequence[Any]) -> np.ndarray:
        pairs = zip(leaves, gradients, strict=True)
        return np.concatenate([np.zeros(x.numel()) if g is None else np.ravel(g.detach().numpy()) for x, g in pairs])

    def slopes(self, function: Function | None = None, elements: Sequence[int] | None = None) -> Slopes:
        """Return the slopes on both sides of ``function``: without one, of the results."""
        function = function or self.value
        elements = range(self.size) if elements is None else elements
        here = function(0, 0.0)
        left, right, blur = np.zeros((3, len(elements), here.size))
        jumps = np.zeros(left.shape, bool)
        with np.errstate(all="ignore"):
            for i, element in enumerate(elements):
                for slopes, sign in ((left, -1.0), (right, 1.0)):
                    slopes[i], moved, jump = beside(function, element, sign, here)
                    blur[i] += moved
                    jumps[i] |= jump
        return Slopes(here, left, right, blur, jumps)


def beside(
    function: Function, element: int, sign: float, here: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the slopes on one side of the point, near it but without it; how far they moved at the smallest step; and
    whether the values there do not lead to the value here.
    """

    def at(step: float) -> np.ndarray:
        try:
            return function(element, sign * step)
        except (RuntimeError, ValueError):  # an argument that is refused: the domain ends here
            return np.full(here.shape, np.nan)

    near, far = [at(h) for h in STEPS], [at(2 * h) for h in STEPS]
    secants = [sign * (b - a) / h for a, b, h in zip(near, far, STEPS, strict=True)]
    gaps = [np.abs(a - here) for a in near]
    jump = (gaps[-1] > 1e-4) & (gaps[-1] > 0.7 * gaps[-2])
    return limit(*secants), np.abs(secants[-1] - secants[-2]), jump


def limit(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Return where a sequence goes, by Aitken's extrapolation: to infinity if its differences do not shrink."""
    before, after = second - first, third - second
    settled = np.abs(after) <= 1e-7 * (1 + np.abs(third))
    steady = np.abs(after) > 0.7 * np.abs(before)
    endless = ~settled & steady & (np.abs(after) > 0.05 * np.abs(third))
    rate = np.where(settled | steady, 0.0, after / np.where(before == 0, 1.0, before))
    found = np.where(endless, np.sign(after) * np.inf, third + after * rate / (1 - rate))
    return np.where(np.isnan(third), np.nan, np.where(np.isinf(third), third, found))


def picked(results: Sequence[Any], element: int) -> Any:
    """Return one element of several tensors, counted over all of them."""
    for x in results:
        if element < x.numel():
            return x.reshape(-1)[element]
        element -= x.numel()
    raise IndexError("there is no such element")


def tensors(t: Any, result: Any) -> list[Any]:
    """Return the tensors of a result, in order."""
    if isinstance(result, t.Tensor):
        return [result]
    return [x for y in result for x in tensors(t, y)] if isinstance(result, list | tuple) else []


# The page.


@dataclass(frozen=True)
class Line:
    """What the page says of a point: slopes and gradient of one element of the result, by each differentiated element.

    Of a bend they are the slopes, and the derivative, of the slope.
    """

    row: Row
    point: Point
    left: np.ndarray
    right: np.ndarray
    gradient: np.ndarray | None  # None: it is refused

    @classmethod
    def of(cls, t: Any, row: Row, point: Point) -> Line:
        """Compute it."""
        place, element = Place(t, row, point.case), point.element
        if point.kind == Kind.BEND:
            bends = place.slopes(lambda moved, step: place.gradient(element, moved, step))
            return cls(row, point, np.diag(bends.left), np.diag(bends.right), place.curvature(element))
        slopes = place.slopes()
        try:
            gradient = place.gradient(element)
        except RuntimeError:
            gradient = None
        return cls(row, point, slopes.left[:, element], slopes.right[:, element], gradient)

    def choice(self) -> str:
        """Say how the gradient lies to the slopes, or "" where it is neither."""
        g, left, right = self.gradient, self.left, self.right
        if g is None:
            return "refused"
        if np.isnan(g).any():
            return "not a number"
        if np.isinf(g).any():
            return "infinite"
        if self.point.kind == Kind.TRAP:
            return "not the slope"
        with np.errstate(invalid="ignore"):
            is_left, is_right, is_middle = (close(g, side) for side in (left, right, (left + right) / 2))
            between = (g >= np.fmin(left, right)) & (g <= np.fmax(left, right))
        smooth = is_left & is_right
        if smooth.all():
            return "the slope" if self.point.kind == Kind.REMOVABLE else "the slope on both sides"
        for words, chosen in (("the middle", is_middle), ("the left", is_left), ("the right", is_right)):
            if (chosen | smooth).all():
                return words
        if (is_left | is_right).all():
            return "one side for each"
        return "between" if (between | smooth).all() else ""

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        return (
            f"`{self.row.name.removeprefix('nn.functional.')}`",
            self.point.words,
            f"`{call(self.point.case)}`",
            str(self.point.kind),
            numbers(self.left, nothing="none"),
            numbers(self.right, nothing="none"),
            "none" if self.gradient is None else numbers(self.gradient),
            "; ".join(words for words in (self.choice(), self.point.why) if words),
        )


def close(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Say which numbers are equal up to the error of one-sided differences."""
    equal: np.ndarray = np.isclose(x, y, rtol=1e-4, atol=1e-6)
    return equal


def number(x: float, nothing: str = "nan") -> str:
    """Write a number in at most four digits."""
    if np.isnan(x):
        return nothing
    if np.isinf(x):
        return "∞" if x > 0 else "-∞"
    return f"{0.0 if abs(x) < 1e-6 else x:.4g}".replace("e+0", "e").replace("e+", "e")


def numbers(xs: np.ndarray, nothing: str = "nan") -> str:
    """Write one number, or several in parentheses."""
    texts = [number(float(x), nothing) for x in xs]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def call(case: Sequence[Any]) -> str:
    """Write the arguments of a case; None at the end, and no settings, are left out."""
    given = list(case)
    while given and not isinstance(given[-1], np.ndarray) and given[-1] in (None, {}):
        given.pop()
    return ", ".join(argument(x) for x in given)


def argument(x: Any) -> str:
    """Write an argument as short as it can be."""
    if isinstance(x, np.ndarray):
        return argument(x.tolist())
    if isinstance(x, list):
        return f"[{', '.join(argument(y) for y in x)}]"
    if isinstance(x, dict):
        return ", ".join(f"{name}={argument(value)}" for name, value in x.items())
    return f"{x:g}" if isinstance(x, float) else repr(x)


SUMS = {row.base for row in reduce.ROWS} | {
    *("cummax", "cummin", "cumprod", "logcumsumexp", "kthvalue", "mode", "nansum", "nanmean", "nanmedian"),
    *("aminmax", "quantile", "nanquantile", "std_mean", "renorm", "linalg.vector_norm", "sort", "msort", "topk"),
}
MATRICES = {"logdet", "slogdet", "corrcoef"}
DISTANCES = {"cosine_similarity", "kl_div", "binary_cross_entropy", "binary_cross_entropy_with_logits"} | {
    *("cdist", "dist", "pdist", "pairwise_distance"),
}


def family(row: Row) -> str:
    """Name the section of the page that an operation belongs to."""
    name = row.name.removeprefix("nn.functional.")
    if name in DISTANCES or name.endswith("_loss"):
        return "Losses and distances"
    if row.name.startswith("nn.") or "softmax" in name:
        return "Activations and layers"
    if row.base in SUMS and not name.endswith(".binary"):
        return "Sums, norms, extrema and order"
    return "Matrices" if row.base in MATRICES or name.startswith("linalg.") else "Single elements"


FAMILIES = (
    *("Single elements", "Sums, norms, extrema and order", "Matrices"),
    *("Activations and layers", "Losses and distances"),
)
HEADS = ("operation", "point", "arguments", "kind", "left", "right", "gradient", "which, and why")
OPENING = """\
# Where there is no derivative

At a kink a function has a slope on the left and another on the right, and no derivative. Backward needs a number there
all the same. Any number between the two slopes is a *sub-gradient*: for a convex function such as `abs` a line of that
slope touches the graph from below. Descent works with any of them, so one must be chosen, and the choice must be known.
These are PyTorch's choices: a test compares every line with PyTorch. Where it chooses otherwise, the last column says so.

Elements that compete (a *tie*) share the gradient or leave it to one of them. At a *jump* the slope beside it is used,
which is why a rounded number passes no gradient on. Where a slope is infinite (*singular*) or the function begins
(*end of the domain*), so may the gradient be; `nan` there is PyTorch's too. *Removable* points are smooth: nothing is
chosen, but a formula that divides by the input would fail.

Left and right are the slopes of the two sides, measured beside the point; `none` means that nothing is there. Several
numbers in parentheses belong to the elements of the arguments, one after the other, each moved alone; of a result with
several elements the first is meant, or the one that shows the point. The arguments stand as the operation takes them.
"""
BENDS = """\
The slope itself is continuous, and the second derivative jumps. Left, right and gradient are those of the slope: the
second derivative by each element.
"""
FORMULAS = """\
Each operation is right by itself, and the whole may still surprise: the chain rule multiplies and adds what the parts
chose. A *trap* is smooth, yet its gradient is not its slope.
"""
CLOSING = """\
{points} points. At {first} of them the gradient is not PyTorch's; at {second} more the second derivative is not, mostly because
PyTorch's is not a number there (`order=1` in the op table).

This page is generated from the op table: `python -m tinygrad_edu.testing.points > docs/non-differentiable-points.md`.
"""


def page() -> str:
    """Return the text of docs/non-differentiable-points.md."""
    t = importlib.import_module(__package__.partition(".")[0])  # the whole interface, which lies above this floor
    lines = [Line.of(t, row, point) for row in ROWS for point in row.points]
    bends = [line for line in lines if line.point.kind == Kind.BEND]
    parts = [OPENING]
    for title in FAMILIES:
        own = [line for line in lines if family(line.row) == title and line.point.kind != Kind.BEND]
        parts.append(f"## {title}\n\n{markdown(own)}\n")
    formulas = [Line.of(t, row, point) for row in COMPOSED for point in row.points]
    parts.append(f"## Slopes with a kink\n\n{BENDS}\n{markdown(bends)}\n")
    parts.append(f"## Formulas of several operations\n\n{FORMULAS}\n{markdown(formulas)}\n")
    other = [line for line in lines + formulas if line.point.order < min(line.row.order, 2)]
    first = sum(line.point.order == 0 for line in other)
    counts = {"points": len(lines + formulas), "first": first, "second": len(other) - first}
    return "\n".join([*parts, CLOSING.format(**counts)])


def markdown(lines: Sequence[Line]) -> str:
    """Write a table whose columns are aligned in the source too; what looks the same stands once."""
    rows = list(dict.fromkeys(tuple(cell.replace("|", "\\|") for cell in line.cells()) for line in lines))
    widths = [max(len(row[i]) for row in [HEADS, *rows]) for i in range(len(HEADS))]
    ruled = [HEADS, tuple("-" * w for w in widths), *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in ruled)


if __name__ == "__main__":
    print(page(), end="")

"""What hypothesis draws for the op table: shapes, arrays away from kinks, ties, special values, layouts of memory.

Shapes and settings are drawn; elements come from a drawn seed, which is a hundred times faster than drawing each element and
loses nothing: what fails at an element fails at a shape or a setting. Tests let hypothesis draw, which shrinks what fails; the
command `check` draws from its seed alone, so that the same seed means the same cases on every machine and for every engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError(
        "tinygrad_edu.testing draws its cases with hypothesis, which is not installed: pip install 'tinygrad-edu[check]'"
    ) from error

Shape = tuple[int, ...]


def numbers(
    shape: Shape, seed: int, low: float = -2.0, high: float = 2.0, away: Sequence[float] = (0.0,), gap: float = 0.05
) -> np.ndarray:
    """Return distinct float64 numbers in [low, high], each at least ``gap`` from every point of ``away``.

    They are the cells of a grid in random order, jittered within the inner part: no two are tied, so that maxima,
    sorting and medians are smooth there.
    """
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape, dtype=int))
    cells = rng.permutation(size) + 0.5 + rng.uniform(-0.35, 0.35, size)
    x = low + (high - low) * cells / max(size, 1)
    for point in away:
        near = np.abs(x - point) < gap
        # Step over the kink by the gap, and by a share of it that keeps neighbours apart.
        x = np.where(near, point + np.where(x < point, -1.0, 1.0) * (gap + np.abs(x - point)), x)
    return x.reshape(shape)


class Draw:
    """Draws settings, shapes and arrays. ``source(low, high)`` gives whole numbers, which is all that is drawn at random.

    One shape in ``rarity`` has an empty dimension.
    """

    def __init__(self, source: Callable[[int, int], int], rarity: int = 8) -> None:
        self.source, self.rarity = source, rarity
        self.count = 0

    def integer(self, low: int, high: int) -> int:
        """Draw low <= i <= high."""
        return self.source(low, high)

    def pick(self, *choices: Any) -> Any:
        """Draw one of the choices."""
        return choices[self.source(0, len(choices) - 1)]

    def flag(self) -> bool:
        """Draw True or False."""
        return self.source(0, 1) == 1

    def shape(self, least: int = 0, most: int = 3, *, empty: bool = True, size: int = 3) -> Shape:
        """Draw a shape with between ``least`` and ``most`` dimensions; one in ``rarity`` has an empty dimension."""
        sizes = [self.integer(1, size) for _ in range(self.integer(least, most))]
        if empty and sizes and self.integer(1, self.rarity) == self.rarity:
            sizes[self.integer(0, len(sizes) - 1)] = 0
        return tuple(sizes)

    def array(
        self, shape: Shape | None = None, low: float = -2.0, high: float = 2.0, away: Sequence[float] = (0.0,)
    ) -> np.ndarray:
        """Draw float64 numbers away from kinks."""
        self.count += 1  # so that two arrays differ even where hypothesis draws their seeds equal
        return numbers(
            self.shape() if shape is None else shape, 8 * self.integer(0, 2**13) + self.count, low, high, away
        )

    def whole(self, shape: Shape, low: int, high: int) -> np.ndarray:
        """Draw int64 numbers, low <= i < high."""
        return np.random.default_rng(self.integer(0, 2**16)).integers(low, max(high, low + 1), shape)

    def mask(self, shape: Shape) -> np.ndarray:
        """Draw an array of booleans."""
        return self.whole(shape, 0, 2).astype(bool)

    def alike(self, shape: Shape, *, grow: bool = True) -> Shape:
        """Draw a shape that broadcasts with ``shape``: dimensions dropped on the left, set to one, or one more."""
        cut = self.integer(0, len(shape)) if self.flag() else 0
        kept = tuple(1 if self.integer(0, 3) == 3 else n for n in shape[cut:])
        return (self.integer(1, 2), *kept) if grow and cut == 0 and self.integer(0, 5) == 5 else kept

    def dim(self, ndim: int) -> int:
        """Draw a dimension of a tensor with ``ndim`` of them, counted from either end; a 0-d tensor has 0 and -1."""
        n = max(ndim, 1)
        return self.integer(-n, n - 1)

    def dims(self, ndim: int) -> tuple[int, ...]:
        """Draw some different dimensions."""
        chosen = [d for d in range(ndim) if self.flag()]
        return tuple(d - ndim if self.flag() else d for d in chosen)


Make = Callable[[Draw], tuple[Any, ...]]


class Sample:
    """The argument tuples that ``make`` builds from a Draw."""

    def __init__(self, make: Make) -> None:
        self.make = make

    def strategy(self) -> st.SearchStrategy[Any]:
        """Return the cases as hypothesis draws them."""

        @st.composite
        def sample(draw: Any) -> tuple[Any, ...]:
            case: tuple[Any, ...] = solid(self.make(Draw(lambda low, high: int(draw(st.integers(low, high))))))
            return case

        return sample()

    def seeded(self, seed: int, count: int, rarity: int) -> list[tuple[Any, ...]]:
        """Draw ``count`` different cases from a seed; fewer if so many are not found soon."""
        random = Random(seed).random
        draw = Draw(lambda low, high: low + int(random() * (high - low + 1)), rarity)
        found: dict[Any, tuple[Any, ...]] = {}
        for _ in range(2 * count):
            case = solid(self.make(draw))
            found.setdefault(_mark(case), case)
            if len(found) == count:
                break
        return list(found.values())


def _mark(x: Any) -> Any:
    """Return what is equal for equal cases."""
    if isinstance(x, np.ndarray):
        return x.shape, x.dtype.str, x.tobytes()
    return (type(x), tuple(map(_mark, x))) if isinstance(x, tuple | list) else (type(x), repr(x))


def cases(make: Make) -> Sample:
    """Return the argument tuples that ``make`` builds from a Draw."""
    return Sample(make)


def solid(x: Any) -> Any:
    """Make arrays of the NumPy scalars that arithmetic leaves of 0-d arrays."""
    if isinstance(x, np.generic):
        return np.asarray(x)
    return type(x)(solid(y) for y in x) if isinstance(x, tuple | list) else x


def one(low: float = -2.0, high: float = 2.0, away: Sequence[float] = (0.0,), **shape: Any) -> Any:
    """Return the cases of one array: ``(x,)``."""
    return cases(lambda d: (d.array(d.shape(**shape), low, high, away),))


def two(low: float = -2.0, high: float = 2.0, away: Sequence[float] = (0.0,)) -> Any:
    """Return the cases of two arrays that broadcast: ``(x, y)``; now and then the second is a Python number."""

    def pair(d: Draw) -> tuple[Any, ...]:
        shape = d.shape()
        x, y = d.array(shape, low, high, away), d.array(d.alike(shape), low, high, away)
        return (x, y) if d.flag() else (y, x)

    return cases(pair)


# Layouts of memory: the same values, strided otherwise.


def transposed(a: np.ndarray) -> np.ndarray:
    """Return the values of ``a``, column-major."""
    return np.array(a.T, order="C").T


def reversed_(a: np.ndarray) -> np.ndarray:
    """Return the values of ``a`` with negative strides."""
    flip: tuple[Any, ...] = (..., *(slice(None, None, -1),) * a.ndim)  # the ellipsis makes a 0-d array stay one
    turned: np.ndarray = np.array(a[flip], order="C")[flip]
    return turned


def strided(a: np.ndarray) -> np.ndarray:
    """Return the values of ``a`` as every second element of a larger block."""
    block = np.full(tuple(2 * n for n in a.shape), 77, a.dtype)
    every_second: tuple[Any, ...] = (..., *(slice(None, None, 2),) * a.ndim)
    view: np.ndarray = block[every_second]
    view[...] = a
    return view


def expanded(a: np.ndarray) -> np.ndarray:
    """Return the first row of ``a`` repeated with stride zero (other values than ``a``'s, but the same for all)."""
    if a.ndim == 0 or a.shape[0] == 0:
        return a
    row = np.array(a[0])
    repeated: np.ndarray = np.lib.stride_tricks.as_strided(row, a.shape, (0, *row.strides))
    return repeated


LAYOUTS = {
    "contiguous": lambda a: np.array(a, order="C"),
    "transposed": transposed,
    "reversed": reversed_,
    "strided": strided,
    "expanded": expanded,
}


def is_float(x: Any) -> bool:
    """Say whether an argument of a case is a float64 array: these are cast, laid out and differentiated."""
    return isinstance(x, np.ndarray) and x.dtype == np.float64


def through(change: Callable[[np.ndarray], np.ndarray], case: Any) -> Any:
    """Apply ``change`` to the float64 arrays of a case, also inside its lists and tuples."""
    if is_float(case):
        return np.asarray(change(case))
    if isinstance(case, tuple | list):
        return type(case)(through(change, x) for x in case)
    return case


def cast(case: Any, dtype: str) -> Any:
    """Give the float64 arrays of a case another dtype; whole numbers are twice the rounded ones, booleans the signs."""

    def change(a: np.ndarray) -> np.ndarray:
        if dtype.startswith("float"):
            return a.astype(dtype)
        if dtype == "bool":
            return a > 0
        whole: np.ndarray = np.rint(np.clip(np.nan_to_num(2 * a), -99, 99)).astype(np.int64).astype(dtype)
        return whole

    return through(change, case)


def tied(case: Any) -> Any:
    """Round to whole numbers: ties, zeros, and the kinks at zero and one."""
    return through(np.rint, case)


def zeroed(case: Any) -> Any:
    """Put zero everywhere."""
    return through(np.zeros_like, case)


SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e3, -1e3, 1e30, -1e20, 1e-30)  # no two huge ones that cancel


def special(case: Any, seed: int) -> Any:
    """Put NaN, infinities, zeros and huge numbers here and there."""
    rng = np.random.default_rng(seed)

    def change(a: np.ndarray) -> np.ndarray:
        return np.where(rng.random(a.shape) < 0.5, rng.choice(SPECIAL, a.shape), a)

    return through(change, case)


def arrays_in(x: Any) -> Iterator[np.ndarray]:
    """Yield the differentiated arrays of an argument."""
    if is_float(x):
        yield np.array(x, order="C")
    elif isinstance(x, list | tuple):
        for y in x:
            yield from arrays_in(y)


def in_place_of_arrays(
    case: Sequence[Any], frozen: Sequence[int], given: Iterable[Any], constant: Callable[..., Any]
) -> list[Any]:
    """Return a case with ``given``, one after the other, for its differentiated arrays and ``constant(array)`` for the others."""
    following = iter(given)

    def build(x: Any, wanted: bool) -> Any:
        if isinstance(x, list | tuple) and any(isinstance(y, np.ndarray) for y in x):
            return type(x)(build(y, wanted) for y in x)
        if not isinstance(x, np.ndarray):
            return x
        return next(following) if wanted and is_float(x) else constant(x)

    return [build(x, i not in frozen) for i, x in enumerate(case)]

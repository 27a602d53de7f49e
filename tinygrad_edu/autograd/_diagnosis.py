"""The usual mistakes in a gradient, each as what it does to the Jacobian: so that a wrong one can be told what happened to it.

Every pattern undoes its mistake: if the Jacobian that an engine gave becomes right when its sign is turned, the sign was wrong.
The order matters, since small Jacobians fit several patterns: one cause before two, the simplest cause first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from ._kinks import Bounds
from ._report import Matrix, Tolerance, Verdict, WrongShape

Found = tuple[Verdict, str]


@dataclass
class Pair:
    """One Jacobian twice: ``a`` as the engine gives it, ``n`` and ``bounds`` as the function's values have it."""

    a: Matrix
    n: Matrix
    bounds: Bounds
    tolerance: Tolerance
    shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    point: Matrix

    def accepts(self, candidate: Matrix) -> Matrix:
        """For each element, whether it would be right."""
        return self.bounds.accepts(candidate, self.tolerance)

    def fits(self, candidate: Matrix) -> bool:
        """Whether this Jacobian would be right everywhere."""
        return bool(self.accepts(candidate).all())


def diagnose(
    pair: Pair, missing: bool, numericals: Sequence[Matrix], given: Sequence[Matrix | WrongShape | None], i: int
) -> Found:
    """Name the mistake in ``pair``, the Jacobian by input i; ``numericals`` and ``given`` are those by every input."""
    return (
        _zero(pair, missing)
        or _not_finite(pair)
        or _exchanged(pair, numericals, given, i)
        or _sign(pair)
        or _simple_factor(pair)
        or _swapped(pair, numericals, i)
        or _any_factor(pair)
        or _transposed(pair)
        or _one_slice(pair)
        or _uncoupled(pair)
        or _term(pair)
    )


def _zero(pair: Pair, missing: bool) -> Found | None:
    if missing:
        return Verdict.ZERO, (
            "No gradient arrives: backward returns None here, or the graph is cut on the way (detach(), item(), numpy(), a new tensor "
            "made of numbers)."
        )
    if pair.a.any():
        return None
    return Verdict.ZERO, (
        "The analytical gradient is zero everywhere: backward returns zeros here, or the graph is cut on the way (detach(), item(), numpy())."
    )


def _not_finite(pair: Pair) -> Found | None:
    wrong = ~pair.accepts(pair.a) & ~np.isfinite(pair.a)
    if not wrong.any():
        return None
    k = int(wrong.reshape(-1).argmax())
    what = "nan" if np.isnan(pair.a.flat[k]) else "infinite"
    if pair.bounds.kinks.flat[k]:
        return Verdict.NOT_FINITE, (
            f"The analytical gradient is {what} at a point where the function has no derivative, but finite slopes "
            f"({pair.bounds.left.flat[k]:.6g} on the left, {pair.bounds.right.flat[k]:.6g} on the right): give a sub-gradient, such as 0, there."
        )
    return Verdict.NOT_FINITE, (
        f"The analytical gradient is {what} at {int(wrong.sum())} of {wrong.size} elements where the function is smooth: look for 0 / 0, "
        "0 * inf, a division by the input or by the output, a square root or a logarithm at 0."
    )


def _exchanged(
    pair: Pair, numericals: Sequence[Matrix], given: Sequence[Matrix | WrongShape | None], i: int
) -> Found | None:
    """Two gradients that stand in each other's place: one mistake, and not two."""
    for j, n in enumerate(numericals):
        other = given[j]
        if (
            j == i
            or n.shape != pair.n.shape
            or not isinstance(other, np.ndarray)
            or not _close(n, pair.a, pair.tolerance)
        ):
            continue
        if pair.fits(np.asarray(other)):
            return Verdict.SWAPPED, (
                f"The gradients of input {i} and of input {j} are exchanged: backward must return them in the order of forward's arguments."
            )
    return None


def _swapped(pair: Pair, numericals: Sequence[Matrix], i: int) -> Found | None:
    for j, n in enumerate(numericals):
        if j != i and n.shape == pair.n.shape and _close(n, pair.a, pair.tolerance):
            return Verdict.SWAPPED, (
                f"This is the gradient of input {j}, given for input {i}: backward must return one gradient for each argument of forward, "
                "in the same order."
            )
    return None


def _sign(pair: Pair) -> Found | None:
    if not pair.fits(-pair.a):
        return None
    return Verdict.SIGN, (
        "The analytical gradient is the numerical one with its sign reversed everywhere: a minus is missing in backward, or one too many."
    )


def _factor(pair: Pair) -> float:
    """The number k for which a = k n comes closest, seen where the function is smooth; 0 if there is none."""
    sure = np.isfinite(pair.n) & ~pair.bounds.kinks & np.isfinite(pair.a)
    a, n = pair.a[sure], pair.n[sure]
    if not n.any():
        return 0.0
    k = float((a * n).sum() / (n * n).sum())
    return k if k and math.isfinite(1 / k) and pair.fits(pair.a / k) else 0.0


NAMED_NUMBERS = {"ln 2": math.log(2), "ln 10": math.log(10), "the square root of 2": math.sqrt(2), "pi": math.pi}


def _simple_factor(pair: Pair) -> Found | None:
    k = _factor(pair)
    if not k:
        return None
    spread = _broadcast_count(pair)
    if spread and _near(k, 1 / spread):
        return Verdict.UNSUMMED, (
            f"The analytical gradient is 1/{spread} of the numerical one everywhere, and the input is broadcast {spread} times: the mean "
            "over the broadcast axis was taken where the sum belongs."
        )
    name, count = _fraction(k), _count(pair, k)
    if name or count:
        return Verdict.FACTOR, _factor_words(k, "; ".join([words for words in (name + _half(k), count) if words]))
    for what, number in NAMED_NUMBERS.items():
        if _near(k, number) or _near(k, 1 / number):
            return Verdict.FACTOR, _factor_words(k, what if _near(k, number) else f"one over {what}")
    return None


def _any_factor(pair: Pair) -> Found | None:
    """A constant factor that is no simple number counts only if several different derivatives show it."""
    k = _factor(pair)
    sizes = np.abs(pair.n[np.isfinite(pair.n)])
    sizes = sizes[sizes > pair.tolerance.atol]
    if not k or not sizes.size or sizes.max() < 1.01 * sizes.min():
        return None
    return Verdict.FACTOR, _factor_words(k, "")


def _factor_words(k: float, name: str) -> str:
    also = f" ({name})" if name and name != f"{k:.4g}" else ""
    sign = "; its sign is wrong too" if k < 0 else ""
    return f"The analytical gradient is {k:.4g} times the numerical one everywhere{also}: a constant factor is wrong{sign}."


def _half(k: float) -> str:
    return ", as when one of two equal terms is missing, in x * x" if _near(k, 0.5) else ""


def _near(k: float, number: float) -> bool:
    return abs(k - number) <= 1e-3 * abs(number)


def _fraction(k: float) -> str:
    """A factor in words of small numbers: ``2``, ``1/2``, ``-2/3``; empty if it is none of these."""
    for q in (1, 2, 3, 4):
        p = round(k * q)
        if p and abs(p) <= 4 and _near(k, p / q):
            return f"{p}/{q}" if q > 1 else str(p)
    return ""


def _count(pair: Pair, k: float) -> str:
    """Say that a factor is the number of elements that forward reduced to one, or one over it: sums and means confused."""
    size, out = math.prod(pair.shape), math.prod(pair.output_shape)
    if not out or size <= out:
        return ""
    numbers = {size // out: "the number of elements behind each output", size: "the number of elements"}
    numbers |= {n: f"the length of axis {axis} of the input" for axis, n in enumerate(pair.shape) if n not in numbers}
    for n, what in numbers.items():
        if n > 1 and _near(k, n):
            return f"{n} is {what}: a sum where a mean was meant"
        if n > 1 and _near(k, 1 / n):
            return f"1/{n}, and {n} is {what}: a mean where a sum was meant"
    return ""


def _broadcast_count(pair: Pair) -> int:
    """How often each element of the input is used, if forward broadcast it to the output's shape; else 0."""
    try:
        if np.broadcast_shapes(pair.shape, pair.output_shape) != pair.output_shape:
            return 0
    except ValueError:
        return 0
    size, out = math.prod(pair.shape), math.prod(pair.output_shape)
    return out // size if size and out > size else 0


def _transposed(pair: Pair) -> Found | None:
    for axes, sentence in _turns((*pair.shape, *pair.output_shape), len(pair.shape)):
        turned = pair.a.reshape(*pair.shape, *pair.output_shape).transpose(axes).reshape(pair.a.shape)
        if pair.fits(turned):
            return Verdict.TRANSPOSED, sentence
    return None


def _turns(lengths: tuple[int, ...], split: int) -> Iterator[tuple[tuple[int, ...], str]]:
    """Exchanges of axes of equal length in a Jacobian whose first ``split`` axes are the input's, the likeliest first."""
    pairs = [(p, q) for p, q in combinations(range(len(lengths)), 2) if lengths[p] == lengths[q] > 1]
    pairs.sort(key=lambda pq: (pq[0] < split <= pq[1], pq[0] >= split, -pq[0] - pq[1]))
    for p, q in pairs:
        yield _exchange(range(len(lengths)), p, q), _turned_words(p, q, split)
    if len(lengths) <= 6:
        for (p, q), (r, s) in combinations(pairs, 2):
            axes = _exchange(_exchange(range(len(lengths)), p, q), r, s)
            yield (
                axes,
                "The factors of a matrix product are exchanged or transposed in backward: A @ B is (B.T @ A.T).T.",
            )


def _exchange(axes: Sequence[int], p: int, q: int) -> tuple[int, ...]:
    turned = list(axes)
    turned[p], turned[q] = turned[q], turned[p]
    return tuple(turned)


def _turned_words(p: int, q: int, split: int) -> str:
    if q < split:
        which = "" if (p, q) == (split - 2, split - 1) else f" (axes {p} and {q} are exchanged)"
        return f"The analytical gradient is transposed{which}: x.mT belongs where x stands, or the other way round."
    if p >= split:
        return (
            "The incoming gradient g is used transposed: the formula has g.mT where g belongs, or the other way round."
        )
    return "A factor in the formula is transposed: the other operand stands there as y where y.mT belongs, or the other way round."


def _one_slice(pair: Pair) -> Found | None:
    """Right for one index of an output axis, and zero for the others: g[0] where g.sum(0) belongs."""
    shape = (len(pair.a), *pair.output_shape)
    a, right = pair.a.reshape(shape), pair.accepts(pair.a).reshape(shape)
    for axis, length in enumerate(pair.output_shape, 1):
        others = tuple([k for k in range(len(shape)) if k != axis])
        used = np.flatnonzero(a.any(others))
        if length < 2 or len(used) != 1 or not right.take(used[0], axis).all():
            continue
        part = a.take(used[0], axis).reshape(len(a), -1).any(1)
        if part[~right.reshape(len(a), -1).all(1)].all():  # what is missing elsewhere is there in the slice
            return Verdict.UNSUMMED, (
                f"The analytical gradient is right for index {used[0]} of axis {axis - 1} of the output, and zero for the other "
                f"{length - 1}: one slice was taken where the sum over that axis belongs (g.sum({axis - 1}))."
            )
    return None


def _uncoupled(pair: Pair) -> Found | None:
    """Right where it is not zero, and zero where the function couples elements: a sum inside the formula is missing."""
    wrong = ~pair.accepts(pair.a)
    if pair.a[wrong].any() or not pair.a.any() or pair.shape != pair.output_shape:
        return None
    diagonal = np.eye(len(pair.a), dtype=bool)
    if (wrong & diagonal).any() or pair.a[~diagonal].any():
        return None
    axes = _coupled_axes(wrong, pair.shape)
    along = f"along axis {axes[0]}" if len(axes) == 1 else f"along the axes {', '.join(map(str, axes))}"
    return Verdict.UNSUMMED, (
        f"Each element's derivative by itself is right, but elements {along} act on each other, and their part is missing: a sum over "
        "that axis inside the formula is left out, such as (g * out).sum(dim, keepdim=True)."
    )


def _coupled_axes(wrong: Matrix, shape: tuple[int, ...]) -> list[int]:
    """The axes along which two elements differ whose derivative is missing."""
    rows, columns = np.nonzero(wrong)
    first, second = np.unravel_index(rows, shape), np.unravel_index(columns, shape)
    return [axis for axis, (p, q) in enumerate(zip(first, second, strict=True)) if (p != q).any()]


def _term(pair: Pair) -> Found:
    """None of the simple relations: say what is seen."""
    right = pair.accepts(pair.a)
    seen = (
        _reversed(pair)
        or _of_a_sign(pair, right)
        or _only_diagonal(pair, right)
        or _offset(pair)
        or _where_wrong(pair, right)
    )
    return (
        Verdict.TERM,
        f"No simple relation explains the difference: a term of the formula is missing or wrong. {seen}",
    )


def _of_a_sign(pair: Pair, right: Matrix) -> str:
    """Say that a branch is wrong, if exactly the elements on one side of it are."""
    wrong, point = ~right.all(1), pair.point.reshape(-1)
    for what, chosen in (
        ("negative", point < 0),
        ("positive", point > 0),
        ("zero", point == 0),
        ("above 1", point > 1),
    ):
        if chosen.any() and not chosen.all() and (wrong == chosen).all():
            return f"It is wrong exactly where the input is {what}: look at the branch or the mask for these."
    return ""


def _only_diagonal(pair: Pair, right: Matrix) -> str:
    if pair.shape != pair.output_shape or len(pair.a) < 2:
        return ""
    diagonal = np.eye(len(pair.a), dtype=bool)
    if right[diagonal].all():
        return "Each element's derivative by itself is right, but not that by the other elements: a coupling is missing or wrong."
    if right[~diagonal].all():
        return "The derivative by the other elements is right, but not each element's derivative by itself."
    return ""


def _offset(pair: Pair) -> str:
    apart = (pair.a - pair.n)[np.isfinite(pair.n) & ~pair.bounds.kinks]
    if (
        apart.size > 1
        and apart.any()
        and np.ptp(apart) <= pair.tolerance.atol + pair.tolerance.rtol * np.abs(apart).max()
    ):
        return f"The analytical gradient is {abs(apart.mean()):.4g} too {'high' if apart.mean() > 0 else 'low'} everywhere: look for a constant."
    return ""


def _reversed(pair: Pair) -> str:
    a = pair.a.reshape(*pair.shape, -1)
    for axis, length in enumerate(pair.shape):
        if length > 1 and pair.fits(np.flip(a, axis).reshape(pair.a.shape)):
            return f"It would be right with axis {axis} reversed: a flip({axis}) is missing or one too many."
        if length > 1 and any([pair.fits(np.roll(a, k, axis).reshape(pair.a.shape)) for k in (1, -1)]):
            return f"It would be right shifted by one along axis {axis}: an index is off by one."
    return ""


def _where_wrong(pair: Pair, right: Matrix) -> str:
    """Say which elements of the input have a wrong derivative."""
    wrong = ~right.all(1)
    if wrong.all():
        return f"{int((~right).sum())} of {right.size} derivatives are wrong, some of every element of the input."
    rows = [list(map(int, np.unravel_index(k, pair.shape))) for k in np.flatnonzero(wrong)[:4]]
    places = ", ".join(map(str, rows)) + (", ..." if wrong.sum() > 4 else "")
    return f"It is right in {int((~wrong).sum())} of {wrong.size} elements of the input, wrong at {places}."


def wrong_shape(
    given: WrongShape,
    shape: tuple[int, ...],
    n: Matrix,
    others: Sequence[tuple[int, tuple[int, ...], Matrix]],
    tolerance: Tolerance,
) -> Found:
    """Name the mistake behind a gradient of another shape than its input, by the values if they are known, else by the shapes."""
    possible = list(_shape_causes(given, shape, n, others, tolerance))
    certain = [found for found, proved in possible if proved]
    verdict, sentence = (certain or [found for found, _ in possible] or [_no_shape()])[0]
    return verdict, f"The gradient has shape {list(given.given)}, the input {list(shape)}. {sentence}"


def _no_shape() -> Found:
    return Verdict.TERM, "No simple relation explains that: backward must return a gradient of the shape of each input."


def _shape_causes(
    given: WrongShape,
    shape: tuple[int, ...],
    n: Matrix,
    others: Sequence[tuple[int, tuple[int, ...], Matrix]],
    tolerance: Tolerance,
) -> Iterator[tuple[Found, bool]]:
    """Each cause that the shapes allow, with whether the values prove it."""
    values = None if given.matrix is None else given.matrix.reshape(*given.given, given.matrix.shape[1])
    if _broadcasts(shape, given.given):
        summed = None if values is None else _summed(values, shape, n.shape)
        yield (
            (
                Verdict.UNSUMMED,
                "It has not been summed over the axes along which the input was broadcast: sum over them in backward, as g.sum(0) for a bias "
                "that is added to every row.",
            ),
            summed is not None and _close(n, summed, tolerance),
        )
    elif values is not None:
        for summed, how in _collected(values, shape):
            sentence = f"It is right when {how}: backward must add up what belongs to one element of the input."
            if _close(n, summed.reshape(n.shape), tolerance):
                yield (Verdict.UNSUMMED, sentence), True
    for j, other, theirs in others:
        if other == given.given and shape != given.given:
            proved = values is not None and _close(theirs, values.reshape(theirs.shape), tolerance)
            yield (
                (
                    Verdict.SWAPPED,
                    f"That is the shape of input {j}: the gradients stand in the wrong order in backward.",
                ),
                proved,
            )
    if len(shape) >= 2 and sorted(shape) == sorted(given.given):
        turned = (
            None if values is None or shape != _turned(given.given) else values.swapaxes(len(shape) - 2, len(shape) - 1)
        )
        proved = turned is not None and _close(n, turned.reshape(n.shape), tolerance)
        yield (
            (Verdict.TRANSPOSED, "It is transposed: give back its .mT, or exchange the factors of the product."),
            proved,
        )
    if _broadcasts(given.given, shape):
        yield (
            (
                Verdict.TERM,
                "It was summed over too many axes, or is still to be expanded: g.expand(x.shape), or keepdim=True in a sum.",
            ),
            False,
        )


def _turned(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:-2], *shape[:-3:-1])


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    try:
        return small != large and np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def _summed(values: Matrix, shape: tuple[int, ...], matrix: tuple[int, ...]) -> Matrix:
    """The values of a gradient, (*its shape, elements of the output), summed to ``shape`` as broadcasting asks."""
    lead = values.ndim - 1 - len(shape)
    values = values.sum(tuple(range(lead)))
    ones = tuple([k for k, n in enumerate(shape) if n == 1])
    summed: Matrix = values.sum(ones, keepdims=True)
    return summed.reshape(matrix)


def _collected(values: Matrix, shape: tuple[int, ...]) -> Iterator[tuple[Matrix, str]]:
    """The values of a gradient, (*its shape, elements of the output), summed to ``shape`` in other ways than broadcasting asks."""
    given = values.shape[:-1]
    if len(given) < len(shape):
        return
    for axes in combinations(range(len(given)), len(given) - len(shape)):
        if tuple([n for k, n in enumerate(given) if k not in axes]) == shape:
            yield values.sum(axes), f"summed over the axes {list(axes)}"
    lengths = (1,) * (len(given) - len(shape)) + shape
    if len(lengths) == len(given) and all(n and g % n == 0 for g, n in zip(given, lengths, strict=True)):
        pairs = [(g // n, n) for g, n in zip(given, lengths, strict=True)]
        copies = tuple(range(0, 2 * len(pairs), 2))
        yield values.reshape(*chain(*pairs), values.shape[-1]).sum(copies), "the copies of the whole are added"
        pairs = [(n, copy) for copy, n in pairs]
        copies = tuple(k + 1 for k in copies)
        yield values.reshape(*chain(*pairs), values.shape[-1]).sum(copies), "the copies of each element are added"


def _close(n: Matrix, a: Matrix, tolerance: Tolerance) -> bool:
    return n.shape == a.shape and bool((tolerance.excess(a, n) <= 0).all())

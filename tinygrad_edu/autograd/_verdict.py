"""Numerical derivatives, and what an analytical one that differs from them has in common with the right one.

Pure NumPy: a function is known by its values alone (``moved``), an engine by the Jacobians it gives (``analytical``), so any
engine can be judged. The patterns are in ``_diagnosis``, the words in ``_report``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ._diagnosis import Pair, diagnose, wrong_shape
from ._kinks import Bounds, Heights, describe
from ._report import Finding, Matrix, Report, Tolerance, Verdict, WrongShape

__all__ = ["Finding", "Matrix", "Moved", "Report", "Tolerance", "Verdict", "WrongShape", "examine", "numerical"]

Moved = Callable[[int, tuple[int, ...], float], list[Matrix]]
"""moved(i, place, step): all outputs, as float64, with element ``place`` of input i ``step`` higher; step 0.0: as they are."""

STEPS = tuple([10.0**-k for k in range(2, 10)])
ROUNDING = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def numerical(moved: Moved, i: int, shape: tuple[int, ...], eps: float) -> list[Matrix]:
    """For each output its Jacobian by input i: central differences, (f(x + eps) - f(x - eps)) / (2 eps).

    Raises
    ------
    AssertionError
        If an output changes its shape when an element is moved.
    """
    rows: list[list[Matrix]] = []
    for place in np.ndindex(*shape):
        above, below = moved(i, place, eps), moved(i, place, -eps)
        if [a.shape for a in above] != [b.shape for b in below]:
            raise AssertionError(
                f"Expected `func` to return outputs with the same shape when inputs are perturbed on index {place} by {eps}, but got: "
                f"shapes {[list(a.shape) for a in above]} and {[list(b.shape) for b in below]}."
            )
        with np.errstate(all="ignore"):
            rows.append([((a - b) / (2 * eps)).reshape(-1) for a, b in zip(above, below, strict=True)])
    if not rows:
        return [np.zeros((0, value.size)) for value in moved(i, (), 0.0)]
    return [np.stack(of_output) for of_output in zip(*rows, strict=True)]


def examine(
    moved: Moved,
    inputs: Sequence[Matrix],
    analytical: Sequence[Sequence[Matrix | WrongShape | None]],
    tolerance: Tolerance,
    *,
    dtypes: Sequence[object] | None = None,
    order: int = 1,
    names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    differences: Sequence[Sequence[Matrix]] | None = None,
    explain: bool = False,
) -> Report:
    """Compare an engine's Jacobians with central differences, and name the mistake in every pair that differs.

    Parameters
    ----------
    moved
        The function: its outputs when one element of one input is moved.
    inputs
        The points, one array for each input.
    analytical
        ``analytical[o][i]`` is the Jacobian of output o by input i, (elements of the input, elements of the output); None where
        no gradient arrived, WrongShape where one of another shape did.
    tolerance
        The step, and what is accepted.
    dtypes
        The dtypes the engine computes with, where they are not those of ``inputs``.
    order
        Which derivative this is; a failure at order 2 or more is SECOND_ORDER, its ``cause`` the pattern.
    names, output_names
        What to call inputs and outputs in the report.
    differences
        The numerical Jacobians, ``differences[i][o]``, where they are known already.
    explain
        Show the worst element, and the error against the step, where nothing fails too.
    """
    kinds = [str(kind).removeprefix("torch.") for kind in (dtypes or [np.asarray(x).dtype for x in inputs])]
    known = differences or [numerical(moved, i, np.shape(x), tolerance.eps) for i, x in enumerate(inputs)]
    search = _Search(moved, inputs, analytical, tolerance, kinds, known)
    found = [search.pair(o, i) for o in range(len(analytical)) for i in range(len(inputs))]
    findings = sorted(
        [f for f in found if f is not None], key=lambda f: (f.verdict.passes, -_distance(f.analytical, f.numerical))
    )
    findings = [_named(finding, names, output_names, order) for finding in findings]
    worst = None
    if explain and not findings and search.worst is not None:
        worst = _named(search.illustrated(search.worst), names, output_names, 1)
    return Report(tuple(findings), search.worst_error, search.checked, order, worst, tolerance)


def _distance(a: float, n: float) -> float:
    far = abs(a - n) / max(1.0, abs(n))
    return far if far == far else np.inf


def _named(finding: Finding, names: Sequence[str] | None, output_names: Sequence[str] | None, order: int) -> Finding:
    """The finding with its names, and at a higher order the verdict SECOND_ORDER."""
    finding = replace(
        finding,
        cause=finding.verdict,
        input_name=names[finding.input] if names else "",
        output_name=output_names[finding.output] if output_names else "",
    )
    if order == 1 or finding.verdict.passes or finding.verdict is Verdict.NOISE:
        return finding
    sentence = (
        f"{finding.sentence} This is the derivative of order {order}: if the order below is right, backward itself is not differentiated "
        "rightly. Look there for a value taken out of the graph (detach(), item(), numpy()), or a number saved in forward."
    )
    return replace(finding, verdict=Verdict.SECOND_ORDER, sentence=sentence)


class _Search:
    """One examination: what is known of the function and of the engine, and what was found so far."""

    def __init__(
        self,
        moved: Moved,
        inputs: Sequence[Matrix],
        analytical: Sequence[Sequence[Matrix | WrongShape | None]],
        tolerance: Tolerance,
        kinds: Sequence[str],
        known: Sequence[Sequence[Matrix]],
    ) -> None:
        self.moved, self.inputs, self.analytical, self.tolerance = moved, inputs, analytical, tolerance
        self.kinds, self.known = kinds, known
        self.worst_error, self.checked = 0.0, 0
        self.worst: Finding | None = None
        self._seen: dict[tuple[int, tuple[int, ...], float], list[Matrix]] = {}

    def pair(self, o: int, i: int) -> Finding | None:
        """What is wrong with output o by input i; None if nothing is."""
        a, n = self.analytical[o][i], self.known[i][o]
        self.checked += n.size
        if isinstance(a, WrongShape):
            self.worst_error = np.inf
            others = [(j, np.shape(x), self.known[j][o]) for j, x in enumerate(self.inputs) if j != i]
            verdict, sentence = wrong_shape(a, np.shape(self.inputs[i]), n, others, self.tolerance)
            return Finding(o, i, verdict, sentence, analytical=np.nan, numerical=np.nan)
        values = np.zeros_like(n) if a is None else np.asarray(a, np.float64)
        if (self.tolerance.excess(values, n) > 0).any():
            return self._judge(o, i, values, missing=a is None)
        self._note(o, i, values, n)
        return None

    def _note(self, o: int, i: int, a: Matrix, n: Matrix, counted: Matrix | bool = True) -> None:
        """Keep the largest error among the elements that count."""
        if not n.size:
            return
        with np.errstate(invalid="ignore"):
            error = np.nan_to_num(np.abs(a - n) / np.maximum(1.0, np.abs(n)), nan=0.0, posinf=0.0) * counted
        k = int(error.argmax())
        if self.worst is None or error.flat[k] > self.worst_error:
            self.worst_error = max(self.worst_error, float(error.flat[k]))
            self.worst = self._at(Finding(o, i, Verdict.RIGHT, ""), a, n, k)

    def _judge(self, o: int, i: int, a: Matrix, missing: bool) -> Finding | None:
        """Digits first, then kinks, then the patterns."""
        n, tolerance = self.known[i][o], self.tolerance
        if self._is_coarse(o, i, a):
            tolerance = _coarse(tolerance, self._rounding(i))
            n = numerical(self.moved, i, np.shape(self.inputs[i]), tolerance.eps)[o]
        pair = Pair(
            a, n, Bounds.smooth(n), tolerance, np.shape(self.inputs[i]), self._shape(o), np.asarray(self.inputs[i])
        )
        if tolerance is self.tolerance:
            self._smoothen(pair, o, i)
        self._look(pair, o, i, np.flatnonzero((~pair.accepts(a)).any(1)))
        wrong = ~pair.accepts(a)
        if not wrong.any():
            return self._accepted(pair, o, i)
        numericals = [self.known[j][o] for j in range(len(self.inputs))]
        verdict, sentence = diagnose(pair, missing, numericals, self.analytical[o], i)
        if tolerance is not self.tolerance:
            sentence += f" (The digits are few: compared with a step of {tolerance.eps:.0e}.)"
        excess = np.where(wrong, tolerance.excess(a, n), -1.0)
        found = self._at(Finding(o, i, verdict, sentence, count=int(wrong.sum())), a, n, int(excess.argmax()))
        self.worst_error = max(self.worst_error, _distance(found.analytical, found.numerical))
        return self.illustrated(found)

    def _accepted(self, pair: Pair, o: int, i: int) -> Finding | None:
        """A Jacobian that is right but for digits and kinks."""
        self._note(o, i, pair.a, pair.n, ~pair.bounds.kinks)
        fine = self.tolerance.excess(pair.a, self.known[i][o]) > 0
        if pair.tolerance is not self.tolerance and (fine & ~pair.bounds.kinks).any():
            return self._noise(pair, o, i)
        apart = fine & pair.bounds.kinks
        if not apart.any():
            return None
        k = int(np.where(apart, self.tolerance.excess(pair.a, pair.n), -1.0).argmax())
        found = self._at(Finding(o, i, Verdict.KINK, "", count=int(apart.sum())), pair.a, pair.n, k)
        at, bounds = float(pair.point[found.place]), pair.bounds
        here = self._heights(o)(i, found.place, 0.0)[k % pair.n.shape[1]]
        sentence = describe(float(bounds.left.flat[k]), float(bounds.right.flat[k]), float(here), at)
        return replace(found, sentence=f"{sentence} The analytical value is a sub-gradient: accepted.")

    def _noise(self, pair: Pair, o: int, i: int) -> Finding:
        """A gradient that is right, in a dtype that cannot show it with this step."""
        fine, eps = self.known[i][o], self.tolerance.eps
        excess = self.tolerance.excess(pair.a, fine)
        found = self._at(
            Finding(o, i, Verdict.NOISE, "", count=int((excess > 0).sum())), pair.a, fine, int(excess.argmax())
        )
        kind = self.kinds[i] if self.kinds[i] != "float64" else "float32 (inside func)"
        rounding = 2.0**-23 if self.kinds[i] == "float64" else self._rounding(i)
        high = float(np.abs(self._heights(o)(i, found.place, 0.0)).max())
        sentence = (
            f"The gradient is right, but {kind} has too few digits to show it: values of size {high:.3g} are rounded by "
            f"{high * rounding:.1g}, which a step of {eps:g} turns into an error of {high * rounding / eps:.1g}. With a step of "
            f"{pair.tolerance.eps:.0e} both agree. Check in float64: x.double(), and model.double() for a layer."
        )
        return self.illustrated(replace(found, sentence=sentence))

    def _rounding(self, i: int) -> float:
        return ROUNDING.get(self.kinds[i], ROUNDING["float64"])

    def _shape(self, o: int) -> tuple[int, ...]:
        return np.shape(self._outputs(0, None, 0.0)[o])

    def _outputs(self, i: int, place: tuple[int, ...] | None, step: float) -> list[Matrix]:
        """moved, remembered; without a place, or where the place cannot be moved, as it is."""
        key = (i, place or (), step) if step else (0, (), 0.0)
        if key not in self._seen:
            where = place if place is not None else (0,) * np.ndim(self.inputs[i])
            self._seen[key] = self.moved(i, where if np.size(self.inputs[i]) else (), step)
        return self._seen[key]

    def _heights(self, o: int) -> Heights:
        """Output o, flat, for a moved element; nan where the function raises or changes its shape."""
        size = int(np.prod(self._shape(o)))

        def heights(i: int, place: tuple[int, ...], step: float) -> Matrix:
            try:
                value = self._outputs(i, place, step)[o].reshape(-1)
            except (ArithmeticError, ValueError, RuntimeError, IndexError):
                return np.full(size, np.nan)
            return value if value.size == size else np.full(size, np.nan)

        return heights

    def _is_coarse(self, o: int, i: int, a: Matrix) -> bool:
        """Whether the values have fewer digits than float64: by the dtype, or because what a moved element changes are float32 numbers."""
        if self._rounding(i) > ROUNDING["float64"]:
            return True
        row = int(np.abs(np.nan_to_num(a)).max(1).argmax())
        place = tuple(map(int, np.unravel_index(row, np.shape(self.inputs[i]))))
        heights = self._heights(o)
        here, there = heights(i, place, 0.0), heights(i, place, np.pi * 1e-3)
        changed = there[np.isfinite(there) & (there != here)]
        fractions = changed[
            changed * 2**12 != np.floor(changed * 2**12)
        ]  # what any dtype can hold, such as floor's 1.0, shows nothing
        with np.errstate(over="ignore"):
            return bool(fractions.size and (fractions.astype(np.float32) == fractions).all())

    def _smoothen(self, pair: Pair, o: int, i: int) -> None:
        """Where rounding of large values explains the difference, take the numerical derivative with a larger step."""
        eps = self.tolerance.eps
        high = np.abs(np.nan_to_num(self._outputs(0, None, 0.0)[o].reshape(-1), posinf=0.0, neginf=0.0))
        noise = 8 * ROUNDING["float64"] * high / eps
        with np.errstate(invalid="ignore"):
            doubtful = (self.tolerance.excess(pair.a, pair.n) > 0) & (np.abs(pair.a - pair.n) <= noise)
        heights = self._heights(o)
        for row in np.flatnonzero(doubtful.any(1)):
            place = tuple(map(int, np.unravel_index(row, pair.shape)))
            for step in [k * max(1.0, abs(float(pair.point[place]))) for k in (1e-4, 1e-3, 1e-2)]:
                with np.errstate(all="ignore"):
                    slope = (heights(i, place, step) - heights(i, place, -step)) / (2 * step)
                    agrees = (
                        np.abs(pair.a[row] - slope)
                        <= self.tolerance.atol + self.tolerance.rtol * np.abs(slope) + noise * eps / step
                    )
                for bound in (pair.bounds.low, pair.bounds.high):
                    bound[row] = np.where(doubtful[row] & agrees, pair.a[row], bound[row])

    def _look(self, pair: Pair, o: int, i: int, rows: Matrix) -> None:
        """Find the kinks in some rows; what is no number has no derivative either."""
        places = [(int(row), tuple(map(int, np.unravel_index(row, pair.shape)))) for row in rows]
        pair.bounds.look(self._heights(o), i, places, pair.tolerance, self._rounding(i))
        nowhere = ~np.isfinite(pair.point.reshape(-1))
        pair.bounds.anything[nowhere] = pair.bounds.kinks[nowhere] = True

    def _at(self, finding: Finding, a: Matrix, n: Matrix, k: int) -> Finding:
        """The finding with its worst element, the k-th of the Jacobian."""
        row, column = divmod(k, n.shape[1])
        return replace(
            finding,
            place=tuple(map(int, np.unravel_index(row, np.shape(self.inputs[finding.input])))),
            at=tuple(map(int, np.unravel_index(column, self._shape(finding.output)))),
            analytical=float(a.flat[k]),
            numerical=float(n.flat[k]),
            size=int(n.size),
        )

    def illustrated(self, finding: Finding) -> Finding:
        """The finding with the error at its worst element for steps from large to small."""
        heights, shape = self._heights(finding.output), self._shape(finding.output)
        column = int(np.ravel_multi_index(finding.at, shape)) if shape else 0
        errors = []
        for step in STEPS:
            above, below = heights(finding.input, finding.place, step), heights(finding.input, finding.place, -step)
            with np.errstate(all="ignore"):
                errors.append(float(abs((above[column] - below[column]) / (2 * step) - finding.analytical)))
        return replace(finding, steps=tuple(zip(STEPS, errors, strict=True)))


def _coarse(tolerance: Tolerance, rounding: float) -> Tolerance:
    """A step and an acceptance that suit numbers of few digits: the cube root of their rounding."""
    step = max(rounding, ROUNDING["float32"]) ** (1 / 3)
    return Tolerance(step, max(tolerance.atol, 2 * step), max(tolerance.rtol, 2 * step))

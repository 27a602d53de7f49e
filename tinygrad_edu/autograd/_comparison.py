"""Backward and central differences side by side: element by element, or along a direction; torch's message where they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._core.engine import ShareShapeError
from .._tensor import Tensor
from ._diagnosis import wrong_shape
from ._direction import random_direction, torch_direction
from ._program import GradcheckError, Program, uncheckable
from ._report import Finding, Matrix, Report, Tolerance, Verdict, WrongShape
from ._verdict import examine, numerical

Jacobians = list[list[Matrix | None]]


@dataclass(frozen=True)
class Wanted:
    """What is checked beside the comparison itself, and how it is told."""

    check: str = "gradcheck"
    undefined: bool = True
    dtypes: bool = False
    batched: bool = False
    fast: bool = False
    masked: bool = False
    explain: bool = False
    order: int = 1
    input_names: tuple[str, ...] = ()


def of_order(wanted: Wanted) -> str:
    """What to add to a sentence about a gradient of a gradient."""
    if wanted.order == 1:
        return ""
    return (
        "\nThis is the second derivative: an output here is the gradient of an input, and the last inputs are the grad_outputs. "
        "If gradcheck passes, look at how backward itself is differentiated (a value taken out of the graph, a saved constant)."
    )


def compare_elements(program: Program, tolerance: Tolerance, wanted: Wanted) -> Report:
    """Compare every element of every Jacobian."""
    comparison = _Comparison(program, tolerance, wanted)
    analytical: Jacobians = []
    for o, out in enumerate(program.compared):
        try:
            found, again = program.analytical(out), program.analytical(out)
        except (RuntimeError, AssertionError) as error:
            misshapen = comparison.misshapen(o, error)
            if misshapen is None:
                raise
            raise misshapen from error
        _refuse_reentrance(found, again, tolerance, wanted)
        analytical.append(found)
        if not wanted.explain:
            comparison.refuse_mismatch(o, found)
    return comparison.judged(analytical) if wanted.explain else Report(order=wanted.order)


def first_differences(program: Program, tolerance: Tolerance, wanted: Wanted) -> list[list[Matrix]]:
    """The numerical derivatives alone, [input][output]: element by element, or in fast mode along a direction."""
    if wanted.fast:
        return torch_direction(program, program.outputs).numerical(tolerance.eps)
    return [numerical(program.moved, i, tuple(x.shape), tolerance.eps) for i, x in enumerate(program.targets)]


def follow(program: Program, tolerance: Tolerance, wanted: Wanted) -> Report:
    """Judge the derivatives along one random direction."""
    report = random_direction(program).examine(
        tolerance, names(program, wanted), order=wanted.order, explain=wanted.explain
    )
    return _or_error(program, report, tolerance)


def compare_directions(program: Program, tolerance: Tolerance, wanted: Wanted) -> Report:
    """Torch's fast mode: one number for each Jacobian, and the whole of it only for the message."""
    direction = torch_direction(program, program.compared)
    numericals = direction.numerical(tolerance.eps)
    gradients, again = direction.gradients(), direction.gradients()
    for of_output, of_again in zip(gradients, again, strict=True):
        _refuse_reentrance(of_output, of_again, tolerance, wanted)
    analytical = direction.analytical(gradients)
    for i, u in enumerate(direction.along):
        for o, v in enumerate(direction.weights):
            a, n = analytical[o][i], numericals[i][o]
            a = np.zeros((1, 1)) if a is None else a
            slack = replace(tolerance, atol=tolerance.atol * float(u.sum()) * float(v.sum()))
            if (slack.excess(a, n) > 0).any():
                raise _fast_mismatch(program, tolerance, wanted, o, i, a, n)
    if not wanted.explain:
        return Report(order=wanted.order)
    return _or_error(
        program, direction.examine(tolerance, names(program, wanted), order=wanted.order, explain=True), tolerance
    )


def _fast_mismatch(
    program: Program, tolerance: Tolerance, wanted: Wanted, o: int, i: int, a: Matrix, n: Matrix
) -> GradcheckError:
    """The error of fast mode, which shows the whole Jacobians as well."""
    comparison = _Comparison(program, tolerance, wanted)
    given = program.analytical(program.compared[o])
    slow_n, slow_a = comparison.numericals[i][o], given[i]
    slow_a = np.zeros_like(slow_n) if slow_a is None else slow_a
    shown = (
        f"numerical:{Tensor._of(n[0, 0])}\nanalytical:{Tensor._of(a[0, 0])}\n\n"
        "The above quantities relating the numerical and analytical jacobians are computed \nin fast mode: along one random direction. "
        "Below, numerical and analytical jacobians in slow mode:\n\n"
        f"Numerical:\n {Tensor._of(slow_n)}\nAnalytical:\n{Tensor._of(slow_a)}\n\n"
        f"The max per-element difference (slow mode) is: {float(np.abs(slow_n - slow_a).max(initial=0.0))}.\n"
    )
    if not (tolerance.excess(slow_a, slow_n) > 0).any():
        shown += "Fast gradcheck failed but element-wise differences are small: with fast_mode=False it passes.\n"
    return comparison.mismatch(o, i, given, shown)


def names(program: Program, wanted: Wanted) -> list[str]:
    """What the differentiated inputs are called."""
    return [wanted.input_names[i] if wanted.input_names else f"input {i}" for i in program.places]


def _or_error(program: Program, report: Report, tolerance: Tolerance) -> Report:
    """The report, or the error that carries it; a random function looks like one with kinks."""
    drift = program.drift(tolerance) if report.findings else ""
    if drift:
        raise uncheckable(drift)
    if report:
        return report
    raise GradcheckError(str(report), report)


def _refuse_reentrance(
    found: Sequence[Matrix | None], again: Sequence[Matrix | None], tolerance: Tolerance, wanted: Wanted
) -> None:
    """Two passes over the same numbers must agree."""
    with np.errstate(invalid="ignore"):
        drift = max(
            [
                float(np.nan_to_num(np.abs(a - b)).max(initial=0.0))
                for a, b in zip(found, again, strict=True)
                if a is not None and b is not None
            ],
            default=0.0,
        )
    if drift > tolerance.nondet:
        raise uncheckable(
            "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
            f"values: two passes differ by up to {drift:.6g}, and nondet_tol={tolerance.nondet} is accepted. backward must not "
            f"draw random numbers; save in forward what it drew.{of_order(wanted)}"
        )


class _Comparison:
    """All Jacobians of a program by central differences, to hold analytical ones against."""

    def __init__(self, program: Program, tolerance: Tolerance, wanted: Wanted) -> None:
        self.program, self.tolerance, self.wanted = program, tolerance, wanted
        self.numericals = [
            numerical(program.moved, i, tuple(x.shape), tolerance.eps) for i, x in enumerate(program.targets)
        ]

    def judged(self, analytical: Jacobians) -> Report:
        """The report on all of them, or the error that carries it."""
        return _or_error(self.program, self._examined(range(len(analytical)), analytical), self.tolerance)

    def refuse_mismatch(self, o: int, given: Sequence[Matrix | None]) -> None:
        """Torch's verdict on the Jacobians of one output."""
        for j, a in enumerate(given):
            n = self.numericals[j][o]
            a = np.zeros_like(n) if a is None else a
            if (self.tolerance.excess(a, n) > 0).any():
                raise self.mismatch(o, j, given, f"numerical:{Tensor._of(n)}\nanalytical:{Tensor._of(a)}\n")

    def mismatch(self, o: int, j: int, given: Sequence[Matrix | None], shown: str) -> GradcheckError:
        """The error: torch's first line, both Jacobians, the worst element, the cause."""
        program, n, a = self.program, self.numericals[j][o], given[j]
        excess = self.tolerance.excess(np.zeros_like(n) if a is None else a, n)
        row, column = divmod(int(excess.argmax()), n.shape[1])
        x, out = program.targets[j], program.compared[o]
        place, at = [list(map(int, np.unravel_index(k, tuple(s)))) for k, s in ((row, x.shape), (column, out.shape))]
        text = (
            f"Jacobian mismatch for output {o} with respect to input {j},\n{shown}"
            f"{int((excess > 0).sum())} of {n.size} elements differ by more than {self.tolerance}. "
            f"The worst is the derivative of output {o}{at or ''} by\ninput {program.places[j]}{place or ''}: "
            f"analytical {0.0 if a is None else a[row, column]:.6g}, numerical {n[row, column]:.6g}."
        )
        drift = program.drift(self.tolerance)
        if drift:
            return GradcheckError(f"{text}\n{drift}", uncheckable(drift).report)
        report = self._examined([o], [given])
        report = replace(report, findings=tuple([finding for finding in report.findings if finding.input == j]))
        return GradcheckError(f"{text}\n{_cause(report.findings, self.tolerance)}{of_order(self.wanted)}", report)

    def misshapen(self, o: int, error: Exception) -> GradcheckError | None:
        """The report on a gradient of another shape than its input, which stopped backward; without ``explain`` a note on the error."""
        given, expected = _shapes_in(error)
        shapes = [tuple(x.shape) for x in self.program.targets]
        if given is None or expected not in shapes:
            return None
        j = shapes.index(expected)
        others = [(k, shape, self.numericals[k][o]) for k, shape in enumerate(shapes) if k != j]
        verdict, sentence = wrong_shape(WrongShape(given), expected, self.numericals[j][o], others, self.tolerance)
        if not self.wanted.explain:
            error.add_note(sentence)
            return None
        by = names(self.program, self.wanted)[j]
        found = Finding(o, j, verdict, sentence, cause=verdict, output_name=self.program.output_names[o], input_name=by)
        report = Report((found,), np.inf, tolerance=self.tolerance)
        return GradcheckError(str(report), report)

    def _examined(self, chosen: Sequence[int], analytical: Jacobians | list[Sequence[Matrix | None]]) -> Report:
        program, wanted = self.program, self.wanted
        return examine(
            lambda i, place, step: [program.moved(i, place, step)[o] for o in chosen],
            [np.array(x._array, np.float64) for x in program.targets],
            analytical,
            self.tolerance,
            dtypes=[x.dtype for x in program.targets],
            order=wanted.order,
            names=names(program, wanted),
            output_names=[program.output_names[o] for o in chosen],
            differences=[[of_output[o] for o in chosen] for of_output in self.numericals],
            explain=wanted.explain,
        )


def _shapes_in(error: Exception) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
    """The shape that a gradient had and the one it should have had, if the engine complains of that."""
    if isinstance(error, ShareShapeError):
        return error.given, error.wanted
    said = re.search(
        r"invalid gradient at index \d+ - got \[(.*?)\] but expected shape compatible with \[(.*?)\]", str(error)
    )
    if said is None:
        return None, ()
    given, expected = [tuple(map(int, numbers.split(", "))) if numbers else () for numbers in said.groups()]
    return given, expected


def _cause(findings: Sequence[Finding], tolerance: Tolerance) -> str:
    """The sentence that ends torch's message."""
    if not findings:
        return (
            f"Rounding explains it: func's values are so large that a step of {tolerance.eps:g} loses the digits, and with a larger step "
            "both agree. Pass a larger eps, or take the large constant out of func."
        )
    (found,) = findings
    if found.verdict is not Verdict.KINK:
        return found.sentence
    return (
        f"{found.sentence} gradcheck refuses such points, as torch's does: test away from them, or with explain=True."
    )

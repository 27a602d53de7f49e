"""The words of the gradient check: what can be wrong with a gradient, where it was seen, and the report printed for a reader."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

Matrix = np.ndarray[
    Any, np.dtype[Any]
]  # a Jacobian, (elements of the input, elements of the output), as in torch's gradcheck


class Verdict(StrEnum):
    """What a check of gradients comes to."""

    RIGHT = "right"
    SIGN = "wrong sign"
    FACTOR = "wrong constant factor"
    TRANSPOSED = "transposed"
    UNSUMMED = "not summed over a broadcast axis"
    SWAPPED = "gradient of the wrong input"
    ZERO = "no gradient arrives"
    SECOND_ORDER = "stale or missing second-order term"
    TERM = "a term is missing or wrong"
    NOT_FINITE = "not finite"
    KINK = "not differentiable here"
    NOISE = "float32 noise"
    UNCHECKABLE = "cannot be checked"
    # Found by the conformance suite alone, which also knows values, shapes and several uses of one tensor.
    VALUE = "wrong value"
    SHAPE = "wrong shape"
    RAISES = "raises"
    NOT_ACCUMULATED = "contributions of several uses are not added"
    ORDER = "walked in the wrong order"
    DTYPE = "gradient of the wrong dtype"
    STALE = "an overwritten value was used"

    @property
    def passes(self) -> bool:
        """True where the gradient is as good as it can be: right, or a finite sub-gradient at a kink."""
        return self in (Verdict.RIGHT, Verdict.KINK)


@dataclass(frozen=True)
class Tolerance:
    """How far elements are moved, and how far results may differ: ``|analytical - numerical| <= atol + rtol * |numerical|``."""

    eps: float = 1e-6
    atol: float = 1e-5
    rtol: float = 1e-3
    nondet: float = 0.0

    def excess(self, analytical: Matrix, numerical: Matrix) -> Matrix:
        """How far each element is beyond what is accepted; nan counts as infinitely far, equal infinities as equal."""
        with np.errstate(invalid="ignore"):
            beyond = np.abs(analytical - numerical) - (self.atol + self.rtol * np.abs(numerical))
        beyond = np.where(np.isnan(beyond), np.inf, beyond)
        return np.where(analytical == numerical, -1.0, beyond)

    def __str__(self) -> str:
        return f"atol={self.atol:g} + rtol={self.rtol:g} * |numerical|"


@dataclass(frozen=True)
class WrongShape:
    """A gradient of another shape than its input; ``matrix`` has its values, (elements of the gradient, elements of the output)."""

    given: tuple[int, ...]
    matrix: Matrix | None = None


@dataclass(frozen=True)
class Finding:
    """What was found in the derivative of one output by one input.

    Attributes
    ----------
    sentence
        What is seen and what to do about it.
    place, at
        The index of the worst element, in the input and in the output.
    analytical, numerical
        The derivative there, as backward gives it and as central differences give it.
    count, size
        How many elements differ, of how many.
    steps
        (step, error of the numerical derivative at the worst element) from 1e-2 to 1e-9: truncation first, then rounding.
    cause
        The verdict without regard to the order: SIGN where ``verdict`` is SECOND_ORDER because a second derivative has the wrong sign.
    """

    output: int
    input: int
    verdict: Verdict
    sentence: str
    place: tuple[int, ...] = ()
    at: tuple[int, ...] = ()
    analytical: float = 0.0
    numerical: float = 0.0
    count: int = 0
    size: int = 0
    steps: tuple[tuple[float, float], ...] = ()
    cause: Verdict = Verdict.RIGHT
    output_name: str = ""
    input_name: str = ""

    @property
    def where(self) -> str:
        """The worst element in words, such as ``output 0[1] by input 2[0, 3]``."""
        return f"{self._name(True)}{list(self.at) or ''} by {self._name(False)}{list(self.place) or ''}"

    def _name(self, output: bool) -> str:
        return (self.output_name or f"output {self.output}") if output else (self.input_name or f"input {self.input}")

    def __str__(self) -> str:
        if self.verdict is Verdict.UNCHECKABLE:
            return self.sentence
        of = f" ({self.cause.value})" if self.verdict is Verdict.SECOND_ORDER else ""
        lines = [
            f"{self._name(True)} with respect to {self._name(False)}: {self.verdict.value}{of}",
            _wrapped(self.sentence),
        ]
        if self.size:
            many = (
                f"{self.count} of {self.size} derivatives differ; the worst" if self.count else "The worst derivative"
            )
            lines += [
                f"  {many} is that of {self.where}:",
                f"      analytical {self.analytical:.6g}",
                f"      numerical  {self.numerical:.6g}",
            ]
        return "\n".join([*lines, *_table(self)])


@dataclass(frozen=True)
class Report:
    """What a check found: true if every derivative is right, or a sub-gradient at a kink. It prints itself for a reader.

    Attributes
    ----------
    findings
        What fails, the worst first, and then the kinks that were accepted.
    worst_error
        The largest ``|analytical - numerical| / max(1, |numerical|)``, kinks that were accepted left out.
    checked
        How many derivatives were compared.
    order
        1 for gradients, 2 for gradients of gradients.
    worst
        The worst element where nothing fails, if it was asked for.
    notes
        What else a reader should know, such as an output that was not compared.
    """

    findings: tuple[Finding, ...] = ()
    worst_error: float = 0.0
    checked: int = 0
    order: int = 1
    worst: Finding | None = None
    tolerance: Tolerance = Tolerance()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all([finding.verdict.passes for finding in self.findings])

    @property
    def verdict(self) -> Verdict:
        """That of the worst finding that fails; else KINK if there is one; else RIGHT."""
        return self.findings[0].verdict if self.findings else Verdict.RIGHT

    def __str__(self) -> str:
        failing = [finding for finding in self.findings if not finding.verdict.passes]
        kinks = [finding for finding in self.findings if finding.verdict.passes]
        many = f"{self.checked} derivative{'' if self.checked == 1 else 's'}"
        many += f" of order {self.order}" if self.order > 1 else ""
        lines = [f"verdict: {self.verdict.value}"]
        if self.checked:
            lines.append(f"{many} compared; a difference up to {self.tolerance} is accepted.")
        lines += ["\n" + str(finding) for finding in [*failing, *kinks]]
        if self.worst is not None:
            lines += ["", f"The largest error is at {self.worst.where}:", *_values(self.worst), *_table(self.worst)]
        return "\n".join([*lines, *self.notes])


def _wrapped(sentence: str) -> str:
    return textwrap.fill(
        sentence, 100, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _values(finding: Finding) -> list[str]:
    return [f"      analytical {finding.analytical:.6g}", f"      numerical  {finding.numerical:.6g}"]


def _table(finding: Finding) -> list[str]:
    """The error against the step, a line each, and how to read it."""
    if not finding.steps:
        return []
    known = [error for _, error in finding.steps if math.isfinite(error)]
    lines = ["  Error of the numerical derivative there, for each step:"]
    lines += [
        f"      {step:.0e}  {error:.1e}" if math.isfinite(error) else f"      {step:.0e}  -"
        for step, error in finding.steps
    ]
    if known:
        lines.append(f"  {_reading(known, finding)}")
    return lines


def _reading(errors: list[float], finding: Finding) -> str:
    """What the column of errors shows."""
    smallest, scale = min(errors), max(1.0, abs(finding.analytical))
    if finding.verdict in (Verdict.RIGHT, Verdict.NOISE) or smallest <= 1e-6 * scale:
        return "Large steps cut the curve short (truncation), small ones run out of digits (rounding)."
    if max(errors) <= 1.5 * smallest:
        return "It is the same for every step: the two gradients differ, whatever the digits."
    return "It does not go to zero for any step, beyond truncation (large steps) and rounding (small ones): the two gradients differ."

"""The conformance suite: every row of the op table, run by any engine and compared with finite differences.

`check_row` examines the derivatives of a row at all its cases and weighs what fails, `run` does so for the whole table and the
laws of the engine itself. ``python -m tinygrad_edu check`` prints the results.
"""

from __future__ import annotations

import difflib
import functools
import time
import unittest
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..autograd._verdict import Report, Verdict
from ._cases import KINDS, Case, cases_of, described
from ._trial import Guard, Refused, check_case, reference
from ._weigh import weigh
from .adapter import Adapter, NotOffered
from .laws import LAWS, Law
from .table import ROWS
from .table.row import Row

__all__ = ["KINDS", "MAX_EXAMPLES", "Result", "check_case", "check_row", "names", "require", "run"]

MAX_EXAMPLES = 5
LAW = "law: "  # what the names of the laws begin with
FAILURES = 12  # failing cases that are weighed


# One row


@dataclass(frozen=True)
class Result:
    """What the suite found of one operation."""

    name: str
    cases: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    worst: float = 0.0
    verdict: Verdict = Verdict.RIGHT
    sentence: str = ""
    seconds: float = 0.0
    example: str = ""
    offered: bool = True
    order: int = 0  # the highest that was examined
    missing: tuple[str, ...] = ()  # what the engine was asked for and does not have
    is_compared: bool = True  # False: it has no finite differences, and torch, its reference, is not installed

    @property
    def passes(self) -> bool:
        """Say whether nothing is wrong."""
        return self.verdict.passes

    def joined(self, other: Result) -> Result:
        """Return the result of both, which are forms of one operation; the first failure is kept."""
        worse = self if not self.verdict.passes or (other.verdict.passes and self.verdict is Verdict.KINK) else other
        return Result(
            self.name,
            self.cases + other.cases,
            {
                kind: self.kinds.get(kind, 0) + other.kinds.get(kind, 0)
                for kind in KINDS
                if kind in {*self.kinds, *other.kinds}
            },
            max(self.worst, other.worst),
            worse.verdict,
            worse.sentence,
            self.seconds + other.seconds,
            worse.example,
            self.offered or other.offered,
            max(self.order, other.order),
            tuple(dict.fromkeys((*self.missing, *other.missing))),
            self.is_compared and other.is_compared,
        )


def check_row(adapter: Adapter, row: Row, *, order: int = 2, seed: int = 0, max_examples: int = MAX_EXAMPLES) -> Result:
    """Check one row of the op table on all kinds of input that it bears, up to ``order``.

    After the first failure some more are sought, of the same order or lower: one case alone may mislead about what is wrong.
    """
    start = time.perf_counter()
    if not (row.base.startswith("__") or adapter.offers((row.name, row.base))):
        return Result(row.name, offered=False, missing=(row.name,))
    kinds: dict[str, int] = {}
    worst, kink, reached = 0.0, False, 0
    missing: dict[str, None] = {}
    failing: list[tuple[Case, Report]] = []
    deepest = max(1, min(order, adapter.orders))
    for case in cases_of(row, seed, max_examples):
        try:
            for k in range(1, max(1, min(deepest, case.order)) + 1):
                report = check_case(
                    adapter, row, case.arguments, order=k, layout=case.layout, is_continuous=case.is_continuous
                )
                worst, kink = max(worst, report.worst_error), kink or report.verdict is Verdict.KINK
                reached = max(reached, k if report.checked else 0)
                if not report:
                    failing.append((case, report))
                    deepest = k
                    break
        except NotOffered as error:
            missing[str(error)] = None
            continue
        kinds[case.kind] = kinds.get(case.kind, 0) + 1
        if len(failing) == FAILURES:
            break
    result = Result(
        row.name, sum(kinds.values()), kinds, worst, Verdict.KINK if kink else Verdict.RIGHT, order=reached,
        seconds=time.perf_counter() - start, offered=bool(kinds), missing=tuple(missing),
        is_compared=row.finite or not row.order or reference(adapter) is not None,
    )  # fmt: skip
    finding = weigh([report for _, report in failing])
    if finding is None:
        return result
    seen = next(case for case, report in failing if any(f.where == finding.where for f in report.findings))
    return replace(result, verdict=finding.verdict, sentence=finding.sentence, example=described(seen, finding))


# The whole table


def run(
    adapter: Adapter,
    *,
    op: str | None = None,
    order: int = 2,
    seed: int = 0,
    max_examples: int = MAX_EXAMPLES,
    progress: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Check every operation of the table and then the laws, or one operation; ``progress`` gets each result as it is found."""
    results: dict[str, Result] = {}
    for name in names(op):
        if name.startswith(LAW):
            results[name] = check_law(adapter, name, results)
        else:
            results[name] = check_op(adapter, name, order=order, seed=seed, max_examples=max_examples)
        if progress is not None:
            progress(results[name])
    return list(results.values())


def check_law(adapter: Adapter, name: str, known: dict[str, Result] | None = None) -> Result:
    """Check one law of the engine; ``known`` has results of the operations that it uses, others are found here."""
    law = next(law for law in LAWS if LAW + law.name == name)
    known = {} if known is None else known
    start = time.perf_counter()
    for needed in (*law.ops, *(LAW + after for after in law.after)):
        if needed not in known:
            known[needed] = (
                check_law(adapter, needed, known)
                if needed.startswith(LAW)
                else check_op(adapter, needed, order=1, max_examples=2)
            )
        if not known[needed].passes:
            return Result(name, offered=False, missing=(f"not judged before {needed} is right",))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            broken = _broken(adapter, law)
    except NotOffered as error:
        return Result(name, offered=False, missing=(str(error),))
    spent = time.perf_counter() - start
    return Result(name, 1, {}, 0.0, law.verdict if broken else Verdict.RIGHT, broken or "", spent, order=1)


def _broken(adapter: Adapter, law: Law) -> str | None:
    try:
        with Guard(adapter, "the program"):
            return law.broken(adapter)
    except Refused as refused:
        _, error = refused.args
        return f"it raises {type(error).__name__}: {error}"


def check_op(adapter: Adapter, name: str, *, order: int = 2, seed: int = 0, max_examples: int = MAX_EXAMPLES) -> Result:
    """Check all rows of one operation."""
    checks = (
        check_row(adapter, row, order=order, seed=seed, max_examples=max_examples) for row in ROWS if row.name == name
    )
    return functools.reduce(Result.joined, checks)


def names(op: str | None = None) -> list[str]:
    """Return the names of all operations, or those that ``op`` means: "relu" means "nn.functional.relu".

    Raises
    ------
    LookupError
        If there is none; the message suggests some.
    """
    every = [*dict.fromkeys(row.name for row in ROWS), *(LAW + law.name for law in LAWS)]
    if op is None:
        return every
    found = [n for n in every if n == op] or [n for n in every if op in (n.split(".")[0], n.split(".")[-1])]
    if not found:
        short = {n.split(".")[-1]: n for n in every} | {n: n for n in every}
        close = dict.fromkeys(short[n] for n in difflib.get_close_matches(op, short, 4))
        raise LookupError(f"no operation is called {op!r}" + (f"; did you mean {', '.join(close)}?" if close else ""))
    return found


def require(adapter: Adapter, name: str, *, order: int = 2, seed: int = 0, max_examples: int = MAX_EXAMPLES) -> Result:
    """Check one operation and raise AssertionError with the report if it fails; skip the test if it is not offered.

    So a test file of one's own engine is six lines, and ``pytest --junitxml=report.xml`` writes a test case for each operation::

        import pytest
        from tinygrad_edu.testing import suite
        from my_adapter import adapter

        @pytest.mark.parametrize("name", suite.names())
        def test_engine(name):
            suite.require(adapter, name)
    """
    [result] = run(adapter, op=name, order=order, seed=seed, max_examples=max_examples)
    if not result.offered:
        raise unittest.SkipTest(f"{adapter.name} does not offer {name}")
    if not result.passes:
        raise AssertionError(f"{name}: {result.verdict}. {result.sentence}\n{result.example}")
    return result

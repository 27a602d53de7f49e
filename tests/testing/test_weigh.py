"""What is said of many failing cases together."""

from __future__ import annotations

import pytest

from tinygrad_edu.autograd._verdict import Finding, Report, Verdict
from tinygrad_edu.testing._weigh import weigh


def report(cause, size, order=1):
    """A failing report of one finding; a gradient of a wrong shape has no size."""
    return Report((Finding(0, 0, cause, "", cause=cause, count=size, size=size),), 1.0, size, order)


@pytest.mark.parametrize(
    ("several", "verdict"),
    {
        "one sign": ([(Verdict.SIGN, 9)], Verdict.SIGN),
        "a sign and a factor": ([(Verdict.SIGN, 9), (Verdict.FACTOR, 9)], Verdict.TERM),
        "a single number looks like a factor": ([(Verdict.FACTOR, 1), (Verdict.TRANSPOSED, 9)], Verdict.TRANSPOSED),
        "a wrong shape beside numbers": ([(Verdict.TERM, 9), (Verdict.UNSUMMED, 0)], Verdict.UNSUMMED),
        "a pattern in a few numbers": ([(Verdict.TERM, 9), (Verdict.UNSUMMED, 2)], Verdict.TERM),
        "a rare pattern": ([(Verdict.UNSUMMED, 9)] + 6 * [(Verdict.TERM, 9)], Verdict.TERM),
        "a pattern not so rare": ([(Verdict.UNSUMMED, 9)] + 5 * [(Verdict.TERM, 9)], Verdict.UNSUMMED),
    }.values(),
)
def test_the_cases_are_weighed_together(several, verdict):
    assert weigh([report(cause, size) for cause, size in several]).cause is verdict


def test_the_lowest_order_counts_and_nothing_is_said_of_what_passes():
    assert weigh([report(Verdict.SIGN, 9, order=2), report(Verdict.ZERO, 9)]).cause is Verdict.ZERO
    assert weigh([Report()]) is None

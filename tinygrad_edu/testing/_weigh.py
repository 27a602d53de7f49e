"""Many failing cases of one operation, and the one verdict that explains them.

A case may mislead: with a single element every mistake looks like a wrong factor, and a transposition shows only where axes
have the same length. So the cases are weighed together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..autograd._report import Finding, Report, Verdict

__all__ = ["weigh"]

PATTERNS = (Verdict.TRANSPOSED, Verdict.UNSUMMED, Verdict.SWAPPED)
"""Relations of whole matrices: one case of a few different numbers proves them, for other mistakes seldom imitate them."""

UNIFORM = (Verdict.SIGN, Verdict.FACTOR, Verdict.ZERO, Verdict.NOT_FINITE)
"""What would be wrong everywhere in the same way: every case has to show it."""

MISLEADING = 4  # derivatives in a Jacobian up to which chance may imitate a pattern
RARE = 6  # findings without a pattern for each with one: by then the pattern is an effect of something else


def weigh(reports: Sequence[Report]) -> Finding | None:
    """Return the finding that speaks for all failing reports of one operation, None if none fails.

    The lowest order counts, since higher ones follow from it. A transposition, a missing sum or exchanged inputs are told if they
    show in a case of more than a few numbers, unless far more findings show nothing of the kind; a wrong sign, a wrong factor or
    zeros only if they show in all cases of more than one; otherwise a term is wrong.
    """
    failing = [report for report in reports if not report]
    lowest = min((report.order for report in failing), default=1)
    found = [f for report in failing if report.order == lowest for f in report.findings if not f.verdict.passes]
    derivatives = [f for f in found if f.cause in (*PATTERNS, *UNIFORM, Verdict.TERM)]
    if not derivatives or (len(found) > len(derivatives) and found[0].cause is Verdict.VALUE):
        return found[0] if found else None
    several = [f for f in derivatives if f.size != 1] or derivatives  # a wrong shape has no size
    told = [f for f in several if f.cause is not Verdict.NOT_FINITE] or several  # at singular points much is not finite
    counts = Counter(f.cause for f in told if f.cause in PATTERNS and (f.size >= MISLEADING or not f.size))
    if counts and RARE * counts.total() > sum(f.cause is Verdict.TERM for f in told):
        return _clearest(told, max(PATTERNS, key=lambda verdict: counts[verdict]))
    causes = {f.cause for f in told}
    if len(causes) == 1:
        return _clearest(told, told[0].cause)
    if Verdict.TERM in causes:
        return _clearest(told, Verdict.TERM)
    clearest = _clearest(told, max(causes, key=[f.cause for f in told].count))
    different = ", ".join(sorted(cause.value for cause in causes))
    verdict = Verdict.TERM if clearest.verdict is clearest.cause else clearest.verdict
    sentence = f"No simple relation explains all cases ({different}): a term of the formula is missing or wrong."
    return replace(clearest, verdict=verdict, cause=Verdict.TERM, sentence=sentence)


def _clearest(found: Sequence[Finding], cause: Verdict) -> Finding:
    """Return the finding of this cause with the most derivatives, among the ones that can be read at a glance."""
    return max((f for f in found if f.cause is cause), key=lambda f: (f.size <= 64, f.size))

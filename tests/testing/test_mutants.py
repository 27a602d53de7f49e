"""The suite proves the gradients; here the gradients prove the suite: every formula is broken in every way it can be.

Each mutant must fail a row of the op table, and be told by its name. Those that equal the original, and those that deserve
another name, stand in ``reviewed_mutants.toml`` with the reason.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.notes import note
from tests.testing.engine_mutants import BROKEN
from tests.testing.mutants import Kind, Mutant, Witness, all_mutants, broken, families
from tests.testing.reach import Way, reach
from tinygrad_edu.autograd._verdict import Finding, Report, Verdict
from tinygrad_edu.testing import _trial, suite
from tinygrad_edu.testing._cases import Case, cases_of
from tinygrad_edu.testing._weigh import weigh
from tinygrad_edu.testing.adapter import Ours
from tinygrad_edu.testing.laws import LAWS

pytestmark = [
    pytest.mark.torch,  # the reference of rows that have no finite differences
    pytest.mark.filterwarnings("ignore::UserWarning"),  # advice of some rows
]

MUTANTS = all_mutants()
REVIEWED = tomllib.loads((Path(__file__).parent / "reviewed_mutants.toml").read_text())
EQUAL = {name for entry in REVIEWED["equal"] for name in entry["mutants"]}
OTHERWISE = {name: Verdict(entry["verdict"]) for entry in REVIEWED["otherwise"] for name in entry["mutants"]}
ALONE = {name for entry in REVIEWED["alone"] for name in entry["mutants"]}
NAMES = {
    Kind.SIGN: Verdict.SIGN,
    Kind.FACTOR: Verdict.FACTOR,
    Kind.ZERO: Verdict.ZERO,
    Kind.TRANSPOSED: Verdict.TRANSPOSED,
    Kind.UNSUMMED: Verdict.UNSUMMED,
    Kind.SWAPPED: Verdict.SWAPPED,
    Kind.EXCHANGED: Verdict.TERM,
    Kind.DROPPED: Verdict.TERM,
}
ROWS = 8  # that are tried until one fails
MORE = 40  # examples of each of them, where the first few do not fail
ENOUGH = {Kind.SIGN: 3, Kind.FACTOR: 3, Kind.ZERO: 3}  # failing cases that are weighed; of other kinds more
MANY = 100  # wrong derivatives, of which no more are weighed
OURS = Ours()


def checked(way: Way, case: Case) -> Report:
    """Run the suite on one case."""
    return suite.check_case(
        OURS, way.row, case.arguments, order=way.order, layout=case.layout, is_continuous=case.is_continuous
    )


DRAWN: dict[int, list[Case]] = {}  # many cases of a row, by its identity: rows cannot be hashed


def longer(way: Way) -> Way:
    """Return the way with more cases of its row, also such as do not lead there."""
    row = way.row
    if id(row) not in DRAWN:
        DRAWN[id(row)] = list(cases_of(row, 1, MORE))
    return replace(way, cases=DRAWN[id(row)])


def shorter(way: Way) -> Way:
    """Return the way with a few of its cases, for a mutant that is known to equal the original."""
    return replace(way, cases=way.cases[:4])


def failures(way: Way, enough: int) -> list[Report]:
    """Return the reports of the first cases that fail, fewer where they hold many wrong derivatives."""
    failing: list[Report] = []
    seen = 0
    for case in way.cases:
        report = checked(way, case)
        if not report:
            failing.append(report)
            seen += sum(finding.count for finding in report.findings)
        if len(failing) == enough or seen > MANY:
            break
    return failing


def alone(op: str) -> list[Way]:
    """Return the ways to call an op by itself at which the right formula passes."""
    return [way for way in reach().calls[op].values() if checked_alone([way], 1) == []]


def checked_alone(ways: Sequence[Way], enough: int) -> list[Report]:
    """Return the reports of the ops alone that fail; finite differences are their only judge."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_trial, "reference", lambda adapter: None)
        failing = [report for way in ways for report in failures(way, 1)]
    return failing[:enough]


def expected(mutant: Mutant, witness: Witness) -> set[Verdict]:
    """Return the verdicts that are right for a mutant: its class, and what its numbers always were by chance."""
    right = {NAMES[mutant.kind]}
    if mutant.kind in ENOUGH:
        return right
    if witness.factor is not None and witness.proportional:
        right.add({-1.0: Verdict.SIGN, 0.0: Verdict.ZERO}.get(round(witness.factor, 9), Verdict.FACTOR))
    if witness.transposed:
        right.add(Verdict.TRANSPOSED)
    if witness.others:
        right.add(Verdict.SWAPPED)
    if witness.not_finite:
        right.add(Verdict.NOT_FINITE)
    if mutant.kind is Kind.UNSUMMED and not witness.reshaped:
        right.add(Verdict.TERM)  # a sum within the formula, not over a broadcast axis
    return right


class Proof:
    """What became of a mutant: the findings of a row that failed and of the op by itself, where a row shows it among others."""

    def __init__(self, mutant: Mutant, lonely: Sequence[Way]) -> None:
        self.mutant, self.name, enough = mutant, str(mutant), ENOUGH.get(mutant.kind, 8)
        self.of_row: Finding | None = None
        self.of_op: Finding | None = None
        with broken(mutant, families()[mutant.op]) as self.witness:
            ways = reach().ways[mutant.op][:ROWS]
            for way in map(shorter, ways[:3]) if self.name in EQUAL else itertools.chain(ways, map(longer, ways)):
                self.of_row = weigh(failures(way, 1))
                if self.of_row:
                    break
            if not self.of_row or way.others or way.order > 1:
                self.of_op = weigh(checked_alone(lonely, enough))
            if self.of_row and not self.is_told(self.of_op):
                self.of_row = weigh(failures(way, enough))

    def is_told(self, finding: Finding | None) -> bool:
        """Say whether a finding has the right name."""
        right = {OTHERWISE[self.name]} if self.name in OTHERWISE else expected(self.mutant, self.witness)
        return finding is not None and finding.cause in right

    @property
    def is_right(self) -> bool:
        """Say whether the mutant is caught and named, or passes as it must."""
        if self.name in EQUAL:
            return self.of_row is None and self.of_op is None
        return (self.is_told(self.of_row) or self.is_told(self.of_op)) and (self.of_row is None) == (self.name in ALONE)

    def __str__(self) -> str:
        row, op = ("passes" if finding is None else finding.cause for finding in (self.of_row, self.of_op))
        return f"{self.name}: a row says {row!r}, the op alone {op!r}"


@pytest.mark.parametrize("op", MUTANTS)
def test_every_wrong_formula_is_caught_and_named(op):
    lonely = alone(op)
    proofs = [Proof(mutant, lonely) for mutant in MUTANTS[op]]
    assert [str(proof) for proof in proofs if not proof.is_right] == []


def test_every_op_whose_formula_does_not_refuse_is_reached_by_a_row():
    refused = {"elementwise.floor_divide", "sort.run_heads", "sort.unique", "sort.unique_slices"}
    assert {op for op, ways in reach().ways.items() if not ways} == refused


def test_the_mutants_are_counted_and_few_are_excused():
    names = {str(mutant) for several in MUTANTS.values() for mutant in several}
    caught = len(names) - len(EQUAL)
    note(
        f"mutants: {len(names)} of {len(MUTANTS)} ops; {len(EQUAL)} equal the original ({len(EQUAL) / len(names):.1%}); "
        f"{caught} are caught, {1 - len(OTHERWISE) / caught:.1%} of them by their name"
    )
    assert names >= EQUAL | set(OTHERWISE) | ALONE
    assert len(names) >= 1800
    assert len(EQUAL) <= 0.15 * len(names)
    assert len(OTHERWISE) <= 0.05 * caught
    assert len(ALONE) <= 6
    assert {mutant.kind for several in MUTANTS.values() for mutant in several} == set(Kind)


def test_every_reviewed_mutant_has_one_reason():
    listed = [name for kind in REVIEWED.values() for entry in kind for name in entry["mutants"]]
    assert len(listed) == len(set(listed))
    assert all(len(entry["reason"]) > 20 for kind in REVIEWED.values() for entry in kind)


def verdicts() -> dict[str, Verdict]:
    """Return the verdicts of the laws that are broken; where a law waits for its operations, theirs."""
    known: dict[str, Any] = {}
    for law in LAWS:
        known[suite.LAW + law.name] = suite.check_law(OURS, suite.LAW + law.name, known)
    broken = {name: result.verdict for name, result in known.items() if result.offered and not result.passes}
    laws = {name: verdict for name, verdict in broken.items() if name.startswith(suite.LAW)}
    return laws or broken


def test_the_right_engine_breaks_no_law():
    assert verdicts() == {}


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_engine_is_caught_and_named(name):
    verdict, breaks = BROKEN[name]
    with breaks():
        found = verdicts()
    assert set(found.values()) == {verdict}, found
    assert verdicts() == {}

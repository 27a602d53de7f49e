"""Every row of the op table beside torch and beside finite differences.

Values, dtypes, shapes and grad_fn names in all forms and layouts; gradients of first, second and (where smooth) third
order; ties and kinks; NaN and infinities; in-place forms; refused arguments.
"""

from __future__ import annotations

import warnings
from typing import Any

import hypothesis
import numpy as np
import pytest

from tests.harness import Arguments, derivatives, for_each_case, forms, layouts_of, names, slopes, writes
from tests.oracle import assert_same, both, ours, outcome, to_numpy, torch
from tests.test_house import OPS
from tinygrad_edu._core.op import unwatch, watch
from tinygrad_edu.testing._draw import cast, special, tied, zeroed
from tinygrad_edu.testing.table import ROWS
from tinygrad_edu.testing.table.row import Row

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too; tested elsewhere


def ids(rows: list[Row]) -> list[str]:
    """Number the rows of one name, so that each test has its own."""
    seen: dict[str, int] = {}
    result = []
    for row in rows:
        seen[row.name] = seen.get(row.name, 0) + 1
        result.append(row.name if seen[row.name] == 1 else f"{row.name}-{seen[row.name]}")
    return result


NAMED = dict(zip(ids(ROWS), ROWS, strict=True))


def rows(wanted=lambda row: True):
    """Parametrize over the rows that ``wanted`` picks."""
    picked = {name: row for name, row in NAMED.items() if wanted(row)}
    return pytest.mark.parametrize("row", picked.values(), ids=picked.keys())


def their_outcome(program):
    """Run a program with torch; its warnings are its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return outcome(program, torch)


def is_a_gap(error: Any) -> bool:
    """Say whether torch merely has no kernel for a dtype; there we may work."""
    return isinstance(error, RuntimeError) and "not implemented for" in str(error)


@rows()
def test_values_dtypes_shapes_and_names_equal_torch(row):
    def check(case, seed):
        for dtype, layouts in (
            ("float64", layouts_of(row, seed)),
            *((d, ("contiguous",)) for d in ("float64", *row.dtypes)),
        ):
            now = cast(case, dtype)
            named = row.named and row.order > 0 and layouts[0] == "contiguous"  # torch may name by strides
            for form, call in forms(row).items():

                def program(t, now=now, call=call, layouts=layouts, named=named):
                    given = Arguments(t, now, row.frozen, grad=row.order > 0, layouts=layouts)
                    result = call(t, *given.args)
                    assert given.untouched(), "an argument was modified"
                    return result, names(result) if named else None

                theirs = their_outcome(program)
                if is_a_gap(theirs):
                    continue
                try:
                    assert_same(outcome(program, ours()), theirs, rtol=row.rtol)
                except AssertionError as error:
                    raise AssertionError(f"{form} of {dtype}: {error}") from None

    assert for_each_case(row, check, share=1.5) >= min(row.at_least, 20)


@rows(lambda row: row.order > 0)
def test_gradients_of_every_order_equal_torch(row):
    def check(case, seed):
        tolerances = {"rtol": row.rtol or 1e-8, "atol": row.rtol or 1e-10}
        layouts = layouts_of(row, seed)
        both(lambda t: derivatives(t, row.call, case, row.frozen, row.order, seed, layouts), **tolerances)
        for start in range(1, len(layouts)):  # of first order in every layout: formulas that write by strides err there
            turned = (*layouts[start:], *layouts[:start])
            both(lambda t, turned=turned: derivatives(t, row.call, case, row.frozen, 1, seed, turned), **tolerances)

    assert for_each_case(row, check, share=1.5) >= min(row.at_least, 20)


@rows(lambda row: row.order > 0 and row.finite)
def test_gradients_equal_finite_differences(row):
    differenced = 0

    def check(case, seed):
        nonlocal differenced
        for order in range(1, min(row.order, 2) + 1):
            found = slopes(ours(), row, case, seed, order)
            if found is not None and np.isfinite(found[1]):  # not so the mean of nothing
                formula, difference = found
                assert np.isclose(formula, difference, rtol=2e-5, atol=2e-6), (
                    f"order {order}: the formula gives {formula}, finite differences {difference}"
                )
                differenced += 1

    for_each_case(row, check, share=0.4)
    assert differenced >= min(row.at_least, 4)


@rows(lambda row: row.ties and row.order > 0)
def test_ties_and_zeros_are_torchs(row):
    def check(case, seed):
        for degenerate in (tied(case), zeroed(case)):
            both(
                lambda t, case=degenerate: derivatives(t, row.call, case, row.frozen, min(row.order, row.ties), seed),
                rtol=row.rtol or 1e-8,
                atol=row.rtol or 1e-10,
            )

    for_each_case(row, check, share=0.5)


@rows(lambda row: row.special)
def test_nan_infinity_and_huge_numbers_are_torchs(row):
    def check(case, seed):
        now = special(case, seed)
        both(lambda t: derivatives(t, row.call, now, row.frozen, 0, seed), rtol=row.rtol)

    for_each_case(row, check, share=0.5)


@rows(lambda row: writes(row))
def test_in_place_forms_equal_torch(row):
    def check(case, seed):
        for form, write in writes(row).items():

            def call(t, x, *rest, write=write):
                h = x * 1
                result = write(t, h, *rest)
                return (result, h) if result is h else h

            def unrecorded(t, write=write, now=case):
                given = Arguments(t, now, grad=False)
                result = write(t, *given.args)
                return result is given.args[0], result

            try:
                if row.order > 0:
                    program = lambda t, call=call: derivatives(t, call, case, row.frozen, min(row.order, 2), seed)
                    both(program, rtol=1e-8, atol=1e-10)
                    both(lambda t, call=call: names(call(t, *Arguments(t, case, row.frozen, grad=True).args)))
                for dtype in ("float64", *row.dtypes):
                    now = cast(case, dtype)
                    program = lambda t, now=now, run=unrecorded: run(t, now=now)
                    theirs = their_outcome(program)
                    if not is_a_gap(theirs):
                        assert_same(outcome(program, ours()), theirs, rtol=row.rtol)
            except AssertionError as error:
                raise AssertionError(f"{form}: {error}") from None

    for_each_case(row, check, share=0.5)


@rows(lambda row: row.bad)
def test_bad_arguments_raise_torchs_exception_and_change_nothing(row):
    for case in row.bad:
        for form, call in forms(row).items():
            theirs = their_outcome(lambda t, call=call, case=case: call(t, *Arguments(t, case, grad=False).args))
            assert isinstance(theirs, Exception), f"the row is wrong: torch accepts {case} in {form}: {theirs}"
            for grad in (False, True):
                given = Arguments(ours(), case, row.frozen, grad=grad)
                mine = outcome(lambda t, call=call, given=given: call(t, *given.args), ours())
                try:
                    assert_same(mine, theirs)
                except AssertionError as error:
                    raise AssertionError(f"{form}{case}: {error}") from None
                assert given.untouched(), f"{form}{case} was refused, yet changed an argument"
                assert str(mine), f"{form}{case} was refused without a word"


@rows(lambda row: writes(row) and row.bad)
def test_refused_writes_raise_torchs_exception_and_change_nothing(row):
    for case in row.bad:
        for form, write in writes(row).items():
            program = lambda t, write=write, case=case: write(t, *Arguments(t, case, grad=False).args)
            theirs = their_outcome(program)
            if not isinstance(theirs, Exception):
                continue  # torch allows it in place; test_in_place_forms_equal_torch compares what it does
            given = Arguments(ours(), case, grad=False)
            mine = outcome(lambda t, write=write, given=given: write(t, *given.args), ours())
            try:
                assert_same(mine, theirs)
            except AssertionError as error:
                raise AssertionError(f"{form}{case}: {error}") from None
            assert given.untouched(), f"{form}{case} was refused, yet changed an argument"


def test_the_table_has_rows_for_every_order():
    orders = [row.order for row in ROWS]
    assert len(ROWS) >= 340
    assert sum(order >= 2 for order in orders) >= 230
    assert sum(order >= 3 for order in orders) >= 55
    assert sum(len(forms(row)) for row in ROWS) >= 550
    assert sum(len(writes(row)) for row in ROWS) >= 100
    assert sum(len(row.bad) for row in ROWS) >= 200


ROWLESS: dict[str, str] = {}  # ops that no row reaches, and why


def test_every_op_has_a_row():
    """Watch the ops while every row is differentiated as often as it says; each op of ``_ops`` must run."""
    seen = set()

    def note(op, arrays, settings, result):
        seen.add(op.name)

    def run(row, cases):
        @hypothesis.settings(max_examples=cases, derandomize=True, database=None, phases=[hypothesis.Phase.generate])
        @hypothesis.given(row.sample.strategy())
        def differentiate(case):
            outcome(lambda t: derivatives(t, row.call, case, row.frozen, row.order, 0), ours())

        differentiate()

    watch(note)
    try:
        for cases in (8, 40, 160):  # few reach almost all; a branch that is seldom drawn needs more
            if {op.name for op in OPS} - seen != set(ROWLESS):
                for row in ROWS:
                    run(row, cases)
    finally:
        unwatch(note)
    assert {op.name for op in OPS} - seen == set(ROWLESS)


def test_the_harness_notices_a_wrong_gradient():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2.01

    row = Row(name="wrong", call=lambda t, x: Wrong.apply(x), sample=NAMED["exp"].sample)
    formula, difference = slopes(torch, row, (np.array([1.0, 2.0]),), 0, 1)
    assert not np.isclose(formula, difference, rtol=2e-5)
    assert to_numpy(difference).shape == ()

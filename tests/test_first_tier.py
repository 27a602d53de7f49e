"""Every first-tier name of PyTorch has a row in the op table and is implemented here."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from tests.harness import Arguments, forms, writes
from tests.notes import note
from tests.oracle import is_tensor, ours, outcome, torch
from tinygrad_edu.testing.table import FIRST

NAMES = (Path(__file__).parent / "first_tier.txt").read_text().split()

# Names we do not have, each with its reason.
MISSING: dict[str, str] = {}


def refusal(row):
    """Return the exception that keeps our side from running the simplest case of some form, or None."""
    case = hypothesis.find(row.sample.strategy(), lambda case: True, settings=hypothesis.settings(max_examples=1))
    for call in (forms(row) | writes(row)).values():

        def program(t, call=call):
            given = Arguments(t, case, row.frozen, grad=False)
            return call(t, *given.args)

        if not isinstance(outcome(program, torch), Exception):
            found = outcome(program, ours())
            if isinstance(found, AttributeError | NotImplementedError | NameError):
                return found
    return None


def test_the_list_has_each_name_once():
    assert len(NAMES) == len(set(NAMES)) == 233


def test_the_table_covers_the_first_tier():
    assert set(NAMES) - {row.name for row in FIRST} - set(MISSING) == set()
    assert {row.name for row in FIRST} - set(NAMES) == set()


def test_the_first_tier_is_implemented():
    refused = {row.name: error for row in FIRST if (error := refusal(row)) is not None}
    checked = len(set(NAMES) - set(refused) - set(MISSING))
    note(f"first tier: {checked} of {len(NAMES)} operations checked")
    for name, reason in MISSING.items():
        note(f"first tier: {name} is missing: {reason}")
    assert {name: str(error) for name, error in refused.items() if name not in MISSING} == {}
    assert set(MISSING) <= set(refused), "a name is listed as missing, yet works"
    assert checked >= 0.95 * len(NAMES)


@pytest.mark.parametrize("row", FIRST, ids=lambda row: row.name)
def test_a_form_that_torch_has_we_have_too(row):
    functions = [form for form in forms(row) if form.startswith("Tensor.")]
    for form in [*functions, *(f"Tensor.{name}" for name in writes(row) if name != "augmented")]:
        if hasattr(torch.Tensor, form.removeprefix("Tensor.")):
            assert hasattr(ours().Tensor, form.removeprefix("Tensor.")), form


def test_the_oracle_recognises_tensors():
    assert is_tensor(ours().tensor([1.0]))
    assert not is_tensor([1.0])

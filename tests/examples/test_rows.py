"""The examples cover the seeds: every row of the tables on TensorFlow, scikit-learn and theory."""

import re

import pytest

from tests.examples.runner import NAMES, OUR_IMPORTS, ROOT, header, rows, source

TABLES = {"B": 12, "C": 7, "E": 20}


def test_every_row_of_the_tables_has_an_example():
    covered = set().union(*map(rows, NAMES))
    demanded = {f"{letter}{i}" for letter, last in TABLES.items() for i in range(1, last + 1)}
    assert demanded - covered == set()


def test_rows_are_named_in_a_known_form():
    assert all(re.fullmatch(r"[A-F]\d{1,2}", row) for name in NAMES for row in rows(name))


def test_examples_are_numbered_without_a_gap():
    assert [int(name[:2]) for name in NAMES] == list(range(1, len(NAMES) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_what_it_teaches_and_begins_with_our_imports(name):
    first, *rest = header(name)
    assert first.startswith("# ")
    assert len(first) > 30
    assert any(line.startswith("# Rows: ") for line in rest)
    assert source(name).startswith("\n".join([*header(name), *OUR_IMPORTS[:1]]) + OUR_IMPORTS[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_lists_an_example_with_its_first_line(name):
    assert f"| `{name}` | {header(name)[0][2:]} |" in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short(name):
    assert len(source(name).splitlines()) <= 75

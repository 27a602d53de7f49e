"""Graphviz's program dot: a real part of these tests, left out only where the environment says that there is none."""

from __future__ import annotations

import os
import shutil

import pytest

from tests import notes


@pytest.fixture
def dot() -> str:
    """Give the path of the program."""
    found = shutil.which("dot")
    if found is not None:
        return found
    if os.environ.get("TINYGRAD_EDU_WITHOUT_DOT", "") not in ("", "0"):
        notes.note("TINYGRAD_EDU_WITHOUT_DOT: the tests that draw with Graphviz's program dot were left out.")
        pytest.skip("TINYGRAD_EDU_WITHOUT_DOT is set")
    pytest.fail(
        "Graphviz's program dot is not installed: apt install graphviz, or set TINYGRAD_EDU_WITHOUT_DOT=1 to leave its tests out.",
        pytrace=False,
    )

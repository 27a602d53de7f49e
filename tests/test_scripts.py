"""Scripts as beginners write them print under the stand-in what they print under torch."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings

import pytest

import tinygrad_edu
from tests.examples.runner import ROOT, first_difference
from tests.oracle import torch

SCRIPTS = sorted((ROOT / "tests" / "fixtures" / "scripts").glob("*.py"))


def printed(path, stand_in):
    """Run a script with ``import torch`` answered by ``stand_in`` (or by torch itself); give what it printed."""
    text = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(stand_in)
        stack.enter_context(contextlib.chdir(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.enter_context(contextlib.redirect_stdout(text))
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": "__main__"})
    return text.getvalue()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_prints_what_it_prints_under_torch(path):
    torch.set_num_threads(1)
    ours = printed(path, tinygrad_edu.as_torch())
    theirs = printed(path, warnings.catch_warnings(action="ignore"))
    differs = first_difference(ours, theirs)
    if differs is not None:
        shown = [(text.splitlines() + ["(nothing)"] * 1000)[differs] for text in (ours, theirs)]
        pytest.fail(f"{path.name}, line {differs + 1} of the output:\n  ours   {shown[0]}\n  torch  {shown[1]}")
    assert len(theirs.splitlines()) > 10

"""Each example runs as a program of its own, without a warning and without a lint."""

import os
import subprocess
import sys

import pytest

from tests.examples.runner import NAMES, ROOT, first_difference, output


def run(*command, folder, **environment):
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "EXAMPLE_SEED": "0"} | environment,
        check=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_by_itself(name, tmp_path):
    done = run("-W", "error", str(ROOT / "examples" / name), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert first_difference(done.stdout, output(name, "ours", 0)) is None


@pytest.mark.parametrize("name", NAMES)
def test_no_lint_on_an_example(name, tmp_path):
    steps = {"22_batches.py": "2"}.get(name, "4")  # there they count epochs, and the lints look at every step
    script = str(ROOT / "examples" / name)
    done = run("-m", "tinygrad_edu", "run", "--lint", script, folder=tmp_path, EXAMPLE_STEPS=steps)
    assert (done.returncode, done.stderr) == (0, "")

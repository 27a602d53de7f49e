"""Golden pictures: the DOT text of small programs, word for word. ``python -m tests.viz.test_golden`` writes them anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.viz.drawings import PROGRAMS, drawn

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_dot_text_is_as_it_was(name: str) -> None:
    assert drawn(name).source == (FOLDER / f"{name}.dot").read_text("utf-8")


@pytest.mark.parametrize("name", PROGRAMS)
def test_dot_reads_the_text(name: str, dot: str) -> None:
    done = subprocess.run([dot, "-Tcanon"], input=drawn(name).source, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_program_gives_the_same_bytes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    for suffix in ("dot", "svg", "html", "json", "txt"):
        files = [tmp_path / f"{number}.{suffix}" for number in range(2)]
        for file in files:
            drawn(name).save(file)
        assert files[0].read_bytes() == files[1].read_bytes()


def test_another_process_gives_the_same_bytes() -> None:
    code = "from tests.viz.drawings import drawn; print(drawn('twelve_blocks')._repr_svg_(), end='')"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={"PATH": "", "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert b"Block x 12" in runs[0]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in PROGRAMS:
        drawn(each).save(FOLDER / f"{each}.dot")

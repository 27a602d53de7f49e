"""docs/gallery.md shows what docs/make_gallery.py makes: every picture there, none forgotten, small together."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_the_one_that_is_made(maker):
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == maker.text()


def test_every_picture_is_there_and_no_other(maker):
    names = [picture.name for pictures in maker.SECTIONS.values() for picture in pictures]
    assert len(names) == len(set(names))
    assert {path.name for path in (DOCS / "gallery").iterdir()} == {f"{name}.png" for name in names}


def test_pictures_are_small(maker):
    pictures = list((DOCS / "gallery").iterdir())
    assert sum(path.stat().st_size for path in pictures) <= maker.LIMIT
    for path in pictures:
        (width,) = struct.unpack(">I", path.read_bytes()[16:20])
        assert width <= maker.WIDTH


def test_a_picture_that_is_not_there_is_refused_with_the_choices(maker, capsys):
    assert maker.main(["lab-xor", "nothing"]) == 2
    printed = capsys.readouterr().out
    assert printed.startswith("no such picture: nothing. There are: ")
    assert "lab-saturation" in printed

"""The figures: written, with their words in the language asked for."""

from __future__ import annotations

import re

import pytest
from matplotlib.figure import Figure

from tests.lab.conftest import measured
from tinygrad_edu import lab
from tinygrad_edu.lab import _figure

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def words(experiment, findings, language):
    """Give every text of a figure."""
    figure = Figure()
    experiment.draw(findings, figure, lambda text: text.within(language))
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_figure_is_written_and_no_letter_is_missing(experiment, findings, language, tmp_path):
    """matplotlib warns of letters that a font lacks, and a warning is an error here."""
    path = lab.save(experiment, findings, tmp_path / "figure", language, dpi=40)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_figure_speaks_the_language_asked_for(experiment, findings):
    assert not any(CHINESE.search(word) for word in words(experiment, findings, "en"))
    english, chinese = (words(experiment, findings, language) for language in ("en", "zh"))
    assert len(english) == len(chinese)
    assert any(CHINESE.search(word) for word in chinese)


def test_every_axis_has_a_name(experiment, findings):
    figure = Figure()
    experiment.draw(findings, figure, lambda text: text.en)
    for axes in figure.axes:
        assert axes.get_title() or axes.get_ylabel()


def test_the_same_findings_make_the_same_bytes(tmp_path):
    experiment, found = lab.EXPERIMENTS["saddle"], measured("saddle")
    one, two = (lab.save(experiment, found, tmp_path / name, dpi=40).read_bytes() for name in ("1.png", "2.png"))
    assert one == two


def test_without_a_chinese_font_the_figure_stays_english(monkeypatch, tmp_path):
    experiment, found = lab.EXPERIMENTS["saturation"], measured("saturation")
    english = lab.save(experiment, found, tmp_path / "en.png", "en", dpi=40).read_bytes()
    monkeypatch.setattr(_figure, "chinese_font", lambda: None)
    assert lab.save(experiment, found, tmp_path / "zh.png", "zh", dpi=40).read_bytes() == english


def test_the_callers_settings_of_matplotlib_stay(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    lab.save(lab.EXPERIMENTS["saturation"], measured("saturation"), tmp_path / "figure.png", "zh", dpi=40)
    assert dict(matplotlib.rcParams) == before


def test_without_matplotlib_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr(_figure, "find_spec", lambda name: None)
    with pytest.raises(lab.NoMatplotlibError, match=re.escape("pip install 'tinygrad-edu[plot]'")):
        lab.save(lab.EXPERIMENTS["saturation"], measured("saturation"), tmp_path / "figure.png")

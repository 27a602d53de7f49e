"""The colours: every pair that meets in a picture is told apart, in both themes."""

from __future__ import annotations

import pytest

from tinygrad_edu.viz.picture._colours import DARK, LIGHT, ROLES, Palette, contrast

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@THEMES
def test_text_stands_out_from_what_it_is_written_on(theme: Palette) -> None:
    grounds = [theme.page, theme.cluster.fill, *(paint.fill for paint in theme.boxes.values())]
    assert min(contrast(theme.text, ground) for ground in grounds) >= 4.5
    for label in (theme.muted, theme.back, theme.edge):
        assert min(contrast(label, ground) for ground in (theme.page, theme.cluster.fill)) >= 4.5


@THEMES
def test_borders_stand_out_from_their_filling_and_from_the_page(theme: Palette) -> None:
    for fill, border in [*theme.boxes.values(), theme.cluster]:
        assert contrast(border, fill) >= 3
        assert contrast(border, theme.page) >= 3
        assert contrast(border, theme.cluster.fill) >= 3


def test_both_themes_know_the_same_boxes() -> None:
    assert tuple(DARK.boxes) == ROLES


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)

"""Pictures in a real browser: text stays inside its box, both themes are readable, and a hostile name does nothing."""

from __future__ import annotations

import pytest

from tests.viz.drawings import PROGRAMS, drawn, leaf
from tests.viz.test_draw import HOSTILE
from tinygrad_edu import viz
from tinygrad_edu.viz.picture._colours import DARK, LIGHT, contrast

TEXTS = """() => [...document.querySelectorAll("g.node")].flatMap(node => {
  const outer = node.querySelector("rect, ellipse, polygon").getBBox();
  return [...node.querySelectorAll("text")].map(text => [text.textContent, text.getBBox(), outer])
    .filter(([, inner, outer]) => inner.x < outer.x || inner.x + inner.width > outer.x + outer.width
      || inner.y < outer.y - 1 || inner.y + inner.height > outer.y + outer.height + 1)
    .map(([words]) => words);
})"""
PAINTS = """() => [...document.querySelectorAll("svg g.node")].map(node => {
  const shape = node.querySelector("rect, ellipse, polygon, path"), text = node.querySelector("text");
  return [getComputedStyle(text).fill, getComputedStyle(shape).fill, getComputedStyle(shape).stroke];
})"""


def hexadecimal(colour: str) -> str:
    """From the browser's rgb(1, 2, 3)."""
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return f"#{red:02x}{green:02x}{blue:02x}"


def opened(browser, path, **context):
    page = browser.new_context(**context).new_page()
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    assert len(requests) == 1
    assert complaints == []
    return page


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_text_is_wider_than_its_box(name, browser, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    drawn(name).save(tmp_path / "graph.svg")
    page = opened(browser, tmp_path / "graph.svg")
    assert page.evaluate("document.querySelectorAll('g.node text').length") > 0
    assert page.evaluate(TEXTS) == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("program", ["", None], ids=["own layout", "dot"])
def test_the_readers_theme_is_followed(scheme, program, browser, request, tmp_path, monkeypatch):
    if program is None:
        request.getfixturevalue("dot")
    else:
        monkeypatch.setenv("PATH", program)
    theme = LIGHT if scheme == "light" else DARK
    for name in ("convolution_folded", "not_a_number", "fan_out_both_ways", "what_is_kept"):
        drawn(name).save(tmp_path / "graph.html")
        page = opened(browser, tmp_path / "graph.html", color_scheme=scheme)
        for text, fill, border in page.evaluate(PAINTS):
            assert (hexadecimal(fill), hexadecimal(border)) in theme.boxes.values()
            assert contrast(hexadecimal(text), hexadecimal(fill)) >= 4.5
        page.context.close()


def test_a_hostile_name_does_nothing(browser, tmp_path):
    x = leaf(1.0)
    graph = viz.draw(x.exp(), names={HOSTILE: x})
    for suffix in ("html", "svg"):
        graph.save(tmp_path / f"graph.{suffix}")
        page = opened(browser, tmp_path / f"graph.{suffix}")
        assert page.evaluate("document.querySelectorAll('img, script').length") == 0
        page.context.close()

"""The stepper's page in a real browser: every step by keyboard, every number against the engine's, no barrier, no request."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinygrad_edu as t
from tests.viz.programs import PROGRAMS
from tinygrad_edu import viz
from tinygrad_edu.viz._graph import Kind
from tinygrad_edu.viz.stepper import _page

READ = """() => [...document.querySelectorAll('#step figure')].map(figure => ({
    title: figure.querySelector('strong').textContent,
    cells: [...figure.querySelectorAll('td')].map(cell => cell.textContent),
    columns: figure.querySelectorAll('tr').length ? figure.querySelectorAll('tr')[0].children.length : 0,
    isGrid: !!figure.querySelector('table.numbers'),
    numbers: figure.querySelector('table') ? arrays[figure.querySelector('table').dataset.array].cells : '',
    legend: figure.querySelector('.legend') ? figure.querySelector('.legend').lastChild.textContent : '',
}))"""


def player_of(name):
    with viz.record():
        loss, options = PROGRAMS[name]()
        loss.backward()
        return viz.step(loss, max_mb=8, **options)


def expected_figures(player, step):
    """The arrays that the page must show at a step, in their order."""
    vertex = step.vertex
    if vertex.kind is not Kind.OP:
        return [step.value]
    edges = player.diagram.into(vertex.id)
    values = {edge.argument: player.diagram[edge.source].value for edge in edges}
    if step.phase == "forward":
        return [*values.values(), step.value]
    shapes = _page.shapes_of(player.diagram, vertex)
    used = set()
    for part in step.contributions:
        cells = _page.gradient_formula(vertex, part.edge.argument, shapes).cells
        used |= set(cells.operands) if cells is not None else set()
    found = [step.value, *[value for name, value in values.items() if name in used]]
    if "out" in used:
        found.append(vertex.value)
    for part in step.contributions:
        found.append(part.share)
        if part.before is not None:
            found += [part.before, part.share, part.after]
    return found


def check_figure(figure, array):
    """Small arrays show every number, to six digits; of larger ones there is a cell for each number of the corner."""
    rows = array.reshape(-1, array.shape[-1]) if array.ndim and array.size else array.reshape(1, -1)
    if rows.shape[0] <= 8 and rows.shape[1] <= 8:
        assert figure["isGrid"]
        assert figure["columns"] == rows.shape[1]
        shown = np.array([float(cell) for cell in figure["cells"]])
        np.testing.assert_allclose(shown, rows.reshape(-1).astype(float), rtol=1e-5)
    else:
        corner = rows[:24, :24]
        assert len(figure["cells"]) == corner.size
        np.testing.assert_allclose(np.array(figure["numbers"].split(), float), corner.reshape(-1), rtol=5.1e-3)
        low, high = re.fullmatch(r"from (\S+) to (\S+)", figure["legend"]).groups()
        assert float(low) == pytest.approx(float(array.min()), rel=1e-5)
        assert float(high) == pytest.approx(float(array.max()), rel=1e-5)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_step_is_reached_by_keyboard_and_every_number_is_the_engines(name, show):
    player = player_of(name)
    page = show(player).page
    for number, step in enumerate(player.steps, 1):
        assert (
            page.locator("#sentence").text_content().startswith(f"Step {number} of {len(player.steps)}, {step.phase}")
        )
        expected = expected_figures(player, step)
        figures = page.evaluate(READ)
        assert len(figures) == len(expected), page.locator("#sentence").text_content()
        for figure, array in zip(figures, expected, strict=True):
            check_figure(figure, array)
        page.keyboard.press("ArrowRight")
    assert page.locator("#sentence").text_content().startswith(f"Step {len(player.steps)} of")
    page.keyboard.press("Home")
    assert page.locator("#sentence").text_content().startswith("Step 1 of")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#sentence").text_content().startswith(f"Step {len(player.steps) - 1} of")


def test_the_number_of_a_previewed_cell_is_the_engines(show):
    big = t.linspace(-3, 5, 900).reshape(30, 30).requires_grad_()
    with viz.record():
        loss = (big * 2).sum()
        loss.backward()
    page = show(viz.step(loss)).page
    page.locator("#step figure:last-of-type table").last.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    readout = page.locator("#step figure").last.locator(".readout").text_content()
    place, value = re.fullmatch(r"cell \[1, 2\]: (\S+)|.*", readout).group(0, 1)
    assert place == readout
    assert float(value) == pytest.approx(2 * float(big[1, 2]), rel=1e-2)
    assert "24 of 30 rows" in page.locator("#step").text_content()


def test_the_expression_of_a_visited_cell_has_its_value_and_its_terms_light_up(show):
    with viz.record():
        x = t.tensor([[1.5, -2.0, 3.0], [0.25, 5.0, -6.0]])
        w = t.tensor([[1.0, 2.0], [3.0, -4.0], [0.5, 6.0]], requires_grad=True)
        loss = (x @ w).sum()
        loss.backward()
    page = show(viz.step(loss)).page
    result = page.locator("#step figure").last
    result.locator("table").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    shown = page.locator(".expression").text_content()
    left, _, right = shown.partition(" = ")
    assert left == "0.25 * 2 + 5 * (-4) + (-6) * 6"
    assert eval(left) == float(right) == -55.5
    lit = page.locator("td.term").all_text_contents()
    assert sorted(lit) == sorted(["0.25", "5", "-6", "2", "-4", "6"])
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowLeft"):  # beyond the ends
        page.keyboard.press(key)
    assert result.locator(".readout").text_content().startswith("cell [0, 0]")


def test_the_expression_in_the_page_is_the_one_in_the_text(show):
    loss, options = PROGRAMS["attention"]()
    player = viz.step(loss, **options)
    page = show(player).page
    text = player.text()
    seen = 0
    for _ in player.steps:
        for shown in page.locator(".expression").all_text_contents():
            left = re.split(" [=≈] ", shown)[0]
            if left.count("+") < 8:
                assert f"{left} = " in text
                seen += 1
        page.keyboard.press("ArrowRight")
    assert seen > 10


def test_keys_reach_nodes_search_help_and_language(show):
    player = player_of("fan_out")
    page = show(player).page
    node = player.steps[1].vertex.id
    page.locator(f"#{node}").focus()
    page.keyboard.press("Enter")
    assert page.locator("#sentence").text_content().startswith("Step 2 of")
    assert page.locator(f"#{node}").get_attribute("aria-current") == "step"
    page.keyboard.press("/")
    page.keyboard.type("exp")
    assert page.locator("#found").text_content() == "1 found"
    page.keyboard.press("Enter")
    assert "exp" in page.locator("#sentence").text_content()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page.locator("#switch").click()
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.locator("#sentence").text_content().startswith("第 ")


def test_play_waits_to_be_asked_and_stops_at_the_end(show):
    x = t.tensor(1.0, requires_grad=True)
    page = show(viz.step(x * 2)).page
    page.wait_for_timeout(700)
    assert page.locator("#sentence").text_content().startswith("Step 1 of 3")
    page.locator("#speed").select_option("600")
    page.locator("#panel").focus()
    page.keyboard.press(" ")
    assert page.locator("#play").text_content() == "Pause"
    page.get_by_text("Step 3 of 3").wait_for()
    assert page.locator("#play").text_content() == "Play"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(scheme, language, show, axe):
    with viz.record():
        loss, options = PROGRAMS["broadcasting"]()
        loss.backward()
        player = viz.step(loss, language=language, **options)
    page = show(player, color_scheme=scheme).page
    page.evaluate(axe)
    for key in ("Home", "End", "ArrowLeft", "?"):
        if key == "ArrowLeft":
            for _ in range(6):
                page.keyboard.press(key)
        page.keyboard.press(key)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = page.evaluate("tags => axe.run(document, { runOnly: tags })", tags)
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []


PAINTS = """() => {
    const page = getComputedStyle(document.body).backgroundColor;
    const found = [];
    for (const shape of document.querySelectorAll('#graph rect, #graph ellipse, #graph path, #graph polygon, #graph text')) {
        const style = getComputedStyle(shape);
        const group = shape.closest('g');
        const box = group && group.querySelector('rect, ellipse, polygon');
        const isNode = group && group.classList.contains('node');
        found.push({ tag: shape.tagName, of: group ? group.getAttribute('class') : 'page', fill: style.fill, stroke: style.stroke,
                     under: isNode && shape !== box ? getComputedStyle(box).fill : page, own: isNode });
    }
    return { page, found };
}"""


def luminance(colour):
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_shape_of_the_graph_stands_out(scheme, show):
    page = show(player_of("net_of_seed_0"), color_scheme=scheme).page
    checked = 0
    for key in ("Home", "End", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
        paints = page.evaluate(PAINTS)
        for shape in paints["found"]:
            of = (shape["tag"], shape["of"], shape["fill"], shape["stroke"])
            if shape["tag"] == "text":
                assert contrast(shape["fill"], shape["under"]) >= 4.5, of
            elif shape["of"].startswith("edge") or shape["own"]:
                assert shape["stroke"] != "none", of
                assert contrast(shape["stroke"], paints["page"]) >= 3, of
                if shape["own"] and shape["fill"] != "none":
                    assert contrast(shape["stroke"], shape["fill"]) >= 3, of
            checked += 1
    assert checked > 100


def test_nothing_is_lost_on_a_narrow_screen(show):
    wide = t.randn(8, 8, requires_grad=True)
    player = viz.step((wide.square() / 3).sum())
    page = show(player, viewport={"width": 320, "height": 480}).page
    for _ in player.steps:
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].map(e => e.getBoundingClientRect())"
        ".filter(box => box.width && (box.width < 24 || box.height < 24)).length"
    )
    assert small == 0


def test_reduced_motion_moves_nothing(show):
    page = show(player_of("fan_out"), reduced_motion="reduce").page
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].map(e => getComputedStyle(e)).filter(s => s.transitionDuration !== '0s' "
        "|| s.animationName !== 'none' || s.scrollBehavior === 'smooth').length"
    )
    assert moving == 0


def test_a_hostile_name_is_shown_as_text_and_runs_nothing(show):
    name = "</script><img src=x onerror=\"document.title='caught'\">"
    x = t.tensor([1.0], requires_grad=True)
    page = show(viz.step((x * 2).sum(), names={name: x})).page
    page.keyboard.press("End")
    assert name in page.locator("#sentence").text_content()
    assert page.locator("img").count() == 0
    assert page.title() != "caught"


def test_a_freed_graph_says_what_was_not_kept(show):
    loss, options = PROGRAMS["fan_out"]()
    loss.backward()
    page = show(viz.step(loss, **options)).page
    assert "not kept: run inside viz.record()" in page.locator("#step").text_content()
    page.keyboard.press("End")
    assert page.locator("#step td").count() == 2

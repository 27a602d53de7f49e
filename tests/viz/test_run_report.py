"""run --report: one page on an unchanged script, with the right numbers, whatever the script does."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_edu as t
from tinygrad_edu import nn
from tinygrad_edu._cli import main
from tinygrad_edu.viz import record
from tinygrad_edu.viz.picture._colours import DARK, LIGHT, contrast
from tinygrad_edu.viz.report._observe import LIMIT, Observer
from tinygrad_edu.viz.report._page import page

SCRIPT = """\
import torch
from torch import nn
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(1))
with torch.no_grad():
    net[0].bias[:4] = -100.0
x, y = torch.randn(20, 4), torch.randint(0, 3, (20,))
adam = torch.optim.Adam(net.parameters())
for step in range(5):
    adam.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    adam.step()
print("done")
"""


class Page(HTMLParser):
    """The rows of all tables, and whether what is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.asked: list[str] = []
        self.cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "path"):
            self.open.append(tag)
        self.asked += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        self.cell = tag in ("td", "th")
        if self.cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag
        self.cell = False

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        (found,) = [row for row in self.rows if row[0] == first]
        return found


def reported(folder: Path, text: str) -> tuple[int, str]:
    (folder / "script.py").write_text(text, "utf-8")
    out = folder / "report.html"
    status = main(["run", "--report", str(out), str(folder / "script.py")])
    return status, out.read_text("utf-8")


def test_the_page_shows_losses_gradients_units_and_traps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = reported(tmp_path, SCRIPT)
    said = capsys.readouterr()
    assert (status, said.out) == (0, "done\n")
    assert said.err == f"report: {tmp_path / 'report.html'}\n"  # lints stand in the report, not here
    shown = Page(text)
    assert (shown.open, shown.asked) == ([], [])
    assert shown.row("loss")[:3] == ["loss", "script.py:12", "5"]
    assert shown.row("net.0")[1] == "80"
    assert shown.row("Sequential.1")[1:5] == ["relu", "script.py:11", "16", "4"]
    assert shown.row("Sequential.1")[-1] == "4 of them dead: no gradient passes"
    assert "script.py:11: the input of cross_entropy was made by softmax" in text
    assert "No operation gave NaN." in text
    assert 'srcdoc="&lt;!doctype html&gt;' in text.lower()


def test_the_norms_and_losses_are_those_of_the_engine() -> None:
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    losses, norms = [], []
    with Observer() as seen:
        for _ in range(3):
            net.zero_grad()
            loss = (net(t.ones(4, 3)) ** 2).mean()
            loss.backward()
            losses.append(loss.item())
            norms.append([sum(float((p.grad**2).sum()) for p in net[i].parameters()) ** 0.5 for i in (0, 2)])
    (found,) = seen.losses.values()
    assert (found.name, found.count, [point.value for point in found.points]) == ("loss", 3, losses)
    for place, name in enumerate(("net.0", "net.2")):
        assert np.allclose([point.value for point in seen.layers[name].points], [norm[place] for norm in norms])


def test_a_long_run_keeps_few_points_from_its_whole_length() -> None:
    x = t.tensor([1.0], requires_grad=True)
    with Observer() as seen:
        for step in range(5 * LIMIT):
            (x * step).sum().backward()
    (loss,) = seen.losses.values()
    steps = [point.step for point in loss.points]
    assert LIMIT / 2 <= len(steps) <= LIMIT
    assert (steps[0], {b - a for a, b in zip(steps, steps[1:], strict=False)}) == (1, {seen.every})
    assert steps[-1] > 4 * LIMIT
    assert all(point.value == point.step - 1 for point in loss.points)
    assert (loss.count, loss.last) == (5 * LIMIT, 5 * LIMIT - 1)


def test_units_that_wake_up_are_not_called_idle() -> None:
    x = t.tensor([[1.0, -1.0], [2.0, -2.0]], requires_grad=True)
    with Observer() as seen:
        for sign in (1.0, -1.0):
            ((x * sign).relu() + (x * 9 * sign).tanh()).sum().backward()
    relu, tanh = seen.units.values()
    assert (relu.op, relu.idle, [point.value for point in relu.points]) == ("relu", 0, [0.5, 0.5])
    assert (tanh.op, tanh.idle, [point.value for point in tanh.points]) == ("tanh", 2, [1.0, 1.0])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("y = (w - 1).log() * 0", "At step 1: mul at script.py:3 gave NaN; its arguments held none."),
        ("y = w * float('nan')", "At step 1: mul at script.py:3 gave NaN; its arguments held none."),
        (
            "y = w + torch.tensor([float('nan')])",
            "At step 1: add at script.py:3 gave NaN; one of its arguments held NaN already",
        ),
        (
            "y = torch.where(w > 2, (w - 1).sqrt() * 0, w)",
            "At step 1: the backward of sqrt (SqrtBackward0) gave NaN from its gradient, which held none.",
        ),
    ],
)
def test_the_first_nan_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    _, text = reported(
        tmp_path, f"import torch\nw = torch.tensor([1.0], requires_grad=True)\n{line}\ny.sum().backward()\n"
    )
    assert sentence in text


def test_a_script_that_raises_has_its_report_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text = reported(tmp_path, SCRIPT + "raise ValueError('<b>no</b>')\n")
    assert status == 1
    assert "The script raised <code>ValueError: &lt;b&gt;no&lt;/b&gt;</code>" in text
    assert Page(text).row("loss")[2] == "5"
    assert "Traceback" in capsys.readouterr().err


def test_a_script_without_backward_is_told_so(tmp_path: Path) -> None:
    assert "never called <code>backward()</code>" in reported(tmp_path, "import torch\ntorch.ones(2).sum()\n")[1]


def test_a_first_step_too_large_to_show_says_so(tmp_path: Path) -> None:
    text = "import torch\nx = y = torch.ones(1, requires_grad=True)\nfor _ in range(400):\n    y = y + x\ny.sum().backward()\n"
    assert "It is not shown: the graph has 402 nodes, more than max_nodes=300" in reported(tmp_path, text)[1]


def test_names_cannot_break_the_page() -> None:
    x = t.tensor([[1.0]], requires_grad=True)
    with Observer() as seen:
        x.relu().sum().backward()
    (loss,) = seen.losses.values()
    loss.name = evil = "</script><img src=x onerror=alert(1)>"
    shown = Page(page(seen, evil))
    assert (shown.open, shown.asked) == ([], [])
    assert shown.row(evil)


def test_the_page_may_ask_for_nothing_and_the_steppers_policy_is_taken_over() -> None:
    seen = Observer()
    policy = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    assert f'content="{policy}' in page(seen, "x.py")
    assert "script-src" not in page(seen, "x.py")
    stepper = "<meta content=\"default-src 'none'; style-src 'sha256-A='; script-src 'sha256-B='\"><script>1</script>"
    text = page(seen, "x.py", stepper=stepper)
    assert re.search(r"style-src 'sha256-[^']+' 'sha256-A='; script-src 'sha256-B='\"", text)
    assert 'srcdoc="&lt;meta content=&quot;' in text


def test_lines_and_text_stand_out_in_both_themes() -> None:
    for palette in (LIGHT, DARK):
        for role in ("parameter", "op", "failing", "output", "saved", "module"):
            assert contrast(palette.boxes[role].border, palette.page) >= 3
        assert contrast(palette.text, palette.page) >= 4.5
        assert contrast(palette.muted, palette.page) >= 4.5


def test_a_page_that_cannot_be_written_is_said_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('ran')\n", "utf-8")
    assert main(["run", "--report", str(tmp_path / "none" / "r.html"), str(script)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no folder" in said.err
    assert main(["run", "--compare", "--report", str(tmp_path / "r.html"), str(script)]) == 2
    assert "--compare has a report of its own" in capsys.readouterr().err
    assert main(["run", "--report", str(tmp_path), str(script)]) == 2
    assert "run: the report was not written" in capsys.readouterr().err


def test_the_first_step_can_be_recorded_meanwhile() -> None:
    x = t.tensor([2.0], requires_grad=True)
    with Observer() as seen, record(nth=1) as tape:
        for _ in range(3):
            (x * x).sum().backward()
    assert (seen.steps, tape.backwards, len(tape.walks)) == (3, 1, 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_it_has_no_barrier_and_the_stepper_plays_inside_it(
    scheme: str, tmp_path: Path, show: Callable[..., Any], axe: str
) -> None:
    _, text = reported(tmp_path, SCRIPT)
    shown = show(SimpleNamespace(save=lambda path: path.write_text(text, "utf-8")), color_scheme=scheme)
    (frame,) = shown.page.frames[1:]
    before = frame.locator("[role=status][aria-live]").text_content()
    frame.locator("h1").click()
    shown.page.keyboard.press("ArrowRight")
    assert frame.locator("[role=status][aria-live]").text_content() != before
    assert shown.complaints == []
    for part in (shown.page, frame):
        part.evaluate(axe)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = part.evaluate("tags => axe.run(document, { runOnly: tags })", tags)
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
    assert all("postMessage" in said for said in shown.complaints)  # axe looks for itself in frames, in vain on file://
    shown.complaints.clear()


def test_on_a_narrow_screen_nothing_is_wider_than_the_page(tmp_path: Path, show: Callable[..., Any]) -> None:
    _, text = reported(tmp_path, SCRIPT)
    shown = show(
        SimpleNamespace(save=lambda path: path.write_text(text, "utf-8")), viewport={"width": 320, "height": 600}
    )
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= 320

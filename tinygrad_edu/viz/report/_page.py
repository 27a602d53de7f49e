"""The report of a run as one HTML file that needs nothing else: tables, line charts, and a place for the stepper."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from html import escape
from statistics import median
from typing import NamedTuple

from .._graph import Source
from ..picture._colours import DARK, LIGHT, Palette
from ._observe import Observer, Point, Units

__all__ = ["page"]

LINES = 6  # so many lines has a chart; the tables have all
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 260, 70, 12, 34
STYLE = """
:root { LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 "DejaVu Sans", system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; }
table { border-collapse: collapse; } caption { text-align: left; color: var(--muted); padding: 0.25rem 0; }
th, td { border: 1px solid var(--line); padding: 0.2rem 0.6rem; text-align: right; }
td { white-space: nowrap; } th, td:last-child { text-align: left; white-space: normal; } code { font-family: "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 3px solid var(--c0); }
.notable { border-left: 0.3rem solid var(--c2); padding-left: 0.6rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--text); font-size: 12px; }
svg .axis { stroke: var(--line); fill: none; } svg path { fill: none; stroke-width: 2; }
svg circle { stroke: none; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); stroke-dasharray: 8 3; } .s2 { stroke: var(--c2); stroke-dasharray: 2 3; }
.s3 { stroke: var(--c3); stroke-dasharray: 10 3 2 3; } .s4 { stroke: var(--c4); stroke-dasharray: 5 5; }
.s5 { stroke: var(--c5); stroke-dasharray: 14 4; }
iframe { width: 100%; height: 46rem; border: 1px solid var(--line); }
"""


class Line(NamedTuple):
    """A line of a chart."""

    name: str
    points: Sequence[Point]


def page(seen: Observer, script: str, *, stepper: str | None = None, left_out: str = "") -> str:
    """Write the report of a run of ``script``; ``stepper``, a whole page of its own, is shown inside it, or why it is ``left_out``."""
    style = _style()
    allowed = re.search(r"style-src ([^;\"]*); script-src ([^;\"]*)", stepper or "")
    styles, scripts = (f" {allowed[1]}", f"; script-src {allowed[2]}") if allowed else ("", "")
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src '{_hash(style)}'{styles}{scripts}"
    parts = [
        _summary(seen),
        _losses(seen),
        _gradients(seen),
        _units(seen),
        _findings(seen),
        _first_step(stepper, left_out),
    ]
    title = f"Run report: {escape(script)}"
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"{''.join(parts)}</main>\n</body>\n</html>\n"
    )


def _style() -> str:
    return STYLE.replace("LIGHT", _variables(LIGHT)).replace("DARK", _variables(DARK))


def _variables(palette: Palette) -> str:
    lines = [palette.boxes[role].border for role in ("parameter", "op", "failing", "output", "saved", "module")]
    colours = {"page": palette.page, "text": palette.text, "muted": palette.muted, "line": palette.cluster.border}
    colours |= {f"c{number}": colour for number, colour in enumerate(lines)}
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# ---- the parts


def _summary(seen: Observer) -> str:
    if seen.error is not None:
        ended = f"<p class='notable'>The script raised <code>{escape(seen.error)}</code>; the report shows what ran until then.</p>\n"
    else:
        ended = ""
    if not seen.steps:
        return f"{ended}<p>The script never called <code>backward()</code>, so that there are no losses and gradients to show.</p>\n"
    looked = (
        "Each was looked at." if seen.every == 1 else f"Every {seen.every}th was looked at, beginning with the first."
    )
    times = "once" if seen.steps == 1 else f"{seen.steps} times"
    return f"{ended}<p>A step is one call of <code>backward()</code>; it was called {times}. {looked}</p>\n"


def _losses(seen: Observer) -> str:
    if not seen.losses:
        return ""
    rows = [
        [loss.name, _place(loss.source), str(loss.count), *_spread(loss.points), _number(loss.last)]
        for loss in seen.losses.values()
    ]
    head = ["variable", "line", "calls", "first", "smallest", "largest", "last"]
    chart = _chart("The losses by step", [Line(loss.name, loss.points) for loss in seen.losses.values()])
    return f"<h2>Losses</h2>\n{chart}{_table('Scalars on which backward() was called', head, rows)}"


def _gradients(seen: Observer) -> str:
    layers = [layer for layer in reversed(seen.layers.values()) if layer.points]  # a walk meets the last layer first
    if not layers:
        return ""
    middle = {layer.name: median([p.value for p in layer.points]) for layer in layers}
    largest = max([value for value in middle.values() if math.isfinite(value)], default=0.0)
    rows = []
    for layer in layers:
        first, least, most = _spread(layer.points)
        said = _judged(middle[layer.name], largest)
        last = _number(layer.points[-1].value)
        rows.append([layer.name, f"{layer.parameters:,}", first, least, most, last, _number(middle[layer.name]), said])
    head = ["layer", "parameters", "first", "smallest", "largest", "last", "median", "remark"]
    chart = _chart("Norms of the gradients by step", [Line(layer.name, layer.points) for layer in layers])
    return f"<h2>Gradient norms per layer</h2>\n{chart}{_table('Norm of the gradients of all parameters of a layer', head, rows)}"


def _judged(value: float, largest: float) -> str:
    """A remark on the typical norm of a layer's gradient beside the largest of all layers."""
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "in half of the steps or more no gradient arrives"
    return "vanishing: below a thousandth of the largest" if value < largest / 1000 else ""


def _units(seen: Observer) -> str:
    if not seen.units:
        return ""
    rows = [
        [
            units.layer or "(no layer)",
            units.op,
            _place(units.source),
            str(len(units.ever)),
            str(units.idle),
            *_shares(units),
            _word(units),
        ]
        for units in seen.units.values()
    ]
    head = ["layer", "activation", "line", "units", "always idle", "idle at first", "idle at last", "which means"]
    caption = (
        "Idle is a unit whose slope is 0, or nearly, for every example of a batch: relu at 0, sigmoid below 0.01 or above 0.99, tanh beyond "
        "-0.98 or 0.98"
    )
    return f"<h2>Dead and saturated units</h2>\n{_table(caption, head, rows)}"


def _shares(units: Units) -> list[str]:
    return [f"{100 * units.points[place].value:.0f} %" for place in (0, -1)]


def _word(units: Units) -> str:
    """What the idle units mean for training: those that always were, or that most are in the end."""
    if units.points[-1].value >= 0.5:
        who = "half or more at last"
    elif units.idle:
        who = f"{units.idle} of them"
    else:
        return ""
    return f"{who} dead: no gradient passes" if units.op == "relu" else f"{who} saturated: hardly any gradient passes"


def _findings(seen: Observer) -> str:
    lints = "".join([f"<li>{escape(finding)}</li>\n" for finding in seen.lints])
    found = f"<ul>\n{lints}</ul>\n" if lints else "<p>None of the traps that raise no error was seen.</p>\n"
    nan = f"<p class='notable'>At {escape(seen.nan)}</p>\n" if seen.nan else "<p>No operation gave NaN.</p>\n"
    return f"<h2>Traps</h2>\n{found}<h2>First NaN</h2>\n{nan}"


def _first_step(stepper: str | None, left_out: str) -> str:
    heading = "<h2>The first step, operation by operation</h2>\n"
    if stepper is None:
        return f"{heading}<p>It is not shown: {escape(left_out)}</p>\n"
    return f'{heading}<iframe title="The first step, operation by operation" srcdoc="{escape(stepper)}"></iframe>\n'


# ---- tables and charts


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    titles = "".join([f'<th scope="col">{escape(title)}</th>' for title in head])
    body = "".join(
        [
            f'<tr><th scope="row">{escape(first)}</th>{"".join([f"<td>{escape(c)}</td>" for c in rest])}</tr>\n'
            for first, *rest in rows
        ]
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0">\n<table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n</div>\n"
    )


def _chart(title: str, lines: Sequence[Line]) -> str:
    """A line chart as SVG, logarithmic where the numbers ask for it; each line has its own dashes and its name."""
    shown = [Line(line.name, [p for p in line.points if math.isfinite(p.value)]) for line in lines[:LINES]]
    points = [point for line in shown for point in line.points]
    if len({point.step for point in points}) < 2:
        return ""
    low, high = min(p.value for p in points), max(p.value for p in points)
    logarithmic = low > 0 and high > 30 * low
    scale = math.log10 if logarithmic else float
    first, last = min(p.step for p in points), max(p.step for p in points)
    bottom, span = scale(low), (scale(high) - scale(low)) or 1.0

    def place(point: Point) -> str:
        x = LEFT + (WIDTH - LEFT - 8) * (point.step - first) / (last - first)
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - (scale(point.value) - bottom) / span)
        return f"{x:.1f} {y:.1f}"

    drawn, legend = [], []
    for number, line in enumerate(shown):
        if line.points:
            drawn.append(f'<path class="s{number}" d="M{" L".join([place(p) for p in line.points])}"/>')
        x, y = LEFT + number % 3 * 215, HEIGHT + 14 + number // 3 * 18
        legend.append(
            f'<path class="s{number}" d="M{x} {y} h30"/><text x="{x + 36}" y="{y + 4}">{escape(_short(line.name))}</text>'
        )
    axis = f'<path class="axis" d="M{LEFT} {TOP} V{HEIGHT - BOTTOM} H{WIDTH - 8}"/>'
    marks = [(LEFT - 6, TOP + 10, "end", _number(high)), (LEFT - 6, HEIGHT - BOTTOM, "end", _number(low))]
    marks += [(LEFT, HEIGHT - 16, "start", f"step {first}"), (WIDTH - 8, HEIGHT - 16, "end", f"step {last}")]
    texts = [f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>' for x, y, anchor, text in marks]
    kind = ", logarithmic" if logarithmic else ""
    left_out = f"; {len(lines) - LINES} more in the table" if len(lines) > LINES else ""
    name = f"{title}{kind}{left_out}"
    rows = (len(shown) + 2) // 3
    return (
        f'<figure><figcaption>{escape(name)}</figcaption>\n<svg viewBox="0 0 {WIDTH} {HEIGHT + 18 * rows + 8}" role="img" '
        f'aria-label="{escape(name)}; the numbers are in the table below">{axis}{"".join(drawn + texts + legend)}</svg></figure>\n'
    )


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"...{name[-21:]}"


def _spread(points: Sequence[Point]) -> list[str]:
    """The first, the smallest and the largest number."""
    if not points:
        return ["not a scalar"] * 3
    values = [point.value for point in points]
    return [_number(values[0]), _number(min(values)), _number(max(values))]


def _number(value: float) -> str:
    return f"{value:.4g}"


def _place(source: Source | None) -> str:
    return "" if source is None else f"{source.file}:{source.line}"

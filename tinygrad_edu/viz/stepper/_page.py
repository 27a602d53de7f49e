"""The stepper as one HTML file that needs nothing else: the graph as SVG, the steps as data, a small program that shows them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from .._formulas import Cells, forward_formula, gradient_formula, title_of_argument
from .._graph import Diagram, Edge, Kind, Vertex
from ..picture._colours import DARK, LIGHT, Palette
from ..picture._svg import style as graph_style
from ..picture._values import settings
from ._buttons import graph_svg
from ._steps import Contribution, Step

__all__ = ["LANGUAGES", "figure", "page", "words_of"]

LANGUAGES = ("en", "zh")
GRID = 8  # up to so many rows and columns every number is shown
PREVIEW = 24  # of a larger array so many rows and columns, as colours
MANY, SMALL_PREVIEW = 200, 16  # from so many steps on, no more than this


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text("utf-8")


@cache
def words_of(language: str) -> dict[str, str]:
    """Everything that page and text say, by key."""
    words: dict[str, dict[str, str]] = json.loads(_file("words.json"))
    return words[language]


def page(diagram: Diagram, steps: Sequence[Step], title: str, language: str) -> str:
    """Write the page: everything in one text, and nothing in it that could ask for another file."""
    style = f"{_theme()}\n{_file('stepper.css')}"
    script = _file("stepper.js")
    data = _Data(diagram, steps).content
    data |= {"title": title, "language": language, "words": {name: words_of(name) for name in LANGUAGES}}
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "language": "zh" if language == "zh" else "en",
        "title": html.escape(words_of(language)["heading"].replace("{name}", title)),
        "policy": f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        "style": style,
        "graph": graph_svg(diagram),
        "data": written,
        "script": script,
    }
    pieces = _file("stepper.html").split("{{")
    return pieces[0] + "".join(parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:]))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _theme() -> str:
    own = f":root {{ {_variables(LIGHT)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}"
    return f"{own}\n{graph_style('auto')}"


def _variables(palette: Palette) -> str:
    colours = {
        "page": palette.page,
        "text": palette.text,
        "muted": palette.muted,
        "edge": palette.edge,
        "back": palette.back,
    }
    colours |= {f"{role}-fill": paint.fill for role, paint in palette.boxes.items()}
    colours |= {f"{role}-border": paint.border for role, paint in palette.boxes.items()}
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


# ---- arrays as figures


def figure(array: np.ndarray, preview: int = PREVIEW) -> dict[str, Any]:
    """Describe an array: its numbers, or those of its first rows and columns; the last axis runs along the columns.

    Examples
    --------
    >>> figure(np.array([[0.5, -2.0]]))["cells"]
    '0.5 -2'
    """
    rows = array.reshape(-1, array.shape[-1]) if array.ndim and array.size else array.reshape(1, -1)
    small = rows.shape[0] <= GRID and rows.shape[1] <= GRID
    shown = rows if small else rows[:preview, :preview]
    cells = [number(value, 6 if small else 3) for value in shown.reshape(-1)]
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    bounds = [number(finite.min(), 6), number(finite.max(), 6)] if finite.size else ["nan", "nan"]
    return {
        "shape": list(array.shape),
        "rows": shown.shape[0],
        "columns": shown.shape[1],
        "all": list(rows.shape),
        "cells": " ".join(cells),
        "low": bounds[0],
        "high": bounds[1],
        "exact": small
        and all(array.dtype.type(float(cell)) == value for cell, value in zip(cells, shown.flat, strict=True)),
    }


def number(value: Any, digits: int = 6) -> str:
    """Write a number of an array with so many significant digits.

    Examples
    --------
    >>> number(np.float32(0.1)), number(np.int64(12345678)), number(np.float64(-0.0)), number(np.bool_(True))
    ('0.1', '12345678', '-0', '1')
    """
    return str(int(value)) if value.dtype.kind in "iub" else format(float(value), f".{digits}g")


# ---- vertices and steps as data


class _Data:
    """Collects what the page needs; equal arrays are stored once."""

    def __init__(self, diagram: Diagram, steps: Sequence[Step]) -> None:
        self._diagram, self._preview = diagram, PREVIEW if len(steps) <= MANY else SMALL_PREVIEW
        self._arrays: list[dict[str, Any]] = []
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._order = {vertex.id: place for place, vertex in enumerate(diagram.vertices)}
        vertices = [self._vertex(vertex) for vertex in diagram.vertices]
        told = [self._step(step) for step in steps]
        self.content: dict[str, Any] = {"vertices": vertices, "steps": told, "arrays": self._arrays}

    def _array(self, array: np.ndarray | None) -> int | None:
        if array is None or array.dtype.kind not in "fiub":
            return None
        key = array.shape, array.dtype.str, array.tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self._arrays)
            self._arrays.append(figure(array, self._preview))
        return self._numbers[key]

    def _vertex(self, vertex: Vertex) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": vertex.id,
            "kind": vertex.kind.value,
            "name": vertex.name,
            "shape": list(vertex.shape),
            "dtype": vertex.dtype,
            "value": self._array(vertex.value),
        }
        if vertex.source is not None:
            told["source"] = list(vertex.source)
        if vertex.places:
            told["places"] = places_of(vertex)
        given = settings_of(vertex)
        if given:
            told["settings"] = given
        if vertex.version:
            told["version"] = vertex.version
        if vertex.error is not None:
            told["error"] = vertex.error
        return told

    def _step(self, step: Step) -> dict[str, Any]:
        vertex = step.vertex
        told: dict[str, Any] = {"phase": step.phase, "vertex": self._order[vertex.id], "value": self._array(step.value)}
        if vertex.kind is not Kind.OP:
            return told
        edges = self._diagram.into(vertex.id)
        shapes = shapes_of(self._diagram, vertex)
        told["arguments"] = [self._argument(edge) for edge in edges]
        if step.phase == "forward":
            formula = forward_formula(vertex, shapes)
            told |= {"code": formula.code, "mathematics": formula.mathematics, "cells": _cells(formula.cells)}
            return told
        told["contributions"] = [self._contribution(vertex, part, shapes) for part in step.contributions]
        told["stopped"] = [
            self._argument(edge) | {"why": why_stopped(self._diagram[edge.source])} for edge in edges if not edge.flows
        ]
        return told

    def _argument(self, edge: Edge) -> dict[str, Any]:
        title = title_of_argument(self._diagram[edge.target], edge.argument)
        return {"name": edge.argument, "title": title, "vertex": self._order[edge.source]}

    def _contribution(self, vertex: Vertex, part: Contribution, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
        formula = gradient_formula(vertex, part.edge.argument, shapes)
        return {
            **self._argument(part.edge),
            "code": formula.code,
            "mathematics": formula.mathematics,
            "cells": _cells(formula.cells),
            "share": self._array(part.share),
            "summed": list(part.summed),
            "before": self._array(part.before),
            "after": self._array(part.after),
        }


def _cells(cells: Cells | None) -> dict[str, Any] | None:
    return None if cells is None else cells._asdict()


def shapes_of(diagram: Diagram, vertex: Vertex) -> dict[str, tuple[int, ...]]:
    """The shapes of the arguments of an op that are known, by name."""
    return {edge.argument: tuple(diagram[edge.source].shape) for edge in diagram.into(vertex.id)}


def places_of(vertex: Vertex) -> str:
    """The modules that an op ran in, outermost first."""
    return " > ".join(f"{place.name}: {place.module}" if place.module else place.name for place in vertex.places)


def settings_of(vertex: Vertex) -> str:
    """The settings of an op that differ from its defaults, as in a call."""
    return ", ".join(settings(vertex.settings, longest=120, numbers=16))


WHY = {None: "why_data", "no_grad": "why_no_grad", "detach": "why_detach", "data": "why_data_attribute"}


def why_stopped(vertex: Vertex) -> list[str]:
    """The key of the sentence that says why no gradient goes to ``vertex``, and what it names."""
    return [WHY[vertex.cut], ""] if vertex.cut in WHY else ["why_other", str(vertex.cut)]

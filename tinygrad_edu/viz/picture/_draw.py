"""draw: the graph behind a result as a picture, and the picture in the formats people ask for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._graph import Diagram, Kind, read
from .._record import Tape
from ._dot import dot_of
from ._layout import Direction
from ._picture import View, scene_of
from ._plain import text_of
from ._scalars import scalar_scene
from ._scene import Scene
from ._svg import Theme, from_dot, svg_of

if TYPE_CHECKING:
    from ... import nn
    from ..._tensor import Tensor

__all__ = ["Graph", "draw", "named_results"]

SUFFIXES = (".dot", ".gv", ".svg", ".png", ".pdf", ".html", ".json", ".txt")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 1rem; font-family: "DejaVu Sans", sans-serif; color: {text}; background: {page}; }}
pre, .graph {{ overflow-x: auto; }}
.graph svg {{ min-width: {narrowest}px; }}
{dark}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div class="graph" role="region" aria-label="Picture" tabindex="0">
{picture}</div>
<details>
<summary>The same as text</summary>
<pre>{plain}</pre>
</details>
</main>
</body>
</html>
"""


class Graph:
    """A drawn graph, shown by notebooks as it is; ``source`` is its DOT text.

    Made by :func:`draw`. All it gives is the same on every run of the same program.
    """

    def __init__(self, scene: Scene, direction: Direction = "LR", theme: Theme = "auto") -> None:
        self._scene, self._direction, self._theme = scene, direction, theme

    @cached_property
    def source(self) -> str:
        """The picture in the DOT language."""
        return dot_of(self._scene, self._direction, self._theme)

    def svg(self) -> str:
        """Draw the picture as SVG: through graphviz's program ``dot`` where it is installed, else with the layout of this package."""
        dot = shutil.which("dot")
        if dot is not None:
            try:
                return from_dot(_run(dot, "svg", self.source).decode("utf-8"), self._scene, self._theme)
            except (OSError, subprocess.SubprocessError, ValueError):
                pass  # a dot that cannot run is as good as none: the picture below needs no program
        return svg_of(self._scene, self._direction, self._theme)

    def to_text(self) -> str:
        """Write the graph as plain text, a line for each operation.

        Examples
        --------
        >>> import tinygrad_edu as torch
        >>> w = torch.tensor(2.0, requires_grad=True)
        >>> print(draw(w * w).to_text())
        Graph of a result: 1 operation, 1 parameter.
          n0  parameter  leaf  float32 ()  value 2  grad not computed
          n1  op  mul(n0, n0)  C = A * B
          n1_out  output  <- n1  float32 ()  value 4
        <BLANKLINE>
        """
        return text_of(self._scene)

    def save(self, path: str | Path) -> None:
        """Write the picture to ``path``, in the format of its suffix: .dot, .gv, .svg, .png, .pdf, .html, .json or .txt.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        RuntimeError
            If .png or .pdf is asked for and graphviz's program ``dot`` is not installed.
        OSError
            If the file cannot be written.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(
                f"{path.name}: a graph is saved as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, not {path.suffix or 'without a suffix'}"
            )
        content = self._content(path.name, suffix)
        try:
            path.write_bytes(content)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise type(error)(
                f"{path}: the picture cannot be written ({reason}). Create the folder, or choose another path"
            ) from None

    def _content(self, name: str, suffix: str) -> bytes:
        if suffix in (".png", ".pdf"):
            dot = shutil.which("dot")
            if dot is None:
                raise RuntimeError(
                    f"{name}: a {suffix[1:].upper()} needs graphviz's program dot, which was not found (apt install graphviz, brew install "
                    "graphviz). Save to .svg or .html, which need no program"
                )
            try:
                return _run(dot, suffix[1:], self.source)
            except (OSError, subprocess.SubprocessError) as error:
                raise RuntimeError(
                    f"{name}: graphviz's program dot failed ({error}). Save to .svg or .html, which need no program"
                ) from None
        texts = {".svg": self.svg, ".html": self._page, ".json": self._json, ".txt": self.to_text}
        return texts.get(suffix, lambda: self.source)().encode("utf-8")

    def _page(self) -> str:
        from ._colours import DARK, LIGHT

        picture = self.svg()
        width = re.search(r"max-width: (\d+)", picture)
        colours = DARK if self._theme == "dark" else LIGHT
        dark = f"@media (prefers-color-scheme: dark) {{ body {{ color: {DARK.text}; background: {DARK.page}; }} }}\n"
        return PAGE.format(
            title=escape(self._scene.title),
            text=colours.text,
            page=colours.page,
            dark=dark if self._theme == "auto" else "",
            picture=picture,
            narrowest=int(width[1]) * 7 // 10 if width else 0,  # smaller text would not be read: the picture scrolls
            plain=escape(self.to_text()),
        )

    def _json(self) -> str:
        scene = self._scene
        boxes = [
            {"id": b.id, "role": b.role, "lines": b.lines, "vertices": b.vertices, "cluster": b.cluster}
            for b in scene.boxes
        ]
        content = {
            "title": scene.title,
            "nodes": boxes,
            "edges": [arrow._asdict() for arrow in scene.arrows],
            "clusters": [cluster._asdict() for cluster in scene.clusters],
            "notes": scene.notes,
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": self.to_text()}

    def __repr__(self) -> str:
        return f"<Graph of {len(self._scene.boxes)} nodes>"


def _run(dot: str, form: str, source: str) -> bytes:
    """Let graphviz draw, with no shell between."""
    done = subprocess.run([dot, f"-T{form}"], input=source.encode("utf-8"), capture_output=True, check=True, timeout=60)
    return done.stdout


def draw(
    output: Tensor | Diagram | Tape,
    *,
    model: nn.Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    view: View = "forward",
    mode: Literal["tensor", "scalar"] = "tensor",
    values: Literal["auto"] | bool = "auto",
    saved: bool = False,
    depth: int = 3,
    collapse_repeated: bool = True,
    rankdir: Direction = "LR",
    max_nodes: int = 300,
    theme: Theme = "auto",
) -> Graph:
    r"""Draw the graph behind ``output``: a tensor, a recording's tape, or the diagram of one.

    Parameters
    ----------
    model
        Its parameters get their names; those of a diagram have theirs already.
    names
        Names for other tensors, of leaves or of results on the way.
    view
        "forward" shows the way of the values, "backward" that of the gradients, "both" both.
    mode
        "scalar" draws every number by itself, as micrograd does, for up to 60 of them.
    values
        Show values and gradients; "auto" shows them in small graphs, as far as they were kept.
    saved
        Show the arrays that are kept for the backward pass.
    depth
        Modules nested deeper are one box each.
    collapse_repeated
        Three or more equal modules in a row are one box, "Block x 12".
    rankdir
        "LR" draws from left to right, "TB" from top to bottom; "RL" and "BT" the other way.
    max_nodes
        Above it modules are folded, the deepest first, then chains of operations; the picture says so.
    theme
        "auto" follows the reader's system.

    Raises
    ------
    ValueError
        If there is no graph, if it is too large even when folded, or for an unknown choice.
    TypeError
        If ``output`` is nothing of that kind.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor(2.0, requires_grad=True)
    >>> print("\n".join(line for line in draw(w * w).source.splitlines() if " -> " in line))
      n1 -> n1_out [class="result"]
      n0 -> n1 [class="argument"]
      n0 -> n1 [class="argument"]
    """
    _check("view", view, ("forward", "backward", "both"))
    _check("mode", mode, ("tensor", "scalar"))
    _check("rankdir", rankdir, ("LR", "RL", "TB", "BT"))
    _check("theme", theme, ("auto", "light", "dark"))
    if depth < 0 or max_nodes < 1:
        raise ValueError(f"draw: depth is at least 0 and max_nodes at least 1, not {depth} and {max_nodes}")
    diagram = _diagram(output, model, names)
    known = named_results(diagram, names or {})
    if mode == "scalar":
        return Graph(scalar_scene(diagram, known), rankdir, theme)
    scene = scene_of(
        diagram,
        names=known,
        view=view,
        values=values,
        saved=saved,
        depth=depth,
        collapse_repeated=collapse_repeated,
        max_nodes=max_nodes,
    )
    return Graph(scene, rankdir, theme)


def _diagram(output: object, model: nn.Module | None, names: Mapping[str, Tensor] | None) -> Diagram:
    from ..._tensor import Tensor

    if isinstance(output, Diagram):
        return output
    if isinstance(output, Tape):
        return output.diagram(model=model, names=names)
    if isinstance(output, Tensor):
        return read(output, model=model, names=names)
    raise TypeError(f"draw: expected a tensor, or the tape of viz.record(), got {type(output).__name__}")


def _check(name: str, given: object, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"draw: {name} is one of {', '.join(map(repr, allowed))}, not {given!r}")


def named_results(diagram: Diagram, names: Mapping[str, Tensor]) -> dict[str, str]:
    """The names of results by the id of their vertex; a tensor at hand also tells its value and gradient."""
    found: dict[str, str] = {}
    for name, tensor in names.items():
        vertex = diagram.made_by(tensor._current_node) if tensor._current_node is not None else None
        if vertex is not None and vertex.kind is Kind.OP:
            found[vertex.id] = name
            if vertex.value is None:
                vertex.value, vertex.dtype = np.array(tensor._array), str(tensor._array.dtype)
            if vertex.grad is None and tensor.retains_grad and tensor.grad is not None:
                vertex.grad = np.array(tensor.grad._array)
    return found

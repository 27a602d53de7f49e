"""The stepper: a program played forward and backward, one operation at a time, on a page or in a terminal."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..._core.engine import newest_first
from .._formulas import expression, forward_formula, gradient_formula, title_of_argument
from .._graph import Diagram, Edge, Kind, Vertex, read
from .._record import Tape
from ._page import LANGUAGES, number, page, places_of, settings_of, shapes_of, why_stopped, words_of
from ._steps import Contribution, Step, Walk, backward_steps, fill_in, forward_steps, structure_of_backward, walk_of

if TYPE_CHECKING:
    from ... import nn
    from ..._tensor import Tensor

__all__ = ["Player", "step"]

Language = Literal["en", "zh"]
LONGEST_SUM = 8  # terms that the text writes out


class Player:
    """The steps of a program, forward in the order they ran, then backward as the engine walked."""

    def __init__(
        self,
        diagram: Diagram,
        walk: Walk | None = None,
        *,
        title: str = "",
        language: Language = "en",
        max_mb: float = 2,
    ) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"language={language!r}: the stepper speaks {' and '.join(map(repr, LANGUAGES))}")
        self.diagram, self.language, self.max_mb = diagram, language, max_mb
        self.title = title or diagram[diagram.output].name
        forward = forward_steps(diagram)
        first = len(forward) + 1
        backward = structure_of_backward(diagram, first) if walk is None else backward_steps(diagram, walk, first)
        self.steps: list[Step] = forward + backward

    def page(self) -> str:
        """Write the page as one text that needs no other file.

        Raises
        ------
        ValueError
            If it would be larger than ``max_mb``.
        """
        text = page(self.diagram, self.steps, self.title, self.language)
        size = len(text.encode()) / 1e6
        if size > self.max_mb:
            raise ValueError(
                f"the page would have {size:.1f} MB, more than max_mb={self.max_mb:g}: pass max_mb={size + 0.5:.0f} to allow it, or step "
                "through a smaller batch"
            )
        return text

    def save(self, path: str | Path) -> None:
        """Write the page to ``path``: one HTML file that any browser shows, also without a network."""
        text = self.page()
        path = Path(path)
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: there is no folder {str(path.parent)!r}; make it first")
        path.write_text(text, "utf-8")

    def play(self, height: int = 720) -> _Frame:
        """Show the page in a notebook."""
        return _Frame(self.page(), height)

    def _repr_html_(self) -> str:
        return self.play()._repr_html_()

    def text(self) -> str:
        """Write the steps for a terminal."""
        return "\n".join(_Text(self.diagram, self.language).lines(self.steps, self.title))

    def __repr__(self) -> str:
        forward = sum(step.phase == "forward" for step in self.steps)
        return f"<Player of {forward} forward and {len(self.steps) - forward} backward steps>"


class _Frame:
    """A page inside a notebook's page."""

    def __init__(self, page: str, height: int) -> None:
        self.page, self.height = page, height

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" width="100%" height="{self.height}" style="border: 0" '
            'sandbox="allow-scripts" title="tinygrad_edu stepper"></iframe>'
        )


def step(
    output: Tensor,
    path: str | Path | None = None,
    *,
    model: nn.Module | None = None,
    names: Mapping[str, Tensor] | None = None,
    language: Language = "en",
    max_nodes: int = 300,
    max_mb: float = 2,
) -> Player:
    """Play the program behind ``output`` forward and backward, one operation at a time.

    The backward steps are the engine's own; no gradient is changed by looking. With ``path`` the page is written there. Before
    ``backward()`` all gradients are shown, and the values that the graph keeps; afterwards the order of the steps and the
    gradients of leaves. Everything is shown of what ran inside ``with viz.record():``.

    Parameters
    ----------
    output
        One number, such as a loss.
    path
        An HTML file to write.
    model
        Names its parameters.
    names
        Names other tensors: ``{"x": x}``.
    language
        ``"en"`` or ``"zh"``; the page can switch.
    max_nodes, max_mb
        Larger graphs and pages are refused.

    Raises
    ------
    ValueError
        If ``output`` has no graph, or graph or page are too large.
    RuntimeError
        If ``output`` is not one number, or something it needs was written in place.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> print(step(w * w, names={"w": w}).text())
    3 steps: 1 forward, 2 backward
    <BLANKLINE>
    Step 1 of 3, forward: mul makes n1 of shape ()
      C = A * B
      | out = x * y
      A: x = w: 3.
      B: y = w: 3.
      out = n1 (mul): 9.
      3 * 3 = 9
    <BLANKLINE>
    Step 2 of 3, backward: the gradient of n1 (mul) goes back to what it was made of
      g = dL/dn1: 1.
      Contribution to A: x = w
        dL/dA = dL/dC * B
        | g * y
        Contribution: 3.
        1 * 3 = 3
      Contribution to B: y = w
        dL/dB = dL/dC * A
        | g * x
        Contribution: 3.
        1 * 3 = 3
        w is used more than once: the contributions are added up.
        Accumulated before: 3.
        Accumulated after: 6.
    <BLANKLINE>
    Step 3 of 3, backward: the gradient of w has arrived
      grad: 6.
    """
    root: Any = output._current_node
    tape = Tape.of(output)
    if root is not None and tape is None:
        _check_size(len(newest_first([root])), max_nodes)  # before all of it is read
    diagram = read(output, model=model, names=names, tape=tape)
    _check_size(len(diagram), max_nodes)
    if tape is None:
        fill_in(diagram)
    recorded = None if tape is None or root is None else tape.walk_from(root)
    walk = walk_of(output) if recorded is None else recorded
    player = Player(diagram, walk, language=language, max_mb=max_mb)
    if path is not None:
        player.save(path)
    return player


def player_of(
    tape: Tape, *, title: str = "", language: Language = "en", max_nodes: int = 300, max_mb: float = 2
) -> Player:
    """Play what a tape recorded: its last backward pass and what led to it, or the operations up to the one that raised."""
    diagram = tape.diagram()
    _check_size(len(diagram), max_nodes)
    walk = tape.walk_from(diagram[diagram.output].maker) if tape.error is None else None
    return Player(diagram, walk or (), title=title, language=language, max_mb=max_mb)


def _check_size(count: int, max_nodes: int) -> None:
    if count > max_nodes:
        raise ValueError(
            f"the graph has {count} nodes, more than max_nodes={max_nodes}: pass max_nodes={count} (and max_mb=8 or so) to step through "
            "all of it, or step through a smaller part of the program"
        )


class _Text:
    """Writes steps for a terminal, in the words of the page."""

    def __init__(self, diagram: Diagram, language: Language) -> None:
        self._diagram, self._words = diagram, words_of(language)

    def _say(self, key: str, **values: Any) -> str:
        return self._words[key].format(**values)

    def lines(self, steps: list[Step], title: str) -> list[str]:
        """All steps, each as a sentence and indented lines."""
        forward = sum(step.phase == "forward" for step in steps)
        lines = [self._say("text_title", count=len(steps), forward=forward, backward=len(steps) - forward)]
        for step in steps:
            lines += ["", *self._step(step, len(steps))]
        return lines

    def _step(self, step: Step, total: int) -> list[str]:
        vertex = step.vertex
        named = {
            "number": step.number,
            "total": total,
            "op": vertex.name,
            "id": vertex.id,
            "shape": tuple(vertex.shape),
        }
        key = (
            "leaf"
            if vertex.kind is not Kind.OP
            else "failed"
            if vertex.error and step.phase == "forward"
            else step.phase
        )
        lines = [self._say(f"step_{key}", name=_label(vertex), **named)]
        if vertex.source is not None:
            lines.append(
                f"  {self._say('line', line=vertex.source.line, file=vertex.source.file)}: {vertex.source.text}"
            )
        if vertex.places:
            lines.append(f"  {self._say('inside', places=places_of(vertex))}")
        given = settings_of(vertex)
        if given:
            lines.append(f"  {self._say('settings')}: {given}")
        if vertex.kind is not Kind.OP:
            return [*lines, *self._array("grad", step.value)]
        return lines + (self._forward(step) if step.phase == "forward" else self._backward(step))

    def _forward(self, step: Step) -> list[str]:
        vertex = step.vertex
        formula = forward_formula(vertex, shapes_of(self._diagram, vertex))
        lines = _formula(formula.mathematics, formula.code)
        values: dict[str, np.ndarray | None] = {}
        for edge in self._diagram.into(vertex.id):
            source = self._diagram[edge.source]
            values[edge.argument] = source.value
            lines += self._array(self._title(edge), source.value)
        if vertex.error is not None:
            return [*lines, f"  {self._say('error')}: {vertex.error}"]
        lines += self._array(f"out = {_label(vertex)}", step.value)
        return lines + _numbers(formula.cells, step.value, values)

    def _backward(self, step: Step) -> list[str]:
        vertex = step.vertex
        lines = self._array(f"g = dL/d{vertex.id}", step.value)
        if step.value is None and step.contributions:
            lines = [f"  {self._say('in_parts')}"]
        values = {edge.argument: self._diagram[edge.source].value for edge in self._diagram.into(vertex.id)}
        values |= {"g": step.value, "out": vertex.value}
        for part in step.contributions:
            lines += self._contribution(vertex, part, values)
        for edge in self._diagram.into(vertex.id) if step.value is not None else ():
            if not edge.flows:
                key, cut = why_stopped(self._diagram[edge.source])
                lines.append(f"  {self._say('stopped', name=self._title(edge), why=self._say(key, cut=cut))}")
        return lines

    def _contribution(self, vertex: Vertex, part: Contribution, values: Mapping[str, np.ndarray | None]) -> list[str]:
        target = self._diagram[part.edge.source]
        name = _label(target)
        formula = gradient_formula(vertex, part.edge.argument, shapes_of(self._diagram, vertex))
        lines = [f"  {self._say('contribution', name=self._title(part.edge))}"]
        lines += [f"  {line}" for line in _formula(formula.mathematics, formula.code)]
        if part.summed:
            word = "axis" if len(part.summed) == 1 else "axes"
            axes = self._say(word, **{word: ", ".join(map(str, part.summed))})
            shapes = {"small": tuple(target.shape), "large": tuple(vertex.shape)}
            lines.append(f"    {self._say('summed', name=name, axes=axes, **shapes)}")
        lines += [f"  {line}" for line in self._array(self._say("share"), part.share)]
        lines += [f"  {line}" for line in _numbers(formula.cells, part.share, values)]
        if part.before is not None:
            lines.append(f"    {self._say('adds_up', name=name)}")
            lines += [f"  {line}" for line in self._array(self._say("before"), part.before)]
            lines += [f"  {line}" for line in self._array(self._say("after"), part.after)]
        return lines

    def _title(self, edge: Edge) -> str:
        return f"{title_of_argument(self._diagram[edge.target], edge.argument)} = {_label(self._diagram[edge.source])}"

    def _array(self, title: str, array: np.ndarray | None) -> list[str]:
        if array is None:
            return [f"  {title}: {self._say('not_kept')}"]
        written = np.array2string(array, precision=4, threshold=64, edgeitems=3, max_line_width=100)
        if "\n" not in written:
            return [f"  {title}: {written}"]
        return [f"  {title}:", *[f"    {line}" for line in written.splitlines()]]


def _label(vertex: Vertex) -> str:
    return f"{vertex.id} ({vertex.name})" if vertex.kind is Kind.OP else vertex.name


def _formula(mathematics: str | None, code: str | None) -> list[str]:
    lines = [f"  {mathematics}"] if mathematics else []
    return lines + [f"  | {line}" for line in (code or "").splitlines()]


def _numbers(cells: Any, result: np.ndarray | None, values: Mapping[str, np.ndarray | None]) -> list[str]:
    """The first cell with numbers put in, where all of them are known and the sum is short."""
    if cells is None or result is None or not result.size or any(values.get(name) is None for name in cells.operands):
        return []
    if np.prod(cells.loops[cells.axes :]) > LONGEST_SUM:
        return []
    first = (0,) * result.ndim

    def put_in(name: str, place: tuple[int, ...]) -> str:
        written = number(np.asarray(values[name])[place])
        return f"({written})" if written.startswith("-") else written

    place = f"{list(first)}: " if first else ""
    return [f"  {place}{expression(cells, first, put_in)} = {number(result[first])}"]

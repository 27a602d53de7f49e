"""The graph behind a result as text in the DOT language, read from ``grad_fn`` and ``next_functions``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .. import nn
    from .._tensor import Tensor

__all__ = ["Graph", "draw"]

STYLES = {  # shape, and the colours of filling and border
    "op": 'shape=ellipse, fillcolor="#fdf0c8", color="#8a6500"',
    "parameter": 'shape=box, style="filled,rounded", penwidth=2, fillcolor="#cfe8f7", color="#0072b2"',
    "output": 'shape=box, peripheries=2, fillcolor="#d5f0e3", color="#007a56"',
}
HEAD = """digraph tinygrad_edu {
  rankdir=TB
  node [style=filled, fontname="DejaVu Sans", fontsize=11, fontcolor="#111111"]
  edge [color="#444444"]
"""


class Graph:
    """A drawn graph; ``source`` is its DOT text."""

    def __init__(self, source: str) -> None:
        self.source = source

    def svg(self) -> str | None:
        """Return the picture as SVG text, or None where Graphviz (the package or its program dot) is missing."""
        try:
            import graphviz  # type: ignore[import-untyped]  # it carries no types
        except ImportError:
            return None
        try:
            picture: str = graphviz.Source(self.source).pipe(format="svg", encoding="utf-8")
        except graphviz.ExecutableNotFound:
            return None
        return picture

    def save(self, path: str | Path) -> None:
        """Write the graph to ``path``: DOT text for ``.dot`` and ``.gv``, a picture for ``.svg``."""
        path = Path(path)
        text: str | None
        if path.suffix in (".dot", ".gv"):
            text = self.source
        elif path.suffix == ".svg":
            text = self.svg()
            if text is None:
                raise RuntimeError(
                    f"{path.name}: an SVG needs Graphviz's program dot and the package graphviz (apt install graphviz, pip "
                    "install graphviz); save to a .dot file to draw it elsewhere"
                )
        else:
            raise ValueError(
                f"{path.name}: a graph is saved as .dot, .gv or .svg, not {path.suffix or 'without a suffix'}"
            )
        path.write_text(text, "utf-8")

    def __repr__(self) -> str:
        return f"<Graph of {self.source.count('  n') - self.source.count(' -> ')} nodes>"


def draw(output: Tensor, *, model: nn.Module | None = None) -> Graph:
    r"""Draw the graph that ``output.backward()`` would walk.

    The result is at the bottom, each recorded step above it, and on top the tensors whose ``grad`` is filled, named
    after the parameters of ``model`` if it is given. The text is the same on every run.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor(2.0, requires_grad=True)
    >>> print(draw(w * w).source)
    digraph tinygrad_edu {
      rankdir=TB
      node [style=filled, fontname="DejaVu Sans", fontsize=11, fontcolor="#111111"]
      edge [color="#444444"]
      n0 [label="output\nfloat32 ()\n4", shape=box, peripheries=2, fillcolor="#d5f0e3", color="#007a56"]
      n1 [label="MulBackward0", shape=ellipse, fillcolor="#fdf0c8", color="#8a6500"]
      n2 [label="leaf\nfloat32 ()", shape=box, style="filled,rounded", penwidth=2, fillcolor="#cfe8f7", color="#0072b2"]
      n1 -> n0
      n2 -> n1
      n2 -> n1
    }
    <BLANKLINE>
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()} if model is not None else {}
    value = [f"{output.item():.4g}"] if output.numel() == 1 else []
    nodes = [_node(0, ["output", _describe(output), *value], "output")]
    edges: list[str] = []
    numbers: dict[Any, int] = {}

    def number(step: Any) -> int:
        if step not in numbers:
            numbers[step] = len(nodes)
            leaf = getattr(step, "variable", None)
            if leaf is None:
                nodes.append(_node(numbers[step], [step.name()], "op"))
            else:
                nodes.append(_node(numbers[step], [names.get(id(leaf), "leaf"), _describe(leaf)], "parameter"))
            waiting.append(step)
        return numbers[step]

    waiting: list[Any] = []
    if output.grad_fn is not None:
        edges.append(f"  n{number(output.grad_fn)} -> n0\n")
    for step in waiting:  # it grows meanwhile; no recursion, for graphs may be a million steps deep
        edges += [
            f"  n{number(source)} -> n{numbers[step]}\n" for source, _ in step.next_functions if source is not None
        ]
    return Graph(f"{HEAD}{''.join(nodes)}{''.join(edges)}}}\n")


def _describe(tensor: Tensor) -> str:
    """Give the dtype and the shape.

    >>> import tinygrad_edu as torch
    >>> _describe(torch.zeros(3))
    'float32 (3,)'
    """
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _node(number: int, lines: list[str], kind: str) -> str:
    label = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'  n{number} [label="{label}", {STYLES[kind]}]\n'

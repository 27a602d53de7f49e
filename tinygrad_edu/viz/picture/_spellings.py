"""make_dot and draw_dot: our picture under the names and with the arguments that torchviz and micrograd gave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from .._graph import read
from ._draw import Graph, draw, named_results
from ._picture import scene_of

if TYPE_CHECKING:
    from graphviz import Digraph  # type: ignore[import-untyped]  # it carries no types

    from ..._tensor import Tensor

__all__ = ["draw_dot", "make_dot"]

MANY = 10_000  # torchviz folds nothing; beyond so many boxes nobody sees anything


def make_dot(
    var: Tensor,
    params: Mapping[str, Tensor] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
) -> Digraph:
    """Draw the backward graph of ``var`` as torchviz does: a ``graphviz.Digraph``, to render, view, change and save.

    ``params`` names tensors, ``show_attrs`` adds the settings of each step, at most ``max_attr_chars`` characters each,
    ``show_saved`` the arrays that are kept. Where graphviz's program is missing a notebook shows our own layout.

    Raises
    ------
    ImportError
        If the package graphviz is missing.
    ValueError
        If ``var`` has no graph.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor(2.0, requires_grad=True)
    >>> dot = make_dot(w * w, params={"w": w})
    >>> dot.format, "MulBackward0" in dot.source
    ('svg', True)
    """
    diagram = read(var, names=params)
    scene = scene_of(
        diagram,
        names=named_results(diagram, params or {}),
        view="backward",
        values=False,
        saved=show_saved,
        depth=MANY,
        collapse_repeated=False,
        max_nodes=MANY,
        longest_setting=max_attr_chars if show_attrs else 0,
    )
    graph = Graph(scene, "TB")
    return _digraph(graph, "svg")


def draw_dot(root: Tensor, format: str = "svg", rankdir: Literal["LR", "TB"] = "LR") -> Digraph:
    """Draw every number behind ``root`` as micrograd does: records of data and gradient, and circles for operations.

    Raises
    ------
    ImportError
        If the package graphviz is missing.
    ValueError
        If ``root`` has no graph, there are more than 60 numbers, or ``rankdir`` is neither "LR" nor "TB".

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> a = torch.tensor(3.0, requires_grad=True)
    >>> "data 9.0000" in draw_dot(a * a).source
    True
    """
    if rankdir not in ("LR", "TB"):
        raise ValueError(f"draw_dot: rankdir is 'LR' or 'TB', not {rankdir!r}")
    return _digraph(draw(root, mode="scalar", rankdir=rankdir), format)


def _digraph(graph: Graph, format: str) -> Digraph:
    """The picture as the package graphviz knows it, with the same source."""
    try:
        import graphviz
    except ImportError:
        raise ImportError(
            "make_dot and draw_dot give a graphviz.Digraph, and the package graphviz is not installed (pip install graphviz). "
            "viz.draw needs no package"
        ) from None

    class Drawing(graphviz.Digraph):  # type: ignore[misc]  # its base carries no types
        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
            try:
                shown: dict[str, Any] = super()._repr_mimebundle_(include, exclude)
            except graphviz.ExecutableNotFound:
                shown = dict(graph._repr_mimebundle_())
            return shown

    drawing = Drawing("tinygrad_edu", format=format)
    drawing.body = graph.source.splitlines(keepends=True)[1:-1]
    return drawing

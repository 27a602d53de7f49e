"""A level: one run of a function on inputs that are leaves of its own, so that it can be differentiated inside another run.

Inside, each input that is to be differentiated is a fresh leaf over the same memory, whatever its history; so the same tensor,
where the function holds it itself, is a constant, and two levels never mix up what they differentiate (no perturbation
confusion). On leaving, the results are tied to the world outside: the steps of the level are made anew, with each input's true
history in place of its leaf. A result that depends on nothing that wants a gradient outside has no history.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from .._core.memory import tick
from .._core.modes import is_grad_enabled
from .._core.node import Leaf, Node
from .._tensor import Tensor
from ._batched import Batched
from ._vmap import leaf_of, lifted

Step = Node | Leaf


class Level:
    """The leaves of one run, and what they stand for outside.

    ``wanted`` and ``leave`` are asked in the mode of the world outside: under ``no_grad`` nothing has a history there.

    Attributes
    ----------
    leaves
        The inputs as the function gets them, in the order in which they entered.
    """

    def __init__(self) -> None:
        self.leaves: list[Tensor] = []
        self._outside: dict[
            Step, tuple[Tensor, Step | None]
        ] = {}  # a leaf -> what entered, and the step that made that
        self._began = tick()  # an older step cannot depend on a leaf of this level

    def enter(self, x: object) -> Tensor:
        """Return ``x`` as a leaf of this level.

        Raises
        ------
        ValueError
            If it is no tensor.
        RuntimeError
            If it is not floating point.
        """
        if not isinstance(x, Tensor):
            raise ValueError(
                f"Thing passed to transform API must be Tensor, got {type(x)}. Only tensors can be differentiated by: make one "
                "with torch.tensor(...), or leave this argument out of argnums."
            )
        x = lifted(x)  # inside vmap: what is the same for all examples has a gradient for each
        leaf = leaf_of(x)
        if not isinstance(leaf, Batched):  # whose backward() is refused anyway
            leaf.register_post_accumulate_grad_hook(_refuse_backward)
        self._outside[leaf._current_node] = x, x._current_node
        self.leaves.append(leaf)
        return leaf

    def wanted(self, tensors: Sequence[Tensor]) -> bool:
        """Does anything outside that ``tensors`` were computed from want a gradient?"""
        return is_grad_enabled() and self._behind(tensors)[1]

    def leave(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return results of this level as the world outside sees them."""
        steps, lead_out = self._behind(tensors)
        recording = is_grad_enabled()
        outside: dict[Any, Step | None] = {leaf: step for leaf, (_, step) in self._outside.items()}
        for step in sorted(steps, key=attrgetter("seq")):  # the oldest first: what a step used is known before it
            outside[step] = _made_anew(step, outside) if lead_out and recording else None
        return [self._left(t, outside, recording) for t in tensors]

    def _behind(self, tensors: Sequence[Tensor]) -> tuple[set[Node], bool]:
        """The steps of this level that made ``tensors``; and whether they lead to anything outside that wants a gradient."""
        steps: set[Any] = set()
        lead_out = False
        stack = [t._current_node for t in tensors]
        while stack:
            step = stack.pop()
            if step is None or step in steps:
                continue
            if step in self._outside:
                lead_out |= self._outside[step][1] is not None
            elif step.seq < self._began:
                lead_out = True
            else:  # a leaf that the function made itself too: it is nobody's outside
                steps.add(step)
                stack += step.edges
        return steps, lead_out

    def _left(self, t: Tensor, outside: dict[Any, Step | None], recording: bool) -> Tensor:
        inside = t._current_node
        if inside in self._outside:
            x = self._outside[inside][0]
            return x.view_as(x) if recording else x.detach()
        if inside is None or inside not in outside:
            return t  # a constant, or made outside
        left = t.detach()
        left._node = outside.get(inside)
        left._cut = None  # not by the user's detach(), so an error must not say that
        return left


def _refuse_backward(leaf: Tensor) -> None:
    raise RuntimeError(
        "backward() called inside a functorch transform. This is not supported, please use torch.func.grad or torch.func.vjp instead (or "
        "torch.autograd.grad), or call backward() outside of the function that is transformed."
    )


def _made_anew(step: Node, outside: dict[Any, Step | None]) -> Node | None:
    """The same step between what its edges are outside; None if nothing there wants a gradient."""
    edges = tuple([outside.get(edge, edge) for edge in step.edges])
    if edges == step.edges:
        return step
    if not any(edges):
        return None
    again = Node(step.op, _retied(step.saved, outside), edges, step.shape, step.where)
    again.seq = step.seq  # what it kept is as old as before; hooks stay with the level
    return again


def _retied(saved: Any, outside: dict[Any, Step | None]) -> Any:
    """What a step kept; a custom Function keeps tensors, each with the step that made it."""
    if saved is None or not any([_is_tied(kept) for kept in saved]):
        return saved
    return tuple([(kept[0], outside.get(kept[1], kept[1])) if _is_tied(kept) else kept for kept in saved])


def _is_tied(kept: Any) -> bool:
    return type(kept) is tuple and len(kept) == 2 and isinstance(kept[1], Step)

"""why_no_grad: where the path from a tensor to the loss was cut, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .._core.engine import newest_first
from .._core.memory import owner
from .._tensor import Tensor
from ._graph import Given, Ran, Source
from ._record import Tape, wants_gradient

__all__ = ["Answer", "why_no_grad"]

RECORD = "Run the forward pass inside `with viz.record() as tape:` and ask again to see the line."
REMEDIES = {
    "detach": "What detach() gives stands outside of the graph: use the tensor itself where the gradient must flow.",
    "data": "What .data gives stands outside of the graph: use the tensor itself where the gradient must flow.",
    "no_grad": "What is computed under no_grad() or inference_mode() is not recorded: compute it outside of that block.",
    "item": "Plain numbers have no graph: keep the tensor itself, and join several with torch.stack.",
    "numpy": "What NumPy computes is not recorded: compute it with torch's functions.",
}


@dataclass(frozen=True)
class Answer:
    """Why a gradient is missing; printed, it is the sentence."""

    sentence: str
    cut: str | None = None  # detach, data, no_grad, item, numpy, the name of an op ...
    source: Source | None = None  # the line of the cut, where it was recorded

    def __str__(self) -> str:
        return self.sentence

    __repr__ = __str__


def why_no_grad(x: Tensor, loss: Tensor, *, tape: Tape | None = None) -> Answer:
    """Tell why ``loss.backward()`` gives ``x`` no gradient: where the path between them was cut, with file and line if recorded.

    Without a recording the cut is named where the engine knows its name. The ``tape`` is by default the one that
    saw how ``loss`` was made.

    Raises
    ------
    TypeError
        If ``x`` or ``loss`` is no tensor.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = (x * 2).detach().sum()
    >>> print(why_no_grad(x, loss))  # doctest: +ELLIPSIS
    No gradient reaches x: the loss is cut off by detach(). What detach() gives stands outside of the graph: use the tensor ...
    """
    for name, given in (("x", x), ("loss", loss)):
        if not isinstance(given, Tensor):
            raise TypeError(f"why_no_grad(x, loss) asks about two tensors, but {name} is a {type(given).__name__}")
    tape = tape or Tape.of(loss)
    node, root = x._current_node, loss._current_node
    if node is None:
        return _wants_none(x, tape)
    order = [] if root is None else newest_first([root])
    if any([step is node for step in order]):
        return _is_connected(x, order, tape)
    if tape is not None:
        found = _recorded_cuts(x, loss, tape)
        if found is not None:
            return found
    if root is None:
        return _has_no_graph(loss)
    return _is_lost(x, order)


# ---- the cases, the simplest first


def _wants_none(x: Tensor, tape: Tape | None) -> Answer:
    """``x`` itself asks for no gradient."""
    if x._cut is not None:
        origin = tape.origin(x) if tape is not None else None
        cuts = [thing for thing in _upstream(origin) if thing.cut is not None] if origin is not None else []
        source = cuts[0].source if cuts else None
        said = f"x itself is cut off by {_called(x._cut)}{_place(source)}. {_remedy(x._cut)}"
        return Answer(said, x._cut, source)
    if x._array.dtype.kind != "f":
        return Answer(
            f"x is {str(x.dtype).removeprefix('torch.')}: only floating-point tensors have gradients. Convert it with .float() first."
        )
    if getattr(x, "_leaf", None) is not None or type(x).__name__ == "Parameter":
        return Answer(
            "x is frozen: its requires_grad is False. Call x.requires_grad_() before the forward pass.", "frozen"
        )
    return Answer(
        "x asks for no gradient: create it with requires_grad=True, or call x.requires_grad_() before the forward pass."
    )


def _is_connected(x: Tensor, order: list[Any], tape: Tape | None) -> Answer:
    """Nothing is cut between ``x`` and the loss."""
    grad = getattr(x, "_gradient", None)
    if grad is not None:
        if (grad._array == 0).all():
            return Answer(
                "Nothing is cut: x.grad is there, and every element is 0. The slopes on the way are 0, as those of relu are for negative "
                "inputs (dead units), or x does not change the loss here."
            )
        return Answer("Nothing is cut: x.grad is there.")
    root = order[0]
    walked = tape is not None and any([walk.accumulates and root in walk.roots for walk in tape.walks])
    freed = any([step.op is not None and step.op.frees and step.saved is None for step in order])
    if not x.is_leaf and not x.retains_grad:
        return Answer(
            "Nothing is cut, but x is not a leaf: backward() computes its gradient and does not keep it. Call x.retain_grad() before "
            "backward().",
            "not a leaf",
        )
    if walked or freed:
        return Answer(
            "Nothing is cut, and backward() has run: x.grad was emptied since (zero_grad(), x.grad = None), or the gradients were asked for by "
            "autograd.grad() or backward(inputs=...), which leave other tensors alone."
        )
    return Answer(
        "Nothing is cut: backward() has not been called yet, or x.grad was emptied since. Call loss.backward()."
    )


def _recorded_cuts(x: Tensor, loss: Tensor, tape: Tape) -> Answer | None:
    """The cuts between ``x`` and ``loss`` that are on the tape; None if it knows nothing of either."""
    end = tape.origin(loss)
    mine = _states(x, tape)
    if not isinstance(end, Ran | Given):
        return None
    way = list(_upstream(end))
    reached = _downstream(mine, way)
    cuts = [thing for thing in way if id(thing) in reached and _ends_here(thing, reached)]
    if cuts:
        first = min(cuts, key=lambda thing: thing.age)
        more = len(cuts) - 1
        others = f" ({more} other path{'s are' if more > 1 else ' is'} cut as well)" if more else ""
        said = f"the path to the loss is cut by {_called(first.cut, first)}{_place(first.source)}{others}. {_remedy(first.cut)}"
        return Answer(f"No gradient reaches x: {said}", first.cut, first.source)
    early = [thing for thing in way if id(thing) in reached and isinstance(thing, Given) and thing.leaf is None]
    if early:
        place = _place(early[0].source)
        return Answer(
            f"No gradient reaches x: it was used{place} before it required grad. Call x.requires_grad_() before the forward pass.",
            "late",
            early[0].source,
        )
    return _recorded_end(mine, way, tape)


def _recorded_end(mine: list[Any], way: list[Any], tape: Tape) -> Answer:
    """What became of ``x``, of which the ``way`` to the loss shows nothing."""
    everywhere = _downstream(mine, [*tape.ops, *[left.origin for left in tape.left]])
    data = [
        thing for thing in way if isinstance(thing, Given) and thing.leaf is None and thing.dtype not in ("int", "bool")
    ]
    for left in tape.left:
        if id(left.origin) in everywhere and any([thing.age > left.age for thing in data]):
            cut = "numpy" if left.method in ("numpy", "__array__") else "item"
            said = f"it left the graph as plain numbers, by {left.method.strip('_')}(){_place(left.source)}. {_remedy(cut)}"
            return Answer(f"No gradient reaches x: {said}", cut, left.source)
    mine_by_id = {id(state) for state in mine}
    used = next((ran for ran in tape.ops if any([id(origin) in mine_by_id for origin in ran.origins])), None)
    if used is None:
        return Answer("No gradient reaches x: no recorded operation used it.", "unused")
    rebuilt = next((thing for thing in data if thing.cut == "item" and not thing.origins), None)
    if rebuilt is not None:
        said = f"the loss uses a tensor that torch.tensor(...) rebuilt of others{_place(rebuilt.source)}. {_remedy('item')}"
        return Answer(f"No gradient reaches x: {said}", "item", rebuilt.source)
    ended = next((ran for ran in tape.ops if id(ran) in everywhere and _ends_here(ran, everywhere)), None)
    if ended is not None:
        said = f"it is cut by {_called(ended.cut, ended)}{_place(ended.source)}. {_remedy(ended.cut)} As an index it passes none on either."
        return Answer(f"No gradient reaches x: {said}", ended.cut, ended.source)
    said = f"it was used by {used.op.name}{_place(used.source)}, but nothing of that reached the loss."
    return Answer(f"No gradient reaches x: {said}", "unused", used.source)


def _has_no_graph(loss: Tensor) -> Answer:
    """The loss has no graph at all."""
    cut = loss._cut
    if cut is not None:
        return Answer(f"No gradient reaches x: the loss is cut off by {_called(cut)}. {_remedy(cut)} {RECORD}", cut)
    return Answer(
        "No gradient reaches x: the loss has no graph, for none of the tensors it was computed from requires grad. Either x was not "
        f"used, or it was rebuilt from numbers on the way (item(), torch.tensor(...), NumPy). {RECORD}"
    )


def _is_lost(x: Tensor, order: list[Any]) -> Answer:
    """The loss has a graph, ``x`` is not in it, and nothing was recorded."""
    block = owner(x._array)
    for step in order:
        for number, edge in enumerate(step.edges if step.saved else ()):
            kept = step.saved[1 + number] if edge is None and 1 + number < len(step.saved) else None
            if hasattr(kept, "dtype") and owner(kept) is block:
                return Answer(
                    f"No gradient reaches x: {step.op.name} ({step.name()}) used its numbers outside of the graph: by way of detach() or "
                    f".data, under no_grad, or before it required grad. Use the tensor itself there. {RECORD}",
                    "detach",
                )
    return Answer(
        "No gradient reaches x: no step on the way to the loss used it. It was cut off before (detach(), .data, no_grad, argmax, an "
        f"integer cast, item(), NumPy, torch.tensor(...)), another tensor took its place, or it was never used. {RECORD}"
    )


# ---- the ways on a tape


def _states(x: Tensor, tape: Tape) -> list[Any]:
    """All that the tape knows of ``x``: a leaf may have been met in several states."""
    things = [thing for ran in tape.ops for thing in (ran, *ran.origins) if thing is not None]
    node = x._current_node
    same = [
        t for t in things if isinstance(t, Given) and (t.leaf is node or (t.tensor is not None and t.tensor() is x))
    ]
    known = tape.origin(x)
    return same if known is None else [*same, known]


def _upstream(end: Any) -> Iterable[Any]:
    """Everything on the tape that ``end`` was computed from, itself first."""
    seen, waiting = {id(end)}, [end]
    for thing in waiting:  # it grows meanwhile
        if isinstance(thing, Ran | Given):
            yield thing
            for origin in thing.origins:
                if origin is not None and id(origin) not in seen:
                    seen.add(id(origin))
                    waiting.append(origin)


def _downstream(start: list[Any], things: list[Any]) -> set[int]:
    """The identities of what, among ``things``, was computed from ``start``, cut or not."""
    reached = {id(thing) for thing in start}
    for thing in sorted({id(t): t for t in things if isinstance(t, Ran | Given)}.values(), key=lambda t: t.age):
        if any([id(origin) in reached for origin in thing.origins]):
            reached.add(id(thing))
    return reached


def _ends_here(thing: Any, reached: set[int]) -> bool:
    """Did a gradient flow up to ``thing`` and not through it?"""
    return thing.cut is not None and any([id(o) in reached and wants_gradient(o) for o in thing.origins])


# ---- words


def _called(cut: str | None, thing: Any = None) -> str:
    """A cut as a program writes it."""
    if isinstance(thing, Ran):
        if cut == "no_grad":
            return f"no_grad(), under which {thing.op.name} ran"
        return f"a cast to {thing.dtype}" if thing.op.name.startswith("a cast") else str(thing.op.name)
    written = {
        "no_grad": "no_grad()",
        "detach": "detach()",
        "data": ".data",
        "item": "item() or tolist()",
        "numpy": "numpy()",
    }
    return written.get(cut or "", str(cut))


def _remedy(cut: str | None) -> str:
    return REMEDIES.get(cut or "", "Its result does not change smoothly, so that it has no gradient.")


def _place(source: Source | None) -> str:
    if source is None:
        return ""
    text = f" ({source.text})" if source.text else ""
    return f" at {source.file}:{source.line}{text}"

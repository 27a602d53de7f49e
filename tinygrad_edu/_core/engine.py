"""Reverse mode: walk the recorded steps newest first and hand each gradient to its makers.

One loop, written as a generator of steps: training exhausts it, a stepper or a debugger pauses in it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, TypeAlias

from .memory import memory, verify
from .modes import state
from .node import Leaf, Node
from .op import Array, Op, Pour

Step: TypeAlias = tuple[Node | Leaf, Array, list[Any]]  # (step, gradient of its result, share of each edge or None)

_by_age = attrgetter("seq")
_new: Any = object.__new__
exhaust = deque[Any](maxlen=0).extend  # no Python loop, and nothing holds the last shares
_accumulating = threading.Lock()  # two threads may share a parameter; NumPy lets go of the GIL while it adds


class ShareShapeError(AssertionError):
    """A gradient formula gave a share of another shape than its argument: a fault of the formula, never of the user."""

    def __init__(self, op: Op, share: Array, wanted: tuple[int, ...], argument: int) -> None:
        given = tuple(share.shape)
        super().__init__(
            f"internal error: the gradient formula of {op.name} gave shape {given} for an argument of shape {wanted} "
            f"(argument {argument})"
        )
        self.op, self.share, self.given, self.wanted, self.argument = op, share, given, wanted, argument


def newest_first(roots: Iterable[Any]) -> list[Any]:
    """Every node that feeds ``roots``, by age: a step is always younger than what it used."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return sorted(seen, key=_by_age, reverse=True)


def steps(
    pending: dict[Any, Array],
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    catch: dict[Any, Array] | None = None,
) -> Iterator[Step]:
    """Run the backward pass one step at a time, yielding (node, gradient of its result, shares).

    A step that ran yields one share per edge, None where it hands nothing on; of a poured share, the gradient it is made of.
    Nobody writes into a share while ``state.watch`` looks on.

    Parameters
    ----------
    pending
        Gradients on their way: node -> gradient. Consumed.
    create_graph
        Compute with recorded tensors, so that the gradients can be differentiated again.
    retain_graph
        Keep what the steps kept, for another pass.
    catch
        node -> gradient, filled in; with it only what leads there runs and no leaf accumulates.
    """
    backend = Op.backend
    order = newest_first(pending)
    if state.before_walk is not None:
        state.before_walk(order)
    runs, receives = leading_to(catch, order) if catch is not None else (frozenset(), None)
    alone = not create_graph and state.watch is None  # who watches may keep a share: then none is added into
    ours: set[Any] = set()  # those in pending that are fresh arrays of this walk, free to be added into
    for node in order:
        g = pending.pop(node, None)
        if g is None:
            continue
        if catch is not None and node in catch and node in runs:
            catch[node] = g  # as in torch: before the hooks where the walk goes on from here, after them where it ends
        if node.hooks is not None:
            g = run_hooks(node, g)
        if catch is not None and node in catch and node not in runs:
            catch[node] = g
        op = node.op
        if op is None:
            if catch is None:
                rest(node, g, node in ours and node.hooks is None, create_graph)
            yield node, g, []
            continue
        shares: list[Any] = []
        if catch is None or node in runs:
            saved = node.saved
            if saved is None:
                raise RuntimeError(
                    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
                    f"been freed): what {op.name} ({op.node_name}) kept was freed by the first pass. Specify retain_graph=True "
                    "the first time if you need both passes; if you did not mean to go back so far, a tensor from an earlier "
                    "step is still in use (often a hidden state or a running total): cut it off with detach()."
                )
            if node.seq < memory.last:
                verify(op.kept_by(node), node.seq, op.name, op.node_name)
            if create_graph:
                saved = op.recorded(node, saved)
                rules = op.rules
            else:
                rules = op.pulls
            if not rules or rules[0] is None:
                rules = op.rules_of(node, g, saved, create_graph)
            for edge, rule in zip(node.edges, rules):  # noqa: B905  # one rule per edge, and strict costs on the hottest line
                if edge is None or rule is None or (receives is not None and edge not in receives):
                    shares.append(None)
                    continue
                share = rule(g, saved)
                if share is None:
                    shares.append(None)
                    continue
                if share.shape != edge.shape:
                    if share.__class__ is Pour:
                        shares.append(g)
                        pour(share, pending, ours, edge)
                        continue
                    if not op.broadcasts:
                        raise ShareShapeError(op, share, tuple(edge.shape), node.edges.index(edge))
                    try:
                        share = backend.sum_to(share, edge.shape)
                    except (ValueError, RuntimeError) as error:
                        raise ShareShapeError(op, share, tuple(edge.shape), node.edges.index(edge)) from error
                shares.append(share)
                if edge not in pending:
                    pending[edge] = share
                    if alone and share is not g and share.base is None:
                        ours.add(edge)
                elif create_graph:
                    pending[edge] = pending[edge] + share
                elif edge in ours:
                    pending[edge] += share
                else:
                    pending[edge] = pending[edge] + share
                    ours.add(edge)
            if op.frees and not retain_graph:
                node.saved = None
        yield node, g, shares


def leading_to(targets: Iterable[Any], order: list[Any]) -> tuple[set[Any], set[Any]]:
    """The steps of ``order`` that must run to reach a target, and those that must receive a gradient."""
    runs: set[Any] = set()
    receives = set(targets)
    for node in reversed(order):
        for edge in node.edges:
            if edge in receives:
                runs.add(node)
                receives.add(node)
                break
    return runs, receives


def pour(share: Pour, pending: dict[Any, Array], ours: set[Any], edge: Any) -> None:
    """Add a share that touches part of its target straight into one buffer."""
    buffer = pending.get(edge)
    if buffer is None:
        pending[edge] = buffer = Op.backend.zeros(edge.shape, share.g)
        ours.add(edge)
    elif edge not in ours or not hasattr(buffer, "__setitem__"):
        pending[edge] = buffer = Op.backend.copy(buffer)
        ours.add(edge)
    share.add_into(buffer)


def run_hooks(node: Any, g: Array) -> Array:
    """Show ``g`` to the hooks of the tensor this node made; what one returns replaces it."""
    kind = Op.kind
    hooks = dict(node.hooks)
    last = hooks.pop("retain", None)  # retain_grad sees what the other hooks made, whenever it was asked for
    for hook in [*hooks.values(), *([last] if last is not None else [])]:
        seen = g if isinstance(g, kind) else kind._of(g)
        new = hook(seen)
        if new is not None:
            if not isinstance(new, kind):
                raise TypeError(f"a gradient hook must return None or a Tensor, not {type(new).__name__}")
            if new.shape != tuple(node.shape):
                raise RuntimeError(f"hook '{getattr(hook, '__name__', hook)}' has changed the size of value")
            g = new if isinstance(g, kind) else new._array
    return g


def rest(leaf: Leaf, g: Array, fresh: bool, create_graph: bool) -> None:
    """Let the gradient come to rest in its leaf, which owns its array."""
    tensor = leaf.tensor()
    if tensor is None or tensor._node is None:  # gone, or frozen since
        return
    with _accumulating:
        old = getattr(tensor, "_gradient", None)
        if create_graph:
            tensor._gradient = g + 0 if old is None else old + g
        elif old is None:
            tensor._gradient = gradient = _new(Op.kind)
            gradient._array = g if fresh else Op.backend.copy(g)
            gradient._node = gradient._base = gradient._cut = None
        elif old._current_node is None:
            Op.backend.add_into(old, g)
        else:
            tensor._gradient = Op.kind._of(old._array + g)
    if leaf.after is not None:
        for hook in list(leaf.after.values()):
            hook(tensor)


def walk(
    pending: dict[Any, Array],
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    catch: dict[Any, Array] | None = None,
) -> None:
    """Run the backward pass to its end."""
    outside = state.tape
    state.tape = state.own if create_graph else None
    try:
        run = steps(pending, create_graph=create_graph, retain_graph=retain_graph, catch=catch)
        if state.watch is None:
            exhaust(run)
        else:
            for step in run:
                state.watch(*step)
    finally:
        state.tape = outside

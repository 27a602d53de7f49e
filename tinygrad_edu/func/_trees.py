"""Nested tuples, lists and dicts of tensors, taken apart into a flat list and put together again.

What a function takes and returns is seen as a tree: tuples, named tuples, lists, dicts (ordered, default) and deques are its
branches, everything else, None included, is a leaf. So the transforms only ever work on a list of tensors.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .._types import Size

_DICTS = (dict, OrderedDict, defaultdict)


@dataclass(frozen=True)
class Spec:
    """The shape of a tree: all of it but its leaves.

    ``kind`` is the type of the branch, None for a leaf; ``keys`` are those of a dict, in its order (torch compares it too);
    ``extra`` is what else the type needs to be built: the factory of a defaultdict, the length of a deque.
    """

    kind: type | None = None
    keys: tuple[Any, ...] = ()
    extra: Any = None
    children: tuple[Spec, ...] = ()

    @property
    def leaves(self) -> int:
        """How many leaves a tree of this shape has."""
        return 1 if self.kind is None else sum([child.leaves for child in self.children])

    def __str__(self) -> str:
        if self.kind is None:
            return "*"
        parts = [str(child) for child in self.children]
        if self.kind in _DICTS:
            inside = ", ".join([f"{key!r}: {part}" for key, part in zip(self.keys, parts, strict=True)])
            return f"{{{inside}}}" if self.kind is dict else f"{self.kind.__name__}({{{inside}}})"
        if hasattr(self.kind, "_fields"):
            pairs = zip(self.kind._fields, parts, strict=True)
            return f"{self.kind.__name__}({', '.join([f'{name}={part}' for name, part in pairs])})"
        inside = ", ".join(parts)
        if self.kind is list:
            return f"[{inside}]"
        return f"deque([{inside}])" if self.kind is deque else f"({inside},)" if len(parts) == 1 else f"({inside})"


LEAF = Spec()


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """Take a tree apart: its leaves from left to right, and its shape.

    >>> leaves, spec = flatten({"weight": 1, "layers": [2, (3, None)]})
    >>> leaves, str(spec)
    ([1, 2, 3, None], "{'weight': *, 'layers': [*, (*, *)]}")
    >>> unflatten([10, 20, 30, 40], spec)
    {'weight': 10, 'layers': [20, (30, 40)]}
    """
    leaves: list[Any] = []
    return leaves, _taken_apart(tree, leaves)


def unflatten(leaves: Iterable[Any], spec: Spec) -> Any:
    """Put leaves into a tree of the shape ``spec``.

    Raises
    ------
    ValueError
        If there are more or fewer leaves than the tree has.
    """
    given = list(leaves)
    if len(given) != spec.leaves:
        raise ValueError(
            f"unflatten(leaves): `leaves` has length {len(given)} but the spec refers to a tree that holds {spec.leaves} items ({spec})."
        )
    return _put_together(iter(given), spec)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with ``function`` applied to each leaf."""
    leaves, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], spec)


def _taken_apart(tree: Any, leaves: list[Any]) -> Spec:
    kind = type(tree)
    if kind in _DICTS:
        extra = tree.default_factory if kind is defaultdict else None
        return Spec(kind, tuple(tree), extra, tuple([_taken_apart(tree[key], leaves) for key in tree]))
    if kind is tuple or kind is list or kind is Size or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return Spec(tuple if kind is Size else kind, children=tuple([_taken_apart(child, leaves) for child in tree]))
    if kind is deque:
        return Spec(kind, extra=tree.maxlen, children=tuple([_taken_apart(child, leaves) for child in tree]))
    leaves.append(tree)
    return LEAF


def _put_together(leaves: Iterator[Any], spec: Spec) -> Any:
    kind: Any = spec.kind
    if kind is None:
        return next(leaves)
    children = [_put_together(leaves, child) for child in spec.children]
    if kind is defaultdict:
        return defaultdict(spec.extra, zip(spec.keys, children, strict=True))
    if kind in _DICTS:
        return kind(zip(spec.keys, children, strict=True))
    if kind is deque:
        return deque(children, spec.extra)
    return kind(*children) if hasattr(kind, "_fields") else kind(children)

"""Broken engines: the walk with one line of its source changed, or one op that forgets its cast."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from tests.testing.mutants import declared, families
from tinygrad_edu._core import engine
from tinygrad_edu.autograd._verdict import Verdict


@contextmanager
def changed(function: str, *lines: tuple[str, str]) -> Iterator[None]:
    """Run with a function of the engine in which each of ``lines`` reads otherwise."""
    right = getattr(engine, function)
    source = textwrap.dedent(inspect.getsource(right))
    for old, new in lines:
        assert source.count(old) == 1, f"{function} has changed: {old!r} is there {source.count(old)} times"
        source = source.replace(old, new)
    made: dict[str, Any] = {}
    exec(compile(source, f"<broken {function}>", "exec", dont_inherit=True, flags=1 << 24), vars(engine), made)
    setattr(engine, function, made[function])
    try:
        yield
    finally:
        setattr(engine, function, right)


@contextmanager
def without_a_cast() -> Iterator[None]:
    """Run with casts that hand the gradient on in the dtype in which it arrives."""
    twins = families()["elementwise.to"]
    whole = [dict(vars(op)) for op in twins]
    try:
        for op in twins:
            vars(op).update(declared(op, "x", lambda g: g))
        yield
    finally:
        for op, attributes in zip(twins, whole, strict=True):
            vars(op).clear()
            vars(op).update(attributes)


BROKEN: dict[str, tuple[Verdict, Callable[[], AbstractContextManager[None]]]] = {
    "shares are not summed over broadcast axes": (
        Verdict.UNSUMMED,
        lambda: changed("steps", ("share = backend.sum_to(share, edge.shape)", "pass")),
    ),
    "the second share replaces the first": (
        Verdict.NOT_ACCUMULATED,
        lambda: changed("steps", ("if edge not in pending:", "if True:")),
    ),
    "the second backward replaces grad": (
        Verdict.NOT_ACCUMULATED,
        lambda: changed("rest", ('old = getattr(tensor, "_gradient", None)', "old = None")),
    ),
    "the gradient keeps the dtype in which it arrives": (Verdict.DTYPE, without_a_cast),
    "the oldest operation is walked first": (
        Verdict.ORDER,
        lambda: changed(
            "newest_first",
            ("sorted(seen, key=_by_age, reverse=True)", "sorted(seen, key=lambda node: (node.op is None, node.seq))"),
        ),
    ),
    "each step is walked as soon as it is reached": (
        Verdict.ORDER,
        lambda: changed(
            "newest_first",
            ("seen = set(roots)", "seen = dict.fromkeys(roots)"),
            ("stack.pop().edges", "stack.pop(0).edges"),
            ("seen.add(edge)", "seen[edge] = None"),
            ("sorted(seen, key=_by_age, reverse=True)", "sorted(seen, key=lambda node: node.op is None)"),
        ),
    ),
    "nobody looks whether a saved value was overwritten": (
        Verdict.STALE,
        lambda: changed("steps", ("if node.seq < memory.last:", "if False:")),
    ),
}

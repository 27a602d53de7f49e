"""Which rows of the op table reach which op, with which cases, and at which order of differentiation.

Inner ops, which no row shows by themselves (what a formula is made of), get rows of their own from the calls that were seen.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tinygrad_edu as torch
from tests.harness import Arguments, random_like, tensors_in
from tests.testing.mutants import differentiable_arguments, families, key
from tinygrad_edu._core.engine import newest_first
from tinygrad_edu._core.op import Many, Op, unwatch, watch
from tinygrad_edu.testing._cases import Case, cases_of
from tinygrad_edu.testing._draw import cases
from tinygrad_edu.testing.table import ROWS
from tinygrad_edu.testing.table.row import Row

EXAMPLES = 5  # of each row: as many as the suite takes


@dataclass
class Way:
    """The cases of a row that reach an op first at one order of differentiation."""

    row: Row
    order: int
    others: int = 99  # how many other ops the graph of that order holds at least
    cases: list[Case] = field(default_factory=list)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Say which way to try first: of low order, with no other op."""
        return self.order, self.others, -min(len(self.cases), 8)


def graphs(row: Row, case: tuple[Any, ...], most: int) -> Iterator[set[str]]:
    """Yield the ops in the graph of the outputs, then in that of their gradients, and so on, up to order ``most``."""
    given = Arguments(torch, case, row.frozen, grad=True)
    rng = np.random.default_rng(0)
    outs = [x for x in tensors_in(row.call(torch, *given.args)) if x.requires_grad]
    by = given.leaves
    for order in range(1, most + 1):
        outs = [x for x in outs if x.grad_fn is not None]
        if not outs or not by:
            return
        yield {key(node.op) for node in newest_first([x.grad_fn for x in outs]) if node.op is not None}
        if order < most:
            weights = random_like(torch, outs, rng, grad=True)
            found = torch.autograd.grad(outs, by, grad_outputs=weights, create_graph=True, allow_unused=True)
            outs = [g for g in found if g is not None]
            by = [*by, *weights]


def elements(case: Any) -> int:
    """Count the float64 numbers of a case."""
    if isinstance(case, np.ndarray):
        return case.size if case.dtype == np.float64 else 0
    return sum(map(elements, case)) if isinstance(case, tuple | list) else 0


def tells_little(case: Case) -> tuple[bool, ...]:
    """Say why a case comes late: it is no plain one, or has too few numbers to show a pattern, or too many to be quick."""
    return case.kind not in ("ordinary", "broadcast"), not 4 <= elements(case.arguments) <= 16


class Reach:
    """The ways to every op; and of the calls seen on the way, some of each op."""

    def __init__(self) -> None:
        self.ops = {name: twins[0] for name, twins in families().items()}
        self.ways: dict[str, list[Way]] = {name: [] for name in self.ops}
        self.calls: dict[str, dict[str, Way]] = {name: {} for name in self.ops}
        watch(self.note)
        try:
            for row in ROWS:
                if row.order:
                    self.follow(row)
        finally:
            unwatch(self.note)
        for several in self.ways.values():
            several.sort(key=lambda way: way.rank)

    def follow(self, row: Row) -> None:
        """Run the cases of a row and see where they come by."""
        found: dict[tuple[str, int], Way] = {}
        for case in cases_of(row, 0, EXAMPLES):
            seen: set[str] = set()
            try:
                for order, ops in enumerate(graphs(row, case.arguments, case.order), 1):
                    for op in (ops - seen) & set(self.ways):
                        way = found.setdefault((op, order), Way(row, order))
                        way.others = min(way.others, len(ops) - 1)
                        way.cases.append(case)
                    seen |= ops
            except (RuntimeError, NotImplementedError):  # refused, as torch refuses
                continue
        for (op, _), way in found.items():
            way.cases.sort(key=tells_little)
            self.ways[op].append(way)

    def note(self, op: Op, args: tuple[Any, ...], settings: dict[str, Any], result: Any) -> None:
        """Keep a call with tensors, one for each set of shapes."""
        known = self.calls.get(key(op))
        if known is None or getattr(result, "grad_fn", None) is None or len(known) >= 12:
            return
        arguments = tuple(np.array(a._array) if isinstance(a, torch.Tensor) else a for a in args)
        shapes = str([getattr(a, "shape", a) for a in arguments])
        if 0 < elements(arguments) <= 40 and shapes not in known:
            known[shapes] = Way(alone(self.ops[key(op)], settings), 1, 0, [Case("ordinary", arguments, 1)])


def alone(op: Op, settings: dict[str, Any]) -> Row:
    """Return a row that calls one op by itself, with given settings."""
    taken = range(len(op.arguments))
    frozen = (
        ()
        if isinstance(op, Many)
        else tuple(set(taken) - {op.arguments.index(a) for a in differentiable_arguments(op)})
    )
    call: Callable[..., Any] = lambda t, *arrays: op(*arrays, **settings)
    return Row(name=f"{key(op)} alone", call=call, sample=cases(lambda d: ()), frozen=frozen)


@functools.cache
def reach() -> Reach:
    """Return the ways to every op, found once in a process."""
    return Reach()

"""What the tests of the op table do with a row: build its arguments, differentiate it, difference it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

from tests.oracle import is_tensor, to_numpy, torch
from tinygrad_edu.testing._draw import LAYOUTS
from tinygrad_edu.testing.table.row import Call, Row

STEP = 2e-4


def forms(row: Row) -> dict[str, Call]:
    """Return every way to call a row out of place, by name."""
    ways = {"torch." + row.name: row.call}
    has_both = hasattr(torch, row.base) and hasattr(torch.Tensor, row.base)
    if row.method and has_both:
        ways["Tensor." + row.base] = as_method(row.call, row.base, row.base)
    if row.operator is not None:
        operator = row.operator
        ways["operator"] = lambda t, *case: operator(*case)
    return ways | row.spellings


def writes(row: Row) -> dict[str, Call]:
    """Return every way to call a row in place on its first argument, by name."""
    ways = {}
    name = row.base + "_"
    if callable(row.in_place):
        ways[name] = row.in_place
    elif row.in_place and hasattr(torch.Tensor, name):
        ways[name] = as_method(row.call, row.base, name)
    if row.augmented is not None:
        augmented = row.augmented
        ways["augmented"] = lambda t, *case: augmented(*case)
    return ways


class Methods:
    """Stands for torch in a row's call and turns ``t.add(x, y)`` into ``x.add(y)``, or ``x.add_(y)``."""

    def __init__(self, t: Any, function: str, method: str) -> None:
        self.t, self.function, self.method = t, function, method

    def __getattr__(self, name: str) -> Any:
        if name == self.function:
            return lambda x, *args, **settings: getattr(x, self.method)(*args, **settings)
        return getattr(self.t, name)


def as_method(call: Call, function: str, method: str) -> Call:
    """Return ``call`` with the method in place of the function."""
    return lambda t, *case: call(Methods(t, function, method), *case)


def for_each_case(row: Row, check: Callable[[tuple[Any, ...], int], None], share: float = 1.0) -> int:
    """Run ``check(case, seed)`` on drawn cases; return how many there were."""
    count = 0

    @hypothesis.settings(max_examples=max(4, int(share * hypothesis.settings().max_examples)))
    @hypothesis.given(case=row.sample.strategy(), seed=st.integers(0, 10**6))
    def run(case: tuple[Any, ...], seed: int) -> None:
        nonlocal count
        check(case, seed)
        count += 1

    run()
    return count


def layouts_of(row: Row, seed: int) -> tuple[str, ...]:
    """Return the layouts of a row's arguments, from another start for each seed."""
    if not row.layouts:
        return ("contiguous",)
    able = [name for name in LAYOUTS if row.ties >= 2 or name != "expanded"]  # stride zero makes ties
    start = seed % len(able)
    return (*able[start:], *able[:start])


class Arguments:
    """A case as arguments of one framework: arrays become tensors, float64 ones leaves that want a gradient."""

    def __init__(
        self,
        t: Any,
        case: tuple[Any, ...],
        frozen: Sequence[int] = (),
        *,
        grad: bool,
        layouts: Sequence[str] = ("contiguous",),
    ) -> None:
        self.t, self.grad, self.layouts = t, grad, itertools.cycle(layouts)
        self.leaves: list[Any] = []
        self.kept: list[tuple[Any, np.ndarray]] = []
        self.args = [self.build(x, grad and i not in frozen) for i, x in enumerate(case)]

    def build(self, x: Any, grad: bool) -> Any:
        """Turn one argument into what the framework takes."""
        if isinstance(x, list | tuple) and any(isinstance(y, np.ndarray) for y in x):
            return type(x)(self.build(y, grad) for y in x)
        if not isinstance(x, np.ndarray):
            return x
        strided = LAYOUTS[next(self.layouts)](x) if x.dtype.kind == "f" else np.array(x, order="C")
        if self.t is torch and any(s < 0 for s in strided.strides):
            strided = strided.copy()  # torch has no negative strides
        tensor = self.t.from_numpy(strided)
        self.kept.append((tensor, np.array(strided)))
        if grad and x.dtype == np.float64:
            self.leaves.append(tensor.requires_grad_())
        return tensor

    def untouched(self) -> bool:
        """Say whether every argument still holds what it was given."""
        return all(np.array_equal(to_numpy(x), kept, equal_nan=kept.dtype.kind == "f") for x, kept in self.kept)


def tensors_in(result: Any) -> Iterator[Any]:
    """Yield the tensors of a result, in order."""
    if is_tensor(result):
        yield result
    elif isinstance(result, tuple | list):
        for x in result:
            yield from tensors_in(x)


def names(result: Any) -> list[str | None]:
    """Return the grad_fn names of a result's tensors."""
    return [x.grad_fn.name() if x.grad_fn is not None else None for x in tensors_in(result)]


def random_like(t: Any, arrays: Sequence[Any], rng: np.random.Generator, *, grad: bool) -> list[Any]:
    """Return a random float tensor for each tensor or array, of its shape and dtype."""
    weights = [rng.uniform(0.5, 1.5, tuple(x.shape)) * rng.choice([-1.0, 1.0], tuple(x.shape)) for x in arrays]
    made = [t.from_numpy(np.array(w)).to(x.dtype).detach() for w, x in zip(weights, arrays, strict=True)]
    return [w.requires_grad_() for w in made] if grad else made


def derivatives(
    t: Any,
    call: Call,
    case: tuple[Any, ...],
    frozen: Sequence[int],
    order: int,
    seed: int,
    layouts: Sequence[str] = ("contiguous",),
) -> list[Any]:
    """Return the result of ``call`` and its derivatives up to ``order``, each contracted with random weights.

    Order 1 is the gradient of a weighted sum of the outputs by every float64 argument; order 2 the gradient of a
    weighted sum of that, by the arguments and the first weights too (so that linear operations are tested); and so on.
    """
    given = Arguments(t, case, frozen, grad=order > 0, layouts=layouts)
    rng = np.random.default_rng(seed)
    result = call(t, *given.args)
    outs = [x for x in tensors_in(result) if x.requires_grad]
    report: list[Any] = [[x.detach() for x in tensors_in(result)], [x.requires_grad for x in tensors_in(result)]]
    by = given.leaves
    if not by:
        return report
    for k in range(1, order + 1):
        weights = random_like(t, outs, rng, grad=k < order)
        able = [(x, w) for x, w in zip(outs, weights, strict=True) if x.requires_grad]
        grads: list[Any] = [None] * len(by)
        if able:
            grads = t.autograd.grad(
                [x for x, _ in able],
                by,
                grad_outputs=[w for _, w in able],
                create_graph=k < order,
                allow_unused=True,
            )
        if k == 1:
            report.append([None if g is None else g.detach() for g in grads])
        # Of higher orders torch returns None or zeros, in the graph or not, as its formulas happen to be written.
        outs = [t.zeros_like(x) if g is None else g for g, x in zip(grads, by, strict=True)]
        if k > 1:
            report.append([x.detach() for x in outs])
        by = [*by, *weights]
    assert given.untouched(), "an argument was modified"
    return report


def slopes(t: Any, row: Row, case: tuple[Any, ...], seed: int, order: int) -> tuple[float, float] | None:
    """Return the slope of order ``order`` along a random direction, by our formulas and by central differences.

    Order 1 differences the outputs, order 2 the gradients of order 1. None where nothing is differentiable.
    """
    rng = np.random.default_rng(seed)
    given = Arguments(t, case, row.frozen, grad=True)
    points = [np.array(to_numpy(x)) for x in given.leaves]
    fixed: dict[str, list[np.ndarray]] = {}

    def weigh(kind: str, xs: Sequence[Any]) -> list[Any]:
        """Return the weights of this kind, drawn at the first call, then the same."""
        if kind not in fixed:
            fixed[kind] = [rng.uniform(0.5, 1.5, tuple(x.shape)) for x in xs]
        return [t.from_numpy(np.array(w)).to(x.dtype) for w, x in zip(fixed[kind], xs, strict=True)]

    def evaluate(moved: list[np.ndarray], kick: list[np.ndarray] | None, differentiate: bool) -> Any:
        """Return the value at ``moved`` (leaves, then weights), or its gradient by both."""
        now = Arguments(t, case, row.frozen, grad=True)
        with t.no_grad():
            for x, value in zip(now.leaves, moved, strict=True):
                x.copy_(t.from_numpy(np.array(value)))
        outs = [x for x in tensors_in(row.call(t, *now.args)) if x.requires_grad]
        weights = weigh("outs", outs)
        if order == 1:
            if not differentiate:
                return float(sum(float((o.detach() * w).sum()) for o, w in zip(outs, weights, strict=True)))
            return t.autograd.grad(outs, now.leaves, grad_outputs=weights, allow_unused=True) if outs else None
        if kick is not None:
            weights = [t.from_numpy(np.array(to_numpy(w) + k)) for w, k in zip(weights, kick, strict=True)]
        weights = [w.requires_grad_() for w in weights]
        if not outs:
            return None
        grads = t.autograd.grad(outs, now.leaves, grad_outputs=weights, create_graph=differentiate, allow_unused=True)
        used = [g for g in grads if g is not None]
        second = weigh("grads", used)
        if not differentiate:
            return float(sum(float((g.detach() * w).sum()) for g, w in zip(used, second, strict=True)))
        kept = [(g, w) for g, w in zip(used, second, strict=True) if g.requires_grad]
        if not kept:
            return None
        by = [*now.leaves, *weights]
        return t.autograd.grad([g for g, _ in kept], by, grad_outputs=[w for _, w in kept], allow_unused=True)

    grads = evaluate(points, None, True)
    if grads is None:
        return None
    directions = [rng.uniform(-1, 1, x.shape) for x in points]
    kicks = [rng.uniform(-1, 1, w.shape) for w in fixed["outs"]] if order == 2 else None
    along = directions + (kicks or [])
    slope = float(sum(float((to_numpy(g) * d).sum()) for g, d in zip(grads, along, strict=True) if g is not None))

    def difference(h: float) -> float:
        ahead, behind = (
            evaluate(
                [x + s * h * d for x, d in zip(points, directions, strict=True)],
                None if kicks is None else [s * h * k for k in kicks],
                False,
            )
            for s in (1, -1)
        )
        return (ahead - behind) / (2 * h)

    return slope, (4 * difference(STEP / 2) - difference(STEP)) / 3  # the error of order h^2 cancels

"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._tensor import Tensor, enable_grad
from ._optimizer import Optimizer, Params, check_lr, number, writable

__all__ = ["LBFGS"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Evaluate: TypeAlias = Callable[[Any], tuple[float, Array]]  # step length -> loss there, and gradient


class Point(NamedTuple):
    """What is known at one step length along a direction."""

    t: Any
    loss: float
    gradient: Array
    slope: Any  # directional derivative


class LBFGS(Optimizer):
    """Minimise a smooth loss by steps of a quasi-Newton method that remembers the last ``history_size`` of them.

    The direction is -H g, where H approximates the inverse Hessian and is never formed: two loops over remembered
    steps s and changes of the gradient y do it. The closure given to ``step`` must compute the loss and its gradient.

    Parameters
    ----------
    max_iter
        Iterations in one ``step``.
    max_eval
        Evaluations of the loss in one ``step`` (1.25 times max_iter).
    tolerance_grad, tolerance_change
        Stop where the largest gradient, or the change of loss or parameters, is below.
    line_search_fn
        None: every step has length lr; "strong_wolfe": a length that satisfies the strong Wolfe conditions.

    Source: Nocedal and Wright, Numerical optimization, algorithms 3.5, 3.6 and 7.4; cubic interpolation as in minFunc.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([5.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(4., grad_fn=<SumBackward0>)
    >>> w
    tensor([3.], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        found: list[Tensor] = self.param_groups[0]["params"]
        return found

    def _gradient(self) -> Array:
        """All gradients as one vector; zeros where there is none."""
        parts = [
            np.zeros(p.numel(), p._array.dtype) if p.grad is None else np.ravel(p.grad._array) for p in self._params
        ]
        return np.concatenate(parts)

    def _move(self, t: Any, direction: Array) -> None:
        """Go t times the direction."""
        start = 0
        for p in self._params:
            array = writable(p)
            array += (direction[start : start + array.size] * scalar(t, array.dtype)).reshape(array.shape)
            p._mark_written()
            start += array.size

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Go up to ``max_iter`` iterations; the closure clears the gradients, computes loss and gradient, returns the loss."""
        if closure is None:
            raise TypeError(
                "LBFGS.step() missing 1 required positional argument: 'closure': it evaluates the loss repeatedly"
            )
        group = self.param_groups[0]
        lr, max_iter, max_eval = number(group["lr"]), group["max_iter"], group["max_eval"]
        search = group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported as line_search_fn, not {search!r}")

        def evaluate() -> tuple[Any, Array]:
            with enable_grad():
                found = closure()
            return found, self._gradient()

        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss, g = evaluate()
        loss = float(first_loss)
        evaluations = 1
        state["func_evals"] += 1
        if np.abs(g).max() <= group["tolerance_grad"]:
            return first_loss

        memory = Memory(state, group["history_size"])
        d, t = memory.direction, memory.length
        previous_g = memory.gradient
        previous_loss = state.get("prev_loss")
        for iteration in range(1, max_iter + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d = -g
                memory.forget()
            else:
                memory.learn(g - previous_g, d * scalar(t, d.dtype))
                d = memory.newton(-g)
            previous_g, previous_loss = g.copy(), loss
            t = min(1.0, 1.0 / np.abs(g).sum()) * lr if state["n_iter"] == 1 else lr
            slope = g.dot(d)
            if slope > -group["tolerance_change"]:
                break  # no descent to speak of
            spent = 0
            flat = False
            if search is not None:
                origin = [writable(p).copy() for p in self._params]

                def probe(length: Any, d: Array = d, origin: list[Array] = origin) -> tuple[float, Array]:
                    self._move(length, d)
                    found, gradient = evaluate()
                    for p, array in zip(self._params, origin, strict=True):
                        writable(p)[...] = array
                        p._mark_written()
                    return float(found), gradient

                start = Point(0, loss, g, slope)
                loss, g, t, spent = strong_wolfe(probe, t, d, start, max_eval - evaluations)
                self._move(t, d)
                flat = bool(np.abs(g).max() <= group["tolerance_grad"])
            else:
                self._move(t, d)
                if iteration != max_iter:  # after the last move nobody needs the loss
                    found, g = evaluate()
                    loss, spent = float(found), 1
                    flat = bool(np.abs(g).max() <= group["tolerance_grad"])
            evaluations += spent
            state["func_evals"] += spent
            if evaluations >= max_eval or flat:
                break
            if np.abs(d * scalar(t, d.dtype)).max() <= group["tolerance_change"]:
                break
            if abs(loss - previous_loss) < group["tolerance_change"]:
                break
        memory.save(d, t, previous_g, previous_loss)
        return first_loss


class Memory:
    """The steps an optimizer remembers, read from its state (tensors) and written back to it."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self.state, self.size = state, size
        self.direction = bare(state.get("d"))
        self.length = bare(state.get("t"))
        self.gradient = bare(state.get("prev_flat_grad"))
        self.steps = [bare(x) for x in state.get("old_stps") or []]  # s
        self.changes = [bare(x) for x in state.get("old_dirs") or []]  # y
        self.ro = [bare(x) for x in state.get("ro") or []]  # 1 / (y . s)
        self.scale = bare(state.get("H_diag", 1))
        self.al: list[Any] | None = [bare(x) for x in state["al"]] if "al" in state else None

    def forget(self) -> None:
        """Begin anew."""
        self.steps, self.changes, self.ro, self.scale = [], [], [], 1

    def learn(self, y: Array, s: Array) -> None:
        """Remember a step s and the change y of the gradient over it, if the curvature is positive."""
        curvature = y.dot(s)
        if curvature > 1e-10:
            if len(self.steps) == self.size:
                for remembered in (self.steps, self.changes, self.ro):
                    remembered.pop(0)
            self.steps.append(s)
            self.changes.append(y)
            self.ro.append(1.0 / curvature)
            self.scale = curvature / y.dot(y)

    def newton(self, q: Array) -> Array:
        """H q, by the two loops."""
        if self.al is None:
            self.al = [None] * self.size
        for i in reversed(range(len(self.steps))):
            self.al[i] = self.steps[i].dot(q) * self.ro[i]
            q += self.changes[i] * -self.al[i]
        r: Array = q * self.scale
        for i in range(len(self.steps)):
            r += self.steps[i] * (self.al[i] - self.changes[i].dot(r) * self.ro[i])
        return r

    def save(self, d: Array, t: Any, gradient: Array, loss: Any) -> None:
        """Write everything back."""
        if self.al is not None:
            self.state["al"] = [wrapped(x) for x in self.al]
        self.state.update(
            d=wrapped(d),
            t=wrapped(t),
            old_dirs=[wrapped(x) for x in self.changes],
            old_stps=[wrapped(x) for x in self.steps],
            ro=[wrapped(x) for x in self.ro],
            H_diag=wrapped(self.scale),
            prev_flat_grad=wrapped(gradient),
            prev_loss=loss,
        )


def strong_wolfe(
    probe: Evaluate, t: Any, d: Array, start: Point, most: int, c1: float = 1e-4, c2: float = 0.9, least: float = 1e-9
) -> tuple[float, Array, Any, int]:
    """Find a step length with enough decrease (c1) and a slope flat enough (c2); give loss, gradient, length, evaluations."""
    longest = np.abs(d).max()

    def at(length: Any) -> Point:
        loss, gradient = probe(length)
        return Point(length, loss, gradient, gradient.dot(d))

    def too_high(point: Point) -> bool:
        return bool(point.loss > start.loss + c1 * point.t * start.slope)

    def flat_enough(point: Point) -> bool:
        return bool(abs(point.slope) <= -c2 * start.slope)

    here, before = at(t), start
    evaluations, rounds = 1, 0
    done = False
    ends = [start, here]
    while rounds < most:  # go farther until an interval holds a good point
        if too_high(here) or (rounds > 1 and here.loss >= before.loss):
            ends = [before, here]
            break
        if flat_enough(here):
            ends, done = [here], True
            break
        if here.slope >= 0:
            ends = [before, here]
            break
        bounds = (here.t + 0.01 * (here.t - before.t), here.t * 10)
        farther = cubic_minimum(before, here, bounds)
        before, here = here, at(farther)
        evaluations += 1
        rounds += 1
    else:
        ends = [start, here]

    stuck = False
    low, high = (0, 1) if ends[0].loss <= ends[-1].loss else (1, 0)
    while not done and rounds < most:  # shrink the interval onto a good point
        if abs(ends[1].t - ends[0].t) * longest < least:
            break
        t = cubic_minimum(ends[0], ends[1])
        left, right = min(ends[0].t, ends[1].t), max(ends[0].t, ends[1].t)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # too close to an end: once is forgiven, then step inside
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        here = at(t)
        evaluations += 1
        rounds += 1
        if too_high(here) or here.loss >= ends[low].loss:
            ends[high] = here
            low, high = (0, 1) if ends[0].loss <= ends[1].loss else (1, 0)
        else:
            if flat_enough(here):
                done = True
            elif here.slope * (ends[high].t - ends[low].t) >= 0:
                ends[high] = ends[low]
            ends[low] = here
    best = ends[low]
    return best.loss, best.gradient, best.t, evaluations


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """The minimum, within bounds, of the cubic through two points with their slopes; their middle if there is none."""
    if bounds is None:
        bounds = (a.t, b.t) if a.t <= b.t else (b.t, a.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2.0
    d2 = np.sqrt(square)
    if a.t <= b.t:
        lowest = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    else:
        lowest = a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(lowest, bounds[0]), bounds[1])


def scalar(t: Any, dtype: np.dtype[Any]) -> Any:
    """A step length in the dtype it multiplies."""
    return dtype.type(t)


def bare(x: Any) -> Any:
    """The array of a tensor; anything else as it is."""
    if not isinstance(x, Tensor):
        return x
    return x._array if x._array.ndim else x._array[()]


def wrapped(x: Any) -> Any:
    """Arrays and NumPy numbers as tensors; anything else as it is."""
    return Tensor._of(x) if isinstance(x, np.ndarray | np.generic) else x

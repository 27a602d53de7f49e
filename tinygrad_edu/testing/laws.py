"""The laws of an engine: small programs that test how it walks, not what its operations compute.

Each law uses a few operations. If those are right by themselves and the law is broken, the fault is the engine's, and the verdict
is the law's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd._verdict import Verdict
from .adapter import Adapter, NotOffered

__all__ = ["LAWS", "Law"]

DEPTH = 3000  # three times the depth at which Python gives up a recursion


@dataclass(frozen=True)
class Law:
    """A program that tests an engine. ``broken(adapter)`` returns what is wrong, in a sentence, or None.

    It raises NotOffered if the engine does not have what the program needs.
    """

    name: str
    verdict: Verdict
    ops: tuple[str, ...]  # judged first: if one of them is wrong, the law is not judged
    after: tuple[str, ...]  # laws judged first
    broken: Callable[[Adapter], str | None]


def differentiated(adapter: Adapter, program: Callable[..., Any], *points: np.ndarray) -> list[np.ndarray | None]:
    """Return the gradients of the sum of the program's result."""
    t = adapter.functions()
    tensors = [adapter.tensor(x, True) for x in points]
    with np.errstate(all="ignore"):
        seed = adapter.tensor(np.ones(np.shape(adapter.array(program(t, *tensors)))))
        found = adapter.gradients(lambda *inputs: [program(t, *inputs)], tensors, [seed])
    return [None if g is None else np.asarray(adapter.array(g) if adapter.is_tensor(g) else g) for g in found]


def expects(
    words: str, program: Callable[..., Any], points: Sequence[Any], right: Sequence[Any]
) -> Callable[[Adapter], str | None]:
    """Return the check that the program has the gradients ``right`` at ``points``."""

    def broken(adapter: Adapter) -> str | None:
        arrays = [np.asarray(x, dtype=np.float64) for x in points]
        for k, (found, wanted) in enumerate(zip(differentiated(adapter, program, *arrays), right, strict=True)):
            g = np.zeros(arrays[k].shape) if found is None else found
            if g.shape != np.shape(wanted):
                return f"{words}: the gradient by input {k} has the shape {g.shape}, the input {np.shape(wanted)}."
            if not np.allclose(g, wanted, rtol=1e-4, atol=1e-6):
                return f"{words}: the gradient by input {k} should be {_few(wanted)} and is {_few(g)}."
        return None

    return broken


def _few(x: Any) -> str:
    return np.array2string(np.asarray(x, float), precision=5, separator=", ").replace("\n", "")


X, Y = np.array([0.5, -1.5, 2.0]), np.array([1.5, 0.25, -0.5])


def adds_to_grad(adapter: Adapter) -> str | None:
    """Run two backward passes from two graphs over one leaf."""
    t = adapter.functions()
    leaf, other = adapter.tensor(X, True), adapter.tensor(Y)
    for _ in range(2):
        adapter.backward(t.mul(leaf, other), np.ones(3))
    found = adapter.grad(leaf)
    if found is not None and np.allclose(found, 2 * Y, rtol=1e-4):
        return None
    return (
        f"After two backward passes the gradient should be the sum of both, {_few(2 * Y)}, and is "
        f"{'none' if found is None else _few(found)}: backward must add to what is there (grad += ...)."
    )


def keeps_the_dtype(adapter: Adapter) -> str | None:
    """Multiply a float32 leaf by a float64 tensor."""
    single = adapter.tensor(X.astype(np.float32), True)
    if np.asarray(adapter.array(single)).dtype != np.float32:
        raise NotOffered("float32 tensors")
    product = adapter.functions().mul(single, adapter.tensor(Y))
    adapter.backward(product, np.ones(3, np.asarray(adapter.array(product)).dtype))
    found = adapter.grad(single)
    kind = None if found is None else np.asarray(found).dtype
    if kind == np.float32:
        return None
    return f"A float32 leaf times a float64 tensor: the leaf's gradient is {kind}, and should be float32: cast it as it arrives."


def notices_an_overwritten_value(adapter: Adapter) -> str | None:
    """Write into a factor between forward and backward."""
    t = adapter.functions()
    programs: dict[str, Callable[[Any, Any], Any]] = {
        "mul": lambda x, y: t.mul(x, y),
        "mul of exp": lambda x, y: t.mul(t.exp(x), y),
    }
    for name, program in programs.items():
        leaf, factor = adapter.tensor(np.array(X), True), adapter.tensor(np.array(Y))
        product = program(leaf, factor)
        adapter.overwrite(factor, np.full(3, 7.0))
        try:
            adapter.backward(product, np.ones(3))
        except NotOffered:
            raise
        except Exception:
            continue  # refused: that is the best answer
        found, right = adapter.grad(leaf), Y * (np.exp(X) if "exp" in name else 1.0)
        if found is None or not np.allclose(found, right, rtol=1e-4):
            return (
                f"{name}: a factor is overwritten after it was used; the gradient should be {_few(right)}, or backward refuse, and is "
                f"{'none' if found is None else _few(found)}: keep a version with each saved value, and compare it in backward."
            )
    return None


def walks_deep(adapter: Adapter) -> str | None:
    """Add three thousand times."""
    t = adapter.functions()

    def chain(t: Any, x: Any, y: Any) -> Any:
        for _ in range(DEPTH):
            x = t.add(x, y)
        return x

    leaf, step = adapter.tensor(np.array([1.0]), True), adapter.tensor(np.array([0.001]))
    try:
        [found] = adapter.gradients(lambda x: [chain(t, x, step)], [leaf], [adapter.tensor(np.ones(1))])
    except RecursionError:
        return f"A chain of {DEPTH} additions ends in RecursionError: walk the graph with a list in place of a function that calls itself."
    slope = 0.0 if found is None else np.asarray(adapter.array(found) if adapter.is_tensor(found) else found).item()
    return (
        None if abs(slope - 1) < 1e-4 else f"A chain of {DEPTH} additions: the gradient should be 1, and is {slope:g}."
    )


def leaves_the_unused_alone(adapter: Adapter) -> str | None:
    """Ask for the gradient of a tensor that takes no part."""
    _, found = differentiated(adapter, lambda t, x, y: t.mul(x, x), X, Y)
    if found is None or not np.any(found):
        return None
    return f"A tensor that takes no part in the result has the gradient {_few(found)}: it should have none, or zeros."


CHAIN = ("a chain",)
ONCE = ("used twice by one operation", "used by two operations")
LAWS = (
    Law("a chain", Verdict.ORDER, ("mul", "exp"), (),
        expects("exp(x) * y: the younger step must be walked before the older",
                lambda t, x, y: t.mul(t.exp(x), y), [X, Y], [np.exp(X) * Y, np.exp(X)])),
    Law("used twice by one operation", Verdict.NOT_ACCUMULATED, ("mul",), CHAIN,
        expects("x * x uses x twice; both uses contribute", lambda t, x: t.mul(x, x), [X], [2 * X])),
    Law("used by two operations", Verdict.NOT_ACCUMULATED, ("mul", "add"), CHAIN,
        expects("x * y + x uses x twice; both uses contribute", lambda t, x, y: t.add(t.mul(x, y), x), [X, Y], [Y + 1, X])),
    Law("used by two operations, swapped", Verdict.NOT_ACCUMULATED, ("mul", "add"), CHAIN,
        expects("x + x * y uses x twice; both uses contribute", lambda t, x, y: t.add(x, t.mul(x, y)), [X, Y], [Y + 1, X])),
    Law("a second backward adds", Verdict.NOT_ACCUMULATED, ("mul",), CHAIN, adds_to_grad),
    Law("a diamond", Verdict.ORDER, ("mul", "add"), ONCE,
        expects("h = x * x; h * x + h: h must be complete before it is passed on (walk from the youngest to the oldest step)",
                lambda t, x: t.add(t.mul(h := t.mul(x, x), x), h), [X], [3 * X**2 + 2 * X])),
    Law("a diamond, swapped", Verdict.ORDER, ("mul", "add"), ONCE,
        expects("h = x * x; h + x * h: h must be complete before it is passed on (walk from the youngest to the oldest step)",
                lambda t, x: t.add(h := t.mul(x, x), t.mul(x, h)), [X], [3 * X**2 + 2 * X])),
    Law("diamonds in a row", Verdict.ORDER, ("mul", "add"), ONCE,
        expects("h = x + x, three times over: a step that is walked once per path is counted too often",
                lambda t, x: t.add(h := t.add(k := t.add(x, x), k), h), [X], [8 * np.ones(3)])),
    Law("broadcasting", Verdict.UNSUMMED, ("mul",), (),
        expects("x of shape (3,) times y of shape (2, 1, 3) is repeated; its gradient is the sum over the repetitions",
                lambda t, x, y: t.mul(x, y), [X, np.stack([[Y], [2 * Y]])], [3 * Y, np.stack([[X], [X]])])),
    Law("broadcasting of a number", Verdict.UNSUMMED, ("mul",), (),
        expects("x of shape () times y of shape (3,) is repeated; its gradient is the sum over the repetitions",
                lambda t, x, y: t.mul(x, y), [np.array(2.0), Y], [Y.sum(), np.full(3, 2.0)])),
    Law("broadcasting of a size one", Verdict.UNSUMMED, ("mul",), (),
        expects("x of shape (2, 1) times y of shape (1, 3) is repeated; its gradient is the sum over the repetitions",
                lambda t, x, y: t.mul(x, y), [np.array([[1.0], [2.0]]), Y[None]], [np.full((2, 1), Y.sum()), np.full((1, 3), 3.0)])),
    Law("the dtype of a leaf", Verdict.DTYPE, ("mul",), CHAIN, keeps_the_dtype),
    Law("a value overwritten after use", Verdict.STALE, ("mul", "exp"), (), notices_an_overwritten_value),
    Law("a deep chain", Verdict.RAISES, ("add",), CHAIN, walks_deep),
    Law("a tensor that is not used", Verdict.SWAPPED, ("mul",), (), leaves_the_unused_alone),
)  # fmt: skip

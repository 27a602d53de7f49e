"""Lints for learners: the traps that raise nothing and train nothing, each said once on stderr.

Off by default, so that a program prints what it prints under torch. The floors above ask in one line,

    if _lint.on:
        _lint.optimizer_step(self)

and nothing here changes what they compute.
"""

from __future__ import annotations

import gc
import math
import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from ._frames import users_frame

if TYPE_CHECKING:
    from ._core.node import Leaf, Node
    from ._tensor import Tensor
    from .nn import Module

__all__ = ["Lint", "lint"]

on = False

_open = 0
_said: set[tuple[object, ...]] = set()
_listeners: list[Callable[[str], None]] = []

# Steps that hand on the same numbers in another shape: a softmax behind them is still a softmax.
_PASSES_ON = {"ViewBackward0", "ReshapeAliasBackward0", "UnsafeViewBackward0", "SqueezeBackward0", "SqueezeBackward1"}
_PASSES_ON |= {"UnsqueezeBackward0", "TransposeBackward0", "PermuteBackward0", "TBackward0", "CloneBackward0"}


class _Steps(Protocol):
    """An optimizer, as far as is needed here."""

    param_groups: list[dict[str, object]]


def lint() -> Lint:
    """Warn, once each and on stderr, about the silent traps; until closed.

    Softmax before ``cross_entropy``; predictions (N, 1) against targets (N,); ``step()`` again without ``zero_grad()``;
    a graph that grows from step to step; layers hidden from ``parameters()`` in a plain list.

    Works at once, and until ``close()`` or the end of a ``with`` block.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> with torch.lint():
    ...     loss = torch.nn.functional.cross_entropy(torch.zeros(1, 3), torch.tensor([0]))
    """
    return Lint()


class Lint:
    """Running lints; ``close()`` them, or use this in a ``with`` statement. ``tell`` is given each finding, by default to print it."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        global on, _open
        if not _open:
            _forget()
        _open += 1
        on = self._active = True
        self._tell = _print if tell is None else tell
        _listeners.append(self._tell)

    def close(self) -> None:
        """Stop; a second call does nothing."""
        global on, _open
        if self._active:
            self._active = False
            _listeners.remove(self._tell)
            _open -= 1
            on = _open > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


# --- what the floors above report -------------------------------------------------------------------------------------


def cross_entropy_input(t: Tensor) -> None:
    """Warn if the scores ``t`` given to cross_entropy were made by softmax (W16)."""
    step: Node | Leaf | None = t.grad_fn
    while step is not None and step.name() in _PASSES_ON:
        step = step.next_functions[0][0]
    if step is None or step.name() != "SoftmaxBackward0":
        return
    classes = t.shape[1 if t.ndim > 1 else 0]
    floor = math.log(1 + (classes - 1) * math.exp(-1))  # the best case: probability 1 for the right class, 0 elsewhere
    _say(
        ("softmax", _place()),
        "the input of cross_entropy was made by softmax. cross_entropy (CrossEntropyLoss) applies log_softmax itself: give "
        "it the raw scores and leave the softmax out, or use nll_loss on log_softmax. With both, the loss of these "
        f"{classes} classes cannot fall below {floor:.4f} and training is slow.",
    )


def loss_shapes(name: str, input: Tensor, target: Tensor) -> None:
    """Warn if a loss broadcasts its input against its target (W17)."""
    a, b = tuple(input.shape), tuple(target.shape)
    if a == b or not a or not b:
        return
    if len(a) == len(b) + 1 and a[-1] == 1 and a[:-1] == b:
        cure = "target.unsqueeze(-1) or input.squeeze(-1)"
    elif len(b) == len(a) + 1 and b[-1] == 1 and b[:-1] == a:
        cure = "target.squeeze(-1) or input.unsqueeze(-1)"
    else:
        cure = "target.reshape(input.shape), if both hold the same number of elements"
    out = tuple(_broadcast(a, b))
    _say(
        ("shapes", name, _place()),
        f"{name}: input {a} against target {b} broadcasts to {out}: every prediction is compared with every target, and "
        f"training stalls at the mean. Give both the same shape: {cure}.",
    )


def optimizer_step(optimizer: _Steps) -> None:
    """Warn if the gradients of an earlier step are still in what this step uses (W20)."""
    state = _stepped.get(optimizer)
    if state is not None and state.added_to:
        _say(
            ("zero_grad", type(optimizer)),
            f"{type(optimizer).__name__}.step() for the second time without zero_grad() in between: gradients add up, so this "
            "step uses those of the earlier steps as well. Call optimizer.zero_grad() once before each backward().",
        )
    _stepped[optimizer] = _Used(optimizer)


def optimizer_zero_grad(optimizer: _Steps) -> None:
    """Note that the gradients of ``optimizer`` start afresh."""
    _stepped.pop(optimizer, None)


def backward(root: Tensor) -> None:
    """Look, as a backward walk from ``root`` begins, for old gradients it will add to and for a graph that grows (W21)."""
    for state in _stepped.values():
        state.added_to = state.added_to or state.stands()
    if root.grad_fn is not None:
        _growth.look(root.grad_fn)


def module_parameters(module: Module) -> None:
    """Warn about layers that ``module.parameters()`` cannot see: in a plain list, tuple or dict (W24)."""
    base = next((kind for kind in type(module).__mro__ if "named_parameters" in vars(kind)), None)
    if base is None:
        return
    registered = list(module.modules())
    known = {id(inner) for inner in registered}
    for inner in registered:
        _misspelt_init(inner)
        for name, value in vars(inner).items():
            if name in ("_modules", "_parameters", "_buffers") or "hook" in name:
                continue
            hidden = [found for found in _inside(value) if isinstance(found, base) and id(found) not in known]
            if hidden:
                kinds = ", ".join(dict.fromkeys(type(found).__name__ for found in hidden))
                cure = "nn.ModuleDict" if isinstance(value, dict) else "nn.ModuleList"
                _say(
                    ("list", type(inner), name),
                    f"{type(inner).__name__}.{name} is a plain {type(value).__name__} that holds {len(hidden)} layer"
                    f"{'s' * (len(hidden) > 1)} ({kinds}): parameters() does not see them, so an optimizer never trains them "
                    f"and state_dict() does not save them. Write self.{name} = {cure}(...).",
                )


# --- how they are told apart ------------------------------------------------------------------------------------------


class _Used:
    """The gradients that one step of an optimizer has used up."""

    def __init__(self, optimizer: _Steps) -> None:
        self.gradients = [
            (weakref.ref(parameter), weakref.ref(parameter.grad))
            for parameter in _parameters(optimizer)
            if parameter.grad is not None
        ]
        self.added_to = False  # has a backward begun since the step, on top of these gradients?

    def stands(self) -> bool:
        """Are they still in place, and not zero? Setting ``grad`` to None or filling it with zeros clears them as well."""
        for parameter, gradient in self.gradients:
            tensor, used = parameter(), gradient()
            if tensor is not None and used is not None and tensor.grad is used and bool((used != 0).any()):
                return True
        return False


_stepped: weakref.WeakKeyDictionary[_Steps, _Used] = weakref.WeakKeyDictionary()


class _Growth:
    """Counts the steps of all living graphs as backward walks begin; a training loop leaves their number as it is."""

    RUN, TIMES = 8, 2  # so many increases in a row, by so many times the steps of one graph, are no accident
    LONGEST = 64  # counting goes through all objects: while nothing grows, ever more walks pass unseen, up to so many

    def __init__(self) -> None:
        self.walks = self.unseen = self.pause = self.last = self.first = self.size = self.increases = 0

    def look(self, root: Node) -> None:
        """Count as a walk begins at ``root``, and warn when the number has only ever grown."""
        self.walks += 1
        if self.unseen < self.pause:
            self.unseen += 1
            return
        self.unseen = 0
        kind = type(root)
        alive = sum(type(found) is kind for found in gc.get_objects())
        if alive > self.last > 0:
            self.increases, self.pause = self.increases + 1, 0
        else:
            self.increases, self.first, self.pause = 0, alive, min(2 * self.pause + 1, self.LONGEST)
            self.size = _graph_size([root])  # what lives elsewhere, however much, says nothing of growth
        self.last = alive
        if self.increases >= self.RUN and alive - self.first >= self.TIMES * self.size:
            name = _largest_variable(kind)
            _say(
                ("growth",),
                f"the graph grows: after {self.walks} backward() calls {alive} recorded operations are alive, more at each "
                f"look{f', most of them held by the variable {name!r}' if name else ''}. Adding up losses that require grad "
                "(total_loss += loss), or keeping them in a list, keeps the graph of every step in memory. Add up "
                "loss.item(), or loss.detach().",
            )


_growth = _Growth()


def _largest_variable(kind: type) -> str | None:
    """The user's variable whose graph is largest, if it can be seen from here."""
    frame = users_frame()
    best, size = None, 0
    if frame is None:
        return None
    for name, value in {**frame.f_globals, **frame.f_locals}.items():
        items = value if isinstance(value, list) else [value]
        count = _graph_size([step for item in items if isinstance(step := getattr(item, "grad_fn", None), kind)])
        if count > size:
            best, size = name, count
    return best


def _graph_size(roots: list[object]) -> int:
    """How many steps can be reached from ``roots``."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        step = waiting.pop()
        if id(step) not in seen:
            seen.add(id(step))
            waiting += [following for following, _ in getattr(step, "next_functions", ()) if following is not None]
    return len(seen)


def _misspelt_init(module: Module) -> None:
    """Warn about ``def _init_`` where ``__init__`` was meant: the layers are never made."""
    for kind in type(module).__mro__:
        for name in ("_init_", "__int__", "_init__", "__init_", "__init"):
            written = vars(kind).get(name) or vars(kind).get(f"_{kind.__name__.lstrip('_')}{name}")
            if written is not None and callable(written):
                _say(
                    ("init", kind),
                    f"{kind.__name__} defines {name!r}: Python never calls it, so its layers do not exist. Write __init__, with "
                    "two underscores on either side.",
                )


def _inside(value: object) -> Iterable[object]:
    """What a plain list, tuple or dict holds, and such containers in it."""
    if isinstance(value, dict):
        return [found for item in value.values() for found in (_inside(item) or [item])]
    if isinstance(value, list | tuple):
        return [found for item in value for found in (_inside(item) or [item])]
    return []


def _parameters(optimizer: _Steps) -> Iterator[Tensor]:
    for group in optimizer.param_groups:
        yield from group["params"]  # type: ignore[misc]  # a group holds settings beside its list of parameters


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> list[object]:
    """The shape two shapes make together; ``?`` where they do not fit.

    >>> _broadcast((5, 1), (5,))
    [5, 5]
    """
    length = max(len(a), len(b))
    pairs = zip((1,) * (length - len(a)) + a, (1,) * (length - len(b)) + b, strict=True)
    return [max(m, n) if m == n or 1 in (m, n) else "?" for m, n in pairs]


# --- saying it --------------------------------------------------------------------------------------------------------


def _say(key: tuple[object, ...], text: str) -> None:
    """Tell ``text`` with the user's line, once per ``key``, to all who asked; to those who print, once together."""
    if key not in _said:
        _said.add(key)
        place = _place()
        for tell in dict.fromkeys(_listeners):
            tell(f"{place}: {text}" if place else text)


def _print(finding: str) -> None:
    print(f"lint: {finding}", file=sys.stderr)


def _place() -> str:
    """Name the innermost file and line outside this package."""
    frame = users_frame()
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}" if frame is not None else ""


def _forget() -> None:
    """Begin anew: nothing said, nothing counted."""
    _said.clear()
    _stepped.clear()
    _growth.__init__()  # type: ignore[misc]  # back to its start

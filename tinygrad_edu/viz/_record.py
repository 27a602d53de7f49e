"""record(): everything that runs in a block, kept as plain data: values, gradients, lines, cuts, and what raised.

While a block runs, every op's call, the walk of the backward pass and the methods by which numbers leave the graph are
surrounded; while none runs, nothing of this exists, and recording costs nothing.
"""

from __future__ import annotations

import functools
import linecache
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from traceback import walk_tb
from types import FrameType, SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from weakref import ref

import numpy as np

from .._core import engine
from .._core.memory import memory, owner, tick, version
from .._core.modes import state
from .._core.op import release, surround
from .._frames import is_inner, users_frame, users_line
from .._tensor import Tensor
from ._graph import Diagram, Given, Ran, Source, places, read, saved_by

if TYPE_CHECKING:
    from .. import nn

__all__ = ["Left", "Tape", "Walk", "WalkStep", "record"]


class WalkStep(NamedTuple):
    """One step of a backward pass, as the engine made it; the arrays are copies."""

    node: Any  # the engine's Node, or the Leaf where the gradient came to rest
    g: np.ndarray  # the gradient of its result, complete, after hooks
    shares: list[np.ndarray | None]  # for each argument, in its shape: what was handed to it, None if nothing was


@dataclass
class Walk:
    """A backward pass: its steps in the engine's own order. Iterate over it, or ask for its length."""

    roots: list[Any]  # the steps it began at, usually that of the loss
    accumulates: bool  # backward(), which fills .grad; False for autograd.grad()
    source: Source | None  # the line that called it
    age: float  # by the engine's clock, when it began
    steps: list[WalkStep] = field(default_factory=list)
    error: str | None = None  # what ended it early

    def __iter__(self) -> Iterator[WalkStep]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


class Left(NamedTuple):
    """Numbers that left the graph: what item(), tolist() or numpy() gave."""

    origin: Any  # the Ran or Given they were read from
    method: str
    result: Any
    source: Source | None
    age: float


class Tape:
    """What ran inside a ``record`` block.

    ``ops`` holds every operation in the order they ran, ``walks`` every backward pass (in each, ``(node, g, shares)`` per step), ``left``
    what left the graph as plain numbers, ``error`` the exception that ended the block, ``backwards`` how often ``backward()`` ran.
    """

    _known: ClassVar[list[ref[Tape]]] = []
    _last: ClassVar[Tape | None] = None  # kept for who wrote no "as tape", until the next recording

    def __init__(self) -> None:
        self._known[:] = [tape for tape in self._known if tape() is not None] + [ref(self)]
        Tape._last = self
        self.ops: list[Ran] = []
        self.walks: list[Walk] = []
        self.left: list[Left] = []
        self.error: str | None = None
        self.backwards = 0
        self.names: dict[str, Tensor] = {}  # the variables where backward() was called or an op raised
        self._raised: BaseException | None = None  # the last exception that an op raised
        self._of_node: dict[int, Ran] = {}
        self._of_leaf: dict[tuple[int, int, int], Given] = {}
        self._of_tensor: dict[int, tuple[ref[Tensor], int, Ran | Given]] = {}
        self._of_array: dict[tuple[int, int], Ran | Given] = {}
        self._numbers: dict[int, Left] = {}
        self._alive: list[Any] = []  # arrays and leaves known by their id: while they live, no other gets it

    # ---- reading

    @classmethod
    def of(cls, output: Tensor) -> Tape | None:
        """The last tape in use that saw how ``output`` was made."""
        tapes = [tape() for tape in reversed(cls._known)]
        return next((tape for tape in tapes if tape is not None and isinstance(tape.origin(output), Ran)), None)

    def walk_from(self, root: Any) -> Walk | None:
        """The last backward pass that began at ``root``, or at all if that is None."""
        walks = [walk for walk in self.walks if root is None or any([start is root for start in walk.roots])]
        return walks[-1] if walks else None

    def diagram(
        self,
        output: Tensor | None = None,
        *,
        model: nn.Module | None = None,
        names: Mapping[str, Tensor] | None = None,
    ) -> Diagram:
        """Give the graph behind ``output`` with all that was seen of it; without ``output``, behind the last ``backward()``.

        Where an operation raised, and nothing ran after it: everything connected with that operation, which is marked.

        Raises
        ------
        ValueError
            If nothing was recorded, or ``output`` was made outside and has no graph.

        Examples
        --------
        >>> import tinygrad_edu as torch
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> with record() as tape:
        ...     loss = (x * x).log()
        ...     loss.backward()
        >>> [(vertex.name, vertex.value.item(), round(vertex.grad.item(), 4)) for vertex in tape.diagram(loss).vertices]
        [('x', 3.0, 0.6667), ('mul', 9.0, 0.1111), ('log', 2.1972246170043945, 1.0)]
        """
        return read(output, model=model, names=names, tape=self)

    def origin(self, tensor: Tensor) -> Any:
        """What made ``tensor``: a Ran or a Given, the engine's step if it was made outside, None if it is unknown."""
        node, array = tensor._current_node, tensor._array
        if node is not None:
            return self.known(node)
        known = self._of_tensor.get(id(tensor))
        if known is not None and known[0]() is tensor and known[1] == version(array):
            return known[2]
        return self._of_array.get((id(array), version(array)))

    def known(self, node: Any) -> Any:
        """What was recorded of one of the engine's steps or leaves, else itself."""
        if node.op is not None:
            return self._of_node.get(id(node), node)
        tensor = node.tensor()
        return node if tensor is None else self._of_leaf.get(_state_of(node, tensor), node)

    def gradients(self, root: Any) -> dict[int, np.ndarray]:
        """The gradients that the last walk from ``root`` brought, by the identity of steps and leaves."""
        walk = None if root is None else self.walk_from(root)
        return {} if walk is None else {id(step.node): step.g for step in walk.steps}

    def ends(self) -> list[Any]:
        """Where a picture of all this begins: the root of the last ``backward()``; if the block raised after it, what ran last."""
        if not self.ops:
            return []
        last = self.ops[-1]
        walks = [walk for walk in self.walks if walk.accumulates]
        since = walks[-1].age if walks else 0
        if walks and (self.error is None or last.age < since):
            return [self.known(walks[-1].roots[0])]
        if self.error is None and last.error is None:
            return [last]
        return [last, *self._connected(last, since)]

    def _connected(self, last: Ran, since: float) -> list[Ran]:
        """What ran since then and is joined with ``last`` by what they use."""
        users: dict[int, list[Ran]] = {}
        for ran in self.ops:
            if ran.age > since:
                for origin in ran.origins:
                    users.setdefault(id(origin), []).append(ran)
        seen, waiting = {id(last), id(None)}, [last]
        for thing in waiting:  # it grows meanwhile
            for neighbour in (*getattr(thing, "origins", ()), *users.get(id(thing), ())):
                if id(neighbour) not in seen:
                    seen.add(id(neighbour))
                    waiting.append(neighbour)
        return [ran for ran in self.ops if id(ran) in seen and ran.age > since and ran is not last]

    # ---- writing, while the block runs

    def forget(self) -> None:
        """Drop all that ran so far; what is still used later is asked for at the engine."""
        for table in (self._of_node, self._of_leaf, self._of_tensor, self._of_array, self._numbers):
            table.clear()
        for kept in (self.ops, self.walks, self.left, self._alive):
            kept.clear()
        self.names.clear()

    def place(self, argument: Any) -> Any:
        """What an argument of an op is; a tensor met for the first time is noted as it stands."""
        if isinstance(argument, Tensor):
            found = self.origin(argument)
            if isinstance(found, Ran | Given):
                return found
            if found is None or found.op is None:  # data, or a Leaf that was not seen in this state before
                return self._meet(argument, found)
            return self._adopt(argument, found)
        if isinstance(argument, bool | int | float):
            return self._number(argument)
        if isinstance(argument, np.ndarray | np.generic):
            return Given("data", np.array(argument), str(argument.dtype), argument.shape, age=tick())
        return None

    def _adopt(self, tensor: Tensor, node: Any) -> Ran:
        """Note a step that was made before the block or by a Function of the user's, with the result it has now."""
        array = tensor._array
        origins = tuple([None if edge is None else self.known(edge) for edge in node.edges])
        ran = Ran(node.op, origins, {}, node.seq, np.array(array), str(array.dtype), tuple(array.shape), node)
        ran.saved, ran.places, ran.version = saved_by(node), places(node.where), tensor._version
        self._of_node[id(node)] = ran
        return ran

    def _meet(self, tensor: Tensor, leaf: Any) -> Given:
        array = tensor._array
        cut, origins, source = (None, (), source_here()) if leaf is not None else self._detour(tensor)
        given = Given(
            "data" if leaf is None else "leaf",
            np.array(array),
            str(array.dtype),
            tuple(array.shape),
            leaf,
            cut,
            tensor._version if leaf is None else 0,
            source,
            origins,
            ref(tensor),
            tick() if leaf is None else self._age_of(leaf),
        )
        if leaf is not None:
            self._of_leaf[_state_of(leaf, tensor)] = given
            self._alive += (leaf, array)
        else:
            self._remember(tensor, given)
        return given

    def _age_of(self, leaf: Any) -> float:
        """The age of a leaf, a fraction later for each state it was in before."""
        before = sum([given.leaf is leaf for given in self._of_leaf.values()])
        return float(leaf.seq + before / (before + 1))

    def _number(self, number: float) -> Given:
        given = Given(repr(number), np.asarray(number), type(number).__name__, (), age=tick())
        left = self._numbers.get(id(number)) if type(number) is float else None
        if left is not None:  # the very object that item() gave
            given.cut, given.origins, given.source = "item", (left.origin,), left.source
        return given

    def _detour(self, tensor: Tensor) -> tuple[str | None, tuple[Any, ...], Source | None]:
        """By what cut a tensor that no op made came from the graph, from what, and where it left.

        It has the memory of an array that left, or the same numbers as something that did.
        """
        array = np.asarray(tensor._array)
        for left in reversed(self.left):
            shared = isinstance(left.result, np.ndarray) and owner(left.result) is owner(array)
            if shared or (_telling(array) and _equal(np.asarray(left.result), array)):
                return "numpy" if isinstance(left.result, np.ndarray) else "item", (left.origin,), left.source
        return tensor._cut, (), source_here()

    def _remember(self, tensor: Tensor, thing: Ran | Given) -> None:
        """Find ``thing`` again by its tensor, in the version it has now."""
        array = tensor._array
        self._of_tensor[id(tensor)] = ref(tensor), version(array), thing
        self._of_array[id(array), version(array)] = thing
        self._alive.append(array)

    def ran(self, op: Any, origins: tuple[Any, ...], settings: dict[str, Any], out: Tensor) -> None:
        """Note an op and its result."""
        node, array = out._current_node, out._array
        known = self._of_tensor.get(id(out))
        if known is not None and known[0]() is out:  # the op called itself again, with operands of one dtype
            return
        ran = Ran(
            op,
            origins,
            {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in settings.items()},
            tick(),
            np.array(array),
            str(array.dtype),
            tuple(array.shape),
            node,
            () if node is None else saved_by(node),
            places(state.own.path),
            source_here(),
            out._cut if node is None and any([wants_gradient(origin) for origin in origins]) else None,
            out._version,
        )
        self.ops.append(ran)
        self._remember(out, ran)
        if node is not None:
            self._of_node[id(node)] = ran

    def failed(self, op: Any, origins: tuple[Any, ...], settings: dict[str, Any], error: BaseException) -> None:
        """Note an op that raised."""
        if error is self._raised:  # an op inside this one has spoken already
            return
        self._raised = error
        self.names |= names_in(users_frame())
        where = places(state.own.path)
        self.ops.append(Ran(op, origins, settings, tick(), places=where, source=source_here(), error=_sentence(error)))

    def cut(self, origin: Any, out: Tensor, name: str) -> None:
        """Note that ``out`` is what ``origin`` made, outside the graph."""
        array = out._array
        shape = tuple(array.shape)
        given = Given(
            name, np.array(array), str(array.dtype), shape, None, name, out._version, source_here(), (origin,)
        )
        given.tensor, given.age = ref(out), tick()
        self._remember(out, given)

    def leave(self, tensor: Tensor, method: str, result: Any) -> None:
        """Note that numbers which depend on a gradient's path left as Python's or NumPy's."""
        if tensor._current_node is not None or tensor._cut is not None:
            self.left.append(Left(self.place(tensor), method, result, source_here(), tick()))
            self._numbers[id(result)] = self.left[-1]

    def wrote(self, tensor: Tensor, before: Any, written: Any) -> None:
        """Note that ``tensor`` was given the result ``written`` in place; ``before`` is what its base was."""
        base = tensor._base
        if isinstance(written, Ran):
            written.version = tensor._version
            self._remember(tensor, written)
        if base is None:
            return
        array, node = base._array, base._current_node
        if node is not None and node.op is not None and id(node) not in self._of_node:
            ran = Ran(
                node.op, (before, written), {}, tick(), np.array(array), str(array.dtype), tuple(array.shape), node
            )
            ran.places, ran.source, ran.version = places(node.where), source_here(), base._version
            self.ops.append(ran)
            self._remember(base, ran)
            self._of_node[id(node)] = ran
        elif node is None:
            given = Given("data", np.array(array), str(array.dtype), tuple(array.shape), None, None, base._version)
            given.source, given.origins, given.tensor, given.age = source_here(), (before, written), ref(base), tick()
            self._remember(base, given)

    def stopped_by(self, error: BaseException) -> None:
        """Note the exception that ended the block; if a function refused its arguments before any op ran, note that as well."""
        self.error = _sentence(error)
        if error is self._raised:
            return
        frames = list(walk_tb(error.__traceback__))  # each with the line it was at
        users = max([i for i, (frame, _) in enumerate(frames) if not is_inner(frame)], default=-1)
        refused = next((f for f, _ in frames[users + 1 :] if not f.f_code.co_name.startswith("_")), None)
        if users < 0 or refused is None:
            return
        self.names |= names_in(frames[users][0])
        arguments = refused.f_code.co_varnames[: refused.f_code.co_argcount]
        tensors = {name: refused.f_locals[name] for name in arguments if isinstance(refused.f_locals[name], Tensor)}
        function = SimpleNamespace(name=refused.f_code.co_name, arguments=tuple(tensors), settings={})
        origins = tuple([self.place(tensor) for tensor in tensors.values()])
        self.ops.append(Ran(function, origins, {}, tick(), source=source_of(*frames[users]), error=self.error))

    def wrote_at_once(self, op: Any, origins: tuple[Any, ...], tensor: Tensor) -> None:
        """Note an op whose result NumPy wrote straight into ``tensor``, its first argument."""
        array = tensor._array
        ran = Ran(op, origins, {}, tick(), np.array(array), str(array.dtype), tuple(array.shape))
        ran.places, ran.source, ran.version = places(state.own.path), source_here(), tensor._version
        ran.cut = "no_grad" if any([wants_gradient(origin) for origin in origins]) else None
        self.ops.append(ran)
        self._remember(tensor, ran)


def names_in(frame: FrameType | None) -> dict[str, Tensor]:
    """The tensors in the variables of ``frame`` under their names; the parameters of models there come after, and so win."""
    from ..nn import Module

    variables = {} if frame is None else {**frame.f_globals, **frame.f_locals}
    found = {name: value for name, value in variables.items() if isinstance(value, Tensor)}
    for name, value in variables.items():
        if isinstance(value, Module):
            found |= {f"{name}.{inner}": parameter for inner, parameter in value.named_parameters()}
    return found


def wants_gradient(thing: Any) -> bool:
    """Does a gradient flow back to what was recorded as ``thing``?"""
    if isinstance(thing, Ran):
        return thing.node is not None
    return thing is not None and (not isinstance(thing, Given) or thing.leaf is not None)


def source_here() -> Source | None:
    """The user's line that is running."""
    frame = users_frame()
    return None if frame is None else source_of(frame)


def source_of(frame: FrameType, line: int | None = None) -> Source:
    """A line of ``frame``, by default the one it runs: the file's name without its folder, the number and the text."""
    file, line = frame.f_code.co_filename, line or frame.f_lineno
    return Source(os.path.basename(file), line, linecache.getline(file, line).strip())


def _state_of(leaf: Any, tensor: Tensor) -> tuple[int, int, int]:
    return id(leaf), id(tensor._array), version(tensor._array)


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _equal(numbers: np.ndarray, array: np.ndarray) -> bool:
    """Are these the same numbers, perhaps in another shape and rounded to another dtype?"""
    return numbers.size == array.size and bool((numbers.reshape(-1).astype(array.dtype) == array.reshape(-1)).all())


def _telling(array: np.ndarray) -> bool:
    """Are these numbers unlike those that any program may hold, such as 0 and 1?"""
    return array.dtype.kind == "f" and bool((array != np.round(array)).any())


class record:
    """Keep everything that runs in the ``with`` block, in this thread, on a tape.

    Copies of all results and gradients are kept, so that memory grows with every operation: record a step or two, not an epoch.
    Inside ``vmap`` nothing is recorded. Outside of a block recording costs nothing.

    Parameters
    ----------
    nth
        Keep only the n-th ``backward()`` with what ran since the one before it, and record nothing after it.

    Raises
    ------
    RuntimeError
        If a recording is running already.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> with record() as tape:
    ...     loss = (w * w).sum()
    ...     loss.backward()
    >>> for node, g, shares in tape.walks[0]:
    ...     print(node.name(), g.tolist(), [share.tolist() for share in shares])
    SumBackward0 1.0 [[1.0, 1.0]]
    MulBackward0 [1.0, 1.0] [[1.0, 2.0], [1.0, 2.0]]
    torch::autograd::AccumulateGrad [2.0, 4.0] []
    """

    _running: record | None = None

    def __init__(self, *, nth: int | None = None) -> None:
        if nth is not None and nth < 1:
            raise ValueError(f"nth counts the calls of backward() from 1, and {nth} was given")
        self.tape = Tape()
        self._nth = nth

    def __enter__(self) -> Tape:
        if record._running is not None:
            raise RuntimeError("A recording is running already: leave its block first.")
        record._running = self
        self._thread = threading.get_ident()
        self._outside = engine.walk, memory.trace, {name: vars(Tensor)[name] for name in _METHODS}
        engine.walk, memory.trace = self._walk, users_line
        for name, around in _METHODS.items():
            setattr(Tensor, name, around(self, vars(Tensor)[name]))
        surround(self._op)
        return self.tape

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.failed(error)
        self.stop()

    def failed(self, error: BaseException) -> None:
        """Note the exception that ends the block, if it still records."""
        if record._running is self:
            self.tape.stopped_by(error)

    def stop(self) -> None:
        """Record nothing from now on; the block itself may go on."""
        if record._running is not self:
            return
        release(self._op)
        engine.walk, memory.trace, methods = self._outside
        for name, method in methods.items():
            setattr(Tensor, name, method)
        record._running = None

    def sees(self) -> bool:
        """Is this the thread to record, and outside of vmap?"""
        return threading.get_ident() == self._thread and not state.batches

    # ---- what stands around the calls

    def _op(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call of a class of ops, recorded."""

        def recorded_call(op: Any, *args: Any, **settings: Any) -> Any:
            if not self.sees() or not any([isinstance(a, Tensor) for a in args]):
                return call(op, *args, **settings)
            origins: tuple[Any, ...] = ()
            try:
                origins = tuple([self.tape.place(a) for a in args])
                out = call(op, *args, **settings)
            except Exception as error:
                self.tape.failed(op, origins, settings, error)
                raise
            if isinstance(out, Tensor):
                self.tape.ran(op, origins, settings, out)
            return out

        return recorded_call

    def _walk(self, pending: dict[Any, Any], **settings: Any) -> None:
        """A backward pass, recorded."""
        plain, outside = self._outside[0], state.watch
        if not self.sees():
            return plain(pending, **settings)
        walk = Walk(list(pending), settings.get("catch") is None, source_here(), tick())
        self.tape.walks.append(walk)
        self.tape.names |= names_in(users_frame())

        def see(node: Any, g: Any, shares: list[Any]) -> None:
            handed = [_handed(node, number, g, share) for number, share in enumerate(shares)]
            walk.steps.append(WalkStep(node, _array(g), handed))
            if outside is not None:
                outside(node, g, shares)

        state.watch = see
        try:
            plain(pending, **settings)
        except Exception as error:
            walk.error = _sentence(error)
            raise
        finally:
            state.watch = outside
        self.tape.backwards += walk.accumulates
        if walk.accumulates and self._nth is not None:
            if self.tape.backwards == self._nth:
                self.stop()
            else:
                self.tape.forget()
        return None


def _handed(node: Any, number: int, g: Any, share: Any) -> np.ndarray | None:
    """A copy of what a step handed to an argument; what was poured into a part of it, in the argument's shape."""
    op = node.op
    if share is g and op.pulls is not op.rules and op.pulls[0] is not None:
        share = op.rules[0](g, node.saved)
    return None if share is None or not hasattr(share, "dtype") else _array(share)


def _array(g: Any) -> np.ndarray:
    return np.array(getattr(g, "_array", g))


# ---- the methods of Tensor that lead out of the graph, or write; each as it is while a block runs


def _cutting(running: record, plain: Any) -> Any:
    @functools.wraps(plain)
    def cutting(tensor: Tensor) -> Any:
        if not running.sees() or tensor._current_node is None:
            return plain(tensor)
        origin = running.tape.place(tensor)
        out = plain(tensor)
        running.tape.cut(origin, out, out._cut)
        return out

    return cutting


def _cutting_property(running: record, plain: Any) -> Any:
    return property(_cutting(running, plain.fget), plain.fset, doc=plain.__doc__)


def _leaving(running: record, plain: Any) -> Any:
    @functools.wraps(plain)
    def leaving(tensor: Tensor, *args: Any, **settings: Any) -> Any:
        result = plain(tensor, *args, **settings)
        if running.sees():
            running.tape.leave(tensor, plain.__name__, result)
        return result

    return leaving


def _writing(running: record, plain: Any) -> Any:
    @functools.wraps(plain)
    def writing(tensor: Tensor, out: Tensor, *args: Any) -> Any:
        if not running.sees():
            return plain(tensor, out, *args)
        tape, base = running.tape, tensor._base
        before = None if base is None else tape.place(base)
        written = tape.origin(out)
        ops = len(tape.ops)
        result = plain(tensor, out, *args)
        tape.wrote(tensor, before, written if len(tape.ops) == ops else tape.ops[-1])  # it was cast on the way
        return result

    return writing


def _writing_at_once(running: record, plain: Any) -> Any:
    @functools.wraps(plain)
    def writing_at_once(tensor: Tensor, op: Any, other: Any, name: str) -> Any:
        if not running.sees():
            return plain(tensor, op, other, name)
        tape = running.tape
        origins, ops, before = (tape.place(tensor), tape.place(other)), len(tape.ops), tensor._version
        result = plain(tensor, op, other, name)
        if len(tape.ops) == ops and tensor._version != before:  # NumPy wrote, no op ran
            tape.wrote_at_once(op, origins, tensor)
        return result

    return writing_at_once


_METHODS: dict[str, Callable[[record, Any], Any]] = {
    "detach": _cutting,
    "detach_": _cutting,
    "data": _cutting_property,
    "item": _leaving,
    "tolist": _leaving,
    "numpy": _leaving,
    "__array__": _leaving,
    "__float__": _leaving,
    "_write": _writing,
    "_in_place": _writing_at_once,
}

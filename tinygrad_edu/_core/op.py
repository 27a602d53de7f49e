"""An op: a forward function on arrays, and one gradient formula per differentiable argument.

Arrays come positionally, settings by keyword. Called on bare arrays an op simply computes; called on
tensors it computes, wraps the result and, if a gradient is wanted, records a Node. This file and
``engine.py`` are the hot path: they spend complexity on speed so that every op file may be plain.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from inspect import CO_VARARGS, Parameter, unwrap
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from .modes import state
from .node import Node

if TYPE_CHECKING:
    from .._tensor import Tensor

Array: TypeAlias = Any  # an ndarray or a NumPy scalar; under create_graph a Tensor
Rule: TypeAlias = Callable[[Any, Any], Any]  # (gradient of the result, what the step kept) -> share of an argument


class Backend(Protocol):
    """What the machine is given from the floors above, in one block."""

    def sum_to(self, share: Array, shape: tuple[int, ...]) -> Array: ...
    def zeros(self, shape: tuple[int, ...], like: Array) -> Array: ...
    def copy(self, array: Array) -> Array: ...
    def add_into(self, tensor: Any, g: Array) -> None: ...
    def constant(self, number: float) -> Array: ...
    def meet(self, op: Op, x: Any, y: Any) -> tuple[Any, Any]: ...
    def weak(self, op: Op, x: Any, y: Any) -> tuple[Any, Any]: ...
    def lift(self, array: Array) -> Array: ...
    def settle(self, op: Op, value: Array, x: Array, y: Array) -> Array: ...
    def explain(self, op: Op, error: Exception, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Exception: ...


class Op:
    """The general case: any number of arrays, any settings.

    Parameters
    ----------
    forward
        The computation on arrays; its positional parameters are the op's arguments, its keyword-only ones the settings.
    node_name
        torch's name of the recorded step.
    lifts
        Integers are computed in the default floating dtype.
    ufunc
        The NumPy twin that can write in place.
    broadcasts
        Shares may have the result's shape; the engine sums them to the argument's.
    """

    kind: ClassVar[type[Any]]  # the Tensor class, and the rest of what the floors above provide
    backend: ClassVar[Backend]
    hidden = False  # a step that torch does inside one of its own: next_functions looks through it
    shows: tuple[int, ...] | None = None  # the arguments that next_functions lists, in torch's order; None: all
    many = False  # a view that is one of several made at once; torch refuses to write into those

    def __init__(
        self,
        forward: Callable[..., Array],
        *,
        node_name: str,
        lifts: bool = False,
        ufunc: Any = None,
        broadcasts: bool = False,
    ) -> None:
        self.forward = forward
        self.name = forward.__name__
        self.__name__, self.__doc__, self.__module__ = forward.__name__, forward.__doc__, forward.__module__
        self.__wrapped__ = forward  # doctest and help() find the source
        self.node_name = node_name
        self.arguments, self.settings = _parameters(forward)
        self.lifts, self.ufunc, self.broadcasts = lifts, ufunc, broadcasts
        self.differentiable = False
        self.frees = False  # does a step keep arrays, to be let go after its backward?
        self.formulas: dict[str, Callable[..., Any]] = {}  # the formulas as written, for readers and for tests
        self.rules: tuple[Rule | None, ...] = (None,) * len(self.arguments)  # the same as f(g, saved), for any order
        self.pulls: tuple[Rule | None, ...] = self.rules  # for first order, where an op may offer a cheaper way
        self.shared: Callable[..., Any] | None = None  # one formula for all arguments together
        self.quick: Callable[..., Any] | None = None  # the same for first order alone, on arrays, as a fast kernel
        self.needs: tuple[tuple[int, ...], ...] = ()
        self.kept: dict[tuple[bool, ...], tuple[int, ...]] = {}  # which arguments want a gradient -> what to keep

    # ---- declaring gradients

    def gradient(self, **formulas: Callable[..., Any]) -> None:
        """Declare the gradient of each argument as a formula of ``g`` and of what else it names."""
        names = {argument: self._names_of(formula, argument) for argument, formula in formulas.items()}
        asked = {name for named in names.values() for name in named}
        pool = ("out", *self.arguments, *self.settings)
        whole = asked & set(pool)
        compiled = {
            argument: _bind(formulas[argument], [self._place(n, whole) for n in named])
            for argument, named in names.items()
        }
        self.formulas.update(formulas)
        self.shows = tuple(i for i, a in enumerate(self.arguments) if a in formulas)
        self.rules = self.pulls = tuple(compiled.get(a) for a in self.arguments)
        # One row per argument that wants a gradient: of (out, *arguments) keep the array (1), only its shape (2), or nothing.
        self.needs = tuple(
            tuple(
                1 if n in names.get(a, ()) else 2 if f"{n}_shape" in names.get(a, ()) else 0
                for n in pool[: 1 + len(self.arguments)]
            )
            for a in self.arguments
        )
        self._declared()

    def joint(self, formula: Callable[..., Any]) -> None:
        """Declare one formula that returns the gradients of all arguments (None where there is none).

        It may name ``wanted``, a tuple that says for each argument whether its gradient is asked for.
        """
        names = [n for n in self._names_of(formula, "all arguments", extra=("wanted",)) if n != "wanted"]
        pool = ("out", *self.arguments, *self.settings)
        whole = {n for n in names if n in pool}
        bound = _bind(formula, [self._place(n, whole) for n in names], names)
        self.formulas["all"] = formula
        takes_wanted = "wanted" in _names(formula)
        self.shared = bound if takes_wanted else lambda g, saved, wanted: bound(g, saved)
        row = tuple(1 if n in whole else 2 if f"{n}_shape" in names else 0 for n in pool[: 1 + len(self.arguments)])
        self.needs = (row,) * len(self.arguments)
        self._declared()

    def at_first_order(self, kernel: Callable[..., Any]) -> None:
        """Declare a fast kernel that gives the shares of all arguments in first order, where everything is an array.

        It names what the formulas name, settings, ``memo`` (what the forward left for it) and ``wanted``, and must agree with the
        formulas, which stay in charge of higher orders. Unlike a formula it may compute as it likes; it writes into nothing given.
        """
        names = [n for n in self._names_of(kernel, "all arguments", extra=("wanted",)) if n != "wanted"]
        kept = {n for i, n in enumerate(("out", *self.arguments)) if any(row[i] == 1 for row in self.needs)}
        unkept = [n for n in names if n not in self.settings and n.removesuffix("_shape") not in kept]
        if unkept:
            raise TypeError(f"{self.name}.at_first_order: the kernel names {unkept}, which no formula keeps")
        bound = _bind(kernel, [self._place(n, kept) for n in names], names)
        takes_wanted = "wanted" in _names(kernel)
        self.quick = bound if takes_wanted else lambda g, saved, wanted: bound(g, saved)
        self.pulls = (None,) * len(self.arguments)

    def _declared(self) -> None:
        self.frees = any(need == 1 for row in self.needs for need in row)
        self.both = _most(self.needs)
        self.kept.clear()
        self.differentiable = True

    def _names_of(self, formula: Callable[..., Any], argument: str, extra: tuple[str, ...] = ()) -> list[str]:
        """What ``formula`` names after ``g``; a name that does not exist fails here, at import."""
        names = _names(formula)[1:]
        pool = ("out", *self.arguments, *self.settings, *extra)
        unknown = [n for n in names if n not in pool and not (n.endswith("_shape") and n[:-6] in pool)]
        if unknown or (argument not in self.arguments and not extra):
            raise TypeError(
                f"{self.name}.gradient({argument}=...): formulas exist for {self.arguments} and may name {pool} or the shape "
                f"of an argument (x_shape); this one names {names}"
            )
        return names

    def _place(self, name: str, whole: set[str]) -> tuple[int, bool]:
        """Where in ``saved`` to find ``name``, and whether to read the shape off an array there."""
        pool = ("out", *self.arguments, *self.settings)
        if name in pool:
            return pool.index(name), False
        return pool.index(name[:-6]), name[:-6] in whole

    def pours(self, add_into: Callable[..., None]) -> None:
        """In first order, add the share of the single argument straight into one buffer: add_into(buffer, g, **settings)."""
        names = tuple(self.settings)
        first = 1 + len(self.arguments)

        def pour(g: Array, saved: Any) -> Pour:
            return Pour(add_into, g, dict(zip(names, saved[first:], strict=True)))

        self.pulls = (pour,)

    def named(self, node_name: str, *, shows: tuple[int, ...] | None = None) -> Any:
        """The same op under another of torch's names for the recorded step; ``shows`` lists its arguments as torch does there."""
        twin = copy.copy(self)
        twin.node_name = node_name
        if shows is not None:
            twin.shows = shows
        return twin

    def inside(self) -> Any:
        """The same op as a step that torch does inside one of its own."""
        twin = copy.copy(self)
        twin.hidden = True
        return twin

    # ---- calling

    def __call__(self, *args: Any, **settings: Any) -> Tensor:
        kind = self.kind
        arrays: list[Any] = []
        edges: list[Any] = []
        cut = None
        tensors = wanted = False
        for a in args:
            if isinstance(a, kind):
                tensors = True
                node = a._node if a._base is None else a._current_node
                if node is not None:
                    wanted = True
                elif a._cut is not None:
                    cut = a._cut
                arrays.append(a._array)
                edges.append(node)
            else:
                arrays.append(a)
                edges.append(None)
        if not tensors:
            return self.forward(*args, **settings)  # type: ignore[no-any-return]  # arrays in, array out
        try:
            value = self.forward(*arrays, **settings)
        except (ValueError, TypeError, IndexError) as error:
            raise self.backend.explain(self, error, tuple(arrays), settings) from None
        out = _new(kind)
        out._array, out._base, out._node, out._cut = value, None, None, None
        if not wanted:
            out._cut = cut
            return out  # type: ignore[no-any-return]  # a Tensor, whose class this floor does not know
        tape = state.tape
        if tape is None:
            out._cut = "no_grad"
        elif not self.differentiable:
            out._cut = self.name
        else:
            keep = self.both
            if None in edges:
                mask = tuple([e is None for e in edges])
                keep = self.kept.get(mask) or self.kept.setdefault(mask, self._merge(mask))
            saved = [value if keep[0] else None]
            for k, array in zip(keep[1:], arrays):  # noqa: B905  # one entry per argument; strict costs on the hot path
                saved.append(array if k == 1 else array.shape if k else None)
            if self.settings:
                saved += {**self.settings, **settings}.values()
            out._node = Node(self, tuple(saved), tuple(edges), value.shape, tape.path)
        return out  # type: ignore[no-any-return]  # as above

    def _merge(self, mask: tuple[bool, ...]) -> tuple[int, ...]:
        """What to keep when gradients are wanted of the arguments that ``mask`` does not exclude."""
        rows = [row for row, excluded in zip(self.needs, mask, strict=True) if not excluded]
        return _most(rows)

    # ---- what the engine asks

    def rules_of(self, node: Node, g: Array, saved: Any, recorded: bool) -> Any:
        """The rules of ``node``, one per edge; only joint formulas need the gradient to know them."""
        formula = self.shared if recorded or self.quick is None else self.quick
        if formula is None:
            return self.rules if recorded else self.pulls
        shares = formula(g, saved, tuple([e is not None for e in node.edges]))
        return [_given(share) for share in shares]

    def kept_by(self, node: Node) -> list[tuple[str, Array]]:
        """The arrays that ``node`` kept, with the names of what they were: arguments, and settings such as an index or a mask."""
        found = []
        for name, value in zip(("the result", *self.arguments, *self.settings), node.saved, strict=True):
            if hasattr(value, "dtype"):
                found.append((name, value))
            elif value.__class__ is tuple:  # an index of several arrays, or only a shape
                found += [(name, part) for part in value if hasattr(part, "dtype")]
        return found

    def recorded(self, node: Node, saved: Any) -> Any:
        """What ``node`` kept, as tensors tied to the steps that made them: all that higher order needs."""
        wrap = self.kind._of
        again = list(saved)
        for i, maker in enumerate((node, *node.edges)):
            if hasattr(again[i], "dtype"):
                again[i] = wrap(again[i], maker)
        return again

    def replace_kept(self, node: Node, replace: Callable[[Array], Array]) -> None:
        """Exchange the arrays that ``node`` kept."""
        first = 1 + len(self.arguments)
        kept = [replace(v) if hasattr(v, "dtype") else v for v in node.saved[:first]]
        node.saved = (*kept, *node.saved[first:])

    def __repr__(self) -> str:
        return f"<op {self.name}>"


_call_any: Callable[..., Any] = Op.__call__  # by this name it stays itself while somebody watches


class Unary(Op):
    """One array, unrolled: most of a program is made of this class and the next."""

    def __call__(self, x: Any, **settings: Any) -> Tensor:
        if not isinstance(x, self.kind):
            return self.forward(x, **settings)  # type: ignore[no-any-return]  # array in, array out
        a = x._array
        edge = x._node if x._base is None else x._current_node
        out = _new(self.kind)
        out._base = None
        if self.lifts and a.dtype.kind != "f":
            a = self.backend.lift(a)
        try:
            out._array = value = self.forward(a, **settings)
        except (ValueError, TypeError, IndexError) as error:
            raise self.backend.explain(self, error, (a,), settings) from None
        if edge is None:
            out._node = None
            out._cut = x._cut
            return out  # type: ignore[no-any-return]  # a Tensor, whose class this floor does not know
        tape = state.tape
        if tape is None:
            out._node = None
            out._cut = "no_grad"
        elif not self.differentiable:
            out._node = None
            out._cut = self.name
        else:
            w0, w1 = self.both
            saved = (value if w0 else None, (a if w1 == 1 else a.shape) if w1 else None)
            if self.settings:
                saved = (*saved, *{**self.settings, **settings}.values())
            out._node = Node(self, saved, (edge,), value.shape, tape.path)
            out._cut = None
        return out  # type: ignore[no-any-return]  # as above


_call_unary = Unary.__call__


class View(Unary):
    """One array in, and out the same memory: the result remembers what it views and by which steps."""

    def __call__(self, x: Any, **settings: Any) -> Tensor:
        if not isinstance(x, self.kind):
            return self.forward(x, **settings)  # type: ignore[no-any-return]  # array in, array out
        if not hasattr(x._array, "__setitem__"):
            x._writable()  # a 0-d result gets memory of its own before it is shared
        out: Any = _call_unary(self, x, **settings)
        mine, theirs = out._array.base, x._array
        if mine is not None and (mine is theirs or mine is theirs.base):
            if x._base is None:
                out._base, out._path = x, (None, self, settings)
                out._seen = x._node if state.tape is not None else (x._node,)  # in a tuple: made under no_grad
            else:
                out._base, out._path = x._base, (x._path, self, settings)
                seen = x._base._node
                out._seen = x._seen if x._seen.__class__ is tuple else seen if state.tape is not None else (seen,)
        return out  # type: ignore[no-any-return]  # a Tensor


class Numbers(dict[float, Any]):
    """Python numbers as 0-d float32 arrays, made when first met: beside a float32 array NumPy takes those in half the time.

    A chain of ``y * 0.999 + 0.001`` on four elements takes a tenth less, forward and backward. Zero stays a number, for 0.0 and
    -0.0 are one key, and so does what float32 has no finite value for.
    """

    def __missing__(self, number: float) -> Any:
        if not 0 < abs(number) < 3e38:
            return number
        if len(self) >= 1000:
            self.clear()
        self[number] = array = Op.backend.constant(number)
        return array


numbers = Numbers()


class Binary(Op):
    """Two arrays and no settings, unrolled."""

    def __call__(self, x: Any, y: Any) -> Tensor:
        kind = self.kind
        if isinstance(x, kind):
            a = x._array
            left = x._node if x._base is None else x._current_node
            if isinstance(y, kind):
                b = y._array
                right = y._node if y._base is None else y._current_node
                if a.dtype is not b.dtype:
                    return self(*self.backend.meet(self, x, y))
            else:
                if (y.__class__ is not float and y.__class__ is not int) or left is None:
                    x, y = self.backend.weak(self, x, y)
                    a = x._array
                    left = x._current_node
                elif a.ndim and a.dtype.char == "f":
                    y = numbers[y]
                b, right = y, None
        elif isinstance(y, kind):
            b = y._array
            right = y._node if y._base is None else y._current_node
            if (x.__class__ is not float and x.__class__ is not int) or right is None:
                y, x = self.backend.weak(self, y, x)
                b = y._array
                right = y._current_node
            elif b.ndim and b.dtype.char == "f":
                x = numbers[x]
            a, left = x, None
        else:
            return self.forward(x, y)  # type: ignore[no-any-return]  # arrays in, array out
        out = _new(kind)
        out._base = None
        try:
            out._array = value = self.forward(a, b)
        except (ValueError, TypeError) as error:
            raise self.backend.explain(self, error, (a, b), {}) from None
        if left is None:
            if right is None:
                out._node = None
                out._cut = (x._cut if isinstance(x, kind) else None) or (y._cut if isinstance(y, kind) else None)
                if self.lifts:
                    out._array = self.backend.settle(self, value, a, b)
                return out  # type: ignore[no-any-return]  # a Tensor, whose class this floor does not know
            needs = self.needs[1] if self.differentiable else None
        elif right is None:
            needs = self.needs[0] if self.differentiable else None
        else:
            needs = self.both if self.differentiable else None
        tape = state.tape
        if tape is not None and needs is not None:
            w0, w1, w2 = needs
            out._node = Node(
                self,
                (
                    value if w0 else None,
                    (a if w1 == 1 else a.shape) if w1 else None,
                    (b if w2 == 1 else b.shape) if w2 else None,
                ),
                (left, right),
                value.shape,
                tape.path,
            )
            out._cut = None
        else:
            out._node = None
            out._cut = "no_grad" if tape is None else self.name
        return out  # type: ignore[no-any-return]  # as above


class Ternary(Op):
    """Three arrays and no settings, unrolled: a layer with its weight and bias."""

    def __call__(self, x: Any, y: Any, z: Any) -> Tensor:
        kind = self.kind
        tensors = 3
        if isinstance(x, kind):
            a, first = x._array, x._node if x._base is None else x._current_node
        else:
            a, first, tensors = x, None, tensors - 1
        if isinstance(y, kind):
            b, second = y._array, y._node if y._base is None else y._current_node
        else:
            b, second, tensors = y, None, tensors - 1
        if isinstance(z, kind):
            c, third = z._array, z._node if z._base is None else z._current_node
        else:
            c, third, tensors = z, None, tensors - 1
        if not tensors:
            return self.forward(x, y, z)  # type: ignore[no-any-return]  # arrays in, array out
        try:
            value = self.forward(a, b, c)
        except (ValueError, TypeError, IndexError) as error:
            raise self.backend.explain(self, error, (a, b, c), {}) from None
        out = _new(kind)
        out._array, out._base, out._node, out._cut = value, None, None, None
        if first is None and second is None and third is None:
            for tensor in (x, y, z):
                if isinstance(tensor, kind) and tensor._cut is not None:
                    out._cut = tensor._cut
            return out  # type: ignore[no-any-return]  # a Tensor, whose class this floor does not know
        tape = state.tape
        if tape is None or not self.differentiable:
            out._cut = "no_grad" if tape is None else self.name
            return out  # type: ignore[no-any-return]  # as above
        if first is None or second is None or third is None:
            mask = (first is None, second is None, third is None)
            keep = self.kept.get(mask) or self.kept.setdefault(mask, self._merge(mask))
        else:
            keep = self.both
        w0, w1, w2, w3 = keep
        out._node = Node(
            self,
            (
                value if w0 else None,
                (a if w1 == 1 else a.shape) if w1 else None,
                (b if w2 == 1 else b.shape) if w2 else None,
                (c if w3 == 1 else c.shape) if w3 else None,
            ),
            (first, second, third),
            value.shape,
            tape.path,
        )
        return out  # type: ignore[no-any-return]  # a Tensor, whose class this floor does not know


class Many(Op):
    """Any number of arrays of equal standing (``def cat(*xs, axis)``).

    Its single formula is asked once per array and may name ``which`` (the number of the array),
    ``xs`` (all arrays), ``xs_shape`` (their shapes), ``out`` and the settings.
    """

    def gradient(self, **formulas: Callable[..., Any]) -> None:
        """Declare the formula of the arrays."""
        (argument,) = self.arguments
        (formula,) = formulas.values()
        self._asked = _names(formula)[1:]
        pool = ("which", "out", argument, f"{argument}_shape", *self.settings)
        unknown = [n for n in self._asked if n not in pool]
        if unknown or argument not in formulas:
            raise TypeError(
                f"{self.name}.gradient: a formula exists for {argument} and may name {pool}; this one names {self._asked}"
            )
        self.formulas.update(formulas)
        self._formula = formula
        self._need_out = "out" in self._asked
        self._need_arrays = argument in self._asked
        self.frees = self._need_out or self._need_arrays
        self.differentiable = True

    def __call__(self, *args: Any, **settings: Any) -> Tensor:
        kind = self.kind
        if not any([isinstance(a, kind) for a in args]):
            return self.forward(*args, **settings)  # type: ignore[no-any-return]  # arrays in, array out
        arrays = tuple([a._array if isinstance(a, kind) else a for a in args])
        edges = tuple([a._current_node if isinstance(a, kind) else None for a in args])
        try:
            value = self.forward(*arrays, **settings)
        except (ValueError, TypeError, IndexError) as error:
            raise self.backend.explain(self, error, arrays, settings) from None
        out = kind._of(value)
        if any([e is not None for e in edges]):
            tape = state.tape
            if tape is None:
                out._cut = "no_grad"
            elif not self.differentiable:
                out._cut = self.name
            else:
                kept = arrays if self._need_arrays else tuple([a.shape for a in arrays])
                saved = (value if self._need_out else None, kept, *{**self.settings, **settings}.values())
                out._node = Node(self, saved, edges, value.shape, tape.path)
        return out  # type: ignore[no-any-return]  # a Tensor

    def rules_of(self, node: Node, g: Array, saved: Any, recorded: bool) -> Any:
        """One rule per array, each told its number."""
        out, kept = saved[:2]
        (argument,) = self.arguments
        shapes = tuple([k.shape for k in kept]) if self._need_arrays else kept
        given = {
            "out": out,
            argument: kept,
            f"{argument}_shape": shapes,
            **dict(zip(self.settings, saved[2:], strict=True)),
        }
        formula, asked = self._formula, self._asked

        def rule_for(which: int) -> Rule:
            return lambda g, saved: formula(g, *[which if n == "which" else given[n] for n in asked])

        return [rule_for(which) for which in range(len(node.edges))]

    def kept_by(self, node: Node) -> list[tuple[str, Array]]:
        """The arrays that ``node`` kept, with the names of what they were."""
        out, kept = node.saved[:2]
        found = [("the result", out)] if out is not None else []
        return found + [(f"argument {i}", a) for i, a in enumerate(kept) if self._need_arrays]

    def recorded(self, node: Node, saved: Any) -> Any:
        """What ``node`` kept, as tensors tied to the steps that made them."""
        wrap = self.kind._of
        out, kept, *settings = saved
        if out is not None:
            out = wrap(out, node)
        if self._need_arrays:
            kept = tuple([wrap(a, maker) for a, maker in zip(kept, node.edges, strict=True)])
        return (out, kept, *settings)

    def replace_kept(self, node: Node, replace: Callable[[Array], Array]) -> None:
        """Exchange the arrays that ``node`` kept."""
        out, kept, *settings = node.saved
        if self._need_arrays:
            kept = tuple([replace(a) for a in kept])
        node.saved = (None if out is None else replace(out), kept, *settings)


class Remembering(Op):
    """An op whose forward takes ``memo=None`` and leaves work in it, a dict, that its kernel of first order wants again."""

    def __call__(self, *args: Any, **settings: Any) -> Tensor:
        if state.tape is not None:
            settings["memo"] = {}
        return _call_any(self, *args, **settings)  # type: ignore[no-any-return]  # as above


class Pour:
    """A share that has not been spread over zeros: the engine adds it into one buffer."""

    __slots__ = ("add", "g", "settings")
    shape = None  # equals no shape, so the engine finds it without a question of its own

    def __init__(self, add: Callable[..., None], g: Array, settings: dict[str, Any]) -> None:
        self.add, self.g, self.settings = add, g, settings

    def add_into(self, buffer: Array) -> None:
        """Add this share to its part of ``buffer``."""
        self.add(buffer, self.g, **self.settings)


_new: Any = object.__new__


def _most(rows: Any) -> tuple[int, ...]:
    """What several formulas need together: where one wants the array and another only its shape, the array serves both."""
    return tuple(1 if 1 in column else max(column) for column in zip(*rows, strict=True))


def _given(share: Any) -> Rule:
    return lambda g, saved: share


def _bind(formula: Callable[..., Any], places: list[tuple[int, bool]], names: list[str] | None = None) -> Any:
    """Make ``f(g, saved)`` that calls ``formula`` with ``g`` and the saved values it named."""
    if names is not None:  # a joint formula: by keyword, with ``wanted`` passed through where it is named
        takes_wanted = "wanted" in _names(formula)

        def joint(g: Any, saved: Any, wanted: Any = None) -> Any:
            given = {
                n: _shape_of(saved[i]) if n.endswith("_shape") else saved[i]
                for n, (i, _) in zip(names, places, strict=True)
            }
            if takes_wanted:
                given["wanted"] = wanted
            return formula(g, **given)

        return joint
    if any(sized for _, sized in places):
        return lambda g, saved: formula(g, *[_shape_of(saved[i]) if sized else saved[i] for i, sized in places])
    if not places:
        return lambda g, saved: formula(g)
    if len(places) == 1:
        ((only, _),) = places
        return lambda g, saved: formula(g, saved[only])
    pick = itemgetter(*[i for i, _ in places])
    return lambda g, saved: formula(g, *pick(saved))


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The positional parameters of a plain function, ``*args`` among them, and its keyword-only ones with their defaults.

    Read off the code, for ``inspect.signature`` is a fifth of the time that importing all ops takes.
    """
    function = unwrap(function)
    code, defaults = function.__code__, function.__kwdefaults__ or {}
    names, last = code.co_varnames, code.co_argcount + code.co_kwonlyargcount
    settings = {name: defaults.get(name, Parameter.empty) for name in names[code.co_argcount : last]}
    starred = names[last : last + 1] if code.co_flags & CO_VARARGS else ()
    return names[: code.co_argcount] + starred, settings


def _names(function: Callable[..., Any]) -> list[str]:
    arrays, settings = _parameters(function)
    return [*arrays, *settings]


def _shape_of(kept: Any) -> Any:
    return kept if kept.__class__ is tuple else kept.shape


def op(
    forward: Callable[..., Array] | None = None,
    *,
    lifts: bool = False,
    ufunc: Any = None,
    view: bool = False,
    broadcasts: bool = False,
    node: str | None = None,
) -> Any:  # an Op; to the type checker as duck-typed as its arrays, for formulas refer forward to one another
    """Make an op of a forward function, in the class that fits its arguments."""
    if forward is None:
        return lambda f: _make(f, lifts=lifts, ufunc=ufunc, view=view, broadcasts=broadcasts, node=node)
    return _make(forward)


def _make(
    forward: Callable[..., Array],
    *,
    lifts: bool = False,
    ufunc: Any = None,
    view: bool = False,
    broadcasts: bool = False,
    node: str | None = None,
) -> Op:
    arrays, settings = _parameters(forward)
    cls: type[Op] = Op
    if view:
        cls = View
    elif "memo" in settings:
        cls = Remembering
    elif unwrap(forward).__code__.co_flags & CO_VARARGS:
        cls = Many
    elif len(arrays) == 1:
        cls = Unary
    elif len(arrays) == 2 and not settings:
        cls = Binary
    elif len(arrays) == 3 and not settings:
        cls = Ternary
    name = node or "".join(part.capitalize() for part in forward.__name__.strip("_").split("_")) + "Backward0"
    return cls(forward, node_name=name, lifts=lifts, ufunc=ufunc, broadcasts=broadcasts)


# ---- watching and taking over: the debugger sees every call, vmap answers some, the profiler times all; while nobody does,
# nothing of this exists

Watcher: TypeAlias = Callable[[Op, tuple[Any, ...], dict[str, Any], Any], None]
Substitute: TypeAlias = Callable[[Op, tuple[Any, ...], dict[str, Any]], Any]
Around: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]
_watchers: list[Watcher] = []
_substitutes: list[Substitute] = []
_around: list[Around] = []


def _watched(call: Callable[..., Any]) -> Callable[..., Any]:
    def watched_call(self: Op, *args: Any, **settings: Any) -> Any:
        out = call(self, *args, **settings)
        for watcher in _watchers:
            watcher(self, args, settings, out)
        return out

    return watched_call


def _substituted(call: Callable[..., Any]) -> Callable[..., Any]:
    def substituted_call(self: Op, *args: Any, **settings: Any) -> Any:
        for substitute in _substitutes:
            out = substitute(self, args, settings)
            if out is not NotImplemented:
                return out
        return call(self, *args, **settings)

    return substituted_call


_plain = {cls: cls.__call__ for cls in (Op, Unary, View, Binary, Ternary, Many, Remembering)}


def _install() -> None:
    """Give every class of ops the call that those who watch, answer or time at present need."""
    for cls, plain in _plain.items():
        call: Callable[..., Any] = plain
        if _watchers:
            call = _watched(call)
        if _substitutes:
            call = _substituted(call)  # outside: what a substitute calls in place of the op is watched, the op is not
        for around in _around:
            call = around(call)  # outermost: whoever answers, the time it takes is the op's
        cls.__call__ = call  # type: ignore[method-assign]  # the point: no cost while nobody watches


def watch(watcher: Watcher) -> None:
    """Call ``watcher(op, args, settings, result)`` after every op, in every thread, until ``unwatch``."""
    _watchers.append(watcher)
    _install()


def unwatch(watcher: Watcher) -> None:
    """Stop calling ``watcher``."""
    _watchers.remove(watcher)
    _install()


def substitute(answer: Substitute) -> None:
    """Ask ``answer(op, args, settings)`` before every op, in every thread, until ``restore``: NotImplemented lets the op run."""
    _substitutes.append(answer)
    _install()


def restore(answer: Substitute) -> None:
    """Stop asking ``answer``."""
    _substitutes.remove(answer)
    _install()


def surround(around: Around) -> None:
    """Let ``around(call)`` stand for the call of every op, in every thread, until ``release``: the profiler's clock."""
    _around.append(around)
    _install()


def release(around: Around) -> None:
    """Stop asking ``around``."""
    _around.remove(around)
    _install()

"""User-defined operations: ``forward(ctx, ...)`` and ``backward(ctx, ...)`` in place of an op and its formulas.

A Function is one more kind of op. Where it has several results, one hub step collects the gradients of all of
them before ``backward`` runs once; a custom Function's gradients are never taken over by the walk, for the user may
keep them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _dtype
from .._core.memory import tick
from .._core.modes import state
from .._core.node import Node
from .._tensor import Tensor, no_grad

Backward = TypeVar("Backward", bound=Callable[..., Any])


class FunctionCtx:
    """What ``forward`` hands to ``backward``.

    Attributes
    ----------
    needs_input_grad
        For each argument of forward: is its gradient wanted?
    """

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._to_save: tuple[Tensor | None, ...] = ()
        self._bound: tuple[Any, Node] | None = None  # while backward runs: what its step kept, and the step
        self._flat: set[int] = set()
        self._dirty: set[int] = set()
        self._materialize = True

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs or results of forward) for backward, watched for later writes."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument is of type {type(t).__name__}; keep other values as attributes of ctx"
                )
        self._to_save = tensors

    def mark_non_differentiable(self, *results: Tensor) -> None:
        """Say that these results have no gradient."""
        self._flat = {id(t) for t in results}

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that forward has written into these inputs."""
        self._dirty = {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Shall a gradient that did not arrive be zeros (the default) rather than None?"""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What was kept, tied to the steps that made it.

        Raises
        ------
        RuntimeError
            Outside of backward: what was kept belongs to the graph, and is freed with it.
        """
        if self._bound is None:
            if self._to_save:
                return self._to_save  # nothing was recorded, or forward is still running
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed). "
                "Specify retain_graph=True the first time, and read ctx.saved_tensors inside backward."
            )
        saved, node = self._bound
        return tuple([None if k is None else _unpack(k, node) for k in saved])

    saved_variables = saved_tensors

    def _keep(self, results: set[int]) -> tuple[Any, ...]:
        """The tensors to save, as arrays and steps: a graph that held tensors would close a circle."""
        kept = [
            None if t is None else (t._writable(), _RESULT if id(t) in results else t._current_node)
            for t in self._to_save
        ]
        self._to_save = ()
        return tuple(kept)


_RESULT = "a result of the function itself"


def _unpack(kept: Any, node: Node | None) -> Tensor:
    array, maker = kept
    return Tensor._of(array, node if maker is _RESULT else maker)


class _Gradients:
    """The gradients of several results, on their way to one hub."""

    base = True  # never the walk's own

    def __init__(self, shape: Any, parts: list[Any]) -> None:
        self.shape, self.parts = shape, parts

    def __add__(self, other: _Gradients) -> _Gradients:
        return _Gradients(
            self.shape,
            [b if a is None else a if b is None else a + b for a, b in zip(self.parts, other.parts, strict=True)],
        )


class _Applied:
    """The op of one application: runs the user's backward."""

    broadcasts = many = hidden = False
    shows = None
    frees = True
    rules: tuple[Any, ...] = ()
    pulls: tuple[Any, ...] = ()
    arguments: tuple[str, ...] = ()
    settings: dict[str, Any] = {}

    def __init__(self, function: type[Function], ctx: FunctionCtx, inputs: list[Any], results: list[Any]) -> None:
        self.function, self.ctx = function, ctx
        self.name = function.__name__
        self.node_name = function.__name__ + "Backward"
        self.shapes = [(t._array.shape, t._array.dtype) if isinstance(t, Tensor) else None for t in inputs]
        self.results = [(r._array.shape, r._array.dtype) for r in results]
        self.tensors = [isinstance(t, Tensor) for t in inputs]

    def kept_by(self, node: Node) -> list[Any]:
        """The arrays that the user saved."""
        return [(f"saved tensor {i}", k[0]) for i, k in enumerate(node.saved) if k is not None]

    def recorded(self, node: Node, saved: Any) -> Any:
        """``saved_tensors`` ties the arrays to their steps in any order."""
        return saved

    def replace_kept(self, node: Node, replace: Callable[[Any], Any]) -> None:
        """Exchange the arrays that the user saved."""
        node.saved = tuple([None if k is None else (replace(k[0]), k[1]) for k in node.saved])

    def rules_of(self, node: Node, g: Any, saved: Any, recorded: bool) -> list[Callable[[Any, Any], Any]]:
        """Run the user's backward once; each edge takes its share."""
        given = g.parts if isinstance(g, _Gradients) else [g]
        grads: list[Any] = []
        for part, (shape, d) in zip(given, self.results, strict=True):
            if part is None:
                grads.append(Tensor._of(np.zeros(shape, d)) if self.ctx._materialize else None)
            else:
                grads.append(part if isinstance(part, Tensor) else Tensor._of(part))
        backward = self.function.backward
        self.ctx._bound = (saved, node)
        try:
            found = backward(self.ctx, *grads)
        finally:
            self.ctx._bound = None
        shares = list(found) if isinstance(found, tuple | list) else [found]
        while len(shares) > len(self.shapes) and shares[-1] is None:
            shares.pop()
        if len(shares) != len(self.shapes):
            raise RuntimeError(
                f"function {self.node_name} returned an incorrect number of gradients (expected {len(self.shapes)}, got {len(shares)}): "
                "backward must return one gradient per argument of forward, None where there is none."
            )
        edges = [i for i, is_tensor in enumerate(self.tensors) if is_tensor]
        once = recorded and getattr(backward, "_once", False)
        return [self._rule(i, shares[i], recorded, once) for i in edges]

    def _rule(self, number: int, share: Any, recorded: bool, once: bool) -> Callable[[Any, Any], Any]:
        def rule(g: Any, saved: Any) -> Any:
            if share is None:
                return None
            if not isinstance(share, Tensor):
                raise RuntimeError(
                    f"{self.node_name}: expected Variable or None (got {type(share).__name__}) as gradient {number}: backward must return "
                    "a Tensor for each argument of forward, or None"
                )
            shape, d = self.shapes[number]  # type: ignore[misc]  # edges exist only for tensors
            if share._array.shape != shape:
                try:
                    fits = np.broadcast_shapes(share._array.shape, shape) == share._array.shape
                except ValueError:
                    fits = False
                if not fits:
                    raise RuntimeError(
                        f"Function {self.node_name} returned an invalid gradient at index {number} - got {list(share._array.shape)} but expected "
                        f"shape compatible with {list(shape)}"
                    )
            fitted = share if share._array.dtype is d else share.to(_dtype.of(d))
            if fitted._array.shape != shape:
                fitted = fitted.sum_to_size(*shape)
            if recorded:
                return _refuse_again(fitted, self.node_name) if once else fitted
            array = fitted._array
            return array.view() if hasattr(array, "__setitem__") else array  # a view is never taken over by the walk

        return rule


def _refuse_again(t: Tensor, name: str) -> Tensor:
    """Tie a gradient to a step that says it cannot be differentiated again."""

    class Refusal(_Applied):
        def __init__(self) -> None:
            self.name, self.node_name = name, "torch::autograd::Error"

        def rules_of(self, *_: Any) -> Any:
            raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

    out = Tensor._of(t._writable())
    anchor = Tensor._of(np.zeros(())).requires_grad_()
    out._node = Node(Refusal(), (), (anchor._node,), out._array.shape, None)  # type: ignore[arg-type]  # one more kind of op
    return out


class _Result:
    """The op of one of several results: hands its gradient to the hub."""

    broadcasts = frees = many = hidden = False
    shows = None
    rules: tuple[Any, ...] = ()
    pulls: tuple[Any, ...] = ()
    arguments: tuple[str, ...] = ()
    settings: dict[str, Any] = {}

    def __init__(self, hub: Node, number: int, count: int) -> None:
        self.name, self.node_name = hub.op.name, hub.op.node_name
        self._shape, self._number, self._count = hub.shape, number, count

    def kept_by(self, node: Node) -> list[Any]:
        """Nothing is kept."""
        return []

    def recorded(self, node: Node, saved: Any) -> Any:
        """Nothing is kept."""
        return saved

    def replace_kept(self, node: Node, replace: Any) -> None:
        """Nothing is kept."""

    def rules_of(self, node: Node, g: Any, saved: Any, recorded: bool) -> list[Any]:
        """Put the gradient in its place among those of all results."""
        parts = [g if i == self._number else None for i in range(self._count)]
        return [lambda g, saved: _Gradients(self._shape, parts)]


class Function:
    """A differentiable operation of the user's own.

    Write two static methods: ``forward(ctx, *args)`` returns the result (or a tuple), ``backward(ctx, *grads)`` one gradient
    per argument of forward, None where there is none. Use it by ``MyFunction.apply(...)``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x**2 * g
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = Cube.apply(x)
    >>> y.backward()
    >>> y, x.grad
    (tensor(8., grad_fn=<CubeBackward>), tensor(12.))
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; the first argument is the context, unless ``setup_context`` is defined."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill the context after a forward that takes none."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradient of each argument of forward."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: functions are applied, not called, since PyTorch 0.4."""
        name = type(self).__name__
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
            f"with static forward method: make forward and backward of {name} static, and write {name}.apply(...)."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record it."""
        ctx = FunctionCtx()
        nodes = [a._current_node if isinstance(a, Tensor) else None for a in args]
        wanted = state.tape is not None and any([n is not None for n in nodes])
        if wanted and state.batched is not None and state.batched.concerns(args):
            raise RuntimeError(
                f"You tried to vmap over {cls.__name__}, but it does not have vmap support: its backward is written for one example, and a "
                "gradient is wanted here. Write it with operations of torch instead, or apply it outside of vmap."
            )
        ctx.needs_input_grad = tuple([n is not None for n in nodes])
        with no_grad():
            if cls.setup_context is not Function.setup_context:
                found = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, found)
            else:
                found = cls.forward(ctx, *args, **kwargs)
        several = isinstance(found, tuple | list)
        results = list(found) if several else [found]
        if not wanted:
            return found
        outs = [_own(r, args, ctx) if isinstance(r, Tensor) else r for r in results]
        tensors = [r for r in outs if isinstance(r, Tensor)]
        kept = ctx._keep({id(r) for r in results if isinstance(r, Tensor) and not any([r is a for a in args])})
        flat = [id(r) in ctx._flat or r._array.dtype.kind != "f" for r in results if isinstance(r, Tensor)]
        applied: Any = _Applied(cls, ctx, list(args), tensors)
        applied.frees = any([k is not None for k in kept])
        edges = tuple([n for n, a in zip(nodes, args, strict=True) if isinstance(a, Tensor)])
        own = state.own.path
        if len(tensors) == 1 and not flat[0]:
            tensors[0]._node = Node(applied, kept, edges, tensors[0]._array.shape, own)
        elif not all(flat):
            hub = Node(applied, kept, edges, ("results of", cls.__name__), own)
            for i, (t, is_flat) in enumerate(zip(tensors, flat, strict=True)):
                if not is_flat:
                    part: Any = _Result(hub, i, len(tensors))
                    t._node = Node(part, (), (hub,), t._array.shape, own)
        for original in args:
            if isinstance(original, Tensor) and id(original) in ctx._dirty:
                original._mark_written()
                for t in tensors:
                    if t._node is not None and t._array is original._array:
                        t._node.seq = tick()
                        original._node = t._node
        return type(found)(outs) if several else outs[0]


def _own(result: Tensor, args: tuple[Any, ...], ctx: FunctionCtx) -> Tensor:
    """A result that is an argument itself becomes a tensor of its own."""
    if any([result is a for a in args]) and id(result) not in ctx._dirty:
        view = Tensor._of(result._writable())
        if id(result) in ctx._flat:
            ctx._flat.add(id(view))
        return view
    if id(result) in ctx._dirty:
        same = Tensor._of(result._writable())
        return same
    return result


def once_differentiable(backward: Backward) -> Backward:
    """Mark a ``backward`` whose own operations must not be differentiated."""

    @functools.wraps(backward)
    def run(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            return backward(ctx, *grads)

    run._once = True  # type: ignore[attr-defined]  # read by the op of the application
    return run  # type: ignore[return-value]  # functools.wraps keeps the signature


class _VariableType(type):
    """Every tensor is an instance of Variable, as in PyTorch since 0.4."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableType):
    """``Variable(data)`` gives a tensor sharing memory with ``data``: what Variables became in PyTorch 0.4.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.autograd.Variable(torch.tensor([1.0]))
    tensor([1.])
    >>> isinstance(torch.ones(2), torch.autograd.Variable)
    True
    """

    def __new__(  # type: ignore[misc]  # torch's Variable makes tensors, not Variables
        cls, data: Tensor, requires_grad: bool = False, volatile: bool = False
    ) -> Tensor:
        """Give ``data`` itself if it is in a graph, else a tensor of the same memory."""
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if data._current_node is not None and not requires_grad:
            return data
        out = data.detach()
        return out.requires_grad_() if requires_grad else out

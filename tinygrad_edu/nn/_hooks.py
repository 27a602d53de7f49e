"""What a module calls besides its forward: hooks, kept only by modules that have some."""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from .._tensor import Tensor, is_grad_enabled
from ..autograd import Function

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["Hook", "Hooks", "RemovableHandle", "call_with_hooks"]

_numbers = itertools.count()


class Hook:
    """A function to be called, and how."""

    __slots__ = ("always_call", "function", "with_kwargs")

    def __init__(self, function: Callable[..., Any], with_kwargs: bool = False, always_call: bool = False) -> None:
        self.function = function
        self.with_kwargs = with_kwargs
        self.always_call = always_call


Shelf = OrderedDict[int, Hook]


class RemovableHandle:
    """What a registration returns: ``remove()`` takes the hook away again; so does leaving a ``with`` block."""

    def __init__(self, shelf: Shelf) -> None:
        self.id = next(_numbers)
        self._shelf = shelf

    def remove(self) -> None:
        """Take the hook away; doing it twice is harmless."""
        self._shelf.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one module, by the moment at which they run."""

    __slots__ = (
        "backward",
        "backward_pre",
        "forward",
        "forward_pre",
        "load_post",
        "load_pre",
        "state_dict",
        "state_dict_pre",
    )

    forward_pre: Shelf
    forward: Shelf
    backward_pre: Shelf
    backward: Shelf
    state_dict_pre: Shelf
    state_dict: Shelf
    load_pre: Shelf
    load_post: Shelf

    def __init__(self) -> None:
        for moment in self.__slots__:
            setattr(self, moment, OrderedDict())

    def add(self, moment: str, hook: Hook, *, prepend: bool = False) -> RemovableHandle:
        """Let ``hook`` run at ``moment``, after those already there or before them."""
        shelf: Shelf = getattr(self, moment)
        handle = RemovableHandle(shelf)
        shelf[handle.id] = hook
        if prepend:
            shelf.move_to_end(handle.id, last=False)
        return handle


def call_with_hooks(module: Module, own: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run pre-hooks, forward and hooks; pass inputs and outputs through gates if gradients are watched."""
    result: Any = None
    called: set[int] = set()
    try:
        for hook in list(own.forward_pre.values()):
            args, kwargs = _before(module, hook, args, kwargs)
        gate = _Gate(module, own) if own.backward or own.backward_pre else None
        if gate is not None:
            args = gate.let_in(args)
        result = module.forward(*args, **kwargs)
        for key, hook in list(own.forward.items()):
            called.add(key)
            result = _after(module, hook, args, kwargs, result)
        return result if gate is None else gate.let_out(result)
    except Exception:
        for key, hook in list(own.forward.items()):
            if hook.always_call and key not in called:
                try:
                    result = _after(module, hook, args, kwargs, result)
                except Exception as error:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                        stacklevel=3,
                    )
        raise


def _before(
    module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Run one forward pre-hook; what it returns takes the place of the arguments."""
    if not hook.with_kwargs:
        changed = hook.function(module, args)
        if changed is None:
            return args, kwargs
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    changed = hook.function(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise RuntimeError(
            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
        )
    return changed


def _after(module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """Run one forward hook; what it returns takes the place of the result."""
    changed = hook.function(module, args, kwargs, result) if hook.with_kwargs else hook.function(module, args, result)
    return result if changed is None else changed


Gradients = tuple[Tensor | None, ...]


class BackwardHookFunction(Function):
    """The identity on several tensors: their gradients come past one place, together."""

    @staticmethod
    def forward(ctx: Any, told: Callable[[Gradients], Gradients], *tensors: Tensor) -> Any:
        """Hand the tensors on as they are."""
        ctx.told = told
        ctx.mark_non_differentiable(*[t for t in tensors if not t.requires_grad])
        return tensors if len(tensors) > 1 else tensors[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        """Let the gate see the gradients, and change them."""
        return None, *ctx.told(gradients)


class _Gate:
    """One call of a module whose gradients are watched: what enters and what leaves passes an identity."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module = module
        self.before = [hook.function for hook in hooks.backward_pre.values()]
        self.after = [hook.function for hook in hooks.backward.values()]
        self.arguments = 0
        self.gradient_leaves = False  # does any input want a gradient?
        self.grad_output: Gradients = ()

    def let_in(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Pass the tensors among ``args`` through the gate behind which the backward hooks run."""
        self.arguments = len(args)
        self.gradient_leaves = is_grad_enabled() and any(isinstance(a, Tensor) and a.requires_grad for a in args)
        return _through(args, self.leave) if self.gradient_leaves else args

    def let_out(self, result: Any) -> Any:
        """Pass the result through the gate at which grad_output arrives."""
        if isinstance(result, Tensor):
            return _through((result,), self.enter)[0]
        if isinstance(result, tuple):
            return _through(result, self.enter)
        warnings.warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
            f"{type(result)}",
            stacklevel=4,
        )
        return result

    def enter(self, gradients: Gradients) -> Gradients:
        """Take grad_output on the way into the module."""
        for hook in self.before:
            changed = hook(self.module, gradients)
            if changed is not None:
                gradients = changed if isinstance(changed, tuple) else (changed,)
        self.grad_output = gradients
        if not self.gradient_leaves:  # no gradient will leave: the hooks run now
            for hook in self.after:
                if hook(self.module, (None,) * self.arguments, gradients) is not None:
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return gradients

    def leave(self, gradients: Gradients) -> Gradients:
        """Take grad_input on the way out of the module."""
        grad_output, self.grad_output = self.grad_output, ()
        for hook in self.after:
            changed = hook(self.module, gradients, grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                if len(changed) != len(gradients):
                    raise RuntimeError(
                        "Backward hook returned an invalid number of grad_input, got "
                        f"{len(changed)}, but expected {len(gradients)}"
                    )
                gradients = changed
        return gradients


def _through(values: tuple[Any, ...], told: Callable[[Gradients], Gradients]) -> tuple[Any, ...]:
    """Pass the tensors among ``values`` through an identity that tells ``told`` of all gradients, by position."""
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    wanted = [isinstance(value, Tensor) and value.requires_grad for value in values]
    if not any(wanted) or not is_grad_enabled():
        return values

    count = len(values)

    def tell(gradients: Gradients) -> Gradients:
        spread: list[Tensor | None] = [None] * count
        for i, g in zip(places, gradients, strict=True):
            spread[i] = g if wanted[i] else None
        told_of = told(tuple(spread))
        return tuple(told_of[i] for i in places)

    passed = BackwardHookFunction.apply(tell, *(values[i] for i in places))
    if len(places) == 1:
        passed = (passed,)
    result = list(values)
    for i, tensor in zip(places, passed, strict=True):
        result[i] = tensor
    return tuple(result)

"""What all optimizers share: parameter groups, state, hooks, saving and loading."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, TypeAlias, overload

import numpy as np

from .. import _lint
from .._ops._choice import FAST
from .._tensor import Tensor, enable_grad
from ._together import Bundle, Member, Moving, Together

__all__ = ["Optimizer"]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Group: TypeAlias = dict[str, Any]
Params: TypeAlias = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]
Shelf: TypeAlias = "OrderedDict[int, Callable[..., Any]]"

_numbers = itertools.count()


class RemovableHandle:
    """What registering a hook returns; ``remove()`` takes the hook away again."""

    def __init__(self, shelf: Shelf) -> None:
        self.id = next(_numbers)
        self._shelf = shelf

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._shelf.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Let a class's ``step`` run the hooks before and after it, and be noticed by schedulers."""

    @functools.wraps(step)
    def wrapper(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        for hook in list(self._optimizer_step_pre_hooks.values()) if self._optimizer_step_pre_hooks else ():
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in list(self._optimizer_step_post_hooks.values()) if self._optimizer_step_post_hooks else ():
            hook(self, args, kwargs)
        if _lint.on:
            _lint.optimizer_step(self)
        return result

    return wrapper


class Optimizer:
    """Base class of optimizers: a step changes the parameters of every group, each group with its own settings.

    An optimizer of your own gives ``defaults`` to this constructor and defines ``step``, as in PyTorch.

    Parameters
    ----------
    params
        Tensors, or pairs of name and tensor, or dicts that each hold ``params`` and settings of a group.
    defaults
        The settings of groups that do not bring their own.
    """

    _opt_called = False  # has it stepped since the first schedule was made for it?
    _is_watched = False  # is there a schedule?
    _small_together = FAST  # is the rule long enough to be worth laying small parameters together?

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = hooked(cls.step)  # type: ignore[method-assign]  # a subclass's own step gets its hooks here

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}: write [p] for a single parameter"
            )
        if defaults.get("differentiable"):
            raise NotImplementedError("differentiable=True is not supported: a step is not recorded here")
        self.defaults = defaults
        self._add_shelves()
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[Group] = []
        given: list[Any] = list(params)
        if not given:
            raise ValueError(
                "optimizer got an empty parameter list: does the model have parameters, and was an iterator not used up?"
            )
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def _add_shelves(self) -> None:
        """Make room for hooks and bundles, which are not saved with an optimizer."""
        self._optimizer_step_pre_hooks: Shelf = OrderedDict()
        self._optimizer_step_post_hooks: Shelf = OrderedDict()
        self._optimizer_state_dict_pre_hooks: Shelf = OrderedDict()
        self._optimizer_state_dict_post_hooks: Shelf = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: Shelf = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: Shelf = OrderedDict()
        self._together: dict[int, Together] = {}  # of each group, by its place: made anew whenever it does not fit

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._add_shelves()

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # ------------------------------------------------------------------ stepping

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Any]) -> Any: ...
    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient. If one cannot be changed, none is.

        Parameters
        ----------
        closure
            Called first, with gradients on, to compute the loss afresh; its result is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        plans = [(group, self._moving(group)) for group in self.param_groups]
        for place, (group, moving) in enumerate(plans):
            if self._small_together:
                self._update_together(place, group, moving)
            else:
                self._update(group, list(moving))
            for p, _, _ in moving:
                p._mark_written()
        return loss

    def _update_together(self, place: int, group: Group, moving: list[Member]) -> None:
        """Let the rule change small parameters as one."""
        together = self._together.get(place)
        if together is None or not together.fits(moving, self.state):
            self._together[place] = together = Together(moving, self.state)
        self._update(group, together.gather(moving))
        for bundle in together.bundles:
            bundle.scatter()

    def _state_of(self, p: Tensor | Bundle) -> dict[str, Any]:
        """The state of a parameter, or of several in the place of one."""
        found: dict[str, Any] = p.state if isinstance(p, Bundle) else self.state[p]
        return found

    def _update(self, group: Group, moving: Moving) -> None:
        """Change the arrays of one group, in place, under no record. What a rule of its own defines."""
        raise NotImplementedError(f"{type(self).__name__} defines no step")

    def _moving(self, group: Group) -> list[Member]:
        """Collect what has a gradient, and refuse before the first write what could not be written."""
        if group.get("capturable"):
            raise AssertionError(
                "If capturable=True, params and state_steps must be on supported devices: there is only a CPU"
            )
        moving: list[Member] = []
        upwards = group.get("maximize")
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            array = writable(p)
            g = grad._array
            if g.shape != array.shape:
                raise RuntimeError(
                    f"The size of the parameter {tuple(array.shape)} must match the size of its gradient {tuple(g.shape)}: "
                    "was the parameter's data replaced after backward()?"
                )
            if not array.flags.writeable:
                raise RuntimeError(
                    "unsupported operation: more than one element of the written-to tensor refers to a single memory "
                    f"location, or its memory is read-only. Make the parameter of shape {tuple(array.shape)} by clone()."
                )
            moving.append((p, array, -g if upwards else g))
        return moving

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        if _lint.on:
            _lint.optimizer_zero_grad(self)
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    if p.grad.grad_fn is not None:
                        p.grad = p.grad.detach()
                    p.grad.requires_grad_(False)
                    p.grad.zero_()

    # ------------------------------------------------------------------ groups

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters with settings of their own: ``{"params": [...], "lr": 0.01}``."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        members = [params] if isinstance(params, Tensor) else list(params)
        names = [member[0] for member in members if isinstance(member, tuple)]
        if names and len(names) != len(members):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        tensors = [member[1] if isinstance(member, tuple) else member for member in members]
        for p in tensors:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor: it is a result; optimize the leaves it was made of")
        group = {**param_group, "params": tensors}
        if names:
            group["param_names"] = names
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        if len({id(p) for p in tensors}) < len(tensors):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                which = "with names" if "param_names" in group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {which} to the optimizer"
                )
        known = {id(p) for other in self.param_groups for p in other["params"]}
        if not known.isdisjoint(id(p) for p in tensors):
            raise ValueError("some parameters appear in more than one parameter group")
        param_group.update(group)
        self.param_groups.append(param_group)

    # ------------------------------------------------------------------ saving and loading

    def state_dict(self) -> dict[str, Any]:
        """The whole state as a dict, parameters replaced by their numbers: ``{"state": ..., "param_groups": ...}``."""
        for hook in list(self._optimizer_state_dict_pre_hooks.values()):
            hook(self)
        number: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                number.setdefault(id(p), i)
            start += len(group["params"])
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [number[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {number[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in list(self._optimizer_state_dict_post_hooks.values()):
            result = replaced(hook(self, result), result)
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that ``state_dict`` gave, by copy. If it does not fit, nothing changes."""
        given = state_dict.copy()
        for hook in list(self._optimizer_load_state_dict_pre_hooks.values()):
            given = replaced(hook(self, given), given)
        saved = deepcopy(given["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(saved)}, and the optimizer has {len(self.param_groups)}"
            )
        owner: dict[Any, Tensor] = {}
        for number, (group, new) in enumerate(zip(self.param_groups, saved, strict=True)):
            if len(group["params"]) != len(new["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {number} has {len(new['params'])} parameters, the optimizer's has {len(group['params'])}"
                )
            owner.update(zip(new["params"], group["params"], strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in given["state"].items():
            if key in owner:
                state[owner[key]] = adapted(value, owner[key])
            else:
                state[key] = value
        for group, new in zip(self.param_groups, saved, strict=True):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
            for name, default in self.defaults.items():
                new.setdefault(name, default)
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in list(self._optimizer_load_state_dict_post_hooks.values()):
            hook(self)

    # ------------------------------------------------------------------ hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new args and kwargs."""
        return shelved(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return shelved(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before the state is saved."""
        return shelved(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after the state is saved; it may return another dict."""
        return shelved(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before a state is loaded; it may return another dict."""
        return shelved(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after a state is loaded."""
        return shelved(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def shelved(shelf: Shelf, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
    """Register a hook, last or first."""
    handle = RemovableHandle(shelf)
    shelf[handle.id] = hook
    if prepend:
        shelf.move_to_end(handle.id, last=False)
    return handle


def replaced(answer: Any, before: dict[str, Any]) -> dict[str, Any]:
    """What a hook returned in place of a dict, or the dict if it returned nothing."""
    return before if answer is None else answer


def adapted(value: Any, p: Tensor, key: object = None) -> Any:
    """Copy a saved value for parameter p: its tensors in p's dtype, the step count in its own."""
    if isinstance(value, Tensor):
        copied = value.detach().clone()
        return copied if key == "step" or not p.is_floating_point() else copied.to(dtype=p.dtype)
    if isinstance(value, dict):
        return {name: adapted(part, p, name) for name, part in value.items()}
    if isinstance(value, list | tuple | set):
        return type(value)(adapted(part, p) for part in value)
    return value


def writable(x: Tensor) -> Array:
    """The array of a tensor, fit for writing even if it has no dimensions."""
    array = x._array
    return array if type(array) is np.ndarray else x._writable()


def zeros_like(p: Tensor | Bundle) -> Tensor:
    """A tensor of zeros for the state of a parameter, laid out in memory as the parameter is."""
    out: Tensor = Tensor._of(np.zeros_like(p._array))
    return out


def counted(state: dict[str, Any]) -> float:
    """Count one step of a parameter and tell the number."""
    steps = writable(state["step"])
    steps += 1
    return float(steps)


def number(x: Any) -> float:
    """The value of a setting that may be a tensor of one element."""
    return float(x.item()) if isinstance(x, Tensor) else x


def check_lr(lr: Any) -> None:
    """Refuse a learning rate that is negative, or a tensor of several."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}: it must not be negative")


def check_least_zero(**values: float) -> None:
    """Refuse negative settings; the names are the words of the messages."""
    for name, value in values.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}: it must not be negative")


def check_ways(fused: bool | None, differentiable: bool, foreach: bool | None) -> None:
    """Refuse ways of computing that exclude each other. All others give one and the same computation here."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

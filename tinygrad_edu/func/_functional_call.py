"""Modules as functions of their parameters: call one with other parameters and buffers than its own, or stack several into one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .._functions import stack
from .._tensor import Tensor
from ..nn import Module

State = dict[str, Tensor]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: State | Sequence[State],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call ``module`` with the given parameters and buffers in the place of its own, and put these back, whatever happens.

    So the output becomes a function of the parameters, which the transforms can differentiate.

    Parameters
    ----------
    module
        Any module; what is not given it keeps.
    parameter_and_buffer_dicts
        Tensors by name, as in ``named_parameters()`` and ``named_buffers()`` ("0.weight"); a dict, or several with no name in common. Buffers
        that the module replaces or writes during the call (running statistics) are found here afterwards.
    args, kwargs
        What the module is called with; a single argument needs no tuple.
    tie_weights
        A parameter that the module has under two names gets its new value under both.
    strict
        Raise unless exactly the module's names are given.

    Raises
    ------
    ValueError
        If two dicts share a name, or tied names get different values.
    RuntimeError
        If names are missing or unexpected and ``strict``.
    AttributeError
        If a name leads to no submodule.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.func import functional_call, grad
    >>> layer = torch.nn.Linear(2, 1)
    >>> weights = {"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.tensor([0.5])}
    >>> x = torch.tensor([3.0, 4.0])
    >>> functional_call(layer, weights, x)
    tensor([11.5000])
    >>> grad(lambda weights: functional_call(layer, weights, x).sum())(weights)
    {'weight': tensor([[3., 4.]]), 'bias': tensor([1.])}
    """
    given = _one_dict(parameter_and_buffer_dicts)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _in_place_of_its_own(module, given, tie_weights, strict):
        return module(*arguments, **(kwargs or {}))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of several like modules, each stacked along a new first axis, by name.

    With :func:`functional_call` and ``vmap`` one call then runs all of them: an ensemble. The stacked parameters are new leaves.

    Parameters
    ----------
    models
        Modules of one class, all in training mode or none.

    Raises
    ------
    RuntimeError
        If there is none, or they differ in class, mode or in what requires a gradient.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> parameters, buffers = torch.func.stack_module_state([torch.nn.Linear(2, 3) for _ in range(5)])
    >>> {name: tuple(stacked.shape) for name, stacked in parameters.items()}, buffers
    ({'weight': (5, 3, 2), 'bias': (5, 3)}, {})
    """
    if not len(models):
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode. Call train() or eval() on all of them."
        )
    kinds = {type(model).__name__: type(model) for model in models}
    if len(set(kinds.values())) > 1:
        raise RuntimeError(
            f"stack_module_state: Expected all models to be of the same class. They are of {', '.join(kinds)}."
        )
    return (
        _stacked([dict(model.named_parameters()) for model in models]),
        _stacked([dict(model.named_buffers()) for model in models]),
    )


def _stacked(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Any]:
    found = {}
    for name in states[0]:
        tensors = [state[name] for state in states]
        wanted = {t.requires_grad for t in tensors}
        if len(wanted) > 1:
            raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
        stacked = stack(tensors)
        found[name] = stacked.detach().requires_grad_() if wanted == {True} else stacked
    return found


def _one_dict(given: Any) -> State:
    """The names and values of one dict or several."""
    if isinstance(given, dict):
        return given
    if not isinstance(given, Sequence):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(given)}. "
            "dict(module.named_parameters()) is one."
        )
    if not all([isinstance(part, dict) for part in given]):
        raise ValueError(
            f"Expected all elements of parameter_and_buffer_dicts to be dictionaries, but got {[type(part).__name__ for part in given]}"
        )
    names = [name for part in given for name in part]
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous. Leave each name in one of them."
        )
    return {name: value for part in given for name, value in part.items()}


@contextmanager
def _in_place_of_its_own(module: Module, given: State, tie_weights: bool, strict: bool) -> Iterator[None]:
    """Put the given tensors into the module, and its own back at the end."""
    own = dict([*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)])
    values = _with_ties(own, given) if tie_weights else given
    if strict:
        _refuse_other_names(module, own, values)
    places = {name: _place(module, name) for name in values}
    replaced: dict[str, Any] = {}
    try:
        for name, value in values.items():
            replaced[name] = _swapped(*places[name], value)
        yield
    finally:
        now = {name: _swapped(*places[name], value) for name, value in replaced.items()}
        given.update({name: now[name] for name in given if name in now and now[name] is not _ABSENT})


def _with_ties(own: State, given: State) -> State:
    """The given values, under every name that the module has for the same tensor."""
    names_of: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names_of.setdefault(id(tensor), []).append(name)
    values = dict(given)
    for names in names_of.values():
        among = [name for name in names if name in given]
        if not among:
            continue
        if len({id(given[name]) for name in among}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. Consider using tie_weights=False, or give one "
                "of them."
            )
        values.update(dict.fromkeys(names, given[among[0]]))
    return values


def _refuse_other_names(module: Module, own: State, values: State) -> None:
    unexpected, missing = sorted(values.keys() - own.keys()), sorted(own.keys() - values.keys())
    lines = [
        f"{what} key(s): {', '.join(map(repr, names))}."
        for what, names in (("Unexpected", unexpected), ("Missing", missing))
        if names
    ]
    if lines:
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(lines))


_ABSENT: Any = object()


def _place(module: Module, name: str) -> tuple[Module, str]:
    """The submodule that a dotted name leads to, and the name there."""
    path, _, last = name.rpartition(".")
    for part in path.split(".") if path else ():
        inner = getattr(module, part, None)
        if inner is None:
            raise AttributeError(f"{type(module).__name__} has no attribute `{part}`, the way to {name!r}")
        if not isinstance(inner, Module):
            raise TypeError(f"submodule `{part}` of {name!r}: {inner} is not an instance of torch.nn.Module")
        module = inner
    if not last:
        raise KeyError(f'tensor name can\'t be empty string "" (in {name!r})')
    return module, last


def _swapped(module: Module, name: str, value: Any) -> Any:
    """Put ``value`` in its place and return what was there."""
    if value is not _ABSENT and value is not None and not isinstance(value, Tensor):
        raise TypeError(f"{value} is not an instance of torch.Tensor: it was given for {name!r}")
    for registered in (module._parameters, module._buffers):
        if name in registered:
            before, registered[name] = registered[name], value
            return before
    before = getattr(module, name, _ABSENT)
    if before is not _ABSENT and before is not None and not isinstance(before, Tensor):
        raise TypeError(f"attribute `{name}`: {before} is not an instance of torch.Tensor")
    if value is not _ABSENT:
        setattr(module, name, value)
    elif before is not _ABSENT:
        delattr(module, name)
    return before

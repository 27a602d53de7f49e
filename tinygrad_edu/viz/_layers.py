"""Watching the layers of a model at work: what the tables and the plots of a model share."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from .. import nn
from .._tensor import Tensor
from ..random import get_rng_state, rand, set_rng_state

if TYPE_CHECKING:
    from .._dtype import dtype

__all__ = ["Call", "Size", "as_it_was", "draw", "is_shape", "other_memory", "tensors_in", "watching"]

See = Callable[["Call", object], None]


@dataclass(frozen=True, slots=True)
class Size:
    """The shape of a tensor, and its bytes."""

    shape: tuple[int, ...]
    nbytes: int


@dataclass(eq=False, slots=True)
class Call:
    """A module at work once, and where in the model it stands.

    ``path`` are the names that lead to it from the module of ``holder``, the innermost call that was running and holds it.
    """

    module: nn.Module
    holder: Call | None
    path: tuple[str, ...]
    inputs: list[Size]
    outputs: list[Size] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The names that lead here from the model, joined by dots as in ``named_modules``."""
        above = self.holder.name if self.holder is not None else ""
        return ".".join([above, *self.path]) if above else ".".join(self.path)


@contextmanager
def watching(model: nn.Module, see: See | None = None) -> Generator[list[Call]]:
    """Collect the calls of ``model`` and of the modules in it, in the order in which they begin.

    ``see(call, output)`` is told of each when it ends.
    """
    calls: list[Call] = []
    running: list[Call] = []
    paths: dict[nn.Module, dict[nn.Module, list[str]]] = {}
    used: dict[tuple[Call | None, nn.Module], int] = {}

    def begin(module: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        holder, path = place(module)
        call = Call(module, holder, path, sizes_in((args, kwargs)))
        calls.append(call)
        running.append(call)

    def end(module: nn.Module, _: object, output: object) -> None:
        while running[-1].module is not module:  # calls that an exception ended, and the model caught
            running.pop()
        call = running.pop()
        call.outputs = sizes_in(output)
        if see is not None:
            see(call, output)

    def place(module: nn.Module) -> tuple[Call | None, tuple[str, ...]]:
        for call in reversed(running):
            known = paths.setdefault(call.module, {}) or paths_in(call.module, paths[call.module])
            names = known.get(module)
            if names:  # a layer that stands in several places is called in one after the other
                turn = used[call, module] = used.get((call, module), -1) + 1
                return call, tuple(names[min(turn, len(names) - 1)].split("."))
        return None, ()

    handles = []
    for module in model.modules():
        handles.append(module.register_forward_pre_hook(begin, with_kwargs=True))
        handles.append(module.register_forward_hook(end))
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def paths_in(module: nn.Module, found: dict[nn.Module, list[str]]) -> dict[nn.Module, list[str]]:
    """Fill ``found`` with the names under which ``module`` holds each module, all of them where one is shared."""
    for name, held in module.named_modules(remove_duplicate=False):
        found.setdefault(held, []).extend([name] if name else [])
    return found


@contextmanager
def as_it_was(model: nn.Module, *, random: bool = False) -> Generator[None]:
    """Put back what a trial run changes: training modes, buffers, and with ``random`` the stream of random numbers."""
    before = [(module, module.training, dict(module._buffers)) for module in model.modules()]
    state = get_rng_state() if random else None
    try:
        with other_memory(list(model.buffers())):
            yield
    finally:
        for module, training, buffers in before:
            module.training = training
            module._buffers.update(buffers)
        if state is not None:
            set_rng_state(state)


@contextmanager
def other_memory(tensors: list[Tensor]) -> Generator[None]:
    """Let ``tensors`` hold copies meanwhile: their own memory is never written, so graphs that keep it stay valid."""
    own = [tensor.data for tensor in tensors]
    for tensor in tensors:
        tensor.data = tensor.data.clone()
    try:
        yield
    finally:
        for tensor, data in zip(tensors, own, strict=True):
            tensor.data = data


def is_shape(value: object) -> TypeGuard[list[int] | tuple[int, ...]]:
    """Is ``value`` a tuple or a list of whole numbers, none negative?

    >>> is_shape((1, 28, 28)), is_shape([(3,), (4,)]), is_shape(-1)
    (True, False, False)
    """
    return isinstance(value, list | tuple) and all(isinstance(number, int) and number >= 0 for number in value)


def draw(shapes: Sequence[tuple[int, ...]], dtypes: Sequence[dtype | type | str] | None) -> list[Tensor]:
    """Draw an input of each shape, uniform in [0, 1): the same numbers that torchsummary and torchinfo draw.

    Raises
    ------
    ValueError
        If there are not as many ``dtypes`` as shapes.
    """
    if dtypes is not None and len(dtypes) != len(shapes):
        raise ValueError(f"the model has {len(shapes)} inputs, but dtypes names {len(dtypes)}: give one for each input")
    inputs = [rand(*shape) for shape in shapes]
    return inputs if dtypes is None else [x.type(kind) for x, kind in zip(inputs, dtypes, strict=True)]


def tensors_in(value: object) -> list[Tensor]:
    """The tensors in ``value``, however it is nested.

    >>> import tinygrad_edu as torch
    >>> tensors_in({"a": (torch.tensor(1), None), "b": [torch.tensor(2)]})
    [tensor(1), tensor(2)]
    """
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []


def sizes_in(value: object) -> list[Size]:
    """The sizes of the tensors in ``value``."""
    return [Size(tuple(tensor.shape), tensor.numel() * tensor.element_size()) for tensor in tensors_in(value)]

"""vmap: a function of one example, run for a whole batch at once, each op once.

While a vmap runs, three things are exchanged, and put back when the last one ends: the call of every op asks the batching rules first,
``Tensor._of`` knows outlines, and (in this thread) ``grad`` and the random functions ask here what they mean for a batch. So code that
runs outside pays nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from .. import _differentiate
from .._core import engine
from .._core.modes import state
from .._core.op import restore, substitute
from .._functions import cat, movedim, narrow
from .._tensor import Tensor
from ..random import get_rng_state, set_rng_state
from ._batched import Batch, Batched, Outline, around, batches_in, stripped
from ._batching import answer
from ._trees import Spec, flatten, unflatten

__all__ = ["vmap"]

Func: TypeAlias = Callable[..., Any]  # the user's function; what it takes and returns is the user's choice
Dims: TypeAlias = Any  # an int, None, or tuples (lists, dicts) of them

_turn = threading.Lock()
_running = 0  # vmaps, in all threads
_plain_of = Tensor.__dict__["_of"]


def vmap(
    func: Func,
    in_dims: int | tuple[Any, ...] = 0,
    out_dims: int | tuple[int, ...] | None = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Func:
    """Return the function that applies ``func``, written for one example, to a whole batch: each op runs once for all examples.

    Inside, a tensor has the shape of one example. What depends on an example's values cannot steer the program there: ``if``, ``.item()``,
    boolean masks as indices and other results whose shape depends on the values are refused.

    Parameters
    ----------
    func
        Takes tensors (or nested tuples, lists and dicts of them) and returns tensors.
    in_dims
        The dimension of each input that counts the examples; None for an input that is the same for all. An int holds for all inputs; a
        tuple has the nesting of the inputs.
    out_dims
        Where the examples are counted in the outputs, in the same way.
    randomness
        What random functions do in ``func``: "error" refuses them, "different" draws anew for each example, "same" once for all.
    chunk_size
        So many examples at a time at most, to save memory; None for all at once.

    Raises
    ------
    ValueError
        If ``in_dims`` or ``out_dims`` do not fit, the inputs have different numbers of examples, or ``func`` returns what is no tensor.
    RuntimeError
        If ``func`` does what cannot be done for all examples at once.

    Notes
    -----
    What differs from torch: an output that is the same for all examples may have any ``out_dims`` (torch: only 0). The dtype in which
    operands meet is that of one example in every function (torch's ``where`` and some others look at the whole batch). Recurrent layers
    run. The mapped function may not register hooks. A tensor that has escaped from it is refused when it is used later. ``bincount``,
    ``histc`` and ``histogram`` run example by example, with a warning, as in torch. A custom ``Function`` is run inside vmap only where no
    gradient is wanted.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.func import grad, vmap
    >>> vmap(torch.dot)(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 1.0], [0.0, 2.0]]))
    tensor([3., 8.])
    >>> loss = lambda w, x, y: (w @ x - y) ** 2
    >>> w, x, y = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0.0, 0.0])
    >>> vmap(grad(loss), in_dims=(None, 0, 0))(w, x, y)  # the gradient of each example
    tensor([[2., 0.],
            [0., 4.]])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    called = _Called(func, in_dims, out_dims)

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        called.check_out_dims()
        flat, spec = flatten(args)
        dims = called.input_dims(flat, spec)
        size = _common_size(flat, dims)

        def run(examples: Sequence[Any], count: int) -> tuple[list[Any], Spec, list[int | None]]:
            with _at_work(count, randomness) as batch:
                given = [x if d is None else around(batch, _front(x, d)) for x, d in zip(examples, dims, strict=True)]
                outputs, out_spec = flatten(func(*unflatten(given, spec), **kwargs))
                places = called.output_dims(out_spec)
                return [called.result(batch, y, d) for y, d in zip(outputs, places, strict=True)], out_spec, places

        if chunk_size is None or size <= chunk_size:
            outputs, out_spec, _ = run(flat, size)
        else:
            outputs, out_spec = _in_chunks(run, flat, dims, size, chunk_size, randomness)
        return unflatten(outputs, out_spec)

    return mapped


def _in_chunks(
    run: Callable[[Sequence[Any], int], tuple[list[Any], Spec, list[int | None]]],
    flat: list[Any],
    dims: list[int | None],
    size: int,
    chunk_size: int,
    randomness: str,
) -> tuple[list[Any], Spec]:
    """Some examples after the others; the outputs joined."""
    before = get_rng_state() if randomness == "same" else None
    parts = []
    for start in range(0, size, chunk_size):
        if before is not None:
            set_rng_state(before)
        count = min(chunk_size, size - start)
        parts.append(
            run([x if d is None else narrow(x, d, start, count) for x, d in zip(flat, dims, strict=True)], count)
        )
    _, out_spec, places = parts[0]
    columns = zip(*[outputs for outputs, _, _ in parts], strict=True)
    return [ys[0] if d is None else cat(list(ys), d) for ys, d in zip(columns, places, strict=True)], out_spec


def lifted(x: Tensor) -> Tensor:
    """``x`` as a tensor of every vmap at work: one that is the same for all examples gets a gradient for each."""
    for batch in _stack():
        if batch not in batches_in([x]):
            x = around(batch, stripped(batch, x))
    return x


def leaf_of(x: Tensor) -> Tensor:
    """A leaf over the memory of ``x`` whose gradient is one for each example, where ``x`` is batched."""
    leaf = x.detach()
    inmost = leaf
    while isinstance(inmost, Batched):
        inmost = inmost._physical
    inmost.requires_grad_()
    return leaf


# ---- inputs and outputs


class _Called:
    """A mapped function, and what was said of its inputs and outputs."""

    def __init__(self, func: Func, in_dims: Dims, out_dims: Dims) -> None:
        self.func, self.in_dims, self.out_dims = func, in_dims, out_dims
        self.name = getattr(func, "__name__", None) or repr(func)

    def check_out_dims(self) -> None:
        """Refuse what says nothing about places."""
        leaves = flatten(self.out_dims)[0]
        if not all([d is None or isinstance(d, int) for d in leaves]):
            raise ValueError(
                f"vmap({self.name}, ..., out_dims={self.out_dims}): `out_dims` must be an int, None or a python collection of ints "
                "representing where in the outputs the vmapped dimension should appear."
            )

    def input_dims(self, flat: list[Any], spec: Spec) -> list[int | None]:
        """The dimension of each input that counts the examples, from the front."""
        call = f"vmap({self.name}, in_dims={self.in_dims}, ...)(<inputs>)"
        if not isinstance(self.in_dims, int | tuple):
            raise ValueError(
                f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
                f"got: {type(self.in_dims)}."
            )
        if not spec.children:
            raise ValueError(
                f"vmap({self.name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function "
                "with no inputs. The latter is unsupported."
            )
        dims = _spread(self.in_dims, spec)
        if dims is None:
            raise ValueError(
                f"{call}: in_dims is not compatible with the structure of `inputs`. in_dims has structure {flatten(self.in_dims)[1]} but "
                f"inputs has structure {spec}."
            )
        return [self._input_dim(call, x, d) for x, d in zip(flat, dims, strict=True)]

    @staticmethod
    def _input_dim(call: str, x: Any, d: Any) -> int | None:
        if d is None:
            return None
        if not isinstance(d, int):
            raise ValueError(
                f"{call}: Got in_dim={d} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(x, Tensor):
            raise ValueError(
                f"{call}: Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap over non-Tensor arguments, "
                "please use None as the respective in_dim"
            )
        if not -x.ndim <= d < x.ndim:
            raise ValueError(
                f"{call}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.ndim} so expected in_dim to "
                f"satisfy -{x.ndim} <= in_dim < {x.ndim}."
            )
        return d % x.ndim

    def output_dims(self, spec: Spec) -> list[int | None]:
        """Where the examples are counted in each output."""
        given = self.out_dims
        if spec.kind is None and isinstance(given, tuple) and len(given) == 1:
            given = given[0]
        dims = _spread(given, spec)
        if dims is None:
            raise ValueError(
                f"vmap({self.name}, ..., out_dims={self.out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. "
                f"out_dims has structure {flatten(self.out_dims)[1]} but outputs has structure {spec}."
            )
        return dims

    def result(self, batch: Batch, y: Any, d: int | None) -> Any:
        """An output as the caller sees it."""
        if d is None:
            if batch in batches_in([y]):
                raise ValueError(
                    f"vmap({self.name}, ...): `{self.name}` can not return a BatchedTensor when out_dim is None: it differs between examples."
                )
            return y
        if not isinstance(y, Tensor):
            raise ValueError(
                f"vmap({self.name}, ...): `{self.name}` must only return Tensors, got type {type(y)}. Did you mean to set out_dims= to "
                "None for output?"
            )
        physical = stripped(batch, y)
        return movedim(physical, 0, d) if d else physical


def _spread(dims: Dims, spec: Spec) -> list[Any] | None:
    """One of ``dims`` for each leaf, those of a branch for all of its leaves; None if they do not fit."""
    leaves, own = flatten(dims)

    def fit(own: Spec, spec: Spec) -> Iterator[Any] | None:
        if own.kind is None:
            return iter([next(remaining)] * spec.leaves)
        if own.kind is not spec.kind or len(own.children) != len(spec.children) or own.keys != spec.keys:
            return None
        found = [fit(a, b) for a, b in zip(own.children, spec.children, strict=True)]
        return None if None in found else iter([d for part in found if part is not None for d in part])

    remaining = iter(leaves)
    fitted = fit(own, spec)
    return None if fitted is None else list(fitted)


def _common_size(flat: list[Any], dims: list[int | None]) -> int:
    sizes = [x.shape[d] for x, d in zip(flat, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension"
        )
    return int(sizes[0])


def _front(x: Tensor, d: int) -> Tensor:
    return movedim(x, d, 0) if d else x


# ---- what is exchanged while a vmap runs


def _stack() -> list[Batch]:
    """The vmaps at work in this thread, the outermost first."""
    found: list[Batch] = state.batches
    return found


@contextmanager
def _at_work(size: int, randomness: str) -> Iterator[Batch]:
    """Exchange what must be exchanged; afterwards the batch is closed and all is as before, whatever happened."""
    batch = Batch(len(_stack()) + 1, size, randomness)
    _enter()
    state.batches = [*_stack(), batch]
    try:
        yield batch
    finally:
        batch.is_open = False
        state.batches = _stack()[:-1]
        _leave()


def _enter() -> None:
    global _running
    with _turn:
        _running += 1
        if _running == 1:
            substitute(answer)
            Tensor._of = classmethod(_of)  # type: ignore[method-assign, assignment]  # put back by _leave
    state.batched = _BATCHED


def _leave() -> None:
    global _running
    with _turn:
        _running -= 1
        if not _running:
            restore(answer)
            Tensor._of = _plain_of  # type: ignore[method-assign]  # as it was
    if len(_stack()) == 0:
        state.batched = None


def _of(cls: type[Tensor], array: Any, node: Any = None) -> Tensor:
    if isinstance(array, Outline):
        return array.tensor.detach()
    out: Tensor = _plain_of.__func__(cls, array, node)
    return out


# ---- gradients inside vmap


def _gradients(
    outs: list[Tensor], xs: list[Tensor], seeds: list[Tensor | None], retain_graph: bool, create_graph: bool
) -> list[Tensor | None]:
    """The gradients of ``outs`` by ``xs``, None where there is no influence: of each example, where they are batched."""
    batches = batches_in([*outs, *xs])
    if batches:
        return _of_each_example(max(batches, key=lambda b: b.depth), outs, xs, seeds, retain_graph, create_graph)
    if batches_in(seeds):
        return _for_each_seed(outs, xs, seeds, retain_graph, create_graph)
    return list(
        _differentiate.grad(outs, xs, seeds, retain_graph=retain_graph, create_graph=create_graph, allow_unused=True)
    )


def _of_each_example(
    batch: Batch,
    outs: list[Tensor],
    xs: list[Tensor],
    seeds: list[Tensor | None],
    retain_graph: bool,
    create_graph: bool,
) -> list[Tensor | None]:
    """Examples do not mix: one walk from all of them gives each its own gradient."""
    for number, x in enumerate(xs):
        if batch not in batches_in([x]):
            raise RuntimeError(
                f"vmap: input {number} of grad(), of shape {list(x.shape)}, is the same for all examples, so there is no gradient of each "
                "example by it: differentiate by an argument of the mapped function (torch.func.grad does), or call grad outside of vmap."
            )
    used = [(out, seed) for out, seed in zip(outs, seeds, strict=True) if batch in batches_in([out])]
    if not used:
        return [None] * len(xs)
    weights = [stripped(batch, _ones_for(out) if seed is None else seed) for out, seed in used]
    found = _gradients(
        [stripped(batch, out) for out, _ in used],
        [stripped(batch, x) for x in xs],
        list(weights),
        retain_graph,
        create_graph,
    )
    return [None if g is None else around(batch, g) for g in found]


def _ones_for(out: Tensor) -> Tensor:
    if out.numel() != 1:
        raise RuntimeError(
            f"grad can be implicitly created only for scalar outputs, but this one has shape {list(out.shape)}: reduce it, or give grad_outputs."
        )
    return out.new_ones(out.shape)


def _for_each_seed(
    outs: list[Tensor], xs: list[Tensor], seeds: list[Tensor | None], retain_graph: bool, create_graph: bool
) -> list[Tensor | None]:
    """One recorded graph, walked once with the gradients of all examples: the formulas run on tensors, as for higher orders."""
    given = [out.new_ones(out.shape) if seed is None else seed for out, seed in zip(outs, seeds, strict=True)]
    pending = _differentiate._seeds(list(outs), given, True)
    catch = {x._current_node: None for x in xs}
    if None in catch:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    outside = state.tape
    state.tape = state.own if create_graph else None
    try:
        for _ in engine.steps(pending, create_graph=True, retain_graph=retain_graph, catch=catch):
            pass
    finally:
        state.tape = outside
    return [catch[x._current_node] for x in xs]


# ---- random numbers inside vmap


class _EachItsOwn:
    """A generator that draws for every example of a batch where it is asked for the numbers of one."""

    def __init__(self, source: Any, batch: Batch) -> None:
        self._source, self._batch = source, batch

    def _outline(self, drawn: Any, *shape: int) -> Any:
        return Batched.around(self._batch, Tensor._of(drawn.reshape((self._batch.size, *shape))))._array

    def __getattr__(self, name: str) -> Any:
        draw = getattr(self._source, name)

        def drawn(n: int, *settings: Any, **named: Any) -> Any:
            return self._outline(draw(self._batch.size * n, *settings, **named), n)

        return drawn

    def _randperm(self, n: int) -> Any:
        return self._outline(np.stack([self._source._randperm(n) for _ in range(self._batch.size)]), n)

    def _keep_mask(self, like: Any, p: float) -> Any:
        shape = tuple(like) if isinstance(like, tuple) else like.shape
        return self._outline(self._source._keep_mask((self._batch.size, *shape), p), *shape)

    def _multinomial(self, weights: Any, count: int, replacement: bool) -> Any:
        rows, n = weights.shape
        drawn = self._source._multinomial(
            self._batch.whole_array(weights).reshape(self._batch.size * rows, n), count, replacement
        )
        return self._outline(drawn, rows, count)


def _draws(source: Any, inputs: tuple[Any, ...]) -> Any:
    """The generator that a random function draws from, as each vmap at work has it."""
    for batch in _stack():
        if batch.randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness "
                "flags on vmap or perform the randomness operation out of vmap"
            )
        if batch.randomness == "different":
            source = _EachItsOwn(source, batch)
        elif batch in batches_in(inputs):
            raise RuntimeError(
                "Vmap does not currently support same randomness with a batched tensor input: the chances differ between examples. "
                "Use randomness='different'."
            )
    return source


class _Hooks:
    """What grad() and the random functions ask while a vmap runs in this thread."""

    @staticmethod
    def concerns(*groups: Sequence[Any]) -> bool:
        """Is anything among these batched?"""
        return bool(batches_in(groups))

    gradients = staticmethod(_gradients)
    draws = staticmethod(_draws)


_BATCHED = _Hooks()

"""backward() and grad(): from tensors to a walk over the graph, and back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _errors, _lint
from ._allocator import watch_first_walks
from ._core import engine
from ._core.modes import state
from ._core.op import Op

if TYPE_CHECKING:
    from ._tensor import Tensor


watch_first_walks()


def _each(values: Any) -> list[Any]:
    """A list of one or several."""
    if values is None:
        return []
    return [values] if isinstance(values, Op.kind) else list(values)


def _seeds(outputs: list[Any], gradients: list[Any], create_graph: bool) -> dict[Any, Any]:
    """The gradients that the walk starts from: node -> gradient."""
    pending: dict[Any, Any] = {}
    for number, out in enumerate(outputs):
        node = out._current_node
        if node is None:
            raise RuntimeError(_errors.no_gradient_to(number, out))
        seed = gradients[number] if gradients else None
        if seed is not None:
            seed = _checked(seed, number, out)
            start = seed if create_graph else seed._array
        else:
            start = Op.kind._of(_one(out._array)) if create_graph else _one(out._array)
        pending[node] = pending[node] + start if node in pending else start
    return pending


def _one(array: Any) -> Any:
    """The gradient of a result with respect to itself, which must be one number."""
    if not array.ndim:
        return array.dtype.type(1)
    if array.size != 1:
        raise RuntimeError(
            f"grad can be implicitly created only for scalar outputs, but this one has shape {list(array.shape)}. Reduce it "
            "(loss.mean() or loss.sum()), or say how much each element counts: backward(gradient=torch.ones_like(loss))."
        )
    return np.ones(array.shape, array.dtype)


def _checked(seed: Any, number: int, out: Any) -> Any:
    """The gradient given for output ``number``, in its dtype."""
    if not isinstance(seed, Op.kind):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(seed).__name__}")
    if seed._array.shape != out._array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{number}] has a shape of {seed.shape} and output[{number}] has a shape of {out.shape}."
        )
    return seed if seed._array.dtype is out._array.dtype else seed.to(out.dtype)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensor | Sequence[Tensor | None] | None = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add to ``.grad`` of every leaf the gradient of the sum of ``tensors``, each weighted by its ``grad_tensors``.

    Raises
    ------
    RuntimeError
        If a tensor has no history, is not a scalar and no weight is given, or its graph has been freed.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    outputs = _each(tensors)
    given = _each(grad_tensors if grad_tensors is not None else grad_variables)
    if given and len(given) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(given)} gradients")
    pending = _seeds(outputs, given, create_graph)
    if _lint.on:
        _lint.backward(outputs[0])
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        engine.walk(pending, create_graph=create_graph, retain_graph=retain)
        return
    targets = _each(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    catch = {x._current_node: None for x in targets}
    if None in catch:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    engine.walk(pending, create_graph=create_graph, retain_graph=retain, catch=catch)
    for x in targets:
        g = catch[x._current_node]
        if g is not None and not x.retains_grad:  # retain_grad has laid it there already
            engine.rest(_Target(x), g, False, create_graph)


class _Target:
    """A tensor named in ``inputs``, in the place of a leaf."""

    after = None

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor
        node = tensor._current_node
        if node.op is None:
            self.after = node.after

    def tensor(self) -> Any:
        """The tensor itself."""
        return self._tensor


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Return the gradients of the sum of ``outputs`` with respect to ``inputs``; no ``.grad`` changes.

    Parameters
    ----------
    outputs, inputs
        A tensor or several.
    grad_outputs
        How much each element of the outputs counts; may be left out for scalars.
    retain_graph
        Keep the graph for another pass; by default what ``create_graph`` says.
    create_graph
        Record the pass, so that the gradients can be differentiated again.
    allow_unused
        Give None for an input that the outputs do not depend on, instead of raising.
    materialize_grads
        Give zeros for such an input.

    Raises
    ------
    RuntimeError
        If an input was not used, does not require grad, or the graph has been freed.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> (first,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> (second,) = torch.autograd.grad(first, x)
    >>> first, second
    (tensor(12., grad_fn=<MulBackward0>), tensor(12.))
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True).", FutureWarning, stacklevel=2
        )
    if is_grads_batched:
        raise NotImplementedError(
            "grad(is_grads_batched=True) is not here yet: call grad once per row of grad_outputs."
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    outs, xs = _each(outputs), _each(inputs)
    if not xs:
        raise ValueError("grad requires non-empty inputs.")
    given = _each(grad_outputs) or [None] * len(outs)
    if len(given) != len(outs):
        raise RuntimeError(f"got {len(outs)} tensors and {len(given)} gradients")
    retain = create_graph if retain_graph is None else retain_graph
    if state.batched is not None and state.batched.concerns(outs, xs, given):  # inside vmap
        each = state.batched.gradients(outs, xs, given, retain, create_graph)
        return tuple(
            [
                _found(g, number, x, allow_unused, materialize_grads)
                for number, (g, x) in enumerate(zip(each, xs, strict=True))
            ]
        )
    pending = _seeds(outs, given, create_graph)
    catch: dict[Any, Any] = {}
    for number, x in enumerate(xs):
        node = x._current_node
        if node is None:
            raise RuntimeError(
                f"One of the differentiated Tensors does not require grad: input {number}, of shape {list(x.shape)}. {_errors.cut_off(x)}"
            )
        catch[node] = None
    engine.walk(pending, create_graph=create_graph, retain_graph=retain, catch=catch)
    return tuple(
        [_found(catch[x._current_node], number, x, allow_unused, materialize_grads) for number, x in enumerate(xs)]
    )


def _found(g: Any, number: int, x: Tensor, allow_unused: bool | None, materialize: bool) -> Any:
    """The gradient that a walk left for input ``number``, as a tensor."""
    if g is None and materialize:
        g = np.zeros_like(x._array)
    if g is None and not allow_unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {number} appears to not have been used in the graph. Set allow_unused=True if this is the "
            f"desired behavior. (It has shape {list(x.shape)}; tinygrad_edu.viz.why_no_grad(x, output) tells where it was lost.)"
        )
    if g is not None and not isinstance(g, Op.kind):
        g = Op.kind._of(np.array(g) if hasattr(g, "__setitem__") else g)
    return g

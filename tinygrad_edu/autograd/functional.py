"""torch.autograd.functional: derivatives of whole functions, as products with a vector or as full matrices.

For y = f(x) with the Jacobian J = dy/dx, vjp gives v J (one backward pass), jvp gives J v, and jacobian gives J itself. For
a single number y with the Hessian H, vhp gives v H, hvp gives H v, and hessian gives H.

Where a tuple goes in (or comes out of f), a tuple comes out; a single tensor stays single.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._core.modes import enable_grad, is_grad_enabled, set_grad_enabled
from .._creation import zeros_like
from .._tensor import Tensor
from ..func._derivatives import jacfwd
from ..func._rows import block, gradients

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors = Tensor | tuple[Tensor, ...]
Func = Callable[..., Tensors]


def vjp(
    func: Func, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """Return ``func(*inputs)`` and the product of the vector ``v`` and its Jacobian: v J.

    Parameters
    ----------
    func
        Takes the inputs, returns a tensor or a tuple of tensors.
    inputs
        A tensor or a tuple of tensors.
    v
        A vector of the outputs' shapes; may be left out where the output is a single number.
    create_graph
        Record the computation, so that both results can be differentiated.
    strict
        Raise where the output does not depend on an input, instead of giving zeros.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vjp(lambda x: x * x, x, torch.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    with enable_grad():
        xs, one_input = _prepared(inputs, "inputs", "vjp", create_graph)
        outputs, one_output = _called(func, xs, "vjp", strict)
        if v is None and (len(outputs) != 1 or outputs[0].numel() != 1):
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single element. "
                f"It returned {_shapes(outputs)}."
            )
        vector = _vector(v, outputs, one_output, "vjp", create_graph)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(outputs, xs, vector, create_graph=create_graph)
        product = _filled(
            found, xs, strict, create_graph, "The output of the user-provided function", "input {}", "jacobian"
        )
    return _finished(outputs, one_output, create_graph), _finished(product, one_input, create_graph)


def jvp(
    func: Func, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """Return ``func(*inputs)`` and the product of its Jacobian and the vector ``v``: J v, how the outputs move along ``v``.

    Computed by two backward passes: u J is linear in u, so its gradient with respect to u, weighted by v, is J v. Therefore
    every operation in ``func`` must be differentiable twice.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As in :func:`vjp`.
    v
        A vector of the inputs' shapes; may be left out where the input is a single number.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.jvp(lambda x: x.prod(), x, torch.tensor([1.0, 0.0]))
    (tensor(2.), tensor(2.))
    """
    with enable_grad():
        xs, one_input = _prepared(inputs, "inputs", "jvp", create_graph)
        vector = _vector_of_inputs(v, xs, one_input, "jvp", create_graph)
        outputs, one_output = _called(func, xs, "jvp", strict)
        weights = tuple([zeros_like(out, requires_grad=True) for out in outputs])
        slopes = gradients(outputs, xs, weights, create_graph=True)
        if strict:
            _refuse_missing(slopes)
            _refuse_flat(
                slopes,
                "The gradient with respect to input {} is independent of the inputs of the user-provided function.",
            )
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(slopes, weights, vector, create_graph=create_graph)
        product = _filled(
            found, outputs, strict, create_graph, "The gradient with respect to the input", _TRICK, "jacobian"
        )
    return _finished(outputs, one_output, create_graph), _finished(product, one_output, create_graph)


def vhp(
    func: Func, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """Return ``func(*inputs)``, a single number, and the product of the vector ``v`` and its Hessian: v H.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As in :func:`vjp`.
    v
        A vector of the inputs' shapes; may be left out where the input is a single number.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.vhp(lambda x: (x**3).sum(), x, torch.tensor([1.0, 0.0]))
    (tensor(9.), tensor([6., 0.]))
    """
    with enable_grad():
        xs, one_input = _prepared(inputs, "inputs", "vhp", create_graph)
        vector = _vector_of_inputs(v, xs, one_input, "vhp", create_graph)
        output, slopes = _slopes(func, xs, "vhp", strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(slopes, xs, vector, create_graph=create_graph)
        product = _filled(
            found, xs, strict, create_graph, "The jacobian of the user-provided function", "input {}", "hessian"
        )
    return _finished(output, True, create_graph), _finished(product, one_input, create_graph)


def hvp(
    func: Func, inputs: Tensors, v: Tensors | None = None, create_graph: bool = False, strict: bool = False
) -> tuple[Tensors, Tensors]:
    """Return ``func(*inputs)``, a single number, and the product of its Hessian and the vector ``v``: H v.

    The same numbers as :func:`vhp`, for the Hessian is symmetric; computed by one backward pass more, so prefer vhp.

    Parameters
    ----------
    func, inputs, v, create_graph, strict
        As in :func:`vhp`.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.autograd.functional.hvp(lambda x: x[0] * x[1], x, torch.tensor([1.0, 0.0]))
    (tensor(2.), tensor([0., 1.]))
    """
    with enable_grad():
        xs, one_input = _prepared(inputs, "inputs", "hvp", create_graph)
        vector = _vector_of_inputs(v, xs, one_input, "hvp", create_graph)
        output, slopes = _slopes(func, xs, "hvp", strict)
        weights = tuple([zeros_like(x, requires_grad=True) for x in xs])
        bends = gradients(slopes, xs, weights, create_graph=True)  # u H, to be differentiated by u
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(bends, weights, vector, create_graph=create_graph)
        product = _filled(
            found, xs, strict, create_graph, "The hessian of the user-provided function", _TRICK, "hessian"
        )
    return _finished(output, True, create_graph), _finished(product, one_input, create_graph)


def jacobian(
    func: Func,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Tensor | tuple[Tensors, ...]:
    """Return the Jacobian: for each output and each input all derivatives, of shape (*output shape, *input shape).

    A single tensor for one output and one input; a tuple over the outputs, or over the inputs, if there is a tuple of those;
    a tuple over the outputs of tuples over the inputs if both.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As in :func:`vjp`.
    vectorize
        Compute all rows of an output in one backward pass, instead of one pass for each: faster, and takes more memory.
    strategy
        "reverse-mode" computes rows; "forward-mode" columns, as :func:`tinygrad_edu.func.jacfwd`, and only with ``vectorize=True``, without
        ``strict`` and ``create_graph``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0, 3.0])
    >>> torch.autograd.functional.jacobian(lambda x: x[:2] * x[2], x)
    tensor([[3., 0., 1.],
            [0., 3., 2.]])
    """
    _check_strategy(strategy, create_graph, strict, vectorize)
    if strategy == "forward-mode":
        xs, one_input = _tuple(inputs, "inputs", "jacobian")
        return _forward_jacobian(func, xs, one_input)
    with enable_grad():
        xs, one_input = _prepared(inputs, "inputs", "jacobian", create_graph)
        outputs, one_output = _called(func, xs, "jacobian", strict)
        if strict and vectorize:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
                "Please either set `strict=False` or `vectorize=False`."
            )
        blocks = []
        for number, out in enumerate(outputs):
            check = _row_check(number, create_graph) if strict else None
            rows = block(out, xs, create_graph=create_graph, chunk_size=None if vectorize else 1, check=check)
            blocks.append(_finished(rows, one_input, create_graph))
    return blocks[0] if one_output else tuple(blocks)


def hessian(
    func: Func,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Tensor | tuple[Tensors, ...]:
    """Return the Hessian of a function whose result is a single number: the Jacobian of its gradient.

    A single tensor of shape (*input shape, *input shape) for one input; for a tuple of inputs, tuples of tuples.

    Parameters
    ----------
    func, inputs, create_graph, strict
        As in :func:`vjp`.
    vectorize, outer_jacobian_strategy
        As in :func:`jacobian`.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.autograd.functional.hessian(lambda x: x[0] ** 2 - x[1] ** 2, torch.tensor([0.0, 0.0]))
    tensor([[ 2.,  0.],
            [ 0., -2.]])
    """
    xs, one_input = _tuple(inputs, "inputs", "hessian")

    def gradient(*xs: Tensor) -> Tensors:
        found = _prepared(xs, "inputs", "hessian", create_graph=True)[0]
        _, slopes = _slopes(func, found, "hessian", strict)
        return tuple([zeros_like(x) if g is None else g for g, x in zip(slopes, found, strict=True)])

    blocks: Any = jacobian(gradient, xs, create_graph, strict, vectorize, outer_jacobian_strategy)
    found: Tensor | tuple[Tensors, ...] = blocks[0][0] if one_input else blocks
    return found


# ---- what the six share

_TRICK = "entry {} in the vector of the double backward trick"


def _check_strategy(strategy: str, create_graph: bool, strict: bool, vectorize: bool) -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            f'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, '
            f'"forward-mode" is recommended. Otherwise, use "reverse-mode". It is {strategy!r}.'
        )
    if strategy == "reverse-mode":
        return
    for is_on, name, error in ((create_graph, "create_graph", NotImplementedError), (strict, "strict", RuntimeError)):
        if is_on:
            raise error(
                f'torch.autograd.functional.jacobian: `{name}=True` and `strategy="forward-mode"` are not supported together (yet). '
                f'Please either set `{name}=False` or `strategy="reverse-mode"`.'
            )
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for `vectorize=True`."
        )


def _tuple(values: object, what: str, caller: str) -> tuple[tuple[Tensor, ...], bool]:
    """The tensors as a tuple, and whether it was a single one."""
    several = values if isinstance(values, tuple) else (values,)
    for number, value in enumerate(several):
        if not isinstance(value, Tensor):
            which = f"value at index {number}" if isinstance(values, tuple) else f"given {what}"
            raise TypeError(
                f"The {what} given to {caller} must be either a Tensor or a tuple of Tensors but the {which} has type {type(value)}."
            )
    return several, not isinstance(values, tuple)


def _prepared(
    values: object, what: str, caller: str, create_graph: bool, wanted: bool = True
) -> tuple[tuple[Tensor, ...], bool]:
    """New tensors over the same memory: a tensor that ``func`` holds itself is a constant to it, even if it is an input."""
    several, single = _tuple(values, what, caller)
    fresh = [x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(wanted) for x in several]
    return tuple(fresh), single


def _called(func: Func, xs: tuple[Tensor, ...], caller: str, strict: bool) -> tuple[tuple[Tensor, ...], bool]:
    """The outputs of the user's function."""
    outputs, single = _tuple(func(*xs), "outputs of the user-provided function", caller)
    if strict:
        for number, out in enumerate(outputs):
            if not out.requires_grad:
                raise RuntimeError(
                    f"Output {number} of the user-provided function does not require gradients. The outputs must be computed in a "
                    "differentiable manner from the input when running in strict mode."
                )
    return outputs, single


def _slopes(
    func: Func, xs: tuple[Tensor, ...], caller: str, strict: bool
) -> tuple[tuple[Tensor, ...], list[Tensor | None]]:
    """The single number that ``func`` returns, and its recorded gradients."""
    outputs, single = _called(func, xs, caller, strict)
    if not single:
        raise RuntimeError(f"The function given to {caller} should return a single Tensor, but it returned a tuple.")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {caller} should contain a single element, but its shape is {_shapes(outputs)}. "
            "Sum it, or take one element."
        )
    slopes = gradients(outputs, xs, create_graph=True)
    if strict:
        _refuse_missing(slopes)
        _refuse_flat(
            slopes,
            "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is independent "
            "of the input (a linear function's is).",
        )
    return outputs, slopes


def _vector_of_inputs(
    v: Tensors | None, xs: tuple[Tensor, ...], single: bool, caller: str, create_graph: bool
) -> tuple[Tensor, ...] | None:
    if v is None and (len(xs) != 1 or xs[0].numel() != 1):
        raise RuntimeError(
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element. "
            f"The input is {_shapes(xs)}."
        )
    return _vector(v, xs, single, caller, create_graph)


def _vector(
    v: Tensors | None, like: tuple[Tensor, ...], single: bool, caller: str, create_graph: bool
) -> tuple[Tensor, ...] | None:
    """The vector as a tuple, of the shapes it must have."""
    if v is None:
        return None
    vector, _ = _prepared(v, "v", caller, create_graph, wanted=False)
    if len(vector) != len(like):
        raise RuntimeError(
            "The given v should contain a single Tensor."
            if single
            else f"v is a tuple of invalid length: should be {len(like)} but got {len(vector)}."
        )
    for number, (part, other) in enumerate(zip(vector, like, strict=True)):
        if part.shape != other.shape:
            raise RuntimeError(
                f"{'' if single else f'Entry {number} in '}v has invalid size: should be {other.shape} but got {part.shape}."
            )
    return vector


def _forward_jacobian(func: Func, xs: tuple[Tensor, ...], one_input: bool) -> Tensor | tuple[Tensors, ...]:
    one_output = True

    def outputs(*xs: Tensor) -> tuple[Tensor, ...]:
        nonlocal one_output
        found, one_output = _tuple(func(*xs), "outputs of the user-provided function", "jacobian")
        return found

    rows = jacfwd(outputs, tuple(range(len(xs))))(*xs)
    blocks = [of_output[0] if one_input else of_output for of_output in rows]
    return blocks[0] if one_output else tuple(blocks)


def _row_check(number: int, create_graph: bool) -> Callable[[Sequence[Tensor | None]], None]:
    """What strict mode demands of each row of the Jacobian of output ``number``."""

    def check(row: Sequence[Tensor | None]) -> None:
        for i, g in enumerate(row):
            if g is None:
                raise RuntimeError(
                    f"Output {number} of the user-provided function is independent of input {i}. This is not allowed in strict mode."
                )
            if create_graph and not g.requires_grad:
                raise RuntimeError(
                    f"The jacobian of the user-provided function is independent of input {i}. This is not allowed in strict mode when "
                    "create_graph=True."
                )

    return check


def _refuse_missing(slopes: Sequence[Tensor | None]) -> None:
    for number, g in enumerate(slopes):
        if g is None:
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {number}. This is not allowed in strict mode."
            )


def _refuse_flat(slopes: Sequence[Tensor | None], sentence: str) -> None:
    for number, g in enumerate(slopes):
        if g is not None and not g.requires_grad:
            raise RuntimeError(f"{sentence.format(number)} This is not allowed in strict mode.")


def _filled(
    found: list[Tensor | None],
    like: tuple[Tensor, ...],
    strict: bool,
    create_graph: bool,
    what: str,
    of: str,
    derivative: str,
) -> tuple[Tensor, ...]:
    """Zeros for what is missing; in strict mode an error."""
    product = []
    for number, (g, other) in enumerate(zip(found, like, strict=True)):
        if strict and g is None:
            raise RuntimeError(f"{what} is independent of {of.format(number)}. This is not allowed in strict mode.")
        if strict and create_graph and g is not None and not g.requires_grad:
            raise RuntimeError(
                f"The {derivative} of the user-provided function is independent of input {number}. This is not allowed in strict mode "
                "when create_graph=True."
            )
        product.append(zeros_like(other) if g is None else g)
    return tuple(product)


def _finished(values: Sequence[Tensor], single: bool, create_graph: bool) -> Tensors:
    """The results for the user: without history unless wanted, single if the input was."""
    results = tuple(values) if create_graph else tuple([value.detach() for value in values])
    return results[0] if single else results


def _shapes(tensors: Sequence[Tensor]) -> str:
    return ", ".join([str(list(x.shape)) for x in tensors])

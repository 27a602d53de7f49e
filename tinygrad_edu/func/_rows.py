"""Backward passes over one recorded graph: one pass, or those of all rows of a Jacobian together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._creation import eye, zeros_like
from .._differentiate import grad
from .._functions import stack
from .._tensor import Tensor
from ._vmap import vmap


def gradients(
    outputs: Sequence[Tensor | None],
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor] | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
) -> list[Tensor | None]:
    """grad(), where outputs without history count as constants and an input without influence gets None."""
    seeds: Sequence[Tensor | None] = weights or [None] * len(outputs)
    used = [(out, seed) for out, seed in zip(outputs, seeds, strict=True) if out is not None and out.requires_grad]
    if not used:
        return [None] * len(inputs)
    outs, seeds = zip(*used, strict=True)
    return [*grad(outs, inputs, seeds, retain_graph, create_graph, allow_unused=True)]


def filled(found: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor]:
    """Zeros for what is missing."""
    return [zeros_like(x) if g is None else g for g, x in zip(found, like, strict=True)]


def block(
    output: Tensor,
    inputs: Sequence[Tensor],
    *,
    create_graph: bool = False,
    chunk_size: int | None = None,
    check: Callable[[Sequence[Tensor | None]], None] | None = None,
) -> list[Tensor]:
    """The Jacobian of one output by each input, of shape (*output shape, *input shape).

    All rows are computed by one pass over the graph, ``chunk_size`` of them at a time if given; one after the other if that
    is 1, or if a step of the graph (a custom backward that reads numbers) cannot be done for all rows at once. Rows computed one
    after the other are shown to ``check`` as they come, None where an input has no influence.
    """
    if not output.numel():
        return [x.new_zeros(output.shape + x.shape) for x in inputs]
    if chunk_size == 1 or output.numel() == 1:
        return one_by_one(output, inputs, create_graph, check)
    try:
        return together(output, inputs, create_graph, chunk_size)
    except RuntimeError:
        return one_by_one(output, inputs, create_graph)  # raises again if it was not for vmap


def together(
    output: Tensor, inputs: Sequence[Tensor], create_graph: bool = False, chunk_size: int | None = None
) -> list[Tensor]:
    """The blocks, by a pass that carries the seeds of many rows."""

    def row(seed: Tensor) -> tuple[Tensor, ...]:
        found = gradients([output], inputs, [seed], create_graph=create_graph, retain_graph=True)
        return tuple(filled(found, inputs))

    rows = vmap(row, chunk_size=chunk_size)(_seeds(output))
    return [of_x.reshape(output.shape + x.shape) for of_x, x in zip(rows, inputs, strict=True)]


def one_by_one(
    output: Tensor,
    inputs: Sequence[Tensor],
    create_graph: bool = False,
    check: Callable[[Sequence[Tensor | None]], None] | None = None,
) -> list[Tensor]:
    """The blocks, by a pass for each row."""
    rows = []
    for seed in _seeds(output):
        found = gradients([output], inputs, [seed], create_graph=create_graph, retain_graph=True)
        if check is not None:
            check(found)
        rows.append(filled(found, inputs))
    return [
        stack(of_x).reshape(output.shape + x.shape) for of_x, x in zip(zip(*rows, strict=True), inputs, strict=True)
    ]


def _seeds(output: Tensor) -> Tensor:
    """For each element of the output the weights that pick it out."""
    return eye(output.numel(), dtype=output.dtype).reshape(-1, *output.shape)

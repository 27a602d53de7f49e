"""The table of torchsummary: one row per layer, in the order of execution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from ... import nn
from .._layers import Call, as_it_was, draw, is_shape, watching

if TYPE_CHECKING:
    from ..._dtype import dtype

__all__ = ["summary"]

Shape: TypeAlias = list[int]
BATCH = 2  # the smallest batch that batch norm can train on
MEGABYTE = 1024**2
RULE = "-" * 64


def summary(
    model: nn.Module,
    input_size: tuple[int, ...] | Sequence[tuple[int, ...]],
    batch_size: int = -1,
    device: object = "cpu",  # torchsummary's interface; there is one device
    dtypes: Sequence[dtype | type | str] | None = None,
) -> None:
    """Print the layers of ``model`` with the shapes of their results and their parameters, as torchsummary does.

    ``input_size`` is the shape of one input without the batch, or a list of them for a model of several inputs;
    ``batch_size`` is only shown; ``dtypes`` are those of the inputs. A batch of random numbers goes through the model,
    whose buffers (the statistics of batch norm) are put back afterwards.

    The model itself has a row only if it holds parameters of its own.

    Unlike torchsummary's, every parameter is counted once: of LSTMs, of shared layers, and those without a layer; and
    results may be tuples and dicts of tensors.

    Raises
    ------
    TypeError, ValueError
        If ``input_size`` is no shape, or ``dtypes`` are not as many as the inputs.

    Examples
    --------
    >>> from tinygrad_edu import nn
    >>> summary(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (2,))
    ----------------------------------------------------------------
            Layer (type)               Output Shape         Param #
    ================================================================
                Linear-1                    [-1, 3]               9
                  ReLU-2                    [-1, 3]               0
    ================================================================
    Total params: 9
    Trainable params: 9
    Non-trainable params: 0
    ----------------------------------------------------------------
    Input size (MB): 0.00
    Forward/backward pass size (MB): 0.00
    Params size (MB): 0.00
    Estimated Total Size (MB): 0.00
    ----------------------------------------------------------------
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"summary: a model is an nn.Module, not {type(model).__name__}")
    sizes = _shapes(input_size)
    rows = _rows(model, sizes, batch_size, dtypes)
    print(RULE)
    print(f"{'Layer (type)':>20}  {'Output Shape':>25} {'Param #':>15}")
    print("=" * 64)
    for number, (name, shapes, count) in enumerate(rows, 1):
        shape = shapes[0] if len(shapes) == 1 else shapes
        print(f"{f'{name}-{number}':>20}  {shape!s:>25} {count:>15,}")

    parameters = list(model.parameters())
    total = sum(p.numel() for p in parameters)
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    inputs = abs(batch_size * sum(math.prod(size) for size in sizes) * 4 / MEGABYTE)
    # twice, for the gradients
    outputs = abs(2 * sum(math.prod(shape) for _, shapes, _ in rows for shape in shapes) * 4 / MEGABYTE)
    weights = total * 4 / MEGABYTE
    print("=" * 64)
    print(f"Total params: {total:,}")
    print(f"Trainable params: {trainable:,}")
    print(f"Non-trainable params: {total - trainable:,}")
    print(RULE)
    print(f"Input size (MB): {inputs:.2f}")
    print(f"Forward/backward pass size (MB): {outputs:.2f}")
    print(f"Params size (MB): {weights:.2f}")
    print(f"Estimated Total Size (MB): {weights + outputs + inputs:.2f}")
    print(RULE)


def _shapes(input_size: object) -> list[tuple[int, ...]]:
    """The shapes of the inputs: a tuple of numbers is one, a list holds several."""
    sizes = [input_size] if isinstance(input_size, tuple) else input_size
    if not isinstance(sizes, list) or not all(is_shape(size) for size in sizes):
        raise TypeError(
            "input_size is the shape of one input without the batch as a tuple, such as (1, 28, 28), or a list of such "
            f"shapes for several inputs, not {input_size!r}"
        )
    return [tuple(size) for size in sizes]


def _rows(
    model: nn.Module, sizes: list[tuple[int, ...]], batch_size: int, dtypes: Sequence[dtype | type | str] | None
) -> list[tuple[str, list[Shape], int]]:
    """Run ``model`` once and collect (class, shapes of the result, parameters not met before) of each layer."""
    rows: list[tuple[str, list[Shape], int]] = []
    met: set[int] = set()

    def ended(call: Call, _: object) -> None:
        module = call.module
        own = {id(p): p.numel() for p in module.parameters(recurse=False) if id(p) not in met}
        met.update(own)
        # Containers have no row; nor has the model itself, unless it holds what no other row counts.
        if isinstance(module, nn.Sequential | nn.ModuleList) or (module is model and layered and not own):
            return
        shapes = [[batch_size, *size.shape[1:]] if size.shape else [] for size in call.outputs]
        rows.append((type(module).__name__, shapes, sum(own.values())))

    layered = any(True for _ in model.children())
    inputs = draw([(BATCH, *size) for size in sizes], dtypes)
    with as_it_was(model), watching(model, ended):
        model(*inputs)
    return rows

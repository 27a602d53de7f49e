"""The table of torchsummary: one row per layer, in the order of execution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from .. import nn
from .._tensor import Tensor
from ..random import rand

if TYPE_CHECKING:
    from .._dtype import dtype

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

    Unlike torchsummary's, every parameter is counted once: of LSTMs, of shared layers, and those without a layer; and
    results may be tuples and dicts of tensors.

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
    sizes = [tuple(input_size)] if isinstance(input_size, tuple) else [tuple(size) for size in input_size]
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


def _rows(
    model: nn.Module, sizes: list[tuple[int, ...]], batch_size: int, dtypes: Sequence[dtype | type | str] | None
) -> list[tuple[str, list[Shape], int]]:
    """Run ``model`` once and collect (class, shapes of the result, parameters not met before) of each layer."""
    rows: list[tuple[str, list[Shape], int]] = []
    met: set[int] = set()

    def watch(module: nn.Module) -> Callable[[], None]:
        def seen(module: nn.Module, _: object, output: object) -> None:
            shapes = [[batch_size, *tensor.shape[1:]] if tensor.ndim else [] for tensor in _tensors(output)]
            own = {id(p): p.numel() for p in module.parameters(recurse=False) if id(p) not in met}
            met.update(own)
            rows.append((type(module).__name__, shapes, sum(own.values())))

        return module.register_forward_hook(seen).remove

    layers = [module for module in model.modules() if not isinstance(module, nn.Sequential | nn.ModuleList)]
    inputs = [rand(BATCH, *size) for size in sizes]
    if dtypes is not None:
        inputs = [x.type(kind) for x, kind in zip(inputs, dtypes, strict=True)]
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    remove = [watch(module) for module in layers]
    try:
        model(*inputs)
    finally:
        for stop in remove:
            stop()
        for buffer, value in before:
            buffer.data.copy_(value)
    return rows


def _tensors(output: object) -> list[Tensor]:
    """The tensors in ``output``, however it is nested."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, tuple | list):
        return [tensor for part in output for tensor in _tensors(part)]
    return []

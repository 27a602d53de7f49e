"""The numbers behind the plots, without matplotlib: what they show, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ... import nn
from ..._core.modes import module_scope
from ..._core.op import unwatch, watch
from ..._creation import from_numpy, linspace, ones_like
from ..._tensor import Tensor, enable_grad, no_grad
from ...nn import functional
from ...random import get_rng_state, set_rng_state
from .._layers import as_it_was, other_memory

__all__ = [
    "ACTIVATIONS",
    "Flow",
    "Grid",
    "Histogram",
    "Landscape",
    "Numbers",
    "activation",
    "as_array",
    "at_bounds",
    "confusion",
    "curves",
    "gradient_flow",
    "histograms",
    "landscape",
    "mosaic",
    "moving_mean",
    "predictions",
    "weight_matrices",
]

Numbers: TypeAlias = Tensor | np.ndarray | Sequence[Any]
What: TypeAlias = Literal["weights", "activations", "grads"]
ACTIVATIONS = (
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
)  # fmt: skip  # of one number each, so that they have a curve
WATCHED = frozenset(ACTIVATIONS) | {"prelu", "rrelu", "threshold"}
BOUNDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "hardsigmoid": (0.0, 1.0)}
NEAR = 0.01  # of the range between the bounds: nearer than that is saturated


class Histogram(NamedTuple):
    """How often the values of one layer fall between which edges; and which of them no longer learn.

    ``dead`` is the share of units that are 0 for every example (of a relu), ``saturated`` the share of values that are
    within 1 % of the range of a bound (of sigmoid, tanh and hardsigmoid); None where the question makes no sense.
    """

    name: str
    counts: np.ndarray
    edges: np.ndarray
    dead: float | None = None
    saturated: float | None = None


class Flow(NamedTuple):
    """The size of the gradients of one parameter; None where it has none."""

    name: str
    mean: float | None
    largest: float | None


class Grid(NamedTuple):
    """What a model answers at each point of a rectangle: ``output[i, j]`` at ``(x[j], y[i])``."""

    x: np.ndarray
    y: np.ndarray
    output: np.ndarray


class Landscape(NamedTuple):
    """A loss around the present parameters: ``losses[i, j]`` at ``steps[j]`` of one direction and ``steps[i]`` of the other."""

    steps: np.ndarray
    losses: np.ndarray


def as_array(values: Numbers) -> np.ndarray:
    """Numbers as an array, whether they come as a tensor, an array, or a sequence that may hold tensors.

    >>> as_array([1, 2.5]), as_array(ones_like(from_numpy(np.zeros(2)), requires_grad=True))
    (array([1. , 2.5]), array([1., 1.]))
    """
    if isinstance(values, Tensor):
        return np.asarray(values.detach().numpy())
    return np.asarray(
        [as_array(v) if isinstance(v, Tensor) else v for v in values] if isinstance(values, list | tuple) else values
    )


def activation(
    function: str | Callable[[Tensor], Tensor], low: float = -6.0, high: float = 6.0, points: int = 241
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An activation function between ``low`` and ``high``: the places, its values and its slopes, by the engine's own gradient.

    Raises
    ------
    ValueError
        If there is no such function, or it does not give one number for each.

    Examples
    --------
    >>> x, y, slope = activation("sigmoid", -1, 1, 3)
    >>> print(y[1], slope[1])
    0.5 0.25
    """
    if isinstance(function, str):
        if function not in ACTIVATIONS:
            raise ValueError(
                f"there is no activation function {function!r} to draw; there are {', '.join(ACTIVATIONS)}"
            )
        curve: Callable[[Tensor], Tensor] = getattr(functional, function)
    else:
        curve = function
    if not low < high:
        raise ValueError(f"an activation is drawn from low to a higher high, not from {low} to {high}")
    with enable_grad():
        x = linspace(low, high, points).requires_grad_()
        y = curve(x)
        if not isinstance(y, Tensor) or y.shape != x.shape:
            raise ValueError("only a function that gives one number for each number has a curve")
        y.backward(ones_like(y))
    slope = np.zeros(points) if x.grad is None else as_array(x.grad)
    return as_array(x), as_array(y), slope


def moving_mean(values: Numbers, window: int) -> np.ndarray:
    """The mean of each value and of the ``window - 1`` before it, or of as many as there are.

    >>> moving_mean([1.0, 3.0, 5.0, 7.0], 2).tolist()
    [1.0, 2.0, 4.0, 6.0]
    """
    if window < 1:
        raise ValueError(f"a mean is taken over 1 step or more, not {window}")
    array = as_array(values).astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(array)])
    ends = np.arange(1, len(array) + 1)
    starts = np.maximum(ends - window, 0)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def curves(log: Numbers | Mapping[str, Numbers]) -> dict[str, np.ndarray]:
    """The curves in a log: one of numbers, or several by name.

    >>> curves([3.0, 2.0])
    {'loss': array([3., 2.])}
    """
    named = log if isinstance(log, Mapping) else {"loss": log}
    found = {str(name): as_array(values).astype(np.float64) for name, values in named.items()}
    for name, values in found.items():
        if values.ndim != 1 or not len(values):
            raise ValueError(
                f"a history is a list of numbers, one for each step; {name!r} has the shape {values.shape}"
            )
    if not found:
        raise ValueError("the history is empty")
    return found


def histograms(model: nn.Module, what: What = "weights", bins: int = 50, inputs: Any = None) -> list[Histogram]:
    """Count the values of each layer of ``model``: its weights, their gradients, or its activations on ``inputs``.

    Weights are the parameters of two dimensions or more, or all where there is none. Activations are the results of activation
    functions, called as modules or as functions, while the model runs once on ``inputs`` (a tensor, or a tuple of several)
    in evaluation mode. A unit is a feature (the last axis) or, after convolutions, a channel.

    Raises
    ------
    ValueError
        If there is nothing to count: no inputs, no gradients, no activation functions.

    Examples
    --------
    >>> layer = nn.Linear(2, 2)
    >>> _ = nn.init.constant_(layer.weight, 0.5)
    >>> histograms(layer, bins=2)
    [Histogram(name='weight', counts=array([0, 4]), edges=array([0. , 0.5, 1. ]), dead=None, saturated=None)]
    """
    if what == "activations":
        return _activations(model, bins, inputs)
    if what not in ("weights", "grads"):
        raise ValueError(f"what to count is 'weights', 'activations' or 'grads', not {what!r}")
    named = list(model.named_parameters())
    matrices = [(name, parameter) for name, parameter in named if parameter.ndim >= 2] or named
    if not matrices:
        raise ValueError(f"{type(model).__name__} has no parameters")
    if what == "weights":
        return [_count(name, as_array(parameter), bins) for name, parameter in matrices]
    grads = [(name, parameter.grad) for name, parameter in matrices if parameter.grad is not None]
    if not grads:
        raise ValueError(NO_GRADIENTS)
    return [_count(name, as_array(grad), bins) for name, grad in grads]


NO_GRADIENTS = "no parameter has a gradient yet: call loss.backward() first, and look before optimizer.zero_grad()"


def _activations(model: nn.Module, bins: int, inputs: Any) -> list[Histogram]:
    if inputs is None:
        raise ValueError(
            "activations need something to run on: give a batch, as in hist(model, 'activations', inputs=x)"
        )
    found: list[Histogram] = []
    names: dict[str, int] = {}
    convolved = False

    def see(op: Any, args: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        nonlocal convolved
        if op.name.startswith("conv") or op.name in ("linear", "matmul"):
            convolved = op.name.startswith("conv")
        if op.name not in WATCHED or not isinstance(out, Tensor):
            return
        path = ".".join(label.name for label in module_scope.labels(module_scope.state.own.path)[1:])
        name = f"{path} ({op.name})" if path else op.name
        names[name] = names.get(name, 0) + 1
        if names[name] > 1:
            name += f" {names[name]}"
        found.append(_activity(name, op.name, as_array(out), bins, 1 if convolved and out.ndim > 2 else -1))

    with as_it_was(model, random=True), no_grad():
        model.eval()
        watch(see)
        try:
            model(*inputs) if isinstance(inputs, tuple) else model(inputs)
        finally:
            unwatch(see)
    if not found:
        raise ValueError(f"{type(model).__name__} calls no activation function such as relu, sigmoid or tanh")
    return found


def _activity(name: str, function: str, values: np.ndarray, bins: int, unit_axis: int) -> Histogram:
    dead = saturated = None
    if function == "relu":
        units = (
            np.moveaxis(values, unit_axis, 0).reshape(values.shape[unit_axis], -1)
            if values.ndim
            else values.reshape(1, 1)
        )
        dead = float(np.mean(~units.any(axis=1)))
    if function in BOUNDS:
        saturated = float(np.mean(at_bounds(function, values)))
    return _count(name, values, bins)._replace(dead=dead, saturated=saturated)


def at_bounds(function: str, values: np.ndarray) -> np.ndarray:
    """Say of each result of sigmoid, tanh or hardsigmoid whether it is within 1 % of the range of a bound.

    >>> at_bounds("tanh", np.array([0.0, 0.97, -0.99]))
    array([False, False,  True])
    """
    low, high = BOUNDS[function]
    margin = NEAR * (high - low)
    return np.asarray((values < low + margin) | (values > high - margin))


def _count(name: str, values: np.ndarray, bins: int) -> Histogram:
    finite = values[np.isfinite(values)].astype(np.float64)
    if bins < 1:
        raise ValueError(f"a histogram has 1 bin or more, not {bins}")
    counts, edges = np.histogram(finite, bins)
    return Histogram(name, counts, edges)


def gradient_flow(model: nn.Module) -> list[Flow]:
    """The mean and the largest absolute gradient of each weight (as in ``histograms``), from the input to the output.

    >>> layer = nn.Linear(1, 1)
    >>> (layer(ones_like(layer.weight)) * 3).sum().backward()
    >>> gradient_flow(layer)
    [Flow(name='weight', mean=3.0, largest=3.0)]
    """
    named = list(model.named_parameters())
    flows = [
        Flow(name, *_sizes(parameter.grad))
        for name, parameter in [(name, p) for name, p in named if p.ndim >= 2] or named
    ]
    if not any(flow.mean is not None for flow in flows):
        raise ValueError(NO_GRADIENTS)
    return flows


def _sizes(grad: Tensor | None) -> tuple[float | None, float | None]:
    if grad is None:
        return None, None
    sizes = np.abs(as_array(grad))
    return float(sizes.mean()), float(sizes.max())


def weight_matrices(model: nn.Module) -> list[tuple[str, np.ndarray]]:
    """The weight of each layer that has one of two dimensions or more, as a matrix with a row for each output.

    >>> [(name, weight.shape) for name, weight in weight_matrices(nn.Sequential(nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Linear(5, 1)))]
    [('0', (4, 12)), ('2', (1, 5))]
    """
    found = []
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim >= 2:
            found.append((name or type(module).__name__, as_array(weight).reshape(weight.shape[0], -1)))
    if not found:
        raise ValueError(f"no layer of {type(model).__name__} has a weight of two dimensions or more")
    return found


def mosaic(weight: Numbers) -> np.ndarray:
    """The kernels of a convolution side by side: a row for each output channel, a column for each input channel.

    Kernels of three input channels are colours, from their least value to their greatest; they fill a square. Between two
    kernels lies one pixel of nan.

    >>> mosaic(np.arange(8.0).reshape(2, 1, 2, 2)).tolist()
    [[0.0, 1.0, nan, 4.0, 5.0], [2.0, 3.0, nan, 6.0, 7.0]]
    """
    kernels = as_array(weight).astype(np.float64)
    if kernels.ndim != 4:
        raise ValueError(f"the weight of a two-dimensional convolution has 4 dimensions, not {kernels.ndim}")
    outputs, inputs, height, width = kernels.shape
    if inputs == 3:
        low, high = kernels.min(), kernels.max()
        tiles = ((kernels - low) / (high - low or 1.0)).transpose(0, 2, 3, 1)  # (O, H, W, 3)
    else:
        tiles = kernels.reshape(outputs * inputs, height, width)
    columns = inputs if inputs not in (1, 3) else int(np.ceil(np.sqrt(outputs)))
    rows = -(-len(tiles) // columns)
    out = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[3:]), np.nan)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        out[top : top + height, left : left + width] = tile
    return out


def predictions(model: Callable[[Tensor], Tensor], X: Numbers, resolution: int = 200, margin: float = 0.1) -> Grid:
    """What ``model`` answers on a grid around the points ``X`` of shape (N, 2), in evaluation mode.

    ``margin`` is what the rectangle extends beyond the points, as a share of their extent.

    Raises
    ------
    ValueError
        If the points are not of two dimensions, or the model does not give an answer for each.

    Examples
    --------
    >>> grid = predictions(lambda points: points.sum(1), [[0.0, 0.0], [1.0, 2.0]], resolution=3, margin=0.0)
    >>> grid.output.tolist()
    [[0.0, 0.5, 1.0], [1.0, 1.5, 2.0], [2.0, 2.5, 3.0]]
    """
    points = as_array(X)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"a boundary is drawn around points of two numbers, X of shape (N, 2), not {points.shape}")
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.where(high > low, high - low, 1.0) * margin
    x = np.linspace(low[0] - extent[0], high[0] + extent[0], resolution)
    y = np.linspace(low[1] - extent[1], high[1] + extent[1], resolution)
    rows = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)  # (resolution * resolution, 2)
    first = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    kind = as_array(first).dtype if first is not None else np.dtype(np.float32)
    with as_it_was(model, random=True) if isinstance(model, nn.Module) else nullcontext(), no_grad():
        if isinstance(model, nn.Module):
            model.eval()
        output = as_array(model(from_numpy(rows.astype(kind))))
    if output.ndim == 2 and output.shape[1] == 1:
        output = output[:, 0]
    if output.ndim not in (1, 2) or len(output) != len(rows):
        raise ValueError(
            f"the model gives {tuple(output.shape)} for {len(rows)} points: one number or one score for each class is expected"
        )
    return Grid(x, y, output.reshape(resolution, resolution, *output.shape[1:]))


def confusion(y_true: Numbers, y_pred: Numbers, classes: int | None = None) -> np.ndarray:
    """Count how often class i (row) was taken for class j (column); ``y_pred`` may be scores of shape (N, classes).

    >>> confusion([0, 0, 1, 2], [0, 1, 1, 1]).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    true, predicted = as_array(y_true), as_array(y_pred)
    if predicted.ndim == 2 and true.ndim == 1:
        classes = predicted.shape[1] if classes is None else classes
        predicted = predicted.argmax(axis=1)
    if true.ndim != 1 or true.shape != predicted.shape or not len(true):
        raise ValueError(
            f"as many predictions as true classes are expected, one number each, not {predicted.shape} and {true.shape}"
        )
    both = np.stack([true, predicted])
    if (both != np.floor(both)).any() or both.min() < 0:
        raise ValueError("classes are numbers 0, 1, 2 ...; scores have the shape (N, classes)")
    count = int(both.max()) + 1 if classes is None else classes
    if both.max() >= count:
        raise ValueError(f"there is a class {int(both.max())}, but only {count} classes, 0 to {count - 1}")
    table = np.zeros((count, count), int)
    np.add.at(table, (both[0].astype(int), both[1].astype(int)), 1)
    return table


def landscape(
    loss_fn: Callable[[], Tensor],
    params: nn.Module | Iterable[Tensor],
    span: float = 1.0,
    points: int = 25,
    seed: int = 0,
) -> Landscape:
    """The loss in a plane through the present parameters, along two random directions with the lengths of the filters.

    ``loss_fn()`` computes the loss with the present values of ``params``. Each direction is drawn from a normal distribution and
    then each filter of it (each row of a matrix) stretched to the length of that filter in the parameters; vectors, such
    as biases, stay where they are (Li, Xu, Taylor, Studer and Goldstein: Visualizing the Loss Landscape of Neural Nets, 2018).
    The plane reaches from -``span`` to ``span``; at 0, 0 stands the present loss.

    Raises
    ------
    ValueError
        If no parameter has two dimensions, or the loss is not one number.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> found = landscape(lambda: (layer.weight**2).sum(), layer, points=3)
    >>> bool(found.losses[1, 1] == (layer.weight**2).sum().item()), found.losses.shape
    (True, (3, 3))
    """
    model = params if isinstance(params, nn.Module) else None
    tensors = list(params.parameters() if isinstance(params, nn.Module) else params)
    present = [as_array(tensor) for tensor in tensors]
    if not any(array.ndim >= 2 for array in present):
        raise ValueError("a landscape needs a parameter of two dimensions or more, such as the weight of a layer")
    draw = np.random.default_rng(seed)
    first, second = ([_direction(array, draw) for array in present] for _ in range(2))
    steps = np.linspace(-span, span, points)
    losses = np.empty((points, points))
    with as_it_was(model) if model is not None else nullcontext(), other_memory(tensors), no_grad():
        random = get_rng_state()
        for i, up in enumerate(steps):
            for j, along in enumerate(steps):
                for tensor, array, a, b in zip(tensors, present, first, second, strict=True):
                    tensor.data = from_numpy((array + along * a + up * b).astype(array.dtype))
                set_rng_state(random)  # the same dropout everywhere
                losses[i, j] = _one_number(loss_fn())
        set_rng_state(random)
    return Landscape(steps, losses)


def _direction(array: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    if array.ndim < 2:
        return np.zeros_like(array)
    rows = draw.standard_normal((len(array), array[0].size))
    lengths = np.linalg.norm(array.reshape(len(array), -1), axis=1, keepdims=True)
    direction: np.ndarray = rows * lengths / np.linalg.norm(rows, axis=1, keepdims=True)
    return direction.reshape(array.shape)


def _one_number(loss: Tensor | float) -> float:
    array = as_array(loss) if isinstance(loss, Tensor) else np.asarray(loss)
    if array.size != 1:
        raise ValueError(f"loss_fn() gives the loss as one number, not a tensor of shape {array.shape}")
    return float(array.reshape(()))

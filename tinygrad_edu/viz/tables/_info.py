"""The table of torchinfo: a model as a tree, one row per call of a layer."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, TypeAlias

from ... import nn
from ..._tensor import Tensor, no_grad
from .._layers import Call, Size, as_it_was, draw, is_shape, sizes_in, watching

if TYPE_CHECKING:
    from ..._dtype import dtype

__all__ = ["ColumnSettings", "Mode", "ModelStatistics", "RowSettings", "Verbosity", "info"]

Shape: TypeAlias = Sequence[int]
MEGABYTE = 10**6
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
INDENT = 5  # the columns that a level of the tree takes
NARROWEST = 40  # the column of the names


class ColumnSettings(StrEnum):
    """The columns that ``info`` can show."""

    KERNEL_SIZE = "kernel_size"
    INPUT_SIZE = "input_size"
    OUTPUT_SIZE = "output_size"
    NUM_PARAMS = "num_params"
    PARAMS_PERCENT = "params_percent"
    MULT_ADDS = "mult_adds"
    TRAINABLE = "trainable"


class RowSettings(StrEnum):
    """What ``info`` can show in a row, and which rows."""

    DEPTH = "depth"
    VAR_NAMES = "var_names"
    ASCII_ONLY = "ascii_only"
    HIDE_RECURSIVE_LAYERS = "hide_recursive_layers"


class Mode(StrEnum):
    """How the model behaves while it runs."""

    TRAIN = "train"
    EVAL = "eval"


class Verbosity(IntEnum):
    """How much ``info`` prints: nothing, the table, or the table with a row for each parameter."""

    QUIET = 0
    DEFAULT = 1
    VERBOSE = 2


TITLES = {
    ColumnSettings.KERNEL_SIZE: "Kernel Shape",
    ColumnSettings.INPUT_SIZE: "Input Shape",
    ColumnSettings.OUTPUT_SIZE: "Output Shape",
    ColumnSettings.NUM_PARAMS: "Param #",
    ColumnSettings.PARAMS_PERCENT: "Param %",
    ColumnSettings.MULT_ADDS: "Mult-Adds",
    ColumnSettings.TRAINABLE: "Trainable",
}
KNOWN_BY_RUNNING = {ColumnSettings.INPUT_SIZE, ColumnSettings.OUTPUT_SIZE, ColumnSettings.MULT_ADDS}
TRAINABLE = {(True, True): "True", (True, False): "Partial", (False, False): "False"}  # some parameters, all parameters
Cells: TypeAlias = dict[ColumnSettings, str]


@dataclass(eq=False, slots=True)
class Layer:
    """A row of the tree: a call of a module, or a container on the way to one that was not called itself.

    The names of its attributes are torchinfo's.
    """

    module: nn.Module
    var_name: str
    depth: int
    depth_index: int  # among the rows of this depth, from 1
    same: list[Layer]  # all rows of the module, in order
    call: Call | None = None
    below: list[Layer] = field(default_factory=list)

    @property
    def is_recursive(self) -> bool:
        """Had the module a row before?"""
        return self.same[0] is not self

    @property
    def class_name(self) -> str:
        """The name of the module's class."""
        return type(self.module).__name__

    @property
    def input_size(self) -> list[int]:
        """The shape of the first tensor that came in."""
        return list(self.call.inputs[0].shape) if self.call is not None and self.call.inputs else []

    @property
    def output_size(self) -> list[int]:
        """The shape of the first tensor that came out."""
        return list(self.call.outputs[0].shape) if self.call is not None and self.call.outputs else []

    @property
    def num_params(self) -> int:
        """How many numbers the parameters hold, of the module and of those in it."""
        return sum(parameter.numel() for parameter in self.parameters().values())

    def parameters(self) -> dict[int, nn.Parameter]:
        """All parameters of the module and of those in it, by identity."""
        return {id(parameter): parameter for parameter in self.module.parameters()}

    @property
    def is_leaf_layer(self) -> bool:
        """Does the module hold no others?"""
        return not any(True for _ in self.module.children())

    def is_whole(self, depth: int) -> bool:
        """Does the row stand for all that is in the module, in a tree of ``depth``?"""
        return self.depth >= depth or self.is_leaf_layer

    def all_below(self) -> Iterator[Layer]:
        """The rows under this one, all the way down."""
        for layer in self.below:
            yield layer
            yield from layer.all_below()


class ModelStatistics:
    """What ``info`` found; its text is the table.

    ``total_params``, ``trainable_params`` and ``total_param_bytes`` count each parameter once, whatever the depth;
    ``total_mult_adds`` the multiplications with an addition; ``total_input`` and ``total_output_bytes`` are in bytes, the latter
    counted twice, for the gradients, over the results of layers that have parameters. ``summary_list`` are the rows of the tree.
    """

    def __init__(self, layers: list[Layer], inputs: list[Size], formatting: Formatting) -> None:
        self.summary_list, self.formatting = layers, formatting
        parameters = layers[0].parameters().values()
        self.total_params = sum(parameter.numel() for parameter in parameters)
        self.trainable_params = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
        self.total_param_bytes = sum(parameter.numel() * parameter.element_size() for parameter in parameters)
        self.total_input = sum(size.nbytes for size in inputs)
        self.input_size = [size.shape for size in inputs]
        leaves = [layer for layer in layers if layer.is_leaf_layer]
        self.total_mult_adds = sum(mult_adds(layer) for layer in leaves)
        self.total_output_bytes = sum(
            2 * layer.call.outputs[0].nbytes
            for layer in leaves
            if layer.call is not None and layer.call.outputs and layer.parameters()
        )

    def __str__(self) -> str:
        return self.formatting.table(self)

    __repr__ = __str__


@dataclass
class Formatting:
    """How the table is to look."""

    columns: list[ColumnSettings]
    column_width: int
    depth: int
    rows: set[RowSettings]
    parameters: bool  # a row for each
    ran: bool

    def table(self, found: ModelStatistics) -> str:
        """Write the whole table."""
        width = self.name_width(found.summary_list)
        rule = "=" * (width + len(self.columns) * self.column_width)
        title = "(type (var_name)" if RowSettings.VAR_NAMES in self.rows else "(type"
        title += ":depth-idx)" if RowSettings.DEPTH in self.rows else ")"
        lines = [
            rule,
            self.row(f"Layer {title}", TITLES, width),
            rule,
            *self.tree(found, width),
            rule,
            f"Total params: {found.total_params:,}",
            f"Trainable params: {found.trainable_params:,}",
            f"Non-trainable params: {found.total_params - found.trainable_params:,}",
        ]
        if self.ran:
            total = found.total_input + found.total_output_bytes + found.total_param_bytes
            lines += [
                f"Total mult-adds {readable(found.total_mult_adds)}",
                rule,
                f"Input size (MB): {found.total_input / MEGABYTE:.2f}",
                f"Forward/backward pass size (MB): {found.total_output_bytes / MEGABYTE:.2f}",
                f"Params size (MB): {found.total_param_bytes / MEGABYTE:.2f}",
                f"Estimated Total Size (MB): {total / MEGABYTE:.2f}",
            ]
        return "\n".join([*lines, rule])

    def tree(self, found: ModelStatistics, width: int) -> Iterator[str]:
        """Write the rows; each parameter is counted in the first that it belongs to."""
        counted: set[int] = set()
        for layer in found.summary_list:
            if layer.depth > self.depth or (layer.is_recursive and RowSettings.HIDE_RECURSIVE_LAYERS in self.rows):
                continue
            yield self.row(self.start(layer.depth) + self.title(layer), self.cells(layer, found, counted), width)
            if self.parameters:
                for name, cells in parameter_rows(layer):
                    yield self.row(self.start(layer.depth + 1) + name, cells, width)

    def row(self, name: str, cells: Mapping[ColumnSettings, str], width: int) -> str:
        """Write one line."""
        texts = [f"{cells.get(column, ''):<{self.column_width}}" for column in self.columns]
        return " ".join([f"{name:<{width}}", *texts]).rstrip()

    def start(self, depth: int) -> str:
        """The branch of the tree before a name.

        >>> plain = Formatting([], 25, 3, set(), False, False)
        >>> [plain.start(depth) for depth in range(3)]
        ['', '├─', '│    └─']
        """
        ascii_only = RowSettings.ASCII_ONLY in self.rows
        if depth == 0:
            return ""
        if depth == 1:
            return "+ " if ascii_only else "├─"
        return ("|    " if ascii_only else "│    ") * (depth - 1) + ("+ " if ascii_only else "└─")

    def title(self, layer: Layer) -> str:
        """The class, the name and the number of a layer."""
        title = layer.class_name
        if RowSettings.VAR_NAMES in self.rows:
            title += f" ({layer.var_name})"
        if RowSettings.DEPTH in self.rows and layer.depth:
            title += f": {layer.depth}-{layer.depth_index}"
        return title

    def name_width(self, layers: list[Layer]) -> int:
        """The width of the first column: enough for all rows, also those too deep to be shown."""
        widest = max(layer.depth * INDENT + 1 + len(self.title(layer)) for layer in layers)
        return max(NARROWEST, math.ceil(widest / INDENT) * INDENT)

    def cells(self, layer: Layer, found: ModelStatistics, counted: set[int]) -> Cells:
        """The texts of a row; ``counted`` are the parameters of the rows before, and grows."""
        whole = layer.is_whole(self.depth)
        parameters = layer.parameters()
        lower = [] if whole else [row for same in layer.same for row in same.all_below()]
        own = parameters.keys() - {key for row in lower for key in row.parameters()}
        new = own - counted
        counted |= new
        count = sum(parameters[key].numel() for key in new)
        again = layer.is_recursive or (bool(own) and not new)
        trainable = sum(parameter.requires_grad for parameter in parameters.values())
        inside = [layer, *layer.all_below()] if whole else []
        work = sum(mult_adds(row) for row in inside if row.is_leaf_layer)
        number = f"{count:,}" if count else "--"
        return {
            ColumnSettings.INPUT_SIZE: str(layer.input_size or "--"),
            ColumnSettings.OUTPUT_SIZE: str(layer.output_size or "--"),
            ColumnSettings.NUM_PARAMS: "(recursive)"
            if again and parameters
            else f"({number})"
            if count and not trainable
            else number,
            ColumnSettings.PARAMS_PERCENT: "(recursive)"
            if again
            else f"{f'{count / found.total_params:.2%}' if count else '--':>7}",
            ColumnSettings.KERNEL_SIZE: kernel_of(layer.module),
            ColumnSettings.MULT_ADDS: f"{work:,}" if work else "--",
            ColumnSettings.TRAINABLE: TRAINABLE[trainable > 0, trainable == len(parameters)] if parameters else "--",
        }


def info(
    model: nn.Module,
    input_size: Shape | Sequence[Shape] | None = None,
    input_data: object = None,
    batch_dim: int | None = None,
    cache_forward_pass: bool | None = None,  # torchinfo's interface; each call runs the model anew
    col_names: Iterable[str] | None = None,
    col_width: int = 25,
    depth: int = 3,
    device: object = None,  # torchinfo's interface; there is one device
    dtypes: Sequence[dtype | type | str] | None = None,
    mode: str | None = None,
    row_settings: Iterable[str] | None = None,
    verbose: int | None = None,
    **kwargs: object,
) -> ModelStatistics:
    """Print ``model`` as a tree of layers with shapes and parameters, as torchinfo does, and return what was found.

    The model runs once, without recording and in the given ``mode``, on random numbers of ``input_size`` or on ``input_data``;
    its modes and buffers are put back afterwards. Without either it does not run, and the rows are the modules that it holds.

    Parameters
    ----------
    input_size
        The shape of the input with its batch, or a list of the shapes of several inputs.
    input_data
        What to give instead: a tensor, a list of arguments or a dict of keyword arguments. ``kwargs`` are further ones.
    batch_dim
        Where to insert a batch of one into every input; None where the shapes contain the batch.
    col_names
        Columns out of ``input_size``, ``output_size``, ``num_params``, ``params_percent``, ``kernel_size``, ``mult_adds`` and
        ``trainable``.
    depth
        How many levels to show; what lies deeper is counted in the row above it. The totals do not depend on it.
    dtypes
        The dtypes of the inputs drawn for ``input_size``.
    mode
        ``"eval"`` (the default) or ``"train"``.
    row_settings
        Any of ``depth``, ``var_names``, ``ascii_only`` and ``hide_recursive_layers``.
    verbose
        0 prints nothing, 1 the table, 2 also a row for each parameter. The default is 1, and 0 at a prompt or in a notebook,
        which shows the returned table by itself.

    Every parameter is counted once, where it first appears. A layer's mult-adds are estimated as its parameters times the
    positions at which it uses them: the places of a convolution, the rows of a linear layer, the steps of a recurrent one.
    Looking up an embedding takes none; normalisation, small beside these, is counted once for each item of the batch.

    Raises
    ------
    TypeError, ValueError
        If the arguments make no sense.
    RuntimeError
        If both inputs are given, or the model fails; it says which layers ran before.

    Examples
    --------
    >>> from tinygrad_edu import nn
    >>> found = info(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), (5, 2), verbose=1)
    ==========================================================================================
    Layer (type:depth-idx)                   Output Shape              Param #
    ==========================================================================================
    Sequential                               [5, 3]                    --
    ├─Linear: 1-1                            [5, 3]                    9
    ├─ReLU: 1-2                              [5, 3]                    --
    ==========================================================================================
    Total params: 9
    Trainable params: 9
    Non-trainable params: 0
    Total mult-adds (M): 0.00
    ==========================================================================================
    Input size (MB): 0.00
    Forward/backward pass size (MB): 0.00
    Params size (MB): 0.00
    Estimated Total Size (MB): 0.00
    ==========================================================================================
    >>> found.total_params, found.total_mult_adds
    (9, 45)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"info: a model is an nn.Module, not {type(model).__name__}")
    runs = input_size is not None or input_data is not None
    columns = _columns(col_names, runs)
    rows = {RowSettings(name) for name in (("depth",) if row_settings is None else row_settings)}
    behaviour = Mode(mode or "eval")
    if verbose is None:
        verbose = Verbosity.QUIET if hasattr(sys, "ps1") else Verbosity.DEFAULT
    if verbose not in list(Verbosity):
        raise ValueError(f"Verbose must be either 0 (quiet), 1 (default), or 2 (verbose), not {verbose!r}.")
    if col_width <= 0:
        raise ValueError(f"Column width must be greater than 0: {col_width=}")
    if depth < 0:
        raise ValueError(f"depth must be 0 (the model alone) or more: {depth=}")
    if input_size is not None and input_data is not None:
        raise RuntimeError("Only one of (input_data, input_size) should be specified.")

    inputs: list[Size] = []
    if runs:
        args, named = _arguments(input_size, input_data, batch_dim, dtypes)
        named.update(kwargs)
        inputs = sizes_in((args, named))
        layers = _tree(model, _run(model, args, named, behaviour))
    else:
        layers = _structure(model)
    found = ModelStatistics(
        layers, inputs, Formatting(columns, col_width, depth, rows, verbose == Verbosity.VERBOSE, runs)
    )
    if verbose != Verbosity.QUIET:
        print(found)
    return found


def _columns(names: Iterable[str] | None, runs: bool) -> list[ColumnSettings]:
    if names is None:
        return [ColumnSettings.OUTPUT_SIZE, ColumnSettings.NUM_PARAMS] if runs else [ColumnSettings.NUM_PARAMS]
    columns = [ColumnSettings(name) for name in ([names] if isinstance(names, str) else names)]
    unknown = [column.value for column in columns if column in KNOWN_BY_RUNNING]
    if unknown and not runs:
        raise ValueError(f"You must pass input_data or input_size in order to use columns: {', '.join(unknown)}")
    return columns


def _arguments(
    input_size: Shape | Sequence[Shape] | None,
    input_data: object,
    batch_dim: int | None,
    dtypes: Sequence[dtype | type | str] | None,
) -> tuple[list[object], dict[str, object]]:
    """The arguments for the model's forward, by position and by name."""

    def batched(value: object) -> object:
        return value.unsqueeze(batch_dim) if isinstance(value, Tensor) and batch_dim is not None else value

    if input_size is not None:
        shapes = _shapes(input_size)
        if batch_dim is not None:
            shapes = [(*shape[:batch_dim], 1, *shape[batch_dim:]) for shape in shapes]
        return list(draw(shapes, dtypes)), {}
    if isinstance(input_data, Mapping):
        return [], {str(name): batched(value) for name, value in input_data.items()}
    values = input_data if isinstance(input_data, list | tuple) else [input_data]
    return [batched(value) for value in values], {}


def _shapes(input_size: object) -> list[tuple[int, ...]]:
    """The shapes of the inputs: one, or several in a list."""
    sizes = [input_size] if is_shape(input_size) else input_size
    if not isinstance(sizes, list | tuple) or not all(is_shape(size) for size in sizes):
        raise TypeError(
            "input_size is the shape of the input with its batch, such as (1, 28, 28), or a list of shapes for several "
            f"inputs, not {input_size!r}"
        )
    return [tuple(size) for size in sizes]


def _run(model: nn.Module, args: list[object], named: dict[str, object], mode: Mode) -> list[Call]:
    with as_it_was(model), no_grad(), watching(model) as calls:
        model.train(mode is Mode.TRAIN)
        try:
            model(*args, **named)
        except Exception as error:
            ran = [type(call.module).__name__ for call in calls if call.outputs]
            raise RuntimeError(
                f"Failed to run the model on inputs of {[list(size.shape) for size in sizes_in((args, named))]}, after "
                f"{', '.join(ran) or 'no layer'}: {error}"
            ) from error
    return calls


def _tree(model: nn.Module, calls: list[Call]) -> list[Layer]:
    """The rows in the order in which the calls began, each after those of the containers that it stands in."""
    grow = _Growth()
    rows: dict[Call, Layer] = {}
    open_containers: dict[Layer, list[Layer]] = {}  # by the row of the call that holds them
    for call in calls:
        if call.holder is None:
            rows[call] = grow.add(None, type(call.module).__name__, call.module, call)
            continue
        above = holder = rows[call.holder]
        still_open = open_containers.get(holder, [])
        containers: list[Layer] = []
        for name in call.path[:-1]:
            module = above.module.get_submodule(name)
            if len(still_open) > len(containers) and still_open[len(containers)].module is module:
                above = still_open[len(containers)]
            else:
                still_open = []
                above = grow.add(above, name, module, None)
            containers.append(above)
        open_containers[holder] = containers
        rows[call] = grow.add(above, call.path[-1], call.module, call)
    return grow.layers


def _structure(model: nn.Module) -> list[Layer]:
    """The rows of a model that does not run: the modules that it holds."""
    grow = _Growth()

    def hold(above: Layer | None, name: str, module: nn.Module) -> None:
        layer = grow.add(above, name, module, None)
        for child_name, child in module.named_children():
            hold(layer, child_name, child)

    hold(None, type(model).__name__, model)
    return grow.layers


class _Growth:
    """A tree of rows as it grows, and how many there are of each depth."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self._numbers: dict[int, int] = {}
        self._same: dict[nn.Module, list[Layer]] = {}

    def add(self, above: Layer | None, name: str, module: nn.Module, call: Call | None) -> Layer:
        """Add a row under ``above``."""
        depth = above.depth + 1 if above is not None else 0
        number = self._numbers[depth] = self._numbers.get(depth, 0) + 1
        layer = Layer(module, name, depth, number, self._same.setdefault(module, []), call)
        layer.same.append(layer)
        self.layers.append(layer)
        if above is not None:
            above.below.append(layer)
        return layer


def parameter_rows(layer: Layer) -> Iterator[tuple[str, Cells]]:
    """The names of a layer's parameters, with their numbers and shapes; of the whole model only its own."""
    parameters = [
        (name, parameter) for name, parameter in layer.module.named_parameters() if layer.depth or "." not in name
    ]
    for name, parameter in parameters:
        shape = list(parameter.shape)
        if name == "weight" and len(shape) > 1:
            shape[:2] = shape[1], shape[0]  # inputs before outputs, as torchinfo writes it
        branch = "└─" if name == parameters[-1][0] else "├─"
        yield (
            name,
            {
                ColumnSettings.NUM_PARAMS: f"{branch}{parameter.numel():,}",
                ColumnSettings.KERNEL_SIZE: str(shape),
            },
        )


def mult_adds(layer: Layer) -> int:
    """Count the multiplications with an addition of a layer that holds no others: parameters times positions.

    A position is where the layer uses its parameters once: a place of the kernel, a row of a linear layer, a step of a
    recurrent one. Other layers, small beside these, count one position for each item of the batch.
    """
    if layer.call is None or not layer.call.outputs or isinstance(layer.module, nn.Embedding | nn.EmbeddingBag):
        return 0
    module, shape = layer.module, layer.output_size
    if isinstance(module, TRANSPOSED) and layer.call.inputs:
        shape = layer.input_size  # its kernel is laid on every place of the input
    if isinstance(module, CONVOLUTIONS + TRANSPOSED):
        positions = math.prod(shape) // shape[-1 - len(module.kernel_size)]
    elif isinstance(module, nn.Linear | nn.Bilinear | nn.RNNBase | nn.RNNCellBase):
        positions = math.prod(shape[:-1])
    else:
        positions = shape[0] if shape else 1
    return positions * layer.num_params


def kernel_of(module: nn.Module) -> str:
    """The size of a module's kernel as text.

    >>> kernel_of(nn.Conv2d(1, 1, 3)), kernel_of(nn.MaxPool2d(2)), kernel_of(nn.ReLU())
    ('[3, 3]', '2', '--')
    """
    kernel = getattr(module, "kernel_size", None)
    return "--" if kernel is None else str(list(kernel) if isinstance(kernel, tuple) else kernel)


def readable(number: int) -> str:
    """A large number with its unit: millions, or more.

    >>> readable(2_500_000), readable(18 * 10**9), readable(0)
    ('(M): 2.50', '(G): 18', '(M): 0')
    """
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6)):
        if number >= size or unit == "M":
            break
    return f"({unit}): {number // size:,}" if number % size == 0 else f"({unit}): {number / size:,.2f}"

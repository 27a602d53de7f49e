"""Recurrent networks: one small network, applied at every step of a sequence to the input and its own last state."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

from .. import _dtype
from .._creation import Device, empty, zeros
from .._functions import cat, stack
from .._ops import rnn as _ops
from .._ops.shape import getitem
from .._tensor import Tensor
from . import functional as F
from . import init
from ._module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

State = tuple[Tensor, ...]  # (h,) or, for LSTM, (h, c); each (N, size)
Cell = Callable[[Tensor, Tensor, State], State]  # (input's share, hidden's share, state) -> new state


# The cells. Each gets what input and last output contribute to the gates, already multiplied by the weights.


def tanh_cell(x: Tensor, y: Tensor, _state: State) -> State:
    """H' = tanh(W x + U h + b)."""
    return ((x + y).tanh(),)


def relu_cell(x: Tensor, y: Tensor, _state: State) -> State:
    """H' = relu(W x + U h + b)."""
    return ((x + y).relu(),)


def lstm_cell(x: Tensor, y: Tensor, state: State) -> State:
    """C' = f c + i g, h' = o tanh(c'). Hochreiter and Schmidhuber, 1997.

    i, f, o are sigmoids and g a tanh of W x + U h + b.
    """
    i, f, g, o = (x + y).chunk(4, -1)
    c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_cell(x: Tensor, y: Tensor, state: State) -> State:
    """H' = (1 - z) n + z h with n = tanh(W x + r (U h)). Cho et al., 2014.

    r and z are sigmoids of W x + U h + b.
    """
    x_r, x_z, x_n = x.chunk(3, -1)
    y_r, y_z, y_n = y.chunk(3, -1)
    r = (x_r + y_r).sigmoid()
    z = (x_z + y_z).sigmoid()
    n = (x_n + r * y_n).tanh()
    return ((state[0] - n) * z + n,)


CELLS: dict[str, tuple[Cell, int]] = {  # and how many times the hidden size the gates take
    "RNN_TANH": (tanh_cell, 1),
    "RNN_RELU": (relu_cell, 1),
    "LSTM": (lstm_cell, 4),
    "GRU": (gru_cell, 3),
}


part_of_lstm = getitem.named("MkldnnRnnLayerBackward0")  # torch's step has two results, ours holds both in one


def run_sequences(
    x: Tensor, state: State, weights: dict[str, Tensor], mode: str, backwards: bool
) -> tuple[Tensor, State]:
    """Run one layer in one direction over sequences of one length (steps, N, features), as one op for all steps."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    given = [x.flip(0) if backwards else x, *state, *[weights.get(name) for name in names]]
    if mode == "LSTM":
        both = _ops.lstm(*given)
        out = part_of_lstm(both, index=(slice(0, -1),))
        last: State = (part_of_lstm(both, index=(-2,)), part_of_lstm(both, index=(-1,)))
    else:
        out = _ops.gru(*given) if mode == "GRU" else _ops.rnn(*given, rectified=mode == "RNN_RELU")
        last = (out[-1],)
    return out.flip(0) if backwards else out, last


def run_layer(
    data: Tensor, sizes: Sequence[int], state: State, weights: dict[str, Tensor], cell: Cell, backwards: bool
) -> tuple[Tensor, State]:
    """Run one layer in one direction over packed data (sum(sizes), features), step by step.

    ``sizes[t]`` sequences, the first ones, are alive at step t. Returns the outputs, packed alike, and the last state of
    each sequence.
    """
    shares = F.linear(data, weights["weight_ih"], weights.get("bias_ih")).split(list(sizes))
    outputs: list[Tensor] = []
    ended: list[State] = []  # the last states of the sequences that ended, shortest first
    first = state
    steps = list(zip(shares, sizes, strict=True))
    if backwards:  # sequences begin at their ends: the longest first, the others join
        steps.reverse()
        state = tuple(s[: steps[0][1]] for s in first) if steps[0][1] != sizes[0] else first
    for share, size in steps:
        alive = state[0].shape[0]
        if size < alive:
            ended.append(tuple(s[size:] for s in state))
            state = tuple(s[:size] for s in state)
        elif size > alive:
            state = tuple(cat([s, f[alive:size]]) for s, f in zip(state, first, strict=True))
        new = cell(share, F.linear(state[0], weights["weight_hh"], weights.get("bias_hh")), state)
        if "weight_hr" in weights:
            new = (F.linear(new[0], weights["weight_hr"]), *new[1:])
        state = new
        outputs.append(state[0])
    if backwards:
        outputs.reverse()
    if ended:
        state = tuple(cat([now, *parts]) for now, *parts in zip(state, *reversed(ended), strict=True))
    return cat(outputs), state


class RNNBase(Module):
    """What RNN, LSTM and GRU share: weights by layer and direction, and the run through them."""

    bias: bool
    dropout: float

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        if mode not in CELLS:
            raise ValueError(f"Unrecognized RNN mode: {mode}: there are {', '.join(CELLS)}")
        _check_settings(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights: list[list[str]] = []
        gates = CELLS[mode][1] * hidden_size
        directions = 2 if bidirectional else 1
        out = proj_size or hidden_size
        for layer in range(num_layers):
            for direction in range(directions):
                inputs = input_size if layer == 0 else out * directions
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, out)}
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                tail = f"_l{layer}" + ("_reverse" if direction else "")
                for name, shape in shapes.items():
                    self.register_parameter(name + tail, Parameter(empty(shape, device=device, dtype=dtype)))
                self._all_weights.append([name + tail for name in shapes])
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew: uniform within 1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: only GPUs want the weights in one block."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The weights, by layer and direction: Parameters, or what ``functional_call`` put in their places."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def extra_repr(self) -> str:
        """Return the sizes, leaving out defaults."""
        parts = [f"{self.input_size}", f"{self.hidden_size}"]
        if self.proj_size != 0:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        if self.batch_first is not False:
            parts.append(f"batch_first={self.batch_first}")
        if self.dropout != 0:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional is not False:
            parts.append(f"bidirectional={self.bidirectional}")
        return ", ".join(parts)

    def _run(self, input: Tensor | PackedSequence, given: State | None) -> tuple[Tensor | PackedSequence, State]:
        """Run all layers; returns the last layer's outputs and every layer's last state (layers * directions, N, size)."""
        if isinstance(input, PackedSequence):
            data, sizes = input.data, input.batch_sizes.tolist()
            if given is not None and input.sorted_indices is not None:
                given = tuple(s.index_select(1, input.sorted_indices) for s in given)
            out, state = self._run_layers(data, sizes, self._first_state(data, 2, given, sizes[0]))
            if input.unsorted_indices is not None:
                state = tuple(s.index_select(1, input.unsorted_indices) for s in state)
            return input._with(lambda _: out), state
        batched = input.dim() == 3
        if input.dim() not in (2, 3):
            word = " tensor" if self.mode.startswith("RNN") else ""
            raise ValueError(
                f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D{word} instead: give "
                "(steps, features), or with a batch (steps, N, features); batch_first=True wants (N, steps, features)"
            )
        if given is not None:
            given = self._checked_dimensions(given, batched)
        axis = 0 if self.batch_first else 1  # where the batch stands
        if not batched:
            input = input.unsqueeze(axis)
        count = input.shape[axis]
        first = self._first_state(input, 3, given, count)
        if self.batch_first:
            input = input.transpose(0, 1)
        length = input.shape[0]
        if length == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        if self.proj_size:
            packed = input.reshape(length * count, self.input_size)
            out, state = self._run_layers(packed, [count] * length, first)
            out = out.reshape(length, count, out.shape[-1])
        else:
            out, state = self._run_layers(input, None, first)
        if self.batch_first:
            out = out.transpose(0, 1)
        if not batched:
            return out.squeeze(axis), tuple(s.squeeze(1) for s in state)
        return out, state

    def _run_layers(self, data: Tensor, sizes: list[int] | None, first: State) -> tuple[Tensor, State]:
        """Run all layers: over packed data, or over sequences of one length if no sizes are given."""
        cell = CELLS[self.mode][0]
        directions = 2 if self.bidirectional else 1
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                data = F.dropout(data, self.dropout, True)
            outputs = []
            for direction in range(directions):
                k = layer * directions + direction
                names = self._all_weights[k]
                weights = {name[: name.rindex("_l")]: getattr(self, name) for name in names}
                begin = tuple(s[k] for s in first)
                if sizes is None:
                    out, state = run_sequences(data, begin, weights, self.mode, direction == 1)
                else:
                    out, state = run_layer(data, sizes, begin, weights, cell, direction == 1)
                outputs.append(out)
                last.append(state)
            data = cat(outputs, -1) if directions == 2 else outputs[0]
        return data, tuple(stack(parts) for parts in zip(*last, strict=True))

    def _first_state(self, input: Tensor, dimensions: int, given: State | None, count: int) -> State:
        """Check input and state against the weights; without a state begin with zeros."""
        weight = self.all_weights[0][0]
        if input.dtype != weight.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        if input.dim() != dimensions:
            raise RuntimeError(f"input must have {dimensions} dimensions, got {input.dim()}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )
        rows = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size] + [self.hidden_size] * (self.mode == "LSTM")
        if given is None:
            return tuple(zeros(rows, count, size, dtype=input.dtype) for size in sizes)
        words = ["Expected hidden[0] size", "Expected hidden[1] size"] if len(sizes) == 2 else ["Expected hidden size"]
        for state, size, word in zip(given, sizes, words, strict=True):
            if tuple(state.shape) != (rows, count, size):
                raise RuntimeError(
                    f"{word} {(rows, count, size)}, got {list(state.shape)}: (layers * directions, batch, size)"
                )
        return given

    def _checked_dimensions(self, given: State, batched: bool) -> State:
        """Refuse a state whose axes do not match the input's; add the batch axis if the input has none."""
        wanted = 3 if batched else 2
        if any(s.dim() != wanted for s in given):
            kind = f"{'batched' if batched else 'unbatched'} {wanted}-D input"
            if len(given) == 2:
                raise RuntimeError(
                    f"For {kind}, hx and cx should also be {wanted}-D but got "
                    f"({given[0].dim()}-D, {given[1].dim()}-D) tensors"
                )
            raise RuntimeError(f"For {kind}, hx should also be {wanted}-D but got {given[0].dim()}-D tensor")
        return given if batched else tuple(s.unsqueeze(1) for s in given)


def _check_settings(
    input_size: object,
    hidden_size: object,
    num_layers: int,
    bias: object,
    batch_first: object,
    dropout: object,
    proj_size: int,
) -> None:
    """Refuse what no network can be made of."""
    if not isinstance(dropout, int | float) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers "
            f"greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            stacklevel=4,
        )
    for name, value in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
    for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(value, int):
            raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        if value <= 0:
            raise ValueError(f"{name} must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if isinstance(hidden_size, int) and proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")


class RNN(RNNBase):
    """The simplest recurrent network: h' = tanh(W x + U h + b).

    Input (L, N, input_size), with ``batch_first`` (N, L, input_size), without a batch (L, input_size), or packed.
    Returns the outputs at every step and the last state (layers * directions, N, hidden_size).

    Parameters
    ----------
    num_layers
        How many networks to stack: each reads the outputs of the one below.
    nonlinearity
        ``"tanh"`` or ``"relu"``.
    dropout
        Dropout between the layers, while training.
    bidirectional
        Whether a second network reads the sequence backwards; outputs stand side by side.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> output, state = torch.nn.RNN(2, 3)(torch.ones(5, 1, 2))
    >>> output.shape, state.shape
    (torch.Size([5, 1, 3]), torch.Size([1, 1, 3]))

    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        _no_projection(proj_size)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(
            "RNN_" + nonlinearity.upper(),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            0,
            device,
            dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Read a sequence, beginning with state ``hx`` (zeros)."""
        output, (h,) = self._run(input, None if hx is None else (hx,))
        return output, h


class LSTM(RNNBase):
    """A recurrent network with a memory cell, which gates write, keep and read. Hochreiter and Schmidhuber, 1997.

    Takes what RNN takes and returns the outputs and the pair (h, c) of last states.

    Parameters
    ----------
    proj_size
        If above zero, outputs are projected to this size by one more matrix.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> lstm = torch.nn.LSTM(2, 3, num_layers=2, batch_first=True)
    >>> output, (h, c) = lstm(torch.ones(4, 5, 2))
    >>> output.shape, h.shape, c.shape
    (torch.Size([4, 5, 3]), torch.Size([2, 4, 3]), torch.Size([2, 4, 3]))

    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """Read a sequence, beginning with states ``hx`` = (h, c) (zeros)."""
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise TypeError("LSTM: hx must be the pair (h_0, c_0), as LSTM returns it")
        output, (h, c) = self._run(input, None if hx is None else tuple(hx))
        return output, (h, c)


class GRU(RNNBase):
    """A recurrent network whose gates decide how much of the state to renew. Cho et al., 2014.

    Takes and returns what RNN does.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        _no_projection(proj_size)
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Read a sequence, beginning with state ``hx`` (zeros)."""
        output, (h,) = self._run(input, None if hx is None else (hx,))
        return output, h


def _no_projection(proj_size: int) -> None:
    if proj_size:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNNCellBase(Module):
    """What the cells share: one step of a recurrent network, for loops of your own."""

    weight_ih: Parameter  # (gates * hidden_size, input_size)
    weight_hh: Parameter  # (gates * hidden_size, hidden_size)
    bias_ih: Parameter | None
    bias_hh: Parameter | None
    bias: bool

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((gates, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(empty((gates, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(gates, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew: uniform within 1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        """Return the sizes, leaving out defaults."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias is True else f", bias={self.bias}")

    def _step(self, cell: Cell, input: Tensor, given: State | None, states: int) -> State:
        """Check shapes, begin with zeros without a state, and take one step."""
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for i, state in enumerate(given or ()):
            if state.dim() not in (1, 2):
                word = f"hx[{i}]" if states == 2 else "hidden"
                raise ValueError(f"{name}: Expected {word} to be 1D or 2D, got {state.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
        if input.shape[1] != self.input_size:
            raise RuntimeError(
                f"input has inconsistent input_size: got {input.shape[1]} expected {self.input_size} ({name})"
            )
        if given is None:
            given = tuple(zeros(input.shape[0], self.hidden_size, dtype=input.dtype) for _ in range(states))
        elif not batched:
            given = tuple(state.unsqueeze(0) for state in given)
        for state in given:
            if state.shape[0] != input.shape[0]:
                raise RuntimeError(
                    f"Input batch size {input.shape[0]} doesn't match hidden0 batch size {state.shape[0]}"
                )
            if state.shape[1] != self.hidden_size:
                raise RuntimeError(
                    f"hidden0 has inconsistent hidden_size: got {state.shape[1]}, expected {self.hidden_size}"
                )
        new = cell(
            F.linear(input, self.weight_ih, self.bias_ih), F.linear(given[0], self.weight_hh, self.bias_hh), given
        )
        return new if batched else tuple(state.squeeze(0) for state in new)


class RNNCell(RNNCellBase):
    """One step of RNN: (N, input_size) and the state (N, hidden_size) to the new state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step from state ``hx`` (zeros)."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        cell = tanh_cell if self.nonlinearity == "tanh" else relu_cell
        return self._step(cell, input, None if hx is None else (hx,), 1)[0]

    def extra_repr(self) -> str:
        """Return the sizes, leaving out defaults."""
        tail = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + tail


class LSTMCell(RNNCellBase):
    """One step of LSTM: (N, input_size) and the states (h, c) to the new states.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> h, c = torch.nn.LSTMCell(2, 3)(torch.ones(1, 2))
    >>> h.shape
    torch.Size([1, 3])

    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Take one step from states ``hx`` = (h, c) (zeros)."""
        h, c = self._step(lstm_cell, input, None if hx is None else tuple(hx), 2)
        return h, c


class GRUCell(RNNCellBase):
    """One step of GRU: (N, input_size) and the state (N, hidden_size) to the new state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: _dtype.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step from state ``hx`` (zeros)."""
        return self._step(gru_cell, input, None if hx is None else (hx,), 1)[0]

"""Recurrent networks against torch: numbers, gradients, packed sequences, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.oracle import both

KINDS = {
    "RNN": lambda nn, **k: nn.RNN(3, 4, **k),
    "RNN relu": lambda nn, **k: nn.RNN(3, 4, nonlinearity="relu", **k),
    "LSTM": lambda nn, **k: nn.LSTM(3, 4, **k),
    "GRU": lambda nn, **k: nn.GRU(3, 4, **k),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "two layers": {"num_layers": 2},
    "backwards too": {"bidirectional": True},
    "without bias": {"bias": False},
    "batch first": {"batch_first": True},
    "all": {"num_layers": 3, "bidirectional": True, "batch_first": True},
    "dropout": {"num_layers": 3, "dropout": 0.4},
    "dropout backwards too": {"num_layers": 2, "dropout": 0.4, "bidirectional": True, "batch_first": True},
}


def array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def flat(state: Any) -> list[Any]:
    return list(state) if isinstance(state, tuple) else [state]


def learn(t: Any, net: Any, x: Any, hx: Any = None) -> Any:
    """Run forward and backward; everything that comes of it."""
    out, state = net(x) if hx is None else net(x, hx)
    data = out.data if hasattr(out, "batch_sizes") else out
    loss = (data * data.cos()).sum() + sum((s * s.sin()).sum() for s in flat(state))
    loss.backward()
    return data, flat(state), {name: p.grad for name, p in net.named_parameters()}


kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
@pytest.mark.parametrize("how", SETTINGS)
def test_a_network_has_torchs_weights_outputs_and_gradients(kind: str, how: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        net = KINDS[kind](t.nn, **SETTINGS[how])
        x = t.tensor(array(5, 2, 3), requires_grad=True)
        return repr(net), dict(net.state_dict()), learn(t, net, x), x.grad

    both(program, rtol=1e-4, atol=1e-5)


@kinds
@pytest.mark.parametrize("how", SETTINGS)
def test_a_network_begins_with_the_state_given(kind: str, how: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        net = KINDS[kind](t.nn, **SETTINGS[how]).eval()
        count = 5 if net.batch_first else 2
        rows = net.num_layers * (2 if net.bidirectional else 1)
        states = [t.tensor(array(rows, count, 4, seed=i), requires_grad=True) for i in range(2)]
        hx = tuple(states) if kind == "LSTM" else states[0]
        return learn(t, net, t.tensor(array(5, 2, 3)), hx), [s.grad for s in states]

    both(program, rtol=1e-4, atol=1e-5)


@kinds
@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("how", ["plain", "all", "dropout", "dropout backwards too"])
def test_packed_sequences_are_read_as_in_torch(kind: str, how: str, enforce_sorted: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        net = KINDS[kind](t.nn, **SETTINGS[how])
        x = t.tensor(array(6, 4, 3), requires_grad=True)
        lengths = [6, 4, 4, 1] if enforce_sorted else [4, 1, 6, 4]
        pack = t.nn.utils.rnn.pack_padded_sequence
        rows = net.num_layers * (2 if net.bidirectional else 1)
        states = [t.tensor(array(rows, 4, 4, seed=i), requires_grad=True) for i in range(2)]
        hx = tuple(states) if kind == "LSTM" else states[0]
        first = learn(t, net, pack(x, lengths, enforce_sorted=enforce_sorted))
        return (
            first,
            learn(t, net, pack(x, lengths, enforce_sorted=enforce_sorted), hx),
            x.grad,
            [s.grad for s in states],
        )

    both(program, rtol=1e-4, atol=1e-5)


@kinds
def test_a_packed_output_unpacks_in_the_original_order(kind: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        rnn = t.nn.utils.rnn
        packed = rnn.pack_sequence([t.tensor(array(n, 3, seed=n)) for n in (2, 5, 3)], enforce_sorted=False)
        out, _ = KINDS[kind](t.nn)(packed)
        return rnn.pad_packed_sequence(out, batch_first=True)

    both(program, rtol=1e-4, atol=1e-5)


@kinds
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_sequence_without_a_batch_is_read(kind: str, batch_first: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        net = KINDS[kind](t.nn, batch_first=batch_first, bidirectional=True)
        states = [t.tensor(array(2, 4, seed=i)) for i in range(2)]
        return (
            learn(t, net, t.tensor(array(5, 3))),
            learn(t, net, t.tensor(array(5, 3)), tuple(states) if kind == "LSTM" else states[0]),
        )

    both(program, rtol=1e-4, atol=1e-5)


@kinds
def test_a_batch_of_no_sequences_gives_none(kind: str) -> None:
    both(lambda t: [o.shape for o in flat(KINDS[kind](t.nn)(t.zeros(5, 0, 3))[0])])


@kinds
def test_double_precision_is_kept(kind: str) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        net = KINDS[kind](t.nn).double()
        return learn(t, net, t.tensor(array(5, 2, 3)).double())

    both(program)


def test_lstm_projects_its_outputs() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        net = t.nn.LSTM(3, 5, num_layers=2, proj_size=2, bidirectional=True)
        return repr(net), dict(net.state_dict()), learn(t, net, t.tensor(array(4, 2, 3)))

    both(program, rtol=1e-4, atol=1e-5)


def test_all_weights_are_listed_by_layer() -> None:
    both(lambda t: [[list(w.shape) for w in row] for row in t.nn.LSTM(3, 4, 2, bidirectional=True).all_weights])


CELLS = {
    "RNNCell": lambda nn, **k: nn.RNNCell(3, 4, **k),
    "RNNCell relu": lambda nn, **k: nn.RNNCell(3, 4, nonlinearity="relu", **k),
    "LSTMCell": lambda nn, **k: nn.LSTMCell(3, 4, **k),
    "GRUCell": lambda nn, **k: nn.GRUCell(3, 4, **k),
}


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (0, 3)])
def test_a_cell_takes_torchs_steps(kind: str, bias: bool, shape: tuple[int, ...]) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        cell = CELLS[kind](t.nn, bias=bias)
        x = t.tensor(array(*shape), requires_grad=True)
        state = cell(x)
        state = cell(x, state)
        sum((s * s.cos()).sum() for s in flat(state)).backward()
        return repr(cell), dict(cell.state_dict()), flat(state), x.grad, {n: p.grad for n, p in cell.named_parameters()}

    both(program, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.RNN(3, 0),
        lambda nn: nn.RNN(0, 3),
        lambda nn: nn.RNN(3, 4, nonlinearity="sin"),
        lambda nn: nn.RNN(3, 4, 0),
        lambda nn: nn.LSTM(3, 4, dropout=2),
        lambda nn: nn.LSTM(3, 4, dropout=True),
        lambda nn: nn.LSTM(3, 4, bias=1),
        lambda nn: nn.LSTM(3, 4, batch_first=1),
        lambda nn: nn.LSTM(3.0, 4),
        lambda nn: nn.LSTM(3, 4.0),
        lambda nn: nn.LSTM(3, 4, proj_size=4),
        lambda nn: nn.LSTM(3, 4, proj_size=-1),
        lambda nn: nn.GRU(3, 4, proj_size=2),
        lambda nn: nn.RNN(3, 4, proj_size=2),
    ],
)
def test_a_network_that_cannot_be_is_refused(make: Any) -> None:
    assert isinstance(both(lambda t: make(t.nn)), Exception)


@pytest.mark.parametrize(
    "act",
    [
        lambda t: t.nn.LSTM(3, 4)(t.ones(3)),
        lambda t: t.nn.RNN(3, 4)(t.ones(1, 2, 3, 4)),
        lambda t: t.nn.GRU(3, 4)(t.ones(5, 2, 7)),
        lambda t: t.nn.LSTM(3, 4)(t.ones(5, 2, 3, dtype=t.float64)),
        lambda t: t.nn.LSTM(3, 4)(t.ones(0, 2, 3)),
        lambda t: t.nn.RNN(3, 4)(t.ones(5, 2, 3), t.ones(1, 3, 4)),
        lambda t: t.nn.RNN(3, 4)(t.ones(5, 2, 3), t.ones(2, 4)),
        lambda t: t.nn.RNN(3, 4)(t.ones(5, 3), t.ones(1, 1, 4)),
        lambda t: t.nn.LSTM(3, 4)(t.ones(5, 2, 3), (t.ones(1, 2, 4), t.ones(1, 3, 4))),
        lambda t: t.nn.LSTM(3, 4)(t.ones(5, 2, 3), (t.ones(2, 4), t.ones(2, 4))),
        lambda t: t.nn.LSTM(3, 4)(t.ones(5, 3), (t.ones(1, 1, 4), t.ones(1, 1, 4))),
        lambda t: t.nn.GRUCell(3, 4)(t.ones(1, 2, 3)),
        lambda t: t.nn.GRUCell(3, 4)(t.ones(2, 7)),
        lambda t: t.nn.GRUCell(3, 4)(t.ones(2, 3), t.ones(3, 4)),
        lambda t: t.nn.GRUCell(3, 4)(t.ones(2, 3), t.ones(2, 5)),
        lambda t: t.nn.LSTMCell(3, 4)(t.ones(2, 3), (t.ones(1, 2, 4), t.ones(2, 4))),
        lambda t: t.nn.RNNCell(3, 4, nonlinearity="sin")(t.ones(2, 3)),
    ],
)
def test_an_input_that_does_not_fit_is_refused(act: Any) -> None:
    assert isinstance(both(act), Exception)


def test_dropout_without_a_second_layer_warns() -> None:
    import tinygrad_edu as tg

    with pytest.warns(UserWarning, match="non-zero dropout expects num_layers greater than 1"):
        tg.nn.LSTM(3, 4, dropout=0.5)

"""summary: torchsummary's text where it is right, and the right numbers where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import tinygrad_edu as t
from tinygrad_edu import nn, viz

# What torchsummary 1.5.1 prints for the same layers of torch.
MLP = """\
----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Linear-1                  [-1, 300]         235,500
              ReLU-2                  [-1, 300]               0
            Linear-3                  [-1, 100]          30,100
              ReLU-4                  [-1, 100]               0
            Linear-5                   [-1, 10]           1,010
================================================================
Total params: 266,610
Trainable params: 266,610
Non-trainable params: 0
----------------------------------------------------------------
Input size (MB): 0.00
Forward/backward pass size (MB): 0.01
Params size (MB): 1.02
Estimated Total Size (MB): 1.03
----------------------------------------------------------------
"""
SEED_0 = """\
----------------------------------------------------------------
        Layer (type)               Output Shape         Param #
================================================================
            Linear-1                     [5, 3]              12
            Linear-2                     [5, 2]               8
            Linear-3                     [5, 2]               6
================================================================
Total params: 26
Trainable params: 26
Non-trainable params: 0
----------------------------------------------------------------
Input size (MB): 0.00
Forward/backward pass size (MB): 0.00
Params size (MB): 0.00
Estimated Total Size (MB): 0.00
----------------------------------------------------------------
"""


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1, self.linear2, self.out = nn.Linear(3, 3), nn.Linear(3, 2), nn.Linear(2, 2)

    def forward(self, x: t.Tensor) -> t.Tensor:
        return t.softmax(self.out(t.relu(self.linear2(t.sigmoid(self.linear1(x))))), dim=-1)


def printed(capsys: pytest.CaptureFixture[str], *args: object, **settings: object) -> str:
    capsys.readouterr()
    assert viz.summary(*args, **settings) is None  # type: ignore[arg-type, func-returns-value]
    return capsys.readouterr().out


def rows(text: str) -> list[list[str]]:
    return [line.rsplit(maxsplit=1) for line in text.split("=" * 64)[1].strip().splitlines()]


def test_the_text_is_torchsummarys(capsys: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))
    assert printed(capsys, net, (784,)) == MLP


def test_the_model_of_seed_0_shows_26_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Model(), input_size=(3,), batch_size=5) == SEED_0


def test_frozen_parameters_are_not_trainable(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model()
    model.linear1.weight.requires_grad_(False)
    text = printed(capsys, model, (3,))
    assert "Trainable params: 17\nNon-trainable params: 9\n" in text


def test_batch_norm_is_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    printed(capsys, net, (3,))
    assert all((before[name] == value).all() for name, value in net.state_dict().items())
    assert net.training


def test_a_shared_layer_is_counted_once(capsys: pytest.CaptureFixture[str]) -> None:
    layer = nn.Linear(3, 3)
    text = printed(capsys, nn.Sequential(layer, nn.ReLU(), layer), (3,))
    assert [row[1] for row in rows(text)] == ["12", "0", "0"]
    assert "Total params: 12\n" in text


def test_an_lstm_shows_all_its_results_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, nn.Sequential(nn.LSTM(4, 5, batch_first=True)), (7, 4), batch_size=3)
    assert rows(text) == [["LSTM-1  [[3, 7, 5], [3, 2, 5], [3, 2, 5]]", "220"]]
    assert "Total params: 220\n" in text


def test_whole_numbers_may_go_in(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, nn.Sequential(nn.Embedding(10, 4)), (6,), dtypes=[t.int64])
    assert rows(text) == [["Embedding-1                 [-1, 6, 4]", "40"]]


class Scaled(nn.Module):
    """Two inputs, a dict of results, and a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(t.ones(5))
        self.fc = nn.Linear(2, 5)

    def forward(self, x: t.Tensor, y: t.Tensor) -> dict[str, t.Tensor]:
        return {"a": self.fc(x) * self.scale, "b": y}


def test_several_inputs_a_dict_and_a_bare_parameter_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, Scaled(), [(2,), (3, 3)])
    assert [row[1] for row in rows(text)] == ["15", "5"]
    assert "Total params: 20\n" in text
    assert "[[-1, 5], [-1, 3, 3]]" in text


def test_the_total_is_what_the_model_holds(capsys: pytest.CaptureFixture[str]) -> None:
    for model, size in (
        (Model(), (3,)),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten()), (1, 5, 5)),
    ):
        total = sum(parameter.numel() for parameter in model.parameters())
        assert f"Total params: {total:,}\n" in printed(capsys, model, size)


def test_a_model_that_fails_is_left_without_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model()
    removed: list[int] = []
    register = nn.Module.register_forward_hook

    def watched(module: nn.Module, hook: Callable[..., object]) -> object:
        handle = register(module, hook)
        remove = handle.remove
        monkeypatch.setattr(handle, "remove", lambda: (removed.append(1), remove()))
        return handle

    monkeypatch.setattr(nn.Module, "register_forward_hook", watched)
    with pytest.raises(RuntimeError):
        viz.summary(model, (4,))
    assert len(removed) == 4


@pytest.mark.parametrize("size", [3, [3, 4], (3, -1), "ab", ((3,), (4,))])
def test_a_size_that_is_none_is_named(size: object) -> None:
    with pytest.raises(TypeError, match="such as \\(1, 28, 28\\), or a list"):
        viz.summary(Model(), size)  # type: ignore[arg-type]


def test_too_few_dtypes_are_counted() -> None:
    with pytest.raises(ValueError, match="the model has 2 inputs, but dtypes names 1"):
        viz.summary(Scaled(), [(2,), (3, 3)], dtypes=[t.float32])


def test_a_single_layer_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert rows(printed(capsys, nn.Linear(3, 2), (3,))) == [["Linear-1                    [-1, 2]", "8"]]


def test_a_buffer_that_forward_replaces_is_put_back() -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", t.zeros(()))

        def forward(self, x: t.Tensor) -> t.Tensor:
            self.calls = self.calls + 1
            return x

    counter = Counter()
    viz.summary(counter, (1,))
    assert counter.calls.item() == 0

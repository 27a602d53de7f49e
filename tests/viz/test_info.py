"""info: each parameter counted once, whatever is shown of the model; the model left as it was."""

from __future__ import annotations

import re
from typing import Any

import pytest

import tinygrad_edu as t
from tests.viz.models import MODELS, Case
from tinygrad_edu import nn, viz


def number_column(found: viz.ModelStatistics) -> list[int]:
    """The parameters that the rows show."""
    body = str(found).split("=\n")[2].splitlines()[:-1]
    cells = [line.split()[-1].strip("()") for line in body]
    return [int(cell.replace(",", "")) for cell in cells if cell[0].isdigit()]


@pytest.mark.parametrize("case", MODELS, ids=[case.name for case in MODELS])
def test_the_rows_add_up_to_what_the_model_holds_at_every_depth(case: Case) -> None:
    model = case.build(t)
    total = sum(parameter.numel() for parameter in model.parameters())
    settings: dict[str, Any] = {"col_names": ("num_params",), "verbose": 0}
    for depth in range(6):
        assert sum(number_column(viz.info(model, depth=depth, **settings))) == total
    sizes = [(4, *size) for size in case.sizes]
    kinds = [t.int64] * len(sizes) if case.whole_numbers else None
    ran = [viz.info(model, sizes, depth=depth, dtypes=kinds, **settings) for depth in range(6)]
    assert [sum(number_column(found)) for found in ran] == [total] * 6
    totals = {(f.total_params, f.trainable_params, f.total_mult_adds, f.total_input, f.total_output_bytes) for f in ran}
    assert len(totals) == 1


class Odd(nn.Module):
    """Parameters of its own, one that is shared, a layer that is never called, a list of parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(t.ones(5))
        self.first, self.unused = nn.Linear(5, 5), nn.Linear(5, 7)
        self.second = nn.Linear(5, 5)
        self.second.weight = self.first.weight
        self.more = nn.ParameterList([nn.Parameter(t.ones(3))])

    def forward(self, x: t.Tensor, *, times: int = 1) -> dict[str, Any]:
        for _ in range(times):
            x = self.second(self.first(x)) * self.scale
        return {"x": [x], "n": times, "mean": x.mean(0)}


def test_bare_unused_and_shared_parameters_are_counted_once() -> None:
    model = Odd()
    found = viz.info(model, (2, 5), verbose=0)
    assert number_column(found) == [5 + 42 + 3, 30, 5]
    assert found.total_params == 85
    assert found.total_param_bytes == 85 * 4


def test_a_layer_whose_parameters_were_all_counted_before_is_recursive() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x: t.Tensor) -> t.Tensor:
            return self.second(self.first(x))

    rows = str(viz.info(Tied(), (2, 3), verbose=0)).splitlines()[3:6]
    assert [row.split()[-1] for row in rows] == ["--", "9", "(recursive)"]


def test_further_arguments_go_to_the_model_and_each_call_has_a_row() -> None:
    found = viz.info(Odd(), (2, 5), verbose=0, times=2)
    assert [layer.class_name for layer in found.summary_list] == ["Odd", *["Linear"] * 4]
    assert [layer.is_recursive for layer in found.summary_list] == [False, False, False, True, True]
    assert found.total_mult_adds == 4 * 30 * 2


def test_a_transposed_convolution_works_at_every_place_of_its_input() -> None:
    found = viz.info(nn.ConvTranspose2d(2, 3, 2, stride=2, bias=False), (1, 2, 4, 4), verbose=0)
    assert found.total_mult_adds == 2 * 3 * 2 * 2 * 4 * 4


def test_a_recurrent_cell_works_once_for_each_item() -> None:
    assert viz.info(nn.GRUCell(3, 5), (2, 3), verbose=0).total_mult_adds == 2 * (3 * 5 * 3 + 3 * 5 * 5 + 2 * 3 * 5)


class Distance(nn.Module):
    def forward(self, a: t.Tensor, b: t.Tensor) -> t.Tensor:
        return (a - b).sum()


@pytest.mark.parametrize(
    "given",
    [
        {"input_size": [(2, 3), (2, 3)]},
        {"input_size": [(3,), (3,)], "batch_dim": 0},
        {"input_data": (t.ones(2, 3), t.zeros(2, 3))},
        {"input_data": [t.ones(3), t.zeros(3)], "batch_dim": 0},
        {"input_data": {"a": t.ones(2, 3), "b": t.zeros(2, 3)}},
        {"input_data": t.ones(2, 3), "b": t.zeros(2, 3)},
    ],
)
def test_inputs_may_be_given_in_many_ways(given: dict[str, Any]) -> None:
    found = viz.info(Distance(), verbose=0, **given)
    items = 1 if "batch_dim" in given else 2
    assert found.input_size == [(items, 3), (items, 3)]
    assert found.total_input == 2 * items * 3 * 4


def test_whole_numbers_may_go_in() -> None:
    found = viz.info(nn.Embedding(10, 4), (2, 6), dtypes=["torch.LongTensor"], verbose=0)
    assert found.total_input == 12 * 8


def test_a_row_that_gives_no_tensor_has_no_shape() -> None:
    class Nothing(nn.Module):
        def forward(self, x: t.Tensor) -> None:
            return None

    assert str(viz.info(Nothing(), (2,), verbose=0)).splitlines()[3].split() == ["Nothing", "--", "--"]


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout())
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    viz.info(model, (4, 3), mode="train", verbose=0)
    assert [module.training for module in model.modules()] == [True, True, False]
    assert all((before[name] == value).all() for name, value in model.state_dict().items())
    assert not any(module._hooks and (module._hooks.forward or module._hooks.forward_pre) for module in model.modules())


def test_the_model_runs_in_evaluation_mode_without_recording() -> None:
    seen: list[tuple[bool, bool]] = []

    class Watched(nn.Module):
        def forward(self, x: t.Tensor) -> t.Tensor:
            seen.append((self.training, t.is_grad_enabled()))
            return x

    viz.info(Watched(), (1,), verbose=0)
    viz.info(Watched(), (1,), mode="train", verbose=0)
    assert seen == [(False, False), (True, False)]


def test_a_call_that_the_model_gives_up_does_not_confuse_the_tree() -> None:
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fails, self.works = nn.Sequential(nn.Linear(7, 7)), nn.Linear(3, 3)

        def forward(self, x: t.Tensor) -> t.Tensor:
            try:
                return self.fails(x)
            except RuntimeError:
                return self.works(x)

    found = viz.info(Careful(), (2, 3), verbose=0)
    assert [(layer.class_name, layer.depth) for layer in found.summary_list] == [
        ("Careful", 0),
        ("Sequential", 1),
        ("Linear", 2),
        ("Linear", 1),
    ]
    calls = [layer.call for layer in found.summary_list]
    assert [call.name for call in calls if call is not None] == ["", "fails", "fails.0", "works"]
    ended = [[size.shape for size in call.outputs] for call in calls if call is not None]
    assert ended == [[(2, 3)], [], [], [(2, 3)]]


def test_a_layer_in_several_places_is_called_in_one_after_the_other() -> None:
    layer = nn.Linear(3, 3)
    found = viz.info(nn.Sequential(layer, nn.ReLU(), layer), (2, 3), row_settings=("var_names",), verbose=0)
    assert [layer.var_name for layer in found.summary_list] == ["Sequential", "0", "1", "2"]


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    found = viz.info(nn.Linear(1, 1), verbose=0)
    assert capsys.readouterr().out == ""
    viz.info(nn.Linear(1, 1), verbose=1)
    assert capsys.readouterr().out == f"{found}\n"
    assert repr(found) == str(found)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"input_size": 3}, TypeError, "list of shapes"),
        ({"input_size": (-1, 3)}, TypeError, "such as (1, 28, 28)"),
        ({"input_size": "ab"}, TypeError, "list of shapes"),
        ({"input_size": (1, 3), "input_data": t.ones(1, 3)}, RuntimeError, "Only one of (input_data, input_size)"),
        ({"input_size": (1, 3), "dtypes": [t.float32, t.float32]}, ValueError, "the model has 1 inputs"),
        ({"col_names": ("output_size",)}, ValueError, "You must pass input_data or input_size"),
        ({"col_names": ("foo",)}, ValueError, "'foo' is not a valid ColumnSettings"),
        ({"row_settings": ("foo",)}, ValueError, "'foo' is not a valid RowSettings"),
        ({"mode": "same"}, ValueError, "'same' is not a valid Mode"),
        ({"verbose": 3}, ValueError, "Verbose must be either 0"),
        ({"col_width": 0}, ValueError, "Column width must be greater than 0: col_width=0"),
        ({"depth": -1}, ValueError, "depth must be 0"),
    ],
)
def test_what_makes_no_sense_is_said(settings: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        viz.info(nn.Linear(3, 3), **settings)


def test_a_model_that_fails_says_on_what_and_how_far_it_came() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1))
    with pytest.raises(RuntimeError, match=r"inputs of \[\[2, 3\]\], after Linear, ReLU: mat1 and mat2"):
        viz.info(model, (2, 3), verbose=0)
    assert model.training


def test_a_class_is_no_model() -> None:
    with pytest.raises(TypeError, match=r"a model is an nn\.Module, not type"):
        viz.info(nn.Linear, (2, 3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"a model is an nn\.Module, not type"):
        viz.summary(nn.Linear, (3,))  # type: ignore[arg-type]

"""summary and info beside torchsummary 1.5.1 and torchinfo 1.8.0, which describe the same models of torch."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_edu
from tests.oracle import HAS_TORCH, torch
from tests.viz.models import MODELS, Case
from tinygrad_edu import viz

if HAS_TORCH:
    torchinfo, torchsummary = importlib.import_module("torchinfo"), importlib.import_module("torchsummary")

NAMES = [case.name for case in MODELS]
BY_NAME = dict(zip(NAMES, MODELS, strict=True))
ALL_COLUMNS = ("input_size", "output_size", "num_params", "params_percent", "kernel_size", "mult_adds", "trainable")
WHOLE, STRUCTURE = {"col_names": ALL_COLUMNS, "depth": 6}, {"input_size": None}
OPTIONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "one level": {"depth": 1},
    "no level": {"depth": 0},
    "two levels with names": {"depth": 2, "row_settings": ("depth", "var_names")},
    "in ASCII": {"row_settings": ("ascii_only",)},
    "without repetitions": {"row_settings": ("depth", "hide_recursive_layers")},
    "all columns": WHOLE,
    "all parameters": {**WHOLE, "verbose": 2, "col_width": 18},
    "training": {"mode": "train", "col_width": 12, "col_names": ("trainable", "num_params")},
    "structure": STRUCTURE,
    "all of the structure": {
        **STRUCTURE,
        "verbose": 2,
        "depth": 5,
        "col_names": ("num_params", "kernel_size", "params_percent", "trainable"),
    },
}


def printed(t: Any, case: Case, describe: Callable[..., object], *args: object, **settings: object) -> str:
    """What ``describe(model)`` prints, and a random number drawn after it."""
    t.manual_seed(1)
    model = case.build(t)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        describe(model, *args, **settings)
        print(t.rand(1).item())
    return out.getvalue()


def summaries(case: Case) -> tuple[str, str]:
    sizes = case.sizes[0] if len(case.sizes) == 1 else case.sizes
    kinds = {"dtypes": [tinygrad_edu.int64] * len(case.sizes)} if case.whole_numbers else {}
    ours = printed(tinygrad_edu, case, viz.summary, sizes, batch_size=5, **kinds)
    return ours, printed(torch, case, torchsummary.summary, sizes, batch_size=5)


def infos(case: Case, **options: Any) -> tuple[str, str]:
    def settings(t: Any) -> dict[str, Any]:
        kinds = {"dtypes": [t.int64] * len(case.sizes)} if case.whole_numbers else {}
        return {"input_size": [(4, *size) for size in case.sizes], **kinds, "verbose": 1, **options}

    theirs = printed(torch, case, torchinfo.summary, **settings(torch))
    return printed(tinygrad_edu, case, viz.info, **settings(tinygrad_edu)), theirs.replace("Units.MEGABYTES", "M")


def differences(ours: str, theirs: str) -> list[str]:
    """The lines that differ, theirs with a minus and ours with a plus, runs of spaces as one."""
    lines = difflib.unified_diff(theirs.splitlines(), ours.splitlines(), lineterm="", n=0)
    return [" ".join(line.split()) for line in lines if not line.startswith(("---", "+++", "@@"))]


# torchsummary fails on tuples and whole numbers, and counts shared weights twice; see the tests below.
TORCHSUMMARY_IS_WRONG = {"classifier", "words", "encoder", "autoencoder", "frozen"}
TORCHSUMMARY_IS_RIGHT = [name for name in NAMES if name not in TORCHSUMMARY_IS_WRONG]


def test_there_are_ten_models_or_more_on_which_each_package_is_right() -> None:
    assert len(TORCHSUMMARY_IS_RIGHT) >= 10
    assert len([name for name in NAMES if name not in ("encoder", "autoencoder")]) >= 10


@pytest.mark.parametrize("name", TORCHSUMMARY_IS_RIGHT)
def test_summary_prints_torchsummarys_text_and_draws_as_many_numbers(name: str) -> None:
    ours, theirs = summaries(BY_NAME[name])
    assert ours == theirs


@pytest.mark.parametrize("name", ["classifier", "words", "encoder"])
def test_summary_describes_what_torchsummary_cannot(name: str) -> None:
    with pytest.raises((AttributeError, RuntimeError)):
        summaries(BY_NAME[name])
    case = BY_NAME[name]
    kinds = {"dtypes": [tinygrad_edu.int64]} if case.whole_numbers else {}
    text = printed(tinygrad_edu, case, viz.summary, case.sizes[0], **kinds)
    total = sum(parameter.numel() for parameter in case.build(tinygrad_edu).parameters())
    assert f"Total params: {total:,}\n" in text


def test_summary_counts_shared_weights_once_where_torchsummary_counts_them_twice() -> None:
    assert differences(*summaries(BY_NAME["autoencoder"])) == [
        "- Decoder-2 [5, 64] 704",
        "+ Decoder-2 [5, 64] 64",
        "-Total params: 1,354",
        "-Trainable params: 1,354",
        "+Total params: 714",
        "+Trainable params: 714",
        "-Params size (MB): 0.01",
        "+Params size (MB): 0.00",
    ]


def test_summary_asks_each_parameter_whether_it_is_trained_and_not_only_the_weight() -> None:
    assert differences(*summaries(BY_NAME["frozen"])) == [
        "-Trainable params: 8",
        "-Non-trainable params: 55",
        "+Trainable params: 11",
        "+Non-trainable params: 52",
    ]


# Where torchinfo is wrong, by model and options, and how the lines differ.
ENCODER = [
    "-Total mult-adds (M): 0.00",  # of a linear layer on a sequence it counts one step
    "+Total mult-adds (M): 0.03",
    "-Params size (MB): 0.00",  # it overlooks the parameters of layers that are used but not called
    "-Estimated Total Size (MB): 0.02",
    "+Params size (MB): 0.01",
    "+Estimated Total Size (MB): 0.03",
]
AUTOENCODER = [
    "-├─Decoder: 1-2 [4, 64] 704",  # it counts shared weights twice
    "+├─Decoder: 1-2 [4, 64] 64",
    "-Total params: 1,354",
    "-Trainable params: 1,354",
    "+Total params: 714",
    "+Trainable params: 714",
    "-Params size (MB): 0.01",
    "+Params size (MB): 0.00",
]
EMBEDDING = [  # looking up a row multiplies nothing
    "-├─Embedding: 1-1 [4, 6] [4, 6, 8] 400 62.02% -- 1,600 True",
    "+├─Embedding: 1-1 [4, 6] [4, 6, 8] 400 62.02% -- -- True",
]
DIFFERENT = {
    ("words", "all columns"): EMBEDDING,
    ("words", "all parameters"): EMBEDDING,
    ("encoder", "as it comes"): ENCODER,
    ("autoencoder", "as it comes"): AUTOENCODER,
}
COMPARED = [
    (name, options)
    for name in NAMES
    for options in OPTIONS
    if (name, options) in DIFFERENT
    or not (name == "autoencoder" or (name == "encoder" and "input_size" not in OPTIONS[options]))
]


@pytest.mark.parametrize(("name", "options"), COMPARED)
def test_info_prints_torchinfos_text_but_for_its_mistakes_and_draws_as_many_numbers(name: str, options: str) -> None:
    ours, theirs = infos(BY_NAME[name], **OPTIONS[options])
    if (name, options) in DIFFERENT:
        assert differences(ours, theirs) == DIFFERENT[name, options]
    else:
        assert ours == theirs


def test_info_counts_a_linear_layer_at_every_step_of_a_sequence() -> None:
    found = differences(*infos(BY_NAME["encoder"], **WHOLE))
    assert [line for line in found if "1-2" in line] == [
        "-├─Linear: 1-2 [4, 7, 16] [4, 7, 2] 34 1.51% -- 136 True",
        f"+├─Linear: 1-2 [4, 7, 16] [4, 7, 2] 34 1.51% -- {34 * 4 * 7} True",
    ]


def test_info_shows_the_work_inside_a_container_that_is_folded() -> None:
    columns = {"depth": 1, "col_names": ("mult_adds",)}
    assert differences(*infos(BY_NAME["two_ways"], **columns)) == ["-├─ModuleDict: 1-5 --", "+├─ModuleDict: 1-5 216"]


def interleaved(t: Any) -> Any:
    nn = t.nn

    class Interleaved(nn.Module):
        def __init__(self):
            super().__init__()
            self.lines = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
            self.norms = nn.ModuleList([nn.LayerNorm(4), nn.LayerNorm(4)])

        def forward(self, x):
            for line, norm in zip(self.lines, self.norms, strict=True):
                x = norm(line(x))
            return x

    return Interleaved()


def test_info_numbers_containers_that_take_turns_and_calls_only_the_repetition_recursive() -> None:
    assert differences(*infos(Case("", interleaved, [(4,)]))) == [
        "-├─ModuleList: 1-3 -- (recursive)",
        "+├─ModuleList: 1-1 -- --",
        "-├─ModuleList: 1-4 -- (recursive)",
        "+├─ModuleList: 1-2 -- --",
    ]


def test_info_puts_a_shared_layer_where_it_is_called() -> None:
    def shared(t: Any) -> Any:
        layer = t.nn.Linear(3, 3)
        return t.nn.Sequential(layer, t.nn.ReLU(), layer, t.nn.Sequential(layer))

    ours, _ = infos(Case("", shared, [(3,)]))
    assert [line.split(maxsplit=1)[0] + " " + line.split()[-1] for line in ours.splitlines()[3:9]] == [
        "Sequential --",
        "├─Linear: 12",
        "├─ReLU: --",
        "├─Linear: (recursive)",
        "├─Sequential: --",
        "│ (recursive)",
    ]
    assert "Total params: 12\n" in ours


def test_where_info_prints_nothing_by_itself_torchinfo_does_not_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    ours, theirs = infos(BY_NAME["seed_0"], verbose=None)
    assert ours == theirs
    assert len(ours.splitlines()) == 1  # the random number

"""The names that pictures give to operations: those that PyTorch's users know."""

import importlib
import pkgutil

import pytest

import tinygrad_edu as t
from tests.oracle import torch
from tinygrad_edu import _ops, nn, viz
from tinygrad_edu._core.op import Op
from tinygrad_edu.viz._graph import BY_STEP, SPOKEN, read

OURS = {
    "write into a view",
    "max_pool",
    "max_unpool",
    "adaptive_max_pool",
}  # torch has these with a number of dimensions


def test_every_entry_of_the_table_renames_an_op_to_a_name_of_torchs() -> None:
    files = [importlib.import_module(f"tinygrad_edu._ops.{file.name}") for file in pkgutil.iter_modules(_ops.__path__)]
    ops = {found.name for file in files for found in vars(file).values() if isinstance(found, Op)}
    assert SPOKEN.keys() | BY_STEP <= ops
    homes = (torch, torch.Tensor, torch.nn.functional, torch.linalg)
    unknown = {name for name in SPOKEN.values() if not any(hasattr(home, name) for home in homes)}
    assert unknown == OURS


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: x.sum(), "sum"),
        (lambda x: x.max(1)[0].sum(), "max"),
        (lambda x: x.topk(2)[0].sum(), "topk"),
        (lambda x: nn.BatchNorm1d(3)(x).sum(), "batch_norm"),
        (lambda x: nn.LayerNorm(3)(x).sum(), "layer_norm"),
        (lambda x: nn.GroupNorm(1, 3)(x).sum(), "group_norm"),
    ],
)
def test_an_operation_bears_the_name_it_was_called_by(call, name) -> None:
    assert name in [vertex.name for vertex in read(call(t.ones(4, 3, requires_grad=True))).vertices]


def test_the_inner_shape_of_a_normalisation_is_no_number_of_groups() -> None:
    with viz.record() as tape:
        nn.BatchNorm1d(3)(t.ones(4, 3)).sum().backward()
    assert "groups" not in viz.draw(tape).to_text()

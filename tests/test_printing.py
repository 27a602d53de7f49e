"""The text of tensors is PyTorch's, character for character."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import both, torch
from tinygrad_edu import _dtype, _printing


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    yield
    torch.set_printoptions(profile="default")
    _printing.set_printoptions(profile="default")


SPECIAL = [0.0, -0.0, float("nan"), float("inf"), float("-inf")]
OPTIONS = [
    {},
    {"precision": 2},
    {"precision": 0},
    {"linewidth": 40},
    {"linewidth": 5},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 3, "edgeitems": 0},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short"},
    {"profile": "full"},
    {"precision": 8, "threshold": 2, "edgeitems": 2},
]


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Arrays of all magnitudes, some rounded, some with zeros, nan and infinities, some long enough to be cut."""
    shape = draw(
        st.lists(st.sampled_from([0, 1, 2, 3, 5, 7, 8, 13]), max_size=4)
        | st.sampled_from([[1001], [1000], [30, 40], [3, 400], [400, 3], [11, 10, 12], [2, 2, 2, 200], [0, 5000]])
    )
    dtype = draw(st.sampled_from(["float32", "float64", "float16", "int64", "int32", "uint8", "bool", "int8"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if not dtype.startswith("f"):
        least = 0 if dtype in ("uint8", "bool") else -draw(st.sampled_from([1, 100]))
        return rng.integers(least, draw(st.sampled_from([2, 10, 100])), shape).astype(dtype)
    x = np.asarray(rng.standard_normal(shape)) * 10.0 ** draw(st.sampled_from([0, 0, 0, 1, 2, -3, -5, 5, 9, 30]))
    if draw(st.booleans()):
        x = np.round(x)
    if draw(st.booleans()):
        x = x * 10.0 ** rng.integers(-6, 6, shape)
    for _ in range(draw(st.integers(0, 2))):
        x = np.where(rng.random(shape) < 0.2, draw(st.sampled_from(SPECIAL)), x)
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


@given(arrays(), st.sampled_from(OPTIONS), st.sampled_from(["", "leaf", "result"]), st.booleans())
def test_the_text_of_any_array_is_torchs(array: np.ndarray, options: dict, grad: str, double: bool) -> None:
    grad = grad if array.dtype.kind == "f" else ""
    default = _dtype.default.numpy
    try:
        torch.set_default_dtype(torch.float64 if double else torch.float32)
        _dtype.default.numpy = np.dtype("float64" if double else "float32")
        torch.set_printoptions(**options)
        _printing.set_printoptions(**options)
        x = torch.from_numpy(array.copy()).requires_grad_(bool(grad))
        theirs = repr(x * 1 if grad == "result" else x)
        name = "MulBackward0" if grad == "result" else None
        assert _printing.format_tensor(array, requires_grad=bool(grad), grad_fn_name=name) == theirs
    finally:
        torch.set_default_dtype(torch.float32)
        _dtype.default.numpy = default
        torch.set_printoptions(profile="default")
        _printing.set_printoptions(profile="default")


def test_a_long_fact_moves_to_its_own_line() -> None:
    x = np.linspace(0, 1, 11, dtype=np.float64)
    text = _printing.format_tensor(x, grad_fn_name="NativeBatchNormBackward0WithALongName")
    assert text.endswith(",\n       grad_fn=<NativeBatchNormBackward0WithALongName>)")


def test_a_subclass_prints_under_its_name() -> None:
    assert _printing.format_tensor(np.zeros((2, 1), np.float32), prefix="Image(") == "Image([[0.],\n       [0.]])"


def test_options_are_read_back_and_restored() -> None:
    with _printing.printoptions(precision=1, sci_mode=True):
        assert _printing.get_printoptions()["precision"] == 1
        assert _printing.format_tensor(np.array([0.25], np.float32)) == "tensor([2.5e-01])"
    expected = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}
    assert _printing.get_printoptions() == expected


@given(arrays())
def test_tensors_print_as_torchs_tensors(array: np.ndarray) -> None:
    both(lambda t: [repr(t.from_numpy(array.copy())), str(t.from_numpy(array.copy()))])


def test_tensors_with_history_name_their_step() -> None:
    both(
        lambda t: [repr(t.ones(2, requires_grad=True)), repr(t.ones(2, requires_grad=True) * 2), f"{t.tensor(1.5):.3f}"]
    )


@pytest.mark.parametrize("spec", ["", ".2f", ">10"])
@pytest.mark.parametrize("shape", [(), (1,), (2, 2)])
def test_format_follows_torch(spec: str, shape: tuple[int, ...]) -> None:
    both(lambda t: format(t.ones(shape), spec))
    both(lambda t: format(t.ones(shape, requires_grad=True), spec))

"""nn.init against torch: the same seed fills with the same numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import both

FILLS = {
    "uniform_": lambda i, w: i.uniform_(w),
    "uniform_ between": lambda i, w: i.uniform_(w, -2, 3),
    "normal_": lambda i, w: i.normal_(w),
    "normal_ wide": lambda i, w: i.normal_(w, mean=1, std=2),
    "constant_": lambda i, w: i.constant_(w, 5),
    "ones_": lambda i, w: i.ones_(w),
    "zeros_": lambda i, w: i.zeros_(w),
    "xavier_uniform_": lambda i, w: i.xavier_uniform_(w),
    "xavier_uniform_ gain": lambda i, w: i.xavier_uniform_(w, gain=5 / 3),
    "xavier_normal_": lambda i, w: i.xavier_normal_(w),
    "kaiming_uniform_": lambda i, w: i.kaiming_uniform_(w),
    "kaiming_uniform_ fan_out": lambda i, w: i.kaiming_uniform_(w, a=0.2, mode="fan_out"),
    "kaiming_normal_": lambda i, w: i.kaiming_normal_(w),
    "kaiming_normal_ relu": lambda i, w: i.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    "trunc_normal_": lambda i, w: i.trunc_normal_(w, std=0.7, a=-0.7, b=1.4),
    "trunc_normal_ far out": lambda i, w: i.trunc_normal_(w, mean=0, std=1, a=1.5, b=2.5),
    "orthogonal_": lambda i, w: i.orthogonal_(w, gain=2),
}
SHAPES = [(3, 5), (5, 3), (4, 4), (2, 3, 4), (6, 2, 3, 3), (40, 50)]


@pytest.mark.parametrize("how", FILLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_tensor_is_filled_with_torchs_numbers(how: str, shape: tuple[int, ...]) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(5)
        w = t.empty(shape)
        out = FILLS[how](t.nn.init, w)
        return w, out is w, t.rand(1)

    both(program, rtol=1e-4, atol=2e-5)


@settings(max_examples=10)
@given(
    how=st.sampled_from(sorted(set(FILLS) - {"orthogonal_", "trunc_normal_ far out"})),
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple),
    seed=st.integers(0, 2**40),
    double=st.booleans(),
)
def test_any_seed_shape_and_dtype_fills_alike(how: str, shape: tuple[int, ...], seed: int, double: bool) -> None:
    def program(t: Any) -> Any:
        t.manual_seed(seed)
        w = t.nn.Parameter(t.empty(shape, dtype=t.float64 if double else t.float32))
        FILLS[how](t.nn.init, w)
        return w, w.grad_fn

    both(program)


def test_the_patterns_without_chance_are_torchs() -> None:
    def program(t: Any) -> Any:
        i = t.nn.init
        return (
            i.eye_(t.empty(3, 5)),
            i.eye_(t.empty(5, 3)),
            i.dirac_(t.empty(3, 4, 3)),
            i.dirac_(t.empty(6, 2, 3, 3), groups=2),
            i.dirac_(t.empty(2, 2, 3, 3, 3)),
        )

    both(program)


def test_sparse_zeroes_the_same_places() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(2)
        return t.nn.init.sparse_(t.empty(10, 4), sparsity=0.35, std=0.5)

    both(program)


def test_a_generator_is_drawn_from_if_given() -> None:
    def program(t: Any) -> Any:
        t.manual_seed(1)
        g = t.Generator().manual_seed(9)
        i = t.nn.init
        return (
            i.uniform_(t.empty(3), generator=g),
            i.normal_(t.empty(3), generator=g),
            i.kaiming_uniform_(t.empty(3, 2), generator=g),
            i.trunc_normal_(t.empty(30), a=-0.5, b=0.5, generator=g),
            t.rand(1),
        )

    both(program)


@pytest.mark.parametrize(
    "name",
    ["linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "gelu"],
)
def test_gains_are_torchs(name: str) -> None:
    both(lambda t: float(t.nn.init.calculate_gain(name)))


@pytest.mark.parametrize("slope", [0, 0.2, 1, True, "steep"])
def test_the_gain_of_leaky_relu_depends_on_the_slope(slope: Any) -> None:
    both(lambda t: t.nn.init.calculate_gain("leaky_relu", slope))


@pytest.mark.parametrize(
    "act",
    [
        lambda t: t.nn.init.xavier_uniform_(t.empty(3)),
        lambda t: t.nn.init.kaiming_normal_(t.empty(3)),
        lambda t: t.nn.init.kaiming_normal_(t.empty(3, 2), mode="fan_sideways"),
        lambda t: t.nn.init.eye_(t.empty(3)),
        lambda t: t.nn.init.dirac_(t.empty(3, 2)),
        lambda t: t.nn.init.dirac_(t.empty(3, 2, 1), groups=2),
        lambda t: t.nn.init.orthogonal_(t.empty(3)),
        lambda t: t.nn.init.sparse_(t.empty(3), 0.1),
    ],
)
def test_what_cannot_be_filled_is_refused(act: Any) -> None:
    assert isinstance(both(act), ValueError)


def test_an_empty_weight_warns_and_stays() -> None:
    import tinygrad_edu as tg

    with pytest.warns(UserWarning, match="zero-element tensors is a no-op"):
        tg.nn.Linear(0, 3)


def test_seed_rows_a13_to_a15_hold() -> None:
    import tinygrad_edu as tg

    tg.manual_seed(0)
    init = tg.nn.init
    w = tg.empty(300, 500)
    assert float(init.kaiming_normal_(w).std()) == pytest.approx(math.sqrt(2 / 500), rel=0.02)
    assert float(init.kaiming_uniform_(w).abs().max()) == pytest.approx(math.sqrt(6 / 500), rel=1e-3)
    assert float(init.xavier_normal_(w).std()) == pytest.approx(math.sqrt(2 / 800), rel=0.02)
    assert float(init.xavier_uniform_(w).abs().max()) == pytest.approx(math.sqrt(6 / 800), rel=1e-3)
    assert float(init.trunc_normal_(w, std=0.1, a=-0.2, b=0.2).abs().max()) <= 0.2

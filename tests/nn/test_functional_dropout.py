"""Dropout: torch's masks for torch's seeds."""

import numpy as np
import pytest

from tests.oracle import both, ours


def numbers(*shape):
    """Draw an array of normal numbers."""
    return np.random.default_rng(0).normal(size=shape)


def seeded(name, shape, p, dtype="float32", **options):
    """Return a program that drops after seeding, and differentiates."""

    def run(t):
        t.manual_seed(11)
        x = t.tensor(numbers(*shape), dtype=getattr(t, dtype), requires_grad=True)
        y = getattr(t.nn.functional, name)(x, p, **options)
        step = y.grad_fn.name() if y.grad_fn is not None else None
        return y, step, t.autograd.grad((y * y).sum(), x), t.rand(1)

    return run


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_dropout_draws_torchs_mask_and_leaves_its_generator(p, dtype):
    both(seeded("dropout", (5, 7), p, dtype), rtol=0, atol=0)


def test_a_transposed_input_is_dropped_in_memory_order():
    def run(t):
        t.manual_seed(1)
        return t.nn.functional.dropout(t.tensor(numbers(5, 7)).t(), 0.4)

    both(run)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("dropout1d", (4, 3, 5)),
        ("dropout1d", (4, 3)),
        ("dropout2d", (4, 3, 2, 2)),
        ("dropout3d", (4, 3, 2, 2, 2)),
        ("dropout3d", (4, 3, 2, 2)),
    ],
)
def test_channels_are_dropped_as_in_torch(name, shape):
    both(seeded(name, shape, 0.4))


@pytest.mark.parametrize("name", ["alpha_dropout", "feature_alpha_dropout"])
def test_alpha_dropout_equals_torch(name):
    def run(t):
        t.manual_seed(11)
        return getattr(t.nn.functional, name)(t.tensor(numbers(6, 5)), 0.4, training=True)

    both(run)


@pytest.mark.parametrize("name", ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"])
def test_evaluation_returns_the_input_itself(name):
    t = ours()
    x = t.ones(2, 3, *{"dropout1d": (4,), "dropout3d": (4, 4, 4)}.get(name, (4, 4)))
    assert getattr(t.nn.functional, name)(x, 0.5, training=False) is x


def test_dropout_in_place_writes_the_input():
    def run(t):
        t.manual_seed(2)
        x = t.tensor(numbers(4, 4), requires_grad=True)
        y = x * 1
        assert t.nn.functional.dropout(y, 0.5, inplace=True) is y
        return y, t.autograd.grad(y.sum(), x)

    both(run)


def test_the_mean_survives_dropout():
    t = ours()
    t.manual_seed(0)
    y = t.nn.functional.dropout(t.ones(100_000), 0.3)
    assert y.mean().item() == pytest.approx(1, abs=0.01)
    assert (y == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_a_probability_outside_zero_and_one_raises_torchs_error(p):
    error = both(lambda t: t.nn.functional.dropout(t.ones(3), p))
    assert f"dropout probability has to be between 0 and 1, but got {p}" in str(error)


def test_whole_numbers_cannot_be_dropped():
    both(lambda t: t.nn.functional.dropout(t.ones(3, dtype=t.int64)))


def test_ranks_that_torch_warns_of_warn_here():
    t = ours()
    with pytest.warns(UserWarning, match="Received a 3D input to dropout2d and assuming that channel-wise 1D dropout"):
        t.nn.functional.dropout2d(t.ones(2, 3, 4))
    with pytest.warns(UserWarning, match="dropout2d: Received a 2-D input to dropout2d, which is deprecated"):
        t.nn.functional.dropout2d(t.ones(2, 3))
    both(lambda t: t.nn.functional.dropout1d(t.ones(2, 3, 4, 5)))

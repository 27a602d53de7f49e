"""Activations beside torch: values, kinks, extremes, in-place forms, softmax and its relatives."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape) * 2


SMOOTH = ["sigmoid", "tanh", "gelu", "silu", "softplus", "logsigmoid", "mish"]
KINKED = ["relu", "relu6", "elu", "selu", "celu", "leaky_relu", "hardtanh", "softsign", "hardswish", "hardshrink"]
KINKED += ["softshrink", "tanhshrink", "rrelu"]
IN_PLACE = [
    "relu",
    "relu6",
    "elu",
    "selu",
    "celu",
    "leaky_relu",
    "hardtanh",
    "silu",
    "mish",
    "hardswish",
    "hardsigmoid",
]
BORDERS = np.array([0.0, 1.0, -1.0, 3.0, -3.0, 0.5, -0.5, 6.0, 20.0])


@pytest.mark.parametrize("name", SMOOTH + KINKED)
@pytest.mark.parametrize("shape", [(5, 4), (), (0, 3)])
def test_activations_equal_torch_to_second_order(name, shape):
    orders(lambda t, x: getattr(t.nn.functional, name)(x), numbers(*shape))


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED, "hardsigmoid"])
def test_slopes_at_kinks_are_torchs(name):
    loose = {"rtol": 1e-7} if name == "hardsigmoid" else {}  # torch's 1/6 has single precision
    orders(lambda t, x: getattr(t.nn.functional, name)(x), BORDERS, second=False, **loose)


@pytest.mark.parametrize("name", SMOOTH)
def test_third_orders_equal_torch(name):
    def third(t):
        x = t.tensor(numbers(7), requires_grad=True)
        total = (getattr(t.nn.functional, name)(x) ** 2).sum()
        for _ in range(2):
            (g,) = t.autograd.grad(total, x, create_graph=True)
            total = (g**2).sum()
        return t.autograd.grad(total, x)

    both(third, rtol=1e-7)


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED, "hardsigmoid"])
def test_values_and_slopes_at_1000_are_torchs(name):
    def run(t):
        x = t.tensor([-1000.0, 1000.0, -80.0, 80.0], dtype=t.float64, requires_grad=True)
        y = getattr(t.nn.functional, name)(x)
        return y, t.autograd.grad(y.sum(), x)

    y, _ = both(run, rtol=1e-9, atol=1e-13)
    assert np.isfinite(y.detach().numpy()).all()


@pytest.mark.parametrize("name", [*SMOOTH, *KINKED, "hardsigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_dtypes_are_kept_or_refused_as_in_torch(name, dtype):
    both(lambda t: getattr(t.nn.functional, name)(t.tensor([1, 0, 1]).to(getattr(t, dtype))))


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_forms_equal_torch(name):
    def run(t, x):
        y = x * 1
        again = getattr(t.nn.functional, name)(y, inplace=True)
        assert again is y
        return y

    orders(run, numbers(5, 4), second=False, **({"rtol": 1e-7} if name == "hardsigmoid" else {}))


@pytest.mark.parametrize("name", ["relu_", "elu_", "selu_", "celu_", "leaky_relu_", "hardtanh_", "rrelu_"])
def test_names_with_an_underscore_write_in_place(name):
    def run(t):
        x = t.tensor(numbers(6))
        assert getattr(t.nn.functional, name)(x) is x
        return x

    both(run)


@pytest.mark.parametrize(
    "name", ["gelu", "silu", "elu", "leaky_relu", "hardtanh", "softplus", "hardshrink", "logsigmoid"]
)
def test_booleans_are_refused_as_in_torch(name):
    both(lambda t: getattr(t.nn.functional, name)(t.tensor([True, False])))


PARAMETERS = {
    "gelu": lambda F, x: F.gelu(x, approximate="tanh"),
    "elu": lambda F, x: F.elu(x, alpha=2.0),
    "celu": lambda F, x: F.celu(x, alpha=2.0),
    "leaky_relu": lambda F, x: F.leaky_relu(x, 0.2),
    "softplus": lambda F, x: F.softplus(x, 2.0, 1.0),
    "hardtanh": lambda F, x: F.hardtanh(x, -0.5, 0.6),
    "threshold": lambda F, x: F.threshold(x, 0.1, 20.0),
    "hardshrink": lambda F, x: F.hardshrink(x, 0.7),
    "softshrink": lambda F, x: F.softshrink(x, 0.7),
    "glu": lambda F, x: F.glu(x, 0),
    "rrelu": lambda F, x: F.rrelu(x, 0.2, 0.4),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_activations_mean_what_they_mean_in_torch(name):
    orders(lambda t, x: PARAMETERS[name](t.nn.functional, x), numbers(6, 4))


@pytest.mark.parametrize(("shape", "weights"), [((3, 4), 1), ((3, 4), 4), ((2, 3, 2, 2), 3), ((3,), 1)])
def test_prelu_equals_torch(shape, weights):
    orders(lambda t, x, w: t.nn.functional.prelu(x, w), numbers(*shape), numbers(weights, seed=1))


def test_rrelu_draws_torchs_slopes():
    def run(t):
        t.manual_seed(3)
        return t.nn.functional.rrelu(t.tensor(numbers(5, 4)), training=True)

    both(run)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize(("shape", "dim"), [((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((), 0), ((3, 0), 1)])
def test_softmaxes_equal_torch(name, shape, dim):
    orders(lambda t, x: getattr(t.nn.functional, name)(x, dim), numbers(*shape))


def test_softmax_at_its_borders_equals_torch():
    borders = [[-np.inf] * 3, [1000.0, -1000.0, 0.0], [np.inf, 0.0, 0.0], [-np.inf, 0.0, 1.0]]
    for name in ("softmax", "log_softmax"):
        both(lambda t, name=name: getattr(t.nn.functional, name)(t.tensor(borders), 1))


def test_softmax_casts_first_if_asked():
    both(lambda t: t.nn.functional.softmax(t.tensor([[1, 2]]), 1, dtype=t.float64))
    both(lambda t: t.nn.functional.log_softmax(t.tensor([[1.0, 2.0]]), 1, dtype=t.float64))


def test_softmax_of_rows_sums_to_one():
    p = ours().softmax(ours().randn(5, 1000) * 30, 1)
    assert np.allclose(p.sum(1).numpy(), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_an_implicit_dimension_warns_as_in_torch(name):
    F = ours().nn.functional
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name} has been deprecated"):
        y = getattr(F, name)(ours().zeros(2, 3))
    assert y.tolist() == getattr(F, name)(ours().zeros(2, 3), 1).tolist()


@pytest.mark.parametrize("hard", [False, True])
def test_gumbel_softmax_draws_torchs_samples(hard):
    def run(t):
        t.manual_seed(3)
        x = t.tensor(numbers(5, 7), requires_grad=True)
        y = t.nn.functional.gumbel_softmax(x, 0.7, hard=hard)
        return y, t.autograd.grad((y * t.arange(7)).sum(), x)

    both(run)


WRONG = {
    "softmax of whole numbers": lambda t: t.nn.functional.softmax(t.tensor([[1, 2]]), 1),
    "softmax along no dimension": lambda t: t.nn.functional.softmax(t.zeros(2, 2), 2),
    "glu of an odd size": lambda t: t.nn.functional.glu(t.zeros(3)),
    "prelu of other channels": lambda t: t.nn.functional.prelu(t.zeros(2, 3), t.ones(2)),
    "prelu with a matrix": lambda t: t.nn.functional.prelu(t.zeros(2, 3), t.ones(2, 2)),
    "a negative softshrink": lambda t: t.nn.functional.softshrink(t.zeros(2), -1.0),
    "an unknown gelu": lambda t: t.nn.functional.gelu(t.zeros(2), approximate="exact"),
    "crossed bounds": lambda t: t.nn.functional.hardtanh(t.zeros(2), 2.0, 1.0),
    "celu without alpha": lambda t: t.nn.functional.celu(t.zeros(2), 0.0),
    "crossed slopes": lambda t: t.nn.functional.rrelu(t.zeros(2), 0.5, 0.1),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_raise_torchs_error(case):
    both(WRONG[case])


def test_softshrink_keeps_the_sign_of_what_it_makes_zero():
    both(lambda t: str(t.nn.functional.softshrink(t.tensor([-0.1, 0.1, -0.0, -0.5, float("nan"), -2.0]))))

"""Reductions: torch's values, dtypes, names, errors, and gradients of two orders."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both

INF, NAN = math.inf, math.nan
X = np.array([[0.5, -1.2, 2.0], [1.7, 0.3, -0.8]])
CUBE = np.linspace(-1.5, 2.0, 24).reshape(2, 3, 4) ** 3 + 0.1

SMOOTH = {
    "sum": lambda t, x: x.sum(),
    "sum-dim": lambda t, x: x.sum(1),
    "sum-negative": lambda t, x: x.sum(-1, keepdim=True),
    "sum-dims": lambda t, x: x.sum((0, -1)),
    "sum-none": lambda t, x: x.sum(dim=(), keepdim=True),
    "mean": lambda t, x: x.mean(),
    "mean-dim": lambda t, x: x.mean(0),
    "mean-dims": lambda t, x: x.mean((0, 1), True),
    "nansum": lambda t, x: x.nansum(0),
    "nanmean": lambda t, x: x.nanmean(1),
    "prod": lambda t, x: x.prod(),
    "prod-dim": lambda t, x: x.prod(1),
    "prod-keepdim": lambda t, x: x.prod(-1, True),
    "amax": lambda t, x: x.amax(1),
    "amin": lambda t, x: x.amin((0, 1), True),
    "aminmax": lambda t, x: x.aminmax(),
    "aminmax-dim": lambda t, x: x.aminmax(dim=1, keepdim=True),
    "max": lambda t, x: x.max(),
    "max-dim": lambda t, x: x.max(1),
    "max-keepdim": lambda t, x: x.max(0, keepdim=True),
    "min": lambda t, x: x.min(),
    "min-dim": lambda t, x: x.min(-1),
    "median": lambda t, x: x.median(),
    "median-dim": lambda t, x: x.median(1),
    "nanmedian": lambda t, x: x.nanmedian(),
    "nanmedian-dim": lambda t, x: x.nanmedian(1, True),
    "mode": lambda t, x: x.mode(0),
    "cumsum": lambda t, x: x.cumsum(1),
    "cumprod": lambda t, x: x.cumprod(1),
    "logcumsumexp": lambda t, x: x.logcumsumexp(1),
    "cummax": lambda t, x: x.cummax(1),
    "cummin": lambda t, x: x.cummin(0),
    "logsumexp": lambda t, x: x.logsumexp(1),
    "logsumexp-keepdim": lambda t, x: x.logsumexp((0, 1), keepdim=True),
    "var": lambda t, x: x.var(),
    "var-dim": lambda t, x: x.var(1, keepdim=True),
    "var-biased": lambda t, x: x.var(0, False),
    "var-correction": lambda t, x: x.var(dim=1, correction=0.5),
    "std": lambda t, x: x.std(),
    "std-dim": lambda t, x: x.std((0, 1)),
    "std-unbiased": lambda t, x: x.std(False),
    "var_mean": lambda t, x: t.var_mean(x, 1),
    "std_mean": lambda t, x: t.std_mean(x, dim=0, correction=0),
    "norm": lambda t, x: x.norm(),
    "norm-1": lambda t, x: x.norm(1),
    "norm-3": lambda t, x: x.norm(3, 1),
    "norm-1.5": lambda t, x: x.norm(1.5, dim=0, keepdim=True),
    "norm-half": lambda t, x: x.norm(0.5, dim=0),
    "norm-minus": lambda t, x: x.norm(-2),
    "norm-inf": lambda t, x: x.norm(float("inf"), dim=1),
    "norm-minus-inf": lambda t, x: x.norm(-float("inf")),
    "norm-fro": lambda t, x: x.norm("fro", (0, 1)),
    "norm-nuc": lambda t, x: x.norm("nuc"),
    "quantile": lambda t, x: x.quantile(0.3),
    "quantile-dim": lambda t, x: x.quantile(t.tensor([0.1, 0.5, 0.55], dtype=x.dtype), 1, keepdim=True),
    "nanquantile": lambda t, x: x.nanquantile(0.8, 0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_it_agrees_with_torch_to_second_order(name):
    orders(SMOOTH[name], X)


@pytest.mark.parametrize("name", [n for n in SMOOTH if n not in ("norm-fro", "norm-nuc", "nanquantile")])
def test_it_agrees_with_torch_in_three_dimensions(name):
    orders(SMOOTH[name], CUBE, second=name not in ("std_mean",))


@pytest.mark.parametrize("name", ["cov", "corrcoef"])
def test_statistics_of_rows_agree_with_torch(name):
    orders(lambda t, x: getattr(x, name)(), X, named=False)


def test_weighted_covariance_agrees_with_torch():
    def program(t, x):
        return x.cov(correction=0, fweights=t.tensor([1, 2, 1]), aweights=t.tensor([1.0, 2.0, 1.0], dtype=x.dtype))

    orders(program, X, named=False)


TIES = [
    [1.0, 3.0, 3.0, 3.0],
    [2.0, 2.0, 2.0],
    [0.0, 0.0, 0.0],
    [1.0, 0.0, 2.0],
    [-INF, -INF],
    [1.0, INF, INF],
    [NAN, 1.0, 2.0],
]
CHOICES = {
    "max": lambda t, x: x.max(),
    "max-dim": lambda t, x: x.max(0),
    "min": lambda t, x: x.min(),
    "min-dim": lambda t, x: x.min(0),
    "amax": lambda t, x: x.amax(0),
    "amin": lambda t, x: x.amin(),
    "median": lambda t, x: x.median(),
    "median-dim": lambda t, x: x.median(0),
    "nanmedian": lambda t, x: x.nanmedian(),
    "cummax": lambda t, x: x.cummax(0),
    "cummin": lambda t, x: x.cummin(0),
    "std": lambda t, x: x.std(),
    "logsumexp": lambda t, x: x.logsumexp(0),
    "prod": lambda t, x: x.prod(),
    "norm": lambda t, x: x.norm(),
    "norm-1": lambda t, x: x.norm(1),
    "norm-inf": lambda t, x: x.norm(float("inf")),
    "norm-3": lambda t, x: x.norm(3),
    "norm-minus": lambda t, x: x.norm(-1),
    "aminmax": lambda t, x: x.aminmax(),
}


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("x", TIES, ids=str)
def test_ties_zeros_and_infinities_have_the_gradient_torch_chooses(name, x):
    if name == "prod" and not np.isfinite(x).all():  # torch divides by the input there and gets nan; see the next test
        x = [1.0, 2.0]
    orders(CHOICES[name], x, second=False, named=False)


def test_a_product_with_an_infinity_has_the_products_of_the_others_as_gradient():
    from tests.oracle import ours

    x = ours().tensor([1.0, INF, 2.0], requires_grad=True)
    x.prod().backward()
    assert x.grad.tolist() == [INF, 2.0, INF]


@pytest.mark.parametrize("kind", ["bool", "int64", "float32", "float64"])
def test_covariance_has_torchs_dtype_or_error(kind):
    both(lambda t: t.tensor([3, 1, 0, 1]).to(getattr(t, kind)).cov())


@pytest.mark.parametrize("x", TIES[:6], ids=str)
def test_the_mode_is_the_last_copy_of_the_most_frequent(x):
    orders(lambda t, x: x.mode(0), x, second=False)


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [1.0], []], ids=str)
@pytest.mark.parametrize("name", ["prod", "prod-dim", "cumprod"])
def test_products_with_zeros_have_exact_gradients_of_both_orders(name, x):
    program = {
        "prod": lambda t, x: x.prod(),
        "prod-dim": lambda t, x: x.prod(0),
        "cumprod": lambda t, x: x.cumprod(0),
    }[name]
    orders(program, x, second=name != "cumprod" or 0.0 not in x)


def test_the_second_order_of_a_running_product_through_zeros_is_that_of_the_written_product():
    def hessian(program):
        def run(t):
            x = t.tensor([2.0, 0.0, 3.0, 0.0], dtype=t.float64, requires_grad=True)
            (g,) = t.autograd.grad(program(x), x, create_graph=True)
            return [t.autograd.grad(g[i], x, retain_graph=True, allow_unused=True)[0] for i in range(4)]

        return run

    from tests.oracle import ours, torch

    mine = hessian(lambda x: x.cumprod(0).sum())(ours())
    theirs = hessian(lambda x: x[0] + x[0] * x[1] + x[0] * x[1] * x[2] + x[0] * x[1] * x[2] * x[3])(torch)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(a), b.numpy())


FULL = [
    lambda t, x: x.sum(),
    lambda t, x: x.prod(),
    lambda t, x: x.cumsum(0),
    lambda t, x: x.cumprod(0),
    lambda t, x: x.sum(dtype=t.float64),
    lambda t, x: x.sum(dtype=t.int64),
    lambda t, x: x.prod(dtype=t.float32),
    lambda t, x: x.cumsum(0, dtype=t.int32),
    lambda t, x: x.mean(),
    lambda t, x: x.mean(0, dtype=t.float64),
    lambda t, x: x.max(),
    lambda t, x: tuple(x.max(0)),
    lambda t, x: x.amin(),
    lambda t, x: tuple(x.aminmax()),
    lambda t, x: x.argmax(),
    lambda t, x: x.argmin(0, keepdim=True),
    lambda t, x: x.all(),
    lambda t, x: x.any(0),
    lambda t, x: x.all(dim=()),
    lambda t, x: x.count_nonzero(),
    lambda t, x: x.count_nonzero(0),
    lambda t, x: x.nansum(),
    lambda t, x: x.nanmean(),
    lambda t, x: x.std(),
    lambda t, x: x.var(0),
    lambda t, x: x.median(),
    lambda t, x: tuple(x.median(0)),
    lambda t, x: tuple(x.mode()),
    lambda t, x: x.logsumexp(0),
    lambda t, x: x.norm(),
    lambda t, x: x.quantile(0.5),
    lambda t, x: tuple(x.cummax(0)),
    lambda t, x: x.logcumsumexp(0),
]


@pytest.mark.parametrize("kind", ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("number", range(len(FULL)))
def test_every_dtype_gives_torchs_dtype_or_torchs_error(number, kind):
    both(lambda t: FULL[number](t, t.tensor([3, 1, 0, 1]).to(getattr(t, kind))))


EMPTY = [
    lambda t: t.zeros(0).sum(),
    lambda t: t.zeros(0).mean(),
    lambda t: t.zeros(0).prod(),
    lambda t: t.zeros(2, 0).sum(1),
    lambda t: t.zeros(2, 0).mean(1),
    lambda t: t.zeros(2, 0).prod(1),
    lambda t: t.zeros(2, 0).logsumexp(1),
    lambda t: t.zeros(2, 0).std(1),
    lambda t: tuple(t.zeros(2, 0).max(0)),
    lambda t: t.zeros(2, 0).argmax(0),
    lambda t: tuple(t.zeros(2, 0).cummax(1)),
    lambda t: t.zeros(2, 0).norm(dim=1),
    lambda t: t.zeros(0).all(),
    lambda t: t.zeros(0).any(),
    lambda t: t.zeros(0).std(),
    lambda t: t.zeros(1).std(),
    lambda t: t.zeros(0).median(),
    lambda t: t.zeros(0).nanmedian(),
    lambda t: t.zeros(0).nanmean(),
    lambda t: t.zeros(0).cumsum(0),
    lambda t: t.zeros(2, 0).amax(0),
    lambda t: t.zeros(0).norm(),
]


@pytest.mark.parametrize("number", range(len(EMPTY)))
def test_empty_reductions_agree_with_torch(number):
    both(EMPTY[number])


SCALAR = [
    lambda t, x: x.sum(0),
    lambda t, x: x.sum(-1, keepdim=True),
    lambda t, x: x.mean(0),
    lambda t, x: x.prod(0),
    lambda t, x: tuple(x.max(0)),
    lambda t, x: tuple(x.min(-1, True)),
    lambda t, x: x.argmax(0),
    lambda t, x: x.argmin(),
    lambda t, x: tuple(x.median(0)),
    lambda t, x: tuple(x.mode(0)),
    lambda t, x: x.cumsum(0),
    lambda t, x: x.cumprod(0),
    lambda t, x: tuple(x.cummax(0)),
    lambda t, x: x.logsumexp(0),
    lambda t, x: x.amax(0),
    lambda t, x: x.norm(2, 0),
    lambda t, x: x.all(0),
    lambda t, x: x.quantile(0.5, 0),
    lambda t, x: x.var(0),
]


@pytest.mark.parametrize("number", range(len(SCALAR)))
def test_a_number_reduces_as_in_torch(number):
    def program(t):
        x = t.tensor(2.5, requires_grad=True)
        out = SCALAR[number](t, x)
        first = out[0] if isinstance(out, tuple) else out
        return out, t.autograd.grad(first, x) if first.requires_grad else None

    both(program)


WRONG = {
    "Dimension out of range (expected to be in range of [-2, 1], but got 5)": [
        lambda t: t.zeros(2, 3).sum(5),
        lambda t: t.zeros(2, 3).mean(5),
        lambda t: t.zeros(2, 3).max(5),
        lambda t: t.zeros(2, 3).argmax(5),
        lambda t: t.zeros(2, 3).cumsum(5),
        lambda t: t.zeros(2, 3).std(5),
        lambda t: t.zeros(2, 3).norm(2, 5),
    ],
    "Dimension out of range (expected to be in range of [-1, 0], but got 1)": [lambda t: t.tensor(1.0).sum(1)],
    "dim 0 appears multiple times in the list of dims": [
        lambda t: t.zeros(2, 3).sum((0, 0)),
        lambda t: t.zeros(2, 3).mean((0, -2)),
        lambda t: t.zeros(2, 3).amax((0, 0)),
    ],
    "Expected reduction dim to be specified for input.numel() == 0": [
        lambda t: t.zeros(0).max(),
        lambda t: t.zeros(0).argmax(),
        lambda t: t.zeros(0).amax(),
    ],
    "Expected reduction dim 0 to have non-zero size.": [
        lambda t: t.zeros(0, 3).max(0),
        lambda t: t.zeros(0, 3).argmax(0),
        lambda t: t.zeros(0, 3).amin(0),
        lambda t: t.zeros(0, 3).median(0),
        lambda t: t.zeros(0, 3).mode(0),
    ],
    "cannot compute aminmax over an empty dimension": [lambda t: t.zeros(0).aminmax()],
    "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long": [
        lambda t: t.tensor([1, 2]).mean()
    ],
    "std and var only support floating point": [lambda t: t.tensor([1, 2]).std(), lambda t: t.tensor([1, 2]).var(0)],
    "must be bool, not int": [lambda t: t.zeros(2, 3).sum(0, 1)],
    "does not support bool input": [lambda t: t.tensor([True]).argmax()],
    "must be Tensor, not int": [lambda t: t.sum(1), lambda t: t.mean(1), lambda t: t.max(1)],
    "must be Tensor, not list": [lambda t: t.sum([1.0]), lambda t: t.argmax([1.0])],
    "on an empty tensor because the operation does not have an identity": [lambda t: t.zeros(0).norm(float("inf"))],
    "quantile() q must be in the range [0, 1] but got 2": [lambda t: t.zeros(3).quantile(2.0)],
}


@pytest.mark.parametrize(("words", "number"), [(w, i) for w, programs in WRONG.items() for i in range(len(programs))])
def test_wrong_input_raises_torchs_error_in_torchs_words(words, number):
    from tests.oracle import torch

    program = WRONG[words][number]
    mine = both(program)
    assert words in str(mine)
    with pytest.raises(type(mine).__mro__[0] if type(mine).__module__ == "builtins" else Exception) as theirs:
        program(torch)
    assert words in str(theirs.value)


@pytest.mark.parametrize("wrong", [1.5, "a"])
def test_a_dim_that_is_no_integer_is_a_type_error(wrong):
    both(lambda t: t.zeros(2, 3).sum(wrong))
    both(lambda t: t.zeros(2, 3).max(wrong))


def test_half_precision_adds_up_in_single_precision():
    both(lambda t: t.ones(5000, dtype=t.float16).sum())
    both(lambda t: t.ones(5000, 2, dtype=t.float16).sum(0))
    both(lambda t: t.full((20,), 30000.0, dtype=t.float16).mean())
    both(lambda t: t.ones(5000, dtype=t.float16).cumsum(0)[-1])


def test_numpys_names_of_dim_and_keepdim_are_understood():
    both(lambda t: t.tensor(X).sum(axis=1, keepdims=True))
    both(lambda t: t.tensor(X).mean(axis=0))
    both(lambda t: tuple(t.tensor(X).max(axis=1)))
    both(lambda t: t.tensor(X).argmax(axis=1))
    both(lambda t: t.std(t.tensor(X), axis=0))
    both(lambda t: t.cumsum(t.tensor(X), axis=0))
    both(lambda t: t.any(t.tensor(X), axis=0, keepdims=True))


def test_max_of_two_tensors_is_elementwise():
    orders(lambda t, x, y: x.max(y), X, X[:, ::-1].copy())
    orders(lambda t, x, y: t.min(x, other=y), X, X[:, ::-1].copy())


def test_named_results_print_as_in_torch_and_unpack():
    def program(t):
        x = t.tensor([[1.0, 5.0], [4.0, 2.0]])
        values, indices = x.max(1)
        found = x.max(dim=0, keepdim=True)
        texts = [repr(x.max(1)), repr(x.median(0)), str(x.aminmax()), repr(x.cummax(1)), repr(x.mode())]
        return values, indices, found.values, found.indices, found[0], len(found), texts

    both(program)


def test_changing_returned_indices_before_backward_is_noticed():
    def program(t):
        x = t.tensor([1.0, 3.0, 2.0], requires_grad=True)
        values, indices = x.max(0, keepdim=True)
        indices.add_(1)
        values.sum().backward()

    both(program)


def test_the_gradient_of_a_sum_is_a_view_until_it_rests():
    from tests.oracle import ours

    t = ours()
    x = t.zeros(3, 4, requires_grad=True)
    y = x * 1
    seen = []
    y.register_hook(lambda g: seen.append(g.stride()))
    y.sum().backward()
    assert seen == [(0, 0)]
    assert x.grad._array.flags.writeable


def test_reductions_of_transposed_and_reversed_memory_agree_with_torch():
    for name in ("sum", "prod", "cumprod", "cummax", "median-dim", "std-dim", "logsumexp", "quantile-dim"):
        orders(lambda t, x, name=name: SMOOTH[name](t, x.mT.flip(0)), X, second=False)


def test_running_forms_agree_with_torch_where_lanes_are_many():
    x = np.random.default_rng(0).uniform(0.5, 1.5, (4, 5, 30))
    for axis in range(3):
        orders(lambda t, x, axis=axis: x.cumsum(axis), x)
        orders(lambda t, x, axis=axis: x.cumprod(axis), x)
    both(lambda t: t.ones(3, 100, dtype=t.bool).cumsum(0))
    both(lambda t: t.full((3, 100), 2, dtype=t.int8).cumprod(0))

"""NumPy functions called on tensors record the graph; the others get arrays and give arrays, or refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import torch
from tests.seeds.test_numpy_network import init_network, layers
from tinygrad_edu._numpy_dispatch import FUNCTIONS, UFUNCS, WRITERS

A = np.array([[0.2, 0.7, 0.4], [0.9, 0.3, 0.6]])
B = np.array([0.5, 0.8, 0.1])
SQUARE = np.array([[2.0, 0.5], [0.3, 1.5]])
CUBE = np.arange(24.0).reshape(2, 3, 4) / 10 + 0.05
MASK = A > 0.5
WHOLE = np.array([[4, 7, 1], [2, 3, 9]])


def tensor(array, grad=False):
    """Return a tensor of float64, or of whatever whole or truth values there are."""
    x = tinygrad_edu.from_numpy(np.array(array))
    return x.requires_grad_() if grad and x.is_floating_point() else x


def value(x):
    """Return what NumPy sees of a result."""
    return x.detach().numpy() if isinstance(x, tinygrad_edu.Tensor) else x


def assert_equal(found, expected):
    """Require the shape and the numbers of NumPy's own result."""
    assert np.shape(value(found)) == np.shape(expected)
    np.testing.assert_allclose(np.asarray(value(found), float), np.asarray(expected, float), rtol=1e-12)


def slopes(function, arrays, weights):
    """Return central differences of sum(weights * function(*arrays)) with respect to each array."""
    found = []
    for i, array in enumerate(arrays):
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in arrays]
                moved[i][place] += step
                ends.append((weights * function(*moved)).sum())
            slope[place] = (ends[0] - ends[1]) / 2e-6
        found.append(slope)
    return found


def check_gradient(function, arrays):
    """Require that a NumPy expression of tensors has NumPy's value and the gradient of finite differences."""
    xs = [tensor(a, grad=True) for a in arrays]
    out = function(*xs)
    assert isinstance(out, tinygrad_edu.Tensor)
    expected = function(*arrays)
    assert_equal(out, expected)
    assert out.requires_grad
    weights = np.cos(np.arange(np.size(expected)) + 1.0).reshape(np.shape(expected))
    grads = tinygrad_edu.autograd.grad(out, xs, tinygrad_edu.from_numpy(weights))
    for g, slope in zip(grads, slopes(function, arrays, weights), strict=True):
        np.testing.assert_allclose(value(g), slope, rtol=1e-6, atol=1e-8)


# Universal functions.

OPERANDS = {  # those that are not at home between 0 and 1
    np.matmul: (A, A.T + 1),
    np.arccosh: (A + 1.5,),
    np.bitwise_and: (WHOLE, WHOLE.T.reshape(2, 3)),
    np.bitwise_or: (WHOLE, WHOLE.T.reshape(2, 3)),
    np.bitwise_xor: (WHOLE, WHOLE.T.reshape(2, 3)),
    np.invert: (WHOLE,),
    np.left_shift: (WHOLE, WHOLE % 3),
    np.right_shift: (WHOLE, WHOLE % 3),
}
TRUTH = {  # what has no gradient
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and, np.logical_or, np.logical_xor,
    np.logical_not, np.isnan, np.isinf, np.isfinite, np.heaviside, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.left_shift, np.right_shift,
}  # fmt: skip
UNDIFFERENTIABLE = {np.floor_divide}  # torch records a step that refuses to go back


def operands(ufunc):
    """Return arrays that ``ufunc`` is smooth at."""
    return OPERANDS.get(ufunc, (A + 0.013, (A[::-1] * 0.7 + 0.11)[:, [2, 0, 1]])[: ufunc.nin])


def names(ufuncs):
    return sorted(ufuncs, key=lambda u: u.__name__)


@pytest.mark.parametrize("ufunc", names(UFUNCS), ids=lambda u: u.__name__)
def test_a_universal_function_of_tensors_has_numpys_value(ufunc):
    arrays = operands(ufunc)
    out = ufunc(*[tensor(a) for a in arrays])
    assert isinstance(out, tinygrad_edu.Tensor)
    assert_equal(out, ufunc(*arrays))


@pytest.mark.parametrize("ufunc", names(set(UFUNCS) - TRUTH - UNDIFFERENTIABLE), ids=lambda u: u.__name__)
def test_a_universal_function_of_tensors_records_its_gradient(ufunc):
    check_gradient(ufunc, operands(ufunc))


@pytest.mark.parametrize("ufunc", names(TRUTH), ids=lambda u: u.__name__)
def test_what_has_no_slope_requires_no_gradient(ufunc):
    arrays = operands(ufunc)
    assert not ufunc(*[tensor(a, grad=True) for a in arrays]).requires_grad


@pytest.mark.parametrize(
    "ufunc", names(u for u in UFUNCS if u.nin == 2 and u is not np.matmul), ids=lambda u: u.__name__
)
def test_numbers_and_arrays_stand_on_either_side(ufunc):
    x, y = operands(ufunc)
    number = y.dtype.type(2).item()
    for left, right in ((x, y), (x, number), (number, y)):
        expected = ufunc(left, right)
        for wrapped in (0, 1):
            pair = [left, right]
            if not isinstance(pair[wrapped], np.ndarray):
                continue
            pair[wrapped] = tensor(pair[wrapped])
            assert_equal(ufunc(*pair), expected)


def same_as_torch(name, *arrays):
    """Compare the gradient of a NumPy function here with that of a function of torch."""
    xs = [tensor(a, grad=True) for a in arrays]
    getattr(np, name)(*xs).sum().backward()
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    getattr(torch, {"power": "pow", "absolute": "abs"}.get(name, name))(*ts).sum().backward()
    for x, t in zip(xs, ts, strict=True):
        np.testing.assert_allclose(value(x.grad), t.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin", "hypot", "power", "logaddexp"])
def test_ties_and_edges_have_torchs_gradient(name):
    same_as_torch(name, np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]))


@pytest.mark.parametrize("name", ["absolute", "sign", "square", "tanh", "floor"])
def test_the_slope_at_zero_is_torchs(name):
    same_as_torch(name, np.array([0.0, -1.0, 2.0]))


def test_the_maximum_of_zero_and_a_float_tensor_stays_float32():
    x = tinygrad_edu.tensor([-1.0, 2.0], requires_grad=True)
    y = np.maximum(0, x)
    y.sum().backward()
    assert y.dtype is tinygrad_edu.float32
    assert y.tolist() == [0.0, 2.0]
    assert x.grad.tolist() == [0.0, 1.0]


def test_a_number_beside_doubles_keeps_its_digits():
    assert np.maximum(0.1, tensor([0.0, 1.0])).tolist() == [0.1, 1.0]
    assert np.where(MASK[0], tensor(B), 0.1).tolist() == np.where(MASK[0], B, 0.1).tolist()
    for frame in (tinygrad_edu, torch):
        y = frame.zeros(1, dtype=frame.float64)
        assert frame.where(y > 0, y, 0.1).tolist() == [0.1]


# Operators between arrays and tensors.

OPERATORS = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "**": lambda x, y: x**y,
    "@": lambda x, y: x @ y.T,
    "%": lambda x, y: x % y,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_between_array_and_tensor_records_in_both_orders(name):
    function = OPERATORS[name]
    x, y = A + 0.5, A[::-1] * 0.31 + 0.07
    check_gradient(lambda t: function(x, t), [y])
    check_gradient(lambda t: function(t, y), [x])


@pytest.mark.parametrize("compare", [np.less, np.equal, np.greater_equal], ids=lambda u: u.__name__)
def test_comparisons_between_array_and_tensor_give_tensors_of_truth_in_both_orders(compare):
    for out in (compare(tensor(A), A.T.reshape(2, 3)), compare(A, tensor(A.T.reshape(2, 3)))):
        assert isinstance(out, tinygrad_edu.Tensor)
        assert out.dtype is tinygrad_edu.bool
        assert out.tolist() == compare(A, A.T.reshape(2, 3)).tolist()


@pytest.mark.parametrize("number", [np.float64(2), np.float32(2), np.int64(2)], ids=lambda n: type(n).__name__)
def test_a_numpy_number_does_not_widen_a_tensor(number):
    x = tinygrad_edu.tensor([1.0, 4.0], requires_grad=True)
    for out in (number * x, x * number, number + x, number - x, number / x, number**x, x**number):
        assert isinstance(out, tinygrad_edu.Tensor)
        assert out.dtype is tinygrad_edu.float32
        assert out.requires_grad


def test_adding_a_tensor_into_an_array_writes_the_array():
    a = np.array([1.0, 2.0])
    kept = a
    a += tensor([10.0, 20.0])
    assert a is kept
    assert a.tolist() == [11.0, 22.0]


def test_adding_a_tensor_that_requires_grad_into_an_array_is_refused():
    a = np.array([1.0, 2.0])
    with pytest.raises(TypeError, match=r"array that is written into.*records no gradient.*torch\.add"):
        a += tensor([10.0, 20.0], grad=True)
    assert a.tolist() == [1.0, 2.0]


# Functions: NumPy's arguments, each beside NumPy and finite differences.

CALLS = {
    "dot": [
        (lambda x, y: np.dot(x, y), B, B + 1),
        (lambda x, y: np.dot(x, y), A, B),
        (lambda x, y: np.dot(x, y), A, A.T),
        (lambda x, y: np.dot(x, y), CUBE, B[:1].repeat(4)),
        (lambda x, y: np.dot(x, y), B[:1].repeat(4), CUBE.transpose(0, 2, 1)),
        (lambda x, y: np.dot(x, y), CUBE, CUBE.transpose(0, 2, 1)),
        (lambda x, y: np.dot(x, y), np.array(2.0), A),
        (lambda x: np.dot(3, x), A),
        (lambda x: np.dot(x, 3.0), A),
        (lambda x: np.dot(A.T, x), A),
        (lambda x: np.dot(x, A.T), A),
        (lambda x: np.dot([[1.0, 2.0]], x), A),
    ],
    "inner": [(np.inner, A, B), (np.inner, A, A + 1), (lambda x: np.inner(x, 2.0), A), (lambda x: np.inner(B, x), B + 1)],
    "outer": [(np.outer, A, B), (lambda x: np.outer(B, x), B + 1)],
    "vdot": [(np.vdot, A, A + 1)],
    "kron": [(np.kron, A, SQUARE)],
    "einsum": [
        (lambda x, y: np.einsum("ij,j->i", x, y), A, B),
        (lambda x: np.einsum("ij,jk", A.T, x), A),
        (lambda x, y: np.einsum("ij,j->i", x, y, optimize=True), A, B),
    ],
    "tensordot": [
        (lambda x, y: np.tensordot(x, y, 1), A, A.T),
        (lambda x, y: np.tensordot(x, y), A, A + 1),
        (lambda x, y: np.tensordot(x, y, axes=(1, 1)), A, A + 1),
        (lambda x, y: np.tensordot(x, y, axes=([0, 1], [0, 1])), A, A + 1),
    ],
    "trace": [
        (np.trace, SQUARE),
        (np.trace, A),
        (lambda x: np.trace(x, 1), A),
        (lambda x: np.trace(x, offset=-1, axis1=2, axis2=1), CUBE),
    ],
    "sum": [
        (np.sum, A),
        (lambda x: np.sum(x, 0), A),
        (lambda x: np.sum(x, axis=-1, keepdims=True), A),
        (lambda x: np.sum(x, axis=(0, 2)), CUBE),
        (lambda x: np.sum(x, keepdims=True), A),
        (lambda x: np.sum(x, axis=np.int64(1)), A),
    ],
    "mean": [(np.mean, A), (lambda x: np.mean(x, axis=(0, 1)), A), (lambda x: np.mean(x, 1, keepdims=True), A)],
    "prod": [
        (np.prod, A),
        (lambda x: np.prod(x, axis=1), A),
        (lambda x: np.prod(x, axis=(0, 2)), CUBE),
        (lambda x: np.prod(x, keepdims=True), A),
    ],
    "max": [(np.max, A), (lambda x: np.max(x, axis=1), A), (lambda x: np.max(x, axis=(0, 1), keepdims=True), A)],
    "min": [(np.min, A), (lambda x: np.min(x, axis=0), A), (lambda x: np.min(x, keepdims=True), A)],
    "amax": [(np.amax, A), (lambda x: np.amax(x, axis=1), A)],
    "amin": [(np.amin, A), (lambda x: np.amin(x, axis=1), A)],
    "std": [
        (np.std, A),
        (lambda x: np.std(x, axis=1, ddof=1, keepdims=True), A),
        (lambda x: np.std(x, axis=(0, 1)), A),
    ],
    "var": [(np.var, A), (lambda x: np.var(x, 0), A), (lambda x: np.var(x, ddof=1, keepdims=True), A)],
    "cumsum": [(np.cumsum, A), (lambda x: np.cumsum(x, axis=1), A), (lambda x: np.cumsum(x, -2), A)],
    "cumprod": [(np.cumprod, A), (lambda x: np.cumprod(x, axis=0), A)],
    "reshape": [
        (lambda x: np.reshape(x, (3, 2)), A),
        (lambda x: np.reshape(x, -1), A),
        (lambda x: np.reshape(x, (3, -1), order="F"), A),
        (lambda x: np.reshape(x, (4, 6), order="F"), CUBE),
    ],
    "ravel": [(np.ravel, A), (lambda x: np.ravel(x.T), A), (lambda x: np.ravel(x, order="F"), A)],
    "transpose": [
        (np.transpose, A),
        (np.transpose, CUBE),
        (lambda x: np.transpose(x, (1, 0, 2)), CUBE),
        (lambda x: np.transpose(x, (-1, 0, 1)), CUBE),
    ],
    "squeeze": [
        (np.squeeze, A[None, :, None]),
        (lambda x: np.squeeze(x, axis=0), A[None]),
        (lambda x: np.squeeze(x, axis=(0, -1)), A[None, :, :, None]),
    ],
    "expand_dims": [
        (lambda x: np.expand_dims(x, 0), A),
        (lambda x: np.expand_dims(x, -1), A),
        (lambda x: np.expand_dims(x, (0, 2)), A),
        (lambda x: np.expand_dims(x, (-1, 0)), A),
    ],
    "broadcast_to": [(lambda x: np.broadcast_to(x, (4, 3)), B), (lambda x: np.broadcast_to(x, 3), B[:1])],
    "swapaxes": [(lambda x: np.swapaxes(x, 0, -1), CUBE)],
    "moveaxis": [(lambda x: np.moveaxis(x, 0, -1), CUBE), (lambda x: np.moveaxis(x, [0, 1], [-1, 0]), CUBE)],
    "concatenate": [
        (lambda x, y: np.concatenate([x, y]), A, A + 1),
        (lambda x: np.concatenate((x, A), axis=1), A + 1),
        (lambda x: np.concatenate((x, A), axis=None), A + 1),
        (np.concatenate, A),
    ],
    "stack": [(lambda x, y: np.stack([x, y], axis=-1), A, A + 1), (lambda x: np.stack([A, x]), A + 1)],
    "hstack": [(lambda x, y: np.hstack([x, y]), A, A + 1), (lambda x: np.hstack((B, x)), B + 1)],
    "vstack": [(lambda x, y: np.vstack([x, y]), A, A + 1), (lambda x: np.vstack((B, x)), B + 1)],
    "where": [
        (lambda x, y: np.where(MASK, x, y), A, A + 1),
        (lambda x: np.where(MASK, x, 0.0), A),
        (lambda x: np.where(MASK, A, x), A + 1),
        (lambda x: np.where(A - 0.2, x, 1.0), A),
    ],
    "clip": [
        (lambda x: np.clip(x, 0.25, 0.65), A),
        (lambda x: np.clip(x, a_min=0.25, a_max=None), A),
        (lambda x: np.clip(x, min=0.25, max=0.65), A),
        (lambda x: np.clip(x, None, 0.65), A),
        (lambda x, y: np.clip(x, y, 0.85), A, B),
        (lambda x: np.clip(x, B - 0.01, None), A),
        (lambda x: np.clip(A, x, 0.95), B + 0.1),
    ],
    "copy": [(np.copy, A)],
    "diag": [(np.diag, A), (lambda x: np.diag(x, 1), B)],
    "diagonal": [(np.diagonal, A), (lambda x: np.diagonal(x, 1, 1, 2), CUBE)],
    "tril": [(np.tril, A), (lambda x: np.tril(x, -1), CUBE)],
    "triu": [(np.triu, A), (lambda x: np.triu(x, k=1), A)],
    "flip": [(np.flip, A), (lambda x: np.flip(x, 0), A), (lambda x: np.flip(x, (0, 1)), A)],
    "roll": [
        (lambda x: np.roll(x, 1), A),
        (lambda x: np.roll(x, 1, axis=1), A),
        (lambda x: np.roll(x, (1, 2), axis=(0, 1)), A),
    ],
    "tile": [(lambda x: np.tile(x, 2), A), (lambda x: np.tile(x, (2, 1)), A)],
    "norm": [
        (np.linalg.norm, A),
        (np.linalg.norm, CUBE),
        (lambda x: np.linalg.norm(x, axis=1, keepdims=True), A),
        (lambda x: np.linalg.norm(x, 1), B),
        (lambda x: np.linalg.norm(x, np.inf), B),
        (lambda x: np.linalg.norm(x, 3, axis=0), A),
        (lambda x: np.linalg.norm(x, "fro"), A),
        (lambda x: np.linalg.norm(x, 1), A),
        (lambda x: np.linalg.norm(x, -1), A),
        (lambda x: np.linalg.norm(x, np.inf), A),
        (lambda x: np.linalg.norm(x, -np.inf, (0, 2), keepdims=True), CUBE),
        (lambda x: np.linalg.norm(x, 1, (2, 0)), CUBE),
    ],
    "inv": [(np.linalg.inv, SQUARE)],
    "det": [(np.linalg.det, SQUARE)],
    "round": [],  # its slope is zero: below
    "argmax": [], "argmin": [], "all": [], "any": [], "zeros_like": [], "ones_like": [], "shape": [], "ndim": [], "size": [],
}  # fmt: skip


def cases():
    return [pytest.param(*row, id=f"{name}-{i}") for name, rows in CALLS.items() for i, row in enumerate(rows)]


@pytest.mark.parametrize("row", [c.values for c in cases()], ids=[c.id for c in cases()])
def test_a_function_of_tensors_has_numpys_value_and_records_its_gradient(row):
    function, *arrays = row
    check_gradient(function, [np.asarray(a) for a in arrays])


def test_every_function_in_the_table_is_tried():
    assert {f.__name__ for f in FUNCTIONS} == set(CALLS)


WITHOUT_GRADIENT = {
    "round": [lambda x: np.round(x), lambda x: np.round(x, 1), lambda x: np.round(x * 100, -1)],
    "argmax": [np.argmax, lambda x: np.argmax(x, axis=1), lambda x: np.argmax(x, axis=0, keepdims=True)],
    "argmin": [np.argmin, lambda x: np.argmin(x, 1)],
    "all": [np.all, lambda x: np.all(x > 0.3, axis=1), lambda x: np.all(x, keepdims=True)],
    "any": [np.any, lambda x: np.any(x > 0.8, axis=0), lambda x: np.any(x, axis=(0, 1))],
    "zeros_like": [np.zeros_like, lambda x: np.zeros_like(x, dtype=np.int64)],
    "ones_like": [np.ones_like, lambda x: np.ones_like(x, dtype=bool)],
    "where": [lambda x: np.where(x > 0.5)[0], lambda x: np.where(x > 0.5)[1]],
}


@pytest.mark.parametrize(
    "function", [f for fs in WITHOUT_GRADIENT.values() for f in fs], ids=[f"{n}-{i}" for n, fs in WITHOUT_GRADIENT.items() for i in range(len(fs))]
)  # fmt: skip
def test_a_function_without_a_slope_gives_a_tensor_of_numpys_values(function):
    out = function(tensor(A, grad=True))
    assert isinstance(out, tinygrad_edu.Tensor)
    assert_equal(out, function(A))


def test_shapes_and_sizes_are_plain_numbers():
    x = tensor(CUBE, grad=True)
    assert np.shape(x) == (2, 3, 4)
    assert np.ndim(x) == 3
    assert np.size(x) == 24
    assert np.size(x, 1) == 3


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "var", "cumsum", "trace"])
def test_a_dtype_given_to_a_function_is_that_of_the_computation(name):
    out = getattr(np, name)(tensor(A, grad=True), dtype=np.float32)
    assert out.dtype is tinygrad_edu.float32
    assert out.requires_grad


@pytest.mark.parametrize("name", ["mean", "std", "var"])
def test_whole_numbers_are_averaged_as_floating_ones(name):
    np.testing.assert_allclose(
        value(getattr(np, name)(tensor(WHOLE), axis=0)), getattr(np, name)(WHOLE, axis=0), rtol=1e-6
    )


def test_an_axis_that_cannot_be_squeezed_raises_as_in_numpy():
    with pytest.raises(ValueError, match="cannot select an axis to squeeze out"):
        np.squeeze(tensor(A, grad=True), axis=0)


def test_arrays_of_other_floating_dtypes_are_promoted():
    x = tinygrad_edu.tensor(A.tolist(), requires_grad=True)
    for out in (np.dot(x, A.T), np.concatenate([x, A]), np.where(MASK, A, x), A + x, np.tensordot(x, A.T, 1)):
        assert out.dtype is tinygrad_edu.float64
        (g,) = tinygrad_edu.autograd.grad(out.sum(), x)
        assert g.dtype is tinygrad_edu.float32


# out=, where=, initial=: arrays where no gradient is wanted, else a refusal.

UNANSWERED = {
    "sum of a part": lambda x: np.sum(x, where=MASK),
    "sum from a start": lambda x: np.sum(x, initial=3.0),
    "variance about a mean": lambda x: np.var(x, mean=0.5),
    "reshape in reading order": lambda x: np.reshape(x, (3, 2), order="A"),
    "zeros of another shape": lambda x: np.zeros_like(x, shape=(4,)),
    "largest singular value": lambda x: np.linalg.norm(x, 2),
    "nuclear norm": lambda x: np.linalg.norm(x, "nuc"),
    "exp in another dtype": lambda x: np.exp(x, dtype=np.float32, casting="same_kind"),
    "sum by the ufunc": lambda x: np.add.reduce(x),
    "all products": lambda x: np.multiply.outer(x, B),
    "median": lambda x: np.median(x),
    "sorting": lambda x: np.sort(x),
    "histogram": lambda x: np.histogram(x)[0],
    "interpolation": lambda x: np.interp(x, [0.0, 1.0], [2.0, 3.0]),
    "unique": lambda x: np.unique(x),
    "cube root": lambda x: np.cbrt(x),
    "closeness": lambda x: np.allclose(x, A),
    "inside a list": lambda x: np.column_stack([x, x]),
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_without_a_counterpart_arrays_are_given_where_no_gradient_is_wanted(name):
    out = UNANSWERED[name](tensor(A))
    assert not isinstance(out, tinygrad_edu.Tensor)
    assert_equal(out, UNANSWERED[name](A))


@pytest.mark.parametrize("name", UNANSWERED)
def test_without_a_counterpart_a_wanted_gradient_is_refused(name):
    with pytest.raises(TypeError, match=r"requires grad.*x\.detach\(\)"):
        UNANSWERED[name](tensor(A, grad=True))


@pytest.mark.parametrize(
    ("call", "nearest"),
    [
        (np.sort, "torch.sort"),
        (np.median, "torch.median"),
        (np.average, "torch.mean"),
        (np.cbrt, "torch.pow"),
        (lambda x: np.append(x, 1), "torch.cat"),
        (lambda x: np.add.reduce(x), "torch.sum"),
        (lambda x: np.repeat(x, 2), "torch.repeat_interleave"),
        (lambda x: np.sum(x, where=MASK), "takes no where.*torch.sum"),
        (lambda x: np.exp(x, dtype=np.float32), "takes no dtype.*torch.exp"),
    ],
)
def test_the_refusal_names_the_nearest_operation(call, nearest):
    with pytest.raises(TypeError, match=nearest):
        call(tensor(A, grad=True))


def test_a_refusal_does_not_guess_wildly():
    with pytest.raises(TypeError, match="write it with operations of torch"):
        np.busday_count(tensor(A, grad=True), 1)


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(
    "call",
    [
        lambda x, out: np.exp(x, out=out),
        lambda x, out: np.add(x, 1, out),
        lambda x, out: np.sum(x, axis=0, out=out[0]),
        lambda x, out: np.clip(x, 0.3, 0.5, out=out),
        lambda x, out: np.cumsum(x, axis=1, out=out),
        lambda x, out: np.concatenate([x[:1], x[1:]], out=out),
        lambda x, out: np.dot(x[:, :2], tensor(A[:, :3]), out=out),
        lambda x, out: np.round(x, 1, out=out),
        lambda x, out: np.mean(x, 0, out=out[0]),
        lambda x, out: np.argmax(x, axis=1, out=out.astype(np.int64)[:, 0]),
    ],
)
def test_out_writes_the_array_where_no_gradient_is_wanted_and_is_refused_where_one_is(call, grad):
    out, expected = np.zeros((2, 3)), np.zeros((2, 3))
    if grad:
        with pytest.raises(TypeError, match="requires grad"):
            call(tensor(A, grad=True), out)
        return
    call(tensor(A), out)
    call(A, expected)
    np.testing.assert_allclose(out, expected)


# Tensors that NumPy writes into.


def test_a_tensor_given_as_out_is_written_and_comes_back():
    out = tinygrad_edu.zeros(2, 3, dtype=tinygrad_edu.float64)
    before = out._version
    assert np.exp(A, out=out) is out
    assert_equal(out, np.exp(A))
    assert out._version == before + 1


def test_a_tensor_that_requires_grad_cannot_be_given_as_out():
    out = tensor(np.zeros((2, 3)), grad=True)
    with pytest.raises(TypeError, match="requires grad"):
        np.exp(A, out=out)
    assert (value(out) == 0).all()


WRITES = {
    np.copyto: lambda x: np.copyto(x, 0.0),
    np.put: lambda x: np.put(x, [0], 5.0),
    np.place: lambda x: np.place(x, MASK, 5.0),
    np.putmask: lambda x: np.putmask(x, MASK, 5.0),
    np.fill_diagonal: lambda x: np.fill_diagonal(x, 5.0),
    np.put_along_axis: lambda x: np.put_along_axis(x, np.array([[0], [1]]), 5.0, axis=1),
    np.add.at: lambda x: np.add.at(x, [0], 5.0),
}


def test_every_function_that_writes_is_tried():
    assert set(WRITES) - {np.add.at} == WRITERS


@pytest.mark.parametrize("function", WRITES, ids=lambda f: f.__name__)
def test_a_write_by_numpy_into_a_tensor_that_a_step_kept_is_noticed(function):
    w, x = tensor(A, grad=True), tensor(A + 1)
    y = (w * x).sum()
    WRITES[function](x)
    assert not np.array_equal(value(x), A + 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.parametrize("function", WRITES, ids=lambda f: f.__name__)
def test_a_write_by_numpy_into_a_tensor_that_requires_grad_is_refused(function):
    x = tensor(A, grad=True)
    with pytest.raises(TypeError, match="requires grad"):
        WRITES[function](x)
    assert_equal(x, A)


# The neighbours.


def test_an_array_of_a_tensor_that_requires_grad_raises_torchs_error():
    for frame in (tinygrad_edu, torch):
        x = frame.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
            np.asarray(x)
        with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
            np.array([x, x])


def test_an_array_of_a_tensor_shares_its_memory():
    x = tensor(A)
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())


def test_an_array_of_a_dtype_that_torch_lacks_is_named():
    with pytest.raises(TypeError, match="complex128"):
        np.ones(3, complex) + tensor(B)


@pytest.mark.parametrize("grad", [False, True])
def test_the_network_of_seed_2_runs_as_printed(grad):
    network = init_network(lambda values: tinygrad_edu.tensor(values, dtype=tinygrad_edu.float64, requires_grad=grad))
    y = layers(network, np.array([1.0, 0.5]))[-1]
    assert str(value(y)) == "[0.31682708 0.69627909]"
    if grad:
        y.sum().backward()
        theirs = init_network(lambda values: torch.tensor(values, dtype=torch.float64, requires_grad=True))
        a = torch.tensor([1.0, 0.5], dtype=torch.float64)
        for i in (1, 2, 3):
            a = a @ theirs[f"W{i}"] + theirs[f"b{i}"]
            a = torch.sigmoid(a) if i < 3 else a
        a.sum().backward()
        for name, p in network.items():
            np.testing.assert_allclose(value(p.grad), theirs[name].grad.numpy(), rtol=1e-12)


def test_matplotlib_draws_tensors_also_those_that_require_grad():
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    x = tinygrad_edu.linspace(-1, 1, 20)
    y = (x.clone().requires_grad_() ** 2).detach()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        figure, axes = plt.subplots()
        (line,) = axes.plot(x, y)
        axes.scatter(x, y)
        axes.bar(x[:3], y[:3])
        axes.hist(y)
        axes.imshow(y.reshape(4, 5))
        axes.fill_between(x, y, y + 1)
        axes.plot(x.clone().requires_grad_(), y.requires_grad_())
        figure.canvas.draw()
        plt.close(figure)
    np.testing.assert_allclose(line.get_ydata(), (x**2).numpy())

"""What once broke, named after it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.oracle import both

LAYOUTS = {
    "rows": lambda t, x: x * 1,
    "columns": lambda t, x: (x.t() * 1).t(),
    "columns as they come": lambda t, x: x.t().exp(),
    "every second": lambda t, x: (x * 1)[:, ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("order", [1, 2])
def test_a_write_through_a_reshaped_view_survives_a_gradient_of_another_memory_order(layout, order):
    # The copy that splice makes took over the order of the gradient; a reshape of it then copied, and the write was lost.
    def program(t):
        x = t.from_numpy(np.arange(1.0, 13.0).reshape(3, 4)).requires_grad_()
        h = LAYOUTS[layout](t, x)
        h.reshape(-1).mul_(3)
        h.t().reshape(-1).mul_(h.shape[0])
        h.t()[1:].unsqueeze(0)[0].add_(1)
        weights = t.from_numpy(np.arange(1.0, 1.0 + h.numel()).reshape(h.shape[1], h.shape[0]))
        (g,) = t.autograd.grad((h.t() * h.t() * weights).sum(), x, create_graph=True)
        return t.autograd.grad((g * g).sum(), x) if order == 2 else g

    both(program)


def test_a_whole_view_written_leaves_nothing_to_the_old_value():
    def program(t):
        x = t.ones(2, 3, requires_grad=True)
        h = x * 1
        h.view(-1).mul_(3)
        (h.t() * t.ones(3, 2)).sum().backward()
        return x.grad

    assert both(program).tolist() == [[3.0, 3.0, 3.0]] * 2


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_of_column_major_scores_has_its_gradient(reduction):
    # The ones of the targets were subtracted through a reshape, which copies what is laid out by columns.
    def program(t):
        weights, inputs = t.linspace(-1, 1, 6).reshape(2, 3).requires_grad_(), t.linspace(0, 1, 12).reshape(3, 4)
        scores = (weights @ inputs).t()
        t.nn.functional.cross_entropy(scores, t.tensor([1, 0, 1, 1]), reduction=reduction).sum().backward()
        return weights.grad

    both(program)


@pytest.mark.parametrize(
    ("dtype", "x", "y", "rtol", "atol"),
    [
        ("int64", [2**62 + 1], [2**62], 0.0, 0.0),  # one number in float64
        ("float32", [3e38], [-3e38], 10.0, 0.0),  # the difference overflows
        ("float16", [1.0, 2.0, 3.0], [1.01, 2.03, 3.0], 0.01, 0.01),
        ("bool", [True, False], [True, True], 0.0, 1.0),
        ("uint8", [3], [5], 0.0, 2.0),
    ],
)
def test_isclose_at_the_edges_of_a_dtype(dtype, x, y, rtol, atol):
    both(lambda t: t.isclose(*(t.tensor(v, dtype=getattr(t, dtype)) for v in (x, y)), rtol, atol))


def test_isclose_of_float16_rounds_as_torch_does():
    rng = np.random.default_rng(0)
    x = (3 * rng.normal(size=50_000)).astype(np.float16)
    y = (x * (1 + 0.01 * rng.normal(size=x.size)) + 0.01 * rng.normal(size=x.size)).astype(np.float16)
    near = both(lambda t: t.isclose(t.from_numpy(x), t.from_numpy(y), 0.01, 0.01))
    assert 0 < near.sum() < x.size


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 3), (0,)])
def test_an_empty_tensor_has_the_strides_of_its_shape(shape):
    both(lambda t: (t.zeros(*shape).stride(), t.ones(3, 4)[:0].stride(), t.ones(3, 4)[:, :0].stride()))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0, -1.0])
def test_a_power_of_zero_differentiated_by_the_incoming_gradient(exponent):
    # The mask of the undefined logarithm stood outside of the product with it: the derivative was 0 times infinity.
    def program(t):
        x, y, w = (t.tensor(v, dtype=t.float64, requires_grad=True) for v in (0.0, exponent, 1.1))
        grads = t.autograd.grad(t.pow(x, y), [x, y], w, create_graph=True)
        return [t.autograd.grad(g, w, retain_graph=True) for g in grads]

    both(program)


@pytest.mark.parametrize("gradient", [0, 1.5, [1.0]])
def test_a_backward_that_returns_no_tensor_is_refused(gradient):
    def program(t):
        class Wrong(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, g):
                return gradient

        Wrong.apply(t.ones(2, requires_grad=True)).sum().backward()

    error = both(program)
    assert "expected Variable or None" in str(error)


BORDERS = {  # where a condition decides: the call, its arguments, by what torch differentiates its gradient there
    "lp_pool of zeros": (lambda t, x: t.nn.functional.lp_pool1d(x, 3, 2), [np.zeros((1, 1, 2))], ""),
    "multilabel margin": (
        lambda t, x: t.nn.functional.multilabel_margin_loss(x, t.tensor([1, -1])),
        [np.array([0.0, 1.0])],
        "",
    ),
    "smooth l1 at beta": (
        lambda t, x, y: t.nn.functional.smooth_l1_loss(x, y),
        [np.array([2.0]), np.array([1.0])],
        "leaves and seed",
    ),
    "huber at delta": (
        lambda t, x, y: t.nn.functional.huber_loss(x, y),
        [np.array([1.0]), np.array([2.0])],
        "leaves and seed",
    ),
    "grid_sample on the border": (
        lambda t, x, grid: t.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=True),
        [np.arange(6.0).reshape(1, 1, 2, 3), np.array([[[[-1.0, 1.0], [0.25, 0.5], [1.0, -1.0], [-2.0, 0.1]]]])],
        "",
    ),
    "norm of zeros": (lambda t, x: t.norm(x, 3), [np.zeros(2)], "leaves"),
    "atan2 at the origin": (lambda t, x, y: t.atan2(x, y), [np.zeros(1), np.zeros(1)], "seed"),
}


@pytest.mark.parametrize("border", BORDERS)
def test_gradients_at_the_border_of_a_condition_are_torchs(border):
    call, arguments, differentiated = BORDERS[border]

    def program(t):
        leaves = [t.from_numpy(a.copy()).requires_grad_() for a in arguments]
        out = call(t, *leaves)
        seed = t.ones_like(out).requires_grad_()
        grads = t.autograd.grad(out, leaves, seed, create_graph=bool(differentiated))
        found = [g.detach() for g in grads]
        by = leaves * ("leaves" in differentiated) + [seed] * ("seed" in differentiated)
        for g in grads if by else ():
            more = t.autograd.grad(g.sum(), by, retain_graph=True, allow_unused=True)
            found += [t.zeros_like(x) if m is None else m.detach() for m, x in zip(more, by, strict=True)]
        return found

    both(program)


def test_float_power_writes_only_into_float64():
    for dtype in ("float32", "int64", "float64"):
        both(lambda t, dtype=dtype: t.ones(2, dtype=getattr(t, dtype)).float_power_(2))

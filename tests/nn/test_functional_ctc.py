"""The ctc loss beside torch and, at second order, beside finite differences."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours

SCORES = np.random.default_rng(0).normal(size=(9, 3, 5))
LABELS = [[1, 2, 2, 0], [3, 1, 0, 0], [4, 4, 4, 4]]
JOINED = [1, 2, 2, 3, 1, 4, 4, 4, 4]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("labels", [LABELS, JOINED], ids=["rows", "joined"])
def test_ctc_loss_and_its_gradient_equal_torch(labels, reduction):
    def run(t, x):
        lengths = t.tensor([9, 7, 9]), t.tensor([3, 2, 4])
        return t.nn.functional.ctc_loss(t.log_softmax(x, -1), t.tensor(labels), *lengths, reduction=reduction)

    orders(run, SCORES, second=False)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_labels_too_long_for_their_input_cost_infinity_or_nothing(reduction):
    def run(t, x, zero):
        lengths = t.tensor([3, 7, 6]), t.tensor([3, 2, 4])
        return t.nn.functional.ctc_loss(
            t.log_softmax(x, -1), t.tensor(LABELS), *lengths, reduction=reduction, zero_infinity=zero
        )

    orders(lambda t, x: run(t, x, True), SCORES, second=False, named=False)
    both(lambda t: run(t, t.tensor(SCORES), False))


def test_no_labels_at_all_mean_blanks_throughout():
    both(
        lambda t: t.nn.functional.ctc_loss(
            t.log_softmax(t.tensor(SCORES), -1), t.tensor(LABELS), (9, 7, 9), (0, 2, 1), reduction="none"
        )
    )


def test_the_second_order_of_ctc_agrees_with_finite_differences():
    t = ours()
    direction = np.random.default_rng(1).normal(size=(4, 1, 3))
    x0 = np.random.default_rng(2).normal(size=(4, 1, 3))

    def slope(array):
        x = t.tensor(array, requires_grad=True)
        loss = t.nn.functional.ctc_loss(t.log_softmax(x, -1), t.tensor([[1, 2]]), (4,), (2,))
        (g,) = t.autograd.grad(loss, x, create_graph=True)
        return x, (g * t.tensor(direction)).sum()

    x, total = slope(x0)
    (found,) = t.autograd.grad(total, x)
    for place in np.ndindex(x0.shape):
        e = np.zeros_like(x0)
        e[place] = 1e-5
        assert found[place].item() == pytest.approx(
            (slope(x0 + e)[1].item() - slope(x0 - e)[1].item()) / 2e-5, rel=1e-5, abs=1e-8
        )

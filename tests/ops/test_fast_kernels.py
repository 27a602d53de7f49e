"""Every fast kernel beside the plain formula it stands for: results and first-order gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_edu as tg
from tests.test_house import OPS
from tinygrad_edu._ops import activation, nn, norm, rnn

F = tg.nn.functional
CAUSAL = np.triu(np.full((5, 5), -np.inf), 1)
HIDDEN = np.where(np.eye(5, dtype=bool), -np.inf, CAUSAL)  # the first query may look nowhere


def recurrent(op, states, gates, **settings):
    """Return shapes and call of a recurrent op."""
    shapes = [(7, 3, 4), *[(3, 5)] * states, (gates * 5, 4), (gates * 5, 5), (gates * 5,), (gates * 5,)]
    return shapes, lambda *given: op(*given, **settings)


def attention(mask=None):
    """Return shapes and call of attention."""
    return [(2, 3, 5, 4), (2, 3, 5, 4), (2, 3, 5, 6)], lambda q, k, v: nn.attention(
        q, k, v, mask=None if mask is None else mask.astype(q._array.dtype), scale=0.7
    )


CASES = {
    "gelu": ([(3, 17)], activation.gelu),
    "gelu of several blocks": ([(3, activation.BLOCK)], activation.gelu),
    "layer_norm": ([(2, 9, 6), (6,), (6,)], lambda x, w, b: F.layer_norm(x, (6,), w, b)),
    "layer_norm of two axes": ([(4, 3, 5), (3, 5), (3, 5)], lambda x, w, b: F.layer_norm(x, (3, 5), w, b)),
    "layer_norm without weights": ([(2, 9, 6)], lambda x: F.layer_norm(x, (6,))),
    "layer_norm without bias": ([(2, 9, 6), (6,)], lambda x, w: F.layer_norm(x, (6,), w)),
    "attention": attention(),
    "attention, causal": attention(CAUSAL),
    "attention, one query hidden": attention(HIDDEN),
    "lstm": recurrent(rnn.lstm, 2, 4),
    "lstm without bias": (recurrent(rnn.lstm, 2, 4)[0][:-2], lambda *given: rnn.lstm(*given, None, None)),
    "gru": recurrent(rnn.gru, 1, 3),
    "rnn": recurrent(rnn.rnn, 1, 1, rectified=False),
    "rnn, rectified": recurrent(rnn.rnn, 1, 1, rectified=True),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_a_fast_kernel_gives_what_the_plain_formula_gives(case, dtype, monkeypatch):
    shapes, call = CASES[case]
    numbers = [np.random.default_rng(i).standard_normal(s).astype(dtype) for i, s in enumerate(shapes)]

    def results(*, create_graph):
        given = [tg.tensor(a, requires_grad=True) for a in numbers]
        out = call(*given)
        weight = tg.tensor(np.random.default_rng(9).standard_normal(out.shape).astype(dtype))
        shares = tg.autograd.grad((out * weight).sum(), given, create_graph=create_graph)
        return [r.detach().numpy() for r in (out, *shares)]

    fast = results(create_graph=False)
    for module in (activation, nn, norm, rnn):
        monkeypatch.setattr(module, "FAST", False)
    plain = results(create_graph=True)
    loose = {"rtol": 2e-4, "atol": 2e-5} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-11}
    for found, wanted in zip(fast, plain, strict=True):
        assert found.dtype == wanted.dtype == dtype
        np.testing.assert_allclose(found, wanted, **loose)


def test_every_op_with_a_kernel_is_compared():
    quick = {op.forward.__name__ for op in OPS if op.quick is not None}
    compared = {"gelu", "normalize", "attention", "lstm", "gru", "rnn"}
    assert quick in (compared, set())  # none if TINYGRAD_EDU_PLAIN is set


def test_a_kernel_leaves_what_it_was_given_for_a_second_pass():
    for case in CASES:
        shapes, call = CASES[case]
        given = [
            tg.tensor(np.random.default_rng(i).standard_normal(s), requires_grad=True) for i, s in enumerate(shapes)
        ]
        loss = call(*given).sum()
        first, second = [tg.autograd.grad(loss, given, retain_graph=True) for _ in range(2)]
        assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(first, second, strict=True)), case


def test_a_kernel_may_name_only_what_the_formulas_keep():
    with pytest.raises(TypeError, match="names \\['out'\\], which no formula keeps"):
        activation.gelu.at_first_order(lambda g, out: (g * out,))

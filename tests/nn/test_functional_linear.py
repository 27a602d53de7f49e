"""Linear maps, lookup, distances and attention beside torch."""

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("shape", [(4, 6), (2, 4, 6), (6,), (2, 2, 3, 6), (0, 6), (2, 0, 6)])
def test_linear_equals_torch(shape):
    x, w, b = numbers(*shape), numbers(5, 6, seed=1), numbers(5, seed=2)
    orders(lambda t, x, w, b: t.nn.functional.linear(x, w, b), x, w, b)
    orders(lambda t, x, w: t.nn.functional.linear(x, w), x, w)


def test_linear_of_a_transposed_batch_equals_torch():
    x, w, b = numbers(2, 4, 6), numbers(5, 6, seed=1), numbers(5, seed=2)
    orders(lambda t, x, w, b: t.nn.functional.linear(x.transpose(0, 1), w, b), x, w, b)


@pytest.mark.parametrize("bias", [(1,), ()])
def test_a_single_bias_is_shared(bias):
    x, w, b = numbers(4, 6), numbers(5, 6, seed=1), numbers(*bias, seed=2)
    orders(lambda t, x, w, b: t.nn.functional.linear(x, w, b), x, w, b)


def test_a_frozen_weight_is_not_differentiated():
    def run(t):
        x = t.tensor(numbers(4, 6), requires_grad=True)
        y = t.nn.functional.linear(x, t.tensor(numbers(5, 6, seed=1)), t.zeros(5, dtype=t.float64))
        return t.autograd.grad(y.sum(), x)

    both(run)


UNFIT = {
    "inputs": ((4, 6), (3, 4), (3,), "mat1 and mat2 shapes cannot be multiplied (4x6 and 4x3)"),
    "inputs without bias": ((4, 6), (3, 4), None, "mat1 and mat2 shapes cannot be multiplied (4x6 and 4x3)"),
    "a batch of sequences": ((2, 3, 4), (5, 6), (5,), "mat1 and mat2 shapes cannot be multiplied (6x4 and 6x5)"),
    "one vector": ((4,), (5, 6), (5,), "mat1 and mat2 shapes cannot be multiplied (1x4 and 6x5)"),
    "bias": ((4, 6), (5, 6), (3,), "The expanded size of the tensor (5) must match the existing size (3)"),
    "a number": ((), (5, 6), None, "both arguments to linear need to be at least 1D, but they are 0D and 2D"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_sizes_that_do_not_fit_raise_torchs_error(case):
    x, w, b, words = UNFIT[case]
    error = both(lambda t: t.nn.functional.linear(t.zeros(x), t.zeros(w), None if b is None else t.zeros(b)))
    assert words in str(error)


def test_dtypes_that_differ_raise_torchs_error():
    f = ours().nn.functional.linear
    error = both(lambda t: t.nn.functional.linear(t.zeros(4, 6, dtype=t.float64), t.zeros(5, 6), t.zeros(5)))
    assert "mat1 and mat2 must have the same dtype, but got Double and Float" in str(error)
    error = both(lambda t: t.nn.functional.linear(t.zeros(4, 6, dtype=t.int64), t.zeros(5, 6)))
    assert "expected m1 and m2 to have the same dtype, but got: long int != float" in str(error)
    both(lambda t: t.nn.functional.linear(t.zeros(4, 6), t.zeros(5, 6), t.zeros(5, dtype=t.float64)))
    with pytest.raises(TypeError, match=r"argument 'input' \(position 1\) must be Tensor, not numpy.ndarray"):
        f(np.zeros((4, 6)), ours().zeros(5, 6))


def test_bilinear_equals_torch():
    orders(
        lambda t, x, y, w, b: t.nn.functional.bilinear(x, y, w, b),
        *(numbers(*s, seed=i) for i, s in enumerate([(4, 3), (4, 2), (5, 3, 2), (5,)])),
        named=False,  # several steps here, two in torch
    )


# ---- lookup

INDEX = np.array([[0, 3, 1], [3, 3, 2]])


@pytest.mark.parametrize("options", [{}, {"padding_idx": 3}, {"padding_idx": -1}])
@pytest.mark.parametrize("index", [INDEX, np.array(2), np.zeros(0, int)], ids=["matrix", "number", "none"])
def test_embedding_equals_torch_to_second_order(options, index):
    orders(lambda t, w: t.nn.functional.embedding(t.tensor(index), w * w, **options), numbers(5, 4))


def test_embedding_can_scale_gradients_by_frequency():
    orders(
        lambda t, w: t.nn.functional.embedding(t.tensor(INDEX), w, scale_grad_by_freq=True), numbers(5, 4), second=False
    )


@pytest.mark.parametrize("norm", [1.0, 2.0])
def test_max_norm_shortens_the_rows_in_place(norm):
    def run(t):
        w = t.tensor(numbers(5, 4))
        return t.nn.functional.embedding(t.tensor(INDEX), w, max_norm=1.0, norm_type=norm), w

    both(run)


@pytest.mark.parametrize("index", [[9], [-1], [1.0]])
def test_an_index_that_is_no_row_raises_torchs_error(index):
    both(lambda t: t.nn.functional.embedding(t.tensor(index), t.zeros(5, 4)))


def test_embedding_refuses_what_torch_refuses():
    both(lambda t: t.nn.functional.embedding(t.tensor([1]), t.zeros(4)))
    both(lambda t: t.nn.functional.embedding(t.tensor([1]), t.zeros(5, 4), padding_idx=9))
    both(lambda t: t.nn.functional.embedding(t.tensor([1], dtype=t.int16), t.zeros(5, 4)))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("offsets", [None, [0, 2, 2, 5]])
@pytest.mark.parametrize("padding", [None, 3])
def test_embedding_bag_equals_torch(mode, offsets, padding):
    def run(t, w):
        index, starts = t.tensor(INDEX), None
        if offsets is not None:
            index, starts = index.reshape(-1), t.tensor(offsets)
        return t.nn.functional.embedding_bag(index, w, starts, mode=mode, padding_idx=padding)

    orders(run, numbers(5, 4), named=False, second=False)


def test_one_hot_equals_torch():
    for index, classes in (([0, 2], -1), ([0, 2], 5), ([[1], [0]], -1), ([5], 3), ([-1], -1), ([1.0], 3)):
        both(lambda t, i=index, n=classes: t.nn.functional.one_hot(t.tensor(i), n))
    both(lambda t: t.nn.functional.one_hot(t.zeros(0, dtype=t.int64)))
    both(lambda t: t.nn.functional.one_hot(t.zeros(0, dtype=t.int64), 3))


# ---- distances


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_normalize_and_pairwise_distance_equal_torch(p):
    x, y = numbers(3, 4), numbers(3, 4, seed=1)
    orders(lambda t, x: t.nn.functional.normalize(x, p), x)
    orders(lambda t, x, y: t.nn.functional.pairwise_distance(x, y, p), x, y, second=p in (2.0, 3.0))


def test_zero_is_normalised_to_zero():
    orders(lambda t, x: t.nn.functional.normalize(x, dim=0), np.zeros((3, 2)), second=False)


def test_cosine_similarity_equals_torch():
    x, y = numbers(3, 4), numbers(3, 4, seed=1)
    orders(lambda t, x, y: t.nn.functional.cosine_similarity(x, y), x, y)
    orders(lambda t, x, y: t.nn.functional.cosine_similarity(x, y, 0), x, y[0])
    orders(lambda t, x, y: t.nn.functional.cosine_similarity(x, y), np.zeros((3, 4)), y, second=False)
    both(lambda t: t.nn.functional.cosine_similarity(t.zeros(4, 6), t.zeros(4, 5)))


def test_pdist_equals_torch():
    orders(lambda t, x: t.nn.functional.pdist(x), numbers(4, 3), named=False, second=False)


# ---- attention


@pytest.mark.parametrize("lead", [(2, 3), (3,), ()])
@pytest.mark.parametrize("kind", ["plain", "causal", "booleans", "numbers", "learned mask"])
def test_attention_equals_torch(lead, kind):
    m = 4 if kind == "causal" else 6
    q, k, v = numbers(*lead, 4, 5), numbers(*lead, m, 5, seed=1), numbers(*lead, m, 5, seed=2)
    looks = numbers(4, m, seed=3) > 0
    looks[1] = False  # a query that may look nowhere gets zeros
    added = numbers(4, m, seed=4)

    def run(t, q, k, v, *mask):
        options = {"plain": {}, "causal": {"is_causal": True}, "learned mask": {}}.get(kind)
        if options is None:
            options = {"attn_mask": t.tensor(looks if kind == "booleans" else added), "scale": 0.3}
        if mask:
            options = {"attn_mask": mask[0]}
        return t.nn.functional.scaled_dot_product_attention(q, k, v, **options)

    more = (added,) if kind == "learned mask" else ()
    orders(
        run,
        *(q, k, v, *more),
        named=kind in ("plain", "causal") or (kind != "learned mask" and len(lead) == 2),
        second=len(lead) != 2,  # torch's fused attention has none
        rtol=1e-7,
    )


def test_attention_to_second_order_agrees_with_the_composition():
    t = ours()

    def second(attend):
        q, k, v = (t.tensor(numbers(1, 2, 3, 4, seed=s), requires_grad=True) for s in range(3))
        grads = t.autograd.grad((attend(q, k, v) ** 2).sum(), (q, k, v), create_graph=True)
        return t.autograd.grad(sum((g**2).sum() for g in grads), (q, k, v))

    fused = second(t.nn.functional.scaled_dot_product_attention)
    plain = second(lambda q, k, v: t.softmax(q @ k.transpose(-2, -1) / 2.0, -1) @ v)
    for a, b in zip(fused, plain, strict=True):
        assert np.allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-10)


def test_attention_with_dropout_draws_torchs_mask():
    def run(t):
        t.manual_seed(1)
        q, k, v = (t.tensor(numbers(2, 3, 4, 5, seed=s)) for s in range(3))
        return t.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.3)

    both(run)


def test_grouped_queries_share_keys():
    def run(t):
        q, k = t.tensor(numbers(2, 4, 3, 5)), t.tensor(numbers(2, 2, 3, 5, seed=1))
        return t.nn.functional.scaled_dot_product_attention(q, k, k, enable_gqa=True)

    both(run)


def test_attention_refuses_mixed_dtypes():
    both(
        lambda t: t.nn.functional.scaled_dot_product_attention(
            t.zeros(2, 3), t.zeros(2, 3, dtype=t.float64), t.zeros(2, 3)
        )
    )

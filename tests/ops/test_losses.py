"""Losses beside torch: values, steps' names, gradients of two orders, reductions, options and refusals."""

import warnings

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours

REDUCTIONS = ["mean", "sum", "none"]
reductions = pytest.mark.parametrize("reduction", REDUCTIONS)


def numbers(*shape, seed=0):
    """Draw an array of normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def shares(*shape, seed=0):
    """Draw an array of numbers between 0.1 and 0.9."""
    return np.random.default_rng(seed).random(shape) * 0.8 + 0.1


SIGNS = np.where(numbers(4, 6, seed=7) > 0, 1.0, -1.0)
CLASSES = np.array([0, 5, 2, 2])

DISTANCES = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {},
    "smooth_l1_loss beta": {"beta": 0.3},
    "smooth_l1_loss zero": {"beta": 0.0},
    "huber_loss": {},
    "huber_loss delta": {"delta": 0.5},
}


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("shape", [(4, 6), (3,), ()])
@reductions
def test_distances_equal_torch(name, shape, reduction):
    second = "l1_loss" not in name or (name.startswith("smooth_l1_loss") and not name.endswith("zero"))
    orders(
        lambda t, x, y: getattr(t.nn.functional, name.split()[0])(x, y, reduction=reduction, **DISTANCES[name]),
        numbers(*shape),
        numbers(*shape, seed=1),
        second=second,  # torch's zeros of |x| there are tensors that NumPy cannot read
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@reductions
def test_distances_with_weights_equal_torch(name, reduction):
    w = shares(4, 6, seed=2)
    orders(
        lambda t, x, y: getattr(t.nn.functional, name)(x, y, reduction=reduction, weight=t.tensor(w)),
        numbers(4, 6),
        numbers(4, 6, seed=1),
        second=name != "l1_loss",
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_a_distance_of_nothing_is_nan_on_average_and_zero_in_sum(name):
    for reduction in REDUCTIONS:
        both(lambda t, r=reduction: getattr(t.nn.functional, name)(t.zeros(0), t.zeros(0), reduction=r))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_a_target_of_another_shape_is_broadcast_with_torchs_warning(name):
    def run(t):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loss = getattr(t.nn.functional, name)(t.tensor(numbers(4)), t.tensor(numbers(4, 1, seed=1)))
        return loss, [str(w.message) for w in caught], [w.category.__name__ for w in caught]

    _, messages, _ = both(run)
    assert messages[0].startswith(
        "Using a target size (torch.Size([4, 1])) that is different to the input size (torch.Size([4]))"
    )


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_sizes_that_do_not_broadcast_raise_torchs_error(name):
    error = both(lambda t: getattr(t.nn.functional, name)(t.zeros(4), t.zeros(3)))
    assert "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 0" in str(error)


def test_distances_promote_as_in_torch():
    both(lambda t: t.nn.functional.mse_loss(t.ones(3), t.zeros(3, dtype=t.float64)))
    both(lambda t: t.nn.functional.mse_loss(t.ones(3), t.zeros(3, dtype=t.int64)))
    both(lambda t: t.nn.functional.mse_loss(t.ones(3, dtype=t.int64), t.zeros(3, dtype=t.int64)))
    both(lambda t: t.nn.functional.l1_loss(t.ones(3, dtype=t.int64), t.zeros(3, dtype=t.int64)))


WRONG = {
    "reduction": lambda t: t.nn.functional.mse_loss(t.ones(3), t.ones(3), reduction="average"),
    "beta": lambda t: t.nn.functional.smooth_l1_loss(t.ones(3), t.ones(3), beta=-1.0),
    "delta": lambda t: t.nn.functional.huber_loss(t.ones(3), t.ones(3), delta=0.0),
    "weights": lambda t: t.nn.functional.mse_loss(t.ones(4), t.ones(4), weight=t.ones(3)),
    "no tensor": lambda t: t.nn.functional.mse_loss([1.0], t.ones(1)),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options_of_distances_raise_torchs_error(case):
    both(WRONG[case])


def test_the_old_arguments_are_translated_with_torchs_warning():
    t = ours()
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        assert t.nn.functional.mse_loss(t.ones(3), t.zeros(3), size_average=False).item() == 3
    with pytest.warns(UserWarning, match="please use reduction='none' instead"):
        assert t.nn.functional.mse_loss(t.ones(3), t.zeros(3), reduce=False).tolist() == [1, 1, 1]


# ---- classes

OPTIONS = [{}, {"ignore_index": 2}, {"label_smoothing": 0.1}, {"label_smoothing": 0.1, "ignore_index": 2}]
SCORES = {
    "rows": (numbers(4, 6), CLASSES),
    "one row": (numbers(6), np.array(3)),
    "images": (numbers(2, 6, 2, 2), np.array([[[0, 2], [5, 1]], [[2, 2], [3, 3]]])),
    "sequences": (numbers(2, 6, 3), np.array([[0, 2, 5], [2, 2, 1]])),
    "volumes": (numbers(2, 6, 1, 2, 2), np.array([[[[0, 2], [5, 1]]], [[[2, 2], [3, 3]]]])),
}


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scores", SCORES)
@reductions
def test_cross_entropy_equals_torch(options, weighted, scores, reduction):
    x, target = SCORES[scores]
    w = shares(6, seed=3)
    orders(
        lambda t, x: t.nn.functional.cross_entropy(
            x, t.tensor(target), weight=t.tensor(w) if weighted else None, reduction=reduction, **options
        ),
        x,
        named=not (reduction == "none" and scores in ("one row", "volumes")),  # torch views the result
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(4, 6), (2, 6, 3), (6,)])
@reductions
def test_cross_entropy_of_probabilities_equals_torch(smoothing, weighted, shape, reduction):
    w = shares(6, seed=3)
    orders(
        lambda t, x, p: t.nn.functional.cross_entropy(
            x, p, weight=t.tensor(w) if weighted else None, reduction=reduction, label_smoothing=smoothing
        ),
        numbers(*shape),
        shares(*shape, seed=1),
    )


@pytest.mark.parametrize("options", [{}, {"ignore_index": 2}])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scores", ["rows", "one row", "images", "sequences"])
@reductions
def test_nll_loss_equals_torch(options, weighted, scores, reduction):
    x, target = SCORES[scores]
    w = shares(6, seed=3)
    orders(
        lambda t, x: t.nn.functional.nll_loss(
            x, t.tensor(target), weight=t.tensor(w) if weighted else None, reduction=reduction, **options
        ),
        x,
        named=not (reduction == "none" and scores == "one row"),
    )


@reductions
def test_cross_entropy_at_its_borders_equals_torch(reduction):
    borders = (
        ([[0.0, 1.0], [2.0, 3.0]], [-100, -100]),  # everything ignored
        ([[1000.0, -1000.0], [-1000.0, 1000.0]], [0, 0]),
        ([[-np.inf, 0.0], [-np.inf, -np.inf]], [1, 0]),
        (np.zeros((0, 3)), np.zeros(0, int)),
    )
    for scores, target in borders:

        def run(t, scores=scores, target=target):
            x = t.tensor(np.array(scores), requires_grad=True)
            loss = t.nn.functional.cross_entropy(x, t.tensor(np.array(target)), reduction=reduction)
            return loss, t.autograd.grad(loss, x, t.ones_like(loss))

        both(run)


def test_cross_entropy_in_single_precision_and_with_bytes_as_targets():
    both(lambda t: t.nn.functional.cross_entropy(t.tensor(numbers(4, 6), dtype=t.float32), t.tensor(CLASSES)))
    both(lambda t: t.nn.functional.cross_entropy(t.tensor(numbers(4, 6)), t.tensor(CLASSES, dtype=t.uint8)))


ROW = numbers(4, 6)
REFUSED = {
    "too large": (ROW, [0, 1, 2, 10], "Target 10 is out of bounds."),
    "negative": (ROW, [0, -1, 2, 3], "Target -1 is out of bounds."),
    "floats": (ROW, [0.0, 1.0, 2.0, 3.0], "expected scalar type Long but found Float"),
    "int32": (ROW, np.array([0, 1, 2, 3], np.int32), "expected scalar type Long but found Int"),
    "another batch": (ROW, [0, 1, 2], "Expected input batch_size (4) to match target batch_size (3)."),
    "a column": (ROW, [[0], [1], [2], [3]], "0D or 1D target tensor expected, multi-target not supported"),
    "whole probabilities": (
        ROW,
        np.ones((4, 6), int),
        "Expected floating point type for target with class probabilities, got Long",
    ),
    "another image": (
        numbers(2, 4, 6, 6),
        np.zeros((2, 5, 6), int),
        "size mismatch (got input: [2, 4, 6, 6] , target: [2, 5, 6]",
    ),
    "whole scores": (
        np.ones((4, 6), int),
        [0, 1, 2, 3],
        "\"log_softmax_lastdim_kernel_impl\" not implemented for 'Long'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_targets_that_are_no_classes_raise_torchs_error(case):
    x, target, words = REFUSED[case]
    error = both(lambda t: t.nn.functional.cross_entropy(t.tensor(x), t.tensor(target)))
    assert words in str(error)


def test_wrong_options_of_cross_entropy_raise_torchs_error():
    for options in ({"label_smoothing": 2.0}, {"reduction": "average"}):
        both(lambda t, o=options: t.nn.functional.cross_entropy(t.tensor(ROW), t.tensor(CLASSES), **o))
    for n, dtype in ((3, "float64"), (6, "float32")):
        both(
            lambda t, n=n, d=dtype: t.nn.functional.cross_entropy(
                t.tensor(ROW), t.tensor(CLASSES), weight=t.ones(n, dtype=getattr(t, d))
            )
        )


# ---- probabilities


@reductions
def test_binary_cross_entropy_equals_torch(reduction):
    w = shares(6, seed=2)
    for weight in (None, w):
        orders(
            lambda t, x, y, w=weight: t.nn.functional.binary_cross_entropy(
                x, y, weight=None if w is None else t.tensor(w), reduction=reduction
            ),
            shares(4, 6),
            shares(4, 6, seed=1),
        )


def test_binary_cross_entropy_of_certainty_is_bounded():
    both(lambda t: t.nn.functional.binary_cross_entropy(t.tensor([0.0, 1.0]), t.tensor([1.0, 0.0]), reduction="none"))


@reductions
def test_binary_cross_entropy_with_logits_equals_torch(reduction):
    w, p = shares(6, seed=2), shares(6, seed=3) * 3
    for weight, positive in ((None, None), (w, None), (None, p), (w, p)):
        orders(
            lambda t, x, y, w=weight, p=positive: t.nn.functional.binary_cross_entropy_with_logits(
                x,
                y,
                weight=None if w is None else t.tensor(w),
                pos_weight=None if p is None else t.tensor(p),
                reduction=reduction,
            ),
            numbers(4, 6),
            shares(4, 6, seed=1),
            second=weight is None and positive is None,  # torch has no second order in the target otherwise
        )


def test_losses_of_logits_are_finite_at_1000():
    def run(t):
        x = t.tensor([1000.0, 1000.0, -1000.0, -1000.0], requires_grad=True)
        loss = t.nn.functional.binary_cross_entropy_with_logits(x, t.tensor([0.0, 1.0, 0.0, 1.0]))
        return loss, t.autograd.grad(loss, x)

    loss, _ = both(run)
    assert loss.item() == 500


IMPROBABLE = {
    "an input above one": ([1.5], [1.0], "all elements of input should be between 0 and 1"),
    "a target above one": ([0.5], [2.0], "all elements of target should be between 0 and 1"),
    "nan": ([np.nan], [1.0], "all elements of input should be between 0 and 1"),
    "another size": ([0.5, 0.5], [[0.5], [0.5]], "Please ensure they have the same size."),
    "whole targets": ([0.5], np.array([1]), "Found dtype Long but expected Double"),
}


@pytest.mark.parametrize("case", IMPROBABLE)
def test_what_is_no_probability_raises_torchs_error(case):
    x, y, words = IMPROBABLE[case]
    x, y = np.array(x), np.array(y)
    assert words in str(both(lambda t: t.nn.functional.binary_cross_entropy(t.tensor(x), t.tensor(y))))


def test_logits_and_targets_of_other_sizes_or_types():
    both(lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.zeros(4), t.zeros(4, 1)))
    both(lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.zeros(4), t.zeros(4, dtype=t.int64)))
    mixed = lambda t: t.nn.functional.binary_cross_entropy_with_logits(t.zeros(4), t.zeros(4, dtype=t.float64))
    both(mixed, rtol=1e-7)  # torch computes the logarithm in the input's dtype


@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_kl_div_equals_torch(log_target, reduction):
    orders(
        lambda t, x, y: t.nn.functional.kl_div(x, y, reduction=reduction, log_target=log_target),
        numbers(4, 6),
        shares(4, 6, seed=1),
    )


def test_kl_div_on_average_warns_as_torch_does():
    t = ours()
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        t.nn.functional.kl_div(t.zeros(2, 3), t.ones(2, 3))


@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [True, False])
@reductions
def test_poisson_nll_loss_equals_torch(log_input, full, reduction):
    counts = shares(4, 6, seed=1) * 5
    orders(
        lambda t, x: t.nn.functional.poisson_nll_loss(x, t.tensor(counts), log_input, full, reduction=reduction),
        shares(4, 6),
    )


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", [(4, 6), (4, 1), (4,)])
@reductions
def test_gaussian_nll_loss_equals_torch(full, shape, reduction):
    orders(
        lambda t, x, y, v: t.nn.functional.gaussian_nll_loss(x, y, v, full, reduction=reduction),
        numbers(4, 6),
        numbers(4, 6, seed=1),
        shares(*shape, seed=2),
    )


# ---- margins

MARGINS = {
    "hinge_embedding_loss": lambda F, x, y, s, r: F.hinge_embedding_loss(x, s, margin=0.7, reduction=r),
    "margin_ranking_loss": lambda F, x, y, s, r: F.margin_ranking_loss(x, y, s, margin=0.2, reduction=r),
    "cosine_embedding_loss": lambda F, x, y, s, r: F.cosine_embedding_loss(x, y, s[:, 0], margin=0.1, reduction=r),
    "soft_margin_loss": lambda F, x, y, s, r: F.soft_margin_loss(x, s, reduction=r),
    "multilabel_soft_margin_loss": lambda F, x, y, s, r: F.multilabel_soft_margin_loss(x, (s + 1) / 2, reduction=r),
    "triplet_margin_loss": lambda F, x, y, s, r: F.triplet_margin_loss(x, y, x.detach() * s, reduction=r),
    "triplet_margin_loss, swapped": lambda F, x, y, s, r: F.triplet_margin_loss(x, y, x * s, swap=True, reduction=r),
    "triplet_margin_with_distance_loss": lambda F, x, y, s, r: F.triplet_margin_with_distance_loss(
        x, y, x * s, reduction=r
    ),
}


@pytest.mark.parametrize("name", MARGINS)
@reductions
def test_margin_losses_equal_torch(name, reduction):
    orders(
        lambda t, x, y: MARGINS[name](t.nn.functional, x, y, t.tensor(SIGNS), reduction),
        numbers(4, 6),
        numbers(4, 6, seed=1),
    )


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@reductions
def test_multi_margin_loss_equals_torch(p, weighted, reduction):
    w = shares(6, seed=3)
    orders(
        lambda t, x: t.nn.functional.multi_margin_loss(
            x, t.tensor(CLASSES), p, 0.7, t.tensor(w) if weighted else None, reduction=reduction
        ),
        numbers(4, 6),
        second=False,  # torch has none
    )


@reductions
def test_multilabel_margin_loss_equals_torch(reduction):
    lists = np.array([[0, 1, -1, 0, 0, 0], [-1, 1, 2, 0, 0, 0], [5, 4, 3, 2, 1, 0], [2, -1, 3, 4, 5, 0]])
    for x, target in ((numbers(4, 6), lists), (numbers(6), lists[0])):
        orders(
            lambda t, x, target=target: t.nn.functional.multilabel_margin_loss(
                x, t.tensor(target), reduction=reduction
            ),
            x,
            named=False,
            second=False,  # torch has none
        )


def test_margin_losses_refuse_what_torch_refuses():
    both(lambda t: t.nn.functional.triplet_margin_loss(t.ones(1, 2), t.ones(1, 2), t.ones(1, 2), margin=-1.0))
    both(lambda t: t.nn.functional.multi_margin_loss(t.ones(1, 2), t.tensor([0]), p=3))
    both(lambda t: t.nn.functional.gaussian_nll_loss(t.ones(2), t.ones(2), -t.ones(2)))
    both(lambda t: t.nn.functional.margin_ranking_loss(t.ones(2), t.ones(2, 1), t.ones(2)))
    both(lambda t: t.nn.functional.cosine_embedding_loss(t.ones(2, 2), t.ones(2, 2), t.ones(2, 2)))

"""Losses against torch: values, gradients and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.oracle import both

rng = np.random.default_rng(0)
X = rng.standard_normal((4, 3)).astype("float32")
Y = rng.standard_normal((4, 3)).astype("float32")
P = 1 / (1 + np.exp(-X))
Q = 1 / (1 + np.exp(-Y))
SOFT = (np.exp(Y) / np.exp(Y).sum(1, keepdims=True)).astype("float32")
LOGS = (X - np.log(np.exp(X).sum(1, keepdims=True))).astype("float32")
CLASSES = np.array([0, 2, 1, 2])
SIGNS = np.array([1.0, -1.0, 1.0, -1.0], "float32")
PLANES = rng.standard_normal((2, 3, 2, 2)).astype("float32")
PLACES = rng.integers(0, 3, (2, 2, 2))

LOSSES: list[tuple[str, Callable[..., Any], tuple[np.ndarray, ...]]] = [
    ("L1Loss", lambda t, **k: t.nn.L1Loss(**k), (X, Y)),
    ("MSELoss", lambda t, **k: t.nn.MSELoss(**k), (X, Y)),
    ("SmoothL1Loss", lambda t, **k: t.nn.SmoothL1Loss(beta=0.5, **k), (X, Y)),
    ("HuberLoss", lambda t, **k: t.nn.HuberLoss(delta=0.5, **k), (X, Y)),
    ("CrossEntropyLoss", lambda t, **k: t.nn.CrossEntropyLoss(**k), (X, CLASSES)),
    ("CrossEntropyLoss of planes", lambda t, **k: t.nn.CrossEntropyLoss(**k), (PLANES, PLACES)),
    ("CrossEntropyLoss of one example", lambda t, **k: t.nn.CrossEntropyLoss(**k), (X[0], CLASSES[0])),
    ("CrossEntropyLoss soft", lambda t, **k: t.nn.CrossEntropyLoss(**k), (X, SOFT)),
    (
        "CrossEntropyLoss weighted",
        lambda t, **k: t.nn.CrossEntropyLoss(weight=t.tensor([0.2, 1.0, 3.0]), ignore_index=1, **k),
        (X, CLASSES),
    ),
    ("CrossEntropyLoss smoothed", lambda t, **k: t.nn.CrossEntropyLoss(label_smoothing=0.1, **k), (X, CLASSES)),
    ("NLLLoss", lambda t, **k: t.nn.NLLLoss(**k), (LOGS, CLASSES)),
    ("NLLLoss weighted", lambda t, **k: t.nn.NLLLoss(t.tensor([0.2, 1.0, 3.0]), **k), (LOGS, CLASSES)),
    ("BCELoss", lambda t, **k: t.nn.BCELoss(**k), (P, Q)),
    ("BCELoss weighted", lambda t, **k: t.nn.BCELoss(t.tensor([0.2, 1.0, 3.0]), **k), (P, Q)),
    ("BCEWithLogitsLoss", lambda t, **k: t.nn.BCEWithLogitsLoss(**k), (X, Q)),
    (
        "BCEWithLogitsLoss weighted",
        lambda t, **k: t.nn.BCEWithLogitsLoss(pos_weight=t.tensor([0.2, 1.0, 3.0]), **k),
        (X, Q),
    ),
    ("KLDivLoss", lambda t, **k: t.nn.KLDivLoss(**k), (LOGS, SOFT)),
    ("KLDivLoss of logs", lambda t, **k: t.nn.KLDivLoss(log_target=True, **k), (LOGS, np.log(SOFT))),
    ("PoissonNLLLoss", lambda t, **k: t.nn.PoissonNLLLoss(**k), (X, np.abs(Y))),
    ("GaussianNLLLoss", lambda t, **k: t.nn.GaussianNLLLoss(**k), (X, Y, P)),
    ("MarginRankingLoss", lambda t, **k: t.nn.MarginRankingLoss(0.3, **k), (X[:, 0], X[:, 1], SIGNS)),
    ("CosineEmbeddingLoss", lambda t, **k: t.nn.CosineEmbeddingLoss(0.3, **k), (X, Y, SIGNS)),
    ("HingeEmbeddingLoss", lambda t, **k: t.nn.HingeEmbeddingLoss(**k), (X[:, 0], SIGNS)),
    ("SoftMarginLoss", lambda t, **k: t.nn.SoftMarginLoss(**k), (X[:, 0], SIGNS)),
    ("MultiMarginLoss", lambda t, **k: t.nn.MultiMarginLoss(p=2, margin=0.5, **k), (X, CLASSES)),
    ("MultiLabelMarginLoss", lambda t, **k: t.nn.MultiLabelMarginLoss(**k), (X, np.array([[0, 2, -1]] * 4))),
    ("MultiLabelSoftMarginLoss", lambda t, **k: t.nn.MultiLabelSoftMarginLoss(**k), (X, Q.round())),
    ("TripletMarginLoss", lambda t, **k: t.nn.TripletMarginLoss(swap=True, **k), (X, Y, X[::-1].copy())),
    (
        "TripletMarginWithDistanceLoss",
        lambda t, **k: t.nn.TripletMarginWithDistanceLoss(**k),
        (X, Y, X[::-1].copy()),
    ),
]
cases = pytest.mark.parametrize(("make", "arrays"), [c[1:] for c in LOSSES], ids=[c[0] for c in LOSSES])


@cases
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_loss_and_its_gradient_are_torchs(make: Any, arrays: Any, reduction: str) -> None:
    def program(t: Any) -> Any:
        inputs = [t.tensor(a, requires_grad=True) if i == 0 else t.tensor(a) for i, a in enumerate(arrays)]
        loss = make(t, reduction=reduction)
        out = loss(*inputs)
        (out * out).sum().backward()
        return repr(loss), out, inputs[0].grad, list(loss.state_dict())

    both(program, ignore_warnings=True)  # KLDivLoss advises against its own default


@cases
def test_a_wrong_reduction_is_refused(make: Any, arrays: Any) -> None:
    both(lambda t: make(t, reduction="middle")(*[t.tensor(a) for a in arrays]), ignore_warnings=True)


def test_the_old_switches_choose_the_reduction() -> None:
    def program(t: Any) -> Any:
        made = [
            t.nn.MSELoss(size_average=False),
            t.nn.CrossEntropyLoss(reduce=False),
            t.nn.L1Loss(True),
            t.nn.L1Loss(None, False),
            t.nn.NLLLoss(size_average=True, reduce=True),
        ]
        return [loss.reduction for loss in made]

    assert both(program, ignore_warnings=True) == ["sum", "none", "mean", "none", "mean"]


@pytest.mark.parametrize("kind", ["MSELoss", "CrossEntropyLoss"])
def test_the_old_switches_warn_at_the_line_that_uses_them(kind: str) -> None:
    import tinygrad_edu as tg

    with pytest.warns(UserWarning, match="size_average and reduce args will be deprecated") as seen:
        getattr(tg.nn, kind)(size_average=False)
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    ("make", "arrays"),
    [
        (lambda nn: nn.CrossEntropyLoss(), (X, np.array([0, 1, 2, 3]))),
        (lambda nn: nn.CrossEntropyLoss(), (X, np.array([0, 1]))),
        (lambda nn: nn.CrossEntropyLoss(), (X, CLASSES.astype("float32"))),
        (lambda nn: nn.BCELoss(), (P * 2, Q)),
        (lambda nn: nn.BCELoss(), (P, Q[:2])),
    ],
)
def test_targets_that_do_not_fit_are_refused(make: Any, arrays: Any) -> None:
    assert isinstance(both(lambda t: make(t.nn)(*[t.tensor(a) for a in arrays])), Exception)

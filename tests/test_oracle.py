"""The oracle itself: it must be able to fail."""

from __future__ import annotations

import pytest

from tests.oracle import assert_same, torch


@pytest.mark.parametrize(
    ("mine", "theirs", "complaint"),
    [
        (lambda: torch.tensor([1.0]), lambda: torch.tensor([2.0]), "1 of 1 elements differ"),
        (lambda: torch.tensor([1.0]), lambda: torch.tensor([1.0]).double(), "dtype"),
        (lambda: torch.tensor([1.0]), lambda: torch.tensor(1.0), "shape"),
        (lambda: torch.tensor([1.0]), lambda: torch.tensor([1.0], requires_grad=True), "requires_grad"),
        (lambda: torch.tensor([float("nan")]), lambda: torch.tensor([0.0]), "differ"),
        (lambda: [1, (2.0, 3)], lambda: [1, (2.5, 3)], r"at result\[1\]\[0\]"),
        (lambda: 1, lambda: True, "torch gives True"),
        (lambda: 1, lambda: 1.0, "torch gives 1.0"),
        (lambda: (1,), lambda: [1], "not a list"),
        (lambda: "a", lambda: "b", "torch gives 'b'"),
        (lambda: ValueError("x"), lambda: RuntimeError("x"), "torch raises RuntimeError"),
        (lambda: 1.0, lambda: RuntimeError("x"), "torch raises"),
        (lambda: RuntimeError("x"), lambda: 1.0, "torch returns"),
        (lambda: {"a": 1}, lambda: {"b": 1}, "keys"),
    ],
)
def test_a_difference_is_noticed(mine, theirs, complaint):
    with pytest.raises(AssertionError, match=complaint):
        assert_same(mine(), theirs())


def test_equal_outcomes_pass():
    assert_same(torch.tensor([1.0, float("nan")]), torch.tensor([1.0 + 1e-7, float("nan")]))
    assert_same([1, {"a": (torch.float32, None, "text")}], [1, {"a": (torch.float32, None, "text")}])
    assert_same(NotImplementedError("ours says more"), RuntimeError("torch"))

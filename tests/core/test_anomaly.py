"""detect_anomaly names the operation and the user's file and line, forward and backward."""

import numpy as np
import pytest

import tinygrad_edu as torch
from tinygrad_edu._core.op import Binary, Op, Unary

HERE = r"test_anomaly\.py:\d+"


def test_it_stops_at_the_first_inf_of_the_forward_pass():
    x = torch.tensor([1.0, 0.0])
    with (
        torch.autograd.detect_anomaly(),
        pytest.raises(RuntimeError, match=rf"log returned nan or inf.*{HERE}") as caught,
    ):
        x.log()
    assert "1 inf" in str(caught.value)
    assert "argument 0: shape [2], from 0 to 1" in str(caught.value)


def test_it_names_the_forward_line_of_a_gradient_that_is_not_finite():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        y = x.sqrt().sum()
        with pytest.raises(
            RuntimeError,
            match=rf"Function 'SqrtBackward0' returned nan values.*(\n.*)*forward at .*{HERE}.*x\.sqrt\(\)",
        ):
            y.backward()


def test_the_where_trap_is_found():
    x = torch.tensor([0.0, 4.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        y = torch.where(x > 0, x.sqrt(), x * 0).sum()
        with pytest.raises(RuntimeError, match="SqrtBackward0"):
            y.backward()


def test_a_write_through_a_numpy_alias_of_a_saved_array_is_found():
    a = np.array([1.0, 2.0])
    x = torch.from_numpy(a).requires_grad_()
    with torch.autograd.detect_anomaly():
        y = (x * x).sum()
        a[0] = 7.0
        with pytest.raises(RuntimeError, match=rf"written through NumPy after the forward pass at .*{HERE}"):
            y.backward()


def test_the_line_of_an_in_place_write_is_named():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        h = x * 1
        y = h.exp()
        y.add_(1)
        with pytest.raises(RuntimeError, match=rf"The last write was at .*{HERE}.*y\.add_\(1\)"):
            y.sum().backward()


def test_good_numbers_pass():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        (x.log() * x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_nothing_of_it_exists_while_it_is_off():
    calls = [cls.__call__ for cls in (Op, Unary, Binary)]
    with torch.autograd.detect_anomaly():
        assert Unary.__call__ is not calls[1]
    assert [cls.__call__ for cls in (Op, Unary, Binary)] == calls


def test_set_detect_anomaly_switches_and_restores():
    with torch.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="detect_anomaly"):
        torch.tensor([0.0]).log()
    assert torch.tensor([0.0]).log().item() == float("-inf")

"""What learners stumble on (W1 to W38): each refusal has torch's type, torch's words, and the way out.

The silent traps (W16, W17, W20, W21, W24) are in test_lint.py; pictures and summaries (W12 to W15) in viz/.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_edu as t
from tests.oracle import both, outcome, torch
from tinygrad_edu.nn import functional as F

Program = Callable[[Any], Any]


def refused(program: Program, words: str, *hints: str) -> str:
    """Require that torch and we refuse ``program`` alike, with torch's ``words``, and that our text gives the ``hints``."""
    error = both(program)
    assert isinstance(error, Exception), "nothing was refused"
    if isinstance(theirs := outcome(program, torch), Exception):  # also checks that the words are torch's
        assert words in str(theirs)
    text = str(error)
    assert words in text
    for hint in hints:
        assert hint in text, f"{hint!r} is missing in: {text}"
    return text


# --- W1: where was the graph cut? -------------------------------------------------------------------------------------

NO_GRAD_WORDS = "element 0 of tensors does not require grad and does not have a grad_fn"


@pytest.mark.parametrize(
    ("cut", "hint"),
    [
        (lambda f, x: (x * 2).argmax().float(), "argmax"),
        (lambda f, x: (x * 2).detach().sum(), "detach()"),
        (lambda f, x: (x * 2).data.sum(), ".data"),
        (lambda f, x: (x > 1).float().sum(), "gt"),
        (lambda f, x: (x * 2).long().float().mean(), "cast to an integer"),
    ],
    ids=["argmax", "detach", "data", "comparison", "integers"],
)
def test_w1_the_error_names_what_cut_the_graph(cut: Callable[[Any, Any], Any], hint: str) -> None:
    def program(f: Any) -> Any:
        return cut(f, f.tensor([1.0, 2.0], requires_grad=True)).backward()

    refused(program, NO_GRAD_WORDS, hint, "train nothing")


def test_w1_a_block_without_gradients_is_named() -> None:
    def program(f: Any) -> Any:
        x = f.tensor([1.0, 2.0], requires_grad=True)
        with f.no_grad():
            loss = (x * x).sum()
        return loss.backward()

    refused(program, NO_GRAD_WORDS, "no_grad", "outside that block")


def test_w1_a_tensor_rebuilt_from_numbers_is_suspected() -> None:
    def program(f: Any) -> Any:
        loss = (f.tensor([1.0, 2.0], requires_grad=True) ** 2).sum()
        return f.tensor(loss.item()).backward()

    refused(program, NO_GRAD_WORDS, "item()", "torch.tensor(")


def test_w1_nothing_that_requires_grad_is_said_so() -> None:
    refused(lambda f: f.ones(2).sum().backward(), NO_GRAD_WORDS, "requires_grad=True")


# --- W2 to W5: backward -----------------------------------------------------------------------------------------------


def test_w2_backward_of_several_numbers_shows_the_shape_and_both_cures() -> None:
    text = refused(
        lambda f: (f.ones(2, 3, requires_grad=True) * 2).backward(),
        "grad can be implicitly created only for scalar outputs",
        ".sum()",
        ".mean()",
        "gradient=",
    )
    assert "[2, 3]" in text or "(2, 3)" in text


def test_w3_the_changed_tensor_is_described() -> None:
    def program(f: Any) -> Any:
        x = f.tensor([1.0, 2.0], requires_grad=True)
        y = x.exp()
        y.add_(1)
        return y.sum().backward()

    refused(program, "modified by an inplace operation", "exp", "version 1; expected version 0")


def test_w3_a_refused_write_changes_nothing() -> None:
    def program(f: Any) -> Any:
        w = f.tensor([1.0, 2.0], requires_grad=True)
        error = outcome(lambda f: w.add_(1), f)
        assert isinstance(error, RuntimeError)
        assert "a leaf Variable that requires grad is being used in an in-place operation" in str(error)
        return w.detach(), w._version

    both(program)


def test_w3_the_way_out_of_writing_into_a_leaf_is_named() -> None:
    refused(
        lambda f: f.ones(2, requires_grad=True).mul_(2),
        "a leaf Variable that requires grad is being used in an in-place operation",
        "no_grad",
    )


def test_w4_the_second_backward_names_both_cures() -> None:
    def program(f: Any) -> Any:
        hidden = f.ones(2, requires_grad=True)
        for _ in range(2):
            hidden = hidden * hidden
            loss = hidden.sum()
            loss.backward()
        return loss

    refused(
        program, "Trying to backward through the graph a second time", "retain_graph=True", "detach()", "hidden state"
    )


@pytest.mark.parametrize(
    ("program", "name", "what"),
    [
        (lambda x: (x - 3).log(), "log", "nan"),
        (lambda x: 1 / (x - 2), "", "inf"),
        (lambda x: (x * 1000).exp(), "exp", "inf"),
    ],
    ids=["log of a negative number", "division by zero", "overflow"],
)
def test_w5_anomaly_detection_stops_in_the_forward(
    program: Callable[[t.Tensor], t.Tensor], name: str, what: str
) -> None:
    x = t.tensor([2.0], requires_grad=True)
    with pytest.raises(RuntimeError) as caught, t.autograd.detect_anomaly():
        program(x)
    text = str(caught.value)
    assert name in text
    assert what in text.lower()
    assert Path(__file__).name in text


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_w5_anomaly_detection_finds_the_square_root_behind_where() -> None:
    def program(f: Any) -> Any:
        x = f.tensor([0.0, 4.0], requires_grad=True)
        with f.autograd.detect_anomaly():
            return f.where(x > 0, f.sqrt(x), f.zeros(2)).sum().backward()

    assert "sqrt" in str(both(program)).lower()


# --- W6 to W9: what breaks in small engines ---------------------------------------------------------------------------


def test_w6_a_deep_graph_is_no_recursion() -> None:
    def program(f: Any) -> Any:
        x = y = f.tensor(1.0, requires_grad=True)
        for _ in range(5000):
            y = y + x
        y.backward()
        return y.detach(), x.grad

    both(program)


def test_w7_a_diamond_is_walked_once() -> None:
    def program(f: Any) -> Any:
        x = y = f.tensor(1.0, requires_grad=True)
        for _ in range(40):
            y = y + y
        y.backward()
        return x.grad

    both(program)


def test_w8_leaves_accumulate_and_inner_tensors_do_not() -> None:
    def program(f: Any) -> Any:
        x = f.tensor(3.0, requires_grad=True)
        y = x * x
        z = y * 2
        z.backward(retain_graph=True)
        z.backward()
        return x.grad

    both(program)


def test_w9_the_functions_are_stable_far_out() -> None:
    far = [-1e3, 0.0, 1e3]
    both(
        lambda f: [g(f.tensor(far)) for g in (f.tanh, f.sigmoid, f.nn.functional.softplus, f.nn.functional.logsigmoid)]
    )
    both(lambda f: f.softmax(f.tensor(far), dim=0))


# --- W17 to W23: shapes, dtypes, grads --------------------------------------------------------------------------------


def test_w17_torchs_warning_about_shapes_is_given() -> None:
    with pytest.warns(
        UserWarning, match=r"Using a target size \(torch.Size\(\[5\]\)\) that is different to the input size"
    ):
        F.mse_loss(t.zeros(5, 1), t.zeros(5))


def test_w18_the_layer_that_does_not_fit_is_named() -> None:
    def program(f: Any) -> Any:
        class Net(f.nn.Module):  # type: ignore[misc, name-defined]  # of either framework
            def __init__(self) -> None:
                super().__init__()
                self.layer1 = f.nn.Linear(4, 3)
                self.layer2 = f.nn.Linear(10, 10)

            def forward(self, x: Any) -> Any:
                return self.layer2(self.layer1(x))

        return Net()(f.ones(2, 4))

    text = refused(
        program,
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 10x10)",
        "layer2",
        "Linear",
        "in_features=10",
    )
    assert "layer1" not in text


def test_w18_the_layer_is_named_inside_sequential_too() -> None:
    def program(f: Any) -> Any:
        return f.nn.Sequential(f.nn.Flatten(), f.nn.Linear(5, 2))(f.ones(2, 3, 4))

    refused(program, "mat1 and mat2 shapes cannot be multiplied (2x12 and 5x2)", "Sequential.1", "in_features=12")


def test_w19_the_grad_of_an_inner_tensor_warns_and_names_the_cure() -> None:
    y = t.tensor([1.0], requires_grad=True) * 2
    y.sum().backward()
    with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed") as caught:
        assert y.grad is None
    assert "retain_grad()" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_w22_whole_numbers_cannot_require_grad() -> None:
    words = "Only Tensors of floating point and complex dtype can require gradients"
    refused(lambda f: f.tensor(1, requires_grad=True), words, "1.")
    refused(
        lambda f: f.tensor([1, 2]).requires_grad_(), "only Tensors of floating point dtype can require grad", "float"
    )


def test_w22_double_and_float_are_told_apart() -> None:
    def program(f: Any) -> Any:
        return f.nn.Linear(2, 1)(f.from_numpy(np.ones((3, 2))))

    refused(program, "mat1 and mat2 must have the same dtype, but got Double and Float", ".float()", "NumPy")


def test_w22_labels_of_the_wrong_dtype_name_the_right_one() -> None:
    def program(f: Any) -> Any:
        return f.nn.functional.cross_entropy(f.zeros(2, 3), f.tensor([0.0, 1.0]))

    refused(program, "expected target dtype to be Long or Byte, but got Float", "long()")


def test_w23_numpy_of_a_tensor_that_requires_grad_names_detach() -> None:
    refused(
        lambda f: f.ones(2, requires_grad=True).numpy(),
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    )


# --- W27 to W38 -------------------------------------------------------------------------------------------------------


def test_w27_missing_data_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINYGRAD_EDU_DATA", raising=False)
    with pytest.raises(RuntimeError, match="Dataset not found") as caught:
        t.vision.datasets.MNIST(str(tmp_path))
    text = str(caught.value)
    assert "download=True" in text
    assert str(tmp_path) in text
    assert "TINYGRAD_EDU_DATA" in text


def test_w28_items_are_assigned_with_gradient_and_single_numbers_convert() -> None:
    def program(f: Any) -> Any:
        x = f.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 1
        y[1] = x[0] * 5
        y.sum().backward()
        return x.grad, float(x[0]), float(f.tensor([[4.0]]))

    both(program)


def test_w28_several_numbers_do_not_convert() -> None:
    refused(lambda f: float(f.ones(3)), "only one element tensors can be converted to Python scalars")
    refused(lambda f: f.ones(3).item(), "a Tensor with 3 elements cannot be converted to Scalar", "tolist()")


def test_w30_a_failed_gradcheck_says_which_element() -> None:
    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: t.Tensor) -> t.Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: t.Tensor) -> t.Tensor:  # type: ignore[override]  # one result, one gradient
            (x,) = ctx.saved_tensors
            return g * 3 * x

    x = t.tensor([1.0, 2.0], dtype=t.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0") as caught:
        t.autograd.gradcheck(Wrong.apply, (x,))
    text = str(caught.value)
    assert "numerical" in text
    assert "analytical" in text
    assert not t.autograd.gradcheck(Wrong.apply, (x,), raise_exception=False)


def test_w31_second_derivatives_are_there() -> None:
    def program(f: Any) -> Any:
        x = f.tensor(2.0, requires_grad=True)
        (first,) = f.autograd.grad(x**3, x, create_graph=True)
        (second,) = f.autograd.grad(first, x)
        return first, second

    both(program)


def test_w33_a_write_through_data_is_noticed() -> None:
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    x.data.mul_(5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_w34_the_unused_input_is_numbered() -> None:
    def program(f: Any) -> Any:
        used, unused = f.ones(2, requires_grad=True), f.ones(3, requires_grad=True)
        return f.autograd.grad(used.sum(), (used, unused))

    words = "The differentiated Tensor at index 1 appears to not have been used in the graph"
    refused(program, words, "allow_unused=True")


def test_w37_mismatched_weights_name_key_and_both_shapes() -> None:
    def program(f: Any) -> Any:
        return f.nn.Linear(3, 4).load_state_dict(f.nn.Linear(3, 2).state_dict())

    refused(
        program,
        "size mismatch for weight: copying a param with shape torch.Size([2, 3]) from checkpoint, the shape in current "
        "model is torch.Size([4, 3])",
    )


def test_w37_missing_and_unexpected_keys_are_listed() -> None:
    def program(f: Any) -> Any:
        return f.nn.Linear(3, 4).load_state_dict({"weight": f.zeros(4, 3), "bais": f.zeros(4)})

    text = refused(program, 'Missing key(s) in state_dict: "bias"')
    assert 'Unexpected key(s) in state_dict: "bais"' in text


def test_w37_a_pickle_is_not_executed(tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return Path.mkdir, (tmp_path / "executed",)  # type: ignore[return-value]  # called by a careless reader

    (tmp_path / "weights.pt").write_bytes(pickle.dumps({"weight": Evil()}))
    with pytest.raises(Exception, match=r"\S"):
        t.load(tmp_path / "weights.pt")
    assert not (tmp_path / "executed").exists()


def test_w38_round_and_argmax_give_no_gradient_and_say_so() -> None:
    both(lambda f: f.autograd.grad((x := f.tensor([1.4], requires_grad=True)).round().sum(), x))
    refused(lambda f: (f.ones(3, requires_grad=True).argmax() * 1.0).backward(), NO_GRAD_WORDS, "argmax")


# --- bad input in general ---------------------------------------------------------------------------------------------


def test_a_label_out_of_range_is_named() -> None:
    refused(lambda f: f.nn.functional.cross_entropy(f.zeros(2, 3), f.tensor([0, 5])), "Target 5 is out of bounds", "3")


def test_an_index_out_of_range_is_named() -> None:
    refused(lambda f: f.zeros(3)[5], "index 5 is out of bounds for dimension 0 with size 3")


def test_shapes_that_do_not_broadcast_are_both_named() -> None:
    refused(
        lambda f: f.zeros(2, 3) + f.zeros(4),
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1",
        "[2, 3]",
        "[4]",
    )


def test_a_convolution_on_the_wrong_channels_names_the_layer() -> None:
    def program(f: Any) -> Any:
        return f.nn.Sequential(f.nn.Conv2d(3, 8, 3))(f.zeros(1, 1, 8, 8))

    refused(program, "expected input[1, 1, 8, 8] to have 3 channels, but got 1 channels instead", "Sequential.0")

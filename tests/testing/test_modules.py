"""module_check passes every layer of ours, names the parameter that is wrong, and leaves the module alone."""

import numpy as np
import pytest

import tinygrad_edu as t
from tests.nn.test_layers_table import LAYERS, draw
from tinygrad_edu.autograd.gradcheck import GradcheckError, Verdict
from tinygrad_edu.testing import module_check

nn = t.nn
# Layers whose gradient, as in torch, is not the derivative of what they compute.
NOT_DERIVATIVES = {
    "Embedding padded": "the padding's row is not learnt",
    "Embedding scaled": "the gradient is divided by how often a row was read",
    "Embedding max_norm": "the call shortens its own weights",
    "EmbeddingBag max": "the call shortens its own weights",
    "LPPool2d": "the cube root of a negative sum is nan",
}


@pytest.mark.parametrize("case", [c for c in LAYERS if c[0] not in NOT_DERIVATIVES], ids=lambda c: c[0])
def test_every_layer_has_right_gradients(case):
    _, make, specs = case
    t.manual_seed(3)
    reports = module_check(make(nn), *[draw(t, spec, i) for i, spec in enumerate(specs)], directional=True)
    assert [bool(report) for report in reports.values()] == [True, True]


@pytest.mark.parametrize("case", [c for c in LAYERS if c[0] in NOT_DERIVATIVES], ids=lambda c: c[0])
def test_a_gradient_that_is_no_derivative_is_found(case):
    _, make, specs = case
    t.manual_seed(3)
    with pytest.raises(GradcheckError):
        module_check(make(nn), *[draw(t, spec, i) for i, spec in enumerate(specs)])


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (lambda: nn.LSTM(2, 3, num_layers=2, dropout=0.5), (t.ones(2, 1, 2), (t.ones(2, 1, 3), t.zeros(2, 1, 3)))),
        (lambda: nn.GRU(2, 2, bidirectional=True), (t.ones(2, 2),)),
        (lambda: nn.RNNCell(2, 3), (t.ones(1, 2), t.ones(1, 3))),
        (lambda: nn.MultiheadAttention(4, 2), (t.ones(2, 4), t.ones(3, 4), t.ones(3, 4))),
        (lambda: nn.TransformerEncoderLayer(4, 2, 5), (t.arange(8.0).reshape(2, 4).sin(),)),
        (lambda: nn.BCEWithLogitsLoss(), (t.tensor([0.5, -1.0]), t.tensor([1.0, 0.0]))),
        (lambda: nn.CrossEntropyLoss(), (t.tensor([[0.5, -1.0]]), t.tensor([1]))),
    ],
    ids=["LSTM", "GRU", "RNNCell", "MultiheadAttention", "TransformerEncoderLayer", "BCEWithLogitsLoss", "CrossEntropyLoss"],
)  # fmt: skip  # one layer a line
def test_recurrent_layers_attention_and_losses_have_right_gradients(make, inputs):
    t.manual_seed(0)
    assert all(module_check(make(), *inputs, directional=True).values())


def small_net():
    t.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Dropout(0.5), nn.Tanh())


X = t.tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [-0.7, 0.9, 0.1]])


@pytest.mark.parametrize("order", [1, 2])
def test_every_element_of_a_small_net_is_compared(order):
    reports = module_check(small_net(), X, order=order, directional=False)
    assert list(reports) == ["train", "eval"]
    assert [report.verdict for report in reports.values()] == [Verdict.RIGHT] * 2
    assert reports["eval"].checked >= X.numel() * 6


def test_one_mode_can_be_chosen():
    assert list(module_check(small_net(), X, modes=("eval",))) == ["eval"]


def test_a_kink_is_accepted_and_said():
    reports = module_check(nn.ReLU(), t.zeros(2))
    assert reports["train"].verdict is Verdict.KINK


# ---------------------------------------------------------------------- what is wrong


class Wrong(t.autograd.Function):
    """x * w with the sign of the gradient of w turned."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * w, -g * x


class Scale(nn.Module):
    """Multiplies by its weight: by the wrong function, if told so in this mode."""

    def __init__(self, wrong_in=("train", "eval")):
        super().__init__()
        self.weight = nn.Parameter(t.tensor([1.0, 2.0, 3.0]))
        self.wrong_in = wrong_in

    def forward(self, x):
        mode = "train" if self.training else "eval"
        return Wrong.apply(x, self.weight.expand_as(x)) if mode in self.wrong_in else x * self.weight


def failure(module, *inputs, **settings):
    with pytest.raises(GradcheckError) as caught:
        module_check(module, *inputs, **settings)
    return caught.value


def test_the_wrong_parameter_is_named_as_in_the_state_dict():
    error = failure(nn.Sequential(nn.Linear(3, 3), Scale()), X)
    assert str(error).startswith("Sequential in training mode (train()):\nverdict: wrong sign")
    assert [(f.input_name, f.verdict) for f in error.report.findings] == [("1.weight", Verdict.SIGN)]
    assert "output 0 with respect to 1.weight: wrong sign" in str(error)


def test_a_layer_that_is_wrong_in_one_mode_says_which():
    error = failure(Scale(wrong_in=("eval",)), X)
    assert str(error).startswith("Scale in evaluation mode (eval()):\nverdict: wrong sign")


def test_a_wrong_input_is_named():
    class Cut(nn.Module):
        def forward(self, x, y):
            return x.detach() * y

    error = failure(Cut(), X, X)
    assert error.report.findings[0].input_name == "input 0"
    assert error.report.verdict is Verdict.ZERO


class Cubed(t.autograd.Function):
    """x ** 3 whose gradient is a constant to the second derivative."""

    @staticmethod
    def forward(ctx, x):
        ctx.slope = 3 * x.detach() ** 2
        return x**3

    @staticmethod
    def backward(ctx, g):
        return g * ctx.slope


class Cube(nn.Module):
    def forward(self, x):
        return Cubed.apply(x)


def test_a_stale_second_derivative_is_found_at_order_2_alone():
    module_check(Cube(), X)
    assert failure(Cube(), X, order=2).report.verdict is Verdict.SECOND_ORDER


# ---------------------------------------------------------------------- what is left alone


def test_the_module_and_the_random_stream_stay_what_they_were():
    net = small_net()
    net[0].bias.requires_grad_(False)
    net[1].eval()
    net[0].weight.grad = t.ones(2, 3)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    t.manual_seed(7)
    module_check(net, X)
    after = t.rand(1).item()
    t.manual_seed(7)
    assert after == t.rand(1).item()
    assert {name: value.tolist() for name, value in net.state_dict().items()} == {
        n: v.tolist() for n, v in before.items()
    }
    assert [m.training for m in net] == [True, False, True, True]
    assert net[0].weight.grad.tolist() == t.ones(2, 3).tolist()
    assert (net[0].weight.dtype, net[0].bias.requires_grad, X.grad) == (t.float32, False, None)


def test_each_call_begins_with_the_same_buffers():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", t.zeros(()))

        def forward(self, x):
            self.calls += 1
            return x * self.calls

    layer = Counting()
    module_check(layer, X)
    assert layer.calls == 0


def test_a_frozen_parameter_is_not_checked():
    layer = Scale()
    layer.weight.requires_grad_(False)
    module_check(layer, X)


def test_only_inputs_that_require_grad_are_checked_if_there_are_some():
    class Cut(nn.Module):
        def forward(self, x, y):
            return x.detach() * y

    module_check(Cut(), X, X.clone().requires_grad_())


def test_inputs_may_be_arrays_nested_or_integers():
    class Nested(nn.Module):
        def forward(self, pair, options):
            return {"sum": pair[0] * pair[1], "rows": options["table"][options["rows"]]}

    inputs = (np.array([1.0, 2.0]), X[0, :2]), {"table": np.eye(2), "rows": t.tensor([0, 0, 1])}
    reports = module_check(Nested(), *inputs)
    assert reports["train"].checked == (2 + 2 + 4) * (2 + 6)


# ---------------------------------------------------------------------- bad input


class Returning(nn.Module):
    """Returns what a function makes of its input."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def test_what_cannot_be_checked_is_refused_with_a_sentence():
    with pytest.raises(
        TypeError, match=r"expected a torch.nn.Module, but got function. For a function, use check_grads"
    ):
        module_check(t.relu, X)
    with pytest.raises(
        ValueError, match="Identity has no parameter that requires grad, and no input is of floating point"
    ):
        module_check(nn.Identity(), t.tensor([1, 2]))
    with pytest.raises(ValueError, match="modes are 'train' and 'eval', not 'test'"):
        module_check(nn.Identity(), X, modes=("test",))
    with pytest.raises(TypeError, match="must return a Tensor or a tuple of Tensors, but returned a float"):
        module_check(Returning(lambda x: x.sum().item()), X)
    assert "is not deterministic" in str(failure(Returning(lambda x: x * np.random.default_rng().random()), X))


def test_a_layer_that_raises_says_so_itself():
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        module_check(nn.Linear(4, 2), X)


def test_a_module_that_cannot_be_copied_says_why():
    net = nn.Linear(3, 2)
    net.cached = net(X)
    with pytest.raises(RuntimeError) as caught:
        module_check(net, X)
    assert "module_check examines a copy, and Linear cannot be copied" in caught.value.__notes__[0]

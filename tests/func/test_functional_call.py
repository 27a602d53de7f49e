"""Modules as functions of their parameters, and stacks of modules, against torch's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu
from tests.oracle import both
from tinygrad_edu import func


def filled(t, module, start=1.0):
    """The module with numbers of its own in every parameter and buffer that is floating point."""
    with t.no_grad():
        for i, x in enumerate([*module.parameters(), *module.buffers()]):
            if x.is_floating_point():
                x.copy_((t.arange(float(x.numel())).reshape(x.shape) * 0.1 + start + i).sin().abs() + 0.1)
    return module


def network(t):
    nn = t.nn
    return filled(t, nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Sequential(nn.Linear(4, 2))))


def others(t, module):
    """Other values for its parameters, by name."""
    return {name: (p.detach() * 2 - 0.3) for name, p in module.named_parameters()}


def data(t):
    return t.arange(15.0).reshape(5, 3).cos()


def test_the_output_is_that_of_the_module_with_these_parameters():
    def program(t):
        net = network(t)
        given, x = others(t, net), data(t)
        called = t.func.functional_call(net, given, x)
        own = network(t)
        with t.no_grad():
            for name, p in own.named_parameters():
                p.copy_(given[name])
        return called, own(x), net.training

    called, own, _ = both(program)
    assert tinygrad_edu.allclose(called, own)


def test_the_module_keeps_its_own():
    t = tinygrad_edu
    net = network(t)
    before = {name: (id(p), p.tolist()) for name, p in net.named_parameters()}
    t.func.functional_call(net, others(t, net), data(t))
    assert {name: (id(p), p.tolist()) for name, p in net.named_parameters()} == before
    assert list(net.state_dict()) == list(network(t).state_dict())


def test_some_parameters_are_enough():
    both(lambda t: t.func.functional_call(network(t), {"3.0.bias": t.ones(2)}, data(t)))


def test_the_module_keeps_its_own_when_the_call_raises():
    t = tinygrad_edu
    net = network(t)
    weight = net[0].weight
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        t.func.functional_call(net, others(t, net), t.ones(5, 7))
    assert net[0].weight is weight


def test_the_module_keeps_its_own_when_a_value_is_refused():
    t = tinygrad_edu
    net = network(t)
    weight = net[0].weight
    with pytest.raises(TypeError, match="is not an instance of"):
        t.func.functional_call(net, {"0.weight": t.ones(4, 3), "0.bias": 3.0}, data(t))
    assert net[0].weight is weight


def test_gradients_with_respect_to_parameters_by_name():
    def program(t):
        net, x = network(t).eval(), data(t)  # torch refuses to move the statistics of a module that is captured
        plain = {name: p.detach() for name, p in net.named_parameters()}

        def loss(parameters, x):
            return t.func.functional_call(net, parameters, x).square().mean()

        recorded = t.func.grad(loss)(dict(net.named_parameters()), x)
        untouched = [p.grad for p in net.parameters()]
        return t.func.grad(loss)(plain, x), recorded, untouched, t.func.jacrev(loss)(plain, x)

    both(program)


def test_running_statistics_that_are_given_move_and_the_modules_own_do_not():
    def program(t):
        net = network(t)
        buffers = {name: b.clone() for name, b in net.named_buffers()}
        t.func.functional_call(net, buffers, data(t))
        return buffers, dict(net.named_buffers())

    both(program)


def test_a_buffer_that_forward_replaces_is_found_in_the_dict():
    def program(t):
        class Counter(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("count", t.zeros(()))

            def forward(self, x):
                self.count = self.count + 1
                return x * self.count

        counter, given = Counter(), {"count": t.tensor(5.0)}
        return t.func.functional_call(counter, given, t.ones(2)), given, counter.count

    both(program)


def test_arguments_by_position_and_by_name():
    def program(t):
        class Scaled(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.w = t.nn.Parameter(t.ones(2))

            def forward(self, x=None, y=None, *, scale=1.0):
                return (self.w if x is None else self.w * x) + (0 if y is None else y) * scale

        module, given, x = Scaled(), {"w": t.tensor([2.0, 3.0])}, t.tensor([1.0, -1.0])
        call = t.func.functional_call
        return (
            call(module, given),
            call(module, given, x),
            call(module, given, (x, x)),
            call(module, given, x, {"y": x, "scale": 3.0}),
            call(module, given, kwargs={"x": x}),
        )

    both(program)


def test_several_dicts_are_one():
    def program(t):
        net = network(t)
        parameters, buffers = others(t, net), {name: b.clone() for name, b in net.named_buffers()}
        return t.func.functional_call(net, (parameters, buffers), data(t)), t.func.functional_call(
            net, [parameters, buffers], data(t), strict=True
        )

    both(program)


# ---- ties


def tied(t):
    class Tied(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = t.nn.Linear(2, 2, bias=False)
            self.b = t.nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x).tanh())

    return filled(t, Tied())


@pytest.mark.parametrize("tie_weights", [True, False])
@pytest.mark.parametrize("names", [["a.weight"], ["b.weight"], ["a.weight", "b.weight"]])
def test_tied_weights_follow_each_other_unless_told_not_to(names, tie_weights):
    def program(t):
        value = t.tensor([[1.0, -1.0], [0.5, 2.0]])
        return t.func.functional_call(tied(t), dict.fromkeys(names, value), t.ones(3, 2), tie_weights=tie_weights)

    both(program)


@pytest.mark.parametrize("tie_weights", [True, False])
def test_different_values_for_tied_weights_are_refused_unless_untied(tie_weights):
    def program(t):
        given = {"a.weight": t.eye(2), "b.weight": 2 * t.eye(2)}
        return t.func.functional_call(tied(t), given, t.ones(3, 2), tie_weights=tie_weights)

    outcome = both(program)
    if tie_weights:
        assert "got multiple values for keys ['a.weight', 'b.weight'], which are tied. Consider" in str(outcome)


def test_the_gradient_of_a_tied_weight_is_the_sum_over_its_places():
    def program(t):
        net = tied(t)
        loss = lambda given: t.func.functional_call(net, given, t.ones(3, 2)).sum()
        return t.func.grad(loss)({"a.weight": t.tensor([[1.0, -1.0], [0.5, 2.0]])})

    both(program)


# ---- names

MISTAKES = {
    "an unknown name, strict": (
        lambda t, net, x: ({"0.weigth": t.ones(2)}, {"strict": True}),
        "Unexpected key(s): '0.weigth'",
    ),
    "a missing name, strict": (
        lambda t, net, x: (others(t, net), {"strict": True}),
        "Missing key(s): '1.num_batches_tracked'",
    ),
    "an unknown submodule": (lambda t, net, x: ({"zero.weight": t.ones(2)}, {}), "Sequential has no attribute `zero`"),
    "a tensor for a submodule": (
        lambda t, net, x: ({"0.weight.data": t.ones(2)}, {}),
        "is not an instance of torch.nn.Module",
    ),
    "a module's name": (lambda t, net, x: ({"0": t.ones(2)}, {}), "is not an instance of torch.Tensor"),
    "an empty name": (lambda t, net, x: ({"": t.ones(2)}, {}), "be empty string"),
    "an empty last name": (lambda t, net, x: ({"0.": t.ones(2)}, {}), "be empty string"),
    "a name in two dicts": (
        lambda t, net, x: (({"0.bias": x}, {"0.bias": x}), {}),
        "['0.bias'] appeared in multiple dictionaries",
    ),
    "a list of pairs": (
        lambda t, net, x: ([("0.bias", x)], {}),
        "Expected all elements of parameter_and_buffer_dicts to be dict",
    ),
    "a generator": (lambda t, net, x: (net.named_parameters(), {}), "to be a dict, or a list/tuple of dicts, but got"),
    "a number": (lambda t, net, x: ({"0.bias": 1.0}, {}), "1.0 is not an instance of torch.Tensor"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_refused_with_torchs_exception_and_words(case):
    make, words = MISTAKES[case]

    def program(t):
        net, x = network(t), data(t)
        given, settings = make(t, net, x)
        return t.func.functional_call(net, given, x, **settings)

    assert words in str(both(program))


@pytest.mark.parametrize("with_value", [True, False])
def test_a_parameter_that_is_none_may_be_given(with_value):
    def program(t):
        layer = filled(t, t.nn.Linear(3, 2, bias=with_value))
        given = {"bias": None if with_value else t.ones(2)}
        return t.func.functional_call(layer, given, data(t)), layer.bias

    both(program)


def test_an_attribute_that_is_no_parameter_is_replaced_too():
    def program(t):
        class Shifted(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.shift = t.zeros(2)

            def forward(self, x):
                return x + self.shift + getattr(self, "extra", 0)

        module = Shifted()
        found = t.func.functional_call(module, {"shift": t.ones(2), "extra": 2 * t.ones(2)}, t.ones(2))
        return found, module.shift, hasattr(module, "extra")

    both(program)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: (nn.Linear(3, 4), (5, 3)),
        lambda nn: (nn.Bilinear(3, 3, 2), None),
        lambda nn: (nn.Conv2d(2, 3, 2), (1, 2, 4, 4)),
        lambda nn: (nn.LayerNorm(3), (5, 3)),
        lambda nn: (nn.LSTM(3, 4, num_layers=2, bidirectional=True), (5, 2, 3)),
        lambda nn: (nn.GRU(3, 4), (5, 2, 3)),
        lambda nn: (nn.MultiheadAttention(4, 2), "self"),
        lambda nn: (nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0), (5, 2, 4)),
        lambda nn: (nn.PReLU(), (5, 3)),
    ],
)
def test_layers_take_given_parameters(make):
    def program(t):
        module, shape = make(t.nn)
        filled(t, module)
        x = t.arange(float(np.prod((5, 3) if shape is None else (5, 2, 4) if shape == "self" else shape)))
        x = x.sin().reshape((5, 3) if shape is None else (5, 2, 4) if shape == "self" else shape)
        arguments = (x, x) if shape is None else (x, x, x) if shape == "self" else (x,)

        def loss(given):
            out = t.func.functional_call(module, given, arguments)
            return (out[0] if isinstance(out, tuple) else out).square().sum()

        return t.func.grad(loss)({name: p.detach() * 0.5 for name, p in module.named_parameters()})

    both(program, rtol=1e-4, atol=1e-5)


# ---- stacks


def test_the_states_of_several_models_are_stacked_by_name():
    def program(t):
        nets = [filled(t, network(t), start=float(i)) for i in range(3)]
        return t.func.stack_module_state(nets)

    parameters, _ = both(program)
    assert all(p.is_leaf for p in parameters.values())


def test_frozen_parameters_are_stacked_without_gradient():
    def program(t):
        nets = [filled(t, t.nn.Linear(2, 2)) for _ in range(2)]
        for net in nets:
            net.bias.requires_grad_(False)
        return t.func.stack_module_state(nets)[0]

    both(program)


def test_each_slice_of_the_stack_is_one_of_the_models():
    def program(t):
        nets = [filled(t, t.nn.Linear(3, 2), start=float(i)) for i in range(3)]
        parameters, _ = t.func.stack_module_state(t.nn.ModuleList(nets))
        slices = [{name: p[i] for name, p in parameters.items()} for i in range(3)]
        return [t.func.functional_call(nets[0], state, data(t)) for state in slices], [net(data(t)) for net in nets]

    called, own = both(program)
    assert all(tinygrad_edu.equal(a, b) for a, b in zip(called, own, strict=True))


STACKS = {
    "none": (lambda t: [], "Expected at least one model, got 0"),
    "of two classes": (lambda t: [t.nn.Linear(2, 2), t.nn.PReLU()], "Expected all models to be of the same class"),
    "in two modes": (lambda t: [t.nn.Linear(2, 2), t.nn.Linear(2, 2).eval()], "the same training/eval mode"),
    "one frozen": (
        lambda t: [t.nn.Linear(2, 2), t.nn.Linear(2, 2).requires_grad_(False)],
        "Expected weight from each model to have the same .requires_grad",
    ),
}


@pytest.mark.parametrize("case", STACKS)
def test_models_that_differ_are_not_stacked(case):
    make, words = STACKS[case]
    assert words in str(both(lambda t: t.func.stack_module_state(make(t))))


@given(widths=st.lists(st.integers(1, 4), min_size=2, max_size=4), seed=st.integers(0, 3))
def test_the_gradient_of_any_perceptron_is_that_of_backward(widths, seed):
    t = tinygrad_edu
    t.manual_seed(seed)
    layers = [part for n, m in zip(widths, widths[1:], strict=False) for part in (t.nn.Linear(n, m), t.nn.Tanh())]
    net = t.nn.Sequential(*layers).double()
    x = t.randn(5, widths[0], dtype=t.float64)
    slopes = func.grad(lambda given: func.functional_call(net, given, x).square().sum())(dict(net.named_parameters()))
    net(x).square().sum().backward()
    assert all(t.allclose(slopes[name], p.grad) for name, p in net.named_parameters())

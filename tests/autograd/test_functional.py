"""torch.autograd.functional: products with Jacobians and Hessians, and the matrices themselves, against torch's."""

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import both
from tinygrad_edu._core.op import unwatch, watch
from tinygrad_edu.autograd import functional

GIVEN = [[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]


def one_to_one(t):
    return lambda x: (x @ t.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).tanh()


def two_to_two(t):
    return lambda x, y: (x * y.exp(), (x.sum(0) * 2, y.sin())[1])


def half_used(t):
    return lambda x, y: (x**2).sum(1)


def inputs_of(t, count, requires_grad=False):
    given = [t.tensor(GIVEN, requires_grad=requires_grad), t.tensor(GIVEN[1], requires_grad=requires_grad)]
    return given[0] if count == 1 else tuple(given)


FUNCTIONS = [(one_to_one, 1), (two_to_two, 2), (half_used, 2)]
SCALARS = [
    (lambda t: lambda x: (x**3).sum() * x.prod(), 1),
    (lambda t: lambda x, y: (x * y).sin().sum() + (y**4).sum(), 2),
    (lambda t: lambda x, y: x.exp().sum(), 2),
    (lambda t: lambda x: x.sum(), 1),
    (lambda t: lambda x: (x * x).sum(1, keepdim=True)[:1], 1),
]


def like(t, values):
    """A vector of the shapes of ``values``, with numbers of its own."""
    if isinstance(values, tuple):
        return tuple(like(t, value) for value in values)
    return t.arange(1.0, values.numel() + 1).reshape(values.shape) / 3


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("func", "count"), FUNCTIONS)
@pytest.mark.parametrize("name", ["vjp", "jvp", "jacobian"])
def test_first_derivatives_and_their_nesting_are_torchs(name, func, count, create_graph):
    def program(t):
        f, x = func(t), inputs_of(t, count, requires_grad=create_graph)
        if name == "jacobian":
            return t.autograd.functional.jacobian(f, x, create_graph=create_graph)
        outputs = f(*x) if count == 2 else f(x)
        v = like(t, outputs if name == "vjp" else x)
        return getattr(t.autograd.functional, name)(f, x, v, create_graph=create_graph)

    both(program)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("func", "count"), SCALARS)
@pytest.mark.parametrize("name", ["vhp", "hvp", "hessian"])
def test_second_derivatives_and_their_nesting_are_torchs(name, func, count, create_graph):
    def program(t):
        f, x = func(t), inputs_of(t, count, requires_grad=create_graph)
        if name == "hessian":
            return t.autograd.functional.hessian(f, x, create_graph=create_graph)
        return getattr(t.autograd.functional, name)(f, x, like(t, x), create_graph=create_graph)

    both(program)


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_the_vector_may_be_left_out_for_single_numbers(name):
    both(lambda t: getattr(t.autograd.functional, name)(lambda x: x**3, t.tensor([2.0])))


def test_recorded_results_are_differentiated_again():
    def program(t):
        x = t.tensor([0.5, 2.0], requires_grad=True)
        jacobian = t.autograd.functional.jacobian(lambda x: x**3, x, create_graph=True)
        _, product = t.autograd.functional.jvp(lambda x: x.exp() * x[0], x, t.ones(2), create_graph=True)
        hessian = t.autograd.functional.hessian(lambda x: (x**4).sum(), x, create_graph=True)
        return [t.autograd.grad(y.sum(), x)[0] for y in (jacobian, product, hessian)]

    both(program)


def test_a_captured_input_is_a_constant():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        return t.autograd.functional.jacobian(lambda z: z * x, x), x.grad

    both(program)


def test_an_empty_output_has_an_empty_jacobian():
    jacobian = functional.jacobian(lambda x: x[:0], tinygrad_edu.ones(3))
    assert jacobian.shape == (0, 3)


def test_they_work_inside_no_grad():
    def program(t):
        with t.no_grad():
            x = t.tensor([1.0, 2.0])
            return (
                t.autograd.functional.jacobian(lambda x: x**2, x),
                t.autograd.functional.vjp(lambda x: x**2, x, t.ones(2)),
                t.autograd.functional.vhp(lambda x: (x**2).sum(), x, t.ones(2)),
            )

    both(program)


WAYS = [
    {},
    {"vectorize": True},
    {"vectorize": True, "create_graph": True},
    {"vectorize": True, "strategy": "forward-mode"},
    {"vectorize": True, "strict": True},
    {"strategy": "forward-mode"},
    {"vectorize": True, "strategy": "forward-mode", "strict": True},
    {"vectorize": True, "strategy": "forward-mode", "create_graph": True},
]


def values(nested):
    """Nested tuples of tensors without their histories; torch gives lists in some ways, and zeros a history in some."""
    return tuple(values(part) for part in nested) if isinstance(nested, tuple | list) else nested.detach()


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize(("func", "count"), FUNCTIONS)
def test_torchs_ways_to_compute_a_jacobian_give_the_same(func, count, options, requires_grad):
    both(lambda t: values(t.autograd.functional.jacobian(func(t), inputs_of(t, count, requires_grad), **options)))


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize(("func", "count"), SCALARS[:2])
def test_torchs_ways_to_compute_a_hessian_give_the_same(func, count, options, requires_grad):
    options = {("outer_jacobian_strategy" if name == "strategy" else name): on for name, on in options.items()}
    both(lambda t: values(t.autograd.functional.hessian(func(t), inputs_of(t, count, requires_grad), **options)))


def test_a_vectorized_jacobian_is_differentiated_again():
    def program(t):
        x = t.tensor([0.5, 2.0], requires_grad=True)
        jacobian = t.autograd.functional.jacobian(lambda x: x**3 * x.sum(), x, create_graph=True, vectorize=True)
        return jacobian, t.autograd.grad(jacobian.square().sum(), x)

    both(program)


def test_a_vectorized_jacobian_runs_each_step_of_the_graph_once():
    t, calls = tinygrad_edu, []
    watcher = lambda op, args, settings, out: calls.append(op.name)

    def count(elements, **options):
        x = t.arange(float(elements))
        calls.clear()
        watch(watcher)
        try:
            functional.jacobian(lambda x: (x.sin() * x).cumsum(0), x, **options)
        finally:
            unwatch(watcher)
        return len(calls)

    assert count(3, vectorize=True) == count(30, vectorize=True)
    assert count(3) < count(30)


STRICT = {
    "constant output": lambda f, x: f.vjp(lambda x: x.detach(), x, x, strict=True),
    "unused input": lambda f, x: f.vjp(lambda x, y: x * 2, (x, x), x, strict=True),
    "unused input of a jacobian": lambda f, x: f.jacobian(lambda x, y: x * 2, (x, x), strict=True),
    "linear, recorded": lambda f, x: f.jacobian(lambda x: x * 2, x, strict=True, create_graph=True),
    "linear, recorded vjp": lambda f, x: f.vjp(lambda x: x * 2, x, x, strict=True, create_graph=True),
    "linear jvp": lambda f, x: f.jvp(lambda x: x * 2, x, x, strict=True),
    "unused input of a jvp": lambda f, x: f.jvp(lambda x, y: x * x, (x, x), (x, x), strict=True),
    "linear vhp": lambda f, x: f.vhp(lambda x: x.sum(), x, x, strict=True),
    "linear hvp": lambda f, x: f.hvp(lambda x: x.sum(), x, x, strict=True),
    "linear hessian": lambda f, x: f.hessian(lambda x: x.sum(), x, strict=True),
    "good": lambda f, x: f.hessian(lambda x: (x**3).sum(), x, strict=True),
    "good jvp": lambda f, x: f.jvp(lambda x: x**3, x, x, strict=True),
}


@pytest.mark.parametrize("case", STRICT)
def test_strict_refuses_what_torch_refuses(case):
    both(lambda t: STRICT[case](t.autograd.functional, t.tensor([1.0, 2.0], requires_grad=True)))


MISTAKES = {
    "an input that is no tensor": (lambda f, x: f.vjp(lambda x: x, [x]), "inputs given to vjp must be either a Tensor"),
    "an output that is no tensor": (lambda f, x: f.jacobian(lambda x: 1.0, x), "outputs of the user-provided function"),
    "no vector": (lambda f, x: f.vjp(lambda x: x, x), "The vector v can only be None"),
    "no vector for jvp": (lambda f, x: f.jvp(lambda x: x, x), "The vector v can only be None"),
    "a vector of another shape": (lambda f, x: f.vjp(lambda x: x, x, x[:1]), "v has invalid size"),
    "too many vectors": (lambda f, x: f.vjp(lambda x: x, x, (x, x)), "v should contain a single Tensor"),
    "a tuple too short": (
        lambda f, x: f.jvp(lambda x, y: x * y, (x, x), (x,)),
        "invalid length: should be 2 but got 1",
    ),
    "a vector for hessian": (lambda f, x: f.hessian(lambda x: x * x, x), "should contain a single element"),
    "a tuple for vhp": (lambda f, x: f.vhp(lambda x: (x.sum(),), x, x), "should return a single Tensor"),
    "rows at once, strict": (
        lambda f, x: f.jacobian(lambda x: x, x, vectorize=True, strict=True),
        "not supported together",
    ),
    "columns one by one": (
        lambda f, x: f.hessian(lambda x: x, x, outer_jacobian_strategy="forward-mode"),
        "only implemented",
    ),
    "an unknown strategy for hessian": (
        lambda f, x: f.hessian(lambda x: x, x, outer_jacobian_strategy="forward"),
        "Expected strategy to be either",
    ),
    "an unknown strategy": (lambda f, x: f.jacobian(lambda x: x, x, strategy="forward"), "Expected strategy to be"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_refused_with_torchs_exception_and_words(case):
    program, words = MISTAKES[case]
    error = both(lambda t: program(t.autograd.functional, t.tensor([1.0, 2.0])))
    assert words in str(error)


def test_a_hessian_of_a_network_agrees_with_differences_of_its_gradient():
    t = tinygrad_edu
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 1)).double()
    x = t.randn(3, dtype=t.float64)

    def loss(x):
        return net(x).square().sum()

    hessian = functional.hessian(loss, x).numpy()
    step = 1e-5 * np.eye(3)
    slopes = [[functional.jacobian(loss, x + t.from_numpy(sign * row)).numpy() for row in step] for sign in (1, -1)]
    assert np.allclose(hessian, (np.array(slopes[0]) - np.array(slopes[1])) / 2e-5, atol=1e-8)
    assert all(p.grad is None for p in net.parameters())

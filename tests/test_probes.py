"""Behaviour probes that distinguish engines of this kind, P1 to P19. Times are measured by benchmarks."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import weakref

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import both

LIMIT = sys.getrecursionlimit()


@pytest.mark.parametrize("length", [900, 5_000, 50_000], ids=["P1", "P2", "P3"])
def test_a_long_chain_goes_back_without_recursion(length):
    x = tinygrad_edu.tensor(2.0, requires_grad=True)
    y = x
    for _ in range(length):
        y = y + 1
    y.backward()
    assert x.grad.item() == 1.0
    assert sys.getrecursionlimit() == LIMIT


def test_p4_a_diamond_of_25_floors_is_walked_once():
    steps = 0

    def program(t):
        nonlocal steps
        x = t.tensor(1.0, requires_grad=True)
        y = x
        for _ in range(25):
            y = y + y
            y.register_hook(count)
        y.backward()
        return x.grad, y

    def count(g):
        nonlocal steps
        steps += 1

    both(program)
    assert steps == 2 * 25  # once per floor, in each framework


def test_p5_gradients_of_a_broadcast_product_have_the_shapes_of_the_operands():
    def program(t):
        x = t.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
        y = t.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
        (x * y).sum().backward()
        return x.grad, y.grad

    both(program)


def test_p6_softmax_of_huge_scores_is_finite():
    result = both(lambda t: t.softmax(t.tensor([1000.0, 0.0]), dim=0))
    assert result.tolist() == [1.0, 0.0]


def test_p7_sigmoid_of_huge_numbers_is_finite_and_silent():
    def program(t):
        x = t.tensor([1000.0, -1000.0], requires_grad=True)
        y = x.sigmoid()
        y.sum().backward()
        return y, x.grad

    result, grad = both(program)
    assert result.tolist() == [1.0, 0.0]
    assert grad.tolist() == [0.0, 0.0]


OVERFLOWING = """
import tinygrad_edu as t
F = t.nn.functional
huge, inf = t.tensor([1e30, -1e30], requires_grad=True), t.tensor([float("inf"), 0.0])
for y in (huge * huge, inf - inf, inf / 0, (inf * 0).sum(), inf.mean(), inf.std(), huge.exp(), huge.log(), huge.sqrt(), huge**3):
    if y.requires_grad:
        (g,) = t.autograd.grad(y.sum(), huge, create_graph=True)
        t.autograd.grad(g.sum(), huge, allow_unused=True)
(t.full((2, 2), 1e30) @ t.full((2, 2), 1e30)).sum()
t.tensor([1e300], dtype=t.float64).float()
t.tensor([float("nan"), float("inf")]).long()
t.softmax(huge, 0), t.log_softmax(inf, 0), t.logsumexp(-inf, 0), F.softplus(huge), F.gelu(huge), F.elu(huge), F.silu(huge)
F.binary_cross_entropy(t.tensor([0.0, 1.0]), t.tensor([0.0, 1.0]))
F.cross_entropy(huge.unsqueeze(0), t.tensor([1]))
t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Sigmoid())(huge).sum().backward()
layer = t.nn.LayerNorm(2)
layer(t.stack([huge, inf])).sum().backward()
huge.grad.norm(), t.nn.functional.normalize(inf, dim=0), huge.var(), (huge / 0).amax(), t.linalg.norm(huge)
"""


@pytest.mark.parametrize("filters", [[], ["-W", "error"]], ids=["default filters", "-W error"])
def test_p7_no_warning_of_ours_escapes(filters):
    run = subprocess.run([sys.executable, *filters, "-c", OVERFLOWING], capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.returncode == 0


def test_p7_the_users_own_numpy_still_warns():
    script = "import tinygrad_edu, numpy as np; np.float32(1e30) * np.float32(1e30)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "RuntimeWarning: overflow" in run.stderr


def test_p8_an_input_changed_in_place_before_backward_is_an_error():
    def program(t):
        x = t.tensor([2.0], requires_grad=True)
        y = x * x
        with t.no_grad():
            x.mul_(10)
        y.backward()

    assert isinstance(both(program), RuntimeError)


def test_p8b_so_is_one_changed_through_data():
    x = tinygrad_edu.tensor([0.5, 1.0], requires_grad=True)
    y = x.sigmoid() * x
    x.data.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    assert x.grad is None


def test_p9_backward_of_a_vector_is_an_error_that_names_the_shape_and_both_cures():
    error = both(lambda t: (t.ones(3, requires_grad=True) * 2).backward())
    assert isinstance(error, RuntimeError)
    for word in ("grad can be implicitly created only for scalar outputs", "3", "sum()", "gradient"):
        assert word in str(error)


def test_p10_a_second_backward_is_an_error_and_accumulation_is_right():
    def program(t):
        x = t.tensor(3.0, requires_grad=True)
        y = x * x
        y.backward(retain_graph=True)
        y.backward()
        return x.grad

    assert both(program).item() == 12.0

    def freed(t):
        y = t.tensor(3.0, requires_grad=True) ** 2
        y.backward()
        y.backward()

    error = both(freed)
    assert isinstance(error, RuntimeError)
    assert "retain_graph=True" in str(error)
    assert "detach()" in str(error)


def test_p11_backward_where_nothing_wants_a_gradient_is_an_error():
    assert isinstance(both(lambda t: (t.ones(3) * 2).sum().backward()), RuntimeError)


def test_p12_an_index_that_repeats_collects():
    def program(t):
        x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
        x[[0, 0, 1]].sum().backward()
        return x.grad

    assert both(program).tolist() == [2.0, 1.0, 0.0]


def test_p13_tied_maxima_share_their_gradient():
    def program(t):
        x = t.tensor([1.0, 5.0, 5.0], requires_grad=True)
        x.max().backward()
        return x.grad

    assert both(program).tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize("power", [2, 2.0, 1, 0])
def test_p14_powers_have_a_gradient_at_zero(power):
    def program(t):
        x = t.tensor(0.0, requires_grad=True)
        (x**power).backward()
        return x.grad

    assert both(program).item() == (1.0 if power == 1 else 0.0)


def test_p15_matrices_that_do_not_fit_are_named_with_their_shapes():
    error = both(lambda t: t.ones(2, 3) @ t.ones(4, 5))
    assert isinstance(error, RuntimeError)
    assert "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)" in str(error)


def test_p16_reference_counting_alone_frees_a_graph():
    enabled = gc.isenabled()
    gc.disable()
    try:
        x = tinygrad_edu.tensor(np.ones(8), requires_grad=True)
        h = (x * x).exp()
        kept = weakref.ref(h.detach().numpy())
        y = h.sum()
        y.backward()
        del h, y
        assert kept() is None
        gc.collect()
        for _ in range(20):
            y = (x * x).tanh().sum()
            y.backward(create_graph=True)
            x.grad = None
            del y
        assert gc.collect() == 0, "a step left unreachable objects: there is a reference cycle"
    finally:
        if enabled:
            gc.enable()


def test_p17_the_second_derivative_of_a_cube():
    def program(t):
        x = t.tensor(2.0, requires_grad=True)
        (first,) = t.autograd.grad(x**3, x, create_graph=True)
        return t.autograd.grad(first, x)

    (second,) = both(program)
    assert second.item() == 12.0


def test_p18_the_network_of_seed_4_learns_the_same_as_torch():
    def program(t):
        t.manual_seed(0)
        net = t.nn.Sequential(t.nn.Linear(1, 10), t.nn.ReLU(), t.nn.Linear(10, 10), t.nn.ReLU(), t.nn.Linear(10, 1))
        net = net.double()
        x = t.linspace(-1, 1, 100, dtype=t.float64).unsqueeze(1)
        y = x * x
        for _ in range(5):
            net.zero_grad()
            loss = ((net(x) - y) ** 2).mean()
            loss.backward()
            with t.no_grad():
                for p in net.parameters():
                    p -= 0.2 * p.grad
        return loss.detach(), [p.grad for p in net.parameters()]

    both(program, rtol=1e-7, atol=1e-9)


def test_p19_import_brings_numpy_and_nothing_else_that_is_large():
    script = (
        "import sys, json; before = set(sys.modules); import tinygrad_edu; "
        "print(json.dumps(sorted({m.split('.')[0] for m in set(sys.modules) - before})))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == 1, "import prints something"
    brought = set(json.loads(lines[0]))
    assert (
        brought & {"torch", "matplotlib", "graphviz", "tqdm", "scipy", "sklearn", "hypothesis", "pytest", "PIL"}
        == set()
    )
    assert {"numpy", "tinygrad_edu"} <= brought
    assert run.stderr == ""

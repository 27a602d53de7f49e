"""The backward walk: order, accumulation, freeing, depth, memory, threads."""

import gc
import threading
import tracemalloc

import numpy as np
import pytest

import tinygrad_edu as torch
from tests.oracle import both
from tinygrad_edu import nn
from tinygrad_edu._core import engine
from tinygrad_edu._core.memory import memory
from tinygrad_edu._core.modes import state


def chain(length):
    x = torch.tensor([0.5], requires_grad=True)
    y = x
    for _ in range(length):
        y = y + 1e-9
    return x, y


def test_a_reused_tensor_collects_both_gradients():
    x = torch.tensor(3.0, requires_grad=True)
    (x * x + x).backward()
    assert x.grad.item() == 7.0


def test_a_step_is_always_younger_than_what_it_used_also_after_in_place_writes():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    h = x * 2
    h[0].mul_(3)
    h.exp_()
    h[1:] += x[:2]
    stack, seen = [h.grad_fn], set()
    while stack:
        node = stack.pop()
        for edge in node.edges:
            if edge is not None:
                assert node.seq > edge.seq
                if id(edge) not in seen:
                    seen.add(id(edge))
                    stack.append(edge)
    assert len(seen) > 5


def test_the_walk_is_a_generator_of_steps():
    x = torch.tensor(3.0, requires_grad=True)
    y = x * x + x
    names = [node.name() for node, _, _ in engine.steps({y._current_node: np.float32(1)})]
    assert names == ["AddBackward0", "MulBackward0", "torch::autograd::AccumulateGrad"]
    assert x.grad.item() == 7.0


def test_who_watches_sees_one_share_per_edge_and_none_is_written_later(monkeypatch):
    x = torch.tensor([3.0, 5.0], requires_grad=True)
    data = torch.tensor([1.0, 2.0])
    loss = ((x * x) * data).sum()
    seen = []
    monkeypatch.setattr(state, "watch", lambda node, g, shares: seen.append((node.name(), shares)))
    loss.backward()
    shares = dict(seen)
    assert [s if s is None else s.tolist() for s in shares["MulBackward0"]] == [[3.0, 10.0], [3.0, 10.0]]
    assert [name for name, _ in seen].count("MulBackward0") == 2
    assert seen[1][1][1] is None  # of data, which wants no gradient
    assert x.grad.tolist() == [6.0, 20.0]


@pytest.mark.parametrize("where", ["main thread", "another thread"])
def test_a_million_chained_operations_run_forward_backward_and_are_freed(where):
    results = []

    def work():
        x, y = chain(1_000_000)
        y.sum().backward()
        results.append(x.grad.item())
        del y

    if where == "main thread":
        work()
    else:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert results == [1.0]


def test_a_diamond_repeated_25_times_is_walked_once():
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(25):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**25


def train(steps):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    data = torch.randn(8, 4)
    for _ in range(steps):
        h = net(data) * 1
        h[0].mul_(0.5)
        loss = (h * h).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_without_the_collector_memory_stays_flat_over_twenty_thousand_steps():
    train(200)
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        train(500)
        before = tracemalloc.get_traced_memory()[0]
        train(20_000)
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        unreachable = gc.collect()
    finally:
        gc.enable()
    assert after - before < 20_000, f"{after - before} bytes grown"
    assert unreachable == 0


def test_a_graph_with_hooks_views_and_recorded_gradients_leaves_no_cycle():
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
            h = x * 2
            h.retain_grad()
            h.register_hook(lambda g: g * 2)
            h[1:].mul_(3)
            (h * h * h).sum().backward(create_graph=True)
            (g,) = torch.autograd.grad((h * x).sum(), x, create_graph=True)
            del x, h, g
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_entries_about_written_memory_die_with_the_memory():
    before = len(memory.written)
    kept = torch.zeros(3)
    kept.add_(1)
    for _ in range(100):
        torch.zeros(5).add_(1)
    assert len(memory.written) == before + 1


def test_gradients_are_freed_as_the_walk_passes():
    x = torch.tensor([1.0], requires_grad=True)
    y = x.exp()
    y.sum().backward()
    assert y.grad_fn.saved is None
    with pytest.raises(RuntimeError, match=r"second time.*retain_graph=True.*detach\(\)"):
        y.sum().backward()


def test_each_thread_has_its_own_mode():
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not torch.is_grad_enabled()
    assert seen == [True]


def test_concurrent_backward_on_a_shared_parameter_sums_exactly():
    w = torch.ones(64, 64, requires_grad=True)
    threads = [threading.Thread(target=lambda: [(w * 1.0).sum().backward() for _ in range(200)]) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert torch.equal(w.grad, torch.full((64, 64), 800.0))


def test_many_reads_of_one_tensor_are_poured_into_one_buffer():
    x = torch.ones(2000, 4, requires_grad=True)
    total = x[0]
    for t in range(1, 2000):
        total = total + x[t]
    total.sum().backward()
    assert torch.equal(x.grad, torch.ones(2000, 4))


def test_the_gradient_of_a_leaf_owns_its_memory():
    x = torch.ones(3, requires_grad=True)
    y = torch.ones(3, requires_grad=True)
    (x + y).sum().backward()
    assert x.grad._array.flags.writeable
    assert not np.shares_memory(x.grad._array, y.grad._array)
    x.grad.mul_(5)
    assert y.grad.tolist() == [1.0, 1.0, 1.0]


def test_grad_leaves_every_grad_alone():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    torch.autograd.grad((x * x).sum(), x)
    assert x.grad is None


def test_hooks_change_nothing_once_they_are_removed():
    def program(t, hooked):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        h = x * 3
        if hooked:
            for handle in (h.register_hook(lambda g: g * 100), x.register_hook(lambda g: g * 100)):
                handle.remove()
        (h * h).sum().backward()
        return x.grad.tolist()

    assert program(torch, True) == program(torch, False)


def test_next_functions_equal_torchs():
    def program(t):
        x = t.tensor([[1.0, 2.0]], requires_grad=True)
        w = t.tensor([[3.0], [4.0]], requires_grad=True)
        results = [
            x * w,
            x + 1,
            x**2,
            x @ w,
            x.exp(),
            x.sum(),
            x.mean(1),
            x.t(),
            x[0],
            x.reshape(2),
            t.cat([x, x]),
            x.max(),
            1 - x,
        ]
        return [
            [r.grad_fn.name(), [n and n.name().split("::")[-1] for n, _ in r.grad_fn.next_functions]] for r in results
        ]

    both(program)


def test_materialize_grads_gives_zeros_for_what_was_not_used():
    def program(t):
        x, y = t.ones(2, requires_grad=True), t.ones(3, requires_grad=True)
        return t.autograd.grad((x * x).sum(), [x, y], materialize_grads=True)

    both(program)


def test_backward_with_inputs_fills_only_those():
    def program(t):
        x, y = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
        (x * y).sum().backward(inputs=[x])
        return x.grad, y.grad is None

    both(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.ones(2, requires_grad=True).backward(),
        lambda t: t.ones(2).sum().backward(),
        lambda t: t.ones(2, requires_grad=True).sum().backward(t.ones(3)),
        lambda t: t.autograd.grad(t.ones(2, requires_grad=True).sum(), t.ones(2)),
        lambda t: t.autograd.grad(t.ones(2, requires_grad=True).sum(), t.ones(2, requires_grad=True)),
        lambda t: t.tensor([1, 2]).requires_grad_(),
        lambda t: (t.ones(2, requires_grad=True) * 2).requires_grad_(False),
        lambda t: t.ones(2).register_hook(print),
        lambda t: t.ones(2, requires_grad=True).numpy(),
        lambda t: t.ones(2, requires_grad=True).add_(1),
        lambda t: (t.ones(2, requires_grad=True) * 1).register_post_accumulate_grad_hook(print),
        lambda t: t.tensor([[1.0], [2.0, 3.0]]),
        lambda t: t.zeros(2)[2],
        lambda t: t.zeros(2, 2)[0, 0, 0],
        lambda t: t.zeros(2)[::-1],
        lambda t: t.zeros(2)[1.5],
        lambda t: t.zeros(3) + t.zeros(2),
        lambda t: t.zeros(2, 3) @ t.zeros(4, 5),
        lambda t: t.zeros(2).view(3),
        lambda t: bool(t.zeros(2)),
        lambda t: t.zeros(2).item(),
        lambda t: t.zeros(2).expand(3),
    ],
)
def test_bad_calls_raise_torchs_exception(program):
    assert isinstance(both(program), Exception)


def test_a_refused_write_changes_nothing():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1
    version, node = h._version, h.grad_fn
    for write in (
        lambda: h.add_(torch.ones(3)),
        lambda: h.expand(3, 2).add_(1),
        lambda: x.add_(1),
        lambda: x[0].mul_(2),
    ):
        with pytest.raises(RuntimeError):
            write()
    assert (h._version, h.grad_fn, x.tolist(), h.tolist()) == (version, node, [1.0, 2.0], [1.0, 2.0])


def test_a_leaf_frozen_after_the_forward_pass_receives_nothing():
    def program(t):
        x, w = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
        y = (x * w).sum()
        x.requires_grad_(False)
        y.backward()
        return x.grad is None, w.grad

    both(program)

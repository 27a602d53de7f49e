"""The invariants of the engine (numbers as in its design), over the op table and over random programs."""

from __future__ import annotations

import gc
import itertools
import random
import re
import threading
import tracemalloc
from collections import deque
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from tests.harness import Arguments, for_each_case, tensors_in
from tests.oracle import outcome, to_numpy
from tests.test_fuzz import ACTIONS
from tests.test_op_table import rows
from tinygrad_edu._core.engine import newest_first
from tinygrad_edu._core.memory import memory
from tinygrad_edu._core.modes import state
from tinygrad_edu._ops.shape import follow
from tinygrad_edu.testing._draw import cast

PACKAGE = Path(tinygrad_edu.__file__).parent


def nodes_of(tensors):
    """Return every step and leaf behind some tensors."""
    return newest_first({x.grad_fn for x in tensors if known(x) and x.grad_fn is not None})


def known(x):
    """Say whether a tensor may be asked for its step: a view made under no_grad may not, once its base was written."""
    return "created in no_grad mode" not in str(outcome(lambda _: x.grad_fn, None))


class Watch:
    """Sees each step of the backward walks made inside it."""

    def __init__(self, see):
        self.see = see

    def __enter__(self):
        state.watch = self.see

    def __exit__(self, *_):
        state.watch = None


def arrays_kept_by(node):
    """Return the arrays a step kept."""
    if node.op is None or node.saved is None:
        return []
    return [value for _, value in node.op.kept_by(node) if isinstance(value, np.ndarray)]


def as_array(x):
    """Return the array of a share, which under create_graph is a tensor."""
    return x if isinstance(x, np.ndarray | np.generic) else to_numpy(x)


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too
differentiable = rows(lambda row: row.order > 0)


@differentiable
def test_3_every_share_has_the_shape_and_dtype_of_its_edge_and_4_none_is_what_a_step_kept(row):
    steps = 0

    def check(case, seed):
        def see(node, g, shares):
            nonlocal steps
            steps += 1
            if node.op is None:
                return
            for edge, share in zip(node.edges, shares, strict=True):
                if share is not None and share is not g:  # poured: it goes into a buffer of the edge's shape
                    assert tuple(share.shape) == tuple(edge.shape), f"{node.op.name}: {share.shape}, {edge.shape}"
            shares = [share for share in shares if share is not None]
            for share in shares:
                dtype = as_array(share).dtype
                if str(dtype) == "float32" or str(g.dtype).endswith(str(dtype)):
                    continue
                assert node.op.name == "to", f"{node.op.name} turned a gradient of {g.dtype} into {dtype}"
            for share, kept in itertools.product(shares, arrays_kept_by(node)):
                assert share is not kept, f"a formula of {node.op.name} returned an array that the step kept"

        for dtype, create_graph in (("float64", False), ("float64", True), ("float32", False)):
            given = Arguments(tinygrad_edu, cast(case, dtype), row.frozen, grad=False)
            leaves = [
                x.requires_grad_()
                for i, arg in enumerate(given.args)
                if i not in row.frozen
                for x in tensors_in(arg)
                if x.is_floating_point()
            ]
            outs = [x for x in tensors_in(row.call(tinygrad_edu, *given.args)) if x.requires_grad]
            if not outs or not leaves:
                continue
            seeds = [tinygrad_edu.ones_like(x).detach() for x in outs]
            for seed_ in seeds:
                if isinstance(seed_._array, np.ndarray):
                    seed_._array.setflags(write=False)  # a formula that writes into its gradient fails here
            with Watch(see):
                grads = tinygrad_edu.autograd.grad(
                    outs, leaves, grad_outputs=seeds, create_graph=create_graph, retain_graph=True, allow_unused=True
                )
            for leaf, g in zip(leaves, grads, strict=True):
                if g is not None:
                    assert g.shape == leaf.shape
                    assert g.dtype == leaf.dtype
            assert all((to_numpy(seed_) == 1).all() for seed_ in seeds)

    for_each_case(row, check, share=0.3)
    assert steps >= 3


@differentiable
def test_2_a_leaf_owns_its_gradient(row):
    def check(case, seed):
        given = Arguments(tinygrad_edu, case, row.frozen, grad=True)
        outs = [x for x in tensors_in(row.call(tinygrad_edu, *given.args)) if x.requires_grad]
        if not outs:
            return
        seeds = [tinygrad_edu.ones_like(x).detach() for x in outs]
        tinygrad_edu.autograd.backward(outs, seeds, retain_graph=True)
        kept = [array for node in nodes_of(outs) for array in arrays_kept_by(node)]
        grads = [x.grad for x in given.leaves if x.grad is not None]
        others = [*(to_numpy(x) for x in (*outs, *seeds, *given.leaves)), *kept]
        for i, g in enumerate(grads):
            array = g._writable()
            assert array.flags.writeable
            for other in [*others, *(to_numpy(h) for h in grads[:i])]:
                assert not np.shares_memory(array, other)

    for_each_case(row, check, share=0.3)


@differentiable
def test_5_a_step_is_younger_than_what_it_used(row):
    def check(case, seed):
        given = Arguments(tinygrad_edu, case, row.frozen, grad=True)
        results = list(tensors_in(row.call(tinygrad_edu, *given.args)))
        for node in nodes_of(results):
            assert all(edge is None or edge.seq < node.seq for edge in node.edges)

    for_each_case(row, check, share=0.2)


def pools(count):
    """Yield the tensors of random programs of views and writes."""
    t = tinygrad_edu
    for seed in range(count):
        r = random.Random(seed)
        w = t.tensor([0.5, 0.7, 0.9], requires_grad=True)
        pool = [t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True) * 1.0]
        for _ in range(8):
            try:
                made = r.choice(ACTIONS)(r, t, r.choice(pool), pool, w)
            except RuntimeError:
                continue  # refused, as many are
            if made is not None:
                pool.append(made)
        yield [x for x in pool if known(x)]


def test_5_and_6_hold_after_writes_into_views():
    views = 0
    for pool in pools(150):
        for x in pool:
            if x._base is None:
                continue
            views += 1
            assert x._base._base is None
            again = follow(x._base._array, x._path)
            for own, other in ((x._array, again),):
                assert own.__array_interface__["data"] == other.__array_interface__["data"]
                assert (own.dtype, own.shape, own.strides) == (other.dtype, other.shape, other.strides)
        for node in nodes_of(pool):
            assert all(edge is None or edge.seq < node.seq for edge in node.edges)
    assert views >= 200


def refusals(t):
    """Return writes that must be refused, each with the tensor it would change."""
    x = t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    h = x * 1
    with t.no_grad():
        unrecorded = h[0]
    wide = (x * 1)[0].expand(2, 3)
    part = (x * 1).unbind(0)[0]
    whole = t.tensor([1, 2, 3])
    return {
        "leaf": (x, lambda: x.add_(1)),
        "view of a leaf": (x, lambda: x[0].mul_(2)),
        "assignment to a leaf": (x, lambda: x.__setitem__(0, 5.0)),
        "shape": (h, lambda: h.add_(t.ones(4, 2, 3))),
        "unrecorded view": (h, lambda: unrecorded.mul_(2)),
        "expanded": (wide, lambda: wide.add_(1)),
        "one of many": (part, lambda: part.add_(1)),
        "kind of number": (whole, lambda: whole.add_(0.5)),
        "index": (h, lambda: h.__setitem__(5, 1.0)),
        "assigned shape": (h, lambda: h.__setitem__(0, t.ones(2))),
        "mask": (h, lambda: h.__setitem__(t.tensor([True, False, True]), 0.0)),
    }


@pytest.mark.parametrize("name", refusals(tinygrad_edu))
def test_7_a_refused_write_changes_nothing(name):
    target, write = refusals(tinygrad_edu)[name]
    seen = []
    if target.requires_grad:
        target.register_hook(seen.append)
    values, node, version, last = target.tolist(), target.grad_fn, target._version, memory.last
    with pytest.raises((RuntimeError, IndexError)):
        write()
    assert target.tolist() == values
    assert target.grad_fn is node
    assert target._version == version
    assert memory.last == last
    if target.requires_grad and name != "one of many":
        target.sum().backward()
        assert len(seen) == 1


def busy_step(t, w, x):
    """Make one step with views, writes, hooks and a second order."""
    h = x @ w
    h[0].mul_(2)
    h.register_hook(lambda g: g * 1)
    b = t.zeros(3, 2)
    b[1:] = h[:2]
    loss = (b.tanh() ** 2).sum()
    (g,) = t.autograd.grad(loss, w, create_graph=True)
    ((g * g).sum() + loss).backward()
    with t.no_grad():
        w -= 0.01 * w.grad
    w.grad = None


def test_8_memory_is_flat_without_the_collector():
    t = tinygrad_edu
    w = t.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], requires_grad=True)
    x = t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(50):
            busy_step(t, w, x)
        before, blocks = tracemalloc.get_traced_memory()[0], len(memory.written)
        for _ in range(600):
            busy_step(t, w, x)
        grown = tracemalloc.get_traced_memory()[0] - before
        assert grown < 2_000, f"600 steps left {grown} bytes"
        assert gc.collect() == 0
        assert len(memory.written) <= blocks + 1
    finally:
        tracemalloc.stop()
        if enabled:
            gc.enable()


def test_9_a_million_steps_go_forward_back_and_away_in_any_thread():
    found = []

    def work():
        x = tinygrad_edu.tensor(1.0, requires_grad=True)
        y = x
        for _ in range(1_000_000):
            y = y * 1.0
        y.backward()
        found.append(x.grad.item())
        del y

    threading.stack_size(1 << 18)  # a quarter of a megabyte: recursion of any kind would overflow it
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert found == [1.0]


def test_10_asking_for_gradients_changes_no_leaf():
    t = tinygrad_edu
    x, y = t.ones(3, requires_grad=True), t.ones(3, requires_grad=True)
    (x * y).sum().backward()
    kept = x.grad.tolist(), y.grad.tolist()
    t.autograd.grad((x * y * y).sum(), [x])
    assert (x.grad.tolist(), y.grad.tolist()) == kept


def test_10_hooks_that_are_removed_leave_no_trace():
    t = tinygrad_edu

    def gradient(hooked):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        h = x * 3
        handles = [h.register_hook(lambda g: g * 5), x.register_hook(lambda g: g * 7)] if hooked else []
        for handle in handles:
            handle.remove()
        (h * h).sum().backward()
        return x.grad.tolist()

    assert gradient(True) == gradient(False)


def test_11_only_the_machine_reads_a_tensors_node_directly():
    # The last four make or hand on nodes themselves: a custom Function is an op, detect_anomaly watches results as they arise,
    # a batched tensor is tied to the node of its batch, and a transform gives results their true history back.
    allowed = {"_tensor.py", "op.py", "engine.py", "node.py", "_function.py", "_anomaly.py", "_batched.py", "_level.py"}
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in allowed
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"\._node\b", line)
    ]
    assert found == []


def test_steps_may_be_taken_one_at_a_time():
    t = tinygrad_edu
    x = t.tensor([1.0, 2.0], requires_grad=True)
    taken: deque = deque()
    with Watch(lambda node, g, shares: taken.append(node.name())):
        (x * x).sum().backward()
    assert list(taken) == ["SumBackward0", "MulBackward0", "torch::autograd::AccumulateGrad"]

"""Writes are noticed: however many there were, through whatever memory, and forgotten with the memory."""

import gc

import numpy as np
import pytest

import tinygrad_edu as torch
from tests.oracle import both
from tinygrad_edu._core.memory import memory, version

STALE = "modified by an inplace operation"


@pytest.mark.parametrize("writes", [0, 1, 15, 16, 17, 31, 32, 33, 34, 47, 48, 49, 50, 200])
def test_a_write_is_noticed_however_many_went_before(writes):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    for _ in range(writes):
        x.add_(1)
    y = (w * x).sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match=rf"is at version {writes + 1}; expected version {writes} instead"):
        y.backward()


@pytest.mark.parametrize("writes", [1, 16, 32, 33, 40])
def test_writes_before_a_step_do_it_no_harm(writes):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    for _ in range(writes):
        x.add_(1)
    (w * x).sum().backward()
    assert w.grad.tolist() == [3.0 + writes, 4.0 + writes]


@pytest.mark.parametrize("later", [1, 2, 5])
def test_the_error_counts_the_writes_since(later):
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    x = torch.tensor([3.0, 4.0])
    x.add_(1).add_(1).add_(1)
    y = (w * x).sum()
    for _ in range(later):
        x.add_(1)
    with pytest.raises(RuntimeError, match=rf"is at version {3 + later}; expected version 3 instead"):
        y.backward()


def test_versions_count_as_torchs_do():
    def program(t):
        x = t.zeros(2, 3)
        seen = [x._version]
        x.add_(1)
        seen.append((x._version, x[0]._version, x.detach()._version))
        x[0].mul_(2)
        x[:, 1] = 5
        seen.append((x._version, x.t()._version))
        return seen

    both(program)


def test_memory_is_forgotten_with_its_block():
    gc.collect()
    before = len(memory.written)
    blocks = [torch.zeros(n + 1) for n in range(50)]
    for block in blocks:
        block.add_(1)
    assert len(memory.written) == before + 50
    del block, blocks
    assert len(memory.written) == before


def test_new_memory_in_an_old_place_has_no_past():
    for _ in range(200):
        x = torch.zeros(1000)
        assert x._version == 0
        x.add_(1)
        del x


def test_a_write_is_noticed_through_memory_that_numpy_strides_over():
    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    windows = torch.from_numpy(np.lib.stride_tricks.as_strided(a.numpy(), (3, 2), (4, 4)))
    w = torch.ones(3, 2, requires_grad=True)
    y = (w * windows).sum()
    a.add_(1)
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()


def test_a_write_is_noticed_through_memory_that_is_no_array():
    array = np.frombuffer(bytearray(16), np.float32)
    a, b = torch.from_numpy(array), torch.from_numpy(array[1:])
    w = torch.ones(4, requires_grad=True)
    y = (w * a).sum()
    b.add_(1)
    assert a.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert version(a.numpy()) == version(b.numpy()) == 1
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()


def test_a_write_into_another_block_is_no_harm():
    w = torch.ones(2, requires_grad=True)
    x, z = torch.ones(2), torch.ones(2)
    y = (w * x).sum()
    z.add_(1)
    y.backward()
    assert w.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1),
        lambda x: x.mul_(torch.tensor([[2.0]])),
        lambda x: x.fill_(1),
        lambda x: x.zero_(),
        lambda x: x.copy_(torch.ones(2, 2)),
        lambda x: x.__setitem__(0, 1.0),
        lambda x: x.__setitem__([0, 1], 1.0),
        lambda x: x.__setitem__(x > 0, 1.0),
        lambda x: x[0].add_(1),
        lambda x: x.t().exp_(),
        lambda x: x.detach().relu_(),
        lambda x: x.data.sub_(1),
        lambda x: x.apply_(lambda v: v + 1),
        lambda x: x.clamp_(0, 1),
        lambda x: x.masked_fill_(x > 0, 1.0),
        lambda x: x.index_add_(0, torch.tensor([0]), torch.ones(1, 2)),
        lambda x: x.scatter_(0, torch.tensor([[0, 1]]), 1.0),
        lambda x: x.uniform_(),
        lambda x: x.normal_(),
        lambda x: x.bernoulli_(),
        lambda x: x.exponential_(),
        lambda x: torch.nn.init.ones_(x),
        lambda x: torch.nn.functional.relu(x, inplace=True),
        lambda x: torch.add(x, 1, out=x),
        lambda x: x.view(-1)[1:3].div_(2),
        lambda x: x.cumsum_(0),
        lambda x: x.__iadd__(1),
        lambda x: x.__ipow__(2),
    ],
)
def test_every_way_to_write_is_noticed(write):
    w = torch.ones(2, 2, requires_grad=True)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    y = (w * x).sum()
    write(x)
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()
    assert w.grad is None


def test_a_mask_that_was_written_after_the_step_is_noticed():
    def program(t):
        x = t.ones(3, requires_grad=True)
        mask = t.tensor([True, False, True])
        y = (x * 2).masked_fill(mask, 0.0).sum()
        mask.logical_not_()
        y.backward()

    both(program)


def test_an_index_that_was_written_after_the_step_is_noticed():
    def program(t):
        x = t.ones(3, requires_grad=True)
        index = t.tensor([0, 1])
        y = (x * 2)[index].sum()
        index.add_(1)
        y.backward()

    both(program)


def test_the_gradient_of_a_leaf_has_a_version_too():
    w, x = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    y = (w * x.grad).sum()
    (x * 3).sum().backward()  # accumulates into x.grad
    with pytest.raises(RuntimeError, match=STALE):
        y.backward()

"""Small parameters are updated together, and nobody can tell: whatever is done to them, PyTorch's values come out."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_edu as torch
from tests.optim.test_optimizers import NAMES, RULES, pickled
from tests.oracle import both
from tinygrad_edu.optim._together import SMALL

LONG = [name for name in NAMES if name != "SGD"]  # those whose rule works on several parameters at once
SHAPES = [(3, 2), (4,), (), (2, 1, 2), (0,)]


def leaf(t: Any, rng: np.random.Generator, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    return t.from_numpy(np.asarray(rng.standard_normal(shape), dtype)).requires_grad_()


def network(t: Any, rng: np.random.Generator) -> list[Any]:
    """Small parameters, a large one, one that is not contiguous, one of another dtype, and two that share memory."""
    common = leaf(t, rng, (6,))
    return [
        *[leaf(t, rng, shape) for shape in SHAPES],
        leaf(t, rng, (SMALL // 64 + 1, 64)),
        leaf(t, rng, (5, 3)).detach().T.requires_grad_(),
        leaf(t, rng, (3,), "float64"),
        leaf(t, rng, (2,), "float64"),
        common,
        common.detach()[1:4].requires_grad_(),
    ]


def replace_data(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    params[i].data = params[i].detach().clone() + 1


def write(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    with t.no_grad():
        params[i].mul_(0.5)


def share(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    """From now on a parameter lies in the memory of another of its shape."""
    for other in params:
        if other is not params[i] and other.shape == params[i].shape and other.dtype == params[i].dtype:
            params[i].data = other.detach()


def tie(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    """Add a parameter that is part of another's memory."""
    if params[i].ndim == 1 and len(params[i]) > 1:
        part = params[i].detach()[:2].requires_grad_()
        params.append(part)
        optimizer.add_param_group({"params": [part], "lr": 0.02})


def add(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    new = t.ones(i + 1, requires_grad=True)
    params.append(new)
    optimizer.add_param_group({"params": [new]})


def load(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    optimizer.load_state_dict(pickled(optimizer.state_dict()) if i % 2 else copy.deepcopy(optimizer.state_dict()))


def write_state(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    for name, value in optimizer.state[params[i]].items():
        if name != "step" and value is not None:
            value.mul_(0.5)


def replace_state(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    state = optimizer.state[params[i]]
    for name, value in list(state.items()):
        if value is not None:
            state[name] = value.clone()


def move_state(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    """Lay a state elsewhere, in the same tensor."""
    for value in optimizer.state[params[i]].values():
        if value is not None:
            value.data = value.detach().clone() * 2


def change_setting(t: Any, params: list[Any], optimizer: Any, i: int) -> None:
    for group in optimizer.param_groups:
        group["lr"] *= 0.7


EVENTS = [replace_data, write, share, tie, add, load, write_state, replace_state, move_state, change_setting]


@settings(max_examples=60)
@given(
    st.sampled_from(NAMES),
    st.data(),
    st.integers(0, 2**31),
    st.lists(st.tuples(st.sampled_from([None, *EVENTS]), st.integers(0, 10), st.integers(0, 2**11 - 1)), max_size=8),
)
def test_whatever_happens_between_steps_the_values_are_torchs(
    name: str, data: st.DataObject, seed: int, happenings: list[tuple[Any, int, int]]
) -> None:
    options = data.draw(st.sampled_from(RULES[name]))

    def program(t: Any) -> list[Any]:
        rng = np.random.default_rng(seed)
        params = network(t, rng)
        optimizer = getattr(t.optim, name)(params, **options)
        for event, i, absent in [(None, 0, 0), (None, 0, 0), *happenings, (None, 0, 0)]:
            if event is not None:
                event(t, params, optimizer, i % len(params))
            for k, p in enumerate(params):
                noise = np.asarray(rng.standard_normal(tuple(p.shape)))
                p.grad = None if absent >> k & 1 else t.from_numpy(noise).to(p.dtype)
            optimizer.step()
        return [[p.detach() for p in params], optimizer.state_dict()["state"]]

    both(program, rtol=1e-4, atol=2e-5)  # ten steps of random gradients: sums near zero show what both rounded


@pytest.mark.parametrize("name", LONG)
def test_small_parameters_are_one_and_their_states_are_views(name: str) -> None:
    rng = np.random.default_rng(0)
    params = network(torch, rng)
    optimizer = getattr(torch.optim, name)(params)
    optimizer._small_together = True  # also where TINYGRAD_EDU_PLAIN=1 is set
    for _ in range(2):
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()
    (together,) = optimizer._together.values()
    assert [[p is q for p in params].index(True) for bundle in together.bundles for q in bundle.parameters] == [
        *range(len(SHAPES)),
        *(7, 8),
    ]
    state, first = optimizer.state[params[0]], together.bundles[0].state
    assert {key: tuple(value.shape) for key, value in state.items() if key != "step"} == {
        key: (3, 2) for key in first if key != "step"
    }
    assert all(np.shares_memory(state[key].numpy(), first[key].numpy()) for key in first if key != "step")
    assert together.fits(optimizer._moving(optimizer.param_groups[0]), optimizer.state)


@pytest.mark.parametrize("name", LONG)
def test_parameters_stay_where_they_are(name: str) -> None:
    params = [torch.ones(3, requires_grad=True) for _ in range(3)]
    outside = [p.detach().numpy() for p in params]
    optimizer = getattr(torch.optim, name)(params, lr=0.1)
    for _ in range(2):
        sum((p * p).sum() for p in params).backward()
        optimizer.step()
    for p, array in zip(params, outside, strict=True):
        assert np.shares_memory(p.detach().numpy(), array)
        assert (array < 1).all()


@pytest.mark.parametrize("name", LONG)
def test_a_parameter_written_between_forward_and_backward_is_noticed(name: str) -> None:
    params = [torch.ones(3, requires_grad=True) for _ in range(2)]
    optimizer = getattr(torch.optim, name)(params, lr=0.1)
    loss = sum((p * p).sum() for p in params)
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_step_that_cannot_be_made_changes_nothing() -> None:
    params = [torch.ones(3, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.Adam(params, lr=0.1)
    for p in params:
        p.grad = torch.ones(3)
    optimizer.step()
    before = [p.detach().clone() for p in params], pickled(optimizer.state_dict())
    params[1].data = torch.ones(4)
    with pytest.raises(RuntimeError, match="must match the size of its gradient"):
        optimizer.step()
    assert torch.equal(params[0].detach(), before[0][0])
    assert str(optimizer.state_dict()) == str(before[1])


def test_a_copied_or_pickled_optimizer_goes_its_own_way() -> None:
    def program(t: Any) -> list[Any]:
        params = [t.ones(3, requires_grad=True), t.ones(2, requires_grad=True)]
        optimizer = t.optim.Adam(params, lr=0.1)
        twins = []
        for k in range(4):
            for p in params:
                p.grad = p.detach() * (k + 1)
            optimizer.step()
            twins.append(copy.deepcopy(optimizer))
        last = twins[1]
        for group in last.param_groups:
            for p in group["params"]:
                p.grad = t.ones_like(p)
        last.step()
        return [params[0].detach(), last.param_groups[0]["params"][0].detach(), optimizer.state_dict()["state"]]

    both(program, rtol=2e-6, atol=1e-6)

"""Optimizers move parameters as PyTorch's do, step by step."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import both

RULES: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True},
        {"lr": 0.05, "momentum": 0.8, "dampening": 0.3},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05, "maximize": True},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.2, "foreach": False},
    ],
    "Adam": [
        {},
        {"lr": 0.1},
        {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3},
        {"lr": 0.05, "betas": (0.3, 0.9)},
        {"lr": 0.05, "amsgrad": True},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.02, "maximize": True},
        {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ],
    "AdamW": [
        {},
        {"lr": 0.05, "weight_decay": 0.2},
        {"lr": 0.05, "amsgrad": True, "weight_decay": 0.3, "maximize": True},
    ],
    "RMSprop": [
        {},
        {"lr": 0.02, "momentum": 0.9},
        {"lr": 0.02, "centered": True},
        {"lr": 0.02, "alpha": 0.4, "centered": True, "momentum": 0.5},
        {"lr": 0.02, "weight_decay": 0.1, "eps": 1e-3, "maximize": True},
    ],
    "Adagrad": [
        {},
        {"lr": 0.3, "lr_decay": 0.05},
        {"lr": 0.3, "initial_accumulator_value": 0.5, "weight_decay": 0.1},
        {"lr": 0.1, "eps": 1e-2, "maximize": True},
    ],
    "Adadelta": [{}, {"lr": 0.5, "rho": 0.7, "eps": 1e-4}, {"weight_decay": 0.1}, {"maximize": True, "lr": 0.3}],
}
CASES = [
    pytest.param(name, options, id=f"{name}-{i}") for name, many in RULES.items() for i, options in enumerate(many)
]
NAMES = sorted(RULES)


def leaf(t: Any, array: np.ndarray) -> Any:
    return t.from_numpy(np.array(array)).requires_grad_()


def pull(t: Any, p: Any, target: np.ndarray, noise: np.ndarray) -> None:
    """Put the gradient of a noisy quadratic into p.grad."""
    now = p.detach().numpy()
    p.grad = t.from_numpy(np.asarray((now - target) * 0.7 + noise, dtype=now.dtype))


def train(
    t: Any, name: str, options: dict, shapes: list[tuple[int, ...]], dtype: str, steps: int, seed: int = 0
) -> tuple[Any, list]:
    """Step through a noisy quadratic; give the optimizer and all values every tenth step and at the end."""
    rng = np.random.default_rng(seed)
    params = [leaf(t, rng.standard_normal(shape).astype(dtype)) for shape in shapes]
    targets = [rng.standard_normal(shape) for shape in shapes]
    optimizer = getattr(t.optim, name)(params, **options)
    seen = []
    for step in range(steps):
        for p, target in zip(params, targets, strict=True):
            pull(t, p, target, 0.1 * rng.standard_normal(target.shape))
        optimizer.step()
        if step % 10 == 9 or step == steps - 1:
            seen.append([p.detach().clone() for p in params])
    return optimizer, seen


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_hundred_steps_equal_torchs(name: str, options: dict) -> None:
    both(lambda t: train(t, name, options, [(3, 4), (5,), ()], "float32", 100)[1], rtol=2e-6, atol=1e-6)
    both(lambda t: train(t, name, options, [(3, 4), ()], "float64", 100)[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_half_precision_rounds_as_torch_does(name: str, options: dict) -> None:
    both(lambda t: train(t, name, options, [(7,)], "float16", 5)[1], rtol=4e-3, atol=4e-3)


@pytest.mark.parametrize("name", NAMES)
def test_long_parameters_are_worked_in_pieces_with_the_same_result(name: str) -> None:
    options = RULES[name][-1]
    # torch rounds a multiply and add once where the processor can: some of so many small gradients show it
    both(lambda t: train(t, name, options, [(3, 50_001)], "float32", 3)[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_state_and_the_text_are_torchs(name: str, options: dict) -> None:
    def program(t: Any) -> list:
        optimizer, _ = train(t, name, options, [(2, 3), ()], "float32", 3)
        return [optimizer.state_dict(), repr(optimizer), optimizer.defaults]

    both(program, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_training_goes_on_from_a_saved_state(name: str, options: dict) -> None:
    def program(t: Any) -> list:
        rng = np.random.default_rng(3)
        p, q = (leaf(t, np.ones(4, np.float32)) for _ in range(2))
        first = getattr(t.optim, name)([p], **options)
        noise = rng.standard_normal((6, 4))
        for n in noise[:3]:
            pull(t, p, np.zeros(4), n)
            first.step()
        with t.no_grad():
            q.copy_(p)
        second = getattr(t.optim, name)([q], lr=0.777)
        second.load_state_dict(pickled(first.state_dict()))
        for n in noise[3:]:
            for x, optimizer in ((p, first), (q, second)):
                pull(t, x, np.zeros(4), n)
                optimizer.step()
        assert np.array_equal(p.detach().numpy(), q.detach().numpy())
        return [q.detach(), second.param_groups[0]["lr"]]

    both(program, rtol=2e-6, atol=1e-6)


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@given(st.sampled_from(NAMES), st.data(), st.integers(0, 2**31))
def test_any_options_and_groups_follow_torch(name: str, data: st.DataObject, seed: int) -> None:
    options = data.draw(st.sampled_from(RULES[name]))
    other = data.draw(st.sampled_from([{"lr": 0.3}, {"weight_decay": 0.2}, {"lr": 0.01, "maximize": True}]))
    skip = data.draw(st.integers(0, 3))

    def program(t: Any) -> list:
        rng = np.random.default_rng(seed)
        params = [leaf(t, rng.standard_normal(shape).astype("float32")) for shape in [(2,), (3, 2), (4,)]]
        optimizer = getattr(t.optim, name)([{"params": params[:2]}, {"params": params[2], **other}], **options)
        for step in range(8):
            optimizer.zero_grad(set_to_none=bool(step % 2))
            for number, p in enumerate(params):
                if not (number == skip and step % 3):
                    pull(t, p, np.zeros(p.shape), rng.standard_normal(p.shape))
            optimizer.step()
        return [[p.detach() for p in params], repr(optimizer), optimizer.state_dict()]

    both(program, rtol=5e-6, atol=2e-6)


def test_a_parameter_without_gradient_stays() -> None:
    def program(t: Any) -> Any:
        p, q = leaf(t, np.ones(2)), leaf(t, np.ones(2))
        optimizer = t.optim.SGD([p, q], lr=1.0)
        p.grad = t.ones(2, dtype=t.float64)
        optimizer.step()
        return [p.detach(), q.detach(), q.grad]

    both(program)


def test_parameters_that_share_memory_both_move_it() -> None:
    def program(t: Any) -> Any:
        whole = t.zeros(6)
        p, q = whole[:4].detach().requires_grad_(), whole[2:].detach().requires_grad_()
        optimizer = t.optim.SGD([p, q], lr=0.5)
        p.grad, q.grad = t.ones(4), t.ones(4)
        optimizer.step()
        return whole

    both(program)


@pytest.mark.parametrize("name", NAMES)
def test_a_transposed_parameter_keeps_its_layout(name: str) -> None:
    def program(t: Any) -> Any:
        whole = t.arange(6.0).reshape(2, 3)
        p = whole.t().detach().requires_grad_()
        optimizer = getattr(t.optim, name)([p], **RULES[name][-1])
        for step in range(3):
            pull(t, p, np.zeros((3, 2)), np.full((3, 2), 0.1 * step))
            optimizer.step()
        return whole

    both(program, rtol=2e-6, atol=1e-6)


def test_a_step_calls_the_closure_with_gradients_on_and_returns_its_loss() -> None:
    def program(t: Any) -> Any:
        p = leaf(t, np.array([2.0]))
        optimizer = t.optim.SGD([p], lr=0.25)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = (p * p).sum()
            loss.backward()
            return loss

        with t.no_grad():
            loss = optimizer.step(closure)
        return [loss.detach(), p.detach()]

    both(program)


def test_a_learning_rate_may_be_a_tensor() -> None:
    def program(t: Any) -> Any:
        results = []
        for name in NAMES:
            p = leaf(t, np.ones(3, np.float32))
            optimizer = getattr(t.optim, name)([p], lr=t.tensor(0.25))
            for _ in range(3):
                pull(t, p, np.zeros(3), np.zeros(3))
                optimizer.step()
            results += [p.detach(), repr(optimizer)]
        return results

    both(program, rtol=1e-6, atol=1e-6)


def test_zero_grad_forgets_or_fills_with_zeros() -> None:
    def program(t: Any) -> Any:
        p = leaf(t, np.ones(2))
        optimizer = t.optim.SGD([p])
        p.grad = t.ones(2, dtype=t.float64)
        kept = p.grad
        optimizer.zero_grad(set_to_none=False)
        filled = p.grad.clone()
        optimizer.zero_grad()
        return [kept, filled, p.grad]

    both(program)


BAD: list[Callable[[Any], Any]] = [
    lambda t: t.optim.SGD([]),
    lambda t: t.optim.SGD(t.ones(1, requires_grad=True)),
    lambda t: t.optim.SGD([1.0]),
    lambda t: t.optim.SGD({t.ones(1)} and [{"params": {t.ones(1)}}]),
    lambda t: t.optim.SGD([t.ones(1)], lr=-1),
    lambda t: t.optim.SGD([t.ones(1)], momentum=-1),
    lambda t: t.optim.SGD([t.ones(1)], weight_decay=-1),
    lambda t: t.optim.SGD([t.ones(1)], nesterov=True),
    lambda t: t.optim.SGD([t.ones(1)], lr=t.ones(2)),
    lambda t: t.optim.SGD([t.ones(1, requires_grad=True) * 2]),
    lambda t: t.optim.SGD([t.ones(1)], fused=True, foreach=True),
    lambda t: t.optim.Adam([t.ones(1)], betas=(1.0, 0.9)),
    lambda t: t.optim.Adam([t.ones(1)], betas=(0.9, -0.1)),
    lambda t: t.optim.Adam([t.ones(1)], betas=(0, 0.9)),
    lambda t: t.optim.Adam([t.ones(1)], eps=-1),
    lambda t: t.optim.Adam([t.ones(1)], lr=t.tensor(0.1), foreach=True),
    lambda t: t.optim.RMSprop([t.ones(1)], alpha=-1),
    lambda t: t.optim.Adagrad([t.ones(1)], lr_decay=-1),
    lambda t: t.optim.Adadelta([t.ones(1)], rho=1.5),
    lambda t: t.optim.LBFGS([t.ones(1)], lr=-1),
    lambda t: t.optim.LBFGS([{"params": [t.ones(1)]}, {"params": [t.ones(1)]}]),
    lambda t: t.optim.SGD([t.ones(1)]).add_param_group([t.ones(1)]),
    lambda t: t.optim.SGD([("a", t.ones(1)), t.ones(1)]),
    lambda t: t.optim.SGD([("a", t.ones(1))]).add_param_group({"params": [t.ones(1)]}),
    lambda t: t.optim.SGD([t.ones(1)]).load_state_dict({"state": {}, "param_groups": []}),
    lambda t: t.optim.SGD([t.ones(1)]).load_state_dict({"state": {}, "param_groups": [{"params": []}]}),
    lambda t: t.optim.SGD([t.ones(1)]).load_state_dict({}),
    lambda t: t.optim.Optimizer([t.ones(1)], {}).step(),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_torch_refuses_is_refused_with_the_same_exception(number: int) -> None:
    error = both(BAD[number])
    assert isinstance(error, Exception)


def test_a_parameter_in_two_groups_is_refused() -> None:
    def program(t: Any) -> Any:
        p = t.ones(1)
        return t.optim.SGD([{"params": [p]}, {"params": [p]}])

    assert isinstance(both(program), ValueError)


def test_duplicates_in_a_group_are_warned_about() -> None:
    def program(t: Any) -> Any:
        p = t.ones(1)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            t.optim.SGD([p, p])
        return str(seen[0].message)

    both(program)


def test_names_of_parameters_are_kept() -> None:
    def program(t: Any) -> Any:
        optimizer = t.optim.SGD([("w", t.ones(1)), ("b", t.ones(2))], lr=0.1)
        state = optimizer.state_dict()
        plain = t.optim.SGD([t.ones(1), t.ones(2)], lr=0.5)
        plain.load_state_dict(state)
        return [repr(optimizer), state, plain.state_dict()]

    both(program)


def test_a_failed_load_changes_nothing() -> None:
    import tinygrad_edu as t

    optimizer, _ = train(t, "Adam", {}, [(2,), (3,)], "float32", 2)
    before = pickled(optimizer.state_dict())
    for broken in (
        {"state": {0: {"step": 1}}, "param_groups": [{"params": [0]}]},
        {"state": 5, "param_groups": before["param_groups"]},
        {"param_groups": before["param_groups"]},
    ):
        with pytest.raises((ValueError, KeyError, AttributeError)):
            optimizer.load_state_dict(broken)
        after = optimizer.state_dict()
        assert repr(after) == repr(before)


def test_a_loaded_state_shares_no_memory_with_the_given_one() -> None:
    import tinygrad_edu as t

    first, _ = train(t, "Adam", {}, [(2,)], "float32", 2)
    given = first.state_dict()
    second, _ = train(t, "Adam", {}, [(2,)], "float32", 1, seed=5)
    second.load_state_dict(given)
    before = repr(given)
    p = second.param_groups[0]["params"][0]
    p.grad = t.ones(2)
    second.step()
    assert repr(given) == before


def test_a_failed_step_moves_no_parameter() -> None:
    import tinygrad_edu as t

    p = t.ones(2, requires_grad=True)
    q = t.ones(1).expand(3).detach().requires_grad_()
    p.grad, q.grad = t.ones(2), t.ones(3)
    optimizer = t.optim.SGD([p, q], lr=0.5)
    with pytest.raises(RuntimeError, match="unsupported operation"):
        optimizer.step()
    assert p.tolist() == [1.0, 1.0]


def test_hooks_run_around_steps_and_states() -> None:
    def program(t: Any) -> Any:
        said: list[str] = []
        p = t.ones(1, requires_grad=True)
        optimizer = t.optim.SGD([p], lr=0.5)
        handles = [
            optimizer.register_step_pre_hook(lambda o, args, kwargs: said.append("before")),
            optimizer.register_step_post_hook(lambda o, args, kwargs: said.append(f"after {len(args)}")),
            optimizer.register_state_dict_pre_hook(lambda o: said.append("saving")),
            optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1}),
            optimizer.register_load_state_dict_pre_hook(lambda o, state: said.append("loading")),
            optimizer.register_load_state_dict_post_hook(lambda o: said.append("loaded")),
        ]
        p.grad = t.ones(1)
        optimizer.step()
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        for handle in handles:
            handle.remove()
        optimizer.step()
        return [said[:1] + [s.split()[0] for s in said], sorted(state)]

    both(program)


def test_an_optimizer_of_ones_own_needs_only_a_step() -> None:
    def program(t: Any) -> Any:
        class Sign(t.optim.Optimizer):
            def __init__(self, params: Any, lr: float) -> None:
                super().__init__(params, {"lr": lr})

            @t.no_grad()
            def step(self) -> None:
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            p.add_(t.sign(p.grad), alpha=-group["lr"])

        p = leaf(t, np.array([1.0, -2.0]))
        optimizer = Sign([p], lr=0.5)
        scheduler = t.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        for _ in range(3):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
            scheduler.step()
        return [p.detach(), repr(optimizer)]

    both(program)


def test_optimizers_are_copied_and_pickled() -> None:
    import tinygrad_edu as t

    optimizer, _ = train(t, "Adam", {}, [(2,)], "float32", 2)
    for twin in (copy.deepcopy(optimizer), pickled(optimizer)):
        p = twin.param_groups[0]["params"][0]
        assert p is not optimizer.param_groups[0]["params"][0]
        p.grad = t.ones(2)
        twin.step()
        assert float(twin.state[p]["step"]) == 3
    assert float(next(iter(optimizer.state.values()))["step"]) == 2


def test_a_recorded_step_is_refused() -> None:
    import tinygrad_edu as t

    with pytest.raises(NotImplementedError, match="differentiable"):
        t.optim.SGD([t.ones(1)], differentiable=True)


# ---------------------------------------------------------------------- L-BFGS


def minimise(t: Any, options: dict, steps: int, dtype: str) -> tuple[Any, list]:
    """Minimise Rosenbrock's function, shifted, of a vector and a number."""
    x, y = leaf(t, np.array([-1.2, 1.0], dtype)), leaf(t, np.array(0.5, dtype))
    optimizer = t.optim.LBFGS([x, y], **options)
    losses = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = 10 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2 + (y - x[1]) ** 2
        loss.backward()
        losses.append(float(loss))
        return loss

    for _ in range(steps):
        losses.append(float(optimizer.step(closure)))
    return optimizer, [losses, x.detach(), y.detach(), optimizer.state_dict()["state"][0]["func_evals"]]


LBFGS = [
    {"lr": 0.02, "max_iter": 5},
    {"line_search_fn": "strong_wolfe", "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_iter": 6, "max_eval": 7},
    {"lr": 0.1, "history_size": 3, "tolerance_grad": 1e-2, "max_iter": 10},
]


@pytest.mark.parametrize("options", LBFGS)
def test_lbfgs_goes_the_way_torch_goes(options: dict) -> None:
    both(lambda t: minimise(t, options, 3, "float64")[1], rtol=1e-6, atol=1e-8)


def test_lbfgs_keeps_torchs_state() -> None:
    both(lambda t: minimise(t, LBFGS[1], 2, "float64")[0].state_dict(), rtol=1e-6, atol=1e-8)


def test_lbfgs_goes_on_from_a_saved_state() -> None:
    def program(t: Any) -> Any:
        first, _ = minimise(t, LBFGS[1], 1, "float64")
        second, _ = minimise(t, LBFGS[0], 1, "float64")
        second.load_state_dict(pickled(first.state_dict()))
        return second.state_dict()

    both(program, rtol=1e-6, atol=1e-8)


def test_lbfgs_needs_a_closure() -> None:
    assert isinstance(both(lambda t: t.optim.LBFGS([t.ones(1)]).step()), TypeError)

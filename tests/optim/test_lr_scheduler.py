"""Schedules give PyTorch's rates, epoch by epoch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.oracle import both

Make = Callable[[Any, Any], Any]  # (torch's lr_scheduler, optimizer) -> scheduler

SCHEDULES: dict[str, Make] = {
    "StepLR": lambda s, o: s.StepLR(o, 7, 0.6),
    "StepLR default": lambda s, o: s.StepLR(o, step_size=20),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [3, 9, 9, 40], gamma=0.5),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.25, total_iters=8),
    "LinearLR": lambda s, o: s.LinearLR(o, start_factor=0.1, end_factor=0.8, total_iters=30),
    "LinearLR default": lambda s, o: s.LinearLR(o),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.93),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=25, power=1.7),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=11, eta_min=0.003),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 2, eta_min=0.001),
    "CosineAnnealingWarmRestarts equal": lambda s, o: s.CosineAnnealingWarmRestarts(o, 6),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 1 / (1 + epoch)),
    "LambdaLR list": lambda s, o: s.LambdaLR(o, [lambda epoch: 0.9**epoch, lambda epoch: 1 / (2 + epoch)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.97 if epoch % 2 else 1.0),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=61),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(
        o, [0.5, 0.2], epochs=7, steps_per_epoch=9, anneal_strategy="linear"
    ),
    "OneCycleLR three": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=61, three_phase=True, pct_start=0.2),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.3, step_size_up=7, step_size_down=5),
    "CyclicLR 2": lambda s, o: s.CyclicLR(o, [0.01, 0.02], 0.3, step_size_up=6, mode="triangular2"),
    "CyclicLR exp": lambda s, o: s.CyclicLR(o, 0.01, 0.3, step_size_up=6, mode="exp_range", gamma=0.99),
    "CyclicLR own": lambda s, o: s.CyclicLR(
        o, 0.01, 0.3, step_size_up=6, scale_fn=lambda x: 1 / x, cycle_momentum=False
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.9), s.StepLR(o, 4)], milestones=[6, 30]
    ),
    "warm-up and cosine": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.01, total_iters=5), s.CosineAnnealingLR(o, 50)], milestones=[5]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.9)]),
}


def optimizer_of(t: Any, name: str = "SGD") -> Any:
    groups = [{"params": [t.ones(1, requires_grad=True)]}, {"params": [t.ones(2, requires_grad=True)], "lr": 0.05}]
    return t.optim.SGD(groups, lr=0.1, momentum=0.9) if name == "SGD" else t.optim.Adam(groups, lr=0.1)


def rates(t: Any, make: Make, epochs: int, name: str = "SGD") -> tuple[Any, Any, list]:
    optimizer = optimizer_of(t, name)
    scheduler = make(t.optim.lr_scheduler, optimizer)
    seen = [list(scheduler.get_last_lr())]
    for _ in range(epochs):
        optimizer.step()
        scheduler.step()
        momentum = [group.get("momentum", group.get("betas")) for group in optimizer.param_groups]
        seen.append([*scheduler.get_last_lr(), *(group["lr"] for group in optimizer.param_groups), *momentum])
    return optimizer, scheduler, seen


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("rule", ["SGD", "Adam"])
def test_sixty_epochs_have_torchs_rates(name: str, rule: str) -> None:
    both(lambda t: rates(t, SCHEDULES[name], 60, rule)[2], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_saved_state_is_torchs(name: str) -> None:
    def program(t: Any) -> Any:
        _, scheduler, _ = rates(t, SCHEDULES[name], 13)
        return scheduler.state_dict()

    both(program, rtol=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_on_from_a_saved_state(name: str) -> None:
    def program(t: Any) -> Any:
        optimizer, scheduler, _ = rates(t, SCHEDULES[name], 8)
        state = scheduler.state_dict()
        fresh = optimizer_of(t)
        second = SCHEDULES[name](t.optim.lr_scheduler, fresh)
        second.load_state_dict(state)
        fresh.load_state_dict(optimizer.state_dict())
        seen = []
        for _ in range(20):
            fresh.step()
            second.step()
            seen.append(list(second.get_last_lr()))
        return seen

    both(program, rtol=1e-12)


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "CosineAnnealingLR", "LinearLR", "ExponentialLR"])
def test_an_epoch_may_be_named(name: str) -> None:
    def program(t: Any) -> Any:
        optimizer = optimizer_of(t)
        scheduler = SCHEDULES[name](t.optim.lr_scheduler, optimizer)
        seen = []
        for epoch in (0, 5, 9, 2, 40):
            optimizer.step()
            scheduler.step(epoch)
            seen.append(list(scheduler.get_last_lr()))
        return seen

    both(program, rtol=1e-12, ignore_warnings=True)


def test_warm_restarts_take_fractions_of_epochs() -> None:
    def program(t: Any) -> Any:
        scheduler = t.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer_of(t), 4, 2)
        seen = []
        for epoch in (0, 0.5, 1.25, 4.0, 7.5, 12, 13.5, 3):
            scheduler.step(epoch)
            seen.append([*scheduler.get_last_lr(), scheduler.last_epoch])
        return seen

    both(program, rtol=1e-12)


@pytest.mark.parametrize("last_epoch", [0, 4, 12])
@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "ExponentialLR", "LinearLR", "MultiStepLR"])
def test_a_schedule_may_begin_late(name: str, last_epoch: int) -> None:
    late = {
        "StepLR": lambda s, o: s.StepLR(o, 7, 0.6, last_epoch=last_epoch),
        "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 11, last_epoch=last_epoch),
        "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9, last_epoch=last_epoch),
        "LinearLR": lambda s, o: s.LinearLR(o, total_iters=9, last_epoch=last_epoch),
        "MultiStepLR": lambda s, o: s.MultiStepLR(o, [5, 13], last_epoch=last_epoch),
    }[name]

    def program(t: Any) -> Any:
        optimizer = optimizer_of(t)
        for group in optimizer.param_groups:
            group["initial_lr"] = 0.4
        scheduler = late(t.optim.lr_scheduler, optimizer)
        seen = [list(scheduler.get_last_lr())]
        for _ in range(6):
            optimizer.step()
            scheduler.step()
            seen.append(list(scheduler.get_last_lr()))
        return seen

    both(program, rtol=1e-12)
    assert isinstance(both(lambda t: late(t.optim.lr_scheduler, optimizer_of(t))), KeyError)


PLATEAU: list[dict[str, Any]] = [
    {},
    {"patience": 2, "factor": 0.5},
    {"mode": "max", "patience": 1, "threshold": 0.1},
    {"threshold_mode": "abs", "threshold": 0.05, "patience": 0, "cooldown": 3},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "patience": 1},
    {"patience": 0, "min_lr": [0.02, 0.01], "factor": 0.3},
    {"patience": 0, "eps": 0.02},
]


@pytest.mark.parametrize("options", PLATEAU)
def test_a_plateau_lowers_the_rates_as_in_torch(options: dict) -> None:
    metrics = [1.0, 0.8, 0.81, 0.79, 0.79, 0.79, 0.7, 0.71, 0.72, 0.73, 0.9, 0.2, 0.2, float("nan"), 0.3] * 2

    def program(t: Any) -> Any:
        optimizer = optimizer_of(t)
        scheduler = t.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        seen = []
        for step, metric in enumerate(metrics):
            scheduler.step(t.tensor(metric) if step % 2 else metric)
            seen.append([*scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.in_cooldown])
        return [seen, scheduler.state_dict()]

    both(program, rtol=1e-9)


def warned(program: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        program()
    return [str(w.message)[:60] for w in seen if w.category is UserWarning]


def test_the_wrong_order_of_steps_is_warned_about_once() -> None:
    def program(t: Any) -> Any:
        optimizer = optimizer_of(t)
        optimizer.step()  # before the schedule exists: does not count
        scheduler = t.optim.lr_scheduler.StepLR(optimizer, 2)
        first = warned(scheduler.step)
        optimizer.step()
        return [first, warned(scheduler.step)]

    assert both(program)[0]


def test_other_misuse_is_warned_about() -> None:
    def program(t: Any) -> Any:
        optimizer = optimizer_of(t)
        scheduler = t.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.step()
        seen = [warned(scheduler.get_lr), warned(lambda: scheduler.step(3))]
        optimizer = optimizer_of(t)
        scheduler = t.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.step = lambda: None
        return [*seen, warned(scheduler.step)]

    assert all(both(program))


def test_a_rate_that_is_a_tensor_stays_the_same_tensor() -> None:
    def program(t: Any) -> Any:
        rate = t.tensor(0.5)
        optimizer = t.optim.SGD([t.ones(1)], lr=rate)
        scheduler = t.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.step()
        scheduler.step()
        return [rate, optimizer.param_groups[0]["lr"] is rate, scheduler.get_last_lr(), scheduler.base_lrs]

    both(program)


def test_a_schedule_of_ones_own_needs_only_get_lr() -> None:
    def program(t: Any) -> Any:
        class Halving(t.optim.lr_scheduler.LRScheduler):
            def get_lr(self) -> list:
                return [base * 0.5**self.last_epoch for base in self.base_lrs]

        return rates(t, lambda s, o: Halving(o), 4)[2]

    both(program)


BAD: list[Make] = [
    lambda s, o: s.StepLR([], 1),
    lambda s, o: s.ReduceLROnPlateau(o, factor=1.5),
    lambda s, o: s.ReduceLROnPlateau(o, mode="least"),
    lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="least"),
    lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    lambda s, o: s.LambdaLR(o, [lambda epoch: 1]),
    lambda s, o: s.MultiplicativeLR(o, 3),
    lambda s, o: s.ConstantLR(o, 2.0),
    lambda s, o: s.LinearLR(o, start_factor=0),
    lambda s, o: s.LinearLR(o, end_factor=1.5),
    lambda s, o: s.OneCycleLR(o, 0.1),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=-1),
    lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=2),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, pct_start=2.0),
    lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="steep"),
    lambda s, o: s.OneCycleLR(o, [0.1], total_steps=5),
    lambda s, o: [scheduler.step() for scheduler in [s.OneCycleLR(o, 0.1, total_steps=2)] * 4],
    lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="odd"),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 0),
    lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    lambda s, o: s.SequentialLR(o, [], []),
    lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]),
    lambda s, o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []),
    lambda s, o: s.SequentialLR(o, [3], []),
    lambda s, o: s.ChainedScheduler([]),
    lambda s, o: s.LRScheduler(o),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_torch_refuses_is_refused_with_the_same_exception(number: int) -> None:
    error = both(lambda t: BAD[number](t.optim.lr_scheduler, optimizer_of(t)), ignore_warnings=True)
    assert isinstance(error, Exception)

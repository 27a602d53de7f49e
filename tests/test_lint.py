"""Lints for learners: each trap is named once on stderr, and nothing else is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest

import tinygrad_edu as t
from tinygrad_edu import _lint, nn
from tinygrad_edu.nn import functional as F


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """Lint while the test runs; calling it gives what has been said since the last call."""
    with t.lint():
        yield lambda: [line for line in capsys.readouterr().err.splitlines() if line.startswith("lint: ")]


def train(steps: int, *, zero: Callable[[nn.Module, t.optim.Optimizer], None]) -> None:
    net = nn.Linear(2, 1)
    optimizer = t.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        zero(net, optimizer)
        net(t.ones(3, 2)).sum().backward()
        optimizer.step()


# --- off by default ---------------------------------------------------------------------------------------------------


def test_lints_are_off_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert not _lint.on
    F.cross_entropy(F.softmax(t.zeros(2, 3, requires_grad=True), dim=1), t.tensor([0, 1]))
    train(3, zero=lambda net, optimizer: None)
    assert capsys.readouterr().err == ""


def test_lints_end_with_the_block_or_the_handle() -> None:
    with t.lint():
        assert _lint.on
        inner = t.lint()
        inner.close()
        inner.close()
        assert _lint.on
    assert not _lint.on


# --- softmax before cross_entropy -------------------------------------------------------------------------------------


def test_softmax_before_cross_entropy_is_named_with_its_floor(said: Callable[[], list[str]]) -> None:
    scores = t.zeros(2, 3, requires_grad=True)
    nn.CrossEntropyLoss()(nn.Softmax(dim=1)(scores), t.tensor([0, 1]))
    (line,) = said()
    assert "test_lint.py" in line
    assert "made by softmax" in line
    assert "0.5514" in line


def test_the_floor_is_right() -> None:
    scores = t.tensor([[1e4, 0.0, 0.0]])
    assert F.cross_entropy(F.softmax(scores, dim=1), t.tensor([0])).item() == pytest.approx(0.5514, abs=5e-5)
    assert math.log(1 + 2 / math.e) == pytest.approx(0.5514, abs=5e-5)


def test_softmax_is_found_behind_a_view(said: Callable[[], list[str]]) -> None:
    scores = t.zeros(2, 2, 3, requires_grad=True)
    F.cross_entropy(F.softmax(scores, dim=-1).view(4, 3), t.tensor([0, 1, 2, 0]))
    assert len(said()) == 1


def test_softmax_is_named_once_for_each_line(said: Callable[[], list[str]]) -> None:
    for _ in range(3):
        F.cross_entropy(t.zeros(2, 3, requires_grad=True).softmax(1), t.tensor([0, 1]))
    F.cross_entropy(t.zeros(2, 3, requires_grad=True).softmax(1), t.tensor([0, 1]))
    assert len(said()) == 2


def test_scores_and_log_softmax_are_fine(said: Callable[[], list[str]]) -> None:
    scores = t.zeros(2, 3, requires_grad=True)
    F.cross_entropy(scores, t.tensor([0, 1]))
    F.nll_loss(F.log_softmax(scores, dim=1), t.tensor([0, 1]))
    F.cross_entropy(nn.Linear(3, 3)(F.softmax(scores, dim=1)), t.tensor([0, 1]))
    assert said() == []


# --- (N,) against (N, 1) ----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss()], ids=repr)
def test_broadcasting_in_a_loss_is_named_with_its_cure(loss: nn.Module, said: Callable[[], list[str]]) -> None:
    loss(t.zeros(5, 1), t.zeros(5))
    (line,) = said()
    assert "(5, 1) against target (5,) broadcasts to (5, 5)" in line
    assert "target.unsqueeze(-1) or input.squeeze(-1)" in line


def test_equal_shapes_are_fine(said: Callable[[], list[str]]) -> None:
    nn.MSELoss()(t.zeros(5, 1), t.zeros(5, 1))
    nn.L1Loss()(t.zeros(5), t.zeros(5))
    assert said() == []


# --- steps without zero_grad ------------------------------------------------------------------------------------------


def test_a_second_step_without_zero_grad_is_named_once(said: Callable[[], list[str]]) -> None:
    train(1, zero=lambda net, optimizer: None)
    assert said() == []
    train(4, zero=lambda net, optimizer: None)
    (line,) = said()
    assert "SGD.step() for the second time without zero_grad()" in line
    assert "optimizer.zero_grad()" in line


def clear_to_none(net: nn.Module, optimizer: t.optim.Optimizer) -> None:
    for parameter in net.parameters():
        parameter.grad = None


def clear_in_place(net: nn.Module, optimizer: t.optim.Optimizer) -> None:
    for parameter in net.parameters():
        if parameter.grad is not None:
            parameter.grad.zero_()


@pytest.mark.parametrize(
    "zero",
    [
        lambda net, optimizer: optimizer.zero_grad(),
        lambda net, optimizer: optimizer.zero_grad(set_to_none=False),
        lambda net, optimizer: net.zero_grad(),
        clear_to_none,
        clear_in_place,
    ],
    ids=["optimizer", "in place", "module", "None", "zero_"],
)
def test_every_way_of_clearing_is_fine(zero: Callable[..., None], said: Callable[[], list[str]]) -> None:
    train(4, zero=zero)
    assert said() == []


def test_adding_up_gradients_of_several_batches_on_purpose_is_fine(said: Callable[[], list[str]]) -> None:
    net = nn.Linear(2, 1)
    optimizer = t.optim.Adam(net.parameters())
    for batch in range(8):
        net(t.ones(3, 2)).sum().backward()
        if batch % 2:
            optimizer.step()
            optimizer.zero_grad()
    assert said() == []


def test_two_optimizers_taking_turns_are_fine(said: Callable[[], list[str]]) -> None:
    maker, judge = nn.Linear(2, 2), nn.Linear(2, 1)
    of_maker, of_judge = t.optim.Adam(maker.parameters()), t.optim.Adam(judge.parameters())
    for _ in range(4):
        of_judge.zero_grad()
        judge(maker(t.ones(3, 2)).detach()).sum().backward()
        of_judge.step()
        of_maker.zero_grad()
        judge(maker(t.ones(3, 2))).sum().backward()  # fills the judge's gradients too; they are cleared above
        of_maker.step()
    assert said() == []


def test_lbfgs_with_its_closure_is_fine(said: Callable[[], list[str]]) -> None:
    net = nn.Linear(2, 1)
    optimizer = t.optim.LBFGS(net.parameters(), max_iter=3)

    def closure() -> t.Tensor:
        optimizer.zero_grad()
        loss = ((net(t.ones(3, 2)) - 1) ** 2).mean()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert said() == []


# --- graphs that grow -------------------------------------------------------------------------------------------------


def losses(steps: int) -> Iterator[t.Tensor]:
    net = nn.Linear(2, 1)
    optimizer = t.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (net(t.ones(3, 2)) ** 2).mean()
        loss.backward()
        optimizer.step()
        yield loss


def test_a_sum_of_losses_is_named_with_the_variable(said: Callable[[], list[str]]) -> None:
    net = nn.Linear(2, 1)
    total_loss = t.zeros(())
    for _ in range(20):
        loss = (net(t.ones(3, 2)) ** 2).mean()
        loss.backward()
        total_loss += loss
    lines = said()
    assert len(lines) == 1
    assert "the graph grows" in lines[0]
    assert "'total_loss'" in lines[0]
    assert "loss.item()" in lines[0]


def test_growth_is_seen_beside_a_large_graph_that_stays(said: Callable[[], list[str]]) -> None:
    large = t.ones(1, requires_grad=True)
    for _ in range(5000):
        large = large + 1
    kept = list(losses(20))
    assert len(kept) == 20
    assert len(said()) == 1
    assert large.requires_grad


def test_a_list_of_losses_is_named(said: Callable[[], list[str]]) -> None:
    kept = list(losses(20))
    assert len(kept) == 20
    assert len(said()) == 1


def test_adding_up_numbers_is_fine(said: Callable[[], list[str]]) -> None:
    assert sum(loss.item() for loss in losses(30)) > 0
    assert len([loss.detach() for loss in losses(30)]) == 30
    assert said() == []


# --- layers in a plain list -------------------------------------------------------------------------------------------


class Hidden(nn.Module):
    def __init__(self, layers: object) -> None:
        super().__init__()
        self.layers = layers
        self.out = nn.Linear(2, 1)


@pytest.mark.parametrize(
    ("layers", "kind", "cure"),
    [
        ([nn.Linear(2, 2), nn.ReLU()], "list", "nn.ModuleList"),
        ((nn.Linear(2, 2), nn.ReLU()), "tuple", "nn.ModuleList"),
        ({"a": nn.Linear(2, 2), "b": nn.ReLU()}, "dict", "nn.ModuleDict"),
        ([[nn.Linear(2, 2)], [nn.ReLU()]], "list", "nn.ModuleList"),
    ],
    ids=["list", "tuple", "dict", "nested"],
)
def test_layers_in_a_plain_container_are_named(
    layers: object, kind: str, cure: str, said: Callable[[], list[str]]
) -> None:
    net = nn.Sequential(Hidden(layers))
    list(net.parameters())
    list(net.parameters())
    (line,) = said()
    assert f"Hidden.layers is a plain {kind} that holds 2 layers (Linear, ReLU)" in line
    assert f"self.layers = {cure}(...)" in line


def test_a_list_of_registered_layers_is_fine(said: Callable[[], list[str]]) -> None:
    net = Hidden([1, "two"])
    net.both = [net.out]
    list(net.parameters())
    list(Hidden(nn.ModuleList([nn.Linear(2, 2)])).parameters())
    assert said() == []


def test_a_misspelt_init_is_named(said: Callable[[], list[str]]) -> None:
    class Net(nn.Module):
        def _init_(self) -> None:
            self.fc = nn.Linear(2, 2)

    list(Net().parameters())
    (line,) = said()
    assert "Net defines '_init_'" in line

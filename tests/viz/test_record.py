"""record: what a tape holds, that it is right, and that recording changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_edu as t
from tinygrad_edu import nn, viz
from tinygrad_edu._core import engine
from tinygrad_edu._core.memory import memory
from tinygrad_edu._core.modes import state
from tinygrad_edu._core.op import Binary, Op, Unary
from tinygrad_edu.viz._graph import Diagram, Kind, Vertex, read
from tinygrad_edu.viz._record import Tape, record


def leaf(*values: float) -> t.Tensor:
    return t.tensor(list(values), requires_grad=True)


def numbers(array: np.ndarray | None) -> Any:
    return None if array is None else array.tolist()


def the(diagram: Diagram, name: str) -> Vertex:
    (found,) = [vertex for vertex in diagram.vertices if vertex.name == name]
    return found


# --- what is kept


def test_values_and_gradients_of_everything_are_kept() -> None:
    w, x = leaf(1.0, 2.0), t.tensor([3.0, 4.0])
    with viz.record() as tape:
        loss = (w * x).exp().log().sum()
        loss.backward()
    diagram = tape.diagram(loss)
    assert [(v.name, numbers(v.value)) for v in diagram.vertices[:3]] == [
        ("w", [1.0, 2.0]),
        ("x", [3.0, 4.0]),
        ("mul", [3.0, 8.0]),
    ]
    assert numbers(the(diagram, "mul").grad) == [1.0, 1.0]
    assert numbers(the(diagram, "w").grad) == w.grad.tolist() == [3.0, 4.0]
    assert numbers(the(diagram, "x").grad) is None
    assert diagram.output == the(diagram, "sum").id


def test_the_line_and_the_layer_of_each_op_are_kept() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    with viz.record() as tape:
        out = net(t.ones(1, 2))
    tanh = the(tape.diagram(out, model=net), "tanh")
    assert tanh.source is not None
    assert (tanh.source.file, tanh.source.text) == ("test_record.py", "out = net(t.ones(1, 2))")
    assert [(place.name, place.module) for place in tanh.places] == [("Sequential", "Sequential"), ("1", "Tanh")]


def test_the_callers_names_come_before_the_models_and_the_variables() -> None:
    net = nn.Linear(1, 1)
    with viz.record() as tape:
        out = net(t.ones(1, 1)).sum()
        out.backward()
    assert {v.name for v in tape.diagram(out).vertices} >= {"net.weight", "net.bias"}
    assert {v.name for v in tape.diagram(out, model=net).vertices} >= {"weight", "bias"}
    assert {v.name for v in tape.diagram(out, model=net, names={"slope": net.weight}).vertices} >= {"slope", "bias"}


def test_copies_are_kept_so_that_later_writes_do_not_show() -> None:
    x = leaf(1.0, 2.0)
    with viz.record() as tape:
        h = x * 1
        loss = h.sum()
        loss.backward()
        with t.no_grad():
            h.mul_(100)
            x.zero_()
            x.grad.zero_()
    diagram = tape.diagram(loss)
    assert [numbers(v.value) for v in diagram.vertices if v.name in ("x", "mul")] == [[1.0, 2.0], [1.0, 2.0]]
    assert numbers(the(diagram, "x").grad) == [1.0, 1.0]


def test_a_tensor_used_twice_has_two_edges_and_one_vertex() -> None:
    x, d = leaf(3.0), t.tensor([2.0])
    with viz.record() as tape:
        y = x * x + d * d
    diagram = tape.diagram(y)
    assert len(diagram) == 5
    assert [(edge.number, edge.flows) for edge in diagram.out_of(diagram.vertices[0].id)] == [(0, True), (1, True)]
    assert [(edge.number, edge.flows) for edge in diagram.out_of(diagram.vertices[2].id)] == [(0, False), (1, False)]


def test_a_result_written_in_place_is_the_next_version() -> None:
    x = leaf(1.0, 2.0)
    with viz.record() as tape:
        y = x * 2
        y.add_(1)
        z = y.exp()
    add = the(tape.diagram(z), "add")
    assert (add.version, numbers(add.value)) == (1, [3.0, 5.0])
    assert [edge.source for edge in tape.diagram(z).into(the(tape.diagram(z), "exp").id)] == [add.id]


def test_a_write_into_a_view_shows_in_the_base() -> None:
    x = leaf(1.0, 2.0)
    with viz.record() as tape:
        y = x * 1
        y[0].mul_(10)
        loss = y.sum()
        loss.backward()
    splice = the(tape.diagram(loss), "write into a view")
    assert numbers(splice.value) == [10.0, 2.0]
    assert splice.version == 1
    assert x.grad.tolist() == numbers(the(tape.diagram(loss), "x").grad) == [10.0, 1.0]


def test_data_written_without_a_graph_is_an_op_of_its_own() -> None:
    d = t.tensor([1.0, 2.0])
    with viz.record() as tape:
        before = d + 0
        d.add_(1)
        d *= 3
        after = d + 0
        out = before + after
    diagram = tape.diagram(out)
    assert [(v.name, v.version, numbers(v.value)) for v in diagram.ops()] == [
        ("add", 0, [1.0, 2.0]),
        ("add", 1, [2.0, 3.0]),
        ("mul", 2, [6.0, 9.0]),
        ("add", 0, [6.0, 9.0]),
        ("add", 0, [7.0, 11.0]),
    ]


@pytest.mark.parametrize(
    ("cut", "name"),
    [
        (lambda x: x.detach(), "detach"),
        (lambda x: x.data, "data"),
        (lambda x: x.argmax(), "argmax"),
        (lambda x: x.long(), "a cast to an integer or bool dtype"),
        (lambda x: x > 0, "gt"),
        (t.no_grad()(lambda x: x * 2), "no_grad"),
    ],
)
def test_where_the_flow_ends_the_cut_is_named(cut: Callable[[t.Tensor], t.Tensor], name: str) -> None:
    x = leaf(1.0, 2.0)
    with viz.record() as tape:
        out = cut(x.exp()) + t.zeros(2)
    diagram = tape.diagram(out)
    (ended,) = [v for v in diagram.vertices if v.cut]
    assert ended.cut == name
    (edge, *_) = diagram.into(ended.id)
    assert (diagram[edge.source].name, edge.flows) == ("exp", False)
    assert numbers(ended.value) is not None


def test_numbers_that_come_back_are_known_again() -> None:
    x = leaf(1.25, 2.5)
    with viz.record() as tape:
        y = x * 2
        scaled = y * y.sum().item()
        rebuilt = y + t.tensor(y.tolist())
        detour = y + t.from_numpy(np.sqrt(y.detach().numpy())) + t.from_numpy(y.detach().numpy()[:])
    assert [v.cut for v in tape.diagram(scaled).vertices if v.cut] == ["item"]
    assert [v.cut for v in tape.diagram(rebuilt).vertices if v.cut] == ["item"]
    assert sorted(str(v.cut) for v in tape.diagram(detour).vertices if v.cut) == ["detach", "numpy"]


def test_numbers_that_anything_may_hold_are_not_taken_for_a_detour() -> None:
    x = leaf(1.0)
    with viz.record() as tape:
        x.item()
        out = x * t.tensor([1.0])
    assert not any(v.cut for v in tape.diagram(out).vertices)


def test_a_function_of_the_users_is_a_step_with_its_result() -> None:
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: t.Tensor) -> t.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: t.Tensor) -> t.Tensor:
            return g * 2

    x = leaf(1.0)
    with viz.record() as tape:
        loss = Double.apply(x).sum()
        loss.backward()
    step = the(tape.diagram(loss), "Double")
    assert (step.step, numbers(step.value), numbers(step.grad)) == ("DoubleBackward", [2.0], [1.0])


def test_what_was_made_before_the_block_is_shown_as_far_as_it_is_kept() -> None:
    x = leaf(1.0, 2.0)
    before = x.exp().log()
    with viz.record() as tape:
        loss = before.sum()
    diagram = tape.diagram(loss)
    assert [v.name for v in diagram.vertices] == ["leaf", "exp", "log", "sum"]
    assert [v.value is None for v in diagram.vertices] == [
        False,
        False,
        False,
        False,
    ]  # exp keeps its result, log's was met


def test_without_an_output_the_last_backward_is_meant() -> None:
    x = leaf(1.0)
    with viz.record() as tape:
        (x * 2).sum().backward()
        (x * 3).exp().sum().backward()
        x.log()
    assert [v.name for v in tape.diagram().ops()] == ["mul", "exp", "sum"]
    assert len(tape.walks) == tape.backwards == 2


def test_a_tape_without_operations_has_no_graph() -> None:
    with viz.record() as tape:
        pass
    with pytest.raises(ValueError, match=r"no operation ran inside viz\.record\(\)"):
        tape.diagram()
    with pytest.raises(ValueError, match="none of the tensors it was computed from requires grad"):
        tape.diagram(t.zeros(1))


# --- the walks


def test_a_walk_holds_every_step_with_its_shares() -> None:
    x, d = leaf(1.0, 2.0), t.tensor([5.0, 6.0])
    with viz.record() as tape:
        loss = ((x * x) * d).sum()
        loss.backward()
    (walk,) = tape.walks
    assert [(step.node.name(), numbers(step.g), [numbers(s) for s in step.shares]) for step in walk] == [
        ("SumBackward0", 1.0, [[1.0, 1.0]]),
        ("MulBackward0", [1.0, 1.0], [[5.0, 6.0], None]),
        ("MulBackward0", [5.0, 6.0], [[5.0, 12.0], [5.0, 12.0]]),
        ("torch::autograd::AccumulateGrad", [10.0, 24.0], []),
    ]
    assert walk.source is not None
    assert walk.source.text == "loss.backward()"


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "pick", [lambda x: x[[2, 0, 1]], lambda x: x[1:], lambda x: x.take(t.tensor([2, 2])), lambda x: t.diag(x.diag())]
)
def test_a_share_poured_into_a_part_has_the_arguments_shape(
    pick: Callable[[t.Tensor], t.Tensor], create_graph: bool
) -> None:
    x = t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], requires_grad=True)
    with viz.record() as tape:
        (pick(x) ** 2).sum().backward(create_graph=create_graph)
    arrived = {id(step.node): np.zeros(step.g.shape) for step in tape.walks[0]}
    for step in tape.walks[0]:
        for edge, share in zip(step.node.edges, step.shares, strict=False):
            if share is not None:
                arrived[id(edge)] += share
    for step in list(tape.walks[0])[1:]:
        assert np.array_equal(arrived[id(step.node)], step.g)


def test_grad_is_a_walk_that_fills_nothing() -> None:
    x = leaf(2.0)
    with viz.record() as tape:
        y = (x**3).sum()
        (first,) = t.autograd.grad(y, x, create_graph=True)
        first.sum().backward()
    assert [walk.accumulates for walk in tape.walks] == [False, True]
    assert tape.backwards == 1
    assert x.grad.item() == pytest.approx(12.0)


def test_a_walk_that_raises_keeps_its_steps() -> None:
    x = leaf(2.0)
    with viz.record() as tape:
        y = (x * x).sum()
        y.backward()
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()
    assert len(tape.walks[1]) == 1
    assert "second time" in str(tape.walks[1].error)


# --- what raises


def test_the_op_that_raised_is_marked_and_what_led_to_it_is_there() -> None:
    with pytest.raises(RuntimeError), viz.record() as tape:  # noqa: PT012  # the block is what is tested
        h = t.ones(2, 3) @ leaf(1.0, 2.0, 3.0)
        h @ t.ones(3, 3)
    diagram = tape.diagram()
    failed = diagram[diagram.output]
    assert (failed.kind, failed.value, failed.error) == (Kind.OP, None, tape.error)
    assert str(tape.error).startswith("RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x2 and 3x3)")
    assert [v.error is None for v in diagram.ops()] == [True, False]


def test_an_error_that_was_caught_is_not_the_end() -> None:
    x = leaf(1.0, 2.0)
    with viz.record() as tape:
        (x * 2).sum().backward()
        with pytest.raises(RuntimeError):
            x @ t.ones(3)
    assert [v.name for v in tape.diagram().ops()] == ["mul", "sum"]


def test_an_error_of_the_users_own_shows_what_ran_since_the_last_backward() -> None:
    x = leaf(1.0, 2.0)
    with pytest.raises(ZeroDivisionError), viz.record() as tape:  # noqa: PT012  # the block is what is tested
        (x * 2).sum().backward()
        x.exp()
        x.sin()
        1 / 0
    assert [v.name for v in tape.diagram().ops()] == ["exp", "sin"]
    with pytest.raises(ZeroDivisionError), viz.record() as tape:  # noqa: PT012  # as above
        (x * 2).sum().backward()
        1 / 0
    assert [v.name for v in tape.diagram().ops()] == ["mul", "sum"]


# --- recording changes nothing


def hooks() -> list[Any]:
    methods = [vars(t.Tensor)[n] for n in ("detach", "data", "item", "numpy", "_write", "_in_place", "__float__")]
    return [engine.walk, memory.trace, state.watch, Op.__call__, Unary.__call__, Binary.__call__, *methods]


def test_after_the_block_nothing_of_it_is_left() -> None:
    before = hooks()
    with viz.record():
        assert all(old is not new for old, new in zip(before, hooks(), strict=True) if old is not None)
    assert hooks() == before
    with pytest.raises(ZeroDivisionError), viz.record():
        1 / 0
    assert hooks() == before
    with viz.record(nth=1):
        (leaf(1.0) * 2).sum().backward()
        assert hooks() == before
    assert hooks() == before


def test_two_recordings_at_once_are_refused() -> None:
    with viz.record(), pytest.raises(RuntimeError, match="A recording is running already"):
        viz.record().__enter__()
    with pytest.raises(ValueError, match="counts the calls of backward"):
        viz.record(nth=0)


def test_only_the_recording_thread_is_seen() -> None:
    x = leaf(1.0)
    with viz.record() as tape:
        other = threading.Thread(target=lambda: (x * 2).sum().backward())
        other.start()
        other.join()
    assert (tape.ops, tape.walks) == ([], [])
    assert x.grad.item() == 2.0


def test_vmap_runs_as_ever_inside() -> None:
    x = t.ones(3, 2)
    with viz.record():
        assert t.func.vmap(lambda row: (row * 2).sum())(x).tolist() == [4.0, 4.0, 4.0]
        assert t.func.vmap(t.func.grad(lambda row: (row * row).sum()))(x).tolist() == (2 * x).tolist()


def test_a_training_step_gives_the_same_weights_recorded() -> None:
    def train() -> list[Any]:
        t.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
        adam = t.optim.Adam(net.parameters(), lr=0.1)
        for _ in range(3):
            adam.zero_grad()
            loss = nn.functional.cross_entropy(net(t.randn(4, 1, 6, 6)), t.tensor([0, 1, 2, 0]))
            loss.backward()
            adam.step()
        return [value.tolist() for value in net.state_dict().values()]

    plain = train()
    with viz.record() as tape:
        assert train() == plain
    assert tape.backwards == 3


def test_tensors_die_while_their_tape_lives() -> None:
    from weakref import ref

    with viz.record() as tape:
        x = t.ones(3)
        gone = ref(x * 2)
    assert gone() is None
    assert isinstance(tape, Tape)
    assert len(tape.ops) == 1
    assert record._running is None


def test_the_reader_without_a_tape_shows_the_same_structure() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with viz.record() as tape:
        loss = net(t.ones(4, 2)).pow(2).sum()
    plain, full = read(loss, model=net), tape.diagram(loss, model=net)

    def shown(diagram: Diagram) -> list[tuple[Any, ...]]:
        flowing = [e for e in diagram.edges if e.flows]
        return [(diagram[e.source].name, diagram[e.target].name, e.number, e.argument) for e in flowing]

    assert shown(plain) == shown(full)


def test_an_op_that_calls_itself_with_operands_of_one_dtype_is_one_op() -> None:
    x, whole = leaf(1.0, 2.0), t.tensor([3, 4])
    with viz.record() as tape:
        out = x * whole
    assert [ran.op.name for ran in tape.ops] == ["to", "mul"]
    assert [v.name for v in tape.diagram(out).vertices] == ["leaf", "data", "to", "mul"]
    with pytest.raises(RuntimeError), viz.record() as tape:
        x * t.tensor([3, 4, 5])
    assert [(ran.op.name, ran.error is None) for ran in tape.ops] == [("to", True), ("mul", False)]


def test_a_very_long_program_is_recorded_and_read_without_recursion() -> None:
    y = x = leaf(1.0)
    with viz.record() as tape:
        for _ in range(5000):
            y = y + x
        y.sum().backward()
    assert len(tape.diagram()) == 5002
    assert numbers(tape.diagram().vertices[0].grad) == [5001.0]

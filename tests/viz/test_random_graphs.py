"""Random programs: the diagram holds what the program itself counts, reading changes nothing, and the same program gives the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, reject
from hypothesis import strategies as st

import tinygrad_edu as t
from tinygrad_edu import viz
from tinygrad_edu._core.engine import newest_first
from tinygrad_edu.viz._graph import Diagram, Kind, read

UNARY = ("tanh", "sin", "neg", "clone", "detach", "half_of")
BINARY = ("add", "mul", "sub")
WRITES = ("add_", "mul_")
INSTRUCTIONS = st.lists(
    st.tuples(st.sampled_from((*UNARY, *BINARY, *WRITES, "cat", "unrecorded")), st.integers(0, 99), st.integers(0, 99)),
    max_size=12,
)


def play(instructions: list[tuple[str, int, int]]) -> tuple[list[t.Tensor], t.Tensor, list[Any]]:
    """Run a program; return its leaves, its result, and the account of all values as [name, sources, wanted]."""
    leaves = [t.tensor([0.5, -1.5, 2.5], requires_grad=True), t.tensor([1.25, 0.75, -0.5], requires_grad=True)]
    pool = [*leaves, t.tensor([2.0, 3.0, 4.0])]
    account: list[Any] = [["leaf", [], True], ["leaf", [], True], ["data", [], False]]

    shared: set[int] = set()  # the same memory under two names, which is not written here

    def count(name: str, sources: list[Any], wanted: bool | None = None) -> Any:
        return [name, sources, any(s[2] for s in sources) if wanted is None else wanted]

    for name, i, j in instructions:
        i, j = i % len(pool), j % len(pool)
        x, y, a, b = pool[i], pool[j], account[i], account[j]
        if name == "half_of":
            made, counted = x * 0.5, count("mul", [a, count("number", [])])
        elif name == "detach":
            made, counted = x.detach(), count("detach", [a], False) if a[2] else a
            shared |= {i, len(pool)}
        elif name in UNARY:
            made, counted = getattr(t, name)(x), count(name, [a])
        elif name in BINARY:
            made, counted = getattr(t, name)(x, y), count(name, [a, b])
        elif name == "cat":
            joined = count("cat", [a, b, a])
            made, counted = t.cat([x, y, x]).reshape(3, 3).sum(0), count("sum", [count("reshape", [joined])])
        elif name == "unrecorded":
            with t.no_grad():
                made = x * y
            counted = count("mul", [a, b], False)
        elif i > 2 and i not in shared:
            getattr(x, name)(y)  # a write: the variable stands for a new value from now on
            account[i] = count(name[:-1], [a, b])
            continue
        else:
            continue
        pool.append(made)
        account.append(counted)
    loss, counted = pool[0].sum(), count("total", [account[0]])
    for value, its in zip(pool[1:], account[1:], strict=True):
        loss = loss + value.sum()
        counted = count("add", [counted, count("total", [its])])
    return leaves, loss, counted


def walk(loss: t.Tensor) -> None:
    """Call backward(), and let another program be drawn if one of its writes destroyed what backward needs."""
    try:
        loss.backward()
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        reject()


def behind(counted: Any) -> list[Any]:
    found: dict[int, Any] = {}
    waiting = [counted]
    while waiting:
        value = waiting.pop()
        if id(value) not in found:
            found[id(value)] = value
            waiting += value[1]
    return list(found.values())


def told(diagram: Diagram) -> tuple[Any, ...]:
    """All that a diagram says, but the identity of the engine's steps."""
    vertices = [
        (
            v.id,
            v.kind,
            v.name,
            v.shape,
            v.dtype,
            v.step,
            str(v.value),
            str(v.grad),
            str(v.settings),
            v.source,
            v.cut,
            v.version,
        )
        for v in diagram.vertices
    ]
    return vertices, diagram.edges, diagram.output


@given(INSTRUCTIONS)
def test_vertices_and_edges_are_the_ops_leaves_and_arities_of_the_program(
    instructions: list[tuple[str, int, int]],
) -> None:
    with viz.record() as tape:
        leaves, loss, counted = play(instructions)
        walk(loss)
    diagram = tape.diagram(loss)
    values = behind(counted)
    assert sorted(v.name for v in diagram.ops()) == sorted(
        v[0] for v in values if v[0] not in ("leaf", "data", "number", "detach")
    )
    assert len(diagram) == len(values)
    assert len(diagram.edges) == sum(len(v[1]) for v in values)
    assert sum(e.flows for e in diagram.edges) == sum(s[2] for v in values if v[2] for s in v[1])
    assert [numbers(v.grad) for v in diagram.vertices if v.kind is Kind.PARAMETER] == [x.grad.tolist() for x in leaves]
    assert diagram[diagram.output].value == loss.item()
    order = [v.id for v in diagram.vertices]
    assert all(order.index(e.source) < order.index(e.target) for e in diagram.edges)


def numbers(array: np.ndarray | None) -> Any:
    return None if array is None else array.tolist()


@given(INSTRUCTIONS)
def test_without_a_tape_they_are_those_that_a_gradient_reaches(instructions: list[tuple[str, int, int]]) -> None:
    _, loss, counted = play(instructions)
    diagram = read(loss)
    wanted = [v for v in behind(counted) if v[2]]
    assert sorted(v.name for v in diagram.ops()) == sorted(v[0] for v in wanted if v[0] != "leaf")
    assert sum(v.kind is Kind.PARAMETER for v in diagram.vertices) == 2
    assert sum(e.flows for e in diagram.edges) == sum(s[2] for v in wanted for s in v[1])


@given(INSTRUCTIONS)
def test_reading_changes_nothing(instructions: list[tuple[str, int, int]]) -> None:
    def state(loss: t.Tensor, leaves: list[t.Tensor]) -> list[Any]:
        nodes = newest_first([loss._current_node])
        steps = [(id(n), n.seq, id(n.saved), n.edges, n.hooks) for n in nodes]
        return [steps, [(x.grad, x._version, x.tolist()) for x in leaves]]

    with viz.record() as tape:
        leaves, loss, _ = play(instructions)
    before = state(loss, leaves)
    assert told(read(loss)) == told(read(loss))
    assert told(tape.diagram(loss)) == told(tape.diagram(loss))
    assert state(loss, leaves) == before
    walk(loss)
    plain, other, _ = play(instructions)
    walk(other)
    assert [x.grad.tolist() for x in leaves] == [x.grad.tolist() for x in plain]


@given(INSTRUCTIONS)
def test_the_same_program_gives_the_same_diagram(instructions: list[tuple[str, int, int]]) -> None:
    def once(recorded: bool) -> tuple[Any, ...]:
        if not recorded:
            return told(read(play(instructions)[1]))
        with viz.record() as tape:
            walk(play(instructions)[1])
        return told(tape.diagram())

    assert once(True) == once(True)
    assert once(False) == once(False)

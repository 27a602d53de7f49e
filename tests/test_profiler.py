"""The profiler: every op and every step is counted once, times nest, and nothing stays behind."""

import json
import threading

import pytest

import tinygrad_edu as torch
from tests.oracle import torch as real_torch
from tinygrad_edu._core import engine
from tinygrad_edu._core import op as core_op
from tinygrad_edu._core.modes import state
from tinygrad_edu.profiler import ProfilerActivity, profile, record_function


def names(prof, phase):
    return [event.name for event in prof.events() if event.phase == phase]


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Sequential(torch.nn.Tanh(), torch.nn.Linear(8, 2)))


@pytest.fixture
def prof():
    net = network()
    x = torch.ones(3, 4)
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
        net(x).sum().backward()
    return found


def test_ops_forward_and_steps_backward_are_counted(prof):
    assert names(prof, "forward") == ["linear", "tanh", "linear", "total"]
    assert names(prof, "step") == [
        "SumBackward0",
        "AddmmBackward0",
        "TanhBackward0",
        "AddmmBackward0",
        *["AccumulateGrad"] * 4,
    ]
    linear = next(a for a in prof.key_averages() if a.key == "linear")
    assert (linear.phase, linear.count) == ("forward", 2)
    assert linear.self_cpu_memory_usage == 3 * 8 * 4 + 3 * 2 * 4
    assert repr(linear).startswith("<linear (forward): 2 calls, self ")


def test_steps_have_torchs_names(prof):
    net = real_torch.nn.Sequential(real_torch.nn.Linear(4, 8), real_torch.nn.Tanh(), real_torch.nn.Linear(8, 2))
    with real_torch.profiler.profile() as theirs:
        net(real_torch.ones(3, 4)).sum().backward()
    keys = {average.key.rpartition("::")[2] for average in theirs.key_averages()}
    assert set(names(prof, "step")) <= keys


def test_times_nest(prof):
    events = prof.events()
    assert all(0 <= event.own <= event.total for event in events)
    walk = next(event for event in events if event.name == "backward")
    inside = [event for event in events if event.phase == "step"]
    assert all(walk.start <= e.start and e.start + e.total <= walk.start + walk.total for e in inside)
    assert walk.total == walk.own + sum(event.total for event in inside)
    outermost = sum(event.total for event in events if event.phase == "forward" or event is walk)
    assert sum(event.own for event in events) == outermost


def test_layers_have_their_own_time_and_that_of_those_inside(prof):
    layers = {layer.path: layer for layer in prof.module_averages()}
    assert list(layers) == [
        "Sequential",
        "Sequential.0",
        "Sequential.1",
        "Sequential.1.0",
        "Sequential.1.1",
        "(outside modules)",
    ]
    assert layers["Sequential.1"].calls == {"forward": 0, "backward": 0}
    assert layers["Sequential.1.0"].calls == {"forward": 1, "backward": 1}
    for phase in ("forward", "backward"):
        inner = layers["Sequential.1.0"].time[phase] + layers["Sequential.1.1"].time[phase]
        assert layers["Sequential.1"].time[phase] == pytest.approx(inner)
        assert inner < layers["Sequential"].time[phase]


def test_tables(prof):
    lines = prof.key_averages().table(sort_by="count", row_limit=2).splitlines()
    assert lines[0].split()[:2] == ["Name", "Phase"]
    assert len(lines) == 6
    assert lines[2].split()[0] == "AccumulateGrad"
    assert lines[-1].startswith("In ops, steps and named blocks: ")
    assert str(prof.key_averages()).count("\n") > len(lines)
    assert "[[3, 4], [8, 4], [8]]" in prof.key_averages(group_by_input_shape=True).table()
    layers = prof.module_averages().table(sort_by="forward", row_limit=1).splitlines()
    assert layers[2].split()[0] == "Sequential"
    assert str(prof.module_averages()).count("\n") == 8
    with pytest.raises(ValueError, match=r"sort_by='speed' names no column; choose one of self_cpu_time_total"):
        prof.key_averages().table(sort_by="speed")


def test_the_trace_is_chromes(prof, tmp_path):
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert len(events) == len(prof.events())
    assert {event["ph"] for event in events} == {"X"}
    assert [e["ts"] for e in events] == sorted(e["ts"] for e in events)
    first = events[0]
    assert (first["name"], first["cat"], first["args"]["module"]) == ("linear", "forward", "Sequential.0")
    assert first["args"]["shapes"] == [[3, 4], [8, 4], [8]]


def test_named_blocks_nest_and_decorate():
    @record_function("twice")
    def twice(x):
        return x * 2

    with record_function("nobody listens"), profile() as prof, record_function("outer"):
        twice(torch.ones(2))
    assert [event.name for event in prof.events()] == ["mul", "twice", "outer"]
    mul, inner, outer = prof.events()
    assert mul.total < inner.total < outer.total
    assert outer.own == outer.total - inner.total
    assert twice.__name__ == "twice"


def test_views_bring_no_memory():
    x = torch.ones(4, 4)
    with profile() as prof:
        (x.T, x + 1, x.reshape(16))
    assert sum(event.nbytes for event in prof.events()) == 64


def test_a_second_derivative_is_profiled_and_right():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with profile() as prof:
        (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        g.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]
    assert names(prof, "user") == ["backward", "backward"]
    assert "mul" in names(prof, "backward")  # the formulas ran ops inside the steps


def test_an_error_inside_passes_and_leaves_nothing_behind():
    plain, walk, look = core_op.Unary.__call__, engine.walk, state.before_walk
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda g: 1 / 0)
    y = (x * 2).sum()
    with pytest.raises(RuntimeError), profile():
        torch.ones(2) @ torch.ones(3)
    with pytest.raises(ZeroDivisionError), profile() as prof:
        y.backward()
    assert core_op.Unary.__call__ is plain
    assert engine.walk is walk
    assert state.watch is None
    assert state.before_walk is look
    assert names(prof, "user") == ["backward"]
    assert all(event.own >= 0 for event in prof.events())


def test_it_runs_beside_the_debugger():
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.detect_anomaly(), profile() as prof:
        (x * 2).sum().backward()
    assert names(prof, "forward") == ["mul", "total"]
    with torch.autograd.detect_anomaly(), profile(), pytest.raises(RuntimeError, match="nan"):
        torch.zeros(1).log() * 0


def test_other_threads_run_untimed():
    with profile() as prof:
        x = torch.ones(2, requires_grad=True)
        thread = threading.Thread(target=lambda: (x * 2).sum().backward())
        thread.start()
        thread.join()
    assert x.grad.tolist() == [2.0, 2.0]
    assert prof.events() == []


def test_one_profile_at_a_time():
    with profile(), pytest.raises(RuntimeError, match="running already"):
        profile().start()


def test_on_trace_ready_is_called_at_the_end():
    seen = []
    with profile(on_trace_ready=lambda prof: seen.append(len(prof.events()))):
        torch.ones(2).exp()
    assert seen == [1]

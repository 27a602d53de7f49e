"""step: the operations of a program one by one, as data and as text."""

from __future__ import annotations

import inspect
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import tinygrad_edu as t
from tests.viz.programs import PROGRAMS, drawn_programs
from tinygrad_edu import nn, viz
from tinygrad_edu.nn import functional as F
from tinygrad_edu.viz import _formulas
from tinygrad_edu.viz._graph import Kind
from tinygrad_edu.viz.picture._colours import contrast
from tinygrad_edu.viz.stepper import _page


def gradients_from_contributions(player, rtol=0.0):
    """Add up what the steps handed to each vertex, in the order of the steps, knowing nothing else."""
    sums = {}

    def check_equal(one, other):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=0)

    for step in player.steps:
        for part in step.contributions:
            name = part.edge.source
            before = sums.get(name)
            assert (before is None) == (part.before is None)
            if before is not None:
                check_equal(part.before, before)
            sums[name] = part.share if before is None else before + part.share
            check_equal(part.after, sums[name])
        if step.phase == "backward" and step.vertex.id in sums:
            check_equal(step.value, sums[step.vertex.id])
    return sums


def leaves_of(player):
    return [vertex for vertex in player.diagram.vertices if vertex.kind is Kind.PARAMETER]


def check_replay(run):
    loss, options = run()
    player = viz.step(loss, **options)
    sums = gradients_from_contributions(player)
    loss.backward()
    for vertex in leaves_of(player):
        np.testing.assert_array_equal(sums[vertex.id], vertex.maker.tensor().grad.numpy())


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_contributions_add_up_to_the_leaf_gradients_exactly(name):
    check_replay(PROGRAMS[name])


@settings(max_examples=60)
@given(drawn_programs())
def test_the_contributions_of_any_program_add_up_to_the_leaf_gradients_exactly(run):
    check_replay(run)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recording_gives_the_same_backward_steps_and_every_value(name):
    loss, options = PROGRAMS[name]()
    alone = viz.step(loss, **options)
    with viz.record():
        loss, options = PROGRAMS[name]()
        loss.backward()
        recorded = viz.step(loss, **options)
    gradients_from_contributions(recorded)
    shares = [[part.share for step in p.steps for part in step.contributions] for p in (alone, recorded)]
    for one, other in zip(*shares, strict=True):
        np.testing.assert_array_equal(one, other)
    assert "not kept" not in recorded.text()


def test_forward_steps_come_in_order_of_creation_and_backward_steps_as_the_engine_walks():
    x = t.tensor(2.0, requires_grad=True)
    player = viz.step((x.exp() + x * 3).log(), names={"x": x})
    assert [(step.phase[0], step.vertex.name) for step in player.steps] == [
        ("f", "exp"), ("f", "mul"), ("f", "add"), ("f", "log"),
        ("b", "log"), ("b", "add"), ("b", "mul"), ("b", "exp"), ("b", "x"),
    ]  # fmt: skip  # one phase a line
    assert [step.number for step in player.steps] == list(range(1, 10))


def test_looking_changes_no_gradient_and_frees_nothing():
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.retain_grad()
    loss = (y * 3).sum()
    viz.step(loss)
    assert x.grad is None
    assert y.grad is None
    loss.backward()
    assert x.grad.tolist() == [6.0, 12.0]
    assert y.grad.tolist() == [3.0, 3.0]


def test_a_hook_that_replaces_a_gradient_is_seen():
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    player = viz.step(y.sum())
    assert player.steps[-1].value.tolist() == [20.0, 20.0]


def test_the_axes_that_broadcasting_repeated_are_named():
    bias = t.ones(4, requires_grad=True)
    column = t.ones(5, 1, requires_grad=True)
    batch = t.ones(2, 5, 3, requires_grad=True)
    matrix = t.ones(1, 3, 4, requires_grad=True)
    player = viz.step(((batch @ matrix + bias) * column).sum())
    summed = {part.share.shape: part.summed for step in player.steps for part in step.contributions if part.summed}
    assert summed == {(5, 1): (0, 2), (4,): (0, 1), (1, 3, 4): (0,)}


def test_after_backward_there_are_the_order_and_the_leaf_gradients_and_nothing_is_made_up():
    w = t.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).exp().sum()
    before = viz.step(loss, names={"w": w})
    loss.backward()
    after = viz.step(loss, names={"w": w})
    assert [step.vertex.name for step in after.steps] == [step.vertex.name for step in before.steps]
    assert after.steps[-1].value.tolist() == w.grad.tolist()
    assert all(step.value is None for step in after.steps if step.phase == "backward" and step.vertex.name != "w")
    assert "not kept: run inside viz.record()" in after.text()


def test_a_leaf_that_was_written_since_does_not_show_its_new_value_as_the_old():
    w = t.tensor([1.0, 2.0], requires_grad=True)
    loss = (w + 1).sum()
    with t.no_grad():
        w.add_(100)
    assert next(v for v in viz.step(loss).diagram.vertices if v.kind is Kind.PARAMETER).value is None


def test_inside_a_recording_a_parameter_shows_what_it_was_before_the_optimizer_wrote():
    w = t.tensor([1.0, 2.0], requires_grad=True)
    with viz.record():
        loss = (w * w).sum()
        loss.backward()
        t.optim.SGD([w], lr=1.0).step()
    player = viz.step(loss, names={"w": w})
    assert leaves_of(player)[0].value.tolist() == [1.0, 2.0]


def test_a_stopped_gradient_is_named_with_its_reason():
    with viz.record():
        x = t.tensor([1.0, 2.0], requires_grad=True)
        with t.no_grad():
            scale = x * 2
        loss = (x * scale * x.detach()).sum()
        loss.backward()
    text = viz.step(loss).text()
    assert "it was computed under no_grad" in text
    assert "detach() cut it off" in text


def test_a_function_of_the_users_own_with_two_results_and_a_missing_gradient():
    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * 2, a + b

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h, None

    w = t.ones(2, requires_grad=True)
    first, second = Both.apply(w * 3, w * 5)
    player = viz.step((first * second).sum())
    assert player.steps[-1].value.tolist() == [66.0, 66.0]
    assert "in parts, one for each result" in player.text()


# ---- formulas


NUMBERS = {
    name: getattr(np, name) for name in ("cos", "exp", "inf", "log", "log1p", "nan", "sin", "sqrt", "tan", "tanh")
}


def evaluated(cells, index, values):
    """The value of the expression that the page shows for a cell, computed from its text."""
    text = _formulas.expression(cells, index, lambda name, place: f"N({float(values[name][place])!r})")
    with np.errstate(all="ignore"):
        return eval(
            text,
            {"__builtins__": {"abs": np.abs, "sign": np.sign, "max": np.maximum, "min": np.minimum, "N": np.float64}},
            dict(NUMBERS),
        )


def check_expressions(run):
    """Every cell of every array that has an expression; return how many there were."""
    with viz.record():
        loss, options = run()
        loss.backward()
        player = viz.step(loss, **options)
    return check_numbers(player)


def check_numbers(player, cells=12):
    """Of every array that has expressions the first cells."""
    checked, first = 0, cells
    for step in player.steps:
        vertex = step.vertex
        if vertex.kind is not Kind.OP:
            continue
        values = {edge.argument: player.diagram[edge.source].value for edge in player.diagram.into(vertex.id)}
        shapes = _page.shapes_of(player.diagram, vertex)
        if step.phase == "forward":
            shown = [(_formulas.forward_formula(vertex, shapes).cells, step.value)]
        else:
            values |= {"g": step.value, "out": vertex.value}
            shown = [
                (_formulas.gradient_formula(vertex, part.edge.argument, shapes).cells, part.share)
                for part in step.contributions
            ]
        for cells, array in shown:
            if cells is None:
                continue
            assert cells.loops[: cells.axes] == array.shape, vertex.name
            for index in list(np.ndindex(array.shape))[:first]:
                scale = np.nan_to_num(float(np.abs(array).max())) + 1e-3
                assert evaluated(cells, index, values) == pytest.approx(
                    float(array[index]), rel=1e-4, abs=1e-5 * scale, nan_ok=True
                )
                checked += 1
    return checked


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_expression_of_a_cell_has_the_value_that_is_shown(name):
    assert check_expressions(PROGRAMS[name]) > 10


@settings(max_examples=40)
@given(drawn_programs())
def test_the_expression_of_a_cell_of_any_program_has_the_value_that_is_shown(run):
    check_expressions(run)


def test_formulas_are_read_from_the_source_two_on_a_line_apart():
    from tinygrad_edu._ops import elementwise, linalg

    assert _formulas.source_of(linalg.mm.formulas["x"]) == "g @ y.mT"
    assert _formulas.source_of(linalg.mm.formulas["y"]) == "x.mT @ g"
    assert _formulas.source_of(elementwise.sub.formulas["y"]) == "-g"
    assert _formulas.source_of(elementwise.add.forward) == "x + y"


A, B = np.array([[0.5, 1.5], [2.0, 0.25]]), np.array([[1.25, 0.75], [0.5, 2.0]])
CALLS = {  # how to run what a line of the textbook says; where not given, torch's function of that name on A and B
    "average": lambda a: a.mean(),
    "bmm": lambda a, b: t.bmm(a[None], b[None]),
    "broadcast_to": lambda a: a.expand(3, 2, 2),
    "contiguous": lambda a: a.mT.contiguous(),
    "cross_entropy": lambda a: F.cross_entropy(a, t.tensor([1, 0])),
    "dot": lambda a, b: t.dot(a[0], b[0]),
    "getitem": lambda a: a[0],
    "linear": lambda x, w, b: F.linear(x, w, b[0]),
    "matmul": lambda a, b: t.stack([a, b]) @ b[None],
    "mean": lambda a: a.mean(0),
    "mse_loss": F.mse_loss,
    "mv": lambda a, b: t.mv(a, b[0]),
    "power": lambda a: a**3,
    "reshape": lambda a: a.reshape(4),
    "rows_mm": lambda a, b: t.stack([a, a + 1]) @ b,
    "rsub": lambda a: t.rsub(a, 2),
    "softmax": lambda a: t.softmax(a, -1),
    "log_softmax": lambda a: t.log_softmax(a, -1),
    "sum": lambda a: a.sum(0),
    "swap": lambda a: a.mT,
    "total": lambda a: a.sum(),
    "vecmat": lambda a, b: a[0] @ b,
}
WORDS = {
    "cos": np.cos, "sin": np.sin, "sqrt": np.sqrt, "tanh": np.tanh, "ln": np.log, "log": np.log, "sign": np.sign,
    "outer": np.outer, "e": math.e, "p": 3, "v": 2, "target": (np.arange(2), [1, 0]), "index": 0, "onehot": lambda _: np.eye(2)[::-1],
}  # fmt: skip  # a list of words


def computed(text, arrays, like, axes):
    """The value of one side of a textbook's line; ``like`` is the shape it must have, ``axes`` what its sums run over."""
    text = text.replace("dL/dC", "G").replace("|A|", "abs(A)").replace("^T", ".mT").replace("^", "**")

    def total(x):
        return x.sum(axes, keepdims=axes == -1)

    words = dict(WORDS)
    words |= {
        "sum": total,
        "mean": lambda x: x.mean(axes),
        "max": np.maximum,
        "abs": np.abs,
        "n": {None: 4, 0: 2, -1: 2}[axes],
        "broadcast": lambda x: np.broadcast_to(x, like),
        "reshape": lambda x: x.reshape(like),
        "rows": lambda x: x.reshape(-1, x.shape[-1]),
        "sum_rows": lambda x: x.sum(0),
        "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    }
    if "target" in text:  # a row is a case: sums over its classes, means over the rows
        words |= {"sum": lambda x: x.sum(1), "mean": np.mean, "n": 2}
    return eval(text, {"__builtins__": {}}, words | arrays)


@pytest.mark.parametrize("name", _formulas.TEXTBOOK)
def test_what_the_textbook_says_is_what_the_op_computes(name):
    entry = _formulas.TEXTBOOK[name]
    inputs = [t.tensor(array, requires_grad=True) for array in (A, B, B * 2)[: len(entry.letters)]]
    call = CALLS.get(name) or getattr(t, name, None) or getattr(F, name)
    with viz.record():
        out = call(*inputs)
        g = np.linspace(0.5, 2.0, max(out.numel(), 1)).reshape(tuple(out.shape))
        loss = (out * t.tensor(g)).sum()
        loss.backward()
    player = viz.step(loss)
    backward = [s for s in player.steps if s.phase == "backward" and s.vertex.kind is Kind.OP]
    step = [s for s in backward if s.vertex.op.name == name][-1]
    mine = _formulas.forward_formula(step.vertex, {}).mathematics
    assert mine == entry.forward
    axes = -1 if "softmax" in name else 0 if name in ("sum", "mean", "broadcast_to") else None
    arrays = {"G": step.value}
    made = {part.edge.argument: part for part in step.contributions}
    for argument, letter in entry.letters.items():
        arrays[letter] = player.diagram[made[argument].edge.source].value
    arrays["C"] = out.detach().numpy()
    given = dict(arrays)
    left, _, right = entry.forward.partition(" = ")
    np.testing.assert_allclose(computed(right, given, out.shape, axes), arrays["C"], rtol=1e-6, err_msg=entry.forward)
    for argument, line in entry.gradients.items():
        left, _, right = line.partition(" = ")
        share = made[argument].share
        if made[argument].summed:
            given["G"], given["A"] = (np.concatenate(list(arrays[k])) for k in "GA")  # the rows of all matrices
        expected = share[0] if "[index]" in left or made[argument].summed else share
        assert left.removesuffix("[index]") == f"dL/d{entry.letters[argument]}"
        np.testing.assert_allclose(computed(right, given, share.shape, axes), expected, rtol=1e-6, err_msg=line)


# ---- text, page, words


def test_the_text_of_a_small_program():
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    b = t.tensor([0.5, -1.0], requires_grad=True)
    text = viz.step((x * b).sum(), names={"x": x, "b": b}).text()
    assert text == (Path(__file__).parent / "golden" / "steps.txt").read_text("utf-8").rstrip("\n")


def test_the_same_program_gives_the_same_bytes():
    def pages():
        loss, options = PROGRAMS["attention"]()
        return viz.step(loss, **options).page()

    assert pages() == pages()


def test_a_hostile_name_stays_text():
    name = "</script><img src=x onerror=alert(1)>"
    x = t.tensor([1.0], requires_grad=True)
    page = viz.step(x.sum(), names={name: x}).page()
    assert "<img" not in page
    assert page.count("</script>") == 2


def test_the_page_asks_for_nothing_and_its_policy_allows_nothing():
    loss, options = PROGRAMS["broadcasting"]()
    page = viz.step(loss, **options).page()
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page)
    assert "unsafe-inline" not in page


def words():
    return json.loads(_page._file("words.json"))


def test_both_languages_say_the_same_things_with_the_same_values():
    english, chinese = words()["en"], words()["zh"]
    assert list(english) == list(chinese)
    for key, said in english.items():
        assert set(re.findall(r"\{(\w+)\}", said)) == set(re.findall(r"\{(\w+)\}", chinese[key])), key
        assert key in ("language", "switch") or re.search("[\u4e00-\u9fff]", chinese[key]), key


def test_every_word_is_used_and_every_word_used_exists():
    from tinygrad_edu.viz.stepper import _player

    sources = [
        _page._file("stepper.js"),
        _page._file("stepper.html"),
        inspect.getsource(_page),
        inspect.getsource(_player),
    ]
    text = "\n".join(sources)
    built = {f"step_{kind}" for kind in ("leaf", "failed", "forward", "backward")} | {
        f"node_{kind.value}" for kind in Kind
    }
    used = {key for key in words()["en"] if f'"{key}"' in text or f"'{key}'" in text} | built
    assert used == set(words()["en"])
    asked = set(re.findall(r'data-(?:word|label|hint)="(\w+)"', text)) | set(re.findall(r'\bsay\("(\w+)"', text))
    asked |= set(re.findall(r"_say\(['\"](\w+)['\"]", text))
    assert asked <= set(words()["en"])


def test_chinese_text_has_no_english_sentence():
    loss, options = PROGRAMS["fan_out"]()
    text = viz.step(loss, language="zh", **options).text()
    assert "共 " in text.splitlines()[0]
    for said in words()["en"].values():
        plain = re.sub(r"\{\w+\}", "", said)
        assert len(plain) < 12 or plain not in text


def test_numbers_on_colours_are_readable():
    source = _page._file("stepper.js")
    ends = re.search(r"\[(\d+), (\d+), (\d+)\] : \[(\d+), (\d+), (\d+)\]", source).groups()
    for end in (ends[:3], ends[3:]):
        colour = "#" + "".join(f"{int(part):02x}" for part in end)
        assert contrast("#111111", colour) > 4.5
    assert contrast("#111111", "#e59ac6") > 4.5


def test_a_small_array_shows_all_numbers_and_a_large_one_its_corner():
    small = _page.figure(np.arange(64, dtype=np.float32).reshape(2, 4, 8) / 7)
    assert (small["rows"], small["columns"], len(small["cells"].split())) == (8, 8, 64)
    large = _page.figure(np.arange(10000.0).reshape(100, 100))
    assert (large["rows"], large["columns"], large["all"]) == (24, 24, [100, 100])
    assert (large["low"], large["high"]) == ("0", "9999")
    assert large["cells"].split()[25] == "101"


def test_only_numbers_shown_in_full_are_called_exact():
    assert _page.figure(np.array([0.5, 3.0], np.float32))["exact"]
    assert not _page.figure(np.array([1 / 3], np.float32))["exact"]


def test_arrays_without_elements_with_nan_and_of_bools_are_shown():
    assert _page.figure(np.zeros((0, 3)))["cells"] == ""
    odd = _page.figure(np.array([np.nan, np.inf, 2.0]))
    assert (odd["cells"], odd["low"], odd["high"]) == ("nan inf 2", "2", "2")
    assert _page.figure(np.array([True, False]))["cells"] == "1 0"


def test_a_notebook_shows_the_page_in_a_frame_that_may_do_nothing_else():
    x = t.tensor([1.0], requires_grad=True)
    shown = viz.step(x.sum())._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert 'sandbox="allow-scripts"' in shown


# ---- refusals


def test_a_tensor_without_a_graph_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="there is no graph"):
        viz.step(t.ones(1))


def test_a_graph_of_too_many_nodes_is_refused_before_it_is_read():
    loss, _ = PROGRAMS["chain_of_200"]()
    with pytest.raises(ValueError, match="has 202 nodes, more than max_nodes=100: pass max_nodes=202"):
        viz.step(loss, max_nodes=100)


def test_a_page_that_is_too_large_is_refused_with_the_option():
    loss, _ = PROGRAMS["attention"]()
    with pytest.raises(ValueError, match=r"more than max_mb=0\.01: pass max_mb=1"):
        viz.step(loss, max_mb=0.01).page()


def test_a_result_of_several_numbers_is_refused_with_the_remedy():
    with pytest.raises(RuntimeError, match=r"shape \(2,\); step through its sum\(\)"):
        viz.step(t.ones(2, requires_grad=True) * 2)


def test_an_unknown_language_and_a_missing_folder_are_named(tmp_path):
    x = t.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match="'en' and 'zh'"):
        viz.step(x.sum(), language="fr")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        viz.step(x.sum(), tmp_path / "missing" / "page.html")


def test_a_written_input_is_explained_as_backward_explains_it():
    x = t.tensor([1.0], requires_grad=True)
    y = x * 2
    loss = (y * y).sum()
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        viz.step(loss)


def test_modules_and_unusual_settings_are_shown():
    net = nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=1))
    text = viz.step(net(t.ones(1, 2)).sum(), model=net).text()
    assert "Inside Sequential: Sequential > 0: Linear" in text
    assert "Settings: axis=1" in text

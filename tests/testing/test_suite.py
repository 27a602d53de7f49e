"""The conformance suite: on tinygrad_edu itself, on purposely wrong engines, and its parts."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from tests.oracle import torch
from tinygrad_edu.autograd._verdict import Verdict
from tinygrad_edu.testing import _trial, suite
from tinygrad_edu.testing._cases import LAID, cases_of, is_laid, kind_of
from tinygrad_edu.testing._draw import LAYOUTS, one, two
from tinygrad_edu.testing.adapter import Adapter, NotOffered, Ours, TorchLike
from tinygrad_edu.testing.laws import LAWS
from tinygrad_edu.testing.table import ROWS
from tinygrad_edu.testing.table.row import Row

A = np.array


# tinygrad_edu itself


@pytest.fixture(scope="module")
def results():
    """Every row with its result, to the third order."""
    return [(row, suite.check_row(Ours(), row, order=3, max_examples=2)) for row in ROWS]


def test_every_row_passes_on_tinygrad_edu(results):
    wrong = [f"{r.name}: {r.verdict}. {r.sentence}\n{r.example}" for _, r in results if not r.passes]
    assert wrong == []


def test_every_differentiable_row_is_examined_as_often_as_it_can_be(results):
    shallow = [(row.name, r.order, row.order) for row, r in results if r.order < min(row.order, 3)]
    # Whether these carry a gradient is drawn: to() of a whole dtype, prod of no elements.
    assert [x for x in shallow if x[0] not in ("to",)] == []
    assert sum(r.order == 3 for _, r in results) >= 70
    assert sum(r.order >= 2 for _, r in results) >= 320


AT_LEAST = {  # rows that are checked on this kind of input, and cases
    "ordinary": (460, 900),
    "broadcast": (95, 180),
    "0-d": (250, 490),
    "empty": (250, 400),
    "tied": (310, 620),
    "zero": (310, 620),
    "expanded": (315, 610),
    "negative-stride": (425, 840),
    "non-contiguous": (425, 820),
    "named point": (170, 260),
}


def test_no_kind_of_input_falls_out(results, capsys):
    rows, cases = Counter(), Counter()
    for _, result in results:
        for kind, count in result.kinds.items():
            rows[kind] += 1
            cases[kind] += count
    with capsys.disabled():
        listed = ", ".join(f"{cases[kind]} {kind} ({rows[kind]} rows)" for kind in suite.KINDS)
        print(f"\nsuite: {sum(cases.values())} cases: {listed}")
    assert list(AT_LEAST) == list(suite.KINDS)
    few = {k: (rows[k], cases[k]) for k, (r, c) in AT_LEAST.items() if rows[k] < r or cases[k] < c}
    assert few == {}


def test_a_row_that_bears_a_kind_is_given_it(results):
    for row, result in results:
        for kind in ("tied", "zero"):
            if row.ties and row.order and {"ordinary", "broadcast", "0-d"} & set(result.kinds):
                assert result.kinds.get(kind, 0) >= 1, (row.name, kind)
        assert sum(result.kinds.values()) == result.cases
        assert result.kinds.get("named point", 0) == sum(point.order > 0 for point in row.points), row.name


@pytest.mark.parametrize("law", [law.name for law in LAWS])
def test_every_law_holds_for_tinygrad_edu(law):
    result = suite.check_law(Ours(), suite.LAW + law)
    assert result.offered, result.missing
    assert result.passes, result.sentence


@pytest.mark.parametrize("name", ["exp", "prod", "atan2", "linalg.norm", "nn.functional.relu", "std"])
def test_torch_passes(name):
    [result] = suite.run(TorchLike("torch"), op=name, order=3, max_examples=2)
    assert result.passes, f"{result.verdict}: {result.sentence}\n{result.example}"
    assert result.cases >= 10


def test_the_seed_decides_what_is_drawn():
    row = next(row for row in ROWS if row.name == "mul")
    drawn = [[c.arguments for c in cases_of(row, seed, 3)] for seed in (0, 0, 1)]
    same = [
        all(np.array_equal(x, y) for x, y in zip(a, b, strict=True)) for a, b in zip(drawn[0], drawn[1], strict=True)
    ]
    assert all(same)
    assert any(not np.array_equal(a[0], b[0]) for a, b in zip(drawn[0], drawn[2], strict=False))


# wrong engines: torch, with one function replaced


class Wrong(TorchLike):
    """torch with some of its functions replaced."""

    def __init__(self, **functions):
        super().__init__("torch")
        self.ops = {**dict.fromkeys(("mul", "add", "exp"), None), **functions}
        self.ops = {name: getattr(torch, name) if f is None else f for name, f in self.ops.items()}
        self.name = "wrong"


def broken(forward, backward):
    """Return a function of torch tensors with a gradient of its own."""

    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.save_for_backward(*inputs)
            return forward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return lambda *inputs: Broken.apply(*inputs)


def verdict_of(name, function, order=1):
    [result] = suite.run(Wrong(**{name: function}), op=name, order=order, max_examples=4)
    assert result.offered
    assert not result.passes
    return result


@pytest.mark.parametrize(
    ("name", "forward", "backward", "verdict"),
    [
        ("exp", lambda x: x.exp(), lambda g, x: -g * x.exp(), Verdict.SIGN),
        ("square", lambda x: x * x, lambda g, x: g * x, Verdict.FACTOR),
        ("tanh", lambda x: x.tanh(), lambda g, x: g * (1 - x.tanh()), Verdict.TERM),
        ("sin", lambda x: x.sin(), lambda g, x: torch.zeros_like(x), Verdict.ZERO),
        ("mm", lambda x, y: x @ y, lambda g, x, y: (g @ y.mT, (x.mT @ g).mT.reshape(y.shape)), Verdict.TRANSPOSED),
        ("dot", lambda x, y: x.dot(y), lambda g, x, y: (g * x, g * y), Verdict.SWAPPED),
        ("sqrt", lambda x: x.sqrt(), lambda g, x: g / (x - x), Verdict.NOT_FINITE),
    ],
)
def test_a_wrong_formula_is_named(name, forward, backward, verdict):
    result = verdict_of(name, broken(forward, backward))
    assert result.verdict is verdict, result.sentence
    assert "should be" in result.example
    assert "case (" in result.example


def test_a_missing_sum_over_a_broadcast_axis_is_named():
    class Mul:
        """A tensor of one operation, which forgets to sum."""

        def __init__(self, data, parents=()):
            self.data, self.parents, self.grad = data, parents, None

    class Engine(Adapter):
        name = "mul only"
        ops = {"mul": lambda x, y: Mul(x.data * y.data, (x, y))}

        def tensor(self, array, requires_grad=False):
            return Mul(array)

        def array(self, tensor):
            return tensor.data

        def is_tensor(self, x):
            return isinstance(x, Mul)

        def backward(self, output, seed):
            x, y = output.parents
            x.grad, y.grad = seed * y.data, seed * x.data

        def grad(self, tensor):
            return tensor.grad

    [result] = suite.run(Engine(), op="mul", max_examples=4)
    assert result.verdict is Verdict.UNSUMMED
    assert result.missing == ("numbers as operands",)


def test_a_second_order_that_is_cut_is_named():
    square = broken(lambda x: x * x, lambda g, x: 2 * g * x.detach())
    assert suite.run(Wrong(square=square), op="square", order=1, max_examples=2)[0].passes
    result = verdict_of("square", square, order=2)
    assert result.verdict is Verdict.SECOND_ORDER
    assert result.order == 2


def test_a_wrong_value_a_wrong_shape_and_an_exception_are_named():
    value = verdict_of("exp", lambda x: x.exp() + (x > 1))
    assert value.verdict is Verdict.VALUE
    assert "tinygrad_edu's" in value.sentence
    assert verdict_of("sum", lambda x, dim=None, keepdim=False: x.sum(dim, not keepdim)).verdict is Verdict.SHAPE

    def fails(x):
        raise ZeroDivisionError("oh dear")

    raised = verdict_of("exp", fails)
    assert raised.verdict is Verdict.RAISES
    assert "ZeroDivisionError: oh dear" in raised.sentence


def test_an_exception_in_backward_is_told_from_one_in_the_call():
    def fails(g, x):
        raise ZeroDivisionError("oh dear")

    assert verdict_of("exp", broken(lambda x: x.exp(), fails)).sentence.startswith("backward of exp raises")


@pytest.mark.parametrize(("at_zero", "passes"), [(-1.0, True), (0.3, True), (1.0, True), (7.0, False), (np.nan, False)])
def test_any_sub_gradient_passes_at_a_kink_and_nothing_else(at_zero, passes):
    row = next(row for row in ROWS if row.name == "abs")
    function = broken(lambda x: x.abs(), lambda g, x: g * torch.where(x == 0, at_zero, x.sign()))
    report = suite.check_case(Wrong(abs=function), row, (A([0.0, 1.0]),))
    assert bool(report) is passes
    assert report.verdict is (Verdict.KINK if passes else Verdict.NOT_FINITE if np.isnan(at_zero) else Verdict.TERM)


def test_beside_a_kink_the_gradient_must_be_right():
    row = next(row for row in ROWS if row.name == "abs")
    function = broken(lambda x: x.abs(), lambda g, x: g * torch.where(x > 0, 1.0, 1.0))
    assert not suite.check_case(Wrong(abs=function), row, (A([0.0, -1.0]),))


def test_an_infinite_gradient_is_right_where_the_reference_has_one():
    row = next(row for row in ROWS if row.name == "sqrt")
    assert suite.check_case(TorchLike("torch"), row, (A([0.0, 1.0]),))


def test_a_row_without_finite_differences_is_compared_with_the_reference():
    row = next(row for row in ROWS if row.name == "remainder")
    assert not row.finite
    right = broken(torch.remainder, lambda g, x, y: (g, -g * torch.floor(x / y)))
    wrong = broken(torch.remainder, lambda g, x, y: (g, g * torch.floor(x / y)))
    case = (A([3.5, -2.5]), A([2.0, 2.0]))
    assert suite.check_case(Wrong(remainder=right), row, case)
    assert suite.check_case(Wrong(remainder=wrong), row, case).verdict is Verdict.SIGN


def test_without_torch_a_row_without_finite_differences_is_reported_so(monkeypatch):
    row = next(row for row in ROWS if row.name == "copysign")
    assert suite.check_row(Ours(), row, max_examples=2).is_compared
    monkeypatch.setattr(_trial, "_torch", lambda: None)
    result = suite.check_row(Ours(), row, max_examples=2)
    assert result.passes
    assert not result.is_compared


def test_without_torch_every_kind_of_point_still_passes(monkeypatch):
    monkeypatch.setattr(_trial, "_torch", lambda: None)
    for name in ("sqrt", "norm", "prod", "nn.functional.relu", "std", "atan2"):
        [result] = suite.run(Ours(), op=name, max_examples=2)
        assert result.passes, f"{name}: {result.sentence}\n{result.example}"


def test_a_wrong_layout_is_noticed():
    def careless(x):  # reads the memory, not the tensor
        return torch.as_strided(x, x.shape, torch.empty(x.shape).stride()).exp()

    report = [
        suite.check_case(
            Wrong(exp=careless), next(r for r in ROWS if r.name == "exp"), (A([[1.0, 2.0], [3.0, 4.0]]),), layout=layout
        )
        for layout in ("contiguous", "transposed")
    ]
    assert report[0]
    assert report[1].verdict is Verdict.VALUE


# what is not offered


def test_what_an_engine_lacks_is_not_offered_and_not_wrong():
    def one_dim_only(x, dim, keepdim=False):
        raise NotImplementedError("I know no dim")

    engine = Wrong(sum=one_dim_only)
    names = {r.name: r for r in suite.run(engine, op="sum", max_examples=2)}
    assert not names["sum"].offered
    assert not suite.run(engine, op="cos", max_examples=2)[0].offered


def test_a_form_whose_arguments_are_not_taken_is_named():
    [result] = suite.run(Wrong(add=lambda x, y: x + y), op="add", max_examples=2)
    assert result.passes
    assert any("alpha" in words for words in result.missing)


def test_a_type_error_inside_the_function_is_not_taken_for_a_missing_form():
    def careless(x):
        return len(3)

    assert verdict_of("exp", careless).verdict is Verdict.RAISES


def test_a_missing_method_of_the_tensor_is_not_offered():
    row = Row(name="exp", call=lambda t, x: x.no_such_method(), sample=one())
    with pytest.raises(NotOffered, match="no_such_method"):
        suite.check_case(Ours(), row, (A([1.0]),))


# laws


def test_a_law_is_not_judged_before_its_operations_are_right():
    wrong = broken(lambda x, y: x * y, lambda g, x, y: (g * x, g * y))
    result = suite.check_law(Wrong(mul=wrong), suite.LAW + "a diamond")
    assert not result.offered
    assert result.missing == ("not judged before mul is right",)


def test_a_law_says_what_it_needs():
    with pytest.raises(NotImplementedError, match=r"Adapter\.tensor: return a tensor"):
        Adapter().tensor(A([1.0]))
    with pytest.raises(NotOffered):
        Adapter().overwrite(None, A([1.0]))


# names and pieces


def test_a_short_name_finds_the_operation():
    assert suite.names("relu") == ["nn.functional.relu"]
    assert suite.names("div") == ["div.no_rounding_mode", "div.floor_rounding", "div.trunc_rounding"]
    assert suite.names("law: a diamond") == ["law: a diamond"]


def test_an_unknown_name_is_answered_with_similar_ones():
    with pytest.raises(LookupError, match=r"'rleu'; did you mean .*nn\.functional\.relu"):
        suite.names("rleu")
    with pytest.raises(LookupError, match=r"'qqqqqq'$"):
        suite.names("qqqqqq")


def test_kinds_of_cases_are_told():
    assert kind_of((A([1.0, 2.0]), A([3.0, 4.0]))) == "ordinary"
    assert kind_of((np.ones((2, 3)), np.ones(3))) == "broadcast"
    assert kind_of((A(1.0), 2)) == "0-d"
    assert kind_of((np.ones((2, 0)), A(1.0))) == "empty"
    assert kind_of((np.ones((2, 3)), np.ones((3, 2)))) == "ordinary"  # factors of a matrix product


def test_a_layout_counts_only_where_it_shows():
    assert is_laid((np.ones((2, 3)),), "transposed")
    assert not is_laid((np.ones(3),), "transposed")
    assert is_laid((np.ones(3),), "reversed")
    assert not is_laid((np.ones((1, 1)), A(1.0)), "reversed")
    assert is_laid((np.ones((2, 1)),), "expanded")
    assert not is_laid((np.ones((1, 2)),), "expanded")
    assert all(isinstance(layout, str) for layouts in LAID.values() for layout in layouts if layout in LAYOUTS)


def test_results_of_the_forms_of_an_operation_are_joined():
    right = suite.Result("add", 2, {"ordinary": 2}, 1e-9, seconds=1, order=2)
    wrong = suite.Result("add", 1, {"tied": 1}, 1.0, Verdict.SIGN, "words", 1, "case", order=1, missing=("alpha",))
    joined = right.joined(wrong)
    assert (joined.cases, joined.kinds, joined.worst, joined.seconds) == (3, {"ordinary": 2, "tied": 1}, 1.0, 2)
    assert (joined.verdict, joined.sentence, joined.example, joined.missing) == (
        Verdict.SIGN,
        "words",
        "case",
        ("alpha",),
    )
    assert wrong.joined(right).verdict is Verdict.SIGN
    kink = suite.Result("add", 1, {"tied": 1}, verdict=Verdict.KINK)
    assert right.joined(kink).verdict is kink.joined(right).verdict is Verdict.KINK
    assert wrong.joined(kink).verdict is kink.joined(wrong).verdict is Verdict.SIGN


def test_progress_hears_of_each_result():
    heard = []
    results = suite.run(Ours(), op="div", order=1, max_examples=1, progress=heard.append)
    assert heard == results
    assert len(results) == 3


def test_require_raises_the_report_and_skips_what_is_not_offered():
    import unittest

    wrong = Wrong(exp=broken(lambda x: x.exp(), lambda g, x: -g * x.exp()))
    with pytest.raises(AssertionError, match=re.compile("exp: wrong sign.*should be", re.DOTALL)):
        suite.require(wrong, "exp", max_examples=2)
    with pytest.raises(unittest.SkipTest, match="wrong does not offer tanh"):
        suite.require(wrong, "tanh")
    assert suite.require(Wrong(), "exp", max_examples=2).passes


def test_an_engine_of_float32_is_judged_by_its_digits():
    class Single(Wrong):
        precision = "float32"
        orders = 1

    [right] = suite.run(Single(), op="exp", max_examples=4)
    assert right.passes
    assert right.worst < 1e-3
    [wrong] = suite.run(Single(exp=broken(lambda x: x.exp(), lambda g, x: 2 * g * x.exp())), op="exp", max_examples=4)
    assert wrong.verdict is Verdict.FACTOR


def test_an_engine_is_differentiated_no_further_than_it_can():
    class Once(Wrong):
        orders = 1

    [result] = suite.run(Once(), op="exp", order=3, max_examples=2)
    assert result.order == 1


def test_the_rows_of_the_tests_are_drawn():
    row = Row(name="mul", call=lambda t, x, y: t.mul(x, y), sample=two(), order=3)
    result = suite.check_row(Ours(), row, order=3, seed=5, max_examples=3)
    assert result.passes
    assert result.order == 3

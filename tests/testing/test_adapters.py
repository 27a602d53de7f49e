"""The adapters in examples/adapters: what the suite finds in torch, HIPS autograd, micrograd, and an unfinished engine."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from tests.oracle import torch
from tinygrad_edu._cli import main
from tinygrad_edu.autograd._verdict import Verdict
from tinygrad_edu.testing import suite
from tinygrad_edu.testing.adapter import Adapter, NotOffered, Ours, TorchLike, find

FOLDER = Path(__file__).parents[2] / "examples" / "adapters"


def adapter(name):
    return find(f"examples.adapters.{name}_adapter:adapter")


def check(engine, op, order=1, max_examples=3):
    results = [r for r in suite.run(engine, op=op, order=order, max_examples=max_examples) if r.offered]
    assert results, f"{engine.name} does not offer {op}"
    return results


# torch


@pytest.mark.parametrize("name", suite.names())
def test_torch_has_no_failure(name):
    for result in suite.run(adapter("torch"), op=name, max_examples=1):
        assert result.passes, f"{result.verdict}: {result.sentence}\n{result.example}"
        assert result.offered, result.missing


def test_the_example_of_torch_reads_as_the_adapter_of_the_package():
    example, built_in = adapter("torch"), TorchLike("torch")
    x, y = (engine.tensor(np.array([1.0, 2.0]), True) for engine in (example, built_in))
    for engine, tensor in ((example, x), (built_in, y)):
        assert engine.is_tensor(tensor)
        assert engine.differentiable(tensor)
        assert engine.grad(tensor) is None
        engine.backward(tensor * tensor, np.array([1.0, 10.0]))
        assert engine.grad(tensor).tolist() == [2.0, 40.0]
        assert engine.array(tensor).tolist() == [1.0, 2.0]
    assert isinstance(x, torch.Tensor)


# HIPS autograd


@pytest.mark.parametrize(
    ("op", "point"),
    [
        ("norm", "0., 0."),
        ("linalg.norm", "0., 0."),
        ("norm.fro", "0."),
        ("prod", "0."),
        ("atan2", "0."),
        ("std", "1., 1."),
        ("sinc", "0."),
    ],
)
def test_hips_autograd_is_not_finite_where_it_is_known_to_be(op, point):
    [result] = [r for r in check(adapter("hips_autograd"), op) if r.name == op]
    assert result.verdict is Verdict.NOT_FINITE, result.sentence
    assert "is nan and should be" in result.example
    assert point in result.example


@pytest.mark.parametrize("op", ["where", "permute", "diag"])
def test_hips_autograd_is_wrong_where_it_is_known_to_be(op):
    [result] = check(adapter("hips_autograd"), op, max_examples=12)
    assert not result.passes


@pytest.mark.parametrize(
    "op", ["add", "mul", "exp", "tanh", "sum", "matmul", "var", "logaddexp", "maximum", "sqrt", "hypot"]
)
def test_hips_autograd_is_right_elsewhere_to_the_second_order(op):
    [result] = check(adapter("hips_autograd"), op, order=2)
    assert result.passes, f"{result.sentence}\n{result.example}"
    assert result.order == 2


def test_hips_autograd_has_no_backward_so_the_laws_about_it_are_not_offered():
    assert not suite.check_law(adapter("hips_autograd"), suite.LAW + "a second backward adds").offered
    assert suite.check_law(adapter("hips_autograd"), suite.LAW + "a deep chain").passes


# micrograd


@pytest.mark.parametrize(
    "op", ["add", "sub", "mul", "div", "neg", "relu", "sum", "matmul", "sqrt", "reciprocal", "reshape", "cat"]
)
def test_micrograd_is_right(op):
    for result in check(adapter("micrograd"), op):
        assert result.passes, f"{result.sentence}\n{result.example}"
        assert result.cases >= 10


def test_micrograd_divides_by_zero_in_the_derivative_of_zero_to_the_zero():
    [result] = check(adapter("micrograd"), "pow")
    assert result.verdict is Verdict.RAISES
    assert "ZeroDivisionError" in result.sentence


def test_micrograd_walks_by_recursion():
    result = suite.check_law(adapter("micrograd"), suite.LAW + "a deep chain")
    assert "RecursionError" in result.sentence


@pytest.mark.parametrize("law", ["used by two operations", "a diamond", "broadcasting", "broadcasting of a number"])
def test_micrograd_keeps_the_laws(law):
    result = suite.check_law(adapter("micrograd"), suite.LAW + law)
    assert result.offered, result.missing
    assert result.passes, result.sentence


def test_an_array_of_scalars_keeps_its_shape():
    engine = adapter("micrograd")
    for shape in ((), (3,), (2, 0), (2, 3)):
        x = engine.tensor(np.ones(shape), True)
        assert engine.array(x).shape == shape
        assert engine.grad(x).shape == shape
        assert engine.is_tensor(x)
    assert engine.tensor(np.array([1, 2])).dtype == np.int64  # an index stays one


# the unfinished engine, and what is printed of it


def test_both_mistakes_of_the_unfinished_engine_are_named():
    engine = find("examples.adapters.unfinished_engine:Mine")
    [tanh] = check(engine, "tanh")
    assert tanh.verdict is Verdict.TERM
    for op in ("add", "mul", "exp"):
        assert check(engine, op)[0].passes
    for law in ("used twice by one operation", "used by two operations", "a second backward adds"):
        assert suite.check_law(engine, suite.LAW + law).verdict is Verdict.NOT_ACCUMULATED
    diamond = suite.check_law(engine, suite.LAW + "a diamond")
    assert diamond.missing == ("not judged before law: used twice by one operation is right",)


def told(text):
    """What is said, without the numbers (times, errors and drawn cases are another day's others) and the widths they need."""
    kept = [line for line in text.splitlines() if not line.strip().startswith(("case (", "the result"))]
    return re.sub(r"\s+", " ", re.sub(r"-?\d[\d.e+-]*", "#", " ".join(kept)))


def test_the_readme_shows_what_is_printed_of_the_unfinished_engine(capsys):
    shown = re.search(r"```text\n(.*?)\n```", (FOLDER / "README.md").read_text(), re.DOTALL).group(1)
    assert main(["check", "--engine", "examples.adapters.unfinished_engine:Mine"]) == 1
    assert told(capsys.readouterr().out).startswith(told(shown))
    assert "contributions of several uses are not added" in shown


# finding an adapter


def test_an_adapter_is_found_as_an_object_a_class_or_a_module():
    assert find("examples.adapters.torch_adapter:adapter").name == "torch"
    assert find("examples.adapters.unfinished_engine:Mine").name == "my engine"
    assert isinstance(find("torch"), TorchLike)


def test_a_wrong_path_says_what_is_there(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"cannot import 'no\.such': ModuleNotFoundError.*package\.module:adapter"):
        find("no.such:adapter")
    with pytest.raises(ValueError, match=r"has no 'adaptor'; its adapters are: Torch, adapter"):
        find("examples.adapters.torch_adapter:adaptor")
    with pytest.raises(ValueError, match=r"is dict, not a tinygrad_edu\.testing\.adapter\.Adapter"):
        find("examples.adapters.hips_autograd_adapter:OPS")
    (tmp_path / "half_written.py").write_text("def f(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match="cannot import 'half_written': SyntaxError"):
        find("half_written:adapter")


@pytest.mark.parametrize("method", ["tensor", "array", "is_tensor", "backward", "grad"])
def test_a_method_that_is_not_written_is_asked_for(method):
    arguments = (None, None) if method == "backward" else (None,)
    with pytest.raises(NotImplementedError, match=rf"Half\.{method}: \w+"):
        getattr(type("Half", (Adapter,), {}), method)(type("Half", (Adapter,), {})(), *arguments)


def test_dotted_names_are_answered_from_the_mapping():
    class Mine(Adapter):
        ops = {"nn.functional.relu": len, "pi": 3}

    functions = Mine().functions()
    assert functions.nn.functional.relu([1, 2]) == 2
    assert functions.pi == 3
    with pytest.raises(NotOffered, match=r"nn\.functional\.gelu"):
        _ = functions.nn.functional.gelu
    with pytest.raises(NotOffered, match="linalg"):
        _ = functions.linalg
    assert Mine().offers(("relu", "nn.functional.relu"))
    assert not Mine().offers(("relu",))


def test_our_own_adapter_is_the_package():
    assert Ours().functions() is importlib.import_module("tinygrad_edu")
    assert Ours().name == "tinygrad_edu"

"""Five typical mistakes of a learner, each with the whole report it gets, byte for byte.

The reports stand in ``golden/``. After a change that is meant to change them, write them anew and read the difference:

    TINYGRAD_EDU_WRITE_GOLDEN=1 python -m pytest tests/autograd/test_golden_reports.py
"""

import os
from pathlib import Path

import pytest

import tinygrad_edu
from tests.oracle import both
from tinygrad_edu.autograd.gradcheck import GradcheckError, Verdict

GOLDEN = Path(__file__).parent / "golden"


def mistakes(t):
    """The functions, written for tinygrad_edu or for torch."""

    class Cosine(t.autograd.Function):
        """d cos(x)/dx = -sin(x): the sign is forgotten."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.cos()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * x.sin()

    class Square(t.autograd.Function):
        """d x**2/dx = 2 x: the 2 is forgotten."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * x

    class AddBias(t.autograd.Function):
        """The bias was added to every row: its gradient is the sum over the batch, and not that of the first row."""

        @staticmethod
        def forward(ctx, x, bias):
            return x + bias

        @staticmethod
        def backward(ctx, g):
            return g, g[0]

    class MatMul(t.autograd.Function):
        """The gradient of y is x.mT @ g: here it is transposed."""

        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x @ y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g @ y.mT, g.mT @ x

    class Cube(t.autograd.Function):
        """Right once; but 3 x**2 is a detached value, so that it does not depend on x when it is differentiated again."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * (3 * x**2).detach()

    return {"sign": Cosine, "factor": Square, "bias": AddBias, "transposed": MatMul, "second_order": Cube}


ROWS = [[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]]
SQUARE = [[0.5, -1.25], [1.5, 0.75]]

# name: the check, the inputs, what the verdict must be
CASES = {
    "sign": ("gradcheck", [[0.5, -1.25, 2.0]], Verdict.SIGN),
    "factor": ("gradcheck", [[0.5, -1.25, 2.0]], Verdict.FACTOR),
    "bias": ("gradcheck", [ROWS, [0.5, 1.0, -1.0]], Verdict.UNSUMMED),
    "transposed": ("gradcheck", [SQUARE, [[2.0, 0.25], [-0.5, 1.0]]], Verdict.TRANSPOSED),
    "second_order": ("gradgradcheck", [[0.5, -1.25, 2.0]], Verdict.SECOND_ORDER),
}


def check(t, mistake, **options):
    name, values, _ = CASES[mistake]
    inputs = [t.tensor(v, dtype=t.float64, requires_grad=True) for v in values]
    return getattr(t.autograd, name)(mistakes(t)[mistake].apply, inputs, **options)


@pytest.mark.parametrize("mistake", CASES)
def test_a_typical_mistake_gets_this_report(mistake):
    with pytest.raises(GradcheckError) as caught:
        check(tinygrad_edu, mistake, explain=True)
    text = f"{caught.value}\n"
    file = GOLDEN / f"{mistake}.txt"
    if os.environ.get("TINYGRAD_EDU_WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8", newline="\n")
    assert caught.value.report.verdict is CASES[mistake][2]
    assert text == file.read_bytes().decode("utf-8")


@pytest.mark.parametrize("mistake", CASES)
def test_torch_refuses_it_too(mistake):
    assert both(lambda t: check(t, mistake, raise_exception=False)) is False


def test_the_first_order_of_the_detached_value_is_right():
    x = tinygrad_edu.tensor([0.5, -1.25, 2.0], dtype=tinygrad_edu.float64, requires_grad=True)
    assert tinygrad_edu.autograd.gradcheck(mistakes(tinygrad_edu)["second_order"].apply, x, explain=True)


def test_no_golden_report_lies_there_unused():
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(CASES)

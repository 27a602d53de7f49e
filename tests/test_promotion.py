"""Result dtypes of all pairs of dtypes, ranks and Python numbers, beside torch."""

from __future__ import annotations

import operator

import pytest

from tests.oracle import ours, outcome, torch

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # torch's advice, given by us too
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
OPERATIONS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "gt": operator.gt,
    "eq": operator.eq,
    "and": operator.and_,
}
VALUES = [(dtype, value) for dtype in DTYPES for value in ([1, 1], 1)]  # a vector and a 0-d tensor of each dtype
NUMBERS = [True, 2, 2.5]


def make(t, operand):
    """Return a tensor of (dtype, value), or the Python number."""
    return t.tensor(operand[1], dtype=getattr(t, operand[0])) if isinstance(operand, tuple) else operand


def dtype_of(t, program):
    """Return the dtype a program's result prints, or the class of its exception."""
    result = outcome(program, t)
    return type(result).__name__ if isinstance(result, Exception) else str(result.dtype)


def count_agreeing(programs):
    """Require the same dtype from both for each named program; return how many there were."""
    wrong = {}
    for name, program in programs.items():
        theirs = outcome(program, torch)
        if isinstance(theirs, Exception):
            mine = outcome(program, ours())
            if "not implemented for" not in str(theirs) and not isinstance(mine, Exception):
                wrong[name] = f"torch raises {theirs!r}, we return {mine.dtype}"
        elif dtype_of(ours(), program) != str(theirs.dtype):
            wrong[name] = f"{dtype_of(ours(), program)}, torch's {theirs.dtype}"
    assert wrong == {}
    return len(programs)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_pair_of_operands_gives_torchs_dtype(name):
    apply = OPERATIONS[name]
    programs = {}
    for x in VALUES:
        for y in [*VALUES, *NUMBERS]:
            programs[f"{x} {name} {y}"] = lambda t, x=x, y=y: apply(make(t, x), make(t, y))
            programs[f"{y} {name} {x}"] = lambda t, x=x, y=y: apply(make(t, y), make(t, x))
    assert count_agreeing(programs) == 18 * 18 + 2 * 18 * 3


def test_named_functions_promote_as_torch():
    programs = {}
    for x in VALUES:
        for y in VALUES:
            for name in ("maximum", "minimum", "result_type", "where", "cat", "stack", "floor_divide", "true_divide"):

                def program(t, x=x, y=y, name=name):
                    a, b = make(t, x), make(t, y)
                    if name == "where":
                        return t.where(t.tensor(True), a, b)
                    if name == "stack":
                        return t.stack([a.reshape(-1)[:1], b.reshape(-1)[:1]])
                    if name == "cat":
                        return t.cat([a.reshape(-1), b.reshape(-1)])
                    if name == "result_type":
                        return t.empty(1, dtype=t.result_type(a, b))
                    return getattr(t, name)(a, b)

                programs[f"{name}({x}, {y})"] = program
    assert count_agreeing(programs) == 8 * 18 * 18


def test_functions_of_one_argument_lift_whole_numbers_as_torch():
    names = ("exp", "sqrt", "sigmoid", "sin", "sum", "prod", "cumsum", "abs", "square", "argmax", "round", "reciprocal")
    names += ("amax", "neg", "logsumexp", "floor", "isnan", "sign", "norm", "mean", "std", "softmax", "relu")
    programs = {}
    for x in VALUES:
        for name in names:
            settings = (0,) if name in ("cumsum", "logsumexp", "softmax") else ()
            programs[f"{name}({x})"] = lambda t, x=x, name=name, settings=settings: getattr(t, name)(
                make(t, x), *settings
            )
    assert count_agreeing(programs) == 18 * 23


@pytest.mark.parametrize("name", ["iadd", "imul", "itruediv", "ipow", "iand"])
def test_in_place_writes_keep_their_dtype_or_are_refused(name):
    programs = {}
    for x in VALUES:
        for y in [*VALUES, *NUMBERS]:
            if x[1] != 1 or not isinstance(y, tuple) or y[1] == 1:  # the result must fit the shape
                programs[f"{x} {name} {y}"] = lambda t, x=x, y=y: getattr(operator, name)(make(t, x), make(t, y))
    assert count_agreeing(programs) >= 290


def test_the_default_dtype_decides_for_numbers():
    def program(t):
        t.set_default_dtype(t.float64)
        try:
            made = [
                t.tensor(1.5),
                t.ones(1),
                t.tensor(1) + 1.5,
                t.tensor(1) / 2,
                t.arange(0.0, 1.0),
                t.exp(t.tensor(1)),
            ]
            return t.cat([t.empty(1, dtype=x.dtype) for x in made]) if len({x.dtype for x in made}) == 1 else made[99]
        finally:
            t.set_default_dtype(t.float32)

    assert count_agreeing({"float64": program}) == 1

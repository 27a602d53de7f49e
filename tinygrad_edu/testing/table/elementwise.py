"""Operations that treat each element by itself."""

from __future__ import annotations

import operator

import numpy as np

from .._draw import cases, one, two
from .row import FLOATS, Kind, Point, Row

A = np.array
WRONG_PAIR = (A([1.0, 2.0]), A([1.0, 2.0, 3.0]))
EQUAL = (Point("x = y", (A(1.0), A(1.0)), Kind.TIE),)
BY_ZERO = (
    Point("a number divided by zero", (A(1.0), A(0.0)), Kind.SINGULAR, "1 / y and -x / y² as IEEE divides"),
    Point("zero divided by zero", (A(0.0), A(0.0)), Kind.SINGULAR, "1 / y and -x / y² as IEEE divides"),
)
WHOLE_QUOTIENT = (
    Point("the quotient is an integer", (A(4.0), A(2.0)), Kind.JUMP),
    Point("a number divided by zero", (A(1.0), A(0.0)), Kind.SINGULAR, "0, as wherever something is rounded"),
)
WHOLE_REST = (
    Point("x is a multiple of y", (A(4.0), A(2.0)), Kind.JUMP, "1 for x, minus the rounded quotient for y"),
    Point("the remainder by zero", (A(1.0), A(0.0)), Kind.SINGULAR),
)
AT_ZERO = Point("x = 0", (A(0.0),), Kind.SINGULAR)
AT_ONE = Point("x is an integer", (A(1.0),), Kind.JUMP)
AT_HALF = Point("x lies half-way between integers", (A(0.5),), Kind.JUMP)


def with_number(low=-2.0, high=2.0, numbers=(2, -1, 0.5, True)):
    """Return the cases of an array and a Python number."""
    return cases(lambda d: (d.array(None, low, high), d.pick(*numbers)))


def smooth(name, low=-2.0, high=2.0, **settings):
    """Return the row of a smooth function of one argument."""
    settings = {"order": 3} | settings
    return Row(name=name, call=lambda t, x: getattr(t, name)(x), sample=one(low, high, away=()), **settings)


def steps(name, *points, **settings):
    """Return the row of a piecewise constant function: its gradient is zero."""
    away = (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)
    return Row(
        name=name, call=lambda t, x: getattr(t, name)(x), sample=one(away=away), order=2, points=points, **settings
    )


ROWS = [
    Row(
        name="add",
        call=lambda t, x, y: t.add(x, y),
        sample=two(),
        order=3,
        operator=operator.add,
        augmented=operator.iadd,
        bad=(WRONG_PAIR,),
    ),
    Row(
        name="add",
        call=lambda t, x, y, a: t.add(x, y, alpha=a),
        dtypes=FLOATS,
        order=3,
        sample=cases(lambda d: (d.array(s := d.shape()), d.array(d.alike(s)), d.pick(2, -0.5, 1.0))),
    ),
    Row(
        name="add",
        call=lambda t, x, y: t.add(x, y),
        sample=with_number(),
        operator=operator.add,
        augmented=operator.iadd,
    ),
    Row(name="__radd__", call=lambda t, x, y: y + x, sample=with_number()),
    Row(
        name="sub",
        call=lambda t, x, y: t.sub(x, y),
        sample=two(),
        order=3,
        operator=operator.sub,
        augmented=operator.isub,
        bad=(WRONG_PAIR, (A([True]), A([False]))),
    ),
    Row(
        name="sub",
        call=lambda t, x, y, a: t.sub(x, y, alpha=a),
        dtypes=FLOATS,
        sample=cases(lambda d: (d.array(s := d.shape()), d.array(d.alike(s)), d.pick(2, -0.5))),
    ),
    Row(
        name="sub",
        call=lambda t, x, y: t.sub(x, y),
        sample=with_number(numbers=(2, -1, 0.5)),
        operator=operator.sub,
        augmented=operator.isub,
    ),
    Row(name="__rsub__", call=lambda t, x, y: y - x, sample=with_number(numbers=(2, -1, 0.5))),
    Row(name="rsub", call=lambda t, x, y: t.rsub(x, y), sample=two(), bad=(WRONG_PAIR,)),
    Row(
        name="rsub",
        call=lambda t, x, y, a: t.rsub(x, y, alpha=a),
        dtypes=FLOATS,
        sample=cases(lambda d: (d.array(), d.pick(2.0, 3), d.pick(2, -0.5))),
    ),
    Row(
        name="mul",
        call=lambda t, x, y: t.mul(x, y),
        sample=two(),
        order=3,
        operator=operator.mul,
        augmented=operator.imul,
        spellings={"torch.multiply": lambda t, x, y: t.multiply(x, y)},
        bad=(WRONG_PAIR,),
    ),
    Row(
        name="mul",
        call=lambda t, x, y: t.mul(x, y),
        sample=with_number(),
        operator=operator.mul,
        augmented=operator.imul,
    ),
    Row(name="__rmul__", call=lambda t, x, y: y * x, sample=with_number()),
    Row(
        name="div.no_rounding_mode",
        call=lambda t, x, y: t.div(x, y),
        sample=two(),
        order=3,
        operator=operator.truediv,
        augmented=operator.itruediv,
        bad=(WRONG_PAIR,),
        points=BY_ZERO,
    ),
    Row(
        name="div.no_rounding_mode",
        call=lambda t, x, y: t.div(x, y),
        sample=with_number(numbers=(2, -0.5, 3.0)),
        operator=operator.truediv,
        augmented=operator.itruediv,
    ),
    Row(
        name="__rdiv__",
        call=lambda t, x, y: y / x,
        sample=with_number(),
        order=3,
        points=(Point("x = 0", (A(0.0), 2), Kind.SINGULAR),),
    ),
    Row(name="true_divide", call=lambda t, x, y: t.true_divide(x, y), sample=two(), bad=(WRONG_PAIR,), points=BY_ZERO),
    Row(
        name="div.floor_rounding",
        call=lambda t, x, y: t.div(x, y, rounding_mode="floor"),
        sample=two(),
        dtypes=FLOATS,
        finite=False,
        points=WHOLE_QUOTIENT,
        bad=(WRONG_PAIR,),
    ),
    Row(
        name="div.trunc_rounding",
        call=lambda t, x, y: t.div(x, y, rounding_mode="trunc"),
        sample=two(),
        dtypes=FLOATS,
        finite=False,
        points=WHOLE_QUOTIENT,
        bad=(WRONG_PAIR,),
    ),
    Row(
        name="div.trunc_rounding",
        call=lambda t, x, y: t.div(x, y, rounding_mode="trunc"),
        order=0,
        sample=cases(lambda d: (d.whole((3,), -7, 7), d.whole((2, 3), 1, 4))),
    ),
    Row(
        name="div.trunc_rounding",
        call=lambda t, x, y: t.div(x, y, rounding_mode="up"),
        sample=two(),
        order=0,
        bad=((A([1.0]), A([1.0])),),
    ),
    Row(
        name="floor_divide",
        call=lambda t, x, y: t.floor_divide(x, y),
        sample=two(),
        order=0,
        dtypes=FLOATS,
        operator=operator.floordiv,
        augmented=operator.ifloordiv,
        bad=(WRONG_PAIR,),
    ),
    Row(
        name="floor_divide",
        call=lambda t, x, y: t.floor_divide(x, y),
        order=0,
        operator=operator.floordiv,
        sample=cases(lambda d: (d.whole((2, 3), -7, 7), d.pick(2, 3, -3))),
    ),
    Row(
        name="remainder",
        call=lambda t, x, y: t.remainder(x, y),
        sample=two(),
        dtypes=FLOATS,
        finite=False,
        operator=operator.mod,
        augmented=operator.imod,
        bad=(WRONG_PAIR,),
        points=WHOLE_REST,
    ),
    Row(
        name="remainder",
        call=lambda t, x, y: t.remainder(x, y),
        operator=operator.mod,
        finite=False,
        sample=with_number(numbers=(2, -3, 0.7)),
        points=(Point("x is a multiple of the number", (A(4.0), 2), Kind.JUMP),),
    ),
    Row(
        name="remainder",
        call=lambda t, x, y: t.remainder(x, y),
        operator=operator.mod,
        order=0,
        sample=cases(lambda d: (d.whole((2, 3), -7, 7), d.whole((3,), 1, 5))),
    ),
    Row(
        name="pow",
        call=lambda t, x, y: t.pow(x, y),
        sample=two(low=0.2),
        order=3,
        ties=1,
        dtypes=FLOATS,
        operator=operator.pow,
        augmented=operator.ipow,
        bad=(WRONG_PAIR,),
        points=(
            Point("zero to the power of zero", (A(0.0), A(0.0)), Kind.END, "x**0 is 1 for every x; for y see log 0"),
            Point("zero to a positive power", (A(0.0), A(2.0)), Kind.REMOVABLE, "no log 0 where x**y is 0"),
            Point("the root of zero as a power", (A(0.0), A(0.5)), Kind.END),
            Point("zero to a negative power", (A(0.0), A(-1.0)), Kind.SINGULAR),
            Point("a negative base", (A(-2.0), A(2.0)), Kind.END, "log x is not a number for y"),
        ),
    ),
    Row(
        name="pow",
        call=lambda t, x, y: t.pow(x, y),
        operator=operator.pow,
        augmented=operator.ipow,
        sample=with_number(numbers=(0, 1, 2, 3, 2.0, 3.0)),
        order=3,
        points=(
            Point("zero to the power of 0", (A(0.0), 0), Kind.REMOVABLE, "not 0 · x**-1"),
            Point("zero to the power of 1", (A(0.0), 1), Kind.REMOVABLE),
        ),
    ),
    Row(
        name="pow",
        call=lambda t, x, y: t.pow(x, y),
        operator=operator.pow,
        dtypes=FLOATS,
        sample=with_number(low=0.2, numbers=(-1, -2, 0.5, -0.5, 1.5)),
        order=3,
        points=(
            Point("zero to the power of -1", (A(0.0), -1), Kind.SINGULAR),
            Point("zero to the power of -2", (A(0.0), -2), Kind.SINGULAR),
            Point("zero to the power of 0.5", (A(0.0), 0.5), Kind.END),
            Point("zero to the power of -0.5", (A(0.0), -0.5), Kind.SINGULAR),
            Point("zero to the power of 1.5", (A(0.0), 1.5), Kind.END),
        ),
    ),
    Row(
        name="pow",
        call=lambda t, x, y: t.pow(x, y),
        operator=operator.pow,
        order=0,
        sample=cases(lambda d: (d.whole((2, 3), -4, 4), d.whole((3,), 0, 5))),
        bad=((A([2]), -1),),
    ),
    Row(
        name="__rpow__",
        call=lambda t, x, y: y**x,
        sample=with_number(numbers=(2, 0.5, 3.0)),
        dtypes=FLOATS,
        order=3,
        points=(
            Point("the base 0, a positive power", (A(1.0), 0.0), Kind.REMOVABLE, "no log 0 where 0**x is 0", order=1),
            Point("the base 0, the power 0", (A(0.0), 0.0), Kind.END, order=1),
        ),
    ),
    Row(name="maximum", call=lambda t, x, y: t.maximum(x, y), sample=two(), bad=(WRONG_PAIR,), points=EQUAL),
    Row(name="minimum", call=lambda t, x, y: t.minimum(x, y), sample=two(), bad=(WRONG_PAIR,), points=EQUAL),
    Row(name="max.binary", call=lambda t, x, y: t.max(x, y), sample=two(), bad=(WRONG_PAIR,), points=EQUAL),
    Row(name="min.binary", call=lambda t, x, y: t.min(x, y), sample=two(), bad=(WRONG_PAIR,), points=EQUAL),
    Row(name="neg", call=lambda t, x: t.neg(x), sample=one(), order=3, operator=operator.neg, bad=((A([True]),),)),
    Row(
        name="abs",
        call=lambda t, x: t.abs(x),
        sample=one(),
        operator=operator.abs,
        points=(Point("x = 0", (A(0.0),), Kind.KINK),),
    ),
    Row(name="sign", call=lambda t, x: t.sign(x), sample=one(), points=(Point("x = 0", (A(0.0),), Kind.JUMP),)),
    steps("ceil", AT_ONE),
    steps("floor", AT_ONE),
    steps("round", AT_HALF),
    Row(
        name="round.decimals_0",
        call=lambda t, x: t.round(x, decimals=0),
        dtypes=FLOATS,
        sample=one(away=(-1.5, -0.5, 0.5, 1.5)),
        points=(AT_HALF,),
    ),
    Row(
        name="round.decimals_3",
        call=lambda t, x: t.round(x, decimals=3),
        sample=one(),
        dtypes=FLOATS,
        finite=False,
        points=(Point("x lies half-way between thousandths", (A(0.0005),), Kind.JUMP),),
    ),
    Row(
        name="round.decimals_neg_3",
        call=lambda t, x: t.round(x, decimals=-3),
        sample=one(-4000, 4000),
        dtypes=FLOATS,
        finite=False,
        points=(Point("x lies half-way between thousands", (A(500.0),), Kind.JUMP),),
    ),
    smooth("exp"),
    smooth("log", 0.2, 3, points=(AT_ZERO,)),
    smooth("log10", 0.2, 3, points=(AT_ZERO,)),
    smooth("log2", 0.2, 3, points=(AT_ZERO,)),
    smooth("log1p", -0.8, 3, points=(Point("x = -1", (A(-1.0),), Kind.SINGULAR),)),
    smooth("sqrt", 0.2, 3, points=(Point("x = 0", (A(0.0),), Kind.END),)),
    smooth("rsqrt", 0.2, 3, points=(AT_ZERO,)),
    smooth("square"),
    smooth("sin"),
    smooth("cos"),
    smooth("tanh"),
    smooth("sigmoid"),
    smooth("erf"),
    Row(name="reciprocal", call=lambda t, x: t.reciprocal(x), sample=one(), order=3, points=(AT_ZERO,)),
    Row(
        name="clamp",
        call=lambda t, x, low, high: t.clamp(x, low, high),
        sample=cases(lambda d: (d.array(away=(-1, 0.5, 1)), d.pick(-1, -1.0, None), d.pick(1, 0.5))),
        spellings={
            "min=, max=": lambda t, x, low, high: t.clamp(x, min=low, max=high),
            "torch.clip": lambda t, x, low, high: t.clip(x, low, high),
        },
        bad=((A([1.0]), None, None),),
        dtypes=("float32", "int64", "bool"),  # as uint8 torch wraps a negative bound
        points=(
            Point("x = min", (A(-1.0), -1, 1), Kind.KINK, "the bound belongs to the inside"),
            Point("x = max", (A(1.0), -1, 1), Kind.KINK, "the bound belongs to the inside"),
        ),
    ),
    Row(
        name="clamp",
        call=lambda t, x, low, high: t.clamp(x, low, high),
        dtypes=FLOATS,
        sample=cases(
            lambda d: (
                d.array(s := d.shape(), away=()),
                d.array(d.alike(s, grow=False), -2, -0.5),
                d.array(d.alike(s, grow=False), -1, 1),
            )
        ),
        points=(
            Point("x = min, a tensor", (A(-1.0), A(-1.0), A(1.0)), Kind.TIE, "x gets it, the bound nothing"),
            Point("x = max, a tensor", (A(1.0), A(-1.0), A(1.0)), Kind.TIE, "x gets it, the bound nothing"),
            Point("min = max, both tensors", (A(0.5), A(1.0), A(1.0)), Kind.TIE, "max is taken last"),
        ),
    ),
    Row(
        name="clamp_min",
        call=lambda t, x, low: t.clamp_min(x, low),
        sample=cases(lambda d: (d.array(away=(-1, 0.5)), d.pick(-1, 0.5))),
        points=(Point("x = min", (A(-1.0), -1), Kind.KINK, "the bound belongs to the inside"),),
        dtypes=("float32", "int64", "bool"),  # as uint8 torch wraps a negative bound
    ),
    Row(
        name="clamp_min",
        call=lambda t, x, low: t.clamp_min(x, low),
        sample=two(),
        dtypes=FLOATS,
        points=(Point("x = min, a tensor", (A(1.0), A(1.0)), Kind.TIE),),
    ),
    Row(
        name="clamp_max",
        call=lambda t, x, high: t.clamp_max(x, high),
        sample=cases(lambda d: (d.array(away=(-1, 0.5)), d.pick(-1, 0.5))),
        points=(Point("x = max", (A(-1.0), -1), Kind.KINK, "the bound belongs to the inside"),),
        dtypes=("float32", "int64", "bool"),  # as uint8 torch wraps a negative bound
    ),
    Row(
        name="clamp_max",
        call=lambda t, x, low: t.clamp_max(x, low),
        sample=two(),
        dtypes=FLOATS,
        points=(Point("x = max, a tensor", (A(1.0), A(1.0)), Kind.TIE),),
    ),
    Row(
        name="where",
        call=lambda t, c, x, y: t.where(c, x, y),
        sample=cases(lambda d: (d.mask(d.alike(s := d.shape())), d.array(s), d.array(d.alike(s)))),
        method=False,
        spellings={"Tensor.where": lambda t, c, x, y: x.where(c, y)},
        bad=((A([True, False]), A([1.0, 2.0, 3.0]), A([1.0])), (A([1.0, 0.0]), A([1.0]), A([2.0]))),
    ),
    Row(
        name="where",
        call=lambda t, c, x, y: t.where(c, x, y),
        method=False,
        sample=cases(lambda d: (d.mask(s := d.shape()), d.array(s), d.pick(0.0, 1, 2.5))),
    ),
    Row(
        name="where",
        call=lambda t, c, x, y: t.where(c, x, y),
        method=False,
        sample=cases(lambda d: (d.mask(s := d.shape()), d.pick(0.0, 1, 2.5), d.array(s))),
    ),
    Row(
        name="where",
        call=lambda t, c: t.where(c),
        method=False,
        order=0,
        sample=cases(lambda d: (d.mask(d.shape(least=1)),)),
    ),
]

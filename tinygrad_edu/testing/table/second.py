"""Operations of the second tier that treat elements, shapes and indices; the others have tests of their own."""

from __future__ import annotations

import operator

import numpy as np

from .._draw import cases, one, two
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)
WRONG_PAIR = (A([1.0, 2.0]), A([1.0, 2.0, 3.0]))
EQUAL = (Point("x = y", (A(1.0), A(1.0)), Kind.TIE, "unlike maximum"),)
INTEGER = (Point("x is an integer", (A(1.0),), Kind.JUMP),)
ENDS = (Point("x = -1", (A(-1.0),), Kind.END), Point("x = 1", (A(1.0),), Kind.END))
NOTHING = (Point("both -infinity", (A(-np.inf), A(-np.inf)), Kind.SINGULAR),)


def smooth(name, low=-2.0, high=2.0, **settings):
    """Return the row of a smooth function of one argument."""
    settings = {"order": 3, "dtypes": ("float32", "int64")} | settings
    return Row(name=name, call=lambda t, x: getattr(t, name)(x), sample=one(low, high, away=()), **settings)


def pair(name, low=-2.0, high=2.0, **settings):
    """Return the row of a function of two arguments that broadcast."""
    settings = {"dtypes": FLOATS, "bad": (WRONG_PAIR,)} | settings
    return Row(name=name, call=lambda t, x, y: getattr(t, name)(x, y), sample=two(low, high), **settings)


def bits(name, sign=None):
    """Return the row of an operation on the bits of whole numbers."""
    return Row(name=name, call=lambda t, x, y: getattr(t, name)(x, y), order=0, operator=sign,
               sample=cases(lambda d: (d.whole((2, 3), 0, 9), d.whole((3,), 0, 4))))  # fmt: skip


def picked(d):
    """Draw a matrix, a dimension, different places along it, and what to put there."""
    x = d.array((3, 4))
    dim = d.dim(2)
    places = np.random.default_rng(d.integer(0, 99)).permutation(x.shape[dim])[: d.integer(1, 3)]
    shape = list(x.shape)
    shape[dim] = len(places)
    return x, dim, places.astype(np.int64), d.array(tuple(shape))


ROWS = [
    smooth("tan", -1, 1),
    smooth("asin", -0.8, 0.8, dtypes=FLOATS, special=False, points=ENDS),
    smooth("acos", -0.8, 0.8, dtypes=FLOATS, special=False, points=ENDS),
    smooth("atan"),
    smooth("sinh", special=False),
    smooth("cosh", special=False),
    smooth("asinh", special=False, in_place=False),  # torch cannot differentiate that twice
    smooth("acosh", 1.2, 3, special=False, ties=0, in_place=False,  # torch cannot differentiate that twice
           points=(Point("x = 1", (A(1.0),), Kind.END),)),
    smooth("atanh", -0.8, 0.8, special=False, ties=0, in_place=False,  # torch cannot differentiate that twice
           points=(Point("x = -1", (A(-1.0),), Kind.SINGULAR), Point("x = 1", (A(1.0),), Kind.SINGULAR))),
    smooth("expm1"),
    smooth("exp2"),
    smooth("erfc"),
    smooth("sinc", -3, 3, ties=1, special=False, rtol=1e-5,
           points=(Point("x = 0", (A(0.0),), Kind.REMOVABLE, "sin(0) / 0 counts as 1"),)),
    smooth("deg2rad"),
    smooth("rad2deg"),
    Row(name="trunc", call=lambda t, x: t.trunc(x), sample=one(away=(-1, 0, 1)), points=INTEGER),
    Row(name="frac", call=lambda t, x: t.frac(x), sample=one(away=(-1, 0, 1)), dtypes=FLOATS, points=INTEGER),
    Row(name="positive", call=lambda t, x: t.positive(x), sample=one(), operator=operator.pos, dtypes=FLOATS),
    Row(name="signbit", call=lambda t, x: t.signbit(x), sample=one(), order=0),
    Row(name="nan_to_num", call=lambda t, x: t.nan_to_num(x, 1.0, 2.0, -2.0), sample=one(), dtypes=FLOATS,
        points=(Point("x = infinity", (A(np.inf),), Kind.REMOVABLE, "replaced by a constant"),
                Point("x is not a number", (A(np.nan),), Kind.REMOVABLE, "replaced by a constant"))),
    pair("atan2", order=3, special=False, ties=1, points=(
        Point("the origin", (A(0.0), A(0.0)), Kind.JUMP, "0 · 0 / 0 counts as 0"),
        Point("the cut: y = 0, x negative", (A(0.0), A(-1.0)), Kind.JUMP, "from π to -π; the slope goes on"))),
    pair("hypot", special=False, ties=1, points=(Point("the origin", (A(0.0), A(0.0)), Kind.KINK, "x / hypot is 0 / 0; norm gives 0"),)),
    pair("copysign", finite=False, ties=1, special=False, points=(
        Point("x = 0", (A(0.0), A(1.0)), Kind.KINK, order=1),
        Point("the sign of 0", (A(2.0), A(0.0)), Kind.JUMP, "-0 and 0 have signs too"))),
    pair("fmax", points=EQUAL),
    pair("fmin", points=EQUAL),
    pair("fmod", finite=False, special=False, points=(
        Point("x is a multiple of y", (A(4.0), A(2.0)), Kind.JUMP, "1 for x, minus the truncated quotient for y"),
        Point("the remainder by zero", (A(1.0), A(0.0)), Kind.SINGULAR))),
    pair("logaddexp", order=3, special=False, points=NOTHING),
    pair("logaddexp2", special=False, points=NOTHING),
    Row(name="heaviside", call=lambda t, x, y: t.heaviside(x, y), sample=two(), order=0, dtypes=FLOATS),
    Row(name="xlogy", call=lambda t, x, y: t.xlogy(x, y), sample=two(0.2, 2), dtypes=FLOATS, ties=0, special=False,
        points=(Point("0 · log 0", (A(0.0), A(0.0)), Kind.END, "0 by definition, not 0 · -∞"),
                Point("0 · log 1", (A(0.0), A(1.0)), Kind.REMOVABLE),
                Point("1 · log 0", (A(1.0), A(0.0)), Kind.SINGULAR))),
    Row(name="lerp", call=lambda t, x, y, w: t.lerp(x, y, w), dtypes=FLOATS, special=False,
        sample=cases(lambda d: (d.array(s := d.shape()), d.array(s), d.pick(0.3, 0.7, 2)))),
    Row(name="lerp", call=lambda t, x, y, w: t.lerp(x, y, w), dtypes=FLOATS, special=False,
        sample=cases(lambda d: (d.array(s := d.shape()), d.array(s), d.array(s)))),
    Row(name="addcmul", call=lambda t, x, y, z: t.addcmul(x, y, z, value=0.5), dtypes=FLOATS, special=False,
        sample=cases(lambda d: (d.array(s := d.shape()), d.array(d.alike(s)), d.array(d.alike(s))))),
    Row(name="addcdiv", call=lambda t, x, y, z: t.addcdiv(x, y, z, value=0.5), dtypes=FLOATS, special=False, ties=0,
        points=(Point("the divisor is zero", (A(1.0), A(1.0), A(0.0)), Kind.SINGULAR),),
        sample=cases(lambda d: (d.array(s := d.shape()), d.array(d.alike(s)), d.array(d.alike(s))))),
    bits("bitwise_and", operator.and_),
    bits("bitwise_or", operator.or_),
    bits("bitwise_xor", operator.xor),
    bits("bitwise_left_shift", operator.lshift),
    bits("bitwise_right_shift", operator.rshift),
    Row(name="bitwise_not", call=lambda t, x: t.bitwise_not(x), order=0, operator=operator.invert,
        sample=cases(lambda d: (d.pick(d.whole((2, 3), -4, 4), d.mask((3,))),))),
    Row(name="narrow", call=lambda t, x, dim, a, n: t.narrow(x, dim, a, n), sample=cases(
        lambda d: (d.array((3, 4)), d.dim(2), d.integer(0, 1), d.integer(0, 2))), bad=((SIX, 0, 1, 3), (SIX, 2, 0, 1))),
    Row(name="select", call=lambda t, x, dim, i: t.select(x, dim, i), sample=cases(
        lambda d: (d.array((3, 4)), d.dim(2), d.integer(-3, 2))), bad=((SIX, 0, 2), (SIX, 2, 0), (A(1.0), 0, 0))),
    Row(name="diagonal", call=lambda t, x, k, a, b: t.diagonal(x, k, a, b), sample=cases(
        lambda d: (d.array((3, 4, 2)), d.integer(-2, 2), *d.pick((0, 1), (1, 0), (-1, 0), (0, 2)))),
        bad=((SIX, 0, 0, 0), (SIX, 0, 0, 2))),
    Row(name="diag_embed", call=lambda t, x, k: t.diag_embed(x, k), sample=cases(
        lambda d: (d.array(d.shape(least=1, empty=False)), d.integer(-1, 1)))),
    Row(name="movedim", call=lambda t, x, a, b: t.movedim(x, a, b), sample=cases(
        lambda d: (d.array((2, 3, 4)), d.dim(3), d.dim(3))), bad=((SIX, 0, 2),)),
    Row(name="rot90", call=lambda t, x, k: t.rot90(x, k), sample=cases(lambda d: (d.array((2, 3)), d.integer(-2, 3)))),
    Row(name="tile", call=lambda t, x, s: t.tile(x, s), sample=cases(
        lambda d: (d.array(d.shape(most=2)), d.pick((2,), (1, 2), (2, 1, 3))))),
    Row(name="unflatten", call=lambda t, x, s: t.unflatten(x, 1, s), sample=cases(
        lambda d: (d.array((2, 6)), d.pick((2, 3), (6, 1), (-1, 2), (3, 2)))), bad=((np.zeros((2, 6)), (4, 2)),)),
    Row(name="unfold", call=lambda t, x, dim, n, s: x.unfold(dim, n, s), sample=cases(
        lambda d: (d.array((4, 5)), d.dim(2), d.integer(1, 3), d.integer(1, 2))), bad=((SIX, 0, 3, 1),)),
    Row(name="take", call=lambda t, x, i: t.take(x, i), sample=cases(
        lambda d: (d.array((3, 2)), d.whole(d.shape(), -6, 6))), bad=((SIX, A([6])),)),
    Row(name="take_along_dim", call=lambda t, x, i: t.take_along_dim(x, i, 1), sample=cases(
        lambda d: (d.array((3, 4)), d.whole((3, 2), 0, 4)))),
    Row(name="index_add", call=lambda t, x, dim, i, y: t.index_add(x, dim, i, y), sample=cases(picked), dtypes=FLOATS,
        bad=((SIX, 0, A([2]), SIX[:1]), (SIX, 0, A([0, 1]), SIX[:1]))),
    Row(name="index_add", call=lambda t, x, i, y: t.index_add(x, 0, i, y, alpha=2), dtypes=FLOATS, sample=cases(
        lambda d: (d.array((3, 2)), d.whole((4,), 0, 3), d.array((4, 2))))),
    Row(name="index_copy", call=lambda t, x, dim, i, y: t.index_copy(x, dim, i, y), sample=cases(picked),
        bad=((SIX, 0, A([2]), SIX[:1]),)),
    Row(name="index_fill", call=lambda t, x, dim, i, y: t.index_fill(x, dim, i, 2), sample=cases(picked), frozen=(3,),
        bad=((SIX, 0, A([2]), SIX),)),
    Row(name="index_put", call=lambda t, x, i, y: t.index_put(x, (i,), y), sample=cases(
        lambda d: (d.array((3, 2)), A([2, 0]), d.array((2, 2))))),
    Row(name="index_put", call=lambda t, x, i, y: t.index_put(x, (i,), y, accumulate=True), dtypes=FLOATS, sample=cases(
        lambda d: (d.array((3, 2)), d.whole((4,), 0, 3), d.array((4, 2))))),
    Row(name="scatter_add", call=lambda t, x, i, y: t.scatter_add(x, 0, i, y), dtypes=FLOATS, sample=cases(
        lambda d: (d.array((3, 2)), d.whole((4, 2), 0, 3), d.array((4, 2)))), bad=((SIX, A([[2]]), A([[1.0]])),)),
    Row(name="masked_scatter", call=lambda t, x, m, y: t.masked_scatter(x, m, y), sample=cases(
        lambda d: (d.array((3, 2)), d.mask((3, 2)), d.array((6,)))), bad=((SIX, A([True, True, True]), A([1.0])),)),
]  # fmt: skip

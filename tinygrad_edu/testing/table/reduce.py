"""Operations that fold dimensions: sums, means, extrema, norms, and those that run along one."""

from __future__ import annotations

import numpy as np

from .._draw import cases, one
from .row import FLOATS, Kind, Point, Row

A = np.array
NO_SUCH_DIM = (A([1.0, 2.0]), 1, False)
ONE_ZERO, TWO_ZEROS = A([2.0, 0.0, 3.0]), A([2.0, 0.0, 0.0])
NOTHING = A([-np.inf, -np.inf])
SPLIT, FIRST = "shared evenly among the equal ones", "the first of the equal ones"


def extreme(words, why, *settings):
    """Return the points of maxima and minima: two equal elements, with the further arguments ``settings``."""
    return (Point(words, (A([1.0, 1.0]), *settings), Kind.TIE, why),)


def zeros(*settings, kind=Kind.KINK, words="the zero vector", **more):
    """Return the point of a norm at a vector of two zeros."""
    return Point(words, (np.zeros(2), *settings), kind, **more)


def folded(low=-2.0, high=2.0, *, several=True, empty=True, least=0):
    """Return the cases of an array, a dimension (or at least so many) and keepdim."""

    def make(d):
        x = d.array(d.shape(empty=empty), low, high)
        dims = d.dims(x.ndim) if several and d.flag() else None
        if dims is None or len(dims) < least:
            dims = d.dim(x.ndim)
        return x, dims, d.flag()

    return cases(make)


def along(low=-2.0, high=2.0, *, empty=True):
    """Return the cases of an array and one dimension."""
    return cases(lambda d: (x := d.array(d.shape(empty=empty), low, high), d.dim(x.ndim)))


def fold(name, *, several=True, empty=True, low=-2.0, high=2.0, **settings):
    """Return the row of a reduction over dim."""
    settings = {"bad": (NO_SUCH_DIM, (A([[1.0]]), (0, 0), False)) if several else (NO_SUCH_DIM,)} | settings
    return Row(
        name=name,
        call=lambda t, x, dim, keepdim: getattr(t, name.split(".")[0])(x, dim, keepdim),
        sample=folded(low, high, several=several, empty=empty),
        **settings,
    )


def total(name, *, empty=True, low=-2.0, high=2.0, **settings):
    """Return the row of a reduction over everything."""
    return Row(
        name=name, call=lambda t, x: getattr(t, name.split(".")[0])(x), sample=one(low, high, empty=empty), **settings
    )


def spread(name, **settings):
    """Return the rows of std, var and var_mean."""
    base = name.split(".")[0]

    least = 2 if base.startswith("std") else 1  # of one number std is 0, its square root's kink

    def shape(d):
        return tuple(max(n, least) for n in d.shape(least=1, empty=False, size=4))

    def dims(d):
        x = d.array(shape(d))
        return x, d.pick(d.dim(x.ndim), None, tuple(range(x.ndim))), d.pick(0, 1), d.flag()

    def dims_unbiased(d):
        x = d.array(shape(d))
        return x, d.dim(x.ndim), d.flag(), d.flag()

    common = {"special": False, "ties": 0 if base.startswith("std") else 2} | settings
    same, alone = A([1.0, 1.0]), A([1.0])

    def points(after, lonely=()):
        """Return the points of a std whose further arguments are ``after``; ``lonely``: those for a single number."""
        if not base.startswith("std"):
            return ()
        constant = Point("all elements equal", (same, *after), Kind.KINK, "(x - mean) / std would be 0 / 0")
        return (constant, *(Point("a single element", (alone, *a), Kind.REMOVABLE) for a in lonely))

    if name.endswith("unbiased"):
        return [
            Row(
                name=name,
                call=lambda t, x, dim, u, k: getattr(t, base)(x, dim, u, k),
                sample=cases(dims_unbiased),
                finite=False,
                points=points((0, True, False), [(0, False, False)]),
                **common,
            ),
            Row(
                name=name,
                call=lambda t, x, u: getattr(t, base)(x, u),
                finite=False,
                points=points((False,), [(False,)]),
                sample=cases(lambda d: (d.array(shape(d)), d.flag())),
                **common,
            ),
        ]
    return [
        Row(
            name=name,
            sample=cases(dims),
            finite=False,
            points=points((0, 1, False), [(0, 0, False)]),
            bad=((A([1.0, 2.0]), 1, 1, False),),
            call=lambda t, x, dim, c, k: getattr(t, base)(x, dim, correction=c, keepdim=k),
            **common,
        ),
        Row(
            name=name,
            sample=cases(lambda d: (d.array((3, d.integer(2, 4))),)),
            order=3,
            call=lambda t, x: getattr(t, base)(x),
            points=points(()),
            **common,
        ),
        Row(
            name=name,
            sample=cases(lambda d: (d.array((3, d.integer(2, 4))), d.pick(0, 1, -1), d.flag())),
            order=3,
            call=lambda t, x, dim, k: getattr(t, base)(x, dim, keepdim=k),
            points=points((0, False)),
            **common,
        ),
    ]


ROWS = [
    total("sum", order=3),
    fold("sum", order=3),
    Row(
        name="sum",
        call=lambda t, x, dtype: t.sum(x, dtype=getattr(t, dtype)),
        sample=cases(lambda d: (d.array(), d.pick("float64", "float32"))),
        special=False,
        finite=False,
        rtol=1e-5,
    ),
    Row(name="sum", call=lambda t, x, axis: t.sum(x, axis=axis, keepdims=True), sample=along()),
    Row(
        name="sum",
        call=lambda t, x: t.sum(x, dtype=t.int64),
        sample=one(),
        order=0,
        special=False,
    ),
    total("mean", order=3, bad=((A([1, 2]),),)),
    fold("mean", order=3),
    Row(
        name="mean",
        call=lambda t, x: t.mean(x, 0, dtype=t.float32),
        finite=False,
        rtol=1e-5,
        sample=cases(lambda d: (d.array(d.shape(least=1)),)),
    ),
    total(
        "prod",
        order=3,
        points=(
            Point("a zero among the factors", (ONE_ZERO,), Kind.REMOVABLE, "not product / x"),
            Point("two zeros among the factors", (TWO_ZEROS,), Kind.REMOVABLE, "not product / x"),
        ),
    ),
    Row(
        name="prod",
        call=lambda t, x, dim, k: t.prod(x, dim, k),
        sample=folded(several=False),
        order=3,
        bad=(NO_SUCH_DIM,),
        points=(Point("a zero among the factors", (ONE_ZERO, 0, False), Kind.REMOVABLE, "not product / x"),),
    ),
    total(
        "max.reduction_no_dim",
        empty=False,
        bad=((np.zeros(0),),),
        points=(
            *extreme("two equal maxima", SPLIT),
            Point("three equal maxima", (A([1.0, 1.0, 1.0]),), Kind.TIE, SPLIT),
        ),
    ),
    total("min.reduction_no_dim", empty=False, bad=((np.zeros(0),),), points=extreme("two equal minima", SPLIT)),
    fold(
        "max.reduction_with_dim",
        several=False,
        empty=False,
        bad=(NO_SUCH_DIM, (np.zeros((2, 0)), 1, False)),
        points=extreme("two equal maxima", FIRST, 0, False),
    ),
    fold(
        "min.reduction_with_dim",
        several=False,
        empty=False,
        bad=(NO_SUCH_DIM, (np.zeros((2, 0)), 1, False)),
        points=extreme("two equal minima", FIRST, 0, False),
    ),
    Row(
        name="max.reduction_with_dim",
        sample=cases(lambda d: (d.array((2, 3)),)),
        call=lambda t, x: (lambda r: (r.values, r.indices))(t.max(x, dim=1)),
        points=(Point("two equal maxima", (A([[1.0, 1.0]]),), Kind.TIE, FIRST),),
    ),
    fold(
        "amax",
        empty=False,
        bad=(NO_SUCH_DIM, (np.zeros((2, 0)), 1, False)),
        points=extreme("two equal maxima", SPLIT, 0, False),
    ),
    fold(
        "amin",
        empty=False,
        bad=(NO_SUCH_DIM, (np.zeros((2, 0)), 1, False)),
        points=extreme("two equal minima", SPLIT, 0, False),
    ),
    total("amax", empty=False, points=extreme("two equal maxima", SPLIT)),
    total("amin", empty=False, points=extreme("two equal minima", SPLIT)),
    total("argmax", empty=False, order=0, bad=((np.zeros(0),),)),
    total("argmin", empty=False, order=0, bad=((np.zeros(0),),)),
    fold("argmax", several=False, empty=False, order=0),
    fold("argmin", several=False, empty=False, order=0),
    total(
        "median",
        empty=False,
        points=(
            *extreme("two elements, equal", SPLIT),
            Point("the median occurs twice", (A([1.0, 1.0, 2.0]),), Kind.TIE, SPLIT),
        ),
    ),
    Row(
        name="median",
        call=lambda t, x, dim, k: t.median(x, dim, k),
        sample=folded(several=False, empty=False),
        ties=0,
        special=False,
        dtypes=FLOATS,
        bad=(NO_SUCH_DIM,),
        points=(Point("the median occurs twice", (A([1.0, 1.0, 2.0]), 0, False), Kind.TIE, "one of the equal ones"),),
    ),
    Row(
        name="median",
        call=lambda t, x, dim: t.median(x, dim).values,
        sample=along(empty=False),
        ties=1,
        points=extreme("two elements, equal", "one of the equal ones", 0),
    ),
    Row(
        name="logsumexp",
        call=lambda t, x, dim, k: t.logsumexp(x, dim, k),
        sample=folded(least=1),
        order=3,
        bad=(NO_SUCH_DIM,),
        points=(
            Point("nothing but -infinity", (NOTHING, 0, False), Kind.SINGULAR, "not exp(-∞ + ∞)"),
            Point("-infinity among numbers", (A([-np.inf, 0.0]), 0, False), Kind.REMOVABLE),
        ),
    ),
    Row(name="cumsum", call=lambda t, x, dim: t.cumsum(x, dim), sample=along(), order=3, bad=((A([1.0]), 1),)),
    Row(
        name="cumsum",
        call=lambda t, x: t.cumsum(x, 0, dtype=t.float32),
        sample=one(least=1),
        finite=False,
        rtol=1e-5,
        in_place=False,
    ),
    *spread("std"),
    *spread("var"),
    *spread("var_mean"),
    *spread("std.unbiased"),
    *spread("var.unbiased"),
    *spread("var_mean.unbiased"),
    total("norm", ties=1, dtypes=FLOATS, points=(zeros(),)),
    Row(
        name="norm",
        call=lambda t, x, p, dim, k: t.norm(x, p, dim, k),
        dtypes=FLOATS,
        ties=1,
        sample=cases(
            lambda d: (
                x := d.array(d.shape(least=1, empty=False)),
                d.pick(1, 2, 3, 0.5, 2.0, 1.5),
                d.dim(x.ndim),
                d.flag(),
            )
        ),
        points=(
            zeros(1, 0, False, words="the zero vector, p = 1"),
            zeros(1.5, 0, False, words="the zero vector, p = 1.5", order=1),
            zeros(2, 0, False, words="the zero vector, p = 2"),
            zeros(3, 0, False, words="the zero vector, p = 3", order=1),
            Point("a zero among others, p = 1", (A([0.0, 1.0]), 1, 0, False), Kind.KINK),
            Point("a zero among others, p = 0.5", (A([0.0, 1.0]), 0.5, 0, False), Kind.SINGULAR, order=1),
            Point(
                "a zero among others, p = 1.5", (A([0.0, 1.0]), 1.5, 0, False), Kind.BEND, "0 · ∞ counts as 0", order=1
            ),
        ),
    ),
    Row(name="norm.fro", call=lambda t, x: t.norm(x, "fro"), sample=one(), dtypes=FLOATS, ties=1, points=(zeros(),)),
    Row(
        name="norm.fro",
        call=lambda t, x, dim, k: t.norm(x, "fro", dim, k),
        dtypes=FLOATS,
        ties=1,
        sample=cases(lambda d: (x := d.array(d.shape(least=1)), d.dim(x.ndim), d.flag())),
        points=(zeros(0, False),),
    ),
    Row(
        name="norm.inf",
        call=lambda t, x, p: t.norm(x, p),
        dtypes=FLOATS,
        ties=1,
        sample=cases(lambda d: (d.array(d.shape(empty=False)), d.pick(float("inf"), -float("inf")))),
        points=(
            Point("two of the same largest size", (A([1.0, -1.0]), np.inf), Kind.TIE, SPLIT),
            Point("two of the same least size", (A([1.0, -1.0]), -np.inf), Kind.TIE, SPLIT),
            zeros(np.inf),
            Point("a zero is the least", (A([0.0, 1.0]), -np.inf), Kind.KINK),
        ),
    ),
    Row(
        name="norm.inf",
        call=lambda t, x, p, dim, k: t.norm(x, p, dim, k),
        dtypes=FLOATS,
        ties=1,
        sample=cases(
            lambda d: (
                x := d.array(d.shape(least=1, empty=False)),
                d.pick(float("inf"), -float("inf")),
                d.dim(x.ndim),
                d.flag(),
            )
        ),
        points=(
            Point("two of the same largest size", (A([1.0, -1.0]), np.inf, 0, False), Kind.TIE, SPLIT),
            zeros(np.inf, 0, False),
        ),
    ),
    Row(
        name="linalg.norm",
        call=lambda t, x: t.linalg.norm(x),
        sample=one(),
        dtypes=FLOATS,
        ties=1,
        points=(zeros(),),
    ),
    Row(
        name="linalg.norm",
        call=lambda t, x, p, dim, k: t.linalg.norm(x, p, dim, k),
        dtypes=FLOATS,
        ties=1,
        sample=cases(
            lambda d: (
                x := d.array(d.shape(least=1, empty=False)),
                d.pick(None, 1, 2, 3, 0, float("inf")),
                d.dim(x.ndim),
                d.flag(),
            )
        ),
        points=(
            zeros(1, 0, False, words="the zero vector, p = 1"),
            zeros(2, 0, False, words="the zero vector, p = 2"),
            zeros(3, 0, False, words="the zero vector, p = 3", order=1),
            zeros(0, 0, False, kind=Kind.JUMP, words="the zero vector, p = 0", why="the count of what is not zero"),
            Point("two of the same largest size", (A([1.0, -1.0]), np.inf, 0, False), Kind.TIE, SPLIT),
        ),
        bad=((A([1.0]), 2, 1, False),),
    ),
    Row(
        name="linalg.norm",
        call=lambda t, x, p: t.linalg.norm(x, p),
        dtypes=FLOATS,
        ties=1,
        layouts=False,
        sample=cases(
            lambda d: (d.array((d.integer(1, 3), d.integer(1, 3))), d.pick("fro", 1, -1, float("inf"), -float("inf")))
        ),
        points=(
            Point("the zero matrix", (np.zeros((1, 2)), "fro"), Kind.KINK),
            Point("a zero in a matrix, column sums", (A([[0.0], [1.0]]), 1), Kind.KINK),
            Point("two columns with the largest sum", (A([[1.0, 1.0]]), 1), Kind.TIE, SPLIT),
            Point("two columns with the least sum", (A([[1.0, 1.0]]), -1), Kind.TIE, SPLIT),
            Point("two rows with the largest sum", (A([[1.0], [1.0]]), np.inf), Kind.TIE, SPLIT),
            Point("two rows with the least sum", (A([[1.0], [1.0]]), -np.inf), Kind.TIE, SPLIT),
        ),
    ),
    Row(
        name="linalg.norm.subgradients_at_zero",
        dtypes=FLOATS,
        order=1,
        finite=False,
        special=False,
        call=lambda t, x, p: t.linalg.norm(x * 0, p),
        sample=cases(lambda d: (d.array((d.integer(1, 4),)), d.pick(None, 1, 2, 3, float("inf")))),
        points=(
            Point("the norm of x · 0", (A([1.0, 2.0]), None), Kind.REMOVABLE, "0 passes nothing on, and nan neither"),
        ),
    ),
]

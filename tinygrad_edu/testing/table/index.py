"""Operations that pick, place and order elements."""

from __future__ import annotations

import numpy as np

from .._draw import cases, one
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)


def equals(*settings, why="the order of the equal ones is kept"):
    """Return the point of an ordering of two equal numbers, whose first result is looked at."""
    return (Point("two equal elements", (A([1.0, 1.0]), *settings), Kind.TIE, why),)


def basic(d, least=0):
    """Draw an array and a basic index of at least so many integers and slices; None and Ellipsis too."""
    x = d.array(d.shape(least=1, empty=False))
    index = []
    for n in x.shape[: d.integer(least, x.ndim)]:
        if d.integer(0, 4) == 4:
            index.append(None)
        index.append(
            d.integer(-n, n - 1)
            if d.flag()
            else slice(d.pick(None, 0, 1, -1), d.pick(None, 1, 2, -1), d.pick(None, 1, 2))
        )
    if d.integer(0, 3) == 3:
        index.append(Ellipsis)
    return x, (index[0] if len(index) == 1 and d.flag() else tuple(index))


def arrays(d):
    """Draw a matrix and an index with arrays of integers or booleans in it."""
    x = d.array((3, 2, 3))
    i, j = d.whole((d.integer(0, 3),), -3, 3), d.whole((2, 1), 0, 2)
    return x, *d.pick((i, None, "i"), (i, j, "ij"), (i, j, ":,j"), (i, j, "i,:,j"), (i, j, "j,..."), (i, j, "[i],0"))


PICKS = {
    "i": lambda x, i, j: x[i],
    "ij": lambda x, i, j: x[j, i % 2] if i is not None else x[j],
    ":,j": lambda x, i, j: x[:, j],
    "i,:,j": lambda x, i, j: x[i, :, 0],
    "j,...": lambda x, i, j: x[j, ..., 1:],
    "[i],0": lambda x, i, j: x[i, 0],
}


def put(t, x, index, y):
    """Assign into a copy."""
    z = x.clone()
    z[index] = y
    return z


def gathered(d):
    """Draw an array, a dimension, and an index not larger than it elsewhere."""
    shape = d.shape(least=1, empty=False)
    dim = d.dim(len(shape))
    own = tuple(d.integer(0, 3) if i == dim % len(shape) else d.integer(1, n) for i, n in enumerate(shape))
    return d.array(shape), dim, d.whole(own, 0, shape[dim])


def scattered(d):
    """Draw an array, a dimension, an index whose places differ along it, and a source."""
    shape = d.shape(least=1, empty=False)
    dim = d.dim(len(shape))
    own = tuple(d.integer(0, n) if i == dim % len(shape) else n for i, n in enumerate(shape))
    places = np.moveaxis(d.whole(shape, 0, 1), dim, -1)
    rng = np.random.default_rng(d.integer(0, 99))
    order = np.moveaxis(rng.permuted(places + np.arange(shape[dim]), axis=-1), -1, dim)
    return d.array(shape), dim, order[tuple(slice(n) for n in own)].copy(), d.array(own)


def selected(d):
    """Draw an array, a dimension, and a list of its places."""
    x = d.array(d.shape(least=1, empty=False))
    dim = d.dim(x.ndim)
    return x, dim, d.whole((d.integer(0, 4),), 0, x.shape[dim])


ROWS = [
    Row(
        name="__getitem__",
        call=lambda t, x, i: x[i],
        sample=cases(basic),
        order=3,
        bad=(
            (SIX, 2),
            (SIX, (0, 3)),
            (SIX, (0, 0, 0)),
            (A(1.0), 0),
            (SIX, 1.5),
            (SIX, slice(None, None, -1)),
            (SIX, "a"),
        ),
    ),
    Row(
        name="__getitem__",
        call=lambda t, x, i, j, how: PICKS[how](x, i, j),
        sample=cases(arrays),
        bad=((np.zeros((3, 2, 3)), A([3]), A([0]), "i"), (np.zeros((3, 2, 3)), A([0]), A([2]), ":,j")),
    ),
    Row(
        name="__getitem__",
        call=lambda t, x, m: x[m],
        bad=((SIX, A([True, False, True])),),
        sample=cases(lambda d: (x := d.array(d.shape(least=1)), d.mask(x.shape[: d.integer(1, x.ndim)]))),
    ),
    Row(
        name="__getitem__",
        call=lambda t, x, i: x[i],
        at_least=3,
        sample=cases(lambda d: (d.array((3, 2)), d.pick([0, 0, 2], [True, False, True], [-1], []))),
    ),
    Row(  # x[:] = 0 is FillBackward3 to torch, which takes it for a fill; here every assignment is CopySlices
        name="__getitem__",
        call=put,
        sample=cases(lambda d: (*basic(d, 1), d.pick(0.0, 2, -1.5))),
        named=False,
    ),
    Row(
        name="__getitem__",
        call=put,
        sample=cases(lambda d: (d.array((3, 2)), d.pick(0, -1, (slice(None), 1), slice(1, 2)), d.pick(0.0, 2, -1.5))),
    ),
    Row(
        name="__getitem__",
        call=lambda t, x, y: put(t, x, (slice(None), 1), y),
        bad=((SIX, A([1.0, 2.0, 3.0])),),
        sample=cases(lambda d: (d.array((3, 2)), d.array(d.pick((3,), (1,), ())))),
    ),
    Row(
        name="__getitem__",
        call=lambda t, x, m, y: put(t, x, m, y),
        sample=cases(lambda d: (d.array((3, 2)), d.mask((3, 2)), d.pick(0.0, 2, d.array(())))),
    ),
    Row(
        name="__getitem__",
        call=lambda t, x, i, y: put(t, x, i, y),
        bad=((SIX, A([5]), A([1.0])),),
        sample=cases(lambda d: (d.array((3, 2)), A([2, 0]), d.array((2, 2)))),
    ),
    Row(
        name="index_select",
        call=lambda t, x, dim, i: t.index_select(x, dim, i),
        sample=cases(selected),
        bad=((SIX, 0, A([2])), (SIX, 2, A([0])), (SIX, 0, A([[0]])), (SIX, 0, A([0.0]))),
    ),
    Row(
        name="gather",
        call=lambda t, x, dim, i: t.gather(x, dim, i),
        sample=cases(gathered),
        bad=((SIX, 0, A([[2]])), (SIX, 2, A([[0]])), (SIX, 0, A([0])), (SIX, 0, A([[0.0]]))),
    ),
    Row(
        name="scatter",
        call=lambda t, x, dim, i, s: t.scatter(x, dim, i, s),
        sample=cases(scattered),
        bad=((SIX, 0, A([[2]]), A([[1.0]])), (SIX, 2, A([[0]]), A([[1.0]])), (SIX, 0, A([[0, 0]]), A([[1.0]]))),
    ),
    Row(
        name="scatter",
        call=lambda t, x, dim, i, v: t.scatter(x, dim, i, v),
        dtypes=("float32", "int64"),
        sample=cases(lambda d: (*gathered(d), d.pick(0.0, 2, -1.5))),
    ),
    Row(
        name="masked_fill",
        call=lambda t, x, m, v: t.masked_fill(x, m, v),
        bad=((SIX, A([True, False]), 1.0),),
        sample=cases(lambda d: (x := d.array(), d.mask(d.alike(x.shape)), d.pick(0.0, 2, -1.5))),
    ),
    Row(
        name="masked_fill",
        call=lambda t, x, m, v: t.masked_fill(x, m, v),
        bad=((SIX, A([True, False, True]), A([1.0])), (SIX, A([1.0, 0.0, 1.0]), A(1.0))),
        sample=cases(lambda d: (x := d.array(), d.mask(d.alike(x.shape)), d.array(()))),
    ),
    Row(
        name="masked_select",
        call=lambda t, x, m: t.masked_select(x, m),
        bad=((SIX, A([True, False])),),
        sample=cases(lambda d: (x := d.array(), d.mask(d.alike(x.shape)))),
    ),
    Row(name="nonzero", call=lambda t, x: t.nonzero(x), order=0, sample=cases(lambda d: (np.rint(d.array()),))),
    Row(
        name="nonzero",
        call=lambda t, x: t.nonzero(x, as_tuple=True),
        order=0,
        sample=cases(lambda d: (np.rint(d.array(d.shape(least=1))),)),
    ),
    Row(
        name="sort",
        call=lambda t, x, dim, down: t.sort(x, dim, down),
        ties=0,
        special=False,
        dtypes=FLOATS,
        sample=cases(lambda d: (x := d.array(), d.dim(x.ndim), d.flag())),
        bad=((SIX, 2, False),),
        points=equals(0, False, why="any of the equal ones"),
    ),
    Row(
        name="sort",
        call=lambda t, x, dim, down: t.sort(x, dim=dim, descending=down, stable=True),
        sample=cases(lambda d: (x := d.array(), d.dim(x.ndim), d.flag())),
        points=equals(0, False) + equals(0, True),
    ),
    Row(
        name="sort",
        call=lambda t, x: (lambda r: (r.values, r.indices))(t.sort(x)),
        ties=0,
        special=False,
        dtypes=FLOATS,
        sample=one(),
        points=equals(why="any of the equal ones"),
    ),
    Row(
        name="argsort",
        call=lambda t, x, dim, down: t.argsort(x, dim, down),
        ties=0,
        special=False,
        order=0,
        dtypes=FLOATS,
        sample=cases(lambda d: (x := d.array(), d.dim(x.ndim), d.flag())),
        bad=((SIX, 2, False),),
    ),
    Row(
        name="argsort",
        call=lambda t, x, dim: t.argsort(x, dim=dim, stable=True),
        order=0,
        special=False,
        sample=cases(lambda d: (x := d.array(), d.dim(x.ndim))),
    ),
    Row(
        name="topk",
        call=lambda t, x, k, dim, big: t.topk(x, k, dim, big),
        ties=0,
        special=False,
        dtypes=FLOATS,
        sample=cases(
            lambda d: (x := d.array(d.shape(least=1)), d.integer(0, x.shape[dim := d.dim(x.ndim)]), dim, d.flag())
        ),
        bad=((SIX, 4, 1, True), (SIX, 1, 2, True), (SIX, -1, 1, True)),
        points=equals(1, 0, True, why="any of the equal ones") + equals(1, 0, False, why="any of the equal ones"),
    ),
    Row(
        name="unique",
        call=lambda t, x: t.unique(x),
        order=0,
        special=False,
        sample=cases(lambda d: (np.rint(d.array()),)),
    ),
    Row(
        name="unique",
        call=lambda t, x: t.unique(x, return_inverse=True, return_counts=True),
        order=0,
        special=False,
        sample=cases(lambda d: (np.rint(d.array()),)),
    ),
    Row(
        name="unique",
        call=lambda t, x: t.unique(x, dim=0),
        order=0,
        special=False,
        method=False,
        sample=cases(lambda d: (np.rint(d.array((4, 2), 0, 1)),)),
    ),
    Row(
        name="bincount",
        call=lambda t, x, n: t.bincount(x, minlength=n),
        order=0,
        sample=cases(lambda d: (d.whole((d.integer(0, 5),), 0, 4), d.integer(0, 6))),
        bad=((A([-1]), 0), (A([[1]]), 0), (A([1.0]), 0)),
    ),
    Row(
        name="bincount",
        call=lambda t, x, w: t.bincount(x, w),
        order=0,
        bad=((A([1, 2]), A([1.0])),),
        special=False,
        sample=cases(lambda d: (x := d.whole((d.integer(0, 5),), 0, 4), d.array(x.shape))),
    ),
    Row(
        name="tril",
        call=lambda t, x, k: t.tril(x, k),
        bad=((A([1.0]), 0),),
        sample=cases(lambda d: (d.array(d.shape(least=2)), d.integer(-2, 2))),
    ),
    Row(
        name="triu",
        call=lambda t, x, k: t.triu(x, k),
        bad=((A([1.0]), 0),),
        sample=cases(lambda d: (d.array(d.shape(least=2)), d.integer(-2, 2))),
    ),
    Row(
        name="diag",
        call=lambda t, x, k: t.diag(x, k),
        bad=((A(1.0), 0), (np.zeros((1, 1, 1)), 0)),
        sample=cases(lambda d: (d.array(d.shape(least=1, most=2, empty=False)), d.integer(0, 1))),
    ),
    Row(name="diag", call=lambda t, x: t.diag(x), sample=one(least=1, most=2)),
]

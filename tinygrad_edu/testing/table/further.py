"""What no other row reaches: decompositions, running extremes, counts, rarer activations and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._draw import cases
from .linalg import square
from .nn import activation, at, with_setting
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)
SINGULAR = A([[1.0, 2.0], [2.0, 4.0]])
PRODUCT: dict[str, Any] = {"dtypes": FLOATS, "special": False}  # some BLAS skip zeros times infinity
EXACT: dict[str, Any] = {"dtypes": FLOATS, "special": False, "ties": 0}  # undefined for singular matrices


def definite(t, x):
    """Return a symmetric positive-definite matrix made of ``x``."""
    return x @ x.mT + t.eye(x.shape[-1], dtype=x.dtype)


def of_square(name, call, **settings):
    """Return the row of a function of a well-conditioned square matrix."""
    return Row(name=name, call=call, sample=cases(lambda d: (square(d),)), **(EXACT | settings))


def added(name, *shapes, **settings):
    """Return the row of a product that is added, with weights, to a matrix or vector."""
    return Row(name=name, call=lambda t, b, x, y, p, q: getattr(t, name)(b, x, y, beta=p, alpha=q), **PRODUCT,
               sample=cases(lambda d: (*(d.array(s) for s in shapes), d.pick(1, 0.5, 0), d.pick(1, -2))),
               **settings)  # fmt: skip


def tall_or_wide(d):
    """Draw matrices of full rank whose singular values lie apart."""
    n, m = d.pick((2, 2), (3, 2), (2, 3), (1, 3))
    return 0.2 * d.array((*d.pick((), (2,)), n, m)) + np.eye(n, m) * (1 + np.arange(m))


def along(name, call, **settings):
    """Return the row of a reduction or a running form along a dimension."""
    return Row(name=name, call=call, **({"dtypes": FLOATS} | settings), sample=cases(
        lambda d: (x := d.array(d.shape(empty=False)), d.dim(x.ndim))))  # fmt: skip


def with_gaps(d):
    """Draw an array with some NaN, and a dimension."""
    x = d.array((d.integer(1, 3), d.integer(1, 3)))
    return np.where(d.mask(x.shape), np.nan, x), d.dim(2)


def distances(d, p):
    """Draw two sets of points."""
    k = d.integer(1, 3)
    return d.array((d.integer(1, 3), k)), 3 + d.array((d.integer(1, 3), k)), p


def scattered(d, n):
    """Draw pooled values, and where they come from."""
    size = (4,) * n
    places = np.random.default_rng(d.integer(0, 99)).permutation(4**n)[: 2**n]
    return d.array((1, 1, *(2,) * n)), places.reshape(1, 1, *(2,) * n).astype(np.int64), size


def margins(d):
    """Draw scores, classes, and the settings of multi_margin_loss."""
    n, c = d.integer(1, 3), d.integer(2, 3)
    return (d.array((n, c)), d.whole((n,), 0, c), d.pick(1, 2), d.pick(1.0, 0.3),
            d.array((c,), 0.5, 2) if d.flag() else None, d.pick("mean", "sum", "none"))  # fmt: skip


def rrelu(t, x, training, seed):
    """Draw the slopes from a seeded generator."""
    t.manual_seed(seed)
    return t.nn.functional.rrelu(x, 0.2, 0.4, training)


def triangle(d, left):
    """Draw a triangular system: matrix, right side, upper or lower, on which side, ones on the diagonal."""
    x = square(d, batch=False)
    n, k = x.shape[-1], d.integer(1, 2)
    return x, d.array((n, k) if left else (k, n)), d.flag(), left, d.flag()


def solve_triangular(t, x, y, upper, left, ones):
    """Solve a triangular system."""
    return t.linalg.solve_triangular(x, y, upper=upper, left=left, unitriangular=ones)


ROWS = [
    # products
    added("addbmm", (2, 3), (4, 2, 2), (4, 2, 3), bad=((SIX, np.zeros((1, 2, 2)), np.zeros((2, 2, 3)), 1, 1),)),
    added("addmv", (2,), (2, 3), (3,), bad=((A([1.0]), SIX, A([1.0]), 1, 1),)),
    added("addr", (2, 3), (2,), (3,), bad=((SIX, A([1.0]), A([1.0, 2.0]), 1, 1),)),
    Row(name="matmul", call=lambda t, x, y: t.matmul(x, y), **PRODUCT, sample=cases(
        lambda d: (d.array((k := d.integer(1, 3),)), d.array((k, d.integer(1, 3)))))),
    Row(name="matmul", call=lambda t, x, y: t.matmul(x, y), **PRODUCT, named=False, sample=cases(
        lambda d: (d.array((2, d.integer(1, 3), k := d.integer(1, 3))), d.array((k,))))),
    Row(name="cross", call=lambda t, x, y, dim: t.cross(x, y, dim=dim), dtypes=FLOATS, sample=cases(
        lambda d: (d.array((3, 2, 3)), d.array((3, 2, 3)), d.pick(0, 2, -1))), bad=((SIX, SIX, 0),)),
    Row(name="trace", call=lambda t, x: t.trace(x), dtypes=("float32", "int64"), sample=cases(
        lambda d: (d.array((d.integer(0, 3), d.integer(1, 3))),)), bad=((A([1.0]),), (np.zeros((1, 2, 2)),))),
    *(Row(name="cdist", call=lambda t, x, y, p: t.cdist(x, y, p), order=1, dtypes=FLOATS, ties=0, special=False,
          sample=cases(lambda d, p=p: distances(d, p)), at_least=4, rtol=1e-6,
          points=(Point(f"two equal points, p = {p:g}", (np.ones((1, 2)), np.ones((1, 2)), p), Kind.KINK),))
      for p in (1.0, 2.0, 3.0)),
    # decompositions: of their vectors only the squares are determined
    of_square("logdet", lambda t, x: t.logdet(definite(t, x)), method=False),
    of_square("slogdet", lambda t, x: tuple(t.slogdet(x)), points=(
        Point("a singular matrix", (SINGULAR,), Kind.SINGULAR, "PyTorch: ∞", 1, 0),
        Point("a singular matrix: the sign", (SINGULAR,), Kind.JUMP, "PyTorch: 0", order=0),)),
    of_square("linalg.cholesky", lambda t, x: t.linalg.cholesky(definite(t, x)), bad=((SIX * np.nan,),)),
    of_square("cholesky", lambda t, x: t.cholesky(definite(t, x)), method=False),
    of_square("linalg.eigvalsh", lambda t, x: t.linalg.eigvalsh(x + x.mT), rtol=1e-6, bad=((SIX,),), points=(
        Point("two equal eigenvalues", (np.eye(2),), Kind.TIE, "in the basis that LAPACK takes", order=1),)),
    of_square("linalg.eigh", lambda t, x: [y**k for k, y in enumerate(t.linalg.eigh(x + x.mT), 1)], rtol=1e-5,
              named=False, points=(Point("two equal eigenvalues", (np.eye(2),), Kind.TIE, "0 / 0 counts as 0; PyTorch: nan", order=0),
        Point("two equal eigenvalues: the vectors", (np.eye(2),), Kind.JUMP, "0 / 0 counts as 0; PyTorch: nan", 2, 0))),
    of_square("linalg.matrix_exp", lambda t, x: t.linalg.matrix_exp(x / 4), rtol=1e-6, bad=((SIX,),)),
    of_square("linalg.matrix_rank", lambda t, x: t.linalg.matrix_rank(x), order=0),
    Row(name="cholesky_solve", **EXACT, method=False,
        call=lambda t, y, x, upper: t.cholesky_solve(y, x.triu() if upper else x.tril(), upper=upper),
        sample=cases(lambda d: (d.array((3, d.integer(1, 2))), d.array((3, 3)) * 0.4 + 2 * np.eye(3), d.flag()))),
    *(Row(name="linalg.solve_triangular", call=solve_triangular, **EXACT, named=left,  # from the right: two transposes
          sample=cases(lambda d, left=left: triangle(d, left))) for left in (True, False)),
    Row(name="linalg.qr", call=lambda t, x: tuple(t.linalg.qr(x)), **EXACT, rtol=1e-6, sample=cases(
        lambda d: (d.array((n := d.integer(2, 3), 2)) * 0.3 + np.eye(n, 2),)),
        points=(Point("a column begins with zero", (A([[0.0, 1.0], [1.0, 1.0]]),), Kind.KINK, "LAPACK turns the sign"),
                Point("a column of zeros", (np.diag([0.0, 1.0]),), Kind.JUMP, "PyTorch: nan", order=0),)),
    Row(name="linalg.svd", call=lambda t, x: [v if v.ndim == x.ndim - 1 else v**2 for v in
                                              t.linalg.svd(x, full_matrices=False)],
        sample=cases(lambda d: (tall_or_wide(d),)), **EXACT, rtol=1e-5, named=False,
        points=(Point("two equal singular values", (np.eye(2),), Kind.TIE, "0 / 0 counts as 0; PyTorch: nan", 4, 0),
                Point("two equal singular values: the vectors", (np.eye(2),), Kind.JUMP,
                      "0 / 0 counts as 0; PyTorch: nan", order=0))),
    Row(name="linalg.svdvals", call=lambda t, x: t.linalg.svdvals(x), sample=cases(lambda d: (tall_or_wide(d),)),
        **EXACT, rtol=1e-6, points=(
            Point("two equal singular values", (np.eye(2),), Kind.TIE, "in the basis that LAPACK takes", order=1),
            Point("the singular value 0", (np.diag([1.0, 0.0]),), Kind.KINK, "by the sign that LAPACK takes", 1))),
    Row(name="linalg.pinv", call=lambda t, x: t.linalg.pinv(x), sample=cases(lambda d: (tall_or_wide(d),)),
        **EXACT, rtol=1e-6, points=(
            Point("a singular matrix", (np.diag([1.0, 0.0]),), Kind.JUMP, "as if the rank stayed", 3),)),
    Row(name="linalg.lstsq", call=lambda t, x, y: t.linalg.lstsq(x, y).solution, **EXACT, rtol=1e-6,
        sample=cases(lambda d: (x := tall_or_wide(d), d.array((*x.shape[:-1], 2)))), points=(
            Point("dependent columns", (np.ones((2, 2)), A([[1.0], [2.0]])), Kind.JUMP, "as if the rank stayed", 1),)),
    # along a dimension
    along("cummax", lambda t, x, dim: tuple(t.cummax(x, dim)), bad=((SIX, 2),), points=(
        Point("the maximum occurs again", (A([1.0, 1.0]), 0), Kind.TIE, "the last of the equal ones", 1),)),
    along("cummin", lambda t, x, dim: tuple(t.cummin(x, dim)), bad=((SIX, 2),), points=(
        Point("the minimum occurs again", (A([1.0, 1.0]), 0), Kind.TIE, "the last of the equal ones", 1),)),
    along("logcumsumexp", lambda t, x, dim: t.logcumsumexp(x, dim), special=False, bad=((SIX, 2),), points=(
        Point("nothing but -infinity", (A([-np.inf, -np.inf]), 0), Kind.SINGULAR, element=1),)),
    along("kthvalue", lambda t, x, dim: tuple(t.kthvalue(x, 1, dim)), ties=0, special=False, bad=((SIX, 2),), points=(
        Point("two equal elements", (A([1.0, 1.0]), 0), Kind.TIE, "any of the equal ones"),)),
    along("count_nonzero", lambda t, x, dim: t.count_nonzero(x, dim), order=0, bad=((SIX, 2),)),
    Row(name="mode", call=lambda t, x: tuple(t.mode(x, 1)), finite=False, dtypes=FLOATS, special=False, ties=0,
        layouts=False, sample=cases(lambda d: (d.whole((2, d.integer(1, 5)), 0, 3).astype(float),)), points=(
            Point("a value that occurs twice", (A([[1.0, 2.0, 2.0]]),), Kind.JUMP, "the last of the equal ones"),
            Point("the least value occurs twice", (A([[1.0, 0.0, 0.0]]),), Kind.KINK),
            Point("all values differ", (A([[1.0, 2.0, 3.0]]),), Kind.REMOVABLE, "the least of them"))),
    Row(name="nansum", call=lambda t, x, dim: t.nansum(x, dim), dtypes=FLOATS, sample=cases(with_gaps),
        points=(Point("a gap", (A([np.nan, 1.0]), 0), Kind.REMOVABLE),)),
    Row(name="nanmean", call=lambda t, x, dim: t.nanmean(x, dim), dtypes=FLOATS, sample=cases(with_gaps),
        finite=False, named=False, points=(
            Point("a gap", (A([np.nan, 1.0]), 0), Kind.REMOVABLE),
            Point("nothing but gaps", (A([np.nan, np.nan]), 0), Kind.SINGULAR, "0 / 0"))),
    Row(name="nanmedian", call=lambda t, x, dim: tuple(t.nanmedian(x, dim)), dtypes=FLOATS, sample=cases(with_gaps),
        finite=False, ties=0, special=False, points=(
            Point("two equal elements and a gap", (A([1.0, 1.0, np.nan]), 0), Kind.TIE, "any of the equal ones"),
            Point("nothing but gaps", (A([np.nan]), 0), Kind.SINGULAR, "the value is picked all the same"))),
    Row(name="nanmedian", call=lambda t, x: t.nanmedian(x), dtypes=FLOATS, finite=False, ties=0, special=False,
        points=(Point("two equal elements and a gap", (A([1.0, 1.0, np.nan]),), Kind.TIE),),
        sample=cases(lambda d: (with_gaps(d)[0],))),
    Row(name="var", call=lambda t, x: t.var(x), order=1, finite=False, ties=0, dtypes=FLOATS,
        sample=cases(lambda d: (d.array(d.pick((), (1,), (1, 1))),)),  # of one number: no freedom, no slope
        points=(Point("a single element", (A([1.0]),), Kind.SINGULAR, "0 / 0: no degree of freedom"),)),
    # counts and places
    Row(name="histc", call=lambda t, x: t.histc(x, bins=4, min=-1, max=1), order=0, dtypes=FLOATS, special=False,
        sample=cases(lambda d: (d.array((d.integer(1, 9),)),)), ties=0),
    Row(name="histogram", call=lambda t, x: tuple(t.histogram(x, 3, range=(-1.0, 1.5))), order=0, dtypes=FLOATS,
        special=False, ties=0, sample=cases(lambda d: (d.array((d.integer(1, 9),)),))),
    Row(name="searchsorted", call=lambda t, x, y, right: t.searchsorted(x, y, right=right), order=0, layouts=False,
        dtypes=FLOATS, method=False, special=False,
        sample=cases(lambda d: (np.sort(d.array((4,))), d.array(d.shape()), d.flag()))),
    Row(name="unique_consecutive", call=lambda t, x: t.unique_consecutive(x), order=0, finite=False, dtypes=FLOATS,
        sample=cases(lambda d: (d.array((d.integer(1, 4),)),)), special=False),  # order 0: both refuse its gradient
    # elements and memory
    Row(name="fmod", call=lambda t, x, y: t.fmod(x, y), dtypes=FLOATS, finite=False, special=False, sample=cases(
        lambda d: (d.array(), d.pick(0.7, 3, -2))), points=(
            Point("x is a multiple of the number", (A(6.0), 3), Kind.JUMP),)),
    Row(name="contiguous", call=lambda t, x: x.mT.contiguous(), sample=cases(lambda d: (d.array((2, 3)),)), at_least=1),
    # activations and layers
    activation("hardshrink", alias=True, in_place=False, away=(-0.5, 0.5), points=(
        at(-0.5, kind=Kind.JUMP), at(0.5, kind=Kind.JUMP))),
    activation("softshrink", in_place=False, away=(-0.5, 0.5), points=(at(-0.5), at(0.5))),
    activation("hardsigmoid", in_place=False, away=(-3.0, 3.0), low=-5, high=5, order=1, rtol=1e-7,  # torch
               points=(at(-3), at(3))),  # differentiates it once, a sixth in float32 (in place no tolerance is known)
    activation("hardswish", in_place="setting", away=(-3.0, 3.0), low=-5, high=5, points=(at(-3), at(3))),
    activation("mish", in_place="setting"),
    with_setting("hardshrink", "lambd", 0.3, 1.0, away=(-0.3, 0.3, -1.0, 1.0), points=(
        at(-1, 1.0, kind=Kind.JUMP, words="x = -lambd"), at(1, 1.0, kind=Kind.JUMP, words="x = lambd"))),
    with_setting("softshrink", "lambd", 0.3, 1.0, away=(-0.3, 0.3, -1.0, 1.0), points=(
        at(-1, 1.0, words="x = -lambd"), at(1, 1.0, words="x = lambd"))),
    Row(name="nn.functional.threshold", call=lambda t, x, y: t.nn.functional.threshold(x, 0.5, y), dtypes=FLOATS,
        sample=cases(lambda d: (d.array(None, -2, 2, (0.5,)), d.pick(0.0, 2.0))), points=(
            at(0.5, 2.0, kind=Kind.JUMP, words="x = threshold"),)),
    Row(name="nn.functional.rrelu", call=rrelu, dtypes=FLOATS, layouts=False, special=False, sample=cases(
        lambda d: (d.array(), d.flag(), d.integer(0, 999))), points=(
            at(0, False, 0),
            Point("x = 0 in training", (A([0.0, -1.0]), True, 0), Kind.JUMP, "later elements get other random slopes", 1))),
    Row(name="nn.functional.glu", call=lambda t, x, dim: t.nn.functional.glu(x, dim), dtypes=FLOATS, sample=cases(
        lambda d: (d.array((2, 4, 2)), d.dim(3))), bad=((SIX, 1), (A(1.0), 0))),
    Row(name="nn.functional.channel_shuffle", call=lambda t, x, n: t.nn.functional.channel_shuffle(x, n), dtypes=FLOATS,
        sample=cases(lambda d: (d.array((d.integer(1, 2), 4, *d.pick((2,), (2, 2)))), d.pick(1, 2, 4))),
        bad=((np.zeros((1, 3, 2)), 2), (SIX, 1))),
    *(Row(name=f"nn.functional.max_unpool{n}d", dtypes=FLOATS, at_least=4,
          call=lambda t, x, i, s, n=n: getattr(t.nn.functional, f"max_unpool{n}d")(x, i, 2, output_size=s),
          sample=cases(lambda d, n=n: scattered(d, n))) for n in (1, 2)),
    Row(  # torch has no second derivative of the scaled one
        name="nn.functional.embedding", order=1, finite=False, dtypes=FLOATS,
        call=lambda t, i, w: t.nn.functional.embedding(i, w, padding_idx=2, scale_grad_by_freq=True),
        sample=cases(lambda d: (d.whole(d.shape(least=1, empty=False), 0, 4), d.array((4, 2))))),
    # losses
    Row(name="nn.functional.soft_margin_loss", dtypes=FLOATS, frozen=(1,), special=False,
        call=lambda t, x, y, r: t.nn.functional.soft_margin_loss(x, y, reduction=r),
        sample=cases(lambda d: (d.array(s := d.shape(empty=False)), np.where(d.mask(s), 1.0, -1.0),
                                d.pick("mean", "sum", "none"))), bad=((SIX, A([1.0, 2.0]), "mean"),)),
    Row(  # torch differentiates it once
        name="nn.functional.multi_margin_loss", order=1, dtypes=FLOATS, frozen=(4,), special=False, ties=0,
        call=lambda t, x, y, p, m, w, r: t.nn.functional.multi_margin_loss(x, y, p, m, w, reduction=r),
        sample=cases(margins), points=(
            Point("a score lies at the margin, p = 1", (A([[0.0, 1.0]]), A([1]), 1, 1.0, None, "sum"), Kind.KINK),
            Point("a score lies at the margin, p = 2", (A([[0.0, 1.0]]), A([1]), 2, 1.0, None, "sum"), Kind.BEND)),
        bad=((SIX, A([0, 3]), 1, 1.0, None, "mean"), (SIX, A([0]), 1, 1.0, None, "mean"))),
]  # fmt: skip

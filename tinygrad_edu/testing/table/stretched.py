"""Operands of unlike shapes, and deeper derivatives: cases without which a wrong gradient formula would pass unseen.

The mutation proof of the suite (tests/testing/test_mutants.py) asked for each of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._draw import cases
from .further import SINGULAR
from .row import FLOATS, Kind, Point, Row

PRODUCT: dict[str, Any] = {"dtypes": FLOATS, "special": False}
EXACT: dict[str, Any] = {"dtypes": FLOATS, "special": False, "ties": 0, "method": False, "in_place": False}


def shapes(d, like, *more):
    """Draw an array of one of the shapes that broadcast to ``like``, and arrays of further shapes."""
    pick = d.pick(like, (1, *like[1:]), (*like[:-1], 1), like[-1:])
    return (d.array(pick), *(d.array(s) for s in more))


def regular(d, *lead, size=3):
    """Draw matrices that can be inverted, with a positive determinant; they are not symmetric."""
    return d.array((*lead, size, size)) * 0.4 + 2 * np.eye(size)


def weighted(d):
    """Draw two ends and a weight, each of another shape."""
    s = d.shape(least=1)
    return d.array(d.alike(s, grow=False)), d.array(s), d.array(d.alike(s, grow=False))


def assigned(t, x, y):
    """Write rows into a copy."""
    h = x * 1
    h[1:] = y
    return h


ROWS = [
    Row(name="lerp", call=lambda t, x, y: t.lerp(x, y, 0.3), **PRODUCT, sample=cases(
        lambda d: (d.array((2, 3)), d.array(d.pick((3,), (2, 1), ()))))),
    Row(name="lerp", call=lambda t, x, y, w: t.lerp(x, y, w), **PRODUCT, in_place=False, sample=cases(weighted)),
    Row(name="masked_fill", call=lambda t, x, m: t.masked_fill(x, m, 1.5), in_place=False, sample=cases(
        lambda d: (d.array(d.pick((3,), (1, 3), (2, 1), ())), d.mask((2, 3))))),
    Row(name="index_put", call=lambda t, x, i, y: t.index_put(x, (i,), y, accumulate=True), dtypes=FLOATS, sample=cases(
        lambda d: (d.array((3, 2)), d.whole((4,), 0, 3), d.array(d.pick((1, 2), (2,), (4, 1)))))),
    Row(name="masked_scatter", call=lambda t, x, m, y: t.masked_scatter(x, m, y), order=3, sample=cases(
        lambda d: (d.array((3, 2)), d.mask((3, 2)), d.array(d.pick((3, 2), (2, 3), (4, 2)))))),
    Row(name="__getitem__", call=assigned, sample=cases(lambda d: (d.array((3, 2)), d.array(d.pick((2, 2), (1, 2)))))),
    Row(name="addmv", call=lambda t, b, x, y: t.addmv(b, x, y), **PRODUCT, in_place=False, sample=cases(
        lambda d: (d.array(d.pick((1,), ())), d.array((2, 3)), d.array((3,))))),
    Row(name="addr", call=lambda t, b, x, y: t.addr(b, x, y), **PRODUCT, in_place=False, sample=cases(
        lambda d: shapes(d, (2, 3), (2,), (3,)))),
    Row(name="addbmm", call=lambda t, b, x, y: t.addbmm(b, x, y), **PRODUCT, in_place=False, sample=cases(
        lambda d: shapes(d, (2, 3), (2, 2, 2), (2, 2, 3)))),
    Row(name="linalg.cross", call=lambda t, x, y: t.linalg.cross(x, y), dtypes=FLOATS, method=False, sample=cases(
        lambda d: (d.array((2, 3)), d.array((1, 3))) if d.flag() else (d.array((1, 3)), d.array((2, 3))))),
    Row(name="linalg.solve", call=lambda t, x, y: t.linalg.solve(x, y), **EXACT, sample=cases(
        lambda d: (regular(d, 2), d.array((3, 2))) if d.flag() else (regular(d), d.array((2, 3, 2))))),
    Row(name="linalg.solve", call=lambda t, x, y: t.linalg.solve(x, y), **EXACT, sample=cases(
        lambda d: (regular(d, d.pick(2, 3)), d.array((3,))))),
    Row(name="linalg.solve", call=lambda t, x, y: t.linalg.solve(x, y), **EXACT, sample=cases(
        lambda d: (regular(d, n := d.pick(2, 3)), d.array((n, 3))))),
    Row(name="linalg.solve_triangular", call=lambda t, x, y: t.linalg.solve_triangular(x.triu(), y, upper=True), **EXACT,
        sample=cases(lambda d: (regular(d, 2), d.array((3, 2))) if d.flag() else (regular(d), d.array((2, 3, 2))))),
    Row(name="cholesky_solve", call=lambda t, y, x: t.cholesky_solve(y, x.tril()), **EXACT, sample=cases(
        lambda d: (d.array((3, 2)), regular(d, 2)) if d.flag() else (d.array((2, 3, 2)), regular(d)))),
    Row(name="linalg.lstsq", call=lambda t, x, y: t.linalg.lstsq(x, y).solution, **EXACT, rtol=1e-6, sample=cases(
        lambda d: (np.eye(3, 2) + 0.2 * d.array((2, 3, 2)), d.array((1, 3, 2))))),
    Row(name="logdet", call=lambda t, x: t.logdet(x), **EXACT, sample=cases(lambda d: (regular(d, size=d.pick(2, 3)),)),
        points=(Point("a singular matrix", (SINGULAR,), Kind.SINGULAR, "PyTorch: ∞", order=0),)),
    Row(name="linalg.det", call=lambda t, x: t.linalg.det(x), **EXACT, order=3, sample=cases(
        lambda d: (regular(d, size=d.pick(2, 3)),))),
    Row(name="scatter", call=lambda t, x, i, y: t.scatter(x, 0, i, y), order=3, sample=cases(
        lambda d: (d.array((3, 2)), np.stack([np.random.default_rng(d.integer(0, 99)).permutation(3)[:2]] * 2, 1),
                   d.array((2, 2))))),
    Row(name="scatter_add", call=lambda t, x, i, y: t.scatter_add(x, 0, i, y), dtypes=FLOATS, order=3, sample=cases(
        lambda d: (d.array((3, 2)), d.whole((2, 2), 0, 3), d.array((2, 2))))),
    Row(name="nn.functional.nll_loss", call=lambda t, x, i: t.nn.functional.nll_loss(x, i), dtypes=FLOATS, order=3,
        sample=cases(lambda d: (d.array((2, 3, n := d.pick(1, 2))), d.whole((2, n), 0, 3))
                     if d.flag() else (d.array((2, 3)), d.whole((2,), 0, 3)))),
    Row(name="nn.functional.cross_entropy", call=lambda t, x, i: t.nn.functional.cross_entropy(x, i), dtypes=FLOATS,
        sample=cases(lambda d: (d.array((n := d.integer(1, 3), 3)), d.whole((n,), 0, 3)))),
    Row(name="nn.functional.embedding", call=lambda t, i, w: t.nn.functional.embedding(i, w), dtypes=FLOATS, order=3,
        sample=cases(lambda d: (d.whole(d.pick((3,), (2, 2)), 0, 2), d.array((2, 2))))),
    Row(name="nn.functional.max_pool1d", call=lambda t, x: t.nn.functional.max_pool1d(x, 2), dtypes=FLOATS, order=3,
        ties=0, special=False, sample=cases(lambda d: (d.array((1, d.pick(1, 2), 4)),))),
    Row(name="nn.functional.linear", call=lambda t, x, w, b: t.nn.functional.linear(x, w, b), **PRODUCT, named=False,
        sample=cases(lambda d: (d.array(d.pick((2, 3), (2, 2, 3))), d.array((2, 3)), d.array(d.pick((1,), ()))))),
    Row(name="nn.functional.batch_norm", dtypes=FLOATS, special=False, ties=0, frozen=(1, 2), named=False,
        call=lambda t, x, m, v, w, b: t.nn.functional.batch_norm(x, m * 1, v * 1, w * 1, b * 1, False),
        sample=cases(lambda d: (d.array((2, 3, *d.pick((), (2,)))), d.array((3,)), d.array((3,), 0.5, 2), d.array((3,)),
                                d.array((3,))))),
]  # fmt: skip

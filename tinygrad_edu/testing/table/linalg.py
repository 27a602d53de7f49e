"""Products of vectors and matrices, and the solution of linear equations."""

from __future__ import annotations

import operator

import numpy as np

from .._draw import cases
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)
EINSUMS = {
    "ij,jk->ik": ((2, 3), (3, 2)),
    "bij,bjk->bik": ((2, 2, 3), (2, 3, 1)),
    "ij,kj": ((2, 3), (4, 3)),
    "i,j->ij": ((2,), (3,)),
    "i,i": ((3,), (3,)),
    "ij->ji": ((2, 3),),
    "ij->": ((2, 3),),
    "ii->i": ((3, 3),),
    "ii": ((3, 3),),
    "...ij,...jk->...ik": ((2, 1, 2, 3), (3, 3, 2)),
    "ij,j,i->": ((2, 3), (3,), (2,)),
    "bhqd,bhkd->bhqk": ((1, 2, 2, 3), (1, 2, 3, 3)),
    " i j , j -> i ": ((2, 3), (3,)),
}


def product(d, least=1):
    """Draw two operands of matmul: vectors, matrices, batches."""
    n, k, m = d.integer(least, 3), d.integer(least, 3), d.integer(1, 3)
    left, right = d.pick((), (2,), (2, 1)), d.pick((), (2,), (3, 1, 2))
    x = d.pick((k,), (n, k), (*left, n, k))
    y = d.pick((k,), (k, m), (*right, k, m))
    return d.array(x), d.array(y)


def named_product(d):
    """Draw two operands of matmul, no matrix by matrices: there torch turns both round, which shows in the names of its steps."""
    x, y = product(d)
    return (x[None] if x.ndim == 2 and y.ndim > 2 else x), y


def square(d, batch=True):
    """Draw well-conditioned square matrices."""
    n = d.integer(1, 3)
    shape = (*(d.pick((), (2,)) if batch else ()), n, n)
    return d.array(shape) * 0.4 + np.diag([2.0, -3.0, 2.5][:n])


def summed(d):
    """Draw an equation of Einstein's convention and its operands."""
    equation = d.pick(*EINSUMS)
    return equation, [d.array(shape) for shape in EINSUMS[equation]]


def sum_and_product(d):
    """Draw addmm's bias (which broadcasts), its factors and its weights."""
    n, k, m = d.integer(0, 3), d.integer(0, 3), d.integer(1, 3)
    bias = d.pick((n, m), (m,), (1, m), (n, 1), (), (1,))
    return d.array(bias), d.array((n, k)), d.array((k, m))


NUMBERS = (
    "float32",
    "int64",
)  # torch lacks most kernels for booleans; special=False: some BLAS skip zeros times infinity
ROWS = [
    Row(  # of empty ones torch may name another step
        name="matmul",
        call=lambda t, x, y: t.matmul(x, y),
        sample=cases(lambda d: product(d, 0)),
        dtypes=NUMBERS,
        special=False,
        named=False,
    ),
    Row(
        name="matmul",
        call=lambda t, x, y: t.matmul(x, y),
        dtypes=NUMBERS,
        special=False,
        sample=cases(named_product),
        order=3,
        operator=operator.matmul,
        bad=((SIX, SIX), (A([1.0]), A([1.0, 2.0])), (A(1.0), A([1.0])), (np.zeros((2, 2, 3)), np.zeros((3, 3, 2)))),
    ),
    Row(
        name="__rmatmul__",
        dtypes=NUMBERS,
        special=False,
        call=lambda t, x, y: y.__rmatmul__(x),
        sample=cases(named_product),
        bad=((SIX, SIX),),
    ),
    Row(
        name="mm",
        call=lambda t, x, y: t.mm(x, y),
        order=3,
        bad=((SIX, SIX), (A([1.0]), A([1.0]))),
        dtypes=NUMBERS,
        special=False,
        sample=cases(lambda d: (d.array((d.integer(0, 3), k := d.integer(0, 3))), d.array((k, d.integer(0, 3))))),
    ),
    Row(
        name="bmm",
        call=lambda t, x, y: t.bmm(x, y),
        order=3,
        bad=((SIX, SIX), (np.zeros((2, 2, 3)), np.zeros((2, 2, 3))), (np.zeros((1, 2, 3)), np.zeros((2, 3, 2)))),
        dtypes=NUMBERS,
        special=False,
        sample=cases(
            lambda d: (
                d.array((b := d.integer(0, 2), d.integer(0, 3), k := d.integer(0, 3))),
                d.array((b, k, d.integer(0, 3))),
            )
        ),
    ),
    Row(
        name="mv",
        call=lambda t, x, y: t.mv(x, y),
        order=3,
        bad=((SIX, A([1.0])), (A([1.0]), A([1.0]))),
        dtypes=NUMBERS,
        special=False,
        sample=cases(lambda d: (d.array((d.integer(0, 3), k := d.integer(0, 3))), d.array((k,)))),
    ),
    Row(
        name="dot",
        call=lambda t, x, y: t.dot(x, y),
        order=3,
        bad=((A([1.0]), A([1.0, 2.0])), (SIX, SIX)),
        dtypes=NUMBERS,
        special=False,
        sample=cases(lambda d: (d.array((k := d.integer(0, 4),)), d.array((k,)))),
    ),
    Row(
        name="outer",
        call=lambda t, x, y: t.outer(x, y),
        order=3,
        bad=((SIX, A([1.0])),),
        dtypes=NUMBERS,
        sample=cases(lambda d: (d.array((d.integer(0, 4),)), d.array((d.integer(0, 4),)))),
    ),
    Row(
        name="addmm",
        call=lambda t, b, x, y: t.addmm(b, x, y),
        dtypes=NUMBERS,
        special=False,
        sample=cases(sum_and_product),
        order=3,
        bad=((A([1.0]), SIX, SIX), (A([1.0, 2.0, 3.0]), SIX, np.zeros((3, 2)))),
    ),
    Row(
        name="addmm.decomposed",
        call=lambda t, b, x, y, p, q: t.addmm(b, x, y, beta=p, alpha=q),
        dtypes=FLOATS,
        special=False,
        sample=cases(lambda d: (*sum_and_product(d), d.pick(1, 0.5, 2, 0), d.pick(1, -0.5, 2))),
    ),
    Row(
        name="einsum",
        call=lambda t, equation, xs: t.einsum(equation, *xs),
        dtypes=NUMBERS,
        sample=cases(summed),
        order=3,
        named=False,  # composed of other operations
        spellings={"list": lambda t, equation, xs: t.einsum(equation, xs)},
        bad=(("ij,jk->ik", [SIX, SIX]), ("ij->k", [SIX]), ("ijk->i", [SIX]), ("ij,jk", [SIX])),
    ),
    Row(
        name="linalg.det",
        call=lambda t, x: t.linalg.det(x),
        sample=cases(lambda d: (square(d),)),
        dtypes=FLOATS,
        spellings={"torch.det": lambda t, x: t.det(x)},
        points=(
            Point(
                "a singular matrix",
                (A([[1.0, 2.0], [2.0, 4.0]]),),
                Kind.REMOVABLE,
                "its cofactors; PyTorch: 0",
                order=0,
            ),
            Point("the zero matrix", (np.zeros((2, 2)),), Kind.REMOVABLE, "its cofactors", order=1),
        ),
        ties=0,
        special=False,
        bad=((SIX,), (A([1.0]),)),
    ),
    Row(
        name="linalg.inv",
        call=lambda t, x: t.linalg.inv(x),
        sample=cases(lambda d: (square(d),)),
        dtypes=FLOATS,
        spellings={"torch.inverse": lambda t, x: t.inverse(x)},
        ties=0,
        special=False,
        order=3,
        bad=((SIX,), (A([1.0]),), (np.zeros((2, 2)),)),
    ),
    Row(
        name="linalg.solve",
        call=lambda t, x, y: t.linalg.solve(x, y),
        dtypes=FLOATS,
        ties=0,
        special=False,
        sample=cases(lambda d: (x := square(d), d.array((*x.shape[:-2], x.shape[-1], d.integer(1, 2))))),
        bad=((SIX, A([1.0, 2.0])), (np.zeros((2, 2)), A([1.0, 2.0])), (np.eye(2), A([1.0, 2.0, 3.0]))),
    ),
    Row(
        name="linalg.solve",
        call=lambda t, x, y: t.linalg.solve(x, y),
        dtypes=FLOATS,
        ties=0,
        special=False,
        sample=cases(lambda d: (x := square(d, batch=False), d.array((x.shape[-1],)))),
    ),
]

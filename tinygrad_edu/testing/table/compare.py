"""Operations that answer true or false."""

from __future__ import annotations

import operator

import numpy as np

from .._draw import cases, one, special, two
from .row import Row

A = np.array
WRONG_PAIR = (A([1.0, 2.0]), A([1.0, 2.0, 3.0]))


def comparison(name):
    """Return the rows of one comparison: with a tensor, with a number."""
    sign = getattr(operator, name)
    call = lambda t, x, y: getattr(t, name)(x, y)
    close = cases(lambda d: (np.rint(d.array(s := d.shape())), np.rint(d.array(d.alike(s)))))
    number = cases(lambda d: (np.rint(d.array()), d.pick(0, 1, 0.5, -1.0, True)))
    return [
        Row(name=name, call=call, sample=close, order=0, operator=sign, bad=(WRONG_PAIR,)),
        Row(name=name, call=call, sample=number, order=0, operator=sign),
    ]


def logic(name):
    """Return the row of a logical operation of two tensors."""
    return Row(
        name=name,
        call=lambda t, x, y: getattr(t, name)(x, y),
        order=0,
        bad=(WRONG_PAIR,),
        sample=cases(lambda d: (np.rint(d.array(s := d.shape())), np.rint(d.array(d.alike(s))))),
    )


def test(name):
    """Return the row of a question about each element."""
    return Row(
        name=name,
        call=lambda t, x: getattr(t, name)(x),
        order=0,
        sample=cases(lambda d: (special((d.array(),), d.integer(0, 99))[0],)),
    )


def fold(name):
    """Return the rows of all and any."""
    return [
        Row(name=name, call=lambda t, x: getattr(t, name)(x), order=0, sample=cases(lambda d: (np.rint(d.array()),))),
        Row(
            name=name,
            call=lambda t, x, dim, k: getattr(t, name)(x, dim, k),
            order=0,
            bad=((A([1.0]), 1, False),),
            sample=cases(lambda d: (x := np.rint(d.array()), d.dim(x.ndim), d.flag())),
        ),
    ]


near = cases(
    lambda d: (
        x := d.array(),
        x + d.pick(0.0, 1e-9, 1e-6, 1e-3),
        d.pick(1e-5, 1e-2, 0.0),
        d.pick(1e-8, 1e-2, 0.0),
        d.flag(),
    )
)
ROWS = [
    *(row for name in ("eq", "ne", "lt", "le", "gt", "ge") for row in comparison(name)),
    *(logic(name) for name in ("logical_and", "logical_or", "logical_xor")),
    Row(name="logical_not", call=lambda t, x: t.logical_not(x), order=0, sample=cases(lambda d: (np.rint(d.array()),))),
    *(test(name) for name in ("isnan", "isinf", "isfinite")),
    *fold("all"),
    *fold("any"),
    Row(
        name="allclose",
        call=lambda t, x, y, r, a, n: t.allclose(x, y, r, a, n),
        order=0,
        sample=near,
        bad=((*WRONG_PAIR, 1e-5, 1e-8, False),),
        dtypes=("float32", "int64"),
    ),
    Row(
        name="isclose",
        call=lambda t, x, y, r, a, n: t.isclose(x, y, r, a, n),
        order=0,
        sample=near,
        bad=((*WRONG_PAIR, 1e-5, 1e-8, False),),
        dtypes=("float32", "int64"),
    ),
    Row(name="equal", call=lambda t, x, y: t.equal(x, y), order=0, sample=two()),
    Row(name="equal", call=lambda t, x: t.equal(x, x.clone()), order=0, method=False, sample=one()),
]

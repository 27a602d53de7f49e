"""Operations that rearrange, repeat, join and split."""

from __future__ import annotations

import numpy as np

from .._draw import cases, one
from .row import Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)


def split_of(size, d):
    """Draw lengths that add up to ``size``."""
    cuts = sorted(d.integer(0, size) for _ in range(d.integer(0, 3)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, size], strict=True)]


def several(make):
    """Return the cases of two or three arrays that ``make(d, i)`` draws."""
    return cases(lambda d: ([make(d, i) for i in range(d.integer(1, 3))],))


def joined(d):
    """Draw arrays that agree except along one dimension, and that dimension."""
    shape = list(d.shape(least=1, empty=False))
    dim = d.dim(len(shape))
    arrays = []
    for _ in range(d.integer(1, 3)):
        shape[dim] = d.integer(0, 3)
        arrays.append(d.array(tuple(shape)))
    return arrays, dim


def stacked(d):
    """Draw equal shapes and a place for the new dimension."""
    shape = d.shape()
    return [d.array(shape) for _ in range(d.integer(1, 3))], d.integer(-len(shape) - 1, len(shape))


def regrouped(d):
    """Draw an array and another shape of as many elements, perhaps with one -1."""
    shape = d.shape(empty=False)
    size = int(np.prod(shape, dtype=int))
    divisors = [k for k in range(1, size + 1) if size % k == 0]
    first = d.pick(*divisors)
    new = d.pick((first, size // first), (size,), (1, size), (first, -1), (-1,), (-1, first), (first, 1, size // first))
    return d.array(shape), new


def grown(d):
    """Draw an array and a shape it expands to."""
    new = d.shape()
    old = tuple(1 if d.integer(0, 2) == 2 else n for n in new[d.integer(0, len(new)) :])
    asked = tuple(
        -1 if i >= len(new) - len(old) and old[i - len(new) + len(old)] == n and d.integer(0, 3) == 3 else n
        for i, n in enumerate(new)
    )
    return d.array(old), asked


def permuted(d):
    """Draw an array and an order of its dimensions."""
    x = d.array()
    order = list(range(x.ndim))
    for i in range(x.ndim - 1, 0, -1):
        j = d.integer(0, i)
        order[i], order[j] = order[j], order[i]
    return x, tuple(i - x.ndim if d.flag() else i for i in order)


def two_dims(d):
    """Draw an array and two of its dimensions."""
    x = d.array()
    return x, d.dim(x.ndim), d.dim(x.ndim)


def flattened(d):
    """Draw an array, a first and a last dimension."""
    x = d.array()
    first = d.integer(0, max(x.ndim - 1, 0))
    return x, first, d.integer(first, max(x.ndim - 1, 0))


LINEAR = {"order": 2}
ROWS = [
    Row(
        name="reshape",
        call=lambda t, x, s: t.reshape(x, s),
        sample=cases(regrouped),
        spellings={"*shape": lambda t, x, s: x.reshape(*s)},
        bad=((SIX, (4,)), (SIX, (-1, -1)), (SIX, (-1, 4))),
    ),
    Row(
        name="view",
        call=lambda t, x, s: x.view(s),
        sample=cases(regrouped),
        layouts=False,
        spellings={"*shape": lambda t, x, s: x.view(*s)},
        bad=((SIX, (4,)), (SIX, (-1, 4))),
    ),
    Row(
        name="view",
        call=lambda t, x: x.t().view(-1),
        sample=one(least=2, most=2),
        order=0,
        at_least=3,
        layouts=False,
        bad=((SIX,),),
    ),
    Row(
        name="reshape_as",
        call=lambda t, x, y: x.reshape_as(y),
        sample=cases(lambda d: (d.array((2, 3)), d.array(d.pick((3, 2), (6,), (1, 6))))),
        frozen=(1,),
        at_least=3,
        bad=((SIX, A([1.0])),),
    ),
    Row(
        name="view_as",
        call=lambda t, x, y: x.view_as(y),
        layouts=False,
        sample=cases(lambda d: (d.array((2, 3)), d.array(d.pick((3, 2), (6,), (1, 6))))),
        frozen=(1,),
        at_least=3,
        bad=((SIX, A([1.0])),),
    ),
    Row(
        name="flatten",
        call=lambda t, x, a, b: t.flatten(x, a, b),
        sample=cases(flattened),
        bad=((SIX, 1, 0), (SIX, 0, 2)),
    ),
    Row(name="flatten", call=lambda t, x: t.flatten(x), sample=one()),
    Row(
        name="permute",
        call=lambda t, x, o: t.permute(x, o),
        sample=cases(permuted),
        spellings={"*dims": lambda t, x, o: x.permute(*o) if o else x.permute(())},
        bad=((SIX, (0,)), (SIX, (0, 0)), (SIX, (0, 2))),
    ),
    Row(
        name="transpose",
        call=lambda t, x, a, b: t.transpose(x, a, b),
        sample=cases(two_dims),
        in_place=False,
        bad=((SIX, 0, 2),),
    ),
    Row(name="t", call=lambda t, x: t.t(x), sample=one(most=2), in_place=False, bad=((np.zeros((1, 1, 1)),),)),
    Row(name="T", call=lambda t, x: x.T, sample=one(least=2, most=2), at_least=3),
    Row(name="mT", call=lambda t, x: x.mT, sample=one(least=2), at_least=3, bad=((A([1.0]),),)),
    Row(
        name="unsqueeze",
        call=lambda t, x, dim: t.unsqueeze(x, dim),
        in_place=False,
        sample=cases(lambda d: (x := d.array(), d.integer(-x.ndim - 1, x.ndim))),
        bad=((SIX, 3), (SIX, -4)),
    ),
    Row(name="squeeze", call=lambda t, x: t.squeeze(x), sample=one(size=2), in_place=False),
    Row(
        name="squeeze",
        call=lambda t, x, dim: t.squeeze(x, dim),
        in_place=False,
        sample=cases(lambda d: (x := d.array(d.shape(size=2)), d.dim(x.ndim))),
        bad=((SIX, 2),),
    ),
    Row(
        name="squeeze.multiple",
        call=lambda t, x, dims: t.squeeze(x, dims),
        in_place=False,
        sample=cases(lambda d: (x := d.array(d.shape(size=2)), d.dims(x.ndim))),
        bad=((SIX, (0, 0)), (SIX, (0, 2))),
    ),
    Row(
        name="expand",
        call=lambda t, x, s: x.expand(s),
        sample=cases(grown),
        spellings={"*shape": lambda t, x, s: x.expand(*s) if s else x.expand(())},
        bad=((SIX, (3, 3)), (SIX, (3,)), (SIX, (-1, 2, 3))),
    ),
    Row(
        name="expand_as",
        call=lambda t, x, y: x.expand_as(y),
        frozen=(1,),
        bad=((SIX, A([1.0, 2.0])),),
        sample=cases(lambda d: (d.array((1, 3)), d.array((d.integer(1, 3), d.integer(1, 3), 3)))),
    ),
    Row(
        name="broadcast_to",
        call=lambda t, x, s: t.broadcast_to(x, s),
        sample=cases(grown),
        bad=((SIX, (3, 3)), (SIX, (3,))),
    ),
    Row(
        name="repeat",
        call=lambda t, x, r: x.repeat(r),
        sample=cases(lambda d: (x := d.array(), tuple(d.integer(0, 2) for _ in range(x.ndim + d.integer(0, 1))))),
        spellings={"*repeats": lambda t, x, r: x.repeat(*r) if r else x.repeat(())},
        bad=((SIX, (2,)), (SIX, (2, -1))),
    ),
    Row(
        name="repeat_interleave",
        call=lambda t, x, n, dim: t.repeat_interleave(x, n, dim),
        sample=cases(lambda d: (x := d.array(d.shape(least=1)), d.integer(0, 3), d.dim(x.ndim))),
        bad=((SIX, 2, 2),),
    ),
    Row(
        name="repeat_interleave",
        call=lambda t, x, n: t.repeat_interleave(x, n),
        sample=cases(lambda d: (d.array(), d.integer(0, 3))),
        bad=((SIX, -1),),
    ),
    Row(
        name="repeat_interleave",
        call=lambda t, x, n: t.repeat_interleave(x, n, dim=0),
        sample=cases(lambda d: (d.array((3, 2)), d.whole((3,), 0, 3))),
        bad=((SIX, A([1, 2, 3])),),
    ),
    Row(
        name="roll", call=lambda t, x, shifts: t.roll(x, shifts), sample=cases(lambda d: (d.array(), d.integer(-3, 3)))
    ),
    Row(
        name="roll",
        call=lambda t, x, shifts, dims: t.roll(x, shifts, dims),
        sample=cases(
            lambda d: (d.array((3, 2)), (d.integer(-3, 3), d.integer(-3, 3)), d.pick((0, 1), (-1, 0), (1, 1)))
        ),
        bad=((SIX, (1, 2), (0,)), (SIX, 1, 2)),
    ),
    Row(
        name="flip",
        call=lambda t, x, dims: t.flip(x, dims),
        sample=cases(lambda d: (x := d.array(), d.dims(x.ndim))),
        bad=((SIX, (0, 0)), (SIX, (2,))),
    ),
    Row(
        name="cat",
        call=lambda t, xs, dim: t.cat(xs, dim),
        sample=cases(joined),
        spellings={
            "torch.concat": lambda t, xs, dim: t.concat(xs, dim=dim),
            "torch.concatenate": lambda t, xs, dim: t.concatenate(xs, dim),
        },
        bad=(([A([[1.0]]), A([[1.0, 2.0]])], 0), ([A([1.0])], 1), ([], 0), ([A(1.0), A(2.0)], 0)),
    ),
    Row(
        name="stack",
        call=lambda t, xs, dim: t.stack(xs, dim),
        sample=cases(stacked),
        bad=(([A([1.0]), A([1.0, 2.0])], 0), ([A([1.0])], 2), ([], 0)),
    ),
    Row(
        name="hstack",
        call=lambda t, xs: t.hstack(xs),
        bad=(([A([[1.0]]), A([[1.0], [2.0]])],),),
        sample=several(lambda d, i: d.array((2, d.integer(0, 3)))),
    ),
    Row(name="hstack", call=lambda t, xs: t.hstack(xs), sample=several(lambda d, i: d.array(d.shape(most=1)))),
    Row(
        name="vstack",
        call=lambda t, xs: t.vstack(xs),
        bad=(([A([[1.0]]), A([[1.0, 2.0]])],),),
        sample=several(lambda d, i: d.array((d.integer(0, 3), 2))),
    ),
    Row(name="vstack", call=lambda t, xs: t.vstack(xs), sample=several(lambda d, i: d.array(d.pick((2,), (1, 2))))),
    Row(
        name="chunk",
        call=lambda t, x, n, dim: t.chunk(x, n, dim),
        bad=((SIX, 0, 0), (SIX, 1, 2), (A(1.0), 1, 0)),
        sample=cases(lambda d: (x := d.array(d.shape(least=1, size=5)), d.integer(1, 4), d.dim(x.ndim))),
    ),
    Row(
        name="split",
        call=lambda t, x, n, dim: t.split(x, n, dim),
        bad=((SIX, -1, 0), (SIX, 1, 2), (A(1.0), 1, 0)),
        sample=cases(lambda d: (x := d.array(d.shape(least=1, size=5)), d.integer(1, 4), d.dim(x.ndim))),
    ),
    Row(
        name="split.list_args",
        call=lambda t, x, n, dim: t.split(x, n, dim),
        bad=((SIX, [1, 2], 0), (SIX, [3, -1], 0)),
        sample=cases(lambda d: (x := d.array(d.shape(least=1, size=5)), split_of(x.shape[-1], d), -1)),
    ),
    Row(
        name="unbind",
        call=lambda t, x, dim: t.unbind(x, dim),
        bad=((SIX, 2), (A(1.0), 0)),
        sample=cases(lambda d: (x := d.array(d.shape(least=1)), d.dim(x.ndim))),
    ),
    Row(name="contiguous", call=lambda t, x: x.contiguous(), sample=one(), named=False),  # strides decide
    Row(name="contiguous", call=lambda t, x: x.contiguous(), sample=one(), layouts=False),
]

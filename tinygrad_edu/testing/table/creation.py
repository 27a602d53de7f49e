"""Factories, random numbers, casts and copies."""

from __future__ import annotations

import numpy as np

from .._draw import cases, one
from .row import FLOATS, Kind, Point, Row

A = np.array
NAMES = ("float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
shapes = cases(lambda d: (d.shape(),))
typed = cases(lambda d: (d.shape(), d.pick(*NAMES)))


def shaped(name):
    """Return the rows of zeros, ones, empty, randn, rand: by a shape."""
    make = lambda t, s: getattr(t, name)(s)
    if name in ("zeros", "ones"):
        return [
            Row(
                name=name,
                call=make,
                sample=shapes,
                order=0,
                method=False,
                bad=(((-1,),), ((1.5,),)),
                spellings={"*shape": lambda t, s: getattr(t, name)(*s) if s else getattr(t, name)(())},
            ),
            Row(name=name, call=lambda t, s, d: getattr(t, name)(s, dtype=getattr(t, d)), sample=typed, order=0),
            Row(name=name, call=lambda t, s: getattr(t, name)(s, requires_grad=True), sample=shapes, order=0),
        ]
    call = lambda t, s, seed: (t.manual_seed(seed), getattr(t, name)(s))[1]
    return [
        Row(name=name, call=call, order=0, method=False, sample=cases(lambda d: (d.shape(size=7), d.integer(0, 2**32))))
    ]


def like(name):
    """Return the rows of zeros_like, ones_like, randn_like, rand_like."""
    if name in ("zeros_like", "ones_like"):
        return [
            Row(name=name, call=lambda t, x: getattr(t, name)(x), sample=one(), order=0),
            Row(
                name=name,
                call=lambda t, x, d: getattr(t, name)(x, dtype=getattr(t, d)),
                order=0,
                sample=cases(lambda d: (d.array(), d.pick(*NAMES))),
            ),
        ]
    return [
        Row(
            name=name,
            call=lambda t, x, seed: (t.manual_seed(seed), getattr(t, name)(x))[1],
            order=0,
            dtypes=FLOATS,
            layouts=False,
            sample=cases(lambda d: (d.array(d.shape(size=5)), d.integer(0, 999))),
        )
    ]


def fill(method, *settings, low=-2.0, high=2.0, **row):
    """Return the call that fills a copy with random numbers from a seed."""
    return lambda t, x, seed, *a: (t.manual_seed(seed), getattr(x * 1, method)(*a))[1]


def cast(name, target):
    """Return the row of .float(), .long() and so on."""
    return Row(
        name=name,
        call=lambda t, x: getattr(x, name)(),
        sample=one(),
        special=False,
        finite=False,
        order=2 if target.startswith("float") else 0,
    )


ROWS = [
    *shaped("zeros"),
    *shaped("ones"),
    *shaped("randn"),
    *like("zeros_like"),
    *like("ones_like"),
    *like("rand_like"),
    *like("randn_like"),
    Row(
        name="empty",
        call=lambda t, s, d: (lambda e: (e.shape, e.dtype))(t.empty(s, dtype=getattr(t, d))),
        sample=typed,
        order=0,
        bad=(((-1,), "float32"),),
    ),
    Row(name="empty_like", call=lambda t, x: (lambda e: (e.shape, e.dtype))(t.empty_like(x)), sample=one(), order=0),
    Row(
        name="full",
        call=lambda t, s, v: t.full(s, v),
        order=0,
        method=False,
        bad=(((-1,), 1),),
        sample=cases(lambda d: (d.shape(), d.pick(1, 2.5, True, float("inf")))),
    ),
    Row(
        name="full",
        call=lambda t, s, v, d: t.full(s, v, dtype=getattr(t, d)),
        order=0,
        method=False,
        sample=cases(lambda d: (d.shape(), d.pick(1, 2.5, True), d.pick(*NAMES))),
    ),
    Row(
        name="full_like",
        call=lambda t, x, v: t.full_like(x, v),
        order=0,
        sample=cases(lambda d: (d.array(), d.pick(1, 2.5, True))),
    ),
    Row(name="new_zeros", call=lambda t, x, s: x.new_zeros(s), order=0, sample=cases(lambda d: (d.array(), d.shape()))),
    Row(
        name="new_ones",
        call=lambda t, x, s, d: x.new_ones(s, dtype=getattr(t, d)),
        order=0,
        sample=cases(lambda d: (d.array(), d.shape(), d.pick(*NAMES))),
    ),
    Row(
        name="eye",
        call=lambda t, n: t.eye(n),
        sample=cases(lambda d: (d.integer(0, 4),)),
        order=0,
        at_least=3,
        bad=((-1,),),
    ),
    Row(
        name="eye",
        call=lambda t, n, m, d: t.eye(n, m, dtype=getattr(t, d)),
        order=0,
        sample=cases(lambda d: (d.integer(0, 4), d.integer(0, 4), d.pick("float64", "int64", "bool"))),
    ),
    Row(
        name="arange",
        call=lambda t, *a: t.arange(*a),
        order=0,
        bad=((0, 5, 0), (0, 5, -1), (5, 0, 1)),
        sample=cases(
            lambda d: d.pick(
                (d.integer(0, 9),),
                (d.integer(-3, 3), d.integer(3, 9)),
                (d.integer(-3, 3), d.integer(3, 9), d.pick(1, 2, 0.5, 0.3)),
                (3, -3, -1),
                (0.0, 2.5),
                (1, 2.5, 0.1),
                (5.5,),
            )
        ),
    ),
    Row(
        name="arange",
        call=lambda t, n, d: t.arange(n, dtype=getattr(t, d)),
        order=0,
        sample=cases(lambda d: (d.integer(0, 9), d.pick(*NAMES[:-1]))),
    ),
    Row(
        name="linspace",
        call=lambda t, a, b, n: t.linspace(a, b, n),
        order=0,
        bad=((0, 1, -1),),
        sample=cases(lambda d: (d.pick(0, -1.5, -20), d.pick(1, 2.25, 20), d.pick(0, 1, 2, 5, 10, 1000))),
    ),
    Row(
        name="linspace",
        call=lambda t, a, b, n, d: t.linspace(a, b, n, dtype=getattr(t, d)),
        order=0,
        sample=cases(
            lambda d: (d.pick(0, -1.5, -20), d.pick(1, 2.25, 20), d.integer(1, 9), d.pick("float64", "float32"))
        ),
    ),
    Row(
        name="linspace.tensor_overload",
        call=lambda t, a, b, n: t.linspace(a, b, n),
        order=0,
        dtypes=FLOATS,
        special=False,
        layouts=False,
        sample=cases(lambda d: (d.array(()), d.array(()), d.integer(0, 9))),
        bad=((A([1.0, 2.0]), A(1.0), 3),),
    ),
    Row(
        name="randint",
        call=lambda t, low, high, s, seed: (t.manual_seed(seed), t.randint(low, high, s))[1],
        order=0,
        sample=cases(lambda d: (d.integer(-5, 0), d.pick(1, 7, 100, 2**33), d.shape(size=5), d.integer(0, 999))),
        bad=((3, 3, (1,), 0), (3, 1, (1,), 0)),
    ),
    Row(
        name="normal",
        call=lambda t, m, s, n, seed: (t.manual_seed(seed), t.normal(m, s, n))[1],
        order=0,
        sample=cases(lambda d: (d.pick(0.0, 2.5), d.pick(1.0, 0.1), d.shape(least=1, size=5), d.integer(0, 999))),
        bad=((0.0, -1.0, (2,), 0),),
    ),
    Row(
        name="normal",
        call=lambda t, m, s, seed: (t.manual_seed(seed), t.normal(m, s))[1],
        order=0,
        dtypes=FLOATS,
        special=False,
        ties=0,
        layouts=False,
        method=False,
        in_place=False,
        bad=((A([1.0]), A([-1.0]), 0),),
        sample=cases(lambda d: (d.array(s := d.shape(size=5)), d.array(s, 0.1, 2), d.integer(0, 999))),
    ),
    Row(
        name="normal.in_place",
        call=fill("normal_"),
        method=False,
        in_place=False,
        dtypes=FLOATS,
        special=False,
        sample=cases(lambda d: (d.array(d.shape(size=5)), d.integer(0, 999), d.pick(0.0, 1.5), d.pick(1.0, 0.25))),
        layouts=False,
        bad=((A([1.0]), 0, 0.0, -1.0), (A([1]), 0, 0.0, 1.0)),
    ),
    Row(
        name="uniform",
        call=fill("uniform_"),
        dtypes=FLOATS,
        special=False,
        layouts=False,
        sample=cases(lambda d: (d.array(d.shape(size=5)), d.integer(0, 999), d.pick(0.0, -1.5), d.pick(1.0, 0.25))),
        bad=((A([1.0]), 0, 1.0, 0.0), (A([1]), 0, 0.0, 1.0)),
    ),
    Row(
        name="bernoulli",
        call=lambda t, p, seed: (t.manual_seed(seed), t.bernoulli(p))[1],
        in_place=False,
        dtypes=FLOATS,
        special=False,
        ties=0,
        layouts=False,
        sample=cases(lambda d: (d.array(d.shape(size=5), 0, 1), d.integer(0, 999))),
        bad=((A([2.0]), 0),),
        points=(Point("the probability 1", (A(1.0), 0), Kind.END, "a draw passes nothing on"),),
    ),
    Row(
        name="bernoulli",
        call=fill("bernoulli_"),
        in_place=False,
        method=False,
        dtypes=FLOATS,
        special=False,
        layouts=False,
        sample=cases(lambda d: (d.array(d.shape(size=5)), d.integer(0, 999), d.pick(0.3, 0.5, 0.0, 1.0))),
        bad=((A([1.0]), 0, 1.5),),
    ),
    Row(
        name="multinomial",
        call=lambda t, p, n, again, seed: (t.manual_seed(seed), t.multinomial(p, n, again))[1],
        order=0,
        dtypes=FLOATS,
        special=False,
        ties=0,
        layouts=False,
        sample=cases(lambda d: (d.array(d.pick((5,), (2, 5)), 0.05, 1), d.integer(1, 4), d.flag(), d.integer(0, 99))),
        bad=(
            (A([0.5, 0.5]), 3, False, 0),
            (A([-1.0, 1.0]), 1, False, 0),
            (A([0.0, 0.0]), 1, True, 0),
            (A(1.0), 1, False, 0),
        ),
    ),
    Row(name="zero_", call=lambda t, x: (x * 1).zero_(), sample=one(), in_place=lambda t, x: x.zero_()),
    Row(name="fill", call=lambda t, x, v: t.fill(x, v), sample=cases(lambda d: (d.array(), d.pick(0, 2.5, True)))),
    Row(
        name="fill",
        call=lambda t, x, v: t.fill(x, v),
        sample=cases(lambda d: (d.array(), d.array(()))),
        bad=((A([1.0]), A([1.0])),),
    ),
    Row(name="clone", call=lambda t, x: t.clone(x), sample=one()),
    Row(
        name="clone",
        call=lambda t, x: x.detach().clone().requires_grad_().grad_fn,
        sample=one(),
        order=0,
        dtypes=FLOATS,
    ),
    Row(
        name="meshgrid.list_of_tensors",
        call=lambda t, xs, how: t.meshgrid(xs, indexing=how),
        sample=cases(lambda d: ([d.array((d.integer(0, 3),)) for _ in range(d.integer(1, 3))], d.pick("ij", "xy"))),
        bad=(([A([[1.0]])], "ij"), ([A([1.0])], "yx")),
    ),
    Row(
        name="meshgrid.variadic_tensors",
        call=lambda t, x, y, how: t.meshgrid(x, y, indexing=how),
        sample=cases(lambda d: (d.array((d.integer(0, 3),)), d.array(d.pick((3,), ())), d.pick("ij", "xy"))),
    ),
    Row(
        name="to",
        call=lambda t, x, d: x.to(getattr(t, d)),
        special=False,
        finite=False,
        sample=cases(lambda d: (d.array(), d.pick(*NAMES))),
    ),
    Row(
        name="to",
        call=lambda t, x, d: x.to(dtype=getattr(t, d), device="cpu"),
        special=False,
        finite=False,
        sample=cases(lambda d: (d.array(), d.pick(*NAMES))),
        spellings={"Tensor.type": lambda t, x, d: x.type(getattr(t, d))},
    ),
    Row(
        name="to",
        call=lambda t, x, y: x.to(y),
        special=False,
        frozen=(1,),
        sample=cases(lambda d: (d.array(), d.array(()))),
    ),
    Row(name="to", call=lambda t, x: x.to("cpu"), sample=one()),
    cast("bool", "bool"),
    cast("double", "float64"),
    cast("float", "float32"),
    cast("int", "int32"),
    cast("long", "int64"),
    Row(
        name="item",
        call=lambda t, x: x.item(),
        order=0,
        sample=cases(lambda d: (d.array(d.pick((), (1,), (1, 1))),)),
        bad=((A([1.0, 2.0]),), (np.zeros(0),)),
    ),
]

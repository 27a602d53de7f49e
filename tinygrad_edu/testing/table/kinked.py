"""Operations of the second tier that have kinks, ties or singular points: distances, margins, quantiles, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._draw import cases, one
from .reduce import FIRST, ONE_ZERO, SPLIT, spread, zeros
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)
BOTH = np.ones((1, 2))
PLAIN: dict[str, Any] = {"dtypes": FLOATS, "special": False, "named": False}  # torch composes them as it sees fit
REDUCTIONS = ("mean", "sum", "none")


def along(name, call, *, empty=False, **settings):
    """Return the row of a reduction or a running form along a dimension."""
    sample = cases(lambda d: (x := d.array(d.shape(least=1, empty=empty)), d.dim(x.ndim)))
    return Row(name=name, call=call, sample=sample, **(PLAIN | {"bad": ((SIX, 2),)} | settings))


def loss(name, sample, *points, **settings):
    """Return the row of a loss whose settings go by name."""
    return Row(
        name="nn.functional." + name,
        call=lambda t, *case: getattr(t.nn.functional, name)(*case[:-1], **case[-1]),
        sample=cases(sample),
        points=points,
        **(PLAIN | {"ties": 0} | settings),
    )


def signs(d, shape):
    """Draw an array of ones, plus or minus."""
    return np.where(d.mask(shape), 1.0, -1.0)


def apart(d, shape, *kinks):
    """Draw two arrays whose difference lies away from ``kinks``."""
    x = d.array(shape, away=())
    return x, x + d.array(shape, -3, 3, kinks)


def embedded(d):
    """Draw an anchor, what is near it and what is far, and the settings of triplet_margin_loss."""
    shape = (d.integer(1, 3), d.integer(1, 3))
    x = d.array(shape)
    return x, x + 3, x - d.array(shape, 0.5, 2), {"margin": d.pick(1.0, 0.3), "p": d.pick(2.0, 1.0), "swap": d.flag()}


def sampled(d):
    """Draw an image and where to read it, away from the middles of its pixels."""
    x = d.array((1, 2, 4, 4))
    cells = d.whole((1, 2, 3, 2), 0, 8) + d.array((1, 2, 3, 2), 0.2, 0.8, ())  # halves of pixels
    return x, cells / 4 - 1, d.pick("zeros", "border")


def grid_sample(t, x, grid, padding):
    """Read an image between its pixels."""
    return t.nn.functional.grid_sample(x, grid, padding_mode=padding, align_corners=False)


def norms(d):
    """Draw a matrix without special structure, and a norm."""
    x = d.array((2, 3)) + np.eye(2, 3) * A([[3.0], [6.0]])
    return x, d.pick("fro", "nuc", 2, -2, 1, np.inf)


ROWS = [
    along("cumprod", lambda t, x, dim: t.cumprod(x, dim), empty=True, order=3, points=(
        Point("a zero among the factors", (ONE_ZERO, 0), Kind.REMOVABLE, "not product / x", 2),
        Point("two zeros among the factors", (A([0.0, 0.0, 3.0]), 0), Kind.REMOVABLE, "not product / x", 2))),
    along("aminmax", lambda t, x, dim: tuple(t.aminmax(x, dim=dim)), points=(
        Point("two equal minima", (A([1.0, 1.0]), 0), Kind.TIE, SPLIT),
        Point("two equal maxima", (A([1.0, 1.0]), 0), Kind.TIE, SPLIT, 1))),
    Row(name="msort", call=lambda t, x: t.msort(x), sample=one(least=1), **PLAIN, points=(
        Point("two equal elements", (A([1.0, 1.0]),), Kind.TIE, "any of the equal ones"),)),
    along("quantile", lambda t, x, dim: t.quantile(x, 0.3, dim), points=(
        Point("two equal elements", (A([1.0, 1.0]), 0), Kind.TIE),
        Point("the lower of them occurs twice", (A([1.0, 1.0, 2.0, 3.0]), 0), Kind.TIE))),
    along("nanquantile", lambda t, x, dim: t.nanquantile(x, 0.3, dim), points=(
        Point("two equal elements and a gap", (A([1.0, 1.0, np.nan]), 0), Kind.TIE),
        Point("nothing but gaps", (A([np.nan, np.nan]), 0), Kind.SINGULAR, "the value is picked all the same"))),
    *spread("std_mean"),
    Row(name="renorm", call=lambda t, x, p: t.renorm(x, p, 0, 2.0), **PLAIN, ties=1, in_place=False, sample=cases(
        lambda d: (A([[3.0], [0.2]]) * d.array((2, 3), 0.5, 1.5), d.pick(1, 2, 3))), points=(
            Point("the norm is maxnorm", (A([[2.0]]), 2), Kind.KINK),
            Point("the zero vector", (A([[0.0, 0.0]]), 2), Kind.REMOVABLE))),
    Row(name="float_power", call=lambda t, x, y: t.float_power(x, y), **PLAIN, ties=1, order=3, sample=cases(
        lambda d: (d.array(s := d.shape(), 0.2, 2), d.array(d.alike(s)))), points=(
            Point("zero to a positive power", (A(0.0), A(2.0)), Kind.REMOVABLE, "no log 0 where x**y is 0"),
            Point("zero to the power of zero", (A(0.0), A(0.0)), Kind.END),
            Point("zero to a negative power", (A(0.0), A(-1.0)), Kind.SINGULAR))),
    Row(name="corrcoef", call=lambda t, x: t.corrcoef(x), **PLAIN, ties=0, sample=cases(
        lambda d: (d.array((d.integer(2, 3), 4)),)), points=(
            Point("a variable that never varies", (A([[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]]),), Kind.SINGULAR, "0 / 0", 1),)),
    # norms and distances
    Row(name="linalg.vector_norm", call=lambda t, x, p: t.linalg.vector_norm(x, p), **PLAIN, ties=1, sample=cases(
        lambda d: (d.array(d.shape(least=1, empty=False)), d.pick(1, 2, 3, np.inf, -np.inf, 0))), points=(
            zeros(1, words="the zero vector, p = 1"), zeros(2, words="the zero vector, p = 2"),
            zeros(3, words="the zero vector, p = 3", order=1),
            zeros(0, words="the zero vector, p = 0", kind=Kind.JUMP, why="the count of what is not zero"),
            Point("two of the same largest size", (A([1.0, -1.0]), np.inf), Kind.TIE, SPLIT))),
    Row(name="linalg.matrix_norm", call=lambda t, x, p: t.linalg.matrix_norm(x, p), **PLAIN, ties=0, layouts=False,
        rtol=1e-6, sample=cases(norms), points=(
            Point("the zero matrix", (np.zeros((1, 2)), "fro"), Kind.KINK),
            Point("two equal singular values", (np.eye(2), 2), Kind.TIE, SPLIT, order=1),
            Point("two equal singular values", (np.eye(2), -2), Kind.TIE, SPLIT, order=1),
            Point("the singular value 0", (np.diag([1.0, 0.0]), "nuc"), Kind.KINK, "by the sign that LAPACK takes"),
            Point("two columns with the largest sum", (A([[1.0, 1.0]]), 1), Kind.TIE, SPLIT))),
    Row(name="linalg.cond", call=lambda t, x: t.linalg.cond(x), **PLAIN, ties=0, layouts=False, rtol=1e-6, sample=cases(
        lambda d: (norms(d)[0],)), points=(
            Point("all singular values equal", (np.eye(2),), Kind.TIE, "in the basis that LAPACK takes", order=1),)),
    Row(name="dist", call=lambda t, x, y, p: t.dist(x, y, p), **PLAIN, ties=1, sample=cases(
        lambda d: (*apart(d, d.shape(least=1, empty=False), 0.0), d.pick(1, 2, 3))), points=(
            Point("two equal points", (A([1.0]), A([1.0]), 2), Kind.KINK),)),
    Row(name="nn.functional.pdist", call=lambda t, x, p: t.nn.functional.pdist(x, p), **PLAIN, ties=0, order=1,
        rtol=1e-6, sample=cases(lambda d: (d.array((d.integer(2, 3), 2)), d.pick(1.0, 2.0, 3.0))), points=(
            Point("two equal points", (np.ones((2, 1)), 2.0), Kind.KINK),)),
    loss("pairwise_distance", lambda d: (*apart(d, (2, d.integer(1, 3)), 0.0), {"p": d.pick(1.0, 2.0, 3.0)}),
         Point("two equal points", (A([[1.0]]), A([[1.0]]), {}), Kind.KINK,
               "eps = 1e-6 is added to the difference, so the kink lies there")),
    # activations and layers
    Row(name="nn.functional.celu", call=lambda t, x, a: t.nn.functional.celu(x, a), **PLAIN, sample=cases(
        lambda d: (d.array(), d.pick(1.0, 0.5))), points=(Point("x = 0", (A(0.0), 0.5), Kind.BEND),)),
    Row(name="nn.functional.lp_pool1d", call=lambda t, x, p: t.nn.functional.lp_pool1d(x, p, 2), **PLAIN, ties=0,
        sample=cases(lambda d: (d.array((1, 2, 4)), d.pick(1.0, 2.0, 3.0))), points=(
            Point("a window of zeros, p = 2", (np.zeros((1, 1, 2)), 2.0), Kind.KINK, order=1),
            Point("a window of zeros, p = 1", (np.zeros((1, 1, 2)), 1.0), Kind.TRAP, "the sign of 0 is 0"),
            Point("a window of zeros, p = 3", (np.zeros((1, 1, 2)), 3.0), Kind.END, "a negative sum has no root", order=1))),
    *(Row(name=f"nn.functional.{name}", call=lambda t, x, k, name=name: getattr(t.nn.functional, name)(x, k), **PLAIN,
          at_least=1, sample=cases(lambda d, n=n, k=k: (d.array((1, 2, *(4,) * n)), k)), points=(
              Point("equal maxima in a window", (np.ones((1, 1, *(1,) * (n - 1), 2)), window), Kind.TIE, FIRST),))
      for name, n, k, window in (("max_pool3d", 3, 2, (1, 1, 2)), ("adaptive_max_pool1d", 1, 2, 1),
                                 ("adaptive_max_pool3d", 3, 2, 1))),
    Row(name="nn.functional.rms_norm", call=lambda t, x: t.nn.functional.rms_norm(x, x.shape[-1:], eps=1e-5), **PLAIN,
        ties=0, sample=cases(lambda d: (d.array(d.shape(least=1, empty=False)),)), points=(
            Point("the zero vector", (np.zeros(2),), Kind.REMOVABLE, "eps keeps the root from zero"),)),
    Row(name="nn.functional.instance_norm", call=lambda t, x: t.nn.functional.instance_norm(x), **PLAIN, ties=0,
        sample=cases(lambda d: (d.array((2, d.integer(1, 2), d.integer(2, 4))),)), points=(
            Point("all elements equal", (np.ones((1, 1, 2)),), Kind.REMOVABLE, "eps keeps the root from zero"),)),
    Row(name="nn.functional.grid_sample", call=grid_sample, **PLAIN, ties=0, order=1, sample=cases(sampled), points=(
        Point("in the middle of a pixel", (A([[[[1.0, 2.0, 4.0]]]]), A([[[[0.0, 0.0]]]]), "zeros"), Kind.KINK),
        Point("on the border", (A([[[[1.0, 2.0]]]]), A([[[[0.5, 0.0]]]]), "border"), Kind.KINK, "0 from the border on"))),
    # losses
    loss("hinge_embedding_loss", lambda d: (d.array(s := d.shape(empty=False), away=(1.0,)), signs(d, s),
                                            {"reduction": d.pick(*REDUCTIONS)}),
         Point("the distance is the margin", (A([1.0]), A([-1.0]), {}), Kind.KINK), frozen=(1,)),
    loss("margin_ranking_loss", lambda d: (*apart(d, s := d.shape(least=1, empty=False), -0.5, 0.5), signs(d, s),
                                           {"margin": 0.5, "reduction": d.pick(*REDUCTIONS)}),
         Point("the difference is the margin", (A([1.0]), A([0.5]), A([1.0]), {"margin": 0.5}), Kind.KINK), frozen=(2,)),
    loss("multilabel_margin_loss", lambda d: (d.array((2, 3)), A([[0, 2, -1], [1, -1, 0]]), {}),
         Point("a score lies at the margin", (A([0.0, 1.0]), A([1, -1]), {}), Kind.KINK), order=1, at_least=2),
    loss("triplet_margin_loss", embedded,
         Point("the distances differ by the margin", (A([[0.0]]), A([[1.0]]), A([[2.0]]), {"eps": 0.0}), Kind.KINK)),
    loss("cosine_embedding_loss", lambda d: (d.array((2, 3)), d.array((2, 3)), signs(d, (2,)),
                                             {"margin": -0.99, "reduction": d.pick(*REDUCTIONS)}),
         Point("at right angles, margin 0", (A([[1.0, 0.0]]), A([[0.0, 1.0]]), A([-1.0]), {}), Kind.KINK), frozen=(2,)),
    loss("gaussian_nll_loss", lambda d: (d.array(s := d.shape(least=1, empty=False)), d.array(s), d.array(s, 0.3, 2),
                                         {"full": d.flag()}),
         Point("the variance is eps", (A([0.0]), A([1.0]), A([0.5]), {"eps": 0.5}), Kind.KINK,
               "the clamp at eps is not differentiated"), layouts=False),
    loss("poisson_nll_loss", lambda d: (d.array(s := d.shape(least=1, empty=False), 0.3, 2), d.array(s, 0.3, 2),
                                        {"log_input": d.flag(), "reduction": d.pick(*REDUCTIONS)}),
         Point("the rate 0", (A([0.0]), A([1.0]), {"log_input": False}), Kind.END,
               "log(x + eps), with eps = 1e-8")),
]  # fmt: skip

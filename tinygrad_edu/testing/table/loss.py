"""Losses."""

from __future__ import annotations

import numpy as np

from .._draw import cases, two
from .row import FLOATS, Kind, Point, Row

A = np.array
SIX = np.arange(6.0).reshape(2, 3)
REDUCTIONS = ("mean", "sum", "none")
CUT = "the value is cut off at 100; by x: (x - y) / max(x (1 - x), 1e-12), by y: log(1 - x) - log(x)"


def distance(name, setting=None, values=(None,), away=(0.0,), **row):
    """Return the rows of a loss of two equal shapes with a reduction, and perhaps one setting."""

    def call(t, x, y, r, v):
        extra = {} if v is None else {setting: v}
        return getattr(t.nn.functional, name)(x, y, reduction=r, **extra)

    def make(d):
        x = d.array(d.shape(empty=False), away=())
        # The difference, not the operands, must stay away from the kinks.
        return x, x + d.array(x.shape, -3, 3, away), d.pick(*REDUCTIONS), d.pick(*values)

    return Row(
        name="nn.functional." + name,
        call=call,
        sample=cases(make),
        dtypes=FLOATS,
        bad=((A([1.0, 2.0]), A([1.0, 2.0, 3.0]), "mean", values[0]), (A([1.0]), A([1.0]), "all", values[0])),
        **row,
    )


def apart(distance, kind, words, setting=None, **more):
    """Return the point of a distance where prediction and target differ by ``distance``."""
    return Point(words, (A(distance), A(0.0), "sum", setting), kind, **more)


def labelled(d, extra=()):
    """Draw scores of classes (of images too), labels, and the settings of nll_loss and cross_entropy."""
    c = d.integer(2, 4)
    batch = d.pick((), (3,), (2,)) if not extra else (2,)
    x = d.array((*batch, c, *extra))
    y = np.asarray(d.whole((*batch, *extra), 0, c))
    ignore = d.pick(-100, -100, 0)
    if ignore == 0:
        y.flat[0] = 1  # the mean of no labels at all is NaN
    weight = d.array((c,), 0.3, 2) if d.flag() else None
    return x, y, weight, ignore, d.pick(*REDUCTIONS)


def nll_loss(t, x, y, w, ignore, r):
    """Call nll_loss."""
    return t.nn.functional.nll_loss(x, y, weight=w, ignore_index=ignore, reduction=r)


def cross_entropy(t, x, y, w, ignore, r, s):
    """Call cross_entropy."""
    return t.nn.functional.cross_entropy(x, y, weight=w, ignore_index=ignore, reduction=r, label_smoothing=s)


def divergence(d):
    """Draw log-probabilities and a target."""
    shape = d.shape(least=1, empty=False)
    log_target = d.flag()
    return (
        d.array(shape, -3, -0.2),
        d.array(shape, -3, -0.2) if log_target else d.array(shape, 0.1, 1),
        d.pick(*REDUCTIONS, "batchmean"),
        log_target,
    )


def probable(d):
    """Draw probabilities, targets, and perhaps weights."""
    shape = d.shape(empty=False)
    weight = d.array(shape, 0.3, 2) if d.flag() else None
    return d.array(shape, 0.05, 0.95), d.array(shape, 0.05, 0.95), weight, d.pick(*REDUCTIONS)


def scored(d):
    """Draw scores, targets, and perhaps weights and positive weights."""
    shape = d.shape(least=1, empty=False)
    weight = d.array(shape, 0.3, 2) if d.flag() else None
    positive = d.array(shape[-1:], 0.3, 2) if d.flag() else None
    return d.array(shape, -3, 3), d.array(shape, 0.05, 0.95), weight, positive, d.pick(*REDUCTIONS)


ROWS = [
    distance("mse_loss", order=3),
    distance("l1_loss", points=(apart(0.0, Kind.KINK, "the prediction is the target"),)),
    distance(
        "smooth_l1_loss",
        "beta",
        (None, 1.0, 0.5),
        away=(-1, -0.5, 0, 0.5, 1),
        ties=1,
        points=(apart(1.0, Kind.BEND, "the distance is beta", 1.0), apart(0.0, Kind.KINK, "beta = 0", 0.0)),
    ),
    distance(
        "huber_loss",
        "delta",
        (None, 1.0, 0.5),
        away=(-1, -0.5, 0, 0.5, 1),
        ties=1,
        points=(apart(1.0, Kind.BEND, "the distance is delta", 1.0),),
    ),
    Row(  # images: torch cannot differentiate them twice
        name="nn.functional.nll_loss",
        call=nll_loss,
        sample=cases(lambda d: labelled(d, d.pick((2,), (1, 2)))),
        frozen=(2,),
        dtypes=FLOATS,
        order=1,
        layouts=False,  # torch wants them contiguous
        special=False,
        ties=0,
    ),
    Row(
        name="nn.functional.cross_entropy",
        call=cross_entropy,
        sample=cases(lambda d: (*labelled(d, d.pick((2,), (1, 2))), d.pick(0.0, 0.1))),
        frozen=(2,),
        dtypes=FLOATS,
        order=1,
        layouts=False,  # torch wants them contiguous
        special=False,
        ties=0,
    ),
    Row(
        name="nn.functional.nll_loss",
        call=nll_loss,
        sample=cases(labelled),
        frozen=(2,),
        dtypes=FLOATS,
        special=False,
        ties=0,
        bad=(
            (SIX, A([0, 3]), None, -100, "mean"),
            (SIX, A([0, -1]), None, -100, "mean"),
            (SIX, A([0, 1, 2]), None, -100, "mean"),
            (SIX, A([0.0, 1.0]), None, -100, "mean"),
            (SIX, A([0, 1]), A([1.0]), -100, "mean"),
        ),
    ),
    Row(
        name="nn.functional.cross_entropy",
        call=cross_entropy,
        sample=cases(lambda d: (*labelled(d), d.pick(0.0, 0.0, 0.1, 0.4))),
        frozen=(2,),
        dtypes=FLOATS,
        ties=0,
        special=False,
        bad=(
            (SIX, A([0, 3]), None, -100, "mean", 0.0),
            (SIX, A([0, -1]), None, -100, "mean", 0.0),
            (SIX, A([0, 1, 2]), None, -100, "mean", 0.0),
            (SIX, A([0.0, 1.0]), None, -100, "mean", 0.0),
            (SIX, A([0, 1]), None, -100, "mean", 2.0),
            (SIX, A([0, 1]), A([1.0]), -100, "mean", 0.0),
        ),
    ),
    Row(
        name="nn.functional.cross_entropy",
        call=lambda t, x, y, w, r, s: t.nn.functional.cross_entropy(x, y, weight=w, reduction=r, label_smoothing=s),
        sample=cases(
            lambda d: (
                x := d.array((d.integer(1, 3), 3)),
                np.exp(x[::-1]) / np.exp(x[::-1]).sum(1, keepdims=True),
                d.array((3,), 0.3, 2) if d.flag() else None,
                d.pick(*REDUCTIONS),
                d.pick(0.0, 0.2),
            )
        ),
        frozen=(2,),
        dtypes=FLOATS,
        ties=0,
        special=False,
    ),
    Row(
        name="nn.functional.binary_cross_entropy",
        call=lambda t, x, y, w, r: t.nn.functional.binary_cross_entropy(x, y, weight=w, reduction=r),
        sample=cases(probable),
        frozen=(2,),
        dtypes=FLOATS,
        special=False,
        ties=0,  # rounded, they are no probabilities
        bad=((A([0.5]), A([1.0, 0.0]), None, "mean"), (A([1.5]), A([1.0]), None, "mean")),
        points=(
            Point("input 0, target 0", (A(0.0), A(0.0), None, "sum"), Kind.END, CUT),
            Point("input 0, target 1", (A(0.0), A(1.0), None, "sum"), Kind.END, CUT),
            Point("input 1, target 1", (A(1.0), A(1.0), None, "sum"), Kind.END, CUT),
            Point("input 1, target 0", (A(1.0), A(0.0), None, "sum"), Kind.END, CUT),
        ),
    ),
    Row(
        name="nn.functional.binary_cross_entropy_with_logits",
        call=lambda t, x, y, w, p, r: t.nn.functional.binary_cross_entropy_with_logits(
            x, y, weight=w, pos_weight=p, reduction=r
        ),
        sample=cases(scored),
        frozen=(2, 3),
        dtypes=FLOATS,
        special=False,
        bad=((A([0.5]), A([1.0, 0.0]), None, None, "mean"),),
        points=(
            Point(
                "the score 0",
                (A([0.0]), A([1.0]), None, None, "sum"),
                Kind.REMOVABLE,
                "the kinks of max(x, 0) and log(1 + exp(-|x|)) cancel",
            ),
        ),
    ),
    Row(
        name="nn.functional.kl_div",
        call=lambda t, x, y, r, log: t.nn.functional.kl_div(x, y, reduction=r, log_target=log),
        sample=cases(divergence),
        dtypes=FLOATS,
        special=False,
        points=(Point("the target 0", (A(-1.0), A(0.0), "sum", False), Kind.END, "0 · log 0 is 0"),),
    ),
    Row(
        name="nn.functional.cosine_similarity",
        call=lambda t, x, y: t.nn.functional.cosine_similarity(x, y),
        sample=cases(lambda d: (d.array(s := (d.integer(1, 3), d.integer(1, 3))), d.array(d.pick(s, (1, s[1]))))),
        dtypes=FLOATS,
        special=False,
        ties=0,
        spellings={"torch.cosine_similarity": lambda t, x, y: t.cosine_similarity(x, y)},
        points=(
            Point(
                "a zero vector", (A([[0.0, 0.0]]), A([[3.0, 4.0]])), Kind.JUMP, "a norm below eps = 1e-8 counts as eps"
            ),
            Point("two zero vectors", (np.zeros((1, 1)), np.zeros((1, 1))), Kind.REMOVABLE, "0 / eps"),
        ),
        bad=((A([[1.0, 2.0]]), A([[1.0, 2.0, 3.0]])),),
    ),
    Row(
        name="nn.functional.cosine_similarity",
        call=lambda t, x, y, dim: t.nn.functional.cosine_similarity(x, y, dim=dim, eps=1e-6),
        sample=cases(lambda d: (d.array(s := d.shape(least=1, empty=False)), d.array(s), d.dim(len(s)))),
        dtypes=FLOATS,
        special=False,
        points=(Point("a zero vector, eps = 1e-6", (A([0.0, 0.0]), A([3.0, 4.0]), 0), Kind.JUMP, "likewise"),),
        ties=0,
    ),
    Row(
        name="nn.functional.mse_loss",
        call=lambda t, x, y: t.nn.functional.mse_loss(x, y),
        sample=two(),
        dtypes=("float32",),
        special=False,
    ),
]

"""Losses: elementwise distances with their reduction, and cross-entropy over classes.

``reduction`` is "none", "mean" or "sum"; the gradient of a mean hands each element its share of 1 / n.
"""

from __future__ import annotations

import math

import numpy as np

from .._core.op import Array, op
from .elementwise import log, plain, sigmoid, where
from .reduce import sum
from .shape import reshape
from .softmax import ones, softmax, total


def reduced(loss: Array, reduction: str) -> Array:
    """Average or sum the losses of all elements, or leave them."""
    if reduction == "none":
        return loss
    whole = np.add.reduce(loss, axis=None)
    return whole / loss.size if reduction == "mean" else whole


def each(g: Array, shape: tuple[int, ...], reduction: str) -> Array:
    """Say what one element's loss weighs in the result's gradient."""
    return g * (1.0 / max(math.prod(shape), 1)) if reduction == "mean" else g


@op
def mse_loss(x: Array, y: Array, *, reduction: str) -> Array:
    """Square the differences: (x - y)^2."""
    d = x - y
    if reduction == "none":
        return d * d
    d = d.reshape(-1)
    whole = d.dot(d)
    return whole / d.size if reduction == "mean" else whole


def _mse_share(g: Array, x: Array, y: Array, reduction: str, sense: float) -> Array:
    return (x - y) * (g * (sense * 2.0 / max(math.prod(x.shape), 1) if reduction == "mean" else sense * 2.0))


mse_loss.gradient(
    x=lambda g, x, y, reduction: _mse_share(g, x, y, reduction, 1.0),
    y=lambda g, x, y, reduction: _mse_share(g, x, y, reduction, -1.0),
)


@op(node="SmoothL1LossBackward0")
def smooth_l1_loss(x: Array, y: Array, *, beta: float, reduction: str) -> Array:
    """Square small differences, take large ones as they are: d^2 / (2 beta) below beta, |d| - beta / 2 above."""
    d = np.abs(x - y)
    return reduced(np.where(d < beta, d * d * (0.5 / beta), d - 0.5 * beta), reduction)


def limited(d: Array, bound: float) -> Array:
    """Keep d within [-bound, bound]; at the ends it no longer grows."""
    return where(bound, where(-bound, d, condition=plain(d) <= -bound), condition=plain(d) >= bound)


def _smooth_l1_share(g: Array, x: Array, y: Array, beta: float, reduction: str) -> Array:
    d = (x - y) * (1.0 / beta)
    return each(g, x.shape, reduction) * limited(d, 1.0)


smooth_l1_loss.gradient(
    x=_smooth_l1_share,
    y=lambda g, x, y, beta, reduction: -_smooth_l1_share(g, x, y, beta, reduction),
)


@op
def huber_loss(x: Array, y: Array, *, delta: float, reduction: str) -> Array:
    """Square small differences and grow in proportion beyond: d^2 / 2 up to delta, delta (|d| - delta / 2) above."""
    d = np.abs(x - y)
    return reduced(np.where(d <= delta, d * d * 0.5, (d - 0.5 * delta) * delta), reduction)


def _huber_share(g: Array, x: Array, y: Array, delta: float, reduction: str) -> Array:
    d = x - y
    return each(g, x.shape, reduction) * limited(d, delta)


huber_loss.gradient(
    x=_huber_share,
    y=lambda g, x, y, delta, reduction: -_huber_share(g, x, y, delta, reduction),
)


@op(node="BinaryCrossEntropyBackward0")
def binary_cross_entropy(x: Array, y: Array, *, weight: Array | None, reduction: str) -> Array:
    """Score probabilities: -(y log x + (1 - y) log(1 - x)), each logarithm at least -100."""
    loss = (y - 1.0) * np.maximum(np.log1p(-x), -100.0) - y * np.maximum(np.log(x), -100.0)
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


def _weighted(g: Array, shape: tuple[int, ...], weight: Array | None, reduction: str) -> Array:
    g = each(g, shape, reduction)
    return g if weight is None else g * weight


def _bce_share(g: Array, x: Array, y: Array, weight: Array | None, reduction: str) -> Array:
    spread = x * (1.0 - x)
    return _weighted(g, x.shape, weight, reduction) * (x - y) / where(1e-12, spread, condition=plain(spread) < 1e-12)


binary_cross_entropy.gradient(
    x=_bce_share,
    y=lambda g, x, weight, reduction: _weighted(g, x.shape, weight, reduction) * (log(1.0 - x) - log(x)),
)


def softplus_of_minus(x: Array) -> Array:
    """Compute log(1 + exp(-x)), finite for every finite x."""
    return np.maximum(-x, 0.0) + np.log1p(np.exp(-np.abs(x)))


@op(node="BinaryCrossEntropyWithLogitsBackward0")
def binary_cross_entropy_with_logits(
    x: Array, y: Array, *, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Array:
    """Score logits: (1 - y) x + (1 + (pos_weight - 1) y) log(1 + exp(-x)), finite for every finite x."""
    cost = softplus_of_minus(x)
    if pos_weight is not None:
        cost = cost * (1.0 + (pos_weight - 1.0) * y)
    loss = (1.0 - y) * x + cost
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


def _bce_logits_share(
    g: Array, x: Array, y: Array, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Array:
    if pos_weight is None:
        slope = sigmoid(x) - y
    else:
        t = y * pos_weight
        slope = (t + 1.0 - y) * sigmoid(x) - t
    return slope * _weighted(g, x.shape, weight, reduction)


def _bce_logits_target_share(
    g: Array, x: Array, weight: Array | None, pos_weight: Array | None, reduction: str
) -> Array:
    slope = -x if pos_weight is None else minus_log_sigmoid(x) * (pos_weight - 1.0) - x
    return slope * _weighted(g, x.shape, weight, reduction)


@op
def minus_log_sigmoid(x: Array) -> Array:
    """Compute log(1 + exp(-x))."""
    return softplus_of_minus(x)


minus_log_sigmoid.gradient(x=lambda g, x: -(g * sigmoid(-x)))
binary_cross_entropy_with_logits.gradient(x=_bce_logits_share, y=_bce_logits_target_share)


@op
def soft_margin_loss(x: Array, y: Array, *, reduction: str) -> Array:
    """Score signed targets: log(1 + exp(-y x))."""
    return reduced(softplus_of_minus(x * y), reduction)


soft_margin_loss.gradient(
    x=lambda g, x, y, reduction: -(each(g, x.shape, reduction) * y * sigmoid(-(x * y))),
    y=lambda g, x, y, reduction: -(each(g, x.shape, reduction) * x * sigmoid(-(x * y))),
)
soft_margin_loss.shows = (0,)  # torch lists the input alone


# ---- classes


def below_top(x: Array, rows: Array) -> Array:
    """Subtract each row's largest element; ``rows`` says where the rows begin in the flattened matrix."""
    return x - x.take(rows + x.argmax(axis=1))[:, None]  # twice as fast as a maximum over few columns


@op(node="NllLossBackward0")
def cross_entropy(x: Array, *, target: Array, reduction: str) -> Array:
    """Score logits against class numbers: log(sum(exp(x))) - x[target], row by row.  (n, classes), (n,) -> () or (n,)

    Weights, ignored targets, smoothing and targets of higher rank are composed of ``log_softmax`` and ``nll_loss``.
    """
    rows = np.arange(0, x.size, x.shape[1])
    s = below_top(x, rows)
    picked = s.take(rows + target)
    loss = np.log(np.exp(s, out=s).dot(ones(x.shape[1], x.dtype)))
    loss -= picked
    return reduced(loss, reduction)


def _cross_entropy_share(g: Array, x: Array, target: Array, reduction: str) -> Array:
    if reduction == "none":
        return softmax_error(x, target=target) * reshape(g, shape=(x.shape[0], 1))
    return softmax_error(x, target=target) * each(g, x.shape[:1], reduction)


cross_entropy.gradient(x=_cross_entropy_share)


@op
def softmax_error(x: Array, *, target: Array) -> Array:
    """Predicted minus true probabilities: softmax(x), less 1 at the target."""
    rows = np.arange(0, x.size, x.shape[1])
    e = below_top(x, rows)
    np.exp(e, out=e)
    e /= e.dot(ones(x.shape[1], x.dtype))[:, None]
    e[np.arange(len(x)), target] -= 1.0  # not through a reshape: e may lie in x's order, column by column
    return e


def _softmax_error_share(g: Array, x: Array) -> Array:
    p = softmax(x, axis=1)
    weighted = g * p
    return weighted - p * total(weighted, axis=1)


softmax_error.gradient(x=_softmax_error_share)


@op
def pick(x: Array, *, target: Array) -> Array:
    """Take the targets' elements along the classes.  (n, classes, ...), (n, ...) -> (n, ...)"""
    return np.take_along_axis(x, target[:, None], axis=1)[:, 0]


@op
def place(y: Array, *, target: Array, shape: tuple[int, ...]) -> Array:
    """Put elements where ``pick`` found them, among zeros."""
    out = np.zeros(shape, y.dtype)
    np.put_along_axis(out, target[:, None], y[:, None], axis=1)
    return out


pick.gradient(x=lambda g, x_shape, target: place(g, target=target, shape=x_shape))
place.gradient(y=lambda g, target: pick(g, target=target))


@op
def nll_loss(x: Array, *, target: Array, share: Array, divisor: Array | None) -> Array:
    """Sum what log-probabilities lose at the targets: -share x[target], over all rows if a divisor is given.

    ``share`` holds the class weight of every target, zero where it is ignored; ``target`` names class 0 there.
    """
    picked = np.take_along_axis(x, target[:, None], axis=1)[:, 0]
    loss = np.where(share == 0, np.asarray(0, x.dtype), picked * -share)
    return loss if divisor is None else np.add.reduce(loss, axis=None) / divisor


def _nll_share(g: Array, x_shape: tuple[int, ...], target: Array, share: Array, divisor: Array | None) -> Array:
    if divisor is not None and divisor != 0:  # nothing counted: the loss is nan, yet nobody is to blame
        g = g * (1.0 / float(divisor))
    return place(-(g * share), target=target, shape=x_shape)


nll_loss.gradient(x=_nll_share)
nll_loss_2d = nll_loss.named("NllLoss2DBackward0")
nll_loss_inside, nll_loss_single = (
    nll_loss.inside(),
    reshape.named("NllLossBackward0"),
)  # one example: one element, without a shape
nll_loss_view = nll_loss.named("ViewBackward0")  # torch joins the axes of other ranks, and views the result


@op
def multi_margin_loss(x: Array, *, target: Array, p: int, margin: float, weight: Array | None, reduction: str) -> Array:
    """Ask the target to lead by a margin: sum over other classes of max(0, margin - x[target] + x)^p / classes."""
    gap = x - np.take_along_axis(x, target[:, None], axis=1) + margin
    np.put_along_axis(gap, target[:, None], 0, axis=1)
    gap = np.maximum(gap, 0.0)
    if p == 2:
        gap *= gap
    if weight is not None:
        gap *= weight[target][:, None]
    return reduced(np.add.reduce(gap, axis=1) / x.shape[1], reduction)


def _multi_margin_share(
    g: Array, x: Array, target: Array, p: int, margin: float, weight: Array | None, reduction: str
) -> Array:
    n, classes = x.shape
    gap = x - reshape(pick(x, target=target), shape=(n, 1)) + margin
    slope = gap * 0.0 + (plain(gap) > 0) if p == 1 else gap * 2.0 * (plain(gap) > 0)
    own = pick(slope, target=target)
    slope = slope - place(own, target=target, shape=(n, classes))  # the target is no rival of its own
    slope = slope - place(sum(slope, axis=1), target=target, shape=(n, classes))
    g = each(g, (n,), reduction) * (1.0 / classes)
    if weight is not None:
        g = g * weight[target]
    return slope * (reshape(g, shape=(n, 1)) if g.ndim else g)


multi_margin_loss.gradient(x=_multi_margin_share)

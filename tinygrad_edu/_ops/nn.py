"""Linear maps, lookup and attention: the fused steps that most networks are made of."""

from __future__ import annotations

import math

import numpy as np

from .._core.op import Array, op
from ._choice import FAST
from .shape import broadcast_to, reshape, sum_to
from .softmax import ones, safe_softmax, total


def rows(x: Array) -> Array:
    """View (..., n) as a matrix of rows (batch, n)."""
    if x.ndim == 2:
        return x
    return reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


@op
def column_sums(x: Array) -> Array:
    """Sum over rows.  (n, m) -> (m,)"""
    return ones(x.shape[0], x.dtype).dot(x)


column_sums.gradient(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


@op(node="AddmmBackward0")
def linear(x: Array, w: Array, b: Array) -> Array:
    """Map each row: x @ w.mT + b; no bias if b is None.  (..., n), (m, n), (m,) -> (..., m)"""
    if x.ndim > 2:  # one product of matrices, not one per leading index
        out = np.empty((*x.shape[:-1], w.shape[0]), x.dtype)
        np.matmul(x.reshape(math.prod(x.shape[:-1]), x.shape[-1]), w.T, out=out.reshape(-1, w.shape[0]))
    else:
        out = x.dot(w.T)  # for small matrices half the cost of @
    if b is not None:
        out += b
    return out


linear.gradient(
    x=lambda g, w: g @ w if g.ndim == 2 else linear(g, w.mT, None),
    w=lambda g, x: g.mT @ x if g.ndim == 2 else rows(g).mT @ rows(x),
    b=lambda g, b_shape: (
        column_sums(g)
        if g.ndim == 2 and b_shape == g.shape[1:]
        else column_sums(rows(g))
        if b_shape == g.shape[-1:] and g.ndim > 1
        else sum_to(g, shape=b_shape)
    ),
)
linear.shows = (2, 0, 1)  # torch lists the bias first
mm_linear = linear.named("MmBackward0", shows=(0, 1))  # torch's names for the other ranks
view_linear = linear.named("ViewBackward0")
unsafe_view_linear = linear.named("UnsafeViewBackward0")
squeeze_linear = linear.named("SqueezeBackward4")
add_linear = linear.named("AddBackward0")


@op
def embedding(w: Array, index: Array, *, skip: int | None = None, per_row: Array | None = None) -> Array:
    """Look up rows of w; row ``skip`` learns nothing, and ``per_row`` scales what each lookup learns.

    (rows, n), (...) -> (..., n)
    """
    return w[index]


embedding.gradient(
    w=lambda g, index, w_shape, skip, per_row: scatter_rows(g, index, height=w_shape[0], skip=skip, per_row=per_row)
)


@op(node="EmbeddingDenseBackward0")
def scatter_rows(y: Array, index: Array, *, height: int, skip: int | None, per_row: Array | None) -> Array:
    """Add rows of y where the lookup found them.  (..., n), (...) -> (height, n)"""
    flat, where = y.reshape(index.size, y.shape[-1]), index.reshape(-1)
    if per_row is not None:
        flat = flat * per_row.reshape(-1, 1)
    out = np.zeros((height, y.shape[-1]), y.dtype)
    if where.size:
        order = where.argsort(kind="stable")  # equal indices together, so that each row is summed in one sweep
        ordered = where[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        out[ordered[starts]] = np.add.reduceat(flat[order], starts, axis=0)
    if skip is not None:
        out[skip] = 0
    return out


@op
def gather_rows(x: Array, index: Array, *, skip: int | None, per_row: Array | None) -> Array:
    """Look up rows as ``scatter_rows`` spreads them: its adjoint."""
    out = x[index]
    if per_row is not None:
        out *= per_row.reshape(*index.shape, 1)
    if skip is not None:
        out[index == skip] = 0
    return out


scatter_rows.gradient(y=lambda g, index, skip, per_row: gather_rows(g, index, skip=skip, per_row=per_row))
gather_rows.gradient(
    x=lambda g, index, x_shape, skip, per_row: scatter_rows(g, index, height=x_shape[0], skip=skip, per_row=per_row)
)


@op(node="ScaledDotProductFlashAttentionForCpuBackward0")
def attention(
    q: Array, k: Array, v: Array, *, mask: Array | None, scale: float, memo: dict[str, Array] | None = None
) -> Array:
    """Mix values by how well queries match keys: softmax(q @ k.mT * scale + mask) @ v (Vaswani 2017).

    (..., n, d), (..., m, d), (..., m, e) -> (..., n, e)
    """
    if FAST and q.size and k.size:
        return _attention_forward(q, k, v, mask, scale, memo)
    scores = (q * scale) @ k.swapaxes(-1, -2)
    if mask is not None:
        scores += mask
    return safe_softmax(scores, axis=scores.ndim - 1) @ v


def _attention_shares(g: Array, q: Array, k: Array, v: Array, mask: Array | None, scale: float) -> tuple[Array, ...]:
    scores = (q * scale) @ k.mT
    p = safe_softmax(scores if mask is None else scores + mask, axis=scores.ndim - 1)
    weighted = (g @ v.mT) * p
    s = (weighted - p * total(weighted, axis=weighted.ndim - 1)) * scale
    return s @ k, s.mT @ q, p.mT @ g


attention.joint(_attention_shares)


# In first order the exponentials are kept if they are few (they are n x m, all else is n or m x d), and not divided by their sums:
# the narrow arrays beside them are, and sum(g v p) = g out (Dao 2022, FlashAttention, appendix B). They lie key by key, (..., m, n),
# because NumPy finds maxima over columns six times faster than over rows. Forward and backward of 16x4 heads of 64x16 take 1.7 ms
# instead of 3.3.

KEPT = 1 << 22  # exponentials kept at most: 16 MB of float32


def _attention_forward(
    q: Array, k: Array, v: Array, mask: Array | None, scale: float, memo: dict[str, Array] | None
) -> Array:
    """Compute ``attention``; leave what backward wants in ``memo``."""
    scores = k @ (q * scale).swapaxes(-1, -2)  # (..., m, n)
    if mask is not None:
        scores += np.ascontiguousarray(np.atleast_2d(mask).swapaxes(-1, -2))
    top = np.maximum.reduce(scores, axis=-2, keepdims=True)
    top[top == -np.inf] = 0  # all is masked: the exponentials are zero, and so is the result
    scores -= top
    e = np.exp(scores, out=scores)
    sums = np.add.reduce(e, axis=-2)[..., None]  # (..., n, 1)
    sums[sums == 0] = 1
    out = e.swapaxes(-1, -2) @ v
    out /= sums
    if memo is not None and e.size <= KEPT:
        memo.update(e=e, sums=sums, out=out.copy())
    return out


def _attention_backward(
    g: Array, q: Array, k: Array, v: Array, mask: Array | None, scale: float, memo: dict[str, Array]
) -> tuple[Array, ...]:
    """Compute the shares from the exponentials that the forward kept."""
    if not memo:
        return _attention_shares(g, q, k, v, mask, scale)
    e, g = memo["e"], g / memo["sums"]
    s = v @ g.mT  # (..., m, n), as e
    s -= total(g * memo["out"], axis=g.ndim - 1).mT
    s *= e
    gq, gk = s.mT @ k, s @ q
    gq *= scale
    gk *= scale
    return gq, gk, e @ g


if FAST:
    attention.at_first_order(_attention_backward)
view_attention = attention.named("UnsafeViewBackward0")
mm_attention = attention.named("MmBackward0")

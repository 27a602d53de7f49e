"""Products of matrices and vectors, decompositions, and what is solved with them.

Gradients follow M. Giles, "An extended collection of matrix derivative results" (2008); each is written with ops, so that it can be
differentiated again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.op import Array, op
from .reduce import norm_share, ratio, sum
from .shape import cat, getitem, reshape, tril, triu


class LinAlgError(RuntimeError):
    """A matrix that is singular, or not positive-definite, where it must not be.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> try:
    ...     torch.linalg.inv(torch.zeros(2, 2))
    ... except torch.linalg.LinAlgError as error:
    ...     print(str(error)[:54])
    linalg.inv: The diagonal element 1 is zero, the invers
    """


# ---- products. Which one a call needs is decided by the ranks, once, in the function matmul.


@op
def mm(x: Array, y: Array) -> Array:
    """Multiply two matrices.  (n, k) @ (k, m) -> (n, m)"""
    return x @ y


mm.gradient(x=lambda g, y: g @ y.mT, y=lambda g, x: x.mT @ g)


@op
def mv(x: Array, y: Array) -> Array:
    """Multiply a matrix and a vector.  (n, k) @ (k,) -> (n,)"""
    return x @ y


@op(node="SqueezeBackward4")  # torch squeezes the product with a one-row matrix
def vecmat(x: Array, y: Array) -> Array:
    """Multiply a vector and a matrix.  (k,) @ (k, m) -> (m,)"""
    return x @ y


@op
def dot(x: Array, y: Array) -> Array:
    """Multiply two vectors and add up.  (k,) @ (k,) -> ()"""
    return x @ y


@op(node="MulBackward0")
def outer(x: Array, y: Array) -> Array:
    """Multiply each element of one vector with each of another.  (n,), (m,) -> (n, m)"""
    return x[:, None] * y


mv.gradient(x=lambda g, y: outer(g, y), y=lambda g, x: x.mT @ g)
vecmat.gradient(x=lambda g, y: y @ g, y=lambda g, x: outer(x, g))
dot.gradient(x=lambda g, y: g * y, y=lambda g, x: g * x)
outer.gradient(x=lambda g, y: g @ y, y=lambda g, x: g.mT @ x)

vdot = dot.named("VdotBackward0")


@op
def bmm(x: Array, y: Array) -> Array:
    """Multiply matrices pairwise.  (b, n, k) @ (b, k, m) -> (b, n, m)"""
    return x @ y


@op(broadcasts=True, node="UnsafeViewBackward0")
def matmul(x: Array, y: Array) -> Array:
    """Multiply matrices over the last two axes; leading axes broadcast.  (..., n, k) @ (..., k, m) -> (..., n, m)"""
    return x @ y


bmm.gradient(x=lambda g, y: g @ y.mT, y=lambda g, x: x.mT @ g)
matmul.gradient(x=lambda g, y: g @ y.mT, y=lambda g, x: x.mT @ g)


def flat(x: Array) -> Array:
    """All rows of x as one matrix.  (..., k) -> (n, k)"""
    return reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


@op(node="UnsafeViewBackward0")
def rows_mm(x: Array, y: Array) -> Array:
    """Multiply every row of x with one matrix, as a single product.  (..., k) @ (k, m) -> (..., m)"""
    return (x.reshape(math.prod(x.shape[:-1]), x.shape[-1]) @ y).reshape(*x.shape[:-1], y.shape[-1])


@op(node="UnsafeViewBackward0")
def rows_mv(x: Array, y: Array) -> Array:
    """Multiply every row of x with one vector.  (..., k) @ (k,) -> (...)"""
    return x @ y


rows_mm.gradient(x=lambda g, y: rows_mm(g, y.mT), y=lambda g, x: flat(x).mT @ flat(g))
rows_mv.gradient(
    x=lambda g, y: reshape(g, shape=(*g.shape, 1)) * y,
    y=lambda g, x: flat(x).mT @ reshape(g, shape=(math.prod(g.shape),)),
)


def _scaled(x: Array, factor: float) -> Array:
    return x if factor == 1 else x * factor


def _plus(b: Array, xy: Array, beta: float, alpha: float) -> Array:
    """Beta * b + alpha * xy in the shape of xy; beta = 0 ignores b, NaN or not."""
    if beta == 0:
        return (xy * alpha).astype(xy.dtype)
    return (_scaled(b, beta) + _scaled(xy, alpha)).astype(xy.dtype, copy=False)


@op(broadcasts=True)
def addmm(b: Array, x: Array, y: Array, *, beta: float = 1, alpha: float = 1) -> Array:
    """Multiply two matrices and add a third: beta * b + alpha * (x @ y)."""
    return _plus(b, x @ y, beta, alpha)


addmm.gradient(
    b=lambda g, beta: _scaled(g, beta),
    x=lambda g, y, alpha: _scaled(g @ y.mT, alpha),
    y=lambda g, x, alpha: _scaled(x.mT @ g, alpha),
)
baddbmm = addmm.named("BaddbmmBackward0")


@op(broadcasts=True)
def addmv(b: Array, x: Array, y: Array, *, beta: float = 1, alpha: float = 1) -> Array:
    """Multiply a matrix and a vector and add a vector: beta * b + alpha * (x @ y)."""
    return _plus(b, x @ y, beta, alpha)


@op(broadcasts=True)
def addr(b: Array, x: Array, y: Array, *, beta: float = 1, alpha: float = 1) -> Array:
    """Multiply each element of one vector with each of another and add a matrix: beta * b + alpha * x[:, None] * y."""
    return _plus(b, x[:, None] * y, beta, alpha)


@op(broadcasts=True)
def addbmm(b: Array, x: Array, y: Array, *, beta: float = 1, alpha: float = 1) -> Array:
    """Multiply matrices pairwise, add them all up and add a matrix: beta * b + alpha * sum(x @ y)."""
    return _plus(b, np.add.reduce(x @ y, axis=0), beta, alpha)


addmv.gradient(
    b=lambda g, beta: _scaled(g, beta),
    x=lambda g, y, alpha: _scaled(outer(g, y), alpha),
    y=lambda g, x, alpha: _scaled(x.mT @ g, alpha),
)
addr.gradient(
    b=lambda g, beta: _scaled(g, beta),
    x=lambda g, y, alpha: _scaled(g @ y, alpha),
    y=lambda g, x, alpha: _scaled(g.mT @ x, alpha),
)
addbmm.gradient(
    b=lambda g, beta: _scaled(g, beta),
    x=lambda g, y, alpha: _scaled(g @ y.mT, alpha),
    y=lambda g, x, alpha: _scaled(x.mT @ g, alpha),
)


@op(node="ViewBackward0")
def contract(x: Array, y: Array, *, left: str, right: str, result: str) -> Array:
    """Sum the products of x and y over the letters that ``result`` lacks: one letter per axis, none occurring once only.

    Letters in all three are a batch, letters in two are multiplied as matrices are.
    """
    batch = [a for a in result if a in left and a in right]
    inner = [a for a in left if a in right and a not in result]
    rows = [a for a in left if a not in right]
    columns = [a for a in right if a not in left]
    size = {**dict(zip(left, x.shape, strict=True)), **dict(zip(right, y.shape, strict=True))}

    def arranged(z: Array, letters: str, *groups: list[str]) -> Array:
        z = z.transpose([letters.index(a) for group in groups for a in group])
        return z.reshape([size[a] for a in batch] + [math.prod([size[a] for a in group]) for group in groups[1:]])

    out = arranged(x, left, batch, rows, inner) @ arranged(y, right, batch, inner, columns)  # (*batch, rows, columns)
    letters = [*batch, *rows, *columns]
    return out.reshape([size[a] for a in letters]).transpose([letters.index(a) for a in result])


# Three terms, each letter in two of them or in all: the roles of x, y and the result can be exchanged.
contract.gradient(
    x=lambda g, y, left, right, result: contract(g, y, left=result, right=right, result=left),
    y=lambda g, x, left, right, result: contract(g, x, left=result, right=left, result=right),
)


@op
def trace(x: Array) -> Array:
    """Add up the diagonal of a matrix."""
    return sum(x.diagonal())


@op
def trace_place(y: Array, *, shape: tuple[int, ...]) -> Array:
    """Zeros of ``shape`` with y all along the diagonal."""
    return np.eye(*shape, dtype=y.dtype) * y


trace.gradient(x=lambda g, x_shape: trace_place(g, shape=x_shape))
trace_place.gradient(y=lambda g: trace(g))


@op(broadcasts=True, node="LinalgCrossBackward0")
def cross(x: Array, y: Array, *, axis: int) -> Array:
    """The vector product along ``axis``, which has length 3."""
    x1, x2, y1, y2 = (np.roll(a, -k, axis) for a in (x, y) for k in (1, 2))
    return x1 * y2 - x2 * y1


cross.gradient(x=lambda g, y, axis: cross(y, g, axis=axis), y=lambda g, x, axis: cross(g, x, axis=axis))


# ---- inverse, equations, determinant


def column(x: Array) -> Array:
    """Vectors as matrices of one column.  (..., n) -> (..., n, 1)"""
    return reshape(x, shape=(*x.shape, 1))


def row(x: Array) -> Array:
    """Vectors as matrices of one row.  (..., n) -> (..., 1, n)"""
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def _first_failing(x: Array, fails: Callable[[Array], int]) -> tuple[str, int]:
    """Which matrix of a batch fails, as torch names it, and at which row."""
    for i, matrix in enumerate(x.reshape(-1, *x.shape[-2:])):
        place = fails(matrix)
        if place:
            return (f"(Batch element {i}): " if x.ndim > 2 else ""), place
    return "", x.shape[-1]


def _zero_pivot(a: Array) -> int:
    """The first row (from 1) in which elimination finds no pivot, or 0."""
    a = a.astype(np.float64)
    for k in range(len(a)):
        p = k + int(np.argmax(np.abs(a[k:, k])))
        if a[p, k] == 0:
            return k + 1
        a[[k, p]] = a[[p, k]]
        a[k + 1 :] -= np.outer(a[k + 1 :, k] / a[k, k], a[k])
    return 0


def _negative_minor(a: Array) -> int:
    """The order of the first leading minor that is not positive, or 0."""
    for k in range(1, len(a) + 1):
        try:
            np.linalg.cholesky(a[:k, :k])
        except np.linalg.LinAlgError:
            return k
    return 0


@op(node="LinalgInvExBackward0")
def inv(x: Array) -> Array:
    """Invert matrices."""
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        which, place = _first_failing(x, _zero_pivot)
        raise LinAlgError(
            f"linalg.inv: {which}The diagonal element {place} is zero, the inversion could not be completed because the input "
            f"matrix is singular. (The matrix has shape {list(x.shape)}; torch.linalg.pinv inverts what can be inverted.)"
        ) from None


inv.gradient(x=lambda g, out: -(out.mT @ g @ out.mT))


def _solve(a: Array, b: Array) -> Array:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "torch.linalg.solve: The solver failed because the input matrix is singular. "
            f"(The matrix has shape {list(a.shape)}; torch.linalg.lstsq finds the nearest solution.)"
        ) from None


@op(broadcasts=True, node="LinalgSolveExBackward0")
def solve(a: Array, b: Array) -> Array:
    """Solve a @ out = b for matrices.  (..., n, n), (..., n, m) -> (..., n, m)"""
    return _solve(a, b)


@op(broadcasts=True, node="LinalgSolveExBackward0")
def solve_vector(a: Array, b: Array) -> Array:
    """Solve a @ out = b for vectors.  (..., n, n), (..., n) -> (..., n)"""
    return _solve(a, b[..., None])[..., 0]


solve.gradient(a=lambda g, a, out: -(solve(a.mT, g) @ out.mT), b=lambda g, a: solve(a.mT, g))
solve_vector.gradient(
    a=lambda g, a, out: -(column(solve_vector(a.mT, g)) * row(out)), b=lambda g, a: solve_vector(a.mT, g)
)


@op(broadcasts=True, node="LinalgSolveTriangularBackward0")
def solve_triangular(a: Array, b: Array, *, upper: bool, unit: bool = False) -> Array:
    """Solve a @ out = b, reading only one triangle of a, its diagonal as ones if ``unit``."""
    a = np.triu(a) if upper else np.tril(a)
    if unit:
        a = a - a * np.eye(a.shape[-1], dtype=a.dtype) + np.eye(a.shape[-1], dtype=a.dtype)
    return _solve(a, b)


def _triangle_share(g: Array, a: Array, out: Array, upper: bool, unit: bool) -> Array:
    share = -(solve_triangular(a.mT, g, upper=not upper, unit=unit) @ out.mT)
    inside = 1 if unit else 0
    return triu(share, diagonal=inside) if upper else tril(share, diagonal=-inside)


solve_triangular.gradient(
    a=_triangle_share, b=lambda g, a, upper, unit: solve_triangular(a.mT, g, upper=not upper, unit=unit)
)


@op(node="LinalgDetBackward0")
def det(x: Array) -> Array:
    """The determinant of matrices."""
    return np.linalg.det(x)


@op
def cofactors(x: Array) -> Array:
    """The derivative of the determinant: det(x) * inv(x).mT, and right for singular matrices too.

    In the basis of singular vectors it is diagonal, each element the product of the other singular values.
    """
    u, s, v = np.linalg.svd(x)
    return _orientation(u, v) * (u * _others(s)[..., None, :]) @ v


@op
def cofactors_along(x: Array, y: Array) -> Array:
    """The second derivative of det at x, applied to y; right for singular x too."""
    u, s, v = np.linalg.svd(x)
    n = s.shape[-1]
    without = np.where(np.eye(n, dtype=bool), s.dtype.type(1), s[..., None, :])  # (..., i, n): s with a one for s[i]
    products = _others(without) * (1 - np.eye(n, dtype=s.dtype))  # (..., i, j): all but s[i] and s[j]
    inside = u.mT @ y @ v.mT
    middle = -products * inside.mT
    diagonal = (products @ np.einsum("...ii->...i", inside)[..., None])[..., 0]
    middle = middle + diagonal[..., None] * np.eye(n, dtype=s.dtype)
    return _orientation(u, v) * (u @ middle @ v)


def _orientation(u: Array, v: Array) -> Array:
    return np.sign(np.linalg.det(u) * np.linalg.det(v)).astype(u.dtype)[..., None, None]


def _others(s: Array) -> Array:
    """At each place of the last axis the product of all other elements."""
    up, down = np.ones_like(s), np.ones_like(s)
    np.multiply.accumulate(s[..., :-1], axis=-1, out=up[..., 1:])
    down[..., :-1] = np.multiply.accumulate(s[..., :0:-1], axis=-1)[..., ::-1]
    return up * down


def _third_share(g: Array, x: Array, y: Array) -> Array:
    """The gradient of <g, cofactors_along(x, y)> in x, for invertible x, from d(inv) = -inv dx inv and d(det) = <cofactors, dx>."""
    v = inv(x).mT
    d = column(column(det(x)))

    def inner(a: Array, b: Array) -> Array:
        return sum(a * b, axis=(-2, -1), keepdims=True)

    vg, vy = v @ g.mT @ v, v @ y.mT @ v
    both = inner(g, v) * inner(y, v) - inner(g, vy)
    return d * (v * both - vg * inner(y, v) - inner(g, v) * vy + vy @ g.mT @ v + vg @ y.mT @ v)


det.gradient(x=lambda g, x: column(column(g)) * cofactors(x))
cofactors.gradient(x=lambda g, x: cofactors_along(x, g))
cofactors_along.gradient(x=_third_share, y=lambda g, x: cofactors_along(x, g))


@op(node="LinalgSlogdetBackward0")
def logabsdet(x: Array) -> Array:
    """The logarithm of the absolute value of the determinant."""
    return np.linalg.slogdet(x)[1]


@op(node="LinalgSlogdetBackward0")
def sign_of_det(x: Array) -> Array:
    """The sign of the determinant."""
    return np.linalg.slogdet(x)[0]


@op(node="WhereBackward0")
def logdet(x: Array) -> Array:
    """The logarithm of the determinant; NaN where it is negative."""
    sign, log = np.linalg.slogdet(x)
    return np.where(sign < 0, log.dtype.type(np.nan), log)[()]


logabsdet.gradient(x=lambda g, x: column(column(g)) * inv(x).mT)
logdet.gradient(x=lambda g, x: column(column(g)) * inv(x).mT)
sign_of_det.gradient(x=lambda _: None)


# ---- decompositions


@op(node="LinalgCholeskyExBackward0")
def cholesky(x: Array) -> Array:
    """The lower triangular l with l @ l.mT = x, for symmetric positive-definite x."""
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        which, place = _first_failing(x, _negative_minor)
        raise LinAlgError(
            f"linalg.cholesky: {which}The factorization could not be completed because the input is not positive-definite "
            f"(the leading minor of order {place} is not positive-definite)."
        ) from None


@op
def half_diagonal(x: Array) -> Array:
    """The lower triangle, with half of the diagonal."""
    return np.tril(x) - x * np.eye(x.shape[-1], dtype=x.dtype) * x.dtype.type(0.5)


half_diagonal.gradient(x=lambda g: half_diagonal(g))


def _cholesky_share(g: Array, out: Array) -> Array:
    inside = half_diagonal(out.mT @ g)
    both = solve_triangular(out.mT, inside + inside.mT, upper=True)  # l^-T s
    return solve_triangular(out.mT, both.mT, upper=True) * 0.5  # (l^-T s l^-1).T, symmetric


cholesky.gradient(x=_cholesky_share)
cholesky_old = cholesky.named("CholeskyBackward0")


@op(broadcasts=True)
def cholesky_solve(b: Array, l: Array, *, upper: bool = False) -> Array:
    """Solve a @ out = b, given the triangle l with l @ l.mT = a (or l.mT @ l = a, if ``upper``)."""
    if upper:
        l = l.mT
    return solve_triangular(l.mT, solve_triangular(l, b, upper=False), upper=True)


def _factor_share(g: Array, l: Array, out: Array, upper: bool) -> Array:
    share = cholesky_solve(g, l, upper=upper) @ out.mT
    both = share + share.mT
    return -(l @ both) if upper else -(both @ l)


cholesky_solve.gradient(b=lambda g, l, upper: cholesky_solve(g, l, upper=upper), l=_factor_share)


@op(node="LinalgQrBackward0")
def qr_q(x: Array, *, mode: Any = "reduced") -> Array:
    """The orthogonal factor of x = q @ r."""
    return np.linalg.qr(x, mode=mode)[0]


@op(node="LinalgQrBackward0")
def qr_r(x: Array, *, mode: Any = "reduced") -> Array:
    """The upper triangular factor of x = q @ r."""
    return np.linalg.qr(x, mode=mode)[1]


def _mirrored(x: Array) -> Array:
    """The lower triangle, mirrored at the diagonal."""
    below = tril(x, diagonal=-1)
    return tril(x, diagonal=0) + below.mT


def _qr_share(push: Array, r: Array) -> Array:
    return solve_triangular(r, push.mT, upper=True).mT  # push @ r^-T


def _qr_q_share(g: Array, x: Array, out: Array) -> Array:
    if out.shape[-1] > x.shape[-1]:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
    return _qr_share(g - out @ _mirrored(g.mT @ out), out.mT @ x)


def _qr_r_share(g: Array, x: Array, out: Array) -> Array:
    if out.shape[-2] > x.shape[-1]:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
    q = solve_triangular(out.mT, x.mT, upper=False).mT  # x @ r^-1
    return _qr_share(q @ _mirrored(out @ g.mT), out)


qr_q.gradient(x=_qr_q_share)
qr_r.gradient(x=_qr_r_share)


@op(node="LinalgEighBackward0")
def eigenvalues(x: Array, *, triangle: Any = "L") -> Array:
    """The eigenvalues of symmetric matrices, ascending."""
    return np.linalg.eigvalsh(x, UPLO=triangle)


@op(node="LinalgEighBackward0")
def eigenvectors(x: Array, *, triangle: Any = "L") -> Array:
    """The eigenvectors of symmetric matrices, as columns in the order of ``eigenvalues``."""
    return np.linalg.eigh(x, UPLO=triangle)[1]


def _eigenvalues_share(g: Array, x: Array, triangle: str) -> Array:
    v = eigenvectors(x, triangle=triangle)
    return (v * row(g)) @ v.mT


def _eigenvectors_share(g: Array, x: Array, out: Array, triangle: str) -> Array:
    w = eigenvalues(x, triangle=triangle)
    turn = out.mT @ g
    return out @ ratio((turn - turn.mT) * 0.5, row(w) - column(w)) @ out.mT


eigenvalues.gradient(x=_eigenvalues_share)
eigenvectors.gradient(x=_eigenvectors_share)


@op(node="LinalgSvdBackward0")
def svd_u(x: Array, *, full: bool = False) -> Array:
    """The left singular vectors of x = u @ diag(s) @ v, as columns."""
    return np.linalg.svd(x, full_matrices=full)[0]


@op(node="LinalgSvdBackward0")
def svd_s(x: Array) -> Array:
    """The singular values of x = u @ diag(s) @ v, descending."""
    return np.linalg.svd(x, compute_uv=False)


@op(node="LinalgSvdBackward0")
def svd_v(x: Array, *, full: bool = False) -> Array:
    """The right singular vectors of x = u @ diag(s) @ v, as rows."""
    return np.linalg.svd(x, full_matrices=full)[2]


def _svd_s_share(g: Array, x: Array) -> Array:
    return (svd_u(x) * row(g)) @ svd_v(x)


def _svd_u_share(g: Array, x: Array, out: Array, full: bool) -> Array:
    if full and x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            "svd_backward: The singular vectors in the SVD are not differentiable with full_matrices=True."
        )
    s = svd_s(x)
    v = ratio(out.mT @ x, column(s))  # of the same signs as u
    inside = out.mT @ g
    squares = s * s
    middle = ratio(inside - inside.mT, row(squares) - column(squares)) * row(s)
    share = out @ middle
    if x.shape[-2] > s.shape[-1]:
        share = share + ratio(g - out @ inside, row(s))
    return share @ v


def _svd_v_share(g: Array, x: Array, out: Array, full: bool) -> Array:
    return _svd_u_share(g.mT, x.mT, out.mT, full).mT


svd_s.gradient(x=_svd_s_share)
svd_u.gradient(x=_svd_u_share)
svd_v.gradient(x=_svd_v_share)


def _cutoff(x: Array, rtol: float | None) -> float:
    return max(x.shape[-2:]) * float(np.finfo(x.dtype).eps) if rtol is None else rtol


@op(node="LinalgPinvBackward0")
def pinv(x: Array, *, rtol: float | None = None) -> Array:
    """The pseudo-inverse: singular values below ``rtol`` times the largest count as zero."""
    if x.size == 0:
        return np.zeros((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)
    return np.linalg.pinv(x, rcond=_cutoff(x, rtol))


def pinv_share(g: Array, x: Array, out: Array) -> Array:
    """G. Golub, V. Pereyra, "The differentiation of pseudo-inverses" (1973), transposed."""
    back = g.mT
    across = out @ out.mT
    along = out.mT @ out
    return -(out.mT @ g @ out.mT) + (back - x @ (out @ back)) @ across + along @ (back - (back @ out) @ x)


pinv.gradient(x=lambda g, x, out: pinv_share(g, x, out))


@op(broadcasts=True, node="LinalgLstsqBackward0")
def lstsq(a: Array, b: Array) -> Array:
    """The out that brings a @ out nearest to b.  (..., n, k), (..., n, m) -> (..., k, m)"""
    if a.ndim == 2 and b.ndim == 2 and a.size:
        return np.linalg.lstsq(a, b, rcond=_cutoff(a, None))[0]
    return pinv(a) @ b


def _lstsq_share(g: Array, a: Array, b: Array) -> Array:
    return pinv_share(g @ b.mT, a, pinv(a))


lstsq.gradient(a=_lstsq_share, b=lambda g, a: pinv(a).mT @ g)


@op
def matrix_rank(x: Array, *, atol: float | None, rtol: float | None, symmetric: bool) -> Array:
    """How many singular values are larger than max(atol, rtol * largest)."""
    s = np.abs(np.linalg.eigvalsh(x)) if symmetric else np.linalg.svd(x, compute_uv=False)
    if rtol is None:
        rtol = 0.0 if atol else _cutoff(x, None)
    limit = np.maximum(s.max(axis=-1, keepdims=True, initial=0) * s.dtype.type(rtol), s.dtype.type(atol or 0.0))
    return np.add.reduce(s > limit, axis=-1, dtype=np.int64)


@op(node="LinalgMatrixExpBackward0")
def matrix_exp(x: Array) -> Array:
    """The matrix exponential, by halving x until a Taylor series of 18 terms is exact, and squaring."""
    norm = float(np.abs(x).sum(axis=-2).max(initial=0.0))
    halvings = max(0, math.ceil(math.log2(norm)) + 1) if norm > 0 and math.isfinite(norm) else 0
    a = x.astype(np.float64) / 2.0**halvings
    out = term = np.broadcast_to(np.eye(x.shape[-1]), x.shape).copy()
    for k in range(1, 19):
        term = term @ a / k
        out = out + term
    for _ in range(halvings):
        out = out @ out
    return out.astype(x.dtype)


def _matrix_exp_share(g: Array, x: Array) -> Array:
    """exp([[a, g], [0, a]]) holds the derivative of exp along g at a = x.mT in its upper right corner (Van Loan 1978)."""
    n = x.shape[-1]
    a = x.mT
    block = cat(cat(a, g, axis=x.ndim - 1), cat(g * 0, a, axis=x.ndim - 1), axis=x.ndim - 2)
    return getitem(matrix_exp(block), index=(slice(None),) * (x.ndim - 2) + (slice(None, n), slice(n, None)))


matrix_exp.gradient(x=_matrix_exp_share)


# ---- distances


@op(node="CdistBackward0")
def cdist(x: Array, y: Array, *, p: float = 2) -> Array:
    """The distance of every row of x to every row of y.  (..., n, k), (..., m, k) -> (..., n, m)"""
    d = x[..., :, None, :] - y[..., None, :, :]
    if p == 2:
        return np.sqrt(np.add.reduce(d * d, axis=-1))
    size = np.abs(d)
    if p == 0:
        return np.add.reduce(d != 0, axis=-1, dtype=d.dtype)
    if p == math.inf:
        return np.maximum.reduce(size, axis=-1, initial=0)
    return np.add.reduce(size**p, axis=-1) ** (1 / p)


def _cdist_shares(g: Array, x: Array, y: Array, out: Array, p: float) -> tuple[Array, Array]:
    d = row(x) - beside_each(y)  # (..., n, m, k)
    share = norm_share(column(g), d, column(out), p, -1)
    if share is None:
        return x * 0, y * 0
    return sum(share, axis=-2), -sum(share, axis=-3)


def beside_each(y: Array) -> Array:
    """Rows, to stand beside every row of another matrix.  (..., m, k) -> (..., 1, m, k)"""
    return reshape(y, shape=(*y.shape[:-2], 1, *y.shape[-2:]))


cdist.joint(_cdist_shares)

"""Products of matrices, norms and decompositions: torch's values, names, errors, and gradients of two orders."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.ops.orders import orders
from tests.oracle import both, ours

rng = np.random.default_rng(3)
A, B, C = (rng.normal(size=(3, 3)) for _ in range(3))
U, V = rng.normal(size=3), rng.normal(size=3)
STACK, OTHER = rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 3))
TALL, WIDE = rng.normal(size=(4, 2)), rng.normal(size=(2, 4))
POSITIVE = A @ A.T + 2 * np.eye(3)

PRODUCTS = {
    "mm": (lambda t, x, y: x @ y, (A, B)),
    "mm-rectangular": (lambda t, x, y: t.mm(x, y), (TALL, WIDE)),
    "mv": (lambda t, x, v: x @ v, (WIDE, rng.normal(size=4))),
    "vecmat": (lambda t, v, x: v @ x, (rng.normal(size=2), WIDE)),
    "dot": (lambda t, u, v: u @ v, (U, V)),
    "dot-method": (lambda t, u, v: u.dot(v), (U, V)),
    "vdot": (lambda t, u, v: t.vdot(u, v), (U, V)),
    "bmm": (lambda t, x, y: x.bmm(y), (STACK, OTHER)),
    "matmul-batch": (lambda t, x, y: x @ y, (STACK, OTHER)),
    "matmul-rows": (lambda t, x, y: x @ y, (STACK, A)),
    "matmul-rows-of-four": (lambda t, x, y: x @ y, (rng.normal(size=(2, 2, 3, 4)), TALL)),
    "matmul-batch-vector": (lambda t, x, v: x @ v, (STACK, V)),
    "addmm": (lambda t, b, x, y: t.addmm(b, x, y), (V, A, B)),
    "addmm-scaled": (lambda t, b, x, y: b.addmm(x, y, beta=0.5, alpha=-2), (C, A, B)),
    "addmm-column": (lambda t, b, x, y: t.addmm(b, x, y, beta=0), (V[:, None], A, B)),
    "addmv": (lambda t, b, x, v: t.addmv(b, x, v, beta=2, alpha=0.5), (U, A, V)),
    "addr": (lambda t, b, u, v: t.addr(b, u, v, beta=2, alpha=0.5), (A, U, V)),
    "addbmm": (lambda t, b, x, y: t.addbmm(b, x, y, beta=0.3), (A, STACK, OTHER)),
    "baddbmm": (lambda t, b, x, y: t.baddbmm(b, x, y, alpha=0.3), (A, STACK, OTHER)),
    "outer": (lambda t, u, v: t.outer(u, v), (U, V)),
    "trace": (lambda t, x: x.trace(), (A,)),
    "trace-wide": (lambda t, x: t.trace(x), (WIDE,)),
    "kron": (lambda t, x, y: t.kron(x, y), (TALL, WIDE)),
    "cross": (lambda t, x, y: t.cross(x, y, dim=1), (A, B)),
    "linalg.cross": (lambda t, x, y: t.linalg.cross(x, y), (STACK, OTHER)),
    "inner": (lambda t, x, y: t.inner(x, y), (STACK, A)),
    "inner-vectors": (lambda t, u, v: u.inner(v), (U, V)),
    "tensordot": (lambda t, x, y: t.tensordot(x, y, 1), (STACK, A)),
    "tensordot-lists": (lambda t, x, y: t.tensordot(x, y, dims=([2, 0], [1, 0])), (STACK, OTHER)),
    "tensordot-all": (lambda t, x, y: t.tensordot(x, y), (A, B)),
}
# Where torch takes several steps, the last of them has a name of its own.
UNNAMED_PRODUCTS = {
    "matmul-broadcast": (lambda t, x, y: x @ y, (rng.normal(size=(2, 1, 3, 2)), rng.normal(size=(4, 2, 3)))),
    "matmul-left-matrix": (lambda t, x, y: x @ y, (A, STACK)),
    "matmul-left-vector": (lambda t, v, y: v @ y, (V, STACK)),
    "multi_dot": (lambda t, x, y, z: t.linalg.multi_dot([x, y, z]), (TALL, WIDE, TALL)),
    "multi_dot-vectors": (lambda t, x, y, z: t.linalg.multi_dot([x, y, z]), (U, A, V)),
    "chain_matmul": (lambda t, x, y: t.chain_matmul(x, y), (TALL, WIDE)),
    "matrix_power": (lambda t, x: t.linalg.matrix_power(x, 5), (A,)),
    "matrix_power-negative": (lambda t, x: x.matrix_power(-2), (A,)),
    "vecdot": (lambda t, x, y: t.linalg.vecdot(x, y), (A, B)),
    "vander": (lambda t, v: t.linalg.vander(v, N=4), (V,)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_agrees_with_torch_to_second_order(name):
    program, arrays = PRODUCTS[name]
    orders(program, *arrays)


@pytest.mark.parametrize("name", UNNAMED_PRODUCTS)
def test_a_product_of_several_steps_agrees_with_torch_to_second_order(name):
    program, arrays = UNNAMED_PRODUCTS[name]
    orders(program, *arrays, named=False)


EQUATIONS = {
    "ij,jk->ik": (A, B),
    "ij,jk": (A, B),
    "ij->ji": (A,),
    "ii": (A,),
    "ii->i": (A,),
    "ij->": (A,),
    "ij->j": (WIDE,),
    "i,j->ij": (U, V),
    "i,i": (U, V),
    "bij,bjk->bik": (STACK, OTHER),
    "bij,bjk->ik": (STACK, OTHER),
    "bij,jk->bik": (STACK, A),
    "...ij,...jk->...ik": (rng.normal(size=(2, 1, 3, 2)), rng.normal(size=(4, 2, 3))),
    "...ij->...ji": (STACK,),
    "...i,i": (STACK, V),
    "ij,kj,kl->il": (A, B, C),
    "ij,jk,kl,lm->im": (A, B, C, A),
    "a,b,c->cab": (U, V, rng.normal(size=2)),
    "ijk,ijk->ik": (STACK, OTHER),
    "iij,jk->ki": (rng.normal(size=(3, 3, 2)), WIDE),
    "ij,jk->": (A, B),
    "ij , j k -> i k": (A, B),
    "bhqd,bhkd->bhqk": (rng.normal(size=(2, 2, 3, 2)), rng.normal(size=(2, 2, 4, 2))),
    "ij,jk->ikj": (TALL, WIDE),
    "Ab,bA->bA": (TALL, WIDE),
    "ij,ij->ij": (np.ones((1, 3)), A),
    "ij,ji->i": (rng.normal(size=(3, 1)), A),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum_agrees_with_torch_to_second_order(equation):
    orders(lambda t, *xs: t.einsum(equation, *xs), *EQUATIONS[equation], named=False)


def test_einsum_takes_lists_of_operands_and_lists_of_subscripts():
    both(lambda t: t.einsum("ij,jk", [t.tensor(A), t.tensor(B)]))
    both(lambda t: t.einsum(t.tensor(A), [0, 1], t.tensor(B), [1, 2], [0, 2]))
    both(lambda t: t.einsum(t.tensor(STACK), [..., 0, 1], [..., 1, 0]))


SOLVED = {
    "inverse": (lambda t, x: x.inverse(), (A,)),
    "inv-batch": (lambda t, x: t.linalg.inv(x), (STACK,)),
    "det": (lambda t, x: x.det(), (A,)),
    "det-batch": (lambda t, x: t.linalg.det(x), (STACK,)),
    "slogdet": (lambda t, x: x.slogdet()[1], (A,)),
    "linalg.slogdet": (lambda t, x: t.linalg.slogdet(x).logabsdet, (STACK,)),
    "logdet": (lambda t, x: x.logdet(), (POSITIVE,)),
    "solve": (lambda t, x, y: t.linalg.solve(x, y), (A, B)),
    "solve-vector": (lambda t, x, v: t.linalg.solve(x, v), (A, V)),
    "solve-batch": (lambda t, x, y: t.linalg.solve(x, y), (STACK, OTHER)),
    "solve-batch-of-vectors": (lambda t, x, y: t.linalg.solve(x, y), (STACK, rng.normal(size=(2, 3)))),
    "solve_triangular": (lambda t, x, y: t.linalg.solve_triangular(x, y, upper=True), (A + 3 * np.eye(3), B)),
    "solve_triangular-unit": (
        lambda t, x, y: t.linalg.solve_triangular(x, y, upper=False, unitriangular=True),
        (A, B),
    ),
    "cholesky": (lambda t, x: t.linalg.cholesky(x), (POSITIVE,)),
    "cholesky-old": (lambda t, x: t.cholesky(x), (POSITIVE,)),
    "qr": (lambda t, x: tuple(t.linalg.qr(x)), (A,)),
    "qr-tall": (lambda t, x: tuple(t.linalg.qr(x)), (TALL,)),
    "qr-r": (lambda t, x: t.linalg.qr(x).R, (TALL,)),
    "eigvalsh": (lambda t, x: t.linalg.eigvalsh(x), (POSITIVE,)),
    "svdvals": (lambda t, x: t.linalg.svdvals(x), (WIDE,)),
    "pinv": (lambda t, x: t.linalg.pinv(x), (TALL,)),
    "pinverse-wide": (lambda t, x: t.pinverse(x), (WIDE,)),
    "matrix_exp": (lambda t, x: t.linalg.matrix_exp(x), (A,)),
    "matrix_exp-batch": (lambda t, x: t.matrix_exp(x), (3 * STACK,)),
    "lstsq": (lambda t, x, y: t.linalg.lstsq(x, y).solution, (TALL, rng.normal(size=(4, 3)))),
}
UNNAMED_SOLVED = {
    "solve-right": (lambda t, x, y: t.linalg.solve(x, y, left=False), (A, B)),
    "solve_triangular-right": (
        lambda t, x, y: t.linalg.solve_triangular(x, y, upper=True, left=False),
        (A + 3 * np.eye(3), B),
    ),
    "cholesky-upper": (lambda t, x: t.linalg.cholesky(x, upper=True), (POSITIVE,)),
    "cholesky_solve": (lambda t, y, x: t.cholesky_solve(y, x), (B, np.tril(A) + 3 * np.eye(3))),
    "cond": (lambda t, x: t.linalg.cond(x), (A,)),
    "tensorinv": (lambda t, x: t.linalg.tensorinv(x, 1), (rng.normal(size=(4, 2, 2)),)),
    "tensorsolve": (lambda t, x, y: t.linalg.tensorsolve(x, y), (rng.normal(size=(2, 2, 4)), A[:2, :2])),
    "diff": (lambda t, x: x.diff(dim=0), (A,)),
    "diff-twice": (lambda t, x: x.diff(2), (A,)),
    "dist": (lambda t, x, y: t.dist(x, y, 3), (A, B)),
    "renorm": (lambda t, x: x.renorm(2, 0, 1.0), (A,)),
    "trapezoid": (lambda t, y: t.trapezoid(y, dim=0), (A,)),
    "trapezoid-x": (lambda t, y, x: t.trapz(y, x), (A, V)),
    "trapezoid-x-dim": (lambda t, y, x: t.trapezoid(y, x, dim=0), (A, V)),
    "trapezoid-xs": (lambda t, y, x: t.trapezoid(y, x, dim=0), (A, B)),
    "cumulative_trapezoid": (lambda t, y: t.cumulative_trapezoid(y, dx=0.5), (A,)),
    "block_diag": (lambda t, x, v: t.block_diag(x, v, x), (WIDE, V)),
    "cartesian_prod": (lambda t, u, v: t.cartesian_prod(u, v), (U, V)),
    "combinations": (lambda t, u: t.combinations(u, 2, True), (U,)),
    "triangular_solve": (lambda t, y, x: t.triangular_solve(y, x, transpose=True)[0], (B, A + 3 * np.eye(3))),
    "eigenvector-projector": (lambda t, x: projector(t.linalg.eigh(x).eigenvectors), (POSITIVE,)),
    "left-singular-projector": (lambda t, x: projector(t.linalg.svd(x, full_matrices=False).U), (TALL,)),
    "right-singular-projector": (lambda t, x: projector(t.linalg.svd(x, full_matrices=False).Vh.mT), (TALL,)),
    "right-singular-projector-wide": (lambda t, x: projector(t.linalg.svd(x, full_matrices=False)[2].mT), (WIDE,)),
    "left-singular-projector-old": (lambda t, x: projector(t.svd(x)[0]), (A,)),
}


def projector(v):
    """Return what does not depend on the sign of the first vector."""
    return v[:, :1] @ v[:, :1].mT


@pytest.mark.parametrize("name", SOLVED)
def test_a_solution_agrees_with_torch_to_second_order(name):
    program, arrays = SOLVED[name]
    orders(program, *arrays, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", UNNAMED_SOLVED)
def test_a_solution_of_several_steps_agrees_with_torch_to_second_order(name):
    program, arrays = UNNAMED_SOLVED[name]
    orders(program, *arrays, named=False, rtol=1e-7, atol=1e-8)


def test_the_gradient_of_a_wide_qr_agrees_with_torch():
    orders(lambda t, x: tuple(t.linalg.qr(x)), WIDE, second=False, named=False)


def test_the_condition_in_another_norm_agrees_with_torch():
    both(lambda t: t.linalg.cond(t.tensor(A), 1))  # torch cannot differentiate it: it overwrites what it kept


def test_the_second_order_of_cdist_is_that_of_the_norms_of_differences():
    def distances(t, x, y):
        return t.cdist(x, y) if t is ours() else (x[:, None] - y).norm(dim=-1)

    orders(distances, TALL, WIDE.T, named=False)


@pytest.mark.parametrize("p", [0, 1, 1.5, 2, 3, math.inf])
def test_every_cdist_agrees_with_torch(p):
    orders(lambda t, x, y: t.cdist(x, y, p=p), TALL, WIDE.T, second=False)


def test_the_distance_of_equal_rows_has_gradient_zero():
    orders(lambda t, x: t.cdist(x, x), TALL, second=False, atol=1e-7)


def test_the_determinant_of_a_singular_matrix_has_its_cofactors_as_gradient():
    # torch returns zeros here, as if the determinant were flat.
    t = ours()
    x = t.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    x.det().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[4.0, -2.0], [-2.0, 1.0]], rtol=1e-5)


def test_all_orders_of_the_determinant_are_those_of_the_written_polynomial_at_a_singular_matrix():
    t = ours()
    x = t.tensor([[1.0, 2.0, 0.5], [2.0, 4.0, 1.0], [0.3, -0.2, 0.9]], dtype=t.float64, requires_grad=True)

    def written(m):
        a, b, c = m
        return (a * t.linalg.cross(b, c)).sum()

    for one, two in zip(hessian(t, x.det(), x), hessian(t, written(x), x), strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), atol=1e-12)


def test_the_third_order_of_a_determinant_agrees_with_torch():
    def program(t):
        x = t.tensor(A, requires_grad=True)
        (g,) = t.autograd.grad(x.det(), x, create_graph=True)
        (h,) = t.autograd.grad((g * t.tensor(B)).sum(), x, create_graph=True)
        (k,) = t.autograd.grad((h * t.tensor(C)).sum(), x)
        return k

    both(program)


def hessian(t, y, x):
    """Return the gradient and each row of the second derivative."""
    (g,) = t.autograd.grad(y, x, create_graph=True)
    rows = [t.autograd.grad(e, x, retain_graph=True)[0] for e in g.reshape(-1)]
    return [g.detach(), *rows]


def test_the_sign_of_a_determinant_has_a_graph_but_no_gradient_as_in_torch():
    def program(t):
        x = t.tensor(A, requires_grad=True)
        sign, _ = t.linalg.slogdet(x)
        return sign, t.autograd.grad(sign, x, allow_unused=True)

    both(program)


NORMS = {
    "vector": [lambda t, x, p=p: t.linalg.vector_norm(x, p) for p in (0, 1, 2, 3.5, math.inf, -math.inf)],
    "vector-dim": [
        lambda t, x, p=p: t.linalg.vector_norm(x, p, dim=-1, keepdim=True) for p in (0, 1, 2, 3.5, math.inf)
    ],
    "matrix": [lambda t, x, p=p: t.linalg.matrix_norm(x, p) for p in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)],
    "matrix-dims": [
        lambda t, x, p=p: t.linalg.matrix_norm(x, p, dim=(1, 0), keepdim=True)
        for p in ("fro", "nuc", 1, -1, 2, math.inf)
    ],
    "linalg": [lambda t, x, p=p: t.linalg.norm(x, p) for p in (None, "fro", "nuc", 1, 2, math.inf)],
    "linalg-dim": [lambda t, x, p=p: t.linalg.norm(x, p, dim=0) for p in (None, 0, 1, 2, 3, math.inf)],
    "norm": [lambda t, x, p=p: t.norm(x, p) for p in ("fro", None, "nuc", 0, 1, 2, 3, math.inf)],
    "norm-dims": [lambda t, x, p=p: t.norm(x, p, dim=(0, 1), keepdim=True) for p in ("fro", "nuc", 1, 2)],
}


@pytest.mark.parametrize(("family", "number"), [(f, i) for f, programs in NORMS.items() for i in range(len(programs))])
def test_every_norm_agrees_with_torch(family, number):
    orders(NORMS[family][number], WIDE, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
def test_at_zero_a_norm_has_gradient_zero(p):
    orders(lambda t, x: t.linalg.vector_norm(x, p), np.zeros((2, 2)), second=False)
    orders(lambda t, x: t.norm(x, p, dim=0), np.zeros((2, 2)), second=False)
    orders(lambda t, x: t.linalg.matrix_norm(x), np.zeros((2, 2)), second=False)


WRONG = {
    "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)": [
        lambda t: t.zeros(2, 3) @ t.zeros(4, 5),
        lambda t: t.zeros(2, 3).mm(t.zeros(4, 5)),
        lambda t: t.addmm(t.zeros(2, 5), t.zeros(2, 3), t.zeros(4, 5)),
    ],
    "mat1 and mat2 shapes cannot be multiplied (1x3 and 4x5)": [lambda t: t.zeros(3) @ t.zeros(4, 5)],
    "mat1 and mat2 shapes cannot be multiplied (4x3 and 4x5)": [lambda t: t.zeros(2, 2, 3) @ t.zeros(4, 5)],
    "size mismatch, got input (2), mat (2x3), vec (4)": [
        lambda t: t.zeros(2, 3) @ t.zeros(4),
        lambda t: t.zeros(2, 3).mv(t.zeros(4)),
    ],
    "inconsistent tensor size, expected tensor [3] and src [4] to have the same number of elements": [
        lambda t: t.zeros(3) @ t.zeros(4),
        lambda t: t.zeros(3).dot(t.zeros(4)),
    ],
    "Expected size for first two dimensions of batch2 tensor to be: [2, 3] but got: [2, 4].": [
        lambda t: t.zeros(2, 2, 3).bmm(t.zeros(2, 4, 5))
    ],
    "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0": [
        lambda t: t.zeros(3, 2, 3) @ t.zeros(2, 3, 5)
    ],
    "both arguments to matmul need to be at least 1D, but they are 0D and 1D": [lambda t: t.tensor(1.0) @ t.zeros(3)],
    "mat2 must be a matrix": [lambda t: t.zeros(2, 3).mm(t.zeros(4))],
    "batch1 must be a 3D tensor": [lambda t: t.zeros(2, 3).bmm(t.zeros(2, 4, 5))],
    "1D tensors expected, but got 2D and 1D tensors": [lambda t: t.zeros(3, 1).dot(t.zeros(4))],
    "to have the same dtype, but got: float != double": [lambda t: t.zeros(2, 3) @ t.zeros(3, 2).double()],
    "to have the same dtype, but got: float != long int": [lambda t: t.zeros(2, 1) @ t.tensor([[1]])],
    "dot : expected both vectors to have same dtype, but found Float and Long": [
        lambda t: t.zeros(3).dot(t.tensor([1, 2, 3]))
    ],
    "not implemented for 'Bool'": [lambda t: t.tensor([[True]]) @ t.tensor([[True]])],
    "The expanded size of the tensor (4) must match the existing size (3) at non-singleton dimension 1": [
        lambda t: t.addmm(t.zeros(3, 3), t.zeros(2, 3), t.zeros(3, 4))
    ],
    "outer: Expected 1-D argument vec2, but got 2-D": [lambda t: t.outer(t.zeros(2), t.zeros(2, 2))],
    "inner() the last dimension must match": [lambda t: t.inner(t.zeros(2, 3), t.zeros(2))],
    "einsum(): subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3": [
        lambda t: t.einsum("ij,jk", t.zeros(2, 3), t.zeros(4, 5))
    ],
    "einsum(): output subscript z does not appear in the equation for any input operand": [
        lambda t: t.einsum("ij,jk->iz", t.zeros(2, 3), t.zeros(3, 5))
    ],
    "einsum(): fewer operands were provided than specified in the equation": [
        lambda t: t.einsum("ij,kj", t.zeros(2, 3))
    ],
    "contracted dimensions need to match": [lambda t: t.tensordot(t.zeros(2, 3), t.zeros(4, 3), 1)],
    "trace: expected a matrix, but got tensor with dim 3": [lambda t: t.trace(t.zeros(2, 3, 4))],
    "A must be batches of square matrices, but they are 2 by 3 matrices": [
        lambda t: t.linalg.inv(t.zeros(2, 3)),
        lambda t: t.zeros(2, 3).det(),
        lambda t: t.linalg.matrix_power(t.zeros(2, 3), 2),
    ],
    "Expected a floating point or complex tensor as input. Got Long": [
        lambda t: t.tensor([[1, 2], [3, 4]]).det(),
        lambda t: t.linalg.inv(t.tensor([[1, 2], [3, 4]])),
        lambda t: t.tensor([1, 2]).norm(),
    ],
    "The diagonal element 1 is zero, the inversion could not be completed because the input matrix is singular": [
        lambda t: t.linalg.inv(t.zeros(2, 2)),
        lambda t: t.inverse(t.zeros(2, 2, 2)),
    ],
    "The diagonal element 2 is zero": [lambda t: t.linalg.inv(t.tensor([[1.0, 2.0], [2.0, 4.0]]))],
    "torch.linalg.solve: The solver failed because the input matrix is singular.": [
        lambda t: t.linalg.solve(t.zeros(2, 2), t.zeros(2))
    ],
    "Incompatible shapes of A and B for the equation AX = B (2x2 and 3x1)": [
        lambda t: t.linalg.solve(t.eye(2), t.zeros(3))
    ],
    "Incompatible shapes of A and B for the equation AX = B (2x2 and 3x2)": [
        lambda t: t.linalg.solve(t.eye(2), t.zeros(3, 2))
    ],
    "the leading minor of order 1 is not positive-definite": [lambda t: t.linalg.cholesky(-t.eye(2))],
    "multi_dot(): expected at least 2 tensors but got 1": [lambda t: t.linalg.multi_dot([t.zeros(2, 3)])],
    "inputs dimension -1 must have length 3. Got 2 and 2": [lambda t: t.linalg.cross(t.zeros(2), t.zeros(2))],
    "linalg.matrix_norm: Order 3 not supported.": [lambda t: t.linalg.norm(t.ones(2, 2), 3)],
    "linalg.matrix_norm: Order abc not supported.": [lambda t: t.norm(t.ones(2, 2), "abc")],
    "If dim is not specified but ord is, the input must be 1D or 2D. Got 3D.": [
        lambda t: t.linalg.norm(t.ones(2, 2, 2), "fro")
    ],
    "The input tensor A must have at least 2 dimensions.": [
        lambda t: t.linalg.norm(t.ones(3), "fro"),
        lambda t: t.linalg.det(t.zeros(3)),
    ],
    "X1 and X2 must have the same number of columns. X1: 3 X2: 5": [lambda t: t.cdist(t.zeros(2, 3), t.zeros(4, 5))],
}


@pytest.mark.parametrize(("words", "number"), [(w, i) for w, programs in WRONG.items() for i in range(len(programs))])
def test_wrong_input_raises_torchs_error_in_torchs_words(words, number):
    from tests.oracle import torch

    program = WRONG[words][number]
    assert words in str(both(program))
    with pytest.raises(Exception) as theirs:  # which type, the line above has compared
        program(torch)
    assert words in str(theirs.value)


def test_a_wrong_product_says_how_to_mend_it():
    t = ours()
    with pytest.raises(RuntimeError, match=r"Did you mean x @ y\.mT"):
        t.zeros(2, 3) @ t.zeros(5, 3)


def test_a_number_is_not_multiplied_with_at():
    both(lambda t: t.zeros(2, 2) @ 2)


def test_singular_matrices_raise_linalgerror_which_is_a_runtime_error():
    t = ours()
    assert issubclass(t.linalg.LinAlgError, RuntimeError)
    with pytest.raises(t.linalg.LinAlgError, match=r"\(Batch element 1\): The diagonal element 1 is zero"):
        t.linalg.inv(t.stack([t.eye(2), t.zeros(2, 2)]))


PLAIN = [
    lambda t: tuple(t.linalg.slogdet(t.zeros(2, 2))),
    lambda t: t.logdet(-t.eye(3)),
    lambda t: t.det(t.zeros(0, 0)),
    lambda t: t.linalg.matrix_rank(t.tensor([[1.0, 2.0], [2.0, 4.0]])),
    lambda t: t.linalg.matrix_rank(t.eye(3), tol=2.0),
    lambda t: tuple(t.linalg.lstsq(t.tensor(TALL), t.tensor(TALL))),
    lambda t: tuple(t.linalg.lstsq(t.tensor(TALL), t.tensor(WIDE.T * 2 + 1), driver="gelsd")),
    lambda t: t.linalg.matrix_power(t.tensor(A), 0),
    lambda t: t.zeros(0, 3) @ t.zeros(3, 2),
    lambda t: t.zeros(2, 0) @ t.zeros(0, 2),
    lambda t: t.tensor([[1, 2]]) @ t.tensor([[3], [4]]),
    lambda t: t.ones(2, 3, dtype=t.float16) @ t.ones(3, 2, dtype=t.float16),
    lambda t: t.addmm(t.tensor([1]), t.tensor([[1]]), t.tensor([[2]]), alpha=0.5),
    lambda t: t.addmm(t.full((1, 1), math.nan), t.zeros(1, 1), t.zeros(1, 1), beta=0),
    lambda t: t.outer(t.tensor([1, 2]), t.tensor([1.0, 2.0])),
    lambda t: t.kron(t.tensor([[1, 2]]), t.tensor([[1.0], [2.0]])),
    lambda t: t.tensor([[1, 2], [3, 4]]).trace(),
    lambda t: t.inner(t.tensor(2.0), t.zeros(3)),
    lambda t: t.tensor([True, False, True]).diff(),
    lambda t: t.diff(t.tensor([1, 3]), prepend=t.tensor([0]), append=t.tensor([10.0])),
    lambda t: t.linalg.vector_norm(t.ones(4, dtype=t.float16) * 100, 3),
    lambda t: t.norm(t.ones(2), dtype=t.float64),
    lambda t: t.linalg.diagonal(t.tensor(STACK), offset=1),
    lambda t: t.cross(t.tensor([[1, 0], [0, 1], [0, 0]]), t.tensor([[0.0, 0], [0, 0], [1, 1]])),
    lambda t: t.linalg.qr(t.tensor(TALL), mode="r").R,
    lambda t: t.linalg.qr(t.tensor(TALL), mode="complete").R,
    lambda t: t.cholesky_inverse(t.tensor(np.tril(A) + 3 * np.eye(3))),
]


@pytest.mark.parametrize("number", range(len(PLAIN)))
def test_values_and_dtypes_agree_with_torch(number):
    both(PLAIN[number])


def test_named_results_print_as_in_torch():
    both(
        lambda t: [
            repr(t.slogdet(-t.eye(3))),
            repr(t.linalg.slogdet(t.eye(2))),
            repr(t.linalg.eigh(t.diag(t.tensor([1.0, 2.0])))),
        ]
    )


def test_numpys_float_matrices_keep_single_precision_gradients():
    def program(t):
        x = t.tensor(A, dtype=t.float32, requires_grad=True)
        y = t.linalg.inv(x).sum() + x.det() + t.linalg.norm(x) + t.linalg.matrix_exp(x).sum() + x.prod()
        return t.autograd.grad(y, x)

    both(program, rtol=1e-4, atol=1e-4)

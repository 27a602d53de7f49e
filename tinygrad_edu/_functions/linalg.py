"""Products of matrices and vectors, norms and decompositions, with torch's signatures.

What torch keeps in its namespace ``linalg`` has the prefix ``linalg_`` here; ``tinygrad_edu/linalg.py`` takes it off.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .. import return_types
from .._core.op import Op
from .._dtype import as_numpy
from .._errors import cannot_multiply, size, where
from .._ops import linalg as _l
from .._ops import reduce as _r
from .._ops.elementwise import mul, ne, sub
from .._ops.index import take
from .._ops.shape import broadcast_to, cat, diagonal, getitem, permute, reshape, reshape_copy, stack, swap
from .._ops.shape import inverse as inverse_axes
from ._common import cast, dimension, dimensions, into, promoted, wrap
from .reduce import axes_of, must_be_tensor, numpy_names, type_name

if TYPE_CHECKING:
    from .._dtype import dtype as DType
    from .._tensor import Tensor

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "block_diag",
    "bmm",
    "cartesian_prod",
    "cdist",
    "chain_matmul",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "combinations",
    "cross",
    "cumulative_trapezoid",
    "det",
    "diff",
    "dist",
    "dot",
    "einsum",
    "ger",
    "inner",
    "inverse",
    "kron",
    "logdet",
    "matmul",
    "matrix_exp",
    "matrix_power",
    "mm",
    "mv",
    "norm",
    "outer",
    "pinverse",
    "qr",
    "renorm",
    "slogdet",
    "svd",
    "tensordot",
    "trace",
    "trapezoid",
    "trapz",
    "triangular_solve",
    "vdot",
]

Order: TypeAlias = "float | str | None"

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_C_NAMES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
}

# ---- products


def _check_pair(x: Any, y: Any, function: str, second: str = "other") -> tuple[Any, Any]:
    """The arrays of two factors, which must be tensors of one dtype."""
    must_be_tensor(x, function)
    must_be_tensor(y, function, second, 2)
    a, b = x._array, y._array
    if a.dtype != b.dtype:
        one, two = a.dtype.name, b.dtype.name
        if function in ("dot", "vdot"):
            said = f"{function} : expected both vectors to have same dtype, but found {type_name(x)} and {type_name(y)}"
        else:
            said = f"expected m1 and m2 to have the same dtype, but got: {_C_NAMES[one]} != {_C_NAMES[two]}"
        raise RuntimeError(
            f"{said} ({function} was given {one} and {two}; convert one with .to(torch.{one})).{where()}"
        )
    if a.dtype.kind == "b":
        raise NotImplementedError(
            f"\"{function}\" not implemented for 'Bool' (torch: \"addmm_impl_cpu_\" not implemented for 'Bool')"
        )
    return a, b


def _check_inner(a: Any, b: Any) -> None:
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
        raise RuntimeError(cannot_multiply(a, b) + where())


def matmul(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Multiply matrices and vectors, as ``input @ other`` does.

    Two vectors give their dot product, a matrix and a vector a vector; more than two dimensions are batches of matrices, which
    broadcast.

    Raises
    ------
    RuntimeError
        If the inner sizes or the dtypes differ.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> w = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> w @ torch.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    if out is not None:
        return into(out, matmul(input, other), "matmul")
    try:
        x, y = input._array, other._array
    except AttributeError:
        x, y = _check_pair(input, other, "matmul")
    if x.dtype is not y.dtype or x.dtype.kind == "b":
        _check_pair(input, other, "matmul")
    if x.ndim == 2 and y.ndim == 2:
        return _l.mm(input, other)
    return _matmul_by_rank(input, other, x, y)


def _matmul_by_rank(input: Tensor, other: Tensor, x: Any, y: Any) -> Tensor:
    n, m = x.ndim, y.ndim
    if n == 0 or m == 0:
        raise RuntimeError(cannot_multiply(x, y) + where())
    if n == 1 and m == 1:
        return _l.dot(input, other)
    if n == 2 and m == 1:
        return _l.mv(input, other)
    if n == 1 and m == 2:
        return _l.vecmat(input, other)
    _check_inner(x, y)
    if m == 1:
        return _l.rows_mv(input, other)
    if m == 2:
        return _l.rows_mm(input, other)
    if n == 1:
        product = _l.matmul(reshape(input, shape=(1, x.shape[0])), other)  # (..., 1, m)
        return reshape_copy(product, shape=(*product._array.shape[:-2], y.shape[-1]))
    return _l.matmul(input, other)


def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Multiply two matrices.

    Raises
    ------
    RuntimeError
        If one is no matrix, or the inner sizes or the dtypes differ.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2]]).mm(torch.tensor([[3], [4]]))
    tensor([[11]])
    """
    if out is not None:
        return into(out, mm(input, mat2), "mm")
    x, y = _check_pair(input, mat2, "mm", "mat2")
    for a, name in ((x, "self"), (y, "mat2")):
        if a.ndim != 2:
            raise RuntimeError(
                f"{name} must be a matrix, but it has shape {list(a.shape)}. torch.matmul (@) multiplies other ranks."
            )
    return _l.mm(input, mat2)


def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Multiply matrices pairwise.  (b, n, k), (b, k, m) -> (b, n, m)

    Raises
    ------
    RuntimeError
        If one has not three dimensions, or batch sizes, inner sizes or dtypes differ.
    """
    if out is not None:
        return into(out, bmm(input, mat2), "bmm")
    x, y = _check_pair(input, mat2, "bmm", "mat2")
    for a, name in ((x, "batch1"), (y, "batch2")):
        if a.ndim != 3:
            raise RuntimeError(
                f"{name} must be a 3D tensor, but it has shape {list(a.shape)}. torch.matmul (@) multiplies other ranks."
            )
    if x.shape[0] != y.shape[0] or x.shape[2] != y.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{x.shape[0]}, {x.shape[2]}] but got: "
            f"[{y.shape[0]}, {y.shape[1]}]. (The shapes are {list(x.shape)} and {list(y.shape)}.)"
        )
    return _l.bmm(input, mat2)


def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Multiply a matrix and a vector.

    Raises
    ------
    RuntimeError
        If they are none, or the sizes or dtypes differ.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([[1, 2], [3, 4]]).mv(torch.tensor([1, 1]))
    tensor([3, 7])
    """
    if out is not None:
        return into(out, mv(input, vec), "mv")
    x, y = _check_pair(input, vec, "mv", "vec")
    if x.ndim != 2 or y.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {x.ndim}, {y.ndim}")
    return _l.mv(input, vec)


def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Multiply two vectors element by element and add up.

    Raises
    ------
    RuntimeError
        If they are no vectors, or their sizes or dtypes differ.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 2]).dot(torch.tensor([3, 4]))
    tensor(11)
    """
    if out is not None:
        return into(out, dot(input, tensor), "dot")
    return _dot(input, tensor, "dot", _l.dot)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Multiply two vectors element by element and add up, as ``dot``."""
    return _dot(input, other, "vdot", _l.vdot)


def _dot(input: Tensor, other: Tensor, name: str, multiply: Any) -> Tensor:
    x, y = _check_pair(input, other, name, "tensor")
    if x.ndim != 1 or y.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {x.ndim}D and {y.ndim}D tensors")
    if x.size != y.size:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{x.size}] and src [{y.size}] to have the same number of elements, "
            f"but got {x.size} and {y.size} elements respectively"
        )
    out: Tensor = multiply(input, other)
    return out


def _check_expandable(b: Any, shape: tuple[int, ...]) -> None:
    """Refuse an addend that does not broadcast to the shape of the product."""
    lead = len(shape) - b.ndim
    for i, n in reversed(list(enumerate(b.shape))):
        if lead < 0 or (n != 1 and n != shape[lead + i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[max(lead + i, 0)]}) must match the existing size ({n}) at non-singleton "
                f"dimension {max(lead + i, 0)}.  Target sizes: {list(shape)}.  Tensor sizes: {list(b.shape)}"
            )


def _added(
    op: Any, name: str, input: Tensor, x: Tensor, y: Tensor, ranks: tuple[int, int], beta: float, alpha: float
) -> Tensor:
    """Beta * input + alpha * (a product of x and y)."""
    a, b = _check_pair(x, y, name, "mat2")
    _check_pair(input, x, name, "mat1")
    if (a.ndim, b.ndim) != ranks:
        expected = " and ".join({1: "a vector", 2: "a matrix", 3: "a 3D tensor"}[n] for n in ranks)
        raise RuntimeError(f"{name}: expected {expected}, but got {a.ndim}D and {b.ndim}D tensors")
    if name == "addr":
        shape: tuple[int, ...] = (a.shape[0], b.shape[0])
    else:
        _check_inner(a, b)
        if name in ("baddbmm", "addbmm") and a.shape[0] != b.shape[0]:
            raise RuntimeError(cannot_multiply(a, b))
        shape = a.shape[:-1] + b.shape[-1:] if b.ndim > 1 else a.shape[:-1]
        if name == "addbmm":
            shape = shape[1:]
    _check_expandable(input._array, shape)
    if a.dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    out: Tensor = op(input, x, y, beta=beta, alpha=alpha)
    return out


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Multiply two matrices and add a third: beta * input + alpha * (mat1 @ mat2).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.addmm(torch.tensor([1, 2]), torch.tensor([[1, 2]]), torch.tensor([[1, 0], [0, 1]]))
    tensor([[2, 4]])
    """
    return _added(_l.addmm, "addmm", input, mat1, mat2, (2, 2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Multiply a matrix and a vector and add a vector: beta * input + alpha * (mat @ vec)."""
    return _added(_l.addmv, "addmv", input, mat, vec, (2, 1), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Multiply each element of one vector with each of another and add a matrix: beta * input + alpha * outer(vec1, vec2)."""
    return _added(_l.addr, "addr", input, vec1, vec2, (1, 1), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Multiply matrices pairwise and add others: beta * input + alpha * (batch1 @ batch2)."""
    return _added(_l.baddbmm, "baddbmm", input, batch1, batch2, (3, 3), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """Multiply matrices pairwise, add them all up and add a matrix: beta * input + alpha * sum(batch1 @ batch2)."""
    return _added(_l.addbmm, "addbmm", input, batch1, batch2, (3, 3), beta, alpha)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Multiply each element of one vector with each of another.

    Raises
    ------
    RuntimeError
        If they are no vectors.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    for x, name, place in ((input, "self", 1), (vec2, "vec2", 2)):
        must_be_tensor(x, "outer", name, place)
        if x._array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x._array.ndim}-D")
    return _l.outer(input, vec2)


ger = outer


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Multiply and add up over the last dimensions of both.

    Raises
    ------
    RuntimeError
        If the last dimensions differ.
    """
    must_be_tensor(input, "inner")
    must_be_tensor(other, "inner", "other", 2)
    x, y = input._array, other._array
    if x.ndim == 0 or y.ndim == 0:
        return mul(input, other)
    if x.shape[-1] != y.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(x.shape)} and {list(y.shape)}"
        )
    _check_pair(input, other, "inner")
    a, b = _letters(x.ndim - 1), _letters(y.ndim - 1, x.ndim - 1)
    return _l.contract(input, other, left=a + "\0", right=b + "\0", result=a + b)


def _letters(count: int, start: int = 0) -> str:
    return "".join([chr(start + i + 256) for i in range(count)])


def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[int | Sequence[int]] | Tensor = 2) -> Tensor:
    """Multiply and add up over several dimensions of both: the last ``dims`` of a and the first of b, or those listed.

    Raises
    ------
    RuntimeError
        If the sizes to be contracted differ.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensordot(torch.ones(2, 3, 4), torch.ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    x, y = _check_pair(a, b, "tensordot", "b")
    if isinstance(dims, Op.kind):
        dims = dims.tolist()
    if isinstance(dims, Sequence):
        first, second = [[d] if isinstance(d, int) else list(d) for d in dims]
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        first, second = list(range(-dims, 0)), list(range(dims))
    if len(first) != len(second):
        raise RuntimeError(f"both dimension lists should have same length, but got {len(first)} and {len(second)}")
    left, right = list(_letters(x.ndim)), list(_letters(y.ndim, x.ndim))
    for i, j in zip(first, second, strict=True):
        if x.shape[dimension(i, x.ndim)] != y.shape[dimension(j, y.ndim)]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {x.shape[i]} in dim {i} and second has size "
                f"{y.shape[j]} in dim {j}"
            )
        right[j] = left[i]
    result = "".join([c for c in left if c not in right] + [c for c in right if c not in left])
    return _l.contract(a, b, left="".join(left), right="".join(right), result=result)


def einsum(*args: str | Tensor | Sequence[Tensor] | Sequence[int]) -> Tensor:
    """Multiply tensors and add up over the letters that the result lacks: Einstein's notation.

    ``einsum("ij,jk->ik", a, b)`` multiplies matrices, ``"ii->"`` takes a trace, ``"...ij->...ji"`` transposes.

    Raises
    ------
    RuntimeError
        If the equation does not fit the operands.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> a = torch.tensor([[1, 2], [3, 4]])
    >>> torch.einsum("ij,jk->ik", a, a)
    tensor([[ 7, 10],
            [15, 22]])
    >>> torch.einsum("ii", a)
    tensor(5)
    """
    if not args:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list"
        )
    given: Any = args
    if isinstance(given[0], str):
        equation, operands = given[0], given[1:]
        if len(operands) == 1 and isinstance(operands[0], list | tuple):
            operands = tuple(operands[0])
    else:
        equation, operands = _from_sublists(given)
    for i, x in enumerate(operands):
        must_be_tensor(x, "einsum", "operands", i + 2)
    terms, result = _read_equation(equation, [x._array for x in operands])
    kinds = [x._array.dtype for x in operands]
    for i, kind in enumerate(kinds):
        if kind != kinds[0]:
            raise RuntimeError(f"expected scalar type {type_name(operands[0])} but found {type_name(operands[i])}")
    return _contract_all([_diagonals(x, t) for x, t in zip(operands, terms, strict=True)], result)


def _from_sublists(args: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The equation that ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` means."""

    def word(sublist: Any) -> str:
        return "".join(["..." if i is Ellipsis else _LETTERS[26 + i if i < 26 else i - 26] for i in sublist])

    operands, sublists = args[0 : len(args) // 2 * 2 : 2], args[1::2]
    equation = ",".join([word(s) for s in sublists])
    if len(args) % 2:
        equation += "->" + word(args[-1])
    return equation, operands


def _read_equation(equation: str, arrays: list[Any]) -> tuple[list[str], str]:
    """The letters of each operand and of the result; dimensions under an ellipsis get digits, which are letters here."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(arrays):
        few = "fewer" if len(arrays) < len(terms) else "more"
        raise RuntimeError(f"einsum(): {few} operands were provided than specified in the equation")
    for letter in (left + right).replace("...", "").replace(",", ""):
        if letter not in _LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given in the equation string, subscripts must be in [a-zA-Z], but got {letter!r}"
            )
    widest = 0
    for i, (term, x) in enumerate(zip(terms, arrays, strict=True)):
        named = len(term.replace("...", ""))
        if "..." not in term and named != x.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions ({x.ndim}) "
                f"for operand {i} and no ellipsis was given"
            )
        if named > x.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) is more than the number of dimensions ({x.ndim}) "
                f"for operand {i}"
            )
        if "..." in term:
            widest = max(widest, x.ndim - named)
    hidden = "".join([chr(ord("0") + i) for i in range(widest)])
    full = []
    for term, x in zip(terms, arrays, strict=True):
        count = x.ndim - len(term.replace("...", ""))
        full.append(term.replace("...", hidden[widest - count :] if count else ""))
    if arrow:
        result = right.replace("...", hidden)
    else:
        letters = "".join(full)
        result = hidden + "".join(sorted({c for c in letters if letters.count(c) == 1 and c not in hidden}))
    for c in result:
        if result.count(c) > 1:
            raise RuntimeError(f"einsum(): output subscript {c} appears more than once in the output")
        if c not in "".join(full):
            raise RuntimeError(f"einsum(): output subscript {c} does not appear in the equation for any input operand")
    sizes: dict[str, int] = {}
    for i, (term, x) in enumerate(zip(full, arrays, strict=True)):
        for c, n in zip(term, x.shape, strict=True):
            if sizes.get(c, 1) not in (1, n) and n != 1:
                raise RuntimeError(
                    f"einsum(): subscript {c} has size {n} for operand {i} which does not broadcast with previously seen size {sizes[c]}"
                )
            sizes[c] = max(n, sizes.get(c, 1)) if n else 0
    return full, result


def _diagonals(x: Tensor, letters: str) -> tuple[Tensor, str]:
    """Take the diagonal wherever a letter is repeated."""
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            i, j = letters.index(c), letters.rindex(c)
            x = diagonal(x, offset=0, axis1=i, axis2=j)
            letters = letters[:i] + letters[i + 1 : j] + letters[j + 1 :] + c
    return x, letters


def _summed(x: Tensor, letters: str, needed: Container[str]) -> tuple[Tensor, str]:
    """Add up over the letters that nobody needs."""
    lone = tuple([i for i, c in enumerate(letters) if c not in needed])
    if not lone:
        return x, letters
    return _r.sum(x, axis=lone), "".join([c for c in letters if c in needed])


def _contract_all(operands: list[tuple[Tensor, str]], result: str) -> Tensor:
    """Contract operands from left to right, once each letter stands in two of them or in the result."""
    sizes: dict[str, int] = {}
    for x, letters in operands:
        for c, n in zip(letters, x._array.shape, strict=True):
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    ready = []
    for k, (x, letters) in enumerate(operands):
        # A dimension of size one beside a larger one broadcasts: it is the same for all values of its letter.
        stays = [c for c, n in zip(letters, x._array.shape, strict=True) if n != 1 or sizes[c] == 1]
        if len(stays) < len(letters):
            x = reshape(x, shape=tuple([sizes[c] for c in stays]))
            letters = "".join(stays)
        elsewhere = set(result).union(*[t for i, (_, t) in enumerate(operands) if i != k])
        ready.append(_summed(x, letters, elsewhere))
    (x, left), *rest = ready
    while rest:
        (y, right), *rest = rest
        needed = set(result).union(*[t for _, t in rest])
        out = result if not rest else "".join([c for c in dict.fromkeys(left + right) if c in needed])
        # A letter that lost its partner to broadcasting is added up before.
        x, left = _summed(x, left, right + out)
        y, right = _summed(y, right, left + out)
        missing = [c for c in out if c not in left and c not in right]
        out = "".join([c for c in out if c not in missing])
        x, left = _l.contract(x, y, left=left, right=right, result=out), out
    missing = [c for c in result if c not in left]
    if missing:  # only dimensions of size one can be missing
        x = reshape(x, shape=(*x._array.shape, *[sizes[c] for c in missing]))
        left += "".join(missing)
    return x if left == result and len(operands) > 1 else permute(x, axes=tuple([left.index(c) for c in result]))


def kron(input: Tensor, other: Tensor) -> Tensor:
    """Multiply every element of one tensor with all of another: the Kronecker product.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.kron(torch.eye(2, dtype=torch.int64), torch.tensor([[1, 2]]))
    tensor([[1, 2, 0, 0],
            [0, 0, 1, 2]])
    """
    n = max(input._array.ndim, other._array.ndim)
    a = (1,) * (n - input._array.ndim) + input._array.shape
    b = (1,) * (n - other._array.ndim) + other._array.shape
    x = reshape(input, shape=tuple([s for m in a for s in (m, 1)]))
    y = reshape(other, shape=tuple([s for m in b for s in (1, m)]))
    return reshape_copy(mul(x, y), shape=tuple([p * q for p, q in zip(a, b, strict=True)]))


def trace(input: Tensor) -> Tensor:
    """Add up the diagonal of a matrix.

    Raises
    ------
    RuntimeError
        If it is no matrix.
    """
    must_be_tensor(input, "trace")
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return _l.trace(input)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """Multiply matrices in the order that costs least, as ``torch.linalg.multi_dot``."""
    return matrices[0] if len(matrices) == 1 else linalg_multi_dot(matrices)


def linalg_multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """Multiply matrices in the order that costs least; the first and the last may be vectors.

    Raises
    ------
    RuntimeError
        If there are fewer than two.
    """
    n = len(tensors)
    if n < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {n}")
    if n == 2:
        return matmul(*tensors)
    first, last = tensors[0]._array, tensors[-1]._array
    sizes = [first.shape[0] if first.ndim > 1 else 1]
    sizes += [t._array.shape[0] for t in tensors[1:]]
    sizes += [last.shape[1] if last.ndim > 1 else 1]
    cost: dict[tuple[int, int], tuple[int, int]] = {(i, i): (0, i) for i in range(n)}
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return tensors[i]
        k = cost[i, j][1]
        return matmul(product(i, k), product(k + 1, j))

    return product(0, n - 1)


@numpy_names
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Vector product along ``dim``, which has length 3; without it, along the first such dimension.

    Raises
    ------
    RuntimeError
        If no dimension has length 3.
    """
    if dim is None:
        if 3 not in input._array.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = input._array.shape.index(3)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Vector product along ``dim``, which has length 3.

    Raises
    ------
    RuntimeError
        If it has another length.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    a, b = input._array, other._array
    if a.ndim != b.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    axis = dimension(dim, a.ndim) - a.ndim
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {a.shape[axis]} and {b.shape[axis]}"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(f"expected scalar type {type_name(input)} but found {type_name(other)}")
    return _l.cross(input, other, axis=axis)


# ---- norms


def _check_floats(x: Tensor, name: str) -> None:
    must_be_tensor(x, name)
    if x._array.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {type_name(x)} (convert first: x.float())"
        )


def _check_matrices(x: Tensor, name: str, *, square: bool = False) -> None:
    must_be_tensor(x, name)
    shape = x._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices"
        )


def norm(
    input: Tensor,
    p: Order = "fro",
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    out: None = None,  # torch's place for it
    dtype: DType | None = None,
) -> Tensor:
    """Measure the size of a tensor: (sum |x|**p) ** (1/p), over ``dim`` if given; p=inf is the largest |x|.

    Where the norm is zero, so is its gradient.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([3.0, 4.0]).norm(), torch.tensor([3.0, -4.0]).norm(1)
    (tensor(5.), tensor(7.))
    """
    if isinstance(p, str) and p != "fro":
        if dim is None:
            dim = (-2, -1)
        if isinstance(dim, int):
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
        return linalg_matrix_norm(input, p, dim, keepdim, dtype=dtype)
    return linalg_vector_norm(input, 2 if p is None or isinstance(p, str) else p, dim, keepdim, dtype=dtype)


@numpy_names
def linalg_vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Measure the size of vectors: (sum |x|**ord) ** (1/ord), over ``dim`` if given, else over all elements.

    Raises
    ------
    RuntimeError
        If the elements are no floating-point numbers.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if not isinstance(ord, int | float):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' must be Number, not {type(ord).__name__}")
    _check_floats(x, "linalg.vector_norm")
    if dtype is not None:
        x = cast(x, as_numpy(dtype))
    axis = axes_of(x, dim)
    if x._array.size == 0 and (ord < 0 or ord == math.inf):
        shape = x._array.shape
        reduced = range(len(shape)) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
        if any(shape[a] == 0 for a in reduced):
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord:g} norm on an empty tensor because the operation does not have an identity"
            )
    return _r.vector_norm(x, p=ord, axis=axis, keepdims=keepdim)


@numpy_names
def linalg_matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Measure the size of matrices.

    ``ord`` is "fro" (all elements as one vector), "nuc" (the sum of the singular values), 2 or -2 (the largest or smallest singular
    value), 1 or -1 (columns), inf or -inf (rows).

    Raises
    ------
    RuntimeError
        If ``ord`` is none of these, or A has no matrices.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.matrix_norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), "nuc")
    tensor(7.)
    """
    name = "linalg.matrix_norm"
    _check_matrices(A, name)
    _check_floats(A, name)
    if dtype is not None:
        A = cast(A, as_numpy(dtype))
    if not isinstance(dim, Sequence) or len(dim) != 2:
        raise RuntimeError(
            f"{name}: dim must be a 2-tuple. Got {dim if isinstance(dim, int) else ' '.join(map(str, dim))}"
        )
    ndim = A._array.ndim
    first, second = dimensions(dim, ndim)
    if ord == "fro":
        return _r.vector_norm(A, p=2, axis=(first, second), keepdims=keepdim)
    if ord not in ("nuc", 2, -2, 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"{name}: Order {ord if isinstance(ord, str) else format(ord, 'g')} not supported.")
    if ord in ("nuc", 2, -2):
        order = (*[a for a in range(ndim) if a not in (first, second)], first, second)
        values = _l.svd_s(permute(A, axes=order))
        end = values._array.ndim - 1
        reduce = _r.sum if ord == "nuc" else _r.amax if ord == 2 else _r.amin
        out: Tensor = reduce(values, axis=end, keepdims=keepdim)
        if keepdim:
            out = permute(reshape(out, shape=(*out._array.shape, 1)), axes=inverse_axes(order))
        return out
    added, compared = (first, second) if abs(ord) == 1 else (second, first)  # type: ignore[arg-type]  # a number by now
    sums = _r.vector_norm(A, p=1, axis=added, keepdims=keepdim)
    if not keepdim and compared > added:
        compared -= 1
    chosen: Tensor = (_r.amax if ord > 0 else _r.amin)(sums, axis=compared, keepdims=keepdim)  # type: ignore[operator]  # a number
    return chosen


@numpy_names
def linalg_norm(
    A: Tensor,
    ord: Order = None,
    dim: int | Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Tensor:
    """Measure the size of vectors or matrices: see ``vector_norm`` and ``matrix_norm``.

    Raises
    ------
    RuntimeError
        If ``ord`` and the number of dimensions do not fit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.norm(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    must_be_tensor(A, "linalg.norm")
    if dim is not None:
        dims = [dim] if isinstance(dim, int) else list(dim)
        if len(dims) not in (1, 2):
            raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {dims}")
    elif ord is None:
        dims = []
    else:
        ndim = A._array.ndim
        if ndim not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D."
            )
        dims = list(range(ndim))
    if ord is None:
        return linalg_vector_norm(A, 2, dims or None, keepdim, dtype=dtype)
    if len(dims) == 2 or isinstance(ord, str):
        return linalg_matrix_norm(A, ord, dims if len(dims) == 2 else (-2, -1), keepdim, dtype=dtype)
    return linalg_vector_norm(A, ord, dims, keepdim, dtype=dtype)


def linalg_cond(A: Tensor, p: Order = None) -> Tensor:
    """How much solving with A can amplify an error: norm(A) * norm(inv(A)), by default with the largest singular value."""
    _check_matrices(A, "linalg.cond")
    if p in (None, 2, -2):
        s = _l.svd_s(A)
        top, bottom = s[..., 0], s[..., -1]
        return bottom / top if p == -2 else top / bottom
    _check_matrices(A, "linalg.cond", square=True)
    return linalg_matrix_norm(A, p) * linalg_matrix_norm(linalg_inv(A), p)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of the difference of two tensors."""
    return _r.distance(sub(input, other), p=p)


def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",  # always the exact way here
) -> Tensor:
    """The p-norm distance of every row of x1 to every row of x2.  (..., n, k), (..., m, k) -> (..., n, m)

    Raises
    ------
    RuntimeError
        If the rows have different lengths.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.cdist(torch.zeros(1, 2), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    for x, name in ((x1, "X1"), (x2, "X2")):
        must_be_tensor(x, "cdist", name.lower())
        if x._array.dtype.kind != "f":
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {type_name(x)}")
        if x._array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x._array.ndim}D")
    a, b = x1._array.shape, x2._array.shape
    if a[-1] != b[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a[-1]} X2: {b[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if a[:-2] != b[:-2]:
        batch = np.broadcast_shapes(a[:-2], b[:-2])
        x1, x2 = broadcast_to(x1, shape=(*batch, *a[-2:])), broadcast_to(x2, shape=(*batch, *b[-2:]))
    x1, x2 = promoted(x1, x2)
    return _l.cdist(x1, x2, p=p)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """Shrink the slices along ``dim`` whose p-norm exceeds ``maxnorm`` to that norm."""
    ndim = input._array.ndim
    axis = dimension(dim, ndim)
    norms = _r.vector_norm(input, p=p, axis=tuple([a for a in range(ndim) if a != axis]), keepdims=True)
    too_long = wrap((norms._array > maxnorm).astype(input._array.dtype))
    return input * (too_long * (maxnorm / (norms + 1e-7)) + (1 - too_long))


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """Subtract from each element along ``dim`` the one before it, ``n`` times.

    Raises
    ------
    RuntimeError
        If the input has no dimension.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.tensor([1, 4, 9]).diff()
    tensor([3, 5])
    """
    if input._array.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    axis = dimension(dim, input._array.ndim)
    if prepend is not None or append is not None:
        input = cat(*promoted(*[t for t in (prepend, input, append) if t is not None]), axis=axis)
    lead = (slice(None),) * axis
    for _ in range(n):
        later, earlier = getitem(input, index=(*lead, slice(1, None))), getitem(input, index=(*lead, slice(None, -1)))
        input = ne(later, earlier) if input._array.dtype.kind == "b" else sub(later, earlier)
    return input


def _areas(y: Tensor, x: Tensor | None, dx: float, dim: int) -> tuple[Tensor, int]:
    """Twice the areas under the pieces of a polygon, and the axis they lie along."""
    axis = dimension(dim, y._array.ndim)
    lead = (slice(None),) * axis
    later, earlier = getitem(y, index=(*lead, slice(1, None))), getitem(y, index=(*lead, slice(None, -1)))
    if x is None:
        return (later + earlier) * dx, axis
    steps = diff(x)
    if x._array.ndim == 1:
        steps = reshape(steps, shape=(-1,) + (1,) * (y._array.ndim - 1 - axis))
    else:
        steps = diff(x, dim=dim)
    return (later + earlier) * steps, axis


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The area under the polygon through the points (x, y), or with steps of ``dx``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.trapezoid(torch.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    areas, axis = _areas(y, x, dx, dim)
    return _r.sum(areas, axis=axis) / 2


def trapz(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The area under a polygon, as ``torch.trapezoid``."""
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The areas under the polygon through the points (x, y), up to each of them but the first."""
    areas, axis = _areas(y, x, dx, dim)
    return _r.cumsum(areas / 2, axis=axis)


def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices along the diagonal of a larger one, with zeros elsewhere.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor([[3]]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    blocks = [reshape(t, shape=(1,) * (2 - t._array.ndim) + t._array.shape) for t in promoted(*tensors)]
    width = sum([b._array.shape[1] for b in blocks])
    rows, before = [], 0
    for b in blocks:
        n, m = b._array.shape
        left, right = np.zeros((n, before), b._array.dtype), np.zeros((n, width - before - m), b._array.dtype)
        rows.append(cat(wrap(left), b, wrap(right), axis=1))
        before += m
    return cat(*rows, axis=0)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every combination of one element of each vector, one per row.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    if len(tensors) == 1:
        return tensors[0]
    grid = np.indices([t._array.shape[0] for t in tensors]).reshape(len(tensors), -1)
    return stack(*[take(t, index=place) for t, place in zip(promoted(*tensors), grid, strict=True)], axis=1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of ``r`` elements of a vector, in order, one per row.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.combinations(torch.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = list(choose(range(input._array.shape[0]), r))
    return take(input, index=np.array(chosen, np.int64).reshape(len(chosen), r))


# ---- inverse, equations, determinant


def linalg_inv(A: Tensor) -> Tensor:
    """Invert square matrices.

    Raises
    ------
    RuntimeError
        If they are not square; ``LinAlgError`` if one is singular.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    _check_matrices(A, "linalg.inv", square=True)
    _check_floats(A, "linalg.inv")
    return _l.inv(A)


def inverse(input: Tensor) -> Tensor:
    """Invert square matrices, as ``torch.linalg.inv``."""
    return linalg_inv(input)


def _is_vector(a: Any, b: Any) -> bool:
    return b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])


def linalg_solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """Solve A @ X = B; or X @ A = B if not ``left``. B holds matrices, or one vector per matrix.

    Raises
    ------
    RuntimeError
        If the shapes do not fit; ``LinAlgError`` if A is singular.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.solve(torch.tensor([[2.0, 0.0], [0.0, 4.0]]), torch.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    name = "linalg.solve"
    _check_matrices(A, name, square=True)
    _check_floats(A, name)
    must_be_tensor(B, name, "B", 2)
    a, b = A._array, B._array
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {type_name(A)} and B of type {type_name(B)} instead"
        )
    vector = _is_vector(a, b)
    rows = b.shape[-1 if vector or not left else -2] if b.ndim else 0
    if rows != a.shape[-1]:
        equation = "AX = B" if left else "XA = B"
        shown = f"{b.shape[-1]}x1" if vector else size(b)
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} ({size(a)} and {shown})"
        )
    if vector:
        return _l.solve_vector(A, B)
    return _l.solve(A, B) if left else swap(_l.solve(swap(A), swap(B)))


def linalg_solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """Solve A @ X = B, reading only the upper or the lower triangle of A; or X @ A = B if not ``left``."""
    _check_matrices(A, "linalg.solve_triangular", square=True)
    _check_pair(A, B, "linalg.solve_triangular", "B")
    if left:
        return _l.solve_triangular(A, B, upper=upper, unit=unitriangular)
    return swap(_l.solve_triangular(swap(A), swap(B), upper=not upper, unit=unitriangular))


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> return_types.triangular_solve:
    """Solve A @ X = b, reading only one triangle of A; returns the solution and A."""
    if transpose:
        found = linalg_solve_triangular(swap(A), b, upper=not upper, unitriangular=unitriangular)
    else:
        found = linalg_solve_triangular(A, b, upper=upper, unitriangular=unitriangular)
    return return_types.triangular_solve(found, A)


def linalg_det(A: Tensor) -> Tensor:
    """The determinant of square matrices; its gradient is right for singular matrices too.

    Raises
    ------
    RuntimeError
        If they are not square.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.det(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    _check_matrices(A, "linalg.det", square=True)
    _check_floats(A, "linalg.det")
    return _l.det(A)


def det(input: Tensor) -> Tensor:
    """The determinant of square matrices, as ``torch.linalg.det``."""
    return linalg_det(input)


def linalg_slogdet(A: Tensor) -> return_types.linalg_slogdet:
    """Sign and logarithm of the absolute value of the determinant.

    Raises
    ------
    RuntimeError
        If A has no square matrices.
    """
    _check_matrices(A, "linalg.slogdet", square=True)
    _check_floats(A, "linalg.slogdet")
    return return_types.linalg_slogdet(_l.sign_of_det(A), _l.logabsdet(A))


def slogdet(input: Tensor) -> return_types.slogdet:
    """Sign and logarithm of the absolute value of the determinant, as ``torch.linalg.slogdet``."""
    return return_types.slogdet(*linalg_slogdet(input))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; NaN where it is negative."""
    _check_matrices(input, "logdet", square=True)
    _check_floats(input, "logdet")
    return _l.logdet(input)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """Multiply square matrices n times with themselves, as ``torch.linalg.matrix_power``."""
    return linalg_matrix_power(input, n)


def linalg_matrix_power(A: Tensor, n: int) -> Tensor:
    """Multiply square matrices n times with themselves; their inverses if n is negative.

    Raises
    ------
    RuntimeError
        If they are not square.
    """
    _check_matrices(A, "linalg.matrix_power", square=True)
    if n < 0:
        return linalg_matrix_power(linalg_inv(A), -n)
    if n == 0:
        x = A._array
        return wrap(np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape).copy())
    power, out = A, None
    while True:
        if n % 2:
            out = power if out is None else matmul(out, power)
        n //= 2
        if not n:
            return out  # type: ignore[return-value]  # n was positive, so the last round has set it
        power = matmul(power, power)


def linalg_matrix_exp(A: Tensor) -> Tensor:
    """The matrix exponential: the sum of A**k / k!

    Raises
    ------
    RuntimeError
        If A has no square matrices.
    """
    _check_matrices(A, "linalg.matrix_exp", square=True)
    _check_floats(A, "linalg.matrix_exp")
    return _l.matrix_exp(A)


def matrix_exp(input: Tensor) -> Tensor:
    """The matrix exponential, as ``torch.linalg.matrix_exp``."""
    return linalg_matrix_exp(input)


# ---- decompositions


def linalg_cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with L @ L.mT = A, for symmetric positive-definite A; its transpose if ``upper``.

    Raises
    ------
    RuntimeError
        If A is not square; ``LinAlgError`` if it is not positive-definite.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 10.0]]))
    tensor([[2., 0.],
            [1., 3.]])
    """
    _check_matrices(A, "linalg.cholesky", square=True)
    _check_floats(A, "linalg.cholesky")
    return swap(_l.cholesky(A)) if upper else _l.cholesky(A)


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """The lower triangular L with L @ L.mT = input, for symmetric positive-definite input."""
    _check_matrices(input, "cholesky", square=True)
    _check_floats(input, "cholesky")
    return swap(_l.cholesky_old(input)) if upper else _l.cholesky_old(input)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """Solve A @ X = B, given the Cholesky factor L of A."""
    return _l.cholesky_solve(B, L, upper=upper)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """Invert A, given its Cholesky factor L."""
    n = L._array.shape[-1]
    return cholesky_solve(wrap(np.eye(n, dtype=L._array.dtype)), L, upper)


def _qr(A: Tensor, mode: str, name: str) -> tuple[Tensor, Tensor]:
    _check_matrices(A, name)
    _check_floats(A, name)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    kept = "complete" if mode == "complete" else "reduced"
    n, m = A._array.shape[-2:]
    if n < m and A.requires_grad and mode != "r":
        # A wide matrix: the left square determines q, and the rest of r follows from it.
        q, head = _qr(A[..., :n], "reduced", name)
        return q, cat(head, matmul(swap(q), A[..., n:]), axis=A._array.ndim - 1)
    r = _l.qr_r(A, mode=kept)
    if mode == "r":
        return wrap(np.empty(0, A._array.dtype)), r
    return _l.qr_q(A, mode=kept), r


def linalg_qr(A: Tensor, mode: str = "reduced") -> return_types.linalg_qr:
    """Split A into Q @ R: Q with orthonormal columns, R upper triangular.

    Raises
    ------
    RuntimeError
        If ``mode`` is not "reduced", "complete" or "r".
    """
    return return_types.linalg_qr(*_qr(A, mode, "linalg.qr"))


def qr(input: Tensor, some: bool = True) -> return_types.qr:
    """Split a matrix into Q @ R, as ``torch.linalg.qr``."""
    return return_types.qr(*_qr(input, "reduced" if some else "complete", "qr"))


def linalg_eigh(A: Tensor, UPLO: str = "L") -> return_types.linalg_eigh:
    """Eigenvalues, ascending, and eigenvectors, as columns, of symmetric matrices; only one triangle is read.

    Raises
    ------
    RuntimeError
        If A has no square matrices.
    """
    _check_matrices(A, "linalg.eigh", square=True)
    _check_floats(A, "linalg.eigh")
    return return_types.linalg_eigh(_l.eigenvalues(A, triangle=UPLO.upper()), _l.eigenvectors(A, triangle=UPLO.upper()))


def linalg_eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues, ascending, of symmetric matrices; only one triangle is read.

    Raises
    ------
    RuntimeError
        If A has no square matrices.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.eigvalsh(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    _check_matrices(A, "linalg.eigvalsh", square=True)
    _check_floats(A, "linalg.eigvalsh")
    return _l.eigenvalues(A, triangle=UPLO.upper())


def linalg_svd(A: Tensor, full_matrices: bool = True) -> return_types.linalg_svd:
    """Split A into U @ diag(S) @ Vh: singular vectors, and values in descending order.

    Raises
    ------
    RuntimeError
        If A has no matrices.
    """
    _check_matrices(A, "linalg.svd")
    _check_floats(A, "linalg.svd")
    return return_types.linalg_svd(_l.svd_u(A, full=full_matrices), _l.svd_s(A), _l.svd_v(A, full=full_matrices))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> return_types.svd:
    """Split a matrix into U @ diag(S) @ V.mT, as ``torch.linalg.svd``, but with V not transposed."""
    u, s, v = linalg_svd(input, not some)
    if not compute_uv:
        u, v = wrap(np.zeros_like(u._array)), wrap(np.zeros_like(v._array))
    return return_types.svd(u, s, swap(v))


def linalg_svdvals(A: Tensor) -> Tensor:
    """The singular values of matrices, in descending order.

    Raises
    ------
    RuntimeError
        If A has no matrices.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.svdvals(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    _check_matrices(A, "linalg.svdvals")
    _check_floats(A, "linalg.svdvals")
    return _l.svd_s(A)


def linalg_pinv(
    A: Tensor,
    rcond: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor:
    """The pseudo-inverse: the inverse on what A reaches, zero elsewhere.

    Singular values below max(atol, rtol * largest) count as zero.

    Raises
    ------
    RuntimeError
        If A has no matrices.
    """
    _check_matrices(A, "linalg.pinv", square=hermitian)
    _check_floats(A, "linalg.pinv")
    if rtol is None:
        rtol = rcond
    if atol:
        top = (
            float(np.linalg.norm(A._array, 2))
            if A._array.ndim == 2
            else float(np.linalg.svd(A._array, compute_uv=False).max())
        )
        rtol = max(rtol or 0.0, atol / top) if top else rtol
    return _l.pinv(A, rtol=rtol)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudo-inverse, as ``torch.linalg.pinv``."""
    return linalg_pinv(input, rcond)


def linalg_matrix_rank(
    A: Tensor,
    tol: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor:
    """How many rows of matrices are independent: the singular values above max(atol, rtol * largest).

    Raises
    ------
    RuntimeError
        If A has no matrices.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.linalg.matrix_rank(torch.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    _check_matrices(A, "linalg.matrix_rank", square=hermitian)
    _check_floats(A, "linalg.matrix_rank")
    if tol is not None:
        atol, rtol = tol, 0.0
    return _l.matrix_rank(A, atol=atol, rtol=rtol, symmetric=hermitian)


def linalg_lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None
) -> return_types.linalg_lstsq:
    """Find the X that brings A @ X nearest to B: a least-squares fit.

    Raises
    ------
    RuntimeError
        If the shapes or dtypes do not fit.
    """
    name = "torch.linalg.lstsq"
    _check_matrices(A, name)
    _check_pair(A, B, name, "B")
    a, b = A._array, B._array
    vector = b.ndim == a.ndim - 1
    if b.ndim < 1 or b.shape[-1 if vector else -2] != a.shape[-2]:
        raise RuntimeError(f"{name}: input.size(-2) should match other.size({-1 if vector else -2})")
    found = _l.lstsq(A, reshape(B, shape=(*b.shape, 1)) if vector else B)
    x = found._array
    rank = _l.matrix_rank(a, atol=None, rtol=rcond, symmetric=False)
    residuals = np.empty(0, a.dtype)
    values = np.empty(0, a.dtype)
    if driver not in (None, "gelsy"):
        if a.shape[-2] > a.shape[-1] and np.all(rank == a.shape[-1]):
            residuals = np.add.reduce((a @ x - b.reshape(*b.shape, 1) if vector else a @ x - b) ** 2, axis=-2)
        if driver != "gels":
            values = np.linalg.svd(a, compute_uv=False)
    solution = reshape(found, shape=x.shape[:-1]) if vector else found
    return return_types.linalg_lstsq(solution, wrap(residuals), wrap(rank), wrap(values))


def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The dot products of vectors along ``dim``, which broadcast."""
    product = mul(x, y)
    return _r.sum(product, axis=axes_of(product, dim))


def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0 .. N-1 of each element, as a new last dimension."""
    n = x._array.shape[-1] if N is None else N
    powers: list[Any] = [wrap(np.ones((*x._array.shape, 1), x._array.dtype))]
    last = reshape(x, shape=(*x._array.shape, 1))
    for _ in range(n - 1):
        powers.append(mul(powers[-1], last))
    return cat(*powers, axis=x._array.ndim)


def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, as a new last dimension."""
    ndim = A._array.ndim
    return diagonal(A, offset=offset, axis1=dimension(dim1, ndim), axis2=dimension(dim2, ndim))


def linalg_tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """Invert a tensor as the matrix made of its first ``ind`` dimensions and of the others."""
    shape = A._array.shape
    rows = math.prod(shape[:ind])
    return reshape(linalg_inv(reshape(A, shape=(rows, math.prod(shape[ind:])))), shape=shape[ind:] + shape[:ind])


def linalg_tensorsolve(A: Tensor, B: Tensor, dims: Sequence[int] | None = None) -> Tensor:
    """Solve tensordot(A, X) = B."""
    if dims is not None:
        moved = dimensions(dims, A._array.ndim)
        A = permute(A, axes=(*[a for a in range(A._array.ndim) if a not in moved], *moved))
    shape = A._array.shape[B._array.ndim :]
    n = math.prod(shape)
    return reshape(linalg_solve(reshape(A, shape=(n, n)), reshape(B, shape=(n,))), shape=shape)

"""The named tuples that functions with several results return, printed as torch prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._tensor import Tensor


def _printed(self: Any) -> str:
    fields = ",\n".join([f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)])
    return f"torch.return_types.{type(self).__name__}(\n{fields})"


class _ValuesIndices(NamedTuple):
    values: Tensor
    indices: Tensor


class max(_ValuesIndices):
    """The largest elements and where they are."""

    __slots__ = ()
    __repr__ = _printed


class min(_ValuesIndices):
    """The smallest elements and where they are."""

    __slots__ = ()
    __repr__ = _printed


class median(_ValuesIndices):
    """The middle elements and where they are."""

    __slots__ = ()
    __repr__ = _printed


class nanmedian(_ValuesIndices):
    """The middle elements, NaN left out, and where they are."""

    __slots__ = ()
    __repr__ = _printed


class mode(_ValuesIndices):
    """The most frequent elements and where they are."""

    __slots__ = ()
    __repr__ = _printed


class cummax(_ValuesIndices):
    """The largest elements so far and where they are."""

    __slots__ = ()
    __repr__ = _printed


class cummin(_ValuesIndices):
    """The smallest elements so far and where they are."""

    __slots__ = ()
    __repr__ = _printed


class sort(_ValuesIndices):
    """The elements in order and where they came from."""

    __slots__ = ()
    __repr__ = _printed


class topk(_ValuesIndices):
    """The k largest elements and where they are."""

    __slots__ = ()
    __repr__ = _printed


class kthvalue(_ValuesIndices):
    """The k-th smallest elements and where they are."""

    __slots__ = ()
    __repr__ = _printed


class _MinMax(NamedTuple):
    min: Tensor
    max: Tensor


class aminmax(_MinMax):
    """The smallest and the largest elements."""

    __slots__ = ()
    __repr__ = _printed


class _HistBinEdges(NamedTuple):
    hist: Tensor
    bin_edges: Tensor


class histogram(_HistBinEdges):
    """Counts and the edges between which was counted."""

    __slots__ = ()
    __repr__ = _printed


class _SignLogabsdet(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


class slogdet(_SignLogabsdet):
    """Sign and logarithm of a determinant."""

    __slots__ = ()
    __repr__ = _printed


class linalg_slogdet(_SignLogabsdet):
    """Sign and logarithm of a determinant."""

    __slots__ = ()
    __repr__ = _printed


class _QR(NamedTuple):
    Q: Tensor
    R: Tensor


class qr(_QR):
    """An orthogonal and an upper triangular factor."""

    __slots__ = ()
    __repr__ = _printed


class linalg_qr(_QR):
    """An orthogonal and an upper triangular factor."""

    __slots__ = ()
    __repr__ = _printed


class _EigenvaluesEigenvectors(NamedTuple):
    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_eigh(_EigenvaluesEigenvectors):
    """Eigenvalues, and eigenvectors as columns."""

    __slots__ = ()
    __repr__ = _printed


class _USV(NamedTuple):
    U: Tensor
    S: Tensor
    V: Tensor


class svd(_USV):
    """Singular values and vectors, both kinds as columns."""

    __slots__ = ()
    __repr__ = _printed


class _USVh(NamedTuple):
    U: Tensor
    S: Tensor
    Vh: Tensor


class linalg_svd(_USVh):
    """Singular values and vectors, the right ones as rows."""

    __slots__ = ()
    __repr__ = _printed


class _SolutionResidualsRankSingularValues(NamedTuple):
    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class linalg_lstsq(_SolutionResidualsRankSingularValues):
    """A least-squares solution and what is known of it."""

    __slots__ = ()
    __repr__ = _printed


class _SolutionCoefficient(NamedTuple):
    solution: Tensor
    cloned_coefficient: Tensor


class triangular_solve(_SolutionCoefficient):
    """A solution and the triangular matrix."""

    __slots__ = ()
    __repr__ = _printed


__all__ = [
    "aminmax",
    "cummax",
    "cummin",
    "histogram",
    "kthvalue",
    "linalg_eigh",
    "linalg_lstsq",
    "linalg_qr",
    "linalg_slogdet",
    "linalg_svd",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "qr",
    "slogdet",
    "sort",
    "svd",
    "topk",
    "triangular_solve",
]

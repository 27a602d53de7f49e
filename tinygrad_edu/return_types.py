"""The named tuples that functions with several results return, printed as torch prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._tensor import Tensor


def _printed(self: Any) -> str:
    fields = ",\n".join([f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True)])
    return f"torch.return_types.{type(self).__name__}(\n{fields})"


class max(NamedTuple):  # torch's name
    """The largest elements and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class min(NamedTuple):  # torch's name
    """The smallest elements and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class median(NamedTuple):  # torch's name
    """The middle elements and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class nanmedian(NamedTuple):  # torch's name
    """The middle elements, NaN left out, and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class mode(NamedTuple):  # torch's name
    """The most frequent elements and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class cummax(NamedTuple):  # torch's name
    """The largest elements so far and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class cummin(NamedTuple):  # torch's name
    """The smallest elements so far and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class sort(NamedTuple):  # torch's name
    """The elements in order and where they came from."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class topk(NamedTuple):  # torch's name
    """The k largest elements and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class kthvalue(NamedTuple):  # torch's name
    """The k-th smallest elements and where they are."""

    values: Tensor
    indices: Tensor
    __repr__ = _printed


class aminmax(NamedTuple):  # torch's name
    """The smallest and the largest elements."""

    min: Tensor
    max: Tensor
    __repr__ = _printed


class histogram(NamedTuple):  # torch's name
    """Counts and the edges between which was counted."""

    hist: Tensor
    bin_edges: Tensor
    __repr__ = _printed


class slogdet(NamedTuple):  # torch's name
    """Sign and logarithm of a determinant."""

    sign: Tensor
    logabsdet: Tensor
    __repr__ = _printed


class linalg_slogdet(NamedTuple):  # torch's name
    """Sign and logarithm of a determinant."""

    sign: Tensor
    logabsdet: Tensor
    __repr__ = _printed


class qr(NamedTuple):  # torch's name
    """An orthogonal and an upper triangular factor."""

    Q: Tensor
    R: Tensor
    __repr__ = _printed


class linalg_qr(NamedTuple):  # torch's name
    """An orthogonal and an upper triangular factor."""

    Q: Tensor
    R: Tensor
    __repr__ = _printed


class linalg_eigh(NamedTuple):  # torch's name
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor
    __repr__ = _printed


class svd(NamedTuple):  # torch's name
    """Singular values and vectors, both kinds as columns."""

    U: Tensor
    S: Tensor
    V: Tensor
    __repr__ = _printed


class linalg_svd(NamedTuple):  # torch's name
    """Singular values and vectors, the right ones as rows."""

    U: Tensor
    S: Tensor
    Vh: Tensor
    __repr__ = _printed


class linalg_lstsq(NamedTuple):  # torch's name
    """A least-squares solution and what is known of it."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor
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
]

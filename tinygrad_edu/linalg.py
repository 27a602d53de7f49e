"""Linear algebra under torch's names: ``torch.linalg.inv`` and its kin."""

from __future__ import annotations

from ._functions.linalg import linalg_cholesky as cholesky
from ._functions.linalg import linalg_cond as cond
from ._functions.linalg import linalg_cross as cross
from ._functions.linalg import linalg_det as det
from ._functions.linalg import linalg_diagonal as diagonal
from ._functions.linalg import linalg_eigh as eigh
from ._functions.linalg import linalg_eigvalsh as eigvalsh
from ._functions.linalg import linalg_inv as inv
from ._functions.linalg import linalg_lstsq as lstsq
from ._functions.linalg import linalg_matrix_exp as matrix_exp
from ._functions.linalg import linalg_matrix_norm as matrix_norm
from ._functions.linalg import linalg_matrix_power as matrix_power
from ._functions.linalg import linalg_matrix_rank as matrix_rank
from ._functions.linalg import linalg_multi_dot as multi_dot
from ._functions.linalg import linalg_norm as norm
from ._functions.linalg import linalg_pinv as pinv
from ._functions.linalg import linalg_qr as qr
from ._functions.linalg import linalg_slogdet as slogdet
from ._functions.linalg import linalg_solve as solve
from ._functions.linalg import linalg_solve_triangular as solve_triangular
from ._functions.linalg import linalg_svd as svd
from ._functions.linalg import linalg_svdvals as svdvals
from ._functions.linalg import linalg_tensorinv as tensorinv
from ._functions.linalg import linalg_tensorsolve as tensorsolve
from ._functions.linalg import linalg_vander as vander
from ._functions.linalg import linalg_vecdot as vecdot
from ._functions.linalg import linalg_vector_norm as vector_norm
from ._ops.linalg import LinAlgError

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]

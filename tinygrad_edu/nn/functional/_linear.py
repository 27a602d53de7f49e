"""Linear maps, lookup, distances and attention."""

from __future__ import annotations

import math

import numpy as np

from ..._errors import where as _where
from ..._errors import wrong_features
from ..._functions import broadcast_shapes
from ..._ops import nn as _ops
from ..._ops.reduce import vector_norm
from ..._ops.softmax import safe_softmax
from ..._tensor import Tensor
from ._common import c_type, need_tensor, scalar_type, wrap
from ._dropout import dropout

__all__ = [
    "bilinear",
    "cosine_similarity",
    "embedding",
    "embedding_bag",
    "linear",
    "normalize",
    "one_hot",
    "pairwise_distance",
    "pdist",
    "scaled_dot_product_attention",
]

_norm = vector_norm.named("NormBackward1")
_NAMED = {1: _ops.view_linear, 2: _ops.linear}
_NAMED_PLAIN = {1: _ops.squeeze_linear, 2: _ops.mm_linear}


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Map the last dimension: input @ weight.mT + bias.  (..., n), (m, n), (m,) -> (..., m)

    Raises
    ------
    RuntimeError
        If the sizes or dtypes do not fit.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.linear(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]), torch.tensor([0.5]))
    tensor([[11.5000]])
    """
    try:
        x, w = input._array, weight._array
    except AttributeError:
        need_tensor(input, "linear", "input", 1)
        need_tensor(weight, "linear", "weight", 2)
        raise
    if w.ndim != 2 or x.ndim == 0 or x.dtype is not w.dtype:
        return _unusual_linear(input, weight, bias)
    rank = x.ndim
    if bias is None:
        return _NAMED_PLAIN.get(rank, _ops.unsafe_view_linear)(input, weight, None)
    b = bias._array
    if b.shape != w.shape[:1] or b.dtype is not x.dtype:
        _check_bias(input, weight, bias)
    if rank > 2:
        return (_ops.view_linear if x.flags.c_contiguous else _ops.add_linear)(input, weight, bias)
    return _NAMED[rank](input, weight, bias)


def _unusual_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Raise torch's error, or treat a weight that is one row."""
    x, w = input._array, weight._array
    if x.ndim == 0 or w.ndim == 0:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D" + _where()
        )
    if x.dtype is not w.dtype:
        if bias is None:
            first = f"expected m1 and m2 to have the same dtype, but got: {c_type(input)} != {c_type(weight)}"
        else:
            first = f"mat1 and mat2 must have the same dtype, but got {scalar_type(input)} and {scalar_type(weight)}"
        raise RuntimeError(f"{first}. {_cure(input, weight)}" + _where())
    if w.ndim > 2 or bias is not None:
        raise RuntimeError(
            f"mat2 must be a matrix, got {w.ndim}-D tensor: a weight has shape (outputs, inputs)." + _where()
        )
    if x.shape[-1] != w.shape[0]:
        raise RuntimeError(wrong_features(x, w.reshape(1, -1)) + _where())
    return input.matmul(weight)


def _cure(input: Tensor, weight: Tensor) -> str:
    """How to mend two dtypes that differ: most often float64 came from NumPy, or the numbers were written without a dot."""
    if str(input.dtype) == "torch.float64":
        return "float64 is NumPy's default: convert the input with x.float(), or the layer with .double()."
    if input.is_floating_point():
        return f"Convert the input with x.to({weight.dtype}) or the layer with .to({input.dtype})."
    return "Whole numbers make an integer tensor: convert the input with x.float(), or write 1. instead of 1."


def _check_bias(input: Tensor, weight: Tensor, bias: Tensor) -> None:
    if bias._array.dtype is not input._array.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {scalar_type(bias)} and {scalar_type(weight)}: convert the bias "
            f"with bias.to({input.dtype})." + _where()
        )
    m = weight.shape[0]
    if bias.ndim > 1 or (bias.ndim == 1 and bias.shape[0] not in (1, m)):
        raise RuntimeError(
            f"The expanded size of the tensor ({m}) must match the existing size ({bias.shape[-1]}) at non-singleton dimension 1.  "
            f"Target sizes: {[*input.shape[:-1], m]}.  Tensor sizes: {list(bias.shape)}. A bias has one element per output."
            + _where()
        )


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Combine two inputs: y[o] = sum of x1[i] weight[o, i, j] x2[j] + bias[o].  (..., n), (..., k), (m, n, k) -> (..., m)"""
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input batch dimensions do not match: got {list(input1.shape[:-1])} and {list(input2.shape[:-1])}"
        )
    m, n, k = weight.shape
    for number, x, size in ((1, input1, n), (2, input2, k)):
        if x.shape[-1] != size:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got {x.shape[-1]} but expected {size}"
            )
    if bias is not None and bias.shape != (m,):
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {list(bias.shape)} but expected {m}")
    left = input1.reshape(-1, n).matmul(weight.permute(1, 0, 2).reshape(n, m * k)).reshape(-1, m, k)
    out = (left * input2.reshape(-1, 1, k)).sum(-1).reshape(*input1.shape[:-1], m)
    return out if bias is None else out + bias


# ---- lookup


def _check_index(input: Tensor, rows: int) -> None:
    index = input._array
    if index.dtype.name not in ("int64", "int32"):
        name = scalar_type(input)
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{name}Tensor instead (while checking arguments for embedding): convert with input.long()."
        )
    if index.size and (index.min() < 0 or index.max() >= rows):
        wrong = index.min() if index.min() < 0 else index.max()
        raise IndexError(
            f"index out of range in self: {int(wrong)} is none of the {rows} rows, 0 to {rows - 1}" + _where()
        )


def _shorten_rows(weight: Tensor, index: np.ndarray, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up down to a norm, in place."""
    w = weight._writable()
    used = np.unique(index)
    norms = np.linalg.norm(w[used], norm_type, axis=1)
    long = norms > max_norm
    if long.any():
        w[used[long]] *= (max_norm / (norms[long] + 1e-7)).astype(w.dtype)[:, None]
        weight._mark_written()


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Look up rows of ``weight``: one per element of ``input``.  (...), (rows, n) -> (..., n)

    Row ``padding_idx`` learns nothing. ``sparse`` is accepted; gradients are dense.

    Raises
    ------
    IndexError
        If an element is no row.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.embedding(torch.tensor([1, 0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    if weight.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, got shape {list(weight.shape)}")
    rows = weight.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError(f"Padding_idx must be within num_embeddings: {padding_idx} of {rows}")
        padding_idx %= rows
    _check_index(input, rows)
    if max_norm is not None:
        _shorten_rows(weight, input._array, max_norm, norm_type)
    per_row = None
    if scale_grad_by_freq:
        index = input._writable()
        counts = np.bincount(index.reshape(-1), minlength=rows)
        per_row = (1.0 / counts[index]).astype(weight._array.dtype)
    del sparse
    return _ops.embedding(weight, input, skip=padding_idx, per_row=per_row)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Add up, average or maximise looked-up rows, bag by bag.

    ``input`` holds one bag per row; or all bags after one another, starting at ``offsets``.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}')."
        )
    starts: np.ndarray
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length sequences."
            )
        bags, length = input.shape
        starts = np.arange(0, bags * length + 1, max(length, 1))[: bags + 1] if length else np.zeros(bags + 1, np.int64)
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.ndim == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        starts = np.asarray(offsets._array)
        if starts.size and starts[0] != 0:
            raise ValueError(
                f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got {int(starts[0])}"
            )
        if not include_last_offset:
            starts = np.append(starts, input.shape[0])
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    looked_up = embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if per_sample_weights is not None:
        looked_up = looked_up * per_sample_weights.unsqueeze(1)
    at = np.arange(input.shape[0])
    member: np.ndarray = (at >= starts[:-1, None]) & (at < starts[1:, None])  # (bags, elements)
    if padding_idx is not None:
        member &= np.asarray(input._array) != padding_idx % weight.shape[0]
    dtype = weight._array.dtype
    if mode == "max" and member.size:
        low = wrap(np.where(member, 0, -np.inf).astype(dtype)[:, :, None])
        empty = wrap(~member.any(axis=1, keepdims=True))
        return (looked_up.unsqueeze(0) + low).amax(1).masked_fill(empty, 0.0)
    shares = member.astype(dtype)
    if mode == "mean":
        shares /= np.maximum(member.sum(axis=1, keepdims=True), 1)
    return wrap(shares).matmul(looked_up)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Mark class numbers by a 1 among zeros.  (...) -> (..., classes)

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    index = tensor._writable()
    if index.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {scalar_type(tensor)}: convert with .long()."
        )
    if index.size == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if index.size and index.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(index.max()) + 1
    elif index.size and index.max() >= num_classes:
        raise RuntimeError(
            f"Class values must be smaller than num_classes: the largest is {int(index.max())} of {num_classes}."
        )
    return wrap((index[..., None] == np.arange(num_classes)).astype(np.int64))


# ---- distances


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Divide by the norm along ``dim``, which is taken as at least eps.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else out.copy_(input / norm)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Multiply two vectors along ``dim`` after dividing each by its norm, which is taken as at least eps."""
    if x1.shape != x2.shape:
        shape = broadcast_shapes(x1.shape, x2.shape)
        x1, x2 = x1.expand(shape), x2.expand(shape)
    n1, n2 = x1.norm(2, dim, keepdim=True).clamp_min(eps), x2.norm(2, dim, keepdim=True).clamp_min(eps)
    return ((x1 / n1) * (x2 / n2)).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """Take the norm of x1 - x2 + eps along the last dimension."""
    return _norm(x1 - x2 + eps, p=float(p), axis=(-1,), keepdims=keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """Measure the distances between all pairs of rows.  (n, d) -> (n (n - 1) / 2,)"""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    first, second = np.triu_indices(input.shape[0], 1)
    return (input[wrap(first)] - input[wrap(second)]).norm(p, -1)


# ---- attention


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Mix values by how well queries match keys: softmax(query @ key.mT * scale + mask) @ value (Vaswani 2017).

    Parameters
    ----------
    query, key, value
        (..., n, d), (..., m, d), (..., m, e).
    attn_mask
        Booleans, true where a query may look; or numbers added to the scores. Broadcasts to (..., n, m).
    is_causal
        Query i may look at keys 0 to i only.
    scale
        1 / sqrt(d) if None.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> q = k = torch.zeros(1, 2, 4)
    >>> torch.nn.functional.scaled_dot_product_attention(q, k, torch.tensor([[[1.0], [3.0]]]))
    tensor([[[2.],
             [2.]]])
    """
    if not query._array.dtype is key._array.dtype is value._array.dtype:
        raise RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {c_type(query)} key.dtype: "
            f"{c_type(key)} and value.dtype: {c_type(value)} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "scaled_dot_product_attention: Expected query, key, and value to all be  at least 2 dimensional, but got "
            f"query.dim: {query.ndim}, key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    dtype = query._array.dtype
    n, m = query.shape[-2], key.shape[-2]
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    added = None
    if attn_mask is not None:
        mask = attn_mask._array
        added = np.where(mask, 0.0, -np.inf).astype(dtype) if mask.dtype.kind == "b" else mask.astype(dtype)
    if is_causal:
        causal = np.triu(np.full((n, m), -np.inf, dtype), 1)
        added = causal if added is None else added + causal
    batch = query.shape[:-2]
    learned = attn_mask is not None and attn_mask.requires_grad
    fits = added is None or (
        added.ndim <= query.ndim and np.broadcast_shapes(added.shape, (*batch, n, m)) == (*batch, n, m)
    )
    if dropout_p == 0.0 and not learned and fits and batch == key.shape[:-2] == value.shape[:-2]:
        op = {2: _ops.mm_attention, 4: _ops.attention}.get(query.ndim, _ops.view_attention)
        return op(query, key, value, mask=added, scale=factor)
    scores = (query * factor).matmul(key.transpose(-2, -1))
    if learned and attn_mask is not None:
        scores = scores + attn_mask
        if is_causal:
            scores = scores + wrap(causal)
    elif added is not None:
        scores = scores + wrap(added)
    return dropout(safe_softmax(scores, axis=scores.ndim - 1), dropout_p).matmul(value)

"""Connectionist temporal classification: the likelihood of labels, summed over all alignments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..._functions import logsumexp, stack
from ..._ops.elementwise import where
from ..._ops.shape import reshape
from ..._tensor import Tensor
from ._common import chosen_reduction, need_float, wrap
from ._resample import pad

__all__ = ["ctc_loss"]

_IMPOSSIBLE = -1e30  # the logarithm of a probability that cannot be; finite, so that no nan arises from differences
_result = reshape.named("CtcLossBackward0")


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Score log-probabilities (T, N, C) or (T, C) against label sequences, summed over all alignments (Graves 2006).

    Parameters
    ----------
    targets
        (N, S), or all sequences after one another.
    blank
        The class that means "no label here".
    zero_infinity
        Count a sequence too long for its input as 0 instead of inf.

    Notes
    -----
    Composed of differentiable steps, one per time, so gradients of every order are right. Where a label sequence is impossible
    the gradient is zero (torch gives nan unless ``zero_infinity``).
    """
    reduction = chosen_reduction(None, None, reduction)
    need_float(log_probs, "ctc_loss_cpu")
    alone = log_probs.ndim == 2
    if alone:
        log_probs = log_probs.unsqueeze(1)
    steps, n, classes = log_probs.shape
    inputs, lengths = _numbers(input_lengths), _numbers(target_lengths)
    if len(inputs) != n or len(lengths) != n:
        raise RuntimeError(
            f"input_lengths and target_lengths must be of size batch_size: {len(inputs)}, {len(lengths)}, {n}"
        )
    if not 0 <= blank < classes:
        raise RuntimeError(f"blank must be in label range: {blank} of {classes} classes")
    if n and inputs.max() > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {int(inputs.max())} (while checking arguments for "
            "ctc_loss_cpu)"
        )
    labels = _with_blanks(np.asarray(targets._array), lengths, blank)  # (N, L): blank, label, blank, label, ..., blank
    width = labels.shape[1]
    dtype = log_probs._array.dtype
    # A label may follow its predecessor directly, without a blank between, if the two differ.
    may_skip = np.zeros(labels.shape, bool)
    may_skip[:, 2:] = (labels[:, 2:] != blank) & (labels[:, 2:] != labels[:, :-2])
    closed = wrap(np.where(may_skip, 0.0, _IMPOSSIBLE).astype(dtype))
    start = np.full(labels.shape, _IMPOSSIBLE, dtype)
    start[:, :1] = 0
    start[lengths > 0, 1:2] = 0
    index = wrap(labels)
    alpha = log_probs[0].gather(1, index) + wrap(start)
    for t in range(1, steps):
        before = pad(alpha, (1, -1), value=_IMPOSSIBLE)
        skipped = pad(alpha, (2, -2), value=_IMPOSSIBLE) + closed if width > 2 else before * 0 + _IMPOSSIBLE
        longer = logsumexp(stack([alpha, before, skipped]), 0) + log_probs[t].gather(1, index)
        alpha = where(longer, alpha, condition=(t < inputs)[:, None])
    last = 2 * lengths
    ends = alpha.gather(1, wrap(np.stack([last, np.maximum(last - 1, 0)], 1)))
    ends = ends + wrap(np.where(np.stack([lengths >= 0, lengths > 0], 1), 0.0, _IMPOSSIBLE).astype(dtype))
    loss = -logsumexp(ends, 1)
    possible = loss._writable() < -_IMPOSSIBLE / 2
    if not possible.all():
        loss = where(loss, 0.0 if zero_infinity else np.inf, condition=possible)
    if reduction == "none":
        return _result(loss, shape=() if alone else (n,))
    if reduction == "sum":
        return loss.sum()
    return (loss / wrap(np.maximum(lengths, 1).astype(dtype))).mean()


def _numbers(lengths: Tensor | Sequence[int]) -> np.ndarray:
    array = lengths._array if isinstance(lengths, Tensor) else lengths
    return np.asarray(array, np.int64).reshape(-1)


def _with_blanks(targets: np.ndarray, lengths: np.ndarray, blank: int) -> np.ndarray:
    """Give every label sequence a row, with blanks before, between and after; rows are filled up with blanks."""
    longest = int(lengths.max(initial=0))
    labels = np.full((len(lengths), 2 * longest + 1), blank, np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for row, length in enumerate(lengths):
        sequence = targets[row, :length] if targets.ndim == 2 else targets[starts[row] : starts[row] + length]
        labels[row, 1 : 2 * int(length) : 2] = sequence
    return labels

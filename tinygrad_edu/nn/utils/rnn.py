"""Sequences of different lengths: padded to a rectangle, or packed time step by time step.

Packed, sequences abc, de, f are a d f b e c with batch sizes 3, 2, 1: what a recurrent network reads at each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

from ... import _dtype
from ..._creation import as_tensor, full
from ..._functions import cat, sort, stack
from ..._tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None


class PackedSequence(_Packed):
    """Sequences packed time step by time step; made by ``pack_padded_sequence``, read by RNN, LSTM and GRU.

    Attributes
    ----------
    data
        All elements, (sum of lengths, ...).
    batch_sizes
        How many sequences are still alive at each step.
    sorted_indices, unsorted_indices
        How the sequences were sorted by length, and back; None if they came sorted.

    """

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        """Fill in the inverse permutation."""
        if batch_sizes is None:
            if not (isinstance(data, list | tuple) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(change(self.data), self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Change the dtype of the data."""
        return self._with(lambda t: t.to(*args, **kwargs))

    def cpu(self) -> Self:
        """Do nothing: everything is on the CPU already."""
        return self

    def float(self) -> Self:
        """Change the data to float32."""
        return self.to(_dtype.float32)

    def double(self) -> Self:
        """Change the data to float64."""
        return self.to(_dtype.float64)

    def half(self) -> Self:
        """Change the data to float16."""
        return self.to(_dtype.float16)

    def long(self) -> Self:
        """Change the data to int64."""
        return self.to(_dtype.int64)

    @property
    def is_cuda(self) -> bool:
        """Always False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the permutation that undoes ``permutation``."""
    return None if permutation is None else permutation.argsort()


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stack sequences (length, ...) of different lengths into (T, N, ...), or (N, T, ...) with ``batch_first``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.ones(1), torch.ones(3)], batch_first=True)
    tensor([[1., 0., 0.],
            [1., 1., 1.]])

    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    if padding_side not in ("right", "left"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    rows = list(sequences)
    if not rows:
        raise RuntimeError("received an empty list of sequences")
    longest = max(row.shape[0] for row in rows)
    padded = []
    for row in rows:
        missing = longest - row.shape[0]
        filler = full((missing, *row.shape[1:]), padding_value, dtype=row.dtype)
        parts = [row, filler] if padding_side == "right" else [filler, row]
        padded.append(cat(parts) if missing else row)
    return stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Cut the rows of a padded batch back to their lengths."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[:length] for row, length in zip(rows, lengths.tolist(), strict=True)]


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch, (T, N, ...) or (N, T, ...) with ``batch_first``.

    Parameters
    ----------
    enforce_sorted
        Whether to insist on lengths in decreasing order instead of sorting.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([[1, 2, 3], [4, 5, 0]])
    >>> torch.nn.utils.rnn.pack_padded_sequence(x, [3, 2], batch_first=True).data
    tensor([1, 4, 2, 5, 3])

    """
    lengths = as_tensor(lengths, dtype=_dtype.int64) if not isinstance(lengths, Tensor) else lengths.to(_dtype.int64)
    if batch_first:
        input = input.transpose(0, 1)
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = sort(lengths, descending=True)
        input = input.index_select(1, sorted_indices)
    counts: list[int] = lengths.tolist()
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(counts) != input.shape[1]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={input.shape[1]})"
        )
    if counts[-1] <= 0 or min(counts) <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if any(a < b for a, b in pairwise(counts)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if counts[0] > input.shape[0]:
        raise RuntimeError(f"Expected lengths up to {input.shape[0]}, the padded length, but got {counts[0]}")
    sizes = [sum(count > step for count in counts) for step in range(counts[0])]
    data = cat([input[step, :size] for step, size in enumerate(sizes)])
    return PackedSequence(data, as_tensor(sizes, dtype=_dtype.int64), sorted_indices)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (length, ...) of different lengths."""
    lengths = [sequence.shape[0] for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Unpack into a padded batch and the lengths, in the order in which the sequences were packed.

    Parameters
    ----------
    total_length
        Pad to this length rather than to the longest sequence's.

    """
    sizes: list[int] = sequence.batch_sizes.tolist()
    length = len(sizes)
    if total_length is not None:
        if total_length < length:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {length}"
            )
        length = total_length
    data = sequence.data
    steps = []
    for part, size in zip(data.split(sizes), sizes, strict=True):
        missing = sizes[0] - size
        filler = full((missing, *data.shape[1:]), padding_value, dtype=data.dtype)
        steps.append(cat([part, filler]) if missing else part)
    if length > len(sizes):
        steps += [full((sizes[0], *data.shape[1:]), padding_value, dtype=data.dtype)] * (length - len(sizes))
    padded = stack(steps, 1 if batch_first else 0)
    lengths = as_tensor([sum(size > i for size in sizes) for i in range(sizes[0])], dtype=_dtype.int64)
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(0 if batch_first else 1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices]
    return padded, lengths


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Unpack into a list of sequences, in the order in which they were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)

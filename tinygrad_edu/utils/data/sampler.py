"""In which order examples are read.

Every draw is made when torch makes it, because the order of draws from a shared generator decides all later numbers:
a `RandomSampler` without a generator of its own seeds a fresh one from the default generator when its first index is
asked for, and at its end draws the (empty) remainder of a second permutation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from ..._creation import as_tensor
from ..._dtype import float64
from ..._tensor import Tensor
from ...random import Generator, default_generator, multinomial

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order of indices: subclasses write ``__iter__`` and, for ``len(loader)``, ``__len__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ... in order."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A random order: a shuffle, or draws with ``replacement``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.utils.data import RandomSampler
    >>> list(RandomSampler(range(5), generator=torch.Generator().manual_seed(0)))
    [4, 0, 1, 3, 2]

    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            empty = " (the dataset is empty)" if num_samples is None else ""
            raise ValueError(
                f"num_samples should be a positive integer value, but got num_samples={self.num_samples}{empty}"
            )

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        for piece in self._pieces():
            yield from piece.tolist()

    def _pieces(self) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
        """The indices in the pieces in which they are drawn."""
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            seed = int(default_generator._random(1, np.dtype(np.int64))[0])
            generator = Generator().manual_seed(seed)
        if self.replacement:
            for _ in range(self.num_samples // 32):
                yield generator._randint(32, 0, n)
            yield generator._randint(self.num_samples % 32, 0, n)
        else:
            for _ in range(self.num_samples // n):
                yield generator._randperm(n)
            yield generator._randperm(n)[: self.num_samples % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices, shuffled."""

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        generator = default_generator if self.generator is None else self.generator
        for i in generator._randperm(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn in proportion to ``weights``, with replacement unless told otherwise."""

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices from another sampler; the last, shorter one only without ``drop_last``.

    Examples
    --------
    >>> from tinygrad_edu.utils.data import BatchSampler, SequentialSampler
    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]

    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]  # asked only of samplers with a length
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def array_batches(batch_sampler: BatchSampler) -> Iterator[Any] | None:
    """The batches of a plain `BatchSampler` as slices or index arrays; None if its sampler gives indices one by one.

    Draws happen exactly when the list-making way makes them: a new piece is asked for when an index beyond the last
    piece is needed, and not before.
    """
    if type(batch_sampler) is not BatchSampler:
        return None
    sampler, size, drop_last = batch_sampler.sampler, batch_sampler.batch_size, batch_sampler.drop_last
    if type(sampler) is SequentialSampler:
        return _slices(len(sampler), size, drop_last)
    if type(sampler) is RandomSampler:
        return _regrouped(sampler, size, drop_last)
    return None


def _slices(count: int, size: int, drop_last: bool) -> Iterator[slice]:
    for start in range(0, count, size):
        stop = min(start + size, count)
        if stop - start == size or not drop_last:
            yield slice(start, stop)


def _regrouped(sampler: RandomSampler, size: int, drop_last: bool) -> Iterator[Any]:
    pieces = sampler._pieces()
    held: np.ndarray[Any, Any] = np.empty(0, np.int64)
    while True:
        while len(held) < size:
            piece = next(pieces, None)
            if piece is None:
                if len(held) and not drop_last:
                    yield held
                return
            held = np.concatenate([held, piece]) if len(held) else piece
        yield held[:size]
        held = held[size:]

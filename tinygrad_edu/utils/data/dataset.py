"""Collections of examples: what has ``__getitem__`` and ``__len__``, or can be iterated over.

A dataset may gather a whole batch at once (the private method ``_gather``): one indexing operation per tensor instead of
one per example, with the same result. `reader` says whether a dataset can, and is asked by the `DataLoader`.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from ..._tensor import Tensor
from ...random import Generator, default_generator

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Reader: TypeAlias = Callable[[Any], Any]  # indices (slice or integer array) -> the collated batch, or None if it cannot


class Dataset(Generic[T_co]):
    """A collection of examples, each read by its number (or any other key).

    Subclasses write ``__getitem__``, mostly ``__len__`` too, and may write ``__getitems__`` (a list of indices in, a
    list of examples out) to read several at once.

    Examples
    --------
    >>> from tinygrad_edu.utils.data import Dataset
    >>> class Squares(Dataset):
    ...     def __getitem__(self, index):
    ...         return index, index**2
    ...     def __len__(self):
    ...         return 4
    >>> Squares()[3]
    (3, 9)

    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A stream of examples: subclasses write ``__iter__``.

    Examples
    --------
    >>> from tinygrad_edu.utils.data import DataLoader, IterableDataset
    >>> class Countdown(IterableDataset):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> list(DataLoader(Countdown(), batch_size=2))
    [tensor([3, 2]), tensor([1])]

    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Rows of tensors that have the same first dimension: example i is ``(a[i], b[i], ...)``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.utils.data import TensorDataset
    >>> pairs = TensorDataset(torch.tensor([1.0, 2.0]), torch.tensor([0, 1]))
    >>> pairs[1]
    (tensor(2.), tensor(1))

    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            rows = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
            raise AssertionError(
                f"Size mismatch between tensors: shapes {rows}; each needs the same number of rows (first dimension)"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))

    def _gather(self, index: Any) -> list[Tensor] | None:
        if any(tensor.requires_grad for tensor in self.tensors):
            return None  # stacking single rows records the graph as torch does
        return [gather_rows(tensor, index) for tensor in self.tensors]


class StackDataset(Dataset[Any]):
    """Datasets of equal length side by side: example i is a tuple, or with keywords a dict, of their examples i."""

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or ``dict``- (via ``kwargs``) like input/output, "
                "but both types are given."
            )
        parts = args or tuple(kwargs.values())
        if not parts:
            raise ValueError("At least one dataset should be passed")
        self._length = len(parts[0])
        if any(len(part) != self._length for part in parts):
            raise ValueError(f"Size mismatch between datasets: they have {[len(part) for part in parts]} examples")
        self.datasets = args or kwargs

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        if isinstance(self.datasets, dict):
            columns = [_items(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*(_items(dataset, indices) for dataset in self.datasets), strict=True))

    def __len__(self) -> int:
        return self._length


def _items(dataset: Any, indices: list[Any]) -> list[Any]:
    """Several examples of one dataset, by its own ``__getitems__`` if it has one."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items: list[Any] = dataset.__getitems__(indices)
    if len(items) != len(indices):
        raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}")
    return items


class ConcatDataset(Dataset[T_co]):
    """Datasets one after another; ``a + b`` makes one as well."""

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset; chain streams with ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(dataset) for dataset in self.datasets))  # type: ignore[arg-type]  # map-style ones have a length

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: Any) -> T_co:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx = len(self) + idx
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][idx - before]


class ChainDataset(IterableDataset[T_co]):
    """Streams one after another."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self._streams():
            yield from dataset

    def __len__(self) -> int:
        lengths: list[int] = [len(dataset) for dataset in self._streams()]  # type: ignore[arg-type]  # streams with one
        return sum(lengths)

    def _streams(self) -> Iterator[IterableDataset[T_co]]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset; join others with ConcatDataset")
            yield dataset


class Subset(Dataset[T_co]):
    """Some examples of a dataset, in the order of ``indices``."""

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        own = type(self)
        if own.__getitem__ is not Subset.__getitem__ and own.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{own.__name__} overrides __getitem__ but not __getitems__, which the DataLoader prefers. Add:\n\n"
                "def __getitems__(self, indices):\n    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, idx: Any) -> T_co:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        several = getattr(self.dataset, "__getitems__", None)
        if callable(several):
            items: list[T_co] = several(chosen)
            return items
        return [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[T], lengths: Sequence[int | float], generator: Generator | None = default_generator
) -> list[Subset[T]]:
    """Deal the examples at random into parts of the given lengths, or of the given fractions that sum to 1.

    Fractions are rounded down; what is left over goes one by one to the first parts.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.utils.data import random_split
    >>> train, test = random_split(range(10), [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    >>> len(train), list(test)
    (8, [6, 2])

    """
    count = len(dataset)  # type: ignore[arg-type]  # map-style datasets have a length
    total = sum(lengths)
    if math.isclose(total, 1) and total <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        sizes = [math.floor(count * fraction) for fraction in lengths]
        for i in range(count - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
    else:
        sizes = lengths  # type: ignore[assignment]  # checked by the sum, as torch does
    if sum(sizes) != count:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"The lengths {list(lengths)} sum to {total}, the dataset has {count} examples."
        )
    order = (default_generator if generator is None else generator)._randperm(count).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


# --------------------------------------------------------------------------------------------- reading batches at once


def gather_rows(tensor: Tensor, index: Any) -> Tensor:
    """Rows of a tensor as a fresh tensor: what stacking them one by one would give."""
    array = tensor._array
    if isinstance(index, slice):
        return Tensor._of(np.array(array[index], order="C"))
    return Tensor._of(array.take(index, axis=0))


def reader(dataset: Any) -> Reader | None:
    """How ``dataset`` reads a whole batch at once, or None if examples must be read one by one."""
    if type(dataset) is Subset:
        inner = reader(dataset.dataset)
        if inner is None:
            return None
        try:
            chosen = np.asarray(dataset.indices)
        except (TypeError, ValueError):
            return None
        if chosen.dtype.kind != "i" or chosen.ndim != 1:
            return None
        return lambda index: inner(chosen[index])
    for kind in type(dataset).__mro__:  # a subclass that reads its examples in its own way is left to do so
        if "_gather" in vars(kind):
            found: Reader = dataset._gather
            return found
        if "__getitem__" in vars(kind) or "__getitems__" in vars(kind):
            return None
    return None

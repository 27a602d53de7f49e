"""The loader: sampler, dataset and collation in one loop."""

from __future__ import annotations

import multiprocessing
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

from ...random import Generator, default_generator
from ._collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, reader
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, array_batches

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)


def get_worker_info() -> None:
    """Tell a dataset which worker process it runs in: always None, for there are none yet."""
    return


class _Forever(Sampler[None]):
    """The sampler of streams: they bring their examples in their own order."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """Batches of a dataset, in order or shuffled anew in every pass.

    The order, and every draw from the random generators, are torch's: one pass draws a base seed from ``generator``
    (else from the default generator) even without ``shuffle``, and a shuffle draws a second seed when its first batch is
    asked for.

    ``num_workers``, ``prefetch_factor``, ``persistent_workers`` and ``timeout`` are checked as torch checks them and
    then change nothing but the moment of the draws: worker processes do not exist yet, all examples are read in this
    process, in the same order. ``pin_memory`` changes nothing either.

    If a dataset raises, the error is the dataset's own, with a note that names the index of the example.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.utils.data import DataLoader, TensorDataset
    >>> numbers = TensorDataset(torch.arange(5.0))
    >>> for (batch,) in DataLoader(numbers, batch_size=2):
    ...     print(batch)
    tensor([0., 1.])
    tensor([2., 3.])
    tensor([4.])

    """

    __initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: object = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing. "
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        elif prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")

        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = _checked_context(multiprocessing_context, num_workers)
        self.in_order = in_order

        streams = isinstance(dataset, IterableDataset)
        if streams:
            if shuffle not in {False, None}:
                raise ValueError(
                    f"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle={shuffle}. "
                    "A stream brings its own order: shuffle inside the dataset."
                )
            for name, value in (("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        indices: Any = sampler
        if indices is None:
            if streams:
                indices = _Forever()
            elif shuffle:
                indices = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]  # has a length, or says so
            else:
                indices = SequentialSampler(dataset)  # type: ignore[arg-type]  # has a length, or says so
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(indices, batch_size, drop_last)

        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = indices
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn: Callable[[Any], Any] = collate_fn
        self.persistent_workers = persistent_workers
        self._promised: int | None = None  # the length a stream was said to have
        self._iterator: _Pass | None = None
        self.__initialized = True

    def __setattr__(self, name: str, value: object) -> None:
        if self.__initialized and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if not self.persistent_workers:
            return _Pass(self)
        if self._iterator is None:
            self._iterator = _Pass(self)
        else:
            self._iterator._restart()
        return self._iterator

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            examples: int = len(self.dataset)  # type: ignore[arg-type]  # a stream without a length says so
            self._promised = examples
            if self.batch_size is None:
                return examples
            return examples // self.batch_size if self.drop_last else -(-examples // self.batch_size)
        return len(self._index_sampler)

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler


_FIXED = frozenset(["batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"])


class _Pass:
    """One pass over the data: draws indices, reads examples, hands out batches."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        if loader.num_workers == 0 and loader.timeout != 0:
            raise AssertionError("timeout needs num_workers > 0: without workers there is nothing to wait for")
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, "
                "then device pinned memory won't be used.",
                stacklevel=3,
            )
        self._loader = loader
        generator = default_generator if loader.generator is None else loader.generator
        self._base_seed = int(generator._random(1, np.dtype(np.int64))[0])  # torch seeds its workers with it
        self._restart()

    def _restart(self) -> None:
        loader = self._loader
        self._yielded = 0
        self._stream = iter(loader.dataset) if isinstance(loader.dataset, IterableDataset) else None
        self._ended = False
        self._gather = None
        if loader.collate_fn is default_collate and loader.batch_sampler is not None and self._stream is None:
            self._gather = reader(loader.dataset)
        indices = None
        if self._gather is not None and isinstance(loader.batch_sampler, BatchSampler):
            indices = array_batches(loader.batch_sampler)
        self._indices: Iterator[Any] = iter(loader._index_sampler) if indices is None else indices
        self._ahead: deque[Any] = deque()
        for _ in range((loader.prefetch_factor or 0) * loader.num_workers):  # workers are handed indices in advance
            self._look_ahead()

    def _look_ahead(self) -> None:
        for indices in self._indices:
            self._ahead.append(indices)
            return

    def __iter__(self) -> _Pass:
        return self

    def __len__(self) -> int:
        return len(self._loader._index_sampler)

    def __next__(self) -> Any:
        if self._ahead:
            indices = self._ahead.popleft()
            self._look_ahead()
        else:
            indices = next(self._indices)
        batch = self._read(indices) if self._stream is None else self._read_stream(self._stream, indices)
        self._yielded += 1
        promised = self._loader._promised
        if self._stream is not None and promised is not None and self._yielded > promised:
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {promised} "
                f"(when accessing len(dataloader)), but {self._yielded} samples have been fetched. ",
                stacklevel=2,
            )
        return batch

    def _read(self, indices: Any) -> Any:
        if self._gather is not None:
            batch = self._read_at_once(indices)
            if batch is not None:
                return batch
            if isinstance(indices, slice):
                indices = list(range(indices.start, indices.stop))
            elif isinstance(indices, np.ndarray):
                indices = indices.tolist()
        loader = self._loader
        dataset: Any = loader.dataset
        if loader.batch_sampler is None:
            return self._collated(_example(dataset, indices), indices)
        several = getattr(dataset, "__getitems__", None)
        if not several:
            return self._collated([_example(dataset, index) for index in indices], indices)
        try:
            examples = several(indices)
        except Exception as error:
            error.add_note(f"(raised while reading the examples {_some(indices)} of {_named(dataset)})")
            raise
        return self._collated(examples, indices)

    def _read_at_once(self, indices: Any) -> Any:
        """The whole batch by one indexing operation per tensor; None if it has to be read example by example."""
        assert self._gather is not None
        if not isinstance(indices, slice | np.ndarray):
            try:
                indices = np.asarray(indices)
            except (TypeError, ValueError):
                return None
            if indices.dtype.kind != "i" or indices.ndim != 1:
                return None
        try:
            return self._gather(indices)
        except IndexError:
            return None  # read singly, the culprit can be named

    def _read_stream(self, stream: Iterator[Any], indices: Any) -> Any:
        if self._ended:
            raise StopIteration
        if self._loader.batch_sampler is None:
            return self._collated(next(stream), None)
        examples = []
        for _ in indices:
            try:
                examples.append(next(stream))
            except StopIteration:
                self._ended = True
                break
        if not examples or (self._loader.drop_last and len(examples) < len(indices)):
            raise StopIteration
        return self._collated(examples, None)

    def _collated(self, examples: Any, indices: Any) -> Any:
        try:
            return self._loader.collate_fn(examples)
        except Exception as error:
            if indices is not None:
                error.add_note(f"(raised while collating the examples {_some(indices)})")
            raise

    def __getstate__(self) -> object:
        raise NotImplementedError("a pass over a DataLoader cannot be pickled; pickle the DataLoader")


def _example(dataset: Any, index: Any) -> Any:
    try:
        return dataset[index]
    except StopIteration as error:  # would end the loop without a word
        raise RuntimeError(f"StopIteration was raised by dataset[{index!r}] of {_named(dataset)}") from error
    except Exception as error:  # the same error, whose printed message also says where in the data it happened
        error.add_note(f"(raised by dataset[{index!r}] of {_named(dataset)})")
        raise


def _named(dataset: object) -> str:
    try:
        return f"{type(dataset).__name__} with {len(dataset)} examples"  # type: ignore[arg-type]  # or none
    except Exception:
        return type(dataset).__name__


def _some(indices: Any) -> str:
    shown = list(indices)[:8] if isinstance(indices, list | tuple) else [indices]
    more = ", ..." if isinstance(indices, list | tuple) and len(indices) > len(shown) else ""
    return "[" + ", ".join(map(str, shown)) + more + "]"


def _checked_context(context: object, num_workers: int) -> object:
    if context is None:
        return None
    if num_workers <= 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
            f"but got num_workers={num_workers}"
        )
    if isinstance(context, str):
        valid = multiprocessing.get_all_start_methods()
        if context not in valid:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {valid!r}, "
                f"but got multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={context}"
        )
    return context

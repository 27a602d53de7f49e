"""Datasets, samplers and the loader against torch's: the same examples, in the same order, with the same draws."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import both


class Point(NamedTuple):
    x: object
    y: object


def dataset(t, rows=23):
    return t.utils.data.TensorDataset(t.arange(rows * 3.0).reshape(rows, 3), t.arange(rows))


def plain(t, rows=23):
    """The same rows behind a class that the loader does not know, so that it reads them one by one."""

    class Rows(t.utils.data.Dataset):
        def __getitem__(self, index):
            return t.arange(3.0) + 3 * index, index

        def __len__(self):
            return rows

    return Rows()


# ---------------------------------------------------------------------------------------------- order and draws


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 40),
    size=st.integers(1, 9),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    known=st.booleans(),
    own=st.booleans(),
    workers=st.just(0),
)
def test_two_epochs_with_draws_between_batches_equal_torchs(seed, rows, size, shuffle, drop_last, known, own, workers):
    def program(t):
        t.manual_seed(seed)
        generator = t.Generator().manual_seed(seed + 1) if own else None
        data = (dataset if known else plain)(t, rows)
        loader = t.utils.data.DataLoader(
            data, size, shuffle=shuffle, drop_last=drop_last, generator=generator, num_workers=workers
        )
        seen = []
        for _ in range(2):
            for x, y in loader:
                seen += [x, y, t.rand(1)]
            seen.append(t.rand(2))
            if own:
                seen.append(t.rand(1, generator=generator))
        return [*seen, len(loader)]

    both(program)


def test_a_pass_left_early_has_drawn_no_more_than_torchs():
    def program(t):
        t.manual_seed(5)
        generator = t.Generator().manual_seed(1)
        for loader in [
            t.utils.data.DataLoader(dataset(t, 12), 4, shuffle=True, generator=generator),
            t.utils.data.DataLoader(plain(t, 12), 4, shuffle=True),
        ]:
            batches = iter(loader)
            next(batches), next(batches), next(batches)
        return t.rand(1), t.rand(1, generator=generator)

    both(program)


def test_the_shuffle_is_drawn_when_the_first_batch_is_asked_for():
    def program(t):
        t.manual_seed(0)
        batches = iter(t.utils.data.DataLoader(dataset(t), 5, shuffle=True))
        between = t.rand(3)
        return between, next(batches), t.rand(1)

    both(program)


def test_an_unshuffled_loader_draws_its_base_seed_too():
    def program(t):
        t.manual_seed(0)
        list(t.utils.data.DataLoader(dataset(t), 5))
        return t.rand(1)

    both(program)


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 70),
    samples=st.none() | st.integers(1, 150),
    replacement=st.booleans(),
    size=st.integers(1, 40),
)
def test_random_samplers_in_batches_equal_torchs(seed, rows, samples, replacement, size):
    def program(t):
        t.manual_seed(seed)
        generator = t.Generator().manual_seed(seed)
        sampler = t.utils.data.RandomSampler(range(rows), replacement, samples, generator)
        loader = t.utils.data.DataLoader(dataset(t, rows), size, sampler=sampler)
        return [list(sampler), [y for _, y in loader], len(loader), t.rand(1, generator=generator)]

    both(program)


@given(seed=st.integers(0, 1000), replacement=st.booleans(), count=st.integers(1, 5))
def test_weighted_and_subset_samplers_equal_torchs(seed, replacement, count):
    def program(t):
        t.manual_seed(seed)
        data = t.utils.data
        weighted = data.WeightedRandomSampler([0.1, 3.0, 0.5, 1.0, 2.0], count, replacement)
        subset = data.SubsetRandomSampler([7, 3, 5, 1])
        return [list(weighted), list(subset), len(weighted), len(subset), weighted.weights]

    both(program)


@given(n=st.integers(0, 20), size=st.integers(1, 6), drop_last=st.booleans())
def test_batches_of_indices_equal_torchs(n, size, drop_last):
    both(
        lambda t: [
            list(batches := t.utils.data.BatchSampler(t.utils.data.SequentialSampler(range(n)), size, drop_last)),
            len(batches),
        ]
    )


@given(
    seed=st.integers(0, 1000), rows=st.integers(3, 60), parts=st.sampled_from([[0.5, 0.5], [0.8, 0.2], [0.3, 0.3, 0.4]])
)
def test_random_split_deals_as_torch_does(seed, rows, parts):
    def program(t):
        generator = t.Generator().manual_seed(seed)
        t.manual_seed(seed)
        split = t.utils.data.random_split
        by_fraction = split(range(rows), parts, generator=generator)
        by_length = split(range(rows), [1, rows - 1])
        return [[list(part) for part in by_fraction + by_length], t.rand(1)]

    both(program, ignore_warnings=True)


def test_random_split_refuses_lengths_that_do_not_add_up():
    error = both(lambda t: t.utils.data.random_split(range(10), [3, 4]))
    assert "Sum of input lengths does not equal the length of the input dataset!" in str(error)
    assert "10 examples" in str(error)
    both(lambda t: t.utils.data.random_split(range(10), [1.5, -0.5]))


# ---------------------------------------------------------------------------------------------- the shortcut


def read_singly(loader):
    """The batches of a loader that collates example by example."""
    from tinygrad_edu.utils.data import DataLoader, default_collate

    return DataLoader(
        loader.dataset, batch_sampler=loader.batch_sampler, collate_fn=lambda examples: default_collate(examples)
    )


def test_gathering_a_batch_gives_what_collating_gives():
    import tinygrad_edu as torch
    from tinygrad_edu.utils.data import DataLoader, Subset, TensorDataset, random_split

    x = torch.arange(60.0).reshape(3, 20).t()  # not contiguous
    whole = TensorDataset(x, torch.arange(20) % 3 == 0, torch.zeros(20, 0))
    nested = Subset(random_split(whole, [15, 5])[0], range(-1, -15, -1))
    for data in (whole, nested):
        for sampler in (None, list(range(len(data) - 1, -1, -1))):
            loader = DataLoader(data, 4, sampler=sampler)
            for fast, slow in zip(loader, read_singly(loader), strict=True):
                assert type(fast) is type(slow) is list
                for a, b in zip(fast, slow, strict=True):
                    assert torch.equal(a, b)
                    assert a.dtype is b.dtype
                    assert a.is_contiguous()


def test_a_batch_is_a_copy_of_its_rows():
    import tinygrad_edu as torch
    from tinygrad_edu.utils.data import DataLoader, TensorDataset

    x = torch.zeros(4, 2)
    for (batch,) in DataLoader(TensorDataset(x), 2):
        batch += 1
    assert x.sum() == 0


def test_a_subclass_with_its_own_getitem_is_read_through_it():
    def program(t):
        class Doubled(t.utils.data.TensorDataset):
            def __getitem__(self, index):
                return tuple(2 * tensor for tensor in super().__getitem__(index))

        loader = t.utils.data.DataLoader(Doubled(t.arange(5.0)), 2)
        split = t.utils.data.Subset(Doubled(t.arange(5.0)), [4, 0, 2])
        return [list(loader), list(t.utils.data.DataLoader(split, 2))]

    both(program)


def test_rows_that_require_grad_keep_their_graph():
    def program(t):
        x = t.arange(6.0).requires_grad_()
        for (batch,) in t.utils.data.DataLoader(t.utils.data.TensorDataset(x), 4):
            batch.pow(2).sum().backward()
        return x.grad

    both(program)


# ---------------------------------------------------------------------------------------------- datasets


def test_datasets_are_put_together_as_in_torch():
    def program(t):
        data = t.utils.data
        a, b = dataset(t, 3), dataset(t, 4)
        joined = a + b
        stacked = data.StackDataset(range(3), data.Subset(range(9), [8, 7, 6]))
        named = data.StackDataset(number=range(3), row=a)
        return [
            [joined[i] for i in (0, 2, 3, 6, -1, -7)],
            joined.cumulative_sizes,
            list(data.DataLoader(joined, 3)),
            [stacked[i] for i in range(3)],
            list(data.DataLoader(stacked, 2)),
            named[1],
            list(data.DataLoader(named, 2)),
            data.Subset(a, [2, 0])[[0, 1]],
            len(named),
        ]

    both(program)


def test_wrong_datasets_are_refused_as_in_torch():
    both(lambda t: t.utils.data.TensorDataset(t.zeros(3), t.zeros(4)))
    both(lambda t: t.utils.data.StackDataset())
    both(lambda t: t.utils.data.StackDataset(range(3), range(4)))
    both(lambda t: t.utils.data.StackDataset(range(3), x=range(3)))
    both(lambda t: t.utils.data.ConcatDataset([]))
    both(lambda t: t.utils.data.Dataset()[0])
    both(lambda t: (dataset(t) + dataset(t))[-47])

    def half_written(t):
        class Half(t.utils.data.Subset):
            def __getitem__(self, index):
                return index

        return Half(range(3), [0])

    both(half_written)


def stream(t, n=7, length=None):
    class Stream(t.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(n))

        if length is not None:

            def __len__(self):
                return length

    return Stream()


@pytest.mark.parametrize("size", [None, 1, 3, 7])
@pytest.mark.parametrize("drop_last", [False, True])
def test_streams_are_batched_as_in_torch(size, drop_last):
    def program(t):
        loader = t.utils.data.DataLoader(stream(t, length=7), size, drop_last=drop_last)
        chain = t.utils.data.ChainDataset([stream(t, 2), stream(t, 3)])
        return [list(loader), len(loader), list(t.utils.data.DataLoader(chain, 2)), list(loader)]

    both(program)


def test_a_stream_longer_than_it_said_is_reported():
    import tinygrad_edu as torch

    loader = torch.utils.data.DataLoader(stream(torch, 7, length=5), None)
    assert len(loader) == 5
    with pytest.warns(UserWarning, match="was reported to be 5"):
        assert len(list(loader)) == 7


def test_a_stream_without_length_has_none():
    both(lambda t: len(t.utils.data.DataLoader(stream(t), 2)))


# ---------------------------------------------------------------------------------------------- collation


@pytest.mark.parametrize(
    "make",
    [
        lambda t: [1, 2, 3],
        lambda t: [1.5, 2.0],
        lambda t: [True, False],
        lambda t: ["a", "b"],
        lambda t: [b"a"],
        lambda t: [(0, 1.0), (2, 3.0)],
        lambda t: [[0, "x"], [2, "y"]],
        lambda t: [{"a": 0, "b": [1, 2]}, {"a": 3, "b": [4, 5]}],
        lambda t: [OrderedDict(a=1), OrderedDict(a=2)],
        lambda t: [np.float32(1), np.float32(2)],
        lambda t: [np.arange(3), np.arange(3)],
        lambda t: [np.float64(1.5), np.float64(2)],
        lambda t: [t.zeros(2), t.ones(2)],
        lambda t: [t.zeros(2), t.ones(2, dtype=t.int64)],
        lambda t: [t.tensor(1), t.tensor(2)],
        lambda t: [t.zeros(2, requires_grad=True), t.ones(2)],
        lambda t: [(t.zeros(2), 1), (t.ones(2), 2)],
        # refused
        lambda t: [t.zeros(2), t.ones(3)],
        lambda t: [[1, 2], [1]],
        lambda t: [object()],
        lambda t: [None],
        lambda t: [np.array(["a"])],
        lambda t: [t.zeros(2), 1],
        lambda t: [],
    ],
)
def test_examples_are_collated_as_in_torch(make):
    both(lambda t: t.utils.data.default_collate(make(t)))


def test_named_tuples_stay_named():
    def program(t):
        batch = t.utils.data.default_collate([Point(0, 1.0), Point(2, 3.0)])
        assert type(batch) is Point
        return [batch.x, batch.y]

    both(program)


@pytest.mark.parametrize(
    "make",
    [
        lambda t: np.arange(3),
        lambda t: [np.zeros(2), "text", 3],
        lambda t: (np.zeros(2), 1.5),
        lambda t: {"a": np.float32(2)},
        lambda t: t.zeros(2),
    ],
)
def test_single_examples_are_converted_as_in_torch(make):
    both(lambda t: t.utils.data.default_convert(make(t)))
    both(lambda t: list(t.utils.data.DataLoader([make(t)] * 2, batch_size=None)))


def test_a_missing_return_is_guessed():
    from tinygrad_edu.utils.data import default_collate

    with pytest.raises(TypeError, match=r"default_collate: batch must contain tensors.*NoneType.*forget to return"):
        default_collate([None, None])


# ---------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "settings",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"persistent_workers": True},
        {"num_workers": 1, "prefetch_factor": -1},
        {"shuffle": True, "sampler": [0, 1]},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_sampler": [[0]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": 2.5},
        {"batch_size": True},
        {"multiprocessing_context": "fork"},
        {"drop_last": "yes"},
    ],
)
def test_contradicting_settings_are_refused_as_in_torch(settings):
    error = both(lambda t: t.utils.data.DataLoader(dataset(t), **settings))
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("settings", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_streams_refuse_an_order(settings):
    assert isinstance(both(lambda t: t.utils.data.DataLoader(stream(t), **settings)), ValueError)


def test_the_loader_reads_as_its_settings_say():
    def program(t):
        data = t.utils.data
        return [
            list(data.DataLoader(dataset(t, 5), batch_sampler=[[0, 4], [2]])),
            list(data.DataLoader(dataset(t, 5), sampler=[4, 1, 1], batch_size=2)),
            list(data.DataLoader(range(5), 2, collate_fn=list)),
            list(data.DataLoader(dataset(t, 3), batch_size=None)),
            list(data.DataLoader([t.zeros(2)] * 3, 2)),
            list(data.DataLoader({"a": 1, "b": 2}, sampler=["b", "a"], batch_size=2)),
        ]

    both(program)


def test_settings_cannot_be_changed_afterwards():
    def program(t):
        loader = t.utils.data.DataLoader(dataset(t))
        loader.num_workers = 0
        loader.batch_size = 3

    assert isinstance(both(program), ValueError)


def test_an_empty_dataset_cannot_be_shuffled():
    error = both(lambda t: t.utils.data.DataLoader([], shuffle=True))
    assert "the dataset is empty" in str(error)
    both(lambda t: list(t.utils.data.DataLoader([], 3)))


def test_workers_change_nothing_but_the_moment_of_the_draws():
    import tinygrad_edu as torch
    from tinygrad_edu.utils.data import DataLoader, get_worker_info

    def batches(workers, **settings):
        torch.manual_seed(3)
        loader = DataLoader(dataset(torch), 4, shuffle=True, num_workers=workers, **settings)
        return [y.tolist() for _ in range(2) for _, y in loader]

    assert batches(0) == batches(2) == batches(5, prefetch_factor=1, timeout=9)
    assert get_worker_info() is None


def test_workers_take_their_indices_in_advance_as_torchs_do():
    def program(t):
        t.manual_seed(0)
        batches = iter(t.utils.data.DataLoader(dataset(t), 5, shuffle=True, num_workers=1))
        between = t.rand(3)
        return between, next(batches), t.rand(1)

    both(program)


def test_persistent_workers_draw_one_base_seed():
    def program(t):
        t.manual_seed(0)
        loader = t.utils.data.DataLoader(dataset(t), 5, shuffle=True, num_workers=1, persistent_workers=True)
        return [y for _ in range(2) for _, y in loader], t.rand(1)

    both(program)


def test_pinning_memory_warns_as_torch_does_on_a_cpu():
    import tinygrad_edu as torch

    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
        list(torch.utils.data.DataLoader(dataset(torch), pin_memory=True))


def test_a_timeout_without_workers_is_refused_when_iterating():
    both(lambda t: list(t.utils.data.DataLoader(dataset(t), timeout=1)))


# ---------------------------------------------------------------------------------------------- errors of the dataset


class Faulty:
    def __len__(self):
        return 10

    def __getitem__(self, index):
        if index == 6:
            raise OSError(5, "cannot read")
        return index


def test_an_error_of_the_dataset_keeps_its_type_and_names_the_index():
    from tinygrad_edu.utils.data import DataLoader

    loader = DataLoader(Faulty(), 4)
    batches = iter(loader)
    next(batches)
    with pytest.raises(OSError, match="cannot read") as caught:
        next(batches)
    assert caught.value.errno == 5
    assert caught.value.__notes__ == ["(raised by dataset[6] of Faulty with 10 examples)"]


def test_an_index_beyond_the_data_is_named():
    import tinygrad_edu as torch
    from tinygrad_edu.utils.data import DataLoader

    with pytest.raises(IndexError) as caught:
        list(DataLoader(dataset(torch, 5), 2, sampler=[0, 1, 2, 5]))
    assert "dataset[5]" in caught.value.__notes__[0]


def test_a_batch_that_cannot_be_collated_names_its_examples():
    import tinygrad_edu as torch
    from tinygrad_edu.utils.data import DataLoader

    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size") as caught:
        list(DataLoader([torch.zeros(2), torch.zeros(3)], 2))
    assert caught.value.__notes__ == ["(raised while collating the examples [0, 1])"]


def test_a_stray_stopiteration_does_not_end_the_epoch_silently():
    from tinygrad_edu.utils.data import DataLoader

    class Stopping(Faulty):
        def __getitem__(self, index):
            return next(iter([]))

    with pytest.raises(RuntimeError, match=r"StopIteration was raised by dataset\[0\]"):
        list(DataLoader(Stopping(), 2))

"""A list of examples becomes one batch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ..._creation import as_tensor, tensor
from ..._dtype import float64
from ..._functions import stack
from ..._tensor import Tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[object]) -> object:
    """Put examples together: tensors are stacked, numbers become a tensor, containers are collated member by member.

    Tuples become lists, as in torch; text is left as a list. PIL images are refused: turn them into tensors first.

    Raises
    ------
    TypeError
        If an example is none of these.
    RuntimeError
        If tensors differ in shape, or lists in length.

    Examples
    --------
    >>> from tinygrad_edu.utils.data import default_collate
    >>> default_collate([(0, 1.5), (2, 3.5)])
    [tensor([0, 2]), tensor([1.5000, 3.5000], dtype=torch.float64)]

    """
    first: Any = batch[0]
    examples: Any = batch
    if isinstance(first, Tensor):
        return _stacked(examples)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeError(_refusal(first.dtype))
        return _stacked([as_tensor(example) for example in batch])
    if isinstance(first, np.bool_ | np.number | np.object_):
        return as_tensor(batch)
    if isinstance(first, float):
        return _numbers(examples, float, np.float64, lambda: tensor(batch, dtype=float64))
    if isinstance(first, int):
        return _numbers(examples, int, np.int64, lambda: tensor(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _rebuilt_mapping(first, lambda key: default_collate([example[key] for example in examples]))
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        made: Any = type(first)
        return made(*(default_collate(column) for column in zip(*examples, strict=False)))
    if isinstance(first, Sequence):
        lengths = [len(example) for example in examples]
        if any(length != lengths[0] for length in lengths):
            raise RuntimeError(
                f"each element in list of batch should be of equal size, but their lengths are {lengths}. "
                "Pad the examples to one length, or give the DataLoader a collate_fn of your own."
            )
        columns = [default_collate(column) for column in zip(*examples, strict=False)]
        return columns if isinstance(first, tuple) else _rebuilt_sequence(first, columns)
    raise TypeError(_refusal(type(first)))


def default_convert(data: object) -> object:
    """Turn NumPy arrays inside ``data`` into tensors; leave everything else as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_edu.utils.data import default_convert
    >>> default_convert([np.array([0, 1]), "text"])
    [tensor([0, 1]), 'text']

    """
    if isinstance(data, Tensor):
        return data
    if isinstance(data, np.ndarray):
        return data if data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, np.generic) and not isinstance(data, np.str_):
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuilt_mapping(data, lambda key: default_convert(data[key]))
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        named: Any = type(data)
        return named(*(default_convert(member) for member in data))
    if isinstance(data, tuple):
        return [default_convert(member) for member in data]
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _rebuilt_sequence(data, [default_convert(member) for member in data])
    return data


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    """torch.stack, with a shortcut where nothing is recorded and nothing promoted."""
    first = getattr(tensors[0], "_array", None)
    if first is not None:
        for t in tensors:
            if (
                type(t) is not Tensor
                or t.requires_grad
                or t._array.shape != first.shape
                or t._array.dtype is not first.dtype
            ):
                break
        else:
            out = np.empty((len(tensors), *first.shape), first.dtype)
            for i, t in enumerate(tensors):
                out[i] = t._array
            return Tensor._of(out)
    return stack(list(tensors), 0)


def _numbers(batch: Sequence[object], kind: type, dtype: type, otherwise: Callable[[], Tensor]) -> Tensor:
    """Python numbers of one kind as a tensor; if they are mixed or too large, what ``otherwise`` makes of them."""
    if any(type(number) is not kind for number in batch):
        return otherwise()
    try:
        return Tensor._of(np.array(batch, dtype))
    except OverflowError:
        return otherwise()


def _rebuilt_mapping(like: Mapping[object, object], value: Callable[[object], object]) -> object:
    """A mapping of the type of ``like`` with new values; a plain dict if that type cannot be made."""
    values = {key: value(key) for key in like}
    try:
        if isinstance(like, MutableMapping):
            clone = copy.copy(like)
            clone.update(values)
            return clone
        return type(like)(values)  # type: ignore[call-arg]  # mappings mostly take one; TypeError otherwise
    except TypeError:
        return values


def _rebuilt_sequence(like: Sequence[object], members: list[object]) -> object:
    """A sequence of the type of ``like`` with new members; a plain list if that type cannot be made."""
    if type(like) is list:
        return members
    try:
        if isinstance(like, MutableSequence):
            clone = copy.copy(like)
            for i, member in enumerate(members):
                clone[i] = member
            return clone
        return type(like)(members)  # type: ignore[call-arg]  # sequences mostly take one; TypeError otherwise
    except TypeError:
        return members


def _refusal(found: object) -> str:
    hint = ""
    if "PIL" in str(found):
        hint = ". An image must become a tensor first: give the dataset transform=transforms.ToTensor()"
    elif found is type(None):
        hint = ". Did __getitem__ forget to return its example?"
    return f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}{hint}"

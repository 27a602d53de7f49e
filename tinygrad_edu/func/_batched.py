"""A batched tensor: inside vmap one tensor stands for one example, and holds those of the whole batch.

Two pairs of shapes are told apart throughout. The *physical* tensor has the batch as axis 0; the *logical* shape, which the mapped
function sees, lacks it. Every step on a batched tensor is an ordinary step on the physical one (``_batching`` says which), so what is
recorded are ordinary nodes, gradients need nothing of their own, and the physical tensor of an inner vmap may itself be batched by an
outer one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn, Self

import numpy as np

from .._core.modes import no_grad
from .._numpy_dispatch import FUNCTIONS, UFUNCS
from .._ops import elementwise as _el
from .._ops import shape as _shape
from .._tensor import Tensor

ESCAPED = (
    "Either your tensor may have escaped from inside a function being vmapped, or it is used in another vmap than the one that made it: "
    "a batched tensor lives only while its vmap runs. Return what you need from the mapped function."
)
ITEM = (
    "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please try to "
    "rewrite what you're doing with other operations: there is one number for each example. (float(x), int(x) and indexing a list call it.)"
)
CONTROL_FLOW = (
    "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. Every step runs once for all examples, "
    "so they cannot take different branches; choose element by element with torch.where(condition, a, b)."
)
VALUES = (
    "vmap: the values of a batched tensor cannot be read as one array: there are those of every example. Use operations of torch, or take "
    "the reading out of the mapped function."
)
IN_PLACE = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has more "
    "elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in a vmap. Please use "
    "out-of-place operators instead, or make `self` with other.new_zeros(...) or torch.zeros_like(other), which belong to the batch."
)


class Batch:
    """One vmap at work: how many examples it has, and how a tensor lies in it.

    Attributes
    ----------
    depth
        How many vmaps stand around it; the innermost answers an op first.
    size
        The number of examples.
    randomness
        What random functions may do: "error", "different" or "same".
    """

    __slots__ = ("depth", "is_open", "randomness", "size")

    def __init__(self, depth: int, size: int, randomness: str) -> None:
        self.depth, self.size, self.randomness = depth, size, randomness
        self.is_open = True

    def has(self, x: object) -> bool:
        """Is ``x`` batched here?"""
        return isinstance(x, Batched) and x._batch is self

    def front(self, x: Any, ndim: int = 0) -> Any:
        """The physical tensor of ``x``, with at least ``ndim`` logical axes, new ones before the old; others are left as they are."""
        if not self.has(x):
            return x
        physical, missing = x._physical, ndim - len(x._shape)
        if missing <= 0:
            return physical
        return _shape.reshape_inside(physical, shape=(self.size, *(1,) * missing, *x._shape))

    def whole(self, x: Any, ndim: int = 0) -> Any:
        """The physical tensor of ``x``; of what is the same for all examples, as many views as there are examples."""
        if isinstance(x, np.ndarray | np.generic):
            x = Tensor._of(np.asarray(x))
        if not isinstance(x, Tensor):
            return x
        if not self.has(x):
            missing = max(ndim - x.ndim, 0)
            if missing:
                x = _shape.reshape_inside(x, shape=(*(1,) * missing, *x.shape))
            return _shape.broadcast_inside(x, shape=(self.size, *x.shape))
        return self.front(x, ndim)

    def array(self, a: Any, ndim: int = 0) -> Any:
        """``front`` for the array of a batched tensor, as settings of ops hold it."""
        return self.front(a.tensor, ndim)._array if isinstance(a, Outline) else a

    def whole_array(self, a: Any, ndim: int = 0) -> Any:
        """``whole`` for an array."""
        if a is None or isinstance(a, bool | int | float):
            return a
        return self.whole(a.tensor if isinstance(a, Outline) else a, ndim)._array


class Outline:
    """What stands where a batched tensor would have its array: it has a shape and a dtype, and no values of its own.

    NumPy's functions on it become ops on the batched tensor, so that code which computes with arrays (masks, indices, weights) works
    for a whole batch; what cannot be done so raises. Nothing can read an example's values by mistake. ``any``, ``all``, ``min`` and
    ``max`` without an axis look at all examples together, and answer with a number: they are for the checks that functions make.
    """

    __slots__ = ("dtype", "ndim", "shape", "tensor")
    flags = SimpleNamespace(
        c_contiguous=True, writeable=True
    )  # the order of an example's elements is as they are counted
    __hash__ = None  # type: ignore[assignment]  # as of an array: == compares elements

    def __init__(self, tensor: Batched) -> None:
        self.tensor = tensor
        self.shape = tensor._shape
        self.ndim = len(self.shape)
        self.dtype = tensor._physical._array.dtype

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return int(np.prod(self.shape))

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of one example."""
        return self.size * self.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise RuntimeError(ITEM)
        return self.shape[0]

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)  # asked by hasattr and getattr
        raise RuntimeError(f"{VALUES} (An array's {name} was asked for.)")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise RuntimeError(f"{VALUES} {IN_PLACE}")

    def __bool__(self) -> NoReturn:
        raise RuntimeError(CONTROL_FLOW)

    def __iter__(self) -> NoReturn:
        raise RuntimeError(VALUES)

    def item(self) -> NoReturn:
        """Refuse."""
        raise RuntimeError(ITEM)

    tolist = __int__ = __float__ = __index__ = item

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        if settings.get("out") is not None:
            raise RuntimeError(IN_PLACE)
        if method != "__call__" or ufunc not in UFUNCS:
            raise RuntimeError(f"{VALUES} (np.{ufunc.__name__}.{method} was called.)")
        dtype = settings.pop("dtype", None)
        if settings:
            raise RuntimeError(VALUES)
        with no_grad():
            out = UFUNCS[ufunc](*[_tensor_of(x) for x in inputs])
        return out._array if dtype is None else out._array.astype(dtype)

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        answer = _is_in if function is np.isin else FUNCTIONS.get(function)
        if answer is None:
            raise RuntimeError(f"{VALUES} (np.{function.__name__} was called.)")
        with no_grad():
            found = answer(*_tensors_of(args), **{k: _tensors_of(v) for k, v in settings.items()})
        return found._array if isinstance(found, Tensor) else found

    def __getitem__(self, index: Any) -> Any:
        with no_grad():
            return self.tensor[_tensors_of(index)]._array

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """The same in another dtype."""
        return _el.cast(self.tensor, np.dtype(dtype))._array

    def reshape(self, *shape: Any) -> Any:
        """The same in another shape."""
        return self.tensor.reshape(*shape)._array

    def view(self, dtype: Any = None) -> Any:
        """The same memory, read as another dtype of the same size."""
        if dtype is None:
            return self
        return self.tensor._like(Tensor._of(self.tensor._physical._array.view(dtype)))._array

    def clip(self, low: Any, high: Any) -> Any:
        """Each element moved into [low, high]."""
        return _el.clamp(self.tensor.detach(), low=low, high=high)._array

    def copy(self) -> Any:
        """The same values in other memory."""
        return _el.contiguous(self.tensor.detach())._array

    def _everything(self) -> Any:
        """The values of all examples."""
        array = self.tensor._physical._array
        return array._everything() if isinstance(array, Outline) else array

    def _checked(self, name: str, axis: Any, settings: dict[str, Any]) -> Any:
        if axis is not None or settings:
            raise RuntimeError(f"{VALUES} (An array's {name} along an axis was asked for.)")
        return getattr(np.asarray(self._everything()), name)()

    def any(self, axis: Any = None, **settings: Any) -> Any:
        """Is anything true, in any example?"""
        return self._checked("any", axis, settings)

    def all(self, axis: Any = None, **settings: Any) -> Any:
        """Is everything true, in every example?"""
        return self._checked("all", axis, settings)

    def min(self, axis: Any = None, **settings: Any) -> Any:
        """The least of all examples."""
        return self._checked("min", axis, settings)

    def max(self, axis: Any = None, **settings: Any) -> Any:
        """The greatest of all examples."""
        return self._checked("max", axis, settings)


def _is_in(elements: Any, among: Any, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """np.isin, by comparing each with each."""
    x, y = [v if isinstance(v, Tensor) else Tensor._of(v) for v in (elements, among)]
    found: Tensor = (x[..., None] == y.reshape(-1)).any(-1)
    return ~found if invert else found


def _tensor_of(x: Any) -> Any:
    return x.tensor if isinstance(x, Outline) else x


def _tensors_of(values: Any) -> Any:
    if isinstance(values, list | tuple):
        return type(values)([_tensors_of(v) for v in values])
    return _tensor_of(values)


def _operator(name: str, operands: int = 2, swapped: bool = False) -> Callable[..., Any]:
    """Python's operator of one or two arrays, as the ufunc that stands behind it."""
    ufunc = getattr(np, name)

    def of_two(self: Outline, other: Any) -> Any:
        return self.__array_ufunc__(ufunc, "__call__", *((other, self) if swapped else (self, other)))

    def of_one(self: Outline) -> Any:
        return self.__array_ufunc__(ufunc, "__call__", self)

    return of_one if operands == 1 else of_two


for _sign, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide", "mod": "remainder",
    "pow": "power", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
}.items():  # fmt: skip  # a table
    setattr(Outline, f"__{_sign}__", _operator(_name))
    setattr(Outline, f"__r{_sign}__", _operator(_name, swapped=True))
for _sign, _name in {
    "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
}.items():  # fmt: skip  # a table
    setattr(Outline, f"__{_sign}__", _operator(_name))
for _sign, _name in {"neg": "negative", "invert": "invert", "abs": "absolute"}.items():
    setattr(Outline, f"__{_sign}__", _operator(_name, operands=1))


def _refusing(sentence: str) -> Any:
    def refuse(self: Batched, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError(sentence)

    return refuse


class Batched(Tensor):
    """One example, as the mapped function sees it; ``_physical`` holds all of them along its axis 0."""

    __slots__ = ("_batch", "_physical", "_shape")

    _batch: Batch
    _physical: Tensor
    _shape: tuple[int, ...]

    @classmethod
    def around(cls, batch: Batch, physical: Tensor) -> Batched:
        """One of the examples in ``physical``."""
        out: Batched = object.__new__(cls)
        out._batch, out._physical, out._shape = batch, physical, tuple(physical._array.shape[1:])
        out._base = None
        return out

    # ---- what a Tensor has in its slots

    @property
    def _array(self) -> Any:
        if not self._batch.is_open:
            raise RuntimeError(ESCAPED)
        return Outline(self)

    @property
    def _node(self) -> Any:
        return self._physical._current_node

    @_node.setter
    def _node(self, node: Any) -> None:
        self._physical._node = node

    _current_node = _node  # the physical tensor asks again if it is a view

    @property
    def _cut(self) -> str | None:
        return self._physical._cut

    @_cut.setter
    def _cut(self, name: str | None) -> None:
        self._physical._cut = name

    # ---- memory

    def _like(self, physical: Tensor) -> Batched:
        return Batched.around(self._batch, physical)

    def _writable(self) -> Any:
        return self._array

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        return self._like(self._physical.detach())

    def _write(self, out: Tensor, name: str = "in place") -> Tensor:
        if isinstance(out, Batched) and out._batch.depth > self._batch.depth:
            raise RuntimeError(IN_PLACE)
        if tuple(out.shape) != self._shape:
            raise RuntimeError(
                f"output with shape {list(self._shape)} doesn't match the broadcast shape {list(out.shape)} ({name})"
            )
        self._physical._write(self._batch.whole(out), name)
        return self

    def _replace(self, array: Any, node_name: str) -> Tensor:
        self._physical._replace(self._batch.whole_array(array), node_name)
        return self

    def _begin_write(self, name: str) -> None:
        self._physical._begin_write(name)

    def _take_over(self, out: Tensor) -> Tensor:
        assert isinstance(out, Batched)
        self._physical, self._shape = out._physical, out._shape
        return self

    def _fresh(self, shape: tuple[Any, ...], value: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:
        alike = super()._fresh(shape, value, dtype, device, requires_grad)
        return self._like(_el.contiguous(self._batch.whole(alike)))

    def stride(self, dim: int | None = None) -> Any:
        """How many elements to go on in memory for one step in each dimension."""
        steps = self._physical.stride()[1:]
        return steps if dim is None else steps[dim]

    def is_contiguous(self, memory_format: object = None) -> bool:
        """Do the elements of an example lie in row-major order?"""
        expected = 1
        for n, step in zip(reversed(self._shape), reversed(self.stride()), strict=True):
            if n != 1 and step != expected:
                return False
            expected *= n
        return True

    # ---- what one example cannot answer

    item = __int__ = __float__ = __index__ = __complex__ = _refusing(ITEM)
    __bool__ = __contains__ = _refusing(CONTROL_FLOW)
    tolist = numpy = __array__ = data_ptr = storage_offset = apply_ = _refusing(VALUES)
    __deepcopy__ = __reduce_ex__ = _refusing(
        "vmap: a batched tensor cannot be copied deeply or pickled: it lives only while its vmap runs. Use x.clone()."
    )
    requires_grad_ = _refusing(
        "You are attempting to call Tensor.requires_grad_() inside of a function being transformed by vmap. This is unsupported, please "
        "use the transforms of torch.func (grad, vjp, jacrev, hessian), or call requires_grad_() outside of the function."
    )
    backward = _refusing(
        "backward() called inside vmap. This is not supported, please use torch.func.grad or torch.func.vjp instead, or call backward() "
        "outside of the mapped function: leaves have room for one gradient, not for one of each example."
    )
    register_hook = retain_grad = register_post_accumulate_grad_hook = _refusing(
        "vmap: a batched tensor takes no hooks: they would see the gradients of all examples. Register them outside of the mapped function."
    )
    resize_ = set_ = _refusing("vmap: the memory of a batched tensor cannot be exchanged or resized.")

    def __repr__(self, *, tensor_contents: object = None) -> str:  # type: ignore[override]  # mypy takes the same signature for another
        if not self._batch.is_open:
            return "BatchedTensor(escaped from its vmap)"
        return (
            f"BatchedTensor(lvl={self._batch.depth}, bdim=0, value=\n{textwrap.indent(repr(self._physical), '    ')}\n)"
        )

    def __format__(self, spec: str) -> str:
        return repr(self) if not spec else self.item()

    def __copy__(self) -> Self:
        raise RuntimeError("vmap: copy a batched tensor with x.clone().")


def wrapped(array: Any) -> Tensor:
    """The tensor of an array, or of an outline."""
    tensor: Tensor = array.tensor if isinstance(array, Outline) else Tensor._of(array)
    return tensor


def exchanged(x: Tensor) -> Tensor:
    """The first two axes exchanged."""
    out: Tensor = _shape.permute.inside()(x, axes=(1, 0, *range(2, x.ndim)))
    return out


def stripped(batch: Batch, x: Tensor) -> Tensor:
    """All examples of ``x`` as a tensor that the batch does not concern, also where inner batches lie around them."""
    if isinstance(x, Batched) and x._batch is batch:
        return x._physical
    if isinstance(x, Batched) and x._batch.depth > batch.depth:
        return Batched.around(x._batch, exchanged(stripped(batch, x._physical)))
    expanded: Tensor = _shape.broadcast_inside(x, shape=(batch.size, *x.shape))
    return expanded


def around(batch: Batch, physical: Tensor) -> Tensor:
    """A tensor of the batch; the inverse of ``stripped``."""
    if isinstance(physical, Batched) and physical._batch.depth > batch.depth:
        return Batched.around(physical._batch, around(batch, exchanged(physical._physical)))
    return Batched.around(batch, physical)


def batches_in(values: Any, found: set[Batch] | None = None) -> set[Batch]:
    """The batches that tensors, or tensors within lists and tuples, belong to."""
    found = set() if found is None else found
    for x in values:
        if isinstance(x, list | tuple):
            batches_in(x, found)
        if isinstance(x, Outline):
            x = x.tensor
        while isinstance(x, Batched):
            found.add(x._batch)
            x = x._physical
    return found

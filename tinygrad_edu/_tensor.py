"""Tensor: an array that remembers how it was made, with PyTorch's interface.

Its methods are the functions of ``_functions`` (their first parameter is the tensor). What stands here is what
only the class can know: memory (views, in-place writes), the graph, Python's own protocols.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, cast
from weakref import ref

import numpy as np

from . import _differentiate, _dtype, _errors, _functions, _printing
from ._arrays import array_of
from ._core.memory import owner, stamp, tick, version
from ._core.modes import enable_grad, is_grad_enabled, module_scope, no_grad, state
from ._core.node import Handle, Leaf, Node, add_hook
from ._core.op import Op
from ._functions._common import dimension
from ._functions._common import sizes as shape_in
from ._ops import elementwise as _el
from ._ops import index as _index
from ._ops import shape as _shape
from ._types import CPU, Size, check_device, device

__all__ = ["Tensor", "enable_grad", "is_grad_enabled", "module_scope", "no_grad"]

_new: Any = object.__new__
Number: TypeAlias = float  # the class shadows these names with methods
Truth: TypeAlias = bool


def _written_by(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """The in-place form of ``function``: its result is written where the first argument lies."""
    name = function.__name__ + "_"

    def method(self: Tensor, *args: Any, **settings: Any) -> Tensor:
        return self._write(function(self, *args, **settings), name)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"The in-place form of :func:`{function.__name__}`."
    return method


class Tensor:
    """A multi-dimensional array of one dtype that records what is computed from it.

    Made by ``torch.tensor``, the factories (``zeros``, ``rand``, ...), ``from_numpy`` and by every operation.
    ``torch.Tensor([1, 2])`` makes float32 of a list, ``torch.Tensor(2, 3)`` an uninitialised tensor of that shape.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> y, x.grad
    (tensor(5., grad_fn=<SumBackward0>), tensor([2., 4.]))
    """

    # Set in every tensor: the array (a NumPy scalar for a 0-d result that nobody has shared or written), the step that
    # made it (None: no gradient wanted), the tensor it views, and the name of what cut it off the graph.
    # Set only in views: the views that lead from the base here, and the base's step when that was last looked at.
    # Set only in leaves: the place where the gradient comes to rest, and the gradient.
    __slots__ = ("__dict__", "__weakref__", "_array", "_base", "_cut", "_gradient", "_leaf", "_node", "_path", "_seen")

    if TYPE_CHECKING:
        _array: Any
        _node: Any
        _base: Tensor | None
        _cut: str | None
        _path: Any
        _seen: Any
        _leaf: Leaf
        _gradient: Tensor | None

    _type_dtype: ClassVar[_dtype.dtype | None] = None  # of the legacy constructors: LongTensor and its kin

    def __new__(cls, *data: Any, device: Any = None) -> Any:
        """Make a tensor the old way: of a list, or of a shape."""
        check_device(device)
        numpy_dtype = _dtype.default.numpy
        if not data:
            array = np.empty(0, numpy_dtype)
        elif all([isinstance(n, int) and not isinstance(n, bool) for n in data]):
            array = np.empty(cast("tuple[int, ...]", data), numpy_dtype)
        elif len(data) == 1 and isinstance(data[0], Size):
            array = np.empty(data[0], numpy_dtype)
        elif len(data) == 1 and isinstance(data[0], Tensor):
            if data[0]._array.dtype is not numpy_dtype:
                raise TypeError(f"expected {_dtype.default.dtype} (got {data[0].dtype}); convert with x.to(...)")
            return cls._of(data[0]._writable())
        elif len(data) == 1:
            array = array_of(data[0]).astype(numpy_dtype)
        else:
            raise TypeError(f"new(): invalid combination of arguments - got {tuple(type(d).__name__ for d in data)}")
        return cls._of(array)

    @classmethod
    def _of(cls, array: Any, node: Any = None) -> Self:
        """Wrap an array without copying."""
        out: Self = _new(cls)
        out._array, out._node, out._base, out._cut = array, node, None, None
        return out

    # ---- the graph

    @property
    def _current_node(self) -> Any:
        """The step that made this tensor; a view asks again when its base has been written."""
        base = self._base
        if base is not None:
            now, seen = base._node, self._seen
            if now is seen or now is None:
                return self._node
            if seen.__class__ is tuple:
                if now is not seen[0] and now.op is not None and state.tape is not None:
                    raise RuntimeError(
                        "A view was created in no_grad mode and its base or another view of its base has been modified inplace with grad "
                        "mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. Make the view and the write "
                        "both inside, or both outside, of no_grad."
                    )
            else:
                with enable_grad():
                    self._node = _shape.follow(base, self._path)._node
                self._seen = now
        return self._node

    @property
    def grad(self) -> Tensor | None:
        """The gradient, None until ``backward()`` has been called.

        Only leaves (and tensors after ``retain_grad()``) keep one; another tensor warns and gives None.
        """
        g = getattr(self, "_gradient", None)
        if g is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated "
                f"during autograd.backward(). This tensor was made by {self._node.name()}. If you indeed want the .grad field to be "
                "populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, "
                "make sure you access the leaf Tensor instead.",
                UserWarning,
                stacklevel=2,
            )
        return g

    @grad.setter
    def grad(self, g: Tensor | None) -> None:
        if g is not None:
            if not isinstance(g, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(g).__name__}"
                )
            if g._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(g._array.shape)}' to a tensor of size '{list(self._array.shape)}'. Please ensure that "
                    "the gradient and the tensor are the same size"
                )
            if g._array.dtype is not self._array.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{g.dtype}' to a tensor with dtype '{self.dtype}'"
                )
            if g is self:
                raise RuntimeError("can't assign Variable as its own grad")
        self._gradient = g

    @grad.deleter
    def grad(self) -> None:
        self._gradient = None

    @property
    def requires_grad(self) -> bool:
        """Is a gradient wanted?"""
        return self._current_node is not None

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        self.requires_grad_(on)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient of this leaf, or no longer.

        Raises
        ------
        RuntimeError
            For a tensor that is not floating point, or is the result of recorded operations.
        """
        if not requires_grad:
            if not self.is_leaf:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that "
                    "doesn't require differentiation use var_no_grad = var.detach()."
                )
            self._node = None
        elif self._current_node is None:
            if self._array.dtype.kind != "f":
                raise RuntimeError(
                    f"only Tensors of floating point dtype can require gradients, and this one is {self.dtype}. Write 1. instead of 1, "
                    "or convert it with .float()."
                )
            if getattr(self, "_leaf", None) is None:
                self._leaf = Leaf(self._array.shape, ref(self))
            self._node = self._leaf
            self._cut = None
        return self

    @property
    def is_leaf(self) -> bool:
        """Was it made by the user, rather than by a recorded operation?"""
        node = self._current_node
        return node is None or node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """The step that made this tensor, None for a leaf."""
        return None if self.is_leaf else self._node

    @property
    def retains_grad(self) -> bool:
        """Will a tensor that is not a leaf keep its gradient?"""
        node = self._current_node
        return node is not None and node.op is not None and node.hooks is not None and "retain" in node.hooks

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add to ``.grad`` of every leaf the gradient of this tensor, weighted by ``gradient``.

        Raises
        ------
        RuntimeError
            If this tensor has no history, is not a scalar and no ``gradient`` is given, or its graph has been freed.
        """
        _differentiate.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        out = Tensor._of(self._writable())
        if self._current_node is not None:
            out._cut = "detach"
        return out

    def detach_(self) -> Tensor:
        """Leave the graph: become a leaf that requires no grad."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        if self._node is not None:
            self._node, self._cut = None, "detach"
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph; a write through it is noticed all the same."""
        out = self.detach()
        if out._cut is not None:
            out._cut = "data"
        return out

    @data.setter
    def data(self, other: Tensor) -> None:
        if not isinstance(other, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(other).__name__}")
        self._array = other._writable()
        leaf = getattr(self, "_leaf", None)
        if leaf is not None:
            leaf.shape = self._array.shape

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call ``hook(grad)`` each time the gradient of this tensor has been computed; what it returns replaces it."""
        node = self._current_node
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return add_hook(node, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Handle:
        """Call ``hook(self)`` each time the ``grad`` of this leaf is up to date."""
        node = self._current_node
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if node.op is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if node.after is None:
            node.after = {}
        return Handle(node.after, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is not a leaf."""
        node = self._current_node
        if node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if node.op is None:
            return
        if node.hooks is None:
            node.hooks = {}
        if "retain" not in node.hooks:
            node.hooks["retain"] = _Retain(ref(self))

    @property
    def _version(self) -> int:
        return version(self._array)

    # ---- memory

    def _writable(self) -> Any:
        """The array; a 0-d result is given memory of its own, so that it can be shared and written."""
        if not hasattr(self._array, "__setitem__"):
            self._array = np.asarray(self._array)
        return self._array

    def _mark_written(self) -> None:
        """Note that the array has been written in place."""
        stamp(self._array)

    def _begin_write(self, name: str) -> None:
        """Refuse, with torch's sentences, a write that the graph could not follow."""
        if state.tape is None:
            return
        base = self._base
        if base is None:
            if self._node is not None and self._node.op is None:
                raise RuntimeError(
                    f"a leaf Variable that requires grad is being used in an in-place operation ({name}). Wrap the update in "
                    "torch.no_grad(), or write the out-of-place operation."
                )
            return
        root = base._node
        if root is not None and root.op is None:
            raise RuntimeError(
                f"a view of a leaf Variable that requires grad is being used in an in-place operation ({name}). Wrap the update in "
                "torch.no_grad(), or work on a copy (x.clone())."
            )

    def _begin_view_write(self, name: str, node: Any) -> None:
        """The refusals that concern views into a graph."""
        base = self._base
        if base is None or state.tape is None or (node is None and base._node is None):
            return
        if self._seen.__class__ is tuple:
            raise RuntimeError(
                "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is "
                f"ambiguous and error-prone, it is forbidden ({name}). Make the view and the write both inside, or both outside, of no_grad."
            )
        if _one_of_many(self._path):
            raise RuntimeError(
                "Output 0 of a function that returns multiple views is a view and is being modified inplace. This view is the output of a "
                "function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should "
                f"replace the inplace operation by an out-of-place one ({name})."
            )

    def _write(self, out: Tensor, name: str = "in place") -> Tensor:
        """Give this memory the values of ``out``, just computed from it, and the history of ``out``.

        Every refusal comes before the first byte is written.
        """
        node = out._node
        base = self._base
        if node is not None or self._node is not None or (base is not None and base._node is not None):
            if node is not None or (self._current_node is not None):
                self._begin_write(name)
            self._begin_view_write(name, node)
        mine = self._array.dtype
        if out._array.dtype is not mine:
            if (out._array.dtype.kind == "f" != mine.kind) or (mine.kind == "b" != out._array.dtype.kind):
                raise RuntimeError(
                    f"result type {_dtype.scalar_name(out._array.dtype)} can't be cast to the desired output type {_dtype.scalar_name(self._array.dtype)} ({name}): "
                    "convert the tensor first, or use the out-of-place operation."
                )
            out = _el.to(out, dtype=mine, source=out._array.dtype)
            node = out._node
        if out._array.shape != self._array.shape:
            raise RuntimeError(
                f"output with shape {list(self._array.shape)} doesn't match the broadcast shape {list(out._array.shape)} ({name})"
            )
        target = self._writable()
        if not target.flags.writeable:
            raise RuntimeError(
                "unsupported operation: more than one element of the written-to tensor refers to a single memory location, or the memory "
                "is read-only. Please clone() the tensor before performing the operation."
            )
        if node is not None and node.saved is not None and node.op is not None:
            block = owner(target)  # what the step kept of this memory is copied before it goes
            result = out._array
            node.op.replace_kept(
                node, lambda kept: np.array(kept) if kept is not result and owner(kept) is block else kept
            )
        target[...] = out._array
        self._wrote(node, out)
        return self

    def _wrote(self, node: Any, out: Tensor | None = None) -> None:
        """Note the write, and let the graph follow it."""
        target = self._array
        stamp(target)
        if node is None or state.tape is None:
            return
        node.seq = tick()  # the step is as old as the write, so that this write is no surprise to it
        if out is not None and node.saved and node.op is not None:
            result = out._array
            node.op.replace_kept(node, lambda kept: target if kept is result else kept)
        base = self._base
        if base is None:
            _hand_on_retain(self._node, node)
            self._node = node
        else:
            kept = (None, None, node.shape, self._path, _shape.memory_order(base._array))
            spliced = Node(_shape.splice, kept, (base._node, node), base._array.shape, state.tape.path)
            _hand_on_retain(base._node, spliced)
            base._node = spliced
        self._cut = None

    def _replace(self, array: Any, node_name: str) -> Tensor:
        """Give this memory the values of ``array``, which depend on nothing: no gradient passes."""
        written = _el.constant.named(node_name)(self, array=np.asarray(array, self._array.dtype))
        return self._write(written, node_name)

    def _in_place(self, op: Any, y: Any, name: str) -> Tensor:
        """Write op(self, y) where self lies, directly where nobody records."""
        mine = self._array
        if (
            (state.tape is None or (self._node is None and (self._base is None or self._base._node is None)))
            and mine.dtype.kind == "f"
            and hasattr(mine, "__setitem__")
            and mine.flags.writeable
        ):
            other = y._array if isinstance(y, Tensor) else y
            plain_number = other.__class__ is float or other.__class__ is int
            if plain_number or (
                isinstance(y, Tensor) and other.dtype is mine.dtype and (state.tape is None or y._current_node is None)
            ):
                try:
                    op.ufunc(mine, other, out=mine)
                except ValueError as error:
                    raise _errors.in_place(op, error, mine, other, name) from None
                stamp(mine)
                return self
        return self._write(op(self, y), name)

    def add_(self, other: Tensor | float, *, alpha: float = 1) -> Tensor:
        """Add ``alpha * other`` in place."""
        return self._in_place(_el.add, other if alpha == 1 else other * alpha, "add_")

    def sub_(self, other: Tensor | float, *, alpha: float = 1) -> Tensor:
        """Subtract ``alpha * other`` in place."""
        return self._in_place(_el.sub, other if alpha == 1 else other * alpha, "sub_")

    def mul_(self, other: Tensor | float) -> Tensor:
        """Multiply in place."""
        return self._in_place(_el.mul, other, "mul_")

    def div_(self, other: Tensor | float, *, rounding_mode: str | None = None) -> Tensor:
        """Divide in place."""
        if rounding_mode is not None:
            return self._write(_functions.div(self, other, rounding_mode=rounding_mode), "div_")
        return self._in_place(_el.div, other, "div_")

    subtract_, multiply_, divide_, true_divide_ = sub_, mul_, div_, div_

    def fill_(self, value: Number | Tensor) -> Tensor:
        """Write one number everywhere."""
        return self._write(_functions.filled_in_place(self, value), "fill_")

    def zero_(self) -> Tensor:
        """Write 0 everywhere."""
        return self._write(_el.zero(self, value=0), "zero_")

    def copy_(self, src: Tensor, non_blocking: bool = False) -> Tensor:
        """Write the values of ``src``, broadcast and converted."""
        source = src if isinstance(src, Tensor) else _as_source(src, self)
        shape, want = source._array.shape, self._array.shape
        added = len(want) - len(shape)
        if added < 0 or any([m not in (1, n) for m, n in zip(shape, want[added:], strict=False)]):
            bad = next(
                (i for i, (m, n) in enumerate(zip(shape, want[max(added, 0) :], strict=False)) if m not in (1, n)), 0
            ) + max(added, 0)
            if added < 0:
                raise RuntimeError(
                    f"expand(source, {list(want)}): the number of sizes provided ({len(want)}) must be greater or equal to the number of "
                    f"dimensions in the tensor ({len(shape)})"
                )
            raise RuntimeError(
                f"The size of tensor a ({want[bad]}) must match the size of tensor b ({shape[bad - added]}) at non-singleton dimension {bad}: "
                f"copy_ was given shape {list(shape)} for a tensor of shape {list(want)}."
            )
        return self._write(_shape.copy(self, _el.cast(source, self._array.dtype)), "copy_")

    def set_(self, source: Tensor) -> Tensor:
        """Share the memory of ``source``."""
        self._array = source._writable()
        return self

    def resize_(self, *sizes: int | Sequence[int]) -> Tensor:
        """Change the shape in place, keeping the first elements; meant for tensors outside the graph."""
        shape = shape_in(sizes)
        fresh = np.empty(shape, self._array.dtype)
        flat = np.asarray(self._array).reshape(-1)
        count = min(fresh.size, flat.size)
        fresh.reshape(-1)[:count] = flat[:count]
        self._array = fresh
        return self

    def _take_over(self, out: Tensor) -> Tensor:
        """Become ``out``, a view of this tensor, in place: unsqueeze_, t_ and their kin."""
        self._array = out._array
        if out._node is not None:
            self._node = out._node
        return self

    def squeeze_(self, dim: int | None = None) -> Tensor:
        """Drop dimensions of size 1 in place."""
        return self._take_over(_functions.squeeze(self, dim))

    def unsqueeze_(self, dim: int) -> Tensor:
        """Insert a dimension of size 1 in place."""
        return self._take_over(_unsqueeze_in_place(self, dim))

    def t_(self) -> Tensor:
        """Turn rows into columns in place."""
        return self._take_over(_shape.t.named("TBackward1")(self))

    def transpose_(self, dim0: int, dim1: int) -> Tensor:
        """Exchange two dimensions in place."""
        return self._take_over(_functions.transpose(self, dim0, dim1))

    swapaxes_ = swapdims_ = transpose_

    def __getitem__(self, index: Any) -> Tensor:
        return _functions.pick(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        basic, arrays, view = _functions.read_index(self, index)
        whole = basic is None or all([isinstance(i, slice) and i == slice(None) for i in basic])
        part = self if whole else view(self, index=basic)
        source = value if isinstance(value, Tensor) else _as_source(value, self)
        if arrays is None:
            if not isinstance(value, Tensor) and not source._array.ndim:
                part._write(_functions.filled_in_place(part, source), "__setitem__")
                return
            while source._array.ndim > part._array.ndim and source._array.shape[0] == 1:
                source = source[0]  # torch lets leading dimensions of size 1 go
            _assign(part, source)
            return
        target = part._array[arrays].shape
        have = source._array.shape
        while len(have) > len(target) and have[0] == 1:
            source, have = source[0], have[1:]
        try:
            fits = np.broadcast_shapes(have, target) == target
        except ValueError:
            fits = False
        if not fits:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(have)} cannot be broadcast to indexing result of shape {list(target)}"
            )
        if source._array.dtype is not self._array.dtype:
            if isinstance(value, Tensor) and source._array.ndim:
                raise RuntimeError(
                    f"Index put requires the source and destination dtypes match, got {_dtype.scalar_name(self._array.dtype)} for the destination and "
                    f"{_dtype.scalar_name(source._array.dtype)} for the source."
                )
            source = source.to(self.dtype)
        part._write(_index.put(part, source, index=arrays), "__setitem__")

    def cumsum_(self, dim: Any, *, dtype: Any = None) -> Tensor:
        """Write running sums, in this tensor's own dtype."""
        return self._write(_functions.cumsum(self, dim, dtype=dtype or self.dtype), "cumsum_")

    def cumprod_(self, dim: Any, *, dtype: Any = None) -> Tensor:
        """Write running products, in this tensor's own dtype."""
        return self._write(_functions.cumprod(self, dim, dtype=dtype or self.dtype), "cumprod_")

    def masked_fill_(self, mask: Tensor, value: float | Tensor) -> Tensor:
        """Write a number where ``mask`` holds."""
        return self._write(_functions.masked_fill(self, mask, value), "masked_fill_")

    # ---- what it is

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        if dim is None:
            return Size(self._array.shape)

        if not self._array.ndim:
            dimension(dim, 0)
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        return self._array.shape[dimension(dim, self._array.ndim)]

    @property
    def dtype(self) -> _dtype.dtype:
        """The type of the elements."""
        return _dtype.of(self._array.dtype)

    @property
    def device(self) -> device:
        """Always the CPU."""
        return CPU

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    def dim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    nelement = numel

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self._array.dtype.itemsize)

    def element_size(self) -> int:
        """Bytes per element."""
        return self.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return int(self._array.nbytes)

    is_cuda = is_mps = is_xpu = is_sparse = is_quantized = is_meta = False
    is_cpu = True
    layout = "torch.strided"

    def is_floating_point(self) -> bool:
        """Is the dtype a floating-point one?"""
        return bool(self._array.dtype.kind == "f")

    def is_complex(self) -> bool:
        """Is the dtype complex? Never here."""
        return False

    def is_signed(self) -> bool:
        """Can elements be negative?"""
        return self.dtype.is_signed

    def is_inference(self) -> bool:
        """Was it made in inference mode? Not tracked: always False."""
        return False

    def is_contiguous(self, memory_format: object = None) -> bool:
        """Do the elements lie in row-major order?"""
        return bool(np.asarray(self._array).flags.c_contiguous)

    def is_same_size(self, other: Tensor) -> bool:
        """Have both the same shape?"""
        return bool(self._array.shape == other._array.shape)

    def stride(self, dim: int | None = None) -> Any:
        """How many elements to go on in memory for one step in each dimension."""
        array = np.asarray(self._array)
        if array.size == 0 and not any(
            array.strides
        ):  # NumPy gives an empty array no strides, torch those of its shape
            steps = tuple([math.prod([max(n, 1) for n in array.shape[d + 1 :]]) for d in range(array.ndim)])
        else:
            steps = tuple([s // array.itemsize for s in array.strides])
        return steps if dim is None else steps[dim]

    def storage_offset(self) -> int:
        """How many elements after the start of the shared memory this tensor begins."""
        array = np.asarray(self._array)
        block = owner(array)
        if not isinstance(block, np.ndarray):
            return 0
        return int((array.__array_interface__["data"][0] - block.__array_interface__["data"][0]) // array.itemsize)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._writable().__array_interface__["data"][0])

    def _is_view(self) -> bool:
        return self._base is not None

    # ---- other dtypes, devices, copies

    def to(
        self,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,
        copy: bool = False,
        memory_format: object = None,
    ) -> Tensor:
        """Give in another dtype (``to(torch.float64)``), on the CPU (``to("cpu")``), or like another tensor."""
        flags: list[Any] = []  # given by place: non_blocking, then copy
        for a in args:
            if isinstance(a, _dtype.dtype):
                dtype = a
            elif isinstance(a, Tensor):
                dtype = a.dtype
            elif isinstance(a, str | int | type(CPU)) and not isinstance(a, bool):
                device = a
            elif isinstance(a, bool):
                flags.append(a)
            elif a is not None:
                raise TypeError(
                    f"to() received an invalid combination of arguments - got ({type(a).__name__}); give a dtype, a device or a tensor"
                )
        check_device(device)
        copy = copy or flags[1:] == [True]
        wanted = self._array.dtype if dtype is None else _dtype.as_numpy(dtype)
        if wanted is self._array.dtype:
            return self.clone() if copy else self
        return _el.cast(self, wanted)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The legacy name of the type, such as "torch.FloatTensor"; or the tensor in another dtype."""
        if dtype is None:
            return _LEGACY[self.dtype]
        if isinstance(dtype, str):
            names = {name: d for d, name in _LEGACY.items()}
            if dtype not in names:
                raise ValueError(f"invalid type: '{dtype}'")
            dtype = names[dtype]
        legacy = getattr(dtype, "_type_dtype", None)
        return self.to(dtype=legacy or dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """Give in the dtype of another tensor."""
        return self.to(other.dtype)

    def bool(self) -> Tensor:
        """Give as bool: is each element not zero?"""
        return self.to(_dtype.bool)

    def byte(self) -> Tensor:
        """Give as uint8."""
        return self.to(_dtype.uint8)

    def char(self) -> Tensor:
        """Give as int8."""
        return self.to(_dtype.int8)

    def short(self) -> Tensor:
        """Give as int16."""
        return self.to(_dtype.int16)

    def int(self) -> Tensor:
        """Give as int32."""
        return self.to(_dtype.int32)

    def long(self) -> Tensor:
        """Give as int64."""
        return self.to(_dtype.int64)

    def half(self) -> Tensor:
        """Give as float16."""
        return self.to(_dtype.float16)

    def float(self) -> Tensor:
        """Give as float32."""
        return self.to(_dtype.float32)

    def double(self) -> Tensor:
        """Give as float64."""
        return self.to(_dtype.float64)

    def cpu(self) -> Tensor:
        """Give itself: everything lives on the CPU."""
        return self

    def cuda(self, device: object = None, non_blocking: Truth = False) -> Tensor:
        """Refuse: there is no CUDA here."""
        check_device("cuda")
        return self

    def pin_memory(self) -> Tensor:
        """Give itself: there is no device to copy to."""
        return self

    def share_memory_(self) -> Tensor:
        """Give itself; sharing between processes is not offered."""
        return self

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar; use tolist(), or pick one: x[0].item()."
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._array.tolist()

    def numpy(self, *, force: Any = False) -> Any:
        """The memory as a NumPy array: a write into one is seen in the other.

        Raises
        ------
        RuntimeError
            If the tensor requires grad: what NumPy computes is not recorded.
        """
        if self._current_node is not None:
            if not force:
                raise RuntimeError(
                    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
                )
            return self.detach()._writable()
        return self._writable()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self._current_node is not None and not _asked_by_matplotlib():
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        array = np.asarray(self._writable())
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return np.array(array) if copy else array

    def new_tensor(self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """A new tensor of ``data`` in this tensor's dtype."""
        check_device(device)
        out = Tensor._of(array_of(data).astype(self._array.dtype if dtype is None else _dtype.as_numpy(dtype)))
        return out.requires_grad_() if requires_grad else out

    def new(self, *data: Any) -> Tensor:
        """A new tensor in this tensor's dtype, the old way: of a list, of a tensor, or of a shape."""
        if len(data) == 1 and isinstance(data[0], Size):
            return self._fresh(data, 0, None, None, False)
        if all([isinstance(n, int) and not isinstance(n, bool) for n in data]):
            return self._fresh(data or (0,), 0, None, None, False)
        return self.new_tensor(data[0])

    def _fresh(self, shape: tuple[Any, ...], value: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:

        check_device(device)
        out = Tensor._of(
            np.full(shape_in(shape), value, self._array.dtype if dtype is None else _dtype.as_numpy(dtype))
        )
        return out.requires_grad_() if requires_grad else out

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """Zeros in this tensor's dtype."""
        return self._fresh(size, 0, dtype, device, requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """Ones in this tensor's dtype."""
        return self._fresh(size, 1, dtype, device, requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: Any = False) -> Tensor:
        """A tensor in this tensor's dtype whose values are not to be relied on (here zeros)."""
        return self._fresh(size, 0, dtype, device, requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: Any = False
    ) -> Tensor:
        """One number everywhere, in this tensor's dtype."""
        return self._fresh((size,), fill_value, dtype, device, requires_grad)

    def apply_(self, callable: Callable[[Any], Any]) -> Tensor:
        """Replace each element by what a Python function makes of it; outside the graph only."""
        if self._current_node is not None:
            raise RuntimeError("apply_() and map_() are not implemented for tensors that require grad; use .detach().")
        array = self._writable()
        for place in np.ndindex(array.shape):
            array[place] = callable(array[place].item())
        stamp(array)
        return self

    @property
    def T(self) -> Tensor:
        """The dimensions in reverse order."""
        return _shape.permute(self, axes=tuple(range(self._array.ndim))[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two dimensions exchanged."""
        if self._array.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
            )
        return _shape.swap(self)

    @property
    def H(self) -> Tensor:
        """A matrix transposed (for real numbers)."""
        if self._array.ndim != 2 and self._array.ndim != 0:
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D tensor."
            )
        return _shape.swap(self) if self._array.ndim else self

    mH = mT  # noqa: N815  # torch's name

    # ---- operators

    def __add__(self, other: Any) -> Tensor:
        return _el.add(self, other)

    def __sub__(self, other: Any) -> Tensor:
        return _el.sub(self, other)

    def __mul__(self, other: Any) -> Tensor:
        return _el.mul(self, other)

    def __truediv__(self, other: Any) -> Tensor:
        return _el.div(self, other)

    def __matmul__(self, other: Any) -> Tensor:
        if not isinstance(other, Tensor):
            return NotImplemented
        return _functions.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        if not isinstance(other, np.ndarray | Tensor):
            return NotImplemented
        return _functions.matmul(other if isinstance(other, Tensor) else _as_source(other, None), self)

    def __pow__(self, other: Any) -> Tensor:
        return _functions.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return _functions.pow(other, self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> Tensor:
        if isinstance(other, np.ndarray | np.generic):
            return _el.sub(other, self)
        return _functions.rsub(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _el.mul(_el.reciprocal(self), other)

    __rdiv__ = __rtruediv__

    def __floordiv__(self, other: Any) -> Tensor:
        return _functions.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return _functions.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return _functions.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return _functions.remainder(other, self)

    def __neg__(self) -> Tensor:
        if self._array.dtype.kind == "b":
            raise RuntimeError(
                "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
            )
        return _el.neg(self)

    def __pos__(self) -> Tensor:
        return _functions.positive(self)

    def __abs__(self) -> Tensor:
        return _el.abs(self)

    def __invert__(self) -> Tensor:
        return _el.bitwise_not(self)

    def __and__(self, other: Any) -> Tensor:
        return _el.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return _el.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return _el.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __lshift__(self, other: Any) -> Tensor:
        return _el.bitwise_left_shift(self, other)

    def __rshift__(self, other: Any) -> Tensor:
        return _el.bitwise_right_shift(self, other)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise, as torch has it
        return _el.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise, as torch has it
        return _el.ne(self, other) if _comparable(other) else NotImplemented

    def __lt__(self, other: Any) -> Tensor:
        return _el.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return _el.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return _el.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return _el.ge(self, other)

    def __hash__(self) -> Any:
        return id(self)

    def __iadd__(self, other: Any) -> Tensor:
        return self.add_(other)

    def __isub__(self, other: Any) -> Tensor:
        return self.sub_(other)

    def __imul__(self, other: Any) -> Tensor:
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self.div_(other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._write(_functions.floor_divide(self, other), "floor_divide_")

    def __imod__(self, other: Any) -> Tensor:
        return self._write(_functions.remainder(self, other), "remainder_")

    def __ipow__(self, other: Any) -> Tensor:
        return self._write(_functions.pow(self, other), "pow_")

    def __iand__(self, other: Any) -> Tensor:
        return self._write(_el.bitwise_and(self, other), "bitwise_and_")

    def __ior__(self, other: Any) -> Tensor:
        return self._write(_el.bitwise_or(self, other), "bitwise_or_")

    def __ixor__(self, other: Any) -> Tensor:
        return self._write(_el.bitwise_xor(self, other), "bitwise_xor_")

    # ---- Python's protocols

    def __len__(self) -> Any:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(_functions.unbind(self))

    def __reversed__(self) -> Tensor:
        return _functions.flip(self, 0) if self._array.ndim else self

    def __contains__(self, element: object) -> Any:
        if isinstance(element, Tensor | int | float):
            return bool((self == element)._array.any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    def __bool__(self) -> Any:
        if self._array.size != 1:
            what = "no values" if not self._array.size else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous; reduce it with .any() or .all().")
        return bool(self._array.item())

    def _only_number(self) -> Any:
        if self._array.size != 1:
            raise ValueError(
                f"only one element tensors can be converted to Python scalars, and this one has shape {list(self._array.shape)}; "
                "use tolist(), or reduce it first."
            )
        return self._array.item()

    def __float__(self) -> Any:
        return float(self._only_number())

    def __int__(self) -> Any:
        return int(self._only_number())

    def __index__(self) -> Any:
        if self._array.size != 1 or self._array.dtype.kind == "f":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __complex__(self) -> complex:
        return complex(self._only_number())

    def __repr__(self, *, tensor_contents: object = None) -> str:
        node = self._current_node
        return _printing.format_tensor(
            np.asarray(self._array),
            requires_grad=node is not None,
            grad_fn_name=None if node is None or node.op is None else _short(node.name()),
        )

    def __format__(self, spec: str) -> str:
        if not self._array.ndim:
            return format(self.item(), spec)
        if not spec:
            return str(self)
        raise TypeError("unsupported format string passed to Tensor.__format__: pick one element, or use print options")

    def __deepcopy__(self, memo: Any) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment. If you were "
                "attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001. Use x.detach().clone()."
            )
        out = Tensor._of(np.array(self._array, order="K"))
        memo[id(self)] = out
        if self._node is not None:
            out.requires_grad_()
        g = getattr(self, "_gradient", None)
        if g is not None:
            out._gradient = g.__deepcopy__(memo)
        return out

    def __copy__(self) -> Tensor:
        out = Tensor._of(self._writable())
        if self._current_node is not None:
            if self._node.op is None:
                out.requires_grad_()
            else:
                out._node = self._node
        return out

    def __reduce_ex__(self, protocol: object) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support pickling; use x.detach() first."
            )
        return _rebuild, (np.array(self._array), self._node is not None)

    def __dir__(self) -> list[str]:
        return sorted({name for name in object.__dir__(self) if not name.startswith("_op_")})

    # ---- the functions are the methods

    abs = _functions.abs
    absolute = _functions.absolute
    acos = _functions.acos
    acosh = _functions.acosh
    add = _functions.add
    addbmm = _functions.addbmm
    addcdiv = _functions.addcdiv
    addcmul = _functions.addcmul
    addmm = _functions.addmm
    addmv = _functions.addmv
    addr = _functions.addr
    adjoint = _functions.adjoint
    all = _functions.all
    allclose = _functions.allclose
    amax = _functions.amax
    amin = _functions.amin
    aminmax = _functions.aminmax
    any = _functions.any
    arccos = _functions.arccos
    arccosh = _functions.arccosh
    arcsin = _functions.arcsin
    arcsinh = _functions.arcsinh
    arctan = _functions.arctan
    arctan2 = _functions.arctan2
    arctanh = _functions.arctanh
    argmax = _functions.argmax
    argmin = _functions.argmin
    argsort = _functions.argsort
    argwhere = _functions.argwhere
    asin = _functions.asin
    asinh = _functions.asinh
    atan = _functions.atan
    atan2 = _functions.atan2
    atanh = _functions.atanh
    baddbmm = _functions.baddbmm
    bincount = _functions.bincount
    bitwise_and = _functions.bitwise_and
    bitwise_left_shift = _functions.bitwise_left_shift
    bitwise_not = _functions.bitwise_not
    bitwise_or = _functions.bitwise_or
    bitwise_right_shift = _functions.bitwise_right_shift
    bitwise_xor = _functions.bitwise_xor
    bmm = _functions.bmm
    broadcast_to = _functions.broadcast_to
    ceil = _functions.ceil
    cholesky = _functions.cholesky
    cholesky_inverse = _functions.cholesky_inverse
    cholesky_solve = _functions.cholesky_solve
    chunk = _functions.chunk
    clamp = _functions.clamp
    clamp_max = _functions.clamp_max
    clamp_min = _functions.clamp_min
    clip = _functions.clip
    clone = _functions.clone
    contiguous = _functions.contiguous
    copysign = _functions.copysign
    corrcoef = _functions.corrcoef
    cos = _functions.cos
    cosh = _functions.cosh
    count_nonzero = _functions.count_nonzero
    cov = _functions.cov
    cross = _functions.cross
    cummax = _functions.cummax
    cummin = _functions.cummin
    cumprod = _functions.cumprod
    cumsum = _functions.cumsum
    deg2rad = _functions.deg2rad
    det = _functions.det
    diag = _functions.diag
    diag_embed = _functions.diag_embed
    diagonal = _functions.diagonal
    diff = _functions.diff
    dist = _functions.dist
    div = _functions.div
    divide = _functions.divide
    dot = _functions.dot
    eq = _functions.eq
    equal = _functions.equal
    erf = _functions.erf
    erfc = _functions.erfc
    exp = _functions.exp
    exp2 = _functions.exp2
    expand = _functions.expand
    expand_as = _functions.expand_as
    expm1 = _functions.expm1
    fix = _functions.fix
    flatten = _functions.flatten
    flip = _functions.flip
    fliplr = _functions.fliplr
    flipud = _functions.flipud
    float_power = _functions.float_power
    floor = _functions.floor
    floor_divide = _functions.floor_divide
    fmax = _functions.fmax
    fmin = _functions.fmin
    fmod = _functions.fmod
    frac = _functions.frac
    gather = _functions.gather
    ge = _functions.ge
    ger = _functions.ger
    greater = _functions.greater
    greater_equal = _functions.greater_equal
    gt = _functions.gt
    hardshrink = _functions.hardshrink
    heaviside = _functions.heaviside
    histc = _functions.histc
    histogram = _functions.histogram
    hsplit = _functions.hsplit
    hypot = _functions.hypot
    index_add = _functions.index_add
    index_copy = _functions.index_copy
    index_fill = _functions.index_fill
    index_put = _functions.index_put
    index_select = _functions.index_select
    inner = _functions.inner
    inverse = _functions.inverse
    isclose = _functions.isclose
    isfinite = _functions.isfinite
    isinf = _functions.isinf
    isnan = _functions.isnan
    kron = _functions.kron
    kthvalue = _functions.kthvalue
    le = _functions.le
    lerp = _functions.lerp
    less = _functions.less
    less_equal = _functions.less_equal
    log = _functions.log
    log10 = _functions.log10
    log1p = _functions.log1p
    log2 = _functions.log2
    log_softmax = _functions.log_softmax
    logaddexp = _functions.logaddexp
    logaddexp2 = _functions.logaddexp2
    logcumsumexp = _functions.logcumsumexp
    logdet = _functions.logdet
    logical_and = _functions.logical_and
    logical_not = _functions.logical_not
    logical_or = _functions.logical_or
    logical_xor = _functions.logical_xor
    logsumexp = _functions.logsumexp
    lt = _functions.lt
    masked_fill = _functions.masked_fill
    masked_scatter = _functions.masked_scatter
    masked_select = _functions.masked_select
    matmul = _functions.matmul
    matrix_exp = _functions.matrix_exp
    matrix_power = _functions.matrix_power
    max = _functions.max
    maximum = _functions.maximum
    mean = _functions.mean
    median = _functions.median
    min = _functions.min
    minimum = _functions.minimum
    mm = _functions.mm
    mode = _functions.mode
    moveaxis = _functions.moveaxis
    movedim = _functions.movedim
    msort = _functions.msort
    mul = _functions.mul
    multiply = _functions.multiply
    mv = _functions.mv
    nan_to_num = _functions.nan_to_num
    nanmean = _functions.nanmean
    nanmedian = _functions.nanmedian
    nanquantile = _functions.nanquantile
    nansum = _functions.nansum
    narrow = _functions.narrow
    ne = _functions.ne
    neg = _functions.neg
    negative = _functions.negative
    nonzero = _functions.nonzero
    norm = _functions.norm
    not_equal = _functions.not_equal
    outer = _functions.outer
    permute = _functions.permute
    pinverse = _functions.pinverse
    positive = _functions.positive
    pow = _functions.pow
    prelu = _functions.prelu
    prod = _functions.prod
    qr = _functions.qr
    quantile = _functions.quantile
    rad2deg = _functions.rad2deg
    ravel = _functions.ravel
    reciprocal = _functions.reciprocal
    relu = _functions.relu
    remainder = _functions.remainder
    renorm = _functions.renorm
    repeat = _functions.repeat
    repeat_interleave = _functions.repeat_interleave
    reshape = _functions.reshape
    reshape_as = _functions.reshape_as
    roll = _functions.roll
    rot90 = _functions.rot90
    round = _functions.round
    rsqrt = _functions.rsqrt
    scatter = _functions.scatter
    scatter_add = _functions.scatter_add
    select = _functions.select
    sigmoid = _functions.sigmoid
    sign = _functions.sign
    signbit = _functions.signbit
    sin = _functions.sin
    sinc = _functions.sinc
    sinh = _functions.sinh
    slogdet = _functions.slogdet
    softmax = _functions.softmax
    sort = _functions.sort
    split = _functions.split
    split_with_sizes = _functions.split_with_sizes
    sqrt = _functions.sqrt
    square = _functions.square
    squeeze = _functions.squeeze
    std = _functions.std
    sub = _functions.sub
    subtract = _functions.subtract
    sum = _functions.sum
    sum_to_size = _functions.sum_to_size
    svd = _functions.svd
    swapaxes = _functions.swapaxes
    swapdims = _functions.swapdims
    t = _functions.t
    take = _functions.take
    take_along_dim = _functions.take_along_dim
    tan = _functions.tan
    tanh = _functions.tanh
    tensor_split = _functions.tensor_split
    tile = _functions.tile
    topk = _functions.topk
    trace = _functions.trace
    transpose = _functions.transpose
    triangular_solve = _functions.triangular_solve
    tril = _functions.tril
    triu = _functions.triu
    true_divide = _functions.true_divide
    trunc = _functions.trunc
    unbind = _functions.unbind
    unflatten = _functions.unflatten
    unfold = _functions.unfold
    unique = _functions.unique
    unique_consecutive = _functions.unique_consecutive
    unsqueeze = _functions.unsqueeze
    var = _functions.var
    vdot = _functions.vdot
    view = _functions.view
    view_as = _functions.view_as
    vsplit = _functions.vsplit
    xlogy = _functions.xlogy

    def where(self, condition: Tensor, other: Tensor | Number) -> Tensor:
        """Keep elements where ``condition`` holds, take ``other`` elsewhere."""
        return _functions.where(condition, self, other)  # type: ignore[return-value]  # two branches given: one tensor

    # ---- the same, written in place

    abs_ = _written_by(_functions.abs)
    absolute_ = _written_by(_functions.absolute)
    acos_ = _written_by(_functions.acos)
    acosh_ = _written_by(_functions.acosh)
    addbmm_ = _written_by(_functions.addbmm)
    addcdiv_ = _written_by(_functions.addcdiv)
    addcmul_ = _written_by(_functions.addcmul)
    addmm_ = _written_by(_functions.addmm)
    addmv_ = _written_by(_functions.addmv)
    addr_ = _written_by(_functions.addr)
    arccos_ = _written_by(_functions.arccos)
    arccosh_ = _written_by(_functions.arccosh)
    arcsin_ = _written_by(_functions.arcsin)
    arcsinh_ = _written_by(_functions.arcsinh)
    arctan_ = _written_by(_functions.arctan)
    arctan2_ = _written_by(_functions.arctan2)
    arctanh_ = _written_by(_functions.arctanh)
    asin_ = _written_by(_functions.asin)
    asinh_ = _written_by(_functions.asinh)
    atan_ = _written_by(_functions.atan)
    atan2_ = _written_by(_functions.atan2)
    atanh_ = _written_by(_functions.atanh)
    baddbmm_ = _written_by(_functions.baddbmm)
    bitwise_and_ = _written_by(_functions.bitwise_and)
    bitwise_left_shift_ = _written_by(_functions.bitwise_left_shift)
    bitwise_not_ = _written_by(_functions.bitwise_not)
    bitwise_or_ = _written_by(_functions.bitwise_or)
    bitwise_right_shift_ = _written_by(_functions.bitwise_right_shift)
    bitwise_xor_ = _written_by(_functions.bitwise_xor)
    ceil_ = _written_by(_functions.ceil)
    clamp_ = _written_by(_functions.clamp)
    clamp_max_ = _written_by(_functions.clamp_max)
    clamp_min_ = _written_by(_functions.clamp_min)
    clip_ = _written_by(_functions.clip)
    copysign_ = _written_by(_functions.copysign)
    cos_ = _written_by(_functions.cos)
    cosh_ = _written_by(_functions.cosh)
    deg2rad_ = _written_by(_functions.deg2rad)
    eq_ = _written_by(_functions.eq)
    erf_ = _written_by(_functions.erf)
    erfc_ = _written_by(_functions.erfc)
    exp_ = _written_by(_functions.exp)
    exp2_ = _written_by(_functions.exp2)
    expm1_ = _written_by(_functions.expm1)
    fix_ = _written_by(_functions.fix)

    def float_power_(self, exponent: Tensor | Number) -> Tensor:
        """The in-place form of :func:`float_power`, for float64 alone: what it computes is float64."""
        if self.dtype is not _dtype.float64:
            raise RuntimeError(
                f"the base given to float_power_ has dtype {_dtype.scalar_name(self._array.dtype)} but the operation's result requires dtype Double"
            )
        return self._write(_functions.float_power(self, exponent), "float_power_")

    floor_ = _written_by(_functions.floor)
    floor_divide_ = _written_by(_functions.floor_divide)
    fmod_ = _written_by(_functions.fmod)
    frac_ = _written_by(_functions.frac)
    ge_ = _written_by(_functions.ge)
    greater_ = _written_by(_functions.greater)
    greater_equal_ = _written_by(_functions.greater_equal)
    gt_ = _written_by(_functions.gt)
    heaviside_ = _written_by(_functions.heaviside)
    hypot_ = _written_by(_functions.hypot)
    index_add_ = _written_by(_functions.index_add)
    index_copy_ = _written_by(_functions.index_copy)
    index_fill_ = _written_by(_functions.index_fill)
    index_put_ = _written_by(_functions.index_put)
    le_ = _written_by(_functions.le)
    lerp_ = _written_by(_functions.lerp)
    less_ = _written_by(_functions.less)
    less_equal_ = _written_by(_functions.less_equal)
    log_ = _written_by(_functions.log)
    log10_ = _written_by(_functions.log10)
    log1p_ = _written_by(_functions.log1p)
    log2_ = _written_by(_functions.log2)
    logical_and_ = _written_by(_functions.logical_and)
    logical_not_ = _written_by(_functions.logical_not)
    logical_or_ = _written_by(_functions.logical_or)
    logical_xor_ = _written_by(_functions.logical_xor)
    lt_ = _written_by(_functions.lt)
    masked_scatter_ = _written_by(_functions.masked_scatter)
    nan_to_num_ = _written_by(_functions.nan_to_num)
    ne_ = _written_by(_functions.ne)
    neg_ = _written_by(_functions.neg)
    negative_ = _written_by(_functions.negative)
    not_equal_ = _written_by(_functions.not_equal)
    pow_ = _written_by(_functions.pow)
    rad2deg_ = _written_by(_functions.rad2deg)
    reciprocal_ = _written_by(_functions.reciprocal)
    relu_ = _written_by(_functions.relu)
    remainder_ = _written_by(_functions.remainder)
    renorm_ = _written_by(_functions.renorm)
    round_ = _written_by(_functions.round)
    rsqrt_ = _written_by(_functions.rsqrt)
    scatter_ = _written_by(_functions.scatter)
    scatter_add_ = _written_by(_functions.scatter_add)
    sigmoid_ = _written_by(_functions.sigmoid)
    sign_ = _written_by(_functions.sign)
    sin_ = _written_by(_functions.sin)
    sinc_ = _written_by(_functions.sinc)
    sinh_ = _written_by(_functions.sinh)
    sqrt_ = _written_by(_functions.sqrt)
    square_ = _written_by(_functions.square)
    swapdims_ = _written_by(_functions.swapdims)
    tan_ = _written_by(_functions.tan)
    tanh_ = _written_by(_functions.tanh)
    tril_ = _written_by(_functions.tril)
    triu_ = _written_by(_functions.triu)
    trunc_ = _written_by(_functions.trunc)
    xlogy_ = _written_by(_functions.xlogy)


# ---- what the class needs


class _Retain:
    """A hook that leaves the gradient in a tensor, known weakly."""

    def __init__(self, tensor: ref[Tensor]) -> None:
        self._tensor = tensor

    def __call__(self, g: Tensor) -> None:
        tensor = self._tensor()
        if tensor is not None:
            old = getattr(tensor, "_gradient", None)
            tensor._gradient = g.clone() if old is None else old + g


def _hand_on_retain(before: Any, after: Node) -> None:
    """``retain_grad`` goes with the tensor to its new value; other hooks stay with the old one."""
    if before is not None and before.op is not None and before.hooks and "retain" in before.hooks:
        after.hooks = {"retain": before.hooks.pop("retain")}


def _one_of_many(path: Any) -> bool:
    while path is not None:
        path, view, _ = path
        if view.many:
            return True
    return False


def _assign(part: Tensor, source: Tensor) -> None:
    """part[...] = source, with the error of an assignment."""
    shape, want = source._array.shape, part._array.shape
    added = len(want) - len(shape)
    for i, m in enumerate(shape):
        n = want[i + added] if i + added >= 0 else None
        if m != n and (m != 1 or n is None):
            if n is None:
                raise RuntimeError(
                    f"expand(source): the number of sizes provided ({len(want)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})"
                )
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({m}) at non-singleton dimension {i + added}.  "
                f"Target sizes: {list(want)}.  Tensor sizes: {list(shape)}"
            )
    part.copy_(source)


def _as_source(value: Any, like: Tensor | None) -> Tensor:
    """A tensor of a number, an array or a list that is written into ``like``."""
    if isinstance(value, bool | int | float):
        number = value if like is None else _dtype.writable(value, like._array.dtype)
        out = Tensor._of(np.asarray(number, None if like is None else like._array.dtype))
        return out
    if isinstance(value, np.ndarray | np.generic):
        made = Tensor._of(np.asarray(value, _dtype.of(value.dtype).numpy))
        return made
    raise TypeError(
        f"can't assign a {type(value).__name__} to a torch.{'Tensor' if like is None else _LEGACY[like.dtype].split('.')[1]}; make a tensor of it first"
    )


def _unsqueeze_in_place(x: Tensor, dim: int) -> Tensor:

    shape = x._array.shape
    d = dimension(dim, len(shape) + 1)
    return _shape.unsqueeze.named("UnsqueezeBackward1")(x, shape=(*shape[:d], 1, *shape[d:]))


def _comparable(value: object) -> bool:
    return isinstance(value, Tensor | int | float | np.ndarray | np.generic)


def _asked_by_matplotlib() -> bool:
    """Is a plot being drawn? Tensors may go straight into matplotlib, which computes nothing that matters."""
    frame = sys._getframe(2)
    for _ in range(6):
        if frame is None:
            return False
        name = frame.f_globals.get("__name__", "")
        if name.startswith("matplotlib"):
            return True
        if not name.startswith("numpy"):
            return False
        frame = frame.f_back  # type: ignore[assignment]  # the loop asks for None
    return False


def _short(node_name: str) -> str:
    """The name as it is printed: without torch's C++ namespaces."""
    return node_name.rsplit("::", 1)[-1]


def _rebuild(array: Any, requires_grad: bool) -> Tensor:
    out = Tensor._of(array.view(_dtype.as_numpy(array.dtype)))
    return out.requires_grad_() if requires_grad else out


_LEGACY = {
    _dtype.float32: "torch.FloatTensor",
    _dtype.float64: "torch.DoubleTensor",
    _dtype.float16: "torch.HalfTensor",
    _dtype.uint8: "torch.ByteTensor",
    _dtype.int8: "torch.CharTensor",
    _dtype.int16: "torch.ShortTensor",
    _dtype.int32: "torch.IntTensor",
    _dtype.int64: "torch.LongTensor",
    _dtype.bool: "torch.BoolTensor",
}


# ---- what the machine asks of this floor


class _Backend:
    """Arrays and tensors, as the machine needs them."""

    @staticmethod
    def sum_to(share: Any, shape: tuple[int, ...]) -> Any:
        return _shape.sum_to(share, shape=shape)

    @staticmethod
    def zeros(shape: tuple[int, ...], like: Any) -> Any:
        return np.zeros(shape, like.dtype)

    @staticmethod
    def copy(array: Any) -> Any:
        return np.array(array, order="C")

    @staticmethod
    def add_into(tensor: Any, g: Any) -> None:
        if hasattr(tensor._array, "__setitem__"):
            tensor._array += g
            stamp(tensor._array)
        else:
            tensor._array = tensor._array + g

    @staticmethod
    def constant(number: Any) -> Any:
        array = np.array(number, np.float32)
        array.setflags(write=False)  # many steps keep it
        return array

    @staticmethod
    def meet(op: Any, x: Any, y: Any) -> tuple[Any, Any]:
        """Both operands in their common dtype, by recorded casts."""
        if op.name == "sub" and "b" in x._array.dtype.kind + y._array.dtype.kind:
            raise RuntimeError(_errors.BOOL_MINUS)
        d = _dtype.result_numpy(x._array, y._array)
        return _el.cast(x, d), _el.cast(y, d)

    @staticmethod
    def weak(op: Any, x: Any, y: Any) -> tuple[Any, Any]:
        """The tensor ``x`` and something else, in the dtype in which they meet."""
        if isinstance(y, np.ndarray) and y.ndim:
            d = _dtype.result_numpy(x._array, y)
            return _el.cast(x, d), y.astype(_dtype.of(d).numpy, copy=False)
        if isinstance(y, np.generic | np.ndarray):
            y = y.item()
        if not isinstance(y, bool | int | float):
            raise TypeError(_errors.wrong_operand(op.name, y))
        if op.name == "sub" and (x._array.dtype.kind == "b") != isinstance(y, bool):
            raise RuntimeError(_errors.BOOL_MINUS)
        d = _dtype.result_numpy(x._array, y)
        return _el.cast(x, d), (y if d.kind == "f" else _dtype.representable(y, d))

    @staticmethod
    def lift(array: Any) -> Any:
        return array.astype(_dtype.default.numpy)

    @staticmethod
    def settle(op: Any, value: Any, x: Any, y: Any) -> Any:
        """Division and its kin of integers: computed in the default floating dtype."""
        kinds = [v.dtype.kind if hasattr(v, "dtype") else "f" if isinstance(v, float) else "i" for v in (x, y)]
        if "f" in kinds:
            return value
        d = _dtype.default.numpy
        return op.forward(np.asarray(x).astype(d), np.asarray(y).astype(d))

    @staticmethod
    def explain(op: Any, error: Exception, arrays: tuple[Any, ...], settings: dict[str, Any]) -> Exception:
        return _errors.explain(op, error, arrays, settings)


Op.kind = Tensor
Op.backend = _Backend()

"""What the conformance suite needs to know of an engine: how to make its tensors, read them, and ask for gradients."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Adapter", "NotOffered", "Ours", "ScalarAdapter", "TorchLike"]

Function = Callable[..., list[Any]]  # takes tensors, returns the list of its results


class NotOffered(Exception):  # noqa: N818  # it states a fact, and is no error
    """The engine has no such operation: its row is passed over, and named at the end."""


class Adapter:
    """What the suite needs to know of an engine. Subclass it, write the five methods and fill ``ops``.

    ``ops`` maps torch's dotted names to functions that take torch's arguments. What is not in it, or does not take
    the arguments of a row (your ``sum`` may know no ``keepdim``), is passed over as *not offered*, and so is what
    raises NotImplementedError. The arguments are your tensors, Python numbers, and settings such as ``dim``. What torch calls as a
    method or attribute (``view``, ``T``) is called on your tensor if its name is in ``ops``; operators such as ``2 - x`` and
    ``x[i]`` are tried in any case.

    An engine with all of torch's interface names its module in ``namespace`` and leaves ``ops`` at None.

    Attributes
    ----------
    name : str
        How the report calls the engine.
    ops : mapping of str to callable, or None
        ``{"add": engine.add, "nn.functional.relu": engine.relu}``.
    orders : int
        How often gradients can be differentiated. 1 needs the five methods alone; for more, override `gradients`.
    precision : str
        "float64", or "float32" if the engine computes in that alone: inputs are rounded to it and tolerances widened. Its
        digits do not suffice for more than the first order.

    Examples
    --------
    A whole engine of one operation, with a wrong sign, and its adapter:

    >>> import numpy as np
    >>> class Box:
    ...     def __init__(self, data, back=lambda g: None):
    ...         self.data, self.back, self.grad = data, back, None
    >>> def neg(x):
    ...     def back(g):
    ...         x.grad = g  # should be -g
    ...     return Box(-x.data, back)
    >>> class Mine(Adapter):
    ...     name = "mine"
    ...     ops = {"neg": neg}
    ...     def tensor(self, array, requires_grad=False):
    ...         return Box(array)
    ...     def array(self, tensor):
    ...         return tensor.data
    ...     def is_tensor(self, x):
    ...         return isinstance(x, Box)
    ...     def backward(self, output, seed):
    ...         output.back(seed)
    ...     def grad(self, tensor):
    ...         return tensor.grad
    >>> from tinygrad_edu.testing import suite
    >>> [result] = suite.run(Mine(), op="neg", max_examples=2)
    >>> print(result.verdict)
    wrong sign
    """

    name: str = "engine"
    orders: int = 1
    precision: str = "float64"
    ops: Mapping[str, Any] | None = None
    namespace: Any = None

    def tensor(self, array: np.ndarray, requires_grad: bool = False) -> Any:
        """Make a tensor of an array. It may share the array's memory, and should keep its dtype and strides."""
        raise NotImplementedError(f"{type(self).__name__}.tensor: return a tensor of your engine made of the array")

    def array(self, tensor: Any) -> np.ndarray:
        """Return a tensor's values."""
        raise NotImplementedError(f"{type(self).__name__}.array: return the values of the tensor as a NumPy array")

    def is_tensor(self, x: object) -> bool:
        """Say whether ``x`` is a tensor of the engine."""
        raise NotImplementedError(f"{type(self).__name__}.is_tensor: say whether x is a tensor of your engine")

    def backward(self, output: Any, seed: np.ndarray) -> None:
        """Send ``seed``, an array of the output's shape, backward from ``output``.

        If your ``backward()`` starts at a scalar, call it on the sum of ``seed * output``.
        """
        raise NotImplementedError(f"{type(self).__name__}.backward: send the seed backward from the output")

    def grad(self, tensor: Any) -> np.ndarray | None:
        """Return the gradient that has come to rest at a tensor made with ``requires_grad=True``; None if none has."""
        raise NotImplementedError(f"{type(self).__name__}.grad: return the gradient of the tensor as a NumPy array")

    def gradients(self, function: Function, tensors: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """Return the gradients, by each of ``tensors``, of the sum of each result of ``function`` times its seed.

        Tensors and seeds are tensors of the engine. To be differentiated again (``orders`` above 1) the gradients must
        be tensors that remember where they came from, the seeds among it. This is the one method that an engine without
        ``backward``, one that transforms functions, overrides. It may return arrays at the first order, and None where
        no gradient arrives.
        """
        for output, seed in zip(function(*tensors), seeds, strict=True):
            self.backward(output, self.array(seed))
        return [self.grad(x) for x in tensors]

    def differentiable(self, tensor: Any) -> bool:
        """Say whether a result carries gradients; by its dtype, if the engine does not know better."""
        return np.asarray(self.array(tensor)).dtype.kind == "f"

    def overwrite(self, tensor: Any, array: np.ndarray) -> None:
        """Write other values into a tensor's memory without recording it, for the law on stale values."""
        raise NotOffered("overwriting a tensor in place")

    def offers(self, names: Sequence[str]) -> bool:
        """Say whether the engine has what goes by any of these names of torch's."""
        return self.ops is None or any(name in self.ops for name in names)

    def functions(self) -> Any:
        """Return what stands in torch's place in the call of a row."""
        return self.namespace if self.ops is None else _Offered(self.ops)


class _Offered:
    """Answers ``t.nn.functional.relu`` from a mapping of dotted names."""

    def __init__(self, ops: Mapping[str, Any], prefix: str = "") -> None:
        self._ops, self._prefix = ops, prefix

    def __getattr__(self, name: str) -> Any:
        dotted = self._prefix + name
        if dotted in self._ops:
            found = self._ops[dotted]
            return _guarded(found, dotted) if callable(found) else found
        if any(key.startswith(dotted + ".") for key in self._ops):
            return _Offered(self._ops, dotted + ".")
        raise NotOffered(dotted)


def _guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap a function so that arguments it does not take mean that this form is not offered."""

    def call(*args: Any, **settings: Any) -> Any:
        try:
            return function(*args, **settings)
        except TypeError as error:
            if not _takes(function, args, settings):
                raise NotOffered(f"{name}: {error}") from None
            raise

    return call


def _takes(function: Callable[..., Any], args: Sequence[Any], settings: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(function).bind(*args, **settings)
    except (TypeError, ValueError):  # ValueError: a function written in C that shows no signature
        return False
    return True


class TorchLike(Adapter):
    """The adapter of any module with torch's interface, such as torch itself.

    Examples
    --------
    >>> adapter = TorchLike("tinygrad_edu")
    >>> adapter.array(adapter.functions().add(adapter.tensor(np.ones(2)), 1))
    array([2., 2.])
    """

    orders = 3

    def __init__(self, module: str) -> None:
        self.name = module
        self.namespace = importlib.import_module(module)

    def tensor(self, array: np.ndarray, requires_grad: bool = False) -> Any:
        """Make a tensor that shares the array's memory, or a copy's if the module refuses its strides."""
        try:
            made = self.namespace.from_numpy(array)
        except ValueError:  # torch has no negative strides
            made = self.namespace.from_numpy(array.copy())
        return made.requires_grad_() if requires_grad else made

    def array(self, tensor: Any) -> np.ndarray:
        """Return a tensor's values."""
        values: np.ndarray = tensor.numpy(force=True)  # force: torch's gradients may be zeros without memory
        return values

    def is_tensor(self, x: object) -> bool:
        """Say whether ``x`` is a Tensor of the module."""
        return isinstance(x, self.namespace.Tensor)

    def backward(self, output: Any, seed: np.ndarray) -> None:
        """Call ``output.backward(seed)``."""
        output.backward(self.tensor(np.asarray(seed)).to(output.dtype))

    def grad(self, tensor: Any) -> np.ndarray | None:
        """Return ``tensor.grad``."""
        return None if tensor.grad is None else self.array(tensor.grad)

    def gradients(self, function: Function, tensors: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """Call ``autograd.grad``, recording it if the seeds are to be differentiated."""
        able = [(x, s) for x, s in zip(function(*tensors), seeds, strict=True) if x.requires_grad]
        if not able:
            return [None] * len(tensors)
        found: Sequence[Any] = self.namespace.autograd.grad(
            [x for x, _ in able],
            list(tensors),
            grad_outputs=[s.to(x.dtype) for x, s in able],
            create_graph=any(s.requires_grad for s in seeds),
            allow_unused=True,
        )
        return list(found)

    def differentiable(self, tensor: Any) -> bool:
        """Say whether a result requires a gradient."""
        return bool(tensor.requires_grad)

    def overwrite(self, tensor: Any, array: np.ndarray) -> None:
        """Copy the array into the tensor under no_grad."""
        with self.namespace.no_grad():
            tensor.copy_(self.tensor(array))


class Ours(TorchLike):
    """tinygrad_edu itself."""

    def __init__(self) -> None:
        super().__init__(__name__.partition(".")[0])


class ScalarAdapter(Adapter):
    """The adapter of an engine of scalars: a tensor is a NumPy array of dtype object that holds one value per element.

    NumPy then applies the values' own operators elementwise, broadcasts them and moves them about, so that an engine
    with ``+``, ``*`` and ``sum`` offers matmul, reshape and broadcasting too. Write four methods and fill ``ops``.
    """

    def value(self, number: float) -> Any:
        """Make one value."""
        raise NotImplementedError(f"{type(self).__name__}.value: return a value of your engine")

    def number(self, value: Any) -> float:
        """Return what a value holds."""
        raise NotImplementedError(f"{type(self).__name__}.number: return the number that the value holds")

    def slope(self, value: Any) -> float:
        """Return the gradient that has come to rest at a value."""
        raise NotImplementedError(f"{type(self).__name__}.slope: return the gradient of the value")

    def start(self, value: Any) -> None:
        """Run the backward pass from one value."""
        value.backward()

    def tensor(self, array: np.ndarray, requires_grad: bool = False) -> np.ndarray:
        """Put each element into a value; whole numbers and booleans, which index and mask, stay as they are."""
        array = np.asarray(array)
        if array.dtype.kind != "f":
            return array
        values = np.empty(array.shape, object)
        for place in np.ndindex(array.shape):
            values[place] = self.value(float(array[place]))
        return values

    def array(self, tensor: Any) -> np.ndarray:
        """Read each value."""
        if isinstance(tensor, np.ndarray) and tensor.dtype != object:
            return tensor
        return self._each(self._read, tensor)

    def is_tensor(self, x: object) -> bool:
        """Say whether ``x`` is an array, or the bare value that NumPy makes of an array without dimensions."""
        return isinstance(x, np.ndarray) or self._is_value(x)

    def backward(self, output: Any, seed: np.ndarray) -> None:
        """Start from the sum of seed times output, made of the engine's own values."""
        total = None
        for weight, value in zip(seed.flat, np.asarray(output, object).flat, strict=True):
            if weight and self._is_value(value):
                term = value if weight == 1 else value * float(weight)
                total = term if total is None else total + term
        if total is not None:
            self.start(total)

    def grad(self, tensor: Any) -> np.ndarray:
        """Read the gradient of each value."""
        return self._each(self.slope, tensor)

    def _is_value(self, x: object) -> bool:
        return isinstance(x, type(self.value(0.0)))

    def _read(self, value: Any) -> float:
        return self.number(value) if self._is_value(value) else float(value)  # an empty sum is NumPy's 0

    def _each(self, read: Callable[[Any], float], tensor: Any) -> np.ndarray:
        values = np.asarray(tensor, object)
        return np.array([read(value) for value in values.flat], float).reshape(values.shape)


def find(engine: str) -> Adapter:
    """Return the adapter that ``package.module:name`` names: an Adapter, a class of them, or a module like torch.

    Raises
    ------
    ValueError
        If nothing of the kind is there; the message says what is.
    """
    path, _, name = engine.partition(":")
    try:
        module = importlib.import_module(path)
    except Exception as error:  # whatever the file of a learner may raise
        raise ValueError(
            f"cannot import {path!r}: {type(error).__name__}: {error}. Write package.module:adapter, as Python finds it"
        ) from error
    if not name:
        return TorchLike(path)
    if not hasattr(module, name):
        there = [n for n, x in vars(module).items() if isinstance(x, Adapter) or _is_adapter_class(x)]
        raise ValueError(f"{path} has no {name!r}; its adapters are: {', '.join(there) or 'none'}")
    found = getattr(module, name)
    made = found() if _is_adapter_class(found) else found
    if not isinstance(made, Adapter):
        raise ValueError(f"{engine} is {type(made).__name__}, not a tinygrad_edu.testing.adapter.Adapter")
    return made


def _is_adapter_class(x: object) -> bool:
    return isinstance(x, type) and issubclass(x, Adapter) and x.__module__ != __name__

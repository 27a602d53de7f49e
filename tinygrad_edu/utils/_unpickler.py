"""Read a pickle without ever running what it asks for.

Python's own ``pickle.load`` calls any function that a file names. This reader knows a few dozen opcodes that build plain
values (numbers, text, lists, dicts) and a table of names that the caller allows; anything else is refused before it happens.
It serves two kinds of file that the world distributes as pickles: CIFAR's batches and PyTorch's ``.pt`` state dicts.
"""

from __future__ import annotations

import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["ARRAY_NAMES", "Maker", "SafeUnpickler"]


class _Mark:
    """Where a group of stack entries begins."""


class Maker:
    """A function of ours that stands for a name in the file; it cannot be altered from the file."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)


class _Dtype:
    """A NumPy dtype on its way: the name comes first, the byte order with a later BUILD."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, *_flags: Any) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or code[:1] not in "biufcSU":
            raise pickle.UnpicklingError(
                f"an array of dtype {code!r} is refused; only numbers, booleans and text are read"
            )
        self.code, self.order = code, "="

    def resolve(self) -> np.dtype[Any]:
        return np.dtype(self.code if self.order in "=|" else self.order + self.code)


def _empty_array(kind: Any, _shape: Any, _code: Any) -> np.ndarray[Any, Any]:
    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"only numpy.ndarray is read, not its relative {kind!r}")
    return np.ndarray((0,), np.int8)


def _fill_array(array: np.ndarray[Any, Any], state: Any) -> None:
    _version, shape, dtype, fortran, raw = state
    if not isinstance(dtype, _Dtype):
        raise pickle.UnpicklingError("an array without a known dtype")
    raw = raw.encode("latin1") if isinstance(raw, str) else raw
    if not isinstance(raw, bytes):
        raise pickle.UnpicklingError("an array whose contents are not plain bytes")
    state = (1, shape, dtype.resolve(), bool(fortran), raw)
    array.__setstate__(state)  # NumPy checks that the sizes agree


def _scalar(dtype: Any, raw: Any) -> Any:
    raw = raw.encode("latin1") if isinstance(raw, str) else raw
    kind = dtype.resolve()
    if not isinstance(raw, bytes) or len(raw) != kind.itemsize:
        raise pickle.UnpicklingError("a NumPy scalar of the wrong size")
    return np.frombuffer(raw, kind)[0]


def _encode(text: Any, codec: Any) -> bytes:
    if codec not in ("latin1", "latin-1") or not isinstance(text, str):
        raise pickle.UnpicklingError(f"bytes written through the codec {codec!r} are refused")
    return text.encode("latin1")


ARRAY_NAMES: dict[str, Any] = {
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": Maker(_Dtype),
    "_codecs.encode": Maker(_encode),
    **{f"numpy.{core}.multiarray._reconstruct": Maker(_empty_array) for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": Maker(_scalar) for core in ("core", "_core")},
}


class SafeUnpickler:
    """A small machine for pickle's opcodes that builds plain values and calls only the names it was given.

    Parameters
    ----------
    names
        What each dotted name in the file stands for: a `Maker` (may be called) or a constant (may not).
    persistent
        Turns a persistent id (PyTorch's "storage number 3") into its value.
    advice
        What a refused name's message should tell the reader to do.

    """

    def __init__(
        self, names: Mapping[str, Any], persistent: Callable[[Any], Any] | None = None, advice: str = ""
    ) -> None:
        self.names, self.persistent, self.advice = names, persistent, advice

    def load(self, data: bytes) -> Any:
        """Return the value that ``data`` describes.

        Raises
        ------
        pickle.UnpicklingError
            If the file names anything outside the table, uses another opcode, or is torn.

        """
        try:
            return self._run(data)
        except pickle.UnpicklingError:
            raise
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise pickle.UnpicklingError(f"the pickle is torn or malformed ({error})") from None

    def find(self, module: str, name: str) -> Any:
        known = f"{module}.{name}"
        if known not in self.names:
            raise pickle.UnpicklingError(f"Unsupported global: GLOBAL {known} was not an allowed global. {self.advice}")
        return self.names[known]

    def _run(self, data: bytes) -> Any:
        stack: list[Any] = []
        memo: dict[int, Any] = {}

        def above_mark() -> list[Any]:
            items: list[Any] = []
            while not isinstance(item := stack.pop(), _Mark):
                items.append(item)
            items.reverse()
            return items

        def pairs(items: list[Any]) -> list[tuple[Any, Any]]:
            return list(zip(items[::2], items[1::2], strict=True))

        argument: Any
        for opcode, argument, _position in pickletools.genops(data):
            name = opcode.name
            if name in _VALUES:
                stack.append(argument)
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name]())
            elif name in _PUTS:
                memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
            elif name in _GETS:
                stack.append(memo[argument])
            elif name == "MARK":
                stack.append(_Mark())
            elif name in _TUPLES:
                size = _TUPLES[name]
                stack[-size:] = [tuple(stack[-size:])]
            elif name == "TUPLE":
                stack.append(tuple(above_mark()))
            elif name == "LIST":
                stack.append(above_mark())
            elif name == "DICT":
                stack.append(dict(pairs(above_mark())))
            elif name == "FROZENSET":
                stack.append(frozenset(above_mark()))
            elif name in ("APPEND", "APPENDS"):
                items = [stack.pop()] if name == "APPEND" else above_mark()
                _expect(stack[-1], list).extend(items)
            elif name in ("SETITEM", "SETITEMS"):
                items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else above_mark()
                _expect(stack[-1], dict, OrderedDict).update(pairs(items))
            elif name == "ADDITEMS":
                items = above_mark()
                _expect(stack[-1], set).update(items)
            elif name == "GLOBAL":
                stack.append(self.find(*argument.split(" ", 1)))
            elif name == "STACK_GLOBAL":
                module, attribute = stack[-2:]
                stack[-2:] = [self.find(module, attribute)]
            elif name in ("REDUCE", "NEWOBJ"):
                arguments = _expect(stack.pop(), tuple)
                stack.append(_expect(stack.pop(), Maker)(*arguments))
            elif name == "BUILD":
                state = stack.pop()
                self._build(stack[-1], state)
            elif name == "BINPERSID":
                if self.persistent is None:
                    raise pickle.UnpicklingError("the pickle refers to data outside itself")
                stack.append(self.persistent(stack.pop()))
            elif name == "POP":
                stack.pop()
            elif name == "POP_MARK":
                above_mark()
            elif name == "DUP":
                stack.append(stack[-1])
            elif name == "STOP":
                return stack.pop()
            elif name not in ("PROTO", "FRAME"):
                raise pickle.UnpicklingError(f"Unsupported operand: pickle opcode {name} is refused. {self.advice}")
        raise pickle.UnpicklingError("the pickle ends in the middle")

    def _build(self, target: Any, state: Any) -> None:
        if type(target) is np.ndarray:
            _fill_array(target, state)
        elif type(target) is _Dtype:
            target.order = _expect(state, tuple)[1]
            if target.order not in ("<", ">", "=", "|"):
                raise pickle.UnpicklingError(f"a dtype of byte order {target.order!r}")
        elif type(target) is OrderedDict and isinstance(state, dict) and set(state) <= {"_metadata"}:
            for metadata in state.values():  # state_dict() carries its version numbers this way
                target._metadata = metadata  # type: ignore[attr-defined]  # as torch stores it
        else:
            raise pickle.UnpicklingError(f"attributes set on a {type(target).__name__} are refused. {self.advice}")


def _expect(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise pickle.UnpicklingError(f"the pickle is malformed: a {type(value).__name__} where a {expected} belongs")
    return value


_VALUES = frozenset(
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE8",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
    ]
)
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_PUTS = frozenset(["PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"])
_GETS = frozenset(["GET", "BINGET", "LONG_BINGET"])
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}

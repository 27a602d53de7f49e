"""Save and load values without ever running code from a file, and without ever leaving a torn one.

A file is a zip archive that holds one index (JSON: how lists, dicts and numbers nest) and one ``.npy`` member per block
of numbers, so ``numpy.load`` opens it too. No pickle is written; PyTorch's own ``.pt`` files of tensors and state dicts
are read through `SafeUnpickler`, which calls nothing that a file names. The layout: docs/file-format.md.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import os
import pickle
import re
import secrets
import stat
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeAlias

import numpy as np

from . import _dtype
from ._tensor import Tensor
from ._types import Size, device
from .nn import Module
from .nn.parameter import Parameter
from .utils._unpickler import ARRAY_NAMES, Maker, SafeUnpickler

__all__ = ["load", "save"]

INDEX = "tinygrad_edu.json"
VERSION = 1
DEEPEST = 200  # levels of nesting; more is almost surely a value that contains itself
ARRAY_KINDS = "biufcSUmM"

File: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
Array: TypeAlias = np.ndarray[Any, Any]


def save(
    obj: object,
    f: File,
    pickle_module: object = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write ``obj`` to a file: tensors, and dicts, lists, tuples and sets of them, of numbers, of text, of NumPy arrays.

    Tensors that share memory share it again after loading, ``requires_grad`` is kept and a Parameter stays one; a
    tensor alone in its memory is written in row-major order, whatever its strides. A file that is replaced is either the
    old one or the new one at every moment, even if the process is killed. A layer or a model is not data: save its
    ``state_dict()``. The pickle arguments are accepted for torch's sake and mean nothing here.

    Raises
    ------
    TypeError
        If ``obj`` contains anything else; the message names where.
    ValueError
        If ``obj`` contains itself.
    RuntimeError
        If the folder does not exist.

    Examples
    --------
    >>> import io
    >>> import tinygrad_edu as torch
    >>> buffer = io.BytesIO()
    >>> torch.save({"weight": torch.tensor([1.0, 2.0]), "epoch": 3}, buffer)
    >>> _ = buffer.seek(0)
    >>> torch.load(buffer)
    {'weight': tensor([1., 2.]), 'epoch': 3}

    """
    del pickle_module, pickle_protocol, _use_new_zipfile_serialization, _disable_byteorder_record
    if not isinstance(f, str | os.PathLike) and not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, not {type(f).__name__}: "
            "save(obj, f) takes the value first, then the file"
        )
    content = _Writer().archive(obj)  # whole before the file is touched
    if isinstance(f, str | os.PathLike):
        _replace(os.fspath(f), content)
    else:
        f.write(content)


def load(
    f: File,
    map_location: object = None,
    pickle_module: object = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    **pickle_load_args: object,
) -> Any:
    """Read what `save` wrote, or what torch.save wrote if it holds tensors and plain values only.

    Nothing in the file is executed, whatever ``weights_only`` says. Everything is loaded to the CPU.

    Raises
    ------
    RuntimeError
        If the file is torn, altered or of another kind; the message names the file and the member.
    pickle.UnpicklingError
        If a file of torch.save holds more than tensors and plain values, a whole model for example.

    Examples
    --------
    See `save`.

    """
    del pickle_module, mmap, pickle_load_args
    if weights_only is False:
        warnings.warn(
            "weights_only=False has no effect: tinygrad_edu never executes code from a file. "
            "Only tensors and plain values are loaded.",
            stacklevel=2,
        )
    _check_location(map_location)
    if isinstance(f, str | os.PathLike):
        with open(f, "rb") as opened:
            return _read(opened, repr(os.fspath(f)))
    if not hasattr(f, "read") or not hasattr(f, "seek"):
        missing = "read" if not hasattr(f, "read") else "seek"
        raise AttributeError(
            f"{type(f).__name__!r} object has no attribute {missing!r}. You can only torch.load from a file that is "
            "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        )
    return _read(io.BytesIO(f.read()), f"the given {type(f).__name__}")


# ------------------------------------------------------------------------------------------------------------- writing


class _Writer:
    """Turns a value into an index and blocks of numbers."""

    def __init__(self) -> None:
        self.tensors: list[dict[str, Any]] = []
        self.arrays: list[Array] = []  # the array behind each entry of `tensors`
        self.labels: list[str] = []
        self.known: dict[int, int] = {}  # a tensor met twice is written once and is one tensor after loading
        self.kept: list[object] = []  # keeps ids unique while we write
        self.blocks: list[tuple[str, Array]] = []

    def archive(self, value: object) -> bytes:
        encoded = self.encode(value, "obj", "", 0)
        self._lay_out()
        index = {
            "format": "tinygrad_edu",
            "version": VERSION,
            "value": encoded,
            "tensors": self.tensors,
            "blocks": [name for name, _ in self.blocks],
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_member(INDEX), json.dumps(index))
            for name, block in self.blocks:
                with archive.open(_member(name), "w", force_zip64=block.nbytes >= 2**31) as member:
                    np.lib.format.write_array(member, block, allow_pickle=False)
        return out.getvalue()

    def encode(self, value: Any, where: str, label: str, depth: int) -> Any:
        """The JSON form of one value: itself if JSON has it, else a one-key object that names its kind."""
        if depth > DEEPEST:
            raise ValueError(f"{where[:60]}...: nested more than {DEEPEST} deep; does this value contain itself?")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**63 else {"int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Tensor):
            return {"tensor": self._tensor(value, label)}
        if kind is list:
            return [self.encode(v, f"{where}[{i}]", f"{label}.{i}", depth + 1) for i, v in enumerate(value)]
        if kind is dict:
            return {"dict": self._pairs(value, where, label, depth)}
        if kind is OrderedDict:
            encoded: dict[str, Any] = {"OrderedDict": self._pairs(value, where, label, depth)}
            if metadata := getattr(value, "_metadata", None):
                encoded["metadata"] = self.encode(metadata, f"{where}._metadata", label, depth + 1)
            return encoded
        if kind in (tuple, set, frozenset):
            members = [self.encode(v, f"{where}[{i}]", f"{label}.{i}", depth + 1) for i, v in enumerate(value)]
            return {kind.__name__: members}
        if kind is Size:
            return {"Size": list(value)}
        if kind in (bytes, bytearray):
            return {kind.__name__: base64.b64encode(value).decode()}
        if kind is complex:
            return {"complex": [self.encode(part, where, label, depth + 1) for part in (value.real, value.imag)]}
        if kind is _dtype.dtype:
            return {"dtype": value.name}
        if kind is device:
            return {"device": str(value)}
        if kind is np.ndarray and value.dtype.kind in ARRAY_KINDS:
            return {"ndarray": self._block(value, label)}
        if isinstance(value, np.generic) and value.dtype.kind in ARRAY_KINDS:
            return {"numpy": value.dtype.str, "value": base64.b64encode(value.tobytes()).decode()}
        raise TypeError(_cannot_save(value, where))

    def _pairs(self, mapping: dict[Any, Any], where: str, label: str, depth: int) -> list[list[Any]]:
        return [
            [
                self.encode(key, f"a key of {where}", "", depth + 1),
                self.encode(value, f"{where}[{key!r}]", f"{label}.{key}", depth + 1),
            ]
            for key, value in mapping.items()
        ]

    def _tensor(self, tensor: Tensor, label: str) -> int:
        if id(tensor) not in self.known:
            self.kept.append(tensor)
            self.known[id(tensor)] = len(self.tensors)
            self.tensors.append(
                {
                    "dtype": tensor.dtype.name,
                    "requires_grad": tensor.requires_grad,
                    "parameter": isinstance(tensor, Parameter),
                }
            )
            self.arrays.append(np.asarray(tensor._array))
            self.labels.append(label)
        return self.known[id(tensor)]

    def _lay_out(self) -> None:
        """Give every tensor its block: its own, or one common to all whose memory overlaps."""
        for group in _overlapping(self.arrays):
            if len(group) == 1:
                self.tensors[group[0]]["block"] = self._block(self.arrays[group[0]], self.labels[group[0]])
                continue
            members = [self.arrays[i] for i in group]
            low = min(np.lib.array_utils.byte_bounds(array)[0] for array in members)
            high = max(np.lib.array_utils.byte_bounds(array)[1] for array in members)
            block = np.zeros(high - low, np.uint8)
            dtypes = {array.dtype for array in members}
            for i, array in zip(group, members, strict=True):
                offset = array.__array_interface__["data"][0] - low
                np.ndarray(array.shape, array.dtype, block, offset, array.strides)[...] = array
                self.tensors[i] |= {"shape": array.shape, "offset": offset, "strides": array.strides}
            if len(dtypes) == 1 and block.nbytes % (dtype := dtypes.pop()).itemsize == 0:
                block = block.view(dtype)
            number = self._block(block, self.labels[group[0]])
            for i in group:
                self.tensors[i]["block"] = number

    def _block(self, array: Array, label: str) -> int:
        """Note down a block of numbers under a readable name of its own."""
        name = re.sub(r"[^A-Za-z0-9_.\-]", "_", label).strip(".")[:100] or "array"
        taken = {known for known, _ in self.blocks}
        unique, count = f"{name}.npy", 1
        while unique in taken:
            count += 1
            unique = f"{name}~{count}.npy"
        self.blocks.append((unique, array if array.flags.c_contiguous else np.ascontiguousarray(array)))
        return len(self.blocks) - 1


def _overlapping(arrays: list[Array]) -> Iterator[list[int]]:
    """The arrays by groups that share memory, in the order of the groups' first members."""
    spans = sorted((*np.lib.array_utils.byte_bounds(array), i) for i, array in enumerate(arrays) if array.size)
    groups: list[list[int]] = [[i] for i, array in enumerate(arrays) if not array.size]
    end = -1
    for low, high, i in spans:
        if low < end:
            groups[-1].append(i)
        else:
            groups.append([i])
        end = max(end, high)
    return iter(sorted((sorted(group) for group in groups), key=min))


def _member(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # equal values give equal bytes


def _cannot_save(value: object, where: str) -> str:
    kind = type(value)
    said = f"cannot save {where}, a {kind.__module__}.{kind.__qualname__}: only tensors and plain values are saved. "
    if isinstance(value, Module):
        return (
            f"{said}A model is code and numbers; the file keeps the numbers: save(model.state_dict(), file), and later "
            f"model = {kind.__name__}(...); model.load_state_dict(load(file))."
        )
    if hasattr(value, "state_dict"):
        return f"{said}Save its state_dict() and give it to load_state_dict() after loading."
    if callable(value):
        return f"{said}A function cannot be data: save its name or its settings."
    for plain in (dict, list, tuple, set, int, float, str):
        if isinstance(value, plain):
            return f"{said}Convert it first: {plain.__name__}(...)."
    if isinstance(value, np.ndarray | np.generic):
        return f"{said}NumPy data of dtype {value.dtype} have no fixed bytes."
    if isinstance(value, os.PathLike):
        return f"{said}Convert it first: str(...)."
    return f"{said}Convert it to a dict of plain values first, for example with vars(...)."


def _replace(path: str, content: bytes) -> None:
    """Write aside, in the same folder, and rename: whoever looks sees the old file or the new one, never a part."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist. Make it first: os.makedirs({folder!r})")
    if os.path.isdir(path):
        raise RuntimeError(
            f"{path} is a directory (open file failed with strerror: Is a directory). Name a file in it."
        )
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):  # /dev/null, a pipe: nothing to protect
        with open(path, "wb") as special:
            special.write(content)
        return
    aside = os.path.join(folder, f".{name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        if mode is not None:
            os.chmod(aside, stat.S_IMODE(mode))
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise
    with contextlib.suppress(OSError):  # make the new name itself durable, where folders can be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ------------------------------------------------------------------------------------------------------------- reading


def _read(file: IO[bytes], name: str) -> Any:
    start = file.read(16)
    file.seek(0)
    if not start:
        forgotten = "" if name.startswith("'") else ": is it at its end? buffer.seek(0) goes back to the beginning"
        raise EOFError(f"Ran out of input: {name} is empty{forgotten}")
    if not start.startswith(b"PK\x03\x04"):
        raise RuntimeError(f"{name} is not a file of save() or torch.save(): {_what_else(start)}")
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise RuntimeError(
            f"PytorchStreamReader failed reading zip archive: failed finding central directory. {name} is torn: it begins "
            "like a saved file and breaks off. It was probably cut while being copied or downloaded; fetch it again."
        ) from None
    with archive:
        names = archive.namelist()
        if INDEX in names:
            return _Reader(archive, name).value()
        for member in names:
            if member.endswith("data.pkl") and member.count("/") == 1:
                return _TorchReader(archive, name, member.partition("/")[0]).value()
        raise RuntimeError(
            f"{name} is a zip archive, but not one of save() or torch.save(): it holds {', '.join(names[:5]) or 'nothing'}"
        )


def _what_else(start: bytes) -> str:
    if start[:2] == b"\x80\x02" and b"\xfc\x9cF\xf9" in start:
        return "PyTorch older than 1.6 wrote it. Load it there and save it again with a newer PyTorch."
    if start.startswith(b"\x80"):
        return (
            "it looks like a pickle, and a pickle can run any code when loaded. Ask for a state dict of torch.save()."
        )
    if start.startswith(b"\x93NUMPY"):
        return "it is a NumPy array. Read it with torch.from_numpy(numpy.load(file))."
    if start.startswith(b"\x89HDF"):
        return "it is an HDF5 file, of Keras perhaps."
    if start.lstrip().startswith((b"<", b"{")):
        return "it is text (a web page saved in place of the file?)."
    return f"it begins with the bytes {start[:4]!r}."


def _contents(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    """One member, checked against the CRC-32 that the archive carries for it."""
    try:
        info = archive.getinfo(member)
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise RuntimeError(f"{name}: its member {member!r} is compressed or encrypted, which save() never does")
        return archive.read(info)
    except KeyError:
        raise RuntimeError(f"{name} is incomplete: its member {member!r} is missing") from None
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise RuntimeError(
            f"{name} is damaged: its member {member!r} does not agree with its checksum ({error}). Fetch or save it again."
        ) from None


class _Reader:
    """Rebuilds a value from an archive of our own."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.archive, self.name = archive, name

    def value(self) -> Any:
        raw = _contents(self.archive, INDEX, self.name)
        try:
            index = json.loads(raw)
            if index["format"] != "tinygrad_edu" or index["version"] > VERSION:
                raise RuntimeError(
                    f"{self.name} has format {index['format']!r} version {index['version']!r}; this tinygrad_edu reads "
                    f"versions up to {VERSION}. A newer tinygrad_edu will read it."
                )
            self.index = index
            self.blocks: list[Array | None] = [None] * len(index["blocks"])
            self.tensors = [self._tensor(entry) for entry in index["tensors"]]
            return self.decode(index["value"])
        except (KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise RuntimeError(f"{self.name} is damaged: its index {INDEX!r} makes no sense ({error!r})") from None

    def decode(self, encoded: Any) -> Any:
        if isinstance(encoded, list):
            return [self.decode(member) for member in encoded]
        if not isinstance(encoded, dict):
            return encoded
        kind, content = next(iter(encoded.items()))
        if kind == "tensor":
            return self.tensors[content]
        if kind == "dict":
            return {self.decode(key): self.decode(value) for key, value in content}
        if kind == "OrderedDict":
            ordered = OrderedDict((self.decode(key), self.decode(value)) for key, value in content)
            if "metadata" in encoded:
                ordered._metadata = self.decode(encoded["metadata"])  # type: ignore[attr-defined]  # as torch stores it
            return ordered
        if kind == "ndarray":
            return self._block(content)
        if kind == "numpy":
            return np.frombuffer(base64.b64decode(encoded["value"]), _plain(content))[0]
        return _KINDS[kind]([self.decode(m) for m in content] if isinstance(content, list) else content)

    def _tensor(self, entry: dict[str, Any]) -> Tensor:
        dtype = getattr(_dtype, entry["dtype"])
        if dtype not in _dtype.ALL:
            raise ValueError(f"dtype {entry['dtype']!r}")
        block = self._block(entry["block"])
        if "offset" in entry:  # NumPy refuses a window that reaches beyond the block
            block = np.ndarray(entry["shape"], dtype.numpy, block, entry["offset"], entry["strides"])
        elif block.dtype != dtype.numpy:
            raise ValueError(f"a block of {block.dtype} under a tensor of {dtype}")
        return _tensor(block, entry["requires_grad"], entry["parameter"])

    def _block(self, number: int) -> Array:
        block = self.blocks[number]
        if block is None:
            block = self.blocks[number] = _npy(_contents(self.archive, self.index["blocks"][number], self.name))
        return block


_KINDS: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "Size": Size,
    "int": lambda digits: int(digits, 16),
    "float": float,
    "complex": lambda parts: complex(*parts),
    "bytes": base64.b64decode,
    "bytearray": lambda text: bytearray(base64.b64decode(text)),
    "dtype": lambda name: {d.name: d for d in _dtype.ALL}[name],
    "device": device,
}


def _plain(dtype: str) -> np.dtype[Any]:
    found = np.dtype(dtype)
    if found.kind not in ARRAY_KINDS:
        raise ValueError(f"dtype {dtype!r}")
    return found


def _npy(content: bytes) -> Array:
    """The array in a ``.npy`` file; the header's shape must agree with the bytes that are there."""
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(file)
    if dtype.kind not in ARRAY_KINDS:
        raise ValueError(f"an array of dtype {dtype}")
    flat = np.frombuffer(content, dtype, offset=file.tell())
    return flat.reshape(shape, order="F" if fortran else "C").copy()


def _tensor(array: Array, requires_grad: bool, parameter: bool) -> Tensor:
    tensor = Tensor._of(array if array.ndim else array[()])
    if parameter:
        return Parameter(tensor, requires_grad)
    return tensor.requires_grad_() if requires_grad else tensor


class _TorchReader:
    """Rebuilds a value from an archive of torch.save."""

    def __init__(self, archive: zipfile.ZipFile, name: str, folder: str) -> None:
        self.archive, self.name, self.folder = archive, name, folder
        self.storages: dict[str, Array] = {}
        self.order = "<"

    def value(self) -> Any:
        if f"{self.folder}/byteorder" in self.archive.namelist():
            self.order = ">" if _contents(self.archive, f"{self.folder}/byteorder", self.name) == b"big" else "<"
        pickled = _contents(self.archive, f"{self.folder}/data.pkl", self.name)
        try:
            return SafeUnpickler(_TORCH_NAMES, self._storage, _TORCH_ADVICE).load(pickled)
        except pickle.UnpicklingError as error:
            raise pickle.UnpicklingError(f"Weights only load failed: {self.name}: {error}") from None

    def _storage(self, reference: Any) -> Array:
        tag, dtype, key, _location, count = reference
        if tag != "storage" or not isinstance(key, str) or not isinstance(dtype, np.dtype | _BFloat16):
            raise pickle.UnpicklingError(f"unknown reference {reference!r}")
        if key not in self.storages:
            raw = _contents(self.archive, f"{self.folder}/data/{key}", self.name)
            if isinstance(dtype, _BFloat16):
                warnings.warn(f"{self.name} holds bfloat16 numbers; they are loaded as float32, exactly.", stacklevel=2)
                halves = np.frombuffer(raw, self.order + "u2").astype(np.uint32)
                storage = (halves << np.uint32(16)).view(np.float32)  # a bfloat16 is the upper half of a float32
            else:
                storage = np.frombuffer(raw, self.order + dtype.str[1:]).astype(dtype)
            if storage.size != count:
                raise pickle.UnpicklingError(f"storage {key} holds {storage.size} numbers where {count} were announced")
            self.storages[key] = storage
        return self.storages[key]


class _BFloat16:
    """Stands for a dtype that NumPy does not have."""


def _rebuild_tensor(
    storage: Any,
    offset: Any,
    size: Any,
    strides: Any,
    requires_grad: Any = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    del hooks, metadata
    width = storage.itemsize
    array = np.ndarray(tuple(size), storage.dtype, storage, offset * width, tuple(s * width for s in strides))
    return _tensor(array, bool(requires_grad), False)


def _rebuild_parameter(data: Any, requires_grad: Any = True, hooks: Any = None) -> Parameter:
    del hooks
    return Parameter(data.detach(), bool(requires_grad))


def _bytearray(content: bytes | str = b"", codec: str = "latin-1") -> bytearray:
    del codec
    return bytearray(content.encode("latin1") if isinstance(content, str) else bytes(memoryview(content)))


_TORCH_ADVICE = (
    "Only tensors and plain values are read, and no code is run. If the file holds a whole model, load it with PyTorch "
    "and save model.state_dict() instead."
)
_STORAGES = {
    "Double": np.float64,
    "Float": np.float32,
    "Half": np.float16,
    "Long": np.int64,
    "Int": np.int32,
    "Short": np.int16,
    "Char": np.int8,
    "Byte": np.uint8,
    "Bool": np.bool_,
}
_TORCH_NAMES: dict[str, Any] = {
    **ARRAY_NAMES,
    "collections.OrderedDict": Maker(OrderedDict),
    "torch._utils._rebuild_tensor_v2": Maker(_rebuild_tensor),
    "torch._utils._rebuild_parameter": Maker(_rebuild_parameter),
    "torch.Size": Maker(Size),
    "torch.device": Maker(device),
    "torch.BFloat16Storage": _BFloat16(),
    **{f"torch.{name}Storage": np.dtype(kind) for name, kind in _STORAGES.items()},
    **{f"torch.{d.name}": d for d in _dtype.ALL},
    **{
        f"{module}.{kind.__name__}": Maker(kind)
        for module in ("builtins", "__builtin__")
        for kind in (set, frozenset, complex)
    },
    **{f"{module}.bytearray": Maker(_bytearray) for module in ("builtins", "__builtin__")},
}


def _check_location(location: object) -> None:
    """There is one place to load to; a request for another is refused as torch does on a machine without it."""
    wanted = [location] if isinstance(location, str | device) else []
    if isinstance(location, dict):
        wanted = list(location.values())
    for place in wanted:
        if str(place).partition(":")[0] != "cpu":
            kind = str(place).partition(":")[0].upper()
            raise RuntimeError(
                f"Attempting to deserialize object on a {kind} device but torch.{kind.lower()}.is_available() is False. "
                "Here everything runs on the CPU: use map_location='cpu', or leave it out."
            )

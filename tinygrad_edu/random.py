"""Random numbers: the very stream PyTorch draws on a CPU, so that one seed gives one result in both.

Everything comes from the 32-bit words of a Mersenne Twister (MT19937). Two kinds of uniform numbers are cut from them,
in order: from one word w the 24 low bits, ``(w & (2**24 - 1)) * 2**-24``, for float32; from two words the 53 low bits
of ``(first << 32) | second`` for float64 (and wherever PyTorch computes in double). All other distributions are short
formulas over these two. Numbers land in a tensor in the order of its memory, not of its indices.

On processors of Intel PyTorch draws ``bernoulli_`` with a number, dropout and ``exponential_`` from another generator
(MKL's); here they have one form on every machine.
"""

from __future__ import annotations

import contextlib
import math
import operator
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, overload

import numpy as np

from . import _dtype
from ._allocator import LARGE, keep_freed_memory
from ._core.modes import state
from ._creation import size_of
from ._dtype import dtype as torch_dtype
from ._ops.elementwise import clone_inside
from ._tensor import Tensor
from ._types import check_device, device

__all__ = [
    "Generator",
    "bernoulli",
    "bernoulli_",
    "cauchy_",
    "default_generator",
    "exponential_",
    "fork_rng",
    "geometric_",
    "get_rng_state",
    "initial_seed",
    "log_normal_",
    "manual_seed",
    "multinomial",
    "normal",
    "normal_",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "random_",
    "randperm",
    "seed",
    "set_rng_state",
    "uniform_",
]

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Size: TypeAlias = int | Sequence[int]
Device: TypeAlias = str | device | None

_U24 = np.uint32(2**24 - 1)
_HIGH21 = np.uint64(2**21 - 1)
_BITS32 = np.uint64(32)
_BLOCK = 16  # PyTorch makes normal numbers in blocks of sixteen
_STATE_BYTES = 5056  # sizeof(CPUGeneratorImplState)
_DEFAULT_SEED = 67280421310721
_C_TYPES = {  # what PyTorch's messages call the types in C
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long",
    "float16": "c10::Half",
    "float32": "float",
    "float64": "double",
}
_SIGNIFICAND = {np.dtype(np.float16): 11, np.dtype(np.float32): 24, np.dtype(np.float64): 53}


class Generator:
    """A stream of random numbers with a seed and a state of its own.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> g = torch.Generator().manual_seed(0)
    >>> torch.rand(3, generator=g)
    tensor([0.4963, 0.7682, 0.0885])
    """

    __slots__ = ("__weakref__", "_seed", "_spare", "_stream", "_words_of")

    def __init__(self, device: object = "cpu") -> None:
        if str(device).partition(":")[0] != "cpu":
            raise RuntimeError(
                f"Device type {device} is not supported for torch.Generator() api: only 'cpu' exists here"
            )
        self._seed = _DEFAULT_SEED
        self._spare: float | None = None  # the sine half of a pair whose cosine half was asked for

    def __getattr__(self, name: str) -> Any:
        """Make the stream when it is first used: to import ``numpy.random`` takes half as long as this whole package."""
        if name not in ("_stream", "_words_of"):
            raise AttributeError(f"'Generator' object has no attribute {name!r}")
        self._words_of = np.random.MT19937(0)
        self._stream = np.random.RandomState(self._words_of)
        self._stream.seed(self._seed & 0xFFFFFFFF)
        return getattr(self, name)

    @property
    def device(self) -> device:
        """Where the numbers are _made: always the CPU."""
        return device("cpu")

    def manual_seed(self, seed: int) -> Generator:
        """Begin the stream that belongs to ``seed`` (any integer from -2**63 to 2**64 - 1) and return the generator."""
        if isinstance(seed, float) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        number = int(seed.__index__())
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"Overflow when unpacking long long: a seed lies from -2**63 to 2**64 - 1, not {number}")
        self._start(number % 2**64)
        return self

    def initial_seed(self) -> int:
        """Tell the seed the stream began with."""
        return self._seed

    def seed(self) -> int:
        """Begin a stream nobody can foresee; return its seed."""
        from secrets import randbits  # loads OpenSSL

        self._start(randbits(53))
        return self._seed

    def get_state(self) -> Tensor:
        """Copy the whole state into a tensor of 5056 bytes, laid out as PyTorch lays it out."""
        return _wrapped(self._state_bytes())

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue from a state that ``get_state`` (ours or PyTorch's) gave."""
        if not isinstance(new_state, Tensor) or new_state._array.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if new_state._array.size != _STATE_BYTES:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE_BYTES} but found the input RNG state size to be "
                f"{new_state._array.size}: hand over what get_state() returned"
            )
        self._continue_from(np.ascontiguousarray(new_state._array).reshape(-1))
        return self

    def clone_state(self) -> Generator:
        """Make another generator that will draw the same numbers from here on."""
        twin = Generator()
        twin._continue_from(self._state_bytes())
        return twin

    def __getstate__(self) -> Array:
        return self._state_bytes()

    def __setstate__(self, state: Array) -> None:
        self.__init__()  # type: ignore[misc]  # pickle makes the object without calling it
        self._continue_from(state)

    # ------------------------------------------------------------------ state

    def _start(self, seed: int) -> None:
        self._seed = seed
        self._stream.seed(seed & 0xFFFFFFFF)
        self._spare = None

    def _state_bytes(self) -> Array:
        """PyTorch's struct: seed u64, left i32, seeded i32, next u64, 624 x u64, normal x, y, rho f64, valid i32, float's own."""
        engine: Any = self._words_of.state["state"]
        key, position = engine["key"], int(engine["pos"])
        fresh = position == 624 and np.array_equal(
            key, np.random.RandomState(self._seed & 0xFFFFFFFF).get_state(legacy=False)["state"]["key"]
        )
        state = np.zeros(_STATE_BYTES, np.uint8)
        state[0:8].view(np.uint64)[0] = self._seed
        state[8:16].view(np.int32)[:] = (1 if fresh else 625 - position, 1)
        state[16:24].view(np.uint64)[0] = 0 if fresh else position
        state[24:5016].view(np.uint64)[:] = key
        if self._spare is not None:
            state[5024:5032].view(np.float64)[0] = self._spare
            state[5040:5044].view(np.int32)[0] = 1
        return state

    def _continue_from(self, state: Array) -> None:
        left = int(state[8:12].view(np.int32)[0])
        position = int(state[16:24].view(np.uint64)[0])
        if not (left == 1 or (1 <= left <= 624 and left + position == 625)):
            raise RuntimeError("Invalid mt19937 state: these bytes did not come from get_state()")
        key = state[24:5016].view(np.uint64).astype(np.uint32)
        self._words_of.state = {
            "bit_generator": "MT19937",
            "state": {"key": key, "pos": 624 if left == 1 else position},
        }
        self._seed = int(state[0:8].view(np.uint64)[0])
        self._spare = float(state[5024:5032].view(np.float64)[0]) if state[5040:5044].view(np.int32)[0] else None

    # ------------------------------------------------------------------ words and uniforms, as flat arrays

    def _words(self, n: int) -> Array:
        """Draw n raw words (uint32)."""
        if n < 256:  # the same stream by the door that costs less to open
            return self._words_of.random_raw(n).astype(np.uint32)
        return self._stream.randint(0, 2**32, size=n, dtype=np.uint32)

    def _pairs(self, n: int, keep: np.uint64 = _HIGH21) -> Array:
        """Draw n numbers of 64 bits from two words each, the first word above, cut to ``keep`` of the high bits."""
        words = self._words(2 * n)
        high = words[0::2].astype(np.uint64)
        high &= keep
        high <<= _BITS32
        high |= words[1::2]
        return high

    def _wide(self, n: int) -> Array:
        return self._pairs(n, np.uint64(2**32 - 1))

    def _u24(self, n: int) -> Array:
        words = self._words(n)
        words &= _U24
        return words.astype(np.float32) * np.float32(2**-24)

    def _u53(self, n: int) -> Array:
        return self._pairs(n) * 2.0**-53

    # ------------------------------------------------------------------ distributions, as flat arrays in order of memory

    def _uniform(self, n: int, dtype: np.dtype[Any], low: float = 0.0, high: float = 1.0) -> Array:
        wide = dtype == np.float64
        unit = self._u53(n) if wide else self._u24(n)
        if low != 0.0 or high != 1.0:
            unit = _scaled(unit, high - low if wide else float(np.float32(high) - np.float32(low)), low)
        elif dtype != np.float16:
            return unit  # always below one
        out = unit.astype(dtype, copy=False)
        out[out == dtype.type(high)] = low  # the upper end, reached by rounding alone, is not in the range
        return out

    def _polar(self, n: int) -> Array:
        """Normal numbers in double precision, two from each pair of uniforms (Box and Muller 1958)."""
        out = np.empty(n)
        start = 0
        if self._spare is not None and n:
            out[0], self._spare, start = self._spare, None, 1
        missing = n - start
        if missing:
            u = self._u53(2 * ((missing + 1) // 2)).reshape(-1, 2)
            radius = np.sqrt(-2.0 * np.log1p(-u[:, 1]))
            angle = 2.0 * math.pi * u[:, 0]
            sines = radius * np.sin(angle)
            out[start::2] = radius * np.cos(angle)
            out[start + 1 :: 2] = sines[: missing // 2]
            if missing % 2:
                self._spare = float(sines[-1])
        return out

    def _normal(
        self, n: int, dtype: np.dtype[Any], mean: float = 0.0, std: float = 1.0, *, contiguous: bool = True
    ) -> Array:
        """Normal numbers: in blocks of sixteen if there are that many and the memory is one run, else in polar pairs."""
        if n < _BLOCK or not contiguous:
            return _cast(self._polar(n) * std + mean, dtype)
        uniforms = self._u53 if dtype == np.float64 else self._u24
        full = n - n % _BLOCK
        unit = uniforms(full if dtype == np.float16 else n)
        out = np.empty(n, unit.dtype)
        out[:full] = _in_blocks(unit[:full])
        if full < n:  # the last sixteen are made afresh, over what stood there
            out[n - _BLOCK :] = _in_blocks(uniforms(_BLOCK))
        if std != 1.0 or mean != 0.0:
            out = _scaled(out, std, mean)
        return out.astype(dtype, copy=False)

    def _log_normal(self, n: int, dtype: np.dtype[Any], mean: float, std: float) -> Array:
        return _cast(np.exp(self._polar(n) * std + mean), dtype)

    def _randint(self, n: int, low: int, span: int) -> Array:
        """Integers from low to low + span - 1 as int64."""
        if span >= 2**28:  # a single word would prefer small remainders
            drawn = self._wide(n)
            if span < 2**64:
                drawn %= np.uint64(span)
            return drawn.view(np.int64) + np.int64(low)
        return (self._words(n) % np.uint32(span)).astype(np.int64) + low

    def _random(self, n: int, dtype: np.dtype[Any]) -> Array:
        """What ``random_()`` without bounds gives: all integers the dtype can tell apart."""
        if dtype == np.bool_:
            return (self._words(n) & np.uint32(1)).astype(dtype)
        if dtype.kind == "f":
            limit = 2 ** _SIGNIFICAND[dtype] + 1
            drawn = self._wide(n) if dtype == np.float64 else self._words(n)
            drawn %= drawn.dtype.type(limit)
            return drawn.astype(dtype)
        if dtype == np.int64:
            return (self._wide(n) & np.uint64(2**63 - 1)).view(np.int64)
        return (self._words(n) % np.uint32(int(np.iinfo(dtype).max) + 1)).astype(dtype)

    def _randperm(self, n: int) -> Array:
        """Shuffle 0 .. n-1 (Fisher and Yates, from the front)."""
        order = list(range(n))
        if n > 1:
            steps = np.arange(n - 1)
            partners = self._words(n - 1) % (n - steps).astype(np.uint32) + steps
            for i, j in enumerate(partners.tolist()):
                order[i], order[j] = order[j], order[i]
        return np.array(order, dtype=np.int64)

    def _bernoulli(self, n: int, p: float) -> Array:
        """Booleans, true with probability p: the 53-bit uniform lies below p."""
        return self._pairs(n) < np.uint64(math.ceil(math.ldexp(p, 53)))

    def _keep_mask(self, like: Array | tuple[int, ...], p: float) -> Array:
        """Booleans, false with probability p, for dropout: of the shape, and in the memory order, of ``like``."""
        if isinstance(like, tuple):
            return self._bernoulli(math.prod(like), 1.0 - p).reshape(like)
        return _in_memory_order(self._bernoulli(like.size, 1.0 - p), like)

    def _exponential(self, n: int, dtype: np.dtype[Any], rate: float = 1.0) -> Array:
        return _cast(-1.0 / rate * np.log1p(-self._u53(n)), dtype)

    def _cauchy(self, n: int, dtype: np.dtype[Any], median: float, sigma: float) -> Array:
        return _cast(median + sigma * np.tan(math.pi * (self._u53(n) - 0.5)), dtype)

    def _geometric(self, n: int, p: float) -> Array:
        return np.ceil(np.log(self._u53(n)) / math.log1p(-p))

    def _multinomial(self, weights: Array, count: int, replacement: bool) -> Array:
        """Draw ``count`` column numbers from each row of weights."""
        rows, columns = weights.shape
        if not replacement or count == 1:  # the exponential race: the i-th weight finishes first with probability ~ w_i
            race: Array = weights / self._exponential(weights.size, weights.dtype).reshape(rows, columns)
            if count == 1:
                first: Array = np.argmax(race, axis=1, keepdims=True)
                return first
            return np.argsort(-race, axis=1, kind="stable")[:, :count]
        sums = np.cumsum(weights, axis=1, dtype=weights.dtype)
        sums /= sums[:, -1:].copy()
        sums[:, -1] = 1
        points = self._u53(rows * count).reshape(rows, count)
        return np.stack([np.searchsorted(row, point, side="left") for row, point in zip(sums, points, strict=True)])


def _scaled(x: Array, scale: float, shift: float) -> Array:
    """x * scale + shift, rounded once for float32, as processors with fused multiply-add do it."""
    if x.dtype == np.float64:
        return x * scale + shift
    return (x.astype(np.float64) * float(np.float32(scale)) + float(np.float32(shift))).astype(np.float32)


def _cast(x: Array, dtype: np.dtype[Any]) -> Array:
    """Round doubles to ``dtype``; to float16 by way of float32, as PyTorch does."""
    return (x.astype(np.float32) if dtype == np.float16 else x).astype(dtype, copy=False)


def _in_blocks(unit: Array) -> Array:
    """Turn uniforms into normals, sixteen at a time: eight radii and eight angles give eight cosines and eight sines."""
    blocks = unit.reshape(-1, 2, 8)
    number = unit.dtype.type
    radius = np.sqrt(number(-2) * np.log(number(1) - blocks[:, 0]))
    angle = number(2 * math.pi) * blocks[:, 1]
    out = np.empty_like(blocks)
    np.multiply(radius, np.cos(angle), out=out[:, 0])
    np.multiply(radius, np.sin(angle), out=out[:, 1])
    return out.reshape(-1)


def _in_memory_order(flat: Array, like: Array) -> Array:
    """Shape a flat array as ``like``, its elements following each other as they do in the memory of ``like``."""
    if like.flags.c_contiguous:
        return flat.reshape(like.shape)
    order = sorted(range(like.ndim), key=lambda axis: -abs(like.strides[axis]))
    return flat.reshape([like.shape[axis] for axis in order]).transpose(np.argsort(order))


default_generator = Generator()


# ---------------------------------------------------------------------- seeds and states of the default generator


def manual_seed(seed: int) -> Generator:
    """Begin the default stream that belongs to ``seed``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Begin a default stream nobody can foresee; return its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """Tell the seed the default stream began with."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Copy the state of the default generator into a tensor of bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default stream from a state that ``get_rng_state`` gave."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: object = None, enabled: bool = True) -> Iterator[None]:
    """Put the default stream back, on leaving the block, to where it was on entering."""
    if not enabled:
        yield
        return
    state = default_generator._state_bytes()
    try:
        yield
    finally:
        default_generator._continue_from(state)


# ---------------------------------------------------------------------- what the functions share


def stream(generator: Generator | None, name: str, *inputs: object) -> Generator:
    """The generator to draw from; what is drawn inside vmap, where it may depend on ``inputs``, is decided there."""
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: generator must be a torch.Generator, "
            f"not {type(generator).__name__}; make one with torch.Generator().manual_seed(0)"
        )
    source = default_generator if generator is None else generator
    if state.batched is not None:
        source = state.batched.draws(source, inputs)
    return source


def _shape_of(name: str, sizes: tuple[Size, ...], size: Sequence[int] | None) -> tuple[int, ...]:
    """The shape meant by ``rand(2, 3)``, ``rand((2, 3))`` or ``rand(size=(2, 3))``."""
    if size is not None:
        sizes = (tuple(size),)
    if not sizes:
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got (), but expected a size: {name}(2, 3)"
        )
    return size_of(*sizes)


def _wanted_dtype(dtype: torch_dtype | None) -> np.dtype[Any]:
    """The NumPy dtype asked for, or the default one."""
    return _dtype.default.numpy if dtype is None else _dtype.as_numpy(dtype)


def _wrapped(array: Array) -> Tensor:
    """Make a tensor of an array, without copying."""
    if array.nbytes > LARGE:
        keep_freed_memory()
    out: Tensor = Tensor._of(array)
    return out


def _made(flat: Array, shape: tuple[int, ...], requires_grad: bool) -> Tensor:
    """Wrap drawn numbers."""
    out = _wrapped(flat.reshape(shape))
    return out.requires_grad_() if requires_grad else out


def _made_like(flat: Array, like: Array, requires_grad: bool) -> Tensor:
    """Wrap drawn numbers in the memory order of another array."""
    out = _wrapped(_in_memory_order(flat, like))
    return out.requires_grad_() if requires_grad else out


def _layout_of(array: Array) -> Array:
    """An array of the memory order a copy of this one would have (not written, never read)."""
    return array if array.flags.c_contiguous else np.empty_like(array, subok=False)


def _need_float(dtype: np.dtype[Any], kernel: str) -> None:
    """Refuse integers where the distribution is continuous."""
    if dtype.kind != "f":
        raise NotImplementedError(
            f"\"{kernel}\" not implemented for '{_dtype.scalar_name(dtype)}': "
            "draw in a floating dtype, for example dtype=torch.float32, and convert the result"
        )


def _need_continuous(dtype: np.dtype[Any], name: str) -> None:
    """Refuse integers, in the words of ``exponential_`` and ``cauchy_``."""
    if dtype.kind != "f":
        word = _dtype.scalar_name(dtype) if name == "Exponential" else _C_TYPES[dtype.name]
        word = "long int" if word == "long" else word
        raise RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating point "
            f"but you specified {word}"
        )


def _need_std(std: float) -> None:
    """Refuse a negative spread."""
    if not std >= 0.0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}: a standard deviation cannot be negative")


def _need_probability(p: float) -> None:
    """Refuse what is no probability."""
    if not 0.0 <= p <= 1.0:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")


def _need_range(low: int, high: int, dtype: np.dtype[Any]) -> None:
    """Refuse an empty range, and bounds the dtype cannot hold."""
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if dtype.kind == "f":
        least, most = -float(np.finfo(dtype).max), float(np.finfo(dtype).max)
    elif dtype.kind == "b":
        least, most = 0, 1
    else:
        least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if not least <= bound <= most:
            raise RuntimeError(
                f"{name} is out of bounds for {_C_TYPES[dtype.name]}: {bound} does not lie from {least} to {most}"
            )
        if dtype.kind == "f" and abs(bound) > 2 ** _SIGNIFICAND[dtype]:
            warnings.warn(
                f"{name} is out of bounds [-(2^{_SIGNIFICAND[dtype]}), 2^{_SIGNIFICAND[dtype]}]. Due to precision limitations "
                f"{_C_TYPES[dtype.name]} can support discrete uniform distribution only within this range.",
                UserWarning,
                stacklevel=4,
            )


def _whole(value: object, name: str) -> int:
    """An integer argument, refused if it is none."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}() received an invalid combination of arguments: bounds must be int, not {type(value).__name__}"
        )
    try:
        return operator.index(value)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None


def _refuse_requires_grad(dtype: np.dtype[Any], requires_grad: bool) -> None:
    """Refuse a gradient for integers before anything is drawn."""
    if requires_grad and dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")


# ---------------------------------------------------------------------- new tensors


def rand(
    *sizes: Size,
    size: Sequence[int] | None = None,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw numbers uniformly from [0, 1).

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2, 2)
    tensor([[0.4963, 0.7682],
            [0.0885, 0.1320]])
    """
    check_device(device)
    source, shape, kind = stream(generator, "rand"), _shape_of("rand", sizes, size), _wanted_dtype(dtype)
    _need_float(kind, "check_uniform_bounds")
    return _made(source._uniform(math.prod(shape), kind), shape, requires_grad)


def randn(
    *sizes: Size,
    size: Sequence[int] | None = None,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw numbers from the standard normal distribution.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    check_device(device)
    source, shape, kind = stream(generator, "randn"), _shape_of("randn", sizes, size), _wanted_dtype(dtype)
    _need_float(kind, "normal_kernel_cpu")
    return _made(source._normal(math.prod(shape), kind), shape, requires_grad)


def randint(
    low: int = 0,
    high: int | Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw integers from low to high - 1, all alike likely: ``randint(high, size)`` or ``randint(low, high, size)``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randint(3, 10, (4,))
    tensor([7, 6, 3, 5])
    """
    if isinstance(high, Sequence) and size is None:
        first, last, size = 0, low, high
    elif high is None:
        first, last = 0, low
    else:
        first, last = low, high  # type: ignore[assignment]  # _whole() refuses what is no integer
    if not isinstance(size, Sequence):
        raise TypeError(
            "randint() received an invalid combination of arguments: the size must be a tuple, as in "
            "torch.randint(0, 10, (2, 3))"
        )
    check_device(device)
    kind = _dtype.int64.numpy if dtype is None else _dtype.as_numpy(dtype)
    source, shape = stream(generator, "randint"), size_of(tuple(size))
    first, last = _whole(first, "randint"), _whole(last, "randint")
    if not (-(2**63) <= first < 2**63 and -(2**63) <= last < 2**63):
        raise ValueError("Overflow when unpacking long long: bounds lie from -2**63 to 2**63 - 1")
    _refuse_requires_grad(kind, requires_grad)
    _need_range(first, last, kind)
    return _made(source._randint(math.prod(shape), first, last - first).astype(kind), shape, requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Shuffle the numbers 0 to n - 1.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    n = operator.index(n)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    check_device(device)
    source = stream(generator, "randperm")
    kind = _dtype.int64.numpy if dtype is None else _dtype.as_numpy(dtype)
    if kind == np.bool_:
        raise NotImplementedError("\"randperm\" not implemented for 'Bool'")
    most = 2 ** _SIGNIFICAND[kind] + 1 if kind.kind == "f" else int(np.iinfo(kind).max)
    if n > most:
        raise RuntimeError(f"n cannot be greater than {most} for {_dtype.scalar_name(kind)} type.")
    _refuse_requires_grad(kind, requires_grad)
    return _made(source._randperm(n).astype(kind, copy=False), (n,), requires_grad)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw numbers uniformly from [0, 1), as many as ``input`` has."""
    check_device(device)
    source, layout = stream(generator, "rand_like"), _layout_of(input._array)
    kind = layout.dtype if dtype is None else _dtype.as_numpy(dtype)
    _need_float(kind, "check_uniform_bounds")
    return _made_like(source._uniform(layout.size, kind), layout, requires_grad)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw normal numbers, as many as ``input`` has."""
    check_device(device)
    source, layout = stream(generator, "randn_like"), _layout_of(input._array)
    kind = layout.dtype if dtype is None else _dtype.as_numpy(dtype)
    _need_float(kind, "normal_kernel_cpu")
    return _made_like(source._normal(layout.size, kind, contiguous=layout.flags.c_contiguous), layout, requires_grad)


def randint_like(
    input: Tensor,
    low: int | None = None,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw integers from low to high - 1, as many as ``input`` has: ``randint_like(input, high)`` or with low and high."""
    if low is None and high is None:
        raise TypeError("randint_like() received an invalid combination of arguments: give at least high")
    first, last = (0, low if high is None else high) if low is None or high is None else (low, high)
    check_device(device)
    source, layout = stream(generator, "randint_like"), _layout_of(input._array)
    kind = layout.dtype if dtype is None else _dtype.as_numpy(dtype)
    _begin, end = _whole(first, "randint_like"), _whole(last, "randint_like")
    _refuse_requires_grad(kind, requires_grad)
    _need_range(_begin, end, kind)
    return _made_like(source._randint(layout.size, _begin, end - _begin).astype(kind), layout, requires_grad)


@overload
def normal(mean: Tensor, std: Tensor | float = 1.0, *, generator: Generator | None = None) -> Tensor: ...
@overload
def normal(mean: float, std: Tensor, *, generator: Generator | None = None) -> Tensor: ...
@overload
def normal(
    mean: float,
    std: float,
    size: Sequence[int],
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor: ...
def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: torch_dtype | None = None,
    device: Device = None,
    requires_grad: bool = False,
) -> Tensor:
    """Draw normal numbers with a mean and a standard deviation, each a number or a tensor of one per element.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.normal(torch.tensor([0.0, 10.0, 20.0]), 0.1)
    tensor([ 0.1541,  9.9707, 19.7821])
    """
    source = stream(generator, "normal", mean, std)
    check_device(device)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if not isinstance(size, Sequence):
            raise TypeError(
                "normal() received an invalid combination of arguments: two numbers need a size too, as in "
                "torch.normal(0.0, 1.0, (2, 3))"
            )
        shape, kind = size_of(tuple(size)), _wanted_dtype(dtype)
        _need_float(kind, "normal_kernel_cpu")
        _need_std(std)
        return _made(source._normal(math.prod(shape), kind, mean, std), shape, requires_grad)
    if size is not None or dtype is not None:
        raise TypeError("normal() received an invalid combination of arguments: size and dtype follow from the tensor")
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    kind = tensors[0]._array.dtype
    _need_float(kind, "normal_kernel_cpu")
    try:
        shape = np.broadcast_shapes(*(x._array.shape for x in tensors))
    except ValueError:
        raise RuntimeError(
            f"The size of mean {tuple(tensors[0]._array.shape)} must match the size of std {tuple(tensors[1]._array.shape)}, "
            "or one of them must be broadcast to the other"
        ) from None
    count = math.prod(shape)
    if isinstance(std, Tensor):
        if std._array.size and not std._array.min() >= 0:
            raise RuntimeError("normal expects all elements of std >= 0.0: a standard deviation cannot be negative")
        out = source._normal(count, kind).reshape(shape)
        out = out * std._array
    else:
        _need_std(std)
        out = source._normal(count, kind, 0.0, std).reshape(shape)
    return _wrapped(out + (mean._array if isinstance(mean, Tensor) else mean))


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """Draw ones and zeros: a one with the probability that stands in ``input`` (or, if given, with probability p).

    The gradient with respect to ``input`` is zero.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.bernoulli(torch.tensor([0.0, 0.5, 1.0]))
    tensor([0., 0., 1.])
    """
    source, array = stream(generator, "bernoulli", input), input._writable()
    array = array if array.flags.c_contiguous else np.ascontiguousarray(array)
    if p is None:
        drawn = _with_each_probability(source, array, array)
    else:
        _need_probability(p)
        drawn = source._bernoulli(array.size, p)
    drawn = drawn.astype(array.dtype).reshape(input._array.shape)
    if not input.requires_grad:
        return _wrapped(drawn)
    out: Tensor = clone_inside(input)  # carries the history that the zero gradient flows into
    out._replace(drawn, "BernoulliBackward0")
    return out


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Draw column numbers, each as likely as its weight: ``num_samples`` for every row of ``input``.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.multinomial(torch.tensor([0.0, 1.0, 3.0]), 2)
    tensor([2, 1])
    """
    weights = input._writable()
    source = stream(generator, "multinomial", input)
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim: got {weights.ndim} dimensions")
    if weights.dtype.kind != "f":
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {_dtype.scalar_name(weights.dtype)}"
        )
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples: got {num_samples}")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"asked for {num_samples} of {weights.shape[-1]}"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if (np.sum(weights, axis=-1) <= 0).any():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    drawn = source._multinomial(weights.reshape(-1, weights.shape[-1]), num_samples, replacement)
    return _wrapped(drawn.reshape((*weights.shape[:-1], num_samples)))


def _with_each_probability(source: Generator, p: Array, layout: Array) -> Array:
    """Booleans in the memory order of ``layout``, each true with the probability at its place in ``p``."""
    _need_float(p.dtype, "bernoulli_tensor_cpu_p_")
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false: every probability lies from 0 to 1"
        )
    unit = source._u53(layout.size) if p.dtype == np.float64 else source._u24(layout.size)
    below: Array = _in_memory_order(unit, layout) < p
    return below


# ---------------------------------------------------------------------- in place: the methods of Tensor


def normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers."""
    source = _begin(input, "normal_", generator, mean=mean, std=std)
    _need_std(std)
    array = input._writable()
    _need_float(array.dtype, "normal_kernel_cpu")
    drawn = source._normal(array.size, array.dtype, mean, std, contiguous=array.flags.c_contiguous)
    return input._replace(_in_memory_order(drawn, array), "NormalBackward0")


def uniform_(input: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers drawn uniformly from ``[from, to)``."""
    source = _begin(input, "uniform_", generator, **{"from": from_, "to": to})
    array = input._writable()
    _need_float(array.dtype, "check_uniform_bounds")
    most = float(np.finfo(array.dtype).max)
    for name, bound in (("from", from_), ("to", to)):
        if not -most <= bound <= most:
            raise RuntimeError(f"{name} is out of bounds for {_C_TYPES[array.dtype.name]}: {bound}")
    if from_ > to:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={from_:g} > to={to:g}")
    return input._replace(
        _in_memory_order(source._uniform(array.size, array.dtype, from_, to), array), "UniformBackward0"
    )


def bernoulli_(input: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with ones and zeros: a one with probability p, a number or a tensor of one per element."""
    array = input._writable()
    if isinstance(p, Tensor):
        _begin(input, "bernoulli_", generator)
        source = stream(generator, "bernoulli_", p)
        try:
            chances = np.broadcast_to(p._array, array.shape)
        except ValueError:
            raise RuntimeError(
                f"The expanded size of the tensor {tuple(array.shape)} must match the existing size {tuple(p.shape)}: "
                "p must broadcast to the tensor that is filled"
            ) from None
        if chances.dtype.kind != "f":
            chances = chances.astype(np.float32)
        drawn = _with_each_probability(source, chances, array)
    else:
        source = _begin(input, "bernoulli_", generator, p=p)
        _need_probability(p)
        drawn = _in_memory_order(source._bernoulli(array.size, p), array)
    return input._replace(drawn.astype(array.dtype), f"BernoulliBackward{1 if isinstance(p, Tensor) else 2}")


def exponential_(input: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with exponentially distributed numbers of rate lambd (mean 1 / lambd)."""
    source = _begin(input, "exponential_", generator, lambd=lambd)
    array = input._writable()
    _need_continuous(array.dtype, "Exponential")
    if not lambd > 0.0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
    return input._replace(
        _in_memory_order(source._exponential(array.size, array.dtype, lambd), array), "ExponentialBackward0"
    )


def random_(
    input: Tensor, from_: int | None = None, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Fill with integers: ``random_()`` all the dtype can hold, ``random_(to)`` below ``to``, ``random_(from, to)``."""
    source = _begin(input, "random_", generator)
    array = input._writable()
    if from_ is None and to is None:
        drawn = source._random(array.size, array.dtype)
    else:
        first, last = (0, from_ if to is None else to) if from_ is None or to is None else (from_, to)
        begins, ends = _whole(first, "random_"), _whole(last, "random_")
        _need_range(begins, ends, array.dtype)
        drawn = source._randint(array.size, begins, ends - begins).astype(array.dtype)
    return input._replace(_in_memory_order(drawn, array), "RandomBackward0")


def cauchy_(input: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution."""
    source = _begin(input, "cauchy_", generator, median=median, sigma=sigma)
    array = input._writable()
    _need_continuous(array.dtype, "Cauchy")
    if not sigma > 0.0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    return input._replace(
        _in_memory_order(source._cauchy(array.size, array.dtype, median, sigma), array), "CauchyBackward0"
    )


def log_normal_(input: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers whose logarithms are normal with this mean and standard deviation."""
    source = _begin(input, "log_normal_", generator, mean=mean, std=std)
    if not std > 0.0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    array = input._writable()
    _need_float(array.dtype, "log_normal_cpu")
    return input._replace(
        _in_memory_order(source._log_normal(array.size, array.dtype, mean, std), array), "LogNormalBackward0"
    )


def geometric_(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of tries until the first success of probability p."""
    source = _begin(input, "geometric_", generator, p=p)
    if not 0.0 < p < 1.0:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    array = input._writable()
    return input._replace(
        _in_memory_order(source._geometric(array.size, p).astype(array.dtype), array), "GeometricBackward0"
    )


def _begin(input: Tensor, name: str, generator: Generator | None, **numbers: object) -> Generator:
    """Check an in-place fill before anything is drawn or written, and give the generator."""
    for position, (argument, value) in enumerate(numbers.items(), 1):
        if isinstance(value, Tensor) or not hasattr(value, "__float__"):
            raise TypeError(
                f"{name}(): argument '{argument}' (position {position}) must be float, not {type(value).__name__}"
            )
    input._begin_write(name)
    if not input._array.flags.writeable and hasattr(input._array, "__setitem__"):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location, "
            f"or the memory is read-only. Please clone() the tensor before performing the operation ({name})."
        )
    return stream(generator, name)


# The class stands a floor below and cannot reach up: what is a method too is handed to it here.
for method in (
    bernoulli,
    bernoulli_,
    cauchy_,
    exponential_,
    geometric_,
    log_normal_,
    multinomial,
    normal_,
    random_,
    uniform_,
):
    setattr(Tensor, method.__name__, method)
del method

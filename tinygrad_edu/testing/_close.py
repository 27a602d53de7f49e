"""Are two results equal within tolerances? torch.testing.assert_close, with its tolerances and its words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _dtype
from .._creation import as_tensor
from .._functions.elementwise import isclose
from .._machine import promote_types
from .._tensor import Tensor

__all__ = ["assert_close"]

Item = tuple[object, ...]  # the indices and keys that lead to a pair inside nested sequences and mappings
Tolerances = tuple[float, float]  # relative, absolute

_TOLERANCES: dict[str, Tolerances] = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}
_EXACT: Tolerances = (0.0, 0.0)  # of integers and booleans
_NUMBERS = (int, float, complex, np.number)
_BOOLEANS = (bool, np.bool_)


@dataclass(frozen=True, kw_only=True)
class _Rules:
    """What a comparison was asked to look at."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool

    def tolerances(self, *defaults: Tolerances, item: Item) -> Tolerances:
        """Return what was asked for, else the loosest of the defaults."""
        __tracebackhide__ = True
        if (self.rtol is None) != (self.atol is None):
            missing = "rtol" if self.rtol is None else "atol"
            raise ValueError(
                _located(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.", item)
            )
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        return max(rtol for rtol, _ in defaults), max(atol for _, atol in defaults)


def assert_close(
    actual: object,
    expected: object,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Require |actual - expected| <= atol + rtol * |expected| everywhere, and equal shapes and dtypes.

    Compares two tensors, two arrays, two numbers, two booleans or two Nones, and sequences and mappings of these, nested
    as deep as you like. Python numbers must be of one type, unless ``check_dtype=False``.

    ======================== ======= ======
    dtype                    rtol    atol
    ======================== ======= ======
    float16                  1e-3    1e-5
    float32                  1.3e-6  1e-5
    float64, Python's float  1e-7    1e-7
    integers, bool           0       0
    ======================== ======= ======

    Parameters
    ----------
    allow_subclasses
        Whether a Parameter may be compared with a Tensor.
    rtol, atol
        Relative and absolute tolerance: both or neither, which takes the table's (of two dtypes the looser one).
    equal_nan
        Whether NaN equals NaN.
    check_device, check_dtype, check_layout, check_stride
        What must agree beside shape and values. Everything lives on the CPU, strided, so only two of these can fail.
    msg
        Words instead of ours, or a function of ours: ``lambda words: "layer 3: " + words``.

    Raises
    ------
    AssertionError
        If they differ; says how much and where.
    TypeError
        If the two cannot be compared, such as a tensor with an array.
    ValueError
        If only one of ``rtol`` and ``atol`` is given.

    Examples
    --------
    >>> import tinygrad_edu as torch
    >>> from tinygrad_edu.testing import assert_close
    >>> x = torch.tensor([0.1, 0.2])
    >>> assert_close(x + x, 2 * x)
    >>> assert_close({"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([1.0, 2.5])})
    Traceback (most recent call last):
        ...
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.20000000298023224 at index (1,) (up to 1.3e-06 allowed)
    <BLANKLINE>
    The failure occurred for item ['w']
    """
    __tracebackhide__ = True
    rules = _Rules(
        allow_subclasses=allow_subclasses,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_device=check_device,
        check_dtype=check_dtype,
        check_layout=check_layout,
        check_stride=check_stride,
    )
    for item, difference in list(_pairs(actual, expected, (), rules)):  # what cannot be compared is refused before
        words = difference()
        if words:
            words = _located(words, item) if not isinstance(msg, str) else msg
            raise AssertionError(msg(words) if callable(msg) else words)


def _located(words: str, item: Item) -> str:
    """Add where in a nested structure it happened."""
    return f"{words}\n\nThe failure occurred for item {''.join(f'[{key!r}]' for key in item)}" if item else words


def _pairs(actual: Any, expected: Any, item: Item, rules: _Rules) -> Iterator[tuple[Item, Callable[[], str]]]:
    """Walk both structures in step; yield for each pair of leaves its place, and what says how the two differ."""
    __tracebackhide__ = True
    if _are(actual, expected, Sequence) and not isinstance(actual, str) and not isinstance(expected, str):
        if len(actual) != len(expected):
            raise AssertionError(
                _located(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", item)
            )
        for i in range(len(actual)):
            yield from _pairs(actual[i], expected[i], (*item, i), rules)
    elif _are(actual, expected, Mapping):
        if actual.keys() != expected.keys():
            raise AssertionError(
                _located(
                    "The keys of the mappings do not match:\n"
                    f"Missing keys in the actual mapping: {_in_order(expected.keys() - actual.keys())}\n"
                    f"Additional keys in the actual mapping: {_in_order(actual.keys() - expected.keys())}",
                    item,
                )
            )
        for key in _in_order(actual.keys()):
            yield from _pairs(actual[key], expected[key], (*item, key), rules)
    else:
        yield item, _leaf(actual, expected, item, rules)


def _are(actual: object, expected: object, kind: Any) -> bool:
    return isinstance(actual, kind) and isinstance(expected, kind)


def _in_order(keys: Collection[Any]) -> list[Any]:
    """The keys sorted; by what they look like, if they are of kinds that have no order."""
    try:
        return sorted(keys)
    except TypeError:
        return sorted(keys, key=repr)


def _leaf(actual: Any, expected: Any, item: Item, rules: _Rules) -> Callable[[], str]:
    """What says, when called, how two leaves differ."""
    __tracebackhide__ = True
    if actual is None or expected is None:
        return lambda: "" if actual is expected else f"None mismatch: {actual} is not {expected}"
    if _are(actual, expected, _BOOLEANS):
        return lambda: "" if actual == expected else f"Booleans mismatch: {actual} is not {expected}"
    if _are(actual, expected, _NUMBERS):
        a, b = (x.item() if isinstance(x, np.number) else x for x in (actual, expected))
        defaults = [_TOLERANCES["float64"] if isinstance(x, float | complex) else _EXACT for x in (a, b)]
        tolerances = rules.tolerances(*defaults, item=item)
        return lambda: _number_difference(a, b, tolerances, rules)
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if related and (rules.allow_subclasses or type(actual) is type(expected)):
        tensors = [_as_tensor(x) for x in (actual, expected)]
        if None not in tensors:
            x, y = tensors
            tolerances = rules.tolerances(*[_TOLERANCES.get(t.dtype.name, _EXACT) for t in (x, y)], item=item)
            return lambda: _tensor_difference(x, y, tolerances, rules)
    raise TypeError(
        _located(
            f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
            " Two tensors, two arrays or two numbers can be compared: x.detach().numpy() makes an array of a tensor,"
            " torch.from_numpy(a) a tensor of an array.",
            item,
        )
    )


def _as_tensor(x: Any) -> Any:
    """The numbers of a tensor or an array, cut off from any graph; None if there are none."""
    try:
        return as_tensor(x).detach()
    except Exception:  # whatever a foreign object raises when it is asked for its numbers
        return None


def _number_difference(actual: Any, expected: Any, tolerances: Tolerances, rules: _Rules) -> str:
    if rules.check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    if actual == expected or (rules.equal_nan and actual != actual and expected != expected):
        return ""
    rtol, atol = tolerances
    distance = abs(actual - expected)
    if distance < float("inf") and distance <= atol + rtol * abs(expected):
        return ""
    return _scalars_words(actual, expected, tolerances)


def _tensor_difference(actual: Tensor, expected: Tensor, tolerances: Tolerances, rules: _Rules) -> str:
    attributes = {
        "shape": True,
        "layout": rules.check_layout,
        "stride()": rules.check_stride,
        "device": rules.check_device,
        "dtype": rules.check_dtype,
    }
    for name in [name for name, checked in attributes.items() if checked]:
        mine, other = (getattr(x, name.removesuffix("()")) for x in (actual, expected))
        mine, other = (mine(), other()) if name.endswith("()") else (mine, other)
        if mine != other:
            return f"The values for attribute '{name}' do not match: {mine} != {other}."
    common = promote_types(actual.dtype, expected.dtype)
    actual, expected = actual.to(common), expected.to(common)
    matches = isclose(actual, expected, *tolerances, rules.equal_nan)
    if matches.all():
        return ""
    if not actual.shape:
        return _scalars_words(actual.item(), expected.item(), tolerances)
    return _tensors_words(actual, expected, matches, tolerances)


def _scalars_words(actual: Any, expected: Any, tolerances: Tolerances) -> str:
    distance = abs(actual - expected)
    return (
        f"Scalars are not {_wanted(tolerances)}!\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {distance}{_allowed(tolerances, 1)}\n"
        f"Relative difference: {distance / abs(expected) if expected != 0 else float('inf')}{_allowed(tolerances, 0)}"
    )


def _tensors_words(actual: Tensor, expected: Tensor, matches: Tensor, tolerances: Tolerances) -> str:
    if not actual.dtype.is_floating_point:
        actual, expected = actual.to(_dtype.int64), expected.to(_dtype.int64)  # so that 1 - 200 is not 57
    distance = (actual - expected).abs().masked_fill(matches, 0)
    relative = (distance / expected.abs()).masked_fill(matches, 0)
    wrong, size = int((~matches).sum()), matches.numel()

    def greatest(name: str, differences: Tensor, which: int) -> str:
        flat = differences.flatten()
        at = int(flat.argmax())
        place = tuple(map(int, np.unravel_index(at, matches.shape)))
        return f"Greatest {name} difference: {flat[at].item()} at index {place}{_allowed(tolerances, which)}"

    return (
        f"Tensor-likes are not {_wanted(tolerances)}!\n\nMismatched elements: {wrong} / {size} ({wrong / size:.1%})\n"
        f"{greatest('absolute', distance, 1)}\n{greatest('relative', relative, 0)}"
    )


def _wanted(tolerances: Tolerances) -> str:
    return "equal" if tolerances == _EXACT else "close"


def _allowed(tolerances: Tolerances, which: int) -> str:
    return "" if tolerances == _EXACT else f" (up to {tolerances[which]} allowed)"

"""The reader of pickles: what it builds equals pickle's, and what could run code is refused."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_edu.utils._unpickler import ARRAY_NAMES, Maker, SafeUnpickler

NAMES = {**ARRAY_NAMES, "collections.OrderedDict": Maker(OrderedDict)}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner, inner, inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.dictionaries(st.text(), inner).map(OrderedDict)
        | st.frozensets(st.integers())
        | st.sets(st.text())
    ),
    max_leaves=20,
)


@given(values, st.sampled_from([2, 3, 4, 5]))
def test_plain_values_equal_pickles(value, protocol):
    pickled = pickle.dumps(value, protocol)
    names = {**NAMES, **{f"{m}.{k.__name__}": Maker(k) for m in ("builtins", "__builtin__") for k in (set, frozenset)}}
    names["__builtin__.bytes"] = Maker(bytes)
    assert SafeUnpickler(names).load(pickled) == value


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f4", "<i8", "?", "<U3"])
def test_arrays_equal_pickles(protocol, dtype):
    array = np.arange(6).astype(dtype).reshape(2, 3)
    pickled = pickle.dumps({"data": array, "again": array, "number": array[0, 1]}, protocol)
    got = SafeUnpickler(NAMES).load(pickled)
    np.testing.assert_array_equal(got["data"], array)
    assert got["data"].dtype == pickle.loads(pickled)["data"].dtype
    assert got["again"] is got["data"]
    assert got["number"] == array[0, 1]


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "value",
    [Evil(os.system, "false"), Evil(eval, "1"), [Evil(print, "hello")], print, object(), Evil(getattr, [], "pop")],
    ids=["system", "eval", "list", "print", "object", "getattr"],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_names_outside_the_table_are_refused(value, protocol, capsys):
    pickled = pickle.dumps(value, protocol)
    with pytest.raises(pickle.UnpicklingError, match=r"not an allowed global|refused"):
        SafeUnpickler(NAMES, advice="advice").load(pickled)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02.",
        b"\x80\x02]q\x00h\x05.",  # a memo entry that is not there
        b"\x80\x02K\x01K\x02\x86R.",  # calls a number
        b"\x80\x02}K\x01b.",  # sets attributes of a dict
        b"\x80\x02K\x01a.",  # appends to nothing
        b"\x80\x02U\x05ab.",  # text that ends early
        b"cnumpy\nndarray\n)R.",  # calls a constant
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\ndtype\nK\x00\x85U\x01b\x87R.",
        b"\x80\x02(K\x01K\x02K\x03d.",  # a dict of three
        b"\x80\x02cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.",  # an object array's dtype
    ],
)
def test_malformed_pickles_are_refused_in_one_way(pickled):
    with pytest.raises(pickle.UnpicklingError):
        SafeUnpickler(NAMES).load(pickled)


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_value_or_an_unpickling_error(noise):
    pickled = bytearray(pickle.dumps({"a": [1, 2.5, "x", np.arange(3)], "b": (None, True)}, 2))
    for i, byte in enumerate(noise):
        pickled[(7 * i + byte) % len(pickled)] = byte
    with contextlib.suppress(pickle.UnpicklingError):
        SafeUnpickler(NAMES).load(bytes(pickled))


def test_attributes_of_our_own_functions_cannot_be_set():
    with pytest.raises(pickle.UnpicklingError, match="attributes set on a Maker"):
        SafeUnpickler(NAMES).load(b"\x80\x02ccollections\nOrderedDict\n}U\x05_makeK\x01sb.")

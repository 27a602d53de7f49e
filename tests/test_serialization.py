"""save and load: what comes back, what is refused, and what a kill or a damaged file leaves behind."""

from __future__ import annotations

import io
import json
import os
import pickle
import stat
import subprocess
import sys
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_edu as tg
from tests.oracle import assert_same
from tests.oracle import torch as real

INDEX = "tinygrad_edu.json"
ROOT = Path(tg.__file__).parents[1]


def through_a_file(value):
    buffer = io.BytesIO()
    tg.save(value, buffer)
    buffer.seek(0)
    return tg.load(buffer)


def through_torchs_file(value):
    buffer = io.BytesIO()
    real.save(value, buffer)
    buffer.seek(0)
    return tg.load(buffer)


# ---------------------------------------------------------------------------------------------- what comes back

hashable = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
plain = st.recursive(
    hashable | st.complex_numbers(allow_nan=False) | st.binary().map(bytearray),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.sets(hashable)
        | st.frozensets(hashable)
        | st.dictionaries(hashable | st.tuples(st.integers(), st.text()), inner)
        | st.dictionaries(st.text(), inner).map(OrderedDict)
    ),
    max_leaves=15,
)


def typed(value):
    """A value with the type of each part beside it, so that 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return type(value).__name__, [(typed(k), typed(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [typed(member) for member in value]
    if isinstance(value, set | frozenset):
        return type(value).__name__, sorted(map(repr, value))
    return type(value).__name__, value


@given(plain)
def test_plain_values_come_back_equal_and_of_the_same_types(value):
    assert typed(through_a_file(value)) == typed(value)


def test_numbers_that_json_lacks_come_back():
    nan, inf, low, big = through_a_file([float("nan"), float("inf"), float("-inf"), -(10**400)])
    assert nan != nan
    assert (inf, low, big) == (float("inf"), float("-inf"), -(10**400))
    assert str(through_a_file(-0.0)) == "-0.0"
    assert through_a_file(0.1 + 0.2) == 0.1 + 0.2
    assert through_a_file("\ud800 broken \x00 text") == "\ud800 broken \x00 text"


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_tensors_of_every_dtype_and_shape_come_back(dtype, shape):
    tensor = (10 * tg.rand(shape)).to(getattr(tg, dtype))
    back = through_a_file(tensor)
    assert back.dtype is tensor.dtype
    assert back.shape == tensor.shape
    assert tg.equal(back, tensor)
    back.add_(1) if dtype != "bool" else back.fill_(True)  # it may be written to


def test_constants_and_numpy_values_come_back():
    value = {
        "dtype": tg.float16,
        "size": tg.zeros(2, 3).shape,
        "device": tg.device("cpu"),
        "scalar": np.float32(1.5),
        "flag": np.bool_(True),
        "text": np.array(["a", "longer"]),
        "dates": np.array(["2020-01-02"], dtype="datetime64[D]"),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "big endian": np.arange(3, dtype=">f8"),
    }
    back = through_a_file(value)
    assert back["dtype"] is tg.float16
    assert back["size"] == (2, 3)
    assert type(back["size"]) is type(value["size"])
    assert str(back["device"]) == "cpu"
    assert back["scalar"] == 1.5
    assert type(back["scalar"]) is np.float32
    assert back["flag"]
    assert type(back["flag"]) is np.bool_
    for key in ("text", "dates", "fortran", "big endian"):
        np.testing.assert_array_equal(back[key], value[key])
        assert back[key].dtype == value[key].dtype


def test_requires_grad_and_parameters_come_back():
    leaf, parameter = tg.ones(2, requires_grad=True), tg.nn.Parameter(tg.ones(3))
    frozen = tg.nn.Parameter(tg.ones(1), requires_grad=False)
    back = through_a_file([leaf, leaf * 2, parameter, frozen, tg.ones(1)])
    assert [t.requires_grad for t in back] == [True, True, True, False, False]
    assert all(t.is_leaf for t in back)
    assert [isinstance(t, tg.nn.Parameter) for t in back] == [False, False, True, True, False]


def test_a_model_and_its_optimizer_continue_where_they_stopped(tmp_path):
    def made():
        tg.manual_seed(0)
        model = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.BatchNorm1d(4), tg.nn.ReLU(), tg.nn.Linear(4, 1))
        return model, tg.optim.Adam(model.parameters(), lr=0.1)

    def learn(model, optimizer, steps):
        for i in range(steps):
            optimizer.zero_grad()
            x = tg.arange(12.0).reshape(4, 3) / (i + 1)
            loss = (model(x) - 1).pow(2).mean()
            loss.backward()
            optimizer.step()
        return loss.item()

    model, optimizer = made()
    learn(model, optimizer, 3)
    tg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "check.pt")
    expected = learn(model, optimizer, 3)
    model, optimizer = made()
    state = tg.load(tmp_path / "check.pt")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    assert learn(model, optimizer, 3) == expected


def test_the_metadata_of_a_state_dict_come_back():
    state = OrderedDict(a=tg.ones(1))
    state._metadata = OrderedDict([("", {"version": 2})])
    assert through_a_file(state)._metadata == state._metadata


# ---------------------------------------------------------------------------------------------- memory


def test_tensors_that_shared_memory_share_it_again():
    base = tg.arange(10.0)
    even, tail, turned = base[::2], base[6:], base.reshape(2, 5).t()
    back = through_a_file({"base": base, "even": even, "tail": tail, "turned": turned, "alone": tg.ones(2)})
    for name, tensor in (("base", base), ("even", even), ("tail", tail), ("turned", turned)):
        assert tg.equal(back[name], tensor)
    back["base"][8] = -1
    assert back["even"][4] == back["tail"][2] == back["turned"][3, 1] == -1
    assert back["turned"].stride() == turned.stride()


def test_a_tensor_met_twice_is_one_tensor():
    weight = tg.ones(2)
    back = through_a_file({"a": weight, "b": [weight, weight.detach()]})
    assert back["a"] is back["b"][0]
    back["a"].add_(1)
    assert back["b"][1].tolist() == [2, 2]


def test_a_small_view_does_not_drag_its_storage_along():
    buffer = io.BytesIO()
    tg.save(tg.zeros(100_000)[:3], buffer)
    assert len(buffer.getvalue()) < 2000


def test_memory_between_saved_tensors_is_not_written():
    secret = tg.tensor([1.0, 123456789.0, 3.0, 4.0])
    buffer = io.BytesIO()
    tg.save([secret[::2], secret[2:]], buffer)
    assert np.float32(123456789.0).tobytes() not in buffer.getvalue()
    buffer.seek(0)
    first, second = tg.load(buffer)
    assert (first.tolist(), second.tolist()) == ([1, 3], [3, 4])


def test_strides_are_normalised_for_a_tensor_alone():
    tensor = tg.arange(6.0).reshape(2, 3).t()
    back = through_a_file([tensor, tg.ones(1).expand(3, 4)])
    assert back[0].is_contiguous()
    assert tg.equal(back[0], tensor)
    assert back[1].is_contiguous()
    assert back[1].shape == (3, 4)


# ---------------------------------------------------------------------------------------------- refusals


class Thing:
    pass


class Pair(NamedTuple):
    x: int


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (lambda: tg.nn.Linear(2, 3), r"cannot save obj, a .*Linear.*save\(model.state_dict\(\), file\)"),
        (lambda: {"net": [tg.nn.ReLU()]}, r"cannot save obj\['net'\]\[0\]"),
        (lambda: tg.optim.SGD([tg.ones(1, requires_grad=True)], 0.1), "Save its state_dict"),
        (lambda: {"f": lambda x: x}, r"obj\['f'\].*A function cannot be data"),
        (lambda: defaultdict(list), r"Convert it first: dict\("),
        (lambda: Pair(1), r"Convert it first: tuple\("),
        (lambda: Thing(), r"vars\("),
        (lambda: np.array([object()]), "no fixed bytes"),
        (lambda: {Thing: 1}, "a key of obj"),
    ],
)
def test_what_is_not_data_is_refused_with_its_place(value, words, tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(b"precious")
    with pytest.raises(TypeError, match=words):
        tg.save(value(), path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_value_that_contains_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(ValueError, match="does this value contain itself"):
        tg.save(value, io.BytesIO())


def test_arguments_in_the_wrong_order_are_noticed(tmp_path):
    with pytest.raises(AttributeError, match="takes the value first"):
        tg.save(str(tmp_path / "x"), {"a": 1})
    with pytest.raises(AttributeError, match=r"You can only torch\.load from a file that is seekable"):
        tg.load(5)


def test_places_that_cannot_be_written_are_named(tmp_path):
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        tg.save(1, tmp_path / "no" / "x.pt")
    with pytest.raises(RuntimeError, match="Is a directory"):
        tg.save(1, tmp_path)
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "none.pt")


def test_another_device_is_refused_in_torchs_words(tmp_path):
    tg.save(tg.ones(1), tmp_path / "x.pt")
    for place in ("cuda", "cuda:1", tg.device("cuda"), {"cpu": "cuda:0"}):
        with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device"):
            tg.load(tmp_path / "x.pt", map_location=place)
    for place in ("cpu", tg.device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert tg.load(tmp_path / "x.pt", map_location=place).item() == 1


def test_the_unsafe_mode_does_not_exist_and_says_so(tmp_path):
    tg.save(1, tmp_path / "x.pt")
    with pytest.warns(UserWarning, match="never executes code"):
        assert tg.load(tmp_path / "x.pt", weights_only=False) == 1


# ---------------------------------------------------------------------------------------------- damage


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.pt"
    tg.save({"weight": tg.arange(50.0), "bias": tg.ones(3), "epoch": 3}, path)
    return path


def test_a_truncated_file_is_refused_at_every_length(saved):
    content = saved.read_bytes()
    saved.write_bytes(b"")
    with pytest.raises(EOFError, match="is empty"):
        tg.load(saved)
    for length in [*range(1, 60), *range(60, len(content), 37), len(content) - 1]:
        saved.write_bytes(content[:length])
        with pytest.raises(RuntimeError, match=r"model\.pt"):
            tg.load(saved)


def test_a_flipped_bit_never_gives_other_numbers(saved):
    content, expected = saved.read_bytes(), tg.load(saved)
    refused = 0
    for position in range(0, len(content), 5):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        saved.write_bytes(damaged)
        try:
            got = tg.load(saved)
        except RuntimeError:
            refused += 1
            continue
        assert tg.equal(got["weight"], expected["weight"])  # a date or an attribute in the zip directory
        assert got["epoch"] == 3
    assert refused > len(content) / 5 * 0.6


def test_a_damaged_member_is_named(saved):
    content = saved.read_bytes()
    place = content.index(np.float32(49.0).tobytes())
    saved.write_bytes(content[:place] + b"\0\0\0\0" + content[place + 4 :])
    with pytest.raises(RuntimeError, match=r"model\.pt' is damaged: its member 'weight\.npy'"):
        tg.load(saved)


def rewritten(path, index=None, **members):
    """The file with another index, or with other members."""
    with zipfile.ZipFile(path) as archive:
        old = {name: archive.read(name) for name in archive.namelist()}
    if index is not None:
        old[INDEX] = json.dumps(index(json.loads(old[INDEX]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**old, **members}.items():
            archive.writestr(name, content)


def with_tensor(**changes):
    def change(index):
        index["tensors"][0] |= changes
        return index

    return change


@pytest.mark.parametrize(
    "index",
    [
        lambda index: [],
        lambda index: {},
        lambda index: index | {"format": "other"},
        lambda index: index | {"blocks": []},
        lambda index: index | {"blocks": ["missing.npy"]},
        lambda index: index | {"value": {"surprise": 1}},
        lambda index: index | {"value": {"tensor": 99}},
        lambda index: index | {"value": {"numpy": "O", "value": ""}},
        with_tensor(dtype="dtype"),
        with_tensor(dtype="float64"),
        with_tensor(shape=[50], offset=4, strides=[4]),  # one number beyond the block
        with_tensor(shape=[2], offset=0, strides=[-4]),
        with_tensor(shape=[10**12], offset=0, strides=[8]),
    ],
)
def test_an_index_that_makes_no_sense_is_refused(saved, index):
    rewritten(saved, index)
    with pytest.raises(RuntimeError, match=r"model\.pt"):
        tg.load(saved)


def test_an_endlessly_nested_index_is_refused(saved):
    rewritten(saved, **{INDEX: b"[" * 100_000})
    with pytest.raises(RuntimeError, match="makes no sense"):
        tg.load(saved)


def test_a_newer_format_says_so(saved):
    rewritten(saved, lambda index: index | {"version": 99})
    with pytest.raises(RuntimeError, match="newer tinygrad_edu"):
        tg.load(saved)


def test_blocks_with_objects_or_false_shapes_are_refused(saved):
    with_objects, too_long = io.BytesIO(), io.BytesIO()
    np.save(with_objects, np.array([Thing]), allow_pickle=True)
    np.save(too_long, np.arange(50, dtype=np.float32))
    header = too_long.getvalue().replace(b"(50,)", b"(99,)")
    for content in (with_objects.getvalue(), header, b"", b"\x93NUMPY\x01\x00"):
        rewritten(saved, **{"weight.npy": content})
        with pytest.raises(RuntimeError):
            tg.load(saved)


def test_compressed_members_are_refused_for_they_could_explode(saved):
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(RuntimeError, match="compressed"):
        tg.load(saved)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps({"a": 1}), "a pickle can run any code"),
        (b"\x93NUMPY rest", "a NumPy array"),
        (b"\x89HDF rest", "HDF5"),
        (b"<html>Not found</html>", "a web page"),
        (b"\x00\x01\x02\x03", "begins with the bytes"),
    ],
)
def test_other_files_are_recognised(tmp_path, content, words):
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(RuntimeError, match=words):
        tg.load(tmp_path / "x.pt")


def test_a_zip_of_something_else_says_what_it_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(RuntimeError, match=r"readme\.txt"):
        tg.load(tmp_path / "x.zip")


def test_a_buffer_at_its_end_is_explained():
    buffer = io.BytesIO()
    tg.save(1, buffer)
    with pytest.raises(EOFError, match=r"seek\(0\)"):
        tg.load(buffer)


# ---------------------------------------------------------------------------------------------- writing


def test_numpy_opens_the_file_by_readable_names(saved):
    with np.load(saved) as archive:
        assert archive["weight"].tolist() == list(range(50))
        assert archive["bias"].tolist() == [1, 1, 1]


def test_equal_values_give_equal_bytes():
    first, second = io.BytesIO(), io.BytesIO()
    for buffer in (first, second):
        tg.save({"a": tg.arange(3), "b": [1, 2.5]}, buffer)
    assert first.getvalue() == second.getvalue()


def test_permissions_links_and_strange_names_are_respected(tmp_path):
    target, link = tmp_path / "target.pt", tmp_path / "link.pt"
    tg.save(1, str(target))
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    target.chmod(0o640)
    link.symlink_to(target)
    tg.save({"../../evil": tg.ones(1), "../../evil/": tg.zeros(1), "": tg.zeros(2)}, link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert tg.load(target)["../../evil"].item() == 1
    tg.save(1, os.devnull)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.pt", "target.pt"]


def test_a_full_disk_leaves_the_old_file(saved, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    before = saved.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        tg.save(tg.ones(10), saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["model.pt"]


KILLED_FIFTY_TIMES = """
import os, signal, sys, time
import tinygrad_edu as tg

path, number = sys.argv[1], 0

def save(n):
    tg.save({"number": n, "data": tg.full((100_000,), float(n))}, path)

save(0)
for kill in range(50):
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:  # saves without pause until it is killed, and tells of every save that ended
        while True:
            number += 1
            save(number)
            os.write(tell, b".")
    os.close(tell)
    os.read(told, 1)
    time.sleep(0.0003 * (kill % 17))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    ended = number + 1 + len(os.read(told, 1 << 20))
    os.close(told)
    state = tg.load(path)
    assert state["number"] in (ended, ended + 1), (state["number"], ended)
    assert bool((state["data"] == float(state["number"])).all())
    number = state["number"]
print(number, len(os.listdir(os.path.dirname(path))))
"""


def test_fifty_kills_leave_the_old_file_or_the_new_one(tmp_path):
    """Kill a process that saves without pause, fifty times, at other moments; the file is whole after each."""
    command = [sys.executable, "-c", KILLED_FIFTY_TIMES, str(tmp_path / "model.pt")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert result.returncode == 0, result.stderr
    saves, files_left = map(int, result.stdout.split())
    assert saves >= 50
    assert files_left > 1  # some kills did come in the middle of writing: they left a file aside


# ---------------------------------------------------------------------------------------------- files of torch


@pytest.mark.torch
def test_state_dicts_of_torch_load_here():
    real.manual_seed(0)
    model = real.nn.Sequential(real.nn.Conv2d(1, 2, 3), real.nn.BatchNorm2d(2), real.nn.Flatten(), real.nn.LSTM(8, 4))
    state = through_torchs_file(model.state_dict())
    assert_same(dict(state), dict(model.state_dict()))
    assert type(state) is OrderedDict
    assert state._metadata == model.state_dict()._metadata


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_tensors_of_torch_load_here(dtype, shape):
    tensor = (10 * real.rand(shape)).to(getattr(real, dtype))
    assert_same(through_torchs_file(tensor), tensor)


@pytest.mark.torch
def test_views_parameters_and_plain_values_of_torch_load_here():
    base = real.arange(12.0).reshape(3, 4)
    parameter = real.nn.Parameter(real.ones(2), requires_grad=False)
    value = {
        "base": base,
        "turned": base.t(),
        "row": base[1],
        "leaf": real.ones(2, requires_grad=True),
        "expanded": real.ones(1).expand(3),
        "plain": [1, 2.5, "text", None, True, (1, 2), 10**30, -(2**40), b"ab", {"nested": [[]]}],
        "ordered": OrderedDict(a=1),
    }
    back = through_torchs_file({**value, "parameter": parameter, "set": {1, 2}, "c": 1j, "ba": bytearray(b"x")})
    assert_same({key: back[key] for key in value}, value)
    assert (back["set"], back["c"], back["ba"]) == ({1, 2}, 1j, bytearray(b"x"))
    assert isinstance(back["parameter"], tg.nn.Parameter)
    assert not back["parameter"].requires_grad
    back["base"][1, 2] = -1
    assert back["turned"][2, 1] == back["row"][2] == -1
    others = through_torchs_file({"size": real.Size([1, 2]), "dtype": real.float64, "device": real.device("cpu")})
    assert (others["size"], others["dtype"], str(others["device"])) == ((1, 2), tg.float64, "cpu")


@pytest.mark.torch
def test_optimizer_states_and_numpy_values_of_torch_load_here():
    model = real.nn.Linear(2, 1)
    optimizer = real.optim.Adam(model.parameters())
    model(real.ones(1, 2)).sum().backward()
    optimizer.step()
    assert_same(through_torchs_file(optimizer.state_dict()), optimizer.state_dict())
    value = {"a": np.arange(6.0).reshape(2, 3), "s": np.float64(2.5), "b": np.array([True])}
    assert_same(through_torchs_file(value), value)


@pytest.mark.torch
def test_bfloat16_becomes_float32_with_a_warning():
    tensor = real.randn(5).to(real.bfloat16)
    with pytest.warns(UserWarning, match="bfloat16"):
        back = through_torchs_file({"x": tensor})
    assert_same(back["x"], tensor.float(), rtol=0, atol=0)


@pytest.mark.torch
def test_whole_models_of_torch_are_refused_with_a_remedy():
    with pytest.raises(pickle.UnpicklingError, match=r"Weights only load failed.*state_dict"):
        through_torchs_file(real.nn.Linear(2, 3))


@pytest.mark.torch
def test_a_file_of_torch_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/evil",)

    with pytest.raises(pickle.UnpicklingError, match="not an allowed global"):
        through_torchs_file({"x": Evil()})
    assert not (tmp_path / "evil").exists()


@pytest.mark.torch
def test_old_files_of_torch_are_recognised():
    buffer = io.BytesIO()
    real.save({"a": 1}, buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    with pytest.raises(RuntimeError, match=r"older than 1\.6"):
        tg.load(buffer)


@pytest.mark.torch
def test_a_torch_file_whose_tensor_reaches_beyond_its_storage_is_refused(tmp_path):
    buffer = io.BytesIO()
    real.save(real.arange(4.0), buffer)
    with zipfile.ZipFile(buffer) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(n for n in members if n.endswith("data.pkl"))
    assert members[name].count(b"K\x04\x85") == 1  # the size, a tuple of the number 4
    members[name] = members[name].replace(b"K\x04\x85", b"K\x63\x85")
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        for n, content in members.items():
            archive.writestr(n, content)
    with pytest.raises(pickle.UnpicklingError):
        tg.load(tmp_path / "x.pt")

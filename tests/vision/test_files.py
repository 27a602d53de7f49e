"""Data sets read from files: the official formats, in miniature, whole and damaged."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu.utils.data import DataLoader, Subset
from tinygrad_edu.vision import _image, transforms
from tinygrad_edu.vision.datasets import CIFAR10, CIFAR100, MNIST, FakeData, FashionMNIST, ImageFolder
from tinygrad_edu.vision.datasets import utils as files


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture(autouse=True)
def no_folder_from_outside(monkeypatch):
    monkeypatch.delenv("TINYGRAD_EDU_DATA", raising=False)


@pytest.fixture(params=["with Pillow", "without Pillow"])
def images(request, monkeypatch):
    """Run a test with both kinds of images."""
    if request.param == "without Pillow":
        monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    elif _image.pillow() is None:
        pytest.skip("Pillow is not installed")
    _image.pillow.cache_clear()
    yield request.param
    _image.pillow.cache_clear()


# ---------------------------------------------------------------------------------------------- MNIST


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


PIXELS = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS = (np.arange(12) % 10).astype(np.uint8)
RAW = {
    "train-images-idx3-ubyte": idx(PIXELS[:8]),
    "train-labels-idx1-ubyte": idx(LABELS[:8]),
    "t10k-images-idx3-ubyte": idx(PIXELS[8:]),
    "t10k-labels-idx1-ubyte": idx(LABELS[8:]),
}
PACKED = {name + ".gz": gzip.compress(content, mtime=0) for name, content in RAW.items()}


class Small(MNIST):
    """Twelve images of noise in MNIST's format."""

    mirrors = ["http://127.0.0.1:9/"]
    resources = [(name, md5(content)) for name, content in PACKED.items()]
    unpacked = {name: md5(content) for name, content in RAW.items()}


def put(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("contents", [PACKED, RAW], ids=["gz", "unpacked"])
@pytest.mark.parametrize("folder", ["Small/raw", "small", "."])
@pytest.mark.parametrize("by_variable", [False, True])
def test_idx_files_are_read_from_every_layout(tmp_path, monkeypatch, contents, folder, by_variable):
    put(tmp_path / folder, contents)
    root = tmp_path
    if by_variable:
        monkeypatch.setenv("TINYGRAD_EDU_DATA", str(tmp_path))
        root = tmp_path / "elsewhere"
    train, test = Small(root), Small(str(root), train=False)
    np.testing.assert_array_equal(train.data.numpy(), PIXELS[:8])
    np.testing.assert_array_equal(test.data.numpy(), PIXELS[8:])
    assert train.targets.tolist() == LABELS[:8].tolist()
    assert train.data.dtype is tg.uint8
    assert train.targets.dtype is tg.int64
    assert (len(train), len(test)) == (8, 4)


def test_items_are_images_and_whole_numbers(tmp_path, images):
    put(tmp_path, PACKED)
    image, label = Small(tmp_path)[3]
    assert type(label) is int
    assert label == 3
    assert np.array_equal(np.asarray(image), PIXELS[3])
    assert (type(image) is np.ndarray) == (images == "without Pillow")
    tensor, label = Small(tmp_path, transform=transforms.ToTensor(), target_transform=lambda y: y + 100)[3]
    assert label == 103
    assert tensor.shape == (1, 28, 28)
    assert tensor.dtype is tg.float32
    np.testing.assert_array_equal(tensor.numpy()[0], PIXELS[3].astype(np.float32) / np.float32(255))


def test_mnist_describes_itself_as_in_torchvision(tmp_path):
    put(tmp_path, PACKED)
    plain = Small(str(tmp_path))
    assert repr(plain) == f"Dataset Small\n    Number of datapoints: 8\n    Root location: {tmp_path}\n    Split: Train"
    both = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    assert repr(Small(str(tmp_path), False, both)).splitlines()[4:] == [
        "    StandardTransform",
        "Transform: Compose(",
        "               ToTensor()",
        "               Normalize(mean=(0.5,), std=(0.5,))",
        "           )",
    ]
    assert plain.classes[7] == "7 - seven"
    assert plain.class_to_idx["7 - seven"] == 7
    assert FashionMNIST.classes[9] == "Ankle boot"


def by_item(data, indices):
    examples = [data[int(i)] for i in indices]
    return tg.stack([x for x, _ in examples]), tg.tensor([y for _, y in examples])


@pytest.mark.parametrize(
    "transform",
    [
        transforms.ToTensor(),
        transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]),
        transforms.Compose([transforms.Compose([transforms.ToTensor()]), transforms.Normalize([0.2], [3.0])]),
        transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: 2 * x)]),
    ],
)
def test_a_batch_read_at_once_equals_its_items(tmp_path, transform):
    put(tmp_path, PACKED)
    data = Small(tmp_path, transform=transform)
    order = [5, 1, 7, 2, 2]
    for source, indices in ((data, order), (Subset(data, order), range(5))):
        x, y = next(iter(DataLoader(source, 5, sampler=indices)))
        expected_x, expected_y = by_item(data, order)
        assert tg.equal(x, expected_x)
        assert x.dtype is expected_x.dtype
        assert x.is_contiguous()
        assert tg.equal(y, expected_y)
        assert y.dtype is tg.int64


def test_missing_files_say_where_was_looked_and_how_to_mend_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAD_EDU_DATA", str(tmp_path / "data"))
    put(tmp_path / "data", {"train-images-idx3-ubyte.gz": PACKED["train-images-idx3-ubyte.gz"]})
    with pytest.raises(RuntimeError) as caught:
        Small(tmp_path / "here")
    message = str(caught.value)
    assert message.startswith("Dataset not found. You can use download=True to download it")
    for place in ("here/Small/raw", "here/small", "data/Small/raw", "train-labels-idx1-ubyte.gz", "TINYGRAD_EDU_DATA"):
        assert place in message


@pytest.mark.parametrize("contents", [PACKED, RAW], ids=["gz", "unpacked"])
def test_a_file_with_another_digest_is_refused_before_it_is_parsed(tmp_path, contents):
    put(tmp_path, contents)
    name = next(iter(contents))
    (tmp_path / name).write_bytes(contents[name][:-1] + b"?")
    with pytest.raises(RuntimeError, match=rf"corrupted: .*{name}.* has md5 .*, the official file"):
        Small(tmp_path)
    assert len(Small(tmp_path, train=False)) == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "idx header"),
        (b"\0\0\x08", "idx header"),
        (b"\x01\0\x08\x01" + b"\0" * 4, "idx header"),
        (b"\0\0\x07\x01\0\0\0\0", "idx header"),
        (b"\0\0\x08\x03\0\0\0\x01", "idx header"),
        (idx(PIXELS)[:-1], r"shape \(12, 28, 28\)"),
        (idx(PIXELS) + b"!", r"shape \(12, 28, 28\)"),
        (idx(LABELS), "do not belong together"),
    ],
)
def test_idx_files_that_make_no_sense_are_refused(tmp_path, content, words):
    class Unchecked(Small):
        resources = [(name, None) for name in PACKED]
        unpacked = {}

    put(tmp_path, {**RAW, "train-images-idx3-ubyte": content})
    with pytest.raises(RuntimeError, match=words):
        Unchecked(tmp_path)


def test_a_gzip_file_that_explodes_or_is_torn_is_refused():
    bomb = gzip.compress(b"\0" * 2_000_000)
    with pytest.raises(RuntimeError, match="unpacks to more than 1,000,000 bytes"):
        files.unpack_gzip(bomb, "x.gz", limit=1_000_000)
    for content in (bomb[:-8], bomb[:100], b"no gzip"):
        with pytest.raises(RuntimeError, match=r"x\.gz cannot be unpacked"):
            files.unpack_gzip(content, "x.gz")


# ---------------------------------------------------------------------------------------------- downloads


def served(monkeypatch, contents):
    """Answer downloads from a dict; everything else is an unreachable network."""
    asked = []

    class Response(io.BytesIO):
        headers = {}

    def urlopen(request, timeout):
        asked.append(request.full_url)
        content = contents.get(request.full_url.rpartition("/")[2])
        if content is None:
            raise files.urllib.error.URLError("Name or service not known")
        return Response(content)

    monkeypatch.setattr(files.urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(files, "_progress", lambda name, total: files._NoBar())
    return asked


def test_a_download_is_checked_kept_and_not_repeated(tmp_path, monkeypatch):
    asked = served(monkeypatch, PACKED)
    assert len(Small(tmp_path, download=True)) == 8
    assert sorted(path.name for path in (tmp_path / "Small" / "raw").iterdir()) == sorted(PACKED)
    assert len(asked) == 4
    Small(tmp_path, download=True)
    Small(tmp_path)
    assert len(asked) == 4


def test_a_damaged_file_is_downloaded_again(tmp_path, monkeypatch):
    asked = served(monkeypatch, PACKED)
    Small(tmp_path, download=True)
    (tmp_path / "Small" / "raw" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"torn")
    assert len(Small(tmp_path, train=False, download=True)) == 4
    assert len(asked) == 5


def test_without_a_network_there_is_one_clear_message(tmp_path, monkeypatch):
    served(monkeypatch, {})
    monkeypatch.setattr(Small, "mirrors", ["http://one.example/", "http://two.example/"])
    with pytest.raises(RuntimeError) as caught:
        Small(tmp_path, download=True)
    message = str(caught.value)
    assert message.startswith("Error downloading train-images-idx3-ubyte.gz:")
    for part in (
        "one.example",
        "two.example",
        "Name or service not known",
        "offline",
        "TINYGRAD_EDU_DATA",
        "t10k-labels",
    ):
        assert part in message
    assert not list(tmp_path.rglob("*.part"))


def test_a_mirror_that_sends_something_else_is_passed_over(tmp_path, monkeypatch):
    served(monkeypatch, {**PACKED, "train-images-idx3-ubyte.gz": b"<html>"})
    with pytest.raises(RuntimeError, match="6 bytes with the wrong md5"):
        Small(tmp_path, download=True)
    assert not (tmp_path / "Small" / "raw" / "train-images-idx3-ubyte.gz").exists()


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    asked = served(monkeypatch, PACKED)
    with pytest.raises(RuntimeError, match="Dataset not found"):
        Small(tmp_path)
    assert asked == []


# ---------------------------------------------------------------------------------------------- CIFAR


def batch(count, seed, labels="labels"):
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)
    return {"data": pixels, labels: list(range(count)), "batch_label": "a batch", "filenames": ["x.png"] * count}


ENTRIES = {"data_batch_1": batch(4, 1), "data_batch_2": batch(3, 2), "test_batch": batch(5, 3)}
BATCHES = {name: pickle.dumps(entry, 2) for name, entry in ENTRIES.items()}
BATCHES["batches.meta"] = pickle.dumps({"label_names": ["airplane", "automobile", "bird", "cat", "deer"]}, 2)


def tar_of(contents, folder="cifar-10-batches-py", extra=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra:
            archive.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()


ARCHIVE = tar_of({**BATCHES, "readme.html": b"<html>"})


class SmallCIFAR(CIFAR10):
    """Twelve images of noise in CIFAR's format."""

    tgz_md5 = md5(ARCHIVE)
    train_list = [[name, md5(BATCHES[name])] for name in ("data_batch_1", "data_batch_2")]
    test_list = [["test_batch", md5(BATCHES["test_batch"])]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(BATCHES["batches.meta"])}


@pytest.mark.parametrize("folder", ["cifar-10-batches-py", "smallcifar", "."])
@pytest.mark.parametrize("packed", [False, True])
def test_cifar_is_read_from_its_pickles_and_from_its_archive(tmp_path, folder, packed, images):
    put(tmp_path / folder, {"cifar-10-python.tar.gz": ARCHIVE} if packed else BATCHES)
    train, test = SmallCIFAR(tmp_path), SmallCIFAR(str(tmp_path), train=False)
    expected = np.concatenate([ENTRIES["data_batch_1"]["data"], ENTRIES["data_batch_2"]["data"]])
    np.testing.assert_array_equal(train.data.transpose(0, 3, 1, 2).reshape(7, 3072), expected)
    assert train.targets == [0, 1, 2, 3, 0, 1, 2]
    assert len(test) == 5
    assert train.classes[2] == "bird"
    assert train.class_to_idx == {name: i for i, name in enumerate(train.classes)}
    image, label = train[5]
    np.testing.assert_array_equal(np.asarray(image), train.data[5])
    assert label == 1
    assert repr(test).endswith("Split: Test")


def test_seed_3s_loader_gives_batches_of_64_and_a_rest(tmp_path):
    put(tmp_path, BATCHES)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))])
    data = SmallCIFAR(tmp_path, transform=transform)
    batches = list(DataLoader(data, batch_size=3))
    assert [tuple(x.shape) for x, _ in batches] == [(3, 3, 32, 32), (3, 3, 32, 32), (1, 3, 32, 32)]
    expected_x, expected_y = by_item(data, range(7))
    assert tg.equal(tg.cat([x for x, _ in batches]), expected_x)
    assert tg.equal(tg.cat([y for _, y in batches]), expected_y)


def test_ten_thousand_test_images_make_157_batches_the_last_of_16(tmp_path):
    entry = pickle.dumps({"data": np.full((10_000, 3072), 51, np.uint8), "labels": [i % 10 for i in range(10_000)]}, 2)

    class Full(SmallCIFAR):
        test_list = [["test_batch", md5(entry)]]

    put(tmp_path, {**BATCHES, "test_batch": entry})
    loader = DataLoader(Full(tmp_path, train=False, transform=transforms.ToTensor(), download=True), batch_size=64)
    assert len(loader) == 157
    sizes = [(len(images), images.shape[1:], labels.dtype, images.max().item()) for images, labels in loader]
    fifth = pytest.approx(0.2)
    assert sizes == [(64, (3, 32, 32), tg.int64, fifth)] * 156 + [(16, (3, 32, 32), tg.int64, fifth)]


def test_cifar_100_reads_its_fine_labels(tmp_path):
    contents = {
        "train": pickle.dumps(batch(4, 1, "fine_labels"), 2),
        "test": pickle.dumps(batch(2, 2, "fine_labels"), 2),
        "meta": pickle.dumps({"fine_label_names": list("abcd")}, 2),
    }

    class Small100(CIFAR100):
        train_list = [["train", md5(contents["train"])]]
        test_list = [["test", md5(contents["test"])]]
        meta = {"filename": "meta", "key": "fine_label_names", "md5": md5(contents["meta"])}

    put(tmp_path / "cifar-100-python", contents)
    assert Small100(tmp_path).targets == [0, 1, 2, 3]


def test_a_cifar_pickle_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/evil",)

    contents = {**BATCHES, "test_batch": pickle.dumps({"data": Evil(), "labels": []}, 2)}

    class Attacked(SmallCIFAR):
        test_list = [["test_batch", md5(contents["test_batch"])]]

    put(tmp_path, contents)
    with pytest.raises(RuntimeError, match="not an allowed global"):
        Attacked(tmp_path, train=False)
    assert not (tmp_path / "evil").exists()


def test_a_cifar_file_of_another_digest_or_kind_is_refused(tmp_path):
    put(tmp_path, {**BATCHES, "data_batch_2": BATCHES["data_batch_2"] + b"!"})
    with pytest.raises(RuntimeError, match="data_batch_2"):
        SmallCIFAR(tmp_path)
    odd = pickle.dumps({"data": np.zeros((2, 7), np.uint8), "labels": [0, 1]}, 2)

    class Odd(SmallCIFAR):
        test_list = [["test_batch", md5(odd)]]

    put(tmp_path / "odd", {**BATCHES, "test_batch": odd})
    with pytest.raises(RuntimeError, match="3072"):
        Odd(tmp_path / "odd", train=False)


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "extra",
    [
        tarfile.TarInfo("../evil"),
        tarfile.TarInfo("/tmp/evil"),
        tarfile.TarInfo("cifar-10-batches-py/../../evil"),
        tarfile.TarInfo("cifar-10-batches-py/..\\evil"),
        tarfile.TarInfo("other/evil"),
        link("cifar-10-batches-py/evil", "/etc/passwd"),
        link("cifar-10-batches-py/evil", "/etc/passwd", tarfile.LNKTYPE),
        link("cifar-10-batches-py/evil", "", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name} {info.type!r}",
)
def test_an_archive_with_members_outside_its_folder_is_refused_whole(tmp_path, monkeypatch, extra):
    content = tar_of(BATCHES, extra=[extra])
    monkeypatch.setattr(SmallCIFAR, "tgz_md5", md5(content))
    served(monkeypatch, {"cifar-10-python.tar.gz": content})
    with pytest.raises(RuntimeError, match="refused whole and nothing was unpacked"):
        SmallCIFAR(tmp_path, download=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["cifar-10-python.tar.gz"]


def test_an_archive_that_is_torn_incomplete_or_too_large_is_refused(tmp_path):
    wanted = list(BATCHES)
    with pytest.raises(RuntimeError, match="cannot be unpacked"):
        files.read_archive(ARCHIVE[:-400], "x.tar.gz", "cifar-10-batches-py", wanted)
    with pytest.raises(RuntimeError, match=r"x\.tar\.gz lacks other"):
        files.read_archive(ARCHIVE, "x.tar.gz", "cifar-10-batches-py", ["other"])
    with pytest.raises(RuntimeError, match="more than 10,000 bytes"):
        files.read_archive(ARCHIVE, "x.tar.gz", "cifar-10-batches-py", wanted, limit=10_000)


def test_a_downloaded_archive_is_unpacked_as_torchvision_does(tmp_path, monkeypatch):
    asked = served(monkeypatch, {"cifar-10-python.tar.gz": ARCHIVE})
    assert len(SmallCIFAR(tmp_path, download=True)) == 7
    assert {path.name for path in (tmp_path / "cifar-10-batches-py").iterdir()} == set(BATCHES)
    SmallCIFAR(tmp_path, download=True)
    assert len(asked) == 1


def test_missing_cifar_says_how_to_get_it(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match=r"Dataset not found.*(?s:.)*cifar-10-python\.tar\.gz"):
        CIFAR10(tmp_path)
    served(monkeypatch, {})
    with pytest.raises(RuntimeError, match="it need not be unpacked"):
        CIFAR10(tmp_path, download=True)


# ---------------------------------------------------------------------------------------------- others


def test_fake_images_depend_on_the_index_alone(images):
    tg.manual_seed(0)
    before = tg.get_rng_state()
    data = FakeData(4, (3, 8, 8), 10, transforms.ToTensor())
    (first, label), (again, _) = data[2], data[2]
    assert tg.equal(first, again)
    assert first.shape == (3, 8, 8)
    assert tg.equal(tg.get_rng_state(), before)
    assert type(label) is int
    with pytest.raises(IndexError):
        data[4]


def test_fake_images_are_torchvisions(images):
    image, label = FakeData(3, (3, 8, 8))[1]  # numbers written down from torchvision 0.28
    pixels = np.asarray(image)
    assert (label, pixels.shape, pixels.dtype) == (FAKE[0], (8, 8, 3), np.uint8)
    assert pixels[0].ravel().tolist() == FAKE[1]


FAKE = (9, [123, 250, 181, 65, 252, 59, 90, 104, 90, 102, 0, 49, 231, 203, 179, 101, 255, 63, 7, 170, 161, 102, 2, 51])


def test_folders_become_classes(tmp_path, images):
    from tinygrad_edu.vision.utils import save_image

    for name in ("dog/b.png", "dog/a.png", "cat/deep/c.PNG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        with open(tmp_path / name, "wb") as file:
            save_image(tg.full((3, 4, 5), 0.5), file, format="png")
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    data = ImageFolder(tmp_path, transform=transforms.ToTensor())
    assert data.classes == ["cat", "dog"]
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    assert [os.path.relpath(path, tmp_path) for path, _ in data.imgs] == ["cat/deep/c.PNG", "dog/a.png", "dog/b.png"]
    assert data.targets == [0, 1, 1]
    assert len(data) == 3
    if images == "without Pillow":
        with pytest.raises(RuntimeError, match="pip install pillow"):
            data[0]
    else:
        image, label = data[2]
        assert label == 1
        assert image.shape == (3, 4, 5)
        assert tg.allclose(image, tg.full((3, 4, 5), 128 / 255))


def test_folders_without_classes_or_images_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        ImageFolder(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"Found no valid file for the classes dog\. Supported extensions are: \.jpg"
    ):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 0

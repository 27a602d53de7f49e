"""Transforms: torchvision's printed forms, draws and numbers, written down from torchvision 0.28 (torch 2.13)."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest

import tinygrad_edu as tg
from tests.oracle import both
from tinygrad_edu.vision import _image
from tinygrad_edu.vision import transforms as T
from tinygrad_edu.vision.transforms import functional as F
from tinygrad_edu.vision.utils import make_grid, save_image


def test_printed_forms_are_torchvisions():
    chain = T.Compose(
        [
            T.ToTensor(),
            T.Normalize((0.1,), (0.2,)),
            T.RandomCrop(3, padding=4),
            T.RandomHorizontalFlip(),
            T.RandomVerticalFlip(0.1),
            T.Resize(3),
            T.Pad(2),
            T.CenterCrop(3),
            T.Lambda(abs),
            T.PILToTensor(),
            T.Grayscale(),
            T.ToPILImage(),
            T.ToPILImage("RGB"),
            T.ConvertImageDtype(tg.float32),
            T.RandomResizedCrop(3),
            T.RandomApply([T.ToTensor()]),
        ]
    )
    assert repr(chain).splitlines() == [
        "Compose(",
        "    ToTensor()",
        "    Normalize(mean=(0.1,), std=(0.2,))",
        "    RandomCrop(size=(3, 3), padding=4)",
        "    RandomHorizontalFlip(p=0.5)",
        "    RandomVerticalFlip(p=0.1)",
        "    Resize(size=3, interpolation=bilinear, max_size=None, antialias=True)",
        "    Pad(padding=2, fill=0, padding_mode=constant)",
        "    CenterCrop(size=(3, 3))",
        "    Lambda()",
        "    PILToTensor()",
        "    Grayscale(num_output_channels=1)",
        "    ToPILImage()",
        "    ToPILImage(mode=RGB)",
        "    ConvertImageDtype()",
        "    RandomResizedCrop(size=(3, 3), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, antialias=True)",
        "    RandomApply(",
        "    p=0.5",
        "    ToTensor()",
        ")",
        ")",
    ]


# transform, sums of the pixels of five results, each weighed by its position, and the next draw after seed 5
DRAWS = [
    ("RandomCrop(3)", [29124, 24966, 27612, 26100, 23832], 0.606429),
    ("RandomCrop((2, 4), padding=2)", [14406, 0, 7806, 0, 0], 0.606429),
    ("RandomCrop(6, pad_if_needed=True)", [322125, 326760, 349935, 355110, 349935], 0.606429),
    ("RandomCrop(4, padding=[1, 2], padding_mode='reflect')", [84304, 72160, 78460, 90352, 71992], 0.606429),
    ("RandomCrop((5, 7))", [385840, 385840, 385840, 385840, 385840], 0.830252),
    ("RandomHorizontalFlip(0.4)", [385840, 385000, 385840, 385840, 385840], 0.116645),
    ("RandomVerticalFlip()", [385840, 365260, 385840, 385840, 385840], 0.116645),
    ("RandomApply([T.Pad(1)], 0.4)", [385840, 686700, 385840, 385840, 385840], 0.116645),
    ("RandomResizedCrop((5, 7), scale=(0.9, 1.0))", [382991, 382991, 382991, 388556, 388556], 0.527325),
    ("RandomResizedCrop((5, 7), ratio=(3.0, 4.0))", [414372, 405958, 461608, 450478, 317150], 0.044166),
]


@pytest.mark.parametrize(("made", "expected", "after"), DRAWS, ids=[draw[0] for draw in DRAWS])
def test_random_transforms_draw_as_torchvisions(made, expected, after):
    transform = eval(f"T.{made}")
    image = tg.arange(105.0).reshape(3, 5, 7)
    tg.manual_seed(5)
    sums = []
    for _ in expected:
        flat = transform(image).double().flatten()
        sums.append(round((flat * tg.arange(1, len(flat) + 1)).sum().item()))
    assert sums == expected
    assert tg.rand(1).item() == pytest.approx(after, abs=1e-6)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("Resize(2)", [14.4286, 16.2143, 18.0]),
        ("Resize((3, 5))", [9.2143, 10.3571, 11.5, 12.6429, 13.7857]),
        ("Resize((8, 4), T.InterpolationMode.BICUBIC)", [1.2953, 2.7163, 4.2983, 5.7193]),
        ("Resize((6, 3), antialias=False)", [3.5, 5.5, 7.5]),
        ("Resize((2, 9), T.InterpolationMode.NEAREST)", [12.0, 12.0, 13.0, 14.0, 14.0, 15.0, 16.0, 16.0, 17.0]),
    ],
)
def test_resized_tensors_are_torchvisions(made, expected):
    assert eval(f"T.{made}")(tg.arange(24.0).reshape(1, 4, 6))[0, 1].tolist() == pytest.approx(expected, abs=6e-5)


@pytest.mark.torch
@pytest.mark.parametrize("size", [(3, 5), (9, 4), (11, 13)])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_resizing_equals_torchs_interpolate(size, mode, antialias):
    def program(t):
        t.manual_seed(0)
        x = t.rand(2, 3, 6, 7)
        if t is tg:
            return F.resize(x, size, T.InterpolationMode(mode), antialias=antialias)
        return t.nn.functional.interpolate(x, size=size, mode=mode, align_corners=False, antialias=antialias)

    both(program, rtol=1e-5, atol=1e-5)


def kinds(pixels):
    """One picture as array, as tensor and, where Pillow is installed, as PIL image."""
    tensor = tg.from_numpy(pixels.transpose(2, 0, 1).copy() if pixels.ndim == 3 else pixels[None].copy())
    pillow = _image.pillow()
    return [pixels, tensor] + ([pillow.fromarray(pixels)] if pillow else [])


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize(
    "transform",
    [
        T.CenterCrop(3),
        T.CenterCrop((9, 4)),
        T.Pad(2),
        T.Pad([1, 2], fill=7),
        T.Pad((1, 2, 3, 4), padding_mode="symmetric"),
        T.Pad(2, padding_mode="reflect"),
        T.Pad(2, padding_mode="edge"),
        T.RandomHorizontalFlip(1.0),
        T.RandomVerticalFlip(1.0),
        T.RandomCrop(3),
        T.RandomCrop(4, padding=2),
        T.Resize((3, 4)),
        T.Resize(8),
        T.Resize(4, max_size=5),
        T.Grayscale(3),
    ],
    ids=repr,
)
def test_arrays_tensors_and_pil_images_are_treated_alike(transform, colour):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    results = []
    for image in kinds(pixels if colour else pixels[:, :, 0]):
        tg.manual_seed(2)
        out = transform(image)
        assert type(out) is type(image)
        results.append(
            np.asarray(
                out
                if isinstance(out, tg.Tensor)
                else T.PILToTensor()(out)
                if _image.is_pil(out)
                else F._channels_first(out)
            ).astype(int)
        )
    for other in results[1:]:
        assert other.shape == results[0].shape
        assert np.abs(other - results[0]).max() <= (1 if isinstance(transform, T.Resize | T.Grayscale) else 0)


@pytest.mark.parametrize("size", [(3, 4), (10, 5), (12, 14)])
def test_nearest_neighbours_of_arrays_are_pillows(size):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    resize = T.Resize(size, T.InterpolationMode.NEAREST)
    array, _, *pictures = kinds(pixels)
    for picture in pictures:
        np.testing.assert_array_equal(resize(array), np.asarray(resize(picture)))


def test_to_tensor_scales_bytes_and_keeps_other_numbers():
    pixels = np.array([[[0, 51, 255]]], np.uint8)
    assert T.ToTensor()(pixels).tolist() == [[[0.0]], [[np.float32(51) / np.float32(255)]], [[1.0]]]
    floats = T.ToTensor()(np.full((2, 3), 7.5))
    assert (floats.dtype, floats.shape) == (tg.float64, (1, 2, 3))
    with pytest.raises(TypeError, match="pic should be PIL Image or ndarray"):
        T.ToTensor()(tg.ones(1, 2, 3))
    with pytest.raises(ValueError, match="2/3 dimensional"):
        T.ToTensor()(np.zeros(3))


def test_to_tensor_copies():
    pixels = np.zeros((2, 2), np.float32)
    T.ToTensor()(pixels).add_(1)
    assert pixels.sum() == 0


def test_images_survive_the_way_there_and_back():
    tensor = (tg.arange(24).reshape(2, 3, 4) * 10).to(tg.uint8)
    for image in (tensor[:1], tg.cat([tensor, tensor[:1]]), tg.cat([tensor, tensor])):
        assert tg.equal(T.PILToTensor()(T.ToPILImage()(image)), image)
    with pytest.raises(ValueError, match=r"pic should not have > 4 channels\. Got 5 channels"):
        T.ToPILImage()(tg.zeros(5, 4, 4))


def test_normalize_follows_the_formula_and_its_errors_teach():
    image = tg.rand(3, 2, 2)
    out = T.Normalize((0.1, 0.2, 0.3), (1.0, 2.0, 4.0))(image)
    assert tg.allclose(out[2], (image[2] - 0.3) / 4)
    batch = tg.stack([image, image])
    assert tg.equal(T.Normalize((0.1, 0.2, 0.3), (1.0, 2.0, 4.0))(batch)[1], out)
    same = image.clone()
    assert T.Normalize([0.5], [0.5], inplace=True)(same) is same
    with pytest.raises(TypeError, match=r"Put ToTensor\(\) before Normalize\(\)"):
        T.Normalize([0.5], [0.5])(np.zeros((2, 2)))
    with pytest.raises(TypeError, match="Input tensor should be a float tensor"):
        T.Normalize([0.5], [0.5])(tg.zeros(1, 2, 2, dtype=tg.uint8))
    with pytest.raises(ValueError, match="std evaluated to zero"):
        T.Normalize([0.5], [0.0])(image)
    with pytest.raises(ValueError, match=r"size \(\.\.\., C, H, W\)"):
        T.Normalize([0.5], [0.5])(tg.zeros(2))


def test_wrong_settings_are_refused_as_in_torchvision():
    for make, kind in [
        (lambda: T.Lambda(3), TypeError),
        (lambda: T.Pad("x"), TypeError),
        (lambda: T.Pad((1, 2, 3)), ValueError),
        (lambda: T.Pad(1, padding_mode="nearest"), ValueError),
        (lambda: T.Resize(2.5), TypeError),
        (lambda: T.Resize((1, 2, 3)), ValueError),
        (lambda: T.CenterCrop((1, 2, 3)), ValueError),
        (lambda: T.RandomCrop(9)(tg.zeros(1, 3, 3)), ValueError),
        (lambda: T.Resize(3, max_size=2)(tg.zeros(1, 4, 4)), ValueError),
    ]:
        with pytest.raises(kind):
            make()
    with pytest.raises(ValueError, match=r"Required crop size \(9, 9\) is larger than input image size \(3, 4\)"):
        T.RandomCrop(9)(tg.zeros(1, 3, 4))


def test_gradients_pass_through_transforms_of_tensors():
    image = tg.rand(1, 6, 6, requires_grad=True)
    T.Compose([T.Pad(1), T.CenterCrop(6), T.RandomHorizontalFlip(1.0), T.Resize(3), T.Normalize([0.5], [0.5])])(
        image
    ).sum().backward()
    assert image.grad.shape == image.shape
    assert image.grad.sum().item() == pytest.approx(18, rel=1e-5)


# ---------------------------------------------------------------------------------------------- grids and files


def test_a_grid_lays_images_out_in_rows_with_a_border():
    images = tg.arange(5.0).reshape(5, 1, 1, 1).expand(5, 1, 2, 3)
    grid = make_grid(images, nrow=2, padding=1, pad_value=9)
    assert grid.shape == (3, 10, 9)
    assert grid[0, 1].tolist() == [9, 0, 0, 0, 9, 1, 1, 1, 9]
    assert grid[2, 7].tolist() == [9, 4, 4, 4, 9, 9, 9, 9, 9]
    assert make_grid(tg.zeros(4, 5)).shape == (3, 4, 5)
    assert make_grid([tg.zeros(1, 4, 5)] * 3).shape == (3, 8, 23)
    with pytest.raises(TypeError, match="tensor or list of tensors expected, got <class 'int'>"):
        make_grid(3)
    with pytest.raises(TypeError, match="got a list containing"):
        make_grid([np.zeros((1, 2, 2))])


def test_a_normalised_grid_spans_zero_to_one():
    images = tg.arange(8.0).reshape(2, 1, 2, 2)
    together, each = (make_grid(images, padding=0, normalize=True, scale_each=s) for s in (False, True))
    assert together[0].tolist() == pytest.approx(np.array([[0, 1, 4, 5], [2, 3, 6, 7]]) / 7)
    assert each[0, :, :2].flatten().tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert tg.equal(each[0, :, :2], each[0, :, 2:])
    assert images.max() == 7
    assert make_grid(images, normalize=True, value_range=(0, 14)).max() == 0.5


def decoded(content):
    """The pixels of a PNG without filters, by its own chunks."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(content):
        size, name = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        data = content[place + 8 : place + 8 + size]
        assert int.from_bytes(content[place + 8 + size : place + 12 + size]) == zlib.crc32(name + data)
        chunks[name], place = data, place + 12 + size
    width, height = (int.from_bytes(chunks[b"IHDR"][i : i + 4]) for i in (0, 4))
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert (rows[:, 0] == 0).all()
    return rows[:, 1:].reshape(height, width, -1)


@pytest.mark.parametrize("named", [True, False])
def test_pictures_are_written_as_png_without_pillow(tmp_path, monkeypatch, named):
    monkeypatch.setattr("tinygrad_edu.vision.utils.pillow", lambda: None)
    image = tg.tensor([0.0, 0.25, 0.5, 1.0, 2.0, -1.0]).reshape(1, 2, 3)
    if named:
        save_image(image, tmp_path / "x.png")
        content = (tmp_path / "x.png").read_bytes()
    else:
        file = io.BytesIO()
        save_image(image, file, format="PNG")
        content = file.getvalue()
    expected = np.array([[0, 64, 128], [255, 255, 0]])
    np.testing.assert_array_equal(decoded(content), np.stack([expected] * 3, axis=2))
    with pytest.raises(ValueError, match=r"name the file \.\.\.\.png"):
        save_image(image, tmp_path / "x.jpg")

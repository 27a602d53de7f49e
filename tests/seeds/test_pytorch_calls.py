"""Table 1 of the seeds, A1 to A27: the PyTorch calls of the documents, with the numbers they give."""

import hashlib
import importlib.util
import math
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu
from tests.oracle import both, torch

ROOT = Path(__file__).resolve().parents[2]
F = tinygrad_edu.nn.functional
nn = tinygrad_edu.nn


def slopes(name):
    x = tinygrad_edu.linspace(-20, 20, 1000, requires_grad=True)
    getattr(tinygrad_edu, name)(x).sum().backward()
    return x, x.grad


def slope_at(name, *points):
    x = tinygrad_edu.tensor([float(point) for point in points], requires_grad=True)
    getattr(tinygrad_edu, name)(x).sum().backward()
    return x.grad.tolist()


@pytest.fixture
def plt():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def test_a1_linspace():
    x = tinygrad_edu.linspace(-20, 20, 1000)
    assert x.shape == (1000,)
    assert x.dtype == tinygrad_edu.float32
    assert x[0] == -20
    assert x[-1] == 20
    assert not (x == 0).any()
    assert np.array_equal(x.numpy(), torch.linspace(-20, 20, 1000).numpy())


def test_a2_linspace_with_a_gradient():
    x = tinygrad_edu.linspace(-20, 20, 1000, requires_grad=True)
    assert x.is_leaf
    assert x.requires_grad


def test_a3_sigmoid():
    x, grad = slopes("sigmoid")
    assert grad.max().item() == pytest.approx(0.249975, abs=1e-6)
    assert abs(x[grad.argmax()].item()) == pytest.approx(0.02002, abs=1e-5)
    assert grad.sum().item() == pytest.approx(24.97499, abs=2e-5)
    assert slope_at("sigmoid", 0, 3, 6) == pytest.approx([0.25, 0.0451767, 0.00246651], rel=3e-5)
    assert tinygrad_edu.sigmoid(tinygrad_edu.tensor(6.0)).item() == pytest.approx(0.9975274, abs=1e-7)


def test_a4_tanh():
    _, grad = slopes("tanh")
    assert grad.max().item() == pytest.approx(0.9995993, abs=1e-6)
    assert grad.sum().item() == pytest.approx(49.94995, abs=2e-5)
    assert slope_at("tanh", 3)[0] == pytest.approx(0.009866, abs=1e-6)
    assert 100 * (grad != 0).float().mean().item() == pytest.approx(45.0, abs=0.2)


def test_a5_relu():
    _, grad = slopes("relu")
    assert (grad == 1).sum() == 500
    assert (grad == 0).sum() == 500
    assert slope_at("relu", 0) == [0]


def test_a6_matplotlib_takes_tensors(plt):
    x, grad = slopes("sigmoid")
    _, axes = plt.subplots(1, 2)
    (curve,) = axes[0].plot(tinygrad_edu.linspace(-20, 20, 1000), tinygrad_edu.sigmoid(x.detach()))
    (slope,) = axes[1].plot(x.detach(), x.grad)
    assert np.array_equal(curve.get_ydata(), tinygrad_edu.sigmoid(x.detach()).numpy())
    assert np.array_equal(slope.get_ydata(), grad.numpy())


def test_a7_softmax():
    def program(t):
        scores = t.tensor([0.2, 0.02, 0.15, 0.15, 1.3, 0.5, 0.06, 1.1, 0.05, 3.75])
        return t.softmax(scores, dim=0), repr(t.softmax(scores, dim=0))

    probabilities, text = both(program)
    expected = "0.0212, 0.0177, 0.0202, 0.0202, 0.0638, 0.0287, 0.0185, 0.0522, 0.0183, 0.7392"
    assert re.findall(r"\d\.\d{4}", text) == expected.split(", ")
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-6)
    assert probabilities.argmax() == 9


def test_a8_tensors_and_their_text():
    row = [0.1, 0.1, 0.1, 0.1, 0.5]
    assert str(tinygrad_edu.tensor([[[row]]])) == "tensor([[[[0.1000, 0.1000, 0.1000, 0.1000, 0.5000]]]])"

    def program(t):
        t.manual_seed(0)
        made = t.tensor(row), t.Tensor([[[row]]]), t.randn(5, 3), t.rand(t.ones(4, 2).size())
        return made, [str(x.dtype) for x in made], [str(x) for x in made]

    _, dtypes, _ = both(program)
    assert set(dtypes) == {"torch.float32"}


def test_a9_the_noisy_parabola():
    def program(t):
        t.manual_seed(0)
        x = t.unsqueeze(t.linspace(-1, 1, 100), dim=1)
        return x, x.pow(2) + 0.2 * t.rand(x.size())

    x, y = both(program)
    assert x.shape == y.shape == (100, 1)


def test_a10_variable_shares_its_data():
    x = tinygrad_edu.ones(3)
    variable = tinygrad_edu.autograd.Variable(x)
    assert isinstance(variable, tinygrad_edu.Tensor)
    x[0] = 5
    assert variable.tolist() == [5, 1, 1]


def test_a11_data_numpy_formats():
    loss = (tinygrad_edu.ones(1, requires_grad=True) / 8).sum()
    assert "%.4f" % loss.data.numpy() == "0.1250"  # noqa: UP031  # as the seed writes it
    assert isinstance(loss.data.numpy(), np.ndarray)


def test_a12_linear():
    def program(t):
        t.manual_seed(0)
        linear = t.nn.Linear(5, 3)
        return linear.weight.data, linear.bias.data

    weight, bias = both(program)
    assert weight.shape == (3, 5)
    assert bias.shape == (3,)
    assert weight.abs().max().item() <= 1 / math.sqrt(5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("uniform_", {}),
        ("constant_", {"val": 5}),
        ("zeros_", {}),
        ("ones_", {}),
        ("normal_", {"mean": 0, "std": 1}),
        ("kaiming_normal_", {}),
        ("kaiming_uniform_", {}),
        ("xavier_normal_", {}),
        ("xavier_uniform_", {}),
    ],
)
def test_a13_a14_a15_initialisers_draw_what_torch_draws(name, arguments):
    def program(t):
        t.manual_seed(0)
        linear = t.nn.Linear(5, 3)
        getattr(t.nn.init, name)(linear.weight, **arguments)
        return linear.weight.data

    both(program)


def test_a13_ranges_are_exact():
    w = nn.Linear(300, 500).weight
    nn.init.uniform_(w)
    assert 0 <= w.min() < 0.01
    assert 0.99 < w.max() < 1
    for value, fill in (
        (5, lambda: nn.init.constant_(w, 5)),
        (0, lambda: nn.init.zeros_(w)),
        (1, lambda: nn.init.ones_(w)),
    ):
        fill()
        assert (w == value).all()
    nn.init.normal_(w, mean=0, std=1)
    assert w.mean().item() == pytest.approx(0, abs=0.02)
    assert w.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("family", "small_std", "small_limit", "std", "limit"),
    [("kaiming", 0.632456, 1.095445, 0.0634, 0.1095), ("xavier", 0.5, 0.866025, 0.05, 0.0866)],
)
def test_a14_a15_spread_follows_the_shape(family, small_std, small_limit, std, limit):
    tinygrad_edu.manual_seed(0)
    normal, uniform = (getattr(nn.init, f"{family}_{kind}_") for kind in ("normal", "uniform"))
    small = tinygrad_edu.empty(3, 5)  # Linear(5, 3): many draws show its spread
    draws = np.stack([normal(small).numpy().copy() for _ in range(2000)])
    assert draws.std() == pytest.approx(small_std, rel=0.02)
    draws = np.stack([uniform(small).numpy().copy() for _ in range(2000)])
    assert np.abs(draws).max() == pytest.approx(small_limit, rel=1e-3)
    assert np.abs(draws).max() <= small_limit + 1e-6
    w = tinygrad_edu.empty(300, 500)
    assert normal(w).std().item() == pytest.approx(std, rel=0.01)
    assert uniform(w).abs().max().item() == pytest.approx(limit, rel=1e-3)


def seed_model(t):
    class Model(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear1 = t.nn.Linear(3, 3)
            t.nn.init.xavier_normal_(self.linear1.weight)
            self.linear2 = t.nn.Linear(3, 2)
            t.nn.init.kaiming_normal_(self.linear2.weight)
            self.out = t.nn.Linear(2, 2)

        def forward(self, x):
            x = t.sigmoid(self.linear1(x))
            x = t.relu(self.linear2(x))
            return t.softmax(self.out(x), dim=-1)

    t.manual_seed(0)
    return Model()


def test_a16_the_model():
    def program(t):
        model = seed_model(t)
        names = [name for name, _ in model.named_parameters()]
        sizes = [sum(p.numel() for p in layer.parameters()) for layer in model.children()]
        return model(t.randn(5, 3)), names, sizes

    output, names, sizes = both(program)
    assert output.shape == (5, 2)
    assert output.sum(dim=1).tolist() == pytest.approx([1] * 5, abs=1e-6)
    assert names == ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias", "out.weight", "out.bias"]
    assert sizes == [12, 8, 6]


def test_a17_torchsummary_through_the_stand_in(capsys):
    with tinygrad_edu.as_torch():
        from torchsummary import summary

        summary(seed_model(tinygrad_edu), input_size=(3,), batch_size=5)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    rows = [line for line in lines if re.match(r"\w+-\d+ ", line)]
    assert rows == [
        "Linear-1 [5, 3] 12",
        "Linear-2 [5, 2] 8",
        "Linear-3 [5, 2] 6",
    ]  # torchsummary 1.5.1 shows no Model-4
    assert {"Total params: 26", "Trainable params: 26", "Non-trainable params: 0"} <= set(lines)
    assert [line.split()[-1] for line in lines if "(MB)" in line] == ["0.00"] * 4


def test_a18_parameters_print_as_torch_prints_them():
    text = both(lambda t: "\n".join(f"{name} {parameter}" for name, parameter in seed_model(t).named_parameters()))
    assert text.count("Parameter containing:\ntensor(") == 6
    assert text.count("requires_grad=True)") == 6


def test_a19_the_convolutional_net():
    def program(t):
        t.manual_seed(0)
        conv1, conv2 = t.nn.Conv2d(1, 20, 1), t.nn.Conv2d(20, 20, 5)
        x = t.Tensor([[[[0.1, 0.1, 0.1, 0.1, 0.5]] * 5]])
        relu = t.nn.functional.relu
        output = relu(conv2(relu(conv1(x))))
        return output, f"ouput: {output}", sum(p.numel() for layer in (conv1, conv2) for p in layer.parameters())

    output, text, parameters = both(program)
    assert output.shape == (1, 20, 1, 1)
    assert (output >= 0).all()
    assert (output == 0).any()
    assert parameters == 40 + 10_020 == 10_060
    assert "grad_fn=<ReluBackward0>" in text


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A folder in CIFAR-10's official form with pictures of noise; the digests expected are those of the noise."""
    CIFAR10 = tinygrad_edu.vision.datasets.CIFAR10
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (10_000, 3072), dtype=np.uint8)
    labels = random.integers(0, 10, 10_000).tolist()
    md5 = write("test_batch", {"batch_label": "testing batch 1 of 1", "labels": labels, "data": pixels})
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5]])
    monkeypatch.setattr(CIFAR10, "train_list", [])
    md5 = write("batches.meta", {"label_names": [f"kind {i}" for i in range(10)]})
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5})
    return tmp_path, pixels, labels


def test_a20_cifar_from_a_local_folder(cifar):
    folder, pixels, labels = cifar
    with tinygrad_edu.as_torch():
        import torchvision

        to_tensor = torchvision.transforms.ToTensor()
        dataset = torchvision.datasets.CIFAR10(str(folder), train=False, transform=to_tensor, download=True)
    assert len(dataset) == 10_000
    image, label = dataset[7]
    assert image.shape == (3, 32, 32)
    assert image.dtype == tinygrad_edu.float32
    assert np.array_equal(image.numpy(), pixels[7].reshape(3, 32, 32).astype(np.float32) / 255)
    assert label == labels[7]


def test_a20_a_missing_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("TINYGRAD_EDU_DATA", raising=False)
    with pytest.raises(RuntimeError, match=r"cifar-10-python\.tar\.gz"):
        tinygrad_edu.vision.datasets.CIFAR10(str(tmp_path), train=False)


def test_a21_batches_of_cifar(cifar):
    folder, _, labels = cifar
    to_tensor = tinygrad_edu.vision.transforms.ToTensor()
    dataset = tinygrad_edu.vision.datasets.CIFAR10(str(folder), train=False, transform=to_tensor)
    batches = list(tinygrad_edu.utils.data.DataLoader(dataset, batch_size=64))
    assert len(batches) == 157
    assert batches[0][0].shape == (64, 3, 32, 32)
    assert batches[0][1].dtype == tinygrad_edu.int64
    assert batches[0][1].tolist() == labels[:64]
    assert len(batches[-1][1]) == 16


def test_a22_submodules_import_through_the_stand_in_and_torch_returns():
    before = sys.modules["torch"]
    with tinygrad_edu.as_torch():
        import torch.nn.functional as functional
        import torchvision.datasets
        from torch.utils.data import DataLoader, Dataset

        assert functional.relu is tinygrad_edu.nn.functional.relu
        assert DataLoader is tinygrad_edu.utils.data.DataLoader
        assert Dataset is tinygrad_edu.utils.data.Dataset
        assert torchvision.datasets.CIFAR10 is tinygrad_edu.vision.datasets.CIFAR10
    assert sys.modules["torch"] is before is torch


def test_a22_a_script_runs_through_the_command(tmp_path):
    script = tmp_path / "seed.py"
    pillow = "from PIL import Image\n" if importlib.util.find_spec("PIL") else ""
    script.write_text(
        "import torch\nimport torch.nn.functional as F\nimport torchvision.datasets\n"
        f"from torch.utils.data import Dataset, DataLoader\n{pillow}print(F.relu(torch.tensor([-1.0, 2.0])))\n",
        encoding="utf-8",
    )
    run = subprocess.run(
        [sys.executable, "-m", "tinygrad_edu", "run", str(script)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    assert (run.stdout, run.stderr) == ("tensor([0., 2.])\n", "")


def simple_net(t):
    class SimpleNet(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = t.nn.Linear(2, 5)
            self.relu = t.nn.ReLU()
            self.fc2 = t.nn.Linear(5, 1)

        def forward(self, x):
            return self.fc2(self.relu(self.fc1(x)))

    t.manual_seed(0)
    return SimpleNet()


def test_a23_a_net_prints_as_torch_prints_it():
    text, parameters = both(lambda t: (str(simple_net(t)), sum(p.numel() for p in simple_net(t).parameters())))
    assert len(text.splitlines()) == 5
    assert parameters == 21


def test_a24_heat_maps_of_the_weights(plt):
    model = simple_net(tinygrad_edu)
    weights = [layer.weight.data.numpy() for layer in model.children() if hasattr(layer, "weight")]
    _, axs = plt.subplots(1, len(weights), figsize=(15, 5))
    for i, weight in enumerate(weights):
        axs[i].imshow(weight, cmap="viridis", aspect="auto")
        axs[i].set_title(f"Layer {i}")
    plt.tight_layout()
    assert [tuple(ax.images[0].get_array().shape) for ax in axs] == [(5, 2), (1, 5)]
    assert [ax.get_title() for ax in axs] == ["Layer 0", "Layer 1"]


def regression_net(t):
    class Net(t.nn.Module):
        def __init__(self, n_feature, n_hidden1, n_hidden2, n_output):
            super().__init__()
            self.layer1 = t.nn.Linear(n_feature, n_hidden1)
            self.layer2 = t.nn.Linear(n_hidden1, n_hidden2)
            self.predict = t.nn.Linear(n_hidden2, n_output)

        def forward(self, x):
            x = t.nn.functional.relu(self.layer1(x))
            x = t.nn.functional.relu(self.layer2(x))
            return self.predict(x)

    return Net(n_feature=1, n_hidden1=10, n_hidden2=10, n_output=1)


def regression(t, seed, weights=None):
    """Train the seed's regression; give the loss of each of its 100 steps."""
    t.manual_seed(seed)
    x = t.unsqueeze(t.linspace(-1, 1, 100), dim=1)
    y = x.pow(2) + 0.2 * t.rand(x.size())
    net = regression_net(t)
    if weights is not None:
        net.load_state_dict({name: t.from_numpy(value.copy()) for name, value in weights.items()})
    optimizer = t.optim.SGD(net.parameters(), lr=0.2)
    loss_func = t.nn.MSELoss()
    losses = []
    for _ in range(100):
        loss = loss_func(net(t.autograd.Variable(x)), t.autograd.Variable(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def test_a25_a27_the_regression_has_the_distribution_of_torch():
    assert sum(p.numel() for p in regression_net(tinygrad_edu).parameters()) == 141
    runs = np.stack([regression(tinygrad_edu, seed) for seed in range(40)])
    first, last = runs[:, 0], np.sort(runs[:, -1])
    assert np.median(first) == pytest.approx(0.247, rel=0.35)
    assert np.median(last) == pytest.approx(0.0086, rel=0.5)
    assert last[35] < 0.05
    assert last[0] > 0.04 / 12  # the noise floor


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a25_a27_the_loss_curve_follows_torch_step_by_step(seed):
    torch.manual_seed(100 + seed)
    weights = {name: value.numpy() for name, value in regression_net(torch).state_dict().items()}
    ours, theirs = regression(tinygrad_edu, seed, weights), regression(torch, seed, weights)
    assert np.abs(ours - theirs).max() < 1e-5


def test_a26_twenty_frames_of_the_fit(plt, tmp_path):
    tinygrad_edu.manual_seed(0)
    x = tinygrad_edu.unsqueeze(tinygrad_edu.linspace(-1, 1, 100), dim=1)
    y = x.pow(2) + 0.2 * tinygrad_edu.rand(x.size())
    net = regression_net(tinygrad_edu)
    optimizer = tinygrad_edu.optim.SGD(net.parameters(), lr=0.2)
    plt.ion()
    for i in range(100):
        inputs, target = tinygrad_edu.autograd.Variable(x), tinygrad_edu.autograd.Variable(y)
        output = net(inputs)
        loss = tinygrad_edu.nn.MSELoss()(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 5 == 0:
            plt.cla()
            plt.scatter(inputs.data.numpy(), target.data.numpy(), label="real")
            plt.plot(inputs.data.numpy(), output.data.numpy(), "r-", lw=5, label="predict")
            plt.text(0.5, 0, f"Loss={loss.data.numpy():.4f}", fontdict={"size": 20, "color": "red"})
            plt.legend()
            plt.savefig(tmp_path / f"frame_{i:02}.png", dpi=30)
    plt.ioff()
    assert len(list(tmp_path.glob("frame_*.png"))) == 20

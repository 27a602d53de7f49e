"""Models, each built by either framework: ``build(t)`` with t = tinygrad_edu or t = torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Case(NamedTuple):
    """A model and what goes in."""

    name: str
    build: Callable[[Any], Any]
    sizes: list[tuple[int, ...]]  # of the inputs, without the batch
    whole_numbers: bool = False


def mlp(t: Any) -> Any:
    return t.nn.Sequential(t.nn.Linear(784, 300), t.nn.ReLU(), t.nn.Linear(300, 100), t.nn.ReLU(), t.nn.Linear(100, 10))


def seed_0(t: Any) -> Any:
    class Model(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear1, self.linear2, self.out = t.nn.Linear(3, 3), t.nn.Linear(3, 2), t.nn.Linear(2, 2)

        def forward(self, x):
            return t.softmax(self.out(t.relu(self.linear2(t.sigmoid(self.linear1(x))))), dim=-1)

    return Model()


def seed_3(t: Any) -> Any:
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = t.nn.Conv2d(1, 20, 1), t.nn.Conv2d(20, 20, 5)

        def forward(self, x):
            return t.relu(self.conv2(t.relu(self.conv1(x))))

    return Net()


def lenet(t: Any) -> Any:
    nn = t.nn

    class LeNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
            self.pool = nn.MaxPool2d(2)
            self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

        def forward(self, x):
            x = self.pool(t.relu(self.conv2(self.pool(t.relu(self.conv1(x))))))
            return self.fc3(t.relu(self.fc2(t.relu(self.fc1(x.flatten(1))))))

    return LeNet()


def nested_cnn(t: Any) -> Any:
    nn = t.nn

    def stage(inputs, outputs):
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Sequential(nn.MaxPool2d(2, 2), nn.Sequential(nn.Dropout(0.25), nn.Sequential(nn.Identity()))),
        )

    return nn.Sequential(stage(3, 8), stage(8, 16), nn.Flatten(), nn.Linear(16 * 16, 10))


def residual(t: Any) -> Any:
    nn = t.nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1, self.relu = nn.BatchNorm2d(outputs), nn.ReLU()
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.shortcut = nn.Sequential()
            if stride != 1:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(out + self.shortcut(x))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, padding=1)
            self.layers = nn.ModuleList([nn.Sequential(Block(8, 8, 1), Block(8, 16, 2)), Block(16, 16, 1)])
            self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 10)

        def forward(self, x):
            x = self.stem(x)
            for layer in self.layers:
                x = layer(x)
            return self.fc(self.pool(x).flatten(1))

    return ResNet()


def classifier(t: Any) -> Any:
    nn = t.nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(12, 20, num_layers=2, batch_first=True, bidirectional=True)
            self.fc = nn.Linear(40, 4)

        def forward(self, x):
            out, _ = self.lstm(x)
            return self.fc(out[:, -1])

    return Classifier()


def words(t: Any) -> Any:
    return t.nn.Sequential(t.nn.Embedding(50, 8), t.nn.Flatten(), t.nn.Linear(48, 5))


def encoder(t: Any) -> Any:
    return t.nn.Sequential(t.nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), t.nn.Linear(16, 2))


def two_ways(t: Any) -> Any:
    nn = t.nn

    class TwoWays(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.act = nn.Linear(6, 8), nn.Linear(4, 8), nn.Tanh()
            self.heads = nn.ModuleDict({"mean": nn.Linear(8, 3), "scale": nn.Linear(8, 3)})

        def forward(self, x, y):
            h = self.act(self.left(x)) + self.act(self.right(y))
            return self.heads["mean"](h), self.heads["scale"](h)

    return TwoWays()


def autoencoder(t: Any) -> Any:
    """The decoder is the encoder's weight transposed."""
    nn = t.nn

    class Decoder(nn.Module):
        def __init__(self, weight):
            super().__init__()
            self.weight, self.bias = weight, nn.Parameter(t.zeros(weight.shape[1]))

        def forward(self, x):
            return t.sigmoid(x @ self.weight + self.bias)

    class Autoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Linear(64, 10)
            self.decoder = Decoder(self.encoder.weight)

        def forward(self, x):
            return self.decoder(t.relu(self.encoder(x)))

    return Autoencoder()


def conv_autoencoder(t: Any) -> Any:
    nn = t.nn
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.LeakyReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1)),
        nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 4, 3, padding=1), nn.ELU(), nn.AvgPool2d(3, 1, 1)),
        nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3, padding=1), nn.Sigmoid()),
    )


def waves(t: Any) -> Any:
    nn = t.nn
    return nn.Sequential(
        nn.Conv1d(2, 6, 5, padding="same"), nn.GroupNorm(2, 6), nn.PReLU(), nn.MaxPool1d(2),
        nn.Conv1d(6, 6, 3, groups=3), nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.LayerNorm(24), nn.GELU(), nn.Linear(24, 2),
    )  # fmt: skip  # a line a block


def dense(t: Any) -> Any:
    """Each layer sees the results of all before it."""
    nn = t.nn

    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Conv2d(2 + 4 * i, 4, 3, padding=1) for i in range(3)])
            self.drop, self.pool = nn.Dropout2d(0.2), nn.AvgPool2d(2)

        def forward(self, x):
            for layer in self.layers:
                x = t.cat([x, t.relu(layer(x))], dim=1)
            return self.pool(self.drop(x))

    return Dense()


def frozen(t: Any) -> Any:
    """The first part keeps its weights, the second some of them."""
    nn = t.nn
    model = nn.Sequential(
        nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)),
        nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)),
    )
    model[0].requires_grad_(False)
    model[1][0].weight.requires_grad_(False)
    return model


MODELS = [
    Case("mlp", mlp, [(784,)]),
    Case("seed_0", seed_0, [(3,)]),
    Case("seed_3", seed_3, [(1, 5, 5)]),
    Case("lenet", lenet, [(1, 28, 28)]),
    Case("nested_cnn", nested_cnn, [(3, 16, 16)]),
    Case("residual", residual, [(3, 16, 16)]),
    Case("classifier", classifier, [(9, 12)]),
    Case("words", words, [(6,)], whole_numbers=True),
    Case("encoder", encoder, [(7, 16)]),
    Case("two_ways", two_ways, [(6,), (4,)]),
    Case("autoencoder", autoencoder, [(64,)]),
    Case("conv_autoencoder", conv_autoencoder, [(1, 16, 16)]),
    Case("waves", waves, [(2, 16)]),
    Case("dense", dense, [(2, 8, 8)]),
    Case("frozen", frozen, [(4,)]),
]

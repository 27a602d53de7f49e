"""The workloads W1 to W13, each written once against PyTorch's interface.

A workload is a function of the framework ``t`` that prepares everything and returns ``run``: one full training step
(zero_grad, forward, loss, backward, optimizer step), unless its docstring says otherwise. ``run()`` returns the loss, or
another result of one number, so that both frameworks can be seen to compute the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]
Workload = Callable[[Any], Run]


def training(t: Any, model: Any, optimizer: Any, loss_function: Callable[[Any, Any], Any], x: Any, y: Any) -> Run:
    """Return the usual step."""

    def run() -> Any:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return run


def regression(t: Any) -> Any:
    """W1's network and data."""
    x = t.linspace(-1, 1, 100).unsqueeze(1)
    y = x.pow(2) + 0.2 * t.rand(x.size())
    relu = t.nn.ReLU()
    model = t.nn.Sequential(t.nn.Linear(1, 10), relu, t.nn.Linear(10, 10), relu, t.nn.Linear(10, 1))
    return model, x, y


def w1(t: Any) -> Run:
    """Regression 1-10-10-1, 100 samples, SGD 0.2, mean squared error."""
    model, x, y = regression(t)
    return training(t, model, t.optim.SGD(model.parameters(), lr=0.2), t.nn.MSELoss(), x, y)


def digits(t: Any) -> Any:
    """W2's network and data."""
    relu = t.nn.ReLU()
    model = t.nn.Sequential(t.nn.Linear(784, 300), relu, t.nn.Linear(300, 100), relu, t.nn.Linear(100, 10))
    return model, t.rand(50, 784), t.randint(0, 10, (50,))


def w2(t: Any) -> Run:
    """Digits 784-300-100-10, batch 50, SGD 0.01, cross-entropy."""
    model, x, y = digits(t)
    return training(t, model, t.optim.SGD(model.parameters(), lr=0.01), t.nn.CrossEntropyLoss(), x, y)


def curves(points: int) -> Workload:
    """Return W3: sigmoid, tanh, relu and softmax, forward and backward, on so many points."""

    def workload(t: Any) -> Run:
        x = t.linspace(-6, 6, points).requires_grad_()
        functions = (t.sigmoid, t.tanh, t.relu, lambda x: t.softmax(x, 0))

        def run() -> Any:
            for function in functions:
                x.grad = None
                function(x).sum().backward()
            return x.grad[points // 2]

        return run

    return workload


def digits_cnn(t: Any) -> Any:
    """W4's network and data."""
    model = t.nn.Sequential(
        t.nn.Conv2d(1, 16, 3, padding=1),
        t.nn.ReLU(),
        t.nn.MaxPool2d(2),
        t.nn.Conv2d(16, 32, 3, padding=1),
        t.nn.ReLU(),
        t.nn.Flatten(),
        t.nn.Linear(32 * 4 * 4, 10),
    )
    return model, t.rand(64, 1, 8, 8), t.randint(0, 10, (64,))


def w4(t: Any) -> Run:
    """Digits CNN: 64 of 1x8x8, conv 16@3x3, relu, pool 2, conv 32@3x3, relu, fc 10, Adam."""
    model, x, y = digits_cnn(t)
    return training(t, model, t.optim.Adam(model.parameters()), t.nn.CrossEntropyLoss(), x, y)


def lenet(t: Any) -> Any:
    """W5's network and data."""
    model = t.nn.Sequential(
        t.nn.Conv2d(1, 6, 5),
        t.nn.ReLU(),
        t.nn.MaxPool2d(2),
        t.nn.Conv2d(6, 16, 5),
        t.nn.ReLU(),
        t.nn.MaxPool2d(2),
        t.nn.Flatten(),
        t.nn.Linear(16 * 4 * 4, 120),
        t.nn.ReLU(),
        t.nn.Linear(120, 84),
        t.nn.ReLU(),
        t.nn.Linear(84, 10),
    )
    return model, t.rand(64, 1, 28, 28), t.randint(0, 10, (64,))


def w5(t: Any) -> Run:
    """LeNet: 64 of 1x28x28, conv 6@5x5, relu, pool, conv 16@5x5, relu, pool, fc 120-84-10, SGD with momentum."""
    model, x, y = lenet(t)
    optimizer = t.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return training(t, model, optimizer, t.nn.CrossEntropyLoss(), x, y)


def cifar(t: Any) -> Any:
    """W6's network and data."""
    model = t.nn.Sequential(
        t.nn.Conv2d(3, 32, 3),
        t.nn.ReLU(),
        t.nn.Conv2d(32, 64, 3),
        t.nn.ReLU(),
        t.nn.MaxPool2d(2),
        t.nn.Flatten(),
        t.nn.Linear(64 * 14 * 14, 10),
    )
    return model, t.rand(64, 3, 32, 32), t.randint(0, 10, (64,))


def w6(t: Any) -> Run:
    """CIFAR stack: 64 of 3x32x32, conv 32@3x3, relu, conv 64@3x3, relu, pool 2, fc 10, Adam."""
    model, x, y = cifar(t)
    return training(t, model, t.optim.Adam(model.parameters()), t.nn.CrossEntropyLoss(), x, y)


def seed_convolutions(t: Any) -> Any:
    """W7's network and data."""
    model = t.nn.Sequential(t.nn.Conv2d(1, 20, 1), t.nn.ReLU(), t.nn.Conv2d(20, 20, 5), t.nn.ReLU())
    return model, t.rand(64, 1, 32, 32)


def w7(t: Any) -> Run:
    """The seed's convolutions: Conv2d(1, 20, 1), relu, Conv2d(20, 20, 5), relu on 64 of 1x32x32; forward and backward."""
    model, x = seed_convolutions(t)

    def run() -> Any:
        model.zero_grad()
        loss = model(x).sum()
        loss.backward()
        return loss

    return run


def w8(t: Any) -> Run:
    """Character LSTM: 65 characters, hidden 128, sequence 32, batch 32, Adam."""

    class Characters(t.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = t.nn.Embedding(65, 128)
            self.lstm = t.nn.LSTM(128, 128, batch_first=True)
            self.head = t.nn.Linear(128, 65)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(self.embedding(x))[0]).flatten(0, 1)

    model = Characters()
    x, y = t.randint(0, 65, (32, 32)), t.randint(0, 65, (32 * 32,))
    return training(t, model, t.optim.Adam(model.parameters()), t.nn.CrossEntropyLoss(), x, y)


def w9(t: Any) -> Run:
    """Tiny GPT: 2 layers, 64 wide, 4 heads, context 64, batch 16, 65 characters, AdamW."""
    F, nn = t.nn.functional, t.nn

    class Block(nn.Module):  # type: ignore[name-defined,misc]  # the framework is an argument
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(64), nn.LayerNorm(64)
            self.attention, self.projection = nn.Linear(64, 192), nn.Linear(64, 64)
            self.up, self.down = nn.Linear(64, 256), nn.Linear(256, 64)

        def forward(self, x: Any) -> Any:
            q, k, v = (
                part.view(16, 64, 4, 16).transpose(1, 2) for part in self.attention(self.norm1(x)).split(64, dim=2)
            )
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.projection(y.transpose(1, 2).reshape(16, 64, 64))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):  # type: ignore[name-defined,misc]  # as above
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(65, 64), nn.Embedding(64, 64)
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 65, bias=False)

        def forward(self, x: Any) -> Any:
            x = self.tokens(x) + self.positions(t.arange(64))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)

    model = GPT()
    x, y = t.randint(0, 65, (16, 64)), t.randint(0, 65, (16 * 64,))
    return training(t, model, t.optim.AdamW(model.parameters(), lr=3e-4), nn.CrossEntropyLoss(), x, y)


def chain(length: int) -> Workload:
    """Return W10: a chain of so many small operations on four numbers, forward and backward."""

    def workload(t: Any) -> Run:
        x = t.ones(4, requires_grad=True)

        def run() -> Any:
            x.grad = None
            y = x
            for _ in range(length // 2):
                y = y * 0.999
                y = y + 0.001
            loss = y.sum()
            loss.backward()
            return loss

        return run

    return workload


def w11(t: Any) -> Run:
    """(x * 2 + 1).tanh().exp().sum() on a million elements, forward and backward."""
    x = t.linspace(-3, 3, 1_000_000).requires_grad_()

    def run() -> Any:
        x.grad = None
        loss = (x * 2 + 1).tanh().exp().sum()
        loss.backward()
        return loss

    return run


def w12(t: Any) -> Run:
    """Inference of one image with W2's network; nothing is recorded."""
    model, x, _ = digits(t)
    one = x[:1]

    def run() -> Any:
        with t.no_grad():
            return model(one)[0, 0]

    return run


def w13(t: Any) -> Run:
    """The gradient of a gradient's norm, on W1's network."""
    model, x, y = regression(t)
    parameters = list(model.parameters())
    loss_function = t.nn.MSELoss()

    def run() -> Any:
        model.zero_grad()
        grads = t.autograd.grad(loss_function(model(x), y), parameters, create_graph=True)
        penalty = sum((g * g).sum() for g in grads)
        penalty.backward()
        return penalty

    return run


WORKLOADS: dict[str, Workload] = {
    "W1": w1, "W2": w2, "W3a": curves(1_000), "W3b": curves(1_000_000), "W4": w4, "W5": w5, "W6": w6, "W7": w7, "W8": w8,
    "W9": w9, "W10 1e3": chain(1_000), "W10 1e4": chain(10_000), "W10 1e5": chain(100_000), "W10 1e6": chain(1_000_000),
    "W11": w11, "W12": w12, "W13": w13,
}  # fmt: skip

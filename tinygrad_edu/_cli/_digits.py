"""The demo's network and its training, as a program for PyTorch would write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from .. import nn
from .._tensor import Tensor
from ..autograd import no_grad
from ..datasets import Digits
from ..nn import functional as F
from ..optim import Adam
from ..optim.lr_scheduler import CosineAnnealingLR
from ..random import Generator, manual_seed
from ..utils.data import DataLoader, Subset, random_split

Images: TypeAlias = Subset[tuple[Tensor, ...]]

EPOCHS = 10
BATCH = 32


def network() -> nn.Sequential:
    """Two convolutions see strokes and their joins, two linear layers decide: (N, 1, 8, 8) -> (N, 10) scores."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (N, 16, 4, 4)
        nn.Conv2d(16, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (N, 32, 2, 2)
        nn.Flatten(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(64, 10),
    )


def split(seed: int) -> tuple[Images, Images]:
    """Divide the digits by chance into 80 % for training and 20 % for the test."""
    train, test = random_split(Digits(), [0.8, 0.2], generator=Generator().manual_seed(seed))
    return train, test


def train(net: nn.Module, images: Images, epochs: int = EPOCHS) -> Iterator[Tensor]:
    """Train ``net``, one batch each time the next loss is asked for."""
    batches = DataLoader(images, batch_size=BATCH, shuffle=True)
    optimizer = Adam(net.parameters(), lr=3e-3)
    schedule = CosineAnnealingLR(optimizer, epochs)
    net.train()
    for _ in range(epochs):
        for x, y in batches:
            loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss
        schedule.step()


def steps(images: Images, epochs: int = EPOCHS) -> int:
    """How many losses ``train`` will yield."""
    return epochs * len(DataLoader(images, batch_size=BATCH))


def together(images: Images) -> tuple[Tensor, Tensor]:
    """All of ``images`` as one batch, and their labels."""
    batch: tuple[Tensor, Tensor] = next(iter(DataLoader(images, batch_size=1_000_000)))
    return batch


@no_grad()
def scores(net: nn.Module, x: Tensor) -> Tensor:
    """What ``net``, no longer training, says about each image."""
    net.eval()
    out: Tensor = net(x)
    return out


def accuracy(net: nn.Module, images: Images) -> float:
    """The share of ``images`` that ``net`` names rightly, in percent."""
    x, y = together(images)
    right = scores(net, x).argmax(dim=1) == y
    return 100 * float(right.float().mean())


def trained(seed: int, epochs: int = EPOCHS) -> float:
    """Split, initialise and train from ``seed``; return the accuracy on the test images."""
    manual_seed(seed)
    training, test = split(seed)
    net = network()
    for _ in train(net, training, epochs):
        pass
    return accuracy(net, test)

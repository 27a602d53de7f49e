"""``demo``: train on the digits, and show what a framework does on the way."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._tensor import Tensor
    from ._types import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "demo",
        help="train a small network on handwritten digits (a few seconds)",
        description="Train a convolutional network on the 8x8 digits that come with the package, test it, save and reload "
        "its weights, and draw the graph of one loss.",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split, the weights and the batches (default 0)")
    parser.add_argument("--epochs", type=int, default=10, help="times through the training images (default 10)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for weights and graph (default out/)")
    parser.set_defaults(execute=execute)


def execute(asked: argparse.Namespace) -> int:
    """Run the command."""
    from .. import _blas, nn, random, serialization, viz
    from . import _digits as digits

    begin = time.perf_counter()
    _blas.set_threads(1)  # its products are small: a second thread only waits, on a busy machine for very long
    random.manual_seed(asked.seed)
    training, test = digits.split(asked.seed)
    net = digits.network()
    viz.summary(net, (1, 8, 8))

    print(f"training on {len(training)} images of 8x8 pixels, {asked.epochs} epochs")
    losses = []
    for loss in progress(digits.train(net, training, asked.epochs), digits.steps(training, asked.epochs)):
        losses.append(loss.item())
    if losses:
        last = losses[-digits.steps(training, 1) :]
        print(f"loss: {losses[0]:.4f} in the first batch, {sum(last) / len(last):.4f} on average over the last epoch")

    asked.out.mkdir(parents=True, exist_ok=True)
    weights = asked.out / "digits.pt"
    serialization.save(net.state_dict(), weights)
    again = digits.network()
    again.load_state_dict(serialization.load(weights))
    x, y = digits.together(test)
    before, after = digits.scores(net, x), digits.scores(again, x)
    equal = bool((before == after).all())
    print(f"weights saved to {weights} and loaded into a new network: predictions {'equal' if equal else 'DIFFER'}")

    net.train()
    graph = viz.draw(nn.functional.cross_entropy(net(x[:4]), y[:4]), model=net)
    for name in ("digits_loss.svg", "digits_loss.dot"):
        graph.save(asked.out / name)
    print(
        f"graph of one loss: {asked.out / 'digits_loss.svg'}, and as text for graphviz: {asked.out / 'digits_loss.dot'}"
    )

    print(f"time: {time.perf_counter() - begin:.1f} s")
    print(f"test accuracy: {digits.accuracy(net, test):.1f} %")
    return 0 if equal else 1


def progress(losses: Iterable[Tensor], total: int) -> Iterator[Tensor]:
    """Pass ``losses`` on with a progress bar on stderr: tqdm's where it is installed, else a line for each tenth."""
    try:
        from tqdm import tqdm  # type: ignore[import-untyped]  # it carries no types
    except ImportError:
        yield from _plain_progress(losses, total)
        return
    with tqdm(total=total, unit="batch") as bar:
        for loss in losses:
            bar.set_postfix_str(f"loss {loss.item():.3f}", refresh=False)
            bar.update()
            yield loss


def _plain_progress(losses: Iterable[Tensor], total: int) -> Iterator[Tensor]:
    shown = 0
    for done, loss in enumerate(losses, 1):
        tenths = 10 * done // total
        if tenths > shown:
            shown = tenths
            print(f"[{'#' * tenths}{'.' * (10 - tenths)}] {done}/{total} loss {loss.item():.3f}", file=sys.stderr)
        yield loss

"""Make the gallery: ``python docs/make_gallery.py [NAME ...]`` draws every picture anew (or those named) and writes docs/gallery.md.

Needs the extras ``plot`` and ``test``, and for pages playwright with a Chromium. Every picture is to be looked at afterwards.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import tinygrad_edu as torch
from tinygrad_edu import datasets, lab, nn, viz
from tinygrad_edu._cli import _digits as digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "gallery"
LIMIT = 1_000_000  # bytes, all pictures together: everyone who clones the project carries them
WIDTH = 900  # pixels, about what a page shows
COLOURS = 256  # of a palette: as many as it holds


class Picture(NamedTuple):
    """One picture of the gallery: ``draw`` writes a PNG of any size to the path it is given."""

    name: str
    caption: str
    draw: Callable[[Path], object]


def experiment(name: str, language: lab._experiment.Language, path: Path) -> None:
    """Draw the figure of an experiment."""
    chosen = lab.EXPERIMENTS[name]
    lab.save(chosen, chosen.run(0), path, language)


def laboratory() -> list[Picture]:
    """All experiments in English, and one in Chinese."""
    pictures = [
        Picture(f"lab-{name}", f"`lab {name}`: {chosen.title.en}", functools.partial(experiment, name, "en"))
        for name, chosen in lab.EXPERIMENTS.items()
    ]
    chinese = Picture(
        "lab-vanishing-zh", "`lab vanishing --language zh`", functools.partial(experiment, "vanishing", "zh")
    )
    return [*pictures, chinese]


def small_network() -> tuple[nn.Module, torch.Tensor]:
    """A network for XOR and its loss, with the graph behind it; the gradients are computed."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x, y = torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([[1.0], [0.0]])
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward(retain_graph=True)
    return net, loss


def small_graph(path: Path, *, view: str = "forward", dark: bool = False) -> None:
    """Draw the small network, with values."""
    net, loss = small_network()
    svg(viz.draw(loss, model=net, view=view), path, dark=dark)


def neuron(path: Path) -> None:
    """Draw a neuron number by number: the first example that micrograd draws."""
    x1, x2 = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (2.0, 0.0))
    w1, w2 = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (-3.0, 1.0))
    b = torch.tensor(6.8813735870195432, dtype=torch.float64, requires_grad=True)
    with viz.record() as tape:  # keeps what the steps between computed, and their gradients
        out = (x1 * w1 + x2 * w2 + b).tanh()
        out.backward(retain_graph=True)
    names = {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b, "out": out}
    svg(viz.draw(tape.diagram(out, names=names), names=names, mode="scalar"), path)


def folded(path: Path) -> None:
    """Draw a stack of equal blocks, folded."""
    torch.manual_seed(0)
    blocks = (nn.Sequential(nn.Linear(16, 16), nn.ReLU()) for _ in range(12))
    net = nn.Sequential(nn.Linear(4, 16), nn.Sequential(*blocks), nn.Linear(16, 2))
    svg(viz.draw(nn.functional.cross_entropy(net(torch.randn(8, 4)), torch.zeros(8).long()), model=net, depth=2), path)


def svg(graph: viz.Graph, path: Path, *, dark: bool = False) -> None:
    """Photograph the picture of a graph, in its own size."""
    page = path.with_suffix(".svg")
    graph.save(page)
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', page.read_text(encoding="utf-8"))
    assert found
    wide, high = (float(number) for number in found.groups())
    screenshot(page, path, size=(round(wide) + 1, round(high) + 1), dark=dark)


def stepper(path: Path, *, at: int, language: str = "en", dark: bool = False) -> None:
    """Photograph the stepper's page ``at`` steps after its beginning."""
    net, loss = small_network()
    page = path.with_suffix(".html")
    viz.step(loss, page, model=net, language=language)
    screenshot(page, path, size=(1320, 990), dark=dark, keys=["ArrowRight"] * at)


def report(path: Path) -> None:
    """Run an example with a report and photograph its page."""
    page = path.with_suffix(".html")
    example = DOCS.parent / "examples" / "15_regression.py"
    command = [sys.executable, "-m", "tinygrad_edu", "run", "--report", str(page), str(example)]
    subprocess.run(command, check=True, capture_output=True, cwd=path.parent)
    screenshot(page, path, size=(1320, 990))


def pages() -> list[Picture]:
    """The stepper's page at several steps, and the page of a whole run."""
    return [
        Picture("step-forward", '`viz.step(loss, "page.html")`: a step forward', functools.partial(stepper, at=2)),
        Picture("step-backward-dark", "A step backward, in dark", functools.partial(stepper, at=6, dark=True)),
        Picture("step-backward-zh", '`viz.step(loss, language="zh")`', functools.partial(stepper, at=6, language="zh")),
        Picture("report", "`run --report page.html script.py`: what a script did, on one page", report),
    ]


def axes(count: int) -> tuple[Figure, Sequence[Axes]]:
    """Make a figure of some plots in a row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * count, 3.6), layout="constrained")
    return figure, figure.subplots(1, count)


def activations(path: Path) -> None:
    """Draw two activation functions."""
    figure, both = axes(2)
    for name, single in zip(("sigmoid", "relu"), both, strict=True):
        viz.plot.activation(name, ax=single)
    figure.savefig(path)


def moons_network() -> tuple[nn.Module, torch.Tensor, torch.Tensor, list[float]]:
    """Learn the two moons."""
    torch.manual_seed(0)
    x, y = datasets.moons(200)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    losses = []
    for _ in range(200):
        loss = nn.functional.binary_cross_entropy_with_logits(net(x).squeeze(1), y.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return net, x, y, losses


def training(path: Path) -> None:
    """Draw a training: the loss, what was learnt, and the loss around the place where it ended."""
    net, x, y, losses = moons_network()
    figure, (left, middle, right) = axes(3)
    viz.plot.history(losses, ax=left)
    viz.plot.boundary(net, x, y, ax=middle)
    loss = lambda: nn.functional.binary_cross_entropy_with_logits(net(x).squeeze(1), y.float())
    viz.plot.landscape(loss, net, ax=right)
    figure.savefig(path)


def layers(path: Path) -> None:
    """Draw what is inside a network: activations layer by layer."""
    net, x, _, _ = moons_network()
    figure, both = axes(2)
    viz.plot.hist(net, "activations", inputs=x, ax=both)
    figure.savefig(path)


def gradients(path: Path) -> None:
    """Draw the gradients of a deep network of sigmoids, and its first weights."""
    torch.manual_seed(0)
    net = nn.Sequential(*(layer for _ in range(6) for layer in (nn.Linear(8, 8), nn.Sigmoid())))
    net(torch.randn(32, 8)).pow(2).mean().backward()
    figure, (left, right) = axes(2)
    viz.plot.grad_flow(net, ax=left)
    viz.plot.weights(net[0], ax=right, lang="zh")
    figure.savefig(path)


def digits_network(path: Path) -> None:
    """Train the demo's network on the digits; draw its filters and its errors."""
    torch.manual_seed(0)
    images, test = digits.split(0)
    net = digits.network()
    for _ in digits.train(net, images, epochs=2):
        pass
    x, y = digits.together(test)
    figure, (left, right) = axes(2)
    viz.plot.conv_filters(net, ax=left)
    viz.plot.confusion(y, digits.scores(net, x), ax=right)
    figure.savefig(path)


def plots() -> list[Picture]:
    """Plots with matplotlib."""
    return [
        Picture("plot-activation", '`viz.plot.activation("sigmoid")`', activations),
        Picture("plot-training", "`viz.plot.history`, `boundary` and `landscape` of one training", training),
        Picture("plot-hist", '`viz.plot.hist(net, "activations", inputs=x)`', layers),
        Picture("plot-gradients", "`viz.plot.grad_flow` and `weights`, the latter in Chinese", gradients),
        Picture(
            "plot-digits", "`viz.plot.conv_filters` and `confusion` after two epochs on the digits", digits_network
        ),
    ]


def graphs() -> list[Picture]:
    """Pictures of graphs."""
    return [
        Picture("graph", "`viz.draw(loss, model=net)`: values and gradients of a small network", small_graph),
        Picture(
            "graph-both-dark",
            '`viz.draw(loss, model=net, view="both")`: the way back beside the way forward, in dark',
            functools.partial(small_graph, view="both", dark=True),
        ),
        Picture("graph-neuron", '`viz.draw(out, mode="scalar")`: one neuron, number by number', neuron),
        Picture("graph-folded", "`viz.draw(loss, model=net, depth=2)`: twelve equal blocks are one box", folded),
    ]


# A section is its title and its pictures.
SECTIONS: dict[str, list[Picture]] = {
    "Pictures of graphs": graphs(),
    "Pages": pages(),
    "Plots": plots(),
    "The theory laboratory": laboratory(),
}


def shrink(source: Path, target: Path) -> None:
    """Scale a picture to the gallery's width and write it with a palette."""
    from PIL import Image

    with Image.open(source) as picture:
        small = picture.convert("RGB")
        if small.width > WIDTH:
            small = small.resize((WIDTH, round(small.height * WIDTH / small.width)), Image.Resampling.LANCZOS)
        covering = Image.Quantize.MAXCOVERAGE  # keeps rare colours: a thin green line stays green
        small.quantize(COLOURS, covering, dither=Image.Dither.NONE).save(target, optimize=True)


def screenshot(page: Path, path: Path, *, size: tuple[int, int], dark: bool = False, keys: Sequence[str] = ()) -> None:
    """Photograph an HTML page or an SVG picture in a headless Chromium, after some keys were pressed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        scheme = "dark" if dark else "light"
        view = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        view.goto(page.resolve().as_uri())
        for key in keys:
            view.keyboard.press(key)
        view.screenshot(path=path)
        browser.close()


def text() -> str:
    """Give docs/gallery.md."""
    lines = [
        "# Gallery",
        "",
        "Made by `python docs/make_gallery.py`, which draws every picture anew; nothing here is touched up.",
    ]
    for title, pictures in SECTIONS.items():
        lines += ["", f"## {title}"]
        for picture in pictures:
            lines += ["", picture.caption, "", f"![{picture.caption}](gallery/{picture.name}.png)".replace("`", "")]
    return "\n".join([*lines, ""])


def main(names: list[str]) -> int:
    """Draw the pictures, write the page, and say how large all of it is."""
    torch.set_num_threads(1)
    pictures = [picture for section in SECTIONS.values() for picture in section]
    unknown = set(names) - {picture.name for picture in pictures}
    if unknown:
        print(f"no such picture: {', '.join(sorted(unknown))}. There are: {', '.join(p.name for p in pictures)}")
        return 2
    FOLDER.mkdir(exist_ok=True)
    for picture in pictures:
        if names and picture.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            large = Path(folder) / "large.png"
            picture.draw(large)
            shrink(large, FOLDER / f"{picture.name}.png")
    for stale in {path.stem for path in FOLDER.glob("*.png")} - {picture.name for picture in pictures}:
        (FOLDER / f"{stale}.png").unlink()
    (DOCS / "gallery.md").write_text(text(), encoding="utf-8")
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(pictures)} pictures, {total:,} bytes of at most {LIMIT:,}")
    return 0 if total <= LIMIT else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Make the gallery: ``python docs/make_gallery.py [NAME ...]`` draws every picture anew (or those named) and writes docs/gallery.md.

Needs the extras ``plot`` and ``test``, and for pages playwright with a Chromium. Every picture is to be looked at afterwards.
"""

from __future__ import annotations

import functools
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import tinygrad_edu as torch
from tinygrad_edu import lab

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "gallery"
LIMIT = 1_000_000  # bytes, all pictures together: everyone who clones the project carries them
WIDTH = 900  # pixels, about what a page shows
COLOURS = 128  # of a palette; flat drawings need no more


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


# A section is its title and its pictures. Pictures of graphs, the stepper's pages and viz.plot's plots are added here.
SECTIONS: dict[str, list[Picture]] = {
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


def screenshot(page: Path, path: Path, *, size: tuple[int, int] = (1200, 800), dark: bool = False) -> None:
    """Photograph an HTML page or an SVG picture in a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        scheme = "dark" if dark else "light"
        view = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        view.goto(page.resolve().as_uri())
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

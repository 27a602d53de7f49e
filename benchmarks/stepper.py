"""How large are the stepper's pages, and how long does a browser take to open one and to go a step?

    python benchmarks/stepper.py

Three programs: a chain of 200 operations on 32x32 arrays, 200 operations of a residual network of linear layers with 100x100
arrays, and a chain of 1,000 operations (``max_nodes=1100, max_mb=8``). The page is opened in Chromium, driven by Playwright;
a step is what a press of the right arrow key costs until the page is laid out anew, the median and the slowest of 50. Aims: 200
operations below 1.5 MB and 30 ms a step, 1,000 operations open in less than 1 s.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import tinygrad_edu as t
from tinygrad_edu import viz
from tinygrad_edu.nn import functional as F

STEPS = 50
GO = """() => { const begin = performance.now();
document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true })); document.body.offsetHeight;
return performance.now() - begin; }"""


def chain(count: int, size: int) -> t.Tensor:
    y = t.randn(size, size, requires_grad=True)
    for i in range(count - 1):
        y = (y.tanh, y.sin, y.sigmoid, y.neg)[i % 4]()
    return y.mean()


def residual(count: int, size: int) -> t.Tensor:
    y = t.randn(size, size)
    for _ in range((count - 1) // 3):
        y = y + F.linear(y, (t.randn(size, size) / size).requires_grad_()).relu()
    return y.square().mean()


PROGRAMS = {
    "chain of 200, 32x32": lambda: chain(200, 32),
    "residual network of 200, 100x100": lambda: residual(200, 100),
    "chain of 1,000, 8x8": lambda: chain(1000, 8),
}


def main() -> int:
    """Print a row for each program."""
    program = shutil.which("chromium")
    if program is None:
        print("no browser: apt install chromium", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    print(f"{'program':34} {'ops':>5} {'written in':>10} {'MB':>6} {'opens in':>9} {'a step':>8} {'slowest':>8}")
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, run in PROGRAMS.items():
            t.manual_seed(0)
            with viz.record():
                loss = run()
                loss.backward()
            path = Path(folder, "page.html")
            begin = time.perf_counter()
            player = viz.step(loss, path, max_nodes=1100, max_mb=8)
            written = time.perf_counter() - begin
            page = browser.new_page()
            page.goto(path.as_uri())
            opened = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            times = [page.evaluate(GO) for _ in range(STEPS)]
            ops = sum(step.phase == "forward" for step in player.steps)
            page.close()
            print(
                f"{name:34} {ops:5} {written:8.2f} s {path.stat().st_size / 1e6:6.2f} {opened / 1000:7.2f} s {statistics.median(times):5.1f} ms "
                f"{max(times):5.1f} ms"
            )
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

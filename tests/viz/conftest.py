"""The real parts of these tests: Graphviz's program dot, and a browser for the pages, Debian's Chromium driven by Playwright."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests import notes

WITHOUT = "TINYGRAD_EDU_WITHOUT_BROWSER"


@pytest.fixture
def dot() -> str:
    """Give the path of Graphviz's program; left out only where the environment says that there is none."""
    found = shutil.which("dot")
    if found is not None:
        return found
    if os.environ.get("TINYGRAD_EDU_WITHOUT_DOT", "") not in ("", "0"):
        notes.note("TINYGRAD_EDU_WITHOUT_DOT: the tests that draw with Graphviz's program dot were left out.")
        pytest.skip("TINYGRAD_EDU_WITHOUT_DOT is set")
    pytest.fail(
        "Graphviz's program dot is not installed: apt install graphviz, or set TINYGRAD_EDU_WITHOUT_DOT=1 to leave its tests out.",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def browser():
    """A browser without windows; what is missing is named, never passed over."""
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{WITHOUT}=1: the pages are not tested")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail(
            f"no browser: apt install chromium, or set {WITHOUT}=1 to leave the tests of pages out", pytrace=False
        )
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail(f"no Playwright: pip install playwright, or set {WITHOUT}=1", pytrace=False)
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe(browser):
    """The source of axe-core, which checks a page for barriers; it is no part of this project."""
    path = os.environ.get("TINYGRAD_EDU_AXE", "")
    if not Path(path).is_file():
        pytest.fail("no axe-core: npm install axe-core, and set TINYGRAD_EDU_AXE to its axe.min.js", pytrace=False)
    return Path(path).read_text("utf-8")


class Shown:
    """A page that is open, with all that it asked for and complained of."""

    def __init__(self, browser, path, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())


@pytest.fixture
def show(browser, tmp_path):
    """Save a player's page and open it: ``show(player, color_scheme="dark")``."""
    opened = []

    def open_page(player, **context):
        path = tmp_path / "page.html"
        player.save(path)
        opened.append(Shown(browser, path, **context))
        return opened[-1]

    yield open_page
    for shown in opened:
        shown.context.close()
        assert len(shown.requests) == 1, shown.requests
        assert shown.complaints == []

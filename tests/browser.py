"""A real browser for tests: playwright's loop runs for as long as it is open."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.machine import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextmanager
def open_browser() -> "Iterator[Browser]":
    """Start the machine's chromium; a machine without one is told what to install."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        require("a browser", "install the package chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        require("playwright", "install the group dev of the dependencies")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """Start one browser for all tests of a file: while it runs, nothing else in the process has a loop of its own."""
    with open_browser() as opened:
        yield opened

"""A real browser, and what is asked of every page that it shows."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.console.world import Console

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, ViewportSize

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SCREENSHOTS = "CONSOLE_SCREENSHOTS"
DESKTOP: "ViewportSize" = {"width": 1280, "height": 800}
PHONE: "ViewportSize" = {"width": 375, "height": 740}
SERIOUS = ("serious", "critical")


class Visitor:
    """Somebody with a browser: one page, and whatever the browser complained about."""

    def __init__(self, console: Console, context: "BrowserContext") -> None:
        self.console = console
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> "Page":
        """Open a path of the application."""
        self.page.goto(self.console.runtime.settings.base_url + path)
        return self.page

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as people do."""
        self.go("/login")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_role("button", name="Go on").click()
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/console/**")

    def close(self) -> None:
        """Close the browser's window."""
        self.context.close()

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


def assert_accessible(page: "Page") -> None:
    """Assert that axe-core finds nothing serious on a page, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert _violations(page) == [], scheme
    page.emulate_media(color_scheme="light")


def assert_fits_a_phone(page: "Page") -> None:
    """Assert that nothing of a page lies outside of a phone's width."""
    page.set_viewport_size(PHONE)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(DESKTOP)

    assert wide <= PHONE["width"]


def keep_picture(page: "Page", name: str) -> None:
    """Save a page as a picture for the documentation, when somebody asks for pictures."""
    if not os.environ.get(SCREENSHOTS):
        return
    IMAGES.mkdir(exist_ok=True)
    page.set_viewport_size(DESKTOP)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=IMAGES / f"{name}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    page.screenshot(path=IMAGES / f"{name}-phone.png")
    page.set_viewport_size(DESKTOP)


def _violations(page: "Page") -> list[tuple[str, str, list[str]]]:
    from axe_playwright_python.sync_playwright import Axe

    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        (each["id"], each["help"], [str(node["target"]) for node in each["nodes"]])
        for each in found
        if each["impact"] in SERIOUS
    ]

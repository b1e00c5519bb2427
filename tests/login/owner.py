"""An owner with an account of the bridge itself, and how they come in."""

import re

from scim_bridge.identity import accounts
from tests.identity.signing_in import TERMINAL
from tests.login.world import Browser, Login

EMAIL, PASSWORD = "owner@acme.example", "correct horse battery staple"


def set_password(login: Login, password: str, email: str = EMAIL) -> None:
    browser = login.browser()
    path = accounts.make_link(login.database, TERMINAL, email).path
    browser.get(path)
    assert browser.post(path, {"password": password}).status_code == 200, browser.page


def enter(login: Login, password: str = PASSWORD, email: str = EMAIL, browser: Browser | None = None) -> Browser:
    """Type address and password."""
    used = browser or login.browser()
    used.get("/login")
    used.post("/login/password", {"email": email, "password": password})
    return used


def attempt_of(browser: Browser) -> str:
    found = re.search(r'name="attempt" value="([^"]+)"', browser.page)
    assert found is not None, browser.page
    return found[1]

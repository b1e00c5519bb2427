"""A real browser with a virtual authenticator makes a passkey and signs in with it."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Error, Page
from werkzeug.serving import make_server

from scim_bridge.identity import accounts, organizations
from tests.fakes.oidc_provider import OpenIdProvider
from tests.identity.signing_in import TERMINAL
from tests.login.owner import EMAIL, PASSWORD
from tests.login.world import Login, open_login

PATIENCE_MILLISECONDS = 30_000

pytestmark = pytest.mark.slow


@pytest.fixture
def served(migrated_sqlite: Path, tmp_path: Path) -> Iterator[tuple[Login, str]]:
    """Serve the application under the one name at which browsers make passkeys without https."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    home = f"http://localhost:{port}"
    copied = shutil.copy(migrated_sqlite, tmp_path / "served.sqlite3")
    with open_login(f"sqlite:///{copied}", tmp_path, OpenIdProvider(), base_url=home) as login:
        organizations.create(login.database, TERMINAL, "acme", owner=EMAIL)
        path = accounts.make_link(login.database, TERMINAL, EMAIL).path
        accounts.set_password(login.database, path.rpartition("/")[2], PASSWORD)
        server = make_server("localhost", port, login.app, threaded=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield login, home
        server.shutdown()
        thread.join()
        server.server_close()


def device(page: Page) -> None:
    """Plug an authenticator into a page: it keeps passkeys, and takes everybody's finger."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    like = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": like | {"isUserVerified": True}})


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.locator(f"form:visible [name={name}]").first.fill(value)


def password(page: Page, home: str) -> None:
    """Type address and password."""
    page.goto(f"{home}/login")
    fill(page, email=EMAIL)
    page.get_by_role("button", name="Go on").click()
    fill(page, password=PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page, home: str) -> None:
    page.goto(f"{home}/account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/logout/done")


def test_a_passkey_is_made_in_the_account_and_signs_in_from_then_on(
    served: tuple[Login, str], chromium: Browser
) -> None:
    login, home = served
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    device(page)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    password(page, home)
    page.wait_for_url(f"{home}/console/**")
    page.goto(f"{home}/account")
    page.locator("form[action='/account/passkeys'] [name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    fill(page, name="laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("listitem").first.wait_for()
    codes = page.get_by_role("listitem").count()
    page.get_by_role("link", name="Back to your account").click()
    page.get_by_role("cell", name="laptop").wait_for()
    made = page.get_by_role("cell", name="laptop").count()
    sign_out(page, home)

    page.goto(f"{home}/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{home}/console/**")
    sign_out(page, home)

    password(page, home)
    page.get_by_role("button", name="Go on with your passkey").click()
    page.wait_for_url(f"{home}/console/**")

    methods = [entry.partition('"method":"')[2].partition('"')[0] for entry in login.audit("session.began")]
    assert (codes, made) == (10, 1)
    assert methods == ["password", "passkey", "password"]
    assert [each for each in complaints if "Content Security Policy" in each] == []


def test_without_a_passkey_the_browser_says_so_and_without_a_script_the_page_does(
    served: tuple[Login, str], chromium: Browser
) -> None:
    _, home = served
    page = chromium.new_page()
    device(page)
    plain = chromium.new_context(java_script_enabled=False).new_page()

    page.goto(f"{home}/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    plain.goto(f"{home}/login")
    plain.get_by_role("button", name="Sign in with a passkey").click()

    page.get_by_text("Nothing came of it.").wait_for(timeout=PATIENCE_MILLISECONDS)
    assert "Passkeys need JavaScript" in plain.content()
    with pytest.raises(Error):
        page.wait_for_url(f"{home}/console/**", timeout=100)

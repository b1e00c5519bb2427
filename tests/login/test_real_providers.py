"""Two products of others sign people in: Canaille (Python) and oidc-provider (npm)."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from scim_bridge.identity import identity_providers
from tests.fakes.oidc_provider import OpenIdProvider
from tests.identity.signing_in import TERMINAL
from tests.login import npm_environment
from tests.login.walking import Form, Walker
from tests.login.world import Login, open_login
from tests.machine import require
from tests.scim.canaille import environment

HERE = Path(__file__).parent
WAIT_SECONDS = 40

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def real(migrated_sqlite: Path, tmp_path: Path) -> Iterator[tuple[Login, str]]:
    """Serve the application on the loopback; its fake provider only says where the real one will be."""
    port = free_port()
    home = f"http://127.0.0.1:{port}"
    copied = shutil.copy(migrated_sqlite, tmp_path / "real.sqlite3")
    provider = OpenIdProvider()
    provider.issuer = f"http://127.0.0.1:{free_port()}"
    with open_login(f"sqlite:///{copied}", tmp_path, provider, base_url=home) as login:
        server = make_server("127.0.0.1", port, login.app, threaded=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield login, home
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(words: list[str], place: Path) -> Iterator[None]:
    """Run a provider while the block runs; it says when it listens."""
    # Nothing of our own environment may be found by it.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    log = place / "provider.log"
    with log.open("w") as out:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=out, text=True, env=clean, cwd=place)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "ready":
                break
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def npm_provider(login: Login, home: str, provider_id: str, place: Path) -> Iterator[None]:
    """Serve a company with oidc-provider."""
    try:
        installed = npm_environment.installed()
    except npm_environment.NodeMissing as missing:
        require("oidc-provider", f"install nodejs and npm; it comes from the npm registry ({missing})")
    # Node looks for packages beside the script.
    script = place / "provider.mjs"
    shutil.copy(HERE / "oidc_provider.mjs", script)
    (place / "node_modules").symlink_to(installed / "node_modules")
    port = login.provider.issuer.rpartition(":")[2]
    with running(["node", str(script), port, home, provider_id], place):
        yield


@contextmanager
def canaille(login: Login, home: str, place: Path) -> Iterator[None]:
    """Serve a company with Canaille."""
    try:
        python = environment.python()
    except environment.CanailleMissing as missing:
        require("Canaille", f"it comes from the package index ({missing})")
    port = login.provider.issuer.rpartition(":")[2]
    with running([str(python), str(HERE / "canaille_provider.py"), port, home], place):
        yield


def until(said: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if said():
            return True
        time.sleep(0.1)
    return False


def test_people_of_oidc_provider_sign_in_and_out_here(real: tuple[Login, str], tmp_path: Path) -> None:
    login, home = real
    ana = login.person(external_id="ana")
    login.group("Engineers")
    view = login.add(group_sync="authoritative")
    walker = Walker(home, login="ana", password="whatever")

    with npm_provider(login, home, view.id, tmp_path):
        walker.walk(f"{home}/login/with/{view.id}")
        signed_in = walker.is_signed_in()
        page = walker.session.get(f"{home}/account", timeout=20)
        leaving = walker.session.post(f"{home}/logout", Form(page.text).values, timeout=20)
        there = walker.session.get(Form(leaving.text).refresh or "", timeout=20)
        back = walker.fill(there)

    assert signed_in
    assert "ana@acme.example" in page.text
    assert login.groups_of(ana) == {"Engineers": "login"}
    assert not walker.is_signed_in()
    assert back.url.startswith(f"{home}/logout/done")


def test_a_sign_out_at_oidc_provider_ends_the_session_here(real: tuple[Login, str], tmp_path: Path) -> None:
    login, home = real
    login.person(external_id="ana")
    view = login.add()
    walker = Walker(home, login="ana", password="whatever")

    with npm_provider(login, home, view.id, tmp_path):
        walker.walk(f"{home}/login/with/{view.id}")
        signed_in = walker.is_signed_in()
        walker.fill(walker.session.get(f"{login.provider.issuer}/session/end", timeout=20))
        told = until(lambda: not walker.is_signed_in())

    assert signed_in
    assert told
    assert len(login.audit("session.ended_by_provider")) == 1


def test_a_test_sign_in_by_oidc_provider_signs_nobody_in(real: tuple[Login, str], tmp_path: Path) -> None:
    login, home = real
    login.person(external_id="ana")
    view = login.add()
    walker = Walker(home, login="ana", password="whatever")

    with npm_provider(login, home, view.id, tmp_path):
        begun = identity_providers.begin_test(login.database, TERMINAL, "acme", "okta")
        page = walker.walk(f"{home}{begun.path}")

    assert "The test succeeded" in page.text
    assert not walker.is_signed_in()
    assert identity_providers.show(login.database, "acme", "okta").tested_at is not None


def test_people_of_canaille_sign_in_here(real: tuple[Login, str], tmp_path: Path) -> None:
    login, home = real
    ana = login.person(external_id="ana")
    login.group("Engineers")
    view = login.add(group_sync="add-only", scopes=("profile", "email", "groups"))
    walker = Walker(home, login="ana", password="a secret of her own")

    with canaille(login, home, tmp_path):
        page = walker.walk(f"{home}/login/with/{view.id}")

    assert walker.is_signed_in(), page.text
    assert "ana@acme.example" in page.text
    assert login.groups_of(ana) in ({"Engineers": "login"}, {})

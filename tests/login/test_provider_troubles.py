"""An identity provider that does not answer, turns its keys, lies, or says that a session is over."""

import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.store import schema
from scim_bridge.store.clock import now
from tests.identity.rows import count
from tests.login.world import Browser, Login

NOBODY = "01a20000-0000-7000-8000-000000000000"


def grow_old(login: Login, by: timedelta) -> None:
    """Let what the provider said be so old."""
    with login.database.write() as connection:
        connection.execute(sa.update(schema.identity_provider).values(fetched_at=now() - by))


def test_what_a_provider_said_is_not_asked_for_at_each_sign_in(login: Login) -> None:
    login.person()
    view = login.add()
    login.come(login.browser(), view)
    before = len(login.provider.asked)

    login.come(login.browser(), view)

    assert login.provider.asked[before:] == ["/token"]


def test_a_new_key_is_fetched_when_a_token_names_it(login: Login) -> None:
    login.person()
    view, browser = login.add(), login.browser()
    login.come(login.browser(), view)
    login.provider.rotate()
    grow_old(login, timedelta(minutes=1))

    login.come(browser, view)

    assert browser.is_signed_in()


def test_nobody_can_make_us_ask_for_keys_all_the_time(login: Login) -> None:
    login.person()
    view = login.add()
    login.come(login.browser(), view)
    login.provider.rotate()
    login.provider.shown = []
    grow_old(login, timedelta(minutes=1))
    login.come(login.browser(), view)
    before = login.provider.asked.count("/keys")

    answers = [login.come(login.browser(), view).status_code for _ in range(3)]

    assert answers == [403, 403, 403]
    assert login.provider.asked.count("/keys") == before


def test_old_keys_are_used_while_the_provider_does_not_show_them(login: Login) -> None:
    login.person()
    view, browser = login.add(), login.browser()
    login.come(login.browser(), view)
    grow_old(login, timedelta(hours=5))
    login.provider.metadata = {"issuer": "https://evil.example"}

    login.come(browser, view)

    assert browser.is_signed_in()


def test_a_provider_that_never_answered_is_not_waited_for_in_vain(login: Login) -> None:
    view = login.add()
    login.provider.is_down = True

    answer = login.browser().get(f"/login/with/{view.id}")

    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_nobody_is_let_in_another_way_when_the_provider_is_down(login: Login) -> None:
    login.person()
    view, browser = login.add(), login.browser()
    path = login.provider.sign_in(browser.get(f"/login/with/{view.id}").headers["Location"])
    login.provider.is_down = True

    back = browser.get(path)

    assert back.status_code == 503
    assert back.headers["Retry-After"]
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://evil.example/authorize"},
        {"token_endpoint": "ftp://evil.example/token"},
        {"jwks_uri": None},
    ],
    ids=["issuer", "plain http", "no http", "no keys"],
)
def test_a_discovery_document_that_leads_astray_is_not_followed(login: Login, metadata: dict[str, Any]) -> None:
    login.provider.metadata = metadata
    view = login.add()

    answer = login.browser().get(f"/login/with/{view.id}")

    assert answer.status_code == 403
    assert "Location" not in answer.headers


@pytest.fixture
def signed_in(login: Login) -> tuple[Browser, str]:
    """Sign Ana in, in a session that the provider calls s1; return the path for its sign-outs too."""
    login.person()
    login.provider.person = {"sub": "00u1", "sid": "s1"}
    view, browser = login.add(), login.browser()
    login.come(browser, view)
    assert browser.is_signed_in()
    return browser, f"/login/backchannel/{view.id}"


def say(login: Login, path: str, token: str) -> int:
    """Send a sign-out token as a provider does: without cookies and without any form's token."""
    return login.app.test_client().post(path, data={"logout_token": token}).status_code


@pytest.mark.parametrize("whose", [{"sid": "s1"}, {"sub": "00u1"}, {"sid": "s1", "sub": "00u1"}], ids=str)
def test_a_back_channel_sign_out_ends_the_session(
    login: Login, signed_in: tuple[Browser, str], whose: dict[str, str]
) -> None:
    browser, path = signed_in

    answered = say(login, path, login.provider.logout_token(**whose))

    assert answered == 200
    assert not browser.is_signed_in()
    assert len(login.audit("session.ended_by_provider")) == 1


WRONG: list[dict[str, Any]] = [
    {"sid": "s1", "nonce": "n"},
    {"sid": "s1", "events": {}},
    {"sid": "s1", "events": "of no kind"},
    {"sid": "s1", "iss": "https://evil.example"},
    {"sid": "s1", "aud": "another application"},
    {"sid": "s1", "jti": None},
    {"sid": "s1", "iat": int(time.time()) - 3600},
    {"sid": "s1", "exp": int(time.time()) - 3600},
    {},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: ", ".join(wrong) or "nobody's")
def test_a_sign_out_token_that_is_none_ends_nothing(
    login: Login, signed_in: tuple[Browser, str], wrong: dict[str, Any]
) -> None:
    browser, path = signed_in

    answered = say(login, path, login.provider.logout_token(**wrong))

    assert answered == 400
    assert browser.is_signed_in()


def test_a_forged_sign_out_token_ends_nothing(login: Login, signed_in: tuple[Browser, str]) -> None:
    browser, path = signed_in
    login.provider.unsigned = True

    answers = [say(login, path, text) for text in (login.provider.logout_token(sid="s1"), "", "a.b.c", "x" * 70_000)]

    assert answers == [400] * 4
    assert browser.is_signed_in()


def test_an_id_token_is_no_sign_out_token(login: Login, signed_in: tuple[Browser, str]) -> None:
    browser, path = signed_in

    answered = say(login, path, login.provider.id_token({}))

    assert answered == 400
    assert browser.is_signed_in()


def test_a_sign_out_token_is_good_once(login: Login, signed_in: tuple[Browser, str]) -> None:
    _, path = signed_in
    token = login.provider.logout_token(sid="s1")

    answers = [say(login, path, token) for _ in range(2)]

    assert answers == [200, 400]
    assert count(login.database, "logout_token") == 1


def test_a_sign_out_at_an_unknown_provider_is_no_secret(login: Login) -> None:
    assert say(login, f"/login/backchannel/{NOBODY}", "x") == 400


def test_signing_out_here_leads_to_the_providers_sign_out(login: Login, signed_in: tuple[Browser, str]) -> None:
    browser, _ = signed_in
    browser.get("/account")

    answer = browser.post("/logout")

    assert f"{login.provider.issuer}/end?client_id=bridge" in answer.text
    assert "id_token_hint=" in answer.text
    assert "post_logout_redirect_uri=https%3A%2F%2Fbridge.example%2Flogout%2Fdone" in answer.text
    assert not browser.is_signed_in()


def test_signing_out_works_when_the_provider_is_gone(login: Login, signed_in: tuple[Browser, str]) -> None:
    browser, _ = signed_in
    browser.get("/account")
    login.provider.is_down = True
    grow_old(login, timedelta(hours=5))

    answer = browser.post("/logout")

    assert answer.status_code == 200
    assert not browser.is_signed_in()

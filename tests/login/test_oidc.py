"""Signing in by an identity provider: whom it lets in, and everything that must not be let in."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity.deactivation import deactivate
from scim_bridge.identity.directory_states import pause
from scim_bridge.store import schema
from tests.fakes.oidc_provider import OpenIdProvider
from tests.identity import rows
from tests.login.world import Login


def test_whom_the_directory_brought_signs_in(login: Login) -> None:
    login.person()
    view, browser = login.add(), login.browser()

    back = login.come(browser, view, "?return_to=/account")

    assert back.status_code == 303
    assert back.headers["Location"] == "/account"
    assert "ana@acme.example" in browser.get("/account").text
    assert '"method":"oidc"' in login.audit("session.began")[0]


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(login: Login) -> None:
    login.person()
    browser = login.browser()

    back = login.come(browser, login.add())

    cookie = next(each for each in back.headers.getlist("Set-Cookie") if "session" in each)
    assert cookie.startswith("__Host-scim-bridge-session=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


def test_what_travels_by_the_browser_says_nothing_and_is_new_each_time(login: Login) -> None:
    view, browser = login.add(), login.browser()

    first, second = (
        parse_qs(urlsplit(browser.get(f"/login/with/{view.id}").headers["Location"]).query) for _ in range(2)
    )

    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert first["scope"] == ["openid profile email"]
    assert first["redirect_uri"] == ["https://bridge.example/login/callback"]
    assert "client_secret" not in first


def forge_alg_none(provider: OpenIdProvider) -> None:
    provider.unsigned = True


def forge_hmac(provider: OpenIdProvider) -> None:
    provider.symmetric = True


def forge_key(provider: OpenIdProvider) -> None:
    shown = provider.key
    provider.rotate()
    provider.key.ensure_kid()
    provider.shown = [shown]


def leave_out_the_token(provider: OpenIdProvider) -> None:
    provider.without_id_token = True


def claim(**overrides: Any) -> Any:
    def spoil(provider: OpenIdProvider) -> None:
        provider.overrides = overrides

    spoil.__name__ = "claim " + ", ".join(overrides)
    return spoil


SPOILED = [
    forge_alg_none,
    forge_hmac,
    forge_key,
    leave_out_the_token,
    claim(nonce="of another sign-in"),
    claim(nonce=None),
    claim(iss="https://evil.example"),
    claim(aud="another application"),
    claim(aud=["bridge", "another"]),
    claim(azp="another application"),
    claim(exp=int(time.time()) - 3600),
    claim(exp=None),
    claim(iat=int(time.time()) + 3600),
    claim(iat=None),
    claim(nbf=int(time.time()) + 3600),
    claim(sub=None),
    claim(sub=""),
    claim(sub=7),
    claim(sub="somebody else"),
]


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_a_token_that_is_not_what_it_should_be_lets_nobody_in(login: Login, spoil: Any) -> None:
    login.person()
    view, browser = login.add(), login.browser()
    spoil(login.provider)

    back = login.come(browser, view)

    assert back.status_code == 403
    assert "You cannot sign in here" in back.text
    assert browser.cookie("session") is None
    assert not browser.is_signed_in()


def test_a_state_is_good_once_and_in_its_own_browser(login: Login) -> None:
    login.person()
    view, victim, thief = login.add(), login.browser(), login.browser()
    thief.get("/login")
    first = login.provider.sign_in(victim.get(f"/login/with/{view.id}").headers["Location"])
    second = login.provider.sign_in(victim.get(f"/login/with/{view.id}").headers["Location"])

    stolen = thief.get(first)
    afterwards = victim.get(first)
    good, replayed = victim.get(second), victim.get(second)

    assert [each.status_code for each in (stolen, afterwards, good, replayed)] == [403, 403, 303, 403]
    assert not thief.is_signed_in()


def test_a_code_is_worth_nothing_with_the_state_of_another_sign_in(login: Login) -> None:
    login.person()
    view, browser = login.add(), login.browser()
    first = login.provider.sign_in(browser.get(f"/login/with/{view.id}").headers["Location"])
    second = login.provider.sign_in(browser.get(f"/login/with/{view.id}").headers["Location"])
    codes, states = (parse_qs(urlsplit(each).query) for each in (first, second))

    back = browser.get(f"/login/callback?code={codes['code'][0]}&state={states['state'][0]}")

    assert back.status_code == 403


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=y", "?error=access_denied"])
def test_who_comes_back_without_having_set_out_is_told_to_begin_again(login: Login, query: str) -> None:
    browser = login.browser()

    back = browser.get(f"/login/callback{query}")

    assert back.status_code == 403
    assert "Begin it again" in back.text


def test_an_answer_of_another_issuer_is_not_taken(login: Login) -> None:
    login.person()
    view, browser = login.add(), login.browser()
    path = login.provider.sign_in(browser.get(f"/login/with/{view.id}").headers["Location"])

    back = browser.get(path.partition("&iss=")[0] + "&iss=https://evil.example")

    assert back.status_code == 403
    assert "/token" not in login.provider.asked


def test_a_session_that_somebody_planted_opens_nothing_after_the_sign_in(login: Login) -> None:
    login.person()
    view, victim = login.add(), login.browser()
    victim.client.set_cookie("__Host-scim-bridge-session", "planted", path="/", secure=True)
    victim.client.set_cookie("__Host-scim-bridge-browser", "planted too", path="/", secure=True)

    login.come(victim, view)

    assert victim.is_signed_in()
    assert victim.cookie("session") != "planted"
    assert victim.cookie("browser") != "planted too"


@pytest.mark.parametrize(
    "there", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aX: y"]
)
def test_nobody_is_sent_on_to_another_site(login: Login, there: str) -> None:
    login.person()
    view, browser = login.add(), login.browser()

    back = login.come(browser, view, f"?return_to={there}")

    assert back.headers["Location"] == "/console/" or back.headers["Location"].startswith("/%")
    assert "evil.example" not in back.headers["Location"].partition("?")[0].replace("/%", "")


def test_nobody_is_linked_by_a_bare_address(login: Login) -> None:
    login.person(external_id="00u1")
    login.provider.person = {"sub": "00u9", "email": "ana@acme.example", "email_verified": True}
    view, browser = login.add(join_at_login="allowed"), login.browser()

    back = login.come(browser, view)

    assert back.status_code == 403
    assert "nobody is linked by an address" in login.audit("sign_in.refused")[0]


def test_entra_people_are_found_by_their_object_id(login: Login) -> None:
    login.directory(DirectoryKind.ENTRA, "entra")
    login.person(external_id="oid-1", directory="entra")
    login.provider.person = {"sub": "pairwise and of no use", "oid": "oid-1"}
    view, browser = login.add(name="entra", directory="entra"), login.browser()

    login.come(browser, view)

    assert view.subject == "oid = externalId"
    assert browser.is_signed_in()


def test_a_value_that_two_users_carry_is_nobodys(login: Login) -> None:
    login.person("ana")
    login.person("bob")
    browser = login.browser()

    back = login.come(browser, login.add())

    assert back.status_code == 403
    assert "2 users carry" in login.audit("sign_in.refused")[0]


def test_who_is_deactivated_is_out_at_the_next_click_and_cannot_come_back(login: Login) -> None:
    ana = login.person()
    view, browser = login.add(), login.browser()
    login.come(browser, view)
    before = browser.is_signed_in()
    with login.database.write() as connection:
        deactivate(connection, rows.begin(connection), ana)

    after = browser.is_signed_in()
    back = login.come(browser, view)

    assert before
    assert not after
    assert back.status_code == 403
    assert "deactivated" in login.audit("sign_in.refused")[0]


def test_whom_the_directory_deleted_does_not_join_by_signing_in(login: Login) -> None:
    login.person()
    with login.database.write() as connection:
        connection.execute(sa.update(schema.scim_user).values(removed_at=rows.begin(connection).at))
    login.provider.person = {"sub": "00u1", "email": "other@acme.example"}
    browser = login.browser()

    back = login.come(browser, login.add(join_at_login="allowed"))

    assert back.status_code == 403
    assert "deleted this user" in login.audit("sign_in.refused")[0]


def test_a_paused_directory_still_signs_its_people_in(login: Login) -> None:
    login.person()
    pause(login.database, rows.ACTOR, "acme", "okta")
    browser = login.browser()

    login.come(browser, login.add())

    assert browser.is_signed_in()


def test_one_organizations_provider_opens_no_other_organization(login: Login) -> None:
    login.directory(name="okta", slug="beta")
    login.person()
    view, browser = login.add(slug="beta"), login.browser()

    back = login.come(browser, view)

    # The same subject at the same provider: in beta nobody has brought them.
    assert back.status_code == 403


def test_an_unknown_provider_is_not_there(login: Login) -> None:
    assert login.browser().get("/login/with/01a20000-0000-7000-8000-000000000000").status_code == 404

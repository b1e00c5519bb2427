"""Passkeys: what one opens, and everything that must not be taken for one."""

import html
import json
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import count as counting
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from webauthn.helpers import bytes_to_base64url

from scim_bridge.domain.passkeys import Site
from scim_bridge.domain.people import AccountId
from scim_bridge.domain.sessions import PolicyWanted
from scim_bridge.errors import NotAuthenticated, Refused, SignInNotAccepted
from scim_bridge.identity import (
    accounts,
    admission,
    break_glass,
    member_profiles,
    organizations,
    passkey_answers,
    passwords,
    policies,
    second_factors,
    sessions,
)
from scim_bridge.store import credentials, schema
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import AccountFacts
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.passkeys import Passkey, insert_passkey
from scim_bridge.store.people import find_account
from tests.fakes.authenticator import PRESENT, VERIFIED, Authenticator
from tests.fakes.oidc_provider import OpenIdProvider
from tests.identity.rows import count
from tests.identity.signing_in import TERMINAL
from tests.login.owner import EMAIL, PASSWORD, attempt_of, enter
from tests.login.world import Browser, Login, open_login

NUMBERS = counting(1)


@pytest.fixture(scope="module")
def hashed() -> str:
    """Hash the password once: it takes long, and is meant to."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def login(tmp_path: Path, migrated_url: str, hashed: str) -> Iterator[Login]:
    """Open the application with an owner who has a password."""
    with open_login(migrated_url, tmp_path, OpenIdProvider()) as opened:
        put_owner(opened, EMAIL, "acme", hashed)
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path, hashed: str) -> Iterator[Login]:
    """Open one for all tests that only look whether somebody gets in."""
    home = tmp_path_factory.mktemp("shared")
    copied = shutil.copy(migrated_sqlite, home / "bridge.sqlite3")
    with open_login(f"sqlite:///{copied}", home, OpenIdProvider()) as opened:
        put_owner(opened, EMAIL, "acme", hashed)
        yield opened


def put_owner(login: Login, email: str, slug: str, hashed: str) -> AccountId:
    organizations.create(login.database, TERMINAL, slug, owner=email)
    with login.database.write() as connection:
        account_id = find_account(connection, email)
        assert account_id is not None
        credentials.set_password(connection, account_id, hashed, now())
    return account_id


def put_key(login: Login, email: str = EMAIL, counted: int = 1) -> Authenticator:
    """Give somebody a passkey without asking them."""
    made = Authenticator(count=counted)
    named, public = (bytes_to_base64url(each) for each in (made.credential_id, made.public))
    with login.database.write() as connection:
        account_id = find_account(connection, email)
        assert account_id is not None
        made.user_handle = UUID(account_id).bytes
        insert_passkey(connection, Passkey(new_id(), account_id, named, public, "laptop", counted, now()))
    return made


@pytest.fixture
def key(login: Login) -> Authenticator:
    """Give the owner a passkey, on a device that counts."""
    return put_key(login)


@pytest.fixture
def address() -> str:
    """Come from where nobody was wrong before."""
    return f"198.51.100.{next(NUMBERS)}"


def options_of(browser: Browser) -> dict[str, Any]:
    found = re.search(r'data-passkey-options="([^"]+)"', browser.page)
    assert found is not None, browser.page
    asked: dict[str, Any] = json.loads(html.unescape(found[1]))
    return asked


def begin(browser: Browser) -> dict[str, Any]:
    """Ask for a new passkey; return what the browser is asked."""
    browser.get("/account")
    browser.post("/account/passkeys", {"password": PASSWORD})
    return options_of(browser)


def add(browser: Browser, key: Authenticator, name: str = "laptop") -> list[str]:
    """Make a passkey; return the recovery codes that came with it."""
    answer = key.create(begin(browser))
    browser.post("/account/passkeys/make", {"attempt": attempt_of(browser), "answer": answer, "name": name})
    return re.findall(r"<li><code>([a-z0-9-]+)</code></li>", browser.page)


def use(login: Login, key: Authenticator, browser: Browser | None = None) -> Browser:
    """Sign in with a passkey."""
    used = browser or login.browser()
    used.get("/login")
    used.post("/login/passkey", {"return_to": "/account"})
    used.post("/login/passkey/answer", {"attempt": attempt_of(used), "answer": key.get(options_of(used))})
    return used


def test_a_passkey_alone_signs_its_owner_in_with_two_factors(login: Login, key: Authenticator) -> None:
    browser = use(login, key)

    assert browser.is_signed_in()
    assert EMAIL in browser.page
    assert '"method":"passkey"' in login.audit("session.began")[-1]
    assert '"second_factor":true' in login.audit("session.began")[-1]


def test_a_browser_is_asked_for_what_is_kept_on_the_device_and_opened_by_its_owner(login: Login) -> None:
    asked = begin(enter(login))

    assert asked["rp"]["id"] == "bridge.example"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert len(asked["challenge"]) >= 43


def test_the_first_passkey_comes_with_recovery_codes_and_ends_what_the_password_alone_opened(login: Login) -> None:
    codes = add(enter(login), Authenticator())
    more = add(use_code(login, codes[0]), Authenticator(), "phone")

    browser = enter(login)

    assert (len(codes), more) == (10, [])
    assert not browser.is_signed_in()


def use_code(login: Login, code: str) -> Browser:
    browser = enter(login)
    browser.post("/login/second-factor", {"attempt": attempt_of(browser), "code": code})
    return browser


def test_a_passkey_is_the_second_factor_of_a_password(login: Login, key: Authenticator) -> None:
    browser = enter(login)
    options = options_of(browser)

    sent = {"attempt": attempt_of(browser), "answer": key.get(options)}
    browser.post("/login/second-factor/passkey", sent)

    assert [each["id"] for each in options["allowCredentials"]] == [json.loads(key.get(options))["id"]]
    assert browser.is_signed_in()
    assert '"method":"password"' in login.audit("session.began")[-1]
    assert '"second_factor":true' in login.audit("session.began")[-1]


def test_another_accounts_passkey_is_no_second_factor(login: Login, key: Authenticator, hashed: str) -> None:
    put_owner(login, "other@acme.example", "beta", hashed)
    other = put_key(login, "other@acme.example")
    browser = enter(login)

    browser.post(
        "/login/second-factor/passkey", {"attempt": attempt_of(browser), "answer": other.get(options_of(browser))}
    )

    assert not browser.is_signed_in()


def lie(**claims: Any) -> Callable[[Authenticator], None]:
    def spoil(key: Authenticator) -> None:
        for name, value in claims.items():
            setattr(key, name, value)

    spoil.__name__ = ", ".join(f"{name} {value!r}" for name, value in claims.items())
    return spoil


def another_key(key: Authenticator) -> None:
    key.key = Authenticator().key


LIES = [
    lie(origin="https://evil.example"),
    lie(origin="http://bridge.example"),
    lie(origin="https://bridge.example:8443"),
    lie(site="evil.example"),
    lie(flags=VERIFIED),
    lie(flags=PRESENT),
    lie(client_data={"type": "webauthn.create"}),
    lie(client_data={"challenge": "AAAA"}),
    lie(client_data={"challenge": ""}),
    lie(client_data={"crossOrigin": True}),
    lie(user_handle=b"another account!"),
    lie(user_handle=None),
    lie(credential_id=b"nobody's"),
    another_key,
]


@pytest.mark.parametrize("spoil", LIES, ids=lambda spoil: spoil.__name__)
def test_an_answer_that_is_not_what_it_should_be_lets_nobody_in(
    shared: Login, address: str, spoil: Callable[[Authenticator], None]
) -> None:
    key = put_key(shared)
    spoil(key)

    browser = use(shared, key, shared.browser(address))

    assert passkey_answers.REFUSED in html.unescape(browser.page)
    assert browser.cookie("session") is None


@pytest.mark.parametrize("spoil", LIES[:9], ids=lambda spoil: spoil.__name__)
def test_no_passkey_is_made_of_an_answer_that_is_not_what_it_should_be(
    shared: Login, spoil: Callable[[Authenticator], None]
) -> None:
    key, site = Authenticator(), Site("bridge.example", "https://bridge.example")
    spoil(key)
    if key.client_data.get("type"):
        key.client_data = {"type": "webauthn.get"}
    asked = json.loads(
        passkey_answers.creation_options(site, "A" * 43, AccountFacts(AccountId(new_id()), "a", "b"), [])
    )

    with pytest.raises(NotAuthenticated):
        passkey_answers.verify_made(site, "A" * 43, passkey_answers.read(key.create(asked)))


@pytest.mark.parametrize(
    "answer",
    ["", "[]", "null", "{", '{"id": 7}', '{"id": "x"}', '{"id": "x", "response": {}}', "[" * 9000, '"' + "x" * 20_000],
    ids=["nothing", "list", "null", "cut", "number", "bare", "empty", "deep", "long"],
)
def test_what_is_no_answer_at_all_is_refused(shared: Login, address: str, answer: str) -> None:
    named = answer.replace('"x"', f'"{json.loads(put_key(shared).get({"challenge": "x"}))["id"]}"')
    browser = shared.browser(address)
    browser.get("/login")
    browser.post("/login/passkey")

    refused = browser.post("/login/passkey/answer", {"attempt": attempt_of(browser), "answer": named})

    assert refused.status_code == 403
    assert browser.cookie("session") is None


def test_an_answer_is_good_once(login: Login, key: Authenticator) -> None:
    browser = login.browser()
    browser.get("/login")
    browser.post("/login/passkey")
    sent = {"attempt": attempt_of(browser), "answer": key.get(options_of(browser))}
    first = browser.post("/login/passkey/answer", sent)
    browser.get("/account")

    again = browser.post("/login/passkey/answer", sent)

    assert (first.status_code, again.status_code) == (303, 403)
    assert count(login.database, "sign_in_attempt") == 0


def test_a_challenge_is_used_up_by_a_wrong_answer_too(login: Login, key: Authenticator) -> None:
    browser = login.browser()
    browser.get("/login")
    browser.post("/login/passkey")
    attempt, options, token = attempt_of(browser), options_of(browser), browser.token
    browser.post("/login/passkey/answer", {"attempt": attempt, "answer": "{}"}, token=token)

    right = browser.post("/login/passkey/answer", {"attempt": attempt, "answer": key.get(options)}, token=token)

    assert right.status_code == 403


def test_an_answer_is_worth_nothing_in_another_browser_or_for_another_challenge(
    login: Login, key: Authenticator, address: str
) -> None:
    victim, thief = login.browser(), login.browser(address)
    for each in (victim, thief):
        each.get("/login")
        each.post("/login/passkey")
    answer = key.get(options_of(victim))

    token = thief.token
    tries = [{"attempt": attempt_of(each), "answer": answer} for each in (victim, thief)]
    stolen, swapped = (thief.post("/login/passkey/answer", each, token=token) for each in tries)

    assert (stolen.status_code, swapped.status_code) == (403, 403)


def test_a_challenge_for_a_new_passkey_signs_nobody_in(login: Login, key: Authenticator) -> None:
    browser = enter(login, browser=use(login, key))
    options = begin(browser)

    browser.post("/login/passkey/answer", {"attempt": attempt_of(browser), "answer": key.get(options)})

    assert "Begin it again" in browser.page


def test_a_copy_of_a_passkey_is_noticed_and_neither_opens_anything_any_more(login: Login, key: Authenticator) -> None:
    copy = Authenticator(count=key.count, key=key.key, credential_id=key.credential_id, user_handle=key.user_handle)
    thief = use(login, copy)
    was_in = thief.is_signed_in()

    owner = use(login, key)
    later = use(login, copy)

    assert was_in
    assert "may have been copied" in owner.page
    assert "may have been copied" in later.page
    assert not thief.is_signed_in()
    assert len(login.audit("account.passkey_suspected")) == 1


def test_nobody_raises_that_alarm_without_the_key(login: Login, key: Authenticator) -> None:
    forged = Authenticator(count=0, credential_id=key.credential_id, user_handle=key.user_handle)

    use(login, forged)

    assert login.audit("account.passkey_suspected") == []
    assert use(login, key).is_signed_in()


def test_a_device_that_does_not_count_is_no_copy(login: Login) -> None:
    key = Authenticator(count=0)
    add(enter(login), key)

    assert [use(login, key).is_signed_in() for _ in range(2)] == [True, True]


def test_an_open_browser_alone_adds_and_removes_no_passkey(login: Login, key: Authenticator) -> None:
    browser = use(login, key)
    browser.get("/account")
    token = browser.token
    [passkey] = re.findall(r'<option value="([^"]+)"', browser.page)

    wrong = {"password": "a guess", "passkey": passkey}
    answers = [browser.post(f"/account/passkeys{path}", wrong, token=token).status_code for path in ("", "/remove")]

    assert answers == [403, 403]
    assert use(login, key).is_signed_in()


def test_a_removed_passkey_opens_nothing_and_the_sessions_elsewhere_end(login: Login, key: Authenticator) -> None:
    here, there = use(login, key), use(login, key)
    here.get("/account")
    [passkey] = re.findall(r'<option value="([^"]+)"', here.page)

    here.post("/account/passkeys/remove", {"password": PASSWORD, "passkey": passkey})

    assert here.is_signed_in()
    assert not there.is_signed_in()
    assert use(login, key).cookie("session") is None
    # Without a second factor the password is enough again, and the recovery codes are gone.
    assert enter(login).is_signed_in()
    assert '"name":"laptop"' in login.audit("account.passkey_removed")[0]


def test_who_lost_every_second_factor_is_helped_at_the_terminal_and_nowhere_else(
    login: Login, key: Authenticator
) -> None:
    browser = use(login, key)
    found = sessions.resume(login.database, browser.cookie("session"), browser.address)
    assert found is not None
    with pytest.raises(Refused, match="terminal"):
        second_factors.take_away(login.database, found.actor, EMAIL)

    had = second_factors.take_away(login.database, TERMINAL, EMAIL)

    assert (had.passkeys, had.totp) == (1, False)
    assert not browser.is_signed_in()
    assert enter(login).is_signed_in()
    assert len(login.audit("account.second_factors_taken_away")) == 1


def test_nobody_removes_another_accounts_passkey(login: Login, key: Authenticator, hashed: str) -> None:
    put_owner(login, "other@acme.example", "beta", hashed)
    with login.database.read() as connection:
        passkey = str(connection.execute(sa.select(schema.passkey.c.id)).scalar_one())
    other = enter(login, email="other@acme.example")
    other.get("/account")

    answer = other.post("/account/passkeys/remove", {"password": PASSWORD, "passkey": passkey})

    assert answer.status_code == 404
    assert use(login, key).is_signed_in()


def test_a_policy_may_accept_passkeys_alone(login: Login, key: Authenticator) -> None:
    policies.change(login.database, TERMINAL, "acme", PolicyWanted(methods=("passkey",), two_factor_required=True))
    by_passkey, by_password = use(login, key), enter(login)
    by_password.post(
        "/login/second-factor/passkey",
        {"attempt": attempt_of(by_password), "answer": key.get(options_of(by_password))},
    )

    assert [opens(login, each) for each in (by_passkey, by_password)] == [True, False]


def opens(login: Login, browser: Browser) -> bool:
    found = sessions.resume(login.database, browser.cookie("session"), browser.address)
    assert found is not None
    try:
        admission.admit(login.database, found.actor, "acme", None)
    except SignInNotAccepted:
        return False
    return True


def test_a_passkey_is_shown_among_the_ways_in_and_makes_a_break_glass_account_work(
    login: Login, key: Authenticator
) -> None:
    added = break_glass.add(login.database, TERMINAL, "acme", EMAIL)

    use(login, key)

    profile = member_profiles.show(login.database, "acme", EMAIL)
    assert profile.sign_in == ("password", "passkey")
    assert profile.account is not None
    assert profile.account.two_factor
    assert added.works
    assert len(login.audit("break_glass.used")) == 1


def test_an_account_has_a_limited_number_of_passkeys_and_none_twice(login: Login, key: Authenticator) -> None:
    browser = use(login, key)
    add(browser, key, "again")
    twice = browser.page

    named = [each["id"] for each in begin(browser)["excludeCredentials"]]

    assert "known already" in twice
    assert len(named) == 1


def test_only_the_pages_that_need_it_run_a_script_and_only_ours(login: Login, key: Authenticator) -> None:
    browser = enter(login)
    browser.get("/login?again=1")
    plain = browser.get("/login?again=1").headers["Content-Security-Policy"]

    answer = browser.post("/login/passkey")

    policy = answer.headers["Content-Security-Policy"]
    assert "script-src" not in plain
    assert policy.endswith("script-src 'self'")
    assert "unsafe" not in policy
    assert re.findall(r"<script[^>]*>", answer.text) == ['<script src="/login/static/passkeys.js" defer>']
    script = browser.get("/login/static/passkeys.js")
    assert script.mimetype in ("text/javascript", "application/javascript")


def test_where_browsers_make_no_passkeys_none_is_offered(migrated_sqlite: Path, tmp_path: Path) -> None:
    copied = shutil.copy(migrated_sqlite, tmp_path / "plain.sqlite3")
    with open_login(f"sqlite:///{copied}", tmp_path, OpenIdProvider(), base_url="http://127.0.0.1:8080") as at:
        browser = at.browser()
        page = browser.get("/login").text
        asked = browser.post("/login/passkey")

    assert "passkey" not in page
    assert asked.status_code == 403


def test_guessing_at_second_factors_shuts_nobody_else_out(login: Login, key: Authenticator) -> None:
    for _ in range(8):
        stranger = login.browser(f"192.0.2.{next(NUMBERS)}")
        stranger.get("/login")
        token = stranger.token
        for _ in range(8):
            stranger.post("/login/second-factor", {"attempt": "x", "code": "000000"}, token=token)
            stranger.post("/login/passkey/answer", {"attempt": "x", "answer": "{}"}, token=token)

    browser = enter(login)
    browser.post(
        "/login/second-factor/passkey", {"attempt": attempt_of(browser), "answer": key.get(options_of(browser))}
    )

    assert browser.is_signed_in()
    assert accounts.whose_attempt(login.database, "x", "y") is None

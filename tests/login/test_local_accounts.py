"""Accounts of the bridge itself: password, second factor, recovery, and what guessing gets."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pyotp
import pytest
import sqlalchemy as sa
import time_machine

from scim_bridge.errors import NotAuthenticated
from scim_bridge.identity import accounts, break_glass, organizations
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.sessions import Visit
from scim_bridge.mail.messages import Envelope, compose
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.mails import open_values
from tests.fakes.oidc_provider import OpenIdProvider
from tests.identity.signing_in import TERMINAL
from tests.login.owner import EMAIL, PASSWORD, attempt_of, enter, set_password
from tests.login.world import Browser, Login, open_login


@pytest.fixture
def login(migrated_sqlite: Path, tmp_path: Path, migrated_url: str) -> Iterator[Login]:
    """Open the application with an owner who has a password."""
    with open_login(migrated_url, tmp_path, OpenIdProvider()) as opened:
        organizations.create(opened.database, TERMINAL, "acme", owner=EMAIL)
        set_password(opened, PASSWORD)
        yield opened


def enrol(browser: Browser) -> tuple[str, list[str]]:
    """Add one-time codes; return their secret and the recovery codes."""
    browser.get("/account")
    browser.post("/account/second-factor", {"password": PASSWORD})
    found = re.search(r"<figcaption><code>([A-Z2-7]+)</code>", browser.page)
    assert found is not None, browser.page
    browser.post("/account/second-factor/confirm", {"code": pyotp.TOTP(found[1]).now()})
    return found[1], re.findall(r"<li><code>([a-z0-9-]+)</code></li>", browser.page)


def next_code(secret: str) -> str:
    """Return the code of the next step: the present one was used."""
    import time

    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def test_an_owner_signs_in_with_a_password(login: Login) -> None:
    browser = enter(login)

    assert browser.is_signed_in()
    assert EMAIL in browser.page
    assert '"method":"password"' in login.audit("session.began")[0]


def test_the_password_is_stored_nowhere_as_it_is(login: Login) -> None:
    with login.database.read() as connection:
        [stored] = connection.execute(sa.select(schema.account_password.c.hash)).scalars()

    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@acme.example", PASSWORD), ("", ""), (EMAIL, "x" * 10_000)]
)
def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(login: Login, email: str, password: str) -> None:
    browser = enter(login, password, email)

    assert accounts.WRONG in browser.page
    assert browser.cookie("session") is None


def test_a_password_takes_as_long_to_be_wrong_for_an_account_that_does_not_exist(login: Login) -> None:
    def seconds(email: str) -> float:
        began = perf_counter()
        with pytest.raises(NotAuthenticated):
            accounts.sign_in(login.database, email, "wrong", "browser", Visit())
        return perf_counter() - began

    seconds("nobody@acme.example")
    known, unknown = (min(seconds(email) for _ in range(3)) for email in (EMAIL, "nobody@acme.example"))

    # Without the work of looking at a password, an answer takes a twentieth.
    assert 0.4 < unknown / known < 2.5


def test_an_open_browser_is_no_place_to_guess_its_owners_password_in(login: Login) -> None:
    browser = enter(login)
    browser.get("/account")
    token, wrong = browser.token, {"old": "a guess", "new": "a quite different one", "password": "a guess"}

    paths = ["/account/password", "/account/second-factor", "/account/passkeys"] * 3 + ["/account/passkeys/remove"]
    answers = [browser.post(path, wrong, token=token).status_code for path in paths]

    assert answers == [403] * 8 + [429] * 2


def test_guessing_is_slowed_down_for_accounts_that_exist_and_for_those_that_do_not(login: Login) -> None:
    browser = login.browser()
    browser.get("/login")
    token, answers = browser.token, {}

    for email in (EMAIL, "nobody@acme.example"):
        wrong = {"email": email, "password": "wrong"}
        answers[email] = [browser.post("/login/password", wrong, token=token).status_code for _ in range(10)]
    late = browser.post("/login/password", {"email": EMAIL, "password": PASSWORD}, token=token)
    elsewhere = enter(login, browser=login.browser("198.51.100.9"))

    assert answers[EMAIL] == answers["nobody@acme.example"] == [403] * 8 + [429] * 2
    assert late.status_code == 429
    assert late.headers["Retry-After"]
    # A stranger's guesses do not shut the owner out at home.
    assert elsewhere.is_signed_in()


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaaaaaa", "owner@acme.example1", "x" * 300], ids=["short", "same", "name", "long"]
)
def test_a_password_that_others_would_try_first_is_not_set(login: Login, password: str) -> None:
    browser = login.browser()
    path = accounts.make_link(login.database, TERMINAL, EMAIL).path
    browser.get(path)

    answer = browser.post(path, {"password": password})

    assert answer.status_code == 422
    assert enter(login).is_signed_in()


def test_a_link_sets_a_password_once(login: Login) -> None:
    path = accounts.make_link(login.database, TERMINAL, EMAIL).path
    browser = login.browser()
    # Looking at it, as some mail programs do, uses nothing up.
    browser.get(path)
    browser.get(path)
    token = browser.token

    first = browser.post(path, {"password": "another good password"})
    second = browser.post(path, {"password": "yet another password"}, token=token)

    assert (first.status_code, second.status_code) == (200, 403)
    assert enter(login, "another good password").is_signed_in()


def test_a_newer_link_makes_the_older_one_worthless(login: Login) -> None:
    older = accounts.make_link(login.database, TERMINAL, EMAIL).path
    accounts.make_link(login.database, TERMINAL, EMAIL)

    assert login.browser().get(older).status_code == 403


def test_a_new_password_ends_every_other_session(login: Login) -> None:
    here, there = enter(login), enter(login)
    here.get("/account")

    here.post("/account/password", {"old": PASSWORD, "new": "a quite different one"})

    assert here.is_signed_in()
    assert not there.is_signed_in()
    assert accounts.WRONG in enter(login).page


def test_an_open_browser_alone_changes_no_password(login: Login) -> None:
    browser = enter(login)
    browser.get("/account")

    answer = browser.post("/account/password", {"old": "a guess", "new": "a quite different one"})

    assert answer.status_code == 403
    assert enter(login).is_signed_in()


def test_a_link_is_sent_by_mail_and_nothing_tells_whether_there_is_an_account(login: Login) -> None:
    answers = []
    for email in (EMAIL, "nobody@acme.example"):
        browser = login.browser()
        browser.get("/account/forgotten")
        answers.append(re.sub(r'value="[^"]*"', "", browser.post("/account/forgotten", {"email": email}).text))

    with login.database.read() as connection:
        mails = connection.execute(sa.select(schema.mail)).all()
    assert answers[0] == answers[1]
    assert [(each.kind, each.recipient) for each in mails] == [("password", EMAIL)]
    link = open_values(login.runtime.keyring, mails[0].sealed)["link"] or ""
    assert link.startswith("https://bridge.example/account/password/")
    assert login.browser().get(link.removeprefix("https://bridge.example")).status_code == 200


def test_a_stranger_does_not_fill_a_mailbox(login: Login) -> None:
    browser = login.browser()
    browser.get("/account/forgotten")
    token = browser.token

    answers = [browser.post("/account/forgotten", {"email": EMAIL}, token=token).status_code for _ in range(10)]

    assert answers == [200] * 8 + [429] * 2


def test_a_second_factor_is_asked_for_from_then_on(login: Login) -> None:
    secret, codes = enrol(enter(login))

    browser = enter(login)
    before = browser.cookie("session")
    browser.post("/login/second-factor", {"attempt": attempt_of(browser), "code": next_code(secret)})

    assert len(codes) == 10
    assert before is None
    assert browser.is_signed_in()
    assert '"second_factor":true' in login.audit("session.began")[-1]


def test_the_picture_and_its_secret_are_shown_once_and_kept_encrypted(login: Login) -> None:
    browser = enter(login)
    secret, _ = enrol(browser)

    page = browser.get("/account").text
    with login.database.read() as connection:
        [sealed] = connection.execute(sa.select(schema.account_totp.c.sealed_secret)).scalars()

    assert secret not in page
    assert secret not in sealed


def test_no_code_is_good_twice(login: Login) -> None:
    secret, _ = enrol(enter(login))
    code = next_code(secret)
    first, second = enter(login), enter(login)

    first.post("/login/second-factor", {"attempt": attempt_of(first), "code": code})
    second.post("/login/second-factor", {"attempt": attempt_of(second), "code": code})

    assert first.is_signed_in()
    assert not second.is_signed_in()


def test_a_recovery_code_opens_the_account_once(login: Login) -> None:
    _, codes = enrol(enter(login))
    first, second = enter(login), enter(login)

    first.post("/login/second-factor", {"attempt": attempt_of(first), "code": codes[0].upper().replace("-", " ")})
    second.post("/login/second-factor", {"attempt": attempt_of(second), "code": codes[0]})

    assert first.is_signed_in()
    assert not second.is_signed_in()
    assert len(login.audit("account.recovery_code_used")) == 1


def test_codes_are_not_guessed_and_a_right_one_comes_too_late_after_five_wrong_ones(login: Login) -> None:
    secret, _ = enrol(enter(login))
    browser = enter(login)
    attempt, token = attempt_of(browser), browser.token

    for _ in range(5):
        browser.post("/login/second-factor", {"attempt": attempt, "code": "000000"}, token=token)
    browser.post("/login/second-factor", {"attempt": attempt, "code": next_code(secret)}, token=token)

    assert not browser.is_signed_in()
    assert len(login.audit("sign_in.refused")) == 1


def test_a_password_that_was_right_is_of_no_use_in_another_browser(login: Login) -> None:
    secret, _ = enrol(enter(login))
    victim, thief = enter(login), login.browser("198.51.100.9")
    thief.get("/login")

    thief.post("/login/second-factor", {"attempt": attempt_of(victim), "code": next_code(secret)})

    assert not thief.is_signed_in()


def test_a_second_factor_is_switched_off_by_itself_only(login: Login) -> None:
    browser = enter(login)
    secret, _ = enrol(browser)
    browser.get("/account")

    wrong = browser.post("/account/second-factor/remove", {"code": "000000"})
    browser.get("/account")
    right = browser.post("/account/second-factor/remove", {"code": next_code(secret)})

    assert (wrong.status_code, right.status_code) == (403, 200)
    assert enter(login).is_signed_in()


def test_a_break_glass_account_alarms_whenever_it_is_used(login: Login) -> None:
    before = break_glass.add(login.database, TERMINAL, "acme", EMAIL)
    secret, _ = enrol(enter(login))
    uses = len(login.audit("break_glass.used"))

    browser = enter(login)
    browser.post("/login/second-factor", {"attempt": attempt_of(browser), "code": next_code(secret)})

    [after] = break_glass.list_all(login.database, "acme")
    assert (before.works, before.lacking) == (False, "has no second factor")
    assert after.works
    assert after.last_used_at is not None
    assert not after.drill_due
    assert len(login.audit("break_glass.used")) == uses + 1


def test_who_has_not_tried_a_break_glass_account_for_ninety_days_is_reminded_until_they_do(login: Login) -> None:
    break_glass.add(login.database, TERMINAL, "acme", EMAIL)
    letters = Letters.of(login.runtime)

    def remind(days: int) -> int:
        with time_machine.travel(now() + timedelta(days=days)):
            return break_glass.remind(login.database, letters)

    reminded = [remind(days) for days in (89, 91, 92, 106)]
    with login.database.read() as connection:
        mails = connection.execute(sa.select(schema.mail).order_by(schema.mail.c.id)).all()
    enter(login)
    with login.database.read() as connection:
        after = list(connection.execute(sa.select(schema.mail.c.state)).scalars())

    values = open_values(login.runtime.keyring, mails[-1].sealed)
    assert reminded == [0, 1, 0, 1]
    assert [(each.kind, each.recipient, each.state) for each in mails] == [
        ("drill", EMAIL, "cancelled"),
        ("drill", EMAIL, "queued"),
    ]
    assert values["lacking"] == "has no second factor"
    assert "It would not get in today: it has no second factor." in written(values)
    assert after == ["cancelled", "cancelled"]
    assert len(login.audit("break_glass.reminded")) == 2
    assert remind(60) == 0


def written(values: Mapping[str, str | None]) -> str:
    """Return what the mail says."""
    mail = compose("drill", values, Envelope("1", "bridge@acme.example", EMAIL, now()))
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_whoever_asks_for_links_by_mail_gets_one_that_counts(login: Login) -> None:
    letters = Letters.of(login.runtime)

    for _ in range(3):
        accounts.ask_by_mail(login.database, letters, EMAIL)

    with login.database.read() as connection:
        states = connection.execute(sa.select(schema.mail.c.state).order_by(schema.mail.c.id)).scalars()
        assert list(states) == ["cancelled", "cancelled", "queued"]

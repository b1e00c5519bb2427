"""The postman: what waits goes out once, whoever sends, however often the mail server was away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from scim_bridge.identity import invitations, organizations
from scim_bridge.identity.invitation_answers import accept
from scim_bridge.identity.invitations import InvitationWanted
from scim_bridge.identity.letters import Letters
from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.leases import take_lease
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.postman import IN_FLIGHT, LEASE, LEASE_TIME, Postman
from tests.identity.people import HANDS
from tests.identity.provider import actions, rows
from tests.mail.post_office import PostOffice, free_port, open_post_office, secret_in

KEYRING = Keyring(("2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E=",))
LETTERS = Letters(KEYRING, "https://bridge.example", 7)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture(autouse=True)
def acme(database: Database) -> None:
    """Make the organization that invites."""
    organizations.create(database, HANDS, "acme")


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands until it is set forward."""
    return Clock()


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """Open a mail server."""
    with open_post_office() as opened:
        yield opened


def _settings(port: int, **more: Any) -> Settings:
    return Settings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_seconds=5, **more)


def _postman(database: Database, port: int, clock: Clock, **more: Any) -> Postman:
    return Postman(database, KEYRING, _settings(port, **more), clock)


def _invite(database: Database, email: str = "bob@x.example") -> str:
    return invitations.invite(database, LETTERS, HANDS, "acme", InvitationWanted(email, "viewer")).id


def _mails(database: Database) -> list[tuple[str, int, bool]]:
    """Return the state of each mail, how often it was tried, and whether what fills it is still kept."""
    return [(row["state"], row["attempts"], row["sealed"] is not None) for row in rows(database, "mail")]


def test_an_invitation_arrives_and_its_link_works(database: Database, office: PostOffice, clock: Clock) -> None:
    _invite(database)
    clock.forward(seconds=1)

    sent = _postman(database, office.port, clock).send_due()

    assert (sent, office.recipients, _mails(database)) == (1, ["bob@x.example"], [("sent", 1, False)])
    assert accept(database, secret_in(office.mails[0]), "Bob").organization == "acme"


def test_what_is_sent_is_not_sent_again(database: Database, office: PostOffice, clock: Clock) -> None:
    _invite(database)
    clock.forward(seconds=1)
    postman = _postman(database, office.port, clock)
    postman.send_due()

    clock.forward(days=1)

    assert (postman.send_due(), len(office.mails)) == (0, 1)


def test_a_mail_server_that_was_down_gets_the_mail_once_when_it_is_back(database: Database, clock: Clock) -> None:
    port = free_port()
    _invite(database)
    clock.forward(seconds=1)
    postman = _postman(database, port, clock)
    tried = [postman.send_due()]
    at_once = postman.send_due()
    for _ in range(3):
        clock.forward(minutes=5)
        tried.append(postman.send_due())

    with open_post_office(port) as office:
        clock.forward(minutes=5)
        sent = postman.send_due()
        clock.forward(hours=5)
        again = postman.send_due()

    assert (tried, at_once, sent, again, len(office.mails)) == ([0, 0, 0, 0], 0, 1, 0, 1)
    assert _mails(database) == [("sent", 5, False)]


def test_a_failure_says_why_where_the_invitation_is_shown(database: Database, clock: Clock) -> None:
    made = _invite(database)
    clock.forward(seconds=1)

    _postman(database, free_port(), clock).send_due()

    mail = invitations.show(database, "acme", made).mail
    assert mail is not None
    assert (mail.state, mail.attempts) == ("queued", 1)
    assert "127.0.0.1" in (mail.last_error or "")
    assert mail.due_at is not None


def test_each_failure_is_followed_by_a_longer_wait(database: Database, clock: Clock) -> None:
    _invite(database)
    clock.forward(seconds=1)
    postman = _postman(database, free_port(), clock)
    waits = []
    for _ in range(9):
        postman.send_due()
        (row,) = rows(database, "mail")
        waits.append((row["due_at"] - clock.at).total_seconds())
        clock.at = row["due_at"]

    assert waits == [15, 30, 60, 120, 240, 480, 960, 1800, 1800]


def test_two_postmen_at_once_send_each_mail_once(database: Database, office: PostOffice, clock: Clock) -> None:
    for number in range(12):
        _invite(database, f"p{number}@x.example")
    clock.forward(seconds=1)
    together = Barrier(3)

    def work() -> int:
        own = Database(database.url.render_as_string(hide_password=False))
        postman = _postman(own, office.port, clock)
        together.wait()
        sent = 0
        # Whoever does not have the lease asks again until there is nothing left for anybody.
        while postman.is_due():
            sent += postman.send_due()
        own.dispose()
        return sent

    with ThreadPoolExecutor(3) as pool:
        sent = sum(each.result() for each in [pool.submit(work) for _ in range(3)])

    assert sent == 12
    assert sorted(office.recipients) == sorted(f"p{number}@x.example" for number in range(12))
    assert {state for state, _, _ in _mails(database)} == {"sent"}


def test_while_somebody_else_sends_nobody_does(database: Database, office: PostOffice, clock: Clock) -> None:
    _invite(database)
    clock.forward(seconds=1)
    with database.write() as connection:
        assert take_lease(connection, LEASE, "another", clock.at, clock.at + LEASE_TIME) is not None

    held = _postman(database, office.port, clock).send_due()
    clock.forward(seconds=LEASE_TIME.total_seconds() + 1)
    free = _postman(database, office.port, clock).send_due()

    assert (held, free, len(office.mails)) == (0, 1, 1)


def test_a_mail_that_a_sender_died_over_is_sent_later(
    database: Database, office: PostOffice, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _invite(database)
    clock.forward(seconds=1)

    def die(_settings: Settings, _message: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr("scim_bridge.sync.postman.deliver", die)
        with pytest.raises(SystemExit):
            _postman(database, office.port, clock).send_due()
    soon = _postman(database, office.port, clock).send_due()
    clock.forward(seconds=IN_FLIGHT.total_seconds())

    assert (soon, _postman(database, office.port, clock).send_due(), len(office.mails)) == (0, 1, 1)


def test_a_mail_that_nobody_takes_is_given_up_in_the_end_and_says_so(database: Database, clock: Clock) -> None:
    made = _invite(database)
    clock.forward(hours=3)

    _postman(database, free_port(), clock, mail_give_up_hours=2).send_due()

    mail = invitations.show(database, "acme", made).mail
    assert mail is not None
    assert (mail.state, _mails(database)) == ("given_up", [("given_up", 1, False)])
    assert actions(database)[-1] == "mail.given_up"


def test_a_recipient_who_does_not_exist_is_given_up_at_once_and_holds_up_nobody(
    database: Database, office: PostOffice, clock: Clock
) -> None:
    _invite(database, "nobody@x.example")
    _invite(database)
    clock.forward(seconds=1)

    sent = _postman(database, office.port, clock).send_due()

    assert (sent, office.recipients) == (1, ["bob@x.example"])
    assert [state for state, _, _ in _mails(database)] == ["given_up", "sent"]


def test_without_a_mail_server_everything_waits(database: Database, office: PostOffice, clock: Clock) -> None:
    _invite(database)
    clock.forward(days=10)

    nothing = Postman(database, KEYRING, Settings(), clock).send_due()
    waiting = _mails(database)
    sent = _postman(database, office.port, clock).send_due()

    assert (nothing, waiting, sent) == (0, [("queued", 0, True)], 1)


def test_what_no_key_opens_waits_for_the_key(database: Database, office: PostOffice, clock: Clock) -> None:
    _invite(database)
    clock.forward(seconds=1)
    other = Keyring(("Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyMTI=",))

    Postman(database, other, _settings(office.port), clock).send_due()

    assert (_mails(database), office.mails) == ([("queued", 1, True)], [])

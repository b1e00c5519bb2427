"""Who speaks: a token is a directory, and only as long as both are good."""

import hashlib
from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryState
from scim_bridge.errors import NotAuthenticated, Unavailable
from scim_bridge.identity.callers import authenticate, note_use
from scim_bridge.identity.provisioned import open_reading
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.schema import directory, directory_token, organization
from tests.identity.provider import Provider, rows


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def change_token(okta: Provider, **values: object) -> None:
    with okta.database.write() as connection:
        connection.execute(sa.update(directory_token).values(**values))


def refused(okta: Provider, token: str | None) -> str:
    with okta.database.read() as connection, pytest.raises(NotAuthenticated) as caught:
        authenticate(connection, token)
    return str(caught.value)


def test_a_token_is_its_directory(okta: Provider) -> None:
    other = Provider.connect(okta.database, "okta", "globex")

    with okta.database.read() as connection:
        caller = authenticate(connection, okta.token)

    assert (caller.directory_id, caller.organization_id) == (okta.caller.directory_id, okta.caller.organization_id)
    assert caller.organization_id != other.caller.organization_id
    assert (caller.actor.name, caller.actor.id) == ("okta", okta.caller.directory_id)


def test_the_token_is_nowhere_in_the_database(okta: Provider) -> None:
    (row,) = rows(okta.database, "directory_token")

    assert okta.token not in str(row)
    assert row["digest"] == hashlib.sha256(okta.token.encode()).hexdigest()


def test_every_refusal_is_in_the_same_words_and_repeats_nothing(okta: Provider) -> None:
    words = {refused(okta, token) for token in (None, "", "guess", okta.token + "x", okta.token.upper(), "é\x00")}
    change_token(okta, expires_at=now() - timedelta(seconds=1))
    words.add(refused(okta, okta.token))
    change_token(okta, expires_at=None, revoked_at=now())
    words.add(refused(okta, okta.token))

    assert len(words) == 1
    assert okta.token not in words.pop()


def test_a_token_that_expires_later_is_good(okta: Provider) -> None:
    change_token(okta, expires_at=now() + timedelta(hours=1))

    with okta.database.read() as connection:
        assert authenticate(connection, okta.token).directory_name == "okta"


def test_a_detached_directory_or_a_removed_organization_has_no_tokens(okta: Provider) -> None:
    with okta.database.write() as connection:
        connection.execute(sa.update(directory).values(state=DirectoryState.DETACHED.value))
    refused(okta, okta.token)
    with okta.database.write() as connection:
        connection.execute(sa.update(directory).values(state=DirectoryState.ACTIVE.value))
        connection.execute(sa.update(organization).values(removed_at=now()))

    refused(okta, okta.token)


def test_a_paused_directory_is_told_to_come_later(okta: Provider) -> None:
    with okta.database.write() as connection:
        connection.execute(sa.update(directory).values(state=DirectoryState.PAUSED.value))

    with pytest.raises(Unavailable) as caught, open_reading(okta.database, okta.token):
        pass

    assert caught.value.retry_after == 300


def test_a_pending_directory_may_write(okta: Provider) -> None:
    with okta.database.write() as connection:
        connection.execute(sa.update(directory).values(state=DirectoryState.PENDING.value))

    with open_reading(okta.database, okta.token) as reading:
        assert reading.caller.directory_id == okta.caller.directory_id


def test_the_use_of_a_token_is_noted_once_a_minute(okta: Provider) -> None:
    note_use(okta.database, okta.caller, "192.0.2.1", "Okta SCIM Client 1.0.0")
    note_use(okta.database, okta.caller, "192.0.2.9", "x" * 300)

    (row,) = rows(okta.database, "directory_token")
    assert (row["last_address"], row["last_user_agent"]) == ("192.0.2.1", "Okta SCIM Client 1.0.0")
    with okta.database.read() as connection:
        assert not authenticate(connection, okta.token).use_due

    change_token(okta, last_used_at=now() - timedelta(minutes=2))
    note_use(okta.database, okta.caller, None, "x" * 300)

    (row,) = rows(okta.database, "directory_token")
    assert (row["last_address"], row["last_user_agent"]) == (None, "x" * 255)


@pytest.mark.parametrize("agent", ["", "a\x00b"])
def test_noting_never_fails_a_request(okta: Provider, agent: str) -> None:
    note_use(
        okta.database, okta.caller, "fe80::1%eth0-with-a-very-long-zone-name-that-no-column-of-ours-can-hold", agent
    )

    assert rows(okta.database, "directory_token")[0]["last_used_at"] is not None
